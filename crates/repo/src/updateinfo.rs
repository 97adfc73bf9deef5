//! `updateinfo.xml`: advisories, each cut out as it stood, or written anew.
//!
//! What an advisory says beside its id and its packages is nobody's business here: everything that tools of a distribution
//! put into one comes out as it went in. createrepo_c carries such files by `modifyrepo_c`; dnf, yum and zypper read them.

mod cut;
mod merged;
mod named;
mod retracted;

use std::collections::BTreeMap;

use nevra::Nevra;

use crate::Document;
use crate::characters::escape_text;
use crate::error::Error;
use crate::fragments::{attribute, text_element};
use crate::walk::shown;
use crate::xml::Xml;
use named::Named;

/// The advisories of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updateinfo {
    /// In the order of the file.
    pub advisories: Vec<Advisory>,
}

/// One advisory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its name, such as `GRID-2026-1`; without the space around it.
    pub id: String,
    /// The element `update` from `<` to `>`, as it stood.
    pub raw: Vec<u8>,
    /// What it names, and where in `raw`.
    named: Named,
}

/// What an advisory says that is written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced<'a> {
    /// Its name, by which clients know it again.
    pub id: &'a str,
    /// Who issues it; zypper shows it as the vendor.
    pub from: &'a str,
    /// `final`, or `retracted` for what must not be installed any more.
    pub status: &'a str,
    /// `security`, `recommended`, `bugfix`, `enhancement`, `newpackage`, `optional`.
    pub kind: &'a str,
    /// Which writing of it this is, from 1.
    pub version: u64,
    /// In one line.
    pub title: &'a str,
    /// How bad it is: `Critical`, `Important`, `Moderate`, `Low`.
    pub severity: Option<&'a str>,
    /// What it is about elsewhere: names of vulnerabilities, `CVE-2026-1`, or addresses.
    pub references: &'a [String],
    /// Whether hosts had better start anew with its packages.
    pub suggests_reboot: bool,
    /// As much as somebody should know.
    pub description: &'a str,
    /// When it was issued: `2026-01-31 12:00:00`, in UTC.
    pub issued: &'a str,
    /// When it was changed last, in the same way.
    pub updated: &'a str,
    /// What its packages are called together.
    pub collection: &'a str,
    /// The packages it is about.
    pub packages: Vec<&'a Nevra>,
}

/// How many advisories a file has at most, and how many of one id; distributions have some ten thousand, each once.
const ADVISORIES_MAX: usize = 200_000;
const SAME_ID_MAX: usize = 16;

impl Updateinfo {
    /// Cuts a file, uncompressed, into its advisories.
    ///
    /// ```
    /// let file = b"<updates><update status=\"final\"><id> A-1 </id><title/></update></updates>";
    /// let read = repo::Updateinfo::parse(file)?;
    /// assert_eq!(read.advisories[0].id, "A-1");
    /// assert!(String::from_utf8(read.write()).unwrap().contains("<update status=\"final\"><id> A-1 </id>"));
    /// # Ok::<(), repo::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] for what is no XML or no updateinfo, for an advisory without an id, for too many of them or of one id, and
    /// for prefixes of the outermost element, which would mean nothing elsewhere.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (mut xml, root) = Xml::open(Document::Updateinfo, bytes)?;
        if let Some((name, _)) = root.attributes().find(|(name, _)| name.starts_with("xmlns:")) {
            return Err(xml.wrong(format!("its outermost element declares a prefix, `{}`", shown(name))));
        }
        let mut advisories = Vec::new();
        let mut ids: BTreeMap<String, usize> = BTreeMap::new();
        while let Some(update) = xml.child()? {
            if update.name != "update" || !update.prefix.is_empty() {
                return Err(xml.wrong(format!("`{}` is no advisory", shown(&update.name))));
            }
            let (id, named) = Named::read(&mut xml, &update)?;
            let same = ids.entry(id.clone()).or_default();
            *same += 1;
            if *same > SAME_ID_MAX || advisories.len() >= ADVISORIES_MAX {
                return Err(
                    xml.wrong(format!("there are too many advisories, or of the id `{}`", shown(&id)))
                );
            }
            let raw = xml.text().as_bytes()[update.start..xml.offset()].to_vec();
            advisories.push(Advisory { id, raw, named });
        }
        xml.finish()?;
        Ok(Self { advisories })
    }

    /// Writes the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Document::Updateinfo.header(0);
        for advisory in &self.advisories {
            out.extend_from_slice(b"  ");
            out.extend_from_slice(&advisory.raw);
            out.push(b'\n');
        }
        out.extend_from_slice(Document::Updateinfo.footer());
        out
    }
}

impl Advisory {
    /// Writes one.
    ///
    /// # Panics
    ///
    /// If it has no id, or a text holds what XML cannot carry ([`crate::is_carried`]).
    #[must_use]
    pub fn of(announced: &Announced<'_>) -> Self {
        let Announced { id, from, status, kind, version, title, description, issued, updated, .. } =
            announced;
        let mut out = b"<update".to_vec();
        let version = version.to_string();
        for (name, value) in [("from", from), ("status", status), ("type", kind), ("version", &&*version)] {
            attribute(&mut out, name, value);
        }
        out.extend_from_slice(b">\n");
        text_element(&mut out, "    ", "id", id);
        text_element(&mut out, "    ", "title", title);
        for (name, date) in [("issued", issued), ("updated", updated)] {
            out.extend_from_slice(format!("    <{name}").as_bytes());
            attribute(&mut out, "date", date);
            out.extend_from_slice(b"/>\n");
        }
        if let Some(severity) = announced.severity {
            text_element(&mut out, "    ", "severity", severity);
        }
        text_element(&mut out, "    ", "description", description);
        references(&mut out, announced.references);
        out.extend_from_slice(b"    <pkglist>\n      <collection");
        attribute(&mut out, "short", announced.collection);
        out.extend_from_slice(b">\n");
        text_element(&mut out, "        ", "name", announced.collection);
        for nevra in &announced.packages {
            out.extend_from_slice(b"        <package");
            let epoch = nevra.evr.epoch.to_string();
            let parts = [
                ("name", nevra.name.as_str()),
                ("epoch", &epoch),
                ("version", &nevra.evr.version),
                ("release", &nevra.evr.release),
                ("arch", nevra.arch.as_str()),
            ];
            for (name, value) in parts {
                attribute(&mut out, name, value);
            }
            out.extend_from_slice(b"><filename>");
            escape_text(&mut out, &nevra.file_name());
            out.extend_from_slice(b"</filename>");
            if announced.suggests_reboot {
                out.extend_from_slice(b"<reboot_suggested>True</reboot_suggested>");
            }
            out.extend_from_slice(b"</package>\n");
        }
        out.extend_from_slice(b"      </collection>\n    </pkglist>\n  </update>");
        Self::read(out).expect("what was written here has an id, and everything in it is escaped")
    }

    /// Takes up an element `update`, from `<` to `>`, as [`Advisory::raw`] has it; `None` if it is none.
    ///
    /// ```
    /// let one = repo::Advisory::read(b"<update><id>A-1</id></update>".to_vec()).unwrap();
    /// assert_eq!(one.id, "A-1");
    /// assert_eq!(repo::Advisory::read(b"<update><id>A-1</id></update><update/>".to_vec()), None);
    /// ```
    #[must_use]
    pub fn read(raw: Vec<u8>) -> Option<Self> {
        let file = [Document::Updateinfo.header(0), raw, Document::Updateinfo.footer().to_vec()].concat();
        let mut read = Updateinfo::parse(&file).ok()?.advisories;
        let one = read.pop()?;
        read.is_empty().then_some(one)
    }
}

/// Writes what an advisory refers to.
fn references(out: &mut Vec<u8>, references: &[String]) {
    if references.is_empty() {
        return;
    }
    out.extend_from_slice(b"    <references>\n");
    for reference in references {
        let address = format!("https://www.cve.org/CVERecord?id={reference}");
        let (address, kind) = match reference.starts_with("CVE-") {
            true => (&address, "cve"),
            false => (reference, "other"),
        };
        out.extend_from_slice(b"      <reference");
        for (name, value) in
            [("href", address.as_str()), ("id", reference), ("type", kind), ("title", reference)]
        {
            attribute(out, name, value);
        }
        out.extend_from_slice(b"/>\n");
    }
    out.extend_from_slice(b"    </references>\n");
}

#[cfg(test)]
mod tests;
