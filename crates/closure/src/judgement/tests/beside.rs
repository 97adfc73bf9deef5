//! What changes beside the target in the same instant: hosts of `delta` draw from `production`, too.

use super::*;
use crate::change::Beside;

/// A change of `delta`, with one of `production` beside it.
fn changing(
    [delta, production]: [Vec<Package>; 2],
    leave: [&[&str]; 2],
    [enter, enter_beside]: [Vec<Package>; 2],
) -> Change {
    let meta_packages = metas([&delta, &production, &enter, &enter_beside].into_iter().flatten());
    let [leave, leave_beside] =
        leave.map(|nevras| nevras.iter().map(|nevra| nevra.parse().unwrap()).collect());
    let beside = Beside {
        shelf: Arc::new(Shelf::new("production", production)),
        leave: leave_beside,
        enter: enter_beside,
    };
    Change {
        target: Arc::new(Shelf::new("delta", delta)),
        leave,
        enter,
        meta_packages,
        beside: vec![beside],
        elsewhere: vec![],
        ..Story::default().change()
    }
}

#[test]
fn what_moves_beside_is_still_there() {
    let voms = || package("voms-1.9.14-1.x86_64", &["file /usr/bin/voms"]);
    let tools = package("vo-tools-1-1.noarch", &["requires voms >= 1.9.14", "requires voms = 1.9.14-1"]);
    let voms_1_9_10 = package("voms-1.9.10-1.x86_64", &["file /usr/bin/voms"]);
    let moved = [vec![], vec![voms()]];
    let listed = [vec![voms(), tools], vec![voms_1_9_10]];
    let change = changing(listed, [&["voms-1.9.14-1.x86_64"], &["voms-1.9.10-1.x86_64"]], moved);
    check(&change, &expect![[""]]);
    assert_eq!(judge(&change).judged, 1);
    // Where hosts of `delta` draw from nothing else, it is gone.
    check(
        &Change { beside: vec![], ..change },
        &expect![[r#"
        fresh vo-tools-1-1.noarch: vo-tools 1-1 needs voms >= 1.9.14; 1.9.14-1 leaves delta
    "#]],
    );
}

#[test]
fn what_leaves_beside_breaks_what_stays() {
    let voms = package("voms-1.9.10-1.x86_64", &["file /usr/bin/voms"]);
    let tools = package("vo-tools-1-1.noarch", &["requires voms"]);
    let alone = package("alone-1-1.noarch", &["file /usr/bin/alone"]);
    let change =
        changing([vec![tools, alone], vec![voms]], [&[], &["voms-1.9.10-1.x86_64"]], [vec![], vec![]]);
    check(
        &change,
        &expect![[r#"
        stays vo-tools-1-1.noarch: vo-tools 1-1 needs voms; 1.9.10-1 leaves production
    "#]],
    );
}

#[test]
fn what_enters_beside_takes_hosts_along() {
    let voms = |version: &str| package(&format!("voms-{version}-1.x86_64"), &["file /usr/bin/voms"]);
    let ui = package("glite-UI-3.2.6-1.noarch", &["requires voms = 1.9.10-1"]);
    let listed = [vec![ui], vec![voms("1.9.10")]];
    let change = changing(listed, [&[], &[]], [vec![], vec![voms("1.9.14")]]);
    check(
        &change,
        &expect![[r#"
        upgrade glite-UI-3.2.6-1.noarch: a host with glite-UI 3.2.6-1 takes voms 1.9.14-1 for voms 1.9.10-1; glite-UI 3.2.6-1 needs voms = 1.9.10-1; only one voms can be installed
    "#]],
    );
}

#[test]
fn what_two_bring_by_way_of_another_stage_cannot_share_a_path() {
    let ui = package("glite-UI-3.2.7-1.noarch", &["requires lcg-tags = 0.4-1", "requires lcg-info = 1.12-1"]);
    let tags = package("lcg-tags-0.4-1.x86_64", &["file /usr/bin/lcg-tags aaa"]);
    let info = package("lcg-info-1.12-1.x86_64", &["file /usr/bin/lcg-tags bbb"]);
    let change = changing([vec![tags], vec![]], [&[], &[]], [vec![ui], vec![info]]);
    check(
        &change,
        &expect![[r#"
        files glite-UI-3.2.7-1.noarch: lcg-tags 0.4-1 and lcg-info 1.12-1 both bring `/usr/bin/lcg-tags`, with different contents
    "#]],
    );
    // And where each is said to lie is where it lies.
    let work = Work::default();
    let after = change.after(&work);
    let origins = [Origin::Target, Origin::Enters, Origin::Context(0), Origin::EntersBeside(0)];
    let found: BTreeSet<Origin> =
        after.of_layers(|_| true).filter_map(|id| Some(after.bringer(id)?.origin)).collect();
    assert_eq!(found, BTreeSet::from(origins));
}

#[test]
fn hosts_have_a_meta_package_from_either_stage() {
    let ui = |version: &str, requires: &str| package(&format!("glite-UI-{version}-1.noarch"), &[requires]);
    let old = package("voms-tools-1-1.x86_64", &["file /usr/bin/voms-tools"]);
    let new = package("vo-tools-1-1.x86_64", &["file /usr/bin/vo-tools", "conflicts voms-tools"]);
    let production = vec![old, ui("3.2.6", "requires voms-tools = 1-1")];
    let enter = vec![new, ui("3.2.7", "requires vo-tools = 1-1")];
    let change = changing([vec![], production], [&[], &[]], [enter, vec![]]);
    check(
        &change,
        &expect![[r#"
        upgrade glite-UI-3.2.7-1.noarch: a host with glite-UI 3.2.6-1 takes glite-UI 3.2.7-1 for glite-UI 3.2.6-1 and keeps voms-tools 1-1; glite-UI 3.2.7-1 needs vo-tools = 1-1; vo-tools 1-1 conflicts with voms-tools, and so voms-tools 1-1
    "#]],
    );
}

#[test]
fn an_older_meta_package_that_was_broken_before_is_told_and_one_that_comes_broken_is_refused() {
    let ui = |version: &str, requires: &str| package(&format!("glite-UI-{version}-1.noarch"), &[requires]);
    let voms = || package("voms-1-1.x86_64", &["file /usr/bin/voms"]);
    let old = || ui("3.2.6", "requires voms = 0-1");
    // The newer one moves on, and leaves the older one the newest that delta lists.
    let listed = [vec![old(), ui("3.2.7", "requires voms = 1-1")], vec![voms()]];
    let moved = [vec![], vec![ui("3.2.7", "requires voms = 1-1")]];
    check(
        &changing(listed, [&["glite-UI-3.2.7-1.noarch"], &[]], moved),
        &expect![[r#"
        known: fresh glite-UI-3.2.6-1.noarch: glite-UI 3.2.6-1 needs voms = 0-1; production has 1-1
    "#]],
    );
    // What comes has no excuse by what is broken beside.
    let change =
        changing([vec![], vec![old()]], [&[], &[]], [vec![ui("3.2.7", "requires voms = 2-1")], vec![]]);
    check(
        &change,
        &expect![[r#"
        fresh glite-UI-3.2.7-1.noarch: glite-UI 3.2.7-1 needs voms = 2-1; nothing in delta, base or production offers it
    "#]],
    );
}
