//! `sluice init`: the directories, and the first generation with every repository, empty.

pub mod arguments;
mod resume;

use std::sync::Arc;

use daemon::clock::SystemClock;
use daemon::config::accounts;
use daemon::engine::Engine;
use daemon::ground::{self, Asks};
use daemon::reading::Worker;
use plan::Layout;
use serde_json::json;
use store::{PosixDisk, Store};

use crate::failure::Failure;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Makes what is missing; doing it again changes nothing.
pub fn run(settings: &Settings, asked: &arguments::Init, terminal: &Terminal) -> Result<u8, Failure> {
    let dry_run = asked.dry_run;
    let config = Arc::new(accounts::load(settings.file())?);
    let asks = if dry_run { Asks::Reader } else { Asks::Writer };
    for unfit in ground::demand(&config, asks)? {
        terminal.talk(&format!("warning: {unfit}"));
    }
    if asked.resume {
        return resume::run(&config, asked.ahead, dry_run, terminal);
    }
    let disk = Arc::new(PosixDisk);
    let store = Store::new(Arc::clone(&disk) as _, config.root.clone());
    let repositories = Layout::repositories(&config.layout);
    let before =
        if is_there(&config.root) { store.current()?.map(|generation| generation.number) } else { None };
    if dry_run {
        let said = json!({
            "root": config.root, "spool": config.spool, "current": before,
            "repositories": repositories.iter().map(|repository| config.layout.path(repository)).collect::<Vec<_>>(),
        });
        terminal.either(&said, |_| {
            let would = match before {
                Some(number) => {
                    format!("generation {number} is published already; nothing would be made anew")
                }
                None => format!(
                    "would publish the first generation with {}",
                    moment::count(repositories.len(), "repository")
                ),
            };
            format!("root {}\ncontrol directory {}\n{would}\n", config.root, config.spool)
        });
        return Ok(0);
    }
    let mut engine = Engine::open(Arc::clone(&config), disk, Arc::new(SystemClock))?;
    engine.read_packages_with(Arc::new(Worker::of_this_program()));
    let step = engine.step()?;
    let current = store.current()?.map(|generation| generation.number);
    if let (None, Some((_, why))) = (current, &step.wait) {
        let hint = "the directories are there; `sluice init` goes on, and so does the daemon";
        return Err(Failure { exit: 75, ..Failure::internal(why.clone()).hint(hint) });
    }
    let said = json!({ "root": config.root, "spool": config.spool, "current": current, "published": step.published });
    terminal.either(&said, |paint| match (step.published, current) {
        (Some(number), _) => format!(
            "{} generation {number} with {} at {}\nrequests go to {}/incoming; next: sluice daemon\n",
            paint.green("published"),
            moment::count(repositories.len(), "repository"),
            config.root,
            config.spool
        ),
        (None, Some(number)) => {
            format!("generation {number} is published at {}; nothing to do\n", config.root)
        }
        (None, None) => format!("the directories are at {}\n", config.root),
    });
    Ok(0)
}

#[expect(clippy::disallowed_methods, reason = "asks whether there is a site already")]
fn is_there(root: &camino::Utf8Path) -> bool {
    root.join("public").exists()
}
