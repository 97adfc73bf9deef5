//! The judgement of a change: what can no longer be installed, and why.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Arch, Nevra};

use crate::change::Change;
use crate::clash::{Doubt, shared};
use crate::headers::{Bringer, Look, Looked, Origin};
use crate::host::Host;
use crate::installing::{Many, can_be_without_twins, demand, install_one};
use crate::package::Package;
use crate::reach::{reached, twins, with_twins};
use crate::reasons::reasons;
use crate::rich::{Rich, is_rich};
use crate::solver::Outcome;
use crate::unjudged::Unjudged;
use crate::words::Words;
use crate::work::Work;
use crate::world::{PackageId, World};

/// What was asked about a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Whether what enters can be installed.
    Enters,
    /// Whether what stays can still be installed.
    Stays,
    /// Whether a meta-package can be installed on a fresh host.
    Fresh,
    /// Whether a host that has the meta-package as the target offered it takes every update:
    /// `dnf upgrade` with `best=1`.
    Upgrade,
    /// Whether the files that a meta-package brings together stand beside each other.
    Files,
}

impl Check {
    /// Shows the word that stands in a finding.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enters => "enters",
            Self::Stays => "stays",
            Self::Fresh => "fresh",
            Self::Upgrade => "upgrade",
            Self::Files => "files",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The package it is about.
    pub subject: Nevra,
    /// What was asked.
    pub check: Check,
    /// The shortest chain of reasons that was found, or why nothing can be said.
    pub words: String,
    /// Whether there is an answer; without one it must count as a no.
    pub judged: bool,
}

/// What a change does to what can be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What the change breaks, sorted.
    pub broken: Vec<Finding>,
    /// What was broken before and stays so, sorted: told, and not blamed on the change.
    pub known: Vec<Finding>,
    /// The packages whose headers would tell more of paths that several bring, and which paths.
    pub unread: BTreeMap<Bringer, BTreeSet<String>>,
    /// How many packages were judged, meta-packages among them.
    pub judged: usize,
    /// How many meta-packages were judged.
    pub meta_packages: usize,
    /// How many things were looked at; grows with the change, not with the repositories.
    pub work: u64,
    /// How often the solver was asked, because the best choices did not work out.
    pub solved: u64,
}

/// Judges a change by what its packages state, without a look into headers.
///
/// Looked at are the packages that enter, those that need something that leaves, and the
/// meta-packages from which something that enters or leaves can be reached.
#[must_use]
pub fn judge(change: &Change) -> Judgement {
    judge_with(change, &|_, _| Looked::NotYet)
}

/// Judges a change as [`judge`] does, with `look` for what headers say of paths that several packages bring.
///
/// What is asked of `look` and was not looked at yet stands in [`Judgement::unread`]; nothing else of the judgement
/// depends on headers, so that one more judgement is enough.
#[must_use]
pub fn judge_with(change: &Change, look: &Look<'_>) -> Judgement {
    let work = Work::default();
    let mut judge = Judge::new(change, look, &work);
    judge.enters();
    judge.stays();
    judge.meta_packages();
    let mut judgement = judge.judgement;
    judgement.broken.sort();
    judgement.known.sort();
    judgement.work = work.total.get();
    judgement.solved = work.solved.get();
    judgement
}

struct Judge<'a> {
    change: &'a Change,
    look: &'a Look<'a>,
    work: &'a Work,
    before: World<'a>,
    after: World<'a>,
    /// What leaves, in `before`.
    gone: Vec<PackageId>,
    /// What enters, in `after`.
    entered: Vec<PackageId>,
    judgement: Judgement,
}

/// What was asked of the solver and cannot be, or why nothing can be said.
type Fault = Result<BTreeSet<PackageId>, Unjudged>;

/// The newest package of a name and architecture of those that lie where it counts.
fn newest(world: &World<'_>, name: &str, arch: &Arch, counts: fn(Origin) -> bool) -> Option<PackageId> {
    let is_one =
        |id: &PackageId| world.origin(*id).is_some_and(counts) && world.package(*id).nevra.arch == *arch;
    let all = world.each(|shelf| shelf.named(name)).filter(is_one);
    all.max_by(|a, b| world.package(*a).nevra.evr.cmp(&world.package(*b).nevra.evr))
}

/// Whether something lies in the target.
fn of_target(origin: Origin) -> bool {
    matches!(origin, Origin::Target | Origin::Enters)
}

impl<'a> Judge<'a> {
    fn new(change: &'a Change, look: &'a Look<'a>, work: &'a Work) -> Self {
        let (before, after) = (change.before(work), change.after(work));
        let gone = change.gone(&before);
        let enters = |origin| matches!(origin, Some(Origin::Enters | Origin::EntersBeside(_)));
        let entered = after.of_layers(|layer| enters(layer.origin)).collect();
        Self { change, look, work, before, after, gone, entered, judgement: Judgement::default() }
    }

    fn is_meta(&self, package: &Package) -> bool {
        self.change.meta_packages.contains(&package.nevra)
    }

    /// What enters must be installable; of meta-packages that is asked later.
    fn enters(&mut self) {
        let mut many = Many::new();
        for id in self.entered.clone() {
            if self.after.origin(id) != Some(Origin::Enters) {
                continue;
            }
            if !self.is_judged_later(id) {
                self.judgement.judged += 1;
                if let Some(fault) = many.fault(&self.after, id) {
                    let finding = self.explained(&self.after, id, Check::Enters, fault);
                    self.judgement.broken.push(finding);
                }
            }
        }
    }

    /// What needs something that leaves, directly or not, must still be installable, and what needs a package of the second word
    /// size that is tied to another once that enters.
    fn stays(&mut self) {
        let mut many = Many::new();
        // Of the target, both worlds have the same places.
        let is_listed = |world: &World<'_>, id: PackageId| world.origin(id) == Some(Origin::Target);
        let mut stay = reached(&self.before, with_twins(&self.before, self.gone.clone()));
        stay.retain(|id| is_listed(&self.before, *id));
        let twins = reached(&self.after, twins(&self.after, &self.entered));
        stay.extend(twins.into_iter().filter(|id| is_listed(&self.after, *id)));
        stay.retain(|id| !self.change.takes_away(&self.before, *id));
        for id in stay {
            if self.is_judged_later(id) {
                continue;
            }
            self.judgement.judged += 1;
            if let Some(fault) = many.fault(&self.after, id) {
                // What could not be judged before is no excuse.
                let was = Many::new().fault(&self.before, id).and_then(Result::ok);
                let was = was.map(|was| self.explained(&self.before, id, Check::Stays, Ok(was)).words);
                let finding = self.explained(&self.after, id, Check::Stays, fault);
                self.blame(was, finding, id);
            }
        }
    }

    /// Says whether a package of the target lacked nothing but twins before the change, with which we are stricter than
    /// libsolv: that is no excuse for what is wrong now. Of a host nothing is asked but what follows.
    fn was_doubtful(&self, id: PackageId) -> bool {
        can_be_without_twins(&self.before, id)
    }

    /// Puts down what is wrong with a package after the change. It is known if the package was broken before for more than
    /// twins, and the change takes away nothing more that it needs; never if nothing can be said of it now.
    fn blame(&mut self, was: Option<String>, finding: Finding, id: PackageId) {
        let Some(was) = was.filter(|_| finding.judged) else { return self.judgement.broken.push(finding) };
        match self.lost(id) {
            None if finding.check != Check::Upgrade && self.was_doubtful(id) => {
                self.judgement.broken.push(finding);
            }
            None => self.judgement.known.push(finding),
            Some(lost) => {
                let words = format!("{lost}; and it was broken before: {was}");
                self.judgement.broken.push(Finding { words, ..finding });
            }
        }
    }

    /// Tells what was offered before the change and no longer is, of all that a package of the target and what it brings
    /// requires.
    fn lost(&self, id: PackageId) -> Option<String> {
        let mut open = vec![id];
        let mut walked = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !walked.insert(id) {
                continue;
            }
            let mut wanted = Vec::new();
            for required in &self.before.package(id).requires {
                match Rich::parse(&required.name) {
                    Ok(rich) if is_rich(&required.name) => {
                        rich.each_name(&mut |one| wanted.push(one.clone()))
                    }
                    _ => wanted.push(required.clone()),
                }
            }
            for required in &wanted {
                let offered = self.before.offering(required);
                if let (Some(first), true) = (offered.first(), self.after.offering(required).is_empty()) {
                    let (package, gone) = (self.before.package(id), self.before.package(*first));
                    let place = self.before.shelf_of(*first).name();
                    let (package, gone) = (package.in_words(), gone.in_words());
                    return Some(format!("{package} needs {required}; {gone} leaves {place}"));
                }
                open.extend(offered.iter().copied());
            }
        }
        None
    }

    /// Says whether a package is the newest version of a meta-package, of which more is asked.
    fn is_judged_later(&self, id: PackageId) -> bool {
        let Nevra { name, arch, .. } = &self.after.package(id).nevra;
        let newest = || newest(&self.after, name, arch, of_target);
        self.is_meta(self.after.package(id)) && newest() == Some(id)
    }

    /// Each meta-package that the change can affect, in its newest version.
    fn meta_packages(&mut self) {
        let mut names = BTreeSet::new();
        let mut note = |world: &World<'_>, reach: BTreeSet<PackageId>| {
            for id in reach {
                let package = world.package(id);
                if self.is_meta(package) {
                    names.insert((package.nevra.name.clone(), package.nevra.arch.clone()));
                }
            }
        };
        note(&self.before, reached(&self.before, with_twins(&self.before, self.gone.clone())));
        note(&self.after, reached(&self.after, with_twins(&self.after, self.entered.clone())));
        for (name, arch) in names {
            let Some(new) = newest(&self.after, &name, &arch, of_target) else { continue };
            let old = newest(&self.before, &name, &arch, of_target);
            // Hosts may have it from a stage beside; one that comes from there was not offered by the target.
            let beside = || newest(&self.before, &name, &arch, |_| true);
            let is_other = |old: &PackageId| self.before.package(*old).nevra != self.after.package(new).nevra;
            self.meta_package(old.or_else(|| beside().filter(is_other)), new);
        }
    }

    fn meta_package(&mut self, old: Option<PackageId>, new: PackageId) {
        self.judgement.judged += 1;
        self.judgement.meta_packages += 1;
        // Hosts that go back give up what they have, so that they are as if they were installed anew.
        let host = old.filter(|_| !self.change.goes_back).map(|old| (old, install_one(&self.before, old)));
        let fault = match install_one(&self.after, new) {
            Ok(Outcome::Together(brought)) => {
                self.files(new, &brought, host.as_ref().and_then(|(_, host)| host.as_ref().ok()));
                match host {
                    Some((old, Ok(Outcome::Together(host)))) => self.upgrade(old, new, &host),
                    Some((_, Err(unjudged))) => {
                        let finding = self.explained(&self.after, new, Check::Upgrade, Err(unjudged));
                        self.judgement.broken.push(finding);
                    }
                    // Nobody has it, or nobody could: there is nothing to upgrade from.
                    Some((_, Ok(Outcome::Impossible(_)))) | None => {}
                }
                return;
            }
            Ok(Outcome::Impossible(asked)) => Ok(asked),
            Err(unjudged) => Err(unjudged),
        };
        // Of the target, both worlds have the same places.
        let was = match self.after.origin(new) == Some(Origin::Target) {
            true => install_one(&self.before, new),
            false => Ok(Outcome::Together(BTreeSet::new())),
        };
        let was = match was {
            Ok(Outcome::Impossible(asked)) => {
                Some(self.explained(&self.before, new, Check::Fresh, Ok(asked)).words)
            }
            _ => None,
        };
        let finding = self.explained(&self.after, new, Check::Fresh, fault);
        self.blame(was, finding, new);
    }

    fn upgrade(&mut self, old: PackageId, new: PackageId, host: &BTreeSet<PackageId>) {
        let packages: Vec<Package> = host.iter().map(|id| self.before.package(*id).clone()).collect();
        let had = self.before.package(old).in_words();
        let host =
            Host { change: self.change, before: &self.before, work: self.work, packages: &packages, had };
        let Some((words, judged)) = host.upgraded(true) else { return };
        let subject = self.after.package(new).nevra.clone();
        let finding = Finding { subject, check: Check::Upgrade, words, judged };
        let was = host.upgraded(false).filter(|(_, judged)| *judged).map(|(words, _)| words);
        self.blame(was, finding, old);
    }

    /// Looks at the paths of what a meta-package brings: of what enters, and of what hosts that had it before had not.
    fn files(&mut self, meta: PackageId, brought: &BTreeSet<PackageId>, had: Option<&Outcome>) {
        let had: BTreeSet<&Nevra> = match had {
            Some(Outcome::Together(had)) => had.iter().map(|id| &self.before.package(*id).nevra).collect(),
            _ => BTreeSet::new(),
        };
        let is_new = |id: &PackageId| !had.contains(&self.after.package(*id).nevra);
        let mut new: BTreeSet<_> = brought.iter().copied().filter(is_new).collect();
        new.extend(self.entered.iter().copied());
        let subject = &self.after.package(meta).nevra;
        let mut by_pair: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let shared = shared(&self.after, brought, &new, self.look);
        for (bringer, paths) in shared.unread {
            self.judgement.unread.entry(bringer).or_default().extend(paths);
        }
        for clash in shared.clashes {
            by_pair.entry((clash.one, clash.other, clash.doubt)).or_default().push(clash.path);
        }
        for ((one, other, doubt), paths) in by_pair {
            let name = |id: PackageId| self.after.package(id).in_words();
            let more = match paths.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            let so = match &doubt {
                Doubt::None => "with different contents".to_owned(),
                Doubt::Unread => "and their contents are not known".to_owned(),
                Doubt::Unknown(why) => format!("and whether they are the same cannot be told: {why}"),
            };
            let path = &paths[0];
            let words = format!("{} and {} both bring `{path}`{more}, {so}", name(one), name(other));
            let judged = doubt == Doubt::None;
            let finding = Finding { subject: subject.clone(), check: Check::Files, words, judged };
            self.judgement.broken.push(finding);
        }
    }

    fn explained(&self, world: &World<'_>, id: PackageId, check: Check, fault: Fault) -> Finding {
        let subject = world.package(id).nevra.clone();
        let words = Words::new(world, &self.before, self.change);
        let demands = [demand(id)];
        world.let_alone(BTreeSet::from([id]));
        let (words, judged) = match fault.and_then(|asked| reasons(world, &demands, &asked)) {
            Ok(reasons) => (words.of_package(id, &reasons), true),
            Err(unjudged) => (unjudged.to_string(), false),
        };
        Finding { subject, check, words, judged }
    }
}

#[cfg(test)]
pub(crate) mod tests;
