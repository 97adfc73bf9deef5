//! Meta-packages: RPMs that bring documentation at most, and whose requirements pin the components of a node type. What
//! is one [`Definition`] says.
//!
//! ```text
//! glite-WMS-3.2.1-4.sl5                                   glite-WMS-3.2.1-5.sl5
//!   Requires: voms = 2.0.8-1.el5       --rebuilt-->         Requires: voms = 2.0.9-1.el5
//!   Requires: lcg-CA                                        Requires: lcg-CA
//! ```
//!
//! A new component often needs nothing of its meta-package but another pin. [`rebuilt`] makes that package out
//! of the one that is there: no spec file, no build host, and every byte that was not to change is the same.
//! What comes out is not signed; `repo::with_header_signature` puts a signature in.
//!
//! ```
//! use std::collections::{BTreeMap, BTreeSet};
//!
//! use metapackage::{Change, Rebuild, Substance, pins_of, rebuilt, substance_of};
//! use repo::Recipe;
//!
//! let rpm = Recipe::new("glite-WMS", "3.2.1", "4.sl5").requires("voms = 2.0.8-1.el5").requires("lcg-CA").build();
//! let mut payload = rpm.as_slice();
//! let head = repo::read_head(&mut payload)?;
//! assert_eq!(substance_of(&head), Substance::NoFiles);
//!
//! let rebuild = Rebuild {
//!     release: Some("5.sl5".into()),
//!     build_time: 1_400_000_000,
//!     pins: BTreeMap::from([("voms".into(), "2.0.9-1.el5".parse()?)]),
//!     without: BTreeSet::new(),
//!     change: Some(Change { who: "Ann <ann@example.org>".into(), text: "- voms 2.0.9".into() }),
//!     files_allowed: false,
//! };
//! let newer = rebuilt(&head, payload, &rebuild)?;
//! let newer = repo::read_head(&mut newer.as_slice())?;
//! assert_eq!(newer.nevra()?.to_string(), "glite-WMS-3.2.1-5.sl5.noarch");
//! assert_eq!(pins_of(&newer)?[0].to_string(), "voms = 2.0.9-1.el5");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod definition;
mod error;
mod pin;
mod rebuild;
mod requirements;
mod substance;
mod version;

pub use definition::{Definition, EDITION};
pub use error::RebuildError;
pub use pin::{Pin, pins_among, pins_of};
pub use rebuild::{Change, Rebuild, rebuilt};
pub use substance::{Substance, substance_of};
