//! Whether everything can be installed after a change: packages by the gate `closure`, meta-packages by one of their own.

mod headers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use closure::{Check, Judgement, Shelf};
use nevra::Nevra;

use super::{Finding, Gates};
use crate::lacking::{Lacking, Unfit};
use crate::layout::{Closure, Kind, MetaPackages, Platform, Product, Repository, Stage};
use crate::plan::Change;
use crate::refusal::{Code, Refusal};
use crate::world::{Listed, World, digest_of_set};

/// How many packages that were broken before are named.
const KNOWN_MAX: usize = 5;

/// What is in the way of one gate: by stage, package and words, on which platforms and under which code.
type Found = BTreeMap<(String, Nevra, String), (Code, BTreeSet<Platform>)>;

/// What was seen on all platforms.
#[derive(Default)]
struct Seen {
    /// The stage that was asked for.
    stage: String,
    /// Whether anything was to be judged.
    is_asked: bool,
    closure: Found,
    meta_packages: Found,
    /// What was broken before, one sentence each.
    known: [BTreeSet<String>; 2],
    /// How many packages, and how many meta-packages, were judged.
    judged: [usize; 2],
    /// The names of what was judged by.
    by: BTreeSet<String>,
    /// The contexts among them with the digests of their repomd.xml, one sentence each.
    contexts: BTreeSet<String>,
}

impl Gates<'_> {
    /// Looks whether what enters a stage, what stays in it and its meta-packages can be installed after `changes`, with
    /// what hosts draw from beside it; and what stays in other stages that change, or whose hosts draw from one that does.
    /// `from` is the stage that packages come from.
    ///
    /// What was not read yet is noted as lacking.
    pub(in crate::decide) fn installable(
        &mut self,
        world: &World,
        product: &Product,
        stage: &Stage,
        from: Option<&str>,
        changes: &BTreeMap<Repository, Change>,
    ) {
        let mut seen = Seen { stage: stage.name.clone(), ..Seen::default() };
        let mut lacking = Lacking::default();
        for judged in &product.stages {
            let Some(closure) = &judged.closure else { continue };
            let is_beside = |name: &String| *name == judged.name || closure.beside.contains(name);
            let is_touched = |repository: &&Repository| {
                repository.product == product.name
                    && repository.kind == Kind::Binary
                    && is_beside(&repository.stage)
            };
            let touched: BTreeSet<Repository> = (changes.keys().filter(is_touched))
                .map(|repository| repository.in_stage(&judged.name))
                .collect();
            let from = from.filter(|_| judged.name == stage.name);
            for repository in &touched {
                let goes_back = self.goes_back;
                let gathering = Gathering { world, product, closure, repository, changes, from, goes_back };
                gathering.judge(&mut lacking, &mut seen);
            }
        }
        if !seen.is_asked && stage.closure.is_none() {
            return;
        }
        if !lacking.is_empty() {
            self.lacking.add(lacking);
            return;
        }
        let Seen { closure, meta_packages, known: [known, known_meta], judged, by, contexts, .. } = seen;
        if !contexts.is_empty() {
            // What a verdict was found by is on record, whatever it is.
            self.pass("contexts", contexts.into_iter().collect::<Vec<_>>().join("; "));
        }
        let beside = match by.len() {
            0 => String::new(),
            _ => format!(" beside {}", by.into_iter().collect::<Vec<_>>().join(", ")),
        };
        let passed = match judged[0] {
            0 => "the change touches no package that could be broken".to_owned(),
            n => format!("all {n} that the change touches can be installed{beside}"),
        };
        self.found("closure", closure, passed + &told(known), |code, open| {
            let sentence = match open {
                [one] => one.clone(),
                several => format!("{} packages could not be installed", several.len()),
            };
            Refusal::new(code, sentence)
                .hint("promote what is missing with it, or let somebody answer for it with `sluice waive`")
        });
        let passed = match judged[1] {
            0 => "the change touches no meta-package".to_owned(),
            n => {
                format!("all {n} meta-packages that the change touches can be installed and updated{beside}")
            }
        };
        self.found("meta-packages", meta_packages, passed + &told(known_meta), |code, open| {
            let sentence = match open {
                [one] => one.clone(),
                several => format!("meta-packages would be broken in {} ways", several.len()),
            };
            Refusal::new(code, sentence).hint(
                "promote what the meta-package needs with it, or let somebody answer for it with `sluice waive`",
            )
        });
    }

    fn found(
        &mut self,
        gate: &'static str,
        found: Found,
        passed: String,
        refusal: impl FnOnce(Code, &[String]) -> Refusal,
    ) {
        let mut by_words: BTreeMap<String, (Code, Finding)> = BTreeMap::new();
        for ((stage, subject, words), (code, platforms)) in found {
            let platforms: Vec<String> = platforms.iter().map(Platform::to_string).collect();
            let other = (stage != self.stage).then_some(stage);
            let place = other.as_ref().map(|stage| format!("`{stage}`, ")).unwrap_or_default();
            let words = format!("{words} ({place}{})", platforms.join(", "));
            let finding = Finding { stage: other, subjects: Vec::new(), words: words.clone() };
            by_words.entry(words).or_insert((code, finding)).1.subjects.push(subject);
        }
        let codes: BTreeMap<String, Code> =
            by_words.iter().map(|(words, (code, _))| (words.clone(), *code)).collect();
        self.judge(gate, by_words.into_values().map(|(_, finding)| finding).collect(), passed, |open| {
            // What is known to be wrong is told before what is not known.
            let code = open.iter().filter_map(|words| codes.get(words)).min_by_key(|code| match code {
                Code::NotInstallable | Code::MetaPackageBroken => 0,
                Code::InstallableUnknown => 1,
                _ => 2,
            });
            refusal(code.copied().unwrap_or(Code::InstallableUnknown), open)
        });
    }
}

impl Seen {
    fn note(&mut self, judgement: Judgement, repository: &Repository) {
        let platform = &repository.platform();
        let is_other = repository.stage != self.stage;
        let place = if is_other { format!("`{}`, ", repository.stage) } else { String::new() };
        let is_meta = |finding: &&closure::Finding| !matches!(finding.check, Check::Enters | Check::Stays);
        let known = judgement.known.iter().filter(is_meta).count();
        self.judged[0] += judgement.judged - judgement.meta_packages - (judgement.known.len() - known);
        self.judged[1] += judgement.meta_packages.saturating_sub(known);
        for finding in judgement.broken {
            let (found, code) = match finding.check {
                Check::Enters | Check::Stays => (&mut self.closure, Code::NotInstallable),
                Check::Fresh | Check::Upgrade | Check::Files => {
                    (&mut self.meta_packages, Code::MetaPackageBroken)
                }
            };
            let (code, words) = match finding.judged {
                true => (code, finding.words),
                false => (
                    Code::InstallableUnknown,
                    format!("`{}` cannot be judged: {}", finding.subject, finding.words),
                ),
            };
            let key = (repository.stage.clone(), finding.subject, words);
            let (_, platforms) = found.entry(key).or_insert((code, BTreeSet::new()));
            platforms.insert(platform.clone());
        }
        for finding in judgement.known {
            let of = usize::from(!matches!(finding.check, Check::Enters | Check::Stays));
            self.known[of].insert(format!("{} ({place}{platform})", finding.words));
        }
    }

    /// Puts down that nothing can be told of a repository.
    fn unfit<'l>(
        &mut self,
        unfit: &Unfit,
        changed: impl Iterator<Item = &'l Listed>,
        repository: &Repository,
    ) {
        for listed in changed {
            let words = format!("it cannot be judged: {}", unfit.words);
            for found in [&mut self.closure, &mut self.meta_packages] {
                let key = (repository.stage.clone(), listed.nevra.clone(), words.clone());
                let (_, platforms) = found.entry(key).or_insert((unfit.code, BTreeSet::new()));
                platforms.insert(repository.platform());
            }
        }
    }
}

/// Tells what was broken before the change, which is not to blame for it.
fn told(known: BTreeSet<String>) -> String {
    if known.is_empty() {
        return String::new();
    }
    let more = match known.len().saturating_sub(KNOWN_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let some: Vec<String> = known.into_iter().take(KNOWN_MAX).collect();
    format!("; broken before, and still: {}{more}", some.join("; "))
}

/// Gathers what one repository is judged by.
struct Gathering<'a> {
    world: &'a World,
    product: &'a Product,
    closure: &'a Closure,
    repository: &'a Repository,
    /// What changes in the same instant, here and elsewhere.
    changes: &'a BTreeMap<Repository, Change>,
    from: Option<&'a str>,
    goes_back: bool,
}

impl Gathering<'_> {
    fn judge(&self, lacking: &mut Lacking, seen: &mut Seen) {
        seen.is_asked = true;
        match self.change(lacking, seen) {
            Ok(Some(change)) => {
                let judgement = closure::judge_with(&change, &|bringer, path| self.look(bringer, path));
                self.want_headers(&judgement.unread, lacking);
                seen.note(judgement, self.repository);
            }
            Ok(None) => {}
            // A gate that cannot run has failed.
            Err(unfit) => {
                let stages = [&self.repository.stage].into_iter().chain(&self.closure.beside);
                let changes = stages.filter_map(|stage| self.changes.get(&self.repository.in_stage(stage)));
                let changed = changes.flat_map(|change| change.enter.iter().chain(&change.leave));
                seen.unfit(&unfit, changed, self.repository);
            }
        }
    }

    /// Makes the change as it is judged; nothing if something lacks. Notes the contexts in `by`.
    fn change(
        &self,
        lacking: &mut Lacking,
        Seen { by, contexts, .. }: &mut Seen,
    ) -> Result<Option<closure::Change>, Unfit> {
        let target = self.shelf(self.repository.clone(), lacking)?;
        let (leave, enter) = self.moving(self.repository, lacking);
        let (mut context, mut beside) = (Vec::new(), Vec::new());
        for source in self.beside() {
            match source {
                Source::Stage { name, repository } => {
                    by.insert(format!("`{name}`"));
                    let (leave, enter) = self.moving(&repository, lacking);
                    let shelf = self.shelf(repository, lacking)?;
                    beside.extend(shelf.map(|shelf| closure::Beside { shelf, leave, enter }));
                }
                Source::Context(name) => {
                    let key = (name.to_owned(), self.repository.platform());
                    match self.world.contexts.get(&key) {
                        None => drop(lacking.contexts.insert(key)),
                        Some(Err(unfit)) => return Err(unfit.clone()),
                        Some(Ok(known)) => {
                            context.push(Arc::clone(&known.shelf));
                            by.insert(format!("`{name}`"));
                            contexts.insert(format!("`{name}` of {} is {}", key.1, known.digest));
                        }
                    }
                }
            }
        }
        let elsewhere = match self.from {
            Some(from) => self.shelf(self.repository.in_stage(from), lacking)?,
            None => None,
        };
        let Some(target) = target.filter(|_| lacking.is_empty()) else { return Ok(None) };
        let beside_too = beside.iter().flat_map(|one| one.shelf.packages().iter().chain(&one.enter));
        let meta_packages = self.meta_packages(target.packages().iter().chain(&enter).chain(beside_too));
        Ok(Some(closure::Change {
            platform: self.repository.arch.clone(),
            target,
            leave,
            enter,
            context,
            beside,
            elsewhere: elsewhere.into_iter().collect(),
            meta_packages,
            install_only: self.closure.install_only.iter().cloned().collect(),
            goes_back: self.goes_back,
        }))
    }

    /// What hosts draw from beside the repository, in the order of the configuration.
    fn beside(&self) -> impl Iterator<Item = Source<'_>> {
        self.closure.beside.iter().map(|name| {
            match self.product.stages.iter().any(|stage| stage.name == *name) {
                true => Source::Stage { name, repository: self.repository.in_stage(name) },
                false => Source::Context(name),
            }
        })
    }

    /// What leaves a repository, and what enters it.
    fn moving(
        &self,
        repository: &Repository,
        lacking: &mut Lacking,
    ) -> (BTreeSet<Nevra>, Vec<closure::Package>) {
        let mut enter = Vec::new();
        let Some(change) = self.changes.get(repository) else { return (BTreeSet::new(), enter) };
        for listed in &change.enter {
            match self.world.relations.get(&listed.pkgid) {
                Some(package) => enter.push(closure::Package::clone(package)),
                None => drop(lacking.relations.insert(listed.pkgid)),
            }
        }
        (change.leave.iter().map(|listed| listed.nevra.clone()).collect(), enter)
    }

    /// Takes the index of a repository, if it is of what the repository lists.
    fn shelf(&self, repository: Repository, lacking: &mut Lacking) -> Result<Option<Arc<Shelf>>, Unfit> {
        let Some(indexed) = self.world.shelves.get(&repository) else {
            lacking.shelves.insert(repository);
            return Ok(None);
        };
        let listed = self.world.repositories.get(&repository).map(Vec::as_slice).unwrap_or_default();
        if indexed.set != digest_of_set(listed) || indexed.shelf.packages().len() != listed.len() {
            let words = format!("the index of `{repository}` is not of what it lists");
            return Err(Unfit { code: Code::InstallableUnknown, words });
        }
        Ok(Some(Arc::clone(&indexed.shelf)))
    }

    /// Names the meta-packages among packages of the product.
    fn meta_packages<'a>(&self, packages: impl Iterator<Item = &'a closure::Package>) -> BTreeSet<Nevra> {
        let metas = MetaPackages::of(self.product);
        packages.filter(|package| metas.has(package)).map(|package| package.nevra.clone()).collect()
    }
}

/// What hosts draw from beside a repository.
enum Source<'a> {
    Stage { name: &'a str, repository: Repository },
    Context(&'a str),
}

#[cfg(test)]
mod tests;
