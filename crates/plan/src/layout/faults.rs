//! What can be wrong with a layout, told to the person who wrote the configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{Layout, Product, Repository, Versions, is_component};

/// What the web root or a repository keeps for itself: no path may have such a component.
const RESERVED: [&str; 7] =
    ["repodata", "Packages", "packages", "current", "generation", "inventory.json", "metalink.xml"];

pub(super) fn faults(layout: &Layout) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, product) in &layout.products {
        if *key != product.name {
            faults.push(format!("product `{}` stands under the key `{key}`", product.name));
        }
        names(product, &mut faults);
        routes(product, &mut faults);
    }
    equal_names(layout, &mut faults);
    paths(layout, &mut faults);
    faults
}

fn names(product: &Product, faults: &mut Vec<String>) {
    let name = &product.name;
    let mut component = |what: &str, text: &str| {
        if !is_component(text) {
            faults.push(format!(
                "{what} `{}` of product `{name}` is not a plain name (letters, digits, `.`, `_`, `+`, `~` and `-`, \
                 a letter or digit first)",
                text.escape_debug()
            ));
        }
    };
    component("name", name);
    for platform in &product.platforms {
        component("operating system", &platform.os);
        component("architecture", platform.arch.as_str());
    }
    for stage in &product.stages {
        component("stage", &stage.name);
    }
    let mut seen = BTreeSet::new();
    for stage in &product.stages {
        if !seen.insert(&stage.name) {
            faults.push(format!("product `{name}` names the stage `{}` twice", stage.name));
        }
        if stage.versions == Versions::Newest(0) {
            faults.push(format!("stage `{}` of product `{name}` would list no version at all", stage.name));
        }
    }
    let mut seen = BTreeSet::new();
    for platform in &product.platforms {
        if !seen.insert(platform) {
            faults.push(format!("product `{name}` names the platform `{platform}` twice"));
        }
        if platform.arch.is_source() {
            faults.push(format!("platform `{platform}` of product `{name}`: no host has that architecture"));
        }
    }
    let mut seen = BTreeSet::new();
    for stage in &product.views {
        if product.stage(stage).is_none() {
            faults.push(format!(
                "product `{name}` has views of `{}`, which is no stage of it",
                stage.escape_debug()
            ));
        }
        if !seen.insert(stage) {
            faults.push(format!("product `{name}` names the views of `{}` twice", stage.escape_debug()));
        }
    }
    if product.platforms.is_empty() {
        faults.push(format!("product `{name}` has no platform"));
    }
    if product.stages.is_empty() {
        faults.push(format!("product `{name}` has no stage"));
    }
}

fn routes(product: &Product, faults: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for route in &product.routes {
        let words = format!("route `{} -> {}` of product `{}`", route.from, route.to, product.name);
        for stage in [&route.from, &route.to] {
            if product.stage(stage).is_none() {
                faults.push(format!("{words}: there is no stage `{stage}`"));
            }
        }
        if route.from == route.to {
            faults.push(format!("{words} leads nowhere"));
        }
        if !seen.insert((&route.from, &route.to)) {
            faults.push(format!("{words} is named twice"));
        }
    }
}

fn equal_names(layout: &Layout, faults: &mut Vec<String>) {
    let mut seen: BTreeMap<String, Repository> = BTreeMap::new();
    for repository in layout.repositories() {
        let name = repository.name();
        if let Some(other) = seen.get(&name) {
            faults.push(format!(
                "two repositories would be called `{name}`: {}; and {}",
                parts(other),
                parts(&repository)
            ));
        }
        seen.insert(name, repository);
    }
}

fn parts(repository: &Repository) -> String {
    format!("stage `{}` of `{}` on `{}`", repository.stage, repository.product, repository.platform())
}

fn paths(layout: &Layout, faults: &mut Vec<String>) {
    let mut told = BTreeSet::new();
    let mut seen: BTreeMap<Vec<String>, Repository> = BTreeMap::new();
    for repository in layout.repositories() {
        let Some(path) = layout.path(&repository) else { continue };
        let words = format!("path `{}` of {}", path.escape_debug(), parts(&repository));
        let components: Vec<String> = path.split('/').map(str::to_owned).collect();
        if let Some(odd) = components.iter().find(|c| !is_component(c) || RESERVED.contains(&c.as_str())) {
            if told.insert((repository.product.clone(), repository.stage.clone())) {
                faults.push(format!("{words}: `{}` cannot be a folder of the web root", odd.escape_debug()));
            }
            continue;
        }
        seen.entry(components)
            .and_modify(|other| {
                faults.push(format!("{words} is also the path of {}", parts(other)));
            })
            .or_insert(repository);
    }
    for (path, repository) in &seen {
        for length in 1..path.len() {
            let Some(outer) = seen.get(&path[..length]) else { continue };
            if are_siblings(outer, repository) {
                continue;
            }
            faults.push(format!(
                "path `{}` of {} lies inside the path `{}` of {}",
                path.join("/"),
                parts(repository),
                path[..length].join("/"),
                parts(outer)
            ));
        }
    }
}

fn are_siblings(a: &Repository, b: &Repository) -> bool {
    a.product == b.product && a.platform() == b.platform() && a.stage == b.stage
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Route, Stage};
    use crate::samples;

    fn check(change: impl FnOnce(&mut Product), expected: &[&str]) {
        let mut layout = samples::layout();
        let mut product = layout.products["glite-3.2"].clone();
        change(&mut product);
        layout.products.insert("glite-3.2".into(), product);
        let faults = layout.check();
        assert_eq!(faults.is_empty(), expected.is_empty(), "{faults:#?}");
        for words in expected {
            assert!(faults.iter().any(|fault| fault.contains(words)), "`{words}` is not in {faults:#?}");
        }
    }

    fn stage(name: &str, path: &str) -> Stage {
        Stage { name: name.into(), path: path.into(), versions: Versions::All, ..Stage::default() }
    }

    #[test]
    fn a_sound_layout_has_no_faults() {
        check(|_| (), &[]);
    }

    #[test]
    fn a_path_inside_another_is_found() {
        check(
            |p| p.stages.push(stage("extra", "{product}/{os}/{arch}/delta/extra")),
            &["lies inside the path"],
        );
        check(|p| p.stages.push(stage("extra", "{product}/{os}/{arch}")), &["lies inside the path"]);
        check(
            |p| p.stages.push(stage("extra", "{product}/{os}/{arch}/delta/debug")),
            &["is also the path of"],
        );
    }

    #[test]
    fn a_template_that_tells_too_little_apart_is_found() {
        check(|p| p.stages[0].path = "{product}/{stage}".into(), &["is also the path of"]);
    }

    #[test]
    fn a_path_that_leaves_the_web_root_is_found() {
        for path in [
            "../{os}/{arch}",
            "a//{os}/{arch}",
            "@1/{os}/{arch}",
            "{os}/{arch}/repodata",
            "{os}/{arch}/{host}",
        ] {
            check(|p| p.stages[0].path = path.into(), &["cannot be a folder of the web root"]);
        }
    }

    #[test]
    fn a_stage_named_like_a_sibling_is_found() {
        check(
            |p| p.stages.push(stage("delta-debug", "x/{os}/{arch}")),
            &["would be called `glite-3.2-sl5-x86_64-delta-debug`"],
        );
    }

    #[test]
    fn names_that_are_no_path_component_are_found() {
        check(|p| p.stages[0].name = "..".into(), &["stage `..`"]);
        check(|p| p.platforms[0].os = "s/l".into(), &["operating system `s/l`"]);
        check(|p| p.name = "a\nb".into(), &["name `a\\nb`", "stands under the key"]);
    }

    #[test]
    fn routes_to_nowhere_are_found() {
        let route = |from: &str, to: &str| Route { from: from.into(), to: to.into(), ..Route::default() };
        check(|p| p.routes.push(route("delta", "prod")), &["there is no stage `prod`"]);
        check(|p| p.routes.push(route("delta", "delta")), &["leads nowhere"]);
        check(|p| p.routes.push(route("delta", "production")), &["is named twice"]);
    }

    #[test]
    fn views_of_no_stage_are_found() {
        check(|p| p.views = vec!["delta".into(), "production".into()], &[]);
        check(|p| p.views = vec!["beta".into()], &["has views of `beta`, which is no stage of it"]);
        check(|p| p.views = vec!["delta".into(), "delta".into()], &["names the views of `delta` twice"]);
        check(
            |p| p.stages.push(stage("extra", "{product}/{os}/{arch}/delta/node-types")),
            &["lies inside the path"],
        );
    }

    #[test]
    fn what_is_named_twice_or_not_at_all_is_found() {
        check(|p| p.platforms.push(p.platforms[0].clone()), &["names the platform `sl5/x86_64` twice"]);
        check(|p| p.stages.push(stage("delta", "y/{os}/{arch}")), &["names the stage `delta` twice"]);
        check(|p| p.stages.clear(), &["has no stage"]);
        check(|p| p.platforms.clear(), &["has no platform"]);
        check(|p| p.stages[0].versions = Versions::Newest(0), &["no version at all"]);
    }
}
