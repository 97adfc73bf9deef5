"""I21: the log is a chain of lines up to a torn tail, and knows every generation but perhaps the newest."""

import dataclasses
import hashlib
import json

from chain import ANSWER
from words import Misread, demand, instant

RECORD = {"format": int, "at": str, "kind": str}


@dataclasses.dataclass
class Line:
    """One line of the log that is not empty."""

    place: str
    digest: str
    said: dict | None
    why: str | None

    @property
    def previous(self):
        return self.said.get("previous") if self.said else None

    @property
    def base(self):
        """The last line that was durable when this one was written."""
        return self.said.get("batch", self.previous) if self.said else None


def look(site):
    """Reads the log. Fills `site.audited` with the answers that no generation carries, each with its place."""
    site.audited, site.generations_on_record = [], {}
    counted = chained(site)
    for line in counted:
        if line.said["kind"] == "generation":
            generation(site, line.place, line.said)
        elif line.said["kind"] == "answer":
            site.audited.append((line.place, line.said["answer"]))
    for number in site.chain:
        known = site.generations_on_record.get(number)
        if known is None and (site.at_rest or number != site.current):
            site.broken("I21", "audit", f"generation {number} is not on record")
    heads(site, counted)


def lines(site):
    """Every line of every month, with its bytes as they stand."""
    tree = site.tree
    for name in tree.names("audit"):
        if not name.endswith(".jsonl"):
            continue
        path = f"audit/{name}"
        parts = (tree.read(path) or b"").split(b"\n")
        whole = [part + b"\n" for part in parts[:-1]] + [part for part in parts[-1:] if part]
        for number, raw in enumerate(whole, 1):
            content = raw.removesuffix(b"\n")
            said, why = record(content)
            yield raw, Line(f"{path}:{number}", hashlib.sha256(content).hexdigest(), said, why)


def record(content):
    try:
        said = demand(json.loads(content), RECORD)
        instant(said["at"])
        if said["kind"] == "generation":
            demand(said, {"generation": int, "manifest": str})
        if said["kind"] == "answer":
            demand(demand(said, {"answer": dict})["answer"], ANSWER)
    except (ValueError, RecursionError, Misread) as error:
        return None, str(error)
    return said, None


def chained(site):
    """The lines that count: those before the chain, and those of it but what was torn."""
    before, counted, chain, doubts = hashlib.sha256(), [], [], []
    site.before_the_chain = None
    for raw, line in lines(site):
        if not chain:
            if line.previous is None:
                before.update(raw)
                counted += [line] if line.said else []
                continue
            site.before_the_chain = before.hexdigest()
            if line.previous != site.before_the_chain:
                site.broken("I21", line.place, "what stood before the beginning of the chain was changed")
            chain.append(line)
            continue
        if raw == b"\n":
            continue
        healed = line.said and line.said["kind"] == "healed" and known(chain, line.previous)
        if healed:
            # What follows the last line that counts was left of a write that was never durable.
            at = chain.index(healed)
            torn(site, healed, chain[at + 1 :] + doubts, may_begin_whole=True)
            chain, doubts = [*chain[: at + 1], line], []
        elif line.previous == chain[-1].digest and not doubts:
            chain.append(line)
        else:
            doubts.append(line)
    if not torn(site, chain[-1] if chain else None, doubts):
        chain += [line for line in doubts if line.said]
    if not chain:
        site.before_the_chain = before.hexdigest()
    return counted + chain


def known(chain, digest):
    return next((line for line in reversed(chain) if line.digest == digest), None)


def torn(site, last, doubts, may_begin_whole=False):
    """Whether lines that follow nothing can be what a crash left of one write; if not, says so."""
    if not doubts:
        return True
    bases = {last.digest, last.base}
    left = all(line.said is None or line.base in bases for line in doubts)
    if left and (may_begin_whole or doubts[0].said is None):
        return True
    words = doubts[0].why or "it does not follow the line before it"
    site.broken("I21", doubts[0].place, f"a line was changed, removed or moved: {words}")
    return False


def generation(site, place, said):
    number = said["generation"]
    if site.generations_on_record.setdefault(number, said["manifest"]) != said["manifest"]:
        site.broken("I21", place, f"generation {number} is on record with two manifests")
    if site.current is not None and number > site.current:
        site.broken("I16", place, f"generation {number} is on record, current is {site.current}")
    found = site.chain.get(number)
    if found is None:
        if site.chain and number > min(site.chain) and number <= site.current:
            site.broken("I21", place, f"generation {number} is on record and not in the chain")
        return
    if found.digest != said["manifest"]:
        site.broken("I21", place, f"generation {number} has another manifest than the one on record")
    if [one["claim"] for one in found.answers] != said.get("settled", []):
        site.broken("I21", place, f"generation {number} settled other requests than those on record")


def heads(site, counted):
    """Each manifest names the last line that was durable when it was drafted: whole lines cannot be cut off."""
    there = {line.digest for line in counted} | {site.before_the_chain}
    lost = {number for line in counted for number in line.said.get("lost", [])}
    for number, found in site.chain.items():
        head = found.account.get("audit")
        if head is not None and head not in there and number not in lost:
            site.broken("I21", "audit", f"lines are missing: generation {number} names one that is not there")
