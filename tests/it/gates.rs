//! The gates at which people decide: approvals, waivers, freezes, soaking; and the plan that was approved.
//!
//! The engine as it runs, on a disk in memory, with several people who ask; and once the real program.

mod external;
mod installable;
mod several_names;
mod sharing;
mod variants;

use std::io::Write as _;
use std::sync::Arc;

use daemon::config::Config;
use plan::{Answer, Outcome, Verdict};
use store::Disk as _;
use testkit::{Sandbox, Site};

use crate::crash::site::SPOOL;
use crate::people::People;

const HOUR: i64 = 3600;

/// 1000 moves packages; 71001 and 71002 are of operations, 71003 of quality.
const CONFIG: &str = r#"
format = 1
[site]
name = "Gates"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
sweep_every = "30 days"
[roles]
release-team = ["uid:1000", "uid:71001"]
operations = ["uid:71001", "uid:71002"]
quality = ["uid:71003"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
freeze_roles = ["operations"]
[[product.stage]]
name = "production"
waiver_roles = ["operations"]
[[product.route]]
from = "delta"
to = "production"
"#;

fn promote(package: &str) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"{package}\"]"
    )
}

fn dry(keys: &str) -> String {
    format!("{keys}\ndry_run = true")
}

fn approve(hash: &str) -> String {
    format!(
        "action = \"approve\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\nplan = \"{hash}\""
    )
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!((answer.outcome, answer.code.as_str()), (Outcome::Refused, code), "{answer:?}");
}

#[track_caller]
fn done(answer: &Answer) {
    assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
}

#[test]
fn two_people_of_operations_and_one_of_quality_approve_before_anything_moves() {
    let approvals = "approvals = [{ role = \"operations\" , count = 2 }, { role = \"quality\" }]\n";
    let mut site = People::with(CONFIG, approvals);
    let planned = site.ask(1000, &dry(&promote("lcg")));
    assert_eq!(planned.outcome, Outcome::Planned);
    let hash = planned.plan_hash.unwrap();
    let text = planned.plan.unwrap();
    assert!(text.contains("fail   approvals: people still have to approve of the plan: 2 of 2"), "{text}");
    refused(&site.ask(1000, &promote("lcg")), "approvals-missing");
    refused(&site.ask(1000, &approve(&hash)), "role-not-allowed");
    for uid in [71001, 71002] {
        done(&site.ask(uid, &approve(&hash)));
    }
    let missing = site.ask(1000, &promote("lcg"));
    refused(&missing, "approvals-missing");
    assert!(missing.sentence.ends_with("1 of 1 with the role `quality`"), "{missing:?}");
    done(&site.ask(71003, &approve(&hash)));
    // What was said survives the daemon.
    site.restart();
    assert_eq!(site.account().standing.approvals.len(), 3);
    // Whoever approved cannot ask for it as well.
    refused(&site.ask(71001, &promote("lcg")), "approvals-missing");
    let moved = site.ask(1000, &promote("lcg"));
    done(&moved);
    let seen = moved.gates.iter().find(|seen| seen.gate == "approvals").unwrap();
    assert_eq!(seen.verdict, Verdict::Pass);
    for uid in [71001, 71002, 71003] {
        assert!(seen.evidence.contains(&format!("uid:{uid}")), "{}", seen.evidence);
    }
    assert!(site.account().standing.approvals.is_empty(), "it is used up");
}

#[test]
fn a_plan_that_changed_is_refused_with_the_difference() {
    let mut site = People::with(CONFIG, "");
    let planned = site.ask(1000, &dry(&promote("lcg")));
    let hash = planned.plan_hash.unwrap();
    let back = "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"production\"\npackages = [\"voms\"]";
    done(&site.ask(1000, back));
    let changed = site.ask(1000, &format!("{}\nplan = \"{hash}\"", promote("lcg")));
    refused(&changed, "plan-changed");
    let reasons = changed.reasons.join("\n");
    assert!(
        reasons.contains("no longer: `glite-el9-x86_64-production` lists the set ")
            && reasons.contains("now: `glite-el9-x86_64-production` lists the set "),
        "{reasons}"
    );
    let other = site.ask(1000, &format!("{}\nplan = \"{}\"", promote("lcg"), "5e".repeat(32)));
    refused(&other, "plan-changed");
    assert!(other.reasons.iter().any(|reason| reason.contains("is not remembered here")), "{other:?}");
    let planned = site.ask(1000, &dry(&promote("lcg")));
    let hash = planned.plan_hash.unwrap();
    done(&site.ask(1000, &format!("{}\nplan = \"{hash}\"", promote("lcg"))));
}

#[test]
fn what_soaks_moves_when_the_time_is_witnessed_or_somebody_answers_for_it() {
    let mut site = People::with(CONFIG, "soak = \"48h\"\n");
    refused(&site.ask(1000, &promote("lcg")), "soaking");
    site.clock.jump(100 * HOUR);
    refused(&site.ask(1000, &promote("lcg")), "soaking");
    site.clock.jump(-100 * HOUR);
    let waive = |package: &str| {
        format!(
            "action = \"waive\"\nproduct = \"glite\"\nstage = \"production\"\ngate = \"soak\"\n\
             packages = [\"{package}\"]\nuntil = \"1970-02-01T00:00:00Z\"\nreason = \"a hole that is used\""
        )
    };
    let until = jiff::Timestamp::from_second(site.now() + 48 * HOUR).unwrap().to_string();
    let waive = |package: &str| waive(package).replace("1970-02-01T00:00:00Z", &until);
    refused(&site.ask(1000, &waive("lcg")), "role-not-allowed");
    done(&site.ask(71001, &waive("no-such")));
    refused(&site.ask(1000, &promote("lcg")), "soaking");
    done(&site.ask(71001, &waive("lcg")));
    site.restart();
    let moved = site.ask(1000, &promote("lcg"));
    done(&moved);
    let seen = moved.gates.iter().find(|seen| seen.gate == "soak").unwrap();
    assert_eq!(seen.verdict, Verdict::Waived);
    assert!(seen.evidence.contains("`uid:71001` answers for it until"), "{}", seen.evidence);
    // The manifest has it for ever.
    let account = site.account();
    assert!(account.requests[0].answer.gates.contains(seen));
    assert_eq!(account.standing.waivers.len(), 2);
    site.clock.advance(49 * HOUR);
    let later = site.ask(71001, "action = \"freeze\"\nproduct = \"glite\"\nreason = \"x\"");
    done(&later);
    assert!(site.account().standing.waivers.is_empty(), "what is over is not carried on");
}

#[test]
fn what_is_imported_and_promoted_at_once_has_not_soaked() {
    let mut site = People::with(CONFIG, "soak = \"48h\"\n");
    site.clock.advance(100 * HOUR);
    site.settle();
    let file = crate::crash::site::upload(&*site.disk, &crate::crash::site::rpm("fresh", "1"), "fresh.rpm");
    let import = crate::crash::site::import_request(&[file]);
    crate::crash::site::drop_request(&site.disk.as_user(1000, 1000), "a.toml", &import);
    crate::crash::site::drop_request(&site.disk.as_user(1000, 1000), "b.toml", &promote("fresh"));
    let answers = site.settle();
    let promoted = answers.iter().find(|answer| answer.action == "promote").unwrap();
    refused(promoted, "soaking");
    done(answers.iter().find(|answer| answer.action == "import").unwrap());
    done(&site.ask(1000, &promote("lcg")));
}

#[test]
fn an_approval_goes_with_the_role_of_who_gave_it() {
    let approvals = "approvals = [{ role = \"quality\" }]\n";
    let mut site = People::with(CONFIG, approvals);
    let hash = site.ask(1000, &dry(&promote("lcg"))).plan_hash.unwrap();
    done(&site.ask(71003, &approve(&hash)));
    let config = Arc::clone(&site.config);
    let text =
        format!("{CONFIG}{approvals}").replace("quality = [\"uid:71003\"]", "quality = [\"uid:71004\"]");
    site.config = Arc::new(Config::parse(text.as_bytes(), "gates.toml").unwrap());
    site.restart();
    refused(&site.ask(1000, &promote("lcg")), "approvals-missing");
    site.config = config;
    site.restart();
    done(&site.ask(1000, &format!("{}\nplan = \"{hash}\"", promote("lcg"))));
}

#[test]
fn a_freeze_by_request_file_or_calendar_keeps_packages_where_they_are() {
    let mut site = People::with(CONFIG, "");
    let freeze =
        "action = \"freeze\"\nproduct = \"glite\"\nstage = \"production\"\nreason = \"data challenge\"";
    refused(&site.ask(1000, freeze), "role-not-allowed");
    let frozen = site.ask(71001, freeze);
    done(&frozen);
    site.restart();
    let stopped = site.ask(1000, &promote("lcg"));
    refused(&stopped, "frozen");
    assert_eq!(stopped.exit, 4);
    assert!(stopped.reasons[0].contains("`uid:71001` froze `production` of `glite`"), "{stopped:?}");
    let id = site.account().standing.freezes.keys().next().unwrap().clone();
    done(&site.ask(71002, &format!("action = \"thaw\"\nfreeze = \"{id}\"")));

    let folder = format!("{SPOOL}/freeze");
    site.disk.make_directory(folder.as_str().into(), 0o755).unwrap();
    for (name, words) in [
        ("all", "froze everything"),
        ("glite", "froze `glite`"),
        ("glite:production", "froze `production` of `glite`"),
        ("glite:prodution", "names no product and no stage, so everything stands still"),
    ] {
        let path = format!("{folder}/{name}");
        site.disk.create(path.as_str().into(), 0o644).unwrap().write_all(b"power\n works\x1b[2J").unwrap();
        let stopped = site.ask(1000, &promote("lcg"));
        refused(&stopped, "frozen");
        assert!(stopped.reasons[0].contains(words), "{stopped:?}");
        assert!(stopped.reasons[0].ends_with("power works [2J"), "{stopped:?}");
        site.disk.remove_file(path.as_str().into()).unwrap();
    }
    // More than anybody looks through freeze everything.
    let many: Vec<String> = (0..101).map(|number| format!("{folder}/glite:delta.{number}")).collect();
    for path in &many {
        site.disk.create(path.as_str().into(), 0o644).unwrap();
    }
    let stopped = site.ask(1000, &promote("lcg"));
    assert!(stopped.reasons[0].contains("too many files in `freeze/`"), "{stopped:?}");
    many.iter().for_each(|path| site.disk.remove_file(path.as_str().into()).unwrap());
    for left in [".all.swp", "all~"] {
        site.disk.create(format!("{folder}/{left}").as_str().into(), 0o644).unwrap();
    }
    let now = site.now();
    let at = |seconds: i64| jiff::Timestamp::from_second(now + seconds).unwrap();
    let calendar = format!(
        "[[freeze]]\nproduct = \"glite\"\nfrom = \"{}\"\nuntil = \"{}\"\nreason = \"nobody is there\"\n",
        at(-HOUR),
        at(HOUR)
    );
    let text = format!("{CONFIG}{calendar}");
    site.config = Arc::new(Config::parse(text.as_bytes(), "gates.toml").unwrap());
    site.restart();
    let stopped = site.ask(1000, &promote("lcg"));
    refused(&stopped, "frozen");
    assert!(stopped.reasons[0].contains("by the calendar frozen from"), "{stopped:?}");
    site.clock.advance(2 * HOUR);
    done(&site.ask(1000, &promote("lcg")));
}

#[test]
fn the_command_line_freezes_and_shows_what_stands() {
    let sandbox = Sandbox::new();
    let stages = "[roles]\nrelease-team = [\"ME\"]\n[[product]]\nname = \"glite\"\npreset = \"glite\"\n\
                  platforms = [\"el9/x86_64\"]\n[[product.stage]]\nname = \"production\"\n\
                  waiver_roles = [\"release-team\"]\n";
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", stages);
    let _daemon = site.start();
    site.sluice(&["freeze", "--stage", "production", "--reason", "data challenge"]).ok();
    let status = site.sluice(&["status"]).ok().stdout;
    let line = status.lines().find(|line| line.contains("froze `production` of `glite`")).unwrap();
    let id = line.split("freeze ").nth(1).unwrap().split(':').next().unwrap();
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(5)).to_string();
    let waive = ["waive", "lcg-*", "--gate", "soak", "--stage", "production", "--until", &until];
    assert_eq!(site.sluice(&waive).code(), 2, "it needs a reason");
    site.sluice(&[&waive[..], &["--reason", "a hole"]].concat()).ok();
    assert!(
        site.sluice(&["status"])
            .ok()
            .stdout
            .contains("waiver       soak of `production` of `glite`, lcg-*: ")
    );
    site.sluice(&["thaw", id]).ok();
    assert!(!site.sluice(&["status"]).ok().stdout.contains("frozen"));
    assert_eq!(site.sluice(&["thaw", id]).code(), 5);
    let waiver = site.sluice(&["--json", "status"]).ok().stdout;
    let waiver: serde_json::Value = serde_json::from_str(&waiver).unwrap();
    let waiver = waiver["current"]["standing"]["waivers"].as_object().unwrap().keys().next().unwrap().clone();
    site.sluice(&["waive", "--drop", &waiver]).ok();
    assert_eq!(site.sluice(&["approve", &"5e".repeat(32)]).code(), 3, "the route wants no approvals");
}
