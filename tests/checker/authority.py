"""I18: every settled request can be judged again from the policy its generation names."""

import hashlib

# The gates every request of a kind passes, whatever its route adds.
GATES = {
    "import": {"roles", "other-content", "variants", "version-order", "freeze"},
    "promote": {"roles", "other-content", "variants", "version-order", "freeze"},
    "revert": {"roles", "other-content", "variants", "freeze"},
    "withdraw": {"roles", "freeze"},
    "approve": {"roles"},
    "variant": {"roles"},
    "end-variant": {"roles"},
    "waive": {"roles"},
    "end-waiver": {"roles"},
    "freeze": {"roles"},
    "thaw": {"roles"},
    "keep": {"roles"},
    "sweep": {"roles"},
}
OF_THE_DAEMON = {"config", "resume"}


def look(site):
    for generation in site.chain.values():
        policy = policy_of(site, generation)
        if policy is None:
            continue
        for settled in generation.account["requests"]:
            judge(site, generation, policy, settled)


def policy_of(site, generation):
    digest = generation.manifest["policy"]
    path = f"policy/{digest}.toml"
    data = site.tree.read(path)
    if data is None:
        site.broken("I18", path, f"the policy of generation {generation.number} is not there")
        return None
    if hashlib.sha256(data).hexdigest() != digest:
        site.broken("I18", path, f"it is not the policy that generation {generation.number} names")
        return None
    policy = site.policy_of(generation)
    if policy is None:
        site.broken("I18", path, "it cannot be read")
    return policy


def grants(policy):
    """Who has which role: (product or None, role) -> accounts."""
    found = {}
    roles = policy.get("roles", {})
    tables = [(None, {role: held for role, held in roles.items() if role != "product"})]
    tables += list(roles.get("product", {}).items())
    for product, table in tables:
        for role, accounts in table.items():
            found[product, role] = [accounts] if isinstance(accounts, str) else accounts
    return found


def judge(site, generation, policy, settled):
    said, roles = settled["answer"], settled["roles"]
    claim, owner = said["claim"], said["owner"]
    wrong = lambda words: site.broken("I18", generation.path, f"`{claim}`: {words}")
    if not owner:
        return wrong("nobody asked for it")
    seen = {gate.get("gate"): gate.get("verdict") for gate in said.get("gates", [])}
    for gate, verdict in seen.items():
        if verdict == "waived":
            if not any(word in str(one) for one in said["gates"] if one.get("gate") == gate for word in ("until", "by")):
                wrong(f"the gate `{gate}` was waived, and nobody says by whom")
        elif verdict != "pass":
            wrong(f"it took effect though the gate `{gate}` says `{verdict}`")
    if owner == "clock":
        if not claim.startswith("clock/"):
            wrong("the clock asks by names of its own")
        return None
    if claim.startswith("clock/"):
        return wrong(f"{owner} asks by a name of the clock")
    if not roles:
        return wrong(f"{owner} had no role")
    known = grants(policy)
    for role in roles:
        product, _, plain = role.rpartition(":")
        accounts = known.get((product or None, plain))
        if accounts is None:
            wrong(f"the policy grants no role `{role}`")
        elif not may_be(owner, accounts):
            wrong(f"the policy does not grant the role `{role}` to {owner}")
    for gate in GATES.get(said["action"], set()) - seen.keys():
        wrong(f"it says nothing of the gate `{gate}`")
    return None


def may_be(owner, accounts):
    """Whether one of the accounts can be the owner: numbers and groups were looked up on that machine."""
    kind, _, name = owner.partition(":")
    if kind == "as":
        return owner in accounts
    plain = {account for account in accounts if account.startswith(("user:", "as:"))}
    return owner in accounts or bool(set(accounts) - plain)
