use super::*;
use crate::layout::Row;
use crate::maker::{Recipe, samples};

fn parts(rpm: &[u8]) -> (Head, &[u8]) {
    let mut rest = rpm;
    let head = read_head(&mut rest).unwrap();
    (head, rest)
}

fn texts(values: &[&str]) -> Values {
    Values::Texts(values.iter().map(|&value| value.to_owned()).collect())
}

fn sample() -> Vec<u8> {
    Recipe::new("meta", "1", "1.el9").requires("a = 1-1").provides("b = 2").file("/etc/meta", "x").build()
}

/// Exchanges the signature header, as signers of old left it.
fn with_signature_rows(rpm: &[u8], more: &[(u32, Kind, &[u8])]) -> Vec<u8> {
    let (head, _) = parts(rpm);
    let mut rows = head.signature.rows();
    rows.extend(more.iter().map(|&(tag, kind, bytes)| {
        let count = kind.width().map_or(1, |width| bytes.len() / width);
        Row { tag, kind, count, bytes }
    }));
    rows.sort_by_key(|row| row.tag);
    let mut signature = lay_out(Part::Signature, &rows);
    signature.resize(signature.len().next_multiple_of(8), 0);
    [&rpm[..LEAD], &signature, &rpm[head.header_range().start as usize..]].concat()
}

fn refusal(rpm: &[u8], edit: &Edit) -> String {
    let (head, payload) = parts(rpm);
    head.edited(edit, payload).unwrap_err().to_string()
}

#[test]
fn an_empty_edit_gives_the_same_bytes() {
    for recipe in samples() {
        let rpm = recipe.build();
        let signed =
            with_signature_rows(&rpm, &[(268, Kind::Binary, b"signature"), (1008, Kind::Binary, &[0; 99])]);
        for rpm in [rpm, signed] {
            let (head, payload) = parts(&rpm);
            assert!(head.edited(&Edit::new(), payload).unwrap() == rpm);
        }
    }
}

#[test]
fn what_is_edited_is_as_if_it_had_been_built_so() {
    let rpm = Recipe::new("meta", "1", "1").requires("a = 1-1").change(5, "Ann", "- one").build();
    let built = Recipe::new("meta", "1", "2.longer")
        .requires("a = 1:3-4")
        .change(5, "Bob", "- two")
        .change(5, "Ann", "- one");
    let built = built.build_time(7).build();
    let (of_built, _) = parts(&built);
    let (head, payload) = parts(&rpm);
    let mut edit = Edit::new();
    let fields = [
        Field::Release,
        Field::RequireVersions,
        Field::ProvideVersions,
        Field::ChangelogNames,
        Field::ChangelogTexts,
    ];
    for field in fields {
        edit.insert(field, texts(&of_built.texts_of(field).unwrap()));
    }
    for field in [Field::ChangelogTimes, Field::BuildTime] {
        edit.insert(field, Values::Numbers(of_built.numbers_of(field)));
    }
    let edited = head.edited(&edit, payload).unwrap();
    let (of_edited, rest) = parts(&edited);
    assert_eq!(rest, payload);
    assert_eq!(of_edited.nevra().unwrap().to_string(), "meta-1-2.longer.noarch");
    assert_eq!(of_edited.lead, of_built.lead);
    for (one, other) in of_edited.header.rows().iter().zip(of_built.header.rows()) {
        // The archive holds times, so its digests differ, and the source package is another's.
        if ![1044, 5092, 5097].contains(&one.tag) {
            assert_eq!(
                (one.tag, one.kind, one.count, one.bytes),
                (other.tag, other.kind, other.count, other.bytes)
            );
        }
    }
    assert_eq!(of_edited.check_header().unwrap(), Some(Algorithm::Sha256));
    let size = of_edited.header_bytes().len() + rest.len();
    assert_eq!(of_edited.signature.number(signature::SIZE), Some(size as u64));
}

#[test]
fn signatures_go_and_digests_are_made_where_they_stood() {
    let rpm = sample();
    let (head, payload) = parts(&rpm);
    let size = (head.header_bytes().len() + payload.len()) as u64;
    let md5 = unhex(&md5_of(head.header_bytes(), payload));
    let rows: [(u32, Kind, &[u8]); 10] = [
        (267, Kind::Binary, b"s"),
        (268, Kind::Binary, b"s"),
        (270, Kind::Int64, &size.to_be_bytes()),
        (278, Kind::Texts, b"s\0"),
        (279, Kind::Text, b"s\0"),
        (1002, Kind::Binary, b"s"),
        (1004, Kind::Binary, &md5),
        (1005, Kind::Binary, b"s"),
        (1006, Kind::Binary, b"s"),
        (1008, Kind::Binary, b"s"),
    ];
    let rpm = with_signature_rows(&rpm, &rows);
    let (head, payload) = parts(&rpm);
    let edit = Edit::from([(Field::Release, texts(&["22.el9"]))]);
    let edited = head.edited(&edit, payload).unwrap();
    let (head, payload) = parts(&edited);
    let tags: Vec<u32> = head.signature.rows().iter().map(|row| row.tag).collect();
    assert_eq!(tags, [269, 270, 273, 1000, 1004, 1007, 1008]);
    assert!(head.edited(&Edit::new(), payload).unwrap() == edited);
    head.check_whole(payload).unwrap();
    assert_ne!(head.signature_bytes(1004), Some(&md5[..]));
    let longer = (head.header_bytes().len() + payload.len()) as u64;
    assert!(longer > size);
    assert_eq!(head.signature.number(signature::LONG_SIZE), Some(longer));
}

#[test]
fn a_tag_comes_and_goes_in_its_place() {
    let rpm = sample();
    let (head, payload) = parts(&rpm);
    let before: Vec<u32> = head.header.rows().iter().map(|row| row.tag).collect();
    let change = Edit::from([
        (Field::ChangelogTimes, Values::Numbers(vec![9])),
        (Field::ChangelogNames, texts(&["Ann <ann@example.org> - 1-1"])),
        (Field::ChangelogTexts, texts(&["- first"])),
    ]);
    let edited = head.edited(&change, payload).unwrap();
    let (with, payload) = parts(&edited);
    let after: Vec<u32> = with.header.rows().iter().map(|row| row.tag).collect();
    assert_eq!(after.len(), before.len() + 3);
    assert!(after.is_sorted());
    assert_eq!(with.texts_of(Field::ChangelogTexts).unwrap(), ["- first"]);
    let none = change.into_iter().map(|(field, values)| match values {
        Values::Texts(_) => (field, Values::Texts(vec![])),
        Values::Numbers(_) => (field, Values::Numbers(vec![])),
    });
    assert!(with.edited(&none.collect(), payload).unwrap() == rpm, "it comes back to where it began");
}

#[test]
fn values_that_do_not_fit_their_tag_are_refused() {
    for (field, values, why) in [
        (Field::Release, Values::Numbers(vec![1]), "it holds texts"),
        (Field::BuildTime, texts(&["1"]), "it holds numbers"),
        (Field::Release, texts(&["1", "2"]), "it holds one value"),
        (Field::BuildTime, Values::Numbers(vec![1, 2]), "it holds one value"),
        (Field::Release, texts(&[]), "no package is without"),
        (Field::RequireNames, texts(&["a\0b"]), "a text holds a NUL"),
        (Field::RequireFlags, Values::Numbers(vec![0; 0x10_0000]), "values, 1048575 are allowed"),
    ] {
        let told = refusal(&sample(), &Edit::from([(field, values)]));
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn what_would_not_come_out_as_it_went_in_is_refused() {
    let rpm = sample();
    let (head, _) = parts(&rpm);
    let start = head.header_range().start as usize;
    let none = Edit::new();

    let mut padded = rpm.clone();
    assert!(!head.padding.is_empty(), "this sample shows nothing");
    padded[start - 1] = 1;
    assert!(refusal(&padded, &none).contains("is not zero"));

    let foreign = Recipe::new("meta", "1", "1").summary("Gr\u{fc}n").build();
    let at = memchr::memmem::find(&foreign, "Gr\u{fc}n".as_bytes()).unwrap();
    let mut latin = foreign.clone();
    latin[at + 2..at + 4].copy_from_slice(b"\xfcn");
    assert!(refusal(&latin, &none).contains("tag `1004` (summary)"), "{}", refusal(&latin, &none));

    // An entry behind the region, as signers of old added them.
    let mut rows = head.signature.rows();
    rows.push(Row { tag: 30_000, kind: Kind::Text, count: 1, bytes: b"x\0" });
    let mut signature = lay_out(Part::Signature, &rows);
    let entries = rows.len();
    let from = signature.len() - 16 + 8;
    signature[from..from + 4].copy_from_slice(&(-16 * entries as i32).to_be_bytes());
    signature.resize(signature.len().next_multiple_of(8), 0);
    let dribbled = [&rpm[..LEAD], &signature, &rpm[start..]].concat();
    assert!(refusal(&dribbled, &none).contains("lay it out otherwise"), "{}", refusal(&dribbled, &none));
}

#[test]
fn a_damaged_package_does_not_come_out_with_digests_that_fit() {
    let edit = Edit::from([(Field::BuildTime, Values::Numbers(vec![1]))]);
    let rpm = sample();
    let (head, payload) = parts(&rpm);
    let told = head.edited(&edit, &payload[1..]).unwrap_err().to_string();
    assert!(told.contains("have not the size"), "{told}");
    let mut other = payload.to_vec();
    other[20] ^= 1;
    let told = head.edited(&edit, &other).unwrap_err().to_string();
    assert!(told.contains("it has not the digest"), "{told}");
    let summed = with_signature_rows(&rpm, &[(1004, Kind::Binary, &[0; 16])]);
    assert!(refusal(&summed, &edit).contains("have not the MD5"));
    let mut damaged = rpm.clone();
    let at = memchr::memmem::find(&damaged, b"meta\x001\x001.el9\0").unwrap();
    damaged[at] = b'b';
    assert!(refusal(&damaged, &edit).contains("it states"));
    let unknown = with_signature_rows(&rpm, &[(30_000, Kind::Text, b"x\0")]);
    assert!(refusal(&unknown, &edit).contains("tag `30000` is not known"));
}

#[test]
fn the_name_in_the_lead_is_cut_and_never_begun() {
    let edit = Edit::from([(Field::Release, texts(&["2"]))]);
    let long = Recipe::new("n".repeat(80), "1", "1").build();
    let (head, payload) = parts(&long);
    let edited = head.edited(&edit, payload).unwrap();
    assert_eq!(edited[LEAD_NAME], *[&[b'n'; 65][..], b"\0"].concat());
    let mut nameless = sample();
    nameless[LEAD_NAME].fill(0);
    let (head, payload) = parts(&nameless);
    assert_eq!(head.edited(&edit, payload).unwrap()[LEAD_NAME], [0; 66]);
}

#[test]
fn damage_anywhere_is_refused_or_copied_and_never_a_panic() {
    let rpm = sample();
    let end = parts(&rpm).0.header_range().end as usize;
    let edit = Edit::from([(Field::Release, texts(&["2"])), (Field::ProvideNames, texts(&["x"]))]);
    let (mut random, mut read) = (fastrand::Rng::with_seed(5), 0);
    for _ in 0..3000 {
        let mut rpm = rpm.clone();
        for _ in 0..random.usize(1..4) {
            rpm[random.usize(4..end)] = random.u8(..);
        }
        let mut rest = rpm.as_slice();
        let Ok(head) = read_head(&mut rest) else { continue };
        read += 1;
        if let Ok(same) = head.edited(&Edit::new(), rest) {
            assert!(same == rpm);
        }
        let _ = head.edited(&edit, rest);
    }
    assert!(read > 100, "only {read} got so far");
}
