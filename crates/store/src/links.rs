//! `staging/N/links.json`: which links generation N is going to make outside its own directories.
//!
//! It is durable before the first of them is made. So whoever finds the generation unfinished can undo
//! them without searching `packages/` and `pool/`.

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::planted::{self, Bug};
use crate::trees::{Touched, json, parse};
use crate::{Error, Store};

/// The links a generation makes, all of which did not exist before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Links {
    /// The format of this file: 1.
    pub format: u32,
    /// The generation.
    pub number: u64,
    /// The links, in the order in which they are made, written as in the manifest.
    pub links: Vec<String>,
    /// The repositories whose directory below `packages/` is made.
    pub repositories: Vec<String>,
}

impl Store {
    /// Writes `links.json` into `staging/N` and makes it durable, with the names that lead to it.
    pub(crate) fn write_links(&self, links: &Links) -> Result<(), Error> {
        let staging = self.paths.staging_of(links.number);
        // Under another name first: where `links.json` exists it is whole.
        let fresh = staging.join("links.new");
        let mut writing = self.write_file(&fresh, &json(links), None)?;
        if planted::is(Bug::LinksFileNotSynced) {
            return self.disk.rename(&fresh, &staging.join("links.json"));
        }
        writing.sync()?;
        self.disk.rename(&fresh, &staging.join("links.json"))?;
        self.disk.sync_directory(&staging)?;
        self.disk.sync_directory(&self.paths.staging())
    }

    /// Reads the links generation `number` may have made; `None` means that it made none.
    pub(crate) fn read_links(&self, number: u64) -> Result<Option<Links>, Error> {
        let path = self.paths.staging_of(number).join("links.json");
        if self.disk.state(&path)?.is_none() {
            return Ok(None);
        }
        let links: Links = parse(&path, &self.read_whole(&path)?)?;
        if (links.format, links.number) != (1, number) {
            let what = format!("it is of generation {} in format {}", links.number, links.format);
            return Err(Error::Differs { path, what });
        }
        for link in &links.links {
            self.place(&path, link)?;
        }
        Ok(Some(links))
    }

    /// Removes every link that was or was to be made, and makes that durable.
    pub(crate) fn undo_links(&self, links: &Links) -> Result<(), Error> {
        let mut touched = Touched::default();
        for link in links.links.iter().rev() {
            self.unlink(&self.paths.staging_of(links.number), link, &mut touched)?;
        }
        for repository in links.repositories.iter().rev() {
            self.remove_empty(&self.paths.packages().join(repository), &self.paths.packages(), &mut touched)?;
        }
        touched.sync(self, &[])
    }

    /// Removes these links where they still exist, and makes that durable, whoever removed them.
    pub(crate) fn drop_links<'a>(&self, links: impl Iterator<Item = &'a String>) -> Result<(), Error> {
        let mut touched = Touched::default();
        for link in links {
            self.unlink(&self.paths.generations(), link, &mut touched)?;
        }
        touched.sync(self, &[])
    }

    /// Reads a package link, `packages/...` below `public/`, and says what it is.
    pub fn digest_of_link(&self, link: &str) -> Result<Sha256, Error> {
        let place = self.place(&self.paths.packages(), link)?;
        self.digest_of(&place)
    }

    fn unlink(&self, source: &Utf8Path, link: &str, touched: &mut Touched) -> Result<(), Error> {
        let place = self.place(source, link)?;
        let Some((dir, top)) = place.parent().zip(self.top_of(link)) else { return Ok(()) };
        // It may have gone before a crash, and the directories that were empty without it as well.
        if self.disk.state(&place)?.is_some() {
            self.disk.remove_file(&place)?;
        }
        self.remove_empty(dir, &top, touched)
    }

    /// The directory that stays even if the last link below it goes.
    fn top_of(&self, link: &str) -> Option<Utf8PathBuf> {
        let mut words = link.split('/');
        match words.next()? {
            "packages" => Some(self.paths.packages().join(words.next()?)),
            "pool" => Some(self.paths.pool()),
            _ => Some(self.paths.policies()),
        }
    }

    fn place(&self, source: &Utf8Path, link: &str) -> Result<Utf8PathBuf, Error> {
        let what = || format!("`{link}` is no link below `packages/`, `pool/` or `policy/`");
        self.paths.link(link).ok_or_else(|| Error::Differs { path: source.to_owned(), what: what() })
    }
}
