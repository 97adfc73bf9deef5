//! Mutants of good inputs, always the same ones, for everything that reads what others wrote: no panic, no endless
//! work, no memory out of proportion.
//!
//! The mutants are read in another process of this program, with so much computing and so much memory: what ends it
//! is found also where it is no panic.

use std::process::{Command, Output};

use fastrand::Rng;

use super::targets::{TARGETS, Target};

/// Set in the process that reads the mutants: which target, and how many mutants of it.
const CAGE: &str = "SLUICE_CAGE";

/// Bytes of memory, the test program included.
const ADDRESS_SPACE: u64 = 2 << 30;

/// Makes another input of a good one.
pub(super) fn mutant(good: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..random.usize(1..=3) {
        mutate(&mut bytes, random);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Rng) {
    if bytes.is_empty() {
        return bytes.push(random.u8(..));
    }
    let at = random.usize(..bytes.len());
    let end = (at + random.usize(1..64)).min(bytes.len());
    match random.u8(..12) {
        0..3 => bytes[at] ^= 1 << random.u8(..8),
        3 => bytes[at] = random.u8(..),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let piece = bytes[at..end].to_vec();
            let times = random.choice([1, 2, 300]).unwrap_or(1);
            bytes.splice(at..at, piece.repeat(times));
        }
        7 => {
            let piece = bytes[at..end].to_vec();
            let to = random.usize(..=bytes.len());
            bytes.splice(to..to, piece);
        }
        // A number becomes a huge one, or none.
        8 => {
            let digit = |byte: &u8| byte.is_ascii_digit();
            if let Some(start) = bytes[at..].iter().position(digit).map(|start| start + at) {
                let end = bytes[start..]
                    .iter()
                    .position(|byte| !digit(byte))
                    .map_or(bytes.len(), |end| start + end);
                let numbers =
                    ["18446744073709551616", "-1", "9223372036854775807", "1e999", "0x7f", "4294967296", ""];
                let number = random.choice(numbers).unwrap_or_default();
                bytes.splice(start..end, number.bytes());
            }
        }
        9 => {
            let word: u32 =
                random.choice([0, 1, 63, 0xffff, 0x0fff_ffff, 0x7fff_ffff, u32::MAX]).unwrap_or(0);
            bytes.splice(at..(at + 4).min(bytes.len()), word.to_be_bytes());
        }
        // Nested deeply.
        10 => {
            let openings: [&[u8]; 6] = [b"[", b"{\"a\":", b"<a>", b"a.", b"[[a]]\n", b"&amp;"];
            let opening = random.choice(openings).unwrap_or(b"[");
            bytes.splice(at..at, opening.repeat(random.choice([5, 200, 20_000]).unwrap_or(5)));
        }
        _ => {
            let odd: [&[u8]; 9] = [
                b"\0",
                b"\xff",
                b"\xef\xbf\xbe",
                b"\x1b[31m",
                b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
                b"&b;",
                b"]]>",
                b"\"",
                b"%00%2f..%2f",
            ];
            bytes.splice(at..at, random.choice(odd).unwrap_or(b"\0").iter().copied());
        }
    }
}

/// The inputs that were found to be read wrongly once, and the like; every reader gets all of them.
fn known() -> Vec<Vec<u8>> {
    let mut known = vec![Vec::new(), b"\0".repeat(100_000), b"[".repeat(100_000), b"{\"a\":".repeat(100_000)];
    known.extend([
        b"<a>".repeat(100_000),
        b"a = [".repeat(20_000),
        b"a.".repeat(100_000),
        b"\"\\".repeat(50_000),
    ]);
    known
}

fn mutants(target: &Target, count: usize) {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    let name = target
        .name
        .bytes()
        .fold(20_261_122, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = Rng::with_seed(name);
    seeds.iter().chain(&known()).for_each(|seed| (target.run)(seed));
    for round in 0..count {
        (target.run)(&mutant(&seeds[round % seeds.len()], &mut random));
    }
}

/// What the process in the cage does; elsewhere it has nothing to do.
#[test]
fn in_the_cage() {
    let Ok(asked) = std::env::var(CAGE) else { return };
    for word in asked.split(' ') {
        let (name, count) = word.split_once('=').unwrap();
        match (name, TARGETS.iter().find(|target| target.name == name)) {
            (_, Some(target)) => {
                mutants(target, count.parse().unwrap());
                println!("{name}: {count} mutants");
            }
            ("huge", None) => super::huge::read(),
            ("panics", None) => panic!("as was asked"),
            ("eats", None) => drop(std::hint::black_box(vec![1_u8; 3 << 30])),
            ("spins", None) => loop {
                std::hint::spin_loop();
            },
            (name, None) => panic!("there is no target `{name}`"),
        }
    }
}

pub(super) fn cage(asked: &str, seconds: u64) -> Output {
    let this = std::env::current_exe().unwrap();
    Command::new("prlimit")
        .args([format!("--as={ADDRESS_SPACE}"), format!("--cpu={seconds}"), "--core=0".to_owned()])
        .arg(this)
        .args(["--exact", "hostile::mutants::in_the_cage", "--nocapture", "--test-threads=1"])
        .env(CAGE, asked)
        .output()
        .unwrap()
}

#[test]
fn no_reader_panics_hangs_or_eats_memory() {
    let is_thorough = std::env::var_os("SLUICE_THOROUGH").is_some();
    let count = |target: &Target| match target.name {
        // A whole recovery each.
        "links" => 1_000,
        "rpm" | "packed" | "blocks" | "primary" | "filelists" | "other" => 3_000,
        _ => 4_000,
    };
    let times = if is_thorough { 100 } else { 1 };
    let asked: Vec<String> =
        TARGETS.iter().map(|target| format!("{}={}", target.name, count(target) * times)).collect();
    let output = cage(&asked.join(" "), 120 * times as u64);
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    assert_eq!(said.matches(" mutants").count(), TARGETS.len(), "{said}");
    println!("{said}");
}

/// A cage that lets everything pass would prove nothing.
#[test]
fn the_cage_notices_panics_endless_work_and_memory() {
    for (asked, seconds) in [("panics=1", 60), ("eats=1", 60), ("spins=1", 1), ("nobody=1", 60)] {
        let output = cage(asked, seconds);
        assert!(!output.status.success(), "{asked}");
    }
    assert!(cage("names=10", 60).status.success());
}
