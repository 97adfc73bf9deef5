//! I19 as far as generations show it: what procedures remember is what the deeds on record make, and packages lie where their
//! patches do.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;
use plan::{Layout, Repository};
use serde_json::Value;
use workflow::{Deed, FORMAT, Fact, Filed, Patch, Place, Workflow};

use super::chain::Kept;
use super::{Chain, Look};
use crate::account::Account;
use crate::candidates::{FOLDER, PREPARED, Prepared, candidate_of, open};
use crate::config::Config;
use crate::remembered::{self, ARCHIVE};

/// The names of packages by repository, as they are listed.
type Lists = BTreeMap<Repository, BTreeSet<String>>;

impl Look<'_> {
    /// Follows what the procedures did from the first generation on.
    pub(super) fn procedures(&mut self, chain: &Chain) {
        let mut workflow = Workflow::default();
        let mut filed = Vec::<Filed>::new();
        let mut lists = Lists::new();
        let mut layouts = BTreeMap::<Sha256, Option<Config>>::new();
        for (number, account) in &chain.accounts {
            advance(&mut lists, account);
            let mut deeds = Vec::new();
            for (at, settled) in account.requests.iter().enumerate() {
                let Some(deed) = settled.deed.as_deref() else { continue };
                filed.extend(workflow.evolve(deed));
                // What others did to the packages in the same instant, nobody can tell apart.
                let after = &account.requests[at + 1..];
                if after.iter().all(|other| other.deed.is_some() || other.answer.moved.is_empty()) {
                    deeds.push(deed);
                }
            }
            if let Some((_, policy)) = chain.made.get(number).filter(|_| !deeds.is_empty()) {
                let config = layouts.entry(*policy).or_insert_with(|| self.policy(policy));
                if let Some(config) = config {
                    self.lie_where_they_are_said_to(*number, &config.layout, (&workflow, &deeds), &lists);
                }
            }
            if let Some(kept) = chain.kept.get(number) {
                self.remembered(kept, &workflow, &filed);
                self.candidates(kept, &workflow, &chain.accounts);
            }
        }
    }

    fn policy(&self, digest: &Sha256) -> Option<Config> {
        let bytes = self.read(&self.root.join(format!("policy/{digest}.toml"))).ok()?;
        Config::parse(&bytes, "policy").ok()
    }

    /// Compares where patches are said to lie with what is listed there.
    fn lie_where_they_are_said_to(
        &mut self,
        number: u64,
        layout: &Layout,
        (workflow, deeds): (&Workflow, &[&Deed]),
        lists: &Lists,
    ) {
        let mut wrong = Vec::new();
        for deed in deeds {
            let Some(product) = layout.products.get(&deed.product) else { continue };
            let Some(procedure) = &product.procedure else { continue };
            let Some(state) = workflow.products.get(&deed.product) else { continue };
            let moved = deed.facts.iter().filter_map(|fact| match fact {
                Fact::PatchMoved { patch, .. } => Some((patch, state.patches.get(patch)?)),
                _ => None,
            });
            for (id, patch) in moved {
                let (stage, is_there) = match patch.place {
                    Place::Before => continue,
                    Place::Beta => (&procedure.rules.beta, true),
                    Place::Production => (&procedure.rules.production, true),
                    Place::TakenOut => (&procedure.rules.beta, false),
                };
                let words = if is_there { "does not list" } else { "lists" };
                let all = of_stage(lists, &deed.product, stage);
                wrong.extend(amiss(patch, &all, is_there).map(|name| {
                    format!("patch `{id}` lies {:?}, and `{stage}` {words} {name}", patch.place)
                }));
            }
        }
        for words in wrong {
            self.broken("I19", self.root.join(format!("generations/{number}")), words);
        }
    }

    /// Compares what a generation remembers with what was done until then.
    fn remembered(&mut self, kept: &Kept, workflow: &Workflow, filed: &[Filed]) {
        let private = self.root.join(format!("generations/{}", kept.number));
        let place = private.join(remembered::NAME);
        let stored = match kept.files.private.contains_key(remembered::NAME) {
            true => self.stored(&place, "workflow"),
            false => Ok(serde_json::to_value(Workflow::default()).unwrap_or_default()),
        };
        self.compared(place, stored, serde_json::to_value(workflow).unwrap_or_default());
        let mut all = Vec::new();
        for path in kept.files.private.keys().filter(|path| path.starts_with(ARCHIVE)) {
            match self.stored(&private.join(path), "filed") {
                Ok(Value::Array(these)) => all.extend(these),
                Ok(_) => self.broken("I19", private.join(path), "it holds no list"),
                Err(words) => self.broken("I19", private.join(path), words),
            }
        }
        let done = serde_json::to_value(filed).unwrap_or_default();
        self.compared(private.join(ARCHIVE), Ok(Value::Array(all)), done);
    }

    /// Looks whether the candidates are those of the updates that are still to be published, and whether what they list is there.
    fn candidates(&mut self, kept: &Kept, workflow: &Workflow, accounts: &BTreeMap<u64, Account>) {
        let private = self.root.join(format!("generations/{}", kept.number));
        let paths = || kept.files.private.keys().chain(kept.files.private_links.keys());
        let mut has: BTreeSet<&str> = paths().filter_map(|path| candidate_of(path)).collect();
        for wanted in open(workflow) {
            let prepared = format!("{FOLDER}{wanted}/{PREPARED}");
            if !kept.files.private.contains_key(&prepared) {
                self.broken("I19", private.join(prepared), "an update is prepared, and has no candidate");
            }
            has.remove(wanted.as_str());
            self.candidate_leads_somewhere(kept, &wanted, accounts);
        }
        for other in has {
            let place = private.join(format!("{FOLDER}{other}"));
            self.broken("I19", place, "it is the candidate of no update that is to be published");
        }
        for path in paths().filter(|path| path.starts_with("staff/") && candidate_of(path).is_none()) {
            self.broken("I19", private.join(path), "it is for staff and belongs to nothing");
        }
    }

    /// Looks whether the links of a candidate lead to something. What left a repository since it was prepared stays for the
    /// grace and no longer, for its readers as for the candidate, which is to be prepared anew then.
    fn candidate_leads_somewhere(&mut self, kept: &Kept, hash: &str, accounts: &BTreeMap<u64, Account>) {
        let private = self.root.join(format!("generations/{}", kept.number));
        let place = private.join(format!("{FOLDER}{hash}/{PREPARED}"));
        let read = self
            .read(&place)
            .and_then(|bytes| serde_json::from_slice::<Prepared>(&bytes).map_err(|error| error.to_string()));
        let prepared = match read {
            Ok(prepared) => prepared,
            // That it is missing is told already.
            Err(words) if kept.files.private.contains_key(&format!("{FOLDER}{hash}/{PREPARED}")) => {
                return self.broken("I19", place, words);
            }
            Err(_) => return,
        };
        let since = accounts.range(prepared.generation + 1..=kept.number);
        let changed: BTreeSet<&String> = since.flat_map(|(_, account)| account.changes.keys()).collect();
        let top = format!("{FOLDER}{hash}/");
        for (name, path) in prepared.repositories.iter().filter(|(name, _)| !changed.contains(name)) {
            let below = format!("{top}{path}/Packages/");
            for (link, target) in kept.files.private_links.iter().filter(|(link, _)| link.starts_with(&below))
            {
                let rest = link.strip_prefix(&below).unwrap_or_default();
                let wanted = format!("public/packages/{name}/{rest}");
                let leads = target.trim_start_matches("../") == wanted
                    && self.disk.state(&self.root.join(&wanted)).is_ok_and(|state| state.is_some());
                if !leads {
                    self.broken("I19", private.join(link), "it does not lead to what production has");
                }
            }
        }
    }

    fn stored(&self, place: &camino::Utf8Path, key: &str) -> Result<Value, String> {
        let bytes = self.read(place)?;
        let mut stored: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        match stored["format"].as_u64() == Some(u64::from(FORMAT)) {
            true => Ok(stored[key].take()),
            false => Err(format!("its format is {}", stored["format"])),
        }
    }

    fn compared(&mut self, place: camino::Utf8PathBuf, stored: Result<Value, String>, done: Value) {
        match stored {
            Ok(stored) if stored == done => {}
            Ok(_) => self.broken("I19", place, "it is not what the requests on record brought about"),
            Err(words) => self.broken("I19", place, words),
        }
    }
}

/// The packages of a patch that are not where they are said to be, or still where they are said not to be.
fn amiss<'a>(
    patch: &'a Patch,
    listed: &'a BTreeMap<String, BTreeSet<&String>>,
    is_there: bool,
) -> impl Iterator<Item = String> + 'a {
    let all = patch.items.iter().filter(move |item| {
        // A variant for production bears the same name.
        let lists = listed.get(&item.platform).is_some_and(|names| names.contains(&item.nevra.to_string()));
        lists != is_there
    });
    all.map(|item| item.nevra.to_string())
}

/// What a stage lists, by platform.
fn of_stage<'a>(lists: &'a Lists, product: &str, stage: &str) -> BTreeMap<String, BTreeSet<&'a String>> {
    let mut all = BTreeMap::<String, BTreeSet<&String>>::new();
    for (repository, names) in lists.iter().filter(|(one, _)| one.product == product && one.stage == stage) {
        all.entry(repository.platform().to_string()).or_default().extend(names);
    }
    all
}

/// Makes of what was listed what is listed after a generation.
fn advance(lists: &mut Lists, account: &Account) {
    for (name, moves) in &account.changes {
        let Some(shelved) = account.repositories.get(name) else { continue };
        let listed = lists.entry(shelved.repository()).or_default();
        for left in &moves.left {
            listed.remove(&left.nevra.to_string());
        }
        listed.extend(moves.entered.iter().map(|entered| entered.nevra.to_string()));
    }
}
