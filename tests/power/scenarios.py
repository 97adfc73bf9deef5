"""What is asked of the site while the power may go: waves of requests, each put in at once."""

import node_types


def imported(site, packages, *names):
    """A request to bring packages in."""
    files = [site.upload(f"{packages}/{name}.rpm") for name in names]
    listed = ", ".join(f'"{file}"' for file in files)
    return f'action = "import"\nproduct = "glite"\nto = "delta"\nfiles = [{listed}]'


def promoted(*names):
    """A request to promote packages by their names."""
    listed = ", ".join(f'"{name}"' for name in names)
    return f'action = "promote"\nproduct = "glite"\nfrom = "delta"\nto = "production"\npackages = [{listed}]'


def withdrawn(name, stage):
    """A request to withdraw a package by its name."""
    return f'action = "withdraw"\nproduct = "glite"\nfrom = "{stage}"\npackages = ["{name}"]'


def before(site, packages):
    """What the site holds before anything is recorded."""
    yield {"base-import": imported(site, packages, "alpha", "beta", "gamma")}
    yield {"base-promote": promoted("alpha"), "base-withdraw": withdrawn("gamma", "delta")}
    names = (*node_types.COMPONENTS, *node_types.NODE_TYPES)
    yield {"base-types": imported(site, packages, *(f"{name}-1" for name in names))}
    yield {"base-up": promoted(*names)}
    yield {"base-next": imported(site, packages, *(f"{name}-2" for name in names))}


def import_one(site, packages):
    """One package comes in."""
    yield {"import": imported(site, packages, "delta")}


def promote_one(site, packages):
    """One package goes up."""
    del site, packages
    yield {"promote": promoted("beta")}


def withdraw_one(site, packages):
    """One package goes."""
    del site, packages
    yield {"withdraw": withdrawn("alpha", "production")}


def refuse(site, packages):
    """Two requests that are refused, one of them unreadable."""
    del site, packages
    yield {"refused": promoted("no-such-package")}
    yield {"unreadable": promoted("beta") + '\ncolour = "blue"'}


def sweep(site, packages):
    """What nobody may see any more is removed."""
    del site, packages
    yield {"sweep-1": 'action = "sweep"'}
    yield {"sweep-2": 'action = "sweep"'}


def several(site, packages):
    """Many at once: they share a generation, and the bad ones harm no neighbour."""
    yield {
        "many-import": imported(site, packages, "epsilon", "zeta"),
        "many-again": imported(site, packages, "eta"),
        "many-promote": promoted("beta"),
        "many-refused": promoted("no-such-package"),
        "many-withdraw": withdrawn("alpha", "delta"),
        "many-id-1": promoted("alpha") + '\nid = "shared"',
        "many-id-2": promoted("alpha") + '\nid = "shared"',
        "many-keep": 'action = "keep"\ngeneration = 2\nas = "update-1"',
    }


def release_a_part(site, packages):
    """A component goes up without those it was bundled with: node types are built anew for both stages."""
    del site, packages
    yield {node_types.PART: promoted("lcg") + '\npartial = "target"'}


def roll_back(site, packages):
    """A component is rejected: the node types that pin it are built anew with the version before."""
    del site, packages
    rejected = 'packages = ["voms"]\nreason = "it loses jobs"'
    yield {node_types.BACK: f'action = "rollback"\nproduct = "glite"\nfrom = "delta"\n{rejected}'}


def types(site, packages):
    """All that has node types built anew."""
    for part in (release_a_part, roll_back):
        yield from part(site, packages)


def day(site, packages):
    """Everything, one after the other."""
    for part in (import_one, promote_one, refuse, several, types, withdraw_one, sweep):
        yield from part(site, packages)


def short(site, packages):
    """What shows most of the bugs."""
    for part in (import_one, promote_one, refuse, several):
        yield from part(site, packages)


def at_once(name):
    """The requests of a scenario, all put in together."""

    def requests(site, packages):
        for wave in ALL[name](site, packages):
            yield from wave.items()

    return requests


ALL = {
    "import": import_one,
    "promote": promote_one,
    "withdraw": withdraw_one,
    "refusal": refuse,
    "sweep": sweep,
    "several": several,
    node_types.PART: release_a_part,
    node_types.BACK: roll_back,
    "types": types,
    "day": day,
    "short": short,
}
