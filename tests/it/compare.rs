//! `sluice compare` on repositories by other tools, by this one, and by nobody who means well.

mod adopted;

use std::collections::BTreeMap;
use std::fs::{self, FileTimes};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use serde_json::Value;
use testkit::{
    Ran, SOURCE_DATE_EPOCH, Sandbox, Site, checkout, createrepo_c, fixtures, is_root, program, run, sluice,
};
use walkdir::WalkDir;

fn compare(dir: &Utf8Path, more: &[&str]) -> Ran {
    run(program(sluice().as_str()).arg("compare").arg(dir).args(more))
}

/// The report, and the exit code it was given with.
fn report(dir: &Utf8Path) -> (i32, Value) {
    let ran = compare(dir, &["--json"]);
    let report: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{ran}"));
    assert_eq!(report["exit"], ran.code(), "{ran}");
    (ran.code(), report)
}

#[track_caller]
fn nothing_differs(dir: &Utf8Path) -> Value {
    let (code, report) = report(dir);
    assert_eq!((code, &report["findings"]), (0, &Value::Array(Vec::new())), "{dir}: {report:#}");
    assert_eq!(report["packages_alike"], report["packages_made"]);
    report
}

/// Every finding in a few words, sorted.
#[track_caller]
fn found(dir: &Utf8Path) -> Vec<String> {
    let (code, report) = report(dir);
    assert_eq!(code, 6, "{report:#}");
    let words = |finding: &Value| {
        let word = |key: &str| finding[key].as_str();
        let sides = ["theirs", "ours"].map(|side| word(side).unwrap_or("-"));
        match word("code").unwrap() {
            "element" => {
                let [file, package, place] = ["file", "package", "place"].map(|key| word(key).unwrap());
                format!("{package} {file} {place}: {} | {}", sides[0], sides[1])
            }
            code => format!("{code} {}", word("href").or(word("file")).unwrap_or_default()),
        }
    };
    let mut found: Vec<String> = report["findings"].as_array().unwrap().iter().map(words).collect();
    found.sort();
    found
}

fn place(packages: &[Utf8PathBuf], dir: &Utf8Path) {
    for path in packages {
        let copy = dir.join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(SOURCE_DATE_EPOCH.unsigned_abs());
        fs::File::open(&copy).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
    }
}

/// The fixtures with metadata by createrepo_c.
fn theirs(sandbox: &Sandbox, arguments: &[&str]) -> Utf8PathBuf {
    let dir = sandbox.folder("theirs");
    place(&fixtures().good, &dir);
    createrepo_c(&dir, arguments).ok();
    dir
}

/// The repositories of `fixtures/foreign.sh`.
fn foreign(sandbox: &Sandbox) -> Utf8PathBuf {
    let dir = sandbox.path("foreign");
    run(program("bash").arg(checkout().join("fixtures/foreign.sh")).arg(&fixtures().folder).arg(&dir)).ok();
    dir
}

/// Everything a look can tell of a tree, but for when it was looked at.
fn digest(dir: &Utf8Path) -> BTreeMap<String, String> {
    let entry = |entry: walkdir::DirEntry| {
        let state = entry.metadata().unwrap();
        let bytes = if state.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
        let said = format!(
            "{} {:o} {} {} {}.{} {}.{} {}",
            state.ino(),
            state.mode(),
            state.nlink(),
            state.size(),
            state.mtime(),
            state.mtime_nsec(),
            state.ctime(),
            state.ctime_nsec(),
            repo::sha256(&bytes)
        );
        (entry.path().to_str().unwrap().to_owned(), said)
    };
    WalkDir::new(dir).into_iter().map(Result::unwrap).map(entry).collect()
}

/// Changes one of the three files and mends nothing else.
fn edit(dir: &Utf8Path, kind: &str, from: &str, to: &str) {
    let repomd = repo::Repomd::parse(&fs::read(dir.join("repodata/repomd.xml")).unwrap()).unwrap();
    let path = dir.join(&repomd.record(kind).unwrap().href);
    let text = String::from_utf8(repo::unpack(&fs::read(&path).unwrap(), 1 << 30).unwrap()).unwrap();
    assert!(text.contains(from), "`{from}` is not in {kind}");
    fs::write(path, repo::gzip(text.replacen(from, to, 1).as_bytes())).unwrap();
}

/// Changes one of the three files and tells repomd.xml of it, as a tool would.
fn change(dir: &Utf8Path, kind: &str, from: &str, to: &str) {
    edit(dir, kind, from, to);
    let path = dir.join("repodata/repomd.xml");
    let text = fs::read_to_string(&path).unwrap();
    let repomd = repo::Repomd::parse(text.as_bytes()).unwrap();
    let record = repomd.record(kind).unwrap();
    let packed = fs::read(dir.join(&record.href)).unwrap();
    let open = repo::unpack(&packed, 1 << 30).unwrap();
    let raw = String::from_utf8(record.raw.clone()).unwrap();
    let mended = raw
        .replace(&format!(">{}<", record.checksum.hex), &format!(">{}<", repo::sha256(&packed)))
        .replace(&record.open_checksum.as_ref().unwrap().hex, &repo::sha256(&open).hex())
        .replace(&format!("<size>{}<", record.size.unwrap()), &format!("<size>{}<", packed.len()))
        .replace(
            &format!("<open-size>{}<", record.open_size.unwrap()),
            &format!("<open-size>{}<", open.len()),
        );
    fs::write(path, text.replace(&raw, &mended)).unwrap();
}

#[test]
fn nothing_differs_from_createrepo_c_on_any_fixture() {
    let forms: [&[&str]; 6] = [
        &[],
        &["--no-database"],
        &["--checksum", "sha512", "--simple-md-filenames"],
        &["--checksum", "sha1", "--general-compress-type", "bz2"],
        &["--general-compress-type", "xz"],
        &["--repo", "fixtures", "--distro", "el9", "--content", "tests", "--revision", "first"],
    ];
    for form in forms {
        let sandbox = Sandbox::new();
        let report = nothing_differs(&theirs(&sandbox, form));
        assert_eq!(report["packages_listed"], fixtures().good.len(), "{form:?}");
        assert_eq!(report["packages_respelled"], 0, "{form:?}");
        for (theirs, ours) in
            report["theirs"].as_array().unwrap().iter().zip(report["ours"].as_array().unwrap())
        {
            assert_eq!(theirs["open_size"], ours["open_size"], "{form:?}");
        }
    }
}

#[test]
fn a_changed_element_is_found_exactly_and_by_file() {
    let sandbox = Sandbox::new();
    let dir = sandbox.folder("three");
    place(&["accents", "ghosts", "markup"].map(|name| fixtures().named(name).to_owned()), &dir);
    createrepo_c(&dir, &["--no-database"]).ok();
    change(&dir, "primary", "<summary>Gr\u{fc}\u{df}e", "<summary>Gruesse");
    change(&dir, "primary", "<rpm:entry name=\"markup(", "<rpm:entry pre=\"1\" name=\"markup(");
    change(&dir, "filelists", "<file type=\"ghost\">", "<file>");
    change(&dir, "other", "</changelog>", "</changelog><changelog author=\"a\" date=\"1\"/>");
    let found = found(&dir);
    assert_eq!(found.len(), 4, "{found:#?}");
    for (line, wanted) in found.iter().zip([
        "accents-1.0-1.noarch other changelog[date=1]: <changelog author=\"a\" date=\"1\"/> | -",
        "accents-1.0-1.noarch primary summary: Gruesse aus Gen\u{e8}ve \u{2014} f\u{fc}r \u{201e}alle\u{201c} \
         \u{65e5}\u{672c}\u{8a9e} \u{1f680} | Gr\u{fc}\u{df}e aus Gen\u{e8}ve \u{2014} f\u{fc}r \
         \u{201e}alle\u{201c} \u{65e5}\u{672c}\u{8a9e} \u{1f680}",
        "ghosts-0.1-1.noarch filelists file[text=/",
        "markup-1.0-1.noarch primary format/rpm:provides/rpm:entry[name=markup(<tag>&'quote\"s)]@pre: 1 | -",
    ]) {
        assert!(line.starts_with(wanted), "`{line}` is not `{wanted}`");
    }
    let words = compare(&dir, &[]);
    assert_eq!(words.code(), 6);
    for wanted in ["primary summary: 1\n", "@pre: theirs `1`, ours -\n", "; 4 things differ\n"] {
        assert!(words.stdout.contains(wanted), "`{wanted}` is not in\n{words}");
    }
}

#[test]
fn what_came_went_and_cannot_be_read_is_named() {
    let sandbox = Sandbox::new();
    let dir = theirs(&sandbox, &["--no-database"]);
    fs::remove_file(dir.join("bare-1-1.noarch.rpm")).unwrap();
    fs::create_dir(dir.join("more")).unwrap();
    fs::rename(dir.join("weak-1.0-1.noarch.rpm"), dir.join("more/weak.rpm")).unwrap();
    fs::write(dir.join("new.rpm"), Recipe::new("new", "1", "1").build()).unwrap();
    fs::write(dir.join("text.rpm"), "no package").unwrap();
    let cut = fs::read(dir.join("latin-1.0-1.noarch.rpm")).unwrap();
    fs::write(dir.join("latin-1.0-1.noarch.rpm"), &cut[..200]).unwrap();
    assert_eq!(
        found(&dir),
        [
            "no-such-file bare-1-1.noarch.rpm",
            "not-listed new.rpm",
            "unreadable-package latin-1.0-1.noarch.rpm",
            "unreadable-package text.rpm",
            "weak-1.0-1.noarch primary location@href: weak-1.0-1.noarch.rpm | more/weak.rpm",
        ]
    );
    let excluded =
        compare(&dir, &["-x", "*text*", "-x", "latin*", "-x", "new*", "-x", "more/*", "-x", "bare*"]);
    assert_eq!(excluded.code(), 6, "the moved package is passed over, its old place is not: {excluded}");
    assert!(excluded.stdout.contains("; 1 thing differs"), "{excluded}");
}

#[test]
fn foreign_repositories_differ_in_what_their_tools_did_to_them() {
    let sandbox = Sandbox::new();
    let foreign = foreign(&sandbox);

    // What --update does not read anew it escapes twice: two entries and the author of a change.
    let updated = foreign.join("updated");
    assert_eq!(
        found(&updated),
        [
            "markup-1.0-1.noarch other changelog[date=1330776000]@author: \"Quoted\" &#38; <Tagged> O'Brien \
             <ob@example.org> - 1.0-1 | \"Quoted\" & <Tagged> O'Brien <ob@example.org> - 1.0-1",
            "markup-1.0-1.noarch primary format/rpm:provides/rpm:entry[name=markup(<tag>&#38;'quote\"s)]: \
             <rpm:entry epoch=\"0\" flags=\"EQ\" name=\"markup(&lt;tag&gt;&amp;#38;'quote&quot;s)\" ver=\"1.0\"/> | -",
            "markup-1.0-1.noarch primary format/rpm:provides/rpm:entry[name=markup(<tag>&'quote\"s)]: - | \
             <rpm:entry epoch=\"0\" flags=\"EQ\" name=\"markup(&lt;tag&gt;&amp;'quote&quot;s)\" ver=\"1.0\"/>",
            "markup-1.0-1.noarch primary format/rpm:requires/rpm:entry[name=needs&#38;more<less>]: \
             <rpm:entry name=\"needs&amp;#38;more&lt;less&gt;\"/> | -",
            "markup-1.0-1.noarch primary format/rpm:requires/rpm:entry[name=needs&more<less>]: - | \
             <rpm:entry name=\"needs&amp;more&lt;less&gt;\"/>",
            "no-such-file scripts-1.0-1.noarch.rpm",
            "not-listed bare-1-1.noarch.rpm",
            "weak-1.0-1.noarch primary time@file: 1341100800 | 1400000000",
        ]
    );
    let words = compare(&updated, &[]).stdout;
    for note in ["createrepo_c --update writes `&`", "the time of the file changed since"] {
        assert!(words.contains(note), "`{note}` is not in\n{words}");
    }

    let old = nothing_differs(&foreign.join("old"));
    assert_eq!((&old["checksum"], &old["theirs"][0]["compression"]), (&"sha1".into(), &"bzip2".into()));
    let beside = nothing_differs(&foreign.join("beside"));
    let carried = |report: &Value| {
        let files = report["theirs"].as_array().unwrap().iter().filter(|file| file["is_carried"] == true);
        let mut records: Vec<_> = files.map(|file| file["record"].as_str().unwrap().to_owned()).collect();
        records.sort();
        records
    };
    assert_eq!(carried(&old), ["group", "group_bz2"]);
    assert_eq!(carried(&beside), ["modules", "updateinfo"]);

    let merged = found(&foreign.join("merged"));
    assert_eq!(merged.len(), 2, "{merged:#?}");
    for (line, name) in merged.iter().zip(["voms-clients", "weak"]) {
        assert!(line.starts_with(name) && line.contains("primary location@xml:base: file:///"), "{line}");
    }
}

#[test]
fn two_thousand_packages_are_alike() {
    let sandbox = Sandbox::new();
    let dir = sandbox.folder("many");
    for number in 0..2_000 {
        let name = format!("component-{number:04}");
        let mut recipe = Recipe::new(&*name, "1.0", "1").arch("x86_64").summary("one of many & more");
        for file in 0..8 {
            recipe = recipe.file(&format!("/usr/bin/{name}-{file}"), &name);
        }
        recipe = recipe.requires("component-0001 >= 1.0").change(1_600_000_000, "A <a@example.org>", "- new");
        fs::write(dir.join(recipe.file_name()), recipe.build()).unwrap();
    }
    createrepo_c(&dir, &["--no-database"]).ok();
    let report = nothing_differs(&dir);
    println!(
        "2,000 packages: ours built in {} s; theirs {}, ours {}",
        report["seconds_build"], report["theirs"], report["ours"]
    );
    assert_eq!(report["packages_alike"], 2_000);
    change(&dir, "primary", ">component-1234<", ">component-other<");
    assert_eq!(found(&dir), ["component-1234-1.0-1.x86_64 primary name: component-other | component-1234"]);
}

#[test]
fn a_stage_that_sluice_published_is_as_compare_makes_it() {
    let sandbox = Sandbox::new();
    let stages = "[roles]\nrelease-team = [\"ME\"]\n[[product]]\nname = \"glite\"\npreset = \"glite\"\n\
                  platforms = [\"el9/x86_64\"]\n";
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", stages);
    let _daemon = site.start();
    let rpms = sandbox.folder("rpms");
    place(&["voms-clients", "markup", "accents"].map(|name| fixtures().named(name).to_owned()), &rpms);
    let mut arguments = vec!["import".to_owned(), "--product=glite".to_owned(), "--to=delta".to_owned()];
    arguments.extend(rpms.read_dir_utf8().unwrap().map(|entry| entry.unwrap().path().to_string()));
    site.sluice(&arguments).ok();
    let current = site.root().join("public/current");
    let published = WalkDir::new(&current).follow_links(true).into_iter().filter_map(Result::ok);
    let listing = published
        .filter(|entry| entry.file_name() == "repomd.xml")
        .map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).unwrap())
        .map(|repomd| repomd.parent().unwrap().parent().unwrap().to_owned());
    let dirs: Vec<_> = listing.collect();
    let counts: Vec<_> = dirs.iter().map(|dir| nothing_differs(dir)["packages_alike"].clone()).collect();
    assert!(counts.contains(&Value::from(3)), "{dirs:?}: {counts:?}");
    // What left is kept at its URL for the grace: it is there and not listed, and the words say why.
    site.sluice(&["withdraw", "markup", "--product=glite", "--from=delta", "--reason=test"]).ok();
    let delta = dirs.iter().find(|dir| dir.ends_with("delta")).unwrap();
    let left = found(delta);
    assert!(left.len() == 1 && left[0].starts_with("not-listed Packages/"), "{left:?}");
    assert!(compare(delta, &[]).stdout.contains("Sluice keeps a package at its URL"));
}

#[test]
fn a_repository_is_not_touched_and_need_not_be_writable() {
    let sandbox = Sandbox::new();
    let dir = theirs(&sandbox, &[]);
    for entry in WalkDir::new(&dir).contents_first(true) {
        let entry = entry.unwrap();
        let mode = if entry.file_type().is_dir() { 0o555 } else { 0o444 };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode)).unwrap();
    }
    let before = digest(&dir);
    // As somebody who owns nothing here, if that can be had; his HOME and TMPDIR do not exist.
    let own = sandbox.path("sluice");
    fs::copy(sluice(), &own).unwrap();
    let mut command = if is_root() { program("setpriv") } else { program(own.as_str()) };
    if is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", own.as_str()]);
    }
    command.env("HOME", "/nowhere").env("TMPDIR", "/nowhere").current_dir("/");
    let ran = run(command.args(["compare", dir.as_str()])).ok();
    assert!(ran.stdout.contains("nothing differs"), "{ran}");
    assert_eq!(digest(&dir), before);
    // And a comparison that finds much writes as little.
    createrepo_c(&sandbox.folder("empty"), &["--no-database"]).ok();
    let broken = sandbox.folder("broken");
    run(program("cp").args(["-a", sandbox.path("empty/repodata").as_str(), broken.as_str()])).ok();
    place(&fixtures().good, &broken);
    let before = digest(&broken);
    assert_eq!(found(&broken).len(), fixtures().good.len());
    assert_eq!(digest(&broken), before);
}

#[test]
fn metadata_that_lies_is_named() {
    let lie = |kind: &str, from: &str, to: &str| {
        let sandbox = Sandbox::new();
        let dir = sandbox.folder("dir");
        let rpm = Recipe::new("voms", "1", "1").file("/usr/bin/voms", "x").build();
        fs::write(dir.join("voms-1-1.noarch.rpm"), rpm).unwrap();
        createrepo_c(&dir, &["--no-database"]).ok();
        if kind == "repomd" {
            let path = dir.join("repodata/repomd.xml");
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "`{from}` is not in {text}");
            fs::write(path, text.replacen(from, to, 1)).unwrap();
        } else {
            change(&dir, kind, from, to);
        }
        found(&dir).join("; ")
    };
    let outside = "outside ../voms.rpm; not-listed voms-1-1.noarch.rpm";
    for (kind, from, to, expected) in [
        ("primary", "packages=\"1\"", "packages=\"2\"", "count primary"),
        ("primary", "<metadata", "<!DOCTYPE m [<!ENTITY a \"b\">]><metadata", "unreadable-metadata primary"),
        ("primary", "</metadata>", "<x/></metadata>", "unknown-element primary"),
        ("primary", "</metadata>", "", "unreadable-metadata primary"),
        ("filelists", "<file>", "<file>\u{1}", "unreadable-metadata filelists"),
        (
            "filelists",
            "</package>",
            "</package><package pkgid=\"0\"/>",
            "count filelists; unmatched filelists",
        ),
        ("other", "packages=\"1\"", "", "count other"),
        ("repomd", "<size>", "<size>9", "false-record"),
        ("repomd", "href=\"repodata", "href=\"../repodata", "unreadable-metadata repodata/repomd.xml"),
        ("repomd", "type=\"other\"", "type=\"rather\"", "no-record"),
        ("repomd", "<repomd", "<!DOCTYPE r><repomd", "unreadable-metadata repodata/repomd.xml"),
        ("repomd", "<repomd", "<<repomd", "unreadable-metadata repodata/repomd.xml"),
    ] {
        let found = lie(kind, from, to);
        assert!(found.starts_with(expected), "{kind}, `{from}` to `{to}`: {found}");
    }
    // A place that leads out is named and not followed; the package is known by its digest all the same.
    let moved = lie("primary", "href=\"voms-1-1.noarch.rpm\"", "href=\"../voms.rpm\"");
    assert!(moved.contains("location@href: ../voms.rpm | voms-1-1.noarch.rpm"), "{moved} {outside}");
}

#[test]
fn what_is_no_repository_has_exit_codes_of_its_own() {
    let sandbox = Sandbox::new();
    let empty = compare(&sandbox.folder("empty"), &[]);
    assert_eq!(empty.code(), 5, "{empty}");
    assert!(empty.stderr.contains("repodata/repomd.xml") && empty.stderr.contains("hint:"), "{empty}");
    assert_eq!(compare(&sandbox.path("absent"), &[]).code(), 5);
    assert_eq!(compare(&sandbox.folder("empty"), &["--checksum", "crc32"]).code(), 2);
    assert_eq!(run(program(sluice().as_str()).arg("compare")).code(), 2);
}
