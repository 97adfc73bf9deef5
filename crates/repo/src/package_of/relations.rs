//! What a package provides, requires, conflicts with, and so on.

use std::collections::{BTreeMap, BTreeSet};

use super::check_length;
use super::text::text_of;
use crate::head::Header;
use crate::package::is_primary_path;
use crate::tags::{self, Tag};
use crate::{Error, File, Relation};

/// Flags of a dependency beyond its comparison.
const PREREQ: u64 = 1 << 6;
const SCRIPT_PRE: u64 = 1 << 9;
const SCRIPT_POST: u64 = 1 << 10;
const MISSING_OK: u64 = 1 << 19;
const STRONG: u64 = 1 << 27;

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
pub(super) fn relations_of(header: &Header, files: &[File]) -> Result<Relations, Error> {
    use tags::*;
    let list = |name, flags, version| rows_of(header, name, flags, version);
    let provides = list(PROVIDE_NAME, PROVIDE_FLAGS, PROVIDE_VERSION)?;
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

/// One dependency as the header has it.
#[derive(Debug)]
struct Row {
    name: String,
    flags: u64,
    version: String,
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
            Ok(Row { name: text_of(name, text)?, flags, version: text_of(version, range)? })
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
        (!relation.name.is_empty()).then_some(relation)
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
    let own: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
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

/// Says whether `libc.so.6(GLIBC_2.4)` demands more than another such name; without a version it
/// demands less than with any.
fn is_higher(name: &str, than: &str) -> bool {
    match (library_version(name), library_version(than)) {
        (Some(version), Some(than)) => bare(version).rpm_cmp(&bare(than)).is_gt(),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Finds `2.4` in `libc.so.6(GLIBC_2.4)(64bit)`: from the first digit to the end of the first
/// parentheses.
fn library_version(name: &str) -> Option<&str> {
    let (inside, _) = name.split_once('(')?.1.split_once(')')?;
    inside.find(|c: char| c.is_ascii_digit()).map(|start| &inside[start..])
}

fn bare(version: &str) -> nevra::Evr {
    nevra::Evr { epoch: 0, version: version.into(), release: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, flags: u64, version: &str) -> Row {
        Row { name: name.into(), flags, version: version.into() }
    }

    fn check(requires: &[Row], provides: &[Row], files: &[&str], expected: &[&str]) {
        let files: Vec<File> =
            files.iter().map(|path| File { path: (*path).into(), kind: crate::FileKind::File }).collect();
        let mut relations = Relations::default();
        let requires = requires.iter().map(|r| row(&r.name, r.flags, &r.version)).collect();
        sort_requires(requires, provides, &files, &mut relations);
        let shown: Vec<String> = relations
            .requires
            .iter()
            .map(|r| format!("{}{}", if r.pre { "pre " } else { "" }, r.dependency()))
            .chain(relations.recommends.iter().map(|r| format!("maybe {}", r.dependency())))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_rpm_or_the_package_itself_meets_is_left_out() {
        let requires = [
            row("rpmlib(PayloadFilesHavePrefix)", 8, "4.0-1"),
            row("/usr/bin/own", 0, ""),
            row("/usr/share/own", 0, ""),
            row("/bin/sh", 0, ""),
            row("self", 8, "1-1"),
            row("self", 12, "1-1"),
        ];
        let expected = ["/usr/share/own", "/bin/sh", "self >= 0:1-1"];
        check(&requires, &[row("self", 8, "1-1")], &["/usr/bin/own", "/usr/share/own"], &expected);
    }

    #[test]
    fn only_a_repeat_of_the_last_kept_is_dropped() {
        let requires = [
            row("a", 8, "1"),
            row("a", 8, "1"),
            row("a", 12, "1"),
            row("a", 8, "1"),
            row("a", 8 | PREREQ, "1"),
        ];
        check(&requires, &[], &[], &["a = 0:1", "a >= 0:1", "a = 0:1", "pre a = 0:1"]);
    }

    #[test]
    fn only_three_flags_make_a_requirement_come_first() {
        let flags = [PREREQ, SCRIPT_PRE, SCRIPT_POST, 1 << 11, 1 << 12, 1 << 7, 1 << 5];
        let requires: Vec<Row> =
            flags.iter().enumerate().map(|(n, flags)| row(&format!("r{n}"), *flags, "")).collect();
        check(&requires, &[], &[], &["pre r0", "pre r1", "pre r2", "r3", "r4", "r5", "r6"]);
    }

    #[test]
    fn what_may_be_missing_is_recommended() {
        check(&[row("a", MISSING_OK | PREREQ, ""), row("b", 0, "")], &[], &[], &["b", "maybe a"]);
    }

    #[test]
    fn of_libc_only_the_highest_stays_and_stands_last() {
        let requires = [
            row("libc.so.6()(64bit)", 0, ""),
            row("libc.so.6(GLIBC_2.4)(64bit)", 0, ""),
            row("libc.so.6(GLIBC_2.14)(64bit)", 0, ""),
            row("libc.so.6(GLIBC_2.2.5)(64bit)", 0, ""),
            row("libm.so.6()(64bit)", 0, ""),
        ];
        check(&requires, &[], &[], &["libm.so.6()(64bit)", "libc.so.6(GLIBC_2.14)(64bit)"]);
        check(&requires[..1], &[], &[], &["libc.so.6()(64bit)"]);
        check(&[row("libc.so.6", 0, ""), row("libc.so.6", 0, "")], &[], &[], &["libc.so.6"]);
    }

    #[test]
    fn versions_are_split_as_createrepo_does() {
        let check = |text: &str, expected: Option<[&str; 3]>| {
            let parts = split_version(text).map(|(e, v, r)| [e, v, r].map(Option::unwrap_or_default));
            assert_eq!(parts, expected.map(|parts| parts.map(str::to_owned)), "{text}");
        };
        check("", Some(["", "", ""]));
        check("1", Some(["0", "1", ""]));
        check("1-2", Some(["0", "1", "2"]));
        check("3:1-2-4", Some(["3", "1", "2-4"]));
        check(":1-", Some(["0", "1", ""]));
        check("%{epoch}:1-2", None);
        check("a:1", None);
    }
}
