//! The door as deploy/ sets it up: the user `sluice-door` with its shell and root's `authorized_keys`, a sshd that looks
//! at modes and asks PAM, and the forced command as it is written there.
//!
//! Users, homes and programs are those of a mount namespace, so that nothing of the machine is changed: the test starts
//! itself once more in there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Ran, Sandbox, Site, checkout, is_root, program, run};

use super::{SUBMIT_GID, goes_through, import, told};

/// Names the folder in which the inner of both runs finds what was laid out for it.
const PLACE: &str = "SLUICE_DOOR_PLACE";

/// Makes the machine of the test: `etc`, `var/lib` and `bin` in a folder of their own, filled as the packages fill them.
///
/// The daemon has the group of those who hand in as its own, because what starts it here gives it no other.
fn machine(sandbox: &Sandbox) -> Utf8PathBuf {
    let place = sandbox.folder("machine");
    for folder in ["machine/bin", "machine/var/lib"] {
        let _ = sandbox.folder(folder);
    }
    run(program("cp").arg("-a").arg("/etc").arg(place.join("etc"))).ok();
    let _ = sandbox.folder("machine/etc/sluice");
    for (file, line) in [
        ("etc/passwd", format!("sluice:x:{SUBMIT_GID}:{SUBMIT_GID}::/:/usr/sbin/nologin\n")),
        ("etc/group", format!("sluice-submit:x:{SUBMIT_GID}:\n")),
    ] {
        let text = fs::read_to_string(place.join(file)).unwrap();
        let _ = sandbox.file(&format!("machine/{file}"), format!("{text}{line}"));
    }
    let deploy = checkout().join("deploy");
    let root = format!("--root={place}");
    run(program("systemd-sysusers").arg(&root).arg(deploy.join("sluice.sysusers"))).ok();
    let mut homes = program("systemd-tmpfiles");
    homes.args(["--create", &root, "--prefix=/var/lib/sluice-door"]).arg(deploy.join("sluice.tmpfiles"));
    run(&mut homes).ok();
    run(program("cp").arg(testkit::sluice()).arg(place.join("bin/sluice"))).ok();
    run(program("mkdir").args(["-p", "/run/sshd"])).ok();
    place
}

/// Starts this test once more where the machine is the one that was laid out.
fn inside(place: &Utf8Path) -> Ran {
    let mount = "mount --bind \"$1/etc\" /etc && mount --bind \"$1/var/lib\" /var/lib && \
                 mount --bind \"$1/bin\" /usr/local/bin && shift && exec \"$@\"";
    let mut command = program("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", mount, "sh", place.as_str()]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["door::documented::a_user_of_its_own_with_roots_keys_lets_in_who_has_one", "--exact"]);
    run(command.arg("--nocapture").env(PLACE, place))
}

#[test]
fn a_user_of_its_own_with_roots_keys_lets_in_who_has_one() {
    if let Ok(place) = std::env::var(PLACE) {
        return opens(Utf8Path::new(&place));
    }
    if !is_root() {
        println!("skipped: it takes root to run a sshd that lets in another user");
        return;
    }
    let sandbox = Sandbox::new();
    let ran = inside(&machine(&sandbox));
    let is_denied = ran.stderr.contains("unshare failed") || ran.stderr.contains("permission denied");
    if is_denied && !ran.stdout.contains("running 1 test") {
        println!("skipped: no mounts of one's own here: {}", ran.stderr.trim());
        return;
    }
    let ran = ran.ok();
    assert!(ran.stdout.contains("the door opened"), "{ran}");
}

fn opens(place: &Utf8Path) {
    let sandbox = Sandbox::new();
    let stages = "door = \"user:sluice-door\"\n[roles]\nrelease-team = [\"as:ea-IT-CNAF\"]\n[[product]]\n\
                  name = \"glite\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n";
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", stages);
    fs::copy(site.config(), place.join("etc/sluice/sluice.toml")).unwrap();
    let _daemon = site.start();
    let folder = sandbox.folder("ssh");
    for key in ["host", "cnaf", "stranger"] {
        let file = folder.join(key);
        run(program("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", file.as_str()])).ok();
    }
    let key = fs::read_to_string(folder.join("cnaf.pub")).unwrap();
    let keys = Utf8Path::new("/var/lib/sluice-door/.ssh/authorized_keys");
    fs::write(keys, format!("command=\"sluice receive --as ea-IT-CNAF --upload-max 100000\",restrict {key}"))
        .unwrap();
    fs::set_permissions(keys, fs::Permissions::from_mode(0o644)).unwrap();
    // What distributions ship, but for the host's key and what would need more than this namespace.
    let config = sandbox.file(
        "ssh/sshd_config",
        format!(
            "HostKey {folder}/host\nPidFile none\nUsePAM yes\nStrictModes yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n"
        ),
    );
    let ssh = |key: &str, wanted: &str, bytes: &[u8]| {
        let mut command = program("ssh");
        command.args(["-F", "none", "-T", "-i", folder.join(key).as_str()]);
        let through = format!("ProxyCommand=/usr/sbin/sshd -i -f {config}");
        for option in [
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            &through,
        ] {
            command.args(["-o", option]);
        }
        command.arg("sluice-door@door").env_remove("SSH_AUTH_SOCK");
        told(command.args((!wanted.is_empty()).then_some(wanted)), bytes)
    };
    goes_through(&|wanted, bytes| ssh("cnaf", wanted, bytes));
    let audit = site.sluice(&["--json", "audit"]).ok().stdout;
    assert!(audit.contains("as:ea-IT-CNAF"), "{audit}");
    // What is in the control directory came from the user of the door.
    let owner = run(program("find").arg(site.spool()).args(["-user", "sluice-door", "-name", "*.rpm"])).ok();
    assert!(owner.stdout.contains("cut.rpm"), "{owner}");
    let stranger = ssh("stranger", "", import("x").as_bytes());
    assert!(stranger.code() == 255 && stranger.stderr.contains("Permission denied"), "{stranger}");
    // Whoever comes through the door cannot bind keys; and where others could, sshd opens to nobody.
    let written = run(program("setpriv")
        .args(["--reuid", "sluice-door", "--regid", "sluice-door", "--init-groups", "--"])
        .args(["sh", "-c", &format!("echo x >> {keys}")]));
    assert!(written.code() != 0 && written.stderr.contains("Permission denied"), "{written}");
    fs::set_permissions(keys, fs::Permissions::from_mode(0o664)).unwrap();
    let open = ssh("cnaf", "upload late.rpm", b"x");
    assert!(open.code() == 255 && open.stderr.contains("Permission denied"), "{open}");
    println!("the door opened");
}
