//! What may be adopted, and what goes on answering where.

use std::collections::BTreeMap;

use super::*;
use crate::check::check;
use crate::decide::decide;
use crate::request::{Action, Request};
use crate::samples::{alice, arrivals, listed, repository, world_of};

fn request(platform: &str, kind: Kind) -> Request {
    Request::new(Action::Adopt {
        product: "glite-3.2".into(),
        stage: "delta".into(),
        platform: platform.into(),
        kind,
        folder: "/srv/old".into(),
    })
}

/// Decides the adoption of these packages in a world that lists `lines`.
fn adopted(lines: &[&str], packages: &[&str], existing: Existing) -> Decision {
    adopted_by(world_of(lines), packages, existing)
}

fn adopted_by(mut world: World, packages: &[&str], existing: Existing) -> Decision {
    world.existing = Some(existing);
    let decision = decide(&world, &request("sl5/x86_64", Kind::Binary), &alice(), &arrivals(packages));
    if let Decision::Effect(plan) = &decision {
        assert_eq!(check(&world, plan), vec![]);
    }
    decision
}

fn effect(decision: Decision) -> Plan {
    match decision {
        Decision::Effect(plan) => plan,
        other => panic!("{other:?}"),
    }
}

fn refusal(decision: Decision) -> Refusal {
    match decision {
        Decision::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn everything_listed_enters_one_repository_and_answers_as_before() {
    let existing = Existing { carried: vec!["group".into()], ..Existing::default() };
    let packages = ["voms-1-1.x86_64", "voms-2-1.x86_64", "voms-debuginfo-1-1.x86_64", "voms-1-1.src"];
    let plan = effect(adopted(&["sl5/x86_64 delta: lcg-1-1.noarch"], &packages, existing));
    let target = repository("sl5/x86_64 delta");
    assert_eq!(plan.changes.keys().collect::<Vec<_>>(), [&target]);
    assert_eq!(plan.changes[&target].enter.len(), 4);
    let adopted = &plan.adopted[&target];
    assert_eq!(adopted.hrefs["voms-1-1.x86_64.rpm"], listed("voms-1-1.x86_64").pkgid);
    assert_eq!((adopted.hrefs.len(), adopted.carried.as_slice()), (4, ["group".to_owned()].as_slice()));
    assert_eq!(plan.hosts_run(), None, "hosts see what they saw");
    assert!(plan.print().contains("  package voms-1-1.x86_64.rpm\n"), "{}", plan.print());
}

#[test]
fn what_is_there_already_is_not_adopted_again() {
    let lines = ["sl5/x86_64 delta: voms-1-1.x86_64"];
    let decision = adopted(&lines, &["voms-1-1.x86_64"], Existing::default());
    assert!(matches!(decision, Decision::NothingToDo(Code::AlreadyThere, _)), "{decision:?}");
}

#[test]
fn nothing_is_adopted_to_where_views_lie() {
    let metadata = "node-types/UI/repodata/primary.xml.gz".to_owned();
    let digest = listed("voms-1-1.x86_64").pkgid;
    let existing = Existing { metadata: BTreeMap::from([(metadata, digest)]), ..Existing::default() };
    let mut world = world_of(&[]);
    // Where there are none, it is a folder like any other.
    effect(adopted_by(world.clone(), &["voms-1-1.x86_64"], existing.clone()));
    let layout = std::sync::Arc::make_mut(&mut world.layout);
    layout.products.get_mut("glite-3.2").unwrap().views = vec!["delta".into()];
    let refusal = refusal(adopted_by(world, &["voms-1-1.x86_64"], existing));
    assert_eq!(refusal.code, Code::OtherContent);
    assert!(refusal.sentence.contains("would lie where the views"), "{refusal:?}");
}

#[test]
fn another_file_of_the_same_name_is_refused_wherever_it_is_listed() {
    for (line, code) in [
        ("sl5/x86_64 delta: voms-1-1.x86_64#other", Code::OtherContent),
        ("sl5/i386 production: voms-1-1.x86_64#other", Code::VariantUndecided),
    ] {
        let refusal = refusal(adopted(&[line], &["voms-1-1.x86_64"], Existing::default()));
        assert_eq!(refusal.code, code);
    }
    let twice = refusal(adopted(&[], &["voms-1-1.x86_64", "voms-1-1.x86_64#other"], Existing::default()));
    assert_eq!(twice.code, Code::OtherContent);
}

#[test]
fn an_old_href_that_answers_with_another_file_is_refused() {
    let taken = BTreeMap::from([("voms-1-1.x86_64.rpm".to_owned(), listed("other-1-1.noarch").pkgid)]);
    let existing = Existing { taken, ..Existing::default() };
    assert_eq!(refusal(adopted(&[], &["voms-1-1.x86_64"], existing)).code, Code::OtherContent);
    let taken = BTreeMap::from([("voms-1-1.x86_64.rpm".to_owned(), listed("voms-1-1.x86_64").pkgid)]);
    effect(adopted(&[], &["voms-1-1.x86_64"], Existing { taken, ..Existing::default() }));
}

#[test]
fn older_versions_may_come_beside_newer_ones() {
    let plan =
        effect(adopted(&["sl5/x86_64 delta: voms-2-1.x86_64"], &["voms-1-1.x86_64"], Existing::default()));
    assert!(plan.changes.values().all(|change| change.leave.is_empty()));
}

#[test]
fn the_platform_must_be_one_and_the_role_be_held() {
    let mut world = world_of(&[]);
    world.existing = Some(Existing::default());
    let code = |platform: &str, asker: &Asker| {
        let request = request(platform, Kind::Binary);
        refusal(decide(&world, &request, asker, &arrivals(&["voms-1-1.x86_64"]))).code
    };
    assert_eq!(code("sl5/*", &alice()), Code::Ambiguous);
    assert_eq!(code("sl9/x86_64", &alice()), Code::UnknownPlatform);
    let nobody = Asker { name: "user:bob".into(), roles: vec![] };
    assert_eq!(code("sl5/x86_64", &nobody), Code::RoleNotAllowed);
}

#[test]
fn strangers_among_the_packages_are_told() {
    let plan = effect(adopted(&[], &["voms-1-1.ppc64", "voms-1-1.i686"], Existing::default()));
    assert_eq!(plan.notes.len(), 1, "{:?}", plan.notes);
    assert!(plan.notes[0].starts_with("1 packages, `voms-1-1.ppc64` first"), "{:?}", plan.notes);
}
