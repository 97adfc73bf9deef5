use crate::refusal::Code;
use crate::request::{Action, Request};
use crate::samples::{alice, effect, nothing, refused, repository, world};
use crate::world::Asker;

fn config() -> Request {
    Request::new(Action::Config {})
}

#[test]
fn repositories_that_nobody_has_seen_appear_empty() {
    let mut world = world();
    let missing = repository("sl5/i386 delta source");
    world.repositories.remove(&missing);
    let plan = effect(&world, &config(), &Asker::clock(), &[]);
    assert_eq!(plan.new_repositories.iter().collect::<Vec<_>>(), [&missing]);
    world.apply(&plan);
    assert_eq!(world.repositories[&missing], vec![]);
    nothing(&world, &config(), &Asker::clock(), &[], Code::NothingToDo);
}

#[test]
fn what_hosts_are_told_follows_and_changes_no_repository() {
    let mut world = world();
    nothing(&world, &config(), &Asker::clock(), &[], Code::NothingToDo);
    world.outdated_files.insert("RPM-GPG-KEY-ours".into());
    let plan = effect(&world, &config(), &Asker::clock(), &[]);
    assert_eq!(plan.sentence, "hosts are told otherwise by `RPM-GPG-KEY-ours`");
    assert!(plan.new_repositories.is_empty() && plan.rewritten.is_empty() && plan.changes.is_empty());
    world.outdated_files.insert("glite-production.repo".into());
    let plan = effect(&world, &config(), &Asker::clock(), &[]);
    assert_eq!(plan.sentence, "hosts are told otherwise by 2 files");
}

#[test]
fn views_follow_and_nothing_is_rewritten_for_them() {
    let mut world = world();
    let delta = repository("sl5/x86_64 delta");
    world.other_views.insert(delta.clone());
    let plan = effect(&world, &config(), &Asker::clock(), &[]);
    assert_eq!(plan.sentence, "the views of a repository change");
    assert_eq!(plan.views.iter().collect::<Vec<_>>(), [&delta]);
    assert!(plan.new_repositories.is_empty() && plan.rewritten.is_empty() && plan.changes.is_empty());
    let hash = plan.hash();
    world.other_views.insert(repository("sl5/i386 delta"));
    let plan = effect(&world, &config(), &Asker::clock(), &[]);
    assert_eq!(plan.sentence, "the views of 2 repositories change");
    assert_ne!(plan.hash(), hash);
}

#[test]
fn none_disappears_without_retire() {
    let mut world = world();
    world.strangers.insert("umd-3-sl6-x86_64-testing".into());
    let refusal = refused(&world, &config(), &Asker::clock(), &[], Code::RetireNeeded);
    assert_eq!(refusal.reasons, ["`umd-3-sl6-x86_64-testing`"]);
    let mut world = crate::samples::world();
    world.repositories.insert(repository("sl5/i386 delta").in_stage("alpha"), vec![]);
    refused(&world, &config(), &Asker::clock(), &[], Code::RetireNeeded);
}

#[test]
fn it_is_the_clocks_alone() {
    refused(&world(), &config(), &alice(), &[], Code::RoleNotAllowed);
}
