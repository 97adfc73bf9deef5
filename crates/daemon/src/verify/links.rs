//! I7, I8 and the link counts of I22: what lies in `packages/` and `pool/`, and by whose leave.

use std::collections::{BTreeMap, BTreeSet};

use store::Kind;

use super::metadata::Known;
use super::{Chain, Look};

impl Look<'_> {
    /// Compares `packages/` and `pool/` with what is listed and retained.
    pub(super) fn package_links(&mut self, chain: &Chain, known: &Known) {
        let Some(current) = chain.kept.get(&chain.current) else { return };
        let listed = self.listed_links(current, known);
        let retained: BTreeSet<&String> = current.manifest.retained.keys().collect();
        let dropping: BTreeSet<&String> = current.manifest.drop_links.iter().collect();
        let unfinished = if self.quiet() { BTreeSet::new() } else { self.unfinished_links() };
        let packages = self.root.join("public/packages");
        let mut links_of_inode = BTreeMap::<u64, u64>::new();
        let mut wanted = BTreeSet::new();
        let mut found = BTreeSet::new();
        for path in self.below(&packages) {
            let Ok(Some(state)) = self.disk.state(&path) else { continue };
            match state.kind {
                Kind::Directory => continue,
                Kind::File => {}
                Kind::Link | Kind::Other => {
                    self.broken("I2", path, "below `packages/` are package files only");
                    continue;
                }
            }
            if state.mode & 0o222 != 0 {
                self.broken("I2", path.clone(), "the package can be written to");
            }
            *links_of_inode.entry(state.inode).or_default() += 1;
            let place =
                path.strip_prefix(self.root.join("public")).map(ToString::to_string).unwrap_or_default();
            let known = listed.contains(&place) || retained.contains(&place);
            if known {
                wanted.insert(state.inode);
            }
            let allowed =
                known || !self.quiet() && (dropping.contains(&place) || unfinished.contains(&place));
            if !allowed {
                self.broken("I7", path, "it is neither listed nor retained");
            }
            found.insert(place);
        }
        for place in retained.iter().filter(|place| !found.contains(**place)) {
            self.broken("I8", self.root.join("public").join(place), "it is promised and not there");
        }
        self.pool(&links_of_inode, &wanted, (chain, known));
        for digest in &current.account.purged {
            let link = format!("pool/{}/{digest}.rpm", digest.shard());
            let path = self.root.join(&link);
            let allowed = !self.quiet() && dropping.contains(&link);
            if !allowed && self.disk.state(&path).ok().flatten().is_some() {
                self.broken("I8", path, "it was purged and is still there");
            }
        }
    }

    /// Every linked package is in the pool under its digest; at rest nothing else links to it.
    fn pool(
        &mut self,
        links_of_inode: &BTreeMap<u64, u64>,
        wanted: &BTreeSet<u64>,
        (chain, known): (&Chain, &Known),
    ) {
        let mut pooled = BTreeSet::new();
        let elsewhere = if self.quiet() { self.old_hrefs() } else { BTreeMap::new() };
        for path in self.below(&self.root.join("pool")) {
            let Ok(Some(state)) = self.disk.state(&path) else { continue };
            if state.kind == Kind::Directory {
                continue;
            }
            pooled.insert(state.inode);
            let links = [links_of_inode, &elsewhere].map(|links| links.get(&state.inode).copied());
            let links = 1 + links.into_iter().flatten().sum::<u64>();
            if self.quiet() && state.links != links {
                let words = format!("it has {} names, {links} of them are known", state.links);
                self.broken("I22", path.clone(), words);
            }
            let is_linked = links_of_inode.contains_key(&state.inode) || elsewhere.contains_key(&state.inode);
            if self.quiet() && is_linked || self.is_deep {
                let named = path
                    .file_name()
                    .and_then(|name| name.strip_suffix(".rpm"))
                    .unwrap_or_default()
                    .to_owned();
                match self.digest(&path) {
                    Ok((_, digest)) if digest.hex() == named => {}
                    Ok((_, digest)) => {
                        let places = places(chain, known, &named);
                        self.broken("I6", path, format!("its sha256 is {digest}; {places}"));
                    }
                    Err(error) => {
                        let places = places(chain, known, &named);
                        self.broken("I6", path, format!("{error}; {places}"));
                    }
                }
            }
        }
        for inode in wanted.iter().filter(|inode| !pooled.contains(*inode)) {
            self.broken(
                "I22",
                self.root.join("public/packages"),
                format!("inode {inode} is not in the pool"),
            );
        }
    }

    /// Counts, by inode, the files of all public halves, of candidates, and of what lies in quarantine: packages of adopted
    /// repositories answer there under their old hrefs, and candidates have what would enter.
    fn old_hrefs(&mut self) -> BTreeMap<u64, u64> {
        let mut files = BTreeMap::new();
        let halves = self.names("public").into_iter().filter(|name| name.starts_with('@'));
        let mut tops: Vec<_> = halves.map(|name| self.root.join("public").join(name)).collect();
        let kept = self.names("generations");
        tops.extend(kept.into_iter().map(|name| self.root.join("generations").join(name).join("staff")));
        tops.push(self.root.join("quarantine"));
        for top in tops {
            if self.disk.state(&top).ok().flatten().is_none_or(|state| state.kind != Kind::Directory) {
                continue;
            }
            for path in self.below(&top) {
                if let Some(state) =
                    self.disk.state(&path).ok().flatten().filter(|state| state.kind == Kind::File)
                {
                    *files.entry(state.inode).or_default() += 1;
                }
            }
        }
        files
    }

    /// The links that generations under construction have announced.
    fn unfinished_links(&mut self) -> BTreeSet<String> {
        let staging = self.root.join("staging");
        let names = self.disk.list(&staging).map(|names| names.names).unwrap_or_default();
        let numbers = names.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        let read = |name: &String| {
            let bytes = self.read(&staging.join(name).join("links.json")).ok()?;
            let links: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
            let links =
                links.get("links")?.as_array()?.iter().filter_map(|link| link.as_str().map(str::to_owned));
            Some(links.collect::<Vec<_>>())
        };
        numbers.filter_map(read).flatten().collect()
    }
}

/// Names every kept generation that lists the package of this digest, and in which repositories.
fn places(chain: &Chain, known: &Known, named: &str) -> String {
    let mut places = Vec::new();
    for generation in chain.kept.values() {
        let lists = |name: &&String| known.lists(generation, name, named);
        let names: Vec<&str> =
            generation.account.repositories.keys().filter(lists).map(String::as_str).collect();
        if !names.is_empty() {
            places.push(format!("generation {} in {}", generation.number, names.join(", ")));
        }
    }
    if places.is_empty() {
        return "no kept generation lists it".to_owned();
    }
    format!("listed by {}", places.join("; "))
}
