//! From a directory of packages to its repodata, in place.

use std::collections::BTreeSet;
use std::io::Read;

use camino::Utf8PathBuf;
use repo::{Compression, Document, Form, Gathered, Piece, Record, Repomd, Slice};
use store::{Disk, Modified};

use crate::earlier::{Carried, DOCUMENTS, Known, index_of};
use crate::order::Order;
use crate::replace::{INDEX, Place, Replaced, Repodata, Written};
use crate::retention::{Old, places};
use crate::sources::items;
use crate::walk::{Found, packages_below, shown};
use crate::writing::{self, Written as Listed};
use crate::{Error, Unreadable};

/// A comps file is not larger.
const GROUP_MAX: u64 = 1 << 30;

/// What was done.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many packages are listed.
    pub packages: usize,
    /// How many of them were read; the others were taken over.
    pub read: usize,
    /// How many blocks of primary, filelists and other were copied without being opened.
    pub closed: [usize; 3],
    /// What looked like a package and is not listed, by name; and whatever else is lost.
    pub unreadable: Vec<Unreadable>,
    /// What somebody should know, and nobody has to act upon.
    pub notes: Vec<String>,
    /// How the new repodata came into its place.
    pub replaced: Replaced,
}

/// Makes repodata of a directory and puts it in the place of what is there; when this returns it is durable.
///
/// At every instant readers find the old or the new repodata, also if this is killed or the power goes. A package
/// that cannot be read keeps nothing from being written: it is named in [`Report::unreadable`].
///
/// # Errors
///
/// [`Error::Busy`] and [`Error::OtherLock`] if somebody else is at work there; otherwise the disk failed, or
/// what was asked for cannot be done on it. Nothing has changed then.
pub fn create(disk: &dyn Disk, order: &Order) -> Result<Report, Error> {
    let place = Place::lock(disk, &order.output, order.other_lock)?;
    let mut notes = Vec::new();
    let old = Old::look(disk, &place.repodata())?;
    let index = index_of(disk, &order.output).unwrap_or_else(|error| {
        notes.push(format!("the old index is not believed, and what it names is kept: {error}"));
        None
    });
    let group = group_of(disk, order)?;

    let Found { hrefs, mut unreadable, doubtful } = selected(disk, order)?;
    notes.extend(doubtful.into_iter().map(|odd| format!("{}: {}", odd.place, odd.why)));
    let written = listed(disk, order, &hrefs, &mut notes)?;
    unreadable.extend(written.unreadable);

    let mut head = Repomd::new(order.revision.clone().unwrap_or_else(|| order.now.to_string()));
    head.set_tags(&order.tags);
    let timestamp = order.timestamp.unwrap_or(order.now);
    let mut new = New { repomd: head, files: Vec::new() };
    for (document, file) in DOCUMENTS.into_iter().zip(written.files) {
        new.add_document(&order.form, document, file, timestamp);
    }
    for piece in database_pieces(order, &new)?.iter().chain(&group_pieces(order, &group)) {
        new.add(repo::pack_piece(&order.form, piece, timestamp));
    }
    let carried = carried(disk, order, index.as_ref(), &mut notes);
    unreadable.extend(carried.lost.iter().map(|(kind, error)| Unreadable {
        place: format!("record `{}`", shown(kind)),
        why: error.to_string(),
    }));

    let mut repodata = Repodata { unique_names: order.form.unique_names, ..Repodata::default() };
    let modified = Some(Modified::of_seconds(timestamp));
    let mut taken: BTreeSet<String> = new.files.iter().map(|(name, _)| name.clone()).collect();
    for (name, pieces) in new.files {
        repodata.written.push(Written { name, pieces, modified });
    }
    for (record, file) in carried.records.into_iter().zip(carried.files) {
        // Two records may name one file, and a simple name may be one of the new files'.
        if let Some((name, bytes)) = file.filter(|(name, _)| taken.insert(name.clone())) {
            // Whoever wrote the record may have claimed any time.
            let modified = Some(Modified::of_seconds(record.timestamp.clamp(0, order.now)));
            repodata.written.push(Written { name, pieces: vec![bytes.into()], modified });
        }
        new.repomd.records.push(record);
    }
    let modified = Some(index_time(order.now, old.index_modified()));
    repodata.written.push(Written {
        name: INDEX.to_owned(),
        pieces: vec![new.repomd.write().into()],
        modified,
    });

    let mut names = old.kept(order.retention, index.as_ref(), order.now);
    names.retain(|name| repodata.written.iter().all(|file| file.name != *name));
    if names.contains("repomd.xml.asc") {
        notes.push("`repomd.xml.asc` is kept and signs the index of before: sign the new one".to_owned());
    }
    repodata.kept = places(disk, &place.repodata(), &names)?;
    repodata.kept.retain(|place| !taken.contains(place.as_str()));
    let (replaced, left) = place.replace(&repodata)?;
    notes.extend(left.map(|error| format!("what was replaced still lies in `.repodata`: {error}")));
    let Listed { packages, read, closed, .. } = written;
    Ok(Report { packages, read, closed, unreadable, notes, replaced })
}

/// The new metadata while it grows.
struct New {
    repomd: Repomd,
    /// By name below `repodata`, in pieces that follow each other.
    files: Vec<(String, Vec<Slice>)>,
}

impl New {
    fn add(&mut self, (record, bytes): (Record, Vec<u8>)) {
        self.files.push((below_repodata(&record.href), vec![bytes.into()]));
        self.repomd.records.push(record);
    }

    fn add_document(&mut self, form: &Form, document: Document, file: Gathered, timestamp: i64) {
        let record = repo::describe(form, document, timestamp, (file.file, file.open.map(Into::into)));
        self.files.push((below_repodata(&record.href), file.pieces));
        self.repomd.records.push(record);
    }
}

fn below_repodata(href: &str) -> String {
    href.strip_prefix("repodata/").unwrap_or(href).to_owned()
}

/// The packages that are to be listed, in their order.
fn selected(disk: &dyn Disk, order: &Order) -> Result<Found, Error> {
    let selection = &order.selection;
    let Some(only) = &selection.only else {
        return packages_below(disk, &order.input, &selection.excludes, selection.links);
    };
    disk.list(&crate::walk::resolved(disk, &order.input)?)?;
    Ok(crate::walk::named(&order.input, only, &selection.excludes))
}

/// Reads the repodata that may spare reading packages.
fn known(disk: &dyn Disk, order: &Order, notes: &mut Vec<String>) -> Known {
    let Some(update) = &order.update else { return Known::nothing(false) };
    let mut known = Known::nothing(update.skips_stat);
    for repository in [&order.output].into_iter().chain(&update.from) {
        if let Err(error) = known.learn(disk, repository, order.form.compression) {
            notes.push(format!("nothing is taken over from `{repository}/repodata`: {error}"));
        }
    }
    known
}

/// Writes what is to be listed; repodata that turns out to be false spares nothing.
fn listed(
    disk: &dyn Disk,
    order: &Order,
    hrefs: &[Utf8PathBuf],
    notes: &mut Vec<String>,
) -> Result<Listed, Error> {
    let known = known(disk, order, notes);
    match writing::written(disk, order, &known, &items(disk, order, hrefs, &known)) {
        Err(error) if !known.is_empty() => {
            notes.push(format!("nothing is taken over from the repodata that is there: {error}"));
            let nothing = Known::nothing(false);
            writing::written(disk, order, &nothing, &items(disk, order, hrefs, &nothing))
        }
        written => written,
    }
}

fn group_of(disk: &dyn Disk, order: &Order) -> Result<Option<(String, Vec<u8>)>, Error> {
    let Some(file) = &order.beside.group_file else { return Ok(None) };
    let path = crate::walk::resolved(disk, &order.input.join(file))?;
    let mut bytes = Vec::new();
    let read = disk.open(&path)?.take(GROUP_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|cause| Error::Read { path: path.clone(), cause })?;
    if bytes.len() as u64 > GROUP_MAX {
        return Err(Error::TooLarge { path, limit: GROUP_MAX });
    }
    Ok(Some((file.file_name().unwrap_or("comps.xml").to_owned(), bytes)))
}

/// Comps as it stands, and packed.
fn group_pieces<'a>(order: &Order, group: &'a Option<(String, Vec<u8>)>) -> Vec<Piece<'a>> {
    let Some((file_name, bytes)) = group else { return Vec::new() };
    let piece = |kind, compression| Piece {
        kind,
        file_name,
        open: bytes.as_slice().into(),
        compression,
        database_version: None,
    };
    let packed = match order.beside.group {
        Compression::None => None,
        Compression::Gzip => Some("group_gz"),
        Compression::Bzip2 => Some("group_bz2"),
        Compression::Xz => Some("group_xz"),
        Compression::Zstd => Some("group_zst"),
    };
    let packed = packed.map(|kind| piece(kind, order.beside.group));
    [piece("group", Compression::None)].into_iter().chain(packed).collect()
}

/// The databases of yum 3, each bound to the XML file it stands for.
fn database_pieces(order: &Order, new: &New) -> Result<Vec<Piece<'static>>, Error> {
    let Some(compression) = order.beside.databases else { return Ok(Vec::new()) };
    let unreadable = |cause| Error::Metadata { path: Utf8PathBuf::from(INDEX), cause };
    let open = |at: usize| repo::unpack(&new.files[at].1.concat(), u64::MAX).map_err(unreadable);
    let packages = repo::parse_packages(&open(0)?, &open(1)?, &open(2)?).map_err(unreadable)?;
    let of = |at: usize| &new.repomd.records[at].checksum;
    let piece = |kind, file_name, bytes: Vec<u8>| Piece {
        kind,
        file_name,
        open: bytes.into(),
        compression,
        database_version: Some(databases::DATABASE_VERSION),
    };
    Ok(vec![
        piece("primary_db", "primary.sqlite", databases::primary(&packages, of(0))?),
        piece("filelists_db", "filelists.sqlite", databases::filelists(&packages, of(1))?),
        piece("other_db", "other.sqlite", databases::other(&packages, of(2))?),
    ])
}

/// What the old index names besides, as far as it is to stay.
fn carried(disk: &dyn Disk, order: &Order, index: Option<&Repomd>, notes: &mut Vec<String>) -> Carried {
    let Some(index) = index else { return Carried::default() };
    let replaced =
        |kind: &str| order.beside.group_file.is_some() && (kind == "group" || kind.starts_with("group_"));
    if order.keeps_additional {
        return Carried::from(disk, &order.output, index, replaced);
    }
    let dropped: Vec<_> = index
        .records
        .iter()
        .filter(|record| !record.is_made_from_packages() && !replaced(&record.kind))
        .map(|record| format!("`{}`", shown(&record.kind)))
        .collect();
    if !dropped.is_empty() {
        notes.push(format!(
            "{} of the old repodata: not kept (`--update` and `--keep-all-metadata` keep it)",
            dropped.join(", ")
        ));
    }
    Carried::default()
}

/// The index never has the time of the one before, for web servers tell the two apart by seconds and size.
fn index_time(now: i64, before: Option<i64>) -> Modified {
    /// Who set the clock back further than this gets the time there is.
    const AHEAD: i64 = 60;
    let later = before.filter(|before| (now..now + AHEAD).contains(before)).map(|before| before + 1);
    Modified::of_seconds(later.unwrap_or(now))
}
