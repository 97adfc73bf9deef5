"""A site of the real program on a mounted file system: its requests, its daemon, and what it must never forget."""

import collections
import glob
import hashlib
import json
import os
import re
import subprocess

# The daemon has a user of its own, whoever asks is root; as on a real machine the two differ.
DAEMON = 64_002
ANSWER = ".answer.json"

CONFIG = """\
format = 1
[site]
name = "Power"
root = "{folder}/root"
spool = "{folder}/spool"
base_url = "http://127.0.0.1:1"
grace = "1s"
[roles]
release-team = ["uid:0"]
admin = ["uid:0"]
[[product]]
name = "glite"
preset = "glite"
partial_release = "raised"
platforms = ["el9/x86_64"]
"""


class Site:
    """The site below `folder`, run by `program`, which is started by `around`.

    `beside` keeps what is not on the disk that is cut off.
    """

    def __init__(self, folder, program, beside, around=()):
        self.folder, self.program, self.around = folder, program, around
        self.root, self.spool = f"{folder}/root", f"{folder}/spool"
        self.config = f"{beside}/sluice.toml"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=folder))

    def initialise(self):
        """Makes the directories and the first generation."""
        os.chmod(self.folder, 0o755)
        for folder in (self.root, self.spool):
            os.mkdir(folder, 0o755)
            os.chown(folder, DAEMON, DAEMON)
        self.must(self.as_daemon("init"))

    def as_daemon(self, *arguments, before=()):
        """A command of the program as the daemon's user; it goes when the bed goes."""
        user = ["--reuid", str(DAEMON), "--regid", str(DAEMON), "--clear-groups"]
        return ["setpriv", "--pdeathsig", "KILL", *user, "--", *before, self.program, "-c", self.config, *arguments]

    def must(self, command, bug=None):
        """Runs a command that must succeed."""
        ran = self.run(command, bug)
        if ran.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")

    @staticmethod
    def environment(bug=None):
        """The environment of the program, with a bug planted if one is named."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SLUICE_")}
        if bug:
            environment["SLUICE_PLANTED_BUG"] = bug
        return environment

    def run(self, command, bug=None):
        """Runs a command, with a bug planted if one is named."""
        return subprocess.run([*self.around, *command], capture_output=True, text=True, errors="replace",
                              env=self.environment(bug), cwd="/", timeout=300, check=False)

    def work(self, bug=None):
        """Lets the daemon start, recover, and do all that waits."""
        return self.run(self.as_daemon("daemon", "--once"), bug)

    def upload(self, package):
        """Puts a package where an import finds it, and gives its name there."""
        with open(package, "rb") as file:
            body = file.read()
        name = f"{hashlib.sha256(body).hexdigest()}-{os.path.basename(package)}"
        self.write(f"{self.spool}/upload/{name}", body)
        return name

    def drop(self, stem, text):
        """Drops a request as people do: written in `tmp/`, synced, then renamed."""
        draft = f"{self.spool}/tmp/{stem}.toml"
        self.write(draft, f"format = 1\n{text}\n[end]\n".encode())
        os.rename(draft, f"{self.spool}/incoming/{stem}.toml")
        if self.around:
            # Without a journal a name that is gone in memory only comes to mean whatever gets its inode next.
            for place in ("incoming", "tmp"):
                sync_directory(f"{self.spool}/{place}")

    @staticmethod
    def write(path, body):
        """Writes and syncs a file that anybody may read."""
        with open(path, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(path, 0o644)

    def answers(self):
        """Every answer that can be seen: its name to its folder and bytes."""
        found = {}
        for path in glob.glob(f"{self.spool}/done/*{ANSWER}") + glob.glob(f"{self.spool}/failed/*{ANSWER}"):
            with open(path, "rb") as file:
                found[os.path.basename(path)] = (path.split("/")[-2], file.read())
        return found

    def forgotten(self, told):
        """Says which of the answers somebody has seen are not there any more, or are not what they were."""
        wrong = []
        for name, (folder, body) in sorted(told.items()):
            path = f"{self.spool}/{folder}/{name}"
            try:
                with open(path, "rb") as file:
                    now = json.loads(file.read())
            except (OSError, ValueError) as error:
                wrong.append(f"I16 {path}: somebody has read this answer, and now: {error}")
                continue
            if now != json.loads(body):
                wrong.append(f"I16 {path}: it says something else than before the power cut")
        return wrong

    def unsettled(self):
        """Says which requests are not settled once, when the daemon has done all that waits."""
        wrong = []
        claims = collections.defaultdict(set)
        for name in self.answers():
            claim = name[: -len(ANSWER)]
            claims[stem_of(claim)].add(claim)
        for manifest in glob.glob(f"{self.root}/generations/*/manifest.json"):
            with open(manifest, encoding="utf-8") as file:
                for claim in claims_in(json.load(file)):
                    claims[stem_of(claim)].add(claim)
        for stem, settled in sorted(claims.items()):
            if len(settled) > 1:
                wrong.append(f"I15 {stem}: settled {len(settled)} times, as {', '.join(sorted(settled))}")
        for path in glob.glob(f"{self.spool}/incoming/*") + glob.glob(f"{self.spool}/processing/*"):
            wrong.append(f"I14 {path}: nobody has answered it")
        for path in glob.glob(f"{self.spool}/done/*.toml") + glob.glob(f"{self.spool}/failed/*.toml"):
            if not os.path.exists(path[: -len(".toml")] + ANSWER):
                wrong.append(f"I14 {path}: it lies there without its answer")
        return wrong


def sync_directory(path):
    """Makes the names in it durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stem_of(claim):
    """The name a request had before it was claimed: `<stem>-<UTC time>-<6 hex>`."""
    return re.sub(r"-[^-]+-[^-]+$", "", claim)


def claims_in(value):
    """Every claim named by an answer anywhere in a document, but the clock's own."""
    if isinstance(value, dict):
        if "claim" in value and "outcome" in value:
            if value["claim"] and "/" not in value["claim"]:
                yield value["claim"]
        else:
            for part in value.values():
                yield from claims_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from claims_in(part)
