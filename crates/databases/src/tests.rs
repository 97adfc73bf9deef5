use nevra::Digest;
use repo::{Changelog, File, FileFacts, FileKind, Package, Recipe};

use super::*;

fn checksum() -> Digest {
    repo::sha256(b"some xml").into()
}

fn package(name: &str) -> Package {
    let rpm = Recipe::new(name, "1", "1").arch("noarch").build();
    let head = repo::read_head(&mut rpm.as_slice()).unwrap();
    let (size, href) = (rpm.len() as u64, format!("Packages/{name}-1-1.noarch.rpm"));
    repo::package_of(&head, FileFacts { size, digest: repo::sha256(&rpm).into(), mtime: 1, href }).unwrap()
}

fn packages() -> Vec<Package> {
    let mut packages: Vec<Package> = (0..200).map(|number| package(&format!("p{number}"))).collect();
    packages[3].files = vec![
        File { path: "/etc/p3".into(), kind: FileKind::File },
        File { path: "/".into(), kind: FileKind::Directory },
    ];
    packages[4].changelogs = vec![Changelog { author: "A".into(), date: -1, text: "t\0x".into() }];
    packages
}

#[test]
fn the_same_packages_make_the_same_bytes() {
    let packages = packages();
    for make in [primary, filelists, other] {
        let bytes = make(&packages, &checksum()).unwrap();
        assert_eq!(bytes, make(&packages, &checksum()).unwrap());
        assert!(bytes.starts_with(b"SQLite format 3\0"));
        let mut less = packages.clone();
        less.pop();
        assert_ne!(bytes, make(&less, &checksum()).unwrap());
    }
}

#[test]
fn a_database_claims_what_it_was_made_from() {
    let packages = packages();
    let pkgids: Vec<String> = packages.iter().map(|package| package.pkgid.hex.clone()).collect();
    for make in [primary, filelists, other] {
        let claims = claims(&make(&packages, &checksum()).unwrap()).unwrap();
        assert_eq!(claims, Claims { version: 10, checksum: checksum().hex, pkgids: pkgids.clone() });
        assert_eq!(super::claims(&make(&[], &checksum()).unwrap()).unwrap().pkgids, [""; 0]);
    }
}

#[test]
fn damage_is_an_error_and_nothing_worse() {
    let good = primary(&packages(), &checksum()).unwrap();
    for bytes in [&b""[..], b"SQLite format 3\0", b"<?xml version=\"1.0\"?>", &good[..100], &good[..5000]] {
        let error = claims(bytes).unwrap_err().to_string();
        assert!(error.starts_with("failed to read the database: "), "{error}");
    }
    let mut random = fastrand::Rng::with_seed(11);
    let mut refused = 0;
    for _ in 0..500 {
        let mut damaged = good.clone();
        for _ in 0..4 {
            // The pages of the schema and of the first tables: damage elsewhere is not looked at.
            let at = random.usize(..16 << 10);
            damaged[at] = random.u8(..);
        }
        refused += usize::from(claims(&damaged).is_err());
    }
    assert!(refused > 0, "no damage was found");
}
