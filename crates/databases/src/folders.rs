//! The files of a package as the filelists database holds them: one row for each folder.

use std::collections::BTreeMap;

use repo::{File, FileKind};

/// One row: a folder and what the package has in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Its path, `/` for the root, `.` for a path without a slash.
    pub(crate) name: String,
    /// The last parts of the paths, with `/` between; the part behind a trailing slash is `/`.
    pub(crate) files: String,
    /// A letter for each: `f`, `d` or `g`.
    pub(crate) kinds: String,
}

/// Groups files by folder, the folders in the order of their names, the files in their own.
pub(crate) fn folders(files: &[File]) -> Vec<Folder> {
    // The key is what stands before the last slash, so `//a` and `/a` are two rows of the folder `/`.
    let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
    for file in files {
        let (key, last) = file.path.rsplit_once('/').unwrap_or((".", &file.path));
        let folder = folders.entry(key).or_insert_with(|| Folder {
            name: Some(key.trim_end_matches('/')).filter(|name| !name.is_empty()).unwrap_or("/").to_owned(),
            files: String::new(),
            kinds: String::new(),
        });
        if !folder.kinds.is_empty() {
            folder.files.push('/');
        }
        folder.files.push_str(if last.is_empty() { "/" } else { last });
        folder.kinds.push(match file.kind {
            FileKind::File => 'f',
            FileKind::Directory => 'd',
            FileKind::Ghost => 'g',
        });
    }
    folders.into_values().collect()
}
