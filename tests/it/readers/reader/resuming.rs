//! Downloads that are cut, and gone on with generations later.

use std::sync::Arc;

use super::super::tally::{Fault, Read};
use super::verifying::shown;
use super::{Known, Reader, Waiting};

impl Reader {
    /// Begins a download and breaks it off.
    pub(super) fn cut(&mut self, repository: &str) -> Result<Waiting, Fault> {
        let view = self.view(repository)?;
        let origin = Arc::clone(&self.origin);
        let base = format!("{}/{repository}", origin.base_url);
        let (url, size, digest) = match self.rng.usize(..4) {
            0 => return Ok(Waiting::CutRepomd(view.known)),
            1 => {
                let record = &view.known.repomd.records[self.rng.usize(..view.known.repomd.records.len())];
                let size = record.size.unwrap_or_default();
                (format!("{base}/{}", record.href), size, record.checksum.clone())
            }
            _ if view.packages.is_empty() => return Ok(Waiting::CutRepomd(view.known)),
            _ => {
                let package = &view.packages[self.rng.usize(..view.packages.len())];
                (format!("{base}/{}", package.href), package.size, package.digest.clone())
            }
        };
        let span = self.now();
        let answer = self.wire.fetch_beginning(&url, self.rng.u64(1..size));
        let answer = answer.map_err(|what| Fault::new(what, &url, shown(self.until_now(span))))?;
        if answer.status != 200 || answer.content_length != size.to_string() {
            let what = format!("status 200 and {size} bytes were expected");
            return Err(Fault::new(what, &url, shown(self.until_now(span))).answered(&answer));
        }
        let since = shown(self.until_now(span));
        Ok(Waiting::Cut { url, begun: answer.body, etag: answer.etag, size, digest, since })
    }

    pub(super) fn resume(
        &self,
        url: &str,
        mut begun: Vec<u8>,
        etag: &str,
        size: u64,
        digest: &nevra::Digest,
    ) -> Result<(), Fault> {
        let from = begun.len() as u64;
        let range = format!("bytes={from}-");
        let (answer, span) = self.ask(url, &[("range", &range), ("if-range", etag)])?;
        let expected = format!("bytes {from}-{}/{size}", size - 1);
        let fault = |what: &str| Err(Fault::new(what, url, shown(span)).answered(&answer));
        // Apache calls its tags weak in the second after a file was written, and a weak one promises no bytes.
        let is_anew = answer.status == 200 && etag.starts_with("W/");
        if !is_anew && (answer.status != 206 || answer.content_range != expected) {
            return fault(&format!("status 206 and `{expected}` were expected for tag {etag}"));
        }
        if is_anew {
            begun.clear();
        }
        begun.extend_from_slice(&answer.body);
        if begun.len() as u64 != size || repo::digest(digest.algorithm, &begun) != *digest {
            return fault("the two parts are not one file");
        }
        if is_anew {
            self.read(Read::Anew);
            return Ok(());
        }
        self.read(Read::Range);
        Ok(())
    }

    /// Goes on with a `repomd.xml` on the condition that it is still the one that was begun.
    pub(super) fn resume_repomd(&mut self, known: &Known) -> Result<(), Fault> {
        let url = format!("{}/{}/repodata/repomd.xml", self.origin.base_url, known.repository);
        let from = self.rng.usize(1..known.bytes.len());
        let range = format!("bytes={from}-");
        let (answer, span) = self.ask(&url, &[("range", &range), ("if-range", &known.etag)])?;
        if answer.status == 200 {
            return self.accept_repomd(&known.repository, &url, "", answer, span).map(drop);
        }
        if answer.status != 206 || answer.body != known.bytes[from..] {
            let what = format!("the end of what was begun in {} was expected", known.generations);
            return Err(Fault::new(what, &url, shown(span)).answered(&answer));
        }
        self.in_force(&known.repository, &url, known.digest, span, &answer)?;
        self.read(Read::Range);
        Ok(())
    }
}
