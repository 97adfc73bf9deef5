use expect_test::expect;

use crate::plan::Verdict;
use crate::refusal::Code;
use crate::samples::{
    alice, arrivals, brief, effect, import, listed, nothing, promote, promote_on, refused, repository,
    withdraw, world_of,
};
use crate::world::Asker;

/// Both platforms hold one version of `voms` in delta, its source and debug packages beside.
fn site() -> crate::World {
    world_of(&[
        "sl5/x86_64 delta: voms-1.9.14-1.x86_64 voms-1.9.14-1.i686 voms-clients-1.9.14-1.x86_64 lcg-a-1-1.noarch",
        "sl5/x86_64 delta debug: voms-debuginfo-1.9.14-1.x86_64",
        "sl5/x86_64 delta source: voms-1.9.14-1.src",
        "sl5/i386 delta: voms-1.9.14-1.i686 lcg-a-1-1.noarch",
        "sl5/x86_64 production: voms-1.9.10-1.x86_64 yaim-4-1.noarch",
        "sl5/i386 production: yaim-4-1.noarch",
    ])
}

#[test]
fn a_name_takes_every_architecture_and_the_source_on_every_platform() {
    let plan = effect(&site(), &promote(&["voms"]), &alice(), &[]);
    expect![[r#"
        sl5/i386 delta: -voms-1.9.14-1.i686
        sl5/i386 production: +voms-1.9.14-1.i686
        sl5/x86_64 delta: -voms-1.9.14-1.i686 -voms-1.9.14-1.x86_64
        sl5/x86_64 delta source: -voms-1.9.14-1.src
        sl5/x86_64 production: +voms-1.9.14-1.i686 +voms-1.9.14-1.x86_64
        sl5/x86_64 production source: +voms-1.9.14-1.src
    "#]]
    .assert_eq(&brief(&plan));
    assert_eq!(plan.sentence, "3 packages move from `delta` to `production` of `glite-3.2`");
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf upgrade"));
}

#[test]
fn a_glob_takes_names_and_a_nevra_takes_one() {
    let plan = effect(&site(), &promote_on(&["voms-*"], &["sl5/x86_64"]), &alice(), &[]);
    expect![[r#"
        sl5/x86_64 delta: -voms-clients-1.9.14-1.x86_64
        sl5/x86_64 delta debug: -voms-debuginfo-1.9.14-1.x86_64
        sl5/x86_64 production: +voms-clients-1.9.14-1.x86_64
        sl5/x86_64 production debug: +voms-debuginfo-1.9.14-1.x86_64
    "#]]
    .assert_eq(&brief(&plan));
    for text in ["voms-1.9.14-1.x86_64", "voms-0:1.9.14-1.x86_64", "0:voms-1.9.14-1.x86_64"] {
        let plan = effect(&site(), &promote(&[text]), &alice(), &[]);
        assert_eq!(
            brief(&plan),
            "sl5/x86_64 delta: -voms-1.9.14-1.x86_64\nsl5/x86_64 production: +voms-1.9.14-1.x86_64\n\
             sl5/x86_64 production source: +voms-1.9.14-1.src\n",
            "its source goes along, and stays beside `voms-1.9.14-1.i686`"
        );
        assert_eq!(plan.sentence, "`voms-1.9.14-1.x86_64` moves from `delta` to `production` of `glite-3.2`");
    }
}

#[test]
fn a_name_with_version_and_release_takes_that_version_only() {
    let mut world = site();
    world.repositories.get_mut(&repository("sl5/x86_64 delta")).unwrap().push(listed("voms-1.9.15-1.x86_64"));
    let plan = effect(&world, &promote_on(&["voms-1.9.14-1"], &["sl5/x86_64"]), &alice(), &[]);
    assert!(!brief(&plan).contains("1.9.15"), "{}", brief(&plan));
    assert!(brief(&plan).contains("delta source: -voms-1.9.14-1.src"));
}

#[test]
fn an_epoch_must_be_named() {
    let world = world_of(&["sl5/x86_64 delta: bind-32:9-1.x86_64"]);
    effect(&world, &promote(&["bind-32:9-1.x86_64"]), &alice(), &[]);
    let refusal = refused(&world, &promote(&["bind-9-1.x86_64"]), &alice(), &[], Code::NoSuchPackage);
    assert_eq!(refusal.hint.as_deref(), Some("did you mean `bind-32:9-1.x86_64`"));
}

#[test]
fn a_name_that_fits_several_versions_is_ambiguous() {
    let world =
        world_of(&["sl5/x86_64 delta: voms-1-1.x86_64 voms-2-1.x86_64", "sl5/i386 delta: voms-2-1.i386"]);
    for text in ["voms", "vo*"] {
        let refusal = refused(&world, &promote(&[text]), &alice(), &[], Code::Ambiguous);
        assert_eq!(refusal.reasons, ["`voms-1-1.x86_64` on sl5/x86_64", "`voms-2-1.x86_64` on sl5/x86_64"]);
        assert!(refusal.hint.unwrap().contains("in full"));
    }
    effect(&world, &promote(&["voms-2-1.x86_64"]), &alice(), &[]);
}

#[test]
fn versions_that_differ_between_platforms_are_not_ambiguous() {
    let world = world_of(&["sl5/x86_64 delta: voms-1-1.x86_64", "sl5/i386 delta: voms-2-1.i386"]);
    effect(&world, &promote(&["voms"]), &alice(), &[]);
}

#[test]
fn nothing_that_fits_is_told_with_near_misses() {
    let cases = [
        ("vons", "did you mean `voms`"),
        ("voms-1.9.13-1.x86_64", "did you mean `voms-1.9.14-1.x86_64`"),
        ("yaim", "`yaim` is in `production` on sl5/i386, `production` on sl5/x86_64"),
    ];
    for (text, hint) in cases {
        let world = site();
        let stage = if text == "yaim" { "delta" } else { "production" };
        let request = match stage {
            "delta" => withdraw("delta", &[text]),
            _ => promote(&[text]),
        };
        let refusal = refused(&world, &request, &alice(), &[], Code::NoSuchPackage);
        assert_eq!(refusal.hint.as_deref(), Some(hint));
    }
    let refusal = refused(&site(), &promote(&["voms", "qqq", "zzz"]), &alice(), &[], Code::NoSuchPackage);
    assert_eq!(refusal.sentence, "nothing in `delta` of `glite-3.2` fits `qqq` or `zzz`");
    assert_eq!(refusal.reasons, ["nothing like `qqq` is there", "nothing like `zzz` is there"]);
    refused(&site(), &promote(&["[a"]), &alice(), &[], Code::Malformed);
}

#[test]
fn what_is_in_the_target_on_every_platform_is_there_already() {
    let sentence = nothing(&site(), &promote(&["yaim"]), &alice(), &[], Code::AlreadyThere);
    assert_eq!(sentence, "everything asked for is in `production` already, and no longer in `delta`");
    let mut world = site();
    world.repositories.get_mut(&repository("sl5/i386 production")).unwrap().clear();
    let refusal = refused(&world, &promote(&["yaim"]), &alice(), &[], Code::NoSuchPackage);
    assert_eq!(refusal.hint.as_deref(), Some("`yaim` is in `production` on sl5/x86_64"));
    nothing(&world, &promote_on(&["yaim"], &["sl5/x86_64"]), &alice(), &[], Code::AlreadyThere);
    let plan = effect(&site(), &promote(&["yaim", "lcg-a"]), &alice(), &[]);
    assert_eq!(plan.notes, ["`yaim` is in `production` already"]);
}

#[test]
fn what_the_target_lists_with_the_same_bytes_only_leaves_the_source() {
    let mut world = site();
    world.repositories.get_mut(&repository("sl5/i386 production")).unwrap().push(listed("lcg-a-1-1.noarch"));
    let plan = effect(&world, &promote(&["lcg-a"]), &alice(), &[]);
    expect![[r#"
        sl5/i386 delta: -lcg-a-1-1.noarch
        sl5/x86_64 delta: -lcg-a-1-1.noarch
        sl5/x86_64 production: +lcg-a-1-1.noarch
    "#]]
    .assert_eq(&brief(&plan));
}

#[test]
fn other_bytes_under_the_name_are_refused() {
    let mut world = site();
    world
        .repositories
        .get_mut(&repository("sl5/i386 production"))
        .unwrap()
        .push(listed("lcg-a-1-1.noarch#other"));
    let refusal = refused(&world, &promote(&["lcg-a"]), &alice(), &[], Code::OtherContent);
    assert!(refusal.reasons[0].starts_with("`glite-3.2-sl5-i386-production` lists `lcg-a-1-1.noarch` with"));
    let verdicts: Vec<_> = refusal.gates.iter().map(|seen| (seen.gate.as_str(), seen.verdict)).collect();
    let expected = [
        ("roles", Verdict::Pass),
        ("sound", Verdict::Pass),
        ("other-content", Verdict::Fail),
        ("variants", Verdict::Fail),
        ("version-order", Verdict::Pass),
        ("freeze", Verdict::Pass),
    ];
    assert_eq!(verdicts, expected, "all gates run");
}

#[test]
fn what_is_damaged_in_the_pool_goes_no_further() {
    let mut world = site();
    world.damaged.insert(listed("lcg-a-1-1.noarch").pkgid);
    let refusal = refused(&world, &promote(&["lcg-a"]), &alice(), &[], Code::PoolDamaged);
    assert!(refusal.sentence.contains("`lcg-a-1-1.noarch`"), "{refusal}");
    effect(&world, &promote(&["voms"]), &alice(), &[]);
}

#[test]
fn older_than_the_target_is_refused() {
    let world =
        world_of(&["sl5/x86_64 delta: voms-1.9-1.x86_64", "sl5/x86_64 production: voms-1.10-1.x86_64"]);
    let refusal = refused(&world, &promote(&["voms"]), &alice(), &[], Code::Older);
    assert_eq!(
        refusal.sentence,
        "`voms-1.9-1.x86_64` is older than `voms-1.10-1.x86_64` in `glite-3.2-sl5-x86_64-production`"
    );
    let world = world_of(&["sl5/x86_64 delta: voms-1.9-1.i686", "sl5/x86_64 production: voms-1.10-1.x86_64"]);
    effect(&world, &promote(&["voms"]), &alice(), &[]);
}

#[test]
fn versions_beyond_the_newest_leave_the_target() {
    let world = world_of(&[
        "sl5/x86_64 delta: voms-4-1.x86_64",
        "sl5/x86_64 production: voms-1-1.x86_64 voms-2-1.x86_64 voms-3-1.x86_64 voms-1-1.i686 yaim-1-1.noarch",
    ]);
    let plan = effect(&world, &promote(&["voms"]), &alice(), &[]);
    expect![[r#"
        sl5/x86_64 delta: -voms-4-1.x86_64
        sl5/x86_64 production: +voms-4-1.x86_64 -voms-1-1.x86_64 -voms-2-1.x86_64
    "#]]
    .assert_eq(&brief(&plan));
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf upgrade"));
}

#[test]
fn two_spellings_of_one_version_count_as_one() {
    let world = world_of(&[
        "sl5/x86_64 delta: voms-3.0-1.x86_64",
        "sl5/x86_64 production: voms-3.00-1.x86_64 voms-2-1.x86_64 voms-1-1.x86_64",
    ]);
    let plan = effect(&world, &promote(&["voms"]), &alice(), &[]);
    assert!(brief(&plan).ends_with("production: +voms-3.0-1.x86_64 -voms-1-1.x86_64\n"), "{}", brief(&plan));
}

#[test]
fn what_would_leave_the_target_at_once_is_refused() {
    let all = ["voms-1-1.x86_64", "voms-2-1.x86_64", "voms-3-1.x86_64"];
    let world = world_of(&[&format!("sl5/x86_64 delta: {}", all.join(" "))]);
    let refusal = refused(&world, &promote(&all), &alice(), &[], Code::Older);
    assert!(refusal.sentence.contains("`voms-1-1.x86_64` would leave"), "{refusal}");
    effect(&world, &promote(&all[1..]), &alice(), &[]);
}

#[test]
fn places_that_do_not_exist_are_named_with_those_that_do() {
    use crate::request::{Action, Request};
    let change = |product: &str, from: &str, to: &str, platform: &str| {
        Request::new(Action::Promote {
            partial: None,
            product: product.into(),
            from: from.into(),
            to: to.into(),
            packages: vec!["voms".into()],
            platforms: if platform.is_empty() { vec![] } else { vec![platform.into()] },
        })
    };
    let cases = [
        (change("glite-3.1", "delta", "production", ""), Code::UnknownProduct, "did you mean `glite-3.2`; "),
        (
            change("glite-3.2", "beta", "production", ""),
            Code::UnknownStage,
            "its stages are `delta`, `production`",
        ),
        (
            change("glite-3.2", "delta", "prod", ""),
            Code::UnknownStage,
            "did you mean `production`; its stages",
        ),
        (
            change("glite-3.2", "production", "delta", ""),
            Code::UnknownRoute,
            "its routes are `delta -> production`",
        ),
        (
            change("glite-3.2", "delta", "production", "sl6/x86_64"),
            Code::UnknownPlatform,
            "did you mean `sl5/x86_64`",
        ),
        (change("glite-3.2", "delta", "production", "sl5"), Code::UnknownPlatform, "its platforms are"),
    ];
    for (request, code, hint) in cases {
        let refusal = refused(&site(), &request, &alice(), &[], code);
        assert!(refusal.hint.as_ref().unwrap().contains(hint), "{refusal:?}");
    }
    for platform in ["*", "sl5/*", "*/x86_64", "*/*", "sl5/i386"] {
        effect(&site(), &change("glite-3.2", "delta", "production", platform), &alice(), &[]);
    }
}

#[test]
fn who_lacks_the_role_learns_nothing_else() {
    let asker = |roles: &[(Option<&str>, &str)]| Asker {
        name: "user:bob".into(),
        roles: roles.iter().map(|(product, role)| (product.map(str::to_owned), role.to_string())).collect(),
    };
    for roles in [&[][..], &[(None, "integrator")], &[(Some("umd-3"), "release")]] {
        let refusal = refused(&site(), &promote(&["qqq"]), &asker(roles), &[], Code::RoleNotAllowed);
        assert_eq!(
            refusal.sentence,
            "`user:bob` may not promote from `delta` to `production` of `glite-3.2`"
        );
        assert_eq!(refusal.hint.as_deref(), Some("it takes the role `release`"));
    }
    effect(&site(), &promote(&["voms"]), &asker(&[(Some("glite-3.2"), "release")]), &[]);
    refused(&site(), &promote(&["voms"]), &Asker::clock(), &[], Code::RoleNotAllowed);
}

#[test]
fn a_repository_that_is_not_published_yet_is_waited_for() {
    let mut world = site();
    world.repositories.remove(&repository("sl5/x86_64 production source"));
    refused(&world, &promote(&["voms"]), &alice(), &[], Code::TryLater);
}

#[test]
fn a_name_missing_on_one_platform_is_noted() {
    let plan = effect(&site(), &promote(&["voms-clients"]), &alice(), &[]);
    assert_eq!(plan.notes, ["`voms-clients` is not in `delta` on sl5/i386"]);
}

#[test]
fn what_another_product_lists_is_nothing_to_a_promotion() {
    let mut world = site();
    let umd = crate::Repository { product: "umd-3".into(), ..repository("sl5/i386 delta") };
    world.repositories.insert(umd, vec![listed("lcg-a-1-1.noarch#other")]);
    effect(&world, &promote(&["lcg-a"]), &alice(), &[]);
}

#[test]
fn a_package_soaks_in_its_stage_for_as_long_as_the_route_wants() {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.x86_64 b-1-1.x86_64"]);
    let layout = std::sync::Arc::make_mut(&mut world.layout);
    layout.products.get_mut("glite-3.2").unwrap().routes[0].soak = jiff::SignedDuration::from_hours(24);
    // Nobody looked when they entered: closed.
    refused(&world, &promote(&["a"]), &alice(), &[], Code::Soaking);
    let source = repository("sl5/x86_64 delta");
    let since = world.now - jiff::SignedDuration::from_hours(23);
    let entered = std::collections::BTreeMap::from([(listed("a-1-1.x86_64").pkgid, since)]);
    world.entered.insert(source.clone(), entered);
    let refusal = refused(&world, &promote(&["a", "b"]), &alice(), &[], Code::Soaking);
    assert_eq!(
        refusal.sentence,
        "`a-1-1.x86_64` has been in `glite-3.2-sl5-x86_64-delta` for 23h 0m of 24h 0m"
    );
    effect(&world, &promote(&["b"]), &alice(), &[]);
    // The wall clock alone proves nothing.
    let mut jumped = world.clone();
    jumped.now += jiff::SignedDuration::from_hours(100);
    refused(&jumped, &promote(&["a"]), &alice(), &[], Code::Soaking);
    world.now += jiff::SignedDuration::from_hours(1);
    world.witnessed = world.now;
    effect(&world, &promote(&["a"]), &alice(), &[]);
    // What comes back begins anew.
    let plan = effect(&world, &withdraw("delta", &["b"]), &alice(), &[]);
    world.apply(&plan);
    world.apply(&effect(&world, &import(&[]), &alice(), &arrivals(&["b-1-1.x86_64"])));
    refused(&world, &promote(&["b"]), &alice(), &[], Code::Soaking);
}

#[test]
fn what_came_in_by_the_same_line_soaks_too() {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.x86_64"]);
    let layout = std::sync::Arc::make_mut(&mut world.layout);
    layout.products.get_mut("glite-3.2").unwrap().routes[0].soak = jiff::SignedDuration::from_hours(24);
    // Nobody has looked yet when it comes in; then somebody reads what was published before.
    world.apply(&effect(&world, &import(&[]), &alice(), &arrivals(&["n-1-1.x86_64"])));
    world.entered.insert(repository("sl5/x86_64 delta"), Default::default());
    refused(&world, &promote(&["n"]), &alice(), &[], Code::Soaking);
    effect(&world, &promote(&["a"]), &alice(), &[]);
}
