//! What a package brings onto a disk.

use repo::{FileKind, Head, flagged_files_of};

/// Flags of files that are read by people: `%doc`, `%license`, `%readme`.
const DOCUMENTATION: u32 = 1 << 1 | 1 << 7 | 1 << 8;

/// Says what a package brings onto a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Substance {
    /// Nothing at all.
    NoFiles,
    /// Documentation and licenses, and the directories they lie in.
    Documentation,
    /// Anything else, files that are only owned (`%ghost`) among it.
    Files,
}

/// Says what a package brings; a list of files that cannot be read counts as files.
///
/// ```
/// use metapackage::{Substance, substance_of};
/// let rpm = repo::Recipe::new("tool", "1", "1").file("/usr/bin/tool", "").build();
/// assert_eq!(substance_of(&repo::read_head(&mut rpm.as_slice())?), Substance::Files);
/// # Ok::<(), repo::Error>(())
/// ```
#[must_use]
pub fn substance_of(head: &Head) -> Substance {
    let Ok(files) = flagged_files_of(head) else {
        return Substance::Files;
    };
    if files.is_empty() {
        return Substance::NoFiles;
    }
    // rpmbuild does not mark the directories that it makes for documentation.
    let (directories, others): (Vec<_>, Vec<_>) =
        files.iter().partition(|(file, _)| file.kind == FileKind::Directory);
    let is_read =
        |(file, flags): &&(repo::File, u32)| file.kind == FileKind::File && flags & DOCUMENTATION != 0;
    if !others.iter().all(is_read) {
        return Substance::Files;
    }
    let mut paths: Vec<&str> = others.iter().map(|(file, _)| file.path.as_str()).collect();
    paths.sort_unstable();
    let holds_some = |directory: &str| {
        let inside = format!("{}/", directory.trim_end_matches('/'));
        let at = paths.partition_point(|path| *path < inside.as_str());
        paths.get(at).is_some_and(|path| path.starts_with(&inside))
    };
    let marked = |flags: u32| flags & DOCUMENTATION != 0;
    if directories.iter().all(|(file, flags)| marked(*flags) || holds_some(&file.path)) {
        Substance::Documentation
    } else {
        Substance::Files
    }
}

#[cfg(test)]
mod tests {
    use repo::{Recipe, read_head};

    use super::*;

    #[test]
    fn directories_by_themselves_are_files_and_no_files_are_nothing() {
        let check = |recipe: Recipe, expected| {
            assert_eq!(substance_of(&read_head(&mut recipe.build().as_slice()).unwrap()), expected);
        };
        let meta = || Recipe::new("meta", "1", "1").requires("a = 1");
        check(meta(), Substance::NoFiles);
        check(meta().directory("/var/lib/meta"), Substance::Files);
        check(meta().file("/usr/share/doc/meta/README", "x"), Substance::Files);
        check(meta().documentation("/usr/share/meta/README", "x"), Substance::Documentation);
        check(meta().config_file("/etc/meta", "x"), Substance::Files);
    }
}
