//! What cannot be read is read once for each state of its files, and what is too large is never there.

use super::*;
use crate::contexts::weight::WEIGHT_MAX;

#[test]
fn what_is_damaged_is_read_again_only_once_it_changed_or_long_after() {
    let disk = site();
    let sound = metadata(&Form::default(), "1");
    let primary = Utf8Path::new(TOP).join(&sound.files[0].0);
    let whole = sound.files[0].1.clone();
    write(&disk, &primary, &vec![b'x'; whole.len()]);
    let mut contexts = Contexts::default();
    let mut told = |now: Timestamp| {
        let known = contexts.known(&kept(&disk), &folder(), &platform(), now);
        let read = opened(&disk)[0];
        (known.map(|known| known.shelf.packages().len()).map_err(|unfit| unfit.code), read)
    };
    let corrupt = Err(Code::ContextCorrupt);
    assert_eq!(told(now()), (corrupt, 1));
    assert_eq!(told(now()), (corrupt, 0));
    assert_eq!(told(now() + SignedDuration::from_hours(1)), (corrupt, 1), "it may have been mended in place");
    write(&disk, &primary, &whole);
    assert_eq!(told(now()).0, Ok(2));
}

#[test]
fn what_a_disk_does_not_give_is_asked_for_again() {
    let disk = site();
    let sound = metadata(&Form::default(), "1");
    let primary = Utf8Path::new(TOP).join(&sound.files[0].0);
    disk.remove_file(&primary).unwrap();
    let mut contexts = Contexts::default();
    let mut code = || {
        let known = contexts.known(&kept(&disk), &folder(), &platform(), now());
        known.map(|known| known.shelf.packages().len()).map_err(|unfit| unfit.code)
    };
    assert_eq!(code(), Err(Code::ContextMissing));
    write(&disk, &primary, &sound.files[0].1);
    assert_eq!(code(), Ok(2));
}

#[test]
fn what_takes_too_much_memory_is_refused_and_what_there_is_stays() {
    let refused = fits(WEIGHT_MAX - 5, 6).unwrap_err();
    assert_eq!(refused.code, Code::ContextTooLarge);
    assert_eq!(refused.words, "it would take 2047 MiB beside 0 MiB of others, and all may take 2048 MiB");
    fits(WEIGHT_MAX - 5, 5).unwrap();
}
