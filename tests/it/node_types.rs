//! Node types that are built anew, by roll-back and by partial release: on a real site, by real dnf and zypper, on hosts
//! with one and with several of them, and as files that rpm looks at.

mod back;
mod commands;
mod parts;
mod refused;
mod retracted;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};

use repo::Recipe;
use serde_json::Value;
use testkit::{Checker, Host, Nginx, Ran, Running, Sandbox, Site, is_root, run};

/// The user of the door where the tests run as root, which may not be it; otherwise the door is the one user there is.
const DOOR_UID: u32 = 64_007;

const STAGES: &str = r#"
[roles]
release-team = ["as:rita"]
operations = ["as:olga"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
freeze_roles = ["operations"]
variant_roles = ["release-team", "operations"]
"#;

/// The node types, and what each of them pins.
const NODE_TYPES: [(&str, &[&str]); 6] = [
    ("glite-UI", &["voms", "wms"]),
    ("glite-WN", &["voms", "gfal"]),
    ("glite-SE", &["voms", "lfc"]),
    ("glite-BDII", &["voms"]),
    ("glite-SITE", &["glite-UI"]),
    ("glite-FTS", &["lfc"]),
];
const COMPONENTS: [&str; 4] = ["voms", "wms", "gfal", "lfc"];

/// A site, the web server before it, and its daemon.
struct Bench {
    site: Site,
    nginx: Nginx,
    asked: usize,
    daemon: Running,
    sandbox: Sandbox,
}

impl Bench {
    /// Starts one; `of_product` stands in `[[product]]` and behind it.
    fn new(of_product: &str) -> Bench {
        let sandbox = Sandbox::new();
        let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
        let uid = if is_root() { DOOR_UID } else { nix::unistd::geteuid().as_raw() };
        let text = format!("door = \"uid:{uid}\"\n{STAGES}{of_product}");
        let site = Site::initialised(&sandbox, nginx.base_url(), &text);
        let daemon = site.start();
        Bench { site, nginx, asked: 0, daemon, sandbox }
    }

    /// Hands a request in through the door, for somebody.
    fn ask_as(&mut self, who: &str, keys: &str) -> Value {
        self.asked += 1;
        let stem = format!("r{}", self.asked);
        let name = format!("{stem}.toml");
        let draft = self.site.spool().join("tmp").join(&name);
        fs::write(&draft, format!("format = 1\n{keys}\nas = \"{who}\"\n[end]\n")).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
        if is_root() {
            chown(&draft, Some(DOOR_UID), None).unwrap();
        }
        fs::rename(&draft, self.site.spool().join("incoming").join(&name)).unwrap();
        self.site.answer(&stem)
    }

    fn ask(&mut self, keys: &str) -> Value {
        self.ask_as("rita", keys)
    }

    #[track_caller]
    fn done(&mut self, keys: &str) -> Value {
        let answer = self.ask(keys);
        assert_eq!(answer["code"], "done", "{answer:#}");
        answer
    }

    fn generation(&self) -> String {
        fs::read_link(self.site.root().join("public/current")).unwrap().to_str().unwrap().to_owned()
    }

    /// Asks for what is refused, and looks that nothing was changed by that.
    #[track_caller]
    fn refused(&mut self, keys: &str, code: &str) -> Value {
        let before = self.generation();
        let answer = self.ask(keys);
        assert_eq!(
            (answer["code"].as_str(), answer["outcome"].as_str()),
            (Some(code), Some("refused")),
            "{answer:#}"
        );
        assert_eq!(self.generation(), before, "a refusal changes nothing");
        answer
    }

    fn import(&mut self, product: &str, stage: &str, files: &[(String, Vec<u8>)]) {
        let files: Vec<String> = files.iter().map(|(name, bytes)| self.site.upload(name, bytes)).collect();
        self.done(&format!(
            "action = \"import\"\nproduct = \"{product}\"\nto = \"{stage}\"\nfiles = {files:?}"
        ));
    }

    /// Brings a whole bundle into delta.
    fn bundle(&mut self, version: u32) {
        let built = bundle(version);
        self.import("glite", "delta", &built);
    }

    /// What a bundle contains moves to production, except for what `stays`.
    #[track_caller]
    fn everything_moves(&mut self, stays: &[&str]) -> Value {
        let names = NODE_TYPES.iter().map(|(name, _)| *name).chain(COMPONENTS);
        let names: Vec<&str> = names.filter(|name| !stays.contains(name)).collect();
        self.done(&promote(&names))
    }

    /// Nothing is wrong with what is published, now that the daemon rests; and all would be answered so again.
    fn sound(mut self) {
        let status = self.daemon.stop();
        assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", self.daemon.log());
        run(self.site.as_daemon().args(["verify", "--at-rest"])).ok();
        run(self.site.as_daemon().args(["audit", "--rejudge"])).ok();
        Checker::of(&self.site).at_rest().assert_sound();
    }
}

fn recipes(version: u32) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = COMPONENTS
        .iter()
        .map(|name| {
            let file = format!("/usr/share/{name}/version");
            Recipe::new(*name, version.to_string(), "1").arch("x86_64").file(&file, version.to_string())
        })
        .collect();
    recipes.extend(NODE_TYPES.iter().map(|(name, pins)| {
        let recipe = Recipe::new(*name, version.to_string(), "1");
        pins.iter().fold(recipe, |recipe, pin| recipe.requires(&format!("{pin} = {version}-1")))
    }));
    recipes
}

fn bundle(version: u32) -> Vec<(String, Vec<u8>)> {
    recipes(version).iter().map(|recipe| (recipe.file_name(), recipe.build())).collect()
}

fn promote(packages: &[&str]) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = {packages:?}"
    )
}

fn rollback(packages: &[&str]) -> String {
    format!(
        "action = \"rollback\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = {packages:?}\n\
         reason = \"it loses jobs\""
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Dnf,
    Zypper,
}

const CLIENTS: [Client; 2] = [Client::Dnf, Client::Zypper];

/// A host: the client that it uses, what was asked for on it, and the stages that it draws from.
struct Machine {
    name: String,
    client: Client,
    host: Host,
    wanted: Vec<String>,
}

impl Machine {
    fn new(bench: &Bench, name: &str, client: Client, stages: &[&str], wanted: &[&str]) -> Machine {
        let name = format!("{name}-{client:?}");
        let host = Host::new(&bench.sandbox, &name);
        for stage in stages {
            host.repository(stage, &format!("{}/glite/el9/x86_64/{stage}", bench.nginx.base_url()));
        }
        Machine { name, client, host, wanted: wanted.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// Lets it draw from a stage from now on.
    fn enable(&self, bench: &Bench, stage: &str) {
        self.host.repository(stage, &format!("{}/glite/el9/x86_64/{stage}", bench.nginx.base_url()));
    }

    fn install(&self) -> Ran {
        let words: Vec<&str> =
            ["install"].into_iter().chain(self.wanted.iter().map(String::as_str)).collect();
        match self.client {
            Client::Dnf => self.host.dnf(&words),
            Client::Zypper => self.host.zypper(&words),
        }
    }

    /// Runs the update that everybody runs who knows nothing of what happened.
    fn update(&self) -> Ran {
        match self.client {
            Client::Dnf => self.host.dnf(&["upgrade"]),
            Client::Zypper => {
                self.host.zypper(&["refresh"]).ok();
                self.host.zypper(&["update"])
            }
        }
    }

    /// Runs, word by word, what an answer tells hosts with this node type to run, or all others.
    fn told(&self, answer: &Value, node_type: Option<&str>) -> Ran {
        let hosts = answer["hosts"].as_array().expect("it tells hosts what to run");
        let mine = hosts.iter().find(|one| one["node_type"].as_str() == node_type);
        let mine = mine.unwrap_or_else(|| panic!("nothing is told to {node_type:?}: {answer:#}"));
        let command = match self.client {
            Client::Dnf => mine["dnf"].as_str().unwrap(),
            Client::Zypper => mine["zypper"].as_str().unwrap(),
        };
        let mut last = None;
        for one in command.split(" && ") {
            let words: Vec<&str> = one.split(' ').collect();
            last = Some(match words[0] {
                "dnf" => self.host.dnf_with_cache(&words[1..]),
                "zypper" => self.host.zypper(&words[1..]),
                other => panic!("{other} is not known to any host"),
            });
        }
        last.expect("there is a command")
    }

    /// What is installed, without architectures.
    fn installed(&self) -> BTreeSet<String> {
        let plain = |nevra: String| nevra.rsplit_once('.').map_or(nevra.clone(), |(name, _)| name.to_owned());
        self.host.installed().into_iter().filter(|one| !one.starts_with("gpg-pubkey")).map(plain).collect()
    }

    /// Looks that what it was asked for is installed, with all that this pins, in the versions that `evr` says.
    #[track_caller]
    fn has(&self, evr: &dyn Fn(&str) -> &'static str, ran: &Ran) {
        self.has_one_of(&[evr], ran);
    }

    /// The same where there are several ways, each of which is whole.
    #[track_caller]
    fn has_one_of(&self, ways: &[&dyn Fn(&str) -> &'static str], ran: &Ran) {
        let ways: Vec<_> = ways.iter().map(|evr| versions(&self.wanted, evr)).collect();
        let has = self.installed();
        assert!(ways.contains(&has), "{} has {has:?} and not {ways:?}: {ran}", self.name);
        self.is_whole();
    }

    /// Looks that what is installed is as rpm remembers it.
    #[track_caller]
    fn is_whole(&self) {
        let verified = self.host.rpm(&["-Va", "--nouser", "--nogroup"]);
        assert_eq!(verified.stdout, "", "{}: {verified}", self.name);
    }
}

fn versions(wanted: &[String], evr: &dyn Fn(&str) -> &'static str) -> BTreeSet<String> {
    let pins: BTreeMap<&str, &[&str]> = NODE_TYPES.into_iter().collect();
    let mut names: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    loop {
        let more: Vec<&str> =
            names.iter().flat_map(|name| pins.get(name).copied().unwrap_or_default()).copied().collect();
        let before = names.len();
        names.extend(more);
        if names.len() == before {
            return names.iter().map(|name| format!("{name}-{}", evr(name))).collect();
        }
    }
}

fn is_node_type(name: &str) -> bool {
    name.starts_with("glite-")
}
