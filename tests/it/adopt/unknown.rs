//! Records that nobody here reads, packed and named in every way: byte for byte, also when packages come and go.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use repo::Repomd;
use testkit::{Sandbox, Site, createrepo_c, program, run};

use super::{STAGES, package, write};

/// What is known of a record that is carried.
type Seen = BTreeMap<String, (Vec<u8>, Option<String>)>;

/// The files of these records with their bytes and what they say of themselves unpacked.
fn records(folder: &Utf8Path, kinds: &[&str]) -> Seen {
    let repomd = Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
    let of = |record: &repo::Record| {
        let bytes = fs::read(folder.join(&record.href)).unwrap();
        let digest = repo::digest(record.checksum.algorithm, &bytes);
        assert_eq!(
            (digest.hex, Some(bytes.len() as u64)),
            (record.checksum.hex.clone(), record.size),
            "{}",
            record.kind
        );
        (record.kind.clone(), (bytes, record.open_checksum.as_ref().map(ToString::to_string)))
    };
    repomd.records.iter().filter(|record| kinds.contains(&record.kind.as_str())).map(of).collect()
}

#[test]
fn records_that_nobody_reads_are_carried_byte_for_byte() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("old");
    for name in ["aaa", "bbb"] {
        write(&folder.join(package(name, "1").file_name()), package(name, "1").build());
    }
    createrepo_c::<&str>(&folder, &[]).ok();
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".repeat(20);
    let forms = [
        ("productid", "gz", "--simple-md-filenames"),
        ("license", "xz", "--simple-md-filenames"),
        ("appstream", "gz", "--simple-md-filenames"),
        ("appstream-icons", "bz2", "--unique-md-filenames"),
        ("susedata", "", "--simple-md-filenames"),
        ("a.thing_of+nobody", "xz", "--unique-md-filenames"),
    ];
    for (kind, compression, naming) in forms {
        let file = sandbox.file(kind, format!("{kind}\n{certificate}"));
        let mut modify = program("modifyrepo_c");
        modify.arg(format!("--mdtype={kind}")).arg(naming);
        match compression {
            "" => modify.arg("--no-compress"),
            compression => modify.arg(format!("--compress-type={compression}")),
        };
        run(modify.arg(file).arg(folder.join("repodata"))).ok();
    }
    let kinds = forms.map(|(kind, ..)| kind);
    let old = records(&folder, &kinds);
    assert_eq!(old.len(), kinds.len());

    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    site.sluice(&["adopt", folder.as_str(), "--stage", "production"]).ok();
    let published = site.root().join("public/current/repo/el9");
    let check = || {
        let new = records(&published, &kinds);
        assert!(new.keys().eq(old.keys()), "{:?}", new.keys());
        for (kind, (bytes, open)) in &old {
            assert_eq!(new[kind].0, *bytes, "{kind}");
            assert_eq!(new[kind].1, *open, "{kind}");
        }
        let repomd = Repomd::parse(&fs::read(published.join("repodata/repomd.xml")).unwrap()).unwrap();
        for record in repomd.records.iter().filter(|record| kinds.contains(&record.kind.as_str())) {
            assert!(
                record.href.contains(&record.checksum.hex),
                "{} does not change under its name",
                record.href
            );
        }
    };
    check();
    let newer = sandbox.file("aaa-2-1.x86_64.rpm", package("aaa", "2").build());
    site.sluice(&["import", newer.as_str(), "--to", "delta"]).ok();
    site.sluice(&["promote", "aaa"]).ok();
    check();
    site.sluice(&["withdraw", "bbb", "--from", "production", "--reason", "x"]).ok();
    check();
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}
