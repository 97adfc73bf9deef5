//! What a stage says of its gate `closure`: beside what it is judged, and which packages are special there.

use super::code::Code;
use super::context::Context;
use super::fault::{Faults, did_you_mean};
use super::product::DraftProduct;
use super::section::{Section, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Is what a stage says, with the places.
#[derive(Debug, Clone)]
pub(super) struct DraftClosure {
    /// Contexts and other stages that hosts draw from beside this one.
    beside: Vec<Text>,
    meta_packages: Vec<Text>,
    install_only: Vec<Text>,
}

impl DraftClosure {
    /// Drops the places.
    pub(super) fn plain(&self) -> plan::Closure {
        let values = |texts: &[Text]| texts.iter().map(|text| text.value.clone()).collect();
        plan::Closure {
            beside: values(&self.beside),
            meta_packages: values(&self.meta_packages),
            install_only: values(&self.install_only),
        }
    }
}

/// Reads the three keys of a stage; `None` if it is not judged.
pub(super) fn read(section: &mut Section<'_>, faults: &mut Faults<'_>) -> Option<DraftClosure> {
    let beside = section.texts("closure", faults);
    let mut list = |key: &'static str| {
        if beside.is_none() && section.has(key) {
            let hint = "add `closure = [...]` with what hosts draw from beside this stage, or `closure = []`";
            let reason = format!("`{key}` says nothing without `closure`: the stage is not judged");
            faults.coded(Code::Missing, section.place(key), reason, Some(hint.to_owned()));
        }
        section.texts(key, faults).unwrap_or_default()
    };
    let (meta_packages, install_only) = (list("meta_packages"), list("install_only"));
    for text in &meta_packages {
        if let Some(reason) = plan::wrong_pattern(&text.value) {
            let hint = "write names of packages, or globs over names such as \"glite-*\"";
            faults.add(text.at, reason, Some(hint.to_owned()));
        }
    }
    for text in install_only.iter().filter(|text| !is_name(&text.value)) {
        let hint = "write whole names, such as \"kernel\"";
        faults.add(text.at, format!("{:?} is no name of a package", text.value), Some(hint.to_owned()));
    }
    Some(DraftClosure { beside: beside?, meta_packages, install_only })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-~".contains(c))
}

/// Checks that each stage names contexts and other stages of its product, each once; warns of contexts that nobody names.
pub(super) fn check(
    drafts: &[DraftProduct],
    contexts: &BTreeMap<String, Context>,
    faults: &mut Faults<'_>,
    warnings: &mut Faults<'_>,
) {
    let mut named: Vec<&str> = Vec::new();
    for draft in drafts {
        for stage in &draft.stages {
            let beside = stage.closure.as_ref().map_or(&[][..], |closure| &closure.beside);
            for (n, text) in beside.iter().enumerate() {
                named.push(&text.value);
                check_one(draft, &stage.name.value, text, contexts, faults);
                if beside[..n].iter().any(|other| other.value == text.value) {
                    let reason = format!("`closure` names `{}` twice", text.value.escape_debug());
                    faults.coded(Code::Twice, text.at, reason, None);
                }
            }
        }
    }
    for context in contexts.values().filter(|context| !named.contains(&context.name.as_str())) {
        let reason = format!("no stage names the context `{}` in its `closure`", context.name);
        let hint = format!(
            "write for example `closure = [\"{}\"]` in the [[product.stage]] it belongs to",
            context.name
        );
        warnings.coded_in_line(Code::UnusedContext, context.place, reason, Some(hint));
    }
}

fn check_one(
    draft: &DraftProduct,
    stage: &str,
    text: &Text,
    contexts: &BTreeMap<String, Context>,
    faults: &mut Faults<'_>,
) {
    let name = text.value.as_str();
    let others =
        || draft.stages.iter().map(|other| other.name.value.as_str()).filter(|other| *other != stage);
    let is_stage = others().any(|other| other == name);
    let (reason, hint) = match (contexts.contains_key(name), is_stage) {
        (true, true) => (
            format!("`{name}` is a [[context]] and a stage of `{}`", draft.name.value),
            "give the context another name".to_owned(),
        ),
        (false, false) if name == stage => (
            format!("`closure` of the stage `{stage}` names the stage itself"),
            "leave it out: a stage is always judged with what it lists".to_owned(),
        ),
        (false, false) => {
            let known: BTreeSet<&str> = contexts.keys().map(String::as_str).chain(others()).collect();
            let known: Vec<&str> = known.into_iter().collect();
            let hint = did_you_mean(name, "contexts and other stages of this product", &known);
            (format!("{name:?} is neither a [[context]] nor another stage of `{}`", draft.name.value), hint)
        }
        _ => return,
    };
    faults.coded(Code::NoSuchContext, text.at, reason, Some(hint));
}

#[cfg(test)]
mod tests;
