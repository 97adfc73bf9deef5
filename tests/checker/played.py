"""Plays the history of a small site with the real program: imports, promotions, refusals, a sweep, an adoption."""

import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

CONFIG = """format = 1
allowed_signers = '''
{signers}'''
[site]
name = "Played"
root = "{root}"
spool = "{spool}"
base_url = "http://127.0.0.1:1"
grace = "2s"
{allowed}[roles]
release-team = ["uid:{uid}"]
admin = ["uid:{uid}"]
quality = ["ssh:bob@example.org", "ssh:carol@example.org"]
[people]
mover = [{user}"uid:{uid}"]
bob = ["ssh:bob@example.org"]
carol = ["ssh:carol@example.org"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
profile = "el7"
import_roles = ["release-team"]
[[product]]
name = "grid"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
path = "repo/{{os}}"
import_roles = ["release-team"]
[[product.route]]
from = "delta"
to = "production"
overlap = "2 days"
[[context]]
name = "base"
folder = "{folder}/base"
[[external]]
name = "ci"
command = ["/bin/echo", "green"]
[[product]]
name = "gated"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
waiver_roles = ["release-team"]
closure = ["base"]
[[product.route]]
from = "delta"
to = "production"
soak = "1h"
approvals = [{{ role = "quality", count = 2 }}]
external = ["ci"]
[signer]
gpg_home = "{home}"
[[key]]
name = "repo"
file = "{home}/repo.asc"
fingerprint = "{fingerprint}"
[[key]]
name = "packages"
file = "{home}/packages.asc"
fingerprint = "{packages}"
[[key]]
name = "others"
file = "{home}/others.asc"
fingerprint = "{others}"
[[product]]
name = "split"
preset = "glite"
platforms = ["el9/x86_64"]
views = ["delta"]
[[product]]
name = "returned"
preset = "glite"
platforms = ["el9/x86_64"]
views = ["delta"]
[[product.stage]]
name = "delta"
retractions = true
[[product]]
name = "waiting"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "delta"
open_checksum = false
[[product.stage]]
name = "production"
import_roles = ["release-team"]
advisories = "hold"
[[product]]
name = "vouched"
preset = "glite"
platforms = ["el9/x86_64"]
signed_by = ["packages"]
[[product.stage]]
name = "delta"
signed_by = ["packages", "others"]
[[product]]
name = "signed"
preset = "glite"
platforms = ["el9/x86_64"]
metadata_signed_by = ["repo"]
[[product.stage]]
name = "delta"
profile = "el7"
"""

SPEC = """Name: twin
Version: {version}
Release: 1
Summary: twin
License: MIT
BuildArch: noarch
AutoReqProv: no
%description
{words}
%files
"""


class Played:
    """A site in a folder, and the program that drives it."""

    def __init__(self, folder, program, fixtures):
        self.folder = pathlib.Path(folder)
        self.program, self.fixtures = program, pathlib.Path(fixtures)
        self.root, self.spool = self.folder / "root", self.folder / "spool"
        self.count = 0

    def sluice(self, *words, code=0):
        command = [self.program, "-c", str(self.folder / "sluice.toml"), *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode != code:
            raise AssertionError(f"{command} ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    def init(self):
        for directory in (self.root, self.spool):
            directory.mkdir(parents=True)
        kind = subprocess.run(["stat", "-f", "-c", "%T", self.folder], capture_output=True, text=True, check=True)
        allowed = 'allow_file_systems = ["overlay"]\n' if kind.stdout.strip() == "overlayfs" else ""
        self.make_keys()
        text = CONFIG.format(root=self.root, spool=self.spool, uid=os.geteuid(), allowed=allowed, home=self.home,
                             fingerprint=self.keys["repo"], packages=self.keys["packages"],
                             others=self.keys["others"], folder=self.folder, user=name_of(os.geteuid()),
                             signers=self.make_signers("bob", "carol"))
        (self.folder / "sluice.toml").write_text(text)
        self.sluice("init")

    def make_keys(self):
        """Makes the keys that sign, in a home of their own; what became of one of them later is kept aside."""
        self.home, self.keys = tempfile.mkdtemp(prefix="signer-"), {}
        for name in ("repo", "packages", "others"):
            user = f"{name} <{name}@example.org>"
            self.gpg(3, "--quick-generate-key", user, "rsa2048", "sign", "never")
            pathlib.Path(self.home, f"{name}.asc").write_text(self.gpg(0, "--armor", "--export", user))
            lines = self.gpg(0, "--with-colons", "--list-keys", user).splitlines()
            self.keys[name] = next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def gpg(self, days, *words):
        """Runs gpg as so many days ago."""
        command = ["gpg", "--homedir", self.home, "--batch", "--no-tty", "--quiet", "--passphrase", "",
                   "--faked-system-time", str(int(time.time()) - days * 86400), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def signed(self, name, file):
        """Signs a package as package builders do."""
        subprocess.run(["rpmsign", "--define", f"_gpg_name {self.keys[name]}", "--define", f"_gpg_path {self.home}",
                        "--define", "__gpg /usr/bin/gpg", "--addsign", str(file)], check=True, capture_output=True)
        return file

    def put_aside(self):
        """Leaves packages that no request brings, and what the certificate of `packages` says once it has ended."""
        aside = self.folder / "aside"
        aside.mkdir()
        file = twin(self.folder, "4", "aside")
        shutil.copy(file, aside / "unsigned.rpm")
        for name in ("packages", "others"):
            shutil.copy(file, aside / f"{name}.rpm")
            self.signed(name, aside / f"{name}.rpm")
        key = self.keys["packages"]
        revocation = pathlib.Path(self.home, "openpgp-revocs.d", f"{key}.rev")
        revocation.write_text(revocation.read_text().replace(":-----BEGIN", "-----BEGIN"))
        with tempfile.TemporaryDirectory() as home:
            there = ["gpg", "--homedir", home, "--batch", "--no-tty", "--quiet", "--no-autostart"]
            for file in (f"{self.home}/packages.asc", str(revocation)):
                subprocess.run([*there, "--import", file], check=True, capture_output=True)
            revoked = subprocess.run([*there, "--armor", "--export"], check=True, capture_output=True).stdout
        (aside / "revoked.asc").write_bytes(revoked)
        self.gpg(2, "--quick-set-expire", key, "1d")
        (aside / "expired.asc").write_text(self.gpg(0, "--armor", "--export", key))

    def make_signers(self, *names):
        """Makes keys that sign requests, and gives the lines that allow them."""
        for name in names:
            making = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", f"{self.home}/{name}"]
            subprocess.run(making, check=True)
        return "".join(f"{name}@example.org {pathlib.Path(self.home, f'{name}.pub').read_text()}" for name in names)

    def asked_by(self, name, request):
        """Gives the keys of a request, and behind its end what its signer says."""
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        text = f'format = 1\nsite = "Played"\n{request}\nid = "of-{name}"\nexpires = "{until}"\n[end]\n'
        signing = ["ssh-keygen", "-q", "-Y", "sign", "-n", "sluice-request@v1", "-f", f"{self.home}/{name}"]
        made = subprocess.run(signing, input=text, check=True, capture_output=True, text=True).stdout
        return text + made

    def end(self):
        """Nothing is signed any more; the agent goes with its home."""
        end_agent(self.home)
        shutil.rmtree(self.home, ignore_errors=True)

    def grace(self, old, new):
        """Lets what leaves from now on be promised for another time."""
        config = self.folder / "sluice.toml"
        config.write_text(config.read_text().replace(f'grace = "{old}"', f'grace = "{new}"'))

    def upload(self, path):
        import hashlib

        data = pathlib.Path(path).read_bytes()
        name = f"{hashlib.sha256(data).hexdigest()}-{pathlib.Path(path).name}"
        (self.spool / "upload" / name).write_bytes(data)
        return name

    def ask(self, *requests):
        """Drops requests and lets the daemon do what waits."""
        for request in requests:
            self.count += 1
            draft = self.spool / "tmp" / "draft"
            whole = request.startswith("format = 1\n")
            draft.write_text(request if whole else f"format = 1\n{request}\n[end]\n")
            draft.chmod(0o644)
            draft.rename(self.spool / "incoming" / f"r{self.count:02}.toml")
        self.sluice("daemon", "--once", "--log", "warn")

    def bring(self, product, to, *files):
        names = ", ".join(f'"{self.upload(file)}"' for file in files)
        return f'action = "import"\nproduct = "{product}"\nto = "{to}"\nfiles = [{names}]'


def name_of(uid):
    """The name of a user as an account, if there is one."""
    try:
        return f'"user:{pwd.getpwuid(uid).pw_name}", '
    except KeyError:
        return ""


def end_agent(home):
    """Ends the agent of a home of gpg and takes its sockets away."""
    for what in (["--kill", "all"], ["--remove-socketdir"]):
        subprocess.run(["gpgconf", "--homedir", home, *what], check=False, capture_output=True)


def promote(package, more="", product="glite"):
    return (f'action = "promote"\nproduct = "{product}"\nfrom = "delta"\nto = "production"\n'
            f'packages = ["{package}"]\n{more}')


def node(folder, name="node", version="6"):
    """Builds a meta-package that pins one version of `twin`."""
    return twin(folder, "1", name, lambda spec: spec.replace("Name: twin", f"Name: {name}\nRequires: twin = {version}-1"))


def twin(folder, version, words, change=lambda spec: spec):
    """Builds the package `twin` of a version; other words are other bytes under the same name."""
    top = pathlib.Path(folder) / f"twin-{version}-{abs(hash(words))}"
    top.mkdir()
    (top / "twin.spec").write_text(change(SPEC.format(version=version, words=words)))
    subprocess.run(
        ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}", "--define", "_buildhost here",
         "--define", "debug_package %{nil}", str(top / "twin.spec")],
        check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1341100800", "HOME": str(top)})
    return next(top.glob("RPMS/*/*.rpm"))


def through_every_gate(site):
    """A promotion that soaks, is approved, is heard of outside and is judged beside a context."""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    base = site.folder / "base"
    base.mkdir()
    shutil.copy(site.fixtures / "bare-1-1.noarch.rpm", base)
    subprocess.run(["createrepo_c", "--quiet", str(base)], check=True, capture_output=True)
    site.ask(site.bring("gated", "delta", twin(site.folder, "5", "fifth")),
             'action = "waive"\nproduct = "gated"\nstage = "production"\ngate = "soak"\npackages = ["twin"]\n'
             f'until = "{until}"\nreason = "a hole\\nthat is used"')
    site.ask(promote("twin", "dry_run = true", product="gated"))
    answer = next((site.spool / "done").glob(f"r{site.count:02}-*.answer.json"))
    plan = json.loads(answer.read_text())["plan_hash"]
    approve = f'action = "approve"\nproduct = "gated"\nfrom = "delta"\nto = "production"\nplan = "{plan}"'
    site.ask(site.asked_by("bob", approve), site.asked_by("carol", approve))
    site.ask(promote("twin", product="gated"))


def rolled_back(site):
    """A version that is rejected, and a meta-package that pins the one before again."""
    site.ask(site.bring("returned", "delta", twin(site.folder, "8", "eighth")))
    site.ask(promote("twin", product="returned"))
    site.ask(site.bring("returned", "delta", twin(site.folder, "9", "ninth"), node(site.folder, "holder", "9")))
    site.ask('action = "rollback"\nproduct = "returned"\nfrom = "delta"\npackages = ["twin"]\nreason = "it breaks"')
    site.ask('action = "advisory"\nproduct = "returned"\nstage = "delta"\nadvisory = "PLAYED-1"\ntype = "bugfix"\n'
             'title = "what holds"\npackages = ["holder"]')


def advise(one, stage, *packages):
    names = ", ".join(f'"{package}"' for package in packages)
    return (f'action = "advisory"\nproduct = "waiting"\nstage = "{stage}"\nadvisory = "{one}"\ntype = "bugfix"\n'
            f'title = "what belongs together"\npackages = [{names}]')


def waited(site):
    """One advisory that waits for the rest of its packages, one that is told when its rest is withdrawn, one taken back."""
    site.ask(site.bring("waiting", "delta", twin(site.folder, "12", "twelfth"), node(site.folder, "late", "12"),
                        node(site.folder, "never", "12")))
    site.ask(advise("WAITS-1", "delta", "twin", "late"), advise("CUT-1", "delta", "twin", "never"),
             advise("OVER-1", "delta", "late"))
    site.ask(promote("twin", product="waiting"))
    site.ask('action = "withdraw"\nproduct = "waiting"\nfrom = "delta"\npackages = ["never"]')
    site.ask('action = "end-advisory"\nproduct = "waiting"\nadvisory = "OVER-1"\nreason = "it said nothing"')


def play(folder, program, fixtures):
    """Plays a whole history and leaves the site at rest."""
    site = Played(folder, program, fixtures)
    site.init()
    good = site.fixtures
    voms = sorted(good.glob("voms*.rpm"))
    others = [*good.glob("tools*.rpm"), *good.glob("epochal*.rpm"), good / "weak-1.0-1.noarch.rpm"]
    site.ask(
        site.bring("glite", "delta", *voms, *others),
        promote("no-such-package"),
        "action = \"promote\"\ncolour = \"blue\"",
        promote("voms*", 'id = "update-1"\nreason = "update 1"'),
        promote("nothing-like-it", 'id = "update-0"'),
    )
    site.ask(promote("voms*", 'id = "update-1"\nreason = "update 1"'), promote("tools", 'id = "update-1"'),
             promote("voms*"), promote("tools", "dry_run = true"), promote("epochal"),
             'action = "withdraw"\nproduct = "glite"\nfrom = "production"\npackages = ["voms-doc", "voms-clients"]',
             'action = "keep"\nas = "update-1"\ngeneration = 2')
    # What leaves here is not over at the next sweep, and is at the last one, however slow or fast the machine is.
    site.grace("2s", "6s")
    site.ask('action = "revert"\nproduct = "glite"\nstage = "production"\ngeneration = 2',
             'action = "withdraw"\nproduct = "glite"\nfrom = "delta"\npackages = ["weak"]')
    left = time.monotonic()
    site.grace("6s", "2s")
    site.ask('action = "sweep"')
    # What is promised from here on outlives the sweep, however slow the machine is.
    site.grace("2s", "1h")
    old = site.folder / "old" / "repo" / "el9"
    (old / "Packages").mkdir(parents=True)
    for file in (good / "markup-1.0-1.noarch.rpm", good / "bare-1-1.noarch.rpm"):
        shutil.copy(file, old / "Packages")
    shutil.copy(good / "scripts-1.0-1.noarch.rpm", old)
    subprocess.run(["createrepo_c", "--quiet", str(old)], check=True, capture_output=True)
    site.ask(f'action = "adopt"\nproduct = "grid"\nstage = "production"\nplatform = "el9/x86_64"\nfolder = "{old}"',
             site.bring("grid", "delta", twin(site.folder, "2", "second")),
             site.bring("split", "delta", twin(site.folder, "6", "sixth"), twin(site.folder, "7", "seventh"),
                        node(site.folder)),
             site.bring("vouched", "delta", site.signed("packages", twin(site.folder, "3", "vouched"))))
    through_every_gate(site)
    rolled_back(site)
    waited(site)
    first = twin(site.folder, "1", "first")
    while (early := left + 6 - time.monotonic()) > 0:
        time.sleep(early)
    site.ask(site.bring("glite", "delta", first), promote("tools-libs"),
             promote("twin", product="grid"), promote("twin", product="vouched"), 'action = "sweep"')
    site.put_aside()
    site.end()
    return site
