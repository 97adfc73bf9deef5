//! `repomd.xml`: which files make up a repository's metadata.

use nevra::{Algorithm, Digest, Sha256};

use crate::Document;
use crate::characters::escape_text;
use crate::digest::digest;
use crate::error::Error;
use crate::fragments::attribute;
use crate::repository_tags::Tags;
use crate::walk::shown;
use crate::xml::{Element, Xml};

/// A `repomd.xml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repomd {
    /// What the repository calls its present state; createrepo_c writes seconds since 1970. May be empty.
    pub revision: String,
    /// What else stands before the records (`tags`, `repoid`, `contenthash` ...), in the order of the file.
    pub notes: Vec<Note>,
    /// The files, in the order of the file.
    pub records: Vec<Record>,
    /// The start tag of the outermost element, whose prefixes the parts kept as they stood may use.
    pub(crate) root: String,
}

/// An element beside the records, as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `tags`, `repoid`, `contenthash`.
    pub name: String,
    /// The element from `<` to `>`, without the space around it.
    pub raw: Vec<u8>,
}

/// One file of metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `primary`, `filelists`, `other`, `updateinfo`, `group`, `modules`, or a word nobody has heard of.
    pub kind: String,
    /// The digest of the file.
    pub checksum: Digest,
    /// The digest of the file once it is unpacked.
    pub open_checksum: Option<Digest>,
    /// Where it lies, relative to the repository; never outside of it.
    pub href: String,
    /// When it was made, in seconds since 1970.
    pub timestamp: i64,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its size in bytes once it is unpacked.
    pub open_size: Option<u64>,
    /// The element `data` as it stood, from `<` to `>`. This is what is written; the fields above only
    /// tell what it says.
    pub raw: Vec<u8>,
}

impl Repomd {
    /// Begins one without records.
    #[must_use]
    pub fn new(revision: impl Into<String>) -> Self {
        let header = Document::Repomd.header(0);
        let header = String::from_utf8_lossy(&header);
        let root = header.lines().nth(1).unwrap_or_default().to_owned();
        Self { revision: revision.into(), notes: Vec::new(), records: Vec::new(), root }
    }

    /// Parses a `repomd.xml`.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] for what is no XML or no repomd, for a record without type, checksum or place, for
    /// an href that leads out of the repository, and for two records of the types that every repository
    /// has.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (mut xml, root) = Xml::open(Document::Repomd, bytes)?;
        let root = xml.text()[root.start..xml.offset()].to_owned();
        if !root.starts_with("<repomd") {
            return Err(xml.wrong("its outermost element has a prefix"));
        }
        let mut out = Self { root, ..Self::new("") };
        while let Some(element) = xml.child()? {
            match &*element.name {
                "revision" => out.revision = xml.leaf()?,
                "data" => {
                    let record = record(&mut xml, &element)?;
                    if record.is_made_from_packages() && out.record(&record.kind).is_some() {
                        return Err(xml.wrong(format!("it has two records `{}`", shown(&record.kind))));
                    }
                    out.records.push(record);
                }
                _ => {
                    xml.skip()?;
                    let raw = xml.text().as_bytes()[element.start..xml.offset()].to_vec();
                    out.notes.push(Note { name: element.name, raw });
                }
            }
        }
        xml.finish()?;
        if out.root.ends_with("/>") {
            out.root.truncate(out.root.len() - 2);
            out.root.push('>');
        }
        Ok(out)
    }

    /// Adds what createrepo_c calls tags, in place of those that are there.
    pub fn set_tags(&mut self, tags: &Tags) {
        self.notes.retain(|note| note.name != "tags");
        self.notes.extend(tags.note());
    }

    /// Finds the record of a type; the first if there are several.
    #[must_use]
    pub fn record(&self, kind: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.kind == kind)
    }

    /// Writes it as createrepo_c does; what was parsed comes out as it stood, but for the space between.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec();
        out.extend_from_slice(self.root.as_bytes());
        out.extend_from_slice(b"\n  <revision>");
        escape_text(&mut out, &self.revision);
        out.extend_from_slice(b"</revision>\n");
        for raw in
            self.notes.iter().map(|note| &note.raw).chain(self.records.iter().map(|record| &record.raw))
        {
            out.extend_from_slice(b"  ");
            out.extend_from_slice(raw);
            out.push(b'\n');
        }
        out.extend_from_slice(Document::Repomd.footer());
        out
    }
}

impl Record {
    /// Says whether the file is made from the packages alone, so that it is made anew and never carried:
    /// primary, filelists and other in whatever form (`primary_db`, `other_zck`, `filelists-ext` ...).
    #[must_use]
    pub fn is_made_from_packages(&self) -> bool {
        ["primary", "filelists", "other"].iter().any(|kind| {
            self.kind.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-']))
        })
    }

    /// Describes the same file under a name that begins with its SHA-256, as every file of ours has it; itself, to
    /// the byte, if it has such a name and says so already.
    ///
    /// Elements of the record that createrepo_c does not write are lost where it is written anew.
    #[must_use]
    pub fn named_by(&self, sha256: Sha256, size: u64, open: Option<(Sha256, u64)>) -> Self {
        let is_fine = self.checksum.sha256() == Some(sha256)
            && self.href.contains(&self.checksum.hex)
            && self.size.is_none_or(|stated| stated == size)
            && match (&self.open_checksum, self.open_size) {
                (None, None) => true,
                (Some(checksum), Some(_)) => checksum.sha256() == open.map(|(digest, _)| digest),
                _ => false,
            };
        if is_fine {
            return self.clone();
        }
        let name = self.href.rsplit('/').next().unwrap_or_default();
        let name = name.strip_prefix(&format!("{}-", self.checksum.hex)).unwrap_or(name);
        let measure = |(checksum, size): (Sha256, u64)| Measure { checksum: checksum.into(), size };
        let href = format!("repodata/{sha256}-{name}");
        let open = open.map(|open| measure(open).into());
        Self::new(&self.kind, href, self.timestamp, measure((sha256, size)), open, None)
    }

    /// Describes a metadata file as createrepo_c does.
    ///
    /// `open` describes what a packed file unpacks to, `None` if it is not packed; databases for yum
    /// have a version.
    #[must_use]
    pub fn new(
        kind: &str,
        href: String,
        timestamp: i64,
        file: Measure,
        open: Option<Open>,
        database_version: Option<u32>,
    ) -> Self {
        let mut raw = b"<data".to_vec();
        attribute(&mut raw, "type", kind);
        let checksum = |name: &str, digest: &Digest| {
            format!("\n    <{name} type=\"{}\">{}</{name}>", digest.algorithm, digest.hex)
        };
        let element = |name: &str, number: u64| format!("\n    <{name}>{number}</{name}>");
        let mut rest = format!(">{}", checksum("checksum", &file.checksum));
        if let Some(open) = open.as_ref().and_then(|open| open.checksum.as_ref()) {
            rest.push_str(&checksum("open-checksum", open));
        }
        rest.push_str("\n    <location");
        raw.extend_from_slice(rest.as_bytes());
        attribute(&mut raw, "href", &href);
        let mut rest = format!("/>\n    <timestamp>{timestamp}</timestamp>{}", element("size", file.size));
        if let Some(open) = &open {
            rest.push_str(&element("open-size", open.size));
        }
        if let Some(version) = database_version {
            rest.push_str(&element("database_version", version.into()));
        }
        raw.extend_from_slice(rest.as_bytes());
        raw.extend_from_slice(b"\n  </data>");
        let (open_size, open_checksum) = open.map(|open| (open.size, open.checksum)).unzip();
        Self {
            kind: kind.to_owned(),
            checksum: file.checksum,
            open_checksum: open_checksum.flatten(),
            href,
            timestamp,
            size: Some(file.size),
            open_size,
            raw,
        }
    }
}

/// What a record says of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Their digest.
    pub checksum: Digest,
    /// How many they are.
    pub size: u64,
}

impl Measure {
    /// Measures bytes.
    #[must_use]
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self { checksum: digest(algorithm, bytes), size: bytes.len() as u64 }
    }
}

/// What a record says of what a packed file unpacks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its size in bytes.
    pub size: u64,
    /// Its digest, where that is said: hashing it costs most of what a change of a large repository costs.
    pub checksum: Option<Digest>,
}

impl From<Measure> for Open {
    fn from(measure: Measure) -> Self {
        Self { size: measure.size, checksum: Some(measure.checksum) }
    }
}

/// Says whether an href stays inside the repository: relative, without `..`, `.`, or an empty part.
#[must_use]
pub fn is_inside(href: &str) -> bool {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    let scheme = href.split('/').next().is_some_and(|first| first.contains(':'));
    href.split('/').all(plain) && !scheme && !href.contains(['\\', '\0'])
}

fn record(xml: &mut Xml<'_>, data: &Element<'_>) -> Result<Record, Error> {
    let kind = data.attribute("type").filter(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| xml.wrong("a record has no type"))?.to_owned();
    let (mut checksum, mut open_checksum, mut href) = (None, None, None);
    let (mut timestamp, mut size, mut open_size) = (0, None, None);
    while let Some(element) = xml.child()? {
        match &*element.name {
            "checksum" => checksum = Some(xml.digest(&element)?),
            "open-checksum" => open_checksum = Some(xml.digest(&element)?),
            "timestamp" => timestamp = number(xml, "timestamp")?,
            "size" => size = Some(number(xml, "size")?),
            "open-size" => open_size = Some(number(xml, "open-size")?),
            "location" => {
                let place = element.attribute("href").unwrap_or_default();
                let base = element.attribute("xml:base").is_some_and(|base| !base.is_empty());
                if base || !is_inside(place) {
                    return Err(xml.wrong(format!(
                        "record `{}` lies outside of the repository, at `{}`",
                        shown(&kind),
                        shown(place)
                    )));
                }
                href = Some(place.to_owned());
                xml.skip()?;
            }
            _ => xml.skip()?,
        }
    }
    let missing = |what: &str| xml.wrong(format!("record `{}` has no {what}", shown(&kind)));
    Ok(Record {
        checksum: checksum.ok_or_else(|| missing("checksum"))?,
        href: href.ok_or_else(|| missing("location"))?,
        raw: xml.text().as_bytes()[data.start..xml.offset()].to_vec(),
        kind,
        open_checksum,
        timestamp,
        size,
        open_size,
    })
}

fn number<T: std::str::FromStr>(xml: &mut Xml<'_>, what: &str) -> Result<T, Error> {
    let text = xml.leaf()?;
    xml.number(what, &text)
}

#[cfg(test)]
mod tests;
