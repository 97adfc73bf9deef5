//! What somebody did by hand to a sealed generation, found before the next one is built on it.
//!
//! Looks at names, kinds, modes, owners, sizes and times, not at bytes: about as dear as linking the files forward.
//! Bytes that rot where they lie are found by whoever hashes them.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::files::FileFacts;
use crate::planted::{self, Bug};
use crate::staging::difference;
use crate::trees::SEALED_DIRECTORY;
use crate::{Error, Generation, Kind, Store, is_name, number_of};

/// How a generation differs from what was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// What is not as it was sealed, and how: nothing may be built on it.
    pub changed: Vec<(Utf8PathBuf, String)>,
    /// What nobody recorded; it is not carried on.
    pub strays: Vec<Utf8PathBuf>,
}

impl Store {
    /// Compares both halves of `generation`, and the names beside them, with what was sealed.
    pub fn drift(&self, generation: &Generation) -> Result<Drift, Error> {
        let (paths, number) = (&self.paths, generation.number);
        // Whoever builds generations; what is his he built.
        let uid = self.expect(&paths.staging())?.uid;
        let mut drift = Drift::default();
        if planted::is(Bug::ForwardLinkNotCompared) {
            return Ok(drift);
        }
        let own = BTreeSet::from(["manifest.json", "files.json"]);
        let facts = &generation.files;
        for (top, files, is_private) in [
            (paths.public_half(number), &facts.public, false),
            (paths.private_half(number), &facts.private, true),
        ] {
            let mut missing: BTreeSet<&str> = files.keys().map(String::as_str).collect();
            let links = if is_private { &facts.private_links } else { &facts.packages_links };
            missing.extend(links.keys().map(String::as_str));
            let mut open = vec![top.clone()];
            while let Some(dir) = open.pop() {
                let mode = self.expect(&dir)?.mode;
                if mode != SEALED_DIRECTORY && !planted::is(Bug::TopsNotSealed) {
                    let words = format!("its mode is {mode:04o}, not {SEALED_DIRECTORY:04o}");
                    drift.changed.push((dir.clone(), words));
                }
                let names = self.disk.list(&dir)?;
                drift.strays.extend(names.odd.iter().map(|name| dir.join(name)));
                for name in names.names {
                    let path = dir.join(name);
                    let Some(state) = self.disk.state(&path)? else { continue };
                    let place = path.strip_prefix(&top).map(Utf8Path::as_str).unwrap_or_default();
                    let link = links.get(place);
                    match (state.kind, files.get(place), link) {
                        (Kind::Directory, None, None) => open.push(path.clone()),
                        (_, Some(facts), _) => {
                            let facts: &FileFacts = facts;
                            let words = difference(&state, facts, uid);
                            drift.changed.extend(words.map(|words| (path.clone(), words)));
                        }
                        (Kind::Link, None, Some(target)) if self.disk.read_link(&path)? == *target => {}
                        (_, None, Some(target)) => {
                            let words = format!("it is not the link to `{target}`");
                            drift.changed.push((path.clone(), words));
                        }
                        _ if is_private && own.contains(place) => {}
                        _ => drift.strays.push(path.clone()),
                    }
                    missing.remove(place);
                }
            }
            drift.changed.extend(missing.into_iter().map(|place| (top.join(place), "it is gone".to_owned())));
        }
        self.beside(&mut drift)?;
        Ok(drift)
    }

    /// Looks at the names in `public/` itself.
    fn beside(&self, drift: &mut Drift) -> Result<(), Error> {
        let public = self.paths.public();
        let names = self.disk.list(&public)?;
        drift.strays.extend(names.odd.iter().map(|name| public.join(name)));
        for name in names.names {
            let known = match name.strip_prefix('@') {
                Some(rest) => number_of(rest).is_some() || is_name(rest),
                None => ["current", "packages"].contains(&&*name),
            };
            if !known {
                drift.strays.push(public.join(name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::Workshop;
    use crate::{Disk, PosixDisk};

    fn drift(shop: &Workshop) -> Drift {
        shop.store.drift(&shop.store.current().unwrap().unwrap()).unwrap()
    }

    #[test]
    fn what_was_done_by_hand_is_named_and_what_nobody_touched_is_not() {
        let shop = Workshop::with(2);
        assert_eq!(drift(&shop), Drift::default());
        let list = shop.at("public/@2/x/repodata/list");
        let dir = list.parent().unwrap().to_owned();
        PosixDisk.set_mode(&dir, 0o755).unwrap();
        shop.write("public/@2/x/repodata/robots.txt", "mine");
        PosixDisk.remove_file(&list).unwrap();
        shop.write("public/notes", "mine");
        let found = drift(&shop);
        assert_eq!(found.strays, [dir.join("robots.txt"), shop.at("public/notes")]);
        assert_eq!(
            found.changed,
            [(dir.clone(), "its mode is 0755, not 0555".into()), (list, "it is gone".into())]
        );

        let shop = Workshop::with(2);
        PosixDisk.set_mode(&shop.at("public/@2/index.html"), 0o644).unwrap();
        let link = shop.at("public/@2/x/Packages");
        PosixDisk.set_mode(link.parent().unwrap(), 0o755).unwrap();
        PosixDisk.remove_file(&link).unwrap();
        PosixDisk.symlink("/etc", &link).unwrap();
        PosixDisk.set_mode(link.parent().unwrap(), 0o555).unwrap();
        let mut paths: Vec<_> = drift(&shop).changed.into_iter().map(|(path, _)| path).collect();
        paths.sort();
        assert_eq!(paths, [shop.at("public/@2/index.html"), link]);
    }
}
