use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::answer::Outcome;
use crate::layout::{Approvals, Versions};
use crate::plan::Plan;
use crate::recorded::{Effected, Moves, Recorded};
use crate::refusal::Code;
use crate::samples::{
    alice, arrivals, brief, effect, import, keep, listed, nothing, now, promote, refused, repository, revert,
    withdraw, world_of,
};
use crate::standing::Freeze;
use crate::world::{Arrival, NamedGeneration, World};
use crate::{Action, Asker, Decision, External, Request, decide};

fn undo(name: &str) -> Request {
    Request::new(Action::Undo { request: name.into() })
}

/// `delta` with something new, `production` with what it is to take the place of.
fn site() -> World {
    let mut world = world_of(&[
        "sl5/x86_64 delta: voms-2-1.x86_64 yaim-2-1.noarch",
        "sl5/x86_64 delta source: voms-2-1.src",
        "sl5/x86_64 production: voms-1-1.x86_64 yaim-1-1.noarch",
        "sl5/x86_64 production source: voms-1-1.src",
    ]);
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    product.stages[1].versions = Versions::Newest(1);
    world
}

/// Carries a request out and puts it on record, as the daemon finds it in the manifests afterwards.
fn settle(world: &mut World, claim: &str, request: &Request, arrivals: &[Arrival]) {
    let plan = effect(world, request, &alice(), arrivals);
    let before = world.overlapping.clone();
    world.apply(&plan);
    for (repository, change) in &plan.changes {
        let others = world.recorded.iter_mut().filter_map(|one| one.effect.as_mut());
        others.for_each(|other| {
            let entered = change.enter.iter().map(|one| one.pkgid);
            other.since.entry(repository.clone()).or_default().extend(entered);
        });
    }
    let moves = plan.changes.iter().map(|(repository, change)| {
        (repository.clone(), Moves { entered: change.enter.clone(), left: change.leave.clone() })
    });
    let mut done = Effected {
        generation: 41,
        request: Some(request.clone()),
        moves: moves.collect(),
        ..Effected::default()
    };
    for (repository, all) in &world.overlapping {
        let known = before.get(repository);
        let began = all.iter().filter(|(digest, _)| known.is_none_or(|known| !known.contains_key(*digest)));
        let began: BTreeMap<_, _> = began.map(|(digest, until)| (*digest, *until)).collect();
        done.began.extend((!began.is_empty()).then(|| (repository.clone(), began)));
    }
    for (repository, all) in &before {
        let now = world.overlapping.get(repository);
        let ended = all.iter().filter(|(digest, _)| now.is_none_or(|now| !now.contains_key(*digest)));
        done.ended.insert(repository.clone(), ended.map(|(digest, until)| (*digest, *until)).collect());
    }
    world.recorded.push(Recorded {
        claim: claim.into(),
        id: format!("id of {claim}"),
        owner: "user:alice".into(),
        action: plan.action.clone(),
        outcome: Outcome::Done,
        effect: Some(done),
    });
}

/// What every repository lists, in no order.
fn lists(world: &World) -> BTreeMap<String, Vec<String>> {
    let sorted = |all: &Vec<crate::Listed>| {
        let mut digests: Vec<String> = all.iter().map(|one| one.pkgid.to_string()).collect();
        digests.sort();
        digests
    };
    world.repositories.iter().map(|(repository, all)| (repository.name(), sorted(all))).collect()
}

/// Does a request, undoes it, undoes that: each time everything is as it was.
fn check(mut world: World, request: &Request, arrivals: &[Arrival], expected: &str) {
    let (before, overlapping) = (lists(&world), world.overlapping.clone());
    settle(&mut world, "first", request, arrivals);
    let (after, overlapping_after) = (lists(&world), world.overlapping.clone());
    let plan = effect(&world, &undo("first"), &alice(), &[]);
    assert_eq!(brief(&plan), expected);
    settle(&mut world, "second", &undo("id of first"), &[]);
    assert_eq!((lists(&world), world.overlapping.clone()), (before, overlapping));
    let refusal = refused(&world, &undo("nothing"), &alice(), &[], Code::NoSuchRequest);
    assert!(refusal.hint.is_some());
    settle(&mut world, "third", &undo("second"), &[]);
    assert_eq!((lists(&world), world.overlapping), (after, overlapping_after));
}

#[test]
fn a_promotion_is_undone_in_both_stages_and_what_it_superseded_comes_back() {
    let expected = "sl5/x86_64 delta: +voms-2-1.x86_64\n\
                    sl5/x86_64 delta source: +voms-2-1.src\n\
                    sl5/x86_64 production: +voms-1-1.x86_64 -voms-2-1.x86_64\n\
                    sl5/x86_64 production source: +voms-1-1.src -voms-2-1.src\n";
    check(site(), &promote(&["voms"]), &[], expected);
}

#[test]
fn an_import_a_withdrawal_and_a_going_back_are_undone() {
    let arriving = arrivals(&["fetch-1-1.x86_64"]);
    check(site(), &import(&["sl5/x86_64"]), &arriving, "sl5/x86_64 delta: -fetch-1-1.x86_64\n");
    let back = "sl5/x86_64 delta: +yaim-2-1.noarch\n";
    check(site(), &withdraw("delta", &["yaim"]), &[], back);
    let mut world = site();
    let then = world_of(&["sl5/x86_64 production: voms-0-1.x86_64 yaim-1-1.noarch"]);
    world.past.insert(30, then.repositories);
    world.kept_generations.insert(30);
    let forth = "sl5/x86_64 production: +voms-1-1.x86_64 -voms-0-1.x86_64\n\
                 sl5/x86_64 production source: +voms-1-1.src\n";
    check(world, &revert("production", "30", &[]), &[], forth);
}

/// The same site, where what is promoted stays in `delta` for a week.
fn overlapping() -> World {
    let mut world = site();
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    product.routes[0].overlap = SignedDuration::from_hours(7 * 24);
    world
}

#[test]
fn the_overlap_of_a_promotion_ends_with_it() {
    let expected = "sl5/x86_64 production: +yaim-1-1.noarch -yaim-2-1.noarch\n";
    check(overlapping(), &promote(&["yaim"]), &[], expected);
}

#[test]
fn what_the_clock_took_out_after_the_overlap_comes_back_too() {
    let mut world = overlapping();
    let before = lists(&world);
    settle(&mut world, "first", &promote(&["yaim"]), &[]);
    world.now = now() + SignedDuration::from_hours(8 * 24);
    world.witnessed = world.now;
    let plan = effect(&world, &Request::new(Action::Overlap {}), &Asker::clock(), &[]);
    world.apply(&plan);
    let plan = effect(&world, &undo("first"), &alice(), &[]);
    world.apply(&plan);
    assert_eq!(lists(&world), before);
    assert!(world.overlapping.is_empty());
}

#[test]
fn what_somebody_took_out_before_the_overlap_was_over_stays_out() {
    let mut world = overlapping();
    settle(&mut world, "first", &promote(&["yaim"]), &[]);
    settle(&mut world, "second", &withdraw("delta", &["yaim"]), &[]);
    let refusal = refused(&world, &undo("first"), &alice(), &[], Code::MovedOn);
    assert!(refusal.reasons[0].starts_with("`yaim-2-1.noarch` was taken out of"), "{refusal:?}");
    // The withdrawal alone is undone with the overlap that it ended.
    let plan = effect(&world, &undo("second"), &alice(), &[]);
    assert_eq!(brief(&plan), "sl5/x86_64 delta: +yaim-2-1.noarch\n");
    let until = now() + SignedDuration::from_hours(7 * 24);
    let expected = BTreeMap::from([(listed("yaim-2-1.noarch").pkgid, Some(until))]);
    assert_eq!(plan.overlaps[&repository("sl5/x86_64 delta")], expected);
}

#[test]
fn hosts_go_back_by_distro_sync() {
    let mut world = site();
    settle(&mut world, "first", &promote(&["voms"]), &[]);
    let plan = effect(&world, &undo("first"), &alice(), &[]);
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf distro-sync"));
    assert_eq!(plan.sentence, "the promote first of `user:alice` in generation 41 is undone");
    let gates: Vec<&str> = plan.gates.iter().map(|seen| seen.gate.as_str()).collect();
    let wanted =
        ["roles", "roles", "purged", "sound", "other-content", "variants", "version-order", "freeze"];
    assert_eq!(gates, wanted);
    settle(&mut world, "import", &import(&["sl5/x86_64"]), &arrivals(&["fetch-1-1.x86_64"]));
    let plan = effect(&world, &undo("import"), &alice(), &[]);
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf distro-sync"), "what only leaves goes back as well");
    assert!(plan.notes.iter().any(|note| note.contains("is then in no stage")), "{:?}", plan.notes);
}

#[test]
fn what_moved_on_is_not_undone() {
    let mut world = site();
    settle(&mut world, "import", &import(&["sl5/x86_64"]), &arrivals(&["fetch-1-1.x86_64"]));
    settle(&mut world, "on", &promote(&["fetch"]), &[]);
    let refusal = refused(&world, &undo("import"), &alice(), &[], Code::MovedOn);
    assert_eq!(refusal.reasons, ["`fetch-1-1.x86_64` is no longer listed in `glite-3.2-sl5-x86_64-delta`"]);
    settle(&mut world, "back", &undo("on"), &[]);
    effect(&world, &undo("import"), &alice(), &[]);
    // Where it overlaps it is listed still, and promoted on all the same.
    let mut world = overlapping();
    settle(&mut world, "import", &import(&["sl5/x86_64"]), &arrivals(&["fetch-1-1.x86_64"]));
    settle(&mut world, "on", &promote(&["fetch"]), &[]);
    let refusal = refused(&world, &undo("import"), &alice(), &[], Code::MovedOn);
    assert_eq!(refusal.reasons, ["`fetch-1-1.x86_64` was promoted on from `glite-3.2-sl5-x86_64-delta`"]);
}

#[test]
fn nothing_older_comes_back_beside_what_came_since_but_beside_what_was_there() {
    let mut world = site();
    world.repositories.get_mut(&repository("sl5/x86_64 delta")).unwrap().push(listed("yaim-3-1.noarch"));
    settle(&mut world, "first", &withdraw("delta", &["yaim-2-1"]), &[]);
    effect(&world, &undo("first"), &alice(), &[]);
    settle(&mut world, "newer", &import(&["sl5/x86_64"]), &arrivals(&["yaim-4-1.noarch"]));
    let refusal = refused(&world, &undo("first"), &alice(), &[], Code::MovedOn);
    assert!(refusal.sentence.contains("`yaim-4-1.noarch` came into"), "{refusal:?}");
}

#[test]
fn the_same_name_with_other_bytes_does_not_come_back() {
    let mut world = site();
    settle(&mut world, "first", &withdraw("delta", &["yaim"]), &[]);
    settle(&mut world, "other", &import(&["sl5/x86_64"]), &arrivals(&["yaim-2-1.noarch#other"]));
    refused(&world, &undo("first"), &alice(), &[], Code::OtherContent);
}

#[test]
fn what_is_purged_damaged_or_gone_does_not_come_back() {
    let mut world = site();
    settle(&mut world, "first", &promote(&["yaim"]), &[]);
    let digest = listed("yaim-1-1.noarch").pkgid;
    let with = |change: &dyn Fn(&mut World)| {
        let mut world = world.clone();
        change(&mut world);
        world
    };
    let gone = with(&|world| {
        let effect = world.recorded[0].effect.as_mut().unwrap();
        effect.missing.insert(digest, "is not in the pool any more".into());
    });
    let refusal = refused(&gone, &undo("first"), &alice(), &[], Code::Gone);
    assert_eq!(refusal.reasons, ["`yaim-1-1.noarch` is not in the pool any more"]);
    let purged = with(&|world| assert!(world.purged.insert(digest)));
    refused(&purged, &undo("first"), &alice(), &[], Code::Purged);
    let damaged = with(&|world| assert!(world.damaged.insert(digest)));
    refused(&damaged, &undo("first"), &alice(), &[], Code::PoolDamaged);
    let unclear = with(&|world| world.recorded[0].effect.as_mut().unwrap().unclear.push("which".into()));
    refused(&unclear, &undo("first"), &alice(), &[], Code::Gone);
    let frozen = with(&|world| {
        let freeze = Freeze {
            id: "f".into(),
            product: Some("glite-3.2".into()),
            stage: Some("delta".into()),
            by: "user:alice".into(),
            reason: "r".into(),
            until: None,
        };
        world.standing.freezes.insert(freeze.id.clone(), freeze);
    });
    refused(&frozen, &undo("first"), &alice(), &[], Code::Frozen);
}

#[test]
fn whoever_must_be_heard_is_heard_before_packages_come_back() {
    let mut world = site();
    settle(&mut world, "first", &promote(&["yaim"]), &[]);
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    product.routes[0].external = vec!["ci".into()];
    product.routes[0].approvals = vec![Approvals { role: "quality".into(), count: 1 }];
    let Decision::Lacking(lacking) = decide(&world, &undo("first"), &alice(), &[]) else { panic!() };
    let hash = lacking.external.unwrap().1.hash();
    world.external.insert(("ci".into(), hash), External::Pass("the build is green".into()));
    refused(&world, &undo("first"), &alice(), &[], Code::ApprovalsMissing);
    let quirin = Asker { name: "user:quirin".into(), roles: vec![(None, "quality".into())] };
    let look = Request { dry_run: true, ..undo("first") };
    refused(&world, &look, &quirin, &[], Code::RoleNotAllowed);
    let of_both = ["quality", "integrator"].map(|role| (None, role.to_owned())).to_vec();
    assert_eq!(effect(&world, &look, &Asker { roles: of_both, ..quirin }, &[]).hash(), hash);
    let other = Request { plan: Some("5e".repeat(32)), ..undo("first") };
    refused(&world, &other, &alice(), &[], Code::PlanChanged);
}

#[test]
fn a_second_time_there_is_nothing_left_to_undo() {
    let mut world = site();
    settle(&mut world, "first", &withdraw("delta", &["yaim"]), &[]);
    settle(&mut world, "second", &undo("first"), &[]);
    nothing(&world, &undo("first"), &alice(), &[], Code::NothingToDo);
}

#[test]
fn an_id_of_several_owners_demands_the_claim() {
    let mut world = site();
    settle(&mut world, "first", &withdraw("delta", &["yaim"]), &[]);
    let mut other = world.recorded[0].clone();
    (other.claim, other.owner) = ("other".into(), "user:bob".into());
    world.recorded.push(other);
    let refusal = refused(&world, &undo("id of first"), &alice(), &[], Code::Ambiguous);
    assert_eq!(refusal.reasons.len(), 2, "{refusal:?}");
    effect(&world, &undo("first"), &alice(), &[]);
    // Whoever gives a request the claim name of another for an id deceives nobody.
    world.recorded[1].id = "first".into();
    effect(&world, &undo("first"), &alice(), &[]);
    // One without effect is no second.
    (world.recorded[1].id, world.recorded[1].effect) = ("id of first".into(), None);
    effect(&world, &undo("id of first"), &alice(), &[]);
}

#[test]
fn what_did_nothing_and_what_has_no_inverse_is_refused() {
    let mut world = site();
    settle(&mut world, "first", &withdraw("delta", &["yaim"]), &[]);
    for action in
        ["sweep", "purge", "accept-clock", "config", "resume", "adopt", "overlap", "end-waiver", "thaw"]
    {
        world.recorded[0].action = action.into();
        let refusal = refused(&world, &undo("first"), &alice(), &[], Code::CannotUndo);
        assert!(refusal.hint.is_some(), "{refusal:?}");
    }
    world.recorded[0].effect = None;
    for outcome in [Outcome::Refused, Outcome::NothingToDo, Outcome::Planned] {
        world.recorded[0].outcome = outcome;
        let refusal = refused(&world, &undo("first"), &alice(), &[], Code::CannotUndo);
        assert!(refusal.sentence.contains("changed nothing"), "{refusal:?}");
    }
}

#[test]
fn what_was_decided_ends_as_it_would_otherwise() {
    let mut world = site();
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    product.freeze_roles = vec!["release".into()];
    product.stages[1].waiver_roles = vec!["release".into()];
    product.routes[0].approvals = vec![Approvals { role: "release".into(), count: 1 }];
    product.variant_roles = vec!["release".into(), "quality".into()];
    let because = |action| Request { reason: Some("because".into()), ..Request::new(action) };
    let until = now() + SignedDuration::from_hours(24);
    let [product, stage] = ["glite-3.2", "production"].map(str::to_owned);
    let waive = Action::Waive {
        product: product.clone(),
        stage: stage.clone(),
        gate: "soak".into(),
        packages: vec!["yaim".into()],
        until,
    };
    let freeze = Action::Freeze { product: product.clone(), stage: Some(stage.clone()), until: Some(until) };
    let approve =
        Action::Approve { product: product.clone(), from: "delta".into(), to: stage, take_back: false };
    let digests = ["yaim-2-1.noarch", "yaim-2-1.noarch#other"].map(|text| listed(text).pkgid.to_string());
    let variant = Action::Variant { product, package: "yaim-2-1.noarch".into(), digests: digests.to_vec() };
    let approve = Request { plan: Some("5e".repeat(32)), ..because(approve) };
    for request in [because(waive), because(freeze), approve, because(variant)] {
        let before = world.standing.clone();
        let name = request.action.name();
        settle(&mut world, name, &request, &[]);
        assert_ne!(world.standing, before, "{name}");
        let back = format!("{name} back");
        settle(&mut world, &back, &undo(name), &[]);
        assert_eq!(world.standing, before, "{name}");
        let refusal = refused(&world, &undo(&back), &alice(), &[], Code::CannotUndo);
        assert!(refusal.sentence.contains("ended something"), "{refusal:?}");
    }
    // It stands no more; nobody takes back what another approved of; without its text it is not known what stands.
    refused(&world, &undo("waive"), &alice(), &[], Code::NoSuchWaiver);
    let bob = Asker { name: "user:bob".into(), ..alice() };
    refused(&world, &undo("approve"), &bob, &[], Code::RoleNotAllowed);
    world.recorded[0].effect.as_mut().unwrap().request = None;
    refused(&world, &undo("waive"), &alice(), &[], Code::Gone);
}

#[test]
fn the_name_of_a_generation_ends_and_does_not_come_back() {
    let mut world = site();
    settle(&mut world, "first", &keep(None, "update-57"), &[]);
    settle(&mut world, "second", &undo("first"), &[]);
    assert_eq!(world.names["update-57"], NamedGeneration { generation: 40, ended: true });
    refused(&world, &undo("second"), &alice(), &[], Code::CannotUndo);
}

/// Undoes a roll-back that is on record as a request of this action.
fn rolled_back_and_undone(action_on_record: &str) -> Plan {
    let mut site = crate::samples::metas::Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64",
        "sl5/x86_64 delta: voms-2-1.x86_64 ui-2-1.noarch<voms = 2-1> wn-2-1.noarch<other = 1>",
    ]);
    let action = Action::Rollback {
        product: "glite-3.2".into(),
        from: "delta".into(),
        packages: vec!["voms".into()],
        platforms: vec![],
        versions: vec![],
        without: vec![],
        releases: vec![],
    };
    let request = Request { reason: Some("it loses jobs".into()), ..Request::new(action) };
    let plan = site.done(&request);
    let moves = plan.changes.iter().map(|(repository, change)| {
        (repository.clone(), Moves { entered: change.enter.clone(), left: change.leave.clone() })
    });
    let effect =
        Effected { moves: moves.collect(), node_types: plan.node_types.clone(), ..Effected::default() };
    site.world.recorded.push(Recorded {
        claim: "first".into(),
        id: "first".into(),
        owner: "user:alice".into(),
        action: action_on_record.into(),
        outcome: Outcome::Done,
        effect: Some(effect),
    });
    site.done(&undo("first"))
}

#[test]
fn hosts_are_told_node_type_by_node_type_what_undoes_a_roll_back() {
    let plan = rolled_back_and_undone("rollback");
    let told: Vec<String> = plan
        .hosts()
        .into_iter()
        .map(|one| format!("{}: {}", one.node_type.unwrap_or_default(), one.dnf))
        .collect();
    assert_eq!(told, ["ui: dnf --refresh distro-sync ui voms", ": dnf --refresh distro-sync"]);
    let [ui] = plan.node_types.as_slice() else { panic!("{:?}", plan.node_types) };
    assert_eq!(
        (ui.before.to_string(), ui.after.to_string()),
        ("ui-2-1.1.noarch".to_owned(), "ui-2-1.noarch".to_owned())
    );
    assert_eq!(
        (&*ui.pins[0].before, ui.pins[0].after.as_ref().unwrap().to_string()),
        ("= 1-1", "2-1".into())
    );
}

#[test]
fn what_a_partial_release_built_for_another_stage_is_no_way_back() {
    let plan = rolled_back_and_undone("promote");
    assert_eq!((plan.node_types.as_slice(), plan.hosts().as_slice()), (&[][..], &[][..]));
}

#[test]
fn nobody_without_a_role_learns_what_is_on_record() {
    let mut world = site();
    settle(&mut world, "first", &promote(&["voms"]), &[]);
    let nobody = Asker { name: "user:bob".into(), roles: vec![] };
    for name in ["first", "nothing"] {
        refused(&world, &undo(name), &nobody, &[], Code::RoleNotAllowed);
    }
}
