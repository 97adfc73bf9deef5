use super::*;
use std::time::Duration;

const LIMITS: Limits = Limits {
    wait_warning: Duration::from_secs(600),
    wait_critical: Duration::from_secs(3600),
    free_warning: 10.0,
    free_critical: 5.0,
    clock_critical: Duration::from_secs(300),
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn free(percent: u64) -> Result<ground::Free, String> {
    Ok(ground::Free { bytes: percent, bytes_all: 100, files: None })
}

fn well() -> Seen {
    Seen {
        daemon: Some(7),
        current: Ok(Some((42, at(9_000)))),
        waiting: Ok(Vec::new()),
        quarantined: Ok(Vec::new()),
        free: free(40),
        signer: None,
        keys: None,
        contexts: None,
        now: at(10_000),
    }
}

fn told(seen: &Seen) -> (u8, String) {
    let (state, line) = line(seen, &judge(seen, &LIMITS), &LIMITS);
    (state.exit(), line)
}

#[test]
fn a_site_that_is_well_is_told_in_one_line_with_what_was_measured() {
    let (exit, line) = told(&well());
    assert_eq!(exit, 0);
    assert_eq!(
        line,
        "SLUICE OK - the daemon runs as process 7; generation 42 is published; no request waits; the quarantine is \
         empty; 40 % free; the clock is right | generation=42 generation_age=1000s waiting=0 \
         oldest_request=0s;600;3600;0 quarantine=0;0;;0 free=40.0%;10:;5:;0;100"
    );
}

#[test]
fn each_thing_that_is_not_well_has_its_state() {
    let waiting = |age: i64| Ok(vec![(at(10_000 - age), "a.toml".to_owned())]);
    for (what, seen, exit, words) in [
        ("no daemon", Seen { daemon: None, ..well() }, 2, "no daemon holds the lock"),
        ("nothing published", Seen { current: Ok(None), ..well() }, 2, "nothing is published"),
        ("broken", Seen { current: Err((State::Critical, "dangling".into())), ..well() }, 2, "dangling"),
        ("unseen", Seen { current: Err((State::Unknown, "denied".into())), ..well() }, 3, "denied"),
        ("waits a little", Seen { waiting: waiting(599), ..well() }, 0, "for 599 s"),
        ("waits", Seen { waiting: waiting(600), ..well() }, 1, "`a.toml` for 600 s"),
        ("waits long", Seen { waiting: waiting(3600), ..well() }, 2, "for 3600 s"),
        ("dated ahead", Seen { waiting: waiting(-5), ..well() }, 0, "wait"),
        ("no spool", Seen { waiting: Err("denied".into()), ..well() }, 3, "denied"),
        ("quarantine", Seen { quarantined: Ok(vec![6, 8]), ..well() }, 1, "quarantine: 6, 8"),
        ("little space", Seen { free: free(9), ..well() }, 1, "9 % free"),
        ("no space", Seen { free: free(4), ..well() }, 2, "4 % free"),
        ("clock", Seen { current: Ok(Some((42, at(10_100)))), ..well() }, 1, "100 s behind"),
        ("clock far", Seen { current: Ok(Some((42, at(10_300)))), ..well() }, 2, "300 s behind"),
        ("same second", Seen { current: Ok(Some((42, at(10_000)))), ..well() }, 0, "the clock is right"),
        ("old", Seen { current: Ok(Some((42, at(-90_000_000)))), ..well() }, 0, "generation 42"),
    ] {
        let (found, line) = told(&seen);
        assert_eq!(found, exit, "{what}: {line}");
        assert!(line.contains(words), "{what}: {line}");
        assert_eq!(line.lines().count(), 1, "{what}");
    }
}

#[test]
fn what_is_known_to_be_bad_comes_before_what_is_not_known() {
    let seen = Seen { waiting: Err("denied | here".into()), quarantined: Ok(vec![6]), ..well() };
    let (exit, line) = told(&seen);
    assert_eq!(exit, 1);
    assert!(
        line.starts_with("SLUICE WARNING - abandoned generations lie in quarantine: 6; denied / here | ")
    );
    let (exit, line) = told(&Seen { daemon: None, ..seen });
    assert!(exit == 2 && line.starts_with("SLUICE CRITICAL - no daemon"), "{line}");
}

#[test]
fn a_signer_that_fails_is_told_before_requests_have_waited_for_long() {
    let mut seen = well();
    seen.signer = Some(super::super::signer::Seen::sample());
    let (exit, line) = told(&seen);
    assert_eq!(exit, 2);
    assert!(
        line.starts_with(
            "SLUICE CRITICAL - nothing has been signed since 2026-11-21 23:04:35Z: the signer ended with 2 (signer-failed)"
        ),
        "{line}"
    );
}
