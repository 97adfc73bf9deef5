//! What must be so after a kill or a fault: at once, and when the next round is over.

use std::collections::BTreeSet;

use daemon::verify::Rest;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::bench::{Told, names};
use super::scenarios::Ready;
use super::timeless::{BROUGHT, wrong_with_pins};
use testkit::{Checker, run};

/// Who looks at what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// The verifier of the program.
    One,
    /// It, and the independent checker, which takes longer than everything else together.
    Both,
}

impl Looks {
    /// The checker looks at every eighth case.
    pub fn of_case(number: usize) -> Looks {
        if number.is_multiple_of(8) { Looks::Both } else { Looks::One }
    }
}

/// The repository that hosts of one draw from as well.
pub fn leads_to(repository: &str) -> String {
    repository.replace("delta", "production")
}

impl Ready<'_> {
    /// Everything wrong with what was left, before anything is recovered; and what people can read.
    pub fn left(&self, by: Looks) -> (Vec<String>, Told) {
        let mut wrong = Vec::new();
        if self.bench.site.root().join("public/current").is_symlink() {
            wrong.extend(self.bench.look(Rest::AnyInstant));
            if by == Looks::Both {
                wrong.extend(Checker::of(&self.bench.site).violations());
            }
        }
        match self.bench.offered() {
            Ok(offered) if offered == self.before || offered == self.after => {}
            Ok(offered) => {
                wrong.extend(wrong_with_pins(&offered, leads_to));
                wrong.push(format!("neither the old nor the new is offered: {offered:?}"));
            }
            Err(error) => wrong.push(format!("what is published cannot be read: {error}")),
        }
        (wrong, self.bench.told())
    }

    /// Starts again without any fault, and tells what is wrong when that has come to rest.
    pub fn next_round(&self, told: &Told, by: Looks) -> Vec<String> {
        let claims = names(&self.bench.site.spool().join("processing"));
        let ran = run(self.bench.site.as_daemon().args(["daemon", "--once"]));
        let mut wrong = Vec::new();
        if ran.code() != 0 || ran.stderr.contains("panicked") {
            wrong.push(format!("the next start fails: {ran}"));
        }
        wrong.extend(self.bench.look(Rest::Quiet));
        if by == Looks::Both {
            wrong.extend(Checker::of(&self.bench.site).at_rest().violations());
        }
        match self.bench.offered() {
            Ok(offered) if offered == self.after => {}
            Ok(offered) => {
                wrong.extend(wrong_with_pins(&offered, leads_to));
                wrong.push(format!("{offered:?} is offered, not {:?}", self.after));
            }
            Err(error) => wrong.push(format!("what is published cannot be read: {error}")),
        }
        if self.bench.links() != self.links {
            wrong.push(format!("I7 the links are not {:?}", self.links));
        }
        wrong.extend(self.wrong_with_seconds());
        let now = self.bench.told();
        for claim in claims.iter().filter_map(|name| name.strip_suffix(".toml")) {
            if !now.keys().any(|path| path.file_name() == Some(&format!("{claim}.answer.json"))) {
                wrong.push(format!("I15 `{claim}` was claimed so and is answered otherwise"));
            }
        }
        for (path, bytes) in self.told.iter().chain(told) {
            if now.get(path) != Some(bytes) {
                wrong.push(format!("I16 {path}: it was seen and is not so any more"));
            }
        }
        for stem in self.stems {
            let answers = self.bench.site.answers(stem);
            if answers.len() != 1 {
                wrong.push(format!("I15 `{stem}` has {} answers", answers.len()));
            }
        }
        for folder in ["incoming", "processing"] {
            let left = names(&self.bench.site.spool().join(folder));
            if !left.is_empty() {
                wrong.push(format!("{left:?} is left in {folder}/"));
            }
        }
        wrong
    }

    /// What is built anew is built in the second of the claim: asked for again after a kill, the request makes the same
    /// bytes, which is more than that they differ in nothing but their second.
    fn wrong_with_seconds(&self) -> Vec<String> {
        let claims = self.bench.told().into_keys().filter_map(|path| claimed_at(path.file_name()?));
        let seconds: BTreeSet<i64> = claims.chain([BROUGHT]).collect();
        match self.bench.built() {
            Ok(built) => built
                .difference(&seconds)
                .map(|second| format!("something was built at {second}, and nothing was claimed then"))
                .collect(),
            Err(error) => vec![format!("what is published cannot be read: {error}")],
        }
    }
}

/// The second of the claim in the name of an answer, `<stem>-<UTC time>-<6 hex>.answer.json`.
fn claimed_at(name: &str) -> Option<i64> {
    let time = name.rsplit('-').nth(1)?;
    let civil = DateTime::strptime("%Y%m%dT%H%M%S.%fZ", time).ok()?;
    Some(TimeZone::UTC.to_timestamp(civil).ok()?.as_second())
}
