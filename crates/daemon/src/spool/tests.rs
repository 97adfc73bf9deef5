//! The control directory on the real disk.
//!
//! As root the daemon's part runs on a thread whose file accesses are those of another user, so that root's
//! privileges hide nothing, and requests belong to a third one.
#![expect(clippy::disallowed_methods, reason = "the tests play the requesters on a real disk")]

use super::{Claimed, REQUEST_SIZE_MAX, Spool, format_of};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use nix::unistd::{Gid, Uid, mkfifo, setfsgid, setfsuid};
use plan::{Answer, Code, Outcome};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::sync::Arc;
use store::PosixDisk;

mod power;

const DAEMON: u32 = 65_534;
const REQUESTER: u32 = 54_321;
const REQUEST: &str = "format = 1\nid = \"a\"\n[sweep]\n[end]\n";

pub(super) fn answer(claimed: &Claimed, outcome: Outcome) -> Answer {
    Answer {
        format: Answer::FORMAT,
        claim: claimed.name.clone(),
        id: claimed.name.clone(),
        owner: format!("uid:{}", claimed.owner.uid),
        request_digest: claimed.digest,
        action: "sweep".to_owned(),
        outcome,
        code: claimed.problem.as_ref().map_or("done", |problem| problem.code.as_str()).to_owned(),
        exit: 0,
        sentence: "it was looked at".to_owned(),
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

/// A control directory of the daemon's user in a folder that goes away with it.
struct Ground {
    spool: Spool,
    dir: Utf8PathBuf,
    _folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap();
        if is_root() {
            chown(top, Some(DAEMON), Some(DAEMON)).unwrap();
        }
        let dir = top.join("spool");
        let spool = Spool::new(Arc::new(PosixDisk), dir.clone());
        as_daemon(|| spool.create_directories()).unwrap();
        Ground { spool, dir, _folder: folder }
    }

    /// Writes a request as its owner does: mode 0644, whatever the umask of the test.
    fn put(&self, name: &str, bytes: &[u8]) -> Utf8PathBuf {
        let path = self.dir.join("incoming").join(name);
        fs::write(&path, bytes).unwrap();
        self.give(&path, 0o644);
        path
    }

    fn give(&self, path: &Utf8Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        if is_root() {
            chown(path, Some(REQUESTER), Some(REQUESTER)).unwrap();
        }
    }

    fn claim(&self, now: Timestamp) -> Vec<Claimed> {
        as_daemon(|| self.spool.claim_all(now, &mut || 0xabc)).unwrap()
    }

    fn settle(&self, claimed: &Claimed, outcome: Outcome) {
        as_daemon(|| self.spool.settle(claimed, &answer(claimed, outcome))).unwrap();
    }

    fn again(&self) -> Spool {
        Spool::new(Arc::new(PosixDisk), self.dir.clone())
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.dir.join(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Runs `part` with the file accesses of the daemon's user, which is not root.
fn as_daemon<T: Send>(part: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if is_root() {
                // These two hold for this thread only, and take root's right to ignore modes away.
                setfsgid(Gid::from_raw(DAEMON));
                setfsuid(Uid::from_raw(DAEMON));
            }
            part()
        });
        thread.join().unwrap()
    })
}

fn now() -> Timestamp {
    "2030-01-02T03:04:05.678Z".parse().unwrap()
}

fn modified(path: &Utf8Path) -> Timestamp {
    let facts = fs::metadata(path).unwrap();
    Timestamp::new(facts.mtime(), facts.mtime_nsec() as i32).unwrap()
}

#[test]
fn a_whole_request_is_claimed_for_its_owner_and_copied() {
    let ground = Ground::new();
    let path = ground.put("up date.toml", REQUEST.as_bytes());
    let at = modified(&path);
    let claimed = ground.claim(at);
    let [claim] = &claimed[..] else { panic!("{claimed:?}") };
    let microseconds = Timestamp::from_microsecond(at.as_microsecond()).unwrap();
    assert_eq!(claim.name, format!("up_date-{}-000abc", microseconds.strftime("%Y%m%dT%H%M%S.%6fZ")));
    assert_eq!(claim.claimed_at, microseconds);
    assert_eq!(claim.owner.uid, if is_root() { REQUESTER } else { Uid::effective().as_raw() });
    assert_eq!((claim.bytes.as_slice(), &claim.problem), (REQUEST.as_bytes(), &None));
    assert_eq!(claim.digest, repo::sha256(REQUEST.as_bytes()));
    assert_eq!(ground.names("incoming"), [""; 0]);
    let (file, sidecar) = (format!("{}.toml", claim.name), format!("{}.claim.json", claim.name));
    assert_eq!(ground.names("processing"), [sidecar, file.clone()]);
    assert_eq!(
        ground.spool.in_hand().unwrap(),
        std::slice::from_ref(&claim.name),
        "its record is no request of its own"
    );
    let own = fs::metadata(ground.dir.join("processing").join(file)).unwrap();
    assert_eq!(own.mode() & 0o7777, 0o440);
    assert_eq!(own.uid(), if is_root() { DAEMON } else { Uid::effective().as_raw() });
    assert_eq!(ground.claim(at), [], "a claim is handed out once");
}

#[test]
fn a_claim_can_be_put_back_and_is_the_same_after_a_restart() {
    let ground = Ground::new();
    let at = modified(&ground.put("a.json", b"{\"format\": 1}"));
    let claimed = ground.claim(at);
    assert_eq!((claimed.len(), &claimed[0].problem), (1, &None));
    ground.spool.put_back(&claimed[0].name);
    assert_eq!(ground.claim(at), claimed);
    assert_eq!(as_daemon(|| ground.again().resume()).unwrap(), claimed);
}

#[test]
fn an_incomplete_request_is_left_alone_for_a_minute_and_then_refused() {
    for (name, bytes) in
        [("a.toml", &REQUEST.as_bytes()[..REQUEST.len() - 7]), ("a.json", b"{\"a\": "), ("b.toml", b"")]
    {
        let ground = Ground::new();
        let at = modified(&ground.put(name, bytes));
        let later = |seconds| at + SignedDuration::from_secs(seconds);
        assert_eq!(ground.claim(later(59)), []);
        let left = as_daemon(|| ground.spool.left_alone()).unwrap();
        assert_eq!((left.len(), left[0].name.as_str()), (1, name));
        assert!(left[0].why.contains("not whole"), "{left:?}");
        let claimed = ground.claim(later(60));
        assert_eq!(claimed[0].problem.as_ref().unwrap().code, Code::Truncated);
        assert_eq!(claimed[0].bytes, bytes);
    }
}

#[test]
fn what_is_wrong_with_a_file_has_a_code_of_its_own_and_ends_in_failed() {
    type Make = fn(&Ground, &Utf8Path);
    let cases: [(Code, Make); 9] = [
        (Code::NotARegularFile, |_, path| mkfifo(path.as_std_path(), nix::sys::stat::Mode::S_IRWXU).unwrap()),
        (Code::Symlink, |_, path| symlink("/etc/passwd", path).unwrap()),
        (Code::Symlink, |_, path| symlink("nowhere", path).unwrap()),
        (Code::HardLinked, |ground, path| {
            let other = ground.dir.join("tmp/other");
            fs::write(&other, REQUEST).unwrap();
            ground.give(&other, 0o644);
            fs::hard_link(&other, path).unwrap();
        }),
        (Code::WritableByOthers, |ground, path| {
            fs::write(path, REQUEST).unwrap();
            ground.give(path, 0o664);
        }),
        (Code::WritableByOthers, |ground, path| {
            fs::write(path, REQUEST).unwrap();
            ground.give(path, 0o646);
        }),
        (Code::Unreadable, |ground, path| {
            fs::write(path, REQUEST).unwrap();
            // Written with umask 077 by another user; one who is not root plays this with his own file.
            ground.give(path, if is_root() { 0o600 } else { 0o200 });
        }),
        (Code::TooLarge, |ground, path| {
            fs::write(path, vec![b'#'; REQUEST_SIZE_MAX as usize + 1]).unwrap();
            ground.give(path, 0o644);
        }),
        (Code::TooLarge, |ground, path| {
            // A file with holes: nobody may try to read a tebibyte.
            File::create(path).unwrap().set_len(1 << 40).unwrap();
            ground.give(path, 0o644);
        }),
    ];
    for (number, (code, make)) in cases.into_iter().enumerate() {
        let ground = Ground::new();
        make(&ground, &ground.dir.join("incoming/x.toml"));
        let at = modified(&ground.put("good.toml", REQUEST.as_bytes()));
        let claimed = ground.claim(at);
        assert_eq!(claimed.len(), 2, "case {number}: {code}");
        let bad = claimed.iter().find(|claim| claim.name.starts_with("x-")).unwrap();
        let problem = bad.problem.clone().unwrap();
        assert_eq!(problem.code, code, "case {number}");
        assert!(problem.hint.is_some(), "case {number}");
        assert!(claimed.iter().any(|claim| claim.problem.is_none()), "case {number}: the neighbour suffers");
        // A restart between claim and answer finds the same.
        assert_eq!(as_daemon(|| ground.again().resume()).unwrap(), claimed, "case {number}");
        claimed.iter().for_each(|claim| ground.settle(claim, Outcome::Refused));
        assert_eq!((ground.names("incoming"), ground.names("processing")), (vec![], vec![]), "case {number}");
        assert_eq!(ground.names("failed").len(), 4, "case {number}");
    }
}

#[test]
fn a_directory_stays_where_it_is_and_is_answered_once() {
    let ground = Ground::new();
    let dir = ground.dir.join("incoming/d.toml");
    fs::create_dir(&dir).unwrap();
    ground.give(&dir, 0o755);
    let claimed = ground.claim(now());
    let [claim] = &claimed[..] else { panic!("{claimed:?}") };
    assert_eq!(claim.problem.as_ref().unwrap().code, Code::Directory);
    assert_eq!(ground.claim(now()), [], "it is in somebody's hands");
    ground.settle(claim, Outcome::Refused);
    assert_eq!(ground.names("failed"), [format!("{}.answer.json", claim.name)]);
    assert_eq!(ground.names("incoming"), ["d.toml"]);
    fs::write(dir.join("x"), "changes its time").unwrap();
    assert_eq!(ground.claim(now()), []);
    assert_eq!(as_daemon(|| ground.again().claim_all(now(), &mut || 1)).unwrap(), []);
    let left = as_daemon(|| ground.spool.left_alone()).unwrap();
    assert!(left[0].why.contains("directory"), "{left:?}");
}

#[test]
fn other_names_are_left_and_shown() {
    let ground = Ground::new();
    for name in [".hidden.toml", "notes.txt", "toml", "x.toml~", "X.TOML", ".toml"] {
        ground.put(name, REQUEST.as_bytes());
    }
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff.toml");
    fs::write(ground.dir.join("incoming").as_std_path().join(odd), REQUEST).unwrap();
    assert_eq!(ground.claim(now()), []);
    let left = as_daemon(|| ground.spool.left_alone()).unwrap();
    assert_eq!(left.len(), 7, "{left:?}");
    assert!(left.iter().any(|left| left.name == "\u{fffd}.toml" && left.why.contains("UTF-8")), "{left:?}");
    assert_eq!(fs::read_dir(ground.dir.join("incoming")).unwrap().count(), 7);
}

#[test]
fn names_tell_what_is_a_request() {
    let formats = ["a.toml", "a.b.json", "a.claim.json"].map(|name| format_of(name).map(|(stem, _)| stem));
    assert_eq!(formats, [Some("a"), Some("a.b"), Some("a.claim")]);
    assert!(
        ["a", ".toml", ".a.json", "a.TOML", "a.toml ", "toml"].iter().all(|name| format_of(name).is_none())
    );
}

#[test]
fn claims_have_the_order_in_which_requests_were_written_and_rising_times() {
    let ground = Ground::new();
    for (name, age) in [("a.toml", 10), ("b.toml", 30), ("c.toml", 20)] {
        let path = ground.put(name, REQUEST.as_bytes());
        let time = std::time::SystemTime::from(now() - SignedDuration::from_secs(age));
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    let claimed = ground.claim(now());
    let stems: Vec<&str> = claimed.iter().map(|claim| &claim.name[..1]).collect();
    assert_eq!(stems, ["b", "c", "a"]);
    assert!(claimed.windows(2).all(|pair| pair[0].claimed_at < pair[1].claimed_at), "{claimed:?}");
    // Neither a second scan nor a restart under a clock that was set back gives an earlier time.
    ground.put("d.toml", REQUEST.as_bytes());
    let again = ground.again();
    as_daemon(|| again.resume()).unwrap();
    let last = as_daemon(|| again.claim_all(now() - SignedDuration::from_hours(9), &mut || 0xabc)).unwrap();
    assert!(last[0].claimed_at > claimed[2].claimed_at, "{last:?}");
}

#[test]
fn settling_twice_changes_nothing_and_the_first_answer_stands() {
    let ground = Ground::new();
    let at = modified(&ground.put("a.toml", REQUEST.as_bytes()));
    let claimed = ground.claim(at).remove(0);
    ground.settle(&claimed, Outcome::NothingToDo);
    let told = fs::read(ground.dir.join(format!("done/{}.answer.json", claimed.name))).unwrap();
    ground.settle(&claimed, Outcome::NothingToDo);
    ground.settle(&claimed, Outcome::Refused);
    assert_eq!(ground.names("failed"), [""; 0]);
    assert_eq!(ground.names("done").len(), 2);
    assert_eq!(ground.names("processing"), [""; 0]);
    let answer = as_daemon(|| ground.again().find_answer(&claimed.name)).unwrap().unwrap();
    assert_eq!((answer.outcome, answer.to_json()), (Outcome::NothingToDo, told));
    let request = fs::read(ground.dir.join(format!("done/{}.toml", claimed.name))).unwrap();
    assert_eq!(request, REQUEST.as_bytes());
    let mut answers = Vec::new();
    assert_eq!(as_daemon(|| ground.spool.answers(&mut |answer| answers.push(answer))).unwrap(), [""; 0]);
    assert_eq!(answers.len(), 1);
    assert_eq!(as_daemon(|| ground.again().resume()).unwrap(), []);
}

#[test]
fn whoever_still_holds_the_file_open_cannot_change_what_was_claimed() {
    use std::io::Write;
    let ground = Ground::new();
    let path = ground.put("a.toml", REQUEST.as_bytes());
    let mut held = File::options().append(true).open(&path).unwrap();
    let claimed = ground.claim(modified(&path));
    held.write_all(b"id = \"evil\"\n[end]\n").unwrap();
    assert_eq!(as_daemon(|| ground.again().resume()).unwrap(), claimed);
    ground.settle(&claimed[0], Outcome::Done);
    let kept = fs::read(ground.dir.join(format!("done/{}.toml", claimed[0].name))).unwrap();
    assert_eq!(kept, REQUEST.as_bytes());
}

#[test]
fn a_damaged_record_of_a_claim_is_refused_and_never_carried_out() {
    let ground = Ground::new();
    let at = modified(&ground.put("a.toml", REQUEST.as_bytes()));
    let claimed = ground.claim(at).remove(0);
    let sidecar = ground.dir.join(format!("processing/{}.claim.json", claimed.name));
    fs::remove_file(&sidecar).unwrap();
    fs::write(&sidecar, "{}").unwrap();
    if is_root() {
        chown(&sidecar, Some(DAEMON), Some(DAEMON)).unwrap();
    }
    let found = as_daemon(|| ground.again().resume()).unwrap();
    assert_eq!((found.len(), found[0].problem.as_ref().unwrap().code), (1, Code::TryLater));
    assert!(found[0].bytes.is_empty());
}

#[test]
fn what_is_in_hand_is_bounded_and_the_rest_stays_in_incoming() {
    let ground = Ground::new();
    for number in 0..super::CLAIMS_MAX + 3 {
        ground.put(&format!("{number:04}.json"), b"{}");
    }
    let at = modified(&ground.dir.join("incoming/0000.json"));
    let mut first = ground.claim(at);
    assert_eq!(first.len(), super::CLAIMS_AT_ONCE);
    while ground.spool.has_more() {
        first.extend(ground.claim(at));
    }
    assert_eq!(first.len(), super::CLAIMS_MAX);
    let names: Vec<String> = first.iter().map(|claim| claim.name[..4].to_owned()).collect();
    assert!(names.is_sorted(), "the order of one owner's requests stays");
    assert_eq!(ground.claim(at), [], "nothing was settled");
    first[..2].iter().for_each(|claim| ground.settle(claim, Outcome::Done));
    assert_eq!(ground.claim(at).len(), 2);
    assert_eq!(ground.names("incoming").len(), 1);
}

#[test]
fn one_request_of_another_owner_is_not_kept_out_by_a_flood() {
    if !is_root() {
        println!("skipped: only root can give files to two owners");
        return;
    }
    let ground = Ground::new();
    for number in 0..super::CLAIMS_MAX + 500 {
        ground.put(&format!("flood-{number:04}.json"), b"{}");
    }
    let at = modified(&ground.dir.join("incoming/flood-0000.json"));
    // The flood has taken all places when somebody else asks.
    ground.claim(at);
    while ground.spool.has_more() {
        ground.claim(at);
    }
    let other = ground.put("other.json", b"{}");
    chown(&other, Some(REQUESTER + 1), Some(REQUESTER + 1)).unwrap();
    let later = at + SignedDuration::from_secs(1);
    let claimed: Vec<_> = ground.claim(later).into_iter().map(|claim| claim.name).collect();
    assert!(claimed.len() == 1 && claimed[0].starts_with("other-"), "{claimed:?}");
    // Behind a flood that has not begun to be claimed it is the second.
    let ground = Ground::new();
    for number in 0..super::CLAIMS_AT_ONCE + 1 {
        ground.put(&format!("flood-{number:04}.json"), b"{}");
    }
    let other = ground.put("other.json", b"{}");
    chown(&other, Some(REQUESTER + 1), Some(REQUESTER + 1)).unwrap();
    let claimed = ground.claim(later);
    assert_eq!(claimed.len(), super::CLAIMS_AT_ONCE);
    assert!(claimed[1].name.starts_with("other-"), "{}", claimed[1].name);
}

#[test]
fn a_claim_that_cannot_be_read_at_the_start_is_not_passed_over() {
    let ground = Ground::new();
    let at = modified(&ground.put("a.toml", REQUEST.as_bytes()));
    ground.put("b.toml", REQUEST.as_bytes());
    let claimed = ground.claim(at);
    assert_eq!(claimed.len(), 2);
    let sidecar = ground.dir.join(format!("processing/{}.claim.json", claimed[0].name));
    let mode = |mode| fs::set_permissions(&sidecar, Permissions::from_mode(mode)).unwrap();
    mode(0o000);
    let again = ground.again();
    if is_root() || fs::read(&sidecar).is_err() {
        let error = as_daemon(|| again.resume()).unwrap_err();
        assert!(error.to_string().contains(sidecar.as_str()), "{error}");
    }
    mode(0o440);
    assert_eq!(as_daemon(|| ground.again().resume()).unwrap(), claimed);
}

#[test]
fn a_claim_that_cannot_be_finished_at_the_start_is_not_passed_over() {
    let ground = Ground::new();
    let claimed = ground.claim(modified(&ground.put("a.toml", REQUEST.as_bytes()))).remove(0);
    // The answer is there and the request not moved, as a kill leaves it, and its place is not to be had.
    let told = answer(&claimed, Outcome::Done).to_json();
    fs::write(ground.dir.join(format!("done/{}.answer.json", claimed.name)), told).unwrap();
    let sidecar = ground.dir.join(format!("processing/{}.claim.json", claimed.name));
    fs::remove_file(&sidecar).unwrap();
    fs::create_dir(&sidecar).unwrap();
    assert!(as_daemon(|| ground.again().resume()).is_err());
    fs::remove_dir(&sidecar).unwrap();
    assert_eq!(as_daemon(|| ground.again().resume()).unwrap(), []);
}

#[test]
fn a_directory_that_a_kill_left_without_its_mode_gets_it() {
    let ground = Ground::new();
    let mode = |name: &str| fs::metadata(ground.dir.join(name)).unwrap().mode() & 0o7777;
    let set =
        |name: &str, mode| fs::set_permissions(ground.dir.join(name), Permissions::from_mode(mode)).unwrap();
    set("incoming", 0o700);
    set("done", 0o700);
    // These two were chosen by somebody: one is used, the other is no mode of ours.
    set("failed", 0o700);
    fs::write(ground.dir.join("failed/x"), "used").unwrap();
    set("upload", 0o1730);
    as_daemon(|| ground.spool.create_directories()).unwrap();
    assert_eq!(["incoming", "done", "failed", "upload"].map(mode), [0o3770, 0o2750, 0o700, 0o1730]);
}

#[test]
fn uploads_are_flat_and_regular() {
    let ground = Ground::new();
    let digest = repo::sha256(b"rpm").hex();
    let name = format!("{digest}-a.rpm");
    let path = ground.dir.join("upload").join(&name);
    fs::write(&path, "rpm").unwrap();
    ground.give(&path, 0o644);
    let opened = |name: &str| as_daemon(|| ground.spool.open_upload(name).map(|file| file.is_some()));
    assert!(opened(&name).unwrap());
    symlink("/etc/passwd", ground.dir.join(format!("upload/{digest}-link"))).unwrap();
    let up = format!("{digest}-/../../incoming/x");
    let upper = format!("{}-a.rpm", digest.to_uppercase());
    let others = [&*format!("{digest}-link"), &up, &upper, "../x", "", &*digest, &*format!("{digest}-")];
    for other in others {
        assert!(!opened(other).unwrap(), "{other}");
    }
    as_daemon(|| ground.spool.remove_upload(&name)).unwrap();
    as_daemon(|| ground.spool.remove_upload(&name)).unwrap();
    assert!(!opened(&name).unwrap());
}

#[test]
fn the_directories_are_made_once_and_looked_at_each_time() {
    let ground = Ground::new();
    let mode = |name: &str| fs::metadata(ground.dir.join(name)).unwrap().mode() & 0o7777;
    assert_eq!(["tmp", "incoming", "upload"].map(mode), [0o3770; 3]);
    assert_eq!(["processing", "done", "failed"].map(mode), [0o2750; 3]);
    as_daemon(|| ground.spool.create_directories()).unwrap();
    fs::set_permissions(ground.dir.join("done"), Permissions::from_mode(0o2770)).unwrap();
    let error = as_daemon(|| ground.spool.create_directories()).unwrap_err();
    assert!(error.to_string().contains("/spool/done`: its mode is 2770"), "{error}");
}
