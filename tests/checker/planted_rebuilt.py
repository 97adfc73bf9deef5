"""Planted violations of what was built anew and of roll-backs: I12, I18."""

from planted import plant
from planted_gates import found


def rollback(copy):
    """The roll-back: its generation, and its answer."""
    return found(copy, lambda said: said["action"] == "rollback")


def change_recipes(copy, change):
    """Changes what is on record of what the roll-back had built."""
    number, said = rollback(copy)

    def all_of(manifest):
        settled = next(one for one in manifest["account"]["requests"] if one["answer"]["claim"] == said["claim"])
        assert settled["grounds"]["rebuilt"], settled
        change(settled["grounds"]["rebuilt"])
    copy.change_manifest(number, all_of)


@plant("I12")
def a_file_built_anew_without_a_recipe(copy):
    change_recipes(copy, lambda rebuilt: rebuilt.clear())


@plant("I12")
def a_recipe_of_what_was_never_listed(copy):
    change_recipes(copy, lambda rebuilt: rebuilt[0][0].update(of="0" * 64))


@plant("I12")
def a_recipe_of_a_package_of_another_name(copy):
    def change(rebuilt):
        moved = copy.manifest(rollback(copy)[0])["account"]["changes"]["returned-el9-x86_64-delta"]["left"]
        rebuilt[0][0].update(of=next(one["pkgid"] for one in moved if one["nevra"].startswith("twin-")))
    change_recipes(copy, change)


@plant("I12")
def a_recipe_for_another_product(copy):
    change_recipes(copy, lambda rebuilt: rebuilt[0][0].update(product="glite"))


@plant("I12")
def a_recipe_that_made_another_file(copy):
    change_recipes(copy, lambda rebuilt: rebuilt[0][1]["Ok"].update(pkgid="0" * 64))


@plant("I12")
def a_recipe_that_made_nothing(copy):
    def change(rebuilt):
        rebuilt[0][1] = {"Err": {"code": "not-rebuildable", "words": "it is torn"}}
    change_recipes(copy, change)


def without(gate):
    def put(copy):
        number, said = rollback(copy)

        def change(answer):
            answer["gates"] = [one for one in answer["gates"] if one["gate"] != gate]
        copy.change_answer(number, change, said["claim"])
    put.__name__ = f"a_roll_back_that_{gate.replace('-', '_')}_never_saw"
    return put


for name in ("sound", "freeze", "variants", "other-content"):
    plant("I18")(without(name))


@plant("I18")
def a_roll_back_somewhere_else(copy):
    number, said = rollback(copy)

    def change(answer):
        for gate in answer["gates"]:
            gate["evidence"] = gate["evidence"].replace("roll back in `delta`", "roll back in `production`")
    copy.change_answer(number, change, said["claim"])
