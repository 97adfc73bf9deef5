//! Damaged packages of every kind: refused or listed, never a panic.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

use nevra::Algorithm;
use repo::FileFacts;
use testkit::{SOURCE_DATE_EPOCH, Sandbox, createrepo_c, fixtures};

use super::{Xml, difference, elements, package};

/// Of a package, where headers lie; giants are cut so that a round stays short.
const HEAD: usize = 48 << 10;

/// Changes up to three places: bits, bytes, words that matter.
fn damage(rpm: &mut [u8], random: &mut fastrand::Rng) {
    for _ in 0..random.usize(1..=3) {
        let at = random.usize(96..rpm.len());
        match random.u8(0..4) {
            0 => rpm[at] ^= 1 << random.u8(0..8),
            1 => rpm[at] = random.u8(..),
            _ => {
                let words = [0, 1, 2, 8, 62, 63, 100, 1000, 0xffff, 0x0fff_ffff, 0x8000_0000_u32, u32::MAX];
                let word = random.choice(words.iter()).unwrap();
                if let Some(place) = rpm.get_mut(at & !3..(at & !3) + 4) {
                    place.copy_from_slice(&word.to_be_bytes());
                }
            }
        }
    }
}

#[test]
fn damaged_packages_of_every_kind_are_refused_or_listed() {
    let seeds: Vec<Vec<u8>> = fixtures()
        .listed()
        .map(|path| fs::read(path).unwrap())
        .filter(|bytes| repo::read_head(&mut &bytes[..bytes.len().min(HEAD)]).is_ok())
        .map(|mut bytes| {
            bytes.truncate(HEAD);
            bytes
        })
        .collect();
    assert!(seeds.len() > 70, "{} packages have short headers", seeds.len());
    let mut random = fastrand::Rng::with_seed(20_261_122);
    let (mut refused, mut unlisted, mut listed) = (0, 0, 0);
    for round in 0..12_000 {
        let mut mutant = seeds[round % seeds.len()].clone();
        let end = repo::read_head(&mut mutant.as_slice()).unwrap().header_range().end;
        damage(&mut mutant[..usize::try_from(end).unwrap()], &mut random);
        let facts = FileFacts {
            size: mutant.len() as u64,
            digest: repo::digest(Algorithm::Md5, &mutant),
            mtime: 0,
            href: "mutant.rpm".into(),
        };
        let Ok(head) = repo::read_head(&mut mutant.as_slice()) else {
            refused += 1;
            continue;
        };
        match repo::package_of(&head, facts) {
            Ok(package) => {
                listed += 1;
                let entry = repo::entry_of(&package);
                assert!(entry.fragments.primary.len() + entry.fragments.filelists.len() < 16 << 20);
                // Whatever was taken, the metadata is sound: others read what we write.
                if round % 8 == 0 {
                    let metadata = repo::write_metadata(&[entry], 5, &[]);
                    let [primary, filelists, other] =
                        [0, 1, 2].map(|at| repo::unpack(&metadata.files[at].1, 32 << 20).unwrap());
                    let again = repo::parse_packages(&primary, &filelists, &other).unwrap();
                    assert_eq!(again[0].nevra, package.nevra);
                }
            }
            Err(_) => unlisted += 1,
        }
    }
    println!("{refused} refused for their structure, {unlisted} for what they say, {listed} listed");
    assert!(refused > 1000 && unlisted > 100 && listed > 1000, "{refused} {unlisted} {listed}");
}

/// Compares what becomes of damaged packages: what both list is the same, and what createrepo_c cannot
/// list is refused here, but for few that only a reader of signatures minds. We may refuse more: packages
/// without a name, tags that are there twice, files in directories that are not there.
#[test]
fn damaged_packages_are_listed_as_createrepo_c_lists_them() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("mutants");
    let seeds: Vec<Vec<u8>> =
        fixtures().listed().map(|path| fs::read(path).unwrap()).filter(|bytes| bytes.len() < HEAD).collect();
    let mut random = fastrand::Rng::with_seed(77);
    let mut read = BTreeMap::new();
    for round in 0..1_500 {
        let mut mutant = seeds[round % seeds.len()].clone();
        let end = repo::read_head(&mut mutant.as_slice()).unwrap().header_range().end;
        damage(&mut mutant[..usize::try_from(end).unwrap()], &mut random);
        let path = folder.join(format!("{round}.rpm"));
        fs::write(&path, &mutant).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(SOURCE_DATE_EPOCH.unsigned_abs());
        File::open(&path).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
        if read.insert(repo::sha256(&mutant).hex(), package(&path)).is_some() {
            fs::remove_file(&path).unwrap();
        }
    }
    createrepo_c(&folder, &["--no-database"]).ok();
    let xml = Xml::of(&folder);
    let listed = [elements(&xml.primary), elements(&xml.filelists), elements(&xml.other)];
    let (mut same, mut both_refuse, mut we_refuse, mut only_ours) = (0, 0, 0, 0);
    for (id, ours) in &read {
        match (ours, listed[0].contains_key(id)) {
            (Ok(package), true) => {
                assert_eq!(difference(package, &listed), None);
                same += 1;
            }
            (Ok(_), false) => only_ours += 1,
            (Err(_), true) => we_refuse += 1,
            (Err(_), false) => both_refuse += 1,
        }
    }
    println!(
        "{same} listed alike, {both_refuse} refused by both, {we_refuse} by us, {only_ours} by createrepo_c"
    );
    assert!(same > 500 && both_refuse > 300, "{same} {both_refuse}");
    assert!(we_refuse < 40 && only_ours < 8, "{we_refuse} {only_ours}");
}
