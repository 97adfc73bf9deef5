//! Environments: what is optional in one stays so, however their groups come together and part.

use super::*;

fn group(id: &str, package: &str) -> String {
    format!(
        "<group><id>{id}</id><name>The {id}</name><description/><default>true</default><uservisible>true</uservisible>\
         <packagelist><packagereq type=\"mandatory\">{package}</packagereq></packagelist></group>\n"
    )
}

fn comps() -> String {
    let groups: String = [("grid", "aaa"), ("base", "bbb"), ("web", "ccc"), ("more", "ddd")]
        .map(|(id, name)| group(id, name))
        .concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<comps>\n{groups}<environment><id>desk</id><name>A desk</name><description/>\
         <display_order>1</display_order>\n<grouplist>\n<groupid>grid</groupid>\n<groupid>base</groupid>\n</grouplist>\n<optionlist>\n\
         <groupid>web</groupid>\n<groupid default=\"true\">more</groupid>\n</optionlist>\n</environment>\n</comps>\n"
    )
}

/// What `dnf group info` says of the environment: its mandatory groups, then its optional ones; nothing if it knows none.
fn desk(host: &Host) -> Option<[Vec<String>; 2]> {
    let said = host.dnf(&["group", "info", "A desk"]);
    let lines: Vec<&str> = said.stdout.lines().map(str::trim).collect();
    lines.iter().position(|line| *line == "Environment Group: A desk")?;
    let after = |title: &str| {
        let from = lines.iter().position(|line| *line == title).map_or(lines.len(), |at| at + 1);
        let names = lines[from..].iter().take_while(|line| !line.ends_with(':') && !line.is_empty());
        names.map(|line| (*line).to_owned()).collect()
    };
    Some([after("Mandatory Groups:"), after("Optional Groups:")])
}

#[test]
fn what_is_optional_in_an_environment_stays_so_whatever_comes_first() {
    let town = Town::new(&["aaa", "bbb", "ccc", "ddd"], &[("comps.xml", &comps())], "");
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &[]));
    let check = |of_delta: Option<[&[&str]; 2]>, of_production: Option<[&[&str]; 2]>| {
        let said = |lists: Option<[&[&str]; 2]>| lists.map(|lists| lists.map(own));
        assert_eq!((desk(&delta), desk(&production)), (said(of_delta), said(of_production)));
    };
    let [grid, base, web, more] = ["The grid", "The base", "The web", "The more"];
    check(Some([&[base, grid], &[more, web]]), None);

    // The optional ones go ahead, so that those of `delta` that follow have none any more.
    town.sluice(&["promote", "ccc", "ddd"]).ok();
    check(Some([&[base, grid], &[]]), Some([&[], &[more, web]]));
    town.sluice(&["promote", "aaa"]).ok();
    check(Some([&[base], &[]]), Some([&[grid], &[more, web]]));
    town.sluice(&["promote", "bbb"]).ok();
    check(None, Some([&[base, grid], &[more, web]]));
    let published = || String::from_utf8(unpacked(&town.published("production"), "group").unwrap()).unwrap();
    assert!(published().contains("<groupid default=\"true\">more</groupid>"), "{}", published());

    town.sluice(&["withdraw", "ddd", "--from", "production", "--reason", "x"]).ok();
    check(None, Some([&[base, grid], &[web]]));
    town.sluice(&["withdraw", "ccc", "aaa", "--from", "production", "--reason", "x"]).ok();
    check(None, Some([&[base], &[]]));
    let generation = generation_of(&town, 2);
    town.sluice(&["revert", &generation, "--stage", "production", "--reason", "x"]).ok();
    check(None, Some([&[base, grid], &[more, web]]));
    assert!(published().contains("<groupid default=\"true\">more</groupid>"), "{}", published());
    town.end();
}
