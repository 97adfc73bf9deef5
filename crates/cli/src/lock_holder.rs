//! Which process holds the lock of a site, as far as the kernel tells.

use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;

/// Returns the number of the process that holds the lock on `root`, if one is seen.
///
/// Only looked up, never tried: whoever tried the lock could keep a starting daemon from getting it.
/// That none is seen proves nothing: the list leaves out processes of other containers, and on some file
/// systems (btrfs) it names another device.
pub fn seen(root: &Utf8Path) -> Option<u32> {
    let (state, locks) = read(root).ok()?;
    holder(&locks, state.0, state.1)
}

#[expect(clippy::disallowed_methods, reason = "asks the kernel who holds a lock")]
fn read(root: &Utf8Path) -> std::io::Result<((u64, u64), String)> {
    let state = std::fs::metadata(root)?;
    Ok(((state.dev(), state.ino()), std::fs::read_to_string("/proc/locks")?))
}

/// Finds the line `1: FLOCK  ADVISORY  WRITE 4711 fd:01:131 0 EOF` of a device and inode.
fn holder(locks: &str, device: u64, inode: u64) -> Option<u32> {
    let file = format!("{:02x}:{:02x}:{inode}", rustix::fs::major(device), rustix::fs::minor(device));
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [_, "FLOCK", _, "WRITE", process, place, ..] if *place == file => process.parse().ok(),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_read_from_the_kernels_list() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fd:01:131 0 EOF\n\
                     2: FLOCK  ADVISORY  READ  8 fd:01:131 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 9 fd:01:131 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 4711 fd:01:131 0 EOF\n";
        let device = rustix::fs::makedev(0xfd, 1);
        assert_eq!(holder(locks, device, 131), Some(4711));
        assert_eq!(holder(locks, device, 132), None);
        assert_eq!(holder(locks, rustix::fs::makedev(0xfd, 2), 131), None);
        assert_eq!(holder("nonsense", device, 131), None);
    }
}
