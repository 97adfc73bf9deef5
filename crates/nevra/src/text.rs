//! How the words travel as text: which characters they may hold, and serde through `FromStr` and
//! `Display`.

/// Says why `part` cannot stand in a package's full name, if it cannot.
///
/// A part is visible ASCII without `/` and `:` — it becomes a file name, a URL and a line of text.
/// Which of `-` and `.` may not stand in it depends on the part: `forbidden`.
pub(crate) fn fault_of(part: &str, forbidden: &[char]) -> Option<&'static str> {
    if part.is_empty() {
        return Some("a part is empty");
    }
    if part.contains(forbidden) {
        return Some("a part holds a character that separates parts");
    }
    if !part.chars().all(|c| c.is_ascii_graphic()) {
        return Some("a part holds a blank, a control character or one outside ASCII");
    }
    if part.contains(['/', ':']) {
        return Some("a part holds `/` or `:`");
    }
    None
}

/// Lets a type with `FromStr` and `Display` travel through serde as its text.
macro_rules! serde_as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use serde_as_text;
