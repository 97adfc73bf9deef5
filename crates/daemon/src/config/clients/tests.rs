use crate::config::{Config, comps};
use crate::error::Error;
use expect_test::{Expect, expect};
use plan::Profile;

const SITE: &str = r#"format = 1
[site]
name = "Example Grid"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "https://repo.example.org/"
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["sl5/x86_64", "el9/x86_64"]
[[product.stage]]
name = "production"
"#;

fn check(more: &str, expected: Expect) {
    let errors = Config::parse(format!("{SITE}{more}").as_bytes(), "f").unwrap_err();
    expected.assert_eq(&errors.to_string());
}

/// How the binary repositories of a stage are recorded, by operating system.
fn recorded(more: &str, stage: &str) -> Vec<(String, Option<String>)> {
    let config = Config::parse(format!("{SITE}{more}").as_bytes(), "f").unwrap();
    let repositories = config.layout.repositories().into_iter();
    let of_stage =
        repositories.filter(|repository| repository.stage == stage && repository.kind == plan::Kind::Binary);
    of_stage.map(|at| (at.os.clone(), config.layout.writing(&at).recorded(None))).collect()
}

#[test]
fn a_stage_without_a_word_is_written_as_ever() {
    assert_eq!(recorded("", "production"), [("el9".into(), None), ("sl5".into(), None)]);
    assert_eq!(Profile::default().as_str(), "modern");
}

#[test]
fn profiles_are_told_by_stage_and_by_operating_system() {
    let more = "profile = \"el10\"\nprofiles = { sl5 = \"el5\" }\n";
    let old = "gzip sha databases both-groups".to_owned();
    let expected = [("el9".to_owned(), Some("zstd sha256".to_owned())), ("sl5".to_owned(), Some(old))];
    assert_eq!(recorded(more, "production"), expected);
    assert_eq!(recorded(more, "delta"), [("el9".into(), None), ("sl5".into(), None)]);
}

#[test]
fn what_is_said_goes_before_the_profile() {
    let more = "profile = \"el6\"\ndatabases = false\n";
    let expected = Some("gzip sha256 both-groups".to_owned());
    assert_eq!(recorded(more, "production"), [("el9".into(), expected.clone()), ("sl5".into(), expected)]);
}

#[test]
fn open_checksums_may_be_left_out_but_for_yum_3() {
    let words = Some("gzip sha256 no-open-checksums".to_owned());
    let expected = [("el9".to_owned(), words.clone()), ("sl5".to_owned(), words)];
    assert_eq!(recorded("open_checksum = false\n", "production"), expected);
    assert_eq!(recorded("open_checksum = true\n", "production")[0].1, None);
    check(
        "profiles = { sl5 = \"el6\" }\nopen_checksum = false\n",
        expect![[r#"
        f:14:17: the clients of profile `el6` need `open-checksum` (config/clients)
          hint: leave `open_checksum` out, or give those clients a stage of their own"#]],
    );
    check(
        "open_checksum = false\ndatabases = true\n",
        expect![[r#"
        f:13:17: databases for yum 3 need `open-checksum` (config/clients)
          hint: leave `open_checksum` out, or give those clients a stage of their own"#]],
    );
    check(
        "open_checksum = \"no\"\n",
        expect!["f:13:17: `open_checksum` must be true or false, not a text (config/value)"],
    );
}

#[test]
fn what_no_client_reads_is_refused_with_its_place() {
    check(
        "profile = \"el77\"\nprofiles = { sl6 = \"el6\", el9 = 9 }\ncompression = \"xz\"\nchecksum = \"md5\"\n\
         databases = \"yes\"\ncomps = \"comps.xml\"\nzchunk = true\n",
        expect![[r#"
            f:13:11: there is no profile "el77" (config/value)
              hint: did you mean `el7`?
            f:14:14: no platform of the product has the operating system "sl6" (config/value)
              hint: did you mean `sl5`?
            f:14:33: `el9` must be a text, not a number (config/value)
              hint: put it between quotes
            f:15:15: metadata cannot be packed by "xz" (config/clients)
              hint: allowed: "gzip", which every client reads, and "zstd" for dnf and zypper
            f:16:12: metadata cannot be hashed by "md5" (config/clients)
              hint: allowed: "sha256", and "sha1" for clients that know nothing else
            f:17:13: `databases` must be true or false, not a text (config/value)
            f:18:9: `comps = "comps.xml"` is relative (config/value)
              hint: write the whole path, beginning with `/`: the daemon has no directory of its own
            f:19:1: unknown key `zchunk` in [[product.stage]] (config/unknown-key)
              hint: allowed keys: name, path, versions, import_roles, withdraw_roles, revert_roles, waiver_roles, profile, profiles, compression, checksum, databases, metalink, open_checksum, retractions, comps, restricted, signed_by, metadata_signed_by, advisories, closure, meta_packages, install_only"#]],
    );
    check(
        "compression = \"zchunk\"\n",
        expect![[r#"
        f:13:15: zchunk is not written (config/clients)
          hint: use "gzip", which every client reads, or "zstd" for dnf and zypper; both reach them sooner"#]],
    );
    check(
        "profile = \"el7\"\ncompression = \"zstd\"\n",
        expect![[r#"
        f:14:15: the clients of profile `el7` do not read zstd (config/clients)
          hint: leave `compression` out, or give those clients a stage of their own"#]],
    );
    check(
        "profiles = { sl5 = \"el5\" }\nchecksum = \"sha256\"\n",
        expect![[r#"
        f:14:12: the clients of profile `el5` know no SHA-256 (config/clients)
          hint: leave `checksum` out, or give those clients a stage of their own"#]],
    );
}

/// Reads the groups of a configuration that names this file; shows the faults with `DIR` for the folder.
fn check_comps(folder: &camino::Utf8Path, name: &str, expected: Expect) {
    let text = format!("{SITE}comps = \"{folder}/{name}\"\n");
    let mut config = Config::parse(text.as_bytes(), "f").unwrap();
    let Err(Error::Config(errors)) = comps::read(&mut config) else { panic!("`{name}` was taken") };
    expected.assert_eq(&errors.to_string().replace(folder.as_str(), "DIR"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "lays out the files that a configuration names")]
fn groups_that_cannot_be_published_are_refused_with_the_line_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = camino::Utf8Path::from_path(folder.path()).unwrap();
    std::fs::write(folder.join("text"), "groups: none").unwrap();
    std::fs::write(folder.join("cut"), "<comps>\n<group>\n").unwrap();
    std::fs::File::create(folder.join("large")).unwrap().set_len(comps::SIZE_MAX + 1).unwrap();
    check_comps(
        folder,
        "missing",
        expect![[r#"
        f:13:9: `DIR/missing` cannot be published as comps: failed to read it: No such file or directory (os error 2) (config/comps)
          hint: put the file there, readable by the daemon's user"#]],
    );
    check_comps(
        folder,
        "text",
        expect![[r#"
        f:13:9: `DIR/text` cannot be published as comps: failed to read the file with groups in line 1: there is text outside of every element (config/comps)
          hint: `xmllint --noout` shows the place; the outermost element is <comps>"#]],
    );
    check_comps(
        folder,
        "cut",
        expect![[r#"
        f:13:9: `DIR/cut` cannot be published as comps: failed to read the file with groups in line 2: it ends early (config/comps)
          hint: `xmllint --noout` shows the place; the outermost element is <comps>"#]],
    );
    check_comps(
        folder,
        "large",
        expect![[r#"
        f:13:9: `DIR/large` cannot be published as comps: it has more than 16777216 bytes (config/comps)
          hint: is it really a file with groups?"#]],
    );
    check_comps(
        folder,
        ".",
        expect![[r#"
        f:13:9: `DIR/.` cannot be published as comps: it is not a file (config/comps)
          hint: name the file itself"#]],
    );
    std::fs::write(folder.join("good-sl5"), "<comps/>").unwrap();
    check_comps(
        folder,
        "good-{os}",
        expect![[r#"
        f:13:9: `DIR/good-el9` cannot be published as comps: failed to read it: No such file or directory (os error 2) (config/comps)
          hint: put the file there, readable by the daemon's user"#]],
    );

    std::fs::write(folder.join("good-el9"), "<comps/>").unwrap();
    let text = format!("{SITE}comps = \"{folder}/good-{{os}}\"\n");
    let mut config = Config::parse(text.as_bytes(), "f").unwrap();
    comps::read(&mut config).unwrap();
    assert_eq!(config.comps.values().filter(|comps| comps.bytes.is_some()).count(), 2);
}

#[test]
fn metalinks_are_for_clients_that_know_sha256() {
    let words = Some("gzip sha256 metalink".to_owned());
    let expected = [("el9".to_owned(), words.clone()), ("sl5".to_owned(), words)];
    assert_eq!(recorded("metalink = true\n", "production"), expected);
    assert_eq!(recorded("metalink = false\n", "production"), [("el9".into(), None), ("sl5".into(), None)]);
    check(
        "profiles = { sl5 = \"el5\" }\nmetalink = true\n",
        expect![[r#"
            f:14:12: the clients of profile `el5` know no SHA-256, which metalinks give (config/clients)
              hint: leave `metalink` out, or give those clients a stage of their own"#]],
    );
    check(
        "metalink = \"yes\"\n",
        expect!["f:13:12: `metalink` must be true or false, not a text (config/value)"],
    );
}
