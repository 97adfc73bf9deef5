//! `inventory.json`: what a generation consists of, for whoever copies it.
//!
//! It lies at the top of every generation and names every file that cannot be found from the metadata: pages, `.repo` files,
//! metalinks, each repomd.xml. What a repomd.xml leads to follows from it, so the inventory stays small. Superseded
//! metadata, old places of adopted packages and restricted stages are left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

/// The name of the file, at the top of a generation.
pub const NAME: &str = "inventory.json";

/// The largest inventory that is read, in bytes.
pub const SIZE_MAX: u64 = 64 << 20;

/// The largest file that one may name, in bytes.
const FILE_SIZE_MAX: u64 = 64 << 20;

/// The number of the stored form.
const FORMAT: u32 = 1;

/// What one generation consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The number of this stored form: 1.
    pub format: u32,
    /// The generation.
    pub generation: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Where repositories lie, relative to the generation, without slashes at the ends.
    pub repositories: BTreeSet<String>,
    /// The files, by path.
    pub files: BTreeMap<String, Item>,
}

/// One file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The size in bytes.
    pub size: u64,
    /// The digest of the bytes.
    pub sha256: Sha256,
    /// When it was modified last, in seconds since 1970.
    pub modified: i64,
}

impl Inventory {
    /// Begins one.
    pub fn new(generation: u64, created: Timestamp) -> Self {
        let (repositories, files) = (BTreeSet::new(), BTreeMap::new());
        Self { format: FORMAT, generation, created, repositories, files }
    }

    /// Writes it.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("texts and numbers can be written as JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads one that somebody else wrote; says in words what is wrong with it.
    ///
    /// Keys that are not known are passed over. Every path stays inside the generation, no file lies below another, and
    /// each repository has its repomd.xml.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if read.format != FORMAT {
            return Err(format!("its format is `{}`, this program reads `{FORMAT}`", read.format));
        }
        if read.generation == 0 {
            return Err("there is no generation 0".to_owned());
        }
        let mut above = BTreeSet::new();
        for (path, item) in &read.files {
            if !is_safe(path) || path == NAME {
                return Err(format!("it names `{}`, which is no path in a generation", path.escape_debug()));
            }
            if item.size > FILE_SIZE_MAX {
                return Err(format!("`{path}` is to have {} bytes", item.size));
            }
            above.extend(path.match_indices('/').map(|(end, _)| &path[..end]));
        }
        if let Some(path) = read.files.keys().find(|path| above.contains(path.as_str())) {
            return Err(format!("it names `{path}`, and something below it"));
        }
        for path in &read.repositories {
            if !is_safe(path) || !read.files.contains_key(&format!("{path}/repodata/repomd.xml")) {
                return Err(format!("`{}` is no repository of it", path.escape_debug()));
            }
        }
        Ok(read)
    }
}

/// Says whether a path goes only down and can stand on a disk and in a list of one path a line.
pub fn is_safe(path: &str) -> bool {
    let fine = |part: &str| part.len() <= 255 && !part.starts_with('@');
    path.len() <= 2000
        && repo::is_inside(path)
        && !path.chars().any(char::is_control)
        && path.split('/').all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Inventory {
        let mut inventory = Inventory::new(42, Timestamp::UNIX_EPOCH);
        let item = Item { size: 3, sha256: repo::sha256(b"abc"), modified: 7 };
        inventory.files.insert("p/repodata/repomd.xml".to_owned(), item);
        inventory.files.insert("generation".to_owned(), item);
        inventory.repositories.insert("p".to_owned());
        inventory
    }

    fn refused(change: impl FnOnce(&mut Inventory)) -> String {
        let mut inventory = sample();
        change(&mut inventory);
        Inventory::parse(&inventory.write()).unwrap_err()
    }

    #[test]
    fn an_inventory_reads_as_it_was_written() {
        assert_eq!(Inventory::parse(&sample().write()), Ok(sample()));
        let more = String::from_utf8(sample().write()).unwrap().replacen('{', "{\"later\":1,", 1);
        assert_eq!(Inventory::parse(more.as_bytes()), Ok(sample()));
    }

    #[test]
    fn an_inventory_that_leads_astray_is_refused() {
        let item = Item { size: 3, sha256: repo::sha256(b"abc"), modified: 7 };
        for path in
            ["../x", "/etc/passwd", "a/../b", "a//b", "", "a/./b", "a\nb", "@41/x", "http://h/x", "a\0"]
        {
            let words = refused(|inventory| {
                let _ = inventory.files.insert(path.to_owned(), item);
            });
            assert!(words.contains("no path in a generation"), "{path:?}: {words}");
        }
        refused(|inventory| {
            let _ = inventory.files.insert("generation/x".to_owned(), item);
        });
        refused(|inventory| {
            let _ = inventory.files.insert("x".to_owned(), Item { size: u64::MAX, ..item });
        });
        refused(|inventory| {
            inventory.repositories.insert("q".to_owned());
        });
        refused(|inventory| {
            inventory.repositories.insert("..".to_owned());
        });
        refused(|inventory| inventory.generation = 0);
        refused(|inventory| inventory.format = 2);
        assert!(Inventory::parse(b"[]").is_err() && Inventory::parse(b"").is_err());
    }
}
