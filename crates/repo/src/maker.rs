//! A small writer of RPMs, for examples, demonstrations, tests, and packages that only carry a few files of their own.
//!
//! It makes what rpm, dnf and createrepo_c take without complaint, and nothing fancy: no scripts, no
//! links, no signature. Who changes or signs packages that somebody depends on wants another tool.

mod archive;
mod assembly;
mod header;

use std::collections::BTreeSet;

use nevra::{Arch, Dependency, Evr, Nevra};

use crate::Changelog;

#[cfg(test)]
pub(crate) use header::Writer;

/// What is to be in an RPM; [`Recipe::build`] makes it.
///
/// ```
/// use repo::{Recipe, read_head};
///
/// let rpm = Recipe::new("voms-clients", "1.9.10", "1")
///     .arch("x86_64")
///     .requires("glite-security >= 2.0")
///     .file("/usr/bin/voms-proxy-init", "#!/bin/sh\n")
///     .change(1_700_000_000, "Ann <ann@example.org> - 1.9.10-1", "- first of its kind")
///     .build();
/// let head = read_head(&mut rpm.as_slice())?;
/// assert!(head.check_header()?.is_some());
/// # Ok::<(), repo::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The package's name.
    pub name: String,
    /// Its epoch; `None` and 0 make different headers and mean the same.
    pub epoch: Option<u32>,
    /// Its version, without `-`.
    pub version: String,
    /// Its release, without `-`.
    pub release: String,
    /// The architecture it is for; of a source package the one it was made on.
    pub arch: Arch,
    /// Whether it is a source package.
    pub source: bool,
    /// One line about it.
    pub summary: String,
    /// More lines about it.
    pub description: String,
    /// Its licence.
    pub license: String,
    /// Who distributes it; empty for no tag, as with the three below.
    pub vendor: String,
    /// Who packaged it.
    pub packager: String,
    /// Where its project lives.
    pub url: String,
    /// Its group.
    pub group: String,
    /// The machine it says it was built on.
    pub build_host: String,
    /// When it says it was built, in seconds since 1970; also the time of its files.
    pub build_time: u32,
    /// The source package it says it was made from; `None` for one of its own name.
    pub source_rpm: Option<String>,
    /// What it provides besides its own name.
    pub provides: Vec<Dependency>,
    /// What it requires.
    pub requires: Vec<Dependency>,
    /// What it conflicts with.
    pub conflicts: Vec<Dependency>,
    /// What it obsoletes.
    pub obsoletes: Vec<Dependency>,
    /// What it recommends.
    pub recommends: Vec<Dependency>,
    /// What it suggests.
    pub suggests: Vec<Dependency>,
    /// Its files: absolute path and content; of a source package the bare name.
    pub files: Vec<(String, Vec<u8>)>,
    /// Those of its files that are configuration: what somebody changed of them survives an upgrade.
    pub config_files: BTreeSet<String>,
    /// Those of its files that are documentation.
    pub documentation: BTreeSet<String>,
    /// Its directories: absolute paths.
    pub directories: Vec<String>,
    /// Its changes, the newest first.
    pub changelog: Vec<Changelog>,
}

impl Recipe {
    /// Starts with a `noarch` package that has nothing but a name.
    pub fn new(name: impl Into<String>, version: impl Into<String>, release: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            summary: format!("Example package {name}"),
            description: format!("An example package called {name}."),
            name,
            epoch: None,
            version: version.into(),
            release: release.into(),
            arch: Arch::new("noarch"),
            source: false,
            license: "MIT".into(),
            vendor: String::new(),
            packager: String::new(),
            url: String::new(),
            group: "Unspecified".into(),
            build_host: "build.example.org".into(),
            build_time: 1_700_000_000,
            source_rpm: None,
            provides: Vec::new(),
            requires: Vec::new(),
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            files: Vec::new(),
            config_files: BTreeSet::new(),
            documentation: BTreeSet::new(),
            directories: Vec::new(),
            changelog: Vec::new(),
        }
    }

    /// Starts with a package of this name; `src` starts a source package made on `x86_64`.
    #[must_use]
    pub fn of(nevra: &Nevra) -> Self {
        let Evr { epoch, version, release } = &nevra.evr;
        let source = nevra.arch.is_source();
        let arch = if source { Arch::new("x86_64") } else { nevra.arch.clone() };
        let epoch = (*epoch != 0).then_some(*epoch);
        Self { epoch, arch, source, ..Self::new(&nevra.name, version, release) }
    }

    /// Sets the epoch.
    #[must_use]
    pub fn epoch(self, epoch: u32) -> Self {
        Self { epoch: Some(epoch), ..self }
    }

    /// Sets the architecture.
    #[must_use]
    pub fn arch(self, arch: &str) -> Self {
        Self { arch: Arch::new(arch), ..self }
    }

    /// Makes it a source package.
    #[must_use]
    pub fn source(self) -> Self {
        Self { source: true, ..self }
    }

    /// Sets the line about it.
    #[must_use]
    pub fn summary(self, summary: &str) -> Self {
        Self { summary: summary.into(), ..self }
    }

    /// Sets the lines about it.
    #[must_use]
    pub fn description(self, description: &str) -> Self {
        Self { description: description.into(), ..self }
    }

    /// Sets when it was built.
    #[must_use]
    pub fn build_time(self, seconds: u32) -> Self {
        Self { build_time: seconds, ..self }
    }

    /// Sets where it was built.
    #[must_use]
    pub fn build_host(self, host: &str) -> Self {
        Self { build_host: host.into(), ..self }
    }

    /// Sets the source package it was made from.
    #[must_use]
    pub fn source_rpm(self, file_name: &str) -> Self {
        Self { source_rpm: Some(file_name.into()), ..self }
    }

    /// Adds something it provides: `name` or `name = 1.2-3`.
    #[must_use]
    pub fn provides(mut self, dependency: &str) -> Self {
        self.provides.push(dependency_from(dependency));
        self
    }

    /// Adds a requirement: `name` or `name >= 1.2-3`.
    #[must_use]
    pub fn requires(mut self, dependency: &str) -> Self {
        self.requires.push(dependency_from(dependency));
        self
    }

    /// Adds something it conflicts with.
    #[must_use]
    pub fn conflicts(mut self, dependency: &str) -> Self {
        self.conflicts.push(dependency_from(dependency));
        self
    }

    /// Adds something it obsoletes.
    #[must_use]
    pub fn obsoletes(mut self, dependency: &str) -> Self {
        self.obsoletes.push(dependency_from(dependency));
        self
    }

    /// Adds something it recommends.
    #[must_use]
    pub fn recommends(mut self, dependency: &str) -> Self {
        self.recommends.push(dependency_from(dependency));
        self
    }

    /// Adds something it suggests.
    #[must_use]
    pub fn suggests(mut self, dependency: &str) -> Self {
        self.suggests.push(dependency_from(dependency));
        self
    }

    /// Adds a file; what lies in a directory `bin` or `sbin` is executable.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.push((path.into(), content.as_ref().to_vec()));
        self
    }

    /// Adds a file of configuration, `%config(noreplace)` in the words of rpmbuild.
    #[must_use]
    pub fn config_file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.config_files.insert(path.into());
        self.file(path, content)
    }

    /// Adds a file of documentation, `%doc` in the words of rpmbuild.
    #[must_use]
    pub fn documentation(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.documentation.insert(path.into());
        self.file(path, content)
    }

    /// Adds a directory.
    #[must_use]
    pub fn directory(mut self, path: &str) -> Self {
        self.directories.push(path.into());
        self
    }

    /// Adds a change, older than those before.
    #[must_use]
    pub fn change(mut self, seconds: u32, author: &str, text: &str) -> Self {
        let date = i64::from(seconds);
        self.changelog.push(Changelog { author: author.into(), date, text: text.into() });
        self
    }

    /// Gives the full name metadata will list: `src` for a source package.
    #[must_use]
    pub fn nevra(&self) -> Nevra {
        Nevra {
            name: self.name.clone(),
            evr: self.evr(),
            arch: if self.source { Arch::new("src") } else { self.arch.clone() },
        }
    }

    /// Gives the name the file usually has.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.nevra().file_name()
    }

    fn evr(&self) -> Evr {
        let (version, release) = (self.version.clone(), self.release.clone());
        Evr { epoch: self.epoch.unwrap_or(0), version, release }
    }
}

/// Takes text that is no dependency as a name: a recipe may want to make odd packages.
fn dependency_from(text: &str) -> Dependency {
    text.parse().unwrap_or_else(|_| Dependency { name: text.into(), bound: None })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::samples;
