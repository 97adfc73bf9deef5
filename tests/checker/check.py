#!/usr/bin/python3
"""Reads a site, a crash image or a mirror and names every violated invariant; shares no code with Sluice.

    check.py --root ROOT [--spool SPOOL] [--told DIR] [--at-rest] [--state FILE] [--now SECONDS] [--cache DIR] [--json]
    check.py --images DIR [--at-rest] [--now SECONDS] [--cache DIR]
    check.py --root COPY --mirror [--expect ROOT/generations] [--cache DIR] [--json]

Exit code 0: nothing is violated. 1: something is, one line each: `I7 <path>: <what is wrong>`. 2: could not look.
Without `--at-rest` only what holds at every instant is looked at, also in the image a power cut leaves.
With `--mirror` the root is a copy of one generation, what `public/current` serves, and no site.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from findings import LOOKED_AT, NOT_LOOKED_AT, CannotLook  # noqa: E402
from look import Site  # noqa: E402
from mirror import Mirror  # noqa: E402
from oracles import Oracles  # noqa: E402
import remembered  # noqa: E402


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", help="the directory of the site, or of a mirror")
    parser.add_argument("--images", help="instead of --root: a folder of images, each with `root`, `spool`, `told`")
    parser.add_argument("--spool", help="the control directory")
    parser.add_argument("--told", help="copies of answers that somebody has seen")
    parser.add_argument("--at-rest", action="store_true", help="nothing is running: look at what holds then, too")
    parser.add_argument("--mirror", action="store_true", help="the root is a copy of one generation")
    parser.add_argument("--expect", help="with --mirror: the directory `generations` of the site it is a copy of")
    parser.add_argument("--state", help="keeps what was seen, and compares with what earlier runs saw")
    parser.add_argument("--now", type=float, help="seconds since 1970, instead of the clock")
    parser.add_argument("--cache", help="keeps what createrepo_c and rpm say of a file, for later runs")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    return parser.parse_args(words)


def images(folder, oracles, at_rest, now):
    """Looks at every image in a folder, each with a `root` and perhaps `spool` and `told`. Gives lines and how many."""
    lines, count = [], 0
    for name in sorted(os.listdir(folder)):
        place = os.path.join(folder, name)
        spool, told = (os.path.join(place, one) if os.path.isdir(os.path.join(place, one)) else None
                       for one in ("spool", "told"))
        found = Site(os.path.join(place, "root"), spool, told, at_rest, now, oracles).look()
        lines += [f"{name}: {violation}" for violation in found]
        count += 1
    return lines, count


def main(words=None):
    given = arguments(words)
    if (given.root is None) == (given.images is None):
        print("check.py: name either --root or --images", file=sys.stderr)
        return 2
    try:
        if given.images:
            lines, count = images(given.images, Oracles(given.cache), given.at_rest, given.now)
            print("\n".join([*lines, f"{count} images, {len(lines)} violations"]))
            return 1 if lines else 0
        oracles = Oracles(given.cache)
        if given.mirror:
            site = Mirror(given.root, given.expect, oracles)
        else:
            site = Site(given.root, given.spool, given.told, given.at_rest, given.now, oracles)
        found = site.look()
        if given.state and not given.mirror:
            remembered.compare(site, given.state)
    except (CannotLook, OSError) as error:
        print(f"check.py: {error}", file=sys.stderr)
        return 2
    if given.json:
        told = {
            "root": given.root,
            "at_rest": given.at_rest,
            "current": site.current,
            "looked_at": sorted(LOOKED_AT, key=lambda name: int(name[1:])),
            "not_looked_at": NOT_LOOKED_AT,
            "violations": [vars(violation) for violation in found],
        }
        print(json.dumps(told, indent=2))
    else:
        for violation in found:
            print(str(violation).encode("utf-8", "backslashreplace").decode("utf-8"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
