//! `sluice adopt`: takes a repository that exists already into a stage, at the URL it has.
//!
//! ```text
//!   URL --download, verified, resumable--> folder --request--> plan, shown --yes--> request --> generation
//! ```

pub mod arguments;
mod download;
pub mod href;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::config::Config;
use daemon::submit::Submitter;
use plan::{Action, Product, Request};

use crate::arguments::Scope;
use crate::ask;
use crate::bar::Bar;
use crate::failure::Failure;
use crate::requests;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::Adopt;

/// Downloads if it must, shows the plan to a person, and asks for the adoption.
pub fn run(settings: &Settings, adopt: Adopt, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let scope = Scope { product: adopt.product.clone(), platforms: Vec::new() };
    let product = requests::product(&config, &scope)?;
    let platform = platform(product, adopt.platform.as_deref())?;
    let folder = match adopt.source.starts_with("http://") || adopt.source.starts_with("https://") {
        true => downloaded(&config, &adopt, &platform, terminal)?,
        false => existing(Utf8Path::new(&adopt.source))?,
    };
    let action = Action::Adopt {
        product: product.name.clone(),
        stage: adopt.stage.clone(),
        platform,
        kind: adopt.kind.into(),
        folder: folder.into_string(),
    };
    let submitter = Submitter::new(config.spool.clone());
    let request = ask::dressed(Request::new(action), &adopt.asking);
    ask::agreed(&submitter, request, adopt.yes, &adopt.asking.waiting, terminal)
}

/// Chooses the platform: the one that is named, or the only one.
fn platform(product: &Product, named: Option<&str>) -> Result<String, Failure> {
    match (named, product.platforms.as_slice()) {
        (Some(named), _) => Ok(named.to_owned()),
        (None, [only]) => Ok(only.to_string()),
        (None, several) => {
            let several: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Failure::usage(format!("`{}` has several platforms", product.name))
                .hint(format!("add --platform, one of: {}", several.join(", "))))
        }
    }
}

/// Finds the folder as the daemon can name it, without symlinks.
fn existing(source: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let found = source.canonicalize_utf8();
    let found = found.map_err(|error| Failure::not_found(format!("failed to find `{source}`: {error}")))?;
    // People name `repodata` itself, or its repomd.xml, as often as the folder above it.
    let top = match found.file_name() {
        Some("repomd.xml") => found.parent().and_then(Utf8Path::parent),
        Some("repodata") => found.parent(),
        _ => Some(&*found),
    };
    Ok(top.unwrap_or(&found).to_owned())
}

/// Downloads the repository to where the daemon can read it.
fn downloaded(
    config: &Config,
    adopt: &Adopt,
    platform: &str,
    terminal: &Terminal,
) -> Result<Utf8PathBuf, Failure> {
    let work = match &adopt.work {
        Some(work) => camino::absolute_utf8(work)
            .map_err(|error| Failure::usage(format!("failed to find `{work}`: {error}")))?,
        None => {
            let about = format!("{platform}-{}-{}", adopt.stage, plan::Kind::from(adopt.kind).as_str());
            let name: String =
                about.chars().map(|c| if plan::is_component(&format!("a{c}")) { c } else { '-' }).collect();
            config.spool.join("tmp").join(format!("adopt-{name}"))
        }
    };
    let bar = Bar::new(terminal);
    let summary = download::fetch(&adopt.source, &work, &bar)?;
    bar.end();
    terminal.talk(&format!("{summary} in `{work}`"));
    Ok(work)
}
