use std::fmt::{Debug, Display};

use super::*;

/// Reads a text, and says what it is taken as or why it is not.
fn said<T: FromStr<Err = NotAText> + Display + Debug + PartialEq>(text: &str) -> Result<String, String> {
    match text.parse::<T>() {
        Ok(taken) => {
            assert_eq!(taken.to_string().parse::<T>().as_ref(), Ok(&taken), "what was taken is taken again");
            Ok(taken.to_string())
        }
        Err(refused) => {
            let said = refused.to_string();
            assert_eq!(forbidden(&said), None, "{said:?}");
            assert!(said.len() < 800, "{said:?}");
            Err(said)
        }
    }
}

#[track_caller]
fn check<T: FromStr<Err = NotAText> + Display + Debug + PartialEq>(text: &str, expected: Result<&str, &str>) {
    match (said::<T>(text), expected) {
        (Ok(taken), Ok(expected)) => assert_eq!(taken, expected),
        (Err(said), Err(expected)) => assert!(said.contains(expected), "{said:?}"),
        (got, expected) => panic!("{text:?}: {got:?}, expected {expected:?}"),
    }
}

#[test]
fn words_are_taken_as_they_are_but_for_their_ends() {
    for (text, taken) in [
        ("It works.", "It works."),
        ("  one\r\ntwo\n\n\tthree \n", "one\ntwo\n\n\tthree"),
        ("<script>alert(1)</script> & co", "<script>alert(1)</script> & co"),
        ("gr\u{fc}n \u{5e9}\u{5dc}\u{5d5}\u{5dd}", "gr\u{fc}n \u{5e9}\u{5dc}\u{5d5}\u{5dd}"),
    ] {
        check::<Words>(text, Ok(taken));
    }
}

#[test]
fn words_that_are_not_taken_say_why() {
    for (text, reason) in [
        ("", "is empty"),
        (" \n\t\u{a0}", "is empty"),
        ("a\nb\u{1b}[31m", "line 2 has the character U+001B"),
        ("a\0", "U+0000"),
        ("a\rb", "U+000D"),
        ("a\u{85}b", "U+0085"),
        ("a\u{202e}b", "U+202E, which is not taken: it changes the direction"),
        ("a\u{2066}b", "U+2066"),
        ("a\u{2069}b", "U+2069"),
        (&"word ".repeat(2_001), "has 2001 words, and at most 2000 are taken"),
        (&"longer words than that ".repeat(1_250), "has 5000 words, and at most 2000 are taken"),
        (&"a".repeat(16 * 1024 + 1), "has 16385 bytes, and at most 16384 are taken"),
    ] {
        check::<Words>(text, Err(reason));
    }
    assert!("word ".repeat(2_000).parse::<Words>().is_ok());
    assert!("a".repeat(16 * 1024).parse::<Words>().is_ok());
}

#[test]
fn a_line_is_one_and_short() {
    check::<Line>(
        " A title \u{2014} of \u{201c}some\u{201d} kind\n",
        Ok("A title \u{2014} of \u{201c}some\u{201d} kind"),
    );
    let (fits, long) = ("\u{e9}".repeat(200), "\u{e9}".repeat(201));
    check::<Line>(&fits, Ok(&fits));
    for (text, reason) in [
        (" \n", "is empty"),
        ("a\nb", "several lines"),
        ("a\r\nBcc: all", "several lines"),
        ("a\u{2028}b", "several lines"),
        ("a\u{7f}b", "U+007F"),
        ("a\u{202a}b", "U+202A"),
        (&long, "has 201 characters, and at most 200"),
    ] {
        check::<Line>(text, Err(reason));
    }
}

#[test]
fn a_link_leads_to_a_page_of_a_host() {
    for text in [
        "https://ggus.eu/ws/ticket_info.php?ticket=1234",
        "HTTP://Savannah.cern.ch:8443/bugs/?1234#comment3",
        "http://[2001:db8::1]/x",
        "http://[::1]:80",
        "https://rt.egi.eu",
        "https://rt.egi.eu/a%20b;c=(d)'*!$&+,@",
    ] {
        check::<Link>(text, Ok(text));
        check::<Reference>(text, Ok(text));
    }
    let long = format!("https://a/{}", "a".repeat(1_991));
    for text in [
        "",
        "ftp://a/b",
        "javascript:alert(1)",
        "https:",
        "https://",
        "https:///a",
        "https://.a/",
        "//a/b",
        " https://a/",
        "https://a/ b",
        "https://a/\n",
        "https://a/\"onclick",
        "https://a/<b>",
        "https://a\\b",
        "https://a/\u{e9}",
        "https://\u{430}.example/",
        "https://user:pw@host/",
        "https://user@host/",
        "https://host:99999/",
        "https://host:+1/",
        "https://host:/",
        "https://[::1/",
        "https://[]/",
        "https://a/\u{202e}",
        "h\u{e9}tps:///",
        &long,
    ] {
        check::<Link>(text, Err("is not a link"));
        check::<Reference>(text, Err("names no ticket or bug"));
    }
    assert!(long[..2_000].parse::<Link>().is_ok());
}

#[test]
fn a_ticket_or_bug_may_be_named_by_its_id() {
    for text in ["#1234", "savannah:1234", "GGUS:123456789012", "rt2:1"] {
        assert_eq!(text.parse(), Ok(Reference::Id(text.to_owned())));
        check::<Reference>(text, Ok(text));
    }
    let long = format!("{}:1", "a".repeat(33));
    for text in [
        "1234",
        "#",
        "#12a",
        "#1234567890123",
        "savannah:",
        ":12",
        "2rt:1",
        "sa vannah:1",
        "a:-1",
        "a:\u{661}",
        &long,
    ] {
        check::<Reference>(text, Err("names no ticket or bug"));
    }
}

#[test]
fn texts_are_checked_when_they_are_read_back() {
    assert_eq!(serde_json::from_str::<Words>("\"a\\nb\"").unwrap().as_str(), "a\nb");
    assert_eq!(
        serde_json::to_string(&"savannah:12".parse::<Reference>().unwrap()).unwrap(),
        "\"savannah:12\""
    );
    assert!(serde_json::from_str::<Words>("\"\\u202e\"").is_err());
    assert!(serde_json::from_str::<Line>("\"a\\nb\"").is_err());
    assert!(serde_json::from_str::<Link>("\"ftp://a\"").is_err());
    assert!(serde_json::from_str::<Reference>("\"12\"").is_err());
}
