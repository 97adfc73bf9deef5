"""I14 to I17: every request in one place, settled once, what was told is true, a refusal changes nothing."""

import json
import os
import re
import tomllib

from chain import ANSWER
from words import Misread, of_json

ENDS = (".toml", ".json")
DONE = ("done", "nothing-to-do", "planned")
DIRECTORY = re.compile(r".+-directory-[0-9a-f]{16}\Z")
CLAIM = re.compile(r".+-[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{6}\Z")


def look(site):
    site.answers = {}
    if site.spool is not None:
        places(site)
    settled(site)
    for path, answer in site.answers.items():
        truth(site, f"spool/{path}", answer)
    told(site)


def stem(name):
    for end in ENDS:
        if name.endswith(end):
            return name[: -len(end)]
    return None


def places(site):
    tree = site.spool
    requests, sidecars, answers = {}, {}, {}
    for folder in ("processing", "done", "failed"):
        if not tree.is_kind(folder, "directory"):
            site.broken("I14", f"spool/{folder}", "the directory is not there")
        for name in tree.names(folder):
            path = f"{folder}/{name}"
            if name.startswith("."):
                continue
            if name.endswith(".answer.json") and folder != "processing":
                answers.setdefault(name.removesuffix(".answer.json"), []).append(path)
            elif name.endswith(".claim.json") and folder == "processing":
                sidecars[name.removesuffix(".claim.json")] = path
            elif stem(name) is not None and CLAIM.match(stem(name)):
                requests.setdefault(stem(name), []).append(path)
    for claim, paths in requests.items():
        # A power cut may leave both names of a file that was being renamed; recovery takes the old one away.
        one_file = len({tree.get(path).inode for path in paths}) == 1
        one_file = one_file and len(paths) == 2 and any(path.startswith("processing/") for path in paths)
        if len(paths) > 1 and (site.at_rest or not one_file):
            site.broken("I14", f"spool/{paths[0]}", f"it also lies at `{', '.join(paths[1:])}`")
        for path in paths:
            if not path.startswith("processing/") and claim not in answers:
                site.broken("I14", f"spool/{path}", "it was settled without an answer")
        if site.at_rest and any(path.startswith("processing/") for path in paths):
            site.broken("I14", f"spool/{paths[0]}", "it waits, and nothing is running")
    for claim, path in sidecars.items():
        if claim not in requests:
            site.broken("I14", f"spool/{path}", "its request was claimed and lies nowhere")
        else:
            sidecar(site, claim, path, requests[claim])
    for claim, paths in answers.items():
        if len(paths) > 1:
            site.broken("I15", f"spool/{paths[0]}", f"it is answered at `{paths[1]}`, too")
        if claim not in requests and not DIRECTORY.match(claim):
            site.broken("I14", f"spool/{paths[0]}", "the request it answers lies nowhere")
        for path in paths:
            answer(site, claim, path, requests.get(claim, []))


def sidecar(site, claim, path, requests):
    """A claim keeps the digest of the bytes that count; its file, or the copy beside it, has them."""
    tree = site.spool
    try:
        said = of_json(tree.read(path), {"claim": str, "digest": (str, type(None))})
    except Misread as error:
        return site.broken("I14", f"spool/{path}", str(error))
    if said["claim"] != claim:
        return site.broken("I14", f"spool/{path}", f"it is of `{said['claim']}`")
    copies = [*requests, f"processing/.{claim}.copy"]
    if said["digest"] is not None and said["digest"] not in [tree.digest(copy) for copy in copies]:
        site.broken("I14", f"spool/{path}", "the request has not the bytes that were claimed")
    return None


def answer(site, claim, path, requests):
    data = site.spool.read(path)
    try:
        said = of_json(data, ANSWER)
    except Misread as error:
        return site.broken("I16", f"spool/{path}", str(error))
    site.answers[path] = said
    folder = path.split("/")[0]
    if folder != ("failed" if said["outcome"] == "refused" else "done"):
        site.broken("I14", f"spool/{path}", f"an answer `{said['outcome']}` in {folder}/")
    if said["claim"] != claim:
        site.broken("I14", f"spool/{path}", f"it answers `{said['claim']}`")
    for request in requests:
        identity(site, request, said)
    return None


def identity(site, request, said):
    """A request has one identity: the digest of its bytes, and the id inside it or else its claim name."""
    tree = site.spool
    if request.startswith("processing/") or tree.get(request).size > 65536:
        return
    digest, own = tree.digest(request), own_id(tree.read(request), request)
    unread = said["outcome"] == "refused"
    if digest != said["request_digest"] and not unread:
        site.broken("I14", f"spool/{request}", "it has not the digest that its answer names")
    if digest == said["request_digest"] and own is not None and said["id"] not in (own, said["claim"] if unread else own):
        site.broken("I14", f"spool/{request}", f"its id is `{own}`, its answer says `{said['id']}`")


def own_id(data, name):
    try:
        text = data.decode("utf-8")
        request = tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
    except (ValueError, RecursionError):
        return None
    own = request.get("id") if isinstance(request, dict) else None
    return own if isinstance(own, str) else None


def settled(site):
    """I15 and I17: each claim and each id has one outcome in the manifests and the audit log together."""
    site.applied, ids = {}, {}
    for generation in site.chain.values():
        for said in generation.answers:
            place, claim = generation.path, said["claim"]
            if claim in site.applied:
                site.broken("I15", place, f"`{claim}` took effect in {site.applied[claim]}, too")
            site.applied.setdefault(claim, generation.number)
            if said["outcome"] == "refused":
                site.broken("I17", place, f"`{claim}` was refused and stands among what took effect")
            elif said["outcome"] != "done":
                site.broken("I15", place, f"`{claim}` is `{said['outcome']}` and stands among what took effect")
            if said.get("generation") != generation.number:
                site.broken("I15", place, f"`{claim}` says its effect is in {said.get('generation')}")
            key = (said["owner"], said["id"])
            if key in ids:
                site.broken("I15", place, f"the id `{said['id']}` of {said['owner']} took effect in {ids[key]}, too")
            ids.setdefault(key, generation.number)
    recorded(site, ids)


def recorded(site, ids):
    """What the audit log says of answers that no generation carries."""
    by_claim, first = {}, {}
    for place, said in site.audited:
        claim, key = said["claim"], (said["owner"], said["id"])
        again = said["outcome"] == "done" or said["code"] == "used-id"
        if claim in site.applied:
            invariant = "I17" if said["outcome"] == "refused" else "I15"
            site.broken(invariant, place, f"`{claim}` took effect in {site.applied[claim]} all the same")
        if by_claim.setdefault(claim, said) != said:
            site.broken("I15", place, f"`{claim}` is answered twice, differently")
        if said["outcome"] == "done" and key not in ids and site.leads_to_the_first():
            site.broken("I15", place, f"`{claim}` repeats an answer that was never given")
        earlier = first.setdefault(key, said)
        if earlier["request_digest"] != said["request_digest"] and not again:
            site.broken("I15", place, f"the id `{said['id']}` was settled before, with other content")
    site.recorded = by_claim


def truth(site, path, said):
    """What an answer says is so: its effect is in the generation it names, or it is on record that it has none."""
    claim, outcome, number = said["claim"], said["outcome"], said.get("generation")
    applied = site.applied.get(claim)
    if number is not None and site.chain and number > site.current:
        return site.broken("I16", path, f"it tells of generation {number}, current is {site.current}")
    if site.unpublished:
        return site.broken("I16", path, "it was told, and nothing is published") if outcome == "done" else None
    if not site.leads_to_the_first():
        return None  # I1 or I3 was told
    if outcome == "done":
        repeats = claim in site.recorded and site.recorded[claim]["outcome"] == "done"
        if applied is None and not repeats:
            site.broken("I15", path, "it says done, and no generation has settled it")
        elif applied is not None and applied != number:
            site.broken("I15", path, f"it says done in {number}, the manifests say {applied}")
        elif applied is not None and same(site, said, applied) is False:
            site.broken("I16", path, f"it is not the answer that generation {applied} carries")
        return None
    if applied is not None:
        site.broken("I17" if outcome == "refused" else "I15", path, f"it took effect in {applied} all the same")
    if outcome == "refused" and not (said["sentence"].strip() and said["code"].strip()):
        site.broken("I17", path, "it gives no reason")
    if claim not in site.recorded:
        site.broken("I17" if outcome == "refused" else "I15", path, f"it was answered `{outcome}` and is not on record")
    elif applied is None and site.recorded[claim] != said:
        site.broken("I16", path, "it is not the answer that the audit log has")
    return None


def same(site, said, number):
    """Whether a generation carries this answer; None if it cannot be known any more."""
    carried = [one for one in site.chain[number].answers if one["claim"] == said["claim"]]
    return said in carried if carried else None


def on_record(site, said):
    """Whether a manifest or the audit log has this answer."""
    return said in site.recorded.values() or any(said in one.answers for one in site.chain.values())


def told(site):
    """I16: answers that somebody has seen are still there, and still true."""
    if site.told is None:
        return
    for name in sorted(os.listdir(site.told)):
        path = os.path.join(site.told, name)
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            data = file.read()
        try:
            said = of_json(data, ANSWER)
        except Misread as error:
            site.broken("I16", path, str(error))
            continue
        kept = [one for one in site.answers.values() if one["claim"] == said["claim"]]
        # The file may have to be written anew by the next start; what it says may not be lost.
        if site.spool is not None and said not in kept and (site.at_rest or kept or not on_record(site, said)):
            site.broken("I16", path, "it was told, and the control directory does not say so")
        before = len(site.findings.violations)
        truth(site, path, said)
        for violation in site.findings.violations[before:]:
            if violation.invariant != "I16":
                site.broken("I16", path, f"it was told and is not so: {violation.words}")
