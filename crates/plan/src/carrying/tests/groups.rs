//! Groups, categories and environments.

use super::*;
use crate::samples::{layout, promote, withdraw, world_of};

/// Writes groups `g: a b`, categories `c> g h` and environments `e>> g`, each a line.
fn file(lines: &[&str]) -> String {
    let list = |kind: &str, list: &str, line: &str, id: &str, names: &str| {
        let names: String =
            names.split_whitespace().map(|name| format!("\n<{line}>{name}</{line}>")).collect();
        format!("\n<{kind}><id>{id}</id><name>{id}</name><{list}>{names}\n</{list}></{kind}>")
    };
    let one = |text: &&str| match (text.split_once(">> "), text.split_once("> "), text.split_once(": ")) {
        (Some((id, names)), ..) => list("environment", "grouplist", "groupid", id, names),
        (_, Some((id, names)), _) => list("category", "grouplist", "groupid", id, names),
        (.., Some((id, names))) => list("group", "packagelist", "packagereq", id, names),
        _ => panic!("{text}"),
    };
    format!("<comps>{}\n</comps>\n", lines.iter().map(one).collect::<String>())
}

fn groups(world: &mut World, at: &str, lines: &[&str]) {
    world.beside.entry(repository(at)).or_default().groups = Part::Read(Arc::from(file(lines).into_bytes()));
}

fn grouped(world: &World, at: &str) -> Vec<String> {
    let Some(Part::Read(open)) = world.beside.get(&repository(at)).map(|beside| &beside.groups) else {
        return Vec::new();
    };
    let one = |part: &repo::CompsPart| {
        let sign = match part.kind {
            repo::CompsKind::Category => ">",
            repo::CompsKind::Environment => ">>",
            repo::CompsKind::Group | repo::CompsKind::Other => ":",
        };
        format!("{}{sign} {}", part.id, part.names().collect::<Vec<_>>().join(" "))
    };
    repo::Comps::parse(open).unwrap().parts.iter().map(one).collect()
}

const DELTA: &str = "sl5/x86_64 delta";
const PRODUCTION: &str = "sl5/x86_64 production";

fn world_with(lines: &[&str]) -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
    groups(&mut world, DELTA, lines);
    world
}

#[test]
fn groups_go_with_what_they_list_and_what_names_them_too() {
    let world = world_with(&["g: a b elsewhere", "h: c", "k> g h", "e>> g", "f>> h"]);
    let (after, notes) = done(&world, &promote(&["a"]));
    assert_eq!(grouped(&after, PRODUCTION), ["g: a", "k> g", "e>> g"]);
    assert_eq!(grouped(&after, DELTA), ["g: b elsewhere", "h: c", "k> g h", "e>> g", "f>> h"]);
    let words = "group `g` is cut for `glite-3.2-sl5-x86_64-production`, which does not list `b`";
    assert_eq!(notes, [words]);
    let (after, notes) = done(&after, &promote(&["b", "c"]));
    assert_eq!(grouped(&after, PRODUCTION), ["g: b a", "h: c", "k> g h", "e>> g", "f>> h"]);
    assert_eq!(
        (grouped(&after, DELTA), notes),
        (vec!["g: elsewhere".into(), "k> g".into(), "e>> g".into()], vec![])
    );
}

#[test]
fn what_the_target_has_of_its_own_stays() {
    let mut world = world_with(&["g: a"]);
    groups(&mut world, PRODUCTION, &["own: x y", "g: x"]);
    let (after, _) = done(&world, &promote(&["a"]));
    assert_eq!(grouped(&after, PRODUCTION), ["own: x y", "g: a x"]);
    let (after, notes) = done(&after, &withdraw("production", &["a"]));
    assert_eq!(grouped(&after, PRODUCTION), ["own: x y", "g: x"]);
    assert_eq!(notes, ["group `g` is cut in `glite-3.2-sl5-x86_64-production`, which no longer lists `a`"]);
}

#[test]
fn a_name_stays_while_another_version_of_it_does_and_an_empty_group_goes_from_everywhere() {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.noarch a-2-1.noarch b-1-1.noarch"]);
    groups(&mut world, DELTA, &["g: a", "h: b z", "k> g h", "only> g"]);
    let (after, notes) = done(&world, &withdraw("delta", &["a-1-1"]));
    assert_eq!((grouped(&after, DELTA), notes), (grouped(&world, DELTA), vec![]));
    let (after, notes) = done(&after, &withdraw("delta", &["a"]));
    assert_eq!(grouped(&after, DELTA), ["h: b z", "k> h"]);
    assert_eq!(notes, ["group `g` leaves `glite-3.2-sl5-x86_64-delta`, which no longer lists `a`"]);
}

#[test]
fn where_the_configuration_names_a_file_that_one_counts() {
    let mut world = world_with(&["g: a"]);
    let mut layout = layout();
    let stage = &mut layout.products.get_mut("glite-3.2").unwrap().stages[1];
    stage.clients.comps = Some("/etc/comps.xml".into());
    world.layout = Arc::new(layout);
    groups(&mut world, PRODUCTION, &["configured: x"]);
    let (after, _) = done(&world, &promote(&["a"]));
    assert_eq!(grouped(&after, PRODUCTION), ["configured: x"]);
}

#[test]
fn what_cannot_be_read_stays_and_the_answer_says_so() {
    for (at, beginning) in [(DELTA, "no group goes along from "), (PRODUCTION, "the groups of ")] {
        let mut world = world_with(&["g: a"]);
        world.beside.entry(repository(at)).or_default().groups = Part::Read(Arc::from(&b"<comps>"[..]));
        let (after, notes) = done(&world, &promote(&["a"]));
        assert_eq!(after.beside[&repository(at)], world.beside[&repository(at)]);
        assert!(notes.iter().any(|note| note.starts_with(beginning)), "{notes:?}");
    }
}

#[test]
fn a_source_package_is_nothing_that_a_group_lists() {
    let mut world = world_of(&[
        "sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch",
        "sl5/x86_64 delta source: a-1-1.src",
        "sl5/x86_64 production: a-1-1.noarch c-1-1.noarch",
        "sl5/x86_64 production source: a-2-1.src",
    ]);
    groups(&mut world, DELTA, &["g: a b"]);
    groups(&mut world, PRODUCTION, &["g: a c"]);
    let (after, notes) = done(&world, &withdraw("production", &["a-1-1.noarch"]));
    assert_eq!(grouped(&after, PRODUCTION), ["g: c"]);
    assert_eq!(notes, ["group `g` is cut in `glite-3.2-sl5-x86_64-production`, which no longer lists `a`"]);
    let Some(source) = after.repositories.get(&repository("sl5/x86_64 production source")) else { panic!() };
    assert_eq!(source.len(), 1, "its source stays");
}
