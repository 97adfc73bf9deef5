//! What goes along with packages: advisories, groups, modules, as dnf sees them in each stage before and after.

mod adopted_again;
mod advisories;
mod groups;
mod making;
mod modules;
mod optional;
mod parts;
mod siblings;
mod unheard;
mod waiting;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use testkit::{Checker, Host, Nginx, Ran, Running, Sandbox, Site, createrepo_c, program, run};

/// The stages `delta` and `production`; `MORE` stands in both.
const STAGES: &str = r#"
[roles]
release-team = ["ME"]
operations = ["ME"]
admin = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
partial_release = "raised"
[[product.stage]]
name = "delta"
path = "delta/{os}"
import_roles = ["release-team"]
MORE
[[product.stage]]
name = "production"
path = "production/{os}"
import_roles = ["release-team"]
MORE
"#;

/// A site that is served, whose stage `delta` adopted a repository.
struct Town {
    site: Site,
    nginx: Nginx,
    daemon: Running,
    sandbox: Sandbox,
}

/// One package, without anything in it that matters.
fn package(name: &str, version: &str) -> Recipe {
    Recipe::new(name, version, "1").arch("x86_64").file(&format!("/usr/share/{name}"), version.as_bytes())
}

/// A repository of these packages in version 1, with these files of metadata beside them.
fn repository(sandbox: &Sandbox, packages: &[&str], beside: &[(&str, &str)]) -> Utf8PathBuf {
    let folder = sandbox.folder("old");
    for name in packages {
        let recipe = package(name, "1");
        let _ = sandbox.file(&format!("old/{}", recipe.file_name()), recipe.build());
    }
    let groups = beside.iter().find(|(name, _)| *name == "comps.xml");
    match groups {
        Some((_, text)) => {
            let file = sandbox.file("comps.xml", text);
            createrepo_c(&folder, &["--groupfile", file.as_str()]).ok();
        }
        None => drop(createrepo_c::<&str>(&folder, &[]).ok()),
    }
    for (name, text) in beside.iter().filter(|(name, _)| *name != "comps.xml") {
        let file = sandbox.file(name, text);
        run(program("modifyrepo_c").arg(file).arg(folder.join("repodata"))).ok();
    }
    folder
}

impl Town {
    /// Starts one where `delta` lists these packages with these files beside them; `more` is said of both stages.
    fn new(packages: &[&str], beside: &[(&str, &str)], more: &str) -> Self {
        Self::routed(packages, beside, more, "")
    }

    /// The same with a route that says so.
    fn routed(packages: &[&str], beside: &[(&str, &str)], more: &str, route: &str) -> Self {
        let sandbox = Sandbox::new();
        let folder = repository(&sandbox, packages, beside);
        let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
        let site = Site::initialised(&sandbox, nginx.base_url(), &(STAGES.replace("MORE", more) + route));
        let daemon = site.start();
        site.sluice(&["adopt", folder.as_str(), "--stage", "delta"]).ok();
        Self { site, nginx, daemon, sandbox }
    }

    fn sluice(&self, arguments: &[&str]) -> Ran {
        self.site.sluice(arguments)
    }

    /// A host that draws from one stage and has packages in version 0 installed.
    fn host(&self, name: &str, stage: &str, installed: &[&str]) -> Host {
        let host = Host::new(&self.sandbox, name);
        host.repository(stage, &format!("{}/{stage}/el9/", self.nginx.base_url()));
        for name in installed {
            let recipe = package(name, "0");
            let file = self.sandbox.file(&recipe.file_name(), recipe.build());
            host.rpm(&["-U", "--nodeps", file.as_str()]).ok();
        }
        host
    }

    /// The metadata that a stage publishes.
    fn published(&self, stage: &str) -> Utf8PathBuf {
        self.site.root().join(format!("public/current/{stage}/el9"))
    }

    /// Stops the daemon and looks whether everything is as it must be.
    fn end(mut self) {
        assert!(self.daemon.stop().is_some_and(|status| status.success()), "{}", self.daemon.log());
        self.site.sluice(&["verify", "--at-rest"]).ok();
        self.site.sluice(&["audit", "--rejudge"]).ok();
        Checker::of(&self.site).at_rest().assert_sound();
    }
}

/// Reads a file of the metadata below a folder, unpacked; nothing if there is none of this type.
fn unpacked(folder: &Utf8Path, kind: &str) -> Option<Vec<u8>> {
    let repomd = repo::Repomd::parse(&std::fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
    let record = repomd.record(kind)?;
    let packed = std::fs::read(folder.join(&record.href)).unwrap();
    Some(repo::unpack(&packed, 1 << 20).unwrap())
}

fn own(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// The number of the generation that the last but `back` request made.
fn generation_of(town: &Town, back: u64) -> String {
    let link = std::fs::read_link(town.site.root().join("public/current")).unwrap();
    let number: u64 = link.to_str().unwrap().trim_start_matches('@').parse().unwrap();
    (number - back).to_string()
}
