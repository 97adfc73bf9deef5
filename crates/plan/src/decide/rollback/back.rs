//! What hosts of one repository go back from, and to: the version for each name that is rejected, and what a meta-package
//! must pin then.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Evr, Nevra};

use super::enabled;
use crate::decide::pins::{Pin, is_for_hosts, is_met, pins_of};
use crate::decide::remake::{Known, Otherwise, Remake, Remaking};
use crate::layout::{Product, Repository, Stage};
use crate::refusal::{Code, Refusal};
use crate::world::{Listed, World};

/// What hosts of one repository go back from, and to.
pub(super) struct Back<'a> {
    stage: &'a str,
    pub(super) rejected: BTreeSet<&'a Nevra>,
    /// What stays on offer of a name that is rejected.
    offered: BTreeMap<&'a str, BTreeSet<&'a Nevra>>,
    /// The version to go back to, by name.
    versions: BTreeMap<&'a str, Option<&'a Evr>>,
    /// Versions that were chosen and that nobody offers.
    chosen_badly: Vec<String>,
    without: BTreeSet<&'a str>,
}

impl<'a> Back<'a> {
    pub(super) fn of(
        world: &'a World,
        product: &'a Product,
        stage: &'a Stage,
        repository: &Repository,
        packages: &'a [Listed],
        chosen: &BTreeMap<String, Evr>,
        without: &'a [String],
    ) -> Back<'a> {
        let rejected: BTreeSet<&Nevra> = packages.iter().map(|listed| &listed.nevra).collect();
        let names: BTreeSet<&str> = rejected.iter().map(|nevra| nevra.name.as_str()).collect();
        let stages = [stage.name.as_str()].into_iter().chain(enabled(product, stage));
        let mut offered: BTreeMap<&str, BTreeSet<&Nevra>> = BTreeMap::new();
        for listing in stages.filter_map(|name| world.repositories.get(&repository.in_stage(name))) {
            let stays = listing.iter().map(|listed| &listed.nevra).filter(|nevra| !rejected.contains(nevra));
            for nevra in stays.filter(|nevra| names.contains(nevra.name.as_str())) {
                offered.entry(&nevra.name).or_default().insert(nevra);
            }
        }
        let without: BTreeSet<&str> = without.iter().map(String::as_str).collect();
        let (mut versions, mut chosen_badly) = (BTreeMap::new(), Vec::new());
        for name in names {
            if without.contains(name) {
                versions.insert(name, None);
                continue;
            }
            let gone: Vec<&Nevra> = rejected.iter().copied().filter(|nevra| nevra.name == name).collect();
            let common = offered.get(name).map(|offered| common(&gone, offered)).unwrap_or_default();
            let version = match chosen.get(name) {
                Some(evr) => {
                    let found = common.iter().find(|one| **one == evr).copied();
                    if found.is_none() {
                        chosen_badly.push(format!("`{name}-{evr}`"));
                    }
                    found
                }
                None => {
                    let is_older = |evr: &&&Evr| gone.iter().all(|nevra| evr.rpm_cmp(&nevra.evr).is_lt());
                    common.iter().filter(is_older).max_by(|a, b| a.rpm_cmp(b)).copied()
                }
            };
            versions.insert(name, version);
        }
        Back { stage: &stage.name, rejected, offered, versions, chosen_badly, without }
    }

    /// Says what a meta-package must pin instead of what is rejected.
    pub(super) fn otherwise(&self, (_, package): &Known<'_>) -> Otherwise {
        let mut otherwise = Otherwise::default();
        for pin in pins_of(package) {
            let Some(version) = self.versions.get(pin.name.as_str()) else { continue };
            let pins = self.rejected.iter().any(|nevra| pin.is_met_by(nevra));
            let is_met_then = version.is_some_and(|evr| pin.admits(evr) && self.offers(&pin, evr));
            // Another version that stays on offer may do as well.
            if pins && !is_met_then && !is_met(&pin, &self.rejected, self.stays(&pin.name)) {
                otherwise.pin(&pin, *version);
            }
        }
        otherwise
    }

    fn stays(&self, name: &str) -> impl Iterator<Item = &'a Nevra> {
        self.offered.get(name).into_iter().flatten().copied()
    }

    /// Says whether a version stays on offer for the hosts that a pin is for.
    fn offers(&self, pin: &Pin, evr: &Evr) -> bool {
        let rejected = self.rejected.iter().copied().filter(|nevra| nevra.name == pin.name);
        let known: Vec<&Nevra> = self.stays(&pin.name).chain(rejected).collect();
        self.stays(&pin.name).any(|one| one.evr == *evr && is_for_hosts(pin, one, &known))
    }

    /// Names what a meta-package would have to pin, and what is not offered to those who would need it: all pins of a name
    /// go back together, also of a word size that nobody rejected.
    fn missing(&self, known: &Known<'_>) -> Vec<String> {
        let otherwise = self.otherwise(known);
        let without = otherwise.without.iter().filter(|name| !self.without.contains(name.as_str()));
        let mut missing: Vec<String> =
            without.map(|name| format!("pins `{name}`, and no older version of it is offered")).collect();
        for pin in pins_of(known.1).iter().filter(|pin| !pin.is_rich) {
            let Some(evr) = otherwise.pins.get(&pin.name) else { continue };
            if !pin.admits(evr) && !self.offers(pin, evr) {
                missing.push(format!("pins `{}`, and {evr} of it is not offered", pin.component()));
            }
        }
        missing
    }

    /// Refuses if a meta-package pins something of which there is no version to go back to.
    pub(super) fn is_possible(&self, stays: &[Known<'_>], remaking: &Remaking<'_>) -> Result<(), Refusal> {
        if !self.chosen_badly.is_empty() {
            let what = self.chosen_badly.join(", ");
            let sentence =
                format!("{what}: no repository that hosts of `{}` draw from offers that version", self.stage);
            return Err(Refusal::new(Code::NoVersionBefore, sentence));
        }
        let mut reasons = Vec::new();
        for known in stays.iter().filter(|(_, package)| remaking.meta_packages.has(package)) {
            let missing = self.missing(known).into_iter();
            reasons.extend(missing.map(|words| format!("`{}` {words}", known.0.nevra)));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let sentence = match reasons.as_slice() {
            [one] => one.clone(),
            several => {
                format!("of {} pins no older version is offered to hosts of `{}`", several.len(), self.stage)
            }
        };
        let hint = "promote the version before to a stage that hosts draw from, or name it in `without` so that it is pinned no more";
        Err(Refusal::new(Code::NoVersionBefore, sentence).reasons(reasons).hint(hint))
    }

    /// Finds older meta-packages that pin what is no longer there: they leave rather than rise above newer ones.
    pub(super) fn left_behind(
        &self,
        older: &[Known<'_>],
        made: &[Remake],
        remaking: &Remaking<'_>,
    ) -> Vec<Listed> {
        let is_left = |known: &&Known<'_>| {
            remaking.meta_packages.has(known.1)
                && (!self.otherwise(known).is_nothing() || pins_one_of(known.1, made))
        };
        older.iter().filter(is_left).map(|(listed, _)| (*listed).clone()).collect()
    }

    /// Refuses to leave behind what pins something that is no longer there and is not built anew.
    pub(super) fn is_whole(
        &self,
        stays: &[Known<'_>],
        made: &[Remake],
        remaking: &Remaking<'_>,
    ) -> Result<(), Refusal> {
        let is_broken = |known: &&Known<'_>| {
            !remaking.meta_packages.has(known.1)
                && (!self.otherwise(known).is_nothing() || pins_one_of(known.1, made))
        };
        let broken = stays.iter().filter(is_broken).map(|(listed, _)| format!("`{}`", listed.nevra));
        let reasons: Vec<String> =
            broken.map(|name| format!("{name} pins what leaves, and brings files")).collect();
        if reasons.is_empty() {
            return Ok(());
        }
        let sentence = match reasons.as_slice() {
            [one] => one.clone(),
            several => format!("{} packages that are no meta-packages pin what leaves", several.len()),
        };
        let hint =
            "reject them as well, or name them in `meta_packages` of the stage if they are to be built anew";
        Err(Refusal::new(Code::NotAMetaPackage, sentence).reasons(reasons).hint(hint))
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let without = self.versions.iter().filter(|(_, version)| version.is_none());
        let note = |name: &str| {
            format!(
                "no older version of `{name}` is offered: hosts that have it keep it until they remove it"
            )
        };
        without.map(|(name, _)| note(name)).collect()
    }
}

/// Says whether a package pins something in the version that something newer takes the place of.
fn pins_one_of(package: &closure::Package, made: &[Remake]) -> bool {
    let pins = pins_of(package);
    let is_left =
        |pin: &Pin, remake: &Remake| pin.is_met_by(&remake.of.nevra) && !pin.is_met_by(&remake.becomes);
    made.iter().any(|remake| pins.iter().any(|pin| is_left(pin, remake)))
}

/// The versions that are offered for every architecture of which one is gone.
fn common<'a>(gone: &[&Nevra], offered: &BTreeSet<&'a Nevra>) -> BTreeSet<&'a Evr> {
    // What becomes a noarch package, or was one, goes on under its name.
    let follows = |one: &Nevra, gone: &Nevra| {
        one.arch == gone.arch || [one, gone].iter().any(|nevra| nevra.arch.as_str() == "noarch")
    };
    let all = gone.iter().map(|gone| {
        let of_arch = offered.iter().filter(|one| follows(one, gone));
        of_arch.map(|one| &one.evr).collect::<BTreeSet<&'a Evr>>()
    });
    all.reduce(|all, here| &all & &here).unwrap_or_default()
}
