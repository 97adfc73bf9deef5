//! `sluice sweep`: asks for a sweep now; with `--dry-run`, lists all that is held and why it stays or goes.

pub mod arguments;

use std::fmt::Write;
use std::sync::Arc;

use daemon::clock::{Clock, SystemClock};
use daemon::space::promises;
use daemon::submit::Submitter;
use plan::{Action, Held, Promise, Request};
use store::{Disk, PosixDisk};

use crate::ask;
use crate::failure::Failure;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::Sweep;

/// Asks, or lists; listing takes no lock and needs no daemon.
pub fn run(settings: &Settings, asked: Sweep, terminal: &Terminal) -> Result<u8, Failure> {
    if !asked.asking.dry_run {
        let request = ask::dressed(Request::new(Action::Sweep {}), &asked.asking);
        let submitter = Submitter::new(settings.config()?.spool);
        return ask::request(&submitter, &request, &asked.asking.waiting, terminal);
    }
    let (config, store) = settings.store()?;
    let disk: Arc<dyn Disk> = Arc::new(PosixDisk);
    let promises = promises(&*disk, &store, &config, &SystemClock.reading())?;
    terminal.either(&promises, |_| words(&promises));
    Ok(0)
}

fn words(promises: &[Promise]) -> String {
    let mut text = String::new();
    for promise in promises {
        let verb = if promise.goes { "goes " } else { "stays" };
        let what = match promise.kind {
            Held::Generation => format!("generation {}", promise.what),
            Held::Quarantine => format!("quarantine {}", promise.what),
            Held::Link | Held::Package | Held::File => promise.what.clone(),
        };
        let _ = writeln!(text, "{verb}  {what}: {}", promise.reason);
    }
    let going = promises.iter().filter(|promise| promise.goes).count();
    let _ = writeln!(text, "{} would go, {} stay", moment::count(going, "thing"), promises.len() - going);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_told_with_its_reason() {
        let promise = |kind, what: &str, goes, reason: &str| Promise {
            kind,
            what: what.to_owned(),
            goes,
            reason: reason.to_owned(),
        };
        let promises = [
            promise(Held::Generation, "7", false, "it is named `update-57`"),
            promise(Held::Link, "packages/a/b.rpm", true, "retained until 2026-03-01T12:00:00Z"),
        ];
        let expected = "\
stays  generation 7: it is named `update-57`
goes   packages/a/b.rpm: retained until 2026-03-01T12:00:00Z
1 thing would go, 1 stay
";
        assert_eq!(words(&promises), expected);
    }
}
