use super::{Audit, Record, RecordKind};
use camino::Utf8Path;
use jiff::Timestamp;
use plan::{Answer, Outcome};
use std::io::{Read, Write};
use std::sync::Arc;
use store::Disk;
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;
use store::planted::{Bug, plant};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn answer(claim: &str) -> Answer {
    Answer {
        format: Answer::FORMAT,
        claim: claim.to_owned(),
        id: claim.to_owned(),
        owner: "user:alice".to_owned(),
        request_digest: repo::sha256(claim.as_bytes()),
        action: "promote".to_owned(),
        outcome: Outcome::Refused,
        code: "older".to_owned(),
        exit: 3,
        sentence: "line one\nline two".to_owned(),
        reasons: Vec::new(),
        hint: None,
        generation: None,
        moved: Vec::new(),
        gates: Vec::new(),
        hosts_run: None,
        node_types: Vec::new(),
        hosts: Vec::new(),
        plan_hash: None,
        plan: None,
    }
}

fn refusal(claim: &str) -> Record {
    Record::of_answer(at("2026-11-21T23:04:35Z"), &answer(claim), None)
}

fn generation(number: u64, when: &str) -> Record {
    Record { generation: Some(number), ..Record::new(at(when), RecordKind::Generation) }
}

fn open(disk: &Arc<ForgetfulDisk>) -> Audit {
    let now = at("2026-11-21T23:04:35Z");
    Audit::open(Arc::clone(disk) as Arc<dyn Disk>, "/audit".into(), now).unwrap()
}

fn claims(audit: &Audit) -> Vec<String> {
    audit.records().unwrap().filter_map(|record| record.unwrap().claim).collect()
}

/// What is wrong with the log, by line, and whether its tail is torn.
fn flaws(audit: &Audit) -> (Vec<u64>, bool) {
    let mut records = audit.records().unwrap();
    (&mut records).for_each(drop);
    (records.flaws().iter().map(|flaw| flaw.line).collect(), records.torn().is_some())
}

fn bytes(disk: &dyn Disk, path: &str) -> String {
    let mut text = String::new();
    disk.open(Utf8Path::new(path)).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn append(disk: &dyn Disk, bytes: &[u8]) {
    let mut file = disk.append("/audit/2026-11.jsonl".into(), 0o640).unwrap();
    file.write_all(bytes).unwrap();
    file.sync().unwrap();
}

#[test]
fn what_was_appended_is_read_back_in_order_month_by_month() {
    let disk = Arc::new(ForgetfulDisk::new());
    let mut audit = open(&disk);
    audit.append(&refusal("a")).unwrap();
    audit.append(&Record { at: at("2026-12-01T00:00:00Z"), ..refusal("b") }).unwrap();
    // The clock was set back: the line keeps its date and its place.
    audit.append(&refusal("c")).unwrap();
    assert_eq!(claims(&open(&disk)), ["a", "b", "c"]);
    let first = open(&disk).records().unwrap().next().unwrap().unwrap();
    assert_eq!(first, Record { previous: Some(repo::sha256(b"")), ..refusal("a") });
    assert_eq!(bytes(&*disk, "/audit/2026-11.jsonl").lines().count(), 1);
    assert_eq!(flaws(&open(&disk)), (vec![], false));
}

#[test]
fn a_torn_tail_counts_for_nothing_and_the_next_line_says_so() {
    let line = {
        let disk = Arc::new(ForgetfulDisk::new());
        let mut audit = open(&disk);
        audit.append(&refusal("a")).unwrap();
        audit.append(&refusal("torn")).unwrap();
        bytes(&*disk, "/audit/2026-11.jsonl").lines().nth(1).unwrap().to_owned()
    };
    // Cut short, overwritten by zeros, or by zeros up to its end.
    let cuts = (1..=line.len()).map(|cut| line.as_bytes()[..cut].to_vec());
    let tails = cuts.chain([vec![0; line.len()], [vec![0; line.len()], b"\n".to_vec()].concat()]);
    for tail in tails {
        let disk = Arc::new(ForgetfulDisk::new());
        open(&disk).append(&refusal("a")).unwrap();
        append(&*disk, &tail);
        assert_eq!(flaws(&opened_without_healing(&disk)), (vec![], true), "{tail:?}");
        let mut audit = open(&disk);
        assert_eq!((claims(&audit), flaws(&audit)), (vec!["a".to_owned()], (vec![], false)), "{tail:?}");
        audit.append(&refusal("b")).unwrap();
        audit.append_all(&[refusal("c"), refusal("d")]).unwrap();
        assert_eq!(
            (claims(&audit), flaws(&audit)),
            (vec!["a", "b", "c", "d"].into_iter().map(str::to_owned).collect(), (vec![], false))
        );
    }
}

fn opened_without_healing(disk: &Arc<ForgetfulDisk>) -> Audit {
    let _planted = plant(Bug::TornTailNotHealed);
    let copy = Arc::new(disk.copy());
    let audit = open(&copy);
    assert_eq!(bytes(&*copy, "/audit/2026-11.jsonl"), bytes(&**disk, "/audit/2026-11.jsonl"));
    audit
}

#[test]
fn without_the_line_that_heals_a_torn_tail_is_a_fault() {
    let disk = Arc::new(ForgetfulDisk::new());
    open(&disk).append(&refusal("a")).unwrap();
    append(&*disk, b"{\"format\":1,\"at\":\"2026");
    let _planted = plant(Bug::TornTailNotHealed);
    let mut audit = open(&disk);
    audit.append(&refusal("b")).unwrap();
    assert_ne!(flaws(&audit), (vec![], false));
}

/// A log of single lines, of writes of several, and of two months.
fn log() -> Vec<String> {
    let disk = Arc::new(ForgetfulDisk::new());
    let mut audit = open(&disk);
    for claim in ["a", "b"] {
        audit.append(&refusal(claim)).unwrap();
    }
    audit.append_all(&["c", "d", "e"].map(refusal)).unwrap();
    audit.append(&refusal("f")).unwrap();
    audit.append_all(&["g", "h", "i"].map(refusal)).unwrap();
    bytes(&*disk, "/audit/2026-11.jsonl").lines().map(|line| format!("{line}\n")).collect()
}

/// The flaws of a log of these lines, as it is found and as it is after the next start and one more record.
fn flaws_of(lines: &[String]) -> [(Vec<u64>, bool); 2] {
    let disk = Arc::new(ForgetfulDisk::new());
    disk.make_directory("/audit".into(), 0o750).unwrap();
    append(&*disk, lines.concat().as_bytes());
    let before = flaws(&opened_without_healing(&disk));
    let mut audit = open(&disk);
    audit.append(&refusal("z")).unwrap();
    [before, flaws(&audit)]
}

#[test]
fn whatever_is_changed_removed_added_or_moved_is_found_where_it_is() {
    let log = log();
    assert_eq!(flaws_of(&log), [(vec![], false), (vec![], false)]);
    let last = log.len() - 1;
    for at in 0..=last {
        let line = at as u64 + 1;
        let near = |found: &[(Vec<u64>, bool); 2], what: &str| {
            for (flaws, _) in found {
                assert!(
                    flaws.iter().any(|flaw| flaw.abs_diff(line) <= 1),
                    "line {line} was {what}: {found:?}"
                );
            }
        };
        let mut changed = log.clone();
        changed[at] = changed[at].replace("user:alice", "user:mallo");
        // The newest line, changed whole, can only be known by a manifest that names it.
        if at < last {
            near(&flaws_of(&changed), "changed");
        }
        let mut torn = log.clone();
        torn[at] = "x\n".to_owned();
        match flaws_of(&torn) {
            [_, (healed, _)] if at == last => assert_eq!(healed, Vec::<u64>::new()),
            // Of the last write a crash leaves what it will.
            [_, (healed, _)] if at > last - 3 => assert_eq!(healed, Vec::<u64>::new()),
            found => near(&found, "overwritten"),
        }
        let mut removed = log.clone();
        removed.remove(at);
        if at < last {
            near(&flaws_of(&removed), "removed");
        }
        let mut doubled = log.clone();
        doubled.insert(at, log[at].clone());
        near(&flaws_of(&doubled), "doubled");
        if at < last {
            let mut moved = log.clone();
            moved.swap(at, at + 1);
            near(&flaws_of(&moved), "moved");
        }
    }
}

#[test]
fn lines_cut_off_at_the_end_are_missed_by_whoever_knows_their_digest() {
    let log = log();
    let head = repo::sha256(log.last().unwrap().trim_end().as_bytes());
    for kept in 0..=log.len() {
        let disk = Arc::new(ForgetfulDisk::new());
        disk.make_directory("/audit".into(), 0o750).unwrap();
        append(&*disk, log[..kept].concat().as_bytes());
        let audit = open(&disk);
        let mut records = audit.records().unwrap();
        records.want([head].into());
        (&mut records).for_each(drop);
        assert_eq!(records.missing().is_empty(), kept == log.len(), "{kept} lines are left");
    }
}

#[test]
fn a_log_without_a_chain_gets_one_that_covers_it() {
    let old = "{\"format\":1,\"at\":\"2026-11-01T00:00:00Z\",\"kind\":\"generation\",\"generation\":7}\n";
    for torn in ["", "{\"form", "nonsense\n\n"] {
        let disk = Arc::new(ForgetfulDisk::new());
        disk.make_directory("/audit".into(), 0o750).unwrap();
        append(&*disk, format!("{old}{torn}").as_bytes());
        let mut audit = open(&disk);
        assert_eq!(audit.newest(), Some(7));
        audit.append(&refusal("a")).unwrap();
        let kinds: Vec<_> = open(&disk).records().unwrap().map(|record| record.unwrap().kind).collect();
        assert_eq!(kinds, [RecordKind::Generation, RecordKind::Began, RecordKind::Answer]);
        assert_eq!(flaws(&open(&disk)), (vec![], false));
        let changed = bytes(&*disk, "/audit/2026-11.jsonl").replacen("11-01", "11-02", 1);
        let disk = Arc::new(ForgetfulDisk::new());
        disk.make_directory("/audit".into(), 0o750).unwrap();
        append(&*disk, changed.as_bytes());
        assert_eq!(flaws(&open(&disk)).0.len(), 1);
    }
}

#[test]
fn a_generation_is_recorded_once_also_after_a_restart() {
    let disk = Arc::new(ForgetfulDisk::new());
    for _ in 0..2 {
        let mut audit = open(&disk);
        audit.append_once(&generation(7, "2026-11-21T00:00:00Z")).unwrap();
        audit.append_once(&generation(7, "2026-12-21T00:00:00Z")).unwrap();
        audit.append_once(&generation(8, "2026-12-21T00:00:01Z")).unwrap();
    }
    let numbers: Vec<_> =
        open(&disk).records().unwrap().filter_map(|record| record.unwrap().generation).collect();
    assert_eq!(numbers, [7, 8]);
}

#[test]
fn an_appended_record_survives_every_power_cut() {
    let all = ["a", "b", "c"];
    let report = Sweep::new(6).run(
        &ForgetfulDisk::new(),
        |disk: Arc<ForgetfulDisk>| {
            let mut audit = open(&disk);
            for claim in all {
                audit.append(&refusal(claim)).unwrap();
                // A mark that the call returned; the sweep looks for it in what was seen at that moment.
                disk.make_directory(&Utf8Path::new("/told").with_extension(claim), 0o755).unwrap();
            }
        },
        |seen| all.iter().filter(|claim| is_told(seen, claim)).count(),
        |disk, told, _| {
            let mut audit = open(disk);
            let found = claims(&audit);
            audit.append(&refusal("z")).unwrap();
            let after = claims(&audit);
            let mut wrong = Vec::new();
            if !all.starts_with(&found.iter().map(String::as_str).collect::<Vec<_>>()) || found.len() < *told
            {
                wrong.push(format!("{told} were told, and {found:?} are there"));
            }
            if after != [found.clone(), vec!["z".to_owned()]].concat() {
                wrong.push(format!("one more record made {after:?} of {found:?}"));
            }
            if flaws(&audit) != (vec![], false) {
                wrong.push(format!("the chain is broken: {:?}", flaws(&audit)));
            }
            wrong
        },
    );
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.states >= 10, "{report}");
}

#[test]
fn a_record_that_was_appended_after_a_failure_survives_every_power_cut() {
    let steps = |disk: &Arc<ForgetfulDisk>, failing: u64| {
        let mut audit = open(disk);
        let before = disk.operations();
        disk.fail_only(before + failing);
        // The daemon's way with an error: the same record once more.
        let failed = audit.append(&refusal("a")).is_err();
        if failed {
            audit.append(&refusal("a")).unwrap();
        }
        (failed, disk.operations() - before)
    };
    let (_, count) = steps(&Arc::new(ForgetfulDisk::new()), u64::MAX / 2);
    assert!(count >= 4, "{count}");
    for failing in 1..=count {
        let disk = Arc::new(ForgetfulDisk::new());
        assert!(steps(&disk, failing).0, "operation {failing} did not fail");
        for after in disk.crash_states(failing) {
            let found = claims(&open(&Arc::new(after.copy())));
            assert!(found.iter().any(|claim| claim == "a"), "operation {failing} failed: {found:?}");
            assert_eq!(flaws(&open(&Arc::new(after.copy()))), (vec![], false), "operation {failing} failed");
        }
    }
}

fn is_told(disk: &ForgetfulDisk, claim: &str) -> bool {
    disk.state(&Utf8Path::new("/told").with_extension(claim)).unwrap().is_some()
}
