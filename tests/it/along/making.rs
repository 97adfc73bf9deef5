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
    town.end();
}
