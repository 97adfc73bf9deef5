//! `[people]`: who asks by several names, so that two approvals of one person count once.

use super::fault::Faults;
use super::identity::Account;
use super::section::{Section, texts_of};
use std::collections::BTreeMap;

/// Reads the names of each person, `alice = ["user:alice", "ssh:alice@example.org"]`; gives the person of each name.
pub(super) fn read(section: &Section<'_>, faults: &mut Faults<'_>) -> BTreeMap<String, String> {
    let mut people: BTreeMap<String, String> = BTreeMap::new();
    for (person, value) in section.rest() {
        for text in texts_of(value, &person.value, faults) {
            let account = match Account::parse(&text.value) {
                Ok(account @ (Account::User(_) | Account::Uid(_) | Account::As(_) | Account::Ssh(_))) => {
                    account
                }
                // A group is nobody.
                _ => {
                    let hint =
                        "write \"user:alice\", \"uid:1001\" (of a user without a name), \"ssh:alice@example.org\" or \"as:ea-IT-CNAF\"".to_owned();
                    faults.add(text.at, format!("{:?} is no name of a person", text.value), Some(hint));
                    continue;
                }
            };
            if let Some(other) = people.insert(account.to_string(), person.value.clone())
                && other != person.value
            {
                let reason = format!("\"{account}\" is `{}` already", other.escape_debug());
                faults.add(text.at, reason, None);
            }
        }
    }
    people
}
