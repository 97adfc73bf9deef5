//! Reading a report that was filled in.

use nevra::Sha256;

use super::{
    CONTENT, Fault, Heading, JOBS, Metrics, NotAReport, Problem, Reason, Report, TASK, TEAM, TRANSFERS, VOS,
};
use crate::names::{NotAName, TeamName, shown};
use crate::outcome::{NotAnOutcome, Outcome};
use crate::text::{NotAText, Words, forbidden};

/// The most bytes of a report that are read.
pub const REPORT_MAX: usize = 64 * 1024;

/// The most problems, workarounds or virtual organisations that are listed.
const LISTED_MAX: usize = 100;

/// How many faults are told at once.
const FAULTS_MAX: usize = 20;

/// A line that was not left as it was in the template, and its number.
type Line<'a> = (usize, &'a str);

/// Reads a report that was made from a template. Headings are found whatever their case and order, lines may end as mails'
/// do, and instructions that were left standing count as nothing. A line between fences of code is never a heading.
/// HTML is the text it is.
///
/// # Errors
/// All that is missing or not understood is told, with its heading and its line.
pub fn parse(text: &str) -> Result<Report, NotAReport> {
    if text.len() > REPORT_MAX {
        return Err(NotAReport::Long(text.len()));
    }
    let mut reader = Reader::default();
    let sections = reader.sections(text.strip_prefix('\u{feff}').unwrap_or(text));
    let report = reader.report(&sections);
    let mut faults = reader.faults;
    match (report, faults.is_empty()) {
        (Some(report), true) => Ok(report),
        _ => {
            // What has no line is missing, and comes last.
            faults.sort_by_key(|fault| (fault.line.is_none(), fault.line));
            faults.truncate(FAULTS_MAX);
            Err(NotAReport::Faults(faults))
        }
    }
}

/// What stands below a heading.
struct Section<'a> {
    heading: Heading,
    /// The line of the heading.
    at: usize,
    lines: Vec<Line<'a>>,
}

/// Collects what is wrong.
#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn fault(&mut self, line: impl Into<Option<usize>>, heading: Option<Heading>, reason: impl Into<Reason>) {
        self.faults.push(Fault { line: line.into(), heading, reason: reason.into() });
    }

    /// Takes a report apart at its headings.
    fn sections<'a>(&mut self, text: &'a str) -> Vec<Section<'a>> {
        let mut sections: Vec<Section<'a>> = Vec::new();
        let mut fence: Option<(usize, &str)> = None;
        for (at, line) in text.lines().enumerate() {
            let (at, line) = (at + 1, line.trim_end());
            let here = sections.last().map(|section| section.heading);
            if let Some(character) = forbidden(line) {
                self.fault(at, here, NotAText::Character { character, line: at });
                continue;
            }
            let marks = fence_of(line);
            match (fence, marks) {
                (None, Some(marks)) => fence = Some((at, marks)),
                (Some((_, open)), Some(marks)) if marks.starts_with(open) && line.trim() == marks => {
                    fence = None
                }
                (None, None) => {
                    if let Some(words) = heading_words(line) {
                        self.begin(at, words, &mut sections);
                        continue;
                    }
                }
                _ => {}
            }
            match sections.last_mut() {
                Some(section) if section.heading.hint().contains(&line.trim()) && fence.is_none() => {}
                Some(section) => section.lines.push((at, line)),
                None if line.trim().is_empty() || is_title(line) => {}
                None => self.fault(at, None, Reason::Stray(shown(line.trim()))),
            }
        }
        if let Some((at, marks)) = fence {
            let here = sections.iter().rev().find(|section| section.at < at).map(|section| section.heading);
            self.fault(at, here, Reason::Open(marks.to_owned()));
        }
        sections
    }

    /// Begins a section; what stands below a heading that is none, or is there again, is read by nobody.
    fn begin<'a>(&mut self, at: usize, words: &str, sections: &mut Vec<Section<'a>>) {
        let wanted = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let meant = Heading::ALL.into_iter().find(|one| one.to_string().eq_ignore_ascii_case(&wanted));
        match meant {
            Some(heading) if sections.iter().any(|section| section.heading == heading) => {
                self.fault(at, Some(heading), Reason::Again);
            }
            Some(heading) => {
                sections.push(Section { heading, at, lines: Vec::new() });
            }
            None => {
                let here = sections.last().map(|section| section.heading);
                self.fault(at, here, Reason::Unknown(shown(&wanted)));
            }
        }
    }

    fn report(&mut self, sections: &[Section<'_>]) -> Option<Report> {
        let mut find = |heading: Heading| {
            let found = sections.iter().find(|section| section.heading == heading);
            if found.is_none() {
                self.fault(None, Some(heading), Reason::NoHeading(heading));
            }
            found
        };
        let [task, outcome, notes, tests, metrics, problems, workarounds] = [
            Heading::Task,
            Heading::Outcome,
            Heading::Notes,
            Heading::Tests,
            Heading::Metrics,
            Heading::Problems,
            Heading::Workarounds,
        ]
        .map(&mut find);
        let about = task.and_then(|section| self.task(section));
        let outcome = outcome.and_then(|section| self.outcome(section));
        let notes = notes.and_then(|section| self.words(section, &section.lines));
        let tests = tests.and_then(|section| self.words(section, &section.lines));
        let metrics = metrics.and_then(|section| self.metrics(section));
        let problems = problems.and_then(|section| self.problems(section));
        let workarounds = workarounds.and_then(|section| self.workarounds(section));
        let (team, task, content) = about?;
        Some(Report {
            team,
            task,
            content,
            outcome: outcome?,
            notes: notes?,
            tests: tests?,
            metrics: metrics?,
            problems: problems?,
            workarounds: workarounds?,
        })
    }

    /// Finds the value of a key, which must be there once.
    fn value<'a>(&mut self, section: &Section<'a>, key: &'static str) -> Option<Line<'a>> {
        let mut values = section.lines.iter().filter_map(|(at, line)| Some((*at, value_of(line, key)?)));
        let first = values.next();
        if let Some((at, _)) = values.next() {
            self.fault(at, Some(section.heading), Reason::KeyAgain(key));
        }
        first
    }

    fn needed<'a>(&mut self, section: &Section<'a>, key: &'static str) -> Option<Line<'a>> {
        let found = self.value(section, key);
        if found.is_none() {
            self.fault(section.at, Some(section.heading), Reason::NoKey(key));
        }
        found
    }

    fn task(&mut self, section: &Section<'_>) -> Option<(TeamName, u64, Sha256)> {
        let team = self.needed(section, TEAM);
        let task = self.needed(section, TASK);
        let content = self.needed(section, CONTENT);
        let team = team.and_then(|(at, text)| {
            let team = text.parse();
            team.map_err(|error: NotAName| self.fault(at, Some(section.heading), error)).ok()
        });
        let task = task.and_then(|found| self.number(section, TASK, found));
        let content = content.and_then(|(at, text)| {
            let wrong = Reason::Content(shown(text));
            text.parse().map_err(|_| self.fault(at, Some(section.heading), wrong)).ok()
        });
        Some((team?, task?, content?))
    }

    fn number(&mut self, section: &Section<'_>, key: &'static str, (at, text): Line<'_>) -> Option<u64> {
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        if number.is_none() {
            self.fault(at, Some(section.heading), Reason::Number { key, text: shown(text) });
        }
        number
    }

    fn outcome(&mut self, section: &Section<'_>) -> Option<Outcome> {
        let mut written = section.lines.iter().filter(|(_, line)| !line.trim().is_empty()).peekable();
        let Some((at, _)) = written.peek().copied().copied() else {
            self.fault(section.at, Some(section.heading), Reason::Empty);
            return None;
        };
        let text = written.map(|(_, line)| line.trim()).collect::<Vec<_>>().join(" ");
        // As Markdown writes what is to be seen.
        let word = text.trim_matches(['*', '_', '.', '`']);
        word.parse().map_err(|error: NotAnOutcome| self.fault(at, Some(section.heading), error)).ok()
    }

    /// Reads lines as one text, which must not be empty.
    fn words(&mut self, section: &Section<'_>, lines: &[Line<'_>]) -> Option<Words> {
        let at = lines.iter().find(|(_, line)| !line.trim().is_empty()).map_or(section.at, |(at, _)| *at);
        let text = lines.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        let reason = match text.parse() {
            Ok(words) => return Some(words),
            Err(NotAText::Empty) => Reason::Empty,
            Err(error) => error.into(),
        };
        self.fault(at, Some(section.heading), reason);
        None
    }

    fn metrics(&mut self, section: &Section<'_>) -> Option<Metrics> {
        let before = self.faults.len();
        let [jobs, transfers, vos] =
            [JOBS, TRANSFERS, VOS].map(|key| self.value(section, key).filter(|(_, text)| !text.is_empty()));
        let mut metrics = Metrics {
            jobs_per_day: jobs.and_then(|found| self.number(section, JOBS, found)),
            transfers_per_day: transfers.and_then(|found| self.number(section, TRANSFERS, found)),
            ..Metrics::default()
        };
        if let Some((at, text)) = vos {
            let names = text.split([',', ' ', ';']).filter(|name| !name.is_empty());
            for name in names.take(LISTED_MAX + 1) {
                match name.parse() {
                    Ok(vo) => metrics.vos.push(vo),
                    Err(error) => {
                        self.fault(at, Some(section.heading), Reason::Name(error));
                        break;
                    }
                }
            }
            if metrics.vos.len() > LISTED_MAX {
                self.fault(at, Some(section.heading), Reason::Many(LISTED_MAX));
            }
        }
        let is_key = |line: &str| [JOBS, TRANSFERS, VOS].iter().any(|key| value_of(line, key).is_some());
        let others: Vec<Line<'_>> = section.lines.iter().filter(|(_, line)| !is_key(line)).copied().collect();
        if others.iter().any(|(_, line)| !line.trim().is_empty()) {
            metrics.remarks = self.words(section, &others);
        } else if jobs.is_none() && transfers.is_none() {
            self.fault(section.at, Some(section.heading), Reason::Empty);
        }
        (self.faults.len() == before).then_some(metrics)
    }

    /// Takes a section apart into what stands after each `-`; nothing, and the word `none`, are no items.
    fn items<'a>(&mut self, section: &Section<'a>) -> Vec<Vec<Line<'a>>> {
        let mut items: Vec<Vec<Line<'a>>> = Vec::new();
        let mut fence: Option<&str> = None;
        // Lists within an item stand further to the right than the first.
        let mut outer: Option<usize> = None;
        for (at, line) in &section.lines {
            let begin = bullet_of(line).filter(|(blanks, _)| blanks <= outer.get_or_insert(*blanks));
            match (fence, fence_of(line)) {
                (None, Some(marks)) => fence = Some(marks),
                (Some(open), Some(marks)) if marks.starts_with(open) && line.trim() == marks => fence = None,
                _ => {}
            }
            match (begin.filter(|_| fence.is_none()), items.last_mut()) {
                (Some((_, text)), _) => items.push(vec![(*at, text)]),
                (None, Some(item)) => item.push((*at, line)),
                (None, None) => items.push(vec![(*at, line)]),
            }
        }
        items.retain(|item| item.iter().any(|(_, line)| !line.trim().is_empty()));
        if let [item] = &items[..] {
            let text: Vec<&str> = item.iter().map(|(_, line)| line.trim()).collect();
            let word = text.concat();
            if ["none", "no", "n/a", "nothing"]
                .iter()
                .any(|none| word.trim_end_matches('.').eq_ignore_ascii_case(none))
            {
                return Vec::new();
            }
        }
        if items.len() > LISTED_MAX {
            self.fault(section.at, Some(section.heading), Reason::Many(LISTED_MAX));
            items.clear();
        }
        items
    }

    fn problems(&mut self, section: &Section<'_>) -> Option<Vec<Problem>> {
        let before = self.faults.len();
        let mut problems = Vec::new();
        for item in self.items(section) {
            let Some(first) = item.iter().position(|(_, line)| !line.trim().is_empty()) else { continue };
            let (at, line) = item[first];
            let (word, rest) = line.trim_start().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
            // As Markdown writes links, and as people end words.
            let word = word.trim_end_matches([',', ';', ':']);
            let word = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')).unwrap_or(word);
            let Ok(ticket) = word.parse() else {
                let reason = NotAText::Reference(shown(line.trim()));
                self.fault(at, Some(section.heading), reason);
                continue;
            };
            let mut lines = vec![(at, rest)];
            lines.extend_from_slice(&item[first + 1..]);
            let is_said = lines.iter().any(|(_, line)| !line.trim().is_empty());
            let text = if is_said { self.words(section, &lines) } else { None };
            problems.push(Problem { ticket, text });
        }
        (self.faults.len() == before).then_some(problems)
    }

    fn workarounds(&mut self, section: &Section<'_>) -> Option<Vec<Words>> {
        let items = self.items(section);
        let before = self.faults.len();
        let texts = items.iter().filter_map(|item| self.words(section, item)).collect();
        (self.faults.len() == before).then_some(texts)
    }
}

/// Finds what stands behind a key in a line `- Key: value`.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let line = line.trim_start().trim_start_matches(['-', '*']).trim_start();
    let (found, value) = line.split_once(':')?;
    found.trim().eq_ignore_ascii_case(key).then(|| value.trim())
}

/// Finds how far to the right an item of a list begins, and what stands behind its mark.
fn bullet_of(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start();
    let behind = text.strip_prefix(['-', '*'])?;
    let is_mark = behind.is_empty() || behind.starts_with([' ', '\t']);
    is_mark.then(|| (line.len() - text.len(), behind.trim_start()))
}

/// Finds the words of a heading of the second level.
fn heading_words(line: &str) -> Option<&str> {
    let words = line.strip_prefix("##")?;
    match words.starts_with([' ', '\t']) || words.is_empty() {
        true => Some(words.trim().trim_end_matches(['#', ':']).trim_end()),
        false => None,
    }
}

/// Says whether a line is a heading of the first level.
fn is_title(line: &str) -> bool {
    line.starts_with("# ")
}

/// Finds the marks that begin or end a block of code.
fn fence_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    ['`', '~'].into_iter().find_map(|mark| {
        let behind = line.trim_start_matches(mark);
        let marks = &line[..line.len() - behind.len()];
        // A word of code in a sentence begins with such marks too, and ends with them.
        (marks.len() >= 3 && !behind.contains(mark)).then_some(marks)
    })
}
