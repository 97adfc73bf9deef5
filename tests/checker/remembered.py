"""What earlier looks at the same site saw: I3, I9, I10, I16 and I21 over the life of a site."""

import hashlib
import json
import os

EMPTY = {
    "current": None, "manifests": {}, "files": {}, "names": {}, "packages": {}, "urls": {}, "repomds": {},
    "answers": {}, "audit": {},
}


def compare(site, path):
    """Compares with what the file remembers, then adds what is seen now."""
    before = load(path)
    now = seen(site)
    pointer(site, before, now)
    fixed(site, before, now)
    dated(site, before, now)
    records(site, before, now)
    merged = merge(before, now)
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(merged, file)
    os.replace(draft, path)


def load(path):
    if not os.path.exists(path):
        return dict(EMPTY)
    with open(path, encoding="utf-8") as file:
        return {**EMPTY, **json.load(file)}


def seen(site):
    now = json.loads(json.dumps(EMPTY))
    now["current"] = site.current
    for number, generation in site.chain.items():
        now["manifests"][str(number)] = generation.digest
        if generation.files is not None:
            now["files"][str(number)] = generation.manifest["files"]
    for name, named in (site.now_in_force().manifest["names"] if site.chain else {}).items():
        now["names"][name] = named["generation"]
    for path, entry in site.tree.below("public/packages"):
        if entry.kind == "file":
            now["packages"][path] = site.tree.digest(path)
    if site.chain and site.now_in_force().files is not None:
        for path, facts in site.now_in_force().files["public"].items():
            entry = site.tree.get(f"public/@{site.current}/{path}")
            if entry is None or entry.kind != "file":
                continue
            digest = site.tree.digest(f"public/@{site.current}/{path}")
            now["urls"][path] = [[entry.mtime_ns // 10**9, entry.size, digest]]
            if path.endswith("repodata/repomd.xml"):
                now["repomds"][path] = [digest, entry.mtime_ns]
    for path, said in site.answers.items():
        text = json.dumps(said, sort_keys=True)
        now["answers"][said["claim"]] = hashlib.sha256(text.encode()).hexdigest()
    for name in site.tree.names("audit"):
        lines = (site.tree.read(f"audit/{name}") or b"").split(b"\n")[:-1]
        now["audit"][name] = [hashlib.sha256(line).hexdigest()[:16] for line in lines]
    return now


def pointer(site, before, now):
    if before["current"] is not None and (now["current"] is None or now["current"] < before["current"]):
        words = f"it named generation {before['current']}, which somebody has seen, and names {now['current']}"
        site.broken("I16", "public/current", words)
    for number, digest in before["manifests"].items():
        if now["manifests"].get(number, digest) != digest:
            site.broken("I3", site.chain[int(number)].path, f"number {number} stood for another generation")


def fixed(site, before, now):
    for number, digest in before["files"].items():
        if now["files"].get(number, digest) != digest:
            site.broken("I9", f"public/@{number}", "it had other contents")
    for name, number in before["names"].items():
        if now["names"].get(name, number) != number:
            site.broken("I9", f"public/@{name}", f"it stood for generation {number}")
    for path, digest in before["packages"].items():
        if now["packages"].get(path, digest) != digest:
            site.broken("I9", path, "it had other contents")


def dated(site, before, now):
    resumed = any(said["action"] == "resume" for one in site.chain.values() for said in one.answers)
    for path, versions in now["urls"].items():
        second, size, digest = versions[0]
        for earlier in before["urls"].get(path, []):
            if earlier[:2] == [second, size] and earlier[2] != digest:
                place = f"public/@{site.current}/{path}"
                site.broken("I9", place, "an earlier version had the same second and size")
    for path, (digest, modified) in now["repomds"].items():
        earlier = before["repomds"].get(path)
        place = f"public/@{site.current}/{path}"
        if earlier is None:
            continue
        if earlier[0] != digest and modified // 10**9 <= earlier[1] // 10**9:
            site.broken("I10", place, "it changed and is not dated later")
        if earlier[0] == digest and modified != earlier[1] and not resumed:
            site.broken("I10", place, "it is dated anew and says the same")


def records(site, before, now):
    for claim, digest in before["answers"].items():
        if site.spool is not None and now["answers"].get(claim) != digest:
            gone = "is gone" if claim not in now["answers"] else "says something else now"
            site.broken("I16", f"spool/{claim}.answer.json", f"somebody has seen this answer, and it {gone}")
    for name, lines in before["audit"].items():
        there = iter(now["audit"].get(name, []))
        if not all(line in there for line in lines):
            site.broken("I21", f"audit/{name}", "lines that were there are gone or have changed")


def merge(before, now):
    merged = {**before, **{key: {**before[key], **now[key]} for key in EMPTY if key not in ("current", "urls")}}
    merged["current"] = max((number for number in (before["current"], now["current"]) if number), default=None)
    merged["urls"] = dict(before["urls"])
    for path, versions in now["urls"].items():
        known = merged["urls"].get(path, [])
        merged["urls"][path] = known + [version for version in versions if version not in known]
    return merged
