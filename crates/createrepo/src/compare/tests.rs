use std::io::Write;
use std::num::NonZeroUsize;

use repo::Recipe;
use store::Disk;
use store::forgetful::ForgetfulDisk;

use super::*;
use crate::{Links, entries_of, packages_below};

/// A repository at `/` with three packages and our own metadata.
struct Repository {
    disk: ForgetfulDisk,
    metadata: repo::Metadata,
}

impl Repository {
    fn new() -> Self {
        let disk = ForgetfulDisk::new();
        for name in ["a", "b", "c"] {
            let recipe =
                Recipe::new(name, "1", "1").file(&format!("/usr/bin/{name}"), "x").requires("libc & more");
            write(&disk, &format!("/{name}.rpm"), &recipe.build());
        }
        disk.make_directory("/repodata".into(), 0o755).unwrap();
        let metadata = repo::write_metadata(&made(&disk).entries, 1, &[]);
        for (name, bytes) in &metadata.files {
            write(&disk, &format!("/{name}"), bytes);
        }
        write(&disk, "/repodata/repomd.xml", &metadata.repomd);
        Self { disk, metadata }
    }

    /// Writes a file of metadata anew; repomd.xml keeps saying what it said.
    fn edited(document: Document, edit: impl Fn(String) -> String) -> Comparison {
        let repository = Repository::new();
        let at = DOCUMENTS.iter().position(|one| *one == document).unwrap();
        let (name, packed) = &repository.metadata.files[at];
        let text = String::from_utf8(repo::gunzip(packed, 1 << 20).unwrap()).unwrap();
        let edited = edit(text.clone());
        assert_ne!(edited, text);
        overwrite(&repository.disk, &format!("/{name}"), &repo::gzip(edited.as_bytes()));
        repository.compared()
    }

    fn compared(&self) -> Comparison {
        let theirs = Theirs::read(&self.disk, "/".into()).unwrap();
        compare(&theirs, &made(&self.disk), &Excludes::default())
    }
}

fn write(disk: &ForgetfulDisk, path: &str, bytes: &[u8]) {
    disk.create(path.into(), 0o644).unwrap().write_all(bytes).unwrap();
}

fn overwrite(disk: &ForgetfulDisk, path: &str, bytes: &[u8]) {
    disk.remove_file(path.into()).unwrap();
    write(disk, path, bytes);
}

fn made(disk: &ForgetfulDisk) -> Listing {
    let found = packages_below(disk, "/".into(), &Excludes::default(), Links::Listed).unwrap();
    entries_of(disk, "/".into(), &found.hrefs, nevra::Algorithm::Sha256, NonZeroUsize::MIN)
}

/// What was found beyond that size and digests no longer fit.
fn told(comparison: &Comparison) -> Vec<String> {
    let other = comparison.findings.iter().filter(|finding| !matches!(finding, Finding::FalseRecord { .. }));
    other.map(|finding| format!("{}: {finding}", finding.heading())).collect()
}

#[test]
fn what_was_just_written_is_alike() {
    let compared = Repository::new().compared();
    assert_eq!((compared.listed, compared.made, compared.alike), (3, 3, 3));
    assert_eq!((compared.respelled, compared.in_other_order, compared.findings), (0, false, Vec::new()));
}

#[test]
fn another_order_and_another_spelling_are_no_findings() {
    let reordered = Repository::edited(Document::Primary, |text| {
        let (head, packages) = text.split_once("<package ").unwrap();
        let mut packages: Vec<&str> = packages.trim_end_matches("</metadata>").split("<package ").collect();
        packages.reverse();
        format!("{head}<package {}</metadata>", packages.join("<package "))
    });
    assert_eq!((reordered.alike, reordered.in_other_order, told(&reordered).len()), (3, true, 0));
    let respelled = Repository::edited(Document::Filelists, |text| text.replace("  <file>", "<file>"));
    assert_eq!((respelled.alike, respelled.respelled, told(&respelled).len()), (3, 3, 0));
    assert!(respelled.findings.len() >= 3, "size and digests, packed and open, no longer fit");
}

#[test]
fn each_difference_is_told_of_its_package_and_file() {
    let compared = Repository::edited(Document::Primary, |text| text.replacen("libc &amp; more", "libc", 1));
    assert_eq!(compared.alike, 2);
    assert_eq!(
        told(&compared),
        [
            "primary format/rpm:requires/rpm:entry: a-1-1.noarch primary \
             format/rpm:requires/rpm:entry[name=libc]: theirs `<rpm:entry name=\"libc\"/>`, ours -",
            "primary format/rpm:requires/rpm:entry: a-1-1.noarch primary \
             format/rpm:requires/rpm:entry[name=libc & more]: theirs -, ours `<rpm:entry name=\"libc &amp; more\"/>`",
        ]
    );
}

#[test]
fn lists_that_do_not_fit_each_other_are_told() {
    let cut = |text: String| {
        let (head, rest) = text.split_once("<package ").unwrap();
        let (_, rest) = rest.split_once("</package>\n").unwrap();
        format!("{head}{rest}")
    };
    let filelists = Repository::edited(Document::Filelists, cut);
    assert_eq!(filelists.alike, 2);
    let words = told(&filelists);
    assert_eq!(words[0], "numbers of packages that are not true: filelists claims 3 and lists 2");
    assert!(words[1].starts_with("packages that not all three files list: a-1-1.noarch ("), "{words:?}");
    assert!(words[1].ends_with("): filelists lacks it"), "{words:?}");
    let primary = Repository::edited(Document::Primary, cut);
    let words = told(&primary).join("\n");
    for wanted in
        ["filelists lists it and primary does not", "other lists it", "not listed: a-1-1.noarch at `a.rpm`"]
    {
        assert!(words.contains(wanted), "`{wanted}` is not in\n{words}");
    }
}

#[test]
fn a_package_listed_twice_is_told_once() {
    let twice = |text: String| {
        let (head, rest) = text.split_once("<package ").unwrap();
        let (first, rest) = rest.split_once("</package>\n").unwrap();
        let package = format!("<package {first}</package>\n");
        format!("{head}{package}{package}{rest}").replace("packages=\"3\"", "packages=\"4\"")
    };
    let words = told(&Repository::edited(Document::Primary, twice));
    assert_eq!(words[0], "places listed more than once: `a.rpm`");
    assert_eq!(words.len(), 4, "filelists and other lack it, and no second file is there: {words:?}");
}

#[test]
fn a_bomb_is_named_and_not_unpacked() {
    let repository = Repository::new();
    let (name, _) = &repository.metadata.files[0];
    let bomb = repo::gzip(&vec![b' '; 80 << 20]);
    assert!(bomb.len() < 100_000);
    overwrite(&repository.disk, &format!("/{name}"), &bomb);
    let words = told(&repository.compared());
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(words[0].contains("more than `67108864` bytes come out"), "{words:?}");
}

#[test]
fn what_is_no_file_is_named_and_no_read_hangs() {
    let repository = Repository::new();
    let (name, _) = &repository.metadata.files[1];
    let path = format!("/{name}");
    repository.disk.remove_file(path.as_str().into()).unwrap();
    repository.disk.make_fifo(path.as_str().into(), 0o644).unwrap();
    let words = told(&repository.compared());
    assert!(words[0].starts_with("metadata that cannot be read: ") && words[0].contains("FIFO"), "{words:?}");
    repository.disk.remove_file("/repodata/repomd.xml".into()).unwrap();
    let error = Theirs::read(&repository.disk, "/".into()).unwrap_err().to_string();
    assert_eq!(error, "failed to find `/repodata/repomd.xml`: the directory is no repository");
}

#[test]
fn any_damage_is_told_and_none_panics() {
    let mut random = fastrand::Rng::with_seed(7);
    let clean = Repository::new();
    for _ in 0..300 {
        let at = random.usize(..3);
        let (name, packed) = &clean.metadata.files[at];
        let mut text = repo::gunzip(packed, 1 << 20).unwrap();
        for _ in 0..random.usize(1..4) {
            let place = random.usize(..text.len());
            match random.u8(..3) {
                0 => text[place] = random.u8(..),
                1 => drop(text.drain(place..(place + random.usize(1..60)).min(text.len()))),
                _ => text.insert(place, *random.choice(b"<>&\"'/= \0\xff").unwrap()),
            }
        }
        let disk = clean.disk.copy();
        overwrite(&disk, &format!("/{name}"), &repo::gzip(&text));
        let theirs = Theirs::read(&disk, "/".into()).unwrap();
        let compared = compare(&theirs, &made(&disk), &Excludes::default());
        assert!(!compared.findings.is_empty());
        let words: String = compared.findings.iter().map(|finding| format!("{finding}\n")).collect();
        assert_eq!(words.lines().count(), compared.findings.len(), "a finding is one line:\n{words}");
    }
}
