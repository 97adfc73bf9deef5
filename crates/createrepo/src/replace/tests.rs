//! The power goes after every operation, in every way: readers always find a whole repodata, and the next run
//! always works.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use repo::{Compression, Form, Recipe, Repomd, Tags};
use store::crash::{Sweep, SweepReport};
use store::forgetful::ForgetfulDisk;
use store::planted::{Bug, plant};
use store::{Disk, Kind};

use super::*;
use crate::{Beside, Order, OtherLock, Placing, Retention, Selection, Update, create};

const NOW: i64 = 1_770_000_000;

/// One way to run it.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    unique: bool,
    /// Whether there is repodata already.
    before: bool,
    retention: Retention,
    exchanges: bool,
}

const FIRST: Way =
    Way { name: "first", unique: true, before: false, retention: Retention::Unnamed, exchanges: true };
const UPDATE: Way = Way { name: "update", before: true, ..FIRST };
const WITHOUT: Way = Way { name: "update without exchange", exchanges: false, ..UPDATE };

const WAYS: [Way; 7] = [
    FIRST,
    Way { name: "first, simple names", unique: false, ..FIRST },
    Way { name: "first without exchange", exchanges: false, ..FIRST },
    UPDATE,
    Way { name: "update, simple names", unique: false, ..UPDATE },
    Way { name: "update, old files kept", retention: Retention::All, ..UPDATE },
    WITHOUT,
];

fn order(way: Way, now: i64) -> Order {
    Order {
        input: "/srv".into(),
        output: "/srv".into(),
        now,
        selection: Selection::default(),
        package_digest: nevra::Algorithm::Sha256,
        changes: 10,
        form: Form { unique_names: way.unique, ..Form::default() },
        beside: Beside { group_file: None, group: Compression::Gzip, databases: None },
        placing: Placing::default(),
        revision: None,
        timestamp: None,
        tags: Tags::default(),
        update: way.before.then(Update::default),
        keeps_additional: true,
        retention: way.retention,
        workers: NonZeroUsize::MIN,
        other_lock: OtherLock::Respected,
    }
}

fn write(disk: &dyn Disk, path: &str, bytes: &[u8]) {
    disk.create(path.into(), 0o644).unwrap().write_all(bytes).unwrap();
}

fn read(disk: &dyn Disk, path: &Utf8Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut file = disk.open(path).map_err(|error| error.to_string())?;
    file.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// A directory with packages, and with repodata of some of them if the way wants it.
fn start(way: Way) -> ForgetfulDisk {
    let disk = ForgetfulDisk::new();
    disk.make_directory("/srv".into(), 0o755).unwrap();
    write(&disk, "/srv/one-1-1.noarch.rpm", &Recipe::new("one", "1", "1").build());
    if way.before {
        create(&disk, &order(Way { before: false, ..way }, NOW)).unwrap();
        // What somebody else put there: an updateinfo with its record, and a file that no record names.
        let updates = b"<updates/>\n";
        write(&disk, "/srv/repodata/updateinfo.xml", updates);
        write(&disk, "/srv/repodata/repomd.xml.key", b"a key");
        let index = Utf8Path::new("/srv/repodata/repomd.xml");
        let mut repomd = Repomd::parse(&read(&disk, index).unwrap()).unwrap();
        let measure = repo::Measure::of(nevra::Algorithm::Sha256, updates);
        let href = "repodata/updateinfo.xml".to_owned();
        repomd.records.push(repo::Record::new("updateinfo", href, NOW, measure, None, None));
        disk.remove_file(index).unwrap();
        write(&disk, index.as_str(), &repomd.write());
        write(&disk, "/srv/two-1-1.noarch.rpm", &Recipe::new("two", "1", "1").build());
    }
    let disk = disk.synced();
    if !way.exchanges {
        disk.forbid_exchange();
    }
    disk
}

/// The packages a reader finds who begins with the index and follows every record; why not, if he cannot.
fn listed(disk: &dyn Disk) -> Result<Option<Vec<String>>, String> {
    let top = Utf8Path::new("/srv");
    let index = top.join("repodata/repomd.xml");
    if disk.state(&top.join("repodata")).map_err(|error| error.to_string())?.is_none() {
        return Ok(None);
    }
    let repomd = Repomd::parse(&read(disk, &index)?).map_err(|error| error.to_string())?;
    let mut open = BTreeMap::new();
    for record in &repomd.records {
        let bytes = read(disk, &top.join(&record.href))?;
        if repo::digest(record.checksum.algorithm, &bytes) != record.checksum {
            return Err(format!("`{}` is not what the index says", record.href));
        }
        open.insert(record.kind.clone(), repo::unpack(&bytes, 1 << 20).map_err(|error| error.to_string())?);
    }
    let contents = repo::Contents::read(&open["primary"], &open["filelists"], &open["other"]);
    let names = contents.map_err(|error| error.to_string())?.entries.into_iter().map(|e| e.nevra.name);
    let extra = open.contains_key("updateinfo").then(|| "updateinfo".to_owned());
    Ok(Some(names.chain(extra).collect()))
}

/// Whatever stands below the directory, but for times.
fn shape(disk: &dyn Disk, dir: &Utf8Path, into: &mut Vec<String>) {
    for name in disk.list(dir).unwrap().names {
        let path = dir.join(name);
        into.push(path.to_string());
        if disk.state(&path).unwrap().unwrap().kind == Kind::Directory {
            shape(disk, &path, into);
        }
    }
}

/// Sweeps one way; what was told is whether the run had ended well.
fn sweep(way: Way, enough: usize) -> SweepReport {
    let begin = start(way);
    let before = listed(&begin).unwrap();
    let ended = {
        let disk = begin.copy();
        create(&disk, &order(way, NOW + 10)).unwrap();
        disk
    };
    let after = listed(&ended).unwrap();
    let mut wanted = Vec::new();
    shape(&ended, "/srv".into(), &mut wanted);
    assert_ne!(before, after);
    assert!(!wanted.iter().any(|path| path.contains("/.repodata")), "{wanted:?}");

    let mut sweep = Sweep::new(11);
    sweep.enough = enough;
    sweep.run(
        &begin,
        |disk| {
            if create(&*disk, &order(way, NOW + 10)).is_ok() {
                // The exit code: from here on it is told. The name has nothing to do with the repodata.
                disk.symlink("0", "/told".into()).unwrap();
            }
        },
        |disk| disk.state("/told".into()).unwrap().is_some(),
        |disk: &Arc<ForgetfulDisk>, told, _| {
            let mut wrong = Vec::new();
            match listed(&**disk) {
                Ok(found) if found == after || (!told && found == before) => {}
                Ok(found) => wrong.push(format!("readers find {found:?}, told: {told}")),
                Err(error) => wrong.push(format!("readers find no whole repodata: {error}")),
            }
            // Whatever is left, the next run brings everything to rest.
            match create(&**disk, &order(way, NOW + 20)) {
                Err(error) => wrong.push(format!("the next run fails: {error}")),
                Ok(report) if !report.unreadable.is_empty() => {
                    wrong.push(format!("the next run misses {:?}", report.unreadable));
                }
                Ok(_) => {}
            }
            match listed(&**disk) {
                Ok(found) if found == after => {}
                other => wrong.push(format!("after the next run readers find {other:?}")),
            }
            let mut found = Vec::new();
            shape(&**disk, "/srv".into(), &mut found);
            if found.iter().any(|path| path.contains("/.repodata")) {
                wrong.push(format!("the next run leaves {found:?}"));
            }
            wrong
        },
    )
}

#[test]
fn readers_find_the_old_or_the_new_and_the_next_run_works_whenever_the_power_goes() {
    let mut all = SweepReport::default();
    for way in WAYS {
        let report = sweep(way, 20);
        println!("{}: {report}", way.name);
        assert!(report.violations.is_empty(), "{}: {report}", way.name);
        assert!(report.crash_points > 20, "{}: {report}", way.name);
        all += report;
    }
    println!("all: {all}");
}

#[test]
fn every_planted_bug_is_caught() {
    let simple = Way { unique: false, ..UPDATE };
    let bugs = [
        (Bug::RepodataFilesNotSynced, UPDATE),
        (Bug::RepodataFilesNotSynced, WITHOUT),
        (Bug::RepodataDirectoryNotSynced, UPDATE),
        (Bug::RepodataRenamedAway, simple),
        (Bug::RepodataPlaceNotSynced, UPDATE),
        (Bug::RepodataPlaceNotSynced, FIRST),
        (Bug::RepodataIndexMovedFirst, WITHOUT),
    ];
    for (bug, way) in bugs {
        let _planted = plant(bug);
        let report = sweep(way, 1);
        match report.violations.first() {
            Some(violation) => println!("{bug:?}, {}: {violation}", way.name),
            None => panic!("{bug:?}, {}: not caught: {report}", way.name),
        }
    }
}

#[test]
fn a_second_run_at_once_is_refused_and_one_that_was_killed_is_not_in_the_way() {
    let disk = start(UPDATE);
    let output = Utf8PathBuf::from("/srv");
    let held = Place::lock(&disk, &output, OtherLock::Respected).unwrap();
    let error = create(&disk, &order(UPDATE, NOW + 1)).unwrap_err();
    assert_eq!(error.to_string(), "failed to replace the repodata of `/srv`: another run is at work there");
    drop(held);
    for path in ["/srv/.repodata", "/srv/.repodata/next"] {
        disk.make_directory(path.into(), 0o755).unwrap();
    }
    write(&disk, "/srv/.repodata/next/half", b"");
    create(&disk, &order(UPDATE, NOW + 1)).unwrap();
    assert!(disk.state("/srv/.repodata".into()).unwrap().is_none());
}

#[test]
fn a_lock_of_createrepo_c_is_respected_until_somebody_says_otherwise() {
    let disk = start(UPDATE);
    disk.make_directory("/srv/.repodata".into(), 0o755).unwrap();
    write(&disk, "/srv/.repodata/primary.xml.gz", b"");
    let error = create(&disk, &order(UPDATE, NOW + 1)).unwrap_err();
    assert!(matches!(error, Error::OtherLock { .. }), "{error}");
    let other_lock = OtherLock::Removed;
    create(&disk, &Order { other_lock, ..order(UPDATE, NOW + 1) }).unwrap();
}

#[test]
fn simple_names_are_refused_where_nothing_can_be_exchanged_and_nothing_changes() {
    let way = Way { unique: false, ..WITHOUT };
    let disk = start(way);
    let before = listed(&disk).unwrap();
    let error = create(&disk, &order(way, NOW + 1)).unwrap_err();
    assert!(matches!(error, Error::NoExchange { .. }), "{error}");
    assert_eq!(listed(&disk).unwrap(), before);
    assert!(disk.state("/srv/.repodata".into()).unwrap().is_none());
}

#[test]
fn repodata_that_is_a_link_is_not_taken_away() {
    let disk = start(FIRST);
    disk.make_directory("/elsewhere".into(), 0o755).unwrap();
    disk.symlink("/elsewhere", "/srv/repodata".into()).unwrap();
    let error = create(&disk, &order(FIRST, NOW)).unwrap_err();
    assert_eq!(error.to_string(), "failed to use `/srv/repodata`: it is not a directory");
}
