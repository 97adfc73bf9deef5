//! Packages and other input that somebody made to do harm: refused, and nothing else happens.

mod input;
mod mutants;
mod packages;
mod targets;
mod worker;
