"""The bed on which power cuts are tried: one kind of file system, one program, everything in a memory of its own.

Whatever it mounts, it mounts in a mount namespace that only its own processes see, on images in a tmpfs of that
namespace: when they end, however they end, nothing is left. `power.py` makes the namespace.
"""

import os
import shutil
import subprocess
import sys

import crash_states
import node_types
import plain
import scenarios
from file_systems import Mounted
from recorded_disk import RecordedDisk
from site_on_disk import Site

CHECKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checker", "check.py")
# One state in so many is also looked over by the file system's own checker, before and after recovery.
LOOK_EVERY = 10
# How many files others write when a program has ended.
LATER = 6


class Recorded:
    """One run: the image it began with, its log, and the bytes of every answer seen by its end or before it."""

    def __init__(self, base, log, answers, told):
        self.base, self.log, self.answers, self.told = base, log, answers, told

    def told_at(self, state):
        """The answers somebody had seen at that instant."""
        seen = {name: self.answers[name] for name in state.told if name in self.answers}
        return {**self.told, **seen}


class Bed:
    """A place to record runs on one file system, and to look at what is left of them."""

    def __init__(self, work, system, program, packages, bug=None):
        self.work, self.system, self.packages, self.bug = work, system, packages, bug
        self.folder = self.place("mounted")
        self.marks = self.place("marks")
        # The user of the daemon need not be able to reach the place where the program was built.
        shutil.copy(program, f"{work}/sluice")
        self.disk = f"{work}/disk"
        with open(self.disk, "wb"):
            pass
        self.site = Site(self.folder, f"{work}/sluice", work, system.around(self.folder, self.disk))
        self.looked, self.told, self.runs = 0, 0, 0
        # How many cuts left a request unsettled that has node types built anew.
        self.under_way = 0
        self.base, self.plain = f"{work}/base.img", f"{work}/plain.img"
        self.make_base()

    def place(self, name):
        """A folder of the bed."""
        path = f"{self.work}/{name}"
        os.makedirs(path, exist_ok=True)
        return path

    def make_base(self):
        """Makes the site that every run begins with; nothing is planted in it."""
        self.system.create(self.base)
        with Mounted(self.system, self.base, self.folder):
            self.site.initialise()
            for wave in scenarios.before(self.site, self.packages):
                self.ask(wave, None)
        self.system.create(self.plain)
        with Mounted(self.system, self.plain, self.folder):
            plain.prepare(self)

    def ask(self, wave, bug):
        """Drops requests together and lets the daemon do all that waits."""
        for stem, text in wave.items():
            self.site.drop(stem, text)
        self.must_work(bug)

    def asking(self, scenario, bug=None):
        """A run that asks for everything in a scenario, one wave after the other."""

        def script(bed):
            for wave in scenario(bed.site, bed.packages):
                bed.ask(wave, bug)

        return script

    def must_work(self, bug):
        """Lets the daemon do all that waits; nothing keeps it from that here."""
        ran = self.site.work(bug)
        if ran.returncode != 0:
            raise RuntimeError(f"the daemon ended with {ran.returncode}: {ran.stdout}{ran.stderr}")

    def record(self, base, script, told=None):
        """Runs `script` on a copy of `base` whose disk writes everything down."""
        image, log = f"{self.work}/run.img", f"{self.work}/run.log"
        # Each run keeps the image it began with: states of an earlier one may be built after a later one.
        self.runs += 1
        start = f"{self.work}/start-{self.runs}.img"
        crash_states.copy(base, start)
        crash_states.copy(start, image)
        disk = RecordedDisk(image, self.disk, log)
        try:
            disk.watch(self.marks)
            self.system.recover(disk.path)
            self.mark(crash_states.BEGIN)
            with Mounted(self.system, disk.path, self.folder):
                for place in ("done", "failed"):
                    if os.path.exists(f"{self.site.spool}/{place}"):
                        disk.watch(f"{self.site.spool}/{place}")
                script(self)
                answers = self.site.answers()
                self.mark(crash_states.END)
        finally:
            disk.close()
        return Recorded(start, crash_states.Log(log), answers, told or {})

    def go_on(self):
        """Lets others write and sync: what was promised must outlast that, and must not need it."""
        for number in range(LATER):
            self.site.write(f"{self.folder}/later-{number}", b"later")

    def mark(self, name):
        """Puts a mark into the log that is being written."""
        path = f"{self.marks}/{name}"
        with open(path, "wb"):
            pass
        os.unlink(path)

    def cut(self, recorded, count, seed, look=None):
        """Looks at so many states of a run; gives how many it saw and what is wrong with each bad one."""
        images = crash_states.Images(recorded.base, recorded.log, self.work)
        bad, seen = [], 0
        for state in crash_states.choose(recorded.log, count, seed):
            seen += 1
            image = images.build(state)
            self.system.recover(image)
            if look:
                with Mounted(self.system, image, self.folder):
                    wrong = look(self, state.told)
            else:
                wrong = self.look(image, recorded.told_at(state))
            if wrong:
                bad.append((str(state), wrong))
        return seen, bad

    def image_of(self, recorded, state):
        """Keeps the image of one state, to begin another run with."""
        images = crash_states.Images(recorded.base, recorded.log, self.work)
        kept = f"{self.work}/kept.img"
        os.replace(images.build(state), kept)
        return kept

    def look(self, image, told):
        """Mounts what is left, checks it, lets the daemon recover, and checks again."""
        self.looked += 1
        self.told += len(told)
        thoroughly = self.looked % LOOK_EVERY == 0
        seen = f"{self.work}/told"
        shutil.rmtree(seen, ignore_errors=True)
        os.mkdir(seen)
        for name, (_, body) in told.items():
            with open(f"{seen}/{name}", "wb") as file:
                file.write(body)
        with Mounted(self.system, image, self.folder):
            wrong = [f"before recovery: {line}" for line in self.check(seen)]
            self.under_way += node_types.is_under_way(self.site.spool)
            if wrong and self.bug:
                return wrong
            ran = self.site.work()
            if ran.returncode != 0:
                said = "\n".join((ran.stdout + ran.stderr).splitlines()[-4:])
                return [*wrong, f"recovery ended with {ran.returncode}: {said}"]
            wrong += [f"at rest: {line}" for line in self.check(seen, "--at-rest")]
            wrong += self.site.forgotten(told) + self.site.unsettled()
        if thoroughly:
            complaint = self.system.check(image)
            if complaint:
                wrong.append(f"after recovery: {complaint}")
        return wrong

    def check(self, told, *more):
        """What the checker says is wrong, and what is with the node types."""
        wrong = node_types.look(self.site.root, self.site.spool, "--at-rest" in more)
        command = [sys.executable, CHECKER, "--root", self.site.root, "--spool", self.site.spool, "--told", told,
                   "--cache", f"{self.work}/oracles", *more]
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=300)
        if ran.returncode == 0:
            return wrong
        said = (ran.stdout + ran.stderr).splitlines() or [f"the checker ended with {ran.returncode}"]
        return said + wrong
