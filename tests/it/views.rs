//! Views: a host of one node type draws from metadata of its own, and what is exchanged for others leaves it alone.

mod adopted;
mod copies;
mod editions;
mod later;
mod many;
mod planted;
mod power;

use std::fs;
use std::os::unix::fs::MetadataExt;

use camino::Utf8PathBuf;
use repo::Recipe;
use serde_json::Value;
use testkit::{Checker, Host, Nginx, Running, Sandbox, Site, fetch};

const CONFIG: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
views = ["delta"]
"#;

const DELTA: &str = "glite/el9/x86_64/delta";

/// A site behind nginx, and how many requests were made.
struct Bench {
    site: Site,
    nginx: Nginx,
    asked: usize,
    sandbox: Sandbox,
}

/// What tells one state of a file from another: its inode and its bytes.
type State = (u64, Vec<u8>);

impl Bench {
    fn new(config: &str) -> Bench {
        let sandbox = Sandbox::new();
        let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
        let site = Site::initialised(&sandbox, nginx.base_url(), config);
        Bench { site, nginx, asked: 0, sandbox }
    }

    fn ask(&mut self, body: &str) -> Value {
        self.asked += 1;
        let stem = format!("r{}", self.asked);
        let text = format!("format = 1\nproduct = \"glite\"\n{body}\n[end]\n");
        self.site.drop_request(&format!("{stem}.toml"), &text);
        let answer = self.site.answer(&stem);
        assert_eq!(answer["code"], "done", "{answer:#}");
        answer
    }

    fn import(&mut self, recipes: &[Recipe]) -> Value {
        let files: Vec<String> =
            recipes.iter().map(|recipe| self.site.upload(&recipe.file_name(), &recipe.build())).collect();
        self.ask(&format!("action = \"import\"\nto = \"delta\"\nfiles = {files:?}"))
    }

    fn withdraw(&mut self, packages: &[&str]) {
        self.ask(&format!("action = \"withdraw\"\nfrom = \"delta\"\npackages = {packages:?}"));
    }

    fn published(&self, path: &str) -> Utf8PathBuf {
        self.site.root().join("public/current").join(path)
    }

    /// The repomd.xml at a path below delta.
    fn repomd(&self, below: &str) -> State {
        let file = self.published(&format!("{DELTA}{below}/repodata/repomd.xml"));
        (fs::metadata(&file).unwrap().ino(), fs::read(&file).unwrap())
    }

    fn view(&self, node_type: &str) -> State {
        self.repomd(&format!("/node-types/{node_type}"))
    }

    /// A host of a node type, with the file that lies beside the metadata for it.
    fn host(&self, node_type: &str, end: &str) -> Host {
        let path = format!("{DELTA}/node-types/{node_type}/{node_type}{end}");
        let answer = fetch(&format!("{}/{path}", self.nginx.base_url()));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let host = Host::new(&self.sandbox, &format!("host-{node_type}"));
        host.dot_repo("view.repo", &answer.body);
        host
    }

    /// What clients and both verifiers find when nothing runs.
    fn is_sound(&self, mut daemon: Running) {
        daemon.stop();
        self.site.sluice(&["verify", "--deep"]).ok();
        Checker::of(&self.site).at_rest().assert_sound();
    }
}

fn package(name: &str, version: &str) -> Recipe {
    Recipe::new(name, version, "1").arch("noarch").file(&format!("/usr/lib/{name}"), version)
}

/// A meta-package that pins one version of one package, and needs what all need.
fn meta(name: &str, version: &str, pinned: &str) -> Recipe {
    Recipe::new(name, version, "1").arch("noarch").requires(pinned).requires("common")
}

/// One release of each of two node types.
fn both() -> [Recipe; 5] {
    [
        package("common", "1"),
        package("voms", "1"),
        package("torque", "1"),
        meta("glite-UI", "1", "voms = 1-1"),
        meta("glite-WN", "1", "torque = 1-1"),
    ]
}

/// What dnf offers a host, sorted.
fn offered(host: &Host) -> Vec<String> {
    let shown = host.dnf(&["repoquery", "--available"]).ok().stdout;
    let mut all: Vec<String> = shown.lines().map(|line| line.replace("-0:", "-")).collect();
    all.sort();
    all
}

fn installed(host: &Host) -> Vec<String> {
    host.installed().into_iter().collect()
}

#[test]
fn what_is_exchanged_for_one_node_type_leaves_hosts_of_the_other_alone() {
    let mut bench = Bench::new(CONFIG);
    let daemon = bench.site.start();
    bench.import(&both());
    let (ui, wn) = (bench.host("glite-UI", ".repo"), bench.host("glite-WN", ".repo"));
    assert_eq!(offered(&ui), ["common-1-1.noarch", "glite-UI-1-1.noarch", "voms-1-1.noarch"]);
    assert_eq!(offered(&wn), ["common-1-1.noarch", "glite-WN-1-1.noarch", "torque-1-1.noarch"]);
    ui.dnf(&["install", "glite-UI"]).ok();
    assert_eq!(installed(&ui), ["common-1-1.noarch", "glite-UI-1-1.noarch", "voms-1-1.noarch"]);
    assert_ne!(ui.dnf(&["install", "torque"]).code(), 0, "the view has no torque");
    wn.dnf(&["install", "glite-WN"]).ok();
    assert_eq!(installed(&wn), ["common-1-1.noarch", "glite-WN-1-1.noarch", "torque-1-1.noarch"]);

    // The packages are those of the stage: no further name leads to them.
    let link = bench.published(&format!("{DELTA}/node-types/glite-UI/Packages"));
    assert_eq!(
        link.canonicalize().unwrap(),
        bench.published(&format!("{DELTA}/Packages")).canonicalize().unwrap()
    );

    // Another version for the one: the other sees nothing, not even another inode.
    let (before, other) = (bench.view("glite-UI"), bench.view("glite-WN"));
    bench.import(&[package("torque", "2"), meta("glite-WN", "2", "torque = 2-1")]);
    assert_eq!(bench.view("glite-UI"), before);
    assert_ne!(bench.view("glite-WN").1, other.1);
    assert_eq!(ui.dnf(&["check-update"]).code(), 0, "there is nothing to update");
    wn.dnf(&["upgrade"]).ok();
    assert_eq!(installed(&wn), ["common-1-1.noarch", "glite-WN-2-1.noarch", "torque-2-1.noarch"]);

    // And back again.
    bench.withdraw(&["glite-WN-2-1.noarch", "torque-2-1.noarch"]);
    assert_eq!(bench.view("glite-UI"), before);
    assert_eq!(ui.dnf(&["check-update"]).code(), 0, "there is nothing to update");
    assert_eq!(installed(&ui), ["common-1-1.noarch", "glite-UI-1-1.noarch", "voms-1-1.noarch"]);
    wn.dnf(&["distro-sync"]).ok();
    assert_eq!(installed(&wn), ["common-1-1.noarch", "glite-WN-1-1.noarch", "torque-1-1.noarch"]);

    // What no meta-package leads to is in no view.
    let other = bench.view("glite-WN");
    bench.import(&[package("bystander", "1")]);
    assert_eq!((bench.view("glite-UI"), bench.view("glite-WN")), (before.clone(), other));

    // A node type that goes leaves a view that lists nothing, and no error.
    bench.withdraw(&["glite-WN-1-1.noarch"]);
    assert_eq!(offered(&wn), [""; 0]);
    assert_eq!(bench.view("glite-UI"), before);
    bench.is_sound(daemon);
}

#[test]
fn views_come_and_go_with_the_configuration_and_the_stage_stays_as_it_is() {
    let stage = "[[product.stage]]\nname = \"delta\"\nmetalink = true\nchecksum = \"sha1\"\ndatabases = true\n\
                 closure = []\nmeta_packages = [\"node-*\"]\n";
    let with = format!("{CONFIG}{stage}");
    let without = with.replace("views = [\"delta\"]\n", "");
    let mut bench = Bench::new(&without);
    let daemon = bench.site.start();
    bench.import(&both());
    bench.import(&[package("node-x", "1"), package("extra", "1").recommends("common")]);
    let whole = bench.repomd("");
    let top = bench.published(&format!("{DELTA}/node-types"));
    assert!(!top.exists());

    let text = fs::read_to_string(bench.site.config()).unwrap();
    let views = text.replace("platforms = [", "views = [\"delta\"]\nplatforms = [");
    bench.reload(&daemon, &views, || top.exists());
    assert_eq!(bench.repomd(""), whole, "the stage itself is not written anew");
    let names: Vec<String> =
        top.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let host = bench.host("node-x", "-metalink.repo");
    assert_eq!(offered(&host), ["node-x-1-1.noarch"]);
    let host = bench.host("glite-UI", "-metalink.repo");
    host.dnf(&["install", "glite-UI"]).ok();
    assert_eq!(installed(&host), ["common-1-1.noarch", "glite-UI-1-1.noarch", "voms-1-1.noarch"]);
    let shown = bench.site.sluice(&["show"]).ok().stdout;
    assert!(shown.contains("3 views"), "{shown}");

    // Gone from the configuration they answer no more, but for what they had promised.
    let (_, repomd) = bench.view("glite-UI");
    let primary = repo::Repomd::parse(&repomd).unwrap().record("primary").unwrap().href.clone();
    bench.reload(&daemon, &text, || !top.join("glite-UI/repodata/repomd.xml").exists());
    assert_eq!(bench.repomd(""), whole);
    let url = format!("{}/{DELTA}/node-types/glite-UI", bench.nginx.base_url());
    for (name, status) in [(&*primary, 200), ("glite-UI.repo", 404), ("metalink.xml", 404)] {
        assert_eq!(fetch(&format!("{url}/{name}")).status, status, "{name}");
    }
    let link = top.join("glite-UI/Packages");
    assert!(link.exists(), "who has read the metadata finds the packages");
    bench.is_sound(daemon);
}

impl Bench {
    /// Has another configuration read, and waits until what is published shows it.
    fn reload(&self, daemon: &Running, text: &str, shows: impl Fn() -> bool) {
        daemon.reload(&self.site.config(), Some(text), Running::RELOADED);
        let watch = testkit::Watch::on(&[&self.site.root().join("public")]);
        let shown = watch.until(std::time::Duration::from_secs(120), || shows().then_some(()));
        assert!(shown.is_some(), "the configuration did not take effect:\n{}", daemon.log());
    }
}
