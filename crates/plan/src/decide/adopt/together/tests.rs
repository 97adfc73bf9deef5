use super::*;
use crate::decide::{Decision, decide};
use crate::request::{Action, Request};
use crate::samples::{alice, arrivals, repository, world_of};
use crate::world::Existing;

const DELTA: &str = "sl5/x86_64 delta";

fn part(text: &str) -> Part {
    match text {
        "" => Part::Nothing,
        text => Part::Read(Arc::from(text.as_bytes())),
    }
}

/// Adopts a package, where these are known and adopted; gives what is said then, and the notes.
fn adopted(known: Beside, new: Beside) -> (Beside, Vec<String>) {
    let mut world = world_of(&["sl5/x86_64 delta: lcg-1-1.noarch"]);
    world.beside.insert(repository(DELTA), known);
    world.existing = Some(Existing { beside: new, ..Existing::default() });
    let action = Action::Adopt {
        product: "glite-3.2".into(),
        stage: "delta".into(),
        platform: "sl5/x86_64".into(),
        kind: crate::layout::Kind::Binary,
        folder: "/srv/old".into(),
    };
    let Decision::Effect(plan) =
        decide(&world, &Request::new(action), &alice(), &arrivals(&["voms-1-1.x86_64"]))
    else {
        panic!("it is adopted")
    };
    world.apply(&plan);
    let notes = plan.notes.into_iter().filter(|note| note.contains("adopted")).collect();
    (world.beside.remove(&repository(DELTA)).unwrap_or_default(), notes)
}

/// Checks what comes of two files of advisories.
fn check_updates(known: &str, new: &str, expected: &str, notes: &[&str]) {
    let beside = |text: &str| Beside { updates: part(text), ..Beside::default() };
    let (after, said) = adopted(beside(known), beside(new));
    assert_eq!(after.updates, part(expected), "{known} {new}");
    assert_eq!(said, notes);
}

fn update(id: &str, version: u32, title: &str, package: &str) -> String {
    format!(
        "<update version=\"{version}\"><id>{id}</id><title>{title}</title><pkglist><collection>\
         <package name=\"{package}\" epoch=\"0\" version=\"1\" release=\"1\" arch=\"noarch\"/></collection></pkglist></update>"
    )
}

fn written(updates: &[String]) -> String {
    let read = Updateinfo::parse(format!("<updates>{}</updates>", updates.concat()).as_bytes()).unwrap();
    String::from_utf8(read.write()).unwrap()
}

#[test]
fn advisories_come_together_by_id() {
    let [a, b, newer, older] = [
        update("A", 1, "a", "p"),
        update("B", 1, "b", "q"),
        update("A", 2, "new", "p"),
        update("A", 0, "old", "p"),
    ];
    let file = |updates: &[&String]| written(&updates.iter().map(|one| (*one).clone()).collect::<Vec<_>>());
    let there = "of `glite-3.2-sl5-x86_64-delta`";
    check_updates(&file(&[&a]), &file(&[&b]), &file(&[&a, &b]), &[]);
    check_updates("", &file(&[&b]), &file(&[&b]), &[]);
    check_updates(&file(&[&a]), "", &file(&[&a]), &[]);
    let words = format!("these advisories {there} are replaced by the adopted ones: `A`");
    check_updates(&file(&[&a, &b]), &file(&[&newer]), &file(&[&newer, &b]), &[&words]);
    let words = format!("these advisories {there} stay, for the adopted ones say nothing newer: `A`");
    check_updates(&file(&[&a, &b]), &file(&[&older]), &file(&[&a, &b]), &[&words]);
    // What is adopted and says all that is known goes on as it stands.
    let as_it_is = format!("<updates>{a}   {b}</updates>");
    check_updates(&file(&[&a]), &as_it_is, &as_it_is, &[]);
}

#[test]
fn what_cannot_be_read_stands_alone_and_is_told() {
    let good = written(&[update("A", 1, "a", "p")]);
    let bad = "<updates><update/></updates>";
    for (known, new) in [(good.as_str(), bad), (bad, good.as_str())] {
        let beside = |text: &str| Beside { updates: part(text), ..Beside::default() };
        let (after, notes) = adopted(beside(known), beside(new));
        assert_eq!(after.updates, part(new));
        let words =
            "the adopted advisories stand in the place of all that `glite-3.2-sl5-x86_64-delta` has, for ";
        assert!(notes.len() == 1 && notes[0].starts_with(words), "{notes:?}");
    }
    let unread = Part::Unread("for there are two".to_owned());
    let (after, notes) = adopted(
        Beside { groups: part("<comps/>"), ..Beside::default() },
        Beside { groups: unread.clone(), ..Beside::default() },
    );
    assert_eq!(after.groups, unread);
    assert!(notes[0].ends_with("for they are not read, for there are two"), "{notes:?}");
}

#[test]
fn groups_and_modules_come_together_by_id() {
    let group = |id: &str, name: &str| {
        format!("<group><id>{id}</id><packagelist><packagereq>{name}</packagereq></packagelist></group>")
    };
    let category = "<category><id>g</id><grouplist><groupid>g</groupid></grouplist></category>";
    let langpacks = "<langpacks><match name=\"a\"/></langpacks>";
    let comps = |parts: &[&str]| format!("<comps>{}</comps>", parts.concat());
    let stream = |name: &str, package: &str| {
        format!(
            "---\ndocument: modulemd\ndata:\n  name: {name}\n  artifacts:\n    rpms: [{package}-0:1-1.noarch]\n"
        )
    };
    let defaults = |modified: u32| {
        format!("---\ndocument: modulemd-defaults\ndata:\n  module: m\n  modified: {modified}\n")
    };
    let known = Beside {
        groups: part(&comps(&[&group("g", "a"), category, langpacks])),
        modules: part(&(stream("m", "a") + &defaults(2))),
        ..Beside::default()
    };
    let new = Beside {
        groups: part(&comps(&[&group("g", "b"), &group("h", "c"), category, langpacks])),
        modules: part(&(stream("m", "b") + &defaults(1) + &stream("n", "c"))),
        ..Beside::default()
    };
    let (after, notes) = adopted(known, new);
    let Part::Read(open) = &after.groups else { panic!("{after:?}") };
    let parts = Comps::parse(open).unwrap().parts;
    let shown: Vec<_> =
        parts.iter().map(|part| (part.kind.as_str(), &*part.id, part.names().collect::<Vec<_>>())).collect();
    let expected = [
        ("group", "g", vec!["b", "a"]),
        ("group", "h", vec!["c"]),
        ("category", "g", vec!["g"]),
        ("part", "", vec![]),
    ];
    assert_eq!(shown, expected);
    let both = stream("m", "b").replace("[b", "[a-0:1-1.noarch, b");
    assert_eq!(after.modules, part(&(both + &defaults(2) + &stream("n", "c"))));
    let there = "of `glite-3.2-sl5-x86_64-delta`";
    let expected = [
        format!("these modules {there} are replaced by the adopted ones: `m::::`"),
        format!("these modules {there} stay, for the adopted ones say nothing newer: `modulemd-defaults m`"),
        format!("these groups {there} are replaced by the adopted ones: `g`"),
    ];
    assert_eq!(notes, expected);
}

#[test]
fn what_waits_goes_on_waiting_where_the_adopted_file_stands_alone() {
    let world = world_of(&["sl5/x86_64 production: q-1-1.noarch", "sl5/x86_64 delta: c-1-1.noarch"]);
    let text = update("A", 1, "a", "p").replace(
        "</collection>",
        "<package name=\"q\" version=\"1\" release=\"1\" arch=\"noarch\"/></collection>",
    );
    let at = repository("sl5/x86_64 production");
    let waits_for = BTreeSet::from(["p-1-1.noarch".parse().unwrap()]);
    let held = BTreeMap::from([("A".to_owned(), crate::HeldAdvisory { waits_for, text })]);
    let action = Action::Adopt {
        product: "glite-3.2".into(),
        stage: "production".into(),
        platform: "sl5/x86_64".into(),
        kind: crate::layout::Kind::Binary,
        folder: "/srv/old".into(),
    };
    let other = part(&written(&[update("B", 1, "b", "p")]));
    for (updates, waits) in [(Part::Unread("for it is large".into()), true), (other, false)] {
        let mut world = world.clone();
        world.standing.held.insert(at.name(), held.clone());
        world.existing =
            Some(Existing { beside: Beside { updates, ..Beside::default() }, ..Existing::default() });
        let request = Request::new(action.clone());
        let Decision::Effect(plan) = decide(&world, &request, &alice(), &arrivals(&["p-1-1.noarch"])) else {
            panic!("it is adopted")
        };
        world.apply(&plan);
        assert_eq!(world.standing.held.contains_key(&at.name()), waits);
        let Part::Read(open) = &world.beside[&at].updates else {
            assert!(waits);
            continue;
        };
        let ids: Vec<String> =
            Updateinfo::parse(open).unwrap().advisories.into_iter().map(|one| one.id).collect();
        assert_eq!(ids, ["A", "B"]);
    }
}
