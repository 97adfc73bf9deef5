"""Planted violations of procedures: what is remembered, the archive, places of packages, and who asked for a step."""

import json

from forge import sha256, text_of
from planted import Plant

PLANTED = []


def plant(invariant, tells, also=()):
    """Registers one, with words that the checker must say of it."""
    def register(put):
        PLANTED.append((Plant(invariant, put.__name__, put, frozenset(also), False), tells))
        return put
    return register


def rewrite(copy, path, change):
    """Changes a file of the private half of the current generation, and every digest that leads to it."""
    value = json.loads(copy.read(path))
    change(value)
    data = json.dumps(value, separators=(",", ":")).encode()
    copy.replace(path, data)
    name = path.split("/", 2)[2]
    copy.change_files(copy.current, lambda files: files["private"][name].update(size=len(data), sha256=sha256(data)))


def remember(copy, product, change):
    path = f"generations/{copy.current}/workflow.json"
    rewrite(copy, path, lambda stored: change(stored["workflow"]["products"][product]))


def archive(copy, change):
    rewrite(copy, f"generations/{copy.current}/archive/000001.json", lambda stored: change(stored["filed"][0]))


def settle(copy, action, change):
    """Changes the record of the first request of an action, and its answer."""
    for number in range(1, copy.current + 1):
        settled = copy.manifest(number)["account"]["requests"]
        at = next((at for at, one in enumerate(settled) if one["answer"]["action"] == action), None)
        if at is None:
            continue

        def all_of(manifest):
            one = manifest["account"]["requests"][at]
            change(one)
            place = f"spool/done/{one['answer']['claim']}.answer.json"
            if copy.at(place).exists():
                copy.edit(place, text_of(one["answer"]))
        return copy.change_manifest(number, all_of)
    raise AssertionError(f"nobody asked for {action}")


def asks_as(one, owner, roles):
    one["answer"]["owner"] = one["deed"]["by"] = owner
    one["roles"] = roles


@plant("I19", "patch 2 of glite has another status")
def a_patch_stands_elsewhere(copy):
    remember(copy, "glite", lambda state: state["patches"]["2"].update(status="ready-for-production"))


@plant("I19", "patch 4 of glite is missing")
def a_patch_is_forgotten(copy):
    remember(copy, "glite", lambda state: state["patches"].pop("4"))


@plant("I19", "patch 2 of glite has another items")
def a_patch_brings_other_bytes(copy):
    remember(copy, "glite", lambda state: state["patches"]["2"]["items"][0].update(pkgid="0" * 64))


@plant("I19", "bundle b2 of glite has another revisions")
def a_bundle_has_another_hash(copy):
    remember(copy, "glite", lambda state: state["bundles"]["b2"]["revisions"][-1].update(content="0" * 64))


@plant("I19", "bundle b2 of glite has another patches")
def a_patch_slips_into_a_bundle(copy):
    remember(copy, "glite", lambda state: state["bundles"]["b2"]["patches"].append("4"))


@plant("I19", "task 5 of glite has another outcome")
def a_task_went_otherwise(copy):
    remember(copy, "glite", lambda state: state["tasks"]["5"].update(outcome="fail"))


@plant("I19", "task 5 of glite has another begun")
def a_quarantine_began_earlier(copy):
    remember(copy, "glite", lambda state: state["tasks"]["5"].update(begun="2026-01-01T00:00:00Z"))


@plant("I19", "task 2 of glite has another quarantine")
def a_quarantine_is_shorter(copy):
    remember(copy, "glite", lambda state: state["tasks"]["2"].update(quarantine="PT1S"))


@plant("I19", "ticket 2 of umd has another standing")
def a_ticket_stands_elsewhere(copy):
    remember(copy, "umd", lambda state: state["tickets"]["2"].update(standing="accepted"))


@plant("I19", "team ea-IT-CNAF of glite has another members")
def a_team_has_another_member(copy):
    remember(copy, "glite", lambda state: state["teams"]["ea-IT-CNAF"]["members"].append("uid:1"))


@plant("I19", "update 1 is another one")
def an_update_was_never_published(copy):
    archive(copy, lambda filed: filed["updates"]["1"].update(readiness="approved"))


@plant("I19", "task 1 is another one")
def an_archived_task_failed(copy):
    archive(copy, lambda filed: filed["tasks"]["1"].update(outcome="fail"))


@plant("I19", "patch 1 is missing")
def an_archived_patch_is_gone(copy):
    archive(copy, lambda filed: filed["patches"].pop("1"))


@plant("I19", "patch 1 of glite is there without cause")
def an_archived_patch_is_in_both_places(copy):
    filed = json.loads(copy.read(f"generations/{copy.current}/archive/000001.json"))["filed"][0]
    remember(copy, "glite", lambda state: state["patches"].update(filed["patches"]))


@plant("I19", "the archive: last_task of glite")
def a_number_may_come_again(copy):
    remember(copy, "glite", lambda state: state["archived"].update(last_task=0))


@plant("I19", "bb-1-1.noarch of patch 2 is not in `delta`", also={"I2", "I4", "I6", "I7", "I10", "I12"})
def a_package_of_a_bundle_is_not_there(copy):
    def gone(lists):
        import re

        for kind, text in lists.items():
            text = re.sub(r"<package [^>]*name=\"bb\".*?</package>|<package type=\"rpm\">\s*<name>bb</name>.*?</package>",
                          "", text, flags=re.DOTALL)
            lists[kind] = re.sub(r'packages="(\d+)"', lambda found: f'packages="{int(found[1]) - 1}"', text, count=1)
    copy.relist("glite-el9-x86_64-delta", gone)


@plant("I19", "bundle b2 has another hash than its packages")
def what_early_adopters_have_is_recorded_under_another_hash(copy):
    def change(one):
        fact = next(fact for fact in one["deed"]["facts"] if "bundle-revised" in fact)
        fact["bundle-revised"]["content"] = "0" * 64
    settle(copy, "bundle-rollback", change)


@plant("I18", "as:mu may not ask for `task-assign`", also={"I14", "I15", "I16", "I19"})
def the_release_team_assigns_a_task(copy):
    settle(copy, "task-assign", lambda one: asks_as(one, "as:mu", ["release-team"]))


@plant("I18", "as:ea-UK-RAL may not ask for `task-done`", also={"I14", "I15", "I16", "I19"})
def another_team_is_done(copy):
    settle(copy, "task-done", lambda one: asks_as(one, "as:ea-UK-RAL", []))


@plant("I18", "as:verifier may not ask for `release-approve`", also={"I14", "I15", "I16", "I19"})
def a_verifier_approves(copy):
    settle(copy, "release-approve", lambda one: asks_as(one, "as:verifier", ["verifiers"]))


@plant("I18", "its quarantine was not over", also={"I19"})
def a_task_is_done_too_early(copy):
    settle(copy, "task-done", lambda one: one["deed"].update(witnessed="2026-01-01T00:00:00Z"))


@plant("I18", "patch 1 is registered and was set to ready-for-rollout", also={"I19"})
def a_step_is_left_out(copy):
    settle(copy, "patch-status", lambda one: one["deed"]["facts"][0]["patch-set"].update(status="ready-for-rollout"))
