//! `sluice metapackage build`: a new meta-package from a list of pins, or one that pins what a stage lists now.
//!
//! It is not signed: the key of packages belongs to whoever releases, not to Sluice.

pub mod arguments;

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use daemon::observe::Site;
use nevra::{Dependency, Evr, Nevra};
use plan::{Kind, Platform};
use repo::Recipe;
use serde::Serialize;

use crate::failure::Failure;
use crate::pattern::Pattern;
use crate::release_package::write;
use crate::requests::product;
use crate::settings::{Settings, nothing_published};
use crate::terminal::Terminal;
use arguments::{Build, Metapackage, MetapackageVerb};

/// What was written.
#[derive(Debug, Serialize)]
struct Told {
    file: Utf8PathBuf,
    nevra: String,
    pins: Vec<String>,
}

/// Does what is asked with a meta-package.
pub fn run(settings: &Settings, asked: Metapackage, terminal: &Terminal) -> Result<u8, Failure> {
    let MetapackageVerb::Build(build) = asked.verb;
    let mut pins: BTreeSet<String> = BTreeSet::new();
    for pin in &build.pins {
        let wrong = |error: nevra::ParseError| {
            Failure::usage(format!("`{}` cannot be required: {error}", pin.escape_debug()))
                .hint("write for example --pin 'voms-clients = 1.9.10-1'")
        };
        pins.insert(pin.parse::<Dependency>().map_err(wrong)?.to_string());
    }
    let mut built = 0;
    if let Some(stage) = &build.stage {
        let (listed, published) = listed(settings, &build, stage)?;
        built = published;
        pins.extend(listed.into_iter().map(|(name, evr)| format!("{name} = {evr}")));
    }
    if pins.is_empty() {
        let failure = Failure::usage("a meta-package that pins nothing is none");
        return Err(failure.hint("name pins with --pin, or what a stage lists with --stage and --of"));
    }
    let recipe = recipe(&build, &pins, built)?;
    let file = build.output.join(recipe.file_name());
    write(&file, &recipe.build())?;
    let told = Told { nevra: recipe.nevra().to_string(), pins: pins.into_iter().collect(), file };
    terminal.either(&told, |_| {
        let pins: String = told.pins.iter().map(|pin| format!("  {pin}\n")).collect();
        let file = &told.file;
        format!(
            "{file}\nit pins\n{pins}sign it (`rpmsign --addsign {file}`) and import it like any package\n"
        )
    });
    Ok(0)
}

/// Says what is to be in the package: the same words make the same bytes.
fn recipe(build: &Build, pins: &BTreeSet<String>, built: u32) -> Result<Recipe, Failure> {
    let wrong = |text: &str| {
        Failure::usage(format!("`{text}` is not a name with version and release"))
            .hint("write for example: sluice metapackage build glite-UI 3.2.7-1 --pin 'voms = 1.9.10-1'")
    };
    let text = format!("{}-{}", build.name, build.version);
    let evr: Evr = build.version.parse().map_err(|_| wrong(&text))?;
    let nevra = Nevra::new(build.name.as_str(), evr, nevra::Arch::new("noarch")).map_err(|_| wrong(&text))?;
    let recipe = Recipe {
        summary: build.summary.clone().unwrap_or_else(|| format!("Node type {}", build.name)),
        description: format!(
            "A meta-package: what a node of the type {} needs, in these versions.",
            build.name
        ),
        license: build.license.clone(),
        build_host: "localhost".into(),
        build_time: built,
        ..Recipe::of(&nevra)
    };
    Ok(pins.iter().fold(recipe, |recipe, pin| recipe.requires(pin)))
}

/// Finds the newest version of what a stage lists, and when that was published.
fn listed(settings: &Settings, build: &Build, stage: &str) -> Result<(BTreeMap<String, Evr>, u32), Failure> {
    let (config, store) = settings.store()?;
    let product = product(&config, &build.scope)?;
    if product.stage(stage).is_none() {
        let known: Vec<String> = product.stages.iter().map(|stage| format!("`{}`", stage.name)).collect();
        let failure = Failure::not_found(format!("`{}` has no stage `{stage}`", product.name));
        return Err(failure.hint(format!("it has {}", known.join(", "))));
    }
    let platform = match build.scope.platforms.as_slice() {
        [] if product.platforms.len() == 1 => product.platforms[0].clone(),
        [one] => one
            .parse::<Platform>()
            .ok()
            .filter(|platform| product.platforms.contains(platform))
            .ok_or_else(|| Failure::not_found(format!("`{}` has no platform `{one}`", product.name)))?,
        _ => {
            let failure = Failure::usage("versions differ between platforms: one is needed");
            return Err(failure.hint("--platform os/arch names it"));
        }
    };
    let patterns = build.of.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let current = store.current()?.ok_or_else(nothing_published)?;
    let published = current.manifest.created.as_second().try_into().unwrap_or(u32::MAX);
    let packages = Site::at(store, current.number)?.packages()?;
    let repository = product.repository(&platform, stage, Kind::Binary);
    let mut newest: BTreeMap<String, Evr> = BTreeMap::new();
    let mut is_used = vec![false; patterns.len()];
    for nevra in packages.get(&repository).into_iter().flatten().map(|listed| &listed.nevra) {
        let mut is_meant = false;
        for (pattern, used) in patterns.iter().zip(&mut is_used) {
            if pattern.fits(nevra) {
                (*used, is_meant) = (true, true);
            }
        }
        if is_meant && nevra.name != build.name {
            let known = newest.entry(nevra.name.clone()).or_insert_with(|| nevra.evr.clone());
            if nevra.evr.rpm_cmp(known).is_gt() {
                *known = nevra.evr.clone();
            }
        }
    }
    if let Some((missing, _)) = build.of.iter().zip(&is_used).find(|(_, used)| !**used) {
        return Err(Failure::not_found(format!(
            "`{stage}` of `{}` lists no `{missing}` for {platform}",
            product.name
        )));
    }
    Ok((newest, published))
}
