//! A target that takes nothing: its groups are configured, or what it has cannot be read. The answer says what stays behind.

use super::*;

#[test]
fn what_a_target_does_not_take_is_told() {
    let group = |id: &str, package: &str| {
        format!(
            "<group><id>{id}</id><name>The {id}</name><description/><default>true</default><uservisible>true</uservisible>\
             <packagelist><packagereq type=\"mandatory\">{package}</packagereq></packagelist></group>"
        )
    };
    let comps = format!("<comps>{}{}</comps>", group("grid", "aaa"), group("web", "bbb"));
    let sandbox = Sandbox::new();
    let own = sandbox.file("own.xml", format!("<comps>{}</comps>", group("own", "aaa")));
    let folder = repository(&sandbox, &["aaa", "bbb"], &[("comps.xml", &comps)]);
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let (source, target) = STAGES.split_once("[[product.stage]]\nname = \"production\"").unwrap();
    let target = target.replace("MORE", &format!("comps = \"{own}\""));
    let stages = format!("{}[[product.stage]]\nname = \"production\"{target}", source.replace("MORE", ""));
    let site = Site::initialised(&sandbox, nginx.base_url(), &stages);
    let daemon = site.start();
    site.sluice(&["adopt", folder.as_str(), "--stage", "delta"]).ok();
    let town = Town { site, nginx, daemon, sandbox };
    let said = town.sluice(&["promote", "aaa"]).ok().stdout;
    let words = format!(
        "these groups do not go along to `glite-3.2-el9-x86_64-production`, for the configuration names its own, `{own}`: `grid`"
    );
    assert!(said.contains(&words), "{said}");
    let host = town.host("host-production", "production", &[]);
    let listed = host.dnf(&["group", "list"]).ok().stdout;
    assert!(listed.contains("The own") && !listed.contains("The grid"), "{listed}");

    // A second repository that brings groups says so when it is adopted.
    let elsewhere = Sandbox::new();
    let folder = repository(&elsewhere, &["ccc"], &[("comps.xml", &comps)]);
    let said = town.sluice(&["adopt", folder.as_str(), "--stage", "production"]).ok().stdout;
    assert!(said.contains("the adopted groups are not published"), "{said}");
    town.end();
}

#[test]
fn what_does_not_go_along_to_what_nobody_can_read_is_told() {
    let advisory = |id: &str, package: &str| {
        format!(
            "<update from=\"x\" status=\"final\" type=\"bugfix\" version=\"1\"><id>{id}</id><title>t</title><issued date=\"2026-01-01 00:00:00\"/>\
             <description>d</description><pkglist><collection short=\"c\"><name>c</name><package name=\"{package}\" version=\"1\" release=\"1\" \
             epoch=\"0\" arch=\"x86_64\"><filename>{package}-1-1.x86_64.rpm</filename></package></collection></pkglist></update>"
        )
    };
    let good = format!("<updates>{}</updates>", advisory("GRID-1", "aaa"));
    let town = Town::new(&["aaa"], &[("updateinfo.xml", &good)], "");
    // An advisory without an id is none.
    let bad = "<updates><update><title>t</title></update></updates>";
    let elsewhere = Sandbox::new();
    let folder = repository(&elsewhere, &["bbb"], &[("updateinfo.xml", bad)]);
    town.sluice(&["adopt", folder.as_str(), "--stage", "production"]).ok();
    let before = unpacked(&town.published("production"), "updateinfo").unwrap();
    assert_eq!(String::from_utf8_lossy(&before), bad);
    let said = town.sluice(&["promote", "aaa"]).ok().stdout;
    let words =
        "these advisories do not go along to `glite-3.2-el9-x86_64-production`, for its own are not read";
    let line = said.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("`GRID-1`") && line.contains("an advisory has no `id`"), "{line}");
    assert_eq!(unpacked(&town.published("production"), "updateinfo").unwrap(), before, "byte for byte");
    town.end();
}
