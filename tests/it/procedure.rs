//! The procedure `glite` line by line: requests that are dropped at a running daemon, and what real dnf finds afterwards.
//!
//! Tests are named after the lines of the domain. Everybody asks through the door, so that one account can play all parts.

mod candidate;
mod egi;
mod glite;
mod limits;
mod story;
mod verbs;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, chown};

use nix::sys::signal::Signal;
use repo::Recipe;
use serde_json::Value;
use testkit::{Checker, Host, Nginx, Running, Sandbox, Site, is_root};

use crate::door::DOOR_UID;

const SITE: &str = r#"door = "DOOR"
[roles]
release-team = ["as:mu", "ME"]
operations = ["as:ou", "ME"]
verifiers = ["as:verifier"]
admin = ["ME"]
[[product]]
name = "glite"
platforms = ["el9/x86_64"]
partial_release = "raised"
[[product.stage]]
name = "certified"
import_roles = ["verifiers"]
[[product.stage]]
name = "delta"
import_roles = ["release-team"]
waiver_roles = ["operations"]
[[product.stage]]
name = "production"
import_roles = ["release-team"]
waiver_roles = ["operations"]
[[product.route]]
from = "certified"
to = "delta"
roles = ["release-team"]
[[product.route]]
from = "delta"
to = "production"
roles = ["release-team"]
[product.procedure]
kind = "glite"
from = "certified"
beta = "delta"
production = "production"
quarantine = "QUARANTINE"
quarantine_rollback = "QUARANTINE"
[[product]]
name = "plain"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// A site with a procedure, and those who act in it.
pub struct Town {
    pub site: Site,
    pub nginx: Nginx,
    pub daemon: Running,
    pub sandbox: Sandbox,
    product: &'static str,
    count: Cell<u32>,
}

/// One package, without anything in it that matters.
pub fn package(name: &str, version: &str) -> Recipe {
    Recipe::new(name, version, "1").arch("x86_64").file(&format!("/usr/share/{name}"), version.as_bytes())
}

impl Town {
    /// Starts one whose sites run what they try for so long.
    pub fn new(quarantine: &str) -> Self {
        let town = Self::of(SITE, "glite", quarantine);
        for (team, node_types) in [("ea-IT-CNAF", "ui"), ("ea-UK-RAL", "wms"), ("ea-CZ-FZU", "ui\", \"wms")] {
            let entry =
                format!("team = \"{team}\"\ncontact = \"a@example.org\"\nnode_types = [\"{node_types}\"]");
            town.does("ou", "team-add", &entry);
        }
        town
    }

    /// Starts one of this configuration, whose requests are about this product.
    fn of(config: &str, product: &'static str, quarantine: &str) -> Self {
        let sandbox = Sandbox::new();
        let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
        let said = config.replace("QUARANTINE", quarantine);
        let site = if is_root() {
            Site::initialised(&sandbox, nginx.base_url(), &said.replace("DOOR", &format!("uid:{DOOR_UID}")))
        } else {
            // The one account there is is the door's, and who works in it says for whom.
            let said = said.replace("\"ME\"", "\"as:me\"").replace("DOOR", "ME");
            Site::initialised(&sandbox, nginx.base_url(), &said).asking_as("me")
        };
        let daemon = site.start();
        Self { site, nginx, daemon, sandbox, product, count: Cell::new(0) }
    }

    /// Asks for several things before anything is answered, in this order; gives the stems of their answers.
    pub fn asks_at_once(&self, requests: &[(&str, &str, &str)]) -> Vec<String> {
        // What is claimed first is by its name, where several wait.
        self.daemon.signal(Signal::SIGSTOP);
        let stems = requests.iter().map(|(who, action, keys)| self.drops(who, action, keys)).collect();
        self.daemon.signal(Signal::SIGCONT);
        stems
    }

    /// Asks in somebody's name; `keys` are those of the action beside the product.
    pub fn ask(&self, who: &str, action: &str, keys: &str) -> Value {
        self.site.answer(&self.drops(who, action, keys))
    }

    fn drops(&self, who: &str, action: &str, keys: &str) -> String {
        let number = self.count.get() + 1;
        self.count.set(number);
        let product = match keys.contains("product = ") {
            true => String::new(),
            false => format!("product = \"{}\"\n", self.product),
        };
        let text = format!("format = 1\naction = \"{action}\"\n{product}{keys}\nas = \"{who}\"\n\n[end]\n");
        let stem = format!("r{number:03}");
        self.dropped(&format!("{stem}.toml"), &text);
        stem
    }

    /// Drops a request as the user of the door.
    fn dropped(&self, name: &str, text: &str) {
        let draft = self.site.spool().join("tmp").join(name);
        std::fs::write(&draft, text).unwrap();
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o644)).unwrap();
        if is_root() {
            chown(&draft, Some(DOOR_UID), None).unwrap();
        }
        std::fs::rename(&draft, self.site.spool().join("incoming").join(name)).unwrap();
    }

    /// Asks for something that is done.
    pub fn does(&self, who: &str, action: &str, keys: &str) -> Value {
        let answer = self.ask(who, action, keys);
        assert_eq!(answer["code"], "done", "{action} {keys}: {answer:#}");
        answer
    }

    /// Asks for something that is refused with this code.
    pub fn refuses(&self, who: &str, action: &str, keys: &str, code: &str) -> Value {
        let answer = self.ask(who, action, keys);
        assert_eq!(answer["code"], code, "{action} {keys}: {answer:#}");
        answer
    }

    /// Operations answer for what a gate would refuse.
    pub fn waived(&self, stage: &str, gate: &str, package: &str) {
        let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let what = format!("stage = \"{stage}\"\ngate = \"{gate}\"\npackages = [\"{package}\"]");
        self.does("ou", "waive", &format!("{what}\nuntil = \"{until}\"\nreason = \"known\""));
    }

    /// Brings packages into the stage of what is certified.
    pub fn certified(&self, packages: &[Recipe]) {
        let files: Vec<String> =
            packages.iter().map(|one| self.site.upload(&one.file_name(), &one.build())).collect();
        self.does("verifier", "import", &format!("to = \"certified\"\nfiles = {files:?}"));
    }

    /// Registers patches, each with the packages of these names.
    pub fn registered(&self, patches: &[(&str, &str)]) {
        for (patch, packages) in patches {
            let packages: Vec<&str> = packages.split_whitespace().collect();
            self.does(
                "mu",
                "patch-add",
                &format!("patch = \"{patch}\"\ntitle = \"patch {patch}\"\npackages = {packages:?}"),
            );
        }
    }

    /// Sets patches to a status.
    pub fn set(&self, who: &str, patches: &[&str], status: &str) -> Value {
        self.does(who, "patch-status", &format!("patches = {patches:?}\nstatus = \"{status}\""))
    }

    /// A bundle of these patches that early adopters have.
    pub fn deployed(&self, bundle: &str, patches: &[(&str, &str)]) {
        self.registered(patches);
        let ids: Vec<&str> = patches.iter().map(|(id, _)| *id).collect();
        self.set("mu", &ids, "verified");
        self.set("ou", &ids, "ready-for-rollout");
        self.does("mu", "bundle-create", &format!("bundle = \"{bundle}\"\npatches = {ids:?}"));
        self.does("mu", "bundle-deploy", &format!("bundle = \"{bundle}\""));
    }

    /// Lets a team do a task from the beginning to the end.
    pub fn tested(&self, team: &str, task: u32, outcome: &str) {
        self.does(team, "task-start", &format!("task = {task}\noutcome = \"success\""));
        self.finished(team, task, outcome);
    }

    /// Says how a task went, as soon as its quarantine is over.
    pub fn finished(&self, team: &str, task: u32, outcome: &str) -> Value {
        loop {
            let answer = self.ask(team, "task-done", &format!("task = {task}\noutcome = \"{outcome}\""));
            if answer["code"] != "in-quarantine" {
                assert_eq!(answer["code"], "done", "{answer:#}");
                return answer;
            }
        }
    }

    /// What is remembered of the product in the current generation.
    pub fn remembered(&self) -> Value {
        let link = std::fs::read_link(self.site.root().join("public/current")).unwrap();
        let number = link.to_str().unwrap().trim_start_matches('@');
        let file = self.site.root().join(format!("generations/{number}/workflow.json"));
        let stored: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        stored["workflow"]["products"][self.product].clone()
    }

    /// Where a patch stands.
    pub fn status(&self, patch: &str) -> String {
        self.remembered()["patches"][patch]["status"].as_str().unwrap().to_owned()
    }

    /// How far a task is.
    pub fn progress(&self, task: u32) -> String {
        self.remembered()["tasks"][task.to_string()]["progress"].as_str().unwrap().to_owned()
    }

    /// A host that draws from these stages.
    pub fn host(&self, name: &str, stages: &[&str]) -> Host {
        let host = Host::new(&self.sandbox, name);
        for stage in stages {
            host.repository(
                stage,
                &format!("{}/{}/el9/x86_64/{stage}/", self.nginx.base_url(), self.product),
            );
        }
        host
    }

    /// What dnf finds in a stage.
    pub fn offered(&self, stage: &str) -> BTreeSet<String> {
        let host = self.host(&format!("looks-at-{stage}-{}", self.count.get()), &[stage]);
        let said = host.dnf(&["repoquery", "--qf", "%{name}-%{evr}.%{arch}\n"]).ok().stdout;
        said.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Stops the daemon and looks whether everything is as it must be.
    pub fn end(mut self) {
        assert!(self.daemon.stop().is_some_and(|status| status.success()), "{}", self.daemon.log());
        self.site.sluice(&["verify", "--at-rest"]).ok();
        self.site.sluice(&["audit", "--rejudge"]).ok();
        Checker::of(&self.site).at_rest().assert_sound();
    }
}

/// Names, as [`Town::offered`] gives them.
pub fn names(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

/// The particulars of an answer.
pub fn reasons(answer: &Value) -> Vec<&str> {
    answer["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
