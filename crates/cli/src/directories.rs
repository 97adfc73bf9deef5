//! Directories that others are to enter: the daemon, or whoever reads a mirror.
#![expect(clippy::disallowed_methods, reason = "makes directories where the command was told to write")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;

use crate::failure::{Failure, failed};

/// Makes a directory and those above it, which everybody may enter whatever the umask is.
pub fn make_directories(directory: &Utf8Path) -> Result<(), Failure> {
    let missing: Vec<&Utf8Path> = directory.ancestors().take_while(|above| !above.exists()).collect();
    for directory in missing.into_iter().rev() {
        fs::create_dir(directory).map_err(failed("make", directory))?;
        let open = fs::set_permissions(directory, Permissions::from_mode(0o755));
        open.map_err(failed("set the mode of", directory))?;
    }
    Ok(())
}
