mod modular;
mod unreadable;
mod watched;

use std::io::Write as _;

use camino::Utf8Path;
use jiff::SignedDuration;
use nevra::Dependency;
use repo::{Compression, Entry, FileFacts, Form, Metadata, Piece, Recipe, Record, Repomd};
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;
use watched::Watched;

use super::*;

const TOP: &str = "/mirror";

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn platform() -> Platform {
    "sl6/x86_64".parse().unwrap()
}

fn folder() -> Context {
    Context { name: "base".into(), source: ContextSource::Folder(TOP.into()), max_age: None, place: (1, 1) }
}

fn url(max_age: Option<SignedDuration>) -> Context {
    Context { source: ContextSource::Url("http://h/r".into()), max_age, ..folder() }
}

fn entry(recipe: &Recipe) -> Entry {
    let rpm = recipe.build();
    let head = repo::read_head(&mut rpm.as_slice()).unwrap();
    let facts = FileFacts { size: 1, digest: repo::sha256(&rpm).into(), mtime: 0, href: "a.rpm".into() };
    repo::entry_of(&repo::package_of(&head, facts).unwrap())
}

fn entries(version: &str) -> Vec<Entry> {
    let bash = Recipe::new("bash", version, "1")
        .arch("x86_64")
        .file("/bin/bash", "b")
        .file("/usr/share/doc/bash", "d");
    let odd = Recipe::new("odd", "1", "1").requires("(bash if perl)").provides("libc.so.6(GLIBC_2.5)(64bit)");
    // Read as text this would be a name with a bound.
    let lying = Dependency { name: "bash >= 9".into(), bound: None };
    let odd = Recipe { requires: [odd.requires.clone(), vec![lying]].concat(), ..odd };
    let source = Recipe { source: true, ..Recipe::new("bash", version, "1") };
    [source, bash, odd].iter().map(entry).collect()
}

fn metadata(form: &Form, version: &str) -> Metadata {
    repo::write_metadata_in(form, &entries(version), 7, &Repomd::new("7"), &[])
}

/// Writes repodata whose three files say just that.
fn saying(primary: &[u8], filelists: &[u8]) -> Metadata {
    let mut repomd = Repomd::new("7");
    let mut files = Vec::new();
    for (kind, open) in [("primary", primary), ("filelists", filelists)] {
        let file_name = &format!("{kind}.xml");
        let compression = Compression::Gzip;
        let piece = Piece { kind, file_name, open: open.into(), compression, database_version: None };
        let (record, bytes) = repo::pack_piece(&Form::default(), &piece, 7);
        files.push((record.href.clone(), bytes));
        repomd.records.push(record);
    }
    Metadata { files, repomd: repomd.write() }
}

fn write(disk: &Watched, path: &Utf8Path, bytes: &[u8]) {
    if disk.state(path).unwrap().is_some() {
        disk.remove_file(path).unwrap();
    }
    disk.create(path, 0o644).unwrap().write_all(bytes).unwrap();
}

fn publish(disk: &Watched, metadata: &Metadata) {
    for folder in [TOP, "/mirror/repodata"] {
        if disk.state(folder.into()).unwrap().is_none() {
            disk.make_directory(folder.into(), 0o755).unwrap();
        }
    }
    for (href, bytes) in &metadata.files {
        write(disk, &Utf8Path::new(TOP).join(href), bytes);
    }
    write(disk, "/mirror/repodata/repomd.xml".into(), &metadata.repomd);
}

fn site() -> Watched {
    let disk = Watched::default();
    disk.make_directory("/cache".into(), 0o755).unwrap();
    publish(&disk, &metadata(&Form::default(), "1"));
    disk.opened();
    disk
}

fn kept(disk: &Watched) -> Kept<'_> {
    Kept { disk, cache: "/cache".into() }
}

/// Counts how often primary, repomd.xml and indexes were opened since the last call.
fn opened(disk: &Watched) -> [usize; 3] {
    let opened = disk.opened();
    ["-primary", "repomd.xml", "/cache/contexts/"]
        .map(|part| opened.iter().filter(|path| path.as_str().contains(part)).count())
}

#[test]
fn a_context_is_read_once_for_each_state_of_its_repomd() {
    let disk = site();
    let (kept, context, platform) = (kept(&disk), folder(), platform());
    let mut contexts = Contexts::default();
    let first = contexts.known(&kept, &context, &platform, now()).unwrap();
    assert_eq!(opened(&disk), [1, 1, 1], "there was no index, so primary was read");
    let again = contexts.known(&kept, &context, &platform, now()).unwrap();
    assert!(Arc::ptr_eq(&first.shelf, &again.shelf));
    assert_eq!(opened(&disk), [0, 1, 0], "repomd.xml tells that nothing changed");
    // The same folder for another platform.
    let other = contexts.known(&kept, &context, &"sl6/i386".parse().unwrap(), now()).unwrap();
    assert!(Arc::ptr_eq(&first.shelf, &other.shelf));
    assert_eq!(opened(&disk), [0, 1, 0]);
    // The daemon is started anew.
    let mut contexts = Contexts::default();
    let anew = contexts.known(&kept, &context, &platform, now()).unwrap();
    assert_eq!(anew.shelf.packages(), first.shelf.packages());
    assert_eq!(opened(&disk), [0, 1, 1], "what was read once is in the index");
    // Somebody updates the mirror.
    publish(&disk, &metadata(&Form::default(), "2"));
    let newer = contexts.known(&kept, &context, &platform, now()).unwrap();
    assert_eq!(opened(&disk)[0], 1);
    assert_ne!(newer.digest, first.digest);
    assert_eq!(newer.shelf.packages()[0].nevra.to_string(), "bash-2-1.x86_64");
    assert_eq!(disk.list("/cache/contexts".into()).unwrap().names, [newer.digest.hex()]);
}

#[test]
fn an_index_says_what_the_repodata_says() {
    let disk = site();
    let kept = kept(&disk);
    let repodata = Repodata::of_folder(&disk, TOP.into()).unwrap();
    let listing = repodata.listing().unwrap();
    let names: Vec<String> = listing.packages.iter().map(|package| package.nevra.to_string()).collect();
    assert_eq!(names, ["bash-1-1.x86_64", "odd-1-1.noarch"], "nobody installs a source package");
    let files: Vec<&str> = listing.packages[0].files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        (files, listing.paths.len()),
        (vec!["/bin/bash"], 1),
        "primary names the one, filelists the other"
    );
    index::write(&kept, repodata.digest, &listing);
    assert_eq!(index::read(&kept, repodata.digest), Some(listing));
    assert_eq!(index::count(&kept, repodata.digest), Some(2));
}

#[test]
fn an_index_that_is_damaged_cut_old_or_foreign_is_made_anew() {
    let disk = site();
    let (kept, context) = (kept(&disk), folder());
    let read = || Contexts::default().known(&kept, &context, &platform(), now()).unwrap();
    let known = read();
    let path = Utf8Path::new("/cache/contexts").join(known.digest.hex());
    let bytes = || {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut disk.inner.open(&path).unwrap(), &mut bytes).unwrap();
        bytes
    };
    let good = bytes();
    let mut damaged: Vec<Vec<u8>> = (0..good.len()).step_by(7).map(|len| good[..len].to_vec()).collect();
    damaged.extend((0..good.len()).step_by(5).map(|at| {
        let mut other = good.clone();
        other[at] ^= 4;
        other
    }));
    let with_form = |form: &str, body: &[u8]| {
        [form.as_bytes(), format!("{}\n", repo::sha256(body).hex()).as_bytes(), body].concat()
    };
    let body = &good["sluice context index 3\n".len() + 65..];
    damaged.push(with_form("sluice context index 0\n", body));
    // The digest fits, and what it is of makes no sense.
    damaged.push(with_form("sluice context index 3\n", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
    damaged.push(with_form("sluice context index 3\n", &[]));
    damaged
        .extend((0..body.len()).step_by(11).map(|len| with_form("sluice context index 3\n", &body[..len])));
    assert!(damaged.len() > 100, "{}", damaged.len());
    for bad in damaged {
        write(&disk, &path, &bad);
        assert_eq!(index::read(&kept, known.digest), None);
        assert_eq!(read().shelf.packages(), known.shelf.packages());
        assert_eq!(bytes(), good, "it is made anew");
    }
    disk.remove_file(&path).unwrap();
    disk.remove_directory("/cache/contexts".into()).unwrap();
    assert_eq!(read().digest, known.digest);
}

#[test]
fn every_form_of_repodata_is_read() {
    for compression in
        [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz]
    {
        for unique_names in [true, false] {
            let disk = site();
            publish(&disk, &metadata(&Form { compression, unique_names, ..Form::default() }, "3"));
            let known = Contexts::default().known(&kept(&disk), &folder(), &platform(), now()).unwrap();
            assert_eq!(known.shelf.packages().len(), 2, "{compression} {unique_names}");
        }
    }
}

/// Breaks a sound folder and shows what is said of it.
fn told(break_it: impl FnOnce(&Watched, &[Record])) -> String {
    let disk = site();
    let metadata = metadata(&Form::default(), "1");
    break_it(&disk, &Repomd::parse(&metadata.repomd).unwrap().records);
    let mut contexts = Contexts::default();
    let unfit = contexts.known(&kept(&disk), &folder(), &platform(), now()).unwrap_err();
    assert!(disk.state("/cache/contexts".into()).unwrap().is_none(), "nothing is kept of it");
    let before = "the context `base` for `sl6/x86_64`: ";
    assert!(unfit.words.starts_with(before), "{}", unfit.words);
    assert_eq!(kept(&disk).seen(&folder(), &platform(), now()).unwrap_err(), unfit);
    format!("{}: {}", unfit.code.as_str(), &unfit.words[before.len()..])
}

fn place(record: &Record) -> Utf8PathBuf {
    Utf8Path::new(TOP).join(&record.href)
}

#[test]
fn a_folder_that_is_not_there_is_missing() {
    let told = told(|disk, records| {
        records.iter().for_each(|record| disk.remove_file(&place(record)).unwrap());
        disk.remove_file("/mirror/repodata/repomd.xml".into()).unwrap();
        disk.remove_directory("/mirror/repodata".into()).unwrap();
        disk.remove_directory(TOP.into()).unwrap();
    });
    assert_eq!(told, "context-missing: there is no `repodata/repomd.xml` in `/mirror`");
}

#[test]
fn a_folder_without_repomd_is_missing() {
    let told = told(|disk, _| disk.remove_file("/mirror/repodata/repomd.xml".into()).unwrap());
    assert_eq!(told, "context-missing: there is no `repodata/repomd.xml` in `/mirror`");
}

#[test]
fn a_file_that_is_named_and_not_there_is_missing() {
    for (kind, name) in METADATA.iter().enumerate() {
        let told = told(|disk, records| disk.remove_file(&place(&records[kind])).unwrap());
        let begin = format!("context-missing: record `{name}` of repomd.xml names `repodata/");
        assert!(told.starts_with(&begin) && told.ends_with("which is not in `/mirror`"), "{told}");
    }
}

#[test]
fn a_file_with_another_checksum_is_corrupt() {
    for kind in 0..METADATA.len() {
        let told = told(|disk, records| {
            let size = usize::try_from(records[kind].size.unwrap()).unwrap();
            write(disk, &place(&records[kind]), &vec![b'x'; size]);
        });
        assert!(
            told.starts_with("context-corrupt: `/mirror/repodata/") && told.contains("has the sha256"),
            "{told}"
        );
    }
}

#[test]
fn a_file_that_is_cut_short_is_corrupt() {
    for kind in 0..METADATA.len() {
        let told = told(|disk, records| write(disk, &place(&records[kind]), b"short"));
        assert!(told.starts_with("context-corrupt: ") && told.contains("has 5 bytes, record"), "{told}");
    }
}

#[test]
fn a_repomd_that_is_no_xml_names_nothing_or_leads_out_is_corrupt() {
    let repomd = "/mirror/repodata/repomd.xml";
    let with = |text: &str| told(|disk, _| write(disk, repomd.into(), text.as_bytes()));
    for text in ["", "<repomd", "\0", "<!DOCTYPE repomd [<!ENTITY a \"b\">]><repomd/>"] {
        let told = with(text);
        assert!(told.starts_with("context-corrupt: `/mirror/repodata/repomd.xml` is not"), "{told}");
    }
    let empty = String::from_utf8(Repomd::new("1").write()).unwrap();
    assert_eq!(with(&empty), "context-corrupt: the repomd.xml in `/mirror` names no `primary`");
    let outside =
        String::from_utf8(metadata(&Form::default(), "1").repomd).unwrap().replace("\"repodata/", "\"../");
    assert!(with(&outside).contains("lies outside of the repository"), "{}", with(&outside));
    let told = told(|disk, _| {
        disk.remove_file(repomd.into()).unwrap();
        disk.inner.make_fifo(repomd.into(), 0o644).unwrap();
    });
    assert_eq!(told, "context-missing: there is no `repodata/repomd.xml` in `/mirror`");
}

#[test]
fn metadata_that_is_no_xml_or_contradicts_itself_is_corrupt() {
    let sound = metadata(&Form::default(), "1");
    let open = |at: usize| repo::unpack(&sound.files[at].1, 1 << 20).unwrap();
    let (primary, filelists) = (open(0), open(1));
    let with = |primary: &[u8], filelists: &[u8]| told(|disk, _| publish(disk, &saying(primary, filelists)));
    for bad in [&b"no xml"[..], b"", &primary[..primary.len() / 2], b"<!DOCTYPE x><metadata/>"] {
        let told = with(bad, &filelists);
        assert!(told.starts_with("context-corrupt: `primary of /mirror` is not what it should be"), "{told}");
    }
    let empty = b"<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"0\"></filelists>";
    for bad in [&b"no xml"[..], &filelists[..filelists.len() / 2], empty] {
        let told = with(&primary, bad);
        assert!(
            told.starts_with("context-corrupt: `filelists of /mirror` is not what it should be"),
            "{told}"
        );
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = vec![b' '; 64 << 20];
    let told = told(|disk, _| publish(disk, &saying(&bomb, &bomb)));
    assert!(
        told.starts_with("context-corrupt: `/mirror/repodata/") && told.contains("unpacks to more than"),
        "{told}"
    );
}

/// Takes in what a URL has, as `sluice context update` does.
fn fetch(disk: &Watched, metadata: &Metadata, looked: Timestamp) -> (Sha256, Taken) {
    let (kept, digest) = (kept(disk), repo::sha256(&metadata.repomd));
    let lock = kept.lock().unwrap();
    assert!(lock.is_some());
    let files = [
        ("repomd.xml", metadata.repomd.clone()),
        ("primary", metadata.files[0].1.clone()),
        ("filelists", metadata.files[1].1.clone()),
    ];
    let taken = kept.take(digest, &files).unwrap();
    if taken == Taken::Whole {
        let look = Look { url: "http://h/r".into(), digest, looked };
        kept.record(&url(None), &platform(), &look).unwrap();
    }
    (digest, taken)
}

fn code(disk: &Watched, context: &Context, now: Timestamp) -> Result<Sha256, Code> {
    let known = Contexts::default().known(&kept(disk), context, &platform(), now);
    known.map(|known| known.digest).map_err(|unfit| unfit.code)
}

#[test]
fn what_was_fetched_takes_the_place_of_what_was_fetched_before_and_is_read_once() {
    let disk = site();
    assert_eq!(code(&disk, &url(None), now()), Err(Code::ContextMissing));
    let (first, _) = fetch(&disk, &metadata(&Form::default(), "1"), now());
    disk.opened();
    let known = Contexts::default().known(&kept(&disk), &url(None), &platform(), now()).unwrap();
    assert_eq!((known.digest, known.shelf.packages().len()), (first, 2));
    let opened = disk.opened();
    assert!(
        !opened.iter().any(|path| path.file_name() == Some("primary")),
        "it was read as it came: {opened:?}"
    );
    let (second, _) = fetch(&disk, &metadata(&Form::default(), "2"), now());
    assert_eq!(code(&disk, &url(None), now()), Ok(second));
    // Another URL in the configuration is not what was fetched.
    let moved = Context { source: ContextSource::Url("http://h/other".into()), ..url(None) };
    assert_eq!(code(&disk, &moved, now()), Err(Code::ContextMissing));
}

#[test]
fn what_was_fetched_and_is_unfit_leaves_what_was_there() {
    let disk = site();
    let (first, _) = fetch(&disk, &metadata(&Form::default(), "1"), now());
    let mut cut = metadata(&Form::default(), "2");
    cut.files[1].1.truncate(100);
    let (second, taken) = fetch(&disk, &cut, now());
    let Taken::Unfit(unfit) = taken else { panic!("{taken:?}") };
    assert_eq!(unfit.code, Code::ContextCorrupt);
    assert_eq!(code(&disk, &url(None), now()), Ok(first));
    assert!(kept(&disk).holds(first) && !kept(&disk).holds(second));
}

#[test]
fn a_snapshot_that_somebody_changed_or_deleted_is_never_judged_by() {
    let disk = site();
    let (digest, _) = fetch(&disk, &metadata(&Form::default(), "1"), now());
    let top = Utf8Path::new("/cache/snapshots").join(digest.hex());
    // What was read of it is gone with the rest of cache/.
    disk.remove_file(&Utf8Path::new("/cache/contexts").join(digest.hex())).unwrap();
    write(&disk, &top.join("primary"), b"");
    assert_eq!(code(&disk, &url(None), now()), Err(Code::ContextCorrupt));
    assert!(!kept(&disk).holds(digest));
    write(&disk, &top.join("repomd.xml"), &metadata(&Form::default(), "9").repomd);
    assert_eq!(code(&disk, &url(None), now()), Err(Code::ContextCorrupt));
    disk.remove_file(&top.join("repomd.xml")).unwrap();
    assert_eq!(code(&disk, &url(None), now()), Err(Code::ContextMissing));
    write(&disk, "/cache/snapshots/base@sl6@x86_64.json".into(), b"{");
    assert_eq!(code(&disk, &url(None), now()), Err(Code::ContextMissing));
    let (again, _) = fetch(&disk, &metadata(&Form::default(), "1"), now());
    assert_eq!(code(&disk, &url(None), now()), Ok(again));
}

#[test]
fn a_look_that_is_too_old_or_was_made_by_a_clock_far_ahead_is_stale() {
    let disk = site();
    let (digest, _) = fetch(&disk, &metadata(&Form::default(), "1"), now());
    let day = SignedDuration::from_hours(24);
    let at = |days: i32| now() + day * days;
    for (days, max_age, expected) in [
        (30, Some(day * 30), Ok(digest)),
        (31, Some(day * 30), Err(Code::ContextStale)),
        (-31, Some(day * 30), Err(Code::ContextStale)),
        (3000, None, Ok(digest)),
    ] {
        assert_eq!(code(&disk, &url(max_age), at(days)), expected, "{days}");
    }
    // A look that finds nothing new is a look.
    let look = Look { url: "http://h/r".into(), digest, looked: at(31) };
    kept(&disk).record(&url(None), &platform(), &look).unwrap();
    assert_eq!(code(&disk, &url(Some(day * 30)), at(31)), Ok(digest));
}

#[test]
fn what_no_configuration_leads_to_is_removed() {
    let disk = site();
    fetch(&disk, &metadata(&Form::default(), "1"), now());
    let (second, _) = fetch(&disk, &metadata(&Form::default(), "2"), now());
    let of_folder = Contexts::default().known(&kept(&disk), &folder(), &platform(), now()).unwrap().digest;
    publish(&disk, &metadata(&Form::default(), "3"));
    let newer = Contexts::default().known(&kept(&disk), &folder(), &platform(), now()).unwrap().digest;
    let config = |closure: &str| {
        let text = format!(
            "format = 1\n[site]\nname = \"T\"\nroot = \"/srv\"\nspool = \"/spool\"\nbase_url = \"http://h\"\n\
             [[context]]\nname = \"base\"\nurl = \"http://h/r\"\n[[context]]\nname = \"local\"\nfolder = \"/mirror\"\n\
             [[product]]\nname = \"glite\"\npreset = \"glite\"\nplatforms = [\"sl6/x86_64\"]\n\
             [[product.stage]]\nname = \"production\"\nclosure = {closure}\n"
        );
        Config::parse(text.as_bytes(), "f").unwrap_or_else(|errors| panic!("{errors}"))
    };
    let names = |folder: &str| disk.list(folder.into()).unwrap().names;
    let _lock = kept(&disk).lock().unwrap();
    // The first snapshot, its index, which the folder had too, and nothing of what is in use.
    assert_eq!(kept(&disk).sweep(&config("[\"base\", \"local\"]")).unwrap(), 2);
    assert!(!names("/cache/contexts").contains(&of_folder.hex()));
    assert!(
        names("/cache/contexts").contains(&newer.hex()) && names("/cache/contexts").contains(&second.hex())
    );
    assert_eq!(names("/cache/snapshots"), [second.hex(), "base@sl6@x86_64.json".into()]);
    assert_eq!(kept(&disk).sweep(&config("[\"base\", \"local\"]")).unwrap(), 0);
    kept(&disk).sweep(&config("[]")).unwrap();
    assert_eq!((names("/cache/contexts"), names("/cache/snapshots")), (vec![], vec![]));
}

#[test]
fn whenever_the_power_goes_the_old_or_the_new_snapshot_is_whole() {
    let disk = site();
    let (first, second) = (metadata(&Form::default(), "1"), metadata(&Form::default(), "2"));
    fetch(&disk, &first, now());
    let digests = [&first, &second].map(|metadata| repo::sha256(&metadata.repomd));
    // That nobody knows an index any more changes nothing.
    let judged = |disk: &ForgetfulDisk| {
        let kept = Kept { disk, cache: "/cache".into() };
        let known = Contexts::default().known(&kept, &url(None), &platform(), now());
        known.map(|known| (known.digest, known.shelf.packages().len()))
    };
    let report = Sweep::new(5).run(
        &disk.inner.synced(),
        |inner| {
            let kept = Kept { disk: &*inner, cache: "/cache".into() };
            let files = [
                ("repomd.xml", second.repomd.clone()),
                ("primary", second.files[0].1.clone()),
                ("filelists", second.files[1].1.clone()),
            ];
            kept.take(digests[1], &files).unwrap();
            let look = Look { url: "http://h/r".into(), digest: digests[1], looked: now() };
            kept.record(&url(None), &platform(), &look).unwrap();
        },
        |_| (),
        |disk, (), _| match judged(disk) {
            Ok((digest, 2)) if digests.contains(&digest) => Vec::new(),
            other => vec![format!("{other:?}")],
        },
    );
    assert!(report.violations.is_empty() && report.states > 10, "{report}");
}
