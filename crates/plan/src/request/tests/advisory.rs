//! Advisories of one's own.

use super::*;

/// An advisory that says the least, changed.
fn advisory(change: impl FnOnce(&mut Advised)) -> Action {
    let mut advised = Advised {
        id: "GRID-1".into(),
        kind: "bugfix".into(),
        severity: None,
        title: "t <&> \"t\"".into(),
        description: String::new(),
        references: vec![],
        reboot: false,
    };
    change(&mut advised);
    Action::Advisory {
        product: "p".into(),
        stage: "s".into(),
        advised,
        packages: vec!["a-1-1.x86_64".into()],
        platforms: vec![],
    }
}

#[test]
fn an_advisory_says_what_clients_can_read() {
    let check = |change: fn(&mut Advised), words: &str| {
        let request = Request::new(advisory(change)).to_toml();
        check(&request, Format::Toml, Code::Malformed, words);
    };
    check(|said| said.id = " ".into(), "`advisory` is empty");
    check(|said| said.id = " A".into(), "no space around it");
    check(|said| said.id = "retracted-x".into(), "does not begin with `retracted-`");
    check(|said| said.kind = "important".into(), "`type` is none of `security`, ");
    check(|said| said.severity = Some("bad".into()), "`severity` is none of `Critical`, ");
    check(|said| said.title = "\u{fffe}".into(), "XML cannot carry the character 0xfffe");
    check(|said| said.description = "\u{7}".into(), "holds control characters");
}

#[test]
fn an_advisory_is_written_and_read_again() {
    let whole = advisory(|said| {
        said.severity = Some("Low".into());
        said.description = "two\nlines".into();
        said.references = vec!["CVE-2026-1".into(), "https://example.org/?a&b".into()];
        said.reboot = true;
    });
    for action in [advisory(|_| {}), whole] {
        let request = Request::new(action);
        assert_eq!(parse(request.to_toml().as_bytes(), Format::Toml).unwrap(), request);
    }
}

#[test]
fn taking_an_advisory_back_is_written_and_read_again() {
    for retracted in [false, true] {
        let (product, advisory) = ("p".into(), "GRID-1".into());
        let action = Action::EndAdvisory { product, advisory, retracted };
        let request = Request { reason: Some("wrong".into()), ..Request::new(action) };
        assert_eq!(parse(request.to_toml().as_bytes(), Format::Toml).unwrap(), request);
        let silent = Request { reason: None, ..request }.to_toml();
        check(&silent, Format::Toml, Code::Malformed, "needs a `reason`");
    }
    let ours = toml("action = \"end-advisory\"\nproduct = \"p\"\nadvisory = \"retracted-x\"\nreason = \"r\"");
    check(&ours, Format::Toml, Code::Malformed, "does not begin with `retracted-`");
}
