//! The gates of the plain actions. All of them run; each says what it saw.

use std::collections::{BTreeMap, HashMap};

use crate::layout::{Repository, Versions};
use crate::plan::{GateSeen, Verdict};
use crate::refusal::{Code, Refusal};
use crate::world::{Asker, Listed, World};

/// What is to enter one repository.
pub(super) type Entering = BTreeMap<Repository, Vec<Listed>>;

/// How many particulars of one gate are named.
const REASONS_MAX: usize = 50;

/// Collects what the gates see.
#[derive(Default)]
pub(super) struct Gates {
    seen: Vec<GateSeen>,
    failed: Vec<Refusal>,
}

impl Gates {
    fn pass(&mut self, gate: &str, evidence: String) {
        self.seen.push(GateSeen { gate: gate.to_owned(), verdict: Verdict::Pass, evidence });
    }

    fn fail(&mut self, gate: &str, refusal: Refusal) {
        let evidence = refusal.sentence.clone();
        self.seen.push(GateSeen { gate: gate.to_owned(), verdict: Verdict::Fail, evidence });
        self.failed.push(refusal);
    }

    /// Looks whether the requester holds one of the roles.
    pub(super) fn roles(&mut self, asker: &Asker, product: Option<&str>, roles: &[String], what: &str) {
        let who = &asker.name;
        if let Some(role) = roles.iter().find(|role| asker.has(role, product)) {
            return self.pass("roles", format!("`{who}` holds the role `{role}`, which may {what}"));
        }
        let needed: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
        let hint = match needed.as_slice() {
            [] => "the configuration gives this right to no role".to_owned(),
            needed => format!("it takes the role {}", needed.join(" or ")),
        };
        let sentence = format!("`{who}` may not {what}");
        self.fail("roles", Refusal::new(Code::RoleNotAllowed, sentence).hint(hint));
    }

    /// Passes or fails `roles` by something else than a list of roles.
    pub(super) fn authority(&mut self, asker: &Asker, is_allowed: bool, what: &str, hint: &str) {
        let who = &asker.name;
        if is_allowed {
            return self.pass("roles", format!("`{who}` may {what}"));
        }
        let refusal = Refusal::new(Code::RoleNotAllowed, format!("`{who}` may not {what}"));
        self.fail("roles", refusal.hint(hint));
    }

    /// Looks whether a repository lists another file under the name of one that is to enter: any of the site,
    /// or those of one product where nothing enters that the product does not list already.
    pub(super) fn other_content(&mut self, world: &World, entering: &Entering, product: Option<&str>) {
        let mut by_name: HashMap<&str, Vec<&Listed>> = HashMap::new();
        for listed in entering.values().flatten() {
            by_name.entry(&listed.nevra.name).or_default().push(listed);
        }
        let mut reasons: Vec<String> = Vec::new();
        let is_asked = |repository: &Repository| product.is_none_or(|product| repository.product == product);
        for (repository, listing) in world.repositories.iter().filter(|(repository, _)| is_asked(repository))
        {
            for listed in listing {
                let twins = by_name.get(listed.nevra.name.as_str()).into_iter().flatten();
                let mut twins = twins.filter(|twin| twin.nevra == listed.nevra && twin.pkgid != listed.pkgid);
                if let Some(twin) = twins.next() {
                    reasons.push(format!(
                        "`{repository}` lists `{}` with the digest {}, and not {}",
                        listed.nevra, listed.pkgid, twin.pkgid
                    ));
                }
            }
        }
        let mut among: BTreeMap<&nevra::Nevra, &Listed> = BTreeMap::new();
        for listed in entering.values().flatten() {
            match among.get(&listed.nevra) {
                Some(other) if other.pkgid != listed.pkgid => reasons.push(format!(
                    "`{}` arrives twice, with the digests {} and {}",
                    listed.nevra, other.pkgid, listed.pkgid
                )),
                _ => drop(among.insert(&listed.nevra, listed)),
            }
        }
        if reasons.is_empty() {
            let words = format!("no other file bears the name of any of the {} that enter", among.len());
            return self.pass("other-content", words);
        }
        reasons.dedup();
        let sentence = match reasons.len() {
            1 => "another file of the same name is listed already".to_owned(),
            n => format!("other files of the same names are listed already, in {n} cases"),
        };
        let refusal = Refusal::new(Code::OtherContent, sentence).reasons(shortened(reasons));
        self.fail("other-content", refusal.hint("raise the release of the package and build it again"));
    }

    /// Looks whether something is to enter that was purged.
    pub(super) fn purged(&mut self, world: &World, entering: &Entering) {
        let mut reasons: Vec<String> = (entering.values().flatten())
            .filter(|listed| world.purged.contains(&listed.pkgid))
            .map(|listed| format!("`{}` with the digest {}", listed.nevra, listed.pkgid))
            .collect();
        if reasons.is_empty() {
            return self.pass("purged", "nothing that enters was purged".to_owned());
        }
        reasons.sort();
        reasons.dedup();
        let sentence = match reasons.len() {
            1 => format!("{} was purged from this site", reasons[0]),
            n => format!("{n} of what enters was purged from this site"),
        };
        let refusal = Refusal::new(Code::Purged, sentence).reasons(shortened(reasons));
        self.fail("purged", refusal.hint("`sluice audit --action purge` tells by whom and why"));
    }

    /// Looks whether something is to enter whose file in the pool was found damaged.
    pub(super) fn sound(&mut self, world: &World, entering: &Entering) {
        let mut reasons: Vec<String> = (entering.values().flatten())
            .filter(|listed| world.damaged.contains(&listed.pkgid))
            .map(|listed| {
                format!("`{}`: the file in the pool is not {} any more", listed.nevra, listed.pkgid)
            })
            .collect();
        if reasons.is_empty() {
            return self.pass("sound", "nothing that enters was found damaged".to_owned());
        }
        reasons.sort();
        reasons.dedup();
        let sentence = match reasons.len() {
            1 => reasons[0].clone(),
            n => format!("the files of {n} packages that would enter are damaged"),
        };
        let refusal = Refusal::new(Code::PoolDamaged, sentence).reasons(shortened(reasons));
        self.fail(
            "sound",
            refusal.hint("`sluice verify --deep` names every place; put the file back from a backup"),
        );
    }

    /// Looks whether a target lists something newer than what is to enter, and whether something would enter
    /// only to leave at once because the stage lists but few versions.
    pub(super) fn version_order(&mut self, world: &World, entering: &Entering, versions: Versions) {
        let mut reasons = Vec::new();
        for (repository, arriving) in entering {
            let listing = world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
            for (_, mut of_key) in by_key(arriving, listing) {
                for arrival in &of_key.arriving {
                    let newer =
                        of_key.listed.iter().find(|l| l.nevra.evr.rpm_cmp(&arrival.nevra.evr).is_gt());
                    if let Some(newer) = newer {
                        reasons.push(format!(
                            "`{}` is older than `{}` in `{repository}`",
                            arrival.nevra, newer.nevra
                        ));
                    }
                }
                let ranks = of_key.ranks();
                for (arrival, rank) in of_key.arriving.iter().zip(ranks) {
                    if is_beyond(rank, versions) {
                        reasons.push(format!(
                            "`{}` would leave `{repository}` at once for newer ones that enter with it",
                            arrival.nevra
                        ));
                    }
                }
            }
        }
        if reasons.is_empty() {
            return self.pass("version-order", "nothing that enters is older than what is listed".to_owned());
        }
        reasons.dedup();
        let sentence = match reasons.len() {
            1 => reasons[0].clone(),
            n => format!("in {n} cases something that enters is older than what is listed"),
        };
        let refusal = Refusal::new(Code::Older, sentence).reasons(shortened(reasons));
        self.fail("version-order", refusal.hint("`revert` is the way back to older versions"));
    }

    /// Prefers the refusal of a gate that has failed already to one from further on.
    pub(super) fn prefer<T>(&self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        match (&result, self.failed.first()) {
            (_, Some(_)) => Err(self.refusal()),
            (Ok(_), None) => result,
            (Err(_), None) => result.map_err(|refusal| refusal.gates(self.seen.clone())),
        }
    }

    /// Says what the gates saw, if all of them pass.
    pub(super) fn finish(self) -> Result<Vec<GateSeen>, Refusal> {
        if self.failed.is_empty() { Ok(self.seen) } else { Err(self.refusal()) }
    }

    /// The first that failed gives code and sentence, the others add theirs to the reasons.
    fn refusal(&self) -> Refusal {
        let mut failed = self.failed.iter().cloned();
        let first = failed.next().expect("is only asked for when a gate has failed");
        let others = failed.flat_map(|other| [vec![other.sentence], other.reasons].concat());
        first.reasons(others.collect::<Vec<_>>()).gates(self.seen.clone())
    }
}

fn shortened(mut reasons: Vec<String>) -> Vec<String> {
    let more = reasons.len().saturating_sub(REASONS_MAX);
    reasons.truncate(REASONS_MAX);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons
}

/// What is listed and arrives of one name and architecture.
#[derive(Default)]
struct OfKey<'a> {
    arriving: Vec<&'a Listed>,
    listed: Vec<&'a Listed>,
}

impl OfKey<'_> {
    /// Counts, for each that arrives and then each that is listed, the versions newer than it.
    fn ranks(&mut self) -> Vec<usize> {
        let all: Vec<&Listed> = self.arriving.iter().chain(&self.listed).copied().collect();
        let mut versions: Vec<_> = all.iter().map(|listed| &listed.nevra.evr).collect();
        versions.sort_by(|a, b| b.rpm_cmp(a));
        versions.dedup_by(|a, b| a.rpm_cmp(b).is_eq());
        let rank = |listed: &&Listed| {
            versions.iter().position(|evr| evr.rpm_cmp(&listed.nevra.evr).is_eq()).unwrap_or_default()
        };
        all.iter().map(rank).collect()
    }
}

fn by_key<'a>(arriving: &'a [Listed], listing: &'a [Listed]) -> BTreeMap<(&'a str, &'a str), OfKey<'a>> {
    let mut keys: BTreeMap<(&str, &str), OfKey> = BTreeMap::new();
    for listed in arriving {
        let key = (listed.nevra.name.as_str(), listed.nevra.arch.as_str());
        keys.entry(key).or_default().arriving.push(listed);
    }
    for listed in listing {
        let key = (listed.nevra.name.as_str(), listed.nevra.arch.as_str());
        if let Some(of_key) = keys.get_mut(&key) {
            of_key.listed.push(listed);
        }
    }
    keys
}

fn is_beyond(rank: usize, versions: Versions) -> bool {
    match versions {
        Versions::All => false,
        Versions::Newest(count) => rank >= usize::try_from(count).unwrap_or(usize::MAX),
    }
}

/// Lists what leaves a repository because newer versions enter and the stage lists but so many.
pub(super) fn superseded(arriving: &[Listed], listing: &[Listed], versions: Versions) -> Vec<Listed> {
    let mut leave = Vec::new();
    for (_, mut of_key) in by_key(arriving, listing) {
        let ranks = of_key.ranks();
        let listed = of_key.listed.iter().zip(&ranks[of_key.arriving.len()..]);
        leave.extend(listed.filter(|(_, rank)| is_beyond(**rank, versions)).map(|(one, _)| (*one).clone()));
    }
    leave
}
