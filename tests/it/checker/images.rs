//! The independent checker on images of the disk: as a power cut leaves it, and after the next start.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use store::forgetful::{ForgetfulDisk, Moment};
use store::{Disk, Kind};
use testkit::{Sandbox, checkout, program, run};

use crate::crash::site::{self, ROOT, SPOOL, SetClock};
use crate::crash::{SCENARIOS, Scenario, prepared};

/// Writes a directory of a disk in memory to the real one, with modes, times and hard links.
fn write_out(disk: &ForgetfulDisk, from: &Utf8Path, to: &Utf8Path, inodes: &mut BTreeMap<u64, Utf8PathBuf>) {
    fs::create_dir_all(to).unwrap();
    for name in disk.list(from).unwrap().names {
        let (from, to) = (from.join(&name), to.join(&name));
        let state = disk.state(&from).unwrap().unwrap();
        match state.kind {
            Kind::Directory => {
                write_out(disk, &from, &to, inodes);
                fs::set_permissions(&to, fs::Permissions::from_mode(state.mode)).unwrap();
            }
            Kind::Link => symlink(disk.read_link(&from).unwrap(), &to).unwrap(),
            _ => match inodes.get(&state.inode) {
                Some(first) => fs::hard_link(first, &to).unwrap(),
                None => {
                    let mut bytes = Vec::new();
                    std::io::Read::read_to_end(&mut disk.open(&from).unwrap(), &mut bytes).unwrap();
                    fs::write(&to, bytes).unwrap();
                    let modified = state.modified;
                    let since = Duration::new(modified.seconds.unsigned_abs(), modified.nanoseconds);
                    let file = fs::File::options().write(true).open(&to).unwrap();
                    file.set_modified(SystemTime::UNIX_EPOCH + since).unwrap();
                    fs::set_permissions(&to, fs::Permissions::from_mode(state.mode)).unwrap();
                    inodes.insert(state.inode, to);
                }
            },
        }
    }
}

/// Writes a site out as one image of a folder of images, with copies of the answers somebody has seen.
fn image(disk: &ForgetfulDisk, told: &BTreeMap<Utf8PathBuf, Vec<u8>>, place: &Utf8Path) {
    let mut inodes = BTreeMap::new();
    write_out(disk, Utf8Path::new(ROOT), &place.join("root"), &mut inodes);
    write_out(disk, Utf8Path::new(SPOOL), &place.join("spool"), &mut inodes);
    fs::create_dir_all(place.join("told")).unwrap();
    for (path, bytes) in told {
        fs::write(place.join("told").join(path.file_name().unwrap()), bytes).unwrap();
    }
}

/// What the checker says of all images of a folder, without the last line, which counts.
fn checked(folder: &Utf8Path, at_rest: bool) -> Vec<String> {
    let mut command = program("/usr/bin/python3");
    command.arg(checkout().join("tests/checker/check.py")).arg("--images").arg(folder);
    if at_rest {
        command.arg("--at-rest");
    }
    let ran = run(&mut command);
    assert!(matches!(ran.code(), 0 | 1), "{ran}");
    let mut lines: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
    println!("{}", lines.pop().unwrap_or_default());
    lines
}

fn start(disk: &Arc<ForgetfulDisk>, now: i64) -> Result<(), daemon::error::Error> {
    let clock = SetClock::at(now);
    let mut engine = site::open(disk, &clock)?;
    site::settle(&mut engine, disk, &clock).map(drop)
}

/// The disk after each operation of a scenario.
fn moments(scenario: &Scenario) -> (Vec<Moment>, i64) {
    let (disk, now) = prepared(scenario);
    disk.record();
    start(&disk, now).unwrap();
    (disk.recorded(), now)
}

/// On how many moments of a scenario one power cut each is looked at.
fn sampled() -> usize {
    if std::env::var_os("SLUICE_THOROUGH").is_some() { 60 } else { 5 }
}

#[test]
fn nothing_is_wrong_in_any_image_of_a_power_cut_nor_after_the_next_start() {
    let sandbox = Sandbox::new();
    let (cut, rested) = (sandbox.folder("cut"), sandbox.folder("rested"));
    let mut count = 0;
    for scenario in &SCENARIOS {
        let (moments, now) = moments(scenario);
        let step = (moments.len() / sampled()).max(1);
        for (number, moment) in moments.iter().enumerate().skip(step / 2).step_by(step) {
            let told = site::answers(&moment.seen());
            let Some(loss) = moment.power_cuts(0, 2, number as u64).last() else { continue };
            let disk = Arc::new(loss.disk().0);
            let name = format!("{}-{number:04}", scenario.name.replace(' ', "-"));
            image(&disk, &told, &cut.join(&name));
            count += 1;
            if count % 3 == 0 {
                start(&disk, now + 100).unwrap();
                image(&disk, &told, &rested.join(&name));
            }
        }
    }
    let found: Vec<String> = checked(&cut, false).into_iter().chain(checked(&rested, true)).collect();
    assert!(count >= SCENARIOS.len() * 4, "only {count} images");
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}
