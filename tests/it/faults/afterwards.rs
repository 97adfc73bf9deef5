//! What must be so after a kill or a fault: at once, and when the next round is over.

use daemon::verify::Rest;

use super::bench::{Told, names};
use super::scenarios::Ready;
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
            Ok(offered) => wrong.push(format!("neither the old nor the new is offered: {offered:?}")),
            Err(error) => wrong.push(format!("what is published cannot be read: {error}")),
        }
        (wrong, self.bench.told())
    }

    /// Starts again without any fault, and tells what is wrong when that has come to rest.
    pub fn next_round(&self, told: &Told, by: Looks) -> Vec<String> {
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
            Ok(offered) => wrong.push(format!("{offered:?} is offered, not {:?}", self.after)),
            Err(error) => wrong.push(format!("what is published cannot be read: {error}")),
        }
        if self.bench.links() != self.links {
            wrong.push(format!("I7 the links are not {:?}", self.links));
        }
        let now = self.bench.told();
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
}
