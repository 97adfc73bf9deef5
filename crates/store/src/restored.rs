//! A root that was copied back from a backup: what a copy can lose is put right, everything else is left alone.
//!
//! A copy is made while the daemon works, or by a program that was told to forget: it may hold generations newer
//! than the one its `current` names, halves of generations that were being removed, links that nobody announced,
//! two files where there was one with two names, and modes or times of the day of the copy. None of that is
//! damage while the bytes are right, and only bytes that were hashed are believed.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;

use crate::files::FileFacts;
use crate::paths::number_of;
use crate::store::public_number;
use crate::trees::{OPEN_DIRECTORY, SEALED_DIRECTORY, SEALED_FILE, Touched};
use crate::{Error, Generation, Kind, Lock, State, Store};

/// What was put right; nothing here was published or removed from what is promised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    /// Generations above `current`, which lie in `quarantine/` now, lowest first.
    pub put_aside: Vec<u64>,
    /// Generations below it of which a part was missing, which lie in `quarantine/` now, lowest first.
    pub incomplete: Vec<u64>,
    /// Package links that were files of their own and are names of the file in the pool again.
    pub linked: u64,
    /// Packages that were missing in the pool and that a link still held.
    pub pooled: u64,
    /// Package links that no kept generation promises and that are gone.
    pub orphans: u64,
    /// Files and directories whose mode was not that of sealed ones.
    pub modes: u64,
    /// Files with the right bytes and another time than recorded.
    pub times: u64,
    /// Leftovers in `staging/` that are gone.
    pub leftovers: u64,
}

impl Store {
    /// Puts aside what lies above `current`, and generations of which only a part was copied.
    ///
    /// Of a generation above `current` nothing is in force here; where the backup was made somebody may have
    /// seen it, so its number is never used again. Call it before [`Store::recover`].
    pub fn put_aside(&self, lock: &Lock, mended: &mut Mended) -> Result<(), Error> {
        self.demand(lock)?;
        let Some(current) = self.current()? else { return Ok(()) };
        let staged = self.numbers_in(&self.paths.staging(), number_of)?;
        let private = self.numbers_in(&self.paths.generations(), number_of)?;
        let public = self.numbers_in(&self.paths.public(), public_number)?;
        let all: BTreeSet<u64> = [&staged, &private, &public].into_iter().flatten().copied().collect();
        for number in all.range(current.number + 1..) {
            self.quarantine(*number)?;
            mended.put_aside.push(*number);
        }
        for number in all.range(..current.number) {
            let whole = private.contains(number) && public.contains(number);
            if whole && self.generation(*number).is_ok() {
                continue;
            }
            let manifest = self.paths.private_half(*number).join("manifest.json");
            let past = self.paths.history_of(*number);
            if self.disk.state(&past)?.is_none() && self.disk.state(&manifest)?.is_some() {
                let bytes = self.read_whole(&manifest)?;
                self.write_file(&past, &bytes, None)?.sync()?;
                self.disk.sync_directory(&self.paths.history())?;
            }
            if private.contains(number) || public.contains(number) {
                // Links that were announced long ago may be promised by now: they are not undone.
                self.quarantine_leftovers(*number)?;
                self.quarantine(*number)?;
                mended.incomplete.push(*number);
            }
        }
        Ok(())
    }

    /// Puts right modes, times and shared files of what is kept; `promised` are the package links that stay.
    ///
    /// What cannot be put right is left as it is, for whoever verifies the tree afterwards.
    pub fn mend(&self, lock: &Lock, promised: &BTreeSet<String>, mended: &mut Mended) -> Result<(), Error> {
        self.demand(lock)?;
        let mut touched = Touched::default();
        self.clear_staging(mended)?;
        self.mend_packages(promised, mended, &mut touched)?;
        touched.sync(self, &[])?;
        for number in self.numbers()? {
            self.mend_generation(&self.generation(number)?, mended)?;
        }
        Ok(())
    }

    /// Only `staging/import` and the unfinished business of the current generation have a meaning.
    fn clear_staging(&self, mended: &mut Mended) -> Result<(), Error> {
        let staging = self.paths.staging();
        for name in self.disk.list(&staging)?.names {
            if name != "import" && number_of(&name).is_none() {
                self.remove_tree(&staging.join(name))?;
                mended.leftovers += 1;
            }
        }
        for name in self.disk.list(&self.paths.imports())?.names {
            self.remove_tree(&self.paths.import(&name))?;
            mended.leftovers += 1;
        }
        self.disk.sync_directory(&self.paths.imports())?;
        self.disk.sync_directory(&staging)
    }

    fn mend_packages(
        &self,
        promised: &BTreeSet<String>,
        mended: &mut Mended,
        touched: &mut Touched,
    ) -> Result<(), Error> {
        let pool = self.pooled()?;
        for state_and_path in pool.values().flatten() {
            self.mend_mode(&state_and_path.1, state_and_path.0, SEALED_FILE, mended)?;
        }
        let public = self.paths.public();
        let mut open = vec![self.paths.packages()];
        while let Some(dir) = open.pop() {
            for name in self.disk.list(&dir)?.names {
                let path = dir.join(name);
                let state = self.expect(&path)?;
                match state.kind {
                    Kind::Directory => open.push(path),
                    Kind::File => {
                        let link = path.strip_prefix(&public).map(Utf8Path::to_string).unwrap_or_default();
                        if promised.contains(&link) {
                            self.mend_link(&path, state, &pool, mended, touched)?;
                        } else {
                            self.disk.remove_file(&path)?;
                            self.remove_empty(&dir, &self.paths.packages(), touched)?;
                            mended.orphans += 1;
                        }
                    }
                    Kind::Link | Kind::Other => {}
                }
            }
        }
        Ok(())
    }

    /// The files of the pool by the sixteen digits that package links have of their digests.
    fn pooled(&self) -> Result<BTreeMap<String, Vec<(State, Utf8PathBuf)>>, Error> {
        let mut pool: BTreeMap<String, Vec<(State, Utf8PathBuf)>> = BTreeMap::new();
        for shard in self.disk.list(&self.paths.pool())?.names {
            let dir = self.paths.pool().join(shard);
            if self.expect(&dir)?.kind != Kind::Directory {
                continue;
            }
            for name in self.disk.list(&dir)?.names {
                let Some(digest) = name.strip_suffix(".rpm").and_then(|hex| hex.parse::<Sha256>().ok())
                else {
                    continue;
                };
                let path = dir.join(name);
                pool.entry(digest.short()).or_default().push((self.expect(&path)?, path));
            }
        }
        Ok(pool)
    }

    fn mend_link(
        &self,
        path: &Utf8Path,
        state: State,
        pool: &BTreeMap<String, Vec<(State, Utf8PathBuf)>>,
        mended: &mut Mended,
        touched: &mut Touched,
    ) -> Result<(), Error> {
        self.mend_mode(path, state, SEALED_FILE, mended)?;
        let short = path.parent().and_then(Utf8Path::file_name).unwrap_or_default();
        let there = pool.get(short).map(Vec::as_slice).unwrap_or_default();
        if there.iter().any(|(pooled, _)| pooled.inode == state.inode) {
            return Ok(());
        }
        let digest = self.digest_of(path)?;
        if digest.short() != short {
            return Ok(());
        }
        let pooled = self.paths.pool_file(&digest);
        if self.disk.state(&pooled)?.is_none() {
            if let Some(dir) = pooled.parent() {
                self.make_directories(dir, touched)?;
                touched.insert(dir);
            }
            self.disk.link(path, &pooled)?;
            mended.pooled += 1;
            return Ok(());
        }
        // The pool is what every repository is linked from, so its file must be the right one.
        if self.digest_of(&pooled)? == digest {
            let fresh = self.paths.staging().join("relinked");
            self.remove_tree(&fresh)?;
            self.disk.link(&pooled, &fresh)?;
            self.disk.rename(&fresh, path)?;
            path.parent().into_iter().for_each(|dir| touched.insert(dir));
            touched.insert(&self.paths.staging());
            mended.linked += 1;
        }
        Ok(())
    }

    fn mend_mode(&self, path: &Utf8Path, state: State, mode: u32, mended: &mut Mended) -> Result<(), Error> {
        if state.mode != mode {
            self.disk.set_mode(path, mode)?;
            mended.modes += 1;
        }
        Ok(())
    }

    fn mend_generation(&self, generation: &Generation, mended: &mut Mended) -> Result<(), Error> {
        let halves = [
            (self.paths.private_half(generation.number), &generation.files.private),
            (self.paths.public_half(generation.number), &generation.files.public),
        ];
        for (half, files) in halves {
            let mut open = vec![half.clone()];
            let mut directories = Vec::new();
            while let Some(dir) = open.pop() {
                for name in self.disk.list(&dir)?.names {
                    let path = dir.join(name);
                    let state = self.expect(&path)?;
                    match state.kind {
                        Kind::Directory => open.push(path),
                        Kind::File => {
                            self.mend_mode(&path, state, SEALED_FILE, mended)?;
                            let written = path.strip_prefix(&half).map(Utf8Path::as_str).unwrap_or_default();
                            if let Some(facts) = files.get(written) {
                                self.mend_time(&path, state, facts, mended)?;
                            }
                        }
                        Kind::Link | Kind::Other => {}
                    }
                }
                directories.push(dir);
            }
            for dir in directories {
                let state = self.expect(&dir)?;
                self.mend_mode(&dir, state, SEALED_DIRECTORY, mended)?;
                self.disk.sync_directory(&dir)?;
            }
        }
        Ok(())
    }

    /// Writes a file with the right bytes and a wrong time anew; wrong bytes stay, to be found.
    fn mend_time(
        &self,
        path: &Utf8Path,
        state: State,
        facts: &FileFacts,
        mended: &mut Mended,
    ) -> Result<(), Error> {
        if state.modified == facts.modified || state.size != facts.size {
            return Ok(());
        }
        let bytes = self.read_whole(path)?;
        let Some(dir) = path.parent().filter(|_| crate::trees::sha256_of(&bytes) == facts.sha256) else {
            return Ok(());
        };
        let fresh = self.paths.staging().join("redated");
        self.remove_tree(&fresh)?;
        self.write_file(&fresh, &bytes, Some(facts.modified))?.sync()?;
        if self.expect(dir)?.mode & 0o200 == 0 {
            self.disk.set_mode(dir, OPEN_DIRECTORY)?;
        }
        self.disk.rename(&fresh, path)?;
        mended.times += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
