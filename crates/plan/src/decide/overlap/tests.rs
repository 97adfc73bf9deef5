use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::World;
use crate::check::check;
use crate::plan::{Change, Plan};
use crate::refusal::Code;
use crate::request::{Action, Request};
use crate::samples::{
    alice, arrivals, brief, effect, import, layout, listed, nothing, now, promote, promote_on, refused,
    repository, revert, withdraw, world_of,
};
use crate::world::Asker;

const OVERLAP: SignedDuration = SignedDuration::from_hours(48);

fn end() -> Request {
    Request::new(Action::Overlap {})
}

/// What is promoted stays listed in delta for two days.
fn site() -> World {
    let mut world = world_of(&[
        "sl5/x86_64 delta: voms-2-1.x86_64 lcg-1-1.noarch",
        "sl5/i386 delta: lcg-1-1.noarch",
        "sl5/x86_64 production: voms-1-1.x86_64",
    ]);
    let mut layout = layout();
    layout.products.get_mut("glite-3.2").unwrap().routes[0].overlap = OVERLAP;
    world.layout = Arc::new(layout);
    world
}

fn promoted(packages: &[&str]) -> World {
    let mut world = site();
    let plan = effect(&world, &promote(packages), &alice(), &[]);
    world.apply(&plan);
    world
}

/// The world when so much time has passed, and is witnessed.
fn after(mut world: World, hours: i64) -> World {
    world.now = now() + SignedDuration::from_hours(hours);
    world.witnessed = world.now;
    world
}

fn lists(world: &World, place: &str, package: &str) -> bool {
    world.repositories[&repository(place)].contains(&listed(package))
}

#[test]
fn what_is_promoted_stays_listed_for_the_overlap_and_leaves_then() {
    let world = site();
    let plan = effect(&world, &promote(&["voms"]), &alice(), &[]);
    assert_eq!(brief(&plan), "sl5/x86_64 production: +voms-2-1.x86_64\n");
    assert_eq!(
        plan.sentence,
        "`voms-2-1.x86_64` moves from `delta` to `production` of `glite-3.2`, listed in both until 2026-03-03T12:00:00Z"
    );

    let world = promoted(&["voms", "lcg"]);
    assert!(lists(&world, "sl5/x86_64 delta", "voms-2-1.x86_64"));
    let clock = Asker::clock();
    nothing(&after(world.clone(), 47), &end(), &clock, &[], Code::NothingToDo);
    let plan = effect(&after(world.clone(), 48), &end(), &clock, &[]);
    assert_eq!(plan.sentence, "the overlap is over for 2 packages");
    assert_eq!(
        brief(&plan),
        "sl5/i386 delta: -lcg-1-1.noarch\nsl5/x86_64 delta: -lcg-1-1.noarch -voms-2-1.x86_64\n"
    );
    let mut world = after(world, 48);
    world.apply(&plan);
    assert!(world.overlapping.is_empty());
    nothing(&world, &end(), &clock, &[], Code::NothingToDo);
}

#[test]
fn only_time_that_is_witnessed_ends_an_overlap() {
    let mut world = after(promoted(&["voms"]), 1000);
    world.witnessed = now();
    nothing(&world, &end(), &Asker::clock(), &[], Code::NothingToDo);
    let mut world = after(promoted(&["voms"]), 1000);
    world.now = now();
    nothing(&world, &end(), &Asker::clock(), &[], Code::NothingToDo);
}

#[test]
fn an_overlap_begins_with_the_later_of_both_times() {
    let mut world = site();
    world.witnessed = now() + SignedDuration::from_hours(5);
    let plan = effect(&world, &promote(&["voms"]), &alice(), &[]);
    world.apply(&plan);
    let until: Vec<Timestamp> = world.overlapping.values().flat_map(|all| all.values().copied()).collect();
    assert_eq!(until, [world.witnessed + OVERLAP]);
}

#[test]
fn only_the_clock_ends_overlaps() {
    let refusal = refused(&after(promoted(&["voms"]), 48), &end(), &alice(), &[], Code::RoleNotAllowed);
    assert!(refusal.hint.unwrap().contains("withdraw"));
}

#[test]
fn whoever_promotes_again_meanwhile_is_told_that_it_is_there() {
    let world = promoted(&["voms"]);
    nothing(&world, &promote(&["voms"]), &alice(), &[], Code::AlreadyThere);
    // Everything else of the stage still goes.
    let plan = effect(&world, &promote(&["*"]), &alice(), &[]);
    assert_eq!(
        brief(&plan),
        "sl5/i386 production: +lcg-1-1.noarch\nsl5/x86_64 production: +lcg-1-1.noarch\n"
    );
}

#[test]
fn promoted_on_one_platform_it_overlaps_there_only() {
    let mut world = site();
    let plan = effect(&world, &promote_on(&["lcg"], &["sl5/i386"]), &alice(), &[]);
    world.apply(&plan);
    assert_eq!(world.overlapping.keys().collect::<Vec<_>>(), [&repository("sl5/i386 delta")]);
}

#[test]
fn what_was_taken_back_from_the_target_stays_where_it_is() {
    let mut world = promoted(&["voms"]);
    let plan = effect(&world, &withdraw("production", &["voms-2-1.x86_64"]), &alice(), &[]);
    world.apply(&plan);
    let mut world = after(world, 48);
    let plan = effect(&world, &end(), &Asker::clock(), &[]);
    assert_eq!(plan.sentence, "overlaps end and nothing leaves");
    assert_eq!(plan.notes.len(), 1);
    assert_eq!(plan.hosts_run(), None);
    world.apply(&plan);
    assert!(lists(&world, "sl5/x86_64 delta", "voms-2-1.x86_64"));
    assert!(world.overlapping.is_empty());
}

#[test]
fn what_something_newer_followed_in_the_target_leaves_all_the_same() {
    let mut world = promoted(&["voms"]);
    let production = world.repositories.get_mut(&repository("sl5/x86_64 production")).unwrap();
    production.retain(|one| *one != listed("voms-2-1.x86_64"));
    production.push(listed("voms-3-1.x86_64"));
    let plan = effect(&after(world, 48), &end(), &Asker::clock(), &[]);
    assert_eq!(brief(&plan), "sl5/x86_64 delta: -voms-2-1.x86_64\n");
}

#[test]
fn whoever_touches_it_in_the_source_has_decided() {
    let mut world = promoted(&["voms"]);
    let plan = effect(&world, &withdraw("delta", &["voms"]), &alice(), &[]);
    world.apply(&plan);
    assert!(world.overlapping.is_empty());

    // What a revert brings back is wanted there.
    let mut world = promoted(&["voms"]);
    world.kept_generations.insert(39);
    let delta = repository("sl5/x86_64 delta");
    let mut past = site().repositories;
    past.retain(|repository, _| repository.stage == "delta");
    past.insert(delta.clone(), vec![listed("voms-2-1.x86_64")]);
    world.past.insert(39, past);
    let plan = effect(&world, &revert("delta", "39", &["sl5/x86_64"]), &alice(), &[]);
    world.apply(&plan);
    assert!(!world.overlapping.contains_key(&delta));
}

#[test]
fn what_arrives_in_the_source_meanwhile_changes_nothing() {
    let mut world = promoted(&["voms"]);
    let arrived = arrivals(&["voms-3-1.x86_64"]);
    let plan = effect(&world, &import(&["sl5/x86_64"]), &alice(), &arrived);
    world.apply(&plan);
    let plan = effect(&after(world, 48), &end(), &Asker::clock(), &[]);
    assert_eq!(brief(&plan), "sl5/x86_64 delta: -voms-2-1.x86_64\n");
}

#[test]
fn a_plan_that_ends_an_overlap_early_is_not_carried_out() {
    let world = after(promoted(&["voms"]), 47);
    let delta = repository("sl5/x86_64 delta");
    let change = Change::of(&world.repositories[&delta], vec![], vec![listed("voms-2-1.x86_64")]).unwrap();
    let broken = |action: &str, world: &World| {
        let changes = [(delta.clone(), change.clone())].into();
        let plan = Plan { action: action.to_owned(), changes, ..Plan::default() };
        check(world, &plan).into_iter().map(|broken| broken.invariant).collect::<Vec<_>>()
    };
    assert_eq!(broken("overlap", &world), ["I12"]);
    assert_eq!(broken("overlap", &after(world.clone(), 48)), Vec::<&str>::new());

    // A promotion that moves at once where the route has an overlap.
    let world = site();
    let mut plan = effect(&world, &promote(&["voms"]), &alice(), &[]);
    let change = Change::of(&world.repositories[&delta], vec![], vec![listed("voms-2-1.x86_64")]).unwrap();
    plan.changes.insert(delta.clone(), change);
    let broken = check(&world, &plan);
    assert_eq!(broken.iter().map(|broken| broken.invariant).collect::<Vec<_>>(), ["I11"]);
}
