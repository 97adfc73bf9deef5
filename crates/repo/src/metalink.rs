//! Metalinks: what `repomd.xml` of a repository must be, and where it is to be had, best place first.
//!
//! Of the format clients read `size`, `hash` and `url`, and by the prefix `mm0` the time and what they may take besides
//! the newest; librepo and yum know that prefix by its letters, so it is written so.

use nevra::Sha256;

use crate::Document;
use crate::characters::escape_text;
use crate::error::Error;
use crate::xml::{Element, Xml};

/// What a repository's metalink says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metalink {
    /// What `repomd.xml` must be: the newest first, then what may be taken besides.
    pub offered: Vec<Offered>,
    /// Where to fetch it, best first; each ends with `repodata/repomd.xml`.
    pub urls: Vec<String>,
}

/// One `repomd.xml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// When it was made, in seconds since 1970.
    pub timestamp: i64,
}

impl Metalink {
    /// Parses a metalink, as far as it speaks of `repomd.xml`.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] for what is no XML or no metalink, for one that does not speak of `repomd.xml`, and for one that
    /// gives no size, time or SHA-256.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (mut xml, _) = Xml::open(Document::Metalink, bytes)?;
        let mut found = None;
        while let Some(element) = xml.child()? {
            if element.name != "files" {
                xml.skip()?;
                continue;
            }
            while let Some(file) = xml.child()? {
                match file.attribute("name") {
                    Some("repomd.xml") if found.is_none() => found = Some(file_of(&mut xml)?),
                    _ => xml.skip()?,
                }
            }
        }
        let found = found.ok_or_else(|| xml.wrong("it does not speak of `repomd.xml`"))?;
        xml.finish()?;
        Ok(found)
    }

    /// Writes it; nothing is written for what is not offered.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Document::Metalink.header(0);
        out.extend_from_slice(b"  <files>\n    <file name=\"repomd.xml\">\n");
        if let Some((newest, others)) = self.offered.split_first() {
            newest.write(&mut out, 6);
            if !others.is_empty() {
                out.extend_from_slice(b"      <mm0:alternates>\n");
                for other in others {
                    out.extend_from_slice(b"        <mm0:alternate>\n");
                    other.write(&mut out, 10);
                    out.extend_from_slice(b"        </mm0:alternate>\n");
                }
                out.extend_from_slice(b"      </mm0:alternates>\n");
            }
        }
        out.extend_from_slice(b"      <resources>\n");
        for (place, url) in self.urls.iter().enumerate() {
            let protocol = url.split("://").next().unwrap_or_default();
            let preference = 100_usize.saturating_sub(place).max(1);
            let tag = format!(
                "        <url protocol=\"{protocol}\" type=\"{protocol}\" preference=\"{preference}\">"
            );
            out.extend_from_slice(tag.as_bytes());
            escape_text(&mut out, url);
            out.extend_from_slice(b"</url>\n");
        }
        out.extend_from_slice(b"      </resources>\n    </file>\n  </files>\n");
        out.extend_from_slice(Document::Metalink.footer());
        out
    }
}

impl Offered {
    fn write(&self, out: &mut Vec<u8>, indent: usize) {
        let Self { sha256, size, timestamp } = self;
        let space = " ".repeat(indent);
        let text = format!(
            "{space}<mm0:timestamp>{timestamp}</mm0:timestamp>\n{space}<size>{size}</size>\n\
             {space}<verification><hash type=\"sha256\">{sha256}</hash></verification>\n"
        );
        out.extend_from_slice(text.as_bytes());
    }
}

/// What was read of one `repomd.xml` so far.
#[derive(Default)]
struct Draft {
    sha256: Option<Sha256>,
    size: Option<u64>,
    timestamp: Option<i64>,
}

impl Draft {
    /// Takes in an element that is about it; whether it was one.
    fn take(&mut self, xml: &mut Xml<'_>, element: &Element<'_>) -> Result<bool, Error> {
        match &*element.name {
            "timestamp" => {
                let text = xml.leaf()?;
                self.timestamp = Some(xml.number("timestamp", &text)?);
            }
            "size" => {
                let text = xml.leaf()?;
                self.size = Some(xml.number("size", &text)?);
            }
            "verification" => {
                while let Some(hash) = xml.child()? {
                    match hash.attribute("type") {
                        Some("sha256") if hash.name == "hash" => self.sha256 = xml.digest(&hash)?.sha256(),
                        _ => xml.skip()?,
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self, xml: &Xml<'_>) -> Result<Offered, Error> {
        let missing = |what: &str| xml.wrong(format!("it gives no {what} of `repomd.xml`"));
        Ok(Offered {
            sha256: self.sha256.ok_or_else(|| missing("SHA-256"))?,
            size: self.size.ok_or_else(|| missing("size"))?,
            timestamp: self.timestamp.ok_or_else(|| missing("timestamp"))?,
        })
    }
}

fn file_of(xml: &mut Xml<'_>) -> Result<Metalink, Error> {
    let (mut newest, mut others, mut urls) = (Draft::default(), Vec::new(), Vec::new());
    while let Some(element) = xml.child()? {
        if newest.take(xml, &element)? {
            continue;
        }
        match &*element.name {
            "alternates" => {
                while xml.child()?.is_some() {
                    let mut other = Draft::default();
                    while let Some(element) = xml.child()? {
                        if !other.take(xml, &element)? {
                            xml.skip()?;
                        }
                    }
                    others.push(other.finish(xml)?);
                }
            }
            "resources" => {
                while let Some(url) = xml.child()? {
                    match &*url.name {
                        "url" => urls.push(xml.leaf()?.trim_ascii().to_owned()),
                        _ => xml.skip()?,
                    }
                }
            }
            _ => xml.skip()?,
        }
    }
    let offered = [newest.finish(xml)?].into_iter().chain(others).collect();
    Ok(Metalink { offered, urls })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::sha256;

    fn offered(text: &str, timestamp: i64) -> Offered {
        Offered { sha256: sha256(text.as_bytes()), size: text.len() as u64, timestamp }
    }

    fn sample() -> Metalink {
        let base = "https://repo.example.org/a&b";
        let urls = ["@42/p", "p", "@40/p"].map(|place| format!("{base}/{place}/repodata/repomd.xml"));
        Metalink {
            offered: vec![offered("new", 1_700_000_000), offered("older", 1_600_000_000)],
            urls: urls.into(),
        }
    }

    #[test]
    fn a_metalink_says_what_clients_read() {
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <metalink xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager" version="3.0" type="dynamic">
              <files>
                <file name="repomd.xml">
                  <mm0:timestamp>1700000000</mm0:timestamp>
                  <size>3</size>
                  <verification><hash type="sha256">11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437</hash></verification>
                  <mm0:alternates>
                    <mm0:alternate>
                      <mm0:timestamp>1600000000</mm0:timestamp>
                      <size>5</size>
                      <verification><hash type="sha256">da925a30e31f7fdaa7044e3e5ba4ae17670de82d677b0e7adf5700428a137a36</hash></verification>
                    </mm0:alternate>
                  </mm0:alternates>
                  <resources>
                    <url protocol="https" type="https" preference="100">https://repo.example.org/a&amp;b/@42/p/repodata/repomd.xml</url>
                    <url protocol="https" type="https" preference="99">https://repo.example.org/a&amp;b/p/repodata/repomd.xml</url>
                    <url protocol="https" type="https" preference="98">https://repo.example.org/a&amp;b/@40/p/repodata/repomd.xml</url>
                  </resources>
                </file>
              </files>
            </metalink>
        "#]]
        .assert_eq(&String::from_utf8(sample().write()).unwrap());
    }

    #[test]
    fn a_metalink_reads_as_it_was_written() {
        assert_eq!(Metalink::parse(&sample().write()).unwrap(), sample());
        let alone = Metalink { offered: vec![offered("x", 1)], urls: Vec::new() };
        assert_eq!(Metalink::parse(&alone.write()).unwrap(), alone);
    }

    #[test]
    fn what_is_no_metalink_of_a_repository_is_refused() {
        let good = String::from_utf8(sample().write()).unwrap();
        assert!(Metalink::parse(good.replace("\"repomd.xml\"", "\"other.xml\"").as_bytes()).is_err());
        assert!(Metalink::parse(good.replace("<size>3</size>", "").as_bytes()).is_err());
        assert!(Metalink::parse(good.replace("<size>5</size>", "<size>-5</size>").as_bytes()).is_err());
        assert!(Metalink::parse(good.replace("sha256", "sha1").as_bytes()).is_err());
        for cut in (0..good.len() - 1).step_by(7) {
            assert!(Metalink::parse(&good.as_bytes()[..cut]).is_err(), "{cut}");
        }
    }
}
