//! Ways round soak and approvals: who may import into a stage needs neither.

use super::code::Code;
use super::fault::Faults;
use super::product::DraftProduct;
use super::roles::Roles;

/// Warns of stages that a route with soak or approvals leads to, and that somebody may import into directly.
///
/// A role that nobody has lets nobody in; that nobody has it is told elsewhere.
pub(super) fn warn(drafts: &[DraftProduct], roles: &Roles, warnings: &mut Faults<'_>) {
    for draft in drafts {
        let mut told: Vec<&str> = Vec::new();
        for route in &draft.routes {
            let asks = match (!route.soak.is_zero(), !route.approvals.is_empty()) {
                (false, false) => continue,
                (true, false) => "soak",
                (false, true) => "approvals",
                (true, true) => "soak and approvals",
            };
            let stage = draft.stages.iter().find(|stage| stage.name.value == route.to.value);
            let Some(stage) = stage.filter(|stage| !told.contains(&stage.name.value.as_str())) else {
                continue;
            };
            let is_held = |role: &str| {
                roles.grants.iter().any(|grant| {
                    grant.role == role && grant.product.as_deref().is_none_or(|of| of == draft.name.value)
                })
            };
            let mut held: Vec<&str> = stage.import_roles.iter().map(|role| role.value.as_str()).collect();
            held.retain(|role| is_held(role));
            if held.is_empty() {
                continue;
            }
            told.push(&stage.name.value);
            let (stage, held) = (&stage.name.value, held.join("`, `"));
            let reason =
                format!("who has the role `{held}` may import into `{stage}`, past the {asks} of this route");
            let hint = format!(
                "give `{stage}` an `import_roles` of few people; with `[]` nobody imports into it, nor withdraws from it \
                 or reverts it"
            );
            warnings.coded(Code::DirectImport, route.to.at, reason, Some(hint));
        }
    }
}

#[cfg(test)]
mod tests;
