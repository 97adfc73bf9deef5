//! What people drop into the control directory, good and bad, on the real program.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::time::Duration;

use serde_json::Value;
use testkit::{Sandbox, Site, Watch, is_root, program, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn promotion(package: &str, more: &str) -> String {
    format!(
        "format = 1\naction = \"promote\"\nproduct = \"glite-3.2\"\nfrom = \"delta\"\nto = \"production\"\n\
         packages = [\"{package}\"]\n{more}[end]\n"
    )
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or("no code")
}

#[test]
fn every_bad_request_gets_a_code_of_its_own() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let incoming = site.spool().join("incoming");
    let good = promotion("voms", "");
    let mut daemon = site.start();

    // A umask of 077 hides it from the daemon's user; where that is the writer himself, only 0777 would.
    site.drop_request("hidden.part", &good);
    let mode = if is_root() { 0o600 } else { 0o000 };
    fs::set_permissions(incoming.join("hidden.part"), fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(incoming.join("hidden.part"), incoming.join("hidden.toml")).unwrap();
    run(program("mkfifo").arg(incoming.join("fifo.toml"))).ok();
    symlink("/etc/hostname", incoming.join("link.toml")).unwrap();
    fs::create_dir(incoming.join("folder.toml")).unwrap();
    site.drop_request("cut.toml", good.split("packages").next().unwrap());
    site.drop_request("garbage.toml", "this is = = not TOML\n[end]\n");
    site.drop_request("key.toml", &promotion("voms", "prioritty = 1\n"));
    site.drop_request("absent.toml", &promotion("voms", ""));
    site.drop_request("stage.toml", &good.replace("\"delta\"", "\"gamma\""));
    site.drop_request("late.toml", &promotion("voms", "expires = \"2001-01-01T00:00:00Z\"\n"));
    site.drop_request("linked.part", &good);
    fs::hard_link(incoming.join("linked.part"), site.spool().join("tmp/second-name")).unwrap();
    fs::rename(incoming.join("linked.part"), incoming.join("linked.toml")).unwrap();
    site.drop_request("open.part", &good);
    fs::set_permissions(incoming.join("open.part"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::rename(incoming.join("open.part"), incoming.join("open.toml")).unwrap();
    site.drop_request("large.toml", &format!("{}# {}\n", good.replace("[end]\n", ""), "x".repeat(70_000)));

    for (stem, wanted) in [
        ("hidden", "unreadable"),
        ("fifo", "not-a-regular-file"),
        ("link", "symlink"),
        ("folder", "directory"),
        ("garbage", "malformed"),
        ("key", "unknown-key"),
        ("absent", "no-such-package"),
        ("stage", "unknown-stage"),
        ("late", "expired"),
        ("linked", "hard-linked"),
        ("open", "writable-by-others"),
        ("large", "too-large"),
        // Left alone for a minute, in case somebody is still writing it; so it comes last.
        ("cut", "truncated"),
    ] {
        let answer = site.answer(stem);
        assert_eq!((stem, code(&answer)), (stem, wanted), "{answer:#}");
        assert_eq!(answer["outcome"], "refused", "{answer:#}");
        let sentence = answer["sentence"].as_str().unwrap();
        assert!(sentence.len() > 10 && !sentence.ends_with('.'), "`{sentence}` is not a plain sentence");
        let found = site.answers(stem);
        assert_eq!(found.len(), 1, "{stem} was answered more than once");
        assert_eq!(found[0].0, "failed", "{stem}");
    }
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify"]).ok();
}

#[test]
fn one_id_stands_for_one_content() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    site.drop_request("one.toml", &promotion("voms", "id = \"update-57\"\n"));
    let first = site.answer("one");
    assert_eq!(code(&first), "no-such-package");
    site.drop_request("same.toml", &promotion("voms", "id = \"update-57\"\n"));
    let same = site.answer("same");
    for key in ["code", "sentence", "id", "request_digest"] {
        assert_eq!(same[key], first[key], "the same request gets the first answer again: {same:#}");
    }
    site.drop_request("other.toml", &promotion("voms-other", "id = \"update-57\"\n"));
    assert_eq!(code(&site.answer("other")), "used-id");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
}

#[test]
fn who_owns_the_file_is_who_asks() {
    let sandbox = Sandbox::new();
    // As root somebody else's file can be made; otherwise the roles are somebody else's.
    let stages = if is_root() { STAGES.to_owned() } else { STAGES.replace("ME", "uid:1") };
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &stages);
    let mut daemon = site.start();
    // Of a user this machine has a name for, and of one it has none for.
    let owners = if is_root() { vec![1, 64_777] } else { vec![nix::unistd::geteuid().as_raw()] };
    for uid in owners {
        let stem = format!("foreign-{uid}");
        let draft = site.spool().join("tmp").join(format!("{stem}.toml"));
        fs::write(&draft, promotion("voms", "")).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
        chown(&draft, Some(uid), None).unwrap();
        fs::rename(&draft, site.spool().join("incoming").join(format!("{stem}.toml"))).unwrap();
        let answer = site.answer(&stem);
        assert_eq!(code(&answer), "unknown-owner", "{answer:#}");
    }
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
}

#[test]
fn a_role_for_something_else_is_not_enough() {
    let sandbox = Sandbox::new();
    let stages =
        STAGES.replace("release-team = [\"ME\"]", "release-team = [\"uid:1\"]\noperations = [\"ME\"]");
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &stages);
    let mut daemon = site.start();
    site.drop_request("ours.toml", &promotion("voms", ""));
    let answer = site.answer("ours");
    assert_eq!(code(&answer), "role-not-allowed", "{answer:#}");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
}

#[test]
fn what_is_no_request_is_left_alone() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let incoming = site.spool().join("incoming");
    let strangers = ["notes.txt", ".hidden.toml.swp", "README"];
    for stranger in strangers {
        fs::write(incoming.join(stranger), "not a request").unwrap();
    }
    let mut daemon = site.start();
    // A request behind them shows that the daemon has passed them.
    site.drop_request("after.toml", &promotion("voms", ""));
    assert_eq!(code(&site.answer("after")), "no-such-package");
    for stranger in strangers {
        assert_eq!(fs::read_to_string(incoming.join(stranger)).unwrap(), "not a request", "{stranger}");
    }
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let status = site.sluice(&["--json", "status"]).ok().stdout;
    assert!(status.contains("notes.txt"), "status does not show what is left alone: {status}");
}

#[test]
fn a_request_is_taken_up_without_waiting_for_the_scan() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let watch = Watch::on(&[&site.spool().join("failed")]);
    site.drop_request("quick.toml", &promotion("voms", ""));
    // The scan comes every 30 s, and the daemon has just made one.
    let quick = watch.until(Duration::from_secs(20), || site.answers("quick").pop());
    assert!(quick.is_some(), "{}", daemon.log());
}

#[test]
fn a_second_daemon_does_not_start() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let _first = site.start();
    let mut second = site.start_unwatched();
    let ended = second.wait().and_then(|status| status.code());
    assert_eq!(ended, Some(4), "{}", second.log());
}
