//! Advisories: with their packages, cut, held, together again, taken back.

use super::*;

/// One advisory about packages in version 1.
fn advisory(id: &str, attributes: &str, more: &str, packages: &[&str]) -> String {
    let package = |name: &&str| {
        format!(
            "\n<package name=\"{name}\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"x86_64\" src=\"{name}-1-1.src.rpm\">\
             <filename>{name}-1-1.x86_64.rpm</filename></package>"
        )
    };
    let packages: String = packages.iter().map(package).collect();
    format!(
        "<update from=\"x@example.org\" {attributes}><id>{id}</id><title>{id}</title>\
         <issued date=\"2026-01-01 00:00:00\"/><updated date=\"2026-01-02 00:00:00\"/>{more}\
         <description>what {id} is about</description>\n<pkglist><collection short=\"c\"><name>c</name>{packages}\n\
         </collection></pkglist></update>\n"
    )
}

/// What the repository brings: one about security that names two packages, one that names one, and one that names one more.
pub fn updateinfo() -> String {
    let more = "<severity>Important</severity><references><reference href=\"https://example.org/CVE-2026-1\" id=\"CVE-2026-1\" \
                type=\"cve\" title=\"CVE-2026-1\"/></references>";
    let reboot = more.replace("<severity>", "<reboot_suggested>True</reboot_suggested><severity>");
    [
        "<updates>\n".to_owned(),
        advisory("GRID-1", "status=\"final\" type=\"security\" version=\"3\"", &reboot, &["aaa", "bbb"]),
        advisory("GRID-2", "status=\"stable\" type=\"bugfix\" version=\"1\"", "", &["ccc"]),
        advisory("GRID-3", "status=\"final\" type=\"enhancement\" version=\"1\"", "", &["ddd", "ccc"]),
        "</updates>\n".to_owned(),
    ]
    .concat()
}

pub const ALL: [&str; 4] = ["aaa", "bbb", "ccc", "ddd"];

/// What `dnf updateinfo list` says, sorted.
pub fn listed(host: &Host) -> Vec<String> {
    let said = host.dnf(&["updateinfo", "list"]).ok().stdout;
    let mut lines: Vec<String> =
        said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines
}

pub const A: &str = "GRID-1 Important/Sec. aaa-1-1.x86_64";
pub const B: &str = "GRID-1 Important/Sec. bbb-1-1.x86_64";
pub const C: &str = "GRID-2 bugfix ccc-1-1.x86_64";
pub const C3: &str = "GRID-3 enhancement ccc-1-1.x86_64";
pub const D3: &str = "GRID-3 enhancement ddd-1-1.x86_64";

#[test]
fn advisories_go_with_their_packages_and_dnf_says_so_in_each_stage() {
    let town = Town::new(&ALL, &[("updateinfo.xml", &updateinfo())], "");
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &ALL));
    let check = |in_delta: &[&str], in_production: &[&str]| {
        assert_eq!((listed(&delta), listed(&production)), (own(in_delta), own(in_production)));
    };
    check(&[A, B, C, C3, D3], &[]);
    let whole = delta.dnf(&["updateinfo", "info", "GRID-1"]).ok().stdout;
    assert!(whole.contains("CVE-2026-1") && whole.contains("Important"), "{whole}");

    // A part goes: the plan says what is lost, and then the answer.
    let words = "advisory `GRID-1` is cut for `glite-3.2-el9-x86_64-production`, which does not list `bbb-1-1.x86_64`";
    let planned = town.sluice(&["promote", "aaa", "--dry-run"]).ok().stdout;
    assert!(planned.contains(words), "{planned}");
    check(&[A, B, C, C3, D3], &[]);
    let said = town.sluice(&["promote", "aaa"]).ok().stdout;
    assert!(said.contains(words), "{said}");
    check(&[B, C, C3, D3], &[A]);
    assert_eq!(
        production.dnf(&["updateinfo", "info", "GRID-1"]).ok().stdout,
        whole,
        "status, dates, references"
    );

    // The rest follows, and it stands there whole.
    let said = town.sluice(&["promote", "bbb"]).ok().stdout;
    assert!(!said.contains("advisory"), "{said}");
    check(&[C, C3, D3], &[A, B]);
    let updates = unpacked(&town.published("production"), "updateinfo").unwrap();
    let updates = repo::Updateinfo::parse(&updates).unwrap();
    let before = repo::Updateinfo::parse(updateinfo().as_bytes()).unwrap();
    assert_eq!(updates.advisories, before.advisories[..1], "to the byte");

    // What is withdrawn takes its lines along, and the last one the advisory; going back brings them again.
    let answer = town.sluice(&["withdraw", "aaa", "--from", "production", "--reason", "x"]).ok().stdout;
    let words = "advisory `GRID-1` is cut in `glite-3.2-el9-x86_64-production`, which no longer lists `aaa-1-1.x86_64`";
    assert!(answer.contains(words), "{answer}");
    check(&[C, C3, D3], &[B]);
    let answer = town.sluice(&["withdraw", "bbb", "--from", "production", "--reason", "x"]).ok().stdout;
    assert!(answer.contains("advisory `GRID-1` leaves `glite-3.2-el9-x86_64-production`"), "{answer}");
    check(&[C, C3, D3], &[]);
    assert_eq!(unpacked(&town.published("production"), "updateinfo"), None, "no file is left");
    let generation = generation_of(&town, 2);
    town.sluice(&["revert", &generation, "--stage", "production", "--reason", "x"]).ok();
    check(&[C, C3, D3], &[A, B]);
    assert_eq!(production.dnf(&["updateinfo", "info", "GRID-1"]).ok().stdout, whole);

    // Undoing takes it where it was.
    let said = town.sluice(&["promote", "ccc", "ddd", "--id", "both"]).ok().stdout;
    assert!(!said.contains("advisory"), "{said}");
    check(&[], &[A, B, C, C3, D3]);
    town.sluice(&["undo", "both", "--yes", "--reason", "x"]).ok();
    check(&[C, C3, D3], &[A, B]);
    let after = unpacked(&town.published("delta"), "updateinfo").unwrap();
    assert_eq!(repo::Updateinfo::parse(&after).unwrap().advisories, before.advisories[1..]);
    town.end();
}

#[test]
fn a_stage_may_have_advisories_held_until_they_are_complete() {
    let town = Town::new(&ALL, &[("updateinfo.xml", &updateinfo())], "advisories = \"hold\"");
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &ALL));
    let said = town.sluice(&["promote", "aaa", "ccc"]).ok().stdout;
    for (id, name) in [("GRID-1", "bbb"), ("GRID-3", "ddd")] {
        let words = format!(
            "advisory `{id}` is held in front of `glite-3.2-el9-x86_64-production` until that lists `{name}-1-1.x86_64`, too"
        );
        assert!(said.contains(&words), "{said}");
    }
    assert_eq!((listed(&delta), listed(&production)), (own(&[B, D3]), own(&[C])));
    town.sluice(&["promote", "bbb"]).ok();
    assert_eq!((listed(&delta), listed(&production)), (own(&[D3]), own(&[A, B, C])));
    town.end();
}

#[test]
fn what_a_roll_back_rejects_takes_its_lines_along_and_is_told_where_that_is_wanted() {
    let town = Town::new(&ALL, &[("updateinfo.xml", &updateinfo())], "retractions = true");
    let delta = town.host("host", "delta", &ALL);
    let newer = town.sandbox.file("aaa-2-1.x86_64.rpm", package("aaa", "2").build());
    town.sluice(&["import", newer.as_str(), "--to", "delta"]).ok();
    town.sluice(&["rollback", "aaa-2-1", "bbb", "--from", "delta", "--reason", "x"]).ok();
    let said = listed(&delta);
    let retracted = said.iter().filter(|line| line.starts_with("retracted-")).count();
    assert_eq!(retracted, 2, "{said:?}");
    let rest: Vec<String> = said.into_iter().filter(|line| !line.starts_with("retracted-")).collect();
    assert_eq!(rest, own(&[A, C, C3, D3]));
    town.end();
}
