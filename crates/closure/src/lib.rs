//! Can this set of packages be installed, and if not, why not.
//!
//! ```text
//! Shelf (target) --+                                     best choices ---- works out --> can be installed
//! Shelf (context) -+-> World --> clauses of a package --<
//! what enters -----+      |      requires, conflicts,    \-- resolvo --+-- a set, checked --> can
//!                         |      obsoletes, rich ...                   +-- none --> reasons --> words
//!                     minus what leaves
//! ```
//!
//! A [`Shelf`] is one repository, indexed once. A [`Change`] names the target as it is, what enters and
//! what leaves it, and the context that hosts draw from beside it; [`judge`] says what the change breaks. The
//! rules are those of rpm and of dnf's solver; the arithmetic is resolvo's, and what it finds is checked
//! against what the packages state before it is believed.
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::sync::Arc;
//!
//! use closure::{Change, Package, Shelf, judge};
//! use nevra::Arch;
//!
//! let package = |nevra: &str, requires: &[&str]| -> Result<Package, nevra::ParseError> {
//!     let requires = requires.iter().map(|one| one.parse()).collect::<Result<_, _>>()?;
//!     Ok(Package { requires, ..Package::new(nevra.parse()?) })
//! };
//! let production = Shelf::new("production", vec![package("voms-1.9.10-1.x86_64", &[])?]);
//! let delta = Shelf::new("delta", vec![package("voms-1.9.14-1.x86_64", &[])?]);
//!
//! // A meta-package is promoted, and what it pins is left behind.
//! let change = Change {
//!     platform: Arch::new("x86_64"),
//!     target: Arc::new(production),
//!     leave: BTreeSet::new(),
//!     enter: vec![package("glite-UI-3.2.7-1.noarch", &["voms = 1.9.14-1"])?],
//!     context: vec![],
//!     beside: vec![],
//!     elsewhere: vec![Arc::new(delta)],
//!     meta_packages: BTreeSet::from(["glite-UI-3.2.7-1.noarch".parse()?]),
//!     install_only: BTreeSet::new(),
//!     goes_back: false,
//! };
//! let judgement = judge(&change);
//! assert_eq!(
//!     judgement.broken[0].words,
//!     "glite-UI 3.2.7-1 needs voms = 1.9.14-1; production has 1.9.10-1; 1.9.14-1 stays in delta"
//! );
//! # Ok::<(), nevra::ParseError>(())
//! ```

mod change;
mod clash;
mod clause;
mod headers;
mod host;
mod installing;
mod judgement;
mod package;
mod paths;
mod proof;
mod reach;
mod reasons;
mod rich;
mod shelf;
mod solver;
mod statement;
mod unjudged;
mod upgrade;
mod view;
mod words;
mod work;
mod world;

pub use change::{Beside, Change};
pub use headers::{Bringer, Look, Looked, Origin};
pub use host::upgrade;
pub use judgement::{Check, Finding, Judgement, judge, judge_with};
pub use package::{Contents, File, FileKind, Package};
pub use paths::{Gathered, Paths};
pub use rich::{Rich, RichError};
pub use shelf::Shelf;
pub use unjudged::Unjudged;
pub use view::view;
