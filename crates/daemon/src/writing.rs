//! A repository's metadata in the form its clients want: groups, advisories, databases, and what is recorded of it.

mod beside;
mod packages;
mod updates;

use std::collections::BTreeSet;
use std::sync::Arc;

use nevra::Algorithm;
use plan::{Repository, Standing, Writing};
use repo::{Blocks, Compression, Form, Piece, Record, Repomd};

use crate::config::Config;
use crate::error::Error;
use crate::observe::blocks::InBlocks;
use crate::signing::Announced;

use updates::Retractions;

pub(crate) use beside::{Carried, are_about_the_same};
pub(crate) use packages::{Body, Packages};
pub(crate) use updates::{is_same_form, tells_the_same};

/// How a repository is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) writing: Writing,
    /// The file with groups.
    comps: Option<Arc<[u8]>>,
    /// By whom it is signed.
    announced: Option<Arc<Announced>>,
    /// What it tells of roll-backs.
    retractions: Retractions,
}

/// What metadata goes on from.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// What is published or adopted, of which all is carried that is not made from the packages.
    pub(crate) repomd: Option<Repomd>,
    /// What it leads to.
    pub(crate) beside: Beside,
    /// Whether the advisories are adopted just now.
    pub(crate) are_updates_new: bool,
    /// What of that goes along with packages and is no longer what was published.
    pub(crate) carried: Carried,
}

/// What a repository has beside its packages and is read, unpacked.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// The groups of packages.
    pub groups: Option<Arc<[u8]>>,
    /// The advisories.
    pub updates: Option<Arc<[u8]>>,
    /// The module streams.
    pub modules: Option<Arc<[u8]>>,
}

impl Beside {
    /// Keeps what a record leads to, if it is read and the first of its kind; of what is too large nothing.
    pub(crate) fn take(&mut self, record: &Record, open: Option<&[u8]>) {
        let kept = match (is_group(&record.kind), record.kind.as_str()) {
            (true, _) => &mut self.groups,
            (_, UPDATEINFO) => &mut self.updates,
            (_, MODULES) => &mut self.modules,
            _ => return,
        };
        if kept.is_none() {
            *kept = open.filter(|open| open.len() as u64 <= BESIDE_SIZE_MAX).map(Arc::from);
        }
    }

    /// Follows what is written: each of these files replaces what was read, and what no record leads to any more is gone.
    fn follow(&mut self, head: &Repomd, pieces: &[Piece<'_>]) {
        for (kept, is_of) in [
            (&mut self.groups, is_group as fn(&str) -> bool),
            (&mut self.updates, |kind| kind == UPDATEINFO),
            (&mut self.modules, |kind| kind == MODULES),
        ] {
            match pieces.iter().find(|piece| is_of(piece.kind)) {
                // What is too large to be read again is not kept, as if it were read now.
                Some(piece) => {
                    *kept = Some(Arc::from(&*piece.open))
                        .filter(|open: &Arc<[u8]>| open.len() as u64 <= BESIDE_SIZE_MAX);
                }
                None if !head.records.iter().any(|record| is_of(&record.kind)) => *kept = None,
                None => {}
            }
        }
    }

    /// Counts the bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        [&self.groups, &self.updates, &self.modules].into_iter().flatten().map(|open| open.len()).sum()
    }
}

/// What a file with groups, advisories or modules may unfold to, in bytes; distributions have some ten MiB.
pub(crate) const BESIDE_SIZE_MAX: u64 = 64 << 20;

/// The type of the record of advisories.
pub(crate) const UPDATEINFO: &str = "updateinfo";

/// The type of the record of module streams.
pub(crate) const MODULES: &str = "modules";

/// Whether what a record leads to is read beside the packages.
pub(crate) fn is_beside(record: &Record) -> bool {
    is_group(&record.kind) || [UPDATEINFO, MODULES].contains(&record.kind.as_str())
}

/// Metadata that was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// What repomd.xml leads to and was made, by href.
    pub(crate) files: Vec<(String, Body)>,
    pub(crate) repomd: Vec<u8>,
    /// The records that were carried byte for byte, with their files.
    pub(crate) carried: Vec<Record>,
    /// The blocks of primary, filelists and other, if they are in such.
    pub(crate) blocks: Option<[Blocks; 3]>,
    /// Whether these are made of what was there.
    pub(crate) is_change: bool,
    /// What was written beside the packages, or carried, as it is read.
    pub(crate) beside: Beside,
}

impl Wanted {
    /// Asks the configuration, and what stands.
    pub(crate) fn of(config: &Config, standing: &Standing, repository: &Repository) -> Result<Self, Error> {
        let writing = config.layout.writing(repository);
        let comps = match &writing.comps {
            None => None,
            Some(path) => {
                let read = config.comps.get(path).and_then(|comps| comps.bytes.clone());
                Some(read.ok_or_else(|| Error::CompsNotRead { path: path.into() })?)
            }
        };
        let retractions = Retractions::of(repository, standing, writing.has_retractions);
        Ok(Self { writing, comps, announced: config.announced(repository)?, retractions })
    }

    /// Tells of no roll-backs but those of these ids.
    pub(crate) fn only(&self, ids: &BTreeSet<String>) -> Self {
        let Self { writing, comps, announced, .. } = self.clone();
        Self { writing, comps, announced, retractions: self.retractions.only(ids) }
    }

    /// Gives the word for the roll-backs it tells of, which is a part of [`Wanted::recorded`].
    pub(crate) fn retracted(&self) -> Option<String> {
        self.retractions.recorded()
    }

    /// Gives the words to be recorded; a repository with other words is written anew.
    pub(crate) fn recorded(&self) -> Option<String> {
        let words = self.writing.recorded(self.comps.as_ref().map(|comps| repo::sha256(comps)));
        let announced = self.announced.as_ref().map(|announced| announced.recorded().to_owned());
        let more: Vec<String> = self.retracted().into_iter().chain(announced).collect();
        if more.is_empty() {
            return words;
        }
        let form = &self.writing.form;
        let words = words.unwrap_or_else(|| format!("{} {}", form.compression, form.checksum));
        Some(format!("{words} {}", more.join(" ")))
    }

    /// Says whether files go on as they are when packages come and go: what is packed or named otherwise is written anew, and
    /// databases are made of all packages.
    pub(crate) fn goes_on_in(&self, files: &InBlocks) -> bool {
        let Form { compression, checksum, unique_names, open_checksums } = self.writing.form;
        let is_same = files
            .files
            .iter()
            .all(|file| file.blocks.compression() == compression && file.has_open_checksum == open_checksums);
        let is_plain = !self.writing.has_databases && !self.writing.is_named_by_sha1;
        is_same && is_plain && checksum == Algorithm::Sha256 && unique_names
    }

    /// Writes metadata that goes on where what is there, published as `recorded`, ended.
    pub(crate) fn write(
        &self,
        packages: &Packages<'_>,
        revision: i64,
        earlier: Earlier,
        recorded: Option<&str>,
    ) -> Result<Written, Error> {
        let form = self.writing.form;
        let mut head = earlier.repomd.unwrap_or_else(|| Repomd::new(""));
        head.revision = revision.to_string();
        head.records.retain(|record| !record.is_made_from_packages());
        let mut beside = earlier.beside;
        let is_other_form = !is_same_form(recorded, self.recorded().as_deref());
        let groups = match earlier.carried.groups && self.comps.is_none() {
            true => {
                head.records.retain(|record| !is_group(&record.kind));
                beside.groups.clone()
            }
            false => self.groups(&mut head, beside.groups.clone(), recorded),
        };
        let mut pieces = groups.as_deref().map(|open| self.pieces(open)).unwrap_or_default();
        let origin = updates::Origin {
            is_new: earlier.are_updates_new,
            is_carried: earlier.carried.updates,
            is_other_form,
        };
        let updates = self.retractions.file(&mut head, beside.updates.clone(), origin, recorded);
        pieces.extend(updates.map(|open| Piece {
            kind: UPDATEINFO,
            file_name: "updateinfo.xml",
            open: open.into(),
            compression: form.compression,
            database_version: None,
        }));
        let modules = beside.modules.clone().filter(|_| earlier.carried.modules);
        if earlier.carried.modules {
            head.records.retain(|record| !beside::is_modules(record));
            pieces.extend(modules.as_deref().map(|open| Piece {
                kind: MODULES,
                file_name: "modules.yaml",
                open: open.into(),
                compression: form.compression,
                database_version: None,
            }));
        }
        beside.follow(&head, &pieces);
        let plain = !self.writing.has_databases && !self.writing.is_named_by_sha1;
        if plain && form.compression.has_blocks() {
            let lists = packages.write(&form, revision)?;
            let metadata = repo::write_index(&form, lists.records, revision, &head, &pieces);
            let beside_them = metadata.files.into_iter().map(|(href, bytes)| (href, Body::Bytes(bytes)));
            return Ok(Written {
                files: lists.files.into_iter().chain(beside_them).collect(),
                repomd: metadata.repomd,
                carried: head.records,
                blocks: Some(lists.blocks).filter(|_| form.checksum == Algorithm::Sha256),
                is_change: packages.is_change(),
                beside,
            });
        }
        let mut metadata = repo::write_metadata_in(&form, &packages.all()?, revision, &head, &pieces);
        if self.writing.has_databases {
            databases::add_to(&mut metadata, &form, Compression::Bzip2, revision)
                .map_err(|error| Error::Databases { reason: error.to_string() })?;
        }
        let files = metadata.files.into_iter().map(|(href, bytes)| (href, Body::Bytes(bytes)));
        Ok(Written {
            files: files.collect(),
            repomd: metadata.repomd,
            carried: head.records,
            blocks: None,
            is_change: false,
            beside,
        })
    }

    /// Finds the groups that are to be written, and takes out of `head` what they replace.
    fn groups(
        &self,
        head: &mut Repomd,
        carried: Option<Arc<[u8]>>,
        recorded: Option<&str>,
    ) -> Option<Arc<[u8]>> {
        let was_configured = recorded.is_some_and(|words| words.contains(" comps="));
        if self.comps.is_some() || was_configured {
            head.records.retain(|record| !is_group(&record.kind));
            return self.comps.clone();
        }
        // What came with an adopted repository is carried as it is, unless its clients need it in both ways.
        let has = |kind: &str| head.record(kind).is_some();
        let carried = carried?;
        if !self.writing.has_both_groups || has("group") && has("group_gz") {
            return None;
        }
        head.records.retain(|record| !is_group(&record.kind));
        Some(carried)
    }

    fn pieces<'a>(&self, open: &'a [u8]) -> Vec<Piece<'a>> {
        let piece = |kind, compression| Piece {
            kind,
            file_name: "comps.xml",
            open: open.into(),
            compression,
            database_version: None,
        };
        match self.writing.has_both_groups {
            true => vec![piece("group", Compression::None), piece("group_gz", Compression::Gzip)],
            false => vec![piece("group", self.writing.form.compression)],
        }
    }
}

/// Whether a record is about groups: `group`, or packed somehow, as in `group_gz`.
pub(crate) fn is_group(kind: &str) -> bool {
    kind == "group" || kind.starts_with("group_")
}
