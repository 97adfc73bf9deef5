"""Planted violations of what lies where: I1, I2, I3, I22, I23."""

import os

from forge import text_of
from planted import plant


@plant("I1")
def the_pointer_dangles(copy):
    copy.symlink("@99", "public/current")


@plant("I1")
def the_pointer_is_a_directory(copy):
    copy.remove("public/current")
    copy.at("public/current").mkdir()


@plant("I1")
def the_pointer_names_a_name(copy):
    copy.symlink("@update-1", "public/current")


@plant("I1")
def the_public_half_is_missing(copy):
    copy.remove(f"public/@{copy.current}")


@plant("I1")
def the_private_half_is_missing(copy):
    copy.remove(f"generations/{copy.current}")


@plant("I1")
def the_manifest_is_cut_short(copy):
    path = copy.manifest_path(copy.current)
    copy.edit(path, copy.read(path)[:200])


@plant("I1")
def the_manifest_is_empty(copy):
    copy.edit(copy.manifest_path(copy.current), b"")


@plant("I1")
def files_json_is_not_the_one_recorded(copy):
    path = f"generations/{copy.current}/files.json"
    copy.edit(path, copy.read(path) + b"\n")


@plant("I2")
def a_file_has_other_bytes(copy):
    path = f"public/@{copy.current}/glite-production.repo"
    copy.replace(path, copy.read(path).replace(b"enabled=1", b"enabled=0"))


@plant("I2")
def a_file_can_be_written_to(copy):
    os.chmod(copy.at(f"public/@{copy.current}/generation"), 0o644)


@plant("I2")
def a_top_can_be_written_to(copy):
    os.chmod(copy.at(f"public/@{copy.current}"), 0o755)


@plant("I2")
def a_file_nobody_recorded(copy):
    copy.make(f"public/@{copy.current}/index.html", b"hello")


@plant("I2")
def a_recorded_file_is_missing(copy):
    copy.remove(f"public/@{copy.current}/glite-delta.repo")


@plant("I2")
def a_symlink_out_of_public(copy):
    copy.symlink("../../generations", "public/@2/private")


@plant("I2", also={"I6", "I9"})
def packages_lead_to_another_repository(copy):
    path = f"public/@{copy.current}/glite/el9/x86_64/delta/source/Packages"
    text = os.readlink(copy.at(path)).replace("delta-source", "production-source")
    copy.symlink(text, path)


@plant("I2")
def a_name_leads_to_another_generation(copy):
    copy.symlink(f"@{copy.current}", "public/@update-1")


@plant("I2")
def a_name_nobody_gave(copy):
    copy.symlink(f"@{copy.current}", "public/@latest")


@plant("I2")
def a_file_is_dated_otherwise(copy):
    os.utime(copy.at(f"public/@{copy.current}/generation"), ns=(0, 10**18))


@plant("I2")
def a_directory_nobody_needs(copy):
    with copy.open(f"public/@{copy.current}/empty") as at:
        at.mkdir(mode=0o555)


@plant("I3", also={"I21"})
def an_old_manifest_was_changed(copy):
    path = copy.manifest_path(1)
    copy.edit(path, copy.read(path) + b"\n")


@plant("I3")
def an_old_manifest_is_missing(copy):
    copy.remove("history/1.json")


@plant("I3")
def a_parent_that_is_not_lower(copy):
    copy.change_manifest(2, lambda manifest: manifest["parent"].update(number=copy.current))


@plant("I3")
def a_number_with_two_manifests(copy):
    manifest = copy.manifest(2)
    manifest["created"] = "2001-01-01T00:00:00Z"
    copy.make("history/2.json", text_of(manifest))


@plant("I3")
def a_number_that_leads_nowhere(copy):
    number = copy.current
    copy.make(f"history/{number + 5}.json", copy.read(copy.manifest_path(number)))


@plant("I3")
def a_number_used_twice_over_time(copy):
    return {"remember": lambda seen: seen["manifests"].update({str(copy.current): "0" * 64})}


@plant("I22", at_rest=True)
def a_name_nobody_knows(copy):
    copy.make("lost+found/x", b"")


@plant("I22", at_rest=True)
def a_generation_that_was_being_built(copy):
    copy.at(f"staging/{copy.current + 1}/public").mkdir(parents=True)


@plant("I22", at_rest=True)
def an_import_nobody_waits_for(copy):
    copy.make("staging/import/r99/voms.rpm", b"")


@plant("I22", at_rest=True)
def a_package_with_a_name_elsewhere(copy):
    copy.link(copy.find("pool/*/*.rpm"), "spool/tmp/mine.rpm")


@plant("I22", at_rest=True)
def a_pool_file_of_another_digest(copy):
    copy.make(f"pool/00/00{'1' * 62}.rpm", b"x")


@plant("I22", at_rest=True)
def a_note_in_the_control_directory(copy):
    copy.make("spool/processing/.r99.copy", b"")


@plant("I22", at_rest=True)
def a_half_of_a_generation(copy):
    copy.at(f"public/@{copy.current + 3}").mkdir()


@plant("I23", at_rest=True)
def a_generation_that_was_dropped(copy):
    copy.change_manifest(copy.current, lambda manifest: manifest["drop_generations"].append(4))


@plant("I23", at_rest=True)
def a_link_that_was_dropped(copy):
    def change(manifest):
        link = next(iter(manifest["retained"]))
        manifest["drop_links"].append(link)
    copy.change_manifest(copy.current, change)


@plant("I23", at_rest=True)
def a_package_kept_far_too_long(copy):
    def change(manifest):
        link = next(iter(manifest["retained"]))
        manifest["retained"][link] = "2999-01-01T00:00:00Z"
    copy.change_manifest(copy.current, change)


@plant("I23", at_rest=True)
def metadata_kept_far_too_long(copy):
    def change(files):
        old = [facts for facts in files["public"].values() if "until" in facts]
        old[0]["until"] = "2999-01-01T00:00:00Z"
    copy.change_files(copy.current, change)


@plant("I23", at_rest=True)
def a_sweep_that_left_what_was_over(copy):
    def change(manifest):
        link = next(link for link in manifest["retained"] if link.count("/") == 2)
        manifest["retained"][link] = "2001-01-01T00:00:00Z"
    copy.change_manifest(copy.current, change)
