//! Configurations that cannot be: told by `config check`, and neither `init` nor a reload takes them.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::{Sandbox, Watch};

use super::{STAGES, Trial, configure, promotion};

const PATIENCE: Duration = Duration::from_secs(120);

/// What is written behind the good configuration or in its place, the code, and pieces of reason and hint.
const ROWS: [(&str, &str, &str, &str); 9] = [
    (
        "[[product.route]]\nfrom = \"dleta\"\nto = \"production\"\n",
        "config/unknown-stage",
        "\"dleta\"",
        "`delta`",
    ),
    (
        "[[product.route]]\nfrom = \"production\"\nto = \"delta\"\n",
        "config/route-loop",
        "closes a loop",
        "lead forwards",
    ),
    (
        "[[product.stage]]\nname = \"delta\"\npath = \"here/{os}/{arch}\"\n[[product.stage]]\nname = \"production\"\npath = \"here/{os}/{arch}\"\n",
        "config/same-path",
        "share the path `here/el9/x86_64`",
        "{stage}",
    ),
    (
        "[[product.stage]]\nname = \"delta\"\npath = \"{os}/{arch}\"\n[[product.stage]]\nname = \"production\"\npath = \"{os}/{arch}/more\"\n",
        "config/nested-path",
        "lies inside",
        "no repository may lie in another",
    ),
    (
        "[[product.stage]]\nname = \"delta\"\npath = \"x/repodata\"\n",
        "config/reserved-path",
        "reserved name",
        "another meaning",
    ),
    ("prioritty = 1\n", "config/unknown-key", "`prioritty`", "allowed keys"),
    ("[[product]]\nname = \"more\"\n", "config/missing", "no `platforms`", "write for example"),
    (
        "[roles.product.\"glite-3.2\"]\nboard = [\"user:no.such.user.here\"]\n",
        "config/unknown-account",
        "knows no user",
        "getent",
    ),
    ("[[product]\n", "config/syntax", "", ""),
];

#[test]
fn every_bad_configuration_has_a_code_a_message_and_a_hint_and_is_not_taken() {
    let sandbox = Sandbox::new();
    let trial = Trial::begin(&sandbox, STAGES);
    let good = std::fs::read_to_string(trial.site.config()).unwrap();
    for (more, code, reason, hint) in ROWS {
        configure(&trial.site, |_| format!("{good}{more}"));
        let check = trial.site.sluice(&["--json", "config", "check"]);
        assert_eq!(check.code(), 2, "{check}");
        let said: Value = serde_json::from_str(&check.stdout).unwrap();
        let faults = said["errors"].as_array().unwrap();
        let fault = faults.iter().find(|fault| fault["code"] == code);
        let fault = fault.unwrap_or_else(|| panic!("no `{code}` in {said:#}"));
        assert!(fault["reason"].as_str().unwrap().contains(reason), "{fault:#}");
        assert!(fault["hint"].as_str().unwrap_or_default().contains(hint), "{fault:#}");
        assert!(fault["line"].as_u64() > Some(1), "{fault:#}");
        let init = trial.site.sluice(&["init", "--dry-run"]);
        assert!(init.code() == 2 && init.stderr.contains(&format!("({code})")), "{init}");
        // A running daemon keeps the configuration in force.
        let said = || trial.daemon.log().matches("the configuration in force stays").count();
        let before = said();
        let watch = Watch::on(&[trial.site.config().parent().unwrap()]);
        trial.daemon.signal(Signal::SIGHUP);
        let heard = watch.until(PATIENCE, || (said() > before).then_some(()));
        assert!(heard.is_some(), "{}", trial.daemon.log());
    }
    configure(&trial.site, |_| good.clone());
    trial.site.drop_request("after.toml", &promotion(""));
    assert_eq!(trial.site.answer("after")["code"], "no-such-package");
    trial.judge(&[]);
    trial.end();
}
