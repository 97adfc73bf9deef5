//! Existing repositories that lie: each is refused with a code of its own, and nothing is published.

use std::fs;
use std::os::unix::fs::symlink;

use camino::Utf8Path;
use repo::{Entry, FileFacts, Measure, Record, Repomd};
use serde_json::Value;
use testkit::{Sandbox, Site};

use super::{STAGES, package, write};

/// A small repository, written by hand so that it can say anything.
struct Existing<'a> {
    folder: &'a Utf8Path,
    entries: Vec<Entry>,
}

impl<'a> Existing<'a> {
    fn in_folder(folder: &'a Utf8Path) -> Self {
        let mut entries = Vec::new();
        for name in ["gfal", "dpm"] {
            let bytes = package(name, "1").build();
            let href = package(name, "1").file_name();
            write(&folder.join(&href), &bytes);
            let head = repo::read_head(&mut bytes.as_slice()).unwrap();
            let digest = repo::sha256(&bytes).into();
            let facts = FileFacts { size: bytes.len() as u64, digest, mtime: 1_600_000_000, href };
            entries.push(repo::entry_of(&repo::package_of(&head, facts).unwrap()));
        }
        Self { folder, entries }
    }

    /// Writes its metadata, with the primary as `change` leaves it; sizes and checksums fit.
    fn write(&self, change: impl Fn(String) -> String, records: &[Record]) {
        let metadata = repo::write_metadata(&self.entries, 1_600_000_000, records);
        let mut repomd = Repomd::parse(&metadata.repomd).unwrap();
        for (href, bytes) in &metadata.files {
            let kind = href.rsplit('-').next().unwrap().split('.').next().unwrap();
            let mut open = String::from_utf8(repo::unpack(bytes, u64::MAX).unwrap()).unwrap();
            if kind == "primary" {
                open = change(open);
            }
            let packed = repo::gzip(open.as_bytes());
            let measure = |bytes: &[u8]| Measure::of(nevra::Algorithm::Sha256, bytes);
            let href = format!("repodata/{kind}.xml.gz");
            write(&self.folder.join(&href), &packed);
            let record =
                Record::new(kind, href, 1, measure(&packed), Some(measure(open.as_bytes()).into()), None);
            let at = repomd.records.iter().position(|record| record.kind == kind).unwrap();
            repomd.records[at] = record;
        }
        write(&self.folder.join("repodata/repomd.xml"), repomd.write());
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }
}

type Lie = (&'static str, &'static str, fn(&Existing<'_>));

/// What is wrong, as code and words of the sentence, and how it came to be.
const LIES: [Lie; 17] = [
    ("no-repository", "there is no `repodata/repomd.xml`", |_| {}),
    ("bad-metadata", "it ends early", |old| {
        old.write(|primary| primary, &[]);
        let file = old.folder.join("repodata/repomd.xml");
        let bytes = fs::read(&file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("bad-metadata", "names no `other`", |old| {
        old.write(|primary| primary, &[]);
        old.replace("repodata/repomd.xml", "type=\"other\"", "type=\"another\"");
    }),
    ("size-mismatch", "record `primary` of repomd.xml says", |old| {
        old.write(|primary| primary, &[]);
        let file = old.folder.join("repodata/primary.xml.gz");
        fs::write(&file, [fs::read(&file).unwrap(), b"x".to_vec()].concat()).unwrap();
    }),
    ("digest-mismatch", "record `primary` of repomd.xml says", |old| {
        old.write(|primary| primary, &[]);
        let file = old.folder.join("repodata/primary.xml.gz");
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
    }),
    ("count-mismatch", "claims 3 packages and lists 2", |old| {
        old.write(|primary| primary.replace("packages=\"2\"", "packages=\"3\""), &[]);
    }),
    ("count-mismatch", "contradicts itself", |old| {
        old.write(|primary| primary.replacen(&old.entries[0].pkgid.hex, &"0".repeat(64), 1), &[]);
    }),
    ("href-outside", "names `../gfal-1-1.x86_64.rpm`", |old| {
        old.write(|primary| primary.replace("href=\"gfal", "href=\"../gfal"), &[]);
    }),
    ("href-outside", "names `/etc/hostname`", |old| {
        old.write(|primary| primary.replace("href=\"gfal-1-1.x86_64.rpm", "href=\"/etc/hostname"), &[]);
    }),
    ("href-outside", "record `other` lies outside", |old| {
        old.write(|primary| primary, &[]);
        old.replace("repodata/repomd.xml", "href=\"repodata/other", "href=\"../repodata/other");
    }),
    ("href-outside", "names `gfal-1-1.x86_64.rpm`", |old| {
        old.write(|primary| primary, &[]);
        let file = old.folder.join("gfal-1-1.x86_64.rpm");
        let elsewhere = old.folder.parent().unwrap().join(format!("{}.rpm", old.folder.file_name().unwrap()));
        fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
    }),
    ("missing-file", "which is not in", |old| {
        old.write(|primary| primary, &[]);
        fs::remove_file(old.folder.join("gfal-1-1.x86_64.rpm")).unwrap();
    }),
    ("document-type", "it has a document type", |old| {
        old.write(
            |primary| primary.replacen("<metadata", "<!DOCTYPE metadata [<!ENTITY a \"aa\">]><metadata", 1),
            &[],
        );
    }),
    ("unpacks-too-large", "unpacks to more than", |old| {
        old.write(
            |primary| primary.replace("</metadata>", &format!("{}</metadata>", " ".repeat(64 << 20))),
            &[],
        );
    }),
    ("size-mismatch", "bytes, primary says", |old| {
        old.write(|primary| primary, &[]);
        let file = old.folder.join("gfal-1-1.x86_64.rpm");
        fs::write(&file, [fs::read(&file).unwrap(), b"x".to_vec()].concat()).unwrap();
    }),
    ("digest-mismatch", "primary says sha256:", |old| {
        old.write(|primary| primary, &[]);
        let file = old.folder.join("gfal-1-1.x86_64.rpm");
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
    }),
    ("not-a-package", "gfal-1-1.x86_64.rpm", |old| {
        let file = old.folder.join("gfal-1-1.x86_64.rpm");
        let text = &"This is a letter, not an RPM. ".repeat(9);
        fs::write(&file, text).unwrap();
        let (before, after) = (&old.entries[0], repo::sha256(text.as_bytes()).hex());
        let mut lying = Existing { folder: old.folder, entries: old.entries.clone() };
        lying.entries.truncate(1);
        let size = format!("package=\"{}\"", before.size_package);
        let digest = before.pkgid.hex.clone();
        lying.write(
            |primary| primary.replace(&digest, &after).replace(&size, &format!("package=\"{}\"", text.len())),
            &[],
        );
        // All three files must tell the same lie to get so far.
        for kind in ["filelists", "other"] {
            let packed = fs::read(old.folder.join(format!("repodata/{kind}.xml.gz"))).unwrap();
            let open = String::from_utf8(repo::unpack(&packed, u64::MAX).unwrap()).unwrap();
            let open = open.replace(&digest, &after);
            let (new, measure) =
                (repo::gzip(open.as_bytes()), |bytes: &[u8]| Measure::of(nevra::Algorithm::Sha256, bytes));
            fs::write(old.folder.join(format!("repodata/{kind}.xml.gz")), &new).unwrap();
            let repomd = old.folder.join("repodata/repomd.xml");
            let mut parsed = Repomd::parse(&fs::read(&repomd).unwrap()).unwrap();
            let at = parsed.records.iter().position(|record| record.kind == kind).unwrap();
            let href = format!("repodata/{kind}.xml.gz");
            parsed.records[at] =
                Record::new(kind, href, 1, measure(&new), Some(measure(open.as_bytes()).into()), None);
            fs::write(repomd, parsed.write()).unwrap();
        }
    }),
];

#[test]
fn every_lie_is_refused_with_its_own_code_and_nothing_is_published() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let current = fs::read_link(site.root().join("public/current")).unwrap();
    for (number, (code, words, lie)) in LIES.into_iter().enumerate() {
        let folder = sandbox.folder(&format!("old-{number}"));
        lie(&Existing::in_folder(&folder));
        let ran = site.sluice(&["--json", "adopt", folder.as_str(), "--stage", "production"]);
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{number}: {ran}"));
        let sentence = answer["sentence"].as_str().unwrap_or_default();
        assert_eq!((number, answer["code"].as_str()), (number, Some(code)), "{answer:#}");
        assert!(sentence.contains(words), "{number}: `{words}` is not in `{sentence}`");
        assert_ne!(ran.code(), 0);
    }
    assert_eq!(
        fs::read_link(site.root().join("public/current")).unwrap(),
        current,
        "something was published"
    );
    assert_eq!(fs::read_dir(site.root().join("staging/import")).unwrap().count(), 0, "copies are left");

    // The same folder without a lie is taken, also with records of old and checksums of old.
    let folder = sandbox.folder("honest");
    let honest = Existing::in_folder(&folder);
    write(&folder.join("repodata/odd.bin"), "odd");
    let measure = Measure::of(nevra::Algorithm::Sha1, b"odd");
    let odd = Record::new("odd", "repodata/odd.bin".into(), 1, measure, None, None);
    honest.write(|primary| primary, &[odd]);
    site.sluice(&["adopt", folder.as_str(), "--stage", "production"]).ok();
    let repodata = site.root().join("public/current/repo/el9/repodata");
    let repomd = Repomd::parse(&fs::read(repodata.join("repomd.xml")).unwrap()).unwrap();
    let href = &repomd.record("odd").unwrap().href;
    assert_eq!(fs::read(repodata.parent().unwrap().join(href)).unwrap(), b"odd", "not byte for byte");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}
