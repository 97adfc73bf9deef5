use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8Path;
use nevra::Sha256;

use super::*;
use crate::forgetful::ForgetfulDisk;
use crate::workshop::{Workshop, bytes, link_path, second};
use crate::{Disk, Kind, Named, PackageLink, PosixDisk, Source};

fn refusal(shop: &Workshop, draft: Draft) -> String {
    let number = draft.number;
    let before = shop.store.current().unwrap().map(|generation| generation.number);
    let error = shop.store.commit(&shop.lock, draft).unwrap_err();
    assert!(matches!(error, CommitError::Abandoned(_)), "{error}");
    assert_eq!(shop.store.current().unwrap().map(|generation| generation.number), before);
    for path in [format!("staging/{number}"), format!("generations/{number}"), format!("public/@{number}")] {
        assert!(!shop.has(&path), "{path} is left");
    }
    error.to_string()
}

#[test]
fn what_is_published_is_what_was_drafted() {
    let shop = Workshop::empty();
    let draft = shop.draft();
    let link = draft.links[0].clone();
    let generation = shop.store.commit(&shop.lock, draft).unwrap();

    assert_eq!(shop.store.current().unwrap().unwrap(), generation);
    assert_eq!(shop.read("public/current/x/repodata/list"), "1 packages");
    assert_eq!(shop.store.read_public(&generation, "index.html").unwrap(), b"<p>welcome");
    assert_eq!(shop.store.read_private(&generation, "workflow.json").unwrap(), b"{}");
    assert_eq!(shop.store.policy(&generation.manifest.policy).unwrap(), b"format = 1\n");
    assert_eq!(generation.files.packages_links["x/Packages"], "../../packages/x-production");
    let within = link.path.strip_prefix("packages/x-production/").unwrap();
    assert_eq!(shop.read(&format!("public/current/x/Packages/{within}")), "package 1");
    assert_eq!(generation.manifest.parent, None);
    assert_eq!(generation.manifest.links_made.len(), 3);
    assert_eq!(
        generation.manifest.account.read::<serde_json::Value>().unwrap(),
        serde_json::json!({ "settled": [1] })
    );
}

#[test]
fn everything_sealed_is_read_only() {
    let shop = Workshop::with(2);
    for (path, words) in shop.picture() {
        let sealed = path.starts_with("public/@") || path.starts_with("generations/");
        let stored = words.starts_with("File");
        if sealed && words.starts_with("Directory") {
            assert!(words.starts_with("Directory 0555"), "{path}: {words}");
        }
        assert!(!stored || words.starts_with("File 0444"), "{path}: {words}");
    }
}

#[test]
fn three_generations_form_a_chain_and_share_what_did_not_change() {
    let shop = Workshop::with(3);
    assert_eq!(shop.store.numbers().unwrap(), [1, 2, 3]);
    for number in [2, 3] {
        let parent = shop.store.generation(number).unwrap().manifest.parent.unwrap();
        assert_eq!(
            (parent.number, parent.digest),
            (number - 1, shop.store.recorded(number - 1).unwrap().digest)
        );
    }
    let inode = |path| PosixDisk.state(&shop.at(path)).unwrap().unwrap().inode;
    assert_eq!(inode("public/@1/index.html"), inode("public/@3/index.html"));
    assert_eq!(inode("generations/1/workflow.json"), inode("generations/3/workflow.json"));
    assert_ne!(inode("public/@2/x/repodata/list"), inode("public/@3/x/repodata/list"));
    assert_eq!(shop.read("public/@1/x/repodata/list"), "1 packages");
    assert_eq!(shop.read("public/current/x/repodata/list"), "3 packages");
}

#[test]
fn the_same_draft_gives_the_same_bytes() {
    let (one, other) = (Workshop::with(2), Workshop::with(2));
    assert_eq!(one.store.recorded(2).unwrap().digest, other.store.recorded(2).unwrap().digest);
}

#[test]
fn a_package_that_lies_in_the_pool_already_is_not_stored_twice() {
    let shop = Workshop::with(1);
    let again = shop.arrive("package 1");
    let mut draft = shop.plain();
    let path = link_path(&again, 1).replace("x-production", "y-testing");
    draft.pool.push(crate::PoolArrival { digest: again.sha256, size: again.size, from: again.path.clone() });
    draft.links.push(PackageLink { digest: again.sha256, path: path.clone() });
    draft.links.push(PackageLink { digest: again.sha256, path: link_path(&again, 1) });
    let generation = shop.store.commit(&shop.lock, draft).unwrap();
    assert_eq!(generation.manifest.links_made, [path]);
    shop.store.remove_import("claim").unwrap();
    let pooled = shop.store.paths().pool_file(&again.sha256);
    assert_eq!(shop.links(pooled.as_str()), 3);
}

#[test]
fn a_carried_file_somebody_wrote_to_is_refused_by_name() {
    type Change = fn(&Workshop);
    let page = "public/@1/index.html";
    let changes: [(&str, Change); 5] = [
        ("size", |shop| {
            shop.scribble("public/@1/index.html", "other");
            PosixDisk.set_mode(&shop.at("public/@1/index.html"), 0o444).unwrap();
        }),
        ("modified", |shop| {
            let place = shop.at("public/@1/index.html");
            PosixDisk.set_mode(&place, 0o644).unwrap();
            shop.write("public/@1/index.html", "<p>WELCOME");
            PosixDisk.set_mode(&place, 0o444).unwrap();
        }),
        ("mode", |shop| PosixDisk.set_mode(&shop.at("public/@1/index.html"), 0o644).unwrap()),
        ("No such file", |shop| {
            shop.scribble("public/@1/index.html", "");
            PosixDisk.remove_file(&shop.at("public/@1/index.html")).unwrap();
        }),
        ("not a regular file", |shop| {
            shop.scribble("public/@1/index.html", "");
            PosixDisk.remove_file(&shop.at("public/@1/index.html")).unwrap();
            PosixDisk.symlink("x/repodata/list", &shop.at("public/@1/index.html")).unwrap();
        }),
    ];
    for (word, change) in changes {
        let shop = Workshop::with(1);
        change(&shop);
        let said = refusal(&shop, shop.plain()).replace("entity not found", "No such file");
        assert!(said.contains(page) && said.contains(word), "{word}: {said}");
    }
}

#[test]
fn a_file_comes_back_from_an_older_generation() {
    let shop = Workshop::with(2);
    let mut draft = shop.plain();
    let from = Source::CarryFrom { generation: 1, path: "x/repodata/list".into(), until: None };
    draft.public.insert("old/list".into(), from);
    draft.public.insert("x/repodata/list".into(), Source::CarryUntil(second(99)));
    let generation = shop.store.commit(&shop.lock, draft).unwrap();
    assert_eq!(shop.store.read_public(&generation, "old/list").unwrap(), b"1 packages");
    assert_eq!(generation.files.public["x/repodata/list"].until, Some(second(99)));
    assert_eq!(generation.files.public["index.html"].until, None);
}

#[test]
fn an_existing_link_must_be_the_file_of_the_pool() {
    let shop = Workshop::with(1);
    let mut draft = shop.draft();
    let wanted = draft.links[0].path.clone();
    shop.write(&format!("public/{wanted}"), "something else");
    draft.links.push(PackageLink { digest: draft.links[0].digest, path: wanted.clone() });
    let said = refusal(&shop, draft);
    assert!(said.contains(&wanted) && said.contains("is not the file"), "{said}");
    assert_eq!(shop.read(&format!("public/{wanted}")), "something else");
}

#[test]
fn a_package_that_is_not_what_was_brought_in_is_refused() {
    let shop = Workshop::with(1);
    let mut draft = shop.draft();
    draft.pool[0].size += 1;
    assert!(refusal(&shop, draft).contains("bytes that was brought in"));
    let mut draft = shop.draft();
    draft.pool.clear();
    assert!(refusal(&shop, draft).contains("/pool/"));
}

#[test]
fn an_abandoned_generation_leaves_no_links() {
    let shop = Workshop::with(1);
    let mut draft = shop.draft();
    let said = {
        draft.packages_links.insert("y/Packages".into(), "y-testing".into());
        draft.policy = b"format = 1 # new\n".to_vec();
        draft.public.insert("missing".into(), Source::Carry);
        refusal(&shop, draft)
    };
    assert!(said.contains("`missing` cannot be carried"), "{said}");
    assert_eq!(shop.names("public/packages"), ["x-production"]);
    assert_eq!((shop.names("pool").len(), shop.names("policy").len()), (1, 1));
    assert!(shop.names("quarantine/2").is_empty(), "only the number is left");
    assert_eq!(shop.store.next_number().unwrap(), 3);
    shop.publish();
    assert!(shop.names("quarantine").is_empty(), "the number is forgotten once a higher one is published");
}

#[test]
fn commits_that_are_abandoned_for_ever_do_not_fill_the_disk() {
    let shop = Workshop::with(1);
    let mut names = BTreeSet::new();
    for number in 2..40 {
        let mut draft = shop.draft();
        assert_eq!(draft.number, number, "no number is used again");
        draft.public.insert("missing".into(), Source::Carry);
        refusal(&shop, draft);
        shop.store.remove_import("claim").unwrap();
        names.insert(shop.picture().len());
    }
    assert_eq!(names.len(), 1, "the store grows or shrinks: {names:?}");
    assert_eq!(shop.names("quarantine"), ["39"]);
}

/// Counts what lies below `dir`.
fn names_below(disk: &ForgetfulDisk, dir: &Utf8Path) -> usize {
    let below = |name: &String| match disk.state(&dir.join(name)).unwrap().unwrap().kind {
        Kind::Directory => 1 + names_below(disk, &dir.join(name)),
        _ => 1,
    };
    disk.list(dir).unwrap().names.iter().map(below).sum()
}

#[test]
fn whatever_fails_leaves_no_more_behind_the_tenth_time_than_the_first() {
    let disk = Arc::new(ForgetfulDisk::new());
    let store = Store::new(disk.clone(), "/srv");
    store.create_directories().unwrap();
    let lock = store.lock().unwrap();
    let plain = Workshop::empty().plain();
    let attempt = |failing: Option<u64>| {
        let draft = Draft { number: store.next_number().unwrap(), ..plain.clone() };
        let before = disk.operations();
        disk.fail_only(failing.map_or(0, |offset| before + offset));
        let outcome = store.commit(&lock, draft);
        disk.fail_only(0);
        (outcome, disk.operations() - before)
    };
    // Whatever lies below the root, after each of so many failures: all before the flip, none published.
    let mut counts = Vec::new();
    let mut failing = 1;
    loop {
        match attempt(Some(failing)).0 {
            Err(CommitError::Abandoned(error)) => {
                assert!(!matches!(error, Error::NotCleaned { .. }), "{failing}: {error}");
                counts.push(names_below(&disk, store.paths().root()));
            }
            Err(CommitError::Unproven(_)) => break,
            Ok(_) => panic!("operation {failing} failed and nobody noticed"),
        }
        failing += 1;
    }
    assert!(failing > 20, "only {failing} operations");
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn drafts_no_generation_can_hold_are_refused_untouched() {
    type Spoil = fn(&mut Draft);
    let cases: [(&str, Spoil); 19] = [
        ("the next number is 2", |draft| draft.number = 1),
        ("no path inside it", |draft| drop(draft.public.insert("../x".into(), bytes("", 1)))),
        ("no path inside it", |draft| drop(draft.private.insert("/etc/x".into(), bytes("", 1)))),
        ("lies in what is to be a file", |draft| {
            drop(draft.public.insert("index.html/x".into(), bytes("", 1)))
        }),
        ("lies in what is to be a file", |draft| {
            draft.public.insert("x/Packages/y".into(), bytes("", 1));
        }),
        ("named twice", |draft| drop(draft.public.insert("x/Packages".into(), bytes("", 1)))),
        ("written by the store", |draft| drop(draft.private.insert("manifest.json".into(), bytes("", 1)))),
        ("no name of a repository", |draft| drop(draft.packages_links.insert("z".into(), "..".into()))),
        ("no place of packages", |draft| drop(draft.private_links.insert("z".into(), "../secret".into()))),
        ("no place of packages", |draft| {
            draft.private_links.insert("z".into(), "packages/../../secret".into());
        }),
        ("named twice", |draft| {
            draft.private.insert("z".into(), bytes("", 1));
            draft.private_links.insert("z".into(), "packages/x".into());
        }),
        ("no path for", |draft| draft.links[0].path = "packages/x/y/z.rpm".into()),
        ("no path for", |draft| draft.links[0].path.push_str("/../../../../../current")),
        ("both made and dropped", |draft| draft.drop_links.extend([draft.links[0].path.clone()])),
        ("no package link", |draft| draft.drop_links.extend(["current".into()])),
        ("drop itself", |draft| draft.drop_generations.extend([2])),
        ("cannot name a generation", |draft| {
            draft.names.insert("57".into(), Named { generation: 1, ended: false });
        }),
        ("is not kept", |draft| {
            draft.names.insert("old".into(), Named { generation: 7, ended: false });
        }),
        ("is dropped, but named", |draft| {
            draft.names.insert("one".into(), Named { generation: 1, ended: false });
            draft.drop_generations.insert(1);
        }),
    ];
    let shop = Workshop::with(1);
    let draft = shop.draft();
    let before = shop.picture();
    for (word, spoil) in cases {
        let mut spoilt = draft.clone();
        spoil(&mut spoilt);
        let said = shop.store.commit(&shop.lock, spoilt).unwrap_err().to_string();
        assert!(said.contains(word), "{word}: {said}");
        assert_eq!(shop.picture(), before, "{word}");
    }
    shop.store.commit(&shop.lock, draft).unwrap();
}

#[test]
fn a_commit_waits_for_the_one_before_to_be_finished() {
    let shop = Workshop::empty();
    let first = shop.store.commit(&shop.lock, shop.draft()).unwrap();
    let said = shop.store.commit(&shop.lock, shop.draft()).unwrap_err().to_string();
    assert!(said.contains("generations [1] are not finished"), "{said}");
    shop.store.finish(&shop.lock, first.number).unwrap();
    shop.publish();
}

#[test]
fn the_lock_of_another_root_is_refused() {
    let (shop, other) = (Workshop::empty(), Workshop::empty());
    let error = shop.store.commit(&other.lock, shop.draft()).unwrap_err();
    assert!(matches!(error, CommitError::Abandoned(Error::OtherLock { .. })), "{error}");
    assert!(matches!(shop.store.lock(), Err(Error::Locked { .. })));
}

#[test]
fn a_name_leads_to_its_generation_until_it_is_ended() {
    let shop = Workshop::with(1);
    let mut draft = shop.draft();
    draft.names.insert("update-57".into(), Named { generation: 1, ended: false });
    draft.names.insert("update-58".into(), Named { generation: 2, ended: false });
    shop.store.commit(&shop.lock, draft).unwrap();
    shop.store.finish(&shop.lock, 2).unwrap();
    assert_eq!(shop.read("public/@update-57/x/repodata/list"), "1 packages");
    assert_eq!(shop.read("public/@update-58/x/repodata/list"), "2 packages");

    let mut lost = shop.plain();
    lost.names.remove("update-57");
    assert!(shop.store.commit(&shop.lock, lost).unwrap_err().to_string().contains("is lost or bound anew"));
    let mut bound = shop.plain();
    bound.names.insert("update-57".into(), Named { generation: 2, ended: false });
    assert!(shop.store.commit(&shop.lock, bound).unwrap_err().to_string().contains("is lost or bound anew"));

    let mut draft = shop.draft();
    draft.names.insert("update-57".into(), Named { generation: 1, ended: true });
    shop.store.commit(&shop.lock, draft).unwrap();
    shop.store.finish(&shop.lock, 3).unwrap();
    assert!(!shop.has("public/@update-57") && shop.has("public/@update-58"));
    let mut revived = shop.plain();
    revived.names.insert("update-57".into(), Named { generation: 1, ended: false });
    assert!(
        shop.store.commit(&shop.lock, revived).unwrap_err().to_string().contains("is lost or bound anew")
    );
}

#[test]
fn a_store_of_an_ordinary_user_does_all_of_this() {
    let shop = Workshop::with(1);
    let uid = if rustix::process::getuid().is_root() { 65_534 } else { rustix::process::getuid().as_raw() };
    shop.give_to(uid);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if rustix::process::getuid().is_root() {
                let ordinary = rustix::process::Uid::from_raw(uid);
                rustix::thread::set_thread_res_uid(ordinary, ordinary, ordinary).unwrap();
            }
            let mut draft = shop.draft();
            draft.drop_generations.insert(1);
            shop.store.commit(&shop.lock, draft).unwrap();
            shop.store.finish(&shop.lock, 2).unwrap();
            assert_eq!(
                (shop.store.numbers().unwrap(), shop.store.past_numbers().unwrap()),
                (vec![2], vec![1])
            );
            let sealed = crate::recovery::tests::sealed(&shop);
            assert_eq!(PosixDisk.state(&shop.at("public/@3")).unwrap().unwrap().mode, 0o555);
            shop.store.recover(&shop.lock).unwrap();
            assert_eq!(shop.names(&format!("quarantine/{sealed}")), ["private", "public", "staging"]);
            shop.store.empty_quarantine(&shop.lock, sealed).unwrap();
            assert!(shop.names(&format!("quarantine/{sealed}")).is_empty());
            shop.publish();
        });
    });
    assert_eq!(PosixDisk.state(&shop.at("public/current")).unwrap().unwrap().kind, Kind::Link);
}

#[test]
fn a_package_answers_under_other_names_of_the_half_and_is_carried() {
    let shop = Workshop::with(1);
    let mut draft = shop.draft();
    let digest = draft.links[0].digest;
    let until = Some(second(9));
    draft.public.insert("x/old.rpm".into(), Source::Pooled { digest, until });
    let old = "packages/x-production/v/old.rpm".to_owned();
    draft.links.push(PackageLink { digest, path: old.clone() });
    draft.retained.insert(old.clone(), second(9));
    let generation = shop.store.commit(&shop.lock, draft).unwrap();
    shop.store.finish(&shop.lock, 2).unwrap();
    assert_eq!(generation.files.public["x/old.rpm"].until, until);
    assert_eq!(generation.files.public["x/old.rpm"].sha256, digest);
    assert_eq!(shop.read("public/current/x/old.rpm"), shop.read("public/current/x/Packages/v/old.rpm"));
    assert!(generation.manifest.links_made.contains(&old), "a crash could not undo it");

    let generation = shop.publish();
    assert_eq!(generation.number, 3);
    let pool = format!("pool/{}/{digest}.rpm", digest.shard());
    // In the pool, at its digest path, below `Packages`, in two generations.
    assert_eq!(shop.links(&pool), 5);

    let mut draft = shop.plain();
    draft.public.insert("x/lost.rpm".into(), Source::Pooled { digest: Sha256::from([7; 32]), until });
    let refused = shop.store.commit(&shop.lock, draft).unwrap_err().to_string();
    assert!(refused.contains("pool/07/"), "{refused}");
    let mut draft = shop.plain();
    let elsewhere = format!("packages/x-production/07/{}/old.rpm", "07".repeat(8));
    draft.links.push(PackageLink { digest, path: elsewhere });
    let refused = shop.store.commit(&shop.lock, draft).unwrap_err().to_string();
    assert!(refused.contains("is no path for"), "another digest belongs there: {refused}");
}
