//! What systemd reads: the units, the users, the directories; and the example requests they hand in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::Utf8PathBuf;
use daemon::config::Config;
use plan::Format;
use testkit::{Sandbox, Site, checkout, program, run, sluice};

use super::deployed;

const UNITS: [&str; 6] = [
    "sluice.service",
    "sluice-context.service",
    "sluice-context.timer",
    "sluice-promote@.service",
    "sluice-promote@.timer",
    "sluice-promote@.path",
];

/// The units as files in the sandbox, with the program that was built.
fn units(sandbox: &Sandbox) -> Vec<Utf8PathBuf> {
    let folder = sandbox.folder("units");
    let write = |name: &str| {
        // `verify` asks whether the program is there.
        let text = deployed(name).replace("/usr/bin/sluice", sluice().as_str());
        fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    UNITS.map(write).to_vec()
}

#[test]
fn systemd_finds_no_fault_with_the_units() {
    let sandbox = Sandbox::new();
    let files = units(&sandbox);
    let instances = files.iter().map(|file| file.as_str().replace("@.", "@nightly."));
    let verified = run(program("systemd-analyze").args(["verify", "--man=no"]).args(instances)).ok();
    let complaints: Vec<_> = verified.stderr.lines().filter(|line| line.contains("sluice")).collect();
    assert!(complaints.is_empty(), "{verified}");
}

#[test]
fn the_services_are_exposed_to_little() {
    let sandbox = Sandbox::new();
    for file in units(&sandbox).iter().filter(|file| file.extension() == Some("service")) {
        // Ten times the figure it prints: at most 1.0, and a little more for the one that speaks to web servers.
        let is_private = fs::read_to_string(file).unwrap().contains("\nPrivateNetwork=yes\n");
        let threshold = if is_private { "--threshold=10" } else { "--threshold=11" };
        let mut security = program("systemd-analyze");
        security.args(["security", "--no-pager", "--offline=true", threshold]).arg(file);
        let said = run(&mut security).ok();
        println!("{}", said.stdout.lines().last().unwrap());
    }
}

fn value(unit: &str, key: &str) -> String {
    let found = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    found.unwrap_or_default().to_owned()
}

#[test]
fn the_unit_promises_what_the_daemon_counts_on() {
    let unit = deployed("sluice.service");
    let says = |line: &str| unit.lines().any(|said| said == line);
    for line in ["Type=notify", "Restart=on-failure", "ExecReload=kill -HUP $MAINPID", "User=sluice"] {
        assert!(says(line), "`{line}` is missing");
    }
    assert!(value(&unit, "RestartPreventExitStatus").split(' ').any(|code| code == "78"));
    assert!(!value(&unit, "WatchdogSec").is_empty() && !value(&unit, "LimitNOFILE").is_empty());
    let sets = |key: &str| unit.lines().any(|line| line.starts_with(&format!("{key}=")));
    assert!(!sets("PrivateUsers"), "it would hide who owns a request");
    assert_eq!(value(&unit, "TimeoutStartSec"), "infinity", "a first import may take hours");
    let config = Config::parse(deployed("sluice.toml").as_bytes(), "sluice.toml").unwrap();
    assert_eq!(
        value(&unit, "ReadWritePaths"),
        format!("{} {} -/var/lib/sluice-signer", config.root, config.spool)
    );
    let promote = deployed("sluice-promote@.service");
    assert_eq!(value(&promote, "ReadWritePaths"), config.spool);
    let expected =
        "/usr/bin/sluice submit --wait --timeout 55min --id %i-${INVOCATION_ID} /etc/sluice/requests/%i.toml";
    assert_eq!(value(&promote, "ExecStart"), expected);
    for line in ["Type=oneshot", "Requires=sluice.service", "After=sluice.service", "TimeoutStartSec=1h"] {
        assert!(promote.lines().any(|said| said == line), "`{line}` is missing");
    }
}

#[test]
fn the_unit_that_fetches_contexts_writes_into_cache_alone_and_as_the_daemons_user() {
    let unit = deployed("sluice-context.service");
    let config = Config::parse(deployed("sluice.toml").as_bytes(), "sluice.toml").unwrap();
    assert_eq!(value(&unit, "ReadWritePaths"), format!("{}/cache", config.root));
    assert_eq!(value(&unit, "User"), value(&deployed("sluice.service"), "User"));
    assert_eq!(value(&unit, "ExecStart"), "/usr/bin/sluice context update");
    assert!(unit.lines().any(|line| line == "Type=oneshot"));
}

/// Path, mode, owner and group of each directory that tmpfiles.d makes.
fn directories() -> BTreeMap<Utf8PathBuf, (u32, String, String)> {
    let text = deployed("sluice.tmpfiles");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let read = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["d", path, mode, owner, group, age] = words[..] else { panic!("`{line}` is not understood") };
        // Only what people leave lying is cleared away; requests and their answers stay for ever.
        let is_left = path.ends_with("/tmp") || path.ends_with("/upload");
        assert_eq!(age, if is_left { "30d" } else { "-" }, "{path}");
        (path.into(), (u32::from_str_radix(mode, 8).unwrap(), owner.to_owned(), group.to_owned()))
    };
    lines.map(read).collect()
}

#[test]
fn the_directories_are_those_that_init_would_make() {
    let sandbox = Sandbox::new();
    let stages = "[roles]\nrelease-team = [\"ME\"]\n\
                  [[product]]\nname = \"glite-3.2\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n";
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", stages);
    let config = Config::parse(deployed("sluice.toml").as_bytes(), "sluice.toml").unwrap();
    let said = directories();
    let mut compared = 0;
    for entry in site.spool().read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let name = path.file_name().unwrap();
        let (mode, owner, group) = &said[&config.spool.join(name)];
        let found = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((*mode, &**owner, &**group), (found, "sluice", "sluice-submit"), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 6);
    assert_eq!(said.len(), compared + 5, "and the two that hold them, and three that an administrator fills");
    let door = Utf8PathBuf::from("/var/lib/sluice-door");
    for filled in [config.spool.join("freeze"), door.join(".ssh"), door] {
        assert_eq!(said[&filled], (0o755, "root".to_owned(), "root".to_owned()));
    }
    for top in [&config.root, &config.spool] {
        assert_eq!(said[top], (0o755, "sluice".to_owned(), "sluice".to_owned()));
    }
}

#[test]
fn the_users_are_those_that_the_units_and_the_configuration_name() {
    let sandbox = Sandbox::new();
    let root = sandbox.folder("root");
    let _ = sandbox.folder("root/etc");
    let file = checkout().join("deploy/sluice.sysusers");
    run(program("systemd-sysusers").arg(format!("--root={root}")).arg(&file)).ok();
    let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap();
    let groups = fs::read_to_string(root.join("etc/group")).unwrap();
    let named = |text: &str| {
        text.lines().filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect::<Vec<_>>()
    };
    let (users, group_names) = (named(&passwd), named(&groups));
    for unit in ["sluice.service", "sluice-context.service", "sluice-promote@.service"] {
        let user = value(&deployed(unit), "User");
        assert!(users.contains(&user), "{unit} runs as `{user}`: {users:?}");
    }
    for (path, (_, owner, group)) in directories() {
        let is_there = users.contains(&owner) && group_names.contains(&group);
        assert!(is_there || owner == "root", "{path} belongs to {owner}:{group}");
    }
    let members = groups.lines().find(|line| line.starts_with("sluice-submit:")).unwrap();
    for member in ["sluice", "sluice-promote", "sluice-door"] {
        assert!(members.rsplit(':').next().unwrap().split(',').any(|one| one == member), "{members}");
    }
    // What sshd forces on whoever comes through the door is run by the shell of its user.
    let door = passwd.lines().find(|line| line.starts_with("sluice-door:")).unwrap();
    assert!(door.ends_with(":/var/lib/sluice-door:/bin/sh"), "{door}");
    // Who has a role in the commented configuration exists once the package is installed.
    let configuration: toml::Table = deployed("sluice.toml").parse().unwrap();
    for (role, accounts) in configuration["roles"].as_table().unwrap() {
        for account in accounts.as_array().unwrap() {
            let (kind, name) = account.as_str().unwrap().split_once(':').unwrap();
            let known = if kind == "user" { &users } else { &group_names };
            assert!(known.iter().any(|one| one == name), "{role}: {account}");
        }
    }
    assert!(deployed("sluice.rules").contains("subject.isInGroup(\"sluice-release\")"));
    assert!(group_names.contains(&"sluice-release".to_owned()));
}

#[test]
fn the_example_requests_fit_the_commented_configuration() {
    let config = Config::parse(deployed("sluice.toml").as_bytes(), "sluice.toml").unwrap();
    let mut read = 0;
    for entry in checkout().join("deploy/requests").read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let bytes = fs::read(&path).unwrap();
        assert!(plan::is_complete(&bytes, Format::Toml), "{path}");
        let request = plan::parse(&bytes, Format::Toml).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        if let plan::Action::Promote { product, from, to, .. } = &request.action {
            assert!(config.layout.products[product].route(from, to).is_some(), "{path}");
        }
        if let plan::Action::Revert { product, stage, .. } = &request.action {
            assert!(config.layout.products[product].stage(stage).is_some(), "{path}");
        }
        read += 1;
    }
    assert_eq!(read, 5);
}
