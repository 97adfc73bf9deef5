//! Every client against our metadata, in every form.

use std::fs;

use camino::Utf8Path;
use nevra::Algorithm;
use repo::{Compression, Form, Repomd};
use testkit::{Host, SOURCE_DATE_EPOCH, Sandbox, createrepo_c};

use super::{Xml, elements, ours, put, same, theirs};

/// What dnf knows about every package of a repository, one line each, sorted.
pub fn dnf_sees(sandbox: &Sandbox, name: &str, folder: &Utf8Path) -> Vec<String> {
    let host = Host::new(sandbox, name);
    host.repository("fixtures", &format!("file://{folder}"));
    let mut seen = Vec::new();
    let format = "%{name}-%{evr}.%{arch}|%{summary}|%{url}|%{license}|%{sourcerpm}|%{buildtime}|%{size}|%{installsize}";
    let lists =
        ["--requires", "--provides", "--obsoletes", "--conflicts", "--recommends", "--supplements", "--list"];
    for extra in [&["--queryformat", format][..]].into_iter().chain(lists.chunks(1)) {
        let mut arguments = vec!["repoquery", "--show-duplicates", "*"];
        arguments.extend(extra);
        seen.push(format!("--- {extra:?}"));
        let mut lines: Vec<_> = host.dnf(&arguments).ok().stdout.lines().map(str::to_owned).collect();
        lines.sort();
        seen.extend(lines);
    }
    seen
}

#[test]
fn dnf_sees_in_ours_what_it_sees_in_createrepo_cs() {
    let sandbox = Sandbox::new();
    let theirs = dnf_sees(&sandbox, "a", &theirs(&sandbox));
    let ours = dnf_sees(&sandbox, "b", &ours(&sandbox).0);
    println!("{} lines of dnf repoquery compared", ours.len());
    assert!(ours.len() > 400, "dnf said next to nothing: {ours:?}");
    assert_eq!(ours, theirs);
}

/// What zypper lists of a repository.
pub fn zypper_lists(sandbox: &Sandbox, name: &str, folder: &Utf8Path) -> Vec<String> {
    let host = Host::new(sandbox, name);
    host.repository("fixtures", &format!("file://{folder}"));
    host.zypper(&["refresh"]).ok();
    let found = host.zypper(&["search", "--details", "--type", "package"]).ok().stdout;
    lines(&found).into_iter().filter(|line| line.contains("| package |")).collect()
}

#[test]
fn zypper_sees_in_ours_what_it_sees_in_createrepo_cs() {
    let sandbox = Sandbox::new();
    let theirs = zypper_lists(&sandbox, "a", &theirs(&sandbox));
    let ours = zypper_lists(&sandbox, "b", &ours(&sandbox).0);
    println!("{} packages listed by zypper", ours.len());
    assert!(ours.len() >= 25, "zypper lists next to nothing: {ours:?}");
    assert_eq!(ours, theirs);
}

/// What zypper lists, and what dnf knows of each package in short, when our metadata has this form.
fn clients_see(form: &Form) -> [Vec<String>; 2] {
    let sandbox = Sandbox::new();
    let (folder, entries) = ours(&sandbox);
    fs::remove_dir_all(folder.join("repodata")).unwrap();
    put(&repo::write_metadata_in(form, &entries, SOURCE_DATE_EPOCH, &Repomd::new("1"), &[]), &folder);
    let host = Host::new(&sandbox, "host");
    host.repository("fixtures", &format!("file://{folder}"));
    let format = "%{name}-%{evr}.%{arch}|%{summary}|%{sourcerpm}|%{installsize}|%{location}";
    let files = ["repoquery", "-q", "--whatprovides", "/usr/share/multitude/d42/f17"];
    let mut seen = host.dnf(&files).ok().stdout;
    assert!(seen.contains("multitude"), "{form:?}: dnf does not read filelists: {seen}");
    seen += &host.dnf(&["repoquery", "--show-duplicates", "*", "--queryformat", format]).ok().stdout;
    [lines(&seen), zypper_lists(&sandbox, "zypper", &folder)]
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn clients_read_every_form() {
    let usual = clients_see(&Form::default());
    assert!(usual[0].len() > 80 && usual[1].len() > 60, "{} {}", usual[0].len(), usual[1].len());
    let default = Form::default();
    for form in [
        Form { compression: Compression::Zstd, ..default },
        Form { compression: Compression::Bzip2, unique_names: false, ..default },
        Form { compression: Compression::Xz, checksum: Algorithm::Sha512, ..default },
    ] {
        assert!(clients_see(&form) == usual, "{form:?} is read otherwise than gzip");
    }
}

#[test]
fn createrepo_c_reads_the_forms_it_knows() {
    for compression in [Compression::Bzip2, Compression::Xz] {
        let sandbox = Sandbox::new();
        let (folder, entries) = ours(&sandbox);
        let form = Form { compression, checksum: Algorithm::Sha1, unique_names: false, ..Form::default() };
        fs::remove_dir_all(folder.join("repodata")).unwrap();
        put(&repo::write_metadata_in(&form, &entries, SOURCE_DATE_EPOCH, &Repomd::new("1"), &[]), &folder);
        super::hollow(&folder);
        createrepo_c(&folder, &["--update", "--no-database"]).ok();
        let updated = Xml::of(&folder);
        assert_eq!(elements(&updated.filelists).len(), entries.len(), "{compression}");
        same(
            &elements(&updated.filelists),
            &entries
                .iter()
                .map(|entry| {
                    (entry.pkgid.hex.clone(), String::from_utf8_lossy(&entry.fragments.filelists).into())
                })
                .collect(),
        );
    }
}

#[test]
fn what_createrepo_c_packs_is_unpacked() {
    let plain = Xml::of(&theirs(&Sandbox::new()));
    for kind in ["bz2", "xz"] {
        let xml = Xml::of(&super::theirs_with(&Sandbox::new(), &["--general-compress-type", kind]));
        assert!(elements(&xml.primary).len() > 60, "{kind}");
        same(&elements(&xml.filelists), &elements(&plain.filelists));
        same(&elements(&xml.other), &elements(&plain.other));
    }
}
