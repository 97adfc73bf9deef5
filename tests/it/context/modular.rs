//! Module streams: hosts see of a context what a real dnf sees.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use camino::Utf8Path;
use daemon::config::{Context, ContextSource};
use daemon::contexts::Kept;
use repo::Recipe;
use store::PosixDisk;
use testkit::{Host, Sandbox, createrepo_c, program, run};

/// What a repository is made of.
#[derive(Default)]
struct Made {
    yaml: String,
    packages: Vec<Recipe>,
}

impl Made {
    /// A stream with what it requires, and packages `name-release` of it, or `name-release-of:other` that provide another name.
    fn stream(&mut self, id: &str, requires: &str, packages: &[&str]) {
        let [name, stream, version, context] = id.split(':').collect::<Vec<_>>()[..] else { panic!("{id}") };
        let artifacts: Vec<String> = packages
            .iter()
            .map(|package| {
                let recipe = self.package(package);
                format!("{}-0:{}-{}.{}", recipe.name, recipe.version, recipe.release, recipe.arch)
            })
            .collect();
        let _ = write!(
            self.yaml,
            "---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: \"{stream}\"\n  version: {version}\n  \
             context: {context}\n  arch: x86_64\n  summary: A module\n  description: A module.\n  license:\n    module: [MIT]\n  \
             dependencies:\n  - buildrequires:\n      platform: [el9]\n    requires:\n      platform: [el9]\n      {requires}\n  \
             artifacts:\n    rpms: [{}]\n...\n",
            artifacts.join(", ")
        );
    }

    fn by_default(&mut self, module: &str, stream: &str) {
        let _ = write!(
            self.yaml,
            "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: {module}\n  stream: \"{stream}\"\n...\n"
        );
    }

    fn package(&mut self, text: &str) -> &Recipe {
        let (text, provided) = text.split_once("-of:").unwrap_or((text, ""));
        let (name, release) = text.rsplit_once('-').unwrap();
        let recipe = Recipe::new(name, "1", release).arch("x86_64");
        let recipe = if provided.is_empty() { recipe } else { recipe.provides(provided) };
        self.packages.push(recipe);
        self.packages.last().unwrap()
    }

    fn write(&self, sandbox: &Sandbox, folder: &Utf8Path) {
        for recipe in &self.packages {
            fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
        }
        createrepo_c::<&str>(folder, &[]).ok();
        let yaml = sandbox.file("modules.yaml", &self.yaml);
        let mut command = program("modifyrepo_c");
        run(command.args(["--mdtype", "modules"]).arg(&yaml).arg(folder.join("repodata"))).ok();
    }
}

/// Names what we and a real dnf see of the repository.
fn seen(made: &Made) -> [BTreeSet<String>; 2] {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("base");
    made.write(&sandbox, &folder);
    let host = Host::new(&sandbox, "host");
    host.repository("base", &format!("file://{folder}"));
    let query = ["repoquery", "--available", "--setopt=module_platform_id=platform:el9"];
    let ran = host.dnf(&[query.as_slice(), &["--qf", "%{name}-%{version}-%{release}.%{arch}"]].concat()).ok();
    let theirs = ran.stdout.lines().filter(|line| line.ends_with(".x86_64")).map(str::to_owned).collect();
    let context = Context {
        name: "base".to_owned(),
        source: ContextSource::Folder(folder.to_string()),
        max_age: None,
        place: (1, 1),
    };
    let kept = Kept { disk: &PosixDisk, cache: sandbox.folder("cache") };
    let platform = "el9/x86_64".parse().unwrap();
    let listed = kept.listed(&context, &platform, jiff::Timestamp::now()).unwrap();
    [listed.iter().map(ToString::to_string).collect(), theirs]
}

#[test]
fn hosts_see_default_streams_and_what_they_leave_and_dnf_says_the_same() {
    let mut made = Made::default();
    for plain in ["perl-1", "perl-9", "plain-1", "other-1-of:perl", "ruby-1", "tool-1", "app-7"] {
        made.package(plain);
    }
    made.stream("perl:5:1:a", "", &["perl-2", "perl-libs-2"]);
    made.stream("perl:5:2:a", "", &["perl-3", "perl-libs-3"]);
    made.stream("perl:6:1:a", "", &["perl-4", "perl-extra-4"]);
    made.by_default("perl", "5");
    // For each stream of perl there is one of these.
    made.stream("dbi:1:1:b", "perl: [\"5\"]", &["dbi-1"]);
    made.stream("dbi:1:2:c", "perl: [\"6\"]", &["dbi-2"]);
    made.by_default("dbi", "1");
    made.stream("ruby:3:1:d", "", &["ruby-3"]);
    made.stream("app:1:1:e", "nothing: []", &["app-1"]);
    made.by_default("app", "1");
    made.stream("node:8:1:f", "", &["node-8"]);
    made.stream("web:1:1:g", "node: []", &["web-1"]);
    made.by_default("web", "1");
    made.stream("tool:1:1:h", "perl: [\"-6\"]", &["tool-5"]);
    made.by_default("tool", "1");
    let [ours, theirs] = seen(&made);
    assert_eq!(ours, theirs);
    let expected = [
        "app-1-7",
        "dbi-1-1",
        "node-1-8",
        "perl-1-2",
        "perl-1-3",
        "perl-libs-1-2",
        "perl-libs-1-3",
        "plain-1-1",
        "ruby-1-1",
        "tool-1-5",
        "web-1-1",
    ];
    assert_eq!(ours, expected.iter().map(|name| format!("{name}.x86_64")).collect());
}

/// With SLUICE_THOROUGH=1 there are 200 of them.
#[test]
fn of_repositories_made_up_dnf_sees_what_we_see() {
    let worlds = if std::env::var_os("SLUICE_THOROUGH").is_some() { 200 } else { 5 };
    let (mut listed, mut hidden) = (0, 0);
    for seed in 0..worlds {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut made = Made::default();
        let defaults: Vec<Option<u8>> = (0..6).map(|_| rng.bool().then(|| rng.u8(1..3))).collect();
        let mut streams: Vec<u8> = Vec::new();
        for module in 0..6_usize {
            made.package(&format!("m{module}-{}", rng.u8(1..9)));
            // Where a module has no default and several streams, which one comes with others is the solver's choice.
            let count = if defaults[module].is_some() { 2 } else { 1 };
            streams.push(count);
            for stream in 1..=count {
                let requires = match (rng.u8(0..5), module) {
                    (0, _) => format!("gone: [\"{stream}\"]"),
                    (1, 1..) => format!("m{}: []", rng.usize(0..module)),
                    (2, 1..) => {
                        let other = rng.usize(0..module);
                        format!("m{other}: [\"{}\", \"7\"]", defaults[other].unwrap_or(1))
                    }
                    (3, 1..) => format!("m{}: [\"-9\"]", rng.usize(0..module)),
                    _ => String::new(),
                };
                for version in 1..=rng.u8(1..3) {
                    let release = 10 * stream + version;
                    made.stream(
                        &format!("m{module}:{stream}:{version}:c{version}"),
                        &requires,
                        &[&format!("m{module}-{release}"), &format!("m{module}-s{stream}-{release}")],
                    );
                }
            }
            if let Some(stream) = defaults[module] {
                made.by_default(&format!("m{module}"), &stream.to_string());
            }
        }
        let [ours, theirs] = seen(&made);
        assert_eq!(ours, theirs, "world {seed}:\n{}", made.yaml);
        listed += ours.len();
        hidden += made.packages.len() - ours.len();
    }
    println!("{worlds} repositories with {listed} packages that hosts see and {hidden} that they do not");
    assert!(listed > 0 && hidden > 0);
}
