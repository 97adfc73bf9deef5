//! Places a site cannot stand on, made by the real kernel: other mounts, an overlay, another owner, a wrong label.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use testkit::{Ran, Sandbox, Site, is_root, program, run};

use super::{STAGES, Trial, configure};

/// Runs commands in a mount namespace of their own, as root of it; `None` where the kernel allows none.
fn unshared(site: &Site, commands: &str) -> Option<Ran> {
    let mut unshare = program("unshare");
    // Whoever is root keeps his owners; anybody else becomes root of a namespace in which his files are root's.
    unshare.args(if is_root() { &["-m"][..] } else { &["-rm"] });
    let ran = run(unshare
        .args(["sh", "-euc", commands])
        .env("ROOT", site.root())
        .env("CONFIG", site.config())
        .env("SLUICE", site.config().with_file_name("sluice")));
    let is_denied = ran.stderr.contains("unshare failed") || ran.stderr.contains("permission denied");
    if is_denied {
        println!("skipped, this kernel lets nobody mount here: {ran}");
    }
    (!is_denied).then_some(ran)
}

const CHECK: &str = "\"$SLUICE\" -c \"$CONFIG\" config check";

#[track_caller]
fn refused(ran: &Ran, code: &str, hint: &str) {
    assert_eq!(ran.code(), 2, "{ran}");
    assert!(ran.stderr.contains(&format!("({code})")) && ran.stderr.contains(hint), "{ran}");
}

#[test]
fn a_pool_on_another_file_system_is_refused() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let other = format!("mount -t tmpfs none \"$ROOT/pool\"\n{CHECK}");
    if let Some(ran) = unshared(&site, &other) {
        refused(&ran, "config/two-file-systems", "findmnt -T");
    }
    // A bind mount is the same file system, and nothing can be renamed across it all the same.
    let bound = format!("mount --bind \"$ROOT/staging\" \"$ROOT/staging\"\n{CHECK}");
    if let Some(ran) = unshared(&site, &bound) {
        refused(&ran, "config/two-file-systems", "findmnt -T");
    }
    site.sluice(&["config", "check"]).ok();
}

#[test]
fn an_overlay_is_refused_unless_it_is_allowed() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let overlay = format!(
        "mount -t tmpfs none /mnt\nmkdir /mnt/lower /mnt/upper /mnt/work\n\
         mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work \"$ROOT\"\n{CHECK}"
    );
    let text = fs::read_to_string(site.config()).unwrap();
    configure(&site, |text| text.replace("allow_file_systems = [\"overlay\"]\n", ""));
    let Some(ran) = unshared(&site, &overlay) else { return };
    refused(&ran, "config/overlay", "allow_file_systems = [\"overlay\"]");
    let allowed = "[roles]";
    configure(&site, |_| {
        let without = text.replace("allow_file_systems = [\"overlay\"]\n", "");
        without.replacen(allowed, &format!("allow_file_systems = [\"overlay\"]\n{allowed}"), 1)
    });
    unshared(&site, &overlay).unwrap().ok();
}

#[test]
fn a_root_of_somebody_else_is_refused() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    if !is_root() {
        println!("skipped: only root can give a directory to somebody else");
        return;
    }
    // Root itself is not the owner either: what it made the daemon could not use.
    let by_root = site.sluice(&["init"]);
    refused(&by_root, "config/not-owned", "run it as the owner");
    chown(site.root().join("pool"), Some(1), Some(1)).unwrap();
    let checked = site.sluice(&["config", "check"]);
    refused(&checked, "config/not-owned", "chown -R");
    let mut daemon = site.start_unwatched();
    assert_eq!(daemon.wait().and_then(|status| status.code()), Some(2), "{}", daemon.log());
    assert!(daemon.log().contains("config/not-owned"), "{}", daemon.log());
}

#[test]
fn a_wrong_selinux_label_is_warned_of_with_the_line_that_mends_it() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let set = |label: &str| {
        rustix::fs::setxattr(
            site.root().as_std_path(),
            "security.selinux",
            label.as_bytes(),
            rustix::fs::XattrFlags::empty(),
        )
    };
    if let Err(error) = set("system_u:object_r:var_t:s0") {
        println!("skipped: no label can be set here: {error}");
        return;
    }
    let warned = site.sluice(&["config", "check"]).ok();
    let line =
        format!("semanage fcontext -a -t public_content_t '{0}(/.*)?' && restorecon -R {0}", site.root());
    assert!(warned.stderr.contains("(config/label)") && warned.stderr.contains(&line), "{warned}");
    set("system_u:object_r:public_content_t:s0").unwrap();
    let well = site.sluice(&["config", "check"]).ok();
    assert!(!well.stderr.contains("config/label"), "{well}");
}

#[test]
fn a_current_that_dangles_needs_a_person() {
    let sandbox = Sandbox::new();
    let mut trial = Trial::begin(&sandbox, STAGES);
    assert!(trial.daemon.stop().is_some_and(|status| status.success()));
    let pointer = trial.site.root().join("public/current");
    fs::remove_file(&pointer).unwrap();
    symlink("@99", &pointer).unwrap();
    let mut daemon = trial.site.start_unwatched();
    assert_eq!(daemon.wait().and_then(|status| status.code()), Some(78), "{}", daemon.log());
    assert!(
        daemon.log().contains("nothing was touched") && daemon.log().contains("point `current`"),
        "{}",
        daemon.log()
    );
    assert_eq!(pointer.read_link_utf8().unwrap(), "@99");
    // Put back by hand, as it says, and all is well.
    fs::remove_file(&pointer).unwrap();
    symlink(&trial.before, &pointer).unwrap();
    trial.daemon = trial.site.start();
    trial.end();
}
