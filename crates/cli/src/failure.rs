//! Why a command ends without doing what was asked, and with which exit code.

use std::io::{self, ErrorKind};

use camino::Utf8Path;
use serde::Serialize;

/// What is printed as `error:` and `hint:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The exit code.
    pub exit: u8,
    /// What is wrong, lower case, no full stop.
    #[serde(rename = "error")]
    pub sentence: String,
    /// Particulars, one a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    /// The program or the machine failed.
    pub fn internal(sentence: impl Into<String>) -> Failure {
        Failure { exit: 1, sentence: sentence.into(), reasons: Vec::new(), hint: None }
    }

    /// The command line or the configuration is wrong.
    pub fn usage(sentence: impl Into<String>) -> Failure {
        Failure { exit: 2, ..Failure::internal(sentence) }
    }

    /// What was asked for is not there.
    pub fn not_found(sentence: impl Into<String>) -> Failure {
        Failure { exit: 5, ..Failure::internal(sentence) }
    }

    /// Something could not be done with a file: no room is a matter of time, what may not be touched one of the caller.
    pub fn of_file(operation: &str, path: &Utf8Path, error: &io::Error) -> Failure {
        let failure = Failure::internal(format!("failed to {operation} `{path}`: {error}"));
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Failure { exit: 75, ..failure },
            ErrorKind::PermissionDenied => Failure { exit: 2, ..failure },
            _ => failure,
        }
    }

    /// Adds what to do about it.
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }
}

/// Says what could not be done with a file, for `map_err`.
pub fn failed(operation: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |error| Failure::of_file(operation, &path, &error)
}

impl From<daemon::error::Error> for Failure {
    fn from(error: daemon::error::Error) -> Failure {
        use daemon::error::Error;
        if let Error::Ground { unfit } = &error {
            return Failure::of_ground(error.exit(), unfit);
        }
        let hint = match &error {
            Error::Store(store::Error::Locked { .. }) => Some(
                "another `sluice daemon` works there; requests need no lock: use `sluice submit` and the others",
            ),
            Error::NothingToResume { .. } => {
                Some("is the backup complete, and `root` right? `sluice init` begins a new site")
            }
            Error::Damaged { .. } => Some(
                "restore what is named from the same backup or an older one and run `sluice init --resume` again; what \
                 is published stays as it is",
            ),
            Error::DoorFull { code: "door-requests", .. } => {
                Some("wait for the answers to those that were handed in, and hand it in again")
            }
            Error::DoorFull { .. } => Some(
                "hand in the requests that take the files, and send it again; what no request takes goes after a \
                 while",
            ),
            Error::TooEarly { .. } => Some("is the clock right? try again in a moment"),
            Error::Store(store::Error::NoGeneration { .. }) => Some("`sluice history` lists the generations"),
            Error::ReadConfig { .. } => Some(
                "name the configuration with `-c FILE` or SLUICE_CONFIG; `deploy/sluice.toml` is a commented one, \
                 and `sluice demo` needs none",
            ),
            _ => None,
        };
        let reasons = match &error {
            Error::Store(store::Error::Locked { root }) => crate::lock_holder::seen(root)
                .map(|process| format!("process {process} holds it"))
                .into_iter()
                .collect(),
            Error::Damaged { violations, .. } => violations.iter().map(broken).collect(),
            _ => Vec::new(),
        };
        let failure = Failure { reasons, exit: error.exit(), ..Failure::internal(error.to_string()) };
        Failure { hint: hint.map(str::to_owned), ..failure }
    }
}

/// Names the invariant, the place and what is wrong there.
fn broken(violation: &daemon::verify::Violation) -> String {
    format!("{} {}: {}", violation.invariant, violation.place, violation.words)
}

impl Failure {
    /// The site stands where it cannot.
    fn of_ground(exit: u8, unfit: &[daemon::ground::Unfit]) -> Failure {
        let sentence = |unfit: &daemon::ground::Unfit| format!("{} ({})", unfit.reason, unfit.code);
        let first = unfit.first().map_or_else(String::new, sentence);
        let hints: Vec<_> = unfit.iter().map(|unfit| unfit.hint.as_str()).collect();
        let failure = Failure { exit, ..Failure::internal(first) };
        Failure { reasons: unfit.iter().skip(1).map(sentence).collect(), ..failure }.hint(hints.join("; "))
    }

    /// What went wrong on the requester's side of the control directory: a matter of usage, mostly.
    pub fn of_submitting(error: daemon::error::Error) -> Failure {
        let kind = match &error {
            daemon::error::Error::File { cause, .. } => Some(cause.kind()),
            _ => None,
        };
        let failure = Failure::from(error);
        let failure = if failure.exit == 1 { Failure { exit: 2, ..failure } } else { failure };
        match kind {
            Some(ErrorKind::PermissionDenied) => failure
                .hint("whoever may ask is in the group of the control directory (see `id` and `ls -l`)"),
            Some(ErrorKind::NotFound) => {
                failure.hint("is the path right? `sluice init` makes the control directory")
            }
            _ => failure,
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Failure {
        daemon::error::Error::from(error).into()
    }
}

impl From<plan::Refusal> for Failure {
    fn from(refusal: plan::Refusal) -> Failure {
        Failure {
            exit: refusal.code.exit(),
            sentence: refusal.to_string(),
            reasons: refusal.reasons,
            hint: refusal.hint,
        }
    }
}
