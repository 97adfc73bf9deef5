use super::*;

fn parts(text: &str) -> Parts {
    let words: Vec<Option<String>> =
        text.split(' ').map(|word| (word != "-").then(|| word.to_owned())).collect();
    let [stack, major, component, version, os, arch] = words.try_into().unwrap();
    Parts { stack, major, component: component.unwrap(), version: version.unwrap(), os, arch }
}

fn dpm() -> Component {
    parts("EMI 1.0 SE-DPM_mysql 1.8.0-1 SL5 x86_64").try_into().unwrap()
}

fn anchors() -> Component {
    parts("- - CA 1.38 - -").try_into().unwrap()
}

fn team() -> TeamName {
    "ea-UK-RAL-LCG2".parse().unwrap()
}

#[test]
fn titles_and_names_leave_out_what_does_not_apply() {
    for (of, title, subject, summary, described) in [
        (
            "EMI 1.0 SE-DPM_mysql 1.8.0-1 SL5 x86_64",
            "Staged Rollout EMI-1.0 SE-DPM_mysql 1.8.0-1 SL5 x86_64",
            "Staged Rollout: SE-DPM_mysql-1.8.0-1",
            "summary-EMI-SE-DPM_mysql-1.8.0-1.md",
            "Staged rollout EMI SE-DPM_mysql 1.8.0-1",
        ),
        (
            "- - CA 1.38 - -",
            "Staged Rollout CA 1.38",
            "Staged Rollout: CA-1.38",
            "summary-CA-1.38.md",
            "Staged rollout CA 1.38",
        ),
        (
            "glite-3.2 - WMS 3.1.31~rc1 - x86_64",
            "Staged Rollout glite-3.2 WMS 3.1.31~rc1 x86_64",
            "Staged Rollout: WMS-3.1.31~rc1",
            "summary-glite-3.2-WMS-3.1.31~rc1.md",
            "Staged rollout glite-3.2 WMS 3.1.31~rc1",
        ),
    ] {
        let component: Component = parts(of).try_into().unwrap();
        assert_eq!(ticket_title(&component), title);
        assert_eq!(helpdesk_subject(&component), subject);
        assert_eq!(summary_file(&component, Extension::Md), summary);
        assert_eq!(description(&component), described);
    }
    assert_eq!((dpm().stack(), anchors().stack()), ("EMI", "CA"));
    let report = report_file(&team(), &dpm(), Extension::Pdf);
    assert_eq!(report, "ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.pdf");
}

#[test]
fn every_part_is_checked() {
    for (of, reason) in [
        ("EM/I 1 a 1 - -", "the middleware stack `EM/I` cannot"),
        (".. 1 a 1 - -", "the middleware stack `..`"),
        ("EMI 1\u{1b} a 1 - -", "the major release `1\\u{1b}`"),
        ("EMI 1 -a 1 - -", "the component `-a`"),
        ("EMI 1 a  - -", "the version ``"),
        ("EMI 1 a 1 S\nL -", "the operating system `S\\nL`"),
        ("EMI 1 a 1 - x\u{202e}y", "the architecture `x\\u{202e}y`"),
        ("- 1 a 1 - -", "the major release `1` is of no stack"),
        (&format!("EMI 1 {} 1 - -", "a".repeat(101)), "at most 100"),
        (&format!("EMI 1 {} 1 - -", "a".repeat(74)), "have 81 bytes together"),
    ] {
        let said = Component::try_from(parts(of)).unwrap_err().to_string();
        assert!(said.contains(reason), "{said}");
    }
    // Ends up as a name in `upload/`, behind the digest: 65 bytes.
    let longest = parts(&format!("EMI 1 {} 1 - -", "a".repeat(73))).try_into().unwrap();
    let team: TeamName = format!("ea-IT-{}", "a".repeat(94)).parse().unwrap();
    assert!(report_file(&team, &longest, Extension::Docx).len() + 65 <= 255);
}

#[track_caller]
fn check(name: &str, expected: Result<Extension, &str>) {
    match (check_report_file(name, &team(), &dpm()), expected) {
        (Ok(extension), Ok(expected)) => assert_eq!(extension, expected, "{name}"),
        (Err(error), Err(expected)) => {
            let said = error.to_string();
            assert!(said.contains(expected), "{name:?}: {said}");
            assert!(!said.chars().any(|c| c.is_control() || c == '\u{202e}'), "{said:?}");
        }
        (got, expected) => panic!("{name:?}: {got:?}, expected {expected:?}"),
    }
}

#[test]
fn a_report_bears_its_name_and_else_the_part_that_differs_is_told() {
    for (name, expected) in [
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.pdf", Ok(Extension::Pdf)),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.DOCX", Ok(Extension::Docx)),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1", Err("with the extension ``, which must be `pdf`")),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.exe", Err("the extension `exe`")),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.tar.gz", Err("the extension `tar.gz`")),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.", Err("the extension ``")),
        (
            "ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-2.pdf",
            Err("the version in the name of the file is `1.8.0-2` and not `1.8.0-1`"),
        ),
        (
            "ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0.pdf",
            Err("the version in the name of the file is `1.8.0` and"),
        ),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1-v2.pdf", Err("goes on with `v2` behind the version")),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1v2.pdf", Err("is `1.8.0-1v2` and not `1.8.0-1`")),
        (
            "ea-UK-RAL-LCG2-EMI-DPM-1.8.0-1.pdf",
            Err("the component in the name of the file is `DPM` and not `SE-DPM_mysql`"),
        ),
        (
            "ea-UK-RAL-LCG2-UMD-SE-DPM_mysql-1.8.0-1.pdf",
            Err("the middleware stack in the name of the file is `UMD`"),
        ),
        (
            "ea-UK-RAL-LCG2-EMI-1.0-SE-DPM_mysql-1.8.0-1.pdf",
            Err("the component in the name of the file is `1.0-SE-DPM_mysql`"),
        ),
        (
            "ea-UK-RAL-EMI-SE-DPM_mysql-1.8.0-1.pdf",
            Err("the site in the name of the file is `RAL` and not `RAL-LCG2`"),
        ),
        ("ea-UK-Oxford-X-UMD-x-1.pdf", Err("the site in the name of the file is `Oxford-X`")),
        (
            "ea-uk-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.pdf",
            Err(
                "the NGI in the name of the file is `uk` and not `UK`: it must be `ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.EXT`",
            ),
        ),
        (
            "UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.pdf",
            Err("the beginning in the name of the file is `UK` and not `ea`"),
        ),
        ("summary-EMI-SE-DPM_mysql-1.8.0-1.pdf", Err("the beginning in the name of the file is `summary`")),
        ("ea-UK", Err("ends behind the NGI")),
        ("ea-UK-", Err("the site in the name of the file is `` and")),
        ("ea", Err("ends behind the beginning: it must be `ea-UK")),
        ("", Err("the beginning in the name of the file is `` and not `ea`")),
        ("../ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.pdf", Err("`../ea`")),
        ("ea-UK-RAL\u{1b}[2J-x\u{202e}.pdf", Err("`RAL\\u{1b}[2J-x\\u{202e}`")),
        ("ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.pd\u{e9}", Err("`pd\u{e9}`")),
    ] {
        check(name, expected);
    }
}

#[test]
fn what_is_named_is_found_to_be_named_so() {
    let teams =
        ["ea-IT-CNAF", "ea-UK-RAL-LCG2", "ea-CH-CERN.PROD"].map(|team| team.parse::<TeamName>().unwrap());
    for component in [dpm(), anchors(), parts("ARC - a-b-c 1-2-3 - -").try_into().unwrap()] {
        for extension in Extension::ALL {
            assert_eq!(extension.to_string().to_uppercase().parse(), Ok(*extension));
            let summary = summary_file(&component, *extension);
            assert_eq!(check_summary_file(&summary, &component), Ok(*extension));
            for team in &teams {
                let report = report_file(team, &component, *extension);
                assert_eq!(check_report_file(&report, team, &component), Ok(*extension));
                for other in teams.iter().filter(|other| *other != team) {
                    assert!(check_report_file(&report, other, &component).is_err());
                }
            }
        }
    }
}

#[test]
fn names_made_up_at_random_are_told_apart_and_never_panic() {
    let mut random = fastrand::Rng::with_seed(9);
    let pieces =
        ["ea", "-", "UK", "RAL", "LCG2", "EMI", "SE", "DPM_mysql", "1.8.0", "1", ".", "pdf", "\u{e9}", "\n"];
    let right = report_file(&team(), &dpm(), Extension::Pdf);
    for _ in 0..20_000 {
        let cut = random.usize(0..=right.len());
        let more: String = (0..random.usize(0..8)).map(|_| pieces[random.usize(0..pieces.len())]).collect();
        let name = format!("{}{more}", &right[..cut]);
        let is_right = Extension::ALL.iter().any(|one| name == report_file(&team(), &dpm(), *one));
        assert_eq!(check_report_file(&name, &team(), &dpm()).is_ok(), is_right, "{name:?}");
    }
}

#[test]
fn components_are_stored_by_their_parts() {
    let stored = serde_json::to_string(&anchors()).unwrap();
    assert_eq!(stored, r#"{"component":"CA","version":"1.38"}"#);
    assert_eq!(serde_json::from_str::<Component>(&stored).unwrap(), anchors());
    let stored = serde_json::to_string(&dpm()).unwrap();
    assert_eq!(serde_json::from_str::<Component>(&stored).unwrap(), dpm());
    assert!(serde_json::from_str::<Component>(&stored.replace("EMI", "E/I")).is_err());
}

#[test]
fn updates_are_announced_with_their_priority() {
    let product: Line = "gLite 3.2".parse().unwrap();
    let subject = announcement_subject(57, &product, Priority::High);
    assert_eq!(subject, "Release of UPDATE 57 to gLite 3.2. Priority: HIGH");
    for (text, priority, stored) in [
        ("normal", Priority::Normal, "\"normal\""),
        ("HIGH", Priority::High, "\"high\""),
        ("Urgent", Priority::Urgent, "\"urgent\""),
    ] {
        assert_eq!(text.parse(), Ok(priority));
        assert_eq!(priority.to_string().parse(), Ok(priority));
        assert_eq!(serde_json::to_string(&priority).unwrap(), stored);
    }
    let said = "high\u{1b}".parse::<Priority>().unwrap_err().to_string();
    assert_eq!(said, "`high\\u{1b}` is no priority, which is `Normal`, `HIGH` or `URGENT`");
}
