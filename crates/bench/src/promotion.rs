//! What a promotion costs the daemon, from request to answer, beside `createrepo_c --update` over the same packages.
#![expect(clippy::disallowed_methods, reason = "lays out packages")]

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;

use crate::invention::invented;
use crate::repodata::{Maker, SEED, changed_directory, copy, directory_of, emptied, linked};
use crate::site::Site;
use crate::table::Row;
use crate::usage::{Usage, used_by};

/// A site with one large stage and one that promotions come from.
const CONFIG: &str = r#"format = 1
[site]
name = "Bench"
base_url = "http://127.0.0.1:1"
root = "WORK/root"
spool = "WORK/spool"
grace = "0s"
[roles]
admin = ["uid:ME"]
release-team = ["uid:ME"]
[[product]]
name = "bench"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "testing"
import_roles = ["release-team"]
[[product.stage]]
name = "production"
versions = "newest 1"
import_roles = ["release-team"]
[[product.route]]
from = "testing"
to = "production"
roles = ["release-team"]
"#;

/// A site with one large stage.
struct Large {
    site: Site,
    /// The next package to invent.
    next: usize,
    /// The last edition of packages that was brought.
    edition: u32,
}

impl Large {
    /// Makes a site that adopts a directory of packages as its large stage, and starts its daemon anew, as after a night.
    fn with(packages: &Utf8Path, work: &Utf8Path, sluice: &Utf8Path, next: usize) -> anyhow::Result<Self> {
        let mut site = Site::new(CONFIG, work, sluice)?;
        let existing = site.work.join("existing");
        linked(packages, &existing)?;
        let made = [sluice.as_str(), "createrepo", "--quiet", "--no-database", existing.as_str()];
        used_by(&made.map(str::to_owned))?;
        site.start()?;
        used_by(&site.command(&["adopt", "--yes", "--stage", "production", existing.as_str()]))?;
        // The places that packages had there answer no more: they would be a part of every generation.
        used_by(&site.command(&["sweep"]))?;
        site.stop()?;
        site.start()?;
        Ok(Self { site, next, edition: 0 })
    }

    /// Brings in packages that were never there, and promotes them; tells what the promotion used.
    fn add(&mut self, count: usize) -> anyhow::Result<Usage> {
        let recipes = new_packages(&mut self.next, count);
        self.promote(&recipes)
    }

    /// Brings in the next edition of so many of the packages, and promotes them; tells what the promotion used.
    fn update(&mut self, packages: usize, count: usize) -> anyhow::Result<Usage> {
        self.edition += 1;
        let recipes = updates(packages, count, self.edition);
        ensure!(recipes.len() == count, "only {} of {packages} packages can be updated", recipes.len());
        self.promote(&recipes)
    }

    /// Brings in packages, and promotes them; tells what the promotion used.
    fn promote(&self, recipes: &[Recipe]) -> anyhow::Result<Usage> {
        let site = &self.site;
        let folder = emptied(&site.work.join("new"))?;
        let published = site.work.join("root/public/packages/bench-el9-x86_64-production");
        let mut entering = Vec::with_capacity(recipes.len());
        for recipe in recipes {
            let (path, rpm) = (folder.join(recipe.file_name()), recipe.build());
            let digest = repo::sha256(&rpm).hex();
            entering.push(published.join(&digest[..2]).join(&digest[..16]).join(recipe.file_name()));
            fs::write(&path, rpm).with_context(|| format!("failed to write `{path}`"))?;
        }
        // Whatever is there already would not move, and cost nothing.
        let known = entering.iter().filter(|path| path.exists()).count();
        ensure!(known == 0, "{known} of the packages are published already");
        used_by(&site.command(&["import", "--to", "testing", "--folder", folder.as_str()]))?;
        let before = site.idle()?;
        // What counts is the peak of this promotion.
        site.forget_peak()?;
        let mut words = vec!["promote", "--from", "testing", "--to", "production"];
        words.extend(recipes.iter().map(|recipe| recipe.name.as_str()));
        let asked = used_by(&site.command(&words))?;
        let after = site.used()?;
        let moved = entering.iter().filter(|path| path.exists()).count();
        ensure!(moved == recipes.len(), "{moved} of {} packages were promoted", recipes.len());
        Ok(Usage {
            processor: after.processor - before.processor + asked.processor,
            wall: asked.wall,
            peak: after.peak,
            written: after.written - before.written,
        })
    }
}

/// Whether the stage takes a package: for x86_64, and no sibling.
fn is_taken(recipe: &Recipe) -> bool {
    ["x86_64", "noarch"].contains(&recipe.arch.as_str()) && !recipe.name.contains("-debug")
}

/// Invents packages that the stage takes.
fn new_packages(next: &mut usize, count: usize) -> Vec<Recipe> {
    let mut recipes = Vec::with_capacity(count);
    while recipes.len() < count {
        let recipe = invented(SEED, *next, 0);
        *next += 1;
        recipes.extend(Some(recipe).filter(is_taken));
    }
    recipes
}

/// Invents new versions of packages that are scattered over all there are: each edition is newer than the one before, so that no
/// round meets what another one brought.
fn updates(packages: usize, count: usize, edition: u32) -> Vec<Recipe> {
    let step = packages / count;
    let begin = |place: usize| place * step + edition as usize * step / 7;
    let mut taken = BTreeSet::new();
    let mut recipes = Vec::with_capacity(count);
    for place in 0..count {
        let mut numbers = (0..packages).map(|more| (begin(place) + more) % packages);
        let is_free = |number: &usize| !taken.contains(number) && is_taken(&invented(SEED, *number, edition));
        let Some(number) = numbers.find(is_free) else { break };
        taken.insert(number);
        recipes.push(invented(SEED, number, edition));
    }
    recipes
}

/// Measures the daemon and those who make repodata in alternation: so many packages are added to so many, and so many are
/// replaced by newer ones.
pub fn rows(
    makers: &[Maker],
    (work, sluice): (&Utf8Path, &Utf8Path),
    packages: usize,
    changed: &[usize],
    rounds: usize,
) -> anyhow::Result<Vec<Row>> {
    let directory = directory_of(work, packages)?;
    let mut site = Large::with(&directory, work, sluice, packages)?;
    // The first change after a start reads what is there.
    site.add(1)?;
    let mut rows = Vec::new();
    for (task, count) in ["promotion", "updates"]
        .into_iter()
        .flat_map(|task| changed.iter().map(move |count| (task, *count)))
        .filter(|(_, count)| *count <= packages)
    {
        let row = |program: &str| Row {
            task: task.into(),
            packages,
            changed: count,
            program: program.to_owned(),
            rounds: Vec::new(),
        };
        let mut theirs: Vec<Row> =
            makers.iter().map(|maker| row(&format!("{} --update", maker.name))).collect();
        let mut ours = row("sluice daemon");
        for round in 0..rounds {
            for (maker, row) in makers.iter().zip(&mut theirs) {
                let now = match task {
                    "updates" => changed_directory(work, &directory, (packages, count), (round, rounds))?,
                    _ => with_more(work, &directory, (packages, count))?,
                };
                row.rounds.push(update(maker, work, &now)?);
            }
            ours.rounds.push(match task {
                "updates" => site.update(packages, count)?,
                _ => site.add(count)?,
            });
        }
        rows.extend(theirs);
        rows.push(ours);
    }
    Ok(rows)
}

/// The packages of before, and more.
fn with_more(
    work: &Utf8Path,
    directory: &Utf8Path,
    (packages, count): (usize, usize),
) -> anyhow::Result<Utf8PathBuf> {
    let now = emptied(&work.join("changed"))?;
    linked(directory, &now)?;
    let mut next = packages;
    for recipe in new_packages(&mut next, count) {
        crate::generate::write(&now, &recipe)?;
    }
    Ok(now)
}

/// Lets a maker of repodata follow where packages changed.
fn update(maker: &Maker, work: &Utf8Path, now: &Utf8Path) -> anyhow::Result<Usage> {
    let output = emptied(&work.join("output"))?;
    copy(&maker.output(work).join("repodata"), &output.join("repodata"))?;
    let used = used_by(&maker.command(now, &output, &["--update"]))?;
    fs::remove_dir_all(now).with_context(|| format!("failed to remove `{now}`"))?;
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_edition_brings_what_another_one_brought() {
        let mut seen = BTreeSet::new();
        for (count, edition) in [(1, 1), (1, 2), (7, 3), (7, 4), (30, 5)] {
            let recipes = updates(60, count, edition);
            assert_eq!(recipes.len(), count, "edition {edition}");
            for recipe in recipes {
                assert!(
                    seen.insert(recipe.file_name()),
                    "{} is in two editions, or twice in one",
                    recipe.file_name()
                );
            }
        }
    }
}
