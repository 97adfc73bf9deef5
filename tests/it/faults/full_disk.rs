//! Real file systems that are really full, and real quotas: a small tmpfs below the root of the site.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use testkit::{Checker, Sandbox, Site, Watch, is_root, program, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// How long anything may take before the test gives up.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// A file system, unmounted when dropped.
struct Mounted(Utf8PathBuf);

impl Mounted {
    fn on(at: &Utf8Path, words: &[&str]) -> Mounted {
        run(program("mount").args(words).arg(at)).ok();
        Mounted(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run(program("umount").arg("--lazy").arg(&self.0));
    }
}

/// A site whose root is about to be mounted, for root only.
fn site(sandbox: &Sandbox) -> Option<Site> {
    if !is_root() {
        println!("skipped: only root mounts file systems");
        return None;
    }
    Some(Site::new(sandbox, "http://127.0.0.1:1", STAGES))
}

/// Gives the root to the daemon and makes the first generation.
fn begin(site: &Site) {
    let owner = fs::metadata(site.spool()).unwrap().uid();
    chown(site.root(), Some(owner), Some(owner)).unwrap();
    run(site.as_daemon().arg("init")).ok();
}

fn ask_import(site: &Site, stem: &str, name: &str, size: usize) {
    // Bytes that gzip cannot make small.
    let mut rng = fastrand::Rng::with_seed(7);
    let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(size).collect();
    let recipe = Recipe::new(name, "1.0", "1").file(&format!("/usr/share/{name}"), bytes);
    let upload = site.upload(&recipe.file_name(), &recipe.build());
    let body = format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]");
    site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{body}\n[end]\n"));
}

/// A package that does not fit waits and says why; one that fits passes it; with room the first goes on.
fn waits_until_there_is_room(site: &Site, make_room: impl FnOnce()) {
    let mut daemon = site.start();
    let watch = Watch::on(&[&site.root(), &site.spool()]);
    ask_import(site, "large", "large", 6 << 20);
    let reason = ["No space left on device", "quota exceeded"];
    let says_why = || reason.iter().any(|reason| daemon.log().contains(reason)).then_some(());
    assert!(watch.until(PATIENCE, says_why).is_some(), "it does not say why it waits: {}", daemon.log());
    assert!(daemon.log().contains("/staging/import/large-"), "it does not say where: {}", daemon.log());
    ask_import(site, "small", "small", 1000);
    assert_eq!(site.answer("small")["outcome"], "done", "one that fits passes the one that waits");
    assert!(site.answers("large").is_empty(), "it waits");
    Checker::of(site).assert_sound();
    make_room();
    assert_eq!(site.answer("large")["outcome"], "done", "the same daemon goes on");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    Checker::of(site).at_rest().assert_sound();
}

#[test]
fn on_a_full_file_system_a_request_waits_until_there_is_room() {
    let sandbox = Sandbox::new();
    let Some(site) = site(&sandbox) else { return };
    let mounted = Mounted::on(&site.root(), &["-t", "tmpfs", "-o", "size=3m,mode=755", "sluice-test"]);
    begin(&site);
    waits_until_there_is_room(&site, || {
        run(program("mount").args(["-o", "remount,size=64m"]).arg(&mounted.0)).ok();
    });
}

#[test]
fn over_its_quota_a_request_waits_until_there_is_room() {
    let sandbox = Sandbox::new();
    let Some(site) = site(&sandbox) else { return };
    let image = sandbox.path("btrfs");
    fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
    run(program("mkfs.btrfs").arg("-q").arg(&image)).ok();
    let whole = Mounted::on(&sandbox.folder("whole"), &["-o", "loop", image.as_str()]);
    let limited = whole.0.join("limited");
    run(program("btrfs").args(["subvolume", "create"]).arg(&limited)).ok();
    run(program("btrfs").args(["quota", "enable"]).arg(&whole.0)).ok();
    let id = run(program("btrfs").args(["inspect-internal", "rootid"]).arg(&limited)).ok().stdout;
    let _mounted = Mounted::on(&site.root(), &["--bind", limited.as_str()]);
    // Asked by way of the limited subvolume, the change of its limit is itself refused now and then, for want of quota.
    let limit = |size: &str| {
        let group = format!("0/{}", id.trim());
        run(program("btrfs").args(["qgroup", "limit", size, &group]).arg(&whole.0)).ok();
    };
    limit("4m");
    begin(&site);
    waits_until_there_is_room(&site, || limit("none"));
}
