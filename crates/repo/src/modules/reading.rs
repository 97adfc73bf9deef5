//! Reads the documents, without keeping more of them than is asked for.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser};

use super::{Artifact, Module, STREAM};
use crate::characters::is_carried;
use crate::error::Error;
use crate::walk::shown;

/// How deep documents are nested: modulemd needs seven levels.
const DEPTH_MAX: usize = 32;

/// How many documents there may be: Fedora had some thousands.
const DOCUMENTS_MAX: usize = 20_000;

/// How many documents there may be of one kind and id: each of a distribution stands once.
const SAME_ID_MAX: usize = 16;

/// Where the packages of a stream are listed.
const ARTIFACTS: [&str; 3] = ["data", "artifacts", "rpms"];

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

/// How a list is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Each in a line of its own.
    Lines,
    Brackets,
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
    /// Where in the file its name and its line stand, and the name.
    artifacts: Vec<(Range<usize>, Option<Range<usize>>, String)>,
    /// Whether its packages are listed already, and how.
    list: Option<Style>,
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
    // For the reader below a NUL ends the file, whatever stands behind it.
    if let Some((at, odd)) = text.char_indices().find(|(_, character)| !is_carried(*character)) {
        let line = 1 + text[..at].matches('\n').count();
        return Err(wrong(line, format!("it holds character `{:#04x}`, which is no text", u32::from(odd))));
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut read: Vec<Reading> = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    let mut places = Places::of(&lines);
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
                let reading = read.last_mut().filter(|_| is_at(&levels, &ARTIFACTS));
                if let Some(reading) = reading.filter(|_| matches!(event, Event::SequenceStart(..))) {
                    let style = places.style_of(&span.start);
                    if style.is_none() || reading.list.is_some() {
                        return Err(wrong("packages are listed twice, or so that none can be cut out"));
                    }
                    reading.list = style;
                }
                if is_in_artifacts(&levels) {
                    return Err(wrong("what is listed as a package is no text"));
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
            Event::Scalar(text, _, anchor, tag) => {
                if let Some(Level::Mapping(key @ None)) = levels.last_mut() {
                    *key = Some(text.into_owned());
                    continue;
                }
                if let Some(reading) = read.last_mut() {
                    if is_in_artifacts(&levels) {
                        let place = places.of_name(&text, &span.start);
                        let is_plain = anchor == 0 && tag.is_none();
                        let is_so = |line: &Option<_>| {
                            reading.list == Some(if line.is_some() { Style::Lines } else { Style::Brackets })
                        };
                        let Some((name, line)) = place.filter(|(_, line)| is_plain && is_so(line)) else {
                            return Err(wrong("a package is listed so that it cannot be cut out"));
                        };
                        reading.artifacts.push((name, line, text.into_owned()));
                    } else {
                        reading.take(&levels, text.into_owned());
                    }
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
    let documents: Vec<Module> =
        whole.map(|(reading, end)| reading.finished(&lines[..end], &places.starts)).collect();
    let mut same: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    // What is about no module is never put together with anything.
    for document in documents.iter().filter(|one| one.is_stream() || !one.module.is_empty()) {
        let count = same.entry((&document.kind, &document.id)).or_default();
        *count += 1;
        if *count > SAME_ID_MAX {
            let problem = format!("more than {SAME_ID_MAX} documents are `{}`", shown(&document.id));
            return Err(wrong(lines.len(), problem));
        }
    }
    Ok(documents)
}

fn is_at(levels: &[Level], path: &[&str]) -> bool {
    levels.len() == path.len() && levels.iter().map(Level::name).eq(path.iter().copied())
}

/// Whether a list of packages is what is being read.
fn is_in_artifacts(levels: &[Level]) -> bool {
    levels
        .split_last()
        .is_some_and(|(last, above)| matches!(last, Level::Sequence) && is_at(above, &ARTIFACTS))
}

/// Finds in the bytes of a file what the reader counts in lines and characters.
struct Places<'a> {
    lines: &'a [&'a str],
    /// Where each line begins.
    starts: Vec<usize>,
    /// The line and the column that were found last, and where that is.
    last: (usize, usize, usize),
}

impl<'a> Places<'a> {
    fn of(lines: &'a [&'a str]) -> Self {
        let mut at = 0;
        let begins = |line: &&str| {
            at += line.len();
            at
        };
        let starts = [0].into_iter().chain(lines.iter().map(begins)).collect();
        Self { lines, starts, last: (0, 0, 0) }
    }

    /// Finds the place of a mark in its line, counted in bytes. Marks that follow another in its line go on from there, so that
    /// a long line is passed over once.
    fn column(&mut self, mark: &Marker) -> Option<usize> {
        let (line, column) = (mark.line().checked_sub(1)?, mark.col());
        let text = self.lines.get(line)?;
        let (from, passed) = match self.last {
            (known, passed, at) if known == line && passed <= column => (at, passed),
            _ => (0, 0),
        };
        let rest = text.get(from..)?;
        let mut characters = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
        let at = from + characters.nth(column - passed)?;
        self.last = (line, column, at);
        Some(at)
    }

    /// Finds out how the list is written that begins at a mark: what has no bracket is looked at name by name.
    fn style_of(&mut self, mark: &Marker) -> Option<Style> {
        let at = self.column(mark)?;
        let begins = self.lines.get(mark.line() - 1)?.as_bytes().get(at);
        Some(if begins == Some(&b'[') { Style::Brackets } else { Style::Lines })
    }

    /// Finds where a name stands in the file, and its line if it has one of its own; `None` if it does not stand there as it
    /// reads, but for quotes. Where something ends the reader does not always say.
    fn of_name(&mut self, name: &str, mark: &Marker) -> Option<(Range<usize>, Option<Range<usize>>)> {
        let from = self.column(mark)?;
        let at = mark.line() - 1;
        let (text, start) = (self.lines[at], self.starts[at]);
        let as_it_is = [name.to_owned(), format!("\"{name}\""), format!("'{name}'")];
        let to = from + as_it_is.iter().find(|one| text[from..].starts_with(one.as_str()))?.len();
        let before = text[..from].trim_start_matches(' ').strip_prefix('-');
        let is_item =
            before.is_some_and(|before| !before.is_empty() && before.trim_matches([' ', '\t']).is_empty());
        let behind = text[to..].trim_end();
        let is_last = behind.is_empty() || behind.trim_start().starts_with('#');
        let line = (is_item && is_last).then(|| start..self.starts[at + 1]);
        Some((start + from..start + to, line))
    }
}

impl Reading {
    /// Takes a text at its place.
    fn take(&mut self, levels: &[Level], text: String) {
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
            _ => {}
        }
    }

    /// Makes the document, which ends with the last of these lines of the file, each of which begins at one of `starts`.
    fn finished(self, lines: &[&str], starts: &[usize]) -> Module {
        let begins = self.begins.min(lines.len());
        let mut raw: String = lines[begins..].concat();
        let mut added = 0;
        if !raw.starts_with("---") && !raw.lines().any(|line| line.starts_with("---")) {
            raw.insert_str(0, "---\n");
            added = "---\n".len();
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
        let here =
            |range: Range<usize>| range.start - starts[begins] + added..range.end - starts[begins] + added;
        // The last line of a file may have no end, and has one here.
        let line = |range: Range<usize>| match raw.as_bytes().get(range.end - 1) {
            Some(b'\n') => range,
            _ => range.start..range.end + 1,
        };
        let artifact = |(name, whole, text): (Range<usize>, Option<Range<usize>>, String)| Artifact {
            name: here(name),
            line: whole.map(here).map(line),
            nevra: text.parse().ok(),
        };
        let artifacts =
            if is_stream { self.artifacts.into_iter().map(artifact).collect() } else { Vec::new() };
        Module { kind: self.kind, module, id, modified: self.modified, raw: raw.into_bytes(), artifacts }
    }
}

/// Reads a date as the number its digits are: `2024-01-31T12:00Z` and `202401311200` both grow with time.
fn digits(text: &str) -> u64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).take(12).collect();
    digits.parse().unwrap_or_default()
}
