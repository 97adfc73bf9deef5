"""Who may take which step of a procedure, and what may come of it: the table of the procedures."""

from procedure_model import OPEN, content, nanoseconds
from words import instant

RELEASE, OPERATIONS, VERIFIERS, MANAGER, TEAM, ANYBODY, CLOCK = (
    "release_team", "operations", "verifiers", "manager", "team", "anybody", "clock")
# Of each step: who may ask, and which facts may come of it.
TASK = {"task-started", "task-shown"}
TABLE = {
    "team-add": ({OPERATIONS}, {"team-entered"}),
    "team-remove": ({OPERATIONS}, {"team-left"}),
    "patch-add": ({RELEASE, VERIFIERS}, {"patch-registered"}),
    "patch-change": ({RELEASE}, {"patch-changed"}),
    "patch-status": ({RELEASE, OPERATIONS}, {"patch-set"}),
    "patch-comment": ({ANYBODY}, {"said"}),
    "task-comment": ({ANYBODY}, {"said"}),
    "ticket-comment": ({ANYBODY}, {"said"}),
    "bundle-create": ({RELEASE}, {"bundle-created", "bundle-joined"}),
    "bundle-add": ({RELEASE}, {"bundle-joined"}),
    "bundle-remove": ({RELEASE}, {"bundle-left"}),
    "bundle-deploy": ({RELEASE}, {"patch-set", "patch-moved", "bundle-revised"}),
    "bundle-hold": ({RELEASE, OPERATIONS}, {"bundle-held"}),
    "bundle-continue": ({RELEASE, OPERATIONS}, {"bundle-held"}),
    "bundle-rollback": ({RELEASE}, {"patch-moved", "patch-rebuilt", "bundle-revised", "task-closed"}),
    "task-assign": ({OPERATIONS}, {"task-assigned"}),
    "task-answer": ({TEAM}, {"task-answered", "ticket"}),
    "task-start": ({TEAM}, TASK | {"ticket", "task-answered"}),
    "task-done": ({TEAM}, {"task-done", "task-shown"}),
    "task-downtime": ({TEAM}, {"task-down"}),
    "task-beta": ({TEAM}, {"task-tagged"}),
    "task-extend": ({OPERATIONS, MANAGER}, {"task-extended"}),
    "task-close": ({OPERATIONS, MANAGER}, {"task-closed", "ticket"}),
    "release-prepare": ({RELEASE}, {"update-prepared"}),
    "release-ready": ({RELEASE}, {"update-ready"}),
    "release-approve": ({OPERATIONS}, {"update-approved"}),
    "release-publish": ({RELEASE}, {"patch-set", "patch-moved", "patch-rebuilt", "bundle-revised", "task-closed",
                                    "update-published"}),
    "release-drop": ({RELEASE}, {"update-dropped"}),
    "release-reports": ({OPERATIONS}, {"tasks-published"}),
    "ticket-add": ({RELEASE, VERIFIERS}, {"ticket"}),
    "ticket-change": ({RELEASE, VERIFIERS}, {"ticket"}),
    "ticket-verify": ({VERIFIERS}, {"ticket"}),
    "ticket-deploy": ({VERIFIERS}, {"ticket"}),
    "ticket-links": ({RELEASE, VERIFIERS, MANAGER}, {"ticket"}),
    "ticket-assign": ({MANAGER}, {"task-assigned", "ticket"}),
    "ticket-relate": ({ANYBODY}, {"ticket"}),
    "ticket-summary": ({MANAGER}, {"ticket"}),
    "ticket-accept": ({MANAGER}, {"ticket", "task-closed"}),
    "ticket-reject": ({MANAGER, VERIFIERS}, {"ticket", "patch-rebuilt", "task-closed"}),
    "ticket-release": ({RELEASE}, {"ticket"}),
    "remind": ({CLOCK}, {"reminded"}),
    "archive": ({CLOCK}, {"archived"}),
}
DEFAULTS = {RELEASE: ["release-team"], OPERATIONS: ["operations"], VERIFIERS: ["verifiers"]}
STAGES = {"glite": {}, "egi": {"from": "untested", "beta": "testing", "production": "production"}}
# Which status or standing may come before another one, by what is asked.
BEFORE = {
    "verified": {"registered", "ready-for-rollout"}, "ready-for-rollout": {"verified"},
    "rolling-out": {"verified", "ready-for-rollout", "ready-for-production"},
    "ready-for-production": {"rolling-out"}, "released": {"ready-for-production"},
    "rejected": {"registered", "verified", "ready-for-rollout", "rolling-out", "ready-for-production"},
}
MAY_SET = {"verified": RELEASE, "ready-for-rollout": OPERATIONS, "ready-for-production": OPERATIONS,
           "rejected": OPERATIONS, "rolling-out": OPERATIONS}
STANDING_BEFORE = {
    "in-verification": {"unverified"}, "accepted": {"stage-roll-out", "waiting-for-response"},
    "stage-roll-out": {"in-verification", "waiting-for-response", "stage-roll-out"},
    "waiting-for-response": {"stage-roll-out", "waiting-for-response"},
    "rejected": {"unverified", "in-verification", "stage-roll-out", "waiting-for-response"}, "released": {"accepted"},
}
READY = {"update-ready": "prepared", "update-approved": "ready", "update-published": "approved"}


def listed(value):
    return [value] if isinstance(value, str) else list(value)


def stages(procedure):
    """The stage of each place."""
    names = {**STAGES.get(procedure.get("kind"), {}), **procedure}
    return {"before": names.get("from"), "beta": names.get("beta"), "production": names.get("production")}


def roles_of(procedure, part, stack=None):
    """The roles that play a part; what has no manager of its own operations manage."""
    if part == MANAGER:
        managers = procedure.get("managers", {})
        if stack in managers:
            return set(listed(managers[stack]))
        return roles_of(procedure, OPERATIONS)
    return set(listed(procedure.get(part, DEFAULTS.get(part, []))))


def stacks(state, deed):
    """The stacks of the tickets that a deed is about."""
    ids = set()
    for fact in deed["facts"]:
        kind, said = next(iter(fact.items()))
        if kind == "ticket":
            ids.add(said["ticket"])
        task = state.tasks.get(str(said.get("task")), said)
        ids.add((task.get("subject") or {}).get("ticket"))
    return {state.tickets[id]["component"].get("stack") for id in ids if id in state.tickets}


def look(state, policy, settled, wrong):
    """Whether who asked plays a part that may ask for this step."""
    said, deed = settled["answer"], settled["deed"]
    row = TABLE.get(said["action"])
    if row is None:
        return wrong(f"`{said['action']}` is no step of a procedure")
    parts, owner = row[0], said["owner"]
    table = next((one for one in policy.get("product", []) if one.get("name") == deed["product"]), {})
    procedure = table.get("procedure")
    if procedure is None:
        return wrong(f"`{deed['product']}` has no procedure")
    if deed["by"] != owner:
        wrong(f"{owner} asked, and {deed['by']} is on record")
    if (owner == "clock") != (CLOCK in parts):
        return wrong(f"{owner} may not ask for `{said['action']}`")
    if CLOCK in parts or ANYBODY in parts:
        return None
    held = {role.rpartition(":")[2] for role in settled["roles"]}
    if said["action"] == "patch-status":
        parts = {setter(state, next(iter(fact.values()))) for fact in deed["facts"]} - {None}
    if said["action"] == "ticket-reject" and any(
            state.tickets[fact["ticket"]["ticket"]]["place"] != "before" for fact in deed["facts"] if "ticket" in fact):
        parts = {MANAGER}
    if procedure.get("kind") == "egi" and said["action"] in ("task-extend", "task-close"):
        parts = {MANAGER}
    for part in parts:
        if part == TEAM:
            if acts_for_the_teams(state, deed, owner, held):
                return None
        else:
            for stack in (stacks(state, deed) or {None}) if part == MANAGER else {None}:
                if roles_of(procedure, part, stack) & held:
                    return None
    return wrong(f"{owner} may not ask for `{said['action']}`, which {' or '.join(sorted(parts))} may")


def setter(state, said):
    """Whose it is to set a patch to a status; a green flag is taken back by who gave it."""
    was = (state.patches.get(said.get("patch")) or {}).get("status")
    if said.get("status") == "verified" and was == "ready-for-rollout":
        return OPERATIONS
    return MAY_SET.get(said.get("status"))


def acts_for_the_teams(state, deed, owner, held):
    """Whether the owner is the team of each task, one of its members, or holds a role that is called like it."""
    tasks = {str(said["task"]) for fact in deed["facts"] for said in fact.values() if "task" in said}
    teams = {state.tasks[number]["team"] for number in tasks if number in state.tasks}
    member = lambda team: owner in (state.teams.get(team) or {}).get("members", [])
    return bool(teams) and all(owner == f"as:{team}" or team in held or member(team) for team in teams)


def fits(state, action, fact, deed, wrong):
    """Whether this may happen by that step, as things stand."""
    kind, said = next(iter(fact.items()))
    if kind not in TABLE.get(action, (set(), {kind}))[1]:
        return wrong(f"`{kind}` does not come of `{action}`")
    if kind == "patch-set":
        patch = state.patches[said["patch"]]
        if patch["status"] not in BEFORE.get(said["status"], set()):
            wrong(f"patch {said['patch']} is {patch['status']} and was set to {said['status']}")
    elif kind == "patch-changed" and state.patches[said["patch"]]["place"] != "before":
        wrong(f"patch {said['patch']} was changed, and early adopters have it")
    elif kind in ("patch-registered", "bundle-created"):
        plural, id = ("patches", said.get("patch")) if "patch" in said else ("bundles", said["bundle"])
        if id in state.all[plural] or id in state.archived[plural]:
            wrong(f"`{id}` was there before")
    elif kind == "bundle-joined":
        patch = state.patches[said["patch"]]
        if patch.get("bundle") or patch["status"] not in ("verified", "ready-for-rollout"):
            wrong(f"patch {said['patch']} may not join bundle {said['bundle']}")
    elif kind == "bundle-left" and state.patches[said["patch"]]["place"] != "before":
        wrong(f"patch {said['patch']} left bundle {said['bundle']}, and early adopters have it")
    elif kind == "update-dropped" and state.updates[str(said["update"])]["readiness"] == "published":
        wrong(f"update {said['update']} was given up, and is published")
    elif kind in READY and state.updates[str(said["update"])]["readiness"] != READY[kind]:
        wrong(f"update {said['update']} is not {READY[kind]}")
    elif kind.startswith("task-"):
        of_task(state, kind, said, deed, wrong)
    elif kind == "ticket":
        of_ticket(state, said, wrong)
    return None


def of_task(state, kind, said, deed, wrong):
    number = said["task"]
    if kind == "task-assigned":
        if str(number) in state.tasks or number <= state.archived["last_task"]:
            wrong(f"task {number} was there before")
        ticket = said["subject"].get("ticket")
        if ticket and content(state.tickets[ticket]["items"]) != said["content"]:
            wrong(f"task {number} is about other packages than ticket {ticket}")
        return
    task = state.tasks[str(number)]
    if task["progress"] not in OPEN:
        wrong(f"task {number} is {task['progress']}, and `{kind}` came of it")
    if kind == "task-answered" and task["progress"] != "assigned":
        wrong(f"task {number} was answered before")
    if kind == "task-done" and said["outcome"] != "fail":
        quarantine = task["quarantine"]
        quarantine = quarantine if isinstance(quarantine, int) else nanoseconds(quarantine)
        if task.get("begun") is None or instant(deed["witnessed"]) < instant(task["begun"]) + quarantine:
            wrong(f"task {number} is done, and its quarantine was not over")


def of_ticket(state, said, wrong):
    kind, what = next(iter(said["turn"].items()))
    ticket = state.tickets.get(said["ticket"])
    if kind == "opened":
        if ticket or said["ticket"] in state.archived["tickets"]:
            wrong(f"ticket {said['ticket']} was there before")
    elif kind == "set" and ticket["standing"] not in STANDING_BEFORE.get(what, {ticket["standing"]}):
        wrong(f"ticket {said['ticket']} is {ticket['standing']} and was set to {what}")
    elif kind == "changed" and ticket["place"] != "before":
        wrong(f"ticket {said['ticket']} was changed, and early adopters have it")
