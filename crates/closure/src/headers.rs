//! What the headers of packages say of files: looked up only of packages that share a path.

use nevra::Nevra;

use crate::package::Contents;

/// The shelf of a [`crate::Change`] that a package lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The target, as it is.
    Target,
    /// What enters it.
    Enters,
    /// The context of that number.
    Context(usize),
    /// The stage beside the target of that number, as it is.
    Beside(usize),
    /// What enters there.
    EntersBeside(usize),
}

/// A package of a [`crate::Change`], by where it lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bringer {
    /// The shelf.
    pub origin: Origin,
    /// Its place there.
    pub at: usize,
    /// Its full name.
    pub nevra: Nevra,
}

/// What is known of a path of a package beyond what metadata tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// What its header says.
    Contents(Contents),
    /// It cannot be told, and why.
    Unknown(String),
    /// Nobody looked yet.
    NotYet,
}

/// Looks up what the header of a package says of a path.
pub type Look<'a> = dyn Fn(&Bringer, &str) -> Looked + 'a;
