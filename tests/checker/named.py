"""I6 for what stands beside packages: no advisory and no module names what left its stage and is not there again."""

import re
import xml.etree.ElementTree as ElementTree

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
    waits(site, generation, families, listed, gone)
    for name, found in listings.items():
        of, shelved = families[name], generation.repositories[name]
        missed = gone.get(of, set()) - listed.get(of, set())
        place = f"public/@{generation.number}/{shelved['path']}/repodata/repomd.xml"
        records = found.repomd.records
        if "updateinfo" in records:
            for one, names in advisories(records["updateinfo"].open):
                if names & missed:
                    site.broken("I6", place, f"its advisory {one} names {sorted(names & missed)}, which left")
        if "modules" in records:
            names = artifacts(records["modules"].open)
            if names & missed:
                site.broken("I6", place, f"its modules name {sorted(names & missed)}, which left")


def waits(site, generation, families, listed, gone):
    """What is held in front of a repository is about something that is there and something that is to come, and is told by neither
    with what left."""
    place = f"generations/{generation.number}/manifest.json"
    for name, all in generation.account.get("standing", {}).get("held", {}).items():
        here = listed.get(families.get(name), set())
        others = [names for one, names in listed.items() if one[:3] == (families.get(name) or ())[:3]]
        for one, held in all.items():
            names = {nevra(package) for package in ElementTree.fromstring(held["text"]).iter("package")}
            to_come = set(held["waits_for"])
            if not names & here:
                site.broken("I6", place, f"advisory {one} is held in front of {name}, which lists nothing of it")
            if not to_come or to_come & here or not to_come <= names & set().union(*others):
                site.broken("I6", place, f"advisory {one} waits in front of {name} for {sorted(to_come)}, which is not to come")
            missed = gone.get(families.get(name), set()) - set().union(here, *others)
            if names & missed:
                site.broken("I6", place, f"advisory {one} names {sorted(names & missed)}, which left, and waits in front of {name}")


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
