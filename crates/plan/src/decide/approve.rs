//! Approvals: somebody with the role says that exactly this plan may go through.

use nevra::Sha256;

use super::gates::Gates;
use super::{Decision, places};
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::standing::{Approval, Decided};
use crate::world::{Asker, World};

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub approved: &'a str,
    pub take_back: bool,
}

pub(super) fn approve(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let Wish { from, to, .. } = *wish;
    let approved: Sha256 = wish.approved.parse().map_err(|_| {
        Refusal::new(Code::Malformed, format!("`{}` is not the hash of a plan", wish.approved.escape_debug()))
    })?;
    let product = places::product(world, wish.product)?;
    let route = places::route(product, from, to)?;
    if wish.take_back {
        return take_back(world, asker, &approved);
    }
    let mut gates = Gates::default();
    let roles: Vec<String> = route.approvers().collect();
    let what = format!("approve of promotions from `{from}` to `{to}` of `{}`", product.name);
    gates.roles(asker, Some(&product.name), &roles, &what);
    let gates = gates.finish()?;
    let held = roles.into_iter().filter(|role| asker.has(role, Some(&product.name)));
    let approval = Approval {
        plan: approved,
        product: product.name.clone(),
        from: from.to_owned(),
        to: to.to_owned(),
        by: asker.name.clone(),
        roles: held.collect(),
        waivers: (world.standing.waivers.values())
            .filter(|waiver| waiver.product == product.name && waiver.is_in_force(world))
            .map(|waiver| waiver.id.clone())
            .collect(),
        at: world.now,
    };
    let is_same = |one: &Approval| Approval { at: approval.at, ..one.clone() } == approval;
    if world.standing.approvals.iter().any(|one| is_same(one) && one.is_in_force(world)) {
        let sentence = format!("`{}` approves of the plan {approved} already", asker.name);
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    // One that says the same with other roles takes the place of the first.
    let is_theirs = |one: &&Approval| one.plan == approved && one.by == asker.name;
    let standing = world.standing.approvals.iter().filter(|one| one.is_in_force(world) && !is_theirs(one));
    world
        .room_for("approvals", &asker.name, standing.map(|one| &one.by))
        .map_err(|full| full.gates(gates.clone()))?;
    let sentence = format!(
        "`{}` approves of the plan {approved} from `{from}` to `{to}` of `{}`, as {}",
        asker.name,
        product.name,
        approval.roles.join(", ")
    );
    let decided = vec![Decided::Approved(approval)];
    Ok(Decision::Effect(Plan { action: "approve".to_owned(), sentence, decided, gates, ..Plan::default() }))
}

/// Whoever approved may always say no again, whatever roles are left.
fn take_back(world: &World, asker: &Asker, approved: &Sha256) -> Result<Decision, Refusal> {
    let is_theirs = |one: &&Approval| one.plan == *approved && one.by == asker.name;
    if !world.standing.approvals.iter().any(|one| is_theirs(&one)) {
        let sentence = format!("`{}` does not approve of the plan {approved}", asker.name);
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let mut gates = Gates::default();
    gates.authority(asker, true, "take back their own approval", "");
    let gates = gates.finish()?;
    let sentence = format!("`{}` no longer approves of the plan {approved}", asker.name);
    let decided = vec![Decided::ApprovalTakenBack { plan: *approved, by: asker.name.clone() }];
    Ok(Decision::Effect(Plan { action: "approve".to_owned(), sentence, decided, gates, ..Plan::default() }))
}

#[cfg(test)]
mod tests;
