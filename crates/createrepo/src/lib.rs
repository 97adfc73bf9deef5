//! Repodata of a plain directory of packages, on any [`store::Disk`].
//!
//! ```text
//!   packages_below --hrefs--> items --> written --three files--> metadata --put in place in one instant--> repodata/
//!   the walk                  read, or  hashed, cut              beside, synced
//!                             known     and packed in blocks
//! ```
//!
//! What lies in the directory is somebody else's: names may be any bytes, links may lead anywhere, files may be
//! no packages at all. What cannot be listed is handed back by name ([`Unreadable`]), the rest is listed.

mod compare;
mod create;
mod earlier;
mod entries;
mod error;
mod excludes;
mod order;
mod reading;
mod replace;
mod retention;
mod sources;
mod walk;
mod writing;

pub use compare::{Claim, Comparison, Finding, MetadataFile, Theirs, compare};
pub use create::{Report, create};
pub use entries::{Listing, entries_of};
pub use error::{Error, Unreadable};
pub use excludes::Excludes;
pub use order::{Beside, Order, Placing, Selection, Update};
pub use reading::{CHANGES, read_package};
pub use replace::{OtherLock, Replaced};
pub use retention::Retention;
pub use walk::{Found, Links, packages_below};
