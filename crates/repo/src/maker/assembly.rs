//! A recipe becomes the bytes of an RPM.

use nevra::{Dependency, Evr, Sense};
use sha1::Digest as _;

use super::Recipe;
use super::archive::{Archive, CONFIG_NOREPLACE, DOCUMENTATION, Member};
use super::header::Writer;
use crate::guard::Part;
use crate::gzip;
use crate::tags::{self, signature};

/// Dependencies on rpm itself.
const RPMLIB: u32 = 1 << 24;

impl Recipe {
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
        signature.text(signature::SHA1, &nevra::to_hex(&sha1::Sha1::digest(&header)));
        signature.text(signature::SHA256, &nevra::to_hex(&sha2::Sha256::digest(&header)));
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
        let files = self.files.iter();
        let flags = |path: &String| match () {
            () if self.config_files.contains(path) => CONFIG_NOREPLACE,
            () if self.documentation.contains(path) => DOCUMENTATION,
            () => 0,
        };
        let files = files.map(|(path, content)| Member::file(path, content, flags(path)));
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
        header.texts(tags::PAYLOAD_DIGEST, [nevra::to_hex(&sha2::Sha256::digest(payload))]);
        header.numbers(tags::PAYLOAD_DIGEST_ALGORITHM, [8]);
        header.texts(tags::PAYLOAD_DIGEST_OPEN, [nevra::to_hex(&sha2::Sha256::digest(&archive.bytes))]);
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
pub(super) struct Row {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) flags: u32,
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

/// Fits a number into the 32 bits of a tag; what is larger, no example needs.
pub(super) fn number(value: impl TryInto<u32>) -> u32 {
    value.try_into().unwrap_or(u32::MAX)
}
