//! Reading generations: whatever is handed out was checked against the digests that lead to it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;

use crate::files::{FileFacts, Files};
use crate::paths::number_of;
use crate::store::{history_number, public_number};
use crate::trees::{parse, sha256_of};
use crate::{Error, Kind, Manifest, Store};

/// A kept generation, as its sealed files describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Its manifest.
    pub manifest: Manifest,
    /// The digest of the manifest's bytes, which the next generation records.
    pub manifest_digest: Sha256,
    /// Its files.
    pub files: Files,
}

/// The manifest of a generation, kept or not, and the digest of its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The manifest.
    pub manifest: Manifest,
    /// The digest of its bytes.
    pub digest: Sha256,
}

const ADVICE: &str = "nothing was touched: compare with a backup or a mirror, put back what is missing or point \
                      `current` at a whole generation by hand, run `sluice verify`, then start again";

impl Store {
    /// Reads what `current` names, or `None` in a store that never published.
    ///
    /// Both halves must be there, the manifest and `files.json` must verify, and the parent's manifest must
    /// be the one recorded: else it is [`Error::Broken`], unless it could not be read for a reason that passes. The
    /// single files are not looked at.
    pub fn current(&self) -> Result<Option<Generation>, Error> {
        let Some(number) = self.pointed()? else { return Ok(None) };
        match self.generation(number) {
            Ok(generation) => Ok(Some(generation)),
            // Too many open files, say: that is no damage, and nobody need come for it.
            Err(error) if error.may_pass() => Err(error),
            Err(error) => {
                Err(self.broken(format!("it names generation {number}, which is not whole: {error}")))
            }
        }
    }

    /// The number `current` names, if there is such a link.
    pub(crate) fn pointed(&self) -> Result<Option<u64>, Error> {
        let at = self.paths.current();
        let what = match self.disk.state(&at)? {
            None => return Ok(None),
            Some(state) if state.kind == Kind::Link => {
                let target = self.disk.read_link(&at)?;
                match public_number(&target) {
                    Some(number) => return Ok(Some(number)),
                    None => format!("it points to `{target}`, which is no generation"),
                }
            }
            Some(_) => "it is not a symlink".to_owned(),
        };
        Err(self.broken(what))
    }

    /// The error for a pointer that cannot be followed.
    pub(crate) fn broken(&self, what: String) -> Error {
        Error::Broken { path: self.paths.current(), what, advice: ADVICE.to_owned() }
    }

    /// Reads the kept generation `number` and checks its manifest, `files.json` and the link to its parent.
    ///
    /// Fails with [`Error::NoGeneration`] if neither half exists.
    pub fn generation(&self, number: u64) -> Result<Generation, Error> {
        let (private, public) = (self.paths.private_half(number), self.paths.public_half(number));
        let halves = (self.disk.state(&private)?, self.disk.state(&public)?);
        if halves == (None, None) {
            return Err(Error::NoGeneration { number });
        }
        for (half, state) in [(&private, halves.0), (&public, halves.1)] {
            if state.is_none_or(|state| state.kind != Kind::Directory) {
                return Err(Error::NotDirectory { path: half.clone() });
            }
        }
        let Recorded { manifest, digest } = self.read_manifest(&private.join("manifest.json"), number)?;
        let path = private.join("files.json");
        let bytes = self.read_whole(&path)?;
        if sha256_of(&bytes) != manifest.files {
            return Err(Error::Differs {
                path,
                what: "its digest is not the one in the manifest".to_owned(),
            });
        }
        let files: Files = parse(&path, &bytes)?;
        check_format(&path, files.format)?;
        self.check_parent(&manifest)?;
        Ok(Generation { number, created: manifest.created, manifest, manifest_digest: digest, files })
    }

    fn check_parent(&self, manifest: &Manifest) -> Result<(), Error> {
        let Some(parent) = manifest.parent else { return Ok(()) };
        let path = self.place_of_manifest(parent.number)?;
        // What it says is of no matter here, and may be of 50,000 packages.
        if parent.number < manifest.number && self.digest_of(&path)? == parent.digest {
            return Ok(());
        }
        let what = format!("it is not the parent that generation {} records", manifest.number);
        Err(Error::Differs { path, what })
    }

    /// Lists the generations both halves of which exist, lowest first; those abandoned and not yet in
    /// quarantine are among them.
    pub fn numbers(&self) -> Result<Vec<u64>, Error> {
        let public = self.numbers_in(&self.paths.public(), public_number)?;
        let private = self.numbers_in(&self.paths.generations(), number_of)?;
        Ok(private.into_iter().filter(|number| public.contains(number)).collect())
    }

    /// Lists the generations that are not kept any more but recorded, lowest first.
    pub fn past_numbers(&self) -> Result<Vec<u64>, Error> {
        self.numbers_in(&self.paths.history(), history_number)
    }

    /// Reads the manifest of generation `number`, kept or not.
    ///
    /// Its digest is not checked, for only its child knows it: see [`Store::recorded`].
    pub fn history(&self, number: u64) -> Result<Manifest, Error> {
        Ok(self.recorded(number)?.manifest)
    }

    /// Reads the manifest of generation `number`, kept or not, with the digest its child must record.
    pub fn recorded(&self, number: u64) -> Result<Recorded, Error> {
        self.read_manifest(&self.place_of_manifest(number)?, number)
    }

    fn place_of_manifest(&self, number: u64) -> Result<Utf8PathBuf, Error> {
        let kept = self.paths.private_half(number).join("manifest.json");
        for place in [kept, self.paths.history_of(number)] {
            if self.disk.state(&place)?.is_some() {
                return Ok(place);
            }
        }
        Err(Error::NoGeneration { number })
    }

    fn read_manifest(&self, path: &Utf8Path, number: u64) -> Result<Recorded, Error> {
        let bytes = self.read_whole(path)?;
        let manifest: Manifest = parse(path, &bytes)?;
        check_format(path, manifest.format)?;
        if manifest.number != number {
            let what = format!("it is the manifest of generation {}", manifest.number);
            return Err(Error::Differs { path: path.to_owned(), what });
        }
        Ok(Recorded { manifest, digest: sha256_of(&bytes) })
    }

    /// Reads the file `path` of the public half and checks it against `files.json`.
    pub fn read_public(&self, generation: &Generation, path: &str) -> Result<Vec<u8>, Error> {
        self.read_verified(&self.paths.public_half(generation.number), &generation.files.public, path)
    }

    /// Reads the file `path` of the private half and checks it against `files.json`.
    pub fn read_private(&self, generation: &Generation, path: &str) -> Result<Vec<u8>, Error> {
        self.read_verified(&self.paths.private_half(generation.number), &generation.files.private, path)
    }

    fn read_verified(
        &self,
        half: &Utf8Path,
        files: &BTreeMap<String, FileFacts>,
        path: &str,
    ) -> Result<Vec<u8>, Error> {
        let place = half.join(path);
        let Some(facts) = files.get(path) else {
            return Err(Error::Differs { path: place, what: "the generation has no such file".to_owned() });
        };
        let bytes = self.read_whole(&place)?;
        if bytes.len() as u64 == facts.size && sha256_of(&bytes) == facts.sha256 {
            return Ok(bytes);
        }
        Err(Error::Differs { path: place, what: "its bytes are not those recorded in files.json".to_owned() })
    }

    /// Reads a policy that was in force once, by its digest.
    pub fn policy(&self, digest: &Sha256) -> Result<Vec<u8>, Error> {
        let path = self.paths.policy(digest);
        let bytes = self.read_whole(&path)?;
        if sha256_of(&bytes) == *digest {
            return Ok(bytes);
        }
        Err(Error::Differs { path, what: "its bytes have another digest than its name".to_owned() })
    }
}

fn check_format(path: &Utf8Path, format: u32) -> Result<(), Error> {
    if format == 1 {
        return Ok(());
    }
    Err(Error::Parse {
        path: path.to_owned(),
        cause: format!("format {format} is unknown; this version reads 1"),
    })
}
