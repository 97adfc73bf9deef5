#!/usr/bin/python3
"""The checker, tested: nothing is wrong with a site the real program made, and every planted violation is named.

    SLUICE=target/debug/sluice SLUICE_FIXTURES=<folder of RPMs> tests/checker/test_checker.py

`SLUICE_PLAYED` names a folder where the played site is kept for the next run.
"""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import planted_gates  # noqa: E402, F401
import planted_listings  # noqa: E402, F401
import planted_mirrors  # noqa: E402, F401
import planted_named  # noqa: E402, F401
import planted_overlaps  # noqa: E402, F401
import planted_package_signatures  # noqa: E402
import planted_procedure  # noqa: E402
import planted_rebuilt  # noqa: E402
import planted_requests  # noqa: E402, F401
import planted_retracted  # noqa: E402, F401
import planted_signatures  # noqa: E402, F401
import planted_times  # noqa: E402, F401
import planted_trees  # noqa: E402, F401
import planted_views  # noqa: E402
import planted_waiting  # noqa: E402, F401
import played_procedure  # noqa: E402
import remembered  # noqa: E402
from findings import LOOKED_AT  # noqa: E402
from forge import Copy  # noqa: E402
from look import Site  # noqa: E402
from mirror import Mirror  # noqa: E402
from oracles import Oracles  # noqa: E402
from planted import MIRRORED, PLANTED  # noqa: E402
from played import play  # noqa: E402


def removed(folder):
    """Removes a folder whose directories may be sealed."""
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
    shutil.rmtree(folder)


class CheckerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Hundreds of copies of a small tree: in memory, where there is a place for that.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="checker-", dir=memory))
        cls.oracles = Oracles()
        kept = os.environ.get("SLUICE_PLAYED")
        played = pathlib.Path(kept) if kept else pathlib.Path(tempfile.mkdtemp(prefix="played-"))
        if not (played / "root").exists():
            played.mkdir(parents=True, exist_ok=True)
            play(played, os.environ["SLUICE"], os.environ["SLUICE_FIXTURES"])
        cls.played = played
        cls.base = cls.place / "base"
        Copy(played, cls.base)
        if not kept:
            removed(played)

    @classmethod
    def tearDownClass(cls):
        removed(cls.place)

    @contextlib.contextmanager
    def copy(self, name):
        copy = Copy(self.base, self.place / name)
        try:
            yield copy
        finally:
            removed(copy.folder)

    def look(self, copy, at_rest=False, told=None, now=None, state=None):
        site = Site(copy.root, copy.spool, told and copy.at(told), at_rest, now, self.oracles)
        site.look()
        if state:
            remembered.compare(site, state)
        return site.findings.violations

    def test_a_played_site_is_sound(self):
        with self.copy("sound") as copy:
            for at_rest in (False, True):
                self.assertEqual([], [str(one) for one in self.look(copy, at_rest)])
            state = self.place / "state.json"
            for _ in range(2):
                self.assertEqual([], [str(one) for one in self.look(copy, state=state)])

    def test_every_planted_violation_is_named(self):
        state = self.place / "remembered.json"
        with self.copy("remembered") as copy:
            self.look(copy, state=state)
        seen = json.loads(state.read_text())
        started = time.monotonic()
        for plant in PLANTED:
            with self.subTest(f"{plant.invariant} {plant.name}"), self.copy(plant.name) as copy:
                options = plant.put(copy) or {}
                also = plant.also | options.pop("also", set())
                if remember := options.pop("remember", None):
                    changed = json.loads(json.dumps(seen))
                    remember(changed)
                    options["state"] = self.place / "changed.json"
                    options["state"].write_text(json.dumps(changed))
                found = self.look(copy, plant.at_rest, **options)
                named = {one.invariant for one in found}
                self.assertIn(plant.invariant, named, [str(one) for one in found])
                self.assertLessEqual(named - {plant.invariant}, also, [str(one) for one in found])
        print(f"{len(PLANTED)} planted violations in {time.monotonic() - started:.1f} s", file=sys.stderr)

    def test_sluice_verify_names_what_it_must(self):
        """Packages that are not signed as their stage demands, views that list what does not follow, and what was built anew."""
        def verify(copy):
            config = (copy.folder / "sluice.toml").read_text().replace(str(self.played), str(copy.folder))
            (copy.folder / "here.toml").write_text(config)
            command = [os.environ["SLUICE"], "-c", str(copy.folder / "here.toml"), "verify", "--deep"]
            return subprocess.run(command, capture_output=True, text=True, check=False)
        with self.copy("verified") as copy:
            self.assertEqual(0, verify(copy).returncode)
        modules = {planted_package_signatures.__name__: {"I5"}, planted_views.__name__: {"I2", "I6"},
                   planted_rebuilt.__name__: {"I12"}}
        plants = [plant for plant in PLANTED if plant.put.__module__ in modules]
        # What else changes without cause, or without having been looked at, is the independent checker's to find.
        of_recipes = lambda plant: plant.put.__module__ == planted_rebuilt.__name__
        for plant in [plant for plant in plants if (plant.invariant == "I12") == of_recipes(plant)]:
            wanted = modules[plant.put.__module__]
            with self.subTest(plant.name), self.copy(plant.name) as copy:
                plant.put(copy)
                ran = verify(copy)
                named = any(f"{invariant} " in ran.stdout for invariant in wanted)
                self.assertEqual((6, True), (ran.returncode, named), ran.stdout + ran.stderr)

    def mirrored(self, number, name):
        """A copy of one generation as rsync -L makes it."""
        target = self.place / name
        if target.exists():
            removed(target)
        shutil.copytree(self.base / "root/public" / f"@{number}", target)
        subprocess.run(["chmod", "-R", "u+w", str(target)], check=True)
        return target

    def test_a_copy_of_a_generation_is_whole_and_planted_violations_are_named(self):
        current = int(os.readlink(self.base / "root/public/current")[1:])
        expect = self.base / "root/generations"
        older = self.mirrored(2, "older")
        for number in (2, current):
            for given in (None, expect):
                with self.subTest(f"sound {number}"):
                    target = self.mirrored(number, "sound")
                    found = Mirror(target, given, self.oracles).look()
                    self.assertEqual([], [str(one) for one in found])
        for invariant, put, also, with_expect in MIRRORED:
            with self.subTest(f"{invariant} {put.__name__}"):
                target = self.mirrored(current, "planted")
                put(target, older)
                found = Mirror(target, expect if with_expect else None, self.oracles).look()
                self.assertEqual({invariant}, {one.invariant for one in found} - also, [str(one) for one in found])
        print(f"{len(MIRRORED)} planted violations of a copy", file=sys.stderr)

    def test_every_invariant_has_three_planted_violations(self):
        of_procedures = [plant for plant, _ in planted_procedure.PLANTED]
        count = collections.Counter(plant.invariant for plant in [*PLANTED, *of_procedures])
        self.assertEqual({}, {name: count[name] for name in LOOKED_AT if count[name] < 3})


class ProcedureTest(unittest.TestCase):
    """The same, of a site whose products follow procedures."""

    @classmethod
    def setUpClass(cls):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="procedures-", dir=memory))
        cls.oracles = Oracles()
        cls.base = cls.place / "base"
        played = pathlib.Path(tempfile.mkdtemp(prefix="played-"))
        os.chmod(played, 0o755)
        played_procedure.play(played, os.environ["SLUICE"], os.environ["SLUICE_FIXTURES"])
        Copy(played, cls.base)
        removed(played)

    @classmethod
    def tearDownClass(cls):
        removed(cls.place)

    def look(self, name, put=None, at_rest=False):
        copy = Copy(self.base, self.place / name)
        try:
            if put:
                put(copy)
            return Site(copy.root, copy.spool, None, at_rest, None, self.oracles).look()
        finally:
            removed(copy.folder)

    def test_a_site_with_procedures_is_sound(self):
        for at_rest in (False, True):
            self.assertEqual([], [str(one) for one in self.look("sound", at_rest=at_rest)])

    def test_every_planted_violation_of_procedures_is_named_and_told(self):
        for plant, tells in planted_procedure.PLANTED:
            with self.subTest(f"{plant.invariant} {plant.name}"):
                found = self.look(plant.name, plant.put)
                told = [one for one in found if one.invariant == plant.invariant and tells in one.words]
                self.assertTrue(told, [str(one) for one in found])
                others = {one.invariant for one in found} - {plant.invariant}
                self.assertLessEqual(others, plant.also, [str(one) for one in found])
        print(f"{len(planted_procedure.PLANTED)} planted violations of procedures", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
