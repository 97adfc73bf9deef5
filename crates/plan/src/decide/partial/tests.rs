//! Partial releases of small sites.

use crate::layout::{PartialRelease, Versions};
use crate::plan::Plan;
use crate::refusal::Code;
use crate::request::{Action, Partial, Request};
use crate::samples::metas::Metas;
use crate::samples::{brief, now, promote, repository};
use crate::standing::{Seat, Variant};
use crate::world::Listed;

fn request(packages: &[&str], how: Partial) -> Request {
    let mut request = promote(packages);
    if let Action::Promote { partial, .. } = &mut request.action {
        *partial = Some(how);
    }
    request
}

/// `ui` pins what moves and what stays, `wn` only the one, `se` only the other.
fn site() -> Metas {
    Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64 wms-1-1.x86_64 ui-1-1.noarch<voms = 1-1, wms = 1-1>",
        "sl5/x86_64 delta: voms-2-1.x86_64 wms-2-1.x86_64 new-2-1.x86_64 \
         ui-2-1.noarch<voms = 2-1, wms = 2-1, new = 2-1, libc = 6> wn-2-1.noarch<voms = 2-1> \
         se-2-1.noarch<wms = 2-1> site-2-1.noarch<ui = 2-1>",
    ])
}

fn told(plan: &Plan) -> Vec<String> {
    let pin = |pin: &crate::PinChange| match &pin.after {
        Some(after) => format!("{} {} -> {after}", pin.name, pin.before),
        None => format!("{} {} -> nothing", pin.name, pin.before),
    };
    let one = |one: &crate::NodeType| {
        let pins: Vec<String> = one.pins.iter().map(pin).collect();
        format!("{}: {} -> {}: {}", one.repository, one.before, one.after, pins.join(", "))
    };
    plan.node_types.iter().map(one).collect()
}

#[test]
fn what_pins_both_is_raised_in_both_stages_so_that_no_host_loses_what_it_has() {
    let mut site = site();
    let plan = site.done(&request(&["voms"], Partial::Target));
    assert_eq!(
        brief(&plan),
        "sl5/x86_64 delta: +site-2-1.2.noarch +ui-2-1.2.noarch -site-2-1.noarch -ui-2-1.noarch -voms-2-1.x86_64 -wn-2-1.noarch\n\
         sl5/x86_64 production: +site-2-1.1.noarch +ui-2-1.1.noarch +voms-2-1.x86_64 +wn-2-1.noarch -voms-1-1.x86_64\n"
            .replace(" -voms-1-1.x86_64\n", "\n")
    );
    // What nobody here lists is not ours to pin otherwise.
    assert_eq!(site.says("ui-2-1.1.noarch"), "voms = 2-1, wms = 1-1, libc = 6");
    assert_eq!(site.says("ui-2-1.2.noarch"), "voms = 2-1, wms = 2-1, new = 2-1, libc = 6");
    assert_eq!(site.says("site-2-1.1.noarch"), "ui = 2-1.1");
    assert_eq!(site.says("site-2-1.2.noarch"), "ui = 2-1.2");
    assert_eq!(plan.notes[1..], ["`wn-2-1.noarch` moves, too: all that it pins is released"]);
    assert_eq!(
        told(&plan)[0],
        "glite-3.2-sl5-x86_64-production: ui-2-1.noarch -> ui-2-1.1.noarch: new = 2-1 -> nothing, wms = 2-1 -> 1-1"
    );
    assert_eq!(
        plan.sentence,
        "4 packages move from `delta` to `production` of `glite-3.2`, 2 node types in part"
    );

    // The rest follows, newer than what was released in part.
    let plan = site.done(&request(&["wms", "new"], Partial::Target));
    assert_eq!(
        brief(&plan),
        "sl5/x86_64 delta: -new-2-1.x86_64 -se-2-1.noarch -site-2-1.2.noarch -ui-2-1.2.noarch -wms-2-1.x86_64\n\
         sl5/x86_64 production: +new-2-1.x86_64 +se-2-1.noarch +site-2-1.2.noarch +ui-2-1.2.noarch +wms-2-1.x86_64 -ui-1-1.noarch -ui-2-1.1.noarch -wms-1-1.x86_64\n"
            .replace(" -ui-1-1.noarch -ui-2-1.1.noarch -wms-1-1.x86_64", " -ui-1-1.noarch")
    );
}

/// Two people decided that both may be.
fn decided(site: &mut Metas, nevra: &str) {
    let files: Vec<Listed> = site
        .world
        .rebuilt
        .values()
        .flatten()
        .chain(site.world.repositories.values().flatten())
        .filter(|one| one.nevra.to_string() == nevra)
        .cloned()
        .collect();
    let seat = |role: &str| Seat { role: role.into(), by: format!("user:{role}") };
    let agreed = crate::Agreement { by: "user:release".into(), roles: vec!["release".into()], at: now() };
    let variant = Variant {
        id: String::new(),
        product: "glite-3.2".into(),
        package: nevra.parse().unwrap(),
        digests: [files[0].pkgid, files[1].pkgid],
        reason: "the rest is not ready".into(),
        agreed: vec![agreed],
        decided_by: vec![seat("release"), seat("operations")],
    };
    let variant = variant.identified();
    site.world.standing.variants.insert(variant.id.clone(), variant);
}

fn glite() -> Metas {
    site().product(|product| product.partial_release = PartialRelease::Variant)
}

#[test]
fn a_variant_takes_two_people_and_keeps_its_name_in_the_glite_procedure() {
    let mut site = glite();
    let part = request(&["voms"], Partial::Target);
    let refusal = site.refused(&part, Code::VariantUndecided);
    assert_eq!(refusal.reasons.len(), 1, "{refusal:?}");
    decided(&mut site, "ui-2-1.noarch");
    let plan = site.done(&part);
    // Nothing pins it by another name, so what pins it goes whole.
    assert_eq!(
        brief(&plan),
        "sl5/x86_64 delta: -site-2-1.noarch -voms-2-1.x86_64 -wn-2-1.noarch\n\
         sl5/x86_64 production: +site-2-1.noarch +ui-2-1.noarch +voms-2-1.x86_64 +wn-2-1.noarch\n"
    );
    assert!(plan.rebuilt[0].recipe.release.is_none() && plan.rebuilt[0].raised.is_none());

    // What follows rises by itself, also where nobody says that a part is released.
    let plan = site.done(&promote(&["wms", "new"]));
    assert_eq!(
        brief(&plan),
        "sl5/x86_64 delta: -new-2-1.x86_64 -ui-2-1.noarch -wms-2-1.x86_64\n\
         sl5/x86_64 production: +new-2-1.x86_64 +site-2-1.1.noarch +ui-2-1.1.noarch +wms-2-1.x86_64 -site-2-1.noarch -ui-1-1.noarch\n"
    );
    assert_eq!(site.says("site-2-1.1.noarch"), "ui = 2-1.1");
    assert_eq!(site.says("ui-2-1.1.noarch"), "voms = 2-1, wms = 2-1, new = 2-1, libc = 6");
}

#[test]
fn what_follows_takes_the_place_of_the_part_also_where_only_the_newest_is_listed() {
    let mut site = glite().product(|product| {
        let production = product.stages.iter_mut().find(|stage| stage.name == "production").unwrap();
        production.versions = Versions::Newest(1);
    });
    let part = request(&["voms"], Partial::Target);
    site.refused(&part, Code::VariantUndecided);
    decided(&mut site, "ui-2-1.noarch");
    site.done(&part);
    let plan = site.done(&promote(&["wms", "new"]));
    assert_eq!(site.says("site-2-1.1.noarch"), "ui = 2-1.1", "{}", brief(&plan));
    let production = repository("sl5/x86_64 production");
    let mut listed: Vec<String> =
        site.world.repositories[&production].iter().map(|one| one.nevra.to_string()).collect();
    listed.sort();
    let expected = [
        "new-2-1.x86_64",
        "site-2-1.1.noarch",
        "ui-2-1.1.noarch",
        "voms-2-1.x86_64",
        "wms-2-1.x86_64",
        "wn-2-1.noarch",
    ];
    assert_eq!(listed, expected);
}

#[test]
fn a_part_can_be_followed_while_what_moved_is_listed_in_both_stages() {
    let mut site = glite().product(|product| {
        product.routes[0].overlap = jiff::SignedDuration::from_hours(48);
    });
    let part = request(&["voms"], Partial::Target);
    site.refused(&part, Code::VariantUndecided);
    decided(&mut site, "ui-2-1.noarch");
    site.done(&part);
    let plan = site.done(&request(&["wms", "new"], Partial::Target));
    assert_eq!(site.says("site-2-1.1.noarch"), "ui = 2-1.1", "{}", brief(&plan));
    assert_eq!(site.says("ui-2-1.1.noarch"), "voms = 2-1, wms = 2-1, new = 2-1, libc = 6");
}

#[test]
fn both_stages_can_list_the_variant_which_then_is_one_file() {
    let mut site = glite();
    let part = request(&["voms"], Partial::Both);
    site.refused(&part, Code::VariantUndecided);
    decided(&mut site, "ui-2-1.noarch");
    let plan = site.done(&part);
    let ui: Vec<&Listed> = site
        .world
        .repositories
        .values()
        .flatten()
        .filter(|one| one.nevra.to_string() == "ui-2-1.noarch")
        .collect();
    assert_eq!((ui.len(), ui[0].pkgid), (2, ui[1].pkgid), "{}", brief(&plan));
}

#[test]
fn what_rises_is_not_listed_in_both_stages() {
    let refusal = site().refused(&request(&["voms"], Partial::Both), Code::Malformed);
    assert!(refusal.sentence.contains("would rise above"), "{}", refusal.sentence);
}

#[test]
fn a_release_of_everything_is_a_plain_promotion() {
    let mut site = site();
    let plan = site.done(&request(&["voms", "wms", "new", "ui", "wn", "se", "site"], Partial::Target));
    assert_eq!((plan.rebuilt.len(), plan.node_types.len()), (0, 0));
    assert_eq!(plan.sentence, "7 packages move from `delta` to `production` of `glite-3.2`");
}

#[test]
fn what_is_released_in_the_second_word_size_alone_is_not_what_hosts_take() {
    let mut site = Metas::of(&[
        "sl5/x86_64 production: voms-1-1.x86_64 voms-1-1.i686",
        "sl5/x86_64 delta: voms-2-1.x86_64 voms-2-1.i686 wms-2-1.x86_64 \
         ui-2-1.noarch<voms = 2-1, wms = 2-1> wide-2-1.noarch<voms(x86-64) = 2-1, wms = 2-1>",
    ]);
    site.done(&request(&["voms-2-1.i686", "wms"], Partial::Target));
    assert_eq!(site.says("ui-2-1.1.noarch"), "voms = 1-1, wms = 2-1");
    assert_eq!(site.says("wide-2-1.1.noarch"), "voms(x86-64) = 1-1, wms = 2-1");
}
