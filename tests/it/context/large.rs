//! What a base system costs: read once, then an index.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use repo::{Compression, Form, Piece, Repomd};
use testkit::{Sandbox, Site, run};

use super::{configuration, listed};

/// Names one of the files of a package, as long as they are in life.
fn path(package: usize, file: usize) -> String {
    format!("/usr/share/doc/package-{package}/chapter-{file}/section-{file}.html")
}

/// Writes repodata of so many packages with so many files each, as createrepo_c would.
fn repodata(folder: &camino::Utf8Path, packages: usize, files: usize) {
    let (mut primary, mut filelists) = (String::new(), String::new());
    let (common, rpm) = ("http://linux.duke.edu/metadata/common", "http://linux.duke.edu/metadata/rpm");
    let _ = write!(primary, "<metadata xmlns=\"{common}\" xmlns:rpm=\"{rpm}\" packages=\"{packages}\">");
    let other = "http://linux.duke.edu/metadata/filelists";
    let _ = write!(filelists, "<filelists xmlns=\"{other}\" packages=\"{packages}\">");
    for package in 0..packages {
        let pkgid = repo::sha256(package.to_string().as_bytes()).hex();
        let name = format!("package-{package}");
        let _ = write!(
            primary,
            "<package type=\"rpm\"><name>{name}</name><arch>x86_64</arch><version epoch=\"0\" ver=\"1.{package}\" rel=\"1.el9\"/>\
             <checksum type=\"sha256\" pkgid=\"YES\">{pkgid}</checksum><summary>A package</summary>\
             <description>{}</description><time file=\"1\" build=\"1\"/><size package=\"1\" installed=\"1\" archive=\"1\"/>\
             <location href=\"{name}.rpm\"/><format><rpm:provides>",
            "It does what packages do, and says so at length. ".repeat(8)
        );
        for library in 0..10 {
            let _ = write!(primary, "<rpm:entry name=\"lib{name}-{library}.so.1()(64bit)\"/>");
        }
        primary.push_str("</rpm:provides><rpm:requires>");
        for required in 1..=20 {
            let other = (package + required * 37) % packages;
            let _ = write!(
                primary,
                "<rpm:entry name=\"package-{other}\" flags=\"GE\" epoch=\"0\" ver=\"1\" rel=\"1\"/>"
            );
        }
        let _ = write!(primary, "</rpm:requires><file>/usr/bin/{name}</file></format></package>");
        let _ = write!(
            filelists,
            "<package pkgid=\"{pkgid}\" name=\"{name}\" arch=\"x86_64\"><version epoch=\"0\" ver=\"1.{package}\" rel=\"1.el9\"/>\
             <file>/usr/bin/{name}</file>"
        );
        for file in 1..files {
            let _ = write!(filelists, "<file>{}</file>", path(package, file));
        }
        filelists.push_str("</package>");
    }
    primary.push_str("</metadata>");
    filelists.push_str("</filelists>");
    fs::create_dir_all(folder.join("repodata")).unwrap();
    let mut repomd = Repomd::new("1");
    for (kind, open) in [("primary", primary), ("filelists", filelists)] {
        let file_name = &format!("{kind}.xml");
        let (open, compression) = (open.into_bytes().into(), Compression::Zstd);
        let piece = Piece { kind, file_name, open, compression, database_version: None };
        let (record, bytes) = repo::pack_piece(&Form::default(), &piece, 1);
        fs::write(folder.join(&record.href), bytes).unwrap();
        repomd.records.push(record);
    }
    fs::write(folder.join("repodata/repomd.xml"), repomd.write()).unwrap();
}

/// With SLUICE_THOROUGH=1 it has 50,000 packages and 2.5 million files, and the figures are printed.
#[test]
fn a_base_system_becomes_an_index_of_a_few_bytes_a_file() {
    let packages = if std::env::var_os("SLUICE_THOROUGH").is_some() { 50_000 } else { 1_000 };
    let files = 50;
    let sandbox = Sandbox::new();
    let mirror = sandbox.folder("mirror");
    repodata(&mirror.join("el9/x86_64"), packages, files);
    let site =
        Site::initialised(&sandbox, "http://127.0.0.1:1", &configuration(&mirror, "http://127.0.0.1:1"));
    let timed = |arguments: &[&str]| {
        let began = Instant::now();
        run(site.as_daemon().args(arguments)).ok();
        began.elapsed()
    };
    let read = timed(&["context", "update", "base"]);
    let again = timed(&["context", "update", "base"]);
    let base = listed(&site, "base");
    assert_eq!(base["packages"], packages, "{base}");
    let index = site.root().join("cache/contexts").join(base["digest"].as_str().unwrap());
    let size = fs::metadata(&index).unwrap().len();
    println!(
        "{packages} packages, {} files: read in {read:?}, looked at again in {again:?}, index {size} bytes",
        packages * files
    );
    let each = size / packages as u64;
    // 13 bytes a file, and what a package says in its own words.
    assert!(each < 2500, "{each} bytes a package");
}
