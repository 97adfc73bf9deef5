//! Reads into the world of a line what its requests depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};
use nevra::{Algorithm, Sha256};
use plan::{Action, Asker, Existing, NamedGeneration, Repository, World};
use store::planted::{self, Bug};
use store::{Generation, Manifest};

use super::Line;
use crate::account::Account;
use crate::adoption::{Adopted, Place};
use crate::config::{AllowedSigner, accounts};
use crate::engine::Engine;
use crate::error::Error;
use crate::frozen;
use crate::observe::Shelf;
use crate::promises::fill_unlinked;
use crate::publish::hosts;
use crate::views;
use crate::waiting::Waiting;
use crate::writing::Wanted;

impl Line<'_> {
    /// Tells the world which repositories there are, and what those list that are to be written in another form,
    /// or whose views follow the configuration.
    pub(super) fn load_names(&mut self) -> Result<(), Error> {
        let Some((generation, account)) = self.current else { return Ok(()) };
        let now = self.now.max(self.world.witnessed);
        self.world.outdated_files = hosts::outdated(&self.engine.config, (generation, account), now);
        for shelved in account.repositories.values() {
            let repository = shelved.repository();
            if !self.world.layout.has(&repository) {
                self.world.strangers.insert(repository.name());
                continue;
            }
            let mut listed = Vec::new();
            let has_other_form = {
                let standing = &account.standing;
                Wanted::of(&self.engine.config, standing, &repository)?.recorded() != shelved.form
            };
            let has_other_views = views::differ(&self.world.layout, (generation, account), &repository);
            if has_other_form || has_other_views {
                let shelf = self.engine.catalogue.shelf(&self.engine.store, generation, shelved)?;
                self.remember(&shelf);
                listed = shelf.listed.clone();
                self.world.beside.insert(repository.clone(), shelf.beside.said(&shelf.repomd));
                self.before.insert(repository.clone(), shelf);
                if has_other_form {
                    self.world.other_forms.insert(repository.clone());
                }
                if has_other_views {
                    self.world.other_views.insert(repository.clone());
                }
            }
            self.world.repositories.insert(repository, listed);
        }
        Ok(())
    }

    /// Reads into the world what deciding this request needs, unless it is there.
    pub(super) fn load(&mut self, waiting: &Waiting) -> Result<(), Error> {
        let needs = plan::needs(&waiting.request, &self.world.layout, &self.world.names);
        let Some((generation, account)) = self.current else { return Ok(()) };
        for shelved in account.repositories.values() {
            let repository = shelved.repository();
            let wanted = needs.all_links || needs.repositories.contains(&repository);
            if !wanted || self.before.contains_key(&repository) {
                continue;
            }
            let shelf = self.engine.catalogue.shelf(&self.engine.store, generation, shelved)?;
            self.remember(&shelf);
            self.world.repositories.insert(repository.clone(), shelf.listed.clone());
            self.world.beside.insert(repository.clone(), shelf.beside.said(&shelf.repomd));
            self.before.insert(repository, shelf);
        }
        if let Some(number) = needs.past.filter(|number| self.world.kept_generations.contains(number)) {
            self.load_past(number, &needs.past_repositories)?;
        }
        if needs.all_links {
            self.load_links()?;
        }
        self.engine.soaking.fill(&mut self.world, &self.engine.store, &needs.entered)?;
        if let Some(name) = &needs.recorded {
            self.load_recorded(name, waiting)?;
        }
        if needs.holders {
            let holders = self.engine.store.holders()?.into_iter().map(|(digest, holders)| {
                let store::Holders { links, generations } = holders;
                (digest, plan::Holders { links, generations })
            });
            self.world.holders = holders.collect();
            self.world.holders.retain(|digest, _| !self.world.purged.contains(digest));
        }
        self.world.existing = match &waiting.adopted {
            Some(adopted) => Some(self.existing(waiting, adopted)?),
            None => None,
        };
        if let Some(brought) = &waiting.arrived {
            self.known.add_brought(brought);
        }
        for arrived in waiting.packages() {
            let pool = arrived.pool.as_ref().map(|pool| (pool.digest, pool.from.clone()));
            self.arriving.extend(pool);
        }
        Ok(())
    }

    /// Describes an existing repository to the plan, with what answers under its old hrefs now.
    pub(super) fn existing(&self, waiting: &Waiting, adopted: &Adopted) -> Result<Existing, Error> {
        let mut existing = adopted.existing();
        let Action::Adopt { product, stage, platform, kind, .. } = &waiting.request.action else {
            return Ok(existing);
        };
        let product = self.world.layout.products.get(product);
        let target = product
            .zip(platform.parse().ok())
            .map(|(product, platform)| product.repository(&platform, stage, *kind));
        let Some((target, (current, _))) = target.zip(self.current) else { return Ok(existing) };
        let Some(path) = self.world.layout.path(&target) else { return Ok(existing) };
        for arrived in waiting.packages() {
            let href = &arrived.arrival.from;
            let taken = match Place::of(&target, &path, href) {
                Place::File(file) => current.files.public.get(&file).map(|facts| facts.sha256),
                Place::Link(link) if self.world.retained.contains_key(&link) => {
                    Some(self.engine.store.digest_of_link(&link)?)
                }
                Place::Link(_) => None,
            };
            existing.taken.extend(taken.map(|digest| (href.clone(), digest)));
        }
        Ok(existing)
    }

    /// Tells the world what a repository said once, from which what comes back is taken.
    pub(super) fn said_earlier(
        &mut self,
        repository: &Repository,
        shelf: &Shelf,
        (generation, account): (u64, &Account),
    ) {
        let earlier = plan::Earlier {
            generation,
            beside: shelf.beside.said(&shelf.repomd),
            listed: shelf.listed.clone(),
            held: account.standing.held.get(&repository.name()).cloned().unwrap_or_default(),
        };
        self.world.earlier.entry(repository.clone()).or_default().push(earlier);
    }

    pub(super) fn remember(&mut self, shelf: &Arc<Shelf>) {
        self.known.add_shelf(shelf);
        self.named.extend(shelf.named.clone());
    }

    /// Hashes anew what is listed where clients know no SHA-256, as far as no metadata tells.
    pub(super) fn name_for_old_clients(&mut self, waiting: &[Waiting]) -> Result<(), Error> {
        let arrived = waiting.iter().flat_map(Waiting::packages).chain(&self.made);
        let arriving: BTreeMap<Sha256, Utf8PathBuf> = arrived
            .filter_map(|arrived| arrived.pool.as_ref().map(|pool| (pool.digest, pool.from.clone())))
            .collect();
        let is_old = |repository: &&Repository| self.world.layout.writing(repository).is_named_by_sha1;
        let worlds = [&self.world].into_iter().chain(self.candidates.iter().map(|one| &one.after));
        let old = worlds.flat_map(|world| &world.repositories).filter(|(repository, _)| is_old(repository));
        for (_, listed) in old {
            for listed in listed {
                if self.named.contains_key(&listed.pkgid) {
                    continue;
                }
                let pooled = self.engine.store.paths().pool_file(&listed.pkgid);
                let path = arriving.get(&listed.pkgid).unwrap_or(&pooled);
                let mut hasher = repo::Hasher::new(Algorithm::Sha);
                std::io::copy(&mut self.engine.disk.open(path)?, &mut hasher)
                    .map_err(|cause| Error::File { operation: "hash", path: path.clone(), cause })?;
                self.named.insert(listed.pkgid, hasher.finish());
            }
        }
        Ok(())
    }

    /// Reads what `repositories` listed in generation `number`.
    pub(super) fn load_past(
        &mut self,
        number: u64,
        repositories: &BTreeSet<Repository>,
    ) -> Result<(), Error> {
        let generation = self.engine.store.generation(number)?;
        let account = Account::of(number, &generation.manifest.account)?;
        let mut past = BTreeMap::new();
        for shelved in account.repositories.values() {
            let repository = shelved.repository();
            if repositories.contains(&repository) {
                let shelf = self.engine.catalogue.shelf(&self.engine.store, &generation, shelved)?;
                self.remember(&shelf);
                self.said_earlier(&repository, &shelf, (number, &account));
                past.insert(repository, shelf.listed.clone());
            }
        }
        self.world.past.insert(number, past);
        Ok(())
    }

    /// Fills in what a sweep depends on beside the repositories.
    pub(super) fn load_links(&mut self) -> Result<(), Error> {
        let Some((_, account)) = self.current else { return Ok(()) };
        let Engine { disk, store, config, catalogue, chapters, .. } = &mut *self.engine;
        let mut grace = config.grace;
        if planted::is(Bug::GraceForgotten) {
            self.world.retained.values_mut().for_each(|until| *until = Timestamp::MIN);
            grace = SignedDuration::ZERO;
        }
        if planted::is(Bug::NamesForgotten) {
            self.world.names.clear();
        }
        chapters.fill_kept_until(&mut self.world, store, grace)?;
        chapters.fill_listed(&mut self.world, store, &mut |generation, shelved| {
            Ok(catalogue.shelf(store, generation, shelved)?.listed.clone())
        })?;
        fill_unlinked(&mut self.world, &**disk, store, account)
    }
}

/// The names that were given to generations, as the plan sees them.
pub(crate) fn names(manifest: &Manifest) -> BTreeMap<String, NamedGeneration> {
    let named = |named: &store::Named| NamedGeneration { generation: named.generation, ended: named.ended };
    manifest.names.iter().map(|(name, one)| (name.clone(), named(one))).collect()
}

/// The packages that are listed where they were promoted from, as the plan sees them.
pub(crate) fn overlapping(account: &Account) -> BTreeMap<Repository, BTreeMap<Sha256, Timestamp>> {
    let mut known = BTreeMap::new();
    for (name, all) in &account.overlapping {
        let Some(shelved) = account.repositories.get(name) else { continue };
        let mut all = all.clone();
        if planted::is(Bug::OverlapForgotten) {
            all.values_mut().for_each(|until| *until = Timestamp::MIN);
        }
        known.insert(shelved.repository(), all);
    }
    known
}

/// Asks which roles those hold now who approve of something, or agreed to it: a role, an account or a key may be gone since.
fn approvers(engine: &Engine, world: &World) -> BTreeMap<String, Asker> {
    let approvals = world.standing.approvals.iter().map(|approval| &approval.by);
    let variants = world.standing.variants.values().filter(|variant| !variant.is_decided());
    let agreed = variants.flat_map(|variant| &variant.agreed).map(|agreement| &agreement.by);
    let names: BTreeSet<&String> = approvals.chain(agreed).collect();
    let clocks = [world.now, world.witnessed];
    let held = |name: &&String| {
        let (kind, rest) = name.split_once(':')?;
        let roles = &engine.config.roles;
        let uid = match kind {
            "as" => return Some(roles.of_named(rest)),
            "ssh" => {
                let counts = |key: &AllowedSigner| key.name == rest && key.counts_at(clocks);
                return engine.config.allowed_signers.iter().any(counts).then(|| roles.of_ssh(rest));
            }
            "uid" => rest.parse().ok()?,
            _ => accounts::uid_of(rest).ok().flatten()?,
        };
        roles.of(uid).ok().filter(|(now, _)| now == *name)
    };
    names
        .into_iter()
        .filter_map(|name| Some((name.clone(), held(&name)?)))
        .map(|(name, (_, roles))| (name.clone(), Asker { name, roles }))
        .collect()
}

/// What is known before any package was read.
pub(super) fn first_world(
    engine: &Engine,
    current: Option<(&Generation, &Account)>,
    now: Timestamp,
) -> Result<World, Error> {
    let manifest = current.map(|(generation, _)| &generation.manifest);
    let mut world = World::new(
        Arc::clone(&engine.config.layout),
        now,
        current.map_or(0, |(generation, _)| generation.number),
    );
    world.witnessed = engine.witnessing.witness.time;
    if planted::is(Bug::SweepsEarly) {
        world.witnessed = now;
    }
    world.signers = super::signatures::signers(&engine.config);
    world.damaged = engine.damaged.clone();
    world.purged = current.map(|(_, account)| account.purged.clone()).unwrap_or_default();
    world.kept_generations = engine.store.numbers()?.into_iter().collect();
    world.names = manifest.map(names).unwrap_or_default();
    world.retained = manifest.map(|manifest| manifest.retained.clone()).unwrap_or_default();
    world.standing = current.map(|(_, account)| account.standing.clone()).unwrap_or_default();
    world.approvers = approvers(engine, &world);
    world.freeze_files = frozen::files(&*engine.disk, &engine.config.spool, &engine.config.layout)?;
    world.overlapping = current.map(|(_, account)| overlapping(account)).unwrap_or_default();
    let mut files = current.into_iter().flat_map(|(generation, _)| generation.files.public.values());
    let proven = world.proven();
    world.expired_metadata = files.any(|facts| facts.until.is_some_and(|until| until <= proven));
    Ok(world)
}
