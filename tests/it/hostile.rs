//! Packages and other input that somebody made to do harm: refused, and nothing else happens.

mod huge;
mod input;
mod mutants;
mod packages;
mod targets;
mod worker;
