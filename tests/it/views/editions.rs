//! What a meta-package is has one definition, and views follow it; those that were published by an earlier edition of it are
//! as right as they were, and written anew by the next program.

use std::fs;

use serde_json::Value;
use testkit::Running;

use super::{Bench, CONFIG, DELTA, both, installed, meta, package};

/// A node type that brings what people read.
fn documented(version: &str, pinned: &str) -> repo::Recipe {
    meta("glite-DOC", version, pinned).documentation("/usr/share/doc/glite-DOC/README", "read me")
}

impl Bench {
    fn account(&self) -> Value {
        let manifest =
            fs::read(self.site.root().join("generations").join(self.generation()).join("manifest.json"));
        serde_json::from_slice::<Value>(&manifest.unwrap()).unwrap()["account"].clone()
    }

    fn generation(&self) -> String {
        let current = self.site.root().join("public/current").read_link_utf8().unwrap();
        current.as_str().trim_start_matches('@').to_owned()
    }

    /// Waits until a node type has a view.
    fn until_viewed(&self, node_type: &str, daemon: &Running) {
        let repomd = self.published(&format!("{DELTA}/node-types/{node_type}/repodata/repomd.xml"));
        let watch = testkit::Watch::on(&[&self.site.root().join("public")]);
        let shown = watch.until(std::time::Duration::from_secs(120), || repomd.exists().then_some(()));
        assert!(shown.is_some(), "it has no view:\n{}", daemon.log());
    }
}

#[test]
fn a_node_type_with_a_readme_has_a_view_and_is_rolled_back() {
    let mut bench = Bench::new(CONFIG);
    let daemon = bench.site.start();
    bench.import(&both());
    bench.import(&[documented("1", "voms = 1-1"), package("voms", "2"), documented("2", "voms = 2-1")]);
    let host = bench.host("glite-DOC", ".repo");
    host.dnf(&["install", "--nodocs", "glite-DOC"]).ok();
    assert_eq!(installed(&host), ["common-1-1.noarch", "glite-DOC-2-1.noarch", "voms-2-1.noarch"]);
    let other = bench.view("glite-WN");
    bench.ask("action = \"rollback\"\nfrom = \"delta\"\npackages = [\"voms-2-1.noarch\"]\nreason = \"r\"");
    host.dnf_with_cache(&["--refresh", "distro-sync"]).ok();
    assert_eq!(installed(&host), ["common-1-1.noarch", "glite-DOC-2-1.1.noarch", "voms-1-1.noarch"]);
    assert_eq!(bench.view("glite-WN"), other);
    bench.is_sound(daemon);
}

#[test]
fn views_of_an_earlier_edition_stay_sound_and_the_next_program_writes_what_lacks() {
    let mut bench = Bench::new(CONFIG);
    let mut daemon = bench.site.start_with_bug("ViewsOfTheFirstEdition");
    bench.import(&both());
    bench.import(&[documented("1", "voms = 1-1")]);
    daemon.stop();
    let views = &bench.account()["views"]["glite-el9-x86_64-delta"];
    assert!(views["edition"].is_null() && views["node_types"]["glite-DOC"].is_null(), "{views:#}");
    bench.site.sluice(&["verify"]).ok();
    let (whole, ui, earlier) = (bench.repomd(""), bench.view("glite-UI"), bench.generation());

    let daemon = bench.site.start();
    bench.until_viewed("glite-DOC", &daemon);
    assert_eq!(bench.account()["views"]["glite-el9-x86_64-delta"]["edition"], 2);
    assert_eq!((bench.repomd(""), bench.view("glite-UI")), (whole, ui), "what lists the same stays");
    let host = bench.host("glite-DOC", ".repo");
    host.dnf(&["install", "--nodocs", "glite-DOC"]).ok();
    assert_eq!(installed(&host), ["common-1-1.noarch", "glite-DOC-1-1.noarch", "voms-1-1.noarch"]);
    assert!(bench.site.root().join("generations").join(earlier).exists(), "it is verified, too");
    bench.is_sound(daemon);
}
