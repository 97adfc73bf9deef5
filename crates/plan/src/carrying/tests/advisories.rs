//! Advisories.

use super::*;
use crate::request::{Action, Reference};
use crate::samples::{promote, withdraw, words, world_of};
use crate::world::Listed;

/// Writes advisories: `A v2: p-1-1.noarch q-1-1.noarch`, each a line.
pub(super) fn file(lines: &[&str]) -> String {
    let one = |line: &&str| {
        let (head, packages) = line.split_once(':').unwrap();
        let (id, version) = head.split_once(" v").unwrap_or((head, "1"));
        let package = |text: &str| {
            let nevra: nevra::Nevra = text.parse().unwrap();
            let evr = &nevra.evr;
            format!(
                "\n<package name=\"{}\" epoch=\"{}\" version=\"{}\" release=\"{}\" arch=\"{}\"/>",
                nevra.name, evr.epoch, evr.version, evr.release, nevra.arch
            )
        };
        let packages: String = packages.split_whitespace().map(package).collect();
        format!(
            "<update version=\"{version}\"><id>{id}</id><severity>Important</severity>\
             <pkglist><collection>{packages}</collection></pkglist></update>"
        )
    };
    format!("<updates>{}</updates>", lines.iter().map(one).collect::<String>())
}

/// Shows what a repository says in the same words.
pub(super) fn said(world: &World, at: &str) -> Vec<String> {
    let Some(Part::Read(open)) = world.beside.get(&repository(at)).map(|beside| &beside.updates) else {
        return Vec::new();
    };
    let read = repo::Updateinfo::parse(open).unwrap();
    let one = |one: &repo::Advisory| {
        let version = if one.version() == "1" { String::new() } else { format!(" v{}", one.version()) };
        let mut packages: Vec<String> = one.packages().map(ToString::to_string).collect();
        packages.sort();
        format!("{}{version}: {}", one.id, packages.join(" "))
    };
    read.advisories.iter().map(one).collect()
}

const DELTA: &str = "sl5/x86_64 delta";
const PRODUCTION: &str = "sl5/x86_64 production";

fn world_with(lines: &[&str]) -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
    says(&mut world, DELTA, lines);
    world
}

#[test]
fn an_advisory_goes_with_its_packages_and_comes_whole() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch other-1-1.i686", "C: c-1-1.noarch"]);
    let (after, notes) = done(&world, &promote(&["a", "b"]));
    assert_eq!(said(&after, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch other-1-1.i686"]);
    assert_eq!(said(&after, DELTA), ["C: c-1-1.noarch"]);
    assert_eq!(notes, Vec::<String>::new());
    let Some(Part::Read(open)) = after.beside.get(&repository(PRODUCTION)).map(|one| one.updates.clone())
    else {
        panic!("it says something")
    };
    let raw =
        repo::Updateinfo::parse(file(&["A: a-1-1.noarch b-1-1.noarch other-1-1.i686"]).as_bytes()).unwrap();
    assert_eq!(repo::Updateinfo::parse(&open).unwrap(), raw, "to the byte");
}

#[test]
fn one_of_which_only_some_go_is_cut_and_comes_together_again() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch"]);
    let (after, notes) = done(&world, &promote(&["b"]));
    assert_eq!(said(&after, PRODUCTION), ["A: b-1-1.noarch"]);
    assert_eq!(said(&after, DELTA), ["A: a-1-1.noarch"]);
    let expected =
        "advisory `A` is cut for `glite-3.2-sl5-x86_64-production`, which does not list `a-1-1.noarch`";
    assert_eq!(notes, [expected]);
    let (after, notes) = done(&after, &promote(&["a"]));
    assert_eq!(said(&after, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch"]);
    assert_eq!((said(&after, DELTA), notes), (vec![], vec![]));
}

#[test]
fn what_leaves_takes_its_lines_along_and_the_answer_says_so() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch", "B: b-1-1.noarch", "Z: z-1-1.noarch"]);
    let (after, notes) = done(&world, &withdraw("delta", &["b"]));
    assert_eq!(said(&after, DELTA), ["A: a-1-1.noarch", "Z: z-1-1.noarch"]);
    let expected = [
        "advisory `A` is cut in `glite-3.2-sl5-x86_64-delta`, which no longer lists `b-1-1.noarch`",
        "advisory `B` leaves `glite-3.2-sl5-x86_64-delta`, which no longer lists `b-1-1.noarch`",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn the_newer_writing_wins_where_both_stages_have_one() {
    let mut world = world_with(&["A v10: a-1-1.noarch"]);
    says(&mut world, PRODUCTION, &["O: o-1-1.noarch", "A v9: p-1-1.noarch"]);
    let (after, _) = done(&world, &promote(&["a"]));
    assert_eq!(said(&after, PRODUCTION), ["O: o-1-1.noarch", "A v10: a-1-1.noarch p-1-1.noarch"]);
    says(&mut world, PRODUCTION, &["A v11: p-1-1.noarch"]);
    let (after, _) = done(&world, &promote(&["a"]));
    assert_eq!(said(&after, PRODUCTION), ["A v11: a-1-1.noarch p-1-1.noarch"]);
}

#[test]
fn going_back_brings_what_was_said_then() {
    let a: Vec<Listed> = ["a-1-1.noarch", "b-1-1.noarch"].map(crate::samples::listed).to_vec();
    let mut world = world_of(&["sl5/x86_64 production: a-2-1.noarch b-1-1.noarch"]);
    says(&mut world, PRODUCTION, &["NEW: a-2-1.noarch", "A: b-1-1.noarch"]);
    let mut then = world_of(&[]).repositories;
    then.retain(|repository, _| repository.stage == "production");
    then.insert(repository(PRODUCTION), a.clone());
    world.past.insert(40, then);
    let beside = Beside {
        updates: Part::Read(Arc::from(file(&["A: a-1-1.noarch b-1-1.noarch"]).into_bytes())),
        ..Beside::default()
    };
    world.earlier.insert(
        repository(PRODUCTION),
        vec![Earlier { generation: 40, beside, listed: a, ..Earlier::default() }],
    );
    let request = Request::new(Action::Revert {
        product: "glite-3.2".into(),
        stage: "production".into(),
        generation: Reference::Number(40),
        platforms: words(&[]),
    });
    let (after, notes) = done(&world, &request);
    assert_eq!(said(&after, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch"]);
    let gone =
        "advisory `NEW` leaves `glite-3.2-sl5-x86_64-production`, which no longer lists `a-2-1.noarch`";
    assert_eq!(notes, [gone]);
}

#[test]
fn what_a_sibling_lists_is_there() {
    let mut world = world_of(&[
        "sl5/x86_64 delta: a-1-1.noarch",
        "sl5/x86_64 delta source: a-1-1.src",
        "sl5/x86_64 production:",
    ]);
    says(&mut world, DELTA, &["A: a-1-1.noarch a-1-1.src"]);
    let (after, notes) = done(&world, &promote(&["a"]));
    assert_eq!((said(&after, PRODUCTION), notes), (vec!["A: a-1-1.noarch a-1-1.src".to_owned()], vec![]));
}

#[test]
fn what_cannot_be_read_stays_and_the_answer_says_so() {
    for (at, beginning) in [(DELTA, "no advisory goes along from "), (PRODUCTION, "the advisories of ")] {
        let mut world = world_with(&["A: a-1-1.noarch"]);
        world.beside.entry(repository(at)).or_default().updates = Part::Read(Arc::from(&b"<updates>"[..]));
        let (after, notes) = done(&world, &promote(&["a"]));
        assert_eq!(after.beside[&repository(at)], world.beside[&repository(at)]);
        assert!(notes.iter().any(|note| note.starts_with(beginning)), "{notes:?}");
    }
}

#[test]
fn what_comes_from_outside_brings_nothing_and_retractions_stay_where_they_are() {
    let own = "retracted-glite-3.2-sl5-x86_64-delta-aaaaaaaaaaaa: a-1-1.noarch";
    let world = world_with(&[own, "A: a-1-1.noarch"]);
    let (after, _) = done(&world, &promote(&["a"]));
    assert_eq!(
        (said(&after, PRODUCTION), said(&after, DELTA)),
        (vec!["A: a-1-1.noarch".into()], vec![own.into()])
    );
}
