//! `sluice audit --rejudge`: what was settled is judged again from records alone, and who forged them is found out.

pub mod forgery;

use std::fs;

use camino::Utf8Path;
use serde_json::{Value, json};
use testkit::{Ran, Sandbox, Site, program, run, sluice};

use crate::signed_requests::{Keys, NAMESPACE};
use forgery::Forgery;

const STAGES: &str = r#"
[roles]
admin = ["ME"]
[roles.product.red]
release-team = ["ME", "ssh:alice@example.org"]
[roles.product.blue]
release-team = ["uid:4242"]
operations = ["uid:4242"]
[[product]]
name = "red"
preset = "glite"
platforms = ["el9/x86_64"]
[[product]]
name = "blue"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn import(site: &Site, product: &str, stem: &str, version: &str) -> Value {
    let recipe = repo::Recipe::new("voms", version, "1").arch("noarch");
    let upload = site.upload(&recipe.file_name(), &recipe.build());
    ask(
        site,
        stem,
        &format!("action = \"import\"\nproduct = \"{product}\"\nto = \"delta\"\nfiles = [\"{upload}\"]"),
    )
}

fn ask(site: &Site, stem: &str, keys: &str) -> Value {
    site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{keys}\n[end]\n"));
    site.answer(stem)
}

#[track_caller]
fn is(answer: &Value, code: &str) {
    assert_eq!(answer["code"], code, "{answer:#}");
}

fn moving(product: &str) -> String {
    format!(
        "action = \"promote\"\nproduct = \"{product}\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"voms\"]"
    )
}

/// Runs the program on a copy of a site: another root, no daemon, no control directory.
fn rejudge(site: &Site, root: &Utf8Path, more: &[&str]) -> Ran {
    let text = fs::read_to_string(site.config()).unwrap();
    let text = text.replace(site.root().as_str(), root.as_str());
    let file = root.with_file_name("copy.toml");
    fs::write(&file, text).unwrap();
    run(program(sluice().as_str()).args(["-c", file.as_str(), "audit"]).args(more))
}

#[test]
fn a_forged_record_is_named_though_every_chain_of_digests_fits() {
    let sandbox = Sandbox::new();
    let keys = Keys::new();
    let signer =
        format!("allowed_signers = \"alice@example.org {}\"\n", keys.make("alice", &["-t", "ed25519"]));
    let site = Site::new(&sandbox, "http://127.0.0.1:1", STAGES);
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), text.replacen("format = 1\n", &format!("format = 1\n{signer}"), 1)).unwrap();
    run(site.as_daemon().arg("init")).ok();
    let mut daemon = site.start();
    is(&import(&site, "red", "in", "1"), "done");
    is(&ask(&site, "up", &moving("red")), "done");
    is(&import(&site, "blue", "no", "1"), "role-not-allowed");
    is(&ask(&site, "none", &moving("red")), "already-there");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let mut daemon = site.start();
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let keep = format!(
        "format = 1\nsite = \"Test\"\naction = \"keep\"\nas = \"update-1\"\nid = \"k1\"\nexpires = \"{expires}\"\n\n[end]\n"
    );
    site.drop_request("signed.toml", &keys.sign("alice", NAMESPACE, &keep));
    let signed = site.answer("signed");
    is(&signed, "done");
    is(
        &ask(&site, "dry", &format!("{}\ndry_run = true", moving("red").replace("delta", "nowhere"))),
        "unknown-stage",
    );
    is(&import(&site, "red", "in2", "2"), "done");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());

    // As it was.
    let copy = |name: &str| {
        let copy = sandbox.folder(name).join("root");
        run(program("cp").arg("-a").arg(site.root()).arg(&copy)).ok();
        copy
    };
    let sound = copy("sound");
    let before = run(program("find").arg(&sound).args(["-printf", "%p %T@ %C@ %m\n"])).ok().stdout;
    let told = rejudge(&site, &sound, &["--rejudge"]);
    assert_eq!(told.code(), 0, "{}{}", told.stdout, told.stderr);
    assert!(
        told.stdout.contains("ok ") && told.stdout.contains(" judged again, all as recorded"),
        "{}",
        told.stdout
    );
    let after = run(program("find").arg(&sound).args(["-printf", "%p %T@ %C@ %m\n"])).ok().stdout;
    assert_eq!(before, after, "nothing is written");
    let json = |ran: &Ran| serde_json::from_str::<Value>(&ran.stdout).unwrap();
    let all = json(&rejudge(&site, &sound, &["--rejudge", "--json"]))["judgement"].clone();
    assert_eq!((&all["judged"], &all["same"]), (&json!(7), &json!(7)), "{all:#}");
    let some =
        json(&rejudge(&site, &sound, &["--rejudge", "--action", "import", "--json"]))["judgement"].clone();
    assert_eq!(some["judged"], json!(3), "{some:#}");

    let claim = |stem: &str| site.answer(stem)["claim"].as_str().unwrap().to_owned();
    // What is forged, whom it must name, and a word of what is judged.
    let forge_owner = |settled: &mut Value| {
        settled["answer"]["owner"] = json!("uid:4242");
    };
    let forge_owner_wholly = |settled: &mut Value| {
        settled["answer"]["owner"] = json!("uid:4242");
        settled["grounds"]["file_of"] = json!("uid:4242");
        settled["grounds"]["uid"] = json!(4242);
    };
    let forge_text = |settled: &mut Value| {
        let text = settled["grounds"]["request"].as_str().unwrap().replace("update-1", "update-2");
        settled["answer"]["request_digest"] = json!(repo::sha256(text.as_bytes()).hex());
        settled["grounds"]["request"] = json!(text);
    };
    let forge_digest = |settled: &mut Value| {
        settled["answer"]["request_digest"] = json!("5e".repeat(32));
    };
    let forge_roles = |settled: &mut Value| {
        settled["roles"] = json!(["operations"]);
    };
    type Forge<'a> = (&'a str, &'a str, &'a dyn Fn(&mut Value), &'a str);
    let forged: [Forge<'_>; 5] = [
        ("owner", "up", &forge_owner, "asked"),
        ("owner-wholly", "up", &forge_owner_wholly, "role"),
        ("text", "signed", &forge_text, "bad-request-signature"),
        ("digest", "up", &forge_digest, "another digest"),
        ("roles", "up", &forge_roles, "no role `operations`"),
    ];
    for (name, stem, forge, words) in forged {
        let root = copy(name);
        let claim = claim(stem);
        Forgery::of(&root).settled(&claim, forge).put_back();
        found_out(&site, &root, Some(&claim), words);
    }
    // What was refused is said to have been nothing to do, and an approval stands that nobody gave.
    let root = copy("refusal");
    let refused = claim("no");
    Forgery::of(&root)
        .answered(&refused, &|answer| {
            answer["outcome"] = json!("nothing-to-do");
            answer["code"] = json!("nothing-to-do");
        })
        .put_back();
    found_out(&site, &root, Some(&refused), "role-not-allowed");
    let root = copy("standing");
    let number = signed["generation"].as_u64().unwrap();
    Forgery::of(&root)
        .generation(number, &|account| {
            account["standing"] = json!({ "approvals": [{
                "plan": "5e".repeat(32), "product": "red", "from": "delta", "to": "production",
                "by": "uid:4242", "roles": ["operations"], "at": "2026-01-01T00:00:00Z",
            }] });
        })
        .put_back();
    found_out(&site, &root, None, "no request of the generation did that");
}

/// The chains fit, and judging again names one thing.
#[track_caller]
fn found_out(site: &Site, root: &Utf8Path, claim: Option<&str>, words: &str) {
    let verified = rejudge(site, root, &["--verify"]);
    assert_eq!(verified.code(), 0, "the forgery shows without judging: {}", verified.stdout);
    let told = rejudge(site, root, &["--rejudge", "--json"]);
    assert_eq!(told.code(), 6, "{}{}", told.stdout, told.stderr);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let differing = told["judgement"]["differing"].as_array().unwrap();
    let judged = differing[0]["judged"].as_str().unwrap();
    assert_eq!(differing.len(), 1, "{told:#}");
    assert_eq!(differing[0]["claim"].as_str(), claim, "{told:#}");
    assert!(judged.contains(words), "{told:#}");
}
