//! The `[[freeze]]` tables: when the calendar keeps everything from entering or leaving stages.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::section::{Section, Text};
use plan::{FreezeTime, Layout, Product};

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
    let from = section.instant("from", faults);
    let until = section.instant("until", faults);
    let reason = section.needed("reason", "\"nobody is there\"", faults);
    section.end(faults);
    let is_known = names(product.as_ref(), stage.as_ref(), layout, faults);
    let (from, until, reason) = (from?, until?, reason?);
    if from >= until {
        faults.add(at, format!("the freeze ends at {until}, before it begins at {from}"), None);
        return None;
    }
    if reason.value.trim().is_empty() || reason.value.chars().any(char::is_control) {
        faults.add(reason.at, "`reason` must be one line that is not empty", None);
        return None;
    }
    let value = |text: Option<Text>| text.map(|text| text.value);
    is_known.then(|| FreezeTime {
        product: value(product),
        stage: value(stage),
        from,
        until,
        reason: reason.value,
    })
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
