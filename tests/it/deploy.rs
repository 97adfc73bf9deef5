//! The files of `deploy/`, each read by the program it is for.

mod manual;
mod packages;
mod restricted;
mod rsync;
mod units;

pub(crate) use rsync::Rsyncd;

use std::fs;
use std::os::unix::fs::symlink;

use camino::Utf8Path;
use daemon::config::Config;
use daemon::restricted::Restrictions;
use testkit::{Apache, Nginx, Sandbox, checkout, fetch, fetch_with};

fn deployed(name: &str) -> String {
    fs::read_to_string(checkout().join("deploy").join(name)).unwrap()
}

#[test]
fn the_commented_configuration_is_a_good_one() {
    let config = Config::parse(deployed("sluice.toml").as_bytes(), "sluice.toml").unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.layout.products.len(), 2);
    assert_eq!(config.layout.check(), Vec::<String>::new());
}

/// A small site written by hand: what a web server sees of a real one.
fn site(root: &Utf8Path) -> Vec<&'static str> {
    let digest = "0123456789abcdef".repeat(4);
    for generation in ["@7", "@8"] {
        let top = root.join("public").join(generation);
        let stage = top.join("glite/sl5/x86_64/production");
        fs::create_dir_all(stage.join("repodata")).unwrap();
        fs::create_dir_all(stage.join("old/Packages")).unwrap();
        fs::write(top.join("index.html"), format!("<p>{generation}</p>")).unwrap();
        fs::write(top.join("generation"), generation).unwrap();
        fs::write(top.join("RPM-GPG-KEY-glite"), "key").unwrap();
        fs::write(top.join("glite-production.repo"), "[glite]").unwrap();
        fs::write(stage.join("repodata/repomd.xml"), format!("<repomd>{generation}</repomd>")).unwrap();
        fs::write(stage.join("repodata/repomd.xml.asc"), "signature").unwrap();
        fs::write(stage.join(format!("repodata/{digest}-primary.xml.gz")), "primary").unwrap();
        fs::write(stage.join("repodata/short-primary.xml.gz"), "primary").unwrap();
        symlink("../../../../../packages/glite-sl5-x86_64-production", stage.join("Packages")).unwrap();
    }
    let packages = root.join("public/packages/glite-sl5-x86_64-production/01/0123456789abcdef");
    fs::create_dir_all(&packages).unwrap();
    fs::write(packages.join("a-1.0-1.x86_64.rpm"), "a package").unwrap();
    symlink("@8", root.join("public/current")).unwrap();
    symlink("@7", root.join("public/@update-57")).unwrap();
    vec![
        "/",
        "/index.html",
        "/generation",
        "/RPM-GPG-KEY-glite",
        "/glite-production.repo",
        "/glite/sl5/x86_64/production/repodata/repomd.xml",
        "/glite/sl5/x86_64/production/repodata/repomd.xml.asc",
        "/glite/sl5/x86_64/production/repodata/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-primary.xml.gz",
        "/glite/sl5/x86_64/production/repodata/short-primary.xml.gz",
        "/glite/sl5/x86_64/production/Packages/01/0123456789abcdef/a-1.0-1.x86_64.rpm",
        "/glite/sl5/x86_64/production/nowhere",
        "/packages/glite-sl5-x86_64-production/01/0123456789abcdef/a-1.0-1.x86_64.rpm",
        "/%2e%2e/%2e%2e/secret",
    ]
}

/// The embedded web server on a port the kernel chose, for as long as the value lives.
struct Embedded {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    base_url: String,
}

impl Embedded {
    fn start(root: &Utf8Path, restrictions: Restrictions) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let public = root.join("public");
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let shutdown = async move { _ = stopped.await };
                daemon::web::serve_restricted(listener, public, restrictions, shutdown).await.unwrap();
            });
        });
        Self { stop: Some(stop), thread: Some(thread), base_url }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn nginx_and_the_embedded_server_agree() {
    let sandbox = Sandbox::new();
    let root = sandbox.folder("site");
    let paths = site(&root);
    let nginx = Nginx::start(&sandbox, &root);
    agree(&sandbox, &root, &paths, nginx.base_url());
}

#[test]
fn apache_and_the_embedded_server_agree() {
    let sandbox = Sandbox::new();
    let root = sandbox.folder("site");
    let paths = site(&root);
    let apache = Apache::start(&sandbox, &root, "");
    agree(&sandbox, &root, &paths, apache.base_url());
    // Without a reload.
    let stamp = format!("{}/generation", apache.base_url());
    assert_eq!(fetch(&stamp).text(), "@8");
    symlink("@7", root.join("public/next")).unwrap();
    fs::rename(root.join("public/next"), root.join("public/current")).unwrap();
    assert_eq!(fetch(&stamp).text(), "@7");
}

fn agree(sandbox: &Sandbox, root: &Utf8Path, paths: &[&str], base_url: &str) {
    fs::write(sandbox.path("secret"), "secret").unwrap();
    let embedded = Embedded::start(root, Restrictions::default());
    let mut immutable = 0;
    let mut asked = 0;
    for pin in ["", "/@7", "/@update-57", "/@9"] {
        for path in paths {
            let path = format!("{pin}{path}");
            let theirs = fetch(&format!("{base_url}{path}"));
            let ours = fetch(&format!("{}{path}", embedded.base_url));
            asked += 1;
            // A path that climbs is malformed to one and absent to the other; it is found by neither.
            if path.contains("%2e") {
                assert!(theirs.status >= 400 && ours.status >= 400, "{path}: {theirs:?} {ours:?}");
                continue;
            }
            assert_eq!((theirs.status, path.as_str()), (ours.status, path.as_str()));
            if theirs.status == 200 {
                assert_eq!(theirs.body, ours.body, "{path}");
                for name in ["cache-control", "content-type", "content-length", "last-modified"] {
                    assert_eq!(theirs.header(name), ours.header(name), "{name} of {path}");
                }
                immutable += usize::from(theirs.header("cache-control").contains("immutable"));
                let tag = theirs.header("etag");
                let again = fetch_with(&format!("{}{path}", base_url), &[("If-None-Match", tag)]);
                assert_eq!(
                    (again.status, again.header("cache-control")),
                    (304, theirs.header("cache-control")),
                    "{path}"
                );
            } else {
                assert!(
                    !theirs.header("cache-control").contains("immutable"),
                    "{path}: a 404 may be a file tomorrow"
                );
            }
        }
    }
    println!("{asked} addresses asked of both, {immutable} immutable");
    assert_eq!(immutable, 2 + 10 + 2, "current, /@7 and /@update-57 have so many");
}

#[test]
fn nginx_sees_a_new_generation_without_a_reload() {
    let sandbox = Sandbox::new();
    let root = sandbox.folder("site");
    let _ = site(&root);
    let nginx = Nginx::start(&sandbox, &root);
    let stamp = format!("{}/generation", nginx.base_url());
    assert_eq!(fetch(&stamp).text(), "@8");
    symlink("@7", root.join("public/next")).unwrap();
    fs::rename(root.join("public/next"), root.join("public/current")).unwrap();
    assert_eq!(fetch(&stamp).text(), "@7");
}
