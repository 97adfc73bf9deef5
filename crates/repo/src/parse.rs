//! Complete parsing of primary, filelists and other.

use std::collections::HashMap;
use std::ops::ControlFlow;

use nevra::{Algorithm, Arch, Digest, Evr, Nevra};

use crate::Document;
use crate::error::Error;
use crate::package::{Changelog, File, FileKind, Package, Relation};
use crate::walk::shown;
use crate::xml::{Element, Xml};

/// Parses the three files of a repository, uncompressed, into its packages.
///
/// # Errors
///
/// [`Error::Xml`] where a file is wrong, [`Error::Unmatched`] where they list different packages.
pub fn parse_packages(primary: &[u8], filelists: &[u8], other: &[u8]) -> Result<Vec<Package>, Error> {
    let mut packages = parse_primary(primary)?;
    parse_filelists(filelists, &mut packages)?;
    parse_other(other, &mut packages)?;
    Ok(packages)
}

/// Parses primary; packages come with only those files that primary lists, and without changelogs.
///
/// Prefixes may be any, unknown elements are passed over. Everything that the file says comes out as
/// it stands: what lies behind an href or a digest is *not* checked.
///
/// # Errors
///
/// [`Error::Xml`] for what is no XML, for control characters, document types, elements nested deeper
/// than 32, and packages without name, version, checksum, size or place, or with one of them twice.
pub fn parse_primary(xml: &[u8]) -> Result<Vec<Package>, Error> {
    let mut packages = Vec::new();
    each_package(xml, |package| {
        packages.push(package);
        ControlFlow::Continue(())
    })?;
    Ok(packages)
}

/// Goes through primary as [`parse_primary`] does and hands out one package after the other, so that nobody must hold
/// all of them at once, until there is no more or `see` breaks off.
///
/// # Errors
///
/// As for [`parse_primary`]; what was handed out before means nothing then. Behind the place where `see` broke off
/// nothing is looked at.
pub fn each_package(xml: &[u8], mut see: impl FnMut(Package) -> ControlFlow<()>) -> Result<(), Error> {
    let (mut xml, _) = Xml::open(Document::Primary, xml)?;
    while let Some(element) = xml.child()? {
        match &*element.name {
            "package" => {
                if see(package(&mut xml)?).is_break() {
                    return Ok(());
                }
            }
            _ => xml.skip()?,
        }
    }
    xml.finish()
}

/// Parses filelists and gives each package all of its files.
///
/// # Errors
///
/// [`Error::Xml`] as for [`parse_primary`]; [`Error::Unmatched`] unless the file lists exactly the
/// packages that are handed in, which may then have some of their files already.
pub fn parse_filelists(xml: &[u8], packages: &mut [Package]) -> Result<(), Error> {
    packages.iter_mut().for_each(|package| package.files.clear());
    let pkgids = pkgids(packages.iter().map(|package| package.pkgid.hex.as_str()));
    each_file_of(xml, pkgids, |at, file| {
        packages[at].files.push(file);
        ControlFlow::Continue(())
    })
}

/// Goes through filelists and hands out every file with the place of its package among the `pkgids` of primary, so that
/// nobody must hold millions of them at once, until there is no more or `see` breaks off.
///
/// # Errors
///
/// As for [`parse_filelists`]; what was handed out before means nothing then. Behind the package in which `see` broke
/// off nothing is looked at.
pub fn each_file<'a>(
    xml: &[u8],
    of: impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator,
    see: impl FnMut(usize, File) -> ControlFlow<()>,
) -> Result<(), Error> {
    each_file_of(xml, pkgids(of), see)
}

fn each_file_of(
    xml: &[u8],
    pkgids: HashMap<String, Vec<usize>>,
    mut see: impl FnMut(usize, File) -> ControlFlow<()>,
) -> Result<(), Error> {
    listed(Document::Filelists, xml, pkgids, |xml, at| {
        while let Some(element) = xml.child()? {
            match &*element.name {
                "file" => {
                    if see(at, file(xml, &element)?).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                _ => xml.skip()?,
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Finds packages by their pkgid, the first of several last.
fn pkgids<'a>(
    of: impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator,
) -> HashMap<String, Vec<usize>> {
    // The same file may be listed at two places: then each file lists the pkgid as often.
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, pkgid) in of.enumerate().rev() {
        places.entry(pkgid.to_owned()).or_default().push(at);
    }
    places
}

/// Parses other and gives each package its changelog.
///
/// # Errors
///
/// As for [`parse_filelists`].
pub fn parse_other(xml: &[u8], packages: &mut [Package]) -> Result<(), Error> {
    let pkgids = pkgids(packages.iter().map(|package| package.pkgid.hex.as_str()));
    listed(Document::Other, xml, pkgids, |xml, at| {
        let package = &mut packages[at];
        package.changelogs.clear();
        while let Some(element) = xml.child()? {
            match &*element.name {
                "changelog" => {
                    let author = element.attribute("author").unwrap_or_default().to_owned();
                    let date = xml.number("date", element.attribute("date").unwrap_or_default())?;
                    package.changelogs.push(Changelog { author, date, text: xml.leaf()? });
                }
                _ => xml.skip()?,
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Goes through a file that lists packages by pkgid.
fn listed(
    document: Document,
    bytes: &[u8],
    mut places: HashMap<String, Vec<usize>>,
    mut fill: impl FnMut(&mut Xml<'_>, usize) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let unmatched = |problem: String| Error::Unmatched { document, problem };
    let (mut xml, _) = Xml::open(document, bytes)?;
    while let Some(element) = xml.child()? {
        if element.name != "package" {
            xml.skip()?;
            continue;
        }
        let pkgid = element.attribute("pkgid").unwrap_or_default();
        let at = places.get_mut(pkgid).and_then(Vec::pop);
        let at = at.ok_or_else(|| unmatched(format!("it lists package `{}` more often", shown(pkgid))))?;
        if fill(&mut xml, at)?.is_break() {
            return Ok(());
        }
    }
    xml.finish()?;
    match places.iter().filter(|(_, left)| !left.is_empty()).map(|(pkgid, _)| pkgid).min() {
        None => Ok(()),
        Some(pkgid) => Err(unmatched(format!("it lacks package `{pkgid}`"))),
    }
}

fn package(xml: &mut Xml<'_>) -> Result<Package, Error> {
    let (mut name, mut arch, mut evr, mut pkgid, mut href, mut size) = (None, None, None, None, None, None);
    let mut package = empty();
    while let Some(element) = xml.child()? {
        match &*element.name {
            "name" => once(xml, &element, &mut name)?,
            "arch" => once(xml, &element, &mut arch)?,
            "summary" => package.summary = xml.leaf()?,
            "description" => package.description = xml.leaf()?,
            "packager" => package.packager = xml.leaf()?,
            "url" => package.url = xml.leaf()?,
            "checksum" => {
                let digest = xml.digest(&element)?;
                set(xml, &element, &mut pkgid, digest)?;
            }
            "format" => format(xml, &mut package)?,
            _ => {
                let value = |key: &str| element.attribute(key).unwrap_or_default();
                match &*element.name {
                    "version" => {
                        let epoch = Some(value("epoch")).filter(|epoch| !epoch.is_empty()).unwrap_or("0");
                        let epoch = xml.number("epoch", epoch)?;
                        let (version, release) = (value("ver").to_owned(), value("rel").to_owned());
                        set(xml, &element, &mut evr, Evr { epoch, version, release })?;
                    }
                    "time" => {
                        package.time_file = xml.number("file", value("file"))?;
                        package.time_build = xml.number("build", value("build"))?;
                    }
                    "size" => {
                        set(xml, &element, &mut size, xml.number("size", value("package"))?)?;
                        package.size_installed = optional(xml, &element, "installed")?;
                        package.size_archive = optional(xml, &element, "archive")?;
                    }
                    "location" => set(xml, &element, &mut href, value("href").to_owned())?,
                    _ => {}
                }
                xml.skip()?;
            }
        }
    }
    let missing = |what: &str| xml.wrong(format!("the package has no `{what}`"));
    let (name, arch) = (name.ok_or_else(|| missing("name"))?, arch.ok_or_else(|| missing("arch"))?);
    let evr = evr.ok_or_else(|| missing("version"))?;
    package.nevra = Nevra::new(name, evr, Arch::new(arch)).map_err(|error| xml.unparsed(&error))?;
    package.pkgid = pkgid.ok_or_else(|| missing("checksum"))?;
    package.href = href.filter(|href| !href.is_empty()).ok_or_else(|| missing("location"))?;
    package.size_package = size.ok_or_else(|| missing("size"))?;
    Ok(package)
}

fn format(xml: &mut Xml<'_>, package: &mut Package) -> Result<(), Error> {
    while let Some(element) = xml.child()? {
        match &*element.name {
            "license" => package.license = xml.leaf()?,
            "vendor" => package.vendor = xml.leaf()?,
            "group" => package.group = xml.leaf()?,
            "buildhost" => package.build_host = xml.leaf()?,
            "sourcerpm" => package.source_rpm = xml.leaf()?,
            "header-range" => {
                package.header_start = optional(xml, &element, "start")?;
                package.header_end = optional(xml, &element, "end")?;
                xml.skip()?;
            }
            "provides" => relations(xml, &mut package.provides)?,
            "requires" => relations(xml, &mut package.requires)?,
            "conflicts" => relations(xml, &mut package.conflicts)?,
            "obsoletes" => relations(xml, &mut package.obsoletes)?,
            "suggests" => relations(xml, &mut package.suggests)?,
            "enhances" => relations(xml, &mut package.enhances)?,
            "recommends" => relations(xml, &mut package.recommends)?,
            "supplements" => relations(xml, &mut package.supplements)?,
            "file" => package.files.push(file(xml, &element)?),
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn relations(xml: &mut Xml<'_>, relations: &mut Vec<Relation>) -> Result<(), Error> {
    while let Some(element) = xml.child()? {
        if element.name == "entry" {
            relations.push(relation(xml, &element)?);
        }
        xml.skip()?;
    }
    Ok(())
}

fn relation(xml: &Xml<'_>, element: &Element<'_>) -> Result<Relation, Error> {
    let value = |key: &str| element.attribute(key).filter(|value| !value.is_empty());
    let name = value("name").ok_or_else(|| xml.wrong("an entry has no `name`"))?.to_owned();
    let flags = match value("flags") {
        None => None,
        Some("EQ") => Some("EQ"),
        Some("LT") => Some("LT"),
        Some("GT") => Some("GT"),
        Some("LE") => Some("LE"),
        Some("GE") => Some("GE"),
        Some(_) => return Err(xml.wrong("the flags of an entry are none of EQ, LT, GT, LE, GE")),
    };
    // Without flags a version says nothing, and is not written either.
    let part = |key: &str| value(key).filter(|_| flags.is_some()).map(str::to_owned);
    let pre = value("pre").is_some_and(|pre| pre != "0" && !pre.eq_ignore_ascii_case("false"));
    Ok(Relation { name, flags, epoch: part("epoch"), version: part("ver"), release: part("rel"), pre })
}

fn file(xml: &mut Xml<'_>, element: &Element<'_>) -> Result<File, Error> {
    let kind = match element.attribute("type") {
        None | Some("" | "file") => FileKind::File,
        Some("dir") => FileKind::Directory,
        Some("ghost") => FileKind::Ghost,
        Some(_) => return Err(xml.wrong("the type of a file is none of file, dir, ghost")),
    };
    let path = xml.leaf()?;
    if path.is_empty() {
        return Err(xml.wrong("a file has no path"));
    }
    Ok(File { path, kind })
}

fn optional(xml: &Xml<'_>, element: &Element<'_>, name: &str) -> Result<u64, Error> {
    element.attribute(name).filter(|text| !text.is_empty()).map_or(Ok(0), |text| xml.number(name, text))
}

fn once(xml: &mut Xml<'_>, element: &Element<'_>, place: &mut Option<String>) -> Result<(), Error> {
    let text = xml.leaf()?;
    set(xml, element, place, text)
}

fn set<T>(xml: &Xml<'_>, element: &Element<'_>, place: &mut Option<T>, value: T) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(xml.wrong(format!("the package has `{}` twice", element.name))),
    }
}

fn empty() -> Package {
    Package {
        nevra: Nevra {
            name: String::new(),
            evr: Evr { epoch: 0, version: String::new(), release: String::new() },
            arch: Arch::new(""),
        },
        pkgid: Digest { algorithm: Algorithm::Sha256, hex: String::new() },
        href: String::new(),
        summary: String::new(),
        description: String::new(),
        packager: String::new(),
        url: String::new(),
        license: String::new(),
        vendor: String::new(),
        group: String::new(),
        build_host: String::new(),
        source_rpm: String::new(),
        time_file: 0,
        time_build: 0,
        size_package: 0,
        size_installed: 0,
        size_archive: 0,
        header_start: 0,
        header_end: 0,
        provides: Vec::new(),
        requires: Vec::new(),
        conflicts: Vec::new(),
        obsoletes: Vec::new(),
        suggests: Vec::new(),
        enhances: Vec::new(),
        recommends: Vec::new(),
        supplements: Vec::new(),
        files: Vec::new(),
        changelogs: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
