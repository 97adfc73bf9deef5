//! `sluice status --space`: what holds the bytes, until when, and what a sweep would free.

use std::fmt::Write;
use std::sync::Arc;

use daemon::clock::{Clock, SystemClock};
use daemon::ground::{self, Free};
use daemon::space::{Amount, Held, Space, space};
use serde::Serialize;
use store::{Disk, PosixDisk};

use crate::failure::Failure;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::Terminal;

#[derive(Debug, Serialize)]
struct Told {
    root: String,
    #[serde(flatten)]
    space: Space,
    free: Free,
}

/// Adds up and prints; takes no lock.
pub fn run(settings: &Settings, terminal: &Terminal) -> Result<u8, Failure> {
    let (config, store) = settings.store()?;
    let disk: Arc<dyn Disk> = Arc::new(PosixDisk);
    let space = space(&disk, &store, &config, &SystemClock.reading())?;
    let told = Told { root: config.root.to_string(), space, free: ground::free(&config.root)? };
    terminal.either(&told, |_| words(&told));
    Ok(0)
}

fn words(told: &Told) -> String {
    let space = &told.space;
    let mut text = format!("{}\n", told.root);
    let mut row = |name: &str, amount: Amount, rest: &str| {
        let files = moment::count(usize::try_from(amount.files).unwrap_or(usize::MAX), "file");
        let _ = writeln!(text, "  {name:<14} {:>9}  {files}{rest}", moment::bytes(amount.bytes));
    };
    row("pool", space.pool, "");
    row("  listed", space.listed, "");
    row("  retained", space.retained.amount, &until(&space.retained, ", for nobody lists them"));
    row("  unlinked", space.unlinked, ", no URL leads to them");
    row("current", space.current, " of metadata and records");
    row("  superseded", space.superseded.amount, &until(&space.superseded, ""));
    row(
        "generations",
        space.generations.amount,
        &until(&space.generations, ", beyond what the current one holds"),
    );
    row("quarantine", space.quarantine, "");
    row("staging", space.staging, "");
    match space.uploads {
        Some(uploads) => row("uploads", uploads, ""),
        None => drop(writeln!(text, "  {:<14} {:>9}", "uploads", "not seen")),
    }
    let mut row = |name: &str, amount: Amount| {
        let files = moment::count(usize::try_from(amount.files).unwrap_or(usize::MAX), "file");
        let _ = writeln!(text, "  {name:<14} {:>9}  {files}", moment::bytes(amount.bytes));
    };
    row("records", space.records);
    row("cache", space.cache);
    let free = &told.free;
    let _ = writeln!(
        text,
        "  {:<14} {:>9}  of {}, {:.0} %",
        "free",
        moment::bytes(free.bytes),
        moment::bytes(free.bytes_all),
        free.percent()
    );
    let sweep = &space.sweep;
    let _ = match (sweep.links, sweep.generations.len()) {
        (0, 0) => writeln!(text, "a sweep would remove nothing now"),
        (links, generations) => writeln!(
            text,
            "a sweep would remove {} and {} now and free {}; packages stay in the pool",
            moment::count(links, "link"),
            moment::count(generations, "generation"),
            moment::bytes(sweep.freed.bytes)
        ),
    };
    text
}

fn until(held: &Held, what: &str) -> String {
    let until = held.until.map(|until| format!(", the last until {}", moment::text(until)));
    if held.amount.files == 0 { String::new() } else { format!("{what}{}", until.unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_what_would_be_freed_is_told() {
        let amount = |files, bytes| Amount { files, bytes };
        let held = |files, bytes, until: Option<&str>| Held {
            amount: amount(files, bytes),
            until: until.map(|until| until.parse().unwrap()),
        };
        let told = Told {
            root: "/srv/sluice".into(),
            space: Space {
                pool: amount(9, 9_000_000),
                listed: amount(6, 6_000_000),
                retained: held(1, 1_000_000, Some("2026-11-24T23:04:35Z")),
                unlinked: amount(2, 2_000_000),
                current: amount(40, 80_000),
                superseded: held(3, 5_000, Some("2026-11-24T23:04:35Z")),
                generations: held(12, 30_000, None),
                quarantine: amount(0, 0),
                staging: amount(0, 0),
                uploads: None,
                records: amount(4, 7_000),
                cache: amount(0, 0),
                sweep: daemon::space::Swept { links: 1, generations: vec![2, 3], freed: amount(8, 20_000) },
            },
            free: Free { bytes: 40_000_000_000, bytes_all: 100_000_000_000, files: None },
        };
        let expected = "\
/srv/sluice
  pool              9.0 MB  9 files
    listed          6.0 MB  6 files
    retained        1.0 MB  1 file, for nobody lists them, the last until 2026-11-24 23:04:35Z
    unlinked        2.0 MB  2 files, no URL leads to them
  current          80.0 kB  40 files of metadata and records
    superseded      5.0 kB  3 files, the last until 2026-11-24 23:04:35Z
  generations      30.0 kB  12 files, beyond what the current one holds
  quarantine           0 B  0 files
  staging              0 B  0 files
  uploads         not seen
  records           7.0 kB  4 files
  cache                0 B  0 files
  free             40.0 GB  of 100.0 GB, 40 %
a sweep would remove 1 link and 2 generations now and free 20.0 kB; packages stay in the pool
";
        assert_eq!(words(&told), expected);
    }
}
