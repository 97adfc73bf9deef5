use super::*;
use crate::{Contents, digest, gunzip, gzip, sample, sha256, unpack};
use nevra::Algorithm;

fn entries(count: usize) -> Vec<Entry> {
    sample::repository(count).iter().map(crate::entry_of).collect()
}

fn record(raw: &str) -> Record {
    let text = format!("<repomd>{raw}</repomd>");
    Repomd::parse(text.as_bytes()).unwrap().records.remove(0)
}

fn carried(kind: &str) -> String {
    let checksum = "0".repeat(64);
    format!(
        "<data type=\"{kind}\" odd='1' ><checksum type=\"sha256\">{checksum}</checksum>\n<location   href=\"repodata/{kind}.xml\"/></data>"
    )
}

#[test]
fn the_files_hold_what_createrepo_c_writes() {
    let metadata = write_metadata(&[crate::entry_of(&sample::package())], 1_767_355_300, &[]);
    let expected = [("primary", sample::PRIMARY), ("filelists", sample::FILELISTS), ("other", sample::OTHER)];
    for ((name, bytes), (kind, text)) in metadata.files.iter().zip(expected) {
        assert_eq!(*name, format!("repodata/{}-{kind}.xml.gz", sha256(bytes)));
        assert_eq!(String::from_utf8(gunzip(bytes, 1 << 20).unwrap()).unwrap(), text);
    }
}

#[test]
fn the_index_describes_the_files_as_they_are() {
    let metadata = write_metadata(&entries(7), 1_767_355_300, &[]);
    let repomd = Repomd::parse(&metadata.repomd).unwrap();
    assert_eq!(repomd.revision, "1767355300");
    assert_eq!(repomd.records.len(), 3);
    for (record, (name, bytes)) in repomd.records.iter().zip(&metadata.files) {
        let open = gunzip(bytes, 1 << 20).unwrap();
        assert_eq!(record.href, *name);
        assert_eq!(record.checksum, sha256(bytes).into());
        assert_eq!(record.open_checksum, Some(sha256(&open).into()));
        assert_eq!((record.size, record.open_size), (Some(bytes.len() as u64), Some(open.len() as u64)));
        assert_eq!(record.timestamp, 1_767_355_300);
        assert!(*bytes == gzip(&open), "one member, packed in one go");
        assert!(String::from_utf8_lossy(&open[..250]).contains(" packages=\"7\">\n<package "));
    }
}

#[test]
fn a_repository_without_packages_is_as_createrepo_cs() {
    let metadata = write_metadata(&[], 0, &[]);
    let text = |at: usize| String::from_utf8(gunzip(&metadata.files[at].1, 1000).unwrap()).unwrap();
    expect_test::expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="0">
        </metadata>"#]]
    .assert_eq(&text(0));
    expect_test::expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="0">
        </filelists>"#]]
    .assert_eq(&text(1));
    expect_test::expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <otherdata xmlns="http://linux.duke.edu/metadata/other" packages="0">
        </otherdata>"#]]
    .assert_eq(&text(2));
}

#[test]
fn same_input_gives_same_bytes_and_other_input_other_names() {
    let entries = entries(20);
    assert_eq!(write_metadata(&entries, 5, &[]), write_metadata(&entries, 5, &[]));
    let later = write_metadata(&entries, 6, &[]);
    assert_eq!(later.files, write_metadata(&entries, 5, &[]).files, "time is only in the index");
    let fewer = write_metadata(&entries[1..], 5, &[]);
    assert!(fewer.files.iter().all(|file| !later.files.contains(file)));
}

#[test]
fn what_was_sliced_is_written_as_it_was() {
    let metadata = write_metadata(&entries(20), 5, &[]);
    let open: Vec<Vec<u8>> =
        metadata.files.iter().map(|(_, bytes)| gunzip(bytes, 1 << 20).unwrap()).collect();
    let contents = Contents::read(&open[0], &open[1], &open[2]).unwrap();
    assert_eq!(write_metadata(&contents.entries, 5, &[]), metadata);
    let minified: Vec<Vec<u8>> =
        open.iter().map(|file| String::from_utf8_lossy(file).replace(">\n", ">").into_bytes()).collect();
    let contents = Contents::read(&minified[0], &minified[1], &minified[2]).unwrap();
    let again = write_metadata(&contents.entries, 5, &[]);
    let lines = String::from_utf8(gunzip(&again.files[0].1, 1 << 20).unwrap()).unwrap();
    assert_eq!(lines.matches("</package>\n").count(), 20);
}

#[test]
fn unknown_records_are_carried_byte_for_byte_and_stale_ones_are_not() {
    let kinds =
        ["updateinfo", "group", "group_gz", "modules", "productid", "primary_db", "other_zck", "primary"];
    let records: Vec<Record> = kinds.iter().map(|kind| record(&carried(kind))).collect();
    let written = String::from_utf8(write_metadata(&entries(1), 5, &records).repomd).unwrap();
    for kind in &kinds[..5] {
        assert!(written.contains(&format!("\n  {}\n", carried(kind))), "{kind}");
    }
    let repomd = Repomd::parse(written.as_bytes()).unwrap();
    assert_eq!(repomd.records.len(), 3 + 5);
    assert!(!written.contains("_db") && !written.contains("zck"));
}

#[test]
fn tags_stay_and_the_hash_of_old_contents_goes() {
    let mut earlier = Repomd::parse(
        b"<repomd xmlns:x='y'><revision>old</revision><tags><repo>r</repo></tags><contenthash type='sha256'>0</contenthash></repomd>",
    )
    .unwrap();
    earlier.records = write_metadata(&entries(2), 1, &[record(&carried("x-odd"))]).records_read();
    let metadata = write_metadata_like(&entries(1), 9, &earlier);
    let text = String::from_utf8(metadata.repomd).unwrap();
    assert!(
        text.contains(
            "<repomd xmlns:x='y'>\n  <revision>9</revision>\n  <tags><repo>r</repo></tags>\n  <data"
        )
    );
    assert!(!text.contains("contenthash"));
    let kinds: Vec<String> =
        Repomd::parse(text.as_bytes()).unwrap().records.into_iter().map(|r| r.kind).collect();
    assert_eq!(kinds, ["primary", "filelists", "other", "x-odd"]);
}

impl Metadata {
    fn records_read(&self) -> Vec<Record> {
        Repomd::parse(&self.repomd).unwrap().records
    }
}

fn piece<'a>(kind: &'a str, file_name: &'a str, compression: Compression) -> Piece<'a> {
    Piece { kind, file_name, open: Cow::Borrowed(b"<comps/>"), compression, database_version: None }
}

#[test]
fn a_form_decides_how_and_not_what() {
    let entries = entries(5);
    let default = write_metadata_in(&Form::default(), &entries, 5, &Repomd::new("5"), &[]);
    assert_eq!(default, write_metadata(&entries, 5, &[]));
    for compression in [Compression::None, Compression::Zstd, Compression::Bzip2, Compression::Xz] {
        for checksum in [Algorithm::Md5, Algorithm::Sha512] {
            let unique_names = checksum == Algorithm::Md5;
            let form = Form { compression, checksum, unique_names, ..Form::default() };
            let metadata = write_metadata_in(&form, &entries, 5, &Repomd::new("x"), &[]);
            assert_eq!(metadata, write_metadata_in(&form, &entries, 5, &Repomd::new("x"), &[]));
            let repomd = Repomd::parse(&metadata.repomd).unwrap();
            assert_eq!(repomd.revision, "x");
            for (record, ((name, bytes), (_, usual))) in
                repomd.records.iter().zip(metadata.files.iter().zip(&default.files))
            {
                let open = unpack(bytes, 1 << 20).unwrap();
                assert!(open == gunzip(usual, 1 << 20).unwrap());
                assert_eq!(record.href, *name);
                assert_eq!(record.checksum, digest(checksum, bytes));
                let packed = compression != Compression::None;
                assert_eq!(record.open_checksum, packed.then(|| digest(checksum, &open)));
                assert_eq!(record.open_size, packed.then_some(open.len() as u64));
                assert!(name.ends_with(&format!("{}.xml{}", record.kind, compression.ending())), "{name}");
                assert_eq!(name.contains(&record.checksum.hex), form.unique_names, "{name}");
            }
        }
    }
}

#[test]
fn pieces_follow_the_three_and_displace_what_was_carried_of_their_type() {
    let head = Repomd {
        records: ["primary_db", "group", "updateinfo"].map(|kind| record(&carried(kind))).to_vec(),
        ..Repomd::new("today")
    };
    let database =
        Piece { database_version: Some(10), ..piece("primary_db", "primary.sqlite", Compression::Bzip2) };
    let pieces = [
        database,
        piece("group", "comps.xml", Compression::None),
        piece("group_gz", "comps.xml", Compression::Gzip),
    ];
    let metadata = write_metadata_in(&Form::default(), &entries(2), 5, &head, &pieces);
    let repomd = Repomd::parse(&metadata.repomd).unwrap();
    let kinds: Vec<&str> = repomd.records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["primary", "filelists", "other", "primary_db", "group", "group_gz", "updateinfo"]);
    let endings = ["primary.sqlite.bz2", "comps.xml", "comps.xml.gz"];
    for ((name, bytes), ending) in metadata.files[3..].iter().zip(endings) {
        assert!(name.ends_with(ending), "{name}");
        assert_eq!(unpack(bytes, 100).unwrap(), b"<comps/>");
    }
    assert_eq!(metadata.files.len(), 6, "the file of a carried record is the caller's");
}
