//! The connections of one client: kept alive, with conditions and parts, and cut in the middle.

use std::io::Read;
use std::time::Duration;

/// No file of these sites is larger.
const SIZE_MAX: u64 = 64 << 20;

/// Fetches over connections that are used again.
pub struct Wire {
    agent: ureq::Agent,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub etag: String,
    pub last_modified: String,
    pub content_range: String,
    pub content_length: String,
    pub body: Vec<u8>,
}

impl Wire {
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(600)))
            // Below what any of the servers keeps a connection for, so that none is closed under a request.
            .max_idle_age(Duration::from_secs(2));
        Self { agent: config.build().new_agent() }
    }

    /// Fetches all that comes.
    pub fn fetch(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        self.begin(url, headers, SIZE_MAX)
    }

    /// Fetches the beginning and breaks the connection, as a client does whose network fails.
    pub fn fetch_beginning(&self, url: &str, length: u64) -> Result<Answer, String> {
        self.begin(url, &[], length)
    }

    fn begin(&self, url: &str, headers: &[(&str, &str)], length: u64) -> Result<Answer, String> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().map_err(|error| format!("failed to fetch: {error}"))?;
        let header = |name: &str| {
            let value = response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
            value.unwrap_or_default().into_owned()
        };
        let (etag, last_modified) = (header("etag"), header("last-modified"));
        let (content_range, content_length) = (header("content-range"), header("content-length"));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let read = response.body_mut().as_reader().take(length).read_to_end(&mut body);
        read.map_err(|error| {
            format!("failed after {} bytes of an answer with status {status}: {error}", body.len())
        })?;
        Ok(Answer { status, etag, last_modified, content_range, content_length, body })
    }
}
