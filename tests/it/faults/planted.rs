//! Every planted bug, switched on in the real program by its environment, is caught by a proof that finds nothing
//! without it. The table is that of `tests/README.md`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use daemon::verify::Rest;
use repo::Recipe;
use store::planted::Bug;
use testkit::sluice;

use super::bench::Bench;
use super::calls::of_command;
use super::ledger::{self, Begin};
use super::may_trace;
use super::scenarios::{FOR_BUGS, PROMOTE, Ready, SCENARIOS, SWEEP, WITHDRAW};

/// How a bug is caught.
#[derive(Clone, Copy)]
enum Proof {
    /// The book of what is durable, kept along the calls of one round of this scenario.
    Ledger(&'static str),
    /// A look at the site when this scenario has come to rest.
    Rest(&'static str),
    /// A story of its own, which says what is wrong.
    Story(fn(&Bench, Option<Bug>) -> Vec<String>),
    /// The same book along the calls of `sluice createrepo`, where the file system exchanges names or does not.
    Createrepo { exchanges: bool },
}

const PROMOTION: &str = "promote and a refusal";
const BEFORE: &str = "recovery before the flip";
const PAST: &str = "recovery past the flip";

/// What `tests/it/witnessed.rs` plants is not here: there the clock has to jump.
const BUGS: [(Bug, Proof); 38] = [
    (Bug::FilesOfTheHalvesNotSynced, Proof::Ledger(PROMOTION)),
    (Bug::DirectoriesOfTheHalvesNotSynced, Proof::Ledger(PROMOTION)),
    (Bug::PackagesNotSynced, Proof::Ledger(PROMOTION)),
    (Bug::PoolNotSynced, Proof::Ledger("import")),
    (Bug::GenerationsNotSynced, Proof::Ledger(PROMOTION)),
    (Bug::PublicNotSyncedAfterTheRename, Proof::Ledger(PROMOTION)),
    (Bug::PublicNotSyncedAfterTheFlip, Proof::Ledger(PROMOTION)),
    (Bug::NoDirectorySynced, Proof::Ledger(PROMOTION)),
    (Bug::LinksFileNotSynced, Proof::Ledger(PROMOTION)),
    (Bug::FlippedBeforeTheHalvesAreSynced, Proof::Ledger(PROMOTION)),
    (Bug::FlippedBeforeTheRenameOfW, Proof::Ledger(PROMOTION)),
    (Bug::LinkedBeforeLinksFile, Proof::Ledger(PROMOTION)),
    (Bug::DroppedBeforeTheFlip, Proof::Ledger("sweep")),
    (Bug::TopsNotSealed, Proof::Rest(PROMOTION)),
    (Bug::RecoveryPublishesSealed, Proof::Ledger(BEFORE)),
    (Bug::RecoveryTrustsTheFlip, Proof::Ledger(PAST)),
    (Bug::RecoveryUndoesPublishedLinks, Proof::Rest(PAST)),
    (Bug::RecoveryLeavesAbandonedLinks, Proof::Ledger(BEFORE)),
    (Bug::RecoveryForgetsBeforeItUndoes, Proof::Ledger(BEFORE)),
    (Bug::NumberUsedAgain, Proof::Rest(BEFORE)),
    (Bug::ForwardLinkNotCompared, Proof::Story(somebody_writes_into_the_tree)),
    (Bug::LeftPackageNotRetained, Proof::Rest(PROMOTION)),
    (Bug::RetainedForgotten, Proof::Rest("withdraw after promote")),
    (Bug::GraceForgotten, Proof::Story(a_sweep_within_the_grace)),
    (Bug::NamesForgotten, Proof::Rest("sweep beside a name")),
    (Bug::ClaimsNotRemembered, Proof::Rest(PAST)),
    (Bug::IdsNotRemembered, Proof::Story(one_id_twice)),
    (Bug::AnsweredBeforeTheLastSync, Proof::Ledger(PROMOTION)),
    (Bug::SpoolMoveNotSynced, Proof::Ledger(PROMOTION)),
    (Bug::MovedBeforeTheAnswer, Proof::Ledger(PROMOTION)),
    (Bug::AnswerNotSynced, Proof::Ledger(PROMOTION)),
    (Bug::AnsweredBeforeTheAuditLog, Proof::Ledger(PROMOTION)),
    (Bug::RecoveryTrustsTheAuditLog, Proof::Ledger("recovery of a refusal")),
    (Bug::RepodataFilesNotSynced, Proof::Createrepo { exchanges: true }),
    (Bug::RepodataDirectoryNotSynced, Proof::Createrepo { exchanges: true }),
    (Bug::RepodataRenamedAway, Proof::Createrepo { exchanges: true }),
    (Bug::RepodataPlaceNotSynced, Proof::Createrepo { exchanges: true }),
    (Bug::RepodataIndexMovedFirst, Proof::Createrepo { exchanges: false }),
];

impl Proof {
    /// The scenario it is about; none for a story.
    fn scenario(self) -> Option<&'static str> {
        match self {
            Proof::Ledger(name) | Proof::Rest(name) => Some(name),
            Proof::Story(_) | Proof::Createrepo { .. } => None,
        }
    }

    /// Whether it looks at the same calls in the same way; stories are told each for itself.
    fn is_same(self, other: Proof) -> bool {
        match (self, other) {
            (Proof::Ledger(one), Proof::Ledger(other)) | (Proof::Rest(one), Proof::Rest(other)) => {
                one == other
            }
            (Proof::Createrepo { exchanges: one }, Proof::Createrepo { exchanges: other }) => one == other,
            _ => false,
        }
    }

    /// Runs it with a bug or without, and tells what it finds wrong.
    fn run(self, bench: &Bench, ready: Option<&Ready>, bug: Option<Bug>) -> Vec<String> {
        match (self, ready) {
            (Proof::Ledger(_), Some(ready)) => {
                bench.restore(&ready.state);
                let (root, spool) = (bench.site.root(), bench.site.spool());
                let begin = Begin::look(&root);
                ledger::of_daemon(&bench.planted(bug).calls, &root, &spool, &begin)
            }
            (Proof::Rest(_), Some(ready)) => {
                bench.restore(&ready.state);
                // A bug may well stop the round; what it leaves is looked at all the same.
                bench.planted(bug);
                let mut wrong = bench.look(Rest::Quiet);
                wrong.extend(ready.next_round(&ready.told, super::afterwards::Looks::One));
                wrong
            }
            (Proof::Story(tell), _) => {
                bench.restore(&bench.filled);
                tell(bench, bug)
            }
            (Proof::Createrepo { exchanges }, _) => createrepo(bench, bug, exchanges),
            _ => panic!("the scenario is ready where there is one"),
        }
    }
}

/// Somebody changes a file of the current generation by hand: it may not be linked into the next one.
fn somebody_writes_into_the_tree(bench: &Bench, bug: Option<Bug>) -> Vec<String> {
    let current = bench.site.root().join("public/current").canonicalize_utf8().unwrap();
    let file = current.join("glite-production-el9-x86_64.repo");
    let file = if file.is_file() { file } else { dot_repo(&current) };
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    fs::write(&file, "[changed]\nby = hand\n").unwrap();
    mode(0o444);
    bench.ask("new", PROMOTE);
    bench.planted(bug);
    let now = bench.site.root().join("public/current").canonicalize_utf8().unwrap();
    let is_linked =
        now != current && fs::read(now.join(file.file_name().unwrap())).unwrap().starts_with(b"[changed]");
    if is_linked {
        vec![format!("I2 {file}: it was changed by hand and linked into {now}")]
    } else {
        Vec::new()
    }
}

/// One of the files that a promotion does not change.
fn dot_repo(generation: &camino::Utf8Path) -> camino::Utf8PathBuf {
    let names = super::bench::names(generation);
    let name = names.iter().find(|name| name.ends_with(".repo")).expect("each stage has one");
    generation.join(name)
}

/// The same id with the same bytes, and with others: nothing more is done, and the second is refused.
fn one_id_twice(bench: &Bench, bug: Option<Bug>) -> Vec<String> {
    let other = PROMOTE.replace("voms", "lcg");
    for (stem, body) in [("first", PROMOTE), ("again", PROMOTE), ("other", &other)] {
        bench.ask(stem, &format!("{body}\nid = \"one\""));
        bench.planted(bug);
    }
    let answer = |stem: &str| bench.site.answers(stem).pop().expect("it is answered").1;
    let (first, again, other) = (answer("first"), answer("again"), answer("other"));
    let mut wrong = Vec::new();
    if again["generation"] != first["generation"] || again["outcome"] != first["outcome"] {
        wrong.push(format!("I15 the same id got another answer: {again}"));
    }
    if other["code"] != "used-id" {
        wrong.push(format!("I15 the id was settled twice: {other}"));
    }
    wrong
}

/// A package leaves, and an hour of grace has just begun when somebody asks for a sweep: its link stays.
fn a_sweep_within_the_grace(bench: &Bench, bug: Option<Bug>) -> Vec<String> {
    let before = bench.links();
    bench.settle("withdraw", WITHDRAW);
    bench.ask("new", SWEEP);
    bench.planted(bug);
    let after = bench.links();
    before.difference(&after).map(|link| format!("I8 {link}: it went within its grace")).collect()
}

/// Makes repodata a second time.
fn createrepo(bench: &Bench, bug: Option<Bug>, exchanges: bool) -> Vec<String> {
    let folder = bench.folder("packages");
    let add = |name: &str| {
        let recipe = Recipe::new(name, "1.0", "1").file(&format!("/usr/share/{name}"), name);
        fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
    };
    let program = sluice();
    let words = [program.as_str(), "createrepo", "--quiet", "--workers", "1", folder.as_str()];
    add("one");
    let first = of_command(bench, &words, &[], &[]);
    assert_eq!(first.ran.code(), 0, "{}", first.ran);
    add("two");
    let name = bug.map(|bug| format!("{bug:?}"));
    let environment: Vec<_> = name.iter().map(|name| ("SLUICE_PLANTED_BUG", name.as_str())).collect();
    let injects: &[&str] = if exchanges { &[] } else { &["renameat2:error=EINVAL"] };
    ledger::of_createrepo(&of_command(bench, &words, injects, &environment).calls, &folder)
}

#[test]
fn every_planted_bug_is_caught_in_the_real_program() {
    if !may_trace() {
        return;
    }
    let mut missed = Vec::new();
    let mut false_alarms = Vec::new();
    let mut done: Vec<Option<&str>> = Vec::new();
    let mut caught = 0;
    for grace in ["1h", "0h"] {
        let bench = Bench::new(grace);
        let scenarios: Vec<_> =
            SCENARIOS.iter().chain(&FOR_BUGS).filter(|scenario| scenario.grace == grace).collect();
        let names = scenarios.iter().map(|scenario| Some(scenario.name));
        let names: Vec<_> = names.chain((grace == "1h").then_some(None)).collect();
        for name in names {
            let mut bugs = BUGS.iter().filter(|(_, proof)| proof.scenario() == name).peekable();
            if bugs.peek().is_none() {
                continue;
            }
            let ready = scenarios
                .iter()
                .find(|scenario| Some(scenario.name) == name)
                .map(|scenario| scenario.ready(&bench));
            let mut sound: Vec<Proof> = Vec::new();
            for (bug, proof) in bugs {
                // Without a bug, a proof says the same however often it is asked.
                if !sound.iter().any(|earlier| earlier.is_same(*proof)) {
                    sound.push(*proof);
                    let wrong = proof.run(&bench, ready.as_ref(), None);
                    if !wrong.is_empty() {
                        false_alarms.push(format!("{bug:?}: {}", wrong.join("; ")));
                    }
                }
                match proof.run(&bench, ready.as_ref(), Some(*bug)).first() {
                    Some(wrong) => {
                        caught += 1;
                        println!("{bug:?}: {wrong}");
                    }
                    None => missed.push(*bug),
                }
            }
            done.push(name);
        }
    }
    println!("{caught} of {} planted bugs are caught", BUGS.len());
    assert!(false_alarms.is_empty(), "found where there is no bug: {false_alarms:#?}");
    assert!(missed.is_empty(), "not caught: {missed:?}");
    assert_eq!(caught, BUGS.len(), "each was asked for: {done:?}");
}
