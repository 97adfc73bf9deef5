//! Somebody works in the published tree by hand: nothing is built on it until it is put right, and nothing is lost.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use testkit::{Ran, Sandbox, Site, createrepo_c, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn once(site: &Site) -> Ran {
    run(site.as_daemon().args(["daemon", "--once"]))
}

fn ask_import(site: &Site, name: &str) {
    let recipe = repo::Recipe::new(name, "1.0", "1").file("/usr/share/doc/readme", "text");
    let upload = site.upload(&recipe.file_name(), &recipe.build());
    let body = format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n");
    site.drop_request(&format!("{name}.toml"), &format!("format = 1\n{body}[end]\n"));
}

/// Lets whoever owns a directory work in it, as a person would who wonders why he cannot.
fn unseal(folder: &Utf8Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_run_of_createrepo_in_the_tree_is_found_and_named_and_the_requests_wait_until_it_is_mended() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    ask_import(&site, "one");
    once(&site).ok();
    let delta = site.root().join("public/current/glite/el9/x86_64/delta").canonicalize_utf8().unwrap();
    let repodata = delta.join("repodata");
    let kept = sandbox.path("kept");
    run(testkit::program("cp").args(["-a", repodata.as_str(), kept.as_str()])).ok();
    for folder in [&delta, &repodata] {
        unseal(folder, 0o755);
    }
    createrepo_c(&delta, &["--update"]).ok();

    ask_import(&site, "two");
    let stopped = once(&site);
    assert_eq!(stopped.code(), 78, "{stopped}");
    assert!(stopped.stderr.contains("repomd.xml`") && stopped.stderr.contains("sluice verify"), "{stopped}");
    assert!(site.answers("two").is_empty(), "it is not refused, it waits");
    assert_eq!(fs::read_link(site.root().join("public/current")).unwrap().to_str(), Some("@2"));

    fs::remove_dir_all(&repodata).unwrap();
    run(testkit::program("cp").args(["-a", kept.as_str(), repodata.as_str()])).ok();
    unseal(&delta, 0o555);
    once(&site).ok();
    assert_eq!(site.answers("two")[0].1["code"], "done");
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn what_was_put_beside_is_left_behind_and_the_answer_says_so() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let top = site.root().join("public/@1");
    unseal(&top, 0o755);
    fs::write(top.join("robots.txt"), "Disallow: /").unwrap();
    unseal(&top, 0o555);
    ask_import(&site, "one");
    once(&site).ok();
    let answer = &site.answers("one")[0].1;
    let reasons = answer["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason.as_str().unwrap().contains("robots.txt")), "{answer:#}");
    assert!(!site.root().join("public/current/robots.txt").exists());
}
