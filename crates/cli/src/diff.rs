//! `sluice diff`: the packages that differ between two generations, repository by repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use plan::{Listed, Reference};
use serde::Serialize;

use crate::chronicle::Chronicle;
use crate::failure::Failure;
use crate::settings::{Settings, number_of};
use crate::terminal::{Paint, Terminal};

#[derive(Debug, Serialize)]
struct Difference {
    older: u64,
    newer: u64,
    repositories: BTreeMap<String, Sides>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Sides {
    entered: Vec<Listed>,
    left: Vec<Listed>,
}

/// Prints what `newer` lists and `older` does not, and the other way round.
pub fn run(
    settings: &Settings,
    older: &Reference,
    newer: &Reference,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let (_, store) = settings.store()?;
    let (older, newer) = (number_of(&store, older)?, number_of(&store, newer)?);
    let chronicle = Chronicle::of(store)?;
    let repositories = between(&chronicle.packages(older)?, &chronicle.packages(newer)?);
    let difference = Difference { older, newer, repositories };
    terminal.either(&difference, |paint| words(&difference, paint));
    Ok(0)
}

fn between(
    before: &BTreeMap<String, BTreeSet<Listed>>,
    after: &BTreeMap<String, BTreeSet<Listed>>,
) -> BTreeMap<String, Sides> {
    let nothing = BTreeSet::new();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut repositories = BTreeMap::new();
    for name in names {
        let (before, after) = (before.get(name).unwrap_or(&nothing), after.get(name).unwrap_or(&nothing));
        let sides = Sides {
            entered: after.difference(before).cloned().collect(),
            left: before.difference(after).cloned().collect(),
        };
        if !sides.entered.is_empty() || !sides.left.is_empty() {
            repositories.insert(name.clone(), sides);
        }
    }
    repositories
}

fn words(difference: &Difference, paint: Paint) -> String {
    let Difference { older, newer, repositories } = difference;
    if repositories.is_empty() {
        return format!("@{older} and @{newer} list the same packages\n");
    }
    let mut text = String::new();
    for (name, sides) in repositories {
        let _ = writeln!(text, "{}", paint.bold(name));
        for package in &sides.left {
            let _ = writeln!(text, "  {}", paint.red(&format!("- {}", package.nevra)));
        }
        for package in &sides.entered {
            let _ = writeln!(text, "  {}", paint.green(&format!("+ {}", package.nevra)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(nevra: &str) -> Listed {
        let pkgid = repo::sha256(nevra.as_bytes());
        plan::ListedPackage { nevra: nevra.parse().unwrap(), pkgid, size: 1, source_rpm: String::new() }
            .into()
    }

    fn lists(names: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<Listed>> {
        names
            .iter()
            .map(|(name, list)| ((*name).to_owned(), list.iter().map(|nevra| listed(nevra)).collect()))
            .collect()
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = lists(&[
            ("a", &["x-1-1.noarch", "y-1-1.noarch"]),
            ("gone", &["z-1-1.noarch"]),
            ("same", &["s-1-1.noarch"]),
        ]);
        let after =
            lists(&[("a", &["x-2-1.noarch", "y-1-1.noarch"]), ("new", &[]), ("same", &["s-1-1.noarch"])]);
        let difference = Difference { older: 3, newer: 4, repositories: between(&before, &after) };
        assert_eq!(
            words(&difference, Paint::PLAIN),
            "a\n  - x-1-1.noarch\n  + x-2-1.noarch\ngone\n  - z-1-1.noarch\n"
        );
        let difference = Difference { older: 3, newer: 3, repositories: between(&after, &after) };
        assert_eq!(words(&difference, Paint::PLAIN), "@3 and @3 list the same packages\n");
    }
}
