use std::sync::Arc;

use expect_test::expect;
use jiff::SignedDuration;

use crate::layout::{Approvals, Closure};
use crate::refusal::Code;
use crate::samples::{alice, brief, effect, nothing, refused, repository, revert, withdraw, world_of};
use crate::world::NamedGeneration;
use crate::{Action, Asker, Decision, External, Request, World, decide};

/// Generation 40 after `voms-2-1` was promoted; generation 30 from before that.
fn site() -> World {
    let before = world_of(&[
        "sl5/x86_64 production: voms-1-1.x86_64 yaim-1-1.noarch",
        "sl5/x86_64 production source: voms-1-1.src",
        "sl5/i386 production: voms-1-1.i686",
        "sl5/x86_64 delta: voms-2-1.x86_64",
    ]);
    let mut world = world_of(&[
        "sl5/x86_64 production: voms-2-1.x86_64 yaim-1-1.noarch",
        "sl5/x86_64 production source: voms-2-1.src",
        "sl5/i386 production: voms-1-1.i686",
    ]);
    world.past.insert(30, before.repositories);
    world.kept_generations.insert(30);
    world.names.insert("update-56".into(), NamedGeneration { generation: 30, ended: false });
    world
}

#[test]
fn a_stage_lists_again_what_it_listed() {
    for generation in ["30", "@30", "update-56", "@update-56"] {
        let plan = effect(&site(), &revert("production", generation, &[]), &alice(), &[]);
        expect![[r#"
            sl5/x86_64 production: +voms-1-1.x86_64 -voms-2-1.x86_64
            sl5/x86_64 production source: +voms-1-1.src -voms-2-1.src
        "#]]
        .assert_eq(&brief(&plan));
        assert_eq!(plan.sentence, "`production` of `glite-3.2` goes back to what it listed in generation 30");
        assert_eq!(plan.hosts_run().as_deref(), Some("dnf distro-sync"));
        let notes = [
            "`voms-2-1.x86_64` is then in no stage of `glite-3.2`",
            "`voms-2-1.src` is then in no stage of `glite-3.2`",
        ];
        assert!(notes.iter().all(|note| plan.notes.contains(&note.to_string())), "{:?}", plan.notes);
    }
}

/// The same site, whose production is entered with the word of a program and of somebody of `quality`.
fn guarded() -> World {
    let mut world = site();
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    let route = &mut product.routes[0];
    route.soak = SignedDuration::from_hours(7 * 24);
    route.external = vec!["ci".into()];
    route.approvals = vec![Approvals { role: "quality".into(), count: 1 }];
    product.stages[1].closure = Some(Closure::default());
    world
}

#[test]
fn it_passes_every_gate_of_what_enters_but_those_of_age() {
    let mut world = guarded();
    let back = revert("production", "30", &[]);
    // What is not heard yet, or read yet, lacks.
    let Decision::Lacking(lacking) = decide(&world, &back, &alice(), &[]) else { panic!() };
    assert!(lacking.external.is_some() && lacking.shelves.len() == 1, "{lacking:?}");
    let stages = &mut Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap().stages;
    stages[1].closure = None;
    let rehearsed = Request { dry_run: true, ..back.clone() };
    let Decision::Lacking(lacking) = decide(&world, &rehearsed, &alice(), &[]) else { panic!() };
    let hash = lacking.external.unwrap().1.hash();
    world.external.insert(("ci".into(), hash), External::Fail("the build is red".into()));
    refused(&world, &back, &alice(), &[], Code::ExternalFailed);
    world.external.insert(("ci".into(), hash), External::Pass("the build is green".into()));
    let refusal = refused(&world, &back, &alice(), &[], Code::ApprovalsMissing);
    assert!(refusal.hint.is_some_and(|hint| hint.contains(&hash.hex())));
    let quirin = Asker { name: "user:quirin".into(), roles: vec![(None, "quality".into())] };
    assert_eq!(effect(&world, &rehearsed, &quirin, &[]).hash(), hash, "who is to approve may look");
    let action = Action::Approve {
        product: "glite-3.2".into(),
        from: "delta".into(),
        to: "production".into(),
        take_back: false,
    };
    let approve = Request { plan: Some(hash.hex()), ..Request::new(action) };
    world.apply(&effect(&world, &approve, &quirin, &[]));
    world.approvers.insert(quirin.name.clone(), quirin);
    let plan = effect(&world, &back, &alice(), &[]);
    let gates: Vec<&str> = plan.gates.iter().map(|seen| seen.gate.as_str()).collect();
    assert_eq!(gates, ["roles", "sound", "other-content", "variants", "freeze", "external", "approvals"]);
}

#[test]
fn who_may_take_back_need_not_be_who_may_bring_in() {
    let mut world = site();
    let stages = &mut Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap().stages;
    stages[1].import_roles.clear();
    let back = revert("production", "30", &[]);
    refused(&world, &back, &alice(), &[], Code::RoleNotAllowed);
    let stages = &mut Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap().stages;
    stages[1].revert_roles = Some(vec!["integrator".into()]);
    effect(&world, &back, &alice(), &[]);
    let taken = withdraw("production", &["voms"]);
    refused(&world, &taken, &alice(), &[], Code::RoleNotAllowed);
    let stages = &mut Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap().stages;
    (stages[1].revert_roles, stages[1].withdraw_roles) = (None, Some(vec!["integrator".into()]));
    effect(&world, &taken, &alice(), &[]);
    refused(&world, &back, &alice(), &[], Code::RoleNotAllowed);
}

#[test]
fn going_back_twice_is_nothing_to_do() {
    let mut world = site();
    let request = revert("production", "30", &[]);
    let plan = effect(&world, &request, &alice(), &[]);
    world.apply(&plan);
    nothing(&world, &request, &alice(), &[], Code::NothingToDo);
}

#[test]
fn the_current_generation_is_what_was_published_and_not_what_the_line_made_of_it() {
    let mut world = site();
    world.past.insert(40, world.repositories.clone());
    let back = revert("production", "40", &[]);
    nothing(&world, &back, &alice(), &[], Code::NothingToDo);
    let plan = effect(&world, &revert("production", "30", &[]), &alice(), &[]);
    world.apply(&plan);
    let plan = effect(&world, &back, &alice(), &[]);
    expect![[r#"
        sl5/x86_64 production: +voms-2-1.x86_64 -voms-1-1.x86_64
        sl5/x86_64 production source: +voms-2-1.src -voms-1-1.src
    "#]]
    .assert_eq(&brief(&plan));
    world.past.remove(&40);
    refused(&world, &back, &alice(), &[], Code::Gone);
}

#[test]
fn a_platform_alone_can_go_back() {
    nothing(&site(), &revert("production", "30", &["sl5/i386"]), &alice(), &[], Code::NothingToDo);
    let plan = effect(&site(), &revert("delta", "30", &["sl5/x86_64"]), &alice(), &[]);
    assert_eq!(brief(&plan), "sl5/x86_64 delta: +voms-2-1.x86_64\n");
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf upgrade"), "the stage goes forward");
}

#[test]
fn a_generation_that_is_not_kept_is_gone() {
    let refusal = refused(&site(), &revert("production", "29", &[]), &alice(), &[], Code::Gone);
    assert_eq!(refusal.sentence, "generation 29 is not kept");
    refused(&site(), &revert("production", "41", &[]), &alice(), &[], Code::Gone);
    let refusal = refused(&site(), &revert("production", "update-5", &[]), &alice(), &[], Code::NoSuchName);
    assert_eq!(refusal.hint.as_deref(), Some("did you mean `update-56`"));
    let mut world = site();
    world.names.get_mut("update-56").unwrap().ended = true;
    refused(&world, &revert("production", "update-56", &[]), &alice(), &[], Code::Gone);
    world.past.clear();
    refused(&world, &revert("production", "30", &[]), &alice(), &[], Code::Gone);
}

#[test]
fn a_repository_that_did_not_exist_then_cannot_go_back() {
    let mut world = site();
    let past = world.past.get_mut(&30).unwrap();
    past.retain(|repository, _| repository.platform() != crate::samples::platform("sl5/i386"));
    let refusal = refused(&world, &revert("production", "30", &[]), &alice(), &[], Code::Gone);
    assert_eq!(refusal.reasons[0], "`glite-3.2-sl5-i386-production` did not exist then");
    effect(&world, &revert("production", "30", &["sl5/x86_64"]), &alice(), &[]);
}

#[test]
fn bytes_that_another_repository_lists_otherwise_do_not_come_back() {
    let mut world = site();
    let listing = world.repositories.get_mut(&repository("sl5/i386 delta")).unwrap();
    listing.push(crate::samples::listed("voms-1-1.x86_64#other"));
    refused(&world, &revert("production", "30", &[]), &alice(), &[], Code::VariantUndecided);
}
