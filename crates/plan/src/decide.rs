//! The decision: what a request does in a world, or why it does nothing.

use crate::carrying::carry;
use crate::lacking::Lacking;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::request::{Action, Reference, Request};
use crate::world::{Arrival, Asker, World};
use workflow::Command;

mod accept_clock;
mod adopt;
mod advisory;
mod approve;
mod config;
mod freeze;
mod gates;
mod import;
mod keep;
mod overlap;
mod partial;
mod pins;
mod places;
mod promote;
mod purge;
mod raise;
mod remake;
mod resume;
mod revert;
mod rollback;
mod selection;
mod siblings;
mod step;
mod sweep;
mod undo;
mod unheard;
mod variant;
mod waive;
mod withdraw;

pub use gates::WAIVABLE;
pub use pins::{Pinning, pinning};
pub(crate) use selection::is_pattern;
pub use selection::wrong_pattern;
pub use sweep::{Held, Promise, over, promises};

/// Says what becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and a plan is what is hoped for")]
pub enum Decision {
    /// It is to be done, exactly so.
    Effect(Plan),
    /// Everything is as the request wants it: [`Code::NothingToDo`] or [`Code::AlreadyThere`], and a sentence.
    NothingToDo(Code, String),
    /// It cannot be said before the world holds this.
    Lacking(Lacking),
    /// It is refused.
    Refused(Refusal),
}

/// Decides a request. A function of its arguments alone: no clock, no disk, no chance.
///
/// `arrivals` are the packages that an import or an adoption brings, verified; other actions ignore them. The
/// world must hold what [`crate::needs`] asks for. A plan is complete; [`crate::check`] finds nothing in it.
pub fn decide(world: &World, request: &Request, asker: &Asker, arrivals: &[Arrival]) -> Decision {
    if let Some(expires) = request.expires
        && expires <= world.now.max(world.witnessed)
    {
        return Decision::Refused(
            Refusal::new(Code::Expired, format!("the request expired at {expires}"))
                .hint("whoever still wants it hands it in again with a later `expires`, or with none"),
        );
    }
    let decision = match &request.action {
        Action::Import { product, to, platforms, .. } => {
            import::import(world, asker, &import::Wish { product, to, platforms, arrivals })
        }
        Action::Adopt { product, stage, platform, kind, .. } => {
            adopt::adopt(world, asker, &adopt::Wish { product, stage, platform, kind: *kind, arrivals })
        }
        Action::Promote { product, from, to, packages, platforms, partial } => {
            let (is_rehearsal, approved) = (request.dry_run, request.plan.as_deref());
            let partial = *partial;
            promote::promote(
                world,
                asker,
                &promote::Wish {
                    product,
                    from,
                    to,
                    packages,
                    platforms,
                    partial,
                    is_rehearsal,
                    approved,
                    under: None,
                },
            )
        }
        Action::Rollback { product, from, packages, platforms, versions, without, releases } => {
            rollback::rollback(
                world,
                asker,
                &rollback::Wish {
                    product,
                    from,
                    packages,
                    platforms,
                    versions,
                    without,
                    releases,
                    under: None,
                },
            )
        }
        Action::Withdraw { product, from, packages, platforms } => {
            withdraw::withdraw(world, asker, &withdraw::Wish { product, from, packages, platforms })
        }
        Action::Revert { product, stage, generation, platforms } => {
            let (is_rehearsal, approved) = (request.dry_run, request.plan.as_deref());
            revert::revert(
                world,
                asker,
                &revert::Wish { product, stage, generation, platforms, is_rehearsal, approved },
            )
        }
        Action::Undo { request: name } => {
            let (is_rehearsal, approved) = (request.dry_run, request.plan.as_deref());
            undo::undo(world, asker, &undo::Wish { request: name, is_rehearsal, approved })
        }
        Action::Keep { drop: Some(name), .. } => keep::drop_name(world, asker, name),
        Action::Keep { generation, as_, drop: None } => {
            keep::keep(world, asker, generation.as_ref(), as_.as_deref().unwrap_or_default())
        }
        Action::Sweep {} => sweep::sweep(world, asker),
        Action::Overlap {} => overlap::overlap(world, asker),
        Action::Waive { product, stage, gate, packages, until } => {
            let reason = request.reason.as_deref().unwrap_or_default();
            waive::waive(world, asker, &waive::Wish { product, stage, gate, packages, until: *until, reason })
        }
        Action::EndWaiver { waiver } => waive::end_waiver(world, asker, waiver),
        Action::Freeze { product, stage, until } => {
            let reason = request.reason.as_deref().unwrap_or_default();
            let stage = stage.as_deref();
            freeze::freeze(world, asker, &freeze::Wish { product, stage, until: *until, reason })
        }
        Action::Thaw { freeze } => freeze::thaw(world, asker, freeze),
        Action::Approve { product, from, to, take_back } => {
            let approved = request.plan.as_deref().unwrap_or_default();
            let take_back = *take_back;
            approve::approve(world, asker, &approve::Wish { product, from, to, approved, take_back })
        }
        Action::Variant { product, package, digests } => {
            let reason = request.reason.as_deref().unwrap_or_default();
            variant::variant(world, asker, &variant::Wish { product, package, digests, reason })
        }
        Action::EndVariant { variant } => variant::end_variant(world, asker, variant),
        Action::Advisory { product, stage, advised, packages, platforms } => {
            advisory::advisory(world, asker, &advisory::Wish { product, stage, advised, packages, platforms })
        }
        Action::EndAdvisory { product, advisory: id, retracted } => {
            advisory::end(world, asker, &advisory::Ending { product, id, retracted: *retracted })
        }
        Action::AcceptClock {} => accept_clock::accept_clock(world, asker),
        Action::Purge { packages } => purge::purge(world, asker, packages),
        Action::Resume {} => resume::resume(world, asker),
        Action::Config {} => config::config(world, asker),
        Action::Step { product, command } => step::step(world, asker, request, (product, command)),
    };
    match decision {
        Ok(Decision::Effect(mut plan)) => {
            go_along(world, &mut plan);
            approved(request, plan)
        }
        Ok(other) => other,
        Err(refusal) if !refusal.lacking.is_empty() => Decision::Lacking(*refusal.lacking),
        Err(refusal) => Decision::Refused(refusal),
    }
}

/// Adds to a plan what goes along beside its packages.
fn go_along(world: &World, plan: &mut Plan) {
    carry(world, plan);
    adopt::say_together(world, plan);
    unheard::note(world, plan);
}

/// Gives the plan by which an update would be published on the present world, whatever operations approved of; nothing if
/// the request asks for something else, or if a gate is in the way.
pub fn publishing(world: &World, request: &Request, asker: &Asker) -> Option<Plan> {
    let Action::Step { product, command } = &request.action else { return None };
    step::publishing(world, asker, request, (product, command)).ok().flatten()
}

/// Refuses a plan that is not the one somebody approved.
fn approved(request: &Request, plan: Plan) -> Decision {
    let hash = plan.hash().hex();
    match &request.plan {
        _ if approves(&request.action) => Decision::Effect(plan),
        Some(approved) if *approved != hash => {
            let sentence = format!("the plan is now `{hash}`, and the request asks for `{approved}`");
            let refusal = Refusal::new(Code::PlanChanged, sentence).gates(plan.gates);
            Decision::Refused(
                refusal.hint("ask for the plan again with `dry_run = true` and look at what changed"),
            )
        }
        _ => Decision::Effect(plan),
    }
}

/// Says whether the plan that a request names is what it approves of, rather than its own.
fn approves(action: &Action) -> bool {
    match action {
        Action::Approve { .. } => true,
        Action::Step { command, .. } => matches!(**command, Command::ReleaseApprove { .. }),
        _ => false,
    }
}

/// Finds the generation somebody points to, provided that it is kept.
fn pointed_to(world: &World, reference: &Reference) -> Result<u64, Refusal> {
    let number = match reference {
        Reference::Number(number) => *number,
        Reference::Name(name) => match world.names.get(name) {
            None => {
                let near = crate::near::nearest(name, world.names.keys().map(String::as_str));
                let refusal = Refusal::new(Code::NoSuchName, format!("no generation is called `{name}`"));
                return Err(match near.first() {
                    Some(near) => refusal.hint(format!("did you mean `{near}`")),
                    None => refusal,
                });
            }
            Some(named) if named.ended => {
                let sentence = format!("the name `{name}` no longer keeps generation {}", named.generation);
                return Err(Refusal::new(Code::Gone, sentence));
            }
            Some(named) => named.generation,
        },
    };
    if !world.keeps(number) {
        let refusal = Refusal::new(Code::Gone, format!("generation {number} is not kept"));
        return Err(refusal.hint("`sluice history` lists the generations that are"));
    }
    Ok(number)
}

/// Says whether a text can be the name of a generation: `[a-z0-9][a-z0-9._-]*`, at most 100 characters,
/// not `current`, and not digits alone, which would be a number.
pub fn is_generation_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 100
        && name != "current"
        && name.starts_with(is_plain)
        && name.chars().all(|c| is_plain(c) || "._-".contains(c))
        && !name.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod rights;
#[cfg(test)]
mod tests;
