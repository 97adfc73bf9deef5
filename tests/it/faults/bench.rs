//! A real site that is put back into a state again and again, and the looks at it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::observe;
use daemon::verify::{Rest, Verifier};
use jiff::Timestamp;
use repo::Recipe;
use store::planted::Bug;
use store::{PosixDisk, Store};
use testkit::{Ran, Sandbox, Site, program, run};
use walkdir::WalkDir;

use super::calls::{Traced, round};
use super::timeless::{Offered, Timeless, built};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
admin = ["ME"]
[[product]]
name = "glite"
preset = "glite"
partial_release = "raised"
platforms = ["el9/x86_64"]
"#;

/// Every answer that can be read.
pub type Told = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// A site, and the states it was in.
pub struct Bench {
    sandbox: Sandbox,
    pub site: Site,
    /// Where strace, which is the daemon's user, writes.
    pub traces: Utf8PathBuf,
    /// A site on which nothing was ever done.
    pub bare: State,
    /// A site with two packages in delta.
    pub filled: State,
}

/// Root and control directory as they were, to be put back.
#[derive(Debug, Clone)]
pub struct State {
    at: Utf8PathBuf,
}

impl Bench {
    /// Makes a site with this grace, such as `1h`.
    pub fn new(grace: &str) -> Bench {
        let sandbox = Sandbox::new();
        let site = Site::new(&sandbox, "http://127.0.0.1:1", &format!("grace = \"{grace}\"{STAGES}"));
        let traces = sandbox.folder("traces");
        fs::set_permissions(&traces, fs::Permissions::from_mode(0o777)).unwrap();
        let nothing = State { at: Utf8PathBuf::new() };
        let mut bench = Bench { sandbox, site, traces, bare: nothing.clone(), filled: nothing };
        bench.bare = bench.save("bare");
        run(bench.site.as_daemon().arg("init")).ok();
        bench.ask_import("before", &[("voms", "1.0"), ("lcg", "1.0")]);
        bench.once();
        bench.filled = bench.save("filled");
        bench
    }

    /// Drops a request without waiting.
    pub fn ask(&self, stem: &str, body: &str) {
        self.site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{body}\n[end]\n"));
    }

    /// Drops the request to import these packages into delta.
    pub fn ask_import(&self, stem: &str, packages: &[(&str, &str)]) {
        let recipes: Vec<Recipe> =
            packages.iter().map(|(name, version)| Self::component(name, version)).collect();
        self.ask(stem, &self.importing(&recipes));
    }

    /// A package that brings a file.
    pub fn component(name: &str, version: &str) -> Recipe {
        Recipe::new(name, version, "1").file(&format!("/usr/share/{name}"), version)
    }

    /// The request to import packages into delta, which are uploaded.
    pub fn importing(&self, packages: &[Recipe]) -> String {
        let upload = |recipe: &Recipe| self.site.upload(&recipe.file_name(), &recipe.build());
        let files: Vec<String> = packages.iter().map(upload).collect();
        format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = {files:?}")
    }

    /// Runs one round that must go well.
    pub fn once(&self) -> Ran {
        run(self.site.as_daemon().args(["daemon", "--once"])).ok()
    }

    /// Asks, and lets it be settled.
    pub fn settle(&self, stem: &str, body: &str) {
        self.ask(stem, body);
        self.once();
        let answers = self.site.answers(stem);
        assert!(answers.len() == 1 && answers[0].1["exit"] == 0, "{answers:?}");
    }

    /// Runs one round below strace.
    pub fn traced(&self, watched: &str, injects: &[String]) -> Traced {
        round(self, watched, injects, &[])
    }

    /// Runs one round below strace with a planted bug, or with none, and watches all calls.
    pub fn planted(&self, bug: Option<Bug>) -> Traced {
        let name = bug.map(|bug| format!("{bug:?}"));
        let environment: Vec<_> = name.iter().map(|name| ("SLUICE_PLANTED_BUG", name.as_str())).collect();
        round(self, "all", &[], &environment)
    }

    /// Makes an empty folder beside the site, in place of what was there.
    pub fn folder(&self, name: &str) -> Utf8PathBuf {
        remove_tree(&self.sandbox.path(name));
        self.sandbox.folder(name)
    }

    fn parts(&self) -> [Utf8PathBuf; 2] {
        [self.site.root(), self.site.spool()]
    }

    /// Keeps a copy of the state the site is in, instead of any kept under that name before.
    pub fn save(&self, name: &str) -> State {
        let at = self.sandbox.path(&format!("saved-{name}"));
        remove_tree(&at);
        fs::create_dir(&at).unwrap_or_else(|error| panic!("failed to make `{at}`: {error}"));
        let parts = self.parts();
        let mut copy = program("cp");
        run(copy.args(["-a", "--reflink=auto"]).args(&parts).arg(&at)).ok();
        State { at }
    }

    /// Puts the site back into a state.
    pub fn restore(&self, state: &State) {
        for part in self.parts() {
            remove_tree(&part);
        }
        let mut copy = program("cp");
        let kept = [state.at.join("root"), state.at.join("spool")];
        run(copy.args(["-a", "--reflink=auto"]).args(kept).arg(self.site.root().parent().unwrap())).ok();
    }

    /// What is wrong by `sluice verify`, asked without starting the program.
    pub fn look(&self, rest: Rest) -> Vec<String> {
        let soon = Timestamp::now() + jiff::SignedDuration::from_secs(2);
        let (root, spool) = (self.site.root(), self.site.spool());
        let found = Verifier::default().verify(&PosixDisk, &root, Some(&spool), rest, soon);
        found.iter().map(|found| format!("{} {}: {}", found.invariant, found.place, found.words)).collect()
    }

    /// What is offered now; nothing before the first generation.
    pub fn offered(&self) -> Result<Offered, String> {
        let mut offered = Offered::new();
        self.each_offered(|repository, rpm| {
            let of = offered.entry(repository.to_owned()).or_default();
            rpm.map(|rpm| Timeless::of(rpm).map(|package| of.insert(package))).transpose().map(drop)
        })?;
        Ok(offered)
    }

    /// When each package was built that is offered now, by its file in the pool.
    pub fn built(&self) -> Result<BTreeSet<i64>, String> {
        let mut all = BTreeSet::new();
        self.each_offered(|_, rpm| rpm.map(|rpm| built(rpm).map(|at| all.insert(at))).transpose().map(drop))?;
        Ok(all)
    }

    /// Hands over each repository, and each package that it lists.
    fn each_offered(
        &self,
        mut take: impl FnMut(&str, Option<&[u8]>) -> Result<(), String>,
    ) -> Result<(), String> {
        let root = self.site.root();
        let store = Store::new(Arc::new(PosixDisk), root.clone());
        let listed = observe::Site::current(store).map_err(|error| error.to_string())?;
        let packages = listed.map(|site| site.packages()).transpose().map_err(|error| error.to_string())?;
        for (repository, listed) in packages.into_iter().flatten() {
            take(&repository.name(), None)?;
            for listed in listed.iter() {
                let path = root.join(listed.pooled());
                let rpm = fs::read(&path).map_err(|error| format!("`{path}`: {error}"))?;
                take(&repository.name(), Some(&rpm)).map_err(|why| format!("`{path}`: {why}"))?;
            }
        }
        Ok(())
    }

    /// The files below `public/packages`, by repository, file name and what they are, whenever they were built.
    pub fn links(&self) -> BTreeSet<String> {
        let packages = self.site.root().join("public/packages");
        let files = WalkDir::new(&packages).into_iter().flatten().filter(|entry| entry.file_type().is_file());
        let named = files.map(|entry| {
            let path = Utf8PathBuf::from_path_buf(entry.into_path()).unwrap();
            let repository = path.strip_prefix(&packages).unwrap().iter().next().unwrap_or_default();
            let is = fs::read(&path).map_err(|error| error.to_string()).and_then(|rpm| Timeless::of(&rpm));
            format!("{repository}/{} {is:?}", path.file_name().unwrap_or_default())
        });
        named.collect()
    }

    /// The answers that can be read.
    pub fn told(&self) -> Told {
        let mut told = Told::new();
        for folder in ["done", "failed"] {
            for name in names(&self.site.spool().join(folder)) {
                if name.ends_with(".answer.json") {
                    let path = self.site.spool().join(folder).join(name);
                    told.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        told
    }

    /// Counts what lies in a directory of the root and below.
    pub fn count(&self, directory: &str) -> usize {
        WalkDir::new(self.site.root().join(directory)).min_depth(1).into_iter().flatten().count()
    }
}

/// The names in a directory; none if there is no such directory.
pub fn names(directory: &Utf8Path) -> BTreeSet<String> {
    let entries = directory.read_dir_utf8().map(|entries| entries.flatten().collect::<Vec<_>>());
    entries.unwrap_or_default().iter().map(|entry| entry.file_name().to_owned()).collect()
}

fn remove_tree(top: &Utf8Path) {
    if !top.exists() {
        return;
    }
    // Whoever is not root cannot empty a sealed directory.
    for entry in WalkDir::new(top).into_iter().flatten() {
        if entry.file_type().is_dir() {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    fs::remove_dir_all(top).unwrap_or_else(|error| panic!("failed to remove `{top}`: {error}"));
}
