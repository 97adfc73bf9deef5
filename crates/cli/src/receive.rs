//! `sluice receive`: the ssh door. People at other institutes hand in requests and files with the key they have.
//!
//! ```text
//! command="sluice receive --as ea-IT-CNAF",restrict ssh-ed25519 AAAA...     authorized_keys of sluice-door
//!
//! ssh sluice-door@repo < report.toml                 a request; the answer comes back
//! ssh sluice-door@repo upload voms.rpm < voms.rpm    a file; its name in `upload/` comes back
//! ssh sluice-door@repo upload voms.rpm SHA256 < ...  the same, and nothing is taken that has another digest
//! ```
//!
//! What the other side wants to run is taken from `SSH_ORIGINAL_COMMAND`, and is never run: it is one of these two.
#![expect(clippy::disallowed_methods, reason = "asks sshd what the other side wants")]

pub mod arguments;

use std::io::Read as _;

use daemon::submit::{Bounds, Quota, Submitter};
use nevra::Sha256;
use plan::{Format, Request};

use crate::ask;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::Receive;

/// What the other side wants.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// To hand in a request.
    Request,
    /// To hand in a file of this name, with the digest that it has at the other end if that is told.
    Upload(String, Option<Sha256>),
}

/// Takes in one request or one file from stdin.
pub fn run(settings: &Settings, asked: &Receive, terminal: &Terminal) -> Result<u8, Failure> {
    let command = std::env::var_os("SSH_ORIGINAL_COMMAND").unwrap_or_default();
    let wanted = wanted(&command.to_string_lossy())?;
    let quota =
        Quota { name: asked.name.clone(), requests_max: asked.waiting_max, held_bytes_max: asked.held_max };
    let submitter = Submitter::new(settings.config()?.spool).within(quota);
    let mut stdin = std::io::stdin().lock();
    if let Wanted::Upload(name, digest) = wanted {
        let bounds = Bounds { bytes_max: asked.upload_max, free_bytes_min: asked.free_min, digest };
        let uploaded = submitter.upload_from(&name, &mut stdin, bounds);
        let uploaded = uploaded.map_err(Failure::of_submitting)?;
        terminal.either(&serde_json::json!({ "uploaded": uploaded, "exit": 0 }), |_| format!("{uploaded}\n"));
        return Ok(0);
    }
    let mut bytes = Vec::new();
    let limit = plan::SIZE_MAX as u64 + 1;
    let read = stdin.take(limit).read_to_end(&mut bytes);
    read.map_err(|error| Failure::usage(format!("failed to read the request: {error}")))?;
    let format = match bytes.trim_ascii_start().first() {
        Some(b'{') => Format::Json,
        _ => Format::Toml,
    };
    let (unsigned, signature) = plan::signed::split(&bytes);
    let request = plan::parse(unsigned, format)?;
    if signature.is_some() {
        // Whoever signs speaks for themselves, whatever key opened the door.
        return ask::bytes(&submitter, request.action.name(), format, &bytes, &asked.waiting, terminal);
    }
    let request = spoken_for(request, &asked.name)?;
    ask::request(&submitter, &request, &asked.waiting, terminal)
}

/// Says for whom a request is asked: for nobody but whose key opened the door.
fn spoken_for(request: Request, name: &str) -> Result<Request, Failure> {
    match &request.as_ {
        Some(other) if other != name => {
            let refusal = format!("this key asks as `{name}`, not as `{}`", other.escape_debug());
            Err(Failure { exit: 3, ..Failure::usage(refusal) }.hint("leave the key `as` out"))
        }
        _ => Ok(Request { as_: Some(name.to_owned()), ..request }),
    }
}

/// Reads what the other side wants to run.
fn wanted(command: &str) -> Result<Wanted, Failure> {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words[..] {
        [] | ["request"] => Ok(Wanted::Request),
        ["upload", name] => Ok(Wanted::Upload(name.to_owned(), None)),
        ["upload", name, digest] => match digest.parse() {
            Ok(digest) => Ok(Wanted::Upload(name.to_owned(), Some(digest))),
            Err(_) => {
                let failure = Failure::usage(format!("`{}` is no SHA-256", digest.escape_debug()));
                Err(failure.hint("64 hexadecimal digits, as `sha256sum` prints them"))
            }
        },
        _ => {
            let failure = Failure::usage(format!("`{}` is not for this door", command.escape_debug()));
            Err(failure
                .hint("`ssh HOST < report.toml` hands in a request, `ssh HOST upload NAME < FILE` a file"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_may_hand_in_and_nothing_else() {
        assert_eq!(wanted(""), Ok(Wanted::Request));
        assert_eq!(wanted(" request "), Ok(Wanted::Request));
        assert_eq!(wanted("upload voms-1.rpm"), Ok(Wanted::Upload("voms-1.rpm".into(), None)));
        let digest = "5e".repeat(32);
        let told = Ok(Wanted::Upload("voms-1.rpm".into(), Some(digest.parse().unwrap())));
        assert_eq!(wanted(&format!("upload voms-1.rpm {digest}")), told);
        for command in ["sh", "upload", "upload a b", "request; id", "scp -t /", "--as root", "upload\u{0}"] {
            assert_eq!(wanted(command).unwrap_err().exit, 2, "{command}");
        }
    }

    #[test]
    fn a_key_speaks_for_one_name() {
        let request = |as_: Option<&str>| Request {
            as_: as_.map(str::to_owned),
            ..Request::new(plan::Action::Sweep {})
        };
        for as_ in [None, Some("ea-IT-CNAF")] {
            let spoken = spoken_for(request(as_), "ea-IT-CNAF").unwrap();
            assert_eq!(spoken.as_.as_deref(), Some("ea-IT-CNAF"));
        }
        assert_eq!(spoken_for(request(Some("alice")), "ea-IT-CNAF").unwrap_err().exit, 3);
    }
}
