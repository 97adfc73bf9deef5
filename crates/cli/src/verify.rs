//! `sluice verify`: the published tree against everything that must never be false.

pub mod arguments;

use daemon::clock::{Clock, SystemClock};
use daemon::verify::{Rest, Verifier};
use serde_json::json;
use store::PosixDisk;

use crate::failure::Failure;
use crate::settings::{Settings, may_look};
use crate::terminal::Terminal;
use arguments::Verify;

/// Reads everything, writes nothing; exit code 6 if anything is wrong.
pub fn run(settings: &Settings, asked: &Verify, terminal: &Terminal) -> Result<u8, Failure> {
    if let Some(mirror) = &asked.mirror {
        return crate::mirror::verify(mirror, asked.source.as_deref(), asked.deep, terminal);
    }
    let at_rest = asked.at_rest;
    let config = settings.config()?;
    may_look(&PosixDisk, &config)?;
    let rest = if at_rest { Rest::Quiet } else { Rest::AnyInstant };
    let now = SystemClock.now();
    let mut verifier = Verifier::default();
    if asked.deep {
        verifier = verifier.deep();
    }
    let found = verifier.verify(&PosixDisk, &config.root, Some(&config.spool), rest, now);
    let code = if found.is_empty() { 0 } else { 6 };
    terminal.either(
        &json!({ "root": config.root, "at_rest": at_rest, "exit": code, "violations": found }),
        |paint| {
            let mut text = String::new();
            for violation in &found {
                let number = paint.red(violation.invariant);
                text.push_str(&format!("{number} {}: {}\n", violation.place, violation.words));
            }
            match found.len() {
                0 => format!("{} {} is as it must be\n", paint.green("ok"), config.root),
                1 => format!("{text}1 violation in {}\n", config.root),
                broken => format!("{text}{broken} violations in {}\n", config.root),
            }
        },
    );
    Ok(code)
}
