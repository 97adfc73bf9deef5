//! What nobody gets: other people's steps, broken words, and what is half done.

use super::*;

#[test]
fn a_product_without_a_procedure_takes_no_steps() {
    let town = Town::new("0s");
    town.refuses("mu", "bundle-deploy", "bundle = \"b1\"", "no-such-bundle");
    town.refuses("mu", "bundle-deploy", "product = \"emi\"\nbundle = \"b1\"", "unknown-product");
    town.refuses("nobody", "task-comment", "task = 1\ncomment = \"x\"", "wrong-actor");
    town.refuses("ou", "task-comment", "task = 1\ncomment = \"x\"", "no-such-task");
    town.refuses("mu", "bundle-deploy", "product = \"plain\"\nbundle = \"b1\"", "no-procedure");
    // Whoever is in the register of one product is nobody in another.
    town.refuses(
        "ea-IT-CNAF",
        "task-comment",
        "product = \"plain\"\ntask = 1\ncomment = \"x\"",
        "no-procedure",
    );
    town.end();
}

#[test]
fn what_is_badly_written_is_refused_and_changes_nothing() {
    let town = Town::new("0s");
    let before = town.remembered();
    for (action, keys, code) in [
        ("patch-add", "patch = \"a b\"\ntitle = \"t\"\npackages = [\"voms\"]", "malformed"),
        ("patch-add", "patch = \"1\"\ntitle = \"t\"\npackages = []", "malformed"),
        ("patch-add", "patch = \"1\"\ntitle = \"t\\u001b[31m\"\npackages = [\"voms\"]", "malformed"),
        ("patch-add", "patch = \"1\"\ntitle = \"t\"\npackages = [\"voms\"]", "no-such-package"),
        ("patch-add", "patch = \"1\"\ntitle = \"t\"\npackage = [\"voms\"]", "unknown-key"),
        ("patch-status", "patches = [\"1\"]\nstatus = \"nearly\"", "malformed"),
        ("team-add", "team = \"CNAF\"\ncontact = \"a@example.org\"", "malformed"),
        ("task-start", "task = \"1\"\noutcome = \"success\"", "wrong-type"),
        ("task-start", "task = 1\noutcome = \"splendid\"", "malformed"),
        ("bundle-hold", "bundle = \"b1\"", "malformed"),
        ("release-approve", "update = 57", "malformed"),
        ("bundle-deploi", "bundle = \"b1\"", "unknown-action"),
    ] {
        town.refuses("mu", action, keys, code);
    }
    assert_eq!(town.remembered(), before);
    town.end();
}
