use std::io::Write;

use store::forgetful::ForgetfulDisk;

use super::*;

fn disk(files: &[&str]) -> ForgetfulDisk {
    let disk = ForgetfulDisk::new();
    for file in files {
        let path = Utf8Path::new("/r").join(file);
        let mut above: Vec<_> = path.ancestors().skip(1).filter(|above| *above != "/").collect();
        above.reverse();
        for folder in above {
            let _ = disk.make_directory(folder, 0o755);
        }
        disk.create(&path, 0o644).unwrap().write_all(b"x").unwrap();
    }
    disk
}

fn found(disk: &ForgetfulDisk, excludes: &[&str], links: Links) -> (Vec<String>, Vec<String>) {
    let found = packages_below(disk, "/r".into(), &Excludes::new(excludes), links).unwrap();
    let unreadable = found.unreadable.iter().map(|odd| format!("{}: {}", odd.place, odd.why)).collect();
    (found.hrefs.iter().map(|href| href.to_string()).collect(), unreadable)
}

#[test]
fn packages_are_sorted_by_file_name_and_then_by_directory() {
    let disk = disk(&["b.rpm", "z/a.rpm", "a/b.rpm", "a/c/b.rpm", "B.rpm", "notes.txt", "x.rpm.part"]);
    let (hrefs, unreadable) = found(&disk, &[], Links::Listed);
    assert_eq!(hrefs, ["B.rpm", "z/a.rpm", "b.rpm", "a/b.rpm", "a/c/b.rpm"]);
    assert!(unreadable.is_empty());
    assert_eq!(found(&disk, &["*c/*", "B*"], Links::Listed).0, ["z/a.rpm", "b.rpm", "a/b.rpm"]);
}

#[test]
fn links_are_followed_and_a_loop_is_named_once() {
    let disk = disk(&["a/p.rpm", "deep/er/q.rpm"]);
    disk.symlink("../a/p.rpm", "/r/deep/p.rpm".into()).unwrap();
    disk.symlink("../../r", "/r/deep/loop".into()).unwrap();
    disk.symlink("deep/er", "/r/again".into()).unwrap();
    disk.symlink("/nowhere", "/r/dangling".into()).unwrap();
    disk.symlink("round", "/r/round".into()).unwrap();
    let (hrefs, unreadable) = found(&disk, &[], Links::Listed);
    assert_eq!(hrefs, ["a/p.rpm", "deep/p.rpm", "again/q.rpm", "deep/er/q.rpm"]);
    assert_eq!(unreadable, ["deep/loop: failed to walk into it: it leads back to a directory it stands in"]);
    assert_eq!(found(&disk, &[], Links::Skipped).0, ["a/p.rpm", "again/q.rpm", "deep/er/q.rpm"]);
}

#[test]
fn what_cannot_be_named_in_metadata_is_named_on_one_line() {
    let disk = disk(&["fine.rpm", "new\nline.rpm", "bell\u{7}.txt", "excluded\n.rpm"]);
    let (hrefs, unreadable) = found(&disk, &["excluded*"], Links::Listed);
    assert_eq!(hrefs, ["fine.rpm"]);
    let why = "failed to list it: its name holds a control character, which no address can carry";
    assert_eq!(unreadable, [format!("new\\nline.rpm: {why}")]);
}

#[test]
fn a_folder_that_may_not_be_read_is_named_and_the_rest_is_listed() {
    let disk = disk(&["a.rpm", "closed/b.rpm"]);
    disk.set_mode("/r/closed".into(), 0o300).unwrap();
    let (hrefs, unreadable) = found(&disk, &[], Links::Listed);
    assert_eq!(hrefs, ["a.rpm"]);
    assert_eq!(unreadable.len(), 1);
    assert!(unreadable[0].starts_with("closed: failed to list `/r/closed`: "), "{unreadable:?}");
    assert!(packages_below(&disk, "/none".into(), &Excludes::default(), Links::Listed).is_err());
}
