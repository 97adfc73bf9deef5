//! Files that are called packages and are none, or none that may be served.

use repo::Recipe;
use testkit::Sandbox;

use super::{Row, STAGES, Trial, import, row};

const ROWS: [Row; 12] = [
    row("empty", "empty-file", "is empty", "again"),
    row("text", "not-a-package", "is not an RPM", "rpm -qp"),
    row("short", "package-cut-short", "ends too early", "again"),
    row("shorter", "package-cut-short", "ends too early", "again"),
    row("flipped", "digest-mismatch", "not the one in its name", "again"),
    row("header", "damaged-package", "", "rpm -K"),
    row("bomb", "oversized-header", "entries", "rpmbuild"),
    row("large-bomb", "oversized-header", "bytes of values", "rpmbuild"),
    row("dots", "bad-package-name", "..", "rename"),
    row("slash", "bad-package-name", "/", "rename"),
    row("newline", "bad-package-name", "", "rename"),
    row("bell", "control-character", "0x07", "spec file"),
];

/// Where the header proper begins: behind the lead, the signature header, and what pads that to eight bytes.
fn header_at(rpm: &[u8]) -> usize {
    let number = |at: usize| u32::from_be_bytes(rpm[at..at + 4].try_into().unwrap()) as usize;
    let end = 96 + 16 + number(96 + 8) * 16 + number(96 + 12);
    end.next_multiple_of(8)
}

fn with_number(mut rpm: Vec<u8>, at: usize, number: u32) -> Vec<u8> {
    rpm[at..at + 4].copy_from_slice(&number.to_be_bytes());
    rpm
}

#[test]
fn every_bad_package_has_a_code_a_message_and_a_hint() {
    let sandbox = Sandbox::new();
    let trial = Trial::begin(&sandbox, STAGES);
    let good = Recipe::new("voms", "1.0", "1").file("/usr/share/voms/data", vec![b'x'; 9000]).build();
    let header = header_at(&good);
    let mut flipped = good.clone();
    // The last byte of the header's values, below its digest and above nothing.
    let values =
        header + 16 + u32::from_be_bytes(good[header + 8..header + 12].try_into().unwrap()) as usize * 16;
    flipped[values + 2] ^= 0x01;
    let named = |name: &str| Recipe::new(name, "1.0", "1").build();
    for (stem, bytes) in [
        ("empty", Vec::new()),
        ("text", b"#!/bin/sh\necho this is no package, but it is long enough for a lead of ninety-six bytes and more\n".to_vec()),
        ("short", good[..header + 40].to_vec()),
        ("shorter", good[..120].to_vec()),
        ("header", flipped),
        ("bomb", with_number(good.clone(), header + 8, 0x7fff_ffff)),
        ("large-bomb", with_number(good.clone(), header + 12, 0x7fff_ffff)),
        ("dots", named("..")),
        ("slash", named("../../etc/passwd")),
        ("newline", named("vo\nms")),
        ("bell", named("vo\u{7}ms")),
    ] {
        let upload = trial.site.upload(&format!("{stem}.rpm"), &bytes);
        trial.site.drop_request(&format!("{stem}.toml"), &import(&upload));
    }
    // One bit of what was uploaded turned over on its way, behind the header.
    let upload = trial.site.upload("flipped.rpm", &good);
    let path = trial.site.spool().join("upload").join(&upload);
    let mut bytes = good.clone();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    trial.site.drop_request("flipped.toml", &import(&upload));
    trial.judge(&ROWS);
    trial.end();
}
