//! `sluice status`: what is published, what waits, and what is held for whom.

pub mod arguments;
mod check;
mod contexts;
mod keys;
mod procedures;
mod signer;
mod space;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use daemon::clock::{Clock, SystemClock};
use daemon::config::Config;
use daemon::spool::Spool;
use jiff::Timestamp;
use nevra::Sha256;
use plan::Standing;
use serde::Serialize;
use store::{Disk, Generation, PosixDisk, Store};

use crate::clock;
use crate::failure::Failure;
use crate::lock_holder;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::{Paint, Terminal};

#[derive(Debug, Serialize)]
struct Status {
    site: String,
    root: String,
    spool: String,
    /// The process that holds the lock, if one is seen.
    daemon: Option<u32>,
    current: Option<Current>,
    /// Why every request waits, if the clock is to blame.
    wait: Option<String>,
    /// Why what waits for time waits longer, if the clock is to blame.
    lag: Option<String>,
    /// Who signs metadata, and how it goes; absent where nothing is signed.
    signer: Option<signer::Seen>,
    kept_generations: Vec<u64>,
    quarantined: Vec<u64>,
    /// Who waits for whom in each product that has a procedure.
    procedures: Vec<procedures::Under>,
    control_directory: Control,
}

#[derive(Debug, Serialize)]
struct Current {
    number: u64,
    published: Timestamp,
    repositories: usize,
    names: Vec<(String, u64)>,
    /// Packages that no repository lists any more and that still answer.
    retained_packages: usize,
    /// Files of superseded metadata that still answer.
    retained_files: usize,
    retained_bytes: u64,
    retained_until: Option<Timestamp>,
    /// The repositories that still list what was promoted from them.
    overlaps: Vec<Overlap>,
    /// The waivers, freezes, approvals and variants that stand.
    standing: Standing,
    /// What files in the control directory and the calendar freeze.
    frozen: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Overlap {
    repository: String,
    packages: usize,
    /// When the first of them leaves.
    first_until: Timestamp,
    /// When the last of them leaves.
    last_until: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Control {
    Seen { processing: Vec<String>, left_alone: Vec<(String, String)> },
    Unseen { error: String },
}

/// Tells what was asked for.
pub fn run(settings: &Settings, asked: &arguments::Status, terminal: &Terminal) -> Result<u8, Failure> {
    match (asked.space, asked.check) {
        (true, _) => space::run(settings, terminal),
        (_, true) => check::run(settings, &asked.limits, terminal),
        _ => overview(settings, terminal),
    }
}

/// Reads without a lock; what is being published meanwhile may or may not be seen.
fn overview(settings: &Settings, terminal: &Terminal) -> Result<u8, Failure> {
    let (config, store) = settings.store()?;
    let disk = Arc::new(PosixDisk);
    let current = store.current()?;
    let newest = current.as_ref().map_or(0, |current| current.number);
    let status = Status {
        site: config.site.clone(),
        root: config.root.to_string(),
        spool: config.spool.to_string(),
        daemon: lock_holder::seen(&config.root),
        kept_generations: store.numbers()?.into_iter().filter(|number| *number <= newest).collect(),
        // Whoever may not look there learns the rest.
        quarantined: held_back(&store),
        // Whoever may not look into the control directory still learns the rest.
        control_directory: control(&Spool::new(Arc::clone(&disk) as Arc<dyn Disk>, config.spool.clone()))
            .unwrap_or_else(|failure| Control::Unseen { error: failure.sentence }),
        wait: current.as_ref().and_then(|current| set_back(current.manifest.created, SystemClock.now())),
        procedures: match &current {
            Some(current) => procedures::of(settings, &config, &store, current)?,
            None => Vec::new(),
        },
        lag: clock::lag(&clock::witness(&store, current.as_ref())?),
        signer: signer::Seen::of(&config, &*disk, &store),
        current: current.map(|generation| published(&config, &*disk, &store, generation)).transpose()?,
    };
    terminal.either(&status, |paint| words(&status, paint));
    Ok(0)
}

/// Says that nothing is published before the clock has passed the current generation.
fn set_back(created: Timestamp, now: Timestamp) -> Option<String> {
    let ahead = created.as_second() - now.as_second();
    (ahead > 0).then(|| {
        format!("the clock was set back: the current generation is dated {ahead} s ahead, requests wait")
    })
}

fn published(
    config: &Config,
    disk: &dyn Disk,
    store: &Store,
    generation: Generation,
) -> Result<Current, Failure> {
    let Generation { number, created, manifest, files, .. } = generation;
    let account = daemon::account::Account::of(number, &manifest.account)?;
    let superseded: Vec<_> = files.public.values().filter(|facts| facts.until.is_some()).collect();
    let mut retained_bytes = superseded.iter().map(|facts| facts.size).sum();
    for link in manifest.retained.keys() {
        retained_bytes += disk.state(&store.paths().public().join(link))?.map_or(0, |state| state.size);
    }
    let untils = manifest.retained.values().copied().chain(superseded.iter().filter_map(|facts| facts.until));
    Ok(Current {
        number,
        published: created,
        repositories: account.repositories.len(),
        names: manifest
            .names
            .iter()
            .filter(|(_, named)| !named.ended)
            .map(|(name, named)| (name.clone(), named.generation))
            .collect(),
        retained_packages: manifest.retained.len(),
        retained_files: superseded.len(),
        retained_bytes,
        retained_until: untils.max(),
        overlaps: account.overlapping.iter().filter_map(overlap).collect(),
        standing: account.standing,
        frozen: frozen(disk, config),
    })
}

fn overlap((repository, packages): (&String, &BTreeMap<Sha256, Timestamp>)) -> Option<Overlap> {
    let (first_until, last_until) = (*packages.values().min()?, *packages.values().max()?);
    Some(Overlap { repository: repository.clone(), packages: packages.len(), first_until, last_until })
}

/// The abandoned generations that are not deleted yet; none if they may not be seen.
fn held_back(store: &Store) -> Vec<u64> {
    let quarantined = store.quarantined().unwrap_or_default();
    quarantined
        .into_iter()
        .filter(|quarantined| !quarantined.emptied)
        .map(|quarantined| quarantined.number)
        .collect()
}

fn control(spool: &Spool) -> Result<Control, Failure> {
    let processing = spool.in_hand()?;
    let left_alone = spool.left_alone()?.into_iter().map(|left| (left.name, left.why)).collect();
    Ok(Control::Seen { processing, left_alone })
}

fn words(status: &Status, paint: Paint) -> String {
    let mut text = format!("{}  {}\n", paint.bold(&status.site), status.root);
    let daemon = match status.daemon {
        Some(process) => paint.green(&format!("running, process {process}")),
        None => "not seen".to_owned(),
    };
    let _ = writeln!(text, "  daemon       {daemon}");
    match &status.current {
        None => drop(writeln!(
            text,
            "  current      nothing is published yet; `sluice init` makes the first generation"
        )),
        Some(current) => {
            let _ = writeln!(
                text,
                "  current      generation {} of {}",
                current.number,
                moment::text(current.published)
            );
            let _ = writeln!(text, "  repositories {}", current.repositories);
            let names: Vec<_> =
                current.names.iter().map(|(name, number)| format!("{name} = {number}")).collect();
            if !names.is_empty() {
                let _ = writeln!(text, "  names        {}", names.join(", "));
            }
            let _ = write!(
                text,
                "  held         {} and {} that are no longer listed, {}",
                moment::count(current.retained_packages, "package"),
                moment::count(current.retained_files, "file"),
                moment::bytes(current.retained_bytes)
            );
            let until =
                current.retained_until.map(|until| format!(", the last until {}", moment::text(until)));
            let _ = writeln!(text, "{}", until.unwrap_or_default());
            for overlap in &current.overlaps {
                let _ = writeln!(
                    text,
                    "  overlap      {} of {} promoted and still listed there, the last until {}",
                    moment::count(overlap.packages, "package"),
                    overlap.repository,
                    moment::text(overlap.last_until)
                );
            }
            decided(current, &mut text);
        }
    }
    for words in [&status.wait, &status.lag].into_iter().flatten() {
        let _ = writeln!(text, "  {}", paint.bold(words));
    }
    if let Some(signer) = &status.signer {
        let _ = writeln!(text, "  signer       {}", signer.words());
        for words in signer.wait_words() {
            let _ = writeln!(text, "  {}", paint.bold(&words));
        }
    }
    let _ = writeln!(text, "  kept         {}", moment::count(status.kept_generations.len(), "generation"));
    if !status.quarantined.is_empty() {
        let _ = writeln!(
            text,
            "  quarantine   {} (see {}/quarantine)",
            numbers(&status.quarantined),
            status.root
        );
    }
    procedures::words(&status.procedures, &mut text, paint);
    match &status.control_directory {
        Control::Unseen { error } => drop(writeln!(text, "  requests     not seen: {error}")),
        Control::Seen { processing, left_alone } => {
            let _ = writeln!(text, "  requests     {} taken up and not answered", processing.len());
            for claim in processing {
                let _ = writeln!(text, "    {claim}");
            }
            for (name, why) in left_alone {
                let _ = writeln!(text, "    incoming/{name}: {why}");
            }
        }
    }
    text
}

/// What files in the control directory freeze now, and the calendar now or later.
fn frozen(disk: &dyn Disk, config: &Config) -> Vec<String> {
    let now = SystemClock.now();
    let files = match daemon::frozen::files(disk, &config.spool, &config.layout) {
        Ok(files) => files.iter().map(plan::Freeze::evidence).collect(),
        Err(error) => vec![format!("whether a file freezes something is not seen: {error}")],
    };
    let times = config.layout.freezes.iter().filter(|time| !time.span.is_over(now));
    files.into_iter().chain(times.map(plan::FreezeTime::evidence)).collect()
}

/// Writes what people decided and still stands.
fn decided(current: &Current, text: &mut String) {
    let Standing { waivers, freezes, approvals, variants, retracted, held, .. } = &current.standing;
    for words in freezes.values().map(plan::Freeze::evidence).chain(current.frozen.iter().cloned()) {
        let _ = writeln!(text, "  frozen       {words}");
    }
    for waiver in waivers.values() {
        let plan::Waiver { gate, stage, product, packages, .. } = waiver;
        let packages = packages.join(", ");
        let evidence = waiver.evidence();
        let _ = writeln!(text, "  waiver       {gate} of `{stage}` of `{product}`, {packages}: {evidence}");
    }
    for variant in variants.values() {
        let plan::Variant { product, package, digests: [one, other], .. } = variant;
        let evidence = variant.evidence();
        let _ = writeln!(text, "  variant      `{package}` of `{product}` as {one} and {other}: {evidence}");
    }
    for retraction in retracted.values().filter(|one| !one.is_lifted()) {
        let _ = writeln!(text, "  retracted    {}", retraction.evidence());
    }
    for (repository, held) in held {
        for (id, one) in held {
            let _ = writeln!(text, "  waits        {}", one.evidence(id, repository));
        }
    }
    for approval in approvals {
        let plan::Approval { plan, product, from, to, by, roles, .. } = approval;
        let roles = roles.join(", ");
        let _ = writeln!(
            text,
            "  approval     `{by}` as {roles} of the plan {plan} from `{from}` to `{to}` of `{product}`"
        );
    }
}

fn numbers(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn requests_wait_only_while_the_clock_is_behind() {
        assert_eq!([9, 10, 11].map(|now| set_back(at(10), at(now)).is_some()), [true, false, false]);
    }

    #[test]
    fn a_request_and_the_record_of_its_claim_are_one_request() {
        let folder = tempfile::tempdir().unwrap();
        let dir = camino::Utf8Path::from_path(folder.path()).unwrap().to_owned();
        let disk: Arc<dyn Disk> = Arc::new(PosixDisk);
        let spool = Spool::new(Arc::clone(&disk), dir.clone());
        spool.create_directories().unwrap();
        for name in ["a.json", "b.json"] {
            use std::io::Write;
            disk.create(&dir.join("incoming").join(name), 0o644).unwrap().write_all(b"{}").unwrap();
        }
        let claimed = spool.claim_all(at(10), &mut || 7).unwrap();
        let Control::Seen { processing, .. } = control(&spool).unwrap() else { panic!("it is there") };
        assert_eq!(processing, claimed.iter().map(|claimed| claimed.name.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn everything_that_is_held_or_waits_is_told() {
        let status = Status {
            site: "Example Grid".into(),
            root: "/srv/sluice".into(),
            spool: "/var/spool/sluice".into(),
            daemon: None,
            current: Some(Current {
                number: 7,
                published: "2026-11-21T23:04:35Z".parse().unwrap(),
                repositories: 6,
                names: vec![("update-57".into(), 5)],
                retained_packages: 1,
                retained_files: 3,
                retained_bytes: 1500,
                retained_until: Some("2026-11-24T23:04:35Z".parse().unwrap()),
                overlaps: vec![Overlap {
                    repository: "glite-el9-x86_64-delta".into(),
                    packages: 2,
                    first_until: "2026-11-23T23:04:35Z".parse().unwrap(),
                    last_until: "2026-11-24T23:04:35Z".parse().unwrap(),
                }],
                standing: Standing::default(),
                frozen: vec!["by the calendar".into()],
            }),
            wait: set_back(at(10), at(7)),
            lag: Some("2h 0m of what the clock says are not witnessed".into()),
            signer: Some(signer::Seen::sample()),
            kept_generations: vec![5, 7],
            quarantined: vec![6],
            procedures: Vec::new(),
            control_directory: Control::Seen {
                processing: vec!["promote-1".into()],
                left_alone: vec![("README".into(), "it is not named `*.toml` or `*.json`".into())],
            },
        };
        let expected = "\
Example Grid  /srv/sluice
  daemon       not seen
  current      generation 7 of 2026-11-21 23:04:35Z
  repositories 6
  names        update-57 = 5
  held         1 package and 3 files that are no longer listed, 1.5 kB, the last until 2026-11-24 23:04:35Z
  overlap      2 packages of glite-el9-x86_64-delta promoted and still listed there, the last until 2026-11-24 23:04:35Z
  frozen       by the calendar
  the clock was set back: the current generation is dated 3 s ahead, requests wait
  2h 0m of what the clock says are not witnessed
  signer       gpg in `/var/lib/sluice-signer/gnupg`, 2 stages are signed
  nothing has been signed since 2026-11-21 23:04:35Z, 3 attempts failed: the signer ended with 2 (signer-failed)
  of `glite/el9/x86_64/production`; what needs a signature waits, the signer is asked again after 2026-11-21 23:05:10Z
  kept         2 generations
  quarantine   6 (see /srv/sluice/quarantine)
  requests     1 taken up and not answered
    promote-1
    incoming/README: it is not named `*.toml` or `*.json`
";
        assert_eq!(words(&status, Paint::PLAIN), expected);
    }
}
