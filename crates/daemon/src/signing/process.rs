//! The signer as a program: started for each signature, given the bytes, listened to for so long, and ended.
#![expect(clippy::disallowed_methods, reason = "runs the signer")]

use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::{Fault, FaultCode, Job, MetadataSigner, SIGNATURE_SIZE_MAX};
use crate::config::{Signer, SigningWay};
use crate::program::{self, End, Heard, Unheard};

/// Where programs are found: what gpg runs need not be in the daemon's own path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs what the configuration names: gpg with a home of its own, or a command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Programs;

/// When the first signature of a publication was asked for.
///
/// A publication may need hundreds of them; a signer that is slow with each must not hold up everybody for hours.
#[derive(Debug, Default)]
pub struct Begun(OnceLock<Instant>);

impl MetadataSigner for Programs {
    fn sign(&self, how: &Signer, job: &Job<'_>, begun: &Begun) -> Result<Vec<u8>, Fault> {
        let patience = Duration::try_from(how.timeout).unwrap_or_default();
        let until = *begun.0.get_or_init(Instant::now) + patience;
        let mut command = command(how, job);
        match program::ask(&mut command, job.bytes, SIGNATURE_SIZE_MAX, until) {
            Ok(heard) => judged(heard, how),
            Err(Unheard::Missing(error)) => {
                let program = command.get_program().to_string_lossy();
                Err(Fault::new(FaultCode::Missing, format!("`{program}` could not be started: {error}")))
            }
            Err(Unheard::Broken(error)) => {
                Err(Fault::new(FaultCode::Failed, format!("it could not be listened to: {error}")))
            }
        }
    }
}

/// The program that signs, with what it needs to know.
fn command(how: &Signer, job: &Job<'_>) -> Command {
    let fingerprint = job.key.fingerprint.to_string();
    match &how.way {
        SigningWay::Gpg { home } => {
            let mut command = Command::new("gpg");
            command.env_clear().env("PATH", PATH).env("LC_ALL", "C");
            command.env("HOME", home).env("GNUPGHOME", home);
            command.args(["--homedir", home.as_str(), "--batch", "--no-tty", "--quiet"]);
            // The first key of the configuration, whatever gpg.conf prefers.
            command.args(["--local-user", &fingerprint, "--armor", "--output", "-", "--detach-sign"]);
            command
        }
        SigningWay::Command { words } => {
            let words: Vec<String> =
                words.iter().map(|word| word.replace("{fingerprint}", &fingerprint)).collect();
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            command.env("SLUICE_KEY", &job.key.name).env("SLUICE_KEY_FINGERPRINT", &fingerprint);
            command.env("SLUICE_REPOSITORY", job.path);
            command
        }
    }
}

/// What came of it.
fn judged(heard: Heard, how: &Signer) -> Result<Vec<u8>, Fault> {
    let complaint = heard.complaint();
    match &heard.end {
        End::Itself(status) if status.success() => Ok(heard.said),
        End::Itself(status) => {
            let end = program::ended("the signer", *status);
            Err(Fault::new(FaultCode::Failed, format!("{end}{complaint}")))
        }
        End::TooLate => {
            let seconds = how.timeout.as_secs_f64();
            let words = format!(
                "the signer gave not every signature of the publication within {seconds} s{complaint}"
            );
            Err(Fault::new(FaultCode::Hangs, words))
        }
        End::TooMuch => Err(Fault::too_large()),
    }
}
