//! Reasons in words: the chain from the package in question to what cannot be had.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nevra::{Dependency, Sense};

use crate::change::Change;
use crate::package::Package;
use crate::reasons::Reasons;
use crate::rich::{Rich, is_rich};
use crate::statement::{Source, Statement};
use crate::upgrade::Step;
use crate::world::{Group, PackageId, World};

/// How many reasons one finding tells.
const REASONS_MAX: usize = 8;

/// How many names of one rich dependency are looked into.
const NAMES_MAX: usize = 3;

pub(crate) struct Words<'a> {
    world: &'a World<'a>,
    before: &'a World<'a>,
    change: &'a Change,
}

/// What was told so far.
#[derive(Default)]
struct Told {
    parts: Vec<String>,
    /// The packages that somebody needs, and must share their place with others.
    needed: BTreeSet<PackageId>,
    /// What was told to replace what it obsoletes.
    replacing: BTreeSet<PackageId>,
    /// Whether the parts explain themselves, without a word on versions that exclude each other.
    closed: bool,
}

impl<'a> Words<'a> {
    pub(crate) fn new(world: &'a World<'a>, before: &'a World<'a>, change: &'a Change) -> Self {
        Self { world, before, change }
    }

    /// Tells why a package cannot be installed.
    pub(crate) fn of_package(&self, id: PackageId, reasons: &Reasons) -> String {
        let mut told = Told::default();
        told.needed.insert(id);
        self.chain(vec![id], reasons, &mut told);
        self.closed(told)
    }

    /// Tells why a host does not take every update.
    pub(crate) fn of_steps(&self, had: &str, steps: &[Step], reasons: &Reasons) -> String {
        let mut told = Told::default();
        let mut roots = Vec::new();
        let (mut takes, mut keeps) = (Vec::new(), Vec::new());
        for Step { from, demand } in reasons.demands.iter().map(|at| &steps[*at]) {
            roots.extend(&demand.any);
            told.needed.extend(&demand.any);
            let old = self.world.package(*from);
            if demand.any.as_slice() == [*from] {
                let speaks = reasons.statements.range((*from, 0)..=(*from, usize::MAX)).next().is_some();
                keeps.extend((!speaks).then(|| format!("keeps {}", old.in_words())));
                continue;
            }
            let best: Vec<_> = demand.any.iter().map(|id| self.world.package(*id)).collect();
            let replaced = best.iter().all(|new| new.nevra.name != old.nevra.name);
            if replaced {
                told.replacing.extend(&demand.any);
            }
            let why = if replaced { ", which it obsoletes" } else { "" };
            let best = listed(best.into_iter().map(Package::in_words).collect());
            takes.push(format!("takes {best} for {}{why}", old.in_words()));
        }
        takes.extend(keeps);
        told.parts.extend((!takes.is_empty()).then(|| format!("a host with {had} {}", listed(takes))));
        self.chain(roots, reasons, &mut told);
        self.closed(told)
    }

    /// Follows the statements from package to package.
    fn chain(&self, roots: Vec<PackageId>, reasons: &Reasons, told: &mut Told) {
        let mut open: VecDeque<PackageId> = roots.into();
        let mut seen = BTreeSet::new();
        let mut left: BTreeSet<(PackageId, usize)> = reasons.statements.clone();
        while let Some(id) = open.pop_front().or_else(|| left.first().map(|(id, _)| *id)) {
            if !seen.insert(id) {
                continue;
            }
            let stated = self.world.statements(id).unwrap_or_else(|_| [].into());
            for (_, at) in reasons.statements.range((id, 0)..=(id, usize::MAX)) {
                left.remove(&(id, *at));
                let Some(statement) = stated.get(*at) else { continue };
                self.statement(id, statement, told);
                open.extend(&statement.clause.any);
            }
        }
    }

    fn statement(&self, id: PackageId, statement: &Statement, told: &mut Told) {
        let package = self.world.package(id);
        let subject = package.in_words();
        let clause = &statement.clause;
        match statement.source {
            Source::Requires(at) => {
                let wanted = &package.requires[at];
                told.needed.extend(&clause.any);
                if clause.any.is_empty() {
                    told.closed = true;
                    let missing = self.missing(wanted);
                    told.parts.push(format!("{subject} needs {wanted}{missing}"));
                } else {
                    let offering = self.offering(wanted, &clause.any);
                    told.parts.push(format!("{subject} needs {wanted}{offering}"));
                }
            }
            Source::Conflicts(at) => {
                told.closed = true;
                let refused = &package.conflicts[at];
                let which = self.which(refused, clause.none.iter().flatten());
                told.parts.push(format!("{subject} conflicts with {refused}{which}"));
            }
            Source::Obsoletes(at) => {
                told.closed = true;
                if !told.replacing.contains(&id) {
                    let old = &package.obsoletes[at];
                    let which = self.which(old, clause.none.iter().flatten());
                    told.parts.push(format!("{subject} obsoletes {old}{which}"));
                }
            }
            Source::Twin => {
                told.needed.extend(&clause.any);
                let name = &package.nevra.name;
                if clause.any.is_empty() {
                    told.closed = true;
                    told.parts.push(format!(
                        "{subject} stands only beside the same version of {name} for {}",
                        self.change.platform
                    ));
                } else {
                    let twins = listed(
                        clause.any.iter().map(|id| self.world.package(*id).nevra.to_string()).collect(),
                    );
                    told.parts.push(format!("{subject} stands only beside {twins}"));
                }
            }
            Source::OneOfAName => {
                told.closed = true;
                let others = clause.none.iter().flatten().map(|id| self.world.package(*id).in_words());
                let others = listed(others.collect());
                told.parts.push(format!("{subject} is for every architecture and stands beside no {others}"));
            }
        }
    }

    /// Says who offers what is needed, where that is not plain.
    fn offering(&self, wanted: &Dependency, any: &[PackageId]) -> String {
        let names: BTreeSet<String> = any.iter().map(|id| self.world.package(*id).in_words()).collect();
        let pinned = wanted.bound.as_ref().is_some_and(|bound| bound.sense == Sense::Equal);
        let plain = any.iter().all(|id| self.world.package(*id).nevra.name == wanted.name);
        match names.len() {
            1 if plain && pinned => String::new(),
            1 => format!(", which only {} offers", listed(names.into_iter().collect())),
            _ => format!(", which {} offer", listed(names.into_iter().collect())),
        }
    }

    fn which<'i>(&self, said: &Dependency, ids: impl Iterator<Item = &'i PackageId>) -> String {
        let names: BTreeSet<String> = ids.map(|id| self.world.package(*id).in_words()).collect();
        let said = said.to_string().replace(" = ", " ");
        if names.is_empty() || names.len() == 1 && names.contains(&said) {
            return String::new();
        }
        format!(", and so {}", listed(names.into_iter().collect()))
    }

    /// Says what there is instead of what is missing, and where it lies.
    fn missing(&self, wanted: &Dependency) -> String {
        if !is_rich(&wanted.name) {
            return format!("; {}", self.instead(wanted));
        }
        let Ok(rich) = Rich::parse(&wanted.name) else { return String::new() };
        let mut absent = BTreeSet::new();
        rich.each_name(&mut |name| {
            if self.world.offering(name).is_empty() {
                absent.insert(name.clone());
            }
        });
        let instead = |name: &Dependency| format!("; {name} is missing: {}", self.instead(name));
        absent.iter().take(NAMES_MAX).map(instead).collect()
    }

    fn instead(&self, wanted: &Dependency) -> String {
        let any = Dependency { name: wanted.name.clone(), bound: None };
        let mut has: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
        let mut places: Vec<&str> = Vec::new();
        for layer in self.world.layers().iter().filter(|layer| !layer.is_installed()) {
            if !places.contains(&layer.shelf.name()) {
                places.push(layer.shelf.name());
            }
        }
        let shelf_of = |world: &'a World<'a>, id: PackageId| world.shelf_of(id).name();
        for id in self.world.offering(&any).iter().filter(|id| !self.world.is_installed(**id)) {
            has.entry(shelf_of(self.world, *id)).or_default().push(self.world.package(*id));
        }
        let mut parts: Vec<String> = Vec::new();
        for place in &places {
            let Some(there) = has.get(place) else { continue };
            let versions = there.iter().map(|package| version_of(package, wanted));
            let epoch = if there.iter().any(|package| lacks_epoch(wanted, package)) {
                ", and the requirement names no epoch"
            } else {
                ""
            };
            parts.push(format!("{place} has {}{epoch}", listed(versions.collect())));
        }
        let mut leaving: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let leaves = |id: &&PackageId| self.change.takes_away(self.before, **id);
        for id in self.before.offering(wanted).iter().filter(leaves) {
            let version = version_of(self.before.package(*id), wanted);
            let plain = version.starts_with(|c: char| c.is_ascii_digit());
            let words = if plain { version } else { format!("{version}, which offers it,") };
            leaving.entry(shelf_of(self.before, *id)).or_default().insert(words);
        }
        for (place, versions) in leaving {
            let verb = if versions.len() == 1 { "leaves" } else { "leave" };
            parts.push(format!("{} {verb} {place}", listed(versions.into_iter().collect())));
        }
        for shelf in &self.change.elsewhere {
            let lies = shelf
                .offering(&wanted.name)
                .filter(|(_, said)| said.is_none_or(|said| said.overlaps(wanted)));
            let lies: BTreeSet<_> = lies.map(|(at, _)| at).collect();
            let lies = lies.into_iter().map(|at| &shelf.packages()[at as usize]);
            let lies: Vec<_> = lies.filter(|one| one.nevra.arch.accepted_by(&self.change.platform)).collect();
            if !lies.is_empty() {
                let verb = if lies.len() == 1 { "stays" } else { "stay" };
                let versions = lies.iter().map(|package| version_of(package, wanted)).collect();
                parts.push(format!("{} {verb} in {}", listed(versions), shelf.name()));
            }
        }
        match parts.is_empty() {
            true => format!("nothing in {} offers it", alternatives(&places)),
            false => parts.join("; "),
        }
    }

    /// Ends the story: where nothing else is wrong, two versions of one package exclude each other.
    fn closed(&self, mut told: Told) -> String {
        let mut groups: BTreeMap<Group, BTreeSet<String>> = BTreeMap::new();
        for id in &told.needed {
            groups.entry(self.world.group_of(*id)).or_default().insert(self.world.package(*id).in_words());
        }
        let several = groups.into_iter().filter(|(_, members)| members.len() > 1);
        let names: BTreeSet<String> = several.map(|(group, _)| group.name).collect();
        if !told.closed && !names.is_empty() {
            told.parts.push(format!("only one {} can be installed", listed(names.into_iter().collect())));
        }
        let mut seen = BTreeSet::new();
        told.parts.retain(|part| seen.insert(part.clone()));
        let more = told.parts.len().saturating_sub(REASONS_MAX);
        told.parts.truncate(REASONS_MAX);
        if more > 0 {
            told.parts.push(format!("and {more} reasons more"));
        }
        told.parts.join("; ")
    }
}

/// The version alone where the package bears the name that is wanted.
fn version_of(package: &Package, wanted: &Dependency) -> String {
    let second = package.in_words().ends_with(')');
    match package.nevra.name == wanted.name && !second {
        true => package.nevra.evr.to_string(),
        false => package.in_words(),
    }
}

/// Whether a pin would be met if it named the package's epoch.
fn lacks_epoch(wanted: &Dependency, package: &Package) -> bool {
    let Some(bound) = wanted.bound.as_ref().filter(|bound| bound.epoch.is_none()) else { return false };
    let evr = &package.nevra.evr;
    let mut bound = bound.clone();
    bound.epoch = Some(evr.epoch);
    let with_epoch = Dependency { name: package.nevra.name.clone(), bound: Some(bound) };
    evr.epoch > 0 && package.nevra.name == wanted.name && with_epoch.overlaps(&package.nevra.provided())
}

/// `a, b and c`; of many, the first three.
fn listed(mut words: Vec<String>) -> String {
    let mut seen = BTreeSet::new();
    words.retain(|word| seen.insert(word.clone()));
    let more = words.len().saturating_sub(3);
    if more > 0 {
        words.truncate(3);
        words.push(format!("{more} more"));
    }
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) }
}

fn alternatives(places: &[&str]) -> String {
    match places {
        [] => "any repository".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
