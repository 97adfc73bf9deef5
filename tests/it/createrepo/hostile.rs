//! Directories that nobody wrote with good intentions.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use repo::Recipe;
use testkit::{Ran, Sandbox, program, run, sluice};

use super::{index, texts};

fn createrepo(sandbox: &Sandbox, more: &[&str]) -> Ran {
    run(program(sluice().as_str()).arg("createrepo").args(more).arg(sandbox.path("r")))
}

#[test]
fn what_cannot_be_listed_is_named_and_the_rest_is_listed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("r");
    let rpm = Recipe::new("fine", "1", "1").file("/usr/bin/fine", "x").build();
    fs::write(folder.join("fine.rpm"), &rpm).unwrap();
    fs::write(folder.join("zero.rpm"), "").unwrap();
    fs::write(folder.join("text.rpm"), "no package, but a good deal of text ".repeat(20)).unwrap();
    fs::write(folder.join("short.rpm"), &rpm[..rpm.len() / 4]).unwrap();
    fs::write(folder.join("new\nline.rpm"), &rpm).unwrap();
    fs::write(folder.join("bell\u{7}.rpm"), &rpm).unwrap();
    fs::write(folder.as_std_path().join(std::ffi::OsStr::from_bytes(b"latin-\xe9.rpm")), &rpm).unwrap();
    fs::create_dir(folder.join("folder.rpm")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("dangling.rpm")).unwrap();
    std::os::unix::fs::symlink("round.rpm", folder.join("round.rpm")).unwrap();
    std::os::unix::fs::symlink(".", folder.join("loop")).unwrap();
    run(program("mkfifo").arg(folder.join("fifo.rpm"))).ok();
    // A header that claims 256 MiB of values and 65,535 entries behind a lead and a signature that are well.
    let signature = 96 + 16;
    let mut bomb = rpm[..signature].to_vec();
    bomb[96 + 8..96 + 16].copy_from_slice(&[0, 0, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff]);
    fs::write(folder.join("bomb.rpm"), &bomb).unwrap();

    let ran = createrepo(&sandbox, &["-q"]);
    assert_eq!(ran.code(), 2, "{ran}");
    let named = [
        "bell\\u{7}.rpm",
        "bomb.rpm",
        "dangling.rpm",
        "fifo.rpm",
        "folder.rpm",
        "latin-\u{fffd}.rpm",
        "loop",
        "new\\nline.rpm",
        "round.rpm",
        "short.rpm",
        "text.rpm",
        "zero.rpm",
    ];
    for name in named {
        assert!(ran.stderr.contains(&format!("not listed: {name}: failed to ")), "{name}\n{ran}");
    }
    assert_eq!(ran.stderr.lines().count(), named.len(), "{ran}");
    let primary = &texts(&folder)["primary"];
    assert_eq!(primary.matches("<package ").count(), 1, "{primary}");
    assert!(primary.contains("href=\"fine.rpm\""), "{primary}");
}

#[test]
fn a_file_that_only_root_may_read_is_named() {
    if testkit::is_root() {
        println!("skipped: root reads everything");
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("r");
    fs::write(folder.join("secret.rpm"), Recipe::new("secret", "1", "1").build()).unwrap();
    fs::set_permissions(folder.join("secret.rpm"), fs::Permissions::from_mode(0o000)).unwrap();
    let ran = createrepo(&sandbox, &["-q"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr.contains("not listed: secret.rpm: failed to open "), "{ran}");
    assert_eq!(index(&folder).records.len(), 3);
}

#[test]
fn places_that_lead_out_are_named() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("r");
    let rpm = Recipe::new("fine", "1", "1").build();
    fs::write(folder.join("fine.rpm"), &rpm).unwrap();
    fs::write(sandbox.path("outside.rpm"), &rpm).unwrap();
    let inside = folder.join("fine.rpm");
    let ran =
        createrepo(&sandbox, &["-q", "-n", "../outside.rpm", "-n", "/etc/passwd", "-n", inside.as_str()]);
    assert_eq!(ran.code(), 2, "{ran}");
    for name in ["../outside.rpm", "/etc/passwd"] {
        assert!(
            ran.stderr.contains(&format!("not listed: {name}: failed to list it: a place below ")),
            "{ran}"
        );
    }
    assert_eq!(texts(&folder)["primary"].matches("<package ").count(), 1);
    let ran = createrepo(&sandbox, &["-q", "-n", "missing.rpm"]);
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr.contains("not listed: missing.rpm: failed to open "), "{ran}");
}

#[test]
fn what_a_group_shares_stays_shared() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("r");
    let mode = |place: &str| fs::metadata(folder.join(place)).unwrap().permissions().mode() & 0o7777;
    let set = |place: &str, mode| {
        fs::set_permissions(folder.join(place), fs::Permissions::from_mode(mode)).unwrap()
    };
    createrepo(&sandbox, &["-q"]).ok();
    assert_eq!((mode("repodata"), mode("repodata/repomd.xml")), (0o755, 0o644));
    set("repodata", 0o2775);
    createrepo(&sandbox, &["-q"]).ok();
    assert_eq!((mode("repodata"), mode("repodata/repomd.xml")), (0o2775, 0o664));
    fs::remove_dir_all(folder.join("repodata")).unwrap();
    set("", 0o775);
    createrepo(&sandbox, &["-q"]).ok();
    assert_eq!((mode("repodata"), mode("repodata/repomd.xml")), (0o775, 0o664));
}

#[test]
fn a_second_run_at_once_is_refused_and_readers_lose_nothing() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("r");
    fs::write(folder.join("fine.rpm"), Recipe::new("fine", "1", "1").build()).unwrap();
    createrepo(&sandbox, &["-q"]).ok();
    let before = texts(&folder);
    // Held by a process of its own: what another test starts at this moment would inherit a lock held here.
    let mut holder = std::process::Command::new("flock")
        .args([folder.as_str(), "sh", "-c", "echo held; read -r _"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(holder.stdout.take().unwrap()), &mut said)
        .unwrap();
    assert_eq!(said, "held\n");
    let ran = createrepo(&sandbox, &["-q"]);
    assert_eq!(ran.code(), 4, "{ran}");
    assert!(ran.stderr.contains("another run is at work there"), "{ran}");
    drop(holder.stdin.take());
    holder.wait().unwrap();
    createrepo(&sandbox, &["-q"]).ok();
    assert_eq!(texts(&folder), before);
}

#[test]
fn createrepo_c_and_ours_keep_out_of_each_others_way() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("r");
    fs::write(folder.join("fine.rpm"), Recipe::new("fine", "1", "1").build()).unwrap();
    let lock = sandbox.folder("r/.repodata");
    fs::write(lock.join("primary.xml.gz"), "").unwrap();
    let ran = createrepo(&sandbox, &["-q"]);
    assert_eq!(ran.code(), 4, "{ran}");
    assert!(ran.stderr.contains("hint:") && ran.stderr.contains("--ignore-lock"), "{ran}");
    createrepo(&sandbox, &["-q", "--ignore-lock"]).ok();
    assert!(!lock.exists());
}
