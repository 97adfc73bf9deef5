//! Our metadata against createrepo_c's, for every fixture package; and every client against ours.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use repo::{Entry, FileFacts, Fragments, Metadata, Package, Repomd};
use testkit::{Host, SOURCE_DATE_EPOCH, Sandbox, createrepo_c, fixtures, mergerepo_c};

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
    let text = std::str::from_utf8(xml).unwrap();
    let mut found = BTreeMap::new();
    for piece in text.split_inclusive("</package>\n").filter(|piece| piece.contains("<package ")) {
        let element = &piece[piece.find("<package ").unwrap()..];
        let mark = if element.contains("pkgid=\"YES\">") { "pkgid=\"YES\">" } else { "pkgid=\"" };
        let id = element.split(mark).nth(1).unwrap()[..64].to_owned();
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

fn file_facts(path: &Utf8Path) -> FileFacts {
    let bytes = fs::read(path).unwrap();
    FileFacts {
        size: bytes.len() as u64,
        digest: repo::sha256(&bytes).into(),
        mtime: SOURCE_DATE_EPOCH,
        href: path.file_name().unwrap().to_owned(),
    }
}

fn package(path: &Utf8Path) -> Result<Package, repo::Error> {
    let head = repo::read_head(&mut File::open(path).unwrap())?;
    repo::package_of(&head, file_facts(path))
}

/// The fixtures with metadata by createrepo_c, in a folder of their own.
fn theirs(sandbox: &Sandbox) -> Utf8PathBuf {
    let folder = sandbox.folder("theirs");
    for path in &fixtures().good {
        let copy = folder.join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(SOURCE_DATE_EPOCH.unsigned_abs());
        File::open(&copy).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
    }
    createrepo_c(&folder, &["--no-database"]).ok();
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
    for path in &fixtures().good {
        let copy = folder.join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        entries.push(repo::entry_of(&package(path).unwrap_or_else(|error| panic!("{path}: {error}"))));
    }
    put(&repo::write_metadata(&entries, SOURCE_DATE_EPOCH, &[]), &folder);
    (folder, entries)
}

#[test]
fn every_element_of_every_fixture_is_createrepo_cs() {
    let sandbox = Sandbox::new();
    let xml = Xml::of(&theirs(&sandbox));
    let listed = [elements(&xml.primary), elements(&xml.filelists), elements(&xml.other)];
    let mut different = Vec::new();
    let mut bytes = 0;
    for path in &fixtures().good {
        let name = path.file_name().unwrap();
        let package = package(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let id = package.pkgid.hex.clone();
        let Fragments { primary, filelists, other, .. } = repo::fragments_of(&package);
        let kinds = ["primary", "filelists", "other"];
        for ((kind, ours), theirs) in kinds.iter().zip([&primary[..], &filelists, &other]).zip(&listed) {
            let ours = std::str::from_utf8(ours).unwrap();
            let theirs =
                theirs.get(&id).unwrap_or_else(|| panic!("createrepo_c does not list {name} in {kind}"));
            bytes += ours.len();
            if ours != theirs {
                let pair = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
                different.push(format!("{name}, {kind}: {pair:?}\n--- ours\n{ours}--- theirs\n{theirs}"));
            }
        }
    }
    println!(
        "{} packages, {bytes} bytes of elements compared, {} differ",
        fixtures().good.len(),
        different.len()
    );
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(listed.iter().all(|elements| elements.len() == fixtures().good.len()));
}

#[test]
fn parsing_createrepo_cs_files_gives_what_the_headers_say() {
    let sandbox = Sandbox::new();
    let xml = Xml::of(&theirs(&sandbox));
    let parsed = repo::parse_packages(&xml.primary, &xml.filelists, &xml.other).unwrap();
    let parsed: BTreeMap<_, _> = parsed.into_iter().map(|package| (package.href.clone(), package)).collect();
    assert_eq!(parsed.len(), fixtures().good.len());
    for path in &fixtures().good {
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

/// What dnf knows about every package of a repository, one line each, sorted.
fn dnf_sees(sandbox: &Sandbox, name: &str, folder: &Utf8Path) -> Vec<String> {
    let host = Host::new(sandbox, name);
    host.repository("fixtures", &format!("file://{folder}"));
    let mut seen = Vec::new();
    let format = "%{name}-%{evr}.%{arch}|%{summary}|%{url}|%{license}|%{sourcerpm}|%{buildtime}|%{size}|%{installsize}";
    let lists =
        ["--requires", "--provides", "--obsoletes", "--conflicts", "--recommends", "--supplements", "--list"];
    for extra in [&["--queryformat", format][..]].into_iter().chain(lists.chunks(1)) {
        let mut arguments = vec!["repoquery", "--show-duplicates", "*"];
        arguments.extend(extra);
        seen.push(format!("--- {extra:?}"));
        let mut lines: Vec<_> = host.dnf(&arguments).ok().stdout.lines().map(str::to_owned).collect();
        lines.sort();
        seen.extend(lines);
    }
    seen
}

#[test]
fn dnf_sees_in_ours_what_it_sees_in_createrepo_cs() {
    let sandbox = Sandbox::new();
    let theirs = dnf_sees(&sandbox, "a", &theirs(&sandbox));
    let ours = dnf_sees(&sandbox, "b", &ours(&sandbox).0);
    println!("{} lines of dnf repoquery compared", ours.len());
    assert!(ours.len() > 400, "dnf said next to nothing: {ours:?}");
    assert_eq!(ours, theirs);
}

#[test]
fn zypper_sees_in_ours_what_it_sees_in_createrepo_cs() {
    let sandbox = Sandbox::new();
    let listing = |name: &str, folder: &Utf8Path| {
        let host = Host::new(&sandbox, name);
        host.repository("fixtures", &format!("file://{folder}"));
        host.zypper(&["refresh"]).ok();
        let found = host.zypper(&["search", "--details", "--type", "package"]).ok().stdout;
        let mut lines: Vec<_> =
            found.lines().filter(|line| line.contains("| package |")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let theirs = listing("a", &theirs(&sandbox));
    let ours = listing("b", &ours(&sandbox).0);
    println!("{} packages listed by zypper", ours.len());
    assert!(ours.len() >= 25, "zypper lists next to nothing: {ours:?}");
    assert_eq!(ours, theirs);
}
