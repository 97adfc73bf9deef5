"""Plays two products through their procedures: patches of `glite` to production, back, into the archive; tickets of `egi`."""

import json
import os
import pathlib
import time

from played import Played, node, twin

CONFIG = """format = 1
[site]
name = "Procedures"
root = "{root}"
spool = "{spool}"
base_url = "http://127.0.0.1:1"
{allowed}door = "{door}"
[roles]
release-team = ["as:mu"]
movers = ["as:mu"]
operations = ["as:ou"]
verifiers = ["as:verifier"]
emi-managers = ["as:emi"]
admin = ["uid:{uid}"]
[[product]]
name = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "certified"
import_roles = ["verifiers"]
[[product.stage]]
name = "delta"
[[product.stage]]
name = "production"
waiver_roles = ["operations"]
[[product.route]]
from = "certified"
to = "delta"
[[product.route]]
from = "delta"
to = "production"
roles = ["release-team"]
[product.procedure]
kind = "glite"
release_team = ["movers"]
from = "certified"
beta = "delta"
production = "production"
quarantine = "1s"
quarantine_rollback = "1s"
archive_after = "{archive_after}"
[[product]]
name = "umd"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "untested"
import_roles = ["verifiers"]
[[product.stage]]
name = "testing"
import_roles = ["release-team"]
withdraw_roles = ["emi-managers", "operations"]
[[product.stage]]
name = "production"
import_roles = ["release-team"]
waiver_roles = ["operations"]
[[product.route]]
from = "untested"
to = "testing"
roles = ["verifiers"]
[[product.route]]
from = "testing"
to = "production"
roles = ["emi-managers", "operations"]
[product.procedure]
kind = "egi"
quarantine = "1s"
archive_after = "30 days"
[product.procedure.managers]
EMI = ["emi-managers"]
"""

DOOR_UID = 64_007


class Town(Played):
    """A site with procedures, whose people all ask through the door."""

    def start(self):
        import subprocess

        for directory in (self.root, self.spool):
            directory.mkdir(parents=True)
        kind = subprocess.run(["stat", "-f", "-c", "%T", self.folder], capture_output=True, text=True, check=True)
        allowed = 'allow_file_systems = ["overlay"]\n' if kind.stdout.strip() == "overlayfs" else ""
        self.door = DOOR_UID if os.geteuid() == 0 else os.geteuid()
        text = CONFIG.format(root=self.root, spool=self.spool, uid=os.geteuid(), allowed=allowed,
                             door=f"uid:{self.door}", archive_after="1s")
        (self.folder / "sluice.toml").write_text(text)
        self.sluice("init")

    def says(self, product, *steps, code="done"):
        """Asks for steps at once, each `(who, action, keys)`, which are decided in this order; gives the last answer."""
        names = []
        for who, action, keys in steps:
            self.count += 1
            draft = self.spool / "tmp" / "draft"
            draft.write_text(f'format = 1\naction = "{action}"\nproduct = "{product}"\n{keys}\nas = "{who}"\n[end]\n')
            draft.chmod(0o644)
            os.chown(draft, self.door, -1)
            names.append(f"r{self.count:03}")
            draft.rename(self.spool / "incoming" / f"{names[-1]}.toml")
        self.sluice("daemon", "--once", "--log", "warn")
        said = None
        for name in names:
            said = json.loads(next(self.spool.glob(f"*/{name}-*.answer.json")).read_text())
            if code is not None and said["code"] != code:
                raise AssertionError(json.dumps(said, indent=1))
        return said

    def until_done(self, product, team, task, outcome):
        """Says how a task went, once its quarantine is over."""
        while True:
            said = self.says(product, (team, "task-done", f'task = {task}\noutcome = "{outcome}"'), code=None)
            if said["code"] == "done":
                return
            if said["code"] != "in-quarantine":
                raise AssertionError(said)
            time.sleep(0.1)

    def bring_in(self, product, stage, *files):
        names = ", ".join(f'"{self.upload(file)}"' for file in files)
        self.says(product, ("verifier", "import", f'to = "{stage}"\nfiles = [{names}]'))


def patch(id, *packages):
    return "mu", "patch-add", f'patch = "{id}"\ntitle = "patch {id}"\npackages = {json.dumps(packages)}'


def status(who, word, *patches):
    return who, "patch-status", f'status = "{word}"\npatches = {json.dumps(patches)}'


def bundle(step, id, more="", who="mu"):
    return who, f"bundle-{step}", f'bundle = "{id}"\n{more}'


def assign(id, team, more=""):
    return "ou", "task-assign", f'bundle = "{id}"\nteams = ["{team}"]\n{more}'


def task(team, step, number, more='outcome = "success"'):
    return team, f"task-{step}", f"task = {number}\n{more}"


def published(town, update, more=""):
    town.says("glite", ("mu", "release-prepare", f"update = {update}\n{more}"))
    said = town.says("glite", ("mu", "release-ready", f"update = {update}"))
    current = os.readlink(town.root / "public/current").removeprefix("@")
    stored = json.loads((town.root / f"generations/{current}/workflow.json").read_text())
    plan = stored["workflow"]["products"]["glite"]["updates"][str(update)]["plan"]
    town.says("glite", ("ou", "release-approve", f'update = {update}\nplan = "{plan}"'),
              ("mu", "release-publish", f"update = {update}"))
    return said


def glite(town):
    """One update that is published and laid aside, one bundle that is partly rejected, one with early adopters."""
    make = lambda name, version: node(town.folder, name, version)
    town.says("glite", *(("ou", "team-add", f'team = "{team}"\ncontact = "a@example.org"\nnode_types = ["aa", "bb", "cc", "dd"]')
                         for team in ("ea-IT-CNAF", "ea-UK-RAL")))
    town.bring_in("glite", "certified", make("aa", "1"), make("bb", "1"), make("cc", "1"), make("dd", "1"),
                  twin(town.folder, "1", "first"))
    town.says("glite", patch("1", "aa", "twin"), status("mu", "verified", "1"), status("ou", "ready-for-rollout", "1"),
              bundle("create", "b1", 'patches = ["1"]'), bundle("deploy", "b1"), assign("b1", "ea-IT-CNAF"),
              task("ea-IT-CNAF", "answer", 1, 'answer = "accept"'), task("ea-IT-CNAF", "start", 1))
    town.until_done("glite", "ea-IT-CNAF", 1, "success")
    town.says("glite", status("ou", "ready-for-production", "1"))
    published(town, 1)
    town.says("glite", ("ou", "release-reports", "update = 1"))


def more_of_glite(town):
    town.says("glite", patch("2", "bb"), patch("3", "cc"), patch("4", "dd"), status("mu", "verified", "2", "3", "4"),
              status("ou", "ready-for-rollout", "2", "3"), bundle("create", "b2", 'patches = ["2", "3"]'),
              bundle("add", "b2", 'patches = ["4"]'), bundle("remove", "b2", 'patches = ["4"]'), bundle("deploy", "b2"),
              assign("b2", "ea-IT-CNAF", "days = 1"), assign("b2", "ea-UK-RAL"),
              task("ea-UK-RAL", "answer", 3, 'answer = "reject"'),
              task("ea-IT-CNAF", "start", 2, 'outcome = "warning"\ntickets = ["#7"]'),
              ("ou", "task-extend", "task = 2\ndays = 1"),
              ("ou", "task-comment", 'task = 2\ncomment = "how is it?"'),
              status("ou", "rejected", "3"), bundle("rollback", "b2", 'reason = "it breaks"\nwithout = ["cc"]'),
              assign("b2", "ea-IT-CNAF", "rollback = true"),
              bundle("hold", "b2", 'reason = "wait"'), bundle("continue", "b2", who="ou"),
              assign("b2", "ea-UK-RAL"), task("ea-UK-RAL", "start", 5))
    town.until_done("glite", "ea-UK-RAL", 5, "success")


def egi(town):
    town.says("umd", *(("ou", "team-add", f'team = "{team}"\ncontact = "a@example.org"\nstacks = ["EMI"]')
                       for team in ("ea-IT-CNAF", "ea-UK-RAL")))
    town.bring_in("umd", "untested", *(node(town.folder, name, "1") for name in ("ee", "ff", "gg")))
    for id, name in (("1", "ee"), ("2", "ff"), ("3", "gg")):
        town.says("umd", ("mu", "ticket-add", f'ticket = "{id}"\ncomponent = "{name}"\nversion = "1.8.0-1"\n'
                          f'packages = ["{name}"]\nstack = "EMI"\nmajor = "1.0"\nos = "EL9"\narch = "x86_64"'),
                  ("verifier", "ticket-verify", f'ticket = "{id}"'), ("verifier", "ticket-deploy", f'ticket = "{id}"'))
    town.says("umd", ("emi", "ticket-assign", 'ticket = "1"\nteams = ["ea-IT-CNAF"]'),
              task("ea-IT-CNAF", "answer", 1, 'answer = "accept"'), task("ea-IT-CNAF", "start", 1),
              task("ea-IT-CNAF", "beta", 1, ""))
    town.until_done("umd", "ea-IT-CNAF", 1, "success")
    town.says("umd", ("emi", "ticket-accept", 'ticket = "1"'),
              ("emi", "ticket-reject", 'ticket = "3"\nreason = "it breaks"'),
              ("mu", "ticket-links", 'ticket = "2"\nrelease_notes = "https://example.org/notes"'))


def play(folder, program, fixtures):
    """Plays both, and leaves the site at rest."""
    town = Town(folder, program, fixtures)
    town.start()
    glite(town)
    egi(town)
    more_of_glite(town)
    return town


if __name__ == "__main__":
    import sys

    play(pathlib.Path(sys.argv[1]), sys.argv[2], ".")
