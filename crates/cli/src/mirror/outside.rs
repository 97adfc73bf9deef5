//! `sluice verify --mirror URL`: whether a mirror serves one whole generation, which, and how far behind it is.
//!
//! Asked as clients ask, below the web root and not below `/@N/`. Packages are asked for their sizes, or read with `deep`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use daemon::inventory::{self, Inventory};
use serde_json::json;

use super::http::Http;
use super::source::{Pace, Trouble};
use super::wanted::{self, Wanted, lie};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// How often a mirror may publish another generation while it is looked at.
const FLIPS_MAX: usize = 5;

/// What was seen of a mirror.
struct Seen {
    inventory: Inventory,
    bytes: Vec<u8>,
    files: usize,
    wrong: Vec<String>,
}

/// Looks at a mirror from outside; exit code 6 if it serves no whole generation.
pub fn verify(mirror: &str, source: Option<&str>, deep: bool, terminal: &Terminal) -> Result<u8, Failure> {
    let http = |url: &str| {
        let top = url.trim_end_matches('/');
        let is_web = top.starts_with("http://") || top.starts_with("https://");
        let words = format!("`{url}` is not an http or https address");
        is_web
            .then(|| Http::new(top, Pace { rate: None, timeout: Duration::from_secs(60) }))
            .ok_or_else(|| Failure::usage(words))
    };
    let (mirror_at, source_at) = (http(mirror)?, source.map(http).transpose()?);
    let mut seen = look(&mirror_at, deep)?;
    let source = source_at.map(|source| source.inventory()).transpose()?;
    let source = source.map(|bytes| Ok::<_, Failure>((parsed(&bytes)?, bytes))).transpose()?;
    if let Some((there, bytes)) = &source
        && there.generation == seen.inventory.generation
        && *bytes != seen.bytes
    {
        seen.wrong.push("inventory.json: the source has another generation of the same number".to_owned());
    }
    let exit = if seen.wrong.is_empty() { 0 } else { 6 };
    let behind = source.as_ref().map(|(there, _)| {
        let seconds = there.created.as_second() - seen.inventory.created.as_second();
        (there.generation, there.generation.saturating_sub(seen.inventory.generation), seconds.max(0))
    });
    let value = json!({
        "mirror": mirror, "generation": seen.inventory.generation, "created": seen.inventory.created,
        "files": seen.files, "violations": seen.wrong, "exit": exit,
        "source_generation": behind.map(|behind| behind.0), "behind_seconds": behind.map(|behind| behind.2),
    });
    terminal.either(&value, |paint| {
        let mut text: String =
            seen.wrong.iter().map(|wrong| format!("{} {wrong}\n", paint.red("wrong"))).collect();
        let Seen { inventory, files, .. } = &seen;
        let (number, created) = (inventory.generation, inventory.created);
        match seen.wrong.len() {
            0 => text.push_str(&format!(
                "{} generation {number} of {created} is whole: {files} files\n",
                paint.green("ok")
            )),
            wrong => text.push_str(&format!(
                "generation {number} of {created} is not whole: {wrong} files are wrong\n"
            )),
        }
        match behind {
            Some((_, 0, _)) => text.push_str("the source has no newer one\n"),
            Some((there, _, seconds)) => {
                text.push_str(&format!("the source has generation {there}, {seconds} s younger\n"));
            }
            None => {}
        }
        text
    });
    Ok(exit)
}

fn parsed(bytes: &[u8]) -> Result<Inventory, Failure> {
    Inventory::parse(bytes).map_err(|words| lie(inventory::NAME, &words))
}

/// Looks until one generation stood still for as long as the look took.
fn look(http: &Http, deep: bool) -> Result<Seen, Failure> {
    for _ in 0..FLIPS_MAX {
        let bytes = http.inventory()?;
        let seen = look_once(http, bytes, deep)?;
        if http.inventory()? == seen.bytes {
            return Ok(seen);
        }
    }
    let words = format!("the mirror published {FLIPS_MAX} generations, each while it was looked at");
    Err(Failure { exit: 75, ..Failure::internal(words) })
}

fn look_once(http: &Http, bytes: Vec<u8>, deep: bool) -> Result<Seen, Failure> {
    let inventory = parsed(&bytes)?;
    let texts: RefCell<BTreeMap<String, Vec<u8>>> = RefCell::default();
    let mut wrong = Vec::new();
    let mut bring = |all: &[&Wanted]| -> Result<(), Trouble> {
        for wanted in all {
            if let Some(words) = one(http, wanted, deep, &texts)? {
                wrong.push(format!("{}: {words}", wanted.path));
            }
        }
        Ok(())
    };
    let read = |wanted: &Wanted| {
        let found = texts.borrow().get(&wanted.path).cloned();
        found.ok_or_else(|| lie(&wanted.path, "it is not there"))
    };
    let whole = wanted::whole(&inventory, &mut bring, &read);
    let files = whole.as_ref().map_or(0, |whole| whole.len() + 1);
    match whole {
        Ok(_) => {}
        // What was found wrong already says more than what followed from it.
        Err(Trouble::Failure(failure)) if failure.exit == 6 => wrong.push(failure.sentence),
        Err(Trouble::Failure(failure)) => return Err(failure),
        Err(Trouble::Vanished(words)) => wrong.push(words),
    }
    Ok(Seen { inventory, bytes, files, wrong })
}

/// Looks at one file; says what is wrong with it.
fn one(
    http: &Http,
    wanted: &Wanted,
    deep: bool,
    texts: &RefCell<BTreeMap<String, Vec<u8>>>,
) -> Result<Option<String>, Failure> {
    if wanted.path.ends_with(".rpm") && !deep {
        return Ok(match http.size(&wanted.path)? {
            Some(size) if size == wanted.size => None,
            Some(size) => Some(format!("it has {size} bytes, not {}", wanted.size)),
            None => Some("it is not there".to_owned()),
        });
    }
    let bytes = match http.small(&wanted.path, wanted.size + 1) {
        Ok(bytes) => bytes,
        Err(failure) if failure.exit == 5 => return Ok(Some("it is not there".to_owned())),
        Err(failure) if failure.exit == 6 => return Ok(Some(failure.sentence)),
        Err(failure) => return Err(failure),
    };
    let found = repo::digest(wanted.digest.algorithm, &bytes);
    let words = (found != wanted.digest).then(|| format!("it has the {found}, not the {}", wanted.digest));
    if !wanted.path.ends_with(".rpm") {
        texts.borrow_mut().insert(wanted.path.clone(), bytes);
    }
    Ok(words)
}
