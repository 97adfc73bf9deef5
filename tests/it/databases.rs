//! The databases of yum 3 against createrepo_c's, table by table and row by row.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Digest;
use repo::{Changelog, File, FileKind, Package, Relation, Repomd};
use rusqlite::Connection;
use rusqlite::types::Value;
use testkit::{SOURCE_DATE_EPOCH, Sandbox, createrepo_c, fixtures, program, run};

const KINDS: [&str; 3] = ["primary", "filelists", "other"];

/// A repository with databases that somebody else made.
struct Theirs {
    folder: Utf8PathBuf,
    repomd: Repomd,
}

impl Theirs {
    fn of(folder: Utf8PathBuf) -> Self {
        let repomd = Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
        Self { folder, repomd }
    }

    fn open(&self, kind: &str) -> Vec<u8> {
        let record = self.repomd.record(kind).unwrap_or_else(|| panic!("there is no record `{kind}`"));
        repo::gunzip(&fs::read(self.folder.join(&record.href)).unwrap(), 1 << 30).unwrap()
    }

    fn packages(&self) -> Vec<Package> {
        let [primary, filelists, other] = KINDS.map(|kind| self.open(kind));
        repo::parse_packages(&primary, &filelists, &other).unwrap()
    }

    /// The database of a kind, and what it was made from.
    fn database(&self, kind: &str) -> (Vec<u8>, Digest) {
        (self.open(&format!("{kind}_db")), self.repomd.record(kind).unwrap().checksum.clone())
    }
}

fn ours(kind: &str, packages: &[Package], checksum: &Digest) -> Vec<u8> {
    match kind {
        "primary" => databases::primary(packages, checksum),
        "filelists" => databases::filelists(packages, checksum),
        _ => databases::other(packages, checksum),
    }
    .unwrap()
}

/// What a database holds.
#[derive(Debug, PartialEq)]
struct Held {
    /// Tables, triggers and indexes, as SQLite keeps them, in their order.
    schema: Vec<Vec<Value>>,
    /// Each table with its rows.
    tables: Vec<(String, Vec<Vec<Value>>)>,
}

fn held(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> Held {
    let file = sandbox.file(name, bytes);
    let connection = Connection::open(&file).unwrap();
    let rows = |sql: &str| -> Vec<Vec<Value>> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let schema = rows("SELECT type, name, tbl_name, sql FROM sqlite_master");
    let names = schema.iter().filter(|row| row[0] == Value::Text("table".into()));
    let table = |row: &Vec<Value>| {
        let Value::Text(table) = &row[1] else { panic!("a table without a name") };
        // The folders of one package come in the order of a hash table there.
        let order = if table == "filelist" { "pkgKey, dirname, filenames" } else { "rowid" };
        (table.clone(), rows(&format!("SELECT * FROM {table} ORDER BY {order}")))
    };
    let tables = names.map(table).collect();
    Held { schema, tables }
}

/// Compares our databases of the packages with theirs; returns how many rows were compared, and which differ.
fn compare(sandbox: &Sandbox, theirs: &Theirs) -> (usize, Vec<String>) {
    let packages = theirs.packages();
    let (mut compared, mut different) = (0, Vec::new());
    for kind in KINDS {
        let (database, checksum) = theirs.database(kind);
        let one = held(sandbox, "theirs.sqlite", &database);
        let other = held(sandbox, "ours.sqlite", &ours(kind, &packages, &checksum));
        assert_eq!(other.schema, one.schema, "{kind}");
        for ((name, ours), (_, theirs)) in other.tables.iter().zip(&one.tables) {
            assert_eq!(ours.len(), theirs.len(), "{kind}, table {name}");
            let unequal = ours.iter().zip(theirs).filter(|(ours, theirs)| ours != theirs);
            different.extend(unequal.map(|(ours, theirs)| format!("{name}: {ours:?}, theirs: {theirs:?}")));
            compared += ours.len();
        }
    }
    (compared, different)
}

#[test]
fn every_row_of_every_fixture_is_createrepo_cs() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("theirs");
    for path in &fixtures().good {
        fs::copy(path, folder.join(path.file_name().unwrap())).unwrap();
    }
    createrepo_c(&folder, &["--database", "--compress-type", "gz", "--workers", "1"]).ok();
    let (compared, different) = compare(&sandbox, &Theirs::of(folder));
    println!("{} packages, {compared} rows compared, {} differ", fixtures().good.len(), different.len());
    assert!(compared > 400);
    // It measures a Latin-1 path before it turns it into UTF-8: the folder loses its last letter. Its XML,
    // and so ours, has the whole of it.
    let [different] = &different[..] else { panic!("{different:#?}") };
    assert!(different.contains("/etc/wörter") && different.contains("/etc/wörte\""), "{different}");
}

/// Packages that no rpmbuild makes, as metadata may bring them all the same.
fn odd() -> Vec<Package> {
    let path = fixtures().named("bare-1-1.noarch");
    let bytes = fs::read(path).unwrap();
    let head = repo::read_head(&mut bytes.as_slice()).unwrap();
    let (size, sha256, mtime) = (bytes.len() as u64, repo::sha256(&bytes), SOURCE_DATE_EPOCH);
    let facts = repo::FileFacts { size, digest: sha256.into(), mtime, href: "bare.rpm".into() };
    let mut first = repo::package_of(&head, facts).unwrap();
    let file = |path: &str, kind| File { path: path.into(), kind };
    let paths = ["/", "/foo", "/bar/", "relative", "rel/ative", "//dd", "/a//b", "/a/c", "/bin/x", "/etc/z"];
    first.files = paths.iter().map(|path| file(path, FileKind::File)).collect();
    first.files.push(file("/etc/z", FileKind::Ghost));
    first.files.push(file("/etc/y.d", FileKind::Directory));
    let relation = |name: &str, flags, version: Option<&str>, pre| Relation {
        name: name.into(),
        flags,
        epoch: None,
        version: version.map(str::to_owned),
        release: None,
        pre,
    };
    first.requires = vec![
        relation("x", None, None, true),
        relation("x", Some("GE"), Some("2"), false),
        relation("quote'd \"thing\"", Some("EQ"), None, false),
    ];
    first.changelogs = vec![
        Changelog { author: String::new(), date: -5, text: String::new() },
        Changelog { author: "ö".into(), date: i64::from(i32::MAX), text: "a\n\tb ".into() },
    ];
    let mut second = first.clone();
    second.pkgid = repo::sha256(b"the second").into();
    (second.summary, second.description, second.license) = (String::new(), String::new(), String::new());
    (second.group, second.build_host, second.source_rpm) = (String::new(), String::new(), String::new());
    (second.vendor, second.packager, second.url) =
        ("V".into(), "P".into(), "http://example.org/?a=1&b=2".into());
    (second.files, second.changelogs, second.requires) = (Vec::new(), Vec::new(), Vec::new());
    (second.header_start, second.size_installed) = (0, 1 << 40);
    vec![first, second]
}

#[test]
fn rows_of_odd_packages_are_sqliterepo_cs() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("theirs");
    let entries: Vec<_> = odd().iter().map(repo::entry_of).collect();
    super::createrepo_parity::put(&repo::write_metadata(&entries, SOURCE_DATE_EPOCH, &[]), &folder);
    run(program("sqliterepo_c").args(["--quiet", "--compress-type", "gz"]).arg(&folder)).ok();
    let (compared, different) = compare(&sandbox, &Theirs::of(folder));
    assert!(compared > 20);
    assert_eq!(different, [""; 0]);
}

/// SQLite as Python brings it: another build of it than ours, as on a host with yum.
fn checked_by_python(database: &Utf8Path) -> String {
    let script = "import sqlite3, sys\n\
                  c = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n\
                  print(c.execute('pragma integrity_check').fetchone()[0])\n\
                  print(c.execute('select dbversion from db_info').fetchone()[0])\n\
                  print(c.execute('select count(*) from packages').fetchone()[0])\n";
    run(program("/usr/bin/python3").args(["-c", script]).arg(database)).ok().stdout
}

#[test]
fn another_sqlite_finds_the_databases_sound() {
    let sandbox = Sandbox::new();
    let mut packages = Vec::new();
    for number in 0..2_000 {
        let mut package = odd().remove(number % 2);
        package.pkgid = repo::sha256(format!("package {number}").as_bytes()).into();
        package.href = format!("p{number}.rpm");
        packages.push(package);
    }
    let checksum = repo::sha256(b"xml").into();
    for kind in KINDS {
        let bytes = ours(kind, &packages, &checksum);
        assert_eq!(bytes, ours(kind, &packages, &checksum), "{kind}: same input, same bytes");
        let file = sandbox.file(&format!("{kind}.sqlite"), &bytes);
        assert_eq!(checked_by_python(&file), "ok\n10\n2000\n", "{kind}");
    }
}
