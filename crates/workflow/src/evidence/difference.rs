//! What a site has, compared with what a bundle has.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use nevra::{Algorithm, Fingerprint, Nevra};
use serde::{Deserialize, Serialize};

use super::{Installed, SiteReport};

/// One package of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Its full name.
    pub nevra: Nevra,
    /// What the database of a host knows it by.
    pub fingerprint: Fingerprint,
}

/// What a report says of every package of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// One for each package of the bundle, in the order of full names. Source packages are left out: nobody installs them.
    pub packages: Vec<Compared>,
}

/// What a report says of one package of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// The package.
    pub wanted: Nevra,
    /// What is there in its place.
    pub finding: Finding,
    /// What else is installed under its name for the same architecture, as kernels are: never newer than what was found.
    pub beside: Vec<Nevra>,
}

/// What a site has in the place of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Finding {
    /// That very package.
    Same {
        /// The digest that shows it.
        by: Algorithm,
    },
    /// A package of the same name, version and release with other content.
    AnotherBuild {
        /// Its full name: an equal version may be written otherwise, `1.0` as `1.00`.
        installed: Nevra,
        /// The digest that shows it.
        by: Algorithm,
    },
    /// A package of the same full name, and no digest is known on both sides.
    Unproven,
    /// An older version, by rpm's order.
    Older {
        /// The newest that is installed.
        installed: Nevra,
    },
    /// A newer version, by rpm's order.
    Newer {
        /// The newest that is installed.
        installed: Nevra,
    },
    /// Nothing of that name, or nothing for that architecture.
    NotInstalled,
    /// The report does not say: it was made by a script that did not ask for this name.
    Untold,
}

/// Compares what a site has installed with the packages of a bundle.
///
/// Whether the report is of this bundle at all is [`SiteReport::check_answers`]'s to say. Where several of one name and
/// architecture are installed, as kernels are, the newest counts, for it is what runs. A package whose architecture
/// changed between two versions is found by its name, unless the bundle has the other architecture, too.
#[must_use]
pub fn compare(report: &SiteReport, wanted: &[Wanted]) -> Difference {
    let mut installed: BTreeMap<&str, Vec<&Installed>> = BTreeMap::new();
    for package in &report.installed {
        installed.entry(&package.nevra.name).or_default().push(package);
    }
    let mut architectures: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in wanted {
        let of_name = architectures.entry(&package.nevra.name).or_default();
        of_name.insert(package.nevra.arch.as_str());
    }
    let mut packages: Vec<Compared> = wanted
        .iter()
        .filter(|wanted| !wanted.nevra.arch.is_source())
        .map(|wanted| {
            let name = wanted.nevra.name.as_str();
            let of_name = installed.get(name).map_or(&[][..], Vec::as_slice);
            let place = in_place_of(&wanted.nevra, of_name, &architectures[name]);
            let is_absent =
                || !of_name.is_empty() || report.absent.iter().any(|absent| absent.as_str() == name);
            found(wanted, &place, is_absent)
        })
        .collect();
    packages.sort_by(|one, other| one.wanted.cmp(&other.wanted));
    Difference { packages }
}

/// Picks, of what is installed under a name, what stands in the place of a package, the newest last.
fn in_place_of<'a>(
    wanted: &Nevra,
    of_name: &[&'a Installed],
    asked_for: &BTreeSet<&str>,
) -> Vec<&'a Installed> {
    let of_arch = of_name.iter().filter(|package| package.nevra.arch == wanted.arch);
    let mut place: Vec<_> = of_arch.copied().collect();
    if place.is_empty() {
        let others = of_name.iter().filter(|package| !asked_for.contains(package.nevra.arch.as_str()));
        place = others.copied().collect();
    }
    place.sort_by(|one, other| one.nevra.evr.cmp(&other.nevra.evr));
    place
}

fn found(wanted: &Wanted, place: &[&Installed], is_absent: impl FnOnce() -> bool) -> Compared {
    let compared = |finding, beside| Compared { wanted: wanted.nevra.clone(), finding, beside };
    let Some(newest) = place.last() else {
        let finding = if is_absent() { Finding::NotInstalled } else { Finding::Untold };
        return compared(finding, Vec::new());
    };
    // Several that rpm takes for the same version count together: none of them may be another build.
    let order = |package: &Installed| package.nevra.evr.rpm_cmp(&wanted.nevra.evr);
    let first = place.iter().position(|package| order(package) == order(newest)).unwrap_or_default();
    let first = if order(newest) == Ordering::Equal { first } else { place.len() - 1 };
    let (beside, counting) = place.split_at(first);
    let installed = newest.nevra.clone();
    let finding = match order(newest) {
        Ordering::Less => Finding::Older { installed },
        Ordering::Greater => Finding::Newer { installed },
        Ordering::Equal => counting
            .iter()
            .map(|package| same_version(wanted, package))
            .max_by_key(rank)
            .unwrap_or(Finding::Unproven),
    };
    compared(finding, beside.iter().map(|package| package.nevra.clone()).collect())
}

/// Judges a package that has the wanted version.
fn same_version(wanted: &Wanted, package: &Installed) -> Finding {
    match wanted.fingerprint.compare(&package.fingerprint) {
        Some((by, true)) => Finding::Same { by },
        Some((by, false)) => Finding::AnotherBuild { installed: package.nevra.clone(), by },
        None => Finding::Unproven,
    }
}

/// Puts what is worse behind.
fn rank(finding: &Finding) -> u8 {
    match finding {
        Finding::Same { .. } => 0,
        Finding::Unproven => 1,
        _ => 2,
    }
}

impl Difference {
    /// Says whether what the site has is of the bundle: something of it is installed, and nothing of it in another
    /// version or build. What is not installed does not count: no site runs every node type.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let same = |compared: &Compared| matches!(compared.finding, Finding::Same { .. });
        let fine = |compared: &Compared| same(compared) || matches!(compared.finding, Finding::NotInstalled);
        self.packages.iter().any(same) && self.packages.iter().all(fine)
    }

    /// Lists those of `names` that the bundle has and the site lacks: of no architecture is that very package installed.
    ///
    /// With the names of what a node type brings, nothing is missing where the site runs that node type from the bundle.
    #[must_use]
    pub fn lacking<'a>(&'a self, names: &BTreeSet<&str>) -> BTreeSet<&'a str> {
        let of = |same: bool| {
            let packages = self.packages.iter();
            packages
                .filter(move |compared| matches!(compared.finding, Finding::Same { .. }) == same)
                .map(|compared| compared.wanted.name.as_str())
        };
        let there: BTreeSet<&str> = of(true).collect();
        of(false).filter(|name| names.contains(name) && !there.contains(name)).collect()
    }

    /// Lists what differs: all but those that are as in the bundle and those that are not installed.
    pub fn differing(&self) -> impl Iterator<Item = &Compared> {
        self.packages
            .iter()
            .filter(|compared| !matches!(compared.finding, Finding::Same { .. } | Finding::NotInstalled))
    }
}

/// Sums up in one sentence: `of 3 packages 1 is installed as in the bundle, 1 differs, 1 is not installed`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = |count: usize| format!("{count} {}", if count == 1 { "is" } else { "are" });
        let count =
            |finding: fn(&Finding) -> bool| self.packages.iter().filter(|one| finding(&one.finding)).count();
        let same = count(|finding| matches!(finding, Finding::Same { .. }));
        let absent = count(|finding| matches!(finding, Finding::NotInstalled));
        let differing = self.packages.len() - same - absent;
        let packages = if self.packages.len() == 1 { "package" } else { "packages" };
        write!(f, "of {} {packages} {} installed as in the bundle, ", self.packages.len(), is(same))?;
        write!(f, "{differing} {}, ", if differing == 1 { "differs" } else { "differ" })?;
        write!(f, "{} not installed", is(absent))
    }
}

/// Tells a person.
impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = &self.wanted;
        match &self.finding {
            Finding::Same { by } => {
                write!(f, "`{wanted}` is installed as in the bundle: {} is the same", digest(*by))?;
            }
            Finding::AnotherBuild { installed, by } => write!(
                f,
                "`{installed}` is installed, but it is not the `{wanted}` of the bundle: {} differs",
                digest(*by)
            )?,
            Finding::Unproven => write!(
                f,
                "a `{wanted}` is installed, and nobody can say whether it is that of the bundle: no digest is known of both"
            )?,
            Finding::Older { installed } => {
                write!(f, "`{installed}` is installed, older than `{wanted}` of the bundle")?;
            }
            Finding::Newer { installed } => {
                write!(f, "`{installed}` is installed, newer than `{wanted}` of the bundle")?;
            }
            Finding::NotInstalled => write!(f, "`{wanted}` is not installed, nor another version of it")?,
            Finding::Untold => write!(f, "the report says nothing of `{wanted}`")?,
        }
        for (at, nevra) in self.beside.iter().enumerate() {
            write!(f, "{} `{nevra}`", if at == 0 { "; beside it" } else { "," })?;
        }
        Ok(())
    }
}

fn digest(by: Algorithm) -> &'static str {
    match by {
        Algorithm::Sha256 => "the SHA-256 of its header",
        Algorithm::Sha1 => "the SHA-1 of its header",
        _ => "the MD5 of its header and content",
    }
}

#[cfg(test)]
mod tests;
