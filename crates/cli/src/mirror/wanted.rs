//! What a copy of a generation consists of: the files of the inventory, and whatever the metadata leads to.

use std::collections::BTreeMap;

use camino::Utf8Path;
use daemon::inventory::{Inventory, is_safe};
use nevra::Digest;
use repo::Repomd;

use super::source::Trouble;
use crate::adopt::href::on_disk;
use crate::failure::Failure;

/// What metadata may unpack to, in bytes.
const OPEN_SIZE_MAX: u64 = 1 << 30;

/// The largest metadata file, in bytes.
const METADATA_SIZE_MAX: u64 = 1 << 30;

/// One file of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its path in the generation.
    pub path: String,
    /// What it must be.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When it was modified last, in seconds since 1970.
    pub modified: i64,
}

/// The files of one generation, by path.
pub type Whole = BTreeMap<String, Wanted>;

/// Finds every file, bringing those that lead to others with `bring`, which must verify them, and reading them with `read`.
pub fn whole(
    inventory: &Inventory,
    bring: &mut dyn FnMut(&[&Wanted]) -> Result<(), Trouble>,
    read: &dyn Fn(&Wanted) -> Result<Vec<u8>, Failure>,
) -> Result<Whole, Trouble> {
    let mut all = Whole::new();
    for (path, item) in &inventory.files {
        let (size, modified) = (item.size, item.modified);
        add(&mut all, Wanted { path: path.clone(), digest: item.sha256.into(), size, modified })?;
    }
    bring(&all.values().collect::<Vec<_>>())?;
    stamped(inventory, &all, read)?;
    let mut primaries = Vec::new();
    let mut metadata = Whole::new();
    for top in &inventory.repositories {
        let path = format!("{top}/repodata/repomd.xml");
        let repomd = Repomd::parse(&read(&all[&path])?).map_err(|error| lie(&path, &error.to_string()))?;
        for record in &repomd.records {
            let size = record.size.filter(|size| *size <= METADATA_SIZE_MAX);
            let size = size.ok_or_else(|| lie(&path, "it gives a file no size, or an absurd one"))?;
            let file = format!("{top}/{}", record.href);
            let (digest, modified) = (record.checksum.clone(), record.timestamp);
            let wanted = Wanted { path: file, digest, size, modified };
            if record.kind == "primary" {
                let open_size = record.open_size.unwrap_or(OPEN_SIZE_MAX).min(OPEN_SIZE_MAX);
                primaries.push((top, wanted.clone(), open_size));
            }
            add(&mut metadata, wanted)?;
        }
        if repomd.record("primary").is_none() {
            return Err(lie(&path, "it names no `primary`").into());
        }
    }
    bring(&metadata.values().collect::<Vec<_>>())?;
    let mut packages = Whole::new();
    for (top, primary, open_size) in primaries {
        let refuse = |error: repo::Error| lie(&primary.path, &error.to_string());
        let xml = repo::unpack(&read(&primary)?, open_size).map_err(refuse)?;
        for package in repo::parse_primary(&xml).map_err(refuse)? {
            let name = on_disk(&package.href).filter(|name| is_safe(name));
            let name = name.ok_or_else(|| lie(&primary.path, "a package lies outside of the repository"))?;
            add(
                &mut packages,
                Wanted {
                    path: format!("{top}/{name}"),
                    digest: package.pkgid,
                    size: package.size_package,
                    modified: package.time_file,
                },
            )?;
        }
    }
    bring(&packages.values().collect::<Vec<_>>())?;
    for wanted in metadata.into_values().chain(packages.into_values()) {
        add(&mut all, wanted)?;
    }
    Ok(all)
}

/// Holds the stamp against the inventory.
fn stamped(
    inventory: &Inventory,
    all: &Whole,
    read: &dyn Fn(&Wanted) -> Result<Vec<u8>, Failure>,
) -> Result<(), Failure> {
    let stamp = all.get("generation").ok_or_else(|| lie("inventory.json", "it names no stamp"))?;
    let bytes = read(stamp)?;
    let number = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
    if number != inventory.generation.to_string().as_bytes() {
        return Err(lie("generation", "the stamp is of another generation"));
    }
    Ok(())
}

fn add(all: &mut Whole, wanted: Wanted) -> Result<(), Failure> {
    if !is_safe(&wanted.path) {
        return Err(lie(&wanted.path, "it is no path in a generation"));
    }
    if let Some(other) = all.get(&wanted.path)
        && (&other.digest, other.size) != (&wanted.digest, wanted.size)
    {
        return Err(lie(&wanted.path, "it is to be two different files"));
    }
    all.entry(wanted.path.clone()).or_insert(wanted);
    Ok(())
}

/// Says that the source is not what it claims to be.
pub fn lie(path: &str, words: &str) -> Failure {
    let path: String = path.escape_debug().take(300).collect();
    let failure = Failure::internal(format!("`{path}` of the source cannot be: {words}"));
    Failure {
        exit: 6,
        ..failure.hint("nothing was published here; `sluice verify --mirror URL` looks at the source")
    }
}

/// Says whether a name holds the digest of what it names, so that it never gets other bytes.
pub fn is_named_by_digest(path: &str) -> bool {
    let is_hex = |text: &str, digits: &[usize]| {
        digits.contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let parts: Vec<&str> = Utf8Path::new(path).components().map(|part| part.as_str()).collect();
    match parts.as_slice() {
        [.., "Packages", shard, short, file] => {
            is_hex(shard, &[2]) && is_hex(short, &[16]) && file.ends_with(".rpm")
        }
        [.., "repodata", file] => {
            file.split_once('-').is_some_and(|(digest, _)| is_hex(digest, &[32, 40, 64, 96, 128]))
        }
        _ => false,
    }
}
