//! What can be wrong with a signer and with what it makes: stable codes, and words for a person.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident $text:literal $meaning:literal)*) => {
        /// Names a fault for programs; texts may change, codes do not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum FaultCode { $(#[doc = $meaning] #[serde(rename = $text)] $variant,)* }

        impl FaultCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [FaultCode] = &[$(FaultCode::$variant,)*];

            /// Writes the code as it is shown.
            pub fn as_str(self) -> &'static str {
                match self { $(FaultCode::$variant => $text,)* }
            }

            /// Says in one sentence what the code means.
            pub fn meaning(self) -> &'static str {
                match self { $(FaultCode::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    Missing "signer-missing" "The signer could not be started."
    Hangs "signer-hangs" "The signer gave no signature in time and was ended, with everything it had started."
    Failed "signer-failed" "The signer ended with an error, or was ended by a signal."
    Rubbish "signer-rubbish" "What the signer printed is no armoured signature, or is larger than 64 KiB."
    Wrong "signature-wrong" "The signature is not one of the repomd.xml that was to be signed."
    OtherKey "signature-other-key" "The signature was made by another key than the first one of `metadata_signed_by`."
    NotAllowed "key-not-allowed" "The key is not asked: it counts from later on, or no more, by its `from` and `until`."
    Refused "signature-refused" "The signature is by the right key and does not count: expired, revoked, too weak."
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The stable code.
    pub code: FaultCode,
    /// What was seen, in one line.
    pub words: String,
}

impl Fault {
    /// Makes one; words of strangers are made harmless and short.
    pub fn new(code: FaultCode, words: impl AsRef<str>) -> Self {
        let harmless = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
        Self { code, words: words.as_ref().trim().chars().take(WORDS_MAX).map(harmless).collect() }
    }

    /// Says that more was printed than any signature has.
    pub(super) fn too_large() -> Self {
        let words = format!("it printed more than {} bytes", super::SIGNATURE_SIZE_MAX);
        Self::new(FaultCode::Rubbish, words)
    }
}

/// How many characters of what a signer complained of are told.
const WORDS_MAX: usize = 600;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.words, self.code.as_str())
    }
}

/// Writes every code and its meaning as a Markdown table, for the documentation.
pub fn table() -> String {
    let mut table = String::from("| code | meaning |\n|---|---|\n");
    for code in FaultCode::ALL {
        table.push_str(&format!("| `{}` | {} |\n", code.as_str(), code.meaning()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_what_strangers_say_is_one_short_line() {
        let texts: std::collections::BTreeSet<&str> =
            FaultCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), FaultCode::ALL.len());
        for code in FaultCode::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.as_str()));
        }
        let fault = Fault::new(FaultCode::Failed, format!("a\nb\u{1b}[31m{}", "x".repeat(10_000)));
        assert!(fault.words.starts_with("a\\nb\\u{1b}[31mx") && fault.words.len() < 700, "{fault}");
        assert!(table().lines().all(|line| line.matches('|').count() == 3));
    }
}
