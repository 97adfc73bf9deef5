use super::*;
use crate::maker::{Recipe, samples};

fn sample() -> Vec<u8> {
    Recipe::new("foo", "1", "1").file("/usr/bin/foo", "x").build()
}

#[test]
fn the_reader_is_left_at_the_payload() {
    for recipe in samples() {
        let rpm = recipe.build();
        let mut rest = rpm.as_slice();
        let head = read_head(&mut rest).unwrap();
        assert_eq!(rest[..2], [0x1f, 0x8b]);
        assert_eq!(head.header_range().end as usize, rpm.len() - rest.len());
        assert_eq!(
            rpm[head.header_range().start as usize..][..head.header_bytes().len()],
            *head.header_bytes()
        );
        assert_eq!(head.payload_digest().unwrap().sha256(), Some(crate::sha256(rest)));
    }
}

#[test]
fn a_file_cut_anywhere_in_the_head_ends_early() {
    let rpm = sample();
    let end = read_head(&mut rpm.as_slice()).unwrap().header_range().end as usize;
    for length in 0..end {
        match read_head(&mut &rpm[..length]) {
            Err(Error::Read { source, .. }) => assert_eq!(source.kind(), io::ErrorKind::UnexpectedEof),
            other => panic!("{length} bytes: {other:?}"),
        }
    }
    assert!(read_head(&mut &rpm[..end]).is_ok());
}

#[test]
fn what_is_no_rpm_is_refused() {
    for bytes in [&[0; 200][..], b"PK\x03\x04 a zip of more than ninety-six bytes.............................................................................."] {
        assert!(matches!(read_head(&mut &bytes[..]), Err(Error::NotRpm { .. })));
    }
    let mut future = sample();
    future[4] = 9;
    assert!(matches!(read_head(&mut future.as_slice()), Err(Error::NotRpm { .. })));
}

/// A reader that remembers the largest piece it was asked for.
struct Asked<'a> {
    rest: &'a [u8],
    largest: usize,
}

impl Read for Asked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.largest = self.largest.max(buffer.len());
        self.rest.read(buffer)
    }
}

#[test]
fn memory_follows_what_arrives_not_what_is_promised() {
    let mut rpm = sample();
    let start = read_head(&mut rpm.as_slice()).unwrap().header_range().start as usize;
    rpm[start + 12..start + 16].copy_from_slice(&0x0fff_ffff_u32.to_be_bytes());
    let mut reader = Asked { rest: &rpm, largest: 0 };
    assert!(matches!(read_head(&mut reader), Err(Error::Read { part: "header", .. })));
    assert!(reader.largest < 1 << 20, "asked for {} bytes at once", reader.largest);
}

#[test]
fn a_changed_header_is_found_out() {
    let mut rpm = sample();
    let whole = read_head(&mut rpm.as_slice()).unwrap();
    assert_eq!(whole.check_header().unwrap(), Some(Algorithm::Sha256));
    let name = memchr::memmem::find(&rpm, b"foo\x001\x001\0").unwrap();
    rpm[name] = b'g';
    let changed = read_head(&mut rpm.as_slice()).unwrap();
    assert!(matches!(changed.check_header(), Err(Error::Tag { tag: 269, .. })));
}

#[test]
fn values_are_read_as_they_stand() {
    let rpm = Recipe::new("foo", "1", "1").epoch(7).requires("a").requires("b >= 2").build();
    let Head { header, signature, .. } = read_head(&mut rpm.as_slice()).unwrap();
    assert_eq!(header.text(tags::NAME), Some(&b"foo"[..]));
    assert_eq!(header.number(tags::EPOCH), Some(7));
    assert_eq!(header.texts(tags::REQUIRE_NAME).take(2).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(header.texts(tags::REQUIRE_VERSION).len(), header.numbers(tags::REQUIRE_FLAGS).len());
    assert_eq!(header.number(tags::NAME), None);
    assert_eq!(header.text(tags::EPOCH), None);
    assert_eq!(header.text(tags::URL), None);
    assert_eq!(signature.text(tags::signature::SHA256).map(<[u8]>::len), Some(64));
}

#[test]
fn a_fingerprint_is_what_the_signature_header_states_and_outlives_signing() {
    let rpm = Recipe::new("foo", "1", "1").file("/usr/bin/foo", "x").build();
    let head = read_head(&mut rpm.as_slice()).unwrap();
    let fingerprint = head.fingerprint();
    let text = |tag| head.signature.text(tag).map(|text| String::from_utf8(text.to_vec()).unwrap());
    assert_eq!(
        fingerprint.sha256_header.map(|digest| digest.hex()),
        text(tags::signature::SHA256),
        "it is of the bytes that rpm hashes"
    );
    let sha1 = crate::digest(Algorithm::Sha1, head.header_bytes()).hex;
    let sha256 = crate::sha256(head.header_bytes());
    // A recipe states no MD5.
    assert_eq!(fingerprint.to_string(), format!("sha256={sha256} sha1={sha1} md5=-"));

    let body = [&[4, 0, 1, 8][..], &[7; 300]].concat();
    let packet = [&[0x89, (body.len() >> 8) as u8, body.len() as u8], &body[..]].concat();
    let signed = crate::with_header_signature(&rpm, &packet).unwrap();
    assert_ne!(signed, rpm);
    assert_eq!(read_head(&mut signed.as_slice()).unwrap().fingerprint(), fingerprint);

    let rebuilt = Recipe::new("foo", "1", "1").file("/usr/bin/foo", "y").build();
    let rebuilt = read_head(&mut rebuilt.as_slice()).unwrap().fingerprint();
    assert_eq!(rebuilt.compare(&fingerprint), Some((Algorithm::Sha256, false)));
}

#[test]
fn a_header_of_rpm_3_has_no_digest_to_be_known_by() {
    let mut head = read_head(&mut sample().as_slice()).unwrap();
    assert_ne!(head.fingerprint(), Fingerprint::default());
    head.header.is_of_rpm_3 = true;
    assert_eq!(head.fingerprint(), Fingerprint::default());
}
