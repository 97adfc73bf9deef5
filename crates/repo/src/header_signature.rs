//! An OpenPGP signature of a header goes into the package.

use crate::Error;
use crate::edit::check_layout;
use crate::guard::Part;
use crate::head::read_head;
use crate::layout::{Row, lay_out};
use crate::tags::{Kind, Tag, signature};

/// What OpenPGP calls a signature of bytes as they are.
const OF_BYTES: u8 = 0;

/// Puts a signature of [`header_bytes`](crate::Head::header_bytes) into an RPM, in place of those of the header that
/// are there.
///
/// Which key made it, and whether it holds, is not looked at. Everything but the signature header is copied.
///
/// # Errors
///
/// The bytes are not one binary OpenPGP signature packet of version 4 by RSA, DSA, ECDSA or `EdDSA` (ASCII armour
/// is not taken off); they are no RPM; rpm of today lays its signature header out otherwise, or does not take it
/// with so large a signature.
pub fn with_header_signature(rpm: &[u8], signature: &[u8]) -> Result<Vec<u8>, Error> {
    let tag = tag_of(signature).map_err(|why| Error::Signature { why })?;
    let head = read_head(&mut &*rpm)?;
    check_layout(Part::Signature, &head.signature)?;
    let own = [signature::DSA.number, signature::RSA.number];
    let mut rows: Vec<Row<'_>> =
        head.signature.rows().into_iter().filter(|row| !own.contains(&row.tag)).collect();
    let at = rows.iter().position(|row| row.tag > tag.number).unwrap_or(rows.len());
    rows.insert(at, Row { tag: tag.number, kind: Kind::Binary, count: signature.len(), bytes: signature });
    let mut made = lay_out(Part::Signature, &rows);
    made.resize(made.len().next_multiple_of(8), 0);
    let rest = usize::try_from(head.header_range().start).ok().and_then(|start| rpm.get(start..));
    let signed = [&head.lead[..], &made, rest.unwrap_or_default()].concat();
    read_head(&mut signed.as_slice())?;
    Ok(signed)
}

/// Finds the tag a signature belongs under, by the algorithm of the key that made it.
fn tag_of(packet: &[u8]) -> Result<Tag, String> {
    let body = body_of(packet)?;
    let &[version, kind, algorithm, ..] = body else {
        return Err("it ends before it says what made it".into());
    };
    if version != 4 {
        return Err(format!("it is of version `{version}`, RPMs hold version 4"));
    }
    if kind != OF_BYTES {
        return Err(format!("it is of kind `{kind:#04x}`, which does not sign bytes as they are"));
    }
    match algorithm {
        1 => Ok(signature::RSA),
        17 | 19 | 22 => Ok(signature::DSA),
        other => Err(format!("its algorithm `{other}` is none of RSA, DSA, ECDSA and EdDSA")),
    }
}

/// Takes the one packet of the bytes apart.
fn body_of(packet: &[u8]) -> Result<&[u8], String> {
    if packet.starts_with(b"-----BEGIN") {
        return Err("it is ASCII-armoured, and should be binary".into());
    }
    let (first, rest) = packet.split_first().ok_or("it is empty")?;
    if first & 0x80 == 0 {
        return Err("it does not begin as an OpenPGP packet".into());
    }
    let is_new = first & 0x40 != 0;
    let kind = if is_new { first & 0x3f } else { first >> 2 & 0xf };
    if kind != 2 {
        return Err(format!("it begins with an OpenPGP packet of type `{kind}`, a signature is of type 2"));
    }
    let (length, body) = match (is_new, first & 3, rest) {
        (true, _, [one @ 0..192, body @ ..]) | (false, 0, [one, body @ ..]) => (usize::from(*one), body),
        (true, _, [one @ 192..=223, two, body @ ..]) => {
            (((usize::from(*one) - 192) << 8) + usize::from(*two) + 192, body)
        }
        (false, 1, [one, two, body @ ..]) => (usize::from(u16::from_be_bytes([*one, *two])), body),
        (true, _, [255, one, two, three, four, body @ ..])
        | (false, 2, [one, two, three, four, body @ ..]) => {
            (u32::from_be_bytes([*one, *two, *three, *four]) as usize, body)
        }
        _ => return Err("its length is missing, or not known from the start".into()),
    };
    if body.len() != length {
        return Err(format!("its packet has {length} bytes, and {} follow", body.len()));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;

    fn packet(algorithm: u8) -> Vec<u8> {
        let body = [&[4, 0, algorithm, 8][..], &[7; 300]].concat();
        [&[0x89, (body.len() >> 8) as u8, body.len() as u8], &body[..]].concat()
    }

    #[test]
    fn a_signature_goes_where_rpm_looks_for_it_and_nothing_else_changes() {
        let rpm = Recipe::new("meta", "1", "1").requires("a = 1-1").build();
        let before = read_head(&mut rpm.as_slice()).unwrap();
        for (algorithm, tag, other) in [(1, 268, 267), (17, 267, 268), (19, 267, 268), (22, 267, 268)] {
            let once = with_header_signature(&rpm, &packet(22)).unwrap();
            let signed = with_header_signature(&once, &packet(algorithm)).unwrap();
            let after = read_head(&mut signed.as_slice()).unwrap();
            assert_eq!(after.signature_bytes(tag), Some(packet(algorithm).as_slice()), "{algorithm}");
            assert_eq!(after.signature_bytes(other), None, "one of another algorithm is replaced");
            assert_eq!(after.header_bytes(), before.header_bytes());
            assert_eq!(after.header_range().start % 8, 0);
            assert_eq!(
                signed[after.header_range().end as usize..],
                rpm[before.header_range().end as usize..]
            );
            assert_eq!(after.signature.rows().len(), before.signature.rows().len() + 1);
            after.check_header().unwrap();
        }
    }

    #[test]
    fn lengths_of_packets_are_read_in_every_form() {
        let body = |length: usize| [&[4, 0, 1, 8][..], &vec![0; length - 4]].concat();
        for (start, length) in [
            (&[0xc2, 100][..], 100),
            (&[0xc2, 193, 0], 448),
            (&[0xc2, 255, 0, 0, 1, 0], 256),
            (&[0x88, 100], 100),
            (&[0x89, 1, 0], 256),
            (&[0x8a, 0, 0, 1, 0], 256),
        ] {
            let whole = [start, &body(length)].concat();
            assert_eq!(tag_of(&whole), Ok(signature::RSA), "{start:?}");
            assert!(tag_of(&whole[..whole.len() - 1]).is_err(), "{start:?} cut");
            assert!(tag_of(&[&whole[..], &[0]].concat()).is_err(), "{start:?} and more");
        }
    }

    #[test]
    fn what_is_no_binary_signature_of_version_4_is_refused() {
        let with = |place: usize, byte: u8| {
            let mut packet = packet(1);
            packet[place] = byte;
            packet
        };
        for (bytes, why) in [
            (vec![], "it is empty"),
            (b"-----BEGIN PGP SIGNATURE-----\n".to_vec(), "ASCII-armoured"),
            (b"hello".to_vec(), "does not begin as an OpenPGP packet"),
            (with(0, 0x99), "of type `6`"),
            (with(0, 0x8b), "not known from the start"),
            (vec![0xc2, 224, 4], "not known from the start"),
            (vec![0xc2, 2, 4, 0], "ends before"),
            (with(3, 6), "version `6`"),
            (with(4, 0x10), "kind `0x10`"),
            (with(5, 99), "algorithm `99`"),
        ] {
            let rpm = Recipe::new("meta", "1", "1").build();
            let told = with_header_signature(&rpm, &bytes).unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        }
    }
}
