//! `sluice read-packages`: what the daemon starts to have packages read; nothing for people.

pub mod arguments;

use daemon::reading::{Limits, serve};

use crate::failure::Failure;
use arguments::ReadPackages;

/// Serves the daemon at the other end of standard input until it hangs up.
pub fn run(asked: &ReadPackages) -> Result<u8, Failure> {
    let limits = Limits { address_space: asked.address_space, cpu_seconds: asked.cpu_seconds };
    serve(&limits).map_err(|error| Failure::internal(format!("failed to read packages: {error}")))?;
    Ok(0)
}
