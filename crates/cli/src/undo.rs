//! `sluice undo`: does the inverse of a settled request.

pub mod arguments;

use std::io::IsTerminal as _;

use daemon::submit::Submitter;
use plan::{Action, Request};

use crate::ask;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::Undo;

/// Asks, on a terminal after the plan was shown and agreed to. The command line does not say what will move, so whoever
/// has seen no plan must say that they want it all the same.
pub fn run(settings: &Settings, undo: Undo, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let request = ask::dressed(Request::new(Action::Undo { request: undo.request }), &undo.asking);
    let is_shown = terminal.is_watched() && std::io::stdin().is_terminal() && !undo.asking.waiting.no_wait;
    if !request.dry_run && !undo.yes && request.plan.is_none() && !is_shown {
        let failure = Failure::usage("the plan was not shown, and there is nobody here to agree to it");
        return Err(failure.hint("look at it with --dry-run, then say --plan HASH; --yes takes it unseen"));
    }
    ask::agreed(&Submitter::new(config.spool), request, undo.yes, &undo.asking.waiting, terminal)
}
