//! Bugs planted in the real program by its environment.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;
use testkit::{Sandbox, Site, checkout, program, run};

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
