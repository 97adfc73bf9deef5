//! Generations on a disk: made where nobody looks, put in force in one instant, never lost by a power cut.
//!
//! ```text
//!   Draft ──▶ staging/42 ──▶ sealed ──▶ P: generations/42 ──▶ public/current -> @42 ──▶ names ──▶ finish
//!             links.json     fsync,     W: public/@42          the one instant                    drops,
//!             pool, links    read back                         fsync public/                      staging/42
//!   any error ◀──────────────────────────────────────▶│◀──────────────────────▶ any error
//!   Abandoned: links undone, only the number is left  │       Unproven: tell nobody, stop
//! ```
//!
//! The store knows files, links and numbers. It never looks into a package, and it takes no decision: a
//! [`Draft`] leaves none. Whatever it does to the disk goes through the trait [`Disk`], whose calls say
//! what makes what durable; [`PosixDisk`] is the disk of this machine.
//!
//! ```
//! use std::collections::{BTreeMap, BTreeSet};
//! use std::sync::Arc;
//! use store::{AccountText, Draft, Modified, PackageLink, PoolArrival, PosixDisk, Recovery, Source, Store};
//!
//! # let folder = tempfile::tempdir()?;
//! # let root = camino::Utf8PathBuf::from_path_buf(folder.path().join("root")).unwrap();
//! let store = Store::new(Arc::new(PosixDisk), root);
//! store.create_directories()?;
//! let lock = store.lock()?;
//! assert_eq!(store.recover(&lock)?, Recovery::Empty);
//!
//! // Outside the line: a file is copied, hashed and read back.
//! let arrived = store.bring_in("claim-1", "hello.rpm", &mut "not really an RPM".as_bytes(), Modified::default())?;
//! let digest = arrived.sha256;
//! let link = format!("packages/demo/{}/{}/hello.rpm", digest.shard(), digest.short());
//!
//! // In the line: everything the next generation consists of.
//! let page = Source::Bytes { bytes: b"<p>hello".to_vec(), modified: Modified::of_seconds(1_700_000_000), until: None };
//! let draft = Draft {
//!     number: store.next_number()?,
//!     created: "2026-01-01T00:00:00Z".parse()?,
//!     public: BTreeMap::from([("index.html".into(), page)]),
//!     private: BTreeMap::new(),
//!     packages_links: BTreeMap::from([("demo/Packages".into(), "demo".to_owned())]),
//!     private_links: BTreeMap::new(),
//!     pool: vec![PoolArrival { digest, size: arrived.size, from: arrived.path }],
//!     links: vec![PackageLink { digest, path: link }],
//!     retained: BTreeMap::new(),
//!     drop_links: BTreeSet::new(),
//!     drop_generations: BTreeSet::new(),
//!     names: BTreeMap::new(),
//!     policy: b"format = 1\n".to_vec(),
//!     account: AccountText::of(&serde_json::json!({"settled": ["claim-1"]}))?,
//! };
//! let generation = store.commit(&lock, draft)?;
//!
//! // Now it is visible and durable: the requests are answered, and then
//! store.finish(&lock, generation.number)?;
//! store.remove_import("claim-1")?;
//! assert_eq!(store.read_public(&generation, "index.html")?, b"<p>hello");
//! assert_eq!(store.recover(&lock)?, Recovery::Idle { quarantined: vec![] });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the next generation keeps, it carries ([`Source::Carry`]): a hard link costs about 30 us, and is made
//! only while the file is what the last generation recorded.

mod account_text;
mod arrivals;
mod commit;
#[cfg(test)]
mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod crash;
pub mod disk;
mod draft;
mod drift;
mod error;
mod files;
mod finish;
#[cfg(any(test, feature = "testing"))]
pub mod forgetful;
mod generation;
mod holders;
mod links;
mod manifest;
mod paths;
pub mod planted;
mod pointer;
mod pool;
mod posix;
mod quarantine;
mod recovery;
mod restored;
mod sealed;
mod staging;
mod store;
mod trees;
#[cfg(test)]
mod workshop;

pub use account_text::AccountText;
pub use arrivals::Arrived;
pub use disk::{Disk, Kind, Modified, Names, Reading, State, Writing};
pub use draft::{Draft, PackageLink, Part, PoolArrival, Source};
pub use drift::Drift;
pub use error::{CommitError, Error, may_pass};
pub use files::{FileFacts, Files};
pub use generation::{Generation, Recorded};
pub use holders::Holders;
pub use manifest::{Manifest, Named, Parent};
pub use paths::{Paths, is_name, number_of};
pub use pool::pooled;
pub use posix::PosixDisk;
pub use quarantine::Quarantined;
pub use recovery::Recovery;
pub use restored::Mended;
pub use store::{Lock, Store};
