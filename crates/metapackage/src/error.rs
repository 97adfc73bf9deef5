//! Why a meta-package cannot be rebuilt.

use nevra::Evr;
use thiserror::Error;

/// Says why a meta-package cannot be rebuilt as asked.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// The package is broken, or of a kind that cannot be edited faithfully.
    #[error(transparent)]
    Header(#[from] repo::Error),
    /// A pin was to change or to go that is not there.
    #[error("failed to find a pin of `{name}` in the meta-package")]
    NotPinned {
        /// The component.
        name: String,
    },
    /// A rich dependency speaks of a component whose pin was to change.
    #[error(
        "failed to change the pin of `{name}`: the meta-package requires `{dependency}`, a rich dependency"
    )]
    Rich {
        /// The component.
        name: String,
        /// The whole dependency.
        dependency: String,
    },
    /// A requirement that is no pin does not admit the version that was asked for.
    #[error("failed to pin `{name}` to `{version}`: the meta-package also requires `{dependency}`")]
    Excluded {
        /// The component.
        name: String,
        /// The version that was asked for.
        version: Evr,
        /// The requirement.
        dependency: String,
    },
    /// The package brings files that are no documentation.
    #[error("failed to take the package for a meta-package: it brings files that are no documentation")]
    Files,
    /// A text cannot stand in an RPM.
    #[error("failed to take `{text}` for the {what}: {why}", text = text.escape_debug())]
    Text {
        /// `release`, `author of the change`, `text of the change`.
        what: &'static str,
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
}
