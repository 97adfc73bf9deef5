//! I6 for views: each lists what follows from the listing of its repository, no more and no less.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8Path;
use repo::{Contents, Entry, Repomd};

use super::Look;
use super::chain::Kept;
use super::metadata::Known;
use crate::account::Shelved;
use crate::views::views_of;

/// What the views of a listing are to have, by node type: the hrefs of packages.
pub(super) type Expected = BTreeMap<String, BTreeSet<String>>;

impl Look<'_> {
    /// Works out anew what the views of a generation list, and compares.
    pub(super) fn views(&mut self, generation: &Kept, is_current: bool, known: &mut Known) {
        for (name, views) in &generation.account.views {
            let Some(shelved) = generation.account.repositories.get(name) else {
                let place = self.root.join(format!("generations/{}", generation.number));
                self.broken("I6", place, format!("`{name}` has views and does not exist"));
                continue;
            };
            let place = |path: &str| format!("public/@{}/{path}/repodata/repomd.xml", generation.number);
            // What does not read was told already.
            let Some((repomd, all)) = known.listed(generation, &shelved.path) else { continue };
            let key = (repomd, views.meta_packages.clone());
            let expected = match known.views.get(&key) {
                Some(expected) => Arc::clone(expected),
                None => match self.expected(generation.number, name, shelved, &views.meta_packages) {
                    Ok(expected) => Arc::clone(known.views.entry(key).or_insert(Arc::new(expected))),
                    Err(words) => {
                        self.broken("I6", place(&shelved.path), format!("its views cannot be told: {words}"));
                        continue;
                    }
                },
            };
            for node_type in expected.keys().filter(|one| !views.node_types.contains_key(*one)) {
                self.broken("I6", place(&shelved.path), format!("the node type `{node_type}` has no view"));
            }
            for (node_type, view) in &views.node_types {
                let path = plan::view_path(&shelved.path, node_type);
                let Some((_, listed)) = known.listed(generation, &path) else { continue };
                // What was purged is told of where it is listed.
                let wanted = expected.get(node_type).into_iter().flatten();
                let wanted: BTreeMap<_, _> =
                    wanted.filter_map(|href| all.get_key_value(href.as_str())).collect();
                let here: BTreeMap<_, _> = listed.iter().collect();
                if here != wanted {
                    let words = format!(
                        "the view has {} packages, and {} follow from what its repository lists",
                        here.len(),
                        wanted.len()
                    );
                    self.broken("I6", place(&path), words);
                } else if is_current && plan::digest_of_digests(listed.values()) != view.set {
                    self.broken("I6", place(&path), "its set of packages is not the one that is recorded");
                }
            }
        }
    }

    fn expected(
        &self,
        number: u64,
        name: &str,
        shelved: &Shelved,
        meta_packages: &[String],
    ) -> Result<Expected, String> {
        let entries = self.entries(&self.root.join(format!("public/@{number}/{}", shelved.path)))?;
        let views = views_of(name, &entries, meta_packages)?;
        let hrefs = |places: BTreeSet<usize>| places.into_iter().map(|at| entries[at].href.clone()).collect();
        Ok(views.into_iter().map(|(node_type, places)| (node_type, hrefs(places))).collect())
    }

    /// Reads the packages of the repository at `top`, whose metadata was verified.
    fn entries(&self, top: &Utf8Path) -> Result<Vec<Entry>, String> {
        let repomd = self.read(&top.join("repodata/repomd.xml"))?;
        let repomd = Repomd::parse(&repomd).map_err(|error| error.to_string())?;
        let open = |kind: &str| {
            let record = repomd.record(kind).ok_or_else(|| format!("there is no record of type `{kind}`"))?;
            let limit = record.open_size.ok_or_else(|| format!("`{kind}` has no open size"))?;
            repo::unpack(&self.read(&top.join(&record.href))?, limit).map_err(|error| error.to_string())
        };
        let contents = Contents::read(open("primary")?, open("filelists")?, open("other")?);
        Ok(contents.map_err(|error| error.to_string())?.entries)
    }
}
