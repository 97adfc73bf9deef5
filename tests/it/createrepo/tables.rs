//! The table behind the blocks of a larger file: everybody else passes over it, and an update goes on from it.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use repo::{Blocks, Document, Recipe};
use testkit::{Host, Sandbox, createrepo_c, mergerepo_c, program, run, sluice};

use super::{index, texts};

/// Each of the three files has more than eight blocks.
const PACKAGES: usize = 150;

fn put(folder: &Utf8Path, number: usize, edition: usize) {
    let mut recipe = Recipe::new(format!("package{number:03}"), "1", format!("{}", edition + 1));
    for file in 0..380 {
        recipe = recipe.file(&format!("/usr/share/package{number}/folder{}/file-{file}.conf", file % 7), "");
        recipe = recipe.provides(&format!("thing-{number}-{file} = {edition}"));
    }
    recipe = recipe.change(1_700_000_000, "Ann <ann@example.org>", &"- a word of it\n".repeat(1900));
    let path = folder.join(format!("package{number:03}.rpm"));
    fs::write(&path, recipe.build()).unwrap();
    dated(&path, edition);
}

fn dated(path: &Utf8Path, edition: usize) {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + edition as u64);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
}

/// Puts zeros in the place of a package: whoever reads it again gets nothing from it.
fn hollow(folder: &Utf8Path, number: usize, edition: usize) {
    let path = folder.join(format!("package{number:03}.rpm"));
    let size = fs::metadata(&path).unwrap().len();
    fs::write(&path, vec![0; usize::try_from(size).unwrap()]).unwrap();
    dated(&path, edition);
}

fn files(repository: &Utf8Path) -> Vec<(Document, Utf8PathBuf)> {
    let repomd = index(repository);
    let file =
        |document: Document| (document, repository.join(&repomd.record(document.as_str()).unwrap().href));
    [Document::Primary, Document::Filelists, Document::Other].map(file).to_vec()
}

/// Counts the bytes behind the foot.
fn table_of(document: Document, path: &Utf8Path) -> u64 {
    let bytes = fs::read(path).unwrap();
    let read = &mut |range: std::ops::Range<u64>| {
        Ok::<_, repo::Error>(bytes[range.start as usize..range.end as usize].to_vec())
    };
    let found = Blocks::find(document, bytes.len() as u64, read).unwrap().expect("it was packed by us");
    bytes.len() as u64 - found.blocks.size()
}

fn make(folder: &Utf8Path, options: &[&str]) {
    let mut command = program(sluice().as_str());
    let ran = run(command.args(["createrepo", "--no-database"]).args(options).arg(folder));
    assert_eq!((ran.code(), ran.stderr.contains("note: ")), (0, false), "{ran}");
}

fn packages_of(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| line.contains("package")).collect()
}

#[test]
fn everybody_passes_over_a_table() {
    const READ: &str = "import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
    for form in ["gz", "zstd"] {
        let sandbox = Sandbox::new();
        let folder = sandbox.folder("packages");
        (0..PACKAGES).for_each(|number| put(&folder, number, 0));
        make(&folder, &["--general-compress-type", form]);
        // One late package is another one: an update goes on from the table, and writes one.
        put(&folder, PACKAGES - 1, 1);
        (0..PACKAGES - 1).for_each(|number| hollow(&folder, number, 0));
        make(&folder, &["--general-compress-type", form, "--update"]);
        let said = texts(&folder);
        assert!(said["primary"].matches("<package ").count() == PACKAGES, "{form}");

        for (document, path) in files(&folder) {
            assert!(table_of(document, &path) > 100, "{form}, {document}");
            let readers = match form {
                "gz" => vec![vec!["gzip", "-dc"], vec!["python3", "-c", READ]],
                _ => vec![vec!["zstd", "-dcq"]],
            };
            for reader in readers {
                let ran = run(program(reader[0]).args(&reader[1..]).arg(&path)).ok();
                assert!(ran.stderr.is_empty(), "{reader:?}: {}", ran.stderr);
                assert!(ran.stdout == said[document.as_str()], "{reader:?}, {document}");
            }
            let test = if form == "gz" { "gzip" } else { "zstd" };
            run(program(test).args(["-t", path.as_str()])).ok();
        }

        let host = Host::new(&sandbox, "host");
        host.repository("packages", &format!("file://{folder}"));
        let listed = host.dnf(&["repoquery", "-q", "*", "--queryformat", "%{name}-%{release}"]).ok().stdout;
        assert_eq!(packages_of(&listed).len(), PACKAGES, "{form}: {listed}");
        assert!(listed.contains(&format!("package{}-2", PACKAGES - 1)), "{form}: {listed}");
        let owner = ["repoquery", "-q", "--whatprovides", "/usr/share/package148/folder2/file-373.conf"];
        assert!(host.dnf(&owner).ok().stdout.contains("package148"), "{form}: filelists are not read");
        let zypper = Host::new(&sandbox, "zypper");
        zypper.repository("packages", &format!("file://{folder}"));
        zypper.zypper(&["refresh"]).ok();
        let found = zypper.zypper(&["search", "--details", "--type", "package"]).ok().stdout;
        assert_eq!(found.lines().filter(|line| line.contains("| package |")).count(), PACKAGES, "{form}");
        if form == "zstd" {
            continue;
        }

        // createrepo_c before 1.0 reads no zstd.
        let other = sandbox.folder("other");
        fs::write(other.join("else-1-1.noarch.rpm"), Recipe::new("else", "1", "1").build()).unwrap();
        createrepo_c(&other, &["--no-database"]).ok();
        let merged = sandbox.folder("merged");
        mergerepo_c(&[&folder, &other], &merged).ok();
        assert_eq!(texts(&merged)["filelists"].matches("<package ").count(), PACKAGES + 1);
        fs::write(folder.join("updateinfo.xml"), "<updates><update/></updates>\n").unwrap();
        let words = [folder.join("updateinfo.xml"), folder.join("repodata")];
        run(program("modifyrepo_c").args(words.iter().map(|word| word.as_str()))).ok();
        hollow(&folder, PACKAGES - 1, 1);
        createrepo_c(&folder, &["--update", "--no-database"]).ok();
        let theirs = texts(&folder);
        for kind in ["primary", "filelists", "other"] {
            assert!(theirs[kind].trim_end() == said[kind].trim_end(), "createrepo_c --update, {kind}");
        }
        // Metadata of somebody else has no table; the next of ours has one again.
        make(&folder, &["--update"]);
        assert!(texts(&folder)["other"].trim_end() == said["other"].trim_end());
        assert!(files(&folder).iter().all(|(document, path)| table_of(*document, path) > 100));
    }
}
