//! Faults while meta-packages are built anew: by a roll-back, and by the release of a part.
//!
//! What is killed and refused are calls of the thread that does the work, as everywhere here. The headers are edited by a
//! worker, a process of its own, whose calls are none of these: strace counts calls in each process and cannot be told
//! of which one a fault is meant. Little is lost. The worker may open and write nothing, so that no call of its own
//! changes a disk; it is gone when the daemon is; and what it is asked and says passes through calls of the daemon.
//! That it dies alone is tried where it makes a call that the daemon does not, which is where it takes a question.

use std::collections::BTreeSet;
use std::fs;

use daemon::verify::Rest;
use repo::Recipe;
use store::planted::Bug;

use super::afterwards::{Looks, leads_to};
use super::bench::Bench;
use super::errors::{faults, meet_all, unopened};
use super::kills::kill_all;
use super::ledger::{self, Begin};
use super::scenarios::{Ready, Scenario};
use super::timeless::{Offered, Timeless, wrong_with_pins};
use super::{is_thorough, may_trace, sweep, told};

/// What hosts of the previous bundle have, and those of the next.
const VERSIONS: [&str; 2] = ["1.0", "2.0"];

const ROLL_BACK: &str = "action = \"rollback\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"voms\"]\n\
                         reason = \"it loses jobs\"";

/// The call by which a worker takes a question; the daemon makes none of that name.
const TAKES: &str = "recvmsg";

const SCENARIOS: [Scenario; 2] = [
    Scenario {
        name: "roll-back",
        grace: "1h",
        make: |bench| {
            two_bundles(bench);
            bench.ask("new", ROLL_BACK);
        },
        stems: &["new"],
    },
    Scenario {
        name: "partial release",
        grace: "1h",
        make: |bench| {
            two_bundles(bench);
            bench.ask("new", &format!("{}\npartial = \"target\"", promote(&["voms"])));
        },
        stems: &["new"],
    },
];

fn promote(packages: &[&str]) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = {packages:?}"
    )
}

/// Three meta-packages: one pins two components, one pins one, one pins these two.
fn node_types(version: &str) -> Vec<Recipe> {
    let one = |name: &str, pins: &[&str]| {
        let begin = Recipe::new(name, version, "1");
        pins.iter().fold(begin, |recipe, pin| recipe.requires(&format!("{pin} = {version}-1")))
    };
    vec![
        one("glite-UI", &["voms", "lcg"]),
        one("glite-WN", &["voms"]),
        one("glite-SITE", &["glite-UI", "glite-WN"]),
    ]
}

/// Puts the previous bundle into production and the next one into delta.
fn two_bundles(bench: &Bench) {
    let [previous, next] = VERSIONS;
    bench.settle("types", &bench.importing(&node_types(previous)));
    bench.settle("up", &promote(&["voms", "lcg", "glite-UI", "glite-WN", "glite-SITE"]));
    let components = ["voms", "lcg"].map(|name| Bench::component(name, next));
    bench.settle("next", &bench.importing(&[&components[..], &node_types(next)].concat()));
}

#[test]
fn a_kill_at_any_system_call_shows_all_node_types_or_none() {
    if !may_trace() {
        return;
    }
    let all = told("kills", sweep(&SCENARIOS, 240, kill_all));
    assert!(all.missed <= 2 + all.cases / 50, "too many kills hit nothing: {all}");
    assert!(!is_thorough() || all.cases >= 700, "only {} points", all.cases);
    all.demand_none_wrong();
}

#[test]
fn a_disk_that_refuses_shows_all_node_types_or_none() {
    if !may_trace() {
        return;
    }
    let refuses = |ready: &Ready, part| {
        let opens = meet_all(ready, part, &unopened(ready));
        println!("{}: opens: {opens}", ready.name);
        meet_all(ready, part, &faults(ready)).and(opens)
    };
    let all = told("faults", sweep(&SCENARIOS, 800, refuses));
    assert!(all.missed <= 2 + all.cases / 50, "too many faults hit nothing: {all}");
    all.demand_none_wrong();
}

#[test]
fn a_worker_that_is_killed_before_any_question_shows_all_node_types_or_none() {
    if !may_trace() {
        return;
    }
    let bench = Bench::new("1h");
    for scenario in &SCENARIOS[..if is_thorough() { 2 } else { 1 }] {
        let ready = scenario.ready(&bench);
        assert!(ready.calls.iter().all(|call| call.name != TAKES), "the daemon would be killed too");
        let mut questions = 0;
        loop {
            bench.restore(&ready.state);
            let round = bench.traced(TAKES, &[format!("{TAKES}:signal=KILL:when={}", questions + 1)]);
            if !round.told().contains("the worker that read") {
                break;
            }
            questions += 1;
            assert_eq!(round.ran.code(), 0, "{}", round.ran);
            let answers = bench.site.answers("new");
            assert_eq!(answers.len(), 1, "{answers:?}");
            let offered = bench.offered().unwrap();
            // Whoever comes in its place dies at the same question of his own: at the first nothing is ever built.
            let (code, expected) =
                if questions == 1 { ("reader-died", &ready.before) } else { ("done", &ready.after) };
            assert_eq!(answers[0].1["code"], code, "{answers:?}");
            assert_eq!(offered, *expected);
            assert_eq!(bench.look(Rest::Quiet), Vec::<String>::new());
        }
        println!("{}: the worker was killed before each of {questions} questions", ready.name);
        assert!(questions > 5, "only {questions} questions");
    }
}

/// By hand, what no roll-back may leave.
fn by_hand(ready: &Ready, entering: &[Recipe], leaving: &[&str]) -> String {
    let bench = ready.bench;
    bench.restore(&ready.state);
    fs::remove_file(bench.site.spool().join("incoming/new.toml")).unwrap();
    if !entering.is_empty() {
        bench.settle("entering", &bench.importing(entering));
    }
    if !leaving.is_empty() {
        let withdraw = "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = ";
        bench.settle("leaving", &format!("{withdraw}{leaving:?}"));
    }
    ready.left(Looks::One).0.join("\n")
}

#[test]
fn some_node_types_without_the_others_are_told() {
    if !may_trace() {
        return;
    }
    let bench = Bench::new("1h");
    let ready = SCENARIOS[0].ready(&bench);
    let half = [Recipe::new("glite-UI", "2.0", "1.1").requires("voms = 1.0-1").requires("lcg = 2.0-1")];
    let beside = by_hand(&ready, &half, &[]);
    assert!(beside.contains("`glite-UI-2.0-1.noarch` is beside another release of it"), "{beside}");
    let one = by_hand(&ready, &half, &["glite-UI-2.0-1.noarch"]);
    assert!(one.contains("neither the old nor the new is offered"), "{one}");
    assert!(one.contains("`glite-SITE-2.0-1.noarch` pins `glite-UI = 2.0-1`, which nothing offers"), "{one}");
    let gone = by_hand(&ready, &[], &["voms"]);
    for name in ["glite-UI", "glite-WN"] {
        assert!(
            gone.contains(&format!("`{name}-2.0-1.noarch` pins `voms = 2.0-1`, which nothing offers")),
            "{gone}"
        );
    }
}

#[test]
fn both_build_several_meta_packages_anew_and_sync_them() {
    if !may_trace() {
        return;
    }
    let bench = Bench::new("1h");
    let anew = |scenario: &Scenario| {
        let ready = scenario.ready(&bench);
        for offered in [&ready.before, &ready.after] {
            assert_eq!(wrong_with_pins(offered, leads_to), Vec::<String>::new());
        }
        assert_eq!(not_durable(&ready, None), Vec::<String>::new());
        let found = not_durable(&ready, Some(Bug::PoolNotSynced));
        assert!(found.iter().any(|wrong| wrong.contains("/pool/")), "{}: {found:?}", ready.name);
        let of = |offered: &Offered| offered.values().flatten().cloned().collect::<BTreeSet<_>>();
        let (before, after) = (of(&ready.before), of(&ready.after));
        let named = |package: &Timeless| format!("{} ({})", package.nevra, package.pins.join(", "));
        after.difference(&before).map(named).collect::<Vec<_>>()
    };
    assert_eq!(
        anew(&SCENARIOS[0]),
        [
            "glite-SITE-2.0-1.1.noarch (glite-UI = 2.0-1.1, glite-WN = 2.0-1.1)",
            "glite-UI-2.0-1.1.noarch (lcg = 2.0-1, voms = 1.0-1)",
            "glite-WN-2.0-1.1.noarch (voms = 1.0-1)",
        ]
    );
    assert_eq!(
        anew(&SCENARIOS[1]),
        [
            "glite-SITE-2.0-1.1.noarch (glite-UI = 2.0-1.1, glite-WN = 2.0-1)",
            "glite-SITE-2.0-1.2.noarch (glite-UI = 2.0-1.2, glite-WN = 2.0-1)",
            "glite-UI-2.0-1.1.noarch (lcg = 1.0-1, voms = 2.0-1)",
            "glite-UI-2.0-1.2.noarch (lcg = 2.0-1, voms = 2.0-1)",
        ]
    );
}

/// What the book of what is durable says of one round.
fn not_durable(ready: &Ready, bug: Option<Bug>) -> Vec<String> {
    let (root, spool) = (ready.bench.site.root(), ready.bench.site.spool());
    ready.bench.restore(&ready.state);
    let begin = Begin::look(&root);
    ledger::of_daemon(&ready.bench.planted(bug).calls, &root, &spool, &begin)
}
