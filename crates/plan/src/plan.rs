//! A complete plan: everything a request does, with no choices left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use nevra::{Nevra, Sha256};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use workflow::Deed;

use crate::answer::Moved;
use crate::carrying::Beside;
use crate::layout::Repository;
use crate::recipe::{HostsRun, NodeType, Rebuilt};
use crate::request::Advised;
use crate::standing::{Decided, HeldAdvisory};
use crate::world::{Listed, digest, digest_of_set};

/// Says everything a request does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The name of the action, such as `promote`.
    pub action: String,
    /// What the plan does, in one plain sentence.
    pub sentence: String,
    /// What enters and leaves each repository that changes.
    pub changes: BTreeMap<Repository, Change>,
    /// Packages that are promoted and stay listed where they were, and until when; ended where there is no instant.
    pub overlaps: BTreeMap<Repository, BTreeMap<Sha256, Option<Timestamp>>>,
    /// Names of generations: bound to a number, or ended.
    pub names: BTreeMap<String, Option<u64>>,
    /// Names that the generation gets in which it takes effect.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub named: BTreeSet<String>,
    /// What it brings about in the procedure of a product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
    /// Package links to remove, as paths below the exported root.
    pub drop_links: BTreeSet<String>,
    /// Generations to keep no longer.
    pub drop_generations: BTreeSet<u64>,
    /// Packages that no name may lead to any more, now or ever, whatever was promised.
    pub purged: BTreeSet<Sha256>,
    /// Packages of the pool to remove, as paths below the root.
    pub drop_pool: BTreeSet<String>,
    /// The packages of the pool that nothing links to, and until when they stay; none if that stays as it is.
    pub unlinked: Option<BTreeMap<String, Timestamp>>,
    /// Whether superseded metadata files whose time is over go.
    pub sweeps_metadata: bool,
    /// Whether everything that changes under its name (repomd.xml, `.repo` files) is written anew and dated now.
    pub renews: bool,
    /// What people decide that outlives the request.
    pub decided: Vec<Decided>,
    /// Whether the wall clock is believed from now on, whatever was witnessed.
    pub accepts_clock: bool,
    /// Repositories that appear, empty.
    pub new_repositories: BTreeSet<Repository>,
    /// Repositories whose metadata is written anew in another form; what they list stays.
    pub rewritten: BTreeSet<Repository>,
    /// Repositories whose views follow the configuration; what they list stays.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub views: BTreeSet<Repository>,
    /// What repositories say beside their packages from then on, where that changes: it follows from what enters and leaves.
    #[serde(skip)]
    pub carried: BTreeMap<Repository, Beside>,
    /// The advisories that wait in front of repositories from then on, by id, where that changes: it follows, too.
    #[serde(skip)]
    pub held: BTreeMap<Repository, BTreeMap<String, HeldAdvisory>>,
    /// What advisories say that are made anew, and of which packages, by repository.
    #[serde(skip)]
    pub advised: BTreeMap<Repository, (Advised, BTreeSet<Nevra>)>,
    /// Where adopted repositories go on answering.
    pub adopted: BTreeMap<Repository, Adopted>,
    /// The meta-packages that are built anew, in the order in which they were thought of.
    pub rebuilt: Vec<Rebuilt>,
    /// What becomes of node types, by repository.
    pub node_types: Vec<NodeType>,
    /// What it prepares: the plan by which an update would be published, so that people can look at what that makes.
    #[serde(skip)]
    pub candidate: Option<Box<Plan>>,
    /// What each gate saw.
    pub gates: Vec<GateSeen>,
    /// What a person should know about the plan.
    pub notes: Vec<String>,
}

/// Says where an adopted repository goes on answering, below its path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The old hrefs of packages, until the grace is over.
    pub hrefs: BTreeMap<String, Sha256>,
    /// The old metadata files, until the grace is over.
    pub metadata: BTreeMap<String, Sha256>,
    /// The types of the records that are carried byte for byte.
    pub carried: Vec<String>,
}

/// Says what enters and leaves one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The digest of the set of packages before ([`digest_of_set`]).
    pub before: Sha256,
    /// The digest of the set of packages after.
    pub after: Sha256,
    /// What enters, sorted.
    pub enter: Vec<Listed>,
    /// What leaves, sorted.
    pub leave: Vec<Listed>,
}

impl Change {
    /// Works out the change of a list; `None` if nothing enters or leaves.
    pub fn of(before: &[Listed], mut enter: Vec<Listed>, mut leave: Vec<Listed>) -> Option<Change> {
        if enter.is_empty() && leave.is_empty() {
            return None;
        }
        enter.sort();
        leave.sort();
        let left: BTreeSet<&Sha256> = leave.iter().map(|listed| &listed.pkgid).collect();
        let stay = before.iter().filter(|listed| !left.contains(&listed.pkgid));
        let after = digest_of_set(stay.chain(&enter));
        Some(Change { before: digest_of_set(before), after, enter, leave })
    }
}

/// Says what one gate saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSeen {
    /// The name of the gate, such as `version-order`.
    pub gate: String,
    /// What it says.
    pub verdict: Verdict,
    /// What it looked at and saw, in words.
    pub evidence: String,
}

/// Says what a gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing is in the way.
    Pass,
    /// The request is refused.
    Fail,
    /// Something is in the way, and somebody answers for it.
    Waived,
}

impl Verdict {
    /// Writes the verdict as answers carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Waived => "waived",
        }
    }
}

impl Plan {
    /// Computes the hash by which a plan is approved.
    ///
    /// It covers the action; of each repository that something may enter, the sets before and after; of
    /// those that packages only leave, what leaves; names, removals and new repositories. Not the time, the
    /// number of the generation that will hold it, what other repositories list, what goes along beside packages, or any
    /// wording.
    pub fn hash(&self) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        let mut line = |words: &[&str]| {
            for word in words {
                hasher.update(format!("{}:{word}", word.len()).as_bytes());
            }
            hasher.update(b"\n");
        };
        line(&["plan", "1", &self.action]);
        for (repository, change) in &self.changes {
            let name = repository.name();
            if self.is_target(change) {
                line(&["target", &name, &change.before.hex(), &change.after.hex()]);
            } else {
                change.leave.iter().for_each(|left| {
                    line(&["leave", &name, &left.pkgid.hex(), &left.nevra.to_string()]);
                });
            }
        }
        for (repository, overlaps) in &self.overlaps {
            for (digest, until) in overlaps {
                let word = if until.is_some() { "overlap" } else { "overlap-ends" };
                line(&[word, &repository.name(), &digest.hex()]);
            }
        }
        for (name, bound) in &self.names {
            line(&["name", name, &bound.map(|number| number.to_string()).unwrap_or_default()]);
        }
        self.named.iter().for_each(|name| line(&["named", name]));
        self.drop_links.iter().for_each(|link| line(&["drop-link", link]));
        self.drop_generations.iter().for_each(|number| line(&["drop-generation", &number.to_string()]));
        self.purged.iter().for_each(|digest| line(&["purge", &digest.hex()]));
        self.drop_pool.iter().for_each(|file| line(&["drop-package", file]));
        if self.sweeps_metadata {
            line(&["sweep-metadata"]);
        }
        if self.renews {
            line(&["renew"]);
        }
        if self.accepts_clock {
            line(&["accept-clock"]);
        }
        for [word, what] in self.decided.iter().map(Decided::words) {
            line(&[&word, &what]);
        }
        self.new_repositories.iter().for_each(|repository| line(&["new-repository", &repository.name()]));
        self.rewritten.iter().for_each(|repository| line(&["rewrite", &repository.name()]));
        self.views.iter().for_each(|repository| line(&["views", &repository.name()]));
        // Who says so and when is no part of what is decided.
        for fact in self.deed.iter().flat_map(|deed| &deed.facts) {
            line(&["fact", &words_of(fact)]);
        }
        for words in self.advised.iter().map(|(repository, said)| advised(repository, said)) {
            line(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for (repository, adopted) in &self.adopted {
            let name = repository.name();
            for (word, files) in [("old-href", &adopted.hrefs), ("old-metadata", &adopted.metadata)] {
                files.iter().for_each(|(href, digest)| line(&[word, &name, href, &digest.hex()]));
            }
            adopted.carried.iter().for_each(|kind| line(&["carried", &name, kind]));
        }
        digest(hasher)
    }

    /// Writes what the hash covers in words, one thing a line, so that two plans can be compared.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("the action is `{}`", self.action)];
        for (repository, change) in &self.changes {
            let line = |what: &str, listed: &Listed| {
                format!("`{}` ({}) {what} `{repository}`", listed.nevra, listed.pkgid.short())
            };
            lines.extend(change.enter.iter().map(|listed| line("enters", listed)));
            lines.extend(change.leave.iter().map(|listed| line("leaves", listed)));
            if self.is_target(change) {
                lines.push(format!("`{repository}` lists the set {} before", change.before.short()));
            }
        }
        for (repository, overlaps) in &self.overlaps {
            lines.extend(overlaps.iter().map(|(digest, until)| {
                let word = if until.is_some() { "stays listed for a while" } else { "overlaps no longer" };
                format!("{} {word} in `{repository}`", digest.short())
            }));
        }
        lines.extend(self.names.iter().map(|(name, number)| match number {
            Some(number) => format!("generation {number} is called `{name}`"),
            None => format!("the name `{name}` ends"),
        }));
        lines.extend(self.named.iter().map(|name| format!("the generation is called `{name}`")));
        lines.extend(self.deed.iter().flat_map(|deed| &deed.facts).map(words_of));
        lines.extend(self.purged.iter().map(|digest| format!("{digest} is purged")));
        lines.extend(self.advised.iter().map(|(repository, said)| advised(repository, said).join(" ")));
        lines.extend(self.decided.iter().map(|decided| decided.words().join(" ")));
        lines
    }

    /// Says whether a change is one of a target rather than of a source.
    fn is_target(&self, change: &Change) -> bool {
        !change.enter.is_empty() || self.action == "revert"
    }

    /// Lists what entered and left, for an answer.
    pub fn moved(&self) -> Vec<Moved> {
        let names = |listed: &[Listed]| listed.iter().map(|listed| listed.nevra.to_string()).collect();
        let moved = |(repository, change): (&Repository, &Change)| Moved {
            repository: repository.name(),
            entered: names(&change.enter),
            left: names(&change.leave),
        };
        self.changes.iter().map(moved).collect()
    }

    /// Says which command brings hosts of the stage in step; `None` if no host need do anything.
    ///
    /// Only `distro-sync` goes back. Hosts that draw from the source of a promotion need no command.
    pub fn hosts_run(&self) -> Option<String> {
        if self.action == "adopt" {
            // What hosts see is what they saw.
            return None;
        }
        let targets = || {
            self.changes.values().filter(|change| {
                self.is_target(change) || ["withdraw", "purge", "undo"].contains(&&*self.action)
            })
        };
        let goes_back = targets().any(|change| {
            change.leave.iter().any(|left| {
                let is_followed = |entered: &&Listed| {
                    entered.nevra.name == left.nevra.name
                        && entered.nevra.arch == left.nevra.arch
                        && entered.nevra.evr.rpm_cmp(&left.nevra.evr).is_gt()
                };
                !change.enter.iter().any(|entered| is_followed(&entered))
            })
        });
        match (goes_back, targets().next()) {
            (true, _) => Some("dnf distro-sync".to_owned()),
            (false, Some(_)) => Some("dnf upgrade".to_owned()),
            (false, None) => None,
        }
    }

    /// Writes the plan for a person; ends with its hash.
    pub fn print(&self) -> String {
        let mut text = format!("{}: {}\n", self.action, self.sentence);
        for (repository, change) in &self.changes {
            text.push_str(&format!("\n{repository}\n"));
            for (sign, listed) in
                change.enter.iter().map(|one| ('+', one)).chain(change.leave.iter().map(|one| ('-', one)))
            {
                text.push_str(&format!("  {sign} {}  {}\n", listed.nevra, listed.pkgid.short()));
            }
        }
        let bound = |(name, bound): (&String, &Option<u64>)| match bound {
            Some(number) => format!("{name} is generation {number}"),
            None => format!("{name} ends"),
        };
        section(&mut text, "new repositories", self.new_repositories.iter().map(Repository::name));
        let advised = |(repository, (said, packages)): (&Repository, &(Advised, BTreeSet<Nevra>))| {
            let names = packages.iter().map(Nevra::to_string).collect::<Vec<_>>().join(" ");
            format!("{repository}: {} ({}) of {names}: {}", said.id, said.kind, said.title)
        };
        section(&mut text, "advisories", self.advised.iter().map(advised));
        section(&mut text, "names", self.names.iter().map(bound));
        section(&mut text, "packages to purge", self.purged.iter().map(ToString::to_string));
        section(&mut text, "links to remove", self.drop_links.iter().cloned());
        section(
            &mut text,
            "generations to remove",
            self.drop_generations.iter().map(|number| format!("@{number}")),
        );
        section(&mut text, "packages to remove from the pool", self.drop_pool.iter().cloned());
        let metadata = self.sweeps_metadata.then(|| "superseded files whose time is over".to_owned());
        section(&mut text, "metadata to remove", metadata.into_iter());
        for adopted in self.adopted.values() {
            section(&mut text, "records carried", adopted.carried.iter().cloned());
            let old = adopted.hrefs.keys().map(|href| format!("package {href}"));
            let old = old.chain(adopted.metadata.keys().map(|href| format!("metadata {href}")));
            section(&mut text, "old hrefs that answer for the grace", old);
        }
        let node_type = |one: &NodeType| {
            let pins: String = one
                .pins
                .iter()
                .map(|pin| match &pin.after {
                    Some(after) => format!(", {} {} is = {after}", pin.name, pin.before),
                    None => format!(", {} {} is pinned no more", pin.name, pin.before),
                })
                .collect();
            format!("{}: {} is {} now{pins}", one.repository, one.before, one.after)
        };
        section(&mut text, "node types", self.node_types.iter().map(node_type));
        let run = |one: &HostsRun| {
            let who = match &one.node_type {
                Some(name) => format!("hosts of {} with {name}", one.stage),
                None => format!("other hosts of {}", one.stage),
            };
            format!("{who}: {}", one.dnf)
        };
        section(&mut text, "hosts run", self.hosts().iter().map(run));
        let gate = |seen: &GateSeen| format!("{:<6} {}: {}", seen.verdict.as_str(), seen.gate, seen.evidence);
        section(&mut text, "gates", self.gates.iter().map(gate));
        section(&mut text, "notes", self.notes.iter().cloned());
        writeln!(text, "\nplan {}", self.hash()).expect("a String takes all");
        text
    }
}

/// Writes a fact as the records carry it.
fn words_of(fact: &workflow::Fact) -> String {
    serde_json::to_string(fact).expect("a fact has text keys only, so it always serialises")
}

/// Writes what an advisory says, and of what, as words.
fn advised(repository: &Repository, (said, packages): &(Advised, BTreeSet<Nevra>)) -> Vec<String> {
    let Advised { id, kind, severity, title, description, references, reboot } = said;
    let reboot = if *reboot { "reboot" } else { "no reboot" };
    let severity = severity.as_deref().unwrap_or_default();
    let mut words = vec!["advisory".to_owned(), repository.name()];
    words.extend([id, kind, severity, title, description, reboot].map(ToString::to_string));
    // How many there are: none may be taken for a package.
    words.push(references.len().to_string());
    words.extend(references.iter().cloned());
    words.extend(packages.iter().map(Nevra::to_string));
    words
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (index, line) in lines.enumerate() {
        if index == 0 {
            text.push_str(&format!("\n{title}\n"));
        }
        text.push_str(&format!("  {line}\n"));
    }
}

#[cfg(test)]
mod tests;
