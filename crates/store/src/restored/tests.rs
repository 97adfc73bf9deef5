use super::*;
use crate::workshop::Workshop;
use crate::{Disk, Modified, PosixDisk, Recovery};

/// Every package link of the site: all are promised.
fn promised(shop: &Workshop) -> BTreeSet<String> {
    let numbers = shop.store.numbers().unwrap();
    let made = numbers.iter().flat_map(|number| shop.store.history(*number).unwrap().links_made);
    made.filter(|link| link.starts_with("packages/")).collect()
}

fn mend(shop: &Workshop) -> Mended {
    let promised = promised(shop);
    let mut mended = Mended::default();
    shop.store.put_aside(&shop.lock, &mut mended).unwrap();
    shop.store.mend(&shop.lock, &promised, &mut mended).unwrap();
    mended
}

#[test]
fn a_whole_copy_is_left_as_it_is() {
    let shop = Workshop::with(3);
    let before = shop.picture();
    assert_eq!(mend(&shop), Mended::default());
    assert_eq!(shop.picture(), before);
}

#[test]
fn a_generation_above_current_is_put_aside_and_its_number_is_never_used_again() {
    let shop = Workshop::with(3);
    let pointer = shop.at("public/current");
    PosixDisk.remove_file(&pointer).unwrap();
    PosixDisk.symlink("@2", &pointer).unwrap();
    assert!(shop.store.recover(&shop.lock).is_err(), "recovery itself touches nothing of the kind");
    let mended = mend(&shop);
    assert_eq!(mended.put_aside, [3]);
    assert!(shop.has("quarantine/3/public") && !shop.has("public/@3") && !shop.has("generations/3"));
    assert_eq!(shop.store.recover(&shop.lock).unwrap(), Recovery::Idle { quarantined: vec![] });
    assert_eq!(shop.store.next_number().unwrap(), 4);
}

#[test]
fn a_generation_of_which_a_half_is_missing_leaves_its_manifest() {
    let shop = Workshop::with(3);
    let half = shop.at("public/@1");
    shop.store.remove_tree(&half).unwrap();
    let manifest = shop.read("generations/1/manifest.json");
    assert_eq!(mend(&shop).incomplete, [1]);
    assert_eq!(shop.read("history/1.json"), manifest);
    assert_eq!(shop.store.numbers().unwrap(), [2, 3]);
}

#[test]
fn what_a_copy_without_hard_links_modes_and_times_lost_is_put_right() {
    let shop = Workshop::with(2);
    let link = promised(&shop).into_iter().next().unwrap();
    let place = format!("public/{link}");
    let path = shop.at(&place);
    let picture = |shop: &Workshop| {
        // The page that was written anew is another file with the same bytes.
        let mut picture = shop.picture();
        picture.remove("public/@2/index.html");
        picture
    };
    let before = picture(&shop);

    // The link becomes a file of its own, as `rsync -a` without -H leaves it.
    let text = shop.read(&place);
    PosixDisk.remove_file(&path).unwrap();
    shop.store.write_file(&path, text.as_bytes(), None).unwrap();
    PosixDisk.set_mode(&path, 0o644).unwrap();
    let half = shop.at("public/@2");
    PosixDisk.set_mode(&half, 0o755).unwrap();
    let file = shop.at("generations/2/files.json");
    PosixDisk.set_mode(&file, 0o640).unwrap();
    let page = half.join("index.html");
    let bytes = shop.store.read_whole(&page).unwrap();
    PosixDisk.set_mode(page.parent().unwrap(), 0o755).unwrap();
    PosixDisk.remove_file(&page).unwrap();
    shop.store.write_file(&page, &bytes, Some(Modified::of_seconds(1))).unwrap().sync().unwrap();
    shop.write("staging/import/claim/hello.rpm", "half of it");
    shop.write(
        "public/packages/nobody/00/0000000000000000/lost.rpm",
        "of a generation that was never copied",
    );

    let mended = mend(&shop);
    assert_eq!((mended.linked, mended.pooled, mended.times, mended.orphans), (1, 0, 1, 1), "{mended:?}");
    assert_eq!(mended.leftovers, 1, "{mended:?}");
    assert!(mended.modes >= 3, "{mended:?}");
    assert!(shop.links(&place) >= 2 && shop.read(&place) == text);
    assert!(!shop.has("public/packages/nobody"));
    assert_eq!(picture(&shop), before);
    assert_eq!(mend(&shop), Mended::default(), "once is enough");
}

#[test]
fn a_package_that_is_missing_in_the_pool_comes_back_from_its_link_and_wrong_bytes_never_do() {
    let shop = Workshop::with(1);
    let link = promised(&shop).into_iter().next().unwrap();
    let digest = shop.store.digest_of(&shop.at(&format!("public/{link}"))).unwrap();
    let pooled = shop.store.paths().pool_file(&digest);
    PosixDisk.remove_file(&pooled).unwrap();
    assert_eq!(mend(&shop).pooled, 1);
    assert_eq!(shop.store.digest_of(&pooled).unwrap(), digest);

    PosixDisk.remove_file(&pooled).unwrap();
    shop.store.write_file(&pooled, b"other bytes", None).unwrap();
    let mended = mend(&shop);
    assert_eq!((mended.linked, mended.pooled), (0, 0), "{mended:?}");
    assert_eq!(shop.store.read_whole(&pooled).unwrap(), b"other bytes", "it is left to be found");
}
