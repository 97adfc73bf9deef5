//! A gate that is a program: it reads the plan, says its evidence, and ends with 0 or 1.
#![expect(clippy::disallowed_methods, reason = "runs the program of a gate")]

use std::process::Command;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use plan::{Change, External, Listed, Plan, Repository};
use serde_json::{Map, Value, json};

use super::one_line;
use crate::program::{self, End, Unheard};

/// How much evidence is heard, in bytes.
const SAID_MAX: usize = 64 << 10;

/// What came of asking.
pub(super) struct Asked {
    pub(super) said: External,
    pub(super) is_too_late: bool,
}

/// Asks the program about a plan. Whatever it does but to end with 0 or 1 counts as a no.
pub(super) fn ask(words: &[String], timeout: SignedDuration, name: &str, plan: &Plan) -> Asked {
    let mut is_too_late = false;
    let said = said(words, timeout, name, plan, &mut is_too_late);
    Asked { said, is_too_late }
}

fn said(
    words: &[String],
    timeout: SignedDuration,
    name: &str,
    plan: &Plan,
    is_too_late: &mut bool,
) -> External {
    let Some((path, arguments)) = words.split_first() else {
        return External::Unusable("it has no program".to_owned());
    };
    let mut command = Command::new(path);
    command.args(arguments).env("SLUICE_GATE", name).env("SLUICE_PLAN", plan.hash().hex());
    let patience = Duration::try_from(timeout).unwrap_or_default();
    let heard = match program::ask(
        &mut command,
        in_json(plan).to_string().as_bytes(),
        SAID_MAX,
        Instant::now() + patience,
    ) {
        Ok(heard) => heard,
        Err(Unheard::Missing(error)) => {
            return External::Unusable(format!("`{path}` could not be started: {error}"));
        }
        Err(Unheard::Broken(error)) => {
            return External::Unusable(format!("`{path}` could not be listened to: {error}"));
        }
    };
    let evidence = one_line(&String::from_utf8_lossy(&heard.said));
    *is_too_late = matches!(heard.end, End::TooLate);
    match &heard.end {
        End::Itself(status) if status.code() == Some(0) => External::Pass(evidence),
        End::Itself(status) if status.code() == Some(1) => External::Fail(evidence),
        end => {
            let words = match end {
                End::Itself(status) => program::ended(&format!("`{path}`"), *status),
                End::TooLate => format!("`{path}` did not end within {} s", patience.as_secs_f64()),
                End::TooMuch => format!("`{path}` said too much"),
            };
            External::Unusable(one_line(&format!("{words}{}", heard.complaint())))
        }
    }
}

/// What is asked: what the plan does, and what it is called in results and approvals.
fn in_json(plan: &Plan) -> Value {
    let listed = |all: &[Listed]| -> Vec<Value> {
        all.iter().map(|one| json!({"nevra": one.nevra, "sha256": one.pkgid, "size": one.size})).collect()
    };
    let change = |(repository, change): (&Repository, &Change)| {
        (repository.name(), json!({"enter": listed(&change.enter), "leave": listed(&change.leave)}))
    };
    let changes: Map<String, Value> = plan.changes.iter().map(change).collect();
    json!({
        "format": 1,
        "plan": plan.hash(),
        "action": plan.action,
        "sentence": plan.sentence,
        "repositories": changes,
    })
}
