"""I2: both halves hold exactly what the manifest leads to, nothing can be written, no link leads astray."""

import os.path

from words import NUMBER

OWN = ("manifest.json", "files.json")


def look(site):
    for generation in site.whole():
        public, private = f"public/@{generation.number}", f"generations/{generation.number}"
        files = generation.files
        links = expected_links(generation)
        half(site, public, files["public"], links, ())
        half(site, private, files["private"], files.get("private_links", {}), OWN)
        for path, text in files["packages_links"].items():
            if links.get(path) != text:
                place = f"{private}/files.json"
                site.broken("I2", place, f"`{path}` -> `{text}` is no repository's `Packages`")
        for path in links.keys() - files["packages_links"].keys():
            site.broken("I2", f"{private}/files.json", f"the repository's link `{path}` is not recorded")
    below_public(site)


def expected_links(generation):
    """Each repository's `Packages`, relative, to its own directory of links; that of a view leads to its repository's."""
    links = {}
    for name, shelved in generation.repositories.items():
        tops = {shelved["path"]}
        if shelved["kind"] == "binary":
            below = f"{shelved['path']}/node-types/"
            files = (path.removeprefix(below).split("/") for path in generation.files["public"] if path.startswith(below))
            tops |= {below + words[0] for words in files if len(words) > 2 and words[1] == "repodata"}
        for top in tops:
            path = f"{top}/Packages"
            links[path] = "../" * len(path.split("/")) + f"packages/{name}"
    return links


def half(site, top, files, links, own):
    tree = site.tree
    directories = {""}
    for path in [*files, *links]:
        words = path.split("/")[:-1]
        directories.update("/".join(words[: count + 1]) for count in range(len(words)))
    missing = {*files, *links, *own, *directories} - {""}
    if tree.get(top).writable:
        site.broken("I2", top, "the directory can be written to")
    for path, entry in tree.below(top):
        name = path[len(top) + 1 :]
        missing.discard(name)
        if entry.kind == "directory":
            if name not in directories:
                site.broken("I2", path, "a directory that no recorded file needs")
            if entry.writable:
                site.broken("I2", path, "the directory can be written to")
        elif entry.kind == "link":
            if links.get(name) != entry.target:
                site.broken("I2", path, f"a symlink nobody recorded, to `{entry.target}`")
        elif entry.kind != "file":
            site.broken("I2", path, "it is neither file, directory nor symlink")
        elif name in links:
            site.broken("I2", path, "it is a file where a symlink must be")
        else:
            if entry.writable:
                site.broken("I2", path, "the file can be written to")
            if name in files:
                recorded(site, path, entry, files[name])
            elif name not in own:
                site.broken("I2", path, "a file nobody recorded")
    for name in sorted(missing):
        site.broken("I2", f"{top}/{name}", "it is recorded and not there")


def recorded(site, path, entry, facts):
    if entry.size != facts["size"]:
        site.broken("I2", path, f"its size is {entry.size}, recorded is {facts['size']}")
    elif site.tree.digest(path) != facts["sha256"]:
        site.broken("I2", path, f"its digest is {site.tree.digest(path)}, recorded is {facts['sha256']}")
    modified = facts["modified"]["seconds"] * 10**9 + facts["modified"]["nanoseconds"]
    if entry.mtime_ns != modified:
        site.broken("I2", path, f"it was modified at {entry.mtime_ns} ns, recorded is {modified}")


def below_public(site):
    """The symlinks that lie in `public/` itself, and where all of them lead."""
    tree = site.tree
    names = site.now_in_force().manifest["names"] if site.chain else {}
    for path, entry in tree.below("public"):
        if entry.kind == "file" and path.startswith("public/packages/") and entry.writable:
            site.broken("I2", path, "the package can be written to")
        if entry.kind not in ("file", "directory", "link"):
            site.broken("I2", path, "it is neither file, directory nor symlink")
        if entry.kind != "link":
            continue
        if leads_out(path, entry.target):
            site.broken("I2", path, f"it points outside `public/`, to `{entry.target}`")
        if path.startswith("public/packages/"):
            site.broken("I2", path, "below `packages/` are package files only")
        if path.count("/") == 1 and path != "public/current":
            own = path.removeprefix("public/").removeprefix("@")
            named = names.get(own)
            if not path.startswith("public/@") or NUMBER.match(own) or named is None:
                site.broken("I2", path, "a symlink of a name that the manifest does not give")
            elif entry.target != f"@{named['generation']}":
                words = f"the manifest gives this name to generation {named['generation']}, it says `{entry.target}`"
                site.broken("I2", path, words)


def leads_out(path, target):
    if target.startswith("/"):
        return True
    place = os.path.normpath(os.path.join(os.path.dirname(path), target))
    return place != "public" and not place.startswith("public/")
