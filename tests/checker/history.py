"""I9, I10 and I12 over the manifests: URLs stay what they are, changes are dated, nothing happens without a cause."""

import re

import rebuilt
from words import acts, instant

CHECKSUM_NAMED = re.compile(r"(.*/)?[0-9a-f]{32,128}-[^/]+\Z")
# What may change which repositories are there, or how they are written, without moving a package.
REWRITING = {"config", "resume", "adopt"}
# What may change beside that what repositories say of packages that stay.
SAYING = REWRITING | {"advisory", "end-advisory"}
# The types of the records in which they say it.
BESIDE = ("updateinfo", "group", "group_gz", "modules")
MOVING_IN = {"import", "adopt", "promote", "rollback", "revert", "undo"}
MOVING_OUT = {"import", "adopt", "promote", "rollback", "revert", "undo", "withdraw", "overlap", "clock", "purge"}


def look(site):
    if not site.chain:
        return
    generations = list(site.chain.values())
    replay(site, generations)
    for older, newer in zip(generations, generations[1:]):
        if newer.manifest["parent"]["number"] == older.number:
            names(site, older, newer)
            causes(site, older, newer)
    kept = site.whole()
    for older, newer in zip(kept, kept[1:]):
        dates(site, older, newer)
        repomds(site, older, newer)
    stable(site, kept)
    future(site, kept)


def actions(generation):
    return {acts(said) for said in generation.answers}


def name_of(package):
    return package["nevra"], package["pkgid"]


def replay(site, generations):
    """I12: what the changes add up to is what each kept generation lists."""
    if generations[0].manifest["parent"] is not None:
        return
    lists, ever = {}, set()
    for generation in generations:
        before = set().union(*lists.values()) if lists else set()
        for name, moves in generation.account["changes"].items():
            listed = lists.setdefault(name, set())
            entered, left = ({name_of(one) for one in moves[way]} for way in ("entered", "left"))
            for one in sorted(left - listed):
                site.broken("I12", generation.path, f"{one[0]} leaves {name}, which did not list it")
            for one in sorted(entered & listed):
                site.broken("I12", generation.path, f"{one[0]} enters {name}, which listed it")
            comes_from(site, generation, name, entered, before, ever)
            lists[name] = (listed - left) | entered
        ever |= set().union(*lists.values()) if lists else set()
        site.replayed[generation.number] = {
            site.link_of(name, {"nevra": nevra, "pkgid": pkgid})
            for name, listed in lists.items() for nevra, pkgid in listed
        }
        compare(site, generation, lists)


def comes_from(site, generation, name, entered, before, ever):
    """A package enters by an import; whatever else puts it somewhere found it somewhere."""
    does = actions(generation)
    if does & {"import", "adopt"}:
        return
    known = before | ever if does & {"revert", "undo"} else before
    made = rebuilt.made(generation, name, before)
    for one in sorted(entered - known - made):
        words = f"{one[0]} enters {name}, and no import brought it"
        site.broken("I12", generation.path, words)


def compare(site, generation, lists):
    for name, found in site.listings.get(generation.number, {}).items():
        shelved = generation.repositories[name]
        # Where clients know no SHA-256 the lists have other digests; then the names must do.
        by_digest = all(package.kind == "sha256" for package in found.packages)
        listed = {package.pkgid if by_digest else package.words for package in found.packages}
        counted = {pkgid if by_digest else nevra for nevra, pkgid in lists.get(name, set())}
        if listed != counted:
            more, less = len(listed - counted), len(counted - listed)
            place = f"public/@{generation.number}/{shelved['path']}/repodata/repomd.xml"
            site.broken("I12", place, f"it lists {more} packages that no request brought, and lacks {less}")


def names(site, older, newer):
    """A name stands for one generation for ever, and only a request gives or ends it."""
    before, after = older.manifest["names"], newer.manifest["names"]
    for name, named in before.items():
        if name not in after or after[name]["generation"] != named["generation"]:
            site.broken("I9", newer.path, f"the name `{name}` stood for generation {named['generation']}")
        elif named["ended"] and not after[name]["ended"]:
            site.broken("I9", newer.path, f"the name `{name}` had ended")
    published = {said["action"] for said in newer.answers} & {"release-publish"}
    new = {name for name in after if name not in before}
    # A published update names its own generation, and nothing else.
    is_update = lambda name: re.search(r"(\A|-)update-\d+\Z", name) and after[name]["generation"] == newer.number
    if published and all(map(is_update, new)) and {name: after[name] for name in before if name in after} == before:
        return
    if before != after and "keep" not in actions(newer):
        site.broken("I12", newer.path, "names changed, and no request asked for it")


def causes(site, older, newer):
    """I12: the difference of two generations is what the requests settled in the newer one say they did."""
    does, requests = actions(newer), newer.answers
    if not requests:
        site.broken("I12", newer.path, "it settles no request")
    moved = {}
    for said in requests:
        for one in said.get("moved", []):
            if one.get("entered") and acts(said) not in MOVING_IN:
                site.broken("I12", newer.path, f"`{said['claim']}`, a {said['action']}, brings packages in")
            if one.get("left") and acts(said).split("/")[0] not in MOVING_OUT:
                site.broken("I12", newer.path, f"`{said['claim']}`, a {said['action']}, takes packages out")
            effect = moved.setdefault(one["repository"], {})
            for way, step in (("left", -1), ("entered", 1)):
                for nevra in one.get(way, []):
                    effect[nevra] = effect.get(nevra, 0) + step
    for name in sorted(moved.keys() | newer.account["changes"].keys()):
        effect = {nevra: step for nevra, step in moved.get(name, {}).items() if step}
        moves = newer.account["changes"].get(name, {"entered": [], "left": []})
        change = {}
        for way, step in (("left", -1), ("entered", 1)):
            for one in moves[way]:
                change[one["nevra"]] = change.get(one["nevra"], 0) + step
        change = {nevra: step for nevra, step in change.items() if step}
        if effect != change:
            words = f"in {name} {sorted(change)} changed, its requests say {sorted(effect)}"
            site.broken("I12", newer.path, words)
    purged, before = (set(one.account.get("purged", [])) for one in (newer, older))
    if before - purged or purged - before and "purge" not in does:
        site.broken("I12", newer.path, "what is purged changed, and no request asked for it")
    if older.repositories.keys() - newer.repositories.keys() and not does & REWRITING:
        site.broken("I12", newer.path, "a repository went, and no request asked for it")
    if newer.repositories.keys() - older.repositories.keys() and not does & REWRITING:
        site.broken("I12", newer.path, "a repository appeared, and no request asked for it")
    for name, shelved in older.repositories.items():
        if name in newer.repositories and newer.repositories[name]["path"] != shelved["path"]:
            site.broken("I9", newer.path, f"the repository {name} moved to `{newer.repositories[name]['path']}`")
    if newer.created < older.created and "resume" not in does:
        site.broken("I10", newer.path, "it is older than its parent")


def repository_of(generation, path):
    for name, shelved in generation.repositories.items():
        if path == f"{shelved['path']}/repodata/repomd.xml":
            return name
    return None


def dates(site, older, newer):
    """I10 and I9 for each file that two kept generations both have."""
    resumed = any("resume" in actions(one) for one in between(site, older, newer))
    for path, facts in newer.files["public"].items():
        before = older.files["public"].get(path)
        if before is None:
            continue
        place = f"public/@{newer.number}/{path}"
        then, now = (stamp["modified"]["seconds"] * 10**9 + stamp["modified"]["nanoseconds"]
                     for stamp in (before, facts))
        if before["sha256"] != facts["sha256"]:
            if CHECKSUM_NAMED.match(path):
                site.broken("I9", place, f"it has other content than in generation {older.number}")
            elif before["modified"]["seconds"] >= facts["modified"]["seconds"]:
                site.broken("I10", place, f"it changed since generation {older.number} and is not dated later")
        elif then != now and not (resumed and then < now):
            if unchanged_between(site, path, older, newer):
                site.broken("I10", place, f"it is dated anew since generation {older.number} and says the same")


def unchanged_between(site, path, older, newer):
    """Whether a file surely was not another one in a generation between that is no longer kept."""
    name = repository_of(newer, path)
    gap = between(site, older, newer)
    if name is None:
        return len(gap) == 1
    moved = touched if len(gap) > 1 else (lambda one, name: name in one.account["changes"])
    return not any(moved(one, name) or released(site, one, name) or actions(one) & SAYING for one in gap)


def touched(generation, name):
    """Whether a request of a generation moved packages of a repository or of a sibling, which it may speak of."""
    of = lambda one: [generation.repositories.get(one, {}).get(key) for key in ("product", "os", "arch", "stage")]
    return any(one == name or of(one) == of(name) for one in generation.account["changes"])


def released(site, generation, name):
    """Whether what is held in front of a repository changed: it may come where nothing else does."""
    held = lambda one: one.account.get("standing", {}).get("held", {}).get(name) if one else None
    return held(site.chain.get(generation.manifest["parent"]["number"])) != held(generation)


def between(site, older, newer):
    """The generations after `older`, up to and with `newer`."""
    return [one for one in site.chain.values() if older.number < one.number <= newer.number]


def repomds(site, older, newer):
    """I10 and I12: a repomd.xml changes when what it lists does, and its revision and timestamps rise then."""
    gap = between(site, older, newer)
    for name, found in site.listings.get(newer.number, {}).items():
        before = site.listings.get(older.number, {}).get(name)
        if before is None:
            continue
        shelved = newer.repositories[name]
        place = f"public/@{newer.number}/{shelved['path']}/repodata/repomd.xml"
        same = before is found
        says_otherwise = any(before.repomd.records.get(kind) != found.repomd.records.get(kind) for kind in BESIDE)
        changed = any(name in one.account["changes"] or says_otherwise and (touched(one, name) or released(site, one, name))
                      for one in gap)
        rewritten = any(actions(one) & SAYING for one in gap)
        if not same and not changed and not rewritten:
            site.broken("I12", place, "it changed, and no request changed what it lists")
        if same:
            continue
        if int(found.repomd.revision or 0) <= int(before.repomd.revision or 0):
            site.broken("I10", place, f"its revision does not rise: {before.repomd.revision}, {found.repomd.revision}")
        newest, then = ({record.timestamp for record in one.repomd.records.values() if record.timestamp is not None}
                        for one in (found, before))
        if newest and then and max(newest) <= max(then):
            site.broken("I10", place, f"its timestamps do not rise: {max(then)}, {max(newest)}")


def stable(site, kept):
    """I9: two versions of a URL never share second of modification and size."""
    seen = {}
    for generation in kept:
        for path, facts in generation.files["public"].items():
            key = (path, facts["modified"]["seconds"], facts["size"])
            first = seen.setdefault(key, (facts["sha256"], generation.number))
            if first[0] != facts["sha256"]:
                words = f"generation {first[1]} had another version of the same second and size"
                site.broken("I9", f"public/@{generation.number}/{path}", words)


def future(site, kept):
    """I10: nothing is dated more than two seconds ahead, of its generation and of now."""
    for generation in kept:
        limit = min(generation.created, site.now) + 2 * 10**9
        for path, facts in generation.files["public"].items():
            modified = facts["modified"]["seconds"] * 10**9 + facts["modified"]["nanoseconds"]
            if modified > limit and is_own(generation, path):
                site.broken("I10", f"public/@{generation.number}/{path}", "it is dated in the future")
    for generation in site.chain.values():
        if generation.created > site.now + 2 * 10**9:
            site.broken("I10", generation.path, f"it is dated {generation.manifest['created']}, in the future")


def is_own(generation, path):
    """Whether Sluice dates the file: old hrefs of adopted repositories are packages with dates of their own."""
    return not path.endswith(".rpm")


def expired(text, now):
    return instant(text) <= now
