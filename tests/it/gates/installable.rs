//! What would break a meta-package in production: refused by the real daemon, as real hosts would find it broken; let through
//! by whoever answers for it, and told ever after.

use std::fs;

use repo::Recipe;
use serde_json::Value;
use testkit::{Host, Nginx, Sandbox, Site, createrepo_c, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
operations = ["ME"]
[[context]]
name = "base"
PLACE
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
closure = ["base"]
waiver_roles = ["operations"]
"#;

/// A site beside a base system, and a host that draws from both.
pub(super) struct Bench {
    pub(super) site: Site,
    pub(super) host: Host,
    asked: usize,
    nginx: Nginx,
    pub(super) sandbox: Sandbox,
}

impl Bench {
    fn new() -> Bench {
        let sandbox = Sandbox::new();
        let base = sandbox.folder("base");
        for recipe in [
            Recipe::new("basics", "1", "1").provides("libbasic.so.1").file("/usr/bin/basic", "it"),
            Recipe::new("perl", "5", "1").file("/opt/perl/bin/perl", "it"),
        ] {
            fs::write(base.join(recipe.file_name()), recipe.build()).unwrap();
        }
        createrepo_c::<&str>(&base, &[]).ok();
        Bench::beside(sandbox, &format!("folder = \"{base}\""))
    }

    /// Makes one beside the base system that the keys name; hosts take it from the sandbox's folder `base`.
    pub(super) fn beside(sandbox: Sandbox, keys: &str) -> Bench {
        let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
        let site = Site::initialised(&sandbox, nginx.base_url(), &STAGES.replace("PLACE", keys));
        let host = Host::new(&sandbox, "host");
        host.repository("glite", &format!("{}/glite/el9/x86_64/production", nginx.base_url()));
        host.repository("base", &format!("file://{}", sandbox.path("base")));
        Bench { site, host, asked: 0, nginx, sandbox }
    }

    pub(super) fn ask(&mut self, body: &str) -> Value {
        self.asked += 1;
        let stem = format!("r{}", self.asked);
        self.site.drop_request(
            &format!("{stem}.toml"),
            &format!("format = 1\nproduct = \"glite\"\n{body}\n[end]\n"),
        );
        self.site.answer(&stem)
    }

    fn import(&mut self, recipes: &[Recipe]) {
        let files = recipes.iter().map(|recipe| (recipe.file_name(), recipe.build())).collect::<Vec<_>>();
        self.import_files(&files);
    }

    pub(super) fn import_files(&mut self, files: &[(String, Vec<u8>)]) {
        let files: Vec<String> = files.iter().map(|(name, bytes)| self.site.upload(name, bytes)).collect();
        let answer = self.ask(&format!("action = \"import\"\nto = \"delta\"\nfiles = {files:?}"));
        assert_eq!(answer["code"], "done", "{answer:#}");
    }

    fn promote(&mut self, packages: &[&str]) -> Value {
        self.ask(&format!(
            "action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = {packages:?}"
        ))
    }
}

/// The library that a meta-package pins, and the meta-package.
fn release(voms: &str, ui: &str) -> [Recipe; 2] {
    let library = Recipe::new("voms", voms, "1").requires("libbasic.so.1").requires("/opt/perl/bin/perl");
    let meta = Recipe::new("glite-UI", ui, "1").requires(&format!("voms = {voms}-1"));
    [library.file("/usr/lib/voms", voms), meta]
}

/// What a gate says in an answer: verdict and evidence.
fn gate<'a>(answer: &'a Value, name: &str) -> (&'a str, &'a str) {
    let gates = answer["gates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let seen =
        gates.iter().find(|gate| gate["gate"] == name).unwrap_or_else(|| panic!("no {name}: {answer:#}"));
    (seen["verdict"].as_str().unwrap(), seen["evidence"].as_str().unwrap())
}

#[test]
fn what_would_break_a_meta_package_is_refused_and_waived_it_goes_through_and_shows() {
    let mut bench = Bench::new();
    let mut daemon = bench.site.start();
    bench.import(&release("1.9.10", "3.2.6"));
    let done = bench.promote(&["voms", "glite-UI"]);
    assert_eq!(done["code"], "done", "{done:#}");
    let (verdict, evidence) = gate(&done, "meta-packages");
    assert!(
        verdict == "pass"
            && evidence.starts_with("all 1 meta-packages that the change touches can be installed"),
        "{done:#}"
    );
    assert_eq!(gate(&done, "closure").1, "all 1 that the change touches can be installed beside `base`");
    // Which state of it that was is on record.
    let repomd = fs::read(bench.sandbox.path("base/repodata/repomd.xml")).unwrap();
    let judged = format!("`base` of el9/x86_64 is {}", repo::sha256(&repomd));
    assert_eq!(gate(&done, "contexts"), ("pass", judged.as_str()));
    bench.host.dnf(&["install", "glite-UI"]).ok();

    // The meta-package comes alone: what it pins stays behind.
    bench.import(&release("1.9.14", "3.2.7"));
    let refused = bench.promote(&["glite-UI"]);
    assert_eq!(
        (&refused["code"], &refused["exit"]),
        (&"meta-package-broken".into(), &3.into()),
        "{refused:#}"
    );
    let words = "glite-UI 3.2.7-1 needs voms = 1.9.14-1; production has 1.9.10-1; 1.9.14-1 stays in delta (el9/x86_64)";
    assert_eq!(refused["sentence"], words);
    let ran = bench.site.sluice(&["promote", "--dry-run", "glite-UI"]);
    assert!(ran.code() == 3 && ran.to_string().contains(words), "{ran}");

    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let waiver = format!(
        "action = \"waive\"\nstage = \"production\"\ngate = \"meta-packages\"\npackages = [\"glite-UI\"]\n\
         until = \"{until}\"\nreason = \"sites wait for the meta-package\""
    );
    let waived = bench.ask(&waiver);
    assert_eq!(waived["code"], "done", "{waived:#}");
    let passed = bench.promote(&["glite-UI"]);
    assert_eq!(passed["code"], "done", "{passed:#}");
    let (verdict, evidence) = gate(&passed, "meta-packages");
    assert!(
        verdict == "waived"
            && evidence.contains(words)
            && evidence.contains("sites wait for the meta-package"),
        "{passed:#}"
    );
    let number = passed["generation"].as_u64().unwrap().to_string();
    let manifest =
        fs::read_to_string(bench.site.root().join(format!("generations/{number}/manifest.json"))).unwrap();
    let told = bench.site.sluice(&["show", &number]).ok().stdout;
    let history = bench.site.sluice(&["history"]).ok().stdout;
    for (place, text) in [("manifest", &manifest), ("show", &told), ("history", &history)] {
        assert!(
            text.contains("sites wait for the meta-package") || place == "history" && text.contains("waived"),
            "{place}: {text}"
        );
    }
    // The gate said the truth: hosts cannot follow.
    let ran = bench.host.dnf(&["upgrade", "glite-UI"]);
    assert!(ran.code() != 0 && ran.to_string().contains("voms = 1.9.14-1"), "{ran}");

    // What was missing comes; the waiver is not needed for it.
    let done = bench.promote(&["voms"]);
    assert_eq!((&done["code"], gate(&done, "meta-packages").0), (&"done".into(), "pass"), "{done:#}");
    bench.host.dnf(&["upgrade"]).ok();
    let installed = bench.host.installed();
    assert!(
        installed.contains("glite-UI-3.2.7-1.noarch") && installed.contains("voms-1.9.14-1.noarch"),
        "{installed:?}"
    );
    daemon.stop();
    testkit::Checker::of(&bench.site).assert_sound();
}

#[test]
fn a_base_system_that_is_not_there_or_damaged_refuses_and_mended_lets_through() {
    let mut bench = Bench::new();
    let _daemon = bench.site.start();
    bench.import(&release("1.9.10", "3.2.6"));
    let repodata = bench.sandbox.path("base/repodata");
    let aside = bench.sandbox.path("base/aside");
    fs::rename(&repodata, &aside).unwrap();
    let refused = bench.promote(&["*"]);
    assert_eq!(refused["code"], "context-missing", "{refused:#}");
    assert!(refused["sentence"].as_str().unwrap().contains("no `repodata/repomd.xml`"), "{refused:#}");
    fs::rename(&aside, &repodata).unwrap();
    let repomd = repodata.join("repomd.xml");
    let whole = fs::read_to_string(&repomd).unwrap();
    fs::write(&repomd, &whole[..whole.len() / 2]).unwrap();
    let refused = bench.promote(&["*"]);
    assert_eq!(refused["code"], "context-corrupt", "{refused:#}");
    fs::write(&repomd, whole).unwrap();
    let done = bench.promote(&["*"]);
    assert_eq!(done["code"], "done", "{done:#}");
    // What others need cannot be taken away.
    let refused = bench.ask("action = \"withdraw\"\nfrom = \"production\"\npackages = [\"voms\"]");
    assert_eq!(refused["code"], "meta-package-broken", "{refused:#}");
}

#[test]
fn what_hosts_of_another_stage_draw_from_is_not_taken_away() {
    let mut bench = Bench::new();
    let delta = "[[product.stage]]\nname = \"delta\"\nclosure = [\"production\", \"base\"]\nwaiver_roles = [\"operations\"]\n";
    let config = fs::read_to_string(bench.site.config()).unwrap();
    fs::write(bench.site.config(), config + delta).unwrap();
    let mut daemon = bench.site.start();
    let tools = Recipe::new("vo-tools", "1", "1").requires("voms = 1.9.10-1").file("/usr/bin/vo-tools", "it");
    let [voms, _] = release("1.9.10", "3.2.6");
    bench.import(&[voms]);
    // What moves on is still there for hosts that draw from both stages.
    bench.import(&[tools]);
    let done = bench.promote(&["voms"]);
    assert_eq!(done["code"], "done", "{done:#}");
    assert_eq!(
        gate(&done, "closure").1,
        "all 2 that the change touches can be installed beside `base`, `production`"
    );
    let delta = format!("{}/glite/el9/x86_64/delta", bench.nginx.base_url());
    bench.host.repository("delta", &delta);
    bench.host.dnf(&["install", "--downloadonly", "vo-tools"]).ok();

    let away = "action = \"withdraw\"\nfrom = \"production\"\npackages = [\"voms\"]";
    let refused = bench.ask(away);
    let words = "vo-tools 1-1 needs voms = 1.9.10-1; 1.9.10-1 leaves production (`delta`, el9/x86_64)";
    assert_eq!(
        (&refused["code"], &refused["sentence"]),
        (&"not-installable".into(), &words.into()),
        "{refused:#}"
    );
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let mut waive = |stage: &str| {
        let waived = bench.ask(&format!(
            "action = \"waive\"\nstage = \"{stage}\"\ngate = \"closure\"\npackages = [\"vo-tools\"]\n\
             until = \"{until}\"\nreason = \"the tools go next\""
        ));
        assert_eq!(waived["code"], "done", "{waived:#}");
        bench.ask(away)
    };
    // It is hosts of delta that somebody has to answer for.
    assert_eq!(waive("production")["code"], "not-installable");
    let passed = waive("delta");
    assert_eq!((&passed["code"], gate(&passed, "closure").0), (&"done".into(), "waived"), "{passed:#}");
    let ran = bench.host.dnf(&["install", "--refresh", "vo-tools"]);
    assert!(ran.code() != 0 && ran.to_string().contains("voms = 1.9.10-1"), "{ran}");
    daemon.stop();
    run(bench.site.as_daemon().args(["audit", "--rejudge"])).ok();
    testkit::Checker::of(&bench.site).assert_sound();
}

#[test]
fn requests_that_meet_are_judged_one_after_the_other() {
    let mut bench = Bench::new();
    let [voms, ui] = release("1.9.10", "3.2.6");
    {
        let _daemon = bench.site.start();
        bench.import(&[voms, ui]);
    }
    // Both lie there when the daemon starts: the second is right only after the first.
    for (stem, packages) in [("a-first", "voms"), ("b-second", "glite-UI")] {
        bench.site.drop_request(
            &format!("{stem}.toml"),
            &format!(
                "format = 1\nproduct = \"glite\"\naction = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"{packages}\"]\n[end]\n"
            ),
        );
    }
    let _daemon = bench.site.start();
    let (first, second) = (bench.site.answer("a-first"), bench.site.answer("b-second"));
    assert_eq!((&first["code"], &second["code"]), (&"done".into(), &"done".into()), "{first:#}\n{second:#}");
    assert!(first["generation"].as_u64() < second["generation"].as_u64(), "{first:#}\n{second:#}");
}
