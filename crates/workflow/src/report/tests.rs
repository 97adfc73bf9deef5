use expect_test::expect;

use super::*;
use crate::naming::Parts;

fn asked() -> Asked {
    let parts = Parts {
        stack: Some("EMI".to_owned()),
        major: Some("1.0".to_owned()),
        component: "SE-DPM_mysql".to_owned(),
        version: "1.8.0-1".to_owned(),
        ..Parts::default()
    };
    Asked {
        team: "ea-UK-RAL-LCG2".parse().unwrap(),
        task: 17,
        matter: "3456".parse().unwrap(),
        component: parts.try_into().unwrap(),
        content: Sha256::from([0x5a; 32]),
        platforms: vec!["sl5/x86_64".to_owned(), "sl6/x86_64".to_owned()],
        node_types: vec!["SE_dpm".to_owned()],
        packages: vec!["dpm-1.8.0-1.x86_64".to_owned(), "emi-dpm_mysql-1.8.0-1.noarch".to_owned()],
        quarantine_end: "2026-03-13T10:00:00Z".parse().unwrap(),
        file_name: "ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.md".to_owned(),
    }
}

/// Writes below a heading of the template, behind what stands there.
fn below(text: &str, heading: Heading, answer: &str) -> String {
    let begin = text.find(&format!("## {heading}\n")).unwrap();
    let end = text[begin..].find("\n\n## ").map_or(text.len(), |end| begin + end + 1);
    format!("{}{answer}\n{}", &text[..end], &text[end..])
}

/// Fills in the template with what a team may write.
fn filled() -> String {
    let mut text = template(&asked());
    for (heading, answer) in [
        (Heading::Outcome, "Warning"),
        (Heading::Notes, "They are right.\n\nThe *port* is missing."),
        (Heading::Tests, "Written and read:\n\n```\n## dpns-ls /\n# id\n```\n\n### More\n<b>none</b>"),
        (
            Heading::Problems,
            "- https://ggus.eu/ticket/77 it stops\n  after an hour:\n\n  - of load\n- savannah:1234",
        ),
        (Heading::Workarounds, "- Restart it.\n- Use\n  another."),
    ] {
        text = below(&text, heading, answer);
    }
    let text = text.replace("Jobs per day:", "Jobs per day: 1200");
    text.replace("organisations:", "organisations: atlas, cms,dteam")
}

fn words(text: &str) -> Words {
    text.parse().unwrap()
}

fn expected() -> Report {
    Report {
        team: asked().team,
        task: 17,
        content: asked().content,
        outcome: Outcome::Warning,
        notes: words("They are right.\n\nThe *port* is missing."),
        tests: words("Written and read:\n\n```\n## dpns-ls /\n# id\n```\n\n### More\n<b>none</b>"),
        metrics: Metrics {
            jobs_per_day: Some(1200),
            transfers_per_day: None,
            vos: ["atlas", "cms", "dteam"].map(|vo| vo.parse().unwrap()).into(),
            remarks: None,
        },
        problems: vec![
            Problem {
                ticket: "https://ggus.eu/ticket/77".parse().unwrap(),
                text: Some(words("it stops\n  after an hour:\n\n  - of load")),
            },
            Problem { ticket: "savannah:1234".parse().unwrap(), text: None },
        ],
        workarounds: vec![words("Restart it."), words("Use\n  another.")],
    }
}

/// Reads a report, and says all that is wrong with it, one fault a line.
fn said(text: &str) -> String {
    match parse(text) {
        Ok(report) => format!("{report:?}"),
        Err(NotAReport::Faults(faults)) => {
            assert!(!faults.is_empty() && faults.len() <= 20);
            faults.iter().map(|fault| format!("{fault}\n")).collect()
        }
        Err(error) => format!("{error}\n"),
    }
}

/// Changes the report that is right, which must matter, and looks for what is said.
#[track_caller]
fn check(from: &str, to: &str, expected: &expect_test::Expect) {
    let text = filled();
    assert!(text.contains(from), "{from:?} is not in {text}");
    expected.assert_eq(&said(&text.replacen(from, to, 1)));
}

#[test]
fn the_template_is_filled_in_beforehand() {
    expect![[r#"
        # Staged roll-out report

        ## Task

        - Team: ea-UK-RAL-LCG2
        - Task number: 17
        - Bundle or ticket: 3456
        - Stack: EMI
        - Component: SE-DPM_mysql
        - Version: 1.8.0-1
        - Platforms: sl5/x86_64, sl6/x86_64
        - Node types: SE_dpm
        - Has to run until: 2026-03-13T10:00:00Z
        - Content hash: 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
        - Name of this file: ea-UK-RAL-LCG2-EMI-SE-DPM_mysql-1.8.0-1.md
    "#]]
    .assert_eq(template(&asked()).split("\n## Packages").next().unwrap());
    expect![[r#"
        line 24, below `Outcome`: nothing is written there
        line 29, below `Correctness of the release notes`: nothing is written there
        line 34, below `Tests done`: nothing is written there
        line 39, below `Metrics`: nothing is written there
    "#]]
    .assert_eq(&said(&template(&asked())));
}

#[test]
fn what_a_team_fills_in_is_read_back() {
    assert_eq!(parse(&filled()), Ok(expected()));
    let stored = serde_json::to_string(&expected()).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&stored).unwrap(), expected());
}

#[test]
fn spaces_lines_order_and_case_do_not_matter() {
    let text = filled();
    let at = text.find("## Outcome").unwrap();
    let last = text.find("## Workarounds").unwrap();
    for text in [
        text.replace('\n', "\r\n"),
        format!("\u{feff}\n\n{text}\n\n"),
        text.replace('\n', "  \n"),
        text.lines().filter(|line| !line.starts_with('>')).map(|line| format!("{line}\n")).collect(),
        format!("{}{}{}", &text[..at], &text[last..].replace("another.", "another.\n\n"), &text[at..last]),
        text.replace("## Outcome", "##  OUTCOME:").replace("## Tests done", "## tests   done ##"),
        text.replace("Warning\n", "**warning**\n"),
        text.replace("- https://ggus.eu/ticket/77", "-   <https://ggus.eu/ticket/77>:"),
        text.replace("\n- Restart", "\n - Restart").replace("\n- Use", "\n * Use"),
        text.replace("- Jobs per day: 1200", "  *  jobs per day :1200"),
        text.replace("atlas, cms,dteam", "atlas cms; dteam,"),
    ] {
        assert_eq!(parse(&text), Ok(expected()), "{text}");
    }
}

#[test]
fn no_problems_and_no_workarounds_are_fine() {
    for none in ["", "none", "None.", "- none", "-", "\n- N/A\n"] {
        let problems =
            "- https://ggus.eu/ticket/77 it stops\n  after an hour:\n\n  - of load\n- savannah:1234";
        let text = filled().replace(problems, none).replace("- Restart it.\n- Use\n  another.", none);
        let report = parse(&text).unwrap();
        assert_eq!((report.problems, report.workarounds), (vec![], vec![]), "{none}");
    }
}

#[test]
fn metrics_may_be_told_in_words() {
    let text = filled().replace("Jobs per day: 1200", "Jobs per day:").replace(": atlas, cms,dteam", ":");
    assert_eq!(said(&text), "line 52, below `Metrics`: nothing is written there\n");
    let report = parse(&below(&text, Heading::Metrics, "\nIt has no jobs:\nit only *lists*.")).unwrap();
    let remarks = Some(words("It has no jobs:\nit only *lists*."));
    assert_eq!(report.metrics, Metrics { remarks, ..Metrics::default() });
}

#[test]
fn what_is_missing_or_not_understood_is_told_by_heading_and_line() {
    for (from, to, expected) in [
        (
            "## Outcome",
            "",
            expect![[r#"
            below `Outcome`: the heading is missing; it is a line `## Outcome`
        "#]],
        ),
        (
            "Warning\n",
            "It works\n",
            expect![[r#"
            line 28, below `Outcome`: `It works` is no outcome, which is `Success`, `Warning` or `Fail`
        "#]],
        ),
        (
            "Warning\n",
            "Success\nWarning\n",
            expect![[r#"
            line 28, below `Outcome`: `Success Warning` is no outcome, which is `Success`, `Warning` or `Fail`
        "#]],
        ),
        (
            "They are right.\n\nThe *port* is missing.",
            "",
            expect![[r#"
            line 30, below `Correctness of the release notes`: nothing is written there
        "#]],
        ),
        (
            "## Tests done",
            "## Tests",
            expect![[r#"
            line 38, below `Correctness of the release notes`: `Tests` is no heading of a report; those inside an answer begin with `###`
            below `Tests done`: the heading is missing; it is a line `## Tests done`
        "#]],
        ),
        (
            "## Tests done",
            "## Outcome",
            expect![[r#"
            line 38, below `Outcome`: the heading stands there a second time
            below `Tests done`: the heading is missing; it is a line `## Tests done`
        "#]],
        ),
        (
            "1200",
            "about 1200",
            expect![[r#"
            line 57, below `Metrics`: `about 1200` behind `Jobs per day` is not a whole number
        "#]],
        ),
        (
            "1200",
            "-1",
            expect![[r#"
            line 57, below `Metrics`: `-1` behind `Jobs per day` is not a whole number
        "#]],
        ),
        (
            "1200",
            "99999999999999999999",
            expect![[r#"
            line 57, below `Metrics`: `99999999999999999999` behind `Jobs per day` is not a whole number
        "#]],
        ),
        (
            "cms",
            "c/ms",
            expect![[r#"
            line 59, below `Metrics`: `c/ms` is not an id, which has letters, digits, `.`, `_` and `-`, a letter or digit first, at most 100
        "#]],
        ),
        (
            "- Transfers per day:",
            "- Jobs per day: 3",
            expect![[r#"
            line 58, below `Metrics`: the line `- Jobs per day: ...` stands there a second time
        "#]],
        ),
        (
            "https://ggus.eu/ticket/77",
            "It stopped",
            expect![[r#"
            line 67, below `Problems`: `It stopped it stops` names no ticket or bug, which is a link such as `https://tracker.example/1234`, or an id such as `#1234` or `savannah:1234`
        "#]],
        ),
        (
            "https://ggus.eu/ticket/77",
            "javascript:alert(1)",
            expect![[r#"
            line 67, below `Problems`: `javascript:alert(1) it stops` names no ticket or bug, which is a link such as `https://tracker.example/1234`, or an id such as `#1234` or `savannah:1234`
        "#]],
        ),
        (
            "Task number: 17",
            "Task number: ",
            expect![[r#"
            line 6, below `Task`: `` behind `Task number` is not a whole number
        "#]],
        ),
        (
            "- Task number: 17",
            "",
            expect![[r#"
            line 3, below `Task`: the line `- Task number: ...` is missing
        "#]],
        ),
        (
            "5a5a5a",
            "5a",
            expect![[r#"
            line 14, below `Task`: `5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a` is no hash, which has 64 hexadecimal digits
        "#]],
        ),
        (
            "Team: ea-UK-RAL-LCG2",
            "Team: RAL",
            expect![[r#"
            line 5, below `Task`: `RAL` is not a team of early adopters, which is written `ea-<NGI>-<Site>`, such as `ea-IT-CNAF`
        "#]],
        ),
        (
            "# id\n```",
            "# id",
            expect![[r#"
            line 44, below `Tests done`: the block of code that begins there is never closed with ```
            below `Metrics`: the heading is missing; it is a line `## Metrics`
            below `Problems`: the heading is missing; it is a line `## Problems`
            below `Workarounds`: the heading is missing; it is a line `## Workarounds`
        "#]],
        ),
        (
            "Restart it",
            "Re\u{1b}[31mstart it",
            expect![[r#"
            line 78, below `Workarounds`: line 78 has the character U+001B, which is not taken: it controls what shows the text
        "#]],
        ),
        (
            "Restart it",
            "Re\u{202e}start it",
            expect![[r#"
            line 78, below `Workarounds`: line 78 has the character U+202E, which is not taken: it changes the direction in which text is read
        "#]],
        ),
        (
            "# Staged roll-out report",
            "Hello!",
            expect![[r#"
            line 1, in front of all headings: `Hello!` belongs to no heading
        "#]],
        ),
    ] {
        check(from, to, &expected);
    }
}

#[test]
fn what_is_too_much_is_told() {
    let long = "w ".repeat(5_000);
    check(
        "They are right.",
        &long,
        &expect![[r#"
        line 34, below `Correctness of the release notes`: the text has 5004 words, and at most 2000 are taken
    "#]],
    );
    check(
        "Warning",
        &"w".repeat(100_000),
        &expect![[r#"
        the report has 101522 bytes, and at most 65536 are read
    "#]],
    );
    let many: String = (0..101).map(|at| format!("- #{at}\n")).collect();
    check(
        "- savannah:1234",
        &many,
        &expect![[r#"
        line 61, below `Problems`: more than 100 are listed
    "#]],
    );
    let vos: String = (0..101).map(|at| format!("vo{at},")).collect();
    check(
        "atlas, cms,dteam",
        &vos,
        &expect![[r#"
        line 59, below `Metrics`: more than 100 are listed
    "#]],
    );
}

#[test]
fn hostile_names_break_no_template() {
    let evil = "x\n## Outcome\nSuccess\r\n```\u{202e}\u{1b}[2J";
    let asked = Asked {
        platforms: vec![evil.to_owned(); 5_000],
        node_types: vec![evil.to_owned(); 3],
        packages: vec![format!("{evil}{}", "\u{7f}".repeat(1_000)); 5_000],
        file_name: evil.to_owned(),
        ..asked()
    };
    let text = template(&asked);
    assert!(text.len() < 24_000, "{}", text.len());
    assert_eq!(text.lines().filter(|line| line.starts_with("## ")).count(), Heading::ALL.len());
    assert!(text.contains("more\n") && text.lines().all(|line| crate::text::forbidden(line).is_none()));
    assert!(said(&text).contains("below `Outcome`: nothing is written there"));
}

#[test]
fn nothing_that_is_handed_in_is_a_trap() {
    let mut random = fastrand::Rng::with_seed(17);
    let (text, mut taken) = (filled(), 0);
    let pieces = [
        "##",
        "## Outcome\n",
        "- ",
        "```",
        "~~~~\n",
        "\n",
        "\r",
        "\u{0}",
        "\u{feff}",
        "<script>",
        "\u{e9}",
        ":",
        "1",
        ">",
    ];
    for _ in 0..5_000 {
        let mut bytes = text.clone();
        for _ in 0..random.usize(1..4) {
            let mut at = [0, 0].map(|_| random.usize(0..=bytes.len()));
            at.sort_unstable();
            let [from, until] = at;
            if bytes.is_char_boundary(from) && bytes.is_char_boundary(until) {
                let until = if random.bool() { from } else { until.min(from + 20) };
                if bytes.is_char_boundary(until) {
                    bytes.replace_range(from..until, pieces[random.usize(0..pieces.len())]);
                }
            }
        }
        match parse(&bytes) {
            Ok(_) => taken += 1,
            Err(error) => {
                let said = error.to_string();
                assert!(said.lines().all(|line| crate::text::forbidden(line).is_none()), "{said:?}");
            }
        }
    }
    assert!((100..4_900).contains(&taken), "{taken} of 5,000 were taken");
    for text in
        ["", "\n", "##", "## \n## ", &"#".repeat(60_000), &"- \n".repeat(20_000), &"```\n".repeat(16_000)]
    {
        assert!(parse(text).is_err());
    }
}
