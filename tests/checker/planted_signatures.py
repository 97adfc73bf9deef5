"""Planted violations of signed metadata: I5."""

import re
import subprocess
import tempfile

from planted import plant, register_mirror
from played import end_agent

TOP = "signed/el9/x86_64/production"
OTHER = "signed/el9/x86_64/delta"
SIGNED = "signed-el9-x86_64-production"


def path(copy, name, top=TOP):
    return f"public/@{copy.current}/{top}/repodata/{name}"


def put(copy, name, data):
    """Puts other bytes in the place of a file, dated as late as the generation."""
    copy.replace(path(copy, name), data, copy.at(f"public/@{copy.current}/generation").stat().st_mtime_ns)
    copy.seal(copy.current)


def made_by_a_stranger(data):
    """A signature by a key that nobody knows, and its certificate."""
    with tempfile.TemporaryDirectory() as home:
        def gpg(*words, given=None):
            command = ["gpg", "--homedir", home, "--batch", "--no-tty", "--quiet", "--passphrase", "", *words]
            return subprocess.run(command, input=given, capture_output=True, check=True).stdout
        gpg("--quick-generate-key", "stranger <stranger@example.org>", "rsa2048", "sign", "never")
        made = gpg("--armor", "--detach-sign", "--output", "-", given=data), gpg("--armor", "--export")
        end_agent(home)
        return made


@plant("I5", also={"I9", "I10"})
def a_signature_of_another_repomd(copy):
    put(copy, "repomd.xml.asc", copy.read(path(copy, "repomd.xml.asc", OTHER)))


@plant("I5", also={"I9", "I10"})
def a_signature_by_a_stranger(copy):
    put(copy, "repomd.xml.asc", made_by_a_stranger(copy.read(path(copy, "repomd.xml")))[0])


@plant("I5", also={"I9", "I10"})
def a_stranger_with_his_certificate(copy):
    signature, certificate = made_by_a_stranger(copy.read(path(copy, "repomd.xml")))
    copy.replace(path(copy, "repomd.xml.key"), certificate)
    put(copy, "repomd.xml.asc", signature)


@plant("I5", also={"I9", "I10"})
def a_signature_that_was_damaged(copy):
    text = copy.read(path(copy, "repomd.xml.asc")).decode()
    lines = text.splitlines()
    lines[3] = "AAAA" + lines[3][4:]
    put(copy, "repomd.xml.asc", ("\n".join(lines) + "\n").encode())


@plant("I5", also={"I2", "I10", "I12"})
def metadata_changed_after_it_was_signed(copy):
    copy.change_repomd(SIGNED, lambda text: text.replace("<revision>", "<!-- by hand --><revision>", 1))


@plant("I5")
def a_signature_that_is_missing(copy):
    copy.remove(path(copy, "repomd.xml.asc"))
    copy.seal(copy.current)


@plant("I5")
def a_signature_that_nothing_speaks_of(copy):
    old = f"public/@{copy.current}/glite/el9/x86_64/production/repodata/repomd.xml.asc"
    copy.make(old, copy.read(path(copy, "repomd.xml.asc")), 0o444,
              copy.at(f"public/@{copy.current}/generation").stat().st_mtime_ns)
    copy.seal(copy.current)


@plant("I5")
def a_key_that_no_configuration_knew(copy):
    def change(manifest):
        shelved = manifest["account"]["repositories"][SIGNED]
        shelved["form"] = re.sub(r"signed=\w+", "signed=" + "0" * 40, shelved["form"])
    copy.change_manifest(copy.current, change)


@register_mirror("I5")
def a_copy_with_a_signature_of_another_repomd(top, _):
    data = (top / OTHER / "repodata/repomd.xml.asc").read_bytes()
    (top / TOP / "repodata/repomd.xml.asc").write_bytes(data)


@register_mirror("I5")
def a_copy_with_an_older_repomd_than_its_signature(top, _):
    file = top / TOP / "repodata/repomd.xml"
    file.write_text(file.read_text().replace("<revision>", "<!-- older --><revision>", 1))
