"""I11: a promoted package is in the source or the target until a request takes it away, in both for the overlap."""

from words import acts, in_words, instant, length

# What may take a package out of a stage, whatever was promised for it.
ASKED = {"withdraw", "rollback", "revert", "undo", "purge", "import", "adopt"}


def look(site):
    if not site.leads_to_the_first():
        return
    lists, older = {}, None
    for generation in site.chain.values():
        before = {name: dict(listed) for name, listed in lists.items()}
        for name, moves in generation.account["changes"].items():
            listed = lists.setdefault(name, {})
            for package in moves["left"]:
                listed.pop(package["pkgid"], None)
            listed.update((package["pkgid"], package["nevra"]) for package in moves["entered"])
        neither(site, generation, lists)
        begun(site, generation, before, lists)
        if older is not None:
            went_on(site, older, generation, lists)
        older = generation


def overlapping(generation):
    """Every overlap that a generation records, as (repository, digest, instant)."""
    recorded = generation.account.get("overlapping", {})
    return [(name, digest, instant(until)) for name, all_of in recorded.items() for digest, until in all_of.items()]


def siblings(generation, name):
    """The repositories that differ from one by the stage only, and that one."""
    of = {key: shelved for key, shelved in generation.repositories.items()}
    if name not in of:
        return {}
    same = ("product", "os", "arch", "kind")
    return {key: one for key, one in of.items() if all(one[word] == of[name][word] for word in same)}


def neither(site, generation, lists):
    """Only who was asked to may take a package out of the last stage that lists it."""
    does = {acts(said) for said in generation.answers}
    for name, moves in generation.account["changes"].items():
        others = siblings(generation, name)
        listed = {digest for other in others for digest in lists.get(other, {})}
        named = {name_and_arch(nevra) for other in others for nevra in lists.get(other, {}).values()}
        for package in moves["left"]:
            followed = name_and_arch(package["nevra"]) in named
            if package["pkgid"] not in listed and not followed and not does & ASKED:
                site.broken("I11", generation.path, f"{package['nevra']} leaves {name} and is in no stage")


def name_and_arch(nevra):
    return nevra.rsplit("-", 2)[0], nevra.rsplit(".", 1)[1]


def begun(site, generation, before, lists):
    """What a promotion brings along a route with an overlap stays where it came from, and it is recorded for how long."""
    policy = site.policy_of(generation)
    if policy is None:
        return
    for said in generation.answers:
        for moved in said.get("moved", []) if acts(said) == "promote" else []:
            entered = generation.account["changes"].get(moved["repository"], {"entered": []})["entered"]
            for package in entered:
                if package["nevra"] in moved.get("entered", []):
                    stays(site, generation, before, lists, policy, moved["repository"], package)


def stays(site, generation, before, lists, policy, target, package):
    places = siblings(generation, target)
    came_from = [name for name in places if name != target and package["pkgid"] in before.get(name, {})]
    overlaps = {name: overlap_of(policy, places[name], places[target]["stage"]) for name in came_from}
    overlaps = {name: overlap for name, overlap in overlaps.items() if overlap is not None}
    # Which of several routes was taken nobody recorded.
    if not overlaps or not all(overlaps.values()):
        return
    recorded = generation.account.get("overlapping", {})
    for name, overlap in overlaps.items():
        until = recorded.get(name, {}).get(package["pkgid"])
        listed = package["pkgid"] in lists.get(name, {})
        if listed and until is not None and instant(until) >= generation.created + overlap:
            return
    if said_by(generation, list(overlaps), package, ASKED):
        return
    until = in_words(generation.created + min(overlaps.values()))
    words = f"{package['nevra']} was promoted from {', '.join(overlaps)}, and is not kept there until {until}"
    site.broken("I11", generation.path, words)


def overlap_of(policy, source, stage):
    """How long what goes from a stage to another stays, in nanoseconds; nothing if no route is written down."""
    for product in policy.get("product", []):
        if product.get("name") != source["product"]:
            continue
        for route in product.get("route", []):
            if (route.get("from"), route.get("to")) == (source["stage"], stage):
                return length(route.get("overlap", "0s"))
    return None


def said_by(generation, names, package, actions):
    """Whether a request of one of these kinds says that it moved the package there."""
    for said in generation.answers:
        if acts(said) not in actions:
            continue
        for moved in said.get("moved", []):
            nevras = [*moved.get("entered", []), *moved.get("left", [])]
            if moved["repository"] in names and package["nevra"] in nevras:
                return True
    return False


def undone(generation, digest):
    """Whether the promotion of a package was undone: it left where it went, unless it had been there before."""
    moves = generation.account["changes"].values()
    nevras = {one["nevra"] for of in moves for one in [*of["left"], *of["entered"]] if one["pkgid"] == digest}
    for said in generation.answers:
        moved = said.get("moved", [])
        if acts(said) == "undo" and (not moved or any(
                nevras & {*one.get("left", []), *one.get("entered", [])} for one in moved)):
            return True
    return False


def went_on(site, older, newer, lists):
    """An overlap that was recorded goes on until its time is witnessed, or until somebody decides otherwise."""
    recorded = {(name, digest): until for name, digest, until in overlapping(newer)}
    for (name, digest), until in recorded.items():
        if digest not in lists.get(name, {}):
            site.broken("I11", newer.path, f"{digest[:16]} is to be listed in {name} until {in_words(until)}, and is not")
    reverted = {moved["repository"] for said in newer.answers if acts(said) == "revert"
                for moved in said.get("moved", [])}
    for name, digest, until in overlapping(older):
        later = recorded.get((name, digest))
        if later is not None and later >= until or until <= min(site.witnessed(newer), newer.created):
            continue
        moves = newer.account["changes"].get(name, {"entered": [], "left": []})
        touched = [one for one in [*moves["left"], *moves["entered"]] if one["pkgid"] == digest]
        asked = any(said_by(newer, [name], one, ASKED | {"promote"}) for one in touched)
        if not asked and not (not touched and (name in reverted or undone(newer, digest))):
            words = f"the overlap of {digest[:16]} in {name} ends before {in_words(until)}"
            site.broken("I11", newer.path, words)
