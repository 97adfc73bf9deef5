//! The clients that sites run: dnf, and librepo below it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use fastrand::Rng;
use testkit::{Host, Ran, Sandbox, checkout, program};

use super::origin::Origin;
use super::promotions;
use super::tally::{Fault, Read, Session};

/// A process that runs librepo for us.
pub struct Librepo {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Librepo {
    pub fn start(folder: &Utf8Path) -> Self {
        let mut command = program("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "/usr/bin/python3"]);
        command.arg(checkout().join("tests/it/readers/librepo_sessions.py")).arg(folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let ask = child.stdin.take().unwrap();
        Self { child, ask, answers }
    }

    fn ask(&mut self, line: &str) -> Result<u64, String> {
        writeln!(self.ask, "{line}").unwrap();
        let mut said = String::new();
        self.answers.read_line(&mut said).unwrap();
        match said.trim().split_once(' ') {
            Some(("ok", count)) => Ok(count.parse().unwrap()),
            Some(("failed", why)) => Err(why.to_owned()),
            _ => panic!("librepo_sessions.py said `{said}`"),
        }
    }

    /// Sessions one after the other, some of which wait for flips between metadata and packages.
    pub fn run(mut self, origin: &Arc<Origin>, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let mut waiting: Vec<(u64, String, String)> = Vec::new();
        let mut number = 0;
        while !origin.flips.have_ended() {
            let count = origin.flips.count();
            if let Some(due) = waiting.iter().position(|(due, ..)| *due <= count) {
                let (_, name, url) = waiting.swap_remove(due);
                self.fetch(origin, &name, &url);
                continue;
            }
            number += 1;
            let repository = &origin.routes[rng.usize(..origin.routes.len())][rng.usize(..2)];
            let (name, url) = (format!("v{number}"), format!("{}/{repository}/", origin.base_url));
            match self.ask(&format!("view {name} {url}")) {
                Ok(count) => read(origin, Read::Metadata, count),
                Err(why) => {
                    origin.tally.ended(Session::Librepo, Err(Fault::new(why, &url, "")));
                    continue;
                }
            }
            match rng.usize(..3) {
                0 => self.fetch(origin, &name, &url),
                _ if waiting.len() >= 16 => self.fetch(origin, &name, &url),
                _ => waiting.push((count + rng.u64(1..8), name, url)),
            }
            origin.flips.wait_for(origin.flips.count() + u64::from(waiting.len() >= 16));
        }
        for (_, name, url) in waiting {
            self.fetch(origin, &name, &url);
        }
        drop(self.ask);
        self.child.wait().unwrap();
    }

    fn fetch(&mut self, origin: &Origin, name: &str, url: &str) {
        let ended = self.ask(&format!("fetch {name}"));
        self.ask(&format!("done {name}")).unwrap();
        if let Ok(count) = &ended {
            read(origin, Read::Package, *count);
        }
        let ended = ended.map(drop).map_err(|why| Fault::new(why, url, ""));
        origin.tally.ended(Session::Librepo, ended);
    }
}

fn read(origin: &Origin, read: Read, count: u64) {
    (0..count).for_each(|_| origin.tally.read(read));
}

/// A host on which dnf downloads.
pub struct Dnf {
    host: Host,
    folder: Utf8PathBuf,
    /// The digest of every package, by file name.
    digests: BTreeMap<String, nevra::Sha256>,
    sessions: u64,
}

impl Dnf {
    pub fn new(sandbox: &Sandbox, name: &str, origin: &Origin) -> Self {
        let host = Host::new(sandbox, name);
        for (stage, path) in ["delta", "production"].iter().zip(&origin.routes[0]) {
            let text = format!(
                "[{stage}]\nname={stage}\nbaseurl={}/{path}/\ngpgcheck=0\nenabled=1\nskip_if_unavailable=0\n",
                origin.base_url
            );
            host.dot_repo(&format!("{stage}.repo"), text);
        }
        let all = promotions::residents().into_iter().chain(promotions::wanderers());
        let digests = all.map(|name| promotions::recipe(&name));
        let digests = digests.map(|recipe| (recipe.file_name(), repo::sha256(&recipe.build()))).collect();
        Self { host, folder: sandbox.path(&format!("{name}.down")), digests, sessions: 0 }
    }

    /// Downloads what a host would install; every other time generations after the metadata.
    pub fn one_session(&mut self, origin: &Origin) {
        let ended = self.session(origin);
        origin.tally.ended(Session::Dnf, ended);
    }

    fn session(&mut self, origin: &Origin) -> Result<(), Fault> {
        self.sessions += 1;
        let mut wanted: BTreeSet<String> = promotions::residents().into_iter().step_by(5).collect();
        if origin.overlap.is_some() {
            wanted.extend(promotions::wanderers());
        }
        let folder = self.folder.join(self.sessions.to_string());
        let option = format!("--downloaddir={folder}");
        let mut install = vec!["install".to_owned(), "--downloadonly".to_owned(), option];
        install.extend(wanted.iter().cloned());
        let began = Instant::now();
        let (ran, took) = if self.sessions.is_multiple_of(2) {
            let ran = self.host.dnf(&install);
            (ran, began.elapsed())
        } else {
            let made = self.host.dnf(&["makecache"]);
            let took = began.elapsed();
            self.check(origin, made)?;
            origin.flips.wait_for(origin.flips.count() + 3);
            (self.host.dnf_with_cache(&install), took)
        };
        // Whoever takes longer than the overlap to read both stages may find a package in neither.
        let is_in_neither = ran.stderr.contains("Unable to find a match");
        if is_in_neither && origin.overlap.is_some_and(|overlap| took >= overlap) {
            origin.tally.note(|counts| counts.too_slow += 1);
            return Ok(());
        }
        self.check(origin, ran)?;
        let came: BTreeMap<String, nevra::Sha256> = folder
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().into_path())
            .map(|path| (path.file_name().unwrap().to_owned(), repo::sha256(&fs::read(&path).unwrap())))
            .collect();
        fs::remove_dir_all(&folder).unwrap();
        let is_whole = came.len() == wanted.len()
            && came.iter().all(|(file, digest)| self.digests.get(file) == Some(digest));
        if !is_whole {
            return Err(Fault::new(format!("dnf downloaded {:?}", came.keys()), &origin.base_url, ""));
        }
        read(origin, Read::Package, came.len() as u64);
        Ok(())
    }

    fn check(&self, origin: &Origin, ran: Ran) -> Result<(), Fault> {
        let flips = format!("after {} flips", origin.flips.count());
        if ran.status.success() { Ok(()) } else { Err(Fault::new(ran.to_string(), &origin.base_url, flips)) }
    }
}
