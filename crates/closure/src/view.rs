//! What of a repository hosts of one kind draw: some packages, and whatever they may lead to there.

use std::collections::{BTreeSet, HashSet};

use nevra::Dependency;

use crate::rich::{Rich, is_rich};
use crate::shelf::Shelf;

/// Finds all packages of the name in a shelf, and everything they lead to there, as places in [`Shelf::packages`].
///
/// One package leads to all that satisfy a requirement of it, in any version that does; of a rich one, to all that could
/// satisfy a branch of it. `recommended` says the same of what packages recommend, by place; one that it leaves out recommends
/// nothing. So whatever a host may choose to install the packages with is there, as far as the shelf has it, and which of
/// several it takes is its own choice.
///
/// A package is looked at once, and each dependency once, however many have it.
///
/// What is only conflicted with, obsoleted, suggested, or the condition of a rich dependency, leads nowhere.
#[must_use]
pub fn view(shelf: &Shelf, recommended: &[Vec<Dependency>], name: &str) -> BTreeSet<usize> {
    let mut found: BTreeSet<u32> = shelf.named(name).iter().copied().collect();
    let mut open: Vec<u32> = found.iter().copied().collect();
    let mut followed: HashSet<&Dependency> = HashSet::new();
    while let Some(at) = open.pop() {
        let at = at as usize;
        let required = shelf.packages()[at].requires.iter();
        for dependency in required.chain(recommended.get(at).into_iter().flatten()) {
            if followed.insert(dependency) {
                open.extend(satisfying(shelf, dependency).into_iter().filter(|other| found.insert(*other)));
            }
        }
    }
    found.into_iter().map(|at| at as usize).collect()
}

/// Whatever satisfies a dependency, or a branch of it; nothing satisfies what nobody can read.
fn satisfying(shelf: &Shelf, dependency: &Dependency) -> BTreeSet<u32> {
    if !is_rich(&dependency.name) {
        return offering(shelf, dependency);
    }
    Rich::parse(&dependency.name).map(|rich| branches(shelf, &rich)).unwrap_or_default()
}

fn offering(shelf: &Shelf, dependency: &Dependency) -> BTreeSet<u32> {
    let all = shelf.offering(&dependency.name);
    all.filter(|(_, said)| said.is_none_or(|said| said.overlaps(dependency))).map(|(at, _)| at).collect()
}

fn branches(shelf: &Shelf, rich: &Rich) -> BTreeSet<u32> {
    match rich {
        Rich::Simple(dependency) => offering(shelf, dependency),
        Rich::And(parts) | Rich::Or(parts) => parts.iter().flat_map(|part| branches(shelf, part)).collect(),
        Rich::With(parts) => {
            let all = parts.iter().map(|part| branches(shelf, part));
            all.reduce(|all, part| &all & &part).unwrap_or_default()
        }
        Rich::Without(one, other) => &branches(shelf, one) - &branches(shelf, other),
        Rich::If(one, _, other) | Rich::Unless(one, _, other) => {
            let mut both = branches(shelf, one);
            both.extend(other.iter().flat_map(|other| branches(shelf, other)));
            both
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::tests::package;
    use crate::package::Package;

    /// Checks what a view of `UI` has beside it, in the order of the shelf; a line `recommends x` makes it recommend.
    fn check(packages: &[(&str, &[&str])], expected: &[&str]) {
        let (mut shelved, mut recommended): (Vec<Package>, Vec<Vec<Dependency>>) = (vec![], vec![]);
        for (nevra, lines) in packages {
            let (soft, hard): (Vec<&str>, Vec<&str>) =
                lines.iter().partition(|line| line.starts_with("recommends "));
            shelved.push(package(nevra, &hard));
            let soft = soft.iter().map(|line| line.trim_start_matches("recommends ").parse().unwrap());
            recommended.push(soft.collect());
        }
        let shelf = Shelf::new("delta", shelved);
        let found = view(&shelf, &recommended, "UI");
        let found: Vec<String> = found.iter().map(|at| shelf.packages()[*at].nevra.to_string()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_view_has_every_version_of_its_package_and_of_what_they_pin() {
        check(
            &[
                ("UI-1-1.noarch", &["requires voms = 1-1"]),
                ("UI-2-1.noarch", &["requires voms = 2-1"]),
                ("WN-1-1.noarch", &["requires voms = 3-1"]),
                ("voms-1-1.x86_64", &["requires libvoms.so.1"]),
                ("voms-2-1.x86_64", &[]),
                ("voms-3-1.x86_64", &[]),
                ("voms-libs-9-1.x86_64", &["provides libvoms.so.1"]),
                ("bystander-1-1.x86_64", &["requires UI"]),
            ],
            &["UI-1-1.noarch", "UI-2-1.noarch", "voms-1-1.x86_64", "voms-2-1.x86_64", "voms-libs-9-1.x86_64"],
        );
    }

    #[test]
    fn a_range_leads_to_all_that_lie_in_it_and_a_file_to_its_owners() {
        check(
            &[
                ("UI-1-1.noarch", &["requires voms >= 2", "requires /usr/bin/perl"]),
                ("voms-1-1.x86_64", &[]),
                ("voms-2-1.x86_64", &[]),
                ("voms-3-1.x86_64", &[]),
                ("perl-5-1.x86_64", &["file /usr/bin/perl"]),
                ("perl-doc-5-1.x86_64", &["file /usr/share/doc/perl"]),
                ("mksh-5-1.x86_64", &["provides /usr/bin/perl"]),
            ],
            &["UI-1-1.noarch", "voms-2-1.x86_64", "voms-3-1.x86_64", "perl-5-1.x86_64", "mksh-5-1.x86_64"],
        );
    }

    #[test]
    fn every_branch_is_there_and_no_condition() {
        check(
            &[
                (
                    "UI-1-1.noarch",
                    &["requires (a or (b and c))", "requires (d if e else f)", "requires (g unless h)"],
                ),
                ("a-1-1.x86_64", &[]),
                ("b-1-1.x86_64", &[]),
                ("c-1-1.x86_64", &[]),
                ("d-1-1.x86_64", &[]),
                ("e-1-1.x86_64", &[]),
                ("f-1-1.x86_64", &[]),
                ("g-1-1.x86_64", &[]),
                ("h-1-1.x86_64", &[]),
            ],
            &[
                "UI-1-1.noarch",
                "a-1-1.x86_64",
                "b-1-1.x86_64",
                "c-1-1.x86_64",
                "d-1-1.x86_64",
                "f-1-1.x86_64",
                "g-1-1.x86_64",
            ],
        );
        check(
            &[
                ("UI-1-1.noarch", &["requires (lib >= 2 with lib < 4)", "requires (web without old)"]),
                ("lib-1-1.x86_64", &[]),
                ("lib-3-1.x86_64", &[]),
                ("lib-4-1.x86_64", &[]),
                ("nginx-1-1.x86_64", &["provides web"]),
                ("httpd-1-1.x86_64", &["provides web", "provides old"]),
            ],
            &["UI-1-1.noarch", "lib-3-1.x86_64", "nginx-1-1.x86_64"],
        );
    }

    #[test]
    fn what_is_recommended_is_there_and_what_is_obsoleted_or_cannot_be_read_is_not() {
        check(
            &[
                ("UI-1-1.noarch", &["recommends (doc or man)", "obsoletes old-ui", "conflicts enemy"]),
                ("doc-1-1.noarch", &["recommends more", "requires (broken xor more)"]),
                ("more-1-1.noarch", &[]),
                ("old-ui-1-1.noarch", &[]),
                ("enemy-1-1.noarch", &[]),
                ("broken-1-1.noarch", &[]),
            ],
            &["UI-1-1.noarch", "doc-1-1.noarch", "more-1-1.noarch"],
        );
    }

    #[test]
    fn a_circle_ends_and_a_name_that_is_not_there_gives_nothing() {
        check(&[("a-1-1.noarch", &["requires UI"])], &[]);
        check(
            &[
                ("UI-1-1.noarch", &["requires a", "requires rpmlib(CompressedFileNames) <= 3.0.4-1"]),
                ("a-1-1.noarch", &["requires b"]),
                ("b-1-1.noarch", &["requires UI = 1-1"]),
            ],
            &["UI-1-1.noarch", "a-1-1.noarch", "b-1-1.noarch"],
        );
    }

    #[test]
    fn a_requirement_that_many_share_is_resolved_once() {
        // Were each of the 20 000 to look at all that provide the same, this would not end today.
        let mut packages: Vec<Package> = (0..20_000)
            .map(|n| package(&format!("p{n}-1-1.noarch"), &["requires all", "provides all"]))
            .collect();
        packages.push(package("UI-1-1.noarch", &["requires all"]));
        let shelf = Shelf::new("delta", packages);
        assert_eq!(view(&shelf, &[], "UI").len(), 20_001);
    }
}
