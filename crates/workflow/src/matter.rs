//! What a procedure is about: one patch, bundle, ticket, task or update.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::{Id, NotAName, shown};

/// One thing that a procedure takes care of, written `patch/3456`, `bundle/b1`, `ticket/GGUS-7`, `task/12` or `update/57`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Matter {
    /// A patch.
    Patch(Id),
    /// A bundle.
    Bundle(Id),
    /// A ticket.
    Ticket(Id),
    /// A task.
    Task(u32),
    /// An update.
    Update(u32),
}

/// Says that a text names no such thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMatter {
    /// It is of no kind that there is.
    #[error("`{0}` is no `patch/ID`, `bundle/ID`, `ticket/ID`, `task/NUMBER` or `update/NUMBER`")]
    Kind(String),
    /// It has no number.
    #[error("`{0}` is not a number, by which tasks and updates are named")]
    Number(String),
    /// It has no id.
    #[error(transparent)]
    Id(#[from] NotAName),
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Matter::Patch(id) => write!(f, "patch/{id}"),
            Matter::Bundle(id) => write!(f, "bundle/{id}"),
            Matter::Ticket(id) => write!(f, "ticket/{id}"),
            Matter::Task(number) => write!(f, "task/{number}"),
            Matter::Update(number) => write!(f, "update/{number}"),
        }
    }
}

impl FromStr for Matter {
    type Err = NotAMatter;

    fn from_str(text: &str) -> Result<Matter, NotAMatter> {
        let wrong = || NotAMatter::Kind(shown(text));
        let (kind, name) = text.split_once('/').ok_or_else(wrong)?;
        let number = || name.parse().map_err(|_| NotAMatter::Number(shown(name)));
        match kind {
            "patch" => Ok(Matter::Patch(name.parse()?)),
            "bundle" => Ok(Matter::Bundle(name.parse()?)),
            "ticket" => Ok(Matter::Ticket(name.parse()?)),
            "task" => Ok(Matter::Task(number()?)),
            "update" => Ok(Matter::Update(number()?)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Matter {
    type Error = NotAMatter;

    fn try_from(text: String) -> Result<Matter, NotAMatter> {
        text.parse()
    }
}

impl From<Matter> for String {
    fn from(matter: Matter) -> String {
        matter.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_is_written_as_it_is_read() {
        for text in ["patch/3456", "bundle/glite-UI.42", "ticket/GGUS-7", "task/12", "update/57"] {
            assert_eq!(text.parse::<Matter>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "patch",
            "patch/",
            "task/x",
            "task/-1",
            "team/ea-IT-CNAF",
            "patch/../x",
            "Task/1",
            "task/12\u{1b}[2J",
        ] {
            let said = bad.parse::<Matter>().unwrap_err().to_string();
            assert!(!said.contains('\u{1b}'), "{said}");
        }
    }
}
