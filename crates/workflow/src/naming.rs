//! The names that tickets, mails and files of a staged roll-out bear (E2, E7, E9, E10, G19).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::{NAME_MAX, TeamName, shown};
use crate::text::Line;

/// The most bytes of stack, component and version together with what joins them: a file of which they are a part has to
/// be handed in behind a digest, and no name of a file is longer than 255 bytes.
pub const JOINED_MAX: usize = 80;

/// Says what is rolled out: a component of a middleware stack in some version, for some platform.
///
/// In the procedure `glite` the stack is the product's own word for it, and the component a bundle or a node type.
/// What has no stack, such as the trust anchors, goes without; its own name then stands for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Component(Parts);

/// The parts of a [`Component`] before they are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// The middleware stack, `EMI`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The major release of the stack, `1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<String>,
    /// What is rolled out, `SE-DPM_mysql`.
    pub component: String,
    /// In which version, `1.8.0-1`.
    pub version: String,
    /// The operating system, `SL5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The architecture, `x86_64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
}

/// Says which part of a name is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the name begins with, `ea` or `summary`.
    Beginning,
    /// The national grid initiative of a team.
    Ngi,
    /// The site of a team.
    Site,
    /// The middleware stack.
    Stack,
    /// The major release of the stack.
    Major,
    /// The component.
    Component,
    /// The version.
    Version,
    /// The operating system.
    Os,
    /// The architecture.
    Arch,
}

/// Says why parts make no component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAComponent {
    /// A part cannot stand in names of files and titles.
    #[error(
        "the {part} `{text}` cannot be a part of names, which has letters, digits and `._-+~^`, a letter or digit first, at most {NAME_MAX}"
    )]
    Part {
        /// Which.
        part: Part,
        /// What it is.
        text: String,
    },
    /// A stack's major release is given without the stack.
    #[error("the major release `{0}` is of no stack")]
    NoStack(String),
    /// Names of files would be too long.
    #[error(
        "stack, component and version have {0} bytes together, and at most {JOINED_MAX} make names of files"
    )]
    Long(usize),
}

impl Component {
    /// Names the stack; the component itself if it belongs to none.
    pub fn stack(&self) -> &str {
        self.0.stack.as_deref().unwrap_or(&self.0.component)
    }

    /// Gives the parts.
    pub fn parts(&self) -> &Parts {
        &self.0
    }

    /// Lists what names of files have of it.
    fn file_parts(&self) -> impl Iterator<Item = (Part, &str)> {
        let stack = self.0.stack.as_deref().map(|stack| (Part::Stack, stack));
        stack.into_iter().chain([(Part::Component, &*self.0.component), (Part::Version, &self.0.version)])
    }
}

impl TryFrom<Parts> for Component {
    type Error = NotAComponent;

    fn try_from(parts: Parts) -> Result<Component, NotAComponent> {
        let given = [
            (Part::Stack, parts.stack.as_deref()),
            (Part::Major, parts.major.as_deref()),
            (Part::Component, Some(&*parts.component)),
            (Part::Version, Some(&parts.version)),
            (Part::Os, parts.os.as_deref()),
            (Part::Arch, parts.arch.as_deref()),
        ];
        let of_no_use =
            given.iter().find_map(|(part, text)| text.filter(|t| !is_part(t)).map(|t| (*part, t)));
        if let Some((part, text)) = of_no_use {
            return Err(NotAComponent::Part { part, text: shown(text) });
        }
        if let (None, Some(major)) = (&parts.stack, &parts.major) {
            return Err(NotAComponent::NoStack(shown(major)));
        }
        let component = Component(parts);
        let bytes: usize = component.file_parts().map(|(_, text)| text.len() + 1).sum();
        if bytes > JOINED_MAX {
            return Err(NotAComponent::Long(bytes));
        }
        Ok(component)
    }
}

impl From<Component> for Parts {
    fn from(component: Component) -> Parts {
        component.0
    }
}

/// Says whether a text can be a part of names.
fn is_part(text: &str) -> bool {
    text.len() <= NAME_MAX
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+~^".contains(&byte))
}

/// Writes the title of a ticket: `Staged Rollout EMI-1.0 SE-DPM_mysql 1.8.0-1 SL5 x86_64` (E2). It cannot be read back for
/// certain: what is left out leaves no trace, and `CA 1.38 SL5` may be a component of a stack `CA`.
pub fn ticket_title(component: &Component) -> String {
    let Parts { stack, major, component, version, os, arch } = &component.0;
    let stack = match (stack, major) {
        (Some(stack), Some(major)) => Some(format!("{stack}-{major}")),
        (stack, _) => stack.clone(),
    };
    let words = [stack.as_ref(), Some(component), Some(version), os.as_ref(), arch.as_ref()];
    words.into_iter().flatten().fold("Staged Rollout".to_owned(), |title, word| title + " " + word)
}

/// Writes how the subject of a ticket at the helpdesk begins: `Staged Rollout: SE-DPM_mysql-1.8.0-1` (E7).
pub fn helpdesk_subject(component: &Component) -> String {
    format!("Staged Rollout: {}-{}", component.0.component, component.0.version)
}

/// Writes how the document with all reports is described: `Staged rollout EMI SE-DPM_mysql 1.8.0-1` (E10).
pub fn description(component: &Component) -> String {
    component.file_parts().fold("Staged rollout".to_owned(), |text, (_, part)| text + " " + part)
}

/// Names the report of a team: `ea-IT-CNAF-EMI-SE-DPM_mysql-1.8.0-1.pdf` (E9).
pub fn report_file(team: &TeamName, component: &Component, extension: Extension) -> String {
    named(&report_parts(team, component), extension)
}

/// Names the summary of the staged roll-out manager: `summary-EMI-SE-DPM_mysql-1.8.0-1.pdf` (E10).
pub fn summary_file(component: &Component, extension: Extension) -> String {
    named(&summary_parts(component), extension)
}

fn report_parts<'a>(team: &'a TeamName, component: &'a Component) -> Vec<(Part, &'a str)> {
    let of_team = [(Part::Beginning, "ea"), (Part::Ngi, team.ngi()), (Part::Site, team.site())];
    of_team.into_iter().chain(component.file_parts()).collect()
}

fn summary_parts(component: &Component) -> Vec<(Part, &str)> {
    [(Part::Beginning, "summary")].into_iter().chain(component.file_parts()).collect()
}

fn joined(parts: &[(Part, &str)]) -> String {
    parts.iter().map(|(_, text)| *text).collect::<Vec<_>>().join("-")
}

fn named(parts: &[(Part, &str)], extension: Extension) -> String {
    format!("{}.{extension}", joined(parts))
}

/// Says why a file is not named as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misnamed {
    /// A part of the name is another one.
    #[error("the {part} in the name of the file is `{found}` and not `{expected}`: it must be `{whole}`")]
    Part {
        /// The first that differs.
        part: Part,
        /// What is there instead.
        found: String,
        /// What it has to be.
        expected: String,
        /// The name with the extension left open.
        whole: String,
    },
    /// Nothing follows behind a part.
    #[error("the name of the file ends behind the {part}: it must be `{whole}`")]
    Shorter {
        /// The last that is there.
        part: Part,
        /// The name with the extension left open.
        whole: String,
    },
    /// More follows behind the last part.
    #[error("the name of the file goes on with `{found}` behind the version: it must be `{whole}`")]
    Longer {
        /// What follows.
        found: String,
        /// The name with the extension left open.
        whole: String,
    },
    /// It ends otherwise than names of documents do.
    #[error(transparent)]
    Extension(#[from] NotAnExtension),
}

/// Checks the name that somebody gave the report of a team, part by part, and tells its extension. Extensions may be
/// written in capitals.
///
/// # Errors
/// The first part that differs is named, with what was expected.
pub fn check_report_file(name: &str, team: &TeamName, component: &Component) -> Result<Extension, Misnamed> {
    check(name, &report_parts(team, component))
}

/// Checks the name of a summary as [`check_report_file`] does that of a report.
///
/// # Errors
/// The first part that differs is named, with what was expected.
pub fn check_summary_file(name: &str, component: &Component) -> Result<Extension, Misnamed> {
    check(name, &summary_parts(component))
}

fn check(name: &str, parts: &[(Part, &str)]) -> Result<Extension, Misnamed> {
    let stem = joined(parts);
    let whole = format!("{stem}.EXT");
    // Versions have dots too: what is right but for the extension lacks that.
    if let Some(rest) = name.strip_prefix(&*stem).filter(|rest| rest.is_empty() || rest.starts_with('.')) {
        return Ok(rest.strip_prefix('.').unwrap_or_default().parse::<Extension>()?);
    }
    let given = match name.rsplit_once('.') {
        Some((before, extension)) if extension.parse::<Extension>().is_ok() => before,
        _ => name,
    };
    let mut rest = given;
    for (at, (part, expected)) in parts.iter().enumerate() {
        if rest == *expected {
            match at + 1 == parts.len() {
                true => break,
                false => return Err(Misnamed::Shorter { part: *part, whole }),
            }
        }
        match rest.strip_prefix(expected).and_then(|rest| rest.strip_prefix('-')) {
            Some(behind) if at + 1 < parts.len() => rest = behind,
            Some(behind) => return Err(Misnamed::Longer { found: shown(behind), whole }),
            None => {
                let found = shown(instead(rest, expected, &parts[at + 1..]));
                return Err(Misnamed::Part { part: *part, found, expected: (*expected).to_owned(), whole });
            }
        }
    }
    Ok(given.strip_prefix(&*stem).unwrap_or_default().parse::<Extension>()?)
}

/// Finds what stands in place of a part. Parts may have `-` themselves: where all that should follow does, it is what
/// stands before that, and otherwise as many words as were expected.
fn instead<'a>(rest: &'a str, expected: &str, behind: &[(Part, &str)]) -> &'a str {
    if behind.is_empty() {
        return rest;
    }
    if let Some(found) = rest.strip_suffix(&*format!("-{}", joined(behind))) {
        return found;
    }
    let words = expected.matches('-').count();
    rest.match_indices('-').nth(words).map_or(rest, |(at, _)| &rest[..at])
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Beginning => "beginning",
            Part::Ngi => "NGI",
            Part::Site => "site",
            Part::Stack => "middleware stack",
            Part::Major => "major release",
            Part::Component => "component",
            Part::Version => "version",
            Part::Os => "operating system",
            Part::Arch => "architecture",
        })
    }
}

macro_rules! words {
    ($(#[$of:meta])* $name:ident { $($(#[$on:meta])* $variant:ident = $word:literal,)* }, $error:ident, $said:literal) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$on])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($name::$variant => $word,)* })
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<$name, $error> {
                let words = [$($word),*];
                let at = words.iter().position(|word| word.eq_ignore_ascii_case(text));
                at.map(|at| $name::ALL[at]).ok_or_else(|| $error(shown(text)))
            }
        }

        /// Says that a text is none of the words.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[error($said)]
        pub struct $error(String);
    };
}

words! {
    /// The kinds of documents that reports are; they are kept, not opened. Read in any case.
    Extension {
        /// A document to print.
        Pdf = "pdf",
        /// Plain text.
        Txt = "txt",
        /// Markdown, as the template is.
        Md = "md",
        /// A page.
        Html = "html",
        /// A page.
        Htm = "htm",
        /// A text of LibreOffice.
        Odt = "odt",
        /// A text of Word.
        Doc = "doc",
        /// A text of Word.
        Docx = "docx",
        /// A text of any of them.
        Rtf = "rtf",
    },
    NotAnExtension,
    "the name of the file ends with the extension `{0}`, which must be `pdf`, `txt`, `md`, `html`, `htm`, `odt`, `doc`, `docx` or `rtf`"
}

words! {
    /// How soon sites had better take an update; written as the subject of its announcement has it (G19). Read in any case.
    #[derive(Default)]
    Priority {
        /// When it suits them.
        #[default]
        Normal = "Normal",
        /// Soon.
        High = "HIGH",
        /// At once.
        Urgent = "URGENT",
    },
    NotAPriority,
    "`{0}` is no priority, which is `Normal`, `HIGH` or `URGENT`"
}

/// Writes the subject under which an update is announced: `Release of UPDATE 57 to gLite 3.2. Priority: HIGH` (G19).
pub fn announcement_subject(update: u64, product: &Line, priority: Priority) -> String {
    format!("Release of UPDATE {update} to {product}. Priority: {priority}")
}

#[cfg(test)]
mod tests;
