//! Instants and amounts as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Writes an instant in UTC to the second, `2026-11-21 23:04:35Z`.
pub fn text(instant: Timestamp) -> String {
    instant.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Writes a number of bytes with a unit, `1.4 MB`.
pub fn bytes(count: u64) -> String {
    let mut amount = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if amount < 1000.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1000.0;
    }
    format!("{amount:.1} TB")
}

/// Writes a count with its noun, `1 package`, `2 packages`.
pub fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        // repository -> repositories, entry -> entries; the other nouns used here take an `s`.
        _ => match noun.strip_suffix('y') {
            Some(stem) => format!("{number} {stem}ies"),
            None => format!("{number} {noun}s"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_instants_and_amounts() {
        assert_eq!(text("2026-11-21T23:04:35.9Z".parse().unwrap()), "2026-11-21 23:04:35Z");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_449_000), "1.4 MB");
        assert_eq!(bytes(7_000_000_000_000_000), "7000.0 TB");
        assert_eq!(count(1, "package"), "1 package");
        assert_eq!(count(2, "repository"), "2 repositories");
    }
}
