//! What the documents list is what the program knows.

use std::fs;

use testkit::checkout;

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
