use super::{Account, Config, Identity, verdict};
use expect_test::{Expect, expect};
use jiff::SignedDuration;
use plan::Versions;

const SITE: &str = r#"format = 1
[site]
name = "Example Grid"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "https://repo.example.org/"
"#;

const PRODUCT: &str = r#"
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["sl5/x86_64", "sl5/i386"]
"#;

fn good(text: &str) -> Config {
    Config::parse(text.as_bytes(), "sluice.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// Shows the faults of SITE, PRODUCT and `more`, the lines counted from the first of `more`.
fn check(more: &str, expected: Expect) {
    let errors = Config::parse(format!("{SITE}{PRODUCT}{more}").as_bytes(), "f").unwrap_err();
    expected.assert_eq(&errors.to_string());
}

#[test]
fn the_smallest_file_has_defaults_for_the_rest() {
    let config = good(&format!("{SITE}{PRODUCT}"));
    assert_eq!(config.base_url, "https://repo.example.org");
    assert_eq!(config.grace, SignedDuration::from_hours(72));
    assert_eq!(config.listen, None);
    let product = &config.layout.products["glite-3.2"];
    let stages: Vec<_> =
        product.stages.iter().map(|s| (s.name.as_str(), s.versions, &s.import_roles[..])).collect();
    let team = ["release-team".to_owned()];
    assert_eq!(stages, [("delta", Versions::All, &team[..]), ("production", Versions::All, &team[..])]);
    let routes: Vec<_> =
        product.routes.iter().map(|r| (r.from.as_str(), r.to.as_str(), &r.roles[..])).collect();
    assert_eq!(routes, [("delta", "production", &team[..])]);
    assert_eq!(config.bytes, format!("{SITE}{PRODUCT}").as_bytes());
}

#[test]
fn stages_and_routes_override_and_extend_the_preset() {
    let config = good(&format!(
        r#"{SITE}
        [[product]]
        name = "emi"
        preset = "egi"
        platforms = ["sl5/x86_64"]
        [[product.stage]]
        name = "production"
        path = "emi-production/{{os}}/{{arch}}"
        versions = "newest 2"
        [[product.stage]]
        name = "archive"
        import_roles = ["archivist"]
        [[product.route]]
        from = "testing"
        to = "production"
        roles = ["release-team", "operations"]
        overlap = "2 days"
        [[product.route]]
        from = "production"
        to = "archive"
        "#
    ));
    let product = &config.layout.products["emi"];
    let stages: Vec<_> =
        product.stages.iter().map(|stage| (stage.name.as_str(), stage.path.as_str())).collect();
    let usual = "{product}/{os}/{arch}/{stage}";
    let expected = [
        ("untested", usual),
        ("testing", usual),
        ("production", "emi-production/{os}/{arch}"),
        ("archive", usual),
    ];
    assert_eq!(stages, expected);
    assert_eq!(product.stages[2].versions, Versions::Newest(2));
    assert_eq!(product.stages[2].import_roles, ["release-team"]);
    assert_eq!(product.stages[3].import_roles, ["archivist"]);
    let of = |r: &plan::Route| (r.from.clone(), r.to.clone(), r.roles.len(), r.overlap.as_hours());
    let expected =
        [("untested", "testing", 1, 0), ("testing", "production", 2, 48), ("production", "archive", 1, 0)];
    let expected = expected.map(|(from, to, roles, hours)| (from.to_owned(), to.to_owned(), roles, hours));
    assert_eq!(product.routes.iter().map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn lengths_of_time_are_read_as_people_write_them() {
    for (text, hours) in [("72h", 72), ("3 days", 72), ("3d", 72), ("90min", 1), ("0h", 0), ("2 weeks", 336)]
    {
        let config = good(&format!("{SITE}grace = {text:?}\n{PRODUCT}"));
        assert_eq!(config.grace.as_hours(), hours, "{text}");
    }
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let text = r#"
format = 2
[site]
name = ""
root = "srv/sluice"
spool = "/"
basurl = "https://x"
grace = "soon"
listen = "8080"
[[product]]
name = "a b"
platforms = ["sl5", "sl5/noarch"]
[roles]
release-team = "alice"
colour = ["alice", "user:", "uid:x"]
"#;
    let errors = Config::parse(text.as_bytes(), "/etc/sluice.toml").unwrap_err();
    expect![[r#"
        /etc/sluice.toml:2:10: this sluice reads format 1, not 2 (config/value)
          hint: write `format = 1`, or use the sluice that wrote the file
        /etc/sluice.toml:3:1: [site] has no `base_url` (config/missing)
          hint: write for example `base_url = "https://repo.example.org"`
        /etc/sluice.toml:4:8: `name` must be one line of 1 to 200 bytes (config/value)
        /etc/sluice.toml:5:8: `root = "srv/sluice"` is relative (config/value)
          hint: write the whole path, beginning with `/`: the daemon has no directory of its own
        /etc/sluice.toml:6:9: `spool = "/"` is the root of the file system (config/value)
          hint: give it a directory of its own
        /etc/sluice.toml:7:1: unknown key `basurl` in [site] (config/unknown-key)
          hint: did you mean `base_url`?
        /etc/sluice.toml:8:9: `grace = "soon"` is not a length of time up to ten years (config/value)
          hint: write for example "72h", "3 days" or "90min"
        /etc/sluice.toml:10:1: the product has no stages (config/value)
          hint: add `preset = "glite"`, `preset = "egi"`, or a [[product.stage]]
        /etc/sluice.toml:11:8: the product name `a b` cannot be used: it contains ` ` (config/value)
          hint: use letters, digits and `.`, `_`, `+`, `-`, not beginning with `.` or `-`
        /etc/sluice.toml:12:14: "sl5" is not a platform (config/value)
          hint: write operating system and architecture, as in "sl5/x86_64"
        /etc/sluice.toml:12:21: "sl5/noarch" is not a platform (config/value)
          hint: noarch packages go into every architecture by themselves
        /etc/sluice.toml:14:16: `release-team` must be a list of texts, not a text (config/value)
          hint: put it between brackets, as in ["one", "two"]
        /etc/sluice.toml:15:11: "alice" is not an account (config/value)
          hint: did you mean "user:alice" or "group:alice"?
        /etc/sluice.toml:15:20: "user:" is not an account (config/value)
          hint: write "user:alice", "group:mu", "uid:1001" or "gid:2000"
        /etc/sluice.toml:15:29: "uid:x" is not an account (config/value)
          hint: write "user:alice", "group:mu", "uid:1001" or "gid:2000""#]]
    .assert_eq(&errors.to_string());
}

#[test]
fn text_that_is_no_toml_is_refused_with_line_and_column() {
    let told = |bytes: &[u8]| Config::parse(bytes, "f").unwrap_err().to_string();
    expect!["f:2:6: unclosed table, expected `]` (config/syntax)"]
        .assert_eq(&told(b"format = 1\n[site\nname = 3\n"));
    expect!["f:2:1: duplicate key (config/syntax)"].assert_eq(&told(b"format = 1\nformat = 1\n"));
    expect![[r#"
        f:2:9: the text is not UTF-8 (config/syntax)
          hint: save the file as UTF-8"#]]
    .assert_eq(&told(b"format = 1\nname = \"\xff\"\n"));
    expect![[r#"
        f:1:1: the file has no `format` (config/missing)
          hint: write for example `format = 1`
        f:1:1: the file has no [site] (config/missing)
        f:1:1: the file has no [[product]] (config/missing)"#]]
    .assert_eq(&told(b""));
    expect!["f:1:1: the file has more than 1048576 bytes (config/syntax)"]
        .assert_eq(&told(&vec![b'#'; 2 << 20]));
}

#[test]
fn names_that_cannot_stand_in_a_path_are_refused() {
    check(
        "[[product]]\nname = \"../x\"\nplatforms = [\"sl5/x86_64\"]\npreset = \"glite\"\n\
         [[product.stage]]\nname = \"-rf\"\n[[product.stage]]\nname = \"@42\"\n",
        expect![[r#"
            f:13:8: the product name `../x` cannot be used: it contains `/` (config/value)
              hint: use letters, digits and `.`, `_`, `+`, `-`, not beginning with `.` or `-`
            f:17:8: the stage name `-rf` cannot be used: it begins with `.` or `-` (config/value)
              hint: use letters, digits and `.`, `_`, `+`, `-`, not beginning with `.` or `-`
            f:19:8: the stage name `@42` cannot be used: it contains `@` (config/value)
              hint: use letters, digits and `.`, `_`, `+`, `-`, not beginning with `.` or `-`"#]],
    );
}

#[test]
fn templates_are_relative_and_know_four_placeholders() {
    check(
        "[[product.stage]]\nname = \"a\"\npath = \"{prodct}/x\"\n\
         [[product.stage]]\nname = \"b\"\npath = \"/srv/{os}\"\n\
         [[product.stage]]\nname = \"c\"\npath = \"x/../{os}/{arch}\"\n\
         [[product.stage]]\nname = \"d\"\npath = \"{os\"\n",
        expect![[r#"
            f:14:8: the path template "{prodct}/x" has an unknown placeholder `{prodct}` (config/value)
              hint: did you mean `product`?
            f:17:8: the path template "/srv/{os}" has the part ``: it is empty (config/value)
              hint: a template is relative, as in "{product}/{os}/{arch}/{stage}"
            f:20:8: the path template "x/../{os}/{arch}" has the part `..`: it begins with `.` or `-` (config/value)
              hint: a template is relative, as in "{product}/{os}/{arch}/{stage}"
            f:23:8: the path template "{os" has a `{` without `}` (config/value)"#]],
    );
}

#[test]
fn repositories_do_not_lie_in_one_another() {
    check(
        "[[product.stage]]\nname = \"a\"\npath = \"x/{os}/{arch}\"\n\
         [[product.stage]]\nname = \"b\"\npath = \"x/{os}/{arch}/debug\"\n\
         [[product.stage]]\nname = \"c\"\npath = \"y/{os}\"\n\
         [[product.stage]]\nname = \"d\"\npath = \"packages/{os}/{arch}\"\n",
        expect![[r#"
            f:17:8: the path `x/sl5/i386/debug` of stage `b` of `glite-3.2` for `sl5/i386` lies inside `x/sl5/i386` of stage `a` of `glite-3.2` for `sl5/i386` (config/nested-path)
              hint: no repository may lie in another: a mirror of the outer would take the inner along (the other is in line 14)
            f:17:8: the path `x/sl5/x86_64/debug` of stage `b` of `glite-3.2` for `sl5/x86_64` lies inside `x/sl5/x86_64` of stage `a` of `glite-3.2` for `sl5/x86_64` (config/nested-path)
              hint: no repository may lie in another: a mirror of the outer would take the inner along (the other is in line 14)
            f:20:8: stage `c` of `glite-3.2` for `sl5/x86_64` and stage `c` of `glite-3.2` for `sl5/i386` share the path `y/sl5` (config/same-path)
              hint: use {product}, {os}, {arch} and {stage} in `path` until every repository has its own (the other is in line 20)
            f:23:8: the path `packages/sl5/x86_64` of stage `d` of `glite-3.2` for `sl5/x86_64` uses a reserved name (config/reserved-path)
              hint: `repodata`, `Packages` and at the top `generation`, `index.html`, `packages`, `current`, `*.repo` and `RPM-GPG-KEY*` have another meaning"#]],
    );
}

#[test]
fn repository_names_do_not_fall_together() {
    check(
        "[[product]]\nname = \"glite\"\nplatforms = [\"3.2-sl5/x86_64\"]\npreset = \"glite\"\n\
         [[product]]\nname = \"p\"\nplatforms = [\"o/x86_64\"]\n\
         [[product.stage]]\nname = \"s\"\n[[product.stage]]\nname = \"s-debug\"\n",
        expect![[r#"
            f:15:10: stage `delta` of `glite` for `3.2-sl5/x86_64` and stage `delta` of `glite-3.2` for `sl5/x86_64` would both be called `glite-3.2-sl5-x86_64-delta` (config/same-path)
              hint: the dashes between product, system, architecture and stage fall together: rename one
            f:15:10: stage `production` of `glite` for `3.2-sl5/x86_64` and stage `production` of `glite-3.2` for `sl5/x86_64` would both be called `glite-3.2-sl5-x86_64-production` (config/same-path)
              hint: the dashes between product, system, architecture and stage fall together: rename one
            f:22:8: stage `s-debug` of `p` for `o/x86_64` and stage `s` of `p` for `o/x86_64` would both be called `p-o-x86_64-s-debug` (config/same-path)
              hint: the dashes between product, system, architecture and stage fall together: rename one"#]],
    );
}

#[test]
fn doubles_are_refused_with_the_first_one_named() {
    check(
        "[[product.stage]]\nname = \"delta\"\n[[product.stage]]\nname = \"delta\"\n\
         [[product.route]]\nfrom = \"delta\"\nto = \"production\"\n\
         [[product.route]]\nfrom = \"delta\"\nto = \"production\"\n\
         [[product.route]]\nfrom = \"delta\"\nto = \"delta\"\n\
         [[product]]\nname = \"glite-3.2\"\nplatforms = [\"el9/x86_64\", \"el9/x86_64\"]\npreset = \"glite\"\n",
        expect![[r#"
            f:15:8: the stage `delta` of this product stands in the file twice (config/twice)
              hint: give each stage one table
            f:20:8: the route from `delta` to `production` stands in the file twice (config/twice)
              hint: give each route one table
            f:24:6: the route leads from `delta` to itself (config/route-loop)
              hint: routes lead forwards; `sluice withdraw` and `sluice revert` take packages back
            f:26:8: the product `glite-3.2` stands in the file twice (config/twice)
              hint: the first one is in line 9
            f:27:28: the platform `el9/x86_64` stands in the list twice (config/twice)"#]],
    );
}

#[test]
fn what_does_not_exist_is_named_with_what_was_meant() {
    check(
        "[[product.route]]\nfrom = \"dleta\"\nto = \"production\"\n\
         [[product]]\nname = \"q\"\nplatforms = [\"el9/x86_64\"]\npreset = \"glitte\"\n\
         [roles.product.\"glite-3.1\"]\nrelease-team = [\"user:carol\"]\n",
        expect![[r#"
            f:13:8: the route names the stage "dleta", which does not exist (config/unknown-stage)
              hint: did you mean `delta`?
            f:15:1: the product has no stages (config/value)
              hint: add `preset = "glite"`, `preset = "egi"`, or a [[product.stage]]
            f:18:10: there is no preset "glitte" (config/value)
              hint: did you mean `glite`?
            f:19:16: there is no product "glite-3.1" (config/value)
              hint: did you mean `glite-3.2`?"#]],
    );
}

#[test]
fn root_and_spool_lie_side_by_side() {
    for (root, spool) in [("/srv/s", "/srv/s/spool"), ("/srv/s/root", "/srv/s"), ("/srv/s", "/srv//./s/")] {
        let text = SITE.replace("/srv/sluice", root).replace("/var/spool/sluice", spool);
        let errors = Config::parse(format!("{text}{PRODUCT}").as_bytes(), "f").unwrap_err();
        assert_eq!(errors.faults.len(), 1, "{errors}");
        assert_eq!(errors.faults[0].line, 5);
    }
    good(&format!("{}{PRODUCT}", SITE.replace("/srv/sluice", "/var/spool/sluice2")));
}

#[test]
fn urls_that_would_break_a_repo_file_are_refused() {
    for url in [
        "ftp://x",
        "https://",
        "https://x/?a",
        "https://x y",
        "https://x\\n[evil]",
        "repo.example.org",
        "http://$x",
    ] {
        let text = SITE.replace("https://repo.example.org/", url);
        let errors = Config::parse(format!("{text}{PRODUCT}").as_bytes(), "f").unwrap_err();
        assert_eq!((errors.faults.len(), errors.faults[0].line), (1, 6), "{errors}");
    }
}

#[test]
fn a_layout_of_absurd_size_is_refused_before_it_is_laid_out() {
    let platforms: Vec<String> = (0..300).map(|n| format!("\"os{n}/x86_64\"")).collect();
    let stages: String = (0..100).map(|n| format!("[[product.stage]]\nname = \"s{n}\"\n")).collect();
    let text = format!("{SITE}[[product]]\nname = \"p\"\nplatforms = [{}]\n{stages}", platforms.join(","));
    let errors = Config::parse(text.as_bytes(), "f").unwrap_err();
    assert!(errors.to_string().contains("30000 repositories"), "{errors}");
}

#[test]
fn random_bytes_are_refused_and_never_worse() {
    let base =
        format!("{SITE}{PRODUCT}[roles]\na = [\"user:x\"]\n[roles.product.\"glite-3.2\"]\nb = [\"gid:1\"]\n");
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..2000 {
        let mut bytes = base.clone().into_bytes();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            match next(3) {
                0 => bytes[at] = next(256) as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"[]{}\"=.,\n"[next(9)]),
            }
        }
        match Config::parse(&bytes, "f") {
            Ok(_) => taken += 1,
            Err(errors) => {
                assert!(!errors.faults.is_empty());
                refused += 1;
            }
        }
    }
    assert!(refused > 500 && taken > 0, "{refused} refused, {taken} taken");
}

#[test]
fn roles_are_held_by_name_number_and_group_also_for_one_product() {
    let config = good(&format!(
        "{SITE}{PRODUCT}[roles]\nrelease-team = [\"user:alice\", \"group:mu\"]\nauditor = [\"uid:1001\", \"gid:50\"]\n\
         [roles.product.\"glite-3.2\"]\nrelease-team = [\"user:carol\", \"user:alice\"]\n"
    ));
    let who = |uid, user: Option<&str>, groups: &[(u32, &str)]| Identity {
        uid,
        user: user.map(str::to_owned),
        groups: groups.iter().map(|(gid, name)| (*gid, Some((*name).to_owned()))).collect(),
    };
    let team = (None, "release-team".to_owned());
    let team_of_glite = (Some("glite-3.2".to_owned()), "release-team".to_owned());
    let auditor = (None, "auditor".to_owned());
    let of = |identity| config.roles.of_identity(&identity);
    assert_eq!(
        of(who(7, Some("alice"), &[])),
        ("user:alice".into(), vec![team.clone(), team_of_glite.clone()])
    );
    assert_eq!(of(who(7, Some("bob"), &[(9, "users"), (8, "mu")])), ("user:bob".into(), vec![team.clone()]));
    assert_eq!(
        of(who(7, Some("carol"), &[(50, "x")])),
        ("user:carol".into(), vec![auditor.clone(), team_of_glite])
    );
    assert_eq!(of(who(1001, None, &[])), ("uid:1001".into(), vec![auditor]));
    assert_eq!(of(who(7, Some("mu"), &[(7, "alice")])), ("user:mu".into(), vec![]));
    assert_eq!(of(who(0, Some("root"), &[(8, "mu"), (50, "x")])), ("user:root".into(), vec![]));
}

#[test]
fn root_has_a_role_only_if_the_file_says_so() {
    let config = good(&format!(
        "{SITE}{PRODUCT}[roles]\na = [\"user:root\"]\nb = [\"uid:0\"]\nc = [\"group:root\"]\n"
    ));
    let root = Identity { uid: 0, user: Some("root".to_owned()), groups: vec![(0, Some("root".to_owned()))] };
    let (name, roles) = config.roles.of_identity(&root);
    assert_eq!((name.as_str(), roles), ("user:root", vec![(None, "a".to_owned()), (None, "b".to_owned())]));
}

#[test]
fn accounts_are_printed_as_they_are_written() {
    for text in ["user:alice", "group:mu", "uid:0", "gid:4294967294", "as:ea-IT-CNAF"] {
        assert_eq!(Account::parse(text).unwrap().to_string(), text);
    }
    for text in ["alice", "user:", "uid:-1", "uid:4294967295", "uid:+1", "mail:x", "user:a b", "group:a,b"] {
        assert!(Account::parse(text).is_err(), "{text}");
    }
}

#[test]
fn accounts_that_this_host_does_not_know_are_told_with_their_line() {
    let config = good(&format!(
        "{SITE}{PRODUCT}[roles]\nrelease-team = [\"user:root\", \"user:no.such.user.here\", \"uid:3999999777\"]\n\
         operations = [\"group:no.such.group.here\"]\n"
    ));
    let error = super::accounts::check(&config).unwrap_err();
    expect![[r#"
        failed to accept the configuration:
        sluice.toml:14:15: this host knows no group `no.such.group.here` (config/unknown-account)
          hint: `getent passwd` and `getent group` list them; or write a number, "gid:2000"
        sluice.toml:13:30: this host knows no user `no.such.user.here` (config/unknown-account)
          hint: `getent passwd` and `getent group` list them; or write a number, "uid:1001""#]]
    .assert_eq(&error.to_string());
}

#[test]
fn the_door_is_one_user_and_speaks_for_names() {
    let door = |line: &str| good(&format!("{SITE}{line}\n{PRODUCT}"));
    let config = door("door = \"uid:4242\"");
    assert_eq!(config.door, Some(Account::Uid(4242)));
    assert_eq!([4242, 4243, 0].map(|uid| config.is_door(uid).unwrap()), [true, false, false]);
    assert!(!door("").is_door(4242).unwrap());
    let this = nix::unistd::User::from_name("daemon").unwrap();
    if let Some(user) = this {
        let config = door("door = \"user:daemon\"");
        super::accounts::check(&config).unwrap();
        assert_eq!([user.uid.as_raw(), 4242].map(|uid| config.is_door(uid).unwrap()), [true, false]);
    }
    for bad in ["group:mu", "gid:7", "as:x", "user:root", "uid:0", "sluice-door"] {
        let text = format!("{SITE}door = {bad:?}\n{PRODUCT}");
        let errors = Config::parse(text.as_bytes(), "f").unwrap_err();
        assert!(errors.to_string().starts_with("f:7:8: `door = "), "{errors}");
    }
    let unknown = super::accounts::check(&door("door = \"user:no.such.user.here\"")).unwrap_err();
    assert!(unknown.to_string().contains("sluice.toml:7:8: this host knows no user"), "{unknown}");
}

#[test]
fn a_name_that_the_door_speaks_for_has_roles_and_no_user_has_them() {
    let text = format!(
        "{SITE}door = \"uid:4242\"\n{PRODUCT}[roles]\nrelease-team = [\"as:ea-IT-CNAF\"]\nops = [\"user:x\"]\n\
         [roles.product.\"glite-3.2\"]\nrelease-team = [\"as:alice\"]\n"
    );
    let config = good(&text);
    assert_eq!(config.warnings, []);
    super::accounts::check(&config).unwrap_err();
    let team = |product: Option<&str>| vec![(product.map(str::to_owned), "release-team".to_owned())];
    assert_eq!(config.roles.of_named("ea-IT-CNAF"), ("as:ea-IT-CNAF".to_owned(), team(None)));
    assert_eq!(config.roles.of_named("alice"), ("as:alice".to_owned(), team(Some("glite-3.2"))));
    assert_eq!(config.roles.of_named("x").1, [], "a user's role is not that of a name");
    let alice =
        Identity { uid: 7, user: Some("alice".to_owned()), groups: vec![(7, Some("alice".to_owned()))] };
    assert_eq!(config.roles.of_identity(&alice).1, [], "a name's role is not that of a user");
    let warned = good(&text.replace("door = \"uid:4242\"\n", "")).warnings;
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].reason.contains("nobody speaks for \"as:ea-IT-CNAF\""), "{warned:?}");
}

#[test]
fn the_verdict_reads_like_that_of_nginx() {
    let text = format!(
        "{SITE}{PRODUCT}[[product.route]]\nfrom = \"delta\"\nto = \"production\"\nroles = [\"board\"]\n\
         [roles]\nrelase-team = [\"user:alice\"]\n"
    );
    expect![[r#"
        warning: sluice.toml:10:10: `glite-3.2` asks for the role `release-team`, which nobody has (config/value)
          hint: write for example `release-team = ["group:mu"]` below [roles]
        warning: sluice.toml:15:10: `glite-3.2` asks for the role `board`, which nobody has (config/value)
          hint: write for example `board = ["group:mu"]` below [roles]
        warning: sluice.toml:17:16: no stage and no route asks for the role `relase-team` (config/value)
          hint: did you mean `release-team`?
        sluice: the configuration file sluice.toml syntax is ok
        sluice: 1 products, 12 repositories
        sluice: configuration file sluice.toml test is successful
    "#]]
    .assert_eq(&verdict("sluice.toml", &Config::parse(text.as_bytes(), "sluice.toml")));
    let bad = Config::parse(b"format = 1\n", "sluice.toml");
    expect![[r#"
        sluice.toml:1:1: the file has no [site] (config/missing)
        sluice.toml:1:1: the file has no [[product]] (config/missing)
        sluice: configuration file sluice.toml test failed (2)
    "#]]
    .assert_eq(&verdict("sluice.toml", &bad));
}
