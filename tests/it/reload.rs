//! The configuration read again while the real daemon runs.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use testkit::{Running, Sandbox, Site, Watch};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// Another product of the same site.
const MORE: &str = r#"
[[product]]
name = "umd-3"
preset = "egi"
platforms = ["el9/x86_64"]
"#;

/// The same site with a published stage at another place.
const MOVED: &str = r#"
[[product.stage]]
name = "production"
path = "elsewhere/{os}/{arch}"
"#;

const PATIENCE: Duration = Duration::from_secs(120);

fn import(site: &Site, stem: &str, minor: u32) -> Value {
    let recipe = repo::Recipe::new("voms", &*format!("1.{minor}"), "1");
    let upload = site.upload(&recipe.file_name(), &recipe.build());
    site.drop_request(
        &format!("{stem}.toml"),
        &format!(
            "format = 1\naction = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\n\
             files = [\"{upload}\"]\n[end]\n"
        ),
    );
    site.answer(stem)
}

/// The `.repo` files that are published now, with their texts.
fn dot_repo_files(site: &Site) -> Vec<(String, String)> {
    let folder = site.root().join("public/current");
    let entries = folder.read_dir_utf8().unwrap_or_else(|error| panic!("failed to list `{folder}`: {error}"));
    let paths =
        entries.map(|entry| entry.unwrap().into_path()).filter(|path| path.extension() == Some("repo"));
    let mut files: Vec<_> = paths
        .map(|path| (path.file_name().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_product_that_is_added_appears_and_a_configuration_that_is_wrong_changes_nothing() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let first = fs::read_to_string(site.config()).unwrap();
    let mut daemon = site.start();

    let watch = Watch::on(&[&site.root().join("public")]);
    let added = format!("{first}{MORE}");
    daemon.reload(&site.config(), Some(&added), Running::RELOADED);
    let untested = site.root().join("public/current/umd-3/el9/x86_64/untested/repodata/repomd.xml");
    let appeared = watch.until(PATIENCE, || untested.is_file().then_some(()));
    assert!(appeared.is_some(), "{}", daemon.log());
    let files = dot_repo_files(&site);
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["glite-3.2-production.repo", "umd-3-untested.repo", "umd-3-el9-x86_64-production.repo"] {
        assert!(names.contains(&name), "{names:?}");
    }

    let cases = [
        ("broken", added.replace("preset = \"egi\"", "preset = \"eggy\""), 1),
        ("no-toml", "format = = 1\n".to_owned(), 2),
        ("moved", added.replace(MORE, &format!("{MOVED}{MORE}")), 3),
    ];
    for (stem, text, minor) in cases {
        assert_ne!(text, added, "{stem} is no other configuration");
        daemon.reload(&site.config(), Some(&text), "the configuration in force stays");
        let answer = import(&site, stem, minor);
        assert_eq!(answer["outcome"], "done", "{stem}: {answer:#}");
        assert_eq!(dot_repo_files(&site), files, "{stem} changed a .repo file");
        assert!(!site.root().join("public/current/elsewhere").exists(), "{stem} moved a repository");
        assert!(untested.is_file(), "{stem} took a repository away");
    }

    let ended = daemon.stop().and_then(|status| status.code());
    assert_eq!(ended, Some(0), "{}", daemon.log());
    fs::write(site.config(), added).unwrap();
    site.sluice(&["verify"]).ok();
}
