//! Our metadata against createrepo_c's, for every fixture package.

pub mod forms;
mod mutants;

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Algorithm;
use repo::{Entry, FileFacts, Fragments, Metadata, Package, Repomd};
use testkit::{SOURCE_DATE_EPOCH, Sandbox, createrepo_c, fixtures, mergerepo_c};

/// What the three files of a repository say, not compressed.
struct Xml {
    primary: Vec<u8>,
    filelists: Vec<u8>,
    other: Vec<u8>,
}

impl Xml {
    /// Follows repomd.xml, as a client does.
    fn of(repository: &Utf8Path) -> Self {
        let repomd = Repomd::parse(&fs::read(repository.join("repodata/repomd.xml")).unwrap()).unwrap();
        let one = |kind: &str| {
            let record = repomd.record(kind).unwrap_or_else(|| panic!("no record `{kind}` in {repository}"));
            let packed = fs::read(repository.join(&record.href)).unwrap();
            repo::unpack(&packed, 1 << 30).unwrap()
        };
        Self { primary: one("primary"), filelists: one("filelists"), other: one("other") }
    }
}

/// The `<package>` elements of one file, by digest of the package.
fn elements(xml: &[u8]) -> BTreeMap<String, String> {
    // createrepo_c copies odd bytes of damaged packages as they are.
    let text = &*String::from_utf8_lossy(xml);
    let mut found = BTreeMap::new();
    for piece in text.split_inclusive("</package>\n").filter(|piece| piece.contains("<package ")) {
        let element = &piece[piece.find("<package ").unwrap()..];
        let mark = if element.contains("pkgid=\"YES\">") { "pkgid=\"YES\">" } else { "pkgid=\"" };
        let id = element.split(mark).nth(1).unwrap().split(['<', '"']).next().unwrap().to_owned();
        assert!(found.insert(id, element.to_owned()).is_none(), "a package is listed twice");
    }
    found
}

/// Compares element by element, so that a failure shows one of them and not the repository.
fn same(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (id, element) in one {
        assert_eq!(element, &other[id]);
    }
}

fn file_facts(path: &Utf8Path, algorithm: Algorithm) -> FileFacts {
    let bytes = fs::read(path).unwrap();
    FileFacts {
        size: bytes.len() as u64,
        digest: repo::digest(algorithm, &bytes),
        mtime: SOURCE_DATE_EPOCH,
        href: path.file_name().unwrap().to_owned(),
    }
}

fn package(path: &Utf8Path) -> Result<Package, repo::Error> {
    package_named_by(Algorithm::Sha256, path)
}

fn package_named_by(algorithm: Algorithm, path: &Utf8Path) -> Result<Package, repo::Error> {
    let head = repo::read_head(&mut File::open(path).unwrap())?;
    repo::package_of(&head, file_facts(path, algorithm))
}

/// The fixtures with metadata by createrepo_c, in a folder of their own.
fn theirs(sandbox: &Sandbox) -> Utf8PathBuf {
    theirs_with(sandbox, &[])
}

fn theirs_with(sandbox: &Sandbox, arguments: &[&str]) -> Utf8PathBuf {
    let folder = sandbox.folder("theirs");
    for path in fixtures().listed() {
        let copy = folder.join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(SOURCE_DATE_EPOCH.unsigned_abs());
        File::open(&copy).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
    }
    createrepo_c(&folder, &[&["--no-database"][..], arguments].concat()).ok();
    folder
}

/// Writes metadata into the folder of a repository.
pub fn put(metadata: &Metadata, folder: &Utf8Path) {
    for (name, bytes) in &metadata.files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    fs::write(folder.join("repodata/repomd.xml"), &metadata.repomd).unwrap();
}

/// The fixtures with our metadata, and its entries.
fn ours(sandbox: &Sandbox) -> (Utf8PathBuf, Vec<Entry>) {
    let folder = sandbox.folder("ours");
    let mut entries = Vec::new();
    for path in fixtures().listed() {
        let copy = folder.join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        entries.push(repo::entry_of(&package(path).unwrap_or_else(|error| panic!("{path}: {error}"))));
    }
    put(&repo::write_metadata(&entries, SOURCE_DATE_EPOCH, &[]), &folder);
    (folder, entries)
}

/// Packages that are not byte for byte as createrepo_c lists them, and why. None today: those that
/// were, were mended. What it lists and we refuse, and the reverse, stands in `refused/` and its test.
const DIFFERENT: [(&str, &str); 0] = [];

/// What is wrong with a package's part of the three files, if anything.
fn difference(package: &Package, listed: &[BTreeMap<String, String>; 3]) -> Option<String> {
    let Fragments { primary, filelists, other, .. } = repo::fragments_of(package);
    let kinds = ["primary", "filelists", "other"];
    for ((kind, ours), theirs) in kinds.iter().zip([&primary[..], &filelists, &other]).zip(listed) {
        let ours = std::str::from_utf8(ours).unwrap();
        let Some(theirs) = theirs.get(&package.pkgid.hex) else {
            return Some(format!("createrepo_c does not list {} in {kind}", package.href));
        };
        if ours != theirs {
            let pair = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
            return Some(format!("{}, {kind}: {pair:?}\n--- ours\n{ours}--- theirs\n{theirs}", package.href));
        }
    }
    None
}

#[test]
fn every_element_of_every_fixture_is_createrepo_cs() {
    let sandbox = Sandbox::new();
    let xml = Xml::of(&theirs(&sandbox));
    let listed = [elements(&xml.primary), elements(&xml.filelists), elements(&xml.other)];
    let mut different = BTreeMap::new();
    let mut count = 0;
    for path in fixtures().listed() {
        let package = package(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        count += 1;
        if let Some(difference) = difference(&package, &listed) {
            different.insert(package.href.clone(), difference);
        }
    }
    println!(
        "{count} packages, {} bytes of metadata, {} packages differ",
        xml.primary.len() + xml.filelists.len() + xml.other.len(),
        different.len()
    );
    let unexplained: Vec<_> = different
        .iter()
        .filter(|(href, _)| DIFFERENT.iter().all(|(known, _)| known != href))
        .map(|(_, difference)| difference.as_str())
        .collect();
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    assert!(DIFFERENT.iter().all(|(known, _)| different.contains_key(*known)), "mended: {DIFFERENT:?}");
    let built_by_rpmbuild = fs::read_dir(testkit::checkout().join("fixtures/specs")).unwrap().count();
    assert!(count >= 60 && built_by_rpmbuild >= 40, "{count} packages are not every kind there is");
    assert!(different.len() * 10 <= count, "{} of {count} differ", different.len());
    assert!(listed.iter().all(|elements| elements.len() == count));
}

#[test]
fn every_element_is_createrepo_cs_whatever_digest_names_the_packages() {
    for (name, algorithm) in [
        ("sha512", Algorithm::Sha512),
        ("sha", Algorithm::Sha),
        ("sha1", Algorithm::Sha1),
        ("md5", Algorithm::Md5),
    ] {
        let sandbox = Sandbox::new();
        let folder = theirs_with(&sandbox, &["--checksum", name, "--simple-md-filenames"]);
        let xml = Xml::of(&folder);
        let listed = [elements(&xml.primary), elements(&xml.filelists), elements(&xml.other)];
        let packages: Vec<_> =
            fixtures().listed().map(|path| package_named_by(algorithm, path).unwrap()).collect();
        for package in &packages {
            let difference = difference(package, &listed);
            assert_eq!(difference, None, "{name}");
        }
        // The index, too, but for the packed files: no two packers make the same bytes.
        let theirs = fs::read_to_string(folder.join("repodata/repomd.xml")).unwrap();
        let form = repo::Form { checksum: algorithm, unique_names: false, ..repo::Form::default() };
        let revision = Repomd::parse(theirs.as_bytes()).unwrap().revision;
        let contents = repo::Contents::read(xml.primary, xml.filelists, xml.other).unwrap();
        assert!(contents.entries.iter().all(|entry| entry.pkgid.algorithm == algorithm));
        let ours = repo::write_metadata_in(&form, &contents.entries, 5, &Repomd::new(revision), &[]).repomd;
        let comparable = |text: &str| -> Vec<String> {
            let packed = ["<checksum ", "<size>", "<timestamp>"];
            text.lines()
                .filter(|line| !packed.iter().any(|word| line.contains(word)))
                .map(String::from)
                .collect()
        };
        assert_eq!(comparable(std::str::from_utf8(&ours).unwrap()), comparable(&theirs), "{name}");
    }
}

#[test]
fn parsing_createrepo_cs_files_gives_what_the_headers_say() {
    let sandbox = Sandbox::new();
    let xml = Xml::of(&theirs(&sandbox));
    let parsed = repo::parse_packages(&xml.primary, &xml.filelists, &xml.other).unwrap();
    let parsed: BTreeMap<_, _> = parsed.into_iter().map(|package| (package.href.clone(), package)).collect();
    assert_eq!(parsed.len(), fixtures().listed().count());
    for path in fixtures().listed() {
        let ours = package(path).unwrap();
        assert_eq!(parsed[&ours.href], ours, "{}", ours.href);
    }
}

#[test]
fn the_whole_files_are_createrepo_cs() {
    let sandbox = Sandbox::new();
    let theirs = Xml::of(&theirs(&sandbox));
    // In their order, sliced out of their files: nothing is parsed on the way.
    let contents = repo::Contents::read(&theirs.primary, &theirs.filelists, &theirs.other).unwrap();
    let folder = sandbox.folder("again");
    put(&repo::write_metadata(&contents.entries, SOURCE_DATE_EPOCH, &[]), &folder);
    let again = Xml::of(&folder);
    for (kind, ours, theirs) in [
        ("primary", &again.primary, &theirs.primary),
        ("filelists", &again.filelists, &theirs.filelists),
        ("other", &again.other, &theirs.other),
    ] {
        let (ours, theirs) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
        // createrepo_c ends its files without a line feed.
        assert_eq!(ours.trim_end(), theirs.trim_end(), "{kind}");
    }
}

#[test]
fn a_package_that_createrepo_c_leaves_out_is_refused_by_name_of_the_fault() {
    let sandbox = Sandbox::new();
    for path in &fixtures().refused {
        let folder = sandbox.folder(path.file_stem().unwrap());
        fs::copy(path, folder.join(path.file_name().unwrap())).unwrap();
        createrepo_c(&folder, &["--no-database"]).ok();
        assert!(
            elements(&Xml::of(&folder).primary).is_empty(),
            "{path} became acceptable: move it to specs/"
        );
        let error = package(path).expect_err("a package nobody can list");
        assert!(!error.to_string().is_empty());
    }
    assert!(!fixtures().refused.is_empty());
}

/// Replaces every package by zeros of the same size and time: who reads it again gets nothing from it.
fn hollow(folder: &Utf8Path) {
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.extension() == Some("rpm") {
            let size = fs::metadata(&path).unwrap().len();
            fs::write(&path, vec![0; usize::try_from(size).unwrap()]).unwrap();
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(SOURCE_DATE_EPOCH.unsigned_abs());
            File::open(&path).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
        }
    }
}

#[test]
fn createrepo_c_updates_from_ours_as_from_its_own_without_reading_a_package() {
    let sandbox = Sandbox::new();
    let updated = |folder: &Utf8Path| {
        hollow(folder);
        createrepo_c(folder, &["--update", "--no-database"]).ok();
        Xml::of(folder)
    };
    let theirs = updated(&theirs(&sandbox));
    let (folder, entries) = ours(&sandbox);
    let ours = updated(&folder);
    // Not compared with what was there before: 0.17.3 reads `&amp;` in an attribute of its own as `&#38;`.
    same(&elements(&ours.primary), &elements(&theirs.primary));
    same(&elements(&ours.filelists), &elements(&theirs.filelists));
    same(&elements(&ours.other), &elements(&theirs.other));
    assert_eq!(elements(&ours.primary).len(), entries.len());
    println!("{} packages taken over by createrepo_c --update", entries.len());
}

#[test]
fn mergerepo_c_merges_ours_with_another() {
    let sandbox = Sandbox::new();
    let (folder, entries) = ours(&sandbox);
    let (half, rest) = entries.split_at(entries.len() / 2);
    put(&repo::write_metadata(half, SOURCE_DATE_EPOCH, &[]), &folder);
    let other = sandbox.folder("rest");
    for entry in rest {
        fs::copy(folder.join(&entry.href), other.join(&entry.href)).unwrap();
    }
    createrepo_c(&other, &["--no-database"]).ok();
    let merged = sandbox.folder("merged");
    mergerepo_c(&[&folder, &other], &merged).ok();
    let listed = elements(&Xml::of(&merged).primary);
    let ids: Vec<_> = listed.keys().cloned().collect();
    let mut wanted: Vec<_> = entries.iter().map(|entry| entry.pkgid.hex.clone()).collect();
    wanted.sort();
    println!("{} packages merged by mergerepo_c, {} of them from ours", ids.len(), half.len());
    assert_eq!(ids, wanted);
}
