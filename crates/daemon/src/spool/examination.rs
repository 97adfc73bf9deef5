//! What is wrong with a claimed file before anybody reads what it asks for.

use super::files::{is, read_some};
use super::{Owner, REQUEST_SIZE_MAX};
use crate::error::Error;
use camino::Utf8Path;
use plan::{Code, Format, Refusal};
use std::io::ErrorKind;
use store::{Disk, Kind, State};

/// Is what was found at the name of a claimed request.
#[derive(Debug)]
pub(super) struct Examination {
    pub(super) owner: Owner,
    /// What was read; `None` where nothing could be or may be read.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) problem: Option<Refusal>,
}

/// Opens and reads the claimed file `path`, once; `None` if nothing is there.
///
/// Never blocks: FIFOs and devices are not opened for reading. The owner is that of the opened file.
pub(super) fn examine(
    disk: &dyn Disk,
    path: &Utf8Path,
    format: Format,
) -> Result<Option<Examination>, Error> {
    let Some(state) = disk.state(path)? else {
        return Ok(None);
    };
    let without_bytes = |state: State, problem: Refusal| {
        let owner = Owner { uid: state.uid, gid: state.gid };
        Ok(Some(Examination { owner, bytes: None, problem: Some(problem) }))
    };
    match state.kind {
        Kind::File => {}
        Kind::Link => return without_bytes(state, symlink()),
        Kind::Directory => return without_bytes(state, directory()),
        Kind::Other => return without_bytes(state, not_regular()),
    }
    let mut file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if is(&error, ErrorKind::PermissionDenied) => {
            return without_bytes(state, unreadable(state));
        }
        Err(store::Error::NotRegular { .. }) => return without_bytes(state, not_regular()),
        Err(error) => return Err(error.into()),
    };
    // From here on only the opened file counts, whatever its name means meanwhile.
    let state = file.state()?;
    let bytes = match state.size > REQUEST_SIZE_MAX {
        true => None,
        false => Some(read_some(&mut *file, path, REQUEST_SIZE_MAX)?),
    };
    let bytes = bytes.filter(|bytes| bytes.len() as u64 <= REQUEST_SIZE_MAX);
    let problem = if state.links != 1 {
        Some(hard_linked(state))
    } else if state.mode & 0o022 != 0 {
        Some(writable(state))
    } else {
        match &bytes {
            None => Some(too_large(state)),
            Some(bytes) if !plan::is_complete(bytes, format) => Some(truncated(format)),
            Some(_) => None,
        }
    };
    Ok(Some(Examination { owner: Owner { uid: state.uid, gid: state.gid }, bytes, problem }))
}

pub(super) fn directory() -> Refusal {
    Refusal::new(Code::Directory, "the request is a directory")
        .hint("put the request file itself into `incoming/`, and remove the directory")
}

fn symlink() -> Refusal {
    Refusal::new(Code::Symlink, "the request is a symbolic link, which is never followed")
        .hint("copy the file into `incoming/`")
}

fn not_regular() -> Refusal {
    Refusal::new(Code::NotARegularFile, "the request is a FIFO, a socket or a device, not a regular file")
        .hint("write the request as an ordinary file")
}

fn unreadable(state: State) -> Refusal {
    let sentence = format!("the daemon may not read the request: its mode is {:04o}", state.mode);
    Refusal::new(Code::Unreadable, sentence)
        .hint("write it with umask 022 or 027, or run `chmod g+r` on it, and submit it again")
}

fn hard_linked(state: State) -> Refusal {
    let sentence =
        format!("the request file has {} names, so it could change behind the daemon's back", state.links);
    Refusal::new(Code::HardLinked, sentence).hint("copy the file into `incoming/` instead of linking it")
}

fn writable(state: State) -> Refusal {
    let sentence =
        format!("others than its owner may write the request file: its mode is {:04o}", state.mode);
    Refusal::new(Code::WritableByOthers, sentence)
        .hint("run `chmod go-w` on it and submit it again; umask 022 or 027 avoids this")
}

fn too_large(state: State) -> Refusal {
    let sentence = format!("the request has {} bytes, at most {REQUEST_SIZE_MAX} are read", state.size);
    Refusal::new(Code::TooLarge, sentence).hint("split it, or give packages as globs instead of one by one")
}

fn truncated(format: Format) -> Refusal {
    let (sentence, hint) = match format {
        Format::Toml => (
            "the request ends too early: its last line is not `[end]`",
            "end the file with a line `[end]`, so that one cut short is never mistaken for a whole one",
        ),
        Format::Json => {
            ("the request is not one whole JSON value", "write it to `tmp/` and rename it when it is whole")
        }
    };
    Refusal::new(Code::Truncated, sentence).hint(hint)
}
