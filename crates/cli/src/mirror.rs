//! `sluice mirror`: a copy of a site that is one whole generation at every instant.
//!
//! ```text
//! inventory of what is current --> everything else through /@N/ --> verified --> laid out, synced --> current -> @N
//! ```
//!
//! What flips meanwhile does no harm: all but the inventory comes from the generation it names. If that is swept before all
//! of it came, the next one is copied, and what came already is kept.
#![expect(clippy::disallowed_methods, reason = "waits between two looks")]

pub mod arguments;
mod http;
mod outside;
mod place;
mod rsync;
mod source;
mod wanted;

use std::collections::BTreeMap;

use daemon::inventory::Inventory;
use serde_json::json;

use crate::failure::Failure;
use crate::terminal::Terminal;
use arguments::Mirror;
use place::Place;
use source::{Source, Trouble};
use wanted::{Wanted, Whole, lie};

pub use http::Http;
pub use outside::verify;
pub use source::Pace;

/// How many generations may vanish under one copy.
const VANISHED_MAX: usize = 5;

/// What one copy did.
struct Copied {
    generation: u64,
    /// Whether it was not here before.
    is_new: bool,
    files: usize,
    fetched: usize,
    bytes: u64,
}

/// Copies once, or again and again.
pub fn run(asked: &Mirror, terminal: &Terminal) -> Result<u8, Failure> {
    let source = Source::of(&asked.source, Pace { rate: asked.rate, timeout: asked.timeout })?;
    let mut place = Place::open(&asked.dir)?;
    loop {
        let copied = copy(&source, &mut place, asked.keep);
        let Some(period) = asked.follow else {
            tell(&copied?, asked, terminal);
            return Ok(0);
        };
        match copied {
            Ok(copied) if copied.is_new => tell(&copied, asked, terminal),
            Ok(_) => {}
            // The next look may find it well again; a person is needed for the rest.
            Err(failure) if matches!(failure.exit, 5 | 6 | 75) => terminal.failure(&failure),
            Err(failure) => return Err(failure),
        }
        std::thread::sleep(period);
    }
}

fn tell(copied: &Copied, asked: &Mirror, terminal: &Terminal) {
    let Copied { generation, is_new, files, fetched, bytes } = copied;
    let value = json!({
        "generation": generation, "changed": is_new, "files": files, "fetched": fetched, "bytes": bytes, "exit": 0,
    });
    terminal.either(&value, |_| match is_new {
        true => format!(
            "generation {generation} is in `{}`: {fetched} of {files} files came ({bytes} bytes)\n",
            asked.dir
        ),
        false => format!("generation {generation} is in `{}` already\n", asked.dir),
    });
}

/// Copies whatever is current, if it is not here.
fn copy(source: &Source, place: &mut Place, keep: usize) -> Result<Copied, Failure> {
    let mut vanished = String::new();
    for _ in 0..VANISHED_MAX {
        let bytes = source.inventory(&place.parts())?;
        let inventory = Inventory::parse(&bytes).map_err(|words| lie(daemon::inventory::NAME, &words))?;
        let number = inventory.generation;
        match place.current()? {
            Some(here) if here > number => {
                let words = format!("the source has generation {number}, and {here} is here already");
                let hint = "a proxy may keep an old answer; numbers of a site never fall";
                return Err(Failure { exit: 75, ..Failure::internal(words).hint(hint) });
            }
            Some(here) if here == number => {
                if place.inventory().is_none_or(|here| here != bytes) {
                    return Err(lie(daemon::inventory::NAME, "it is another generation of the same number"));
                }
                return Ok(Copied { generation: number, is_new: false, files: 0, fetched: 0, bytes: 0 });
            }
            _ => {}
        }
        match take(source, place, &inventory) {
            Ok((whole, fetched, size)) => {
                let files = whole.len() + 1;
                place.publish(number, whole, &bytes, keep)?;
                return Ok(Copied { generation: number, is_new: true, files, fetched, bytes: size });
            }
            Err(Trouble::Vanished(words)) => vanished = words,
            Err(Trouble::Failure(failure)) => return Err(failure),
        }
    }
    let failure =
        Failure::internal(format!("{VANISHED_MAX} generations went while they were copied: {vanished}"));
    let hint = "the site keeps generations for less time than a copy takes, or does not answer below `/@N/`";
    Err(Failure { exit: 75, ..failure.hint(hint) })
}

/// Brings everything of one generation that is not here, verified.
fn take(source: &Source, place: &Place, inventory: &Inventory) -> Result<(Whole, usize, u64), Trouble> {
    let (mut fetched, mut bytes) = (0, 0);
    let mut bring = |wanted: &[&Wanted]| -> Result<(), Trouble> {
        let mut missing: BTreeMap<&str, &Wanted> = BTreeMap::new();
        for wanted in wanted.iter().filter(|wanted| place.known(wanted).is_none()) {
            let first = missing.entry(&wanted.digest.hex).or_insert(wanted);
            if first.size != wanted.size {
                return Err(lie(&wanted.path, "one digest is to have two sizes").into());
            }
        }
        let missing: Vec<&Wanted> = missing.into_values().collect();
        place.has_room(missing.iter().fold(0, |all: u64, wanted| all.saturating_add(wanted.size)))?;
        bytes += source.fetch(inventory.generation, &missing, &place.parts())?;
        for wanted in &missing {
            if place.verified(wanted)? {
                continue;
            }
            // What lay there was perhaps the beginning of another file.
            bytes += source.fetch(inventory.generation, &[*wanted], &place.parts())?;
            if !place.verified(wanted)? {
                return Err(lie(
                    &wanted.path,
                    &format!("it has not {} bytes with the {}", wanted.size, wanted.digest),
                )
                .into());
            }
        }
        fetched += missing.len();
        Ok(())
    };
    let whole = wanted::whole(inventory, &mut bring, &|wanted| place.read(wanted))?;
    Ok((whole, fetched, bytes))
}
