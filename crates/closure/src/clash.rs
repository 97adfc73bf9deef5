//! Files that two packages bring to one path, by the rules of rpm.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::headers::{Bringer, Look, Looked, Origin};
use crate::package::{Contents, File, FileKind, Package};
use crate::world::{PackageId, World};

/// One path that two packages bring, and that they cannot share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Clash {
    pub(crate) one: PackageId,
    pub(crate) other: PackageId,
    pub(crate) path: String,
    pub(crate) doubt: Doubt,
}

/// Whether it is known that two packages differ at a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    /// They do.
    None,
    /// Nobody looked into their headers yet.
    Unread,
    /// That cannot be told, and why.
    Unknown(String),
}

/// What is found where paths are shared.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) clashes: BTreeSet<Clash>,
    /// The headers that would tell more, and of which paths.
    pub(crate) unread: BTreeMap<Bringer, BTreeSet<String>>,
}

/// One package at a path: what metadata tells of it, and what is known beyond that.
struct Side<'a> {
    id: PackageId,
    package: &'a Package,
    kind: FileKind,
    contents: Option<&'a Contents>,
}

/// Finds the paths that two of what is brought together cannot share, one of them `new`.
///
/// What contexts bring together is for whoever made them to judge.
pub(crate) fn shared(
    world: &World<'_>,
    brought: &BTreeSet<PackageId>,
    new: &BTreeSet<PackageId>,
    look: &Look<'_>,
) -> Shared {
    let mut found = Shared::default();
    let mut listed: HashMap<PackageId, HashMap<&str, &File>> = HashMap::new();
    let is_of_context = |id: &PackageId| matches!(world.origin(*id), Some(Origin::Context(_)));
    // The files of a context are found by paths of ours: by all of them where the context brings something new.
    let is_all_walked = brought.iter().any(|id| is_of_context(id) && new.contains(id));
    let is_walked = |id: &PackageId| !is_of_context(id) && (is_all_walked || new.contains(id));
    for one in brought.iter().filter(|id| is_walked(id)) {
        let package = world.package(*one);
        for file in &package.files {
            world.work().count(1);
            for (other, kind) in world.owners_among(&file.path, brought) {
                // Of two that are walked each is met by the other.
                let is_met = other == *one || other < *one && is_walked(&other);
                if is_met || !(new.contains(one) || new.contains(&other)) {
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
                let Some((kind, contents)) = theirs else { continue };
                let ours = Side { id: *one, package, kind: file.kind, contents: file.contents.as_ref() };
                let theirs = Side { id: other, package: beside, kind, contents };
                found.compare(world, &file.path, [ours, theirs], look);
            }
        }
    }
    found
}

impl Shared {
    /// Puts down a path that the two cannot share, or whose headers must be read to tell.
    ///
    /// Where contents cannot be known, builds of one source version for two architectures are trusted to agree, as they
    /// are all over the trade, and so are directories.
    fn compare(&mut self, world: &World<'_>, path: &str, sides: [Side<'_>; 2], look: &Look<'_>) {
        let [one, two] = &sides;
        if one.kind == FileKind::Ghost || two.kind == FileKind::Ghost {
            return;
        }
        let directories = [one, two].map(|side| side.kind == FileKind::Directory);
        // Metadata does not tell a directory that is a ghost from others; what is of another kind clashes with all others.
        let doubt = match self.contents(world, path, &sides, look) {
            Ok([one, two]) if one.shares_a_path_with(&two, world.has_both_word_sizes()) => return,
            Ok(_) => Doubt::None,
            Err(_) if directories[0] != directories[1] => Doubt::None,
            Err(doubt) => {
                let (one, two) = (&one.package.nevra, &two.package.nevra);
                let twins = one.name == two.name && one.evr == two.evr;
                if directories[0] || twins || path.starts_with("/usr/lib/.build-id") {
                    return;
                }
                doubt
            }
        };
        let (one, other) = (one.id.min(two.id), one.id.max(two.id));
        self.clashes.insert(Clash { one, other, path: path.to_owned(), doubt });
    }

    /// Finds what both hold at a path, or notes whose headers are to be read.
    fn contents(
        &mut self,
        world: &World<'_>,
        path: &str,
        sides: &[Side<'_>; 2],
        look: &Look<'_>,
    ) -> Result<[Contents; 2], Doubt> {
        let bringers = sides.each_ref().map(|side| world.bringer(side.id));
        let looked = [0, 1].map(|n| match sides[n].contents {
            Some(known) => Looked::Contents(known.clone()),
            None => match &bringers[n] {
                Some(bringer) => look(bringer, path),
                None => Looked::Unknown("a host has it, and its header is not here".to_owned()),
            },
        });
        if let [Looked::Contents(one), Looked::Contents(two)] = looked {
            return Ok([one, two]);
        }
        // That of one nothing can be told is no reason to read the other.
        if let Some(why) = looked.iter().find_map(|looked| match looked {
            Looked::Unknown(why) => Some(why.clone()),
            _ => None,
        }) {
            return Err(Doubt::Unknown(why));
        }
        for (bringer, looked) in bringers.into_iter().zip(looked) {
            if let (Some(bringer), Looked::NotYet) = (bringer, looked) {
                self.unread.entry(bringer).or_default().insert(path.to_owned());
            }
        }
        Err(Doubt::Unread)
    }
}
