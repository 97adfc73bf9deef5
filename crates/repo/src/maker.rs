//! A small writer of RPMs, for examples, demonstrations and tests.
//!
//! It makes what rpm, dnf and createrepo_c take without complaint, and nothing fancy: no scripts, no
//! links, no signature. Who changes or signs packages that somebody depends on wants another tool.

mod archive;
mod header;

use nevra::{Arch, Dependency, Evr, Nevra, Sense};
use sha1::Digest as _;

use crate::guard::Part;
use crate::tags::{self, signature};
use crate::{Changelog, gzip};

use archive::{Archive, Member};
use header::Writer;

/// Dependencies on rpm itself.
const RPMLIB: u32 = 1 << 24;

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

    /// Makes the RPM: the same recipe gives the same bytes.
    ///
    /// Nothing is checked: a name with a blank makes an RPM that nobody takes.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let archive = Archive::new(self.members(), self.build_time, self.source);
        let payload = gzip(&archive.bytes);
        let header = self.header(&archive, &payload);

        let mut signature = Writer::default();
        let both = header.len() + payload.len();
        signature.text(signature::SHA1, &hex(&sha1::Sha1::digest(&header)));
        signature.text(signature::SHA256, &hex(&sha2::Sha256::digest(&header)));
        signature.numbers(signature::SIZE, [number(both)]);
        signature.numbers(signature::ARCHIVE_SIZE, [number(archive.bytes.len())]);
        let mut signature = signature.finish(Part::Signature);
        signature.resize(signature.len().next_multiple_of(8), 0);

        [self.lead(), signature, header, payload].concat()
    }

    /// Makes the 96 bytes nobody reads any more, apart from the first few.
    fn lead(&self) -> Vec<u8> {
        let Evr { version, release, .. } = self.evr();
        let name = format!("{}-{version}-{release}", self.name);
        let mut lead = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, u8::from(self.source), 0, 1];
        lead.extend(name.bytes().take(65));
        lead.resize(76, 0);
        lead.extend([0, 1, 0, 5]);
        lead.resize(96, 0);
        lead
    }

    fn members(&self) -> Vec<Member<'_>> {
        let files = self.files.iter().map(|(path, content)| Member::file(path, content));
        files.chain(self.directories.iter().map(|path| Member::directory(path))).collect()
    }

    fn header(&self, archive: &Archive<'_>, payload: &[u8]) -> Vec<u8> {
        let mut header = Writer::default();
        header.texts(tags::LOCALES, ["C"]);
        header.text(tags::NAME, &self.name);
        header.text(tags::VERSION, &self.version);
        header.text(tags::RELEASE, &self.release);
        header.numbers(tags::EPOCH, self.epoch);
        header.translated(tags::SUMMARY, &self.summary);
        header.translated(tags::DESCRIPTION, &self.description);
        header.numbers(tags::BUILD_TIME, [self.build_time]);
        header.filled_text(tags::BUILD_HOST, &self.build_host);
        header.numbers(tags::SIZE, [number(archive.installed)]);
        header.filled_text(tags::VENDOR, &self.vendor);
        header.text(tags::LICENSE, &self.license);
        header.filled_text(tags::PACKAGER, &self.packager);
        header.translated(tags::GROUP, &self.group);
        header.filled_text(tags::URL, &self.url);
        header.text(tags::OS, "linux");
        header.text(tags::ARCH, self.arch.as_str());
        header.text(tags::RPM_VERSION, "4.14.0");
        header.text(tags::ENCODING, "utf-8");
        if self.source {
            header.numbers(tags::SOURCE_PACKAGE, [1]);
        } else {
            let own = format!("{}-{}-{}.src.rpm", self.name, self.version, self.release);
            header.text(tags::SOURCE_RPM, self.source_rpm.as_ref().unwrap_or(&own));
        }
        self.write_relations(&mut header);
        header.numbers(tags::CHANGELOG_TIME, self.changelog.iter().map(|change| number(change.date)));
        header.texts(tags::CHANGELOG_NAME, self.changelog.iter().map(|change| &change.author));
        header.texts(tags::CHANGELOG_TEXT, self.changelog.iter().map(|change| &change.text));
        archive.write_files(&mut header, self.build_time);
        header.text(tags::PAYLOAD_FORMAT, "cpio");
        header.text(tags::PAYLOAD_COMPRESSOR, "gzip");
        header.text(tags::PAYLOAD_FLAGS, "6");
        header.texts(tags::PAYLOAD_DIGEST, [hex(&sha2::Sha256::digest(payload))]);
        header.numbers(tags::PAYLOAD_DIGEST_ALGORITHM, [8]);
        header.texts(tags::PAYLOAD_DIGEST_OPEN, [hex(&sha2::Sha256::digest(&archive.bytes))]);
        header.finish(Part::Header)
    }

    fn write_relations(&self, header: &mut Writer) {
        use tags::*;
        let plain =
            |list: &[Dependency]| -> Vec<_> { list.iter().map(|dependency| row(dependency, 0)).collect() };
        let provides = [plain(&self.provides), self.own_provides()].concat();
        header.relations([PROVIDE_NAME, PROVIDE_FLAGS, PROVIDE_VERSION], provides);
        let requires = [plain(&self.requires), self.needs_of_rpm()].concat();
        header.relations([REQUIRE_NAME, REQUIRE_FLAGS, REQUIRE_VERSION], requires);
        header.relations([CONFLICT_NAME, CONFLICT_FLAGS, CONFLICT_VERSION], plain(&self.conflicts));
        header.relations([OBSOLETE_NAME, OBSOLETE_FLAGS, OBSOLETE_VERSION], plain(&self.obsoletes));
        header.relations([RECOMMEND_NAME, RECOMMEND_FLAGS, RECOMMEND_VERSION], plain(&self.recommends));
        header.relations([SUGGEST_NAME, SUGGEST_FLAGS, SUGGEST_VERSION], plain(&self.suggests));
    }

    fn own_provides(&self) -> Vec<Row> {
        let isa = match self.arch.as_str() {
            _ if self.source => return Vec::new(),
            "x86_64" => "(x86-64)",
            "i386" | "i486" | "i586" | "i686" | "athlon" => "(x86-32)",
            "aarch64" => "(aarch-64)",
            _ => "",
        };
        // Where there is none, the epoch is not written, as rpmbuild does.
        let version = match self.epoch {
            Some(epoch) => format!("{epoch}:{}-{}", self.version, self.release),
            None => format!("{}-{}", self.version, self.release),
        };
        let own = |suffix| Row { name: format!("{}{suffix}", self.name), flags: 8, version: version.clone() };
        if isa.is_empty() { vec![own("")] } else { vec![own(""), own(isa)] }
    }

    /// Says which features an rpm needs to read the package.
    fn needs_of_rpm(&self) -> Vec<Row> {
        let lists = [
            &self.provides,
            &self.requires,
            &self.conflicts,
            &self.obsoletes,
            &self.recommends,
            &self.suggests,
        ];
        let names = || lists.iter().flat_map(|list| list.iter().map(|dependency| dependency.name.as_str()));
        let versions = || {
            let bounds =
                lists.iter().flat_map(|list| list.iter().filter_map(|dependency| dependency.bound.as_ref()));
            bounds.flat_map(|bound| [Some(bound.version.as_str()), bound.release.as_deref()]).flatten()
        };
        let holds = |sign| {
            self.version.contains(sign)
                || self.release.contains(sign)
                || versions().any(|text| text.contains(sign))
        };
        let features = [
            ("CompressedFileNames", "3.0.4-1", true),
            ("FileDigests", "4.6.0-1", !self.files.is_empty()),
            ("PayloadFilesHavePrefix", "4.0-1", !self.source),
            ("TildeInVersions", "4.10.0-1", holds('~')),
            ("CaretInVersions", "4.15.0-1", holds('^')),
            ("RichDependencies", "4.12.0-1", names().any(|name| name.starts_with('('))),
        ];
        let needed = features.into_iter().filter(|(.., needed)| *needed);
        needed
            .map(|(name, version, _)| Row {
                name: format!("rpmlib({name})"),
                flags: RPMLIB | 2 | 8,
                version: version.into(),
            })
            .collect()
    }
}

/// One dependency as a header has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    name: String,
    version: String,
    flags: u32,
}

fn row(dependency: &Dependency, more_flags: u32) -> Row {
    let Some(bound) = &dependency.bound else {
        return Row { name: dependency.name.clone(), version: String::new(), flags: more_flags };
    };
    let comparison = match bound.sense {
        Sense::Less => 2,
        Sense::Greater => 4,
        Sense::Equal => 8,
        Sense::LessEqual => 2 | 8,
        Sense::GreaterEqual => 4 | 8,
    };
    let epoch = bound.epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let release = bound.release.as_ref().map(|release| format!("-{release}")).unwrap_or_default();
    let version = format!("{epoch}{}{release}", bound.version);
    Row { name: dependency.name.clone(), version, flags: comparison | more_flags }
}

/// Takes text that is no dependency as a name: a recipe may want to make odd packages.
fn dependency_from(text: &str) -> Dependency {
    text.parse().unwrap_or_else(|_| Dependency { name: text.into(), bound: None })
}

/// Fits a number into the 32 bits of a tag; what is larger, no example needs.
fn number(value: impl TryInto<u32>) -> u32 {
    value.try_into().unwrap_or(u32::MAX)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
