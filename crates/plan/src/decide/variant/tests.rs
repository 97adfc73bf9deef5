//! Who decides that two files may bear one name, and what goes through then.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::plan::Verdict;
use crate::samples::metas::Metas;
use crate::samples::{
    alice, arrivals, brief, effect, import, listed, nothing, promote, refused, repository, revert, words,
    world_of,
};
use crate::{Action, Asker, Code, Decision, Request, World, check, decide};

const NAME: &str = "a-1-1.noarch";
const OTHER: &str = "a-1-1.noarch#other";

/// `delta` lists `a-1-1.noarch` for one platform; `release` and `operations` decide about variants.
fn world() -> World {
    world_like(&["sl5/x86_64 delta: a-1-1.noarch"])
}

fn world_like(lines: &[&str]) -> World {
    let mut world = world_of(lines);
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    product.variant_roles = words(&["release", "operations"]);
    for (at, text) in [NAME, OTHER, "a-1-1.noarch#third"].iter().enumerate() {
        world.built.insert(listed(text).pkgid, 1_700_000_000 + i64::try_from(at).unwrap());
    }
    world
}

fn somebody(name: &str, roles: &[&str]) -> Asker {
    Asker { name: name.into(), roles: roles.iter().map(|role| (None, (*role).to_owned())).collect() }
}

fn rita() -> Asker {
    somebody("user:rita", &["release"])
}

fn olga() -> Asker {
    somebody("user:olga", &["operations"])
}

fn variant_of(package: &str, files: &[&str]) -> Request {
    let digests = files.iter().map(|text| listed(text).pkgid.to_string()).collect();
    let action = Action::Variant { product: "glite-3.2".into(), package: package.into(), digests };
    Request { reason: Some("a partial\nrelease".into()), ..Request::new(action) }
}

fn variant() -> Request {
    variant_of(NAME, &[NAME, OTHER])
}

/// What arrives goes to the other platform, so that no repository would list both.
fn bring(world: &World, text: &str) -> Decision {
    decide(world, &import(&["sl5/i386"]), &alice(), &arrivals(&[text]))
}

fn says(world: &mut World, who: &Asker) {
    let plan = effect(world, &variant(), who, &[]);
    world.apply(&plan);
}

fn code(decision: Decision) -> Code {
    match decision {
        Decision::Effect(_) => Code::Done,
        Decision::NothingToDo(code, _) => code,
        Decision::Lacking(_) => Code::TryLater,
        Decision::Refused(refusal) => refusal.code,
    }
}

#[test]
fn one_person_of_each_role_decides_and_everybody_reads_who_and_why() {
    let mut world = world();
    let refusal =
        refused(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&[OTHER]), Code::VariantUndecided);
    let [one, other] = [NAME, OTHER].map(|text| listed(text).pkgid);
    let hint = refusal.hint.unwrap();
    assert!(hint.contains("roles `release` and `operations`"), "{hint}");
    let command = format!("`sluice variant {NAME} {one} {other} --product glite-3.2 --reason ...`");
    assert!(hint.ends_with(&command), "{hint}");
    says(&mut world, &rita());
    assert_eq!(code(bring(&world, OTHER)), Code::VariantUndecided);
    says(&mut world, &olga());
    let plan = effect(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&[OTHER]));
    assert_eq!(brief(&plan), "sl5/i386 delta: +a-1-1.noarch\n");
    let seen = plan.gates.iter().find(|seen| seen.gate == "variants").unwrap();
    assert_eq!(seen.verdict, Verdict::Waived);
    let id = world.standing.variants.keys().next().unwrap();
    assert_eq!(
        seen.evidence,
        format!(
            "`glite-3.2-sl5-x86_64-delta` lists `{NAME}` with the digest {one}, and not {other}; decided by `user:rita` \
             as `release` and `user:olga` as `operations`, variant {id}: a partial release"
        )
    );
}

#[test]
fn whoever_does_not_add_a_role_or_a_person_completes_nothing() {
    let both = &["release", "operations"];
    let table: [(&str, &[Asker], Code); 7] = [
        ("nobody", &[], Code::VariantUndecided),
        ("one of each", &[olga(), rita()], Code::Done),
        ("two of one role", &[rita(), somebody("user:ron", &["release"])], Code::VariantUndecided),
        ("one with both roles", &[somebody("user:bo", both)], Code::VariantUndecided),
        ("one with both roles, and another", &[somebody("user:bo", both), rita()], Code::Done),
        ("one person by two names", &[rita(), somebody("ssh:rita", &["operations"])], Code::VariantUndecided),
        ("three", &[rita(), somebody("user:ron", &["release"]), olga()], Code::Done),
    ];
    for (what, people, expected) in table {
        let mut world = world();
        let names = &mut Arc::make_mut(&mut world.layout).people;
        names.extend(["user:rita", "ssh:rita"].map(|name| (name.to_owned(), "rita".to_owned())));
        people.iter().for_each(|who| says(&mut world, who));
        assert_eq!(code(bring(&world, OTHER)), expected, "{what}");
    }
}

#[test]
fn who_says_it_twice_counts_once_and_what_is_decided_stays_so() {
    let mut world = world();
    refused(&world, &variant(), &somebody("user:x", &["integrator"]), &[], Code::RoleNotAllowed);
    says(&mut world, &rita());
    nothing(&world, &variant(), &rita(), &[], Code::NothingToDo);
    // A role that was taken away meanwhile decides nothing.
    let mut without = world.clone();
    without.approvers.clear();
    says(&mut without, &olga());
    assert_eq!(code(bring(&without, OTHER)), Code::VariantUndecided);
    // What was said too long ago does not either.
    let mut later = world.clone();
    later.witnessed = world.now + SignedDuration::from_hours(30 * 24);
    later.now = later.witnessed;
    says(&mut later, &olga());
    assert_eq!(later.standing.variants.values().next().unwrap().agreed.len(), 1);
    assert_eq!(code(bring(&later, OTHER)), Code::VariantUndecided);
    says(&mut world, &olga());
    nothing(&world, &variant(), &olga(), &[], Code::NothingToDo);
    world.witnessed = world.now + SignedDuration::from_hours(400 * 24);
    says_nothing_else(&mut world);
    assert_eq!(code(bring(&world, OTHER)), Code::Done, "decided is decided");
}

/// Something else happens, after which what no longer counts is gone.
fn says_nothing_else(world: &mut World) {
    let plan = crate::Plan { action: "keep".into(), ..crate::Plan::default() };
    world.apply(&plan);
}

#[test]
fn other_words_are_another_decision() {
    let mut world = world();
    says(&mut world, &rita());
    let other = Request { reason: Some("something else".into()), ..variant() };
    world.apply(&effect(&world, &other, &olga(), &[]));
    assert_eq!((world.standing.variants.len(), code(bring(&world, OTHER))), (2, Code::VariantUndecided));
    // The order of the digests is none of the words.
    let turned = Request { reason: variant().reason, ..variant_of(NAME, &[OTHER, NAME]) };
    world.apply(&effect(&world, &turned, &olga(), &[]));
    assert_eq!(code(bring(&world, OTHER)), Code::Done);
}

#[test]
fn a_decision_lets_nothing_else_through() {
    let mut decided = world();
    says(&mut decided, &rita());
    says(&mut decided, &olga());
    assert_eq!(code(bring(&decided, "a-1-1.noarch#third")), Code::VariantUndecided);
    // Never two in one repository, whoever decided what.
    let here = import(&["sl5/x86_64"]);
    refused(&decided, &here, &alice(), &arrivals(&[OTHER]), Code::OtherContent);
    refused(&decided, &import(&["sl5/i386"]), &alice(), &arrivals(&[NAME, OTHER]), Code::OtherContent);
    // Nor for another product.
    let mut world = decided.clone();
    world.standing.variants.values_mut().for_each(|variant| variant.product = "umd-3".into());
    assert_eq!(code(bring(&world, OTHER)), Code::VariantUndecided);
    // Hosts must be able to tell them apart.
    let mut world = decided.clone();
    world.built.clear();
    assert_eq!(code(bring(&world, OTHER)), Code::TryLater, "when they were built has to be read");
    world.built.extend([NAME, OTHER].map(|text| (listed(text).pkgid, 1_700_000_000)));
    let alike = refused(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&[OTHER]), Code::VariantAlike);
    assert!(alike.reasons[0].contains("was built in the same second, 1700000000"), "{alike:?}");
}

#[test]
fn two_files_that_would_have_one_url_are_refused() {
    let mut world = world();
    // Digests that begin alike, as somebody could make them.
    let mut hex = listed(NAME).pkgid.hex();
    hex.replace_range(63.., if hex.ends_with('0') { "1" } else { "0" });
    let mut arrival = arrivals(&[OTHER]);
    arrival[0].listed = crate::samples::but(&arrival[0].listed, |one| one.pkgid = hex.parse().unwrap());
    let action = Action::Variant {
        product: "glite-3.2".into(),
        package: NAME.into(),
        digests: vec![hex, listed(NAME).pkgid.hex()],
    };
    let request = Request { reason: Some("r".into()), ..Request::new(action) };
    for who in [rita(), olga()] {
        world.apply(&effect(&world, &request, &who, &[]));
    }
    let refusal = refused(&world, &import(&["sl5/i386"]), &alice(), &arrival, Code::VariantAlike);
    assert!(refusal.reasons[0].ends_with("would have one URL"), "{refusal:?}");
}

#[test]
fn a_variant_is_promoted_and_comes_back_but_not_beside_its_twin() {
    let lines = ["sl5/x86_64 delta: a-1-1.noarch", "sl5/i386 delta: a-1-1.noarch#other"];
    let mut world = world_like(&lines);
    refused(&world, &promote(&["a"]), &alice(), &[], Code::VariantUndecided);
    says(&mut world, &rita());
    says(&mut world, &olga());
    let plan = effect(&world, &promote(&["a"]), &alice(), &[]);
    assert_eq!(brief(&plan).matches("production: +a-1-1.noarch").count(), 2, "{}", brief(&plan));
    world.past.insert(30, world.repositories.clone());
    world.kept_generations.insert(30);
    world.apply(&plan);
    effect(&world, &revert("delta", "30", &[]), &alice(), &[]);
    // The stage that lists the twin takes neither.
    let beside = [lines[0], "sl5/x86_64 production: a-1-1.noarch#other"];
    let World { shelves, .. } = Metas::of(&beside).index();
    let mut beside = World { standing: world.standing.clone(), shelves, ..world_like(&beside) };
    refused(&beside, &promote(&["a"]), &alice(), &[], Code::OtherContent);
    beside.past.insert(30, world_like(&["sl5/x86_64 production: a-1-1.noarch"]).repositories);
    beside.kept_generations.insert(30);
    refused(&beside, &revert("production", "30", &["sl5/x86_64"]), &alice(), &[], Code::OtherContent);
}

#[test]
fn it_ends_when_somebody_says_so_unless_both_are_listed() {
    let mut world = world();
    says(&mut world, &rita());
    says(&mut world, &olga());
    let id = world.standing.variants.keys().next().unwrap().clone();
    let end = Request::new(Action::EndVariant { variant: id.clone() });
    refused(&world, &end, &alice_without_release(), &[], Code::RoleNotAllowed);
    let plan = effect(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&[OTHER]));
    let mut used = world.clone();
    used.apply(&plan);
    let refusal = refused(&used, &end, &olga(), &[], Code::VariantInUse);
    assert_eq!(refusal.reasons.len(), 2, "{refusal:?}");
    // Whoever ended it all the same would leave what nobody decided.
    let ended = effect(&world, &end, &Asker { roles: vec![], ..olga() }, &[]);
    assert_eq!(check(&used, &ended).len(), 1);
    world.apply(&ended);
    assert_eq!(code(bring(&world, OTHER)), Code::VariantUndecided);
    refused(&world, &end, &olga(), &[], Code::NoSuchVariant);
    used.repositories.insert(repository("sl5/i386 delta"), vec![]);
    effect(&used, &end, &olga(), &[]);
}

fn alice_without_release() -> Asker {
    somebody("user:alice", &["integrator", "admin"])
}

#[test]
fn a_plan_that_brings_a_twin_without_a_decision_is_found() {
    let mut world = world();
    says(&mut world, &rita());
    says(&mut world, &olga());
    let plan = effect(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&[OTHER]));
    for variant in world.standing.variants.values_mut() {
        variant.decided_by.clear();
    }
    let violations = check(&world, &plan);
    assert_eq!(violations.iter().map(|one| one.invariant).collect::<Vec<_>>(), ["I13"], "{violations:?}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let world = world();
    let table: [(&str, &[&str], Code); 5] = [
        ("a", &[NAME, OTHER], Code::Malformed),
        (NAME, &[NAME], Code::Malformed),
        (NAME, &[NAME, NAME], Code::Malformed),
        (NAME, &[NAME, OTHER, "a-1-1.noarch#third"], Code::Malformed),
        (NAME, &[OTHER, "a-1-1.noarch#third"], Code::NoSuchPackage),
    ];
    for (package, files, expected) in table {
        refused(&world, &variant_of(package, files), &rita(), &[], expected);
    }
    let mut request = variant();
    if let Action::Variant { digests, .. } = &mut request.action {
        digests[0] = "5e".into();
    }
    refused(&world, &request, &rita(), &[], Code::Malformed);
    // Where nobody may decide, nobody is told to.
    let mut world = world;
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    product.variant_roles = words(&["release"]);
    refused(&world, &variant(), &rita(), &[], Code::RoleNotAllowed);
    let refusal =
        refused(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&[OTHER]), Code::VariantUndecided);
    assert!(refusal.hint.unwrap().contains("has no `variant_roles`"));
}
