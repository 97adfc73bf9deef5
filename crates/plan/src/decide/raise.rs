//! Which release a meta-package gets that is built anew: the next that no package ever had.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Arch, Evr, Nevra};

use super::selection::name_and_version;
use crate::layout::Raising;
use crate::recipe::Raised;
use crate::refusal::{Code, Refusal};
use crate::world::World;

/// The largest number that is counted on from; what is larger is a date or a word.
const NUMBER_MAX: u64 = 999_999_999_999;

/// Gives out releases, none of them twice.
pub(super) struct Releases<'a> {
    world: &'a World,
    raising: Raising,
    /// What some repository lists, and what was given out here, of whatever architecture.
    taken: BTreeSet<(String, Evr)>,
    /// What was given out here, by name and version before: one release for all architectures.
    given: BTreeMap<(String, Evr), Vec<Given>>,
    /// The releases that a request names, by name and version.
    wanted: BTreeMap<(String, String), String>,
    /// Those of them that were needed.
    used: BTreeSet<(String, String)>,
}

/// A release that was given out, and for which architectures.
struct Given {
    evr: Evr,
    raised: Option<Raised>,
    archs: BTreeSet<Arch>,
}

impl<'a> Releases<'a> {
    /// Begins with what every repository of the world lists; `wanted` are texts `name-version-release`.
    pub(super) fn of(world: &'a World, raising: Raising, wanted: &[String]) -> Result<Self, Refusal> {
        let listed = world.repositories.values().flatten().map(|listed| &listed.nevra);
        let taken = listed.map(|nevra| (nevra.name.clone(), nevra.evr.clone())).collect();
        let mut by_name = BTreeMap::new();
        for text in wanted {
            let Some((name, evr)) = name_and_version(text) else {
                let sentence = format!("`{}` is not a name with version and release", text.escape_debug());
                return Err(Refusal::new(Code::Malformed, sentence));
            };
            let text = format!("{name}-{}", version(&evr));
            if by_name.insert((name, version(&evr)), evr.release).is_some() {
                let sentence = format!("`releases` names two releases of `{text}`");
                return Err(Refusal::new(Code::Malformed, sentence));
            }
        }
        let (given, used) = (BTreeMap::new(), BTreeSet::new());
        Ok(Releases { world, raising, taken, given, wanted: by_name, used })
    }

    /// Gives a package the next release of its series that is free; what differs in its architecture alone gets the same.
    pub(super) fn next(&mut self, nevra: &Nevra) -> Result<(Nevra, Option<Raised>), Refusal> {
        let key = (nevra.name.clone(), nevra.evr.clone());
        let mut known = self.given.get_mut(&key).into_iter().flatten();
        let fresh = match known.find(|given| !given.archs.contains(&nevra.arch)) {
            Some(given) => {
                given.archs.insert(nevra.arch.clone());
                (given.evr.clone(), given.raised.clone())
            }
            None => {
                let (evr, raised) = self.fresh(nevra)?;
                let archs = BTreeSet::from([nevra.arch.clone()]);
                let given = Given { evr: evr.clone(), raised: raised.clone(), archs };
                self.given.entry(key).or_default().push(given);
                (evr, raised)
            }
        };
        Ok((Nevra { evr: fresh.0, ..nevra.clone() }, fresh.1))
    }

    fn fresh(&mut self, nevra: &Nevra) -> Result<(Evr, Option<Raised>), Refusal> {
        let name = &nevra.name;
        let key = (name.clone(), version(&nevra.evr));
        if let Some(release) = self.wanted.get(&key) {
            let evr = Evr { release: release.clone(), ..nevra.evr.clone() };
            self.used.insert(key);
            return self.as_wanted(nevra, evr);
        }
        let series = self.series(nevra);
        let mut number = series.first;
        loop {
            let evr = Evr { release: series.release(number), ..nevra.evr.clone() };
            // A later release of the series may be listed, or was asked for by name.
            let is_free = !self.world.standing.raised.contains_key(&full(name, &evr));
            if is_free && evr.rpm_cmp(&nevra.evr).is_gt() && self.taken.insert((name.clone(), evr.clone())) {
                let series = format!("{name}-{}-{}", version(&nevra.evr), series.pattern);
                return Ok((evr, Some(Raised { series, number })));
            }
            number = match number.checked_add(1).filter(|next| *next <= NUMBER_MAX) {
                Some(next) => next,
                None => {
                    let sentence = format!("the release of `{nevra}` cannot rise: its number is too large");
                    return Err(Refusal::new(Code::ReleaseTaken, sentence).hint("name one in `releases`"));
                }
            };
        }
    }

    fn as_wanted(&mut self, nevra: &Nevra, evr: Evr) -> Result<(Evr, Option<Raised>), Refusal> {
        let text = full(&nevra.name, &evr);
        let was_given = self.world.standing.raised.iter().any(|(series, last)| {
            let Some((before, after)) = series.split_once('*') else { return *series == text };
            let number = text.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            number.and_then(counted).is_some_and(|number| number <= *last)
        });
        if was_given || !self.taken.insert((nevra.name.clone(), evr.clone())) {
            let sentence = format!("the release of `{text}` is taken");
            let hint = "leave `releases` out, and the next that is free is taken";
            return Err(Refusal::new(Code::ReleaseTaken, sentence).hint(hint));
        }
        if !evr.rpm_cmp(&nevra.evr).is_gt() {
            let sentence = format!("`{text}` is not newer than `{nevra}`, so no host would take it");
            return Err(Refusal::new(Code::ReleaseTaken, sentence));
        }
        Ok((evr, Some(Raised { series: text, number: 0 })))
    }

    /// Refuses releases that were named and that nothing needed: whoever wrote them meant something else.
    pub(super) fn all_used(&self) -> Result<(), Refusal> {
        let unused = self.wanted.iter().find(|(key, _)| !self.used.contains(key));
        let Some(((name, version), release)) = unused else { return Ok(()) };
        let sentence =
            format!("`releases` names `{name}-{version}-{release}`, and nothing of that name is built anew");
        Err(Refusal::new(Code::Malformed, sentence))
    }

    /// Finds the series that a release belongs to, and the first number to try.
    fn series(&self, nevra: &Nevra) -> Series {
        let release = &nevra.evr.release;
        let given = |pattern: &str| {
            let series = format!("{}-{}-{pattern}", nevra.name, version(&nevra.evr));
            self.world.standing.raised.get(&series).copied().unwrap_or(0)
        };
        let digits: String = release.chars().take_while(char::is_ascii_digit).collect();
        if self.raising == Raising::First
            && let Some(number) = counted(&digits)
        {
            let pattern = format!("*{}", &release[digits.len()..]);
            let first = number.max(given(&pattern)).saturating_add(1);
            return Series { pattern, first };
        }
        // `1.el9.2` was raised before, `1.2` is what a packager may write.
        if let Some((before, last)) = release.rsplit_once('.')
            && let Some(number) = counted(last)
        {
            let pattern = format!("{before}.*");
            let given = given(&pattern);
            let ends_in_a_word = before
                .rsplit('.')
                .next()
                .is_some_and(|part| part.contains(|c: char| c.is_ascii_alphabetic()));
            if ends_in_a_word || given > 0 {
                return Series { first: number.max(given).saturating_add(1), pattern };
            }
        }
        let pattern = format!("{release}.*");
        Series { first: given(&pattern).saturating_add(1), pattern }
    }
}

/// Releases that differ in one number.
struct Series {
    /// With `*` for the number.
    pattern: String,
    /// The first number that may be free.
    first: u64,
}

impl Series {
    fn release(&self, number: u64) -> String {
        self.pattern.replacen('*', &number.to_string(), 1)
    }
}

/// Reads a number that one can count on from.
fn counted(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|number| *number < NUMBER_MAX)
}

/// Writes name, version and release.
fn full(name: &str, evr: &Evr) -> String {
    format!("{name}-{}-{}", version(evr), evr.release)
}

/// Writes epoch and version.
fn version(evr: &Evr) -> String {
    match evr.epoch {
        0 => evr.version.clone(),
        epoch => format!("{epoch}:{}", evr.version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::world_of;

    fn raised(raising: Raising, listed: &str, given: &[(&str, u64)], release: &str) -> String {
        let mut world = world_of(&[&format!("sl5/x86_64 delta: {listed}")]);
        world.standing.raised =
            given.iter().map(|(series, number)| ((*series).to_owned(), *number)).collect();
        let nevra: Nevra = format!("ui-3-{release}.noarch").parse().unwrap();
        let mut releases = Releases::of(&world, raising, &[]).unwrap();
        let (next, recorded) = releases.next(&nevra).unwrap();
        let recorded = recorded.unwrap();
        format!("{} ({} {})", next.evr.release, recorded.series, recorded.number)
    }

    #[test]
    fn the_next_number_is_one_that_no_package_has_or_had() {
        let last = |listed, given, release| raised(Raising::Last, listed, given, release);
        assert_eq!(last("", &[], "1.el9"), "1.el9.1 (ui-3-1.el9.* 1)");
        assert_eq!(last("ui-3-1.el9.1.noarch", &[], "1.el9"), "1.el9.2 (ui-3-1.el9.* 2)");
        assert_eq!(last("", &[("ui-3-1.el9.*", 4)], "1.el9"), "1.el9.5 (ui-3-1.el9.* 5)");
        assert_eq!(last("", &[], "1.el9.1"), "1.el9.2 (ui-3-1.el9.* 2)");
        assert_eq!(last("", &[], "1.1"), "1.1.1 (ui-3-1.1.* 1)");
        assert_eq!(last("", &[("ui-3-1.*", 1)], "1.1"), "1.2 (ui-3-1.* 2)");
        let first = |listed, given, release| raised(Raising::First, listed, given, release);
        assert_eq!(first("", &[], "1.el9"), "2.el9 (ui-3-*.el9 2)");
        assert_eq!(first("ui-3-2.el9.noarch", &[], "1.el9"), "3.el9 (ui-3-*.el9 3)");
        assert_eq!(first("", &[("ui-3-*.el9", 7)], "1.el9"), "8.el9 (ui-3-*.el9 8)");
        assert_eq!(first("", &[], "rc1"), "rc1.1 (ui-3-rc1.* 1)");
    }

    #[test]
    fn two_architectures_of_one_name_are_raised_alike_and_one_is_never_raised_to_the_same_twice() {
        let world = world_of(&[]);
        let mut releases = Releases::of(&world, Raising::Last, &[]).unwrap();
        let mut next = |text: &str| releases.next(&text.parse().unwrap()).unwrap().0.to_string();
        assert_eq!(next("ui-3-1.x86_64"), "ui-3-1.1.x86_64");
        assert_eq!(next("ui-3-1.i386"), "ui-3-1.1.i386");
        assert_eq!(next("ui-3-1.x86_64"), "ui-3-1.2.x86_64");
    }

    #[test]
    fn a_number_that_is_too_large_to_count_on_from_is_a_word() {
        let largest = u64::MAX.to_string();
        let raised = |raising, release: &str| {
            let world = world_of(&[]);
            let mut releases = Releases::of(&world, raising, &[]).unwrap();
            releases.next(&format!("ui-3-{release}.noarch").parse().unwrap()).unwrap().0.evr.release
        };
        assert_eq!(raised(Raising::Last, &format!("1.el9.{largest}")), format!("1.el9.{largest}.1"));
        assert_eq!(raised(Raising::First, &format!("{largest}.el9")), format!("{largest}.el9.1"));
    }

    #[test]
    fn a_release_that_is_asked_for_must_be_free_and_newer() {
        let mut world = world_of(&["sl5/x86_64 delta: ui-3-4.noarch"]);
        world.standing.raised.insert("ui-3-1.*".into(), 2);
        world.standing.raised.insert("ui-3-6".into(), 0);
        let asked = |text: &str| {
            let mut releases = Releases::of(&world, Raising::Last, &[text.to_owned()])?;
            releases.next(&"ui-3-1.noarch".parse().unwrap()).map(|(raised, _)| raised.to_string())
        };
        let code = |result: Result<String, Refusal>| result.unwrap_err().code;
        assert_eq!(asked("ui-3-5").unwrap(), "ui-3-5.noarch");
        assert_eq!(code(asked("ui-3-4")), Code::ReleaseTaken);
        assert_eq!(code(asked("ui-3-1.2")), Code::ReleaseTaken);
        assert_eq!(code(asked("ui-3-0.9")), Code::ReleaseTaken);
        // It was asked for before, and left since.
        assert_eq!(code(asked("ui-3-6")), Code::ReleaseTaken);
        assert_eq!(code(asked("ui")), Code::Malformed);
    }
}
