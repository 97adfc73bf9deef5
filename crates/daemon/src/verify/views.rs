//! I6 for views: each lists what follows from the listing of its repository, no more and no less.

use std::collections::BTreeMap;

use camino::Utf8Path;
use nevra::Sha256;
use repo::{Contents, Entry, Repomd};

use super::Look;
use super::chain::Kept;
use super::metadata::Known;
use crate::account::{Shelved, Views};
use crate::views::Viewed;

/// The views of one listing that were found to follow from it: its repomd.xml, by which definition and patterns, the repomd.xml of
/// each view, and whether the sets that are recorded were compared as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sound {
    repomd: Sha256,
    recorded: (u32, Vec<String>, usize),
    views: BTreeMap<String, Sha256>,
    is_current: bool,
}

impl Look<'_> {
    /// Works out anew what the views of a generation list, and compares, unless the same views of the same listing were
    /// compared before.
    pub(super) fn views(&mut self, generation: &Kept, is_current: bool, known: &mut Known) {
        for (name, views) in &generation.account.views {
            let Some(shelved) = generation.account.repositories.get(name) else {
                let place = self.root.join(format!("generations/{}", generation.number));
                self.broken("I6", place, format!("`{name}` has views and does not exist"));
                continue;
            };
            let repomd_of = |path: &str| known.repomd(generation, path);
            let view_repomd = |node_type: &String| {
                Some((node_type.clone(), repomd_of(&plan::view_path(&shelved.path, node_type))?))
            };
            // What does not read was told already.
            let Some(repomd) = repomd_of(&shelved.path) else { continue };
            let sound = Sound {
                repomd,
                recorded: (views.edition, views.meta_packages.clone(), views.left_out),
                views: views.node_types.keys().filter_map(view_repomd).collect(),
                is_current,
            };
            if known.views.contains(&sound) {
                continue;
            }
            let before = self.found.len();
            self.views_of((generation, is_current), name, (shelved, views), known);
            if self.found.len() == before && sound.views.len() == views.node_types.len() {
                known.views.insert(sound);
            }
        }
    }

    fn views_of(
        &mut self,
        (generation, is_current): (&Kept, bool),
        name: &str,
        (shelved, views): (&Shelved, &Views),
        known: &Known,
    ) {
        let place = |path: &str| format!("public/@{}/{path}/repodata/repomd.xml", generation.number);
        let top = self.root.join(format!("public/@{}/{}", generation.number, shelved.path));
        let entries = self.entries(&top);
        let viewed = entries.and_then(|entries| {
            Ok((Viewed::of(name, &entries, (&views.meta_packages, views.edition))?, entries))
        });
        let (viewed, entries) = match viewed {
            Ok(viewed) => viewed,
            Err(words) => {
                return self.broken("I6", place(&shelved.path), format!("its views cannot be told: {words}"));
            }
        };
        let missing: Vec<&String> =
            viewed.node_types.iter().filter(|one| !views.node_types.contains_key(*one)).collect();
        let has_room = views.node_types.keys().any(|one| !viewed.node_types.contains(one));
        if missing.len() != views.left_out || has_room && views.left_out > 0 {
            let words = format!(
                "{} node types have no view, {} were left out for want of room, the first is `{}`",
                missing.len(),
                views.left_out,
                missing.first().map_or("", |one| one)
            );
            self.broken("I6", place(&shelved.path), words);
        }
        let Some(all) = known.listed(generation, &shelved.path) else { return };
        for (node_type, view) in &views.node_types {
            let path = plan::view_path(&shelved.path, node_type);
            let Some(here) = known.listed(generation, &path) else { continue };
            let wanted = viewed.view(node_type).into_iter().map(|at| entries[at].href.as_str());
            // What was purged is told of where it is listed.
            let wanted: BTreeMap<&str, Sha256> =
                wanted.filter_map(|href| Some((href, *all.get(href)?))).collect();
            if here != wanted {
                let words = format!(
                    "the view has {} packages, and {} follow from what its repository lists",
                    here.len(),
                    wanted.len()
                );
                self.broken("I6", place(&path), words);
            } else if is_current && plan::digest_of_digests(here.values()) != view.set {
                self.broken("I6", place(&path), "its set of packages is not the one that is recorded");
            }
        }
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
