//! Undoing: the inverse of one settled request, whole or not at all.
//!
//! What the request let in leaves again, what it took out enters again, the same file; overlaps that it began end. What
//! it decided ends as the action ends it that is there for that. Whatever cannot be as it was is refused.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;

use super::gates::{Entering, Finding, Gates, Reach};
use super::revert::in_no_stage;
use super::{Decision, approve, freeze, keep, places, variant, waive};
use crate::answer::Outcome;
use crate::check::is_newer;
use crate::layout::{Product, Repository, Route, Stage};
use crate::plan::{Change, Plan};
use crate::recorded::{Effected, Recorded};
use crate::refusal::{Code, Refusal};
use crate::request::{Action, STEPS};
use crate::standing::{Freeze, Variant, Waiver};
use crate::world::{Asker, Listed, World};

/// How many claims are named where an id means several.
const NAMED_MAX: usize = 20;

pub(super) struct Wish<'a> {
    /// The claim name or the id of the request.
    pub request: &'a str,
    /// Whether only the plan is wanted.
    pub is_rehearsal: bool,
    /// The hash of the plan that is asked for.
    pub approved: Option<&'a str>,
}

pub(super) fn undo(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    if asker.roles.is_empty() {
        // Who may undo a request hangs on what it did, which is looked up for nobody who may do nothing.
        let mut gates = Gates::default();
        gates.authority(asker, false, "undo anything", "whoever has a role may ask");
        gates.finish()?;
    }
    let (recorded, effect) = named(world, wish.request)?;
    if let Some(refusal) = never(recorded) {
        return Err(refusal);
    }
    match decided(world, asker, recorded, effect)? {
        Some(Decision::Effect(plan)) => {
            let sentence = format!("{}: {}", undone(recorded, effect), plan.sentence);
            Ok(Decision::Effect(Plan { action: "undo".to_owned(), sentence, ..plan }))
        }
        Some(other) => Ok(other),
        None => moved_back(world, asker, wish, (recorded, effect)),
    }
}

/// Finds the one request that a name means: a claim name means no other, an id may mean one of several owners'.
fn named<'a>(world: &'a World, name: &str) -> Result<(&'a Recorded, &'a Effected), Refusal> {
    let is_claim = world.recorded.iter().any(|one| one.claim == name);
    let meant = |one: &&Recorded| if is_claim { one.claim == name } else { one.bears(name) };
    let meant: Vec<&Recorded> = world.recorded.iter().filter(meant).collect();
    let effects: Vec<_> = meant.iter().filter_map(|one| Some((*one, one.effect.as_ref()?))).collect();
    match (effects.as_slice(), meant.as_slice()) {
        ([only], _) => Ok(*only),
        ([], []) => {
            let sentence = format!("no settled request is called `{}`", name.escape_debug());
            Err(Refusal::new(Code::NoSuchRequest, sentence)
                .hint("name the claim or the id that an answer, `sluice show` or `sluice audit` tells"))
        }
        ([], [one, ..]) => {
            let what = match one.outcome {
                Outcome::Planned => "was a dry run",
                Outcome::NothingToDo => "had nothing to do",
                Outcome::Refused | Outcome::Done => "was refused",
            };
            let sentence = format!("{} changed nothing: it {what}", called(one));
            Err(Refusal::new(Code::CannotUndo, sentence))
        }
        (several, _) => {
            let sentence = format!("the id `{}` means {} requests", name.escape_debug(), several.len());
            let claims = several.iter().take(NAMED_MAX).map(|(one, _)| called(one));
            Err(Refusal::new(Code::Ambiguous, sentence).reasons(claims).hint("name the claim"))
        }
    }
}

fn called(recorded: &Recorded) -> String {
    format!("the {} {} of `{}`", recorded.action, recorded.claim, recorded.owner)
}

fn undone(recorded: &Recorded, effect: &Effected) -> String {
    format!("{} in generation {} is undone", called(recorded), effect.generation)
}

/// Refuses what has no inverse.
fn never(recorded: &Recorded) -> Option<Refusal> {
    let (why, hint) = match recorded.action.as_str() {
        "sweep" => ("what it removed is gone", "import again what is missed"),
        "purge" => {
            ("what is purged stays away for ever", "whoever wants it builds it again, with other bytes")
        }
        "accept-clock" => {
            ("time that was witnessed stays witnessed", "`sluice clock` shows what is believed")
        }
        "config" => ("it follows the configuration", "change the configuration"),
        "resume" => ("it only published again what was there", "`sluice revert` takes a stage back"),
        "adopt" => ("metadata and old addresses came with it", "`sluice withdraw` takes the packages out"),
        "advisory" => ("what was said was read since", "`sluice advisory` says what is true in its place"),
        "end-advisory" => {
            ("whoever read that it counts no more has to be told anew", "`sluice advisory` does")
        }
        "overlap" => ("it carried out what a promotion promised", "undo that promotion"),
        "end-waiver" => ("whoever answers for something says so anew", "`sluice waive` does"),
        "thaw" => ("whoever freezes something says why anew", "`sluice freeze` does"),
        "end-variant" => ("the people who decide have to say so anew", "`sluice variant` does"),
        step if STEPS.iter().any(|(name, _)| *name == step) => {
            ("the procedure has its own ways back", "reject a patch, and roll its bundle back")
        }
        _ => return None,
    };
    let sentence = format!("{} cannot be undone: {why}", called(recorded));
    Some(Refusal::new(Code::CannotUndo, sentence).hint(hint))
}

/// Ends what a request decided, by the way there is for that; `None` if it moved packages.
fn decided(
    world: &World,
    asker: &Asker,
    recorded: &Recorded,
    effect: &Effected,
) -> Result<Option<Decision>, Refusal> {
    if !["waive", "freeze", "approve", "variant", "keep"].contains(&recorded.action.as_str()) {
        return Ok(None);
    }
    let (by, id) = (recorded.owner.clone(), String::new());
    let Some(request) = &effect.request else {
        let sentence = format!("what {} said is not on record", called(recorded));
        return Err(Refusal::new(Code::Gone, sentence).hint("`sluice status` lists what stands"));
    };
    let reason = request.reason.clone().unwrap_or_default();
    match request.action.clone() {
        Action::Waive { product, stage, gate, packages, until } => {
            let waiver = Waiver { id, product, stage, gate, packages, by, reason, until };
            waive::end_waiver(world, asker, &waiver.identified().id)
        }
        Action::Freeze { product, stage, until } => {
            let freeze = Freeze { id, product: Some(product), stage, by, reason, until };
            freeze::thaw(world, asker, &freeze.identified().id)
        }
        Action::Variant { product, package, digests } => {
            let wish =
                variant::Wish { product: &product, package: &package, digests: &digests, reason: &reason };
            let (package, digests) = variant::read(&wish)?;
            let (agreed, decided_by, product) = (Vec::new(), Vec::new(), product.clone());
            let variant =
                Variant { id, product, package, digests, reason: reason.clone(), agreed, decided_by };
            variant::end_variant(world, asker, &variant.identified().id)
        }
        Action::Approve { product, from, to, take_back: false } => {
            let mut gates = Gates::default();
            let what = format!("take back what `{by}` approved of");
            gates.authority(asker, by == asker.name, &what, "whoever approved does");
            gates.finish()?;
            let approved = request.plan.as_deref().unwrap_or_default();
            let wish = approve::Wish { product: &product, from: &from, to: &to, approved, take_back: true };
            approve::approve(world, asker, &wish)
        }
        Action::Keep { as_: Some(name), drop: None, .. } => keep::drop_name(world, asker, &name),
        Action::Approve { .. } => Err(again(recorded, "`sluice approve` does, once more")),
        _ => Err(again(recorded, "`sluice keep` gives a generation another name")),
    }
    .map(Some)
}

fn again(recorded: &Recorded, hint: &str) -> Refusal {
    let sentence =
        format!("{} cannot be undone: it ended something, which has to be said anew", called(recorded));
    Refusal::new(Code::CannotUndo, sentence).hint(hint)
}

/// The inverse of what a request moved.
#[derive(Default)]
struct Inverse {
    entering: Entering,
    leaving: Entering,
    plan: Plan,
}

fn moved_back(
    world: &World,
    asker: &Asker,
    wish: &Wish<'_>,
    (recorded, effect): (&Recorded, &Effected),
) -> Result<Decision, Refusal> {
    let (product, stages) = touched(world, recorded, effect)?;
    let [first, ..] = stages.as_slice() else { return Err(again(recorded, "the same command says it anew")) };
    let mut gates = Gates::of(world, &product.name, &first.name);
    let routes =
        |stage: &Stage| product.routes.iter().filter(|route| route.to == stage.name).collect::<Vec<_>>();
    for stage in &stages {
        let mut roles = stage.revert_roles.as_ref().unwrap_or(&stage.import_roles).clone();
        if wish.is_rehearsal {
            // Whoever is to approve may see for themselves what of.
            roles.extend(routes(stage).into_iter().flat_map(Route::approvers));
        }
        let what = format!("undo what changed `{}` of `{}`", stage.name, product.name);
        gates.roles(asker, Some(&product.name), &roles, &what);
    }
    let Inverse { entering, leaving, mut plan } = gates.prefer(inverse(world, recorded, effect))?;
    gates.purged(world, &entering);
    gates.prefer(whole(recorded, effect, &entering))?;
    gates.sound(world, &entering);
    gates.other_content(world, &entering);
    gates.variants(world, product, &entering, Reach::Site);
    newer_since(&mut gates, world, effect, &entering, &leaving);
    for stage in &stages {
        let of_stage = |(repository, _): &(&Repository, &Vec<Listed>)| repository.stage == stage.name;
        let enter = entering.iter().filter(of_stage).map(|(one, all)| (one.clone(), all.clone())).collect();
        gates.signatures(world, &product.name, &stage.name, &enter);
    }
    let mut moving = entering.clone();
    for (repository, leave) in &leaving {
        moving.entry(repository.clone()).or_default().extend(leave.iter().cloned());
    }
    let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    gates.freeze(world, &product.name, &names, &moving);
    gates.procedure(product, &names, &moving);
    for repository in moving.into_keys() {
        let take = |from: &Entering| from.get(&repository).cloned().unwrap_or_default();
        let change = Change::of(places::listing(world, &repository)?, take(&entering), take(&leaving));
        plan.changes.extend(change.map(|change| (repository, change)));
    }
    gates.installable(world, product, first, None, &plan.changes);
    if plan.changes.is_empty() && plan.overlaps.is_empty() {
        gates.finish()?;
        let sentence = format!("everything is as it was before {}", called(recorded));
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    plan.action = "undo".to_owned();
    plan.sentence = undone(recorded, effect);
    // Only what a roll-back built anew goes back to what it was; a partial release built it for another stage.
    if ["rollback", "undo"].contains(&&*recorded.action) {
        plan.node_types = effect.node_types_back();
    }
    plan.notes.extend(in_no_stage(world, product, &plan.changes));
    // Whoever must be heard before packages enter these stages is heard before others enter them again.
    if wish.approved.is_none_or(|approved| approved == plan.hash().hex()) {
        for stage in &stages {
            gates.turn_to(&stage.name);
            for route in routes(stage) {
                gates.external(world, route, &plan, wish.is_rehearsal);
                gates.approvals(world, asker, (&product.name, route), &plan, wish.is_rehearsal);
            }
        }
    }
    plan.gates = gates.finish()?;
    Ok(Decision::Effect(plan))
}

/// Finds the product and the stages whose repositories the request changed, in the order of the configuration.
fn touched<'a>(
    world: &'a World,
    recorded: &Recorded,
    effect: &Effected,
) -> Result<(&'a Product, Vec<&'a Stage>), Refusal> {
    let of_moves =
        effect.moves.iter().filter(|(_, moves)| !moves.entered.is_empty() || !moves.left.is_empty());
    let places: BTreeSet<&Repository> =
        of_moves.map(|(repository, _)| repository).chain(effect.began.keys()).collect();
    if !effect.unclear.is_empty() {
        let sentence = format!("the manifests do not tell all that {} moved", called(recorded));
        return Err(Refusal::new(Code::Gone, sentence).reasons(effect.unclear.clone()));
    }
    let products: BTreeSet<&str> = places.iter().map(|repository| repository.product.as_str()).collect();
    let mut products = products.into_iter();
    let product = match (products.next(), products.next()) {
        (Some(only), None) => places::product(world, only)?,
        (None, _) => return Err(again(recorded, "the same command says it anew")),
        (Some(_), Some(_)) => {
            let sentence = format!("{} cannot be undone: it changed several products", called(recorded));
            return Err(
                Refusal::new(Code::CannotUndo, sentence).hint("`sluice revert` takes each stage back")
            );
        }
    };
    let mut named: BTreeSet<&str> = places.iter().map(|repository| repository.stage.as_str()).collect();
    let stages = product.stages.iter().filter(|stage| named.remove(stage.name.as_str())).collect();
    named.first().map_or(Ok(()), |gone| places::stage(product, gone).map(drop))?;
    Ok((product, stages))
}

/// Works out what enters and leaves, unless packages have moved on.
fn inverse(world: &World, recorded: &Recorded, effect: &Effected) -> Result<Inverse, Refusal> {
    let mut inverse = Inverse::default();
    let mut moved_on = Vec::new();
    for (repository, moves) in &effect.moves {
        if !world.layout.has(repository) {
            moved_on.push(format!("`{repository}` is no longer configured"));
            continue;
        }
        let listed = places::listing(world, repository)?;
        let is_listed = |one: &Listed| listed.iter().any(|other| other.pkgid == one.pkgid);
        let overlapping = world.overlapping.get(repository);
        for one in &moves.entered {
            let on = overlapping.is_some_and(|overlapping| overlapping.contains_key(&one.pkgid));
            match is_listed(one) {
                false => moved_on.push(format!("`{}` is no longer listed in `{repository}`", one.nevra)),
                true if on => moved_on.push(format!("`{}` was promoted on from `{repository}`", one.nevra)),
                true => inverse.leaving.entry(repository.clone()).or_default().push(one.clone()),
            }
        }
        for one in &moves.left {
            match is_listed(one) {
                true => inverse.plan.notes.push(format!("`{}` is in `{repository}` already", one.nevra)),
                false => inverse.entering.entry(repository.clone()).or_default().push(one.clone()),
            }
        }
    }
    end_overlaps(world, effect, &mut inverse, &mut moved_on)?;
    begin_overlaps(world, effect, &mut inverse);
    if moved_on.is_empty() {
        return Ok(inverse);
    }
    let sentence = format!("what {} moved has moved on since", called(recorded));
    let refusal = Refusal::new(Code::MovedOn, sentence).reasons(moved_on);
    Err(refusal.hint(
        "undo first what came after it (`sluice why` tells), or take a stage back with `sluice revert`",
    ))
}

/// Ends the overlaps that the request began. What the clock took out when its overlap was over enters again: the promotion
/// took it out, only later.
fn end_overlaps(
    world: &World,
    effect: &Effected,
    inverse: &mut Inverse,
    moved_on: &mut Vec<String>,
) -> Result<(), Refusal> {
    for (repository, began) in effect.began.iter().filter(|(repository, _)| world.layout.has(repository)) {
        let listed = places::listing(world, repository)?;
        for (digest, until) in began {
            if world.overlapping.get(repository).is_some_and(|all| all.contains_key(digest)) {
                inverse.plan.overlaps.entry(repository.clone()).or_default().insert(*digest, None);
            }
            if listed.iter().any(|one| one.pkgid == *digest) {
                continue;
            }
            let known = effect.moved(digest);
            let known =
                known.or_else(|| world.repositories.values().flatten().find(|one| one.pkgid == *digest));
            match known.filter(|_| *until <= world.proven()) {
                Some(one) => inverse.entering.entry(repository.clone()).or_default().push(one.clone()),
                None => {
                    let name = known.map_or_else(|| digest.to_string(), |one| one.nevra.to_string());
                    moved_on.push(format!("`{name}` was taken out of `{repository}` since"));
                }
            }
        }
    }
    Ok(())
}

/// Begins again the overlaps that the request ended. What enters now is not to leave in the next breath.
fn begin_overlaps(world: &World, effect: &Effected, inverse: &mut Inverse) {
    for (repository, ended) in &effect.ended {
        let holds = |all: &Entering, digest: &Sha256| {
            all.get(repository).is_some_and(|all| all.iter().any(|one| one.pkgid == *digest))
        };
        let listed = world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
        for (digest, until) in ended {
            let stays = listed.iter().any(|one| one.pkgid == *digest) && !holds(&inverse.leaving, digest);
            let enters = holds(&inverse.entering, digest) && *until > world.now.max(world.witnessed);
            if stays || enters {
                inverse.plan.overlaps.entry(repository.clone()).or_default().insert(*digest, Some(*until));
            }
        }
    }
}

/// Refuses to list again what cannot be: its file is gone, or nothing tells any more what metadata says of it.
fn whole(recorded: &Recorded, effect: &Effected, entering: &Entering) -> Result<(), Refusal> {
    let entering: BTreeMap<&Sha256, &Listed> =
        entering.values().flatten().map(|listed| (&listed.pkgid, listed)).collect();
    let words = |(digest, listed): (&&Sha256, &&Listed)| {
        effect.missing.get(*digest).map(|why| format!("`{}` {why}", listed.nevra))
    };
    let gone: Vec<String> = entering.iter().filter_map(words).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let sentence = format!("not all that {} took out is still there", called(recorded));
    Err(Refusal::new(Code::Gone, sentence).reasons(gone).hint("import the packages again"))
}

/// Looks whether something newer than what enters again came since. What was newer before was as it was.
fn newer_since(
    gates: &mut Gates<'_>,
    world: &World,
    effect: &Effected,
    entering: &Entering,
    leaving: &Entering,
) {
    let mut findings = Vec::new();
    for (repository, enter) in entering {
        let leaves = |one: &&Listed| leaving.get(repository).is_some_and(|leave| leave.contains(one));
        let since =
            |one: &&Listed| effect.since.get(repository).is_some_and(|since| since.contains(&one.pkgid));
        let listed = world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
        let came: Vec<&Listed> = listed.iter().filter(since).filter(|one| !leaves(one)).collect();
        for one in enter {
            let newer = came.iter().find(|other| is_newer(other, one));
            findings.extend(newer.map(|newer| Finding {
                stage: Some(repository.stage.clone()),
                subjects: vec![one.nevra.clone()],
                words: format!(
                    "`{}` came into `{repository}` since, and `{}` is older",
                    newer.nevra, one.nevra
                ),
            }));
        }
    }
    let passed = "nothing newer came since of what enters again".to_owned();
    gates.judge("version-order", findings, passed, |open| {
        let sentence = match open {
            [one] => one.clone(),
            several => format!("in {} cases something newer came since", several.len()),
        };
        let hint = "undo first what brought that, or let somebody answer for it (`sluice waive --gate version-order`)";
        Refusal::new(Code::MovedOn, sentence).hint(hint)
    });
}

#[cfg(test)]
mod tests;
