//! Who asked, and what: read again from the text of the request, its signature and whose file it was.

use plan::{Asker, Code, Refusal, Request};

use crate::config::{Account, Config, HeldRole, Identity};
use crate::grounds::{Grounds, held};
use crate::signed_request;

/// What is found in a request that is read again.
pub(super) struct Asked {
    /// Who asks.
    pub(super) asker: Asker,
    /// What they ask for, or why that is refused.
    pub(super) request: Result<Request, Refusal>,
    /// Whether a role was held through a group, which the record alone tells.
    pub(super) by_group: bool,
    /// The roles that are recorded and that nothing in the configuration gives.
    pub(super) unfounded: Vec<HeldRole>,
}

/// Reads a request again; `recorded` are the roles that its asker is said to have had.
pub(super) fn read(config: &Config, grounds: &Grounds, text: &str, recorded: &[String]) -> Asked {
    let recorded = held(recorded);
    let owner = owner_roles(config, &grounds.file_of, Some(grounds.uid), &recorded);
    let mut asked = Asked {
        asker: Asker { name: grounds.file_of.clone(), roles: owner.roles },
        request: Err(Refusal::new(Code::Internal, "it was not read yet")),
        by_group: owner.by_group,
        unfounded: Vec::new(),
    };
    asked.request = asked.understand(config, grounds, text);
    asked.by_group &= asked.asker.name == grounds.file_of;
    let is_unfounded = |role: &HeldRole| !asked.asker.roles.contains(role);
    asked.unfounded = recorded.into_iter().filter(is_unfounded).collect();
    asked
}

impl Asked {
    fn understand(&mut self, config: &Config, grounds: &Grounds, text: &str) -> Result<Request, Refusal> {
        let (bytes, signature) = plan::signed::split(text.as_bytes());
        if let Some(signature) = signature {
            // It had to count when the request was read, and until it was decided.
            let clocks = [grounds.now, grounds.witnessed];
            let name = signed_request::signer(bytes, signature, &config.allowed_signers, clocks)?;
            let (name, roles) = config.roles.of_ssh(name);
            self.asker = Asker { name, roles };
        }
        let request = plan::parse(bytes, grounds.format())?;
        signed_request::is_for(&request, config)?;
        if signature.is_some() {
            signed_request::is_bound(&request, grounds.read)?;
        }
        if let Some(refusal) = crate::engine::refused_folder(&request, is_door(config, grounds)) {
            return Err(refusal);
        }
        let is_door = signature.is_none() && is_door(config, grounds);
        match (is_door, &request.as_) {
            (true, Some(name)) => {
                let (name, roles) = config.roles.of_named(name);
                self.asker = Asker { name, roles };
                Ok(request)
            }
            (false, None) => Ok(request),
            (true, None) | (false, Some(_)) => Err(crate::engine::refused_as(&self.asker, is_door)),
        }
    }
}

fn is_door(config: &Config, grounds: &Grounds) -> bool {
    match &config.door {
        Some(Account::Uid(uid)) => *uid == grounds.uid,
        Some(door) => door.to_string() == grounds.file_of,
        None => false,
    }
}

/// The roles of a user of the host, as far as that can be known.
pub(super) struct OwnerRoles {
    pub(super) roles: Vec<HeldRole>,
    pub(super) by_group: bool,
}

/// Finds the roles that the configuration gives to a user by name or number, and those of `recorded` that it gives to
/// some group: who was in which is not known any more. Without a number, roles of numbers are taken so as well.
pub(super) fn owner_roles(
    config: &Config,
    name: &str,
    uid: Option<u32>,
    recorded: &[HeldRole],
) -> OwnerRoles {
    let identity = Identity {
        // No account has this number.
        uid: uid.unwrap_or(u32::MAX),
        user: name.strip_prefix("user:").map(str::to_owned),
        groups: Vec::new(),
    };
    let (_, mut roles) = config.roles.of_identity(&identity);
    let may_be = |account: &Account| match account {
        Account::Group(_) | Account::Gid(_) => uid != Some(0),
        Account::Uid(_) => uid.is_none(),
        Account::User(_) | Account::As(_) | Account::Ssh(_) => false,
    };
    let through_group = |role: &&HeldRole| {
        let mut grants = config.roles.grants.iter();
        grants.any(|grant| (&grant.product, &grant.role) == (&role.0, &role.1) && may_be(&grant.account))
    };
    let others: Vec<HeldRole> =
        recorded.iter().filter(|role| !roles.contains(role)).filter(through_group).cloned().collect();
    let by_group = !others.is_empty();
    roles.extend(others);
    roles.sort();
    OwnerRoles { roles, by_group }
}

/// Finds which roles somebody held who approved of something.
pub(super) fn approver(config: &Config, name: &str, grounds: &Grounds) -> Option<Asker> {
    let recorded = held(grounds.approvers.get(name)?);
    let roles = match name.split_once(':') {
        Some(("as", rest)) => config.roles.of_named(rest).1,
        Some(("ssh", rest)) => {
            let clocks = [grounds.now, grounds.witnessed];
            let mut keys = config.allowed_signers.iter();
            let is_known = keys.any(|key| key.name == rest && key.counts_at(clocks));
            if is_known { config.roles.of_ssh(rest).1 } else { Vec::new() }
        }
        Some(("uid", number)) => owner_roles(config, name, number.parse().ok(), &recorded).roles,
        _ => owner_roles(config, name, None, &recorded).roles,
    };
    Some(Asker { name: name.to_owned(), roles })
}
