//! Who somebody is: a user with groups, as the host knows them; and what the configuration calls them.

use std::fmt;

/// Is one account as the file writes it: `user:alice`, `group:mu`, `uid:1001`, `gid:2000`, `as:ea-IT-CNAF`, `ssh:alice@example.org`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// A user by name.
    User(String),
    /// Every member of a group, by the group's name.
    Group(String),
    /// A user by number, whether or not the host has a name for it.
    Uid(u32),
    /// Every member of a group, by the group's number.
    Gid(u32),
    /// A name this host knows nothing of, for which the door speaks; no user of the host is it.
    As(String),
    /// Whoever signs requests with a key that `allowed_signers` gives to this name; no user of the host is it.
    Ssh(String),
}

impl Account {
    /// Reads an account; the error is a hint for whoever wrote it.
    pub(super) fn parse(text: &str) -> Result<Account, String> {
        let forms = "write \"user:alice\", \"group:mu\", \"uid:1001\" or \"gid:2000\"";
        let Some((kind, rest)) = text.split_once(':') else {
            return Err(match name(text) {
                Some(name) => format!("did you mean \"user:{name}\" or \"group:{name}\"?"),
                None => forms.to_owned(),
            });
        };
        let parsed = match kind {
            "user" => name(rest).map(Account::User),
            "group" => name(rest).map(Account::Group),
            "uid" => number(rest).map(Account::Uid),
            "gid" => number(rest).map(Account::Gid),
            "as" => name(rest).map(Account::As),
            "ssh" => name(rest).map(Account::Ssh),
            _ => None,
        };
        parsed.ok_or_else(|| forms.to_owned())
    }

    /// Says whether `identity` is this account or belongs to it.
    ///
    /// Root is nobody's member: it has what is given to `user:root` or `uid:0`, and nothing through groups.
    pub fn covers(&self, identity: &Identity) -> bool {
        let mut groups = identity.groups.iter().filter(|_| identity.uid != 0);
        match self {
            Account::User(name) => identity.user.as_deref() == Some(name),
            Account::Uid(uid) => identity.uid == *uid,
            Account::Group(name) => groups.any(|(_, group)| group.as_deref() == Some(name)),
            Account::Gid(gid) => groups.any(|(group, _)| group == gid),
            Account::As(_) | Account::Ssh(_) => false,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::User(name) => write!(f, "user:{name}"),
            Account::Group(name) => write!(f, "group:{name}"),
            Account::Uid(uid) => write!(f, "uid:{uid}"),
            Account::Gid(gid) => write!(f, "gid:{gid}"),
            Account::As(name) => write!(f, "as:{name}"),
            Account::Ssh(name) => write!(f, "ssh:{name}"),
        }
    }
}

fn name(text: &str) -> Option<String> {
    let good = !text.is_empty() && text.len() <= 256;
    let plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !":,\"".contains(c));
    (good && plain).then(|| text.to_owned())
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // The highest number means "nobody at all" to chown(2).
    digits.then(|| text.parse().ok()).flatten().filter(|n| *n != u32::MAX)
}

/// Is a user as the host knows it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's number.
    pub uid: u32,
    /// The user's name, `None` if the host has none for this number.
    pub user: Option<String>,
    /// Number and name of the primary and of every supplementary group.
    pub groups: Vec<(u32, Option<String>)>,
}

impl Identity {
    /// Names the user as answers and the audit log do: `user:alice`, or `uid:1001` if it has no name.
    pub fn name(&self) -> String {
        match &self.user {
            Some(user) => format!("user:{user}"),
            None => format!("uid:{}", self.uid),
        }
    }
}
