//! Finding the products, stages, routes, platforms and repositories a request names.

use crate::layout::{Kind, Platform, Product, Repository, Route, Stage};
use crate::near::nearest;
use crate::refusal::{Code, Refusal};
use crate::world::{Listed, World};

pub(super) fn product<'a>(world: &'a World, name: &str) -> Result<&'a Product, Refusal> {
    world.layout.products.get(name).ok_or_else(|| {
        let known = world.layout.products.keys().map(String::as_str).collect();
        unknown(Code::UnknownProduct, format!("there is no product `{name}`"), name, "products", known)
    })
}

pub(super) fn stage<'a>(product: &'a Product, name: &str) -> Result<&'a Stage, Refusal> {
    product.stage(name).ok_or_else(|| {
        let known = product.stages.iter().map(|stage| stage.name.as_str()).collect();
        let sentence = format!("`{}` has no stage `{name}`", product.name);
        unknown(Code::UnknownStage, sentence, name, "its stages", known)
    })
}

pub(super) fn route<'a>(product: &'a Product, from: &str, to: &str) -> Result<&'a Route, Refusal> {
    stage(product, from)?;
    stage(product, to)?;
    product.route(from, to).ok_or_else(|| {
        let routes: Vec<String> =
            product.routes.iter().map(|r| format!("`{} -> {}`", r.from, r.to)).collect();
        let sentence = format!("`{}` has no route from `{from}` to `{to}`", product.name);
        let refusal = Refusal::new(Code::UnknownRoute, sentence);
        if routes.is_empty() {
            return refusal.hint("the configuration names no route for it");
        }
        refusal.hint(format!("its routes are {}", routes.join(", ")))
    })
}

/// Finds the platforms asked for, in the order of the configuration; all of the product if none is named.
pub(super) fn platforms(product: &Product, asked: &[String]) -> Result<Vec<Platform>, Refusal> {
    for text in asked {
        if !product.platforms.iter().any(|platform| fits(text, platform)) {
            let known: Vec<String> = product.platforms.iter().map(Platform::to_string).collect();
            let sentence = format!("`{}` has no platform `{text}`", product.name);
            let known = known.iter().map(String::as_str).collect();
            return Err(unknown(Code::UnknownPlatform, sentence, text, "its platforms", known));
        }
    }
    let is_asked = |platform: &&Platform| asked.is_empty() || asked.iter().any(|text| fits(text, platform));
    Ok(product.platforms.iter().filter(is_asked).cloned().collect())
}

/// Says whether a platform is `os/arch` as written, where `*` stands for any.
fn fits(text: &str, platform: &Platform) -> bool {
    let (os, arch) = text.split_once('/').unwrap_or((text, if text == "*" { "*" } else { "" }));
    (os == "*" || os == platform.os) && (arch == "*" || arch == platform.arch.as_str())
}

/// Lists the repositories of a stage on some platforms, siblings included.
pub(super) fn repositories(product: &Product, stage: &str, platforms: &[Platform]) -> Vec<Repository> {
    let siblings = |platform: &Platform| Kind::ALL.map(|kind| product.repository(platform, stage, kind));
    platforms.iter().flat_map(siblings).collect()
}

/// Finds what a repository lists.
pub(super) fn listing<'a>(world: &'a World, repository: &Repository) -> Result<&'a [Listed], Refusal> {
    world.repositories.get(repository).map(Vec::as_slice).ok_or_else(|| {
        Refusal::new(
            Code::TryLater,
            format!("the repository `{repository}` is configured and not yet published"),
        )
    })
}

fn unknown(code: Code, sentence: String, word: &str, what: &str, known: Vec<&str>) -> Refusal {
    let near = nearest(word, known.iter().copied());
    let meant = near.first().map(|near| format!("did you mean `{near}`; ")).unwrap_or_default();
    let known: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Refusal::new(code, sentence).hint(format!("{meant}{what} are {known}"))
}
