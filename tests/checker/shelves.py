"""I4, I6, I9 and I13 for a site: what each kept generation lists, and whether it is there; I18 of variants."""

import packages
from metadata import states_opened


def look(site):
    """Reads every repository of every kept generation. Fills `site.listings` by generation and repository."""
    site.listings, known, asked = {}, {}, []
    for generation in site.whole():
        shelves = site.listings.setdefault(generation.number, {})
        for name, shelved in generation.repositories.items():
            found = shelf(site, generation, shelved, known)
            if found is None:
                continue
            shelves[name] = found
            there(site, generation, name, shelved, found, asked)
    judge(site, asked)
    variants(site)


def shelf(site, generation, shelved, known):
    tree, top = site.tree, f"public/@{generation.number}/{shelved['path']}"
    path = f"{top}/repodata/repomd.xml"
    repomd = tree.read(path)
    if repomd is None:
        site.broken("I4", path, "the repository has none")
        return None
    key = tree.digest(path), states_opened(shelved)
    if key not in known:
        wrong = []
        fetch = lambda href: tree.read(f"{top}/{href}")
        found = packages.listing(repomd, fetch, lambda *what: wrong.append(what), key[1])
        if found is not None:
            packages.one_file_per_name(found.packages, lambda *what: wrong.append(what))
        for invariant, words in wrong:
            site.broken(invariant, path, words)
        if found is None or wrong:
            return found  # another generation may have what is missing here
        known[key] = found
    found = known[key]
    for record in found.repomd.records.values():
        href = f"{shelved['path']}/{record.href}"
        if href not in generation.files["public"] or not tree.is_kind(f"public/@{generation.number}/{href}", "file"):
            site.broken("I4", f"public/@{generation.number}/{href}", "repomd.xml names it and it is not there")
    return found


def there(site, generation, name, shelved, found, asked):
    """Every listed package lies where its href says, with its bytes."""
    tree, top = site.tree, f"public/@{generation.number}/{shelved['path']}"
    for package in found.packages:
        path = tree.follow(f"{top}/{package.href}") if ".." not in package.href.split("/") else None
        place = path or f"{top}/{package.href}"
        if generation.number != site.current and f"packages/{name}/{package.href.removeprefix('Packages/')}" in site.purged():
            continue
        if path is None or not tree.is_kind(path, "file"):
            site.broken("I6", place, f"{package.words} is listed and not there")
            continue
        size = tree.get(path).size
        if size != package.size:
            site.broken("I6", path, f"it has {size} bytes, {package.words} is listed with {package.size}")
            continue
        algorithm = {"sha": "sha1"}.get(package.kind, package.kind)
        if tree.digest(path, algorithm) != package.pkgid:
            site.broken("I6", path, f"it is not the file {package.words} is listed with")
            continue
        digest = tree.digest(path)
        own = f"Packages/{digest[:2]}/{digest[:16]}/{package.file_name}"
        if package.href != own or path != f"public/packages/{name}/{own.removeprefix('Packages/')}":
            site.broken("I9", place, f"its URL is not `{own}`, so it could stand for another file one day")
        asked.append(((digest, package.kind), package, path))


def judge(site, asked):
    """Asks createrepo_c and rpm about every package that lies where it should, each once."""
    tree, told = site.tree, set()
    said = site.oracles.ask({key: f"{tree.top}/{path}" for key, _, path in asked})
    for key, package, path in asked:
        if (id(package), path) not in told:
            told.add((id(package), path))
            packages.by_oracle(package, said[key], path, site.broken)


def variants(site):
    """I13 across the repositories of the generation in force: two files of one name only where people decided so."""
    decided = decisions(site)
    seen = {}
    for name, found in site.listings.get(site.current, {}).items():
        for package in found.packages:
            path = site.place_of(name, package)
            digest = site.tree.digest(path) or package.pkgid
            others = seen.setdefault(package.nevra, {})
            for other, where in others.items():
                if other != digest and (package.words, frozenset((other, digest))) not in decided:
                    site.broken("I13", path, f"{package.words} is another file in {where}, and no decision is recorded")
            others.setdefault(digest, name)


def decisions(site):
    """Which two files may bear a name: decided by at least two people, each for a role of their own."""
    generation = site.chain.get(site.current)
    standing = generation.account.get("standing", {}) if generation else {}
    found = set()
    for name, variant in standing.get("variants", {}).items():
        seats = variant.get("decided_by", [])
        if not seats:
            continue
        people, roles = {seat["by"] for seat in seats}, {seat["role"] for seat in seats}
        if len(people) < 2 or len(people) != len(seats) or len(roles) != len(seats):
            site.broken("I18", generation.path, f"variant `{name}` was decided by {sorted(people)} as {sorted(roles)}")
            continue
        found.add((variant["package"], frozenset(variant["digests"])))
    return found
