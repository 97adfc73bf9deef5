//! Evidence from a site: the script asks real rpm of real installed packages, in the shells that sites have.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use nevra::{Algorithm, Fingerprint};
use repo::Recipe;
use testkit::{Host, Ran, Sandbox, fixtures, program, run};
use workflow::evidence::{self, Asked, Difference, SiteReport, Wanted};

use crate::signatures::keyring::Keyring;

/// The shells that the script is run by.
const SHELLS: [&[&str]; 4] =
    [&["/bin/dash"], &["/bin/bash", "--posix"], &["/bin/bash"], &["/bin/busybox", "sh"]];

/// A name that hurts whoever forgets to quote it.
const HOSTILE: &str = "x'$(touch${IFS}ran)`touch${IFS}ran`\";touch${IFS}ran;#*[a]\\%s";

/// A site: a host with packages, and the rpm that its script finds.
struct Site {
    sandbox: Sandbox,
    host: Host,
    /// A folder with nothing but `rpm`.
    path: Utf8PathBuf,
}

impl Site {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let host = Host::new(&sandbox, "node");
        let path = sandbox.folder("bin");
        let site = Self { sandbox, host, path };
        site.rpm("");
        site
    }

    /// Puts the rpm into the path that looks at the node, after some lines of shell.
    fn rpm(&self, before: &str) {
        let database = self.host.root().join("var/lib/rpm");
        let text = format!("#!/bin/sh\n{before}\nexec /usr/bin/rpm --dbpath '{database}' \"$@\"\n");
        fs::rename(self.sandbox.script("rpm.new", &text), self.path.join("rpm")).unwrap();
    }

    fn install(&self, rpm: &[u8]) {
        let file = self.sandbox.file("package.rpm", rpm);
        self.host.rpm(&["-i", "--nodeps", "--nosignature", "--force", file.as_str()]).ok();
    }

    /// Runs a script by a shell, where no program can be found but rpm.
    fn run(&self, shell: &[&str], script: &str, more: &[(&str, &str)]) -> Ran {
        let file = self.sandbox.file("site-report.sh", script);
        // Where a `*` that is not quoted would find something, and a name that is run would leave something.
        let work = self.sandbox.folder("work");
        fs::write(work.join("witness"), "").unwrap();
        let mut command = program(shell[0]);
        command.args(&shell[1..]).arg(file).current_dir(&work).env("PATH", &self.path);
        let ran = run(command.env("SLUICE_HOST", "node-1").envs(more.iter().copied()));
        assert_eq!(fs::read_dir(&work).unwrap().count(), 1, "something was run: {ran}");
        ran
    }

    /// Asks by every shell: all answer the same.
    fn report(&self, asked: &Asked) -> SiteReport {
        let script = evidence::script(asked);
        let mut reports: Vec<SiteReport> = Vec::new();
        for shell in SHELLS {
            let ran = self.run(shell, &script, &[]).ok();
            assert_eq!(ran.stderr, "", "{shell:?}");
            let report =
                evidence::parse(ran.stdout.as_bytes()).unwrap_or_else(|error| panic!("{error}: {ran}"));
            report.check_answers(asked).unwrap();
            // busybox brings a `date` along.
            reports.push(SiteReport { date: None, ..report });
        }
        let first = reports.remove(0);
        assert!(reports.iter().all(|report| *report == first), "{first:#?} {reports:#?}");
        first
    }
}

fn fingerprint(rpm: &[u8]) -> Fingerprint {
    repo::read_head(&mut &*rpm).unwrap().fingerprint()
}

fn wanted(recipe: &Recipe) -> Wanted {
    Wanted { nevra: recipe.nevra(), fingerprint: fingerprint(&recipe.build()) }
}

fn asked(names: &[&str]) -> Asked {
    Asked {
        task: "12".parse().unwrap(),
        team: "ea-IT-CNAF".parse().unwrap(),
        of: "3456".parse().unwrap(),
        content: [7; 32].into(),
        node_types: BTreeSet::new(),
        packages: names.iter().map(|name| name.parse().unwrap()).collect(),
        door: Some("sluice-door@repo.example.org".into()),
        mail: Some("rollout@example.org".into()),
    }
}

fn voms(version: &str) -> Recipe {
    Recipe::new("voms", version, "1").file("/usr/share/voms", version)
}

/// What of a bundle the report says, one line for each package.
fn told(difference: &Difference) -> Vec<String> {
    difference.packages.iter().map(ToString::to_string).collect()
}

#[test]
fn a_fingerprint_is_what_real_rpm_tells_of_the_package() {
    let sandbox = Sandbox::new();
    let asked = |file: &Utf8Path| {
        let mut command = program("rpm");
        command.env("HOME", sandbox.root()).args(["-qp", "--nosignature", "--nodigest", "--queryformat"]);
        run(command.arg("sha256=%{SHA256HEADER} sha1=%{SHA1HEADER} md5=%{SIGMD5}").arg(file))
    };
    let (mut whole, mut stated) = (0, 0);
    for file in fixtures().listed() {
        let ran = asked(file);
        if !ran.status.success() {
            continue;
        }
        let told: Fingerprint = ran.stdout.replace("(none)", "-").parse().unwrap();
        let ours = fingerprint(&fs::read(file).unwrap());
        let same = |known: bool, same: bool| !known || same;
        assert!(
            same(told.sha256_header.is_some(), told.sha256_header == ours.sha256_header),
            "{file}: {told} {ours}"
        );
        assert!(
            same(told.sha1_header.is_some(), told.sha1_header == ours.sha1_header),
            "{file}: {told} {ours}"
        );
        assert_eq!(told.md5, ours.md5, "{file}");
        whole += u32::from(told == ours);
        stated += 1;
    }
    println!("of {stated} packages that rpm reads {whole} state all digests");
    assert!(whole > 20 && stated > whole, "{stated} read, {whole} state all");
}

#[test]
fn what_is_installed_from_the_bundle_is_known_again_whoever_signed_it() {
    let site = Site::new();
    let ring = Keyring::new(&site.sandbox);
    let key = ring.make("ours", "rsa2048", "never", "");
    site.install(&voms("2").build());
    site.install(&Recipe::new(HOSTILE, "1", "1").epoch(3).build());
    site.install(&Recipe::new("secret", "1", "1").build());
    let signed =
        site.sandbox.file("signed.rpm", Recipe::new("lcg-tags", "1.2~rc1", "4").arch("x86_64").build());
    ring.rpmsign(&key, &signed);
    site.install(&fs::read(&signed).unwrap());

    let names = ["voms", HOSTILE, "lcg-tags", "glite-UI", "voms-2", "*", "v"];
    let asked = asked(&names);
    let report = site.report(&asked);
    assert_eq!(report.host.as_deref(), Some("node-1"));
    assert_eq!(report.arch.as_deref(), Some(std::env::consts::ARCH));
    let version = run(program("rpm").arg("--version")).ok().stdout;
    assert_eq!(report.rpm.as_deref(), version.trim().strip_prefix("RPM version "));
    let installed: BTreeSet<_> = report.installed.iter().map(|one| one.nevra.to_string()).collect();
    assert_eq!(
        installed,
        BTreeSet::from([
            "voms-2-1.noarch".to_owned(),
            format!("{HOSTILE}-3:1-1.noarch"),
            "lcg-tags-1.2~rc1-4.x86_64".to_owned(),
        ])
    );
    let absent: BTreeSet<_> = report.absent.iter().map(|name| name.as_str()).collect();
    assert_eq!(absent, BTreeSet::from(["glite-UI", "voms-2", "*", "v"]));
    assert!(report.installed.iter().all(|one| one.time.is_some()));
    let keys: Vec<_> = report.installed.iter().filter_map(|one| one.key.as_deref()).collect();
    assert_eq!(keys, [key[key.len() - 16..].to_lowercase()]);
    let printed = site.run(SHELLS[0], &evidence::script(&asked), &[]).ok().stdout;
    assert!(printed.contains("\nabsent *\n") && !printed.contains("secret"), "{printed}");

    // The bundle has the package as it was before somebody signed it.
    let bundle = [
        wanted(&voms("2")),
        wanted(&Recipe::new(HOSTILE, "1", "1").epoch(3)),
        wanted(&Recipe::new("lcg-tags", "1.2~rc1", "4").arch("x86_64")),
        wanted(&Recipe::new("glite-UI", "3.2", "1")),
    ];
    let difference = evidence::compare(&report, &bundle);
    assert!(difference.agrees(), "{:?}", told(&difference));
    assert_eq!(
        difference.to_string(),
        "of 4 packages 3 are installed as in the bundle, 0 differ, 1 is not installed"
    );
    assert_eq!(
        told(&difference)[2],
        "`voms-2-1.noarch` is installed as in the bundle: the SHA-256 of its header is the same"
    );
}

#[test]
fn another_build_and_other_versions_are_found_out() {
    let site = Site::new();
    let rebuilt = voms("2").build_time(1_800_000_000);
    assert_eq!((rebuilt.nevra(), rebuilt.file_name()), (voms("2").nevra(), voms("2").file_name()));
    site.install(&rebuilt.build());
    let asked = asked(&["voms", "kernel"]);
    let kernel =
        |version: &str| Recipe::new("kernel", version, "1").file(&format!("/boot/{version}"), version);
    site.install(&kernel("2.6.18").build());
    let report = site.report(&asked);
    let differs = |bundle: &[Recipe]| {
        let wanted: Vec<Wanted> = bundle.iter().map(wanted).collect();
        let difference = evidence::compare(&report, &wanted);
        assert!(!difference.agrees(), "{:?}", told(&difference));
        told(&difference).join("\n")
    };
    assert_eq!(
        differs(&[voms("2")]),
        "`voms-2-1.noarch` is installed, but it is not the `voms-2-1.noarch` of the bundle: the SHA-256 of its header differs"
    );
    assert_eq!(
        differs(&[voms("10")]),
        "`voms-2-1.noarch` is installed, older than `voms-10-1.noarch` of the bundle"
    );
    assert_eq!(
        differs(&[voms("1.9")]),
        "`voms-2-1.noarch` is installed, newer than `voms-1.9-1.noarch` of the bundle"
    );
    assert!(evidence::compare(&report, &[wanted(&rebuilt)]).agrees());

    site.install(&kernel("2.6.32").build());
    let report = site.report(&asked);
    assert_eq!(report.installed.len(), 3);
    let difference = evidence::compare(&report, &[wanted(&kernel("2.6.32"))]);
    assert!(difference.agrees());
    assert_eq!(difference.packages[0].beside, [kernel("2.6.18").nevra()]);
    assert!(!evidence::compare(&report, &[wanted(&kernel("2.6.18"))]).agrees());
}

/// An rpm that knows as little as that of EL 5 to 7: to name another tag is an error to it.
const OLD: &str = r#"
tags=$(/usr/bin/rpm --querytags)
case "$*" in
    *--querytags*) for tag in $tags; do [ "$tag" = SHA256HEADER ] || echo "$tag"; done; exit ;;
    *SHA256*) echo 'error: incorrect format: unknown tag' >&2; exit 1 ;;
esac
"#;

#[test]
fn a_site_whose_rpm_knows_no_sha256_is_judged_by_sha1() {
    let site = Site::new();
    site.rpm(OLD);
    site.install(&voms("2").build());
    let report = site.report(&asked(&["voms"]));
    assert_eq!(report.installed[0].fingerprint.sha256_header, None);
    let same = evidence::compare(&report, &[wanted(&voms("2"))]);
    assert_eq!(same.packages[0].finding, evidence::Finding::Same { by: Algorithm::Sha1 });
    let other = evidence::compare(&report, &[wanted(&voms("2").build_time(1_800_000_000))]);
    assert!(!other.agrees(), "{:?}", told(&other));
}

#[test]
fn a_script_that_cannot_ask_prints_nothing_that_passes_for_a_report() {
    let site = Site::new();
    site.install(&voms("2").build());
    let script = evidence::script(&asked(&["voms"]));
    let failing = |what: &str| format!("case \"$*\" in *{what}*) echo 'error: broken' >&2; exit 1 ;; esac");
    for before in ["exit 127".to_owned(), failing("--querytags"), failing("-qa"), failing("--eval")] {
        site.rpm(&before);
        for shell in SHELLS {
            let ran = site.run(shell, &script, &[]);
            assert_eq!((ran.code(), ran.stdout.as_str()), (1, ""), "{before}: {ran}");
            assert!(ran.stderr.ends_with("; there is nothing to hand in\n"), "{ran}");
        }
    }
}

#[test]
fn a_node_with_a_strange_name_still_prints_a_report() {
    let site = Site::new();
    let asked = asked(&["voms"]);
    let script = evidence::script(&asked);
    for (name, expected) in [
        ("evil\nend 0\n", Some("evil")),
        ("\u{1b}[2J", None),
        ("", None),
        ("  ", None),
        (" wn 1 ", Some("wn 1")),
        ("wn-\u{e9}", Some("wn-")),
        ("$(touch ran)`touch ran`*", Some("$(touch ran)`touch ran`*")),
    ] {
        for shell in SHELLS {
            let ran = site.run(shell, &script, &[("SLUICE_HOST", name)]).ok();
            let report =
                evidence::parse(ran.stdout.as_bytes()).unwrap_or_else(|error| panic!("{error}: {ran}"));
            assert_eq!(report.host.as_deref(), expected, "{shell:?}");
        }
    }
}

#[test]
fn shellcheck_has_nothing_to_say_of_the_script() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("site-report.sh", evidence::script(&asked(&["voms", HOSTILE])));
    // That nothing in single quotes is expanded is what they are for.
    let options = ["--shell=sh", "--severity=style", "--exclude=SC2016"];
    run(program("shellcheck").args(options).arg(file)).ok();
}
