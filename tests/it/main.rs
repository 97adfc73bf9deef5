//! The integration tests: everything that needs more than one crate, a real program or a real disk.
//!
//! One binary, so that the workspace is linked once; a module per subject. `tests/setup.sh` installs
//! the programs these tests run, `tests/run` runs everything.
#![expect(clippy::disallowed_methods, reason = "these tests drive real programs on a real disk")]
#![allow(clippy::print_stdout, reason = "what was counted is shown with --nocapture")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod adopt;
mod along;
mod bad_input;
mod checker;
mod compare;
mod context;
mod crash;
mod createrepo;
mod createrepo_killed;
mod createrepo_parity;
mod databases;
mod demo;
mod deploy;
mod documents;
mod door;
mod drift;
mod faults;
mod full_engine;
mod gates;
mod header_edits;
mod histories;
mod hostile;
mod installable;
mod killed;
mod many;
mod memory;
mod metalink;
mod mirror;
mod node_types;
mod once;
mod overlap;
mod people;
mod planted_bugs;
mod power_loss;
mod procedure;
mod profiles;
mod promotion_cost;
mod purge;
mod readers;
mod real_dnf;
mod rebuilt_record;
mod rejudge;
mod reload;
mod requests;
mod restore;
mod rpm_order;
mod scrub;
mod signatures;
mod signed;
mod signed_requests;
mod site_report;
mod site_status;
mod splicing;
mod stories;
mod sweeping;
mod tidy;
mod two_daemons;
mod undo;
mod views;
mod witnessed;
