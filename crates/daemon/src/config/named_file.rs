//! Files that the configuration names: read whole, never without end.
#![expect(clippy::disallowed_methods, reason = "reads the files that the configuration names")]

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;

/// Reads a file of at most `size_max` bytes; else says what is wrong, and what to do. `large` asks what such a large one
/// can be.
pub(super) fn read(
    path: &Utf8Path,
    size_max: u64,
    large: &'static str,
) -> Result<Vec<u8>, (String, &'static str)> {
    let unreadable = |error: std::io::Error| {
        (format!("failed to read it: {error}"), "put the file there, readable by the daemon's user")
    };
    // What is no file (a FIFO, a terminal) must not hang the daemon.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits();
    let flags = i32::try_from(nonblocking).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(("it is not a file".to_owned(), "name the file itself"));
    }
    let mut bytes = Vec::new();
    file.take(size_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > size_max {
        return Err((format!("it has more than {size_max} bytes"), large));
    }
    Ok(bytes)
}
