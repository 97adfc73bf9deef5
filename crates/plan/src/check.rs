//! The invariants a plan must keep, looked at without knowing how the plan was made.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Nevra, Sha256};

use crate::decide::is_generation_name;
use crate::layout::Repository;
use crate::plan::{Change, Plan};
use crate::recorded::Effected;
use crate::standing::{Decided, Variant};
use crate::world::{Listed, World, digest_of_set};

/// Says which invariant a plan would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The number of the invariant, such as `I13`.
    pub invariant: &'static str,
    /// What is wrong, in words.
    pub words: String,
}

/// Lists the invariants that a plan would break in a world; a plan with any must not be carried out.
///
/// Looks at what can be seen on a plan: I1 (the current generation stays), I7 (no link is removed that nobody
/// knows), I8 (nothing promised is removed), I9 (names are never bound anew), I10 (what does not change is not
/// touched), I11 (never in neither), I12 (conservation) and I13 (one file per name). It knows nothing of where
/// an import's packages come from, nor of roles and gates.
pub fn check(world: &World, plan: &Plan) -> Vec<Violation> {
    let mut found = Found { world, plan, violations: Vec::new() };
    for (repository, change) in &plan.changes {
        found.conservation(repository, change);
        found.digests(repository, change);
        found.causes(repository, change);
    }
    found.never_in_neither();
    found.one_file_per_name();
    found.names();
    found.links();
    found.metadata();
    found.generations();
    found.new_repositories();
    found.views();
    found.violations
}

struct Found<'a> {
    world: &'a World,
    plan: &'a Plan,
    violations: Vec<Violation>,
}

impl<'a> Found<'a> {
    fn add(&mut self, invariant: &'static str, words: String) {
        self.violations.push(Violation { invariant, words });
    }

    fn before(&self, repository: &Repository) -> &'a [Listed] {
        self.world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default()
    }

    fn after(&self, repository: &Repository) -> Vec<&'a Listed> {
        let Some(change) = self.plan.changes.get(repository) else {
            return self.before(repository).iter().collect();
        };
        let left: BTreeSet<&Sha256> = change.leave.iter().map(|listed| &listed.pkgid).collect();
        let stay = self.before(repository).iter().filter(|listed| !left.contains(&listed.pkgid));
        stay.chain(&change.enter).collect()
    }

    fn conservation(&mut self, repository: &Repository, change: &Change) {
        let known = self.world.repositories.contains_key(repository)
            || self.plan.new_repositories.contains(repository);
        if !known || !self.world.layout.has(repository) {
            self.add("I12", format!("`{repository}` changes and does not exist"));
        }
        let before: BTreeMap<&Sha256, &Listed> =
            self.before(repository).iter().map(|listed| (&listed.pkgid, listed)).collect();
        for left in &change.leave {
            if before.get(&left.pkgid).is_none_or(|listed| listed.nevra != left.nevra) {
                self.add("I12", format!("`{}` leaves `{repository}`, which does not list it", left.nevra));
            }
        }
        for entered in &change.enter {
            if before.contains_key(&entered.pkgid) {
                self.add("I12", format!("`{}` enters `{repository}`, which lists it already", entered.nevra));
            }
        }
        for (words, moved) in [("enters", &change.enter), ("leaves", &change.leave)] {
            let mut seen = BTreeSet::new();
            for listed in moved {
                if !seen.insert(&listed.pkgid) {
                    self.add("I12", format!("`{}` {words} `{repository}` twice", listed.nevra));
                }
            }
        }
        if change.enter.is_empty() && change.leave.is_empty() {
            self.add("I10", format!("`{repository}` is touched and does not change"));
        }
    }

    fn digests(&mut self, repository: &Repository, change: &Change) {
        if change.before != digest_of_set(self.before(repository)) {
            self.add("I12", format!("the digest of `{repository}` before is not that of what it lists"));
        }
        if change.after != digest_of_set(self.after(repository)) {
            self.add("I12", format!("the digest of `{repository}` after is not that of what it will list"));
        }
    }

    /// A package enters by import, from another stage, or from an earlier generation; and only some actions
    /// let it leave.
    fn causes(&mut self, repository: &Repository, change: &Change) {
        let listed_in = |listed: &Listed, repositories: &BTreeMap<Repository, Vec<Listed>>, here: bool| {
            repositories.iter().any(|(other, list)| {
                (if here { other == repository } else { other.is_same_but_stage(repository) })
                    && list.iter().any(|one| one.pkgid == listed.pkgid)
            })
        };
        for entered in &change.enter {
            let has_cause = match self.plan.action.as_str() {
                "import" | "adopt" => true,
                "promote" => listed_in(entered, &self.world.repositories, false) || self.is_rebuilt(entered),
                "rollback" => self.is_rebuilt(entered),
                "undo" => self.is_undone(|effect| effect.took(repository, &entered.pkgid)),
                "revert" => self.world.past.values().any(|past| listed_in(entered, past, true)),
                _ => false,
            };
            if !has_cause {
                let words = format!("`{}` enters `{repository}` out of nowhere", entered.nevra);
                self.add("I12", words);
            }
        }
        for left in &change.leave {
            let has_cause = match self.plan.action.as_str() {
                "import" => is_superseded(left, change),
                "promote" | "withdraw" | "rollback" | "revert" => true,
                "undo" => self.is_undone(|effect| effect.brought(repository, &left.pkgid)),
                "overlap" => self.overlap_is_over(repository, left),
                "purge" => self.plan.purged.contains(&left.pkgid),
                _ => false,
            };
            if !has_cause {
                self.add("I12", format!("`{}` leaves `{repository}` without a cause", left.nevra));
            }
        }
    }

    /// Whether a request of which something is on record did what a plan is the inverse of.
    fn is_undone(&self, did: impl Fn(&Effected) -> bool) -> bool {
        self.world.recorded.iter().filter_map(|one| one.effect.as_ref()).any(did)
    }

    fn never_in_neither(&mut self) {
        if !["promote", "overlap"].contains(&self.plan.action.as_str()) {
            return;
        }
        for (repository, change) in &self.plan.changes {
            let siblings: BTreeSet<&Repository> =
                self.world.repositories.keys().chain(self.plan.changes.keys()).collect();
            let leaving: BTreeSet<&Sha256> = change.leave.iter().map(|left| &left.pkgid).collect();
            let mut elsewhere: BTreeSet<&Sha256> = BTreeSet::new();
            for other in siblings.into_iter().filter(|other| other.is_same_but_stage(repository)) {
                let listed = self.after(other).into_iter().map(|listed| &listed.pkgid);
                elsewhere.extend(listed.filter(|one| leaving.contains(one)));
            }
            for left in &change.leave {
                if self.leaves_too_early(repository, left) && !is_superseded(left, change) {
                    let words = format!("`{}` leaves `{repository}` before its overlap is over", left.nevra);
                    self.add("I11", words);
                }
                let is_followed = self.plan.action == "overlap" && self.is_followed(repository, left)
                    || self.is_made_into_another(repository, left);
                if !elsewhere.contains(&left.pkgid) && !is_superseded(left, change) && !is_followed {
                    self.add(
                        "I11",
                        format!("`{}` leaves `{repository}` and is then in no stage", left.nevra),
                    );
                }
            }
        }
    }

    /// Whether the plan makes a package anew, of another of its name, version and architecture that is listed, and never of
    /// an older release.
    fn is_rebuilt(&self, entered: &Listed) -> bool {
        let all = || self.world.repositories.values().flatten();
        self.plan.rebuilt.iter().filter(|rebuilt| rebuilt.made == *entered).any(|rebuilt| {
            let (of, made) = (&rebuilt.of, &entered.nevra);
            let is_of = of.name == made.name
                && of.arch == made.arch
                && (of.evr.epoch, &of.evr.version) == (made.evr.epoch, &made.evr.version)
                && of.evr.rpm_cmp(&made.evr).is_le();
            is_of && all().any(|listed| listed.pkgid == rebuilt.recipe.of && listed.nevra == *of)
        })
    }

    /// Whether what was made of a package is listed in a stage.
    fn is_made_into_another(&self, repository: &Repository, left: &Listed) -> bool {
        let made = self.plan.rebuilt.iter().filter(|rebuilt| rebuilt.recipe.of == left.pkgid);
        let made: BTreeSet<&Sha256> = made.map(|rebuilt| &rebuilt.made.pkgid).collect();
        let stages = self.plan.changes.keys();
        let mut stages = stages.filter(|other| *other == repository || other.is_same_but_stage(repository));
        stages.any(|other| self.after(other).into_iter().any(|listed| made.contains(&listed.pkgid)))
    }

    fn overlap_is_over(&self, repository: &Repository, left: &Listed) -> bool {
        let overlapping = self.world.overlapping.get(repository);
        overlapping.and_then(|all| all.get(&left.pkgid)).is_some_and(|until| *until <= self.world.proven())
    }

    /// Whether a promotion takes a package out of a stage that only routes with an overlap lead from.
    fn leaves_too_early(&self, repository: &Repository, left: &Listed) -> bool {
        let product = self.world.layout.products.get(&repository.product);
        let mut routes = product
            .into_iter()
            .flat_map(|product| &product.routes)
            .filter(|route| {
                let target = self.plan.changes.get(&repository.in_stage(&route.to));
                route.from == repository.stage
                    && target.is_some_and(|change| change.enter.iter().any(|one| one.pkgid == left.pkgid))
            })
            .peekable();
        self.plan.action == "promote"
            && routes.peek().is_some()
            && routes.all(|route| !route.overlap.is_zero())
    }

    /// Whether another stage lists something newer of the name.
    fn is_followed(&self, repository: &Repository, left: &Listed) -> bool {
        let others = self.world.repositories.keys().filter(|other| other.is_same_but_stage(repository));
        others.flat_map(|other| self.after(other)).any(|one| is_newer(one, left))
    }

    fn one_file_per_name(&mut self) {
        let mut entering: BTreeMap<&Nevra, BTreeSet<(&Sha256, &Repository)>> = BTreeMap::new();
        for (repository, change) in &self.plan.changes {
            for entered in &change.enter {
                entering.entry(&entered.nevra).or_default().insert((&entered.pkgid, repository));
            }
        }
        let repositories: BTreeSet<&Repository> =
            self.world.repositories.keys().chain(self.plan.changes.keys()).collect();
        for repository in repositories {
            for listed in self.after(repository) {
                for (pkgid, target) in entering.get(&listed.nevra).into_iter().flatten() {
                    let may = *target != repository
                        && (!self.may_clash(target, repository)
                            || self.world.standing.variant(&listed.nevra, pkgid, &listed.pkgid).is_some());
                    if **pkgid != listed.pkgid && !may {
                        let words = format!(
                            "`{}` enters `{target}` with other content than `{repository}` lists under the name",
                            listed.nevra
                        );
                        self.add("I13", words);
                    }
                }
            }
        }
        let ended: BTreeSet<&String> = (self.plan.decided.iter())
            .filter_map(|decided| match decided {
                Decided::VariantEnded(id) => Some(id),
                _ => None,
            })
            .collect();
        for variant in ended.iter().filter_map(|id| self.world.standing.variants.get(*id)) {
            let [one, other] = &variant.digests;
            let is_about = |other: &Variant| {
                other.is_decided() && other.is_about(&variant.package, one, &variant.digests[1])
            };
            let mut others = self.world.standing.variants.iter().filter(|(id, _)| !ended.contains(id));
            let is_listed = |digest: &Sha256| {
                let mut all = self.world.repositories.keys().flat_map(|repository| self.after(repository));
                all.any(|listed| listed.pkgid == *digest)
            };
            if variant.is_decided()
                && is_listed(one)
                && is_listed(other)
                && !others.any(|(_, other)| is_about(other))
            {
                let words = format!("nothing lets two files be called `{}` any more", variant.package);
                self.add("I13", words);
            }
        }
    }

    /// A promotion brings nothing that its product does not list already.
    fn may_clash(&self, target: &Repository, other: &Repository) -> bool {
        self.plan.action != "promote" || target.product == other.product
    }

    fn names(&mut self) {
        for (name, bound) in &self.plan.names {
            let known = self.world.names.get(name);
            match (bound, known) {
                (Some(number), Some(named)) if named.generation != *number => {
                    let words = format!(
                        "the name `{name}` of generation {} would be bound to {number}",
                        named.generation
                    );
                    self.add("I9", words);
                }
                (Some(number), Some(named)) if named.ended => {
                    let words = format!("the ended name `{name}` would be bound again to {number}");
                    self.add("I9", words);
                }
                (Some(number), _) if !self.world.keeps(*number) => {
                    self.add(
                        "I9",
                        format!("the name `{name}` would be bound to {number}, which is not kept"),
                    );
                }
                (None, None) => self.add("I9", format!("the name `{name}` would end and was never given")),
                _ => {}
            }
            if bound.is_some() && !is_generation_name(name) {
                self.add("I9", format!("`{name}` cannot be the name of a generation"));
            }
        }
    }

    fn links(&mut self) {
        if self.plan.drop_links.is_empty() && self.plan.drop_pool.is_empty() {
            return;
        }
        let mut pooled = BTreeSet::new();
        let mut listed = BTreeSet::new();
        for repository in self.world.repositories.keys() {
            listed.extend(self.after(repository).into_iter().map(|listed| listed.link(repository)));
            pooled.extend(self.after(repository).into_iter().map(Listed::pooled));
        }
        for file in &self.plan.drop_pool {
            let until = self.world.unlinked.get(file).copied();
            match until {
                _ if pooled.contains(file) => {
                    self.add("I8", format!("`{file}` would be removed and is listed"));
                }
                None => self.add("I8", format!("`{file}` would be removed and something links to it")),
                Some(until) if until.is_none_or(|until| until > self.world.proven()) => {
                    self.add("I8", format!("`{file}` would be removed before its time is over"));
                }
                Some(_) => {}
            }
        }
        for link in &self.plan.drop_links {
            if listed.contains(link) {
                self.add("I8", format!("`{link}` would be removed and is listed"));
            }
            if self.is_purged(link) {
                continue;
            }
            if self.world.listed_by_kept.contains(link) {
                self.add("I8", format!("`{link}` would be removed and a kept generation lists it"));
            }
            match self.world.retained.get(link) {
                None => self.add("I7", format!("`{link}` would be removed and is not known to be there")),
                Some(until) if *until > self.world.proven() => {
                    self.add("I8", format!("`{link}` would be removed and is promised until {until}"));
                }
                Some(_) => {}
            }
        }
    }

    /// Says whether a link leads to what is purged: the one thing that no promise holds.
    fn is_purged(&self, link: &str) -> bool {
        self.plan.purged.iter().any(|digest| {
            link == format!("pool/{}/{digest}.rpm", digest.shard())
                || self.world.holders.get(digest).is_some_and(|holders| holders.links.contains(link))
        })
    }

    fn metadata(&mut self) {
        if self.plan.sweeps_metadata && !self.world.expired_metadata {
            self.add("I8", "metadata would be removed and all of it is promised".to_owned());
        }
    }

    fn generations(&mut self) {
        for number in &self.plan.drop_generations {
            let ends = |name: &String| self.plan.names.get(name) == Some(&None);
            let live = self
                .world
                .names
                .iter()
                .find(|(name, named)| !named.ended && named.generation == *number && !ends(name));
            if let Some((name, _)) = live {
                self.add("I8", format!("generation {number} would be removed and bears the name `{name}`"));
            }
            let purged = self.plan.purged.iter().filter_map(|digest| self.world.holders.get(digest));
            if purged.clone().any(|holders| holders.generations.contains(number)) {
                continue;
            }
            if *number >= self.world.generation {
                self.add("I1", format!("generation {number} would be removed and is not superseded"));
            }
            if self.plan.names.values().any(|bound| *bound == Some(*number)) {
                self.add("I8", format!("generation {number} would be removed and named at once"));
            }
            match self.world.kept_until.get(number) {
                Some(until) if *until <= self.world.proven() => {}
                until => {
                    let words = until.map(|until| format!(" until {until}")).unwrap_or_default();
                    self.add("I8", format!("generation {number} would be removed and is promised{words}"));
                }
            }
        }
    }

    fn views(&mut self) {
        for repository in &self.plan.views {
            if !self.world.repositories.contains_key(repository) || !self.world.layout.has(repository) {
                self.add("I12", format!("the views of `{repository}` would change and it does not exist"));
            }
        }
    }

    fn new_repositories(&mut self) {
        for repository in &self.plan.new_repositories {
            if self.world.repositories.contains_key(repository) {
                self.add("I12", format!("`{repository}` would appear and is there already"));
            }
            if !self.world.layout.has(repository) {
                self.add("I12", format!("`{repository}` would appear and nobody configured it"));
            }
        }
    }
}

/// Says whether something newer of the same name and architecture enters in its place.
fn is_superseded(left: &Listed, change: &Change) -> bool {
    change.enter.iter().any(|entered| is_newer(entered, left))
}

/// Says whether one is newer than the other, of the same name and architecture.
pub(crate) fn is_newer(one: &Listed, other: &Listed) -> bool {
    one.nevra.name == other.nevra.name
        && one.nevra.arch == other.nevra.arch
        && one.nevra.evr.rpm_cmp(&other.nevra.evr).is_gt()
}

#[cfg(test)]
mod tests;
