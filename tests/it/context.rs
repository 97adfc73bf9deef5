//! Contexts: repositories of others, made by createrepo_c, read where they lie or fetched from a real web server.

mod fetching;
mod large;
mod modular;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use serde_json::Value;
use testkit::{Sandbox, Site, createrepo_c, run};

/// A product whose production is judged beside a folder and a URL.
fn configuration(folder: &Utf8Path, url: &str) -> String {
    format!(
        "[roles]\nrelease-team = [\"ME\"]\n\
         [[context]]\nname = \"base\"\nfolder = \"{folder}/{{os}}/{{arch}}\"\n\
         [[context]]\nname = \"epel\"\nurl = \"{url}/{{arch}}/\"\nmax_age = \"30d\"\n\
         [[product]]\nname = \"glite\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n\
         [[product.stage]]\nname = \"production\"\nclosure = [\"base\", \"epel\"]\n"
    )
}

/// Makes a repository with a package of that version, and another with files that only filelists names.
fn repository(folder: &Utf8Path, version: &str, options: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    let bash = Recipe::new("bash", version, "1").arch("x86_64").file("/bin/bash", "b");
    let docs = Recipe::new("docs", "1", "1").file("/usr/share/doc/a", "a").file("/usr/share/doc/b", "b");
    for recipe in [bash, docs] {
        fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
    }
    createrepo_c(folder, options).ok();
}

/// What `sluice context` says of one context.
fn listed(site: &Site, name: &str) -> Value {
    let said = run(site.as_daemon().args(["context", "--json"])).ok();
    let all: Vec<Value> =
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    all.into_iter().find(|one| one["context"] == name).unwrap_or_else(|| panic!("no `{name}` in {said}"))
}

/// Where the file of a record lies.
fn file_of(folder: &Utf8Path, kind: &str) -> Utf8PathBuf {
    let repomd = repo::Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
    folder.join(&repomd.record(kind).unwrap().href)
}

#[test]
fn a_folder_is_read_as_it_is_however_createrepo_c_packs_it() {
    let sandbox = Sandbox::new();
    let mirror = sandbox.folder("mirror");
    let folder = mirror.join("el9/x86_64");
    let site =
        Site::initialised(&sandbox, "http://127.0.0.1:1", &configuration(&mirror, "http://127.0.0.1:1"));
    let mut digests = std::collections::BTreeSet::new();
    for compression in ["gz", "bz2", "xz"] {
        repository(&folder, "5", &["--general-compress-type", compression, "--compress-type", compression]);
        let base = listed(&site, "base");
        assert_eq!((&base["packages"], &base["code"]), (&2.into(), &Value::Null), "{compression}: {base}");
        digests.insert(base["digest"].to_string());
    }
    assert_eq!(digests.len(), 3, "each is another repomd.xml");
    let words = run(site.as_daemon().arg("context")).ok().stdout;
    assert!(words.starts_with("base  el9/x86_64  2 packages\n"), "{words}");
    assert!(words.contains("\nepel  el9/x86_64  context-missing\n  http://127.0.0.1:1/x86_64\n"), "{words}");
    assert!(words.contains("was not fetched yet; `sluice context update` does that"), "{words}");
}

/// Breaks the folder in one way and says what code it has then.
fn code_of_folder(break_it: impl FnOnce(&Utf8Path)) -> String {
    let sandbox = Sandbox::new();
    let mirror = sandbox.folder("mirror");
    let folder = mirror.join("el9/x86_64");
    repository(&folder, "5", &["--general-compress-type", "gz"]);
    let site =
        Site::initialised(&sandbox, "http://127.0.0.1:1", &configuration(&mirror, "http://127.0.0.1:1"));
    assert_eq!(listed(&site, "base")["code"], Value::Null);
    break_it(&folder);
    let base = listed(&site, "base");
    assert!(base["words"].as_str().unwrap().contains(folder.as_str()), "the place is named: {base}");
    // What `update` reads is not believed either, and makes it fail.
    let update = run(site.as_daemon().args(["context", "update", "base"]));
    assert_eq!(update.code(), 6, "{update}");
    base["code"].as_str().unwrap().to_owned()
}

fn changed(path: &Utf8Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_folder_that_went_away_is_missing() {
    assert_eq!(code_of_folder(|folder| fs::remove_dir_all(folder).unwrap()), "context-missing");
}

#[test]
fn a_folder_whose_repomd_went_away_is_missing() {
    let code = code_of_folder(|folder| fs::remove_file(folder.join("repodata/repomd.xml")).unwrap());
    assert_eq!(code, "context-missing");
}

#[test]
fn a_folder_whose_primary_went_away_is_missing() {
    let code = code_of_folder(|folder| fs::remove_file(file_of(folder, "primary")).unwrap());
    assert_eq!(code, "context-missing");
}

#[test]
fn a_folder_whose_filelists_has_another_checksum_is_corrupt() {
    let code = code_of_folder(|folder| {
        changed(&file_of(folder, "filelists"), |bytes| *bytes.last_mut().unwrap() ^= 1);
    });
    assert_eq!(code, "context-corrupt");
}

#[test]
fn a_folder_whose_primary_is_cut_short_is_corrupt() {
    let code = code_of_folder(|folder| {
        changed(&file_of(folder, "primary"), |bytes| bytes.truncate(bytes.len() / 2));
    });
    assert_eq!(code, "context-corrupt");
}

#[test]
fn a_folder_whose_repomd_is_no_xml_is_corrupt() {
    let code = code_of_folder(|folder| {
        changed(&folder.join("repodata/repomd.xml"), |bytes| {
            *bytes = b"<repomd><data type=\"primary\">".to_vec()
        });
    });
    assert_eq!(code, "context-corrupt");
}

#[test]
fn a_folder_whose_metadata_is_a_bomb_is_corrupt() {
    let code = code_of_folder(|folder| {
        // A repomd.xml that states all of it as it is.
        let bomb = vec![b' '; 256 << 20];
        let mut repomd = repo::Repomd::new("1");
        for kind in ["primary", "filelists"] {
            let piece = repo::Piece {
                kind,
                file_name: &format!("{kind}.xml"),
                open: bomb.as_slice().into(),
                compression: repo::Compression::Gzip,
                database_version: None,
            };
            let (record, bytes) = repo::pack_piece(&repo::Form::default(), &piece, 1);
            fs::write(folder.join(&record.href), bytes).unwrap();
            repomd.records.push(record);
        }
        fs::write(folder.join("repodata/repomd.xml"), repomd.write()).unwrap();
    });
    assert_eq!(code, "context-corrupt");
}
