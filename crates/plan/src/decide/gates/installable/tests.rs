//! Promotions that break something, and who answers for them.

use std::sync::Arc;

use closure::{Contents, File, FileKind, Package, Shelf};
use expect_test::expect;

use crate::layout::Closure;
use crate::plan::Verdict;
use crate::refusal::{Code, Refusal};
use crate::request::Request;
use crate::samples::{
    alice, arrivals, listed, now, promote, promote_on, repository, revert, withdraw, world_of,
};
use crate::standing::Waiver;
use crate::world::{Arrival, World, digest_of_set};
use crate::{Action, Context, Decision, HeaderOf, Indexed, Place, Plan, Unfit};

/// What the packages of these stories say; who is not here says nothing.
const SAID: [(&str, &[&str]); 9] = [
    ("glite-UI-3.2.6-1.noarch", &["voms = 1.9.10-1"]),
    ("glite-UI-3.2.7-1.noarch", &["voms = 1.9.14-1"]),
    ("voms-1.9.14-1.x86_64", &["libc.so.6"]),
    ("voms-1.9.14-1.i686", &["libc.so.6"]),
    ("voms-clients-1-1.x86_64", &["voms"]),
    ("bundle-1-1.noarch", &["voms"]),
    ("set-1-1.noarch", &["lcg-tags = 1-1", "lcg-info = 1-1"]),
    ("lcg-tags-1-1.noarch", &["/usr/bin/lcg"]),
    ("lcg-info-1-1.noarch", &["/usr/bin/lcg"]),
];

fn package(listed: &crate::Listed) -> Package {
    let mut package = Package::new(listed.nevra.clone());
    let said = SAID.iter().find(|(nevra, _)| *nevra == listed.nevra.to_string());
    for words in said.into_iter().flat_map(|(_, words)| *words) {
        match words.starts_with('/') {
            true => package.files.push(File { path: (*words).into(), kind: FileKind::File, contents: None }),
            false => package.requires.push(words.parse().unwrap()),
        }
    }
    package
}

fn shelf(name: &str, listed: &[crate::Listed]) -> Arc<Shelf> {
    Arc::new(Shelf::new(name, listed.iter().map(package).collect()))
}

/// Production is judged beside the base system.
fn site() -> World {
    let mut world = world_of(&[
        "sl5/x86_64 delta: voms-1.9.14-1.x86_64 glite-UI-3.2.7-1.noarch other-1-1.noarch",
        "sl5/i386 delta: voms-1.9.14-1.i686 glite-UI-3.2.7-1.noarch other-1-1.noarch",
        "sl5/x86_64 production: voms-1.9.10-1.x86_64 glite-UI-3.2.6-1.noarch voms-clients-1-1.x86_64",
        "sl5/i386 production: voms-1.9.10-1.i686 glite-UI-3.2.6-1.noarch",
    ]);
    let mut layout = (*world.layout).clone();
    let product = layout.products.get_mut("glite-3.2").unwrap();
    let production = product.stages.iter_mut().find(|stage| stage.name == "production").unwrap();
    production.closure = Some(Closure { beside: vec!["sl5".into()], ..Closure::default() });
    production.waiver_roles = vec!["release".into()];
    world.layout = Arc::new(layout);
    world
}

/// The same, and hosts of delta draw from these.
fn delta_beside(mut world: World, beside: &[&str]) -> World {
    let mut layout = (*world.layout).clone();
    let product = layout.products.get_mut("glite-3.2").unwrap();
    let delta = product.stages.iter_mut().find(|stage| stage.name == "delta").unwrap();
    let beside = beside.iter().map(|name| (*name).to_owned()).collect();
    delta.closure = Some(Closure { beside, ..Closure::default() });
    world.layout = Arc::new(layout);
    world
}

fn waiver(stage: &str, gate: &str, packages: &[&str]) -> Waiver {
    Waiver {
        id: format!("{stage}-{gate}-{}", packages[0]),
        product: "glite-3.2".into(),
        stage: stage.into(),
        gate: gate.into(),
        packages: packages.iter().map(|text| (*text).to_owned()).collect(),
        until: now() + jiff::SignedDuration::from_hours(1),
        by: "user:bob".into(),
        reason: "the sites know".into(),
    }
}

fn put(world: &mut World, waiver: Waiver) {
    world.standing.waivers.insert(waiver.id.clone(), waiver);
}

/// Decides, and reads what lacks as the engine does, with `base` for the base system.
fn decided(world: &World, request: &Request, came: &[Arrival], base: Result<&[&str], Unfit>) -> Decision {
    let mut world = world.clone();
    loop {
        let lacking = match crate::decide(&world, request, &alice(), came) {
            Decision::Lacking(lacking) => lacking,
            decided => return decided,
        };
        assert!(!lacking.is_empty());
        for repository in lacking.shelves {
            assert!(!world.shelves.contains_key(&repository), "{repository} is asked for twice");
            let listed = world.repositories.get(&repository).cloned().unwrap_or_default();
            let indexed = Indexed { shelf: shelf(&repository.stage, &listed), set: digest_of_set(&listed) };
            world.shelves.insert(repository.clone(), indexed);
        }
        for key in lacking.contexts {
            // A name behind that of a context is of that one alone.
            let of_it = |name: &&&str| name.split_once(' ').is_none_or(|(context, _)| context == key.0);
            let named = |name: &&str| name.rsplit(' ').next().unwrap().to_owned();
            let context = base.clone().map(|names| {
                let names: Vec<String> = names.iter().filter(of_it).map(named).collect();
                let place = |name: &String| Place { href: format!("{}/{name}", key.0).into(), size: 1 };
                Context {
                    shelf: shelf(&key.0, &names.iter().map(|name| listed(name)).collect::<Vec<_>>()),
                    digest: "ab".repeat(32).parse().unwrap(),
                    places: names.iter().map(place).collect(),
                }
            });
            world.contexts.insert(key, context);
        }
        // All packages have the same files, but those of the first context.
        for (header, paths) in lacking.headers {
            let text = match &header {
                HeaderOf::Ours(_) => "the same",
                HeaderOf::Beside { context, nevra, place, .. } => {
                    assert_eq!(*place.href, format!("{context}/{nevra}"));
                    if context == "sl5" { "another" } else { "the same" }
                }
            };
            let contents = Contents {
                mode: 0o100_755,
                user: "root".into(),
                group: "root".into(),
                size: 1,
                text: text.to_owned(),
                colour: 0,
                ghost: false,
            };
            let files = paths.into_iter().map(|path| (path, Some(contents.clone()))).collect();
            world.headers.insert(header, Ok(files));
        }
        let all: Vec<crate::Listed> = world.repositories.values().flatten().cloned().collect();
        let all = all.into_iter().chain(came.iter().map(|arrival| arrival.listed.clone()));
        for listed in all.filter(|listed| lacking.relations.contains(&listed.pkgid)) {
            world.relations.insert(listed.pkgid, Arc::new(package(&listed)));
        }
    }
}

const BASE: &[&str] = &["libc.so.6-2-1.x86_64", "libc.so.6-2-1.i686"];

fn refused(
    world: &World,
    request: &Request,
    came: &[Arrival],
    base: Result<&[&str], Unfit>,
    code: Code,
) -> Refusal {
    match decided(world, request, came, base) {
        Decision::Refused(refusal) => {
            assert_eq!(refusal.code, code, "{refusal:?}");
            refusal
        }
        other => panic!("{other:?}"),
    }
}

fn done(world: &World, request: &Request, came: &[Arrival], base: Result<&[&str], Unfit>) -> Plan {
    match decided(world, request, came, base) {
        Decision::Effect(plan) => plan,
        other => panic!("{other:?}"),
    }
}

/// What both gates say of a plan, or of a refusal.
fn told(seen: &[crate::GateSeen]) -> String {
    let ours = seen.iter().filter(|seen| ["closure", "meta-packages"].contains(&seen.gate.as_str()));
    ours.map(|seen| format!("{} {}: {}\n", seen.gate, seen.verdict.as_str(), seen.evidence)).collect()
}

#[test]
fn what_is_complete_passes_with_its_evidence() {
    let plan = done(&site(), &promote(&["voms", "glite-UI"]), &[], Ok(BASE));
    expect![[r#"
        closure pass: all 2 that the change touches can be installed beside `sl5`
        meta-packages pass: all 2 meta-packages that the change touches can be installed and updated beside `sl5`
    "#]].assert_eq(&told(&plan.gates));
}

#[test]
fn a_meta_package_without_what_it_pins_is_refused_and_says_where_that_is() {
    let refusal = refused(&site(), &promote(&["glite-UI"]), &[], Ok(BASE), Code::MetaPackageBroken);
    expect![[r#"
        closure pass: the change touches no package that could be broken
        meta-packages fail: meta-packages would be broken in 2 ways
    "#]]
    .assert_eq(&told(&refusal.gates));
}

#[test]
fn a_base_system_without_what_is_needed_refuses_by_both_gates() {
    let refusal =
        refused(&site(), &promote(&["voms", "glite-UI"]), &[], Ok(&BASE[..1]), Code::NotInstallable);
    expect![[r#"
        closure fail: voms 1.9.14-1 (i686) needs libc.so.6; nothing in production or sl5 offers it (sl5/i386)
        meta-packages fail: glite-UI 3.2.7-1 needs voms = 1.9.14-1; voms 1.9.14-1 (i686) needs libc.so.6; nothing in production or sl5 offers it (sl5/i386)
    "#]].assert_eq(&told(&refusal.gates));
}

#[test]
fn whoever_answers_for_the_meta_package_lets_it_pass_and_no_other() {
    let mut world = site();
    put(&mut world, waiver("production", "closure", &["glite-UI"]));
    put(&mut world, waiver("production", "meta-packages", &["glite-WN"]));
    refused(&world, &promote(&["glite-UI"]), &[], Ok(BASE), Code::MetaPackageBroken);
    put(&mut world, waiver("production", "meta-packages", &["glite-*"]));
    let plan = done(&world, &promote(&["glite-UI"]), &[], Ok(BASE));
    let seen = plan.gates.iter().find(|seen| seen.gate == "meta-packages").unwrap();
    assert_eq!(seen.verdict, Verdict::Waived);
    expect![[r#"
        closure pass: the change touches no package that could be broken
        meta-packages waived: glite-UI 3.2.7-1 needs voms = 1.9.14-1; production has 1.9.10-1; 1.9.14-1 stays in delta (sl5/x86_64); glite-UI 3.2.7-1 needs voms = 1.9.14-1; production has voms 1.9.10-1 (i686); voms 1.9.14-1 (i686) stays in delta (sl5/i386); `user:bob` answers for it until 2026-03-01T13:00:00Z, waiver production-meta-packages-glite-*: the sites know
    "#]].assert_eq(&told(&plan.gates));
}

#[test]
fn what_is_withdrawn_and_still_needed_is_refused() {
    let refusal = refused(&site(), &withdraw("production", &["voms"]), &[], Ok(BASE), Code::NotInstallable);
    expect![[r#"
        closure fail: voms-clients 1-1 needs voms; 1.9.10-1 leaves production (sl5/x86_64)
        meta-packages fail: meta-packages would be broken in 2 ways
    "#]]
    .assert_eq(&told(&refusal.gates));
    // Nobody judges delta.
    done(&site(), &withdraw("delta", &["voms"]), &[], Ok(BASE));
}

/// Delta has a package that needs voms, of which it has its own.
fn needing(delta: &str) -> World {
    let mut world = site();
    for platform in ["sl5/x86_64", "sl5/i386"] {
        world.repositories.insert(repository(&format!("{platform} delta")), Vec::new());
    }
    let listed = delta.split(' ').map(listed).collect();
    world.repositories.insert(repository("sl5/x86_64 delta"), listed);
    world
}

#[test]
fn hosts_of_another_stage_need_what_leaves_and_who_answers_for_that_stage_lets_it_pass() {
    let mut world = delta_beside(needing("voms-clients-1-1.x86_64"), &["production", "sl5"]);
    world.repositories.insert(repository("sl5/x86_64 production"), vec![listed("voms-1.9.10-1.x86_64")]);
    let away = withdraw("production", &["voms-1.9.10-1.x86_64"]);
    let refusal = refused(&world, &away, &[], Ok(BASE), Code::NotInstallable);
    expect![[r#"
        closure fail: voms-clients 1-1 needs voms; 1.9.10-1 leaves production (`delta`, sl5/x86_64)
        meta-packages pass: the change touches no meta-package
    "#]]
    .assert_eq(&told(&refusal.gates));
    // Whoever answers for production answers for its own hosts.
    put(&mut world, waiver("production", "closure", &["*"]));
    refused(&world, &away, &[], Ok(BASE), Code::NotInstallable);
    put(&mut world, waiver("delta", "closure", &["voms-clients"]));
    let plan = done(&world, &away, &[], Ok(BASE));
    expect![[r#"
        closure waived: voms-clients 1-1 needs voms; 1.9.10-1 leaves production (`delta`, sl5/x86_64); `user:bob` answers for it until 2026-03-01T13:00:00Z, waiver delta-closure-voms-clients: the sites know
        meta-packages pass: the change touches no meta-package
    "#]].assert_eq(&told(&plan.gates));
    // Nothing that its hosts draw from changes.
    let world = delta_beside(world, &["sl5"]);
    let mut seen = done(&world, &away, &[], Ok(BASE)).gates;
    seen.retain(|seen| seen.evidence.contains("delta"));
    assert_eq!(seen, []);
}

#[test]
fn what_moves_on_is_still_there_for_hosts_that_draw_from_both() {
    let mut world = needing("voms-1.9.14-1.x86_64 voms-clients-1-1.x86_64");
    world.repositories.insert(repository("sl5/x86_64 production"), vec![listed("voms-1.9.10-1.x86_64")]);
    let request = promote_on(&["voms"], &["sl5/x86_64"]);
    let plan = done(&delta_beside(world.clone(), &["production", "sl5"]), &request, &[], Ok(BASE));
    expect![[r#"
        closure pass: all 2 that the change touches can be installed beside `production`, `sl5`
        meta-packages pass: the change touches no meta-package
    "#]]
    .assert_eq(&told(&plan.gates));
    let refusal = refused(&delta_beside(world, &["sl5"]), &request, &[], Ok(BASE), Code::NotInstallable);
    expect![[r#"
        closure fail: voms-clients 1-1 needs voms; 1.9.14-1 leaves delta (`delta`, sl5/x86_64)
        meta-packages pass: the change touches no meta-package
    "#]]
    .assert_eq(&told(&refusal.gates));
}

#[test]
fn headers_are_those_of_the_packages_that_share_a_path() {
    let mut world = needing("set-1-1.noarch lcg-tags-1-1.noarch");
    let mut layout = (*world.layout).clone();
    let product = layout.products.get_mut("glite-3.2").unwrap();
    let beside = ["sl5", "delta", "epel"].map(str::to_owned).to_vec();
    product.stages[1].closure = Some(Closure { beside, ..Closure::default() });
    world.layout = Arc::new(layout);
    // One lies in a stage beside, the other in the second context.
    let set = promote_on(&["set"], &["sl5/x86_64"]);
    done(&world, &set, &[], Ok(&["epel lcg-info-1-1.noarch"]));
    // Both move, or one moves and the other lies in the context.
    let all = promote_on(&["*"], &["sl5/x86_64"]);
    done(&world, &all, &[], Ok(&["epel lcg-info-1-1.noarch"]));
    let refusal = refused(&world, &set, &[], Ok(&["sl5 lcg-info-1-1.noarch"]), Code::MetaPackageBroken);
    assert!(
        refusal.sentence.contains("lcg-info 1-1 and lcg-tags 1-1 both bring `/usr/bin/lcg`"),
        "{refusal:?}"
    );
}

#[test]
fn a_context_of_another_stage_that_is_not_fit_refuses_what_touches_its_hosts() {
    let mut world = delta_beside(needing("voms-clients-1-1.x86_64"), &["production", "sl5"]);
    let mut layout = (*world.layout).clone();
    layout.products.get_mut("glite-3.2").unwrap().stages.iter_mut().for_each(|stage| {
        stage.closure = stage.closure.take().filter(|_| stage.name == "delta");
    });
    world.layout = Arc::new(layout);
    let unfit = Err(Unfit { code: Code::ContextStale, words: "it is old".into() });
    let away = withdraw("production", &["voms-clients"]);
    let refusal = refused(&world, &away, &[], unfit, Code::ContextStale);
    expect![[r#"
        closure fail: it cannot be judged: it is old (`delta`, sl5/x86_64)
        meta-packages fail: it cannot be judged: it is old (`delta`, sl5/x86_64)
    "#]]
    .assert_eq(&told(&refusal.gates));
    done(&world, &away, &[], Ok(BASE));
}

#[test]
fn what_is_imported_is_judged_as_what_is_promoted() {
    let request = Request::new(Action::Import {
        product: "glite-3.2".into(),
        to: "production".into(),
        files: vec![],
        folder: Some("/srv/new".into()),
        platforms: vec!["sl5/x86_64".into()],
    });
    let came = arrivals(&["glite-UI-3.2.7-1.noarch"]);
    let refusal = refused(&site(), &request, &came, Ok(BASE), Code::MetaPackageBroken);
    assert!(
        refusal.sentence.contains("voms = 1.9.14-1; production has 1.9.10-1 (sl5/x86_64)"),
        "{refusal:?}"
    );
    done(&site(), &request, &arrivals(&["bundle-1-1.noarch"]), Ok(BASE));
}

#[test]
fn a_context_that_is_not_fit_refuses_everything_by_its_code() {
    for code in [Code::ContextMissing, Code::ContextCorrupt, Code::ContextStale] {
        let unfit = Err(Unfit { code, words: "`/srv/sl5/repodata/repomd.xml`: it is not there".into() });
        let refusal = refused(&site(), &promote_on(&["other"], &["sl5/x86_64"]), &[], unfit, code);
        assert!(refusal.sentence.contains("/srv/sl5/repodata/repomd.xml"), "{refusal:?}");
        let failed = refusal.gates.iter().filter(|seen| seen.verdict == Verdict::Fail).count();
        assert_eq!(failed, 2, "{refusal:?}");
    }
}

#[test]
fn an_index_of_something_else_is_not_believed() {
    let mut world = site();
    for text in ["sl5/x86_64 production", "sl5/i386 production"] {
        // As many packages, and one of them another.
        let mut others = world.repositories[&repository(text)].clone();
        others[0] = listed("other-2-1.noarch");
        let indexed = Indexed { shelf: shelf("production", &others), set: digest_of_set(&others) };
        world.shelves.insert(repository(text), indexed);
    }
    refused(&world, &promote(&["voms", "glite-UI"]), &[], Ok(BASE), Code::InstallableUnknown);
}

#[test]
fn other_stages_can_be_what_hosts_draw_from_and_patterns_name_meta_packages() {
    let mut world = site();
    let mut layout = (*world.layout).clone();
    let product = layout.products.get_mut("glite-3.2").unwrap();
    product.stages[1].closure = Some(Closure {
        beside: vec!["delta".into(), "sl5".into()],
        meta_packages: vec!["bundle*".into()],
        install_only: vec![],
    });
    world.layout = Arc::new(layout);
    // What it needs lies in delta, which hosts have, too.
    done(&world, &promote_on(&["glite-UI"], &["sl5/x86_64"]), &[], Ok(BASE));
    world
        .repositories
        .get_mut(&repository("sl5/x86_64 production"))
        .unwrap()
        .push(listed("bundle-1-1.noarch"));
    let refusal = refused(
        &world,
        &withdraw("production", &["voms-1.9.10-1.x86_64", "voms-clients"]),
        &[],
        Ok(&[]),
        Code::MetaPackageBroken,
    );
    assert!(refusal.reasons.iter().any(|reason| reason.starts_with("bundle 1-1 needs voms")), "{refusal:?}");
}

#[test]
fn going_back_to_what_was_broken_is_refused() {
    let mut world = site();
    let text = "sl5/x86_64 production";
    // Of what generation 7 listed, something was purged since.
    let then = ["voms-1.9.10-1.x86_64", "glite-UI-3.2.6-1.noarch"].map(listed).to_vec();
    world.purged.insert(then[0].pkgid);
    world.repositories.get_mut(&repository(text)).unwrap().clear();
    let siblings = ["debug", "source"].map(|kind| (repository(&format!("{text} {kind}")), vec![]));
    world.past.insert(7, siblings.into_iter().chain([(repository(text), then)]).collect());
    world.kept_generations.insert(7);
    let request = revert("production", "7", &["sl5/x86_64"]);
    let refusal = refused(&world, &request, &[], Ok(BASE), Code::MetaPackageBroken);
    assert!(
        refusal.sentence.starts_with("glite-UI 3.2.6-1 needs voms = 1.9.10-1; nothing in"),
        "{refusal:?}"
    );
}
