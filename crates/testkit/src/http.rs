//! Asking a web server as a client would.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a web server answered.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The status code; 404 is an answer like any other.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Fetched {
    /// Returns a header, or the empty string.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Fetches one URL.
///
/// # Panics
/// If no answer comes within ten minutes: a machine that is stopped for a while eats as much of the time.
#[must_use]
pub fn fetch(url: &str) -> Fetched {
    fetch_with(url, &[])
}

/// Fetches one URL with request headers.
///
/// # Panics
/// If no answer comes within ten minutes: a machine that is stopped for a while eats as much of the time.
#[must_use]
pub fn fetch_with(url: &str, headers: &[(&str, &str)]) -> Fetched {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(600)))
        .build()
        .new_agent();
    let mut request = agent.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = request.call().unwrap_or_else(|error| panic!("failed to fetch `{url}`: {error}"));
    let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec();
    let named = answer.headers().iter();
    Fetched {
        status: answer.status().as_u16(),
        headers: named
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
            .collect(),
        body: body.unwrap_or_else(|error| panic!("failed to read `{url}`: {error}")),
    }
}
