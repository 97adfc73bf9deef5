//! The `[[external]]` tables: gates outside of Sluice, which routes name.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::identity::Account;
use super::name;
use super::product::DraftProduct;
use super::section::{Section, Text};
use super::signer::{TIMEOUT, time_limit, whole_command};
use super::site::{directory, duration};
use camino::Utf8PathBuf;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Is a gate outside of Sluice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalGate {
    /// The word routes use for it.
    pub name: String,
    /// How it is heard.
    pub way: ExternalWay,
    /// Line and column of its name.
    pub place: (usize, usize),
}

/// Says how an external gate is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalWay {
    /// A program that reads the plan as JSON on stdin and ends with 0 for yes, with 1 for no; what it prints is its evidence.
    Command {
        /// The program and its arguments, at least one word.
        words: Vec<String>,
        /// How long it may take; positive.
        timeout: SignedDuration,
    },
    /// A folder in which somebody leaves a file `<hash of the plan>.json`.
    Results {
        /// The folder.
        folder: Utf8PathBuf,
        /// Whose files count: a user, by name or number.
        owner: Account,
        /// How old a file may be; positive.
        max_age: SignedDuration,
    },
}

/// How old a result may be unless the file says otherwise: as old as an approval.
const MAX_AGE: SignedDuration = plan::APPROVAL_COUNTS;

pub(super) fn read(sections: Vec<Section<'_>>, faults: &mut Faults<'_>) -> BTreeMap<String, ExternalGate> {
    let mut gates: BTreeMap<String, ExternalGate> = BTreeMap::new();
    for section in sections {
        let Some((gate, at)) = read_one(section, faults) else { continue };
        if let Some(first) = gates.get(&gate.name) {
            let reason = format!("the external gate `{}` stands in the file twice", gate.name);
            let hint = format!("the first one is in line {}", first.place.0);
            faults.coded(Code::Twice, at, reason, Some(hint));
            continue;
        }
        gates.insert(gate.name.clone(), gate);
    }
    gates
}

fn read_one(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<(ExternalGate, usize)> {
    let at = section.at;
    let name = section.needed("name", "\"ci\"", faults);
    let command = section.texts("command", faults);
    let timeout = section.text("timeout", faults);
    let results = section.text("results", faults);
    let owner = section.text("owner", faults);
    let has_max_age = section.has("max_age");
    let max_age = section.text("max_age", faults);
    section.end(faults);
    let name = name.filter(|text| name::good(text, "the external gate", faults));
    let way = match (command, results, owner) {
        (Some(command), None, None) if !has_max_age => {
            let timeout = match timeout {
                Some(text) => time_limit(&text, faults)?,
                None => TIMEOUT,
            };
            ExternalWay::Command { words: whole_command(command, at, faults)?, timeout }
        }
        (None, Some(results), Some(owner)) if timeout.is_none() => {
            let folder = directory(&results, "results", faults)?;
            let max_age = match max_age {
                Some(text) => Some(duration(&text, "max_age", faults)?),
                None if has_max_age => return None,
                None => Some(MAX_AGE),
            };
            let max_age = max_age.filter(|age| !age.is_zero());
            let Some(max_age) = max_age else {
                faults.add(at, "with `max_age` zero every result would be too old", None);
                return None;
            };
            ExternalWay::Results { folder, owner: user(&owner, faults)?, max_age }
        }
        _ => {
            let hint = "write `command = [\"/usr/libexec/...\"]`, with a `timeout` if you like, or `results = \"/srv/ci/results\"` \
                        and `owner = \"user:ci\"`, with a `max_age` if you like";
            faults.add(at, "[[external]] is heard in exactly one way", Some(hint.to_owned()));
            return None;
        }
    };
    let name = name?;
    let place = faults.line_and_column(name.at);
    Some((ExternalGate { name: name.value, way, place }, name.at))
}

/// Reads whose files count.
fn user(text: &Text, faults: &mut Faults<'_>) -> Option<Account> {
    if let Ok(account @ (Account::User(_) | Account::Uid(_))) = Account::parse(&text.value) {
        return Some(account);
    }
    let hint = "write \"user:ci\" or \"uid:1001\"".to_owned();
    faults.add(text.at, format!("`owner = {:?}` is no user", text.value), Some(hint));
    None
}

/// Checks that routes name gates there are, each once.
pub(super) fn check(
    drafts: &[DraftProduct],
    gates: &BTreeMap<String, ExternalGate>,
    faults: &mut Faults<'_>,
) {
    let known: Vec<&str> = gates.keys().map(String::as_str).collect();
    for route in drafts.iter().flat_map(|draft| &draft.routes) {
        for (n, text) in route.external.iter().enumerate() {
            if !gates.contains_key(&text.value) {
                let hint = did_you_mean(&text.value, "external gates", &known);
                let reason =
                    format!("the route names the external gate {:?}, which does not exist", text.value);
                faults.coded(Code::NoSuchGate, text.at, reason, Some(hint));
            } else if route.external[..n].iter().any(|other| other.value == text.value) {
                let reason = format!("the route names the external gate `{}` twice", text.value);
                faults.coded(Code::Twice, text.at, reason, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(more: &str) -> Result<Config, String> {
        let text = format!(
            "format = 1\n[site]\nname = \"T\"\nroot = \"/srv/sluice\"\nspool = \"/var/spool/sluice\"\n\
             base_url = \"http://localhost\"\n[[product]]\nname = \"glite\"\npreset = \"glite\"\n\
             platforms = [\"el9/x86_64\"]\n[[product.route]]\nfrom = \"delta\"\nto = \"production\"\n{more}"
        );
        Config::parse(text.as_bytes(), "t.toml").map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_route_names_gates_that_are_heard_in_one_way_each() {
        let gates = "[[external]]\nname = \"ci\"\ncommand = [\"/usr/bin/ci\", \"-v\"]\n\
                     [[external]]\nname = \"qa\"\nresults = \"/srv/qa\"\nowner = \"uid:1001\"\n";
        let config = parse(&format!("external = [\"ci\", \"qa\"]\n{gates}")).unwrap();
        assert_eq!(config.layout.products["glite"].routes[0].external, ["ci", "qa"]);
        let ExternalWay::Command { words, timeout } = &config.external["ci"].way else {
            panic!("{config:?}")
        };
        assert_eq!((words.join(" ").as_str(), *timeout), ("/usr/bin/ci -v", TIMEOUT));
        let ExternalWay::Results { folder, owner, max_age } = &config.external["qa"].way else {
            panic!("{config:?}")
        };
        assert_eq!((folder.as_str(), owner.to_string().as_str()), ("/srv/qa", "uid:1001"));
        assert_eq!(*max_age, SignedDuration::from_hours(720));
    }

    #[test]
    fn what_cannot_be_heard_is_told_with_its_line() {
        let named = |rest: &str| format!("external = [\"ci\"]\n[[external]]\nname = \"ci\"\n{rest}\n");
        let cases = [
            ("external = [\"ci\"]\n".to_owned(), "14:13: the route names the external gate \"ci\""),
            (named(""), "heard in exactly one way"),
            (named("command = [\"/ci\"]\nresults = \"/srv/qa\""), "heard in exactly one way"),
            (named("results = \"/srv/qa\""), "heard in exactly one way"),
            (named("results = \"/srv/qa\"\nowner = \"uid:7\"\ntimeout = \"3s\""), "heard in exactly one way"),
            (named("results = \"/srv/qa\"\nowner = \"group:qa\""), "is no user"),
            (named("command = [\"/ci\"]\nmax_age = \"1d\""), "heard in exactly one way"),
            (named("results = \"/srv/qa\"\nowner = \"uid:7\"\nmax_age = \"0s\""), "zero"),
            (named("command = [\"ci\"]"), "does not begin with the path of a program"),
            (named("command = [\"/ci\"]\ntimeout = \"1h\""), "is not between"),
            (
                named("command = [\"/ci\"]\n[[external]]\nname = \"ci\"\ncommand = [\"/a\"]"),
                "stands in the file twice",
            ),
        ];
        for (text, expected) in cases {
            let told = parse(&text).unwrap_err();
            assert!(told.contains(expected), "{text}\n{told}");
        }
        let twice = "external = [\"ci\", \"ci\"]\n[[external]]\nname = \"ci\"\ncommand = [\"/ci\"]\n";
        assert!(parse(twice).unwrap_err().contains("twice"));
    }
}
