//! What a repository lists, sliced from its three files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::Document;
use crate::characters::{first_unnamed, text_of};
use crate::document::RPM_NAMESPACE;
use crate::entry::{Entry, entry_of};
use crate::error::Error;
use crate::fragments::{Fragments, Slice};
use crate::glance::{Glance, glance_on};
use crate::parse::parse_packages;
use crate::walk::{Side, Stop, Tag, Walk, wrong};

/// The packages of one repository, in the order of its primary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The packages.
    pub entries: Vec<Entry>,
}

impl Contents {
    /// Slices the three files, uncompressed, into what they say of each package.
    ///
    /// Bytes that are handed over are not copied, bytes that are lent are copied once. Each fragment is
    /// a part of its file, byte for byte: an entry keeps the whole of the three files in memory. It is proven that each fragment is one whole element in
    /// which everything nests, that the three files list the same packages, and that there are as many
    /// as each file claims. It is *not* proven that what lies within is what a client understands:
    /// [`parse_packages`] shows that.
    ///
    /// Files with comments, CDATA or prefixes of their own are parsed completely and written anew in
    /// createrepo_c's way; elements that it does not know are lost then.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] where a file is wrong, [`Error::Unmatched`] where they differ.
    pub fn read<'a>(
        primary: impl Into<Cow<'a, [u8]>>,
        filelists: impl Into<Cow<'a, [u8]>>,
        other: impl Into<Cow<'a, [u8]>>,
    ) -> Result<Self, Error> {
        let files = [primary.into(), filelists.into(), other.into()];
        let [primary, filelists, other] = &files;
        if let Some(places) = Place::find(primary, filelists, other)? {
            return Ok(Self::cut(places, files));
        }
        let packages = parse_packages(primary, filelists, other)?;
        Ok(Self { entries: packages.iter().map(entry_of).collect() })
    }

    fn cut(places: Vec<Place>, files: [Cow<'_, [u8]>; 3]) -> Self {
        let [primary, filelists, other] = files.map(|file| Arc::new(file.into_owned()));
        let entries = places.into_iter().map(|place| {
            let fragments = Fragments {
                primary: Slice::of(&primary, place.primary),
                filelists: Slice::of(&filelists, place.filelists),
                other: Slice::of(&other, place.other),
            };
            Entry::seen(place.glance, fragments)
        });
        Self { entries: entries.collect() }
    }
}

/// Where the three files speak of one package.
struct Place {
    glance: Glance,
    primary: Range<usize>,
    filelists: Range<usize>,
    other: Range<usize>,
}

impl Place {
    /// Finds every package; `None` if a file is not as the usual writers make it.
    fn find(primary: &[u8], filelists: &[u8], other: &[u8]) -> Result<Option<Vec<Self>>, Error> {
        let Some(listed) = sliced(Document::Primary, primary, glance_on)? else { return Ok(None) };
        let Some(files) = sliced(Document::Filelists, filelists, pkgid_on)? else { return Ok(None) };
        let Some(changes) = sliced(Document::Other, other, pkgid_on)? else { return Ok(None) };

        let pkgids: Vec<&str> = listed.iter().map(|(_, glance)| glance.pkgid.hex.as_str()).collect();
        let files = matched(Document::Filelists, &pkgids, files)?;
        let changes = matched(Document::Other, &pkgids, changes)?;
        let places = listed.into_iter().zip(files).zip(changes);
        let place = |(((primary, glance), filelists), other)| Self { glance, primary, filelists, other };
        Ok(Some(places.map(place).collect()))
    }
}

type Slices<T> = Vec<(Range<usize>, T)>;

/// Walks one file: where each package lies, and what `look` makes of it, which walks to its end.
fn sliced<'a, T>(
    document: Document,
    bytes: &'a [u8],
    look: impl Fn(&Tag<'a>, &mut Walk<'a>) -> Result<T, Stop>,
) -> Result<Option<Slices<T>>, Error> {
    let text = text_of(document, bytes)?;
    let skipped = bytes.len() - text.len();
    let slices = walk_over(document, text, skipped, look).and_then(|slices| match first_unnamed(text) {
        None => Ok(slices),
        Some(offset) => Err(wrong(offset, "it refers to something that XML does not name")),
    });
    match slices {
        Ok(slices) => Ok(Some(slices)),
        Err(Stop::NotPlain) => Ok(None),
        Err(Stop::Wrong { offset, problem }) => {
            Err(Error::Xml { document, offset: (offset + skipped) as u64, problem })
        }
    }
}

fn walk_over<'a, T>(
    document: Document,
    text: &'a str,
    skipped: usize,
    look: impl Fn(&Tag<'a>, &mut Walk<'a>) -> Result<T, Stop>,
) -> Result<Slices<T>, Stop> {
    let mut walk = Walk::over(text)?;
    let root = walk.next()?.ok_or_else(|| wrong(0, "it is empty"))?;
    let claimed = check_root(document, &root)?;
    let mut slices = Slices::new();
    let mut ended = root.side == Side::Empty;
    while !ended {
        let tag = walk.next()?.ok_or_else(|| wrong(text.len(), "it ends early"))?;
        match tag.side {
            Side::End => ended = true,
            Side::Start if tag.name == "package" => {
                let seen = look(&tag, &mut walk)?;
                let newline = usize::from(text.as_bytes().get(walk.offset()) == Some(&b'\n'));
                slices.push((tag.start + skipped..walk.offset() + newline + skipped, seen));
            }
            _ => return Err(wrong(tag.start, format!("`{}` is no package", crate::walk::shown(tag.name)))),
        }
    }
    if walk.next()?.is_some() {
        return Err(wrong(walk.offset(), "more follows behind the last element"));
    }
    match claimed {
        Some(claimed) if claimed != slices.len() => {
            Err(wrong(root.start, format!("it claims {claimed} packages and lists {}", slices.len())))
        }
        _ => Ok(slices),
    }
}

/// Checks that what is cut from this file means the same below the root we write; tells how many packages
/// it claims to list.
pub(crate) fn check_root(document: Document, root: &Tag<'_>) -> Result<Option<usize>, Stop> {
    let mut claimed = None;
    let mut namespace = None;
    for attribute in root.attributes() {
        let (key, value) = attribute?;
        match key {
            "packages" => claimed = value.parse().ok(),
            "xmlns" => namespace = Some(value),
            "xmlns:rpm" if document.declares_rpm() && value == RPM_NAMESPACE => {}
            key if key.starts_with("xml") => return Err(Stop::NotPlain),
            _ => {}
        }
    }
    if root.name != document.root() || namespace != document.namespace() {
        return Err(Stop::NotPlain);
    }
    Ok(claimed)
}

/// Reads the pkgid from the start tag of a package in filelists or other, and walks to its end.
fn pkgid_on<'a>(tag: &Tag<'a>, walk: &mut Walk<'a>) -> Result<&'a str, Stop> {
    let mut pkgid = None;
    for attribute in tag.attributes() {
        let (key, value) = attribute?;
        if key == "pkgid" && pkgid.replace(value).is_some() {
            return Err(wrong(tag.start, "attribute `pkgid` is there twice"));
        }
    }
    let pkgid = pkgid.ok_or_else(|| wrong(tag.start, "the package has no `pkgid`"))?;
    loop {
        match walk.next()? {
            Some(inner) if inner.depth == tag.depth => return Ok(pkgid),
            Some(inner) if inner.name == "package" => {
                return Err(wrong(inner.start, "a package lies within a package"));
            }
            Some(_) => {}
            None => return Err(wrong(tag.start, "the package does not end")),
        }
    }
}

/// Brings the packages of another file into the order of primary.
fn matched(document: Document, pkgids: &[&str], slices: Slices<&str>) -> Result<Vec<Range<usize>>, Error> {
    let unmatched = |problem: String| Error::Unmatched { document, problem };
    if pkgids.len() == slices.len() && pkgids.iter().zip(&slices).all(|(a, (_, b))| a == b) {
        return Ok(slices.into_iter().map(|(range, _)| range).collect());
    }
    // The same file may be listed at two places: then each file lists the pkgid as often.
    let mut places: HashMap<&str, Vec<Range<usize>>> = HashMap::new();
    for (range, pkgid) in slices.into_iter().rev() {
        places.entry(pkgid).or_default().push(range);
    }
    let mut out = Vec::with_capacity(pkgids.len());
    for pkgid in pkgids {
        let range = places.get_mut(pkgid).and_then(Vec::pop);
        out.push(range.ok_or_else(|| unmatched(format!("it lacks package `{pkgid}`")))?);
    }
    match places.iter().filter(|(_, left)| !left.is_empty()).map(|(pkgid, _)| *pkgid).min() {
        None => Ok(out),
        Some(pkgid) => Err(unmatched(format!("it lists package `{}` more often", crate::walk::shown(pkgid)))),
    }
}

#[cfg(test)]
mod tests;
