//! The process that packages are read in: what it may do, what becomes of one that dies, hangs or lies.

use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::reading::{InProcess, Limits, PackageReader, Unfit, Worker, Wrong};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use plan::Payload;
use repo::{Package, Recipe};
use store::{Disk, PosixDisk};
use testkit::{Sandbox, Site, fixtures, sluice};

/// Enough for the program with all that helps to debug it, and a package.
const LIMITS: Limits = Limits { address_space: 1 << 30, cpu_seconds: 30 };

const PATIENCE: Duration = Duration::from_secs(120);

fn read(reader: &dyn PackageReader, path: &Utf8Path) -> Result<Package, Unfit> {
    let mut file = PosixDisk.open(path).unwrap();
    reader.read(path, &mut *file).unwrap()
}

fn write(sandbox: &Sandbox, name: &str) -> Utf8PathBuf {
    let path = sandbox.path(&format!("{name}.rpm"));
    fs::write(&path, Recipe::new(name, "1", "1").build()).unwrap();
    path
}

/// The children of this process that ended and were not waited for, and the descriptors it has open.
fn left_behind(process: u32) -> (Vec<u32>, usize) {
    let zombies = children(process).into_iter().filter(|child| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    });
    (zombies.collect(), fs::read_dir(format!("/proc/{process}/fd")).unwrap().count())
}

/// The processes that a process started and that are there, in whatever state.
fn children(process: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        if parent == Some(process) {
            found.push(pid);
        }
    }
    found
}

#[test]
fn a_worker_reads_every_package_as_the_process_itself_would() {
    let worker = Worker::new(sluice(), LIMITS, PATIENCE);
    let (mut listed, mut unfit) = (0, 0);
    let packages = fixtures().listed().chain(fixtures().refused.iter().map(|path| path.as_path()));
    let mut workers = std::collections::BTreeSet::new();
    for path in packages {
        let read_apart = read(&worker, path);
        assert_eq!(read_apart, read(&InProcess, path), "{path}");
        if read_apart.is_ok() {
            listed += 1
        } else {
            unfit += 1
        }
        workers.insert(worker.process().unwrap());
    }
    assert!(listed > 80 && unfit > 0, "{listed} {unfit}");
    assert_eq!(workers.len(), 1, "one process reads them all");
    worker.rest();
    assert_eq!(worker.process(), None);
}

/// How many files a worker may have open: its three, one more, and what whoever started the tests left open to all.
fn open_files() -> usize {
    let inherited = |number: &usize| {
        let about = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let flags = about.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("02000000");
        usize::from_str_radix(flags.trim(), 8).unwrap() & 0o2_000_000 == 0
    };
    (3..).find(|number| !inherited(number)).unwrap() + 1
}

#[test]
fn a_worker_may_do_nothing_but_read() {
    let sandbox = Sandbox::new();
    let worker = Worker::new(sluice(), LIMITS, PATIENCE);
    let package = read(&worker, &write(&sandbox, "worker-breaks-out")).unwrap();
    assert!(!package.summary.contains("done"), "{}", package.summary);
    assert_eq!(package.summary.matches("permission denied").count(), 6, "{}", package.summary);
    let process = worker.process().unwrap();
    let proc = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}")).unwrap();
    assert!(proc("status").contains("Seccomp:\t2"), "{}", proc("status"));
    assert!(proc("status").contains("NoNewPrivs:\t1"));
    let limits = proc("limits");
    let open_files = open_files().to_string();
    for (name, value) in [
        ("Max cpu time", "30"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
        ("Max processes", "0"),
        ("Max open files", &open_files),
        ("Max locked memory", "0"),
        ("Max address space", "1073741824"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(line[name.len()..].split_whitespace().next(), Some(value), "{line}");
    }
    assert_eq!(proc("environ"), "", "it inherits nothing");
    assert_eq!(proc("oom_score_adj").trim(), "1000");
    let open = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let open: Vec<_> = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok()).collect();
    assert!(
        !open.is_empty() && !open.iter().any(|file| file.extension().is_some()),
        "it is closed: {open:?}"
    );
}

#[test]
fn a_worker_that_dies_hangs_or_lies_costs_one_package() {
    let sandbox = Sandbox::new();
    let brief = Limits { cpu_seconds: 1, ..LIMITS };
    let good = write(&sandbox, "voms");
    for (name, limits, patience, expected) in [
        ("worker-panics", LIMITS, PATIENCE, "exit status: 101"),
        ("worker-aborts", LIMITS, PATIENCE, "SIGABRT"),
        ("worker-eats", LIMITS, PATIENCE, "memory allocation of"),
        ("worker-spins", brief, PATIENCE, "SIGXCPU"),
        ("worker-hangs", LIMITS, Duration::from_secs(5), "no answer in time"),
        ("worker-lies", LIMITS, PATIENCE, "a header ends before it begins"),
    ] {
        let worker = Worker::new(sluice(), limits, patience);
        let unfit = read(&worker, &write(&sandbox, name)).unwrap_err();
        assert_eq!(unfit.wrong, Wrong::Deadly, "{name}");
        assert!(unfit.words.contains(expected), "{name}: {}", unfit.words);
        assert!(!unfit.words.contains(['\n', '\u{1b}']), "{name}: {}", unfit.words);
        assert_eq!(worker.process(), None, "{name}");
        let worker = Worker::new(sluice(), LIMITS, PATIENCE);
        assert_eq!(read(&worker, &good).unwrap().nevra.name, "voms");
        // One that has read others before is given up, and the package is read again by a fresh one.
        let before = worker.process();
        kill(Pid::from_raw(before.unwrap().cast_signed()), Signal::SIGKILL).unwrap();
        assert_eq!(read(&worker, &good).unwrap().nevra.name, "voms");
        assert_ne!(worker.process(), before);
    }
}

/// The time a worker has grows with what it must hash; what makes it compute without end gains nothing.
#[test]
fn a_package_of_some_gib_is_judged_by_a_worker_that_has_a_second_for_others() {
    let sandbox = Sandbox::new();
    let brief = Limits { cpu_seconds: 1, ..LIMITS };
    let (small, large) = (write(&sandbox, "small"), write(&sandbox, "large"));
    // Nothing but zeros behind the payload, none of which lies on the disk; several seconds of hashing.
    fs::OpenOptions::new().append(true).open(&large).unwrap().set_len(4 << 30).unwrap();
    let worker = Worker::new(sluice(), brief, PATIENCE);
    let judge = |path: &Utf8Path| {
        let judged =
            worker.judge(path, &mut *PosixDisk.open(path).unwrap(), &[], jiff::Timestamp::UNIX_EPOCH);
        judged.unwrap().unwrap_or_else(|unfit| panic!("{path}: {}", unfit.words)).signed.payload
    };
    let allowed = || {
        let limits = fs::read_to_string(format!("/proc/{}/limits", worker.process().unwrap())).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max cpu time")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!((judge(&small), allowed()), (Payload::Whole, 1));
    let first = worker.process();
    assert!(matches!(judge(&large), Payload::Tampered(_)));
    assert!((200..300).contains(&allowed()), "{}", allowed());
    assert_ne!(worker.process(), first, "it is not given to one that has no time for it");
    let second = worker.process();
    // What that time was for is used up.
    assert_eq!((judge(&small), allowed()), (Payload::Whole, 1));
    assert_ne!(worker.process(), second);
}

/// Programs that are no workers, or would be and cannot.
#[test]
fn whatever_sits_at_the_other_end_is_not_believed() {
    let sandbox = Sandbox::new();
    let good = write(&sandbox, "voms");
    let greeting = "printf '\\020\\0\\0\\0{\"without\":null}' >&0";
    for (name, script, is_begun) in [
        ("silent", "exit 0".to_owned(), false),
        ("garbage", "echo nothing of the kind >&0".to_owned(), false),
        ("endless", "exec cat /dev/zero >&0".to_owned(), false),
        ("leaves", greeting.to_owned(), true),
        ("hangs-up", format!("{greeting}; exec 0>&-; exec sleep 1000"), true),
        ("huge", format!("{greeting}; printf '\\377\\377\\377\\377' >&0; exec cat"), true),
        ("short", format!("{greeting}; printf '\\100\\0\\0\\0{{' >&0"), true),
        ("nonsense", format!("{greeting}; printf '\\002\\0\\0\\0{{}}' >&0; exec cat"), true),
        ("odd", format!("{greeting}; printf '\\015\\0\\0\\0{{\"listed\":{{}}}}' >&0; exec cat"), true),
    ] {
        let program = sandbox.script(name, &format!("#!/bin/bash\n{script}\n"));
        let worker = Worker::new(program, LIMITS, PATIENCE);
        let mut file = PosixDisk.open(&good).unwrap();
        match worker.read(&good, &mut *file) {
            Ok(said) => assert!(is_begun && said.unwrap_err().wrong == Wrong::Deadly, "{name}"),
            Err(error) => {
                assert!(!is_begun && error.to_string().contains("did not begin"), "{name}: {error}")
            }
        }
        assert_eq!(worker.process(), None, "{name}");
    }
    let (zombies, _) = left_behind(std::process::id());
    // Other tests of this program run beside this one, and wait for theirs.
    assert!(zombies.len() < 20, "{zombies:?}");
}

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn import(uploads: &[String]) -> String {
    format!(
        "format = 1\naction = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = {uploads:?}\n[end]\n"
    )
}

#[test]
fn the_daemon_refuses_what_kills_a_worker_and_goes_on() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let upload = |name: &str| site.upload(&format!("{name}.rpm"), &Recipe::new(name, "1", "1").build());
    site.drop_request("first.toml", &import(&[upload("voms")]));
    assert_eq!(site.answer("first")["outcome"], "done");
    let (_, before) = left_behind(daemon.process());
    for name in ["worker-panics", "worker-aborts", "worker-eats", "worker-lies"] {
        site.drop_request(&format!("{name}.toml"), &import(&[upload("fine"), upload(name)]));
        let answer = site.answer(name);
        assert_eq!(
            (&answer["outcome"], &answer["code"]),
            (&"refused".into(), &"reader-died".into()),
            "{answer}"
        );
        assert!(answer["sentence"].as_str().unwrap().contains(&format!("`{name}.rpm`")), "{answer}");
        assert_eq!(children(daemon.process()), Vec::<u32>::new(), "{name}");
    }
    site.drop_request("last.toml", &import(&[upload("fine")]));
    assert_eq!(site.answer("last")["outcome"], "done");
    let (zombies, after) = left_behind(daemon.process());
    // A directory may just be looked at; four lost workers would leave four sockets and four pipes.
    assert!(zombies.is_empty() && after < before + 4, "{zombies:?} {before} {after}");
    assert!(!daemon.log().contains('\u{1b}'), "{}", daemon.log());
    assert!(!daemon.log().contains("limits on resources only"), "{}", daemon.log());
    assert_eq!(daemon.stop().and_then(|status| status.code()), Some(0));
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn a_worker_killed_by_somebody_else_costs_nothing() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let uploads: Vec<String> = (0..150)
        .map(|number| {
            let name = format!("voms-{number}");
            site.upload(&format!("{name}.rpm"), &Recipe::new(name, "1", "1").build())
        })
        .collect();
    site.drop_request("many.toml", &import(&uploads));
    let copies = site.root().join("staging/import");
    let copied = || walkdir::WalkDir::new(&copies).into_iter().flatten().count();
    let watch = testkit::Watch::on(&[&copies]);
    let is_answered = || !site.answers("many").is_empty();
    let mut killed = 0;
    while !is_answered() {
        // One at a time, and never the same package twice: somebody who kills every worker is obeyed.
        if let (true, Some(worker)) = (killed < 3, children(daemon.process()).first()) {
            let before = copied();
            killed += u32::from(kill(Pid::from_raw(worker.cast_signed()), Signal::SIGTERM).is_ok());
            // Each package is copied and then read: with two more copies there, the one it died of was read.
            let is_past = || (copied() > before + 1 || is_answered()).then_some(());
            watch.until(PATIENCE, is_past).unwrap_or_else(|| panic!("{}", daemon.log()));
        }
    }
    assert_eq!(site.answer("many")["outcome"], "done", "{}", daemon.log());
    assert!(killed > 0);
    println!("{killed} workers killed while 150 packages were read");
}
