//! Which packages of a stage a request means.

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobMatcher};
use nevra::{Evr, Nevra};

use super::places;
use crate::layout::{Platform, Product, Repository};
use crate::near::nearest;
use crate::refusal::{Code, Refusal};
use crate::world::{Listed, World};

/// For how many selectors that fit nothing near misses are looked for.
const EXPLAINED_MAX: usize = 10;

/// Where to look.
pub(super) struct Place<'a> {
    pub world: &'a World,
    pub product: &'a Product,
    pub stage: &'a str,
    pub platforms: &'a [Platform],
    /// Where the packages are to go: what is there already is not missed here.
    pub target: Option<&'a str>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// The packages, by the repository that lists them; none of the lists is empty.
    pub packages: BTreeMap<Repository, Vec<Listed>>,
    /// Selectors that fit nothing here, but what they mean is in the target.
    pub already_there: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// One text of `packages`, understood.
struct Selector<'a> {
    text: &'a str,
    glob: Option<GlobMatcher>,
    nevra: Option<Nevra>,
    versioned: Option<(String, Evr)>,
}

impl<'a> Selector<'a> {
    fn of(text: &'a str) -> Result<Selector<'a>, Refusal> {
        let glob = match is_pattern(text) {
            false => None,
            true => Some(Glob::new(text).map_err(|error| {
                Refusal::new(Code::Malformed, format!("`{text}` is not a pattern: {}", error.kind()))
            })?),
        };
        let versioned = name_and_version(text);
        Ok(Selector {
            text,
            glob: glob.map(|glob| glob.compile_matcher()),
            nevra: text.parse().ok(),
            versioned,
        })
    }

    /// Says whether it fits by the name alone, so that it may fit several versions.
    fn fits_name(&self, name: &str) -> bool {
        self.glob.as_ref().map_or(self.text == name, |glob| glob.is_match(name))
    }

    fn fits(&self, nevra: &Nevra) -> bool {
        self.fits_name(&nevra.name)
            || self.nevra.as_ref() == Some(nevra)
            || self.versioned.as_ref().is_some_and(|(name, evr)| *name == nevra.name && *evr == nevra.evr)
    }

    fn find<'b>(&self, names: &Names<'b>) -> Vec<&'b Listed> {
        if let Some(glob) = &self.glob {
            // Names are sorted: what begins otherwise than the pattern need not be looked at.
            let begin = self.text.split(GLOB).next().unwrap_or_default();
            let near = names.range(begin..).take_while(|(name, _)| name.starts_with(begin));
            let fit = near.filter(|(name, _)| glob.is_match(name));
            return fit.flat_map(|(_, listed)| listed.iter().copied()).collect();
        }
        let candidates = [
            Some(self.text),
            self.nevra.as_ref().map(|nevra| nevra.name.as_str()),
            self.versioned.as_ref().map(|(name, _)| name.as_str()),
        ];
        let candidates: BTreeSet<&str> = candidates.into_iter().flatten().collect();
        let listed = candidates.into_iter().filter_map(|name| names.get(name)).flatten();
        listed.copied().filter(|listed| self.fits(&listed.nevra)).collect()
    }
}

/// What begins the part of a pattern that is not to be taken literally.
const GLOB: [char; 5] = ['*', '?', '[', '{', '\\'];

/// Says what is wrong with a text of `packages` as a pattern; `None` if nothing is, or if it is a plain name.
pub fn wrong_pattern(text: &str) -> Option<String> {
    let glob = is_pattern(text).then(|| Glob::new(text));
    let error = glob.and_then(Result::err)?;
    Some(format!("`{text}` is not a pattern: {}", error.kind()))
}

/// Reads a name with version and release, `voms-1.9.10-1`; `None` if it is none.
pub(super) fn name_and_version(text: &str) -> Option<(String, Evr)> {
    format!("{text}.noarch").parse::<Nevra>().ok().map(|nevra| (nevra.name, nevra.evr))
}

/// Says whether a text of `packages` is a pattern rather than a name.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

type Names<'a> = BTreeMap<&'a str, Vec<&'a Listed>>;

fn names(listing: &[Listed]) -> Names<'_> {
    let mut names = Names::new();
    for listed in listing {
        names.entry(&listed.nevra.name).or_default().push(listed);
    }
    names
}

/// Finds the packages that the texts mean, in binary, debug and source repositories alike.
///
/// # Errors
///
/// `malformed` for a bad pattern, `ambiguous` where a name or pattern fits several versions of one name on
/// one platform, `no-such-package` with near misses, `try-later` where a repository is not yet published.
pub(super) fn select(place: &Place<'_>, texts: &[String]) -> Result<Selection, Refusal> {
    let selectors = texts.iter().map(|text| Selector::of(text)).collect::<Result<Vec<_>, _>>()?;
    let mut repositories: Vec<(Repository, Names<'_>)> = Vec::new();
    for repository in places::repositories(place.product, place.stage, place.platforms) {
        let listing = places::listing(place.world, &repository)?;
        repositories.push((repository, names(listing)));
    }
    let mut found: BTreeMap<&Repository, BTreeSet<&Listed>> = BTreeMap::new();
    let mut selection = Selection::default();
    let mut ambiguous: Vec<(&str, Vec<String>)> = Vec::new();
    let mut absent: Vec<&Selector<'_>> = Vec::new();
    for selector in &selectors {
        let mut versions: BTreeMap<(Platform, &str), BTreeMap<&Evr, BTreeSet<&Nevra>>> = BTreeMap::new();
        let mut on: BTreeSet<Platform> = BTreeSet::new();
        for (repository, names) in &repositories {
            for listed in selector.find(names) {
                found.entry(repository).or_default().insert(listed);
                on.insert(repository.platform());
                if selector.fits_name(&listed.nevra.name) {
                    let key = (repository.platform(), listed.nevra.name.as_str());
                    versions
                        .entry(key)
                        .or_default()
                        .entry(&listed.nevra.evr)
                        .or_default()
                        .insert(&listed.nevra);
                }
            }
        }
        let several = versions.iter().filter(|(_, versions)| versions.len() > 1);
        let candidates: Vec<String> = several
            .flat_map(|((platform, _), versions)| {
                versions.values().flatten().map(move |n| format!("`{n}` on {platform}"))
            })
            .collect();
        if !candidates.is_empty() {
            ambiguous.push((selector.text, candidates));
        }
        if on.is_empty() {
            absent.push(selector);
        } else if selector.glob.is_none() && selector.versioned_or_name_only() {
            for platform in place.platforms.iter().filter(|platform| !on.contains(platform)) {
                let note = format!("`{}` is not in `{}` on {platform}", selector.text, place.stage);
                selection.notes.push(note);
            }
        }
    }
    if !absent.is_empty() {
        let product = of_product(place);
        let is_missing = |selector: &&Selector<'_>| !is_in_target(place, selector, &product);
        let missing: Vec<&Selector<'_>> = absent.iter().copied().filter(is_missing).collect();
        if !missing.is_empty() {
            return Err(no_such_package(place, &missing, &repositories, &product));
        }
    }
    if let Some((text, _)) = ambiguous.first() {
        let sentence = format!("`{text}` fits several versions in `{}`", place.stage);
        let candidates: Vec<String> =
            ambiguous.iter().flat_map(|(_, candidates)| candidates.clone()).collect();
        let refusal = Refusal::new(Code::Ambiguous, sentence).reasons(candidates);
        return Err(refusal.hint("name the one that is meant in full, as name-version-release.arch"));
    }
    selection.already_there = absent.iter().map(|selector| selector.text.to_owned()).collect();
    let owned = |listed: BTreeSet<&Listed>| listed.into_iter().cloned().collect();
    selection.packages =
        found.into_iter().map(|(repository, listed)| (repository.clone(), owned(listed))).collect();
    Ok(selection)
}

impl Selector<'_> {
    /// A full NEVRA is of one architecture; that it is not on other platforms is no news.
    fn versioned_or_name_only(&self) -> bool {
        self.nevra.as_ref().is_none_or(|nevra| nevra.arch.as_str() == "noarch")
    }
}

/// Says whether every platform has it in the target.
fn is_in_target(place: &Place<'_>, selector: &Selector<'_>, product: &[(&Repository, Names<'_>)]) -> bool {
    let Some(target) = place.target else { return false };
    place.platforms.iter().all(|platform| {
        product.iter().any(|(repository, names)| {
            repository.stage == target
                && repository.platform() == *platform
                && !selector.find(names).is_empty()
        })
    })
}

/// Sorts everything that the product lists by name.
fn of_product<'a>(place: &Place<'a>) -> Vec<(&'a Repository, Names<'a>)> {
    let all = place.world.repositories.iter();
    all.filter(|(repository, _)| repository.product == place.product.name)
        .map(|(repository, listing)| (repository, names(listing)))
        .collect()
}

fn no_such_package(
    place: &Place<'_>,
    missing: &[&Selector<'_>],
    repositories: &[(Repository, Names<'_>)],
    product: &[(&Repository, Names<'_>)],
) -> Refusal {
    let sentence = match missing {
        [one] => format!("nothing in `{}` of `{}` fits `{}`", place.stage, place.product.name, one.text),
        [one, other] => {
            format!(
                "nothing in `{}` of `{}` fits `{}` or `{}`",
                place.stage, place.product.name, one.text, other.text
            )
        }
        several => format!(
            "nothing in `{}` of `{}` fits `{}`, nor {} others that are asked for",
            place.stage,
            place.product.name,
            several[0].text,
            several.len() - 1
        ),
    };
    let mut hint = None;
    let mut reasons = Vec::new();
    for selector in missing.iter().take(EXPLAINED_MAX) {
        let elsewhere = elsewhere(place, selector, product);
        if !elsewhere.is_empty() {
            hint.get_or_insert_with(|| format!("`{}` is in {}", selector.text, elsewhere.join(", ")));
            reasons.push(format!("`{}` is in {}", selector.text, elsewhere.join(", ")));
            continue;
        }
        let near = near_misses(selector, repositories);
        if near.is_empty() {
            reasons.push(format!("nothing like `{}` is there", selector.text));
            continue;
        }
        hint.get_or_insert_with(|| format!("did you mean {}", near[0]));
        reasons.push(format!("like `{}` there are {}", selector.text, near.join(", ")));
    }
    reasons.extend(
        missing.iter().skip(EXPLAINED_MAX).map(|selector| format!("`{}` is not there", selector.text)),
    );
    let refusal = Refusal::new(Code::NoSuchPackage, sentence).reasons(reasons);
    match hint {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}

/// Lists where else in the product something fits.
fn elsewhere(
    place: &Place<'_>,
    selector: &Selector<'_>,
    product: &[(&Repository, Names<'_>)],
) -> Vec<String> {
    let mut stages = BTreeSet::new();
    for (repository, names) in product {
        let is_elsewhere =
            repository.stage != place.stage || !place.platforms.contains(&repository.platform());
        if is_elsewhere && !selector.find(names).is_empty() {
            stages.insert(format!("`{}` on {}", repository.stage, repository.platform()));
        }
    }
    stages.into_iter().collect()
}

/// Lists other versions of the name that is meant, or else similar names.
fn near_misses(selector: &Selector<'_>, repositories: &[(Repository, Names<'_>)]) -> Vec<String> {
    let meant =
        [selector.nevra.as_ref().map(|n| n.name.as_str()), selector.versioned.as_ref().map(|v| v.0.as_str())];
    for name in meant.into_iter().flatten() {
        let listed = repositories.iter().filter_map(|(_, names)| names.get(name)).flatten();
        let versions: BTreeSet<&Nevra> = listed.map(|listed| &listed.nevra).collect();
        if !versions.is_empty() {
            return versions.into_iter().rev().take(5).map(|nevra| format!("`{nevra}`")).collect();
        }
    }
    let word = meant.into_iter().flatten().next().unwrap_or(selector.text);
    let known = repositories.iter().flat_map(|(_, names)| names.keys().copied());
    nearest(word, known).into_iter().map(|name| format!("`{name}`")).collect()
}
