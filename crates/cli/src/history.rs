//! `sluice history`: the generations, newest first, with what was asked and by whom.

use std::fmt::Write;

use jiff::Timestamp;
use plan::{GateSeen, Verdict};
use serde::Serialize;

use crate::chronicle::{Chapter, Chronicle};
use crate::failure::Failure;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::{Paint, Terminal};

#[derive(Debug, Serialize)]
struct Line {
    number: u64,
    created: Timestamp,
    current: bool,
    kept: bool,
    names: Vec<String>,
    entered: usize,
    left: usize,
    requests: Vec<Asked>,
}

#[derive(Debug, Serialize)]
struct Asked {
    id: String,
    claim: String,
    owner: String,
    action: String,
    reason: Option<String>,
    sentence: String,
    /// What somebody answered for: the gate, and its evidence.
    waived: Vec<(String, String)>,
}

/// Prints at most `limit` generations (0: all).
pub fn run(settings: &Settings, limit: usize, terminal: &Terminal) -> Result<u8, Failure> {
    let (_, store) = settings.store()?;
    let chronicle = Chronicle::of(store)?;
    let limit = if limit == 0 { usize::MAX } else { limit };
    let mut lines = Vec::new();
    for number in chronicle.newest_first().take(limit) {
        lines.push(line(&chronicle, number, chronicle.chapter(number)?));
    }
    terminal.either(&lines, |paint| words(&lines, paint));
    Ok(0)
}

fn line(chronicle: &Chronicle, number: u64, chapter: Chapter) -> Line {
    let Chapter { manifest, account } = chapter;
    let requests = account.requests.into_iter().map(|settled| Asked {
        id: settled.answer.id,
        claim: settled.answer.claim,
        owner: settled.answer.owner,
        action: settled.answer.action,
        reason: settled.reason,
        sentence: settled.answer.sentence,
        waived: waived(settled.answer.gates),
    });
    Line {
        number,
        created: manifest.created,
        current: number == chronicle.current,
        kept: chronicle.kept.contains(&number),
        names: chronicle.names.get(&number).cloned().unwrap_or_default(),
        entered: account.changes.values().map(|moves| moves.entered.len()).sum(),
        left: account.changes.values().map(|moves| moves.left.len()).sum(),
        requests: requests.collect(),
    }
}

fn waived(gates: Vec<GateSeen>) -> Vec<(String, String)> {
    let waived = gates.into_iter().filter(|seen| seen.verdict == Verdict::Waived);
    waived.map(|seen| (seen.gate, seen.evidence)).collect()
}

fn words(lines: &[Line], paint: Paint) -> String {
    let mut text = String::new();
    for line in lines {
        let mut marks = line.names.clone();
        if line.current {
            marks.push("current".into());
        }
        if !line.kept {
            marks.push("no longer kept".into());
        }
        let marks = if marks.is_empty() { String::new() } else { format!("  ({})", marks.join(", ")) };
        let _ = writeln!(
            text,
            "{}  {}  +{} -{}{marks}",
            paint.bold(&format!("@{}", line.number)),
            moment::text(line.created),
            line.entered,
            line.left,
        );
        for asked in &line.requests {
            let _ = writeln!(text, "    {} by {}: {}", asked.action, asked.owner, asked.sentence);
            if let Some(reason) = &asked.reason {
                let _ = writeln!(text, "    {}", paint.dim(&format!("because: {reason}")));
            }
            for (gate, evidence) in &asked.waived {
                let _ = writeln!(text, "    waived {gate}: {evidence}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_one_line_and_one_more_for_each_request() {
        let lines = [Line {
            number: 42,
            created: "2026-11-21T23:04:35Z".parse().unwrap(),
            current: true,
            kept: true,
            names: vec!["update-57".into()],
            entered: 3,
            left: 1,
            requests: vec![Asked {
                id: "x".into(),
                claim: "x".into(),
                owner: "user:alice".into(),
                action: "promote".into(),
                reason: Some("bug 7".into()),
                sentence: "three packages enter production".into(),
                waived: vec![("soak".into(), "`user:olga` answers for it".into())],
            }],
        }];
        assert_eq!(
            words(&lines, Paint::PLAIN),
            "@42  2026-11-21 23:04:35Z  +3 -1  (update-57, current)\n    promote by user:alice: three packages enter \
             production\n    because: bug 7\n    waived soak: `user:olga` answers for it\n"
        );
    }
}
