//! The template, with all filled in that is known beforehand.

use std::fmt::Write;

use super::{Asked, CONTENT, Heading, JOBS, TASK, TEAM, TRANSFERS, VOS};
use crate::naming::Parts;

/// How many bytes a list may take, so that the report can be read back whatever is in a bundle.
const LIST_MAX: usize = 16 * 1024;

/// How many bytes of a name are shown.
const NAME_SHOWN: usize = 200;

/// Writes the report that a team has to fill in. It is read back by [`parse`](super::parse), which says of an untouched one
/// what is missing.
pub fn template(asked: &Asked) -> String {
    let mut text = "# Staged roll-out report\n".to_owned();
    for heading in Heading::ALL {
        let _ = write!(text, "\n## {heading}\n\n");
        for line in heading.hint() {
            text += line;
            text.push('\n');
        }
        if !heading.hint().is_empty() {
            text.push('\n');
        }
        match heading {
            Heading::Task => task(&mut text, asked),
            Heading::Packages => list(&mut text, &asked.packages),
            Heading::Metrics => {
                let _ = write!(text, "- {JOBS}:\n- {TRANSFERS}:\n- {VOS}:\n");
            }
            _ => {}
        }
    }
    text
}

fn task(text: &mut String, asked: &Asked) {
    let Parts { component, version, .. } = asked.component.parts();
    let lines = [
        (TEAM, asked.team.to_string()),
        (TASK, asked.task.to_string()),
        ("Bundle or ticket", asked.matter.to_string()),
        ("Stack", asked.component.stack().to_owned()),
        ("Component", component.clone()),
        ("Version", version.clone()),
        ("Platforms", row(&asked.platforms)),
        ("Node types", row(&asked.node_types)),
        ("Has to run until", asked.quarantine_end.to_string()),
        (CONTENT, asked.content.to_string()),
        ("Name of this file", plain(&asked.file_name)),
    ];
    for (key, value) in lines {
        let _ = writeln!(text, "- {key}: {value}");
    }
}

/// Writes names one below the other, as many as have room.
fn list(text: &mut String, names: &[String]) {
    let end = text.len() + LIST_MAX;
    for (at, name) in names.iter().enumerate() {
        if text.len() + NAME_SHOWN > end {
            let _ = writeln!(text, "- and {} more", names.len() - at);
            return;
        }
        let _ = writeln!(text, "- {}", plain(name));
    }
}

/// Writes names one beside the other, as many as have room.
fn row(names: &[String]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        if text.len() > LIST_MAX / 16 {
            let _ = write!(text, " and {} more", names.len() - at);
            break;
        }
        let _ = write!(text, "{comma}{}", plain(name));
    }
    text
}

/// Makes a name fit to stand in a line, whatever it is.
fn plain(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if text.len() + 12 > NAME_SHOWN {
            return text + "...";
        }
        match character {
            ' '..='~' => text.push(character),
            _ => text.extend(character.escape_debug()),
        }
    }
    text
}
