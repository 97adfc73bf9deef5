use super::files;
use crate::config::Config;
use expect_test::expect;
use jiff::Timestamp;

fn config(products: &str) -> Config {
    let text = format!(
        "format = 1\n[site]\nname = \"Example Grid\"\nroot = \"/srv/sluice\"\nspool = \"/var/spool/sluice\"\n\
         base_url = \"https://repo.example.org/sluice\"\n{products}"
    );
    Config::parse(text.as_bytes(), "f").unwrap_or_else(|errors| panic!("{errors}"))
}

fn now() -> Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

fn names(config: &Config) -> Vec<String> {
    files(config, now()).into_keys().collect()
}

fn text(config: &Config, name: &str) -> String {
    String::from_utf8(files(config, now())[name].clone()).unwrap()
}

#[test]
fn one_platform_has_the_same_repository_in_a_file_of_the_stage() {
    let config =
        config("[[product]]\nname = \"glite-3.2\"\npreset = \"glite\"\nplatforms = [\"sl5/x86_64\"]\n");
    let production = text(&config, "glite-3.2-production.repo");
    assert_eq!(production, text(&config, "glite-3.2-sl5-x86_64-production.repo"));
    expect![[r#"
        # Example Grid: glite-3.2 production for sl5/x86_64, written by Sluice.

        [glite-3.2-sl5-x86_64-production]
        name=glite-3.2 production (sl5/x86_64)
        baseurl=https://repo.example.org/sluice/glite-3.2/sl5/x86_64/production/
        enabled=1
        # This stage demands no signed packages; whoever signs them elsewhere may set gpgcheck=1 and gpgkey= here.
        gpgcheck=0
        metadata_expire=60

        [glite-3.2-sl5-x86_64-production-debug]
        name=glite-3.2 production (sl5/x86_64), debug information
        baseurl=https://repo.example.org/sluice/glite-3.2/sl5/x86_64/production/debug/
        enabled=0
        # This stage demands no signed packages; whoever signs them elsewhere may set gpgcheck=1 and gpgkey= here.
        gpgcheck=0
        metadata_expire=60

        [glite-3.2-sl5-x86_64-production-source]
        name=glite-3.2 production (sl5/x86_64), sources
        baseurl=https://repo.example.org/sluice/glite-3.2/sl5/x86_64/production/source/
        enabled=0
        # This stage demands no signed packages; whoever signs them elsewhere may set gpgcheck=1 and gpgkey= here.
        gpgcheck=0
        metadata_expire=60
    "#]]
    .assert_eq(&production);
    assert_eq!(names(&config).len(), 6);
}

#[test]
fn several_architectures_of_one_system_share_a_file_with_basearch() {
    let config = config(
        "[[product]]\nname = \"g\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\", \"el9/aarch64\"]\n",
    );
    let expected = [
        "g-delta.repo",
        "g-el9-aarch64-delta.repo",
        "g-el9-aarch64-production.repo",
        "g-el9-delta.repo",
        "g-el9-production.repo",
        "g-el9-x86_64-delta.repo",
        "g-el9-x86_64-production.repo",
        "g-production.repo",
    ];
    assert_eq!(names(&config), expected);
    let shared = text(&config, "g-production.repo");
    assert!(shared.contains("[g-el9-production]\n"), "{shared}");
    assert!(
        shared.contains("baseurl=https://repo.example.org/sluice/g/el9/$basearch/production/\n"),
        "{shared}"
    );
    assert!(shared.contains("/g/el9/$basearch/production/debug/\nenabled=0\n"), "{shared}");
    let own = text(&config, "g-el9-aarch64-production.repo");
    assert!(own.contains("/g/el9/aarch64/production/\nenabled=1\n") && !own.contains("basearch"), "{own}");
}

#[test]
fn no_file_enables_the_repository_of_another_system() {
    let config = config(
        "[[product]]\nname = \"g\"\npreset = \"glite\"\nplatforms = [\"sl5/x86_64\", \"sl6/x86_64\", \"sl6/i386\"]\n",
    );
    let names = names(&config);
    assert!(!names.contains(&"g-production.repo".to_owned()), "{names:?}");
    assert!(names.contains(&"g-sl6-production.repo".to_owned()), "{names:?}");
    for (name, bytes) in files(&config, now()) {
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches("enabled=1").count(), 1, "{name}");
        assert!(!(text.contains("/sl5/") && text.contains("/sl6/")), "{name}");
    }
}

#[test]
fn basearch_is_not_used_where_dnf_would_say_something_else() {
    // i686 hosts have the $basearch i386, and a path of its own cannot be guessed.
    for platforms in ["[\"el6/i686\", \"el6/x86_64\"]", "[\"el6/armv7hl\", \"el6/x86_64\"]"] {
        let config =
            config(&format!("[[product]]\nname = \"g\"\npreset = \"glite\"\nplatforms = {platforms}\n"));
        let names = names(&config);
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names.iter().all(|name| name.matches('-').count() == 3), "{names:?}");
    }
}

#[test]
fn the_path_of_the_stage_is_the_path_in_the_file() {
    let config = config(
        "[[product]]\nname = \"g\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\", \"el9/aarch64\"]\n\
         [[product.stage]]\nname = \"production\"\npath = \"old/{arch}-{os}/{arch}\"\n",
    );
    let shared = text(&config, "g-production.repo");
    assert!(
        shared.contains("baseurl=https://repo.example.org/sluice/old/$basearch-el9/$basearch/\n"),
        "{shared}"
    );
}

#[test]
fn a_general_name_that_two_products_want_belongs_to_neither() {
    let config = config(
        "[[product]]\nname = \"a\"\nplatforms = [\"b-c/x86_64\"]\n[[product.stage]]\nname = \"s\"\n\
         [[product]]\nname = \"a-b\"\nplatforms = [\"c/aarch64\"]\n[[product.stage]]\nname = \"s\"\n",
    );
    let expected = ["a-b-c-aarch64-s.repo", "a-b-c-x86_64-s.repo", "a-b-s.repo", "a-s.repo"];
    assert_eq!(names(&config), expected);
}

#[test]
fn section_names_have_only_what_dnf_takes() {
    let config = config(
        "[[product]]\nname = \"g+x_1.0\"\npreset = \"glite\"\nplatforms = [\"el9+a/x86_64\", \"b/x86_64\"]\n",
    );
    let mut sections = Vec::new();
    for (name, bytes) in files(&config, now()) {
        let text = String::from_utf8(bytes).unwrap();
        sections.extend(text.lines().filter(|line| line.starts_with('[')).map(str::to_owned));
        assert!(text.contains("/g+x_1.0/"), "{name}");
    }
    assert!(sections.contains(&"[g:x_1.0-el9:a-x86_64-delta-debug]".to_owned()), "{sections:?}");
    let taken = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    assert!(sections.iter().all(|section| section[1..section.len() - 1].chars().all(taken)), "{sections:?}");
}

#[test]
fn a_stage_with_metalinks_has_files_that_lead_to_them_beside_the_plain_ones() {
    let config = config(
        "[[product]]\nname = \"glite-3.2\"\npreset = \"glite\"\nplatforms = [\"sl5/x86_64\"]\n\
         [[product.stage]]\nname = \"production\"\nmetalink = true\n",
    );
    let by_metalink: Vec<String> =
        names(&config).into_iter().filter(|name| name.ends_with(super::BY_METALINK)).collect();
    assert_eq!(
        by_metalink,
        [
            "glite-3.2-production-metalink.repo",
            "glite-3.2-sl5-production-metalink.repo",
            "glite-3.2-sl5-x86_64-production-metalink.repo"
        ]
    );
    let plain = text(&config, "glite-3.2-production.repo");
    let line = |text: &str, key: &str| {
        text.lines().filter(|line| line.starts_with(key)).map(str::to_owned).collect::<Vec<_>>()
    };
    let metalink = text(&config, "glite-3.2-production-metalink.repo");
    assert!(line(&plain, "metalink=").is_empty() && line(&metalink, "baseurl=").is_empty());
    assert_eq!(
        line(&metalink, "metalink=")[0],
        "metalink=https://repo.example.org/sluice/glite-3.2/sl5/x86_64/production/metalink.xml"
    );
    // A host with both sees one repository.
    assert_eq!(line(&plain, "["), line(&metalink, "["));
}

#[test]
fn hosts_are_told_of_no_key_that_signs_no_metadata_any_more_while_there_is_another() {
    let gpgkey = |now: &str, old: &str, new: &str| {
        let fingerprint = "F7612F0B3C1D0056060DFA4F2D287F441A9678FC";
        let other = "A".repeat(40);
        let config = config(&format!(
            "[signer]\ncommand = [\"/bin/true\"]\n\
             [[key]]\nname = \"old\"\nfile = \"/k\"\nfingerprint = \"{fingerprint}\"\n{old}\
             [[key]]\nname = \"new\"\nfile = \"/n\"\nfingerprint = \"{other}\"\n{new}\
             [[product]]\nname = \"g\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n\
             [[product.stage]]\nname = \"delta\"\nsigned_by = [\"new\", \"old\"]\n\
             [[product.stage]]\nname = \"production\"\nmetadata_signed_by = [\"new\", \"old\"]\n"
        ));
        let files = files(&config, now.parse().unwrap());
        ["delta", "production"].map(|stage| {
            let text = String::from_utf8(files[&format!("g-{stage}.repo")].clone()).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("gpgkey=")).unwrap().to_owned();
            line.replace("https://repo.example.org/sluice/RPM-GPG-KEY-", "")
        })
    };
    let until = "until = \"2026-02-01T00:00:00Z\"\n";
    assert_eq!(gpgkey("2026-01-31T23:59:59Z", until, ""), ["new old", "new old"]);
    // What the old one signed of packages is still there, and a new host needs it to install that.
    assert_eq!(gpgkey("2026-02-01T00:00:00Z", until, ""), ["new old", "new"]);
    assert_eq!(gpgkey("2026-02-01T00:00:00Z", until, until), ["new old", "new old"], "no other is left");
    let from = "from = \"2026-02-01T00:00:00Z\"\n";
    assert_eq!(gpgkey("2026-01-01T00:00:00Z", "", from), ["new old", "new old"], "told of before it counts");
}
