"""I23: at rest nothing is kept that no policy keeps, and the sweeper's word is carried out."""

from words import instant


def look(site):
    if not site.at_rest or site.current not in site.chain:
        return
    tree, current = site.tree, site.now_in_force()
    dropped_links = set(current.manifest["drop_links"])
    for link in sorted(dropped_links):
        if tree.get(f"public/{link}" if link.startswith("packages/") else link) is not None:
            site.broken("I23", f"public/{link}", "the current generation drops it, and it is still there")
    for number in current.manifest["drop_generations"]:
        for half in (f"generations/{number}", f"public/@{number}"):
            if tree.get(half) is not None:
                site.broken("I23", half, "the current generation drops it, and it is still there")
    too_long(site, current)
    swept(site, current)


def too_long(site, current):
    """No promise reaches further than the grace of the generation that made it."""
    for generation in site.chain.values():
        grace = site.grace_of(generation)
        if grace is None:
            continue
        limit = max(site.witnessed(generation), generation.created) + grace
        for link, until in generation.manifest["retained"].items():
            if instant(until) > limit and generation.number == current.number:
                if not promised_before(site, generation, link, until):
                    site.broken("I23", generation.path, f"it keeps `{link}` until {until}, longer than the grace")
        if generation.files is None:
            continue
        for path, facts in generation.files["public"].items():
            if "until" in facts and instant(facts["until"]) > limit and generation.number == current.number:
                site.broken("I23", generation.path, f"it keeps `{path}` until {facts['until']}, longer than the grace")


def promised_before(site, generation, link, until):
    """A longer grace of an earlier policy is kept."""
    return any(
        one.number < generation.number and one.manifest["retained"].get(link) == until for one in site.chain.values()
    )


def swept(site, current):
    """A generation that swept left nothing whose time was over."""
    if not any(said["action"] == "sweep" for said in current.answers):
        return
    now = min(site.witnessed(current), current.created)
    names = current.manifest["names"].values()
    named = {one["generation"] for one in names if not one["ended"]}
    held = set()
    kept = [one.number for one in site.whole()]
    # What a generation lists that goes in the same sweep stays until the next one.
    for number in [*kept, *current.manifest["drop_generations"]]:
        held |= site.replayed.get(number, set())
    for link, until in current.manifest["retained"].items():
        if instant(until) < now and link not in held:
            site.broken("I23", f"public/{link}", f"its time was over at {until}, and the sweep left it")
    numbers = sorted(site.chain)
    grace = site.grace_of(current)
    for number in kept:
        if number == current.number or number in named or grace is None:
            continue
        successor = site.chain[numbers[numbers.index(number) + 1]]
        if successor is current:
            continue  # it was in force when the sweep was decided
        if max(site.witnessed(successor), successor.created) + grace <= now:
            site.broken("I23", f"generations/{number}", "its grace is over, no name keeps it, and the sweep left it")
    for path, facts in current.files["public"].items():
        if "until" in facts and instant(facts["until"]) < now:
            site.broken("I23", f"public/@{current.number}/{path}", "its time was over, and the sweep left it")
