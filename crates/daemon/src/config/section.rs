//! One table of the configuration file, read key by key; what nobody asked for is a fault.
//!
//! A hand-written reader instead of serde, so that one run reports every fault with its place.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Is a text of the file and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) at: usize,
}

/// Is a table that remembers which keys were asked for: those are the allowed ones.
#[derive(Debug)]
pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    name: String,
    pub(super) at: usize,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(table: &'a DeTable<'a>, name: impl Into<String>, at: usize) -> Self {
        Self { table, name: name.into(), at, asked: Vec::new() }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v)
    }

    /// Reads a text, `None` if the key is missing or of another type (which is a fault).
    pub(super) fn text(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Text> {
        let value = self.value(key)?;
        text_of(value, &format!("`{key}`"), faults)
    }

    /// Reads a text that must stand there.
    pub(super) fn needed(
        &mut self,
        key: &'static str,
        example: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Text> {
        if !self.has(key) {
            self.asked.push(key);
            self.missing(key, example, faults);
            return None;
        }
        self.text(key, faults)
    }

    pub(super) fn missing(&self, key: &str, example: &str, faults: &mut Faults<'_>) {
        let hint = format!("write for example `{key} = {example}`");
        faults.coded(Code::Missing, self.at, format!("{} has no `{key}`", self.name), Some(hint));
    }

    pub(super) fn missing_table(&self, heading: &str, faults: &mut Faults<'_>) {
        faults.coded(Code::Missing, self.at, format!("{} has no {heading}", self.name), None);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(k, _)| k.get_ref() == key)
    }

    /// Tells where a key's value stands, or the table if it has no such key.
    pub(super) fn place(&self, key: &str) -> usize {
        self.table.iter().find(|(k, _)| k.get_ref() == key).map_or(self.at, |(_, value)| value.span().start)
    }

    pub(super) fn integer(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<(i64, usize)> {
        let value = self.value(key)?;
        let at = value.span().start;
        let number = match value.get_ref() {
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok(),
            _ => None,
        };
        if number.is_none() {
            faults.add(at, format!("`{key}` must be a number"), None);
        }
        number.map(|n| (n, at))
    }

    /// Reads `true` or `false`, `None` if the key is missing or of another type (which is a fault).
    pub(super) fn truth(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<bool> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            other => {
                let reason = format!("`{key}` must be true or false, not {}", kind(other));
                faults.add(value.span().start, reason, None);
                None
            }
        }
    }

    /// Reads what says when: a text, or TOML's own date and time as a text.
    pub(super) fn moment(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Text> {
        let value = self.value(key)?;
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) => Some(Text { value: text.to_string(), at }),
            DeValue::Datetime(instant) => Some(Text { value: instant.to_string(), at }),
            other => {
                let reason = format!("`{key}` must be an instant, not {:?}", kind(other));
                faults.add(at, reason, Some(super::calendar::INSTANT.to_owned()));
                None
            }
        }
    }

    /// Reads a list of texts; a single text where a list belongs is a fault with a hint.
    pub(super) fn texts(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Vec<Text>> {
        let value = self.value(key)?;
        Some(texts_of(value, key, faults))
    }

    pub(super) fn section(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Section<'a>> {
        let value = self.value(key)?;
        section_of(value, format!("[{key}]"), faults)
    }

    /// Reads an array of tables, `[[key]]`; empty when there is none.
    pub(super) fn sections(
        &mut self,
        key: &'static str,
        name: &str,
        faults: &mut Faults<'_>,
    ) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            let hint = format!("write `[[{name}]]` with two brackets, one for each");
            faults.add(value.span().start, format!("`{name}` must be a list of tables"), Some(hint));
            return Vec::new();
        };
        items.iter().filter_map(|item| section_of(item, format!("[[{name}]]"), faults)).collect()
    }

    /// Hands out every entry that was not asked for yet, for tables whose keys are free.
    pub(super) fn rest(&self) -> impl Iterator<Item = (Text, &'a Spanned<DeValue<'a>>)> + '_ {
        self.table.iter().filter_map(|(key, value)| {
            let name = key.get_ref();
            let asked = self.asked.iter().any(|k| k == name);
            let text = Text { value: name.to_string(), at: key.span().start };
            (!asked).then_some((text, value))
        })
    }

    /// Ends the reading: what is left was not meant to be here.
    pub(super) fn end(self, faults: &mut Faults<'_>) {
        for (key, _) in self.rest() {
            let hint = did_you_mean(&key.value, "allowed keys", &self.asked);
            faults.coded(
                Code::UnknownKey,
                key.at,
                format!("unknown key `{}` in {}", key.value.escape_debug(), self.name),
                Some(hint),
            );
        }
    }
}

pub(super) fn section_of<'a>(
    value: &'a Spanned<DeValue<'a>>,
    name: String,
    faults: &mut Faults<'_>,
) -> Option<Section<'a>> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::Table(table) => Some(Section::new(table, name, at)),
        _ => {
            faults.add(at, format!("{name} must be a table"), None);
            None
        }
    }
}

pub(super) fn text_of(value: &Spanned<DeValue<'_>>, what: &str, faults: &mut Faults<'_>) -> Option<Text> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => Some(Text { value: text.to_string(), at }),
        other => {
            let reason = format!("{what} must be a text, not {}", kind(other));
            faults.add(at, reason, Some("put it between quotes".to_owned()));
            None
        }
    }
}

pub(super) fn texts_of(value: &Spanned<DeValue<'_>>, key: &str, faults: &mut Faults<'_>) -> Vec<Text> {
    let DeValue::Array(items) = value.get_ref() else {
        let reason =
            format!("`{}` must be a list of texts, not {}", key.escape_debug(), kind(value.get_ref()));
        let hint = "put it between brackets, as in [\"one\", \"two\"]".to_owned();
        faults.add(value.span().start, reason, Some(hint));
        return Vec::new();
    };
    let what = format!("every item of `{}`", key.escape_debug());
    items.iter().filter_map(|item| text_of(item, &what, faults)).collect()
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
