//! The requirements of a meta-package that name a version.

use std::fmt;

use nevra::{Evr, Sense};
use repo::Head;

use crate::RebuildError;
use crate::requirements::{REQUIRES, Row, rows_of};
use crate::version::Written;

/// How a pin holds a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// `=`: this version and no other.
    Equal,
    /// `>=`: this version or a later one.
    AtLeast,
}

impl Relation {
    pub(crate) fn sense(self) -> Sense {
        match self {
            Self::Equal => Sense::Equal,
            Self::AtLeast => Sense::GreaterEqual,
        }
    }
}

/// One requirement that names a version of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its place among all requirements of the header, counted from 0.
    pub at: usize,
    /// The component, without a word size: `voms`.
    pub name: String,
    /// The word size, if it names one: `x86-64` of `voms(x86-64)`.
    pub isa: Option<String>,
    /// How it holds the component.
    pub relation: Relation,
    /// The version as it is written: `[epoch:]version[-release]`. Without a release it stands for any.
    pub version: String,
}

impl Pin {
    /// Says whether this version of the component meets the requirement, as rpm compares.
    ///
    /// ```
    /// let rpm = repo::Recipe::new("meta", "1", "1").requires("voms = 2.0").build();
    /// let pins = metapackage::pins_of(&repo::read_head(&mut rpm.as_slice())?)?;
    /// assert!(pins[0].is_of(&"2.0-7.el9".parse()?));
    /// assert!(!pins[0].is_of(&"1:2.0-7.el9".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_of(&self, evr: &Evr) -> bool {
        Written::read(&self.version).is_some_and(|written| written.admits(self.relation.sense(), evr))
    }

    /// Reads a requirement as a pin, if it is one.
    pub(crate) fn of(at: usize, row: &Row) -> Option<Self> {
        let relation = match row.sense()? {
            Sense::Equal => Relation::Equal,
            Sense::GreaterEqual => Relation::AtLeast,
            _ => return None,
        };
        if row.is_rich() || row.is_technical() {
            return None;
        }
        row.written()?;
        let (name, isa) = row.component();
        let (name, isa) = (name.to_owned(), isa.map(str::to_owned));
        Some(Self { at, name, isa, relation, version: row.version.clone() })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(isa) = &self.isa {
            write!(f, "({isa})")?;
        }
        write!(f, " {} {}", self.relation.sense().as_str(), self.version)
    }
}

/// Lists the pins of a package in the order of its header.
///
/// What rpm needs itself, what scriptlets run, files, and rich dependencies are none.
///
/// # Errors
///
/// The requirements are not equally many names, flags and versions, or one of their texts is not UTF-8.
pub fn pins_of(head: &Head) -> Result<Vec<Pin>, RebuildError> {
    let rows = rows_of(head, REQUIRES)?;
    Ok(rows.iter().enumerate().filter_map(|(at, row)| Pin::of(at, row)).collect())
}
