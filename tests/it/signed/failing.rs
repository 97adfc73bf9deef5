//! Signers that are missing, hang, crash, print rubbish, sign something else: nothing of theirs is published, what needs
//! a signature waits and says why, what needs none passes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Running, Sandbox, Watch, run};

use super::{PRODUCTION, Signed};

const PATIENCE: Duration = Duration::from_secs(300);

/// How long the signer may take: nobody is to wait for it, and a loaded machine is not to be taken for a fault.
const TIMEOUT: &str = "timeout = \"120s\"";

/// A signer that does what the file `how` says, in words of the shell; `KEY` and `OTHER` sign.
const SIGNER: &str = r#"#!/bin/sh
sign() { gpg --homedir "HOME" --batch --no-tty --quiet --local-user "$1" --armor --detach-sign --output -; }
. "FOLDER/how"
"#;

/// A site whose signer does as it is told, ready to be initialised.
pub fn on_a_site() -> Signed {
    let sandbox = Sandbox::new();
    let signer = format!("command = [\"FOLDER/signer\", \"{{fingerprint}}\"]\n{TIMEOUT}");
    let signed = Signed::new("http://127.0.0.1:1", sandbox, &["repo-2026", "other"], &signer);
    let folder = signed.path_of("");
    let text = SIGNER
        .replace("HOME", signed.gnupg.home().as_str())
        .replace("FOLDER", folder.as_str().trim_end_matches('/'));
    let _ = signed.sandbox.script("signer", &text);
    tell(&signed, "sign \"$1\"");
    signed
}

/// Tells the signer what to do from now on.
pub fn tell(signed: &Signed, how: &str) {
    let how = how.replace("FOLDER", signed.path_of("").as_str().trim_end_matches('/'));
    let how = how.replace("OTHER", &signed.keys[1].1);
    fs::write(signed.path_of("how.new"), how).unwrap();
    fs::set_permissions(signed.path_of("how.new"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(signed.path_of("how.new"), signed.path_of("how")).unwrap();
}

/// Waits until `status` says that the signer failed in this way.
#[track_caller]
fn fails_with(signed: &Signed, code: &str, log: &dyn Fn() -> String) -> Value {
    let cache = signed.site.root().join("cache");
    let watch = Watch::on(&[&cache]);
    let failing = watch.until(PATIENCE, || {
        let signer = signed.signer();
        (signer["failing"]["fault"]["code"] == code).then_some(signer)
    });
    failing.unwrap_or_else(|| panic!("not `{code}`: {}\n{}", signed.signer(), log()))
}

#[test]
fn what_a_signer_does_wrong_is_told_by_its_code_and_never_published() {
    let signed = on_a_site();
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    signed.import("production", "1.0", &[]).ok();
    let mut before = (signed.published("repomd.xml"), signed.published("repomd.xml.asc"));
    let cases = [
        ("sleep 86413 & echo $! > FOLDER/left/sleeper; wait", "signer-hangs"),
        ("cat > /dev/null; exit 3", "signer-failed"),
        ("kill -SEGV $$", "signer-failed"),
        ("exit 0", "signer-rubbish"),
        ("echo signed", "signer-rubbish"),
        ("head -c 200000 /dev/zero", "signer-rubbish"),
        ("echo '-----BEGIN PGP SIGNATURE-----'; echo; echo '-----END PGP SIGNATURE-----'", "signer-rubbish"),
        ("(cat; echo) | sign \"$1\"", "signature-wrong"),
        ("sign OTHER", "signature-other-key"),
    ];
    let left = signed.sandbox.folder("left");
    fs::set_permissions(&left, fs::Permissions::from_mode(0o777)).unwrap();
    let patient = fs::read_to_string(signed.site.config()).unwrap();
    for (n, (how, code)) in cases.into_iter().enumerate() {
        tell(&signed, how);
        if code == "signer-hangs" {
            fs::write(signed.site.config(), patient.replace(TIMEOUT, "timeout = \"5s\"")).unwrap();
            // Until that is said it may still happen, and make the daemon forget what fails next.
            daemon.reload(&signed.site.config(), None, Running::RELOADED);
        }
        let version = format!("2.{n}");
        signed.import("production", &version, &["--no-wait"]).ok();
        let signer = fails_with(&signed, code, &|| daemon.log());
        let attempts = signer["failing"]["attempts"].as_u64();
        assert!(signer["failing"]["repository"] == PRODUCTION && attempts >= Some(1), "{signer}");
        // What needs no signature passes, while the other waits.
        signed.import("delta", &version, &[]).ok();
        let now = (signed.published("repomd.xml"), signed.published("repomd.xml.asc"));
        assert!(now == before, "`{how}` was published");
        let ran = run(signed.site.as_daemon().args(["status", "--check"]));
        assert!(ran.code() == 2 && ran.stdout.contains(code), "{ran}");
        // A person puts it right and has the configuration read again: nobody waits for the pause to end.
        tell(&signed, "sign \"$1\"");
        fs::write(signed.site.config(), &patient).unwrap();
        let watch = Watch::on(&[&signed.site.root().join("public")]);
        // Until that is said it may still happen, and make the daemon forget what fails next.
        daemon.reload(&signed.site.config(), None, Running::RELOADED);
        let published = || (signed.published("repomd.xml") != before.0).then_some(());
        watch.until(PATIENCE, published).unwrap_or_else(|| panic!("it is not published:\n{}", daemon.log()));
        assert_eq!(signed.signed_by(), "repo-2026");
        // That all is well is told after the publication: until then the next case would see this one's fault.
        let well = || signed.signer()["failing"].is_null().then_some(());
        let told = Watch::on(&[&signed.site.root().join("cache")]).until(PATIENCE, well);
        assert!(told.is_some(), "status still says that it fails:\n{}", daemon.log());
        before = (signed.published("repomd.xml"), signed.published("repomd.xml.asc"));
    }
    // Its number may be somebody else's by now.
    let sleeper = fs::read_to_string(left.join("sleeper")).unwrap();
    let runs = fs::read_to_string(format!("/proc/{}/cmdline", sleeper.trim())).unwrap_or_default();
    assert!(!runs.contains("86413"), "what hung still runs");
    daemon.stop();
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
    testkit::Checker::of(&signed.site).at_rest().assert_sound();
}

#[test]
fn all_signatures_of_a_publication_share_the_time_of_the_signer() {
    let signed = on_a_site();
    let text = fs::read_to_string(signed.site.config()).unwrap();
    // Six repositories, of which four are signed at a time: each in time, and not all of them.
    let text = text.replace("[\"el9/x86_64\"]", "[\"el9/x86_64\", \"el9/aarch64\"]");
    fs::write(signed.site.config(), text.replace(TIMEOUT, "timeout = \"5s\"")).unwrap();
    tell(&signed, "sleep 3; sign \"$1\"");
    let ran = run(signed.site.as_daemon().arg("init"));
    assert!(ran.code() == 75 && ran.stderr.contains("signer-hangs"), "{ran}");
    assert!(ran.stderr.contains("not every signature of the publication within 5 s"), "{ran}");
    assert!(!signed.site.root().join("public/current").exists());
}

#[test]
fn what_waits_for_a_signature_is_published_when_there_is_one() {
    let signed = on_a_site();
    // Not even the first generation is published without.
    tell(&signed, "exit 1");
    let ran = run(signed.site.as_daemon().arg("init"));
    assert!(ran.code() == 75 && ran.stderr.contains("signer-failed"), "{ran}");
    assert!(!signed.site.root().join("public/current").exists());
    let ran = run(signed.site.as_daemon().args(["daemon", "--once"]));
    assert!(ran.code() == 75 && ran.stderr.contains("signer-failed"), "{ran}");
    tell(&signed, "sign \"$1\"");
    run(signed.site.as_daemon().args(["daemon", "--once"])).ok();
    assert_eq!((signed.signed_by(), signed.current()), ("repo-2026".to_owned(), 1));
    // An empty repository is signed like any other; the siblings, too.
    for sibling in ["debug", "source"] {
        signed.published(&format!("../{sibling}/repodata/repomd.xml.asc"));
    }
    let mut daemon = signed.site.start();
    tell(&signed, "exit 1");
    let began = Instant::now();
    signed.import("production", "1.0", &["--no-wait"]).ok();
    fails_with(&signed, "signer-failed", &|| daemon.log());
    tell(&signed, "sign \"$1\"");
    // It is asked again without anybody's help.
    let watch = Watch::on(&[&signed.site.root().join("public")]);
    watch.until(PATIENCE, || (signed.current() == 2).then_some(())).expect("nothing was published");
    assert_eq!(signed.signed_by(), "repo-2026");
    // Before anything else it is told that all is well again.
    let cache = signed.site.root().join("cache");
    let well = || signed.signer()["failing"].is_null().then_some(());
    Watch::on(&[&cache]).until(PATIENCE, well).expect("status still says that it fails");
    let asked = daemon.log().matches("nothing is published that needs a signature").count();
    // It rests for five seconds, and for ten the next time.
    let seconds = began.elapsed().as_secs();
    assert!(asked as u64 <= 2 + seconds / 5, "it was asked {asked} times within {seconds} s");
    daemon.stop();
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
}

#[test]
fn a_signer_that_is_not_there_is_told_by_its_code() {
    let sandbox = Sandbox::new();
    let signer = "command = [\"FOLDER/no-such-signer\"]";
    let signed = Signed::new("http://127.0.0.1:1", sandbox, &["repo-2026"], signer);
    let ran = run(signed.site.as_daemon().arg("init"));
    assert!(ran.code() == 75 && ran.stderr.contains("signer-missing"), "{ran}");
    // A GNUPGHOME without the key is a signer that fails, and gpg says why.
    let other = testkit::Gnupg::new(&signed.sandbox, "other");
    // Not an empty one: several gpg that make the first keyring of a home at once trip over each other.
    let _ = other.key("somebody");
    signed.site.give_to_daemon(other.home());
    let text = fs::read_to_string(signed.site.config()).unwrap();
    let line = text.lines().find(|line| line.starts_with("command = ")).unwrap();
    fs::write(signed.site.config(), text.replace(line, &format!("gpg_home = \"{}\"", other.home()))).unwrap();
    let ran = run(signed.site.as_daemon().arg("init"));
    assert!(ran.code() == 75 && ran.stderr.contains("signer-failed"), "{ran}");
    assert!(ran.stderr.to_lowercase().contains("no secret key"), "{ran}");
}

#[test]
fn a_key_that_does_not_count_signs_nothing() {
    let signed = on_a_site();
    // By the configuration: whoever signs is not even asked.
    let text = fs::read_to_string(signed.site.config()).unwrap();
    let line = format!("fingerprint = \"{}\"\n", signed.keys[0].1);
    let ended = format!("{line}until = \"2026-01-01T00:00:00Z\"\n");
    fs::write(signed.site.config(), text.replace(&line, &ended)).unwrap();
    let ran = run(signed.site.as_daemon().arg("init"));
    assert!(ran.code() == 75 && ran.stderr.contains("key-not-allowed"), "{ran}");
    // By its certificate: a signature that was made while the key was valid, on a clock that stands still.
    let aged = testkit::Gnupg::new(&signed.sandbox, "aged");
    let then = "20200102T000000";
    let key = aged.key_of("aged", "1y", &["--faked-system-time", "20200101T000000!"]);
    let file = signed.sandbox.file("aged.asc", aged.certificate(&key));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (first, old) = (signed.path_of("repo-2026.asc"), &signed.keys[0].1);
    fs::write(signed.site.config(), text.replace(first.as_str(), file.as_str()).replace(old, &key)).unwrap();
    signed.site.give_to_daemon(aged.home());
    let home = aged.home();
    tell(
        &signed,
        &format!(
            "gpg --homedir {home} --batch --no-tty --quiet --faked-system-time {then} --local-user \"$1\" --armor \\\n\
             --detach-sign --output -"
        ),
    );
    let ran = run(signed.site.as_daemon().arg("init"));
    assert!(ran.code() == 75 && ran.stderr.contains("(signature-refused)"), "{ran}");
    assert!(ran.stderr.contains("key-expired"), "{ran}");
    assert!(!signed.site.root().join("public/current").exists());
}
