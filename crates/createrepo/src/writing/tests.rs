//! Whatever was taken over, and by however many threads: the files say what they say when everything is read.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::num::NonZeroUsize;

use camino::Utf8Path;
use repo::{Blocks, Compression, Document, Form, Recipe, Record, Repomd, Tags};
use store::Disk;
use store::forgetful::ForgetfulDisk;

use crate::{Beside, Order, OtherLock, Placing, Report, Retention, Selection, Update, create};

const PACKAGES: usize = 260;

/// How a run is called.
#[derive(Clone, Copy)]
struct Way {
    compression: Compression,
    workers: usize,
    updates: bool,
    output: &'static str,
    base: Option<&'static str>,
}

const WAY: Way =
    Way { compression: Compression::Gzip, workers: 3, updates: false, output: "/srv", base: None };

fn run(disk: &ForgetfulDisk, way: Way) -> Report {
    let order = Order {
        input: "/srv".into(),
        output: way.output.into(),
        now: 1_770_000_000,
        selection: Selection::default(),
        package_digest: nevra::Algorithm::Sha256,
        changes: 10,
        form: Form { compression: way.compression, ..Form::default() },
        beside: Beside { group_file: None, group: Compression::Gzip, databases: None },
        placing: Placing { prefix: None, base: way.base.map(str::to_owned) },
        revision: Some("1".into()),
        timestamp: None,
        tags: Tags::default(),
        update: way.updates.then(Update::default),
        keeps_additional: true,
        retention: Retention::Unnamed,
        workers: NonZeroUsize::new(way.workers).unwrap(),
        other_lock: OtherLock::Respected,
    };
    create(disk, &order).unwrap()
}

/// A package whose three fragments together have some twenty kilobytes.
fn put(disk: &ForgetfulDisk, place: &str, number: usize, edition: usize) {
    put_large(disk, place, number, edition, 100, 300 + number);
}

fn put_large(disk: &ForgetfulDisk, place: &str, number: usize, edition: usize, files: usize, words: usize) {
    let mut recipe = Recipe::new(format!("package{number:03}"), "1", format!("{}", edition + 1));
    for file in 0..files + edition {
        recipe = recipe.file(&format!("/usr/share/package{number}/folder{}/file-{file}.conf", file % 7), "");
        recipe = recipe.provides(&format!("thing-{number}-{file} = {edition}"));
    }
    recipe = recipe.change(1_700_000_000, "Ann <ann@example.org>", &"- a word of it\n".repeat(words));
    let path = format!("/srv/{place}");
    if disk.state(path.as_str().into()).unwrap().is_some() {
        disk.remove_file(path.as_str().into()).unwrap();
    }
    disk.create(path.as_str().into(), 0o644).unwrap().write_all(&recipe.build()).unwrap();
}

fn place(number: usize) -> String {
    format!("package{number:03}.rpm")
}

fn start() -> ForgetfulDisk {
    let disk = ForgetfulDisk::new();
    for directory in ["/srv", "/srv/below", "/fresh"] {
        disk.make_directory(directory.into(), 0o755).unwrap();
    }
    (0..PACKAGES).for_each(|number| put(&disk, &place(number), number, 0));
    disk
}

fn bytes(disk: &ForgetfulDisk, path: &Utf8Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    disk.open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// The three files as they lie there; each is what its record says, packed and open.
fn files(disk: &ForgetfulDisk, output: &str) -> BTreeMap<String, (Vec<u8>, Vec<u8>)> {
    let output = Utf8Path::new(output);
    let index = Repomd::parse(&bytes(disk, &output.join("repodata/repomd.xml"))).unwrap();
    let file = |record: &Record| {
        let packed = bytes(disk, &output.join(&record.href));
        let open = repo::unpack(&packed, 1 << 30).unwrap();
        let measured =
            |bytes: &[u8]| (repo::digest(nevra::Algorithm::Sha256, bytes), Some(bytes.len() as u64));
        assert_eq!((record.checksum.clone(), record.size), measured(&packed), "{}", record.kind);
        if let Some(checksum) = &record.open_checksum {
            assert_eq!((checksum.clone(), record.open_size), measured(&open), "{}", record.kind);
        }
        (record.kind.clone(), (packed, open))
    };
    index.records.iter().map(file).collect()
}

#[track_caller]
fn check_like_fresh(disk: &ForgetfulDisk, way: Way) {
    run(disk, Way { output: "/fresh", updates: false, ..way });
    let (ours, fresh) = (files(disk, way.output), files(disk, "/fresh"));
    for (kind, (_, open)) in &fresh {
        assert!(ours[kind].1 == *open, "{kind} says something else");
    }
}

#[test]
fn an_update_says_what_reading_everything_says() {
    let gzip = WAY;
    let ways = [
        gzip,
        Way { workers: 1, ..gzip },
        Way { compression: Compression::Zstd, ..gzip },
        Way { compression: Compression::None, ..gzip },
        Way { base: Some("http://example.org/"), ..gzip },
    ];
    for (seed, way) in ways.into_iter().enumerate() {
        let mut random = fastrand::Rng::with_seed(seed as u64);
        let disk = start();
        assert_eq!(run(&disk, way).read, PACKAGES);
        let mut places: BTreeMap<usize, String> =
            (0..PACKAGES).map(|number| (number, place(number))).collect();
        for round in 1..6 {
            let mut read = 0;
            for _ in 0..[1, 1, 3, 30, 0][round - 1] {
                let number = random.usize(..PACKAGES);
                match (random.u8(..4), places.get(&number).cloned()) {
                    (0, Some(old)) => {
                        disk.remove_file(format!("/srv/{old}").as_str().into()).unwrap();
                        places.remove(&number);
                    }
                    (1, Some(old)) => {
                        let new =
                            if old.starts_with("below/") { place(number) } else { format!("below/{old}") };
                        let [from, to] = [&old, &new].map(|place| format!("/srv/{place}"));
                        disk.rename(from.as_str().into(), to.as_str().into()).unwrap();
                        places.insert(number, new);
                    }
                    (_, old) => {
                        let place = old.unwrap_or_else(|| place(number));
                        put(&disk, &place, number, round * 3 + read);
                        places.insert(number, place);
                        read += 1;
                    }
                }
            }
            let report = run(&disk, Way { updates: true, ..way });
            assert_eq!((report.packages, report.notes), (places.len(), Vec::new()), "{seed}, round {round}");
            assert!(report.read <= read, "{seed}, round {round}: {} instead of {read}", report.read);
            check_like_fresh(&disk, way);
        }
    }
}

#[test]
fn an_update_copies_the_blocks_that_nothing_happened_to() {
    let disk = start();
    run(&disk, WAY);
    let before = files(&disk, "/srv");
    put(&disk, &place(PACKAGES / 2), PACKAGES / 2, 1);
    assert_eq!(run(&disk, Way { updates: true, ..WAY }).read, 1);
    let after = files(&disk, "/srv");
    for document in [Document::Primary, Document::Filelists, Document::Other] {
        let blocks = |(packed, _): &(Vec<u8>, Vec<u8>)| -> Vec<Vec<u8>> {
            let slice =
                |range: std::ops::Range<u64>| packed[range.start as usize..range.end as usize].to_vec();
            let size = packed.len() as u64;
            let found = Blocks::find(document, size, &mut |range| Ok::<_, repo::Error>(slice(range)));
            found.unwrap().unwrap().blocks.all_places().into_iter().map(|(bytes, _)| slice(bytes)).collect()
        };
        let (before, after) = (blocks(&before[document.as_str()]), blocks(&after[document.as_str()]));
        let copied = after.iter().filter(|block| before.contains(block)).count();
        assert!(after.len() > 4 && copied + 2 >= after.len(), "{document}: {copied} of {}", after.len());
    }
}

#[test]
fn files_that_somebody_else_packed_are_taken_over_too() {
    for compression in [Compression::Gzip, Compression::Xz, Compression::None] {
        let disk = start();
        run(&disk, WAY);
        let mut index = Repomd::new("1");
        for (kind, (_, open)) in files(&disk, "/srv") {
            let packed = repo::pack(compression, &open);
            let measure = repo::Measure::of(nevra::Algorithm::Sha256, &packed);
            let href = format!("repodata/{kind}");
            disk.create(format!("/srv/{href}").as_str().into(), 0o644).unwrap().write_all(&packed).unwrap();
            index.records.push(Record::new(&kind, href, 5, measure, None, None));
        }
        replace_index(&disk, &index);
        put(&disk, &place(7), 7, 1);
        let report = run(&disk, Way { updates: true, ..WAY });
        assert_eq!((report.packages, report.read), (PACKAGES, 1), "{:?}", report.notes);
        check_like_fresh(&disk, WAY);
    }
}

fn replace_index(disk: &ForgetfulDisk, index: &Repomd) {
    let path = Utf8Path::new("/srv/repodata/repomd.xml");
    disk.remove_file(path).unwrap();
    disk.create(path, 0o644).unwrap().write_all(&index.write()).unwrap();
}

#[test]
fn blocks_that_list_others_than_primary_spare_nothing() {
    let disk = start();
    run(&disk, WAY);
    let mut index = Repomd::parse(&bytes(&disk, "/srv/repodata/repomd.xml".into())).unwrap();
    let (_, open) = &files(&disk, "/srv")["other"];
    let text = String::from_utf8(open.clone()).unwrap();
    let begin = text.find("<package ").unwrap();
    let end = text.rfind("</package>\n").unwrap() + "</package>\n".len();
    let mut fragments: Vec<&[u8]> =
        text[begin..end].split_inclusive("</package>\n").map(str::as_bytes).collect();
    fragments.swap(3, 200);
    let (packed, _) = Blocks::write(Document::Other, Compression::Gzip, &fragments);
    let measure = repo::Measure::of(nevra::Algorithm::Sha256, &packed);
    disk.create("/srv/repodata/swapped".into(), 0o644).unwrap().write_all(&packed).unwrap();
    index.records.retain(|record| record.kind != "other");
    index.records.push(Record::new("other", "repodata/swapped".into(), 5, measure, None, None));
    replace_index(&disk, &index);
    let report = run(&disk, Way { updates: true, ..WAY });
    assert_eq!((report.packages, report.read), (PACKAGES, PACKAGES));
    let told = report.notes.iter().any(|note| note.starts_with("nothing is taken over from the repodata"));
    assert!(told, "{:?}", report.notes);
    check_like_fresh(&disk, WAY);
}

#[test]
fn a_package_that_is_lost_on_the_way_is_not_counted() {
    for (workers, compression) in [(1, Compression::Gzip), (4, Compression::Gzip), (4, Compression::Xz)] {
        let disk = start();
        for (number, rubbish) in [(0, "no package"), (99, "nor this"), (PACKAGES - 1, "")] {
            let path = format!("/srv/{}", place(number));
            disk.remove_file(path.as_str().into()).unwrap();
            disk.create(path.as_str().into(), 0o644).unwrap().write_all(rubbish.as_bytes()).unwrap();
        }
        let report = run(&disk, Way { workers, compression, ..WAY });
        assert_eq!((report.packages, report.read, report.unreadable.len()), (257, 257, 3));
        let lost: Vec<_> = report.unreadable.iter().map(|odd| odd.place.clone()).collect();
        assert_eq!(lost, [place(0), place(99), place(PACKAGES - 1)]);
        for (kind, (_, open)) in files(&disk, "/srv") {
            let text = String::from_utf8(open).unwrap();
            assert!(text.contains(" packages=\"257\">"), "{kind}");
            assert_eq!(text.matches("</package>").count(), 257, "{kind}");
        }
    }
}

/// How many packages there are where each of the three files has a table.
const MANY: usize = 150;

fn start_many() -> ForgetfulDisk {
    let disk = ForgetfulDisk::new();
    for directory in ["/srv", "/fresh"] {
        disk.make_directory(directory.into(), 0o755).unwrap();
    }
    (0..MANY).for_each(|number| put_one_of_many(&disk, number, 0));
    disk
}

fn put_one_of_many(disk: &ForgetfulDisk, number: usize, edition: usize) {
    put_large(disk, &place(number), number, edition, 380, 1900);
}

#[test]
fn what_nothing_happened_to_is_neither_opened_nor_hashed() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let way = Way { compression, ..WAY };
        let disk = start_many();
        assert_eq!(run(&disk, way).closed, [0; 3]);
        let first = files(&disk, "/srv");
        let report = run(&disk, Way { updates: true, ..way });
        assert!(report.closed.iter().all(|closed| *closed >= 8), "{compression}: {:?}", report.closed);
        assert!(files(&disk, "/srv") == first, "{compression}: nothing happened");
        for (edition, (number, is_closed)) in
            [(MANY - 1, true), (0, false), (MANY - 1, true)].iter().enumerate()
        {
            put_one_of_many(&disk, *number, edition + 1);
            let report = run(&disk, Way { updates: true, ..way });
            assert_eq!((report.read, report.notes), (1, Vec::new()), "{compression}");
            let closed =
                report.closed.iter().all(|closed| if *is_closed { *closed >= 8 } else { *closed == 0 });
            assert!(closed, "{compression}, {number}: {:?}", report.closed);
            check_like_fresh(&disk, way);
        }
        // The number of packages stands in front of everything.
        disk.remove_file(format!("/srv/{}", place(MANY - 1)).as_str().into()).unwrap();
        assert_eq!(run(&disk, Way { updates: true, ..way }).closed, [0; 3]);
        check_like_fresh(&disk, way);
        // What is packed otherwise goes on from nothing.
        let other = Way { compression: Compression::None, updates: true, ..way };
        let report = run(&disk, other);
        assert_eq!((report.closed, report.read), ([0; 3], 0));
        check_like_fresh(&disk, other);
    }
}

#[test]
fn whatever_changes_an_update_behind_a_table_says_what_reading_everything_says() {
    let mut closed = 0;
    for seed in 0..4 {
        let mut random = fastrand::Rng::with_seed(seed);
        let compression = [Compression::Gzip, Compression::Zstd][seed as usize % 2];
        let way = Way { compression, workers: 1 + seed as usize / 2, ..WAY };
        let disk = start_many();
        run(&disk, way);
        for round in 1..6 {
            for _ in 0..random.usize(1..3) {
                let number = random.usize(..MANY);
                let path = format!("/srv/{}", place(number));
                let is_there = disk.state(path.as_str().into()).unwrap().is_some();
                if is_there && random.u8(..6) == 0 {
                    disk.remove_file(path.as_str().into()).unwrap();
                } else {
                    put_one_of_many(&disk, number, round);
                }
            }
            // One that cannot be read is expected, and lost on the way.
            let odd = "/srv/package999.rpm";
            let is_odd = random.u8(..4) == 0;
            if is_odd {
                disk.create(odd.into(), 0o644).unwrap().write_all(b"no package").unwrap();
            }
            let report = run(&disk, Way { updates: true, ..way });
            assert_eq!(report.notes, Vec::<String>::new(), "seed {seed}, round {round}");
            assert_eq!(report.unreadable.len(), usize::from(is_odd), "seed {seed}, round {round}");
            closed += report.closed.iter().sum::<usize>();
            check_like_fresh(&disk, way);
            if is_odd {
                disk.remove_file(odd.into()).unwrap();
            }
        }
    }
    assert!(closed > 0);
}
