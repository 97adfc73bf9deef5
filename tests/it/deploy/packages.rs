//! The packages of Sluice: built by one command, read by lintian and rpmlint, installed in a booted machine.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use camino::Utf8PathBuf;
use testkit::{Sandbox, checkout, is_root, program, run, sluice};

/// Builds packages of the program under test into the sandbox.
fn build(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = program(checkout().join("deploy/packages").as_str());
    command.args(["--binary", sluice().as_str(), "--to", sandbox.root().as_str()]).args(arguments);
    command.env("DEBFULLNAME", "Sluice tests").env("DEBEMAIL", "sluice@example.org");
    command.env("TMPDIR", sandbox.folder("tmp"));
    command
}

/// The Debian package, built once for all tests.
fn deb() -> Utf8PathBuf {
    static BUILT: OnceLock<(Sandbox, Utf8PathBuf)> = OnceLock::new();
    let (_, file) = BUILT.get_or_init(|| {
        let sandbox = Sandbox::new();
        let said = run(&mut build(&sandbox, &["deb"])).ok();
        let file = Utf8PathBuf::from(said.stdout.trim());
        (sandbox, file)
    });
    file.clone()
}

#[test]
fn lintian_finds_no_error_in_the_debian_package() {
    let mut lintian = program("lintian");
    if is_root() {
        lintian.arg("--allow-root");
    }
    let said = run(lintian.args(["--fail-on", "error", "--tag-display-limit", "0"]).arg(deb()));
    println!("{}", said.stdout);
    assert!(said.code() == 0 && !said.stdout.contains("E: "), "{said}");
}

#[test]
fn rpmlint_finds_no_error_in_the_rpm() {
    let sandbox = Sandbox::new();
    // Whoever publishes it signs it.
    let home = sandbox.folder("gnupg");
    run(program("chmod").arg("700").arg(&home)).ok();
    let mut key = program("gpg");
    key.env("GNUPGHOME", &home).args(["--batch", "--quiet", "--passphrase", ""]);
    run(key.args(["--quick-generate-key", "Sluice tests", "rsa2048", "sign", "never"])).ok();
    let built = run(build(&sandbox, &["--key", "Sluice tests", "rpm"]).env("GNUPGHOME", &home)).ok();
    run(program("gpgconf").env("GNUPGHOME", &home).args(["--kill", "all"])).ok();
    let file = Utf8PathBuf::from(built.stdout.trim());
    // Its users know the key: rpm keeps keys in its database, which Debian's keeps in the home directory.
    let public = sandbox.path("key.asc");
    let mut export = program("gpg");
    export.env("GNUPGHOME", &home).args(["--armor", "--output", public.as_str(), "--export", "Sluice tests"]);
    run(&mut export).ok();
    run(program("rpm").env("HOME", sandbox.root()).arg("--import").arg(&public)).ok();
    let said = run(program("rpmlint").env("HOME", sandbox.root()).arg(&file));
    println!("{}", said.stdout);
    assert!(said.stdout.contains(" 0 errors"), "{said}");
    let listed = run(program("rpm").args(["-qlp", "--nosignature"]).arg(&file)).ok().stdout;
    for path in
        ["/usr/bin/sluice", "/usr/lib/systemd/system/sluice.service", "/usr/share/man/man1/sluice.1.gz"]
    {
        assert!(listed.lines().any(|line| line == path), "{path} is not in {listed}");
    }
}

const SITE: &str = r#"
format = 1
[site]
name = "Booted"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://127.0.0.1"
[roles]
release-team = ["group:sluice-release", "user:sluice-promote"]
operations = ["group:sluice-submit"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "delta"
import_roles = ["operations"]
"#;

/// What `tests/booted/installed.sh` shows, in its order.
const CLAIMS: [&str; 11] = [
    "installed, and neither enabled nor started",
    "init, and the daemon is ready",
    "a member of the submit group imports with umask 077",
    "who is not in the group does not",
    "a member of the release group starts a release without root",
    "and nothing else: 12 others were denied",
    "a wrong request gives status 1 and its reason",
    "the watchdog restarts a daemon that was stopped",
    "a reload adds a stage",
    "a wrong configuration is refused by the reload, and the daemon lives on",
    "removed and purged; what was published stays",
];

#[test]
fn a_real_systemd_runs_the_installed_package() {
    let sandbox = Sandbox::new();
    let exchange = sandbox.folder("exchange");
    fs::copy(deb(), exchange.join("sluice.deb")).unwrap();
    fs::write(exchange.join("sluice.toml"), SITE).unwrap();
    fs::copy(checkout().join("tests/booted/installed.sh"), exchange.join("installed.sh")).unwrap();
    for name in ["voms", "lcg-utils"] {
        let recipe = repo::Recipe::new(name, "1.0", "1");
        fs::write(exchange.join(recipe.file_name()), recipe.build()).unwrap();
    }
    let mut boot = program("timeout");
    boot.args(["--kill-after=5", "900", "setpriv", "--pdeathsig", "KILL", "--"]);
    boot.arg(checkout().join("tests/booted/boot.sh")).arg(&exchange).arg("installed.sh");
    let ran = run(boot.env("TMPDIR", sandbox.root()));
    if ran.code() == 77 {
        println!("SKIPPED: {}", ran.stdout.trim());
        return;
    }
    let said = fs::read_to_string(exchange.join("said")).unwrap_or_default();
    assert_eq!(ran.code(), 0, "{ran}\n{said}");
    let shown: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ok: ")).collect();
    assert_eq!(shown, CLAIMS, "{said}");
    for claim in shown {
        println!("{claim}");
    }
}
