//! What a package provides, requires, conflicts with, and so on.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::check_length;
use super::text::{required_text, text_of};
use crate::head::Header;
use crate::package::is_primary_path;
use crate::tags::{self, Tag};
use crate::{Error, File, Relation};

/// Flags of a dependency.
const EQUAL: u64 = 1 << 3;
const PREREQ: u64 = 1 << 6;
const SCRIPT_PRE: u64 = 1 << 9;
const SCRIPT_POST: u64 = 1 << 10;
const MISSING_OK: u64 = 1 << 19;
const STRONG: u64 = 1 << 27;

/// The most dependencies of all kinds together.
const TOTAL_MAX: usize = 0xf_ffff;

/// The eight lists of metadata.
#[derive(Debug, Default)]
pub(super) struct Relations {
    pub(super) provides: Vec<Relation>,
    pub(super) requires: Vec<Relation>,
    pub(super) conflicts: Vec<Relation>,
    pub(super) obsoletes: Vec<Relation>,
    pub(super) suggests: Vec<Relation>,
    pub(super) enhances: Vec<Relation>,
    pub(super) recommends: Vec<Relation>,
    pub(super) supplements: Vec<Relation>,
}

/// Reads all lists; the requirements need the provides and the files.
pub(super) fn relations_of(header: &Header, source: bool, files: &[File]) -> Result<Relations, Error> {
    use tags::*;
    check_total(header)?;
    let list = |name, flags, version| rows_of(header, name, flags, version);
    let mut provides = list(PROVIDE_NAME, PROVIDE_FLAGS, PROVIDE_VERSION)?;
    if header.is_of_rpm_3 && !source {
        check_provides_of_old(header)?;
        provide_itself(header, &mut provides)?;
    }
    let mut relations = Relations {
        conflicts: relations_from(list(CONFLICT_NAME, CONFLICT_FLAGS, CONFLICT_VERSION)?),
        obsoletes: relations_from(list(OBSOLETE_NAME, OBSOLETE_FLAGS, OBSOLETE_VERSION)?),
        ..Relations::default()
    };
    let requires = list(REQUIRE_NAME, REQUIRE_FLAGS, REQUIRE_VERSION)?;
    sort_requires(requires, &provides, files, &mut relations);
    relations.provides = relations_from(provides);
    relations.suggests.extend(relations_from(list(SUGGEST_NAME, SUGGEST_FLAGS, SUGGEST_VERSION)?));
    relations.enhances.extend(relations_from(list(ENHANCE_NAME, ENHANCE_FLAGS, ENHANCE_VERSION)?));
    relations.recommends.extend(relations_from(list(RECOMMEND_NAME, RECOMMEND_FLAGS, RECOMMEND_VERSION)?));
    relations.supplements.extend(relations_from(list(
        SUPPLEMENT_NAME,
        SUPPLEMENT_FLAGS,
        SUPPLEMENT_VERSION,
    )?));
    // The weak dependencies of old: one list each, the strong ones of them marked.
    for row in list(OLD_SUGGESTS_NAME, OLD_SUGGESTS_FLAGS, OLD_SUGGESTS_VERSION)? {
        let strong = row.flags & STRONG != 0;
        let list = if strong { &mut relations.recommends } else { &mut relations.suggests };
        list.extend(row.relation());
    }
    for row in list(OLD_ENHANCES_NAME, OLD_ENHANCES_FLAGS, OLD_ENHANCES_VERSION)? {
        let strong = row.flags & STRONG != 0;
        let list = if strong { &mut relations.supplements } else { &mut relations.enhances };
        list.extend(row.relation());
    }
    Ok(relations)
}

/// Refuses provides of rpm 3 with flags and without versions, or the other way round: rpm adds what is missing behind
/// what is there, and what belongs together comes apart.
fn check_provides_of_old(header: &Header) -> Result<(), Error> {
    use tags::*;
    for (tag, other) in [(PROVIDE_FLAGS, PROVIDE_VERSION), (PROVIDE_VERSION, PROVIDE_FLAGS)] {
        if header.has(tag) && !header.has(other) {
            let why = format!("it is there without tag `{}` ({})", other.number, other.name);
            return Err(Error::Tag { tag: tag.number, name: tag.name, why });
        }
    }
    Ok(())
}

/// Adds what rpm adds when it reads a binary package of rpm 3: provides without versions count, and the
/// package provides itself, once more if it says so already.
fn provide_itself(header: &Header, provides: &mut Vec<Row>) -> Result<(), Error> {
    use tags::*;
    if !header.has(PROVIDE_VERSION) {
        let names = header.texts(PROVIDE_NAME).map(|name| text_of(PROVIDE_NAME, name));
        *provides = names
            .map(|name| Ok(Row { name: name?, flags: 0, version: String::new(), is_void: false }))
            .collect::<Result<_, Error>>()?;
    }
    let version = format!("{}-{}", required_text(header, VERSION)?, required_text(header, RELEASE)?);
    let version = match header.number(EPOCH) {
        None => version,
        Some(epoch) => format!("{epoch}:{version}"),
    };
    provides.push(Row { name: required_text(header, NAME)?, flags: EQUAL, version, is_void: false });
    Ok(())
}

/// Refuses a header whose lists together are longer than rpm lets one of them be: a list of a few
/// bytes for each dependency takes fifty times as many once it is read.
fn check_total(header: &Header) -> Result<(), Error> {
    use tags::*;
    let strong = [PROVIDE_NAME, REQUIRE_NAME, CONFLICT_NAME, OBSOLETE_NAME];
    let weak =
        [SUGGEST_NAME, ENHANCE_NAME, RECOMMEND_NAME, SUPPLEMENT_NAME, OLD_SUGGESTS_NAME, OLD_ENHANCES_NAME];
    let mut total = 0;
    for tag in strong.into_iter().chain(weak) {
        total += header.texts(tag).len();
        if total > TOTAL_MAX {
            let why = format!("with it the package has more than {TOTAL_MAX} dependencies");
            return Err(Error::Tag { tag: tag.number, name: tag.name, why });
        }
    }
    Ok(())
}

/// One dependency as the header has it.
#[derive(Debug)]
struct Row {
    name: String,
    flags: u64,
    version: String,
    /// Whether its epoch is no number because of bytes that the text no longer shows.
    is_void: bool,
}

fn rows_of(header: &Header, name: Tag, flags: Tag, version: Tag) -> Result<Vec<Row>, Error> {
    let names = header.texts(name);
    // Without all three there is no list: rpm of old knew provides without versions.
    if !header.has(flags) || !header.has(version) {
        return Ok(Vec::new());
    }
    let (numbers, versions) = (header.numbers(flags), header.texts(version));
    check_length(flags, numbers.len(), name, names.len())?;
    check_length(version, versions.len(), name, names.len())?;
    names
        .zip(numbers)
        .zip(versions)
        .map(|((text, flags), range)| {
            let is_void = std::str::from_utf8(range).is_err()
                && split_version(&String::from_utf8_lossy(range)).is_none();
            Ok(Row { name: text_of(name, text)?, flags, version: text_of(version, range)?, is_void })
        })
        .collect()
}

fn relations_from(rows: Vec<Row>) -> Vec<Relation> {
    rows.iter().filter_map(Row::relation).collect()
}

impl Row {
    fn comparison(&self) -> Option<&'static str> {
        match self.flags & 0xf {
            2 => Some("LT"),
            4 => Some("GT"),
            8 => Some("EQ"),
            10 => Some("LE"),
            12 => Some("GE"),
            _ => None,
        }
    }

    fn is_pre(&self) -> bool {
        self.flags & (PREREQ | SCRIPT_PRE | SCRIPT_POST) != 0
    }

    /// Splits the version; `None` if there is no name, or an epoch that is no number.
    fn relation(&self) -> Option<Relation> {
        let (epoch, version, release) = split_version(&self.version)?;
        let flags = self.comparison();
        let (epoch, version, release) =
            if flags.is_some() { (epoch, version, release) } else { (None, None, None) };
        let relation = Relation { name: self.name.clone(), flags, epoch, version, release, pre: false };
        (!relation.name.is_empty() && !self.is_void).then_some(relation)
    }
}

type Parts = (Option<String>, Option<String>, Option<String>);

/// Splits `epoch:version-release`; the outer `None` is an epoch that is no number.
fn split_version(text: &str) -> Option<Parts> {
    if text.is_empty() {
        return Some((None, None, None));
    }
    let (epoch, rest) = match text.split_once(':') {
        None => ("0", text),
        Some(("", rest)) => ("0", rest),
        Some((epoch, rest)) => (epoch, rest),
    };
    let digits = epoch.trim_ascii_start();
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
    let filled = |part: &str| (!part.is_empty()).then(|| part.to_owned());
    Some((filled(epoch), filled(version), filled(release)))
}

/// Sorts requirements into those that are kept, those that are recommendations, and those that go
/// without saying.
fn sort_requires(rows: Vec<Row>, provides: &[Row], files: &[File], relations: &mut Relations) {
    let provided: BTreeSet<_> =
        provides.iter().map(|row| (&row.name, row.comparison(), &row.version)).collect();
    // Few packages require a file at all.
    let own: LazyCell<BTreeSet<&str>, _> =
        LazyCell::new(|| files.iter().map(|file| file.path.as_str()).collect());
    let mut last_kept: BTreeMap<&str, (Option<&str>, &str, bool)> = BTreeMap::new();
    let mut libc: Option<Relation> = None;
    for row in &rows {
        let name = row.name.as_str();
        let own_file = name.starts_with('/') && is_primary_path(name) && own.contains(name);
        if name.starts_with("rpmlib(")
            || own_file
            || provided.contains(&(&row.name, row.comparison(), &row.version))
        {
            continue;
        }
        let seen = (row.comparison(), row.version.as_str(), row.is_pre());
        if last_kept.get(name) == Some(&seen) {
            continue;
        }
        let Some(relation) = row.relation() else { continue };
        if row.flags & MISSING_OK != 0 {
            relations.recommends.push(relation);
            continue;
        }
        let relation = Relation { pre: row.is_pre(), ..relation };
        if name.starts_with("libc.so.6") {
            if libc.as_ref().is_none_or(|highest| is_higher(&relation.name, &highest.name)) {
                libc = Some(relation);
            }
            continue;
        }
        relations.requires.push(relation);
        last_kept.insert(name, seen);
    }
    relations.requires.extend(libc);
}

/// Says whether `libc.so.6(GLIBC_2.4)` demands more than another such name.
///
/// A name without parentheses demands least, then come empty ones, then `(GLIBC_PRIVATE)`, then all
/// with a version, in rpm's order.
fn is_higher(name: &str, than: &str) -> bool {
    let (name, than) = (symbol_version(name), symbol_version(than));
    match (name, than) {
        (Symbol::Version(name), Symbol::Version(than)) => bare(name).rpm_cmp(&bare(than)).is_gt(),
        _ => name.rank() > than.rank(),
    }
}

/// What a library's name has in its first parentheses.
#[derive(Clone, Copy, Debug)]
enum Symbol<'a> {
    None,
    Open,
    Empty,
    NoVersion,
    /// What stands from the first digit on.
    Version(&'a str),
}

impl Symbol<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Open => 1,
            Self::Empty => 2,
            Self::NoVersion => 3,
            Self::Version(_) => 4,
        }
    }
}

/// Finds `2.4` in `libc.so.6(GLIBC_2.4)(64bit)`.
fn symbol_version(name: &str) -> Symbol<'_> {
    let Some((_, rest)) = name.split_once('(') else { return Symbol::None };
    let Some((inside, _)) = rest.split_once(')') else { return Symbol::Open };
    match inside.find(|c: char| c.is_ascii_digit()) {
        Some(start) => Symbol::Version(&inside[start..]),
        None if inside.is_empty() => Symbol::Empty,
        None => Symbol::NoVersion,
    }
}

fn bare(version: &str) -> nevra::Evr {
    nevra::Evr { epoch: 0, version: version.into(), release: String::new() }
}

#[cfg(test)]
mod tests;
