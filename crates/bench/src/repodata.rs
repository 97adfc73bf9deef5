//! What repodata of a plain directory costs: from scratch, and where some packages changed.
#![expect(clippy::disallowed_methods, reason = "makes and empties the directories that are measured")]

use std::fs;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

use crate::generate::{generate, place, write};
use crate::invention::invented;
use crate::table::Row;
use crate::usage::used_by;

/// What every repository here is invented from.
pub const SEED: u64 = 1;

/// A program that makes repodata.
#[derive(Clone, Debug)]
pub struct Maker {
    /// What the table calls it.
    pub name: String,
    /// How it is called, without arguments of createrepo_c.
    pub words: Vec<String>,
}

impl Maker {
    /// Where the repodata lies that it made from scratch.
    pub fn output(&self, work: &Utf8Path) -> Utf8PathBuf {
        work.join(format!("from scratch by {}", self.name))
    }

    pub fn command(&self, packages: &Utf8Path, output: &Utf8Path, more: &[&str]) -> Vec<String> {
        let options = ["--quiet", "--no-database", "--outputdir", output.as_str()];
        let words =
            options.into_iter().chain(more.iter().copied()).chain([packages.as_str()]).map(str::to_owned);
        self.words.iter().cloned().chain(words).collect()
    }
}

/// Measures all makers in alternation on a repository of so many packages.
pub fn rows(
    makers: &[Maker],
    work: &Utf8Path,
    packages: usize,
    changes: &[usize],
    rounds: usize,
) -> anyhow::Result<Vec<Row>> {
    let directory = directory_of(work, packages)?;
    let mut rows = measured(makers, rounds, |maker| {
        let output = emptied(&maker.output(work))?;
        used_by(&maker.command(&directory, &output, &[]))
    })?;
    for row in &mut rows {
        (row.task, row.packages, row.changed) = ("from scratch".into(), packages, packages);
    }
    for changed in changes.iter().copied().filter(|changed| *changed <= packages) {
        let mut updates: Vec<Row> = Vec::new();
        for round in 0..rounds {
            let now = changed_directory(work, &directory, (packages, changed), (round, rounds))?;
            let of_round = measured(makers, 1, |maker| {
                // Each begins with what it made itself.
                let output = emptied(&work.join("output"))?;
                copy(&maker.output(work).join("repodata"), &output.join("repodata"))?;
                used_by(&maker.command(&now, &output, &["--update"]))
            })?;
            match updates.is_empty() {
                true => updates = of_round,
                false => {
                    updates.iter_mut().zip(of_round).for_each(|(all, one)| all.rounds.extend(one.rounds));
                }
            }
            fs::remove_dir_all(&now).with_context(|| format!("failed to remove `{now}`"))?;
        }
        for row in &mut updates {
            (row.task, row.packages, row.changed) = ("--update".into(), packages, changed);
        }
        rows.extend(updates);
    }
    Ok(rows)
}

/// Measures each maker once a round, so that what else the machine does meets all of them.
fn measured(
    makers: &[Maker],
    rounds: usize,
    mut measure: impl FnMut(&Maker) -> anyhow::Result<crate::usage::Usage>,
) -> anyhow::Result<Vec<Row>> {
    let row = |maker: &Maker| Row {
        task: String::new(),
        packages: 0,
        changed: 0,
        program: maker.name.clone(),
        rounds: Vec::new(),
    };
    let mut rows: Vec<Row> = makers.iter().map(row).collect();
    for _ in 0..rounds {
        for (maker, row) in makers.iter().zip(&mut rows) {
            row.rounds.push(measure(maker)?);
        }
    }
    Ok(rows)
}

/// The packages of before, made once for all runs that use the same folder.
pub fn directory_of(work: &Utf8Path, packages: usize) -> anyhow::Result<Utf8PathBuf> {
    let directory = work.join(format!("packages-{packages}"));
    if !directory.is_dir() {
        // What was cut short is not taken for the whole.
        let begun = emptied(&work.join("begun"))?;
        generate(&begun, packages, SEED)?;
        fs::rename(&begun, &directory).with_context(|| format!("failed to name `{directory}`"))?;
    }
    Ok(directory)
}

/// The same with updates of some packages, scattered over all of it; files that did not change are the same files. Each round
/// updates others: what stands before the first that changed costs some less than what stands behind it.
pub fn changed_directory(
    work: &Utf8Path,
    before: &Utf8Path,
    (packages, changed): (usize, usize),
    (round, rounds): (usize, usize),
) -> anyhow::Result<Utf8PathBuf> {
    let now = emptied(&work.join("changed"))?;
    let step = packages / changed;
    let first = step * (2 * round + 1) / (2 * rounds);
    for number in 0..packages {
        let recipe = invented(SEED, number, 0);
        if number % step == first && number / step < changed {
            write(&now, &invented(SEED, number, 1))?;
            continue;
        }
        let (from, to) = (before.join(place(&recipe)), now.join(place(&recipe)));
        let linked = fs::create_dir_all(to.parent().unwrap_or(&now)).and_then(|()| fs::hard_link(&from, &to));
        linked.with_context(|| format!("failed to link `{to}`"))?;
    }
    Ok(now)
}

/// Copies the files of a directory.
pub fn copy(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    let copied = || {
        fs::create_dir(to)?;
        for file in from.read_dir_utf8()? {
            let file = file?;
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
        std::io::Result::Ok(())
    };
    copied().with_context(|| format!("failed to copy `{from}`"))
}

/// Gives each package of a directory a second name in another.
pub fn linked(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    let made = || {
        for letter in from.read_dir_utf8()? {
            let letter = letter?;
            let folder = to.join(letter.file_name());
            fs::create_dir_all(&folder)?;
            for file in letter.path().read_dir_utf8()? {
                let file = file?;
                fs::hard_link(file.path(), folder.join(file.file_name()))?;
            }
        }
        std::io::Result::Ok(())
    };
    made().with_context(|| format!("failed to link what lies in `{from}`"))
}

/// Makes a directory, or empties it.
pub fn emptied(directory: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let made = || {
        if directory.is_dir() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)
    };
    made().with_context(|| format!("failed to empty `{directory}`"))?;
    Ok(directory.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_changed_has_as_many_packages_and_only_those_updates() {
        let root = tempfile::tempdir().unwrap();
        let work = Utf8Path::from_path(root.path()).unwrap();
        let before = directory_of(work, 30).unwrap();
        let now = changed_directory(work, &before, (30, 4), (1, 3)).unwrap();
        let names = |directory: &Utf8Path| -> std::collections::BTreeSet<String> {
            let letters = directory.read_dir_utf8().unwrap();
            let files = letters.flat_map(|letter| letter.unwrap().path().read_dir_utf8().unwrap());
            files.map(|file| file.unwrap().file_name().to_owned()).collect()
        };
        let (before, now) = (names(&before), names(&now));
        assert_eq!((before.len(), now.len()), (30, 30));
        assert_eq!(now.difference(&before).count(), 4);
    }
}
