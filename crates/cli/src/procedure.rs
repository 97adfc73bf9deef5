//! `sluice patch`, `bundle`, `ticket`, `task`, `release` and `team`: the steps of a procedure, and where everything stands.

pub mod arguments;
pub mod calendar;
pub mod seen;
mod show;
pub mod spoken;

use daemon::submit::Submitter;
use plan::{Action, Request};

use crate::ask;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;
pub use show::waits;
use spoken::Asked;

/// Hands the request of a step in, or shows what is remembered.
pub fn run(settings: &Settings, asked: Asked, terminal: &Terminal) -> Result<u8, Failure> {
    let (command, product, asking) = match asked {
        Asked::Step(command, product, asking) => (command, product, asking),
        Asked::Look(kind, which, product) => {
            let seen = seen::of(settings, product.as_deref())?;
            return show::run(&seen, kind, which.as_deref(), terminal);
        }
    };
    let config = settings.config()?;
    let product = seen::product(&config, product.as_deref())?.name.clone();
    let request = ask::dressed(Request::new(Action::Step { product, command }), &asking);
    ask::request(&Submitter::new(config.spool), &request, &asking.waiting, terminal)
}
