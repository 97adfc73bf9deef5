//! Planted violations: each breaks a sound plan in one way, and must be found under its number.

use jiff::SignedDuration;

use super::*;
use crate::plan::Plan;
use crate::samples::{
    alice, arrivals, effect, import, listed, now, promote, repository, revert, withdraw, world_of,
};
use crate::world::NamedGeneration;

fn site() -> World {
    let mut world = world_of(&[
        "sl5/x86_64 delta: voms-4-1.x86_64 lcg-1-1.noarch",
        "sl5/x86_64 production: voms-1-1.x86_64 voms-2-1.x86_64 yaim-1-1.noarch",
    ]);
    let past = world_of(&["sl5/x86_64 delta: voms-3-1.x86_64"]);
    world.past.insert(30, past.repositories);
    world.kept_generations.extend([30, 31, 32]);
    for number in [30, 31, 32] {
        world.kept_until.insert(number, now() - SignedDuration::from_hours(1));
    }
    world.kept_until.insert(32, now() + SignedDuration::from_hours(1));
    world.names.insert("update-56".into(), NamedGeneration { generation: 30, ended: false });
    world.names.insert("update-55".into(), NamedGeneration { generation: 29, ended: true });
    let delta = repository("sl5/x86_64 delta");
    for (package, hours) in [("past-1-1.noarch", -1), ("due-1-1.noarch", 1), ("voms-4-1.x86_64", -1)] {
        let until = now() + SignedDuration::from_hours(hours);
        world.retained.insert(listed(package).link(&delta), until);
    }
    let kept = listed("kept-1-1.noarch").link(&delta);
    world.retained.insert(kept.clone(), now() - SignedDuration::from_hours(1));
    world.listed_by_kept.insert(kept);
    world
}

/// Plants a violation into the promotion of `voms` and demands that it is found, with those words.
fn planted(invariant: &str, words: &str, plant: impl FnOnce(&mut World, &mut Plan)) {
    let mut world = site();
    let mut plan = effect(&world, &promote(&["voms"]), &alice(), &[]);
    plant(&mut world, &mut plan);
    found(&world, &plan, invariant, words);
}

fn found(world: &World, plan: &Plan, invariant: &str, words: &str) {
    let violations = check(world, plan);
    let is_it = |violation: &Violation| violation.invariant == invariant && violation.words.contains(words);
    assert!(violations.iter().any(is_it), "{invariant} `{words}` is not in {violations:#?}");
}

fn delta() -> Repository {
    repository("sl5/x86_64 delta")
}

fn production() -> Repository {
    repository("sl5/x86_64 production")
}

/// Makes the digests of a change true again, so that only what was planted is wrong.
fn settle(world: &World, plan: &mut Plan) {
    for (repository, change) in &mut plan.changes {
        let listing = &world.repositories[repository];
        if let Some(sound) = Change::of(listing, change.enter.clone(), change.leave.clone()) {
            *change = sound;
        }
    }
}

#[test]
fn a_package_in_neither_stage_is_found() {
    planted("I11", "`voms-4-1.x86_64` leaves", |world, plan| {
        plan.changes.remove(&production());
        settle(world, plan);
    });
    planted("I11", "`lcg-1-1.noarch` leaves", |world, plan| {
        plan.changes.get_mut(&delta()).unwrap().leave.push(listed("lcg-1-1.noarch"));
        settle(world, plan);
    });
    planted("I11", "`yaim-1-1.noarch` leaves", |world, plan| {
        plan.changes.get_mut(&production()).unwrap().leave.push(listed("yaim-1-1.noarch"));
        settle(world, plan);
    });
    planted("I11", "`voms-4-1.x86_64` leaves", |world, plan| {
        let change = plan.changes.remove(&production()).unwrap();
        plan.changes.insert(repository("sl5/i386 production"), change);
        settle(world, plan);
    });
}

#[test]
fn a_package_out_of_nowhere_is_found() {
    planted("I12", "`new-1-1.noarch` enters", |world, plan| {
        plan.changes.get_mut(&production()).unwrap().enter.push(listed("new-1-1.noarch"));
        settle(world, plan);
    });
    planted("I12", "enters `glite-3.2-sl5-x86_64-production` out of nowhere", |_, plan| {
        plan.action = "withdraw".into()
    });
    planted("I12", "out of nowhere", |_, plan| plan.action = "revert".into());
    planted("I12", "without a cause", |_, plan| plan.action = "keep".into());
    let world = site();
    let mut plan = effect(&world, &revert("delta", "30", &[]), &alice(), &[]);
    plan.changes.get_mut(&delta()).unwrap().enter.push(listed("new-1-1.noarch"));
    settle(&world, &mut plan);
    found(&world, &plan, "I12", "`new-1-1.noarch` enters");
}

#[test]
fn a_package_lost_by_an_import_is_found() {
    let world = site();
    let mut plan = effect(&world, &import(&["sl5/x86_64"]), &alice(), &arrivals(&["new-1-1.noarch"]));
    plan.changes.get_mut(&delta()).unwrap().leave.push(listed("lcg-1-1.noarch"));
    settle(&world, &mut plan);
    found(&world, &plan, "I12", "`lcg-1-1.noarch` leaves `glite-3.2-sl5-x86_64-delta` without a cause");
}

#[test]
fn what_leaves_must_be_listed_and_what_enters_must_not() {
    planted("I12", "which does not list it", |_, plan| {
        plan.changes.get_mut(&delta()).unwrap().leave.push(listed("nobody-1-1.noarch"));
    });
    planted("I12", "which lists it already", |_, plan| {
        plan.changes.get_mut(&production()).unwrap().enter.push(listed("yaim-1-1.noarch"));
    });
    planted("I12", "which does not list it", |_, plan| {
        let left = &mut plan.changes.get_mut(&delta()).unwrap().leave[0];
        *left = crate::samples::but(left, |left| left.nevra = "other-1-1.noarch".parse().unwrap());
    });
    planted("I12", "twice", |_, plan| {
        let change = plan.changes.get_mut(&production()).unwrap();
        change.enter.push(change.enter[0].clone());
    });
    let world = site();
    let mut plan = effect(&world, &withdraw("delta", &["voms"]), &alice(), &[]);
    let change = plan.changes.get_mut(&delta()).unwrap();
    change.leave.push(change.leave[0].clone());
    found(&world, &plan, "I12", "twice");
}

#[test]
fn digests_that_lie_are_found() {
    planted("I12", "before is not that", |_, plan| {
        plan.changes.get_mut(&production()).unwrap().before = listed("x-1-1.noarch").pkgid;
    });
    planted("I12", "after is not that", |_, plan| {
        plan.changes.get_mut(&production()).unwrap().after = listed("x-1-1.noarch").pkgid;
    });
    planted("I12", "before is not that", |world, _| {
        world.repositories.get_mut(&delta()).unwrap().push(listed("x-1-1.noarch"));
    });
}

#[test]
fn a_repository_that_is_touched_without_need_is_found() {
    planted("I10", "does not change", |_, plan| {
        let digest = digest_of_set([]);
        let change = Change { before: digest, after: digest, enter: vec![], leave: vec![] };
        plan.changes.insert(repository("sl5/i386 delta"), change);
    });
}

#[test]
fn a_repository_that_does_not_exist_is_found() {
    planted("I12", "does not exist", |world, _| {
        world.repositories.remove(&production());
    });
    planted("I12", "does not exist", |_, plan| {
        let change = plan.changes.remove(&production()).unwrap();
        plan.changes.insert(production().in_stage("nowhere"), change);
    });
    planted("I12", "is there already", |_, plan| {
        plan.new_repositories.insert(production());
    });
    planted("I12", "nobody configured it", |_, plan| {
        plan.new_repositories.insert(production().in_stage("nowhere"));
    });
    planted("I12", "the views of", |_, plan| {
        plan.views.insert(production().in_stage("nowhere"));
    });
}

#[test]
fn two_files_of_one_name_are_found() {
    planted("I13", "other content", |world, _| {
        world.repositories.get_mut(&production()).unwrap().push(listed("voms-4-1.x86_64#other"));
    });
    planted("I13", "other content", |world, _| {
        let debug = repository("sl5/i386 delta debug");
        world.repositories.get_mut(&debug).unwrap().push(listed("voms-4-1.x86_64#other"));
    });
    planted("I13", "other content", |_, plan| {
        plan.changes.get_mut(&production()).unwrap().enter.push(listed("voms-4-1.x86_64#other"));
    });
}

#[test]
fn a_name_bound_anew_is_found() {
    let name = |plan: &mut Plan, name: &str, bound| {
        plan.names.insert(name.into(), bound);
    };
    planted("I9", "of generation 30 would be bound to 40", |_, plan| name(plan, "update-56", Some(40)));
    planted("I9", "of generation 29 would be bound to 40", |_, plan| name(plan, "update-55", Some(40)));
    planted("I9", "would be bound again to 40", |world, plan| {
        world.names.insert("update-54".into(), NamedGeneration { generation: 40, ended: true });
        name(plan, "update-54", Some(40));
    });
    planted("I9", "which is not kept", |_, plan| name(plan, "new", Some(28)));
    planted("I9", "was never given", |_, plan| name(plan, "new", None));
    for bad in ["current", "@1", "57", "a/b", ""] {
        planted("I9", "cannot be the name", |_, plan| name(plan, bad, Some(40)));
    }
}

#[test]
fn metadata_removed_that_is_promised_is_found() {
    planted("I8", "metadata would be removed", |_, plan| plan.sweeps_metadata = true);
}

#[test]
fn a_link_removed_that_is_promised_is_found() {
    let link = |package: &str| listed(package).link(&delta());
    planted("I8", "and is promised until", |_, plan| {
        plan.drop_links.insert(link("due-1-1.noarch"));
    });
    planted("I8", "a kept generation lists it", |_, plan| {
        plan.drop_links.insert(link("kept-1-1.noarch"));
    });
    planted("I7", "is not known", |_, plan| {
        plan.drop_links.insert(link("nobody-1-1.noarch"));
    });
    planted("I8", "and is listed", |_, plan| {
        plan.drop_links.insert(listed("voms-4-1.x86_64").link(&production()));
    });
    let world = site();
    let drop_links = BTreeSet::from([link("voms-4-1.x86_64")]);
    let plan = Plan { action: "sweep".into(), drop_links, ..Plan::default() };
    found(&world, &plan, "I8", "and is listed");
}

#[test]
fn a_generation_removed_that_is_promised_is_found() {
    let drop_of = |number: u64| {
        move |_: &mut World, plan: &mut Plan| {
            plan.drop_generations.insert(number);
        }
    };
    planted("I8", "bears the name `update-56`", drop_of(30));
    planted("I8", "is promised until", drop_of(32));
    planted("I8", "is promised", drop_of(28));
    planted("I1", "is not superseded", drop_of(40));
    planted("I1", "is not superseded", drop_of(41));
    planted("I8", "and named at once", |_, plan| {
        plan.drop_generations.insert(31);
        plan.names.insert("new".into(), Some(31));
    });
}

#[test]
fn a_sound_plan_has_no_violations() {
    let link = listed("past-1-1.noarch").link(&delta());
    let plan = Plan {
        action: "sweep".into(),
        drop_links: BTreeSet::from([link]),
        drop_generations: BTreeSet::from([31]),
        ..Plan::default()
    };
    assert_eq!(check(&site(), &plan), vec![]);
}
