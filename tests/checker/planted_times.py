"""Planted violations of the history of a site: I9, I10, I12."""

from forge import swap
from planted import plant

DELTA = "glite-el9-x86_64-delta"
REPOMD = "glite/el9/x86_64/delta/repodata/repomd.xml"
SECOND = 10**9


@plant("I9", also={"I12"})
def a_name_was_given_again(copy):
    copy.change_manifest(copy.current, lambda one: one["names"]["update-1"].update(generation=copy.current - 1))
    copy.symlink(f"@{copy.current - 1}", "public/@update-1")


@plant("I9", also={"I12"})
def a_name_that_ended_lives_again(copy):
    copy.change_manifest(copy.current - 1, lambda one: one["names"]["update-1"].update(ended=True))


@plant("I9", also={"I10"})
def two_versions_of_one_second_and_size(copy):
    path = "glite-production.repo"
    place = f"public/@{copy.current}/{path}"
    copy.replace(place, copy.read(place).replace(b"enabled=1", b"enabled=0"))
    copy.seal(copy.current)


@plant("I9")
def a_package_at_a_place_of_another_digest(copy):
    path = copy.find(f"public/packages/{DELTA}/*/*/twin-1-1.noarch.rpm")
    shard, short = path.split("/")[3:5]
    copy.rename(path, path.replace(f"{shard}/{short}", f"{shard}/{shard}00000000000000"))
    copy.relist(DELTA, lambda lists: lists.update(
        primary=swap(f"{shard}/{short}", f"{shard}/{shard}00000000000000")(lists["primary"])))


@plant("I9")
def a_package_had_other_contents(copy):
    path = copy.find(f"public/packages/{DELTA}/*/*/twin-1-1.noarch.rpm")
    return {"remember": lambda seen: seen["packages"].update({path: "0" * 64})}


@plant("I9")
def a_generation_had_other_contents(copy):
    return {"remember": lambda seen: seen["files"].update({"2": "0" * 64})}


@plant("I9")
def an_earlier_version_of_the_same_second_and_size(copy):
    def change(seen):
        seen["urls"][REPOMD][0][2] = "0" * 64
        seen["repomds"].pop(REPOMD)
    return {"remember": change}


@plant("I9")
def a_repository_moved(copy):
    def change(manifest):
        manifest["account"]["repositories"]["grid-el9-x86_64-delta"]["path"] += "/x"
    copy.change_manifest(1, change)


@plant("I10")
def a_revision_does_not_rise(copy):
    copy.change_repomd(DELTA, swap(r"<revision>\d+", "<revision>1000000000"))


@plant("I10")
def timestamps_do_not_rise(copy):
    copy.change_repomd(DELTA, lambda text: __import__("re").sub(r"<timestamp>\d+", "<timestamp>1000000000", text))


@plant("I10", also={"I9"})
def a_change_is_not_dated_later(copy):
    path = f"public/@{copy.current}/{REPOMD}"
    before = copy.at(f"public/@{copy.current - 1}/{REPOMD}").stat().st_mtime_ns
    copy.replace(path, copy.read(path), before)
    copy.seal(copy.current)


@plant("I10")
def something_is_dated_anew_and_says_the_same(copy):
    path = f"public/@{copy.current}/glite-delta.repo"
    copy.replace(path, copy.read(path), copy.at(path).stat().st_mtime_ns + SECOND)
    copy.seal(copy.current)


@plant("I10")
def a_file_is_dated_in_the_future(copy):
    path = f"public/@{copy.current}/generation"
    copy.replace(path, copy.read(path), copy.at(path).stat().st_mtime_ns + 60 * SECOND)
    copy.seal(copy.current)


@plant("I10")
def the_site_is_ahead_of_the_clock(copy):
    return {"now": copy.at(f"public/@{copy.current}/generation").stat().st_mtime - 60}


@plant("I10")
def a_repomd_was_dated_later_once(copy):
    def change(seen):
        seen["repomds"][REPOMD] = ["0" * 64, seen["repomds"][REPOMD][1] + SECOND]
    return {"remember": change}


def of(manifest, action):
    return next(one for one in manifest["account"]["requests"] if one["answer"]["action"] == action)


@plant("I12")
def a_change_nobody_asked_for(copy):
    def change(answer):
        answer["moved"] = []
    claim = of(copy.manifest(), "promote")["answer"]["claim"]
    copy.change_answer(copy.current, change, claim)


@plant("I12")
def a_request_that_moved_less_than_it_says(copy):
    def change(answer):
        answer["moved"][0]["entered"].append("ghost-1-1.noarch")
    claim = of(copy.manifest(), "import")["answer"]["claim"]
    copy.change_answer(copy.current, change, claim)


@plant("I12")
def a_change_that_is_not_recorded(copy):
    def change(manifest):
        manifest["account"]["changes"].pop(DELTA)
        for settled in manifest["account"]["requests"]:
            moved = settled["answer"]["moved"]
            settled["answer"]["moved"] = [one for one in moved if one["repository"] != DELTA]
            place = f"spool/done/{settled['answer']['claim']}.answer.json"
            copy.edit(place, copy_text(settled["answer"]))
    from forge import text_of as copy_text
    copy.change_manifest(copy.current, change)


@plant("I12", also={"I18"})
def a_package_that_no_import_brought(copy):
    def change(manifest):
        of(manifest, "import")["answer"]["action"] = "promote"
    claim = of(copy.manifest(), "import")["answer"]["claim"]
    copy.change_answer(copy.current, lambda answer: answer.update(action="promote"), claim)


@plant("I12", also={"I18"})
def a_keep_that_moves_packages(copy):
    claim = of(copy.manifest(), "promote")["answer"]["claim"]
    copy.change_answer(copy.current, lambda answer: answer.update(action="keep"), claim)


@plant("I12")
def a_purge_nobody_asked_for(copy):
    copy.change_manifest(copy.current, lambda one: one["account"].update(purged=["0" * 64]))


@plant("I12")
def a_name_nobody_asked_for(copy):
    copy.change_manifest(copy.current, lambda one: one["names"].update(
        {"mine": {"generation": copy.current, "ended": True}}))


@plant("I12")
def a_repository_that_went_by_itself(copy):
    def change(manifest):
        manifest["account"]["repositories"]["ghost"] = {
            "product": "ghost", "os": "el9", "arch": "x86_64", "stage": "s", "kind": "binary", "path": "ghost"}
    copy.change_manifest(1, change)
