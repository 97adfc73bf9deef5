//! Bugs planted in the real program by its environment.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use store::planted::Bug;
use testkit::{Sandbox, Site, checkout, program, run};
use walkdir::WalkDir;

const STAGES: &str = "[[product]]\nname = \"glite\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n";

#[test]
fn the_environment_plants_a_bug_in_a_program_built_for_tests() {
    let sandbox = Sandbox::new();
    let site = Site::new(&sandbox, "http://127.0.0.1:1", STAGES);
    let unknown = run(site.as_daemon().arg("init").env("SLUICE_PLANTED_BUG", "TopsNotSealedAtAll"));
    assert_eq!(unknown.code(), 2, "{unknown}");
    assert!(unknown.stderr.contains("`TopsNotSealedAtAll`"), "{unknown}");
    assert!(!site.root().join("public").exists(), "nothing is done without the bug that was asked for");

    let mode = |name: &str| fs::metadata(site.root().join(name)).unwrap().permissions().mode() & 0o777;
    run(site.as_daemon().arg("init").env("SLUICE_PLANTED_BUG", "TopsNotSealed")).ok();
    assert_eq!(mode("public/@1"), 0o755, "the bug is planted in the thread that publishes");
}

/// Builds a program of nothing but the switch, with more words for the compiler, and runs it.
fn switched(folder: &Utf8Path, more: &[&str]) -> (String, Vec<u8>) {
    let program_file = folder.join("switched");
    let mut compiler = program("rustc");
    compiler.args(["--edition", "2024", "--allow", "warnings", "-o", program_file.as_str()]).args(more);
    run(compiler.arg(folder.join("main.rs"))).ok();
    let ran = run(program(program_file.as_str()).env("SLUICE_PLANTED_BUG", "PoolNotSynced")).ok();
    (ran.stdout, fs::read(&program_file).unwrap())
}

#[test]
fn a_program_not_built_for_tests_contains_nothing_of_it() {
    let compiler = std::process::Command::new("rustc").arg("--version").output();
    if !compiler.is_ok_and(|ran| ran.status.success()) {
        println!("skipped: there is no rustc for this user");
        return;
    }
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("switch/planted").parent().unwrap().to_owned();
    for file in ["planted.rs", "planted/environment.rs"] {
        fs::copy(checkout().join("crates/store/src").join(file), folder.join(file)).unwrap();
    }
    let main = "mod planted;\nfn main() {\n    let planted = planted::plant_by_environment(|name| std::env::var_os(name));\n    println!(\"{planted:?} \
                {}\", planted::is(planted::Bug::PoolNotSynced));\n}\n";
    fs::write(folder.join("main.rs"), main).unwrap();
    let variable = |program: &[u8]| program.windows(18).any(|bytes| bytes == b"SLUICE_PLANTED_BUG");
    let (said, program) = switched(&folder, &["--cfg", "feature=\"testing\""]);
    assert!(said == "Ok(()) true\n" && variable(&program), "{said}");
    let (said, program) = switched(&folder, &[]);
    assert!(said == "Ok(()) false\n" && !variable(&program), "{said}");
}

/// The words of every test of this checkout, this file apart.
fn words_of_the_tests() -> BTreeSet<String> {
    let is_test = |file: &Utf8Path| {
        file.extension() == Some("rs")
            && file.file_name() != Some("planted_bugs.rs")
            && file.components().any(|part| matches!(part.as_str(), "it" | "tests" | "tests.rs"))
    };
    let mut words = BTreeSet::new();
    for top in ["crates", "tests"] {
        for entry in WalkDir::new(checkout().join(top)).into_iter().flatten() {
            let file = Utf8PathBuf::from_path_buf(entry.into_path()).unwrap();
            if is_test(&file) {
                let text = fs::read_to_string(&file).unwrap();
                words.extend(text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned));
            }
        }
    }
    words
}

#[test]
fn every_bug_stands_in_the_table_and_in_a_test() {
    let page = fs::read_to_string(checkout().join("tests/README.md")).unwrap();
    let table = page.split("## Planted bugs").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut rows: Vec<&str> = rows.map(|(bug, _)| bug).collect();
    let mut bugs: Vec<String> = Bug::ALL.iter().map(|bug| format!("{bug:?}")).collect();
    rows.sort_unstable();
    bugs.sort_unstable();
    assert_eq!(rows, bugs, "the table of tests/README.md has one row for each bug");
    let words = words_of_the_tests();
    let idle: Vec<_> = bugs.iter().filter(|bug| !words.contains(*bug)).collect();
    assert!(idle.is_empty(), "no test plants {idle:?}");
}
