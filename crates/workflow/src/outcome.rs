//! How a test of a new version went.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::shown;

/// Says how a team fared with what it was asked to run (G8, R7, E9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was found.
    Success,
    /// Something was found that one can live with.
    Warning,
    /// It must not go on.
    Fail,
}

/// Says that a text is no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no outcome, which is `Success`, `Warning` or `Fail`")]
pub struct NotAnOutcome(String);

impl Outcome {
    /// All of them, the best first.
    pub const ALL: [Outcome; 3] = [Outcome::Success, Outcome::Warning, Outcome::Fail];
}

impl FromStr for Outcome {
    type Err = NotAnOutcome;

    fn from_str(text: &str) -> Result<Outcome, NotAnOutcome> {
        let meant = Outcome::ALL.into_iter().find(|one| one.to_string().eq_ignore_ascii_case(text));
        meant.ok_or_else(|| NotAnOutcome(shown(text)))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Success => "Success",
            Outcome::Warning => "Warning",
            Outcome::Fail => "Fail",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_in_any_case_and_stored_in_one() {
        for (text, outcome, stored) in [
            ("Success", Outcome::Success, "\"success\""),
            ("WARNING", Outcome::Warning, "\"warning\""),
            ("fail", Outcome::Fail, "\"fail\""),
        ] {
            assert_eq!(text.parse(), Ok(outcome));
            assert_eq!(outcome.to_string().parse(), Ok(outcome));
            assert_eq!(serde_json::to_string(&outcome).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Outcome>(stored).unwrap(), outcome);
        }
        for bad in ["", "failed", " fail", "ok", "fail\u{1b}[2J", "F\u{c5}il"] {
            let said = bad.parse::<Outcome>().unwrap_err().to_string();
            assert!(!said.chars().any(char::is_control), "{said}");
        }
    }
}
