//! I2 and I22 for the directories themselves: only known names below the root and in `public/`.

use store::Kind;

use super::{Chain, Look};

/// What may lie directly below the root.
const BELOW_ROOT: [&str; 9] =
    ["public", "generations", "history", "policy", "pool", "staging", "quarantine", "audit", "cache"];

impl Look<'_> {
    /// Looks at the names below the root and in `public/`.
    pub(super) fn names_below_root(&mut self, chain: &Chain) {
        for name in self.names("") {
            if !BELOW_ROOT.contains(&name.as_str()) {
                self.broken("I22", self.root.join(&name), "nothing of this name belongs here");
            }
        }
        let names =
            chain.kept.get(&chain.current).map(|current| current.manifest.names.clone()).unwrap_or_default();
        for name in self.names("public") {
            let path = self.root.join("public").join(&name);
            let kind = self.disk.state(&path).ok().flatten().map(|state| state.kind);
            match (name.strip_prefix('@').map(str::parse::<u64>), kind) {
                (Some(Ok(number)), Some(Kind::Directory)) => {
                    if self.quiet() && !chain.kept.contains_key(&number) {
                        self.broken("I22", path, "it is not a generation that leads to the current one");
                    }
                }
                (_, Some(Kind::Link)) if name == "current" => {}
                (_, Some(Kind::Link)) => {
                    let plain = name.strip_prefix('@').unwrap_or(&name);
                    let wanted = names.get(plain).map(|named| format!("@{}", named.generation));
                    let target = self.disk.read_link(&path).ok();
                    if wanted.is_none() || wanted != target {
                        self.broken(
                            "I2",
                            path,
                            format!("the manifest gives this name to {wanted:?}, it says {target:?}"),
                        );
                    }
                }
                (None, Some(Kind::Directory)) if name == "packages" => {}
                _ => self.broken("I22", path, "nothing of this name belongs here"),
            }
        }
        for (name, named) in names.iter().filter(|(_, named)| !named.ended) {
            if !chain.kept.contains_key(&named.generation) {
                let words = format!("generation {} is named `{name}` and not kept whole", named.generation);
                self.broken("I8", self.root.join("public"), words);
            }
            let link = self.root.join(format!("public/@{name}"));
            if self.quiet() && self.disk.state(&link).ok().flatten().is_none() {
                self.broken("I8", link, "the name is given and not there");
            }
        }
        self.abandoned(chain);
        if self.quiet() {
            self.at_rest();
        }
    }

    /// I3: a number that was abandoned is not used again.
    fn abandoned(&mut self, chain: &Chain) {
        for name in self.names("quarantine") {
            let Some(number) = name.parse().ok().filter(|number| chain.kept.contains_key(number)) else {
                continue;
            };
            // Of a generation that is kept, only what it left in `staging/` comes here.
            let was_built = |half: &String| half.starts_with("private") || half.starts_with("public");
            if self.names(&format!("quarantine/{name}")).iter().any(was_built) {
                let path = self.root.join("quarantine").join(&name);
                self.broken(
                    "I3",
                    path,
                    format!("generation {number} was abandoned, and its number used again"),
                );
            }
        }
    }

    fn at_rest(&mut self) {
        for name in self.names("staging").into_iter().filter(|name| name != "import") {
            self.broken("I22", self.root.join("staging").join(name), "nothing is being built");
        }
        for name in self.names("staging/import") {
            self.broken("I22", self.root.join("staging/import").join(name), "no import waits");
        }
    }

    /// Lists the names in a directory below the root; one that cannot be listed is reported.
    pub(super) fn names(&mut self, directory: &str) -> Vec<String> {
        let path = if directory.is_empty() { self.root.to_owned() } else { self.root.join(directory) };
        match self.disk.list(&path) {
            Ok(names) => {
                for odd in &names.odd {
                    self.broken("I22", path.join(odd), "its name is not UTF-8");
                }
                names.names
            }
            // Nothing was ever staged, say.
            Err(_) if self.disk.state(&path).is_ok_and(|state| state.is_none()) => Vec::new(),
            Err(error) => {
                self.broken("I22", path, error.to_string());
                Vec::new()
            }
        }
    }
}
