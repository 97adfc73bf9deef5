//! The daemon's rooms: configuration, control directory, audit log, `.repo` files, and what moves between them.
//!
//! ```text
//!  sluice.toml --> config --+--> dot_repo --> files of the web root
//!                           |
//!  SPOOL/incoming --claim--> spool --> (observe, plan, publish) --> spool --settle--> SPOOL/done, SPOOL/failed
//!                                             |
//!                                             +--> audit
//! ```
//!
//! The smallest configuration, and what it makes:
//!
//! ```
//! use daemon::{config::Config, dot_repo};
//!
//! let text = br#"
//! format = 1
//! [site]
//! name = "Example Grid"
//! root = "/srv/sluice"
//! spool = "/var/spool/sluice"
//! base_url = "https://repo.example.org"
//! [[product]]
//! name = "glite-3.2"
//! preset = "glite"
//! platforms = ["sl5/x86_64"]
//! "#;
//! let config = Config::parse(text, "sluice.toml")?;
//! let files = dot_repo::files(&config, jiff::Timestamp::now());
//! let production = String::from_utf8(files["glite-3.2-production.repo"].clone())?;
//! assert!(production.contains("baseurl=https://repo.example.org/glite-3.2/sl5/x86_64/production/\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod account;
pub mod adoption;
mod answers;
mod arrivals;
pub mod audit;
mod candidates;
pub mod clock;
pub mod config;
pub mod contexts;
pub mod dot_repo;
pub mod engine;
pub mod error;
mod external;
pub mod frozen;
pub mod ground;
pub mod grounds;
pub mod inventory;
mod known;
mod line;
pub mod observe;
pub mod once;
mod program;
pub mod progress;
pub mod promises;
mod publish;
pub mod reading;
mod rebuilding;
mod recorded;
mod rehearsed;
pub mod rejudge;
mod relations;
pub mod remembered;
pub mod restricted;
pub mod resume;
pub mod run;
pub mod scrub;
mod settled;
mod shelves;
mod signed_request;
pub mod signing;
mod soaking;
pub mod space;
pub mod spool;
pub mod submit;
mod verdicts;
pub mod verify;
mod views;
mod waiting;
mod watchdog;
pub mod web;
pub mod witnessing;
mod writing;

pub use error::Error;
