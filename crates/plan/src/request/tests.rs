mod advisory;
mod steps;

use super::*;

const PROMOTE: &str = r#"format = 1
action = "promote"
id = "update-57"
product = "glite-3.2"
from = "delta"
to = "production"
packages = ["voms-clients", "voms-1.9.14-1.x86_64", "lcg-*"]
platforms = ["sl5/x86_64"]
reason = "voms 1.9.14 is accepted"
expires = 2026-04-01T00:00:00Z
dry_run = true

[end]
"#;

fn promote() -> Request {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
    Request {
        id: Some("update-57".into()),
        reason: Some("voms 1.9.14 is accepted".into()),
        expires: Some("2026-04-01T00:00:00Z".parse().unwrap()),
        dry_run: true,
        ..Request::new(Action::Promote {
            partial: None,
            product: "glite-3.2".into(),
            from: "delta".into(),
            to: "production".into(),
            packages: words(&["voms-clients", "voms-1.9.14-1.x86_64", "lcg-*"]),
            platforms: words(&["sl5/x86_64"]),
        })
    }
}

/// Checks code and sentence of a refusal; the latter need only contain the words.
fn check(text: &str, format: Format, code: Code, words: &str) -> Refusal {
    let refusal = parse(text.as_bytes(), format).unwrap_err();
    assert_eq!(refusal.code, code, "{refusal}");
    assert!(refusal.sentence.contains(words), "`{words}` is not in `{refusal}`");
    refusal
}

fn toml(keys: &str) -> String {
    format!("format = 1\n{keys}\n[end]\n")
}

#[test]
fn a_request_reads_the_same_from_toml_and_json() {
    let json = r#" {"format": 1, "action": "promote", "id": "update-57", "product": "glite-3.2", "from": "delta",
        "to": "production", "packages": ["voms-clients", "voms-1.9.14-1.x86_64", "lcg-*"],
        "platforms": ["sl5/x86_64"], "reason": "voms 1.9.14 is accepted",
        "expires": "2026-04-01T02:00:00+02:00", "dry_run": true} "#;
    assert_eq!(parse(PROMOTE.as_bytes(), Format::Toml).unwrap(), promote());
    assert_eq!(parse(json.as_bytes(), Format::Json).unwrap(), promote());
}

#[test]
fn no_prefix_of_a_toml_request_is_taken_for_a_request() {
    let whole = PROMOTE.trim_end();
    for length in 0..whole.len() {
        let refusal = parse(&whole.as_bytes()[..length], Format::Toml).unwrap_err();
        assert_eq!(refusal.code, Code::Truncated, "{length}: {refusal}");
        assert!(!is_complete(&whole.as_bytes()[..length], Format::Toml), "{length}");
    }
    assert!(is_complete(whole.as_bytes(), Format::Toml));
    assert!(is_complete(PROMOTE.replace('\n', "\r\n").as_bytes(), Format::Toml));
}

#[test]
fn no_prefix_of_a_json_request_is_complete() {
    let whole = r#"{"format": 1, "action": "keep", "generation": -12, "as": "grüße \u00e9", "dry_run": true, "x": null}"#;
    for length in 0..whole.len() {
        assert!(
            !is_complete(&whole.as_bytes()[..length], Format::Json),
            "{length}: {}",
            &whole[..length.min(40)]
        );
    }
    assert!(is_complete(whole.as_bytes(), Format::Json));
}

#[test]
fn json_that_no_further_byte_can_save_is_complete_and_refused_at_once() {
    for text in [r#"{"format": 1,, "action""#, "format = 1\naction = \"keep\"\n", r#"{"a": 1} {"b""#] {
        assert!(is_complete(text.as_bytes(), Format::Json), "{text}");
        check(text, Format::Json, Code::Malformed, "");
    }
}

#[test]
fn what_is_cut_short_is_told_from_what_is_wrong() {
    check("format = 1\naction = \"sweep\"\n", Format::Toml, Code::Truncated, "`[end]`");
    check(r#"{"format": 1, "action": "sweep""#, Format::Json, Code::Truncated, "in the middle");
    check("", Format::Json, Code::Truncated, "");
    check("", Format::Toml, Code::Truncated, "");
}

#[test]
fn the_table_that_ends_toml_is_empty_and_the_last() {
    check("format = 1\naction = \"sweep\"\n[end]\nx = 1\n[end]\n", Format::Toml, Code::DuplicateKey, "");
    check("format = 1\naction = \"sweep\"\n[end]\nx = 1\n", Format::Toml, Code::Truncated, "");
    check("format = 1\naction = \"sweep\"\nend = {}\n", Format::Toml, Code::Truncated, "");
    check("format = 1\naction = \"sweep\"\nend.x = 1\n[end]\n", Format::Toml, Code::DuplicateKey, "");
    check("format = 1\naction = \"sweep\"\nreason = '''\n[end]\n", Format::Toml, Code::Malformed, "line");
    check("format = 1\naction = \"sweep\"\nreason = '''\n[end]\n'''\n", Format::Toml, Code::Truncated, "");
    check(r#"{"format": 1, "action": "sweep", "end": {}}"#, Format::Json, Code::UnknownKey, "`end`");
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_what_was_meant() {
    let keys =
        "action = \"promote\"\nproduct = \"p\"\nfrom = \"d\"\nto = \"p\"\npackages = [\"a\"]\nplatfroms = []";
    let refusal =
        check(&toml(keys), Format::Toml, Code::UnknownKey, "line 7: the action `promote` does not know");
    assert!(refusal.hint.unwrap().starts_with("did you mean `platforms`; keys of `promote` are `product`, "));
    let json = "{\"format\": 1,\n\"action\": \"sweep\",\n\"now\": true}";
    check(json, Format::Json, Code::UnknownKey, "line 3: the action `sweep` does not know the key `now`");
}

#[test]
fn a_key_of_another_action_is_refused() {
    let keys = "action = \"promote\"\nproduct = \"p\"\nfrom = \"d\"\nto = \"p\"\npackages = [\"a\"]\nfolder = \"/x\"";
    let refusal = check(&toml(keys), Format::Toml, Code::UnknownKey, "`folder`");
    assert_eq!(refusal.reasons, ["`folder` is a key of `import`, `adopt`"]);
}

#[test]
fn the_list_of_keys_in_hints_is_what_the_actions_take() {
    let every: std::collections::BTreeSet<&str> =
        wire::OWN.iter().flat_map(|(_, keys)| keys.iter().copied()).chain(wire::COMMON).collect();
    assert_eq!(wire::OWN.map(|(name, _)| name), Action::NAMES);
    for (action, own) in wire::OWN {
        for key in every.iter().filter(|key| !["format", "action"].contains(*key)) {
            let json = format!(r#"{{"format": 1, "action": "{action}", "{key}": {{}}}}"#);
            let code = parse(json.as_bytes(), Format::Json).unwrap_err().code;
            let known = own.contains(key) || wire::COMMON.contains(key);
            assert_eq!(code == Code::UnknownKey, !known, "{action} {key}");
        }
    }
}

#[test]
fn a_key_named_twice_is_refused() {
    let json = r#"{"format": 1, "action": "sweep", "reason": "a", "reason": "b"}"#;
    check(json, Format::Json, Code::DuplicateKey, "duplicate field");
    check(
        r#"{"format": 1, "format": 1, "action": "sweep"}"#,
        Format::Json,
        Code::DuplicateKey,
        "duplicate field",
    );
    check(
        &toml("action = \"sweep\"\nreason = \"a\"\nreason = \"b\""),
        Format::Toml,
        Code::DuplicateKey,
        "line 4",
    );
}

#[test]
fn the_format_must_be_said_and_known() {
    check("action = \"sweep\"\n[end]\n", Format::Toml, Code::WrongFormat, "does not say");
    check(
        "format = 2\naction = \"sweep\"\nnew = 1\n[end]\n",
        Format::Toml,
        Code::WrongFormat,
        "`format = 2`",
    );
    check("format = 1\n[end]\n", Format::Toml, Code::Malformed, "which `action`");
    let refusal = check(&toml("action = \"promte\""), Format::Toml, Code::UnknownAction, "`promte`");
    assert!(refusal.hint.unwrap().starts_with("did you mean `promote`"));
}

#[test]
fn a_missing_key_is_named() {
    check(
        &toml("action = \"promote\""),
        Format::Toml,
        Code::Malformed,
        "the action `promote` needs the key `product`",
    );
    check(r#"{"format": 1, "action": "revert"}"#, Format::Json, Code::Malformed, "needs the key");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_place() {
    check(
        &toml("action = \"sweep\"\nreason = 5"),
        Format::Toml,
        Code::WrongType,
        "line 3, column 10: invalid type",
    );
    check(&toml("action = \"sweep\"\ndry_run = \"yes\""), Format::Toml, Code::WrongType, "line 3");
    check(
        &toml("action = \"sweep\"\nexpires = \"tomorrow\""),
        Format::Toml,
        Code::Malformed,
        "a time such as",
    );
    check(&toml("action = \"sweep\"\nexpires = 2026-04-01"), Format::Toml, Code::Malformed, "a time such as");
    check(&toml("action = \"sweep\"\nexpires = 5"), Format::Toml, Code::WrongType, "a time such as");
    for list in ["[1, \"sweep\"]", "\"x\"", "7", "null", "[]"] {
        check(list, Format::Json, Code::Malformed, "not a JSON object");
    }
}

#[test]
fn a_generation_is_a_number_or_a_name() {
    let cases = [
        ("12", Reference::Number(12)),
        ("\"12\"", Reference::Number(12)),
        ("\"@12\"", Reference::Number(12)),
        ("\"update-57\"", Reference::Name("update-57".into())),
        ("\"@update-57\"", Reference::Name("update-57".into())),
        ("\"99999999999999999999\"", Reference::Name("99999999999999999999".into())),
    ];
    for (written, expected) in cases {
        let text = toml(&format!("action = \"keep\"\ngeneration = {written}\nas = \"x\""));
        let keep = Action::Keep { generation: Some(expected), as_: Some("x".into()), drop: None };
        assert_eq!(parse(text.as_bytes(), Format::Toml).unwrap().action, keep, "{written}");
    }
    for written in ["-1", "1.5", "true", "\"\"", "\"@\"", "[1]"] {
        let text = toml(&format!("action = \"keep\"\ngeneration = {written}\nas = \"x\""));
        let refusal = parse(text.as_bytes(), Format::Toml).unwrap_err();
        assert!([Code::Malformed, Code::WrongType].contains(&refusal.code), "{written}: {refusal}");
    }
}

#[test]
fn a_keep_gives_or_ends_a_name() {
    for keys in ["", "as = \"a\"\ndrop = \"b\"", "drop = \"b\"\ngeneration = 1", "generation = 1"] {
        check(&toml(&format!("action = \"keep\"\n{keys}")), Format::Toml, Code::Malformed, "either `as`");
    }
    let request = parse(toml("action = \"keep\"\nas = \"x\"").as_bytes(), Format::Toml).unwrap();
    assert_eq!(request.as_, None, "the name of a generation is nobody's to ask for");
}

#[test]
fn an_import_says_where_its_files_are() {
    let digest = "3f".repeat(32);
    let import = |keys: &str| toml(&format!("action = \"import\"\nproduct = \"p\"\nto = \"d\"\n{keys}"));
    let good = [format!("files = [\"{digest}-a-1-1.noarch.rpm\"]"), "folder = \"/srv/new\"".to_owned()];
    for keys in &good {
        parse(import(keys).as_bytes(), Format::Toml).unwrap();
    }
    check(&import(&good.join("\n")), Format::Toml, Code::Malformed, "not both");
    check(&import(""), Format::Toml, Code::Malformed, "either `files` or `folder`");
    for name in ["a.rpm", "x-a.rpm", "DIGEST-", "DIGEST-../a.rpm", "DIGEST-.a", "DIGESTa.rpm", "é"] {
        let keys = format!("files = [\"{}\"]", name.replace("DIGEST", &digest));
        check(&import(&keys), Format::Toml, Code::Malformed, "is not a name in `upload/`");
    }
    let upper = format!("files = [\"{}-a.rpm\"]", digest.to_uppercase());
    check(&import(&upper), Format::Toml, Code::Malformed, "is not a name in `upload/`");
    for folder in ["srv/new", "/srv/../etc", ".."] {
        check(
            &import(&format!("folder = \"{folder}\"")),
            Format::Toml,
            Code::Malformed,
            "not an absolute path",
        );
    }
}

#[test]
fn texts_that_would_harm_a_terminal_or_are_empty_are_refused() {
    for (key, value) in [("id", "a\\u001bb"), ("id", ""), ("id", " "), ("as", "a\\nb"), ("reason", "\\u0000")]
    {
        let text = toml(&format!("action = \"sweep\"\n{key} = \"{value}\""));
        check(&text, Format::Toml, Code::Malformed, &format!("`{key}`"));
    }
    let refusal = check(&toml("action = \"a\\u001b[2Jb\""), Format::Toml, Code::UnknownAction, "u{1b}");
    assert!(!refusal.sentence.contains('\u{1b}'));
    check(&toml("action = \"sweep\"\n\"\\u001b[2J\" = 1"), Format::Toml, Code::UnknownKey, "u{1b}");
    check(&toml("action = \"sweep\"\nplan = \"3fa9\""), Format::Toml, Code::Malformed, "`plan`");
    assert!(parse(toml("action = \"sweep\"\nreason = \"two\\nlines\"").as_bytes(), Format::Toml).is_ok());
}

#[test]
fn hostile_bytes_end_in_a_refusal() {
    let deep = |open: &str, n: usize| format!("{}{}", "{\"format\":1,\"action\":", open.repeat(n));
    for text in [deep("[", 60_000), deep("{\"a\":", 10_000), "[".repeat(65_000)] {
        assert!(parse(text.as_bytes(), Format::Json).is_err());
    }
    for text in [format!("x = {}", "[".repeat(60_000)), format!("x{} = 1", ".x".repeat(30_000))] {
        assert!(parse(toml(&text).as_bytes(), Format::Toml).is_err());
    }
    assert_eq!(parse(b"format = 1\xff\n[end]\n", Format::Toml).unwrap_err().code, Code::NotUtf8);
    let large = toml(&format!("action = \"sweep\"\nreason = \"{}\"", "x".repeat(SIZE_MAX)));
    check(&large, Format::Toml, Code::TooLarge, "65536");
    assert!(is_complete(&vec![b' '; SIZE_MAX + 1], Format::Json), "nothing can make it a request");
    let many = format!(
        "action = \"promote\"\nproduct = \"p\"\nfrom = \"d\"\nto = \"p\"\npackages = [{}]",
        "\"a\",".repeat(1001)
    );
    check(&toml(&many), Format::Toml, Code::Malformed, "more than 1000");
    let patterns = many.replace("\"a\",", "").replace("[]", &format!("[{}]", "\"a*\",".repeat(101)));
    check(&toml(&patterns), Format::Toml, Code::Malformed, "more than 100 patterns");
}

#[test]
fn what_is_written_is_read_again() {
    let odd = "quotes \" and ' and \\ and \u{7f}\u{85}é\ttab\nline '''\n[end]\n\"\"\" #";
    let texts = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    let file = format!("{}-a b.rpm", "0a".repeat(32));
    let actions = [
        promote().action,
        Action::Import {
            product: "p".into(),
            to: "d".into(),
            files: vec![file],
            folder: None,
            platforms: vec![],
        },
        Action::Import {
            product: "p".into(),
            to: "d".into(),
            files: vec![],
            folder: Some("/srv/\"new\"".into()),
            platforms: texts(&["*"]),
        },
        Action::Withdraw {
            product: "p".into(),
            from: "d".into(),
            packages: texts(&["a\\b"]),
            platforms: vec![],
        },
        Action::Revert {
            product: "p".into(),
            stage: "d".into(),
            generation: Reference::Number(u64::MAX),
            platforms: texts(&["sl5/*"]),
        },
        Action::Keep { generation: Some(Reference::Name("u-1".into())), as_: Some("x".into()), drop: None },
        Action::Keep { generation: None, as_: None, drop: Some("x".into()) },
        Action::Sweep {},
        Action::Overlap {},
        Action::AcceptClock {},
        Action::Resume {},
        Action::Config {},
    ];
    for action in actions {
        let as_ = (!matches!(action, Action::Keep { .. })).then(|| "ea-IT-CNAF".to_owned());
        let reason = odd.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect();
        let plan = Some("5e".repeat(32));
        let site = Some("https://repo.example.org".to_owned());
        let request = Request { reason: Some(reason), as_, site, plan, action, ..promote() };
        let text = request.to_toml();
        assert_eq!(parse(text.as_bytes(), Format::Toml).unwrap(), request, "{text}");
        let plain = Request::new(request.action);
        assert_eq!(parse(plain.to_toml().as_bytes(), Format::Toml).unwrap(), plain);
    }
}

#[test]
fn a_written_request_looks_like_one_a_person_would_write() {
    expect_test::expect![[r#"
        format = 1
        action = "promote"
        id = "update-57"
        product = "glite-3.2"
        from = "delta"
        to = "production"
        packages = [
            "voms-clients",
            "voms-1.9.14-1.x86_64",
            "lcg-*",
        ]
        platforms = [
            "sl5/x86_64",
        ]
        reason = "voms 1.9.14 is accepted"
        expires = "2026-04-01T00:00:00Z"
        dry_run = true

        [end]
    "#]]
    .assert_eq(&promote().to_toml());
}

#[test]
fn formats_are_chosen_by_extension() {
    let cases =
        [("a.toml", Some(Format::Toml)), ("a.b.json", Some(Format::Json)), (".toml", None), ("a.txt", None)];
    for (name, format) in cases {
        assert_eq!(Format::of_name(name), format, "{name}");
    }
}

#[test]
fn an_adoption_is_written_and_read_again() {
    let adopt = |kind| {
        Request::new(Action::Adopt {
            product: "p".into(),
            stage: "s".into(),
            platform: "el9/x86_64".into(),
            kind,
            folder: "/srv/old \"one\"".into(),
        })
    };
    for kind in Kind::ALL {
        assert_eq!(parse(adopt(kind).to_toml().as_bytes(), Format::Toml).unwrap(), adopt(kind));
    }
    let keys = "action = \"adopt\"\nproduct = \"p\"\nstage = \"s\"\nplatform = \"el9/x86_64\"";
    let least = toml(&format!("{keys}\nfolder = '/srv/old \"one\"'"));
    assert_eq!(parse(least.as_bytes(), Format::Toml).unwrap(), adopt(Kind::Binary));
    check(&toml(&format!("{keys}\nfolder = \"old\"")), Format::Toml, Code::Malformed, "not an absolute path");
    check(&toml(keys), Format::Toml, Code::Malformed, "needs the key `folder`");
    check(
        &toml(&format!("{keys}\nfolder = \"/o\"\nkind = \"rpm\"")),
        Format::Toml,
        Code::Malformed,
        "unknown variant `rpm`",
    );
}

#[test]
fn what_people_decide_is_written_and_read_again() {
    let until: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
    let (product, stage) = (|| "p".to_owned(), || "s".to_owned());
    let waive = Action::Waive {
        product: product(),
        stage: stage(),
        gate: "soak".into(),
        packages: vec!["a-1-1.x86_64".into(), "lcg-*".into()],
        until,
    };
    let approve =
        |take_back| Action::Approve { product: product(), from: stage(), to: "t".into(), take_back };
    let actions = [
        waive,
        Action::EndWaiver { waiver: "0123456789ab".into() },
        Action::Freeze { product: product(), stage: None, until: None },
        Action::Freeze { product: product(), stage: Some(stage()), until: Some(until) },
        Action::Thaw { freeze: "0123456789ab".into() },
        approve(false),
        approve(true),
        Action::Variant {
            product: product(),
            package: "a-1-1.noarch".into(),
            digests: vec!["5e".repeat(32)],
        },
        Action::EndVariant { variant: "0123456789ab".into() },
        Action::Undo { request: "update-57-20260301T120000.000000Z-3fa9c1".into() },
    ];
    for action in actions {
        let plan = Some("5e".repeat(32)).filter(|_| matches!(action, Action::Approve { .. }));
        let request = Request { plan, reason: Some("because".into()), ..Request::new(action) };
        assert_eq!(parse(request.to_toml().as_bytes(), Format::Toml).unwrap(), request);
        let silent = Request { reason: None, plan: None, ..request.clone() };
        let parsed = parse(silent.to_toml().as_bytes(), Format::Toml);
        match request.action {
            Action::Waive { .. }
            | Action::Freeze { .. }
            | Action::Approve { .. }
            | Action::Variant { .. } => {
                assert_eq!(parsed.unwrap_err().code, Code::Malformed, "{request:?}");
            }
            _ => assert_eq!(parsed.unwrap(), silent),
        }
    }
    let keys = "action = \"waive\"\nproduct = \"p\"\nstage = \"s\"\ngate = \"soak\"\nreason = \"r\"";
    let text = format!("{keys}\nuntil = 2026-04-01T00:00:00Z\npackages = [\"a[\"]");
    check(&toml(&text), Format::Toml, Code::Malformed, "`a[` is not a pattern");
    check(
        &toml(&format!("{keys}\npackages = [\"a\"]")),
        Format::Toml,
        Code::Malformed,
        "needs the key `until`",
    );
}
