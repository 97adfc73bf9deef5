//! Crafted packages, each imported into a stage that demands signatures and shown to `rpmkeys -K` with the same keys.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Sandbox, Site, program, run};

use super::forge::{Entry, Parts, binary, number, text};
use super::keyring::Keyring;

/// When keys are made that must be old by now.
const LONG_AGO: &str = "20240101T000000";
const LATER: &str = "20240201T000000";
const AHEAD: &str = "20990101T000000";

/// Tags of signatures.
const RSA_HEADER: u32 = 268;
const DSA_HEADER: u32 = 267;
const RSA_BOTH: u32 = 1002;
const DSA_BOTH: u32 = 1005;

/// The keys of the matrix, by a word.
struct Keys {
    ring: Keyring,
    by_word: BTreeMap<&'static str, String>,
}

impl Keys {
    fn new(sandbox: &Sandbox) -> Keys {
        let ring = Keyring::new(sandbox);
        let mut by_word = BTreeMap::new();
        for (word, algorithm, expires) in [
            ("rsa", "rsa2048", "never"),
            ("ed", "ed25519", "never"),
            ("dsa", "dsa2048", "never"),
            ("short", "rsa1024", "never"),
            ("short-dsa", "dsa1024", "never"),
            ("nist", "nistp256", "never"),
            ("other", "ed25519", "never"),
            ("unknown", "rsa2048", "never"),
            ("expired", "rsa2048", "20250101T000000"),
            ("revoked", "ed25519", "never"),
            ("with-subkey", "ed25519", "never"),
            ("with-old-subkey", "ed25519", "never"),
            ("with-revoked-subkey", "ed25519", "never"),
        ] {
            by_word.insert(word, ring.make(word, algorithm, expires, LONG_AGO));
        }
        let subkey = ring.add_subkey(&by_word["with-subkey"], "rsa2048", "never", LONG_AGO);
        by_word.insert("subkey", subkey);
        let subkey = ring.add_subkey(&by_word["with-old-subkey"], "rsa2048", "20250101T000000", LONG_AGO);
        by_word.insert("old-subkey", subkey);
        let subkey = ring.add_subkey(&by_word["with-revoked-subkey"], "rsa2048", "never", LONG_AGO);
        by_word.insert("revoked-subkey", subkey);
        Keys { ring, by_word }
    }

    /// Ends the keys that have signed what they were to sign.
    fn revoke(&self) {
        self.ring.revoke(&self.by_word["revoked"]);
        self.ring.revoke_subkey(&self.by_word["with-revoked-subkey"]);
    }

    fn sign(&self, tag: u32, key: &str, bytes: &[u8]) -> Entry {
        self.sign_as(tag, key, bytes, LATER, &["--digest-algo", "SHA256"])
    }

    fn sign_as(&self, tag: u32, key: &str, bytes: &[u8], time: &str, options: &[&str]) -> Entry {
        binary(tag, self.ring.sign(&self.by_word[key], bytes, time, options))
    }

    /// Signs the header alone.
    fn header(&self, tag: u32, key: &str, parts: &Parts) -> Entry {
        self.sign(tag, key, &parts.header)
    }
}

/// One package, and the code of the answer that is wanted.
struct Case {
    what: &'static str,
    code: &'static str,
    rpm: Vec<u8>,
}

/// Makes every package; the keys that are to be revoked still sign here.
#[expect(clippy::too_many_lines, reason = "a table")]
fn cases(keys: &Keys, sandbox: &Sandbox) -> Vec<Case> {
    let mut cases = Vec::new();
    let fresh = |cases: &Vec<Case>| Parts::of(&format!("case{:02}", cases.len()));
    // A key of one's own for the closures below: the number of the case names its package.
    macro_rules! case {
        ($what:literal, $code:literal, |$parts:ident| $make:expr) => {{
            let $parts = fresh(&cases);
            let rpm = $make;
            cases.push(Case { what: $what, code: $code, rpm });
        }};
    }
    let signed_by_rpm = |key: &str, parts: &Parts| {
        let file = sandbox.file(&format!("signed-{key}.rpm"), parts.with([]));
        keys.ring.rpmsign(&keys.by_word[key], &file);
        fs::read(&file).unwrap()
    };
    case!("rpmsign with RSA", "done", |parts| signed_by_rpm("rsa", &parts));
    case!("rpmsign with Ed25519", "done", |parts| signed_by_rpm("ed", &parts));
    case!("rpmsign with DSA", "done", |parts| signed_by_rpm("dsa", &parts));
    case!("rpmsign with a subkey", "done", |parts| signed_by_rpm("subkey", &parts));
    case!("header signed by RSA", "done", |parts| parts.with([keys.header(RSA_HEADER, "rsa", &parts)]));
    case!("header signed by Ed25519", "done", |parts| parts.with([keys.header(DSA_HEADER, "ed", &parts)]));
    case!("header and payload signed, as rpm 3 did", "done", |parts| {
        parts.with([keys.sign(RSA_BOTH, "rsa", &parts.both()), parts.md5()])
    });
    case!("header, and header and payload signed", "done", |parts| {
        let both = keys.sign(RSA_BOTH, "rsa", &parts.both());
        parts.with([keys.header(RSA_HEADER, "rsa", &parts), both, parts.md5()])
    });
    case!("two keys of the stage", "done", |parts| {
        parts.with([keys.header(RSA_HEADER, "rsa", &parts), keys.header(DSA_HEADER, "ed", &parts)])
    });
    case!("no payload digest, header and payload signed and hashed", "done", |parts| {
        let parts = parts.without_payload_digest();
        parts.with([keys.sign(DSA_BOTH, "ed", &parts.both()), parts.md5()])
    });
    case!("SHA-512", "done", |parts| {
        let options = ["--digest-algo", "SHA512"];
        parts.with([keys.sign_as(RSA_HEADER, "rsa", &parts.header, LATER, &options)])
    });

    case!("unsigned", "unsigned", |parts| parts.with([]));
    case!("unsigned, without any digest", "unsigned", |parts| {
        parts.with_only(vec![number(1000, parts.both().len() as u32)])
    });
    case!("signed by an unknown key", "signer-unknown", |parts| {
        parts.with([keys.header(RSA_HEADER, "unknown", &parts)])
    });
    case!("signed by a known key that the stage does not take", "signer-not-allowed", |parts| {
        parts.with([keys.header(DSA_HEADER, "other", &parts)])
    });
    case!("a good signature beside one by an unknown key", "signer-unknown", |parts| {
        parts.with([keys.header(DSA_HEADER, "ed", &parts), keys.sign(RSA_BOTH, "unknown", &parts.both())])
    });
    case!("a good signature beside one by a key the stage does not take", "signer-not-allowed", |parts| {
        parts.with([keys.header(RSA_HEADER, "rsa", &parts), keys.header(DSA_HEADER, "other", &parts)])
    });
    case!("expired key", "signer-expired", |parts| parts.with([keys.header(RSA_HEADER, "expired", &parts)]));
    case!("expired subkey", "signer-expired", |parts| {
        parts.with([keys.header(RSA_HEADER, "old-subkey", &parts)])
    });
    case!("revoked key", "signer-revoked", |parts| parts.with([keys.header(DSA_HEADER, "revoked", &parts)]));
    case!("revoked subkey", "signer-revoked", |parts| {
        parts.with([keys.header(RSA_HEADER, "revoked-subkey", &parts)])
    });
    case!("RSA of 1024 bits", "signer-weak", |parts| parts.with([keys.header(RSA_HEADER, "short", &parts)]));
    case!("DSA of 1024 bits", "signer-weak", |parts| {
        let options = ["--digest-algo", "SHA256", "--enable-dsa2"];
        parts.with([keys.sign_as(DSA_HEADER, "short-dsa", &parts.header, LATER, &options)])
    });
    for_each_weak(&mut cases, keys);
    case!("signature from the future", "signature-bad", |parts| {
        parts.with([keys.sign_as(RSA_HEADER, "rsa", &parts.header, AHEAD, &["--digest-algo", "SHA256"])])
    });
    case!("signature that has expired", "signer-expired", |parts| {
        let options = ["--digest-algo", "SHA256", "--default-sig-expire", "2d"];
        parts.with([keys.sign_as(RSA_HEADER, "rsa", &parts.header, LATER, &options)])
    });
    case!("signature of text", "signature-bad", |parts| {
        let options = ["--digest-algo", "SHA256", "--textmode"];
        parts.with([keys.sign_as(RSA_HEADER, "rsa", &parts.header, LATER, &options)])
    });
    case!("armoured signature", "signature-bad", |parts| {
        parts.with([keys.sign_as(RSA_HEADER, "rsa", &parts.header, LATER, &["--armor"])])
    });
    case!("ECDSA, which rpm before 4.19 does not know", "signature-bad", |parts| {
        parts.with([keys.header(DSA_HEADER, "nist", &parts)])
    });
    case!("RSA where DSA belongs", "signature-bad", |parts| {
        parts.with([keys.header(DSA_HEADER, "rsa", &parts)])
    });

    case!("header tampered", "damaged-package", |parts| {
        let entries = [parts.digests(), vec![keys.header(RSA_HEADER, "rsa", &parts)]].concat();
        parts.with_other_summary().with_only(entries)
    });
    case!("header tampered, its digests made anew", "signature-bad", |parts| {
        let signature = keys.header(RSA_HEADER, "rsa", &parts);
        parts.with_other_summary().with([signature])
    });
    case!("header tampered, signed, without digests", "signature-bad", |parts| {
        let signature = keys.header(RSA_HEADER, "rsa", &parts);
        parts.with_other_summary().with_only(vec![signature])
    });
    case!("payload tampered, the header has its digest", "payload-tampered", |parts| {
        let signature = keys.header(RSA_HEADER, "rsa", &parts);
        parts.with_other_payload().with([signature])
    });
    case!("payload tampered, the header has no digest of it", "digest-missing", |parts| {
        let parts = parts.without_payload_digest();
        let signature = keys.header(RSA_HEADER, "rsa", &parts);
        parts.with_other_payload().with([signature])
    });
    case!("no payload digest, the header alone signed", "digest-missing", |parts| {
        let parts = parts.without_payload_digest();
        parts.with([keys.header(RSA_HEADER, "rsa", &parts)])
    });
    case!("no payload digest, header and payload signed and not hashed", "digest-missing", |parts| {
        let parts = parts.without_payload_digest();
        parts.with([keys.sign(DSA_BOTH, "ed", &parts.both())])
    });
    case!("no digest of the header", "digest-missing", |parts| {
        parts.with_only(vec![keys.header(RSA_HEADER, "rsa", &parts)])
    });
    case!("payload digest by MD5", "digest-missing", |parts| {
        let md5 = repo::digest(nevra::Algorithm::Md5, &parts.payload).hex;
        let parts = parts.without_payload_digest().change_header(|entries| {
            entries.extend([Entry { kind: 8, ..text(5092, &md5) }, number(5093, 1)]);
        });
        parts.with([keys.header(RSA_HEADER, "rsa", &parts)])
    });
    case!("payload tampered, header and payload signed", "signature-bad", |parts| {
        let parts = parts.without_payload_digest();
        let signature = keys.sign(RSA_BOTH, "rsa", &parts.both());
        parts.with_other_payload().with([signature])
    });
    case!("payload cut short", "payload-tampered", |parts| {
        let signature = keys.header(RSA_HEADER, "rsa", &parts);
        let mut parts = parts;
        parts.payload.truncate(20);
        parts.with([signature])
    });
    case!("bytes behind the payload", "payload-tampered", |parts| {
        let signature = keys.header(RSA_HEADER, "rsa", &parts);
        [parts.with([signature]), b"more".to_vec()].concat()
    });
    case!("header cut short", "package-cut-short", |parts| {
        let whole = parts.with([keys.header(RSA_HEADER, "rsa", &parts)]);
        whole[..whole.len() - parts.payload.len() - 40].to_vec()
    });
    case!("MD5 of other bytes", "payload-tampered", |parts| {
        let md5 = parts.clone().with_other_payload().md5();
        parts.with([keys.header(RSA_HEADER, "rsa", &parts), md5])
    });
    case!("SHA-256 of another header", "damaged-package", |parts| {
        let lie = text(273, &repo::sha256(b"another header").hex());
        parts.with_only(vec![lie, keys.header(RSA_HEADER, "rsa", &parts)])
    });
    case!("signature of another package", "signature-bad", |parts| {
        parts.with([keys.header(RSA_HEADER, "rsa", &Parts::of("another"))])
    });
    case!("signature of nonsense", "signature-bad", |parts| parts
        .with([binary(RSA_HEADER, vec![0x89; 200])]));
    case!("signature cut short", "signature-bad", |parts| {
        let mut signature = keys.header(RSA_HEADER, "rsa", &parts);
        signature.bytes.truncate(signature.bytes.len() - 20);
        parts.with([binary(RSA_HEADER, signature.bytes)])
    });
    case!("two signatures in one tag", "signature-bad", |parts| {
        let [one, two] = ["rsa", "subkey"].map(|key| keys.header(RSA_HEADER, key, &parts).bytes);
        parts.with([binary(RSA_HEADER, [one, two].concat())])
    });
    case!("a good signature beside one of another package", "signature-bad", |parts| {
        let lie = keys.sign(RSA_BOTH, "rsa", &Parts::of("another").both());
        parts.with([keys.header(RSA_HEADER, "rsa", &parts), lie])
    });
    case!("a certificate where a signature belongs", "signature-bad", |parts| {
        let certificate = fs::read(keys.ring.export(&keys.by_word["rsa"])).unwrap();
        parts.with([binary(RSA_HEADER, certificate)])
    });
    case!("a signature that claims more bytes than there are", "damaged-package", |parts| {
        let mut signature = keys.header(RSA_HEADER, "rsa", &parts);
        signature.count += 100_000;
        parts.with([signature])
    });
    cases
}

/// Signatures by way of digests that others can forge.
fn for_each_weak(cases: &mut Vec<Case>, keys: &Keys) {
    for (what, digest) in [("SHA-1", "SHA1"), ("RIPEMD-160", "RIPEMD160"), ("MD5", "MD5")] {
        let parts = Parts::of(&format!("case{:02}", cases.len()));
        let options = ["--digest-algo", digest, "--allow-weak-digest-algos"];
        let rpm = parts.with([keys.sign_as(RSA_HEADER, "rsa", &parts.header, LATER, &options)]);
        cases.push(Case { what, code: "signature-weak", rpm });
    }
}

/// The words of the keys that the configuration names; all but `other` are taken by the stage.
const CONFIGURED: [&str; 12] = [
    "rsa",
    "ed",
    "dsa",
    "short",
    "short-dsa",
    "nist",
    "other",
    "expired",
    "revoked",
    "with-subkey",
    "with-old-subkey",
    "with-revoked-subkey",
];

fn configuration(keys: &Keys) -> String {
    let mut text = "[roles]\nrelease-team = [\"ME\"]\n".to_owned();
    for word in CONFIGURED {
        let fingerprint = &keys.by_word[word];
        let file = keys.ring.export(fingerprint);
        text += &format!("[[key]]\nname = \"{word}\"\nfile = \"{file}\"\nfingerprint = \"{fingerprint}\"\n");
    }
    let taken: Vec<&str> = CONFIGURED.into_iter().filter(|word| *word != "other").collect();
    text + &format!(
        "[[product]]\nname = \"glite-3.2\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\nsigned_by = {taken:?}\n"
    )
}

/// rpm with a database that has the same keys.
struct Rpm {
    database: Utf8PathBuf,
}

impl Rpm {
    fn with(keys: &Keys, sandbox: &Sandbox) -> Rpm {
        let rpm = Rpm { database: sandbox.folder("rpmdb") };
        for word in CONFIGURED {
            let imported = run(rpm.rpmkeys().arg("--import").arg(keys.ring.export(&keys.by_word[word])));
            // This rpm knows no ECDSA, and takes no certificate with a revoked subkey.
            let is_known = !matches!(word, "nist" | "with-revoked-subkey");
            assert_eq!(imported.status.success(), is_known, "{word}: {imported}");
        }
        rpm
    }

    fn rpmkeys(&self) -> std::process::Command {
        let mut command = program("rpmkeys");
        command.args(["--define", &format!("_dbpath {}", self.database)]);
        command
    }

    fn takes(&self, file: &Utf8Path) -> bool {
        run(self.rpmkeys().arg("-K").arg(file)).status.success()
    }
}

#[test]
fn nothing_is_accepted_that_rpmkeys_refuses() {
    let sandbox = Sandbox::new();
    let keys = Keys::new(&sandbox);
    let cases = cases(&keys, &sandbox);
    keys.revoke();
    let rpm = Rpm::with(&keys, &sandbox);
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &configuration(&keys));
    let mut daemon = site.start();
    for (number, case) in cases.iter().enumerate() {
        let upload = site.upload(&format!("case{number:02}.rpm"), &case.rpm);
        let request = format!(
            "format = 1\naction = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n[end]\n"
        );
        site.drop_request(&format!("case{number:02}.toml"), &request);
    }
    let (mut wrong, mut accepted, mut beyond, mut both) = (Vec::new(), 0, 0, 0);
    for (number, case) in cases.iter().enumerate() {
        let answer = site.answer(&format!("case{number:02}"));
        let code = answer["code"].as_str().unwrap_or_default();
        let file = sandbox.file(&format!("case{number:02}.rpm"), &case.rpm);
        let rpm_takes = rpm.takes(&file);
        let we_take = code == "done";
        if code != case.code {
            wrong.push(format!("{}: `{}` was wanted: {answer:#}", case.what, case.code));
        }
        if we_take && !rpm_takes {
            wrong.push(format!("{}: taken, and rpmkeys refuses it", case.what));
        }
        match (we_take, rpm_takes) {
            (true, _) => accepted += 1,
            (false, true) => beyond += 1,
            (false, false) => both += 1,
        }
        let verdict = if rpm_takes { "takes" } else { "refuses" };
        println!(
            "| {} | `{code}` | {verdict} | {} |",
            case.what,
            answer["sentence"].as_str().unwrap_or_default()
        );
    }
    println!("{} packages: {accepted} taken, {both} refused by both, {beyond} beyond rpmkeys", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 30 && accepted >= 10 && beyond >= 10, "the matrix has lost its cases");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify"]).ok();
}
