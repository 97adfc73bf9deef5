use std::sync::Arc;

use repo::Updateinfo;

use super::*;
use crate::TakenBack;
use crate::carrying::Part;
use crate::request::{Action, Request};
use crate::samples::{alice, layout, promote, repository, words, world_of};
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

const DELTA: &str = "sl5/x86_64 delta";
const PRODUCTION: &str = "sl5/x86_64 production";

fn ended(retracted: bool) -> Request {
    let (product, advisory) = ("glite-3.2".into(), "GRID-1".into());
    Request::new(Action::EndAdvisory { product, advisory, retracted })
}

fn refused(world: &World, request: &Request, asker: &Asker, code: Code) -> Refusal {
    let decision = decide(world, request, asker, &[]);
    let Decision::Refused(refusal) = decision else { panic!("{decision:?}") };
    assert_eq!(refusal.code, code, "{refusal}");
    refusal
}

/// `GRID-1` of `a` and `b` in `delta`, of which `a` went on and is listed in `production`.
fn in_two_stages(holds: bool) -> World {
    let mut world = site();
    let mut layout = layout();
    layout.products.get_mut("glite-3.2").unwrap().stages[1].holds_advisories = holds;
    world.layout = Arc::new(layout);
    let (world, _) = done(&world, &request(&["a", "b"], |_| {}));
    done(&world, &promote(&["a"])).0
}

#[test]
fn it_is_the_same_in_all_stages_in_the_same_instant() {
    let world = in_two_stages(false);
    assert_eq!(said(&world, PRODUCTION), ["GRID-1 1 2026-03-01 12:00:00 a-1-1.noarch"]);
    let (after, plan) = done(&world, &request(&["b"], |said| said.title = "other".into()));
    assert_eq!(said(&after, DELTA), ["GRID-1 2 2026-03-01 12:00:00 b-1-1.noarch"]);
    assert_eq!(said(&after, PRODUCTION), ["GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch"]);
    assert_eq!(said(&after, "sl5/i386 production"), ["GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch"]);
    let words = "advisory `GRID-1` is written anew in `glite-3.2-sl5-x86_64-production`, too";
    assert!(plan.notes.contains(&words.to_owned()), "{:?}", plan.notes);
    // What it named there before and names no more is named nowhere.
    let mut both = after.clone();
    both.repositories.get_mut(&repository(DELTA)).unwrap().push(crate::samples::listed("a-1-1.noarch"));
    let (both, _) = done(&both, &request(&["a-1-1.noarch", "b"], |_| {}));
    let (narrowed, plan) = done(&both, &request(&["b"], |_| {}));
    assert_eq!(said(&narrowed, DELTA), ["GRID-1 4 2026-03-01 12:00:00 b-1-1.noarch"]);
    assert_eq!(said(&narrowed, PRODUCTION), Vec::<String>::new());
    assert!(plan.notes.iter().any(|note| note.starts_with("advisory `GRID-1` leaves ")), "{:?}", plan.notes);
}

#[test]
fn whoever_may_not_change_a_stage_that_has_it_may_not_say_it_anew() {
    let mut world = in_two_stages(false);
    let mut layout = layout();
    layout.products.get_mut("glite-3.2").unwrap().stages[1].import_roles = words(&["operator"]);
    world.layout = Arc::new(layout);
    let asker = Asker { name: "user:ines".into(), roles: vec![(None, "integrator".into())] };
    refused(&world, &request(&["b"], |_| {}), &asker, Code::RoleNotAllowed);
    refused(&world, &ended(false), &asker, Code::RoleNotAllowed);
    assert!(matches!(decide(&site(), &request(&["b"], |_| {}), &asker, &[]), Decision::Effect(_)));
}

#[test]
fn its_version_is_higher_than_any_of_the_product_and_there_is_a_highest() {
    let largest = u64::MAX.to_string();
    for (there, next) in [("4294967295", Some("4294967296")), (&*largest, None), ("x", Some("1"))] {
        let mut world = site();
        let other = format!("<updates><update version=\"{there}\"><id>GRID-1</id></update></updates>");
        let updates = Part::Read(Arc::from(other.into_bytes()));
        world.beside.insert(repository("sl5/i386 production"), Beside { updates, ..Beside::default() });
        match next {
            Some(next) => {
                let (after, _) = done(&world, &request(&["b"], |_| {}));
                let expected = format!("GRID-1 {next} 2026-03-01 12:00:00 b-1-1.noarch");
                assert_eq!(said(&after, DELTA), [expected]);
                assert!(said(&after, "sl5/i386 production").is_empty(), "it names nothing there");
            }
            None => {
                let refusal = refused(&world, &request(&["b"], |_| {}), &alice(), Code::NeedsPerson);
                assert!(refusal.sentence.contains("no higher one"), "{refusal}");
            }
        }
    }
}

#[test]
fn what_is_taken_back_goes_from_all_stages_and_does_not_come_back() {
    let world = in_two_stages(false);
    let (after, plan) = done(&world, &ended(false));
    for at in [DELTA, PRODUCTION, "sl5/i386 production"] {
        assert_eq!(said(&after, at), Vec::<String>::new(), "{at}");
    }
    assert_eq!(plan.sentence, "advisory `GRID-1` is taken back from `delta` and `production` of `glite-3.2`");
    assert!(plan.changes.is_empty());
    refused(&after, &ended(false), &alice(), Code::NoSuchAdvisory);
    // A copy of the old text does not go on by a promotion, a new writing does.
    let mut again = after.clone();
    let old = world.beside[&repository(DELTA)].clone();
    again.beside.insert(repository(DELTA), old);
    assert_eq!(said(&done(&again, &promote(&["b"])).0, PRODUCTION), Vec::<String>::new());
    let (anew, _) = done(&after, &request(&["b"], |_| {}));
    assert_eq!(said(&anew, DELTA), ["GRID-1 2 2026-03-01 12:00:00 b-1-1.noarch"]);
    assert_eq!(said(&done(&anew, &promote(&["b"])).0, PRODUCTION).len(), 1);
}

#[test]
fn what_is_retracted_stays_with_that_status_wherever_it_goes() {
    let world = in_two_stages(false);
    let (after, plan) = done(&world, &ended(true));
    assert_eq!(said(&after, DELTA), ["GRID-1 2 2026-03-01 12:00:00 b-1-1.noarch"]);
    assert_eq!(said(&after, PRODUCTION), ["GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch"]);
    assert_ne!(plan.hash(), done(&world, &ended(false)).1.hash());
    let (gone_on, _) = done(&after, &promote(&["b"]));
    let Part::Read(open) = &gone_on.beside[&repository(PRODUCTION)].updates else { panic!("it says one") };
    let one = &Updateinfo::parse(open).unwrap().advisories[0];
    assert_eq!((one.status(), one.packages().count()), ("retracted", 2));
    assert!(String::from_utf8_lossy(&one.raw).contains("<title>a &lt; b</title>"));
    assert!(matches!(decide(&after, &ended(true), &alice(), &[]), Decision::NothingToDo(..)));
    let (final_again, _) = done(&after, &request(&["b"], |_| {}));
    assert_eq!(said(&final_again, PRODUCTION), ["GRID-1 3 2026-03-01 12:00:00 a-1-1.noarch"]);
}

#[test]
fn what_waits_is_said_anew_and_taken_back_too() {
    let world = in_two_stages(true);
    let held = |world: &World| {
        let name = repository(PRODUCTION).name();
        let one = world.standing.held.get(&name)?.get("GRID-1")?.clone();
        Some((Advisory::read(one.text.into_bytes())?.version().to_owned(), one.waits_for.len()))
    };
    assert_eq!((held(&world), said(&world, PRODUCTION)), (Some(("1".into(), 1)), vec![]));
    let (anew, _) = done(&world, &request(&["b"], |_| {}));
    assert_eq!(held(&anew), Some(("2".into(), 1)));
    let (whole, _) = done(&anew, &promote(&["b"]));
    assert_eq!(said(&whole, PRODUCTION), ["GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch b-1-1.noarch"]);
    let (retracted, _) = done(&world, &ended(true));
    assert_eq!(held(&retracted), Some(("2".into(), 1)));
    let (ended, _) = done(&world, &ended(false));
    assert_eq!(held(&ended), None);
    // What it waits for is named no more: it comes.
    let mut more = world.clone();
    for at in [DELTA, PRODUCTION] {
        more.repositories.get_mut(&repository(at)).unwrap().push(crate::samples::listed("c-1-1.noarch"));
    }
    let (narrowed, _) = done(&more, &request(&["c"], |_| {}));
    let come = ["GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch c-1-1.noarch".to_owned()];
    assert_eq!((held(&narrowed), said(&narrowed, PRODUCTION)), (None, come.to_vec()));
}

#[test]
fn what_nobody_has_cannot_be_taken_back() {
    let (product, advisory) = ("glite-3.2".into(), "GRID-2".into());
    let other = Action::EndAdvisory { product, advisory, retracted: false };
    let refusal = refused(&in_two_stages(false), &Request::new(other), &alice(), Code::NoSuchAdvisory);
    assert_eq!(refusal.hint.as_deref(), Some("did you mean `GRID-1`"));
    let nobody = Asker { name: "user:nemo".into(), roles: vec![] };
    refused(&in_two_stages(false), &ended(false), &nobody, Code::RoleNotAllowed);
    let mut frozen = in_two_stages(false);
    let (by, reason) = ("file".into(), "r".into());
    let (id, product, stage, until) = (String::new(), None, None, None);
    frozen.freeze_files.push(crate::standing::Freeze { id, product, stage, by, reason, until });
    refused(&frozen, &ended(false), &alice(), Code::Frozen);
}

#[test]
fn whoever_may_withdraw_takes_back_where_nobody_imports() {
    let mut world = in_two_stages(false);
    let mut layout = layout();
    let production = &mut layout.products.get_mut("glite-3.2").unwrap().stages[1];
    (production.import_roles, production.withdraw_roles) = (vec![], Some(words(&["operator"])));
    world.layout = Arc::new(layout);
    let roles = ["integrator", "operator"].map(|role| (None, role.to_owned()));
    let both = Asker { name: "user:ines".into(), roles: roles.to_vec() };
    for request in [ended(false), ended(true), request(&["b"], |_| {})] {
        let decision = decide(&world, &request, &both, &[]);
        assert!(matches!(decision, Decision::Effect(_)), "{decision:?}");
        refused(&world, &request, &alice(), Code::RoleNotAllowed);
    }
}

/// A text of `GRID-1` as distributions have them, whose version never changes.
fn of_a_distribution(version: &str, changed: &str) -> String {
    format!(
        "<update version=\"{version}\"><id>GRID-1</id><updated date=\"{changed}\"/><pkglist><collection>\
         <package name=\"b\" epoch=\"0\" version=\"1\" release=\"1\" arch=\"noarch\"/></collection></pkglist></update>"
    )
}

fn says(world: &mut World, at: &str, texts: &[String]) {
    let updates = Part::Read(Arc::from(format!("<updates>{}</updates>", texts.concat()).into_bytes()));
    world.beside.entry(repository(at)).or_default().updates = updates;
}

#[test]
fn a_later_text_whose_version_is_no_number_goes_along() {
    let mut world = site();
    says(&mut world, DELTA, &[of_a_distribution("2.0", "2026-01-01 00:00:00")]);
    let (mut world, _) = done(&world, &ended(false));
    for (changed, comes) in
        [("2026-01-01 00:00:00", false), ("2025-01-01 00:00:00", false), ("2026-02-01 00:00:00", true)]
    {
        says(&mut world, DELTA, &[of_a_distribution("2.0", changed)]);
        let (after, plan) = done(&world, &promote(&["b"]));
        assert_eq!(!said(&after, PRODUCTION).is_empty(), comes, "{changed}");
        let words = "advisory `GRID-1` does not go along to `glite-3.2-sl5-x86_64-production`: this text of it was taken back";
        assert_eq!(plan.notes.contains(&words.to_owned()), !comes, "{:?}", plan.notes);
    }
}

#[test]
fn what_it_no_longer_names_on_one_platform_stays_named_on_others() {
    let mut world = site();
    world
        .repositories
        .get_mut(&repository("sl5/i386 delta"))
        .unwrap()
        .push(crate::samples::listed("b-1-1.noarch"));
    let (world, _) = done(&world, &request(&["a", "b"], |_| {}));
    let mut narrowed = request(&["a"], |_| {});
    let Action::Advisory { platforms, .. } = &mut narrowed.action else { panic!() };
    *platforms = words(&["sl5/x86_64"]);
    let (after, _) = done(&world, &narrowed);
    assert_eq!(said(&after, DELTA), ["GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch"]);
    let both = ["GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch b-1-1.noarch"];
    assert_eq!(said(&after, "sl5/i386 delta"), both);
    // Where something goes from another stage it is named.
    let mut world = in_two_stages(false);
    world.repositories.get_mut(&repository(DELTA)).unwrap().push(crate::samples::listed("a-1-1.noarch"));
    let (world, _) = done(&world, &request(&["a", "b"], |_| {}));
    world.repositories[&repository(PRODUCTION)].iter().find(|one| one.nevra.name == "a").unwrap();
    let mut world = world;
    world.repositories.get_mut(&repository(PRODUCTION)).unwrap().push(crate::samples::listed("b-1-1.noarch"));
    let (world, _) = done(&world, &request(&["a", "b"], |_| {}));
    let (_, plan) = done(&world, &request(&["b"], |_| {}));
    let words =
        "advisory `GRID-1` is written anew in `glite-3.2-sl5-x86_64-production`, too, without `a-1-1.noarch`";
    assert!(plan.notes.contains(&words.to_owned()), "{:?}", plan.notes);
}

#[test]
fn what_stands_several_times_is_retracted_with_all_of_its_packages() {
    let mut world = site();
    let one = of_a_distribution("1", "2026-01-01 00:00:00");
    let other = one.replace("name=\"b\"", "name=\"a\"");
    says(&mut world, DELTA, &[one, other]);
    let (after, _) = done(&world, &ended(true));
    assert_eq!(said(&after, DELTA), ["GRID-1 2  b-1-1.noarch a-1-1.noarch"]);
}

#[test]
fn as_many_are_remembered_as_may_be_and_what_waits_has_its_bounds() {
    let mut world = in_two_stages(true);
    let taken_back = world.standing.taken_back.entry("glite-3.2".into()).or_default();
    taken_back.extend((0..crate::TAKEN_BACK_MAX).map(|n| (format!("OTHER-{n}"), TakenBack::default())));
    refused(&world, &ended(false), &alice(), Code::StandingFull);
    refused(&world, &ended(true), &alice(), Code::StandingFull);
    let mut world = in_two_stages(true);
    let name = repository(PRODUCTION).name();
    let mut other = world.standing.held[&name]["GRID-1"].clone();
    other.text.extend(std::iter::repeat_n(' ', crate::HELD_BYTES_MAX - 2 * other.text.len()));
    world.standing.held.get_mut(&name).unwrap().insert("OTHER".into(), other);
    for request in [request(&["b"], |said| said.title = "longer than it was".into()), ended(true)] {
        let refusal = refused(&world, &request, &alice(), Code::StandingFull);
        assert!(refusal.sentence.contains("`glite-3.2-sl5-x86_64-production`"), "{refusal}");
    }
    done(&world, &ended(false));
}

#[test]
fn the_highest_version_of_all_can_be_taken_back() {
    let mut world = site();
    says(&mut world, DELTA, &[of_a_distribution(&u64::MAX.to_string(), "")]);
    let (after, _) = done(&world, &ended(false));
    assert_eq!(said(&after, DELTA), Vec::<String>::new());
    refused(&world, &ended(true), &alice(), Code::NeedsPerson);
}

#[test]
fn what_waits_and_is_said_anew_waits_for_what_it_names_then() {
    let mut world = in_two_stages(true);
    world.repositories.get_mut(&repository(DELTA)).unwrap().push(crate::samples::listed("c-1-1.noarch"));
    let (anew, _) = done(&world, &request(&["b", "c"], |_| {}));
    let waits_for = |world: &World| {
        let held = world.standing.held.get(&repository(PRODUCTION).name());
        let one = held.and_then(|held| held.get("GRID-1"));
        one.into_iter().flat_map(|one| &one.waits_for).map(Nevra::to_string).collect::<Vec<_>>()
    };
    assert_eq!(waits_for(&anew), ["b-1-1.noarch", "c-1-1.noarch"]);
    let (some, _) = done(&anew, &promote(&["b"]));
    assert_eq!((waits_for(&some), said(&some, PRODUCTION)), (vec!["c-1-1.noarch".to_owned()], vec![]));
    let (whole, _) = done(&some, &promote(&["c"]));
    let all = "GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch b-1-1.noarch c-1-1.noarch";
    assert_eq!(said(&whole, PRODUCTION), [all]);
}

#[test]
fn what_comes_by_being_said_anew_names_what_siblings_list() {
    let mut world = in_two_stages(true);
    let source = repository("sl5/x86_64 production source");
    world.repositories.get_mut(&source).unwrap().push(crate::samples::listed("a-1-1.src"));
    let name = repository(PRODUCTION).name();
    let one = world.standing.held.get_mut(&name).unwrap().get_mut("GRID-1").unwrap();
    let line = "<package name=\"a\" epoch=\"0\" version=\"1\" release=\"1\" arch=\"src\"/>";
    one.text = one.text.replace("</collection>", &format!("{line}</collection>"));
    for at in [DELTA, PRODUCTION] {
        world.repositories.get_mut(&repository(at)).unwrap().push(crate::samples::listed("c-1-1.noarch"));
    }
    let (after, _) = done(&world, &request(&["c"], |_| {}));
    let expected = "GRID-1 2 2026-03-01 12:00:00 a-1-1.noarch a-1-1.src c-1-1.noarch";
    assert_eq!(said(&after, PRODUCTION), [expected]);
}
