"""I19 and I18 of procedures: what is remembered is what the record brought about, and packages lie where it says."""

import json

import procedure_rules
from procedure_model import KINDS, State, plain
from words import Misread

KIND_WORDS = {"teams": "team", "patches": "patch", "bundles": "bundle", "tickets": "ticket", "tasks": "task",
              "updates": "update"}


def look(site):
    if not site.leads_to_the_first():
        return
    products = {}
    for generation in site.chain.values():
        policy = site.policy_of(generation) or {}
        for settled in generation.account["requests"]:
            step(site, generation, policy, settled, products)
        if generation.files is not None:
            stored(site, generation, products)
        places(site, generation, policy, products)


def step(site, generation, policy, settled, products):
    """Lets one settled request change what is remembered, and looks whether it was allowed to."""
    deed, said = settled.get("deed"), settled["answer"]
    wrong = lambda invariant, words: site.broken(invariant, generation.path, f"`{said['claim']}`: {words}")
    if deed is None:
        past(generation, said, products)
        if said["action"] in procedure_rules.TABLE and said["code"] == "done":
            wrong("I19", f"a step, `{said['action']}`, and nothing happened")
        return
    state = products.setdefault(deed["product"], State())
    try:
        procedure_rules.look(state, policy, settled, lambda words: wrong("I18", words))
        for fact in deed["facts"]:
            procedure_rules.fits(state, said["action"], fact, deed, lambda words: wrong("I18", words))
            state.evolve(fact, deed)
            if "bundle-revised" in fact:
                revised = fact["bundle-revised"]
                if state.bundles[revised["bundle"]]["revisions"][-1]["content"] != revised["content"]:
                    wrong("I19", f"bundle {revised['bundle']} has another hash than its packages")
    except (KeyError, ValueError, TypeError, AttributeError, Misread) as error:
        wrong("I19", f"what happened cannot have happened: {type(error).__name__} {error}")


def past(generation, said, products):
    """Remembers what somebody took away past a procedure, and answered for: then nobody expects it there."""
    if not any((gate.get("gate"), gate.get("verdict")) == ("procedure", "waived") for gate in said.get("gates", [])):
        return
    for moves in said.get("moved", []):
        product = generation.repositories.get(moves.get("repository"), {}).get("product")
        products.setdefault(product, State()).past |= set(moves.get("left", []))


def read(site, path):
    data = site.tree.read(path)
    if data is None:
        return None
    try:
        return json.loads(data)
    except ValueError:
        site.broken("I19", path, "it is not JSON")
        return None


def stored(site, generation, products):
    """What a kept generation remembers, beside what the record brought about."""
    top = f"generations/{generation.number}"
    path = f"{top}/workflow.json"
    found = read(site, path) or {}
    remembered = (found.get("workflow") or {}).get("products") or {}
    for product in sorted(remembered.keys() | products.keys()):
        state = products.get(product, State()).stored()
        differ(site, path, product, state, plain(remembered.get(product, {})))
    wanted, lies = {}, {}
    for product, state in products.items():
        for filed in state.filed:
            gather(wanted, filed)
    archive = [name for name in generation.files["private"] if name.startswith("archive/")]
    for name in sorted(archive):
        for filed in (read(site, f"{top}/{name}") or {}).get("filed", []):
            gather(lies, filed, lambda key: site.broken("I19", f"{top}/{name}", f"{key} lies in the archive twice"))
    for key in sorted(wanted.keys() | lies.keys()):
        if wanted.get(key) != lies.get(key):
            how = "is missing" if key not in lies else "lies there without cause" if key not in wanted else "is another one"
            site.broken("I19", f"{top}/archive", f"{' '.join(key)} {how}")


def gather(into, filed, twice=None):
    """Collects matters that lie in the archive, each with when it came there."""
    for kind in KINDS:
        for id, one in (filed.get(kind) or {}).items():
            key = (filed["product"], KIND_WORDS[kind], id)
            if twice and key in into:
                twice(" ".join(key))
            into[key] = plain({**one, "archived": plain(filed["at"], "at")})


def differ(site, path, product, wanted, found):
    """Names each matter that is not what it must be, and in what."""
    for kind in [*KINDS, "archived"]:
        want, have = wanted.get(kind, {}), found.get(kind, {})
        for id in sorted(want.keys() | have.keys()):
            one = f"{KIND_WORDS.get(kind, 'the archive:')} {id} of {product}"
            if want.get(id) == have.get(id):
                continue
            if id not in have or id not in want:
                site.broken("I19", path, f"{one} {'is missing' if id not in have else 'is there without cause'}")
                continue
            left, right = want[id], have[id]
            keys = sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key)) if (
                isinstance(left, dict) and isinstance(right, dict)) else ["value"]
            site.broken("I19", path, f"{one} has another {', '.join(keys)} than the record brought about")


def places(site, generation, policy, products):
    """Packages lie where their patch or ticket is: in a kept generation, by what its repositories list."""
    listings = site.listings.get(generation.number)
    tables = {one.get("name"): one for one in policy.get("product", [])}
    if listings is None:
        return
    for product, state in products.items():
        procedure = tables.get(product, {}).get("procedure")
        if procedure is None:
            continue
        stages = procedure_rules.stages(procedure)
        lists = {}
        for name, found in listings.items():
            shelf = generation.repositories[name]
            if shelf["product"] == product:
                key = shelf["stage"], f"{shelf['os']}/{shelf['arch']}"
                lists.setdefault(key, set()).update(one.words for one in found.packages)
        for kind in ("patches", "tickets"):
            for id, one in state.all[kind].items():
                stage = stages.get(one["place"])
                # What is not with early adopters yet may be withdrawn by hand; what is in production may be replaced.
                if one["place"] != "beta":
                    continue
                for item in one["items"]:
                    if item["nevra"] in state.past or item["pkgid"] in generation.account.get("purged", []):
                        continue
                    if item["nevra"] not in lists.get((stage, item["platform"]), set()):
                        site.broken("I19", generation.path, f"{item['nevra']} of {KIND_WORDS[kind]} {id} is not in `{stage}`")
