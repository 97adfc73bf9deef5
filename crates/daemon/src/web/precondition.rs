//! What the conditions of a request (RFC 9110, sections 13 and 14) ask for: all, a part, or nothing.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName, header};

/// What is known of an opened file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its length in bytes.
    pub size: u64,
    /// Its mtime, whole seconds since 1970, never negative.
    pub modified_seconds: u64,
    /// Its strong entity tag, with the quotes.
    ///
    /// Of mtime in nanoseconds, size and inode: a file that is linked from generation to generation
    /// keeps its tag, one that is written anew gets another even if its mtime should be the same.
    /// Not the same on two replicas; a client that changes between them fetches anew.
    pub etag: String,
}

impl Facts {
    pub(crate) fn new(size: u64, seconds: i64, nanoseconds: u64, inode: u64) -> Facts {
        Facts {
            size,
            modified_seconds: u64::try_from(seconds).unwrap_or(0),
            etag: format!("\"{seconds:x}.{nanoseconds:x}-{size:x}-{inode:x}\""),
        }
    }

    /// Returns the `Last-Modified` date, unless it lies in the future (which a server must not say).
    pub(crate) fn last_modified(&self, now: SystemTime) -> Option<String> {
        let modified = UNIX_EPOCH.checked_add(Duration::from_secs(self.modified_seconds))?;
        // The date format ends with the year 9999.
        (modified <= now && self.modified_seconds < 253_402_300_800)
            .then(|| httpdate::fmt_http_date(modified))
    }
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// 200 with all of it.
    Whole,
    /// 206 with these bytes; never empty.
    Part(Range<u64>),
    /// 304.
    NotModified,
    /// 412.
    Failed,
    /// 416.
    Unsatisfiable,
}

/// Judges the conditions in the order of RFC 9110, 13.2.2.
///
/// Several ranges in one request are answered with the whole file, as a server may.
pub(crate) fn judge(facts: &Facts, headers: &HeaderMap) -> Verdict {
    if let Some(tags) = value(headers, &header::IF_MATCH) {
        if !matches(&tags, &facts.etag, true) {
            return Verdict::Failed;
        }
    } else if let Some(date) = date(headers, &header::IF_UNMODIFIED_SINCE)
        && facts.modified_seconds > date
    {
        return Verdict::Failed;
    }
    if let Some(tags) = value(headers, &header::IF_NONE_MATCH) {
        if matches(&tags, &facts.etag, false) {
            return Verdict::NotModified;
        }
    } else if let Some(date) = date(headers, &header::IF_MODIFIED_SINCE)
        && facts.modified_seconds <= date
    {
        return Verdict::NotModified;
    }
    let Some(range) = value(headers, &header::RANGE) else { return Verdict::Whole };
    if let Some(condition) = value(headers, &header::IF_RANGE) {
        // A date counts only if it is exactly ours; a weak tag never.
        let same = match httpdate::parse_http_date(&condition) {
            Ok(date) => seconds(date) == Some(facts.modified_seconds),
            Err(_) => condition == facts.etag,
        };
        if !same {
            return Verdict::Whole;
        }
    }
    part(&range, facts.size)
}

fn part(range: &str, size: u64) -> Verdict {
    let Ok(parsed) = http_range_header::parse_range_header(range.trim()) else { return Verdict::Whole };
    if parsed.ranges.len() != 1 {
        return Verdict::Whole;
    }
    match parsed.validate(size) {
        Ok(parts) => match parts.first() {
            Some(part) if *part.end() < size && part.start() <= part.end() => {
                Verdict::Part(*part.start()..part.end() + 1)
            }
            _ => Verdict::Unsatisfiable,
        },
        Err(_) => Verdict::Unsatisfiable,
    }
}

/// All lines of one header as one list, as the RFC says they are to be read.
fn value(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    seconds(httpdate::parse_http_date(&value(headers, name)?).ok()?)
}

fn seconds(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

fn matches(tags: &str, ours: &str, strong: bool) -> bool {
    tags.split(',').map(str::trim).any(|tag| match tag.strip_prefix("W/") {
        _ if tag == "*" => true,
        Some(weak) => !strong && weak == ours,
        None => tag == ours,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // 1994-11-15 12:45:26 UTC
    const AT: u64 = 784_903_526;

    fn check(headers: &[(HeaderName, &str)], expected: Verdict) {
        let facts = Facts { size: 100, modified_seconds: AT, etag: "\"x\"".into() };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        assert_eq!(judge(&facts, &map), expected, "{headers:?}");
    }

    #[test]
    fn one_range_is_a_part() {
        let range = |text, expected| check(&[(header::RANGE, text)], expected);
        range("bytes=0-0", Verdict::Part(0..1));
        range("bytes=10-19", Verdict::Part(10..20));
        range("bytes=90-", Verdict::Part(90..100));
        range("bytes=90-4000", Verdict::Part(90..100));
        range("bytes=-7", Verdict::Part(93..100));
        range("bytes=100-", Verdict::Unsatisfiable);
        range("bytes=100-200", Verdict::Unsatisfiable);
        range("bytes=18446744073709551615-", Verdict::Unsatisfiable);
        range("bytes=0-1, 5-6", Verdict::Whole);
        range("lines=1-2", Verdict::Whole);
        range("bytes=a-b", Verdict::Whole);
    }

    #[test]
    fn what_the_client_has_already_is_not_sent() {
        check(&[(header::IF_NONE_MATCH, "\"x\"")], Verdict::NotModified);
        check(&[(header::IF_NONE_MATCH, "\"a\", W/\"x\"")], Verdict::NotModified);
        check(&[(header::IF_NONE_MATCH, "*")], Verdict::NotModified);
        check(&[(header::IF_NONE_MATCH, "\"y\"")], Verdict::Whole);
        check(&[(header::IF_MODIFIED_SINCE, "Tue, 15 Nov 1994 12:45:26 GMT")], Verdict::NotModified);
        check(&[(header::IF_MODIFIED_SINCE, "Tue, 15 Nov 1994 12:45:25 GMT")], Verdict::Whole);
        check(&[(header::IF_MODIFIED_SINCE, "yesterday")], Verdict::Whole);
        // The tag decides where both are given.
        check(
            &[(header::IF_NONE_MATCH, "\"y\""), (header::IF_MODIFIED_SINCE, "Tue, 15 Nov 1994 12:45:26 GMT")],
            Verdict::Whole,
        );
    }

    #[test]
    fn a_part_is_sent_only_of_the_file_the_client_knows() {
        let with = |condition, expected| {
            check(&[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, condition)], expected);
        };
        with("\"x\"", Verdict::Part(0..10));
        with("Tue, 15 Nov 1994 12:45:26 GMT", Verdict::Part(0..10));
        with("W/\"x\"", Verdict::Whole);
        with("\"y\"", Verdict::Whole);
        with("Tue, 15 Nov 1994 12:45:27 GMT", Verdict::Whole);
    }

    #[test]
    fn a_demanded_version_that_is_gone_fails() {
        check(&[(header::IF_MATCH, "\"x\"")], Verdict::Whole);
        check(&[(header::IF_MATCH, "W/\"x\"")], Verdict::Failed);
        check(&[(header::IF_MATCH, "\"y\"")], Verdict::Failed);
        check(&[(header::IF_UNMODIFIED_SINCE, "Tue, 15 Nov 1994 12:45:25 GMT")], Verdict::Failed);
        check(&[(header::IF_UNMODIFIED_SINCE, "Tue, 15 Nov 1994 12:45:26 GMT")], Verdict::Whole);
    }

    #[test]
    fn a_tag_changes_with_inode_size_and_each_nanosecond() {
        let tag = |size, nanoseconds, inode| Facts::new(size, 7, nanoseconds, inode).etag;
        assert_eq!(tag(1, 2, 3), tag(1, 2, 3));
        assert_ne!(tag(1, 2, 3), tag(2, 2, 3));
        assert_ne!(tag(1, 2, 3), tag(1, 3, 3));
        assert_ne!(tag(1, 2, 3), tag(1, 2, 4));
    }

    #[test]
    fn a_date_in_the_future_is_not_told() {
        let facts = Facts::new(1, 100, 0, 1);
        assert_eq!(facts.last_modified(UNIX_EPOCH + Duration::from_secs(99)), None);
        assert!(facts.last_modified(UNIX_EPOCH + Duration::from_secs(100)).is_some());
        assert_eq!(Facts::new(1, i64::MAX, 0, 1).last_modified(UNIX_EPOCH), None);
    }
}
