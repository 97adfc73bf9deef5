//! A meta-package with other pins.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Evr, Sense};
use repo::{Edit, Field, Head, Values};

use crate::RebuildError;
use crate::requirements::{PROVIDES, REQUIRES, Row, Triple, rows_of};
use crate::substance::{Substance, substance_of};

const DAY: u32 = 24 * 60 * 60;

/// What shall be different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// The new release; `None` keeps the old one.
    pub release: Option<String>,
    /// When it is rebuilt, in seconds since 1970.
    pub build_time: u32,
    /// For each component the version that its pins must admit.
    pub pins: BTreeMap<String, Evr>,
    /// The components that are no longer required.
    pub without: BTreeSet<String>,
    /// What the changelog says of it; `None` adds nothing.
    pub change: Option<Change>,
    /// Whether the package may bring files that are no documentation.
    pub files_allowed: bool,
}

/// An entry of a changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who made it: `Ann <ann@example.org>`.
    pub who: String,
    /// What was changed; may have several lines.
    pub text: String,
}

/// Makes a package with other pins; `payload` is what follows its head, and is copied.
///
/// An equal pin gets the version in the form it had: without a release it stays so. A pin from below stays if it
/// admits the version, and is lowered to it if not. All requirements of a component in `without` go. If the
/// release changes, so do the provides that carried the version of the package itself, and what both sides say of
/// its own configuration. The change goes on top of the changelog, with the new version, dated noon of the day.
/// Every other value of the header stays, in its place. Signatures are dropped, and digests made anew.
///
/// Nothing is done about `rpmlib(TildeInVersions)`, the like of which rpmbuild would add for a first `~`: every
/// rpm since 4.10 has it.
///
/// # Errors
///
/// See [`RebuildError`].
pub fn rebuilt(head: &Head, payload: &[u8], rebuild: &Rebuild) -> Result<Vec<u8>, RebuildError> {
    if !rebuild.files_allowed && substance_of(head) == Substance::Files {
        return Err(RebuildError::Files);
    }
    let nevra = head.nevra()?;
    let (old, mut new) = (nevra.evr.clone(), nevra.evr);
    let mut edit = Edit::from([(Field::BuildTime, Values::Numbers(vec![rebuild.build_time]))]);
    let mut requires = repinned(rows_of(head, REQUIRES)?, rebuild)?;
    let mut touched = !rebuild.pins.is_empty() || !rebuild.without.is_empty();
    if let Some(release) = rebuild.release.as_ref().filter(|release| **release != old.release) {
        check_release(release)?;
        new.release.clone_from(release);
        edit.insert(Field::Release, Values::Texts(vec![release.clone()]));
        let mut provides = rows_of(head, PROVIDES)?;
        if raise(provides.iter_mut(), &old, &new) {
            put(&mut edit, PROVIDES, provides);
        }
        let configuration = format!("config({})", nevra.name);
        let own = requires.iter_mut().filter(|row| row.name == configuration);
        touched |= raise(own, &old, &new);
    }
    if touched {
        put(&mut edit, REQUIRES, requires);
    }
    if let Some(change) = &rebuild.change {
        add(change, head, &new, rebuild.build_time, &mut edit)?;
    }
    Ok(head.edited(&edit, payload)?)
}

/// Changes and removes requirements as asked, each in its place.
fn repinned(mut rows: Vec<Row>, rebuild: &Rebuild) -> Result<Vec<Row>, RebuildError> {
    for name in rebuild.without.iter().chain(rebuild.pins.keys()) {
        if let Some(rich) = rows.iter().find(|row| row.is_rich() && row.mentions(name)) {
            return Err(RebuildError::Rich { name: name.clone(), dependency: rich.name.clone() });
        }
    }
    for name in &rebuild.without {
        let before = rows.len();
        rows.retain(|row| !row.is_about(name));
        if rows.len() == before {
            return Err(RebuildError::NotPinned { name: name.clone() });
        }
    }
    for (name, evr) in &rebuild.pins {
        let mut is_pinned = false;
        for row in rows.iter_mut().filter(|row| row.is_about(name)) {
            match (row.sense(), row.written().is_some()) {
                (Some(sense @ (Sense::Equal | Sense::GreaterEqual)), true) => {
                    is_pinned = true;
                    repin(row, sense, evr);
                }
                _ => check_admits(row, name, evr)?,
            }
        }
        if !is_pinned {
            return Err(RebuildError::NotPinned { name: name.clone() });
        }
    }
    Ok(rows)
}

fn repin(row: &mut Row, sense: Sense, evr: &Evr) {
    let Some(written) = row.written() else { return };
    if sense == Sense::GreaterEqual && written.admits(sense, evr) {
        return;
    }
    row.version = written.like(evr);
}

/// Refuses a version that a requirement with `<`, `<=` or `>` does not admit: nothing could meet both.
fn check_admits(row: &Row, name: &str, evr: &Evr) -> Result<(), RebuildError> {
    let admits = match row.sense() {
        None => true,
        Some(sense) => row.written().is_some_and(|written| written.admits(sense, evr)),
    };
    if admits {
        return Ok(());
    }
    let dependency = row.to_string();
    Err(RebuildError::Excluded { name: name.into(), version: evr.clone(), dependency })
}

/// Gives rows that are equal to the old version of the package the new one; says whether there were any.
fn raise<'a>(rows: impl Iterator<Item = &'a mut Row>, old: &Evr, new: &Evr) -> bool {
    let mut raised = false;
    for row in rows.filter(|row| row.sense() == Some(Sense::Equal)) {
        if let Some(version) = row.written().filter(|written| written.is(old)).map(|own| own.like(new)) {
            row.version = version;
            raised = true;
        }
    }
    raised
}

fn put(edit: &mut Edit, [names, flags, versions]: Triple, rows: Vec<Row>) {
    edit.insert(flags, Values::Numbers(rows.iter().map(|row| row.flags).collect()));
    edit.insert(versions, Values::Texts(rows.iter().map(|row| row.version.clone()).collect()));
    edit.insert(names, Values::Texts(rows.into_iter().map(|row| row.name).collect()));
}

/// Puts a change on top of the changelog, as rpmbuild writes them.
fn add(
    change: &Change,
    head: &Head,
    evr: &Evr,
    build_time: u32,
    edit: &mut Edit,
) -> Result<(), RebuildError> {
    let Change { who, text } = change;
    let (who, text) = (who.trim(), text.trim_end());
    check_line("author of the change", who, false)?;
    check_line("text of the change", text, true)?;
    let (times, names, texts) = (
        head.numbers_of(Field::ChangelogTimes),
        head.texts_of(Field::ChangelogNames)?,
        head.texts_of(Field::ChangelogTexts)?,
    );
    if times.len() != names.len() || times.len() != texts.len() {
        let why = format!(
            "its changelog has {} times, {} names and {} texts",
            times.len(),
            names.len(),
            texts.len()
        );
        return Err(repo::Error::Edit { part: "header", why }.into());
    }
    // rpmbuild knows the day only, and takes its noon.
    let noon = (build_time / DAY * DAY).saturating_add(DAY / 2);
    // An epoch of 0 is written where the package says so.
    let epoch = head.epoch().map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let name = format!("{who} - {epoch}{}-{}", evr.version, evr.release);
    let on_top = |first: String, rest: Vec<&str>| {
        Values::Texts([first].into_iter().chain(rest.into_iter().map(str::to_owned)).collect())
    };
    edit.insert(Field::ChangelogTimes, Values::Numbers([vec![noon], times].concat()));
    edit.insert(Field::ChangelogNames, on_top(name, names));
    edit.insert(Field::ChangelogTexts, on_top(text.to_owned(), texts));
    Ok(())
}

/// Refuses a release that rpmbuild would not take.
fn check_release(release: &str) -> Result<(), RebuildError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~^".contains(&byte);
    let why = match release {
        "" => "it is empty",
        _ if !release.bytes().all(allowed) => "it may hold letters, digits and `._+~^`",
        _ => return Ok(()),
    };
    Err(RebuildError::Text { what: "release", text: release.into(), why })
}

/// Refuses a text that is empty or holds what neither RPM nor metadata can carry.
fn check_line(what: &'static str, text: &str, lines_allowed: bool) -> Result<(), RebuildError> {
    let carried = |c: char| match c {
        '\n' | '\t' => lines_allowed,
        c => !c.is_control() && repo::is_carried(c),
    };
    let why = match text {
        "" => "it is empty",
        _ if !text.chars().all(carried) => "it holds a control character",
        _ => return Ok(()),
    };
    Err(RebuildError::Text { what, text: text.into(), why })
}

#[cfg(test)]
mod tests;
