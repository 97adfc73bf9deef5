//! Keys in the configuration, from their tables to the files they name.
#![expect(clippy::disallowed_methods, reason = "writes the files that the configuration names")]

use camino::{Utf8Path, Utf8PathBuf};
use expect_test::{Expect, expect};

use super::*;

const FINGERPRINT: &str = "F7612F0B3C1D0056060DFA4F2D287F441A9678FC";

const SITE: &str = r#"format = 1
[site]
name = "Example Grid"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "https://repo.example.org/"
"#;

/// A folder with a certificate; the paths in the configuration begin with `KEYS`.
fn keys() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let certificate = include_bytes!("../../../../signatures/src/samples/packages.asc");
    std::fs::write(path.join("packages.asc"), certificate).unwrap();
    std::fs::write(path.join("nonsense"), "hello").unwrap();
    (folder, path)
}

fn parsed(path: &Utf8Path, more: &str, stage: &str) -> Result<Config, Error> {
    let text = format!(
        "{SITE}{more}[[product]]\nname = \"p\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n{stage}"
    );
    let mut config = Config::parse(text.replace("KEYS", path.as_str()).as_bytes(), "f")?;
    read(&mut config)?;
    Ok(config)
}

fn check(more: &str, stage: &str, expected: Expect) {
    let (_folder, path) = keys();
    let error = parsed(&path, more, stage).unwrap_err();
    expected.assert_eq(&error.to_string().replace(path.as_str(), "KEYS"));
}

fn table(more: &str) -> String {
    format!("[[key]]\nname = \"k\"\nfile = \"KEYS/packages.asc\"\nfingerprint = \"{FINGERPRINT}\"\n{more}")
}

#[test]
fn a_stage_demands_what_it_says_and_else_what_its_product_says() {
    let (_folder, path) = keys();
    let second = table("").replace("\"k\"", "\"k2\"");
    let stages = "signed_by = [\"k\"]\n[[product.stage]]\nname = \"delta\"\nsigned_by = []\n\
                  [[product.stage]]\nname = \"third\"\nsigned_by = [\"k2\", \"k\"]\n";
    let config = parsed(&path, &format!("{}{second}", table("")), stages).unwrap();
    let demanded: Vec<_> =
        config.signed_by.iter().map(|((_, stage), keys)| (stage.as_str(), keys.len())).collect();
    assert_eq!(demanded, [("production", 1), ("third", 2)]);
    let certificate = config.keys["k"].certificate.as_ref().unwrap();
    assert_eq!(certificate.fingerprint().as_str(), FINGERPRINT);
}

#[test]
fn keys_that_nobody_described_or_twice_are_faults() {
    check(
        "",
        "signed_by = [\"k\"]\n",
        expect![[r#"
        failed to accept the configuration:
        f:11:14: no [[key]] has the name "k" (config/no-such-key)
          hint: there is no keys here"#]],
    );
    check(
        &format!("{}{}", table(""), table("")),
        "signed_by = [\"K\", \"k\", \"k\"]\n",
        expect![[r#"
        failed to accept the configuration:
        f:12:8: the key `k` stands in the file twice (config/twice)
          hint: the first one is in line 8
        f:19:14: no [[key]] has the name "K" (config/no-such-key)
          hint: did you mean `k`?
        f:19:24: the key `k` stands in the list twice (config/twice)"#]],
    );
}

#[test]
fn a_table_says_what_a_key_needs() {
    let more =
        "[[key]]\nname = \"a b\"\nfile = \"keys\"\nfingerprint = \"1A9678FC\"\nfrom = \"soon\"\nuntill = 1\n";
    check(
        more,
        "",
        expect![[r#"
        failed to accept the configuration:
        f:8:8: the key `a b` cannot be used: it contains ` ` (config/value)
          hint: use letters, digits and `.`, `_`, `+`, `-`, not beginning with `.` or `-`
        f:9:8: `file = "keys"` is relative (config/value)
          hint: write the whole path, beginning with `/`: the daemon has no directory of its own
        f:10:15: `fingerprint = "1A9678FC"` is no fingerprint (config/value)
          hint: write the 40 hexadecimal digits that `gpg --show-keys FILE` prints; 8 or 16 fit many keys
        f:11:8: `from = "soon"` is no instant (config/value)
          hint: write for example "2026-01-01T00:00:00Z"
        f:12:1: unknown key `untill` in [[key]] (config/unknown-key)
          hint: did you mean `until`?"#]],
    );
    check(
        &table("from = \"2027-01-01T00:00:00Z\"\nuntil = \"2026-01-01T00:00:00Z\"\n"),
        "",
        expect![[r#"
            failed to accept the configuration:
            f:12:9: `until` does not lie after `from`: the key would never count (config/value)"#]],
    );
}

#[test]
fn a_file_holds_the_certificate_it_is_named_for() {
    check(
        &table("").replace(FINGERPRINT, &"0".repeat(40)),
        "",
        expect![[r#"
        failed to accept the configuration:
        f:9:8: `KEYS/packages.asc` does not hold the key `k`: it holds `F7612F0B3C1D0056060DFA4F2D287F441A9678FC`, and `fingerprint` says `0000000000000000000000000000000000000000` (config/key)
          hint: ask whoever made the key which one is right, on another way than the file came"#]],
    );
    check(
        &table("").replace("packages.asc", "nonsense"),
        "",
        expect![[r#"
        failed to accept the configuration:
        f:9:8: `KEYS/nonsense` does not hold the key `k`: failed to read the key: unexpected EOF (config/key)
          hint: `gpg --show-keys` shows what is in it; `gpg --export --armor KEY` makes such a file"#]],
    );
    check(
        &table("").replace("packages.asc", "none"),
        "",
        expect![[r#"
        failed to accept the configuration:
        f:9:8: `KEYS/none` does not hold the key `k`: failed to read it: No such file or directory (os error 2) (config/key)
          hint: put the file there, readable by the daemon's user"#]],
    );
    check(
        &table("").replace("/packages.asc", ""),
        "",
        expect![[r#"
        failed to accept the configuration:
        f:9:8: `KEYS` does not hold the key `k`: it is not a file (config/key)
          hint: name the file itself"#]],
    );
}

#[test]
fn a_key_that_ends_is_warned_of_more_urgently_each_time() {
    let (_folder, path) = keys();
    let config = parsed(&path, &table("until = \"2026-12-31T00:00:00Z\"\n"), "").unwrap();
    let said = |now: &str| {
        let warnings = warnings(&config, now.parse().unwrap());
        warnings.into_iter().map(|warning| format!("{} {}", warning.code, warning.reason)).collect::<Vec<_>>()
    };
    assert_eq!(said("2026-10-01T00:00:00Z"), Vec::<String>::new());
    for (now, words) in [
        ("2026-10-02T00:00:00Z", "config/key-ends the key `k` ends in 90 days, at 2026-12-31T00:00:00Z"),
        (
            "2026-12-25T00:00:00Z",
            "config/key-ends the key `k` ends very soon, in 6 days, at 2026-12-31T00:00:00Z",
        ),
        (
            "2026-12-31T00:00:00Z",
            "config/key-ends the key `k` counts no more: its `until` was 2026-12-31T00:00:00Z",
        ),
        (
            "2025-12-31T00:00:00Z",
            "config/key-ends nothing that the key `k` signs counts: \
             key `F7612F0B3C1D0056060DFA4F2D287F441A9678FC` is dated 2026-01-02T03:04:05Z, in the future",
        ),
    ] {
        assert_eq!(said(now), [words]);
    }
}
