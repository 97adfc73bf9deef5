"""Planted violations of signed packages: I5."""

from forge import sha256
from planted import plant

VOUCHED = "vouched-el9-x86_64-production"


def aside(copy, name):
    return (copy.folder / "aside" / name).read_bytes()


def serve(copy, certificate):
    """Puts another certificate of the key that lets packages in, dated as late as the generation."""
    path = f"public/@{copy.current}/RPM-GPG-KEY-packages"
    copy.replace(path, aside(copy, certificate), copy.at(f"public/@{copy.current}/generation").stat().st_mtime_ns)
    copy.seal(copy.current)


@plant("I5")
def a_package_that_nobody_signed(copy):
    copy.list_package(VOUCHED, aside(copy, "unsigned.rpm"), "4")


@plant("I5")
def a_package_signed_by_a_key_of_another_stage(copy):
    copy.list_package(VOUCHED, aside(copy, "others.rpm"), "4")


@plant("I5", also={"I9", "I10"})
def a_package_by_a_key_that_had_expired(copy):
    serve(copy, "expired.asc")


@plant("I5", also={"I9", "I10"})
def a_package_by_a_key_that_was_revoked(copy):
    serve(copy, "revoked.asc")


@plant("I5", also={"I6"})
def a_package_changed_after_it_was_signed(copy):
    data = bytearray(aside(copy, "packages.rpm"))
    data[-20] ^= 1
    copy.list_package(VOUCHED, bytes(data), "4")


@plant("I5")
def a_key_on_record_that_did_not_sign(copy):
    def change(manifest):
        signed = manifest["account"]["signed"]
        signed[next(iter(signed))] = ["0" * 40]
    copy.change_manifest(copy.current, change)


@plant("I5")
def a_key_that_counted_no_more(copy):
    policy = copy.read(f"policy/{copy.manifest()['policy']}.toml").decode()
    changed = policy.replace('name = "packages"\n', 'name = "packages"\nuntil = "2020-01-01T00:00:00Z"\n', 1).encode()
    assert changed != policy.encode()
    copy.make(f"policy/{sha256(changed)}.toml", changed)
    copy.change_manifest(copy.current, lambda manifest: manifest.update(policy=sha256(changed)))
