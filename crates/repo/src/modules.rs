//! `modules.yaml`: module streams with their packages, and what is said of modules beside them; each document cut out as it
//! stood.

mod cut;
mod reading;

use std::ops::Range;

use nevra::Nevra;

use crate::error::Error;

/// The documents of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// In the order of the file.
    pub documents: Vec<Module>,
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// What it is: `modulemd`, `modulemd-defaults`, `modulemd-obsoletes`, `modulemd-translations`, or what nobody has heard of.
    pub kind: String,
    /// The module that it is about; may be empty.
    pub module: String,
    /// What makes it another one than others of its kind: `name:stream:version:context:arch` of a stream, the module of
    /// defaults, module, stream and context of others.
    pub id: String,
    /// When it was modified last, where it says so.
    pub modified: u64,
    /// The document with its first line, `---`, as it stood.
    pub raw: Vec<u8>,
    artifacts: Vec<Artifact>,
}

/// A package of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Artifact {
    /// Where in `raw` its name stands, with its quotes.
    name: Range<usize>,
    /// Where in `raw` its line stands, if it has one; in a list between brackets it has none.
    line: Option<Range<usize>>,
    /// `None` for what is no full name of a package.
    nevra: Option<Nevra>,
}

impl Modules {
    /// Cuts a file, uncompressed, into its documents.
    ///
    /// ```
    /// let file = b"---\ndocument: modulemd\nversion: 2\ndata:\n  name: perl\n  stream: \"5\"\n  version: 1\n  context: c\n  \
    ///     arch: x86_64\n  artifacts:\n    rpms:\n    - perl-0:5-1.x86_64\n";
    /// let read = repo::Modules::parse(file)?;
    /// assert_eq!(read.documents[0].id, "perl:5:1:c:x86_64");
    /// assert_eq!(read.write(), file);
    /// # Ok::<(), repo::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Modules`] for what is no YAML, or more of it than any repository has: aliases, directives, deep
    /// nesting, too many documents or of one id; and packages that stand where they cannot be cut out: with an anchor, a tag, in
    /// several lines, or listed twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        reading::documents(bytes).map(|documents| Self { documents })
    }

    /// Writes the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        self.documents.iter().flat_map(|document| &document.raw).copied().collect()
    }
}

impl Module {
    /// Whether it is a stream, which has packages.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.kind == STREAM
    }

    /// Lists its packages in the order of the file, as far as they are full names.
    pub fn packages(&self) -> impl Iterator<Item = &Nevra> {
        self.artifacts.iter().filter_map(|artifact| artifact.nevra.as_ref())
    }
}

/// The kind of document that a stream is.
const STREAM: &str = "modulemd";

#[cfg(test)]
mod tests;
