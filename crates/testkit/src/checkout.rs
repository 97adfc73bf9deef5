//! Where the sources and the built program are.
#![expect(clippy::disallowed_methods, reason = "asks cargo and the running test where things are")]

use std::env;

use camino::Utf8PathBuf;

/// Returns the top of the checkout whose tests are running.
///
/// Cargo says so at run time, so a copy of the tests finds its own copy of the sources.
#[must_use]
pub fn checkout() -> Utf8PathBuf {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let package = Utf8PathBuf::from(package);
    let top = package.parent().and_then(|crates| crates.parent());
    top.expect("a package lies in crates/<name>").to_owned()
}

/// Returns the folder the running test was built into: `target/debug`.
pub(crate) fn built() -> Utf8PathBuf {
    let test = env::current_exe().expect("a running program knows its file");
    let test = Utf8PathBuf::from_path_buf(test).expect("paths here are UTF-8");
    let folder = test.parent().expect("a file lies in a folder");
    // Test binaries lie in `deps`, one level below the programs.
    let up = if folder.file_name() == Some("deps") { folder.parent() } else { None };
    up.unwrap_or(folder).to_owned()
}

/// Returns the program `sluice` as cargo built it for this test run.
///
/// # Panics
/// If it is not there: only tests of the package that owns it can count on it.
#[must_use]
pub fn sluice() -> Utf8PathBuf {
    let binary = built().join("sluice");
    assert!(binary.is_file(), "`{binary}` is not built: run the tests of the package `cli`");
    binary
}
