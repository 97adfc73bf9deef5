use std::collections::BTreeSet;
use std::io::{Read, Write};

use camino::Utf8Path;

use super::*;
use crate::Disk;

fn write(disk: &ForgetfulDisk, path: &str, bytes: &str) {
    disk.create(path.into(), 0o644).unwrap().write_all(bytes.as_bytes()).unwrap();
}

fn sync(disk: &ForgetfulDisk, path: &str) {
    disk.append(path.into(), 0o644).unwrap().sync().unwrap();
}

fn read(disk: &ForgetfulDisk, path: &str) -> String {
    let mut text = String::new();
    match disk.open(path.into()) {
        Ok(mut file) => file.read_to_string(&mut text).map(|_| text).unwrap(),
        Err(_) => "-".to_owned(),
    }
}

/// The disk in one line: every path with its mode where it is unusual, and what it holds.
fn line(disk: &ForgetfulDisk, dir: &Utf8Path) -> String {
    let mut words = Vec::new();
    for name in disk.list(dir).unwrap().names {
        let path = dir.join(&name);
        let state = disk.state(&path).unwrap().unwrap();
        words.push(match state.kind {
            crate::Kind::File => format!("{name}={}", read(disk, path.as_str())),
            crate::Kind::Link => format!("{name}->{}", disk.read_link(&path).unwrap()),
            _ if state.mode == 0o755 => format!("{name}({})", line(disk, &path)),
            _ => format!("{name}:{:o}({})", state.mode, line(disk, &path)),
        });
    }
    words.join(" ")
}

/// Expects exactly these disks after a power cut.
#[track_caller]
fn check(disk: &ForgetfulDisk, expected: &[&str]) {
    let found: BTreeSet<String> = disk.crash_states(1).map(|state| line(&state, "/".into())).collect();
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn bytes_and_name_of_a_new_file_are_lost_independently() {
    let disk = ForgetfulDisk::new();
    write(&disk, "/a", "12");
    check(&disk, &["", "a=", "a=1", "a=12"]);
    sync(&disk, "/a");
    check(&disk, &["", "a=12"]);
    disk.sync_directory("/".into()).unwrap();
    check(&disk, &["a=12"]);
}

#[test]
fn a_synced_file_system_promises_all_that_is_seen() {
    let disk = ForgetfulDisk::new();
    disk.make_directory("/d".into(), 0o755).unwrap();
    write(&disk, "/d/a", "12");
    disk.rename("/d/a".into(), "/b".into()).unwrap();
    disk.symlink("b", "/d/c".into()).unwrap();
    disk.set_mode("/d".into(), 0o555).unwrap();
    disk.sync_file_system("/d".into()).unwrap();
    check(&disk, &["b=12 d:555(c->b)"]);
    assert!(disk.sync_file_system("/b".into()).is_err(), "it is no directory");
}

#[test]
fn a_synced_name_does_not_promise_the_bytes() {
    let disk = ForgetfulDisk::new();
    write(&disk, "/a", "12");
    disk.sync_directory("/".into()).unwrap();
    check(&disk, &["a=", "a=1", "a=12"]);
}

#[test]
fn what_was_appended_since_the_last_sync_is_lost_whole_or_torn() {
    let disk = ForgetfulDisk::new();
    write(&disk, "/log", "one\n");
    sync(&disk, "/log");
    disk.sync_directory("/".into()).unwrap();
    disk.append("/log".into(), 0o644).unwrap().write_all(b"two\n").unwrap();
    check(&disk, &["log=one\n", "log=one\ntw", "log=one\ntwo\n"]);
}

#[test]
fn a_directory_promises_neither_its_own_name_nor_what_lies_below() {
    let disk = ForgetfulDisk::new();
    disk.make_directory("/d".into(), 0o755).unwrap();
    disk.make_directory("/d/e".into(), 0o755).unwrap();
    disk.symlink("x", "/d/e/l".into()).unwrap();
    for synced in ["/d", "/d/e"] {
        disk.sync_directory(synced.into()).unwrap();
    }
    check(&disk, &["", "d(e(l->x))"]);
    let disk = ForgetfulDisk::new();
    disk.make_directory("/d".into(), 0o755).unwrap();
    disk.make_directory("/d/e".into(), 0o755).unwrap();
    for synced in ["/", "/d"] {
        disk.sync_directory(synced.into()).unwrap();
    }
    disk.symlink("x", "/d/e/l".into()).unwrap();
    check(&disk, &["d(e())", "d(e(l->x))", "d(e:700())", "d(e:700(l->x))"]);
}

#[test]
fn a_rename_is_lost_as_a_whole_until_both_directories_are_synced() {
    let disk = ForgetfulDisk::new();
    for dir in ["/a", "/b"] {
        disk.make_directory(dir.into(), 0o755).unwrap();
    }
    write(&disk, "/a/x", "new");
    write(&disk, "/b/y", "old");
    let disk = disk.synced();
    disk.rename("/a/x".into(), "/b/y".into()).unwrap();
    let (before, after) = ("a(x=new) b(y=old)", "a() b(y=new)");
    check(&disk, &[after, before]);
    disk.sync_directory("/a".into()).unwrap();
    check(&disk, &[after, before]);
    disk.sync_directory("/b".into()).unwrap();
    check(&disk, &[after]);
}

#[test]
fn an_exchange_is_lost_as_a_whole_and_no_name_is_ever_missing() {
    let disk = ForgetfulDisk::new();
    for dir in ["/old", "/b"] {
        disk.make_directory(dir.into(), 0o755).unwrap();
    }
    write(&disk, "/old/x", "old");
    let disk = disk.synced();
    disk.make_directory("/b/new".into(), 0o755).unwrap();
    disk.sync_directory("/b/new".into()).unwrap();
    disk.sync_directory("/b".into()).unwrap();
    disk.exchange("/b/new".into(), "/old".into()).unwrap();
    let (before, after) = ("b(new()) old(x=old)", "b(new(x=old)) old()");
    check(&disk, &[before, after]);
    disk.sync_directory("/b".into()).unwrap();
    check(&disk, &[before, after]);
    disk.sync_directory("/".into()).unwrap();
    check(&disk, &[after]);
    disk.remove_file("/b/new/x".into()).unwrap();
    check(&disk, &["b(new()) old()", after]);
}

#[test]
fn a_disk_without_exchange_says_so_and_so_do_its_copies() {
    let disk = ForgetfulDisk::new();
    write(&disk, "/a", "1");
    write(&disk, "/b", "2");
    disk.forbid_exchange();
    let crashed = disk.crash_states(1).last().unwrap();
    for disk in [&disk, &disk.copy(), &disk.synced(), &crashed] {
        match disk.exchange("/a".into(), "/b".into()) {
            Err(Error::Disk { cause, .. }) => {
                assert_eq!(cause.kind(), io::ErrorKind::Unsupported)
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((read(&disk, "/a"), disk.operations()), ("1".into(), 4));
}

#[test]
fn a_promised_name_on_top_of_an_unpromised_rename_keeps_their_order() {
    let disk = ForgetfulDisk::new();
    for dir in ["/a", "/b"] {
        disk.make_directory(dir.into(), 0o755).unwrap();
    }
    write(&disk, "/a/x", "1");
    let disk = disk.synced();
    disk.rename("/a/x".into(), "/b/x".into()).unwrap();
    disk.symlink("2", "/a/x".into()).unwrap();
    disk.sync_directory("/a".into()).unwrap();
    // The rename waits for /b, the new /a/x waits for nothing: it is never taken away by the rename.
    check(&disk, &["a(x->2) b()", "a(x->2) b(x=1)"]);
}

#[test]
fn removals_and_modes_are_forgotten_too() {
    let disk = ForgetfulDisk::new();
    disk.make_directory("/d".into(), 0o755).unwrap();
    write(&disk, "/x", "1");
    let disk = disk.synced();
    disk.set_mode("/d".into(), 0o555).unwrap();
    disk.remove_file("/x".into()).unwrap();
    check(&disk, &["d()", "d() x=1", "d:555()", "d:555() x=1"]);
    disk.sync_directory("/".into()).unwrap();
    check(&disk, &["d()", "d:555()"]);
    disk.sync_directory("/d".into()).unwrap();
    check(&disk, &["d:555()"]);
}

#[test]
fn hard_links_share_bytes_and_are_lost_one_by_one() {
    let disk = ForgetfulDisk::new();
    write(&disk, "/a", "1");
    let disk = disk.synced();
    disk.link("/a".into(), "/b".into()).unwrap();
    disk.append("/b".into(), 0o644).unwrap().write_all(b"2").unwrap();
    check(&disk, &["a=1", "a=1 b=1", "a=12", "a=12 b=12"]);
    for state in disk.crash_states(1) {
        let names = state.list("/".into()).unwrap().names.len() as u64;
        assert_eq!(state.state("/a".into()).unwrap().unwrap().links, names);
    }
}

#[test]
fn many_unsynced_names_give_256_samples_with_none_and_all_and_each_alone() {
    let disk = ForgetfulDisk::new();
    for number in 0..40 {
        disk.symlink("x", format!("/{number}").as_str().into()).unwrap();
    }
    let sizes: Vec<usize> =
        disk.crash_states(7).map(|state| state.list("/".into()).unwrap().names.len()).collect();
    assert_eq!(sizes.len(), SAMPLES);
    let count = |size| sizes.iter().filter(|found| **found == size).count();
    assert!(count(0) >= 1 && count(40) >= 1 && count(1) >= 40 && count(39) >= 40, "{sizes:?}");
    let again: Vec<usize> =
        disk.crash_states(7).map(|state| state.list("/".into()).unwrap().names.len()).collect();
    assert_eq!(sizes, again);
}

#[test]
fn when_the_power_is_out_nothing_works_any_more() {
    let disk = ForgetfulDisk::new();
    disk.fail_from(3);
    write(&disk, "/a", "1");
    assert!(disk.state("/a".into()).unwrap().is_some());
    let text = disk.sync_directory("/".into()).unwrap_err().to_string();
    assert_eq!(text, "failed to sync directory `/`: the power is out");
    assert!(disk.state("/a".into()).is_err() && disk.symlink("x", "/l".into()).is_err());
    assert_eq!(disk.operations(), 4);
    assert_eq!(read(&disk.copy(), "/a"), "1");
}

#[test]
fn a_sync_that_failed_is_not_mended_by_a_second_one() {
    let disk = ForgetfulDisk::new();
    write(&disk, "/a", "1");
    disk.fail_only(3);
    assert!(disk.sync_directory("/".into()).is_err());
    disk.sync_directory("/".into()).unwrap();
    sync(&disk, "/a");
    check(&disk, &["", "a=1"]);
}

#[test]
fn users_meet_the_rights_they_have() {
    let disk = ForgetfulDisk::new();
    disk.make_directory("/drop".into(), 0o3777).unwrap();
    let (alice, bob) = (disk.as_user(1, 1), disk.as_user(2, 2));
    write(&alice, "/drop/open", "1");
    alice.create("/drop/closed".into(), 0o600).unwrap();
    assert_eq!((read(&bob, "/drop/open"), read(&bob, "/drop/closed")), ("1".into(), "-".into()));
    assert!(bob.remove_file("/drop/open".into()).is_err());
    assert!(bob.set_mode("/drop/open".into(), 0o666).is_err());
    let state = disk.state("/drop/open".into()).unwrap().unwrap();
    assert_eq!((state.uid, state.gid), (1, 1000));
    disk.rename("/drop/open".into(), "/mine".into()).unwrap();
}
