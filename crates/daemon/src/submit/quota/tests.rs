use super::*;
use crate::submit::{Bounds, Submitter};
use plan::Format;

fn spool() -> tempfile::TempDir {
    let spool = tempfile::tempdir().unwrap();
    for name in ["tmp", "incoming", "upload", "processing", "done", "failed"] {
        fs::create_dir(spool.path().join(name)).unwrap();
    }
    spool
}

fn path(spool: &tempfile::TempDir) -> &Utf8Path {
    spool.path().try_into().unwrap()
}

fn submitter(spool: &tempfile::TempDir, name: &str) -> Submitter {
    let quota = Quota { name: name.to_owned(), requests_max: 2, held_bytes_max: 8 << 20 };
    Submitter::new(path(spool).to_owned()).within(quota)
}

fn code(error: Error) -> &'static str {
    match error {
        Error::DoorFull { code, .. } => code,
        other => panic!("{other}"),
    }
}

const BOUNDS: Bounds = Bounds { bytes_max: 100 << 20, free_bytes_min: 0, digest: None };

#[test]
fn a_request_waits_until_it_is_answered_not_until_it_is_claimed() {
    let spool = spool();
    let cnaf = submitter(&spool, "cnaf");
    let [first, _] = [0; 2].map(|_| cnaf.send("import", Format::Toml, b"x").unwrap());
    assert_eq!(code(cnaf.send("import", Format::Toml, b"x").unwrap_err()), "door-requests");
    submitter(&spool, "ral").send("import", Format::Toml, b"x").unwrap();
    let claimed = path(&spool).join(format!("processing/{}-20260101T000000.000001Z-0a1b2c.toml", first.stem));
    fs::rename(path(&spool).join("incoming").join(&first.name), &claimed).unwrap();
    assert_eq!(code(cnaf.send("import", Format::Toml, b"x").unwrap_err()), "door-requests");
    fs::remove_file(claimed).unwrap();
    cnaf.send("import", Format::Toml, b"x").unwrap();
}

#[test]
fn what_comes_stops_when_it_is_more_than_fits_and_leaves_nothing() {
    let spool = spool();
    let cnaf = submitter(&spool, "cnaf");
    let uploaded = cnaf.upload_from("one", &mut &vec![1; 3 << 20][..], BOUNDS).unwrap();
    // An endless file is not written to its end first.
    let refused = cnaf.upload_from("two", &mut io::repeat(2), BOUNDS).unwrap_err();
    assert_eq!(code(refused), "door-bytes");
    let count = |place: &str| path(&spool).join(place).read_dir_utf8().unwrap().count();
    assert_eq!((count("upload"), count("tmp")), (1, 1));
    cnaf.upload_from("three", &mut &vec![3; 5 << 20][..], BOUNDS).unwrap();
    // Whoever took it, it is not held any more; and empty files count.
    fs::remove_file(path(&spool).join("upload").join(uploaded)).unwrap();
    let taken = (0..100).map(|n| cnaf.upload_from(&format!("empty-{n}"), &mut io::empty(), BOUNDS));
    assert_eq!(taken.filter(Result::is_ok).count(), 48);
    submitter(&spool, "ral").upload_from("four", &mut &vec![4; 7 << 20][..], BOUNDS).unwrap();
}

#[test]
fn a_ledger_that_is_no_file_is_not_opened() {
    let spool = spool();
    let cnaf = submitter(&spool, "cnaf");
    cnaf.send("import", Format::Toml, b"x").unwrap();
    let ledger = path(&spool).join("tmp").read_dir_utf8().unwrap().next().unwrap().unwrap();
    fs::rename(ledger.path(), path(&spool).join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", ledger.path()).unwrap();
    assert!(matches!(cnaf.send("import", Format::Toml, b"x"), Err(Error::File { .. })));
}
