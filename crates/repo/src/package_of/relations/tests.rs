use super::*;

fn row(name: &str, flags: u64, version: &str) -> Row {
    Row { name: name.into(), flags, version: version.into(), is_void: false }
}

fn check(requires: &[Row], provides: &[Row], files: &[&str], expected: &[&str]) {
    let files: Vec<File> =
        files.iter().map(|path| File { path: (*path).into(), kind: crate::FileKind::File }).collect();
    let mut relations = Relations::default();
    let requires = requires.iter().map(|r| row(&r.name, r.flags, &r.version)).collect();
    sort_requires(requires, provides, &files, &mut relations);
    let shown: Vec<String> = relations
        .requires
        .iter()
        .map(|r| format!("{}{}", if r.pre { "pre " } else { "" }, r.dependency()))
        .chain(relations.recommends.iter().map(|r| format!("maybe {}", r.dependency())))
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn what_rpm_or_the_package_itself_meets_is_left_out() {
    let requires = [
        row("rpmlib(PayloadFilesHavePrefix)", 8, "4.0-1"),
        row("/usr/bin/own", 0, ""),
        row("/usr/share/own", 0, ""),
        row("/bin/sh", 0, ""),
        row("self", 8, "1-1"),
        row("self", 12, "1-1"),
    ];
    let expected = ["/usr/share/own", "/bin/sh", "self >= 0:1-1"];
    check(&requires, &[row("self", 8, "1-1")], &["/usr/bin/own", "/usr/share/own"], &expected);
}

#[test]
fn only_a_repeat_of_the_last_kept_is_dropped() {
    let requires =
        [row("a", 8, "1"), row("a", 8, "1"), row("a", 12, "1"), row("a", 8, "1"), row("a", 8 | PREREQ, "1")];
    check(&requires, &[], &[], &["a = 0:1", "a >= 0:1", "a = 0:1", "pre a = 0:1"]);
}

#[test]
fn only_three_flags_make_a_requirement_come_first() {
    let flags = [PREREQ, SCRIPT_PRE, SCRIPT_POST, 1 << 11, 1 << 12, 1 << 7, 1 << 5];
    let requires: Vec<Row> =
        flags.iter().enumerate().map(|(n, flags)| row(&format!("r{n}"), *flags, "")).collect();
    check(&requires, &[], &[], &["pre r0", "pre r1", "pre r2", "r3", "r4", "r5", "r6"]);
}

#[test]
fn what_may_be_missing_is_recommended() {
    check(&[row("a", MISSING_OK | PREREQ, ""), row("b", 0, "")], &[], &[], &["b", "maybe a"]);
}

#[test]
fn of_libc_only_the_highest_stays_and_stands_last() {
    let requires = [
        row("libc.so.6()(64bit)", 0, ""),
        row("libc.so.6(GLIBC_2.4)(64bit)", 0, ""),
        row("libc.so.6(GLIBC_2.14)(64bit)", 0, ""),
        row("libc.so.6(GLIBC_2.2.5)(64bit)", 0, ""),
        row("libm.so.6()(64bit)", 0, ""),
    ];
    check(&requires, &[], &[], &["libm.so.6()(64bit)", "libc.so.6(GLIBC_2.14)(64bit)"]);
    check(&requires[..1], &[], &[], &["libc.so.6()(64bit)"]);
    let ranked = ["libc.so.6", "libc.so.6()(64bit)", "libc.so.6(GLIBC_PRIVATE)(64bit)", "libc.so.6(GLIBC_2)"];
    for pair in ranked.windows(2) {
        check(&[row(pair[0], 0, ""), row(pair[1], 0, "")], &[], &[], &pair[1..]);
        check(&[row(pair[1], 0, ""), row(pair[0], 0, "")], &[], &[], &pair[1..]);
    }
    check(&[row("libc.so.6", 0, ""), row("libc.so.6", 0, "")], &[], &[], &["libc.so.6"]);
}

#[test]
fn versions_are_split_as_createrepo_does() {
    let check = |text: &str, expected: Option<[&str; 3]>| {
        let parts = split_version(text).map(|(e, v, r)| [e, v, r].map(Option::unwrap_or_default));
        assert_eq!(parts, expected.map(|parts| parts.map(str::to_owned)), "{text}");
    };
    check("", Some(["", "", ""]));
    check("1", Some(["0", "1", ""]));
    check("1-2", Some(["0", "1", "2"]));
    check("3:1-2-4", Some(["3", "1", "2-4"]));
    check(":1-", Some(["0", "1", ""]));
    check("%{epoch}:1-2", None);
    check("a:1", None);
}
