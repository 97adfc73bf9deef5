//! Why a question has no answer.

use thiserror::Error;

use crate::rich::RichError;

/// Why it could not be judged whether something can be installed; whoever asked must take it for a no.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unjudged {
    /// A rich dependency cannot be read.
    #[error("`{subject}`: {error}")]
    Rich {
        /// The package that has it.
        subject: String,
        /// What is wrong with it.
        error: RichError,
    },
    /// A rich dependency unfolds to more alternatives than anybody needs.
    #[error("`{subject}` has a rich dependency with too many alternatives: `{text}`")]
    Unfolds {
        /// The package that has it.
        subject: String,
        /// The beginning of the dependency.
        text: String,
    },
    /// Answering would take too long.
    #[error("what it needs branches too far: no answer within the bound of work")]
    TooMuch,
    /// The solver and the check of its answers disagree; a bug.
    #[error("the solver's answer does not hold; this is a bug in Sluice")]
    Unsound,
}
