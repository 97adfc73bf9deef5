//! `sluice release-package`: what hosts are told of a product, as a package that they install once.
//!
//! It carries the `.repo` file of a stage and the certificates that it names, byte for byte what the current generation
//! tells hosts. It is not signed: the key of packages belongs to whoever releases, not to Sluice.
#![expect(clippy::disallowed_methods, reason = "writes the package where it is told to")]

pub mod arguments;

use std::fs;
use std::io::Write as _;

use camino::Utf8PathBuf;
use daemon::config::Config;
use plan::{Product, Stage};
use repo::Recipe;
use serde::Serialize;
use store::{Generation, Store};

use crate::failure::{Failure, failed};
use crate::settings::{Settings, nothing_published};
use crate::terminal::Terminal;
use arguments::ReleasePackage;

/// Where hosts keep the certificates of packages.
const KEYS: &str = "/etc/pki/rpm-gpg";

/// What was written.
#[derive(Debug, Serialize)]
struct Told {
    file: Utf8PathBuf,
    nevra: String,
    /// The paths that it carries.
    carries: Vec<String>,
    /// The generation whose files they are.
    generation: u64,
}

/// Writes the package.
pub fn run(settings: &Settings, asked: &ReleasePackage, terminal: &Terminal) -> Result<u8, Failure> {
    let (config, store) = settings.store()?;
    let current = store.current()?.ok_or_else(nothing_published)?;
    let recipe = recipe(&config, &store, &current, asked)?;
    let file = asked.output.join(recipe.file_name());
    write(&file, &recipe.build())?;
    let told = Told {
        nevra: recipe.nevra().to_string(),
        carries: recipe.files.iter().map(|(path, _)| path.clone()).collect(),
        generation: current.number,
        file,
    };
    terminal.either(&told, |_| {
        format!(
            "{}\nit carries {}\nsign it (`rpmsign --addsign {}`) and import it like any package\n",
            told.file,
            told.carries.join(", "),
            told.file
        )
    });
    Ok(0)
}

/// Says what is to be in the package: the same generation, configuration and words make the same bytes.
fn recipe(
    config: &Config,
    store: &Store,
    current: &Generation,
    asked: &ReleasePackage,
) -> Result<Recipe, Failure> {
    let (product, stage) = found(config, asked)?;
    let name = dot_repo_of(product, stage, asked.platform.as_deref());
    if !current.files.public.contains_key(&name) {
        let failure = Failure::not_found(format!("generation {} has no `{name}`", current.number));
        let hint = "`--platform` names an operating system, or one and an architecture (`sl5/x86_64`); a product with several has no file for all";
        return Err(failure.hint(hint));
    }
    let text = String::from_utf8_lossy(&store.read_public(current, &name)?).into_owned();
    let (text, keys) = with_local_keys(&text, &config.base_url);
    let version = asked.version.clone().unwrap_or_else(|| current.number.to_string());
    if version.is_empty() || !version.chars().all(|c| c.is_ascii_alphanumeric() || "._+~^".contains(c)) {
        let failure = Failure::usage(format!("`{version}` is no version of a package"));
        return Err(failure.hint("letters, digits and `._+~^`"));
    }
    let release = asked
        .platform
        .as_ref()
        .map_or_else(String::new, |platform| format!(".{}", platform.replace('/', ".").replace('-', "_")));
    let is_last = product.stages.last().is_some_and(|last| last.name == stage.name);
    let package = match is_last {
        true => format!("{}-release", product.name),
        // Hosts of early adopters draw from both.
        false => format!("{}-release-{}", product.name, stage.name),
    };
    let recipe = Recipe::new(package, version, format!("1{release}"));
    let mut recipe = Recipe {
        summary: format!("Repositories of {}, {}", product.name, stage.name),
        description: format!(
            "The repositories of {}, {}, at {}, and the keys by which what is in them is signed.",
            product.name, stage.name, config.site
        ),
        license: "Public Domain".into(),
        vendor: config.site.clone(),
        url: config.base_url.clone(),
        group: "System Environment/Base".into(),
        build_host: "localhost".into(),
        build_time: current.manifest.created.as_second().try_into().unwrap_or(u32::MAX),
        ..recipe
    };
    recipe = recipe.config_file(&format!("/etc/yum.repos.d/{}-{}.repo", product.name, stage.name), text);
    for key in keys {
        let certificate = store.read_public(current, &key)?;
        recipe = recipe.file(&format!("{KEYS}/{key}"), certificate);
    }
    Ok(recipe)
}

/// Finds the product, and the stage: the last of its pipeline unless another is named.
fn found<'a>(config: &'a Config, asked: &ReleasePackage) -> Result<(&'a Product, &'a Stage), Failure> {
    let products = &config.layout.products;
    let product = products.get(&asked.product).ok_or_else(|| {
        let known: Vec<String> = products.keys().map(|name| format!("`{name}`")).collect();
        let failure = Failure::not_found(format!("there is no product `{}`", asked.product));
        failure.hint(format!("there are {}", known.join(", ")))
    })?;
    let stage = match &asked.stage {
        None => product.stages.last(),
        Some(name) => product.stages.iter().find(|stage| stage.name == *name),
    };
    let stage = stage.ok_or_else(|| {
        let known: Vec<String> = product.stages.iter().map(|stage| format!("`{}`", stage.name)).collect();
        let named = asked.stage.as_deref().unwrap_or_default();
        let failure = Failure::not_found(format!("`{}` has no stage `{named}`", product.name));
        failure.hint(format!("it has {}", known.join(", ")))
    })?;
    Ok((product, stage))
}

/// Names the `.repo` file that is meant, as it is published.
fn dot_repo_of(product: &Product, stage: &Stage, platform: Option<&str>) -> String {
    match platform {
        None => format!("{}-{}.repo", product.name, stage.name),
        Some(platform) => format!("{}-{}-{}.repo", product.name, platform.replace('/', "-"), stage.name),
    }
}

/// Lets a `.repo` file name the keys beside it on the host, in place of those on the web; gives their names.
fn with_local_keys(text: &str, base_url: &str) -> (String, Vec<String>) {
    let mut keys: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    let beginning = format!("{base_url}/");
    for line in text.lines() {
        let Some(urls) = line.strip_prefix("gpgkey=") else {
            lines.push(line.to_owned());
            continue;
        };
        let local = urls.split(' ').map(|url| match url.strip_prefix(&beginning) {
            Some(key) if !key.contains('/') => {
                if !keys.iter().any(|known| known == key) {
                    keys.push(key.to_owned());
                }
                format!("file://{KEYS}/{key}")
            }
            _ => url.to_owned(),
        });
        lines.push(format!("gpgkey={}", local.collect::<Vec<_>>().join(" ")));
    }
    (lines.join("\n") + "\n", keys)
}

/// Puts the package there whole or not at all.
pub fn write(file: &Utf8PathBuf, bytes: &[u8]) -> Result<(), Failure> {
    let draft = file.with_file_name(format!(".{}.new", file.file_name().unwrap_or("package")));
    let mut opened = fs::File::create(&draft).map_err(failed("write", &draft))?;
    opened.write_all(bytes).and_then(|()| opened.sync_all()).map_err(failed("write", &draft))?;
    fs::rename(&draft, file).map_err(failed("write", file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_site_are_named_where_the_package_puts_them_and_others_stay() {
        let text = "[a]\nbaseurl=https://x.org/g/\ngpgkey=https://x.org/RPM-GPG-KEY-a https://x.org/RPM-GPG-KEY-b\n\
                    [b]\ngpgkey=https://x.org/RPM-GPG-KEY-a https://else.org/KEY\n[c]\ngpgcheck=0\n";
        let (text, keys) = with_local_keys(text, "https://x.org");
        let a = "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-a";
        let expected = format!(
            "[a]\nbaseurl=https://x.org/g/\ngpgkey={a} file:///etc/pki/rpm-gpg/RPM-GPG-KEY-b\n\
             [b]\ngpgkey={a} https://else.org/KEY\n[c]\ngpgcheck=0\n"
        );
        assert_eq!((text, keys), (expected, vec!["RPM-GPG-KEY-a".to_owned(), "RPM-GPG-KEY-b".to_owned()]));
    }
}
