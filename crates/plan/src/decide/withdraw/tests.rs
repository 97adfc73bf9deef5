use expect_test::expect;

use crate::refusal::Code;
use crate::samples::{alice, brief, effect, refused, withdraw, world_of};
use crate::world::Asker;

#[test]
fn packages_leave_the_stage_on_every_platform_and_nowhere_else() {
    let world = world_of(&[
        "sl5/x86_64 delta: voms-2-1.x86_64 yaim-1-1.noarch",
        "sl5/x86_64 delta source: voms-2-1.src",
        "sl5/i386 delta: voms-2-1.i686",
        "sl5/i386 production: voms-2-1.i686",
    ]);
    let plan = effect(&world, &withdraw("delta", &["voms"]), &alice(), &[]);
    expect![[r#"
        sl5/i386 delta: -voms-2-1.i686
        sl5/x86_64 delta: -voms-2-1.x86_64
        sl5/x86_64 delta source: -voms-2-1.src
    "#]]
    .assert_eq(&brief(&plan));
    assert_eq!(plan.sentence, "3 packages leave `delta` of `glite-3.2`");
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf distro-sync"));
}

#[test]
fn what_is_not_in_the_stage_cannot_be_withdrawn() {
    let world = world_of(&["sl5/x86_64 production: voms-2-1.x86_64"]);
    let refusal = refused(&world, &withdraw("delta", &["voms"]), &alice(), &[], Code::NoSuchPackage);
    assert_eq!(refusal.hint.as_deref(), Some("`voms` is in `production` on sl5/x86_64"));
}

#[test]
fn it_takes_a_role_of_the_stage() {
    let world = world_of(&["sl5/x86_64 delta: voms-2-1.x86_64"]);
    let asker = Asker { name: "user:bob".into(), roles: vec![(None, "release".into())] };
    refused(&world, &withdraw("delta", &["voms"]), &asker, &[], Code::RoleNotAllowed);
}
