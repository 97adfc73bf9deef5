"""Planted violations of a copy of one generation: what a mirror that was cut short or mixed up shows."""

import os
import re
import shutil

from forge import swap
from planted import register_mirror as plant

DELTA = "glite/el9/x86_64/delta"


def package(top, name="tools-libs-*.rpm"):
    return sorted(top.glob(f"glite/el9/x86_64/production/Packages/*/*/{name}"))[0]


@plant("I1")
def there_is_no_stamp(top, other):
    (top / "generation").unlink()


@plant("I1")
def the_stamp_is_cut_short(top, other):
    (top / "generation").write_text("6")


@plant("I1")
def the_stamp_says_nothing(top, other):
    (top / "generation").write_text("latest\n")


@plant("I4")
def only_one_list_has_no_open_checksum(top, other):
    path = top / DELTA / "repodata/repomd.xml"
    path.write_text(swap(r"<open-checksum[^>]*>[^<]*</open-checksum>", "")(path.read_text()))


@plant("I2")
def a_repository_of_a_later_generation(top, other):
    shutil.copy2(other / "generation", top / "generation")


@plant("I2")
def a_repo_file_leads_nowhere(top, other):
    path = top / "glite-delta.repo"
    path.write_text(path.read_text().replace(DELTA, DELTA + "s"))


@plant("I2")
def no_repo_file_leads_to_a_repository(top, other):
    for path in top.glob("grid-*.repo"):
        path.unlink()


@plant("I2", also={"I7"}, expect=True)
def an_older_generation_in_part(top, other):
    # A package that was promoted since is in the old lists, and all the old lists name is there.
    shutil.rmtree(top / DELTA)
    shutil.copytree(other / DELTA, top / DELTA)


@plant("I4")
def metadata_that_did_not_arrive(top, other):
    sorted((top / DELTA / "repodata").glob("*-other*"))[0].unlink()
    for path in sorted((top / DELTA / "repodata").glob("*-other*")):
        path.unlink()


@plant("I4")
def metadata_cut_short(top, other):
    path = top / DELTA / "repodata" / "repomd.xml"
    href = re.search(r'href="([^"]*-primary[^"]*)"', path.read_text()).group(1)
    data = (top / DELTA / href).read_bytes()
    (top / DELTA / href).write_bytes(data[: len(data) // 2])


@plant("I4")
def a_repomd_of_another_repository(top, other):
    path = top / DELTA / "repodata" / "repomd.xml"
    path.write_text(swap(r"<open-size>\d+", "<open-size>3")(path.read_text()))


@plant("I6")
def a_package_that_did_not_arrive(top, other):
    package(top).unlink()


@plant("I6")
def a_package_cut_short(top, other):
    path = package(top)
    os.truncate(path, path.stat().st_size - 1)


@plant("I6")
def a_package_with_other_bytes(top, other):
    path = package(top)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@plant("I7")
def a_file_being_transferred(top, other):
    path = package(top)
    (path.parent / f".{path.name}.Xa81pQ").write_bytes(path.read_bytes()[:100])


@plant("I7")
def a_package_at_a_place_of_its_own(top, other):
    path = top / DELTA / "Packages" / "mine.rpm"
    path.write_bytes(b"not a package")


@plant("I7", expect=True)
def a_package_that_nothing_retains(top, other):
    path = package(top)
    digest = "00" + "1" * 14
    (top / DELTA / "Packages" / "00" / digest).mkdir(parents=True)
    shutil.copy2(path, top / DELTA / "Packages" / "00" / digest / path.name)
