//! The engine as it runs, on a disk in memory: what it settled is judged the same again, and what is forged is named.

mod forgery;
mod rebuilt;
pub(crate) mod town;

use plan::{Freeze, Outcome};
use serde_json::json;

use super::{Judgement, rejudge};
use forgery::Forgery;
use town::{CONFIG, ROUTE, Town, import, of_stage, promote, withdraw};

/// Lets people do of everything something, and gives the codes they were answered with.
fn lived() -> (Town, Vec<String>) {
    let mut town = Town::new(&format!("{CONFIG}{ROUTE}"));
    let mut codes = Vec::new();
    let mut ask = |town: &mut Town, uid, keys: &str| {
        let answer = town.ask(uid, keys);
        codes.push(answer.code.clone());
        answer
    };
    let files = [town.upload("lcg", "1"), town.upload("voms", "1"), town.upload("gfal", "1")];
    ask(&mut town, 1000, &import(&files));
    ask(&mut town, 71009, &promote("lcg"));
    ask(&mut town, 71003, &promote("lcg"));
    ask(&mut town, 1000, &promote("lcg"));
    let soon = town.at(3600);
    let waive = format!("gate = \"soak\"\npackages = [\"lcg\"]\nuntil = \"{soon}\"\nreason = \"r\"");
    ask(&mut town, 71001, &of_stage("waive", &waive));
    let planned = ask(&mut town, 1000, &format!("{}\ndry_run = true", promote("lcg")));
    assert_eq!(planned.outcome, Outcome::Planned, "{planned:?}");
    let hash = planned.plan_hash.unwrap_or_default();
    let approve = format!(
        "action = \"approve\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\nplan = \"{hash}\""
    );
    ask(&mut town, 71001, &approve);
    ask(&mut town, 1000, &promote("lcg"));
    ask(&mut town, 71003, &approve);
    ask(&mut town, 71001, &of_stage("freeze", "reason = \"it is Christmas\""));
    ask(&mut town, 1000, &promote("lcg"));
    town.restart();
    let freeze = town.account().standing.freezes.into_keys().next().unwrap_or_default();
    ask(&mut town, 71001, &format!("action = \"thaw\"\nfreeze = \"{freeze}\""));
    ask(&mut town, 1000, &promote("lcg"));
    ask(&mut town, 1000, &promote("lcg"));
    let older = [town.upload("voms", "0.5")];
    ask(&mut town, 1000, &import(&older));
    (town, codes)
}

fn judged(town: &Town) -> Judgement {
    rejudge(&*town.disk, &town.store(), &|_, _| true).unwrap()
}

#[test]
fn what_people_did_is_judged_the_same_again() {
    let (mut town, codes) = lived();
    let expected = [
        "done",
        "unknown-owner",
        "role-not-allowed",
        "soaking",
        "done",
        "planned",
        "done",
        "approvals-missing",
        "done",
        "done",
        "frozen",
        "done",
        "done",
        "already-there",
        "older",
    ];
    assert_eq!(codes, expected);
    // Two that share a generation, and one that is refused behind them.
    let freeze = of_stage("freeze", "reason = \"until Monday\"");
    let together =
        town.ask_together(&[(1000, &withdraw("voms")), (71001, &freeze), (1000, &withdraw("voms"))]);
    let codes: Vec<&str> = together.iter().map(|answer| &*answer.code).collect();
    assert_eq!(codes, ["done", "done", "no-such-package"]);
    assert_eq!(together[0].generation, together[1].generation);
    // A file in the control directory freezes, and is gone when it is judged again.
    town.freeze_by_file(true);
    assert_eq!(town.ask(1000, &withdraw("gfal")).code, "frozen");
    town.freeze_by_file(false);
    // One id, twice with the same content and once with another.
    let keep = "action = \"keep\"\nas = \"update-1\"\nid = \"k\"";
    let codes = [keep, keep, "action = \"keep\"\nas = \"update-2\"\nid = \"k\""]
        .map(|keys| town.ask(1000, keys).code);
    assert_eq!(codes, ["done", "done", "used-id"]);
    // Who may do what changes, and no generation names that configuration when the next is refused by it.
    let fewer = format!("{CONFIG}{ROUTE}").replace("\"uid:1000\", \"uid:71001\"", "\"uid:71001\"");
    town.configure(&fewer);
    assert_eq!(town.ask(1000, &withdraw("gfal")).code, "role-not-allowed");
    assert_eq!(town.ask(71001, &withdraw("gfal")).code, "done");
    town.clock.advance(400 * 24 * 3600);
    assert_eq!(town.ask(1000, "action = \"sweep\"").exit, 0);
    let judgement = judged(&town);
    assert_eq!(judgement.differing, []);
    assert_eq!((judgement.judged, judgement.same), (24, 24), "{judgement:?}");
    let unjudged: Vec<(&str, usize)> =
        judgement.not_judged.iter().map(|(reason, count)| (&**reason, *count)).collect();
    assert!(unjudged.iter().all(|(reason, _)| *reason == super::reason::DISK), "{unjudged:?}");
}

#[test]
fn only_what_is_wanted_is_judged_and_everything_is_read() {
    let (town, _) = lived();
    let frozen = rejudge(&*town.disk, &town.store(), &|_, answer| answer.code == "frozen").unwrap();
    assert_eq!((frozen.judged, frozen.same, frozen.not_judged.len()), (1, 1, 0), "{frozen:?}");
}

/// Forges what `lived` left, and looks that exactly this is named; `word` stands in what is judged now.
#[track_caller]
fn check(forge: impl FnOnce(&mut Forgery) -> Option<String>, word: &str) {
    let (town, _) = lived();
    let mut forgery = Forgery::of(&town);
    let claim = forge(&mut forgery);
    forgery.put_back(&town);
    let judgement = judged(&town);
    assert_eq!(judgement.broken_lines, 0, "the forgery shows in the chain");
    let [differing] = &judgement.differing[..] else { panic!("{:#?}", judgement.differing) };
    assert_eq!(differing.claim, claim, "{differing:?}");
    assert!(differing.judged.contains(word), "{differing:?}");
}

#[test]
fn another_asker_is_named() {
    check(
        |forgery| {
            let settled = forgery.settled("promote", 0);
            settled["answer"]["owner"] = json!("uid:71009");
            Forgery::claim(settled)
        },
        "` asked",
    );
    // Also if whoever forged it thought of the owner of the file.
    check(
        |forgery| {
            let settled = forgery.settled("promote", 0);
            settled["answer"]["owner"] = json!("uid:71003");
            settled["grounds"]["file_of"] = json!("uid:71003");
            settled["grounds"]["uid"] = json!(71003);
            settled["roles"] = json!(["quality"]);
            Forgery::claim(settled)
        },
        "role-not-allowed",
    );
}

#[test]
fn a_role_that_nothing_gives_is_named() {
    check(
        |forgery| {
            let settled = forgery.settled("promote", 0);
            settled["roles"] = json!(["emperor", "release-team"]);
            Forgery::claim(settled)
        },
        "no role `emperor`",
    );
}

#[test]
fn another_request_than_was_answered_is_named() {
    check(
        |forgery| {
            let settled = forgery.settled("promote", 0);
            let text = settled["grounds"]["request"].as_str().unwrap_or_default().replace("lcg", "voms");
            settled["grounds"]["request"] = json!(text);
            Forgery::claim(settled)
        },
        "another digest",
    );
    check(
        |forgery| {
            let settled = forgery.settled("promote", 0);
            let text = settled["grounds"]["request"].as_str().unwrap_or_default().replace("lcg", "voms");
            settled["answer"]["request_digest"] = json!(repo::sha256(text.as_bytes()).hex());
            settled["grounds"]["request"] = json!(text);
            Forgery::claim(settled)
        },
        "soaking",
    );
}

#[test]
fn an_approval_that_nobody_gave_is_named() {
    let approve = |forgery: &mut Forgery| {
        let settled = forgery.settled("approve", 1);
        let text = settled["grounds"]["request"].as_str().unwrap_or_default().to_owned();
        let text = text.replace("action = \"approve\"", "action = \"approve\"\ntake_back = true");
        settled["answer"]["request_digest"] = json!(repo::sha256(text.as_bytes()).hex());
        settled["grounds"]["request"] = json!(text);
        Forgery::claim(settled)
    };
    check(approve, "");
    // One that stands, and no request brought it.
    check(
        |forgery| {
            let account = forgery.account_of("waive");
            account["standing"]["approvals"] = json!([{
                "plan": "5e".repeat(32), "product": "glite", "from": "delta", "to": "production",
                "by": "uid:71003", "roles": ["quality"], "at": "2023-01-01T00:00:00Z",
            }]);
            None
        },
        "no request of the generation did that",
    );
}

#[test]
fn a_refusal_that_is_said_to_be_another_answer_is_named() {
    check(
        |forgery| {
            let answer = forgery.answered("frozen");
            answer["outcome"] = json!("nothing-to-do");
            answer["code"] = json!("nothing-to-do");
            answer["claim"].as_str().map(str::to_owned)
        },
        "refused (frozen)",
    );
}

#[test]
fn what_passed_although_a_freeze_stood_is_named() {
    let freeze = Freeze {
        id: "freeze/all".into(),
        product: None,
        stage: None,
        by: "uid:0".into(),
        reason: "r".into(),
        until: None,
    };
    check(
        |forgery| {
            let settled = forgery.settled("promote", 0);
            settled["grounds"]["freeze_files"] = json!([freeze]);
            Forgery::claim(settled)
        },
        "refused (frozen)",
    );
}

fn advisory(more: &str) -> String {
    format!(
        "action = \"advisory\"\nproduct = \"glite\"\nstage = \"delta\"\nadvisory = \"GLITE-1\"\ntype = \"bugfix\"\n\
         title = \"t\"\n{more}"
    )
}

/// Lets people say something of packages, and take it back, and be refused for all that can be in the way of it.
fn advised() -> Town {
    let mut town = Town::new(CONFIG);
    let files = [town.upload("lcg", "1")];
    let of_lcg = advisory("packages = [\"lcg\"]");
    let elsewhere = advisory("packages = [\"lcg\"]\nplatforms = [\"el8/x86_64\"]");
    let missing = advisory("packages = [\"gfal\"]");
    let back = "action = \"end-advisory\"\nproduct = \"glite\"\nadvisory = \"GLITE-1\"\nreason = \"r\"";
    let freeze = "action = \"freeze\"\nproduct = \"glite\"\nstage = \"delta\"\nreason = \"it is Christmas\"";
    let all = [
        (1000, import(&files), "done"),
        (71003, of_lcg.clone(), "role-not-allowed"),
        (1000, missing, "advisory-names-absent"),
        (1000, elsewhere, "unknown-platform"),
        (1000, of_lcg.clone(), "done"),
        (71003, back.to_owned(), "role-not-allowed"),
        (1000, back.to_owned(), "done"),
        (1000, back.to_owned(), "no-such-advisory"),
        (71001, freeze.to_owned(), "done"),
        (1000, of_lcg, "frozen"),
    ];
    for (uid, keys, code) in &all {
        assert_eq!(town.ask(*uid, keys).code, *code, "{keys}");
    }
    town
}

#[test]
fn what_is_said_of_packages_is_judged_by_what_its_stage_gives_and_lists() {
    let judgement = judged(&advised());
    assert_eq!(judgement.differing, []);
    assert_eq!((judgement.judged, judgement.same), (7, 7), "{judgement:?}");
    // Said, taken back, and taken back once more: which stages said it was on the disk.
    assert_eq!(judgement.not_judged[super::reason::SAID], 3, "{judgement:?}");
}

#[test]
fn a_refusal_to_say_something_that_nothing_explains_is_named() {
    for (is, was, word) in [
        ("advisory-names-absent", "role-not-allowed", "refused (advisory-names-absent)"),
        ("role-not-allowed", "advisory-names-absent", "refused (role-not-allowed)"),
        ("unknown-platform", "advisory-names-absent", "refused (unknown-platform)"),
        ("frozen", "advisory-names-absent", "refused (frozen)"),
    ] {
        let town = advised();
        let mut forgery = Forgery::of(&town);
        forgery.answered(is)["code"] = json!(was);
        forgery.put_back(&town);
        let judgement = judged(&town);
        let [differing] = &judgement.differing[..] else { panic!("{is}: {:#?}", judgement.differing) };
        assert!(differing.judged.contains(word), "{differing:?}");
    }
}

#[test]
fn who_said_something_or_took_it_back_without_the_role_is_named() {
    for action in ["advisory", "end-advisory"] {
        let town = advised();
        let mut forgery = Forgery::of(&town);
        let settled = forgery.settled(action, 0);
        settled["answer"]["owner"] = json!("uid:71003");
        settled["grounds"]["file_of"] = json!("uid:71003");
        settled["grounds"]["uid"] = json!(71003);
        settled["roles"] = json!(["quality"]);
        forgery.put_back(&town);
        let judgement = judged(&town);
        let [differing] = &judgement.differing[..] else { panic!("{action}: {:#?}", judgement.differing) };
        assert!(differing.judged.contains("role-not-allowed"), "{differing:?}");
    }
}

#[test]
fn packages_that_no_request_moved_are_named() {
    check(
        |forgery| {
            let account = forgery.account_of("waive");
            account["changes"]["glite-el9-x86_64-production-debug"] = json!({
                "entered": [{ "nevra": "evil-1-1.noarch", "pkgid": "5e".repeat(32), "size": 1 }], "left": [],
            });
            None
        },
        "no request of the generation did that",
    );
}

#[test]
fn what_an_older_program_recorded_is_counted_and_no_fault() {
    let (town, _) = lived();
    let mut forgery = Forgery::of(&town);
    forgery.forget_grounds();
    forgery.put_back(&town);
    let judgement = judged(&town);
    assert_eq!((judgement.judged, &judgement.differing[..]), (0, &[][..]));
    assert!(judgement.not_judged[super::reason::OLDER] > 15, "{judgement:?}");
}
