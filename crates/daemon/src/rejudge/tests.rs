//! The engine as it runs, on a disk in memory: what it settled is judged the same again.

mod town;

use plan::Outcome;

use super::{Judgement, rejudge};
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
