//! Deciding: a request and the [`World`] make a complete [`Plan`], or a [`Refusal`]. Nothing here sees a disk,
//! a clock or a network; the same arguments give the same decision.
//!
//! ```text
//!  bytes --parse--> Request --needs--> what to load --+
//!                      |                              v
//!                      +---------> decide <-------- World
//!                                    |
//!              Refusal    NothingToDo    Plan --check--> violations (a bug, if any)
//!                                          |
//!                                          +--> hash (what is approved), print (what is shown)
//! ```
//!
//! A promotion, from the bytes of the request to the plan:
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//! use plan::*;
//!
//! let stage = |name: &str| Stage {
//!     name: name.into(),
//!     path: "{product}/{os}/{arch}/{stage}".into(),
//!     versions: Versions::All,
//!     import_roles: vec!["release".into()],
//!     ..Stage::default()
//! };
//! let product = Product {
//!     name: "glite-3.2".into(),
//!     platforms: vec!["sl5/x86_64".parse()?],
//!     stages: vec![stage("delta"), stage("production")],
//!     routes: vec![Route { from: "delta".into(), to: "production".into(), roles: vec!["release".into()], ..Route::default() }],
//!     ..Product::default()
//! };
//! let layout = Layout { products: BTreeMap::from([(product.name.clone(), product)]), ..Layout::default() };
//! assert!(layout.check().is_empty());
//!
//! let mut world = World::new(Arc::new(layout), "2026-03-01T12:00:00Z".parse()?, 41);
//! for repository in world.layout.repositories() {
//!     world.repositories.insert(repository, vec![]);
//! }
//! let delta = world.layout.named("glite-3.2-sl5-x86_64-delta").expect("it is configured above");
//! let voms = ListedPackage {
//!     nevra: "voms-1.9.14-1.x86_64".parse()?,
//!     pkgid: "3f".repeat(32).parse()?,
//!     size: 52_000,
//!     source_rpm: "voms-1.9.14-1.src.rpm".into(),
//! };
//! world.repositories.insert(delta, vec![voms.into()]);
//!
//! let bytes = br#"
//! format = 1
//! action = "promote"
//! product = "glite-3.2"
//! from = "delta"
//! to = "production"
//! packages = ["voms"]
//!
//! [end]
//! "#;
//! let request = parse(bytes, Format::Toml).expect("it is a sound request");
//! let alice = Asker { name: "user:alice".into(), roles: vec![(None, "release".into())] };
//! let Decision::Effect(plan) = decide(&world, &request, &alice, &[]) else { panic!("alice may promote") };
//! assert_eq!(check(&world, &plan), vec![]);
//! assert_eq!(plan.sentence, "`voms-1.9.14-1.x86_64` moves from `delta` to `production` of `glite-3.2`");
//! assert!(plan.print().contains("\nglite-3.2-sl5-x86_64-production\n  + voms-1.9.14-1.x86_64  3f3f3f3f3f3f3f3f\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod carrying;
mod check;
mod decide;
mod hosts;
mod lacking;
mod layout;
mod near;
mod package_signatures;
mod plan;
mod recipe;
mod recorded;
mod refusal;
mod request;
pub mod retention;
#[cfg(test)]
mod samples;
mod standing;
mod witness;
mod world;

pub use answer::{Answer, Moved, Outcome};
pub use carrying::{Beside, Earlier, Part};
pub use check::{Violation, check};
pub use decide::{
    Decision, Held, Pinning, Promise, WAIVABLE, decide, is_generation_name, over, pinning, promises,
    publishing, wrong_pattern,
};
pub use hosts::ZYPPER_GOES_BACK;
pub use lacking::{Context, External, Header, HeaderOf, Indexed, Lacking, Place, Unfit};
pub use layout::{
    Approvals, Clients, Closure, FreezeSpan, FreezeTime, Kind, Layout, MetaPackages, NO_OPEN_CHECKSUMS,
    NODE_TYPES, NotAPlatform, NotAWeekTime, PartialRelease, Platform, Procedure, Product, Profile, Raising,
    Repository, Route, Stage, Versions, WeekTime, Writing, has_folder, in_view, is_component, node_types,
    view_path,
};
pub use package_signatures::{Flaw, FlawKind, Payload, Signed, Signer};
pub use plan::{Adopted, Change, GateSeen, Plan, Verdict};
pub use recipe::{HostsRun, NodeType, PinChange, Raised, Rebuilt, Recipe, Unbuilt};
pub use recorded::{Effected, Moves, Recorded};
pub use refusal::{Code, Refusal, table};
pub use request::signed;
pub use request::{
    Action, Advised, FORMAT, Format, Partial, Reference, Request, SIZE_MAX, STEPS, is_complete, parse,
    upload_parts,
};
pub use standing::{
    APPROVAL_COUNTS, Agreement, Approval, Covering, Decided, Freeze, HELD_BYTES_MAX, HELD_BYTES_OF_ALL_MAX,
    HeldAdvisory, RETRACTIONS_MAX, Rejected, Retraction, STANDING_MAX, STANDING_OF_ONE_MAX, Seat, Standing,
    TAKEN_BACK_MAX, TakenBack, Variant, Waiver,
};
pub use witness::{ACROSS_BOOTS_MAX, LAG_MIN, Reading, Witness};
pub use world::{
    Arrival, Asker, Existing, Holders, Listed, ListedPackage, NamedGeneration, Needs, Retained, World,
    digest_of_digests, digest_of_set, needs,
};
