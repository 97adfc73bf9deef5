"""The list of planted violations: each is put into a copy of a sound site, and must be named by its number."""

import dataclasses
from collections.abc import Callable

PLANTED = []


@dataclasses.dataclass(frozen=True)
class Plant:
    """One violation: which invariant it breaks, how to plant it, and which others break with it."""

    invariant: str
    name: str
    put: Callable
    also: frozenset
    at_rest: bool


def plant(invariant, also=(), at_rest=False):
    """Registers a function that takes a `Copy` and may give options for the look: told, now, before."""
    def register(put):
        PLANTED.append(Plant(invariant, put.__name__, put, frozenset(also), at_rest))
        return put
    return register


MIRRORED = []


def register_mirror(invariant, also=(), expect=False):
    """Registers a function that takes the copy of the newest generation, and one of an older generation."""
    def register(put):
        MIRRORED.append((invariant, put, frozenset(also), expect))
        return put
    return register
