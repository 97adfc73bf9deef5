//! What people type: making a meta-package, asking what a package touches, rolling back, releasing in part; and what hosts
//! see of it that draw from a view of their node type alone.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::Value;
use testkit::{Checker, Host, Nginx, Sandbox, Site, run};

use super::{CLIENTS, Client, bundle};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
partial_release = "raised"
views = ["delta"]
"#;

fn import(site: &Site, sandbox: &Sandbox, files: &[(String, Vec<u8>)]) {
    let folder = sandbox.folder("built");
    let mut arguments = vec!["import".to_owned(), "--to".to_owned(), "delta".to_owned()];
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        arguments.push(path.into_string());
    }
    site.sluice(&arguments).ok();
}

fn said(site: &Site, arguments: &[&str]) -> Value {
    let ran = site.sluice(&[arguments, &["--json"]].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

/// The repomd.xml of the view of a node type: its bytes, and which file it is.
fn view(site: &Site, node_type: &str) -> (Vec<u8>, u64) {
    let place = format!("public/current/glite/el9/x86_64/delta/node-types/{node_type}/repodata/repomd.xml");
    let path = site.root().join(place);
    (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino())
}

fn host(sandbox: &Sandbox, nginx: &Nginx, client: Client, node_type: &str) -> Host {
    let host = Host::new(sandbox, &format!("{node_type}-{client:?}"));
    let base = format!("{}/glite/el9/x86_64", nginx.base_url());
    host.repository("production", &format!("{base}/production"));
    host.repository("view", &format!("{base}/delta/node-types/{node_type}"));
    match client {
        Client::Dnf => host.dnf(&["install", node_type]),
        Client::Zypper => host.zypper(&["install", node_type]),
    };
    host
}

/// Runs a command that an answer tells, without what only a person needs.
fn follow(host: &Host, client: Client, run: &Value) {
    let command = |tool: &str| run[tool].as_str().unwrap().to_owned();
    match client {
        Client::Dnf => {
            let command = command("dnf");
            let words: Vec<&str> = command.split(' ').skip(1).collect();
            host.dnf(&words);
        }
        Client::Zypper => {
            let command = command("zypper");
            for one in command.split(" && ") {
                let words: Vec<&str> = one.split(' ').skip(1).collect();
                host.zypper(&words);
            }
        }
    }
}

fn has(host: &Host, nevra: &str) -> bool {
    host.installed().contains(nevra)
}

#[test]
fn a_person_makes_a_node_type_asks_what_hangs_on_a_package_and_rolls_it_back_for_some_hosts_alone() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    import(&site, &sandbox, &bundle(1));
    site.sluice(&["promote", "*", "--reason", "update 1"]).ok();
    import(&site, &sandbox, &bundle(2));

    // A new one pins what delta lists now.
    let built = sandbox.folder("own");
    let ran = site
        .sluice(&[
            "metapackage",
            "build",
            "glite-NEW",
            "2-1",
            "--stage",
            "delta",
            "--of",
            "voms",
            "--of",
            "lf*",
            "--output",
            built.as_str(),
        ])
        .ok();
    assert!(ran.stdout.contains("  lfc = 2-1\n  voms = 2-1\n"), "{ran}");
    let name = "glite-NEW-2-1.noarch.rpm";
    import(&site, &sandbox, &[(name.to_owned(), fs::read(built.join(name)).unwrap())]);
    let pinned =
        ["metapackage", "build", "glite-PIN", "2-1", "--pin", "voms = 2-1", "--output", built.as_str()];
    site.sluice(&pinned).ok();
    let name = "glite-PIN-2-1.noarch.rpm";
    import(&site, &sandbox, &[(name.to_owned(), fs::read(built.join(name)).unwrap())]);
    for client in CLIENTS {
        for (node_type, pins) in [("glite-NEW", &["lfc", "voms"][..]), ("glite-PIN", &["voms"])] {
            let host = host(&sandbox, &nginx, client, node_type);
            let expected = pins.iter().map(|pin| format!("{pin}-2-1.x86_64"));
            let expected = expected.chain([format!("{node_type}-2-1.noarch")]).collect();
            assert_eq!(host.installed(), expected, "{client:?}");
        }
    }
    let ran = site.sluice(&["metapackage", "build", "glite-NONE", "2-1"]);
    assert!(ran.code() == 2 && ran.stderr.contains("pins nothing"), "{ran}");

    let hosts: Vec<_> = CLIENTS
        .into_iter()
        .map(|client| {
            let [ui, fts] =
                ["glite-UI", "glite-FTS"].map(|node_type| host(&sandbox, &nginx, client, node_type));
            assert!(has(&ui, "voms-2-1.x86_64") && has(&fts, "glite-FTS-2-1.noarch"), "{client:?}");
            (client, ui, fts)
        })
        .collect();

    let found = said(&site, &["impact", "voms-2-1"]);
    let pinned: Vec<&str> = found["touched"][0]["node_types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["node_type"].as_str().unwrap())
        .collect();
    assert!(pinned.contains(&"glite-UI-2-1.noarch") && pinned.contains(&"glite-NEW-2-1.noarch"), "{found:#}");
    assert!(
        pinned.contains(&"glite-SITE-2-1.noarch") && !pinned.contains(&"glite-FTS-2-1.noarch"),
        "{found:#}"
    );
    let told = found["rollbacks"][0]["answer"]["node_types"].clone();
    assert_eq!(told.as_array().map(Vec::len), Some(pinned.len()), "{found:#}");
    let text = site.sluice(&["impact", "voms-2-1"]).ok().stdout;
    assert!(text.contains("glite-SITE-2-1.noarch pins glite-UI = 2-1, by way of glite-UI"), "{text}");
    assert!(
        text.contains("hosts with glite-UI of delta run: dnf --refresh distro-sync glite-UI voms"),
        "{text}"
    );

    let before = view(&site, "glite-FTS");
    let answer = said(&site, &["rollback", "voms", "--from", "delta", "--reason", "it loses jobs"]);
    assert_eq!(answer["code"], "done", "{answer:#}");
    assert_eq!(answer["node_types"], told, "a dry run tells what is done");
    assert_eq!(view(&site, "glite-FTS"), before, "what does not pin it is not touched");
    let of = |name: Option<&str>| {
        let runs = answer["hosts"].as_array().unwrap();
        runs.iter().find(|one| one.get("node_type").and_then(Value::as_str) == name).unwrap().clone()
    };
    for (client, ui, fts) in &hosts {
        let was = fts.installed();
        follow(ui, *client, &of(Some("glite-UI")));
        for nevra in ["glite-UI-2-1.1.noarch", "voms-1-1.x86_64", "wms-2-1.x86_64"] {
            assert!(has(ui, nevra), "{client:?} {nevra}: {:?}", ui.installed());
        }
        // Whatever the others run.
        follow(fts, *client, &of(None));
        assert_eq!(fts.installed(), was, "{client:?}");
    }

    // All that this node type pins is released then, so it goes whole.
    let answer = said(&site, &["promote", "gfal", "--partial", "--reason", "the rest is not ready"]);
    assert_eq!(answer["code"], "done", "{answer:#}");
    assert!(answer["reasons"].to_string().contains("`glite-WN-2-1.1.noarch` moves, too"), "{answer:#}");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    run(site.as_daemon().args(["verify", "--at-rest"])).ok();
    Checker::of(&site).at_rest().assert_sound();
}
