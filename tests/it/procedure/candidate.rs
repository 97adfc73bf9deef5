//! Prepared releases (G11, G12, G15 to G18, P1, P2): what operations look at is what everybody gets.

use std::path::PathBuf;

use testkit::{Served, fetch, program, run};

use super::*;

const PATH: &str = "glite/el9/x86_64/production";
const UPDATE: &str = "update = 57";

impl Town {
    /// Brings patches as far as they go without an update, each with the packages of these names.
    fn ready(&self, bundle: &str, task: u32, patches: &[(&str, &str)]) {
        self.deployed(bundle, patches);
        self.does("ou", "task-assign", &format!("bundle = \"{bundle}\"\nteams = [\"ea-IT-CNAF\"]"));
        self.tested("ea-IT-CNAF", task, "success");
        let ids: Vec<&str> = patches.iter().map(|(id, _)| *id).collect();
        self.set("ou", &ids, "ready-for-production");
    }

    /// The plan of an update.
    fn plan_of(&self, update: u32) -> String {
        self.remembered()["updates"][update.to_string()]["plan"].as_str().unwrap().to_owned()
    }

    /// Operations are told of an update, look at it, and approve of it.
    fn approved(&self, update: u32) {
        self.does("mu", "release-ready", &format!("update = {update}"));
        let plan = self.plan_of(update);
        self.does("ou", "release-approve", &format!("update = {update}\nplan = \"{plan}\""));
    }

    /// The private half of the current generation.
    fn private(&self) -> PathBuf {
        let link = std::fs::read_link(self.site.root().join("public/current")).unwrap();
        let number = link.to_str().unwrap().trim_start_matches('@').to_owned();
        self.site.root().join(format!("generations/{number}")).into()
    }

    /// The candidates of the current generation.
    fn candidates(&self) -> BTreeSet<String> {
        let listed = std::fs::read_dir(self.private().join("staff/candidate"));
        listed.into_iter().flatten().map(|one| one.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// What dnf finds at an address.
    fn found_at(&self, name: &str, url: &str) -> BTreeSet<String> {
        let host = Host::new(&self.sandbox, name);
        host.repository("candidate", url);
        let said = host.dnf(&["repoquery", "--qf", "%{name}-%{evr}.%{arch}\n"]).ok().stdout;
        said.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Installs packages from an address, and gives what is installed then.
    fn installs(&self, name: &str, url: &str, packages: &[&str]) -> BTreeSet<String> {
        let host = Host::new(&self.sandbox, name);
        host.repository("candidate", url);
        host.dnf(&[&["install"], packages].concat()).ok();
        host.installed()
    }
}

#[test]
fn g15_operations_install_the_update_as_it_would_be_and_nobody_else_sees_it() {
    let town = Town::new("0s");
    town.certified(&[package("gfal", "1"), package("voms", "1")]);
    town.ready("b0", 1, &[("0", "gfal voms")]);
    town.does("mu", "release-prepare", "update = 56");
    town.approved(56);
    town.does("mu", "release-publish", "update = 56");
    assert_eq!(town.candidates(), names(&[]), "what is published has no candidate");

    town.certified(&[package("voms", "2"), package("wms-core", "1")]);
    town.ready("b1", 2, &[("1", "voms"), ("2", "wms-core")]);
    let before = town.offered("production");
    town.does("mu", "release-prepare", UPDATE);
    let plan = town.plan_of(57);
    assert_eq!(town.candidates(), names(&[&plan]));
    let staff = Served::start_for_staff(&town.site);
    let url = format!("{}/candidate/{plan}/{PATH}/", staff.base_url());
    let prepared = town.found_at("looks", &url);
    assert!(prepared.is_superset(&names(&["gfal-1-1.x86_64", "voms-2-1.x86_64", "wms-core-1-1.x86_64"])));
    // What enters and what is there already: both are found.
    let installed = town.installs("tries", &url, &["gfal", "voms", "wms-core"]);
    assert_eq!(installed, names(&["gfal-1-1.x86_64", "voms-2-1.x86_64", "wms-core-1-1.x86_64"]));
    let folder = town.private().join(format!("staff/candidate/{plan}/{PATH}"));
    let from_file = town.installs("reads", &format!("file://{}/", folder.display()), &["gfal", "wms-core"]);
    assert_eq!(from_file, names(&["gfal-1-1.x86_64", "wms-core-1-1.x86_64"]));
    let text = fetch(&format!("{}/candidate/{plan}/plan.txt", staff.base_url()));
    assert!(text.text().contains("+ wms-core-1-1.x86_64"), "{}", text.text());

    // The world sees nothing of it.
    assert_eq!(town.offered("production"), before);
    for path in ["staff/candidate", "candidate", "@1/staff", "../generations"] {
        assert_ne!(fetch(&format!("{}/{path}/", town.nginx.base_url())).status, 200, "{path}");
    }
    let public = run(program("find").arg(town.site.root().join("public"))).ok().stdout;
    let entered = |one: &&str| one.contains("/glite-el9-x86_64-production/") && one.contains("wms-core");
    assert_eq!(public.lines().find(entered), None);

    // What other steps do leaves it where it is, in the next generation.
    town.does("mu", "release-ready", UPDATE);
    assert_eq!(town.candidates(), names(&[&plan]));
    assert_eq!(town.found_at("again", &url), prepared);
    town.does("ou", "release-approve", &format!("update = 57\nplan = \"{plan}\""));
    let listed =
        std::fs::read_to_string(town.private().join(format!("staff/candidate/{plan}/prepared.json")));
    assert!(listed.unwrap().contains("wms-core-1-1.x86_64"));
    town.does("mu", "release-publish", UPDATE);
    assert_eq!(town.offered("production"), prepared, "what was looked at is what everybody gets");
    assert_eq!(town.candidates(), names(&[]));
    assert!(town.site.root().join("public/@update-57").exists());
    assert_eq!(fetch(&url).status, 404);
    drop(staff);
    town.end();
}

#[test]
fn g17_what_changed_since_it_was_prepared_is_told() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1")]);
    town.ready("b1", 1, &[("1", "voms")]);
    town.does("mu", "release-prepare", UPDATE);
    town.approved(57);
    let first = town.plan_of(57);
    let file = town.site.upload("other.rpm", &package("other", "1").build());
    town.waived("production", "procedure", "other");
    town.does("mu", "import", &format!("to = \"production\"\nfiles = [\"{file}\"]"));
    let answer = town.refuses("mu", "release-publish", UPDATE, "plan-changed");
    let told = reasons(&answer);
    let says = |words: &str| told.iter().any(|one| one.contains(words));
    assert!(says("meanwhile `other-1-1.x86_64` entered"), "{answer:#}");
    assert!(says("no longer: ") && says("lists the set"), "{answer:#}");
    assert!(!says("`voms-1-1.x86_64`"), "what is as it was is no difference: {answer:#}");
    // Prepared anew, the candidate of before goes.
    town.does("mu", "release-prepare", UPDATE);
    let second = town.plan_of(57);
    assert_ne!(first, second);
    assert_eq!(town.candidates(), names(&[&second]));
    town.refuses("mu", "release-publish", UPDATE, "not-approved");
    town.approved(57);
    town.does("mu", "release-publish", UPDATE);
    assert_eq!(town.offered("production"), names(&["other-1-1.x86_64", "voms-1-1.x86_64"]));
    town.end();
}

#[test]
fn g12_an_update_that_is_given_up_sets_its_patches_free() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1"), package("wms-core", "1")]);
    town.ready("b1", 1, &[("1", "voms")]);
    town.refuses("mu", "release-drop", UPDATE, "no-such-update");
    town.does("mu", "release-prepare", UPDATE);
    let plan = town.plan_of(57);
    town.refuses("ou", "release-drop", UPDATE, "wrong-actor");
    let back = "patches = [\"1\"]\nstatus = \"rolling-out\"";
    assert_ne!(town.ask("ou", "patch-status", back)["code"], "done");
    let answer = town.does("mu", "release-drop", UPDATE);
    assert!(reasons(&answer).iter().any(|one| one.starts_with("operations are told: ")), "{answer:#}");
    assert_eq!(town.candidates(), names(&[]));
    town.refuses("ou", "release-approve", &format!("update = 57\nplan = \"{plan}\""), "no-such-update");
    town.does("ou", "patch-status", back);
    town.set("ou", &["1"], "ready-for-production");
    // Its number is free, too.
    town.site.sluice(&["release", "prepare", "57"]).ok();
    assert_eq!(town.candidates().len(), 1);
    town.site.sluice(&["release", "drop", "57"]).ok();
    assert_eq!(town.candidates(), names(&[]));
    town.does("mu", "release-prepare", UPDATE);
    town.approved(57);
    town.does("mu", "release-publish", UPDATE);
    town.refuses("mu", "release-drop", UPDATE, "update-taken");
    town.end();
}

#[test]
fn p1_p2_the_candidate_of_a_part_has_the_node_type_that_is_built_anew() {
    let town = Town::new("0s");
    let ui = Recipe::new("ui", "1", "1").requires("voms = 1-1").requires("gfal = 1-1");
    town.certified(&[package("voms", "1"), package("gfal", "1"), ui]);
    town.deployed("b1", &[("1", "voms"), ("2", "gfal ui")]);
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]");
    town.tested("ea-IT-CNAF", 1, "success");
    town.set("ou", &["1"], "ready-for-production");
    town.does("mu", "release-prepare", "update = 57\npartial = true");
    let plan = town.plan_of(57);
    let staff = Served::start_for_staff(&town.site);
    let url = format!("{}/candidate/{plan}/{PATH}/", staff.base_url());
    let installed = town.installs("tries", &url, &["ui"]);
    assert!(installed.contains("voms-1-1.x86_64") && !installed.contains("gfal-1-1.x86_64"), "{installed:?}");
    // Only the candidate has the node type that was built anew: a sweep does not count it as unlinked.
    town.site.sluice(&["sweep"]);
    let promised = town.site.sluice(&["sweep", "--dry-run", "--json"]);
    assert!(!promised.stdout.contains("pool/"), "{promised}");
    let prepared = town.found_at("looks", &url);
    assert_eq!(town.installs("still", &url, &["ui"]), installed);
    town.approved(57);
    town.does("mu", "release-publish", UPDATE);
    assert_eq!(town.offered("production"), prepared);
    drop(staff);
    town.end();
}

#[test]
fn g15_a_purge_leaves_no_package_in_a_candidate() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1"), package("gfal", "1")]);
    town.ready("b1", 1, &[("1", "voms"), ("2", "gfal")]);
    town.does("mu", "release-prepare", UPDATE);
    let plan = town.plan_of(57);
    town.approved(57);
    town.site.sluice(&["purge", "voms-1-1.x86_64", "--reason", "malware", "--yes"]).ok();
    assert_eq!(town.candidates(), names(&[&plan]));
    assert_ne!(town.ask("mu", "release-publish", UPDATE)["code"], "done");
    // A purge answers first and removes then; what was asked afterwards is answered, so it is gone.
    let lies = run(program("find").arg(town.site.root()).args(["-name", "voms-1-1.x86_64.rpm"])).ok().stdout;
    assert_eq!(lies, "");
    town.does("mu", "release-drop", UPDATE);
    assert_eq!(town.candidates(), names(&[]));
    town.end();
}

#[test]
fn g15_candidates_are_served_on_loopback_only() {
    let town = Town::new("0s");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8081"] {
        let refused = town.site.sluice(&["serve", "--staff", "--listen", address]);
        assert_eq!(refused.code(), 2, "{refused}");
        assert!(refused.stderr.contains("no loopback address"), "{refused}");
    }
    let staff = Served::start_for_staff(&town.site);
    // A page elsewhere whose name leads here reads nothing.
    let ask = |host: &str| {
        let mut curl = program("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", &format!("Host: {host}")]);
        run(curl.arg(format!("{}/candidate/", staff.base_url()))).ok().stdout
    };
    assert_eq!(ask("elsewhere.example.org"), "421");
    assert_eq!(ask("127.0.0.1"), "404");
    drop(staff);
    town.end();
}
