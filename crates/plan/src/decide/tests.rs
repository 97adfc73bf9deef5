//! Random worlds and random requests: whatever is decided, it is sound.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::*;
use crate::check::check;
use crate::layout::Repository;
use crate::samples::{alice, listed, now, words, world};
use crate::world::{Listed, NamedGeneration, digest_of_set};

const NAMES: [&str; 5] = ["voms", "voms-clients", "lcg-a", "lcg-b", "voms-debuginfo"];

/// Draws a package; few enough names and versions that requests meet them again.
fn package(random: &mut fastrand::Rng) -> Listed {
    let name = random.choice(NAMES).unwrap();
    let version = random.choice(["1-1", "1.0-1", "1:1-1", "2-1", "10-1", "2~rc1-1"]).unwrap();
    let arch = random.choice(["x86_64", "i686", "noarch", "src", "ppc64"]).unwrap();
    let other = if random.u8(..) < 8 { "#other" } else { "" };
    listed(&format!("{name}-{version}.{arch}{other}"))
}

fn listing(random: &mut fastrand::Rng) -> Vec<Listed> {
    let count = random.usize(0..8);
    let mut by_nevra = BTreeMap::new();
    for listed in (0..count).map(|_| package(random)) {
        by_nevra.insert(listed.nevra.clone(), listed);
    }
    by_nevra.into_values().collect()
}

fn random_world(random: &mut fastrand::Rng) -> World {
    let mut world = world();
    let repositories: Vec<Repository> = world.repositories.keys().cloned().collect();
    for number in [31, 35, 40] {
        let past = repositories.iter().map(|repository| (repository.clone(), listing(random))).collect();
        world.past.insert(number, past);
        world.kept_generations.insert(number);
        let until = now() + SignedDuration::from_hours(random.i64(-2..2));
        world.kept_until.insert(number, until);
    }
    for repository in &repositories {
        let listing = listing(random);
        for listed in world.past[&35][repository].iter().filter(|listed| !listing.contains(listed)) {
            let until = now() + SignedDuration::from_hours(random.i64(-2..2));
            world.retained.insert(listed.link(repository), until);
        }
        world.repositories.insert(repository.clone(), listing);
    }
    let kept = world.past[&31].iter().flat_map(|(r, past)| past.iter().map(move |listed| listed.link(r)));
    world.listed_by_kept = kept.collect();
    for name in ["update-55", "update-56"] {
        let generation = random.choice([31, 35, 36, 40]).unwrap();
        world.names.insert(name.into(), NamedGeneration { generation, ended: random.bool() });
    }
    if random.u8(..) < 60 {
        world.repositories.remove(random.choice(&repositories).unwrap());
    }
    world
}

fn selectors(random: &mut fastrand::Rng) -> Vec<String> {
    let one = |random: &mut fastrand::Rng| match random.u8(..6) {
        0 => "*".to_owned(),
        1 => "voms*".to_owned(),
        2 => random.choice(NAMES).unwrap().to_owned(),
        3 => format!("{}-2-1", random.choice(NAMES).unwrap()),
        4 => random.choice(["[", "{a", "no such", "", "-", "\u{e9}.*?"]).unwrap().to_owned(),
        _ => package(random).nevra.to_string(),
    };
    (0..random.usize(1..4)).map(|_| one(random)).collect()
}

fn random_request(random: &mut fastrand::Rng) -> (Request, Vec<Arrival>) {
    let product = random.choice(["glite-3.2", "glite-3.2", "glite-3.2", "umd"]).unwrap().to_owned();
    let stage = |random: &mut fastrand::Rng| {
        random.choice(["delta", "delta", "production", "production", "beta"]).unwrap().to_owned()
    };
    let platforms = words(random.choice([&[][..], &[], &["sl5/i386"], &["*/x86_64"], &["sl6/x"]]).unwrap());
    let generation: Reference =
        random.choice(["31", "35", "40", "36", "update-56", "nobody"]).unwrap().parse().unwrap();
    let mut arrivals = Vec::new();
    let action = match random.u8(..10) {
        0..3 => {
            arrivals.extend(
                (0..random.usize(0..5)).map(|_| Arrival { listed: package(random), from: "x".into() }),
            );
            Action::Import { product, to: stage(random), files: vec![], folder: None, platforms }
        }
        3..6 => {
            let (from, to) = match random.u8(..8) {
                0 => (stage(random), stage(random)),
                _ => ("delta".into(), "production".into()),
            };
            Action::Promote { product, from, to, packages: selectors(random), platforms, partial: None }
        }
        6 => Action::Withdraw { product, from: stage(random), packages: selectors(random), platforms },
        7 => Action::Revert { product, stage: stage(random), generation, platforms },
        8 if random.bool() => Action::Sweep {},
        8 if random.bool() => Action::AcceptClock {},
        8 => Action::Config {},
        _ => Action::Keep {
            generation: random.bool().then_some(generation),
            as_: Some(random.choice(["update-55", "update-56", "update-57", "current"]).unwrap().to_owned()),
            drop: random
                .choice([None, None, Some("update-56".to_owned()), Some("nobody".to_owned())])
                .unwrap(),
        },
    };
    (Request::new(action), arrivals)
}

fn random_asker(random: &mut fastrand::Rng) -> Asker {
    match random.u8(..8) {
        0 => Asker::clock(),
        1 => Asker { name: "user:bob".into(), roles: vec![(None, "release".into())] },
        _ => alice(),
    }
}

#[test]
fn every_plan_is_sound_and_does_what_it_announces() {
    let mut random = fastrand::Rng::with_seed(0x5153);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for round in 0..6_000 {
        let world = random_world(&mut random);
        let (request, arrivals) = random_request(&mut random);
        let asker = random_asker(&mut random);
        let decision = decide(&world, &request, &asker, &arrivals);
        assert_eq!(decision, decide(&world, &request, &asker, &arrivals), "round {round}");
        let word = match &decision {
            Decision::Effect(plan) => {
                sound(&world, plan);
                stable(&world, &request, &asker, &arrivals, plan, &mut random);
                request.action.name()
            }
            Decision::Lacking(_) => unreachable!("no stage of these worlds demands signatures"),
            Decision::NothingToDo(code, sentence) => {
                assert_eq!(code.exit(), 0, "{sentence}");
                code.as_str()
            }
            Decision::Refused(refusal) => {
                assert_ne!(refusal.code.exit(), 0, "{refusal}");
                assert!(!refusal.sentence.is_empty() && !refusal.sentence.ends_with('.'), "{refusal}");
                refusal.code.as_str()
            }
        };
        *seen.entry(word.to_owned()).or_default() += 1;
    }
    let expected = [
        "import",
        "promote",
        "withdraw",
        "revert",
        "keep",
        "sweep",
        "config",
        "nothing-to-do",
        "already-there",
        "no-such-package",
        "ambiguous",
        "other-content",
        "older",
        "gone",
        "role-not-allowed",
        "try-later",
        "unknown-product",
        "unknown-stage",
        "unknown-route",
        "unknown-platform",
        "malformed",
        "name-taken",
        "bad-name",
        "no-such-name",
        "no-such-upload",
        "architecture-not-taken",
    ];
    for word in expected {
        assert!(seen.get(word).is_some_and(|count| *count >= 3), "`{word}` is hardly met: {seen:?}");
    }
}

fn sound(world: &World, plan: &Plan) {
    assert_eq!(check(world, plan), vec![], "{}", plan.print());
    let mut after = world.clone();
    after.apply(plan);
    // What the store demands of the names of every draft; a plan against it would be planned for ever.
    for (name, old) in &world.names {
        let new = after.names.get(name).expect("no name is lost");
        assert_eq!(new.generation, old.generation, "`{name}` is bound anew");
        assert!(new.ended || !old.ended, "`{name}` comes back");
    }
    for (repository, listing) in &after.repositories {
        let before = world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
        match plan.changes.get(repository) {
            Some(change) => {
                assert_eq!(digest_of_set(listing), change.after);
                assert_ne!(change.before, change.after, "{repository} is touched and does not change");
            }
            None => assert_eq!(listing, before),
        }
        let ids: BTreeSet<_> = listing.iter().map(|listed| &listed.pkgid).collect();
        assert_eq!(ids.len(), listing.len(), "{repository} lists a file twice");
    }
}

/// The hash is that of the same plan at another time, beside other generations and other repositories.
fn stable(
    world: &World,
    request: &Request,
    asker: &Asker,
    arrivals: &[Arrival],
    plan: &Plan,
    random: &mut fastrand::Rng,
) {
    let approved = Request { plan: Some(plan.hash().hex()), ..request.clone() };
    assert_eq!(decide(world, &approved, asker, arrivals), Decision::Effect(plan.clone()));
    let other = Request { plan: Some("00".repeat(32)), ..request.clone() };
    match decide(world, &other, asker, arrivals) {
        Decision::Refused(refusal) => assert_eq!(refusal.code, Code::PlanChanged),
        decision => panic!("{decision:?}"),
    }
    if !matches!(request.action, Action::Import { .. } | Action::Promote { .. } | Action::Withdraw { .. }) {
        return;
    }
    let mut busy = world.clone();
    busy.now += SignedDuration::from_hours(24);
    busy.generation += 5;
    busy.names.clear();
    busy.past.clear();
    for (repository, listing) in &mut busy.repositories {
        if plan.changes.contains_key(repository) {
            random.shuffle(listing);
        } else if !has_glob(request) {
            listing.push(listed("glexec-1-1.x86_64"));
        }
    }
    let stranger = Repository { product: "umd".into(), ..busy.repositories.keys().next().unwrap().clone() };
    busy.repositories.insert(stranger, vec![listed("glexec-1-1.x86_64")]);
    match decide(&busy, request, asker, arrivals) {
        Decision::Effect(later) => assert_eq!(later.hash(), plan.hash()),
        decision => panic!("{decision:?}"),
    }
}

fn has_glob(request: &Request) -> bool {
    match &request.action {
        Action::Promote { packages, .. } | Action::Withdraw { packages, .. } => {
            packages.iter().any(|text| text.contains('*'))
        }
        _ => false,
    }
}

#[test]
fn an_expired_request_is_refused_whatever_it_wants() {
    let mut request = crate::samples::promote(&["voms"]);
    request.expires = Some(now());
    crate::samples::refused(&world(), &request, &alice(), &[], Code::Expired);
    request.expires = Some(now() + SignedDuration::from_secs(1));
    crate::samples::refused(&world(), &request, &alice(), &[], Code::NoSuchPackage);
}

#[test]
fn a_plan_that_is_no_longer_the_approved_one_is_refused() {
    let mut world = crate::samples::world_of(&["sl5/x86_64 delta: voms-2-1.x86_64"]);
    let mut request = crate::samples::promote(&["voms"]);
    let plan = crate::samples::effect(&world, &request, &alice(), &[]);
    request.plan = Some(plan.hash().hex());
    crate::samples::effect(&world, &request, &alice(), &[]);
    let production = crate::samples::repository("sl5/x86_64 production");
    world.repositories.insert(production, vec![listed("yaim-1-1.noarch")]);
    let refusal = crate::samples::refused(&world, &request, &alice(), &[], Code::PlanChanged);
    assert!(refusal.sentence.contains(&plan.hash().hex()));
}

#[test]
fn what_must_be_loaded_is_enough_to_decide() {
    let layout = crate::samples::layout();
    let names = BTreeMap::from([("u".to_owned(), NamedGeneration { generation: 7, ended: true })]);
    let needs = |request: &Request| crate::world::needs(request, &layout, &names);
    let product = needs(&crate::samples::promote(&["voms"]));
    assert_eq!(product.repositories.into_iter().collect::<Vec<_>>(), layout.repositories());
    assert_eq!(needs(&crate::samples::revert("delta", "@u", &[])).past, Some(7));
    assert_eq!(needs(&crate::samples::revert("delta", "12", &[])).past, Some(12));
    assert_eq!(needs(&crate::samples::revert("delta", "nobody", &[])).past, None);
    let back = needs(&crate::samples::revert("delta", "12", &[]));
    let of_stage = layout.repositories().into_iter().filter(|repository| repository.stage == "delta");
    assert_eq!(back.past_repositories, of_stage.collect());
    assert_eq!((back.repositories.len(), back.past_repositories.len()), (12, 6));
    assert_eq!(needs(&crate::samples::keep(None, "x")), crate::Needs::default());
    assert!(needs(&Request::new(Action::Sweep {})).all_links);
    assert!(needs(&Request::new(Action::Config {})).strangers);
}
