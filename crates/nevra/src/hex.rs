//! Bytes as hexadecimal digits, and back.

/// Writes bytes as hexadecimal digits in lower case.
///
/// ```
/// assert_eq!(nevra::to_hex(&[0, 171]), "00ab");
/// ```
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads hexadecimal digits of either case; `None` for what is none, or an odd number of them.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let four = |digit: u8| char::from(digit).to_digit(16).and_then(|four| u8::try_from(four).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(four(*high)? << 4 | four(*low)?));
    bytes.collect::<Option<_>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_back_and_nothing_else_is() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&all)), Some(all));
        assert_eq!(from_hex("aB"), Some(vec![0xab]));
        assert_eq!(from_hex(""), Some(vec![]));
        for bad in ["0g", "0", "+1", "ä"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }
}
