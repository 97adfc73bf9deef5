//! `sluice createrepo` beside createrepo_c: every option with the same words, the same directory, the same result.

mod hostile;
mod tables;
mod updating;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Repomd;
use testkit::{Ran, Sandbox, checkout, createrepo_c, fixtures, program, run, sluice};

/// A comps file, as far as createrepo_c looks at it.
const COMPS: &str = "<?xml version=\"1.0\"?>\n<comps><group><id>grid</id><name>Grid</name></group></comps>\n";

/// What a repository says of itself, but for the names of files that hold a checksum of packed bytes.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    revision: String,
    notes: Vec<String>,
    /// Kind, shape of the href, kinds of the checksums, whether there is an open one, version of a database.
    records: Vec<String>,
    /// The timestamps, if they are the caller's.
    timestamps: Vec<i64>,
    /// What lies in `repodata`, checksums taken out.
    names: Vec<String>,
}

/// Takes out whatever is a checksum.
fn shape(name: &str) -> String {
    let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
    match name.split_once('-') {
        Some((hex, rest)) if hex.len() >= 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{folder}/{}*-{rest}", hex.len())
        }
        _ => format!("{folder}/{name}"),
    }
}

fn index(repository: &Utf8Path) -> Repomd {
    let path = repository.join("repodata/repomd.xml");
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("failed to read `{path}`: {error}"));
    Repomd::parse(&bytes).unwrap_or_else(|error| panic!("`{path}`: {error}"))
}

fn said(repository: &Utf8Path, timestamps: bool) -> Said {
    let repomd = index(repository);
    let record = |record: &repo::Record| {
        let open = record.open_checksum.as_ref().map(|open| open.algorithm.to_string());
        let version =
            String::from_utf8_lossy(&record.raw).contains("<database_version>10</database_version>");
        format!("{} {} {} {open:?} {version}", record.kind, shape(&record.href), record.checksum.algorithm)
    };
    let names = repository.join("repodata").read_dir_utf8().unwrap();
    let mut names: Vec<_> = names.map(|name| shape(name.unwrap().file_name())).collect();
    names.sort();
    Said {
        revision: repomd.revision.clone(),
        notes: repomd.notes.iter().map(|note| String::from_utf8_lossy(&note.raw).into_owned()).collect(),
        records: repomd.records.iter().map(record).collect(),
        timestamps: repomd.records.iter().filter(|_| timestamps).map(|record| record.timestamp).collect(),
        names,
    }
}

/// What the files of a repository hold once they are unpacked, by kind; databases have tests of their own.
fn texts(repository: &Utf8Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for record in index(repository).records {
        let packed = fs::read(repository.join(&record.href)).unwrap();
        assert_eq!(repo::digest(record.checksum.algorithm, &packed), record.checksum, "{}", record.href);
        if !record.kind.ends_with("_db") {
            let open = repo::unpack(&packed, 1 << 30).unwrap();
            texts.insert(record.kind, String::from_utf8(open).unwrap());
        }
    }
    texts
}

/// Two directories with the same packages, and what each program made of its own.
struct Pair {
    sandbox: Sandbox,
    ours: Utf8PathBuf,
    theirs: Utf8PathBuf,
}

impl Pair {
    /// The fixtures, some of them in a folder below, some by a link, and a comps file.
    fn new() -> Pair {
        let sandbox = Sandbox::new();
        let ours = sandbox.folder("ours/repository");
        fs::create_dir_all(ours.join("below/deeper")).unwrap();
        for path in &fixtures().good {
            let name = path.file_name().unwrap();
            let place = if name.starts_with("voms") { "below" } else { "." };
            run(program("cp").args(["-a", path.as_str(), ours.join(place).join(name).as_str()])).ok();
        }
        let again = ours.join("below/deeper/bare-1-1.noarch.rpm");
        run(program("cp").args(["-a", ours.join("bare-1-1.noarch.rpm").as_str(), again.as_str()])).ok();
        std::os::unix::fs::symlink("../bare-1-1.noarch.rpm", ours.join("below/another.rpm")).unwrap();
        fs::write(ours.join("comps.xml"), COMPS).unwrap();
        fs::write(ours.join("list"), "below/deeper/bare-1-1.noarch.rpm\n\naccents-1.0-1.noarch.rpm\n")
            .unwrap();
        let theirs = sandbox.folder("theirs").join("repository");
        run(program("cp").args(["-a", ours.as_str(), theirs.as_str()])).ok();
        Pair { ours, theirs, sandbox }
    }

    /// Does the same to both directories.
    fn both(&self, act: impl Fn(&Utf8Path)) {
        [&self.ours, &self.theirs].into_iter().for_each(|folder| act(folder));
    }

    /// Runs both programs with the same options; `DIR` among them is the directory of each.
    fn run(&self, options: &[&str]) -> (Ran, Ran) {
        let words = |folder: &Utf8Path| {
            options.iter().map(|word| word.replace("DIR", folder.as_str())).collect::<Vec<_>>()
        };
        let mut command = program(sluice().as_str());
        let ours = run(command.args(["createrepo", "-q"]).args(words(&self.ours)).arg(&self.ours));
        // It makes databases unless it is told not to.
        let mut options = words(&self.theirs);
        if !options.iter().any(|word| word == "-d" || word == "--database") {
            options.push("--no-database".to_owned());
        }
        (ours, createrepo_c(&self.theirs, &options))
    }

    /// Compares what is below `place` of both.
    #[track_caller]
    fn same(&self, place: &str, timestamps: bool) -> usize {
        let (ours, theirs) = (self.ours.join(place), self.theirs.join(place));
        assert_eq!(said(&ours, timestamps), said(&theirs, timestamps));
        let (ours, theirs) = (texts(&ours), texts(&theirs));
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        for (kind, text) in &ours {
            // 0.17.3 takes `&amp;` in an attribute of metadata it updates from for `&#38;`.
            let theirs = theirs[kind].replace("&amp;#38;", "&amp;");
            // A whole repository in a message would hide the line that differs.
            let pair = text.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
            assert_eq!(pair, None, "{kind}");
            assert_eq!(text.trim_end(), theirs.trim_end(), "{kind}");
        }
        ours["primary"].matches("<package ").count()
    }
}

#[test]
fn every_option_does_what_it_does_there() {
    let pair = Pair::new();
    let all = fixtures().good.len() + 2;
    // Options, and how many packages are to be listed.
    let table: &[(&[&str], usize)] = &[
        (&[], all),
        (&["-v"], all),
        (&["-x", "*bare*"], all - 2),
        (&["--excludes", "below/*", "--excludes", "?are-*"], all - 9),
        (&["-i", "DIR/list"], 2),
        (&["--pkglist", "DIR/list", "-x", "below/*"], 1),
        (&["--includepkg", "accents-1.0-1.noarch.rpm", "-n", "below/another.rpm"], 2),
        (&["-i", "DIR/list", "-n", "below/another.rpm"], 3),
        (&["-S"], all - 1),
        (&["-g", "comps.xml"], all),
        (&["--groupfile", "DIR/comps.xml", "--compress-type", "xz"], all),
        (&["-g", "comps.xml", "--xz"], all),
        (&["-g", "comps.xml", "--general-compress-type", "bz2", "--simple-md-filenames"], all),
        (&["--general-compress-type", "xz"], all),
        (&["--compress-type", "bz2"], all),
        (&["-s", "sha512"], all),
        (&["--checksum", "sha1"], all),
        (&["-s", "md5"], all),
        (&["-s", "SHA384", "--repomd-checksum", "sha224"], all),
        (&["--unique-md-filenames"], all),
        (&["--simple-md-filenames"], all),
        (&["--repo", "grid", "--repo", "a<b", "--content", "binary", "--distro", "cpe:/o:x:y,X & Y"], all),
        (&["--distro", "plain", "--distro", "a,b,c"], all),
        (&["-u", "http://example.org/a?b&c"], all),
        (&["--baseurl", "http://example.org/", "--location-prefix", "pool"], all),
        (&["--location-prefix", "../packages/"], all),
        (&["--workers", "3"], all),
        (&["-d"], all),
        (&["--database", "--compress-type", "gz", "-g", "comps.xml"], all),
        (&["-p", "--error-exit-val"], all),
        (&["--compatibility"], all),
        (&["--changelog-limit", "3"], all),
        (&["--compatibility", "--changelog-limit", "0"], all),
        (&["--changelog-limit", "-1"], all),
    ];
    for (options, expected) in table {
        let options: Vec<&str> = ["--revision", "today & here"].iter().chain(*options).copied().collect();
        let (ours, theirs) = pair.run(&options);
        assert_eq!((ours.code(), theirs.code()), (0, 0), "{options:?}\n{ours}\n{theirs}");
        println!("{expected} packages, the same with {options:?}");
        assert_eq!(pair.same("", false), *expected, "{options:?}");
    }
}

#[test]
fn times_are_those_of_the_revision_inside_and_out() {
    let pair = Pair::new();
    let options = ["--revision", "1234567890", "--set-timestamp-to-revision", "-g", "comps.xml"];
    let (ours, theirs) = pair.run(&options);
    assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    pair.same("", true);
    let times = |folder: &Utf8Path| {
        let mut times = BTreeSet::new();
        for entry in folder.join("repodata").read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "repomd.xml" {
                let seconds = std::os::unix::fs::MetadataExt::mtime(&entry.metadata().unwrap());
                times.insert((shape(entry.file_name()), seconds));
            }
        }
        times
    };
    assert_eq!(times(&pair.ours), times(&pair.theirs));
    let (ours, theirs) = pair.run(&["--revision", "today", "--set-timestamp-to-revision"]);
    assert_eq!((ours.code(), theirs.code()), (2, 1), "{ours}\n{theirs}");
}

#[test]
fn metadata_may_lie_elsewhere() {
    let pair = Pair::new();
    pair.both(|folder| fs::create_dir(folder.join("out")).unwrap());
    let (ours, theirs) = pair.run(&["--revision", "1", "-o", "DIR/out"]);
    assert_eq!((ours.code(), theirs.code()), (0, 0), "{ours}\n{theirs}");
    pair.same("out", false);
    assert!(!pair.ours.join("repodata").exists());
    let (ours, theirs) = pair.run(&["-o", "DIR/nowhere"]);
    assert_eq!((ours.code(), theirs.code()), (5, 1), "{ours}\n{theirs}");
}

#[test]
fn what_is_refused_is_named_with_what_to_do_instead() {
    let pair = Pair::new();
    let refused: &[(&[&str], &str)] = &[
        (&["--zck"], "`--zck`"),
        (&["--deltas", "--num-deltas", "2"], "`--deltas`"),
        (&["--split"], "`--split`"),
        (&["--basedir", "/srv"], "`--basedir`"),
        (&["--cachedir", "/tmp"], "`--cachedir`"),
        (&["-c", "/tmp"], "`-c`"),
        (&["--cut-dirs", "1"], "`--cut-dirs`"),
        (&["--read-pkgs-list", "x"], "`--read-pkgs-list`"),
        (&["--recycle-pkglist"], "`--recycle-pkglist`"),
        (&["--local-sqlite"], "`--local-sqlite`"),
        (&["-n", "http://example.org/a.rpm"], "`http://example.org/a.rpm`"),
        (&["second"], "`a second directory`"),
    ];
    let readme = fs::read_to_string(checkout().join("README.md")).unwrap();
    for (options, name) in refused {
        let documented = !name.starts_with("`-") || readme.contains(name);
        assert!(documented, "README.md does not say what to do instead of {name}");
        let mut command = program(sluice().as_str());
        let ran = run(command.args(["createrepo", pair.ours.as_str()]).args(*options));
        assert_eq!(ran.code(), 2, "{options:?}\n{ran}");
        assert!(ran.stderr.contains(name) && ran.stderr.contains("hint:"), "{options:?}\n{ran}");
    }
    for options in [&["-s", "crc32"][..], &["--compress-type", "lzma"], &["--workers", "0"], &["--skip-stat"]]
    {
        let ran = run(program(sluice().as_str()).args(["createrepo", pair.ours.as_str()]).args(options));
        assert_eq!(ran.code(), 2, "{options:?}\n{ran}");
    }
    // Scripts ask which version there is before they do anything.
    for option in ["-V", "--version"] {
        let ran = run(program(sluice().as_str()).args(["createrepo", option])).ok();
        assert!(ran.stdout.ends_with(concat!(" ", env!("CARGO_PKG_VERSION"), "\n")), "{ran}");
    }
    assert!(!pair.ours.join("repodata").exists());
    let nowhere = pair.sandbox.path("nowhere");
    assert_eq!(run(program(sluice().as_str()).args(["createrepo", nowhere.as_str()])).code(), 5);
}
