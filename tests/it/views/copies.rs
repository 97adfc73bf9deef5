//! What becomes of views elsewhere: on a mirror, and where hosts check signatures.

use std::fs;

use camino::Utf8PathBuf;
use repo::Recipe;
use testkit::{Checker, Host, Nginx, Sandbox, checkout, fetch, program, run};

use super::{Bench, CONFIG, DELTA, both, installed, meta, offered, package};
use crate::signed::{GPG, Signed};

#[test]
fn a_mirror_has_the_views_and_hosts_draw_from_it() {
    let mut bench = Bench::new(CONFIG);
    let mut daemon = bench.site.start();
    bench.import(&both());
    bench.import(&[package("torque", "2"), meta("glite-WN", "2", "torque = 2-1")]);
    daemon.stop();
    let dir = bench.sandbox.path("mirror");
    run(bench.site.command().args(["mirror", bench.nginx.base_url()]).arg(&dir)).ok();
    let current = dir.join("current");
    let whole = Utf8PathBuf::from_path_buf(current.canonicalize().unwrap()).unwrap();
    let mut check = program("/usr/bin/python3");
    check.arg(checkout().join("tests/checker/check.py")).args(["--mirror", "--root"]).arg(&whole);
    run(check.arg("--cache").arg(bench.sandbox.folder("cache"))).ok();
    let host = Host::new(&bench.sandbox, "host");
    host.repository("view", &format!("file://{current}/{DELTA}/node-types/glite-WN"));
    host.dnf(&["install", "glite-WN"]).ok();
    assert_eq!(installed(&host), ["common-1-1.noarch", "glite-WN-2-1.noarch", "torque-2-1.noarch"]);

    // A view of which something is missing is told from a whole one.
    let repomd = whole.join(format!("{DELTA}/node-types/glite-UI/repodata/repomd.xml"));
    fs::remove_file(&repomd).unwrap();
    let served = Nginx::of_folder(&Nginx::port(), &bench.sandbox, &current, "");
    let ran = run(bench.site.command().args(["verify", "--mirror", served.base_url()]));
    assert!(ran.code() == 6 && ran.to_string().contains("node-types/glite-UI"), "{ran}");
}

#[test]
fn a_view_of_a_signed_stage_is_signed_and_hosts_check_it() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = Signed::new(nginx.base_url(), sandbox, &["repo-2026"], GPG);
    let text = fs::read_to_string(signed.site.config()).unwrap();
    let text = text.replace("preset = \"glite\"", "preset = \"glite\"\nviews = [\"production\"]");
    fs::write(signed.site.config(), text).unwrap();
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    let import = |recipes: &[Recipe]| {
        let mut arguments = vec!["import".to_owned(), "--to".into(), "production".into()];
        for recipe in recipes {
            let file = signed.path_of(&recipe.file_name());
            fs::write(&file, recipe.build()).unwrap();
            arguments.push(file.into_string());
        }
        signed.site.sluice(&arguments).ok();
    };
    import(&both());
    let host = Host::new(&signed.sandbox, "host");
    let view = format!("{}/glite/el9/x86_64/production/node-types/glite-UI", nginx.base_url());
    let dot_repo = fetch(&format!("{view}/glite-UI.repo")).text();
    assert!(dot_repo.contains("repo_gpgcheck=1\n"), "{dot_repo}");
    host.dot_repo("view.repo", &dot_repo);
    host.dnf(&["install", "glite-UI"]).ok();
    let names = ["repomd.xml", "repomd.xml.asc"].map(|name| format!("{view}/repodata/{name}"));
    let before = names.each_ref().map(|url| fetch(url).body);
    import(&[package("torque", "2"), meta("glite-WN", "2", "torque = 2-1")]);
    assert_eq!(names.each_ref().map(|url| fetch(url).body), before, "nothing was signed again");
    import(&[package("voms", "2"), meta("glite-UI", "2", "voms = 2-1")]);
    assert_ne!(fetch(&names[1]).body, before[1]);
    assert!(offered(&host).contains(&"voms-2-1.noarch".to_owned()));
    daemon.stop();
    signed.site.sluice(&["verify"]).ok();
    Checker::of(&signed.site).at_rest().assert_sound();
}
