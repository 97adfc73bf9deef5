"""Planted violations of what waits in front of a stage, and of what is told there when it waits no more: I6, I12, I18."""

from copy import deepcopy as copy_of

from planted import plant
from planted_gates import found

PRODUCTION = "waiting-el9-x86_64-production"


def change_held(copy, change):
    """Changes what waits in front of production in the generation in force."""
    def change_all(manifest):
        held = manifest["account"]["standing"]["held"][PRODUCTION]["WAITS-1"]
        before = copy_of(held)
        change(held)
        assert before != held, "nothing was changed"
    copy.change_manifest(copy.current, change_all)


def rename(old, new):
    return lambda held: held.update(text=held["text"].replace(f'name="{old}"', f'name="{new}"'))


@plant("I6")
def what_waits_is_about_nothing_that_is_there(copy):
    change_held(copy, rename("twin", "nothing"))


@plant("I6")
def something_waits_for_nothing(copy):
    change_held(copy, lambda held: held.update(waits_for=[]))


@plant("I6")
def something_waits_for_what_is_nowhere(copy):
    change_held(copy, lambda held: held.update(waits_for=["nowhere-1-1.noarch"]))


@plant("I6")
def something_waits_for_what_was_withdrawn(copy):
    def change(held):
        rename("late", "never")(held)
        held.update(waits_for=["never-1-1.noarch"])
    change_held(copy, change)


@plant("I6")
def something_waits_for_what_is_there(copy):
    change_held(copy, lambda held: held["waits_for"].append("twin-12-1.noarch"))


@plant("I12", also={"I6"})
def something_is_told_though_nothing_of_it_waited(copy):
    def withdrew(said):
        return said["action"] == "withdraw" and any("waiting" in one["repository"] for one in said["moved"])
    number, _ = found(copy, withdrew)
    held = copy.manifest(number)["account"]["standing"]["held"]
    copy.change_manifest(number - 1, lambda manifest: manifest["account"]["standing"].update(held=held))


@plant("I18")
def an_advisory_is_taken_back_against_a_freeze_nobody_looked_for(copy):
    number, said = found(copy, lambda said: said["action"] == "end-advisory")
    gates = [gate for gate in said["gates"] if gate["gate"] != "freeze"]
    copy.change_answer(number, lambda answer: answer.update(gates=gates), said["claim"])
