//! Module streams, and what is said of modules beside them.

use super::*;
use crate::samples::{promote, withdraw, world_of};

/// Writes streams `perl:5: a b`, and defaults `perl=5`, each a line; packages are those of version 1 for noarch.
fn file(lines: &[&str]) -> String {
    let one = |line: &&str| match (line.split_once(": "), line.split_once('=')) {
        (Some((name, packages)), _) => {
            let (name, stream) = name.split_once(':').unwrap();
            let packages: String =
                packages.split_whitespace().map(|name| format!("    - {name}-0:1-1.noarch\n")).collect();
            format!(
                "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: \"{stream}\"\n  version: 1\n  context: c\n  \
                 arch: x86_64\n  artifacts:\n    rpms:\n{packages}"
            )
        }
        (_, Some((name, stream))) => {
            format!(
                "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: {name}\n  stream: \"{stream}\"\n"
            )
        }
        _ => panic!("{line}"),
    };
    lines.iter().map(one).collect()
}

fn modules(world: &mut World, at: &str, lines: &[&str]) {
    world.beside.entry(repository(at)).or_default().modules = Part::Read(Arc::from(file(lines).into_bytes()));
}

/// Shows the file of a repository.
fn said(world: &World, at: &str) -> String {
    match world.beside.get(&repository(at)).map(|beside| &beside.modules) {
        Some(Part::Read(open)) => String::from_utf8(open.to_vec()).unwrap(),
        _ => String::new(),
    }
}

const DELTA: &str = "sl5/x86_64 delta";
const PRODUCTION: &str = "sl5/x86_64 production";

fn world_with(lines: &[&str]) -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
    modules(&mut world, DELTA, lines);
    world
}

#[test]
fn streams_go_with_their_packages_and_defaults_with_the_module() {
    let world = world_with(&["perl:5: a b", "ruby:3: c", "perl=5", "ruby=3"]);
    let (after, notes) = done(&world, &promote(&["b"]));
    assert_eq!(said(&after, PRODUCTION), file(&["perl:5: b", "perl=5"]));
    assert_eq!(said(&after, DELTA), file(&["perl:5: a", "ruby:3: c", "perl=5", "ruby=3"]));
    let words = "module `perl:5:1:c:x86_64` is cut for `glite-3.2-sl5-x86_64-production`, which does not list `a-1-1.noarch`";
    assert_eq!(notes, [words]);
    let (after, notes) = done(&after, &promote(&["a"]));
    assert_eq!(said(&after, PRODUCTION), file(&["perl:5: a b", "perl=5"]), "to the byte");
    assert_eq!((said(&after, DELTA), notes), (file(&["ruby:3: c", "ruby=3"]), vec![]));
}

#[test]
fn what_leaves_takes_its_lines_along_and_the_last_one_the_module() {
    let world = world_with(&["perl:5: a b", "ruby:3: c", "perl=5", "alien:1: z", "alien=1"]);
    let (after, notes) = done(&world, &withdraw("delta", &["a"]));
    assert_eq!(said(&after, DELTA), file(&["perl:5: b", "ruby:3: c", "perl=5", "alien:1: z", "alien=1"]));
    assert_eq!(
        notes,
        [
            "module `perl:5:1:c:x86_64` is cut in `glite-3.2-sl5-x86_64-delta`, which no longer lists `a-1-1.noarch`"
        ]
    );
    let (after, notes) = done(&after, &withdraw("delta", &["b"]));
    assert_eq!(said(&after, DELTA), file(&["ruby:3: c", "alien:1: z", "alien=1"]));
    assert_eq!(
        notes,
        [
            "module `perl:5:1:c:x86_64` leaves `glite-3.2-sl5-x86_64-delta`, which no longer lists `b-1-1.noarch`"
        ]
    );
}

#[test]
fn what_cannot_be_read_stays_and_the_answer_says_so() {
    for (at, beginning) in [(DELTA, "no module goes along from "), (PRODUCTION, "the modules of ")] {
        let mut world = world_with(&["perl:5: a"]);
        world.beside.entry(repository(at)).or_default().modules = Part::Read(Arc::from(&b"a: ["[..]));
        let (after, notes) = done(&world, &promote(&["a"]));
        assert_eq!(after.beside[&repository(at)], world.beside[&repository(at)]);
        assert!(notes.iter().any(|note| note.starts_with(beginning)), "{notes:?}");
    }
}
