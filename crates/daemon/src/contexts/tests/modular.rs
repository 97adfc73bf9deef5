//! What is read of module streams, and what hosts do not see because of them.

use super::*;
use crate::contexts::modules::Modules;

/// `name:stream:version [requires]` with the packages it brings.
fn stream(id: &str, requires: &str, artifacts: &str) -> String {
    let [name, stream, version] = id.split(':').collect::<Vec<_>>()[..] else { panic!("{id}") };
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: \"{stream}\"\n  version: {version}\n  \
         context: c\n  dependencies:\n  - buildrequires: {{platform: [el9]}}\n    requires: {{{requires}}}\n  \
         artifacts:\n    rpms: [{artifacts}]\n...\n"
    )
}

fn default(module: &str, stream: &str) -> String {
    format!(
        "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: {module}\n  stream: \"{stream}\"\n...\n"
    )
}

/// What is active, what is hidden, and which names are.
#[track_caller]
fn check(documents: &[String], active: &str, hidden: &str, names: &str) {
    let modules = Modules::read(&documents.concat()).unwrap();
    let shown = |all: &std::collections::BTreeSet<Nevra>| {
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let all_names: Vec<&str> = modules.names.iter().map(String::as_str).collect();
    assert_eq!(
        (shown(&modules.active).as_str(), shown(&modules.hidden).as_str(), all_names.join(" ").as_str()),
        (active, hidden, names)
    );
}

#[test]
fn a_default_stream_is_active_and_all_others_are_hidden() {
    let streams = [
        stream("perl:6:1", "platform: [el9]", "perl-0:6-1.noarch, perl-0:6-1.src, perl-libs-1:6-1.x86_64"),
        stream("perl:7:2", "platform: [el9]", "perl-0:7-1.noarch"),
        stream("node:1:1", "", "node-0:1-1.noarch"),
        default("perl", "6"),
    ];
    check(
        &streams,
        "perl-6-1.noarch perl-6-1.src perl-libs-1:6-1.x86_64",
        "node-1-1.noarch perl-7-1.noarch",
        "perl perl-libs",
    );
    // A default that names no stream is none, and two that contradict each other are none.
    check(
        &[streams[2].clone(), "---\ndocument: modulemd-defaults\ndata: {module: node}\n".into()],
        "",
        "node-1-1.noarch",
        "",
    );
    check(
        &[streams[..3].concat(), default("perl", "6"), default("perl", "7")],
        "",
        "node-1-1.noarch perl-6-1.noarch perl-6-1.src perl-7-1.noarch perl-libs-1:6-1.x86_64",
        "",
    );
}

#[test]
fn a_default_stream_whose_requirements_are_not_met_is_not_active() {
    let perl = [
        stream("perl:6:1", "", "perl-0:6-1.noarch"),
        stream("perl:7:1", "", "perl-0:7-1.noarch"),
        default("perl", "6"),
    ]
    .concat();
    let of =
        |requires: &str| [perl.clone(), stream("dbi:1:1", requires, "dbi-0:1-1.noarch"), default("dbi", "1")];
    for met in ["perl: []", "perl: [\"6\"]", "perl: [\"7\", \"6\"]", "perl: [\"-7\"]"] {
        check(&of(met), "dbi-1-1.noarch perl-6-1.noarch", "perl-7-1.noarch", "dbi perl");
    }
    for open in ["perl: [\"7\"]", "perl: [\"-6\"]", "ruby: []"] {
        check(&of(open), "perl-6-1.noarch", "dbi-1-1.noarch perl-7-1.noarch", "perl");
    }
    // A module without default comes with what requires it.
    let node = stream("node:2:1", "", "node-0:2-1.noarch");
    check(
        &[node, stream("app:1:1", "node: []", "app-0:1-1.noarch"), default("app", "1")],
        "app-1-1.noarch node-2-1.noarch",
        "",
        "app node",
    );
}

#[test]
fn of_a_stream_for_several_others_the_one_that_fits_counts_in_all_its_versions() {
    let streams = [
        stream("perl:6:1", "", "perl-0:6-1.noarch"),
        default("perl", "6"),
        stream("dbi:1:1", "perl: [\"6\"]", "dbi-0:1-1.noarch"),
        stream("dbi:1:2", "perl: [\"6\"]", "dbi-0:1-2.noarch"),
        stream("dbi:1:3", "perl: [\"7\"]", "dbi-0:1-3.noarch"),
        default("dbi", "1"),
    ];
    check(&streams, "dbi-1-1.noarch dbi-1-2.noarch perl-6-1.noarch", "dbi-1-3.noarch", "dbi perl");
}

#[test]
fn what_is_hostile_ends_in_words() {
    let read = |yaml: &str| Modules::read(yaml).unwrap_err();
    assert!(read(&format!("a: {}", "[".repeat(100))).contains("nested too deep"));
    assert!(read("a: &x [1]\nb: *x\n").contains("an alias stands in line 2"));
    assert!(read("? [a]\n: b\n").contains("a key is no text"));
    assert!(!read("a: 'b").is_empty() && !read("\tb: [").is_empty());
    assert!(read("document: modulemd\ndata: {version: many}\n").contains("a version is no number"));
    let many = "---\ndocument: modulemd\ndata: {name: a, stream: b}\n".repeat(20_001);
    assert!(read(&many).contains("more than 20000 streams"));
    let chain: String = (0..60)
        .map(|n| {
            stream(&format!("m{n}:1:1"), &format!("m{}: []", n + 1), "") + &default(&format!("m{n}"), "1")
        })
        .collect();
    assert!(read(&(chain + &default("m60", "1"))).contains("more than 50 deep"));
    for yaml in ["", "---\n", "document: modulemd\n", "- a\n- b\n", "a", "document: [modulemd]\ndata: 3\n"] {
        assert_eq!(Modules::read(yaml), Ok(Modules::default()), "{yaml}");
    }
}

/// Repodata with module streams, whole or not.
fn modular(yaml: &[u8]) -> Metadata {
    let mut made = metadata(&Form::default(), "1");
    let mut repomd = Repomd::parse(&made.repomd).unwrap();
    let piece = Piece {
        kind: "modules",
        file_name: "modules.yaml",
        open: yaml.into(),
        compression: Compression::Gzip,
        database_version: None,
    };
    let (record, bytes) = repo::pack_piece(&Form::default(), &piece, 7);
    made.files.push((record.href.clone(), bytes));
    repomd.records.push(record);
    made.repomd = repomd.write();
    made
}

#[test]
fn packages_that_hosts_do_not_see_are_not_listed_and_yaml_that_is_none_is_corrupt() {
    let disk = site();
    publish(&disk, &modular(stream("shell:1:1", "", "bash-0:1-1.x86_64").as_bytes()));
    let known = Contexts::default().known(&kept(&disk), &folder(), &platform(), now()).unwrap();
    let names = |known: &plan::Context| {
        known.shelf.packages().iter().map(|one| one.nevra.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((names(&known), known.places.len()), (vec!["odd-1-1.noarch".to_owned()], 1));
    // From the index it is the same.
    let again = Contexts::default().known(&kept(&disk), &folder(), &platform(), now()).unwrap();
    assert_eq!(names(&again), names(&known));
    publish(&disk, &modular(b"a: [b"));
    let unfit = Contexts::default().known(&kept(&disk), &folder(), &platform(), now()).unwrap_err();
    assert_eq!(unfit.code, Code::ContextCorrupt);
    assert!(unfit.words.contains("`modules of /mirror` is not what it should be"), "{}", unfit.words);
}
