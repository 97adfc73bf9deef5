//! What hosts are told of keys follows the configuration, and nobody has to ask.

use std::fs;

use nix::sys::signal::Signal;
use testkit::{Running, Sandbox, Site, Watch, run};

use super::keyring::Keyring;
use super::stages::{LONG_AGO, PATIENCE, STAGES, key};

/// The keys that the published `.repo` file of production names, and the published certificates.
fn told(site: &Site) -> (String, Vec<(String, String)>) {
    let folder =
        site.root().join("public").join(site.root().join("public/current").read_link_utf8().unwrap());
    let text = fs::read_to_string(folder.join("glite-3.2-production.repo")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("gpgkey=")).unwrap_or_default();
    let paths = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let keys = paths.filter_map(|path| {
        let name = path.file_name().unwrap().strip_prefix("RPM-GPG-KEY-")?.to_owned();
        Some((name, fs::read_to_string(&path).unwrap()))
    });
    let mut keys: Vec<_> = keys.collect();
    keys.sort();
    (line.replace("http://127.0.0.1:1/RPM-GPG-KEY-", ""), keys)
}

fn current(site: &Site) -> String {
    site.root().join("public/current").read_link_utf8().unwrap().into_string()
}

/// Waits until a generation other than `before` is in force.
#[track_caller]
fn followed(site: &Site, daemon: &Running, before: &str) {
    let watch = Watch::on(&[&site.root().join("public")]);
    let seen = watch.until(PATIENCE, || (current(site) != before).then_some(()));
    assert!(seen.is_some(), "{}", daemon.log());
}

#[test]
fn other_keys_reach_hosts_by_a_reload_or_a_restart_alone() {
    let sandbox = Sandbox::new();
    let ring = Keyring::new(&sandbox);
    let [first, second] = ["first", "second"].map(|name| ring.make(name, "rsa2048", "never", LONG_AGO));
    let tables = [key(&ring, "first", &first, ""), key(&ring, "second", &second, "")];
    let stages = |names: &str| STAGES.replace("[\"ours\"]", names);
    let site = Site::new(&sandbox, "http://127.0.0.1:1", "");
    let head = fs::read_to_string(site.config()).unwrap();
    let me = format!("uid:{}", nix::unistd::geteuid());
    let write = |keys: &[String], names: &str| {
        let text = format!("{head}{}{}", keys.concat(), stages(names).replace("ME", &me));
        fs::write(site.config(), text).unwrap();
    };
    write(&tables[..1], "[\"first\"]");
    run(site.as_daemon().arg("init")).ok();
    let mut daemon = site.start();
    let (named, keys) = told(&site);
    assert_eq!((named.as_str(), keys.len()), ("first", 1));
    // Another key beside it.
    let before = current(&site);
    write(&tables, "[\"second\", \"first\"]");
    daemon.signal(Signal::SIGHUP);
    followed(&site, &daemon, &before);
    let (named, keys) = told(&site);
    assert_eq!((named.as_str(), keys.len()), ("second first", 2));
    // The first is revoked: the file of its certificate changes, and nothing else.
    let before = current(&site);
    ring.revoke(&first);
    ring.export(&first);
    daemon.signal(Signal::SIGHUP);
    followed(&site, &daemon, &before);
    let (named, revoked) = told(&site);
    assert_eq!(named, "second", "hosts are to trust it no more");
    assert!(revoked[0].1 != keys[0].1 && revoked[1] == keys[1], "it is served as revoked");
    // By a restart, the one that is gone is gone.
    daemon.stop();
    let before = current(&site);
    write(&tables[1..], "[\"second\"]");
    let mut daemon = site.start();
    followed(&site, &daemon, &before);
    let (named, keys) = told(&site);
    assert_eq!((named.as_str(), keys.len(), keys[0].0.as_str()), ("second", 1, "second"));
    // The same once more changes nothing: the next generation is that of the next change.
    let before = current(&site);
    let number = |link: &str| link.trim_start_matches('@').parse::<u64>().unwrap();
    daemon.signal(Signal::SIGHUP);
    daemon.stop();
    let mut daemon = site.start();
    write(&[tables[1].clone(), tables[0].clone()], "[\"second\"]");
    daemon.signal(Signal::SIGHUP);
    followed(&site, &daemon, &before);
    assert_eq!(number(&current(&site)), number(&before) + 1);
    assert_eq!(told(&site).1.len(), 2);
    // With the last one revoked hosts are to trust none.
    let before = current(&site);
    ring.revoke(&second);
    ring.export(&second);
    daemon.signal(Signal::SIGHUP);
    followed(&site, &daemon, &before);
    assert_eq!(told(&site).0, "");
    daemon.stop();
    site.sluice(&["verify", "--at-rest"]).ok();
}
