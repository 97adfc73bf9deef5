//! Damaged packages in bulk: through the worker and through a daemon, and what is taken is what rpm reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use daemon::reading::{Limits, PackageReader as _, Worker, Wrong};
use fastrand::Rng;
use repo::{Package, Relation};
use serde_json::Value;
use store::{Disk as _, PosixDisk};
use testkit::{Sandbox, Site, fixtures, program, sluice};

use super::targets::recipes;

/// Of a package, where headers lie; giants are left out, so that a round stays short.
const HEAD: usize = 48 << 10;

fn is_thorough() -> bool {
    std::env::var_os("SLUICE_THOROUGH").is_some()
}

/// Every kind of package there is: of rpmbuild, made by hand, and of our own maker.
fn seeds() -> Vec<Vec<u8>> {
    let fixtures = fixtures();
    let paths = fixtures.listed().chain(fixtures.refused.iter().map(|path| path.as_path()));
    let read =
        paths.map(|path| fs::read(path).unwrap()).chain(recipes().into_iter().map(|recipe| recipe.build()));
    read.filter(|bytes| head_of(bytes).is_some_and(|end| end < HEAD))
        .map(|mut bytes| {
            bytes.truncate(HEAD);
            bytes
        })
        .collect()
}

/// Where the payload begins.
fn head_of(bytes: &[u8]) -> Option<usize> {
    let head = repo::read_head(&mut &*bytes).ok()?;
    usize::try_from(head.header_range().end).ok()
}

/// Changes up to three places of the head: bits, bytes, words that matter; now and then the file ends early.
///
/// Half of them get a signature header that states no digest of the header, or nothing that was changed in the
/// header would get past that.
fn damage(rpm: &mut Vec<u8>, end: usize, random: &mut Rng) {
    if random.bool() {
        // SHA1, SHA256 and MD5 become tags that nobody looks at.
        let entries = u32::from_be_bytes(rpm[104..108].try_into().unwrap()) as usize;
        for entry in 0..entries.min(32) {
            let at = 112 + entry * 16;
            let tag = u32::from_be_bytes(rpm[at..at + 4].try_into().unwrap());
            if [269, 273].contains(&tag) {
                rpm[at..at + 4].copy_from_slice(&(tag + 30_000).to_be_bytes());
            }
        }
    }
    for _ in 0..random.usize(1..=3) {
        let at = random.usize(96..end);
        match random.u8(0..5) {
            0 => rpm[at] ^= 1 << random.u8(0..8),
            1 => rpm[at] = random.u8(..),
            2 => rpm[at] = random.u8(b'a'..=b'z'),
            _ => {
                let words = [0, 1, 2, 8, 62, 63, 100, 1000, 0xffff, 0x0fff_ffff, 0x8000_0000_u32, u32::MAX];
                let word = random.choice(words).unwrap_or(0);
                if let Some(place) = rpm.get_mut(at & !3..(at & !3) + 4) {
                    place.copy_from_slice(&word.to_be_bytes());
                }
            }
        }
    }
    if random.u8(0..50) == 0 {
        rpm.truncate(random.usize(0..end));
    }
}

/// rpm in one process, by its Python binding.
struct Rpm {
    child: Child,
    asked: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Rpm {
    fn start() -> Self {
        // Debian's interpreter has the binding; one that comes first in PATH may not.
        let mut child = program("/usr/bin/python3")
            .args(["-c", include_str!("package_oracle.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (asked, said) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Rpm { child, asked, said }
    }

    fn read(&mut self, path: &Utf8Path) -> Value {
        writeln!(self.asked.as_mut().unwrap(), "{path}").unwrap();
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("rpm said `{line}` of {path}: {error}"))
    }
}

impl Rpm {
    /// Says why rpm does not take a package, if it does not; some kinds of tags are its death.
    fn refusal(&mut self, path: &Utf8Path) -> Option<String> {
        writeln!(self.asked.as_mut().unwrap(), "{path}").unwrap();
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        if line.is_empty() {
            *self = Rpm::start();
            return Some("it dies".into());
        }
        let said: Value = serde_json::from_str(&line).unwrap();
        said["refused"].as_str().map(str::to_owned)
    }
}

impl Drop for Rpm {
    fn drop(&mut self) {
        drop(self.asked.take());
        let _ = self.child.wait();
    }
}

/// A relation as rpm writes it: name, flags, version.
fn row(relation: &Relation) -> (String, u64, String) {
    let flags = match relation.flags {
        Some("LT") => 2,
        Some("GT") => 4,
        Some("EQ") => 8,
        Some("LE") => 10,
        Some("GE") => 12,
        _ => 0,
    };
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let release = relation.release.as_ref().map(|release| format!("-{release}")).unwrap_or_default();
    // An epoch that is not written counts as 0, to rpm and in metadata.
    let epoch = part(&relation.epoch);
    let epoch = if epoch.is_empty() || epoch == "0" { String::new() } else { format!("{epoch}:") };
    (relation.name.clone(), flags, format!("{epoch}{}{release}", part(&relation.version)))
}

fn rows(said: &Value) -> BTreeSet<(String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = said.as_array().unwrap().iter();
    rows.map(|row| {
        let version = text(&row[2]);
        let version = version.strip_prefix("0:").or_else(|| version.strip_prefix(':')).unwrap_or(&version);
        // A release of no letters is written as none, by createrepo_c as by us.
        let version = version.strip_suffix('-').unwrap_or(version);
        (text(&row[0]), row[1].as_u64().unwrap(), version.to_owned())
    })
    .collect()
}

/// Says in which way rpm reads something else, if it does.
fn disagreement(package: &Package, said: &Value) -> Option<String> {
    if let Some(why) = said["refused"].as_str() {
        return Some(format!("rpm refuses it: {why}"));
    }
    let nevra = &package.nevra;
    let ours =
        serde_json::json!([nevra.name, nevra.evr.epoch, nevra.evr.version, nevra.evr.release, nevra.arch]);
    if ours != said["nevra"] {
        return Some(format!("name: {ours}, rpm says {}", said["nevra"]));
    }
    let provides: BTreeSet<_> = package.provides.iter().map(row).collect();
    let theirs = rows(&said["provides"]);
    // createrepo_c's rules leave rows out and never make any up.
    if let Some(made_up) =
        provides.difference(&theirs).find(|row| row.1 != 0 || !theirs.iter().any(|their| their.0 == row.0))
    {
        return Some(format!("provides: {made_up:?} is not rpm's"));
    }
    let named: BTreeSet<&str> = package.provides.iter().map(|relation| relation.name.as_str()).collect();
    let theirs_required = rows(&said["requires"]);
    for relation in package.requires.iter().chain(&package.recommends) {
        let row = row(relation);
        let has_weak_tags = package.recommends.contains(relation);
        if !has_weak_tags
            && !theirs_required.contains(&row)
            && (row.1 != 0 || !theirs_required.iter().any(|their| their.0 == row.0))
        {
            return Some(format!("requires: {row:?} is not rpm's"));
        }
    }
    // What has an epoch that is no number is left out, by createrepo_c as by us.
    let has_epoch = |name: &str| {
        said["provides"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row[0] == name && row[2].as_str().is_some_and(|version| version.contains(':')))
    };
    let left_out = theirs.iter().find(|their| !their.0.is_empty() && !named.contains(their.0.as_str()));
    left_out.filter(|row| !has_epoch(&row.0)).map(|row| format!("provides: {row:?} is missing"))
}

#[test]
fn damaged_packages_are_refused_or_read_as_rpm_reads_them() {
    let rounds = if is_thorough() { 100_000 } else { 3_000 };
    let seeds: Vec<(Vec<u8>, usize)> = seeds()
        .into_iter()
        .map(|seed| (head_of(&seed).unwrap(), seed))
        .map(|(end, seed)| (seed, end))
        .collect();
    assert!(seeds.len() > 70, "{} packages have short headers", seeds.len());
    let sandbox = Sandbox::new();
    let path = sandbox.path("mutant.rpm");
    let worker = Worker::new(sluice(), Limits::default(), Duration::from_secs(120));
    let mut rpm = Rpm::start();
    let mut random = Rng::with_seed(20_261_122);
    let mut refused = BTreeMap::<String, usize>::new();
    let mut classes = BTreeMap::<String, (usize, String)>::new();
    let (mut taken, mut agreed, mut peak, mut workers) = (0, 0, 0, BTreeSet::new());
    for round in 0..rounds {
        let (seed, end) = &seeds[round % seeds.len()];
        let mut mutant = seed.clone();
        damage(&mut mutant, *end, &mut random);
        fs::write(&path, &mutant).unwrap();
        let mut file = PosixDisk.open(&path).unwrap();
        let said = worker.read(&path, &mut *file).unwrap();
        let process = worker.process();
        workers.extend(process);
        if round % 64 == 0 {
            peak = peak.max(process.map_or(0, peak_of));
        }
        match said {
            Err(unfit) => {
                assert_ne!(unfit.wrong, Wrong::Deadly, "round {round}: {}", unfit.words);
                *refused.entry(format!("{:?}", unfit.wrong)).or_default() += 1;
            }
            Ok(package) => {
                taken += 1;
                match disagreement(&package, &rpm.read(&path)) {
                    None => agreed += 1,
                    Some(words) => {
                        let class: String = words.chars().take(60).collect();
                        let class = class.split('`').next().unwrap_or_default().to_owned();
                        let class = classes.entry(class).or_insert((0, format!("round {round}: {words}")));
                        class.0 += 1;
                    }
                }
            }
        }
    }
    println!(
        "{rounds} mutants of {} packages, read by {} workers, of which none died",
        seeds.len(),
        workers.len()
    );
    println!(
        "the largest worker had {peak} KiB; {taken} taken, {agreed} as rpm reads them; refused: {refused:?}"
    );
    for (class, (count, example)) in &classes {
        println!("{count} differ: {class} ({example})");
    }
    assert!(taken > rounds / 20 && refused.len() > 3, "{taken} {refused:?}");
    assert_eq!(taken, agreed, "{classes:#?}");
    assert!(peak < 256 << 10, "{peak} KiB");
}

/// A header with one entry and no region.
fn header_of_one(tag: u32, kind: u32, count: u32) -> Vec<u8> {
    let value: &[u8] = match kind {
        1 | 2 | 7 => &[1],
        3 => &[0, 1],
        4 => &[0, 0, 0, 1],
        5 => &[0, 0, 0, 0, 0, 0, 0, 1],
        _ => b"x\0",
    };
    let store = value.repeat(count as usize);
    let mut header = [&[0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0][..], &1_u32.to_be_bytes()].concat();
    header.extend((store.len() as u32).to_be_bytes());
    header.extend([tag, kind, 0, count].map(u32::to_be_bytes).concat());
    header.extend(store);
    header.resize(header.len().next_multiple_of(8), 0);
    header
}

#[test]
fn a_signature_header_in_a_form_that_rpm_refuses_is_refused() {
    let whole = recipes()[0].build();
    let head = repo::read_head(&mut &*whole).unwrap();
    let rest = &whole[usize::try_from(head.header_range().start).unwrap()..];
    let sandbox = Sandbox::new();
    let path = sandbox.path("signed.rpm");
    let mut rpm = Rpm::start();
    let (mut both, mut neither, mut ours) = (0, 0, 0);
    for tag in (256..290).chain(1000..1012) {
        for (kind, count) in (1..=9).flat_map(|kind| [(kind, 1), (kind, 2), (kind, 15), (kind, 16)]) {
            let bytes = [&whole[..96], &header_of_one(tag, kind, count), rest].concat();
            fs::write(&path, &bytes).unwrap();
            match (repo::read_head(&mut &*bytes), rpm.refusal(&path)) {
                (Ok(_), None) => both += 1,
                (Err(_), Some(_)) => neither += 1,
                // A string is one, and a tag has its kind, also where rpm does not look.
                (Err(_), None) => ours += 1,
                (Ok(_), Some(why)) => {
                    panic!("tag {tag}, kind {kind}, {count} values are taken; rpm says {why}")
                }
            }
        }
    }
    println!("{both} forms are taken, {neither} refused by rpm, too, {ours} by us alone");
    assert!(both > 500 && neither > 300, "{both} {neither}");
}

#[test]
fn a_tag_of_a_kind_that_rpm_refuses_is_refused() {
    let whole = recipes()[0].build();
    let head = repo::read_head(&mut &*whole).unwrap();
    let range = head.header_range();
    let (start, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
    let count = u32::from_be_bytes(whole[start + 8..start + 12].try_into().unwrap()) as usize;
    // The region comes first in the index, and its trailer last in the store.
    let entries = &whole[start + 16 + 16..start + 16 + count * 16];
    let values = &whole[start + 16 + count * 16..end - 16];
    let signature = header_of_one(1000, 4, 1);
    let has = |tag: u32| entries.chunks_exact(16).any(|entry| entry[..4] == tag.to_be_bytes());
    let words = |words: [u32; 4]| words.map(u32::to_be_bytes).concat();
    let sandbox = Sandbox::new();
    let path = sandbox.path("tagged.rpm");
    let mut rpm = Rpm::start();
    let (mut both, mut neither, mut ours, mut wrong) = (0, 0, 0, Vec::new());
    let tags = (256..290).chain(1000..1210).chain(5000..5110).filter(|tag| !has(*tag));
    let tags = tags.step_by(if is_thorough() { 1 } else { 5 });
    for (tag, kind) in tags.flat_map(|tag| (1..=9).map(move |kind| (tag, kind))) {
        // What belongs to nothing is refused: the gap before it is an entry of its own.
        let gap = 8 - values.len() % 8;
        let one = header_of_one(tag, kind, 1);
        let length = u32::from_be_bytes(one[12..16].try_into().unwrap()) as usize;
        let store = [values, &vec![0; gap], &one[32..32 + length]].concat();
        let region = words([63, 7, store.len() as u32, 16]);
        let index = [
            &*region,
            entries,
            &words([9000, 7, values.len() as u32, gap as u32]),
            &words([tag, kind, (values.len() + gap) as u32, 1]),
        ]
        .concat();
        let trailer = words([63, 7, (index.len() as u32).wrapping_neg(), 16]);
        let sizes = [index.len() as u32 / 16, store.len() as u32 + 16].map(u32::to_be_bytes).concat();
        let header = [&whole[start..start + 8], &*sizes, &*index, &*store, &*trailer].concat();
        let bytes = [&whole[..96], &signature, &*header, &whole[end..]].concat();
        fs::write(&path, &bytes).unwrap();
        match (repo::read_head(&mut &*bytes), rpm.refusal(&path)) {
            (Ok(_), None) => both += 1,
            (Err(_), Some(_)) => neither += 1,
            // Here also tags of which rpm forgot the kind have theirs.
            (Err(_), None) => ours += 1,
            (Ok(_), Some(why)) => wrong.push(format!("tag {tag} of kind {kind}: {why}")),
        }
    }
    println!("{both} kinds are taken, {neither} refused by rpm, too, {ours} by us alone");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(both > 100 && neither > 100, "{both} {neither}");
}

/// The most memory a process ever had, in KiB.
fn peak_of(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

#[test]
fn a_daemon_given_damaged_packages_answers_each_and_lives() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let rounds = if is_thorough() { 2_000 } else { 60 };
    let seeds = seeds();
    let mut random = Rng::with_seed(77);
    let mut codes = BTreeMap::<String, usize>::new();
    let rounds: Vec<usize> = (0..rounds).collect();
    for some in rounds.chunks(20) {
        for round in some {
            let mut mutant = seeds[round % seeds.len()].clone();
            let end = head_of(&mutant).unwrap();
            damage(&mut mutant, end, &mut random);
            let upload = site.upload("mutant.rpm", &mutant);
            let text = format!(
                "format = 1\naction = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = [{upload:?}]\n[end]\n"
            );
            site.drop_request(&format!("mutant-{round}.toml"), &text);
        }
        for round in some {
            let answer = site.answer(&format!("mutant-{round}"));
            let code = answer["code"].as_str().unwrap().to_owned();
            assert!(!["internal", "reader-died", "try-later"].contains(&&*code), "{answer}");
            assert!(!answer["sentence"].as_str().unwrap().contains(|c: char| c.is_control()), "{answer}");
            *codes.entry(code).or_default() += 1;
        }
    }
    let rounds = rounds.len();
    println!("{rounds} requests: {codes:?}");
    assert!(codes.len() > 2, "{codes:?}");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    assert_eq!(daemon.stop().and_then(|status| status.code()), Some(0));
    site.sluice(&["verify", "--at-rest"]).ok();
}
