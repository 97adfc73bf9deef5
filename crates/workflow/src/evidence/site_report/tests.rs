use expect_test::{Expect, expect};
use fastrand::Rng;

use super::*;

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn sound() -> String {
    format!(
        "sluice-site-report 1
task 12
team ea-IT-CNAF
of 3456
content {SHA256}
host wn1.example.org
date 2026-11-23T19:16:55Z
rpm 4.18.0
os scientific 6.4
arch x86_64
installed voms-0:2.0-1.x86_64 sha256={SHA256} sha1=- md5=- time=1700000000 key=0123456789ABCDEF
installed a'b-3:1-1.noarch sha256=- sha1=- md5=- time=- key=-
absent lcg-tags
end 3
"
    )
}

fn asked() -> Asked {
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    Asked {
        task: "12".parse().unwrap(),
        team: "ea-IT-CNAF".parse().unwrap(),
        of: "3456".parse().unwrap(),
        content: SHA256.parse().unwrap(),
        node_types: names(&["lcg-tags"]),
        packages: names(&["voms", "a'b"]),
        door: None,
        mail: None,
    }
}

#[test]
fn a_report_is_read() {
    let report = parse(sound().as_bytes()).unwrap();
    assert_eq!(report.host.as_deref(), Some("wn1.example.org"));
    assert_eq!(report.date, Some("2026-11-23T19:16:55Z".parse().unwrap()));
    assert_eq!(report.os.as_deref(), Some("scientific 6.4"));
    let [odd, voms] = &report.installed[..] else { panic!("{report:?}") };
    assert_eq!((odd.nevra.to_string().as_str(), odd.time, &odd.key), ("a'b-3:1-1.noarch", None, &None));
    assert_eq!(voms.nevra.to_string(), "voms-2.0-1.x86_64");
    assert_eq!(voms.fingerprint.sha256_header, Some(SHA256.parse().unwrap()));
    assert_eq!(voms.time, Some(Timestamp::from_second(1_700_000_000).unwrap()));
    assert_eq!(voms.key.as_deref(), Some("0123456789abcdef"));
    assert!(report.has("voms") && !report.has("lcg-tags"));
    report.check_answers(&asked()).unwrap();
    let stored = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<SiteReport>(&stored).unwrap(), report);
}

#[test]
fn what_mail_does_to_ends_of_lines_does_not_matter() {
    let report = parse(sound().as_bytes()).unwrap();
    for mailed in [
        sound().replace('\n', "\r\n"),
        sound().replace('\n', "  \n\n"),
        sound().trim_end().to_owned(),
        sound() + "\r\n\n",
    ] {
        assert_eq!(parse(mailed.as_bytes()).as_ref(), Ok(&report), "{mailed:?}");
    }
}

#[test]
fn what_a_node_cannot_say_is_a_dash() {
    let mut text = sound();
    for line in [
        "host wn1.example.org",
        "date 2026-11-23T19:16:55Z",
        "rpm 4.18.0",
        "os scientific 6.4",
        "arch x86_64",
    ] {
        text = text.replace(line, &format!("{} -", line.split(' ').next().unwrap()));
    }
    let report = parse(text.as_bytes()).unwrap();
    assert_eq!(
        (report.host, report.date, report.rpm, report.os, report.arch),
        (None, None, None, None, None)
    );
}

fn check(from: &str, to: &str, expected: Expect) {
    let text = sound();
    assert!(text.contains(from), "{from}");
    expected.assert_eq(&parse(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string());
}

#[test]
fn what_the_script_does_not_print_is_refused_by_line_and_reason() {
    check(
        "sluice-site-report 1",
        "sluice-site-report 2",
        expect![
            "line 1 is `sluice-site-report 2`, and a report begins with `sluice-site-report 1`: is this the file that the script printed?"
        ],
    );
    check(
        "sluice",
        "<html>",
        expect![
            "line 1 is `<html>-site-report 1`, and a report begins with `sluice-site-report 1`: is this the file that the script printed?"
        ],
    );
    check(
        "host ",
        "hostname ",
        expect![
            "line 6 of the report, `hostname wn1.example.org`: no line of a report begins with that word"
        ],
    );
    check("task 12\n", "task\n", expect!["line 2 of the report, `task`: it has no value"]);
    check(
        "task 12",
        "task ../12",
        expect![
            "line 2 of the report, `task ../12`: `../12` is not an id, which has letters, digits, `.`, `_` and `-`, a letter or digit first, at most 100"
        ],
    );
    check(
        "team ea-IT-CNAF",
        "team CNAF",
        expect![
            "line 3 of the report, `team CNAF`: `CNAF` is not a team of early adopters, which is written `ea-<NGI>-<Site>`, such as `ea-IT-CNAF`"
        ],
    );
    check(
        "of 3456\n",
        "of 3456\nof 3457\n",
        expect!["line 5 of the report, `of 3457`: such a line stands there twice"],
    );
    check("of 3456\n", "", expect!["the report has no line `of`"]);
    check(
        "content e3",
        "content E3",
        expect![
            "line 5 of the report, `content E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`: failed to read digest `E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`: it holds something else than lower-case hexadecimal digits"
        ],
    );
    check(
        "date 2026",
        "date yesterday",
        expect![
            "line 7 of the report, `date yesterday-11-23T19:16:55Z`: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y"
        ],
    );
    check(
        "os scientific",
        "os \u{1b}[31m",
        expect![[
            r#"line 9 of the report, `os \x1b[31m 6.4`: it holds the byte 0x1b, and the script prints plain ASCII only"#
        ]],
    );
    check(
        "os scientific",
        &format!("os {}", "x".repeat(200)),
        expect![
            "line 9 of the report, `os xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...`: its value has 204 bytes, at most 200 are taken"
        ],
    );
    check(
        "voms-0:2.0-1.x86_64",
        "voms",
        expect![
            "line 11 of the report, `installed voms sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b78...`: failed to read package name `voms`: it has no architecture"
        ],
    );
    check(
        " time=1700000000",
        "",
        expect![
            "line 11 of the report, `installed voms-0:2.0-1.x86_64 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649...`: it is not `installed NEVRA sha256=... sha1=... md5=... time=... key=...`"
        ],
    );
    check(
        "time=1700000000",
        "time=99999999999999",
        expect![
            "line 11 of the report, `installed voms-0:2.0-1.x86_64 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649...`: parameter 'Unix timestamp seconds' is not in the required range of -377705023201..=253402207200"
        ],
    );
    check(
        "sha1=-",
        "sha1=(none)",
        expect![
            "line 11 of the report, `installed voms-0:2.0-1.x86_64 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649...`: failed to read digest `sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 sha1=(none) md5=-`: a digest is not of hexadecimal digits"
        ],
    );
    check(
        "key=0123456789ABCDEF",
        "key=(none)",
        expect![
            "line 11 of the report, `installed voms-0:2.0-1.x86_64 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649...`: its key has no id of a key"
        ],
    );
    check(
        "absent lcg-tags",
        "absent lcg tags",
        expect![
            "line 13 of the report, `absent lcg tags`: `lcg tags` is not the name of a package, which is visible ASCII without `/` and `:`, does not start with `.` or `-`, and has at most 256 bytes"
        ],
    );
    check(
        "absent lcg-tags",
        "absent voms",
        expect!["the report says that `voms` is installed, and that nothing of that name is"],
    );
    check(
        "absent lcg-tags",
        "absent lcg-tags\nabsent lcg-tags",
        expect!["line 14 of the report, `absent lcg-tags`: it stands there twice"],
    );
    check(
        "absent lcg-tags\n",
        "",
        expect!["line 13 of the report, `end 3`: lines are missing or too many: 2 lines tell of packages"],
    );
    check(
        "end 3\n",
        "",
        expect![
            "the report ends before its line `end`: it was cut off, or the script did not come to its end"
        ],
    );
    check(
        "absent lcg-tags",
        &format!("absent {}", "x".repeat(2000)),
        expect![
            "line 13 of the report, `absent xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...`: it has 2007 bytes, at most 1000 are read"
        ],
    );
    check("end 3\n", "end 3\n-- \nAnn\n", expect!["line 15 of the report, `--`: it stands behind the end"]);
}

#[test]
fn a_report_cut_anywhere_is_no_report() {
    let text = sound();
    for length in 0..text.len() - "\n".len() {
        assert!(parse(&text.as_bytes()[..length]).is_err(), "{length}");
    }
}

#[test]
fn more_than_a_report_has_is_not_read() {
    let mut text = sound().into_bytes();
    text.resize(REPORT_MAX, b'\n');
    assert!(parse(&text).is_ok());
    text.push(b'\n');
    assert_eq!(parse(&text), Err(NotAReport::TooLarge { bytes: REPORT_MAX + 1 }));
}

#[test]
fn no_bytes_make_it_panic_and_no_error_carries_them_raw() {
    let mut rng = Rng::with_seed(8);
    let sound = sound().into_bytes();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = sound.clone();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..=bytes.len());
            match rng.u8(..4) {
                0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = rng.u8(..)),
                1 => drop(bytes.splice(at..at, sound[rng.usize(..sound.len())..].to_vec())),
                2 => bytes.truncate(at),
                _ => drop(bytes.drain(at..(at + rng.usize(..40)).min(bytes.len()))),
            }
        }
        match parse(&bytes) {
            Ok(_) => taken += 1,
            Err(error) => {
                refused += 1;
                let told = error.to_string();
                assert!(told.chars().all(|c| matches!(c, ' '..='~')) && told.len() < 1000, "{told:?}");
            }
        }
    }
    assert!(refused > 1_000 && taken > 10, "{taken} taken, {refused} refused");
}

#[test]
fn a_report_for_something_else_is_no_answer() {
    let check = |from: &str, to: &str, expected: Expect| {
        let text = sound();
        assert!(text.contains(from), "{from}");
        let report = parse(text.replacen(from, to, 1).as_bytes()).unwrap();
        expected.assert_eq(&report.check_answers(&asked()).unwrap_err().to_string());
    };
    check("task 12", "task 13", expect!["the report was made for task `13`, and this is task `12`"]);
    check(
        "team ea-IT-CNAF",
        "team ea-IT-INFN",
        expect!["the report was made for the team `ea-IT-INFN`, and the task is that of `ea-IT-CNAF`"],
    );
    check("of 3456", "of 3457", expect!["the report was made for `3457`, and the task is about `3456`"]);
    check(
        "content e3",
        "content e4",
        expect![
            "the report was made when the content of `3456` was e4b0c44298fc1c14, and it is e3b0c44298fc1c14 by now: print the script anew and run that"
        ],
    );
    check(
        "absent lcg-tags\nend 3",
        "end 2",
        expect!["the report says nothing of `lcg-tags`, which was asked about"],
    );
    check(
        "absent lcg-tags\nend 3",
        "absent lcg-tags\nabsent bash\nend 4",
        expect!["the report tells of `bash`, which nobody asked about"],
    );
    check(
        "installed voms-",
        "installed vim-",
        expect!["the report says nothing of `voms`, which was asked about"],
    );
}
