use crate::config::Config;
use expect_test::expect;

/// Shows the warnings of a site with that route and those stages.
fn warned(more: &str, roles: &str) -> String {
    let text = format!(
        "format = 1\n[site]\nname = \"T\"\nroot = \"/srv/sluice\"\nspool = \"/var/spool/sluice\"\n\
         base_url = \"http://localhost\"\n[roles]\n{roles}\n[[product]]\nname = \"emi\"\npreset = \"egi\"\n\
         platforms = [\"sl6/x86_64\"]\n{more}"
    );
    let config = Config::parse(text.as_bytes(), "f").unwrap_or_else(|errors| panic!("{errors}"));
    let told = config.warnings.iter().filter(|fault| fault.code == crate::config::Code::DirectImport);
    told.map(|fault| format!("{}:{}: {}", fault.line, fault.column, fault.reason))
        .collect::<Vec<_>>()
        .join("\n")
}

const SOAK: &str = "[[product.route]]\nfrom = \"testing\"\nto = \"production\"\nsoak = \"7 days\"\n";
const TEAM: &str = "release-team = [\"user:alice\"]";

#[test]
fn whoever_imports_into_a_stage_walks_round_what_its_routes_ask_for() {
    expect![
        "15:6: who has the role `release-team` may import into `production`, past the soak of this route"
    ]
    .assert_eq(&warned(SOAK, TEAM));
    let both = format!("{SOAK}approvals = [{{ role = \"release-team\", count = 2 }}]\n");
    expect!["15:6: who has the role `release-team` may import into `production`, past the soak and approvals of this route"].assert_eq(&warned(&both, TEAM));
}

#[test]
fn stages_to_which_every_route_is_open_are_none_of_that() {
    assert_eq!(warned("", TEAM), "");
    assert_eq!(
        warned("[[product.route]]\nfrom = \"testing\"\nto = \"production\"\noverlap = \"1h\"\n", TEAM),
        ""
    );
}

#[test]
fn nobody_walks_round_where_nobody_may_import() {
    let closed =
        |roles: &str| format!("{SOAK}[[product.stage]]\nname = \"production\"\nimport_roles = {roles}\n");
    assert_eq!(warned(&closed("[]"), TEAM), "");
    // A role nobody has, or has for another product only, lets nobody in.
    assert_eq!(warned(&closed("[\"chief\"]"), TEAM), "");
    assert_eq!(warned(SOAK, ""), "");
    let elsewhere = "[roles.product.emi]\nchief = [\"user:bob\"]";
    expect!["16:6: who has the role `chief` may import into `production`, past the soak of this route"]
        .assert_eq(&warned(&closed("[\"chief\", \"release-team\"]"), elsewhere));
}

#[test]
fn a_gate_outside_of_sluice_is_walked_round_as_well() {
    let gate = "[[product.route]]\nfrom = \"testing\"\nto = \"production\"\nexternal = [\"ci\"]\n\
                [[external]]\nname = \"ci\"\ncommand = [\"/usr/bin/ci\"]\n";
    expect!["15:6: who has the role `release-team` may import into `production`, past the external gates of this route"]
        .assert_eq(&warned(gate, TEAM));
}
