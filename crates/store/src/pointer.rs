//! The symlinks below `public/`: `current`, and the names of generations that follow from the manifest.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::{Error, Kind, Named, Store};

impl Store {
    /// Makes `at` a symlink to generation `number` in one instant, by way of `temporary`.
    ///
    /// Durable once the directory of `at` was synced. Both must lie on the same file system.
    pub(crate) fn point(&self, at: &Utf8Path, number: u64, temporary: &Utf8Path) -> Result<(), Error> {
        // What a crash left under the temporary name means nothing.
        self.remove_tree(temporary)?;
        self.disk.symlink(&format!("@{number}"), temporary)?;
        self.disk.rename(temporary, at)
    }

    /// Makes the links of all names what the manifest says, and makes that durable.
    ///
    /// The generation in force must be durable before: a name must never lead to what may vanish.
    pub(crate) fn make_names(
        &self,
        names: &BTreeMap<String, Named>,
        temporary: &Utf8Path,
    ) -> Result<(), Error> {
        let mut moved = false;
        for (name, named) in names {
            let at = self.paths.name(name);
            let there = self.disk.state(&at)?;
            if named.ended {
                if there.is_some() {
                    self.disk.remove_file(&at)?;
                }
                continue;
            }
            let right = match there {
                Some(state) if state.kind == Kind::Link => {
                    self.disk.read_link(&at)? == format!("@{}", named.generation)
                }
                _ => false,
            };
            if !right {
                self.point(&at, named.generation, temporary)?;
                moved = true;
            }
        }
        // A rename is promised when both directories are synced.
        if let Some(dir) = temporary.parent().filter(|_| moved) {
            self.disk.sync_directory(dir)?;
        }
        self.disk.sync_directory(&self.paths.public())
    }
}
