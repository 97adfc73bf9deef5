"""I6 for what stands beside packages: no advisory and no module names what left its stage and is not there again."""

import re

from metadata import Unsound, xml
from retracted import nevra

RETRACTION = re.compile(r"retracted-.*-[0-9a-f]{12}\Z")
ARTIFACT = re.compile(r" *- [\"']?(?P<name>[^ \"']+)-(?P<epoch>[0-9]+):(?P<rest>[^ \"':]+)[\"']? *\Z")


def look(site):
    """Follows what left each stage, and compares what each kept generation says. What never was there may be named:
    whoever adopts a repository adopts what it says of others."""
    if not site.leads_to_the_first():
        return
    gone, kept = {}, {generation.number for generation in site.whole()}
    for generation in site.chain.values():
        families = {name: family(shelved) for name, shelved in generation.repositories.items()}
        adopted = {one["repository"] for said in generation.answers if said["action"] == "adopt"
                   for one in said.get("moved", [])}
        for name, moves in generation.account["changes"].items():
            gone.setdefault(families.get(name), set()).update(one["nevra"] for one in moves["left"])
        for name in adopted & families.keys():
            gone.pop(families[name], None)
        if generation.number in kept:
            compare(site, generation, families, gone)


def family(shelved):
    return tuple(shelved[one] for one in ("product", "os", "arch", "stage"))


def compare(site, generation, families, gone):
    listings = site.listings.get(generation.number, {})
    listed = {}
    for name, found in listings.items():
        listed.setdefault(families[name], set()).update(package.words for package in found.packages)
    holding = held(site.policy_of(generation) or {})
    for name, found in listings.items():
        of, shelved = families[name], generation.repositories[name]
        missed = gone.get(of, set()) - listed.get(of, set())
        place = f"public/@{generation.number}/{shelved['path']}/repodata/repomd.xml"
        records = found.repomd.records
        if "updateinfo" in records and of[::3] not in holding:
            for one, names in advisories(records["updateinfo"].open):
                if names & missed:
                    site.broken("I6", place, f"its advisory {one} names {sorted(names & missed)}, which left")
        if "modules" in records:
            names = artifacts(records["modules"].open)
            if names & missed:
                site.broken("I6", place, f"its modules name {sorted(names & missed)}, which left")


def held(policy):
    """The stages, with their products, in which advisories wait for what the next stage lacks."""
    found = set()
    for product in policy.get("product", []):
        holds = {one.get("name") for one in product.get("stage", []) if one.get("advisories") == "hold"}
        if holds:
            # Which routes a preset has is not looked up: none of the other stages is held to it.
            found |= {(product.get("name"), stage) for stage in ("delta", "testing", "untested")}
            found |= {(product.get("name"), one.get("from")) for one in product.get("route", []) if one.get("to") in holds}
    return found


def advisories(opened):
    """The advisories that tell of no roll-back, with what each names; none where they cannot be read."""
    try:
        top = xml(opened, "updateinfo.xml")
    except Unsound:
        return
    for update in top.iter("update"):
        one = (update.findtext("id") or "").strip()
        if not RETRACTION.match(one):
            yield one, {nevra(package) for package in update.iter("package")}


def artifacts(opened):
    """The packages of all streams: what stands, one a line, in the list `rpms` of `artifacts`."""
    names, inside, depth = set(), None, 0
    for line in opened.decode("utf-8", "replace").split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        word = line.strip()
        if word == "artifacts:":
            inside, depth = "artifacts", indent
        elif inside == "artifacts" and word == "rpms:" and indent > depth:
            inside, depth = "rpms", indent
        elif inside == "rpms":
            found = ARTIFACT.match(line)
            if found and indent >= depth:
                epoch = "" if found["epoch"] == "0" else f"{found['epoch']}:"
                names.add(f"{found['name']}-{epoch}{found['rest']}")
            elif word and not word.startswith("#"):
                inside = None
    return names
