"""Planted violations of requests, answers and their records: I14 to I18, I21."""

import json

from forge import line_of, sha256, text_of
from planted import plant


@plant("I14")
def a_request_in_two_places(copy):
    request = copy.request_of(copy.answer()[0])
    copy.make(request.replace("/done/", "/processing/"), copy.read(request), 0o440)


@plant("I14")
def a_request_that_is_done_and_failed(copy):
    request = copy.request_of(copy.answer()[0])
    copy.link(request, request.replace("/done/", "/failed/"))


@plant("I14", also={"I22"}, at_rest=True)
def a_request_that_was_never_moved_whole(copy):
    # A power cut may leave both names of a file that is being renamed; at rest there is one.
    request = copy.request_of(copy.answer()[0])
    copy.link(request, request.replace("/done/", "/processing/"))


@plant("I14")
def a_request_settled_without_an_answer(copy):
    copy.remove(copy.answer(outcome="nothing-to-do")[0])


@plant("I14")
def a_request_that_was_changed_afterwards(copy):
    request = copy.request_of(copy.answer()[0])
    copy.edit(request, copy.read(request).replace(b"[end]", b"# more\n[end]"))


@plant("I14")
def an_answer_to_a_request_that_is_gone(copy):
    copy.remove(copy.request_of(copy.answer()[0]))


@plant("I14")
def a_claim_whose_request_is_gone(copy):
    claim = "r99-20260101T000000.000000Z-00000a"
    copy.make(f"spool/processing/{claim}.claim.json", text_of(
        {"format": 1, "claim": claim, "original": None, "uid": 0, "gid": 0, "digest": None,
         "claimed_at": "2026-01-01T00:00:00Z"}))


@plant("I14")
def a_claim_of_other_bytes(copy):
    claim = "r99-20260101T000000.000000Z-00000a"
    copy.make(f"spool/processing/{claim}.toml", b"format = 1\n[end]\n", 0o440)
    copy.make(f"spool/processing/{claim}.claim.json", text_of(
        {"format": 1, "claim": claim, "original": None, "uid": 0, "gid": 0, "digest": "0" * 64,
         "claimed_at": "2026-01-01T00:00:00Z"}))


@plant("I14", also={"I22"}, at_rest=True)
def a_request_that_waits_though_nothing_runs(copy):
    copy.make("spool/processing/r99-20260101T000000.000000Z-00000a.toml", b"format = 1\n[end]\n", 0o440)


@plant("I14")
def an_answer_in_the_wrong_place(copy):
    answer, _ = copy.answer(outcome="nothing-to-do")
    for path in (answer, copy.request_of(answer)):
        copy.rename(path, path.replace("/done/", "/failed/"))


def settled(copy, action):
    return next(one["answer"] for one in copy.manifest()["account"]["requests"] if one["answer"]["action"] == action)


@plant("I15")
def a_claim_that_took_effect_twice(copy):
    again = copy.manifest()["account"]["requests"]
    sweep = next(one for one in again if one["answer"]["action"] == "sweep")

    def change(manifest):
        other = json.loads(json.dumps(sweep))
        other["answer"]["generation"] = copy.current - 1
        manifest["account"]["requests"].append(other)
    copy.change_manifest(copy.current - 1, change)
    copy.change_log(lambda lines: [
        {**line, "settled": [*line["settled"], sweep["answer"]["claim"]]} if line.get("generation") == copy.current - 1
        else line for line in lines])


@plant("I15", also={"I14"})
def an_id_that_took_effect_twice(copy):
    copy.change_answer(copy.current, lambda answer: answer.update(id="update-1"), settled(copy, "sweep")["claim"])


@plant("I15")
def a_done_that_nothing_has_settled(copy):
    path, said = copy.answer()
    claim = "r99-20260101T000000.000000Z-00000a"
    request = copy.read(copy.request_of(path)).replace(b'id = "', b'id = "x')
    said = {**said, "claim": claim, "id": claim, "request_digest": sha256(request)}
    copy.make(f"spool/done/{claim}.toml", request, 0o440)
    copy.make(f"spool/done/{claim}.answer.json", text_of(said), 0o440)


@plant("I15", also={"I14", "I16"})
def an_answer_and_its_opposite(copy):
    path, said = copy.answer()
    said = {**said, "outcome": "refused", "code": "no-such-package"}
    copy.make(path.replace("/done/", "/failed/"), text_of(said), 0o440)
    return {"also": {"I17"}}


@plant("I15")
def an_answer_of_another_generation(copy):
    path, said = copy.answer(action="import")
    copy.edit(path, text_of({**said, "generation": copy.current - 1}))


@plant("I15")
def a_nothing_to_do_that_is_not_on_record(copy):
    claim = copy.answer(outcome="nothing-to-do")[1]["claim"]
    copy.change_log(lambda lines: [line for line in lines if line.get("claim") != claim])


@plant("I15")
def an_outcome_that_is_no_effect(copy):
    claim = settled(copy, "sweep")["claim"]
    copy.change_manifest(copy.current, lambda manifest: [
        one["answer"].update(outcome="nothing-to-do") for one in manifest["account"]["requests"]
        if one["answer"]["claim"] == claim])
    return {"also": {"I16"}}


@plant("I16", also={"I14"}, at_rest=True)
def an_answer_that_was_told_is_gone(copy):
    path, _ = copy.answer()
    copy.make("spool/tmp/told/answer.json", copy.read(path))
    copy.remove(path)
    return {"told": "spool/tmp/told"}


@plant("I16")
def an_answer_says_something_else_than_was_told(copy):
    path, said = copy.answer(outcome="refused", folder="failed")
    copy.make("spool/tmp/told/answer.json", text_of({**said, "sentence": "done, all is well"}))
    return {"told": "spool/tmp/told"}


@plant("I16", also={"I3", "I14", "I22"})
def a_published_generation_is_gone(copy):
    copy.symlink(f"@{copy.current - 1}", "public/current")
    return {"also": {"I7", "I10", "I6", "I2"}}


@plant("I16")
def an_answer_was_reworded(copy):
    path, said = copy.answer(action="import")
    copy.edit(path, text_of({**said, "sentence": "something came in"}))


@plant("I16")
def an_answer_that_was_seen_is_gone(copy):
    path, said = copy.answer()
    return {"remember": lambda seen: seen["answers"].update({"r00-gone": "0" * 64})}


@plant("I16")
def an_answer_that_cannot_be_read(copy):
    path, _ = copy.answer()
    copy.edit(path, b"")


def refusal(copy):
    return copy.answer(outcome="refused", code="no-such-package", folder="failed")


@plant("I17", also={"I12", "I15", "I18", "I21"})
def a_refusal_that_took_effect(copy):
    _, said = refusal(copy)
    sweep = settled(copy, "sweep")["claim"]

    def change(manifest):
        for one in manifest["account"]["requests"]:
            if one["answer"]["claim"] == sweep:
                one["answer"].update(claim=said["claim"], id=said["id"])
    copy.change_manifest(copy.current, change)


@plant("I17")
def a_refusal_without_a_reason(copy):
    path, said = refusal(copy)
    said = {**said, "sentence": ""}
    copy.edit(path, text_of(said))
    copy.change_log(lambda lines: [
        {**line, "answer": said} if line.get("claim") == said["claim"] else line for line in lines])


@plant("I17")
def a_refusal_that_is_not_on_record(copy):
    _, said = refusal(copy)
    copy.change_log(lambda lines: [line for line in lines if line.get("claim") != said["claim"]])


@plant("I17", also={"I16"})
def a_refusal_among_the_effects(copy):
    claim = settled(copy, "sweep")["claim"]
    copy.change_manifest(copy.current, lambda manifest: [
        one["answer"].update(outcome="refused") for one in manifest["account"]["requests"]
        if one["answer"]["claim"] == claim])


@plant("I18")
def a_policy_is_missing(copy):
    copy.remove(copy.find("policy/*.toml"))


@plant("I18")
def a_policy_was_changed(copy):
    path = copy.find("policy/*.toml")
    copy.edit(path, copy.read(path).replace(b"Played", b"Flayed"))


def change_settled(copy, change):
    def all_of(manifest):
        change(next(one for one in manifest["account"]["requests"] if one["answer"]["action"] == "promote"))
    copy.change_manifest(copy.current, all_of)


@plant("I18")
def nobody_had_a_role(copy):
    change_settled(copy, lambda one: one.update(roles=[]))


@plant("I18")
def a_role_that_the_policy_does_not_know(copy):
    change_settled(copy, lambda one: one.update(roles=["king"]))


@plant("I18")
def a_role_of_somebody_else(copy):
    # The policy grants by number; a policy that grants by name says who it is.
    path = copy.find("policy/*.toml")
    old = copy.read(path)
    data = old.replace(b'release-team = ["uid:', b'release-team = ["user:not-').replace(
        b'admin = ["uid:', b'admin = ["user:not-')
    copy.make(f"policy/{sha256(data)}.toml", data)
    copy.change_manifest(copy.current, lambda manifest: manifest.update(policy=sha256(data)))


@plant("I18")
def a_gate_that_failed(copy):
    claim = settled(copy, "promote")["claim"]
    copy.change_answer(copy.current, lambda answer: answer["gates"][0].update(verdict="fail"), claim)


@plant("I18")
def a_gate_nobody_looked_at(copy):
    claim = settled(copy, "import")["claim"]
    copy.change_answer(copy.current, lambda answer: answer.update(gates=answer["gates"][:1]), claim)


@plant("I21")
def a_generation_is_not_on_record(copy):
    copy.change_log(lambda lines: [line for line in lines if line.get("generation") != 3])


@plant("I21")
def a_record_names_another_manifest(copy):
    path = copy.log()
    digest = copy.manifest(3)["parent"]["digest"].encode()
    copy.edit(path, copy.read(path).replace(digest, b"0" * 64))


@plant("I21")
def a_record_is_torn_in_the_middle(copy):
    path = copy.log()
    lines = copy.read(path).split(b"\n")
    lines[2] = lines[2][: len(lines[2]) // 2]
    copy.edit(path, b"\n".join(lines))
    return {"also": {"I15", "I17"}}


@plant("I21")
def a_record_names_other_requests(copy):
    copy.change_log(lambda lines: [
        {**line, "settled": []} if line.get("generation") == 2 else line for line in lines])


def chained(copy):
    return b'"previous"' in copy.read(copy.log())


@plant("I21")
def a_line_was_changed(copy):
    # Only the chain shows that a line says another time than it said.
    lines = [json.loads(line) for line in copy.read(copy.log()).splitlines()]
    lines[2]["at"] = "2001-01-01T00:00:00Z" if chained(copy) else "some time"
    copy.edit(copy.log(), b"".join(line_of(line) + b"\n" for line in lines))
    return {} if chained(copy) else {"also": {"I15", "I17"}}


@plant("I21", also={"I15", "I17"})
def two_lines_changed_places(copy):
    lines = copy.read(copy.log()).splitlines(keepends=True)
    if not chained(copy):
        lines[0] = b"\n"
    copy.edit(copy.log(), b"".join([lines[0], lines[2], lines[1], *lines[3:]]))


@plant("I21", also={"I15", "I17"})
def the_end_was_cut_off(copy):
    lines = copy.read(copy.log()).splitlines(keepends=True)
    copy.edit(copy.log(), b"".join(lines[:-3]))


@plant("I21")
def lines_that_were_seen_are_gone(copy):
    def change(seen):
        for lines in seen["audit"].values():
            lines.insert(1, "0" * 16)
    return {"remember": change}
