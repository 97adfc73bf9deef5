use super::*;
use std::os::unix::fs::MetadataExt;

use plan::Outcome;

struct Spool(tempfile::TempDir);

impl Spool {
    fn new() -> Spool {
        let spool = tempfile::tempdir().unwrap();
        for name in ["tmp", "incoming", "upload", "processing", "done", "failed"] {
            fs::create_dir(spool.path().join(name)).unwrap();
        }
        Spool(spool)
    }

    fn path(&self) -> &Utf8Path {
        self.0.path().try_into().unwrap()
    }

    fn submitter(&self) -> Submitter {
        Submitter::new(self.path().to_owned())
    }

    fn names(&self, place: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path().join(place))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What the daemon does, as far as a requester sees it: claims, answers by a rename, moves.
    fn settle(&self, sent: &Sent, place: &str) -> Answer {
        let claim = format!("{}-20260101T000000.000001Z-0a1b2c", sent.stem);
        let processing = self.path().join("processing").join(&claim);
        fs::rename(self.path().join("incoming").join(&sent.name), &processing).unwrap();
        let answer = answer(&claim);
        let draft = self.path().join("processing").join("draft");
        fs::write(&draft, answer.to_json()).unwrap();
        fs::rename(&draft, self.path().join(place).join(format!("{claim}.answer.json"))).unwrap();
        fs::rename(processing, self.path().join(place).join(format!("{claim}.toml"))).unwrap();
        answer
    }
}

fn answer(claim: &str) -> Answer {
    Answer {
        format: Answer::FORMAT,
        claim: claim.to_owned(),
        id: claim.to_owned(),
        owner: "user:alice".to_owned(),
        request_digest: Sha256::from([7; 32]),
        action: "keep".to_owned(),
        outcome: Outcome::Done,
        code: "done".to_owned(),
        exit: 0,
        sentence: "generation 3 is kept".to_owned(),
        reasons: Vec::new(),
        hint: None,
        generation: Some(3),
        moved: Vec::new(),
        gates: Vec::new(),
        hosts_run: None,
        node_types: Vec::new(),
        hosts: Vec::new(),
        plan_hash: None,
        plan: None,
    }
}

const LONG: Duration = Duration::from_secs(300);

#[test]
fn an_upload_lies_under_its_digest_readable_for_the_daemon() {
    let spool = Spool::new();
    let file = spool.path().join("voms-1-1.noarch.rpm");
    fs::write(&file, "abc").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let name = spool.submitter().upload(&file).unwrap();
    assert_eq!(name, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad-voms-1-1.noarch.rpm");
    let uploaded = spool.path().join("upload").join(&name);
    assert_eq!(fs::read_to_string(&uploaded).unwrap(), "abc");
    let state = fs::metadata(&uploaded).unwrap();
    assert_eq!((state.mode() & 0o7777, state.nlink()), (0o644, 1));
    assert_eq!(spool.names("tmp"), [""; 0]);
    // Twice is once.
    assert_eq!(spool.submitter().upload(&file).unwrap(), name);
    assert_eq!(spool.names("upload"), [name]);
}

#[test]
fn an_upload_is_not_confused_by_what_lies_there() {
    let spool = Spool::new();
    let file = spool.path().join("a.rpm");
    fs::write(&file, "abc").unwrap();
    let name = spool.submitter().upload(&file).unwrap();
    fs::write(spool.path().join("upload").join(&name), "evil").unwrap();
    let error = spool.submitter().upload(&file).unwrap_err();
    assert!(error.to_string().contains("other bytes lie there"), "{error}");
    assert_eq!(spool.names("tmp"), [""; 0]);
}

#[test]
fn what_is_no_file_is_not_uploaded() {
    let spool = Spool::new();
    let refused = |path: &str, words: &str| {
        let error = spool.submitter().upload(&spool.path().join(path)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    refused("nothing.rpm", "failed to open");
    refused("tmp", "not a regular file");
    fs::write(spool.path().join(".hidden"), "").unwrap();
    refused(".hidden", "begins with a dot");
    assert_eq!((spool.names("tmp"), spool.names("upload")), (vec![], vec![]));
}

#[test]
fn a_request_arrives_whole_and_each_under_its_own_name() {
    let spool = Spool::new();
    let first = spool.submitter().send("../my request", Format::Toml, b"[end]\n").unwrap();
    let second = spool.submitter().send("../my request", Format::Toml, b"[end]\n").unwrap();
    assert!(first.stem.starts_with("myrequest-"), "{}", first.stem);
    assert_ne!(first.stem, second.stem);
    assert_eq!(spool.names("incoming").len(), 2);
    let path = spool.path().join("incoming").join(&first.name);
    assert_eq!(fs::read(&path).unwrap(), b"[end]\n");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o644);
    assert_eq!(spool.names("tmp"), [""; 0]);
    assert!(spool.submitter().send("...", Format::Json, b"{}").unwrap().name.starts_with("request-"));
}

#[test]
fn an_answer_that_is_there_already_is_found_at_once() {
    let spool = Spool::new();
    let sent = spool.submitter().send("keep", Format::Toml, b"[end]\n").unwrap();
    // The answer to another request must not be taken for ours.
    let other = spool.submitter().send("keep", Format::Toml, b"[end]\n").unwrap();
    spool.settle(&other, "failed");
    assert_eq!(sent.wait(Duration::ZERO, &mut |_| {}).unwrap(), None);
    let answer = spool.settle(&sent, "done");
    assert_eq!(sent.wait(Duration::ZERO, &mut |_| {}).unwrap(), Some(answer));
}

#[test]
fn an_answer_ends_the_wait_when_it_comes() {
    let spool = Spool::new();
    let sent = spool.submitter().send("keep", Format::Toml, b"[end]\n").unwrap();
    let (began, begun) = channel();
    let (spool, sent) = (&spool, &sent);
    let answer = std::thread::scope(|scope| {
        let daemon = scope.spawn(move || {
            // The requester has seen that nobody claims, so it truly waits.
            assert_eq!(begun.recv().unwrap(), Seen::Unclaimed);
            spool.settle(sent, "failed")
        });
        let found = sent
            .wait_telling(LONG, Duration::from_millis(20), &mut |seen| began.send(seen).unwrap_or(()))
            .unwrap();
        assert_eq!(found, Some(daemon.join().unwrap()));
        found.unwrap()
    });
    assert!(answer.claim.starts_with(&sent.stem));
}

#[test]
fn a_control_directory_that_is_not_there_is_an_error_with_its_path() {
    let error = Submitter::new("/nowhere".into()).send("keep", Format::Toml, b"").unwrap_err();
    assert!(error.to_string().starts_with("failed to create `/nowhere/tmp/keep-"), "{error}");
}
