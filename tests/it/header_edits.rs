//! Edited RPMs before the real rpm: every kind of package there is, and meta-packages that are upgraded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use metapackage::{Change, Rebuild, Substance, pins_of, rebuilt, substance_of};
use repo::{Edit, Field, Head, Values};
use testkit::{Host, Sandbox, fixtures, program, run};

/// What may be read otherwise in a package once its release was raised, as `rpm --xml` names it: the values that were
/// edited, those that rpm computes from them, and digests and sizes in the signature header.
pub const ALLOWED: [&str; 12] = [
    "Release",
    "Buildtime",
    "Provideversion",
    "Requireversion",
    "Changelogtime",
    "Changelogname",
    "Changelogtext",
    "Sha1header",
    "Sha256header",
    "Sigmd5",
    "Sigsize",
    "Longsigsize",
];

type Side = (&'static str, fn(&BTreeMap<String, String>) -> bool);

fn has_any(told: &BTreeMap<String, String>, tags: &[&str]) -> bool {
    tags.iter().any(|tag| told.contains_key(*tag))
}

/// What some packages must have, so that it is known to survive.
const SIDES: [Side; 6] = [
    ("scriptlets", |told| has_any(told, &["Prein", "Postin", "Preun", "Postun", "Pretrans", "Posttrans"])),
    ("triggers", |told| has_any(told, &["Triggerscripts"])),
    ("file triggers", |told| has_any(told, &["Filetriggerscripts", "Transfiletriggerscripts"])),
    ("lua", |told| told.values().any(|value| value.contains("&lt;lua>") || value.contains("&lt;lua&gt;"))),
    ("several locales", |told| {
        told.get("Headeri18ntable").is_some_and(|value| value.matches("<string>").count() > 1)
    }),
    ("order dependencies", |told| has_any(told, &["Ordername"])),
];

/// Builds a spec and gives what comes out, by file name.
fn build(sandbox: &Sandbox, name: &str, spec: &str) -> Vec<Utf8PathBuf> {
    let file = sandbox.file(&format!("{name}.spec"), spec);
    let top = sandbox.folder(&format!("{name}.top"));
    let out = sandbox.folder(&format!("{name}.out"));
    let mut command = program("rpmbuild");
    command.args(["-bb", "--quiet", "--nodeps", "--define"]).arg(format!("_topdir {top}"));
    for define in [
        format!("_dbpath {top}/db"),
        format!("_tmppath {top}"),
        format!("_rpmdir {out}"),
        "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm".into(),
        "debug_package %{nil}".into(),
        "__os_install_post %{nil}".into(),
    ] {
        command.arg("--define").arg(define);
    }
    run(command.env("HOME", &top).arg(&file)).ok();
    let mut built: Vec<_> = out.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    built.sort();
    built
}

/// Subpackages of which each has one more thing that a header can hold.
fn manysided() -> String {
    let mut spec = String::from(
        "Name: manysided\nVersion: 1.0\nRelease: 3.el9\nSummary: Many sides\nSummary(de): Viele Seiten\nLicense: MIT\n\
         BuildArch: noarch\n%description\nMany.\n%description -l de\nViele Größen.\n",
    );
    let facets = [
        ("pre", "", "%pre NAME\necho pre\n"),
        ("post", "", "%post NAME -p /bin/bash\necho post $1\n"),
        ("preun", "", "%preun NAME\nexit 0\n"),
        ("postun", "", "%postun NAME -p /sbin/ldconfig\n"),
        ("pretrans", "", "%pretrans NAME -p <lua>\nprint('lua')\n"),
        ("posttrans", "", "%posttrans NAME -p <lua>\nprint('after')\n"),
        ("preuntrans", "", "%verifyscript NAME\ntrue\n"),
        ("triggerin", "", "%triggerin NAME -- bash > 3, sh\necho in\n"),
        ("triggerun", "", "%triggerun NAME -p <lua> -- bash\nprint('un')\n"),
        ("triggerpostun", "", "%triggerpostun NAME -- sh < 9\necho gone\n"),
        ("triggerprein", "", "%triggerprein NAME -- sh\necho before\n"),
        (
            "filetrigger",
            "",
            "%filetriggerin NAME -P 5 -- /usr/lib, /lib\ncat\n%filetriggerpostun NAME -- /etc\ncat\n",
        ),
        ("transtrigger", "", "%transfiletriggerin NAME -p <lua> -- /usr/share\nprint('t')\n"),
        ("locales", "Summary(fr): Côtés\nSummary(ja): 多面\n", "%description -l ja NAME\n多面体。\n"),
        ("order", "OrderWithRequires: first\nOrderWithRequires(post): second >= 2\n", ""),
        ("weak", "Recommends: a\nSuggests: b\nSupplements: c\nEnhances: d >= 1\n", ""),
        ("rich", "Requires: (a if b else c)\nRecommends: ((a or b) and c)\n", ""),
        ("meta", "Requires(post): p = 1\nRequires(meta): q = 2-1\nRequires(pre,preun): r >= 1:2\n", ""),
        ("replaces", "Obsoletes: old < 2\nConflicts: other = 1:1-1\nProvides: old = 2\n", ""),
        (
            "self",
            "Requires: manysided-weak = %{version}-%{release}\nProvides: other = 0:%{version}-%{release}\n",
            "",
        ),
        ("prefixed", "Prefix: /opt/many\nPrefix: /srv\n", ""),
        (
            "epochal",
            "Epoch: 0\nBugURL: https://example.org/\nURL: https://example.org/u\nGroup: Many/Sides\n",
            "",
        ),
        ("vendored", "Vendor: Example\nPackager: Ann <ann@example.org>\nEpoch: 7\nVersion: 2~rc1\n", ""),
    ];
    let mut files = String::from("%files\n");
    for (facet, tags, scripts) in facets {
        let name = format!("-n manysided-{facet}");
        spec += &format!("%package {name}\nSummary: {facet}\n{tags}%description {name}\n{facet}\n");
        spec += &scripts.replace("NAME", &name);
        files += &format!("%files {name}\n");
    }
    files += "%files -n manysided-held\n%doc README\n%license COPYING\n%config(noreplace) /etc/held\n/usr/share/held\n\
              %ghost /var/held\n%attr(4755,root,root) /usr/bin/held\n%dir /usr/lib/held\n%lang(de) /usr/share/de\n";
    spec += "%package -n manysided-held\nSummary: Files\n%description -n manysided-held\nFiles\n%prep\n%install\n\
             mkdir -p %{buildroot}/etc %{buildroot}/usr/share %{buildroot}/usr/bin \
             %{buildroot}/usr/lib/held %{buildroot}/var\nfor f in etc/held usr/share/held \
             var/held usr/bin/held usr/share/de; do echo $f > %{buildroot}/$f; done\necho r > README; echo c > COPYING\n";
    spec + &files
        + "%changelog\n* Mon Jul 02 2012 Ann <ann@example.org> - 1.0-3\n- three\n\n\
           * Sun Jul 01 2012 Bob Größe <bob@example.org> - 1.0-2\n- two\n"
}

fn parts(rpm: &[u8]) -> Option<(Head, &[u8])> {
    let mut payload = rpm;
    repo::read_head(&mut payload).ok().map(|head| (head, payload))
}

/// What rpm reads in a package, by tag.
pub fn told(sandbox: &Sandbox, rpm: &Utf8Path) -> Option<BTreeMap<String, String>> {
    let mut command = program("rpm");
    command.env("HOME", sandbox.root()).args(["-qp", "--xml", "--nosignature", "--nodigest"]).arg(rpm);
    let ran = run(&mut command);
    if !ran.status.success() {
        return None;
    }
    let tags = ran.stdout.split("<rpmTag name=\"").skip(1);
    let tags: BTreeMap<_, _> =
        tags.filter_map(|tag| tag.split_once('"')).map(|(name, rest)| (name.into(), rest.into())).collect();
    let tags: BTreeMap<String, String> = tags
        .into_iter()
        .map(|(name, rest): (String, String)| {
            (name, rest.split("</rpmTag>").next().unwrap_or_default().to_owned())
        })
        .collect();
    assert!(tags.len() > 5, "rpm told {} tags of {rpm}", tags.len());
    Some(tags)
}

/// Says what rpm thinks of the digests of a package.
fn keys_of(sandbox: &Sandbox, rpm: &Utf8Path) -> Result<(), String> {
    let mut command = program("rpmkeys");
    command.env("HOME", sandbox.root()).args(["-Kv", "--nosignature", "--define"]);
    let ran = run(command.arg(format!("_dbpath {}", sandbox.path("rpmdb"))).arg(rpm));
    let fine = |line: &str| line.ends_with(": OK");
    let (_, lines) = ran.stdout.split_once(":\n").unwrap_or_default();
    if ran.status.success() && lines.lines().count() > 0 && lines.lines().all(fine) {
        Ok(())
    } else {
        Err(ran.to_string())
    }
}

/// Raises release, build time and own provides, and puts a change on top.
fn raised(head: &Head, payload: &[u8]) -> Result<Vec<u8>, metapackage::RebuildError> {
    let release = head.texts_of(Field::Release)?.concat() + ".1";
    let change = Change { who: "Ann <ann@example.org>".into(), text: "- again\n- and over".into() };
    let (pins, without) = (BTreeMap::new(), BTreeSet::new());
    let rebuild = Rebuild {
        release: Some(release),
        build_time: 1_400_000_000,
        pins,
        without,
        change: Some(change),
        files_allowed: true,
    };
    rebuilt(head, payload, &rebuild)
}

#[test]
fn a_raised_release_changes_what_it_must_and_rpm_is_content() {
    let sandbox = Sandbox::new();
    let fixtures = fixtures();
    let mut paths: Vec<_> =
        fixtures.listed().chain(fixtures.refused.iter().map(Utf8PathBuf::as_path)).collect();
    let built = build(&sandbox, "manysided", &manysided());
    paths.extend(built.iter().map(Utf8PathBuf::as_path));
    let (mut survived, mut refused, mut differing, mut wrong) = (0, Vec::new(), BTreeSet::new(), Vec::new());
    let mut sides: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &paths {
        let name = path.file_name().unwrap();
        let rpm = fs::read(path).unwrap();
        let Some((head, payload)) = parts(&rpm) else {
            refused.push(format!("{name}: no RPM"));
            continue;
        };
        let made = match head.edited(&Edit::new(), payload) {
            Ok(same) => {
                assert!(same == rpm, "{name}: an empty edit changed something");
                raised(&head, payload)
            }
            Err(error) => Err(error.into()),
        };
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                refused.push(format!("{name}: {error}"));
                continue;
            }
        };
        let file = sandbox.file("raised.rpm", &made);
        if let (Err(after), Ok(())) = (keys_of(&sandbox, &file), keys_of(&sandbox, path)) {
            wrong.push(format!("{name}: {after}"));
        }
        let (Some(before), Some(after)) = (told(&sandbox, path), told(&sandbox, &file)) else {
            refused.push(format!("{name}: rpm itself does not read it"));
            continue;
        };
        for tag in before.keys().chain(after.keys()).filter(|tag| before.get(*tag) != after.get(*tag)) {
            if !ALLOWED.contains(&tag.as_str()) {
                wrong.push(format!("{name}: {tag} was {:?}, is {:?}", before.get(tag), after.get(tag)));
            }
            differing.insert(tag.clone());
        }
        assert!(after["Release"].contains(".1<"), "{name}: {}", after["Release"]);
        survived += 1;
        for (side, is_there) in SIDES {
            *sides.entry(side).or_default() += usize::from(is_there(&after));
        }
    }
    println!("{survived} of {} survived; tags that differ: {differing:?}", paths.len());
    println!("refused:\n  {}", refused.join("\n  "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Damaged, not UTF-8, of rpm 3 or with a signature header of its day, and of rpm 6 with tags of which nobody here knows.
    let expected = [
        "large",
        "latin",
        "mixed",
        "mixed-log",
        "old-signature",
        "v3",
        "v3-late",
        "v3-source",
        "v3-versions",
        "v6",
    ];
    let names: Vec<&str> =
        refused.iter().filter_map(|line| line.split_once("-1.0-1.")).map(|(name, _)| name).collect();
    assert_eq!(names, expected);
    assert!(survived >= 100, "only {survived} survived");
    println!("of these {sides:?}");
    assert!(sides.values().all(|count| *count >= 2), "{sides:?}");
}

#[test]
fn values_of_the_header_go_no_further_than_they_are_asked_to() {
    let sandbox = Sandbox::new();
    let built = build(&sandbox, "manysided", &manysided());
    for path in built {
        let rpm = fs::read(&path).unwrap();
        let (head, payload) = parts(&rpm).unwrap();
        let edit = Edit::from([(Field::BuildTime, Values::Numbers(vec![1_400_000_000]))]);
        let file = sandbox.file("edited.rpm", head.edited(&edit, payload).unwrap());
        keys_of(&sandbox, &file).unwrap();
        let (before, after) = (told(&sandbox, &path).unwrap(), told(&sandbox, &file).unwrap());
        let differing: BTreeSet<&str> = before
            .keys()
            .chain(after.keys())
            .filter(|tag| before.get(*tag) != after.get(*tag))
            .map(String::as_str)
            .collect();
        assert_eq!(
            differing,
            BTreeSet::from(["Buildtime", "Sha1header", "Sha256header", "Sigmd5"]),
            "{path}"
        );
    }
}

const META: &str = "\
Name: node-meta
Epoch: 2
Version: 3.2.1
Release: 4.sl5
Summary: A node
License: MIT
BuildArch: noarch
Requires: part = 1.0-1
Requires: other >= 2.0
Requires(post): part
%description
Installs a node.
%post -p <lua>
print('installed')
%package documented
Summary: A node with its manual
Requires: part = 1.0
Requires: %{name} = %{epoch}:%{version}-%{release}
%description documented
Installs a node.
%package -n part
Epoch: 0
Version: 1.0
Release: PART
Summary: A component
%description -n part
Part.
%package -n other
Epoch: 0
Version: 2.0
Release: 1
Summary: Another component
%description -n other
Other.
%prep
%install
echo manual > README
echo terms > COPYING
%files
%files documented
%doc README
%license COPYING
%files -n part
%files -n other
%changelog
* Sun Jul 01 2012 Ann <ann@example.org> - 2:3.2.1-4
- first
";

/// Reads a package, rebuilds it and puts it beside the others.
fn rebuild(sandbox: &Sandbox, path: &Utf8Path, pins: &[(&str, &str)]) -> Utf8PathBuf {
    let rpm = fs::read(path).unwrap();
    let (head, payload) = parts(&rpm).unwrap();
    assert_ne!(substance_of(&head), Substance::Files);
    let pins = pins.iter().map(|(name, evr)| (String::from(*name), evr.parse().unwrap())).collect();
    let rebuild = Rebuild {
        release: Some("5.sl5".into()),
        build_time: 1_400_000_000,
        pins,
        without: BTreeSet::new(),
        change: Some(Change { who: "Ann <ann@example.org>".into(), text: "- newer parts".into() }),
        files_allowed: false,
    };
    let made = rebuilt(&head, payload, &rebuild).unwrap();
    let (head, _) = parts(&made).unwrap();
    let of_part = "1.0-2".parse().unwrap();
    assert!(pins_of(&head).unwrap().iter().any(|pin| pin.name == "part" && pin.admits(&of_part)));
    sandbox.file(&head.nevra().unwrap().file_name(), &made)
}

#[test]
fn a_rebuilt_meta_package_upgrades_the_one_it_was_made_of() {
    let sandbox = Sandbox::new();
    let old = build(&sandbox, "old", &META.replace("PART", "1"));
    let new = build(&sandbox, "new", &META.replace("PART", "2"));
    let named = |built: &[Utf8PathBuf], name: &str| {
        let mut found = built.iter().filter(|path| path.file_name().unwrap().starts_with(name));
        found.next().unwrap_or_else(|| panic!("no {name} in {built:?}")).to_string()
    };
    let (meta, documented) = (named(&old, "node-meta-3"), named(&old, "node-meta-documented"));
    for (path, substance) in [(&meta, Substance::NoFiles), (&documented, Substance::Documentation)] {
        let rpm = fs::read(path).unwrap();
        assert_eq!(substance_of(&parts(&rpm).unwrap().0), substance, "{path}");
    }
    let host = Host::new(&sandbox, "host");
    let packages = [meta.clone(), documented.clone(), named(&old, "part"), named(&old, "other")];
    let with = |options: &[&str], packages: &[String]| -> Vec<String> {
        options.iter().map(|option| String::from(*option)).chain(packages.iter().cloned()).collect()
    };
    host.rpm(&with(&["-U"], &packages)).ok();
    let newer_part = named(&new, "part");
    let torn = host.rpm(&with(&["-U"], std::slice::from_ref(&newer_part)));
    assert!(torn.stderr.contains("part = 1.0-1 is needed by (installed) node-meta"), "{torn}");

    let raised = rebuild(&sandbox, meta.as_str().into(), &[("part", "1.0-2")]);
    let own = ("node-meta", "2:3.2.1-5.sl5");
    let with_manual = rebuild(&sandbox, documented.as_str().into(), &[("part", "1.0-2"), own]);
    host.rpm(&with(&["-U"], &[raised.to_string(), with_manual.to_string(), newer_part])).ok();
    let expected = [
        "node-meta-3.2.1-5.sl5.noarch",
        "node-meta-documented-3.2.1-5.sl5.noarch",
        "other-2.0-1.noarch",
        "part-1.0-2.noarch",
    ];
    assert_eq!(host.installed(), expected.map(String::from).into());
    let verified = host.rpm(&["-Va", "--nouser", "--nogroup"]).ok();
    assert_eq!(verified.stdout, "", "{verified}");
    let changes = host.rpm(&["-q", "--changelog", "node-meta"]).ok().stdout;
    assert!(
        changes.starts_with("* Tue May 13 2014 Ann <ann@example.org> - 2:3.2.1-5.sl5\n- newer parts\n"),
        "{changes}"
    );
    host.rpm(&["-e", "node-meta", "node-meta-documented"]).ok();
    assert_eq!(host.installed().len(), 2);
}
