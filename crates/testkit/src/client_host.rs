//! A machine in a folder: what dnf and zypper install goes there.
#![expect(clippy::disallowed_methods, reason = "lays out the folder of a client")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Ran, Sandbox, is_root, program, run};

/// A client of the repositories: a private root, a private rpm database, its own `.repo` files.
///
/// dnf installs as root only; whoever is not root gets to be it in a user namespace of his own.
#[derive(Debug)]
pub struct Host {
    root: Utf8PathBuf,
    home: Utf8PathBuf,
}

impl Host {
    /// Makes a new one, with nothing installed, in the sandbox.
    #[must_use]
    pub fn new(sandbox: &Sandbox, name: &str) -> Self {
        for folder in
            ["etc/yum.repos.d", "var/log", "var/cache/dnf", "var/cache/zypp", "var/lib/dnf", "var/lib/rpm"]
        {
            let _ = sandbox.folder(&format!("{name}/{folder}"));
        }
        let home = sandbox.folder(&format!("{name}.home"));
        // Debian's rpm would keep its database in the home directory.
        fs::write(home.join(".rpmmacros"), "%_dbpath /var/lib/rpm\n").expect("failed to write .rpmmacros");
        Self { root: sandbox.path(name), home }
    }

    /// Returns its root directory.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Gives it a `.repo` file, in place of one of the same name.
    pub fn dot_repo(&self, name: &str, content: impl AsRef<[u8]>) {
        let file = self.root.join("etc/yum.repos.d").join(name);
        fs::write(&file, content).unwrap_or_else(|error| panic!("failed to write `{file}`: {error}"));
    }

    /// Points it at one repository without signatures.
    pub fn repository(&self, id: &str, base_url: &str) {
        let text = format!("[{id}]\nname={id}\nbaseurl={base_url}\ngpgcheck=0\nenabled=1\n");
        self.dot_repo(&format!("{id}.repo"), text);
    }

    /// Runs dnf in it: `["install", "voms"]`. Every run asks the repositories again what there is,
    /// however long their metadata may be believed.
    pub fn dnf<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        self.dnf_with(&["--refresh"], arguments)
    }

    /// Runs dnf in it as [`Host::dnf`] does, and lets it believe the metadata it has cached.
    pub fn dnf_with_cache<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        self.dnf_with(&["--setopt=metadata_expire=-1"], arguments)
    }

    fn dnf_with<S: AsRef<str>>(&self, options: &[&str], arguments: &[S]) -> Ran {
        let root = &self.root;
        let mut command = self.as_root("dnf");
        command
            .args(["-q", "-y", "--releasever=9", "--forcearch=x86_64"])
            .args(options)
            .arg(format!("--installroot={root}"));
        for (option, value) in [
            ("reposdir", format!("{root}/etc/yum.repos.d")),
            ("cachedir", format!("{root}/var/cache/dnf")),
            ("logdir", format!("{root}/var/log")),
            ("persistdir", format!("{root}/var/lib/dnf")),
            ("plugins", "0".to_owned()),
            ("tsflags", "noscripts".to_owned()),
            ("best", "1".to_owned()),
            ("retries", "1".to_owned()),
            // A machine that does much else is slow, and no fault of a server.
            ("timeout", "600".to_owned()),
            ("minrate", "1".to_owned()),
        ] {
            command.arg(format!("--setopt={option}={value}"));
        }
        run(command.args(arguments.iter().map(AsRef::as_ref)))
    }

    /// Runs zypper in it, without checking signatures: `["refresh"]`.
    pub fn zypper<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        let mut command = self.as_root("zypper");
        command.args(["--non-interactive", "--no-gpg-checks", "--root"]).arg(&self.root);
        command.arg("--reposd-dir").arg(self.root.join("etc/yum.repos.d"));
        run(command.args(arguments.iter().map(AsRef::as_ref)))
    }

    /// Runs zypper in it as it comes, checking signatures.
    pub fn zypper_checking<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        let mut command = self.as_root("zypper");
        command.args(["--non-interactive", "--root"]).arg(&self.root);
        command.arg("--reposd-dir").arg(self.root.join("etc/yum.repos.d"));
        run(command.args(arguments.iter().map(AsRef::as_ref)))
    }

    /// Lets it trust a key for packages and, with zypper, for metadata.
    pub fn trust(&self, certificate: &str) {
        let file = self.root.join("trusted.key");
        fs::write(&file, certificate).expect("failed to write a certificate");
        run(self.as_root("rpm").arg("--root").arg(&self.root).arg("--import").arg(&file)).ok();
    }

    /// Lists what is installed, as rpm says it: `voms-2.0.8-1.el5.x86_64`.
    #[must_use]
    pub fn installed(&self) -> BTreeSet<String> {
        let listed = run(self.as_root("rpm").arg("--root").arg(&self.root).arg("-qa")).ok().stdout;
        listed.lines().map(str::to_owned).collect()
    }

    /// Asks rpm whether it would install these packages together, whatever they require.
    pub fn rpm_test(&self, packages: &[&Utf8Path]) -> Ran {
        let mut command = self.as_root("rpm");
        command.args(["-U", "--test", "--nodeps", "--root"]).arg(&self.root).args(packages);
        run(&mut command)
    }

    /// Runs rpm in it: `["-U", "--nodeps", ...]`.
    pub fn rpm<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        let mut command = self.as_root("rpm");
        run(command.arg("--root").arg(&self.root).args(arguments.iter().map(AsRef::as_ref)))
    }

    fn as_root(&self, name: &str) -> Command {
        let mut command = if is_root() {
            program(name)
        } else {
            let mut inside = program("unshare");
            inside.args(["--map-root-user", "--"]).arg(name);
            inside
        };
        command.env("HOME", &self.home).current_dir(&self.root);
        command
    }
}
