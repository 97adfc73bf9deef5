//! Rude clients of `sluice serve`: what they send is refused or answered in order, and others are served meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use testkit::{Sandbox, Served, Site, fetch};

use super::promotions::{Promotions, STAGES};

const REPOMD: &str = "/glite/el9/x86_64/production/repodata/repomd.xml";

fn connect(served: &Served) -> TcpStream {
    let stream = TcpStream::connect(served.base_url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
    stream
}

/// Sends bytes, whatever they are, and tells the status line that comes back; empty if the connection just ends.
fn says(served: &Served, bytes: &[u8]) -> String {
    let mut stream = connect(served);
    // The server may have seen enough, and close before all is written.
    let _ = stream.write_all(bytes);
    let mut reply = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(length @ 1..) => reply.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&reply).lines().next().unwrap_or_default().to_owned()
}

/// The most memory the process ever had, in kB.
fn memory_peak(served: &Served) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn rude_clients_are_answered_in_order_and_hold_up_nobody() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let served = Served::start(&site);
    let mut daemon = site.start();
    let _promotions = Promotions::new(&site, 7);
    let whole = fetch(&format!("{}{REPOMD}", served.base_url()));
    assert_eq!(whole.status, 200);
    let get = |headers: &str| {
        format!("GET {REPOMD} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").into_bytes()
    };
    let ranges: Vec<String> = (0..5_000).map(|number| format!("{number}-{number}")).collect();
    let many: String = (0..5_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let tags: String = (0..5_000).map(|number| format!("\"{number}\", ")).collect();
    let before = memory_peak(&served);
    for (what, bytes, allowed) in [
        ("a header of 8 MB", get(&format!("X: {}\r\n", "y".repeat(8 << 20))), &["431", "400", ""][..]),
        ("5,000 headers", get(&many), &["431", "400", ""]),
        ("5,000 ranges", get(&format!("Range: bytes={}\r\n", ranges.join(","))), &["200", "431"]),
        ("5,000 tags", get(&format!("If-None-Match: {tags}\"x\"\r\n")), &["200", "431"]),
        (
            "a path of 1 MB",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a/".repeat(1 << 19)).into_bytes(),
            &["414", "404", "400", "431", ""],
        ),
        ("half a line and the end", b"GET /".to_vec(), &["", "400"]),
        (
            "another protocol",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n".to_vec(),
            &["400", ""],
        ),
        ("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &["400", "505", ""]),
        ("two lengths", get("Content-Length: 5\r\nContent-Length: 6\r\n"), &["400", ""]),
        (
            "a length and chunks",
            get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            &["400", "200", ""],
        ),
    ] {
        let mut bytes = bytes;
        if what.starts_with("half") {
            bytes.truncate(5);
            let mut stream = connect(&served);
            stream.write_all(&bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut reply = Vec::new();
            // It ends, with or without an answer.
            let _ = stream.read_to_end(&mut reply);
            continue;
        }
        let said = says(&served, &bytes);
        let status = said.split(' ').nth(1).unwrap_or_default();
        println!("{what}: `{said}`");
        assert!(allowed.contains(&status), "{what}: `{said}`");
    }
    // Three hundred that never end their request.
    let mut waiting: Vec<TcpStream> = (0..300).map(|_| connect(&served)).collect();
    for (number, stream) in waiting.iter_mut().enumerate() {
        write!(stream, "GET {REPOMD} HTTP/1.1\r\nHost: x\r\nX-{number}: ").unwrap();
    }
    let meanwhile = fetch(&format!("{}{REPOMD}", served.base_url()));
    assert_eq!((meanwhile.status, meanwhile.body), (200, whole.body));
    let peak = memory_peak(&served);
    println!("memory at most {before} kB before, {peak} kB after");
    assert!(peak < before + 64 * 1024, "{before} kB before, {peak} kB after");
    drop(waiting);
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
}
