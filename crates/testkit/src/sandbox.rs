//! A folder that is gone when the test is.
#![expect(clippy::disallowed_methods, reason = "makes a temporary folder and removes it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

use crate::{program, run};

/// A private folder for one test, removed when dropped, sealed directories inside it too.
///
/// Others may enter it: a web server started by root runs as somebody else.
#[derive(Debug)]
pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// Makes an empty one below `$TMPDIR`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default that makes a folder would surprise")]
    pub fn new() -> Self {
        // Short, because the path of a socket may have 107 bytes.
        let folder = tempfile::Builder::new().prefix("sl-").tempdir().expect("failed to make a sandbox");
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("failed to open the sandbox");
        Self { folder }
    }

    /// Returns its top.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("$TMPDIR is UTF-8")
    }

    /// Returns the path of something in it, which need not exist.
    #[must_use]
    pub fn path(&self, name: &str) -> Utf8PathBuf {
        self.root().join(name)
    }

    /// Makes a folder in it, with its parents, and returns the path; one that is there is fine.
    #[must_use]
    pub fn folder(&self, name: &str) -> Utf8PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("failed to make `{path}`: {error}"));
        path
    }

    /// Writes a file in it and returns the path.
    #[must_use]
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("failed to write `{path}`: {error}"));
        path
    }

    /// Writes a script in it that everybody may run, in place of one of that name, and returns the path.
    ///
    /// Another program writes it: a descriptor that this process writes through would be inherited by what other threads
    /// start meanwhile, and the kernel runs no file that somebody may write.
    #[must_use]
    pub fn script(&self, name: &str, text: &str) -> Utf8PathBuf {
        let (path, fresh) = (self.path(name), self.path(&format!("{name}.fresh")));
        let words = ["-ec", "printf %s \"$1\" > \"$2\"; chmod 755 \"$2\"; mv \"$2\" \"$3\"", "sh", text];
        run(program("sh").args(words).args([&fresh, &path])).ok();
        path
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Whoever is not root cannot empty a sealed directory. What still resists is left to $TMPDIR's owner.
        for entry in WalkDir::new(self.folder.path()).into_iter().flatten() {
            if entry.file_type().is_dir() {
                let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_removes_sealed_directories_too() {
        let sandbox = Sandbox::new();
        let root = sandbox.root().to_owned();
        let sealed = sandbox.folder("a/b");
        let _ = sandbox.file("a/b/c", "x");
        fs::set_permissions(&sealed, fs::Permissions::from_mode(0o555)).unwrap();
        drop(sandbox);
        assert!(!root.exists());
    }
}
