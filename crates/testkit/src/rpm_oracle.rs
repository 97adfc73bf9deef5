//! What rpm itself says about versions and dependencies.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::program;

/// Asks rpm many questions in one process.
#[derive(Debug, Default)]
pub struct RpmOracle;

impl RpmOracle {
    /// Compares pairs of `[epoch, version, release]` as rpm sorts packages: -1, 0 or 1 each.
    #[must_use]
    pub fn compare(pairs: &[[[String; 3]; 2]]) -> Vec<i8> {
        Self::ask(&json!({ "compare": pairs }))
            .into_iter()
            .map(|answer| answer.as_i64().unwrap_or(9) as i8)
            .collect()
    }

    /// Says for pairs of `[name, sign, evr]` whether the two ranges overlap; an unversioned dependency has
    /// an empty sign and an empty EVR.
    #[must_use]
    pub fn overlap(pairs: &[[[String; 3]; 2]]) -> Vec<bool> {
        Self::ask(&json!({ "overlap": pairs })).into_iter().map(|answer| answer == json!(true)).collect()
    }

    fn ask(questions: &serde_json::Value) -> Vec<serde_json::Value> {
        // Debian's interpreter has the binding; one that comes first in PATH may not.
        let mut child = program("/usr/bin/python3")
            .args(["-c", include_str!("rpm_oracle.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("failed to run python3");
        let mut input = child.stdin.take().expect("standard input is a pipe");
        let text = questions.to_string();
        // It reads to the end before it answers, so writing first cannot block for ever.
        input.write_all(text.as_bytes()).expect("failed to ask rpm");
        drop(input);
        let output = child.wait_with_output().expect("failed to hear rpm");
        assert!(output.status.success(), "rpm's Python binding failed; tests/setup.sh installs python3-rpm");
        serde_json::from_slice(&output.stdout).expect("the oracle answers with a list")
    }
}
