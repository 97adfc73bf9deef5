//! `undo`: the inverse of one settled request, by the engine in all its ways, and on a real site as a host sees it.

use std::fs;
use std::sync::Arc;

use camino::Utf8Path;
use daemon::clock::Clock as _;
use daemon::config::Config;
use daemon::engine::Engine;
use daemon::rejudge::rejudge;
use daemon::verify::{Rest, Verifier};
use plan::Answer;
use repo::Recipe;
use store::forgetful::ForgetfulDisk;
use store::{Disk, Store};
use testkit::{Checker, Host, Nginx, Sandbox, Site, fetch};

use crate::crash::site::{self, CONFIG, ROOT, SPOOL, SetClock};

const DELTA: &str = "glite-el9-x86_64-delta";
const PRODUCTION: &str = "glite-el9-x86_64-production";

/// A small site: `lcg-1` and `voms-2` in delta, `voms-1` in production.
struct Small {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Option<Engine>,
    config: Arc<Config>,
}

impl Small {
    fn new(more: &str) -> Self {
        let (disk, clock) = site::site();
        let text = format!("{CONFIG}{more}");
        let config = Config::parse(text.as_bytes(), "undo.toml").expect("the configuration is right");
        let mut small = Self { disk, clock, engine: None, config: Arc::new(config) };
        small.restart();
        small
    }

    /// The daemon ends, and starts anew: what it knows is what is on record.
    fn restart(&mut self) {
        // The lock is free once the engine is gone.
        self.engine = None;
        self.engine = Some(site::open_as(&self.disk, &self.clock, Arc::clone(&self.config)).unwrap());
    }

    /// Hands requests in together, and waits until everything rests.
    fn ask(&mut self, requests: &[&str]) -> Vec<Answer> {
        for (number, request) in requests.iter().enumerate() {
            let name = format!("r{number}-at-{}.toml", self.clock.now().as_second());
            site::drop_request(&*self.disk, &name, request);
        }
        let engine = self.engine.as_mut().expect("it runs");
        site::settle(engine, &self.disk, &self.clock).unwrap()
    }

    #[track_caller]
    fn done(&mut self, request: &str) -> Answer {
        let mut answers = self.ask(&[request]);
        assert_eq!(answers.len(), 1, "{answers:#?}");
        assert_eq!(answers[0].code, "done", "{answers:#?}");
        answers.remove(0)
    }

    /// Asks for what is refused, and looks that nothing was changed by that.
    #[track_caller]
    fn refused(&mut self, request: &str, code: &str) -> Answer {
        let before = (self.lists(), self.generation());
        let mut answers = self.ask(&[request]);
        assert_eq!(answers[0].code, code, "{answers:#?}");
        assert_eq!((self.lists(), self.generation()), before, "a refusal changes nothing");
        answers.remove(0)
    }

    fn lists(&self) -> [Vec<String>; 2] {
        let offered = site::offered(&self.disk);
        [DELTA, PRODUCTION].map(|repository| offered[repository].iter().cloned().collect())
    }

    fn store(&self) -> Store {
        Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT)
    }

    fn generation(&self) -> u64 {
        self.store().current().unwrap().unwrap().number
    }

    /// Nothing is wrong with what is published.
    #[track_caller]
    fn is_whole(&self) {
        let spool = Some(Utf8Path::new(SPOOL));
        let now = self.clock.now();
        let found = Verifier::default().verify(&*self.disk, Utf8Path::new(ROOT), spool, Rest::Quiet, now);
        assert!(found.is_empty(), "{found:#?}");
    }

    /// That, and every request would be answered so again from records alone.
    #[track_caller]
    fn sound(&self) {
        self.is_whole();
        let judgement = rejudge(&*self.disk, &self.store(), &|_, _| true).unwrap();
        assert_eq!(judgement.differing, vec![], "{judgement:#?}");
        assert!(judgement.same > 0, "{judgement:#?}");
    }
}

fn undo(request: &str) -> String {
    format!("action = \"undo\"\nrequest = \"{request}\"")
}

fn withdraw(package: &str) -> String {
    format!("action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"{package}\"]")
}

#[test]
fn of_requests_that_share_a_generation_each_is_undone_alone() {
    let mut small = Small::new("");
    let before = small.lists();
    let answers = small.ask(&[&site::promote("voms"), &site::promote("lcg")]);
    assert_eq!(answers[0].generation, answers[1].generation, "{answers:#?}");
    let after = small.lists();
    let of = |name: &str| answers.iter().find(|one| one.sentence.contains(name)).unwrap().claim.clone();
    small.restart();
    let first = small.done(&undo(&of("voms")));
    assert_eq!(first.hosts_run.as_deref(), Some("dnf distro-sync"));
    assert_eq!(small.lists()[0], ["voms-2-1.noarch"], "lcg stays where it was promoted to");
    let second = small.done(&undo(&of("lcg")));
    assert_eq!(small.lists(), before);
    small.refused(&undo(&of("lcg")), "moved-on");
    // Undone are the two in whatever order; undone again everything is as it was after them.
    small.done(&undo(&first.claim));
    small.done(&undo(&second.claim));
    assert_eq!(small.lists(), after);
    small.sound();
}

#[test]
fn what_two_requests_of_a_generation_moved_is_told_apart_or_refused() {
    let mut small = Small::new("");
    let file = site::upload(&*small.disk, &site::rpm("gfal", "1"), "gfal.rpm");
    let answers = small.ask(&[&site::import_request(&[file]), &site::promote("gfal")]);
    let codes: Vec<&str> = answers.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["done", "done"], "{answers:#?}");
    assert_eq!(answers[0].generation, answers[1].generation, "{answers:#?}");
    // That gfal was in delta no manifest tells: it came and went within the generation.
    let refusal = small.refused(&undo(&answers[1].claim), "gone");
    assert!(refusal.reasons[0].contains("another request of generation"), "{refusal:#?}");
    small.refused(&undo(&answers[0].claim), "gone");
    small.is_whole();
}

#[test]
fn an_undo_that_comes_with_what_it_undoes_is_decided_after_it() {
    let mut small = Small::new("");
    let before = small.lists();
    let promoted = format!("id = \"update-57\"\n{}", site::promote("lcg"));
    let nothing = format!("id = \"nothing\"\n{}", site::promote("nonsense"));
    let answers = small.ask(&[&promoted, &undo("update-57"), &nothing, &undo("nothing")]);
    let mut codes: Vec<&str> = answers.iter().map(|one| one.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["cannot-undo", "done", "done", "no-such-package"], "{answers:#?}");
    assert_eq!(small.lists(), before);
    small.sound();
}

#[test]
fn what_did_nothing_or_is_not_to_be_undone_is_refused_by_name() {
    let mut small = Small::new("");
    let refusal = small.refused(&site::promote("nonsense"), "no-such-package");
    small.refused(&undo(&refusal.claim), "cannot-undo");
    let rehearsed = small.refused(&format!("dry_run = true\n{}", site::promote("lcg")), "planned");
    let refusal = small.refused(&undo(&rehearsed.claim), "cannot-undo");
    assert!(refusal.sentence.ends_with("it was a dry run"), "{refusal:#?}");
    small.refused(&undo("update-58"), "no-such-request");
    small.refused(&undo("update-58-20260301T120000.000000Z-3fa9c1"), "no-such-request");
    let purged = small.done("action = \"purge\"\npackages = [\"lcg-1-1.noarch\"]\nreason = \"r\"");
    small.refused(&undo(&purged.claim), "cannot-undo");
    // A name that was given ends, and is not given again.
    let kept = small.done("action = \"keep\"\nas = \"update-1\"");
    let ended = small.done(&undo(&kept.claim));
    small.refused(&undo(&ended.claim), "cannot-undo");
    // A rehearsal of an undo changes nothing, and another plan than the one that was seen is not carried out.
    let moved = small.done(&site::promote("voms"));
    let planned = small.refused(&format!("dry_run = true\n{}", undo(&moved.claim)), "planned");
    let other = format!("plan = \"{}\"\n{}", "5e".repeat(32), undo(&moved.claim));
    small.refused(&other, "plan-changed");
    let seen = planned.plan_hash.unwrap();
    small.done(&format!("plan = \"{seen}\"\n{}", undo(&moved.claim)));
    small.sound();
}

#[test]
fn what_was_swept_does_not_come_back_and_what_is_kept_does() {
    let mut small = Small::new("");
    let before = small.lists();
    let taken = small.done(&withdraw("lcg"));
    small.clock.advance(600);
    // Nothing that is published lists it any more; a generation that is kept tells what metadata says of it.
    small.restart();
    small.done(&undo(&taken.claim));
    assert_eq!(small.lists(), before);
    small.sound();
    let taken = small.done(&withdraw("lcg"));
    small.clock.advance(90_000);
    small.done(&site::promote("voms"));
    small.clock.advance(90_000);
    small.done("action = \"sweep\"");
    small.restart();
    let refusal = small.refused(&undo(&taken.claim), "gone");
    assert!(refusal.reasons[0].starts_with("`lcg-1-1.noarch` is listed by no generation"), "{refusal:#?}");
    small.sound();
}

#[test]
fn the_overlap_of_a_promotion_is_undone_before_and_after_it_is_over() {
    let route = "[[product.route]]\nfrom = \"delta\"\nto = \"production\"\noverlap = \"48h\"\n";
    let mut small = Small::new(route);
    let before = small.lists();
    let overlapping = |small: &Small| {
        let manifest = small.store().current().unwrap().unwrap().manifest;
        daemon::account::Account::of(manifest.number, &manifest.account).unwrap().overlapping
    };
    let moved = small.done(&site::promote("lcg"));
    let (after, until) = (small.lists(), overlapping(&small));
    assert_eq!(until.len(), 1);
    let undone = small.done(&undo(&moved.claim));
    assert_eq!((small.lists(), overlapping(&small).len()), (before.clone(), 0));
    small.done(&undo(&undone.claim));
    assert_eq!((small.lists(), overlapping(&small)), (after, until));
    small.clock.advance(50 * 3600);
    let over = small.ask(&[]);
    assert!(over.iter().any(|one| one.action == "overlap"), "{over:#?}");
    let refusal = small.refused(&undo(&over[0].claim), "cannot-undo");
    assert!(refusal.hint.is_some_and(|hint| hint.contains("promotion")));
    small.sound();
}

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn voms(minor: u32) -> Recipe {
    let version = format!("1.9.{minor}");
    Recipe::new("voms", &*version, "1").file("/usr/share/voms/version", version.as_bytes())
}

fn import(site: &Site, sandbox: &Sandbox, minor: u32) {
    let file = sandbox.folder("built").join(voms(minor).file_name());
    fs::write(&file, voms(minor).build()).unwrap();
    site.sluice(&["import", file.as_str(), "--to", "delta", "--timeout", "2m"]).ok();
}

fn promoted(site: &Site) -> serde_json::Value {
    let ran = site.sluice(&["promote", "voms", "--json"]).ok();
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The digest of the open primary.xml of a stage: of every byte that it says of packages.
fn primary(site: &Site, stage: &str) -> String {
    let path = site.root().join(format!("public/current/glite/el9/x86_64/{stage}/repodata/repomd.xml"));
    let text = fs::read_to_string(&path).unwrap();
    let record = text.split("<data type=\"primary\">").nth(1).unwrap();
    let open = record.split("<open-checksum").nth(1).unwrap();
    open.split(['>', '<']).nth(1).unwrap().to_owned()
}

#[test]
fn dnf_sees_a_promotion_undone_and_the_metadata_are_what_they_were() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    import(&site, &sandbox, 10);
    promoted(&site);
    import(&site, &sandbox, 11);
    let before = ["delta", "production"].map(|stage| primary(&site, stage));
    let answer = promoted(&site);
    let claim = answer["claim"].as_str().unwrap();
    let after = ["delta", "production"].map(|stage| primary(&site, stage));
    assert!(before[0] != after[0] && before[1] != after[1]);

    let host = Host::new(&sandbox, "host");
    let file = fetch(&format!("{}/glite-production.repo", nginx.base_url()));
    host.dot_repo("glite.repo", &file.body);
    host.dnf(&["install", "voms"]);
    assert!(host.installed().contains("voms-1.9.11-1.noarch"), "{:?}", host.installed());

    // Nobody agrees to a plan unseen: without a terminal it takes a word more.
    let ran = site.sluice(&["undo", claim]);
    assert!(ran.code() == 2 && ran.stderr.contains("--plan HASH"), "{ran}");
    let ran = site.sluice(&["undo", claim, "--dry-run", "--json"]);
    let planned: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(planned["code"], "planned", "{planned:#}");
    assert_eq!(["delta", "production"].map(|stage| primary(&site, stage)), after);
    let hash = planned["plan_hash"].as_str().unwrap();
    let ran = site.sluice(&["undo", claim, "--plan", hash, "--reason", "it broke", "--json"]);
    let undone: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((undone["code"].as_str(), undone["plan_hash"].as_str()), (Some("done"), Some(hash)), "{ran}");
    assert_eq!(undone["hosts_run"], "dnf distro-sync");
    assert_eq!(["delta", "production"].map(|stage| primary(&site, stage)), before);

    host.dnf(&["distro-sync"]);
    assert!(host.installed().contains("voms-1.9.10-1.noarch"), "{:?}", host.installed());
    let late = Host::new(&sandbox, "late");
    late.dot_repo("glite.repo", &file.body);
    late.dnf(&["install", "voms"]);
    assert_eq!(late.installed(), host.installed());

    let ran = site.sluice(&["undo", claim, "--yes"]);
    assert!(ran.code() == 3 && ran.stderr.contains("moved-on"), "{ran}");
    let status = daemon.stop();
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
    site.sluice(&["audit", "--rejudge"]).ok();
    Checker::of(&site).at_rest().assert_sound();
}
