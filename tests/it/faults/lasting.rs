//! Faults that last a while: the daemon waits without turning in circles, keeps nothing of its attempts, and goes on by
//! itself when the fault is gone.

use std::fs;

use daemon::verify::Rest;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::Checker;

use super::bench::Bench;
use super::calls::{Call, parse};
use super::scenarios::PROMOTE;
use super::{is_thorough, may_trace};

/// How often a call is refused before the fault is gone.
const REFUSALS: usize = 3;

/// The first call of this name that builds the next generation.
fn building(bench: &Bench, name: &str) -> Call {
    bench.restore(&bench.filled);
    bench.ask("new", PROMOTE);
    let round = bench.traced("all", &[]);
    let is_building = |call: &&Call| {
        call.name.starts_with(name)
            && call.arguments.contains("/staging/")
            && !call.arguments.contains("pointer")
    };
    let call = round.calls.iter().find(is_building).unwrap_or_else(|| panic!("no {name} below staging/"));
    call.clone()
}

/// Lets the running daemon meet a fault that goes after a while.
fn goes_on_after(bench: &Bench, name: &str, error: &str) {
    let first = building(bench, name);
    bench.restore(&bench.filled);
    bench.ask("new", PROMOTE);
    let trace = bench.traces.join("lasting");
    let inject =
        format!("inject={}:error={error}:when={}..{}", first.name, first.count, first.count + REFUSALS - 1);
    // The first line tells which thread is the first: only that one begins the program.
    let watched = format!("trace=execve,{},futex", first.name);
    let mut words = vec!["strace", "-f", "-qq", "-y", "-s", "600", "-e", "signal=none", "-o", trace.as_str()];
    words.extend(["-e", &watched, "-e", &inject]);
    let mut command = bench.site.as_daemon_below(&words);
    let log = bench.traces.join("lasting.log");
    command.arg("daemon").stderr(fs::File::create(&log).unwrap());
    let mut daemon = command.spawn().unwrap();
    let answer = bench.site.answer("new");
    assert_eq!(answer["outcome"], "done", "{answer}");

    let process = String::from_utf8_lossy(&fs::read(&trace).unwrap()).split(' ').next().unwrap().parse();
    kill(Pid::from_raw(process.unwrap()), Signal::SIGTERM).unwrap();
    let ended = daemon.wait().unwrap();
    let calls = parse(&String::from_utf8_lossy(&fs::read(&trace).unwrap()));
    let said = fs::read_to_string(&log).unwrap();
    assert!(ended.success() && !said.contains("panicked"), "{ended}: {said}");
    let attempts = said.matches("will be tried again").count();
    let refused = calls.iter().filter(|call| call.outcome.contains("INJECTED")).count();
    let rests =
        calls.iter().filter(|call| call.name == "futex" && call.outcome.contains("ETIMEDOUT")).count();
    println!("{name} {error}: {refused} refused in {attempts} attempts, {rests} rests");
    assert!(attempts >= 1 && refused == REFUSALS, "{said}");
    assert!(rests >= attempts, "it tries again at once: {rests} rests, {said}");
    // The call of that number may as well be one below the control directory.
    let places = [bench.site.root(), bench.site.spool()];
    assert!(
        places.iter().any(|place| said.contains(place.as_str())) && said.contains("(os error"),
        "it does not say where and why: {said}"
    );
    assert_eq!(bench.site.answers("new").len(), 1);
    let wrong = bench.look(Rest::Quiet);
    assert!(wrong.is_empty(), "{wrong:?}");
    Checker::of(&bench.site).at_rest().assert_sound();
}

#[test]
fn the_same_daemon_goes_on_when_the_fault_is_gone() {
    if !may_trace() {
        return;
    }
    let all = [
        ("fsync", "EIO"),
        ("write", "ENOSPC"),
        ("mkdir", "EDQUOT"),
        ("rename", "EROFS"),
        ("symlink", "ENOSPC"),
    ];
    let bench = Bench::new("1h");
    for (name, error) in all.iter().take(if is_thorough() { all.len() } else { 1 }) {
        goes_on_after(&bench, name, error);
    }
}

#[test]
fn a_disk_that_stays_full_does_not_make_debris_grow() {
    if !may_trace() {
        return;
    }
    let bench = Bench::new("1h");
    let all = ["mkdir", "link", "symlink"];
    for name in all.iter().take(if is_thorough() { all.len() } else { 1 }) {
        let first = building(&bench, name);
        bench.restore(&bench.filled);
        bench.ask("new", PROMOTE);
        let debris: Vec<usize> = (0..4)
            .map(|_| {
                let round = bench.traced(&first.name, &[first.inject("error=ENOSPC", "+")]);
                assert_eq!(round.ran.code(), 75, "{}", round.ran);
                bench.count("staging") + bench.count("quarantine")
            })
            .collect();
        println!("{name}: debris after each round on a full disk: {debris:?}");
        assert!(debris.last() <= debris.get(1), "it grows: {debris:?}");
        bench.once();
        let wrong = bench.look(Rest::Quiet);
        assert!(wrong.is_empty() && bench.site.answers("new").len() == 1, "{wrong:?}");
    }
}
