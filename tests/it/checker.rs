//! The independent checker, on sites of the real program: `tests/checker/`.

mod images;

use testkit::{Checker, Sandbox, Site, program, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

#[test]
fn a_first_generation_is_sound_and_a_site_without_one_is_not() {
    let sandbox = Sandbox::new();
    let site = Site::new(&sandbox, "http://127.0.0.1:1", STAGES);
    let none = Checker::of(&site).at_rest().violations();
    assert!(none.first().is_some_and(|line| line.starts_with("I1 public/current: ")), "{none:#?}");
    run(site.as_daemon().arg("init")).ok();
    Checker::of(&site).assert_sound();
    Checker::of(&site).at_rest().assert_sound();
}

#[test]
fn the_checker_says_when_it_cannot_look() {
    let script = testkit::checkout().join("tests/checker/check.py");
    let ran = run(program("/usr/bin/python3").arg(script).args(["--root", "/nowhere/at/all"]));
    assert_eq!(ran.code(), 2, "{ran}");
}

#[test]
fn it_finds_nothing_in_a_sound_site_and_every_planted_violation() {
    let tests = testkit::checkout().join("tests/checker/test_checker.py");
    let folder = &testkit::fixtures().folder;
    let mut command = program("/usr/bin/python3");
    command.arg(tests).env("SLUICE", testkit::sluice()).env("SLUICE_FIXTURES", folder);
    let ran = run(&mut command).ok();
    // unittest talks on stderr; how many were planted is among it.
    println!("{}", ran.stderr);
    assert!(ran.stderr.contains("planted violations"), "{ran}");
}
