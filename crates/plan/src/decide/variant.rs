//! Variants: people of several roles decide that two files of one name may be listed, never in one repository.

use nevra::{Nevra, Sha256};

use super::gates::{Gates, seated};
use super::{Decision, places};
use crate::layout::Product;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::standing::{Agreement, Decided, Seat, Variant};
use crate::world::{Asker, World};

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub package: &'a str,
    pub digests: &'a [String],
    pub reason: &'a str,
}

pub(super) fn variant(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let mut gates = Gates::default();
    let what = format!("decide about variants of `{}`", product.name);
    // One role alone decides nothing, so nobody may.
    let roles = if product.variant_roles.len() < 2 { &[] } else { product.variant_roles.as_slice() };
    gates.roles(asker, Some(&product.name), roles, &what);
    let (package, digests) = gates.prefer(read(wish))?;
    gates.prefer(listed(world, &package, &digests))?;
    let gates = gates.finish()?;
    let (id, reason) = (String::new(), wish.reason.to_owned());
    let (agreed, decided_by) = (Vec::new(), Vec::new());
    let fresh = Variant { id, product: product.name.clone(), package, digests, reason, agreed, decided_by };
    let fresh = fresh.identified();
    let mut variant = world.standing.variants.get(&fresh.id).cloned().unwrap_or(fresh);
    let person = world.layout.person(&asker.name);
    let is_theirs = |one: &Agreement| world.layout.person(&one.by) == person && one.is_in_force(world);
    let held: Vec<String> =
        roles.iter().filter(|role| asker.has(role, Some(&product.name))).cloned().collect();
    let has_said =
        variant.agreed.iter().any(|one| is_theirs(one) && one.by == asker.name && one.roles == held);
    // Whoever says it again, by another name or with another role, takes the place of what they said before.
    variant.agreed.retain(|one| one.is_in_force(world) && !is_theirs(one));
    variant.agreed.push(Agreement { by: asker.name.clone(), roles: held, at: world.now });
    let was_decided = world.standing.variants.get(&variant.id).is_some_and(Variant::is_decided);
    if !was_decided {
        variant.decided_by = decided_by_whom(world, asker, product, &variant.agreed);
    }
    if was_decided || (has_said && !variant.is_decided()) {
        let stands = world.standing.variants.get(&variant.id).unwrap_or(&variant);
        let sentence = format!("that is on record already: {}", stands.evidence());
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let [one, other] = &variant.digests;
    let both = format!("`{}` may be {one} in one repository and {other} in others", variant.package);
    let sentence = match variant.is_decided() {
        true => format!("{both}: {}", variant.evidence()),
        false => format!("`{}` says that {both}; {}", asker.name, missing(product, &variant)),
    };
    let decided = vec![Decided::VariantAgreed(variant)];
    Ok(Decision::Effect(Plan { action: "variant".to_owned(), sentence, decided, gates, ..Plan::default() }))
}

/// Reads the name and the two digests.
pub(super) fn read(wish: &Wish<'_>) -> Result<(Nevra, [Sha256; 2]), Refusal> {
    let wrong = |sentence: String| Refusal::new(Code::Malformed, sentence);
    let package: Nevra = wish.package.parse().map_err(|_| {
        wrong(format!(
            "`{}` is not a name with version, release and architecture",
            wish.package.escape_debug()
        ))
    })?;
    let mut digests = Vec::new();
    for text in wish.digests {
        let digest: Result<Sha256, _> = text.parse();
        digests.push(
            digest.map_err(|_| wrong(format!("`{}` is not the SHA-256 of a file", text.escape_debug())))?,
        );
    }
    match digests[..] {
        [one, other] if one != other => Ok((package, [one, other])),
        _ => Err(wrong("a variant names the digests of two files: the one listed and the other".to_owned())),
    }
}

/// Looks whether one of the files is listed: a decision with a digit wrong would let nothing through, and stand for ever.
fn listed(world: &World, package: &Nevra, digests: &[Sha256; 2]) -> Result<(), Refusal> {
    let mut all = world.repositories.values().flatten();
    if all.any(|listed| listed.nevra == *package && digests.contains(&listed.pkgid)) {
        return Ok(());
    }
    let sentence = format!("no repository lists `{package}` with one of these digests");
    let refusal = Refusal::new(Code::NoSuchPackage, sentence);
    Err(refusal.hint(format!("`sluice why {package}` tells the digest of what is listed")))
}

/// Finds who counts for which role, if every role has somebody: each person once, with roles they hold still.
fn decided_by_whom(world: &World, asker: &Asker, product: &Product, agreed: &[Agreement]) -> Vec<Seat> {
    let holds = |by: &str, role: &str| match by == asker.name {
        true => asker.has(role, Some(&product.name)),
        false => world.approvers.get(by).is_some_and(|now| now.has(role, Some(&product.name))),
    };
    let held = |one: &Agreement| one.roles.iter().filter(|role| holds(&one.by, role)).cloned().collect();
    let roles: Vec<Vec<String>> = agreed.iter().map(held).collect();
    let places: Vec<&str> = product.variant_roles.iter().map(String::as_str).collect();
    let seats = places
        .iter()
        .zip(seated(&roles, &places))
        .map(|(role, person)| Some(Seat { role: (*role).to_owned(), by: agreed[person?].by.clone() }));
    seats.collect::<Option<Vec<Seat>>>().unwrap_or_default()
}

/// Says who still has to say so.
fn missing(product: &Product, variant: &Variant) -> String {
    let roles: Vec<String> = product.variant_roles.iter().map(|role| format!("`{role}`")).collect();
    format!("it takes one person each with the roles {}, variant {}", roles.join(" and "), variant.id)
}

pub(super) fn end_variant(world: &World, asker: &Asker, id: &str) -> Result<Decision, Refusal> {
    let Some(variant) = world.standing.variants.get(id) else {
        let refusal = Refusal::new(Code::NoSuchVariant, format!("no variant `{id}` stands"));
        return Err(refusal.hint("`sluice status` lists those that do"));
    };
    let product = places::product(world, &variant.product)?;
    let mut gates = Gates::default();
    let person = world.layout.person(&asker.name);
    match variant.agreed.iter().any(|one| world.layout.person(&one.by) == person) {
        true => gates.authority(asker, true, "take back what they agreed to", ""),
        false => {
            let what = format!("end the variant {id}");
            gates.roles(asker, Some(&product.name), &product.variant_roles, &what);
        }
    }
    gates.prefer(unused(world, variant))?;
    let gates = gates.finish()?;
    let [one, other] = &variant.digests;
    let sentence = format!("`{}` may no longer be both {one} and {other}, variant {id}", variant.package);
    let decided = vec![Decided::VariantEnded(id.to_owned())];
    Ok(Decision::Effect(Plan {
        action: "end-variant".to_owned(),
        sentence,
        decided,
        gates,
        ..Plan::default()
    }))
}

/// Refuses to end what both files that are listed stand on.
fn unused(world: &World, variant: &Variant) -> Result<(), Refusal> {
    let [one, other] = &variant.digests;
    let places = |digest: &Sha256| -> Vec<String> {
        let lists = world.repositories.iter().filter(|(_, all)| all.iter().any(|one| one.pkgid == *digest));
        lists
            .map(|(repository, _)| format!("`{repository}` lists `{}` as {digest}", variant.package))
            .collect()
    };
    let (ours, others) = (places(one), places(other));
    let decides = |other: &&Variant| {
        other.id != variant.id
            && other.is_decided()
            && other.is_about(&variant.package, &variant.digests[0], &variant.digests[1])
    };
    let is_needed = variant.is_decided() && !world.standing.variants.values().any(|other| decides(&other));
    if ours.is_empty() || others.is_empty() || !is_needed {
        return Ok(());
    }
    let sentence = format!(
        "both files called `{}` are listed, and the variant {} lets them",
        variant.package, variant.id
    );
    let refusal = Refusal::new(Code::VariantInUse, sentence).reasons([ours, others].concat());
    Err(refusal.hint("withdraw one of them first"))
}

#[cfg(test)]
mod tests;
