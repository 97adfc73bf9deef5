//! Everybody who reads repositories reads what many requests left, as what createrepo_c writes of the same packages: a thousand
//! of them with `SLUICE_THOROUGH=1`.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Repomd;
use testkit::{Sandbox, createrepo_c, program, run};

use super::{History, elements, packages};
use crate::createrepo_parity::forms::{dnf_sees, zypper_lists};
use crate::faults::is_thorough;

/// Fetches a repository with librepo, which verifies every file, and unpacks each with Python: their digests must be those that
/// repomd.xml tells. Prints how many there were.
const LIBREPO_AND_GZIP: &str = r#"
import gzip, hashlib, os, sys
import xml.etree.ElementTree as tree
import librepo
url, folder = sys.argv[1:]
os.makedirs(folder)
handle = librepo.Handle()
handle.urls, handle.repotype, handle.destdir, handle.checksum = [url], librepo.LR_YUMREPO, folder, True
handle.perform(librepo.Result())
space = "{http://linux.duke.edu/metadata/repo}"
read = 0
for data in tree.parse(os.path.join(folder, "repodata/repomd.xml")).getroot().iter(space + "data"):
    path = os.path.join(folder, data.find(space + "location").get("href"))
    with gzip.open(path) as packed:
        bytes = packed.read()
    assert hashlib.sha256(bytes).hexdigest() == data.find(space + "open-checksum").text, path
    assert len(bytes) == int(data.find(space + "open-size").text), path
    read += 1
print(read)
"#;

/// The elements of the three files of a repository on disk.
fn read(folder: &Utf8Path) -> [BTreeMap<String, String>; 3] {
    let repomd = Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
    ["primary", "filelists", "other"].map(|kind| {
        let packed = fs::read(folder.join(&repomd.record(kind).unwrap().href)).unwrap();
        elements(&repo::unpack(&packed, 1 << 30).unwrap())
    })
}

/// Puts what a stage publishes, and its packages, into a folder.
fn put(history: &History, stage: &str, folder: &Utf8Path) {
    let store = history.store();
    let current = store.current().unwrap().unwrap();
    let top = format!("glite/el9/x86_64/{stage}/");
    for (path, facts) in &current.files.public {
        let Some(below) = path.strip_prefix(&top).filter(|_| facts.until.is_none()) else { continue };
        let file = folder.join(below);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, store.read_public(&current, path).unwrap()).unwrap();
    }
    for package in history.listed[stage].iter().map(|id| &packages()[id]) {
        let file = folder.join(&package.href);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, &package.rpm).unwrap();
    }
}

#[test]
fn everybody_reads_what_many_requests_left() {
    // An even seed: createrepo_c 0.17 does not read zstd.
    let mut history = History::begin(1000);
    let mut done = 0;
    let requests = if is_thorough() { 1000 } else { 150 };
    for number in 0..requests {
        done += usize::from(history.step(number));
        history.follow();
    }
    history.fill();
    history.check();
    let left = history.listed["production"].len();
    println!("{done} of {requests} requests did something, {left} packages are left");
    assert!(done > requests / 2 && left >= 20, "{done} were done, {left} are left");

    let sandbox = Sandbox::new();
    let (ours, theirs) = (sandbox.folder("ours"), sandbox.folder("theirs"));
    for folder in [&ours, &theirs] {
        put(&history, "production", folder);
    }
    fs::remove_dir_all(theirs.join("repodata")).unwrap();
    createrepo_c(&theirs, &["--no-database"]).ok();
    let wanted = read(&theirs);
    let same = |folder: &Utf8Path| {
        for (found, wanted) in read(folder).iter().zip(&wanted) {
            assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{folder}");
            found.iter().for_each(|(id, element)| assert_eq!(*element, wanted[id], "{folder}"));
        }
    };
    same(&ours);

    let seen = dnf_sees(&sandbox, "dnf-ours", &ours);
    assert!(seen.len() > 1000, "dnf said next to nothing");
    assert_eq!(seen, dnf_sees(&sandbox, "dnf-theirs", &theirs));
    let seen = zypper_lists(&sandbox, "zypper-ours", &ours);
    assert!(seen.len() >= 20, "zypper lists next to nothing: {seen:?}");
    assert_eq!(seen, zypper_lists(&sandbox, "zypper-theirs", &theirs));
    let url = format!("file://{ours}");
    let fetched = sandbox.path("librepo");
    let mut python = program("/usr/bin/python3");
    let read_by = run(python.args(["-c", LIBREPO_AND_GZIP, &url, fetched.as_str()])).ok().stdout;
    assert_eq!(read_by.trim(), "3");

    let merged = sandbox.path("merged");
    let mut merge = program("mergerepo_c");
    run(merge.args(["--all", "--repo", ours.as_str(), "--outputdir", merged.as_str()])).ok();
    let without_base = |elements: BTreeMap<String, String>| -> BTreeMap<String, String> {
        // It says where packages come from, which createrepo_c had no reason to.
        let strip = |text: String| match text.split_once(" xml:base=\"") {
            Some((before, rest)) => format!("{before}{}", &rest[rest.find('"').unwrap() + 1..]),
            None => text,
        };
        elements.into_iter().map(|(id, element)| (id, strip(element))).collect()
    };
    let [primary, filelists, other] = read(&merged);
    assert_eq!(filelists, wanted[1]);
    assert_eq!(other, wanted[2]);
    assert_eq!(without_base(primary), wanted[0]);

    let advisory: Utf8PathBuf = sandbox.file("updateinfo.xml", b"<updates></updates>");
    run(program("modifyrepo_c").arg(advisory).arg(ours.join("repodata"))).ok();
    same(&ours);
    let repomd = Repomd::parse(&fs::read(ours.join("repodata/repomd.xml")).unwrap()).unwrap();
    assert!(repomd.record("updateinfo").is_some());

    // What it may take over it takes over: no package is read for an --update but those it does not know.
    createrepo_c(&ours, &["--no-database", "--update"]).ok();
    same(&ours);
}
