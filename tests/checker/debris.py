"""I22: at rest only known names lie below the root and in the control directory, and nothing is unfinished."""

import re

from words import NUMBER

ROOT = {"public", "generations", "history", "policy", "pool", "staging", "quarantine", "audit", "cache"}
SPOOL = {"tmp", "incoming", "upload", "processing", "done", "failed", "forgotten", "freeze"}
SHAPES = {
    "history": r"[1-9][0-9]*\.json",
    "policy": r"[0-9a-f]{64}\.toml",
    "audit": r"[0-9]{4}-[0-9]{2}\.jsonl",
    "pool": r"([0-9a-f]{2})(/\1[0-9a-f]{62}\.rpm)?",
    "quarantine": r"[1-9][0-9]*(/(public|private|staging)(-[0-9]+)?(/.*)?)?",
}


def look(site):
    if not site.at_rest:
        return
    tree, current = site.tree, site.current
    for name in tree.names(""):
        if name not in ROOT or not tree.is_kind(name, "directory"):
            site.broken("I22", name, "nothing of this name belongs here")
    for directory, shape in SHAPES.items():
        for path, _ in tree.below(directory):
            if not re.fullmatch(shape, path.removeprefix(f"{directory}/"), re.DOTALL):
                site.broken("I22", path, "nothing of this name belongs here")
    for name in tree.names("public"):
        known = name in ("current", "packages") or name.startswith("@")
        if not known or tree.is_kind(f"public/{name}", "file"):
            site.broken("I22", f"public/{name}", "nothing of this name belongs here")
    for path, entry in tree.below("public/packages"):
        if entry.kind == "directory" and path.count("/") > 2 and not tree.names(path):
            site.broken("I22", path, "an empty directory")
    unfinished(site, current)
    if site.spool is not None:
        control(site)


def unfinished(site, current):
    tree = site.tree
    kept = {generation.number for generation in site.chain.values() if generation.kept}
    for directory, before in (("generations", ""), ("public", "@")):
        for name in tree.names(directory):
            word = name.removeprefix(before)
            is_link = tree.is_kind(f"{directory}/{name}", "link")
            if is_link or directory == "public" and not name.startswith("@"):
                continue
            if not NUMBER.match(word) or int(word) not in kept:
                site.broken("I22", f"{directory}/{name}", f"it is no whole generation that leads to {current}")
    for name in tree.names("staging"):
        if name != "import":
            site.broken("I22", f"staging/{name}", "nothing is being built")
    for name in tree.names("staging/import"):
        site.broken("I22", f"staging/import/{name}", "no import waits")


def control(site):
    tree = site.spool
    for name in tree.names(""):
        if name not in SPOOL or not tree.is_kind(name, "directory"):
            site.broken("I22", f"spool/{name}", "nothing of this name belongs here")
    for folder in ("processing", "done", "failed"):
        for name in tree.names(folder):
            known = name.endswith((".toml", ".json")) and not name.startswith(".") and folder != "processing"
            if not known or not tree.is_kind(f"{folder}/{name}", "file"):
                site.broken("I22", f"spool/{folder}/{name}", "nothing of this name belongs here at rest")
