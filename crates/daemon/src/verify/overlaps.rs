//! I11 as far as manifests show it: what was promoted stays listed where it was for as long as was recorded, unless
//! somebody asked for something else.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;

use super::{Chain, Look};
use crate::account::{Account, Moves};

impl Look<'_> {
    /// Follows every overlap from the promotion that began it to its end.
    pub(super) fn overlaps(&mut self, chain: &Chain) {
        let mut listed = BTreeMap::<&String, BTreeSet<Sha256>>::new();
        let mut before: Option<&Account> = None;
        for (number, account) in &chain.accounts {
            for (name, moves) in &account.changes {
                let listed = listed.entry(name).or_default();
                for package in &moves.left {
                    listed.remove(&package.pkgid);
                }
                listed.extend(moves.entered.iter().map(|package| package.pkgid));
            }
            let mut wrong = Vec::new();
            for (name, digest, until) in overlaps(account) {
                if !listed.get(name).is_some_and(|listed| listed.contains(digest)) {
                    wrong.push(format!(
                        "{} is to be listed in {name} until {until}, and is not",
                        digest.short()
                    ));
                }
            }
            for (name, digest, until) in before.into_iter().flat_map(overlaps) {
                let goes_on = account.overlapping.get(name).and_then(|all| all.get(digest));
                if goes_on.is_some_and(|later| *later < until) {
                    wrong.push(format!(
                        "the overlap of {} in {name} until {until} is shorter",
                        digest.short()
                    ));
                }
                let is_over = account.clock.as_ref().is_some_and(|clock| until <= clock.time);
                if goes_on.is_none() && !is_over && !is_asked_for(account, name, digest) {
                    wrong.push(format!("the overlap of {} in {name} ends before {until}", digest.short()));
                }
            }
            for words in wrong {
                self.broken("I11", self.root.join(format!("generations/{number}")), words);
            }
            before = Some(account);
        }
    }
}

/// Every overlap of a generation: the name of the repository, the package, and until when.
fn overlaps(account: &Account) -> impl Iterator<Item = (&String, &Sha256, jiff::Timestamp)> {
    account
        .overlapping
        .iter()
        .flat_map(|(name, all)| all.iter().map(move |(digest, until)| (name, digest, *until)))
}

/// Whether somebody touched the package in this generation, or the repository was reverted, or the promotion undone.
fn is_asked_for(account: &Account, name: &str, digest: &Sha256) -> bool {
    let moves = |(at, moves): (&String, &Moves)| {
        let touched = moves.left.iter().chain(&moves.entered).find(|package| package.pkgid == *digest);
        touched.map(|package| (at == name, package.nevra.to_string()))
    };
    let touched: Vec<(bool, String)> = account.changes.iter().filter_map(moves).collect();
    let nevra = touched.iter().find_map(|(is_here, nevra)| is_here.then_some(nevra));
    account.requests.iter().map(|settled| &settled.answer).any(|answer| {
        let mut here = answer.moved.iter().filter(|moved| moved.repository == name);
        match &nevra {
            _ if answer.action == "overlap" => false,
            None if answer.action == "undo" => {
                // Undone is a promotion: the package leaves where it went, unless it had been there before.
                let mut moved = answer.moved.iter().flat_map(|moved| moved.left.iter().chain(&moved.entered));
                answer.moved.is_empty() || moved.any(|one| touched.iter().any(|(_, nevra)| one == nevra))
            }
            None => answer.action == "revert" && here.next().is_some(),
            Some(nevra) => here.any(|moved| moved.left.contains(nevra) || moved.entered.contains(nevra)),
        }
    })
}
