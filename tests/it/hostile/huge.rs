//! Advisories, groups and modules that are huge, deep, or no text: read in bounded memory, refused with the place.

use super::mutants::cage;

/// As large as what is read of a repository may be, and more.
const HUGE: usize = 100 << 20;

/// What is wrong with one, if anything is.
type Reader = fn(&[u8]) -> Result<usize, repo::Error>;

const UPDATEINFO: Reader = |bytes| repo::Updateinfo::parse(bytes).map(|read| read.advisories.len());
const COMPS: Reader = |bytes| repo::Comps::parse(bytes).map(|read| read.parts.len());
const MODULES: Reader = |bytes| repo::Modules::parse(bytes).map(|read| read.documents.len());

/// Reads all of it; in the cage, which ends this process where it needs more than it has.
pub(super) fn read() {
    let refused = |reader: Reader, text: &[u8], words: &str| {
        let said = reader(text).expect_err(words).to_string();
        assert!(said.contains(words) && said.len() < 1_000, "`{words}`: {}", &said[..said.len().min(1_000)]);
    };
    let long = "x".repeat(HUGE);
    let update = |attribute: &str| {
        format!("<updates><update from=\"{attribute}\"><id>A</id></update></updates>").into_bytes()
    };
    let group =
        |attribute: &str| format!("<comps><group a=\"{attribute}\"><id>g</id></group></comps>").into_bytes();
    let stream = |text: &str| format!("document: modulemd\ndata:\n  name: \"{text}\"\n").into_bytes();
    assert_eq!(UPDATEINFO(&update(&long)).unwrap(), 1);
    assert_eq!(COMPS(&group(&long)).unwrap(), 1);
    assert_eq!(MODULES(&stream(&long)).unwrap(), 1);
    drop(long);

    refused(
        UPDATEINFO,
        &[b"<updates><update>".as_slice(), &b"<a>".repeat(HUGE / 3)].concat(),
        "nest more than 32 deep",
    );
    refused(COMPS, &[b"<comps>".as_slice(), &b"<a>".repeat(HUGE / 3)].concat(), "nest more than 32 deep");
    refused(MODULES, &b"[".repeat(1 << 20), "");
    refused(
        UPDATEINFO,
        &b"<updates>"
            .iter()
            .copied()
            .chain(b"<update><id>A</id></update>".repeat(1 << 20))
            .collect::<Vec<_>>(),
        "of the id `A`",
    );
    refused(MODULES, &b"---\n".repeat(HUGE / 4), "more than 20000 documents");

    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    refused(
        UPDATEINFO,
        format!("{laughs}<updates><update><id>&c;</id></update></updates>").as_bytes(),
        "document type",
    );
    refused(
        COMPS,
        format!("{laughs}<comps><group><id>&c;</id></group></comps>").as_bytes(),
        "document type defines something",
    );
    refused(MODULES, b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "an alias stands");

    for (reader, before, behind) in [
        (UPDATEINFO, "<updates><update><id>A", "</id></update></updates>"),
        (COMPS, "<comps><group><id>A", "</id></group></comps>"),
        (MODULES, "document: x\ndata: A", "\n"),
    ] {
        let with = |odd: &[u8]| [before.as_bytes(), odd, behind.as_bytes()].concat();
        assert!(reader(&with(b"")).is_ok());
        refused(reader, &with(b"\xff"), "UTF-8");
        refused(reader, &with(b"\xc3"), "UTF-8");
        refused(reader, &with(b"\0"), "character");
        refused(reader, &with(&vec![0; HUGE]), "character");
    }
    println!("all is read");
}

#[test]
fn what_is_huge_or_deep_or_no_text_is_refused_in_bounded_memory() {
    let output = cage("huge=1", 240);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("all is read"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
