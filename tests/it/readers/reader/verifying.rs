//! What is compared before anything counts as read.

use std::sync::Arc;

use nevra::Sha256;
use repo::{Record, Repomd};

use super::super::tally::{Fault, Read};
use super::super::wire::Answer;
use super::{Known, PACKAGES, Reader, Span, View};

impl Reader {
    /// Fetches a `repomd.xml`, perhaps on the condition that it is not the one that is known.
    pub(super) fn repomd(
        &mut self,
        repository: &str,
        pin: &str,
        condition: Option<((&str, &str), &Known)>,
    ) -> Result<Known, Fault> {
        let url = format!("{}{pin}/{repository}/repodata/repomd.xml", self.origin.base_url);
        let headers: Vec<(&str, &str)> = condition.iter().map(|(header, _)| *header).collect();
        let (answer, span) = self.ask(&url, &headers)?;
        if let Some((_, known)) = condition.filter(|_| answer.status == 304) {
            if !answer.body.is_empty() {
                return Err(Fault::new("a 304 with a body", &url, shown(span)).answered(&answer));
            }
            self.in_force(repository, &url, known.digest, span, &answer)?;
            self.read(Read::NotModified);
            return Ok(known.clone());
        }
        self.accept_repomd(repository, &url, pin, answer, span)
    }

    pub(super) fn accept_repomd(
        &mut self,
        repository: &str,
        url: &str,
        pin: &str,
        answer: Answer,
        span: Span,
    ) -> Result<Known, Fault> {
        let fault = |what: String| Err(Fault::new(what, url, shown(span)).answered(&answer));
        if answer.status != 200 || answer.content_length != answer.body.len().to_string() {
            return fault("status 200 and as many bytes as announced were expected".to_owned());
        }
        let repomd = match Repomd::parse(&answer.body) {
            Ok(repomd) => Arc::new(repomd),
            Err(error) => return fault(format!("it is no repomd.xml: {error}")),
        };
        let digest = repo::sha256(&answer.body);
        match pin.strip_prefix("/@").and_then(|number| number.parse().ok()) {
            Some(number) => self.in_force(repository, url, digest, Some((number, number)), &answer)?,
            None => self.in_force(repository, url, digest, span, &answer)?,
        }
        self.read(Read::Repomd);
        let known = Known {
            repository: repository.to_owned(),
            etag: answer.etag.clone(),
            last_modified: answer.last_modified.clone(),
            bytes: Arc::new(answer.body.clone()),
            digest,
            repomd,
            generations: shown(span),
        };
        if pin.is_empty() {
            let before = self.cached.insert(repository.to_owned(), known.clone());
            let before = before.filter(|before| before.digest != digest && span.is_some());
            if let Some(before) = before {
                if before.etag == known.etag {
                    return fault(format!("other bytes had the same tag in {}", before.generations));
                }
                if before.repomd.revision.parse::<i64>().ok() >= known.repomd.revision.parse().ok() {
                    return fault(format!("the revision was as high in {}", before.generations));
                }
            }
        }
        Ok(known)
    }

    /// Looks whether a generation of that span has these bytes; a server without generations is believed.
    pub(super) fn in_force(
        &self,
        repository: &str,
        url: &str,
        digest: Sha256,
        span: Span,
        answer: &Answer,
    ) -> Result<(), Fault> {
        let Some((ledger, generations)) = self.origin.ledger.as_ref().zip(span) else { return Ok(()) };
        match ledger.was_in_force(generations, &format!("{repository}/repodata/repomd.xml"), digest) {
            true => Ok(()),
            false => Err(Fault::new("no generation in force says this", url, shown(span)).answered(answer)),
        }
    }

    /// Fetches every file that a `repomd.xml` names, by its name, and verifies it packed and unpacked.
    pub(super) fn metadata(&self, known: &Known, pin: &str) -> Result<View, Fault> {
        let base = format!("{}{pin}/{}", self.origin.base_url, known.repository);
        let mut packages = Arc::default();
        for record in &known.repomd.records {
            let url = format!("{base}/{}", record.href);
            let size = record.size.unwrap_or_default();
            let answer = self.verified(&url, size, &record.checksum).map_err(|mut fault| {
                fault.what = format!("{} (named in {})", fault.what, known.generations);
                fault
            })?;
            let opened = self.origin.memory.open(record, &answer.body).and_then(|opened| {
                match is_promised(record, opened.size, &opened.sha256) {
                    true => Ok(opened),
                    false => Err(format!("it unpacks to {} bytes, {}", opened.size, opened.sha256)),
                }
            });
            let opened =
                opened.map_err(|what| Fault::new(what, &url, &known.generations).answered(&answer))?;
            if record.kind == "primary" {
                packages = Arc::clone(&opened.packages);
            }
            self.read(Read::Metadata);
        }
        Ok(View { known: known.clone(), packages })
    }

    pub(super) fn some_packages(&mut self, view: &View, pin: &str) -> Result<(), Fault> {
        let base = format!("{}{pin}/{}", self.origin.base_url, view.known.repository);
        for _ in 0..PACKAGES.min(view.packages.len()) {
            let package = &view.packages[self.rng.usize(..view.packages.len())];
            let url = format!("{base}/{}", package.href);
            self.verified(&url, package.size, &package.digest).map_err(|mut fault| {
                fault.what = format!("{} (listed in {})", fault.what, view.known.generations);
                fault
            })?;
            self.read(Read::Package);
        }
        Ok(())
    }

    /// Fetches what must be there with that size and digest.
    pub(super) fn verified(&self, url: &str, size: u64, digest: &nevra::Digest) -> Result<Answer, Fault> {
        let (answer, span) = self.ask(url, &[])?;
        let fault = |what: String| Err(Fault::new(what, url, shown(span)).answered(&answer));
        if answer.status != 200
            || answer.content_length != size.to_string()
            || answer.body.len() as u64 != size
        {
            return fault(format!("status 200 and {size} bytes were expected"));
        }
        let found = repo::digest(digest.algorithm, &answer.body);
        if found != *digest {
            return fault(format!("digest {} was expected, {} came", digest.hex, found.hex));
        }
        Ok(answer)
    }

    pub(super) fn ask(&self, url: &str, headers: &[(&str, &str)]) -> Result<(Answer, Span), Fault> {
        let span = self.now();
        let answer = self.wire.fetch(url, headers);
        let span = self.until_now(span);
        answer.map(|answer| (answer, span)).map_err(|what| Fault::new(what, url, shown(span)))
    }

    pub(super) fn now(&self) -> Span {
        let current = self.origin.ledger.as_ref()?.current();
        Some((current, current))
    }

    pub(super) fn until_now(&self, span: Span) -> Span {
        let current = self.origin.ledger.as_ref()?.current();
        span.map(|(first, _)| (first, current))
    }
}

/// Compares what a file unpacked to with what its record promises.
fn is_promised(record: &Record, size: u64, sha256: &str) -> bool {
    record.open_size.is_none_or(|promised| promised == size)
        && record.open_checksum.as_ref().is_none_or(|promised| promised.hex == sha256)
}

pub(super) fn shown(span: Span) -> String {
    match span {
        Some((first, last)) if first == last => format!("generation {first}"),
        Some((first, last)) => format!("generations {first} to {last}"),
        None => "no generations".to_owned(),
    }
}
