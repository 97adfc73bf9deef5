"""I21: the audit log reads up to a torn tail, and knows every generation but perhaps the newest."""

import json

from chain import ANSWER
from words import Misread, demand, instant

RECORD = {"format": int, "at": str, "kind": str}


def look(site):
    """Reads the log. Fills `site.audited` with the answers that no generation carries, each with its place."""
    tree, site.audited = site.tree, []
    site.generations_on_record = {}
    logs = [name for name in tree.names("audit") if name.endswith(".jsonl")]
    for name in logs:
        path = f"audit/{name}"
        lines = (tree.read(path) or b"").split(b"\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            whole = number < len(lines)
            is_tail = name == logs[-1] and not any(lines[number:])
            record(site, f"{path}:{number}", line, whole, is_tail)
    for number in site.chain:
        known = site.generations_on_record.get(number)
        if known is None and (site.at_rest or number != site.current):
            site.broken("I21", "audit", f"generation {number} is not on record")


def record(site, place, line, whole, is_tail):
    try:
        said = demand(json.loads(line), RECORD)
        instant(said["at"])
        if said["kind"] == "generation":
            demand(said, {"generation": int, "manifest": str, "settled": list})
        if said["kind"] == "answer":
            demand(demand(said, {"answer": dict})["answer"], ANSWER)
    except (ValueError, Misread) as error:
        if not is_tail:
            site.broken("I21", place, f"it is no record: {error}")
        elif site.at_rest and whole:
            site.broken("I21", place, f"it is no record: {error}")
        return
    if said["kind"] == "generation":
        generation(site, place, said)
    elif said["kind"] == "answer":
        site.audited.append((place, said["answer"]))


def generation(site, place, said):
    number = said["generation"]
    if site.generations_on_record.setdefault(number, said["manifest"]) != said["manifest"]:
        site.broken("I21", place, f"generation {number} is on record with two manifests")
    if site.current is not None and number > site.current:
        site.broken("I16", place, f"generation {number} is on record, current is {site.current}")
    known = site.chain.get(number)
    if known is None:
        if site.chain and number > min(site.chain) and number <= site.current:
            site.broken("I21", place, f"generation {number} is on record and not in the chain")
        return
    if known.digest != said["manifest"]:
        site.broken("I21", place, f"generation {number} has another manifest than the one on record")
    if [one["claim"] for one in known.answers] != said["settled"]:
        site.broken("I21", place, f"generation {number} settled other requests than those on record")
