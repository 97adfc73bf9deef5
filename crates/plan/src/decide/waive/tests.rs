//! Waivers.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::plan::Verdict;
use crate::samples::{alice, brief, effect, nothing, promote, refused, words, world_of};
use crate::{Action, Asker, Code, Request, STANDING_OF_ONE_MAX, World};

/// `a-1` is in `delta`, the newer `a-2` in `production`; `operations` may answer for it.
fn world() -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.x86_64", "sl5/x86_64 production: a-2-1.x86_64"]);
    let layout = Arc::make_mut(&mut world.layout);
    for stage in &mut layout.products.get_mut("glite-3.2").unwrap().stages {
        stage.waiver_roles = vec!["operations".into()];
    }
    world
}

fn olga() -> Asker {
    Asker { name: "user:olga".into(), roles: vec![(None, "operations".into())] }
}

fn waive(gate: &str, packages: &[&str], hours: i64) -> Request {
    let until = world().now + SignedDuration::from_hours(hours);
    let mut request = Request::new(Action::Waive {
        product: "glite-3.2".into(),
        stage: "production".into(),
        gate: gate.into(),
        packages: words(packages),
        until,
    });
    request.reason = Some("the epoch\nwas forgotten".into());
    request
}

#[test]
fn what_somebody_answers_for_goes_through_and_says_so() {
    let mut world = world();
    refused(&world, &promote(&["a"]), &alice(), &[], Code::Older);
    let plan = effect(&world, &waive("version-order", &["a-1-1"], 48), &olga(), &[]);
    assert!(plan.changes.is_empty());
    world.apply(&plan);
    let plan = effect(&world, &promote(&["a"]), &alice(), &[]);
    assert_eq!(brief(&plan), "sl5/x86_64 delta: -a-1-1.x86_64\nsl5/x86_64 production: +a-1-1.x86_64\n");
    let seen = plan.gates.iter().find(|seen| seen.gate == "version-order").unwrap();
    assert_eq!(seen.verdict, Verdict::Waived);
    let id = world.standing.waivers.keys().next().unwrap();
    let words = format!(
        "`a-1-1.x86_64` is older than `a-2-1.x86_64` in `glite-3.2-sl5-x86_64-production`; `user:olga` answers for it \
         until 2026-03-03T12:00:00Z, waiver {id}: the epoch was forgotten"
    );
    assert_eq!(seen.evidence, words);
}

#[test]
fn a_waiver_is_for_its_packages_its_gate_its_stage_and_its_time() {
    for (gate, packages, stage, hours) in [
        ("version-order", &["b", "a-2-1", "a-1"][..], "production", 48),
        ("soak", &["*"], "production", 48),
        ("version-order", &["*"], "delta", 48),
    ] {
        let mut world = world();
        let mut waive = waive(gate, packages, hours);
        if let Action::Waive { stage: of, .. } = &mut waive.action {
            *of = stage.into();
        }
        world.apply(&effect(&world, &waive, &olga(), &[]));
        refused(&world, &promote(&["a"]), &alice(), &[], Code::Older);
    }
    let mut world = world();
    world.apply(&effect(&world, &waive("version-order", &["a"], 48), &olga(), &[]));
    // Whichever clock says so: a clock set back does not revive it.
    for now in [48, 0] {
        let mut later = world.clone();
        later.witnessed = world.now + SignedDuration::from_hours(48);
        later.now = world.now + SignedDuration::from_hours(now);
        refused(&later, &promote(&["a"]), &alice(), &[], Code::Older);
    }
}

#[test]
fn only_who_has_the_right_waives_and_not_every_gate() {
    let world = world();
    refused(&world, &waive("version-order", &["a"], 48), &alice(), &[], Code::RoleNotAllowed);
    for gate in ["roles", "other-content", "purged", "sound", "approvals", "version-oder"] {
        refused(&world, &waive(gate, &["a"], 48), &olga(), &[], Code::NotWaivable);
    }
    for hours in [0, -1, 24 * 367] {
        refused(&world, &waive("soak", &["a"], hours), &olga(), &[], Code::Malformed);
    }
}

#[test]
fn a_waiver_ends_when_somebody_says_so() {
    let mut world = world();
    world.apply(&effect(&world, &waive("version-order", &["a"], 48), &olga(), &[]));
    nothing(&world, &waive("version-order", &["a"], 48), &olga(), &[], Code::NothingToDo);
    let id = world.standing.waivers.keys().next().unwrap().clone();
    let end = Request::new(Action::EndWaiver { waiver: id });
    refused(&world, &end, &alice(), &[], Code::RoleNotAllowed);
    world.apply(&effect(&world, &end, &Asker { roles: vec![], ..olga() }, &[]));
    refused(&world, &promote(&["a"]), &alice(), &[], Code::Older);
    refused(&world, &end, &olga(), &[], Code::NoSuchWaiver);
}

#[test]
fn so_many_waivers_stand_and_no_more_words() {
    let mut world = world();
    for number in 0..STANDING_OF_ONE_MAX {
        let package = format!("p{number}");
        world.apply(&effect(&world, &waive("soak", &[&package], 48), &olga(), &[]));
    }
    refused(&world, &waive("soak", &["one-more"], 48), &olga(), &[], Code::StandingFull);
    nothing(&world, &waive("soak", &["p1"], 48), &olga(), &[], Code::NothingToDo);
    let otto = Asker { name: "user:otto".into(), ..olga() };
    effect(&world, &waive("soak", &["one-more"], 48), &otto, &[]);
    let long = "p".repeat(20_000);
    refused(&world, &waive("soak", &[&long], 48), &otto, &[], Code::Malformed);
    world.now += SignedDuration::from_hours(72);
    world.apply(&effect(&world, &waive("soak", &["one-more"], 96), &olga(), &[]));
    assert_eq!(world.standing.waivers.len(), 1, "what has ended goes when something is written");
}
