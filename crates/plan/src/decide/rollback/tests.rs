//! Roll-backs of small sites.

use std::sync::Arc;

use crate::layout::{Closure, Product, Raising};
use crate::plan::Plan;
use crate::refusal::Code;
use crate::request::{Action, Request};
use crate::samples::metas::Metas;
use crate::samples::{brief, but, listed, now, repository, words};
use crate::standing::Freeze;

fn request(packages: &[&str]) -> Request {
    let action = Action::Rollback {
        product: "glite-3.2".into(),
        from: "delta".into(),
        packages: words(packages),
        platforms: vec![],
        versions: vec![],
        without: vec![],
        releases: vec![],
    };
    Request { reason: Some("it loses jobs".into()), ..Request::new(action) }
}

fn with(
    packages: &[&str],
    change: impl FnOnce(&mut Vec<String>, &mut Vec<String>, &mut Vec<String>),
) -> Request {
    let mut request = request(packages);
    if let Action::Rollback { versions, without, releases, .. } = &mut request.action {
        change(versions, without, releases);
    }
    request
}

/// Production has the versions before; `ui` pins voms itself, `site` by way of it, `wms` does not.
fn site() -> Metas {
    Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64 wms-1-1.x86_64 ui-1-1.noarch<voms = 1-1>",
        "sl5/x86_64 delta: voms-2-1.x86_64 wms-2-1.x86_64 ui-2-1.noarch<voms = 2-1, wms = 2-1> \
         site-2-1.noarch<ui = 2-1> wn-2-1.noarch<wms = 2-1> any-2-1.noarch<ui = 2>",
    ])
    .product(|product| {
        let delta = product.stages.iter_mut().find(|stage| stage.name == "delta").unwrap();
        delta.closure = Some(Closure { beside: vec!["production".into()], ..Closure::default() });
    })
}

fn told(plan: &Plan) -> Vec<String> {
    let one = |one: &crate::NodeType| {
        let how = if one.is_direct { "pins it" } else { "pins what does" };
        format!("{} -> {} {how}", one.before, one.after)
    };
    plan.node_types.iter().map(one).collect()
}

#[test]
fn every_meta_package_that_pins_what_is_rejected_pins_the_version_before_and_is_raised() {
    let mut site = site();
    let plan = site.done(&request(&["voms"]));
    assert_eq!(
        brief(&plan),
        "sl5/x86_64 delta: +site-2-1.1.noarch +ui-2-1.1.noarch -site-2-1.noarch -ui-2-1.noarch -voms-2-1.x86_64\n"
    );
    assert_eq!(site.says("ui-2-1.1.noarch"), "voms = 1-1, wms = 2-1");
    assert_eq!(site.says("site-2-1.1.noarch"), "ui = 2-1.1");
    assert_eq!(
        told(&plan),
        ["ui-2-1.noarch -> ui-2-1.1.noarch pins it", "site-2-1.noarch -> site-2-1.1.noarch pins what does"]
    );
    assert_eq!(
        plan.sentence,
        "`voms-2-1.x86_64` leaves `delta` of `glite-3.2`; 2 meta-packages are built anew"
    );
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf distro-sync"));
    assert_eq!(
        plan.rebuilt[0].recipe.change,
        ["rolled back in delta of glite-3.2", "voms = 2-1 is = 1-1 now"]
    );
}

#[test]
fn a_release_is_given_once_whatever_left_since() {
    let mut site = site();
    site.done(&request(&["voms"]));
    let delta = repository("sl5/x86_64 delta");
    // The same bundle comes again and is rolled back again.
    let again = Metas::of(&["sl5/x86_64 delta: voms-2-1.x86_64 ui-2-1.noarch<voms = 2-1>"]);
    let raised = site.world.standing.raised.clone();
    assert_eq!(raised["ui-2-1.*"], 1);
    let mut site = again.product(|_| {});
    site.world.standing.raised = raised;
    site.world.repositories.insert(repository("sl5/x86_64 production"), vec![listed("voms-1-1.x86_64")]);
    site.done(&request(&["voms"]));
    let ui: Vec<String> = site.world.repositories[&delta].iter().map(|one| one.nevra.to_string()).collect();
    assert_eq!(ui, ["ui-2-1.2.noarch"]);
}

#[test]
fn the_first_number_rises_where_that_is_the_style() {
    let mut site = site().product(|product| product.raising = Raising::First);
    let plan = site.done(&request(&["voms"]));
    assert!(brief(&plan).contains("+ui-2-2.noarch"), "{}", brief(&plan));
}

#[test]
fn one_can_choose_the_version_the_release_and_what_is_pinned_no_more() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64 voms-1-2.x86_64",
        "sl5/x86_64 delta: voms-2-1.x86_64 new-2-1.x86_64 ui-2-1.noarch<voms = 2-1, new = 2-1>",
    ]);
    let both = ["voms", "new"];
    let refusal = site.refused(&request(&both), Code::NoVersionBefore);
    assert_eq!(refusal.sentence, "`ui-2-1.noarch` pins `new`, and no older version of it is offered");
    let chosen = with(&both, |versions, without, releases| {
        versions.push("voms-1-1".into());
        without.push("new".into());
        releases.push("ui-2-7".into());
    });
    let plan = site.done(&chosen);
    assert_eq!(site.says("ui-2-7.noarch"), "voms = 1-1");
    assert_eq!(
        plan.notes[2..],
        ["no older version of `new` is offered: hosts that have it keep it until they remove it"]
    );
}

#[test]
fn a_release_that_is_taken_and_a_version_that_nobody_offers_are_refused() {
    let taken = with(&["voms"], |_, _, releases| releases.push("ui-2-1".into()));
    site().refused(&taken, Code::ReleaseTaken);
    let absent = with(&["voms"], |versions, _, _| versions.push("voms-0-1".into()));
    let refusal = site().refused(&absent, Code::NoVersionBefore);
    assert_eq!(
        refusal.sentence,
        "`voms-0-1`: no repository that hosts of `delta` draw from offers that version"
    );
}

#[test]
fn what_is_listed_where_hosts_draw_from_as_well_is_refused() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64 voms-2-1.x86_64",
        "sl5/x86_64 delta: voms-2-1.x86_64 ui-2-1.noarch<voms = 2-1>",
    ]);
    let refusal = site.refused(&request(&["voms"]), Code::StillOffered);
    assert_eq!(refusal.reasons, ["`voms-2-1.x86_64` is listed in `glite-3.2-sl5-x86_64-production` as well"]);
}

#[test]
fn what_another_product_pins_and_does_not_offer_is_refused() {
    let mut site = site();
    let other = Product {
        name: "emi".into(),
        platforms: vec!["sl5/x86_64".parse().unwrap()],
        stages: vec![crate::Stage { name: "testing".into(), path: "emi".into(), ..crate::Stage::default() }],
        ..Product::default()
    };
    let theirs = other.repository(&other.platforms[0], "testing", crate::Kind::Binary);
    Arc::make_mut(&mut site.world.layout).products.insert("emi".into(), other);
    let metas = Metas::of(&["sl5/x86_64 delta: emi-ui-1-1.noarch<voms = 2-1>"]);
    let all = metas.world.repositories[&repository("sl5/x86_64 delta")].clone();
    site.learn(metas);
    site.world.repositories.insert(theirs.clone(), all);
    let refusal = site.refused(&request(&["voms"]), Code::SharedPin);
    assert_eq!(refusal.reasons, ["`emi-ui-1-1.noarch` in `emi-sl5-x86_64-testing` pins `voms-2-1.x86_64`"]);
    // Whoever offers it himself does not lose it.
    site.world.repositories.get_mut(&theirs).unwrap().push(listed("voms-2-1.x86_64"));
    site.world.shelves.clear();
    site.done(&request(&["voms"]));
}

#[test]
fn only_the_newest_of_several_rises_and_older_ones_that_pin_what_left_leave() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: wms-0-9.x86_64",
        "sl5/x86_64 delta: wms-1-1.x86_64 wms-2-1.x86_64 ui-2-1.noarch<wms = 1-1> ui-2-1.1.noarch<wms = 2-1>",
    ]);
    let plan = site.done(&request(&["wms-1-1"]));
    assert_eq!(brief(&plan), "sl5/x86_64 delta: -ui-2-1.noarch -wms-1-1.x86_64\n");
    let plan = site.done(&request(&["wms"]));
    assert_eq!(brief(&plan), "sl5/x86_64 delta: +ui-2-1.1.1.noarch -ui-2-1.1.noarch -wms-2-1.x86_64\n");
    assert_eq!(site.says("ui-2-1.1.1.noarch"), "wms = 0-9");
}

#[test]
fn what_is_no_meta_package_and_pins_what_left_is_refused() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64",
        "sl5/x86_64 delta: voms-2-1.x86_64 devel-2-1.x86_64<voms = 2-1, /usr/bin/voms>",
    ]);
    let refusal = site.refused(&request(&["voms"]), Code::NotAMetaPackage);
    assert_eq!(refusal.reasons, ["`devel-2-1.x86_64` pins what leaves, and brings files"]);
    let plan = site.done(&request(&["voms", "devel"]));
    assert_eq!(brief(&plan), "sl5/x86_64 delta: -devel-2-1.x86_64 -voms-2-1.x86_64\n");
}

#[test]
fn a_stage_that_draws_from_the_one_that_changes_and_pins_what_leaves_is_told() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-2-1.x86_64 voms-1-1.x86_64",
        "sl5/x86_64 delta: ui-2-1.noarch<voms = 2-1> wn-2-1.noarch<voms = 1>",
    ]);
    let mut request = request(&["voms-2-1"]);
    if let Action::Rollback { from, .. } = &mut request.action {
        *from = "production".into();
    }
    let refusal = site.refused(&request, Code::SharedPin);
    assert_eq!(refusal.reasons, ["`ui-2-1.noarch` in `glite-3.2-sl5-x86_64-delta` pins `voms-2-1.x86_64`"]);
}

#[test]
fn what_nothing_needs_is_no_choice() {
    let versions = with(&["voms"], |versions, _, _| versions.push("vmos-1-1".into()));
    site().refused(&versions, Code::Malformed);
    let releases = with(&["voms"], |_, _, releases| releases.push("uii-2-7".into()));
    site().refused(&releases, Code::Malformed);
}

/// Both word sizes of a component; `ui` pins it by its plain name, `sized` one of both, and `both` both.
fn of_two_sizes(before: &str) -> Metas {
    let before = format!("sl5/x86_64 production: {before}");
    let after = "sl5/x86_64 delta: voms-2-1.x86_64 voms-2-1.i686 ui-2-1.noarch<voms = 2-1> \
                 narrow-2-1.noarch<voms(x86-32) = 2-1> wide-2-1.noarch<voms(x86-64) = 2-1>";
    Metas::of(&[&before, after])
}

#[test]
fn of_two_word_sizes_the_one_that_stays_stands_in_for_no_pin_of_the_other() {
    let before = "voms-1-1.x86_64 voms-1-1.i686";
    // Hosts prefer the wide one: without it a plain name has to go back, too.
    let mut site = of_two_sizes(before);
    let plan = site.done(&request(&["voms-2-1.x86_64"]));
    assert_eq!(
        brief(&plan),
        "sl5/x86_64 delta: +ui-2-1.1.noarch +wide-2-1.1.noarch -ui-2-1.noarch -voms-2-1.x86_64 -wide-2-1.noarch\n"
    );
    assert_eq!(site.says("wide-2-1.1.noarch"), "voms(x86-64) = 1-1");
    // What is rejected of the narrow one alone they do not miss.
    let mut site = of_two_sizes(before);
    let plan = site.done(&request(&["voms-2-1.i686"]));
    assert_eq!(brief(&plan), "sl5/x86_64 delta: +narrow-2-1.1.noarch -narrow-2-1.noarch -voms-2-1.i686\n");
    assert_eq!(site.says("narrow-2-1.1.noarch"), "voms(x86-32) = 1-1");
}

#[test]
fn a_pin_goes_back_to_no_version_that_is_offered_in_another_word_size_only() {
    let mut site = of_two_sizes("voms-1-1.x86_64");
    let refusal = site.refused(&request(&["voms-2-1.i686"]), Code::NoVersionBefore);
    assert_eq!(refusal.sentence, "`narrow-2-1.noarch` pins `voms`, and no older version of it is offered");
    // Both pins of a name go back together.
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64",
        "sl5/x86_64 delta: voms-2-1.x86_64 voms-2-1.i686 ui-2-1.noarch<voms(x86-64) = 2-1, voms(x86-32) = 2-1>",
    ]);
    let refusal = site.refused(&request(&["voms-2-1.x86_64"]), Code::NoVersionBefore);
    assert_eq!(refusal.sentence, "`ui-2-1.noarch` pins `voms(x86-32)`, and 1-1 of it is not offered");
    // What lies there without a word size is no component of one.
    let mut site = of_two_sizes("voms-1-1.noarch");
    let refusal = site.refused(&request(&["voms-2-1.x86_64"]), Code::NoVersionBefore);
    assert_eq!(refusal.sentence, "`wide-2-1.noarch` pins `voms(x86-64)`, and 1-1 of it is not offered");
}

#[test]
fn what_pins_a_meta_package_of_two_word_sizes_follows_the_one_that_hosts_take() {
    let site = |first: &str, second: &str| {
        Metas::of(&[
            "sl5/x86_64 production: voms-1-1.x86_64 old-1-1.x86_64",
            &format!(
                "sl5/x86_64 delta: voms-2-1.x86_64 old-2-1.x86_64 ui-2-1.x86_64<{first} = 2-1> \
                 ui-2-1.i686<{second} = 2-1> site-2-1.noarch<ui = 2-1>"
            ),
        ])
    };
    let plan = site("voms", "old").done(&request(&["voms"]));
    assert!(brief(&plan).contains("+site-2-1.1.noarch"), "{}", brief(&plan));
    let plan = site("old", "voms").done(&request(&["voms"]));
    assert!(!brief(&plan).contains("site"), "{}", brief(&plan));
}

#[test]
fn meta_packages_that_pin_each_other_in_a_circle_are_refused() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64",
        "sl5/x86_64 delta: voms-2-1.x86_64 a-2-1.noarch<voms = 2-1, b = 2-1> b-2-1.noarch<a = 2-1>",
    ]);
    let refusal = site.refused(&request(&["voms"]), Code::PinNotUnderstood);
    assert_eq!(refusal.sentence, "meta-packages pin each other in a circle: `a-2-1.noarch`, `b-2-1.noarch`");
}

#[test]
fn every_platform_goes_back_on_its_own_and_shares_what_is_the_same() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64",
        "sl5/i386 production: voms-1-1.i386",
        "sl5/x86_64 delta: voms-2-1.x86_64 ui-2-1.noarch<voms = 2-1>",
        "sl5/i386 delta: voms-2-1.i386 ui-2-1.noarch",
    ]);
    let plan = site.done(&request(&["voms"]));
    assert_eq!(
        brief(&plan),
        "sl5/i386 delta: +ui-2-1.1.noarch -ui-2-1.noarch -voms-2-1.i386\n\
         sl5/x86_64 delta: +ui-2-1.1.noarch -ui-2-1.noarch -voms-2-1.x86_64\n"
    );
    assert_eq!((plan.rebuilt.len(), plan.node_types.len()), (1, 2));
    // Where the versions before differ, so do the files, and their releases.
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64",
        "sl5/i386 production: voms-1-9.i386",
        "sl5/x86_64 delta: voms-2-1.x86_64 ui-2-1.noarch<voms = 2-1>",
        "sl5/i386 delta: voms-2-1.i386 ui-2-1.noarch",
    ]);
    let plan = site.done(&request(&["voms"]));
    assert_eq!(plan.rebuilt.len(), 2);
    assert!(brief(&plan).contains("+ui-2-1.1.noarch") && brief(&plan).contains("+ui-2-1.2.noarch"));
}

#[test]
fn who_answers_for_a_freeze_answers_for_every_meta_package_too() {
    let mut site = site();
    let freeze = Freeze {
        id: "f".into(),
        product: Some("glite-3.2".into()),
        stage: Some("delta".into()),
        by: "user:bob".into(),
        reason: "holidays".into(),
        until: None,
    };
    site.world.standing.freezes.insert("f".into(), freeze);
    let waiver = |packages: &[&str]| crate::Waiver {
        id: "w".into(),
        product: "glite-3.2".into(),
        stage: "delta".into(),
        gate: "freeze".into(),
        packages: words(packages),
        by: "user:eve".into(),
        reason: "urgent".into(),
        until: now() + jiff::SignedDuration::from_hours(1),
    };
    site.world.standing.waivers.insert("w".into(), waiver(&["voms"]));
    site.refused(&request(&["voms"]), Code::Frozen);
    site.world.standing.waivers.insert("w".into(), waiver(&["voms", "ui", "site"]));
    site.done(&request(&["voms"]));
}

#[test]
fn what_is_listed_elsewhere_for_the_overlap_leaves_there_too() {
    let mut site = Metas::of(&[
        "sl5/x86_64 delta: voms-2-1.x86_64",
        "sl5/x86_64 production: voms-2-1.x86_64 old-1-1.noarch",
    ]);
    let at = repository("sl5/x86_64 delta");
    let digest = listed("voms-2-1.x86_64").pkgid;
    let until = now() + jiff::SignedDuration::from_hours(1);
    site.world.overlapping.insert(at, [(digest, until)].into());
    let mut request = request(&["voms"]);
    if let Action::Rollback { from, .. } = &mut request.action {
        *from = "production".into();
    }
    let plan = site.done(&request);
    assert_eq!(brief(&plan), "sl5/x86_64 delta: -voms-2-1.x86_64\nsl5/x86_64 production: -voms-2-1.x86_64\n");
    assert!(site.world.overlapping.is_empty());
}

#[test]
fn what_was_built_with_the_rejected_leaves_with_it() {
    let mut site = site();
    let debug = but(&listed("voms-debuginfo-2-1.x86_64"), |one| one.source_rpm = "voms-2-1.src.rpm".into());
    for (kind, one) in [("debug", debug), ("source", listed("voms-2-1.src"))] {
        let at = repository(&format!("sl5/x86_64 delta {kind}"));
        site.world.repositories.insert(at, vec![one]);
    }
    let plan = site.done(&request(&["voms-2-1.x86_64"]));
    let brief = brief(&plan);
    for line in ["delta debug: -voms-debuginfo-2-1.x86_64", "delta source: -voms-2-1.src"] {
        assert!(brief.contains(line), "{brief}");
    }
    assert_eq!(plan.sentence.split(';').next(), Some("`voms-2-1.x86_64` leaves `delta` of `glite-3.2`"));
}
