//! What is left to do once a generation is in force and its requests are answered.

use camino::Utf8Path;

use crate::planted::{self, Bug};
use crate::trees::{OPEN_DIRECTORY, sha256_of};
use crate::{Error, Generation, Lock, Store};

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
        let Some(generation) = self.current()?.filter(|generation| generation.number == number) else {
            return Err(Error::NotInForce { number });
        };
        if planted::is(Bug::AnsweredBeforeTheLastSync) {
            self.disk.sync_directory(&self.paths.public())?;
            self.make_names(&generation.manifest.names, &staging.join("name"))?;
        }
        if !planted::is(Bug::DroppedBeforeTheFlip) {
            self.drop_links(generation.manifest.drop_links.iter())?;
        }
        self.drop_generations(&generation, &staging)?;
        self.forget_numbers(number)?;
        self.remove_tree(&staging)?;
        self.disk.sync_directory(&self.paths.staging())
    }

    fn drop_generations(&self, generation: &Generation, staging: &Utf8Path) -> Result<(), Error> {
        let paths = &self.paths;
        for &number in &generation.manifest.drop_generations {
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
