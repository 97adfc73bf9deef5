//! Copying from a web server, one file after the other, each gone on with where it broke off.
#![expect(clippy::disallowed_methods, reason = "writes what is downloaded, and keeps to a pace")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use daemon::inventory;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};

use super::source::{Pace, Trouble};
use super::wanted::{Wanted, lie};
use crate::adopt::href::address;
use crate::failure::Failure;

/// How often one file is tried without a byte more, each time from where it broke off.
const ATTEMPTS: usize = 4;

/// Slower than this, in bytes a second, a body counts as hanging.
const RATE_MIN: u64 = 1 << 10;

/// The web root of a site.
#[derive(Debug)]
pub struct Http {
    agent: ureq::Agent,
    top: String,
    pace: Pace,
    rate_min: u64,
}

impl Http {
    /// Begins with an address that has no slash at its end.
    pub fn new(top: &str, pace: Pace) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(pace.timeout))
            .timeout_recv_response(Some(pace.timeout))
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build()
            .new_agent();
        Self { agent, top: top.to_owned(), pace, rate_min: RATE_MIN }
    }

    /// Takes a server that sends fewer bytes a second for one that hangs.
    pub fn at_least(self, rate_min: u64) -> Self {
        Self { rate_min, ..self }
    }

    /// Fetches the inventory of whatever is current.
    pub fn inventory(&self) -> Result<Vec<u8>, Failure> {
        self.small(inventory::NAME, inventory::SIZE_MAX)
    }

    /// Fetches a small file of whatever is current.
    pub fn small(&self, path: &str, size_max: u64) -> Result<Vec<u8>, Failure> {
        let url = address(&self.top, path);
        let mut response = self.ask(&url, 0, size_max)?;
        match response.status().as_u16() {
            200 => {}
            404 | 410 => {
                let failure = Failure::not_found(format!("`{url}` is not there"));
                return Err(failure
                    .hint("is it the web root of a site that Sluice publishes, or of a mirror of one?"));
            }
            status => return Err(unanswered(&url, status)),
        }
        let body = response.body_mut().with_config().limit(size_max).read_to_vec();
        body.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => lie(path, &format!("it has more than {size_max} bytes")),
            error => broken(&url, &error.to_string()),
        })
    }

    /// Tells the size of what answers at a path of whatever is current; `None` if nothing does.
    pub fn size(&self, path: &str) -> Result<Option<u64>, Failure> {
        let url = address(&self.top, path);
        let response = self.agent.head(&url).call().map_err(|error| broken(&url, &error.to_string()))?;
        let length =
            response.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
        match response.status().as_u16() {
            200 => Ok(length),
            404 | 410 => Ok(None),
            status => Err(unanswered(&url, status)),
        }
    }

    /// Fetches files of one generation; see [`super::source::Source::fetch`].
    pub fn fetch(&self, number: u64, wanted: &[&Wanted], parts: &Utf8Path) -> Result<u64, Trouble> {
        let mut bytes = 0;
        for wanted in wanted {
            bytes += self.one(number, wanted, &parts.join(&wanted.digest.hex))?;
        }
        Ok(bytes)
    }

    fn one(&self, number: u64, wanted: &Wanted, part: &Utf8Path) -> Result<u64, Trouble> {
        let url = address(&format!("{}/@{number}", self.top), &wanted.path);
        let (mut bytes, mut left) = (0, ATTEMPTS);
        loop {
            let begun = fs::metadata(part).map(|part| part.len()).unwrap_or_default();
            if begun == wanted.size && part.exists() {
                return Ok(bytes);
            }
            let begun = if begun > wanted.size { 0 } else { begun };
            let failure = match self.attempt(&url, begun, wanted.size, part) {
                Ok(()) => None,
                Err(Trouble::Failure(failure)) if failure.exit == 75 => Some(failure),
                Err(trouble) => return Err(trouble),
            };
            let now = fs::metadata(part).map(|part| part.len()).unwrap_or_default();
            bytes += now.saturating_sub(begun);
            left = if now > begun { ATTEMPTS } else { left - 1 };
            match failure {
                // All that came came: what is short or long is not what was promised, which the caller sees.
                None if now != begun || now == wanted.size => return Ok(bytes),
                Some(failure) if left == 0 => return Err(failure.into()),
                None if left == 0 => return Err(broken(&url, "nothing came").into()),
                _ => {}
            }
        }
    }

    /// Fetches what is missing behind the first `begun` bytes of a file.
    fn attempt(&self, url: &str, begun: u64, size: u64, part: &Utf8Path) -> Result<(), Trouble> {
        let mut response = self.ask(url, begun, size)?;
        let range = response.headers().get("content-range").and_then(|range| range.to_str().ok());
        let goes_on = range.is_some_and(|range| range.starts_with(&format!("bytes {begun}-")));
        let append = match response.status().as_u16() {
            200 => false,
            206 if goes_on => true,
            206 | 416 => {
                remove(part)?;
                return Err(broken(url, "it does not go on where it broke off").into());
            }
            404 | 410 => return Err(Trouble::Vanished(format!("`{url}` is gone"))),
            status => return Err(unanswered(url, status).into()),
        };
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).append(append).truncate(!append).open(part);
        let file = file.map_err(|error| Failure::usage(format!("failed to write `{part}`: {error}")))?;
        // More than is promised never comes in.
        let limit = size + 1 - if append { begun } else { 0 };
        self.receive(url, &mut response, limit, file, part)
    }

    fn receive(
        &self,
        url: &str,
        response: &mut Response<ureq::Body>,
        limit: u64,
        mut file: File,
        part: &Utf8Path,
    ) -> Result<(), Trouble> {
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader().take(limit);
        let mut piece = vec![0; 1 << 16];
        let (began, mut come) = (Instant::now(), 0_u64);
        loop {
            match body.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    let written = file.write_all(&piece[..count]);
                    written
                        .map_err(|error| Failure::internal(format!("failed to write `{part}`: {error}")))?;
                    come += count as u64;
                    if let Some(rate) = self.pace.rate {
                        let due = Duration::from_secs_f64(come as f64 / rate.get() as f64);
                        std::thread::sleep(due.saturating_sub(began.elapsed()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(url, &error.to_string()).into()),
            }
        }
    }

    fn ask(&self, url: &str, begun: u64, size: u64) -> Result<Response<ureq::Body>, Failure> {
        let mut rate = self.rate_min;
        if let Some(asked) = self.pace.rate {
            rate = rate.min(asked.get() / 2).max(1);
        }
        let body = self.pace.timeout + Duration::from_secs(size.saturating_sub(begun) / rate);
        let mut request = self.agent.get(url).config().timeout_recv_body(Some(body)).build();
        if begun > 0 {
            request = request.header("range", format!("bytes={begun}-"));
        }
        request.call().map_err(|error| broken(url, &error.to_string()))
    }
}

fn remove(part: &Utf8Path) -> Result<(), Failure> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::internal(format!("failed to remove `{part}`: {error}")))
        }
        _ => Ok(()),
    }
}

fn unanswered(url: &str, status: u16) -> Failure {
    match status {
        408 | 429 | 500.. => broken(url, &format!("it answers {status}")),
        _ => Failure::not_found(format!("`{url}` answers {status}")),
    }
}

fn broken(url: &str, words: &str) -> Failure {
    let failure = Failure::internal(format!("failed to fetch `{url}`: {words}"));
    Failure {
        exit: 75,
        ..failure.hint("the same command goes on from where it broke off; nothing was published here")
    }
}
