//! Everything that reads bytes somebody else may have written, one function each, with good inputs to start from.
//!
//! The mutation test here and the fuzz targets in `fuzz/` run the same functions.
#![allow(dead_code, reason = "the fuzz targets include this file and use less of it")]

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use nevra::{Algorithm, Dependency, Digest, Evr, Nevra, Sha256};
use plan::Format;
use repo::{
    Blocks, Compression, Cutter, Document, FileFacts, Gatherer, Hashing, Part, Recipe, Repomd, Written,
};
use signatures::Certificate;
use store::forgetful::ForgetfulDisk;
use store::{Disk, Store};

/// One reader of hostile bytes.
pub struct Target {
    /// Its name, also that of the fuzz target's corpus.
    pub name: &'static str,
    /// Reads the bytes, and believes nothing; panics if what it says contradicts itself.
    pub run: fn(&[u8]),
    /// Inputs that it takes.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every reader.
pub const TARGETS: &[Target] = &[
    Target { name: "request_toml", run: |bytes| request(bytes, Format::Toml), seeds: toml_requests },
    Target { name: "request_json", run: |bytes| request(bytes, Format::Json), seeds: json_requests },
    Target { name: "configuration", run: configuration, seeds: || vec![CONFIGURATION.as_bytes().to_vec()] },
    Target { name: "rpm", run: rpm, seeds: packages },
    Target { name: "certificate", run: certificate, seeds: || vec![CERTIFICATE.to_vec()] },
    Target { name: "signature", run: signature, seeds: || vec![SIGNATURE.to_vec()] },
    Target { name: "repomd", run: repomd, seeds: || vec![metadata().repomd.clone()] },
    Target { name: "primary", run: |bytes| contents(bytes, 0), seeds: || vec![open(0)] },
    Target { name: "filelists", run: |bytes| contents(bytes, 1), seeds: || vec![open(1)] },
    Target { name: "other", run: |bytes| contents(bytes, 2), seeds: || vec![open(2)] },
    Target { name: "comps", run: comps, seeds: || texts(&[COMPS, ENVIRONMENTS]) },
    Target { name: "updateinfo", run: updateinfo, seeds: || texts(UPDATEINFO) },
    Target { name: "modules", run: modules, seeds: || texts(MODULES) },
    Target { name: "packed", run: packed, seeds: packings },
    Target { name: "blocks", run: blocks, seeds: lists_in_blocks },
    Target { name: "manifest", run: manifest, seeds: || vec![MANIFEST.as_bytes().to_vec()] },
    Target { name: "files", run: files, seeds: || vec![FILES.as_bytes().to_vec()] },
    Target { name: "links", run: links, seeds: || vec![LINKS.as_bytes().to_vec()] },
    Target { name: "audit", run: audit, seeds: || vec![AUDIT.as_bytes().to_vec()] },
    Target { name: "answer", run: answer, seeds: || vec![ANSWER.as_bytes().to_vec()] },
    Target { name: "http", run: daemon::web::tried, seeds: web_requests },
    Target { name: "site_report", run: site_report, seeds: || texts(&[SITE_REPORT]) },
    Target { name: "worker", run: daemon::reading::tried, seeds: worker_answers },
    Target {
        name: "names",
        run: names,
        seeds: || texts(&["a-1:2-3.x86_64", "glibc >= 2:2.34-60.el9", "1:2~rc1^git-3"]),
    },
];

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn request(bytes: &[u8], format: Format) {
    let is_complete = plan::is_complete(bytes, format);
    if let Ok(request) = plan::parse(bytes, format) {
        assert!(is_complete, "a request that is not complete is none");
        assert!(request.id.is_none_or(|id| id.len() <= bytes.len()));
    }
}

fn toml_requests() -> Vec<Vec<u8>> {
    let head = "format = 1\nid = \"x-1\"\nreason = \"\\u00e9 'why'\"\nexpires = \"2030-01-01T00:00:00Z\"\n";
    let upload = format!("{}-voms-1-1.noarch.rpm", "ab".repeat(32));
    [
        "action = \"promote\"\nproduct = \"glite-3.2\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"voms*\", \"a-1:2-3.x86_64\"]\nplatforms = [\"el9/x86_64\"]\n".to_owned(),
        format!("action = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n"),
        "action = \"withdraw\"\nproduct = \"p\"\nfrom = \"delta\"\npackages = ['x']\n".to_owned(),
        "action = \"revert\"\nproduct = \"p\"\nstage = \"production\"\nto = 41\n".to_owned(),
        "action = \"keep\"\nname = \"update-57\"\n".to_owned(),
        "action = \"sweep\"\n".to_owned(),
        "action = \"adopt\"\nproduct = \"p\"\nstage = \"s\"\nplatform = \"el9/x86_64\"\nfolder = \"/srv/old\"\n".to_owned(),
    ]
    .iter()
    .map(|action| format!("{head}{action}[end]\n").into_bytes())
    .collect()
}

const SITE_REPORT: &str = include_str!("targets/site-report.txt");

fn site_report(bytes: &[u8]) {
    use workflow::evidence::{Wanted, compare, parse};
    if let Ok(report) = parse(bytes) {
        let stored = serde_json::to_vec(&report).unwrap();
        assert_eq!(serde_json::from_slice::<workflow::evidence::SiteReport>(&stored).unwrap(), report);
        let installed = report.installed.iter();
        let same: Vec<Wanted> =
            installed.map(|one| Wanted { nevra: one.nevra.clone(), fingerprint: one.fingerprint }).collect();
        let difference = compare(&report, &same);
        assert!(difference.packages.len() <= same.len() && !difference.to_string().is_empty());
    }
}

fn json_requests() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"format": 1, "action": "promote", "product": "glite-3.2", "from": "delta", "to": "production", "packages": ["voms"], "reason": "\u00e9\n"}"#,
        r#"{"format": 1, "action": "keep", "generation": 41, "name": "update-57"}"#,
    ])
}

const CONFIGURATION: &str = include_str!("targets/configuration.toml");

fn configuration(bytes: &[u8]) {
    if let Err(errors) = daemon::config::Config::parse(bytes, "sluice.toml") {
        assert!(!errors.faults.is_empty() && errors.to_string().len() < (1 << 20) + 64 * bytes.len());
    }
}

const CERTIFICATE: &[u8] = include_bytes!("../../../crates/signatures/src/samples/packages.asc");
const SIGNATURE: &[u8] = include_bytes!("../../../crates/signatures/src/samples/list.asc");

/// When certificates and signatures are judged.
fn a_day_of_2026() -> jiff::Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

fn certificate(bytes: &[u8]) {
    let Ok(certificate) = Certificate::parse(bytes) else { return };
    let now = a_day_of_2026();
    assert!(certificate.names().iter().all(|name| !name.contains('\n')));
    let _ = (certificate.keys(now), certificate.expires(now), certificate.armored());
    let data = include_bytes!("../../../crates/signatures/src/samples/list");
    let _ = signatures::verify_detached(data, SIGNATURE, &[&certificate], now);
}

/// A detached signature, armoured or not: whatever it says, it is the key's own or none.
fn signature(bytes: &[u8]) {
    let certificate = Certificate::parse(CERTIFICATE).unwrap();
    let data = include_bytes!("../../../crates/signatures/src/samples/list");
    match signatures::verify_detached(data, bytes, &[&certificate], a_day_of_2026()) {
        Ok(good) => assert_eq!(good.made.to_string(), "2026-02-02T03:04:05Z"),
        Err(all_bad) => assert!(!all_bad.is_empty() && all_bad.iter().all(|bad| bad.words.len() < 1200)),
    }
    assert!(signatures::verify_detached(b"other", bytes, &[&certificate], a_day_of_2026()).is_err());
}

/// Packages of every shape the maker knows.
pub fn recipes() -> Vec<Recipe> {
    let dependency = |text: &str| text.parse::<Dependency>().unwrap();
    let mut full = Recipe::new("glite-wms", "1.2.3", "4.el9").arch("x86_64");
    full.epoch = Some(2);
    full.provides = ["libwms.so.1()(64bit)", "config(glite-wms) = 2:1.2.3-4.el9"].map(dependency).to_vec();
    full.requires = ["libc.so.6(GLIBC_2.34)(64bit)", "voms >= 1:2-3", "/bin/sh"].map(dependency).to_vec();
    full.conflicts = vec![dependency("old < 1")];
    full.obsoletes = vec![dependency("lcg <= 3")];
    full.recommends = vec![dependency("docs")];
    full.directories = vec!["/etc/glite".to_owned()];
    let full = full
        .file("/etc/glite/wms.conf", "a = 1\n")
        .file("/usr/bin/wms", "#!/bin/sh\n")
        .file("/usr/share/doc/wms/\u{fc}", "x")
        .change(1_700_000_000, "Ann <ann@example.org> - 1-1", "- one & <two>");
    vec![Recipe::new("voms", "1", "1"), full, Recipe { source: true, ..Recipe::new("voms", "1", "1") }]
}

fn packages() -> Vec<Vec<u8>> {
    recipes().iter().map(Recipe::build).collect()
}

/// Reads an RPM as the worker does, and writes what it says as the daemon does.
pub fn rpm(bytes: &[u8]) {
    let Ok(head) = repo::read_head(&mut &*bytes) else { return };
    let _ = (head.check_header(), head.payload_digest());
    let facts = FileFacts {
        size: bytes.len() as u64,
        digest: Sha256::from([0; 32]).into(),
        mtime: 0,
        href: "a.rpm".into(),
    };
    let Ok(package) = repo::package_of(&head, facts) else { return };
    let entry = repo::entry_of(&package);
    let at = entry.at("Packages/b.rpm").expect("what was written is read again");
    let fragments = &at.fragments;
    for part in [&fragments.primary, &fragments.filelists, &fragments.other] {
        assert!(std::str::from_utf8(part).is_ok_and(|text| text.chars().all(repo::is_carried)));
    }
}

fn metadata() -> repo::Metadata {
    let entries: Vec<_> = recipes()
        .iter()
        .map(|recipe| {
            let rpm = recipe.build();
            let facts = FileFacts {
                size: rpm.len() as u64,
                digest: repo::sha256(&rpm).into(),
                mtime: 5,
                href: format!("Packages/{}.rpm", recipe.name),
            };
            repo::entry_of(&repo::package_of(&repo::read_head(&mut &*rpm).unwrap(), facts).unwrap())
        })
        .collect();
    repo::write_metadata(&entries, 1_700_000_000, &[])
}

fn open(at: usize) -> Vec<u8> {
    repo::unpack(&metadata().files[at].1, 1 << 24).unwrap()
}

fn repomd(bytes: &[u8]) {
    let Ok(repomd) = Repomd::parse(bytes) else { return };
    for record in &repomd.records {
        assert!(repo::is_inside(&record.href), "{}", record.href);
        assert!(record.checksum.hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

fn contents(bytes: &[u8], at: usize) {
    static GOOD: std::sync::LazyLock<[Vec<u8>; 3]> = std::sync::LazyLock::new(|| [open(0), open(1), open(2)]);
    let document = [Document::Primary, Document::Filelists, Document::Other][at];
    let _ = Written::read(document, bytes);
    let mut three: [&[u8]; 3] = [&GOOD[0], &GOOD[1], &GOOD[2]];
    three[at] = bytes;
    let sliced = repo::Contents::read(three[0], three[1], three[2]);
    let parsed = repo::parse_packages(three[0], three[1], three[2]);
    if let Ok(sliced) = sliced {
        for entry in &sliced.entries {
            let _ = entry.at("b.rpm");
        }
        if let Ok(parsed) = parsed {
            assert_eq!(parsed.len(), sliced.entries.len());
        }
    }
    let _ = repo::parse_primary(bytes);
}

const COMPS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group><id>grid</id><name xml:lang="de">Gitter &amp; mehr</name><uservisible>true</uservisible>
    <packagelist><packagereq type="mandatory">voms</packagereq></packagelist></group>
</comps>
"#;

const ENVIRONMENTS: &str = r#"<comps><group><id>g</id><packagelist>
  <packagereq type="mandatory">a</packagereq> <packagereq type="conditional" requires="a">b</packagereq><packagereq>c</packagereq>
  </packagelist></group><category><id>g</id><grouplist><groupid>g</groupid></grouplist></category>
  <environment><id>e</id><grouplist><groupid>g</groupid></grouplist><optionlist/></environment>
  <environment><id>e</id><optionlist><groupid default="true">h</groupid></optionlist></environment>
  <langpacks><match name="a" install="b-%s"/></langpacks></comps>"#;

/// Which of some names stay where something is cut: about half of them, always the same.
fn stays(name: &str) -> bool {
    name.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) & 4 == 0
}

/// What is taken is cut to exactly what stays, and put together lists what both listed.
fn comps(bytes: &[u8]) {
    let is_good = repo::check_comps(bytes).is_ok();
    let Ok(read) = repo::Comps::parse(bytes) else { return };
    assert!(is_good);
    for part in &read.parts {
        let names = part.names().filter(|name| stays(name));
        match part.cut(stays) {
            Some(cut) => assert!(cut.names().eq(names) && cut.id == part.id),
            None => assert_eq!(names.count(), 0),
        }
    }
    for two in read.parts.windows(2).filter(|two| two[0].kind == two[1].kind) {
        let names: BTreeSet<_> = two.iter().flat_map(|part| part.names()).collect();
        assert_eq!(two[0].merged(&two[1]).names().collect::<BTreeSet<_>>(), names);
    }
    let again = repo::Comps::parse(&read.write()).expect("what was written is read again");
    assert_eq!(again.parts.len(), read.parts.len());
}

const UPDATEINFO: &[&str] = &[r#"<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="x@example.org" status="final" type="security" version="1"><id>A-1</id><title>t &amp; u</title>
<issued date="2026-01-01 00:00:00"/><updated date="2026-01-02"/><references><reference href="h" id="CVE-2026-1" type="cve"/></references>
<pkglist><collection short="c"><name>c</name>
<package name="a" version="1" release="1" epoch="0" arch="x86_64" src="a-1-1.src.rpm"><filename>a.rpm</filename></package>
<package name="b" version="1" release="1" arch="noarch"/><package name="c"/></collection></pkglist></update>
<update version="2"><id>A-1</id><pkglist><collection><package name="d" version="1" release="1" arch="noarch"/></collection></pkglist></update>
<update><id>B</id></update><update><id>C</id><pkglist/></update></updates>
"#];

fn updateinfo(bytes: &[u8]) {
    let Ok(read) = repo::Updateinfo::parse(bytes) else { return };
    let stays = |nevra: &Nevra| stays(&nevra.name);
    for advisory in &read.advisories {
        let packages = advisory.packages().filter(|nevra| stays(nevra));
        match advisory.cut(stays) {
            Some(cut) => assert!(cut.packages().eq(packages) && cut.id == advisory.id),
            None => assert_eq!(packages.count(), 0),
        }
    }
    for two in read.advisories.windows(2) {
        let merged = two[0].merged(&two[1]);
        assert!(
            merged.packages().all(|nevra| two.iter().any(|one| one.packages().any(|known| known == nevra)))
        );
    }
    let again = repo::Updateinfo::parse(&read.write()).expect("what was written is read again");
    assert_eq!(again, read);
}

const MODULES: &[&str] = &[
    "---\ndocument: modulemd\nversion: 2\ndata:\n  name: m\n  stream: \"1\"\n  version: 1\n  context: c\n  arch: x86_64\n  summary: gr\u{fc}n\n  \
     artifacts:\n    rpms:\n    - a-0:1-1.x86_64 # why\n    -  \"b-0:1-1.noarch\"\n    - c-0:1-1.noarch\n    - none\n---\ndocument: modulemd\ndata: \
     {name: m, artifacts: {rpms: [d-0:1-1.noarch, 'e-0:1-1.noarch', f-0:1-1.noarch]}}\n",
    "document: modulemd-defaults\nversion: 1\ndata:\n  module: m\n  modified: 202601010000\n  stream: \"1\"\n...\n---\ndocument: \
     modulemd-obsoletes\nversion: 1\ndata:\n  modified: 2026-01-01T00:00Z\n  module: m\n  stream: \"1\"\n  message: >-\n    gone\n",
    "---\ndocument: modulemd\ndata:\n  artifacts:\n    rpms: [ # those\n      a-0:1-1.noarch, # one\n      b-0:1-1.noarch,\n    ]",
];

fn modules(bytes: &[u8]) {
    let Ok(read) = repo::Modules::parse(bytes) else { return };
    let stays = |nevra: &Nevra| stays(&nevra.name);
    for document in read.documents.iter().filter(|one| one.is_stream()) {
        let packages = document.packages().filter(|nevra| stays(nevra));
        match document.cut(stays) {
            Some(cut) => assert!(
                cut.packages().eq(packages) && cut.id == document.id,
                "{:?}",
                String::from_utf8_lossy(&cut.raw)
            ),
            None => assert_eq!(packages.count(), 0),
        }
    }
    for two in read.documents.windows(2).filter(|two| two.iter().all(|one| one.packages().next().is_some())) {
        let merged = two[0].merged(&two[1]);
        let all = |one: &repo::Module| one.packages().cloned().collect::<BTreeSet<_>>();
        assert_eq!(all(&merged), &all(&two[0]) | &all(&two[1]), "{:?}", String::from_utf8_lossy(&merged.raw));
    }
    let again = repo::Modules::parse(&read.write()).expect("what was written is read again");
    assert_eq!(again.documents.len(), read.documents.len());
}

fn packings() -> Vec<Vec<u8>> {
    let text = open(1);
    let all = [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];
    let mut packed: Vec<_> = all.into_iter().map(|compression| repo::pack(compression, &text)).collect();
    packed.push([repo::gzip(b"one "), repo::gzip(b"two")].concat());
    packed
}

/// What comes out is never more than was allowed.
fn packed(bytes: &[u8]) {
    const LIMIT: u64 = 1 << 16;
    if let Ok(open) = repo::unpack(bytes, LIMIT) {
        assert!(open.len() as u64 <= LIMIT);
    }
}

/// Lists of packages in one block, in several, in none, and in ten behind which a table stands.
fn lists_in_blocks() -> Vec<Vec<u8>> {
    let large = format!("<package>{}</package>\n", "<file>/usr/share</file>".repeat(9_000));
    let small = "<package><file>/etc</file></package>\n".to_owned();
    let lists: [Vec<&[u8]>; 3] =
        [vec![], vec![small.as_bytes(); 3], vec![large.as_bytes(), small.as_bytes(), large.as_bytes()]];
    let write = |list: &Vec<&[u8]>| Blocks::write(Document::Filelists, Compression::Gzip, list);
    let index = serde_json::to_vec(&write(&lists[2]).1).unwrap();
    let full = large.replace("</p", &format!("{}</p", "<file>/etc</file>".repeat(4_000)));
    let tables = [Compression::Gzip, Compression::Zstd].map(|compression| {
        let (mut file, mut cutter) =
            (Gatherer::new(Document::Filelists, compression, Algorithm::Sha256, 10), Cutter::new());
        for _ in 0..10 {
            file.put(cutter.push(full.as_bytes()).or_else(|| cutter.flush()).unwrap().pack(compression));
        }
        file.finish(Algorithm::Sha256).unwrap().pieces.concat()
    });
    lists.iter().map(|list| write(list).0).chain([index]).chain(tables).collect()
}

/// A list whose members say which blocks it has: what they say is believed as far as it is so, and what is made of them says the
/// truth.
fn blocks(bytes: &[u8]) {
    if let Ok(blocks) = serde_json::from_slice::<Blocks>(bytes) {
        let _ = (blocks.size(), blocks.packages(), blocks.all_places());
    }
    let slice = |range: Range<u64>| bytes[range.start as usize..range.end as usize].to_vec();
    for document in [Document::Primary, Document::Filelists, Document::Other] {
        let read = &mut |range| Ok::<_, repo::Error>(slice(range));
        let Ok(Some(found)) = Blocks::find(document, bytes.len() as u64, read) else { continue };
        let blocks = found.blocks; // Behind them stands nothing that comes out.
        assert!(repo::unpack(&slice(blocks.size()..bytes.len() as u64), 0).is_ok());
        for (at, (range, packages)) in blocks.all_places().into_iter().enumerate() {
            if let Ok((text, ends)) = blocks.open(at, &slice(range), Vec::new()) {
                assert_eq!((text.len() as u64, ends.len()), (blocks.blocks()[at].open, packages.len()));
                assert!(ends.is_sorted() && ends.last().is_none_or(|end| *end <= text.len()));
            }
        }
        let hashing = Hashing { algorithm: Algorithm::Sha256, is_opened: true, known: None, prepared: None };
        let new: [&[u8]; 1] = [b"<package></package>\n"];
        let Ok(changed) = blocks.change(&BTreeSet::from([0]), &new, &hashing, read) else { continue };
        let parts = changed.parts.iter().map(|part| match part {
            Part::Old(range) => slice(range.clone()),
            Part::New(bytes) => bytes.clone(),
        });
        let file = parts.collect::<Vec<_>>().concat();
        assert_eq!(changed.file.checksum, repo::digest(Algorithm::Sha256, &file));
        let measure = changed.open.expect("it is packed");
        let open = repo::unpack(&file, measure.size).expect("each block was unpacked");
        assert_eq!(measure.checksum, Some(repo::digest(Algorithm::Sha256, &open)));
    }
}

const MANIFEST: &str = r#"{"format":1,"number":2,"parent":{"number":1,"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"created":"2026-01-31T12:00:00Z","files":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","policy":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","links_made":["packages/a/00/0011223344556677/x.rpm"],"retained":{"packages/a/00/0011223344556677/x.rpm":"2026-02-14T12:00:00Z"},"drop_links":[],"drop_generations":[1],"names":{"update-57":{"generation":1,"ended":false}},"account":{"format":1,"requests":[],"changes":{},"repositories":{"p/el9/x86_64/delta":{"product":"p","os":"el9","arch":"x86_64","stage":"delta","kind":"binary","path":"p/el9/x86_64/delta"}}}}"#;

fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = serde_json::from_slice::<store::Manifest>(bytes) {
        let _ = daemon::account::Account::of(manifest.number, &manifest.account);
    }
}

const FILES: &str = r#"{"format":1,"public":{"index.html":{"size":3,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","modified":{"seconds":5,"nanoseconds":7},"until":"2026-02-14T12:00:00Z"}},"private":{},"packages_links":{"a/Packages":"../../packages/a"}}"#;

fn files(bytes: &[u8]) {
    if let Ok(files) = serde_json::from_slice::<store::Files>(bytes) {
        let again = serde_json::to_vec(&files).unwrap();
        assert_eq!(serde_json::from_slice::<store::Files>(&again).unwrap(), files);
    }
}

const LINKS: &str = r#"{"format":1,"number":7,"links":["packages/a/00/0011223344556677/x.rpm","pool/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.rpm"],"repositories":["a"]}"#;

/// Recovery of a site in which a generation was begun: whatever its list of links says, nothing else is removed.
fn links(bytes: &[u8]) {
    let disk = Arc::new(ForgetfulDisk::new());
    let store = Store::new(Arc::clone(&disk) as Arc<dyn Disk>, camino::Utf8PathBuf::from("/site"));
    disk.make_directory("/site".into(), 0o755).unwrap();
    store.create_directories().unwrap();
    disk.make_directory("/elsewhere".into(), 0o755).unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let mut file = disk.create(path.into(), 0o644).unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
    };
    write("/elsewhere/precious", b"kept");
    disk.make_directory("/site/staging/7".into(), 0o755).unwrap();
    write("/site/staging/7/links.json", bytes);
    let lock = store.lock().unwrap();
    let _ = store.recover(&lock);
    assert!(disk.state("/elsewhere/precious".into()).unwrap().is_some(), "recovery left its root");
}

const AUDIT: &str = r#"{"format":1,"at":"2026-11-21T23:04:35Z","kind":"generation","generation":42,"manifest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","settled":["a-20260131T120000.000000Z-abcdef"]}"#;

fn audit(bytes: &[u8]) {
    let _ = serde_json::from_slice::<daemon::audit::Record>(bytes);
}

const ANSWER: &str = r#"{"format":1,"claim":"x-20261122T055541.853640Z-4a3d6f","id":"x","action":"import","owner":"user:root","request_digest":"b8b9207f429d36c97e4b0feae51b3174e998178b217377785e33a71cc001351d","outcome":"refused","code":"reader-died","exit":2,"sentence":"no","reasons":[],"hint":"h","gates":[],"moved":[]}"#;

fn answer(bytes: &[u8]) {
    let _ = serde_json::from_slice::<plan::Answer>(bytes);
}

/// A path, and lines of a header behind it.
fn web_requests() -> Vec<Vec<u8>> {
    texts(&[
        "/@42/glite/el9/x86_64/repodata/repomd.xml\nrange: bytes=0-99\nif-range: \"5.0-3-7\"",
        "/a/%7Eb/gcc-c%2b%2B.rpm\nif-none-match: W/\"x\", \"5.0-3-7\"\nif-modified-since: Sun, 06 Nov 1994 08:49:37 GMT",
        "/@update-57/\nrange: bytes=-5\nif-match: *",
    ])
}

fn worker_answers() -> Vec<Vec<u8>> {
    let mut answers = texts(&[r#"{"unfit":{"wrong":"not-rpm","words":"no"}}"#, r#"{"not-read":"EIO"}"#]);
    answers.extend(packages().iter().filter_map(|rpm| daemon::reading::said_of(rpm)));
    answers
}

/// Names and versions: what is read is written as what is read again.
fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(nevra) = text.parse::<Nevra>() {
        assert_eq!(nevra.to_string().parse::<Nevra>().as_ref(), Ok(&nevra));
        assert!(!nevra.file_name().contains('/'));
    }
    if let Ok(evr) = text.parse::<Evr>() {
        assert_eq!(evr.to_string().parse::<Evr>().as_ref(), Ok(&evr));
    }
    if let Ok(dependency) = text.parse::<Dependency>() {
        assert_eq!(dependency.to_string().parse::<Dependency>().as_ref(), Ok(&dependency));
    }
    let _ = (text.parse::<Sha256>(), Digest::new(Algorithm::Sha1, text), plan::upload_parts(text));
    let _ = text.parse::<plan::Reference>();
}

/// Reads `bytes` as the target `name` does.
pub fn read(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("there is such a target").run)(bytes);
}
