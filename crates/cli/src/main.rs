//! The program `sluice`: words for people in front of the library crate `daemon`.
//!
//! ```text
//! sluice init                                   directories and the first generation
//! sluice daemon                                 watch, plan, publish
//! sluice promote voms-clients --from delta      a request, dropped and waited for
//! sluice why voms-clients                       who put it where, when, and why
//! sluice demo                                   all of it in a folder, told as a story
//! ```
//!
//! Data goes to stdout and talk to stderr. The exit codes are those of `sluice --help`; this file is the only
//! one that ends the process.
#![expect(clippy::disallowed_methods, reason = "the environment is read here, once")]

mod adopt;
mod answer_text;
mod arguments;
mod ask;
mod bar;
mod chronicle;
mod clock;
mod compare;
mod config_check;
mod config_web;
mod createrepo;
mod demo;
mod diff;
mod failure;
mod generate;
mod history;
mod init;
mod lock_holder;
mod moment;
mod pattern;
mod read_packages;
