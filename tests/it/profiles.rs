//! Stages written for clients old and new, and the clients on them.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::Signal;
use repo::{Compression, Recipe, Repomd};
use testkit::{Host, Nginx, Sandbox, Site, Watch, createrepo_c, mergerepo_c, program, run};

/// Five families of clients draw from one stage; `COMPS` is the file with groups.
const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["sl5/x86_64", "sl7/x86_64", "el9/x86_64", "el10/x86_64", "sles15/x86_64"]
[[product.stage]]
name = "production"
profile = "el9"
profiles = { sl5 = "el5", sl7 = "el7", el10 = "el10", sles15 = "sles" }
comps = "COMPS"
"#;

const PATIENCE: Duration = Duration::from_secs(120);

fn comps(description: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n<comps>\n  <group>\n    \
         <id>grid-tools</id>\n    <name>Grid tools</name>\n    <description>{description}</description>\n    \
         <default>true</default>\n    <uservisible>true</uservisible>\n    <packagelist>\n      \
         <packagereq type=\"mandatory\">voms-clients</packagereq>\n    </packagelist>\n  </group>\n</comps>\n"
    )
}

fn recipes(minor: u32) -> [Recipe; 2] {
    let version = format!("1.{minor}");
    let clients = Recipe::new("voms-clients", &*version, "1")
        .arch("x86_64")
        .requires("voms-api")
        .file("/usr/bin/voms-proxy-init", "#!/bin/sh\n");
    [clients, Recipe::new("voms-api", &*version, "1").file("/usr/share/voms/api", version.as_bytes())]
}

fn installed(minor: u32) -> BTreeSet<String> {
    BTreeSet::from([format!("voms-clients-1.{minor}-1.x86_64"), format!("voms-api-1.{minor}-1.noarch")])
}

fn site(sandbox: &Sandbox, base_url: &str, stages: &str) -> Site {
    let file = sandbox.file("comps.xml", comps("Tools."));
    Site::initialised(sandbox, base_url, &stages.replace("COMPS", file.as_str()))
}

/// Brings a release into `delta` and on into `production`, on every platform.
fn release(site: &Site, sandbox: &Sandbox, minor: u32) {
    let folder = sandbox.folder(&format!("built-{minor}"));
    let mut import: Vec<String> = ["import", "--to", "delta", "--platform", "*/*"].map(str::to_owned).into();
    for recipe in recipes(minor) {
        let file = folder.join(recipe.file_name());
        fs::write(&file, recipe.build()).unwrap();
        import.push(file.into_string());
    }
    site.sluice(&import).ok();
    site.sluice(&["promote", "--from", "delta", "--to", "production", "*"]).ok();
}

/// One published repository.
struct Published {
    folder: Utf8PathBuf,
    repomd: Repomd,
}

impl Published {
    fn of(site: &Site, os: &str, stage: &str) -> Self {
        let folder = site.root().join("public/current/glite-3.2").join(os).join("x86_64").join(stage);
        let repomd = Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
        Self { folder, repomd }
    }

    fn kinds(&self) -> Vec<&str> {
        self.repomd.records.iter().map(|record| record.kind.as_str()).collect()
    }

    fn packed(&self, kind: &str) -> Vec<u8> {
        let record = self.repomd.record(kind).unwrap_or_else(|| panic!("there is no record `{kind}`"));
        fs::read(self.folder.join(&record.href)).unwrap()
    }

    fn open(&self, kind: &str) -> Vec<u8> {
        repo::unpack(&self.packed(kind), 1 << 24).unwrap()
    }

    fn compression(&self, kind: &str) -> Compression {
        Compression::of(&self.packed(kind))
    }
}

const OF_YUM_3: [&str; 8] =
    ["primary", "filelists", "other", "primary_db", "filelists_db", "other_db", "group", "group_gz"];

/// Asks the databases what yum 3 asks them, with Python's SQLite; says what a host would install.
fn as_yum_3_reads(sandbox: &Sandbox, published: &Published) -> String {
    for kind in ["primary", "filelists", "other"] {
        let database = sandbox.file(&format!("{kind}.sqlite"), published.open(&format!("{kind}_db")));
        let record = published.repomd.record(kind).unwrap();
        let script = "import sqlite3, sys\n\
                      c = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n\
                      assert c.execute('pragma integrity_check').fetchall() == [('ok',)]\n\
                      assert c.execute('select dbversion, checksum from db_info').fetchall() == [(10, sys.argv[2])]\n";
        run(program("/usr/bin/python3").args(["-c", script]).arg(database).arg(&record.checksum.hex)).ok();
    }
    let script = "import sqlite3, sys\n\
                  c = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n\
                  for row in c.execute('select p.name, p.version, p.location_href, r.name, p.checksum_type from \
                  packages p join requires r on r.pkgKey = p.pkgKey order by 1, 2'): print(*row)\n";
    run(program("/usr/bin/python3").args(["-c", script]).arg(sandbox.path("primary.sqlite"))).ok().stdout
}

#[test]
fn dnf_installs_a_group_from_a_stage_written_for_yum_3() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = site(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    release(&site, &sandbox, 10);

    let published = Published::of(&site, "sl7", "production");
    assert_eq!(published.kinds(), OF_YUM_3);
    assert_eq!(published.compression("primary"), Compression::Gzip);
    assert_eq!(published.compression("primary_db"), Compression::Bzip2);
    assert_eq!(published.packed("group"), comps("Tools.").as_bytes());
    assert_eq!(published.open("group_gz"), comps("Tools.").as_bytes());
    let said = as_yum_3_reads(&sandbox, &published);
    assert!(said.starts_with("voms-clients 1.10 Packages/"), "{said}");
    assert!(said.ends_with("/voms-clients-1.10-1.x86_64.rpm voms-api sha256\n"), "{said}");

    let host = Host::new(&sandbox, "host");
    host.repository("sl7", &format!("{}/glite-3.2/sl7/x86_64/production/", nginx.base_url()));
    let ran = host.dnf(&["group", "install", "grid-tools"]);
    assert_eq!(host.installed(), installed(10), "{ran}");

    // The next release goes the same way, and what the old metadata named stays for the grace.
    release(&site, &sandbox, 11);
    let next = Published::of(&site, "sl7", "production");
    assert_eq!(next.kinds(), OF_YUM_3);
    assert!(as_yum_3_reads(&sandbox, &next).contains("voms-clients 1.11 "));
    for record in &published.repomd.records {
        assert!(next.folder.join(&record.href).exists(), "{} is gone", record.href);
    }
    let ran = host.dnf(&["upgrade"]);
    assert_eq!(host.installed(), installed(11), "{ran}");

    let status = daemon.stop();
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn zypper_and_a_zstd_reader_install_from_the_same_stage() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = site(&sandbox, nginx.base_url(), STAGES);
    let _daemon = site.start();
    release(&site, &sandbox, 10);
    let url = |os: &str| format!("{}/glite-3.2/{os}/x86_64/production/", nginx.base_url());

    let published = Published::of(&site, "sles15", "production");
    assert_eq!(published.kinds(), ["primary", "filelists", "other", "group"]);
    assert_eq!(published.compression("primary"), Compression::Gzip);
    let host = Host::new(&sandbox, "sles");
    host.repository("sles", &url("sles15"));
    let ran = host.zypper(&["install", "voms-clients"]);
    assert_eq!(host.installed(), installed(10), "{ran}");

    let published = Published::of(&site, "el10", "production");
    assert_eq!(published.kinds(), ["primary", "filelists", "other", "group"]);
    for kind in published.kinds() {
        assert_eq!(published.compression(kind), Compression::Zstd, "{kind}");
    }
    let host = Host::new(&sandbox, "el10");
    host.repository("el10", &url("el10"));
    let ran = host.dnf(&["group", "install", "grid-tools"]);
    assert_eq!(host.installed(), installed(10), "{ran}");

    // What nobody said anything of is written as ever: delta, and what has no groups.
    let delta = Published::of(&site, "el9", "delta");
    assert_eq!(delta.kinds(), ["primary", "filelists", "other"]);
    let debug = Published::of(&site, "sl7", "production/debug");
    assert_eq!(debug.kinds(), OF_YUM_3[..6]);
    site.sluice(&["verify"]).ok();
}

#[test]
fn clients_that_know_no_sha256_get_none() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = site(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    release(&site, &sandbox, 10);
    let first = site.sluice(&["--json", "history", "--limit", "1"]).ok().stdout;
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    let first = first[0]["number"].as_u64().unwrap_or_else(|| panic!("{first:#}"));

    let published = Published::of(&site, "sl5", "production");
    assert_eq!(published.kinds(), OF_YUM_3);
    let is_sha1 = |digest: &nevra::Digest| digest.algorithm == nevra::Algorithm::Sha;
    assert!(published.repomd.records.iter().all(|record| is_sha1(&record.checksum)));
    assert!(as_yum_3_reads(&sandbox, &published).ends_with(" voms-api sha\n"));
    let [primary, filelists, other] = ["primary", "filelists", "other"].map(|kind| published.open(kind));
    for package in repo::parse_packages(&primary, &filelists, &other).unwrap() {
        let file = fs::read(published.folder.join(&package.href)).unwrap();
        assert_eq!(package.pkgid, repo::digest(nevra::Algorithm::Sha, &file));
    }
    // Other readers take it for what it says.
    mergerepo_c(&[&published.folder], &sandbox.path("merged")).ok();
    let host = Host::new(&sandbox, "sl5");
    host.repository("sl5", &format!("{}/glite-3.2/sl5/x86_64/production/", nginx.base_url()));
    let ran = host.dnf(&["group", "install", "grid-tools"]);
    assert_eq!(host.installed(), installed(10), "{ran}");

    // What is listed under its SHA-1 stays what it is: in the next release, and when it comes back.
    release(&site, &sandbox, 11);
    let ran = host.dnf(&["upgrade"]);
    assert_eq!(host.installed(), installed(11), "{ran}");
    let withdraw = |packages: [&str; 2]| {
        let [clients, api] = packages;
        let where_from = ["withdraw", "--from", "production", "--platform", "sl5/*", clients, api];
        site.sluice(&where_from).ok();
    };
    withdraw(["voms-clients-1.11-1", "voms-api-1.11-1"]);
    let ran = host.dnf(&["distro-sync"]);
    assert_eq!(host.installed(), installed(10), "{ran}");
    withdraw(["voms-clients-1.10-1", "voms-api-1.10-1"]);
    assert_eq!(Published::of(&site, "sl5", "production").kinds(), OF_YUM_3);
    site.sluice(&["revert", &first.to_string(), "--stage", "production", "--reason", "as it was"]).ok();
    assert_eq!(Published::of(&site, "sl5", "production").open("primary"), primary);
    daemon.stop();
    site.sluice(&["verify", "--at-rest"]).ok();
}

/// Waits until a repository lists these records.
fn wait_for(site: &Site, os: &str, kinds: &[&str]) -> Published {
    let watch = Watch::on(&[&site.root().join("public")]);
    let found = watch.until(PATIENCE, || {
        let published = Published::of(site, os, "production");
        (published.kinds() == kinds).then_some(published)
    });
    found.unwrap_or_else(|| panic!("`{os}` never listed {kinds:?}"))
}

#[test]
fn a_reload_writes_what_is_published_in_the_new_form() {
    let plain = "\n[roles]\nrelease-team = [\"ME\"]\n[[product]]\nname = \"glite-3.2\"\npreset = \"glite\"\n\
                 platforms = [\"sl7/x86_64\"]\n";
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "http://127.0.0.1:1", plain);
    let daemon = site.start();
    release(&site, &sandbox, 10);
    let plain = ["primary", "filelists", "other"];
    let before = wait_for(&site, "sl7", &plain);
    let text = fs::read_to_string(site.config()).unwrap();
    let comps_file = sandbox.path("comps.xml");
    let stage = "\n[[product.stage]]\nname = \"production\"\nprofile = \"el7\"\n";

    fs::write(site.config(), format!("{text}{stage}comps = \"{comps_file}\"\n")).unwrap();
    daemon.signal(Signal::SIGHUP);
    let written = wait_for(&site, "sl7", &OF_YUM_3);
    assert_eq!(written.open("primary"), before.open("primary"), "what it lists does not change");

    // Another text of the same file is another form, too.
    fs::write(&comps_file, comps("Better tools.")).unwrap();
    daemon.signal(Signal::SIGHUP);
    let watch = Watch::on(&[&site.root().join("public")]);
    let better = watch.until(PATIENCE, || {
        let published = Published::of(&site, "sl7", "production");
        (published.open("group") == comps("Better tools.").as_bytes()).then_some(published)
    });
    assert_eq!(better.expect("the groups were not published").kinds(), OF_YUM_3);

    // Groups that came from the configuration go with it.
    fs::write(site.config(), &text).unwrap();
    daemon.signal(Signal::SIGHUP);
    wait_for(&site, "sl7", &plain);
    site.sluice(&["verify"]).ok();
}

/// The record of a list of packages as repomd.xml has it, and whether that says by digest what it unpacks to.
fn lists(published: &Published) -> Vec<(&str, bool)> {
    let lists = published.repomd.records.iter().filter(|record| record.is_made_from_packages());
    let lists = lists.map(|record| {
        assert_eq!(record.open_size, Some(published.open(&record.kind).len() as u64));
        (record.kind.as_str(), record.open_checksum.is_some())
    });
    lists.collect()
}

#[test]
fn a_stage_may_leave_open_checksums_out_and_clients_do_not_mind() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = site(
        &sandbox,
        nginx.base_url(),
        &format!("{STAGES}open_checksum = false\n").replace("el5", "el9").replace("\"el7\"", "\"el8\""),
    );
    let mut daemon = site.start();
    let lacking = [("primary", false), ("filelists", false), ("other", false)];
    let having = lacking.map(|(kind, _)| (kind, true));
    let url = |os: &str| format!("{}/glite-3.2/{os}/x86_64/production/", nginx.base_url());
    let (by_dnf, by_zypper) = (Host::new(&sandbox, "dnf"), Host::new(&sandbox, "zypper"));
    by_dnf.repository("zstd", &url("el10"));
    by_zypper.repository("gzip", &url("sles15"));
    for minor in [10, 11] {
        release(&site, &sandbox, minor);
        for os in ["el10", "sles15"] {
            assert_eq!(lists(&Published::of(&site, os, "production")), lacking, "{os}");
            assert_eq!(lists(&Published::of(&site, os, "delta")), having, "{os}");
        }
        let is_new = minor == 10;
        let ran = by_dnf.dnf(if is_new { &["install", "voms-clients"] } else { &["upgrade"] });
        assert_eq!(by_dnf.installed(), installed(minor), "{ran}");
        by_zypper.zypper(&["refresh", "--force"]).ok();
        let ran = by_zypper.zypper(if is_new { &["install", "voms-clients"] } else { &["update"] });
        assert_eq!(by_zypper.installed(), installed(minor), "{ran}");
    }
    mergerepo_c(&[&Published::of(&site, "sles15", "production").folder], &sandbox.path("merged")).ok();

    // What is asked for again is there again, and what lacks it unasked is damaged. That one's repomd.xml is like no other.
    let published = Published::of(&site, "el10", "production");
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), text.replace("open_checksum = false\n", "")).unwrap();
    daemon.signal(Signal::SIGHUP);
    let watch = Watch::on(&[&site.root().join("public")]);
    let written = watch.until(PATIENCE, || {
        let published = Published::of(&site, "el10", "production");
        (lists(&published) == having).then_some(published)
    });
    let written = written.expect("the open checksums were not published");
    assert_eq!(written.packed("primary"), published.packed("primary"), "it is the same file");
    daemon.stop();
    site.sluice(&["verify", "--at-rest"]).ok();
    let repodata = written.folder.canonicalize_utf8().unwrap().join("repodata");
    unseal(&repodata);
    fs::remove_file(repodata.join("repomd.xml")).unwrap();
    fs::write(repodata.join("repomd.xml"), published.repomd.write()).unwrap();
    let ran = site.sluice(&["verify", "--at-rest"]);
    assert_eq!(ran.code(), 6, "{ran}");
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("a list of packages has no open checksum"), "{said}");
}

#[test]
fn a_database_that_lies_is_found() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    release(&site, &sandbox, 10);
    daemon.stop();
    let published = Published::of(&site, "sl7", "production");
    let other = Published::of(&site, "sl7", "delta");
    // A whole repository whose databases belong to other XML, as careless copying makes it.
    let folder = sandbox.folder("theirs");
    fs::copy(sandbox.path("built-10").join("voms-api-1.10-1.noarch.rpm"), folder.join("a.rpm")).unwrap();
    createrepo_c(&folder, &["--database", "--compress-type", "bz2"]).ok();
    let theirs = Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
    let record = theirs.record("primary_db").unwrap();
    let place = published.folder.canonicalize_utf8().unwrap();
    let mut repomd = published.repomd.clone();
    let at = repomd.records.iter().position(|record| record.kind == "primary_db").unwrap();
    repomd.records[at] = record.clone();
    unseal(&place.join("repodata"));
    fs::copy(folder.join(&record.href), place.join(&record.href)).unwrap();
    fs::remove_file(place.join("repodata/repomd.xml")).unwrap();
    fs::write(place.join("repodata/repomd.xml"), repomd.write()).unwrap();
    let ran = site.sluice(&["verify"]);
    assert_eq!(ran.code(), 6, "{ran}");
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("database `primary_db`: it belongs to other XML"), "{said}");
    assert_eq!(other.kinds(), ["primary", "filelists", "other"]);
}

fn unseal(folder: &Utf8Path) {
    run(program("chmod").args(["u+w"]).arg(folder)).ok();
}
