//! What a site answered.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nevra::{Fingerprint, Nevra, Sha256};
use serde::{Deserialize, Serialize};

use super::{Asked, FIRST_LINE, PackageName};
use crate::{Id, TeamName};

/// The largest report that is read, in bytes: some thousand packages.
pub const REPORT_MAX: usize = 256 << 10;

/// The longest line of a report, in bytes: what is said of a package is some 300.
const LINE_MAX: usize = 1000;

/// The longest value of a line about the node, in bytes.
const VALUE_MAX: usize = 200;

/// What one node of a site says it has installed of the packages that it was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteReport {
    /// The task it was made for.
    pub task: Id,
    /// The team that was asked.
    pub team: TeamName,
    /// The bundle or ticket it was made for.
    pub of: Id,
    /// The digest of what was in that when the script was made.
    pub content: Sha256,
    /// The name of the node, by its own account; nothing if it does not say.
    pub host: Option<String>,
    /// When it was made, by the clock of the node.
    pub date: Option<Timestamp>,
    /// The version of rpm there.
    pub rpm: Option<String>,
    /// The operating system: id and version, or the line of `redhat-release`.
    pub os: Option<String>,
    /// The architecture by rpm's word for it.
    pub arch: Option<String>,
    /// What is installed, in the order of names and versions; a name may be there several times.
    pub installed: Vec<Installed>,
    /// The names of which nothing is installed.
    pub absent: BTreeSet<PackageName>,
}

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    /// Its full name.
    pub nevra: Nevra,
    /// The digests that the database has of it.
    pub fingerprint: Fingerprint,
    /// When it was installed.
    pub time: Option<Timestamp>,
    /// The id of the key that signed it, as rpm tells it; nothing if it is not signed, or rpm cannot tell.
    pub key: Option<String>,
}

/// Says why bytes are no report of a site.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReport {
    /// There is more of it than any report has.
    #[error("the report has {bytes} bytes, at most {REPORT_MAX} are read")]
    TooLarge {
        /// How much there is.
        bytes: usize,
    },
    /// It is something else, or of another format.
    #[error(
        "line 1 is `{found}`, and a report begins with `{FIRST_LINE}`: is this the file that the script printed?"
    )]
    Start {
        /// What stands there instead.
        found: String,
    },
    /// A line cannot be what the script printed.
    #[error("line {line} of the report, `{found}`: {why}")]
    Line {
        /// Which, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What is wrong with it.
        why: String,
    },
    /// A line that every report has is missing.
    #[error("the report has no line `{0}`")]
    Missing(&'static str),
    /// It contradicts itself.
    #[error("the report says that `{name}` is installed, and that nothing of that name is")]
    Both {
        /// The first such name.
        name: PackageName,
    },
    /// The last line is missing.
    #[error("the report ends before its line `end`: it was cut off, or the script did not come to its end")]
    Cut,
}

/// Says why a report, sound by itself, is no answer to what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTheAnswer {
    /// It is of another task.
    #[error("the report was made for task `{told}`, and this is task `{asked}`")]
    Task {
        /// The task that was asked about.
        asked: Id,
        /// The task that the report names.
        told: Id,
    },
    /// It is of another team.
    #[error("the report was made for the team `{told}`, and the task is that of `{asked}`")]
    Team {
        /// The team that was asked.
        asked: TeamName,
        /// The team that the report names.
        told: TeamName,
    },
    /// It is of another bundle or ticket.
    #[error("the report was made for `{told}`, and the task is about `{asked}`")]
    Of {
        /// The bundle or ticket that was asked about.
        asked: Id,
        /// The one that the report names.
        told: Id,
    },
    /// The bundle or ticket has changed since.
    #[error("the report was made when the content of `{of}` was {}, and it is {} by now: print the script anew and run that", .told.short(), .asked.short())]
    Content {
        /// The bundle or ticket.
        of: Id,
        /// The digest of what is in it.
        asked: Sha256,
        /// The digest that the report names.
        told: Sha256,
    },
    /// It says nothing of a package that was asked about.
    #[error("the report says nothing of `{name}`, which was asked about")]
    Unsaid {
        /// The first of those.
        name: PackageName,
    },
    /// It says something of a package that was not asked about.
    #[error("the report tells of `{name}`, which nobody asked about")]
    Unasked {
        /// The first of those.
        name: String,
    },
}

impl SiteReport {
    /// Says whether a package of this name is installed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.installed.iter().any(|installed| installed.nevra.name == name)
    }

    /// Checks that this is the answer to what was asked: the same task, team, matter and content, and exactly the names.
    ///
    /// # Errors
    ///
    /// The first of these that differs.
    pub fn check_answers(&self, asked: &Asked) -> Result<(), NotTheAnswer> {
        if self.task != asked.task {
            return Err(NotTheAnswer::Task { asked: asked.task.clone(), told: self.task.clone() });
        }
        if self.team != asked.team {
            return Err(NotTheAnswer::Team { asked: asked.team.clone(), told: self.team.clone() });
        }
        if self.of != asked.of {
            return Err(NotTheAnswer::Of { asked: asked.of.clone(), told: self.of.clone() });
        }
        if self.content != asked.content {
            let of = asked.of.clone();
            return Err(NotTheAnswer::Content { of, asked: asked.content, told: self.content });
        }
        let absent = self.absent.iter().map(PackageName::as_str);
        let told: BTreeSet<&str> =
            self.installed.iter().map(|installed| installed.nevra.name.as_str()).chain(absent).collect();
        let names = asked.names();
        if let Some(name) = names.iter().find(|name| !told.contains(name.as_str())) {
            return Err(NotTheAnswer::Unsaid { name: (*name).clone() });
        }
        let names: BTreeSet<&str> = names.into_iter().map(PackageName::as_str).collect();
        match told.difference(&names).next() {
            Some(name) => Err(NotTheAnswer::Unasked { name: (*name).to_owned() }),
            None => Ok(()),
        }
    }
}

/// Reads a report as the script of [`script`](super::script) prints it.
///
/// Ends of lines may be those of mail; empty lines and blanks at the end of a line are passed over. Anything else that the
/// script does not print is refused: unknown lines, lines twice, lines behind the end.
///
/// # Errors
///
/// The bytes are more than [`REPORT_MAX`], are not a report of this format, or not the whole of one.
pub fn parse(bytes: &[u8]) -> Result<SiteReport, NotAReport> {
    if bytes.len() > REPORT_MAX {
        return Err(NotAReport::TooLarge { bytes: bytes.len() });
    }
    let mut lines = bytes.split(|byte| *byte == b'\n').enumerate().map(|(at, line)| (at + 1, line));
    let first = lines.next().map_or(&[][..], |(_, line)| line.trim_ascii_end());
    if first != FIRST_LINE.as_bytes() {
        return Err(NotAReport::Start { found: shown(first) });
    }
    let lines = lines.map(|(line, bytes)| (line, bytes.trim_ascii_end()));
    let mut told = Told::default();
    let mut is_whole = false;
    for (line, bytes) in lines.filter(|(_, bytes)| !bytes.is_empty()) {
        let said = match is_whole {
            true => Err("it stands behind the end".to_owned()),
            false => told.line(bytes),
        };
        is_whole = said.map_err(|why| NotAReport::Line { line, found: shown(bytes), why })?;
    }
    if !is_whole {
        return Err(NotAReport::Cut);
    }
    told.finish()
}

/// What was read so far.
#[derive(Default)]
struct Told {
    task: Option<Id>,
    team: Option<TeamName>,
    of: Option<Id>,
    content: Option<Sha256>,
    host: Option<Option<String>>,
    date: Option<Option<Timestamp>>,
    rpm: Option<Option<String>>,
    os: Option<Option<String>>,
    arch: Option<Option<String>>,
    installed: Vec<Installed>,
    names: BTreeSet<String>,
    absent: BTreeSet<PackageName>,
}

impl Told {
    /// Takes a line; says whether it was the last.
    fn line(&mut self, bytes: &[u8]) -> Result<bool, String> {
        if bytes.len() > LINE_MAX {
            return Err(format!("it has {} bytes, at most {LINE_MAX} are read", bytes.len()));
        }
        if let Some(odd) = bytes.iter().find(|byte| !matches!(byte, b' '..=b'~')) {
            return Err(format!("it holds the byte {odd:#04x}, and the script prints plain ASCII only"));
        }
        let line = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let (key, value) = line.split_once(' ').ok_or("it has no value")?;
        match key {
            "task" => once(&mut self.task, read(value)?)?,
            "team" => once(&mut self.team, read(value)?)?,
            "of" => once(&mut self.of, read(value)?)?,
            "content" => once(&mut self.content, read(value)?)?,
            "host" => once(&mut self.host, value_of(value)?)?,
            "date" => once(&mut self.date, unless_dash(value, read)?)?,
            "rpm" => once(&mut self.rpm, value_of(value)?)?,
            "os" => once(&mut self.os, value_of(value)?)?,
            "arch" => once(&mut self.arch, value_of(value)?)?,
            "installed" => self.installed(value)?,
            "absent" => {
                if !self.absent.insert(read(value)?) {
                    return Err("it stands there twice".into());
                }
            }
            "end" => return self.end(value).map(|()| true),
            _ => return Err("no line of a report begins with that word".into()),
        }
        Ok(false)
    }

    fn installed(&mut self, value: &str) -> Result<(), String> {
        let fault = "it is not `installed NEVRA sha256=... sha1=... md5=... time=... key=...`";
        let (nevra, rest) = value.split_once(' ').ok_or(fault)?;
        let (fingerprint, rest) = rest.split_once(" time=").ok_or(fault)?;
        let (time, key) = rest.split_once(" key=").ok_or(fault)?;
        let nevra: Nevra = read(nevra)?;
        let fingerprint = read(fingerprint)?;
        let time = unless_dash(time, |text| {
            let seconds: i64 = read(text)?;
            Timestamp::from_second(seconds).map_err(|error| error.to_string())
        })?;
        let key = unless_dash(key, |text| {
            let is_an_id =
                (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_an_id.then(|| text.to_ascii_lowercase()).ok_or_else(|| "its key has no id of a key".to_owned())
        })?;
        self.names.insert(nevra.name.clone());
        self.installed.push(Installed { nevra, fingerprint, time, key });
        Ok(())
    }

    fn end(&self, value: &str) -> Result<(), String> {
        let count: usize = read(value)?;
        let found = self.installed.len() + self.absent.len();
        match count == found {
            true => Ok(()),
            false => Err(format!("lines are missing or too many: {found} lines tell of packages")),
        }
    }

    fn finish(self) -> Result<SiteReport, NotAReport> {
        if let Some(name) = self.absent.iter().find(|name| self.names.contains(name.as_str())) {
            return Err(NotAReport::Both { name: name.clone() });
        }
        let mut installed = self.installed;
        installed.sort();
        Ok(SiteReport {
            task: self.task.ok_or(NotAReport::Missing("task"))?,
            team: self.team.ok_or(NotAReport::Missing("team"))?,
            of: self.of.ok_or(NotAReport::Missing("of"))?,
            content: self.content.ok_or(NotAReport::Missing("content"))?,
            host: self.host.ok_or(NotAReport::Missing("host"))?,
            date: self.date.ok_or(NotAReport::Missing("date"))?,
            rpm: self.rpm.ok_or(NotAReport::Missing("rpm"))?,
            os: self.os.ok_or(NotAReport::Missing("os"))?,
            arch: self.arch.ok_or(NotAReport::Missing("arch"))?,
            installed,
            absent: self.absent,
        })
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        Some(_) => Err("such a line stands there twice".into()),
        None => Ok(()),
    }
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn unless_dash<T>(text: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text == "-" { Ok(None) } else { read(text).map(Some) }
}

fn value_of(text: &str) -> Result<Option<String>, String> {
    unless_dash(text, |text| match text.len() {
        0..=VALUE_MAX => Ok(text.to_owned()),
        more => Err(format!("its value has {more} bytes, at most {VALUE_MAX} are taken")),
    })
}

/// Makes the beginning of a line fit to stand in a sentence.
fn shown(line: &[u8]) -> String {
    let start = &line[..line.len().min(80)];
    format!("{}{}", start.escape_ascii(), if start.len() < line.len() { "..." } else { "" })
}

#[cfg(test)]
mod tests;
