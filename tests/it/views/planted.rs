//! A daemon that keeps its views wrongly is found out.

use testkit::Checker;

use super::{Bench, CONFIG, both, meta, package};

/// Publishes twice with a bug planted, the second time something for one node type; gives what is found then.
fn found(bug: &str) -> (Bench, Vec<String>) {
    let mut bench = Bench::new(CONFIG);
    let mut daemon = bench.site.start();
    bench.import(&both());
    daemon.stop();
    let before = bench.view("glite-UI");
    let mut daemon = bench.site.start_with_bug(bug);
    bench.import(&[package("torque", "2"), meta("glite-WN", "2", "torque = 2-1")]);
    daemon.stop();
    assert_eq!(bench.view("glite-UI") != before, bug == "ViewWrittenAnew", "{bug}");
    let told = Checker::of(&bench.site).violations();
    (bench, told)
}

#[test]
fn a_view_that_is_carried_though_its_packages_changed_is_found() {
    let (bench, told) = found("ViewCarried");
    assert!(!told.is_empty() && told.iter().all(|line| line.starts_with("I6 ")), "{told:#?}");
    let ran = bench.site.sluice(&["verify"]);
    assert!(ran.code() == 6 && ran.stdout.lines().any(|line| line.starts_with("I6 ")), "{ran}");
}

#[test]
fn a_view_that_is_written_anew_though_its_packages_stay_is_found() {
    let (_, told) = found("ViewWrittenAnew");
    assert!(!told.is_empty() && told.iter().all(|line| line.starts_with("I12 ")), "{told:#?}");
}
