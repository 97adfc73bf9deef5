"""Has the real program make states of node types that no cut may leave, and looks whether `node_types.py` tells them.

    wrong_node_types.py --program SLUICE --packages DIR

No file system is mounted. Ends with 0 if each state is told, and each that may be is not; with 77 for want of root.
"""

import argparse
import os
import shutil
import sys
import tempfile

import node_types
import scenarios
from site_on_disk import Site

SKIPPED = 77


class Hand:
    """A site as every run of the bed begins, and somebody who asks by hand."""

    def __init__(self, work, name, program, packages):
        folder = f"{work}/{name}"
        os.mkdir(folder)
        self.site, self.packages, self.asked = Site(folder, program, folder), packages, 0
        self.site.initialise()
        for wave in scenarios.before(self.site, packages):
            self.ask(wave)

    def ask(self, wave):
        """Asks for what must be done."""
        for stem, text in wave.items():
            self.site.drop(stem, text)
        ran = self.site.work()
        answers = self.site.answers()
        undone = [name for name, (folder, _) in answers.items() if folder != "done"]
        if ran.returncode != 0 or undone:
            raise RuntimeError(f"{wave} was not done: {ran.stderr} {[answers[name] for name in undone]}")

    def by_hand(self, text):
        """Asks for something that no scenario asks for."""
        self.asked += 1
        self.ask({f"hand-{self.asked}": text})

    def run(self, name):
        """Asks for all of a scenario."""
        for wave in scenarios.ALL[name](self.site, self.packages):
            self.ask(wave)

    def current(self):
        """Where the published generation is named, and which it is."""
        path = f"{self.site.root}/public/current"
        return path, os.readlink(path)

    def names(self, target):
        """Makes another generation the published one, as if the power had gone."""
        path, _ = self.current()
        os.unlink(path)
        os.symlink(target, path)

    def expect(self, *words, at_rest=True):
        """Demands that each of these is told, or that nothing is."""
        told = node_types.look(self.site.root, self.site.spool, at_rest)
        missing = [word for word in words if not any(word in line for line in told)]
        if missing or bool(words) != bool(told):
            raise RuntimeError(f"expected {words}, and told is {told}")
        print(f"{len(told)} told: {'; '.join(told)[:400]}")


def all_of_them(work, program, packages):
    """Each state, sound or not."""
    sound = Hand(work, "sound", program, packages)
    sound.expect()
    _, before = sound.current()
    sound.run(node_types.PART)
    sound.expect()
    _, after = sound.current()
    sound.names(before)
    sound.expect("['part'] was answered as done, and [] is in force", at_rest=False)
    sound.names(after)
    sound.run(node_types.BACK)
    sound.expect()
    back = Hand(work, "back", program, packages)
    back.run(node_types.BACK)
    back.expect()
    for answer in os.listdir(f"{back.site.spool}/done"):
        if answer.startswith("back-"):
            os.unlink(f"{back.site.spool}/done/{answer}")
    back.expect(at_rest=False)
    back.expect("['back'] is in force, and [] alone was answered as done")
    half = Hand(work, "half", program, packages)
    half.by_hand(scenarios.imported(half.site, packages, "half"))
    half.expect("delta lists glite-UI-2-1.1 beside glite-UI-2-1", "some without the others")
    half.by_hand(scenarios.withdrawn("glite-UI-2-1.noarch", "delta"))
    half.expect("glite-SITE-2-1 in delta pins `glite-UI = 2-1`, which nothing offers", "some without the others")
    half.by_hand(scenarios.withdrawn("glite-SITE", "delta"))
    half.by_hand(scenarios.withdrawn("glite-WN", "delta"))
    half.expect("some without the others")
    half.by_hand(scenarios.imported(half.site, packages, "glite-WN-2"))
    half.by_hand(scenarios.withdrawn("voms", "delta"))
    half.expect("glite-WN-2-1 in delta pins `voms = 2-1`, which nothing offers")


def main():
    """Reads the arguments, and works in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--packages", required=True)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        print("power: only root gives the daemon a user of its own", file=sys.stderr)
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="power-") as work:
        os.chmod(work, 0o755)
        program = shutil.copy(arguments.program, f"{work}/sluice")
        all_of_them(work, program, arguments.packages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
