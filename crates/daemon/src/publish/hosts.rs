//! What hosts are told: `.repo` files, and the certificates of the keys that these name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Arch;
use store::{Generation, Modified, Source};

use super::Publication;
use super::views::AllViews;
use crate::account::{Account, Shelved};
use crate::config::Config;
use crate::dot_repo::views::is_of_view;
use crate::dot_repo::{self, BY_METALINK, KEY};

/// Everything that is published: repositories and views, by the names of the repositories.
type Published<'a> = (&'a BTreeMap<String, Shelved>, &'a AllViews);

/// The files that hosts need by a configuration, as of a time, where `repositories` and `views` are published: by path.
fn files(config: &Config, (repositories, views): Published<'_>, now: Timestamp) -> BTreeMap<String, Vec<u8>> {
    let mut files = dot_repo::files(&published(config, repositories), now);
    for (name, views) in views {
        let Some(shelved) = repositories.get(name) else { continue };
        for node_type in views.node_types.keys() {
            let place = (&shelved.repository(), &*shelved.path);
            files.extend(dot_repo::views::of_view((config, now), place, node_type));
        }
    }
    for key in config.keys.values() {
        let armored = key.certificate.as_ref().and_then(|certificate| certificate.armored().ok());
        if let Some(text) = armored {
            files.insert(dot_repo::key_file(&key.name), text.into_bytes());
        }
    }
    files
}

/// Whether a published file is told to hosts, and taken away when they need it no more: those that draw by a metalink
/// which is gone, or from a view, would be told nothing, and nobody is to trust a key that is gone.
fn ends(path: &Utf8Path) -> bool {
    let name = path.as_str();
    let is_at_the_top = !name.contains('/') && (name.starts_with(KEY) || name.ends_with(BY_METALINK));
    is_at_the_top || is_of_view(name)
}

/// Names what hosts are told otherwise by `generation` than by the configuration as of `now`.
pub(crate) fn outdated(
    config: &Config,
    (generation, account): (&Generation, &Account),
    now: Timestamp,
) -> BTreeSet<String> {
    let published = &generation.files.public;
    let files = files(config, (&account.repositories, &account.views), now);
    let gone =
        published.keys().filter(|path| ends(Utf8Path::new(path)) && !files.contains_key(path.as_str()));
    let mut outdated: BTreeSet<String> = gone.cloned().collect();
    let is_same = |(name, bytes): &(&String, &Vec<u8>)| {
        published.get(name.as_str()).is_some_and(|facts| facts.sha256 == repo::sha256(bytes))
    };
    outdated.extend(files.iter().filter(|file| !is_same(file)).map(|(name, _)| name.clone()));
    outdated
}

/// Says at which instant after `now` time itself may change what hosts are told.
pub(crate) fn changes_after(config: &Config, now: Timestamp) -> Option<Timestamp> {
    let keys = config.keys.values();
    let instants = keys.flat_map(|key| {
        [key.until, key.certificate.as_ref().and_then(|certificate| certificate.changes_after(now))]
    });
    instants.flatten().filter(|instant| *instant > now).min()
}

/// The configuration without what is not published: no `.repo` file leads to a repository that is not there.
fn published(config: &Config, repositories: &BTreeMap<String, Shelved>) -> Config {
    let mut layout = (*config.layout).clone();
    for product in layout.products.values_mut() {
        let is_there = |os: &str, arch: &Arch, stage: &str| {
            let here = |shelved: &Shelved| {
                (&*shelved.os, &shelved.arch, &*shelved.stage) == (os, arch, stage)
                    && shelved.product == product.name
            };
            repositories.values().any(here)
        };
        let platforms = product.platforms.clone();
        product.stages.retain(|stage| platforms.iter().any(|on| is_there(&on.os, &on.arch, &stage.name)));
        let stages = product.stages.clone();
        product.platforms.retain(|on| stages.iter().any(|stage| is_there(&on.os, &on.arch, &stage.name)));
    }
    let mut config = config.clone();
    config.layout = Arc::new(layout);
    config
}

impl Publication<'_> {
    /// Writes what says which generation this is.
    pub(super) fn write_stamp(&self, modified: Modified, public: &mut BTreeMap<Utf8PathBuf, Source>) {
        let bytes = format!("{} {}\n", self.number, self.now).into_bytes();
        public.insert("generation".into(), Source::Bytes { bytes, modified, until: None });
    }

    /// Writes what hosts are told, where it differs from what the parent tells them.
    pub(super) fn write_for_hosts(
        &self,
        published: Published<'_>,
        modified: Modified,
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) {
        let parent = self.parent.map(|(parent, _)| &parent.files.public);
        let files = files(self.config, published, self.now.max(self.witness.time));
        public.retain(|path, _| !ends(path) || files.contains_key(path.as_str()));
        for (name, bytes) in files {
            let known = parent.and_then(|files| files.get(name.as_str()));
            let is_same = known.is_some_and(|facts| facts.sha256 == repo::sha256(&bytes));
            let source = if is_same { Source::Carry } else { Source::Bytes { bytes, modified, until: None } };
            public.insert(name.into(), source);
        }
    }
}
