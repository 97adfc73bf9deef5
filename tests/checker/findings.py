"""What was found: violated invariants by number, and what could not be looked at."""

import dataclasses

# What the checker speaks about, and in which words; the numbers are those of the invariants.
LOOKED_AT = {
    "I1": "pointer",
    "I2": "sealed",
    "I3": "chain",
    "I4": "metadata closure",
    "I5": "signatures",
    "I6": "package closure",
    "I7": "no strays",
    "I8": "grace",
    "I9": "stable URLs",
    "I10": "freshness",
    "I11": "never in neither",
    "I12": "conservation",
    "I13": "one file per name",
    "I14": "one place",
    "I15": "settled once",
    "I16": "told is durable",
    "I17": "refusal is nothing",
    "I18": "authority",
    "I19": "page = bundle = repository",
    "I21": "audit",
    "I22": "no debris",
    "I23": "bounded",
}

NOT_LOOKED_AT = {
    "I20": "no route demands it yet",
}


class CannotLook(Exception):
    """The checker could not look, so it says neither yes nor no."""


@dataclasses.dataclass(frozen=True)
class Violation:
    """One violated invariant, where it shows, and what is wrong there."""

    invariant: str
    path: str
    words: str

    def __str__(self):
        return f"{self.invariant} {self.path}: {self.words}"


class Findings:
    """Collects violations; the same one is told once."""

    def __init__(self):
        self.violations = []
        self._known = set()

    def broken(self, invariant, path, words):
        if invariant not in LOOKED_AT:
            raise ValueError(f"{invariant} is not looked at")
        violation = Violation(invariant, str(path), words)
        if violation not in self._known:
            self._known.add(violation)
            self.violations.append(violation)
