//! `sluice compare`: our metadata beside that of an existing repository, which is only read.
#![expect(clippy::disallowed_methods, reason = "tells how long it takes")]

pub mod arguments;
mod words;

use std::num::NonZeroUsize;
use std::time::Instant;

use camino::Utf8PathBuf;
use createrepo::{Comparison, Excludes, Finding, Links, MetadataFile, Theirs};
use nevra::Algorithm;
use repo::{Compression, Document, Entry, Form, Repomd};
use serde::Serialize;
use store::PosixDisk;

use crate::failure::Failure;
use crate::terminal::Terminal;
use arguments::Compare;

/// What is told, and what `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    directory: Utf8PathBuf,
    exit: u8,
    /// How long reading every package and packing the metadata took.
    seconds_build: f64,
    workers: usize,
    checksum: Algorithm,
    bytes_packages: u64,
    packages_listed: usize,
    packages_made: usize,
    packages_alike: usize,
    packages_respelled: usize,
    packages_in_other_order: bool,
    theirs: Vec<MetadataFile>,
    ours: Vec<Size>,
    findings: Vec<Finding>,
}

/// One of our files.
#[derive(Debug, Serialize)]
struct Size {
    record: &'static str,
    compression: Compression,
    size: u64,
    open_size: u64,
}

/// Reads both and writes nothing. Exit code 0 if nothing differs, else 6; 5 if there is no repository.
pub fn run(asked: &Compare, terminal: &Terminal) -> Result<u8, Failure> {
    let directory = camino::absolute_utf8(&asked.dir)
        .map_err(|error| Failure::usage(format!("failed to find `{}`: {error}", asked.dir)))?;
    let disk = PosixDisk;
    let theirs = Theirs::read(&disk, &directory).map_err(failed)?;
    terminal.aside(&format!("reading the packages below {directory}"));

    let excludes = Excludes::new(&asked.excludes);
    let workers = workers(asked.workers);
    let checksum = asked.checksum.or(theirs.checksum).unwrap_or(Algorithm::Sha256);
    let begun = Instant::now();
    let found = createrepo::packages_below(&disk, &directory, &excludes, Links::Listed).map_err(failed)?;
    let mut made = createrepo::entries_of(&disk, &directory, &found.hrefs, checksum, workers);
    made.unreadable.splice(0..0, found.unreadable);
    let ours = sizes(&made.entries, &theirs.files);
    let seconds_build = begun.elapsed().as_secs_f64();

    let bytes_packages = made.entries.iter().map(|entry| entry.size_package).sum();
    let comparison = createrepo::compare(&theirs, &made, &excludes);
    let Comparison { listed, made, alike, respelled, in_other_order, findings } = comparison;
    let report = Report {
        directory,
        exit: if findings.is_empty() { 0 } else { 6 },
        seconds_build,
        workers: workers.get(),
        checksum,
        bytes_packages,
        packages_listed: listed,
        packages_made: made,
        packages_alike: alike,
        packages_respelled: respelled,
        packages_in_other_order: in_other_order,
        theirs: theirs.files,
        ours,
        findings,
    };
    terminal.either(&report, |paint| words::of(&report, asked.all, paint));
    Ok(report.exit)
}

fn failed(error: createrepo::Error) -> Failure {
    use createrepo::Error;
    match &error {
        Error::NoRepodata { .. } => Failure::not_found(error.to_string()).hint(
            "name the directory that holds `repodata`; `sluice createrepo DIR` makes a repository of one",
        ),
        _ => Failure::internal(error.to_string()),
    }
}

fn workers(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// Packs ours as theirs is packed, so that sizes can be compared.
fn sizes(entries: &[Entry], theirs: &[MetadataFile]) -> Vec<Size> {
    let primary = theirs.iter().find(|file| file.record == Document::Primary.as_str());
    let compression = primary.map_or(Compression::Gzip, |file| file.compression);
    let form = Form { compression, ..Form::default() };
    let metadata = repo::write_metadata_in(&form, entries, 0, &Repomd::new(""), &[]);
    let written = Repomd::parse(&metadata.repomd).expect("what is written here can be read here");
    let size = |document: Document| {
        let record = written.record(document.as_str())?;
        let size = record.size?;
        let open_size = record.open_size.unwrap_or(size);
        Some(Size { record: document.as_str(), compression, size, open_size })
    };
    [Document::Primary, Document::Filelists, Document::Other].into_iter().filter_map(size).collect()
}
