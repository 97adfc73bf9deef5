//! A purge on a real site: no name of the file is left anywhere, everything else goes on, and it does not come back.

use std::fs;

use camino::Utf8Path;
use repo::Recipe;
use serde_json::Value;
use testkit::{Checker, Sandbox, Site, createrepo_c, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
admin = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
path = "repo/{os}"
import_roles = ["release-team"]
"#;

fn act(site: &Site, stem: &str, rest: &str) -> Value {
    site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{rest}\n[end]\n"));
    site.answer(stem)
}

fn done(site: &Site, stem: &str, rest: &str) -> Value {
    let answer = act(site, stem, rest);
    assert_eq!(answer["code"], "done", "{answer:#}");
    answer
}

/// Every file below a folder that has these bytes.
fn holding(folder: &Utf8Path, bytes: &[u8]) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let found = files.filter(|entry| fs::read(entry.path()).unwrap() == bytes);
    found.map(|entry| entry.path().display().to_string()).collect()
}

#[test]
fn no_name_of_a_purged_package_is_left_and_it_never_comes_back() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let bad = Recipe::new("evil", "1.0", "1").file("/usr/share/evil", b"mine".as_slice()).build();
    let good = Recipe::new("voms", "1.0", "1").file("/usr/share/voms", b"all well".as_slice());
    let (bad_upload, good_upload) =
        (site.upload("evil.rpm", &bad), site.upload(&good.file_name(), &good.build()));
    let import =
        |files: &str| format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [{files}]");
    done(&site, "import", &import(&format!("\"{bad_upload}\", \"{good_upload}\"")));
    done(&site, "named", "action = \"keep\"\nas = \"update-1\"");
    // It lies in `upload/` again, and an adopted repository has it under another name.
    let again = site.upload("evil.rpm", &bad);
    let existing = sandbox.folder("existing");
    fs::write(existing.join("evil-1.0-1.noarch.rpm"), &bad).unwrap();
    fs::write(existing.join("voms.rpm"), good.build()).unwrap();
    createrepo_c::<&str>(&existing, &[]).ok();
    let adopt = format!(
        "action = \"adopt\"\nproduct = \"glite\"\nstage = \"production\"\nplatform = \"el9/x86_64\"\nfolder = {existing:?}"
    );
    let adopted = done(&site, "adopt", &adopt)["generation"].as_u64().unwrap();
    assert!(holding(&site.root(), &bad).len() >= 4, "{:#?}", holding(&site.root(), &bad));

    let purge = |what: &str, more: &str| {
        format!("action = \"purge\"\npackages = [\"{what}\"]\nreason = \"malware\"\n{more}")
    };
    let planned = act(&site, "planned", &purge("evil-1.0-1.noarch", "dry_run = true"));
    let plan = planned["plan"].as_str().unwrap_or_default();
    assert!(plan.contains("packages to purge"), "{planned:#}");
    let answer = done(&site, "purge", &purge("evil-1.0-1.noarch", ""));
    assert_eq!(answer["moved"].as_array().unwrap().len(), 2, "{answer:#}");
    assert_eq!(answer["hosts_run"], "dnf distro-sync");
    // It answers first and removes then.
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    assert_eq!(holding(&site.root(), &bad), Vec::<String>::new());
    assert_eq!(holding(&site.spool(), &bad), Vec::<String>::new());
    assert!(!site.spool().join("upload").join(&again).exists());

    // What held the file itself is gone; what only listed it stays, and offers all the rest.
    assert!(!site.root().join(format!("public/@{adopted}")).exists());
    let named = site.root().join("public/@update-1/glite/el9/x86_64/delta");
    let kept = walkdir::WalkDir::new(named.join("Packages/")).into_iter().map(Result::unwrap);
    assert!(kept.into_iter().any(|entry| entry.file_name() == "voms-1.0-1.noarch.rpm"));
    run(site.as_daemon().args(["verify", "--at-rest"])).ok();
    Checker::of(&site).assert_sound();
    Checker::of(&site).at_rest().assert_sound();

    let _daemon = site.start();
    let upload = site.upload("evil.rpm", &bad);
    let refused = act(&site, "back", &import(&format!("\"{upload}\"")));
    assert_eq!(
        (refused["code"].as_str(), refused["exit"].as_u64()),
        (Some("purged"), Some(3)),
        "{refused:#}"
    );
    let back = "action = \"revert\"\nproduct = \"glite\"\nstage = \"delta\"\ngeneration = \"update-1\"";
    let reverted = act(&site, "revert", back);
    assert_eq!(reverted["code"], "nothing-to-do", "all that may come back is there: {reverted:#}");
    let twice = act(&site, "twice", &purge(&bad_upload[..64], ""));
    assert_eq!(twice["code"], "nothing-to-do", "{twice:#}");
}
