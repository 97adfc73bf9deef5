//! What a requested path means: a generation, and a path inside it. Pure text; nothing is looked up.

/// An address of the exported tree, taken apart and found harmless.
///
/// Segments are decoded, not empty, neither `.` nor `..`, and hold no `/` and no NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Which generation.
    pub pin: Pin,
    /// The path inside that generation.
    pub segments: Vec<String>,
    /// Whether the address ended with `/` (a directory is meant).
    pub slash: bool,
}

/// The generation an address speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pin {
    /// Whatever `current` names at the instant of the request.
    Current,
    /// `/@42/`.
    Number(u64),
    /// `/@update-57/`, without the `@`.
    Name(String),
}

/// Why a path is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    /// It holds `.` or `..` as a segment, however written.
    Dots,
    /// It holds NUL, an encoded `/`, or bytes that are no UTF-8.
    Bytes,
    /// A `%` is not followed by two hexadecimal digits, or the path does not begin with `/`.
    Encoding,
}

impl Bad {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Bad::Dots => "an address has no `.` or `..` in it",
            Bad::Bytes => "an address has no NUL, no encoded `/`, and is UTF-8",
            Bad::Encoding => "the address is not encoded as it should be",
        }
    }
}

impl Address {
    /// Takes apart the path of a request target, still percent-encoded, without its query.
    ///
    /// Repeated slashes count as one, as in nginx and Apache.
    pub(crate) fn parse(path: &str) -> Result<Address, Bad> {
        let path = path.strip_prefix('/').ok_or(Bad::Encoding)?;
        let mut segments = Vec::new();
        for raw in path.split('/').filter(|raw| !raw.is_empty()) {
            let segment = decode(raw)?;
            match segment.as_str() {
                "." | ".." => return Err(Bad::Dots),
                _ => segments.push(segment),
            }
        }
        let slash = path.is_empty() || path.ends_with('/');
        let pin = match segments.first().and_then(|first| first.strip_prefix('@')) {
            None => Pin::Current,
            Some(pin) => match pin.parse::<u64>() {
                Ok(number) if number.to_string() == pin => Pin::Number(number),
                _ => Pin::Name(pin.to_owned()),
            },
        };
        if pin != Pin::Current {
            segments.remove(0);
        }
        Ok(Address { pin, segments, slash })
    }

    /// Says whether this address has one content for ever; see the cache rules of the module above.
    pub(crate) fn is_immutable(&self) -> bool {
        if matches!(self.pin, Pin::Number(_)) {
            return true;
        }
        let inner: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        match inner.as_slice() {
            [.., "Packages", shard, digest, file] => {
                is_hex(shard, 2) && is_hex(digest, 16) && digest.starts_with(shard) && file.ends_with(".rpm")
            }
            [.., "repodata", file] => file.split_once('-').is_some_and(|(digest, _)| is_hex(digest, 64)),
            _ => false,
        }
    }

    /// Writes the address again, percent-encoded, without a slash at the end.
    pub(crate) fn encoded(&self) -> String {
        let pin = match &self.pin {
            Pin::Current => None,
            Pin::Number(number) => Some(format!("@{number}")),
            Pin::Name(name) => Some(format!("@{name}")),
        };
        pin.iter().chain(&self.segments).map(|segment| format!("/{}", encode(segment))).collect()
    }
}

/// Percent-encodes one segment; `@`, `+`, `~` and the unreserved stay as they are.
pub(crate) fn encode(segment: &str) -> String {
    let mut text = String::new();
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' | b'+' | b'=' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn decode(raw: &str) -> Result<String, Bad> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
                    return Err(Bad::Encoding);
                };
                high * 16 + low
            }
            byte => byte,
        });
    }
    if bytes.iter().any(|byte| matches!(byte, 0 | b'/')) {
        return Err(Bad::Bytes);
    }
    String::from_utf8(bytes).map_err(|_| Bad::Bytes)
}

fn digit(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Result<(Pin, &[&str], bool), Bad>) {
        let found = Address::parse(path).map(|address| (address.pin, address.segments, address.slash));
        let expected = expected.map(|(pin, segments, slash)| {
            (pin, segments.iter().map(|segment| (*segment).to_owned()).collect::<Vec<_>>(), slash)
        });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn a_path_is_a_generation_and_segments() {
        check("/", Ok((Pin::Current, &[], true)));
        check("/a/b", Ok((Pin::Current, &["a", "b"], false)));
        check("//a///b/", Ok((Pin::Current, &["a", "b"], true)));
        check("/@42/a", Ok((Pin::Number(42), &["a"], false)));
        check("/%4042/a", Ok((Pin::Number(42), &["a"], false)));
        check("/@042", Ok((Pin::Name("042".into()), &[], false)));
        check("/@update-57/", Ok((Pin::Name("update-57".into()), &[], true)));
        check("/a/@42", Ok((Pin::Current, &["a", "@42"], false)));
        check("/gcc-c%2b%2B.rpm", Ok((Pin::Current, &["gcc-c++.rpm"], false)));
    }

    #[test]
    fn what_could_climb_or_confuse_is_refused() {
        for path in ["/..", "/a/../b", "/%2e%2e/x", "/a/%2E./", "/./a", "/@1/.."] {
            check(path, Err(Bad::Dots));
        }
        for path in ["/a%00", "/a%2fb", "/..%2f..%2fetc", "/%ff"] {
            check(path, Err(Bad::Bytes));
        }
        for path in ["/%", "/%2", "/%zz", "", "a", "/%+1"] {
            check(path, Err(Bad::Encoding));
        }
    }

    #[test]
    fn only_checksum_names_and_numbers_are_for_ever() {
        let hex = "ab".repeat(32);
        let for_ever = |path: &str| Address::parse(path).unwrap().is_immutable();
        assert!(for_ever("/@1/index.html"));
        assert!(for_ever(&format!("/g/repodata/{hex}-primary.xml.gz")));
        assert!(for_ever(&format!("/@name/g/repodata/{hex}-primary.xml.gz")));
        assert!(for_ever("/g/Packages/ab/abcdabcdabcdabcd/x-1-1.noarch.rpm"));
        assert!(!for_ever("/g/Packages/x-1-1.noarch.rpm"));
        assert!(!for_ever("/g/Packages/ff/abcdabcdabcdabcd/x-1-1.noarch.rpm"));
        assert!(!for_ever("/g/repodata/repomd.xml"));
        assert!(!for_ever("/@name/g/repodata/repomd.xml"));
        assert!(!for_ever(&format!("/g/repodata/{}-primary.xml.gz", &hex[1..])));
        assert!(!for_ever("/"));
    }

    #[test]
    fn an_address_written_again_reads_the_same() {
        for path in ["/", "/a/b", "/@42/x y%25/ü", "/@n/%3Cscript%3E"] {
            let address = Address::parse(path).unwrap();
            let again = Address::parse(&format!("{}/", address.encoded())).unwrap();
            assert_eq!((again.pin, again.segments), (address.pin, address.segments));
        }
        assert_eq!(Address::parse("//evil.example//x").unwrap().encoded(), "/evil.example/x");
    }
}
