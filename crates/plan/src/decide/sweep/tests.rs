use jiff::{SignedDuration, Timestamp};

use super::promises;

use crate::World;
use crate::refusal::Code;
use crate::request::{Action, Request};
use crate::samples::{alice, effect, listed, nothing, now, refused, repository, world_of};
use crate::world::{Asker, NamedGeneration};

fn sweep() -> Request {
    Request::new(Action::Sweep {})
}

fn hours(count: i64) -> Timestamp {
    now() + SignedDuration::from_hours(count)
}

fn link(package: &str) -> String {
    listed(package).link(&repository("sl5/x86_64 delta"))
}

fn site() -> World {
    let mut world = world_of(&["sl5/x86_64 delta: listed-1-1.noarch"]);
    for (package, until) in [("passed", -1), ("due", 0), ("promised", 1), ("listed", -1), ("kept", -1)] {
        world.retained.insert(link(&format!("{package}-1-1.noarch")), hours(until));
    }
    world.listed_by_kept.insert(link("kept-1-1.noarch"));
    world.kept_generations.extend([31, 32, 33, 34, 35]);
    for (number, until) in [(31, -1), (32, 1), (33, -1), (34, -1), (40, -1)] {
        world.kept_until.insert(number, hours(until));
    }
    world.names.insert("named".into(), NamedGeneration { generation: 33, ended: false });
    world.names.insert("ended".into(), NamedGeneration { generation: 34, ended: true });
    world
}

#[test]
fn only_what_is_promised_to_nobody_goes() {
    let plan = effect(&site(), &sweep(), &Asker::clock(), &[]);
    let links: Vec<&String> = plan.drop_links.iter().collect();
    let mut expected = [link("due-1-1.noarch"), link("passed-1-1.noarch")];
    expected.sort();
    assert_eq!(links, expected.iter().collect::<Vec<_>>());
    assert_eq!(plan.drop_generations.iter().copied().collect::<Vec<_>>(), [31, 34]);
    assert_eq!(plan.hosts_run(), None);
    assert!(plan.changes.is_empty());
}

#[test]
fn a_clock_that_jumped_makes_nothing_go() {
    let mut world = site();
    world.expired_metadata = false;
    world.witnessed = hours(-2);
    nothing(&world, &sweep(), &alice(), &[], Code::NothingToDo);
    // Nor one that was set back: what is witnessed and what it says must both have come.
    world.witnessed = now();
    world.now = hours(-2);
    nothing(&world, &sweep(), &alice(), &[], Code::NothingToDo);
}

#[test]
fn sweeping_twice_is_nothing_to_do() {
    let mut world = site();
    let plan = effect(&world, &sweep(), &alice(), &[]);
    world.apply(&plan);
    nothing(&world, &sweep(), &alice(), &[], Code::NothingToDo);
    assert!(!world.keeps(31) && world.keeps(33));
}

#[test]
fn metadata_alone_is_worth_a_sweep_once() {
    let mut world = crate::samples::world();
    nothing(&world, &sweep(), &alice(), &[], Code::NothingToDo);
    world.expired_metadata = true;
    let plan = effect(&world, &sweep(), &alice(), &[]);
    assert!(plan.sweeps_metadata && plan.drop_links.is_empty() && plan.drop_generations.is_empty());
    assert_eq!(plan.sentence, "0 package links and 0 generations go, and superseded metadata");
    world.apply(&plan);
    nothing(&world, &sweep(), &alice(), &[], Code::NothingToDo);
}

#[test]
fn it_takes_the_clock_or_an_admin_of_the_site() {
    let bob = |product: Option<&str>, role: &str| Asker {
        name: "user:bob".into(),
        roles: vec![(product.map(str::to_owned), role.to_owned())],
    };
    effect(&site(), &sweep(), &bob(None, "admin"), &[]);
    refused(&site(), &sweep(), &bob(None, "release"), &[], Code::RoleNotAllowed);
    refused(&site(), &sweep(), &bob(Some("glite-3.2"), "admin"), &[], Code::RoleNotAllowed);
}

#[test]
fn what_stays_is_listed_with_the_reason() {
    let world = site();
    let told: Vec<(String, bool, String)> =
        promises(&world).into_iter().map(|one| (one.what, one.goes, one.reason)).collect();
    let reason = |what: &str| {
        let found = told.iter().find(|(one, _, _)| one == what).unwrap();
        (found.1, found.2.as_str())
    };
    assert_eq!(reason("31"), (true, "kept until 2026-03-01T11:00:00Z"));
    assert_eq!(reason("32"), (false, "kept until 2026-03-01T13:00:00Z"));
    assert_eq!(reason("33"), (false, "it is named `named`"));
    assert_eq!(reason("34"), (true, "kept until 2026-03-01T11:00:00Z"));
    assert_eq!(reason("35"), (false, "until when it is kept is not known"));
    assert_eq!(reason(&link("kept-1-1.noarch")), (false, "a kept generation lists it"));
    assert_eq!(reason(&link("promised-1-1.noarch")), (false, "retained until 2026-03-01T13:00:00Z"));
    assert_eq!(reason(&link("passed-1-1.noarch")), (true, "retained until 2026-03-01T11:00:00Z"));
    // What is said to go is what goes.
    let plan = effect(&world, &sweep(), &Asker::clock(), &[]);
    let goes: Vec<&String> = told.iter().filter(|one| one.1).map(|one| &one.0).collect();
    assert_eq!(goes.len(), plan.drop_links.len() + plan.drop_generations.len());
}

#[test]
fn a_package_leaves_the_pool_ninety_days_after_it_was_seen_without_a_link() {
    let mut world = world_of(&["sl5/x86_64 delta: listed-1-1.noarch"]);
    world.expired_metadata = true;
    let file = |package: &str| listed(package).pooled();
    for package in ["new-1-1.noarch", "waits-1-1.noarch", "over-1-1.noarch", "listed-1-1.noarch"] {
        world.unlinked.insert(file(package), None);
    }
    world.unlinked.insert(file("waits-1-1.noarch"), Some(hours(1)));
    world.unlinked.insert(file("over-1-1.noarch"), Some(hours(0)));
    // Linked again by a request of the same line.
    world.unlinked.insert(file("listed-1-1.noarch"), Some(hours(0)));
    let plan = effect(&world, &sweep(), &alice(), &[]);
    assert_eq!(plan.drop_pool.iter().collect::<Vec<_>>(), [&file("over-1-1.noarch")]);
    let unlinked = plan.unlinked.clone().unwrap();
    assert_eq!(unlinked.get(&file("new-1-1.noarch")), Some(&hours(90 * 24)));
    assert_eq!(unlinked.get(&file("waits-1-1.noarch")), Some(&hours(1)));
    assert_eq!(unlinked.len(), 2);
    assert!(crate::check(&world, &plan).is_empty());
    let early = crate::Plan { drop_pool: [file("waits-1-1.noarch")].into(), ..plan.clone() };
    assert_eq!(crate::check(&world, &early)[0].invariant, "I8");
    let listed = crate::Plan { drop_pool: [file("listed-1-1.noarch")].into(), ..plan };
    assert_eq!(crate::check(&world, &listed)[0].invariant, "I8");
}
