//! What people drop into the control directory, on the real program; what is bad stands in `bad_input`.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use testkit::{Sandbox, Site, Watch};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn promotion(package: &str, more: &str) -> String {
    format!(
        "format = 1\naction = \"promote\"\nproduct = \"glite-3.2\"\nfrom = \"delta\"\nto = \"production\"\n\
         packages = [\"{package}\"]\n{more}[end]\n"
    )
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or("no code")
}

#[test]
fn one_id_stands_for_one_content() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    site.drop_request("one.toml", &promotion("voms", "id = \"update-57\"\n"));
    let first = site.answer("one");
    assert_eq!(code(&first), "no-such-package");
    site.drop_request("same.toml", &promotion("voms", "id = \"update-57\"\n"));
    let same = site.answer("same");
    for key in ["code", "sentence", "id", "request_digest"] {
        assert_eq!(same[key], first[key], "the same request gets the first answer again: {same:#}");
    }
    site.drop_request("other.toml", &promotion("voms-other", "id = \"update-57\"\n"));
    assert_eq!(code(&site.answer("other")), "used-id");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
}

#[test]
fn what_is_no_request_is_left_alone() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let incoming = site.spool().join("incoming");
    let strangers = ["notes.txt", ".hidden.toml.swp", "README"];
    for stranger in strangers {
        fs::write(incoming.join(stranger), "not a request").unwrap();
    }
    let mut daemon = site.start();
    // A request behind them shows that the daemon has passed them.
    site.drop_request("after.toml", &promotion("voms", ""));
    assert_eq!(code(&site.answer("after")), "no-such-package");
    for stranger in strangers {
        assert_eq!(fs::read_to_string(incoming.join(stranger)).unwrap(), "not a request", "{stranger}");
    }
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let status = site.sluice(&["--json", "status"]).ok().stdout;
    assert!(status.contains("notes.txt"), "status does not show what is left alone: {status}");
}

#[test]
fn a_request_is_taken_up_without_waiting_for_the_scan() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let watch = Watch::on(&[&site.spool().join("failed")]);
    site.drop_request("quick.toml", &promotion("voms", ""));
    // The scan comes every 30 s, and the daemon has just made one.
    let quick = watch.until(Duration::from_secs(20), || site.answers("quick").pop());
    assert!(quick.is_some(), "{}", daemon.log());
}
