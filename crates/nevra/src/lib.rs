//! The words of the trade: names, versions and their order, architectures, digests, dependencies.
//!
//! ```text
//! voms-clients - 1: 1.9.10 - 2 . x86_64        a Nevra
//! |              |  |        |   |
//! name           |  version  |   Arch
//!                epoch       release
//!                `-- Evr ----'                 ordered as rpm orders it
//! ```
//!
//! Everything here is a value: nothing reads a file, a clock or the network. Each type is parsed
//! from text, prints back to the same text, and travels through serde as that text.
//!
//! ```
//! use nevra::{Arch, Dependency, Evr, Nevra};
//!
//! let old: Nevra = "voms-clients-1.9.9-1.x86_64".parse()?;
//! let new: Nevra = "voms-clients-1.9.10-1.x86_64".parse()?;
//! assert!(old < new);
//! assert_eq!(new.file_name(), "voms-clients-1.9.10-1.x86_64.rpm");
//!
//! let candidate: Evr = "1.9.10~rc1-1".parse()?;
//! assert!(candidate < new.evr);
//!
//! let wanted: Dependency = "voms-clients = 1.9.10".parse()?;
//! assert!(wanted.overlaps(&new.provided()));
//!
//! assert!(Arch::new("i686").accepted_by(&Arch::new("x86_64")));
//! # Ok::<(), nevra::ParseError>(())
//! ```

mod arch;
mod dependency;
mod digest;
mod evr;
mod fingerprint;
mod full_name;
mod hex;
mod parse_error;
mod text;

pub use arch::Arch;
pub use dependency::{Bound, Dependency, Sense};
pub use digest::{Algorithm, Digest, Sha256};
pub use evr::Evr;
pub use fingerprint::Fingerprint;
pub use full_name::Nevra;
pub use hex::{from_hex, to_hex};
pub use parse_error::ParseError;
