use std::sync::Arc;

use super::*;
use crate::decide::{Decision, decide};
use crate::samples::{alice, promote, repository, world_of};

const DELTA: &str = "sl5/x86_64 delta";
const PRODUCTION: &str = "sl5/x86_64 production";

fn world() -> World {
    let mut world = world_of(&["sl5/x86_64 delta: a-1-1.noarch b-1-1.noarch"]);
    let group = |id: &str, name: &str| {
        format!("<group><id>{id}</id><packagelist><packagereq>{name}</packagereq></packagelist></group>")
    };
    let groups = format!("<comps>{}{}</comps>", group("g", "a"), group("h", "b"));
    let modules = "---\ndocument: modulemd\ndata:\n  name: m\n  artifacts:\n    rpms: [a-0:1-1.noarch]\n";
    let read = |text: &str| Part::Read(Arc::from(text.as_bytes()));
    let beside = Beside { groups: read(&groups), modules: read(modules), ..Beside::default() };
    world.beside.insert(repository(DELTA), beside);
    world
}

/// What is noted when `a` is promoted.
fn noted(world: &World) -> Vec<String> {
    let Decision::Effect(plan) = decide(world, &promote(&["a"]), &alice(), &[]) else {
        panic!("it is promoted")
    };
    plan.notes.into_iter().filter(|note| note.contains("do not go along")).collect()
}

#[test]
fn groups_of_the_configuration_take_no_others_and_the_answer_says_so() {
    let mut world = world();
    assert_eq!(noted(&world), <[&str; 0]>::default());
    let product = Arc::make_mut(&mut world.layout).products.get_mut("glite-3.2").unwrap();
    product.stages[1].clients.comps = Some("/etc/comps-{stage}.xml".into());
    let words = "these groups do not go along to `glite-3.2-sl5-x86_64-production`, for the configuration names its own, \
                 `/etc/comps-production.xml`: `g`";
    assert_eq!(noted(&world), [words]);
}

#[test]
fn what_is_not_read_takes_nothing_and_the_answer_says_so() {
    let mut world = world();
    let nobody = Part::Unread("for there are two".into());
    let odd = Part::Read(Arc::from(&b"<comps><group></comps>"[..]));
    let production = Beside { groups: odd, modules: nobody, ..Beside::default() };
    world.beside.insert(repository(PRODUCTION), production);
    let notes = noted(&world);
    let begins = |word: &str| {
        format!("these {word} do not go along to `glite-3.2-sl5-x86_64-production`, for its own are not read")
    };
    assert!(
        notes.len() == 2 && notes[0].starts_with(&begins("groups")) && notes[0].ends_with(": `g`"),
        "{notes:?}"
    );
    assert_eq!(notes[1], begins("modules") + ", for there are two: `m::::`");
}
