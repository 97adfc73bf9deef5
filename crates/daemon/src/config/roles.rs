//! The `[roles]` table: which accounts have which role, everywhere or for one product.

use super::DEFAULT_ROLE;
use super::fault::{Faults, did_you_mean, nearest};
use super::identity::{Account, Identity};
use super::name;
use super::product::DraftProduct;
use super::section::{Section, Text, section_of, texts_of};
use plan::Layout;

/// Says that `account` has `role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The product it holds for; `None` means every product.
    pub product: Option<String>,
    /// The role.
    pub role: String,
    /// Who has it.
    pub account: Account,
    /// The line of the file that says so.
    pub line: usize,
    /// The column in that line.
    pub column: usize,
}

/// Is a role somebody has, after the product it holds for; `None` means every product.
pub type HeldRole = (Option<String>, String);

/// Is everything the file grants; what it does not say, nobody has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// The grants in the order of the file.
    pub grants: Vec<Grant>,
}

impl Roles {
    /// Names a user and lists its roles, sorted, each once: `(None, role)` holds for every product.
    ///
    /// Root has no role through its groups, only through `user:root` or `uid:0`.
    pub fn of_identity(&self, identity: &Identity) -> (String, Vec<HeldRole>) {
        (identity.name(), self.held_by(|account| account.covers(identity)))
    }

    /// Lists the roles of a name for which the door speaks, as [`Roles::of_identity`]: `as:ea-IT-CNAF`.
    ///
    /// Whether whoever says this name may say it is for the caller to know: see [`super::Config::is_door`].
    pub fn of_named(&self, as_: &str) -> (String, Vec<HeldRole>) {
        let named = Account::As(as_.to_owned());
        let roles = self.held_by(|account| *account == named);
        (named.to_string(), roles)
    }

    /// Lists the roles of a name that `allowed_signers` gives a key, as [`Roles::of_identity`]: `ssh:alice@example.org`.
    pub fn of_ssh(&self, name: &str) -> (String, Vec<HeldRole>) {
        let ssh = Account::Ssh(name.to_owned());
        let roles = self.held_by(|account| *account == ssh);
        (ssh.to_string(), roles)
    }

    fn held_by(&self, is_meant: impl Fn(&Account) -> bool) -> Vec<HeldRole> {
        let meant = self.grants.iter().filter(|grant| is_meant(&grant.account));
        let mut roles: Vec<_> = meant.map(|grant| (grant.product.clone(), grant.role.clone())).collect();
        roles.sort();
        roles.dedup();
        roles
    }
}

pub(super) fn read(mut section: Section<'_>, layout: &Layout, faults: &mut Faults<'_>) -> Roles {
    let mut roles = Roles::default();
    let products = section.section("product", faults);
    grants(&section, None, &mut roles, faults);
    let Some(products) = products else {
        return roles;
    };
    let known: Vec<&str> = layout.products.keys().map(String::as_str).collect();
    for (product, value) in products.rest() {
        if !known.contains(&product.value.as_str()) {
            let hint = did_you_mean(&product.value, "products", &known);
            faults.add(product.at, format!("there is no product {:?}", product.value), Some(hint));
        }
        let heading = format!("[roles.product.{:?}]", product.value);
        if let Some(section) = section_of(value, heading, faults) {
            grants(&section, Some(&product.value), &mut roles, faults);
        }
    }
    roles
}

fn grants(section: &Section<'_>, product: Option<&str>, roles: &mut Roles, faults: &mut Faults<'_>) {
    for (role, value) in section.rest() {
        if !name::good(&role, "the role", faults) {
            continue;
        }
        for text in texts_of(value, &role.value, faults) {
            let account = match Account::parse(&text.value) {
                Ok(account) => account,
                Err(hint) => {
                    faults.add(text.at, format!("{:?} is not an account", text.value), Some(hint));
                    continue;
                }
            };
            let (line, column) = faults.line_and_column(text.at);
            let product = product.map(str::to_owned);
            roles.grants.push(Grant { product, role: role.value.clone(), account, line, column });
        }
    }
}

/// Warns of names with roles where no door could speak for them.
pub(super) fn spoken_for(roles: &Roles, door: Option<&Account>, warnings: &mut Faults<'_>) {
    let unheard = roles.grants.iter().find(|grant| matches!(grant.account, Account::As(_)));
    if let (None, Some(grant)) = (door, unheard) {
        let reason = format!("nobody speaks for \"{}\": [site] names no `door`", grant.account);
        let hint = "write for example `door = \"user:sluice-door\"` below [site]".to_owned();
        warnings.add_in_line((grant.line, grant.column), reason, Some(hint));
    }
}

/// Warns of roles that are granted and used nowhere, or demanded and granted to nobody.
pub(super) fn compare(roles: &Roles, drafts: &[DraftProduct], warnings: &mut Faults<'_>) {
    let mut told: Vec<&str> = Vec::new();
    let mut used: Vec<&str> = vec![DEFAULT_ROLE];
    for draft in drafts {
        let stages =
            draft.stages.iter().flat_map(|stage| stage.import_roles.iter().chain(&stage.waiver_roles));
        let routes = draft
            .routes
            .iter()
            .flat_map(|route| route.roles.iter().chain(route.approvals.iter().map(|(role, _)| role)));
        // The first of a role is told; whoever may freeze is asked for last.
        for Text { value: role, at } in
            stages.chain(routes).chain(&draft.variant_roles).chain(&draft.freeze_roles)
        {
            used.push(role);
            let granted = |grant: &Grant| {
                grant.role == *role && grant.product.as_deref().is_none_or(|p| p == draft.name.value)
            };
            if !roles.grants.iter().any(granted) && !told.contains(&role.as_str()) {
                told.push(role);
                let reason = format!("`{}` asks for the role `{role}`, which nobody has", draft.name.value);
                let hint = format!("write for example `{role} = [\"group:mu\"]` below [roles]");
                warnings.add(*at, reason, Some(hint));
            }
        }
    }
    for grant in &roles.grants {
        let role = grant.role.as_str();
        if !used.contains(&role) && !told.contains(&role) {
            told.push(role);
            if let Some(meant) = nearest(role, used.iter().copied()) {
                let reason = format!("no stage and no route asks for the role `{role}`");
                let hint = format!("did you mean `{meant}`?");
                warnings.add_in_line((grant.line, grant.column), reason, Some(hint));
            }
        }
    }
}
