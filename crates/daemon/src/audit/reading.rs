//! Reading the audit log: the lines that count are records; what was torn and what is wrong is told at the end.

use super::Record;
use super::chain::{Chain, Flaw};
use crate::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use store::{Disk, Reading};

/// The longest line that is read; a longer one is skipped.
const LINE_MAX: u64 = 64 << 20;

/// Reads the records of a log, month by month, one line at a time.
///
/// Passes over lines that count for nothing. When it has come to the end, [`Records::flaws`] tells what is wrong
/// with the log. An error of the disk ends it.
pub struct Records<'a> {
    disk: &'a dyn Disk,
    months: VecDeque<Utf8PathBuf>,
    open: Option<Month>,
    chain: Chain,
    torn: Option<Flaw>,
    has_ended: bool,
}

/// Is the file that is being read, and how many lines of it were.
struct Month {
    path: Utf8PathBuf,
    reader: BufReader<Box<dyn Reading>>,
    lines: u64,
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("months", &self.months).field("flaws", &self.flaws()).finish()
    }
}

impl<'a> Records<'a> {
    /// Reads the log in `dir` from its beginning.
    pub fn read(disk: &'a dyn Disk, dir: &Utf8Path) -> Result<Records<'a>, Error> {
        let names = disk.list(dir)?.names;
        let months =
            names.iter().filter(|name| name.ends_with(".jsonl")).map(|name| dir.join(name)).collect();
        Ok(Records { disk, months, open: None, chain: Chain::new(), torn: None, has_ended: false })
    }

    /// Looks out for the lines with these digests; [`Records::missing`] tells which are not there.
    pub fn want(&mut self, heads: BTreeSet<Sha256>) {
        self.chain.wanted = heads;
    }

    /// The digests that were wanted and no line that counts has; complete when the end was reached.
    pub fn missing(&self) -> &BTreeSet<Sha256> {
        &self.chain.wanted
    }

    /// Lists the files that are still to be read.
    pub(super) fn months(&self) -> impl DoubleEndedIterator<Item = &Utf8PathBuf> {
        self.months.iter()
    }

    /// Lists the lines that were changed, or follow one that was changed, removed or moved; at most a hundred.
    /// Complete when the end was reached. A torn tail is not among them.
    pub fn flaws(&self) -> &[Flaw] {
        self.chain.flaws()
    }

    /// The line from which on the end of the log is torn, if it is; known when the end was reached.
    pub fn torn(&self) -> Option<&Flaw> {
        self.torn.as_ref()
    }

    /// What the next line must carry; `None` if the chain has not begun and lines stand before it.
    pub(super) fn head(&self) -> Option<Sha256> {
        self.chain.head()
    }

    /// The digest of everything that stands before the chain.
    pub(super) fn digest_before(&self) -> Sha256 {
        self.chain.digest_before()
    }

    /// Hands the next line to the chain; false at the end of the file.
    fn line(&mut self) -> Result<bool, Error> {
        let Some(Month { path, reader, lines }) = &mut self.open else {
            return Ok(false);
        };
        let wrong = |cause| Error::File { operation: "read", path: path.clone(), cause };
        let mut line = Vec::new();
        reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line).map_err(wrong)?;
        *lines += 1;
        if line.is_empty() {
            return Ok(false);
        }
        let is_whole = line.last() == Some(&b'\n');
        if !is_whole && line.len() as u64 == LINE_MAX {
            reader.skip_until(b'\n').map_err(wrong)?;
        }
        let said = match is_whole {
            true => serde_json::from_slice::<Record>(&line).map_err(|error| error.to_string()),
            false => Err("it is torn: its end is missing".to_owned()),
        };
        self.chain.line((path, *lines), &line, said);
        Ok(true)
    }

    fn advance(&mut self) -> Result<Option<Record>, Error> {
        loop {
            if let Some(record) = self.chain.next() {
                return Ok(Some(record));
            }
            if self.has_ended {
                return Ok(None);
            }
            if self.open.is_none() {
                match self.months.pop_front() {
                    Some(path) => {
                        let reader = BufReader::new(self.disk.open(&path)?);
                        self.open = Some(Month { path, reader, lines: 0 });
                    }
                    None => {
                        self.torn = self.chain.end();
                        self.has_ended = true;
                        continue;
                    }
                }
            }
            if !self.line()? {
                self.open = None;
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Result<Record, Error>> {
        let next = self.advance().transpose();
        if let Some(Err(_)) = next {
            self.months.clear();
            self.open = None;
            self.has_ended = true;
        }
        next
    }
}
