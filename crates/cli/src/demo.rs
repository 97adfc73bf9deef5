//! `sluice demo`: a whole site in a folder, and a story played on it with real RPMs.
//!
//! Nothing is pretended: the daemon and the web server are those of `sluice daemon` and `sluice serve`, the
//! packages are real RPMs, and every observation is made over HTTP by a client that checks each digest on
//! the way from repomd.xml to the bytes of a package. Needs no privilege, no other program, no network.

pub mod arguments;
mod client;
mod clock;
mod narrator;
mod procedures;
mod site;
mod story;
#[cfg(test)]
mod tests;
mod world;

use camino::Utf8Path;

use crate::failure::Failure;
use crate::serve;
use crate::terminal::Terminal;
use arguments::Demo;
use client::Client;
use narrator::Narrator;
use site::{Door, Site};

/// Plays the story; stays up afterwards unless `--once`. Exit code 0 only if every step held, else 6.
pub fn run(demo: &Demo, terminal: &Terminal) -> Result<u8, Failure> {
    let client = Client::new();
    let mut narrator = Narrator::new(*terminal, &client, demo.spoil);
    narrator.chapter(
        "A middleware release, told by its repository",
        "A release team runs a small grid distribution: a stage `delta` for the brave, a stage `production` \
         for everybody. Sluice publishes both. Each step says what should be seen, then what a client sees.",
    );
    let mut site = Site::raise(&demo.folder, demo.listen)?;
    if let Err(error) = play(demo, &mut site, &client, &mut narrator) {
        // An error outside a step, such as a full disk, is no matter of expectations.
        site.lower()?;
        return Err(Failure::internal(format!("the story broke off: {error:#}")));
    }
    let held = narrator.epilogue();
    if !demo.once && held.is_ok() {
        invitation(&site, &demo.folder, terminal);
        site.block_on(async {
            serve::stopped()?.await;
            Ok::<(), Failure>(())
        })?;
        terminal.talk("\nending the demo; the folder stays, the next demo starts anew in it");
    }
    site.lower()?;
    Ok(if held? { 0 } else { 6 })
}

/// The first story by whoever plays the demo alone, then a procedure by many, whose requests come through the door.
fn play(demo: &Demo, site: &mut Site, client: &Client, narrator: &mut Narrator<'_>) -> anyhow::Result<()> {
    story::play(site, client, narrator)?;
    site.with_door(Door::Open)?;
    procedures::play(demo.procedure, site, client, narrator)?;
    // The visitor is to be able to ask for himself.
    site.with_door(Door::Shut)?;
    story::is_sound(site, narrator)
}

fn invitation(site: &Site, folder: &Utf8Path, terminal: &Terminal) {
    let config = folder.join("sluice.toml");
    let repo = format!("{}/{}-production.repo", site.base, world::PRODUCT);
    let import = format!("{folder}/packages/57/*.rpm");
    let lines = [
        (format!("{}/", site.base), "what the world sees"),
        (repo, "what a host puts into /etc/yum.repos.d"),
        (format!("sluice -c {config} status"), "what is published and held"),
        (format!("sluice -c {config} history"), "who asked for what"),
        (format!("sluice -c {config} why voms-clients"), "where a package is, and by whose request"),
        (format!("sluice -c {config} import --dry-run {import}"), "a plan, before anything happens"),
        (format!("{}/incoming/", site.config.spool), "where requests may be dropped"),
    ];
    let width = lines.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
    let mut text = "\nThe site stays up until Ctrl-C. Look around:\n".to_owned();
    for (what, why) in lines {
        text.push_str(&format!("\n  {what:width$}  {why}"));
    }
    terminal.talk(&text);
}
