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
mod advisory;
mod answer_text;
mod arguments;
mod ask;
mod audit;
mod bar;
mod chronicle;
mod clock;
mod compare;
mod config_check;
mod config_web;
mod context;
mod createrepo;
mod decisions;
mod demo;
mod diff;
mod directories;
mod failure;
mod generate;
mod history;
mod impact;
mod init;
mod keys;
mod lock_holder;
mod metapackage;
mod mirror;
mod moment;
mod pattern;
mod procedure;
mod purge;
mod read_packages;
mod receive;
mod release_package;
mod requests;
mod run_daemon;
mod serve;
mod settings;
mod show;
mod status;
mod sweep;
mod terminal;
mod undo;
mod verify;
mod why;

use std::process::ExitCode;

use arguments::{Arguments, ConfigVerb, Verb};
use clap::Parser;
use failure::Failure;
use settings::Settings;
use terminal::Terminal;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let terminal = Terminal::of_process(arguments.json, no_color);
    let settings = Settings::new(arguments.config, std::env::var_os("SLUICE_CONFIG"));
    // Nothing is planted, nor looked for, in a program that was not built for tests.
    let planted = store::planted::plant_by_environment(|name| std::env::var_os(name)).map_err(Failure::usage);
    let code = match planted.and_then(|()| carry_out(arguments.verb, &settings, &terminal)) {
        Ok(code) => code,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit
        }
    };
    ExitCode::from(code)
}

fn carry_out(verb: Verb, settings: &Settings, terminal: &Terminal) -> Result<u8, Failure> {
    match verb {
        Verb::Init(asked) => init::run(settings, &asked, terminal),
        Verb::Config { verb: ConfigVerb::Check { file } } => config_check::run(settings, file, terminal),
        Verb::Config { verb: ConfigVerb::Web { server, output } } => {
            config_web::run(settings, server, output.as_deref(), terminal)
        }
        Verb::Daemon(daemon) => run_daemon::run(settings, &daemon, terminal),
        Verb::Import(import) => requests::import(settings, import, terminal),
        Verb::Adopt(adopt) => adopt::run(settings, adopt, terminal),
        Verb::Promote(promote) => requests::promote(settings, promote, terminal),
        Verb::Withdraw(withdraw) => requests::withdraw(settings, withdraw, terminal),
        Verb::Rollback(rollback) => requests::rollback(settings, rollback, terminal),
        Verb::Metapackage(asked) => metapackage::run(settings, asked, terminal),
        Verb::Impact(impact) => impact::run(settings, impact, terminal),
        Verb::Revert(revert) => requests::revert(settings, revert, terminal),
        Verb::Undo(undo) => undo::run(settings, undo, terminal),
        Verb::Purge(purge) => purge::run(settings, purge, terminal),
        Verb::Advisory(asked) => advisory::run(settings, asked, terminal),
        Verb::Approve(asked) => decisions::approve(settings, asked, terminal),
        Verb::Waive(asked) => decisions::waive(settings, asked, terminal),
        Verb::Variant(asked) => decisions::variant(settings, asked, terminal),
        Verb::Freeze(asked) => decisions::freeze(settings, asked, terminal),
        Verb::Thaw(asked) => decisions::thaw(settings, asked, terminal),
        Verb::Keep(keep) => requests::keep(settings, keep, terminal),
        Verb::Sweep(asked) => sweep::run(settings, asked, terminal),
        Verb::Clock(asked) => clock::run(settings, asked, terminal),
        Verb::Receive(asked) => receive::run(settings, &asked, terminal),
        Verb::Submit(submit) => requests::submit(settings, submit, terminal),
        Verb::Patch { verb } => procedure::run(settings, verb.into(), terminal),
        Verb::Bundle { verb } => procedure::run(settings, verb.into(), terminal),
        Verb::Ticket { verb } => procedure::run(settings, verb.into(), terminal),
        Verb::Task { verb } => procedure::run(settings, verb.into(), terminal),
        Verb::Release { verb } => procedure::run(settings, verb.into(), terminal),
        Verb::Team { verb } => procedure::run(settings, verb.into(), terminal),
        Verb::Calendar { ics } => procedure::calendar::run(settings, ics, terminal),
        Verb::Status(asked) => status::run(settings, &asked, terminal),
        Verb::History { limit } => history::run(settings, limit, terminal),
        Verb::Show { generation } => show::run(settings, &generation, terminal),
        Verb::Diff { older, newer } => diff::run(settings, &older, &newer, terminal),
        Verb::Context(asked) => context::run(settings, &asked, terminal),
        Verb::Keys => keys::run(settings, terminal),
        Verb::Why { what } => why::run(settings, &what, terminal),
        Verb::Audit(asked) => audit::run(settings, &asked, terminal),
        Verb::Verify(asked) => verify::run(settings, &asked, terminal),
        Verb::Mirror(asked) => mirror::run(&asked, terminal),
        Verb::Compare(asked) => compare::run(&asked, terminal),
        Verb::Serve(asked) => serve::run(settings, &asked, terminal),
        Verb::ReleasePackage(asked) => release_package::run(settings, &asked, terminal),
        Verb::Createrepo(createrepo) => createrepo::run(&createrepo, settings, terminal),
        Verb::ReadPackages(asked) => read_packages::run(&asked),
        Verb::Generate { verb } => generate::run(&verb, terminal),
        Verb::Demo(demo) => demo::run(&demo, terminal),
    }
}
