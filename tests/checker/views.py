"""I4, I6, I10, I12 and I22 for views: what the metadata of one node type lists, and that it changes with that alone."""

import packages
from metadata import states_opened

FOLDER = "node-types"
# What may write metadata anew that lists the same.
REWRITING = {"config", "resume", "adopt"}


def of(generation, name):
    """The recorded views of a repository: by node type, described as a repository of their own."""
    shelved = generation.repositories[name]
    recorded = generation.account.get("views", {}).get(name, {}).get("node_types", {})
    return {one: {**shelved, "path": f"{shelved['path']}/{FOLDER}/{one}"} for one in recorded}


def look(site):
    """Reads every view of every kept generation. Fills `site.views` by generation, repository and node type."""
    site.views, known = {}, {}
    for generation in site.whole():
        for name in generation.repositories:
            for node_type, view in of(generation, name).items():
                found = listing(site, generation, view, known, states_opened(generation.repositories[name]))
                if found is not None:
                    site.views.setdefault(generation.number, {})[name, node_type] = found
                    follows(site, generation, name, (node_type, view), found)
        nothing_unknown(site, generation)
    kept = site.whole()
    for older, newer in zip(kept, kept[1:]):
        stays(site, older, newer)


def place(generation, view):
    return f"public/@{generation.number}/{view['path']}/repodata/repomd.xml"


def listing(site, generation, view, known, opened):
    tree, path = site.tree, place(generation, view)
    repomd = tree.read(path)
    if repomd is None:
        site.broken("I4", path, "the view has none")
        return None
    top, wrong, key = path.removesuffix("/repodata/repomd.xml"), [], (tree.digest(path), opened)
    found = known.get(key)
    if found is None:
        fetch = lambda href: tree.read(f"{top}/{href}")
        found = packages.listing(repomd, fetch, lambda *what: wrong.append(what), opened)
        for invariant, words in wrong:
            site.broken(invariant, path, words)
        if found is not None and not wrong:
            known[key] = found
    for record in found.repomd.records.values() if found is not None else ():
        if f"{view['path']}/{record.href}" not in generation.files["public"]:
            site.broken("I4", f"{top}/{record.href}", "the repomd.xml of the view names it and it is not there")
    return found


def follows(site, generation, name, view, found):
    """A view lists what its repository lists, its meta-package, and whatever is pinned or named by what it lists."""
    node_type, path = view[0], place(generation, view[1])
    whole = site.listings.get(generation.number, {}).get(name)
    if whole is None:
        return
    by_pkgid = {package.pkgid: package for package in whole.packages}
    here = {package.pkgid for package in found.packages}
    for package in found.packages:
        other = by_pkgid.get(package.pkgid)
        if other is None:
            site.broken("I6", path, f"{package.words} is in the view and not in {name}")
        elif (other.href, other.size, other.nevra) != (package.href, package.size, package.nevra):
            site.broken("I6", path, f"{package.words} is described otherwise than in {name}")
    for package in whole.packages:
        if package.nevra[0] == node_type and package.pkgid not in here:
            site.broken("I6", path, f"the view lacks {package.words}, a version of its meta-package")
    if here and not any(package.nevra[0] == node_type for package in found.packages):
        site.broken("I6", path, "the view lists packages and no meta-package that they belong to")
    leads = {word for package in found.packages for word in led_to(package)}
    for package in found.packages:
        if package.nevra[0] != node_type and not leads & offered(package):
            site.broken("I6", path, f"nothing in the view leads to {package.words}")
    wanted = {word for pkgid in here & by_pkgid.keys() for word in required(by_pkgid[pkgid])}
    for package in whole.packages:
        if package.pkgid not in here and (met := sorted(wanted & offered(package), key=str)):
            site.broken("I6", path, f"the view lacks {package.words}, which is wanted as {met[0]}")


def exact(entry):
    """The one version that an entry speaks of, if it is exactly one."""
    if entry.get("flags") == "EQ" and entry.get("rel") is not None:
        return entry.get("epoch") or "0", entry.get("ver"), entry.get("rel")
    return None


def required(package):
    """What a package requires as one name, in any version or in exactly one. Ranges and rich ones are not looked at."""
    for entry in package.elements["primary"].iterfind(".//{*}requires/{*}entry"):
        name = entry.get("name", "")
        if not name.startswith(("(", "rpmlib(")) and (entry.get("flags") is None or exact(entry)):
            yield name, exact(entry)


def led_to(package):
    """Whatever a package may lead to: what it requires or recommends; of ranges and rich ones every name."""
    for way in ("requires", "recommends"):
        for entry in package.elements["primary"].iterfind(f".//{{*}}{way}/{{*}}entry"):
            name = entry.get("name", "")
            yield name, exact(entry)
            if exact(entry):
                yield name, "whatever"
            for word in name.split() if name.startswith("(") else ():
                yield from ((word.lstrip("("), None), (word.strip("()"), None), (word.lstrip("(")[:-1], None))


def offered(package):
    """Each name a package provides or owns: without version, with the one it says, or with whatever it does not say."""
    primary, words = package.elements["primary"], {(package.nevra[0], None), (package.nevra[0], package.nevra[1:4])}
    for entry in primary.iterfind(".//{*}provides/{*}entry"):
        words |= {(entry.get("name"), None), (entry.get("name"), exact(entry) or "whatever")}
    files = [*primary.iter("{*}file"), *package.elements.get("filelists", primary).iter("{*}file")]
    words.update((file.text, None) for file in files)
    return words


def nothing_unknown(site, generation):
    """Below `node-types/` of a repository lies what a recorded view has, or what one that is gone had promised."""
    binary = [shelved for shelved in generation.repositories.values() if shelved["kind"] == "binary"]
    tops = {f"{shelved['path']}/{FOLDER}/" for shelved in binary}
    views = [view["path"] for name in generation.repositories for view in of(generation, name).values()]
    for path, facts in generation.files["public"].items():
        if "until" in facts or not any(path.startswith(top) for top in tops):
            continue
        if not any(path.startswith(f"{view}/") for view in views):
            site.broken("I22", f"public/@{generation.number}/{path}", "it belongs to no view that is recorded")


def retracted(generation, key):
    """The roll-backs that a view tells of, as they are on record."""
    return generation.account["views"].get(key[0], {}).get("node_types", {}).get(key[1], {}).get("retracted")


def stays(site, older, newer):
    """A view whose packages stay keeps its repomd.xml; one that changes is of a later revision."""
    between = [one for one in site.chain.values() if older.number < one.number <= newer.number]
    does = {answer["action"] for one in between for answer in one.answers}
    for key, found in site.views.get(newer.number, {}).items():
        before = site.views.get(older.number, {}).get(key)
        if before is None or before is found:
            continue
        path = place(newer, of(newer, key[0])[key[1]])
        is_same = sorted(before.pkgids) == sorted(found.pkgids) and retracted(older, key) == retracted(newer, key)
        if is_same and len(between) == 1 and not does & REWRITING:
            site.broken("I12", path, "it changed, and what it lists did not")
        if int(found.repomd.revision or 0) <= int(before.repomd.revision or 0):
            site.broken("I10", path, f"its revision does not rise: {before.repomd.revision}, {found.repomd.revision}")
