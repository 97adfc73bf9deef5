//! The ssh door: requests and files from people who have a key and no account.

mod documented;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use repo::Recipe;
use testkit::{Ran, Sandbox, Site, Watch, is_root, program, run};

const PATIENCE: Duration = Duration::from_secs(60);

/// The user of the door where the tests run as root; otherwise the door is the one user there is.
pub const DOOR_UID: u32 = 64_007;

/// The group of the control directory there, in place of `sluice-submit`.
const SUBMIT_GID: u32 = 64_001;

fn site(sandbox: &Sandbox) -> Site {
    let door = if is_root() { format!("uid:{DOOR_UID}") } else { "ME".to_owned() };
    Site::initialised(
        sandbox,
        "http://127.0.0.1:1",
        &format!(
            "door = \"{door}\"\n[roles]\nrelease-team = [\"as:ea-IT-CNAF\"]\n[[product]]\nname = \"glite\"\n\
             preset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n"
        ),
    )
}

/// The command that a key is bound to, as the user of the door.
pub fn bound(site: &Site, more: &[&str]) -> Vec<String> {
    let (door, submit) = (format!("{DOOR_UID}"), format!("{SUBMIT_GID}"));
    let mut words: Vec<String> = Vec::new();
    if is_root() {
        let become_door =
            ["setpriv", "--reuid", &door, "--regid", &submit, "--clear-groups", "--no-new-privs"];
        words.extend(become_door.map(str::to_owned));
    }
    let program = site.command();
    words.push(program.get_program().to_str().unwrap().to_owned());
    words.extend(program.get_args().map(|word| word.to_str().unwrap().to_owned()));
    words.extend(["receive", "--as", "ea-IT-CNAF", "--upload-max", "100000"].map(str::to_owned));
    words.extend(["--held-max", "400000"].map(str::to_owned));
    words.extend(more.iter().copied().map(str::to_owned));
    words
}

/// Gives it to a command on its stdin.
pub fn told(command: &mut Command, bytes: &[u8]) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended without reading all of it.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        command: format!("{command:?}"),
        status: output.status,
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

fn import(upload: &str) -> String {
    format!(
        "format = 1\naction = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n\n[end]\n"
    )
}

/// Everything that goes through the door, however it is opened.
fn goes_through(open: &dyn Fn(&str, &[u8]) -> Ran) {
    let recipe = Recipe::new("voms", "1.0", "1").file("/usr/share/voms", "x");
    let uploaded = open(&format!("upload {}", recipe.file_name()), &recipe.build()).ok();
    let name = uploaded.stdout.trim();
    assert!(name.ends_with(&format!("-{}", recipe.file_name())), "{uploaded}");
    let answer = open("", import(name).as_bytes()).ok();
    assert!(answer.stdout.contains("`voms-1.0-1.noarch` enters `delta` of `glite`"), "{answer}");
    // What is wrong is told to who is at the other end, with the exit code.
    let refused = open("request", import(name).replace("delta", "beta").as_bytes());
    assert_eq!(refused.code(), 5, "{refused}");
    assert!(refused.stderr.contains("has no stage `beta`"), "{refused}");
    let other = import(name).replace("[end]", "as = \"ea-UK-RAL\"\n[end]");
    let other = open("", other.replace("\n\nas", "\nas").as_bytes());
    assert_eq!(other.code(), 3, "{other}");
    let cut = open("", &import(name).as_bytes()[..40]);
    assert_eq!(cut.code(), 2, "{cut}");
    for command in ["sh -c id", "upload ../x", "upload .x", "scp -t ."] {
        let ran = open(command, b"x");
        assert!(ran.code() != 0 && !ran.stdout.contains("uid="), "{ran}");
    }
    // A connection that breaks off looks like the end of the file: who says what it is has not handed in half of it.
    let (whole, half) = (vec![b'x'; 5000], vec![b'x'; 2500]);
    let digest = repo::sha256(&whole);
    let cut = open(&format!("upload cut.rpm {digest}"), &half);
    assert!(cut.code() != 0 && cut.stderr.contains(&format!("not {digest}")), "{cut}");
    let came = open(&format!("upload cut.rpm {digest}"), &whole).ok();
    assert_eq!(came.stdout.trim(), format!("{digest}-cut.rpm"));
    let large = open("upload large.rpm", &vec![0; 100_001]);
    assert!(large.code() != 0 && large.stderr.contains("more than 100000 bytes"), "{large}");
}

#[test]
fn who_opens_the_door_asks_in_one_name() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox);
    let _daemon = site.start();
    let words = bound(&site, &[]);
    goes_through(&|wanted, bytes| {
        let mut command = program(&words[0]);
        told(command.args(&words[1..]).env("SSH_ORIGINAL_COMMAND", wanted), bytes)
    });
    // Whatever comes, the daemon has room to work; of what was refused nothing is left.
    let full = ["--free-min", "18446744073709551615"];
    let mut command = program(&words[0]);
    command.args(&words[1..]).args(full).env("SSH_ORIGINAL_COMMAND", "upload late.rpm");
    let ran = told(&mut command, b"x");
    assert!(ran.code() != 0 && ran.stderr.contains("there is no room for it now"), "{ran}");
    let left = |folder: &str| site.spool().join(folder).read_dir_utf8().unwrap().count();
    // Beside the file that came whole there is the ledger of the name.
    assert_eq!((left("upload"), left("tmp")), (1, 1));
    let audit = site.sluice(&["--json", "audit"]).ok().stdout;
    assert!(audit.contains("as:ea-IT-CNAF") && !audit.contains("ea-UK-RAL"), "{audit}");
}

/// Of eight files that come at the same time as many are taken as fit: a small one counts 64 KiB.
fn crowds(fit: usize, open: &(dyn Fn(&str, &[u8]) -> Ran + Sync)) -> Vec<String> {
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let session = |n: u8| scope.spawn(move || open(&format!("upload {n}.rpm"), &vec![n; 50_000]));
        let sessions: Vec<_> = (0..8).map(session).collect();
        sessions.into_iter().map(|session| session.join().unwrap()).collect()
    });
    let (taken, refused): (Vec<&Ran>, Vec<&Ran>) = ran.iter().partition(|ran| ran.status.success());
    assert_eq!((taken.len(), refused.len()), (fit, 8 - fit), "{ran:#?}");
    for ran in refused {
        assert!(ran.code() == 75 && ran.stderr.contains("(door-bytes)"), "{ran}");
        assert!(ran.stderr.contains("hand in the requests that take the files"), "{ran}");
    }
    taken.iter().map(|ran| ran.stdout.trim().to_owned()).collect()
}

#[test]
fn one_name_cannot_crowd_out_the_others() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox);
    let open = |name: &str, bound: &[String], wanted: &str, bytes: &[u8]| {
        let mut words = bound.to_vec();
        let at = words.iter().position(|word| word == "ea-IT-CNAF").unwrap();
        words[at] = name.to_owned();
        told(program(&words[0]).args(&words[1..]).env("SSH_ORIGINAL_COMMAND", wanted), bytes)
    };
    // No daemon takes anything: all of it waits.
    let three = bound(&site, &["--waiting-max", "3", "--no-wait"]);
    let uploads = crowds(6, &|wanted, bytes| open("ea-IT-CNAF", &three, wanted, bytes));
    let folder = |name: &str| site.spool().join(name).read_dir_utf8().unwrap().count();
    assert_eq!(folder("upload"), 6);
    let request = import(&uploads[0]);
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let (open, three, request) = (&open, &three, request.as_bytes());
        let session = |_| scope.spawn(move || open("ea-IT-CNAF", three, "", request));
        let sessions: Vec<_> = (0..6).map(session).collect();
        sessions.into_iter().map(|session| session.join().unwrap()).collect()
    });
    let (taken, refused): (Vec<&Ran>, Vec<&Ran>) = ran.iter().partition(|ran| ran.status.success());
    assert_eq!((taken.len(), refused.len(), folder("incoming")), (3, 3, 3), "{ran:#?}");
    for ran in refused {
        assert!(ran.code() == 75 && ran.stderr.contains("(door-requests)"), "{ran}");
        assert!(ran.stderr.contains("wait for the answers"), "{ran}");
    }
    // Another site is not crowded out.
    open("ea-UK-RAL", &three, "upload other.rpm", &[9; 50_000]).ok();
    open("ea-UK-RAL", &three, "", request.as_bytes()).ok();
    // What was answered waits no more.
    let (incoming, processing) = (site.spool().join("incoming"), site.spool().join("processing"));
    let watch = Watch::on(&[&incoming, &processing]);
    let _daemon = site.start();
    let settled = || (folder("incoming") + folder("processing") == 0).then_some(());
    assert!(watch.until(PATIENCE, settled).is_some(), "requests still wait");
    open("ea-IT-CNAF", &three, "", request.as_bytes()).ok();
    // Nor is held what is gone.
    for upload in uploads {
        let _ = std::fs::remove_file(site.spool().join("upload").join(upload));
    }
    open("ea-IT-CNAF", &three, "upload again.rpm", &[7; 50_000]).ok();
}

#[test]
fn a_real_sshd_opens_the_door_to_a_key_and_to_nothing_else() {
    if !is_root() {
        // sshd lets somebody in only as itself, and this user has no shell that would run the command.
        println!("skipped: it takes root to run a sshd");
        return;
    }
    let sandbox = Sandbox::new();
    let site = site(&sandbox);
    let _daemon = site.start();
    let folder = sandbox.folder("ssh");
    for key in ["host", "cnaf", "stranger"] {
        let file = folder.join(key);
        run(program("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", file.as_str()])).ok();
    }
    run(program("mkdir").args(["-p", "/run/sshd"])).ok();
    let key = run(program("cat").arg(folder.join("cnaf.pub"))).ok().stdout;
    let bound = bound(&site, &[]).join(" ");
    let _ = sandbox.file("ssh/authorized_keys", format!("command=\"{bound}\",restrict {key}"));
    let config = sandbox.file(
        "ssh/sshd_config",
        format!(
            "HostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin forced-commands-only\n"
        ),
    );
    let ssh = |key: &str, wanted: &str, bytes: &[u8]| {
        let mut command = program("ssh");
        command.args(["-F", "none", "-T", "-i", folder.join(key).as_str(), "-o", "IdentitiesOnly=yes"]);
        command.args([
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ]);
        command.args([
            "-o",
            &format!("ProxyCommand=/usr/sbin/sshd -i -f {config}"),
            "-o",
            "LogLevel=ERROR",
            "root@door",
        ]);
        command.env_remove("SSH_AUTH_SOCK").args((!wanted.is_empty()).then_some(wanted));
        told(&mut command, bytes)
    };
    goes_through(&|wanted, bytes| ssh("cnaf", wanted, bytes));
    // One file lies there from before.
    crowds(5, &|wanted, bytes| ssh("cnaf", wanted, bytes));
    let stranger = ssh("stranger", "", import("x").as_bytes());
    assert_eq!(stranger.code(), 255, "{stranger}");
    assert!(stranger.stderr.contains("Permission denied"), "{stranger}");
}
