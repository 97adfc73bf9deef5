//! `[people]`: who asks by several names, so that two approvals of one person count once.

use super::code::Code;
use super::fault::Faults;
use super::identity::Account;
use super::product::DraftProduct;
use super::roles::Roles;
use super::section::{Section, texts_of};
use std::collections::{BTreeMap, BTreeSet};

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

/// Checks that nobody counts twice along a route that wants approvals: where accounts of several kinds may ask or
/// approve, `[people]` must say of each who it is.
///
/// Of one kind everybody has one name. The members of a group do not stand in the file: whoever of them has a key or
/// comes through the door as well is the person whom `[people]` gives that other name to.
pub(super) fn check(
    drafts: &[DraftProduct],
    roles: &Roles,
    people: &BTreeMap<String, String>,
    faults: &mut Faults<'_>,
) {
    let mut told = BTreeSet::new();
    for draft in drafts {
        for route in draft.routes.iter().filter(|route| !route.approvals.is_empty()) {
            let approving = route.approvals.iter().map(|(role, _)| role);
            let wanted: Vec<&str> = approving.chain(&route.roles).map(|role| role.value.as_str()).collect();
            let counts = |product: Option<&str>| product.is_none_or(|product| product == draft.name.value);
            let granted = roles
                .grants
                .iter()
                .filter(|grant| wanted.contains(&grant.role.as_str()) && counts(grant.product.as_deref()));
            let granted: Vec<_> = granted.collect();
            let kinds: BTreeSet<&str> = granted.iter().map(|grant| kind(&grant.account)).collect();
            if kinds.len() < 2 {
                continue;
            }
            let is_named = |account: &Account| match account {
                Account::Group(_) | Account::Gid(_) => true,
                one => people.contains_key(&one.to_string()),
            };
            for grant in granted.into_iter().filter(|grant| !is_named(&grant.account)) {
                if !told.insert(&grant.account) {
                    continue;
                }
                let account = &grant.account;
                let reason = format!(
                    "`[people]` does not say who \"{account}\" is: from `{}` to `{}` of `{}` {} ask and approve, and \
                     who is two of them would count twice",
                    route.from.value,
                    route.to.value,
                    draft.name.value,
                    kinds.iter().copied().collect::<Vec<_>>().join(" and "),
                );
                let hint = format!(
                    "write for example `alice = [\"{account}\", ...]` with all names of that person below [people], \
                     also if it is the only one"
                );
                faults.coded_in_line(Code::UnnamedPerson, (grant.line, grant.column), reason, Some(hint));
            }
        }
    }
}

/// Says how somebody asks: of one kind a person has one name.
fn kind(account: &Account) -> &'static str {
    match account {
        Account::User(_) | Account::Uid(_) | Account::Group(_) | Account::Gid(_) => "users of this host",
        Account::Ssh(_) => "keys",
        Account::As(_) => "names at the door",
    }
}

#[cfg(test)]
mod tests;
