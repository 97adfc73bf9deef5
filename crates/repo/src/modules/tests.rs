use super::*;

const DEFAULTS: &str = "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: perl\n  modified: 202401020304\n  stream: \"5\"\n...\n";

fn stream(artifacts: &[&str]) -> String {
    let lines: String = artifacts.iter().map(|name| format!("    - {name}-0:1-1.x86_64\n")).collect();
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: perl\n  stream: \"5\"\n  version: 7\n  context: c1\n  arch: x86_64\n  \
         summary: >-\n    - not this-0:1-1.x86_64\n  profiles:\n    common:\n      rpms:\n      - perl\n  artifacts:\n    rpms:\n{lines}  \
         license:\n    module:\n    - MIT # why\n"
    )
}

fn read(text: &str) -> Vec<Module> {
    Modules::parse(text.as_bytes()).unwrap().documents
}

fn one(artifacts: &[&str]) -> Module {
    read(&stream(artifacts)).remove(0)
}

#[test]
fn documents_come_out_as_they_went_in() {
    let obsoletes = "---\ndocument: modulemd-obsoletes\nversion: 1\ndata:\n  modified: 2024-01-02T03:04Z\n  module: perl\n  stream: \"5\"\n";
    let text = format!("# what this is\n{}{DEFAULTS}{obsoletes}", stream(&["perl", "perl-libs"]));
    let documents = read(&text);
    let shown: Vec<_> =
        documents.iter().map(|one| (one.kind.as_str(), one.module.as_str(), one.id.as_str())).collect();
    let expected = [
        ("modulemd", "perl", "perl:5:7:c1:x86_64"),
        ("modulemd-defaults", "perl", "perl"),
        ("modulemd-obsoletes", "perl", "perl:5:"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(Modules { documents: documents.clone() }.write(), text.as_bytes());
    assert_eq!(documents[1].modified, documents[2].modified);
    let names: Vec<String> = documents[0].packages().map(ToString::to_string).collect();
    assert_eq!(names, ["perl-1-1.x86_64", "perl-libs-1-1.x86_64"]);
    assert_eq!(read(""), []);
}

#[test]
fn what_goes_is_cut_and_comes_back_in_its_place() {
    let whole = one(&["a", "b", "c"]);
    let cut = |stay: &[&str]| whole.cut(|nevra| stay.contains(&nevra.name.as_str()));
    assert_eq!(cut(&["b"]), Some(one(&["b"])));
    assert_eq!(cut(&["a", "b", "c"]), Some(whole.clone()));
    assert_eq!(cut(&[]), None);
    assert_eq!(one(&["a", "c"]).merged(&one(&["b"])), whole);
    assert_eq!(one(&["b"]).merged(&one(&["a", "c"])), whole);
    assert_eq!(one(&["a"]).merged(&whole), whole);
}

#[test]
fn what_lists_its_packages_in_one_line_is_cut() {
    let text =
        "document: modulemd\ndata: {name: m, stream: s, artifacts: {rpms: [a-0:1-1.noarch, b-0:1-1.noarch]}}";
    let whole = read(text).remove(0);
    assert_eq!(whole.raw, format!("---\n{text}\n").into_bytes());
    let cut = whole.cut(|nevra| nevra.name == "a").unwrap();
    assert_eq!(cut.raw, format!("---\n{}\n", text.replace(", b-0:1-1.noarch", "")).into_bytes());
    assert_eq!(whole.cut(|_| false), None);
}

#[test]
fn the_first_document_needs_no_mark() {
    let marked = stream(&["a", "b"]);
    let bare = read(marked.strip_prefix("---\n").unwrap()).remove(0);
    assert_eq!(bare, one(&["a", "b"]));
    assert_eq!(bare.cut(|nevra| nevra.name == "b"), Some(one(&["b"])));
}

#[test]
fn what_is_no_modules_is_refused_with_its_line() {
    let check = |text: &[u8], words: &str| {
        let said = Modules::parse(text).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    };
    check(b"---\na: [", "failed to read the modules in line ");
    check(b"---\na: &x 1\nb: *x\n", "in line 3: an alias stands");
    check(b"a: \xff", "in line 1: it is not UTF-8");
    check(b"%YAML 1.1\n---\na: 1\n", "a directive stands");
    check(b"a: 1\r\nb: 2\r\n", "a line ends otherwise");
    check(b"a: 1\nb: 2\0\n---\nc: 3\n", "in line 2: it holds character `0x00`");
    check("[".repeat(100).as_bytes(), "nested too deep");
    check("---\na: 1\n".repeat(20_001).as_bytes(), "more than 20000 documents");
}

/// A stream with this list of packages.
fn listed(artifacts: &str) -> Module {
    read(&format!("---\ndocument: modulemd\ndata:\n  summary: gr\u{fc}n\n  name: m\n  stream: s\n  artifacts:\n    rpms:{artifacts}\n")).remove(0)
}

fn names(module: &Module) -> String {
    module.packages().map(|nevra| nevra.name.as_str()).collect::<Vec<_>>().join(" ")
}

const A: &str = "a-0:1-1.noarch";
const B: &str = "b-0:1-1.noarch";
const C: &str = "c-0:1-1.noarch";

#[test]
fn lists_between_brackets_are_cut_and_come_together_as_others() {
    let check = |list: &str, stays: &[&str], expected: &str| {
        let cut = listed(list).cut(|nevra| stays.contains(&nevra.name.as_str())).unwrap();
        assert_eq!(cut, listed(expected), "{list} {stays:?}");
    };
    let all = format!(" [{A}, \"{B}\", '{C}']");
    check(&all, &["a"], &format!(" [{A}]"));
    check(&all, &["b"], &format!(" [\"{B}\"]"));
    check(&all, &["c"], &format!(" ['{C}']"));
    check(&all, &["a", "b"], &format!(" [{A}, \"{B}\"]"));
    check(&all, &["a", "c"], &format!(" [{A}, '{C}']"));
    check(&all, &["a", "b", "c"], &all);
    let lines = format!(" [ # those\n      {A}, # the \u{e4} one\n      {B}, # the b\n      {C},\n    ]");
    check(&lines, &["b"], &format!(" [ # those\n      {B},\n    ]"));
    check(&lines, &["a"], &format!(" [ # those\n      {A},\n    ]"));
    check(&lines, &["b", "c"], &format!(" [ # those\n      {B}, # the b\n      {C},\n    ]"));
    assert_eq!(listed(&all).cut(|_| false), None);

    let put = |one: &str, other: &str, expected: &str| {
        assert_eq!(listed(one).merged(&listed(other)), listed(expected), "{one} {other}");
    };
    let [a, b, c] = [A, B, C].map(|name| format!("\n    - {name}"));
    put(&format!(" [{B}]"), &format!(" [{A}, {C}]"), &format!(" [{A}, {B}, {C}]"));
    put(&format!(" [{A}, {C}]"), &format!(" [{B}]"), &format!(" [{A}, {B}, {C}]"));
    put(&(a.clone() + &c), &format!(" [{B}]"), &format!(" [{A}, {B}, {C}]"));
    put(&format!(" [{B}, {C}]"), &a, &format!("{a}{b}{c}"));
    put(&format!(" [{A}]"), &format!(" [{C}, {B}]"), &format!(" [{C}, {B}, {A}]"));
}

#[test]
fn a_line_goes_with_its_comment() {
    let list = format!("\n    - {A} # the \u{e4} one\n    # between\n    -   \"{B}\"   #b\n    - {C}");
    let cut = |stays: &str| listed(&list).cut(|nevra| nevra.name == stays).unwrap();
    assert_eq!(cut("a"), listed(&format!("\n    - {A} # the \u{e4} one\n    # between")));
    assert_eq!(cut("b"), listed(&format!("\n    # between\n    -   \"{B}\"   #b")));
    assert_eq!(names(&cut("a").merged(&cut("c"))), "a c");
    assert_eq!(names(&cut("c").merged(&cut("a"))), "a c");
    let last = format!("document: modulemd\ndata:\n  artifacts:\n    rpms:\n    - {A}\n    - {B}");
    let cut = read(&last).remove(0).cut(|nevra| nevra.name == "a").unwrap();
    assert_eq!(
        String::from_utf8(cut.raw).unwrap(),
        format!("---\n{}\n", last.trim_end_matches(B).trim_end_matches("\n    - "))
    );
}

#[test]
fn what_cannot_be_cut_is_refused_with_its_line() {
    let check = |artifacts: &str, words: &str| {
        let text = format!("---\ndocument: modulemd\ndata:\n  artifacts:\n    rpms:{artifacts}\n");
        let said = Modules::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(words), "{artifacts}: {said}");
    };
    let not = "a package is listed so that it cannot be cut out";
    check(&format!("\n    - {A}\n    - &x {B}"), &format!("in line 7: {not}"));
    check(&format!(" [{A}, !!str {B}]"), not);
    check(&format!("\n    - |-\n      {A}"), not);
    check(&format!("\n    -\n      {A}"), not);
    check(&format!("\n    - {A}\n    rpms: [{B}]"), "in line 7: packages are listed twice");
    check(" &x [a-0:1-1.noarch]", "cut out");
    check(&format!("\n    - [{A}]"), "what is listed as a package is no text");
}

#[test]
fn documents_of_one_id_are_few() {
    let some = |count: usize| DEFAULTS.repeat(count);
    assert_eq!(read(&some(16)).len(), 16);
    let said = Modules::parse(some(17).as_bytes()).unwrap_err().to_string();
    assert!(said.contains("more than 16 documents are `perl`"), "{said}");
    assert_eq!(read(&"---\ndocument: what\n".repeat(40)).len(), 40, "nobody looks for these");
}
