//! Sources that lie, are endless, or lose the generation that is being copied.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use daemon::inventory::{Inventory, Item};
use testkit::{Ran, Sandbox, run};

use super::mirror;

/// What a source answers at a path: a status and a body, whose end may never come.
#[derive(Clone)]
enum Body {
    Bytes(Vec<u8>),
    Endless,
}

type Answers = Arc<Mutex<BTreeMap<String, Body>>>;

/// A web server that says whatever it is told to; it ends with the process.
fn serve(answers: &Answers, asked: &Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (answers, asked) = (Arc::clone(answers), Arc::clone(asked));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &answers, &asked);
        }
    });
    url
}

fn answer(mut stream: TcpStream, answers: &Answers, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let body = answers.lock().unwrap().get(&path).cloned();
    asked.lock().unwrap().push(path);
    let head = |status: &str, length: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{length}\r\n");
    match body {
        None => stream.write_all(head("404 Not Found", "Content-Length: 0\r\n").as_bytes()),
        Some(Body::Bytes(bytes)) => {
            stream.write_all(head("200 OK", &format!("Content-Length: {}\r\n", bytes.len())).as_bytes())?;
            stream.write_all(&bytes)
        }
        Some(Body::Endless) => {
            stream.write_all(head("200 OK", "").as_bytes())?;
            // Until the other side has had enough.
            loop {
                stream.write_all(&[b'a'; 1 << 16])?;
            }
        }
    }
}

fn item(bytes: &[u8]) -> Item {
    Item { size: bytes.len() as u64, sha256: repo::sha256(bytes), modified: 1_600_000_000 }
}

/// A generation with a stamp and one empty repository.
fn generation(number: u64) -> (Inventory, BTreeMap<String, Body>) {
    let mut inventory = Inventory::new(number, jiff::Timestamp::UNIX_EPOCH);
    let mut answers = BTreeMap::new();
    let metadata = repo::write_metadata(&[], 1_600_000_000, &[]);
    let stamp = format!("{number} 1970-01-01T00:00:00Z\n").into_bytes();
    for (path, bytes) in [("generation", &stamp), ("r/repodata/repomd.xml", &metadata.repomd)] {
        inventory.files.insert(path.to_owned(), item(bytes));
        answers.insert(format!("/@{number}/{path}"), Body::Bytes(bytes.clone()));
    }
    for (href, bytes) in metadata.files {
        answers.insert(format!("/@{number}/r/{href}"), Body::Bytes(bytes));
    }
    inventory.repositories.insert("r".to_owned());
    (inventory, answers)
}

/// Copies from a source that was changed; tells how that ended, and what was asked.
fn copied(
    change: impl FnOnce(&mut Inventory, &mut BTreeMap<String, Body>),
    dir: &Utf8Path,
) -> (Ran, Vec<String>) {
    let (mut inventory, mut answers) = generation(7);
    change(&mut inventory, &mut answers);
    answers.entry("/inventory.json".to_owned()).or_insert(Body::Bytes(inventory.write()));
    let asked = Arc::default();
    let url = serve(&Arc::new(Mutex::new(answers)), &asked);
    let ran = run(mirror(&url, dir).args(["--timeout", "5s"]));
    let asked = asked.lock().unwrap().clone();
    (ran, asked)
}

#[test]
fn a_source_that_lies_is_refused_and_nothing_is_published() {
    let sandbox = Sandbox::new();
    let (ran, _) = copied(|_, _| {}, &sandbox.path("honest"));
    ran.ok();
    let outside = |path: &'static str| {
        move |inventory: &mut Inventory, _: &mut BTreeMap<String, Body>| {
            inventory.files.insert(path.to_owned(), item(b"x"));
        }
    };
    let repomd = "/@7/r/repodata/repomd.xml";
    type Change = Box<dyn FnOnce(&mut Inventory, &mut BTreeMap<String, Body>)>;
    let cases: Vec<(&str, Change)> = vec![
        ("parent", Box::new(outside("../../escaped"))),
        ("absolute", Box::new(outside("/tmp/escaped"))),
        ("newline", Box::new(outside("a\nb"))),
        (
            "digest",
            Box::new(move |_, answers| drop(answers.insert(repomd.into(), Body::Bytes(b"other".to_vec())))),
        ),
        ("endless", Box::new(move |_, answers| drop(answers.insert(repomd.into(), Body::Endless)))),
        (
            "endless-inventory",
            Box::new(|_, answers| drop(answers.insert("/inventory.json".into(), Body::Endless))),
        ),
        (
            "no-json",
            Box::new(|_, answers| drop(answers.insert("/inventory.json".into(), Body::Bytes(b"{".to_vec())))),
        ),
        ("huge", Box::new(|inventory, _| inventory.files.get_mut("generation").unwrap().size = 1 << 60)),
        (
            "stamp",
            Box::new(|inventory, answers| {
                inventory.files.insert("generation".to_owned(), item(b"8 x\n"));
                answers.insert("/@7/generation".to_owned(), Body::Bytes(b"8 x\n".to_vec()));
            }),
        ),
        (
            "repomd",
            Box::new(move |inventory, answers| {
                let bytes = b"<repomd><data type='primary'><location href='../x'/></data></repomd>";
                inventory.files.insert("r/repodata/repomd.xml".to_owned(), item(bytes));
                answers.insert(repomd.to_owned(), Body::Bytes(bytes.to_vec()));
            }),
        ),
    ];
    for (name, change) in cases {
        let dir = sandbox.path(name);
        let (ran, _) = copied(change, &dir);
        assert_eq!(ran.code(), 6, "{name}: {ran}");
        assert!(!dir.join("current").exists() && !dir.join("@7").exists(), "{name}");
        assert!(!sandbox.path("escaped").exists() && !Utf8Path::new("/tmp/escaped").exists(), "{name}");
    }
}

#[test]
fn a_generation_that_vanishes_is_left_for_the_next() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("mirror");
    // The inventory names 7, of which the metadata is gone; by then 8 is current.
    let (seven, mut answers) = generation(7);
    answers.retain(|path, _| !path.contains("-primary"));
    let (eight, more) = generation(8);
    let shared: Answers = Arc::new(Mutex::new(answers));
    shared.lock().unwrap().insert("/inventory.json".to_owned(), Body::Bytes(seven.write()));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let url = serve(&shared, &asked);
    let ran = run(mirror(&url, &dir).args(["--timeout", "5s"]));
    assert_eq!(ran.code(), 75, "{ran}");
    assert!(!dir.join("current").exists());
    let inventories = asked.lock().unwrap().iter().filter(|path| *path == "/inventory.json").count();
    assert_eq!(inventories, 5, "it looks again whenever a generation has gone");
    let mut answers = shared.lock().unwrap();
    answers.extend(more);
    answers.insert("/inventory.json".to_owned(), Body::Bytes(eight.write()));
    drop(answers);
    run(&mut mirror(&url, &dir)).ok();
    assert_eq!(super::current(&dir), "@8");
    // Numbers never fall: an old answer out of some cache is no reason to go back.
    shared.lock().unwrap().insert("/inventory.json".to_owned(), Body::Bytes(seven.write()));
    let ran = run(&mut mirror(&url, &dir));
    assert!(ran.code() == 75 && super::current(&dir) == "@8", "{ran}");
}
