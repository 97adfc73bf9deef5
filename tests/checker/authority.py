"""I18: every settled request can be judged again from the policy its generation names."""

import hashlib

import gates

OF_THE_DAEMON = {"config", "resume"}
# Steps of early adopters, who stand in the register of the procedure and not in the policy.
TEAM_STEPS = {
    "task-answer", "task-start", "task-done", "task-downtime", "task-beta", "task-comment", "patch-comment",
    "ticket-comment", "ticket-relate",
}


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
    if owner == "clock":
        if not claim.startswith("clock/"):
            wrong("the clock asks by names of its own")
        for gate in said.get("gates", []):
            if gate.get("verdict") != "pass":
                wrong(f"it took effect though the gate `{gate.get('gate')}` says `{gate.get('verdict')}`")
        return None
    if claim.startswith("clock/"):
        return wrong(f"{owner} asks by a name of the clock")
    asked = gates.look(site, generation, policy, said, wrong)
    if not roles and "deed" in settled and said["action"] in TEAM_STEPS:
        return None
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
    if asked is not None:
        if not {asked.role, f"{asked.product}:{asked.role}"} & set(roles):
            wrong(f"{owner} did not hold the role `{asked.role}` that let it pass")
        if asked.role not in asked.roles():
            wrong(f"the policy does not ask for the role `{asked.role}` there")
    holds = lambda name, product, role: may_be(name, [*known.get((None, role), []), *known.get((product, role), [])])
    gates.approvals(site, generation, policy, said, asked, holds, wrong)
    return None


def may_be(owner, accounts):
    """Whether one of the accounts can be the owner.

    Which number a name has and who is in a group was looked up on that machine: a user with a name may be any number and
    in any group, one without a name is in none, and root is in none that counts. Keys and names at the door are nobody's.
    """
    if owner in accounts:
        return True
    if not owner.startswith("user:"):
        return False
    if owner == "user:root":
        return "uid:0" in accounts
    return any(account.startswith(("uid:", "group:", "gid:")) and account != "uid:0" for account in accounts)
