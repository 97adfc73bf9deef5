//! What the integration tests stand on: a sandbox, the fixture packages, and the real programs —
//! dnf, zypper, createrepo_c, nginx, rpm — that say whether Sluice is right.
//!
//! ```text
//!   fixtures/specs/*.spec --build.sh--> target/fixtures/<key>/good/*.rpm     once per change of a spec
//!
//!   Sandbox ── Host      a machine in a folder: dnf and zypper install into it
//!          ├── Nginx     a web server with the configuration of deploy/, as is Apache
//!          ├── Site      a store, a control directory and the real daemon on them
//!          └── folder()  wherever a test needs one
//! ```
//!
//! Nothing here needs root; nothing sleeps, uses a fixed port or leaves a process behind. Everything
//! panics when the *machinery* fails, with the output of the program that failed: a test that cannot
//! ask its question has not passed.
//!
//! ```
//! let sandbox = testkit::Sandbox::new();
//! std::fs::write(sandbox.path("note"), "kept until the sandbox is dropped").unwrap();
//! assert!(sandbox.path("note").is_file());
//! ```

mod apache;
mod checker;
mod checkout;
mod client_host;
mod fixture_packages;
mod gnupg;
mod http;
mod metadata_tools;
mod nginx;
mod program;
mod readiness;
mod rpm_oracle;
mod sandbox;
mod served;
mod site;
mod watch;

pub use apache::Apache;
pub use checker::Checker;
pub use checkout::{checkout, sluice};
pub use client_host::Host;
pub use fixture_packages::{Fixtures, SOURCE_DATE_EPOCH, fixtures};
pub use gnupg::{Gnupg, end_agent};
pub use http::{Fetched, fetch, fetch_with};
pub use metadata_tools::{createrepo_c, mergerepo_c};
pub use nginx::Nginx;
pub use program::{Ran, is_root, program, run};
pub use readiness::Readiness;
pub use rpm_oracle::RpmOracle;
pub use sandbox::Sandbox;
pub use served::Served;
pub use site::{Running, Site};
pub use watch::Watch;
