use crate::World;
use crate::refusal::Code;
use crate::request::{Action, Request};
use crate::samples::{alice, effect, keep, nothing, refused, world};
use crate::world::{Asker, NamedGeneration};

fn site() -> World {
    let mut world = world();
    world.kept_generations.insert(30);
    world.names.insert("update-56".into(), NamedGeneration { generation: 30, ended: false });
    world.names.insert("update-55".into(), NamedGeneration { generation: 29, ended: true });
    world.names.insert("update-54".into(), NamedGeneration { generation: 40, ended: true });
    world
}

fn end(name: &str) -> Request {
    Request::new(Action::Keep { generation: None, as_: None, drop: Some(name.into()) })
}

#[test]
fn a_name_is_given_to_the_current_or_a_kept_generation() {
    let plan = effect(&site(), &keep(None, "update-57"), &alice(), &[]);
    assert_eq!(plan.names["update-57"], Some(40));
    assert_eq!(plan.sentence, "generation 40 is kept as `update-57`");
    assert_eq!(plan.hosts_run(), None);
    for generation in ["30", "@update-56"] {
        assert_eq!(
            effect(&site(), &keep(Some(generation), "easter"), &alice(), &[]).names["easter"],
            Some(30)
        );
    }
    refused(&site(), &keep(Some("28"), "easter"), &alice(), &[], Code::Gone);
    refused(&site(), &keep(Some("update-58"), "easter"), &alice(), &[], Code::NoSuchName);
}

#[test]
fn a_name_is_never_bound_to_another_number() {
    let refusal = refused(&site(), &keep(None, "update-56"), &alice(), &[], Code::NameTaken);
    assert_eq!(refusal.sentence, "the name `update-56` belongs to generation 30 for ever");
    refused(&site(), &keep(None, "update-55"), &alice(), &[], Code::NameTaken);
    nothing(&site(), &keep(Some("30"), "update-56"), &alice(), &[], Code::NothingToDo);
}

#[test]
fn an_ended_name_does_not_come_back_even_to_its_own_number() {
    let refusal = refused(&site(), &keep(None, "update-54"), &alice(), &[], Code::NameTaken);
    assert_eq!(refusal.sentence, "the name `update-54` of generation 40 was ended, for ever");
    let mut world = site();
    let plan = effect(&world, &end("update-56"), &alice(), &[]);
    world.apply(&plan);
    refused(&world, &keep(Some("30"), "update-56"), &alice(), &[], Code::NameTaken);
}

#[test]
fn a_name_ends_once() {
    let mut world = site();
    let plan = effect(&world, &end("update-56"), &alice(), &[]);
    assert_eq!(plan.names["update-56"], None);
    world.apply(&plan);
    assert!(world.names["update-56"].ended);
    nothing(&world, &end("update-56"), &alice(), &[], Code::NothingToDo);
    refused(&world, &end("nobody"), &alice(), &[], Code::NoSuchName);
}

#[test]
fn names_that_would_be_mistaken_for_something_else_are_refused() {
    let long = "x".repeat(101);
    for name in ["current", "@x", "57", "Update", ".x", "-x", "a/b", "a b", "é", "", &long] {
        refused(&site(), &keep(None, name), &alice(), &[], Code::BadName);
    }
    for name in ["a", "0.1", "2026-03-01", "x_y.z-1"] {
        effect(&site(), &keep(None, name), &alice(), &[]);
    }
}

#[test]
fn who_moves_packages_names_and_who_moves_them_everywhere_ends() {
    let mut world = site();
    let layout = std::sync::Arc::make_mut(&mut world.layout);
    let mut second = layout.products["glite-3.2"].clone();
    second.name = "umd-3".into();
    layout.products.insert(second.name.clone(), second);
    let may = |roles: &[(Option<&str>, &str)]| {
        let roles = roles.iter().map(|(of, role)| (of.map(str::to_owned), (*role).to_owned())).collect();
        let bob = Asker { name: "user:bob".into(), roles };
        let is_done = |request: &Request| match crate::decide(&world, request, &bob, &[]) {
            crate::Decision::Effect(_) => true,
            crate::Decision::Refused(refusal) if refusal.code == Code::RoleNotAllowed => false,
            other => panic!("{other:?}"),
        };
        (is_done(&keep(None, "x")), is_done(&end("update-56")))
    };
    assert_eq!(may(&[]), (false, false));
    assert_eq!(may(&[(None, "verifier")]), (false, false), "a role that moves nothing");
    assert_eq!(may(&[(Some("umd-3"), "release")]), (true, false));
    assert_eq!(may(&[(Some("umd-3"), "release"), (Some("glite-3.2"), "integrator")]), (true, true));
    assert_eq!(may(&[(None, "integrator")]), (true, true));
    assert_eq!(may(&[(None, "admin")]), (true, true));
    assert_eq!(may(&[(Some("umd-3"), "admin")]), (false, false), "`admin` is a role of the site");
    refused(&world, &keep(None, "x"), &Asker::clock(), &[], Code::RoleNotAllowed);
}
