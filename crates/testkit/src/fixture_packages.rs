//! The packages of `fixtures/`, built once for each change of a spec file.
#![expect(clippy::disallowed_methods, reason = "runs fixtures/build.sh and keeps what it builds")]

use std::fs;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::checkout::built;
use crate::{checkout, program, run};

/// Build time, file times and time of modification of every fixture: 2012-07-01.
pub const SOURCE_DATE_EPOCH: i64 = 1_341_100_800;

/// The fixture packages on disk; shared by all tests, so only to be read.
#[derive(Debug)]
pub struct Fixtures {
    /// The folder of those that every tool accepts.
    pub folder: Utf8PathBuf,
    /// Those packages, by file name.
    pub good: Vec<Utf8PathBuf>,
    /// Packages with headers that only broken or foreign builders write; createrepo_c lists them.
    pub odd: Vec<Utf8PathBuf>,
    /// Packages that createrepo_c leaves out without a word.
    pub refused: Vec<Utf8PathBuf>,
}

impl Fixtures {
    /// Returns the path of every package that createrepo_c lists.
    pub fn listed(&self) -> impl Iterator<Item = &Utf8Path> {
        self.good.iter().chain(&self.odd).map(Utf8PathBuf::as_path)
    }

    /// Returns the path of the only good package whose file name begins so.
    ///
    /// # Panics
    /// If there is none, or more than one.
    #[must_use]
    pub fn named(&self, beginning: &str) -> &Utf8Path {
        let begins = |path: &&Utf8PathBuf| path.file_name().is_some_and(|name| name.starts_with(beginning));
        let mut found = self.good.iter().filter(begins);
        let first = found.next().unwrap_or_else(|| panic!("no fixture begins with `{beginning}`"));
        assert!(found.next().is_none(), "several fixtures begin with `{beginning}`");
        first
    }
}

/// Returns the fixture packages, building them if these specs were not built yet.
///
/// Several test programs may do so at the same time: each builds a folder of its own and renames it.
///
/// # Panics
/// If they cannot be built.
pub fn fixtures() -> &'static Fixtures {
    static FIXTURES: OnceLock<Fixtures> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        let sources = checkout().join("fixtures");
        let target = built().parent().expect("target/debug has a parent").join("fixtures");
        fs::create_dir_all(&target).unwrap_or_else(|error| panic!("failed to make `{target}`: {error}"));
        let kept = target.join(key(&sources));
        if !kept.is_dir() {
            let fresh = tempfile::tempdir_in(&target).expect("failed to make a folder for fixtures");
            run(program("bash").arg(sources.join("build.sh")).arg(fresh.path())).ok();
            let fresh = fresh.keep();
            // Somebody else may have been faster; then theirs stays.
            if fs::rename(&fresh, &kept).is_err() {
                assert!(kept.is_dir(), "failed to put the fixtures at `{kept}`");
                let _ = fs::remove_dir_all(&fresh);
            }
        }
        let folder = kept.join("good");
        let of = |name: &str| packages(&kept.join(name));
        Fixtures { good: of("good"), odd: of("odd"), refused: of("refused"), folder }
    })
}

/// Everything that can change a byte of a fixture: the specs, the script and rpm itself.
fn key(sources: &Utf8Path) -> String {
    let mut digest = Sha256::new();
    let mut files = vec![sources.join("build.sh"), sources.join("handmade.py")];
    for folder in ["specs", "refused"] {
        files.extend(names(&sources.join(folder)));
    }
    for file in files {
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("failed to read `{file}`: {error}"));
        digest.update(file.file_name().unwrap_or_default());
        digest.update(bytes.len().to_le_bytes());
        digest.update(bytes);
    }
    digest.update(run(program("rpm").arg("--version")).ok().stdout);
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn names(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().unwrap_or_else(|error| panic!("failed to list `{folder}`: {error}"));
    let mut names: Vec<_> = entries.map(|entry| entry.expect("a listed name").into_path()).collect();
    names.sort();
    names
}

fn packages(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    names(folder).into_iter().filter(|path| path.extension() == Some("rpm")).collect()
}
