//! What is beside a package for debugging and its source: in the same instant, and with the advisory that names them.

use std::sync::mpsc::{self, TryRecvError};

use super::advisories::listed;
use super::*;

const NAMES: [&str; 3] = ["aaa", "aaa-debuginfo", "aaa"];

/// The repositories of a stage: binary, debug and source packages.
const PLACES: [&str; 3] = ["", "/debug", "/source"];

fn recipes(version: &str) -> [Recipe; 3] {
    let source = format!("aaa-{version}-1.src.rpm");
    [
        package("aaa", version).source_rpm(&source),
        package("aaa-debuginfo", version).source_rpm(&source),
        Recipe::new("aaa", version, "1").source(),
    ]
}

/// Whether each of the three repositories that answer at this instant lists version 2; nothing where the instant passed before
/// all were read.
fn at_one_instant(root: &Utf8Path) -> Option<[bool; 3]> {
    let current = root.join("public/current");
    let before = std::fs::read_link(&current).ok()?;
    let has = |place: &str| -> Option<bool> {
        let folder = current.join(format!("production/el9{place}"));
        let Ok(repomd) = std::fs::read(folder.join("repodata/repomd.xml")) else { return Some(false) };
        let repomd = repo::Repomd::parse(&repomd).ok()?;
        let packed = std::fs::read(folder.join(&repomd.record("primary")?.href)).ok()?;
        let open = String::from_utf8(repo::unpack(&packed, 1 << 20).ok()?).ok()?;
        Some(open.contains("ver=\"2\""))
    };
    // The last first, so that one that came later than the others would be missed here.
    let [source, debug, binary] = [has(PLACES[2]), has(PLACES[1]), has(PLACES[0])];
    let seen = [binary?, debug?, source?];
    (std::fs::read_link(&current).ok()? == before).then_some(seen)
}

/// What `dnf repoquery` finds in the three repositories.
fn queried(host: &Host) -> Vec<String> {
    let said = host.dnf(&["repoquery", "-q", "--show-duplicates", "*"]).ok().stdout;
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn no_instant_shows_a_package_without_its_siblings() {
    let advisory = "<updates><update from=\"x\" status=\"final\" type=\"bugfix\" version=\"1\"><id>GRID-1</id><title>t</title>\
        <issued date=\"2026-01-01 00:00:00\"/><description>d</description><pkglist><collection short=\"c\"><name>c</name>\
        <package name=\"aaa\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"x86_64\"><filename>aaa-1-1.x86_64.rpm</filename></package>\
        <package name=\"aaa-debuginfo\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"x86_64\">\
        <filename>aaa-debuginfo-1-1.x86_64.rpm</filename></package></collection></pkglist></update></updates>";
    let town = Town::new(&["bbb"], &[("updateinfo.xml", advisory)], "");
    let import = |version: &str| {
        for recipe in recipes(version) {
            let file = town.sandbox.file(&recipe.file_name(), recipe.build());
            town.sluice(&["import", file.as_str(), "--to", "delta"]).ok();
        }
    };
    import("1");
    let host = town.host("host-production", "production", &["aaa"]);
    for place in &PLACES[1..] {
        let name = format!("production{}", place.replace('/', "-"));
        host.repository(&name, &format!("{}/production/el9{place}/", town.nginx.base_url()));
    }
    town.sluice(&["promote", "*"]).ok();
    let version = |version: &str| {
        let of = |(name, arch): (&str, &str)| format!("{name}-0:{version}-1.{arch}");
        NAMES.into_iter().zip(["x86_64", "x86_64", "src"]).map(of).collect::<Vec<_>>()
    };
    let mut first = version("1");
    first.push("bbb-0:1-1.x86_64".to_owned());
    first.sort();
    assert_eq!(queried(&host), first);
    // dnf shows what concerns installed packages; the advisory names both.
    assert_eq!(listed(&host), ["GRID-1 bugfix aaa-1-1.x86_64"]);
    let published = unpacked(&town.published("production"), "updateinfo").unwrap();
    assert_eq!(repo::Updateinfo::parse(&published).unwrap().advisories[0].packages().count(), 2);

    import("2");
    let root = town.site.root();
    // Dropped, it is over; so a failure here ends the reader as well.
    let (over, is_over) = mpsc::channel::<()>();
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (is_over, mut seen) = (is_over, [0_usize; 2]);
            while is_over.try_recv() == Err(TryRecvError::Empty) {
                if let Some(instant) = at_one_instant(&root) {
                    assert!(
                        instant == [true; 3] || instant == [false; 3],
                        "binary, debug, source: {instant:?}"
                    );
                    seen[usize::from(instant[0])] += 1;
                }
            }
            seen
        });
        let over = over;
        for round in 0..8 {
            let id = format!("round-{round}");
            town.sluice(&["promote", "aaa", "--id", &id]).ok();
            assert_eq!(at_one_instant(&root), Some([true; 3]));
            town.sluice(&["undo", &id, "--yes", "--reason", "x"]).ok();
            assert_eq!(at_one_instant(&root), Some([false; 3]));
        }
        drop(over);
        reader.join().unwrap()
    });
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    assert_eq!(queried(&host), first);
    town.end();
}
