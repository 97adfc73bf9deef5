//! Groups, categories and environments: with what they list, merged by id.

use super::*;

fn group(id: &str, packages: &[&str]) -> String {
    let line = |name: &&str| format!("\n      <packagereq type=\"mandatory\">{name}</packagereq>");
    let lines: String = packages.iter().map(line).collect();
    format!(
        "\n  <group>\n    <id>{id}</id>\n    <name>The {id}</name>\n    <name xml:lang=\"de\">Das {id}</name>\n    \
         <description>what {id} is for</description>\n    <default>true</default>\n    <uservisible>true</uservisible>\n    \
         <packagelist>{lines}\n    </packagelist>\n  </group>"
    )
}

fn comps() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n\
         <comps>{}{}\n  <category>\n    <id>all</id>\n    <name>Everything</name>\n    <description/>\n    <display_order>1</display_order>\n    \
         <grouplist>\n      <groupid>grid</groupid>\n      <groupid>web</groupid>\n    </grouplist>\n  </category>\n  \
         <environment>\n    <id>desk</id>\n    <name>A desk</name>\n    <description>for people</description>\n    \
         <display_order>1</display_order>\n    <grouplist>\n      <groupid>grid</groupid>\n    </grouplist>\n    <optionlist>\n      \
         <groupid>web</groupid>\n    </optionlist>\n  </environment>\n</comps>\n",
        group("grid", &["aaa", "bbb", "elsewhere"]),
        group("web", &["ccc"]),
    )
}

/// What `dnf group list` says, and what each group that it names has.
fn grouped(host: &Host) -> Vec<String> {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let listed = host.dnf(&["group", "list"]);
    if listed.stderr.contains("No group data available") {
        return Vec::new();
    }
    let mut said = lines(&listed.ok().stdout);
    said.retain(|line| !line.is_empty());
    for name in ["The grid", "The web"] {
        if said.iter().any(|line| line == name) {
            let packages = lines(&host.dnf(&["group", "info", name]).ok().stdout);
            let packages = packages.iter().filter(|line| !line.is_empty() && !line.contains(':'));
            said.push(format!("{name}: {}", packages.cloned().collect::<Vec<_>>().join(" ")));
        }
    }
    said
}

#[test]
fn groups_go_with_what_they_list_and_dnf_says_so_in_each_stage() {
    let town = Town::new(&["aaa", "bbb", "ccc"], &[("comps.xml", &comps())], "");
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &[]));
    let check = |in_delta: &[&str], in_production: &[&str]| {
        assert_eq!((grouped(&delta), grouped(&production)), (own(in_delta), own(in_production)));
    };
    let (environments, groups) = ("Available Environment Groups:", "Available Groups:");
    let (grid, web) = ("The grid", "The web");
    check(&[environments, "A desk", groups, grid, web, "The grid: aaa bbb elsewhere", "The web: ccc"], &[]);

    let said = town.sluice(&["promote", "aaa"]).ok().stdout;
    let words = "group `grid` is cut for `glite-3.2-el9-x86_64-production`, which does not list `bbb`";
    assert!(said.contains(words), "{said}");
    let in_production = &[environments, "A desk", groups, grid, "The grid: aaa"];
    check(
        &[environments, "A desk", groups, grid, web, "The grid: bbb elsewhere", "The web: ccc"],
        in_production,
    );
    let published = unpacked(&town.published("production"), "group").unwrap();
    let published = String::from_utf8(published).unwrap();
    assert!(published.contains("<name xml:lang=\"de\">Das grid</name>"), "{published}");
    assert!(!published.contains("<groupid>web"), "{published}");

    town.sluice(&["promote", "bbb", "ccc"]).ok();
    let whole = &[environments, "A desk", groups, grid, web, "The grid: aaa bbb", "The web: ccc"];
    check(&[environments, "A desk", groups, grid, "The grid: elsewhere"], whole);

    let said = town.sluice(&["withdraw", "ccc", "--from", "production", "--reason", "x"]).ok().stdout;
    assert!(said.contains("group `web` leaves `glite-3.2-el9-x86_64-production`"), "{said}");
    let without = &[environments, "A desk", groups, grid, "The grid: aaa bbb"];
    check(&[environments, "A desk", groups, grid, "The grid: elsewhere"], without);
    let generation = generation_of(&town, 1);
    town.sluice(&["revert", &generation, "--stage", "production", "--reason", "x"]).ok();
    check(&[environments, "A desk", groups, grid, "The grid: elsewhere"], whole);
    town.end();
}
