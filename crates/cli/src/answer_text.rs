//! An answer as people read it.

use std::fmt::Write;

use plan::{Answer, Moved, Outcome};

use crate::failure::Failure;
use crate::terminal::{Paint, Terminal};

/// Prints an answer and returns the exit code it asks for.
pub fn print(answer: &Answer, terminal: &Terminal) -> u8 {
    terminal.tell_service_manager(&answer.sentence);
    if terminal.json {
        terminal.json(answer);
    } else if answer.outcome == Outcome::Refused {
        terminal.failure(&refused(answer));
    } else {
        terminal.data(&words(answer, terminal.paint));
    }
    answer.exit
}

fn refused(answer: &Answer) -> Failure {
    let mut reasons = answer.reasons.clone();
    reasons.extend(
        answer
            .gates
            .iter()
            .filter(|gate| gate.verdict == plan::Verdict::Fail)
            .map(|gate| format!("gate {}: {}", gate.gate, gate.evidence)),
    );
    reasons.push(format!("(code {}, answer {})", answer.code, answer.claim));
    Failure { exit: answer.exit, sentence: answer.sentence.clone(), reasons, hint: answer.hint.clone() }
}

/// Writes an answer that is no refusal.
pub fn words(answer: &Answer, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold(&answer.sentence));
    for reason in &answer.reasons {
        let _ = writeln!(text, "  {reason}");
    }
    if let Some(plan) = &answer.plan {
        text.push_str(plan);
        if !plan.ends_with('\n') {
            text.push('\n');
        }
    } else {
        moved(&answer.moved, paint, &mut text);
        for gate in &answer.gates {
            let _ = writeln!(text, "  gate {}: {}, {}", gate.gate, gate.verdict.as_str(), gate.evidence);
        }
    }
    // A printed plan tells both.
    if answer.plan.is_none() {
        for one in &answer.node_types {
            let _ = writeln!(text, "  node type: {} is {} now, in {}", one.before, one.after, one.repository);
        }
        for one in &answer.hosts {
            let who = match &one.node_type {
                Some(name) => format!("hosts of {} with {name}", one.stage),
                None => format!("other hosts of {}", one.stage),
            };
            let _ = writeln!(text, "  {who} run: {}", one.dnf);
        }
    }
    if let Some(hosts_run) = answer.hosts_run.as_ref().filter(|_| answer.hosts.is_empty()) {
        let _ = writeln!(text, "  hosts run: {hosts_run}");
    }
    // A printed plan ends with its hash.
    if let (Some(hash), None) = (&answer.plan_hash, &answer.plan) {
        let _ = writeln!(text, "  {}", paint.dim(&format!("plan {hash}")));
    }
    if let Some(hint) = &answer.hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
    let _ = writeln!(text, "  {}", paint.dim(&format!("answer {}", answer.claim)));
    text
}

/// Writes what entered (`+`) and left (`-`) each repository.
pub fn moved(moved: &[Moved], paint: Paint, text: &mut String) {
    for Moved { repository, entered, left } in moved {
        let _ = writeln!(text, "  {repository}");
        for nevra in entered {
            let _ = writeln!(text, "    {}", paint.green(&format!("+ {nevra}")));
        }
        for nevra in left {
            let _ = writeln!(text, "    {}", paint.red(&format!("- {nevra}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        Answer::from_json(
            br#"{"format": 1, "claim": "promote-1", "id": "promote-1", "owner": "user:alice", "action": "promote",
            "request_digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "outcome": "done", "code": "done", "exit": 0, "sentence": "generation 7 is published", "generation": 7,
            "moved": [{"repository": "glite-el9-x86_64-production", "entered": ["voms-2-1.x86_64"],
                       "left": ["voms-1-1.x86_64"]}],
            "gates": [{"gate": "version-order", "verdict": "pass", "evidence": "nothing newer is there"}],
            "hosts_run": "dnf upgrade"}"#,
        )
        .unwrap()
    }

    #[test]
    fn an_answer_tells_what_moved_and_what_hosts_must_run() {
        let expected = "generation 7 is published\n  glite-el9-x86_64-production\n    + voms-2-1.x86_64\n    \
                        - voms-1-1.x86_64\n  gate version-order: pass, nothing newer is there\n  hosts run: dnf \
                        upgrade\n  answer promote-1\n";
        assert_eq!(words(&answer(), Paint::PLAIN), expected);
    }

    #[test]
    fn a_refusal_names_the_gates_that_failed_and_its_code() {
        let mut answer = answer();
        answer.outcome = Outcome::Refused;
        answer.code = "older".into();
        answer.exit = 3;
        answer.gates[0].verdict = plan::Verdict::Fail;
        let failure = refused(&answer);
        assert_eq!(failure.exit, 3);
        assert_eq!(
            failure.reasons,
            ["gate version-order: nothing newer is there", "(code older, answer promote-1)"]
        );
    }
}
