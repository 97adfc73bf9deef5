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
fn what_lists_its_packages_in_one_line_stays_whole() {
    let text =
        "document: modulemd\ndata: {name: m, stream: s, artifacts: {rpms: [a-0:1-1.noarch, b-0:1-1.noarch]}}";
    let whole = read(text).remove(0);
    assert!(!whole.is_cut_by_lines() && one(&["a"]).is_cut_by_lines());
    assert_eq!(whole.packages().count(), 2);
    assert_eq!(whole.cut(|nevra| nevra.name == "a"), Some(whole.clone()));
    assert_eq!(whole.cut(|_| false), None);
    assert_eq!(whole.raw, format!("---\n{text}\n").into_bytes());
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
    check("[".repeat(100).as_bytes(), "nested too deep");
    check("---\na: 1\n".repeat(20_001).as_bytes(), "more than 20000 documents");
}
