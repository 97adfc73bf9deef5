//! What can be installed and upgraded, by the crate `closure` and by libsolv.

mod changes;
mod cost;
mod differences;
mod oracle;
mod rollbacks;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use closure::{Change, Judgement, Package, Shelf};
use nevra::{Arch, Nevra};
use serde_json::{Value, json};

use worlds::{GOAL, Made};

/// The meta-packages among packages, of which no configuration names any.
fn metas<'a>(packages: impl IntoIterator<Item = &'a Package>) -> BTreeSet<Nevra> {
    let definition = metapackage::Definition::new([]);
    let is_one = |package: &&Package| {
        let paths = package.files.iter().map(|file| file.path.as_str());
        definition.has(&package.nevra.name, &package.requires, paths)
    };
    packages.into_iter().filter(is_one).map(|package| package.nevra.clone()).collect()
}

/// All that is made up at `after`, entering an empty target.
fn everything_enters(world: &Made) -> Change {
    change(world, &[], &world.after)
}

fn change(world: &Made, before: &[Package], after: &[Package]) -> Change {
    let names = |packages: &[Package]| packages.iter().map(|one| one.nevra.clone()).collect::<BTreeSet<_>>();
    let (old, new) = (names(before), names(after));
    Change {
        platform: Arch::new("x86_64"),
        target: Arc::new(Shelf::new("target", before.to_vec())),
        leave: old.difference(&new).cloned().collect(),
        enter: after.iter().filter(|one| !old.contains(&one.nevra)).cloned().collect(),
        context: vec![Arc::new(Shelf::new("context", world.context.clone()))],
        beside: vec![],
        elsewhere: vec![],
        meta_packages: metas(before.iter().chain(after)),
        install_only: BTreeSet::new(),
        goes_back: false,
    }
}

/// The packages that cannot be installed, with the reasons.
fn not_installable(judgement: &Judgement) -> BTreeMap<Nevra, String> {
    let of_install = judgement.broken.iter().filter(|finding| {
        matches!(finding.check, closure::Check::Enters | closure::Check::Fresh | closure::Check::Stays)
    });
    of_install.map(|finding| (finding.subject.clone(), finding.words.clone())).collect()
}

fn how_many(slice: u64) -> u64 {
    if std::env::var_os("SLUICE_THOROUGH").is_some() { slice * 50 } else { slice }
}

fn is_special(world: &Made) -> bool {
    let of_goal = world.after.iter().chain(&world.context);
    of_goal.into_iter().any(|package| {
        let special = |name: &str| name.starts_with(['(', '/']);
        !package.obsoletes.is_empty()
            || package.requires.iter().chain(&package.conflicts).any(|one| special(&one.name))
    })
}

/// Leaves out of a world whatever the difference does not need.
fn shrunk(world: &Made, differs: &dyn Fn(&[Made]) -> Option<usize>) -> Made {
    let mut small = world.clone();
    loop {
        let mut smaller = Vec::new();
        for at in 0..small.after.len() {
            let mut without = small.clone();
            without.after.remove(at);
            smaller.push(without);
        }
        for at in 0..small.before.len() {
            let mut without = small.clone();
            without.before.remove(at);
            smaller.push(without);
        }
        for at in 0..small.context.len() {
            let mut without = small.clone();
            without.context.remove(at);
            smaller.push(without);
        }
        for at in 0..small.after.len() {
            let one = &small.after[at];
            let parts = [
                one.requires.len(),
                one.conflicts.len(),
                one.obsoletes.len(),
                one.provides.len(),
                one.files.len(),
            ];
            for (part, count) in parts.into_iter().enumerate() {
                for index in 0..count {
                    let mut without = small.clone();
                    let one = &mut without.after[at];
                    match part {
                        0 => drop(one.requires.remove(index)),
                        1 => drop(one.conflicts.remove(index)),
                        2 => drop(one.obsoletes.remove(index)),
                        3 => drop(one.provides.remove(index)),
                        _ => drop(one.files.remove(index)),
                    }
                    smaller.push(without);
                }
            }
        }
        match differs(&smaller) {
            Some(next) => small = smaller.swap_remove(next),
            None => return small,
        }
    }
}

fn print(world: &Made) -> String {
    let mut text = String::new();
    for (place, packages) in [("before", &world.before), ("after", &world.after), ("context", &world.context)]
    {
        for package in packages {
            text.push_str(&format!("{place}: {}", package.nevra));
            let parts = [
                ("provides", &package.provides),
                ("requires", &package.requires),
                ("conflicts", &package.conflicts),
                ("obsoletes", &package.obsoletes),
            ];
            for (word, all) in parts {
                all.iter().for_each(|one| text.push_str(&format!(" | {word} {one}")));
            }
            package.files.iter().for_each(|file| text.push_str(&format!(" | {}", file.path)));
            text.push('\n');
        }
    }
    text
}

#[test]
fn what_libsolv_cannot_install_is_never_called_installable() {
    let count = how_many(60);
    let folder = tempfile::tempdir().unwrap();
    let made: Vec<Made> = (0..count).map(worlds::world).collect();
    let folders: Vec<PathBuf> = (0..count).map(|seed| folder.path().join(seed.to_string())).collect();
    for (world, folder) in made.iter().zip(&folders) {
        oracle::write(folder, world);
    }
    let paths: Vec<_> = folders.iter().map(PathBuf::as_path).collect();
    let answers = oracle::installable(&paths);
    let (mut asked, mut refused, mut special, mut goals_refused) = (0, 0, 0, 0);
    let (mut too_kind, mut too_strict) = (Vec::new(), Vec::new());
    for ((seed, world), answer) in made.iter().enumerate().zip(&answers) {
        let judgement = closure::judge(&everything_enters(world));
        let ours = not_installable(&judgement);
        special += usize::from(is_special(world));
        for package in &world.after {
            let theirs = &answer[&package.nevra.to_string()];
            asked += 1;
            refused += usize::from(!theirs.is_empty());
            goals_refused += usize::from(package.nevra.name == GOAL && !theirs.is_empty());
            match (ours.get(&package.nevra), theirs.as_slice()) {
                (None, [first, ..]) => too_kind.push((seed, package.nevra.clone(), first.clone())),
                (Some(words), []) => too_strict.push((seed, package.nevra.clone(), words.clone())),
                _ => {}
            }
        }
    }
    let small = |(seed, subject, words): &(usize, Nevra, String), kind: bool| {
        let differs = |worlds: &[Made]| {
            let folder = tempfile::tempdir().unwrap();
            let folders: Vec<_> = (0..worlds.len()).map(|at| folder.path().join(at.to_string())).collect();
            worlds.iter().zip(&folders).for_each(|(world, folder)| oracle::write(folder, world));
            let paths: Vec<_> = folders.iter().map(PathBuf::as_path).collect();
            let answers = oracle::installable(&paths);
            worlds.iter().zip(answers).position(|(world, answer)| {
                let Some(theirs) = answer.get(&subject.to_string()) else { return false };
                let ours = not_installable(&closure::judge(&everything_enters(world)));
                let (refused, ours_too) = (!theirs.is_empty(), ours.contains_key(subject));
                refused != ours_too && refused == kind
            })
        };
        let world = shrunk(&made[*seed], &differs);
        format!("world {seed}, {subject}: {words}\n{}", print(&world))
    };
    println!(
        "{count} worlds, {goals_refused} whose goal libsolv does not install, {special} with obsoletes, rich or file \
         dependencies; {asked} packages asked, {refused} refused; too strict {}, too kind {}",
        too_strict.len(),
        too_kind.len()
    );
    for one in too_strict.iter().take(5) {
        println!("too strict: {}", small(one, false));
    }
    assert!(
        too_kind.is_empty(),
        "{}",
        too_kind.iter().take(3).map(|one| small(one, true)).collect::<String>()
    );
    assert!(goals_refused * 10 >= count as usize * 3, "only {goals_refused} goals cannot be installed");
    assert!(special * 10 >= count as usize * 2, "only {special} worlds are special");
    let strict: BTreeSet<_> = too_strict.iter().map(|(seed, ..)| seed).collect();
    assert!(strict.len() * 50 <= count as usize, "{} worlds are judged too strictly", strict.len());
}

#[test]
fn a_host_takes_every_update_where_libsolv_says_so() {
    let count = how_many(60);
    let folder = tempfile::tempdir().unwrap();
    let made: Vec<Made> = (0..count).map(worlds::world).collect();
    let folders: Vec<PathBuf> = (0..count).map(|seed| folder.path().join(seed.to_string())).collect();
    for (world, folder) in made.iter().zip(&folders) {
        oracle::write(folder, world);
    }
    let wanted = format!("{GOAL}-1-1.noarch");
    let hosts = folders.iter().map(|folder| json!({ "ask": "host", "folder": folder, "wanted": wanted }));
    let hosts = oracle::ask(&hosts.collect::<Vec<_>>());
    let mut asked = Vec::new();
    for (seed, host) in hosts.iter().enumerate() {
        let Value::Array(names) = host else { continue };
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        let there = made[seed].before.iter().chain(&made[seed].context);
        let host: Vec<Package> =
            there.filter(|package| names.contains(&&*package.nevra.to_string())).cloned().collect();
        assert_eq!(host.len(), names.len(), "world {seed}");
        oracle::write_repository(&folders[seed].join("host"), &host);
        asked.push((seed, host));
    }
    let questions = asked.iter().map(|(seed, _)| json!({ "ask": "upgrade", "folder": folders[*seed] }));
    let answers = oracle::ask(&questions.collect::<Vec<_>>());
    let (mut refused, mut too_kind, mut too_strict) = (0, Vec::new(), Vec::new());
    for ((seed, host), answer) in asked.iter().zip(&answers) {
        let world = &made[*seed];
        let theirs: Vec<String> = serde_json::from_value(answer.clone()).unwrap();
        let ours = closure::upgrade(&change(world, &world.before, &world.after), host);
        refused += usize::from(!theirs.is_empty());
        let shown = || {
            let host: Vec<String> = host.iter().map(|one| one.nevra.to_string()).collect();
            format!("world {seed}, host {host:?}\n{}", print(world))
        };
        match (&ours, theirs.as_slice()) {
            (None, [_, ..]) => too_kind.push(format!("{theirs:?}\n{}", shown())),
            (Some((words, _)), []) => too_strict.push(format!("{words}\n{}", shown())),
            _ => {}
        }
    }
    println!(
        "{} of {count} hosts upgraded, {refused} refused by libsolv; too strict {}, too kind {}",
        asked.len(),
        too_strict.len(),
        too_kind.len()
    );
    too_strict.iter().take(2).for_each(|one| println!("too strict: {one}"));
    assert!(too_kind.is_empty(), "{}", too_kind[..too_kind.len().min(2)].join("\n"));
    assert!(refused * 10 >= asked.len(), "only {refused} of {} hosts cannot be upgraded", asked.len());
    assert!(too_strict.len() * 50 <= asked.len(), "{} are judged too strictly", too_strict.len());
}
