//! The users and groups of this host: the one place that asks for them.
//!
//! Asking may take long where a directory service answers (LDAP, SSSD): call it from a thread that may wait.
#![expect(clippy::disallowed_methods, reason = "reads the configuration file and the user database")]

use super::{Account, Code, Config, ConfigErrors, ExternalWay, Fault, HeldRole, Identity, Roles};
use crate::error::Error;
use camino::Utf8Path;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use std::ffi::CString;
use std::io::Read;

/// Reads the configuration `file` and the files it names, and checks its text and its accounts.
pub fn load(file: &Utf8Path) -> Result<Config, Error> {
    let mut config = Config::parse(&read(file)?, file.as_str())?;
    check(&config)?;
    super::comps::read(&mut config)?;
    super::certificates::read(&mut config)?;
    Ok(config)
}

/// Reads the bytes of a configuration, at most one more than [`super::SIZE_MAX`].
pub fn read(file: &Utf8Path) -> Result<Vec<u8>, Error> {
    let wrong = |cause| Error::ReadConfig { file: file.to_owned(), cause };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(wrong)?;
    opened.take(super::SIZE_MAX as u64 + 1).read_to_end(&mut bytes).map_err(wrong)?;
    Ok(bytes)
}

/// Finds the users and groups of `config` that this host does not know.
///
/// Numbers are never unknown: `uid:1001` means whoever has this number.
pub fn check(config: &Config) -> Result<(), Error> {
    let mut faults = Vec::new();
    let door = config.door.iter().map(|account| (account, config.door_at));
    let grants = config.roles.grants.iter().map(|grant| (&grant.account, (grant.line, grant.column)));
    let owners = config.external.values().filter_map(|gate| match &gate.way {
        ExternalWay::Results { owner, .. } => Some((owner, gate.place)),
        ExternalWay::Command { .. } => None,
    });
    for (account, (line, column)) in door.chain(grants).chain(owners) {
        let (what, name, hint) = match account {
            Account::User(name) => ("user", name, "uid:1001"),
            Account::Group(name) => ("group", name, "gid:2000"),
            Account::Uid(_) | Account::Gid(_) | Account::As(_) | Account::Ssh(_) => continue,
        };
        let known = match account {
            Account::User(_) => looked_up(what, name, User::from_name(name))?.is_some(),
            _ => looked_up(what, name, Group::from_name(name))?.is_some(),
        };
        if !known {
            faults.push(Fault {
                line,
                column,
                code: Code::UnknownAccount,
                reason: format!("this host knows no {what} `{name}`"),
                hint: Some(format!(
                    "`getent passwd` and `getent group` list them; or write a number, \"{hint}\""
                )),
            });
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(ConfigErrors { file: config.file.clone(), faults }.into()),
    }
}

/// Looks up name and groups of the user `uid`, the primary group and the supplementary ones alike.
///
/// A number without a name has no groups. An error means that nobody knows, not that there are none.
pub fn identity(uid: u32) -> Result<Identity, Error> {
    let what = uid.to_string();
    let Some(user) = looked_up("user", &what, User::from_uid(Uid::from_raw(uid)))? else {
        return Ok(Identity { uid, user: None, groups: Vec::new() });
    };
    let name = CString::new(user.name.clone())
        .map_err(|cause| accounts_error("user", &what, std::io::Error::other(cause)))?;
    let gids = looked_up("groups of user", &user.name, getgrouplist(&name, user.gid))?;
    let mut groups = Vec::new();
    for gid in gids {
        let group = looked_up("group", &gid.to_string(), Group::from_gid(Gid::from_raw(gid.as_raw())))?;
        groups.push((gid.as_raw(), group.map(|group| group.name)));
    }
    Ok(Identity { uid, user: Some(user.name), groups })
}

impl Account {
    /// Finds the number of a user; `None` if it is none, or the host knows it not.
    ///
    /// An error means that the host could not tell now.
    pub fn uid(&self) -> Result<Option<u32>, Error> {
        match self {
            Account::Uid(uid) => Ok(Some(*uid)),
            Account::User(name) => uid_of(name),
            Account::Group(_) | Account::Gid(_) | Account::As(_) | Account::Ssh(_) => Ok(None),
        }
    }
}

impl Config {
    /// Says whether `uid` is the door: whose requests must, and whose requests only may, say `as` whom they ask.
    ///
    /// An error means that the host could not tell now: nobody may take it for "no".
    pub fn is_door(&self, uid: u32) -> Result<bool, Error> {
        match &self.door {
            Some(door) => Ok(door.uid()? == Some(uid)),
            None => Ok(false),
        }
    }
}

/// Finds the number of a user by name.
pub fn uid_of(name: &str) -> Result<Option<u32>, Error> {
    Ok(looked_up("user", name, User::from_name(name))?.map(|user| user.uid.as_raw()))
}

impl Roles {
    /// Asks the host who `uid` is and lists its roles, as [`Roles::of_identity`].
    ///
    /// An error means that the host could not tell now: nobody may take it for "no role".
    pub fn of(&self, uid: u32) -> Result<(String, Vec<HeldRole>), Error> {
        Ok(self.of_identity(&identity(uid)?))
    }
}

fn looked_up<T>(what: &str, name: &str, answer: nix::Result<T>) -> Result<T, Error> {
    answer.map_err(|errno| accounts_error(what, name, errno.into()))
}

fn accounts_error(what: &str, name: &str, cause: std::io::Error) -> Error {
    Error::Accounts { what: format!("{what} `{name}`"), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_with_its_groups() {
        let uid = nix::unistd::geteuid();
        let found = identity(uid.as_raw()).unwrap();
        assert_eq!(found.uid, uid.as_raw());
        match User::from_uid(uid).unwrap() {
            Some(user) => {
                assert_eq!(found.user.as_deref(), Some(user.name.as_str()));
                assert!(found.groups.iter().any(|(gid, _)| *gid == user.gid.as_raw()));
            }
            None => assert_eq!((found.user, found.groups.len()), (None, 0)),
        }
    }

    #[test]
    fn root_is_known_by_name_on_every_host() {
        let root = identity(0).unwrap();
        assert_eq!(root.name(), "user:root");
    }

    #[test]
    fn a_number_without_a_name_has_no_groups() {
        let nobody = identity(3_999_999_777).unwrap();
        assert_eq!((nobody.name().as_str(), nobody.groups.len()), ("uid:3999999777", 0));
    }
}
