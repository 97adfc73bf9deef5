//! Paths that several packages bring, judged by what their headers say.

use super::*;
use crate::headers::{Bringer, Looked, Origin};

/// `directory mode`, `link target`, `ghost`, or the text of a regular file; with `colour` of a binary.
fn contents(text: &str, colour: u8) -> Contents {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mode = match word {
        "directory" => 0o040_000 | u16::from_str_radix(rest, 8).unwrap(),
        "link" => 0o120_777,
        _ => 0o100_755,
    };
    let (size, ghost) = (text.len() as u64, word == "ghost");
    Contents { mode, user: "root".into(), group: "root".into(), size, text: text.into(), colour, ghost }
}

/// `ui` brings `a`, which enters, and `b` of the base system; both have `/shared`, of these kinds.
fn change(platform: &str, kinds: [&str; 2]) -> Change {
    let one = package("a-1-1.x86_64", &[&format!("{} /shared", kinds[0])]);
    let two = package("b-1-1.x86_64", &[&format!("{} /shared", kinds[1])]);
    let ui = package("ui-1-1.noarch", &["requires a = 1-1", "requires b = 1-1"]);
    let arch = |package: Package| {
        let nevra = Nevra { arch: Arch::new(platform), ..package.nevra };
        Package { nevra, ..package }
    };
    let story = Story { enter: vec![arch(one), ui], base: vec![arch(two)], ..Story::default() };
    Change { platform: Arch::new(platform), ..story.change() }
}

/// Judges by headers that say this of `a` and `b`.
#[track_caller]
fn check(platform: &str, kinds: [&str; 2], said: [Looked; 2], expected: &[&str]) {
    let look = |bringer: &Bringer, path: &str| {
        assert_eq!(path, "/shared");
        let at = usize::from(bringer.nevra.name == "b");
        assert_eq!(bringer.origin, [Origin::Enters, Origin::Context(0)][at]);
        said[at].clone()
    };
    let judgement = judge_with(&change(platform, kinds), &look);
    assert!(judgement.unread.is_empty(), "{:?}", judgement.unread);
    let words: Vec<&str> = judgement.broken.iter().map(|finding| finding.words.as_str()).collect();
    assert_eq!(words, expected);
    assert!(judgement.broken.iter().all(|one| one.judged == one.words.ends_with("different contents")));
}

fn says(text: &str) -> Looked {
    Looked::Contents(contents(text, 0))
}

const DIFFERENT: &str = "a 1-1 and b 1-1 both bring `/shared`, with different contents";

#[test]
fn headers_of_those_that_share_a_path_are_asked_for_and_of_no_others() {
    let judgement = judge(&change("x86_64", ["file", "file"]));
    let shown: Vec<String> = judgement
        .unread
        .iter()
        .map(|(bringer, paths)| format!("{} {:?} {}: {paths:?}", bringer.nevra, bringer.origin, bringer.at))
        .collect();
    assert_eq!(
        shown,
        [
            "a-1-1.x86_64 Enters 0: {\"/shared\"}".to_owned(),
            "b-1-1.x86_64 Context(0) 0: {\"/shared\"}".to_owned()
        ]
    );
    assert!(!judgement.broken[0].judged && judgement.broken.len() == 1, "{:?}", judgement.broken);
}

#[test]
fn files_are_shared_as_rpm_shares_them() {
    let files = |one: &str, two: &str, expected: &[&str]| {
        check("x86_64", ["file", "file"], [says(one), says(two)], expected);
    };
    files("same", "same", &[]);
    files("same", "other", &[DIFFERENT]);
    files("same", "longer text", &[DIFFERENT]);
    files("link a", "link a", &[]);
    files("link a", "link b", &[DIFFERENT]);
    files("link a", "same", &[DIFFERENT]);
    files("ghost", "same", &[]);
    for change in [
        |contents: &mut Contents| contents.mode = 0o100_644,
        |contents: &mut Contents| contents.user = "daemon".into(),
        |contents: &mut Contents| contents.group = "daemon".into(),
        |contents: &mut Contents| contents.text.insert(0, ' '),
    ] {
        let mut other = contents("same", 0);
        change(&mut other);
        check("x86_64", ["file", "file"], [says("same"), Looked::Contents(other)], &[DIFFERENT]);
    }
}

#[test]
fn directories_differ_in_mode_and_from_all_that_is_none() {
    let directories = ["directory", "directory"];
    let (usual, closed) = (says("directory 755"), says("directory 700"));
    check("x86_64", directories, [usual.clone(), usual.clone()], &[]);
    check("x86_64", directories, [usual.clone(), closed], &[DIFFERENT]);
    check("x86_64", ["directory", "file"], [usual.clone(), says("same")], &[DIFFERENT]);
    let unknown = || Looked::Unknown("it is far away".into());
    check("x86_64", directories, [usual.clone(), unknown()], &[]);
    check("x86_64", ["directory", "file"], [usual, unknown()], &[DIFFERENT]);
    let ghost = Looked::Contents(Contents { ghost: true, ..contents("directory 755", 0) });
    check("x86_64", ["directory", "file"], [ghost, says("same")], &[]);
}

#[test]
fn two_word_sizes_share_a_path_where_hosts_take_both() {
    let colours = |one, two| [("one", one), ("two", two)].map(|(t, c)| Looked::Contents(contents(t, c)));
    let files = ["file", "file"];
    check("x86_64", files, colours(1, 2), &[]);
    check("x86_64", files, colours(2, 1), &[]);
    check("x86_64", files, colours(2, 2), &[DIFFERENT]);
    check("x86_64", files, colours(0, 2), &[DIFFERENT]);
    check("aarch64", files, colours(1, 2), &[DIFFERENT]);
}

#[test]
fn what_cannot_be_told_says_why() {
    let why =
        "a 1-1 and b 1-1 both bring `/shared`, and whether they are the same cannot be told: it is far away";
    let unknown = Looked::Unknown("it is far away".into());
    check("x86_64", ["file", "file"], [says("same"), unknown.clone()], &[why]);
    // The other one is not read in vain.
    check("x86_64", ["file", "file"], [Looked::NotYet, unknown], &[why]);
}
