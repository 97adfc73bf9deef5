//! Mirrors: what is served there is one whole generation at every instant, whatever the site publishes meanwhile.

mod flips;
mod hostile;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use serde_json::Value;
use testkit::{Nginx, Ran, Sandbox, Site, checkout, program, run, sluice};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
admin = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
versions = "newest 1"
import_roles = ["release-team"]
metalink = true
"#;

/// The binary repository of production.
const PRODUCTION: &str = "glite-3.2/el9/x86_64/production";

/// Imports one version of two packages into production, where they replace the version before.
fn publish(config: &Utf8Path, folder: &Utf8Path, minor: u32) {
    let version = format!("1.9.{minor}");
    let mut random = fastrand::Rng::with_seed(minor.into());
    let mut arguments = vec!["import".to_owned(), "--to".into(), "production".into()];
    for name in ["voms-clients", "voms-api"] {
        let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(60_000).collect();
        let recipe = Recipe::new(name, &*version, "1").file(&format!("/usr/share/{name}"), bytes);
        let file = folder.join(recipe.file_name());
        fs::write(&file, recipe.build()).unwrap();
        arguments.push(file.into_string());
    }
    run(program(sluice().as_str()).arg("-c").arg(config).args(arguments)).ok();
}

/// Begins a copy.
fn mirror(source: &str, dir: &Utf8Path) -> Command {
    let mut command = program(sluice().as_str());
    command.args(["--json", "mirror", source]).arg(dir);
    command
}

fn said(ran: Ran) -> Value {
    serde_json::from_str(&ran.ok().stdout).unwrap()
}

/// Which generation a mirror serves.
fn current(dir: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(fs::read_link(dir.join("current")).unwrap()).unwrap()
}

/// Asks the independent checker whether a copy is one whole generation.
fn checked(copy: &Utf8Path, cache: &Utf8Path) -> Ran {
    let mut check = program("python3");
    check.arg(checkout().join("tests/checker/check.py")).args(["--mirror", "--root"]).arg(copy);
    run(check.arg("--cache").arg(cache))
}

fn packages(copy: &Utf8Path) -> Vec<Utf8PathBuf> {
    let walk = walkdir::WalkDir::new(copy).into_iter().map(Result::unwrap);
    let files = walk.map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).unwrap());
    files.filter(|path| path.extension() == Some("rpm")).collect()
}

#[test]
fn a_mirror_copies_what_changed_and_keeps_what_its_readers_may_ask_for() {
    let sandbox = Sandbox::new();
    let (built, cache) = (sandbox.folder("built"), sandbox.folder("cache"));
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    let dir = sandbox.path("mirror");
    publish(&site.config(), &built, 1);
    let first = said(run(&mut mirror(nginx.base_url(), &dir)));
    let one = current(&dir);
    assert_eq!(one.as_str(), format!("@{}", first["generation"]), "{first}");
    checked(&dir.join(&one), &cache).ok();
    // Of files that are the same, such as empty metadata, one came.
    assert!(
        first["fetched"].as_u64() > Some(10) && first["fetched"].as_u64() < first["files"].as_u64(),
        "{first}"
    );

    // Nothing new: nothing comes.
    assert_eq!(said(run(&mut mirror(nginx.base_url(), &dir)))["changed"], false);

    let old = packages(&dir.join(&one));
    publish(&site.config(), &built, 2);
    let second = said(run(&mut mirror(nginx.base_url(), &dir)));
    let two = current(&dir);
    assert!(one != two && second["fetched"].as_u64() < first["fetched"].as_u64(), "{first} {second}");
    checked(&dir.join(&two), &cache).ok();
    // The delta repositories did not change: the same files, not fetched and not copied.
    let same = "glite-3.2/el9/x86_64/delta/repodata/repomd.xml";
    let inode = |generation: &Utf8Path| fs::metadata(dir.join(generation).join(same)).unwrap().ino();
    assert_eq!(inode(&one), inode(&two));
    // What the generation before listed answers in this one, for clients with its metadata.
    assert_eq!(old.len(), 2);
    for path in old {
        let name = path.strip_prefix(dir.join(&one)).unwrap();
        assert!(dir.join("current").join(name).is_file(), "{name}");
    }
    // Times are those of the source: web servers make their ETags of them.
    let time =
        |top: &Utf8Path| fs::metadata(top.join(PRODUCTION).join("repodata/repomd.xml")).unwrap().mtime();
    assert_eq!(time(&dir.join("current")), time(&site.root().join("public/current")));

    // Seen from outside.
    let served = Nginx::of_folder(&Nginx::port(), &sandbox, &dir.join("current"), "");
    let look = |more: &[&str]| {
        let mut verify = program(sluice().as_str());
        run(verify.args(["--json", "verify", "--mirror", served.base_url()]).args(more))
    };
    let seen = said(look(&["--source", nginx.base_url()]));
    assert_eq!((&seen["generation"], &seen["behind_seconds"]), (&second["generation"], &0.into()), "{seen}");
    publish(&site.config(), &built, 3);
    let seen = said(look(&["--source", nginx.base_url()]));
    assert!(seen["behind_seconds"].as_u64() >= Some(1), "{seen}");
    assert!(seen["source_generation"].as_u64() > seen["generation"].as_u64(), "{seen}");

    // A mirror that is not whole is told from one that is.
    let victim = packages(&dir.join(&two)).into_iter().find(|path| path.as_str().contains("1.9.2")).unwrap();
    let bytes = fs::read(&victim).unwrap();
    fs::remove_file(&victim).unwrap();
    let ran = look(&[]);
    assert!(ran.code() == 6 && ran.stdout.contains(victim.file_name().unwrap()), "{ran}");
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(&victim, other).unwrap();
    look(&[]).ok();
    assert_eq!(look(&["--deep"]).code(), 6);
    fs::write(&victim, bytes).unwrap();
    look(&["--deep"]).ok();
    let stamp = dir.join(&two).join("generation");
    fs::remove_file(&stamp).unwrap();
    fs::write(&stamp, "1 2026-01-01T00:00:00Z\n").unwrap();
    assert_eq!(look(&[]).code(), 6);
    daemon.stop();
}

#[test]
fn only_so_many_generations_are_kept() {
    let sandbox = Sandbox::new();
    let built = sandbox.folder("built");
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let _daemon = site.start();
    let dir = sandbox.path("mirror");
    let mut seen = Vec::new();
    for minor in 1..=4 {
        publish(&site.config(), &built, minor);
        let _ = said(run(mirror(nginx.base_url(), &dir).args(["--keep", "1"])));
        seen.push(current(&dir));
    }
    for (n, generation) in seen.iter().enumerate() {
        assert_eq!(dir.join(generation).exists(), n >= 2, "{generation} of {seen:?}");
    }
    let names: Vec<String> =
        packages(&dir.join("current")).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert!(names.iter().all(|name| name.contains("1.9.3") || name.contains("1.9.4")), "{names:?}");
    assert_eq!(names.len(), 4);
}

#[test]
fn two_mirrors_do_not_work_in_one_directory() {
    let sandbox = Sandbox::new();
    let dir = sandbox.folder("mirror");
    let own = sandbox.folder("mirror/.sluice-mirror");
    let lock = store::Disk::lock(&store::PosixDisk, &own).unwrap().unwrap();
    let ran = run(&mut mirror("http://127.0.0.1:1", &dir));
    assert_eq!(ran.code(), 4, "{ran}");
    drop(lock);
    let ran = run(&mut mirror("http://127.0.0.1:1", &dir));
    assert_eq!(ran.code(), 75, "{ran}");
    assert_eq!(run(&mut mirror("ftp://127.0.0.1/x", &dir)).code(), 2);
}
