use std::sync::Arc;

use camino::Utf8Path;
use jiff::Timestamp;
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;

use super::*;

fn reading(boot: i64, id: &str) -> Reading {
    let wall = Timestamp::from_second(1_700_000_000 + boot).unwrap();
    Reading { wall, boot: SignedDuration::from_secs(boot), boot_id: id.to_owned() }
}

fn site() -> (Arc<ForgetfulDisk>, Store) {
    let disk = Arc::new(ForgetfulDisk::new());
    let store = Store::new(Arc::clone(&disk) as Arc<dyn Disk>, "/srv");
    store.create_directories().unwrap();
    (disk, store)
}

fn bytes(disk: &ForgetfulDisk) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.open(Utf8Path::new("/srv/cache/clock.json")).ok()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

#[test]
fn what_is_written_down_is_read_again_and_nothing_else() {
    let (disk, store) = site();
    assert!(read(&*disk, &store).is_none());
    let witness = Witness::accepted(reading(5, "a"));
    write(&*disk, &store, 7, &witness).unwrap();
    let kept = read(&*disk, &store).unwrap();
    assert_eq!((kept.generation, kept.witness), (7, witness));
    let whole = bytes(&disk).unwrap();
    for (at, _) in whole.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        let mut other = whole.clone();
        other[at] = if other[at] == b'1' { b'2' } else { b'1' };
        disk.remove_file(&place(&store)).unwrap();
        disk.create(&place(&store), 0o640).unwrap().write_all(&other).unwrap();
        assert!(read(&*disk, &store).is_none(), "{}", String::from_utf8_lossy(&other));
    }
    disk.remove_file(&place(&store)).unwrap();
    disk.create(&place(&store), 0o640).unwrap().write_all(&whole[..whole.len() / 2]).unwrap();
    assert!(read(&*disk, &store).is_none());
}

#[test]
fn it_is_written_once_an_hour_and_after_each_start_of_the_machine() {
    let (disk, store) = site();
    let first = reading(0, "a");
    let mut witnessing = Witnessing { witness: Witness::accepted(first.clone()), written: first };
    let mut writes = |reading: Reading| {
        let before = bytes(&disk);
        witnessing.advance(&reading);
        witnessing.keep(&*disk, &store, 7);
        bytes(&disk) != before
    };
    let wrote = [(3599, "a"), (3600, "a"), (3700, "a"), (7200, "a"), (10, "b"), (20, "b"), (3610, "b")]
        .map(|(boot, id)| writes(reading(boot, id)));
    assert_eq!(wrote, [false, true, false, true, true, false, true]);
}

#[test]
fn whenever_the_power_goes_the_old_or_the_new_is_read() {
    let (disk, store) = site();
    let witness = |boot| Witness::accepted(reading(boot, "a"));
    write(&*disk, &store, 7, &witness(1)).unwrap();
    let start = disk.synced();
    let report = Sweep::new(3).run(
        &start,
        |disk| {
            let store = Store::new(disk.clone(), "/srv");
            let _ = write(&*disk, &store, 7, &witness(2));
        },
        |_| (),
        |disk, (), _| {
            let store = Store::new(disk.clone(), "/srv");
            let time = |disk: &ForgetfulDisk| read(disk, &store).map(|kept| kept.witness.time);
            let mut wrong = Vec::new();
            if ![Some(witness(1).time), Some(witness(2).time)].contains(&time(disk)) {
                wrong.push("neither the old nor the new is there".to_owned());
            }
            // What was left half done is in nobody's way.
            write(&**disk, &store, 8, &witness(3)).unwrap();
            if time(disk) != Some(witness(3).time) {
                wrong.push("it cannot be written any more".to_owned());
            }
            wrong
        },
    );
    assert!(report.violations.is_empty() && report.states > 4, "{report}");
}
