//! The `[[freeze]]` tables: when the calendar keeps everything from entering or leaving stages.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::section::{Section, Text};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plan::{FreezeSpan, FreezeTime, Layout, Product, WeekTime};

/// Reads the calendar; what it names must be in the layout.
pub(super) fn read(sections: Vec<Section<'_>>, layout: &Layout, faults: &mut Faults<'_>) -> Vec<FreezeTime> {
    sections.into_iter().filter_map(|section| read_time(section, layout, faults)).collect()
}

fn read_time(mut section: Section<'_>, layout: &Layout, faults: &mut Faults<'_>) -> Option<FreezeTime> {
    let at = section.at;
    let product = section.text("product", faults);
    let stage = section.text("stage", faults);
    for key in ["from", "until"] {
        if !section.has(key) {
            section.missing(key, "2026-12-20T00:00:00Z", faults);
        }
    }
    let (from, until) = (section.moment("from", faults), section.moment("until", faults));
    let zone = section.text("time_zone", faults);
    let reason = section.needed("reason", "\"nobody is there\"", faults);
    section.end(faults);
    let is_known = names(product.as_ref(), stage.as_ref(), layout, faults);
    let (span, reason) = (span(at, [&from?, &until?], zone.as_ref(), faults)?, reason?);
    if reason.value.trim().is_empty() || reason.value.chars().any(char::is_control) {
        faults.add(reason.at, "`reason` must be one line that is not empty", None);
        return None;
    }
    let value = |text: Option<Text>| text.map(|text| text.value);
    is_known.then(|| FreezeTime { product: value(product), stage: value(stage), span, reason: reason.value })
}

/// How instants are written.
pub(super) const INSTANT: &str = "write date, time and offset, as in 2026-12-20T00:00:00Z, or day and time of every week, as in \"Friday 12:00\"";

/// Reads from when until when, once or every week.
fn span(at: usize, ends: [&Text; 2], zone: Option<&Text>, faults: &mut Faults<'_>) -> Option<FreezeSpan> {
    let read = |text: &Text, key: &str, faults: &mut Faults<'_>| {
        let end = (text.value.parse().map(End::Instant)).or_else(|_| text.value.parse().map(End::EveryWeek));
        if end.is_err() {
            let reason = format!("`{key}` must be an instant, not {:?}", text.value);
            faults.add(text.at, reason, Some(INSTANT.to_owned()));
        }
        end.ok()
    };
    let (from, until) = (read(ends[0], "from", faults), read(ends[1], "until", faults));
    match (from?, until?, zone) {
        (End::Instant(from), End::Instant(until), None) if from < until => {
            Some(FreezeSpan::Once { from, until })
        }
        (End::Instant(from), End::Instant(until), None) => {
            faults.add(at, format!("the freeze ends at {until}, before it begins at {from}"), None);
            None
        }
        (End::Instant(_), End::Instant(_), Some(zone)) => {
            let reason = "`time_zone` is for a freeze of every week; these instants say their offset";
            faults.add(zone.at, reason, None);
            None
        }
        (End::EveryWeek(from), End::EveryWeek(until), _) if from == until => {
            faults.add(at, format!("the freeze of every week ends when it begins, at {from}"), None);
            None
        }
        (End::EveryWeek(from), End::EveryWeek(until), zone) => {
            Some(FreezeSpan::Weekly { from, until, zone: time_zone(zone, faults)? })
        }
        _ => {
            let reason = "a freeze is of every week or once: `from` and `until` are of the same kind";
            faults.add(ends[1].at, reason, None);
            None
        }
    }
}

/// One end of a freeze.
enum End {
    Instant(Timestamp),
    EveryWeek(WeekTime),
}

/// Finds a place whose clocks count, UTC if none is named; the system's tables know the others.
pub(super) fn time_zone(zone: Option<&Text>, faults: &mut Faults<'_>) -> Option<TimeZone> {
    let Some(text) = zone else { return Some(TimeZone::UTC) };
    let found = TimeZone::get(&text.value).ok();
    if found.is_none() {
        let reason = format!("this system knows no time zone {:?}", text.value);
        let hint = "write for example \"Europe/Rome\"; `timedatectl list-timezones` lists them".to_owned();
        faults.add(text.at, reason, Some(hint));
    }
    found
}

fn names(product: Option<&Text>, stage: Option<&Text>, layout: &Layout, faults: &mut Faults<'_>) -> bool {
    let products: Vec<&Product> =
        layout.products.values().filter(|one| product.is_none_or(|text| text.value == one.name)).collect();
    if let (Some(text), true) = (product, products.is_empty()) {
        let known: Vec<&str> = layout.products.keys().map(String::as_str).collect();
        let reason = format!("the freeze names the product {:?}, which does not exist", text.value);
        faults.add(text.at, reason, Some(did_you_mean(&text.value, "products", &known)));
        return false;
    }
    let Some(text) = stage else { return true };
    if products.iter().any(|product| product.stage(&text.value).is_some()) {
        return true;
    }
    let stages = products.iter().flat_map(|product| &product.stages);
    let known: Vec<&str> = stages.map(|stage| stage.name.as_str()).collect();
    let reason = format!("the freeze names the stage {:?}, which does not exist", text.value);
    faults.coded(Code::UnknownStage, text.at, reason, Some(did_you_mean(&text.value, "stages", &known)));
    false
}

#[cfg(test)]
mod tests;
