//! Deciding: a request and the [`World`] make a complete [`Plan`], or a [`Refusal`].

pub mod answer;
mod check;
mod decide;
pub mod layout;
mod near;
pub mod plan;
pub mod refusal;
pub mod request;
#[cfg(test)]
mod samples;
pub mod world;

pub use answer::{Answer, Moved, Outcome};
pub use check::{Violation, check};
pub use decide::{Decision, decide, is_generation_name};
pub use layout::{Kind, Layout, Platform, Product, Repository, Route, Stage, Versions};
pub use plan::{Change, GateSeen, Plan, Verdict};
pub use refusal::{Code, Refusal, table};
pub use request::{Action, Format, Reference, Request, is_complete, parse, upload_parts};
pub use world::{Arrival, Asker, Listed, NamedGeneration, Needs, Retained, World, digest_of_set, needs};
