//! Approvals.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::layout::Approvals;
use crate::plan::Verdict;
use crate::samples::{alice, arrivals, effect, import, nothing, promote, refused, world_of};
use crate::standing::{Freeze, Waiver};
use crate::{Action, Asker, Code, Request, STANDING_MAX, STANDING_OF_ONE_MAX, World};

/// As many as the route wants.
const ALL: [(&str, &[&str]); 3] =
    [("olga", &["operations"]), ("otto", &["operations"]), ("quirin", &["quality"])];

/// Two of operations and one of quality must approve.
fn world() -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.x86_64 b-1-1.x86_64"]);
    let layout = Arc::make_mut(&mut world.layout);
    let product = layout.products.get_mut("glite-3.2").unwrap();
    let wanted = |role: &str, count| Approvals { role: role.into(), count };
    product.routes[0].approvals = vec![wanted("operations", 2), wanted("quality", 1)];
    let mut other = product.clone();
    other.name = "umd".into();
    layout.products.insert("umd".into(), other);
    world
}

fn somebody(name: &str, roles: &[&str]) -> Asker {
    Asker { name: format!("user:{name}"), roles: roles.iter().map(|role| (None, (*role).into())).collect() }
}

fn approve(plan: &str, take_back: bool) -> Request {
    let action = Action::Approve {
        product: "glite-3.2".into(),
        from: "delta".into(),
        to: "production".into(),
        take_back,
    };
    Request { plan: Some(plan.into()), ..Request::new(action) }
}

/// What a dry run tells.
fn hash(world: &World, packages: &[&str]) -> String {
    let plan = effect(world, &Request { dry_run: true, ..promote(packages) }, &alice(), &[]);
    let seen = plan.gates.iter().find(|seen| seen.gate == "approvals").unwrap();
    assert!(seen.verdict == Verdict::Fail && seen.evidence.contains(&plan.hash().hex()), "{seen:?}");
    plan.hash().hex()
}

fn after(world: &World, approvals: &[(&str, &[&str])]) -> World {
    let mut world = world.clone();
    let hash = hash(&world, &["a"]);
    for (name, roles) in approvals {
        let asker = somebody(name, roles);
        world.apply(&effect(&world, &approve(&hash, false), &asker, &[]));
        world.approvers.insert(asker.name.clone(), asker);
    }
    world
}

#[test]
fn it_takes_as_many_different_people_as_the_route_wants() {
    let world = world();
    let enough: [&[(&str, &[&str])]; 3] = [
        &ALL,
        // Whoever has both roles counts where nobody else does.
        &[("both", &["operations", "quality"]), ("olga", &["operations"]), ("otto", &["operations"])],
        &[("olga", &["operations"]), ("both", &["quality", "operations"]), ("quirin", &["quality"])],
    ];
    for approvals in enough {
        let world = after(&world, approvals);
        let plan = effect(&world, &promote(&["a"]), &alice(), &[]);
        let seen = plan.gates.iter().find(|seen| seen.gate == "approvals").unwrap();
        assert_eq!(seen.verdict, Verdict::Pass);
        assert!(approvals.iter().all(|(name, _)| seen.evidence.contains(name)), "{}", seen.evidence);
    }
    let few: [&[(&str, &[&str])]; 5] = [
        &[],
        &[("olga", &["operations"]), ("quirin", &["quality"])],
        &[("olga", &["operations", "quality"]), ("otto", &["operations"])],
        &[("olga", &["operations"]), ("otto", &["operations"])],
        // Nobody approves of what they ask for themselves.
        &[("alice", &["operations"]), ("otto", &["operations"]), ("quirin", &["quality"])],
    ];
    for approvals in few {
        refused(&after(&world, approvals), &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
    }
    let world = after(&world, &[("olga", &["operations"])]);
    let again = approve(&hash(&world, &["a"]), false);
    nothing(&world, &again, &somebody("olga", &["operations"]), &[], Code::NothingToDo);
    refused(&world, &again, &somebody("bob", &["release"]), &[], Code::RoleNotAllowed);
}

#[test]
fn a_person_with_two_names_is_one_person() {
    let mut world = world();
    let named = |name: &str, person: &str| (name.to_owned(), person.to_owned());
    Arc::make_mut(&mut world.layout).people = [
        named("user:olga", "Olga"),
        named("user:olga2", "Olga"),
        named("user:alice2", "Alice"),
        named("user:alice", "Alice"),
    ]
    .into();
    let twice: [(&str, &[&str]); 3] =
        [("olga", &["operations"]), ("olga2", &["operations"]), ("quirin", &["quality"])];
    refused(&after(&world, &twice), &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
    let own: [(&str, &[&str]); 3] =
        [("olga", &["operations"]), ("alice2", &["operations"]), ("quirin", &["quality"])];
    refused(&after(&world, &own), &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
    effect(&after(&world, &ALL), &promote(&["a"]), &alice(), &[]);
}

#[test]
fn an_approval_is_of_one_plan_once_and_for_a_while() {
    let approved = after(&world(), &ALL);
    refused(&approved, &promote(&["b"]), &alice(), &[], Code::ApprovalsMissing);
    // What enters the source meanwhile changes nothing; what the target lists does.
    let mut busy = approved.clone();
    busy.apply(&effect(&busy, &import(&[]), &alice(), &arrivals(&["n-1-1.x86_64"])));
    let plan = effect(&busy, &promote(&["a"]), &alice(), &[]);
    busy.apply(&plan);
    assert_eq!(busy.standing.approvals, [], "it is used up");
    let mut late = approved.clone();
    late.now += SignedDuration::from_hours(30 * 24);
    refused(&late, &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
    let mut regretted = approved.clone();
    let hash = hash_of(&approved);
    let quirin = somebody("quirin", &[]);
    regretted.apply(&effect(&regretted, &approve(&hash, true), &quirin, &[]));
    refused(&regretted, &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
    nothing(&regretted, &approve(&hash, true), &quirin, &[], Code::NothingToDo);
}

fn hash_of(world: &World) -> String {
    world.standing.approvals[0].plan.hex()
}

#[test]
fn who_may_approve_for_one_product_approves_of_nothing_of_another() {
    let mut world = world();
    let hash = hash(&world, &["a"]);
    for (name, role) in [("olga", "operations"), ("otto", "operations"), ("quirin", "quality")] {
        let asker = Asker { name: name.into(), roles: vec![(Some("umd".into()), role.into())] };
        refused(&world, &approve(&hash, false), &asker, &[], Code::RoleNotAllowed);
        let mut elsewhere = approve(&hash, false);
        if let Action::Approve { product, .. } = &mut elsewhere.action {
            *product = "umd".into();
        }
        world.apply(&effect(&world, &elsewhere, &asker, &[]));
        world.approvers.insert(asker.name.clone(), asker);
    }
    refused(&world, &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
}

#[test]
fn whoever_lost_the_role_approves_no_more() {
    let approved = after(&world(), &ALL);
    effect(&approved, &promote(&["a"]), &alice(), &[]);
    let mut dismissed = approved.clone();
    dismissed.approvers.insert("user:otto".into(), somebody("otto", &["quality"]));
    refused(&dismissed, &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
    let mut unknown = approved;
    unknown.approvers.remove("user:otto");
    refused(&unknown, &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
}

#[test]
fn so_many_approvals_stand_and_what_has_ended_makes_room() {
    let mut world = world();
    let fill = |world: &mut World, name: &str| {
        for number in 0..STANDING_OF_ONE_MAX {
            let hash = format!(
                "{:0>64}",
                format!("{name}{number}").bytes().map(|b| format!("{b:02x}")).collect::<String>()
            );
            world.apply(&effect(world, &approve(&hash, false), &somebody(name, &["quality"]), &[]));
        }
    };
    let one_more = approve(&"f".repeat(64), false);
    fill(&mut world, "otto");
    let refusal = refused(&world, &one_more, &somebody("otto", &["quality"]), &[], Code::StandingFull);
    assert!(refusal.hint.is_some() && refusal.sentence.contains("100 approvals by `user:otto`"), "{refusal}");
    // Another name of the same person is no way around it.
    let mut twice = world.clone();
    let people =
        [("user:otto", "Otto"), ("user:otto2", "Otto")].map(|(name, who)| (name.to_owned(), who.to_owned()));
    Arc::make_mut(&mut twice.layout).people = people.into();
    refused(&twice, &one_more, &somebody("otto2", &["quality"]), &[], Code::StandingFull);
    for name in ["olga", "petra", "quirin", "rita"] {
        fill(&mut world, name);
    }
    assert_eq!(world.standing.approvals.len(), STANDING_MAX);
    refused(&world, &one_more, &somebody("sven", &["quality"]), &[], Code::StandingFull);
    world.now += SignedDuration::from_hours(30 * 24);
    world.apply(&effect(&world, &one_more, &somebody("otto", &["quality"]), &[]));
    assert_eq!(world.standing.approvals.len(), 1, "what has ended goes when something is written");
}

#[test]
fn another_plan_than_the_one_asked_for_is_told_as_that() {
    let approved = after(&world(), &ALL);
    let asked = Request { plan: Some(hash_of(&approved)), ..promote(&["b"]) };
    refused(&approved, &asked, &alice(), &[], Code::PlanChanged);
}

#[test]
fn whoever_approved_before_a_gate_was_waived_looks_again() {
    let mut world = after(&world(), &ALL);
    let hash = hash_of(&world);
    let freeze = Freeze {
        id: "f".into(),
        product: Some("glite-3.2".into()),
        stage: None,
        by: "user:root".into(),
        reason: "holidays".into(),
        until: None,
    };
    let waiver = Waiver {
        id: "w".into(),
        product: "glite-3.2".into(),
        stage: "production".into(),
        gate: "freeze".into(),
        packages: vec!["a".into()],
        by: "user:chief".into(),
        reason: "urgent".into(),
        until: world.now + SignedDuration::from_hours(1),
    };
    // A waiver that nothing passes by is no news.
    world.standing.waivers.insert("w".into(), waiver);
    effect(&world, &promote(&["a"]), &alice(), &[]);
    for stage in ["delta", "production"] {
        let freeze = Freeze { id: stage.into(), stage: Some(stage.into()), ..freeze.clone() };
        world.standing.freezes.insert(stage.into(), freeze);
    }
    let other = Waiver { id: "v".into(), stage: "delta".into(), ..world.standing.waivers["w"].clone() };
    world.standing.waivers.insert("v".into(), other);
    let refusal = refused(&world, &promote(&["a"]), &alice(), &[], Code::ApprovalsMissing);
    let words = "`user:olga` approved before the waiver v, w was given, and has to look again";
    assert!(refusal.reasons.iter().any(|reason| reason == words), "{:?}", refusal.reasons);
    for (name, roles) in ALL {
        world.apply(&effect(&world, &approve(&hash, false), &somebody(name, roles), &[]));
    }
    let plan = effect(&world, &promote(&["a"]), &alice(), &[]);
    assert_eq!((plan.hash().hex(), world.standing.approvals.len()), (hash, 3), "one of each");
}

#[test]
fn whoever_is_to_approve_sees_what_of_and_does_nothing_else() {
    let quirin = somebody("quirin", &["quality"]);
    let seen = effect(&world(), &Request { dry_run: true, ..promote(&["a"]) }, &quirin, &[]);
    assert_eq!(seen.hash().hex(), hash(&world(), &["a"]));
    refused(&world(), &promote(&["a"]), &quirin, &[], Code::RoleNotAllowed);
    let bob = somebody("bob", &["nothing"]);
    refused(&world(), &Request { dry_run: true, ..promote(&["a"]) }, &bob, &[], Code::RoleNotAllowed);
}
