//! What leads to the packages of the pool, looked up name by name; and taking all of it away.
//!
//! Only a purge asks: it must know every name of a file, whoever made it, so nothing recorded is trusted here.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use nevra::Sha256;

use crate::{Error, Kind, State, Store};

/// The names of one package beside the one in the pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// Links below `public/`, `packages/...`.
    pub links: BTreeSet<String>,
    /// Generations one of whose halves has the file itself.
    pub generations: BTreeSet<u64>,
}

impl Store {
    /// Lists every package of the pool with what leads to it.
    ///
    /// Looks at every file of `pool/`, `public/packages/` and both halves of all generations: the cost grows with the site.
    pub fn holders(&self) -> Result<BTreeMap<Sha256, Holders>, Error> {
        let mut digests = BTreeMap::new();
        self.walk(&self.paths.pool(), &mut |path, state| {
            let name = path.file_name().and_then(|name| name.strip_suffix(".rpm"));
            if let Some(digest) = name.and_then(|name| name.parse::<Sha256>().ok()) {
                digests.insert(state.inode, digest);
            }
        })?;
        let mut holders: BTreeMap<Sha256, Holders> =
            digests.values().map(|digest| (*digest, Holders::default())).collect();
        let mut hold = |state: State, add: &mut dyn FnMut(&mut Holders)| {
            let digest = digests.get(&state.inode);
            digest.and_then(|digest| holders.get_mut(digest)).into_iter().for_each(add);
        };
        let public = self.paths.public();
        self.walk(&self.paths.packages(), &mut |path, state| {
            let link = path.strip_prefix(&public).map(Utf8Path::to_string).unwrap_or_default();
            hold(state, &mut |holders| holders.links.extend([link.clone()]));
        })?;
        for number in self.numbers()? {
            for half in [self.paths.public_half(number), self.paths.private_half(number)] {
                self.walk(&half, &mut |_, state| {
                    hold(state, &mut |holders| holders.generations.extend([number]));
                })?;
            }
        }
        Ok(holders)
    }

    /// Removes these files of the pool, and empties the quarantine of every abandoned generation that holds one of
    /// them. May be repeated.
    pub(crate) fn drop_pooled<'a>(
        &self,
        links: impl Iterator<Item = &'a String> + Clone,
    ) -> Result<(), Error> {
        let mut shared = BTreeSet::new();
        for link in links.clone() {
            let place = self.paths.link(link);
            let state = place.map(|place| self.disk.state(&place)).transpose()?.flatten();
            shared.extend(state.filter(|state| state.links > 1).map(|state| state.inode));
        }
        if !shared.is_empty() {
            for quarantined in self.quarantined()? {
                let place = self.paths.quarantine_of(quarantined.number);
                let mut holds = false;
                self.walk(&place, &mut |_, state| holds |= shared.contains(&state.inode))?;
                if holds {
                    for name in self.disk.list(&place)?.names {
                        self.remove_tree(&place.join(name))?;
                    }
                    self.disk.sync_directory(&place)?;
                }
            }
        }
        self.drop_links(links)
    }

    /// Shows every regular file below `dir`.
    fn walk(&self, dir: &Utf8Path, see: &mut dyn FnMut(&Utf8Path, State)) -> Result<(), Error> {
        for name in self.disk.list(dir)?.names {
            let path = dir.join(name);
            match self.disk.state(&path)? {
                Some(state) if state.kind == Kind::Directory => self.walk(&path, see)?,
                Some(state) if state.kind == Kind::File => see(&path, state),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::Workshop;
    use crate::{Disk, PosixDisk, Source};

    #[test]
    fn every_name_of_a_package_is_found_and_goes() {
        let shop = Workshop::with(3);
        let link = shop.store.history(1).unwrap().links_made;
        let (pooled, linked): (Vec<_>, Vec<_>) = link
            .into_iter()
            .filter(|link| !link.starts_with("policy/"))
            .partition(|link| link.starts_with("pool/"));
        let digest: Sha256 =
            pooled[0].rsplit('/').next().unwrap().strip_suffix(".rpm").unwrap().parse().unwrap();
        // An abandoned generation holds the file, too.
        PosixDisk.make_directory(&shop.at("quarantine/7"), 0o755).unwrap();
        PosixDisk.make_directory(&shop.at("quarantine/7/public"), 0o755).unwrap();
        PosixDisk.link(&shop.at(&pooled[0]), &shop.at("quarantine/7/public/old.rpm")).unwrap();
        PosixDisk.set_mode(&shop.at("quarantine/7/public"), 0o555).unwrap();

        // A generation has it for staff.
        let mut draft = shop.plain();
        draft.private.insert("staff/bad.rpm".into(), Source::Pooled { digest, until: None });
        let number = shop.store.commit(&shop.lock, draft).unwrap().number;
        shop.store.finish(&shop.lock, number).unwrap();

        let holders = shop.store.holders().unwrap();
        assert_eq!(holders.len(), 3);
        assert_eq!(holders[&digest].generations, BTreeSet::from([number]));
        assert_eq!(holders[&digest].links.iter().collect::<Vec<_>>(), linked.iter().collect::<Vec<_>>());

        let mut draft = shop.plain();
        draft.private.remove(Utf8Path::new("staff/bad.rpm"));
        draft.drop_links.extend(pooled.iter().chain(&linked).cloned());
        draft.drop_generations.insert(number);
        let number = shop.store.commit(&shop.lock, draft).unwrap().number;
        let inode = PosixDisk.state(&shop.at(&pooled[0])).unwrap().unwrap().inode;
        shop.store.finish(&shop.lock, number).unwrap();
        let mut left = 0;
        shop.store
            .walk(shop.store.paths().root(), &mut |_, state| left += u64::from(state.inode == inode))
            .unwrap();
        assert_eq!(left, 0);
        assert!(
            shop.store.next_number().unwrap() > 7,
            "the number of the emptied quarantine is not used again"
        );
    }
}
