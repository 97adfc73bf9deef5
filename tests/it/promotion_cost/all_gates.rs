//! What all gates of a route cost: a large production beside a large base system, and ten packages that come.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use repo::{Recipe, Repomd};
use serde_json::Value;
use testkit::{Running, Sandbox, Site, program, run};

use super::{STAGES, package_in, ticks_with_children};
use crate::signatures::keyring::Keyring;

/// How many packages are imported at once.
const BATCH: usize = 1_000;

/// What all gates may cost once everything is indexed: a second, in clock ticks.
const TICKS_MAX: u64 = 100;

/// Everything that a route can ask for.
const GATES: &str = r#"
[[product.stage]]
name = "production"
closure = ["base"]
signed_by = ["builders"]
waiver_roles = ["release-team"]
[[product.route]]
from = "delta"
to = "production"
soak = "48h"
approvals = [{ role = "quality" }]
external = ["builds"]
[[external]]
name = "builds"
command = ["FOLDER/gate/program"]
[[context]]
name = "base"
folder = "FOLDER/base"
"#;

const APPROVER: &str = "quality@example.org";

/// The base system: packages that need each other, with files, as metadata alone.
fn write_context(folder: &Utf8Path, count: usize) {
    let packages = (0..count).map(|number| {
        let name = format!("base-{number:05}");
        let mut recipe =
            Recipe::new(&*name, "1", "1").arch("x86_64").provides(&format!("lib{name}.so.1()(64bit)"));
        for file in 0..20 {
            recipe = recipe.file(&format!("/usr/share/{name}/{file}"), "");
        }
        for other in 1..5 {
            recipe = recipe.requires(&format!("libbase-{:05}.so.1()(64bit)", number / (other + 1)));
        }
        let bytes = recipe.build();
        let head = repo::read_head(&mut &bytes[..]).unwrap();
        let facts = repo::FileFacts {
            href: recipe.file_name(),
            digest: repo::sha256(&bytes).into(),
            size: bytes.len() as u64,
            mtime: 1,
        };
        repo::entry_of(&repo::package_of(&head, facts).unwrap())
    });
    let entries: Vec<repo::Entry> = packages.collect();
    let metadata = repo::write_metadata_in(&repo::Form::default(), &entries, 1, &Repomd::new("1"), &[]);
    fs::create_dir_all(folder.join("repodata")).unwrap();
    for (name, bytes) in metadata.files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    fs::write(folder.join("repodata/repomd.xml"), metadata.repomd).unwrap();
}

/// A site with packages in production, and twice ten with a meta-package in delta.
struct Bench {
    site: Site,
    sandbox: Sandbox,
    ring: Keyring,
    builders: String,
    production: usize,
}

impl Bench {
    fn new(production: usize, context: usize) -> Bench {
        let sandbox = Sandbox::new();
        write_context(&sandbox.folder("base"), context);
        let ring = Keyring::new(&sandbox);
        let builders = ring.make("builders", "rsa3072", "never", "");
        let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
        Bench { site, sandbox, ring, builders, production }
    }

    fn ask(&self, stem: &str, body: &str) -> Value {
        let text = format!("format = 1\nproduct = \"glite\"\n{body}\n[end]\n");
        self.hand_in(stem, &text)
    }

    fn hand_in(&self, stem: &str, text: &str) -> Value {
        self.site.drop_request(&format!("{stem}.toml"), text);
        self.site.answer(stem)
    }

    #[track_caller]
    fn done(&self, stem: &str, body: &str) {
        let answer = self.ask(stem, body);
        assert_eq!(answer["code"], "done", "{answer:#}");
    }

    /// Production as it stands, which nobody judged when it came.
    fn fill(&self) {
        let count = self.production;
        for number in 0..count {
            let folder = self.sandbox.folder(&format!("packages-{}", number / BATCH));
            let recipe = package_in(number, "1.0", count)
                .requires(&format!("libbase-{:05}.so.1()(64bit)", number % 300));
            fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
        }
        for batch in 0..count.div_ceil(BATCH) {
            let folder = self.sandbox.path(&format!("packages-{batch}"));
            let body = format!("action = \"import\"\nto = \"production\"\nfolder = \"{folder}\"");
            self.done(&format!("batch-{batch}"), &body);
        }
    }

    /// Ten packages from a number on in a new version, and a meta-package that pins them; all signed.
    fn bring(&self, stem: &str, first: usize) {
        let numbers = first..first + 10;
        let recipes = numbers.clone().map(|number| {
            // What pins the old version stays whole: the new one provides it, too.
            let recipe = package_in(number, "2.0", self.production);
            recipe.provides(&format!("component-{number:04} = 1.0-1"))
        });
        let meta = Recipe::new(format!("glite-{stem}"), "1", "1");
        let meta = numbers
            .clone()
            .fold(meta, |meta, number| meta.requires(&format!("component-{number:04} = 2.0-1")));
        let files: Vec<String> = recipes.chain([meta]).map(|recipe| self.signed(&recipe)).collect();
        self.done(stem, &format!("action = \"import\"\nto = \"delta\"\nfiles = {files:?}"));
    }

    fn signed(&self, recipe: &Recipe) -> String {
        let file = self.sandbox.folder("signed").join(recipe.file_name());
        fs::write(&file, recipe.build()).unwrap();
        self.ring.rpmsign(&self.builders, &file);
        self.site.upload(&recipe.file_name(), &fs::read(&file).unwrap())
    }

    /// Makes the key of whoever approves, and writes the configuration with all gates.
    fn judge_everything(&self) {
        let key = self.approving_key();
        run(program("ssh-keygen").args(["-q", "-N", "", "-t", "ed25519", "-f", key.as_str()])).ok();
        let public = fs::read_to_string(format!("{key}.pub")).unwrap();
        let gate = self.sandbox.folder("gate");
        fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).unwrap();
        // By programs of its own: what this process writes through could be inherited by what another thread starts.
        let script = "printf '#!/bin/sh\\ncat > /dev/null\\necho all builds are green\\n' > program && chmod 755 program";
        run(program("sh").args(["-c", script]).current_dir(&gate)).ok();
        let folder = gate.parent().unwrap();
        let text = fs::read_to_string(self.site.config()).unwrap();
        let signers = format!("format = 1\nallowed_signers = \"\"\"\n{APPROVER} {public}\"\"\"\n");
        let text = text.replacen("format = 1\n", &signers, 1);
        let me = nix::unistd::geteuid();
        let people = format!(
            "quality = [\"ssh:{APPROVER}\"]\n[people]\nmover = [\"uid:{me}\"]\napprover = [\"ssh:{APPROVER}\"]\n[[product]]"
        );
        let text = text.replacen("[[product]]", &people, 1);
        let (file, builders) = (self.ring.export(&self.builders), &self.builders);
        let key = format!("[[key]]\nname = \"builders\"\nfile = \"{file}\"\nfingerprint = \"{builders}\"\n");
        let gates = GATES.replace("FOLDER", folder.as_str());
        fs::write(self.site.config(), format!("{text}{gates}{key}")).unwrap();
    }

    fn approving_key(&self) -> Utf8PathBuf {
        self.sandbox.folder("approver").join("key")
    }

    /// Somebody of quality approves of a plan.
    fn approve(&self, hash: &str) {
        let expires = Timestamp::now() + SignedDuration::from_hours(1);
        let text = format!(
            "format = 1\nsite = \"Test\"\nid = \"approved\"\nexpires = \"{expires}\"\naction = \"approve\"\nproduct = \"glite\"\n\
             from = \"delta\"\nto = \"production\"\nplan = \"{hash}\"\n\n[end]\n"
        );
        let file = self.sandbox.file("approver/request.toml", &text);
        let key = self.approving_key();
        let sign = ["-q", "-Y", "sign", "-n", "sluice-request@v1", "-f", key.as_str(), file.as_str()];
        run(program("ssh-keygen").args(sign)).ok();
        let answer =
            self.hand_in("approve", &format!("{text}{}", fs::read_to_string(format!("{file}.sig")).unwrap()));
        assert_eq!(answer["code"], "done", "{answer:#}");
    }

    /// Promotes the packages of [`Bench::bring`], and tells the answer and the processor time it took.
    fn promote(
        &self,
        daemon: &Running,
        stem: &str,
        (meta, first): (&str, usize),
        more: &str,
    ) -> (Value, u64) {
        let names: Vec<String> = (first..first + 10).map(|number| format!("component-{number:04}")).collect();
        let packages = [names, vec![format!("glite-{meta}")]].concat();
        let body = format!(
            "action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = {packages:?}\n{more}"
        );
        // What the request before left to do after its answer is not counted here.
        let nonsense = self.ask(&format!("before-{stem}"), "action = \"nonsense\"");
        assert_eq!(nonsense["code"], "unknown-action", "{nonsense:#}");
        let before = ticks_with_children(daemon.process());
        let answer = self.ask(stem, &body);
        (answer, ticks_with_children(daemon.process()) - before)
    }
}

/// What each gate of an answer says.
fn verdicts(answer: &Value) -> BTreeMap<&str, &str> {
    let gates = answer["gates"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    gates.iter().map(|gate| (gate["gate"].as_str().unwrap(), gate["verdict"].as_str().unwrap())).collect()
}

#[test]
fn all_gates_of_ten_packages_cost_what_ten_packages_cost() {
    let is_thorough = std::env::var_os("SLUICE_THOROUGH").is_some();
    let (production, context) = if is_thorough { (10_000, 20_000) } else { (500, 1_000) };
    let bench = Bench::new(production, context);
    let (one, two) = (("one", 100), ("two", 200));
    let mut daemon = bench.site.start();
    bench.fill();
    bench.bring(one.0, one.1);
    bench.bring(two.0, two.1);
    daemon.stop();
    // Now everything is judged.
    bench.judge_everything();
    let daemon = bench.site.start();
    let until = Timestamp::now() + SignedDuration::from_hours(24);
    bench.done(
        "waive",
        &format!(
            "action = \"waive\"\nstage = \"production\"\ngate = \"soak\"\npackages = [\"*\"]\n\
             until = \"{until}\"\nreason = \"it was tested elsewhere\""
        ),
    );
    let dry = "dry_run = true";
    let (planned, cold) = bench.promote(&daemon, "cold", one, dry);
    let mut wanted = BTreeMap::from([
        ("approvals", "fail"),
        ("closure", "pass"),
        ("external", "pass"),
        ("meta-packages", "pass"),
        ("signatures", "pass"),
        ("soak", "waived"),
    ]);
    let seen = |answer: &Value, wanted: &BTreeMap<&str, &str>| {
        let verdicts = verdicts(answer);
        let others = verdicts.iter().filter(|(gate, _)| !wanted.contains_key(*gate));
        assert!(
            others.clone().count() > 0 && others.clone().all(|(_, verdict)| *verdict == "pass"),
            "{answer:#}"
        );
        assert!(wanted.iter().all(|(gate, verdict)| verdicts.get(gate) == Some(verdict)), "{answer:#}");
    };
    seen(&planned, &wanted);
    bench.approve(planned["plan_hash"].as_str().unwrap());
    wanted.insert("approvals", "pass");
    let (planned, warm) = bench.promote(&daemon, "warm", one, dry);
    seen(&planned, &wanted);
    let (moved, done) = bench.promote(&daemon, "done", one, "");
    assert_eq!(moved["code"], "done", "{moved:#}");
    seen(&moved, &wanted);
    // Nobody has approved of the next plan.
    wanted.insert("approvals", "fail");
    let (planned, next) = bench.promote(&daemon, "next", two, dry);
    seen(&planned, &wanted);
    println!(
        "all gates of 10 packages and a meta-package into {production} beside {context}, in ticks of 10 ms: cold {cold}, \
         warm {warm}, with the commit {done}, the next 10 after it {next}"
    );
    // The next ten find production changed: its new metadata is read from the disk once, whatever the gates are.
    assert!(warm <= TICKS_MAX, "{warm} ticks");
    // What was indexed is not indexed again. A slice is so small that ticks and other work of the machine count.
    let enough = if is_thorough { cold } else { 2 * cold + 10 };
    assert!(warm <= cold / 2 + 5 && next <= enough, "cold {cold}, warm {warm}, next {next}");
}
