//! Downloading a repository: every checksum verified, and whatever is complete never fetched twice.
//!
//! A file is `<name>.part` while it comes, and goes on there after an interruption; it gets its name when size and
//! checksum are right. repomd.xml comes first and is written last, so a folder that has one is whole.
#![expect(clippy::disallowed_methods, reason = "writes what is downloaded, and takes it up again")]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Digest;
use repo::{Contents, Hasher, Repomd};
use ureq::tls::{RootCerts, TlsConfig};

use super::href::{address, on_disk};
use crate::bar::Bar;
use crate::directories::make_directories;
use crate::failure::{Failure, failed};

/// The largest repomd.xml, in bytes.
const REPOMD_SIZE_MAX: u64 = 16 << 20;

/// What a metadata file may unpack to, in bytes.
const OPEN_SIZE_MAX: u64 = 4 << 30;

/// How often one file is tried, each time from where it broke off.
const ATTEMPTS: usize = 4;

/// Downloads the repository at `url` into the folder `work`; says in words what came.
pub fn fetch(url: &str, work: &Utf8Path, bar: &Bar) -> Result<String, Failure> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build()
        .new_agent();
    let url =
        url.trim_end_matches('/').trim_end_matches("/repodata/repomd.xml").trim_end_matches("/repodata");
    Download { agent, url, work, bar, fetched: 0, kept: 0, bytes: 0 }.all()
}

struct Download<'a> {
    agent: ureq::Agent,
    url: &'a str,
    work: &'a Utf8Path,
    bar: &'a Bar,
    fetched: usize,
    kept: usize,
    bytes: u64,
}

/// A file that the metadata promises.
struct Promised<'a> {
    href: &'a str,
    size: Option<u64>,
    checksum: &'a Digest,
    modified: Option<i64>,
}

/// Why an attempt did not bring a file.
enum Broken {
    /// It may go on from where it broke off.
    Off(Failure),
    /// It will not get better.
    ForGood(Failure),
}

impl Download<'_> {
    fn all(mut self) -> Result<String, Failure> {
        let bytes = self.repomd()?;
        let repomd = Repomd::parse(&bytes)
            .map_err(|error| Failure::usage(format!("`{}/repodata/repomd.xml`: {error}", self.url)))?;
        let metadata: u64 = repomd.records.iter().filter_map(|record| record.size).sum();
        self.bar.show("metadata", 0, metadata);
        let mut open = std::collections::BTreeMap::new();
        for record in &repomd.records {
            let modified = Some(record.timestamp).filter(|seconds| *seconds > 0);
            let (href, checksum) = (record.href.as_str(), &record.checksum);
            let file = self.one(&Promised { href, size: record.size, checksum, modified })?;
            if ["primary", "filelists", "other"].contains(&record.kind.as_str()) {
                let packed = fs::read(&file).map_err(failed("read", &file))?;
                let limit = record.open_size.unwrap_or(OPEN_SIZE_MAX).min(OPEN_SIZE_MAX);
                let bytes = repo::unpack(&packed, limit);
                let bytes = bytes.map_err(|error| Failure::usage(format!("`{href}`: {error}")))?;
                open.insert(record.kind.clone(), bytes);
            }
        }
        let mut take = |kind: &str| {
            open.remove(kind).ok_or_else(|| Failure::usage(format!("the repomd.xml names no `{kind}`")))
        };
        let contents = Contents::read(take("primary")?, take("filelists")?, take("other")?)
            .map_err(|error| Failure::usage(format!("the metadata of `{}`: {error}", self.url)))?;
        let all = contents.entries.iter().map(|entry| entry.size_package).sum();
        let packages = contents.entries.len();
        self.bar.show(&format!("{packages} packages"), 0, all);
        for entry in &contents.entries {
            if entry.base.as_ref().is_some_and(|base| !base.is_empty()) {
                return Err(outside(&entry.href, "its address is another repository"));
            }
            let modified = Some(entry.time_file).filter(|seconds| *seconds > 0);
            let (href, size) = (entry.href.as_str(), Some(entry.size_package));
            self.one(&Promised { href, size, checksum: &entry.pkgid, modified })?;
        }
        self.write_repomd(&bytes)?;
        let Download { fetched, kept, bytes, .. } = self;
        Ok(format!("{packages} packages: {fetched} files ({bytes} bytes) were fetched, {kept} were there"))
    }

    fn repomd(&self) -> Result<Vec<u8>, Failure> {
        let url = format!("{}/repodata/repomd.xml", self.url);
        let mut response = self.agent.get(&url).call().map_err(|error| unreachable(&url, &error))?;
        if response.status().as_u16() != 200 {
            let failure = Failure::not_found(format!("`{url}` answers {}", response.status().as_u16()));
            return Err(
                failure.hint("name the URL that stands as `baseurl` in a .repo file, variables filled in")
            );
        }
        let body = response.body_mut().with_config().limit(REPOMD_SIZE_MAX).read_to_vec();
        body.map_err(|error| unreachable(&url, &error))
    }

    /// Sees to it that one file is there, with the right bytes; gives its place.
    fn one(&mut self, promised: &Promised<'_>) -> Result<Utf8PathBuf, Failure> {
        let name =
            on_disk(promised.href).ok_or_else(|| outside(promised.href, "it leads out of the repository"))?;
        let file = self.work.join(name);
        let digest = |path: &Utf8Path| digest_of(path, promised.checksum);
        if is_file_of(&file, promised.size) && digest(&file)? == *promised.checksum {
            self.kept += 1;
            self.bar.advance(promised.size.unwrap_or_default());
            return Ok(file);
        }
        if let Some(directory) = file.parent() {
            make_directories(directory)?;
        }
        let part = Utf8PathBuf::from(format!("{file}.part"));
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let begun = fs::metadata(&part).map(|part| part.len()).unwrap_or_default();
            match self.attempt(promised, &part, begun) {
                Ok(()) => {}
                Err(Broken::Off(failure)) => {
                    last = Some(failure);
                    continue;
                }
                Err(Broken::ForGood(failure)) => return Err(failure),
            }
            let size = fs::metadata(&part).map_err(failed("look at", &part))?.len();
            let found = digest(&part)?;
            if promised.size.is_none_or(|promised| promised == size) && found == *promised.checksum {
                self.finish(promised, &part, &file)?;
                return Ok(file);
            }
            fs::remove_file(&part).map_err(failed("remove", &part))?;
            let url = address(self.url, promised.href);
            let lies = format!(
                "`{url}` has {size} bytes and the {found}, the metadata says {} bytes and {}",
                promised.size.unwrap_or(size),
                promised.checksum
            );
            let failure = Failure::usage(lies).hint(
                "the repository changed while it was downloaded, a proxy keeps old files, or the metadata lies: try again",
            );
            if begun == 0 {
                return Err(failure);
            }
            // What lay there was perhaps the beginning of another file.
            last = Some(failure);
        }
        Err(last.unwrap_or_else(|| Failure::internal(format!("failed to fetch `{}`", promised.href))))
    }

    /// Fetches a file, or what is missing of it, behind the first `begun` bytes.
    fn attempt(&mut self, promised: &Promised<'_>, part: &Utf8Path, begun: u64) -> Result<(), Broken> {
        if promised.size == Some(begun) && begun > 0 {
            return Ok(());
        }
        let url = address(self.url, promised.href);
        let mut request = self.agent.get(&url);
        if begun > 0 {
            request = request.header("range", format!("bytes={begun}-"));
        }
        let mut response = request.call().map_err(|error| Broken::Off(unreachable(&url, &error)))?;
        let range = response.headers().get("content-range").and_then(|range| range.to_str().ok());
        let goes_on = range.is_some_and(|range| range.starts_with(&format!("bytes {begun}-")));
        let append = match response.status().as_u16() {
            200 => false,
            206 if goes_on => true,
            206 | 416 if begun > 0 => {
                fs::remove_file(part).map_err(failed("remove", part)).map_err(Broken::ForGood)?;
                let words = format!("`{url}` does not go on where it broke off");
                return Err(Broken::Off(Failure::internal(words)));
            }
            status @ (408 | 429 | 500..) => {
                let failure = Failure { exit: 75, ..Failure::internal(format!("`{url}` answers {status}")) };
                return Err(Broken::Off(failure));
            }
            status => {
                let failure =
                    Failure::not_found(format!("`{url}` answers {status}, and the metadata names it"));
                return Err(Broken::ForGood(failure));
            }
        };
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).append(append).truncate(!append).open(part);
        let file = file.as_mut().map_err(|error| Broken::ForGood(Failure::of_file("write", part, error)))?;
        // More than is promised never comes in: it would be refused anyway.
        let limit = promised
            .size
            .map_or(OPEN_SIZE_MAX, |size| (size + 1).saturating_sub(if append { begun } else { 0 }));
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader().take(limit);
        let mut piece = vec![0; 1 << 17];
        if append {
            self.bar.advance(begun);
        }
        loop {
            match body.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    let written = file.write_all(&piece[..count]);
                    written.map_err(|error| Broken::ForGood(Failure::of_file("write", part, &error)))?;
                    self.bytes += count as u64;
                    self.bar.advance(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let failure = Failure::internal(format!("failed to fetch `{url}`: {error}"));
                    let hint = "the same command goes on from where it broke off";
                    return Err(Broken::Off(Failure { exit: 75, ..failure.hint(hint) }));
                }
            }
        }
    }

    fn finish(&mut self, promised: &Promised<'_>, part: &Utf8Path, file: &Utf8Path) -> Result<(), Failure> {
        fs::set_permissions(part, Permissions::from_mode(0o644)).map_err(failed("set the mode of", part))?;
        if let Some(seconds) = promised.modified.and_then(|seconds| u64::try_from(seconds).ok()) {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let opened = File::options().write(true).open(part).and_then(|part| part.set_modified(time));
            opened.map_err(failed("set the time of", part))?;
        }
        fs::rename(part, file).map_err(failed("rename", part))?;
        self.fetched += 1;
        Ok(())
    }

    fn write_repomd(&self, bytes: &[u8]) -> Result<(), Failure> {
        let file = self.work.join("repodata/repomd.xml");
        let part = Utf8PathBuf::from(format!("{file}.part"));
        fs::write(&part, bytes).map_err(failed("write", &part))?;
        fs::set_permissions(&part, Permissions::from_mode(0o644))
            .map_err(failed("set the mode of", &part))?;
        fs::rename(&part, &file).map_err(failed("rename", &part))
    }
}

fn is_file_of(path: &Utf8Path, size: Option<u64>) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && size.is_none_or(|size| size == found.len()))
}

fn digest_of(path: &Utf8Path, stated: &Digest) -> Result<Digest, Failure> {
    let mut hasher = Hasher::new(stated.algorithm);
    let mut file = File::open(path).map_err(failed("open", path))?;
    let mut piece = vec![0; 1 << 17];
    loop {
        match file.read(&mut piece).map_err(failed("read", path))? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&piece[..count]),
        }
    }
}

fn outside(href: &str, why: &str) -> Failure {
    let href: String = href.escape_debug().take(300).collect();
    Failure::usage(format!("the metadata names `{href}`: {why}"))
        .hint("a repository is adopted with all its files below one address")
}

fn unreachable(url: &str, error: &ureq::Error) -> Failure {
    let failure = Failure::internal(format!("failed to fetch `{url}`: {error}"));
    let hint = "the same command goes on from where it broke off; proxies are taken from http_proxy, https_proxy and no_proxy";
    Failure { exit: 75, ..failure.hint(hint) }
}
