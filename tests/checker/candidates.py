"""I2 and I19: candidates are those of the updates that are still to be published, and what they list is there."""

import json
import re

import packages
from metadata import states_opened

TOP = "staff/candidate/"
PLACE = re.compile(r"packages/[^/]+/[0-9a-f]{2}(/[0-9a-f]{16}/[^/]+\.rpm)?")


def look(site):
    for generation in site.whole():
        private = f"generations/{generation.number}"
        links = generation.files.get("private_links", {})
        for path, text in links.items():
            up = "../" * (len(path.split("/")) + 1) + "public/"
            if not path.startswith(TOP) or not text.startswith(up) or not PLACE.fullmatch(text.removeprefix(up)):
                site.broken("I2", f"{private}/{path}", f"`{text}` is no place of packages")
        here = {path.split("/")[2] for path in [*generation.files["private"], *links] if path.startswith(TOP)}
        wanted = prepared(site, private)
        for plan in sorted(wanted - here):
            site.broken("I19", f"{private}/{TOP}{plan}", "an update is prepared, and has no candidate")
        for plan in sorted(here - wanted):
            site.broken("I19", f"{private}/{TOP}{plan}", "it is the candidate of no update that is to be published")
        if generation.number == site.current:
            for plan in sorted(here & wanted):
                candidate(site, f"{private}/{TOP}{plan}")


def prepared(site, private):
    """The plans of the updates that are still to be published, as the generation remembers them."""
    try:
        stored = json.loads(site.tree.read(f"{private}/workflow.json") or b"{}")
        states = stored.get("workflow", {}).get("products", {}).values()
        updates = [update for state in states for update in state.get("updates", {}).values()]
        return {update["plan"] for update in updates if update["readiness"] != "published"}
    except (ValueError, AttributeError, KeyError, TypeError):
        site.broken("I19", f"{private}/workflow.json", "it cannot be read")
        return set()


def candidate(site, top):
    """Every package that a repository of the candidate lists is there, but for what left production meanwhile."""
    known = {shelved["path"]: shelved for shelved in site.now_in_force().repositories.values()}
    for path, _ in list(site.tree.below(top)):
        if not path.endswith("/repodata/repomd.xml"):
            continue
        shelf = path.removesuffix("/repodata/repomd.xml")
        shelved = known.get(shelf.removeprefix(f"{top}/"))
        if shelved is None:
            site.broken("I19", shelf, "it is the candidate of no repository")
            continue
        fetch = lambda href: site.tree.read(f"{shelf}/{href}")
        wrong = lambda invariant, words: site.broken(invariant, path, words)
        found = packages.listing(site.tree.read(path), fetch, wrong, states_opened(shelved))
        for package in found.packages if found else ():
            place = site.tree.follow(f"{shelf}/{package.href}")
            if place is None and left(site, package.href):
                continue
            digits = package.href.split("/")[-2]
            if place is None or not (site.tree.digest(place) or "").startswith(digits):
                site.broken("I19", f"{shelf}/{package.href}", "the candidate lists it, and it is not there")


def left(site, href):
    """Whether some generation of those that are known took a package out of a repository, or a purge took it away."""
    digits = href.split("/")[-2]
    if any(digest.startswith(digits) for digest in site.purged().digests):
        return True
    moves = [moves for one in site.chain.values() for moves in one.account["changes"].values()]
    return any(package["pkgid"].startswith(digits) for move in moves for package in move["left"])
