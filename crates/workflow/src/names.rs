//! What patches, bundles and teams are called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest id or name of a team, in bytes.
pub const NAME_MAX: usize = 100;

/// Says that a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// It is no id of a patch, bundle or ticket.
    #[error(
        "`{0}` is not an id, which has letters, digits, `.`, `_` and `-`, a letter or digit first, at most {NAME_MAX}"
    )]
    Id(String),
    /// It is no name of a team.
    #[error(
        "`{0}` is not a team of early adopters, which is written `ea-<NGI>-<Site>`, such as `ea-IT-CNAF`"
    )]
    Team(String),
}

/// The id of a patch, a bundle or a ticket, as a tracker gives it: one plain path component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// The name of a team of early adopters, `ea-<NGI>-<Site>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TeamName(String);

/// Says whether a text is one plain path component: letters, digits, `.`, `_` and `-`, a letter or digit first.
pub(crate) fn is_plain(text: &str) -> bool {
    text.len() <= NAME_MAX
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Makes what somebody wrote fit to stand in a sentence.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(NAME_MAX).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", short.escape_debug())
}

impl Id {
    /// Gives the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TeamName {
    /// Gives the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names the national grid initiative: what stands between the first two `-`.
    pub fn ngi(&self) -> &str {
        self.0.split('-').nth(1).unwrap_or_default()
    }

    /// Names the site, which may hold `-` itself.
    pub fn site(&self) -> &str {
        self.0.splitn(3, '-').nth(2).unwrap_or_default()
    }
}

impl FromStr for Id {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Id, NotAName> {
        match is_plain(text) {
            true => Ok(Id(text.to_owned())),
            false => Err(NotAName::Id(shown(text))),
        }
    }
}

impl FromStr for TeamName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<TeamName, NotAName> {
        let parts: Vec<&str> = text.splitn(3, '-').collect();
        match parts[..] {
            ["ea", ngi, site] if is_plain(text) && !ngi.is_empty() && is_plain(site) => {
                Ok(TeamName(text.to_owned()))
            }
            _ => Err(NotAName::Team(shown(text))),
        }
    }
}

macro_rules! a_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<$name, NotAName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

a_text!(Id);
a_text!(TeamName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_says_its_initiative_and_its_site() {
        for (text, ngi, site) in [
            ("ea-IT-CNAF", "IT", "CNAF"),
            ("ea-NGI_UK-RAL-LCG2", "NGI_UK", "RAL-LCG2"),
            ("ea-CH-CERN.PROD", "CH", "CERN.PROD"),
        ] {
            let team: TeamName = text.parse().unwrap();
            assert_eq!((team.ngi(), team.site(), team.as_str()), (ngi, site, text));
        }
        for bad in [
            "",
            "ea",
            "ea-IT",
            "ea-IT-",
            "ea--CNAF",
            "IT-CNAF",
            "ea-IT-CN AF",
            "ea-IT-../x",
            "ea-IT-\u{e9}",
            "ea-IT--x",
        ] {
            assert!(bad.parse::<TeamName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_one_plain_path_component() {
        for good in ["3456", "glite-UI.42_a", "1", "57"] {
            assert_eq!(good.parse::<Id>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "-a", "a b", "a\n", "\u{202e}a", &"a".repeat(101)] {
            assert!(bad.parse::<Id>().is_err(), "{bad}");
        }
        let said = "a\u{1b}[31m".parse::<Id>().unwrap_err().to_string();
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}
