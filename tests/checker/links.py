"""I7, I8, I22 and I23: what lies in `packages/` and `pool/`, by whose leave, and how many names it has."""

import json
import re

from words import instant

# Where the digest stands in the place of a package; what an adopted repository called it is another matter.
DIGEST_PATH = re.compile(r"packages/[^/]+/[0-9a-f]{2}/([0-9a-f]{16})/[^/]+\Z")


def look(site):
    if site.current not in site.listings:
        return
    strays(site)
    promises(site)
    pool(site)
    if site.at_rest:
        names_add_up(site)


def listed(site, number):
    """The links below `public/` that the repositories of a generation list."""
    return {
        site.place_of(name, package).removeprefix("public/")
        for name, found in site.listings.get(number, {}).items()
        for package in found.packages
    }


def strays(site):
    tree, manifest = site.tree, site.now_in_force().manifest
    allowed = listed(site, site.current) | manifest["retained"].keys()
    if not site.at_rest:
        allowed |= set(manifest["drop_links"]) | announced(site)
    for path, entry in tree.below("public/packages"):
        unread = path.split("/")[2] in site.unread()
        if entry.kind == "file" and path.removeprefix("public/") not in allowed and not unread:
            site.broken("I7", path, "it is neither listed nor retained")


def announced(site):
    """The links that unfinished generations are going to make, as their links.json says."""
    links = set()
    for directory in ("staging", "quarantine"):
        for name in site.tree.names(directory):
            for place in (f"{directory}/{name}/links.json", f"{directory}/{name}/staging/links.json"):
                try:
                    links.update(json.loads(site.tree.read(place) or b"{}").get("links", []))
                except (ValueError, AttributeError):
                    continue
    return links


def promises(site):
    """I8: what the manifests still promise is served by `current`, with the same bytes."""
    tree, current = site.tree, site.now_in_force()
    purged = site.purged()
    present = listed(site, current.number)
    for link in current.manifest["retained"]:
        path = f"public/{link}"
        if link in purged:
            continue
        if not tree.is_kind(path, "file"):
            site.broken("I8", path, "it is promised and not there")
        elif (own := DIGEST_PATH.match(link)) and not tree.digest(path).startswith(own.group(1)):
            site.broken("I8", path, "it is promised and has other bytes")
    for generation in site.chain.values():
        graced(site, generation, present, purged)
        if generation.number == current.number:
            continue
        for link, until in generation.manifest["retained"].items():
            held = link in current.manifest["retained"] or link in present
            if instant(until) > current.created and not held and link not in purged:
                words = f"generation {generation.number} promised it until {until}, and nothing keeps it"
                site.broken("I8", f"public/{link}", words)
    metadata(site, current)
    named(site, current)


def graced(site, generation, present, purged):
    """A package that left a repository stays for the grace its policy names."""
    grace = site.grace_of(generation)
    if grace is None:
        return
    current = site.now_in_force()
    until = generation.created + grace
    if until <= current.created:
        return
    for name, moves in generation.account["changes"].items():
        for package in moves["left"]:
            link = site.link_of(name, package)
            if link in present or link in purged or name in site.unread():
                continue
            kept = current.manifest["retained"].get(link)
            if kept is None or instant(kept) < until:
                words = f"it left in generation {generation.number} and is not kept for the grace"
                site.broken("I8", f"public/{link}", words)


def named(site, current):
    """What a name holds stays whole; at rest the name is there."""
    for name, named in current.manifest["names"].items():
        if named["ended"]:
            continue
        generation = site.chain.get(named["generation"])
        if generation is None or generation not in site.whole():
            words = f"generation {named['generation']} is named `{name}` and not kept whole"
            site.broken("I8", f"public/@{name}", words)
        elif site.at_rest and not site.tree.is_kind(f"public/@{name}", "link"):
            site.broken("I8", f"public/@{name}", "the name is given and not there")


def metadata(site, current):
    """Superseded metadata stays as long as the files.json of a kept generation says."""
    now = current.files["public"]
    for generation in site.whole():
        if generation.number == current.number:
            continue
        for path, facts in generation.files["public"].items():
            if "until" not in facts or instant(facts["until"]) <= current.created:
                continue
            if path not in now and facts["sha256"] not in site.purged().digests:
                words = f"generation {generation.number} promised it until {facts['until']}"
                site.broken("I8", f"public/@{current.number}/{path}", words)
            elif path in now and now[path]["sha256"] != facts["sha256"]:
                site.broken("I8", f"public/@{current.number}/{path}", "it is promised and has other bytes")


def pool(site):
    """Every package link is one more name of the pool's file of that digest."""
    tree = site.tree
    for path, entry in tree.below("public/packages"):
        if entry.kind != "file":
            continue
        digest = tree.digest(path)
        pooled = tree.get(f"pool/{digest[:2]}/{digest}.rpm")
        known = path.removeprefix("public/") in listed_or_retained(site)
        if known and (pooled is None or pooled.inode != entry.inode) and site.at_rest:
            site.broken("I22", path, "it is not a name of the pool's file with its digest")
    for digest in site.purged().digests:
        path = f"pool/{digest[:2]}/{digest}.rpm"
        if tree.get(path) is not None and (site.at_rest or path not in site.now_in_force().manifest["drop_links"]):
            site.broken("I8", path, "it was purged and is still there")
    for path, entry in tree.below("pool"):
        if entry.kind == "file" and site.at_rest and path != f"pool/{tree.digest(path)[:2]}/{tree.digest(path)}.rpm":
            site.broken("I22", path, f"its digest is {tree.digest(path)}")


def listed_or_retained(site):
    if site.held is None:
        site.held = listed(site, site.current) | site.now_in_force().manifest["retained"].keys()
    return site.held


def names_add_up(site):
    """At rest every file below the root has exactly the names that lie below the root."""
    count = {}
    for path, entry in site.tree.below(""):
        if entry.kind == "file":
            count.setdefault(entry.inode, []).append(path)
    for paths in count.values():
        names = site.tree.get(paths[0]).names
        if names != len(paths):
            site.broken("I22", paths[0], f"it has {names} names, {len(paths)} of them lie below the root")
