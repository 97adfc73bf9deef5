"""Node types that are built anew: a roll-back, and the release of a part, change all of them or none.

What a site lists of them is read from its metadata alone, and held against a table: the states that the requests of
`scenarios.py` lead to. What a cut leaves is one of them, whole; at rest it is the one that was answered.
"""

import glob
import gzip
import json
import os
import xml.etree.ElementTree as tree

REPO = "{http://linux.duke.edu/metadata/repo}"
COMMON = "{http://linux.duke.edu/metadata/common}"
RPM = "{http://linux.duke.edu/metadata/rpm}"
# From which other stage the hosts of a stage draw.
STAGES = {"delta": "production", "production": None}
NODE_TYPES = {"glite-UI": ("voms", "lcg"), "glite-WN": ("voms",), "glite-SITE": ("glite-UI", "glite-WN")}
COMPONENTS = ("voms", "lcg")
# The requests that have node types built anew.
PART, BACK = "part", "back"


def bundle(**versions):
    """What is listed where everything is of these versions; `UI` is short for `glite-UI`."""
    full = {name: versions[name.removeprefix("glite-")] for name in (*COMPONENTS, *NODE_TYPES)
            if name.removeprefix("glite-") in versions}
    pinned = {**full, **{name: version for name, version in versions.items() if name in COMPONENTS}}
    pinned.update(versions.get("beside", {}))
    return {f"{name}-{version}": tuple(sorted(f"{pin} = {pinned[pin]}" for pin in NODE_TYPES.get(name, ())))
            for name, version in full.items()}


OLD = bundle(voms="1-1", lcg="1-1", UI="1-1", WN="1-1", SITE="1-1")
# lcg 2 is released, and what pins it and stays behind with the rest: UI, and SITE by way of it.
RELEASED = {**OLD, **bundle(lcg="2-1", UI="2-1.1", SITE="2-1.1", beside={"voms": "1-1", "glite-WN": "1-1"})}

# By the requests that were settled: what delta and production list.
STATES = {
    (): (bundle(voms="2-1", lcg="2-1", UI="2-1", WN="2-1", SITE="2-1"), OLD),
    (PART,): (bundle(voms="2-1", UI="2-1.2", WN="2-1", SITE="2-1.2", beside={"lcg": "2-1"}), RELEASED),
    (BACK,): (bundle(lcg="2-1", UI="2-1.1", WN="2-1.1", SITE="2-1.1", beside={"voms": "1-1"}), OLD),
    (BACK, PART): (bundle(UI="2-1.3", WN="2-1.1", SITE="2-1.3", beside={"voms": "1-1", "lcg": "2-1"}), RELEASED),
}


def look(root, spool, at_rest=False):
    """What is wrong with the node types of a site."""
    try:
        stages = {stage: listed(root, stage) for stage in STAGES}
    except (OSError, EOFError, ValueError, tree.ParseError, AttributeError) as error:
        return [f"node types: what is published cannot be read: {error}"]
    wrong = [*unmet(stages), *beside_another(stages)]
    settled = next((state for state, lists in STATES.items() if lists == tuple(stages.values())), None)
    answered = done(spool)
    if settled is None:
        wrong.append(f"node types: some without the others: {shown(stages)}")
    elif not answered <= set(settled):
        wrong.append(f"node types: {sorted(answered)} was answered as done, and {list(settled)} is in force")
    elif at_rest and answered != set(settled):
        wrong.append(f"node types: {list(settled)} is in force, and {sorted(answered)} alone was answered as done")
    return wrong


def unmet(stages):
    """The pins that nothing meets which hosts of the stage are offered."""
    for stage, lists in stages.items():
        offered = {*lists, *stages.get(STAGES[stage], ())}
        for package, pins in sorted(lists.items()):
            for pin in pins:
                if pin.replace(" = ", "-") not in offered:
                    yield f"node types: {package} in {stage} pins `{pin}`, which nothing offers"


def beside_another(stages):
    """Two releases of one version of a node type in one stage."""
    for stage, lists in stages.items():
        named = {}
        for package in sorted(package for package, pins in lists.items() if pins):
            other = named.setdefault(package.rsplit("-", 1)[0], package)
            if other != package:
                yield f"node types: {stage} lists {package} beside {other}"


def done(spool):
    """The requests that were answered as done."""
    found = set()
    for stem in (PART, BACK):
        for path in glob.glob(f"{spool}/done/{stem}-*.answer.json"):
            with open(path, encoding="utf-8") as file:
                found |= {stem} if json.load(file)["outcome"] == "done" else set()
    return found


def is_under_way(spool):
    """Whether one of the requests was claimed and is not settled."""
    return any(glob.glob(f"{spool}/processing/{stem}-*.toml") for stem in (PART, BACK))


def listed(root, stage):
    """What a stage lists of node types and components, each with the versions that it requires."""
    folder = f"{root}/public/current/glite/el9/x86_64/{stage}"
    index = tree.parse(f"{folder}/repodata/repomd.xml").getroot()
    hrefs = [record.find(f"{REPO}location").get("href") for record in index.iter(f"{REPO}data")
             if record.get("type") == "primary"]
    with open(os.path.join(folder, *hrefs), "rb") as file:
        primary = tree.fromstring(gzip.decompress(file.read()))
    lists = {}
    for package in primary.iter(f"{COMMON}package"):
        name = package.findtext(f"{COMMON}name")
        if name in (*COMPONENTS, *NODE_TYPES):
            required = package.iter(f"{RPM}requires") if name in NODE_TYPES else ()
            entries = [entry for requires in required for entry in requires if entry.get("flags") == "EQ"]
            pins = tuple(sorted(f"{entry.get('name')} = {evr(entry)}" for entry in entries))
            lists[f"{name}-{evr(package.find(f'{COMMON}version'))}"] = pins
    return lists


def evr(element):
    """Version and release."""
    return f"{element.get('ver')}-{element.get('rel')}"


def shown(stages):
    """The same in words."""
    def one(package, pins):
        return f"{package} ({', '.join(pins)})" if pins else package

    return "; ".join(f"{stage}: {', '.join(one(*each) for each in sorted(lists.items()))}"
                     for stage, lists in stages.items())
