//! What is on record of packages that were built anew: a roll-back, a partial release and their inverses are found sound by
//! `sluice verify`, by the independent checker and by whoever judges again, and a record without its recipes is not.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use daemon::observe::Site as Published;
use plan::Kind;
use repo::Recipe;
use serde_json::{Value, json};
use store::{PosixDisk, Store};
use testkit::{Checker, Sandbox, Site, program, run, sluice};

use crate::rejudge::forgery::Forgery;

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
partial_release = "raised"
[[product.stage]]
name = "production"
closure = []
"#;

fn package(name: &str, version: &str) -> Recipe {
    let file = format!("/usr/share/{name}/version");
    Recipe::new(name, version, "1").arch("noarch").file(&file, version.as_bytes())
}

fn meta(name: &str, pins: &[&str]) -> Recipe {
    pins.iter().fold(Recipe::new(name, "1", "1").arch("noarch"), |recipe, pin| recipe.requires(pin))
}

struct Rebuilding {
    site: Site,
    asked: u32,
}

impl Rebuilding {
    /// Asks for something, which must be answered so.
    #[track_caller]
    fn ask(&mut self, keys: &str, code: &str) -> Value {
        self.asked += 1;
        let stem = format!("r{}", self.asked);
        self.site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{keys}\n[end]\n"));
        let answer = self.site.answer(&stem);
        assert_eq!(answer["code"], code, "{answer:#}");
        answer
    }

    #[track_caller]
    fn import(&mut self, packages: &[Recipe]) {
        let upload = |recipe: &Recipe| self.site.upload(&recipe.file_name(), &recipe.build());
        let files: Vec<String> = packages.iter().map(upload).collect();
        let keys = format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = {files:?}");
        self.ask(&keys, "done");
    }

    #[track_caller]
    fn undo(&mut self, answer: &Value) -> Value {
        let claim = answer["claim"].as_str().unwrap().to_owned();
        self.ask(&format!("action = \"undo\"\nrequest = \"{claim}\""), "done")
    }

    /// What a stage lists.
    fn lists(&self, stage: &str) -> BTreeSet<String> {
        let store = Store::new(Arc::new(PosixDisk), self.site.root());
        let packages = Published::current(store).unwrap().unwrap().packages().unwrap();
        let is_it =
            |repository: &&plan::Repository| repository.stage == stage && repository.kind == Kind::Binary;
        let repository = packages.keys().find(is_it).unwrap();
        packages[repository].iter().map(|listed| listed.nevra.to_string()).collect()
    }

    /// Everything that looks at records finds nothing wrong with them, and judges all of them.
    #[track_caller]
    fn sound(&self) {
        self.site.sluice(&["verify", "--deep"]).ok();
        Checker::of(&self.site).assert_sound();
        let told = self.site.sluice(&["audit", "--rejudge", "--json"]).ok();
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        let judgement = &told["judgement"];
        assert_eq!(judgement["differing"], json!([]), "{judgement:#}");
        let unjudged: Vec<&String> = judgement["not_judged"].as_object().unwrap().keys().collect();
        assert!(unjudged.iter().all(|reason| reason.starts_with("it depends on what lay")), "{judgement:#}");
    }
}

fn promote(packages: &str, more: &str) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [{packages}]\n{more}"
    )
}

const ROLLBACK: &str = "action = \"rollback\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"voms-1.9.11-1\"]\n\
     reason = \"it leaks\"";

fn texts(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_roll_back_and_a_partial_release_are_sound_and_so_are_their_inverses() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let mut all = Rebuilding { site, asked: 0 };
    all.import(&[package("voms", "1.9.10"), package("lcg", "1")]);
    all.ask(&promote("\"voms\", \"lcg\"", ""), "done");
    all.import(&[
        package("voms", "1.9.11"),
        meta("emi-ui", &["voms = 1.9.11-1"]),
        meta("emi-wn", &["voms = 1.9.11-1", "lcg = 1-1"]),
    ]);
    let before = all.lists("delta");

    all.ask(&format!("{ROLLBACK}\ndry_run = true"), "planned");
    let rolled_back = all.ask(ROLLBACK, "done");
    assert_eq!(all.lists("delta"), texts(&["emi-ui-1-1.1.noarch", "emi-wn-1-1.1.noarch"]));
    all.sound();

    all.undo(&rolled_back);
    assert_eq!(all.lists("delta"), before);
    all.sound();

    // A release is not given twice.
    all.ask(ROLLBACK, "done");
    let after = texts(&["emi-ui-1-1.2.noarch", "emi-wn-1-1.2.noarch"]);
    assert_eq!(all.lists("delta"), after);
    all.import(&[
        package("voms", "1.9.12"),
        package("lcg", "2"),
        meta("emi-site", &["voms = 1.9.12-1", "lcg = 2-1"]),
    ]);
    let [delta, production] = ["delta", "production"].map(|stage| all.lists(stage));
    let released = all.ask(&promote("\"voms\"", "partial = \"target\""), "done");
    let there = all.lists("production");
    assert!(there.contains("emi-site-1-1.1.noarch"), "{there:?}");
    assert!(all.lists("delta").contains("emi-site-1-1.2.noarch"), "newer than in production");
    all.sound();

    all.undo(&released);
    assert_eq!(["delta", "production"].map(|stage| all.lists(stage)), [delta, production]);
    all.sound();

    let status = daemon.stop();
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", daemon.log());
    all.site.sluice(&["verify", "--at-rest"]).ok();
    Checker::of(&all.site).at_rest().assert_sound();

    // Somebody takes the recipes off the record, and every chain of digests fits.
    let copy = sandbox.folder("copy").join("root");
    run(program("cp").arg("-a").arg(all.site.root()).arg(&copy)).ok();
    let claim = released["claim"].as_str().unwrap();
    Forgery::of(&copy).settled(claim, &|settled| settled["grounds"]["rebuilt"] = json!([])).put_back();
    let text = fs::read_to_string(all.site.config()).unwrap();
    let file = copy.with_file_name("copy.toml");
    fs::write(&file, text.replace(all.site.root().as_str(), copy.as_str())).unwrap();
    let ran = run(program(sluice().as_str()).args(["-c", file.as_str(), "verify"]));
    assert!(ran.stdout.contains("`emi-site-1-1.1.noarch` enters"), "{ran}");
    let ran = run(program(sluice().as_str()).args(["-c", file.as_str(), "audit", "--rejudge", "--json"]));
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let differing = told["judgement"]["differing"].as_array().unwrap();
    let judged = differing[0]["judged"].as_str().unwrap();
    assert!(judged.contains("built anew that is not on record"), "{told:#}");
    assert_eq!((differing.len(), differing[0]["claim"].as_str()), (1, Some(claim)), "{told:#}");
}
