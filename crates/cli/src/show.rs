//! `sluice show`: one generation, as its manifest tells it.

use std::fmt::Write;

use plan::Reference;
use serde::Serialize;

use crate::answer_text;
use crate::chronicle::Chronicle;
use crate::failure::Failure;
use crate::moment;
use crate::settings::{Settings, number_of};
use crate::terminal::{Paint, Terminal};

#[derive(Debug, Serialize)]
struct Shown {
    number: u64,
    created: jiff::Timestamp,
    parent: Option<u64>,
    current: bool,
    kept: bool,
    names: Vec<String>,
    policy: String,
    account: daemon::account::Account,
}

/// Prints the generation, kept or not.
pub fn run(settings: &Settings, generation: &Reference, terminal: &Terminal) -> Result<u8, Failure> {
    let (_, store) = settings.store()?;
    let number = number_of(&store, generation)?;
    let chronicle = Chronicle::of(store)?;
    let chapter = chronicle.chapter(number)?;
    let shown = Shown {
        number,
        created: chapter.manifest.created,
        parent: chapter.manifest.parent.map(|parent| parent.number),
        current: number == chronicle.current,
        kept: chronicle.kept.contains(&number),
        names: chronicle.names.get(&number).cloned().unwrap_or_default(),
        policy: chapter.manifest.policy.hex(),
        account: chapter.account,
    };
    terminal.either(&shown, |paint| words(&shown, paint));
    Ok(0)
}

fn words(shown: &Shown, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold(&format!("generation {}", shown.number)));
    let state = match (shown.current, shown.kept) {
        (true, _) => "current",
        (false, true) => "kept",
        (false, false) => "no longer kept; this is its record",
    };
    let _ = writeln!(text, "  published {}, {state}", moment::text(shown.created));
    if let Some(parent) = shown.parent {
        let _ = writeln!(text, "  made from {parent}, policy {}", &shown.policy[..16]);
    }
    if !shown.names.is_empty() {
        let _ = writeln!(text, "  named {}", shown.names.join(", "));
    }
    for settled in &shown.account.requests {
        let answer = &settled.answer;
        let _ = writeln!(text, "\n{} by {}", paint.bold(&answer.action), answer.owner);
        let _ = writeln!(text, "  {}", answer.sentence);
        if let Some(reason) = &settled.reason {
            let _ = writeln!(text, "  because: {reason}");
        }
        if !settled.roles.is_empty() {
            let _ = writeln!(text, "  as {}", settled.roles.join(", "));
        }
        let _ = writeln!(text, "  request {}, id {}", answer.claim, answer.id);
        for gate in &answer.gates {
            let _ = writeln!(text, "  gate {}: {}, {}", gate.gate, gate.verdict.as_str(), gate.evidence);
        }
        answer_text::moved(&answer.moved, paint, &mut text);
    }
    let _ = writeln!(text, "\n{}", moment::count(shown.account.repositories.len(), "repository"));
    let views: usize = shown.account.views.values().map(|views| views.node_types.len()).sum();
    if views > 0 {
        let left_out: usize = shown.account.views.values().map(|views| views.left_out).sum();
        let without = match left_out {
            0 => String::new(),
            n => format!(", {} without one", moment::count(n, "node type")),
        };
        let _ = writeln!(text, "{}{without}", moment::count(views, "view"));
    }
    text
}
