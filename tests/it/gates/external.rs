//! Gates outside of Sluice, by the real daemon: a program that is asked and a folder of results, in all their ways to fail.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8PathBuf;
use repo::Recipe;
use serde_json::Value;
use testkit::{Sandbox, Site, program, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
waiver_roles = ["release-team"]
[[product.route]]
from = "delta"
to = "production"
external = ["gate"]
[[external]]
name = "gate"
"#;

struct Bench {
    site: Site,
    folder: Utf8PathBuf,
    asked: std::cell::Cell<usize>,
    _daemon: testkit::Running,
    sandbox: Sandbox,
}

impl Bench {
    /// A site with one package in delta, whose gate is heard as `way` says; `FOLDER` stands for a folder.
    fn new(way: &str) -> Bench {
        let sandbox = Sandbox::new();
        let folder = sandbox.folder("gate");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let way = way.replace("FOLDER", folder.as_str());
        let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &format!("{STAGES}{way}"));
        let daemon = site.start();
        let bench = Bench { site, folder, asked: 0.into(), _daemon: daemon, sandbox };
        let recipe = Recipe::new("voms", "1", "1").file("/usr/lib/voms", "it");
        let file = bench.site.upload(&recipe.file_name(), &recipe.build());
        let answer = bench.ask(&format!("action = \"import\"\nto = \"delta\"\nfiles = [\"{file}\"]"));
        assert_eq!(answer["code"], "done", "{answer:#}");
        bench
    }

    fn ask(&self, body: &str) -> Value {
        self.asked.set(self.asked.get() + 1);
        let stem = format!("r{}", self.asked.get());
        let text = format!("format = 1\nproduct = \"glite\"\n{body}\n[end]\n");
        self.site.drop_request(&format!("{stem}.toml"), &text);
        self.site.answer(&stem)
    }

    fn promote(&self, more: &str) -> Value {
        self.ask(&format!(
            "action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"voms\"]\n{more}"
        ))
    }

    /// Has the program of the gate do something else.
    fn tell(&self, script: &str) {
        let _ = self.sandbox.script("gate/program", &format!("#!/bin/sh\n{script}\n"));
    }

    #[track_caller]
    fn refused(&self, code: &str, words: &str) {
        let refused = self.promote("");
        let sentence = refused["sentence"].as_str().unwrap();
        assert!(refused["code"] == code && refused["exit"] == 3 && sentence.contains(words), "{refused:#}");
    }
}

/// What the gate says in an answer: verdict and evidence.
fn gate(answer: &Value) -> (&str, &str) {
    let gates = answer["gates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let seen = gates.iter().find(|gate| gate["gate"] == "external").unwrap_or_else(|| panic!("{answer:#}"));
    (seen["verdict"].as_str().unwrap(), seen["evidence"].as_str().unwrap())
}

#[test]
fn a_program_is_asked_about_the_plan_and_what_it_cannot_say_is_a_no() {
    let bench = Bench::new("command = [\"FOLDER/program\", \"strict\"]\ntimeout = \"120s\"\n");
    bench.refused("external-gate-unusable", "could not be started");
    let cases = [
        (
            "echo voms breaks the build; exit 1",
            "external-gate-failed",
            "`gate` does not let it pass: voms breaks the build",
        ),
        ("echo out of order >&2; exit 2", "external-gate-unusable", "ended with 2; it said `out of order`"),
        ("kill -SEGV $$", "external-gate-unusable", "was ended by signal 11"),
        ("head -c 200000 /dev/zero", "external-gate-unusable", "said too much"),
    ];
    for (script, code, words) in cases {
        bench.tell(script);
        bench.refused(code, words);
    }
    // It knows all that is to happen, by a hash that holds.
    let left = bench.folder.join("left");
    fs::create_dir(&left).unwrap();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o777)).unwrap();
    bench.tell("test \"$1\" = strict && cat > \"$(dirname \"$0\")/left/seen\" && printf 'build 4711\\n\\033[31mis green'");
    let hash = bench.promote("dry_run = true")["plan_hash"].as_str().unwrap().to_owned();
    let seen: Value = serde_json::from_slice(&fs::read(left.join("seen")).unwrap()).unwrap();
    assert_eq!((&seen["plan"], &seen["action"]), (&hash.as_str().into(), &"promote".into()), "{seen:#}");
    let production = &seen["repositories"]["glite-el9-x86_64-production"];
    assert_eq!(production["enter"][0]["nevra"], "voms-1-1.noarch", "{seen:#}");
    let done = bench.promote(&format!("plan = \"{hash}\""));
    assert_eq!(done["code"], "done", "{done:#}");
    assert_eq!(gate(&done), ("pass", "`gate` lets it pass: build 4711 [31mis green"));
}

#[test]
fn a_program_that_does_not_end_is_a_no() {
    let bench = Bench::new("command = [\"FOLDER/program\"]\ntimeout = \"2s\"\n");
    bench.tell("sleep 86414");
    bench.refused("external-gate-unusable", "did not end within 2 s");
}

#[test]
fn a_result_counts_if_its_owner_alone_may_write_it_and_it_is_of_this_plan() {
    let bench = Bench::new("results = \"FOLDER\"\nowner = \"ME\"\n");
    // The rehearsal tells the hash by which the result is called.
    let planned = bench.promote("dry_run = true");
    assert_eq!((&planned["outcome"], gate(&planned).0), (&"planned".into(), "fail"), "{planned:#}");
    let hash = planned["plan_hash"].as_str().unwrap();
    bench.refused("external-gate-missing", "has not said yet");
    let file = bench.folder.join(format!("{hash}.json"));
    let result = |verdict: &str| {
        format!(
            "{{\"format\": 1, \"plan\": \"{hash}\", \"verdict\": \"{verdict}\", \"evidence\": \"build 4711\"}}"
        )
    };
    let put = |text: &str, mode: u32| {
        let new = bench.folder.join("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(&new, &file).unwrap();
    };
    let good = result("pass");
    let other = good.replace(hash, &"5e".repeat(32));
    let cases = [
        (good.as_str(), 0o666, "external-gate-unusable", "alone may write"),
        (&good[..good.len() - 1], 0o644, "external-gate-unusable", "cannot be understood"),
        (&other, 0o644, "external-gate-unusable", "is about the plan 5e5e"),
        (&good.replace("1,", "2,"), 0o644, "external-gate-unusable", "says format 2"),
        (&good.replace("evidence", "reason"), 0o644, "external-gate-unusable", "cannot be understood"),
        (&" ".repeat(70_000), 0o644, "external-gate-unusable", "larger than 64 KiB"),
        (&result("fail"), 0o644, "external-gate-failed", "does not let it pass: build 4711"),
    ];
    for (text, mode, code, words) in cases {
        put(text, mode);
        bench.refused(code, words);
    }
    put(&good, 0o644);
    // A second name could have been made by anybody who may write beside it.
    fs::hard_link(&file, bench.folder.join("second")).unwrap();
    bench.refused("external-gate-unusable", "alone may write");
    fs::remove_file(bench.folder.join("second")).unwrap();
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
    bench.refused("external-gate-unusable", "alone may write");
    fs::set_permissions(&bench.folder, fs::Permissions::from_mode(0o777)).unwrap();
    put(&good, 0o644);
    bench.refused("external-gate-unusable", "is not a directory that");
    fs::set_permissions(&bench.folder, fs::Permissions::from_mode(0o755)).unwrap();
    // What was said too long ago was said of another world.
    run(program("touch").args(["-d", "31 days ago"]).arg(&file)).ok();
    bench.refused("external-gate-unusable", "is older than `max_age`");
    put(&good, 0o000);
    if fs::read(&file).is_err() {
        // Whoever may not look has not seen a yes; nobody waits for it.
        bench.refused("external-gate-unusable", "Permission denied");
    }
    put(&good, 0o644);
    let done = bench.promote("");
    assert_eq!(
        (&done["code"], gate(&done)),
        (&"done".into(), ("pass", "`gate` lets it pass: build 4711")),
        "{done:#}"
    );
}

#[test]
fn somebody_can_answer_for_a_gate_that_is_out_of_order() {
    let bench = Bench::new("command = [\"FOLDER/program\"]\n");
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let waived = bench.ask(&format!(
        "action = \"waive\"\nstage = \"production\"\ngate = \"external\"\npackages = [\"voms\"]\nuntil = \"{until}\"\nreason = \"the builders burn\""
    ));
    assert_eq!(waived["code"], "done", "{waived:#}");
    let done = bench.promote("");
    let (verdict, evidence) = gate(&done);
    assert!(verdict == "waived" && evidence.contains("the builders burn"), "{done:#}");
}
