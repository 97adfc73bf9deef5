//! I3, I8, I9, I12, I15, I17, I18 and I23 as far as manifests alone show them: nothing happens without a cause on
//! record, and nothing that was promised is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use nevra::Sha256;
use plan::{Outcome, Verdict};
use store::number_of;

use super::chain::Kept;
use super::metadata::Known;
use super::rebuilt::Everywhere;
use super::{Chain, Look};
use crate::account::{Account, Settled};

/// What may bring packages in, and take them out.
const MOVING: [&str; 15] = [
    "import",
    "adopt",
    "promote",
    "rollback",
    "revert",
    "undo",
    "withdraw",
    "overlap",
    "purge",
    "bundle-deploy",
    "bundle-rollback",
    "release-publish",
    "ticket-deploy",
    "ticket-accept",
    "ticket-reject",
];

/// The steps that teams of early adopters take.
const TEAM_STEPS: [&str; 9] = [
    "task-answer",
    "task-start",
    "task-done",
    "task-downtime",
    "task-beta",
    "task-comment",
    "patch-comment",
    "ticket-comment",
    "ticket-relate",
];

/// Links of packages by repository.
type Links = BTreeMap<String, BTreeSet<String>>;

impl Look<'_> {
    /// Compares the generations with each other and with what their requests say.
    pub(super) fn history(&mut self, chain: &Chain, known: &Known) {
        self.numbers(chain);
        self.replay(chain, known);
        for (number, account) in &chain.accounts {
            for settled in &account.requests {
                self.authority(*number, settled);
            }
            self.moved(*number, account);
        }
        for (older, newer) in chain.kept.values().zip(chain.kept.values().skip(1)) {
            self.given_names(older, newer);
        }
        self.promises(chain, known);
        self.versions(chain);
    }

    fn manifest_of(&self, number: u64) -> Utf8PathBuf {
        self.root.join(format!("generations/{number}"))
    }

    /// I3: a number stands for one generation.
    fn numbers(&mut self, chain: &Chain) {
        let Some(first) = chain.accounts.keys().next().copied() else { return };
        let past = self.names("history").into_iter();
        let past: Vec<u64> = past.filter_map(|name| number_of(name.strip_suffix(".json")?)).collect();
        let kept: Vec<u64> = self.names("generations").iter().filter_map(|name| number_of(name)).collect();
        let kept = kept.into_iter().filter(|number| *number <= chain.current);
        for number in past.iter().copied().chain(kept).filter(|number| *number > first) {
            if !chain.accounts.contains_key(&number) {
                let words = format!("generation {number} does not lead to the current one");
                self.broken("I3", self.root.join("generations"), words);
            }
        }
        for number in past {
            let [past, kept] =
                [format!("history/{number}.json"), format!("generations/{number}/manifest.json")]
                    .map(|path| self.root.join(path));
            if let (Ok(past_bytes), Ok(kept_bytes)) = (self.read(&past), self.read(&kept))
                && past_bytes != kept_bytes
            {
                self.broken("I3", past, format!("it is not the manifest that lies at `{kept}`"));
            }
        }
    }

    /// I12: what the changes add up to is what each kept generation lists.
    fn replay(&mut self, chain: &Chain, known: &Known) {
        let mut lists = Links::new();
        let mut ever = BTreeSet::<Sha256>::new();
        let mut before = Everywhere::default();
        for (number, account) in &chain.accounts {
            let place = self.manifest_of(*number);
            let imports = account.requests.iter();
            let imports =
                imports.map(|one| &*one.answer.action).any(|action| ["import", "adopt"].contains(&action));
            let made = before.made(account);
            for (name, moves) in &account.changes {
                let Some(shelved) = account.repositories.get(name) else {
                    self.broken("I12", place.clone(), format!("`{name}` changed and does not exist"));
                    continue;
                };
                let repository = shelved.repository();
                let listed = lists.entry(name.clone()).or_default();
                let mut wrong = Vec::new();
                for package in &moves.left {
                    if !listed.remove(&package.link(&repository)) {
                        wrong.push(format!("`{}` leaves {name}, which did not list it", package.nevra));
                    }
                }
                for package in &moves.entered {
                    if !listed.insert(package.link(&repository)) {
                        wrong.push(format!("`{}` enters {name}, which listed it", package.nevra));
                    }
                    let is_made = made.contains(&(shelved.product.as_str(), package));
                    if !imports && !is_made && !ever.contains(&package.pkgid) {
                        wrong.push(format!("`{}` enters {name}, and no import brought it", package.nevra));
                    }
                }
                for words in wrong {
                    self.broken("I12", place.clone(), words);
                }
            }
            ever.extend(
                account.changes.values().flat_map(|moves| &moves.entered).map(|package| package.pkgid),
            );
            before.advance(account);
            if let Some(kept) = chain.kept.get(number) {
                self.compare(kept, &lists, known);
            }
        }
    }

    fn compare(&mut self, kept: &Kept, lists: &Links, known: &Known) {
        let all = self.listed_links(kept, known);
        for (name, shelved) in &kept.account.repositories {
            let path = format!("{}/repodata/repomd.xml", shelved.path);
            if !known.has(kept.files.public.get(path.as_str()).map(|facts| facts.sha256)) {
                continue;
            }
            let below = format!("packages/{name}/");
            let listed: BTreeSet<&String> = all.iter().filter(|link| link.starts_with(&below)).collect();
            let counted: BTreeSet<&String> = lists.get(name).into_iter().flatten().collect();
            if listed != counted {
                let words = format!(
                    "it lists {} packages that no request brought, and lacks {}",
                    listed.difference(&counted).count(),
                    counted.difference(&listed).count()
                );
                self.broken("I12", self.root.join(format!("public/@{}/{path}", kept.number)), words);
            }
        }
    }

    /// I12: what changed is what the requests of the generation say they moved.
    fn moved(&mut self, number: u64, account: &Account) {
        let mut effects = BTreeMap::<(&str, String), i64>::new();
        let mut count =
            |repository, nevra: String, step| *effects.entry((repository, nevra)).or_default() += step;
        let mut wrong = Vec::new();
        for settled in &account.requests {
            let answer = &settled.answer;
            for moved in &answer.moved {
                moved.entered.iter().for_each(|nevra| count(&*moved.repository, nevra.clone(), 1));
                moved.left.iter().for_each(|nevra| count(&*moved.repository, nevra.clone(), -1));
                if !MOVING.contains(&&*answer.action) && !answer.claim.starts_with("clock/") {
                    wrong.push(format!("{} is a `{}` and moves packages", answer.claim, answer.action));
                }
            }
        }
        for (name, moves) in &account.changes {
            moves.entered.iter().for_each(|package| count(name, package.nevra.to_string(), -1));
            moves.left.iter().for_each(|package| count(name, package.nevra.to_string(), 1));
        }
        let differ = effects.into_iter().filter(|(_, step)| *step != 0);
        let differ =
            differ.map(|((name, nevra), _)| format!("`{nevra}` in {name} and its requests do not agree"));
        for words in wrong.into_iter().chain(differ) {
            self.broken("I12", self.manifest_of(number), words);
        }
    }

    /// I15, I17 and I18: what took effect was allowed to, and says so.
    fn authority(&mut self, number: u64, settled: &Settled) {
        let answer = &settled.answer;
        let place = self.manifest_of(number);
        let claim = &answer.claim;
        match answer.outcome {
            Outcome::Done => {}
            Outcome::Refused => {
                self.broken(
                    "I17",
                    place.clone(),
                    format!("{claim} was refused, and stands among what took effect"),
                );
            }
            _ => {
                self.broken("I15", place.clone(), format!("{claim} has no effect, and stands among what has"))
            }
        }
        // Early adopters stand in the register of the procedure, which the roles gate looked at.
        let is_of_a_team = settled.deed.is_some() && TEAM_STEPS.contains(&&*answer.action);
        if answer.owner != "clock" && settled.roles.is_empty() && !is_of_a_team {
            self.broken("I18", place.clone(), format!("{claim}: `{}` had no role", answer.owner));
        }
        if answer.owner != "clock" && !answer.gates.iter().any(|gate| gate.gate == "roles") {
            self.broken("I18", place.clone(), format!("{claim}: nobody looked at the roles"));
        }
        for gate in answer.gates.iter().filter(|gate| gate.verdict == Verdict::Fail) {
            self.broken("I18", place.clone(), format!("{claim}: the gate `{}` failed", gate.gate));
        }
    }

    /// I9: a name stands for one generation for ever, and does not live again.
    fn given_names(&mut self, older: &Kept, newer: &Kept) {
        for (name, named) in &older.manifest.names {
            let later = newer.manifest.names.get(name);
            if later.is_none_or(|later| later.generation != named.generation || named.ended && !later.ended) {
                let words = format!("the name `{name}` stood for generation {}", named.generation);
                self.broken("I9", self.manifest_of(newer.number), words);
            }
        }
    }

    /// I8 and I23: what an older generation promised is kept on, and what is dropped is gone.
    fn promises(&mut self, chain: &Chain, known: &Known) {
        let Some(current) = chain.kept.get(&chain.current) else { return };
        let listed = self.listed_links(current, known);
        for kept in chain.kept.values().filter(|kept| kept.number != chain.current) {
            for (link, until) in &kept.manifest.retained {
                let is_held = current.manifest.retained.contains_key(link) || listed.contains(link);
                if *until > current.manifest.created && !is_held && !self.is_purged(link) {
                    let words = format!("generation {} promised it until {until}", kept.number);
                    self.broken("I8", self.root.join("public").join(link), words);
                }
            }
            for (path, facts) in &kept.files.public {
                let Some(until) = facts.until.filter(|until| *until > current.manifest.created) else {
                    continue;
                };
                let now = current.files.public.get(path);
                if now.is_none_or(|now| now.sha256 != facts.sha256) && !self.purged.contains(&facts.sha256) {
                    let words = format!("generation {} promised it until {until}", kept.number);
                    self.broken("I8", self.root.join(format!("public/@{}/{path}", chain.current)), words);
                }
            }
        }
        for link in current.manifest.drop_links.iter().filter(|_| self.quiet()).cloned().collect::<Vec<_>>() {
            let Some(path) = store::Paths::new(self.root).link(&link) else { continue };
            if self.disk.state(&path).is_ok_and(|state| state.is_some()) {
                self.broken("I23", path, "the current generation drops it, and it is still there");
            }
        }
    }

    /// Whether a purge took the link: the name of its directory tells, where it is not an old href.
    fn is_purged(&self, link: &str) -> bool {
        match link.split('/').collect::<Vec<_>>()[..] {
            [_, _, _, short, _] => self.purged.iter().any(|digest| digest.short() == short),
            _ => !self.purged.is_empty(),
        }
    }

    /// I9: two versions of a URL never share second of modification and size.
    fn versions(&mut self, chain: &Chain) {
        let mut seen = BTreeMap::new();
        for kept in chain.kept.values() {
            for (path, facts) in &kept.files.public {
                let first = *seen.entry((path, facts.modified.seconds, facts.size)).or_insert(facts.sha256);
                if first != facts.sha256 {
                    let words = "an earlier version had the same second and size";
                    self.broken("I9", self.root.join(format!("public/@{}/{path}", kept.number)), words);
                }
            }
        }
    }
}
