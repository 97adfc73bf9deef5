//! Ways round soak, approvals and external gates: who may import into a stage needs none of them.

use super::code::Code;
use super::fault::Faults;
use super::product::DraftProduct;
use super::roles::Roles;

/// Warns of stages that a route with soak, approvals or external gates leads to, and that somebody may import into directly.
///
/// A role that nobody has lets nobody in; that nobody has it is told elsewhere.
pub(super) fn warn(drafts: &[DraftProduct], roles: &Roles, warnings: &mut Faults<'_>) {
    for draft in drafts {
        let mut told: Vec<&str> = Vec::new();
        for route in &draft.routes {
            let asks = [
                ("soak", !route.soak.is_zero()),
                ("approvals", !route.approvals.is_empty()),
                ("external gates", !route.external.is_empty()),
            ];
            let asks: Vec<&str> = asks.into_iter().filter_map(|(what, asks)| asks.then_some(what)).collect();
            if asks.is_empty() {
                continue;
            }
            let asks = asks.join(" and ");
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
                "give `{stage}` an `import_roles` of few people; with `[]` nobody imports into it, and \
                 `withdraw_roles` and `revert_roles` say who may take back"
            );
            warnings.coded(Code::DirectImport, route.to.at, reason, Some(hint));
        }
    }
}

#[cfg(test)]
mod tests;
