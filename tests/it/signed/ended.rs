//! A key that ends while nobody asks for anything: hosts are told of it no more.

use std::sync::Arc;

use store::forgetful::ForgetfulDisk;
use store::{Disk, Store};

use super::power::Stage;
use crate::crash::site::{self, ROOT, SetClock};

/// The generation in force, and the keys that its `.repo` file names.
fn told(disk: &Arc<ForgetfulDisk>) -> (u64, String) {
    let store = Store::new(Arc::clone(disk) as Arc<dyn Disk>, ROOT);
    let current = store.current().unwrap().unwrap();
    let text = String::from_utf8(store.read_public(&current, "glite-production.repo").unwrap()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("gpgkey=")).unwrap();
    (current.number, line.replace("http://localhost/RPM-GPG-KEY-", ""))
}

#[test]
fn hosts_are_told_of_a_key_until_it_ends_and_once() {
    // A day after the clock starts.
    let stage = Stage::with_another("until = \"2023-11-15T22:13:20Z\"\n");
    let disk = Arc::new(ForgetfulDisk::new());
    let clock = SetClock::at(1_700_000_000);
    let mut engine = stage.open(&disk, &clock, false).unwrap();
    let mut settle = |seconds: i64| {
        clock.advance(seconds);
        site::settle(&mut engine, &disk, &clock).unwrap();
        told(&disk)
    };
    let (first, named) = settle(0);
    assert_eq!(named, "repo old");
    assert_eq!(settle(3600), (first, named), "nothing ended");
    let (second, named) = settle(86_400);
    assert_eq!((second, named.as_str()), (first + 1, "repo"));
    assert_eq!(settle(86_400), (second, named), "there is nothing more to tell");
}
