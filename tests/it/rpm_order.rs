//! Version order and dependency overlap, against rpm itself.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use fastrand::Rng;
use nevra::{Bound, Dependency, Evr, Sense};
use testkit::RpmOracle;

/// Pieces versions are made of: digits of every length, letters, what sorts specially, what is skipped.
const PIECES: [&str; 30] = [
    "0",
    "1",
    "2",
    "9",
    "10",
    "01",
    "007",
    "1000000000000000000000000000000",
    "18446744073709551616",
    "a",
    "b",
    "Z",
    "rc",
    "beta",
    "git",
    "el5",
    "~",
    "~",
    "~~",
    "^",
    "^",
    "^~",
    "~^",
    ".",
    ".",
    "..",
    "_",
    "+",
    "._",
    "x86",
];

fn text(rng: &mut Rng) -> String {
    let pieces = rng.usize(1..6);
    (0..pieces).map(|_| PIECES[rng.usize(..PIECES.len())]).collect()
}

/// Another version near this one, where the order is decided by a detail.
fn neighbour(text: &str, rng: &mut Rng) -> String {
    let mut near = text.to_owned();
    for _ in 0..rng.usize(0..3) {
        let at = rng.usize(..=near.len());
        match rng.u8(..6) {
            0 if at < near.len() => _ = near.remove(at),
            1 => near.insert_str(at, PIECES[rng.usize(..PIECES.len())]),
            2 => near = near.replace('.', "_"),
            3 => near = near.replacen('1', "01", 1),
            4 => near.push_str(["~", "^", ".", ".0", "a", "0"][rng.usize(..6)]),
            _ => near = near.replace('~', "^"),
        }
    }
    if near.is_empty() { "0".to_owned() } else { near }
}

fn evr(rng: &mut Rng) -> Evr {
    Evr { epoch: [0, 0, 0, 1, 2, 10, u32::MAX][rng.usize(..7)], version: text(rng), release: text(rng) }
}

fn as_label(evr: &Evr) -> [String; 3] {
    [evr.epoch.to_string(), evr.version.clone(), evr.release.clone()]
}

#[test]
fn versions_sort_as_rpm_sorts_them() {
    const PAIRS: usize = 10_000;
    let mut rng = Rng::with_seed(0x51_01CE);
    let pairs: Vec<(Evr, Evr)> = (0..PAIRS)
        .map(|number| {
            let one = evr(&mut rng);
            let other = match number % 5 {
                0 => evr(&mut rng),
                1 => Evr { release: neighbour(&one.release, &mut rng), ..one.clone() },
                2 => Evr {
                    epoch: one.epoch,
                    version: neighbour(&one.version, &mut rng),
                    release: text(&mut rng),
                },
                _ => Evr { version: neighbour(&one.version, &mut rng), ..one.clone() },
            };
            (one, other)
        })
        .collect();
    let questions: Vec<_> = pairs.iter().map(|(one, other)| [as_label(one), as_label(other)]).collect();
    let answers = RpmOracle::compare(&questions);
    assert_eq!(answers.len(), PAIRS);
    let mut seen = BTreeMap::new();
    for ((one, other), rpm) in pairs.iter().zip(answers) {
        let rpm = rpm.cmp(&0);
        assert_eq!(one.rpm_cmp(other), rpm, "`{one}` against `{other}`");
        assert_eq!(other.rpm_cmp(one), rpm.reverse(), "`{other}` against `{one}`");
        let total = one.cmp(other);
        assert!(
            rpm == Ordering::Equal || total == rpm,
            "`{one}` against `{other}`: Ord must refine rpm's order"
        );
        assert_eq!(
            total == Ordering::Equal,
            one == other,
            "`{one}` against `{other}`: Ord must tell texts apart"
        );
        *seen
            .entry(match (rpm, one == other) {
                (Ordering::Less, _) => "less",
                (Ordering::Greater, _) => "greater",
                (Ordering::Equal, true) => "the same text",
                (Ordering::Equal, false) => "equal, other text",
            })
            .or_insert(0) += 1;
    }
    println!("{PAIRS} pairs: {seen:?}");
    for kind in ["less", "greater", "the same text", "equal, other text"] {
        assert!(
            seen.get(kind).is_some_and(|count| *count >= 200),
            "the generator hardly makes `{kind}`: {seen:?}"
        );
    }
}

#[test]
fn an_evr_survives_being_printed_and_read() {
    let mut rng = Rng::with_seed(7);
    for _ in 0..2_000 {
        let one = evr(&mut rng);
        assert_eq!(one.to_string().parse::<Evr>().as_ref(), Ok(&one), "`{one}`");
    }
}

const SIGNS: [(&str, Option<Sense>); 6] = [
    ("", None),
    ("<", Some(Sense::Less)),
    ("<=", Some(Sense::LessEqual)),
    ("=", Some(Sense::Equal)),
    (">=", Some(Sense::GreaterEqual)),
    (">", Some(Sense::Greater)),
];

/// One dependency, as we hold it and as rpm is asked about it. Few versions, so that bounds meet.
fn dependency(rng: &mut Rng) -> (Dependency, [String; 3]) {
    let name = if rng.u8(..20) == 0 { "other" } else { "name" }.to_owned();
    let (sign, sense) = SIGNS[if rng.u8(..10) == 0 { 0 } else { rng.usize(1..6) }];
    let Some(sense) = sense else {
        return (Dependency { name: name.clone(), bound: None }, [name, String::new(), String::new()]);
    };
    let epoch = [None, None, Some(0), Some(1)][rng.usize(..4)];
    let version = ["1.0", "1.0", "1.0~rc1", "1.0^git", "01.0", "1_0", "2", ""][rng.usize(..8)].to_owned();
    let release = [None, None, Some("1"), Some("1.el5"), Some("2")][rng.usize(..5)].map(str::to_owned);
    let mut evr = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    evr.push_str(&version);
    if let Some(release) = &release {
        evr.push('-');
        evr.push_str(release);
    }
    let bound = Bound { sense, epoch, version, release };
    (Dependency { name: name.clone(), bound: Some(bound) }, [name, sign.to_owned(), evr])
}

#[test]
fn ranges_overlap_as_rpm_says() {
    const PAIRS: usize = 4_000;
    let mut rng = Rng::with_seed(0x0E_71A9);
    let pairs: Vec<_> = (0..PAIRS).map(|_| (dependency(&mut rng), dependency(&mut rng))).collect();
    let questions: Vec<_> = pairs.iter().map(|(one, other)| [one.1.clone(), other.1.clone()]).collect();
    let answers = RpmOracle::overlap(&questions);
    assert_eq!(answers.len(), PAIRS);
    let mut seen = [0, 0];
    let mut different = Vec::new();
    for (((one, asked), (other, asked_too)), rpm) in pairs.iter().zip(answers) {
        seen[usize::from(rpm)] += 1;
        if one.overlaps(other) != rpm || other.overlaps(one) != rpm {
            different.push(format!("{asked:?} and {asked_too:?}: rpm says {rpm}"));
        }
    }
    println!("{PAIRS} pairs: {} overlap, {} do not", seen[1], seen[0]);
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    assert!(seen.iter().all(|count| *count > 500), "the generator is lopsided: {seen:?}");
}

#[test]
fn a_pin_with_epoch_zero_is_the_pin_without() {
    let plain: Dependency = "voms = 2.0.8-1".parse().unwrap();
    let zero: Dependency = "voms = 0:2.0.8-1".parse().unwrap();
    let any_release: Dependency = "voms = 2.0.8".parse().unwrap();
    for (one, other) in [(&plain, &zero), (&plain, &any_release), (&zero, &any_release)] {
        assert!(one.overlaps(other), "`{one}` and `{other}`");
    }
}
