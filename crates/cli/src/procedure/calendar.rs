//! `sluice calendar`: what ends when, for people and for their calendars.

use std::fmt::Write;

use icalendar::{Calendar, Component, Event, Property, Todo};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use workflow::{Span, schedule};

use super::seen::{self, Seen};
use crate::failure::Failure;
use crate::moment;
use crate::settings::{Settings, nothing_published};
use crate::terminal::{Paint, Terminal};

#[derive(Debug, Serialize)]
struct One {
    product: String,
    #[serde(flatten)]
    span: Span,
    /// Whether it is over, and something did not happen.
    overdue: bool,
}

/// Prints what ends when.
pub fn run(settings: &Settings, is_ics: bool, terminal: &Terminal) -> Result<u8, Failure> {
    let (config, store) = settings.store()?;
    let current = store.current()?.ok_or_else(nothing_published)?;
    let mut all: Vec<One> = Vec::new();
    for seen in seen::all(settings, &config, &store, &current)? {
        all.extend(schedule(&seen.state).into_iter().map(|span| one(&seen, span)));
    }
    all.sort_by_key(|one| (one.span.until.unwrap_or(Timestamp::MAX), one.span.from));
    if is_ics {
        terminal.data(&ics(&config.site, &config.base_url, &all, current.created));
        return Ok(0);
    }
    terminal.either(&all, |paint| words(&all, paint));
    Ok(0)
}

fn one(seen: &Seen, span: Span) -> One {
    let overdue = span.until.is_some_and(|until| until <= seen.times.proven());
    One { product: seen.product.name.clone(), overdue, span }
}

fn words(all: &[One], paint: Paint) -> String {
    let mut text = String::new();
    for One { product, span, overdue } in all {
        let when = match span.until {
            Some(until) => format!("until {}", moment::text(until)),
            None => format!("since {}", moment::text(span.from)),
        };
        let when = if *overdue { paint.red(&when) } else { paint.bold(&when) };
        let over = if *overdue { ", which is over" } else { "" };
        let _ = writeln!(text, "{when}  {product}: {}{over}", span.words);
    }
    if all.is_empty() {
        text.push_str("nothing is under way\n");
    }
    text
}

/// Writes a calendar. The same generation gives the same bytes: what is known of a thing changes with a generation only.
fn ics(site: &str, base_url: &str, all: &[One], published: Timestamp) -> String {
    let host = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().filter(|host| !host.is_empty()).unwrap_or("sluice");
    let mut calendar = Calendar::new();
    calendar.name(site);
    for One { product, span, .. } in all {
        // A calendar that is read again finds its entries by these.
        let uid = format!("{}-{}.{product}@{host}", span.about.to_string().replace('/', "-"), span.kind);
        let words = format!("{product}: {}", span.words);
        match span.until {
            Some(until) => {
                let mut event = Event::new();
                event.uid(&uid).summary(&words);
                at(&mut event, "DTSTAMP", published);
                at(&mut event, "DTSTART", span.from);
                at(&mut event, "DTEND", until);
                // Nobody is busy because something is under way.
                event.add_property("TRANSP", "TRANSPARENT");
                calendar.push(event.done());
            }
            None => {
                let mut todo = Todo::new();
                todo.uid(&uid).summary(&words);
                at(&mut todo, "DTSTAMP", published);
                at(&mut todo, "DTSTART", span.from);
                calendar.push(todo.done());
            }
        }
    }
    calendar.done().to_string()
}

/// Sets an instant, in UTC.
fn at(component: &mut impl Component, key: &str, instant: Timestamp) {
    let text = instant.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    component.append_property(Property::new(key, text).done());
}
