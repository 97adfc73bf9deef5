use expect_test::{Expect, expect};

use super::*;

/// A fingerprint of which only the SHA-1 is known: one for each number.
fn build(number: u8) -> Fingerprint {
    Fingerprint { sha1_header: Some([number; 20]), ..Fingerprint::default() }
}

/// `voms-1-1.noarch#2`: a package and the number of its build, `#-` for one of which no digest is known.
fn parts(text: &str) -> (Nevra, Fingerprint) {
    let (nevra, number) = text.split_once('#').unwrap_or((text, "1"));
    let fingerprint = if number == "-" { Fingerprint::default() } else { build(number.parse().unwrap()) };
    (nevra.parse().unwrap(), fingerprint)
}

/// Compares `wanted` with a report of what is installed and absent, all of them words.
fn compared(wanted: &str, installed: &str, absent: &str) -> Difference {
    let of = |text: &str| {
        let (nevra, fingerprint) = parts(text);
        Installed { nevra, fingerprint, time: None, key: None }
    };
    let report = SiteReport {
        task: "1".parse().unwrap(),
        team: "ea-IT-CNAF".parse().unwrap(),
        of: "1".parse().unwrap(),
        content: [0; 32].into(),
        host: None,
        date: None,
        rpm: None,
        os: None,
        arch: None,
        installed: installed.split_whitespace().map(of).collect(),
        absent: absent.split_whitespace().map(|name| name.parse().unwrap()).collect(),
    };
    let wanted: Vec<Wanted> = wanted
        .split_whitespace()
        .map(parts)
        .map(|(nevra, fingerprint)| Wanted { nevra, fingerprint })
        .collect();
    compare(&report, &wanted)
}

fn check(wanted: &str, installed: &str, absent: &str, agrees: bool, expected: Expect) {
    let difference = compared(wanted, installed, absent);
    assert_eq!(difference.agrees(), agrees, "{difference}");
    let lines: Vec<String> = difference.packages.iter().map(Compared::to_string).collect();
    expected.assert_eq(&lines.join("\n"));
    let stored = serde_json::to_string(&difference).unwrap();
    assert_eq!(serde_json::from_str::<Difference>(&stored).unwrap(), difference);
}

#[test]
fn a_package_is_judged_by_version_and_digest() {
    check(
        "voms-2-1.noarch",
        "voms-2-1.noarch",
        "",
        true,
        expect!["`voms-2-1.noarch` is installed as in the bundle: the SHA-1 of its header is the same"],
    );
    check(
        "voms-2-1.noarch#1",
        "voms-2-1.noarch#2",
        "",
        false,
        expect![
            "`voms-2-1.noarch` is installed, but it is not the `voms-2-1.noarch` of the bundle: the SHA-1 of its header differs"
        ],
    );
    check(
        "voms-2-1.noarch#-",
        "voms-2-1.noarch#1",
        "",
        false,
        expect![
            "a `voms-2-1.noarch` is installed, and nobody can say whether it is that of the bundle: no digest is known of both"
        ],
    );
    check(
        "voms-2-1.noarch",
        "voms-1.9-1.noarch",
        "",
        false,
        expect!["`voms-1.9-1.noarch` is installed, older than `voms-2-1.noarch` of the bundle"],
    );
    check(
        "voms-1.9-1.noarch",
        "voms-1.10-1.noarch",
        "",
        false,
        expect!["`voms-1.10-1.noarch` is installed, newer than `voms-1.9-1.noarch` of the bundle"],
    );
    check(
        "voms-2-1.noarch",
        "voms-1:1-1.noarch",
        "",
        false,
        expect!["`voms-1:1-1.noarch` is installed, newer than `voms-2-1.noarch` of the bundle"],
    );
    check(
        "voms-1.0-1.noarch#1",
        "voms-1.00-1.noarch#2",
        "",
        false,
        expect![
            "`voms-1.00-1.noarch` is installed, but it is not the `voms-1.0-1.noarch` of the bundle: the SHA-1 of its header differs"
        ],
    );
    check(
        "voms-2-1.noarch",
        "",
        "voms",
        false,
        expect!["`voms-2-1.noarch` is not installed, nor another version of it"],
    );
    check("voms-2-1.noarch", "", "", false, expect!["the report says nothing of `voms-2-1.noarch`"]);
}

#[test]
fn the_newest_of_several_counts() {
    let kernels = "kernel-1-1.x86_64#7 kernel-3-1.x86_64 kernel-2-1.x86_64#8";
    check(
        "kernel-3-1.x86_64",
        kernels,
        "",
        true,
        expect![
            "`kernel-3-1.x86_64` is installed as in the bundle: the SHA-1 of its header is the same; beside it `kernel-1-1.x86_64`, `kernel-2-1.x86_64`"
        ],
    );
    check(
        "kernel-2-1.x86_64#8",
        kernels,
        "",
        false,
        expect![
            "`kernel-3-1.x86_64` is installed, newer than `kernel-2-1.x86_64` of the bundle; beside it `kernel-1-1.x86_64`, `kernel-2-1.x86_64`"
        ],
    );
    check(
        "kernel-4-1.x86_64",
        kernels,
        "",
        false,
        expect![
            "`kernel-3-1.x86_64` is installed, older than `kernel-4-1.x86_64` of the bundle; beside it `kernel-1-1.x86_64`, `kernel-2-1.x86_64`"
        ],
    );
    // A database may hold two of one full name; neither hides the other.
    check(
        "a-1-1.noarch#1",
        "a-1-1.noarch#1 a-1-1.noarch#2",
        "",
        false,
        expect![
            "`a-1-1.noarch` is installed, but it is not the `a-1-1.noarch` of the bundle: the SHA-1 of its header differs"
        ],
    );
    check(
        "a-1-1.noarch#2",
        "a-1-1.noarch#1 a-1-1.noarch#2",
        "",
        false,
        expect![
            "`a-1-1.noarch` is installed, but it is not the `a-1-1.noarch` of the bundle: the SHA-1 of its header differs"
        ],
    );
}

#[test]
fn architectures_of_one_name_are_judged_apart() {
    let both = "libc-2-1.i686 libc-2-1.x86_64";
    check(
        both,
        "libc-2-1.x86_64",
        "",
        true,
        expect![[r#"
        `libc-2-1.i686` is not installed, nor another version of it
        `libc-2-1.x86_64` is installed as in the bundle: the SHA-1 of its header is the same"#]],
    );
    check(
        both,
        "libc-1-1.i686 libc-2-1.x86_64",
        "",
        false,
        expect![[r#"
        `libc-1-1.i686` is installed, older than `libc-2-1.i686` of the bundle
        `libc-2-1.x86_64` is installed as in the bundle: the SHA-1 of its header is the same"#]],
    );
    check(
        both,
        both,
        "",
        true,
        expect![[r#"
        `libc-2-1.i686` is installed as in the bundle: the SHA-1 of its header is the same
        `libc-2-1.x86_64` is installed as in the bundle: the SHA-1 of its header is the same"#]],
    );
    check(
        "tool-2-1.x86_64",
        "tool-1-1.noarch",
        "",
        false,
        expect!["`tool-1-1.noarch` is installed, older than `tool-2-1.x86_64` of the bundle"],
    );
    check(
        "tool-2-1.noarch tool-2-1.src",
        "tool-2-1.noarch",
        "",
        true,
        expect!["`tool-2-1.noarch` is installed as in the bundle: the SHA-1 of its header is the same"],
    );
}

#[test]
fn a_site_need_not_have_all_of_a_bundle() {
    let bundle = "ui-2-1.noarch wms-2-1.noarch voms-2-1.i686 voms-2-1.x86_64";
    let difference = compared(bundle, "ui-2-1.noarch voms-2-1.x86_64", "wms");
    expect!["of 4 packages 2 are installed as in the bundle, 0 differ, 2 are not installed"]
        .assert_eq(&difference.to_string());
    assert!(difference.agrees());
    assert_eq!(difference.differing().count(), 0);
    let names = |text: &'static str| text.split_whitespace().collect::<BTreeSet<_>>();
    assert_eq!(difference.lacking(&names("ui voms bash")), names(""));
    assert_eq!(difference.lacking(&names("wms voms")), names("wms"));

    let older = compared(bundle, "ui-1-1.noarch voms-2-1.x86_64", "wms");
    assert!(!older.agrees());
    assert_eq!(older.lacking(&names("ui voms")), names("ui"));
    assert_eq!(older.differing().count(), 1);
    expect!["of 4 packages 1 is installed as in the bundle, 1 differs, 2 are not installed"]
        .assert_eq(&older.to_string());
    assert!(!compared(bundle, "", "ui wms voms").agrees(), "a site that has nothing of it shows nothing");
    assert!(!compared("", "", "").agrees());
}
