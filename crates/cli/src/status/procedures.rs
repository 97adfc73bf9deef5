//! Who waits for whom in the procedures of a site, with the command that goes on, and what their urgent lanes owe.

use std::fmt::Write;

use daemon::config::Config;
use serde::Serialize;
use store::{Generation, Store};
use workflow::{debts, ticket_debts};

use crate::failure::Failure;
use crate::procedure::seen::{self, Waits};
use crate::procedure::waits;
use crate::settings::Settings;
use crate::terminal::Paint;

/// The procedure of one product, as `sluice status` tells of it.
#[derive(Debug, Serialize)]
pub struct Under {
    product: String,
    waiting: Vec<Waits>,
    /// The patches that entered production before a site had tested them, each with its update.
    debts: Vec<(String, u32)>,
    /// The tickets that did.
    ticket_debts: Vec<String>,
    /// How many of those who are waited for are late.
    late: usize,
}

/// Looks at every procedure of the site.
pub fn of(
    settings: &Settings,
    config: &Config,
    store: &Store,
    current: &Generation,
) -> Result<Vec<Under>, Failure> {
    let all = seen::all(settings, config, store, current)?;
    let under = all.into_iter().map(|seen| {
        let waiting = seen.waits();
        let debts = debts(&seen.state).into_iter().map(|(patch, update)| (patch.to_string(), update));
        Under {
            product: seen.product.name.clone(),
            debts: debts.collect(),
            ticket_debts: ticket_debts(&seen.state).iter().map(ToString::to_string).collect(),
            late: waiting.iter().filter(|one| one.late).count(),
            waiting,
        }
    });
    Ok(under.collect())
}

/// Writes it; a procedure in which nobody waits is told, too.
pub fn words(all: &[Under], text: &mut String, paint: Paint) {
    for Under { product, waiting, debts, ticket_debts, late } in all {
        let late = if *late > 0 { format!(", {late} late") } else { String::new() };
        let _ = writeln!(text, "  procedure    `{product}`: {} waited for{late}", waiting.len());
        waits(waiting, "    ", text, paint);
        for (patch, update) in debts {
            let _ = writeln!(
                text,
                "    no site has tested patch {patch} to the end, which update {update} brought"
            );
        }
        for ticket in ticket_debts {
            let _ =
                writeln!(text, "    no site has tested ticket {ticket} to the end, which is in production");
        }
    }
}
