//! Two files of one name in different repositories, by the real daemon: who decides that, and what it lets through.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};

use repo::Recipe;
use serde_json::Value;
use testkit::{Checker, Sandbox, Site, is_root, run};

/// The user of the door where the tests run as root, which may not be it; otherwise the door is the one user there is.
const DOOR_UID: u32 = 64_007;

const STAGES: &str = r#"
[roles]
release-team = ["as:rita", "as:ron"]
operations = ["as:olga"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
variant_roles = ["release-team", "operations"]
"#;

const NAME: &str = "glite-UI-3.2.7-1.noarch";

/// Hands a request in through the door, for somebody.
fn ask(site: &Site, stem: &str, who: &str, keys: &str) -> Value {
    let name = format!("{stem}.toml");
    let draft = site.spool().join("tmp").join(&name);
    let text = format!("format = 1\n{keys}\nas = \"{who}\"\n[end]\n");
    fs::write(&draft, text).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
    if is_root() {
        chown(&draft, Some(DOOR_UID), None).unwrap();
    }
    fs::rename(&draft, site.spool().join("incoming").join(&name)).unwrap();
    site.answer(stem)
}

#[track_caller]
fn answered(answer: &Value, code: &str, exit: u64) {
    assert_eq!((answer["code"].as_str(), answer["exit"].as_u64()), (Some(code), Some(exit)), "{answer:#}");
}

fn import(stage: &str, upload: &str) -> String {
    format!("action = \"import\"\nproduct = \"glite\"\nto = \"{stage}\"\nfiles = [\"{upload}\"]")
}

fn variant(one: &str, other: &str) -> String {
    format!(
        "action = \"variant\"\nproduct = \"glite\"\npackage = \"{NAME}\"\ndigests = [\"{one}\", \"{other}\"]\n\
         reason = \"voms stays in delta\""
    )
}

#[test]
fn two_people_let_one_file_of_a_name_stand_beside_another_and_no_third() {
    let sandbox = Sandbox::new();
    let me = nix::unistd::geteuid().as_raw();
    let door = if is_root() { DOOR_UID } else { me };
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &format!("door = \"uid:{door}\"\n{STAGES}"));
    let mut daemon = site.start();
    let made = |text: &str, later: u32| {
        let recipe = Recipe::new("glite-UI", "3.2.7", "1").file("/usr/share/glite-UI", text);
        site.upload(&recipe.file_name(), &recipe.build_time(1_700_000_000 + later).build())
    };
    let [whole, partial, third, same_second] =
        [("voms 1.9.14", 0), ("voms 1.9.10", 60), ("voms 1.9.12", 120), ("voms 1.9.11", 0)]
            .map(|(text, later)| made(text, later));
    let digest = |upload: &str| upload[..64].to_owned();
    answered(&ask(&site, "whole", "rita", &import("delta", &whole)), "done", 0);

    let refused = ask(&site, "nobody", "rita", &import("production", &partial));
    answered(&refused, "variant-undecided", 3);
    let command = format!("sluice variant {NAME} {} {} --product glite", digest(&whole), digest(&partial));
    assert!(refused["hint"].as_str().unwrap().contains(&command), "{refused:#}");
    let said = variant(&digest(&whole), &digest(&partial));
    answered(&ask(&site, "rita", "rita", &said), "done", 0);
    answered(&ask(&site, "one", "rita", &import("production", &partial)), "variant-undecided", 3);
    answered(&ask(&site, "rita-again", "rita", &said), "nothing-to-do", 0);
    answered(&ask(&site, "ron", "ron", &said), "done", 0);
    answered(&ask(&site, "two", "rita", &import("production", &partial)), "variant-undecided", 3);
    // What was said survives the daemon.
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let _daemon = site.start();
    answered(&ask(&site, "olga", "olga", &said), "done", 0);

    answered(&ask(&site, "third", "rita", &import("production", &third)), "variant-undecided", 3);
    answered(&ask(&site, "beside", "rita", &import("delta", &partial)), "other-content", 3);
    for who in ["rita", "olga"] {
        let said = variant(&digest(&whole), &digest(&same_second));
        answered(&ask(&site, &format!("{who}-too"), who, &said), "done", 0);
    }
    let alike = ask(&site, "alike", "rita", &import("production", &same_second));
    answered(&alike, "variant-alike", 3);
    assert!(alike["reasons"][0].as_str().unwrap().contains("was built in the same second"), "{alike:#}");

    let done = ask(&site, "partial", "rita", &import("production", &partial));
    answered(&done, "done", 0);
    let seen = done["gates"].as_array().unwrap().iter().find(|seen| seen["gate"] == "variants").unwrap();
    let evidence = seen["evidence"].as_str().unwrap();
    assert_eq!(seen["verdict"], "waived", "{done:#}");
    for words in [
        &*digest(&whole),
        &*digest(&partial),
        "`as:olga` as `operations`",
        "as `release-team`",
        "voms stays in delta",
    ] {
        assert!(evidence.contains(words), "{words}: {evidence}");
    }
    let manifest = site.root().join(format!("generations/{}/manifest.json", done["generation"]));
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let account = &manifest["account"];
    assert!(account["requests"][0]["answer"]["gates"].to_string().contains("as:olga"), "{account:#}");
    assert_eq!(account["standing"]["variants"].as_object().unwrap().len(), 2, "{account:#}");
    let history = site.sluice(&["history"]).ok().stdout;
    assert!(history.contains(&format!("    waived variants: {evidence}")), "{history}");
    let status = site.sluice(&["status"]).ok().stdout;
    assert!(status.contains(&format!("  variant      `{NAME}` of `glite` as ")), "{status}");
    run(site.as_daemon().arg("verify")).ok();
    Checker::of(&site).assert_sound();

    // A stage lists one of them, whoever decided what; and what both stand on does not end.
    let promote = format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"{NAME}\"]"
    );
    answered(&ask(&site, "twin", "rita", &promote), "other-content", 3);
    let standing = account["standing"]["variants"].as_object().unwrap();
    let digests = [digest(&whole), digest(&partial)];
    let is_ours = |variant: &Value| digests.iter().all(|one| variant["digests"].to_string().contains(one));
    let (id, _) = standing.iter().find(|(_, variant)| is_ours(variant)).unwrap();
    let end = format!("action = \"end-variant\"\nvariant = \"{id}\"");
    answered(&ask(&site, "end", "olga", &end), "variant-in-use", 4);
    let withdraw =
        "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"production\"\npackages = [\"glite-UI\"]";
    answered(&ask(&site, "withdraw", "rita", withdraw), "done", 0);
    answered(&ask(&site, "end-now", "olga", &end), "done", 0);
    answered(&ask(&site, "back", "rita", &import("production", &partial)), "variant-undecided", 3);
    answered(&ask(&site, "follows", "rita", &promote), "done", 0);
    run(site.as_daemon().arg("verify")).ok();
    Checker::of(&site).assert_sound();
}
