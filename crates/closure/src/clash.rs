//! Files that two packages bring to one path, by the rules of rpm.

use std::collections::{BTreeSet, HashMap};

use crate::package::{Contents, File, FileKind, Package};
use crate::world::{PackageId, World};

/// One path that two packages bring, and that they cannot share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Clash {
    pub(crate) one: PackageId,
    pub(crate) other: PackageId,
    pub(crate) path: String,
    /// Whether it is known that their contents differ.
    pub(crate) known: bool,
}

/// Finds the paths that cannot be shared by something that enters and something that is brought with it.
pub(crate) fn clashes(
    world: &World<'_>,
    brought: &BTreeSet<PackageId>,
    entered: &BTreeSet<PackageId>,
) -> BTreeSet<Clash> {
    let mut found = BTreeSet::new();
    let mut listed: HashMap<PackageId, HashMap<&str, &File>> = HashMap::new();
    for one in brought.intersection(entered) {
        let package = world.package(*one);
        for file in &package.files {
            world.work().count(1);
            for (other, kind) in world.owners_among(&file.path, brought) {
                if other == *one {
                    continue;
                }
                let beside = world.package(other);
                let theirs = match kind {
                    Some(kind) => Some((kind, None)),
                    None => {
                        let files = listed.entry(other).or_insert_with(|| {
                            beside.files.iter().map(|file| (file.path.as_str(), file)).collect()
                        });
                        let theirs = files.get(file.path.as_str());
                        theirs.map(|theirs| (theirs.kind, theirs.contents.as_ref()))
                    }
                };
                if let Some(known) = theirs.and_then(|theirs| cannot_share(package, file, beside, theirs)) {
                    let (one, other) = (*one.min(&other), *one.max(&other));
                    found.insert(Clash { one, other, path: file.path.clone(), known });
                }
            }
        }
    }
    found
}

/// Says whether a path cannot be shared, and whether that is known; `None` if it can.
///
/// Where contents are not known, builds of one source version for two architectures are trusted to agree, as they
/// are all over the trade, and so are directories.
fn cannot_share(
    package: &Package,
    file: &File,
    other: &Package,
    (kind, contents): (FileKind, Option<&Contents>),
) -> Option<bool> {
    if file.kind == FileKind::Ghost || kind == FileKind::Ghost {
        return None;
    }
    if let (Some(ours), Some(theirs)) = (&file.contents, contents) {
        return (!ours.shares_a_path_with(theirs)).then_some(true);
    }
    if (file.kind == FileKind::Directory) != (kind == FileKind::Directory) {
        return Some(true);
    }
    let (one, two) = (&package.nevra, &other.nevra);
    let twins = one.name == two.name && one.evr == two.evr;
    let shared = file.kind == FileKind::Directory || twins || file.path.starts_with("/usr/lib/.build-id");
    (!shared).then_some(false)
}
