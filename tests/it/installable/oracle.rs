//! What libsolv says about worlds, which it reads as the repodata that we write.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use closure::{FileKind, Package};
use nevra::Dependency;
use repo::{Compression, Form, Relation};
use serde_json::{Value, json};
use testkit::program;

use super::worlds::Made;

/// Writes the repositories of a world below a folder.
pub(super) fn write(folder: &Path, world: &Made) {
    for (name, packages) in [("before", &world.before), ("after", &world.after), ("context", &world.context)]
    {
        write_repository(&folder.join(name), packages);
    }
}

pub(super) fn write_repository(folder: &Path, packages: &[Package]) {
    let entries: Vec<_> = packages.iter().map(|package| repo::entry_of(&listed(package))).collect();
    let form = Form { compression: Compression::None, unique_names: false, ..Form::default() };
    let metadata = repo::write_metadata_in(&form, &entries, 1, &repo::Repomd::new("1"), &[]);
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in metadata.files {
        fs::write(folder.join(Path::new(&name).file_name().unwrap()), bytes).unwrap();
    }
}

/// The package as repository metadata has it.
fn listed(package: &Package) -> repo::Package {
    let blank = repo::parse_primary(include_bytes!("blank_primary.xml")).unwrap().remove(0);
    let digest = repo::sha256(package.nevra.to_string().as_bytes());
    let relations = |all: &[Dependency]| all.iter().map(relation).collect::<Vec<_>>();
    let mut provides = relations(&package.provides);
    provides.push(relation(&package.nevra.provided()));
    let file = |file: &closure::File| repo::File {
        path: file.path.clone(),
        kind: match file.kind {
            FileKind::File => repo::FileKind::File,
            FileKind::Directory => repo::FileKind::Directory,
            FileKind::Ghost => repo::FileKind::Ghost,
        },
    };
    repo::Package {
        nevra: package.nevra.clone(),
        href: package.nevra.file_name(),
        pkgid: digest.into(),
        provides,
        requires: relations(&package.requires),
        conflicts: relations(&package.conflicts),
        obsoletes: relations(&package.obsoletes),
        files: package.files.iter().map(file).collect(),
        ..blank
    }
}

fn relation(dependency: &Dependency) -> Relation {
    let bound = dependency.bound.as_ref();
    Relation {
        name: dependency.name.clone(),
        flags: bound.map(|bound| bound.sense.flag()),
        epoch: bound.map(|bound| bound.epoch.unwrap_or(0).to_string()),
        version: bound.map(|bound| bound.version.clone()),
        release: bound.and_then(|bound| bound.release.clone()),
        pre: false,
    }
}

/// Puts questions to libsolv.
pub(super) fn ask(questions: &[Value]) -> Vec<Value> {
    let mut child = program("/usr/bin/python3")
        .args(["-c", include_str!("solv_oracle.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(questions).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "libsolv's Python binding failed; tests/setup.sh installs python3-solv");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is in the way of each package of `after`, in libsolv's words; nothing for those that can be installed.
pub(super) fn installable(folders: &[&Path]) -> Vec<BTreeMap<String, Vec<String>>> {
    let questions = folders.iter().map(|folder| json!({ "ask": "installable", "folder": folder }));
    let answers = ask(&questions.collect::<Vec<_>>());
    answers.into_iter().map(|answer| serde_json::from_value(answer).unwrap()).collect()
}
