//! `sluice status --check`: one line and an exit code, as Nagios, Icinga and their kin want them.
//!
//! 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN: these are the codes of monitoring, not those of the other commands.
//! How old the current generation is says nothing about health, so it is only told.

use std::fmt::Write;
use std::sync::Arc;

use daemon::clock::{Clock, SystemClock};
use daemon::contexts::Kept;
use daemon::ground;
use daemon::spool::Spool;
use jiff::Timestamp;
use serde::Serialize;
use store::{Disk, PosixDisk};

use super::arguments::Limits;
use super::signer::Seen as Signing;
use crate::failure::Failure;
use crate::lock_holder;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// As it must be.
    Ok,
    /// Somebody should look.
    Warning,
    /// Somebody must look now.
    Critical,
    /// It could not be told.
    Unknown,
}

impl State {
    fn exit(self) -> u8 {
        match self {
            State::Ok => 0,
            State::Warning => 1,
            State::Critical => 2,
            State::Unknown => 3,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            State::Ok => "OK",
            State::Warning => "WARNING",
            State::Critical => "CRITICAL",
            State::Unknown => "UNKNOWN",
        }
    }

    /// What is known to be bad counts more than what is not known.
    pub(super) fn weight(self) -> u8 {
        match self {
            State::Ok => 0,
            State::Unknown => 1,
            State::Warning => 2,
            State::Critical => 3,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What: `daemon`, `current`, `requests`, `quarantine`, `free`, `signer`, `keys`, `contexts`, `clock`.
    pub what: &'static str,
    /// How it is.
    pub state: State,
    /// In a few words.
    pub words: String,
}

/// What was seen of a site; an error is what could not be seen.
#[derive(Debug)]
struct Seen {
    daemon: Option<u32>,
    current: Result<Option<(u64, Timestamp)>, (State, String)>,
    waiting: Result<Vec<(Timestamp, String)>, String>,
    quarantined: Result<Vec<u64>, String>,
    free: Result<ground::Free, String>,
    /// Who signs metadata, where some is signed.
    signer: Option<Signing>,
    /// How the keys stand that stages name, where some do.
    keys: Option<(State, String)>,
    /// How the contexts stand that stages name, where some do.
    contexts: Option<(State, String)>,
    now: Timestamp,
}

/// Looks once, without a lock, and prints one line with what was measured.
pub fn run(settings: &Settings, limits: &Limits, terminal: &Terminal) -> Result<u8, Failure> {
    let (state, line, findings) = match settings.store() {
        Ok((mut config, store)) => {
            let kept = Kept { disk: &PosixDisk, cache: store.paths().cache() };
            let spool = Spool::new(Arc::new(PosixDisk) as Arc<dyn Disk>, config.spool.clone());
            let current =
                store.current().map(|current| current.map(|current| (current.number, current.created)));
            let seen = Seen {
                daemon: lock_holder::seen(&config.root),
                current: current.map_err(|error| {
                    let broken =
                        matches!(error, store::Error::Broken { .. }) && !is_denied(&error.to_string());
                    (if broken { State::Critical } else { State::Unknown }, error.to_string())
                }),
                waiting: spool.waiting_since().map_err(|error| error.to_string()),
                quarantined: store
                    .quarantined()
                    .map(|all| all.iter().filter(|one| !one.emptied).map(|one| one.number).collect())
                    .map_err(|error| error.to_string()),
                free: ground::free(&config.root).map_err(|error| error.to_string()),
                signer: Signing::of(&config, &PosixDisk, &store),
                keys: super::keys::judge(&mut config, SystemClock.now()),
                contexts: super::contexts::judge(&config, &kept, SystemClock.now()),
                now: SystemClock.now(),
            };
            let findings = judge(&seen, limits);
            let (state, line) = line(&seen, &findings, limits);
            (state, line, findings)
        }
        Err(failure) => {
            // No site at all is a fault of the site; a configuration that cannot be read is one of the question.
            let state = if failure.exit == 5 { State::Critical } else { State::Unknown };
            let words = one_line(&failure.sentence);
            let finding = Finding { what: "current", state, words: words.clone() };
            (state, format!("SLUICE {} - {words}", state.as_str()), vec![finding])
        }
    };
    let said =
        serde_json::json!({ "state": state, "exit": state.exit(), "line": line, "findings": findings });
    terminal.either(&said, |_| format!("{line}\n"));
    Ok(state.exit())
}

/// A store that its reader may not look into is not broken.
fn is_denied(error: &str) -> bool {
    error.contains("Permission denied")
}

fn judge(seen: &Seen, limits: &Limits) -> Vec<Finding> {
    let finding = |what, state, words: String| Finding { what, state, words: one_line(&words) };
    let mut findings = Vec::new();
    findings.push(match seen.daemon {
        Some(process) => finding("daemon", State::Ok, format!("the daemon runs as process {process}")),
        None => finding("daemon", State::Critical, "no daemon holds the lock of the root".to_owned()),
    });
    findings.push(match &seen.current {
        Ok(Some((number, _))) => finding("current", State::Ok, format!("generation {number} is published")),
        Ok(None) => finding("current", State::Critical, "nothing is published yet".to_owned()),
        Err((state, error)) => finding("current", *state, error.clone()),
    });
    findings.push(match &seen.waiting {
        Ok(waiting) => match waiting.first() {
            None => finding("requests", State::Ok, "no request waits".to_owned()),
            Some((since, name)) => {
                let age = seen.now.as_second() - since.as_second();
                let over = |limit: std::time::Duration| age >= 0 && age.unsigned_abs() >= limit.as_secs();
                let state = match () {
                    () if over(limits.wait_critical) => State::Critical,
                    () if over(limits.wait_warning) => State::Warning,
                    () => State::Ok,
                };
                finding("requests", state, format!("{} wait, `{name}` for {age} s", waiting.len()))
            }
        },
        Err(error) => finding("requests", State::Unknown, error.clone()),
    });
    findings.push(match &seen.quarantined {
        Ok(numbers) if numbers.is_empty() => {
            finding("quarantine", State::Ok, "the quarantine is empty".to_owned())
        }
        Ok(numbers) => {
            let words = format!("abandoned generations lie in quarantine: {}", super::numbers(numbers));
            finding("quarantine", State::Warning, words)
        }
        Err(error) => finding("quarantine", State::Unknown, error.clone()),
    });
    findings.push(match &seen.free {
        Ok(free) => {
            let percent = free.percent();
            let state = match () {
                () if percent < limits.free_critical || free.files == Some(0) => State::Critical,
                () if percent < limits.free_warning => State::Warning,
                () => State::Ok,
            };
            finding("free", state, format!("{percent:.0} % free"))
        }
        Err(error) => finding("free", State::Unknown, error.clone()),
    });
    if let Some(signer) = &seen.signer {
        let (state, words) = signer.judge();
        findings.push(finding("signer", state, words));
    }
    if let Some((state, words)) = &seen.keys {
        findings.push(finding("keys", *state, words.clone()));
    }
    if let Some((state, words)) = &seen.contexts {
        findings.push(finding("contexts", *state, words.clone()));
    }
    if let Ok(Some((_, created))) = &seen.current {
        let behind = created.as_second() - seen.now.as_second();
        let state = match u64::try_from(behind) {
            Ok(behind) if behind >= limits.clock_critical.as_secs() => State::Critical,
            // Within the second in which it was published the clock need not have passed it.
            Ok(behind) if behind > 1 => State::Warning,
            _ => State::Ok,
        };
        let words = match state {
            State::Ok => "the clock is right".to_owned(),
            _ => format!(
                "the clock was set back: it lies {behind} s behind the current generation, requests wait"
            ),
        };
        findings.push(finding("clock", state, words));
    }
    findings
}

/// `SLUICE STATE - words | measured`, what is worst first.
fn line(seen: &Seen, findings: &[Finding], limits: &Limits) -> (State, String) {
    let worst = findings.iter().map(|finding| finding.state).max_by_key(|state| state.weight());
    let state = worst.unwrap_or(State::Unknown);
    let mut bad: Vec<&Finding> = findings.iter().filter(|finding| finding.state != State::Ok).collect();
    bad.sort_by_key(|finding| std::cmp::Reverse(finding.state.weight()));
    let told: Vec<&str> = match bad.is_empty() {
        true => findings.iter().map(|finding| finding.words.as_str()).collect(),
        false => bad.iter().map(|finding| finding.words.as_str()).collect(),
    };
    let mut line = format!("SLUICE {} - {}", state.as_str(), told.join("; "));
    let mut measured = Vec::new();
    if let Ok(Some((number, created))) = &seen.current {
        let age = (seen.now.as_second() - created.as_second()).max(0);
        measured.push(format!("generation={number} generation_age={age}s"));
    }
    if let Ok(waiting) = &seen.waiting {
        let oldest =
            waiting.first().map_or(0, |(since, _)| (seen.now.as_second() - since.as_second()).max(0));
        let (warning, critical) = (limits.wait_warning.as_secs(), limits.wait_critical.as_secs());
        measured.push(format!("waiting={} oldest_request={oldest}s;{warning};{critical};0", waiting.len()));
    }
    if let Ok(numbers) = &seen.quarantined {
        measured.push(format!("quarantine={};0;;0", numbers.len()));
    }
    if let Ok(free) = &seen.free {
        // A value below the limit is bad, which plug-ins write with a colon behind it.
        let (warning, critical) = (limits.free_warning, limits.free_critical);
        measured.push(format!("free={:.1}%;{warning}:;{critical}:;0;100", free.percent()));
    }
    if !measured.is_empty() {
        let _ = write!(line, " | {}", measured.join(" "));
    }
    (state, line)
}

/// Monitoring reads one line, and a bar begins what was measured.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "/")
}

#[cfg(test)]
mod tests;
