//! I2: both halves of a generation hold exactly what its manifest leads to, and nothing can be written.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use store::{FileFacts, Kind};

use super::Look;
use super::chain::Kept;

impl Look<'_> {
    /// Compares both halves of a generation with its files.json.
    pub(super) fn sealed(&mut self, generation: &Kept) {
        let number = generation.number;
        let links = generation.files.packages_links.iter();
        let links = links.map(|(path, target)| (path.to_string(), target.clone())).collect();
        let public = self.root.join(format!("public/@{number}"));
        self.half(&public, &facts_of(&generation.files.public), &links, &BTreeSet::new());
        let private = self.root.join(format!("generations/{number}"));
        let own = BTreeSet::from(["manifest.json", "files.json"]);
        let links = facts_of(&generation.files.private_links);
        self.half(&private, &facts_of(&generation.files.private), &links, &own);
    }

    fn half(
        &mut self,
        top: &Utf8Path,
        files: &BTreeMap<String, FileFacts>,
        links: &BTreeMap<String, String>,
        own: &BTreeSet<&str>,
    ) {
        let mut missing: BTreeSet<&str> =
            files.keys().map(String::as_str).chain(links.keys().map(String::as_str)).collect();
        missing.extend(own);
        let needed: BTreeSet<Utf8PathBuf> = missing
            .iter()
            .flat_map(|path| {
                Utf8Path::new(path).ancestors().skip(1).map(Utf8Path::to_owned).collect::<Vec<_>>()
            })
            .collect();
        for path in self.below(top) {
            let place = path.strip_prefix(top).unwrap_or(&path).to_string();
            let state = match self.disk.state(&path) {
                Ok(Some(state)) => state,
                Ok(None) => continue,
                Err(error) => {
                    self.broken("I2", path, error.to_string());
                    continue;
                }
            };
            match state.kind {
                Kind::Directory if !needed.contains(Utf8Path::new(&place)) && path != top => {
                    self.broken("I2", path.clone(), "a directory that no recorded file needs");
                }
                Kind::Directory if state.mode & 0o222 == 0 => continue,
                Kind::Directory => self.broken("I2", path.clone(), "the directory can be written to"),
                Kind::Link => match (links.get(&place), self.disk.read_link(&path)) {
                    (Some(wanted), Ok(target)) if *wanted == target => {}
                    (_, target) => {
                        self.broken("I2", path.clone(), format!("a link nobody recorded: {target:?}"))
                    }
                },
                Kind::File if own.contains(place.as_str()) => {}
                Kind::File => match files.get(&place) {
                    None => self.broken("I2", path.clone(), "a file nobody recorded"),
                    Some(facts) => {
                        if state.modified != facts.modified {
                            self.broken("I2", path.clone(), "its modification time is not the recorded one");
                        }
                        match self.digest(&path) {
                            Ok(found) if found == (facts.size, facts.sha256) => {}
                            Ok((size, _)) => self.broken(
                                "I2",
                                path.clone(),
                                format!("its {size} bytes are not the recorded ones"),
                            ),
                            Err(error) => self.broken("I2", path.clone(), error),
                        }
                    }
                },
                Kind::Other => self.broken("I2", path.clone(), "it is neither file, directory nor link"),
            }
            if state.kind == Kind::File && state.mode & 0o222 != 0 {
                self.broken("I2", path.clone(), "the file can be written to");
            }
            missing.remove(place.as_str());
        }
        for place in missing {
            self.broken("I2", top.join(place), "it is recorded and not there");
        }
    }

    /// Lists everything at and below `top`, not following links.
    pub(super) fn below(&mut self, top: &Utf8Path) -> Vec<Utf8PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![top.to_owned()];
        while let Some(directory) = open.pop() {
            match self.disk.list(&directory) {
                Ok(names) => {
                    for name in names.odd {
                        self.broken("I22", directory.join(name), "its name is not UTF-8");
                    }
                    for name in names.names {
                        let path = directory.join(name);
                        let is_directory = |state: store::State| state.kind == Kind::Directory;
                        if self.disk.state(&path).ok().flatten().is_some_and(is_directory) {
                            open.push(path);
                        } else {
                            found.push(path);
                        }
                    }
                }
                Err(error) => self.broken("I2", directory.clone(), error.to_string()),
            }
            found.push(directory);
        }
        found
    }
}

fn facts_of<K: ToString, V: Clone>(files: &BTreeMap<K, V>) -> BTreeMap<String, V> {
    files.iter().map(|(path, facts)| (path.to_string(), facts.clone())).collect()
}
