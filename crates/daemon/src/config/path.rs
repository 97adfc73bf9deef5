//! Where the repositories lie: path templates are well-formed, and no repository lies in another.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::name;
use super::product::DraftProduct;
use super::section::Text;
use plan::{Kind, Layout, Repository};
use std::collections::BTreeMap;

/// The placeholders of a path template.
const PLACEHOLDERS: [&str; 4] = ["product", "os", "arch", "stage"];

/// The most repositories one configuration may make; siblings do not count.
const REPOSITORIES_MAX: usize = 20_000;

/// Checks the form of a path template.
pub(super) fn good_template(text: &Text, faults: &mut Faults<'_>) -> bool {
    let shown = format!("the path template {:?}", text.value);
    let mut rest = text.value.as_str();
    let mut plain = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        let Some((word, after)) = after.split_once('}') else {
            faults.add(text.at, format!("{shown} has a `{{` without `}}`"), None);
            return false;
        };
        if !PLACEHOLDERS.contains(&word) {
            let hint = did_you_mean(word, "placeholders", &PLACEHOLDERS);
            faults.add(text.at, format!("{shown} has an unknown placeholder `{{{word}}}`"), Some(hint));
            return false;
        }
        plain.push('x');
        rest = after;
    }
    plain.push_str(rest);
    let wrong = plain.split('/').find_map(|part| Some((part, name::wrong(part)?)));
    if let Some((part, reason)) = wrong {
        let hint = "a template is relative, as in \"{product}/{os}/{arch}/{stage}\"".to_owned();
        faults.add(text.at, format!("{shown} has the part `{}`: {reason}", part.escape_debug()), Some(hint));
        return false;
    }
    true
}

/// Is one place in the web root that is taken, and by what.
#[derive(Debug)]
struct Taken {
    parts: Vec<String>,
    by: String,
    at: usize,
}

/// Finds repositories that share a path or a name, or lie in one another.
pub(super) fn check(drafts: &[DraftProduct], layout: &Layout, faults: &mut Faults<'_>) {
    let count: usize = drafts.iter().map(|draft| draft.platforms.len() * draft.stages.len()).sum();
    if count > REPOSITORIES_MAX {
        let hint = format!("at most {REPOSITORIES_MAX} platforms times stages are supported");
        faults.add(0, format!("the file asks for {count} repositories"), Some(hint));
        return;
    }
    let mut taken: Vec<Taken> = Vec::new();
    let mut names: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for draft in drafts {
        for (platform, _) in &draft.platforms {
            for stage in &draft.stages {
                let repository = Repository {
                    product: draft.name.value.clone(),
                    os: platform.os.clone(),
                    arch: platform.arch.clone(),
                    stage: stage.name.value.clone(),
                    kind: Kind::Binary,
                };
                let by = format!("stage `{}` of `{}` for `{platform}`", repository.stage, repository.product);
                same_name(&repository, &by, stage.name.at, &mut names, faults);
                if let Some(path) = layout.path(&repository) {
                    let parts = path.split('/').map(str::to_owned).collect();
                    taken.push(Taken { parts, by, at: stage.path.at });
                }
            }
        }
    }
    reserved(&taken, faults);
    // Sorted by parts, whatever lies in a directory follows it at once.
    taken.sort_by(|a, b| a.parts.cmp(&b.parts));
    let mut outer: Option<&Taken> = None;
    for inner in &taken {
        match outer {
            Some(outer) if inner.parts.starts_with(&outer.parts) => nested(outer, inner, faults),
            _ => outer = Some(inner),
        }
    }
}

fn same_name(
    repository: &Repository,
    by: &str,
    at: usize,
    names: &mut BTreeMap<String, (String, usize)>,
    faults: &mut Faults<'_>,
) {
    for kind in [Kind::Binary, Kind::Debug, Kind::Source] {
        let name = Repository { kind, ..repository.clone() }.name();
        if let Some((other, _)) = names.get(&name) {
            let reason = format!("{by} and {other} would both be called `{name}`");
            let hint = "the dashes between product, system, architecture and stage fall together: rename one";
            faults.coded(Code::SamePath, at, reason, Some(hint.to_owned()));
            return;
        }
        names.insert(name, (by.to_owned(), at));
    }
}

fn nested(outer: &Taken, inner: &Taken, faults: &mut Faults<'_>) {
    // The reader looks at the later line; either could be changed.
    let (first, second) = if outer.at <= inner.at { (outer, inner) } else { (inner, outer) };
    let (line, _) = faults.line_and_column(first.at);
    let (a, b) = (outer.parts.join("/"), inner.parts.join("/"));
    let code = if a == b { Code::SamePath } else { Code::NestedPath };
    let (reason, hint) = if a == b {
        let hint = "use {product}, {os}, {arch} and {stage} in `path` until every repository has its own";
        (format!("{} and {} share the path `{a}`", outer.by, inner.by), hint)
    } else {
        let hint = "no repository may lie in another: a mirror of the outer would take the inner along";
        (format!("the path `{b}` of {} lies inside `{a}` of {}", inner.by, outer.by), hint)
    };
    faults.coded(code, second.at, reason, Some(format!("{hint} (the other is in line {line})")));
}

/// Refuses the names that the web root has for something else.
fn reserved(taken: &[Taken], faults: &mut Faults<'_>) {
    let mut told: Vec<&str> = Vec::new();
    for place in taken {
        let Some(first) = place.parts.first().map(String::as_str) else {
            continue;
        };
        let own = ["generation", "inventory.json", "index.html", "packages", "current"].contains(&first)
            || first.ends_with(".repo")
            || first.starts_with("RPM-GPG-KEY");
        let metadata = place.parts.iter().any(|part| part == "repodata" || part == "Packages");
        if (own || metadata) && !told.contains(&first) {
            told.push(first);
            let reason = format!("the path `{}` of {} uses a reserved name", place.parts.join("/"), place.by);
            let hint = "`repodata`, `Packages` and at the top `generation`, `index.html`, `packages`, `current`, \
                        `*.repo` and `RPM-GPG-KEY*` have another meaning";
            faults.coded(Code::ReservedPath, place.at, reason, Some(hint.to_owned()));
        }
    }
}
