use super::{Audit, Record, RecordKind};
use camino::Utf8Path;
use jiff::Timestamp;
use plan::{Answer, Outcome};
use std::io::{Read, Write};
use std::sync::Arc;
use store::Disk;
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;

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
        plan_hash: None,
        plan: None,
    }
}

fn refusal(claim: &str) -> Record {
    Record::of_answer(at("2026-11-21T23:04:35Z"), &answer(claim))
}

fn generation(number: u64, when: &str) -> Record {
    let record = refusal("x");
    Record {
        kind: RecordKind::Generation,
        generation: Some(number),
        at: at(when),
        claim: None,
        id: None,
        owner: None,
        answer: None,
        ..record
    }
}

fn open(disk: &Arc<ForgetfulDisk>) -> Audit {
    Audit::open(Arc::clone(disk) as Arc<dyn Disk>, "/audit".into()).unwrap()
}

fn claims(audit: &Audit) -> Vec<String> {
    audit.records().unwrap().map(|record| record.unwrap().claim.unwrap_or_default()).collect()
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
    audit.append(&generation(7, "2026-12-01T00:00:00Z")).unwrap();
    for claim in ["a", "b"] {
        audit.append(&refusal(claim)).unwrap();
    }
    assert_eq!(claims(&open(&disk)), ["a", "b", ""]);
    let record = open(&disk).records().unwrap().next().unwrap().unwrap();
    assert_eq!(record, refusal("a"));
    assert_eq!(bytes(&*disk, "/audit/2026-11.jsonl").lines().count(), 2);
}

#[test]
fn a_torn_tail_is_skipped_reported_and_followed_by_a_fresh_line() {
    let disk = Arc::new(ForgetfulDisk::new());
    open(&disk).append(&refusal("a")).unwrap();
    append(&*disk, b"{\"format\":1,\"at\":\"2026");
    let mut audit = open(&disk);
    assert_eq!(claims(&audit), ["a"]);
    audit.append(&refusal("b")).unwrap();
    audit.append(&refusal("c")).unwrap();
    assert_eq!(claims(&audit), ["a", "b", "c"]);
    let mut records = audit.records().unwrap();
    assert_eq!((&mut records).count(), 3);
    let [(path, line, _)] = records.skipped() else { panic!("{:?}", records.skipped()) };
    assert_eq!((path.as_str(), *line), ("/audit/2026-11.jsonl", 2));
}

#[test]
fn lines_that_are_no_records_are_skipped_and_reported() {
    let disk = Arc::new(ForgetfulDisk::new());
    open(&disk).append(&refusal("a")).unwrap();
    append(&*disk, b"nonsense\n\n\xff\xfe\n{}\n");
    open(&disk).append(&refusal("b")).unwrap();
    let mut records = open(&disk).records().unwrap();
    assert_eq!((&mut records).count(), 2);
    let lines: Vec<u64> = records.skipped().iter().map(|(_, line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 5]);
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
        open(&disk).records().unwrap().map(|record| record.unwrap().generation.unwrap()).collect();
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
            let found = claims(&open(&Arc::new(after)));
            assert!(found.iter().any(|claim| claim == "a"), "operation {failing} failed: {found:?}");
        }
    }
}

fn is_told(disk: &ForgetfulDisk, claim: &str) -> bool {
    disk.state(&Utf8Path::new("/told").with_extension(claim)).unwrap().is_some()
}
