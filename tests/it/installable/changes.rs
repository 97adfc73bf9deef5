//! The way the gate goes: a target that packages enter and leave, judged as one change, against what libsolv can install
//! before it and what it can install after it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use closure::{Beside, Change, Package};
use fastrand::Rng;
use nevra::Nevra;
use serde::Deserialize;
use serde_json::json;

use super::worlds::{self, GOAL, Made};
use super::{change, how_many, not_installable, oracle, print, shrunk};

/// What libsolv says of a world, by package: what is in the way, nothing if it can be installed.
#[derive(Deserialize)]
struct Told {
    before: BTreeMap<String, Vec<String>>,
    after: BTreeMap<String, Vec<String>>,
    /// What was offered before the change and is no longer, of all that a package needs.
    lost: BTreeMap<String, Vec<String>>,
}

/// A way to differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// The change breaks it, and it is not among what is broken.
    TooKind,
    /// It can be installed after the change, and it is among what is broken.
    TooStrict,
    /// It was broken before and the change takes away what it needs, and that is not told.
    Unblamed,
    /// It was broken before and the change takes nothing away, and the change is blamed.
    Blamed,
}

/// A world whose meta-package is followed by another, stays, or stays beside a newer one. Of each three, two have all
/// packages that there are in the target, of which more leave and fewer enter.
fn changing(seed: u64) -> Made {
    let mut world = worlds::world(seed);
    let is_goal = |package: &Package| package.nevra.name == GOAL;
    let goal = world.before.iter().find(|package| is_goal(package)).cloned().unwrap();
    let newer = world.after.iter().find(|package| is_goal(package)).cloned().unwrap();
    world.before.retain(|package| !is_goal(package));
    world.after.retain(|package| !is_goal(package));
    if !(seed / 3).is_multiple_of(3) {
        let mut rng = Rng::with_seed(seed);
        let fresh: Vec<_> = world.after.drain(..).filter(|new| !world.before.contains(new)).collect();
        let all: Vec<_> = world.before.drain(..).chain(fresh).collect();
        let wanted: BTreeSet<&str> =
            all.iter().flat_map(|one| one.requires.iter().map(|required| &*required.name)).collect();
        for package in &all {
            // What is needed leaves more often.
            let mut names =
                package.provides.iter().map(|provided| &*provided.name).chain([&*package.nevra.name]);
            let leaving = if names.any(|name| wanted.contains(name)) { 45 } else { 10 };
            let fate = rng.u8(..100);
            world.before.extend((fate < 85).then(|| package.clone()));
            world.after.extend((fate >= leaving).then(|| package.clone()));
        }
    }
    world.before.push(goal.clone());
    match seed % 3 {
        0 => world.after.push(newer),
        1 => world.after.push(goal),
        _ => world.after.extend([goal, newer]),
    }
    world
}

/// The same with one package behind one name, also where something was left out of it after the change.
fn in_step(world: &Made) -> Made {
    let mut world = world.clone();
    for old in &mut world.before {
        if let Some(new) = world.after.iter().find(|new| new.nevra == old.nevra) {
            old.clone_from(new);
        }
    }
    world
}

fn told(worlds: &[Made]) -> Vec<Told> {
    let folder = tempfile::tempdir().unwrap();
    let folders: Vec<PathBuf> = (0..worlds.len()).map(|at| folder.path().join(at.to_string())).collect();
    worlds.iter().zip(&folders).for_each(|(world, folder)| oracle::write(folder, world));
    let questions: Vec<_> =
        folders.iter().map(|folder| json!({ "ask": "change", "folder": folder })).collect();
    let answers = oracle::ask(&questions);
    answers.into_iter().map(|answer| serde_json::from_value(answer).unwrap()).collect()
}

/// What was counted of some worlds.
#[derive(Default)]
struct Count {
    enter: usize,
    stay: usize,
    /// Of what stays: broken by the change.
    broken: usize,
    /// Of what stays: broken before and after, with something more taken away, and without.
    worse: usize,
    as_before: usize,
}

/// Whether a package lies in the second of two stages.
fn is_second(name: &str) -> bool {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish().is_multiple_of(2)
}

/// Whether a package moves to the other stage with the change.
fn moves(nevra: &Nevra) -> bool {
    nevra.name != GOAL && is_second(&nevra.to_string()) && is_second(&format!("{nevra} moves"))
}

/// The packages that the judgement of a change names. If they lie in two stages from which hosts draw together, each is judged
/// beside the other.
fn judged(world: &Made, stages: usize) -> BTreeMap<Nevra, String> {
    if stages == 1 {
        return not_installable(&closure::judge(&change(world, &world.before, &world.after)));
    }
    let split = |packages: &[Package], is_after: bool| {
        let (second, first): (Vec<_>, Vec<_>) = packages
            .iter()
            .cloned()
            .partition(|package| is_second(&package.nevra.name) != (is_after && moves(&package.nevra)));
        [first, second]
    };
    let [before, after] = [split(&world.before, false), split(&world.after, true)];
    let both = [0, 1].map(|stage| change(world, &before[stage], &after[stage]));
    let beside = |stage: usize| {
        let Change { target, leave, enter, .. } = both[1 - stage].clone();
        Beside { shelf: target, leave, enter }
    };
    let judge = |stage: usize| {
        not_installable(&closure::judge(&Change { beside: vec![beside(stage)], ..both[stage].clone() }))
    };
    judge(0).into_iter().chain(judge(1)).collect()
}

/// Where the judgement of the change and libsolv differ.
fn differences(
    world: &Made,
    stages: usize,
    told: &Told,
    count: &mut Count,
) -> Vec<(Difference, Nevra, String)> {
    let broken = judged(world, stages);
    let mut found = Vec::new();
    for package in &world.after {
        let nevra = &package.nevra;
        let name = nevra.to_string();
        let ours = broken.get(nevra);
        let now = &told.after[&name];
        let mut differs = |kind, words: &str| found.push((kind, nevra.clone(), words.to_owned()));
        // Of what moves to another stage nothing is excused either.
        let was = told.before.get(&name).filter(|_| stages == 1 || !moves(nevra));
        let Some(was) = was else {
            count.enter += 1;
            match (ours, now.as_slice()) {
                (None, [first, ..]) => differs(Difference::TooKind, first),
                (Some(words), []) => differs(Difference::TooStrict, words),
                _ => {}
            }
            continue;
        };
        count.stay += 1;
        match (ours, was.is_empty(), now.as_slice()) {
            (Some(words), _, []) => differs(Difference::TooStrict, words),
            (_, _, []) => {}
            (ours, true, [first, ..]) => {
                count.broken += 1;
                if ours.is_none() {
                    differs(Difference::TooKind, first);
                }
            }
            (ours, false, _) => {
                let lost = &told.lost[&name];
                *if lost.is_empty() { &mut count.as_before } else { &mut count.worse } += 1;
                match (ours, lost.as_slice()) {
                    (None, [first, ..]) => {
                        differs(Difference::Unblamed, &format!("{first} is no longer offered"))
                    }
                    (Some(words), []) => differs(Difference::Blamed, words),
                    (Some(words), _) if !words.contains("; and it was broken before: ") => {
                        differs(Difference::Blamed, words);
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

#[test]
fn what_a_change_breaks_by_libsolv_the_judgement_of_the_change_names() {
    let made: Vec<Made> = (0..how_many(60)).map(changing).collect();
    // Every other world lies in two stages.
    let stages = |seed: usize| 1 + seed % 2;
    let mut count = Count::default();
    let mut found = Vec::new();
    for (seed, (world, told)) in made.iter().zip(told(&made)).enumerate() {
        let differences = differences(world, stages(seed), &told, &mut count);
        found.extend(differences.into_iter().map(|(kind, subject, words)| (seed, kind, subject, words)));
    }
    let of = |wanted: Difference| found.iter().filter(move |(_, kind, ..)| *kind == wanted);
    let number = |kind: Difference| of(kind).count();
    println!(
        "{} worlds; {} packages enter, {} stay; of those that stay the change breaks {}, {} were broken and lose more, \
         {} were broken and lose nothing; too kind {}, too strict {}, not blamed {}, blamed wrongly {}",
        made.len(),
        count.enter,
        count.stay,
        count.broken,
        count.worse,
        count.as_before,
        number(Difference::TooKind),
        number(Difference::TooStrict),
        number(Difference::Unblamed),
        number(Difference::Blamed),
    );
    let small = |(seed, kind, subject, words): &(usize, Difference, Nevra, String)| {
        let differs = |worlds: &[Made]| {
            let worlds: Vec<Made> = worlds.iter().map(in_step).collect();
            worlds.iter().zip(told(&worlds)).position(|(world, told)| {
                let found = differences(world, stages(*seed), &told, &mut Count::default());
                found.iter().any(|(one, other, _)| (one, other) == (kind, subject))
            })
        };
        let world = in_step(&shrunk(&made[*seed], &differs));
        format!("{kind:?}: world {seed}, {subject}: {words}\n{}", print(&world))
    };
    for (seed, _, subject, words) in of(Difference::TooStrict).take(20) {
        println!("too strict: world {seed}, {subject}: {words}");
    }
    for (seed, _, subject, words) in of(Difference::TooKind).take(20) {
        println!("too kind: world {seed}, {subject}: {words}");
    }
    let wrong: Vec<_> = [Difference::TooKind, Difference::Unblamed].into_iter().flat_map(of).collect();
    assert!(wrong.is_empty(), "{}", wrong.iter().take(3).map(|one| small(one)).collect::<String>());
    let strict: BTreeSet<_> = of(Difference::TooStrict).map(|(seed, ..)| seed).collect();
    assert!(strict.len() * 50 <= made.len(), "{} worlds are judged too strictly", strict.len());
    // It was broken before for another reason than we say.
    assert!(
        number(Difference::Blamed) * 50 <= count.as_before,
        "{} are blamed wrongly",
        number(Difference::Blamed)
    );
    for (what, number) in [("broken", count.broken), ("worse", count.worse), ("as before", count.as_before)] {
        assert!(number * 10 >= made.len(), "only {number} packages that stay are {what}");
    }
}
