//! What planning needs to know of a package, picked from its primary fragment without reading the rest.

use std::borrow::Cow;
use std::ops::Range;

use nevra::{Algorithm, Arch, Digest, Evr, Nevra};

use crate::Document;
use crate::characters::unescape_text;
use crate::error::Error;
use crate::walk::{Side, Stop, Tag, Walk, wrong};

/// What planning needs to know of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Name, epoch, version, release, architecture; `src` for a source package.
    pub nevra: Nevra,
    /// The digest of the file, which is also the package's identity in metadata.
    pub pkgid: Digest,
    /// Where the file lies, relative to the repository. It is *not* checked to stay inside.
    pub href: String,
    /// The address that `href` is relative to, if it is not the repository.
    pub base: Option<String>,
    /// Where the element lies that says where the package lies.
    pub(crate) location: Range<usize>,
    /// Where the element lies that names the package by its digest, without its end tag.
    pub(crate) checksum: Range<usize>,
    /// The size of the file in bytes.
    pub size_package: u64,
    /// The offsets in the file at which the header starts, and of the first byte behind it.
    pub header: (u64, u64),
    /// When the file was last changed, in seconds since 1970.
    pub time_file: i64,
    /// When the package was built, in seconds since 1970.
    pub time_build: i64,
    /// The file name of the source package; empty for a source package.
    pub source_rpm: String,
}

/// Glances at what primary says of one package: an element `package`, alone.
///
/// # Errors
///
/// [`Error::Xml`] for what is no such element, or lacks what every package has.
pub fn glance(fragment: &[u8]) -> Result<Glance, Error> {
    let document = Document::Primary;
    let text = crate::characters::text_of(document, fragment)?;
    let seen = || {
        let mut walk = Walk::over(text)?;
        match walk.next()? {
            Some(tag) if tag.name == "package" && tag.side == Side::Start => glance_on(&tag, &mut walk),
            _ => Err(wrong(0, "it is no package")),
        }
    };
    seen().map_err(|stop: Stop| match stop {
        Stop::NotPlain => {
            Error::Xml { document, offset: 0, problem: "it holds no plain elements".to_owned() }
        }
        Stop::Wrong { offset, problem } => Error::Xml { document, offset: offset as u64, problem },
    })
}

/// Glances at the package whose start tag the walk has just passed, and walks to its end.
pub(crate) fn glance_on(package: &Tag<'_>, walk: &mut Walk<'_>) -> Result<Glance, Stop> {
    let mut picked = Picked::default();
    let mut in_format = false;
    loop {
        let tag = walk.next()?.ok_or_else(|| wrong(package.start, "the package does not end"))?;
        match (tag.side, tag.depth - package.depth) {
            (Side::End, 0) => return picked.complete(package.start),
            (Side::End, _) => {}
            _ if tag.name == "package" => return Err(wrong(tag.start, "a package lies within a package")),
            (_, 1) => {
                in_format = tag.name == "format";
                picked.look_at(&tag, walk)?;
            }
            (_, 2) if in_format => picked.look_into_format(&tag, walk)?,
            _ => {}
        }
    }
}

#[derive(Default)]
struct Picked {
    name: Option<String>,
    arch: Option<String>,
    version: Option<Evr>,
    pkgid: Option<(Digest, Range<usize>)>,
    time: Option<(i64, i64)>,
    size: Option<u64>,
    location: Option<(String, Option<String>, Range<usize>)>,
    header: Option<(u64, u64)>,
    source_rpm: Option<String>,
}

impl Picked {
    fn look_at(&mut self, tag: &Tag<'_>, walk: &mut Walk<'_>) -> Result<(), Stop> {
        match tag.name {
            "name" => once(tag, &mut self.name, text(tag, walk)?),
            "arch" => once(tag, &mut self.arch, text(tag, walk)?),
            "version" => {
                let [epoch, ver, rel] = three(tag, ["epoch", "ver", "rel"])?;
                let epoch = if epoch.is_empty() { 0 } else { number(tag, "epoch", &epoch)? };
                once(tag, &mut self.version, Evr { epoch, version: ver, release: rel })
            }
            "checksum" => {
                let word = tag.attribute("type")?.unwrap_or_default();
                let digest = word
                    .parse::<Algorithm>()
                    .and_then(|algorithm| Digest::new(algorithm, text(tag, walk).unwrap_or_default()));
                let digest = digest.map_err(|error| wrong(tag.start, error.to_string()))?;
                let text = walk.leaf_text().unwrap_or_default();
                once(tag, &mut self.pkgid, (digest, tag.start..tag.end + text.len()))
            }
            "time" => {
                let [file, build, _] = three(tag, ["file", "build", ""])?;
                let time = (number(tag, "file", &file)?, number(tag, "build", &build)?);
                once(tag, &mut self.time, time)
            }
            "size" => {
                let [size, ..] = three(tag, ["package", "", ""])?;
                once(tag, &mut self.size, number(tag, "package", &size)?)
            }
            "location" => {
                let href = tag.attribute("href")?.unwrap_or_default();
                let base = tag.attribute("xml:base")?.filter(|base| !base.is_empty());
                let mut end = tag.end;
                if tag.side == Side::Start {
                    end = walk.next()?.map_or(end, |tag| tag.end);
                }
                once(tag, &mut self.location, (href, base, tag.start..end))
            }
            _ => Ok(()),
        }
    }

    fn look_into_format(&mut self, tag: &Tag<'_>, walk: &Walk<'_>) -> Result<(), Stop> {
        match tag.name {
            "rpm:sourcerpm" => once(tag, &mut self.source_rpm, text(tag, walk)?),
            "rpm:header-range" => {
                let [start, end, _] = three(tag, ["start", "end", ""])?;
                let header = (number(tag, "start", &start)?, number(tag, "end", &end)?);
                once(tag, &mut self.header, header)
            }
            _ => Ok(()),
        }
    }

    fn complete(self, start: usize) -> Result<Glance, Stop> {
        let missing = |what: &str| wrong(start, format!("the package has no `{what}`"));
        let name = self.name.ok_or_else(|| missing("name"))?;
        let arch = Arch::new(self.arch.ok_or_else(|| missing("arch"))?);
        let evr = self.version.ok_or_else(|| missing("version"))?;
        let (href, base, location) = self.location.ok_or_else(|| missing("location"))?;
        if href.is_empty() {
            return Err(missing("href"));
        }
        let (pkgid, checksum) = self.pkgid.ok_or_else(|| missing("checksum"))?;
        let (time_file, time_build) = self.time.unwrap_or_default();
        Ok(Glance {
            nevra: Nevra::new(name, evr, arch).map_err(|error| wrong(start, error.to_string()))?,
            pkgid,
            href,
            base,
            location,
            checksum,
            size_package: self.size.ok_or_else(|| missing("size"))?,
            header: self.header.unwrap_or_default(),
            time_file,
            time_build,
            source_rpm: self.source_rpm.unwrap_or_default(),
        })
    }
}

fn once<T>(tag: &Tag<'_>, place: &mut Option<T>, value: T) -> Result<(), Stop> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(wrong(tag.start, format!("the package has `{}` twice", tag.name))),
    }
}

/// Reads the text of an element that holds nothing else.
fn text(tag: &Tag<'_>, walk: &Walk<'_>) -> Result<String, Stop> {
    if tag.side == Side::Empty {
        return Ok(String::new());
    }
    walk.leaf_text()
        .and_then(unescape_text)
        .map(Cow::into_owned)
        .ok_or_else(|| wrong(tag.start, format!("`{}` is not plain text", tag.name)))
}

/// Collects up to three attributes in one pass; one that is not there is empty.
fn three(tag: &Tag<'_>, names: [&str; 3]) -> Result<[String; 3], Stop> {
    let mut values = [const { None }; 3];
    for attribute in tag.attributes() {
        let (key, value) = attribute?;
        let Some(at) = names.iter().position(|&name| name == key) else { continue };
        if values[at].replace(value).is_some() {
            return Err(wrong(tag.start, format!("attribute `{key}` is there twice")));
        }
    }
    let mut out = [const { String::new() }; 3];
    for (out, raw) in out.iter_mut().zip(values) {
        let value = crate::characters::unescape_attribute(raw.unwrap_or_default());
        *out = value.ok_or_else(|| wrong(tag.start, "an attribute cannot be read"))?.into_owned();
    }
    Ok(out)
}

fn number<T: std::str::FromStr>(tag: &Tag<'_>, name: &str, text: &str) -> Result<T, Stop> {
    // Metadata of old has times with a fraction.
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.parse().map_err(|_| wrong(tag.start, format!("`{name}` of `{}` is no number it can be", tag.name)))
}
