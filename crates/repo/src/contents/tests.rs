use super::*;
use crate::package::Package;
use crate::{sample, write_metadata};

fn read(packages: &[Package]) -> Contents {
    let [primary, filelists, other] = sample::files_of(packages);
    Contents::read(&primary, &filelists, &other).unwrap()
}

fn read_sample(primary: &str) -> Result<Contents, Error> {
    Contents::read(primary.as_bytes(), sample::FILELISTS.as_bytes(), sample::OTHER.as_bytes())
}

#[test]
fn slicing_gives_what_writing_took() {
    let packages = sample::repository(50);
    let written: Vec<Entry> = packages.iter().map(entry_of).collect();
    assert_eq!(read(&packages).entries, written);
    assert_eq!(read(&[]).entries, []);
}

#[test]
fn what_createrepo_c_wrote_is_sliced_as_we_would_write_it() {
    assert_eq!(read_sample(sample::PRIMARY).unwrap().entries, [entry_of(&sample::package())]);
}

#[test]
fn fragments_are_shared_with_their_file() {
    let contents = read(&sample::repository(2));
    let [first, second] = &contents.entries[..] else { panic!("two went in") };
    assert!(first.fragments.primary.shares_with(&second.fragments.primary));
    assert!(!first.fragments.primary.shares_with(&first.fragments.filelists));
}

#[test]
fn attributes_may_stand_in_any_order_and_between_other_quotes() {
    let other_order = sample::PRIMARY
        .replace("epoch=\"1\" ver=\"1.2~rc1\" rel=\"3\"", " rel='3'\n ver = \"1.2~rc1\" epoch=\"1\" ")
        .replace("type=\"sha256\" pkgid=\"YES\"", "pkgid=\"YES\" type=\"sha256\"")
        .replace("<location href=\"", "<location xml:base=\"http://x/?a=1&amp;b=>\" href=\"")
        .replace("start=\"4504\" end=\"8005\"", "end=\"8005\" start=\"4504\"")
        .replace("file=\"1767355300\" build=\"1767355200\"", "build=\"1767355200\" file=\"1767355300.25\"")
        .replace("package=\"8227\" installed=\"18\"", "installed=\"18\" package=\"8227\"")
        .replace("<arch>noarch</arch>", "<arch >noarch</arch >")
        .replace("<rpm:sourcerpm>sample", "<rpm:sourcerpm>&#115;ample");
    let read = read_sample(&other_order).unwrap().entries.remove(0);
    let expected = entry_of(&sample::package());
    assert_eq!(read.base.as_deref(), Some("http://x/?a=1&b=>"));
    let fragments = Arc::clone(&read.fragments);
    assert!(fragments.primary.starts_with(b"<package type") && fragments.primary.ends_with(b"</package>\n"));
    assert_eq!(Entry { fragments: Arc::clone(&expected.fragments), base: None, ..read }, expected);
}

#[test]
fn an_entry_moves_to_another_href() {
    let old = entry_of(&sample::package());
    let new = old.at("Packages/bd/<x>.rpm").unwrap();
    assert_eq!(new.href, "Packages/bd/<x>.rpm");
    let moved = Package { href: new.href.clone(), ..sample::package() };
    assert_eq!(new, entry_of(&moved));
    let based = sample::PRIMARY.replace("<location href", "<location xml:base=\"http://x\" href");
    let based = read_sample(&based).unwrap().entries.remove(0);
    assert_eq!(based.at(&old.href).unwrap(), old);
    let long = sample::PRIMARY.replace(".noarch.rpm\"/>", ".noarch.rpm\"></location>");
    assert_eq!(read_sample(&long).unwrap().entries[0].at("Packages/bd/<x>.rpm").unwrap(), new);
}

#[test]
fn the_three_files_may_differ_in_order_but_not_in_packages() {
    let packages = sample::repository(5);
    let backwards: Vec<Package> = packages.iter().rev().cloned().collect();
    let [primary, ..] = sample::files_of(&packages);
    let [_, filelists, other] = sample::files_of(&backwards);
    assert_eq!(Contents::read(&primary, &filelists, &other).unwrap(), read(&packages));

    let twice = [&packages[..], &packages[..2]].concat();
    assert_eq!(read(&twice).entries.len(), 7);
    let [primary_twice, ..] = sample::files_of(&twice);
    let error = Contents::read(&primary_twice, &filelists, &other).unwrap_err().to_string();
    assert!(error.starts_with("failed to match filelists with primary: it lacks package `"), "{error}");
    let [_, _, other_twice] = sample::files_of(&twice);
    let error = Contents::read(&primary, &filelists, &other_twice).unwrap_err().to_string();
    assert!(error.starts_with("failed to match other with primary: it lists package `"), "{error}");
}

#[test]
fn what_is_not_plain_is_parsed_and_written_anew() {
    let prefixed =
        sample::PRIMARY.replace("<rpm:", "<r:").replace("</rpm:", "</r:").replace("xmlns:rpm", "xmlns:r");
    let commented = sample::PRIMARY.replace("<format>", "<!-- </package> --><format>");
    let quoted = sample::PRIMARY.replace("<summary>Tom &amp;", "<summary><![CDATA[</package>]]>Tom &amp;");
    let expected = entry_of(&sample::package());
    for foreign in [prefixed, commented] {
        assert_ne!(foreign, sample::PRIMARY);
        assert_eq!(read_sample(&foreign).unwrap().entries, std::slice::from_ref(&expected), "{foreign}");
    }
    let read = read_sample(&quoted).unwrap().entries.remove(0);
    assert!(String::from_utf8_lossy(&read.fragments.primary).contains("<summary>&lt;/package&gt;Tom &amp;"));
}

fn refused(from: &str, to: &str, expected: &str) {
    let damaged = sample::PRIMARY.replacen(from, to, 1);
    assert_ne!(damaged, sample::PRIMARY, "{from}");
    let error = read_sample(&damaged).unwrap_err().to_string();
    assert!(error.contains(expected), "{to}: {error}");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    refused(
        "packages=\"1\"",
        "packages=\"2\"",
        "failed to read primary at byte 39: it claims 2 packages and lists 1",
    );
    refused("</metadata>", "", "it ends within `metadata`");
    refused("</package>", "", "`metadata` ends, which has not begun");
    refused("</package>", "</package></package>", "`package` ends, which has not begun");
    refused("</metadata>", "</metadata><metadata/>", "more follows behind the last element");
    refused("</metadata>", "</metadata>x", "text outside of every element");
    refused("<format>", "<package></package><format>", "a package lies within a package");
    refused("<package type=\"rpm\">", "<a/><package type=\"rpm\">", "`a` is no package");
    refused("<format>", "<format><name>x</name><a>".repeat(40).as_str(), "nest more than 32 deep");
    refused("<name>sample</name>", "", "the package has no `name`");
    refused("<name>", "<name>a</name><name>", "the package has `name` twice");
    refused("<name>sample", "<name>sam<b/>ple", "`name` is not plain text");
    refused("<rpm:sourcerpm>", "<rpm:sourcerpm/><rpm:sourcerpm>", "the package has `rpm:sourcerpm` twice");
    refused("href=", "href='x' href=", "attribute `href` is there twice");
    refused("epoch=\"1\"", "epoch=\"1\"x", "its attributes cannot be read");
    refused("package=\"8227\"", "package=\"\"", "`package` of `size` is no number");
    refused("pkgid=\"YES\">bd", "pkgid=\"YES\">", "failed to read primary at byte");
    refused(
        "pkgid=\"YES\">bd",
        "pkgid=\"YES\">db",
        "failed to match filelists with primary: it lacks package",
    );
    refused("cat's", "cat&#1;s", "it refers to something that XML does not name");
    refused("cat's", "cat\u{8}s", "control character `0x08`");
    refused("<metadata", "<!DOCTYPE m [<!ENTITY a \"b\">]><metadata", "it has a document type");
    refused("<format>", "<format a=\"", "the tag does not end");
}

#[test]
fn a_name_further_inside_is_not_the_name() {
    let hidden = sample::PRIMARY.replace("<format>", "<format><x><name>evil</name></x><name>evil</name>");
    assert_eq!(read_sample(&hidden).unwrap().entries[0].nevra, sample::package().nevra);
}

#[test]
fn slicing_and_parsing_never_disagree_on_damaged_files() {
    let mut random = fastrand::Rng::with_seed(42);
    let [primary, filelists, other] = sample::files_of(&sample::repository(2));
    let (mut sliced, mut refused, mut compared) = (0, 0, 0);
    for _ in 0..4_000 {
        let damaged = match random.u8(..3) {
            0 => [sample::damage(&primary, &mut random), filelists.clone(), other.clone()],
            1 => [primary.clone(), sample::damage(&filelists, &mut random), other.clone()],
            _ => [primary.clone(), filelists.clone(), sample::damage(&other, &mut random)],
        };
        let [primary, filelists, other] = &damaged;
        let Ok(contents) = Contents::read(primary, filelists, other) else {
            refused += 1;
            continue;
        };
        sliced += 1;
        let again = write_metadata(&contents.entries, 1, &[]);
        assert_eq!(again.files.len(), 3);
        let Ok(packages) = parse_packages(primary, filelists, other) else { continue };
        compared += 1;
        for (entry, package) in contents.entries.iter().zip(&packages) {
            let parsed = entry_of(package);
            let parsed =
                Entry { fragments: Arc::clone(&entry.fragments), base: entry.base.clone(), ..parsed };
            assert_eq!(*entry, parsed, "{}", String::from_utf8_lossy(primary));
        }
    }
    assert!(sliced > 400 && refused > 1_000 && compared > 300, "{sliced} {refused} {compared}");
}
