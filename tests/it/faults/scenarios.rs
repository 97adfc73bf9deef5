//! What is swept: a site with something to do, or with something cut short.

use super::bench::{Bench, State, Told};
use super::calls::Call;
use super::timeless::Offered;
use std::collections::BTreeSet;

/// How a scenario begins.
pub struct Scenario {
    pub name: &'static str,
    /// How long what leaves is kept; nothing can be swept before.
    pub grace: &'static str,
    /// Gives a site with two packages in delta something to do; one without requests begins with nothing at all.
    pub make: fn(&Bench),
    /// The requests that wait.
    pub stems: &'static [&'static str],
}

/// A scenario, made, and how it ends when nothing goes wrong.
pub struct Ready<'a> {
    pub name: &'static str,
    pub bench: &'a Bench,
    /// Where each case begins.
    pub state: State,
    /// What is offered where it begins.
    pub before: Offered,
    /// What is offered where it ends.
    pub after: Offered,
    /// The package links where it ends.
    pub links: BTreeSet<String>,
    /// What people had been told where it begins.
    pub told: Told,
    pub stems: &'static [&'static str],
    /// All calls of the first thread from the beginning to the end.
    pub calls: Vec<Call>,
}

pub const WITHDRAW: &str =
    "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"lcg\"]";
pub const PROMOTE: &str =
    "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"voms\"]";
const NONSENSE: &str =
    "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"none\"]";
pub const SWEEP: &str = "action = \"sweep\"";
const KEEP: &str = "action = \"keep\"\nas = \"update-1\"";

fn promotes(bench: &Bench) {
    bench.ask("new", PROMOTE);
    bench.ask("wrong", NONSENSE);
}

/// Kills a round at the first call that `is_wanted`, and leaves the site as it is.
fn kill_at(bench: &Bench, is_wanted: impl Fn(&Call) -> bool) {
    kill_at_chosen(bench, |calls| calls.iter().find(|call| is_wanted(call)).cloned());
}

fn kill_at_chosen(bench: &Bench, choose: impl Fn(&[Call]) -> Option<Call>) {
    let state = bench.save("untouched");
    let whole = bench.traced("all", &[]);
    let wanted = choose(&whole.calls).expect("there is such a call");
    bench.restore(&state);
    let cut = bench.traced(&wanted.name, &[wanted.inject("signal=KILL", "")]);
    assert!(cut.was_killed(), "{wanted}: {}", cut.ran);
}

fn is_flip(call: &Call) -> bool {
    call.name.starts_with("rename")
        && call.arguments.contains("/current\"")
        && !call.arguments.contains("pointer")
}

fn cut_before_the_flip(bench: &Bench) {
    promotes(bench);
    kill_at(bench, is_flip);
}

fn cut_past_the_flip(bench: &Bench) {
    promotes(bench);
    // The names of generations come last before the answers; there are none, so the first look at the answer.
    kill_at(bench, |call| call.changes() && call.arguments.contains(".answer."));
}

/// Left for the planted bugs alone: what they need and the sweeps have already.
pub const FOR_BUGS: [Scenario; 3] = [
    Scenario {
        name: "withdraw after promote",
        grace: "1h",
        make: |bench| {
            bench.settle("first", PROMOTE);
            bench.ask("new", WITHDRAW);
        },
        stems: &["new"],
    },
    Scenario {
        name: "recovery of a refusal",
        grace: "1h",
        make: |bench| {
            bench.ask("wrong", NONSENSE);
            // It is logged, and the log is not durable yet; the first syncs are those of the start.
            let is_sync = |call: &&Call| call.name == "fsync" && call.arguments.contains(".jsonl");
            kill_at_chosen(bench, |calls| calls.iter().rfind(is_sync).cloned());
        },
        stems: &["wrong"],
    },
    Scenario {
        name: "sweep beside a name",
        grace: "0h",
        make: |bench| {
            bench.settle("keep", KEEP);
            bench.settle("withdraw", WITHDRAW);
            bench.ask("new", SWEEP);
        },
        stems: &["new"],
    },
];

pub const SCENARIOS: [Scenario; 9] = [
    Scenario { name: "promote and a refusal", grace: "1h", make: promotes, stems: &["new", "wrong"] },
    Scenario {
        name: "import",
        grace: "1h",
        make: |bench| {
            bench.ask_import("new", &[("voms", "2.0"), ("gfal", "1.0")]);
        },
        stems: &["new"],
    },
    Scenario {
        name: "sweep",
        grace: "0h",
        make: |bench| {
            bench.settle("withdraw", WITHDRAW);
            bench.ask("new", SWEEP);
        },
        stems: &["new"],
    },
    Scenario {
        name: "recovery before the flip",
        grace: "1h",
        make: cut_before_the_flip,
        stems: &["new", "wrong"],
    },
    Scenario {
        name: "recovery past the flip",
        grace: "1h",
        make: cut_past_the_flip,
        stems: &["new", "wrong"],
    },
    Scenario {
        name: "recovery of a recovery before the flip",
        grace: "1h",
        make: |bench| {
            cut_before_the_flip(bench);
            kill_at(bench, |call| call.name.starts_with("rename") && call.arguments.contains("/private\""));
        },
        stems: &["new", "wrong"],
    },
    Scenario {
        name: "recovery of a recovery past the flip",
        grace: "1h",
        make: |bench| {
            cut_past_the_flip(bench);
            kill_at(bench, |call| {
                call.name.starts_with("rename") && call.arguments.contains("staging/pointer")
            });
        },
        stems: &["new", "wrong"],
    },
    Scenario {
        name: "withdraw",
        grace: "1h",
        make: |bench| {
            bench.ask("new", WITHDRAW);
        },
        stems: &["new"],
    },
    Scenario { name: "first generation", grace: "1h", make: |_| {}, stems: &[] },
];

impl Scenario {
    /// Makes it, and lets it end once undisturbed.
    pub fn ready<'a>(&self, bench: &'a Bench) -> Ready<'a> {
        bench.restore(if self.stems.is_empty() { &bench.bare } else { &bench.filled });
        (self.make)(bench);
        let state = bench.save("begin");
        let (before, told) = (bench.offered().expect("what is published can be read"), bench.told());
        let calls = bench.traced("all", &[]);
        assert_eq!(calls.ran.code(), 0, "{}: {}", self.name, calls.ran);
        let after = bench.offered().expect("what is published can be read");
        let links = bench.links();
        Ready {
            name: self.name,
            state,
            before,
            after,
            links,
            told,
            stems: self.stems,
            calls: calls.calls,
            bench,
        }
    }
}
