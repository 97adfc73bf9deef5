//! Where a mirror copies from: a web server, or an rsync daemon.

use std::num::NonZeroU64;
use std::time::Duration;

use camino::Utf8Path;

use super::http::Http;
use super::rsync::Rsync;
use super::wanted::Wanted;
use crate::failure::Failure;

/// Why files did not come.
#[derive(Debug)]
pub enum Trouble {
    /// The generation is not there any more.
    Vanished(String),
    /// Something else.
    Failure(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// How much may come how fast.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bytes a second.
    pub rate: Option<NonZeroU64>,
    /// How long nothing may come.
    pub timeout: Duration,
}

/// A source.
pub enum Source {
    /// A web server.
    Http(Http),
    /// An rsync daemon.
    Rsync(Rsync),
}

impl Source {
    /// Tells by its address what it is.
    pub fn of(url: &str, pace: Pace) -> Result<Self, Failure> {
        let top = url.trim_end_matches('/');
        let is_plain = top.chars().all(|c| c.is_ascii_graphic());
        match top.split_once("://") {
            Some(("http" | "https", host)) if is_plain && !host.is_empty() => {
                Ok(Self::Http(Http::new(top, pace)))
            }
            Some(("rsync", place))
                if is_plain && place.split('/').filter(|part| !part.is_empty()).count() > 1 =>
            {
                Ok(Self::Rsync(Rsync::new(top, pace)))
            }
            _ => Err(Failure::usage(format!("`{url}` is no source of a mirror")).hint(
                "write the URL of the web root (https://HOST) or of the rsync module (rsync://HOST/sluice)",
            )),
        }
    }

    /// Fetches the inventory of whatever is current; `work` is a directory for it.
    pub fn inventory(&self, work: &Utf8Path) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Http(http) => http.inventory(),
            Self::Rsync(rsync) => rsync.inventory(work),
        }
    }

    /// Fetches files of one generation into `parts`, each named by the hexadecimal digits of its digest. What comes is no
    /// larger than promised; whether it *is* what was promised is for the caller to see.
    pub fn fetch(&self, number: u64, wanted: &[&Wanted], parts: &Utf8Path) -> Result<u64, Trouble> {
        match self {
            Self::Http(http) => http.fetch(number, wanted, parts),
            Self::Rsync(rsync) => rsync.fetch(number, wanted, parts),
        }
    }
}
