//! The system calls of one round of the real daemon, and what strace does to one of them.

use std::collections::BTreeMap;
use std::fs;

use testkit::{Ran, program, run};

use super::bench::Bench;

/// Calls that make or change something below the root or the control directory, or make it durable.
const CHANGING: [&str; 26] = [
    "creat",
    "write",
    "writev",
    "pwrite64",
    "pwritev2",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
    "chmod",
    "fchmod",
    "fchmodat",
    "utimensat",
    "fallocate",
    "ftruncate",
    "copy_file_range",
];

/// One call of the thread that does the work, which is the first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub name: String,
    /// How many calls of that name the thread had made, this one included: what strace counts by.
    pub count: usize,
    /// What it was asked, with the paths of descriptors.
    pub arguments: String,
    /// How it ended, as in `= -1 EIO (Input/output error) (INJECTED)`.
    pub outcome: String,
}

impl Call {
    /// Whether it makes or changes something, or syncs; to open a file for reading changes nothing.
    pub fn changes(&self) -> bool {
        CHANGING.contains(&self.name.as_str()) || self.opens() && self.arguments.contains("O_CREAT")
    }

    /// Whether it opens a file.
    pub fn opens(&self) -> bool {
        self.name == "open" || self.name == "openat"
    }

    /// Whether it is about something of the site, not about the log, the memory or the threads.
    pub fn is_of(&self, bench: &Bench) -> bool {
        self.arguments.contains(bench.site.root().as_str())
            || self.arguments.contains(bench.site.spool().as_str())
    }

    /// What strace is to do at this call: `signal=KILL`, `error=EIO`; `more` is `+` for it and all after it.
    pub fn inject(&self, what: &str, more: &str) -> String {
        format!("{}:{what}:when={}{more}", self.name, self.count)
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments: String = self.arguments.chars().take(160).collect();
        write!(out, "{} {}: {}({arguments}", self.name, self.count, self.name)
    }
}

/// A round below strace.
pub struct Traced {
    pub ran: Ran,
    pub calls: Vec<Call>,
}

impl Traced {
    /// What it told people, also where writing that to them was made to fail.
    pub fn told(&self) -> String {
        let lost = self.calls.iter().filter(|call| call.outcome.contains("INJECTED"));
        let lost = lost.filter(|call| call.name == "write" && call.arguments.starts_with("2<"));
        let lost: String = lost.map(|call| call.arguments.replace("\\n", "\n")).collect();
        format!("{}{lost}", self.ran.stderr)
    }

    /// Whether it was killed by a signal.
    pub fn was_killed(&self) -> bool {
        self.ran.status.code().is_none()
    }
}

/// Runs one round of the daemon and lists the calls `watched` (`all` for all), doing what `injects` say.
pub fn round(bench: &Bench, watched: &str, injects: &[String], environment: &[(&str, &str)]) -> Traced {
    let file = bench.traces.join("trace");
    // The first line tells which thread is the first: only that one begins the program.
    let watched = if watched == "all" { "trace=all".to_owned() } else { format!("trace=execve,{watched}") };
    // A fault that makes it hang ends it as well: one that hits the runtime and no disk does, and counts as not hit.
    let mut words = vec!["timeout", "-s", "KILL", "100", "strace", "-f", "-qq", "-y", "-s", "600"];
    words.extend(["-e", "signal=none", "-o", file.as_str(), "-e", &watched]);
    let injects: Vec<String> = injects.iter().map(|inject| format!("inject={inject}")).collect();
    injects.iter().for_each(|inject| words.extend(["-e", inject]));
    let mut command = bench.site.as_daemon_below(&words);
    command.args(["daemon", "--once"]).envs(environment.iter().copied());
    let ran = run(&mut command);
    let trace = fs::read(&file).unwrap_or_else(|error| panic!("no trace: {error}\n{ran}"));
    Traced { calls: parse(&String::from_utf8_lossy(&trace)), ran }
}

/// Runs another command below strace, as whoever runs the tests, and lists all its calls.
pub fn of_command(bench: &Bench, command: &[&str], injects: &[&str], environment: &[(&str, &str)]) -> Traced {
    let file = bench.traces.join("command");
    let mut strace = program("strace");
    strace.args(["-f", "-qq", "-y", "-s", "600", "-e", "signal=none", "-o", file.as_str()]);
    for inject in injects {
        strace.args(["-e", &format!("inject={inject}")]);
    }
    let ran = run(strace.args(command).envs(environment.iter().copied()));
    let trace = fs::read(&file).unwrap_or_else(|error| panic!("no trace: {error}\n{ran}"));
    Traced { calls: parse(&String::from_utf8_lossy(&trace)), ran }
}

/// Reads what strace wrote; only the first thread counts.
pub fn parse(trace: &str) -> Vec<Call> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls: Vec<Call> = Vec::new();
    let first = trace.split_whitespace().next().unwrap_or_default();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        if thread != first {
            continue;
        }
        // While the call was under way another thread made one: its end has a line of its own.
        if let Some((_, rest)) =
            call.trim_start().strip_prefix("<... ").and_then(|end| end.split_once(" resumed>"))
        {
            if let Some(call) = calls.last_mut() {
                let (arguments, outcome) = parts(rest);
                call.arguments.push_str(arguments);
                outcome.clone_into(&mut call.outcome);
            }
            continue;
        }
        let Some((name, rest)) = call.trim_start().split_once('(') else { continue };
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name.is_empty() || !is_name {
            continue;
        }
        let rest = rest.strip_suffix(" <unfinished ...>").unwrap_or(rest);
        let count = counts.entry(name).or_default();
        *count += 1;
        let (arguments, outcome) = parts(rest);
        calls.push(Call {
            name: name.to_owned(),
            count: *count,
            arguments: arguments.to_owned(),
            outcome: outcome.to_owned(),
        });
    }
    calls
}

/// The arguments and the outcome of a call, of which either may be in another line.
fn parts(rest: &str) -> (&str, &str) {
    rest.rsplit_once(") = ").unwrap_or((rest, ""))
}

#[test]
fn a_call_that_another_thread_interrupts_is_one_call() {
    let trace = "7     execve(\"sluice\", 0x1) = 0\n\
                 7     futex(0x5, FUTEX_WAIT, 0, {tv_sec=0} <unfinished ...>\n\
                 8     fsync(9</other>) = 0\n\
                 7     <... futex resumed>) = -1 ETIMEDOUT (Connection timed out)\n\
                 7     fsync(9</root/staging/3> <unfinished ...>\n\
                 8     futex(0x5, FUTEX_WAKE, 1) = 1\n\
                 7     <... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)\n";
    let calls = parse(trace);
    let told: Vec<_> =
        calls.iter().map(|call| (call.name.as_str(), call.count, call.arguments.as_str())).collect();
    let expected = [
        ("execve", 1, "\"sluice\", 0x1"),
        ("futex", 1, "0x5, FUTEX_WAIT, 0, {tv_sec=0}"),
        ("fsync", 1, "9</root/staging/3>"),
    ];
    assert_eq!(told, expected);
    assert!(calls[1].outcome.contains("ETIMEDOUT") && calls[2].outcome.contains("INJECTED"), "{calls:?}");
}
