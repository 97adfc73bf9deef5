//! What a repository lists, a few packages at a time: for files that are too large to be held open.

use std::io::{self, BufRead, Read};

use memchr::memmem;

use crate::contents::{Contents, check_root};
use crate::document::Document;
use crate::entry::Entry;
use crate::packing::unpacking;
use crate::walk::Walk;

/// How much is read at once.
const PIECE: u64 = 1 << 18;
const BEGIN: &[u8] = b"<package";
const END: &[u8] = b"</package>";

/// The three files of a repository, read side by side.
///
/// Only files are read that list the same packages in the same order, as every known writer does it, and hold nothing else
/// that matters. Whatever else they are, [`Odd`] is said, and [`Contents::read`] has the last word: it takes them, or tells
/// what is wrong.
pub struct Batches<'a> {
    files: [Stream<'a>; 3],
    /// How many packages each file claims to list.
    claimed: [Option<usize>; 3],
    listed: usize,
}

/// The files cannot be read in batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd;

impl<'a> Batches<'a> {
    /// Begins to read primary, filelists and other, packed by whatever means; no more than `limit` bytes come out of each.
    ///
    /// # Errors
    ///
    /// One of them does not begin as it should.
    pub fn begin<R: BufRead + 'a>(files: [R; 3], limit: u64) -> Result<Self, Odd> {
        let [primary, filelists, other] = files;
        let open = |document, file| {
            Ok(Stream { document, reader: unpacked(file, limit)?, held: Vec::new(), ended: false })
        };
        let mut files = [
            open(Document::Primary, primary)?,
            open(Document::Filelists, filelists)?,
            open(Document::Other, other)?,
        ];
        let mut claimed = [None; 3];
        for (file, claimed) in files.iter_mut().zip(&mut claimed) {
            *claimed = file.head()?;
        }
        Ok(Self { files, claimed, listed: 0 })
    }

    /// Reads the next packages, so many or fewer; none at the end of the files.
    ///
    /// # Errors
    ///
    /// The files differ, end elsewhere than they should, cannot be unpacked, or [`Contents::read`] would not take them.
    pub fn next(&mut self, packages: usize) -> Result<Vec<Entry>, Odd> {
        let [primary, filelists, other] = &mut self.files;
        let (primary, count) = primary.some(packages)?;
        let (filelists, files) = filelists.some(packages)?;
        let (other, changes) = other.some(packages)?;
        if count != files || count != changes {
            return Err(Odd);
        }
        if count == 0 {
            let are_whole =
                self.claimed.iter().all(|claimed| claimed.is_none_or(|claimed| claimed == self.listed));
            return if are_whole { Ok(Vec::new()) } else { Err(Odd) };
        }
        let contents = Contents::read(primary, filelists, other).map_err(|_| Odd)?;
        self.listed += count;
        if contents.entries.len() == count { Ok(contents.entries) } else { Err(Odd) }
    }
}

fn unpacked<'a>(file: impl BufRead + 'a, limit: u64) -> Result<Box<dyn Read + 'a>, Odd> {
    unpacking(file, limit).map_err(|_| Odd)
}

/// One file.
struct Stream<'a> {
    document: Document,
    reader: Box<dyn Read + 'a>,
    /// What was read and not given away yet.
    held: Vec<u8>,
    ended: bool,
}

impl Stream<'_> {
    /// Reads on; says whether there was more.
    fn more(&mut self) -> Result<bool, Odd> {
        let read = (&mut *self.reader).take(PIECE).read_to_end(&mut self.held);
        match read {
            Ok(0) => self.ended = true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Odd),
        }
        Ok(!self.ended)
    }

    /// Reads everything before the first package, and tells how many the file claims to list.
    fn head(&mut self) -> Result<Option<usize>, Odd> {
        let end = loop {
            // Behind the word stands at least one byte that shows that the name ends there.
            match memmem::find(&self.held, BEGIN).filter(|at| at + BEGIN.len() < self.held.len()) {
                Some(at) => break at,
                None if !self.more()? => return Err(Odd),
                None => {}
            }
        };
        let rest = self.held.split_off(end);
        let head = std::mem::replace(&mut self.held, rest);
        let text = crate::characters::text_of(self.document, &head).map_err(|_| Odd)?;
        let mut walk = Walk::over(text).map_err(|_| Odd)?;
        let root = walk.next().map_err(|_| Odd)?.ok_or(Odd)?;
        let is_all = text.get(root.end..).is_some_and(|rest| rest.trim_ascii().is_empty());
        if is_all { check_root(self.document, &root).map_err(|_| Odd) } else { Err(Odd) }
    }

    /// Reads so many packages or fewer, as a file that lists only them.
    fn some(&mut self, packages: usize) -> Result<(Vec<u8>, usize), Odd> {
        let (mut count, mut end, mut searched) = (0, 0, 0);
        while count < packages {
            match memmem::find(&self.held[searched..], END) {
                Some(at) => {
                    end = searched + at + END.len();
                    searched = end;
                    count += 1;
                }
                None => {
                    // The word may lie across the border of what is held.
                    searched = end.max(self.held.len().saturating_sub(END.len()));
                    if !self.more()? {
                        break;
                    }
                }
            }
        }
        if count < packages && self.held[end..].trim_ascii() != self.document.footer().trim_ascii() {
            return Err(Odd);
        }
        let rest = self.held.split_off(end);
        let some = std::mem::replace(&mut self.held, rest);
        let file =
            [&*self.document.header(count), some.trim_ascii_start(), b"\n", self.document.footer()].concat();
        Ok((file, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Compression, Package, entry_of, pack, write_metadata};

    fn entries(count: usize) -> Vec<Entry> {
        let sample = crate::sample::package();
        let package = |number: usize| Package {
            pkgid: crate::sha256(&number.to_le_bytes()).into(),
            href: format!("{number}.rpm"),
            ..sample.clone()
        };
        (0..count).map(|number| entry_of(&package(number))).collect()
    }

    fn open(entries: &[Entry]) -> [Vec<u8>; 3] {
        let metadata = write_metadata(entries, 5, &[]);
        [0, 1, 2].map(|at| crate::unpack(&metadata.files[at].1, 1 << 30).unwrap())
    }

    fn read(files: &[Vec<u8>; 3], packages: usize) -> Result<Vec<Entry>, Odd> {
        let mut batches = Batches::begin(files.each_ref().map(Vec::as_slice), 1 << 24)?;
        let mut entries = Vec::new();
        loop {
            match batches.next(packages)? {
                some if some.is_empty() => return Ok(entries),
                some => entries.extend(some),
            }
        }
    }

    #[test]
    fn batches_are_what_the_whole_is() {
        let entries = entries(40);
        let files = open(&entries);
        for packages in [1, 7, 39, 40, 41] {
            assert!(read(&files, packages) == Ok(entries.clone()), "{packages}");
        }
        for compression in [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz] {
            let packed = files.each_ref().map(|file| pack(compression, file));
            assert!(read(&packed, 16) == Ok(entries.clone()), "{compression}");
        }
        // Without space between, and with other space at the end.
        let tight = files.each_ref().map(|file| {
            let text = String::from_utf8(file.clone()).unwrap();
            (text.replace("</package>\n<", "</package><") + "\n\n").into_bytes()
        });
        let whole = Contents::read(&*tight[0], &*tight[1], &*tight[2]).unwrap();
        assert_eq!(read(&tight, 16).unwrap().len(), whole.entries.len());
    }

    #[test]
    fn what_is_odd_is_left_to_others() {
        let files = open(&entries(9));
        let changed = |at: usize, change: &dyn Fn(String) -> String| {
            let mut files = files.clone();
            files[at] = change(String::from_utf8(files[at].clone()).unwrap()).into_bytes();
            read(&files, 4)
        };
        assert!(changed(0, &|text| text).is_ok());
        let odd: [(usize, &dyn Fn(String) -> String); 8] = [
            (0, &|text| text.replace("packages=\"9\"", "packages=\"8\"")),
            (1, &|text| text.replace("</filelists>", "")),
            (1, &|text| text + "<more/>"),
            (2, &|text| text.replace("<otherdata ", "<otherdata xmlns:x=\"y\" ")),
            (2, &|text| text.replacen("</package>", "<!-- </package> --></package>", 1)),
            (0, &|text| text.replacen("<package ", "<package><package ", 1)),
            (1, &|text| text[text.find("<package").unwrap()..].to_owned()),
            (1, &|text| {
                // The first package last.
                let (first, last) = (text.find("<package").unwrap(), text.rfind("</filelists>").unwrap());
                let end = text.find("</package>").unwrap() + 11;
                [&text[..first], &text[end..last], &text[first..end], &text[last..]].concat()
            }),
        ];
        for (at, change) in odd {
            assert_eq!(changed(at, change), Err(Odd), "{}", changed(at, change).is_ok());
        }
        assert_eq!(read(&open(&[]), 4), Err(Odd), "there is nothing to be cut");
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..500 {
            let mut files = files.clone();
            let file = &mut files[random.usize(..3)];
            let at = random.usize(..file.len());
            file[at] = random.u8(..);
            let whole = Contents::read(&*files[0], &*files[1], &*files[2]).map(|contents| contents.entries);
            if let Ok(batches) = read(&files, 4) {
                assert!(whole.is_ok_and(|whole| whole == batches), "batches took what the whole is not");
            }
        }
        let mut bomb = files.clone();
        bomb[1] = pack(Compression::Gzip, &[&files[1][..400], &vec![b' '; 1 << 25]].concat());
        assert_eq!(read(&bomb, 4), Err(Odd));
    }
}
