//! What zypper is told of a roll-back: an advisory with the status `retracted`, beside those that are there already.

use std::fs;

use camino::Utf8Path;
use repo::{Repomd, Updateinfo};
use testkit::{Host, Site, createrepo_c, program, run};

use super::{Bench, Client, Machine, bundle, rollback};

const WITH_VIEWS: &str = r#"
views = ["delta"]
[[product.stage]]
name = "delta"
profile = "sles"
import_roles = ["release-team", "librarians"]
[roles.product.glite]
librarians = ["ME"]
"#;

/// What the distribution says of its update already.
const UPDATEINFO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="x@example.org" status="final" type="security" version="1"><id>GRID-2026-1</id><title>lfc update</title>
<issued date="2026-01-01 00:00:00"/><severity>Important</severity><description>fixed</description><pkglist><collection short="c"><name>c</name>
<package name="lfc" version="2" release="1" epoch="0" arch="x86_64" src="lfc-2-1.src.rpm"><filename>lfc-2-1.x86_64.rpm</filename></package>
</collection></pkglist></update></updates>
"#;

const DELTA: &str = "glite/el9/x86_64/delta";

/// The ids of the advisories that the repository at `path` has, and its repomd.xml.
fn advisories(bench: &Bench, path: &str) -> (Vec<String>, Vec<u8>) {
    let place = bench.site.root().join("public/current").join(path);
    let bytes = fs::read(place.join("repodata/repomd.xml")).unwrap();
    let repomd = Repomd::parse(&bytes).unwrap();
    let Some(record) = repomd.record("updateinfo") else { return (Vec::new(), bytes) };
    let packed = fs::read(place.join(&record.href)).unwrap();
    let open = repo::unpack(&packed, 1 << 20).unwrap();
    let read = Updateinfo::parse(&open).unwrap();
    (read.advisories.into_iter().map(|advisory| advisory.id).collect(), bytes)
}

/// What zypper says of advisories, one a line: name and status.
fn patches(host: &Host) -> Vec<[String; 2]> {
    host.zypper(&["refresh"]).ok();
    let said = host.zypper(&["patches"]).ok().stdout;
    let rows = said.lines().filter(|line| line.starts_with("delta ") || line.starts_with("delta|"));
    let cell = |line: &str, at: usize| line.split('|').nth(at).unwrap_or_default().trim().to_owned();
    rows.map(|line| [cell(line, 1), cell(line, 5)]).collect()
}

fn old_delta(bench: &Bench) -> camino::Utf8PathBuf {
    let folder = bench.sandbox.folder("old");
    for (name, bytes) in bundle(2) {
        fs::write(folder.join(name), bytes).unwrap();
    }
    createrepo_c(&folder, &["--checksum=sha256"]).ok();
    let updateinfo = bench.sandbox.file("updateinfo.xml", UPDATEINFO);
    run(program("modifyrepo_c").arg(updateinfo).arg(Utf8Path::new(&folder).join("repodata"))).ok();
    folder
}

/// Lets whoever runs the tests do what the door may not, which may be the same user: point to a folder.
fn without_door(bench: &mut Bench, does: impl FnOnce(&Site)) {
    let path = bench.site.config();
    let text = fs::read_to_string(&path).unwrap();
    let plain: String =
        text.lines().filter(|line| !line.starts_with("door = ")).flat_map(|line| [line, "\n"]).collect();
    assert_ne!(plain, text);
    fs::write(&path, plain).unwrap();
    bench.daemon.stop();
    bench.daemon = bench.site.start();
    does(&bench.site);
    fs::write(&path, text).unwrap();
    bench.daemon.stop();
    bench.daemon = bench.site.start();
}

#[test]
fn zypper_is_told_what_is_retracted_and_that_it_is_not_when_it_comes_back() {
    let mut bench = Bench::new(WITH_VIEWS);
    bench.bundle(1);
    bench.everything_moves(&[]);
    let folder = old_delta(&bench);
    without_door(&mut bench, |site| {
        site.sluice(&["adopt", folder.as_str(), "--stage", "delta"]).ok();
    });
    let both = ["production", "delta"];
    let ui = Machine::new(&bench, "ui", Client::Zypper, &both, &["glite-UI"]);
    let old = Machine::new(&bench, "old", Client::Zypper, &["production"], &["glite-UI"]);
    let dnf = Machine::new(&bench, "dnf", Client::Dnf, &both, &["glite-SE"]);
    for (machine, evr) in [(&ui, "2-1"), (&old, "1-1"), (&dnf, "2-1")] {
        let ran = machine.install();
        machine.has(&|_| evr, &ran);
    }
    assert_eq!(patches(&ui.host), [["GRID-2026-1", "not needed"]]);
    let (_, fts) = advisories(&bench, &format!("{DELTA}/node-types/glite-FTS"));

    let answer = bench.done(&rollback(&["voms"]));
    let notes = answer["reasons"].as_array().unwrap();
    assert!(notes.iter().any(|note| note.as_str().unwrap().contains("`retracted`")), "{answer:#}");
    let seen = patches(&ui.host);
    let [[grid, _], [ours, status]] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((grid.as_str(), status.as_str()), ("GRID-2026-1", "retracted"));
    assert!(ours.starts_with("retracted-glite-el9-x86_64-delta-"), "{seen:?}");
    let said = ui.host.zypper(&["info", "-t", "patch", ours]).ok().stdout;
    for words in
        ["glite-BDII, glite-SE, glite-SITE and 3 more are rolled back", "dist-upgrade --allow-downgrade"]
    {
        assert!(said.contains(words), "`{words}`: {said}");
    }
    // Hosts that draw from a view are told what is theirs.
    assert_eq!(advisories(&bench, DELTA).0, ["GRID-2026-1", ours]);
    assert_eq!(advisories(&bench, &format!("{DELTA}/node-types/glite-UI")).0, [ours.as_str()]);
    assert_eq!(
        advisories(&bench, &format!("{DELTA}/node-types/glite-FTS")),
        (vec![], fts),
        "nothing is theirs"
    );

    // It asks nothing of a host that never had it, and hinders no host on its way back or forward.
    let evr = |name: &str| match name {
        "voms" => "1-1",
        name if super::is_node_type(name) => "2-1.1",
        _ => "2-1",
    };
    old.enable(&bench, "delta");
    old.host.zypper(&["refresh"]).ok();
    let ran = old.host.zypper(&["patch"]);
    old.has(&|_| "1-1", &ran);
    let ran = old.update();
    old.has(&evr, &ran);
    let ran = ui.told(&answer, Some("glite-UI"));
    ui.has(&evr, &ran);
    let ran = dnf.told(&answer, Some("glite-SE"));
    dnf.has(&evr, &ran);
    let said = dnf.host.dnf(&["updateinfo", "list", "--all"]).ok().stdout;
    assert!(said.contains("GRID-2026-1"), "{said}");

    let undone = bench.done(&format!("action = \"undo\"\nrequest = {}", answer["claim"]));
    for machine in [&ui, &dnf] {
        let node_type = machine.wanted[0].clone();
        let ran = machine.told(&undone, Some(&node_type));
        machine.has(&|_| "2-1", &ran);
    }
    assert_eq!(patches(&ui.host), [["GRID-2026-1", "not needed"]]);
    assert_eq!(advisories(&bench, DELTA).0, ["GRID-2026-1"]);
    bench.sound();
}

#[test]
fn who_asks_for_it_is_told_and_nobody_else() {
    let mut bench = Bench::new("views = [\"delta\"]\n");
    for version in [1, 2] {
        bench.bundle(version);
        if version == 1 {
            bench.everything_moves(&[]);
        }
    }
    let answer = bench.done(&rollback(&["voms"]));
    assert!(!answer["reasons"].to_string().contains("retracted"), "{answer:#}");
    assert_eq!(advisories(&bench, DELTA).0, Vec::<String>::new());
    let path = bench.site.config();
    let text = fs::read_to_string(&path).unwrap();
    let mut ids = Vec::new();
    for (version, is_told) in [(3, true), (4, false), (5, true)] {
        let stage = format!("[[product.stage]]\nname = \"delta\"\nretractions = {is_told}\n");
        fs::write(&path, format!("{text}{stage}")).unwrap();
        bench.daemon.stop();
        bench.daemon = bench.site.start();
        bench.bundle(version);
        // What is on record is told as soon as somebody asks for it, and as long.
        let told = advisories(&bench, DELTA).0;
        assert_eq!(told.len(), usize::from(is_told), "{told:?}");
        for (node_type, is_theirs) in [("glite-UI", true), ("glite-FTS", false)] {
            let view = advisories(&bench, &format!("{DELTA}/node-types/{node_type}")).0;
            assert_eq!(view.len(), usize::from(is_told && is_theirs), "{node_type} {view:?}");
        }
        ids.extend(told);
    }
    assert_eq!(ids[0], ids[1]);
    bench.sound();
}
