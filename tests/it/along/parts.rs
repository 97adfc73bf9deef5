//! Partial release: what is said of packages goes with the part, while a node type that pins all of them is built anew.

use super::advisories::{A, ALL, B, C, C3, D3, listed, updateinfo};
use super::*;

/// What dnf finds of the node type.
fn node_types(host: &Host) -> Vec<String> {
    let said = host.dnf(&["repoquery", "-q", "--requires", "--qf", "%{evr}", "node"]).ok().stdout;
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn an_advisory_is_cut_to_the_part_and_whole_with_the_rest() {
    let groups = "<comps><group><id>grid</id><name>Grid</name><packagelist><packagereq type=\"mandatory\">aaa</packagereq>\
                  <packagereq type=\"mandatory\">bbb</packagereq></packagelist></group></comps>";
    let beside = [("updateinfo.xml", updateinfo()), ("comps.xml", groups.to_owned())];
    let beside = beside.each_ref().map(|(name, text)| (*name, text.as_str()));
    let town = Town::new(&ALL, &beside, "");
    let node = Recipe::new("node", "1", "1").requires("aaa = 1-1").requires("bbb = 1-1");
    let node = town.sandbox.file(&node.file_name(), node.build());
    town.sluice(&["import", node.as_str(), "--to", "delta"]).ok();
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &ALL));
    let group = |host: &Host| {
        let said = host.dnf(&["group", "info", "grid"]).stdout;
        ["aaa", "bbb"].map(|name| said.lines().any(|line| line.trim() == name))
    };
    assert_eq!(listed(&delta), own(&[A, B, C, C3, D3]));
    assert_eq!((group(&delta), group(&production)), ([true; 2], [false; 2]));

    let said = town.sluice(&["promote", "aaa", "--partial=target", "--id", "part"]).ok().stdout;
    let words = "advisory `GRID-1` is cut for `glite-3.2-el9-x86_64-production`, which does not list `bbb-1-1.x86_64`";
    assert!(said.contains(words), "{said}");
    assert_eq!((listed(&delta), listed(&production)), (own(&[B, C, C3, D3]), own(&[A])));
    assert_eq!(
        (node_types(&delta), node_types(&production)),
        (own(&["aaa = 1-1", "bbb = 1-1"]), own(&["aaa = 1-1"]))
    );
    assert_eq!((group(&delta), group(&production)), ([false, true], [true, false]));
    let user = town.host("user", "production", &[]);
    user.dnf(&["install", "-y", "node"]).ok();
    assert_eq!(user.installed(), ["aaa-1-1.x86_64", "node-1-1.1.noarch"].map(str::to_owned).into());

    town.sluice(&["undo", "part", "--yes", "--reason", "x"]).ok();
    assert_eq!((listed(&delta), listed(&production)), (own(&[A, B, C, C3, D3]), own(&[])));
    assert_eq!((group(&delta), group(&production)), ([true; 2], [false; 2]));

    town.sluice(&["promote", "aaa", "--partial=target"]).ok();
    let said = town.sluice(&["promote", "bbb", "node"]).ok().stdout;
    assert!(!said.contains("advisory"), "{said}");
    assert_eq!((listed(&delta), listed(&production)), (own(&[C, C3, D3]), own(&[A, B])));
    assert_eq!(node_types(&production), own(&["aaa = 1-1", "bbb = 1-1"]));
    assert_eq!((group(&delta), group(&production)), ([false; 2], [true; 2]));
    user.dnf(&["update", "-y"]).ok();
    assert!(user.installed().contains("bbb-1-1.x86_64"), "{:?}", user.installed());
    town.end();
}
