//! Reading the audit log: whole lines are records, anything else is skipped and reported.

use super::Record;
use crate::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use store::{Disk, Reading};

/// The longest line that is read; a longer one is skipped.
const LINE_MAX: u64 = 64 << 20;

/// The most skipped lines that are remembered one by one.
const SKIPPED_MAX: usize = 100;

/// Reads the records of a log, month by month, one line at a time.
///
/// Skips lines that are no records; [`Records::skipped`] tells which. An error of the disk ends it.
pub struct Records {
    disk: Arc<dyn Disk>,
    months: VecDeque<Utf8PathBuf>,
    open: Option<Month>,
    skipped: Vec<(Utf8PathBuf, u64, String)>,
}

/// Is the file that is being read, and how many lines of it were.
struct Month {
    path: Utf8PathBuf,
    reader: BufReader<Box<dyn Reading>>,
    lines: u64,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("months", &self.months).field("skipped", &self.skipped).finish()
    }
}

impl Records {
    pub(crate) fn read(disk: Arc<dyn Disk>, dir: &Utf8Path) -> Result<Records, Error> {
        let names = disk.list(dir)?.names;
        let months =
            names.iter().filter(|name| name.ends_with(".jsonl")).map(|name| dir.join(name)).collect();
        Ok(Records { disk, months, open: None, skipped: Vec::new() })
    }

    /// Lists the files that are still to be read.
    pub(super) fn months(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.months.iter()
    }

    /// Lists the lines that were skipped so far: file, line from 1, and why; at most a hundred.
    pub fn skipped(&self) -> &[(Utf8PathBuf, u64, String)] {
        &self.skipped
    }

    fn skip(&mut self, path: &Utf8Path, line: u64, why: impl Into<String>) {
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push((path.to_owned(), line, why.into()));
        }
    }

    /// Reads one line without its end; `None` at the end of the file.
    fn line(&mut self) -> Result<Option<(Utf8PathBuf, u64, Vec<u8>)>, Error> {
        let Some(Month { path, reader, lines }) = &mut self.open else {
            return Ok(None);
        };
        let wrong = |cause| Error::File { operation: "read", path: path.clone(), cause };
        let mut line = Vec::new();
        reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line).map_err(wrong)?;
        *lines += 1;
        if line.is_empty() {
            self.open = None;
            return Ok(None);
        }
        if line.len() as u64 == LINE_MAX && line.last() != Some(&b'\n') {
            reader.skip_until(b'\n').map_err(wrong)?;
        }
        Ok(Some((path.clone(), *lines, line)))
    }

    fn advance(&mut self) -> Result<Option<Record>, Error> {
        loop {
            if self.open.is_none() {
                let Some(path) = self.months.pop_front() else {
                    return Ok(None);
                };
                let file = self.disk.open(&path)?;
                self.open = Some(Month { path, reader: BufReader::new(file), lines: 0 });
            }
            let Some((path, number, line)) = self.line()? else {
                continue;
            };
            if line.last() != Some(&b'\n') {
                self.skip(&path, number, "it is torn: its end is missing");
                continue;
            }
            match serde_json::from_slice::<Record>(&line) {
                Ok(record) => return Ok(Some(record)),
                Err(_) if line == b"\n" => {}
                Err(error) => self.skip(&path, number, error.to_string()),
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Result<Record, Error>> {
        let next = self.advance().transpose();
        if let Some(Err(_)) = next {
            self.months.clear();
            self.open = None;
        }
        next
    }
}
