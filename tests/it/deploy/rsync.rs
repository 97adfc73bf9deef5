//! The rsync daemon with the configuration that is deployed, asked by real mirrors.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Ran, Sandbox, Site, is_root, program, run};
use walkdir::WalkDir;

use super::{deployed, restricted};

/// An rsync daemon, one process for each connection as inetd has it; no port is guessed.
pub(crate) struct Rsyncd {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Rsyncd {
    pub(crate) fn start(sandbox: &Sandbox, root: &Utf8Path, restricted: &str) -> Self {
        let rules = sandbox.file("rsyncd-restricted.conf", restricted);
        let mut text = deployed("rsyncd.conf").replace("/srv/sluice", root.as_str());
        text = text.replace("#   &merge /etc/sluice/web/rsyncd.conf", &format!("    &merge {rules}"));
        assert!(text.contains("use chroot = yes") && text.contains("&merge /"), "{text}");
        let own = ["log", "lock"]
            .map(|kind| format!("{kind} file = {}\n", sandbox.path(&format!("rsyncd.{kind}"))));
        // The rules here are of addresses; no name server is asked what they are called.
        let text = format!("{}reverse lookup = no\n{text}", own.concat());
        let config = sandbox.file("rsyncd.conf", text);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut serving: Vec<Child> = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let mut command = program("rsync");
                command.arg("--daemon").arg(format!("--config={config}"));
                serving.push(command.stdin(OwnedFd::from(stream)).spawn().unwrap());
            }
            for mut child in serving {
                let _ = child.wait();
            }
        });
        Self { port, ended, thread: Some(thread) }
    }

    /// Where a module is to be had.
    pub(crate) fn url(&self, module: &str) -> String {
        format!("rsync://127.0.0.1:{}/{module}", self.port)
    }

    /// Mirrors from an address of this machine.
    fn mirror(&self, from: &str, what: &str, to: &Utf8Path) -> Ran {
        let mut rsync = program("rsync");
        rsync.args([
            "-aHL",
            "--no-owner",
            "--no-group",
            "--delay-updates",
            "--delete-delay",
            "--address",
            from,
        ]);
        rsync.arg(format!("rsync://127.0.0.1:{}/{what}", self.port)).arg(format!("{to}/"));
        run(&mut rsync)
    }
}

impl Drop for Rsyncd {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = std::net::TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether the daemon cannot run here: it changes its root and its groups, which no user namespace allows.
fn is_skipped() -> bool {
    if !is_root() {
        println!("SKIPPED: rsync's daemon with `use chroot` needs root");
    }
    !is_root()
}

/// The files below a folder, links followed.
fn files(folder: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
    WalkDir::new(folder)
        .follow_links(true)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).unwrap())
        .map(|path| path.strip_prefix(folder).unwrap().to_owned())
        .collect()
}

fn rules(site: &Site) -> String {
    site.sluice(&["config", "web", "rsyncd"]).ok().stdout
}

#[test]
fn a_mirror_gets_a_whole_generation() {
    if is_skipped() {
        return;
    }
    let sandbox = Sandbox::new();
    let site = restricted::site(&sandbox);
    let rsyncd = Rsyncd::start(&sandbox, &site.root(), "");
    let copy = sandbox.folder("mirror");
    rsyncd.mirror("127.0.0.1", "sluice/current/", &copy).ok();
    let there = files(&site.root().join("public/current"));
    assert_eq!(files(&copy), there);
    assert_eq!(there.iter().filter(|path| path.extension() == Some("rpm")).count(), 3, "{there:?}");
    for path in &there {
        let original = fs::read(site.root().join("public/current").join(path)).unwrap();
        assert!(fs::read(copy.join(path)).unwrap() == original, "{path}");
    }
}

#[test]
fn rsync_keeps_a_restricted_stage_from_others() {
    if is_skipped() {
        return;
    }
    let sandbox = Sandbox::new();
    let site = restricted::site(&sandbox);
    let rsyncd = Rsyncd::start(&sandbox, &site.root(), &rules(&site));
    let secret = |path: &Utf8PathBuf| {
        ["embargoed", "half", "untested", "testing"].iter().any(|word| path.as_str().contains(word))
    };
    // The whole module, by every name.
    for (n, what) in ["sluice/current/", "sluice/", "sluice/@2/", "sluice/@update-1/"].iter().enumerate() {
        let copy = sandbox.folder(&format!("mirror-{n}"));
        rsyncd.mirror("127.0.0.2", what, &copy).ok();
        let found = files(&copy);
        assert!(!found.iter().any(secret), "{what}: {found:?}");
        assert!(found.iter().any(|path| path.as_str().contains("production")), "{what}: {found:?}");
    }
    // One of its places, by name and by detour.
    let number = fs::read_link(site.root().join("public/current")).unwrap().to_str().unwrap().to_owned();
    let place = "umd-3/el9/x86_64/untested";
    let mut got = Vec::new();
    for (n, what) in [
        format!("current/{place}/"),
        format!("current/{place}"),
        format!("current/{place}/repodata/repomd.xml"),
        format!("{number}/{place}/"),
        format!("@update-1/{place}/"),
        format!("packages/../{number}/{place}/"),
        format!("current/../{number}/{place}/"),
        format!("./current/./{place}/"),
        format!("current//{place}/"),
        format!("current/umd-3/../{place}/"),
        "current/umd-3/el9/x86_64/production/../untested/".to_owned(),
        "current/umd-3/el9/x86_64/production/Packages/../umd-3-el9-x86_64-untested/".to_owned(),
        "packages/umd-3-el9-x86_64-untested/".to_owned(),
        "packages/umd-3-el9-x86_64-u*/".to_owned(),
        "current/umd-3/el9/x86_64/unt*/".to_owned(),
        "current/umd-3-untested.repo".to_owned(),
        "current/umd-3/./el9/x86_64/untested/".to_owned(),
        "current/umd-3/el9/./x86_64/untested/".to_owned(),
        format!("current/{place}/."),
        format!("current/{place}/./repodata/"),
        format!("current/{place}/repodata/.."),
        format!("current/{place}/../untested/repodata/"),
        format!("/current/{place}/"),
        format!("//current/{place}/"),
        format!("../current/{place}/"),
        format!("current/./{place}/source/"),
        format!("[c]urrent/{place}/"),
        format!("?2/{place}/"),
        format!("*/{place}/"),
        "packages/./umd-3-el9-x86_64-untested/".to_owned(),
        format!("current/\\\\./{place}/"),
        format!("current/[.]/{place}/"),
        format!("current/?/{place}/"),
        format!("current/.*/{place}/"),
        format!("current/*/{place}/"),
        "current/umd-3/el9/*".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let copy = sandbox.folder(&format!("detour-{n}"));
        let ran = rsyncd.mirror("127.0.0.2", &format!("sluice/{what}"), &copy);
        if !files(&copy).is_empty() {
            got.push(what.clone());
        }
        let _ = ran;
    }
    assert!(got.is_empty(), "{got:#?}");
    // Its own module, for those who may.
    let copy = sandbox.folder("own");
    rsyncd.mirror("127.0.0.1", "sluice-umd-3-untested/current/", &copy).ok();
    let found = files(&copy);
    assert!(found.iter().any(|path| path.as_str().contains("embargoed")), "{found:?}");
    assert!(!found.iter().any(|path| path.as_str().contains("half")), "{found:?}");
    let copy = sandbox.folder("denied");
    let ran = rsyncd.mirror("127.0.0.2", "sluice-umd-3-untested/current/", &copy);
    assert!(ran.code() != 0 && files(&copy).is_empty(), "{ran}");
    assert!(!rules(&site).contains("[sluice-umd-3-testing]"), "nobody may read that one");
}

/// The ways around that are options and not paths.
#[test]
fn no_option_leads_rsync_around_the_restrictions() {
    if is_skipped() {
        return;
    }
    let sandbox = Sandbox::new();
    let site = restricted::site(&sandbox);
    let rsyncd = Rsyncd::start(&sandbox, &site.root(), &rules(&site));
    rsyncd.mirror("127.0.0.2", "sluice/current/", &sandbox.folder("plain")).ok();
    let place = "umd-3/el9/x86_64/untested";
    let list = sandbox
        .file("list", format!("{place}/repodata/repomd.xml\n./{place}/\numd-3/./el9/x86_64/untested/\n"));
    let include = format!("--include=/{place}/***");
    let files_from = format!("--files-from={list}");
    let cases: [(&[&str], &str); 9] = [
        (&["-r", &files_from], "current/"),
        (&["-r", &files_from], "current/./"),
        (&["-r", "--relative"], "current/./umd-3/el9/x86_64/untested/"),
        (&["-r", "--relative"], "current/umd-3/./el9/x86_64/untested/"),
        (&["-r", "--relative", "--no-implied-dirs"], "current/umd-3/el9/x86_64/untested/"),
        (&["-r", &include, "--include=*"], "current/umd-3/el9/x86_64/untested/"),
        (&["-r", "--secluded-args"], "current/./umd-3/el9/x86_64/untested/"),
        (&["-r", "--old-args"], "current/./umd-3/el9/x86_64/untested/"),
        (&["-r", "--old-args"], "current/production current/./umd-3/el9/x86_64/untested/"),
    ];
    for (n, (options, what)) in cases.iter().enumerate() {
        let copy = sandbox.folder(&format!("copy-{n}"));
        let mut rsync = program("rsync");
        rsync.args(["-L", "--address", "127.0.0.2"]).args(*options);
        rsync.arg(format!("rsync://127.0.0.1:{}/sluice/{what}", rsyncd.port)).arg(format!("{copy}/"));
        let ran = run(&mut rsync);
        let found = files(&copy);
        assert!(
            !found.iter().any(|path| path.as_str().contains("repo")),
            "{what} {options:?}: {found:?}\n{ran}"
        );
    }
}
