use nevra::Algorithm;

use super::*;
use crate::{Contents, FileFacts, Recipe, digest, entry_of, package_of, read_head};

fn named_by(algorithm: Algorithm) -> Entry {
    let rpm = Recipe::new("voms", "1", "1").file("/usr/bin/a", "a").build();
    let head = read_head(&mut rpm.as_slice()).unwrap();
    let facts =
        FileFacts { size: rpm.len() as u64, digest: digest(algorithm, &rpm), mtime: 1, href: "a.rpm".into() };
    entry_of(&package_of(&head, facts).unwrap())
}

#[test]
fn another_name_is_what_would_have_been_written() {
    let (new, old) = (named_by(Algorithm::Sha256), named_by(Algorithm::Sha1));
    assert_ne!(new, old);
    assert_eq!(new.named(old.pkgid.clone()).unwrap(), old);
    assert_eq!(old.named(new.pkgid.clone()).unwrap(), new);
    assert_eq!(new.named(new.pkgid.clone()).unwrap(), new);
}

#[test]
fn the_name_is_found_however_metadata_was_laid_out() {
    let (new, old) = (named_by(Algorithm::Sha256), named_by(Algorithm::Sha1));
    let hex = &old.pkgid.hex;
    let primary = format!(
        "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" packages=\"1\"><package type='rpm'>\
         <checksum pkgid='YES' type='sha'>{hex}</checksum ><name>{hex}</name><arch>noarch</arch>\
         <version ver='1' rel='1'/><size package='1'/><location href='a'/></package></metadata>"
    );
    let list = |root: &str, namespace: &str| {
        format!(
            "<{root} xmlns=\"http://linux.duke.edu/metadata/{namespace}\" packages=\"1\">\
             <package arch='noarch' pkgid='{hex}'>{hex}</package></{root}>"
        )
    };
    let (files, other) = (list("filelists", "filelists"), list("otherdata", "other"));
    let contents = Contents::read(primary.as_bytes(), files.as_bytes(), other.as_bytes()).unwrap();
    let renamed = contents.entries[0].named(new.pkgid.clone()).unwrap();
    let shown = |slice: &Slice| String::from_utf8_lossy(slice).into_owned();
    let there = format!("<checksum type=\"sha256\" pkgid=\"YES\">{}</checksum ><name>{hex}<", new.pkgid.hex);
    assert!(shown(&renamed.fragments.primary).contains(&there));
    let there = format!("<package arch='noarch' pkgid='{}'>{hex}</package>", new.pkgid.hex);
    assert_eq!(shown(&renamed.fragments.filelists), there);
    assert_eq!(renamed.named(old.pkgid).unwrap().fragments.other, contents.entries[0].fragments.other);
}
