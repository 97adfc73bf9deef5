//! Where everything lies below the root, and what a name may look like; nothing is touched here.

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;

/// The places below one root; every method answers with an absolute path if the root is absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    root: Utf8PathBuf,
}

impl Paths {
    /// Takes the root; nothing is looked at.
    pub fn new(root: impl Into<Utf8PathBuf>) -> Paths {
        Paths { root: root.into() }
    }

    /// The root itself: one local file system, owned by the daemon.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The only directory that is exported.
    pub fn public(&self) -> Utf8PathBuf {
        self.root.join("public")
    }

    /// The symlink that names the generation in force.
    pub fn current(&self) -> Utf8PathBuf {
        self.root.join("public/current")
    }

    /// The public half of generation `number`.
    pub fn public_half(&self, number: u64) -> Utf8PathBuf {
        self.root.join(format!("public/@{number}"))
    }

    /// The symlink of a name somebody gave to a generation.
    pub fn name(&self, name: &str) -> Utf8PathBuf {
        self.root.join(format!("public/@{name}"))
    }

    /// The directory of all package links.
    pub fn packages(&self) -> Utf8PathBuf {
        self.root.join("public/packages")
    }

    /// The directory of the private halves.
    pub fn generations(&self) -> Utf8PathBuf {
        self.root.join("generations")
    }

    /// The private half of generation `number`.
    pub fn private_half(&self, number: u64) -> Utf8PathBuf {
        self.root.join(format!("generations/{number}"))
    }

    /// The directory of the manifests of generations no longer kept.
    pub fn history(&self) -> Utf8PathBuf {
        self.root.join("history")
    }

    /// The manifest of generation `number` once it is no longer kept.
    pub fn history_of(&self, number: u64) -> Utf8PathBuf {
        self.root.join(format!("history/{number}.json"))
    }

    /// The directory of every policy that was ever in force.
    pub fn policies(&self) -> Utf8PathBuf {
        self.root.join("policy")
    }

    /// The policy with this digest.
    pub fn policy(&self, digest: &Sha256) -> Utf8PathBuf {
        self.root.join(format!("policy/{digest}.toml"))
    }

    /// The directory that holds every package once.
    pub fn pool(&self) -> Utf8PathBuf {
        self.root.join("pool")
    }

    /// The package with this digest.
    pub fn pool_file(&self, digest: &Sha256) -> Utf8PathBuf {
        self.root.join(format!("pool/{}/{digest}.rpm", digest.shard()))
    }

    /// The directory where generations are built and files arrive.
    pub fn staging(&self) -> Utf8PathBuf {
        self.root.join("staging")
    }

    /// The place where generation `number` is built, and where its unfinished business lies.
    pub fn staging_of(&self, number: u64) -> Utf8PathBuf {
        self.root.join(format!("staging/{number}"))
    }

    /// The directory of what arrived before a number existed.
    pub fn imports(&self) -> Utf8PathBuf {
        self.root.join("staging/import")
    }

    /// What arrived for the request `claim`.
    pub fn import(&self, claim: &str) -> Utf8PathBuf {
        self.root.join("staging/import").join(claim)
    }

    /// The directory of abandoned generations.
    pub fn quarantine(&self) -> Utf8PathBuf {
        self.root.join("quarantine")
    }

    /// What is left of the abandoned generation `number`.
    pub fn quarantine_of(&self, number: u64) -> Utf8PathBuf {
        self.root.join(format!("quarantine/{number}"))
    }

    /// The directory of the audit log; the store only makes it.
    pub fn audit(&self) -> Utf8PathBuf {
        self.root.join("audit")
    }

    /// The directory of what can be rebuilt; the store only makes it.
    pub fn cache(&self) -> Utf8PathBuf {
        self.root.join("cache")
    }

    /// The place of a link as `links.json` and manifests write it: `packages/...` lies below `public/`,
    /// `pool/...` and `policy/...` lie below the root; anything else is no link.
    pub fn link(&self, written: &str) -> Option<Utf8PathBuf> {
        if !is_plain(written) {
            return None;
        }
        match written.split_once('/')? {
            ("packages", _) => Some(self.public().join(written)),
            ("pool" | "policy", _) => Some(self.root.join(written)),
            _ => None,
        }
    }
}

/// Reads a generation's number as it stands in a file name: digits without leading zeros, at least 1.
pub fn number_of(text: &str) -> Option<u64> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Says whether `path` is relative and goes only down: no empty component, no `.`, no `..`, no NUL.
pub(crate) fn is_plain(path: &str) -> bool {
    path.split('/').all(is_component)
}

/// Says whether `name` is one ordinary component of a path.
pub(crate) fn is_component(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

/// Says whether `name` may be given to a generation: it becomes `@name` in URLs, and must not look like a
/// number.
pub fn is_name(name: &str) -> bool {
    let ends_well = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 200;
    let of_letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte));
    ends_well && of_letters && !name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_name_generations() {
        assert_eq!((number_of("1"), number_of("42")), (Some(1), Some(42)));
        for text in ["", "0", "042", "+1", "-1", "4 2", "٤", "99999999999999999999"] {
            assert_eq!(number_of(text), None, "{text}");
        }
    }

    #[test]
    fn paths_that_leave_are_not_plain() {
        assert!(is_plain("a/b/Packages") && is_plain("..a/.b"));
        for path in ["", "/a", "a/", "a//b", "./a", "a/../b", "a/\0"] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn names_are_short_words_that_are_no_numbers() {
        assert!(is_name("update-57") && is_name("2026.1"));
        for name in ["", "57", ".hidden", "a/b", "a b", "@x", "é"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_link_lies_where_its_first_word_says() {
        let paths = Paths::new("/r");
        assert_eq!(paths.link("packages/x/y").unwrap(), "/r/public/packages/x/y");
        assert_eq!(paths.link("pool/ab/c.rpm").unwrap(), "/r/pool/ab/c.rpm");
        for written in ["generations/1", "packages", "packages/../current", "/etc/passwd"] {
            assert_eq!(paths.link(written), None, "{written}");
        }
    }
}
