//! Freezes.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::layout::{FreezeSpan, FreezeTime};
use crate::samples::{
    alice, arrivals, effect, import, nothing, promote, refused, revert, withdraw, world_of,
};
use crate::standing::Freeze;
use crate::{Action, Arrival, Asker, Code, Request, STANDING_OF_ONE_MAX, World};

fn world() -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.x86_64", "sl5/x86_64 production: b-1-1.x86_64"]);
    world.past.insert(31, world_of(&["sl5/x86_64 production: c-1-1.x86_64"]).repositories);
    world.kept_generations.insert(31);
    let layout = Arc::make_mut(&mut world.layout);
    layout.products.get_mut("glite-3.2").unwrap().freeze_roles = vec!["operations".into()];
    world
}

fn olga() -> Asker {
    Asker { name: "user:olga".into(), roles: vec![(None, "operations".into())] }
}

fn freeze(stage: Option<&str>, hours: Option<i64>) -> Request {
    let until = hours.map(|hours| world().now + SignedDuration::from_hours(hours));
    let stage = stage.map(str::to_owned);
    let mut request = Request::new(Action::Freeze { product: "glite-3.2".into(), stage, until });
    request.reason = Some("the data challenge".into());
    request
}

/// Everything that would change `production`, and what would change `delta` alone.
fn moves() -> ([Request; 3], (Request, Vec<Arrival>)) {
    let production = [promote(&["a"]), withdraw("production", &["b"]), revert("production", "31", &[])];
    (production, (import(&[]), arrivals(&["n-1-1.x86_64"])))
}

fn check(world: &World, production: bool, delta: bool) {
    let (requests, (import, arrivals)) = moves();
    for request in &requests {
        match production {
            true => drop(refused(world, request, &alice(), &[], Code::Frozen)),
            false => drop(effect(world, request, &alice(), &[])),
        }
    }
    match delta {
        true => drop(refused(world, &import, &alice(), &arrivals, Code::Frozen)),
        false => drop(effect(world, &import, &alice(), &arrivals)),
    }
}

#[test]
fn nothing_enters_or_leaves_what_is_frozen_until_it_thaws() {
    for (stage, production, delta) in [(None, true, true), (Some("production"), true, false)] {
        let mut world = world();
        check(&world, false, false);
        refused(&world, &freeze(stage, None), &alice(), &[], Code::RoleNotAllowed);
        world.apply(&effect(&world, &freeze(stage, None), &olga(), &[]));
        check(&world, production, delta);
        nothing(&world, &freeze(stage, None), &olga(), &[], Code::NothingToDo);
        let thaw =
            Request::new(Action::Thaw { freeze: world.standing.freezes.keys().next().unwrap().clone() });
        refused(&world, &thaw, &alice(), &[], Code::RoleNotAllowed);
        world.apply(&effect(&world, &thaw, &olga(), &[]));
        check(&world, false, false);
        refused(&world, &thaw, &olga(), &[], Code::NoSuchFreeze);
    }
}

#[test]
fn a_freeze_is_over_when_its_end_is_witnessed() {
    let mut world = world();
    world.apply(&effect(&world, &freeze(Some("production"), Some(2)), &olga(), &[]));
    world.now += SignedDuration::from_hours(3);
    check(&world, true, false);
    world.witnessed = world.now;
    check(&world, false, false);
    refused(&world, &freeze(None, Some(-1)), &olga(), &[], Code::Malformed);
}

#[test]
fn files_and_the_calendar_freeze_as_well() {
    let mut world = world();
    world.freeze_files = vec![Freeze {
        id: "freeze/all".into(),
        product: None,
        stage: None,
        by: "user:root".into(),
        reason: "power works".into(),
        until: None,
    }];
    check(&world, true, true);
    world.freeze_files.clear();
    let hour = SignedDuration::from_hours(1);
    let now = world.now;
    let christmas = |from, until| FreezeTime {
        product: Some("glite-3.2".into()),
        stage: Some("production".into()),
        span: FreezeSpan::Once { from, until },
        reason: "nobody is there".into(),
    };
    for (from, until, is_frozen) in [
        (now - hour, now + hour, true),
        (now, now + hour, true),
        (now + hour, now + hour, false),
        (now - hour, now, false),
    ] {
        Arc::make_mut(&mut world.layout).freezes = vec![christmas(from, until)];
        check(&world, is_frozen, false);
    }
    // The wall clock says that it is over, and nobody witnessed it.
    world.witnessed = now - hour;
    Arc::make_mut(&mut world.layout).freezes = vec![christmas(now - hour * 2, now)];
    check(&world, true, false);
    // 2026-03-01 is a Sunday; at 11:00 it is witnessed, at 12:00 by the wall clock.
    for (from, until, is_frozen) in [
        ("Friday 12:00", "Monday 08:00", true),
        ("Friday 12:00", "Sunday 12:00", true),
        ("Friday 12:00", "Sunday 11:00", false),
        ("Sunday 12:00", "Monday 08:00", true),
        ("Monday 12:00", "Sunday 08:00", false),
    ] {
        let [from, until] = [from, until].map(|text| text.parse().unwrap());
        let span = FreezeSpan::Weekly { from, until, zone: jiff::tz::TimeZone::UTC };
        Arc::make_mut(&mut world.layout).freezes = vec![FreezeTime { span, ..christmas(now, now) }];
        check(&world, is_frozen, false);
    }
}

#[test]
fn so_many_freezes_stand_and_none_ends_in_ten_years() {
    let mut world = world();
    for number in 0..STANDING_OF_ONE_MAX {
        let mut request = freeze(None, Some(2));
        request.reason = Some(format!("reason {number}"));
        world.apply(&effect(&world, &request, &olga(), &[]));
    }
    refused(&world, &freeze(None, Some(2)), &olga(), &[], Code::StandingFull);
    refused(&world, &freeze(None, Some(10 * 366 * 24)), &olga(), &[], Code::Malformed);
    let id = world.standing.freezes.keys().next().unwrap().clone();
    world.apply(&effect(&world, &Request::new(Action::Thaw { freeze: id }), &olga(), &[]));
    world.apply(&effect(&world, &freeze(None, Some(2)), &olga(), &[]));
    world.now += SignedDuration::from_hours(3);
    world.witnessed = world.now;
    world.apply(&effect(&world, &freeze(None, None), &olga(), &[]));
    assert_eq!(world.standing.freezes.len(), 1, "what has ended goes when something is written");
}
