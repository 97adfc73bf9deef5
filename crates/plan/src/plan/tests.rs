use expect_test::expect;

use super::*;
use crate::samples::{alice, effect, listed, promote, repository, world_of};

fn sample() -> Plan {
    let world = world_of(&[
        "sl5/x86_64 delta: voms-4-1.x86_64",
        "sl5/x86_64 production: voms-1-1.x86_64 voms-2-1.x86_64 yaim-1-1.noarch",
    ]);
    let mut plan = effect(&world, &promote(&["voms"]), &alice(), &[]);
    plan.names.insert("update-57".into(), Some(42));
    plan.names.insert("update-12".into(), None);
    plan.drop_generations.insert(3);
    plan.drop_links.insert("packages/a/b/c/d.rpm".into());
    plan.new_repositories.insert(repository("sl5/i386 delta"));
    plan.sweeps_metadata = true;
    plan
}

#[test]
fn a_plan_is_readable() {
    expect![[r#"
        promote: `voms-4-1.x86_64` moves from `delta` to `production` of `glite-3.2`

        glite-3.2-sl5-x86_64-delta
          - voms-4-1.x86_64  SHORT4

        glite-3.2-sl5-x86_64-production
          + voms-4-1.x86_64  SHORT4
          - voms-1-1.x86_64  SHORT1

        new repositories
          glite-3.2-sl5-i386-delta

        names
          update-12 ends
          update-57 is generation 42

        links to remove
          packages/a/b/c/d.rpm

        generations to remove
          @3

        metadata to remove
          superseded files whose time is over

        gates
          pass   roles: `user:alice` holds the role `release`, which may promote from `delta` to `production` of `glite-3.2`
          pass   sound: nothing that enters was found damaged
          pass   other-content: no other file of its repository bears the name of any of the 1 that enter
          pass   variants: no other repository lists another file by the name of any of the 1 that enter
          pass   version-order: nothing that enters is older than what is listed
          pass   freeze: nothing freezes `delta` and `production` of `glite-3.2`

        notes
          `voms` is not in `delta` on sl5/i386

        plan HASH
    "#]]
    .assert_eq(
        &sample()
            .print()
            .replace(&sample().hash().hex(), "HASH")
            .replace(&listed("voms-4-1.x86_64").pkgid.short(), "SHORT4")
            .replace(&listed("voms-1-1.x86_64").pkgid.short(), "SHORT1"),
    );
}

/// Checks whether a change of the plan changes its hash.
fn check(changes: bool, change: impl FnOnce(&mut Plan)) {
    let mut plan = sample();
    let before = plan.hash();
    change(&mut plan);
    assert_eq!(plan.hash() != before, changes, "{}", plan.print());
}

#[test]
fn the_hash_covers_what_is_done() {
    let source = || repository("sl5/x86_64 delta");
    let target = || repository("sl5/x86_64 production");
    check(true, |plan| plan.action = "withdraw".into());
    check(true, |plan| plan.changes.get_mut(&source()).unwrap().leave.push(listed("a-1-1.noarch")));
    check(true, |plan| plan.changes.get_mut(&target()).unwrap().before = listed("a-1-1.noarch").pkgid);
    check(true, |plan| plan.changes.get_mut(&target()).unwrap().after = listed("a-1-1.noarch").pkgid);
    check(true, |plan| {
        plan.changes.remove(&source());
    });
    check(true, |plan| {
        plan.names.insert("update-57".into(), Some(43));
    });
    check(true, |plan| {
        plan.names.insert("update-57".into(), None);
    });
    check(true, |plan| {
        plan.drop_generations.insert(4);
    });
    check(true, |plan| plan.sweeps_metadata = false);
    check(true, |plan| {
        plan.drop_links.insert("packages/a/b/c/e.rpm".into());
    });
    check(true, |plan| {
        plan.new_repositories.insert(repository("sl5/i386 production"));
    });
}

#[test]
fn the_hash_covers_neither_words_nor_what_else_a_source_lists() {
    let source = || repository("sl5/x86_64 delta");
    check(false, |plan| plan.sentence.clear());
    check(false, |plan| plan.notes.clear());
    check(false, |plan| plan.gates.clear());
    check(false, |plan| plan.changes.get_mut(&source()).unwrap().before = listed("a-1-1.noarch").pkgid);
    check(false, |plan| plan.changes.get_mut(&source()).unwrap().after = listed("a-1-1.noarch").pkgid);
}

#[test]
fn going_back_covers_every_set_before_and_after() {
    let source = repository("sl5/x86_64 delta");
    let mut plan = Plan { action: "revert".into(), ..sample() };
    let before = plan.hash();
    plan.changes.get_mut(&source).unwrap().before = listed("a-1-1.noarch").pkgid;
    assert_ne!(plan.hash(), before);
}

#[test]
fn what_moved_is_told_by_repository() {
    let moved = sample().moved();
    assert_eq!(moved[1].repository, "glite-3.2-sl5-x86_64-production");
    assert_eq!(
        (moved[1].entered.as_slice(), moved[1].left.as_slice()),
        (&["voms-4-1.x86_64".to_owned()][..], &["voms-1-1.x86_64".to_owned()][..])
    );
}

#[test]
fn a_change_without_movement_is_none() {
    let before = [listed("a-1-1.noarch")];
    assert_eq!(Change::of(&before, vec![], vec![]), None);
    let change = Change::of(&before, vec![], before.to_vec()).unwrap();
    assert_eq!(change.after, digest_of_set([]));
}

#[test]
fn the_digest_of_a_set_knows_no_order() {
    let (a, b) = (listed("a-1-1.noarch"), listed("b-1-1.noarch"));
    assert_eq!(digest_of_set([&a, &b]), digest_of_set([&b, &a, &b]));
    assert_ne!(digest_of_set([&a]), digest_of_set([&a, &b]));
}
