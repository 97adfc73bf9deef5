//! The requirements of a package, row by row as its header holds them.

use nevra::{Dependency, Sense};
use repo::{Field, Head};

use crate::RebuildError;
use crate::version::Written;

const LESS: u32 = 1 << 1;
const GREATER: u32 = 1 << 2;
const EQUAL: u32 = 1 << 3;
/// The program that runs a scriptlet.
const INTERPRETER: u32 = 1 << 8;
/// A feature that rpm itself needs.
const RPMLIB: u32 = 1 << 24;

/// One requirement or provide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) flags: u32,
    pub(crate) version: String,
}

/// The three tags of a list of dependencies.
pub(crate) type Triple = [Field; 3];
pub(crate) const REQUIRES: Triple = [Field::RequireNames, Field::RequireFlags, Field::RequireVersions];
pub(crate) const PROVIDES: Triple = [Field::ProvideNames, Field::ProvideFlags, Field::ProvideVersions];

/// Reads a list whose three tags must be equally long.
pub(crate) fn rows_of(head: &Head, [names, flags, versions]: Triple) -> Result<Vec<Row>, RebuildError> {
    let (names, flags, versions) = (head.texts_of(names)?, head.numbers_of(flags), head.texts_of(versions)?);
    if flags.len() != names.len() || versions.len() != names.len() {
        let counts = format!("{} names, {} flags and {} versions", names.len(), flags.len(), versions.len());
        let why = format!("its list of dependencies has {counts}");
        return Err(repo::Error::Edit { part: "header", why }.into());
    }
    let rows = names.into_iter().zip(flags).zip(versions);
    Ok(rows
        .map(|((name, flags), version)| Row { name: name.into(), flags, version: version.into() })
        .collect())
}

impl Row {
    /// Gives the comparison of a requirement, if it has one.
    pub(crate) fn sense(&self) -> Option<Sense> {
        Some(match self.flags & (LESS | GREATER | EQUAL) {
            LESS => Sense::Less,
            GREATER => Sense::Greater,
            EQUAL => Sense::Equal,
            flags if flags == LESS | EQUAL => Sense::LessEqual,
            flags if flags == GREATER | EQUAL => Sense::GreaterEqual,
            _ => return None,
        })
    }

    /// Says whether the requirement is one that no person asked for.
    pub(crate) fn is_technical(&self) -> bool {
        self.flags & (INTERPRETER | RPMLIB) != 0 || is_technical(&self.name)
    }

    /// Says whether it is an expression, as `(a or b)`.
    pub(crate) fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }

    /// Says whether a rich dependency has a word that is this name.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        let mut words = self.name.split(|c: char| c.is_whitespace() || "()".contains(c));
        words.any(|word| word == name) || (name.contains(['(', ')']) && self.name.contains(name))
    }

    /// Says whether it requires this component in any way.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        !self.is_rich() && !self.is_technical() && component(&self.name).0 == name
    }

    pub(crate) fn written(&self) -> Option<Written<'_>> {
        Written::read(&self.version)
    }

    /// Reads the row as a dependency that a person asked for; `None` where rpm needs it itself, or would find no version.
    pub(crate) fn dependency(&self) -> Option<Dependency> {
        if self.is_technical() {
            return None;
        }
        let bound = match self.sense() {
            Some(sense) if !self.is_rich() => Some(self.written()?.bound(sense)),
            _ => None,
        };
        Some(Dependency { name: self.name.clone(), bound })
    }
}

/// Says whether what bears this name is one of rpm's own, or a file.
pub(crate) fn is_technical(name: &str) -> bool {
    name.starts_with("rpmlib(") || name.starts_with("config(") || name.starts_with('/')
}

/// Splits `voms(x86-64)` into the name and what rpm appends for a word size.
pub(crate) fn component(name: &str) -> (&str, Option<&str>) {
    let split = name.strip_suffix(')').and_then(|name| name.rsplit_once('('));
    match split {
        Some((name, isa)) if !name.is_empty() && is_isa(isa) => (name, Some(isa)),
        _ => (name, None),
    }
}

/// Says whether a text is a name of a processor's word size: `x86-64`, `armv7hl-32`.
fn is_isa(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(family, bits)| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !family.is_empty() && family.bytes().all(plain) && matches!(bits, "32" | "64")
    })
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.sense() {
            Some(sense) => write!(f, "{} {} {}", self.name, sense.as_str(), self.version),
            None => f.write_str(&self.name),
        }
    }
}
