//! Paths that two packages bring: refused where rpm refuses them, by what stands in the headers of these two.

use std::fs;
use std::net::TcpListener;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use serde_json::Value;
use testkit::{Nginx, Sandbox, createrepo_c, program, run};

use super::installable::Bench;

/// One path that `left-<name>` and `right-<name>` bring.
struct Case {
    name: &'static str,
    /// How each makes it, in `$P`, and how its list of files names it.
    sides: [(&'static str, &'static str); 2],
    /// Whether rpm installs both.
    shares: bool,
}

const fn case(
    name: &'static str,
    left: (&'static str, &'static str),
    right: (&'static str, &'static str),
    shares: bool,
) -> Case {
    Case { name, sides: [left, right], shares }
}

const TEXT: &str = "echo text > $P";
const OTHER: &str = "echo other > $P";
const ELF_32: &str = r"printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0\1\0\0\0%032d' 0 > $P; chmod 755 $P";
const ELF_64: &str = r"printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\76\0\1\0\0\0%044d' 0 > $P; chmod 755 $P";
const OTHER_ELF_64: &str =
    r"printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\76\0\1\0\0\0%044d' 1 > $P; chmod 755 $P";

const CASES: &[Case] = &[
    case("same", (TEXT, ""), (TEXT, ""), true),
    case("contents", (TEXT, ""), (OTHER, ""), false),
    case("lengths", (TEXT, ""), ("echo longer text > $P", ""), false),
    case("configuration", (TEXT, "%config"), (OTHER, "%config"), false),
    case("mode", (TEXT, "%attr(644,root,root)"), (TEXT, "%attr(600,root,root)"), false),
    case("owner", (TEXT, ""), (TEXT, "%attr(-,daemon,root)"), false),
    case("group", (TEXT, ""), (TEXT, "%attr(-,root,daemon)"), false),
    case("ghost", (TEXT, ""), (OTHER, "%ghost"), true),
    case("ghost-directory", (TEXT, ""), ("mkdir $P", "%ghost %dir"), true),
    case("links", ("ln -s there $P", ""), ("ln -s there $P", ""), true),
    case("targets", ("ln -s here! $P", ""), ("ln -s there $P", ""), false),
    case("link-and-file", ("ln -s there $P", ""), (TEXT, ""), false),
    case("directories", ("mkdir $P", "%dir"), ("mkdir $P", "%dir"), true),
    case("closed-directory", ("mkdir $P", "%dir"), ("mkdir $P", "%dir %attr(700,root,root)"), false),
    case("directory-and-file", ("mkdir $P", "%dir"), (TEXT, ""), false),
    case("both-colours", (ELF_64, ""), (ELF_32, ""), true),
    case("colours-turned", (ELF_32, ""), (ELF_64, ""), true),
    case("one-colour", (ELF_64, ""), (OTHER_ELF_64, ""), false),
    case("colour-and-none", (ELF_64, ""), (TEXT, ""), false),
];

/// Builds the packages of one side, `left-*` or `right-*`, into a folder; one of each architecture would not change a thing.
fn build(sandbox: &Sandbox, side: usize, to: &Utf8Path) {
    let word = ["left", "right"][side];
    let mut spec = format!(
        "Name: {word}\nVersion: 1\nRelease: 1\nSummary: One side\nLicense: MIT\nAutoReqProv: no\n%description\nIt.\n"
    );
    let (mut install, mut files) =
        (String::from("%install\nmkdir -p %{buildroot}/opt/shared\n"), String::new());
    for Case { name, sides, .. } in CASES {
        let (make, list) = sides[side];
        let package = format!("-n {word}-{name}");
        spec += &format!("%package {package}\nSummary: One case\n%description {package}\nIt.\n");
        // A percent sign is rpm's own.
        let make = make.replace('%', "%%");
        install += &format!("P=%{{buildroot}}/opt/shared/{name}\n{make}\n");
        files += &format!("%files {package}\n%defattr(-,root,root)\n{list} /opt/shared/{name}\n");
    }
    let spec = sandbox.file(&format!("{word}.spec"), spec + &install + &files);
    let top = sandbox.folder(&format!("{word}.build"));
    let mut command = program("rpmbuild");
    command.args(["-bb", "--quiet", "--nodeps", "--target", "x86_64-linux"]).env("HOME", &top);
    for define in [
        format!("_topdir {top}"),
        format!("_tmppath {top}"),
        format!("_dbpath {top}/db"),
        format!("_rpmdir {to}"),
        "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm".to_owned(),
        "debug_package %{nil}".to_owned(),
        "__os_install_post %{nil}".to_owned(),
        "_build_id_links none".to_owned(),
    ] {
        command.arg("--define").arg(define);
    }
    run(command.arg(&spec)).ok();
}

fn file_name(side: &str, case: &Case) -> String {
    format!("{side}-{}-1-1.x86_64.rpm", case.name)
}

/// Builds both sides: what enters, and the base system.
fn sides(sandbox: &Sandbox) -> [Utf8PathBuf; 2] {
    let [entering, base] = ["entering", "base"].map(|folder| sandbox.folder(folder));
    build(sandbox, 0, &entering);
    build(sandbox, 1, &base);
    createrepo_c::<&str>(&base, &[]).ok();
    [entering, base]
}

/// Brings into delta one side of every case with the meta-package that brings both.
fn import(bench: &mut Bench, entering: &Utf8Path) {
    let mut files = Vec::new();
    for case in CASES {
        let name = file_name("left", case);
        files.push((name.clone(), fs::read(entering.join(&name)).unwrap()));
        let meta = Recipe::new(format!("ui-{}", case.name), "1", "1")
            .requires(&format!("left-{} = 1-1", case.name))
            .requires(&format!("right-{} = 1-1", case.name));
        files.push((meta.file_name(), meta.build()));
    }
    bench.import_files(&files);
}

fn promote(bench: &mut Bench, packages: &[String]) -> Value {
    bench
        .ask(&format!("action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = {packages:?}"))
}

/// What the gate of meta-packages says.
fn evidence(answer: &Value) -> &str {
    let gates = answer["gates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let seen = gates.iter().find(|gate| gate["gate"] == "meta-packages");
    seen.and_then(|seen| seen["evidence"].as_str()).unwrap_or_else(|| panic!("{answer:#}"))
}

fn shared(case: &Case) -> String {
    let Case { name, .. } = case;
    format!("left-{name} 1-1 and right-{name} 1-1 both bring `/opt/shared/{name}`")
}

#[test]
fn packages_share_a_path_where_rpm_shares_it_and_nowhere_else() {
    let sandbox = Sandbox::new();
    let [entering, base] = sides(&sandbox);
    let mut bench = Bench::beside(sandbox, &format!("folder = \"{base}\""));
    let _daemon = bench.site.start();
    import(&mut bench, &entering);
    let refused = promote(&mut bench, &["*".to_owned()]);
    assert_eq!(refused["code"], "meta-package-broken", "{refused:#}");
    // The gate counts them; what each is stands in the reasons.
    let told = refused["reasons"].to_string();
    for case in CASES {
        let (left, right) = (entering.join(file_name("left", case)), base.join(file_name("right", case)));
        let ran = bench.host.rpm_test(&[&left, &right]);
        assert_eq!(ran.code() == 0, case.shares, "rpm of {}: {ran}", case.name);
        assert!(case.shares || ran.to_string().contains("conflicts"), "{ran}");
        let words = shared(case) + ", with different contents (el9/x86_64)";
        assert_eq!(!told.contains(&words), case.shares, "{}: {told}", case.name);
        assert_eq!(!told.contains(&shared(case)), case.shares, "{}: {told}", case.name);
    }
    // What rpm shares goes through, and real hosts take it.
    let of = |case: &Case| [format!("left-{}", case.name), format!("ui-{}", case.name)];
    let good: Vec<String> = CASES.iter().filter(|case| case.shares).flat_map(of).collect();
    let done = promote(&mut bench, &good);
    assert_eq!(done["code"], "done", "{done:#}");
    let metas: Vec<&str> = good.iter().map(String::as_str).filter(|name| name.starts_with("ui-")).collect();
    bench.host.dnf(&[&["install"], metas.as_slice()].concat()).ok();
    let installed = bench.host.installed();
    assert!(installed.contains("right-both-colours-1-1.x86_64"), "{installed:?}");
}

#[test]
fn where_the_packages_of_a_base_system_are_not_here_the_refusal_says_so() {
    let (sandbox, served) = (Sandbox::new(), Sandbox::new());
    let [entering, base] = sides(&sandbox);
    let listener: TcpListener = Nginx::port();
    let nginx = Nginx::of_folder(&listener, &served, &base, "");
    let url = nginx.base_url().to_owned();
    let mut bench = Bench::beside(sandbox, &format!("url = \"{url}\""));
    run(bench.site.as_daemon().args(["context", "update"])).ok();
    let _daemon = bench.site.start();
    import(&mut bench, &entering);
    let case = &CASES[0];
    let packages = [format!("left-{}", case.name), format!("ui-{}", case.name)];
    let refused = promote(&mut bench, &packages);
    assert_eq!(refused["code"], "installable-unknown", "{refused:#}");
    let words = shared(case)
        + &format!(
            ", and whether they are the same cannot be told: the context `base` is a URL, `{url}`, of which only \
             metadata is here, and no packages (el9/x86_64)"
        );
    assert!(evidence(&refused).contains(&words), "{refused:#}");
    // A directory needs no look.
    let directories = ["left-directories".to_owned(), "ui-directories".to_owned()];
    assert_eq!(promote(&mut bench, &directories)["code"], "done");
}

#[test]
fn a_package_of_a_folder_that_is_gone_or_another_is_no_witness() {
    let sandbox = Sandbox::new();
    let [entering, base] = sides(&sandbox);
    let mut bench = Bench::beside(sandbox, &format!("folder = \"{base}\""));
    let _daemon = bench.site.start();
    import(&mut bench, &entering);
    let case = &CASES[0];
    let packages = [format!("left-{}", case.name), format!("ui-{}", case.name)];
    let file = base.join(file_name("right", case));
    let whole = fs::read(&file).unwrap();
    let mut refused = |why: &str| {
        let refused = promote(&mut bench, &packages);
        assert_eq!(refused["code"], "installable-unknown", "{refused:#}");
        assert!(evidence(&refused).contains(why), "{why}: {refused:#}");
    };
    fs::remove_file(&file).unwrap();
    refused("names `right-same-1-1.x86_64.rpm`, which is not in");
    fs::write(&file, b"short").unwrap();
    refused("has 5 bytes, and its metadata says");
    fs::write(&file, vec![b'x'; whole.len()]).unwrap();
    refused("does not begin with the four bytes of an RPM");
    let mut damaged = whole.clone();
    // Within the header, behind lead and signatures.
    let at = damaged.windows(10).position(|part| part == b"right-same").unwrap();
    let last = damaged.windows(4).rposition(|part| part == b"MIT\0").unwrap();
    damaged[if last > at { last } else { at }] ^= 1;
    fs::write(&file, &damaged).unwrap();
    refused("right-same-1-1.x86_64.rpm`:");
    fs::write(&file, &whole).unwrap();
    let done = promote(&mut bench, &packages);
    assert_eq!(done["code"], "done", "{done:#}");
}
