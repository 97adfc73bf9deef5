//! The house rules that a machine can check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::checkout;
use walkdir::WalkDir;

/// A file longer than this does too much; 250 is the habit, this is the wall.
const LINES_MAX: usize = 500;

/// Which crates of this workspace each crate may name under `[dependencies]`.
const ARROWS: [(&str, &[&str]); 14] = [
    ("nevra", &[]),
    ("repo", &["nevra"]),
    ("databases", &["nevra", "repo"]),
    ("closure", &["nevra"]),
    ("metapackage", &["nevra", "repo"]),
    ("plan", &["closure", "metapackage", "nevra", "repo", "workflow"]),
    ("signatures", &[]),
    ("workflow", &["nevra"]),
    ("store", &["nevra"]),
    ("createrepo", &["databases", "nevra", "repo", "store"]),
    (
        "daemon",
        &["closure", "databases", "metapackage", "nevra", "plan", "repo", "signatures", "store", "workflow"],
    ),
    (
        "cli",
        &[
            "closure",
            "createrepo",
            "daemon",
            "databases",
            "metapackage",
            "nevra",
            "plan",
            "repo",
            "signatures",
            "store",
            "workflow",
        ],
    ),
    ("testkit", &[]),
    ("bench", &["repo"]),
];

/// Words that say nothing about what a file decides.
const EMPTY_WORDS: [&str; 7] = ["manager", "handler", "helper", "util", "common", "data", "info"];

/// Crates whose code sees only what it is handed, and the one that touches the disk in one file.
const PURE: [&str; 8] =
    ["nevra", "repo", "databases", "closure", "metapackage", "plan", "signatures", "workflow"];

/// Every file below the folders that are written by hand, relative to the checkout.
fn files() -> Vec<Utf8PathBuf> {
    let root = checkout();
    let mut found = Vec::new();
    for top in ["crates", "fixtures", "tests", "deploy", ".ci"] {
        let walk = WalkDir::new(root.join(top)).sort_by_file_name().into_iter();
        // A crate built on its own leaves a target folder; nothing in it is written by hand.
        for entry in
            walk.filter_entry(|entry| entry.file_name() != "target" && entry.file_name() != "__pycache__")
        {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let path = Utf8PathBuf::from_path_buf(entry.into_path()).unwrap();
                found.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    assert!(found.len() > 20, "only {} files below {root}: is this the checkout?", found.len());
    found
}

fn text(file: &Utf8Path) -> String {
    fs::read_to_string(checkout().join(file))
        .unwrap_or_else(|error| panic!("failed to read `{file}`: {error}"))
}

fn is_rust(file: &Utf8Path) -> bool {
    file.extension() == Some("rs")
}

fn is_code(file: &Utf8Path) -> bool {
    let script = file.extension().is_none() && text(file).starts_with("#!");
    script || matches!(file.extension(), Some("rs" | "py" | "sh"))
}

/// Package name of each folder below `crates/`, with its manifest.
fn manifests() -> BTreeMap<String, toml::Table> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(checkout().join("crates")).unwrap() {
        let folder = entry.unwrap().file_name().into_string().unwrap();
        let manifest: toml::Table =
            text(&Utf8PathBuf::from(format!("crates/{folder}/Cargo.toml"))).parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(&*folder), "a crate is named as its folder");
        found.insert(folder, manifest);
    }
    found
}

fn named_under(manifest: &toml::Table, table: &str) -> BTreeSet<String> {
    manifest
        .get(table)
        .and_then(toml::Value::as_table)
        .map(|t| t.keys().cloned().collect())
        .unwrap_or_default()
}

#[test]
fn arrows_between_crates_point_as_drawn() {
    let manifests = manifests();
    let drawn: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = manifests.keys().map(String::as_str).collect();
    assert_eq!(there, drawn, "a crate without its line in ARROWS, or a line without its crate");
    for (name, allowed) in ARROWS {
        let manifest = &manifests[name];
        for dependency in named_under(manifest, "dependencies") {
            let ours = drawn.contains(&*dependency);
            assert!(!ours || allowed.contains(&&*dependency), "`{name}` may not depend on `{dependency}`");
        }
        for dependency in named_under(manifest, "dev-dependencies") {
            let ours = drawn.contains(&*dependency);
            let fine = dependency == "testkit" || allowed.contains(&&*dependency);
            assert!(!ours || fine, "not even the tests of `{name}` may depend on `{dependency}`");
        }
        assert!(named_under(manifest, "build-dependencies").is_empty(), "`{name}` has a build script");
        let lints = manifest["lints"]["workspace"].as_bool();
        assert_eq!(lints, Some(true), "`{name}` does not take the lints of the workspace");
    }
}

#[test]
fn no_file_is_longer_than_the_wall() {
    let code: Vec<_> = files().into_iter().filter(|file| is_code(file)).collect();
    let mut lengths: Vec<_> = code.iter().map(|file| (text(file).lines().count(), file)).collect();
    lengths.sort();
    let habit = lengths.iter().filter(|(lines, _)| *lines > LINES_MAX / 2).count();
    let (longest, file) = lengths.last().unwrap();
    println!(
        "{} files of code, {habit} above {}, the longest is `{file}`: {longest}",
        code.len(),
        LINES_MAX / 2
    );
    let over: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > LINES_MAX).collect();
    assert!(over.is_empty(), "longer than {LINES_MAX} lines: {over:?}");
}

/// A module as a `mod name;` line declares it.
struct Declared {
    name: String,
    only_for_tests: bool,
}

/// What the `mod name;` lines of `source` declare, those of inline modules apart.
fn declared(source: &str) -> Vec<Declared> {
    let mut found = Vec::new();
    let mut only_for_tests = false;
    for line in source.lines().map(str::trim) {
        let rest = match line.strip_prefix("pub") {
            Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or("", |(_, rest)| rest),
            Some(rest) => rest,
            None => line,
        };
        if let Some(name) = rest.trim_start().strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            found.push(Declared { name: name.trim().to_owned(), only_for_tests });
        }
        only_for_tests = line.starts_with("#[cfg(test)]") || (only_for_tests && line.starts_with("#["));
    }
    found
}

/// Every module that a `mod` line leads to, and whether it exists in tests only.
fn modules() -> BTreeMap<Utf8PathBuf, bool> {
    let mut reached: BTreeMap<Utf8PathBuf, bool> = BTreeMap::new();
    let mut waiting: Vec<_> =
        files().into_iter().filter_map(|file| top(&file).map(|test| (file, test))).collect();
    while let Some((file, for_tests)) = waiting.pop() {
        let outer = matches!(file.file_name(), Some("lib.rs" | "main.rs"));
        let folder = if outer { file.parent().unwrap().to_owned() } else { file.with_extension("") };
        for Declared { name, only_for_tests } in declared(&text(&file)) {
            let module = folder.join(format!("{name}.rs"));
            assert!(
                checkout().join(&module).is_file(),
                "`{file}` says `mod {name};` and `{module}` is not there"
            );
            waiting.push((module, for_tests || only_for_tests));
        }
        reached.insert(file, for_tests);
    }
    reached
}

/// Whether a file that no `mod` line leads to is found by cargo itself, and then whether for tests only.
fn top(file: &Utf8Path) -> Option<bool> {
    let folder = file.parent()?.file_name()?;
    match (folder, file.file_name()?) {
        ("src", "lib.rs" | "main.rs") => Some(false),
        ("it", "main.rs") => Some(true),
        ("examples" | "benches" | "bin", _) if is_rust(file) => Some(false),
        _ => None,
    }
}

#[test]
fn every_module_is_reached_by_a_mod_line() {
    let reached = modules();
    let forgotten: Vec<_> =
        files().into_iter().filter(|file| is_rust(file) && !reached.contains_key(file)).collect();
    assert!(forgotten.is_empty(), "no `mod` line leads to {forgotten:?}");
}

#[test]
fn a_file_is_named_for_what_it_decides() {
    for file in files() {
        assert_ne!(file.file_name(), Some("mod.rs"), "`{file}`: `foo.rs` beside `foo/`");
        let code = is_code(&file);
        for word in file.with_extension("").as_str().split(['/', '_', '-']) {
            let singular = word.strip_suffix('s').unwrap_or(word);
            let empty = EMPTY_WORDS.contains(&word) || EMPTY_WORDS.contains(&singular);
            assert!(!code || !empty, "`{file}`: `{word}` says nothing");
        }
        if is_rust(&file) {
            for line in text(&file).lines().map(str::trim) {
                let Some((_, name)) = line.strip_suffix('{').and_then(|line| line.split_once("mod ")) else {
                    continue;
                };
                assert!(!EMPTY_WORDS.contains(&name.trim().trim_end_matches('s')), "`{file}`: `{line}`");
            }
        }
    }
}

#[test]
fn pure_crates_never_opt_out_of_purity() {
    let mut listed = Vec::new();
    let modules = modules();
    for file in files().into_iter().filter(|file| is_rust(file)) {
        let source = text(&file);
        let name = file.components().nth(1).map(|part| part.as_str().to_owned()).unwrap();
        for (number, line) in source.lines().enumerate() {
            // In two parts, or this very file would be found.
            if !line.contains(concat!("clippy::", "disallowed_methods")) {
                continue;
            }
            let place = format!("{file}:{}", number + 1);
            // rustfmt breaks a long attribute after its bracket.
            let above = number.checked_sub(1).and_then(|above| source.lines().nth(above)).unwrap_or_default();
            let opening = if line.contains('[') { line } else { above };
            let said = opening.starts_with("#![expect(") || opening.starts_with("#[expect(");
            assert!(said, "{place}: say it as `#![expect(...)]` at the top of the file, or of one function");
            assert!(!PURE.contains(&&*name), "{place}: `{name}` is pure");
            let posix = file == "crates/store/src/posix.rs" || modules.get(&file) == Some(&true);
            assert!(name != "store" || posix, "{place}: in `store` only posix.rs and tests touch the disk");
            listed.push(place);
        }
    }
    println!("{} files may touch the world:\n  {}", listed.len(), listed.join("\n  "));
}

#[test]
fn a_pure_crate_does_not_name_the_world() {
    // What clippy's list of methods cannot see: types and crates that would bring the world in.
    let worldly =
        ["std::net", "std::process", "std::env::", "tokio::", "walkdir", "tempfile", "rustix::", "nix::"];
    for file in files().into_iter().filter(|file| is_rust(file)) {
        if !PURE.iter().any(|name| file.as_str().starts_with(&format!("crates/{name}/src/"))) {
            continue;
        }
        for (number, line) in text(&file).lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for word in worldly {
                assert!(!code.contains(word), "{file}:{}: `{word}` in a pure crate", number + 1);
            }
        }
    }
}

#[test]
fn the_architecture_page_knows_every_crate() {
    let page = text(Utf8Path::new("ARCHITECTURE.md"));
    for name in manifests().keys() {
        assert!(page.contains(&format!("`{name}`")), "ARCHITECTURE.md does not mention `{name}`");
    }
}

/// How the tests in a file are called: by its modules, each with `::` behind it.
fn module_path(file: &Utf8Path) -> String {
    let below = file.as_str().split_once("/src/").map_or(file.as_str(), |(_, below)| below);
    let below = below.strip_prefix("tests/it/").unwrap_or(below).trim_end_matches(".rs");
    below.split('/').filter(|name| !matches!(*name, "lib" | "main")).map(|name| format!("{name}::")).collect()
}

#[test]
fn what_runs_once_touches_nothing_that_depends_on_who_runs_it() {
    let script = text(Utf8Path::new("tests/run"));
    let once = script.lines().find_map(|line| line.strip_prefix("once=(")?.strip_suffix(')')).unwrap();
    for word in once.split(' ') {
        let modules = modules();
        let left_out = modules.iter().filter(|(file, _)| module_path(file).contains(word));
        let left_out: Vec<_> = left_out
            .filter(|(file, for_tests)| **for_tests || text(file).contains("#[test]"))
            .map(|(file, _)| file)
            .collect();
        let tests: usize = left_out.iter().map(|file| text(file).matches("#[test]").count()).sum();
        assert!(tests > 0, "tests/run leaves out `{word}`, and there is no such test");
        for file in left_out {
            let source = text(file);
            let worldly = ["Posix", "Sandbox", "fs::", "Command", "program(", "rustix::", "nix::"];
            let found = worldly.iter().find(|word| source.contains(**word));
            assert!(found.is_none(), "tests/run leaves out `{word}`, and `{file}` says `{found:?}`");
        }
    }
}
