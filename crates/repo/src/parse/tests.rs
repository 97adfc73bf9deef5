use super::*;
use crate::{fragments_of, sample};

fn parse_sample(primary: &str) -> Result<Vec<Package>, Error> {
    parse_packages(primary.as_bytes(), sample::FILELISTS.as_bytes(), sample::OTHER.as_bytes())
}

#[test]
fn what_createrepo_c_wrote_is_understood() {
    assert_eq!(parse_sample(sample::PRIMARY).unwrap(), [sample::package()]);
}

#[test]
fn primary_alone_knows_its_own_files() {
    let packages = parse_primary(sample::PRIMARY.as_bytes()).unwrap();
    assert_eq!(packages[0].files, sample::package().files[..5]);
    assert!(packages[0].changelogs.is_empty());
}

#[test]
fn packages_come_back_as_they_went_whatever_they_hold() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut word = |length| {
        let letters: Vec<char> = "ab<>&\"' \t\n\r;#xü€𝄞]-!/=\u{7f}".chars().collect();
        let mut text: String = (0..length).map(|_| letters[random.usize(..letters.len())]).collect();
        text.push('z');
        text
    };
    for _ in 0..300 {
        let mut packages = sample::repository(3);
        for package in &mut packages {
            package.summary = word(20);
            package.description = word(40);
            package.vendor = word(3);
            package.source_rpm = word(5);
            package.href = word(9);
            package.provides[0].name = word(6);
            package.provides[0].version = Some(word(3));
            package.files[7].path = format!("/{}", word(12));
            package.changelogs[0].author = word(12);
            package.changelogs[0].text = word(30);
        }
        let [primary, filelists, other] = sample::files_of(&packages);
        assert_eq!(parse_packages(&primary, &filelists, &other).unwrap(), packages);
    }
}

#[test]
fn another_writer_may_use_its_own_prefix_comments_and_cdata() {
    let foreign = sample::PRIMARY
        .replace("<package type", "<!-- <package> --><package type")
        .replace("rpm:", "r:")
        .replace("xmlns:r:", "xmlns:r")
        .replace("xmlns:rpm=", "xmlns:r=")
        .replace("<summary>Tom &amp; \"Jerry\" &lt;cat's&gt;", "<summary><![CDATA[Tom & \"Jerry\" <cat's>]]>")
        .replace("<name>", "<unknown a='b'><deep>x</deep></unknown><name>")
        .replace("<rpm:sourcerpm>", "<rpm:sourcerpm a='>'>");
    assert_ne!(foreign, sample::PRIMARY);
    assert_eq!(parse_sample(&foreign).unwrap(), [sample::package()]);
}

fn refused(from: &str, to: &str, expected: &str) {
    let damaged = sample::PRIMARY.replacen(from, to, 1);
    assert_ne!(damaged, sample::PRIMARY, "{from}");
    let error = parse_sample(&damaged).unwrap_err().to_string();
    assert!(error.contains(expected), "{to}: {error}");
    assert!(error.starts_with("failed to "), "{error}");
}

#[test]
fn what_is_wrong_is_named() {
    refused("<name>sample</name>", "", "the package has no `name`");
    refused("<name>", "<name>other</name><name>", "the package has `name` twice");
    refused("<arch>noarch</arch>", "", "the package has no `arch`");
    refused("<version epoch=\"1\"", "<version epoch=\"one\"", "epoch `one` is no number");
    refused("type=\"sha256\"", "type=\"md5\"", "as many digits as its algorithm makes");
    refused(">bdcfed2d", ">BDCFED2D", "lower-case hexadecimal");
    refused("file=\"1767355300\"", "file=\"now\"", "file `now` is no number");
    refused("package=\"8227\"", "package=\"-1\"", "size `-1` is no number");
    refused("<location href=", "<location hr=", "the package has no `location`");
    refused("flags=\"EQ\"", "flags=\"NE\"", "the flags of an entry are none of");
    refused("<rpm:entry name=\"plain\"/>", "<rpm:entry/>", "an entry has no `name`");
    refused("type=\"ghost\"", "type=\"socket\"", "the type of a file is none of");
    refused(">bdcfed2d", ">cdcfed2d", "failed to match filelists with primary: it lists package `bdcfed2d");
    refused("epoch=\"1\"", "epoch=\"1\" epoch=\"2\"", "attribute `epoch` twice");
    refused("</metadata>", "", "ends early");
    refused("</metadata>", "</metadata><metadata/>", "more follows behind the last element");
    refused("</metadata>", "</metadata>x", "text outside of every element");
    refused("<metadata", "<html", "at byte");
    refused("<summary>", "<summary><b>x</b>", "element `b` stands where only text may");
    refused("cat's", "cat&nbsp;s", "`&nbsp;` refers to nothing that XML names");
    refused("cat's", "cat\u{1}s", "control character `0x01`");
    refused("UTF-8", "ISO-8859-1", "its encoding is `ISO-8859-1`");
}

#[test]
fn entities_of_a_document_type_are_not_expanded() {
    let laughs = "<!DOCTYPE m [<!ENTITY a \"ha\"><!ENTITY b \"&#38;a;&#38;a;\">]>";
    refused("<metadata", &format!("{laughs}<metadata"), "it has a document type");
}

#[test]
fn depth_and_attributes_are_bounded() {
    let deep = "<a>".repeat(100_000);
    refused("<summary>", &format!("{deep}<summary>"), "nest more than 32 deep");
    let many: String = (0..100_000).map(|number| format!(" a{number}=\"\"")).collect();
    refused("<version", &format!("<version{many}"), "too many");
}

#[test]
fn a_primary_of_another_repository_does_not_fit() {
    let [primary, filelists, other] = sample::files_of(&sample::repository(3));
    let [fewer, ..] = sample::files_of(&sample::repository(2));
    let error = parse_packages(&fewer, &filelists, &other).unwrap_err().to_string();
    assert!(error.starts_with("failed to match filelists with primary: it lists package"), "{error}");
    let [_, fewer, _] = sample::files_of(&sample::repository(2));
    let error = parse_packages(&primary, &fewer, &other).unwrap_err().to_string();
    assert!(error.starts_with("failed to match filelists with primary: it lacks package"), "{error}");
}

#[test]
fn damaged_files_are_refused_or_understood_but_never_break_the_parser() {
    let mut random = fastrand::Rng::with_seed(2026);
    let [primary, filelists, other] = sample::files_of(&sample::repository(2));
    let (mut understood, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let mut packages = match parse_primary(&sample::damage(&primary, &mut random)) {
            Ok(packages) => packages,
            Err(_) => parse_primary(&primary).unwrap(),
        };
        for package in &packages {
            let again = fragments_of(package);
            assert!(std::str::from_utf8(&again.primary).is_ok());
        }
        let results = [
            parse_filelists(&sample::damage(&filelists, &mut random), &mut packages),
            parse_other(&sample::damage(&other, &mut random), &mut packages),
        ];
        for result in results {
            *if result.is_ok() { &mut understood } else { &mut refused } += 1;
        }
    }
    assert!(understood > 100 && refused > 1_000, "{understood} understood, {refused} refused");
}
