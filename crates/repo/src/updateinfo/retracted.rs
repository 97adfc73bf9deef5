//! An advisory that is taken back and stays to be seen.

use super::Advisory;
use crate::Document;
use crate::fragments::attribute;
use crate::xml::Xml;

impl Advisory {
    /// What says that an advisory does not count any more; SUSE's clients offer its packages no longer.
    pub const RETRACTED: &'static str = "retracted";

    /// Makes the writing `version` of the same advisory with the status `retracted`, changed `updated`; every other word stays.
    ///
    /// Gives `None` if it is written so that this cannot be put into it.
    ///
    /// ```
    /// let one = repo::Advisory::read(br#"<update from="x" status='final' version="3"><id>A-1</id><title>t</title></update>"#.to_vec());
    /// let retracted = one.unwrap().retracted(4, "2026-01-31 12:00:00").unwrap();
    /// assert_eq!((retracted.status(), retracted.version(), &*retracted.id), ("retracted", "4", "A-1"));
    /// let text = String::from_utf8(retracted.raw).unwrap();
    /// assert_eq!(
    ///     text,
    ///     r#"<update from="x" status="retracted" version="4"><updated date="2026-01-31 12:00:00"/><id>A-1</id><title>t</title></update>"#
    /// );
    /// ```
    #[must_use]
    pub fn retracted(&self, version: u64, updated: &str) -> Option<Self> {
        let file = [Document::Updateinfo.header(0), self.raw.clone(), Document::Updateinfo.footer().to_vec()]
            .concat();
        let (mut xml, _) = Xml::open(Document::Updateinfo, &file).ok()?;
        let update = xml.child().ok()??;
        let begin = xml.offset().checked_sub(update.start)?;
        let version = version.to_string();
        let mut out = b"<update".to_vec();
        let said = update.attributes().filter(|(name, _)| !["status", "version"].contains(name));
        for (name, value) in said.chain([("status", Self::RETRACTED), ("version", &*version)]) {
            attribute(&mut out, name, value);
        }
        out.push(b'>');
        let mut changed = b"<updated".to_vec();
        attribute(&mut changed, "date", updated);
        changed.extend_from_slice(b"/>");
        match &self.named.updated {
            Some(range) => {
                out.extend_from_slice(self.raw.get(begin..range.start)?);
                out.extend(changed);
                out.extend_from_slice(self.raw.get(range.end..)?);
            }
            None => {
                out.extend(changed);
                out.extend_from_slice(self.raw.get(begin..)?);
            }
        }
        Self::read(out)
    }

    /// Shows whether it counts, as it stands there: `final`, `stable`, `retracted`.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.named.status
    }
}
