//! `sluice daemon`: logs, signals, and the daemon's loop on the main thread.

use std::sync::Arc;

use daemon::clock::SystemClock;
use daemon::config::accounts;
use daemon::ground::{self, Asks};
use daemon::reading::Worker;
use daemon::{once, run};
use tracing_subscriber::EnvFilter;

use crate::arguments::Daemon;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Runs until it is told to stop, or until nothing waits if that was asked for.
pub fn run(settings: &Settings, options: &Daemon, terminal: &Terminal) -> Result<u8, Failure> {
    let filter = EnvFilter::try_new(&options.log)
        .map_err(|error| Failure::usage(format!("`{}` is no filter for the log: {error}", options.log)))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // They go to stderr by a way that panics where stderr is full or gone, and ends the daemon with it.
        .log_internal_errors(false)
        .with_ansi(terminal.has_colourful_talk());
    if options.log_json {
        log.json().init();
    } else {
        log.init();
    }
    for unfit in ground::demand(&settings.config()?, Asks::Writer)? {
        tracing::warn!("{unfit}");
    }
    // The loop itself waits on a thread; the runtime only hears signals.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(format!("failed to start the runtime: {error}")))?;
    let (wake, wakes) = run::wakes();
    runtime.block_on(async { run::on_signals(wake.clone()) })?;
    let file = settings.file().to_owned();
    let read = || accounts::load(&file);
    let reader = Arc::new(Worker::of_this_program());
    let ran = if options.once {
        once::run(&read, reader, &wakes)
    } else {
        let clock = Arc::new(SystemClock);
        run::run(&read, reader, clock, (wake, wakes), &mut || tracing::info!("ready"))
    };
    ran.map_err(|error| {
        let exit = if error.may_pass() { 75 } else { error.exit() };
        Failure { exit, ..Failure::from(error) }
    })?;
    Ok(0)
}
