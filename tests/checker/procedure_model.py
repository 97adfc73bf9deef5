"""What a procedure has to remember: each fact on record, from the first to the last, changes one product's state."""

import hashlib
import re

from words import UNITS, Misread, instant

OPEN = ("assigned", "accepted", "in-progress")
KINDS = ("teams", "patches", "bundles", "tickets", "tasks", "updates")
INSTANTS = {"since", "assigned", "answer_by", "begun", "deployed", "from", "until", "at"}
# What somebody said or did, as the history keeps it, is not compared by its words.
UNCOMPARED = {"history", "evidence"}
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?\Z")


def nanoseconds(text):
    match = DURATION.match(str(text))
    if not match:
        raise Misread(f"`{text}` is no length of time")
    whole = sum(int(count or 0) * UNITS[unit] for count, unit in zip(match.groups(), "dhms"))
    return whole + int((match.group(5) or "").ljust(9, "0") or 0)


def plain(value, key=None):
    """A value that can be compared: instants are numbers, lists are sorted, and what is empty is not there."""
    if isinstance(value, dict):
        made = {name: plain(one, name) for name, one in value.items() if name not in UNCOMPARED}
        return {name: one for name, one in made.items() if one not in (None, False, "", [], {})}
    if isinstance(value, (list, set)):
        made = [plain(one) for one in value]
        return made if key == "revisions" else sorted(made, key=repr)
    if key in INSTANTS and isinstance(value, str):
        return instant(value)
    return nanoseconds(value) if key == "quarantine" and isinstance(value, str) else value


def hashed(what, lines):
    lines = sorted(set(lines))
    return hashlib.sha256("".join([f"{what} 1\n", *(f"{len(one.encode())}:{one}\n" for one in lines)]).encode()).hexdigest()


def content(items):
    """The hash of packages."""
    return hashed("packages", [f"{one['platform']} {one['pkgid']} {one['nevra']}" for one in items])


def content_of_all(patches):
    """The hash of patches, each with what it brings."""
    return hashed("patches", [f"{id} {content(one['items'])}" for id, one in patches.items()])


class State:
    """What is known of one product."""

    def __init__(self):
        self.all = {kind: {} for kind in KINDS}
        self.archived = {"patches": set(), "bundles": set(), "tickets": set(), "updates": set(), "last_task": 0}
        self.filed = []
        self.past = set()

    def __getattr__(self, name):
        if name in KINDS:
            return self.all[name]
        raise AttributeError(name)

    def in_beta(self, bundle):
        """The patches of a bundle that early adopters have."""
        return {id: self.patches[id] for id in self.bundles[bundle]["patches"]
                if self.patches.get(id, {}).get("place") == "beta"}

    def evolve(self, fact, deed):
        kind, said = next(iter(fact.items()))
        getattr(self, f"on_{kind.replace('-', '_')}")(said, deed)

    def on_team_entered(self, said, _):
        self.teams[said["team"]] = said["entry"]

    def on_team_left(self, said, _):
        del self.teams[said["team"]]

    def on_patch_registered(self, said, deed):
        about = {key: said.get(key) for key in ("title", "items", "node_types", "bugs")}
        self.patches[said["patch"]] = {**about, "status": "registered", "place": "before", "since": deed["witnessed"]}

    def on_patch_changed(self, said, deed):
        patch = self.patches[said["patch"]]
        patch.update(items=said["items"], node_types=said.get("node_types"), status="registered",
                     since=deed["witnessed"])

    def on_patch_set(self, said, deed):
        self.patches[said["patch"]].update(status=said["status"], since=deed["witnessed"])

    def on_patch_moved(self, said, _):
        self.patches[said["patch"]]["place"] = said["place"]

    def on_patch_rebuilt(self, said, _):
        exchange(self.patches[said["patch"]], said)

    def on_said(self, said, _):
        about, id = next(iter(said["about"].items()))
        kind = {"patch": "patches", "task": "tasks", "ticket": "tickets"}[about]
        self.all[kind][str(id)]  # must be there

    def on_bundle_created(self, said, _):
        self.bundles[said["bundle"]] = {"patches": [], "revisions": [], "is_urgent": said.get("urgent", False)}

    def on_bundle_joined(self, said, _):
        self.bundles[said["bundle"]]["patches"].append(said["patch"])
        self.patches[said["patch"]]["bundle"] = said["bundle"]

    def on_bundle_left(self, said, _):
        self.bundles[said["bundle"]]["patches"].remove(said["patch"])
        self.patches[said["patch"]]["bundle"] = None

    def on_bundle_revised(self, said, deed):
        revision = {"content": content_of_all(self.in_beta(said["bundle"])), "deployed": deed["witnessed"]}
        self.bundles[said["bundle"]]["revisions"].append(revision)

    def on_bundle_held(self, said, _):
        self.bundles[said["bundle"]]["held"] = said["why"]

    def on_task_assigned(self, said, deed):
        about = {key: said.get(key) for key in (
            "work", "subject", "patches", "content", "team", "node_types", "answer_by", "quarantine")}
        self.tasks[str(said["task"])] = {**about, "progress": "assigned", "assigned": deed["witnessed"], "tickets": [],
                                         "reminded": []}

    def on_task_answered(self, said, _):
        self.tasks[str(said["task"])]["progress"] = "accepted" if said["accepts"] else "declined"

    def on_task_started(self, said, deed):
        task = self.tasks[str(said["task"])]
        task["begun"] = task.get("begun") or deed["witnessed"]
        task["progress"] = "in-progress"
        self.outcome(task, said)

    def outcome(self, task, said):
        task["outcome"] = said["outcome"]
        task["tickets"] = sorted({*task["tickets"], *said.get("tickets", [])})

    def on_task_done(self, said, _):
        task = self.tasks[str(said["task"])]
        task["progress"] = "done"
        self.outcome(task, said)

    def on_task_shown(self, said, _):
        self.tasks[str(said["task"])]  # must be there

    def on_task_extended(self, said, _):
        task = self.tasks[str(said["task"])]
        by = said["by"]
        total = sum(one if isinstance(one, int) else nanoseconds(one) for one in (task["quarantine"], by))
        task["quarantine"] = total

    def on_task_down(self, said, _):
        self.tasks[str(said["task"])]["downtime"] = said["downtime"]

    def on_task_tagged(self, said, _):
        self.tasks[str(said["task"])]["is_beta"] = True

    def on_task_closed(self, said, _):
        self.tasks[str(said["task"])]["progress"] = "closed"

    def on_reminded(self, said, _):
        task = self.tasks[str(said["task"])]
        task["reminded"] = sorted({*task["reminded"], said["of"]})

    def on_update_prepared(self, said, deed):
        number = said["update"]
        for patch in self.patches.values():
            if patch.get("update") == number:
                patch["update"] = None
        for id in said["patches"]:
            self.patches[id]["update"] = number
        about = {key: said.get(key) for key in ("patches", "priority", "plan", "partial")}
        self.updates[str(number)] = {**about, "readiness": "prepared", "since": deed["witnessed"]}

    def on_update_dropped(self, said, _):
        for patch in self.patches.values():
            if patch.get("update") == said["update"]:
                patch["update"] = None
        del self.updates[str(said["update"])]

    def readiness(self, said, deed, word):
        self.updates[str(said["update"])].update(readiness=word, since=deed["witnessed"])

    def on_update_ready(self, said, deed):
        self.readiness(said, deed, "ready")

    def on_update_approved(self, said, deed):
        self.readiness(said, deed, "approved")

    def on_update_published(self, said, deed):
        self.readiness(said, deed, "published")
        self.updates[str(said["update"])]["priority"] = said["priority"]

    def on_tasks_published(self, said, _):
        for number in said["tasks"]:
            self.tasks[str(number)]["is_published"] = True

    def on_archived(self, said, deed):
        filed = {"product": deed["product"], "at": deed["witnessed"]}
        for kind, ids in said["matters"].items():
            filed[kind] = {str(id): self.all[kind].pop(str(id)) for id in ids}
            if kind == "tasks":
                self.archived["last_task"] = max(self.archived["last_task"], *ids)
            else:
                self.archived[kind] |= set(ids)
        self.filed.append(filed)

    def on_ticket(self, said, deed):
        kind, what = next(iter(said["turn"].items()))
        if kind == "opened":
            about = {key: what.get(key) for key in ("component", "items", "node_types")}
            self.tickets[said["ticket"]] = {
                **about, "is_urgent": what.get("urgent"), "standing": "unverified", "place": "before", "cc": [],
                "links": {}, "related": {}, "since": deed["witnessed"]}
            return
        ticket = self.tickets[said["ticket"]]
        if kind == "changed":
            ticket.update(items=what["items"], node_types=what.get("node_types"), standing="unverified",
                          since=deed["witnessed"])
        elif kind == "set":
            ticket.update(standing=what, since=deed["witnessed"])
        elif kind == "moved":
            ticket["place"] = what
            if what == "beta":
                ticket["deployed"] = deed["witnessed"]
        elif kind == "rebuilt":
            exchange(ticket, what)
        elif kind == "linked":
            ticket["links"].update({key: link for key, link in what.items() if link})
        elif kind == "copied":
            ticket["cc"] = sorted({*ticket["cc"], *what})
        elif kind == "related":
            ticket["related"][what["ticket"]] = what["entry"]
        elif kind == "summarised":
            ticket["summary"] = what
        elif kind == "released":
            ticket.update(release=what, standing="released", since=deed["witnessed"])

    def stored(self):
        """As it is stored."""
        return plain({**self.all, "archived": self.archived})


def exchange(holder, said):
    """A package was built anew."""
    holder["items"] = [said["item"] if one == said["was"] else one for one in holder["items"]]
