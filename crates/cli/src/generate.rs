//! `sluice generate`: manual pages and completions, from the same types that the arguments are parsed into.
//!
//! What is installed is made by the program that is installed, so the two cannot differ.
#![expect(clippy::disallowed_methods, reason = "writes the manual pages where it is told to")]

mod arguments;

use std::fs;

use camino::Utf8Path;
use clap::CommandFactory;

pub use arguments::GenerateVerb;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Generates what is asked for.
pub fn run(verb: &GenerateVerb, terminal: &Terminal) -> Result<u8, Failure> {
    match verb {
        GenerateVerb::Man { folder } => {
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
            let mut command = Arguments::command();
            command.build();
            pages(&command, folder)?;
        }
        GenerateVerb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "sluice", &mut script);
            terminal.data(&String::from_utf8_lossy(&script));
        }
    }
    Ok(0)
}

/// Writes the page of a verb and of those below it; what is hidden has none.
fn pages(command: &clap::Command, folder: &Utf8Path) -> Result<(), Failure> {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        pages(verb, folder)?;
    }
    let page = clap_mangen::Man::new(command.clone());
    let file = folder.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| failed(&file, &error))?;
    let text = titled(&String::from_utf8_lossy(&text), command.get_display_name().unwrap_or("sluice"));
    fs::write(&file, text).map_err(|error| failed(&file, &error))
}

/// Gives a page its whole name as title, no date (the same program makes the same pages), and the way to the others.
fn titled(page: &str, name: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(".TH \"{name}\" \"1\" \"\" \"sluice {version}\" \"Sluice\"");
    let mut text = String::new();
    // Two breaks around an empty line are a paragraph, and breaks beside a paragraph are nothing.
    let page = page.replace(".br\n\n.br\n", ".sp\n");
    let page = page.replace(".br\n.sp\n", ".sp\n").replace(".sp\n.br\n", ".sp\n");
    for line in page.lines() {
        text.push_str(if line.starts_with(".TH ") { &title } else { line });
        text.push('\n');
    }
    if name != "sluice" {
        text.push_str(".SH \"SEE ALSO\"\n.BR sluice (1)\n");
    }
    text
}

fn failed(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::internal(format!("failed to write `{path}`: {error}"))
}
