//! Reads the documents, without keeping more of them than is asked for.

use saphyr_parser::{Event, Parser};

use super::{Artifact, Module, STREAM};
use crate::error::Error;

/// How deep documents are nested: modulemd needs seven levels.
const DEPTH_MAX: usize = 32;

/// How many documents there may be: Fedora had some thousands.
const DOCUMENTS_MAX: usize = 20_000;

/// Where the reading of one document stands.
enum Level {
    Mapping(Option<String>),
    Sequence,
}

impl Level {
    fn name(&self) -> &str {
        match self {
            Self::Mapping(key) => key.as_deref().unwrap_or_default(),
            Self::Sequence => "[]",
        }
    }
}

/// What is read of a document.
#[derive(Default)]
struct Reading {
    kind: String,
    name: String,
    module: String,
    stream: String,
    version: String,
    context: String,
    arch: String,
    modified: u64,
    /// With the line in the file.
    artifacts: Vec<(usize, String)>,
    /// The line in the file where it begins.
    begins: usize,
}

pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Module>, Error> {
    let wrong = |line: usize, problem: String| Error::Modules { line, problem };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
        wrong(line, "it is not UTF-8 from here on".to_owned())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // YAML knows more ends of lines than one, and this counts lines.
    if let Some(at) = text.find(['\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        let line = 1 + text[..at].matches('\n').count();
        return Err(wrong(line, "a line ends otherwise than with a line feed".to_owned()));
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut read: Vec<Reading> = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| wrong(error.marker().line(), error.info().to_owned()))?;
        let line = span.start.line();
        let wrong = |problem: &str| wrong(line, problem.to_owned());
        match event {
            Event::DocumentStart(_) if read.len() == DOCUMENTS_MAX => {
                return Err(wrong(&format!("there are more than {DOCUMENTS_MAX} documents")));
            }
            Event::DocumentStart(_) => {
                let begins = line.saturating_sub(1);
                let is_marked = lines.get(begins).is_some_and(|line| line.starts_with("---"));
                if read.is_empty() && lines.iter().take(begins).any(|line| line.starts_with('%')) {
                    return Err(wrong("a directive stands"));
                }
                if !read.is_empty() && !is_marked {
                    return Err(wrong("a document begins without `---`"));
                }
                let begins = if read.is_empty() { 0 } else { begins };
                read.push(Reading { begins, ..Reading::default() });
                levels.clear();
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if levels.len() >= DEPTH_MAX {
                    return Err(wrong("it is nested too deep"));
                }
                if let Some(Level::Mapping(None)) = levels.last() {
                    return Err(wrong("a key is no text"));
                }
                levels.push(match event {
                    Event::MappingStart(..) => Level::Mapping(None),
                    _ => Level::Sequence,
                });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                levels.pop();
                if let Some(Level::Mapping(key)) = levels.last_mut() {
                    *key = None;
                }
            }
            Event::Scalar(text, ..) => {
                if let Some(Level::Mapping(key @ None)) = levels.last_mut() {
                    *key = Some(text.into_owned());
                    continue;
                }
                if let Some(reading) = read.last_mut() {
                    let is_in_one = span.end.line() == line || span.end.col() == 0;
                    reading.take(&levels, text.into_owned(), if is_in_one { line } else { 0 });
                }
                if let Some(Level::Mapping(key)) = levels.last_mut() {
                    *key = None;
                }
            }
            // No tool writes one, and what it would say again was not kept.
            Event::Alias(_) => return Err(wrong("an alias stands")),
            Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
        }
    }
    let ends: Vec<usize> = read.iter().skip(1).map(|reading| reading.begins).chain([lines.len()]).collect();
    let whole = read.into_iter().zip(ends);
    Ok(whole.map(|(reading, end)| reading.finished(&lines[..end])).collect())
}

impl Reading {
    /// Takes a text at its place, which stands in this line of the file, or in several.
    fn take(&mut self, levels: &[Level], text: String, line: usize) {
        let path: Vec<&str> = levels.iter().map(Level::name).collect();
        match path.as_slice() {
            ["document"] => self.kind = text,
            ["data", "name"] => self.name = text,
            ["data", "module"] => self.module = text,
            ["data", "stream"] => self.stream = text,
            ["data", "version"] => self.version = text,
            ["data", "context"] => self.context = text,
            ["data", "arch"] => self.arch = text,
            ["data", "modified"] => self.modified = digits(&text),
            ["data", "artifacts", "rpms", "[]"] => self.artifacts.push((line, text)),
            _ => {}
        }
    }

    /// Makes the document, which ends with the last of these lines of the file.
    fn finished(self, lines: &[&str]) -> Module {
        let mut raw: String = lines[self.begins.min(lines.len())..].concat();
        let mut first = self.begins;
        if !raw.starts_with("---") && !raw.lines().any(|line| line.starts_with("---")) {
            raw.insert_str(0, "---\n");
            first = first.wrapping_sub(1);
        }
        if !raw.ends_with('\n') {
            raw.push('\n');
        }
        let is_stream = self.kind == STREAM;
        let (module, id) = match is_stream {
            true => {
                let id = [&self.name, &self.stream, &self.version, &self.context, &self.arch];
                (self.name.clone(), id.map(String::as_str).join(":"))
            }
            false => {
                let id = match self.kind.as_str() {
                    "modulemd-defaults" => self.module.clone(),
                    _ => [&*self.module, &*self.stream, &*self.context].join(":"),
                };
                (self.module.clone(), id)
            }
        };
        let artifact = |(at, (line, text)): (usize, &(usize, String))| {
            // They come in the order of their lines.
            let is_beside = |at: usize| self.artifacts.get(at).is_some_and(|(other, _)| other == line);
            let is_alone = !is_beside(at + 1) && !at.checked_sub(1).is_some_and(is_beside);
            let is_item = line.checked_sub(1).and_then(|at| lines.get(at)).is_some_and(|line| {
                line.trim_start()
                    .strip_prefix("- ")
                    .is_some_and(|rest| rest.trim().trim_matches(['"', '\'']) == text)
            });
            let line = (is_alone && is_item).then(|| (line - 1).wrapping_sub(first));
            Artifact { line, nevra: text.parse().ok() }
        };
        let artifacts =
            if is_stream { self.artifacts.iter().enumerate().map(artifact).collect() } else { Vec::new() };
        Module { kind: self.kind, module, id, modified: self.modified, raw: raw.into_bytes(), artifacts }
    }
}

/// Reads a date as the number its digits are: `2024-01-31T12:00Z` and `202401311200` both grow with time.
fn digits(text: &str) -> u64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).take(12).collect();
    digits.parse().unwrap_or_default()
}
