//! What is left to do once a generation is in force and its requests are answered.

use camino::Utf8Path;

use crate::planted::{self, Bug};
use crate::trees::{OPEN_DIRECTORY, sha256_of};
use crate::{Error, Lock, Manifest, Store};

impl Store {
    /// Removes what generation `number`, the one in force, drops, and then `staging/N`.
    ///
    /// Call it after the answers were written: as long as `staging/N` is there, [`Store::recover`] says that
    /// answers may be missing. It may be interrupted anywhere and repeated; after the last step it does
    /// nothing. Manifests of dropped generations stay in `history/`.
    pub fn finish(&self, lock: &Lock, number: u64) -> Result<(), Error> {
        self.demand(lock)?;
        let staging = self.paths.staging_of(number);
        if self.disk.state(&staging)?.is_none() {
            return self.disk.sync_directory(&self.paths.staging());
        }
        if self.pointed()? != Some(number) {
            return Err(Error::NotInForce { number });
        }
        let manifest = self.history(number)?;
        if planted::is(Bug::AnsweredBeforeTheLastSync) {
            self.disk.sync_directory(&self.paths.public())?;
            self.make_names(&manifest.names, &staging.join("name"))?;
        }
        let is_pooled = |link: &&String| link.starts_with("pool/");
        if !planted::is(Bug::DroppedBeforeTheFlip) {
            self.drop_links(manifest.drop_links.iter().filter(|link| !is_pooled(link)))?;
        }
        self.drop_generations(&manifest, &staging)?;
        // A package goes last: as long as it is in the pool, it is known what its other names lead to.
        self.drop_pooled(manifest.drop_links.iter().filter(is_pooled))?;
        self.forget_numbers(number)?;
        self.remove_tree(&staging)?;
        self.disk.sync_directory(&self.paths.staging())
    }

    fn drop_generations(&self, manifest: &Manifest, staging: &Utf8Path) -> Result<(), Error> {
        let paths = &self.paths;
        for &number in &manifest.drop_generations {
            self.remember(number, staging)?;
            // The public half first: nobody shall be led to a generation whose private half is gone.
            for (half, name) in [
                (paths.public_half(number), format!("dropped-{number}-public")),
                (paths.private_half(number), format!("dropped-{number}-private")),
            ] {
                self.take_away(&half, &staging.join(name))?;
            }
        }
        Ok(())
    }

    /// Copies the manifest of a generation that is about to go into `history/`, durably.
    fn remember(&self, number: u64, staging: &Utf8Path) -> Result<(), Error> {
        let kept = self.paths.private_half(number).join("manifest.json");
        let past = self.paths.history_of(number);
        if self.disk.state(&kept)?.is_some() {
            let bytes = self.read_whole(&kept)?;
            match self.disk.state(&past)? {
                Some(_) if self.digest_of(&past)? != sha256_of(&bytes) => {
                    let what = format!("it is not the manifest of the kept generation {number}");
                    return Err(Error::Differs { path: past, what });
                }
                Some(_) => {}
                None => {
                    let copy = staging.join(format!("history-{number}.json"));
                    self.remove_tree(&copy)?;
                    self.write_file(&copy, &bytes, None)?.sync()?;
                    self.disk.rename(&copy, &past)?;
                }
            }
        }
        self.disk.sync_directory(&self.paths.history())
    }

    fn take_away(&self, half: &Utf8Path, away: &Utf8Path) -> Result<(), Error> {
        self.remove_tree(away)?;
        if self.disk.state(half)?.is_some() {
            // A sealed directory cannot change its parent.
            self.disk.set_mode(half, OPEN_DIRECTORY)?;
            self.disk.rename(half, away)?;
        }
        for dir in [away.parent(), half.parent()].into_iter().flatten() {
            self.disk.sync_directory(dir)?;
        }
        self.remove_tree(away)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::Workshop;
    use crate::{Disk, PosixDisk};

    fn dropping(shop: &Workshop) -> (u64, String) {
        let mut draft = shop.plain();
        let made = shop.store.history(1).unwrap().links_made;
        let link = made.into_iter().find(|link| link.starts_with("packages/")).unwrap();
        draft.drop_links.insert(link.clone());
        draft.drop_generations.insert(1);
        let number = shop.store.commit(&shop.lock, draft).unwrap().number;
        (number, link)
    }

    #[test]
    fn what_a_generation_drops_stays_until_it_is_finished() {
        let shop = Workshop::with(2);
        let (number, link) = dropping(&shop);
        let manifest = shop.read("generations/1/manifest.json");
        assert!(shop.has(&format!("public/{link}")) && shop.has("public/@1"));
        shop.store.finish(&shop.lock, number).unwrap();
        let dir = shop.at(&format!("public/{link}")).parent().unwrap().to_owned();
        assert_eq!(PosixDisk.state(&dir).unwrap(), None, "an empty directory is left");
        assert!(!shop.has("public/@1") && !shop.has("generations/1"));
        assert_eq!(shop.read("history/1.json"), manifest);
        assert_eq!(shop.store.history(1).unwrap().number, 1);
        assert_eq!(shop.names("staging"), ["import"]);
        assert!(
            shop.has("public/@2") && shop.store.generation(2).is_ok(),
            "the parent of 2 is found in history"
        );
    }

    #[test]
    fn finishing_twice_changes_nothing() {
        let shop = Workshop::with(2);
        let (number, _) = dropping(&shop);
        shop.store.finish(&shop.lock, number).unwrap();
        let before = shop.picture();
        shop.store.finish(&shop.lock, number).unwrap();
        assert_eq!(shop.picture(), before);
    }

    #[test]
    fn finishing_goes_on_wherever_it_was_interrupted() {
        type Leave = fn(&Workshop);
        let cases: [Leave; 4] = [
            |shop| {
                PosixDisk.set_mode(&shop.at("public/@1"), 0o755).unwrap();
                PosixDisk.rename(&shop.at("public/@1"), &shop.at("staging/3/dropped-1-public")).unwrap();
            },
            |shop| {
                shop.write("history/1.json", &shop.read("generations/1/manifest.json"));
                shop.store.remove_tree(&shop.at("public/@1")).unwrap();
            },
            |shop| {
                shop.write("history/1.json", &shop.read("generations/1/manifest.json"));
                shop.store.remove_tree(&shop.at("public/@1")).unwrap();
                PosixDisk.set_mode(&shop.at("generations/1"), 0o755).unwrap();
                PosixDisk.rename(&shop.at("generations/1"), &shop.at("staging/3/dropped-1-private")).unwrap();
            },
            |shop| {
                shop.write("staging/3/history-1.json", "torn");
                shop.store.remove_tree(&shop.at("staging/3/links.json")).unwrap();
            },
        ];
        for (case, leave) in cases.into_iter().enumerate() {
            let shop = Workshop::with(2);
            dropping(&shop);
            leave(&shop);
            assert_eq!(
                shop.store.recover(&shop.lock).unwrap(),
                crate::Recovery::Visible { number: 3 },
                "{case}"
            );
            shop.store.finish(&shop.lock, 3).unwrap();
            assert_eq!(shop.store.numbers().unwrap(), [2, 3], "{case}");
            assert_eq!((shop.names("generations").len(), shop.names("history").len()), (2, 1), "{case}");
            shop.publish();
        }
    }

    #[test]
    fn only_the_generation_in_force_is_finished() {
        let shop = Workshop::with(1);
        PosixDisk.make_directory(&shop.at("staging/2"), 0o755).unwrap();
        assert!(matches!(shop.store.finish(&shop.lock, 2), Err(Error::NotInForce { number: 2 })));
        assert!(shop.has("staging/2"));
    }
}
