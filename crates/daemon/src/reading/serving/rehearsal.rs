//! What a worker does that fell to the package it read: only in builds for tests, and only for packages so named.
#![expect(clippy::disallowed_methods, reason = "tries what a worker must not be able to do")]

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use repo::Package;

/// Behaves as the package's name demands.
pub(super) fn play(mut package: Package) -> Package {
    match package.nevra.name.as_str() {
        "worker-panics" => panic!("the package made it so:\n\u{1b}[31mnow in red"),
        "worker-aborts" => std::process::abort(),
        "worker-eats" => {
            let mut eaten = Vec::new();
            loop {
                eaten.push(vec![1_u8; 1 << 20]);
            }
        }
        "worker-spins" => loop {
            std::hint::spin_loop();
        },
        "worker-hangs" => loop {
            std::thread::park();
        },
        "worker-lies" => package.header_start = package.header_end + 1,
        "worker-breaks-out" => package.summary = break_out(),
        _ => {}
    }
    package
}

/// Tries to reach the world, and says what came of it.
fn break_out() -> String {
    let said = |what: &str, failed: Option<std::io::Error>| match failed {
        None => format!("{what}: done"),
        Some(error) => format!("{what}: {}", error.kind()),
    };
    [
        said("read", fs::read("/etc/hostname").err()),
        said("write", fs::write("/tmp/broken-out", "x").err()),
        said("list", fs::read_dir("/").err()),
        said("listen", TcpListener::bind("127.0.0.1:0").err()),
        said("run", Command::new("/bin/true").status().err()),
        said("kill", rustix::process::test_kill_process(rustix::process::Pid::INIT).err().map(Into::into)),
    ]
    .join(", ")
}
