//! Evidence of what a site really has installed: a script asks, a report answers, and it is compared.
//!
//! ```text
//! Asked --script--> text of a shell script ..... run at the site ..... SiteReport --+
//!                                                                        ^          | compare
//!                                                 bytes handed in --parse--          v
//! Wanted, the packages of the bundle ----------------------------------------> Difference
//! ```
//!
//! A report says what a site says of itself: it saves honest people from mistakes (the mirror that was behind, the node
//! that was forgotten, the package built anew under its old name) and convinces nobody of anything against their will.
mod asked;
mod difference;
mod site_report;

pub use asked::{Asked, NotAPackageName, PackageName, script};
pub use difference::{Compared, Difference, Finding, Wanted, compare};
pub use site_report::{Installed, NotAReport, NotTheAnswer, REPORT_MAX, SiteReport, parse};

/// The first line of a report, with the number of its format.
const FIRST_LINE: &str = "sluice-site-report 1";
