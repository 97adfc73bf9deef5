//! The links of a generation outside its own directories: which are missing, and making them.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use nevra::Sha256;

use super::Staging;
use crate::links::Links;
use crate::planted::{self, Bug};
use crate::trees::{SEALED_FILE, sha256_of};
use crate::{Error, Kind};

impl<'a> Staging<'a> {
    /// Names all links in `links.json`, durably, and then makes them.
    pub(crate) fn link(mut self) -> Result<Staging<'a>, Error> {
        let wanted = self.missing_links()?;
        let links = Links {
            format: 1,
            number: self.draft.number,
            links: wanted.iter().map(|(link, _)| link.clone()).collect(),
            repositories: self.missing_repositories()?,
        };
        if !planted::is(Bug::LinkedBeforeLinksFile) {
            self.store.write_links(&links)?;
        }
        for repository in &links.repositories {
            self.store.make_directories(&self.store.paths.packages().join(repository), &mut self.touched)?;
        }
        self.make_links(wanted)?;
        if planted::is(Bug::LinkedBeforeLinksFile) {
            self.store.write_links(&links)?;
        }
        self.links_made = links.links;
        Ok(self)
    }

    /// The links to make, each with the file it becomes a name of: the policy, then the pool, then what is
    /// made from it.
    fn missing_links(&self) -> Result<Vec<(String, Utf8PathBuf)>, Error> {
        let paths = &self.store.paths;
        let (mut wanted, mut packages) = (BTreeMap::new(), BTreeMap::new());
        let policy = sha256_of(&self.draft.policy);
        if self.store.disk.state(&paths.policy(&policy))?.is_none() {
            wanted.insert(format!("policy/{policy}.toml"), self.dir.join("policy.toml"));
        } else {
            self.store.policy(&policy)?;
        }
        for arrival in &self.draft.pool {
            let (from, digest) = (&arrival.from, &arrival.digest);
            let state = self.store.expect(from)?;
            if (state.kind, state.mode, state.size) != (Kind::File, SEALED_FILE, arrival.size) {
                let what = format!("it is not the sealed file of {} bytes that was brought in", arrival.size);
                return Err(Error::Differs { path: from.clone(), what });
            }
            if !self.is_pooled(digest, arrival.size)? {
                wanted.insert(format!("pool/{}/{digest}.rpm", digest.shard()), from.clone());
            }
        }
        for link in &self.draft.links {
            let pooled = paths.pool_file(&link.digest);
            let arrives = wanted.contains_key(&format!("pool/{}/{}.rpm", link.digest.shard(), link.digest));
            let there = self.store.disk.state(&paths.public().join(&link.path))?;
            let known = if arrives { None } else { Some(self.store.expect(&pooled)?.inode) };
            match there {
                None => drop(packages.insert(link.path.clone(), pooled)),
                Some(state) if state.kind == Kind::File && Some(state.inode) == known => {}
                Some(_) => {
                    let what = format!("it exists and is not the file `{pooled}`");
                    return Err(Error::Differs { path: paths.public().join(&link.path), what });
                }
            }
        }
        Ok(wanted.into_iter().chain(packages).collect())
    }

    /// Says whether the pool holds this package; if it holds something else under that name, that is an error.
    fn is_pooled(&self, digest: &Sha256, size: u64) -> Result<bool, Error> {
        let path = self.store.paths.pool_file(digest);
        let Some(state) = self.store.disk.state(&path)? else { return Ok(false) };
        let right = (state.kind, state.mode, state.size) == (Kind::File, SEALED_FILE, size);
        if right && self.store.digest_of(&path)? == *digest {
            return Ok(true);
        }
        Err(Error::Differs { path, what: "it exists and is not the package of this digest".to_owned() })
    }

    fn missing_repositories(&self) -> Result<Vec<String>, Error> {
        let linked = self.draft.links.iter().filter_map(|link| link.repository());
        let all: BTreeSet<&str> =
            self.draft.packages_links.values().map(String::as_str).chain(linked).collect();
        let mut missing = Vec::new();
        for repository in all {
            if self.store.disk.state(&self.store.paths.packages().join(repository))?.is_none() {
                missing.push(repository.to_owned());
            }
        }
        Ok(missing)
    }

    fn make_links(&mut self, wanted: Vec<(String, Utf8PathBuf)>) -> Result<(), Error> {
        for (link, from) in wanted {
            if link.starts_with("policy/") {
                self.store.write_file(&from, &self.draft.policy, None)?.sync()?;
            }
            let at = self.store.paths.link(&link).expect("only links of the three kinds are wanted");
            if let Some(dir) = at.parent() {
                self.store.make_directories(dir, &mut self.touched)?;
                self.touched.insert(dir);
            }
            self.store.disk.link(&from, &at)?;
        }
        Ok(())
    }
}
