use super::*;

/// As createrepo_c 0.17.3 and modifyrepo_c wrote it, with a record from elsewhere in other words.
const TEXT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>rev"&lt;</revision>
  <contenthash type="sha256">00ff</contenthash>
  <tags>
    <content>c"&lt;</content>
    <repo>r</repo>
    <distro cpeid="cpe:&quot;&lt;">Foo "&lt;&amp;</distro>
  </tags>
  <data type="primary">
    <checksum type="sha256">a9923f04bd3f2dc912c2c9940442102c9dbddb8184199e9d0f5d36aedd39932f</checksum>
    <open-checksum type="sha256">74797c5c4effacdd402d920f3e49ffe907bd52688de67f1a5b994edcbec9cd80</open-checksum>
    <location href="repodata/a9923f04bd3f2dc912c2c9940442102c9dbddb8184199e9d0f5d36aedd39932f-primary.xml.gz"/>
    <timestamp>1795302505</timestamp>
    <size>1356</size>
    <open-size>5394</open-size>
  </data>
  <data type="productid"  x='1'><location href='repodata/productid.gz' />
	<checksum type = "sha">da39a3ee5e6b4b0d3255bfef95601890afd80709</checksum>
    <timestamp> 1795302505.75 </timestamp><!-- <data> --><rpm:odd>&#60;ö</rpm:odd>
  </data>
</repomd>
"#;

fn raw_of(kind: &str) -> &'static str {
    let start = TEXT.find(&format!("<data type=\"{kind}\"")).unwrap();
    let end = start + TEXT[start..].find("</data>").unwrap() + "</data>".len();
    &TEXT[start..end]
}

#[test]
fn a_repomd_comes_out_byte_for_byte() {
    let repomd = Repomd::parse(TEXT.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(repomd.write()).unwrap(), TEXT);
    assert_eq!(repomd.revision, "rev\"<");
    let notes: Vec<&str> = repomd.notes.iter().map(|note| &*note.name).collect();
    assert_eq!(notes, ["contenthash", "tags"]);
}

#[test]
fn a_record_tells_what_it_says_and_keeps_how() {
    let repomd = Repomd::parse(TEXT.as_bytes()).unwrap();
    let primary = repomd.record("primary").unwrap();
    assert!(primary.href.ends_with("932f-primary.xml.gz"));
    assert_eq!((primary.timestamp, primary.size, primary.open_size), (1_795_302_505, Some(1356), Some(5394)));
    assert_eq!(primary.open_checksum.as_ref().unwrap().hex[..8], *"74797c5c");
    let file = Measure { checksum: primary.checksum.clone(), size: 1356 };
    let open = Measure { checksum: primary.open_checksum.clone().unwrap(), size: 5394 };
    let again =
        Record::new("primary", primary.href.clone(), primary.timestamp, file, Some(open.into()), None);
    assert_eq!(again, *primary, "it is written as createrepo_c writes it");

    let unknown = repomd.record("productid").unwrap();
    assert_eq!(unknown.raw, raw_of("productid").as_bytes());
    assert_eq!(unknown.checksum.algorithm, Algorithm::Sha);
    assert_eq!((unknown.timestamp, unknown.size, unknown.open_size), (1_795_302_505, None, None));
    assert_eq!(repomd.record("group"), None);
}

/// As createrepo_c 0.17.3 wrote them with `--database --groupfile`.
#[test]
fn a_database_and_a_file_that_is_not_packed_are_described_as_createrepo_c_does() {
    let md5 = |digit: &str| Digest::new(Algorithm::Md5, digit.repeat(32)).unwrap();
    let file = Measure { checksum: md5("a"), size: 606 };
    let open = Measure { checksum: md5("b"), size: 28672 };
    let database =
        Record::new("primary_db", "repodata/p.sqlite.bz2".into(), 5, file, Some(open.into()), Some(10));
    let comps = Measure::of(Algorithm::Md5, b"<comps/>\n");
    let plain = Record::new("group", "repodata/comps.xml".into(), 5, comps, None, None);
    let mut repomd = Repomd::new("7");
    repomd.records = vec![database, plain];
    let written = String::from_utf8(repomd.write()).unwrap();
    expect_test::expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
          <revision>7</revision>
          <data type="primary_db">
            <checksum type="md5">aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</checksum>
            <open-checksum type="md5">bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb</open-checksum>
            <location href="repodata/p.sqlite.bz2"/>
            <timestamp>5</timestamp>
            <size>606</size>
            <open-size>28672</open-size>
            <database_version>10</database_version>
          </data>
          <data type="group">
            <checksum type="md5">cb2f07dfab748c8704a2e88b831a7ca3</checksum>
            <location href="repodata/comps.xml"/>
            <timestamp>5</timestamp>
            <size>9</size>
          </data>
        </repomd>
    "#]]
    .assert_eq(&written);
    assert_eq!(Repomd::parse(written.as_bytes()).unwrap(), repomd);
}

#[test]
fn tags_take_the_place_of_tags() {
    let mut repomd = Repomd::parse(TEXT.as_bytes()).unwrap();
    let tags = Tags {
        content: vec!["c\"<".into()],
        repo: vec!["r".into()],
        distro: vec![("cpe:\"<".into(), "Foo \"<&".into())],
    };
    repomd.set_tags(&tags);
    assert_eq!(String::from_utf8(repomd.write()).unwrap(), TEXT);
    repomd.set_tags(&Tags::default());
    assert!(repomd.notes.iter().all(|note| note.name != "tags"));
}

#[test]
fn a_new_one_begins_as_createrepo_cs() {
    let written = String::from_utf8(Repomd::new("7").write()).unwrap();
    expect_test::expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
          <revision>7</revision>
        </repomd>
    "#]]
    .assert_eq(&written);
    assert_eq!(Repomd::parse(written.as_bytes()).unwrap(), Repomd::new("7"));
    let empty = Repomd::parse(b"<repomd/>").unwrap();
    assert_eq!(Repomd::parse(&empty.write()).unwrap(), empty);
}

#[test]
fn prefixes_of_the_root_stay_with_the_records_that_use_them() {
    let text = TEXT.replacen("<repomd ", "<repomd xmlns:suse='http://example.org/suse' ", 1);
    assert_eq!(String::from_utf8(Repomd::parse(text.as_bytes()).unwrap().write()).unwrap(), text);
}

fn refused(from: &str, to: &str, expected: &str) {
    let damaged = TEXT.replacen(from, to, 1);
    assert_ne!(damaged, TEXT, "{from}");
    let error = Repomd::parse(damaged.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(expected), "{to}: {error}");
    assert!(error.starts_with("failed to read repomd at byte "), "{error}");
}

#[test]
fn what_is_wrong_is_named() {
    refused("type=\"productid\"", "", "a record has no type");
    refused("type=\"productid\"", "type=\"primary\"", "two records `primary`");
    refused("<checksum type=\"sha256\">a9", "<checksum type=\"sha256\">", "digits");
    refused("<checksum type=\"sha256\">a9", "<checksum type=\"crc\">a9", "crc");
    refused("<location href='repodata/productid.gz' />", "", "record `productid` has no location");
    refused(
        "repodata/productid.gz",
        "../productid.gz",
        "record `productid` lies outside of the repository, at",
    );
    refused("repodata/productid.gz'", "p' xml:base='http://x'", "lies outside of the repository");
    refused("<size>1356", "<size>-1356", "size `-1356` is no number");
    refused("<repomd ", "<r:repomd xmlns:r='x' ", "byte");
    refused("&lt;", "&lol;", "`&lol;` refers to nothing");
    refused("<repomd", "<!DOCTYPE a><repomd", "it has a document type");
    refused("</repomd>", "", "it ends early");
}

#[test]
fn hrefs_stay_inside() {
    for good in ["a", "repodata/a.gz", "a/b/c..d", "..a/b", "repodata/ü &.gz", "repodata/a:b"] {
        assert!(is_inside(good), "{good}");
    }
    for bad in
        ["", "/a", "a//b", "a/", "../a", "a/../b", "a/..", ".", "./a", "http://x/a", "file:a", "a\\..\\b"]
    {
        assert!(!is_inside(bad), "{bad}");
    }
}

#[test]
fn only_what_packages_make_is_made_anew() {
    let mut record = Repomd::parse(TEXT.as_bytes()).unwrap().records.remove(0);
    for (kind, expected) in [
        ("primary", true),
        ("primary_db", true),
        ("filelists-ext", true),
        ("other_zck", true),
        ("updateinfo", false),
        ("group", false),
        ("group_gz", false),
        ("modules", false),
        ("others", false),
        ("productid", false),
    ] {
        kind.clone_into(&mut record.kind);
        assert_eq!(record.is_made_from_packages(), expected, "{kind}");
    }
}

#[test]
fn damaged_files_never_break_the_parser() {
    let mut random = fastrand::Rng::with_seed(5);
    let (mut understood, mut refused) = (0, 0);
    for _ in 0..6_000 {
        match Repomd::parse(&crate::sample::damage(TEXT.as_bytes(), &mut random)) {
            Ok(repomd) => {
                understood += 1;
                assert!(repomd.records.iter().all(|record| is_inside(&record.href)));
                let mut again = Repomd::parse(&repomd.write()).unwrap();
                assert_eq!(again.records.len(), repomd.records.len());
                again.root.clone_from(&repomd.root);
                assert_eq!(again, repomd);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(understood > 300 && refused > 1_000, "{understood} understood, {refused} refused");
}

#[test]
fn a_record_is_written_anew_only_where_its_name_or_digest_is_of_old() {
    let repomd = Repomd::parse(TEXT.as_bytes()).unwrap();
    let primary = repomd.record("primary").unwrap();
    let digest = primary.checksum.sha256().unwrap();
    let open = primary.open_checksum.as_ref().and_then(Digest::sha256).zip(Some(5394));
    assert_eq!(primary.named_by(digest, 1356, open), *primary);
    let unknown = repomd.record("productid").unwrap();
    let named = unknown.named_by(digest, 12, None);
    assert_eq!(named.href, format!("repodata/{digest}-productid.gz"));
    let mut written = Repomd::new("1");
    written.records = vec![named.clone()];
    assert_eq!(Repomd::parse(&written.write()).unwrap().records, [named]);
}
