//! Stages that demand signatures, one behind another, and hosts that draw from them.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use testkit::{Host, Nginx, Running, Sandbox, Site, createrepo_c, fetch, run};

use super::forge::{Parts, binary};
use super::keyring::Keyring;

pub(super) const LONG_AGO: &str = "20240101T000000";
const LATER: &str = "20240201T000000";
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A table for a key, with more lines.
pub(super) fn key(ring: &Keyring, name: &str, fingerprint: &str, more: &str) -> String {
    let file = ring.export(fingerprint);
    format!("[[key]]\nname = \"{name}\"\nfile = \"{file}\"\nfingerprint = \"{fingerprint}\"\n{more}")
}

/// Only what enters production must be signed, by `ours`.
pub(super) const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
signed_by = ["ours"]
"#;

pub(super) fn signed(ring: &Keyring, key: &str, name: &str) -> Vec<u8> {
    let parts = Parts::of(name);
    let signature = ring.sign(key, &parts.header, LATER, &["--digest-algo", "SHA256"]);
    parts.with([binary(268, signature)])
}

/// Drops a request and gives its answer.
fn asked(site: &Site, stem: &str, body: &str) -> Value {
    let text = format!("format = 1\nproduct = \"glite-3.2\"\n{body}[end]\n");
    site.drop_request(&format!("{stem}.toml"), &text);
    site.answer(stem)
}

pub(super) fn import(site: &Site, stem: &str, rpm: &[u8]) {
    let upload = site.upload(&format!("{stem}.rpm"), rpm);
    let answer = asked(site, stem, &format!("action = \"import\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n"));
    assert_eq!(answer["code"], "done", "{answer:#}");
}

pub(super) fn promote(site: &Site, stem: &str, package: &str) -> Value {
    let body =
        format!("action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"{package}\"]\n");
    asked(site, stem, &body)
}

/// The evidence of the gate in an answer.
fn evidence(answer: &Value) -> &str {
    let gates = answer["gates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let gate = gates.iter().find(|gate| gate["gate"] == "signatures");
    gate.and_then(|gate| gate["evidence"].as_str()).unwrap_or_default()
}

#[test]
fn a_promotion_asks_again_whether_the_signature_counts_now() {
    let sandbox = Sandbox::new();
    let ring = Keyring::new(&sandbox);
    let ours = ring.make("ours", "rsa2048", "never", LONG_AGO);
    let rest = |more: &str| format!("{}{STAGES}", key(&ring, "ours", &ours, more));
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &rest(""));
    let daemon = site.start();
    // Delta takes everything; what is unsigned ends there.
    import(&site, "one", &signed(&ring, &ours, "one"));
    import(&site, "two", &signed(&ring, &ours, "two"));
    import(&site, "plain", &Parts::of("plain").with([]));
    let refused = promote(&site, "plain-on", "plain");
    assert_eq!(refused["code"], "unsigned", "{refused:#}");
    assert!(refused["hint"].as_str().is_some_and(|hint| hint.contains("`ours`")), "{refused:#}");
    let done = promote(&site, "one-on", "one");
    assert_eq!(
        (&done["code"], evidence(&done)),
        (&"done".into(), "all 1 that enter are signed: 1 by `ours`")
    );
    // The manifest keeps which key it was.
    let number = done["generation"].as_u64().unwrap();
    let manifest =
        fs::read_to_string(site.root().join(format!("generations/{number}/manifest.json"))).unwrap();
    assert!(manifest.contains(&ours), "{manifest}");
    let told = run(site.as_daemon().args(["--json", "keys"])).ok().stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["keys"][0]["signed"], serde_json::json!({"glite-3.2/production": 1}), "{told:#}");
    assert_eq!((&told["keys"][0]["concern"], &told["stages"][0]["unproven"]), (&Value::Null, &0.into()));
    // The key is withdrawn: what it signed before enters no more.
    let text = fs::read_to_string(site.config()).unwrap();
    let line = format!("fingerprint = \"{ours}\"\n");
    let withdrawn = text.replace(&line, &format!("{line}until = \"2025-01-01T00:00:00Z\"\n"));
    daemon.reload(&site.config(), Some(&withdrawn), Running::RELOADED);
    let refused = promote(&site, "two-on", "two");
    assert_eq!(refused["code"], "signer-not-allowed", "{refused:#}");
    let words = refused["sentence"].as_str().unwrap();
    assert!(words.contains("`ours`, which counted until 2025-01-01T00:00:00Z"), "{words}");
    // Revoked, it counts no more either, without any `until`.
    ring.revoke(&ours);
    ring.export(&ours);
    daemon.reload(&site.config(), Some(&text), Running::RELOADED);
    let refused = promote(&site, "two-again", "two");
    assert_eq!(refused["code"], "signer-revoked", "{refused:#}");
    let told = run(site.as_daemon().arg("keys")).ok();
    assert!(told.stdout.contains("nothing that the key `ours` signs counts"), "{told}");
    let checked =
        run(site.as_daemon().args(["status", "--check", "--free-warning", "0", "--free-critical", "0"]));
    assert_eq!(checked.code(), 2, "{checked}");
    assert!(checked.stdout.contains("CRITICAL - nothing that the key `ours` signs counts"), "{checked}");
    // What entered before that is as it must be.
    run(site.as_daemon().args(["verify", "--deep"])).ok();
    testkit::Checker::of(&site).assert_sound();
    let checked = site.sluice(&["config", "check"]).ok();
    assert!(checked.stderr.contains("nothing that the key `ours` signs counts"), "{checked}");
}

/// A new host that draws from production with the `.repo` file that is served.
fn new_host(sandbox: &Sandbox, name: &str, base_url: &str) -> Host {
    let host = Host::new(sandbox, name);
    let file = fetch(&format!("{base_url}/glite-3.2-production.repo"));
    assert!(file.text().contains("gpgcheck=1\ngpgkey="), "{}", file.text());
    host.dot_repo("glite.repo", &file.body);
    host
}

#[test]
fn dnf_installs_what_is_signed_and_nothing_that_was_changed() {
    let sandbox = Sandbox::new();
    let ring = Keyring::new(&sandbox);
    let [ours, theirs] = ["ours", "theirs"].map(|name| ring.make(name, "rsa2048", "never", LONG_AGO));
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let base_url = nginx.base_url();
    let site = Site::initialised(&sandbox, base_url, &format!("{}{STAGES}", key(&ring, "ours", &ours, "")));
    let daemon = site.start();
    import(&site, "one", &signed(&ring, &ours, "one"));
    let two = signed(&ring, &ours, "two");
    import(&site, "two", &two);
    for package in ["one", "two"] {
        assert_eq!(promote(&site, &format!("{package}-on"), package)["code"], "done");
    }
    let host = new_host(&sandbox, "host", base_url);
    let ran = host.dnf(&["install", "one"]);
    assert!(host.installed().contains("one-1.0-1.noarch"), "{ran}");
    // A host that trusts another key takes nothing.
    let certificate = fetch(&format!("{base_url}/RPM-GPG-KEY-ours"));
    assert!(certificate.text().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"), "{}", certificate.text());
    let wrong = new_host(&sandbox, "wrong", base_url);
    let file = fetch(&format!("{base_url}/glite-3.2-production.repo")).text();
    let elsewhere = format!("gpgkey=file://{}\n", ring.export(&theirs));
    wrong.dot_repo("glite.repo", file.replace(&format!("gpgkey={base_url}/RPM-GPG-KEY-ours\n"), &elsewhere));
    let ran = wrong.dnf(&["install", "one"]);
    assert!(!ran.status.success() && wrong.installed().iter().all(|name| !name.starts_with("one")), "{ran}");
    // One byte of the file that is served turned over, by somebody who may write everywhere.
    let pooled = repo::sha256(&two);
    let file = site.root().join(format!("pool/{}/{pooled}.rpm", pooled.shard()));
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode;
    fs::set_permissions(&file, mode(0o644)).unwrap();
    fs::write(&file, &bytes).unwrap();
    fs::set_permissions(&file, mode(0o444)).unwrap();
    let ran = host.dnf(&["install", "two"]);
    assert!(!ran.status.success() && !host.installed().contains("two-1.0-1.noarch"), "{ran}");
    // A mirror that changed a byte of the payload and wrote metadata of its own.
    let parts = Parts::of("three");
    let signature = ring.sign(&ours, &parts.header, LATER, &["--digest-algo", "SHA256"]);
    let mirror = sandbox.folder("mirror");
    fs::write(
        mirror.join("three-1.0-1.noarch.rpm"),
        parts.with_other_payload().with([binary(268, signature)]),
    )
    .unwrap();
    createrepo_c::<&str>(&mirror, &[]).ok();
    let key = format!("{base_url}/RPM-GPG-KEY-ours");
    host.dot_repo(
        "mirror.repo",
        format!("[mirror]\nname=mirror\nbaseurl=file://{mirror}\ngpgcheck=1\ngpgkey={key}\n"),
    );
    let ran = host.dnf(&["install", "three"]);
    assert!(!ran.status.success() && !host.installed().contains("three-1.0-1.noarch"), "{ran}");
    drop(daemon);
}
