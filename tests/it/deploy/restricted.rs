//! Stages that not everybody may read: asked for at every address there is, of real servers, from two machines.

use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use camino::Utf8Path;
use daemon::config::Config;
use daemon::restricted::Restrictions;
use testkit::{Apache, Nginx, Sandbox, Site, fetch, program};
use walkdir::WalkDir;

use super::Embedded;

/// `untested` may be read from 127.0.0.1 and not from 127.0.0.2, `testing` from nowhere, `production` from everywhere.
pub(super) const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "umd-3"
preset = "egi"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "untested"
restricted = ["127.0.0.1"]
[[product.stage]]
name = "testing"
restricted = []
"#;

/// A real site with a package in each stage, and a named generation.
pub(super) fn site(sandbox: &Sandbox) -> Site {
    let site = Site::initialised(sandbox, "http://127.0.0.1:1", STAGES);
    let daemon = site.start();
    for (stage, name) in [("untested", "embargoed"), ("testing", "half"), ("production", "public")] {
        let recipe = repo::Recipe::new(name, "1.0", "1");
        let file = sandbox.file(&recipe.file_name(), recipe.build());
        site.sluice(&["import", file.as_str(), "--to", stage]).ok();
    }
    site.sluice(&["keep", "--as", "update-1"]).ok();
    drop(daemon);
    site
}

pub(super) fn restrictions(site: &Site) -> (Config, Restrictions) {
    let config = Config::parse(&fs::read(site.config()).unwrap(), "sluice.toml").unwrap();
    let restrictions = Restrictions::of(&config);
    (config, restrictions)
}

/// Asks for every path from an address of this machine; the status codes, in order. Nothing in a path is tidied up.
fn asked_from(address: &str, base_url: &str, paths: &[String]) -> Vec<u16> {
    let mut asking = String::new();
    for path in paths {
        let _ = writeln!(asking, "url = \"{base_url}{path}\"\noutput = \"/dev/null\"");
    }
    let mut curl = program("curl");
    curl.args([
        "--silent",
        "--path-as-is",
        "--globoff",
        "--interface",
        address,
        "--write-out",
        "%{http_code}\\n",
    ]);
    curl.args(["--config", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = curl.spawn().unwrap();
    running.stdin.take().unwrap().write_all(asking.as_bytes()).unwrap();
    let said = running.wait_with_output().unwrap();
    let codes: Vec<u16> =
        String::from_utf8(said.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(codes.len(), paths.len(), "curl gave up: {:?}", said.status);
    codes
}

/// Every file and directory of the site below every name its generation has.
fn addresses(root: &Utf8Path) -> Vec<String> {
    let current = root.join("public/current");
    let number = fs::read_link(&current).unwrap().to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for entry in WalkDir::new(&current).follow_links(true).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(&current).unwrap().to_str().unwrap().to_owned();
        let slash = if entry.file_type().is_dir() { "/" } else { "" };
        for top in ["".to_owned(), format!("/{number}"), "/@update-1".to_owned()] {
            found.push(format!("{top}/{path}{slash}"));
        }
    }
    found
}

/// What somebody might try instead of the plain address.
fn tricks(root: &Utf8Path) -> Vec<String> {
    let number = fs::read_link(root.join("public/current")).unwrap().to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for stage in ["untested", "testing"] {
        let folder = format!("umd-3/el9/x86_64/{stage}");
        let file = format!("{folder}/repodata/repomd.xml");
        let packages = root.join(format!("public/packages/umd-3-el9-x86_64-{stage}"));
        let package =
            WalkDir::new(&packages).into_iter().map(Result::unwrap).find(|e| e.file_type().is_file());
        let package = package.unwrap();
        let inner = package.path().strip_prefix(root.join("public")).unwrap().to_str().unwrap().to_owned();
        let letter = format!("%{:02x}", stage.as_bytes()[0]);
        let encoded = file.replace(stage, &format!("{letter}{}", &stage[1..]));
        let source = format!("{folder}/source/repodata/repomd.xml");
        for path in [
            format!("//{file}"),
            format!("/{}", file.replace('/', "//")),
            format!("/./{file}"),
            format!("/umd-3/./{}", file.strip_prefix("umd-3/").unwrap()),
            format!("/umd-3/../{file}"),
            format!("/umd-3/%2e%2e/{file}"),
            format!("/nowhere/../{file}"),
            format!("/{encoded}"),
            format!("/{}", file.replace('/', "%2f")),
            format!("/{}", file.replace("el9", "el9/x86_64/..")),
            format!("/{folder}"),
            format!("/{folder}/"),
            format!("/{folder}/nowhere"),
            format!("/{folder}/Packages/"),
            format!("/{source}"),
            format!("/{number}/../{file}"),
            format!("/{number}//{file}"),
            format!("//{number}/{file}"),
            format!("/%40{}/{file}", &number[1..]),
            format!("/{number}/../{number}/{file}"),
            format!("/@update-1/%2e/{file}"),
            format!("/@update-1/umd-3/%2E%2E/{file}"),
            format!("/current/{file}"),
            format!("/@1/../current/{file}"),
            format!("/{inner}"),
            format!("/{number}/../{inner}"),
            format!("/packages/umd-3-el9-x86_64-{stage}/"),
            format!("/{folder}/../production/../{stage}/repodata/repomd.xml"),
            format!("/{file}?x=/production/"),
            format!("/umd-3-{stage}.repo"),
            format!("/@update-1//umd-3-el9-x86_64-{stage}.repo"),
        ] {
            found.push(path);
        }
    }
    found
}

fn check(server: &str, base_url: &str, root: &Utf8Path) {
    let addresses = addresses(root);
    let [here, there] = ["127.0.0.1", "127.0.0.2"].map(|from| asked_from(from, base_url, &addresses));
    let (mut open, mut mine, mut nobodys) = (0, 0, 0);
    for ((address, here), there) in addresses.iter().zip(here).zip(there) {
        let of = |stage: &str| {
            address.contains(&format!("/{stage}/")) || address.ends_with(&format!("-{stage}.repo"))
        };
        // A directory without a page is listed by some servers and refused by others.
        let found = |code| code == 200 || (address.ends_with('/') && (code == 403 || code == 404));
        if of("untested") {
            assert!(found(here) && there == 403, "{server}: {address}: {here} and {there}");
            mine += usize::from(here == 200);
        } else if of("testing") {
            assert_eq!((here, there), (403, 403), "{server}: {address}");
            nobodys += 1;
        } else {
            assert!(found(here) && here == there, "{server}: {address}: {here} and {there}");
            open += usize::from(here == 200);
        }
    }
    assert!(open > 10 && mine > 10 && nobodys > 10, "{open} {mine} {nobodys}");
    let tricks = tricks(root);
    for (trick, code) in tricks.iter().zip(asked_from("127.0.0.2", base_url, &tricks)) {
        assert!((400..500).contains(&code), "{server}: {trick}: {code}");
    }
    println!(
        "{server}: {open} open addresses, {mine} for one machine, {nobodys} for nobody, {} tricks",
        tricks.len()
    );
}

#[test]
fn nginx_keeps_a_restricted_stage_from_others() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox);
    let rules = site.sluice(&["config", "web", "nginx"]).ok().stdout;
    let nginx = Nginx::start_with(&sandbox, &site.root(), &rules);
    check("nginx", nginx.base_url(), &site.root());
}

#[test]
fn apache_keeps_a_restricted_stage_from_others() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox);
    let file = sandbox.path("apache.conf");
    site.sluice(&["config", "web", "apache", "--output", file.as_str()]).ok();
    let apache = Apache::start(&sandbox, &site.root(), &fs::read_to_string(file).unwrap());
    check("Apache", apache.base_url(), &site.root());
}

#[test]
fn the_embedded_server_keeps_a_restricted_stage_from_others() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox);
    let (_, restrictions) = restrictions(&site);
    let embedded = Embedded::start(&site.root(), restrictions);
    check("serve", &embedded.base_url, &site.root());
    let listing = fetch(&format!("{}/umd-3/el9/x86_64/", embedded.base_url)).text();
    assert!(listing.contains("production") && listing.contains("untested"), "{listing}");
    assert!(!listing.contains("testing/"), "{listing}");
}
