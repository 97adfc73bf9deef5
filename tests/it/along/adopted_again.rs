//! A second adoption: what is said already stays, and what the adopted repository says anew stands beside it.

use super::advisories::listed;
use super::*;

fn advisory(id: &str, version: u32, title: &str, packages: &[&str]) -> String {
    let package = |name: &&str| {
        format!(
            "<package name=\"{name}\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"x86_64\"><filename>{name}-1-1.x86_64.rpm</filename></package>"
        )
    };
    let packages: String = packages.iter().map(package).collect();
    format!(
        "<update from=\"x\" status=\"final\" type=\"bugfix\" version=\"{version}\"><id>{id}</id><title>{title}</title>\
         <issued date=\"2026-01-01 00:00:00\"/><description>d</description><pkglist><collection short=\"c\"><name>c</name>{packages}\
         </collection></pkglist></update>"
    )
}

fn group(id: &str, name: &str, package: &str) -> String {
    format!(
        "<group><id>{id}</id><name>{name}</name><description/><default>true</default><uservisible>true</uservisible>\
         <packagelist><packagereq type=\"mandatory\">{package}</packagereq></packagelist></group>"
    )
}

fn stream(name: &str, package: &str) -> String {
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: \"1\"\n  version: 1\n  context: c0ffee\n  arch: x86_64\n  \
         summary: the {name}\n  description: d\n  license:\n    module: [MIT]\n  artifacts:\n    rpms: [{package}-0:1-1.x86_64]\n...\n"
    )
}

fn beside(updates: &[String], groups: &[String], modules: &str) -> [(&'static str, String); 3] {
    [
        ("updateinfo.xml", format!("<updates>{}</updates>", updates.concat())),
        ("comps.xml", format!("<?xml version=\"1.0\"?>\n<comps>{}</comps>\n", groups.concat())),
        ("modules.yaml", modules.to_owned()),
    ]
}

/// The modules of which `dnf module list` says a stream.
fn modules(host: &Host) -> Vec<String> {
    let said = host.dnf(&["--setopt=module_platform_id=platform:el9", "module", "list"]).stdout;
    let lines = said.lines().filter(|line| line.contains(" the "));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// The packages that `dnf group info` says of a group.
fn grouped(host: &Host, name: &str) -> String {
    let said = host.dnf(&["group", "info", name]).ok().stdout;
    let lines = said.lines().skip_while(|line| !line.contains("Mandatory Packages:")).skip(1);
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_second_adoption_keeps_what_is_said_and_says_what_it_replaces() {
    let first = beside(
        &[advisory("GRID-1", 1, "first", &["aaa"]), advisory("GRID-2", 5, "newer here", &["bbb"])],
        &[group("grid", "Old grid", "aaa"), group("base", "The base", "bbb")],
        &stream("perl", "aaa"),
    );
    let first = first.each_ref().map(|(name, text)| (*name, text.as_str()));
    let town = Town::new(&["aaa", "bbb"], &first, "");
    town.sluice(&["advisory", "GRID-7", "--in", "delta", "--type", "bugfix", "--title", "made here", "aaa"])
        .ok();

    let elsewhere = Sandbox::new();
    let second = beside(
        &[
            advisory("GRID-1", 2, "second", &["aaa", "ccc"]),
            advisory("GRID-2", 4, "older there", &["bbb"]),
            advisory("GRID-9", 1, "ninth", &["ccc"]),
        ],
        &[group("grid", "New grid", "ccc"), group("web", "The web", "ccc")],
        &stream("ruby", "ccc"),
    );
    let second = second.each_ref().map(|(name, text)| (*name, text.as_str()));
    let folder = repository(&elsewhere, &["ccc"], &second);
    let adopt = ["adopt", folder.as_str(), "--stage", "delta"];
    let rehearsed = town.sluice(&[&adopt[..], &["--dry-run"]].concat()).ok().stdout;
    let said = town.sluice(&adopt).ok().stdout;
    for said in [&rehearsed, &said] {
        for words in [
            "these advisories of `glite-3.2-el9-x86_64-delta` are replaced by the adopted ones: `GRID-1`",
            "these advisories of `glite-3.2-el9-x86_64-delta` stay, for the adopted ones say nothing newer: `GRID-2`",
            "these groups of `glite-3.2-el9-x86_64-delta` are replaced by the adopted ones: `grid`",
        ] {
            assert!(said.contains(words), "`{words}` is not in {said}");
        }
        assert!(!said.contains("these modules"), "{said}");
    }

    let host = town.host("host-delta", "delta", &["aaa", "bbb", "ccc"]);
    let expected = [
        "GRID-1 bugfix aaa-1-1.x86_64",
        "GRID-1 bugfix ccc-1-1.x86_64",
        "GRID-2 bugfix bbb-1-1.x86_64",
        "GRID-7 bugfix aaa-1-1.x86_64",
        "GRID-9 bugfix ccc-1-1.x86_64",
    ];
    assert_eq!(listed(&host), expected);
    for (id, title) in [("GRID-1", "second"), ("GRID-2", "newer here"), ("GRID-7", "made here")] {
        let info = host.dnf(&["updateinfo", "info", id]).ok().stdout;
        assert!(info.contains(title), "{info}");
    }
    assert_eq!(grouped(&host, "New grid"), "aaa ccc");
    assert_eq!([grouped(&host, "The base"), grouped(&host, "The web")], ["bbb", "ccc"]);
    assert_eq!(modules(&host), ["perl", "ruby"]);

    // All of it goes on with its packages.
    town.sluice(&["promote", "*"]).ok();
    let production = town.host("host-production", "production", &["aaa", "bbb", "ccc"]);
    assert_eq!(listed(&production), expected);
    assert_eq!(modules(&production), ["perl", "ruby"]);
    assert_eq!(grouped(&production, "New grid"), "aaa ccc");
    town.end();
}
