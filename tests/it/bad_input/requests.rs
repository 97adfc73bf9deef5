//! Requests that are not what a request must be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::time::{Duration, SystemTime};

use testkit::{Sandbox, is_root, program, run};

use super::{Row, STAGES, Trial, promotion, row};

const ROWS: [Row; 18] = [
    row("hidden", "unreadable", "may not read the request", "umask"),
    row("fifo", "not-a-regular-file", "a FIFO", "ordinary file"),
    row("symlink", "symlink", "symbolic link", "copy the file"),
    row("folder", "directory", "a directory", "the request file itself"),
    row("linked", "hard-linked", "has 2 names", "instead of linking"),
    row("open", "writable-by-others", "others than its owner", "chmod go-w"),
    row("large", "too-large", "at most 65536", "split it"),
    row("garbage", "malformed", "line 1, column 6", "deploy/requests.md"),
    row("bytes", "not-utf8", "UTF-8", "UTF-8"),
    row("twice", "duplicate-key", "line 7", "stands once"),
    row("twice-json", "duplicate-key", "line 2", "stands once"),
    row("type", "wrong-type", "line 7, column 13", "between brackets"),
    row("key", "unknown-key", "prioritty", ""),
    row("action", "unknown-action", "promotee", ""),
    row("format", "wrong-format", "", ""),
    row("stage", "unknown-stage", "gamma", ""),
    row("late", "expired", "expired at", "later `expires`"),
    row("cut", "truncated", "ends too early", "[end]"),
];

#[test]
fn every_bad_request_has_a_code_a_message_and_a_hint() {
    let sandbox = Sandbox::new();
    let trial = Trial::begin(&sandbox, STAGES);
    let site = &trial.site;
    let incoming = site.spool().join("incoming");
    let good = promotion("");
    // A umask of 077 hides it from the daemon's user; where that is the writer himself, only 0777 would.
    let hidden = if is_root() { 0o600 } else { 0o000 };
    for (stem, mode) in [("hidden", hidden), ("open", 0o666)] {
        site.drop_request(&format!("{stem}.part"), &good);
        fs::set_permissions(incoming.join(format!("{stem}.part")), fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(incoming.join(format!("{stem}.part")), incoming.join(format!("{stem}.toml"))).unwrap();
    }
    site.drop_request("linked.part", &good);
    fs::hard_link(incoming.join("linked.part"), site.spool().join("tmp/second-name")).unwrap();
    fs::rename(incoming.join("linked.part"), incoming.join("linked.toml")).unwrap();
    run(program("mkfifo").arg(incoming.join("fifo.toml"))).ok();
    symlink("/etc/hostname", incoming.join("symlink.toml")).unwrap();
    fs::create_dir(incoming.join("folder.toml")).unwrap();
    fs::write(site.spool().join("tmp/bytes.toml"), b"format = 1\nreason = \"\xff\xfe\"\n[end]\n").unwrap();
    fs::rename(site.spool().join("tmp/bytes.toml"), incoming.join("bytes.toml")).unwrap();
    // What somebody may still be writing is left alone for a minute: nobody has written in this one for longer.
    let cut = site.spool().join("tmp/cut.toml");
    fs::write(&cut, good.split("packages").next().unwrap()).unwrap();
    let written = SystemTime::now() - Duration::from_secs(61);
    fs::File::options().write(true).open(&cut).unwrap().set_modified(written).unwrap();
    fs::rename(&cut, incoming.join("cut.toml")).unwrap();
    let json = r#"{"format": 1, "action": "promote", "product": "glite-3.2", "from": "delta", "to": "delta",
                   "to": "production", "packages": ["voms"]}"#;
    for (name, text) in [
        ("garbage.toml", "this is = = not TOML\n[end]\n".to_owned()),
        ("twice.toml", promotion("to = \"delta\"\n")),
        ("twice-json.json", json.to_owned()),
        ("type.toml", promotion("platforms = 7\n")),
        ("key.toml", promotion("prioritty = 1\n")),
        ("action.toml", good.replace("\"promote\"", "\"promotee\"")),
        ("format.toml", good.replace("format = 1", "format = 2")),
        ("stage.toml", good.replace("\"delta\"", "\"gamma\"")),
        ("late.toml", promotion("expires = \"2001-01-01T00:00:00Z\"\n")),
        ("large.toml", good.replace("[end]\n", &format!("# {}\n[end]\n", "x".repeat(70_000)))),
    ] {
        site.drop_request(name, &text);
    }
    trial.judge(&ROWS);
    trial.end();
}

#[test]
fn an_owner_without_a_role_is_refused_and_so_is_one_nobody_knows() {
    let sandbox = Sandbox::new();
    // As root somebody else's file can be made; otherwise the roles are somebody else's.
    let mut rows = Vec::new();
    if is_root() {
        let trial = Trial::begin(&sandbox, STAGES);
        for (stem, uid) in [("unnamed", 64_777), ("named", 1)] {
            let draft = trial.site.spool().join("tmp").join(format!("{stem}.toml"));
            fs::write(&draft, promotion("")).unwrap();
            fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
            chown(&draft, Some(uid), None).unwrap();
            fs::rename(&draft, trial.site.spool().join("incoming").join(format!("{stem}.toml"))).unwrap();
        }
        rows.push(row("unnamed", "unknown-owner", "uid:64777", "[roles]"));
        rows.push(row("named", "unknown-owner", "user:daemon", "[roles]"));
        trial.judge(&rows);
        trial.end();
        return;
    }
    println!("not root, so that nobody else's file can be made: the roles are somebody else's");
    let trial = Trial::begin(&sandbox, &STAGES.replace("ME", "uid:1"));
    trial.site.drop_request("foreign.toml", &promotion(""));
    trial.judge(&[row("foreign", "unknown-owner", "has no role here", "[roles]")]);
}

#[test]
fn a_role_for_something_else_is_not_enough() {
    let sandbox = Sandbox::new();
    let stages = STAGES.replace("[\"ME\"]", "[\"uid:1\"]\noperations = [\"ME\"]");
    let trial = Trial::begin(&sandbox, &stages);
    trial.site.drop_request("ours.toml", &promotion(""));
    trial.judge(&[row("ours", "role-not-allowed", "", "")]);
}
