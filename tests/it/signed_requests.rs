//! Requests signed with `ssh-keygen -Y sign`: the key says who asks, whoever owns the file.

use camino::Utf8PathBuf;
use plan::{Answer, Outcome};
use testkit::{Sandbox, program, run};

use crate::people::People;

const CONFIG: &str = r#"
format = 1
allowed_signers = """
# NAME OPTIONS KEY
SIGNERS"""
[site]
name = "Signed"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
sweep_every = "30 days"
door = "uid:74007"
[roles]
release-team = ["uid:1000", "ssh:alice@example.org", "ssh:old@example.org"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// A folder of keys that real ssh-keygen made.
pub struct Keys {
    sandbox: Sandbox,
}

impl Keys {
    pub fn new() -> Self {
        Self { sandbox: Sandbox::new() }
    }

    fn folder(&self) -> Utf8PathBuf {
        self.sandbox.folder("keys")
    }

    /// Makes a key, and gives its public half as one line.
    pub fn make(&self, name: &str, kind: &[&str]) -> String {
        let file = self.folder().join(name);
        let mut made = program("ssh-keygen");
        run(made.args(["-q", "-N", "", "-C", "", "-f", file.as_str()]).args(kind)).ok();
        run(program("cat").arg(format!("{file}.pub"))).ok().stdout.trim().to_owned()
    }

    /// Signs a text as a person does, and puts the signature behind it.
    pub fn sign(&self, key: &str, namespace: &str, text: &str) -> String {
        let file = self.sandbox.file("keys/request.toml", text);
        run(program("rm").arg("-f").arg(format!("{file}.sig"))).ok();
        let key = self.folder().join(key);
        let mut signing = program("ssh-keygen");
        run(signing.args(["-q", "-Y", "sign", "-n", namespace, "-f", key.as_str(), file.as_str()])).ok();
        run(program("cat").arg(&file).arg(format!("{file}.sig"))).ok().stdout
    }
}

pub const NAMESPACE: &str = "sluice-request@v1";

fn keep(id: &str, expires: &str) -> String {
    format!(
        "format = 1\naction = \"keep\"\nas = \"n-{id}\"\nid = \"{id}\"\nexpires = \"{expires}\"\nsite = \"Signed\"\n\n[end]\n"
    )
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!((answer.outcome, answer.code.as_str()), (Outcome::Refused, code), "{answer:?}");
}

#[test]
fn whoever_signs_asks_whoever_owns_the_file() {
    let keys = Keys::new();
    let kinds: [(&str, &[&str]); 5] = [
        ("ed25519", &["-t", "ed25519"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ];
    let mut lines = String::new();
    for (number, (name, kind)) in kinds.iter().enumerate() {
        // One name may have several keys, and roles are those of the name.
        let who = if number == 4 { "nobody@example.org" } else { "alice@example.org" };
        lines.push_str(&format!("{who} namespaces=\"git,{NAMESPACE}\" {}\n", keys.make(name, kind)));
    }
    lines.push_str(&format!(
        "late@example.org valid-after=\"21000101Z\" {}\n",
        keys.make("late", &["-t", "ed25519"])
    ));
    let old = keys.make("old", &["-t", "ed25519"]);
    lines.push_str(&format!("old@example.org valid-after=\"20200101Z\",valid-before=\"20231101Z\" {old}\n"));
    keys.make("stranger", &["-t", "ed25519"]);
    let config = CONFIG.replace("SIGNERS", &lines);
    let mut site = People::with(&config, "");
    let soon = at(&site, 24 * 3600);

    // A user without any role, and the door, hand in what alice signed.
    for (number, (name, _)) in kinds[..4].iter().enumerate() {
        let owner = if number == 1 { 74007 } else { 74001 };
        let told = site.hand_in(owner, &keys.sign(name, NAMESPACE, &keep(name, &soon)));
        assert_eq!((told.outcome, told.owner.as_str()), (Outcome::Done, "ssh:alice@example.org"), "{told:?}");
    }
    let unsigned = site.hand_in(74001, &keep("x", &soon));
    refused(&unsigned, "unknown-owner");
    assert_eq!(unsigned.owner, "uid:74001");
    // A good signature of somebody without a role is no right, also where the owner has one.
    let nobody = site.hand_in(1000, &keys.sign("rsa", NAMESPACE, &keep("rsa", &soon)));
    refused(&nobody, "unknown-owner");
    assert_eq!(nobody.owner, "ssh:nobody@example.org");

    refused(&site.hand_in(1000, &keys.sign("stranger", NAMESPACE, &keep("a", &soon))), "unknown-ssh-key");
    for key in ["late", "old"] {
        refused(&site.hand_in(1000, &keys.sign(key, NAMESPACE, &keep("b", &soon))), "ssh-key-not-valid");
    }
    refused(&site.hand_in(1000, &keys.sign("ed25519", "file", &keep("c", &soon))), "bad-request-signature");
    let good = keys.sign("ed25519", NAMESPACE, &keep("d", &soon));
    let tampered = good.replacen("n-d", "n-e", 1);
    refused(&site.hand_in(1000, &tampered), "bad-request-signature");
    let rubbish =
        format!("{}-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", keep("f", &soon));
    refused(&site.hand_in(1000, &rubbish), "bad-request-signature");
    // Whoever signs says for nobody else.
    let other =
        keep("g", &soon).replace("action = \"keep\"\nas = \"n-g\"", "action = \"sweep\"\nas = \"ea-IT\"");
    refused(&site.hand_in(74007, &keys.sign("ed25519", NAMESPACE, &other)), "as-not-allowed");
}

#[test]
fn what_was_signed_once_is_done_once() {
    let keys = Keys::new();
    let key = keys.make("ed25519", &["-t", "ed25519"]);
    let config = CONFIG.replace("SIGNERS", &format!("alice@example.org {key}\n"));
    let mut site = People::with(&config, "");
    let soon = at(&site, 3600);
    let signed = keys.sign("ed25519", NAMESPACE, &keep("once", &soon));
    let first = site.hand_in(74001, &signed);
    assert_eq!(first.outcome, Outcome::Done);
    let drop = "format = 1\naction = \"keep\"\ndrop = \"n-once\"\n[end]\n";
    assert_eq!(site.hand_in(1000, drop).outcome, Outcome::Done);
    // Somebody who saw it hands it in again, before and after the daemon was started anew.
    for _ in 0..2 {
        let again = site.hand_in(74002, &signed);
        assert_eq!(
            (again.generation, &again.sentence),
            (first.generation, &first.sentence),
            "the first answer again"
        );
        site.restart();
    }
    let other = keys.sign("ed25519", NAMESPACE, &keep("once", &at(&site, 7200)));
    refused(&site.hand_in(74002, &other), "used-id");
    let late = keys.sign("ed25519", NAMESPACE, &keep("late", &soon));
    site.clock.advance(2 * 3600);
    refused(&site.hand_in(74002, &late), "expired");

    // What is signed for one site is worth nothing at another.
    let soon = at(&site, 3600);
    let named = |id: &str, name: &str| keep(id, &soon).replace("\"Signed\"", &format!("\"{name}\""));
    for (id, name, code) in [
        ("here-1", "Signed", "done"),
        ("here-2", "http://localhost", "done"),
        ("here-3", "http://localhost/", "done"),
        ("there-1", "https://repo.example.org", "other-site"),
        ("there-2", "signed", "other-site"),
        ("there-3", "http://localhost.example.org", "other-site"),
    ] {
        let answer = site.hand_in(74002, &keys.sign("ed25519", NAMESPACE, &named(id, name)));
        assert_eq!(answer.code, code, "{answer:?}");
    }
    // Nobody can take the word away from what was signed.
    let signed = keys.sign("ed25519", NAMESPACE, &named("there-4", "https://repo.example.org"));
    let changed = signed.replace("https://repo.example.org", "http://localhost");
    refused(&site.hand_in(74002, &changed), "bad-request-signature");
    refused(&site.hand_in(1000, &named("there-5", "https://repo.example.org")), "other-site");

    let without_id = keep("x", &soon).replace("id = \"x\"\n", "");
    refused(&site.hand_in(74002, &keys.sign("ed25519", NAMESPACE, &without_id)), "unbound-signature");
    let without_end = keep("x", &soon).replace(&format!("expires = \"{soon}\"\n"), "");
    refused(&site.hand_in(74002, &keys.sign("ed25519", NAMESPACE, &without_end)), "unbound-signature");
    let without_site = keep("x", &soon).replace("site = \"Signed\"\n", "");
    refused(&site.hand_in(74002, &keys.sign("ed25519", NAMESPACE, &without_site)), "unbound-signature");
    let far = keep("x", &at(&site, 33 * 24 * 3600));
    refused(&site.hand_in(74002, &keys.sign("ed25519", NAMESPACE, &far)), "unbound-signature");
}

/// An instant so many seconds ahead.
pub fn at(site: &People, seconds: i64) -> String {
    jiff::Timestamp::from_second(site.now() + seconds).unwrap().to_string()
}

#[test]
fn allowed_signers_that_nobody_can_mean_are_refused_with_their_line() {
    let keys = Keys::new();
    let (good, weak) = (keys.make("a", &["-t", "ed25519"]), keys.make("weak", &["-t", "rsa", "-b", "1024"]));
    let kind = good.split(' ').next().unwrap();
    for (line, words) in [
        (format!("alice@example.org,bob@example.org {good}"), "is not one name"),
        (format!("*@example.org {good}"), "is not one name"),
        (format!("alice cert-authority {good}"), "the option `cert-authority` is not known here"),
        (format!("alice namespaces=\"git\" {good}"), "its namespaces lack `sluice-request@v1`"),
        (format!("alice valid-after=\"20260101\" {good}"), "is not an instant"),
        (format!("alice valid-before=\"20261301Z\" {good}"), "is not an instant"),
        (format!("alice {weak}"), "the RSA key has 1024 bits"),
        ("alice".to_owned(), "it holds no key"),
        (format!("alice namespaces=\"{good}"), "it holds no key"),
        (format!("alice {kind} AAAA"), "its key cannot be read"),
        (format!("alice {good}\nbob {good}"), "the key is that of `alice` already"),
    ] {
        let text = CONFIG.replace("SIGNERS", &format!("{line}\n"));
        let errors = match daemon::config::Config::parse(text.as_bytes(), "f.toml") {
            Err(errors) => errors.to_string(),
            Ok(_) => panic!("`{line}` was taken"),
        };
        assert!(errors.contains(words) && errors.contains("of `allowed_signers`: "), "{errors}");
    }
}
