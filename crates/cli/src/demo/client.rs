//! A yum client in small: believes nothing it has not checked.
//!
//! ```text
//!   repomd.xml ──checksum──> primary.xml.gz ──open checksum──> packages ──checksum──> bytes of an RPM
//! ```

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nevra::Dependency;
use repo::{Package, Record, Repomd};

/// No file of the demo is larger.
const SIZE_MAX: u64 = 16 << 20;

/// Fetches over HTTP.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    /// Whether to damage the next checked body, as a broken wire would.
    spoil: Cell<bool>,
}

/// What a server said.
#[derive(Debug)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The entity tag, with quotes.
    pub etag: String,
    /// The body.
    pub bytes: Vec<u8>,
}

/// A repository as it was at one moment, every file of its metadata checked.
#[derive(Debug)]
pub struct View {
    /// Its address, without a slash at the end.
    pub url: String,
    /// Its packages.
    pub packages: Vec<Package>,
    /// The tag of repomd.xml.
    pub etag: String,
    records: Vec<Record>,
}

impl View {
    /// Writes `name-version-release` of everything it lists, sorted, with commas.
    pub fn list(&self) -> String {
        if self.packages.is_empty() {
            return "nothing".to_owned();
        }
        let mut names: Vec<_> = self.packages.iter().map(short).collect();
        names.sort();
        names.join(", ")
    }

    /// Finds the newest package that gives what is asked for.
    fn best(&self, wanted: &Dependency) -> Option<&Package> {
        let gives =
            |package: &&Package| package.provides.iter().any(|given| given.dependency().overlaps(wanted));
        self.packages.iter().filter(gives).max_by(|a, b| a.nevra.evr.rpm_cmp(&b.nevra.evr))
    }
}

impl Client {
    /// Makes a client with a time limit of half a minute.
    pub fn new() -> Client {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build();
        Client { agent: config.into(), spoil: Cell::new(false) }
    }

    /// Damages the next body that is checked; `false` mends the wire and tells whether it was still due.
    pub fn spoil(&self, spoil: bool) -> bool {
        self.spoil.replace(spoil)
    }

    /// Fetches whatever lies at `url`, on the condition that it is not `etag` if one is given.
    pub fn fetch(&self, url: &str, etag: Option<&str>) -> Result<Fetched> {
        let mut request = self.agent.get(url);
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        let mut response = request.call().with_context(|| format!("failed to fetch `{url}`"))?;
        let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok());
        let etag = tag.unwrap_or_default().to_owned();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(SIZE_MAX)
            .read_to_vec()
            .with_context(|| format!("failed to read `{url}`"))?;
        Ok(Fetched { status: response.status().as_u16(), etag, bytes })
    }

    /// Fetches what must be there.
    fn body(&self, url: &str) -> Result<Fetched> {
        let fetched = self.fetch(url, None)?;
        ensure!(fetched.status == 200, "`{url}` answers {}", fetched.status);
        Ok(fetched)
    }

    /// Fetches what must be there with these bytes.
    fn checked(&self, url: &str, size: Option<u64>, digest: &nevra::Digest) -> Result<Vec<u8>> {
        let mut bytes = self.body(url)?.bytes;
        if self.spoil.replace(false) {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        ensure!(size.is_none_or(|size| size == bytes.len() as u64), "`{url}` has another size than promised");
        ensure!(repo::digest(digest.algorithm, &bytes) == *digest, "`{url}` has other bytes than promised");
        Ok(bytes)
    }

    /// Fetches the metadata of a repository and checks every file of it.
    pub fn repository(&self, url: &str) -> Result<View> {
        let answer = self.body(&format!("{url}/repodata/repomd.xml"))?;
        let repomd = Repomd::parse(&answer.bytes)?;
        let open = self.metadata(url, &repomd.records)?;
        let part = |kind: &str| open.get(kind).with_context(|| format!("repomd.xml names no `{kind}`"));
        let packages = repo::parse_packages(part("primary")?, part("filelists")?, part("other")?)?;
        Ok(View { url: url.to_owned(), packages, etag: answer.etag, records: repomd.records })
    }

    /// Fetches and checks the files that a repomd.xml names; gives what they unpack to, by their kind.
    fn metadata(&self, url: &str, records: &[Record]) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut open = BTreeMap::new();
        for record in records {
            let packed = self.checked(&format!("{url}/{}", record.href), record.size, &record.checksum)?;
            let bytes = repo::unpack(&packed, SIZE_MAX)?;
            if let Some(checksum) = &record.open_checksum {
                ensure!(
                    repo::digest(checksum.algorithm, &bytes) == *checksum,
                    "`{}` unpacks to other bytes than promised",
                    record.href
                );
            }
            open.insert(record.kind.clone(), bytes);
        }
        Ok(open)
    }

    /// Fetches a package and checks that its bytes are those listed, and that it is what it is called.
    fn package(&self, view: &View, package: &Package) -> Result<()> {
        let url = format!("{}/{}", view.url, package.href);
        let bytes = self.checked(&url, Some(package.size_package), &package.pkgid)?;
        let head = repo::read_head(&mut bytes.as_slice())?;
        let facts = repo::FileFacts {
            size: bytes.len() as u64,
            digest: package.pkgid.clone(),
            mtime: package.time_file,
            href: package.href.clone(),
        };
        let found = repo::package_of(&head, facts)?;
        ensure!(found.nevra == package.nevra, "`{url}` is `{}`, listed as `{}`", found.nevra, package.nevra);
        Ok(())
    }

    /// Fetches everything a view leads to, long after it was taken: its metadata and every package.
    pub fn all_of(&self, view: &View) -> Result<()> {
        self.metadata(&view.url, &view.records)?;
        view.packages.iter().try_for_each(|package| self.package(view, package))
    }

    /// Does what installing `name` on a bare host does: chooses, fetches and checks; lists what came.
    pub fn install(&self, view: &View, name: &str) -> Result<String> {
        self.install_from(&[view], name)
    }

    /// The same on a host that draws from several repositories.
    pub fn install_from(&self, views: &[&View], name: &str) -> Result<String> {
        let mut wanted = vec![Dependency { name: name.to_owned(), bound: None }];
        let mut chosen = BTreeMap::new();
        while let Some(next) = wanted.pop() {
            // What rpm itself provides, and files, are not the matter of this story.
            if next.name.starts_with("rpmlib(") || next.name.starts_with('/') {
                continue;
            }
            let all = views.iter().filter_map(|view| Some((*view, view.best(&next)?)));
            let best = all.max_by(|(_, a), (_, b)| a.nevra.evr.rpm_cmp(&b.nevra.evr));
            let Some((view, package)) = best else { bail!("nothing provides `{next}`") };
            if chosen.insert(short(package), (view, package)).is_none() {
                wanted.extend(package.requires.iter().map(repo::Relation::dependency));
            }
        }
        chosen.values().try_for_each(|(view, package)| self.package(view, package))?;
        Ok(chosen.into_keys().collect::<Vec<_>>().join(", "))
    }
}

fn short(package: &Package) -> String {
    format!("{}-{}", package.nevra.name, package.nevra.evr)
}
