"""Cuts the power of a site on a real file system, again and again, and looks at what is left.

    power.py --program SLUICE --packages DIR [--system NAME]... [--states N] [--seed N] [--bug NAME]

For each file system one line of JSON goes to stdout when it is done: states, violations, and what was run. Ends with 0
if the bed could work, whatever it found; with 77 if there is nothing to work on here: no root, no loop devices.
"""

import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import crash_states
import cut_off
import file_systems
import killed
import plain
import restored
import scenarios
from bed import Bed
from recorded_disk import mount

SKIPPED = 77
# With no more states than that only one short run is recorded.
FEW = 24
# Marks the process that is in the namespaces already.
INSIDE = "SLUICE_POWER_INSIDE"
NAMESPACES = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
AT_ONCE = ("import", "promote", "withdraw", "refusal", "several", "part", "back")


class Tally:
    """What was seen on one file system."""

    def __init__(self):
        self.states = collections.Counter()
        self.bad = []
        self.told = 0

    def add(self, kind, seen, bad):
        """Counts the states of one run."""
        self.states[kind] += seen
        self.bad += [{"kind": kind, "state": state, "wrong": wrong[:4]} for state, wrong in bad]

    def total(self):
        """How many states there were."""
        return sum(self.states.values())


def sound(bed, count, seed, tally):
    """So many states of a program without planted bugs, over all kinds of runs."""
    rng = random.Random(seed)
    share = max(1, count // 12)
    if bed.system.can_shut_down:
        shut_downs(bed, share, rng, tally)
    tally.add("repodata", *bed.cut(bed.record(bed.plain, plain.script()), share, seed, look=plain.look))
    tally.add("types", *bed.cut(bed.record(bed.base, bed.asking(scenarios.ALL["types"])), 2 * share, seed))
    if count > FEW:
        kills(bed, 2 * share, rng, tally, None)
        resumed = bed.record(restored.prepare(bed), restored.script())
        tally.add("resume", *bed.cut(resumed, share, seed, look=restored.look))
    day = bed.record(bed.base, bed.asking(scenarios.ALL["several" if count <= FEW else "day"]))
    if count > FEW and not bed.system.repair:
        recoveries(bed, day, 3 * share, rng, tally)
    tally.add("day", *bed.cut(day, count - tally.total(), seed))


def shut_downs(bed, count, rng, tally):
    """Running sites that are cut off by the file system itself."""
    while tally.states["shut down"] < count:
        name = rng.choice(AT_ONCE)
        image, told, in_time = cut_off.run_and_shut_down(bed, scenarios.at_once(name), rng.randint(1, 45))
        if in_time:
            wrong = bed.look(image, told)
            tally.add("shut down", 1, [(f"{name}, shut down", wrong)] if wrong else [])


def recoveries(bed, day, count, rng, tally):
    """Power cuts during the recovery from a power cut."""
    states = [state for state in crash_states.choose(day.log, 200, rng.random()) if state.kept]
    for state in rng.sample(states, min(len(states), max(1, count // 6))):
        image = bed.image_of(day, state)
        again = bed.record(image, lambda bed: bed.must_work(None), told=day.told_at(state))
        tally.add("recovery", *bed.cut(again, 6, rng.random()))


def kills(bed, count, rng, tally, bug, names=AT_ONCE, each=4):
    """Power cuts after a program was killed and started again: `each` in each run."""
    while tally.states["killed"] < count:
        wave = scenarios.at_once(rng.choice(names))
        paths = killed.syncs(bed, wave)
        # Where what the killed program did is seen and not on the disk: after the flip, and in the audit log.
        telling = [at for at, path in enumerate(paths, 1) if path.endswith("/public") or "/audit" in path]
        for ordinal in [*telling[-3:], rng.randint(1, len(paths))]:
            run = bed.record(bed.base, killed.killed_at(wave, ordinal, bug))
            if bug or bed.system.repair:
                # The lie shows once it was told. Without a journal a name that the killed program changed and did not
                # sync means on the disk what its old inode was given away for; until it is synced nothing is proven.
                run.log.leave_out_before_told()
            tally.add("killed", *bed.cut(run, min(each, count - tally.states["killed"]), rng.random()))


def planted(bed, count, seed, tally):
    """So many states of a program with a bug planted."""
    rng = random.Random(seed)
    bug = bed.bug
    if bug.startswith("Repodata"):
        tally.add("repodata", *bed.cut(bed.record(bed.plain, plain.script(bug)), count, seed, look=plain.look))
    elif bug.startswith("Restored"):
        resumed = bed.record(restored.prepare(bed), restored.script(bug))
        resumed.log.leave_out_before_told()
        tally.add("resume", *bed.cut(resumed, count, seed, look=restored.look))
    elif bug.startswith("Recovery"):
        kills(bed, count, rng, tally, bug, ["refusal"] if "AuditLog" in bug else ["promote"], 12)
    else:
        run = bed.record(bed.base, bed.asking(scenarios.ALL["several" if count <= FEW else "short"], bug))
        tally.add("day", *bed.cut(run, count, seed))


def one_system(arguments, name):
    """Everything on one file system, in a tmpfs of its own."""
    began = time.monotonic()
    work = tempfile.mkdtemp(prefix="power-", dir=arguments.work)
    os.chmod(work, 0o755)
    tally = Tally()
    bed = Bed(work, file_systems.named(name), arguments.program, arguments.packages, arguments.bug)
    run = planted if arguments.bug else sound
    run(bed, arguments.states, arguments.seed, tally)
    shutil.rmtree(work)
    told = {"system": name, "bug": arguments.bug, "states": tally.total(), "kinds": tally.states,
            "told": bed.told, "under way": bed.under_way, "bad": len(tally.bad), "violations": tally.bad[:5],
            "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(told), flush=True)


def what_is_missing(systems):
    """Says why nothing can be cut off here, or nothing."""
    if os.geteuid() != 0:
        return "only root mounts file systems"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):
            return f"there is no {device}"
    tools = ["setpriv", "unshare", "strace", *(tool for name in systems for tool in file_systems.named(name).tools())]
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        return f"there is no {missing[0]}"
    ran = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return f"no mount namespace can be made: {ran.stderr.strip()}" if ran.returncode else None


def what_cannot_be_mounted(systems, work):
    """Says which of the file systems this kernel cannot mount from a file, or nothing."""
    for name in systems:
        system, image, folder = file_systems.named(name), f"{work}/empty.img", f"{work}/empty"
        system.create(image)
        os.makedirs(folder, exist_ok=True)
        try:
            with file_systems.Mounted(system, image, folder):
                pass
        except RuntimeError as error:
            return str(error)
        os.unlink(image)
    return None


def main():
    """Reads the arguments, and makes the namespaces everything happens in."""
    names = [system.name for system in file_systems.ALL]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--packages", required=True)
    parser.add_argument("--system", action="append", choices=names)
    parser.add_argument("--states", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bug")
    arguments = parser.parse_args()
    systems = arguments.system or names
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = what_is_missing(systems)
    if missing:
        print(f"power: nothing can be cut off here: {missing}", file=sys.stderr)
        return SKIPPED
    if INSIDE not in os.environ:
        # Killed however it may be, it takes its processes, mounts, loop devices and images along.
        os.environ[INSIDE] = "1"
        os.execvp(NAMESPACES[0], [*NAMESPACES, sys.executable, *sys.argv])
    arguments.program = os.path.abspath(arguments.program)
    arguments.packages = os.path.abspath(arguments.packages)
    arguments.work = "/mnt"
    mount("power", arguments.work, "tmpfs", 0, "mode=755")
    missing = what_cannot_be_mounted(systems, arguments.work)
    if missing:
        print(f"power: nothing can be cut off here: {missing}", file=sys.stderr)
        return SKIPPED
    for name in systems:
        one_system(arguments, name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
