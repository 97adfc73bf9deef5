//! What is refused, each by its code, and changes nothing.

use repo::Recipe;
use testkit::{Sandbox, program, run};

use super::{Bench, promote, rollback};

const WAIVED: &str = "[[product.stage]]\nname = \"delta\"\nwaiver_roles = [\"operations\"]\n";

/// Another product for the same hosts.
const OTHER: &str = "[[product]]\nname = \"emi\"\nplatforms = [\"el9/x86_64\"]\n[[product.stage]]\nname = \"testing\"\n\
                     import_roles = [\"release-team\"]\n";

/// A site where both bundles are where they belong.
fn bench(of_product: &str) -> Bench {
    let mut bench = Bench::new(of_product);
    bench.bundle(1);
    bench.everything_moves(&[]);
    bench.bundle(2);
    bench
}

fn file(recipe: &Recipe) -> (String, Vec<u8>) {
    (recipe.file_name(), recipe.build())
}

#[test]
fn nothing_goes_back_where_there_is_nothing_to_go_back_to() {
    let mut bench = Bench::new("");
    bench.bundle(1);
    let refusal = bench.refused(&rollback(&["voms"]), "no-version-before");
    assert_eq!(refusal["reasons"].as_array().unwrap().len(), 4, "{refusal:#}");
    bench.refused(&format!("{}\nversions = [\"voms-7-1\"]", rollback(&["voms"])), "no-version-before");
    bench.everything_moves(&["glite-FTS"]);
    // What production lists goes on being offered to hosts of delta.
    bench.refused(&rollback(&["voms"]), "no-such-package");
    bench.sound();
}

#[test]
fn who_waives_a_freeze_waives_it_for_every_node_type() {
    let mut bench = bench(WAIVED);
    let freeze = "action = \"freeze\"\nproduct = \"glite\"\nstage = \"delta\"\nreason = \"data challenge\"";
    assert_eq!(bench.ask_as("olga", freeze)["code"], "done");
    bench.refused(&rollback(&["voms"]), "frozen");
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let waive = |packages: &[&str]| {
        format!(
            "action = \"waive\"\nproduct = \"glite\"\nstage = \"delta\"\ngate = \"freeze\"\npackages = {packages:?}\n\
             until = \"{until}\"\nreason = \"it loses jobs\""
        )
    };
    let answer = bench.ask_as("olga", &waive(&["voms"]));
    assert_eq!(answer["code"], "done", "{answer:#}");
    bench.refused(&rollback(&["voms"]), "frozen");
    let node_types = ["glite-UI", "glite-WN", "glite-SE", "glite-BDII", "glite-SITE"];
    let answer = bench.ask_as("olga", &waive(&node_types));
    assert_eq!(answer["code"], "done", "{answer:#}");
    bench.done(&rollback(&["voms"]));
    bench.sound();
}

#[test]
fn what_another_product_pins_stays() {
    let mut bench = bench(OTHER);
    let theirs = Recipe::new("emi-UI", "1", "1").requires("voms = 2-1");
    bench.import("emi", "testing", &[file(&theirs)]);
    let refusal = bench.refused(&rollback(&["voms"]), "shared-pin");
    assert!(
        refusal.to_string().contains("`emi-UI-1-1.noarch` in `emi-el9-x86_64-testing` pins"),
        "{refusal:#}"
    );
    bench.done(&rollback(&["wms"]));
    bench.sound();
}

#[test]
fn a_release_that_is_taken_is_not_given_again() {
    let mut bench = bench("");
    let with = |release: &str| format!("{}\nreleases = [\"{release}\"]", rollback(&["voms"]));
    bench.refused(&with("glite-UI-2-1"), "release-taken");
    bench.refused(&with("glite-UI-2-0.5"), "release-taken");
    bench.refused(&with("glite-UI"), "malformed");
    let answer = bench.done(&with("glite-UI-2-7"));
    assert!(answer["moved"].to_string().contains("glite-UI-2-7.noarch"), "{answer:#}");
    bench.sound();
}

#[test]
fn a_pin_inside_of_a_rich_dependency_is_not_touched() {
    let mut bench = bench("");
    let rich = Recipe::new("glite-RICH", "2", "1").requires("(voms = 2-1 or other)").requires("wms = 2-1");
    bench.import("glite", "delta", &[file(&rich)]);
    let refusal = bench.refused(&rollback(&["voms"]), "pin-not-understood");
    assert!(refusal.to_string().contains("glite-RICH"), "{refusal:#}");
    let part = format!("{}\npartial = \"target\"", promote(&["gfal"]));
    bench.done(&format!("{}\nwithout = []", rollback(&["lfc"])));
    bench.refused(&part, "variant-undecided");
    bench.sound();
}

/// A node type of old, with its text in Latin-1.
const LATIN: &[u8] =
    b"Name: glite-LATIN\nVersion: 2\nRelease: 1\nSummary: Gen\xe8ve\nLicense: MIT\nBuildArch: noarch\n\
AutoReqProv: no\nRequires: voms = 2-1\n%description\nA node.\n%files\n";

fn latin(sandbox: &Sandbox) -> (String, Vec<u8>) {
    let spec = sandbox.file("latin.spec", LATIN);
    let top = sandbox.folder("latin.top");
    let mut command = program("rpmbuild");
    command.args(["-bb", "--quiet", "--nodeps"]).env("HOME", &top);
    for define in [
        format!("_topdir {top}"),
        format!("_dbpath {top}/db"),
        format!("_tmppath {top}"),
        format!("_rpmdir {top}/out"),
        "_build_name_fmt built.rpm".to_owned(),
        "_invalid_encoding_terminates_build 0".to_owned(),
        "debug_package %{nil}".to_owned(),
        "__os_install_post %{nil}".to_owned(),
    ] {
        command.arg("--define").arg(define);
    }
    run(command.arg(&spec)).ok();
    ("glite-LATIN-2-1.noarch.rpm".to_owned(), std::fs::read(top.join("out/built.rpm")).unwrap())
}

#[test]
fn a_header_that_is_not_utf8_is_not_written_again() {
    let mut bench = bench("");
    let latin = latin(&bench.sandbox);
    bench.import("glite", "delta", &[latin]);
    let refusal = bench.refused(&rollback(&["voms"]), "not-rebuildable");
    assert!(refusal.to_string().contains("glite-LATIN"), "{refusal:#}");
    bench.refused(&format!("{}\npartial = \"target\"", promote(&["gfal", "glite-LATIN"])), "not-rebuildable");
    bench.sound();
}

#[test]
fn what_hosts_would_still_be_offered_is_not_rolled_back() {
    let mut bench = bench("[[product.route]]\nfrom = \"delta\"\nto = \"production\"\noverlap = \"48h\"\n");
    bench.done(&promote(&["voms-2-1.x86_64", "glite-BDII-2-1.noarch"]));
    // It is still listed in delta, and production has it.
    bench.refused(&rollback(&["voms-2-1.x86_64"]), "still-offered");
    bench.sound();
}

#[test]
fn what_needs_it_and_is_no_node_type_is_told_where_the_stage_is_judged() {
    let mut bench = bench("[[product.stage]]\nname = \"delta\"\nclosure = [\"production\"]\n");
    // It brings a file, and nobody named it among `meta_packages`.
    let tool = Recipe::new("glite-TOOL", "2", "1").requires("voms = 2-1").file("/usr/bin/tool", "it");
    bench.import("glite", "delta", &[file(&tool)]);
    let refusal = bench.refused(&rollback(&["voms"]), "not-installable");
    assert!(
        refusal["sentence"].as_str().unwrap().starts_with("glite-TOOL 2-1 needs voms = 2-1"),
        "{refusal:#}"
    );
    bench.sound();
}

#[test]
fn what_only_lies_where_documentation_does_is_told_by_its_header() {
    let mut bench = bench("");
    // No header says that it is documentation.
    let manual = Recipe::new("glite-DOC", "2", "1").requires("voms = 2-1").file("/usr/share/doc/DOC", "it");
    bench.import("glite", "delta", &[file(&manual)]);
    let refusal = bench.refused(&rollback(&["voms"]), "not-a-meta-package");
    assert!(refusal["sentence"].as_str().unwrap().contains("glite-DOC-2-1.noarch"), "{refusal:#}");
    bench.sound();
}
