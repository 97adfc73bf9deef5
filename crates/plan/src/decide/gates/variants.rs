//! Whether two files may bear one name in different repositories: only where people of several roles decided so, and
//! hosts can tell the two apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nevra::{Nevra, Sha256};

use super::content::lists;
use super::{Entering, Gates, shortened};
use crate::layout::{Product, Repository};
use crate::plan::{GateSeen, Verdict};
use crate::refusal::{Code, Refusal};
use crate::standing::Variant;
use crate::world::{Listed, World};

/// Says where another file of the name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decide) enum Reach {
    /// In every repository of the site.
    Site,
    /// In those of the product alone: nothing enters that it does not list already.
    Product,
}

/// Two files of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Twins<'a> {
    package: &'a Nevra,
    listed: &'a Sha256,
    entering: &'a Sha256,
}

impl Gates<'_> {
    /// Looks whether another repository lists another file under the name of one that is to enter, and who decided
    /// that both may be.
    ///
    /// When a package was built is asked for only where it is needed: of twins that people decided about.
    pub(in crate::decide) fn variants(
        &mut self,
        world: &World,
        product: &Product,
        entering: &Entering,
        reach: Reach,
    ) {
        let twins = twins(world, product, entering, reach);
        if twins.is_empty() {
            let count =
                entering.values().flatten().map(|listed| &listed.nevra).collect::<BTreeSet<_>>().len();
            let passed = format!(
                "no other repository lists another file by the name of any of the {count} that enter"
            );
            return self.pass("variants", passed);
        }
        let (mut undecided, mut alike, mut decided) = (Vec::new(), Vec::new(), Vec::new());
        let mut commands = BTreeSet::new();
        for (twins, places) in twins {
            let of_product = |variant: &&Variant| {
                let is_about = variant.is_about(twins.package, twins.listed, twins.entering);
                is_about && variant.is_decided() && variant.product == product.name
            };
            let Some(variant) = world.standing.variants.values().find(of_product) else {
                undecided.extend(places);
                commands.insert(command(product, &twins));
                continue;
            };
            match self.told_apart(world, &twins) {
                Some(None) => {
                    decided.push(format!("{}; {}", shortened(places).join("; "), variant.evidence()));
                }
                Some(Some(words)) => alike.push(words),
                None => {}
            }
        }
        let evidence = decided.join("; ");
        if !undecided.is_empty() {
            let refusal = undecided_refusal(product, &commands, undecided.len());
            return self.fail("variants", refusal.reasons(shortened([undecided, alike].concat())));
        }
        if !alike.is_empty() {
            let sentence = "hosts could not tell two files of one name apart";
            let hint = "build the package again, or raise its release";
            let refusal = Refusal::new(Code::VariantAlike, sentence).hint(hint);
            return self.fail("variants", refusal.reasons(shortened(alike)));
        }
        self.seen.push(GateSeen { gate: "variants".to_owned(), verdict: Verdict::Waived, evidence });
    }

    /// Says what makes two files one to hosts, if anything does; `None` if that is not known yet.
    fn told_apart(&mut self, world: &World, twins: &Twins<'_>) -> Option<Option<String>> {
        let Twins { package, listed, entering } = *twins;
        // The path below a repository is a function of the name and the beginning of the digest; mirrors join repositories.
        if (listed.shard(), listed.short()) == (entering.shard(), entering.short()) {
            let words = format!("`{package}` with the digests {listed} and {entering} would have one URL");
            return Some(Some(words));
        }
        match [listed, entering].map(|digest| world.built.get(digest)) {
            [Some(one), Some(other)] if one == other => {
                let words = format!(
                    "`{package}` with the digests {listed} and {entering} was built in the same second, {one}: \
                     `dnf distro-sync` takes the one for the other"
                );
                Some(Some(words))
            }
            [Some(_), Some(_)] => Some(None),
            _ => {
                self.lacking.built.extend([*listed, *entering]);
                None
            }
        }
    }
}

/// Finds every two files of one name that different repositories would list, and says where.
fn twins<'a>(
    world: &'a World,
    product: &Product,
    entering: &'a Entering,
    reach: Reach,
) -> BTreeMap<Twins<'a>, Vec<String>> {
    let mut by_name: HashMap<&str, Vec<(&Repository, &Listed)>> = HashMap::new();
    for (target, enter) in entering {
        for listed in enter {
            by_name.entry(&listed.nevra.name).or_default().push((target, listed));
        }
    }
    let mut found: BTreeMap<Twins<'a>, BTreeSet<String>> = BTreeMap::new();
    let is_within = |repository: &Repository| reach == Reach::Site || repository.product == product.name;
    let there = world.repositories.iter().filter(|(repository, _)| is_within(repository));
    for (repository, listed) in
        there.chain(entering).flat_map(|(at, all)| all.iter().map(move |one| (at, one)))
    {
        for (target, twin) in by_name.get(listed.nevra.name.as_str()).into_iter().flatten() {
            let is_other = *target != repository && twin.pkgid != listed.pkgid;
            if is_other && twin.nevra == listed.nevra {
                let twins = Twins { package: &twin.nevra, listed: &listed.pkgid, entering: &twin.pkgid };
                found.entry(twins).or_default().insert(lists(repository, listed, twin));
            }
        }
    }
    found.into_iter().map(|(twins, places)| (twins, places.into_iter().collect())).collect()
}

/// Writes what each of the people who decide has to say.
fn command(product: &Product, twins: &Twins<'_>) -> String {
    let Twins { package, listed, entering } = twins;
    format!("`sluice variant {package} {listed} {entering} --product {} --reason ...`", product.name)
}

fn undecided_refusal(product: &Product, commands: &BTreeSet<String>, count: usize) -> Refusal {
    let sentence = match count {
        1 => "another repository lists another file of the same name, and nobody decided that both may be"
            .to_owned(),
        n => format!(
            "other repositories list other files of the same names, in {n} cases, and nobody decided that both may be"
        ),
    };
    let refusal = Refusal::new(Code::VariantUndecided, sentence);
    let raise = "raise the release of the package and build it again";
    if product.variant_roles.len() < 2 {
        return refusal.hint(format!(
            "{raise}: `{}` has no `variant_roles`, so nobody can decide otherwise",
            product.name
        ));
    }
    let roles: Vec<String> = product.variant_roles.iter().map(|role| format!("`{role}`")).collect();
    let first = commands.first().map(String::as_str).unwrap_or_default();
    let more = if commands.len() > 1 { ", and so on for the others" } else { "" };
    refusal.hint(format!(
        "{raise}; where that cannot be, one person each with the roles {} says, with the same reason: {first}{more}",
        roles.join(" and ")
    ))
}
