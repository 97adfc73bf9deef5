//! The files with groups of packages that stages name: read where the configuration is read.
#![expect(clippy::disallowed_methods, reason = "reads the files that the configuration names")]

use super::{Code, Config, ConfigErrors, Fault};
use crate::error::Error;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

/// The most bytes a file with groups may have; Fedora's has three million.
pub const SIZE_MAX: u64 = 16 << 20;

/// Is a file with groups that a stage names.
#[derive(Debug, Clone)]
pub struct Comps {
    /// Line and column of the configuration that name it.
    pub place: (usize, usize),
    /// What it says, once it was read.
    pub bytes: Option<Arc<[u8]>>,
}

/// Reads every file with groups that the configuration names.
///
/// Each must be there, a file, XML, and no larger than [`SIZE_MAX`]: else the faults say the line of the
/// configuration that names it.
pub fn read(config: &mut Config) -> Result<(), Error> {
    let mut faults = Vec::new();
    for (path, comps) in &mut config.comps {
        match read_one(path) {
            Ok(bytes) => comps.bytes = Some(bytes.into()),
            Err((reason, hint)) => {
                let (line, column) = comps.place;
                let reason = format!("`{path}` cannot be published as comps: {reason}");
                faults.push(Fault { line, column, code: Code::Comps, reason, hint: Some(hint.to_owned()) });
            }
        }
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(ConfigErrors { file: config.file.clone(), faults }.into()),
    }
}

fn read_one(path: &str) -> Result<Vec<u8>, (String, &'static str)> {
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
    file.take(SIZE_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err((format!("it has more than {SIZE_MAX} bytes"), "is it really a file with groups?"));
    }
    repo::check_comps(&bytes).map_err(|error| {
        (error.to_string(), "`xmllint --noout` shows the place; the outermost element is <comps>")
    })?;
    Ok(bytes)
}
