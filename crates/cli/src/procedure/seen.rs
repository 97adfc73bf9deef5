//! What the current generation remembers of a procedure: read without the daemon, and without a lock.

use daemon::config::Config;
use jiff::Timestamp;
use plan::{Procedure, Product};
use serde::Serialize;
use store::{Generation, Store};
use workflow::{Matter, State, Times, Waiting, waiting};

use super::spoken;
use crate::clock;
use crate::failure::Failure;
use crate::settings::{Settings, nothing_published};

/// The procedure of one product, as it stands.
pub struct Seen {
    /// The product.
    pub product: Product,
    /// How its procedure is set up.
    pub procedure: Procedure,
    /// What is remembered of it.
    pub state: State,
    /// What the clocks say.
    pub times: Times,
    /// What stands behind `sluice` before any verb, and behind every one.
    around: (Vec<String>, Vec<String>),
}

/// Who waits for whom, as it is told.
#[derive(Debug, Serialize)]
pub struct Waits {
    product: String,
    about: Vec<Matter>,
    who: String,
    for_whom: String,
    for_what: String,
    since: Timestamp,
    until: Option<Timestamp>,
    /// Whether whoever is waited for is late.
    pub late: bool,
    /// The command that goes on, ready for a shell.
    pub command: Option<String>,
}

impl Waits {
    /// Says it in one line, the command in another.
    pub fn words(&self) -> String {
        let are = if self.who == "operations" || self.who == "the verifiers" { "are" } else { "is" };
        let mut text =
            format!("{} {are} {}, since {}", self.who, self.for_what, crate::moment::text(self.since));
        if let Some(until) = self.until {
            text += &format!(", until {}", crate::moment::text(until));
        }
        if self.late {
            text += ", which is late";
        }
        text
    }
}

/// Chooses the product: the one that is named, or the only one that has a procedure.
pub fn product<'a>(config: &'a Config, named: Option<&str>) -> Result<&'a Product, Failure> {
    let with = || config.layout.products.values().filter(|product| product.procedure.is_some());
    let names = || with().map(|product| product.name.clone()).collect::<Vec<_>>().join(", ");
    if let Some(name) = named {
        let found = config.layout.products.get(name);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no product `{name}`")))?;
        return match found.procedure {
            Some(_) => Ok(found),
            None => Err(Failure::usage(format!("`{name}` has no procedure"))
                .hint("`[product.procedure]` in the configuration gives it one")),
        };
    }
    let mut all = with();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Failure::usage("no product has a procedure")
            .hint("`[product.procedure]` in the configuration gives it one")),
        _ => Err(Failure::usage("several products have a procedure")
            .hint(format!("add --product, one of: {}", names()))),
    }
}

/// Reads the procedure of a product as it stands in a generation.
fn at(
    settings: &Settings,
    (config, store): (&Config, &Store),
    generation: &Generation,
    product: &Product,
) -> Result<Option<Seen>, Failure> {
    let Some(procedure) = product.procedure.clone() else { return Ok(None) };
    let remembered = daemon::remembered::read(store, generation)?;
    let witness = clock::witness(store, Some(generation))?;
    let others = config.layout.products.values().filter(|one| one.procedure.is_some());
    let before = match settings.on_the_command_line {
        true => vec!["-c".to_owned(), settings.file().to_string()],
        false => Vec::new(),
    };
    let behind = match others.count() {
        0 | 1 => Vec::new(),
        _ => vec!["--product".to_owned(), product.name.clone()],
    };
    Ok(Some(Seen {
        product: product.clone(),
        procedure,
        state: remembered.products.get(&product.name).cloned().unwrap_or_default(),
        times: Times { wall: witness.seen.wall, witnessed: witness.time },
        around: (before, behind),
    }))
}

/// Reads one procedure: of the product that is named, or of the only one that has one.
pub fn of(settings: &Settings, named: Option<&str>) -> Result<Seen, Failure> {
    let (config, store) = settings.store()?;
    let product = product(&config, named)?;
    let current = store.current()?.ok_or_else(nothing_published)?;
    let seen = at(settings, (&config, &store), &current, product)?;
    seen.ok_or_else(|| Failure::usage(format!("`{}` has no procedure", product.name)))
}

/// Reads the procedures of all products.
pub fn all(
    settings: &Settings,
    config: &Config,
    store: &Store,
    current: &Generation,
) -> Result<Vec<Seen>, Failure> {
    let products = config.layout.products.values();
    let seen = products.map(|product| at(settings, (config, store), current, product));
    Ok(seen.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

impl Seen {
    /// Lists who waits for whom, what waits longest first.
    pub fn waits(&self) -> Vec<Waits> {
        let all = waiting(&self.state, &self.procedure.rules, self.times);
        all.into_iter().map(|one| self.told(one)).collect()
    }

    /// Lists what waits about one thing.
    pub fn waits_about(&self, matter: &Matter) -> Vec<Waits> {
        self.waits().into_iter().filter(|one| one.about.contains(matter)).collect()
    }

    fn told(&self, one: Waiting) -> Waits {
        let late = one.is_late(self.times);
        let words = one.step.as_ref().and_then(spoken::words);
        Waits {
            product: self.product.name.clone(),
            about: one.about.into_iter().collect(),
            who: one.who.to_string(),
            for_whom: one.for_whom.to_string(),
            for_what: one.for_what,
            since: one.since,
            until: one.until,
            late,
            command: words.map(|words| self.command(&words)),
        }
    }

    /// Writes a command as whoever looks would type it.
    pub fn command(&self, words: &[String]) -> String {
        let program = ["sluice".to_owned()];
        let (before, behind) = &self.around;
        spoken::shell(&[&program, before.as_slice(), words, behind.as_slice()].concat())
    }
}
