#![expect(clippy::disallowed_methods, reason = "the tests build a tree for the server to serve")]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const PRIMARY: &str =
    "glite/repodata/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-primary.xml.gz";
const PACKAGE: &str = "glite/Packages/ab/abcdabcdabcdabcd/x-1-1.noarch.rpm";

/// Two generations that share a package, and things nobody may have.
fn tree() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let public = root.path().join("public");
    let package = public.join("packages/glite/ab/abcdabcdabcdabcd");
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("x-1-1.noarch.rpm"), bytes(300_000)).unwrap();
    fs::write(root.path().join("secret"), "secret").unwrap();
    for number in [1, 2] {
        let generation = public.join(format!("@{number}"));
        fs::create_dir_all(generation.join("glite/repodata")).unwrap();
        fs::write(generation.join("index.html"), format!("generation {number}")).unwrap();
        fs::write(generation.join(PRIMARY), "packed").unwrap();
        fs::write(generation.join("glite/repodata/repomd.xml"), format!("<repomd>{number}</repomd>"))
            .unwrap();
        fs::write(generation.join("glite-production.repo"), "[glite]").unwrap();
        symlink("../../packages/glite", generation.join("glite/Packages")).unwrap();
        symlink("../../../secret", generation.join("glite/out")).unwrap();
        symlink(root.path().join("secret"), generation.join("glite/absolute")).unwrap();
        symlink("/proc/self/environ", generation.join("glite/proc")).unwrap();
        symlink("loop", generation.join("glite/loop")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            generation.join("glite/fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
    }
    symlink("@2", public.join("current")).unwrap();
    symlink("@1", public.join("@update-57")).unwrap();
    symlink("../..", public.join("@evil")).unwrap();
    root
}

fn bytes(length: u32) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

struct Server {
    address: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Server {
    async fn start(root: &Path) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let public = Utf8PathBuf::from_path_buf(root.join("public")).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let ended = tokio::spawn(serve(listener, public, async move {
            let _ = stopped.await;
        }));
        Server { address, stop, ended }
    }

    async fn ask(&self, method: &str, path: &str, headers: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.unwrap();
        let split = reply.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(reply[..split].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Reply { status, headers, body: reply[split + 4..].to_vec() }
    }

    async fn fetch(&self, path: &str) -> Reply {
        self.ask("GET", path, "").await
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn each_generation_answers_under_its_own_address() {
    let root = tree();
    let server = Server::start(root.path()).await;
    for (path, text, cache) in [
        ("/".to_owned(), "generation 2", "no-cache"),
        ("/index.html".to_owned(), "generation 2", "no-cache"),
        ("/@1/".to_owned(), "generation 1", FOR_EVER),
        ("/@update-57/".to_owned(), "generation 1", "no-cache"),
        ("/glite/repodata/repomd.xml?x=1".to_owned(), "<repomd>2</repomd>", "no-cache"),
        ("/@1/glite/repodata/repomd.xml".to_owned(), "<repomd>1</repomd>", FOR_EVER),
        (format!("/{PRIMARY}"), "packed", FOR_EVER),
        (format!("/@update-57/{PRIMARY}"), "packed", FOR_EVER),
        ("/glite-production.repo".to_owned(), "[glite]", "no-cache"),
    ] {
        let reply = server.fetch(&path).await;
        assert_eq!((reply.status, reply.text()), (200, text), "{path}");
        assert_eq!(reply.headers["cache-control"], cache, "{path}");
        assert_eq!(reply.headers["content-length"], text.len().to_string(), "{path}");
    }
    let packed = server.fetch(&format!("/{PRIMARY}")).await;
    assert_eq!(packed.headers["content-type"], "application/gzip");
    assert!(!packed.headers.contains_key("content-encoding"), "{packed:?}");
    let package = server.fetch(&format!("/{PACKAGE}")).await;
    assert_eq!(package.headers["content-type"], "application/x-rpm");
    assert_eq!(package.headers["cache-control"], FOR_EVER);
    assert_eq!(package.body, bytes(300_000));
}

#[tokio::test]
async fn a_flip_is_seen_by_the_next_request() {
    let root = tree();
    let server = Server::start(root.path()).await;
    let before = server.fetch("/glite/repodata/repomd.xml").await;
    let public = root.path().join("public");
    symlink("@1", public.join("current.new")).unwrap();
    fs::rename(public.join("current.new"), public.join("current")).unwrap();
    let after = server.fetch("/glite/repodata/repomd.xml").await;
    assert_eq!((before.text(), after.text()), ("<repomd>2</repomd>", "<repomd>1</repomd>"));
    assert_ne!(before.headers["etag"], after.headers["etag"]);
    let condition = format!("If-None-Match: {}\r\n", before.headers["etag"]);
    assert_eq!(server.ask("GET", "/glite/repodata/repomd.xml", &condition).await.status, 200);
}

#[tokio::test]
async fn nothing_outside_the_exported_tree_is_sent() {
    let root = tree();
    fs::write(root.path().join("public/plain"), "not of a generation").unwrap();
    let server = Server::start(root.path()).await;
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/@1/../../secret",
        "/@1%2f..%2f..%2fsecret",
        "/secret%00",
        "/glite/out",
        "/glite/absolute",
        "/glite/proc",
        "/glite/loop",
        "/glite/fifo",
        "/@evil/secret",
        "/@evil/",
        "/plain",
        "/packages/",
        "/current/",
        "/@3/",
        "/@/",
        "/@1/index.html/",
        "/index.html/x",
        "/nothing",
    ] {
        let reply = server.fetch(path).await;
        assert!(matches!(reply.status, 400 | 404), "{path} {reply:?}");
        assert!(!reply.text().contains("secret"), "{path} {reply:?}");
        assert_eq!(reply.headers["cache-control"], "no-cache", "{path}");
    }
    assert!(server.fetch("/@3/").await.text().contains("no generation"));
    let long = server.fetch(&format!("/{}", "x".repeat(5000))).await;
    assert_eq!(long.status, 404);
}

#[tokio::test]
async fn people_see_what_a_directory_holds() {
    let root = tree();
    let server = Server::start(root.path()).await;
    let reply = server.fetch("/glite").await;
    assert_eq!((reply.status, reply.headers["location"].as_str()), (301, "/glite/"));
    let reply = server.fetch("//glite//Packages").await;
    assert_eq!((reply.status, reply.headers["location"].as_str()), (301, "/glite/Packages/"));
    let reply = server.fetch("/@2/glite/").await;
    assert_eq!((reply.status, reply.headers["cache-control"].as_str()), (200, "no-cache"));
    let html = reply.text();
    assert!(html.contains("<a href=\"./Packages/\">") && html.contains("<a href=\"./repodata/\">"), "{html}");
    assert!(!html.contains("out") && !html.contains("fifo") && !html.contains("absolute"), "{html}");
    let package = server.fetch("/glite/Packages/ab/abcdabcdabcdabcd/").await;
    assert!(package.text().contains("x-1-1.noarch.rpm</a></td><td>300000</td>"), "{}", package.text());
}

#[tokio::test]
async fn parts_and_conditions_hold_on_the_wire() {
    let root = tree();
    let server = Server::start(root.path()).await;
    let path = format!("/{PACKAGE}");
    let whole = bytes(300_000);

    let reply = server.ask("GET", &path, "Range: bytes=131000-262500\r\n").await;
    assert_eq!((reply.status, reply.headers["content-range"].as_str()), (206, "bytes 131000-262500/300000"));
    assert_eq!(reply.body, whole[131_000..=262_500]);
    let tag = reply.headers["etag"].clone();
    let reply = server.ask("GET", &path, "Range: bytes=300000-\r\n").await;
    assert_eq!((reply.status, reply.headers["content-range"].as_str()), (416, "bytes */300000"));
    let reply = server.ask("GET", &path, &format!("Range: bytes=-5\r\nIf-Range: {tag}\r\n")).await;
    assert_eq!((reply.status, reply.body.as_slice()), (206, &whole[299_995..]));
    let reply = server.ask("GET", &path, "Range: bytes=-5\r\nIf-Range: \"other\"\r\n").await;
    assert_eq!((reply.status, reply.body.len()), (200, 300_000));

    let reply = server.ask("GET", &path, &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((reply.status, reply.body.len()), (304, 0));
    assert_eq!((&reply.headers["etag"], reply.headers["cache-control"].as_str()), (&tag, FOR_EVER));
    let date = server.fetch(&path).await.headers["last-modified"].clone();
    let reply = server.ask("GET", &path, &format!("If-Modified-Since: {date}\r\n")).await;
    assert_eq!(reply.status, 304);

    let reply = server.ask("HEAD", &path, "").await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(reply.headers["content-length"], "300000");
    let reply = server.ask("POST", &path, "Content-Length: 0\r\n").await;
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "GET, HEAD"));
}

#[tokio::test]
async fn a_file_linked_into_the_next_generation_keeps_its_tag() {
    let root = tree();
    let public = root.path().join("public");
    fs::hard_link(public.join("@1/glite-production.repo"), public.join("@2/old.repo")).unwrap();
    let server = Server::start(root.path()).await;
    let first = server.fetch("/@1/glite-production.repo").await.headers["etag"].clone();
    assert_eq!(server.fetch("/old.repo").await.headers["etag"], first);
    assert_ne!(server.fetch("/glite-production.repo").await.headers["etag"], first);
}

#[tokio::test]
async fn a_site_without_a_generation_says_so() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("public")).unwrap();
    let server = Server::start(root.path()).await;
    let reply = server.fetch("/").await;
    assert_eq!((reply.status, reply.headers["retry-after"].as_str()), (503, "5"));
    assert!(reply.text().contains("nothing is published"), "{reply:?}");
    fs::create_dir(root.path().join("public/@9")).unwrap();
    symlink("../public/@9", root.path().join("public/current")).unwrap();
    assert_eq!(server.fetch("/").await.status, 503, "a pointer of another shape is not followed");
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_breaks_the_connection() {
    let root = tree();
    let path = root.path().join("public/packages/glite/ab/abcdabcdabcdabcd/big-1-1.noarch.rpm");
    let file = fs::File::create(&path).unwrap();
    file.set_len(64 << 20).unwrap();
    let server = Server::start(root.path()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = "GET /glite/Packages/ab/abcdabcdabcdabcd/big-1-1.noarch.rpm HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    file.set_len(1000).unwrap();
    let mut rest = Vec::new();
    // An error or an early end, both tell the client; the promised length must not arrive.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < 64 << 20, "{}", rest.len());
}

#[tokio::test]
async fn look_ups_survive_renames_elsewhere() {
    let root = tree();
    let server = Server::start(root.path()).await;
    let churn = root.path().join("public/packages");
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let renaming = std::thread::spawn(move || {
        fs::write(churn.join("a"), "").unwrap();
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            fs::rename(churn.join("a"), churn.join("b")).unwrap();
            fs::rename(churn.join("b"), churn.join("a")).unwrap();
        }
    });
    for _ in 0..200 {
        assert_eq!(server.ask("HEAD", &format!("/{PACKAGE}"), "").await.status, 200);
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    renaming.join().unwrap();
}

#[tokio::test]
async fn a_client_that_stands_still_loses_its_place() {
    let root = tree();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let public = Utf8PathBuf::from_path_buf(root.path().join("public")).unwrap();
    let bounded = connections::Bounded::with(listener, 1, Duration::from_secs(2));
    let router = router(&public, Restrictions::default()).unwrap();
    tokio::spawn(
        async move { axum::serve(bounded, router.into_make_service_with_connect_info::<Peer>()).await },
    );
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET / HT").await.unwrap();
    // The only place is taken; this one is answered after the first was thrown out.
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    second.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    let mut rest = Vec::new();
    // Ends or is reset: no second answer comes.
    let _ = idle.read_to_end(&mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "), "{rest:?}");
}

#[tokio::test]
async fn a_client_that_asks_byte_by_byte_loses_its_place() {
    let root = tree();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let public = Utf8PathBuf::from_path_buf(root.path().join("public")).unwrap();
    let bounded = connections::Bounded::with(listener, 1, Duration::from_secs(5));
    let router = router(&public, Restrictions::default()).unwrap();
    tokio::spawn(
        async move { axum::serve(bounded, router.into_make_service_with_connect_info::<Peer>()).await },
    );
    let mut slow = TcpStream::connect(address).await.unwrap();
    // Each whole request begins the time anew, on one connection.
    for _ in 0..3 {
        slow.write_all(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut piece = [0; 4096];
        let length = slow.read(&mut piece).await.unwrap();
        assert!(
            piece[..length].starts_with(b"HTTP/1.1 200 "),
            "{:?}",
            String::from_utf8_lossy(&piece[..length])
        );
    }
    slow.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
    let mut sent = 0;
    loop {
        assert!(sent < 10_000, "it still has its place");
        // It never stands still: the wait is for the server to hang up.
        let mut reply = [0; 4096];
        let heard = tokio::time::timeout(Duration::from_millis(2), slow.read(&mut reply)).await;
        match heard {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => panic!("{}", String::from_utf8_lossy(&reply)),
            Err(_) => {}
        }
        if slow.write_all(b"y").await.is_err() {
            break;
        }
        sent += 1;
    }
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    second.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
}

#[tokio::test]
async fn the_server_ends_when_told() {
    let root = tree();
    let server = Server::start(root.path()).await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.fetch("/").await.status, 200);
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
    drop(idle);
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error_with_its_path() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve(listener, "/nowhere/public".into(), async {}).await.unwrap_err();
    assert!(error.to_string().starts_with("failed to open `/nowhere/public`: No such file"), "{error}");
}
