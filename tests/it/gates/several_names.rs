//! People with several names: a user of the host, a key that signs, a name at the door. Each counts once.

use std::fs;

use testkit::{Sandbox, Site, is_root, program, run};

use super::{HOUR, approve, done, dry, promote, refused};
use crate::door;
use crate::people::People;
use crate::signed_requests::{Keys, NAMESPACE, at};

const DOOR: u32 = 74_007;
const ASKS: u32 = 71_000;
const ALICE: u32 = 71_001;

const CONFIG: &str = r#"
format = 1
allowed_signers = """
SIGNERS"""
[site]
name = "Names"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
sweep_every = "30 days"
door = "uid:74007"
[roles]
release-team = ["uid:71000", "uid:71001"]
quality = ["uid:71001", "ssh:alice@example.org", "ssh:bob@example.org", "as:ea-IT-CNAF"]
[people]
mover = ["uid:71000"]
alice = ["uid:71001", "ssh:alice@example.org"]
bob = ["ssh:bob@example.org"]
italy = ["as:ea-IT-CNAF"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.route]]
from = "delta"
to = "production"
approvals = [{ role = "quality", count = 2 }]
"#;

/// A site where alice and bob have keys; bob's ends at some time.
fn site(keys: &Keys, bob_until: Option<i64>) -> People {
    let options = bob_until.map(|seconds| {
        let until = jiff::Timestamp::from_second(seconds).unwrap();
        format!("valid-before=\"{}\" ", until.strftime("%Y%m%d%H%M%SZ"))
    });
    let signers = format!(
        "alice@example.org {}\nbob@example.org {}{}\n",
        keys.make("alice", &["-t", "ed25519"]),
        options.unwrap_or_default(),
        keys.make("bob", &["-t", "ed25519"])
    );
    People::with(&CONFIG.replace("SIGNERS", &signers), "")
}

/// Approves by a key; whoever has no right at all hands it in.
fn signed(site: &mut People, keys: &Keys, who: &str, hash: &str) {
    let soon = at(site, 24 * HOUR);
    let text = format!(
        "format = 1\nsite = \"Names\"\n{}\nid = \"{who}-{}\"\nexpires = \"{soon}\"\n\n[end]\n",
        approve(hash),
        site.now()
    );
    let told = site.hand_in(74_001, &keys.sign(who, NAMESPACE, &text));
    done(&told);
    assert_eq!(told.owner, format!("ssh:{who}@example.org"));
}

fn through_the_door(site: &mut People, hash: &str) {
    let told = site.ask(DOOR, &format!("{}\nas = \"ea-IT-CNAF\"", approve(hash)));
    done(&told);
    assert_eq!(told.owner, "as:ea-IT-CNAF");
}

/// What the gate saw of a plan that was carried out.
fn evidence(site: &mut People, uid: u32) -> String {
    let moved = site.ask(uid, &promote("lcg"));
    done(&moved);
    moved.gates.into_iter().find(|seen| seen.gate == "approvals").unwrap().evidence
}

/// Who counted, sorted.
#[track_caller]
fn counted(evidence: &str) -> Vec<&str> {
    let names = evidence.strip_prefix("approved by ").unwrap().strip_suffix(" as `quality`").unwrap();
    let mut names: Vec<&str> = names.split(", ").collect();
    names.sort_unstable();
    names
}

const ONE_LACKS: &str = "people still have to approve of the plan: 1 of 2 with the role `quality`";

#[test]
fn who_approves_as_a_user_and_by_a_key_counts_once() {
    let keys = Keys::new();
    let mut site = site(&keys, None);
    let hash = site.ask(ASKS, &dry(&promote("lcg"))).plan_hash.unwrap();
    done(&site.ask(ALICE, &approve(&hash)));
    signed(&mut site, &keys, "alice", &hash);
    assert_eq!(site.account().standing.approvals.len(), 2, "both were said");
    for _ in 0..2 {
        let missing = site.ask(ASKS, &promote("lcg"));
        refused(&missing, "approvals-missing");
        assert_eq!(missing.sentence, ONE_LACKS);
        site.restart();
    }
    through_the_door(&mut site, &hash);
    let evidence = evidence(&mut site, ASKS);
    assert_eq!(counted(&evidence), ["as:ea-IT-CNAF", "uid:71001"], "what alice said first");
}

#[test]
fn who_asks_as_a_user_does_not_approve_by_a_key() {
    let keys = Keys::new();
    let mut site = site(&keys, None);
    let hash = site.ask(ALICE, &dry(&promote("lcg"))).plan_hash.unwrap();
    signed(&mut site, &keys, "alice", &hash);
    signed(&mut site, &keys, "bob", &hash);
    let missing = site.ask(ALICE, &promote("lcg"));
    refused(&missing, "approvals-missing");
    assert_eq!(missing.sentence, ONE_LACKS);
    assert!(missing.reasons.join("\n").contains("nobody approves of what they ask for"), "{missing:?}");
    // For somebody else the two of them are two.
    let planned = site.ask(ASKS, &dry(&promote("lcg")));
    let seen = planned.gates.iter().find(|seen| seen.gate == "approvals").unwrap();
    assert_eq!(seen.verdict, plan::Verdict::Pass, "{seen:?}");
    through_the_door(&mut site, &hash);
    let evidence = evidence(&mut site, ALICE);
    assert_eq!(counted(&evidence), ["as:ea-IT-CNAF", "ssh:bob@example.org"]);
}

#[test]
fn an_approval_by_a_key_that_ended_counts_no_longer() {
    let keys = Keys::new();
    let now = People::with(&CONFIG.replace("SIGNERS", ""), "").now();
    let mut site = site(&keys, Some(now + 2 * HOUR));
    let hash = site.ask(ASKS, &dry(&promote("lcg"))).plan_hash.unwrap();
    signed(&mut site, &keys, "bob", &hash);
    done(&site.ask(ALICE, &approve(&hash)));
    let verdict = |site: &mut People| {
        let planned = site.ask(ASKS, &dry(&promote("lcg")));
        planned.gates.iter().find(|seen| seen.gate == "approvals").unwrap().verdict
    };
    assert_eq!(verdict(&mut site), plan::Verdict::Pass, "while the key counts");
    site.clock.advance(3 * HOUR);
    assert_eq!(verdict(&mut site), plan::Verdict::Fail, "and not after");
    let missing = site.ask(ASKS, &promote("lcg"));
    refused(&missing, "approvals-missing");
    assert_eq!(missing.sentence, ONE_LACKS);
    // A clock that is set back gives the key nothing back.
    site.clock.jump(-3 * HOUR);
    refused(&site.ask(ASKS, &promote("lcg")), "approvals-missing");
    site.clock.jump(3 * HOUR);
    through_the_door(&mut site, &hash);
    let evidence = evidence(&mut site, ASKS);
    assert_eq!(counted(&evidence), ["as:ea-IT-CNAF", "uid:71001"]);
}

/// What the real daemon is told in the file; ME is alice.
fn rest(is_root: bool) -> String {
    let me = nix::unistd::geteuid();
    // The host may have a name for the number, and may have none.
    let user = nix::unistd::User::from_uid(me).unwrap();
    let name = user.map(|user| format!("\"user:{}\", ", user.name)).unwrap_or_default();
    let (door, italy) = match is_root {
        true => (format!("door = \"uid:{}\"\n", door::DOOR_UID), ", \"as:ea-IT-CNAF\""),
        false => (String::new(), ""),
    };
    format!(
        "{door}[roles]\nrelease-team = [\"ME\"]\nquality = [\"ME\", \"ssh:alice@example.org\", \"ssh:bob@example.org\", \
         \"ssh:carol@example.org\"{italy}]\n[people]\nalice = [{name}\"ME\", \"ssh:alice@example.org\"]\n\
         bob = [\"ssh:bob@example.org\"]\ncarol = [\"ssh:carol@example.org\"]\nitaly = [\"as:ea-IT-CNAF\"]\n\
         [[product]]\nname = \"glite\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n[[product.route]]\n\
         from = \"delta\"\nto = \"production\"\napprovals = [{{ role = \"quality\", count = 2 }}]\n"
    )
}

#[test]
fn the_real_daemon_counts_people_and_not_their_names() {
    let (keys, sandbox) = (Keys::new(), Sandbox::new());
    let site = Site::new(&sandbox, "http://127.0.0.1:1", &rest(is_root()));
    let lines: Vec<String> = ["alice", "bob", "carol"]
        .map(|who| format!("{who}@example.org {}\n", keys.make(who, &["-t", "ed25519"])))
        .into();
    let plain = fs::read_to_string(site.config()).unwrap();
    let with_signers = |lines: &str| {
        let text =
            plain.replacen("format = 1\n", &format!("format = 1\nallowed_signers = '''\n{lines}'''\n"), 1);
        fs::write(site.config(), text).unwrap();
    };
    with_signers(&lines.concat());
    run(site.as_daemon().arg("init")).ok();
    let mut daemon = site.start();
    let recipe = repo::Recipe::new("lcg", "1.0", "1");
    let file = sandbox.file(&recipe.file_name(), recipe.build());
    site.sluice(&["import", file.as_str(), "--to", "delta"]).ok();

    let ask = |stem: &str, keys: &str| {
        site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{keys}\n[end]\n"));
        site.answer(stem)
    };
    let sign = |who: &str, hash: &str| {
        let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
        let text = format!(
            "format = 1\nsite = \"Test\"\n{}\nid = \"{who}\"\nexpires = \"{expires}\"\n\n[end]\n",
            approve(hash)
        );
        site.drop_request(&format!("by-{who}.toml"), &keys.sign(who, NAMESPACE, &text));
        let answer = site.answer(&format!("by-{who}"));
        assert_eq!(answer["outcome"], "done", "{answer}");
        assert_eq!(answer["owner"], format!("ssh:{who}@example.org"));
    };
    let one_lacks = |stem: &str| {
        let answer = ask(stem, &promote("lcg"));
        assert_eq!(answer["code"], "approvals-missing", "{answer}");
        assert_eq!(answer["sentence"], ONE_LACKS);
    };
    let hash = ask("plan", &dry(&promote("lcg")))["plan_hash"].as_str().unwrap().to_owned();
    // Alice asks as a user, so neither of her names approves.
    assert_eq!(ask("by-user", &approve(&hash))["outcome"], "done");
    sign("alice", &hash);
    sign("bob", &hash);
    one_lacks("first");
    // Bob's key has ended by the time carol approves: she is the only one then.
    daemon.stop();
    let bob = lines[1].replace("bob@example.org ", "bob@example.org valid-before=\"20200101Z\" ");
    with_signers(&[&lines[0], &bob, &lines[2]].map(String::as_str).concat());
    daemon = site.start();
    sign("carol", &hash);
    one_lacks("second");
    let other = if is_root() {
        let words = door::bound(&site, &[]);
        let request = format!("format = 1\n{}\n[end]\n", approve(&hash));
        let told = door::told(program(&words[0]).args(&words[1..]), request.as_bytes()).ok();
        assert!(told.stdout.contains("`as:ea-IT-CNAF` approves"), "{told}");
        "as:ea-IT-CNAF"
    } else {
        println!("skipped: it takes root to come through the door as another user; bob has his key again");
        daemon.stop();
        with_signers(&lines.concat());
        daemon = site.start();
        "ssh:bob@example.org"
    };
    let moved = ask("moved", &promote("lcg"));
    assert_eq!(moved["outcome"], "done", "{moved}\n{}", daemon.log());
    let gates = moved["gates"].as_array().unwrap();
    let seen = gates.iter().find(|seen| seen["gate"] == "approvals").unwrap();
    let evidence = seen["evidence"].as_str().unwrap();
    assert_eq!(counted(evidence), [other, "ssh:carol@example.org"]);
}
