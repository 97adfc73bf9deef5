//! The independent checker of `tests/checker/`, which shares no code with the program.

use camino::{Utf8Path, Utf8PathBuf};

use crate::checkout::built;
use crate::{Site, checkout, program, run};

/// Asks the independent checker about a tree.
///
/// ```no_run
/// # let sandbox = testkit::Sandbox::new();
/// # let site = testkit::Site::initialised(&sandbox, "http://127.0.0.1:1", "");
/// testkit::Checker::of(&site).at_rest().assert_sound();
/// ```
#[derive(Debug, Clone)]
pub struct Checker {
    arguments: Vec<String>,
}

impl Checker {
    /// Looks at the store in `root`: what holds at every instant.
    #[must_use]
    pub fn new(root: &Utf8Path) -> Self {
        let cache = built().parent().expect("target/debug has a parent").join("checker");
        Self { arguments: vec!["--root".into(), root.to_string(), "--cache".into(), cache.into_string()] }
    }

    /// Looks at the store and the control directory of a site.
    #[must_use]
    pub fn of(site: &Site) -> Self {
        Self::new(&site.root()).with("--spool", site.spool())
    }

    /// Adds an option that takes a path or a word.
    #[must_use]
    pub fn with(mut self, option: &str, value: impl AsRef<str>) -> Self {
        self.arguments.extend([option.to_owned(), value.as_ref().to_owned()]);
        self
    }

    /// Says that nothing is running and nothing waits: looks at what holds then, too.
    #[must_use]
    pub fn at_rest(mut self) -> Self {
        self.arguments.push("--at-rest".to_owned());
        self
    }

    /// Lists the violations, as in `I7 public/packages/...: it is neither listed nor retained`.
    ///
    /// # Panics
    /// If it could not look.
    #[must_use]
    #[track_caller]
    pub fn violations(&self) -> Vec<String> {
        // Debian's interpreter: one that comes first in PATH may be too old.
        let ran = run(program("/usr/bin/python3").arg(script()).args(&self.arguments));
        assert!(matches!(ran.code(), 0 | 1), "the checker could not look: {ran}");
        let found: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
        assert_eq!(ran.code() == 0, found.is_empty(), "{ran}");
        found
    }

    /// Demands that nothing is violated.
    ///
    /// # Panics
    /// With every violation, if there is one.
    #[track_caller]
    pub fn assert_sound(&self) {
        let found = self.violations();
        assert!(found.is_empty(), "the checker says:\n{}", found.join("\n"));
    }
}

fn script() -> Utf8PathBuf {
    checkout().join("tests/checker/check.py")
}
