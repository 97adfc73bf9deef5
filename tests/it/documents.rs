//! What the documents list is what the program knows.

use std::fs;

use testkit::{checkout, program, run, sluice};

#[test]
fn every_code_stands_in_the_table_of_the_documents() {
    let text = fs::read_to_string(checkout().join("deploy/requests.md")).unwrap();
    assert!(text.ends_with(&plan::table()), "deploy/requests.md must end with:\n{}", plan::table());
}

#[test]
fn every_code_of_a_configuration_stands_in_the_table_of_the_documents() {
    let text = fs::read_to_string(checkout().join("deploy/configuration.md")).unwrap();
    let table = daemon::config::table();
    assert!(text.ends_with(&table), "deploy/configuration.md must end with:\n{table}");
}

#[test]
fn every_code_of_a_signer_stands_in_the_table_of_the_documents() {
    let text = fs::read_to_string(checkout().join("deploy/signing.md")).unwrap();
    let table = daemon::signing::table();
    assert!(text.ends_with(&table), "deploy/signing.md must end with:\n{table}");
}

#[test]
fn every_command_of_the_readme_is_one_the_program_takes() {
    let text = fs::read_to_string(checkout().join("README.md")).unwrap();
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    let mut seen = 0;
    for line in blocks.flat_map(str::lines) {
        let line = line.split('#').next().unwrap_or_default();
        for command in line.split("&&").filter_map(|part| part.rsplit_once("sluice ")) {
            // Only what the shell would run as `sluice`, itself or through runuser.
            if !command.0.trim().is_empty() && !command.0.ends_with("-- ") {
                continue;
            }
            let words = command.1.split_whitespace().map(|word| word.trim_matches('\''));
            // `--help` behind all of it: clap complains of a verb or an option it does not know, and runs nothing.
            let known = |word: &&str| !word.starts_with('*');
            let ran = run(program(sluice().as_str()).args(words.filter(known)).arg("--help"));
            assert_eq!(ran.code(), 0, "`{line}`: {ran}");
            seen += 1;
        }
    }
    assert!(seen > 7, "{seen} commands in README.md");
}
