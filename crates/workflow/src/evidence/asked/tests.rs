use expect_test::expect;

use super::*;

fn asked(packages: &[&str], node_types: &[&str]) -> Asked {
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    Asked {
        task: "12".parse().unwrap(),
        team: "ea-IT-CNAF".parse().unwrap(),
        of: "3456".parse().unwrap(),
        content: [0xab; 32].into(),
        node_types: names(node_types),
        packages: names(packages),
        door: None,
        mail: None,
    }
}

/// What stands before the part that is the same in every script.
fn own(asked: &Asked) -> String {
    script(asked).strip_suffix(ASKING).unwrap().to_owned()
}

#[test]
fn a_script_says_what_it_is_for_and_what_to_do_with_its_output() {
    let asked = Asked {
        door: Some("sluice-door@repo.example.org".into()),
        mail: Some("rollout@example.org".into()),
        ..asked(&["voms-clients", "glite-UI", "lcg-tags"], &["glite-UI"])
    };
    expect![[r#"
        #!/bin/sh
        # Tells what a node has installed of 3456, for task 12 of ea-IT-CNAF.
        #
        # Run it on the node once that is upgraded, as any user who may run rpm, and look at what it printed:
        #
        #     sh site-report.sh > site-report-12-ea-IT-CNAF.txt
        #
        # It needs a shell and rpm, changes nothing and sends nothing. Of all that is installed it tells of the packages
        # named below and of no other: version, digests, when it was installed and which key signed it. Of the node it tells
        # its name, the system, the architecture and the version of rpm. To give the node another name than its own:
        #
        #     SLUICE_HOST=node-1 sh site-report.sh > site-report-12-ea-IT-CNAF.txt
        #
        # Hand the file in as it is:
        #
        #     ssh sluice-door@repo.example.org upload site-report-12-ea-IT-CNAF.txt < site-report-12-ea-IT-CNAF.txt
        #
        # and name it in the report on the task; or
        #
        #     by mail to rollout@example.org, attached, with the task in the subject
        #
        # Who has an account where the repositories are made hands it in beside the report on the task:
        #
        #     sluice submit report.toml --upload site-report-12-ea-IT-CNAF.txt
        #

        task='12'
        team='ea-IT-CNAF'
        of='3456'
        content='abababababababababababababababababababababababababababababababab'
        packages='
        glite-UI
        lcg-tags
        voms-clients
        '

    "#]]
    .assert_eq(&own(&asked));
}

/// What of a script a shell does not take for quoted: single quotes hide all but themselves, a backslash outside of them
/// the next byte.
fn outside_of_quotes(script: &str) -> String {
    let mut outside = String::new();
    let mut rest = script.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' => assert!(rest.any(|c| c == '\''), "a quote is not closed"),
            '\\' => assert_eq!(rest.next(), Some('\'')),
            _ => outside.push(c),
        }
    }
    outside
}

#[test]
fn nothing_that_is_asked_for_stands_outside_of_quotes() {
    let names =
        ["a'b", "$(touch${IFS}x)", "`id`", "a;b", "a\\", "*", "#x", "\"", "''", "a'\\''b", "!", "%s", "end"];
    let script = own(&asked(&names, &[]));
    for name in names {
        assert!(script.contains(&format!("\n{}\n", name.replace('\'', r"'\''"))), "{name}");
    }
    let (_, values) = script.split_once("\n\n").unwrap();
    let outside = outside_of_quotes(values);
    assert_eq!(outside, "task=\nteam=\nof=\ncontent=\npackages=\n\n");
}

#[test]
fn an_address_does_not_leave_its_comment() {
    let bad = "x\nrm -r /\r\u{1b}[2J\u{2028}\u{85}y";
    let asked = Asked { door: Some(bad.into()), mail: Some(bad.into()), ..asked(&["a"], &[]) };
    let script = own(&asked);
    let (comments, values) = script.split_once("\n\n").unwrap();
    assert!(comments.lines().all(|line| line.starts_with('#')), "{comments}");
    assert!(script.bytes().all(|byte| byte == b'\n' || matches!(byte, b' '..=b'~')), "{script}");
    assert!(values.starts_with("task='12'\n"), "{values}");
}

#[test]
fn a_name_is_one_word_that_a_package_can_have() {
    for good in ["a", "libstdc++", "java-1.6.0-openjdk", "a'b$(x)", &"a".repeat(NAME_MAX)] {
        assert_eq!(good.parse::<PackageName>().unwrap().as_str(), good);
    }
    let long = "a".repeat(NAME_MAX + 1);
    for bad in ["", "a b", "a\nend 0", "a\0", "-a", ".a", "a/b", "a:b", "\u{e9}", "a\u{202e}", &long] {
        let told = bad.parse::<PackageName>().unwrap_err().to_string();
        assert!(told.is_ascii() && !told.contains('\n'), "{told}");
    }
}

#[test]
fn the_script_is_of_posix_and_names_the_format_that_is_read() {
    assert!(ASKING.contains(&format!("printf '{}\\n'\n", crate::evidence::FIRST_LINE)));
    for word in ["[[", "local ", "function ", "<<<", "source ", "$'", "sed ", "awk ", "grep ", "eval "] {
        let code = ASKING.lines().filter(|line| !line.trim_start().starts_with('#'));
        let uses: Vec<_> = code.filter(|line| line.contains(word) && !line.contains("--eval")).collect();
        assert!(uses.is_empty(), "{word}: {uses:?}");
    }
}
