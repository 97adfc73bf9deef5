//! What is taken over from repodata that is there, and what of it stays.

use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

use camino::Utf8Path;
use repo::Recipe;
use testkit::{SOURCE_DATE_EPOCH, program, run, sluice};

use super::{Pair, index, texts};

/// Replaces a package by zeros of the same size: whoever reads it again gets nothing from it.
fn hollow(path: &Utf8Path, seconds: i64) {
    let size = fs::metadata(path).unwrap().len();
    fs::write(path, vec![0; usize::try_from(size).unwrap()]).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
}

fn add(folder: &Utf8Path, name: &str) {
    let path = folder.join(format!("{name}-1-1.noarch.rpm"));
    fs::write(&path, Recipe::new(name, "1", "1").build()).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
}

#[test]
fn an_update_reads_only_what_is_new_or_changed() {
    for form in [&[][..], &["--general-compress-type", "xz"], &["-s", "sha512", "--simple-md-filenames"]] {
        let pair = Pair::new();
        let first: Vec<&str> = ["--revision", "1"].iter().chain(form).copied().collect();
        let (ours, theirs) = pair.run(&first);
        assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
        pair.both(|folder| {
            hollow(&folder.join("accents-1.0-1.noarch.rpm"), SOURCE_DATE_EPOCH);
            fs::remove_file(folder.join("weak-1.0-1.noarch.rpm")).unwrap();
            fs::rename(
                folder.join("repeats-1.0-1.noarch.rpm"),
                folder.join("below/repeats-1.0-1.noarch.rpm"),
            )
            .unwrap();
            // The same name, size or not, and another time: it is read.
            add(folder, "cabi");
            fs::rename(folder.join("cabi-1-1.noarch.rpm"), folder.join("cabi-1.0-1.x86_64.rpm")).unwrap();
            add(folder, "newcomer");
        });
        let second: Vec<&str> = first.iter().chain(&["--update"]).copied().collect();
        let (ours, theirs) = pair.run(&second);
        assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
        let packages = pair.same("", false);
        let mut command = program(sluice().as_str());
        let ran = run(command.args(["createrepo", "--json"]).args(&second).arg(&pair.ours)).ok();
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((told["packages"].as_u64(), told["read"].as_u64()), (Some(packages as u64), Some(0)));
    }
}

#[test]
fn who_skips_the_stat_believes_the_name() {
    let pair = Pair::new();
    pair.run(&["--revision", "1"]);
    pair.both(|folder| hollow(&folder.join("accents-1.0-1.noarch.rpm"), 1));
    let (ours, theirs) = pair.run(&["--revision", "1", "--update", "--skip-stat"]);
    assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    pair.same("", false);
    // Who does not is told that the package is none any more.
    let (ours, _) = pair.run(&["--revision", "1", "--update"]);
    assert_eq!(ours.code(), 2, "{ours}");
    assert!(ours.stderr.contains("not listed: accents-1.0-1.noarch.rpm: failed to "), "{ours}");
}

#[test]
fn metadata_of_another_place_spares_reading_too() {
    let pair = Pair::new();
    pair.both(|folder| fs::create_dir(folder.join("out")).unwrap());
    pair.run(&["--revision", "1"]);
    pair.both(|folder| hollow(&folder.join("accents-1.0-1.noarch.rpm"), SOURCE_DATE_EPOCH));
    let options = ["--revision", "1", "--update", "--update-md-path", "DIR", "-o", "DIR/out"];
    let (ours, theirs) = pair.run(&options);
    assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    pair.same("out", false);
}

#[test]
fn old_metadata_that_is_damaged_is_not_believed() {
    let pair = Pair::new();
    pair.run(&["--revision", "1", "--simple-md-filenames"]);
    fs::write(pair.ours.join("repodata/primary.xml.gz"), b"\x1f\x8bnonsense").unwrap();
    let (ours, theirs) = pair.run(&["--revision", "1", "--simple-md-filenames", "--update"]);
    assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    assert!(ours.stderr.contains("nothing is taken over from "), "{ours}");
    pair.same("", false);
}

/// Adds an updateinfo as admins do, with the tool that belongs to createrepo_c.
fn add_updateinfo(folder: &Utf8Path) {
    fs::write(folder.join("updateinfo.xml"), "<updates><update/></updates>\n").unwrap();
    let repodata = folder.join("repodata");
    run(program("modifyrepo_c").args([folder.join("updateinfo.xml").as_str(), repodata.as_str()])).ok();
    fs::write(repodata.join("repomd.xml.key"), "a key\n").unwrap();
}

#[test]
fn updateinfo_stays_with_an_update_and_never_goes_without_a_word() {
    let pair = Pair::new();
    pair.run(&["--revision", "1", "-g", "comps.xml"]);
    pair.both(add_updateinfo);
    pair.both(|folder| add(folder, "newcomer"));
    let before = texts(&pair.ours);
    let (ours, theirs) = pair.run(&["--revision", "1", "--update", "--keep-all-metadata"]);
    assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    pair.same("", false);
    let (ours, _) = pair.run(&["--revision", "1", "--update"]);
    assert_eq!(ours.code(), 0, "{ours}");
    let after = texts(&pair.ours);
    for kind in ["updateinfo", "group", "group_gz"] {
        assert_eq!(after.get(kind), before.get(kind), "{kind}");
    }
    // A comps file that is named takes the place of the one that was kept.
    fs::write(pair.ours.join("comps.xml"), "<comps/>\n").unwrap();
    pair.run(&["--revision", "1", "--update", "-g", "comps.xml"]);
    assert_eq!(texts(&pair.ours)["group"], "<comps/>\n");
    assert_eq!(index(&pair.ours).records.iter().filter(|record| record.kind == "group").count(), 1);

    // Without --update it goes, as there; but not silently.
    let (ours, theirs) = pair.run(&["--revision", "1"]);
    assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    assert!(ours.stderr.contains("`updateinfo`, `group`") || ours.stderr.contains("`group`"), "{ours}");
    assert!(ours.stderr.contains("`updateinfo`"), "{ours}");
    pair.same("", false);
    assert!(pair.ours.join("repodata/repomd.xml.key").is_file());
}

#[test]
fn a_record_whose_file_is_gone_is_named() {
    let pair = Pair::new();
    pair.run(&["--revision", "1", "--simple-md-filenames", "-g", "comps.xml"]);
    fs::remove_file(pair.ours.join("repodata/comps.xml.gz")).unwrap();
    let (ours, _) = pair.run(&["--revision", "1", "--simple-md-filenames", "--update"]);
    assert_eq!(ours.code(), 2, "{ours}");
    assert!(ours.stderr.contains("record `group_gz`: failed to open "), "{ours}");
    let kinds: Vec<_> = index(&pair.ours).records.into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["primary", "filelists", "other", "group"]);
}

#[test]
fn records_that_somebody_made_up_stay_as_far_as_they_are_true() {
    let pair = Pair::new();
    pair.run(&["--revision", "1"]);
    let repodata = pair.ours.join("repodata");
    fs::create_dir(repodata.join("sub")).unwrap();
    fs::write(repodata.join("sub/notes"), "notes\n").unwrap();
    fs::write(repodata.join("sub/other"), "nobody names this\n").unwrap();
    let mut repomd = index(&pair.ours);
    let measure = repo::Measure::of(nevra::Algorithm::Sha256, b"notes\n");
    for (kind, time) in [("notes", i64::MAX), ("again", i64::MIN + 1)] {
        let href = "repodata/sub/notes".to_owned();
        repomd.records.push(repo::Record::new(kind, href, time, measure.clone(), None, None));
    }
    let lie = repo::Measure::of(nevra::Algorithm::Sha256, b"something else");
    repomd.records.push(repo::Record::new("lie", "repodata/sub/notes".into(), 0, lie, None, None));
    fs::write(repodata.join("repomd.xml"), repomd.write()).unwrap();
    for _ in 0..2 {
        let (ours, _) = pair.run(&["--revision", "1", "--update"]);
        let lost = ours.stderr.contains("record `lie`: failed to believe ");
        assert_eq!((ours.code(), lost), (if lost { 2 } else { 0 }, lost), "{ours}");
        let kinds: Vec<_> = index(&pair.ours).records.into_iter().map(|record| record.kind).collect();
        assert_eq!(kinds, ["primary", "filelists", "other", "notes", "again"]);
        assert_eq!(texts(&pair.ours)["again"], "notes\n");
        assert!(repodata.join("sub/other").is_file());
    }
}

/// What lies in both repodata after several runs with these options, a package more each time.
#[track_caller]
fn same_files_after(runs: &[&[&str]], expected: usize) {
    let pair = Pair::new();
    for (number, options) in runs.iter().enumerate() {
        pair.both(|folder| {
            add(folder, &format!("newcomer{number}"));
            // Each run is an hour older than the next, for nobody's clock is waited for.
            let Ok(names) = folder.join("repodata").read_dir_utf8() else { return };
            for name in names {
                let path = name.unwrap().into_path();
                let time = fs::metadata(&path).unwrap().modified().unwrap() - Duration::from_secs(3600);
                File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            }
        });
        let (ours, theirs) = pair.run(options);
        assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    }
    let names = |folder: &Utf8Path| {
        let entries = folder.join("repodata").read_dir_utf8().unwrap();
        let mut names: Vec<_> = entries.map(|entry| super::shape(entry.unwrap().file_name())).collect();
        names.sort();
        names
    };
    assert_eq!(names(&pair.ours), names(&pair.theirs), "{runs:?}");
    assert_eq!(names(&pair.ours).len(), expected, "{runs:?}");
}

#[test]
fn old_files_stay_as_they_stay_there() {
    let kept: &[&str] = &["--retain-old-md", "5"];
    let one: &[&str] = &["--retain-old-md", "1", "--compatibility"];
    let none: &[&str] = &["--retain-old-md", "0"];
    let young: &[&str] = &["--update", "--retain-old-md-by-age", "90m"];
    same_files_after(&[kept, kept, kept], 10);
    same_files_after(&[kept, kept, none], 7);
    same_files_after(&[kept, kept, one], 7);
    same_files_after(&[kept, kept, kept, one], 7);
    same_files_after(&[kept, kept, &[]], 7);
    same_files_after(&[kept, kept, kept, young], 7);
    same_files_after(&[&[], &[]], 4);
}
