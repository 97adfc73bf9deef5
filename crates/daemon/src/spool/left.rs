//! What lies in `incoming/` and is not taken, and why, and what was taken: shown to people by `status`.

use super::claim_name::claimed_at;
use super::{Spool, format_of};
use crate::error::Error;
use jiff::Timestamp;
use store::Kind;

/// Is something in `incoming/` that stays there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// Why it is not taken, in words.
    pub why: String,
}

impl Spool {
    /// Lists what lies in `incoming/` now and why it stays, sorted by name.
    ///
    /// Requests that are about to be claimed are among them if they are looked at before the next scan.
    pub fn left_alone(&self) -> Result<Vec<Left>, Error> {
        let incoming = self.incoming();
        let names = self.disk.list(&incoming)?;
        let mut left = Vec::new();
        for name in names.names {
            let Some(state) = self.disk.state(&incoming.join(&name))? else {
                continue;
            };
            let why = match (format_of(&name), state.kind) {
                (None, _) if name.starts_with('.') => "its name begins with a dot, so it is being written",
                (None, _) => "it is not named `*.toml` or `*.json`",
                (Some(_), Kind::Directory) => "it is a directory; it was refused, remove it",
                (Some(_), _) => "it is not whole yet, or about to be claimed",
            };
            left.push(Left { name, why: why.to_owned() });
        }
        let odd = names.odd.into_iter();
        left.extend(odd.map(|name| Left { name, why: "its name is not UTF-8".to_owned() }));
        left.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(left)
    }

    /// Lists the names of the claims that are not settled, sorted; for looking on, without a lock.
    pub fn in_hand(&self) -> Result<Vec<String>, Error> {
        let names = self.disk.list(&self.processing())?.names;
        // The record of a claim ends in `.claim.json`, and what is before `.json` is no claim name then.
        let claims = names.iter().filter_map(|name| format_of(name)).map(|(claim, _)| claim);
        Ok(claims.filter(|claim| claimed_at(claim).is_some()).map(str::to_owned).collect())
    }
    /// Lists the requests that wait for their answer and since when, oldest first: those in hand since their
    /// claim, those in `incoming/` since they were written. What is no request does not count.
    pub fn waiting_since(&self) -> Result<Vec<(Timestamp, String)>, Error> {
        let mut waiting = Vec::new();
        for claim in self.in_hand()? {
            waiting.extend(claimed_at(&claim).map(|at| (at, claim)));
        }
        let incoming = self.incoming();
        for name in self.disk.list(&incoming)?.names {
            let Some(state) = self.disk.state(&incoming.join(&name))? else { continue };
            // A directory was refused once and waits for nobody.
            if format_of(&name).is_some() && state.kind != Kind::Directory {
                let at = Timestamp::from_second(state.modified.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
                waiting.push((at, name));
            }
        }
        waiting.sort();
        Ok(waiting)
    }
}
