"""I1 and I3: the pointer, and the chain of manifests back to the first generation."""

import dataclasses
import hashlib
import re

from words import NUMBER, SHA256, Misread, demand, instant, of_json

MANIFEST = {
    "format": int, "number": int, "parent": (dict, type(None)), "created": str, "files": str, "policy": str,
    "links_made": list, "retained": dict, "drop_links": list, "drop_generations": list, "names": dict,
    "account": dict,
}
ACCOUNT = {"format": int, "requests": list, "changes": dict, "repositories": dict}
SHELVED = {"product": str, "os": str, "arch": str, "stage": str, "kind": str, "path": str}
ANSWER = {
    "format": int, "claim": str, "id": str, "owner": str, "request_digest": str, "action": str, "outcome": str,
    "code": str, "exit": int, "sentence": str,
}
FACTS = {"size": int, "sha256": str, "modified": dict}


@dataclasses.dataclass
class Generation:
    """One generation of the chain: its manifest, and its files if both halves are kept."""

    number: int
    path: str
    digest: str
    manifest: dict
    created: int
    kept: bool
    files: dict | None = None

    @property
    def account(self):
        return self.manifest["account"]

    @property
    def repositories(self):
        return self.account["repositories"]

    @property
    def answers(self):
        return [settled["answer"] for settled in self.account["requests"]]


def manifest_of(data):
    """Reads a manifest and everything in it that the checker relies on."""
    manifest = of_json(data, MANIFEST)
    if manifest["format"] != 1 or demand(manifest["account"], ACCOUNT)["format"] != 1:
        raise Misread("its format is not 1")
    if manifest["parent"] is not None:
        demand(manifest["parent"], {"number": int, "digest": str})
    for until in manifest["retained"].values():
        instant(until)
    for named in manifest["names"].values():
        demand(named, {"generation": int, "ended": bool})
    account = manifest["account"]
    for shelved in account["repositories"].values():
        demand(shelved, SHELVED)
    for settled in account["requests"]:
        demand(demand(settled, {"answer": dict, "roles": list})["answer"], ANSWER)
    for overlaps in demand({"overlapping": {}, **account}, {"overlapping": dict})["overlapping"].values():
        for until in demand({"all": overlaps}, {"all": dict})["all"].values():
            instant(until)
    for moves in account["changes"].values():
        for package in [*demand(moves, {"entered": list, "left": list})["entered"], *moves["left"]]:
            demand(package, {"nevra": str, "pkgid": str, "size": int})
    return manifest


def files_of(data):
    """Reads a files.json."""
    files = of_json(data, {"format": int, "public": dict, "private": dict, "packages_links": dict})
    demand({"private_links": {}, **files}, {"private_links": dict})
    if files["format"] != 1:
        raise Misread("its format is not 1")
    for facts in [*files["public"].values(), *files["private"].values()]:
        demand(demand(facts, FACTS)["modified"], {"seconds": int, "nanoseconds": int})
        if "until" in facts:
            instant(facts["until"])
    return files


def numbers(tree, directory, before=""):
    """The generation numbers among the names of a directory."""
    plain = (name.removeprefix(before) for name in tree.names(directory) if name.startswith(before))
    return sorted(int(name) for name in plain if NUMBER.match(name))


def look(site):
    """Follows `current` and the parents. Fills `site.chain` by number, rising, and `site.current`."""
    number = pointer(site)
    site.current, site.chain = number, {}
    if number is None:
        return
    digest = None
    while number is not None:
        generation = read(site, number, digest)
        if generation is None:
            break
        site.chain[number] = generation
        parent = generation.manifest["parent"]
        if parent is None:
            break
        if parent["number"] >= number:
            site.broken("I3", generation.path, f"its parent {parent['number']} is not lower than it is")
            break
        number, digest = parent["number"], parent["digest"]
    site.chain = dict(sorted(site.chain.items()))
    reused(site)


def pointer(site):
    tree, path = site.tree, "public/current"
    entry = tree.get(path)
    if entry is None and not site.at_rest and never_published(tree):
        site.unpublished = True
        return None
    if entry is None:
        site.broken("I1", path, "there is none")
    elif entry.kind != "link":
        site.broken("I1", path, f"it is a {entry.kind}, not a symlink")
    elif not (entry.target.startswith("@") and NUMBER.match(entry.target[1:])):
        site.broken("I1", path, f"it points to `{entry.target}`, which is no generation")
    else:
        number = int(entry.target[1:])
        for half in (f"public/@{number}", f"generations/{number}"):
            if not tree.is_kind(half, "directory"):
                site.broken("I1", half, f"`current` names generation {number}, and this half is not there")
        return number
    return None


def never_published(tree):
    """A site that was cut off before its first generation: whatever was built is still in staging, too."""
    begun = set(numbers(tree, "staging")) | set(numbers(tree, "quarantine"))
    halves = set(numbers(tree, "generations")) & set(numbers(tree, "public", "@"))
    return not numbers(tree, "history") and halves <= begun and not any(
        b'"generation"' in (tree.read(f"audit/{name}") or b"") for name in tree.names("audit")
    )


def read(site, number, digest):
    """Reads the manifest of one generation, from where it lies."""
    tree = site.tree
    is_current = number == site.current
    kept = all(tree.is_kind(half, "directory") for half in (f"generations/{number}", f"public/@{number}"))
    invariant = "I1" if is_current else "I3"
    here, past = f"generations/{number}/manifest.json", f"history/{number}.json"
    path = here if kept or is_current or tree.get(past) is None else past
    data = tree.read(path)
    if data is None:
        site.broken(invariant, path, f"generation {number} has no manifest")
        return None
    other = past if path == here else here
    if (second := tree.read(other)) is not None and second != data:
        site.broken("I3", other, f"it is not the manifest that lies at `{path}`")
    found = hashlib.sha256(data).hexdigest()
    if digest is not None and found != digest:
        site.broken("I3", path, f"its digest {found} is not the one its child names")
    try:
        manifest = manifest_of(data)
    except Misread as error:
        site.broken(invariant, path, str(error))
        return None
    if manifest["number"] != number:
        site.broken(invariant, path, f"it says it is generation {manifest['number']}")
        return None
    try:
        created = instant(manifest["created"])
    except Misread as error:
        site.broken(invariant, path, str(error))
        return None
    generation = Generation(number, path, found, manifest, created, kept)
    if kept:
        generation.files = files(site, generation)
    return generation


def files(site, generation):
    path = f"generations/{generation.number}/files.json"
    invariant = "I1" if generation.number == site.current else "I2"
    data = site.tree.read(path)
    if data is None:
        dropped = site.chain and generation.number in site.chain[site.current].manifest["drop_generations"]
        if not dropped:
            site.broken(invariant, path, "it is not there")
        return None
    if hashlib.sha256(data).hexdigest() != generation.manifest["files"]:
        site.broken(invariant, path, "its digest is not the one its manifest names")
        return None
    try:
        return files_of(data)
    except Misread as error:
        site.broken(invariant, path, str(error))
        return None


def reused(site):
    """No number below `current` stands for anything but the generation of the chain."""
    tree, current = site.tree, site.current
    if not site.chain:
        return
    first = min(site.chain)
    whole = site.chain[first].manifest["parent"] is None
    for directory, before, after in (("generations", "", ""), ("history", "", ".json"), ("public", "@", "")):
        for name in tree.names(directory):
            word = name.removeprefix(before).removesuffix(after)
            if not (name.startswith(before) and name.endswith(after) and NUMBER.match(word)):
                continue
            number = int(word)
            if tree.is_kind(f"{directory}/{name}", "link") or number > current and directory != "history":
                continue
            if number not in site.chain and (whole or number > first):
                site.broken("I3", f"{directory}/{name}", f"generation {number} does not lead to {current}")
    for number in numbers(tree, "quarantine"):
        halves = set(tree.names(f"quarantine/{number}")) & {"public", "private"}
        if number in site.chain and halves:
            site.broken("I3", f"quarantine/{number}", f"number {number} was abandoned and used again")


def is_digest(text):
    return isinstance(text, str) and re.match(SHA256, text) is not None
