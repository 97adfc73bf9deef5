//! `sluice purge`: takes packages out of everything that exists.

pub mod arguments;

use daemon::submit::Submitter;
use plan::{Action, Request};

use crate::ask;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::Purge;

/// Asks, on a terminal after the plan was shown and agreed to.
pub fn run(settings: &Settings, purge: Purge, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let request = ask::dressed(Request::new(Action::Purge { packages: purge.packages }), &purge.asking);
    ask::agreed(&Submitter::new(config.spool), request, purge.yes, &purge.asking.waiting, terminal)
}
