//! Module streams: with their packages, cut, together again, taken back.

use super::*;

fn stream(name: &str, stream: &str, packages: &[&str]) -> String {
    let packages: String = packages.iter().map(|name| format!("    - {name}-0:1-1.x86_64\n")).collect();
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: \"{stream}\"\n  version: 1\n  context: c0ffee\n  \
         arch: x86_64\n  summary: the {name}\n  description: >-\n    what {name} is for\n  license:\n    module:\n    - MIT\n  \
         profiles:\n    common:\n      rpms:\n      - {name}\n  artifacts:\n    rpms:\n{packages}...\n"
    )
}

fn default(name: &str, stream: &str) -> String {
    format!(
        "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: {name}\n  stream: \"{stream}\"\n  profiles:\n    \
         \"{stream}\": [common]\n...\n"
    )
}

fn yaml() -> String {
    [
        stream("perl", "5", &["aaa", "bbb"]),
        stream("ruby", "3", &["ccc"]),
        default("perl", "5"),
        default("ruby", "3"),
    ]
    .concat()
}

/// The streams that `dnf module list` says, and the artifacts of each.
fn streams(host: &Host) -> Vec<String> {
    let dnf =
        |arguments: &[&str]| host.dnf(&[&["--setopt=module_platform_id=platform:el9"], arguments].concat());
    let said = dnf(&["module", "list"]).stdout;
    let mut streams = Vec::new();
    for line in said.lines().filter(|line| line.contains("the ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let info = dnf(&["module", "info", words[0]]).ok().stdout;
        let artifacts = info.lines().skip_while(|line| !line.starts_with("Artifacts"));
        let artifacts = artifacts.take_while(|line| line.starts_with("Artifacts") || line.starts_with("  "));
        let artifacts: Vec<&str> =
            artifacts.filter_map(|line| line.split_once(": ").map(|(_, name)| name.trim())).collect();
        streams.push(format!("{}: {}", words.join(" "), artifacts.join(" ")));
    }
    streams
}

#[test]
fn modules_go_with_their_packages_and_dnf_says_so_in_each_stage() {
    let town = Town::new(&["aaa", "bbb", "ccc"], &[("modules.yaml", &yaml())], "");
    let [delta, production] =
        ["delta", "production"].map(|stage| town.host(&format!("host-{stage}"), stage, &[]));
    let check = |in_delta: &[&str], in_production: &[&str]| {
        assert_eq!((streams(&delta), streams(&production)), (own(in_delta), own(in_production)));
    };
    let [a, b, c] = ["aaa", "bbb", "ccc"].map(|name| format!("{name}-0:1-1.x86_64"));
    let perl = |packages: &[&str]| format!("perl 5 [d] common [d] the perl: {}", packages.join(" "));
    let ruby = format!("ruby 3 [d] common [d] the ruby: {c}");
    check(&[&perl(&[&a, &b]), &ruby], &[]);

    let said = town.sluice(&["promote", "bbb"]).ok().stdout;
    let words = "module `perl:5:1:c0ffee:x86_64` is cut for `glite-3.2-el9-x86_64-production`, which does not list \
                 `aaa-1-1.x86_64`";
    assert!(said.contains(words), "{said}");
    check(&[&perl(&[&a]), &ruby], &[&perl(&[&b])]);

    town.sluice(&["promote", "aaa"]).ok();
    check(&[&ruby], &[&perl(&[&a, &b])]);
    let published = unpacked(&town.published("production"), "modules").unwrap();
    let expected = [stream("perl", "5", &["aaa", "bbb"]), default("perl", "5")].concat();
    assert_eq!(String::from_utf8(published).unwrap(), expected, "to the byte");

    let said = town.sluice(&["withdraw", "aaa", "bbb", "--from", "production", "--reason", "x"]).ok().stdout;
    assert!(
        said.contains("module `perl:5:1:c0ffee:x86_64` leaves `glite-3.2-el9-x86_64-production`"),
        "{said}"
    );
    check(&[&ruby], &[]);
    let generation = generation_of(&town, 1);
    town.sluice(&["revert", &generation, "--stage", "production", "--reason", "x"]).ok();
    check(&[&ruby], &[&perl(&[&a, &b])]);
    town.end();
}
