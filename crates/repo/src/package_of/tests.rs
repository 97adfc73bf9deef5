use super::*;
use crate::guard::Part;
use crate::maker::Writer;
use crate::tags::*;
use crate::{FileKind, read_head};

/// Makes an RPM without payload from a header that has what every header has and what `fill` adds.
fn rpm(fill: impl Fn(&mut Writer), sign: impl Fn(&mut Writer)) -> Vec<u8> {
    let mut lead = vec![0; 96];
    lead[..5].copy_from_slice(&[0xed, 0xab, 0xee, 0xdb, 3]);
    let (mut signature, mut header) = (Writer::default(), Writer::default());
    sign(&mut signature);
    fill(&mut header);
    let mut signature = signature.finish(Part::Signature);
    signature.resize(signature.len().next_multiple_of(8), 0);
    [lead, signature, header.finish(Part::Header)].concat()
}

fn name(header: &mut Writer) {
    header.text(NAME, "foo");
    header.text(VERSION, "1");
    header.text(RELEASE, "1");
    header.text(ARCH, "noarch");
    header.text(SOURCE_RPM, "foo-1-1.src.rpm");
}

fn read(rpm: &[u8]) -> Result<Package, Error> {
    let facts = FileFacts { size: 1, digest: crate::sha256(b"").into(), mtime: 2, href: "foo.rpm".into() };
    package_of(&read_head(&mut &rpm[..])?, facts)
}

fn package(fill: impl Fn(&mut Writer)) -> Result<Package, Error> {
    read(&rpm(
        |header| {
            name(header);
            fill(header);
        },
        |_| (),
    ))
}

fn check_refused(fill: impl Fn(&mut Writer), expected: &str) {
    match package(fill) {
        Err(error) => assert!(error.to_string().contains(expected), "`{error}` does not say `{expected}`"),
        Ok(package) => panic!("{} was taken", package.nevra),
    }
}

fn files(header: &mut Writer, directories: &[&str], names: &[(u32, &str, u16, u32)]) {
    header.texts(DIRECTORY_NAMES, directories);
    header.numbers(DIRECTORY_INDEXES, names.iter().map(|(index, ..)| *index));
    header.texts(BASE_NAMES, names.iter().map(|(_, name, ..)| name));
    header.small_numbers(FILE_MODES, names.iter().map(|(_, _, mode, _)| *mode));
    header.numbers(FILE_FLAGS, names.iter().map(|(.., flags)| *flags));
}

#[test]
fn a_header_without_a_name_is_refused() {
    for missing in [NAME, VERSION, RELEASE, ARCH] {
        let bytes = rpm(
            |header| {
                for tag in [NAME, VERSION, RELEASE, ARCH].iter().filter(|tag| **tag != missing) {
                    header.text(*tag, "x");
                }
                header.text(SOURCE_RPM, "x.src.rpm");
            },
            |_| (),
        );
        assert!(matches!(read(&bytes), Err(Error::MissingTag { tag, .. }) if tag == missing.number));
    }
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    for bad in ["../foo", "foo/bar", "", ".foo", "fo o", "foo\n"] {
        let bytes = rpm(
            |header| {
                header.text(NAME, bad);
                header.text(VERSION, "1");
                header.text(RELEASE, "1");
                header.text(ARCH, "noarch");
            },
            |_| (),
        );
        assert!(matches!(read(&bytes), Err(Error::Name(_))), "{bad:?}");
    }
}

#[test]
fn a_control_character_is_refused_by_tag() {
    check_refused(|header| header.text(SUMMARY, "bell \x07"), "tag `1004` (summary)");
    let change = |header: &mut Writer| {
        header.numbers(CHANGELOG_TIME, [1]);
        header.texts(CHANGELOG_NAME, ["Ann"]);
        header.texts(CHANGELOG_TEXT, ["\x1b[1m"]);
    };
    check_refused(change, "tag `1082` (changelog text)");
    check_refused(|header| files(header, &["/"], &[(0, "a\x01b", 0o100_644, 0)]), "tag `1117` (base names)");
    let provide = |header: &mut Writer| {
        header.texts(PROVIDE_NAME, ["a"]);
        header.numbers(PROVIDE_FLAGS, [8]);
        header.texts(PROVIDE_VERSION, ["1\x02"]);
    };
    check_refused(provide, "tag `1113` (provide version)");
}

#[test]
fn text_of_another_age_is_read() {
    let package = package(|header| {
        header.texts(SUMMARY, [&b"Stra\xdfe"[..]]);
        files(header, &["/usr/share/"], &[(0, "caf\u{e9}", 0o100_644, 0)]);
    })
    .unwrap();
    assert_eq!(package.summary, "Straße");
    assert_eq!(package.files[0].path, "/usr/share/café");
    assert_eq!((package.description.as_str(), package.url.as_str()), ("", ""));
}

#[test]
fn lists_of_different_length_are_refused() {
    let provides = |header: &mut Writer, names: &[&str], flags: &[u32], versions: &[&str]| {
        header.texts(PROVIDE_NAME, names);
        header.numbers(PROVIDE_FLAGS, flags.iter().copied());
        header.texts(PROVIDE_VERSION, versions);
    };
    check_refused(|header| provides(header, &["a", "b"], &[0], &["", ""]), "it has 1 values, tag `1047`");
    check_refused(|header| provides(header, &["a"], &[0], &["", ""]), "tag `1113` (provide version)");
    let short = |header: &mut Writer| {
        header.texts(DIRECTORY_NAMES, ["/"]);
        header.numbers(DIRECTORY_INDEXES, [0, 0]);
        header.texts(BASE_NAMES, ["a", "b"]);
        header.small_numbers(FILE_MODES, [0]);
        header.numbers(FILE_FLAGS, [0, 0]);
    };
    check_refused(short, "tag `1030` (file modes)");
    check_refused(|header| header.texts(BASE_NAMES, ["a"]), "tag `1116` (directory indexes)");
    let changes = |header: &mut Writer| {
        header.numbers(CHANGELOG_TIME, [1, 2]);
        header.texts(CHANGELOG_NAME, ["a", "b"]);
        header.texts(CHANGELOG_TEXT, ["a"]);
    };
    check_refused(changes, "tag `1082` (changelog text)");
}

#[test]
fn paths_are_bounded() {
    check_refused(|header| files(header, &["/"], &[(1, "a", 0, 0)]), "it names directory 1 of 1");
    check_refused(|header| files(header, &["/"], &[(0, &"a".repeat(4096), 0, 0)]), "a path has 4097 bytes");
    let long = format!("/{}/", "d".repeat(4000));
    check_refused(|header| files(header, &[&long], &vec![(0, "a", 0, 0); 70_000]), "all paths together");
}

#[test]
fn dependencies_are_bounded() {
    let many = |header: &mut Writer| {
        header.texts(CONFLICT_NAME, std::iter::repeat_n("a", 600_000));
        header.texts(OBSOLETE_NAME, std::iter::repeat_n("a", 600_000));
    };
    check_refused(many, "tag `1090` (obsolete name)");
}

#[test]
fn a_ghost_directory_is_a_directory() {
    let all = [
        (0, "file", 0o100_644, 0),
        (0, "ghost", 0o100_644, 1 << 6),
        (0, "dir", 0o040_755, 0),
        (0, "gone", 0o040_755, 1 << 6),
        (0, "link", 0o120_777, 0),
    ];
    let kinds: Vec<FileKind> =
        package(|header| files(header, &["/a/"], &all)).unwrap().files.iter().map(|file| file.kind).collect();
    use FileKind::{Directory, File, Ghost};
    assert_eq!(kinds, [File, Ghost, Directory, Directory, File]);
}

#[test]
fn packages_from_before_rpm_4_have_whole_paths() {
    let package = package(|header| {
        header.texts(OLD_FILE_NAMES, ["/bin/a", "/etc/b"]);
        header.small_numbers(FILE_MODES, [0o100_755, 0o040_755]);
        header.numbers(FILE_FLAGS, [0, 0]);
    })
    .unwrap();
    assert_eq!(package.files[0].path, "/bin/a");
    assert_eq!(package.files[1].kind, FileKind::Directory);
}

#[test]
fn a_source_package_is_known_by_its_tag_or_its_files() {
    let arch = |fill: &dyn Fn(&mut Writer)| {
        let bytes = rpm(
            |header| {
                header.text(NAME, "foo");
                header.text(VERSION, "1");
                header.text(RELEASE, "1");
                header.text(ARCH, "i386");
                fill(header);
            },
            |_| (),
        );
        let package = read(&bytes).unwrap();
        format!("{} {}", package.nevra.arch, package.source_rpm)
    };
    assert_eq!(arch(&|header| header.numbers(SOURCE_PACKAGE, [1])), "src ");
    assert_eq!(arch(&|header| header.text(SOURCE_RPM, "foo.src.rpm")), "i386 foo.src.rpm");
    assert_eq!(arch(&|header| files(header, &[""], &[(0, "foo.spec", 0o100_644, 0)])), "src ");
    assert_eq!(arch(&|_| ()), "i386 (none)");
    // Of old the first of the whole paths decides.
    let old = |paths: [&'static str; 2]| {
        arch(&move |header| {
            header.texts(OLD_FILE_NAMES, paths);
            header.small_numbers(FILE_MODES, [0o100_644, 0o100_644]);
            header.numbers(FILE_FLAGS, [0, 0]);
        })
    };
    assert_eq!(old(["usr/x", "/usr/y"]), "src ");
    assert_eq!(old(["/usr/x", "y"]), "i386 (none)");
}

#[test]
fn a_package_that_contradicts_itself_on_being_a_source_is_refused() {
    let words = |says: u32, names: bool| {
        let fill = |header: &mut Writer| {
            for tag in [NAME, VERSION, RELEASE, ARCH] {
                header.text(tag, "1");
            }
            if names {
                header.text(SOURCE_RPM, "foo.src.rpm");
            }
            header.numbers(SOURCE_PACKAGE, [says]);
        };
        read(&rpm(fill, |_| ())).unwrap_err().to_string()
    };
    let said = words(1, true);
    assert!(
        said.ends_with("it says this is a source package, and tag `1044` (source rpm) is there"),
        "{said}"
    );
    let said = words(0, false);
    assert!(said.contains("it says this is not a source package") && said.ends_with("is missing"), "{said}");
}

#[test]
fn provides_of_rpm_3_with_half_of_what_belongs_to_them_are_refused() {
    let head = |of_rpm_3: bool, tag: Tag| {
        let bytes = rpm(
            |header| {
                name(header);
                header.texts(PROVIDE_NAME, ["foo"]);
                match tag == PROVIDE_FLAGS {
                    true => header.numbers(PROVIDE_FLAGS, [8]),
                    false => header.texts(PROVIDE_VERSION, ["1-1"]),
                }
            },
            |_| (),
        );
        let mut head = read_head(&mut bytes.as_slice()).unwrap();
        head.header.is_of_rpm_3 = of_rpm_3;
        relations::relations_of(&head.header, false, &[])
    };
    for tag in [PROVIDE_FLAGS, PROVIDE_VERSION] {
        let said = head(true, tag).unwrap_err().to_string();
        assert!(
            said.contains(&format!("`{}`", tag.number)) && said.contains("it is there without tag"),
            "{said}"
        );
        // To rpm 4 this is no list at all.
        assert_eq!(head(false, tag).unwrap().provides, []);
    }
}

#[test]
fn a_name_that_is_not_utf8_is_not_made_into_another() {
    let mut rpm = crate::Recipe::new("hollow", "10", "1").build();
    let head = read_head(&mut rpm.as_slice()).unwrap();
    let start = usize::try_from(head.header_range().start).unwrap();
    let name = memchr::memmem::find(&rpm[start..], b"hollow\0").unwrap() + start;
    rpm[name + 3] = 0xae;
    let head = read_head(&mut rpm.as_slice()).unwrap();
    let facts = FileFacts { size: 0, digest: crate::sha256(&rpm).into(), mtime: 0, href: String::new() };
    let said = package_of(&head, facts).unwrap_err().to_string();
    assert!(said.contains("`1000` (name)") && said.ends_with("its byte 4 is not UTF-8"), "{said}");
}

#[test]
fn the_archive_size_is_found_wherever_it_stands() {
    let size = |fill: &dyn Fn(&mut Writer), sign: &dyn Fn(&mut Writer)| {
        let fill = |header: &mut Writer| {
            name(header);
            fill(header);
        };
        read(&rpm(fill, sign)).unwrap().size_archive
    };
    let old = |header: &mut Writer| header.numbers(ARCHIVE_SIZE, [5]);
    let signed = |header: &mut Writer| header.numbers(signature::ARCHIVE_SIZE, [6]);
    assert_eq!(size(&|_| (), &|_| ()), 0);
    assert_eq!(size(&|_| (), &signed), 6);
    assert_eq!(size(&old, &|_| ()), 5);
    // In the header, 1007 is the build host.
    assert_eq!(size(&|header| header.text(BUILD_HOST, "h"), &|_| ()), 0);
}

#[test]
fn weak_dependencies_of_old_count() {
    let package = package(|header| {
        header.texts(OLD_SUGGESTS_NAME, ["soft", "strong"]);
        header.numbers(OLD_SUGGESTS_FLAGS, [0, 1 << 27]);
        header.texts(OLD_SUGGESTS_VERSION, ["", ""]);
        header.texts(OLD_ENHANCES_NAME, ["soft", "strong"]);
        header.numbers(OLD_ENHANCES_FLAGS, [0, 1 << 27]);
        header.texts(OLD_ENHANCES_VERSION, ["", ""]);
        header.texts(RECOMMEND_NAME, ["new"]);
        header.numbers(RECOMMEND_FLAGS, [0]);
        header.texts(RECOMMEND_VERSION, [""]);
    })
    .unwrap();
    let names =
        |list: &[crate::Relation]| list.iter().map(|relation| relation.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&package.recommends), ["new", "strong"]);
    assert_eq!(names(&package.suggests), ["soft"]);
    assert_eq!(names(&package.supplements), ["strong"]);
    assert_eq!(names(&package.enhances), ["soft"]);
}

#[test]
fn ten_changes_stay_and_the_oldest_is_first() {
    let package = package(|header| {
        header.numbers(CHANGELOG_TIME, (0..12).map(|n| 1000 - n / 2 * 10));
        header.texts(CHANGELOG_NAME, (0..12).map(|n| format!("author {n}  ")));
        header.texts(CHANGELOG_TEXT, (0..12).map(|n| format!("- {n}")));
    })
    .unwrap();
    let shown: Vec<(i64, &str)> =
        package.changelogs.iter().map(|change| (change.date, change.author.as_str())).collect();
    assert_eq!(shown.len(), 10);
    assert_eq!(shown[..3], [(960, "author 9"), (961, "author 8"), (970, "author 7")]);
    assert_eq!(shown[9], (1001, "author 0"));
}
