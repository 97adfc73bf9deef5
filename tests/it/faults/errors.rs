//! The disk refuses a system call, once or from then on: no room, a broken sector, read-only.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Answer, Outcome};

use super::afterwards::Looks;
use super::calls::{Call, Traced};
use super::scenarios::{Ready, SCENARIOS};
use super::{Part, Tally, is_thorough, may_trace, sweep, told};

/// The calls that a disk refuses, by how they are named in the trace.
const REFUSED: [&str; 6] = ["write", "fsync", "rename", "mkdir", "link", "symlink"];

/// How a full, a broken and a read-only disk answer.
const ERRORS: [&str; 3] = ["ENOSPC", "EIO", "EROFS"];

/// What is rare, and tried at some of the calls only.
const RARE: [&str; 3] = ["EDQUOT", "EMFILE", "ENOMEM"];

/// One fault.
pub struct Fault {
    call: Call,
    error: &'static str,
    is_sticky: bool,
}

impl Fault {
    fn inject(&self) -> String {
        let last = format!("..{}", self.call.count + 1);
        let more = match (self.is_sticky, self.call.name.as_str()) {
            (false, _) => "",
            // The second is mostly what is said of the first; then threads are woken by a write that no disk refuses.
            (true, "write") => &last,
            (true, _) => "+",
        };
        self.call.inject(&format!("error={}", self.error), more)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let often = if self.is_sticky { "for good from" } else { "once at" };
        write!(out, "{} {often} {}", self.error, self.call)
    }
}

/// Whether a disk can refuse this call at all.
fn is_refused(ready: &Ready, call: &Call) -> bool {
    // The kernel has several of each: `mkdir` and `mkdirat`.
    REFUSED.iter().any(|name| call.name.starts_with(name)) && call.is_of(ready.bench)
}

/// Every error at every call that the disk can refuse, once and for good.
pub fn faults(ready: &Ready) -> Vec<Fault> {
    let mut faults = Vec::new();
    for call in ready.calls.iter().filter(|call| is_refused(ready, call)) {
        for error in ERRORS {
            faults.extend([false, true].map(|is_sticky| Fault { call: call.clone(), error, is_sticky }));
        }
    }
    faults
}

/// The rare errors, also where files are opened and memory is asked for.
fn rare_faults(ready: &Ready) -> Vec<Fault> {
    let is_fit = |call: &&Call| {
        is_refused(ready, call) || call.opens() && call.is_of(ready.bench) || call.name == "mmap"
    };
    let calls: Vec<_> = ready.calls.iter().filter(is_fit).collect();
    // A hundred of all scenarios together are enough.
    let step = if is_thorough() { (calls.len() / 40).max(1) } else { 1 };
    let errors = |(number, call): (usize, &&Call)| {
        let rare = if call.name == "mmap" { vec!["ENOMEM"] } else { RARE.to_vec() };
        let is_sticky = number % 2 == 1 && call.name != "mmap";
        let call = (*call).clone();
        rare.into_iter().map(move |error| Fault { call: call.clone(), error, is_sticky })
    };
    calls.iter().step_by(step).enumerate().flat_map(errors).collect()
}

/// Too many open files just where a manifest is to be read: at the first, the last and one between.
fn unreadable_manifests(ready: &Ready) -> Vec<Fault> {
    let reads = |call: &&Call| call.opens() && call.arguments.contains("manifest.json\", O_RDONLY");
    let calls: Vec<_> = ready.calls.iter().filter(reads).collect();
    let some: BTreeSet<usize> = [0, calls.len() / 2, calls.len().saturating_sub(1)].into();
    let calls = some.into_iter().filter_map(|number| calls.get(number));
    calls.map(|call| Fault { call: (*call).clone(), error: "EMFILE", is_sticky: false }).collect()
}

/// Too many open files, or no room for another, just where meta-packages are built anew.
pub fn unopened(ready: &Ready) -> Vec<Fault> {
    let places = ["/cache/rebuilt", "/pool/", "-rebuilt\""];
    let is_it = |call: &&Call| {
        call.opens() && call.is_of(ready.bench) && places.iter().any(|place| call.arguments.contains(place))
    };
    let errors = |call: &Call| {
        let is_made = call.arguments.contains("O_CREAT");
        let errors = if is_made { &["EMFILE", "ENOSPC"][..] } else { &["EMFILE"] };
        let call = call.clone();
        errors.iter().map(move |error| Fault { call: call.clone(), error, is_sticky: false })
    };
    ready.calls.iter().filter(is_it).flat_map(errors).collect()
}

/// What is wrong with how a round met its fault.
fn wrong_with(ready: &Ready, fault: &Fault, round: &Traced) -> Vec<String> {
    let (ran, said) = (&round.ran, round.told());
    let mut wrong = Vec::new();
    if said.contains("panicked") {
        wrong.push(format!("it panics: {said}"));
    }
    // Where there is no memory nothing else can be done, or the program is not even loaded: it counts as a kill.
    let is_not_loaded = ran.code() == 127 && said.contains("error while loading shared libraries");
    if fault.error == "ENOMEM" && (round.was_killed() || is_not_loaded) {
        return wrong;
    }
    if ![0, 75, 78].contains(&ran.code()) && !was_refused_ground(round, &said) {
        wrong.push(format!("it ends with {}: {ran}", ran.status));
    }
    let reason = reason(fault.error);
    let names_place = said.contains(ready.bench.site.root().as_str()) || said.contains("/spool");
    if ran.code() != 0 && !(said.contains(reason) && names_place) {
        wrong.push(format!("it ends with {} and does not say where and why: {said}", ran.code()));
    }
    if ran.code() == 78 && fault.call.arguments.contains("manifest.json") {
        wrong.push("it ends for good because a manifest could not be opened once".to_owned());
    }
    // What was refused before that is on record, and may be told.
    let is_new = |(path, bytes): &(_, _)| ready.told.get(path) != Some(bytes);
    let is_done = |(_, bytes): &(_, Vec<u8>)| Answer::from_json(bytes).unwrap().outcome == Outcome::Done;
    if ran.code() == 78 && ready.bench.told().into_iter().filter(is_new).any(|told| is_done(&told)) {
        wrong.push("it ends with 78, and somebody was told that it is done".to_owned());
    }
    // One attempt and one for each request that waits; each repeats some of the recovery.
    let attempts = ready.stems.len() + 2;
    let changes = |calls: &[Call]| calls.iter().filter(|call| call.name == fault.call.name).count();
    if changes(&round.calls) > attempts * (changes(&ready.calls) + 20) {
        wrong.push(format!("it does not give up: {} calls", changes(&round.calls)));
    }
    wrong
}

/// Whether the program never began, because what it stands on could not be looked at.
fn was_refused_ground(round: &Traced, said: &str) -> bool {
    round.ran.code() == 2 && said.contains("failed to")
}

/// The words of the C library for an error.
fn reason(error: &str) -> &'static str {
    match error {
        "ENOSPC" => "No space left on device",
        "EIO" => "Input/output error",
        "EROFS" => "Read-only file system",
        "EDQUOT" => "quota exceeded",
        "EMFILE" => "Too many open files",
        _ => "Cannot allocate memory",
    }
}

/// Runs a round with a fault, looks, and lets the next go well; tells how it ended, too.
fn meet(ready: &Ready, fault: &Fault, by: Looks) -> Option<(i32, Vec<String>)> {
    ready.bench.restore(&ready.state);
    // Its own words are watched too, for where they cannot be written.
    let watched =
        if fault.call.name == "write" { "write".to_owned() } else { format!("{},write", fault.call.name) };
    let round = ready.bench.traced(&watched, &[fault.inject()]);
    let refused = || round.calls.iter().filter(|call| call.outcome.contains("INJECTED"));
    let is_no_disk = refused().any(|call| call.arguments.contains("anon_inode"));
    if is_no_disk || !round.was_killed() && refused().next().is_none() {
        return None;
    }
    let mut wrong = wrong_with(ready, fault, &round);
    let (left, told) = ready.left(by);
    wrong.extend(left);
    wrong.extend(ready.next_round(&told, by));
    Some((round.ran.code(), wrong))
}

/// Lets a round meet each fault of a part.
pub fn meet_all(ready: &Ready, part: Part, faults: &[Fault]) -> Tally {
    let mut tally = Tally::default();
    let mut ends: BTreeMap<(&str, i32), usize> = BTreeMap::new();
    for (number, fault) in part.of(faults.iter()).enumerate() {
        match meet(ready, fault, Looks::of_case(number)) {
            Some((end, wrong)) => {
                *ends.entry((fault.error, end)).or_default() += 1;
                tally.add(format!("{}: {fault}", ready.name), wrong);
            }
            None => tally.missed += 1,
        }
    }
    println!("{}: how the rounds ended: {ends:?}", ready.name);
    tally
}

#[test]
fn a_disk_that_refuses_is_named_and_nothing_is_lost() {
    if !may_trace() {
        return;
    }
    let all =
        told("faults", sweep(&SCENARIOS[..5], 400, |ready, part| meet_all(ready, part, &faults(ready))));
    // Which calls a round makes depends a little on how fast it is; of a slice one in fifty is none.
    assert!(all.missed <= 2 + all.cases / 50, "too many faults hit nothing: {all}");
    all.demand_none_wrong();
}

#[test]
fn a_quota_too_many_files_and_no_memory_lose_nothing() {
    if !may_trace() {
        return;
    }
    let all = told(
        "rare faults",
        sweep(&SCENARIOS[..3], 400, |ready, part| {
            meet_all(ready, part, &rare_faults(ready)).and(meet_all(
                ready,
                part.of_all(),
                &unreadable_manifests(ready),
            ))
        }),
    );
    assert!(!is_thorough() || all.cases >= 300, "only {} cases", all.cases);
    all.demand_none_wrong();
}
