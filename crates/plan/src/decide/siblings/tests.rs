use super::*;
use crate::samples::{alice, but, effect, listed, promote_on, repository, withdraw, world};

/// A world whose `delta` on `sl5/x86_64` lists these, all built of `voms-1-1.src.rpm`, with the source beside them.
fn built_of_one(binaries: &[&str], debug: &[&str]) -> World {
    let mut world = world();
    let all = |texts: &[&str]| -> Vec<Listed> {
        let of = |text: &&str| but(&listed(text), |one| one.source_rpm = "voms-1-1.src.rpm".into());
        texts.iter().map(of).collect()
    };
    world.repositories.insert(repository("sl5/x86_64 delta"), all(binaries));
    world.repositories.insert(repository("sl5/x86_64 delta debug"), all(debug));
    world.repositories.insert(repository("sl5/x86_64 delta source"), vec![listed("voms-1-1.src")]);
    world
}

/// What a stage lists in its three repositories, `-` between them.
fn lists(world: &World, stage: &str) -> String {
    let of = |kind: &str| {
        let listing = listing(world, &repository(&format!("sl5/x86_64 {stage}{kind}")));
        let names: BTreeSet<String> = listing.iter().map(|one| one.nevra.to_string()).collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    };
    format!("{} - {} - {}", of(""), of(" debug"), of(" source"))
}

/// Both stages after a promotion, and what it says beside.
fn promoted(world: &mut World, packages: &[&str]) -> (String, String, Vec<String>) {
    let plan = effect(world, &promote_on(packages, &["sl5/x86_64"]), &alice(), &[]);
    world.apply(&plan);
    (lists(world, "delta"), lists(world, "production"), plan.notes)
}

#[test]
fn debuginfo_and_source_go_along() {
    let mut world = built_of_one(
        &["voms-clients-1-1.x86_64"],
        &["voms-clients-debuginfo-1-1.x86_64", "voms-debugsource-1-1.x86_64"],
    );
    let plan = effect(&world, &promote_on(&["voms-clients"], &["sl5/x86_64"]), &alice(), &[]);
    assert_eq!(plan.sentence, "`voms-clients-1-1.x86_64` moves from `delta` to `production` of `glite-3.2`");
    let (delta, production, notes) = promoted(&mut world, &["voms-clients"]);
    assert_eq!(delta, " -  - ");
    assert_eq!(
        production,
        "voms-clients-1-1.x86_64 - voms-clients-debuginfo-1-1.x86_64 voms-debugsource-1-1.x86_64 - voms-1-1.src"
    );
    let along = ["voms-1-1.src", "voms-clients-debuginfo-1-1.x86_64", "voms-debugsource-1-1.x86_64"];
    assert_eq!(notes, along.map(|name| format!("`{name}` goes along, built with it")));
}

#[test]
fn what_several_share_goes_along_with_the_first_and_leaves_with_the_last() {
    let debug = ["voms-a-debuginfo-1-1.x86_64", "voms-b-debuginfo-1-1.x86_64", "voms-debugsource-1-1.x86_64"];
    let mut world = built_of_one(&["voms-a-1-1.x86_64", "voms-b-1-1.x86_64"], &debug);
    let (delta, production, notes) = promoted(&mut world, &["voms-a"]);
    assert_eq!(
        delta,
        "voms-b-1-1.x86_64 - voms-b-debuginfo-1-1.x86_64 voms-debugsource-1-1.x86_64 - voms-1-1.src"
    );
    assert_eq!(
        production,
        "voms-a-1-1.x86_64 - voms-a-debuginfo-1-1.x86_64 voms-debugsource-1-1.x86_64 - voms-1-1.src"
    );
    let shared = "goes along, and stays in `delta`, too, for what stays there of the same source";
    assert_eq!(
        notes,
        [
            "`voms-a-debuginfo-1-1.x86_64` goes along, built with it".to_owned(),
            format!("`voms-1-1.src` {shared}"),
            format!("`voms-debugsource-1-1.x86_64` {shared}"),
        ]
    );
    let (delta, production, notes) = promoted(&mut world, &["voms-b"]);
    assert_eq!(delta, " -  - ");
    assert_eq!(
        production,
        "voms-a-1-1.x86_64 voms-b-1-1.x86_64 - voms-a-debuginfo-1-1.x86_64 voms-b-debuginfo-1-1.x86_64 \
         voms-debugsource-1-1.x86_64 - voms-1-1.src"
    );
    assert_eq!(notes.len(), 3, "{notes:?}");

    // And back: nothing is left without its source.
    let plan = effect(&world, &withdraw("production", &["voms-a"]), &alice(), &[]);
    let along = "`voms-a-debuginfo-1-1.x86_64` goes along, built with it";
    assert!(plan.notes.iter().any(|note| note == along), "{:?}", plan.notes);
    world.apply(&plan);
    assert_eq!(
        lists(&world, "production"),
        "voms-b-1-1.x86_64 - voms-b-debuginfo-1-1.x86_64 voms-debugsource-1-1.x86_64 - voms-1-1.src"
    );
    world.apply(&effect(&world, &withdraw("production", &["voms-b"]), &alice(), &[]));
    assert_eq!(lists(&world, "production"), " -  - ");
}

#[test]
fn debuginfo_of_all_is_shared_and_that_of_another_architecture_stays() {
    let debug = ["voms-debuginfo-1-1.x86_64", "voms-debuginfo-1-1.i686"];
    let mut world = built_of_one(&["voms-a-1-1.x86_64", "voms-b-1-1.x86_64", "voms-b-1-1.i686"], &debug);
    let (delta, production, _) = promoted(&mut world, &["voms-a"]);
    assert_eq!(
        delta,
        "voms-b-1-1.i686 voms-b-1-1.x86_64 - voms-debuginfo-1-1.i686 voms-debuginfo-1-1.x86_64 - voms-1-1.src"
    );
    assert_eq!(production, "voms-a-1-1.x86_64 - voms-debuginfo-1-1.x86_64 - voms-1-1.src");
    // Documentation alone takes no debuginfo with it.
    let mut world = built_of_one(&["voms-doc-1-1.noarch", "voms-a-1-1.x86_64"], &debug);
    let (_, production, _) = promoted(&mut world, &["voms-doc"]);
    assert_eq!(production, "voms-doc-1-1.noarch -  - voms-1-1.src");
}

#[test]
fn what_is_of_another_source_stays() {
    let mut world = built_of_one(&["voms-a-1-1.x86_64"], &[]);
    let others = ["voms-a-debuginfo-2-1.x86_64", "other-debuginfo-1-1.x86_64"].map(listed);
    world.repositories.insert(repository("sl5/x86_64 delta debug"), others.to_vec());
    let (delta, ..) = promoted(&mut world, &["voms-a"]);
    assert_eq!(delta, " - other-debuginfo-1-1.x86_64 voms-a-debuginfo-2-1.x86_64 - ");
}

#[test]
fn many_are_counted() {
    let names: Vec<String> = (0..6).map(|at| format!("voms-{at}-1-1.x86_64")).collect();
    let debug: Vec<String> = (0..6).map(|at| format!("voms-{at}-debuginfo-1-1.x86_64")).collect();
    let [names, debug] = [&names, &debug].map(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
    let mut world = built_of_one(&names, &debug);
    let (.., notes) = promoted(&mut world, &["voms-?"]);
    assert_eq!(notes, ["7 debug and source packages that were built with them go along"]);
}
