//! Advisories that wait in front of a stage, through whatever becomes of what they wait for, as dnf sees both stages.

use super::advisories::{A, ALL, B, C, C3, D3, listed, updateinfo};
use super::*;

const ROUTE: &str = "[[product.route]]\nfrom = \"delta\"\nto = \"production\"\noverlap = \"48h\"\n";

fn town(route: &str) -> (Town, [Host; 2]) {
    let town = Town::routed(&ALL, &[("updateinfo.xml", &updateinfo())], "advisories = \"hold\"", route);
    let hosts = ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &ALL));
    (town, hosts)
}

fn check([delta, production]: &[Host; 2], in_delta: &[&str], in_production: &[&str]) {
    assert_eq!((listed(delta), listed(production)), (own(in_delta), own(in_production)));
}

/// What `sluice status` says that waits.
fn waiting(town: &Town) -> Vec<String> {
    let said = town.sluice(&["status"]).ok().stdout;
    let held = said.lines().filter_map(|line| line.trim().strip_prefix("waits "));
    held.map(|words| words.trim().to_owned()).collect()
}

fn waits_for(id: &str, name: &str) -> String {
    format!(
        "advisory `{id}` in front of `glite-3.2-el9-x86_64-production`, until that lists `{name}-1-1.x86_64`"
    )
}

#[test]
fn what_waits_comes_whole_when_an_overlap_is_over_and_the_rest_follows() {
    let (town, hosts) = town(ROUTE);
    town.sluice(&["promote", "aaa"]).ok();
    check(&hosts, &[A, B, C, C3, D3], &[]);
    assert_eq!(waiting(&town), [waits_for("GRID-1", "bbb")]);
    // Out of the stage it left, as at the end of the overlap.
    town.sluice(&["withdraw", "aaa", "--from", "delta", "--reason", "x"]).ok();
    check(&hosts, &[B, C, C3, D3], &[]);
    assert_eq!(waiting(&town), [waits_for("GRID-1", "bbb")]);
    town.sluice(&["promote", "bbb"]).ok();
    check(&hosts, &[B, C, C3, D3], &[A, B]);
    assert_eq!(waiting(&town), Vec::<String>::new());
    let updates = unpacked(&town.published("production"), "updateinfo").unwrap();
    let before = repo::Updateinfo::parse(updateinfo().as_bytes()).unwrap();
    let [only] = &repo::Updateinfo::parse(&updates).unwrap().advisories[..] else { panic!("there is one") };
    assert!(only.packages().eq(before.advisories[0].packages()), "{only:?}");
    town.end();
}

#[test]
fn what_is_withdrawn_or_rolled_back_is_waited_for_no_more_and_undoing_brings_its_lines_back() {
    let (town, hosts) = town("");
    town.sluice(&["promote", "aaa", "ccc"]).ok();
    check(&hosts, &[B, D3], &[C]);
    assert_eq!(waiting(&town), [waits_for("GRID-1", "bbb"), waits_for("GRID-3", "ddd")]);
    let said =
        town.sluice(&["withdraw", "bbb", "--from", "delta", "--reason", "x", "--id", "out"]).ok().stdout;
    let words = "advisory `GRID-1` is cut for `glite-3.2-el9-x86_64-production`, which will not list `bbb-1-1.x86_64`";
    assert!(said.contains(words), "{said}");
    check(&hosts, &[D3], &[A, C]);
    town.sluice(&["rollback", "ddd", "--from", "delta", "--reason", "x", "--id", "back"]).ok();
    check(&hosts, &[], &[A, C, C3]);
    assert_eq!(waiting(&town), Vec::<String>::new());
    town.sluice(&["undo", "back", "--yes", "--reason", "x"]).ok();
    check(&hosts, &[D3], &[A, C, C3]);
    town.sluice(&["undo", "out", "--yes", "--reason", "x"]).ok();
    check(&hosts, &[B, D3], &[A, C, C3]);
    town.sluice(&["promote", "bbb", "ddd"]).ok();
    check(&hosts, &[], &[A, B, C, C3, D3]);
    // Going back before what came brings what waited then, and what it waits for is there again.
    let generation = generation_of(&town, 5);
    town.sluice(&["revert", &generation, "--stage", "production", "--reason", "x"]).ok();
    check(&hosts, &[], &[A, C, C3]);
    town.end();
}

#[test]
fn what_came_back_though_it_is_listed_elsewhere_brings_its_lines() {
    let (town, hosts) = town(ROUTE);
    town.sluice(&["promote", "ccc", "ddd"]).ok();
    check(&hosts, &[A, B, C, C3, D3], &[C, C3, D3]);
    for (verb, stage) in [("withdraw", "production"), ("rollback", "production"), ("withdraw", "delta")] {
        town.sluice(&[
            verb,
            "ccc",
            "ddd",
            "--from",
            stage,
            "--reason",
            "x",
            "--id",
            &format!("{verb}-{stage}"),
        ])
        .ok();
        match (verb, stage) {
            ("withdraw", "production") => check(&hosts, &[A, B, C, C3, D3], &[]),
            ("withdraw", _) => check(&hosts, &[A, B], &[C, C3, D3]),
            // What is rejected leaves the stage that it still overlaps in, too.
            _ => check(&hosts, &[A, B], &[]),
        }
        town.sluice(&["undo", &format!("{verb}-{stage}"), "--yes", "--reason", "x"]).ok();
        check(&hosts, &[A, B, C, C3, D3], &[C, C3, D3]);
    }
    town.end();
}
