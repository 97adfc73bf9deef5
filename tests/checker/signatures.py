"""I5, its first half: where metadata is signed, gpg says that the signature is one of the repomd.xml beside it."""

import hashlib
import os
import shutil
import subprocess
import tempfile

import views
from findings import CannotLook

REPOMD, SIGNATURE, CERTIFICATES = "repomd.xml", "repomd.xml.asc", "repomd.xml.key"

# How much later than a generation is dated its signatures may have been made.
LATE = 300


def look(site):
    """Verifies the signature of every repository and view of every kept generation, each set of files once."""
    known, named = {}, keys_of_policies(site)
    with Gpg() as gpg:
        for generation in site.whole():
            for name, shelved in generation.repositories.items():
                for one in (shelved, *views.of(generation, name).values()):
                    repository(site, generation, one, known, named.get(generation.number), gpg)


def keys_of_policies(site):
    """The fingerprints that the configurations named up to each generation; None from one on that cannot be read."""
    named, known = {}, set()
    for number in sorted(site.chain):
        policy = site.policy_of(site.chain[number])
        if policy is None or known is None:
            known = None
        else:
            known = known | {"".join(str(key.get("fingerprint", "")).split()).upper() for key in policy.get("key", [])}
        named[number] = known
    return named


def recorded(shelved):
    """The fingerprints a repository is recorded with; the first signed."""
    words = [word for word in (shelved.get("form") or "").split(" ") if word.startswith("signed=")]
    return words[0].removeprefix("signed=").split(",") if words else None


def repository(site, generation, shelved, known, named, gpg):
    top = f"public/@{generation.number}/{shelved['path']}/repodata"
    files = [site.tree.read(f"{top}/{name}") for name in (REPOMD, SIGNATURE, CERTIFICATES)]
    wanted = recorded(shelved)
    if wanted is None:
        for name, data in zip((SIGNATURE, CERTIFICATES), files[1:]):
            if data is not None:
                site.broken("I5", f"{top}/{name}", "it is there, and no key is recorded by which it was made")
        return
    if None in files:
        site.broken("I5", f"{top}/{SIGNATURE}", "the metadata is signed, and a file of it is missing")
        return
    for fingerprint in wanted:
        if named is not None and fingerprint not in named:
            site.broken("I5", f"{top}/{SIGNATURE}", f"no configuration so far knows the key {fingerprint}")
    key = tuple(hashlib.sha256(data).digest() for data in files)
    if key not in known:
        known[key] = wrong(*files, wanted, generation.created // 10**9 + LATE, gpg)
    if known[key]:
        site.broken("I5", f"{top}/{SIGNATURE}", known[key])


def wrong(repomd, signature, certificates, wanted, instant, gpg):
    """Says what is wrong with a signature at an instant, None if nothing is. `wanted` may be None: any key of the file."""
    found, valid = gpg.verify(repomd, signature, certificates, instant)
    if wanted is not None and found != wanted:
        return f"the certificates are of {found}, and {wanted} are recorded"
    if valid is None:
        return "gpg does not say that it is a good signature of the repomd.xml"
    if valid not in (found if wanted is None else wanted[:1]):
        return f"it was made by {valid}"
    return None


class Gpg:
    """The oracle, with a keyring for each file of certificates."""

    def __enter__(self):
        self.place = tempfile.mkdtemp(prefix="gpg-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.place, ignore_errors=True)

    def run(self, home, *words):
        command = ["gpg", "--homedir", home, "--batch", "--no-tty", "--no-autostart", "--status-fd", "1", *words]
        try:
            return subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise CannotLook("the program `gpg` is missing") from error

    def verify(self, repomd, signature, certificates, instant):
        """The fingerprints in the file of certificates, in order, and the primary key of a valid signature or None."""
        home = os.path.join(self.place, hashlib.sha256(certificates).hexdigest()[:16])
        if not os.path.isdir(home):
            os.mkdir(home, 0o700)
            self.write(home, CERTIFICATES, certificates)
            self.run(home, "--import", os.path.join(home, CERTIFICATES))
        shown = self.run(home, "--with-colons", "--show-keys", os.path.join(home, CERTIFICATES)).stdout.decode()
        lines = [line.split(":") for line in shown.splitlines()]
        found = [lines[n + 1][9] for n, line in enumerate(lines[:-1]) if line[0] == "pub" and lines[n + 1][0] == "fpr"]
        names = [self.write(home, name, data) for name, data in ((SIGNATURE, signature), (REPOMD, repomd))]
        said = self.run(home, "--faked-system-time", f"{instant}!", "--verify", *names)
        status = [line.split(" ")[1:] for line in said.stdout.decode(errors="replace").splitlines()
                  if line.startswith("[GNUPG:] ")]
        words = {line[0] for line in status}
        valid = [line[-1] for line in status if line[0] == "VALIDSIG"]
        return found, valid[0] if said.returncode == 0 and "GOODSIG" in words and len(valid) == 1 else None

    def write(self, home, name, data):
        path = os.path.join(home, name)
        with open(path, "wb") as file:
            file.write(data)
        return path
