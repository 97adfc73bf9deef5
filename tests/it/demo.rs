//! The demo as a person starts it: a process, and the exit code it ends with.

use testkit::{Sandbox, program, run, sluice};

fn demo(arguments: &[&str]) -> testkit::Ran {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("demo");
    run(program(sluice().as_str()).args(["demo", "--once", "--folder", folder.as_str()]).args(arguments))
}

#[test]
fn the_demo_ends_with_0_when_every_step_held() {
    assert_eq!(demo(&[]).code(), 0);
}

#[test]
fn the_demo_ends_with_6_when_a_step_is_broken_on_purpose() {
    assert_eq!(demo(&["--break", "3"]).code(), 6);
}
