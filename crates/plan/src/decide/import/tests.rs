use std::sync::Arc;

use expect_test::expect;

use crate::World;
use crate::refusal::Code;
use crate::samples::{
    alice, arrivals, brief, effect, import, layout, listed, nothing, platform, refused, repository, world,
    world_of,
};

#[test]
fn every_package_enters_the_repositories_it_belongs_in() {
    let arrivals = arrivals(&[
        "voms-2-1.x86_64",
        "voms-2-1.i686",
        "voms-2-1.src",
        "voms-debuginfo-2-1.x86_64",
        "yaim-1-1.noarch",
    ]);
    let plan = effect(&world(), &import(&[]), &alice(), &arrivals);
    expect![[r#"
        sl5/i386 delta: +voms-2-1.i686 +yaim-1-1.noarch
        sl5/i386 delta source: +voms-2-1.src
        sl5/x86_64 delta: +voms-2-1.i686 +voms-2-1.x86_64 +yaim-1-1.noarch
        sl5/x86_64 delta debug: +voms-debuginfo-2-1.x86_64
        sl5/x86_64 delta source: +voms-2-1.src
    "#]]
    .assert_eq(&brief(&plan));
    assert_eq!(plan.sentence, "5 packages enter `delta` of `glite-3.2`");
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf upgrade"));
    let plan =
        effect(&world(), &import(&["sl5/i386"]), &alice(), &crate::samples::arrivals(&["yaim-1-1.noarch"]));
    assert_eq!(brief(&plan), "sl5/i386 delta: +yaim-1-1.noarch\n");
}

#[test]
fn an_architecture_that_no_platform_takes_is_refused() {
    let refusal = refused(
        &world(),
        &import(&[]),
        &alice(),
        &arrivals(&["a-1-1.noarch", "b-1-1.ppc64"]),
        Code::ArchitectureNotTaken,
    );
    assert_eq!(refusal.sentence, "no platform takes `b-1-1.ppc64`, which came as `b-1-1.ppc64.rpm`");
    let x86_64 = arrivals(&["a-1-1.x86_64"]);
    refused(&world(), &import(&["sl5/i386"]), &alice(), &x86_64, Code::ArchitectureNotTaken);
}

#[test]
fn a_product_for_several_systems_demands_platforms() {
    let mut layout = layout();
    layout.products.get_mut("glite-3.2").unwrap().platforms.push(platform("sl4/i386"));
    let mut world = World { layout: Arc::new(layout), ..world() };
    for repository in world.layout.repositories() {
        world.repositories.entry(repository).or_default();
    }
    let arrivals = arrivals(&["a-1-1.noarch"]);
    let refusal = refused(&world, &import(&[]), &alice(), &arrivals, Code::Ambiguous);
    assert_eq!(refusal.hint.as_deref(), Some("name `platforms` (`--platform`), such as \"sl4/*\""));
    assert_eq!(effect(&world, &import(&["*"]), &alice(), &arrivals).changes.len(), 3);
}

#[test]
fn what_is_listed_with_the_same_bytes_is_there_already() {
    let world = world_of(&["sl5/x86_64 delta: a-1-1.noarch"]);
    let plan = effect(&world, &import(&[]), &alice(), &arrivals(&["a-1-1.noarch"]));
    assert_eq!(brief(&plan), "sl5/i386 delta: +a-1-1.noarch\n");
    let both = world_of(&["sl5/x86_64 delta: a-1-1.noarch", "sl5/i386 delta: a-1-1.noarch"]);
    let sentence = nothing(&both, &import(&[]), &alice(), &arrivals(&["a-1-1.noarch"]), Code::AlreadyThere);
    assert_eq!(sentence, "everything that arrives is in `delta` of `glite-3.2` already");
}

#[test]
fn the_same_file_may_arrive_twice_but_not_two_of_one_name() {
    let twice =
        effect(&world(), &import(&["sl5/i386"]), &alice(), &arrivals(&["a-1-1.noarch", "a-1-1.noarch"]));
    assert_eq!(brief(&twice), "sl5/i386 delta: +a-1-1.noarch\n");
    let two = arrivals(&["a-1-1.noarch", "a-1-1.noarch#other"]);
    let refusal = refused(&world(), &import(&["sl5/i386"]), &alice(), &two, Code::OtherContent);
    assert!(refusal.reasons[0].starts_with("`a-1-1.noarch` arrives twice"), "{refusal:?}");
}

#[test]
fn other_bytes_under_a_name_that_any_repository_lists_are_refused() {
    for place in ["sl5/x86_64 production", "sl5/i386 delta", "sl5/i386 production debug"] {
        let world = world_of(&[&format!("{place}: a-1-1.noarch")]);
        refused(
            &world,
            &import(&["sl5/x86_64"]),
            &alice(),
            &arrivals(&["a-1-1.noarch#other"]),
            Code::VariantUndecided,
        );
    }
}

#[test]
fn older_than_what_the_stage_lists_is_refused() {
    let world = world_of(&["sl5/x86_64 delta: a-2-1.noarch"]);
    let refusal =
        refused(&world, &import(&["sl5/x86_64"]), &alice(), &arrivals(&["a-1-1.noarch"]), Code::Older);
    assert_eq!(refusal.hint.as_deref(), Some("`revert` is the way back to older versions"));
    effect(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&["a-1-1.noarch"]));
}

#[test]
fn a_stage_of_few_versions_lets_older_ones_go() {
    let mut layout = layout();
    layout.products.get_mut("glite-3.2").unwrap().stages[0].versions = crate::Versions::Newest(1);
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch"]);
    world.layout = Arc::new(layout);
    let plan = effect(&world, &import(&["sl5/x86_64"]), &alice(), &arrivals(&["a-2-1.noarch"]));
    assert_eq!(brief(&plan), "sl5/x86_64 delta: +a-2-1.noarch -a-1-1.noarch\n");
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf upgrade"));
}

#[test]
fn nothing_to_import_is_refused() {
    refused(&world(), &import(&[]), &alice(), &[], Code::NoSuchUpload);
}

#[test]
fn a_package_that_enters_again_is_no_longer_only_retained() {
    let mut world = world();
    let link = listed("a-1-1.noarch").link(&repository("sl5/i386 delta"));
    world.retained.insert(link.clone(), crate::samples::now());
    let plan = effect(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&["a-1-1.noarch"]));
    world.apply(&plan);
    assert!(!world.retained.contains_key(&link));
}

#[test]
fn other_bytes_under_a_name_that_another_product_lists_are_refused() {
    let mut world = world();
    let umd = crate::Repository { product: "umd-3".into(), ..repository("sl5/i386 delta") };
    world.repositories.insert(umd, vec![listed("a-1-1.noarch")]);
    let refusal = refused(
        &world,
        &import(&["sl5/i386"]),
        &alice(),
        &arrivals(&["a-1-1.noarch#other"]),
        Code::VariantUndecided,
    );
    assert!(refusal.reasons[0].starts_with("`umd-3-sl5-i386-delta` lists `a-1-1.noarch`"), "{refusal:?}");
    effect(&world, &import(&["sl5/i386"]), &alice(), &arrivals(&["a-1-1.noarch"]));
}
