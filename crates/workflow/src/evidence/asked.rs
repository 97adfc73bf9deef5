//! What a site is asked, and the script that asks it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::{Id, TeamName};

/// What does the asking; the values that it asks for stand before it.
const ASKING: &str = include_str!("site_report.sh");

/// The longest name of a package that is asked for, in bytes.
const NAME_MAX: usize = 256;

/// Says that no package that can be asked for has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a package, which is visible ASCII without `/` and `:`, does not start with `.` or `-`, and has at most {NAME_MAX} bytes"
)]
pub struct NotAPackageName(String);

/// The name of a package: one word of visible ASCII, as [`nevra::Nevra`] takes it.
///
/// Quotes, `$`, `*` and the like may stand in it, as they may in the name of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageName(String);

/// What a site is asked: the packages of a bundle, for one task on one content of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The task that the report belongs to.
    pub task: Id,
    /// The team whose task it is.
    pub team: TeamName,
    /// The bundle or ticket.
    pub of: Id,
    /// The digest of what was in the bundle or ticket when the task was made.
    pub content: Sha256,
    /// The node types that the bundle touches: the names of their meta-packages.
    pub node_types: BTreeSet<PackageName>,
    /// The packages of the bundle.
    pub packages: BTreeSet<PackageName>,
    /// Where the ssh door is, as ssh is told: `sluice-door@repo.example.org`. Nothing where sites have none.
    pub door: Option<String>,
    /// The address that takes reports by mail. Nothing where none does.
    pub mail: Option<String>,
}

impl Asked {
    /// Lists all names the script asks for: packages and node types.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&PackageName> {
        self.packages.union(&self.node_types).collect()
    }

    /// Names the file that the report is written into: `site-report-12-ea-IT-CNAF.txt`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("site-report-{}-{}.txt", self.task, self.team)
    }
}

impl PackageName {
    /// Gives the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageName {
    type Err = NotAPackageName;

    fn from_str(text: &str) -> Result<Self, NotAPackageName> {
        let plain = !text.is_empty()
            && text.len() <= NAME_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"/:".contains(&byte))
            && !text.starts_with(['.', '-']);
        match plain {
            true => Ok(Self(text.to_owned())),
            false => Err(NotAPackageName(
                text.chars().take(NAME_MAX).collect::<String>().escape_default().to_string(),
            )),
        }
    }
}

impl TryFrom<String> for PackageName {
    type Error = NotAPackageName;

    fn try_from(text: String) -> Result<Self, NotAPackageName> {
        text.parse()
    }
}

impl From<PackageName> for String {
    fn from(name: PackageName) -> Self {
        name.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes the script that a site runs to answer: what it prints is what [`parse`](super::parse) reads.
///
/// It runs in any shell that is one (dash, bash since 3, the one of busybox) and needs rpm, 4.4 or newer, and nothing else;
/// `uname` and `date` are asked where they are there. It changes nothing and sends nothing. It tells of the packages that it
/// asks for and of no other that the host has. The name of the node is what `SLUICE_HOST` says, if the site sets that.
///
/// Whatever stands in names and addresses, nothing of it is run: names stand in single quotes, addresses in comments.
#[must_use]
pub fn script(asked: &Asked) -> String {
    let mut text = String::from("#!/bin/sh\n");
    head(&mut text, asked);
    let values: [(&str, &str); 4] = [
        ("task", asked.task.as_str()),
        ("team", asked.team.as_str()),
        ("of", asked.of.as_str()),
        ("content", &asked.content.hex()),
    ];
    for (name, value) in values {
        let _ = writeln!(text, "{name}={}", quoted(value));
    }
    let names: String = asked.names().into_iter().map(|name| format!("{name}\n")).collect();
    let _ = writeln!(text, "packages={}\n", quoted(&format!("\n{names}")));
    text + ASKING
}

/// Says in comments what the script is for and what to do with what it prints.
fn head(text: &mut String, asked: &Asked) {
    let Asked { task, team, of, .. } = asked;
    let file = asked.file_name();
    let mut say = |line: &str| {
        let line: String = line.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    };
    say(&format!("Tells what a node has installed of {of}, for task {task} of {team}."));
    say("");
    say(
        "Run it on the node once that is upgraded, as any user who may run rpm, and look at what it printed:",
    );
    say("");
    say(&format!("    sh site-report.sh > {file}"));
    say("");
    say(
        "It needs a shell and rpm, changes nothing and sends nothing. Of all that is installed it tells of the packages",
    );
    say(
        "named below and of no other: version, digests, when it was installed and which key signed it. Of the node it tells",
    );
    say(
        "its name, the system, the architecture and the version of rpm. To give the node another name than its own:",
    );
    say("");
    say(&format!("    SLUICE_HOST=node-1 sh site-report.sh > {file}"));
    say("");
    say("Hand the file in as it is:");
    say("");
    if let Some(door) = &asked.door {
        say(&format!("    ssh {door} upload {file} < {file}"));
        say("");
        say("and name it in the report on the task; or");
        say("");
    }
    match &asked.mail {
        Some(mail) => say(&format!("    by mail to {mail}, attached, with the task in the subject")),
        None => say("    by mail in reply to the one that brought the task, attached"),
    }
    say("");
    say("Who has an account where the repositories are made hands it in beside the report on the task:");
    say("");
    say(&format!("    sluice submit report.toml --upload {file}"));
    say("");
    text.push('\n');
}

/// Quotes a value so that a shell takes every byte of it as it is.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
