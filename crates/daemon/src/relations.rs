//! What packages of metadata say about each other, as the judgement of what can be installed reads it.

use closure::{Contents, FileKind, Package};
use nevra::Dependency;
use repo::{Relation, Substance};

/// Takes from the metadata of a package what it says about others, and its files.
pub(crate) fn package_of(listed: &repo::Package) -> Package {
    let relations = |all: &[Relation]| all.iter().map(dependency).collect::<Vec<Dependency>>();
    Package {
        provides: relations(&listed.provides),
        requires: relations(&listed.requires),
        conflicts: relations(&listed.conflicts),
        obsoletes: relations(&listed.obsoletes),
        files: listed.files.iter().map(file).collect(),
        ..Package::new(listed.nevra.clone())
    }
}

/// Takes a relation as a person wrote it: metadata says epoch 0 where none was named, which means the same.
pub(crate) fn dependency(relation: &Relation) -> Dependency {
    let mut dependency = relation.dependency();
    if let Some(bound) = &mut dependency.bound {
        bound.epoch = bound.epoch.filter(|epoch| *epoch > 0);
    }
    dependency
}

/// Takes what metadata tells of a file: not what it holds.
pub(crate) fn file(listed: &repo::File) -> closure::File {
    closure::File { path: listed.path.clone(), kind: kind(listed.kind), contents: None }
}

/// Takes what a header tells of a file, with its path.
pub(crate) fn contents(told: Substance) -> (String, Contents) {
    let Substance { path, mode, user, group, size, text, colour, ghost } = told;
    (path, Contents { mode, user, group, size, text, colour, ghost })
}

/// Takes the kind of a file.
pub(crate) fn kind(kind: repo::FileKind) -> FileKind {
    match kind {
        repo::FileKind::File => FileKind::File,
        repo::FileKind::Directory => FileKind::Directory,
        repo::FileKind::Ghost => FileKind::Ghost,
    }
}
