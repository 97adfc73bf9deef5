//! Damaged packages of every kind: refused or listed, never a panic.

use std::fs;

use nevra::Algorithm;
use repo::FileFacts;
use testkit::fixtures;

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
