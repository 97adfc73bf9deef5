use crate::refusal::Code;
use crate::request::{Action, Request};
use crate::samples::{
    alice, arrivals, effect, import, listed, nothing, refused, repository, words, world_of,
};
use crate::world::{Asker, Holders, NamedGeneration, World};

const BAD: &str = "bad-1-1.noarch";

fn purge(packages: &[&str]) -> Request {
    Request { reason: Some("malware".into()), ..Request::new(Action::Purge { packages: words(packages) }) }
}

fn delta() -> crate::layout::Repository {
    repository("sl5/x86_64 delta")
}

/// `bad` is listed in delta and production, and was adopted: generation 33, which has a name, holds it itself.
fn site() -> World {
    let mut world = world_of(&[
        "sl5/x86_64 delta: bad-1-1.noarch good-1-1.noarch",
        "sl5/x86_64 production: bad-1-1.noarch",
    ]);
    let bad = listed(BAD);
    let links = ["sl5/x86_64 delta", "sl5/x86_64 production"].map(|name| bad.link(&repository(name)));
    let holders = Holders { links: links.into(), generations: [33].into() };
    world.holders.insert(bad.pkgid, holders);
    world.kept_generations.extend([33, 34]);
    world.names.insert("update-1".into(), NamedGeneration { generation: 33, ended: false });
    world.names.insert("update-2".into(), NamedGeneration { generation: 34, ended: false });
    world
}

#[test]
fn it_leaves_everything_and_takes_what_holds_it() {
    let plan = effect(&site(), &purge(&[BAD]), &alice(), &[]);
    let bad = listed(BAD);
    assert_eq!(plan.changes.len(), 2);
    assert!(plan.changes.values().all(|change| change.leave == [bad.clone()] && change.enter.is_empty()));
    let pooled = format!("pool/{}/{}.rpm", bad.pkgid.shard(), bad.pkgid);
    assert!(plan.drop_links.contains(&pooled) && plan.drop_links.contains(&bad.link(&delta())));
    assert_eq!(plan.drop_links.len(), 3);
    assert_eq!(plan.drop_generations.iter().copied().collect::<Vec<_>>(), [33]);
    assert_eq!(plan.names.get("update-1"), Some(&None));
    assert_eq!(plan.names.get("update-2"), None, "a generation that only lists it stays");
    assert_eq!(plan.hosts_run().as_deref(), Some("dnf distro-sync"));
}

#[test]
fn what_was_purged_does_not_come_back() {
    let mut world = site();
    let plan = effect(&world, &purge(&[BAD]), &alice(), &[]);
    world.apply(&plan);
    nothing(&world, &purge(&[&listed(BAD).pkgid.hex()]), &alice(), &[], Code::NothingToDo);
    let refusal = refused(&world, &import(&["sl5/*"]), &alice(), &arrivals(&[BAD]), Code::Purged);
    assert!(refusal.sentence.contains("was purged"), "{refusal}");
    // Another file of the same name may.
    effect(&world, &import(&["sl5/*"]), &alice(), &arrivals(&["bad-1-1.noarch#mended"]));
}

#[test]
fn going_back_leaves_out_what_was_purged() {
    let mut world = site();
    let plan = effect(&world, &purge(&[BAD]), &alice(), &[]);
    world.apply(&plan);
    let then = [(delta(), vec![listed(BAD), listed("good-1-1.noarch"), listed("old-1-1.noarch")])];
    world.past.insert(34, then.into());
    let back = Request::new(Action::Revert {
        product: "glite-3.2".into(),
        stage: "delta".into(),
        generation: crate::request::Reference::Number(34),
        platforms: words(&["sl5/x86_64"]),
    });
    world.past.entry(34).and_modify(|past| {
        for repository in world.layout.repositories() {
            past.entry(repository).or_default();
        }
    });
    let plan = effect(&world, &back, &alice(), &[]);
    assert_eq!(plan.changes[&delta()].enter, [listed("old-1-1.noarch")]);
    assert!(plan.notes.iter().any(|note| note.contains("was purged")), "{:?}", plan.notes);
}

#[test]
fn names_are_exact_and_a_digest_that_nobody_holds_is_banned() {
    let mut world = site();
    for text in ["bad", "bad-1-1", "bad-*", "bad-2-1.noarch"] {
        refused(&world, &purge(&[text]), &alice(), &[], Code::NoSuchPackage);
    }
    effect(&world, &purge(&["bad-1-1.noarch.rpm"]), &alice(), &[]);
    let other = listed("bad-1-1.noarch#other");
    let link = format!(
        "packages/glite-3.2-sl5-i386-delta/{}/{}/bad-1-1.noarch.rpm",
        other.pkgid.shard(),
        other.pkgid.short()
    );
    world.holders.insert(other.pkgid, Holders { links: [link].into(), ..Holders::default() });
    let refusal = refused(&world, &purge(&[BAD]), &alice(), &[], Code::Ambiguous);
    assert_eq!(refusal.reasons.len(), 2);
    let plan = effect(&world, &purge(&["ab".repeat(32).as_str()]), &alice(), &[]);
    assert!(plan.changes.is_empty() && plan.drop_links.is_empty() && plan.purged.len() == 1);
}

#[test]
fn it_is_for_admins_only_and_needs_a_reason() {
    let mut nobody = alice();
    nobody.roles.retain(|(_, role)| role != "admin");
    refused(&site(), &purge(&[BAD]), &nobody, &[], Code::RoleNotAllowed);
    refused(&site(), &purge(&[BAD]), &Asker::clock(), &[], Code::RoleNotAllowed);
    let text = "format = 1\naction = \"purge\"\npackages = [\"bad-1-1.noarch\"]\n[end]\n";
    let refusal = crate::parse(text.as_bytes(), crate::Format::Toml).unwrap_err();
    assert!(refusal.sentence.contains("`reason`"), "{refusal}");
}
