"""What the policy demands of a request along its route, and whether what its gates say can be true."""

import re

from procedure_rules import OPERATIONS, RELEASE, VERIFIERS, roles_of, stages
from words import STEPS, acts, instant, length

# The gates every request of a kind passes, whatever its route adds.
GATES = {
    "import": {"roles", "sound", "other-content", "variants", "version-order", "freeze"},
    "adopt": {"roles", "sound", "other-content", "variants", "freeze"},
    "promote": {"roles", "sound", "other-content", "variants", "version-order", "freeze"},
    "rollback": {"roles", "sound", "other-content", "variants", "freeze"},
    "revert": {"roles", "sound", "other-content", "variants", "freeze"},
    "undo": {"roles"},
    "withdraw": {"roles", "freeze"},
    "approve": {"roles"},
    "variant": {"roles"},
    "advisory": {"roles", "freeze"},
    "end-advisory": {"roles", "freeze"},
    "end-variant": {"roles"},
    "waive": {"roles"},
    "end-waiver": {"roles"},
    "freeze": {"roles"},
    "thaw": {"roles"},
    "keep": {"roles"},
    "sweep": {"roles"},
    "purge": {"roles"},
    "accept-clock": {"roles"},
}
# What an undo passes beside that if it moves packages; what was decided ends as it does otherwise.
UNDONE = {"purged", "sound", "other-content", "variants", "version-order", "freeze"}
WAIVABLE = {"version-order", "soak", "freeze", "procedure", "closure", "meta-packages", "external"}
# What the gate `roles` says that was asked, by action: stages and product.
ASKED = {
    "import": r"import into `(?P<to>[^`]+)` of `(?P<product>[^`]+)`\Z",
    "adopt": r"adopt a repository into `(?P<to>[^`]+)` of `(?P<product>[^`]+)`\Z",
    "promote": r"promote from `(?P<from>[^`]+)` to `(?P<to>[^`]+)` of `(?P<product>[^`]+)`\Z",
    "rollback": r"roll back in `(?P<to>[^`]+)` of `(?P<product>[^`]+)`\Z",
    "revert": r"revert `(?P<to>[^`]+)` of `(?P<product>[^`]+)`\Z",
    "undo": r"undo what changed `(?P<to>[^`]+)` of `(?P<product>[^`]+)`\Z",
    "withdraw": r"withdraw from `(?P<to>[^`]+)` of `(?P<product>[^`]+)`\Z",
}
HOLDS = re.compile(r"`(?P<who>[^`]+)` holds the role `(?P<role>[^`]+)`, which may (?P<what>.*)\Z", re.DOTALL)
WAIVED = re.compile(r"`[^`]+` answers for it until \S+, waiver ([0-9a-f]{12}): ")
DECIDED = re.compile(r"decided by `.+?`, variant ([0-9a-f]{12}): ")
APPROVED = re.compile(r"approved by (?P<who>.+)\Z", re.DOTALL)
DEFAULT_ROLES = ["release-team"]
# What is refused where a procedure moves packages, unless somebody answers for it.
BY_HAND = {"import", "promote", "withdraw", "rollback", "revert", "undo"}
# What those may ask for who may withdraw.
TAKING_BACK = {"withdraw", "rollback"}


def listed(value):
    """What the configuration may write as one text or as a list of them."""
    return [value] if isinstance(value, str) else value


class Asked:
    """What was asked: the product, the stage that changes, and the one that packages come from."""

    def __init__(self, step, action, found, role, policy, others=()):
        self.step, self.action, self.others = step, action, set(others)
        self.product, self.to, self.source = found["product"], found["to"], found.get("from")
        self.role = role
        table = next((one for one in policy.get("product", []) if one.get("name") == self.product), {})
        self.procedure = table.get("procedure")
        self.closed = [one for one in table.get("stage", []) if "closure" in one]
        find = lambda key, fits: next((one for one in table.get(key, []) if fits(one)), {})
        self.stage = find("stage", lambda one: one.get("name") == self.to)
        self.route = find("route", lambda one: (one.get("from"), one.get("to")) == (self.source, self.to))
        self.signed_by = listed(self.stage.get("signed_by", table.get("signed_by", [])))

    def stages(self):
        return {self.to, self.source, *self.others} - {None}

    def judged(self, changed):
        """The tables of the stages that are judged by what can be installed: of which hosts draw from one that changes."""
        return [one for one in self.closed if changed & {one["name"], *listed(one["closure"])}]

    def roles(self):
        """The roles that may ask for it: of a step those of whom the procedure gives it, whatever the route says."""
        if self.procedure is not None and self.step in STEPS:
            if self.step == "ticket-deploy":
                return roles_of(self.procedure, VERIFIERS)
            if self.step in ("ticket-accept", "ticket-reject"):
                # Which stack it is, and so whose manager, is the ticket's to say: the rules of procedures look at that.
                managers = [role for roles in self.procedure.get("managers", {}).values() for role in listed(roles)]
                return roles_of(self.procedure, OPERATIONS) | set(managers)
            return roles_of(self.procedure, RELEASE)
        if self.source is not None:
            return listed(self.route.get("roles", DEFAULT_ROLES))
        roles = listed(self.stage.get("import_roles", DEFAULT_ROLES))
        return listed(self.stage.get("withdraw_roles", roles)) if self.action in TAKING_BACK else roles


def asked(said, policy, wrong):
    """What was asked, as the gate `roles` says it and what moved bears out; None if it moves no packages."""
    form = ASKED.get(acts(said))
    roles = next((gate for gate in said.get("gates", []) if gate.get("gate") == "roles"), None)
    if form is None or roles is None or (acts(said) == "undo" and not said.get("moved")):
        return None
    holds = HOLDS.match(str(roles.get("evidence")))
    found = holds and re.match(form, holds["what"])
    if not found or holds["who"] != said["owner"]:
        return wrong("the gate `roles` does not say which role of theirs may do it, and where")
    # An undo says so of each stage that it changes.
    held = [HOLDS.match(str(gate.get("evidence"))) for gate in said["gates"] if gate.get("gate") == "roles"]
    others = [re.match(form, one["what"]) for one in held if one]
    return Asked(said["action"], acts(said), found.groupdict(), holds["role"], policy, [one["to"] for one in others if one])


def binaries(generation, said):
    """The repositories of binary packages that changed."""
    places = [generation.repositories.get(moves.get("repository"), {}) for moves in said.get("moved", [])]
    return [place for place in places if place.get("kind") == "binary"]


def past_procedure(generation, policy, said):
    """Whether packages moved by hand where a procedure moves them."""
    if said["action"] != acts(said) or said["action"] not in BY_HAND:
        return False
    procedures = {one.get("name"): one["procedure"] for one in policy.get("product", []) if "procedure" in one}
    for place in binaries(generation, said):
        procedure = procedures.get(place["product"])
        if procedure is not None and place["stage"] in {stages(procedure)[where] for where in ("beta", "production")}:
            return True
    return False


def demanded(generation, policy, said, asked):
    """The gates that must have looked."""
    gates = set(GATES.get(acts(said), ()))
    if acts(said) == "undo" and said.get("moved"):
        gates |= UNDONE
    if past_procedure(generation, policy, said):
        gates.add("procedure")
    if asked is None:
        return gates
    if acts(said) != "withdraw" and asked.signed_by:
        gates.add("signatures")
    changed = {place["stage"] for place in binaries(generation, said)}
    if acts(said) != "adopt" and ("closure" in asked.stage or asked.judged(changed)):
        gates |= {"closure", "meta-packages"}
    if length(str(asked.route.get("soak", "0s"))) != 0:
        gates.add("soak")
    return gates | {gate for gate in ("approvals", "external") if asked.route.get(gate)}


def look(site, generation, policy, said, wrong):
    """Looks at what the gates of a request say, and gives what was asked."""
    what = asked(said, policy, wrong)
    seen = {gate.get("gate"): gate for gate in said.get("gates", [])}
    for gate in sorted(demanded(generation, policy, said, what) - seen.keys()):
        wrong(f"it says nothing of the gate `{gate}`")
    if what is not None:
        moved(generation, said, what, wrong)
        contexts(generation, policy, said, what, seen, wrong)
    for name, gate in seen.items():
        if gate.get("verdict") == "waived":
            waived(site, generation, what, name, str(gate.get("evidence")), wrong)
        elif gate.get("verdict") != "pass":
            wrong(f"it took effect though the gate `{name}` says `{gate.get('verdict')}`")
    return what


def moved(generation, said, what, wrong):
    """Whether anything moved where the gate `roles` says that it was asked for."""
    places = [generation.repositories.get(moves.get("repository"), {}) for moves in said.get("moved", [])]
    if places and not any(
            place.get("product") == what.product and place.get("stage") in what.stages() for place in places):
        wrong("nothing changed where its roles were asked for")


def contexts(generation, policy, said, what, seen, wrong):
    """Whether it is on record by which state of each context was judged."""
    if acts(said) == "adopt" or seen.get("closure", {}).get("verdict") != "pass":
        # What cannot be judged names no state; only somebody who answers for that lets it pass.
        return
    evidence = str(seen.get("contexts", {}).get("evidence"))
    known = {one.get("name") for one in policy.get("context", [])}
    for place in binaries(generation, said):
        for table in what.judged({place["stage"]}):
            for name in sorted(known & set(listed(table["closure"]))):
                of = re.escape(f"`{name}` of {place['os']}/{place['arch']} is ")
                if not re.search(rf"(?:\A|; ){of}[0-9a-f]{{64}}(?:;|\Z)", evidence):
                    wrong(f"it does not say by which state of the context `{name}` `{table['name']}` of "
                          f"{place['os']}/{place['arch']} was judged")


def standing(generation, kind, empty):
    return generation.account.get("standing", {}).get(kind, empty) if generation else empty


def waived(site, generation, what, gate, evidence, wrong):
    """Whether each waiver that the evidence names stood, for this gate and stage, and says what the evidence says."""
    parent = parent_of(site, generation)
    if parent is None and generation.manifest["parent"] is not None:
        return None
    if gate == "variants" and what is not None:
        return decided(generation, parent, what, evidence, wrong)
    if gate not in WAIVABLE or what is None:
        return wrong(f"the gate `{gate}` was waived, which nobody can answer for")
    named = WAIVED.findall(evidence)
    if not named:
        return wrong(f"the gate `{gate}` was waived, and nobody says by whom")
    answered = what.stages()
    if gate in ("closure", "meta-packages"):
        answered |= {one["name"] for one in what.judged(answered)}
    # One that came with the same line of requests stands since.
    stood = {**standing(generation, "waivers", {}), **standing(parent, "waivers", {})}
    for id in named:
        waiver = stood.get(id)
        if waiver is None:
            wrong(f"the gate `{gate}` was waived by {id}, a waiver that did not stand")
            continue
        reason = " ".join(waiver["reason"].split())
        words = f"`{waiver['by']}` answers for it until {waiver['until']}, waiver {id}: {reason}"
        if words not in evidence:
            wrong(f"the gate `{gate}` was waived by {id}, and who, until when or why is not what the waiver says")
        if (waiver["gate"], waiver["product"]) != (gate, what.product) or waiver["stage"] not in answered:
            wrong(f"the gate `{gate}` was waived by {id}, a waiver for something else")
        if parent and instant(waiver["until"]) <= parent.created:
            wrong(f"the gate `{gate}` was waived by {id}, a waiver that was over")
    return None


def decided(generation, parent, what, evidence, wrong):
    """Whether each decision about files of one name that the evidence names stood, for this product."""
    named = DECIDED.findall(evidence)
    if not named:
        return wrong("the gate `variants` was waived, and nobody says by whom")
    stood = {**standing(generation, "variants", {}), **standing(parent, "variants", {})}
    # What was wanted before may have been decided in the same line of requests.
    stood |= {id: one for id, one in standing(generation, "variants", {}).items() if one.get("decided_by")}
    for id in named:
        variant = stood.get(id, {})
        if not variant.get("decided_by") or variant["product"] != what.product:
            wrong(f"the gate `variants` was waived by {id}, which nobody had decided for `{what.product}`")
    return None


def parent_of(site, generation):
    parent = generation.manifest["parent"]
    return site.chain.get(parent["number"]) if parent else None


def approvals(site, generation, policy, said, what, may_be, wrong):
    """Whether as many people as the route wants approved of exactly this plan, each once and none of them who asked."""
    wanted = {one["role"]: one.get("count", 1) for one in what.route.get("approvals", [])} if what else {}
    gate = next((one for one in said.get("gates", []) if one.get("gate") == "approvals"), None)
    if not wanted or gate is None:
        return
    found = APPROVED.match(str(gate.get("evidence")))
    by_role, names = {}, []
    for name in re.split(r", ", found["who"]) if found else []:
        names.append(name.split(" as `")[0])
        if " as `" in name:
            by_role[name.split(" as `")[1].rstrip("`")], names = names, []
    persons = {name: person for person, names in policy.get("people", {}).items()
               for name in listed(names)}
    person = lambda name: persons.get(name, name)
    everybody = [person(name) for names in by_role.values() for name in names]
    if len(set(everybody)) < len(everybody):
        wrong("one person approved of it twice")
    if person(said["owner"]) in everybody:
        wrong("who asked approved of it")
    for role, count in wanted.items():
        if len(by_role.get(role, [])) < count:
            wrong(f"fewer than {count} approved of it as `{role}`")
    parent = parent_of(site, generation)
    if parent is None:
        return
    hash = said.get("plan_hash")
    known = {(one["by"], role) for one in standing(parent, "approvals", []) if one["plan"] == hash
             for role in one["roles"]}
    # Whoever said so in the same line of requests stands on no record of its own: it is used up.
    known |= {(answer["owner"], role) for answer in generation.answers for role in wanted
              if answer["action"] == "approve" and f"approves of the plan {hash} " in answer["sentence"]}
    for role, names in by_role.items():
        for name in names:
            if (name, role) not in known:
                wrong(f"{name} did not approve of its plan as `{role}`")
            elif not may_be(name, what.product, role):
                wrong(f"the policy does not grant the role `{role}` to {name}, who approved")
