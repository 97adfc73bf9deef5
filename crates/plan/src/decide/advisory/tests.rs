use super::*;
use crate::request::{Action, Request};
use crate::samples::{alice, repository, words, world_of};
use crate::{Decision, decide};

fn request(packages: &[&str], change: impl FnOnce(&mut Advised)) -> Request {
    let mut advised = Advised {
        id: "GRID-1".into(),
        kind: "security".into(),
        severity: Some("Important".into()),
        title: "a < b".into(),
        description: "two\nlines".into(),
        references: words(&["CVE-2026-1"]),
        reboot: true,
    };
    change(&mut advised);
    let (product, stage) = ("glite-3.2".into(), "delta".into());
    Request::new(Action::Advisory { product, stage, advised, packages: words(packages), platforms: vec![] })
}

fn site() -> World {
    world_of(&[
        "sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch",
        "sl5/i386 delta: a-1-1.noarch",
        "sl5/x86_64 delta source: a-1-1.src",
    ])
}

fn done(world: &World, request: &Request) -> (World, Plan) {
    let decision = decide(world, request, &alice(), &[]);
    let Decision::Effect(plan) = decision else { panic!("{decision:?}") };
    assert_eq!(crate::check(world, &plan), []);
    let mut after = world.clone();
    after.apply(&plan);
    (after, plan)
}

/// Shows the id, the version, the dates and the packages of each advisory of a repository.
fn said(world: &World, at: &str) -> Vec<String> {
    let Some(Part::Read(open)) = world.beside.get(&repository(at)).map(|beside| &beside.updates) else {
        return Vec::new();
    };
    let shown = |one: &Advisory| {
        let names: Vec<String> = one.packages().map(Nevra::to_string).collect();
        format!("{} {} {} {}", one.id, one.version(), one.issued(), names.join(" "))
    };
    Updateinfo::parse(open).unwrap().advisories.iter().map(shown).collect()
}

#[test]
fn it_stands_in_each_repository_with_what_that_lists() {
    let (after, plan) = done(&site(), &request(&["a", "b"], |_| {}));
    assert_eq!(said(&after, "sl5/x86_64 delta"), ["GRID-1 1 2026-03-01 12:00:00 a-1-1.noarch b-1-1.noarch"]);
    assert_eq!(said(&after, "sl5/i386 delta"), ["GRID-1 1 2026-03-01 12:00:00 a-1-1.noarch"]);
    assert_eq!(said(&after, "sl5/x86_64 production"), Vec::<String>::new());
    assert!(plan.sentence.starts_with("advisory `GRID-1` is about "), "{}", plan.sentence);
    assert!(
        plan.changes.is_empty() && plan.print().contains("GRID-1 (security) of a-1-1.noarch"),
        "{}",
        plan.print()
    );
}

#[test]
fn the_same_id_again_is_its_next_version_and_others_stay() {
    let mut world = site();
    let other = "<updates><update version=\"8\"><id>OTHER</id></update></updates>";
    let updates = Part::Read(Arc::from(other.as_bytes()));
    world.beside.insert(repository("sl5/x86_64 delta"), Beside { updates, ..Beside::default() });
    let (mut after, first) = done(&world, &request(&["a"], |_| {}));
    after.now += jiff::SignedDuration::from_hours(24);
    let (after, second) = done(&after, &request(&["b"], |_| {}));
    let expected = ["OTHER 8  ", "GRID-1 2 2026-03-01 12:00:00 b-1-1.noarch"];
    assert_eq!(said(&after, "sl5/x86_64 delta"), expected);
    assert_ne!(first.hash(), second.hash(), "of other packages");
    let (_, other) = done(&world, &request(&["a"], |said| said.title = "other".into()));
    assert_ne!(first.hash(), other.hash(), "with other words");
    assert_eq!(first.hash(), done(&world, &request(&["a"], |_| {})).1.hash());
}

#[test]
fn what_is_not_listed_cannot_be_named() {
    let decision = decide(&site(), &request(&["a", "z-1-1.noarch"], |_| {}), &alice(), &[]);
    let Decision::Refused(refusal) = decision else { panic!("{decision:?}") };
    assert_eq!(refusal.code, Code::NotListed);
    assert!(refusal.sentence.contains("z-1-1.noarch"), "{refusal}");
}

#[test]
fn nothing_is_added_to_what_cannot_be_read() {
    let mut world = site();
    for updates in [Part::Unread("for there are two".into()), Part::Read(Arc::from(&b"<updates>"[..]))] {
        world.beside.insert(repository("sl5/x86_64 delta"), Beside { updates, ..Beside::default() });
        let decision = decide(&world, &request(&["a"], |_| {}), &alice(), &[]);
        let Decision::Refused(refusal) = decision else { panic!("{decision:?}") };
        assert_eq!(refusal.code, Code::NeedsPerson);
    }
}
