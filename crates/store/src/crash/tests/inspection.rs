//! Looks at a root and says what is wrong with it, from the design alone: none of the store's own reading code.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use sha2::Digest as _;

use crate::{Disk, Kind, Modified, State};

pub(super) const ROOT: &str = "/srv/sluice";

/// What must hold on a root where `told` is the highest generation anybody was told of.
pub(super) struct Inspection<'a> {
    disk: &'a dyn Disk,
    told: u64,
    wrong: Vec<String>,
    /// Manifests by number, wherever they lie.
    manifests: BTreeMap<u64, (Value, String)>,
}

/// Everything that must hold at every instant, also before recovery.
pub(super) fn at_every_instant(disk: &dyn Disk, told: u64) -> Vec<String> {
    let mut inspection = Inspection { disk, told, wrong: Vec::new(), manifests: BTreeMap::new() };
    inspection.all();
    inspection.wrong
}

/// Everything that must hold besides once recovery and `finish` are done and nothing runs.
pub(super) fn at_rest(disk: &dyn Disk, told: u64) -> Vec<String> {
    let mut inspection = Inspection { disk, told, wrong: Vec::new(), manifests: BTreeMap::new() };
    inspection.all();
    inspection.nothing_left_over();
    inspection.wrong
}

fn at(path: &str) -> Utf8PathBuf {
    Utf8Path::new(ROOT).join(path)
}

fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(entries) => entries.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

impl Inspection<'_> {
    fn say(&mut self, words: String) {
        self.wrong.push(words);
    }

    fn bytes(&self, path: &Utf8Path) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut file = self.disk.open(path).map_err(|error| error.to_string())?;
        file.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    fn json(&self, path: &Utf8Path) -> Result<(Value, String), String> {
        let bytes = self.bytes(path)?;
        let value = serde_json::from_slice(&bytes).map_err(|error| format!("{path}: {error}"))?;
        Ok((value, sha256(&bytes)))
    }

    fn state(&self, path: &Utf8Path) -> Option<State> {
        self.disk.state(path).ok().flatten()
    }

    fn list(&self, path: &str) -> Vec<String> {
        self.disk.list(&at(path)).map(|names| names.names).unwrap_or_default()
    }

    fn all(&mut self) {
        let Some(state) = self.state(&at("public/current")) else {
            if self.told > 0 {
                self.say(format!("I16 generation {} was told of and `current` is missing", self.told));
            }
            return self.packages(&Value::Null);
        };
        let target = self.disk.read_link(&at("public/current")).unwrap_or_default();
        let Some(number) = target.strip_prefix('@').and_then(|number| number.parse::<u64>().ok()) else {
            return self.say(format!("I1 `current` is {:?} to `{target}`", state.kind));
        };
        if number < self.told {
            self.say(format!("I16 generation {} was told of and `current` names {number}", self.told));
        }
        self.chain(number);
        let Some((current, _)) = self.manifests.get(&number).cloned() else { return };
        let dropped: BTreeSet<u64> = self
            .manifests
            .values()
            .flat_map(|(manifest, _)| manifest["drop_generations"].as_array().cloned().unwrap_or_default())
            .filter_map(|number| number.as_u64())
            .collect();
        for kept in self.manifests.keys().copied().filter(|kept| !dropped.contains(kept)).collect::<Vec<_>>()
        {
            self.halves(kept);
        }
        self.packages(&current);
        self.names(&current);
    }

    /// I1, I3: the manifests from `number` back to the first.
    fn chain(&mut self, number: u64) {
        let mut expected: Option<String> = None;
        let mut next = Some(number);
        while let Some(number) = next {
            let kept = self.json(&at(&format!("generations/{number}/manifest.json")));
            let found = kept.or_else(|why| {
                self.json(&at(&format!("history/{number}.json"))).map_err(|other| format!("{why}, {other}"))
            });
            let (manifest, digest) = match found {
                Ok(found) => found,
                Err(why) => return self.say(format!("I3 the manifest of {number} cannot be read: {why}")),
            };
            if manifest["number"] != number {
                self.say(format!("I3 the manifest of {number} says {}", manifest["number"]));
            }
            if expected.as_ref().is_some_and(|expected| *expected != digest) {
                self.say(format!("I3 the manifest of {number} is not the one its child records"));
            }
            expected = manifest["parent"]["digest"].as_str().map(str::to_owned);
            next = manifest["parent"]["number"].as_u64();
            if next.is_some_and(|parent| parent >= number) {
                return self.say(format!("I3 the parent of {number} is {next:?}"));
            }
            self.manifests.insert(number, (manifest, digest));
        }
    }

    /// I2: both halves hold exactly what files.json says, and nothing of it can be written to.
    fn halves(&mut self, number: u64) {
        let path = at(&format!("generations/{number}/files.json"));
        let (files, digest) = match self.json(&path) {
            Ok(found) => found,
            Err(why) => return self.say(format!("I2 {why}")),
        };
        let manifest = self.manifests[&number].0.clone();
        if manifest["files"] != digest.as_str() {
            self.say(format!("I2 files.json of {number} is not the one of its manifest"));
        }
        let policy = at(&format!("policy/{}.toml", manifest["policy"].as_str().unwrap_or_default()));
        if self.bytes(&policy).map(|bytes| sha256(&bytes))
            != Ok(manifest["policy"].as_str().unwrap_or("").into())
        {
            self.say(format!("I18 the policy of {number} is missing or differs"));
        }
        let mut private: BTreeSet<String> = texts(&files["private"]).into_iter().collect();
        private.extend(["manifest.json".to_owned(), "files.json".to_owned()]);
        let half = at(&format!("generations/{number}"));
        self.half(&half, &files["private"], &private, &files["private_links"]);
        let half = at(&format!("public/@{number}"));
        let public = texts(&files["public"]).into_iter().collect();
        self.half(&half, &files["public"], &public, &files["packages_links"]);
    }

    fn half(&mut self, half: &Utf8Path, facts: &Value, expected: &BTreeSet<String>, links: &Value) {
        let mut found = BTreeSet::new();
        let mut found_links = BTreeSet::new();
        let mut waiting = vec![half.to_owned()];
        while let Some(dir) = waiting.pop() {
            match self.state(&dir) {
                Some(State { kind: Kind::Directory, mode: 0o555, .. }) => {}
                state => self.say(format!("I2 {dir} is no sealed directory: {state:?}")),
            }
            let names = match self.disk.list(&dir) {
                Ok(names) => names.names,
                Err(error) => return self.say(format!("I2 {error}")),
            };
            for name in names {
                let path = dir.join(name);
                let short = path.strip_prefix(half).unwrap_or(&path).to_string();
                let Some(state) = self.state(&path) else { continue };
                match state.kind {
                    Kind::Directory => waiting.push(path),
                    Kind::Link => {
                        let target = self.disk.read_link(&path).unwrap_or_default();
                        let there = self.disk.list(&path.parent().unwrap_or(half).join(&target)).is_ok();
                        if links[&short] != target.as_str() || !there {
                            self.say(format!("I2 {path} points to {target}, expected {}", links[&short]));
                        }
                        found_links.insert(short);
                    }
                    _ => {
                        self.file(&path, &state, &facts[&short]);
                        found.insert(short);
                    }
                }
            }
        }
        if found != *expected {
            self.say(format!("I2 {half} holds {found:?}, expected {expected:?}"));
        }
        if found_links != texts(links).into_iter().collect() {
            self.say(format!("I2 {half} has the links {found_links:?}, expected {links}"));
        }
    }

    fn file(&mut self, path: &Utf8Path, state: &State, facts: &Value) {
        if state.mode != 0o444 {
            self.say(format!("I2 {path} has mode {:o}", state.mode));
        }
        let Value::Object(_) = facts else { return };
        let modified = Modified {
            seconds: facts["modified"]["seconds"].as_i64().unwrap_or(-1),
            nanoseconds: facts["modified"]["nanoseconds"].as_u64().unwrap_or(0) as u32,
        };
        if facts["size"] != state.size || modified != state.modified {
            self.say(format!("I2 {path} has size or time {state:?}, expected {facts}"));
        }
        match self.bytes(path) {
            Ok(bytes) if facts["sha256"] == sha256(&bytes).as_str() => {}
            Ok(_) => self.say(format!("I2 {path} has other bytes than files.json says")),
            Err(why) => self.say(format!("I2 {why}")),
        }
    }

    /// I6, I7, I8: what is listed or retained is there, whole and in the pool; and nothing else is.
    fn packages(&mut self, current: &Value) {
        let wanted: BTreeSet<String> =
            texts(&current["account"]["listed"]).into_iter().chain(texts(&current["retained"])).collect();
        let mut allowed: BTreeSet<String> = wanted.iter().cloned().collect();
        allowed.extend(texts(&current["drop_links"]));
        allowed.extend(wanted.iter().filter_map(|link| self.pool_of(link)));
        for number in self.list("staging") {
            if let Ok((links, _)) = self.json(&at(&format!("staging/{number}/links.json"))) {
                allowed.extend(texts(&links["links"]));
            }
        }
        for (manifest, _) in self.manifests.values() {
            allowed.insert(format!("policy/{}.toml", manifest["policy"].as_str().unwrap_or_default()));
        }
        let mut found = self.below("public", "packages");
        found.extend(self.below("", "pool"));
        found.extend(self.below("", "policy"));
        for stray in found.difference(&allowed) {
            self.say(format!("I7 {stray} is a stray"));
        }
        for link in wanted {
            let Some(pooled) = self.pool_of(&link) else { continue };
            let (link_state, pool_state) = (self.state(&at("public").join(&link)), self.state(&at(&pooled)));
            if link_state.is_none() || link_state.map(|s| s.inode) != pool_state.map(|s| s.inode) {
                self.say(format!("I6 {link} is {link_state:?}, the pool has {pool_state:?}"));
            }
            let digest = pooled.rsplit('/').next().unwrap_or_default().trim_end_matches(".rpm").to_owned();
            if self.bytes(&at(&pooled)).map(|bytes| sha256(&bytes)) != Ok(digest) {
                self.say(format!("I6 {pooled} has other bytes than its name says"));
            }
        }
    }

    /// The pool file of a link; the tests' packages have distinct first 16 digits.
    fn pool_of(&self, link: &str) -> Option<String> {
        let short = link.split('/').nth(3)?;
        let shard = short.get(..2)?;
        let files = self.list(&format!("pool/{shard}"));
        let name = files.into_iter().find(|name| name.starts_with(short));
        Some(format!("pool/{shard}/{}", name.unwrap_or_else(|| format!("{short}-missing"))))
    }

    fn below(&self, top: &str, dir: &str) -> BTreeSet<String> {
        let (mut found, mut waiting) = (BTreeSet::new(), vec![dir.to_owned()]);
        while let Some(dir) = waiting.pop() {
            for name in self.disk.list(&at(top).join(&dir)).map(|names| names.names).unwrap_or_default() {
                let path = format!("{dir}/{name}");
                match self.state(&at(top).join(&path)) {
                    Some(State { kind: Kind::Directory, .. }) => waiting.push(path),
                    _ => drop(found.insert(path)),
                }
            }
        }
        found
    }

    /// I2: names lead to the generation they were given to, and one that was told of leads there.
    fn names(&mut self, current: &Value) {
        let told = self.manifests.get(&self.told).map(|(manifest, _)| manifest["names"].clone());
        for name in texts(&current["names"]) {
            let named = &current["names"][&name];
            let there = self.disk.read_link(&at(&format!("public/@{name}"))).ok();
            if there.as_ref().is_some_and(|there| *there != format!("@{}", named["generation"])) {
                self.say(format!("I2 @{name} points to {there:?}, expected {named}"));
            }
            let was_told = told.as_ref().is_some_and(|told| told[&name]["ended"] == false);
            if was_told && named["ended"] == false && there.is_none() {
                self.say(format!("I16 @{name} was told of and is missing"));
            }
        }
    }

    /// I7 (Q), I22: no unfinished business anywhere.
    fn nothing_left_over(&mut self) {
        let current = self.manifests.iter().next_back().map(|(number, found)| (*number, found.0.clone()));
        let (number, manifest) = current.unwrap_or((0, Value::Null));
        let dropped: BTreeSet<String> = texts(&manifest["drop_links"]).into_iter().collect();
        let mut found = self.below("public", "packages");
        found.extend(self.below("", "pool"));
        let staging: Vec<String> = self.list("staging").into_iter().filter(|name| name != "import").collect();
        if !staging.is_empty() {
            self.say(format!("I22 staging holds {staging:?}"));
        }
        for left in found.intersection(&dropped) {
            self.say(format!("I7 {left} was to be dropped"));
        }
        let gone: Vec<u64> = manifest["drop_generations"]
            .as_array()
            .map(|all| all.iter().filter_map(Value::as_u64).collect())
            .unwrap_or_default();
        let kept = |half: u64| half <= number && !gone.contains(&half);
        let private = self.list("generations");
        for name in private.iter().filter(|name| !name.parse().is_ok_and(kept)) {
            self.say(format!("I22 generations/{name} is there"));
        }
        for name in self.list("public") {
            let fine = match name.strip_prefix('@') {
                None => name == "current" || name == "packages",
                Some(half) => match half.parse() {
                    Ok(half) => kept(half),
                    Err(_) => manifest["names"][half]["ended"] == false,
                },
            };
            if !fine {
                self.say(format!("I22 public/{name} is there"));
            }
        }
        for name in texts(&manifest["names"]) {
            let there = self.state(&at(&format!("public/@{name}"))).is_some();
            if there == manifest["names"][&name]["ended"].as_bool().unwrap_or(false) {
                self.say(format!("I2 @{name} is there: {there}, expected {}", manifest["names"][&name]));
            }
        }
    }
}
