//! Advisories that are made here: `sluice advisory`, and what dnf says of them in each stage.

use super::advisories::listed;
use super::*;

#[test]
fn an_advisory_that_is_made_goes_on_with_its_packages() {
    let names = ["aaa", "bbb"];
    let town = Town::new(&names, &[], "");
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &names));
    let say = |more: &[&str]| {
        let say = ["advisory", "GRID-7", "--in", "delta", "--type", "security", "--title", "a < b"];
        town.sluice(&[&say[..], more].concat())
    };
    let refused = say(&["aaa", "absent"]);
    assert_eq!(refused.code(), 5, "{refused}");
    assert!(refused.stderr.contains("advisory-names-absent"), "{refused}");
    let rehearsed = say(&["aaa", "--dry-run"]).ok().stdout;
    assert!(rehearsed.contains("GRID-7 (security) of aaa-1-1.x86_64: a < b"), "{rehearsed}");
    assert_eq!(unpacked(&town.published("delta"), "updateinfo"), None, "a rehearsal changes nothing");

    say(&["aaa", "--severity", "Low"]).ok();
    assert_eq!(listed(&delta), ["GRID-7 Low/Sec. aaa-1-1.x86_64"]);
    let more =
        ["--severity", "Important", "--reference", "CVE-2026-1", "--description", "what it is", "--reboot"];
    say(&[&["aaa", "bbb"], &more[..]].concat()).ok();
    assert_eq!(
        listed(&delta),
        ["a", "b"].map(|name| format!("GRID-7 Important/Sec. {0}{0}{0}-1-1.x86_64", name))
    );
    let info = delta.dnf(&["updateinfo", "info", "GRID-7"]).ok().stdout;
    for words in ["a < b", "CVE-2026-1", "what it is", "Severity: Important", "Type: security"] {
        assert!(info.contains(words), "`{words}` is not in {info}");
    }
    let read = repo::Updateinfo::parse(&unpacked(&town.published("delta"), "updateinfo").unwrap()).unwrap();
    assert_eq!(read.advisories[0].version(), "2");

    town.sluice(&["promote", "*"]).ok();
    assert!(listed(&delta).is_empty());
    assert_eq!(production.dnf(&["updateinfo", "info", "GRID-7"]).ok().stdout, info);
    assert_eq!(listed(&production).len(), 2);

    // Said anew of what came since, it is the same one in both stages in the same instant.
    let newer = town.sandbox.file("aaa-2-1.x86_64.rpm", package("aaa", "2").build());
    town.sluice(&["import", newer.as_str(), "--to", "delta"]).ok();
    let said = say(&["aaa-2-1", "--severity", "Critical"]).ok().stdout;
    assert!(said.contains("is written anew in `glite-3.2-el9-x86_64-production`, too"), "{said}");
    assert_eq!(listed(&delta), ["GRID-7 Critical/Sec. aaa-2-1.x86_64"]);
    assert_eq!(
        listed(&production),
        ["a", "b"].map(|name| format!("GRID-7 Critical/Sec. {0}{0}{0}-1-1.x86_64", name))
    );
    // Narrowed where it stands: what it no longer names is named nowhere.
    let narrow = ["advisory", "GRID-7", "bbb", "--in", "production", "--type", "bugfix", "--title", "less"];
    town.sluice(&narrow).ok();
    assert_eq!(listed(&production), ["GRID-7 bugfix bbb-1-1.x86_64"]);
    assert_eq!(listed(&delta), ["GRID-7 bugfix aaa-2-1.x86_64"]);
    town.end();
}

#[test]
fn what_is_taken_back_is_named_nowhere_and_does_not_come_back() {
    let names = ["aaa", "bbb"];
    let town = Town::new(&names, &[], "");
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &names));
    let say = ["advisory", "GRID-7", "aaa", "bbb", "--in", "delta", "--type", "security", "--title", "t"];
    town.sluice(&say).ok();
    town.sluice(&["promote", "aaa"]).ok();
    let refused = town.sluice(&["advisory", "GRID-8", "--take-back", "--reason", "x"]);
    assert_eq!(refused.code(), 5, "{refused}");
    assert!(refused.stderr.contains("no-such-advisory") && refused.stderr.contains("GRID-7"), "{refused}");
    assert_eq!(town.sluice(&["advisory", "GRID-7", "--take-back"]).code(), 2, "it needs a reason");

    // Retracted, it is shown with that status, in both stages.
    let said =
        town.sluice(&["advisory", "GRID-7", "--take-back", "--retracted", "--reason", "x"]).ok().stdout;
    assert!(said.contains("is retracted in `delta` and `production`"), "{said}");
    for stage in ["delta", "production"] {
        let text = String::from_utf8(unpacked(&town.published(stage), "updateinfo").unwrap()).unwrap();
        assert!(text.contains("status=\"retracted\" version=\"2\""), "{text}");
        assert!(text.contains("<id>GRID-7</id>"), "{text}");
    }
    assert_eq!(listed(&production).len(), 1, "dnf goes by no status");

    let before = generation_of(&town, 0);
    let said = town.sluice(&["advisory", "GRID-7", "--take-back", "--reason", "x"]).ok().stdout;
    assert!(said.contains("is taken back from `delta` and `production`"), "{said}");
    assert_eq!((listed(&delta), listed(&production)), (vec![], vec![]));
    town.sluice(&["withdraw", "aaa", "--from", "production", "--reason", "x"]).ok();
    town.sluice(&["revert", &before, "--stage", "production", "--reason", "x"]).ok();
    assert_eq!((listed(&delta), listed(&production)), (vec![], vec![]));
    assert!(production.dnf(&["repoquery", "aaa"]).ok().stdout.contains("aaa"), "the package did");
    town.sluice(&say[..2].iter().chain(["bbb"].iter()).chain(say[4..].iter()).copied().collect::<Vec<_>>())
        .ok();
    assert_eq!(listed(&delta).len(), 1);
    let text = String::from_utf8(unpacked(&town.published("delta"), "updateinfo").unwrap()).unwrap();
    assert!(text.contains("version=\"3\""), "{text}");
    town.end();
}

#[test]
fn siblings_have_the_lines_of_what_they_list() {
    let town = Town::new(&["aaa"], &[], "");
    let debug = package("aaa-debuginfo", "1");
    let source = Recipe::new("aaa", "1", "1").source();
    let files = [&debug, &source].map(|one| town.sandbox.file(&one.file_name(), one.clone().build()));
    town.sluice(&["import", files[0].as_str(), files[1].as_str(), "--to", "delta"]).ok();
    let say =
        ["advisory", "GRID-7", "aaa", "aaa-debuginfo", "--in", "delta", "--type", "bugfix", "--title", "t"];
    town.sluice(&say).ok();
    let hosts = ["delta", "production"].map(|stage| {
        let host = town.host(&format!("host-{stage}"), stage, &["aaa", "aaa-debuginfo"]);
        host.repository("debug", &format!("{}/{stage}/el9/debug/", town.nginx.base_url()));
        host
    });
    let lines = ["GRID-7 bugfix aaa-1-1.x86_64", "GRID-7 bugfix aaa-debuginfo-1-1.x86_64"];
    let check = |in_delta: &[&str], in_production: &[&str], with_source: &str| {
        assert_eq!((listed(&hosts[0]), listed(&hosts[1])), (own(in_delta), own(in_production)));
        for stage in ["delta", "production"] {
            let said = unpacked(&town.published(stage).join("source"), "updateinfo").unwrap_or_default();
            let said = String::from_utf8(said).unwrap();
            assert_eq!(said.contains("arch=\"src\""), stage == with_source, "{stage}: {said}");
            assert!(!said.contains("debuginfo") && !said.contains("x86_64"), "{said}");
        }
    };
    check(&lines, &[], "delta");
    town.sluice(&["promote", "aaa", "aaa-debuginfo"]).ok();
    check(&[], &lines, "production");
    town.sluice(&[
        "withdraw",
        "aaa",
        "aaa-debuginfo",
        "--from",
        "production",
        "--reason",
        "x",
        "--id",
        "out",
    ])
    .ok();
    check(&[], &[], "nowhere");
    town.sluice(&["undo", "out", "--yes", "--reason", "x"]).ok();
    check(&[], &lines, "production");
    town.end();
}
