//! Disks forget without a word: the scrub finds it, says what is touched, and lets the package go no further.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use testkit::{Sandbox, Site, Watch, run};

const STAGES: &str = r#"scrub = "1s"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

const PATIENCE: Duration = Duration::from_secs(120);

fn act(site: &Site, stem: &str, rest: &str) -> Value {
    site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{rest}\n[end]\n"));
    site.answer(stem)
}

/// What the audit log says of this kind.
fn recorded(site: &Site, kind: &str) -> Option<Value> {
    let files = site.root().join("audit").read_dir_utf8().unwrap().map(Result::unwrap);
    let mut texts = files.map(|entry| fs::read_to_string(entry.path()).unwrap());
    texts.find_map(|text| {
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|line| line["kind"] == kind)
    })
}

/// Writes over a package as a failing disk does: nothing else of the file changes.
fn overwrite(file: &Utf8Path, bytes: &[u8]) {
    let facts = fs::metadata(file).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    fs::write(file, bytes).unwrap();
    let opened = fs::File::options().write(true).open(file).unwrap();
    opened.set_modified(facts.modified().unwrap()).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o444)).unwrap();
}

#[test]
fn bit_rot_is_found_named_and_goes_no_further_until_it_is_mended() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let import = |name: &str| {
        let recipe = repo::Recipe::new(name, "1.0", "1").file("/usr/share/doc/readme", name.as_bytes());
        let upload = site.upload(&recipe.file_name(), &recipe.build());
        let files =
            format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]");
        assert_eq!(act(&site, name, &files)["code"], "done");
        let digest = &upload[..64];
        site.root().join(format!("pool/{}/{digest}.rpm", &digest[..2]))
    };
    let (rotten, _sound): (Utf8PathBuf, Utf8PathBuf) = (import("voms"), import("lcg"));
    let good = fs::read(&rotten).unwrap();
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    overwrite(&rotten, &bad);

    let audit = Watch::on(&[&site.root().join("audit")]);
    let damage = audit.until(PATIENCE, || recorded(&site, "damaged"));
    let damage = damage.unwrap_or_else(|| panic!("{}", daemon.log()));
    let words = damage["words"].to_string();
    assert!(words.contains("generation 2 in glite-el9-x86_64-delta"), "{words}");
    assert!(words.contains("generation 3 in glite-el9-x86_64-delta"), "{words}");

    let promote = |package: &str| {
        format!(
            "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"{package}\"]"
        )
    };
    let refused = act(&site, "refused", &promote("voms"));
    assert_eq!(
        (refused["code"].as_str(), refused["exit"].as_u64()),
        (Some("pool-damaged"), Some(3)),
        "{refused:#}"
    );
    assert_eq!(act(&site, "other", &promote("lcg"))["code"], "done");
    let deep = run(site.as_daemon().args(["verify", "--deep"]));
    assert_eq!(deep.code(), 6, "{deep}");
    assert!(deep.stdout.contains("listed by generation 2 in glite-el9-x86_64-delta; generation 3"), "{deep}");

    overwrite(&rotten, &good);
    let mended = audit.until(PATIENCE, || recorded(&site, "mended"));
    mended.unwrap_or_else(|| panic!("{}", daemon.log()));
    assert_eq!(act(&site, "mended", &promote("voms"))["code"], "done");
    run(site.as_daemon().args(["verify", "--deep"])).ok();
}
