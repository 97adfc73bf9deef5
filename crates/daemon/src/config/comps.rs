//! The files with groups of packages that stages name: read where the configuration is read.

use super::{Code, Config, ConfigErrors, Fault, named_file};
use crate::error::Error;
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
    let bytes = named_file::read(path.as_ref(), SIZE_MAX, "is it really a file with groups?")?;
    repo::check_comps(&bytes).map_err(|error| {
        (error.to_string(), "`xmllint --noout` shows the place; the outermost element is <comps>")
    })?;
    Ok(bytes)
}
