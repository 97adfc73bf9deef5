//! The real daemon under the faults of a real machine: killed at any system call, a disk that is full, read-only or
//! broken, once or for good. What is left is looked at before and after the next start.
//!
//! Every fault is made by strace at one counted system call of the thread that does the work. A bounded slice runs
//! every time, everything with `SLUICE_THOROUGH=1`.

mod afterwards;
mod bench;
mod calls;
mod errors;
mod full_disk;
mod kills;
mod lasting;
mod ledger;
mod node_types;
mod planted;
mod scenarios;
mod timeless;

use std::collections::BTreeMap;

use testkit::{program, run};

use bench::Bench;
use scenarios::{Ready, Scenario};

/// Whether everything is to be run, not a slice.
pub fn is_thorough() -> bool {
    std::env::var_os("SLUICE_THOROUGH").is_some_and(|value| value == "1")
}

/// Whether a process may be traced here.
pub fn may_trace() -> bool {
    let ran = run(program("strace").args(["-f", "-o", "/dev/null", "true"]));
    if ran.code() != 0 {
        println!("skipped: processes cannot be traced here: {}", ran.stderr.trim());
    }
    ran.code() == 0
}

/// What came of many cases.
#[derive(Debug, Default)]
pub struct Tally {
    pub cases: usize,
    /// Cases whose call was not made this time: nothing is learnt.
    pub missed: usize,
    /// What was wrong, with the case.
    pub wrong: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, case: String, wrong: Vec<String>) {
        self.cases += 1;
        if !wrong.is_empty() {
            self.wrong.push(format!("{case}\n    {}", wrong.join("\n    ")));
        }
    }

    pub fn and(mut self, other: Tally) -> Self {
        self.merge(other);
        self
    }

    pub fn merge(&mut self, other: Tally) {
        self.cases += other.cases;
        self.missed += other.missed;
        self.wrong.extend(other.wrong);
    }

    #[track_caller]
    pub fn demand_none_wrong(&self) {
        let shown: Vec<_> = self.wrong.iter().take(10).map(String::as_str).collect();
        assert!(self.wrong.is_empty(), "{self}\n{}", shown.join("\n"));
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} cases, {} with something wrong, {} not hit",
            self.cases,
            self.wrong.len(),
            self.missed
        )
    }
}

/// One of the threads that share the cases of every scenario.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    number: usize,
    of: usize,
    /// Every how many-th case is run.
    every: usize,
}

impl Part {
    /// The same thread's part if every case is run.
    pub fn of_all(self) -> Part {
        Part { every: 1, ..self }
    }

    /// The cases of this part.
    pub fn of<T>(self, cases: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        cases.skip(self.number * self.every).step_by(self.of * self.every)
    }
}

/// How many cases run side by side where all are run: most of a case is waiting.
const PARTS: usize = 7;

/// Runs all cases of the scenarios in parts side by side, or every how many-th of them in a single one; each part has a
/// site of its own.
pub fn sweep(
    scenarios: &[Scenario],
    every: usize,
    cases: impl Fn(&Ready, Part) -> Tally + Sync,
) -> BTreeMap<&'static str, Tally> {
    let (of, every) = if is_thorough() { (PARTS, 1) } else { (1, every) };
    let sweep_part = &|part| {
        let mut benches: BTreeMap<&str, Bench> = BTreeMap::new();
        let mut tallies = Vec::new();
        for scenario in scenarios {
            let bench = benches.entry(scenario.grace).or_insert_with(|| Bench::new(scenario.grace));
            let ready = scenario.ready(bench);
            let changing = ready.calls.iter().filter(|call| call.changes()).count();
            println!(
                "{}: {} calls, of which {changing} change or sync something",
                ready.name,
                ready.calls.len()
            );
            tallies.push((scenario.name, cases(&ready, part)));
        }
        tallies
    };
    let parts = std::thread::scope(|scope| {
        let spawn = |number| scope.spawn(move || sweep_part(Part { number, of, every }));
        let parts: Vec<_> = (0..of).map(spawn).collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("a part says itself what is wrong"))
            .collect::<Vec<_>>()
    });
    let mut all: BTreeMap<&str, Tally> = BTreeMap::new();
    for (name, tally) in parts.into_iter().flatten() {
        all.entry(name).or_default().merge(tally);
    }
    all
}

/// Shows what came of a sweep, and puts it together.
pub fn told(what: &str, tallies: BTreeMap<&'static str, Tally>) -> Tally {
    let mut all = Tally::default();
    for (name, tally) in tallies {
        println!("{what}: {name}: {tally}");
        assert!(tally.cases > 0, "{name}: no case was run");
        all.merge(tally);
    }
    println!("{what}: {all}");
    all
}
