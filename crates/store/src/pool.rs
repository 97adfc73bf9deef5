//! Finding packages of the pool by less than their digest.

use nevra::Sha256;

use crate::{Disk, Error, Paths};

/// How many digits of the digest a package's place in a repository shows.
const DIGITS: usize = 16;

/// Finds the package of the pool whose digest begins with these 16 digits; `None` unless there is exactly one.
///
/// For metadata that does not name its packages by SHA-256, so that the place is all it tells of it.
pub fn pooled(disk: &dyn Disk, paths: &Paths, short: &str) -> Result<Option<Sha256>, Error> {
    let is_hex = short.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if short.len() != DIGITS || !is_hex {
        return Ok(None);
    }
    let folder = paths.pool().join(&short[..2]);
    if disk.state(&folder)?.is_none() {
        return Ok(None);
    }
    let names = disk.list(&folder)?.names;
    let mut found = names.iter().filter(|name| name.starts_with(short)).filter_map(|name| digest_of(name));
    Ok(found.next().filter(|_| found.next().is_none()))
}

fn digest_of(name: &str) -> Option<Sha256> {
    name.strip_suffix(".rpm")?.parse().ok()
}

#[cfg(test)]
mod tests;
