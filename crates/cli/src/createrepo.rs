//! `sluice createrepo`: repodata of a plain directory, for scripts that call createrepo_c.
#![expect(clippy::disallowed_methods, reason = "reads the list of packages and asks where it runs")]

pub mod arguments;

use std::num::NonZeroUsize;

use camino::{Utf8Path, Utf8PathBuf};
use createrepo::{
    Beside, Error, Excludes, Links, Order, OtherLock, Placing, Replaced, Report, Retention, Selection, Update,
};
use daemon::clock::{Clock, SystemClock};
use repo::{Compression, Form, Tags};
use serde_json::json;
use store::PosixDisk;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::{Createrepo, Naming, Selecting, Updating};

/// createrepo_c reads five packages at once, whatever the machine.
const WORKERS_MAX: usize = 5;

/// Makes the repodata; exit code 2 if a package could not be listed.
pub fn run(arguments: &Createrepo, settings: &Settings, terminal: &Terminal) -> Result<u8, Failure> {
    if let Some((name, instead)) = arguments.refused.first() {
        return Err(
            Failure::usage(format!("failed to take `{name}`: Sluice has nothing like it")).hint(instead)
        );
    }
    if settings.on_the_command_line {
        let hint =
            "leave `-c` out: Sluice's is a configuration, createrepo_c's a cache, and `--update` needs none";
        return Err(Failure::usage("failed to take `-c`: `createrepo` has no configuration").hint(hint));
    }
    let order = order(arguments)?;
    let report = createrepo::create(&PosixDisk, &order).map_err(Failure::from)?;
    tell(arguments, &order, &report, terminal);
    Ok(if report.unreadable.is_empty() { 0 } else { 2 })
}

/// From the words of createrepo_c to what is wanted.
fn order(arguments: &Createrepo) -> Result<Order, Failure> {
    let Createrepo { updating, writing, naming, .. } = arguments;
    let now = SystemClock.now().as_second();
    let input = absolute(&arguments.directory)?;
    let output = arguments.outputdir.as_deref().map_or_else(|| Ok(input.clone()), absolute)?;
    let general = writing.general_compress_type;
    let xz = writing.xz.then_some(Compression::Xz);
    let beside = writing.compress_type.or(general).or(xz);
    let timestamp = if naming.set_timestamp_to_revision { Some(timestamp(naming)?) } else { None };
    let update: Option<Result<Update, Failure>> = updating.update.then(|| {
        let from = updating.update_md_path.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?;
        Ok(Update { from, skips_stat: updating.skip_stat })
    });
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(WORKERS_MAX);
    let workers = arguments.workers.map_or(processors, usize::from);
    Ok(Order {
        selection: selection(&arguments.selecting)?,
        input,
        output,
        now,
        package_digest: writing.checksum,
        changes: changes(writing.changelog_limit, updating.compatibility),
        form: Form {
            compression: general.unwrap_or(Compression::Gzip),
            checksum: writing.repomd_checksum.unwrap_or(writing.checksum),
            unique_names: !writing.simple_md_filenames,
            ..Form::default()
        },
        beside: Beside {
            group_file: writing.groupfile.clone(),
            group: beside.unwrap_or(Compression::Gzip),
            databases: writing.database.then(|| beside.unwrap_or(Compression::Bzip2)),
        },
        placing: Placing { prefix: naming.location_prefix.clone(), base: naming.baseurl.clone() },
        revision: naming.revision.clone(),
        timestamp,
        tags: tags(naming),
        keeps_additional: (updating.update || updating.keep_all_metadata)
            && !updating.discard_additional_metadata,
        retention: retention(updating),
        update: update.transpose()?,
        workers: NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN),
        other_lock: if arguments.ignore_lock { OtherLock::Removed } else { OtherLock::Respected },
    })
}

fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    if path.as_str().contains("://") {
        let hint = "fetch it first, and name the directory";
        return Err(Failure::usage(format!("failed to read `{path}`: it is an address")).hint(hint));
    }
    let here =
        std::env::current_dir().map_err(|e| Failure::internal(format!("failed to ask where we are: {e}")))?;
    let here = Utf8PathBuf::from_path_buf(here)
        .map_err(|here| Failure::usage(format!("failed to work in `{}`: it is not UTF-8", here.display())))?;
    // A dot or a slash at the end would make the last component no name.
    Ok(here.join(path).components().collect())
}

fn selection(selecting: &Selecting) -> Result<Selection, Failure> {
    let mut only = selecting.includepkg.clone();
    if let Some(address) = only.iter().find(|name| name.contains("://")) {
        let hint = "fetch the package into DIR, and name its place there";
        return Err(Failure::usage(format!("failed to list `{address}`: it is an address")).hint(hint));
    }
    if let Some(file) = &selecting.pkglist {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("failed to read `{file}`: {error}")))?;
        only.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let listed = selecting.pkglist.is_some() || !only.is_empty();
    Ok(Selection {
        only: listed.then_some(only),
        excludes: Excludes::new(&selecting.excludes),
        links: if selecting.skip_symlinks { Links::Skipped } else { Links::Listed },
    })
}

fn retention(updating: &Updating) -> Retention {
    match (updating.retain_old_md_by_age, updating.retain_old_md) {
        (Some(seconds), _) => Retention::Younger(seconds),
        (None, Some(count)) if updating.compatibility => {
            usize::try_from(count).map_or(Retention::All, Retention::Latest)
        }
        (None, None) if updating.compatibility => Retention::Latest(0),
        (None, None | Some(0)) => Retention::Unnamed,
        (None, Some(_)) => Retention::All,
    }
}

/// The first createrepo listed every change; so does createrepo_c where it is to be compatible.
fn changes(limit: Option<i64>, compatibility: bool) -> usize {
    match limit {
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None if compatibility => usize::MAX,
        None => createrepo::CHANGES,
    }
}

fn timestamp(naming: &Naming) -> Result<i64, Failure> {
    let revision = naming.revision.as_deref().unwrap_or_default();
    revision.parse().map_err(|_| {
        Failure::usage(format!("failed to take `{revision}` for a time")).hint(
            "--set-timestamp-to-revision wants --revision in seconds since 1970, as `date +%s` prints them",
        )
    })
}

fn tags(naming: &Naming) -> Tags {
    let distro = naming.distro.iter().map(|distro| match distro.split_once(',') {
        Some((cpeid, text)) => (cpeid.to_owned(), text.to_owned()),
        None => (String::new(), distro.clone()),
    });
    Tags { content: naming.content.clone(), repo: naming.repo.clone(), distro: distro.collect() }
}

/// Says what was done: what is wrong to everybody, the rest to whoever wants to hear it.
fn tell(arguments: &Createrepo, order: &Order, report: &Report, terminal: &Terminal) {
    for odd in &report.unreadable {
        terminal.talk(&format!("not listed: {}: {}", odd.place, odd.why));
    }
    for note in &report.notes {
        terminal.talk(&format!("note: {note}"));
    }
    let Report { packages, read, .. } = report;
    if terminal.json {
        let unreadable: Vec<_> =
            report.unreadable.iter().map(|odd| json!({ "place": odd.place, "why": odd.why })).collect();
        let repodata = order.output.join("repodata");
        terminal.json(&json!({
            "repodata": repodata, "packages": packages, "read": read, "not_listed": unreadable,
            "notes": report.notes,
        }));
        return;
    }
    if !arguments.quiet {
        let words = if *packages == 1 { "package" } else { "packages" };
        terminal
            .talk(&format!("{packages} {words} listed in {}/repodata, {read} of them read", order.output));
        if report.replaced == Replaced::MovedIn {
            terminal.talk(
                "the file system cannot exchange names: files were moved in one by one, the index last",
            );
        }
    }
    if arguments.verbose {
        terminal.talk(match report.replaced {
            Replaced::First => "there was no repodata before",
            Replaced::Exchanged => "the old and the new changed places in one instant",
            Replaced::MovedIn => "the old files were removed after the index was replaced",
        });
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let failure = Failure::internal(error.to_string());
        match &error {
            Error::Busy { .. } => Failure { exit: 4, ..failure }
                .hint("wait until it is done; nothing is left of one that was killed"),
            Error::OtherLock { path } => Failure { exit: 4, ..failure }
                .hint(format!("if no createrepo_c runs, remove `{path}`, or use --ignore-lock")),
            Error::NoExchange { .. } => Failure { exit: 2, ..failure }.hint("use --unique-md-filenames"),
            Error::OddName { .. } => Failure { exit: 2, ..failure }.hint("rename it, or move it away"),
            Error::Disk(store::Error::Disk { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
                Failure { exit: 5, ..failure }
            }
            _ => failure,
        }
    }
}
