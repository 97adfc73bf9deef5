//! A signed request: the request itself, and behind it the signature as `ssh-keygen -Y sign` writes it.
//!
//! ```text
//! format = 1
//! action = "promote"
//! ...
//! [end]
//! -----BEGIN SSH SIGNATURE-----
//! ...
//! -----END SSH SIGNATURE-----
//! ```

/// The namespace that a signature of a request is made for, `ssh-keygen -Y sign -n sluice-request@v1`.
pub const NAMESPACE: &str = "sluice-request@v1";

const BEGIN: &[u8] = b"-----BEGIN SSH SIGNATURE-----";
const END: &[u8] = b"-----END SSH SIGNATURE-----";

/// Takes a file apart into the bytes that are signed and the signature; all of it is the request if none ends it.
///
/// The signed bytes are those before the last line that begins a signature, so that `cat request.toml
/// request.toml.sig` makes a signed request.
pub fn split(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    if !bytes.trim_ascii_end().ends_with(END) {
        return (bytes, None);
    }
    match beginning(bytes) {
        Some(at) => (&bytes[..at], Some(bytes[at..].trim_ascii_end())),
        None => (bytes, None),
    }
}

/// Says whether a signature begins in the file and does not end there.
pub(super) fn is_cut_short(bytes: &[u8]) -> bool {
    beginning(bytes).is_some() && !bytes.trim_ascii_end().ends_with(END)
}

/// Finds the last line that begins a signature.
fn beginning(bytes: &[u8]) -> Option<usize> {
    let mut at = bytes.len();
    for line in bytes.rsplit(|byte| *byte == b'\n') {
        at = at.saturating_sub(line.len());
        if line.trim_ascii_end() == BEGIN {
            return Some(at);
        }
        at = at.saturating_sub(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Format, is_complete, parse};

    const REQUEST: &str = "format = 1\naction = \"sweep\"\nid = \"a\"\n\n[end]\n";
    const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----";

    #[test]
    fn the_signature_stands_behind_the_request() {
        let signed = format!("{REQUEST}{SIGNATURE}\n");
        assert_eq!(split(signed.as_bytes()), (REQUEST.as_bytes(), Some(SIGNATURE.as_bytes())));
        assert_eq!(split(REQUEST.as_bytes()), (REQUEST.as_bytes(), None));
        let json = format!("{{\"format\": 1}}\n{SIGNATURE}");
        assert_eq!(split(json.as_bytes()), (&b"{\"format\": 1}\n"[..], Some(SIGNATURE.as_bytes())));
        // The last one counts, and is no part of what is signed.
        let twice = format!("{REQUEST}{SIGNATURE}\n{SIGNATURE}");
        assert_eq!(split(twice.as_bytes()).0, format!("{REQUEST}{SIGNATURE}\n").as_bytes());
        // What only talks of signatures is not signed.
        let reason = format!("reason = \"\"\"\n{SIGNATURE}\n\"\"\"\n{REQUEST}");
        assert_eq!(split(reason.as_bytes()).1, None);
    }

    #[test]
    fn no_prefix_of_a_signed_request_but_the_request_alone_is_complete() {
        for (format, request) in
            [(Format::Toml, REQUEST), (Format::Json, "{\"format\": 1, \"action\": \"sweep\"}\n")]
        {
            let signed = format!("{request}{SIGNATURE}");
            assert!(is_complete(signed.as_bytes(), format));
            assert!(is_complete(format!("{signed}\n").as_bytes(), format));
            parse(split(signed.as_bytes()).0, format).unwrap();
            let whole = request.trim_end().len();
            let begun = request.len() + BEGIN.len();
            for end in (0..whole).chain(begun..signed.len()) {
                assert!(!is_complete(&signed.as_bytes()[..end], format), "{}", &signed[..end]);
            }
        }
    }
}
