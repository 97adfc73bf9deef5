//! Signed metadata: made by the real gpg, checked by real clients, and never published when it is wrong.

mod both;
mod clients;
mod ended;
mod failing;
mod moving;
mod power;
mod roll_over;
mod verifying;

use std::fs;

use camino::Utf8PathBuf;
use repo::Recipe;
use serde_json::Value;
use testkit::{Fetched, Gnupg, Ran, Sandbox, Site, fetch, program, run};

/// Where repositories of the signed stage lie below the web root; delta is not signed.
pub const PRODUCTION: &str = "glite/el9/x86_64/production";

/// A site whose production is signed, with the keys that sign there.
pub struct Signed {
    pub site: Site,
    gnupg: Gnupg,
    /// Name and fingerprint of each key, in the order in which they were made.
    keys: Vec<(String, String)>,
    pub sandbox: Sandbox,
}

impl Signed {
    /// Makes the keys and the configuration; nothing is published yet. `signer` is the inside of `[signer]`,
    /// in which `HOME` stands for the GNUPGHOME and `FOLDER` for the sandbox.
    pub fn new(base_url: &str, sandbox: Sandbox, names: &[&str], signer: &str) -> Self {
        let gnupg = Gnupg::new(&sandbox, "gnupg");
        let keys: Vec<_> = names.iter().map(|name| ((*name).to_owned(), gnupg.key(name))).collect();
        for (name, fingerprint) in &keys {
            fs::write(sandbox.path(&format!("{name}.asc")), gnupg.certificate(fingerprint)).unwrap();
        }
        let site = Site::new(&sandbox, base_url, "");
        let signed = Self { site, gnupg, keys, sandbox };
        let head = fs::read_to_string(signed.site.config()).unwrap();
        fs::write(signed.site.config(), head + &signed.rest(signer, &names[..1])).unwrap();
        // gpg wants its home to belong to whoever runs it.
        signed.site.give_to_daemon(signed.gnupg.home());
        signed
    }

    /// Everything of the configuration behind `[site]`.
    fn rest(&self, signer: &str, signed_by: &[&str]) -> String {
        let mut text = format!(
            "[roles]\nrelease-team = [\"uid:{}\"]\n[signer]\n{}\n",
            nix::unistd::geteuid(),
            signer
                .replace("HOME", self.gnupg.home().as_str())
                .replace("FOLDER", self.sandbox.path("").as_str().trim_end_matches('/'))
        );
        for (name, fingerprint) in &self.keys {
            let file = self.sandbox.path(&format!("{name}.asc"));
            text +=
                &format!("[[key]]\nname = \"{name}\"\nfile = \"{file}\"\nfingerprint = \"{fingerprint}\"\n");
        }
        text + &format!(
            "[[product]]\nname = \"glite\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n\
             [[product.stage]]\nname = \"production\"\nmetalink = true\nmetadata_signed_by = {signed_by:?}\n\
             import_roles = [\"release-team\"]\n"
        )
    }

    /// Imports one version of a package; whoever asks waits as long as `options` say.
    pub fn import(&self, stage: &str, version: &str, options: &[&str]) -> Ran {
        let recipe =
            Recipe::new("voms", version, "1").arch("x86_64").file("/usr/share/voms/version", version);
        let file = self.sandbox.path(&recipe.file_name());
        fs::write(&file, recipe.build()).unwrap();
        self.site.sluice(&[&["import", "--to", stage, file.as_str()], options].concat())
    }

    /// A file of the signed repository as it is published.
    fn published(&self, name: &str) -> Vec<u8> {
        let file = self.site.root().join("public/current").join(PRODUCTION).join("repodata").join(name);
        fs::read(&file).unwrap_or_else(|error| panic!("failed to read `{file}`: {error}"))
    }

    fn current(&self) -> u64 {
        let link = fs::read_link(self.site.root().join("public/current")).unwrap();
        link.to_str().unwrap().trim_start_matches('@').parse().unwrap()
    }

    /// What `sluice status` says of the signer.
    fn signer(&self) -> Value {
        let ran = run(self.site.as_daemon().args(["--json", "status"])).ok();
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["signer"].clone()
    }

    /// Who signed what is published now, as gpg says it.
    #[track_caller]
    fn signed_by(&self) -> String {
        let folder = self.sandbox.folder("looked-at");
        for name in ["repomd.xml", "repomd.xml.asc"] {
            fs::write(folder.join(name), self.published(name)).unwrap();
        }
        let home = self.sandbox.folder("verifying");
        let gpg = || {
            let mut gpg = program("gpg");
            gpg.args([
                "--homedir",
                home.as_str(),
                "--batch",
                "--no-tty",
                "--no-autostart",
                "--status-fd",
                "1",
            ]);
            gpg
        };
        let certificates = folder.join("repomd.xml.key");
        fs::write(&certificates, self.published("repomd.xml.key")).unwrap();
        run(gpg().arg("--import").arg(&certificates)).ok();
        let names = ["repomd.xml.asc", "repomd.xml"].map(|name| folder.join(name));
        let said = run(gpg().arg("--verify").args(names)).ok().stdout;
        let valid = said.lines().find_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG "));
        let fingerprint = valid.expect("gpg finds a valid signature").split(' ').next().unwrap_or_default();
        let known = self.keys.iter().find(|(_, known)| known == fingerprint);
        known.map(|(name, _)| name.clone()).expect("it is one of the keys")
    }

    pub fn path_of(&self, name: &str) -> Utf8PathBuf {
        self.sandbox.path(name)
    }
}

/// The signer that most tests use.
pub const GPG: &str = "gpg_home = \"HOME\"";

/// Fetches what must be there.
#[track_caller]
fn fetched(url: &str) -> Fetched {
    let answer = fetch(url);
    assert_eq!(answer.status, 200, "{url}");
    answer
}
