//! `sluice createrepo` and createrepo_c, killed by the kernel at each system call that changes something, side by
//! side: what do readers find, and does the next run work?

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use repo::{Recipe, Repomd};
use testkit::{Sandbox, program, run, sluice};

/// Calls that change what is on disk, or what of it is durable; those that are unknown to a machine are passed over.
const CHANGING: &str = "?creat,?open,openat,?mkdir,mkdirat,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,\
     ?unlink,unlinkat,?rmdir,write,writev,pwrite64,?sendfile,?copy_file_range,ftruncate,fsync,fdatasync,?chmod,fchmod,\
     fchmodat,utimensat,flock";

/// What a reader finds who begins with the index and follows every record.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// So many packages.
    Whole(usize),
    /// No index, or one that names what is not there.
    Nothing(String),
}

fn read(directory: &Utf8Path) -> Found {
    let nothing = |why: &dyn std::fmt::Display| Found::Nothing(why.to_string());
    let bytes = match fs::read(directory.join("repodata/repomd.xml")) {
        Ok(bytes) => bytes,
        Err(error) => return nothing(&error),
    };
    let repomd = match Repomd::parse(&bytes) {
        Ok(repomd) => repomd,
        Err(error) => return nothing(&error),
    };
    let mut packages = 0;
    for record in &repomd.records {
        let bytes = match fs::read(directory.join(&record.href)) {
            Ok(bytes) => bytes,
            Err(error) => return nothing(&format!("{}: {error}", record.href)),
        };
        if repo::digest(record.checksum.algorithm, &bytes) != record.checksum {
            return nothing(&format!("{} is not what the index says", record.href));
        }
        if record.kind == "primary" {
            let open = repo::unpack(&bytes, 1 << 20).unwrap();
            packages = repo::parse_primary(&open).unwrap().len();
        }
    }
    Found::Whole(packages)
}

/// One of the two programs, with its arguments but the directory.
struct Tool {
    name: &'static str,
    words: Vec<String>,
}

impl Tool {
    fn ours() -> Tool {
        let words = [sluice().as_str(), "createrepo", "--quiet", "--workers", "1"].map(str::to_owned);
        Tool { name: "sluice createrepo", words: words.into() }
    }

    fn theirs() -> Tool {
        let words = ["createrepo_c", "--quiet", "--no-database", "--workers", "1"].map(str::to_owned);
        Tool { name: "createrepo_c", words: words.into() }
    }

    fn command(&self, more: &[&str], directory: &Utf8Path) -> Command {
        let mut command = program(&self.words[0]);
        command.args(&self.words[1..]).args(more).arg(directory);
        command
    }

    /// The same below strace, which watches the calls that change something, and does what `more` says to them.
    fn traced(&self, trace: &Utf8Path, inject: Option<&str>, more: &[&str], directory: &Utf8Path) -> Command {
        let mut command = program("strace");
        command.args(["-f", "-qq", "-e", "signal=none", "-o", trace.as_str()]);
        command.args(["-e", &format!("trace={CHANGING}")]);
        if let Some(inject) = inject {
            command.args(["-e", &format!("inject={inject}")]);
        }
        command.args(&self.words).args(more).arg(directory);
        command
    }
}

/// A call by its name and how many of that name its thread had made, this one included.
type Call = (String, usize);

/// The calls of a run that change something.
fn calls(trace: &str) -> BTreeSet<Call> {
    let mut made: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut calls = BTreeSet::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let count = made.entry((thread, name)).or_default();
        *count += 1;
        // To open a file for reading changes nothing.
        if !name.starts_with("open") || arguments.contains("O_CREAT") {
            calls.insert((name.to_owned(), *count));
        }
    }
    calls
}

/// Whether a process may be traced here.
fn may_trace(sandbox: &Sandbox) -> bool {
    let ran = run(program("strace").args(["-o", sandbox.path("try").as_str(), "true"]));
    if ran.code() != 0 {
        println!("skipped: processes cannot be traced here: {}", ran.stderr.trim());
    }
    ran.code() == 0
}

fn copied(from: &Utf8Path, to: &Utf8Path) {
    let _ = fs::remove_dir_all(to);
    run(program("cp").args(["-a", from.as_str(), to.as_str()])).ok();
}

/// What came of killing a program at each of its calls.
#[derive(Debug, Default)]
struct Reckoning {
    kills: usize,
    /// Kills after which readers find no whole repodata.
    missing: Vec<String>,
    /// Kills after which the next run fails, or does not bring what is wanted.
    refusing: Vec<String>,
    /// How many calls made something durable.
    syncs: usize,
    /// How often which number of packages was found.
    found: BTreeMap<String, usize>,
}

/// Kills a program at each call that changes something, every time on a fresh copy of `template`.
fn kill_everywhere(sandbox: &Sandbox, tool: &Tool, more: &[&str], template: &Utf8Path) -> Reckoning {
    let (work, trace) = (sandbox.path("work"), sandbox.path("trace"));
    let before = read(template);
    copied(template, &work);
    run(&mut tool.traced(&trace, None, more, &work)).ok();
    let after = read(&work);
    assert_ne!(before, after, "{}: the run changes nothing", tool.name);
    let calls = calls(&fs::read_to_string(&trace).unwrap());
    let syncs = calls.iter().filter(|(name, _)| name.ends_with("sync")).count();
    let mut reckoning = Reckoning { syncs, ..Reckoning::default() };
    for (name, count) in calls {
        copied(template, &work);
        let inject = format!("{name}:signal=KILL:when={count}");
        let ran = run(&mut tool.traced(&trace, Some(&inject), more, &work));
        // Another thread may have made that call this time: then nothing was killed, and nothing is learnt.
        if ran.status.success() {
            continue;
        }
        reckoning.kills += 1;
        let found = read(&work);
        *reckoning.found.entry(format!("{found:?}")).or_default() += 1;
        // Where there was none before, none is what there was.
        if found != after && found != before {
            reckoning.missing.push(format!("{name} {count}: {found:?}"));
        }
        let next = run(&mut tool.command(more, &work));
        if !next.status.success() || read(&work) != after {
            reckoning.refusing.push(format!("{name} {count}: {}", next.stderr.trim()));
        }
    }
    println!(
        "{} {more:?}: {} syncs, {} kills, {} left no whole repodata, {} stopped the next run",
        tool.name,
        reckoning.syncs,
        reckoning.kills,
        reckoning.missing.len(),
        reckoning.refusing.len()
    );
    for (found, times) in &reckoning.found {
        println!("  {times} x readers found {found}");
    }
    reckoning
}

fn package(folder: &Utf8Path, name: &str) {
    let recipe = Recipe::new(name, "1.0", "1").file(&format!("/usr/share/{name}"), name);
    fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
}

/// A repository of two packages by `tool`, and a third package that it does not list yet.
fn template(sandbox: &Sandbox, tool: &Tool, more: &[&str]) -> Utf8PathBuf {
    let folder = sandbox.folder("template");
    package(&folder, "one");
    package(&folder, "two");
    run(&mut tool.command(more, &folder)).ok();
    package(&folder, "three");
    folder
}

fn check(tool: &Tool, more: &[&str], fresh: bool) -> Option<Reckoning> {
    let sandbox = Sandbox::new();
    if !may_trace(&sandbox) {
        return None;
    }
    let folder = template(&sandbox, tool, more);
    if fresh {
        fs::remove_dir_all(folder.join("repodata")).unwrap();
    }
    Some(kill_everywhere(&sandbox, tool, more, &folder))
}

#[track_caller]
fn holds(more: &[&str], fresh: bool) {
    let Some(reckoning) = check(&Tool::ours(), more, fresh) else { return };
    assert!(reckoning.kills > 25 && reckoning.syncs > 5, "{reckoning:?}");
    assert!(reckoning.missing.is_empty() && reckoning.refusing.is_empty(), "{reckoning:#?}");
}

#[test]
fn ours_is_never_missing_on_an_update() {
    holds(&["--update"], false);
}

#[test]
fn ours_is_never_missing_with_simple_names_and_the_old_files() {
    holds(&["--simple-md-filenames", "--retain-old-md", "1"], false);
}

#[test]
fn ours_is_never_half_there_the_first_time() {
    holds(&[], true);
}

#[test]
fn createrepo_cs_is_missing_and_its_next_run_refuses() {
    let Some(theirs) = check(&Tool::theirs(), &["--update"], false) else { return };
    assert!(
        !theirs.missing.is_empty(),
        "createrepo_c leaves repodata at every kill now: say so: {theirs:#?}"
    );
    assert!(!theirs.refusing.is_empty(), "createrepo_c recovers from every kill now: say so: {theirs:#?}");
}
