use super::*;
use crate::maker::{Recipe, Writer};
use crate::read_head;
use crate::tags::Tag;

/// Says what the guard thinks of a header whose index or store was tampered with.
fn verdict(header: &[u8]) -> String {
    let intro = header.first_chunk().unwrap();
    let result = check_intro(Part::Header, intro).and_then(|(index, store)| {
        assert_eq!(header.len(), INTRO + index + store);
        check(Part::Header, &header[INTRO..][..index], &header[INTRO + index..])
    });
    match result {
        Ok(entries) => format!("{} entries", entries.len()),
        Err(error) => error.to_string(),
    }
}

const ODD: Tag = Tag { number: 9000, name: "odd" };

/// Makes a header with a string, two numbers and a list: tags 1000, 1006, 9000.
fn sample() -> Vec<u8> {
    let mut writer = Writer::default();
    writer.text(tags::NAME, "foo");
    writer.numbers(tags::BUILD_TIME, [1, 2]);
    writer.texts(ODD, ["a", "bc"]);
    writer.finish(Part::Header)
}

/// Sets 32 bits of entry `entry` (0 is the region): field 0 tag, 1 kind, 2 offset, 3 count.
fn set(entry: usize, field: usize, value: u32) -> impl Fn(&mut Vec<u8>) {
    move |header| header[INTRO + entry * ENTRY + field * 4..][..4].copy_from_slice(&value.to_be_bytes())
}

fn check_tampered(tamper: impl Fn(&mut Vec<u8>), expected: &str) {
    let mut header = sample();
    tamper(&mut header);
    let verdict = verdict(&header);
    assert!(verdict.contains(expected), "{verdict:?} does not say {expected:?}");
}

#[test]
fn a_sound_header_passes() {
    assert_eq!(verdict(&sample()), "3 entries");
}

#[test]
fn the_region_comes_first_and_covers_everything() {
    let trailer = |field: usize, value: u32| {
        move |header: &mut Vec<u8>| {
            let at = header.len() - ENTRY + field * 4;
            header[at..at + 4].copy_from_slice(&value.to_be_bytes());
        }
    };
    check_tampered(set(0, 0, 62), "another region comes first");
    // No region at all is rpm 3's way, but not with the values of one.
    check_tampered(set(0, 0, 1000), "it is stored as Binary and should be Text");
    check_tampered(set(0, 0, 8000), "tag `1000` (name): its values overlap those of the entry before");
    check_tampered(set(0, 1, 4), "it is not 16 bytes of binary");
    check_tampered(set(0, 3, 15), "it is not 16 bytes of binary");
    check_tampered(set(0, 2, u32::MAX), "its trailer lies outside the values");
    check_tampered(set(0, 2, 0), "its trailer does not repeat it");
    check_tampered(trailer(0, 62), "its trailer does not repeat it");
    check_tampered(trailer(2, 64), "it covers more entries");
    check_tampered(trailer(2, 0), "it covers more entries");
    check_tampered(trailer(2, (-80_i32) as u32), "it covers more entries");
    check_tampered(trailer(2, (-63_i32) as u32), "it covers more entries");
    check_tampered(trailer(2, (-48_i32) as u32), "it does not cover the whole header");
}

/// Takes the region away, as rpm 3 had none.
fn without_region(header: &[u8]) -> Vec<u8> {
    let number = |at: usize| header[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    let (entries, store) = (number(8) - 1, number(12) - ENTRY as u32);
    let end = header.len() - ENTRY;
    [&header[..8], &entries.to_be_bytes(), &store.to_be_bytes(), &header[INTRO + ENTRY..end]].concat()
}

#[test]
fn a_header_of_rpm_3_has_no_region_and_is_checked_all_the_same() {
    let old = without_region(&sample());
    assert_eq!(verdict(&old), "3 entries");
    let tampered = |entry: usize, field: usize, value: u32| {
        let mut header = old.clone();
        set(entry, field, value)(&mut header);
        verdict(&header)
    };
    assert!(tampered(1, 2, 0).contains("overlap those of the entry before"));
    assert!(tampered(2, 3, 1000).contains("do not end within the store"));
    assert!(tampered(2, 0, 63).contains("tags below 100 are for regions"));
    assert!(tampered(0, 0, 63).contains("it is not 16 bytes of binary"));
}

/// Says what the guard thinks of a header with one entry and no region.
fn verdict_of_one(part: Part, tag: u32, kind: u32, count: u32) -> String {
    let width = Kind::from_number(kind).unwrap().width();
    let value = width.map_or(b"x\0".to_vec(), |width| vec![1; width]);
    let index = [tag, kind, 0, count].map(u32::to_be_bytes).concat();
    match check(part, &index, &value.repeat(count as usize)) {
        Ok(_) => "sound".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn digests_and_signatures_have_the_form_that_rpm_takes() {
    let check = |tag, kind: Kind, count, expected: &str| {
        let verdict = verdict_of_one(Part::Signature, tag, kind as u32, count);
        assert!(verdict.contains(expected), "{tag} {kind:?} {count}: {verdict:?} does not say {expected:?}");
    };
    for tag in [269, 273] {
        check(tag, Kind::Text, 1, "sound");
        check(tag, Kind::Texts, 1, "it is stored as Texts and must be Text");
        check(tag, Kind::Translations, 1, "it is stored as Translations and must be Text");
        check(tag, Kind::Binary, 20, "it is stored as Binary and must be Text");
    }
    check(1004, Kind::Binary, 16, "sound");
    check(1004, Kind::Binary, 15, "it has 15 values and must have 16");
    check(1000, Kind::Int32, 2, "it has 2 values and must have 1");
    check(270, Kind::Int32, 1, "it is stored as Int32 and must be Int64");
    check(268, Kind::Binary, 3, "sound");
    check(268, Kind::Text, 1, "it is stored as Text and must be Binary");
    check(276, Kind::Texts, 3, "sound");
    check(276, Kind::Text, 1, "it is stored as Text and must be Texts");
    // What nobody knows may have any form.
    check(999, Kind::Int16, 3, "sound");
}

#[test]
fn what_belongs_into_the_signature_header_stands_there() {
    for tag in [257, 259, 261, 262, 267, 268, 269, 270, 271, 273, 276, 277] {
        let kind = tags::kind_in_header(tag).unwrap();
        let verdict = verdict_of_one(Part::Header, tag, kind as u32, 1);
        assert!(verdict.ends_with("it belongs into the signature header"), "{tag}: {verdict}");
    }
    let entries = |tag: u32| BTreeMap::from([(tag, Entry { kind: Kind::Int32, count: 1, range: 0..4 })]);
    for (of, as_) in tags::IN_EITHER {
        assert!(check_both(&entries(of), &entries(1000)).is_ok());
        assert!(check_both(&entries(1000), &entries(as_)).is_ok());
        let error = check_both(&entries(of), &entries(as_)).unwrap_err().to_string();
        assert!(error.ends_with(&format!("the signature header has it too, as tag `{of}`")), "{error}");
    }
}

#[test]
fn every_value_lies_inside_aligned_and_alone() {
    check_tampered(set(1, 2, 1000), "do not end within the store");
    check_tampered(set(3, 3, 1000), "do not end within the store");
    check_tampered(set(2, 3, 1000), "do not end within the store");
    check_tampered(set(2, 3, 0xf_ffff), "do not end within the store");
    check_tampered(set(2, 2, u32::MAX - 3), "do not end within the store");
    check_tampered(set(2, 2, 6), "offset `6` is not a multiple of 4");
    check_tampered(set(2, 2, 0), "overlap those of the entry before");
    check_tampered(set(2, 3, 5), "overlap the trailer of the region");
    check_tampered(set(3, 2, 0), "overlap those of the entry before");
}

#[test]
fn every_byte_belongs_to_something() {
    check_tampered(set(3, 2, 13), "its values: they take 32 bytes of 33");
    let mut longer = without_region(&sample());
    longer.push(0);
    longer[15] += 1;
    assert!(verdict(&longer).contains("its values: they take 17 bytes of 18"), "{}", verdict(&longer));
}

#[test]
fn every_entry_has_values_of_its_kind() {
    check_tampered(set(1, 1, 4), "it is stored as Int32 and should be Text");
    check_tampered(set(2, 1, 8), "it is stored as Texts and should be Int32");
    check_tampered(set(1, 1, 0), "there is no kind 0");
    check_tampered(set(1, 1, 10), "there is no kind 10");
    check_tampered(set(3, 3, 0), "it has no values");
    check_tampered(set(1, 3, 2), "it is one string and claims 2");
    check_tampered(set(2, 3, 0x10_0000), "1048575 are allowed");
    check_tampered(set(3, 1, 9), "2 translations for 1 locales");
    check_tampered(set(3, 0, 63), "tags below 100 are for regions");
    check_tampered(set(3, 0, 1 << 31), "to rpm its number is negative");
    check_tampered(set(3, 0, 1000), "the tag occurs twice");
    check_tampered(set(1, 1, 8), "3 entries");
}

#[test]
fn promises_beyond_the_limits_are_refused() {
    let promise = |place: usize, value: u32| {
        let mut header = sample();
        header[place..place + 4].copy_from_slice(&value.to_be_bytes());
        check_intro(Part::Header, header.first_chunk().unwrap()).map_err(|error| error.to_string())
    };
    assert!(promise(8, 0).unwrap_err().contains("it claims 0 entries"));
    assert!(promise(8, 65_536).unwrap_err().contains("it claims 65536 entries"));
    assert!(promise(12, 256 << 20).unwrap_err().contains("it claims 268435456 bytes"));
    assert_eq!(promise(12, (256 << 20) - 1), Ok((64, (256 << 20) - 1)));
    assert!(promise(0, 0).unwrap_err().contains("not those of a header"));
}

#[test]
fn who_signs_may_add_entries_to_the_signature_header() {
    let mut writer = Writer::default();
    writer.numbers(tags::signature::SIZE, [7]);
    let header = writer.finish(Part::Signature);
    let (index, store) = header[INTRO..].split_at(2 * ENTRY);
    let added =
        [&1008_u32.to_be_bytes()[..], &7_u32.to_be_bytes(), &20_u32.to_be_bytes(), &3_u32.to_be_bytes()]
            .concat();
    let (index, store) = ([index, &added].concat(), [store, b"abc"].concat());
    let entries = check(Part::Signature, &index, &store).unwrap();
    assert_eq!(entries[&1008].range, 20..23);
}

/// Every mutant is either refused or can be read to the end; and what passes the guard, the rpm crate
/// can read, which on its own panics or asks for gigabytes.
#[test]
fn mutants_are_refused_or_readable() {
    let mut seeds: Vec<Vec<u8>> = crate::maker::samples().iter().map(Recipe::build).collect();
    let old: Vec<Vec<u8>> = seeds.iter().map(|rpm| of_rpm_3(rpm)).collect();
    seeds.extend(old);
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let (mut refused, mut passed) = (0, 0);
    for round in 0..6000 {
        let mut mutant = seeds[round % seeds.len()].clone();
        mutate(&mut mutant, &mut random);
        let facts =
            crate::FileFacts { size: 0, digest: crate::sha256(b"").into(), mtime: 0, href: String::new() };
        match read_head(&mut mutant.as_slice()) {
            Ok(head) => {
                passed += 1;
                let _ = head.check_header();
                let _ = head.payload_digest();
                if let Ok(package) = crate::package_of(&head, facts) {
                    assert!(package.files.len() < 0xf_ffff);
                }
                if let Ok(metadata) = rpm::PackageMetadata::parse(&mut mutant.as_slice()) {
                    let _ = (metadata.get_name(), metadata.get_file_entries(), metadata.get_requires());
                }
            }
            Err(_) => refused += 1,
        }
    }
    // Both sides must have been seen, or the test says nothing.
    assert!(refused > 1000 && passed > 500, "{refused} refused, {passed} passed");
}

/// Takes the regions away from both headers of an RPM.
fn of_rpm_3(rpm: &[u8]) -> Vec<u8> {
    let head = read_head(&mut &rpm[..]).unwrap();
    let (lead, rest) = rpm.split_at(96);
    let number = |at: usize| rest[at..at + 4].iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    let signature = INTRO + number(8) * ENTRY + number(12);
    let mut signature = without_region(&rest[..signature]);
    signature.resize(signature.len().next_multiple_of(8), 0);
    let payload = &rpm[usize::try_from(head.header_range().end).unwrap()..];
    [lead, &signature, &without_region(head.header_bytes()), payload].concat()
}

/// Changes up to four places of the head: bits, bytes, words that matter, lengths.
fn mutate(rpm: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let head = rpm.len().min(96 + 4096);
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(0..head.min(rpm.len()));
        match random.u8(0..6) {
            0 => rpm[at] ^= 1 << random.u8(0..8),
            1 => rpm[at] = random.u8(..),
            2 | 3 => {
                let word = *random
                    .choice([0, 1, 7, 16, 63, 1000, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX].iter())
                    .unwrap();
                let at = at & !3;
                if let Some(place) = rpm.get_mut(at..at + 4) {
                    place.copy_from_slice(&word.to_be_bytes());
                }
            }
            4 => rpm.truncate(at.max(1)),
            _ => {
                let byte = random.u8(..);
                rpm.insert(at, byte);
            }
        }
    }
}
