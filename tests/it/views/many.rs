//! There are so many views, and no more: what is left without one is told.

use std::fs;

use repo::Recipe;

use super::{Bench, CONFIG, package};

/// As many as a repository has.
const VIEWS_MAX: usize = 200;

fn metas(prefix: &str, count: usize) -> Vec<Recipe> {
    let one = |number: usize| Recipe::new(format!("{prefix}{number:03}"), "1", "1").requires("voms = 1-1");
    (0..count).map(one).collect()
}

impl Bench {
    fn names(&self) -> Vec<String> {
        let top = self.published(&format!("{}/node-types", super::DELTA));
        let mut names: Vec<String> =
            top.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
        names.retain(|name| top.join(name).join("repodata/repomd.xml").exists());
        names.sort();
        names
    }
}

#[test]
fn there_are_no_more_views_than_there_may_be_and_those_there_are_stay() {
    let mut bench = Bench::new(CONFIG);
    let daemon = bench.site.start();
    let asked = [vec![package("voms", "1"), package("common", "1")], metas("ui", VIEWS_MAX - 2)].concat();
    let answer = bench.import(&asked);
    assert!(answer["reasons"].as_array().is_none_or(Vec::is_empty), "{answer:#}");
    let answer = bench.import(&metas("a", 3));
    let reasons = answer["reasons"].to_string();
    assert!(reasons.contains("200 views") && reasons.contains("none of `a002`"), "{reasons}");
    let names = bench.names();
    assert_eq!(names.len(), VIEWS_MAX);
    assert!(names.contains(&"ui197".to_owned()) && !names.contains(&"a002".to_owned()), "{names:?}");
    let shown = bench.site.sluice(&["show"]).ok().stdout;
    assert!(shown.contains("200 views, 1 node type without one"), "{shown}");

    // What leaves makes room.
    let view = fs::read(bench.published(&format!("{}/node-types/a001/repodata/repomd.xml", super::DELTA)));
    bench.withdraw(&["ui000-1-1.noarch"]);
    let names = bench.names();
    assert!(names.contains(&"a002".to_owned()) && !names.contains(&"ui000".to_owned()), "{names:?}");
    let same = fs::read(bench.published(&format!("{}/node-types/a001/repodata/repomd.xml", super::DELTA)));
    assert_eq!(same.unwrap(), view.unwrap());
    bench.is_sound(daemon);
}
