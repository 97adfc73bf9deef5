use crate::config::Config;
use expect_test::{Expect, expect};

const SITE: &str = r#"format = 1
[site]
name = "T"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
[roles]
release-team = ["user:alice"]
[[context]]
name = "sl6"
folder = "/srv/mirror/sl6/{arch}"
[[context]]
name = "epel"
folder = "/srv/mirror/epel/{arch}"
[[product]]
name = "emi"
preset = "egi"
platforms = ["sl6/x86_64"]
[[product.stage]]
name = "production"
"#;

fn read(more: &str) -> Config {
    Config::parse(format!("{SITE}{more}").as_bytes(), "f").unwrap_or_else(|errors| panic!("{errors}"))
}

fn check(more: &str, expected: Expect) {
    let errors = Config::parse(format!("{SITE}{more}").as_bytes(), "f").unwrap_err();
    expected.assert_eq(&errors.to_string());
}

#[test]
fn a_stage_is_judged_beside_contexts_and_other_stages_of_its_product() {
    let config = read(
        "closure = [\"sl6\", \"epel\", \"testing\"]\nmeta_packages = [\"emi-*\", \"ui\"]\ninstall_only = [\"kernel\"]\n",
    );
    let closure = config.layout.products["emi"].stage("production").and_then(|stage| stage.closure.clone());
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let expected = plan::Closure {
        beside: texts(&["sl6", "epel", "testing"]),
        meta_packages: texts(&["emi-*", "ui"]),
        install_only: texts(&["kernel"]),
    };
    assert_eq!(closure, Some(expected));
    assert_eq!(config.layout.products["emi"].stage("testing").and_then(|stage| stage.closure.clone()), None);
    assert_eq!(config.warnings, []);
}

#[test]
fn an_empty_list_judges_the_stage_alone_and_none_judges_nothing() {
    let closure = |more: &str| {
        let config = read(more);
        config.layout.products["emi"].stage("production").and_then(|stage| stage.closure.clone())
    };
    assert_eq!(closure("closure = []\n"), Some(plan::Closure::default()));
    assert_eq!(closure(""), None);
}

#[test]
fn a_context_that_nobody_names_is_warned_of() {
    let told: Vec<String> = read("closure = [\"sl6\"]\n")
        .warnings
        .iter()
        .map(|fault| {
            format!("{}:{}: {} ({}) {:?}", fault.line, fault.column, fault.reason, fault.code, fault.hint)
        })
        .collect();
    expect![[r#"13:8: no stage names the context `epel` in its `closure` (config/unused-context) Some("write for example `closure = [\"epel\"]` in the [[product.stage]] it belongs to")"#]].assert_eq(&told.join("\n"));
}

#[test]
fn names_that_lead_nowhere_or_to_two_places_are_refused() {
    check(
        "closure = [\"sl7\", \"tseting\", \"production\", \"epel\", \"epel\", \"nowhere-at-all\", \"both\"]\n\
         [[product.stage]]\nname = \"both\"\n[[context]]\nname = \"both\"\nfolder = \"/srv/both\"\n",
        expect![[r#"
            f:21:12: "sl7" is neither a [[context]] nor another stage of `emi` (config/no-such-context)
              hint: did you mean `sl6`?
            f:21:19: "tseting" is neither a [[context]] nor another stage of `emi` (config/no-such-context)
              hint: did you mean `testing`?
            f:21:30: `closure` of the stage `production` names the stage itself (config/no-such-context)
              hint: leave it out: a stage is always judged with what it lists
            f:21:52: `closure` names `epel` twice (config/twice)
            f:21:60: "nowhere-at-all" is neither a [[context]] nor another stage of `emi` (config/no-such-context)
              hint: contexts and other stages of this product: both, epel, sl6, testing, untested
            f:21:78: `both` is a [[context]] and a stage of `emi` (config/no-such-context)
              hint: give the context another name"#]],
    );
}

#[test]
fn what_belongs_to_the_gate_says_nothing_without_it() {
    check(
        "meta_packages = [\"emi-*\"]\ninstall_only = [\"kernel\"]\n",
        expect![[r#"
        f:21:17: `meta_packages` says nothing without `closure`: the stage is not judged (config/missing)
          hint: add `closure = [...]` with what hosts draw from beside this stage, or `closure = []`
        f:22:16: `install_only` says nothing without `closure`: the stage is not judged (config/missing)
          hint: add `closure = [...]` with what hosts draw from beside this stage, or `closure = []`"#]],
    );
}

#[test]
fn patterns_and_names_of_packages_are_looked_at() {
    check(
        "closure = []\nmeta_packages = [\"emi-[\", \"emi-{a\"]\ninstall_only = [\"kernel*\", \"\"]\n",
        expect![[r#"
            f:22:18: `emi-[` is not a pattern: unclosed character class; missing ']' (config/value)
              hint: write names of packages, or globs over names such as "glite-*"
            f:22:27: `emi-{a` is not a pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?) (config/value)
              hint: write names of packages, or globs over names such as "glite-*"
            f:23:17: "kernel*" is no name of a package (config/value)
              hint: write whole names, such as "kernel"
            f:23:28: "" is no name of a package (config/value)
              hint: write whole names, such as "kernel""#]],
    );
    check(
        "closure = \"sl6\"\n",
        expect![[r#"
        f:21:11: `closure` must be a list of texts, not a text (config/value)
          hint: put it between brackets, as in ["one", "two"]"#]],
    );
}
