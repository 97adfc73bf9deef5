//! `allowed_signers`: whose keys may sign requests, in the form of ssh-keygen's file of that name.
//!
//! ```text
//! alice@example.org namespaces="sluice-request@v1",valid-before="20270101Z" ssh-ed25519 AAAA... her laptop
//! ```
//!
//! It stands in the configuration itself, so that the policy of every generation holds it. One name a line: patterns
//! and certificate authorities would leave open who it was.

use std::fmt::Write as _;

use super::fault::Faults;
use super::section::Text;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use plan::signed::NAMESPACE;
use ssh_key::{Algorithm, PublicKey};

/// The fewest bits of an RSA key.
const RSA_BITS_MIN: usize = 2048;

/// Is one key that may sign requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedSigner {
    /// Whose it is; the account is `ssh:NAME`.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// From when on it may sign.
    pub after: Option<Timestamp>,
    /// Until when, that instant not included.
    pub before: Option<Timestamp>,
}

impl AllowedSigner {
    /// Says whether the key counts: by the wall clock and by the witnessed time.
    pub fn counts_at(&self, clocks: [Timestamp; 2]) -> bool {
        self.in_time(clocks).is_ok()
    }

    /// Says why it does not count, if it does not.
    pub(crate) fn in_time(&self, clocks: [Timestamp; 2]) -> Result<(), String> {
        let name = &self.name;
        if let Some(after) = self.after.filter(|after| clocks.iter().any(|now| now < after)) {
            return Err(format!("the key of `{name}` signs from {after} on"));
        }
        match self.before.filter(|before| clocks.iter().any(|now| now >= before)) {
            Some(before) => Err(format!("the key of `{name}` signed until {before}")),
            None => Ok(()),
        }
    }
}

/// Reads the lines; each fault names its line of the text.
pub(super) fn read(text: &Text, faults: &mut Faults<'_>) -> Vec<AllowedSigner> {
    let mut signers: Vec<AllowedSigner> = Vec::new();
    for (number, line) in text.value.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let found = signer(line).and_then(|signer| {
            match signers.iter().find(|known| known.key.key_data() == signer.key.key_data()) {
                Some(known) => Err(format!("the key is that of `{}` already", known.name)),
                None => Ok(signer),
            }
        });
        match found {
            Ok(signer) => signers.push(signer),
            Err(reason) => {
                let reason = format!("line {} of `allowed_signers`: {reason}", number + 1);
                let hint =
                    "write `NAME [namespaces=\"...\",valid-after=\"...\",valid-before=\"...\"] KEYTYPE KEY`";
                faults.add(text.at, reason, Some(hint.to_owned()));
            }
        }
    }
    signers
}

fn signer(line: &str) -> Result<AllowedSigner, String> {
    let (name, rest) = line.split_once(char::is_whitespace).ok_or("it holds no key")?;
    if name.is_empty() || name.contains(['*', '?', '!', ',', '"', ':']) || name.chars().any(char::is_control)
    {
        return Err(format!("{name:?} is not one name"));
    }
    let (options, key) = parts(rest.trim())?;
    let key = PublicKey::from_openssh(key).map_err(|error| format!("its key cannot be read: {error}"))?;
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::SkEd25519 => {}
        Algorithm::Rsa { .. } => {
            let bits =
                key.key_data().rsa().and_then(|rsa| rsa.n.as_positive_bytes()).map_or(0, |n| n.len() * 8);
            if bits < RSA_BITS_MIN {
                return Err(format!("the RSA key has {bits} bits, {RSA_BITS_MIN} are the fewest"));
            }
        }
        other => return Err(format!("keys of the kind `{other}` sign no requests")),
    }
    let mut signer = AllowedSigner { name: name.to_owned(), key, after: None, before: None };
    let mut is_for_requests = true;
    for option in options {
        let (word, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match word.to_ascii_lowercase().as_str() {
            "namespaces" => is_for_requests = value.split(',').any(|namespace| namespace == NAMESPACE),
            "valid-after" => signer.after = Some(instant(value)?),
            "valid-before" => signer.before = Some(instant(value)?),
            _ => return Err(format!("the option `{}` is not known here", word.escape_debug())),
        }
    }
    if !is_for_requests {
        return Err(format!("its namespaces lack `{NAMESPACE}`, so that it could sign no request"));
    }
    Ok(signer)
}

/// Takes a line behind its name apart into options, if there are any, and the key. Commas and spaces between quotes
/// separate nothing.
fn parts(line: &str) -> Result<(Vec<&str>, &str), String> {
    const KINDS: [&str; 3] = ["ssh-", "ecdsa-", "sk-"];
    if KINDS.iter().any(|kind| line.starts_with(kind)) {
        return Ok((Vec::new(), line));
    }
    let mut is_quoted = false;
    let mut options = Vec::new();
    let mut begin = 0;
    for (at, c) in line.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' | ' ' | '\t' if !is_quoted => {
                options.push(&line[begin..at]);
                begin = at + 1;
                if c != ',' {
                    return Ok((options, line[begin..].trim()));
                }
            }
            _ => {}
        }
    }
    Err("it holds no key behind its options".to_owned())
}

/// Reads `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS` with a `Z` behind: the local time that ssh-keygen means without
/// one depends on the machine.
fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong = || {
        let mut words = format!("`{}` is not an instant", text.escape_debug());
        let _ = write!(words, ": write YYYYMMDDZ or YYYYMMDDHHMMSSZ, in UTC");
        words
    };
    let digits = text.strip_suffix(['Z', 'z']).ok_or_else(wrong)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(wrong());
    }
    let padded = format!("{digits:0<14}");
    let moment = DateTime::strptime("%Y%m%d%H%M%S", &padded).map_err(|_| wrong())?;
    moment.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}
