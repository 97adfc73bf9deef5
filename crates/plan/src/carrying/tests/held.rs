//! Advisories that wait in front of a stage.

use super::advisories::{file, said};
use super::*;
use crate::layout::{Route, Stage, Versions};
use crate::plan::Change;
use crate::request::{Action, Reference};
use crate::samples::{layout, listed, promote, repository, withdraw, words, world_of};

const DELTA: &str = "sl5/x86_64 delta";
const PRODUCTION: &str = "sl5/x86_64 production";

/// A world whose `production` has advisories wait, with these in `delta`, which lists `a`, `b` and `c`.
fn world_with(lines: &[&str]) -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
    says(&mut world, DELTA, lines);
    let mut layout = layout();
    layout.products.get_mut("glite-3.2").unwrap().stages[1].holds_advisories = true;
    world.layout = Arc::new(layout);
    world
}

/// Shows what waits in front of a repository, and for what.
fn waiting(world: &World, at: &str) -> Vec<String> {
    let held = world.standing.held.get(&repository(at).name()).into_iter().flatten();
    let names =
        |one: &HeldAdvisory| one.waits_for.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    held.map(|(id, one)| format!("{id}: {}", names(one))).collect()
}

/// Makes a plan of its own: packages enter and leave, whatever asked for it.
fn moved(world: &World, action: &str, moves: &[(&str, &[&str], &[&str])]) -> (World, Vec<String>) {
    let all = |texts: &[&str]| texts.iter().map(|text| listed(text)).collect::<Vec<_>>();
    let change = |(at, enter, leave): &(&str, &[&str], &[&str])| {
        let repository = repository(at);
        let change = Change::of(&world.repositories[&repository], all(enter), all(leave)).unwrap();
        (repository, change)
    };
    let changes = moves.iter().map(change).collect();
    let mut plan = Plan { action: action.into(), changes, ..Plan::default() };
    carry(world, &mut plan);
    let mut after = world.clone();
    after.apply(&plan);
    (after, plan.notes)
}

const HELD: &str =
    "advisory `A` is held in front of `glite-3.2-sl5-x86_64-production` until that lists `a-1-1.noarch`, too";
const NO_MORE: &str =
    "advisory `A` is held in front of `glite-3.2-sl5-x86_64-production` no more, which lists nothing of it";

#[test]
fn one_that_is_held_comes_with_what_completes_it() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch other-1-1.i686"]);
    let (after, notes) = done(&world, &promote(&["b"]));
    assert_eq!(said(&after, PRODUCTION), Vec::<String>::new());
    assert_eq!(said(&after, DELTA), ["A: a-1-1.noarch other-1-1.i686"], "it says what is there");
    assert_eq!((waiting(&after, PRODUCTION), notes), (vec!["A: a-1-1.noarch".into()], vec![HELD.into()]));
    let (whole, notes) = done(&after, &promote(&["a"]));
    assert_eq!(said(&whole, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch other-1-1.i686"]);
    assert_eq!((said(&whole, DELTA), waiting(&whole, PRODUCTION), notes), (vec![], vec![], vec![]));
    let Some(Part::Read(open)) = whole.beside.get(&repository(PRODUCTION)).map(|one| one.updates.clone())
    else {
        panic!("it says something")
    };
    let raw = file(&["A: a-1-1.noarch b-1-1.noarch other-1-1.i686"]);
    let element = raw.trim_start_matches("<updates>").trim_end_matches("</updates>");
    assert!(String::from_utf8_lossy(&open).contains(element), "with every word");
}

#[test]
fn it_waits_through_an_overlap_and_comes_by_whatever_way() {
    let mut world = world_with(&["A: a-1-1.noarch b-1-1.noarch"]);
    let mut layout = (*world.layout).clone();
    layout.products.get_mut("glite-3.2").unwrap().routes[0].overlap = jiff::SignedDuration::from_hours(1);
    world.layout = Arc::new(layout);
    let (after, notes) = done(&world, &promote(&["b"]));
    assert_eq!((waiting(&after, PRODUCTION), notes), (vec!["A: a-1-1.noarch".into()], vec![HELD.into()]));
    assert_eq!(said(&after, DELTA), ["A: a-1-1.noarch b-1-1.noarch"], "both are listed still");
    let (over, notes) = moved(&after, "overlap", &[(DELTA, &[], &["b-1-1.noarch"])]);
    assert_eq!(said(&over, DELTA), ["A: a-1-1.noarch"]);
    assert_eq!(
        notes,
        ["advisory `A` is cut in `glite-3.2-sl5-x86_64-delta`, which no longer lists `b-1-1.noarch`"]
    );
    let (promoted, _) = done(&over, &promote(&["a"]));
    let (imported, _) = moved(&over, "import", &[(PRODUCTION, &["a-1-1.noarch"], &[])]);
    for whole in [promoted, imported] {
        assert_eq!(said(&whole, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch"]);
        assert_eq!(waiting(&whole, PRODUCTION), Vec::<String>::new());
    }
}

#[test]
fn it_comes_without_what_is_withdrawn_and_goes_with_the_last_that_is_there() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
    let (after, _) = done(&world, &promote(&["b"]));
    for action in ["withdraw", "rollback", "purge"] {
        let (one_less, notes) = moved(&after, action, &[(DELTA, &[], &["c-1-1.noarch"])]);
        assert_eq!(waiting(&one_less, PRODUCTION), ["A: a-1-1.noarch"]);
        assert!(notes.contains(&HELD.to_owned()), "{notes:?}");
        let (come, notes) = moved(&one_less, action, &[(DELTA, &[], &["a-1-1.noarch"])]);
        assert_eq!(said(&come, PRODUCTION), ["A: b-1-1.noarch"]);
        assert_eq!((said(&come, DELTA), waiting(&come, PRODUCTION)), (vec![], vec![]));
        let words =
            "advisory `A` is cut for `glite-3.2-sl5-x86_64-production`, which will not list `a-1-1.noarch`";
        assert!(notes.contains(&words.to_owned()), "{notes:?}");
    }
    let (withdrawn, notes) = done(&after, &withdraw("production", &["b"]));
    assert_eq!((waiting(&withdrawn, PRODUCTION), notes), (vec![], vec![NO_MORE.to_owned()]));
    assert_eq!(withdrawn.standing.held.len(), 0);
    // What went ahead and was withdrawn is named nowhere.
    let (rest, _) = done(&withdrawn, &promote(&["a", "c"]));
    assert_eq!(said(&rest, PRODUCTION), ["A: a-1-1.noarch c-1-1.noarch"]);
}

#[test]
fn what_a_partial_release_makes_anew_is_not_waited_for() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch"]);
    let moves: [(&str, &[&str], &[&str]); 2] = [
        (PRODUCTION, &["b-1-1.noarch", "a-1-1.1.noarch"], &[]),
        (DELTA, &["a-1-1.1.noarch"], &["b-1-1.noarch", "a-1-1.noarch"]),
    ];
    let (both, notes) = moved(&world, "promote", &moves);
    assert_eq!(
        (said(&both, PRODUCTION), waiting(&both, PRODUCTION)),
        (vec!["A: b-1-1.noarch".into()], vec![])
    );
    assert!(notes.iter().any(|note| note.ends_with("does not list `a-1-1.noarch`")), "{notes:?}");
    // In the target alone: the whole one may follow.
    let moves: [(&str, &[&str], &[&str]); 2] =
        [(PRODUCTION, &["b-1-1.noarch", "a-1-1.1.noarch"], &[]), (DELTA, &[], &["b-1-1.noarch"])];
    let (target, _) = moved(&world, "promote", &moves);
    assert_eq!(waiting(&target, PRODUCTION), ["A: a-1-1.noarch"]);
    let whole: [(&str, &[&str], &[&str]); 2] =
        [(PRODUCTION, &["a-1-1.noarch"], &["a-1-1.1.noarch"]), (DELTA, &[], &["a-1-1.noarch"])];
    let (whole, _) = moved(&target, "promote", &whole);
    assert_eq!(said(&whole, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch"]);
}

#[test]
fn it_waits_for_any_stage_of_the_line_and_goes_on_from_where_it_waits() {
    let mut world = world_with(&["A: a-1-1.noarch b-1-1.noarch"]);
    let mut layout = (*world.layout).clone();
    let product = layout.products.get_mut("glite-3.2").unwrap();
    let path = product.stages[1].path.clone();
    product.stages.push(Stage { name: "last".into(), path, versions: Versions::All, ..Stage::default() });
    let route = Route { from: "production".into(), to: "last".into(), ..product.routes[0].clone() };
    product.routes.push(route);
    let last = Repository { stage: "last".into(), ..repository(DELTA) };
    world.repositories.insert(last.clone(), vec![]);
    let on = |request: Request| {
        let Action::Promote { product, packages, platforms, partial, .. } = request.action else { panic!() };
        let (from, to) = ("production".into(), "last".into());
        Request::new(Action::Promote { product, from, to, packages, platforms, partial })
    };
    for holds in [false, true] {
        layout.products.get_mut("glite-3.2").unwrap().stages[2].holds_advisories = holds;
        world.layout = Arc::new(layout.clone());
        let (first, _) = done(&world, &promote(&["b"]));
        let (gone_on, notes) = done(&first, &on(promote(&["b"])));
        assert_eq!(waiting(&gone_on, PRODUCTION), Vec::<String>::new(), "nothing of it is there");
        let there = |world: &World| {
            let mut shown = world.clone();
            let beside = shown.beside.remove(&last).unwrap_or_default();
            shown.beside.insert(repository(PRODUCTION), beside);
            (said(&shown, PRODUCTION), world.standing.held.contains_key(&last.name()))
        };
        match holds {
            true => assert_eq!(there(&gone_on), (vec![], true)),
            false => assert_eq!(there(&gone_on), (vec!["A: b-1-1.noarch".into()], false)),
        }
        assert_eq!(notes.iter().filter(|note| note.contains("last")).count(), 1, "{notes:?}");
        let (second, _) = done(&gone_on, &promote(&["a"]));
        assert_eq!(said(&second, PRODUCTION), ["A: a-1-1.noarch"]);
        assert_eq!(there(&second).1, holds, "it is not there yet");
        let (whole, notes) = done(&second, &on(promote(&["a"])));
        assert_eq!(there(&whole), (vec!["A: a-1-1.noarch b-1-1.noarch".into()], false));
        assert_eq!(notes, Vec::<String>::new());
    }
}

#[test]
fn a_new_writing_waits_in_the_place_of_the_old_one() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
    let (mut after, _) = done(&world, &promote(&["b"]));
    says(&mut after, DELTA, &["A v2: a-1-1.noarch c-1-1.noarch"]);
    let (after, _) = done(&after, &promote(&["c"]));
    assert_eq!(waiting(&after, PRODUCTION), ["A: a-1-1.noarch"]);
    let (whole, _) = done(&after, &promote(&["a"]));
    assert_eq!(said(&whole, PRODUCTION), ["A v2: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
}

/// Puts on record what `production` listed once, and what waited in front of it.
fn remember(world: &mut World, then: &World) {
    let at = repository(PRODUCTION);
    let earlier = Earlier {
        generation: 40,
        beside: Beside::default(),
        listed: then.repositories[&at].clone(),
        held: then.standing.held[&at.name()].clone(),
    };
    world.earlier.insert(at, vec![earlier]);
}

#[test]
fn going_back_brings_what_waited_then() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch"]);
    let (held, _) = done(&world, &promote(&["b"]));
    let (mut after, _) = done(&held, &withdraw("production", &["b"]));
    remember(&mut after, &held);
    let mut then = held.repositories.clone();
    then.retain(|repository, _| repository.stage == "production");
    after.past.insert(40, then);
    let request = Request::new(Action::Revert {
        product: "glite-3.2".into(),
        stage: "production".into(),
        generation: Reference::Number(40),
        platforms: words(&[]),
    });
    let (back, notes) = done(&after, &request);
    assert_eq!((waiting(&back, PRODUCTION), notes), (vec!["A: a-1-1.noarch".into()], vec![HELD.into()]));
    let (whole, _) = done(&back, &promote(&["a"]));
    assert_eq!(said(&whole, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch"]);
}

#[test]
fn what_waits_goes_where_the_stage_has_nothing_wait_any_more_and_stays_where_nothing_can_be_put() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch"]);
    let (after, _) = done(&world, &promote(&["b"]));
    let mut cuts = after.clone();
    cuts.layout = Arc::new(layout());
    let (cut, _) = done(&cuts, &withdraw("delta", &["c"]));
    assert_eq!((said(&cut, PRODUCTION), waiting(&cut, PRODUCTION)), (vec!["A: b-1-1.noarch".into()], vec![]));
    let mut unread = after.clone();
    unread.beside.entry(repository(PRODUCTION)).or_default().updates =
        Part::Unread("for there are two".into());
    let (still, _) = done(&unread, &withdraw("delta", &["a"]));
    assert_eq!(waiting(&still, PRODUCTION), ["A: a-1-1.noarch"]);
}

#[test]
fn more_than_a_manifest_is_to_carry_does_not_wait() {
    let many: String = (0..30_000).map(|number| format!("p{number}-1-1.noarch ")).collect();
    let world = world_with(&[&format!("A: a-1-1.noarch b-1-1.noarch {many}")]);
    let (after, notes) = done(&world, &promote(&["b"]));
    assert_eq!(waiting(&after, PRODUCTION), Vec::<String>::new());
    assert!(said(&after, PRODUCTION)[0].starts_with("A: b-1-1.noarch p"));
    assert!(notes[0].contains("is not held in front of"), "{notes:?}");
    // What all wait for together has its bound, too.
    let mut world = world_with(&["A: a-1-1.noarch b-1-1.noarch"]);
    let text = " ".repeat(crate::HELD_BYTES_OF_ALL_MAX);
    let other = BTreeMap::from([("O".to_owned(), HeldAdvisory { waits_for: BTreeSet::new(), text })]);
    world.standing.held.insert(repository("sl5/i386 production").name(), other);
    let (after, notes) = done(&world, &promote(&["b"]));
    assert_eq!(
        (said(&after, PRODUCTION), waiting(&after, PRODUCTION)),
        (vec!["A: b-1-1.noarch".into()], vec![])
    );
    assert!(notes[0].contains("is not held in front of"), "{notes:?}");
}

#[test]
fn what_will_not_come_any_more_is_not_told() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch other-1-1.i686"]);
    let (after, _) = done(&world, &promote(&["b"]));
    let alone: [(&str, &[&str], &[&str]); 1] = [(PRODUCTION, &["d-1-1.noarch"], &[])];
    let told = ["A: b-1-1.noarch other-1-1.i686"];
    let cut = |words: &str| {
        format!("advisory `A` is cut for `glite-3.2-sl5-x86_64-production`, which {words} `a-1-1.noarch`")
    };
    // The stage has nothing wait any more.
    let mut cuts = after.clone();
    cuts.layout = Arc::new(layout());
    // No route leads to it any more.
    let mut routeless = after.clone();
    let mut layout = (*after.layout).clone();
    layout.products.get_mut("glite-3.2").unwrap().routes.clear();
    routeless.layout = Arc::new(layout);
    for (world, words) in [(cuts, "does not list"), (routeless, "will not list")] {
        let (come, notes) = moved(&world, "import", &alone);
        assert_eq!(
            (said(&come, PRODUCTION), waiting(&come, PRODUCTION)),
            (told.map(str::to_owned).to_vec(), vec![])
        );
        assert_eq!(notes, [cut(words)]);
    }
    // It was withdrawn while nothing could be put to what is told.
    let mut unread = after.clone();
    let beside = unread.beside.entry(repository(PRODUCTION)).or_default();
    let before = std::mem::replace(&mut beside.updates, Part::Unread("for there are two".into()));
    let (mut still, _) = done(&unread, &withdraw("delta", &["a"]));
    still.beside.entry(repository(PRODUCTION)).or_default().updates = before;
    let (come, notes) = moved(&still, "import", &alone);
    assert_eq!(
        (said(&come, PRODUCTION), waiting(&come, PRODUCTION)),
        (told.map(str::to_owned).to_vec(), vec![])
    );
    assert_eq!(notes, [cut("will not list")]);
}

#[test]
fn what_waited_then_comes_back_without_what_is_gone_since() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch c-1-1.noarch other-1-1.i686"]);
    let (held, _) = done(&world, &promote(&["b", "c"]));
    let (mut after, _) = done(&held, &withdraw("production", &["b", "c"]));
    remember(&mut after, &held);
    let (back, notes) = moved(&after, "undo", &[(PRODUCTION, &["b-1-1.noarch"], &[])]);
    let words =
        "advisory `A` is cut for `glite-3.2-sl5-x86_64-production`, which will not list `c-1-1.noarch`";
    assert_eq!(
        (waiting(&back, PRODUCTION), notes),
        (vec!["A: a-1-1.noarch".into()], vec![words.into(), HELD.into()])
    );
    let (whole, _) = done(&back, &promote(&["a"]));
    assert_eq!(said(&whole, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch other-1-1.i686"]);
}

#[test]
fn what_is_withdrawn_from_the_stage_itself_is_not_told_with_the_rest() {
    let world = world_with(&["A: a-1-1.noarch b-1-1.noarch c-1-1.noarch"]);
    let (held, _) = done(&world, &promote(&["b", "c"]));
    let (less, notes) = done(&held, &withdraw("production", &["c"]));
    let words =
        "advisory `A` is cut for `glite-3.2-sl5-x86_64-production`, which will not list `c-1-1.noarch`";
    assert_eq!((waiting(&less, PRODUCTION), notes), (vec!["A: a-1-1.noarch".into()], vec![words.into()]));
    let (whole, _) = done(&less, &promote(&["a"]));
    assert_eq!(said(&whole, PRODUCTION), ["A: a-1-1.noarch b-1-1.noarch"]);
}
