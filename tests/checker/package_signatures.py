"""I5, its second half: what entered a stage that demands signatures is signed by keys the stage took at that commit.

rpmkeys says whether digests and signatures fit, with these keys and no others; gpg says how the keys stood at the
commit, which rpm before 4.19 does not look at.
"""

import hashlib
import os
import struct
import tempfile

from oracles import run
from signatures import LATE, Gpg
from words import Misread, instant

KEY = "RPM-GPG-KEY-"
LEAD, MAGIC = 96, b"\x8e\xad\xe8\x01"
# The tags of signatures, and whether each is made of header and payload, or of the header alone.
TAGS = {267: False, 268: False, 1002: True, 1005: True}


class NotRpm(Exception):
    """The bytes are no package; I6 says so."""


def look(site):
    """Judges every package that a kept generation lists, by the keys in force when it entered."""
    wanted = entered(site)
    if not wanted:
        return
    with Gpg() as gpg:
        known = served(site, gpg)
        for (name, digest, _), (generation, names) in sorted(wanted.items()):
            judge(site, generation, name, digest, names, known, gpg)


def demanded(policy, product, stage):
    """The `[[key]]` tables of those who let packages into a stage; none where it demands nothing."""
    names = []
    for table in policy.get("product", []):
        if table.get("name") == product:
            names = table.get("signed_by", [])
            for one in table.get("stage", []):
                if one.get("name") == stage:
                    names = one.get("signed_by", names)
    names = [names] if isinstance(names, str) else names
    keys = {key.get("name"): key for key in policy.get("key", [])}
    return [keys[name] for name in names if name in keys]


def entered(site):
    """The packages kept generations list that entered where signatures were demanded: by which generation and keys."""
    since, wanted, kept = {}, {}, {generation.number for generation in site.whole()}
    for generation in site.chain.values():
        policy = site.policy_of(generation) or {}
        for name, moves in generation.account["changes"].items():
            shelved = generation.repositories.get(name)
            for package in moves["left"]:
                since.pop((name, package["pkgid"]), None)
            keys = demanded(policy, shelved["product"], shelved["stage"]) if shelved else []
            for package in moves["entered"] if keys else []:
                since[name, package["pkgid"]] = (generation, keys)
        if generation.number in kept:
            wanted |= {(*place, how[0].number): how for place, how in since.items()}
    return wanted


def served(site, gpg):
    """The certificates kept generations serve: by fingerprint and number of the generation, rising."""
    found = {}
    for generation in site.whole():
        for path in sorted(generation.files["public"]):
            data = site.tree.read(f"public/@{generation.number}/{path}") if path.startswith(KEY) else None
            for fingerprint in fingerprints(site, data, gpg) if data else []:
                found.setdefault(fingerprint, {})[generation.number] = data
    return found


def fingerprints(site, data, gpg):
    key = hashlib.sha256(data).digest()
    if key not in site.oracles.vouched:
        home = os.path.join(gpg.place, "shown")
        os.makedirs(home, 0o700, exist_ok=True)
        shown = gpg.run(home, "--with-colons", "--show-keys", gpg.write(home, "key", data)).stdout.decode()
        lines = [line.split(":") for line in shown.splitlines()]
        site.oracles.vouched[key] = [
            after[9] for line, after in zip(lines, lines[1:]) if line[0] == "pub" and after[0] == "fpr"]
    return site.oracles.vouched[key]


def judge(site, generation, name, digest, keys, known, gpg):
    package = site.tree.read(f"pool/{digest[:2]}/{digest}.rpm")
    if package is None or hashlib.sha256(package).hexdigest() != digest:
        return  # I6 says so
    path = f"pool/{digest[:2]}/{digest}.rpm"
    broken = lambda words: site.broken("I5", path, f"{words}; it entered {name} in generation {generation.number}")
    certificates = []
    for key in keys:
        fingerprint = "".join(str(key.get("fingerprint", "")).split()).upper()
        if not allowed(key, generation.created):
            continue
        there = known.get(fingerprint, {})
        if generation.files is None and not there:
            return  # The generation is kept no more, nor is its key: nobody can tell.
        # One that is no more in force was not handed out; a later one tells when it was revoked.
        later = [number for number in sorted(there) if generation.files is None and number > generation.number]
        number = generation.number if generation.number in there else next(iter(later), None)
        if number is not None:
            certificates.append(there[number])
    asked = (digest, generation.created, *(hashlib.sha256(one).digest() for one in certificates))
    if asked not in site.oracles.vouched:
        try:
            site.oracles.vouched[asked] = vouched(package, certificates, generation.created // 10**9, gpg)
        except NotRpm:
            return
    signers, wrong = site.oracles.vouched[asked]
    recorded = generation.account.get("signed", {}).get(digest)
    if wrong:
        broken(wrong)
    elif recorded is not None and set(recorded) != signers:
        broken(f"it is signed by {sorted(signers)}, and {recorded} are recorded")


def allowed(key, created):
    """Whether a configuration took what a key signed; the commit comes a moment after the decision."""
    try:
        begins, ends = (instant(key[word]) if word in key else None for word in ("from", "until"))
    except Misread:
        return True  # written in another way than people here do
    return (begins is None or begins <= created) and (ends is None or created - LATE * 10**9 < ends)


def vouched(package, certificates, created, gpg):
    """The keys a package is signed by, and what is wrong with that, or None."""
    with tempfile.TemporaryDirectory(prefix="vouched-", dir=gpg.place) as home:
        file = gpg.write(home, "package.rpm", package)
        database = ["--define", f"_dbpath {home}/rpmdb"]
        taken = True
        for number, certificate in enumerate(certificates):
            key = gpg.write(home, f"key-{number}", certificate)
            gpg.run(home, "--import", key)
            taken &= run(["rpmkeys", *database, "--import", key]).returncode == 0
        signers, found = set(), signatures_of(package)
        if not found:
            return signers, "it is not signed"
        for signature, signed in found:
            primary, wrong = by_gpg(home, signature, signed, created, gpg)
            if wrong:
                return signers, wrong
            signers.add(primary)
        # This rpm does not know every kind of key.
        said = run(["rpmkeys", *database, "-Kv", file])
        if taken and said.returncode != 0:
            return signers, f"rpmkeys does not take it: {said.stdout.decode(errors='replace').strip()[-300:]}"
        return signers, None


def by_gpg(home, signature, signed, created, gpg):
    """The primary key that made a signature, and what is wrong with it at an instant or None."""
    names = [gpg.write(home, name, data) for name, data in (("signature", signature), ("signed", signed))]
    status = []
    # The key must have stood at the commit; the clock of who signed may have been a little ahead.
    for seconds in (created, created + LATE):
        said = gpg.run(home, "--faked-system-time", f"{seconds}!", "--verify", *names).stdout.decode(errors="replace")
        status = [line.split(" ")[1:] for line in said.splitlines() if line.startswith("[GNUPG:] ")]
        words = {line[0] for line in status}
        valid = [line[-1] for line in status if line[0] == "VALIDSIG"]
        if len(valid) != 1:
            continue
        if "GOODSIG" in words or "REVKEYSIG" in words and revoked(home, valid[0], gpg) > created:
            return valid[0], None
    words = " ".join(line[0] for line in status if line[0].endswith("SIG") or line[0] in ("ERRSIG", "NO_PUBKEY"))
    return None, f"no key that the stage took then made its signature, or the key did not count: gpg says {words}"


def revoked(home, fingerprint, gpg):
    """When a key was revoked, in seconds; 0 if that is not told."""
    shown = gpg.run(home, "--with-colons", "--list-sigs", fingerprint).stdout.decode(errors="replace")
    dates = [line.split(":")[5] for line in shown.splitlines() if line.startswith("rev:")]
    return min((int(date) for date in dates if date.isdigit()), default=0)


def signatures_of(package):
    """Every signature of a package, with the bytes it is made of."""
    entries, store, end = header(package, LEAD)
    begin = (end + 7) // 8 * 8
    _, _, payload = header(package, begin)
    found = []
    for tag, kind, offset, count in entries:
        if tag in TAGS and kind == 7:
            signed = package[begin:] if TAGS[tag] else package[begin:payload]
            found.append((store[offset:offset + count], signed))
    return found


def header(package, begin):
    """The entries of a header, its store, and where it ends."""
    try:
        magic, _, count, size = struct.unpack_from(">4s4sII", package, begin)
        index = begin + 16
        end = index + 16 * count + size
        if magic != MAGIC or end > len(package):
            raise NotRpm
        entries = [struct.unpack_from(">IIII", package, index + 16 * number) for number in range(count)]
    except struct.error as error:
        raise NotRpm from error
    return entries, package[index + 16 * count:end], end
