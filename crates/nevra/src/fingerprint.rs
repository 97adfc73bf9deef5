//! What an installed package is still known by.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;
use crate::{Algorithm, ParseError, Sha256, from_hex, to_hex};

/// The digests by which a database of rpm knows a package that it has installed.
///
/// No database keeps a digest of the package's *file*. What it keeps are the digests that the file's signature header
/// states, by whatever names that rpm knows:
///
/// | rpm | asked of a database | packages that state it |
/// |---|---|---|
/// | 4.4 (EL 5) to 4.13, among them 4.11 (EL 7) | `SHA1HEADER`, `SIGMD5` | nearly all but those of rpm 6 |
/// | 4.14 (EL 8) and newer | `SHA256HEADER` as well | those made by rpm 4.14 and newer |
///
/// None of them changes where a package is signed, signed anew or given another file name.
///
/// Text is `sha256=<64 digits> sha1=<40 digits> md5=<32 digits>`, with `-` for each that is not known.
///
/// ```
/// use nevra::{Algorithm, Fingerprint};
///
/// let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
/// let of_a_file: Fingerprint = format!("sha256={} sha1={sha1} md5=-", "0".repeat(64)).parse()?;
/// let of_a_site: Fingerprint = format!("sha256=- sha1={sha1} md5={}", "0".repeat(32)).parse()?;
/// assert_eq!(of_a_file.compare(&of_a_site), Some((Algorithm::Sha1, true)));
/// assert_eq!(of_a_file.compare(&Fingerprint::default()), None);
/// # Ok::<(), nevra::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// The SHA-256 of the header, `SHA256HEADER`.
    pub sha256_header: Option<Sha256>,
    /// The SHA-1 of the header, `SHA1HEADER`.
    pub sha1_header: Option<[u8; 20]>,
    /// The MD5 of header and payload, `SIGMD5`.
    pub md5: Option<[u8; 16]>,
}

impl Fingerprint {
    /// Says whether two are of one package, by the strongest digest that both know, and which that is; `None` if both
    /// know none.
    ///
    /// The weaker digests are not looked at: the MD5 covers the payload too, but what a payload unpacks to is
    /// already settled by the digests of files that stand in the header.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<(Algorithm, bool)> {
        fn equal<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<bool> {
            one.zip(other).map(|(one, other)| one == other)
        }
        let by = |algorithm| move |same| (algorithm, same);
        equal(self.sha256_header, other.sha256_header)
            .map(by(Algorithm::Sha256))
            .or_else(|| equal(self.sha1_header, other.sha1_header).map(by(Algorithm::Sha1)))
            .or_else(|| equal(self.md5, other.md5).map(by(Algorithm::Md5)))
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let mut words = text.split(' ');
        let mut next = |key: &str| words.next().and_then(|word| word.strip_prefix(key));
        let sha256 = digits(next("sha256=").ok_or("it does not begin with `sha256=`")?)?;
        let sha1 = digits(next("sha1=").ok_or("`sha1=` does not follow")?)?;
        let md5 = digits(next("md5=").ok_or("`md5=` does not follow")?)?;
        match words.next() {
            Some(_) => Err("something follows the three digests"),
            None => Ok(Self { sha256_header: sha256.map(Sha256::from), sha1_header: sha1, md5 }),
        }
    }
}

/// Reads the digits of one digest; `None` for `-`.
fn digits<const BYTES: usize>(text: &str) -> Result<Option<[u8; BYTES]>, &'static str> {
    if text == "-" {
        return Ok(None);
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("a digest has upper case digits");
    }
    let bytes = from_hex(text).ok_or("a digest is not of hexadecimal digits")?;
    bytes.try_into().map(Some).map_err(|_| "a digest has the wrong number of digits")
}

impl FromStr for Fingerprint {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(text).map_err(|why| ParseError::Digest { text: text.to_owned(), why })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn shown(bytes: Option<&[u8]>) -> String {
            bytes.map_or_else(|| "-".to_owned(), to_hex)
        }
        let sha256 = shown(self.sha256_header.as_ref().map(|digest| &digest.as_bytes()[..]));
        let sha1 = shown(self.sha1_header.as_ref().map(|bytes| &bytes[..]));
        write!(f, "sha256={sha256} sha1={sha1} md5={}", shown(self.md5.as_ref().map(|bytes| &bytes[..])))
    }
}

serde_as_text!(Fingerprint);

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sha256: Option<u8>, sha1: Option<u8>, md5: Option<u8>) -> Fingerprint {
        Fingerprint {
            sha256_header: sha256.map(|byte| [byte; 32].into()),
            sha1_header: sha1.map(|byte| [byte; 20]),
            md5: md5.map(|byte| [byte; 16]),
        }
    }

    #[test]
    fn the_strongest_digest_that_both_know_decides() {
        let check = |one: Fingerprint, other: Fingerprint, expected| {
            assert_eq!(one.compare(&other), expected, "{one} and {other}");
            assert_eq!(other.compare(&one), expected, "{other} and {one}");
        };
        let whole = of(Some(1), Some(2), Some(3));
        check(whole, whole, Some((Algorithm::Sha256, true)));
        check(whole, of(Some(1), Some(9), Some(9)), Some((Algorithm::Sha256, true)));
        check(whole, of(Some(9), Some(2), Some(3)), Some((Algorithm::Sha256, false)));
        check(whole, of(None, Some(2), Some(9)), Some((Algorithm::Sha1, true)));
        check(whole, of(None, Some(9), Some(3)), Some((Algorithm::Sha1, false)));
        check(whole, of(None, None, Some(3)), Some((Algorithm::Md5, true)));
        check(whole, of(None, None, Some(9)), Some((Algorithm::Md5, false)));
        check(whole, of(None, None, None), None);
        check(of(Some(1), None, None), of(None, Some(2), Some(3)), None);
    }

    #[test]
    fn text_comes_back_as_it_went() {
        for fingerprint in [
            of(Some(0), Some(0xab), Some(0xff)),
            of(None, Some(1), Some(2)),
            of(Some(1), None, None),
            of(None, None, None),
        ] {
            assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        let sha1 = "a".repeat(40);
        for bad in [
            "",
            "-",
            "sha256=-",
            "sha256=- sha1=-",
            "sha256=- sha1=- md5=- ",
            "sha256=-  sha1=- md5=-",
            "sha1=- sha256=- md5=-",
            "sha256=- sha1=- md5=",
            "sha256=- sha1=(none) md5=-",
            &format!("sha256={sha1} sha1=- md5=-"),
            &format!("sha256=- sha1={} md5=-", sha1.to_uppercase()),
            &format!("sha256=- sha1={} md5=-", &sha1[1..]),
            &format!("sha256=- sha1={}g md5=-", &sha1[1..]),
        ] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad:?}");
        }
    }
}
