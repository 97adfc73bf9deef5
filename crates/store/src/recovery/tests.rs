use super::*;
use crate::staging::Staging;
use crate::workshop::Workshop;
use crate::{Disk, Kind, Named, PosixDisk};

/// Stops the usual next generation when it is sealed and both halves lie in their place.
pub(crate) fn sealed(shop: &Workshop) -> u64 {
    let number = staged(shop);
    for (from, to) in [("private", format!("generations/{number}")), ("public", format!("public/@{number}"))]
    {
        PosixDisk.rename(&shop.at(&format!("staging/{number}/{from}")), &shop.at(&to)).unwrap();
        PosixDisk.set_mode(&shop.at(&to), 0o555).unwrap();
    }
    number
}

/// Stops the usual next generation when it is sealed and lies in `staging/` still.
fn staged(shop: &Workshop) -> u64 {
    let draft = shop.draft();
    let number = draft.number;
    let staging = Staging::begin(&shop.store, draft, shop.store.current().unwrap());
    staging.and_then(Staging::link).and_then(Staging::fill).and_then(Staging::seal).unwrap();
    number
}

fn recover(shop: &Workshop) -> Recovery {
    shop.store.recover(&shop.lock).unwrap()
}

/// Recovers once more and publishes: the number that was given up is not used again.
fn goes_on(shop: &Workshop, after: u64) {
    let before = shop.picture();
    assert!(matches!(recover(shop), Recovery::Idle { quarantined } if quarantined.is_empty()));
    let without_link = |mut picture: std::collections::BTreeMap<String, String>| {
        picture.remove("public/current");
        picture
    };
    assert_eq!(without_link(shop.picture()), without_link(before));
    assert_eq!(shop.publish().number, after + 1);
}

#[test]
fn an_empty_store_stays_empty() {
    let shop = Workshop::empty();
    let before = shop.picture();
    assert_eq!(recover(&shop), Recovery::Empty);
    assert_eq!(shop.picture(), before);
    assert_eq!(shop.store.next_number().unwrap(), 1);
}

#[test]
fn a_first_generation_that_was_never_published_is_put_away() {
    let shop = Workshop::empty();
    sealed(&shop);
    assert_eq!(recover(&shop), Recovery::Empty);
    assert_eq!(shop.names("public"), ["packages"]);
    assert!(shop.names("pool").is_empty() && shop.names("policy").is_empty());
    assert_eq!(shop.store.next_number().unwrap(), 2);
}

#[test]
fn an_idle_store_is_left_as_it_is() {
    let shop = Workshop::with(2);
    goes_on(&shop, 2);
}

#[test]
fn whatever_exists_of_an_unpublished_generation_goes_to_quarantine() {
    type Leave = fn(&Workshop, u64);
    let cases: [(&str, Leave, &[&str]); 6] = [
        ("staging", |_, _| (), &["staging"]),
        (
            "staging and P",
            |shop, n| {
                let to = shop.at(&format!("generations/{n}"));
                PosixDisk.rename(&shop.at(&format!("staging/{n}/private")), &to).unwrap();
            },
            &["private", "staging"],
        ),
        (
            "staging and W",
            |shop, n| {
                let to = shop.at(&format!("public/@{n}"));
                PosixDisk.rename(&shop.at(&format!("staging/{n}/public")), &to).unwrap();
            },
            &["public", "staging"],
        ),
        (
            "all, tops not sealed",
            |shop, n| {
                for (from, to) in
                    [("private", format!("generations/{n}")), ("public", format!("public/@{n}"))]
                {
                    PosixDisk.rename(&shop.at(&format!("staging/{n}/{from}")), &shop.at(&to)).unwrap();
                }
            },
            &["private", "public", "staging"],
        ),
        (
            "P alone",
            |shop, n| {
                shop.store.undo_links(&shop.store.read_links(n).unwrap().unwrap()).unwrap();
                let to = shop.at(&format!("generations/{n}"));
                PosixDisk.rename(&shop.at(&format!("staging/{n}/private")), &to).unwrap();
                shop.store.remove_tree(&shop.at(&format!("staging/{n}"))).unwrap();
            },
            &["private"],
        ),
        (
            "staging without links.json",
            |shop, n| {
                shop.store.undo_links(&shop.store.read_links(n).unwrap().unwrap()).unwrap();
                PosixDisk.remove_file(&shop.at(&format!("staging/{n}/links.json"))).unwrap();
            },
            &["staging"],
        ),
    ];
    for (what, leave, kept) in cases {
        let shop = Workshop::with(2);
        let number = staged(&shop);
        shop.store.remove_import("claim").unwrap();
        leave(&shop, number);
        assert_eq!(recover(&shop), Recovery::Idle { quarantined: vec![3] }, "{what}");
        assert_eq!(shop.names("quarantine/3"), kept, "{what}");
        assert_eq!(shop.names("staging"), ["import"], "{what}");
        assert_eq!((shop.names("generations").len(), shop.names("pool").len()), (2, 2), "{what}");
        let links = shop.picture().keys().filter(|path| path.ends_with(".rpm")).count();
        assert_eq!(links, 4, "{what}: two packages, each in the pool and linked once");
        goes_on(&shop, 3);
    }
}

#[test]
fn a_sealed_generation_that_was_not_published_goes_to_quarantine() {
    let shop = Workshop::with(1);
    sealed(&shop);
    assert_eq!(recover(&shop), Recovery::Idle { quarantined: vec![2] });
    assert_eq!(shop.names("quarantine/2"), ["private", "public", "staging"]);
    assert_eq!(shop.read("public/current/x/repodata/list"), "1 packages");
    goes_on(&shop, 2);
}

#[test]
fn several_numbers_that_were_given_up_are_put_away_together() {
    let shop = Workshop::with(1);
    for name in ["staging/2", "staging/4"] {
        PosixDisk.make_directory(&shop.at(name), 0o755).unwrap();
    }
    assert_eq!(recover(&shop), Recovery::Idle { quarantined: vec![2, 4] });
    goes_on(&shop, 4);
}

#[test]
fn a_visible_generation_keeps_its_links_and_waits_for_its_answers() {
    let shop = Workshop::with(1);
    let mut draft = shop.draft();
    draft.names.insert("update-57".into(), Named { generation: 2, ended: false });
    shop.store.commit(&shop.lock, draft).unwrap();
    let inode = || PosixDisk.state(&shop.at("public/current")).unwrap().unwrap().inode;
    let before = inode();
    // The instant came, the names did not.
    PosixDisk.remove_file(&shop.at("public/@update-57")).unwrap();
    for _ in 0..2 {
        assert_eq!(recover(&shop), Recovery::Visible { number: 2 });
        assert_eq!(shop.read("public/@update-57/x/repodata/list"), "2 packages");
        assert!(shop.has("staging/2/links.json"));
    }
    assert_ne!(inode(), before, "the link is made anew");
    shop.store.finish(&shop.lock, 2).unwrap();
    assert_eq!(shop.store.generation(2).unwrap().manifest.links_made.len(), 2);
    goes_on(&shop, 2);
}

#[test]
fn what_a_crash_left_of_the_pointer_is_no_hindrance() {
    let shop = Workshop::with(1);
    PosixDisk.symlink("@7", &shop.at("staging/pointer")).unwrap();
    assert_eq!(recover(&shop), Recovery::Idle { quarantined: vec![] });
    assert_eq!(shop.names("staging"), ["import"]);
}

#[test]
fn a_superseded_generation_is_kept() {
    let shop = Workshop::with(3);
    recover(&shop);
    assert_eq!(shop.store.numbers().unwrap(), [1, 2, 3]);
}

#[test]
fn leftovers_of_a_superseded_generation_lose_no_links() {
    let shop = Workshop::with(1);
    shop.store.commit(&shop.lock, shop.draft()).unwrap();
    PosixDisk.rename(&shop.at("staging/2"), &shop.at("staging/aside")).unwrap();
    shop.publish();
    PosixDisk.rename(&shop.at("staging/aside"), &shop.at("staging/2")).unwrap();
    assert_eq!(recover(&shop), Recovery::Idle { quarantined: vec![] });
    assert_eq!(shop.names("pool").len(), 3);
    assert_eq!(shop.store.numbers().unwrap(), [1, 2, 3]);
    goes_on(&shop, 3);
}

#[test]
fn a_root_somebody_broke_is_not_touched() {
    type Break = fn(&Workshop);
    let cases: [(&str, Break); 11] = [
        ("points to `@9`", |shop| point(shop, "@9")),
        ("points to `/elsewhere`", |shop| point(shop, "/elsewhere")),
        ("points to `@02`", |shop| point(shop, "@02")),
        ("generation 2 was published", |shop| point(shop, "@1")),
        ("is missing, but generation 1", |shop| PosixDisk.remove_file(&shop.at("public/current")).unwrap()),
        ("not a symlink", |shop| {
            PosixDisk.remove_file(&shop.at("public/current")).unwrap();
            PosixDisk.make_directory(&shop.at("public/current"), 0o755).unwrap();
        }),
        ("generations/2` : it is not a directory", |shop| {
            PosixDisk.set_mode(&shop.at("generations/2"), 0o755).unwrap();
            PosixDisk.rename(&shop.at("generations/2"), &shop.at("cache/2")).unwrap();
        }),
        ("public/@2` : it is not a directory", |shop| {
            PosixDisk.set_mode(&shop.at("public/@2"), 0o755).unwrap();
            PosixDisk.rename(&shop.at("public/@2"), &shop.at("cache/2")).unwrap();
        }),
        ("manifest.json`: EOF", |shop| shop.scribble("generations/2/manifest.json", "{")),
        ("files.json`: its digest", |shop| shop.scribble("generations/2/files.json", "{}")),
        ("not the parent", |shop| {
            let text = shop.read("generations/1/manifest.json");
            shop.scribble("generations/1/manifest.json", &format!("{text} "));
        }),
    ];
    for (word, spoil) in cases {
        let shop = Workshop::with(2);
        // Something that would be put away, were all well.
        PosixDisk.make_directory(&shop.at("staging/3"), 0o755).unwrap();
        spoil(&shop);
        let before = shop.picture();
        let error = shop.store.recover(&shop.lock).unwrap_err();
        let said = error.to_string().replace("failed to use", "").replace("`:", "` :");
        let said = said.replace("json` :", "json`:");
        match word.strip_prefix("points to `@9`") {
            Some(_) => assert!(said.contains("names generation 9"), "{said}"),
            None => assert!(said.contains(word), "{word}: {said}"),
        }
        assert!(matches!(error, Error::Broken { .. }), "{word}: {said}");
        assert_eq!(shop.picture(), before, "{word}");
    }
}

fn point(shop: &Workshop, target: &str) {
    PosixDisk.remove_file(&shop.at("public/current")).unwrap();
    PosixDisk.symlink(target, &shop.at("public/current")).unwrap();
}

#[test]
fn links_nobody_can_read_stop_recovery_before_it_begins() {
    let shop = Workshop::with(1);
    sealed(&shop);
    shop.scribble(
        "staging/2/links.json",
        "{\"format\": 1, \"number\": 2, \"links\": [\"../x\"], \"repositories\": []}",
    );
    let before = shop.picture();
    let said = shop.store.recover(&shop.lock).unwrap_err().to_string();
    assert!(said.contains("links.json") && said.contains("`../x` is no link"), "{said}");
    assert_eq!(shop.picture(), before);
}

#[test]
fn only_links_of_the_unpublished_generation_are_undone() {
    let shop = Workshop::with(2);
    let before: Vec<String> = shop.picture().into_keys().filter(|path| path.contains("packages")).collect();
    staged(&shop);
    recover(&shop);
    let after: Vec<String> = shop.picture().into_keys().filter(|path| path.contains("packages")).collect();
    assert_eq!(after, before);
    assert_eq!(
        PosixDisk.state(&shop.at("public/packages/x-production")).unwrap().unwrap().kind,
        Kind::Directory
    );
}

#[test]
fn an_emptied_quarantine_keeps_its_number_until_a_higher_one_is_published() {
    let shop = Workshop::with(1);
    sealed(&shop);
    recover(&shop);
    shop.store.empty_quarantine(&shop.lock, 2).unwrap();
    let left = shop.store.quarantined().unwrap();
    assert_eq!((left[0].number, left[0].emptied), (2, true));
    assert_eq!(shop.publish().number, 3);
    assert!(shop.names("quarantine").is_empty());
}
