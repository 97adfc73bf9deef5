"""I6 for advisories: what updateinfo says is retracted is what stands, for a repository and for each of its views."""

import re

import views
from metadata import Unsound, xml

WORD = "retracted="


def look(site):
    """Compares what each kept generation tells of roll-backs with what stood then."""
    for generation in site.whole():
        standing = generation.account.get("standing", {}).get("retracted", {})
        recorded = generation.account.get("views", {})
        for name, shelved in generation.repositories.items():
            stands = {one: rejected for one, retraction in standing.items()
                      if (rejected := retraction["repositories"].get(name, {})).get("packages")}
            told = words_of(shelved.get("form"))
            whole = site.listings.get(generation.number, {}).get(name)
            compare(site, generation, shelved, whole, stands, told, told if told is not None else {})
            if told is not None and told.keys() != stands.keys():
                site.broken("I6", place(generation, shelved), f"it tells of {sorted(told)}, and {sorted(stands)} stand")
            for node_type, view in views.of(generation, name).items():
                said = words_of(recorded[name]["node_types"][node_type].get("retracted"))
                found = site.views.get(generation.number, {}).get((name, node_type))
                compare(site, generation, view, found, stands, said, told or {})


def place(generation, shelved):
    return f"public/@{generation.number}/{shelved['path']}/repodata/repomd.xml"


def words_of(recorded):
    """The retractions that a record names: how often each changed, by id. None if it names none."""
    for word in (recorded or "").split(" "):
        if word.startswith(WORD):
            return dict(one.rsplit(".", 1) for one in word.removeprefix(WORD).split(","))
    return None


def compare(site, generation, shelved, listing, stands, told, most):
    """The advisories of a listing are those it is on record with, each of what stands."""
    if listing is None:
        return
    path, ours = place(generation, shelved), {}
    record = listing.repomd.records.get("updateinfo")
    prefix = f"retracted-{'-'.join(shelved[one] for one in ('product', 'os', 'arch', 'stage'))}-"
    if record is not None:
        try:
            top = xml(record.open, "updateinfo.xml")
        except Unsound:
            return
        for update in top.iter("update"):
            name = (update.findtext("id") or "").strip()
            if re.fullmatch(re.escape(prefix) + "[0-9a-f]{12}", name):
                ours[name.removeprefix(prefix)] = update
    if ours.keys() != (told or {}).keys():
        site.broken("I6", path, f"its updateinfo retracts {sorted(ours)}, and {sorted(told or {})} is on record")
        return
    for one, update in ours.items():
        packages = {nevra(package) for package in update.iter("package")}
        wanted = set(stands.get(one, {}).get("packages", []))
        if update.get("status") != "retracted" or packages != wanted:
            site.broken("I6", path, f"its advisory {one} names {sorted(packages)} as {update.get('status')}")
        if one not in most or int(update.get("version", 0)) != 1 + int(told[one]):
            site.broken("I6", path, f"its advisory {one} is of another version than {told[one]}, or of none that is told")


def nevra(package):
    epoch = package.get("epoch") or "0"
    start = "" if epoch == "0" else f"{epoch}:"
    return f"{package.get('name')}-{start}{package.get('version')}-{package.get('release')}.{package.get('arch')}"
