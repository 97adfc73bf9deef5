//! What is durable at each instant of a round, told by its system calls: a book of everything written and named that
//! no fsync followed yet, and the instants at which that may not be.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::bench::names;
use super::calls::Call;

/// What is not durable, as far as the calls tell.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Files whose bytes were not synced.
    bytes: BTreeSet<Utf8PathBuf>,
    /// Directories that got or lost a name and were not synced.
    names: BTreeSet<Utf8PathBuf>,
}

impl Ledger {
    /// Books one call that succeeded.
    pub fn book(&mut self, call: &Call) {
        let quoted = quoted(call);
        let (first, second) = (quoted.first(), quoted.get(1));
        match call.name.as_str() {
            "open" | "openat" if call.arguments.contains("O_CREAT") => {
                first.iter().for_each(|path| {
                    self.bytes.insert((*path).clone());
                });
                self.named(first);
            }
            "write" | "pwrite64" | "writev" | "ftruncate" => {
                self.bytes.extend(descriptor(call));
            }
            "fsync" | "fdatasync" => {
                if let Some(path) = descriptor(call) {
                    self.bytes.remove(&path);
                    self.names.remove(&path);
                }
            }
            "rename" | "renameat" | "renameat2" => {
                self.named(first);
                self.named(second);
                if let Some((from, to)) = first.zip(second) {
                    let is_exchange = call.arguments.contains("RENAME_EXCHANGE");
                    for book in [&mut self.bytes, &mut self.names] {
                        let moved =
                            |path: &Utf8PathBuf| match (path.strip_prefix(from), path.strip_prefix(to)) {
                                (Ok(rest), _) => Some(joined(to, rest)),
                                (_, Ok(rest)) if is_exchange => Some(joined(from, rest)),
                                // What was there before is gone.
                                (_, Ok(_)) => None,
                                _ => Some(path.clone()),
                            };
                        *book = book.iter().filter_map(moved).collect();
                    }
                }
            }
            "link" | "linkat" => {
                if let Some((_, to)) = first.zip(second).filter(|(from, _)| self.bytes.contains(*from)) {
                    self.bytes.insert(to.clone());
                }
                self.named(second);
            }
            "symlink" | "symlinkat" => self.named(second),
            "mkdir" | "mkdirat" => self.named(first),
            "unlink" | "unlinkat" | "rmdir" => {
                self.named(first);
                if let Some(path) = first {
                    self.bytes.remove(path);
                    self.names.remove(path);
                }
            }
            _ => {}
        }
    }

    fn named(&mut self, path: Option<&Utf8PathBuf>) {
        self.names.extend(path.and_then(|path| path.parent()).map(Utf8Path::to_owned));
    }

    /// Says what of these trees is not durable.
    pub fn open(&self, trees: &[Utf8PathBuf]) -> Vec<String> {
        let below = |path: &&Utf8PathBuf| trees.iter().any(|tree| path.starts_with(tree));
        let bytes = self.bytes.iter().filter(below).map(|path| format!("the bytes of {path} are not synced"));
        let names = self.names.iter().filter(below).map(|path| format!("the names in {path} are not synced"));
        bytes.chain(names).collect()
    }

    /// Whether the bytes of this file are durable, or never were written here.
    pub fn is_written(&self, file: &Utf8Path) -> bool {
        !self.bytes.contains(file)
    }

    /// Whether the names in this directory are durable.
    pub fn is_named(&self, directory: &Utf8Path) -> bool {
        !self.names.contains(directory)
    }
}

fn joined(top: &Utf8Path, rest: &Utf8Path) -> Utf8PathBuf {
    if rest.as_str().is_empty() { top.to_owned() } else { top.join(rest) }
}

/// The absolute paths among the words of a call.
pub fn quoted(call: &Call) -> Vec<Utf8PathBuf> {
    let words = call.arguments.split('"').skip(1).step_by(2);
    words.map(Utf8PathBuf::from).collect()
}

/// The path of the descriptor that a call is about.
fn descriptor(call: &Call) -> Option<Utf8PathBuf> {
    let (_, rest) = call.arguments.split_once('<')?;
    let (path, _) = rest.split_once('>')?;
    path.starts_with('/').then(|| Utf8PathBuf::from(path))
}

/// What a round of the daemon finds.
#[derive(Debug, Default)]
pub struct Begin {
    /// Where `current` leads.
    pub current: Option<String>,
    /// The text of the audit log.
    pub audit: String,
    /// The links that generations announced which are not in force, as far as they are there.
    pub links: BTreeSet<Utf8PathBuf>,
}

impl Begin {
    /// Looks at a site.
    pub fn look(root: &Utf8Path) -> Begin {
        let current = root.join("public/current").read_link_utf8().ok().map(Utf8PathBuf::into_string);
        let logs = names(&root.join("audit")).into_iter().map(|name| root.join("audit").join(name));
        let audit = logs.map(|log| String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned()).collect();
        let mut links = BTreeSet::new();
        for number in names(&root.join("staging")) {
            let is_in_force = current.as_deref() == Some(&*format!("@{number}"));
            let Ok(text) = fs::read(root.join("staging").join(&number).join("links.json")) else { continue };
            let announced: serde_json::Value = serde_json::from_slice(&text).unwrap();
            for link in announced["links"].as_array().into_iter().flatten().filter(|_| !is_in_force) {
                let link = link.as_str().unwrap();
                let top = if link.starts_with("packages/") { root.join("public") } else { root.to_owned() };
                links.insert(top.join(link));
            }
        }
        links.retain(|link| link.is_file());
        Begin { current, audit, links }
    }
}

/// Reads the calls of a round of the daemon and says which promise about durability it broke.
pub fn of_daemon(calls: &[Call], root: &Utf8Path, spool: &Utf8Path, begin: &Begin) -> Vec<String> {
    let mut ledger = Ledger::default();
    let mut wrong = Vec::new();
    let (mut undone, mut is_audit_synced) = (BTreeSet::new(), false);
    let published = ["generations", "public", "pool", "policy", "history"].map(|part| root.join(part));
    let (public, current) = (root.join("public"), root.join("public/current"));
    let (mut halves, mut is_renewed, mut is_flipped) = (0, false, false);
    let mut audited = String::new();
    let mut answered: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for call in calls.iter().filter(|call| !call.outcome.starts_with('-')) {
        let quoted = quoted(call);
        let to = quoted.get(1).or(quoted.first()).cloned().unwrap_or_default();
        let is_rename = call.name.starts_with("rename");
        let is_link = call.name == "link" || call.name == "linkat";
        let is_answer = |path: &Utf8Path| path.as_str().contains(".answer.json");
        if is_rename && to == current {
            let is_recovery = quoted[0].ends_with("staging/pointer");
            is_renewed |= is_recovery;
            if !is_recovery {
                is_flipped = true;
                wrong.extend(ledger.open(&published).iter().map(|open| format!("at the flip {open}")));
                if halves < 2 {
                    wrong.push(format!("at the flip {halves} halves are in place"));
                }
            }
        }
        let is_half = |path: &Utf8Path| {
            let parent = path.parent();
            parent == Some(&public) || parent == Some(&root.join("generations"))
        };
        halves += usize::from(
            is_rename && to != current && is_half(&to) && quoted[0].starts_with(root.join("staging")),
        );
        if is_link && (to.starts_with(root.join("public/packages")) || to.starts_with(root.join("pool"))) {
            // The number is that of the only generation that is being built.
            let is_promised = calls
                .iter()
                .take_while(|other| *other != call)
                .any(|other| other.name.starts_with("rename") && other.arguments.contains("/links.json\""));
            let open = ledger.open(&[root.join("staging")]);
            let is_open = |open: &String| open.contains("links.json") || open.contains("links.new");
            if !is_promised || open.iter().any(is_open) || !ledger.is_named(&root.join("staging")) {
                wrong.push(format!("{to} is linked before `links.json` names it for good"));
            }
        }
        if call.name.starts_with("unlink")
            && to.starts_with(root.join("public/packages"))
            && !is_flipped
            && !begin.links.contains(&to)
        {
            wrong.push(format!("{to} is removed before the flip"));
        }
        if call.name == "write" && call.arguments.contains("/audit/") {
            audited.push_str(&call.arguments);
        }
        is_audit_synced |= call.name == "fsync" && call.arguments.contains("/audit/");
        if call.name.starts_with("unlink") {
            undone.insert(to.clone());
        }
        if is_rename && to.starts_with(root.join("quarantine")) && to.ends_with("staging") {
            let left = begin.links.difference(&undone);
            wrong.extend(left.map(|link| format!("{link} is there and `staging/` is put away")));
        }
        if call.name.starts_with("symlink") && to == root.join("staging/pointer") {
            let target = quoted[0].as_str();
            if begin.current.as_deref() != Some(target) {
                wrong.push(format!("recovery makes `current` name {target}, not {:?}", begin.current));
            }
        }
        let is_spool = to.starts_with(spool.join("done")) || to.starts_with(spool.join("failed"));
        let is_new = is_spool && is_answer(&to) && (is_rename || call.arguments.contains("O_CREAT"));
        if is_new {
            if !ledger.is_named(&public) {
                wrong.push(format!("{to} is written and `current` is not durable"));
            }
            if begin.current.is_some() && !is_renewed {
                wrong.push(format!("{to} is written and `current` was not made anew"));
            }
            let claim = to.file_name().unwrap_or_default().trim_start_matches('.');
            let claim = claim.split(".answer").next().unwrap_or_default();
            let audit = ledger.open(&[root.join("audit")]);
            let is_durable = match begin.audit.contains(claim) {
                true => is_audit_synced,
                false => audited.contains(claim) && audit.is_empty(),
            };
            if to.starts_with(spool.join("failed")) && !is_durable {
                wrong.push(format!("{to} is written before the audit log: {audit:?}"));
            }
            answered.insert(to.clone());
        }
        if is_spool && is_rename && quoted[0].starts_with(spool.join("processing")) && !is_answer(&to) {
            let stem = to.file_stem().unwrap_or_default();
            let answer = answered.iter().rfind(|answer| answer.as_str().contains(stem));
            match answer {
                Some(answer)
                    if ledger.is_written(answer) && ledger.is_written(&to.with_extension("answer.json")) => {}
                Some(answer) => wrong.push(format!("{to} is moved before {answer} is durable")),
                None => wrong.push(format!("{to} is moved before it is answered")),
            }
        }
        ledger.book(call);
    }
    let spools = ["incoming", "processing", "done", "failed"].map(|part| spool.join(part));
    wrong.extend(ledger.open(&spools).iter().map(|open| format!("at the end {open}")));
    wrong
}

/// Reads the calls of a run of `sluice createrepo` on `directory` and says which promise about durability it broke.
pub fn of_createrepo(calls: &[Call], directory: &Utf8Path) -> Vec<String> {
    let mut ledger = Ledger::default();
    let mut wrong = Vec::new();
    let (repodata, next) = (directory.join("repodata"), directory.join(".repodata/next"));
    let index = repodata.join("repomd.xml");
    // What is removed afterwards need not be.
    let mut is_placed = true;
    for call in calls.iter().filter(|call| !call.outcome.starts_with('-')) {
        let quoted = quoted(call);
        if call.name.starts_with("rename") && quoted.len() == 2 {
            let is_exchange = call.arguments.contains("RENAME_EXCHANGE");
            if quoted.contains(&repodata) && is_exchange {
                wrong.extend(ledger.open(std::slice::from_ref(&next)));
            }
            is_placed &= !quoted.contains(&repodata);
            if quoted[0] == repodata && !is_exchange {
                wrong.push("for an instant there is no repodata".to_owned());
            }
            if quoted[1] == index {
                wrong.extend(ledger.open(std::slice::from_ref(&repodata)));
            }
        }
        is_placed |= call.name == "fsync" && descriptor(call).as_deref() == Some(directory);
        ledger.book(call);
    }
    if !is_placed {
        wrong.push(format!("at the end the new names in {directory} are not synced"));
    }
    wrong
}
