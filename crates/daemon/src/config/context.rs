//! The `[[context]]` tables: repositories of others that hosts draw from beside ours.

use super::Config;
use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::name;
use super::section::{Section, Text};
use super::site::{directory, duration, is_url_of_directory};
use jiff::SignedDuration;
use plan::Platform;
use std::collections::BTreeMap;

/// How old the last look at a URL may be unless the file says otherwise: what nobody looks at any more is no proof.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The word for a URL that never changes.
const NEVER: &str = "never";

/// The placeholders of a place.
const PLACEHOLDERS: [&str; 2] = ["os", "arch"];

/// Is a repository of others, one for each platform, that stages may name in `closure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The word `closure` uses for it.
    pub name: String,
    /// Where it lies.
    pub source: ContextSource,
    /// How old the last look at a URL may be; `None` of a folder, and where no look is too old.
    pub max_age: Option<SignedDuration>,
    /// Line and column of its name.
    pub place: (usize, usize),
}

/// Says where a context lies; the texts know `{os}` and `{arch}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextSource {
    /// A folder of this host that holds `repodata`, read as it is.
    Folder(String),
    /// The URL of such a folder, without a slash at its end; what is read is what `sluice context update` fetched.
    Url(String),
}

impl ContextSource {
    /// Fills in the platform.
    pub fn at(&self, platform: &Platform) -> ContextSource {
        let fill = |text: &str| text.replace("{os}", &platform.os).replace("{arch}", platform.arch.as_str());
        match self {
            Self::Folder(text) => Self::Folder(fill(text)),
            Self::Url(text) => Self::Url(fill(text)),
        }
    }

    /// Shows the folder or the URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Folder(text) | Self::Url(text) => text,
        }
    }
}

impl Config {
    /// Lists every context that a stage names, with each platform that it is needed for, by name and platform.
    pub fn contexts_used(&self) -> Vec<(&Context, &Platform)> {
        let mut used = BTreeMap::new();
        for product in self.layout.products.values() {
            let beside = product.stages.iter().filter_map(|stage| stage.closure.as_ref());
            for context in
                beside.flat_map(|closure| &closure.beside).filter_map(|name| self.contexts.get(name))
            {
                used.extend(product.platforms.iter().map(|platform| ((&context.name, platform), context)));
            }
        }
        used.into_iter().map(|((_, platform), context)| (context, platform)).collect()
    }
}

pub(super) fn read(sections: Vec<Section<'_>>, faults: &mut Faults<'_>) -> BTreeMap<String, Context> {
    let mut contexts: BTreeMap<String, Context> = BTreeMap::new();
    for section in sections {
        let Some((context, at)) = read_one(section, faults) else { continue };
        if let Some(first) = contexts.get(&context.name) {
            let reason = format!("the context `{}` stands in the file twice", context.name);
            faults.coded(
                Code::Twice,
                at,
                reason,
                Some(format!("the first one is in line {}", first.place.0)),
            );
            continue;
        }
        contexts.insert(context.name.clone(), context);
    }
    contexts
}

fn read_one(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<(Context, usize)> {
    let at = section.at;
    let name = section.needed("name", "\"sl6\"", faults);
    let folder = section.text("folder", faults);
    let url = section.text("url", faults);
    let has_max_age = section.has("max_age");
    let max_age = section.text("max_age", faults);
    section.end(faults);
    let name = name.filter(|text| name::good(text, "the context", faults));
    let max_age = match max_age {
        Some(text) if folder.is_some() => {
            let hint = "leave it out: a folder is read as it is, and how old it is only who fills it knows";
            faults.add(
                text.at,
                "`max_age` is about a `url`, and this context is a folder",
                Some(hint.to_owned()),
            );
            return None;
        }
        Some(text) if text.value == NEVER => None,
        Some(text) => Some(age(&text, faults)?),
        None if has_max_age => return None,
        None => url.is_some().then_some(MAX_AGE),
    };
    let source = match (folder, url) {
        (Some(text), None) => {
            let folder = directory(&text, "folder", faults)?.into_string();
            good_template(&text, "folder", faults).then_some(ContextSource::Folder(folder))?
        }
        (None, Some(text)) => ContextSource::Url(read_url(&text, faults)?),
        _ => {
            let hint = "write `folder = \"/srv/mirror/sl6/{os}/{arch}\"` or `url = \"https://...\"`";
            faults.add(at, "[[context]] needs exactly one of `folder` and `url`", Some(hint.to_owned()));
            return None;
        }
    };
    let name = name?;
    let place = faults.line_and_column(name.at);
    Some((Context { name: name.value, source, max_age, place }, name.at))
}

fn age(text: &Text, faults: &mut Faults<'_>) -> Option<SignedDuration> {
    let age = duration(text, "max_age", faults)?;
    if age.is_zero() {
        let hint = "write \"never\" if no look is too old";
        faults.add(text.at, "with `max_age` zero every look would be too old", Some(hint.to_owned()));
        return None;
    }
    Some(age)
}

fn read_url(text: &Text, faults: &mut Faults<'_>) -> Option<String> {
    if !good_template(text, "url", faults) {
        return None;
    }
    let url = text.value.trim_end_matches('/');
    let filled =
        PLACEHOLDERS.iter().fold(url.to_owned(), |url, word| url.replace(&format!("{{{word}}}"), "x"));
    if is_url_of_directory(&filled) {
        return Some(url.to_owned());
    }
    let hint = "write what stands as `baseurl` in a .repo file, http or https, variables as {os} and {arch}";
    let reason = format!("`url = {:?}` is not the URL of a directory", text.value);
    faults.add(text.at, reason, Some(hint.to_owned()));
    None
}

/// Checks that every brace belongs to a placeholder that is known.
fn good_template(text: &Text, key: &str, faults: &mut Faults<'_>) -> bool {
    let shown = format!("`{key} = {:?}`", text.value);
    let mut rest = text.value.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let word = rest[at..].strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let Some((word, after)) = word else {
            faults.add(text.at, format!("{shown} has a brace without its other half"), None);
            return false;
        };
        if !PLACEHOLDERS.contains(&word) {
            let hint = did_you_mean(word, "placeholders", &PLACEHOLDERS);
            let reason = format!("{shown} has an unknown placeholder `{{{}}}`", word.escape_debug());
            faults.add(text.at, reason, Some(hint));
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests;
