use super::*;
use crate::{Recipe, entry_of, gunzip, write_metadata};

fn three() -> [Vec<u8>; 3] {
    let entries: Vec<_> = crate::maker::samples().iter().map(Recipe::build).map(|rpm| entry(&rpm)).collect();
    let metadata = write_metadata(&entries, 1, &[]);
    [0, 1, 2].map(|at| gunzip(&metadata.files[at].1, 1 << 24).unwrap())
}

fn entry(rpm: &[u8]) -> crate::Entry {
    let head = crate::read_head(&mut &*rpm).unwrap();
    let facts = crate::FileFacts {
        size: rpm.len() as u64,
        digest: crate::sha256(rpm).into(),
        mtime: 0,
        href: "a.rpm".into(),
    };
    entry_of(&crate::package_of(&head, facts).unwrap())
}

#[test]
fn all_three_files_name_the_same_packages() {
    let files = three();
    let documents = [Document::Primary, Document::Filelists, Document::Other];
    let [primary, filelists, other] =
        [0, 1, 2].map(|at| Written::read(documents[at], &files[at]).unwrap().packages);
    assert_eq!(primary.len(), 3);
    for ((primary, filelists), other) in primary.iter().zip(&filelists).zip(&other) {
        assert_eq!((&primary.pkgid, &primary.name), (&filelists.pkgid, &filelists.name));
        assert_eq!((&primary.pkgid, &primary.name), (&other.pkgid, &other.name));
        assert_eq!((primary.href.as_str(), primary.algorithm.as_str()), ("a.rpm", "sha256"));
    }
}

#[test]
fn a_place_leads_to_its_bytes_and_to_its_elements() {
    let [file, ..] = three();
    let written = Written::read(Document::Primary, &file).unwrap();
    for place in &written.packages {
        let bytes = written.bytes(place);
        assert!(bytes.starts_with(b"<package type=\"rpm\">") && bytes.ends_with(b"</package>"));
        let tree = written.tree(place).unwrap();
        assert_eq!((tree.name.as_str(), tree.attribute("type")), ("package", Some("rpm")));
        let checksum = tree.children.iter().find(|child| child.name == "checksum").unwrap();
        assert_eq!(checksum.text, place.pkgid);
    }
}

#[test]
fn what_lies_is_listed_and_what_is_no_xml_is_refused() {
    let root = "xmlns=\"http://linux.duke.edu/metadata/other\"";
    let read = |body: &str| {
        let file = format!("<otherdata {root} packages=\"7\">{body}</otherdata>");
        let written = Written::read(Document::Other, file.as_bytes()).map_err(|error| error.to_string())?;
        Ok::<_, String>((written.claimed, written.packages.len(), written.others))
    };
    assert_eq!(read("<package/><x><package/></x>"), Ok((Some("7".into()), 1, vec!["x".into()])));
    assert!(read("<package>").is_err());
    assert!(read(&"<a>".repeat(40)).unwrap_err().contains("nest"));
    assert!(read("&bomb;").unwrap_err().contains("refers to nothing"));
    let bomb = format!("<!DOCTYPE a [<!ENTITY b \"bb\">]><otherdata {root}/>");
    assert!(
        Written::read(Document::Other, bomb.as_bytes()).unwrap_err().to_string().contains("document type")
    );
    assert!(Written::read(Document::Primary, b"").is_err());
}
