#![expect(clippy::disallowed_methods, reason = "lays out a pool")]

use camino::Utf8Path;

use super::*;
use crate::PosixDisk;

#[test]
fn only_what_is_certain_is_found() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::new(Utf8Path::from_path(root.path()).unwrap());
    let digest =
        |last: char| format!("ab12ab12ab12ab12{}", last.to_string().repeat(48)).parse::<Sha256>().unwrap();
    let find = |short: &str| pooled(&PosixDisk, &paths, short).unwrap();
    assert_eq!(find("ab12ab12ab12ab12"), None, "there is no such folder yet");
    std::fs::create_dir_all(paths.pool().join("ab")).unwrap();
    std::fs::write(paths.pool_file(&digest('1')), "").unwrap();
    assert_eq!(find("ab12ab12ab12ab12"), Some(digest('1')));
    for other in ["", "ab12", "ab12ab12ab12ab13", "../../../../../..", "AB12AB12AB12AB12", "ééééééééé"]
    {
        assert_eq!(find(other), None, "{other}");
    }
    std::fs::write(paths.pool_file(&digest('2')), "").unwrap();
    assert_eq!(find("ab12ab12ab12ab12"), None, "it could be either");
}
