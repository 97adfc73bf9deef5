//! I4, I6 and I13: repomd.xml leads to whole metadata, the metadata to whole packages, one per name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8Path;
use nevra::{Algorithm, Digest, Nevra, Sha256};
use repo::{Contents, FileFacts, Repomd};
use store::Paths;

use super::Look;
use super::chain::Kept;
use super::signatures::Triple;
use super::views::Sound;
use crate::account::Shelved;
use crate::observe::short_of;

/// What was verified already, by digest: the same bytes need not be looked at twice.
#[derive(Debug, Default)]
pub struct Known {
    repositories: BTreeMap<Sha256, Arc<Repository>>,
    packages: BTreeMap<Sha256, Package>,
    /// Those that verify.
    pub(super) signatures: BTreeSet<Triple>,
    /// Views that follow from the listing of their repository.
    pub(super) views: BTreeSet<Sound>,
}

impl Known {
    /// Whether what the repomd.xml of this digest leads to was read and is sound.
    pub(super) fn has(&self, repomd: Option<Sha256>) -> bool {
        repomd.is_some_and(|digest| self.repositories.contains_key(&digest))
    }
}

/// What one repomd.xml leads to.
#[derive(Debug, Default)]
struct Repository {
    /// What is wrong inside, whoever publishes it.
    wrong: Vec<(&'static str, String)>,
    packages: Vec<Lists>,
    /// The files repomd.xml names.
    hrefs: Vec<String>,
    /// Whether it does not say by digest what one of the lists of packages unpacks to.
    lacks_open_checksums: bool,
}

/// One package as primary lists it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lists {
    nevra: Nevra,
    /// What it is called: mostly the same digest.
    name: Digest,
    /// The digest of its file.
    pkgid: Sha256,
    href: String,
    size: u64,
    header: (u64, u64),
}

/// What a package file says of itself.
#[derive(Debug, PartialEq)]
struct Package {
    nevra: Nevra,
    size: u64,
    header: (u64, u64),
}

impl Known {
    /// Tells the digest of the repomd.xml at `path` of a generation; `None` if it is not sound.
    pub(super) fn repomd(&self, generation: &Kept, path: &str) -> Option<Sha256> {
        let facts = generation.files.public.get(format!("{path}/repodata/repomd.xml").as_str())?;
        Some(facts.sha256).filter(|digest| self.repositories.contains_key(digest))
    }

    /// Tells what the repomd.xml at `path` of a generation lists, by href; `None` if it is not sound.
    pub(super) fn listed(&self, generation: &Kept, path: &str) -> Option<BTreeMap<&str, Sha256>> {
        let repository = self.repositories.get(&self.repomd(generation, path)?)?;
        let packages = repository.packages.iter();
        Some(packages.map(|package| (package.href.as_str(), package.pkgid)).collect())
    }

    /// Says whether the repository `name` of a generation lists the package whose digest is `hex`.
    pub(super) fn lists(&self, generation: &Kept, name: &str, hex: &str) -> bool {
        let shelved = generation.account.repositories.get(name);
        let path = shelved.map(|shelved| format!("{}/repodata/repomd.xml", shelved.path));
        let facts = path.and_then(|path| generation.files.public.get(path.as_str()));
        let repository = facts.and_then(|facts| self.repositories.get(&facts.sha256));
        repository.is_some_and(|one| one.packages.iter().any(|package| package.pkgid.hex() == hex))
    }
}

impl Look<'_> {
    /// Verifies every repository of a generation, and every view of one.
    pub(super) fn metadata(&mut self, generation: &Kept, is_current: bool, known: &mut Known) {
        let mut files_of = BTreeMap::<Nevra, Vec<(Sha256, String)>>::new();
        for (name, shelved) in generation.account.listings() {
            let shelved = &shelved;
            let place = format!("public/@{}/{}/repodata/repomd.xml", generation.number, shelved.path);
            let Some(facts) = generation.files.public.get(place_below(&place).as_str()) else {
                self.broken("I4", place, "the repository has none");
                continue;
            };
            let repository = match known.repositories.get(&facts.sha256) {
                Some(repository) => Arc::clone(repository),
                None => match self.repository(generation.number, shelved) {
                    // What could not be read may be read next time; only what is sound is remembered.
                    repository if repository.wrong.is_empty() => {
                        let repository = Arc::new(repository);
                        known.repositories.insert(facts.sha256, Arc::clone(&repository));
                        repository
                    }
                    repository => {
                        for (invariant, words) in repository.wrong {
                            self.broken(invariant, place.clone(), words);
                        }
                        continue;
                    }
                },
            };
            self.metadata_files(generation, shelved, &repository);
            let mut seen = BTreeSet::new();
            for package in &repository.packages {
                if !seen.insert(&package.nevra) {
                    self.broken("I13", place.clone(), format!("`{}` is listed twice", package.nevra));
                }
                if is_current {
                    let twins = files_of.entry(package.nevra.clone()).or_default();
                    let standing = &generation.account.standing;
                    let is_wrong = |(digest, _): &&(Sha256, String)| {
                        *digest != package.pkgid
                            && standing.variant(&package.nevra, digest, &package.pkgid).is_none()
                    };
                    if let Some((_, first)) = twins.iter().find(is_wrong) {
                        let words = format!(
                            "`{}` is another file in {first}, and nobody decided that both may be",
                            package.nevra
                        );
                        self.broken("I13", place.clone(), words);
                    }
                    if !twins.iter().any(|(digest, _)| *digest == package.pkgid) {
                        twins.push((package.pkgid, name.to_owned()));
                    }
                }
                match self.purged.contains(&package.pkgid) {
                    false => self.package_once(name, package, known),
                    true if is_current => {
                        self.broken("I12", place.clone(), format!("`{}` was purged", package.nevra));
                    }
                    // What an earlier generation lists of it answers no more.
                    true => {}
                }
            }
        }
    }

    /// The files a known repomd.xml names must be there in *this* generation, too.
    fn metadata_files(&mut self, generation: &Kept, shelved: &Shelved, repository: &Repository) {
        for href in &repository.hrefs {
            let path = format!("{}/{href}", shelved.path);
            if !generation.files.public.contains_key(path.as_str()) {
                let place = format!("public/@{}/{path}", generation.number);
                self.broken("I4", place, "repomd.xml names it and it is not recorded");
            }
        }
        let form = shelved.form.as_deref().unwrap_or_default();
        let may_lack = form.split(' ').any(|word| word == plan::NO_OPEN_CHECKSUMS);
        if repository.lacks_open_checksums && !may_lack {
            let place = format!("public/@{}/{}/repodata/repomd.xml", generation.number, shelved.path);
            self.broken("I4", place, "a list of packages has no open checksum");
        }
    }

    fn repository(&mut self, number: u64, shelved: &Shelved) -> Repository {
        let top = self.root.join(format!("public/@{number}/{}", shelved.path));
        let mut repository = Repository::default();
        if let Err((invariant, words)) = self.read_repository(&top, &mut repository) {
            repository.wrong.push((invariant, words));
        }
        repository
    }

    fn read_repository(&self, top: &Utf8Path, into: &mut Repository) -> Result<(), (&'static str, String)> {
        let i4 = |words: String| ("I4", words);
        let i6 = |words: String| ("I6", words);
        let repomd = self.read(&top.join("repodata/repomd.xml")).map_err(i4)?;
        let repomd = Repomd::parse(&repomd).map_err(|error| i4(error.to_string()))?;
        let mut open = BTreeMap::new();
        for record in &repomd.records {
            let href = &record.href;
            into.hrefs.push(href.clone());
            if href.starts_with('/') || href.contains("://") || href.split('/').any(|part| part == "..") {
                return Err(i4(format!("`{href}` leads out of the repository")));
            }
            if !href.contains(&record.checksum.hex) {
                into.wrong.push(("I4", format!("`{href}` does not contain its checksum")));
            }
            let bytes = self.read(&top.join(href)).map_err(i4)?;
            if record.checksum != repo::digest(record.checksum.algorithm, &bytes)
                || record.size.is_some_and(|size| size != bytes.len() as u64)
            {
                into.wrong.push(("I4", format!("`{href}` has not the recorded size and checksum")));
            }
            let Some(open_size) = record.open_size else { continue };
            let xml = repo::unpack(&bytes, open_size).map_err(|error| i4(format!("`{href}`: {error}")))?;
            let stated = record.open_checksum.as_ref();
            into.lacks_open_checksums |= stated.is_none();
            let same = match stated {
                Some(stated) => *stated == repo::digest(stated.algorithm, &xml),
                None => record.is_made_from_packages(),
            };
            if !same || xml.len() as u64 != open_size {
                into.wrong.push(("I4", format!("`{href}` has not the recorded open size and checksum")));
            }
            open.insert(record.kind.as_str(), xml);
        }
        let take =
            |kind: &str| open.get(kind).ok_or_else(|| i4(format!("there is no record of type `{kind}`")));
        let (primary, filelists, other) = (take("primary")?, take("filelists")?, take("other")?);
        let contents = Contents::read(primary, filelists, other).map_err(|error| i6(error.to_string()))?;
        let pkgids: Vec<&str> = contents.entries.iter().map(|entry| entry.pkgid.hex.as_str()).collect();
        for kind in ["primary", "filelists", "other"] {
            let Some(database) = open.get(format!("{kind}_db").as_str()) else { continue };
            let record =
                repomd.record(kind).ok_or_else(|| i4(format!("there is no record of type `{kind}`")))?;
            if let Some(words) = lies(database, &record.checksum.hex, &pkgids) {
                into.wrong.push(("I6", format!("database `{kind}_db`: {words}")));
            }
        }
        for entry in contents.entries {
            let pkgid = match entry.pkgid.sha256() {
                Some(digest) => Some(digest),
                None => store::pooled(self.disk, &Paths::new(self.root), short_of(&entry.href))
                    .map_err(|error| i6(error.to_string()))?,
            };
            if pkgid.is_none() && self.purged.iter().any(|digest| digest.short() == short_of(&entry.href)) {
                continue;
            }
            let pkgid = pkgid.ok_or_else(|| i6(format!("the pool has no `{}`", entry.href)))?;
            into.packages.push(Lists {
                nevra: entry.nevra,
                name: entry.pkgid,
                pkgid,
                href: entry.href,
                size: entry.size_package,
                header: (entry.header_start, entry.header_end),
            });
        }
        Ok(())
    }

    /// Looks at a listed package, unless the same was found right in this look: in another generation, or in a view.
    fn package_once(&mut self, repository: &str, listed: &Lists, known: &mut Known) {
        let key = (repository.to_owned(), listed.href.clone());
        if self.packages.get(&key) == Some(listed) {
            return;
        }
        let before = self.found.len();
        self.package(repository, listed, known);
        if self.found.len() == before {
            self.packages.insert(key, listed.clone());
        }
    }

    /// The listed package is there, with the listed bytes, and says of itself what primary says.
    fn package(&mut self, repository: &str, listed: &Lists, known: &mut Known) {
        let Some(place) = listed.href.strip_prefix("Packages/") else {
            return self.broken("I6", listed.href.clone(), "it is not below `Packages`");
        };
        let path = self.root.join(format!("public/packages/{repository}/{place}"));
        match self.digest(&path) {
            Ok((size, digest)) if digest == listed.pkgid && size == listed.size => {}
            Ok(_) => {
                return self.broken(
                    "I6",
                    path,
                    format!("it is not the file `{}` is listed with", listed.nevra),
                );
            }
            Err(error) => return self.broken("I6", path, error),
        }
        if listed.name.sha256().is_none() {
            match self.digest_by(listed.name.algorithm, &path) {
                Ok(digest) if digest == listed.name => {}
                Ok(_) => {
                    let words = format!("it is not the file `{}` is named by", listed.nevra);
                    return self.broken("I6", path, words);
                }
                Err(error) => return self.broken("I6", path, error),
            }
        }
        let says = Package { nevra: listed.nevra.clone(), size: listed.size, header: listed.header };
        let found = match known.packages.get(&listed.pkgid) {
            Some(package) => package,
            None => match self.read_package(&path, listed) {
                Ok(package) => known.packages.entry(listed.pkgid).or_insert(package),
                Err(words) => return self.broken("I6", path, words),
            },
        };
        if *found != says {
            let words = format!("it says {found:?}, primary says {says:?}");
            self.broken("I6", path, words);
        }
    }

    fn digest_by(&self, algorithm: Algorithm, path: &Utf8Path) -> Result<Digest, String> {
        let mut hasher = repo::Hasher::new(algorithm);
        let mut file = self.disk.open(path).map_err(|error| error.to_string())?;
        std::io::copy(&mut file, &mut hasher).map_err(|error| format!("failed to read `{path}`: {error}"))?;
        Ok(hasher.finish())
    }

    fn read_package(&self, path: &Utf8Path, listed: &Lists) -> Result<Package, String> {
        let mut file = self.disk.open(path).map_err(|error| error.to_string())?;
        let head = repo::read_head(&mut *file).map_err(|error| error.to_string())?;
        let facts =
            FileFacts { size: listed.size, digest: listed.pkgid.into(), mtime: 0, href: listed.href.clone() };
        let package = repo::package_of(&head, facts).map_err(|error| error.to_string())?;
        Ok(Package {
            nevra: package.nevra,
            size: package.size_package,
            header: (package.header_start, package.header_end),
        })
    }

    /// The links of packages that the repository `name` of a generation lists.
    pub(super) fn listed_links(&self, generation: &Kept, known: &Known) -> BTreeSet<String> {
        let mut links = BTreeSet::new();
        for (name, shelved) in &generation.account.repositories {
            let path = format!("{}/repodata/repomd.xml", shelved.path);
            let facts = generation.files.public.get(path.as_str());
            let repository = facts.and_then(|facts| known.repositories.get(&facts.sha256));
            for package in repository.iter().flat_map(|repository| &repository.packages) {
                links.extend(
                    package.href.strip_prefix("Packages/").map(|place| format!("packages/{name}/{place}")),
                );
            }
        }
        links
    }
}

/// Says what a database for yum 3 claims that is not so: its version, the XML it belongs to, what it lists.
fn lies(database: &[u8], checksum: &str, pkgids: &[&str]) -> Option<String> {
    let claims = match databases::claims(database) {
        Ok(claims) => claims,
        Err(error) => return Some(error.to_string()),
    };
    if claims.version != i64::from(databases::DATABASE_VERSION) {
        return Some(format!("its version is {}", claims.version));
    }
    if claims.checksum != checksum {
        return Some("it belongs to other XML".to_owned());
    }
    (claims.pkgids != pkgids).then(|| "it does not list the packages that the XML lists".to_owned())
}

/// Cuts `public/@N/` off.
fn place_below(place: &str) -> String {
    place.splitn(3, '/').nth(2).unwrap_or_default().to_owned()
}
