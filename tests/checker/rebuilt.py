"""What was built anew: of a package that was listed, by a recipe on record, under its name and by no older release."""

import re
import subprocess

from oracles import rpm_command
from words import acts

# What may have packages built.
BUILDING = {"rollback", "promote"}
RELEASE = re.compile(r"[A-Za-z0-9._+~^]+\Z")


def made(generation, name, before):
    """The packages that requests of a generation had built for a product, by name and digest; what was listed is known."""
    product = generation.repositories.get(name, {}).get("product")
    entered = {(one["nevra"], one["pkgid"]) for moves in generation.account["changes"].values() for one in moves["entered"]}
    found = set()
    for settled in generation.account["requests"]:
        if acts(settled["answer"]) not in BUILDING:
            continue
        for recipe, came in settled.get("grounds", {}).get("rebuilt", []):
            package = came.get("Ok")
            if package is None or recipe.get("product") != product:
                continue
            # Requests that share a generation see what those before them brought.
            olds = {nevra for nevra, pkgid in before | entered if pkgid == recipe.get("of") != package["pkgid"]}
            if any(becomes(old, package["nevra"]) for old in olds):
                found.add((package["nevra"], package["pkgid"]))
    return found


def becomes(old, new):
    """Whether a package may be made of another: only its release differs, and never goes back."""
    (one, release, arch), (other, later, to) = parts(old), parts(new)
    return (one, arch) == (other, to) and not is_older(later, release)


def parts(nevra):
    """Name with version, release, architecture."""
    rest, _, arch = nevra.rpartition(".")
    rest, _, release = rest.rpartition("-")
    return rest, release, arch


def is_older(one, other):
    """Whether rpm takes a release for older than another."""
    if one == other:
        return False
    if not RELEASE.match(one) or not RELEASE.match(other):
        return True
    asked = rpm_command("--eval", f"%{{lua:print(rpm.vercmp('{one}', '{other}'))}}")
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return said not in {"0", "1"}
