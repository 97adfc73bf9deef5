//! What lies in the control directory and in folders to adopt, made to hang, to fill or to fool the daemon.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use camino::Utf8Path;
use nevra::Algorithm;
use repo::{Compression, Measure, Recipe, Record, Repomd};
use testkit::{Running, Sandbox, Site, is_root, program, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn import(upload: &str) -> String {
    format!(
        "format = 1\naction = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = [{upload:?}]\n[end]\n"
    )
}

/// The most memory the daemon ever had, in KiB.
fn peak_of(daemon: &Running) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The daemon lives, has said nothing that a terminal obeys, and the site is whole.
fn end(site: &Site, mut daemon: Running) {
    let good = Recipe::new("good", "1", "1").build();
    site.drop_request("good.toml", &import(&site.upload("good.rpm", &good)));
    assert_eq!(site.answer("good")["code"], "done");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!daemon.log().contains(odd) && !daemon.log().contains("panicked"), "{}", daemon.log());
    site.sluice(&["verify"]).ok();
}

#[test]
fn uploads_that_are_no_files_are_not_opened() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let rpm = Recipe::new("voms", "1", "1").build();
    let name = |stem: &str| format!("{}-{stem}.rpm", repo::sha256(stem.as_bytes()));
    let place = |stem: &str| site.spool().join("upload").join(name(stem));
    run(program("mkfifo").arg(place("fifo"))).ok();
    fs::create_dir(place("folder")).unwrap();
    let elsewhere = sandbox.path("elsewhere.rpm");
    fs::write(&elsewhere, &rpm).unwrap();
    symlink(&elsewhere, place("link")).unwrap();
    symlink("/dev/zero", place("zero")).unwrap();
    // By a short name: a socket's path has little more than a hundred bytes.
    let upload = File::open(site.spool().join("upload")).unwrap();
    let short = format!("/proc/self/fd/{}/{}", upload.as_raw_fd(), name("s"));
    let _socket = std::os::unix::net::UnixListener::bind(short).unwrap();
    let mut stems = vec!["fifo", "folder", "link", "zero", "s"];
    if is_root() {
        let (device, numbers) = (place("device"), ["c", "1", "5"]);
        if run(program("mknod").arg(&device).args(numbers)).code() == 0 {
            stems.push("device");
        }
    } else {
        println!("not root: no device can be made");
    }
    for stem in stems {
        site.drop_request(&format!("{stem}.toml"), &import(&name(stem)));
        assert_eq!(site.answer(stem)["code"], "no-such-upload", "{stem}");
    }
    end(&site, daemon);
}

/// What its owner can still write to under another name never reaches what is published.
#[test]
fn an_upload_with_another_name_is_copied() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let rpm = Recipe::new("voms", "1", "1").build();
    let upload = site.upload("voms.rpm", &rpm);
    let other = site.spool().join("tmp/other-name");
    fs::hard_link(site.spool().join("upload").join(&upload), &other).unwrap();
    site.drop_request("linked.toml", &import(&upload));
    assert_eq!(site.answer("linked")["code"], "done");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
    OpenOptions::new().write(true).open(&other).unwrap().write_all(b"not what was promoted").unwrap();
    let digest = repo::sha256(&rpm);
    let pooled = site.root().join(format!("pool/{}/{digest}.rpm", digest.shard()));
    assert_eq!(fs::read(pooled).unwrap(), rpm);
    end(&site, daemon);
}

/// Somebody writes to an upload, shortens and lengthens it, for as long as it is imported.
#[test]
fn an_upload_that_changes_while_it_is_read_is_refused_or_whole() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let rpm = Recipe::new("voms", "1", "1").file("/usr/share/voms", vec![b'v'; 3 << 20]).build();
    let stop = AtomicBool::new(false);
    let (mut refused, mut done) = (0, 0);
    std::thread::scope(|scope| {
        let upload = site.upload("voms.rpm", &rpm);
        let path = site.spool().join("upload").join(&upload);
        let (stop, rpm) = (&stop, &rpm);
        scope.spawn(move || {
            let mut round = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                // It is removed with the request that was carried out.
                let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
                let length = rpm.len() as u64;
                let _ = match round % 4 {
                    0 => file.set_len(length / 2),
                    1 => file.set_len(length * 2),
                    2 => file.write_all_at(b"otherwise", round * 4099 % length),
                    _ => file.write_all_at(rpm, 0).and_then(|()| file.set_len(length)),
                };
                round += 1;
            }
        });
        // It may be whole when it is read, and then it is removed: it comes again, until it was caught changing.
        for round in 0..200 {
            if round >= 12 && refused > 0 {
                break;
            }
            if !site.spool().join("upload").join(&upload).exists() {
                assert_eq!(site.upload("voms.rpm", rpm), upload);
            }
            let stem = format!("racing-{round}");
            site.drop_request(&format!("{stem}.toml"), &import(&upload));
            let answer = site.answer(&stem);
            match answer["code"].as_str().unwrap() {
                "done" | "already-there" | "nothing-to-do" => done += 1,
                "digest-mismatch" => refused += 1,
                _ => panic!("{answer}"),
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!("{refused} refused, {done} whole");
    assert!(refused > 0);
    end(&site, daemon);
}

#[test]
fn what_is_huge_is_refused_unread() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let (draft, incoming) = (site.spool().join("tmp"), site.spool().join("incoming"));
    let drop_file = |name: &str| {
        fs::set_permissions(draft.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(draft.join(name), incoming.join(name)).unwrap();
    };
    let before = peak_of(&daemon);
    fs::write(draft.join("large.toml"), "# x\n".repeat(25 << 20)).unwrap();
    File::create(draft.join("sparse.json")).unwrap().set_len(1 << 42).unwrap();
    for (name, stem) in [("large.toml", "large"), ("sparse.json", "sparse")] {
        drop_file(name);
        assert_eq!(site.answer(stem)["code"], "too-large", "{name}");
    }
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(30_000), close.repeat(30_000));
    for (name, text) in [
        ("deep.json", deep("[", "]")),
        ("deeper.json", deep("{\"a\":", "")),
        ("deep.toml", format!("a = {}\n[end]\n", deep("[", "]"))),
        ("dotted.toml", format!("{} = 1\n[end]\n", vec!["a"; 30_000].join("."))),
        ("tables.toml", format!("{}[end]\n", "[[a]]\n".repeat(10_000))),
    ] {
        fs::write(draft.join(name), text).unwrap();
        drop_file(name);
    }
    for stem in ["deep", "dotted", "tables"] {
        assert_eq!(site.answer(stem)["outcome"], "refused", "{stem}");
    }
    let grown = peak_of(&daemon) - before;
    assert!(grown < 64 << 10, "{grown} KiB more");
    println!("100 MB, 4 TiB and depths of 30,000: {grown} KiB more");
    end(&site, daemon);
}

/// Nothing that somebody called a file, a package or a reason reaches a terminal or splits a line of the log.
#[test]
fn names_with_control_characters_stay_harmless() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let (draft, incoming) = (site.spool().join("tmp"), site.spool().join("incoming"));
    let odd = [
        "new\nline.toml",
        "\u{1b}[31mred.toml",
        "bell\u{7}.json",
        "\u{202e}lmot.toml",
        "-rf.toml",
        "a b;c.toml",
    ];
    for (number, name) in odd.iter().enumerate() {
        let text = format!(
            "format = 1\nid = \"n-{number}\"\nreason = \"\\u001b[31m red \\n two lines\"\naction = \"promote\"\nproduct = \"gl\\u001b[2Jite\"\n\
             from = \"del\\nta\"\nto = \"production\"\npackages = [\"vo\\u0007ms\"]\n[end]\n"
        );
        fs::write(draft.join("it"), text).unwrap();
        fs::set_permissions(draft.join("it"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(draft.join("it"), incoming.join(name)).unwrap();
    }
    // Answered or left where they are; whoever comes after them is served.
    site.drop_request("after.toml", &import("nonsense"));
    assert_eq!(site.answer("after")["code"], "malformed");
    for folder in ["done", "failed", "processing"] {
        for entry in site.spool().join(folder).read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            assert!(!entry.file_name().contains(|c: char| c.is_control()), "{:?}", entry.file_name());
            // It may be on its way from one folder to the next.
            let Ok(bytes) = fs::read(entry.path()) else { continue };
            if entry.file_name().ends_with(".answer.json") {
                assert!(!bytes.contains(&0x1b) && !bytes.contains(&7), "{}", String::from_utf8_lossy(&bytes));
            }
        }
    }
    for verb in [&["status"][..], &["history"], &["--json", "status"]] {
        let ran = site.sluice(verb);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    }
    end(&site, daemon);
}

/// Writes a repository whose `primary` is `packed`, with measures that are true of it.
fn repository(folder: &Utf8Path, primary: &[u8], ending: &str) {
    fs::create_dir_all(folder.join("repodata")).unwrap();
    let mut records = Vec::new();
    for kind in ["primary", "filelists", "other"] {
        let href = format!("repodata/{kind}.xml{ending}");
        let bytes = if kind == "primary" { primary.to_vec() } else { repo::gzip(b"<x/>") };
        fs::write(folder.join(&href), &bytes).unwrap();
        records.push(Record::new(kind, href, 1, Measure::of(Algorithm::Sha256, &bytes), None, None));
    }
    let mut repomd = Repomd::parse(&repo::write_metadata(&[], 1, &[]).repomd).unwrap();
    repomd.records = records;
    fs::write(folder.join("repodata/repomd.xml"), repomd.write()).unwrap();
}

#[test]
fn metadata_that_blows_up_is_refused_small() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    let bomb = vec![b' '; 96 << 20];
    let entities = (0..9).fold("<!DOCTYPE a [<!ENTITY e0 \"lol\">".to_owned(), |text, number| {
        format!("{text}<!ENTITY e{} \"{}\">", number + 1, format!("&e{number};").repeat(10))
    });
    let laughs = format!("<?xml version=\"1.0\"?>{entities}]><metadata packages=\"1\">&e9;</metadata>");
    let before = peak_of(&daemon);
    for (stem, packed, ending, code) in [
        ("gzip", repo::pack(Compression::Gzip, &bomb), ".gz", "unpacks-too-large"),
        ("zstd", repo::pack(Compression::Zstd, &bomb), ".zst", "unpacks-too-large"),
        ("bzip2", repo::pack(Compression::Bzip2, &bomb), ".bz2", "unpacks-too-large"),
        ("xz", repo::pack(Compression::Xz, &bomb), ".xz", "unpacks-too-large"),
        ("laughs", repo::gzip(laughs.as_bytes()), ".gz", "document-type"),
        ("nested", repo::gzip("<metadata>".repeat(30_000).as_bytes()), ".gz", "bad-metadata"),
        (
            "attribute",
            repo::gzip(format!("<metadata a=\"{}\">", "x".repeat(900 << 10)).as_bytes()),
            ".gz",
            "bad-metadata",
        ),
    ] {
        let folder = sandbox.folder(stem);
        repository(&folder, &packed, ending);
        let ran = site.sluice(&["--json", "adopt", folder.as_str(), "--stage", "production"]);
        let answer: serde_json::Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{stem}: {ran}"));
        assert_eq!(answer["code"], code, "{stem}: {answer:#}");
    }
    let grown = peak_of(&daemon) - before;
    println!("bombs of 96 MiB and more: {grown} KiB more");
    assert!(grown < 160 << 10, "{grown} KiB more");
    end(&site, daemon);
}
