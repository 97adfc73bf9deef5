//! `sluice compare` on repositories that were adopted.

use testkit::{Sandbox, Site, createrepo_c};

use super::{compare, foreign, found};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
operations = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
path = "old/{os}"
import_roles = ["release-team"]
"#;

#[test]
fn of_what_was_adopted_nothing_differs_but_the_old_places_are_there() {
    let sandbox = Sandbox::new();
    let foreign = foreign(&sandbox);
    // A package that is listed and gone keeps a repository from being adopted.
    createrepo_c(&foreign.join("updated"), &["--update"]).ok();
    for (name, packages, below) in [("old", 11, "Packages/"), ("beside", 7, ""), ("updated", 4, "")] {
        let sandbox = Sandbox::new();
        let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
        let _daemon = site.start();
        let ran = site.sluice(&["adopt", foreign.join(name).as_str(), "--stage", "production", "--yes"]).ok();
        let stage = site.root().join("public/current/old/el9");
        let found = found(&stage);
        println!("{name}: {ran}{found:#?}");
        assert_eq!(found.len(), packages, "{found:#?}");
        for line in &found {
            let place = line.strip_prefix("second-place ").unwrap_or_else(|| panic!("{line}"));
            let place = place.strip_prefix(below).unwrap_or_else(|| panic!("{line}"));
            assert!(!place.contains('/') && place.ends_with(".rpm"), "{line}");
        }
        let words = compare(&stage, &[]).stdout;
        for wanted in ["the old places of a repository it adopted", &format!(" {packages} alike")] {
            assert!(words.contains(wanted), "`{wanted}` is not in {words}");
        }
    }
}
