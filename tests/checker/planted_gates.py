"""Planted violations of I18 at the gates: who may, what the route demands, waivers, contexts, approvals."""

from forge import sha256
from planted import plant


def found(copy, fits):
    """The number of the generation that settled the first request that fits, and its answer."""
    for number in range(1, copy.current + 1):
        for settled in copy.manifest(number)["account"]["requests"]:
            if fits(settled["answer"]):
                return number, settled["answer"]
    raise AssertionError("no such request")


def gated(copy):
    """The promotion that every gate looked at."""
    return found(copy, lambda said: said["action"] == "promote" and any(
        gate["gate"] == "approvals" for gate in said["gates"]))


def change_gates(copy, change):
    """Changes what the gates say of that promotion; a list of them, by name, may be given back."""
    number, said = gated(copy)

    def all_of(answer):
        gates = {gate["gate"]: gate for gate in answer["gates"]}
        change(gates)
        answer["gates"] = list(gates.values())
    copy.change_answer(number, all_of, said["claim"])


def reword(gate, old, new):
    """A change of what a gate says, which must change something."""
    def change(gates):
        before = gates[gate]["evidence"]
        gates[gate]["evidence"] = before.replace(old, new)
        assert gates[gate]["evidence"] != before, before
    return change


def change_policy(copy, number, old, new):
    """Lets a generation name another policy."""
    data = copy.read(f"policy/{copy.manifest(number)['policy']}.toml")
    made = data.replace(old, new)
    assert made != data, f"nothing fits {old}"
    copy.make(f"policy/{sha256(made)}.toml", made)
    copy.change_manifest(number, lambda manifest: manifest.update(policy=sha256(made)))


BOB_AND_CAROL = b'quality = ["ssh:bob@example.org", "ssh:carol@example.org"]'


def approval(copy):
    return found(copy, lambda said: said["owner"] == "ssh:bob@example.org")[0]


@plant("I18")
def a_key_is_in_no_group(copy):
    change_policy(copy, approval(copy), BOB_AND_CAROL, b'quality = ["group:users", "gid:100", "ssh:carol@example.org"]')


@plant("I18")
def a_key_is_no_user_and_no_name_at_the_door(copy):
    change_policy(copy, approval(copy), BOB_AND_CAROL,
                  b'quality = ["user:bob", "uid:1", "as:bob@example.org", "ssh:carol@example.org"]')


@plant("I18")
def a_user_is_no_key(copy):
    number = gated(copy)[0]
    old = copy.read(f"policy/{copy.manifest(number)['policy']}.toml").split(b'release-team = [')[1].split(b"]")[0]
    change_policy(copy, number, b"release-team = [" + old, b'release-team = ["ssh:alice@example.org", "as:alice"')


@plant("I18")
def somebody_without_a_name_is_no_other_user(copy):
    number, said = gated(copy)

    def change(manifest):
        for settled in manifest["account"]["requests"]:
            if settled["answer"]["claim"] == said["claim"]:
                owner = settled["answer"]["owner"]
                settled["answer"]["owner"] = "uid:77001"
                for gate in settled["answer"]["gates"]:
                    gate["evidence"] = gate["evidence"].replace(f"`{owner}` holds", "`uid:77001` holds")
    copy.change_manifest(number, change)
    return {"also": {"I16", "I14"}}


@plant("I18")
def a_role_that_may_not_do_it(copy):
    change_gates(copy, reword("roles", "`release-team`", "`admin`"))


@plant("I18")
def a_role_held_for_another_product(copy):
    change_gates(copy, reword("roles", "of `gated`", "of `glite`"))


def without(*names):
    def put(copy):
        change_gates(copy, lambda gates: [gates.pop(name) for name in names])
    return put


for name, gates in (("soak", ["soak"]), ("approvals", ["approvals"]), ("external", ["external"]),
                    ("closure", ["closure"]), ("meta_packages", ["meta-packages"]), ("sound", ["sound"])):
    planted = without(*gates)
    planted.__name__ = f"a_promotion_that_{name}_never_saw"
    plant("I18")(planted)


@plant("I18", also={"I5"})
def a_promotion_that_signatures_never_saw(copy):
    change_policy(copy, gated(copy)[0], b'name = "gated"\n', b'name = "gated"\nsigned_by = ["repo"]\n')


@plant("I18")
def a_soak_that_the_policy_demands_and_nobody_looked_at(copy):
    number, _ = found(copy, lambda said: said["action"] == "promote")
    change_policy(copy, number, b'[[product]]\nname = "glite"\npreset = "glite"\n',
                  b'[[product]]\nname = "glite"\npreset = "glite"\nroute = [{from = "delta", to = "production", soak = "1h"}]\n')


@plant("I18")
def contexts_that_nobody_wrote_down(copy):
    without("contexts")(copy)


@plant("I18")
def a_context_without_its_state(copy):
    def change(gates):
        gates["contexts"]["evidence"] = gates["contexts"]["evidence"][:-4]
    change_gates(copy, change)


@plant("I18")
def a_context_of_another_platform(copy):
    change_gates(copy, reword("contexts", "el9/x86_64", "el8/x86_64"))


def waiver(copy):
    """The id of the waiver by which that promotion passed."""
    gates = {gate["gate"]: gate for gate in gated(copy)[1]["gates"]}
    return gates["soak"]["evidence"].split("waiver ")[1].split(":")[0]


def change_waiver(copy, change):
    """Changes the waiver wherever it stands up to that promotion."""
    number, id = gated(copy)[0], waiver(copy)

    def all_of(manifest):
        change(manifest["account"]["standing"]["waivers"], id)
    for each in (number - 1, number):
        copy.change_manifest(each, all_of)


@plant("I18")
def a_waiver_that_nobody_gave(copy):
    change_gates(copy, reword("soak", waiver(copy), "0" * 12))


@plant("I18")
def a_waiver_in_words_alone(copy):
    def change(gates):
        gates["soak"]["evidence"] = "waived by somebody until later"
    change_gates(copy, change)


@plant("I18")
def a_waiver_that_no_longer_stood(copy):
    change_waiver(copy, lambda waivers, id: waivers.pop(id))


@plant("I18")
def a_waiver_of_another_gate(copy):
    change_waiver(copy, lambda waivers, id: waivers[id].update(gate="freeze"))


@plant("I18")
def a_waiver_of_another_product(copy):
    change_waiver(copy, lambda waivers, id: waivers[id].update(product="glite"))


@plant("I18")
def a_waiver_of_somebody_else(copy):
    change_waiver(copy, lambda waivers, id: waivers[id].update(by="user:mallory"))


@plant("I18")
def a_waiver_that_was_over(copy):
    until = copy.manifest(gated(copy)[0] - 1)["account"]["standing"]["waivers"][waiver(copy)]["until"]
    change_waiver(copy, lambda waivers, id: waivers[id].update(until="2001-01-01T00:00:00Z"))
    change_gates(copy, reword("soak", until, "2001-01-01T00:00:00Z"))


@plant("I18")
def a_gate_that_nobody_can_answer_for(copy):
    def change(gates):
        gates["approvals"].update(verdict="waived", evidence=gates["soak"]["evidence"])
    change_gates(copy, change)


@plant("I18")
def an_approval_too_few(copy):
    change_gates(copy, reword("approvals", "ssh:carol@example.org, ", ""))


@plant("I18")
def an_approval_that_nobody_gave(copy):
    change_policy(copy, gated(copy)[0], BOB_AND_CAROL, BOB_AND_CAROL.replace(b"]", b', "ssh:dave@example.org"]'))
    change_gates(copy, reword("approvals", "ssh:carol@", "ssh:dave@"))


@plant("I18")
def one_person_approved_by_two_names(copy):
    change_policy(copy, gated(copy)[0], b'bob = ["ssh:bob@example.org"]\ncarol = ["ssh:carol@example.org"]',
                  b'bob = ["ssh:bob@example.org", "ssh:carol@example.org"]')


@plant("I18")
def who_asked_approved_by_another_name(copy):
    change_policy(copy, gated(copy)[0], b'bob = ["ssh:bob@example.org"]\n', b"")
    change_policy(copy, gated(copy)[0], b"mover = [", b'mover = ["ssh:bob@example.org", ')


@plant("I18")
def whoever_approved_has_the_role_no_longer(copy):
    change_policy(copy, gated(copy)[0], BOB_AND_CAROL, b'quality = ["group:users", "ssh:carol@example.org"]')
