//! The verbs that ask for a change: each makes one request, with what may be left out filled in.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::config::Config;
use daemon::submit::Submitter;
use plan::{Action, Format, Product, Request};

use crate::arguments::{Import, Keep, Part, Promote, Revert, Rollback, Scope, Submit, Withdraw};
use crate::ask;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// `sluice import`: puts the files into `upload/`, then asks.
pub fn import(settings: &Settings, import: Import, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let product = product(&config, &import.scope)?;
    let to = match import.to {
        Some(to) => to,
        None => product
            .stages
            .first()
            .map(|stage| stage.name.clone())
            .ok_or_else(|| Failure::usage(format!("the product `{}` has no stages", product.name)))?,
    };
    let submitter = Submitter::new(config.spool.clone());
    let folder = import.folder.as_deref().map(absolute).transpose()?;
    let mut files = Vec::new();
    for file in &import.files {
        terminal.aside(&format!("copying {file}"));
        files.push(submitter.upload(file).map_err(Failure::of_submitting)?);
    }
    files.sort();
    files.dedup();
    let action = Action::Import {
        product: product.name.clone(),
        to,
        files,
        folder: folder.map(Utf8PathBuf::into_string),
        platforms: import.scope.platforms,
    };
    let request = ask::dressed(Request::new(action), &import.asking);
    ask::request(&submitter, &request, &import.asking.waiting, terminal)
}

/// `sluice promote`.
pub fn promote(settings: &Settings, promote: Promote, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let product = product(&config, &promote.scope)?;
    let (from, to) = route(product, promote.from.as_deref(), promote.to.as_deref())?;
    let action = Action::Promote {
        product: product.name.clone(),
        from,
        to,
        packages: promote.packages,
        platforms: promote.scope.platforms,
        partial: promote.partial.map(Part::meant),
    };
    let request = ask::dressed(Request::new(action), &promote.asking);
    ask::request(&Submitter::new(config.spool.clone()), &request, &promote.asking.waiting, terminal)
}

/// `sluice rollback`.
pub fn rollback(settings: &Settings, rollback: Rollback, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let action = Action::Rollback {
        product: product(&config, &rollback.scope)?.name.clone(),
        from: rollback.from,
        packages: rollback.packages,
        platforms: rollback.scope.platforms,
        versions: rollback.versions,
        without: rollback.without,
        releases: rollback.releases,
    };
    let request = ask::dressed(Request::new(action), &rollback.asking);
    ask::request(&Submitter::new(config.spool.clone()), &request, &rollback.asking.waiting, terminal)
}

/// `sluice withdraw`.
pub fn withdraw(settings: &Settings, withdraw: Withdraw, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let action = Action::Withdraw {
        product: product(&config, &withdraw.scope)?.name.clone(),
        from: withdraw.from,
        packages: withdraw.packages,
        platforms: withdraw.scope.platforms,
    };
    let request = ask::dressed(Request::new(action), &withdraw.asking);
    ask::request(&Submitter::new(config.spool.clone()), &request, &withdraw.asking.waiting, terminal)
}

/// `sluice revert`.
pub fn revert(settings: &Settings, revert: Revert, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let action = Action::Revert {
        product: product(&config, &revert.scope)?.name.clone(),
        stage: revert.stage,
        generation: revert.generation,
        platforms: revert.scope.platforms,
    };
    let request = ask::dressed(Request::new(action), &revert.asking);
    ask::request(&Submitter::new(config.spool.clone()), &request, &revert.asking.waiting, terminal)
}

/// `sluice keep`.
pub fn keep(settings: &Settings, keep: Keep, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let action = Action::Keep { generation: keep.generation, as_: keep.name, drop: keep.drop };
    let request = ask::dressed(Request::new(action), &keep.asking);
    ask::request(&Submitter::new(config.spool), &request, &keep.asking.waiting, terminal)
}

/// `sluice submit`: sends the file's own bytes, unless the command line adds something to them.
pub fn submit(settings: &Settings, submit: Submit, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let (bytes, format) = read_request(&submit.file)?;
    let (unsigned, signature) = plan::signed::split(&bytes);
    let mut request = plan::parse(unsigned, format)?;
    let submitter = Submitter::new(config.spool);
    for file in &submit.upload {
        submitter.upload(file).map_err(Failure::of_submitting)?;
    }
    let as_written = request.clone();
    request.id = request.id.or(submit.id);
    if submit.dry_run {
        request = ask::rehearsed(request);
    }
    request.reason = request.reason.or(submit.reason);
    if signature.is_some() && request != as_written {
        let failure = Failure::usage("the request is signed, so nothing can be added to it");
        return Err(failure.hint("write it into the file and sign that"));
    }
    let about = submit.file.file_stem().unwrap_or("request");
    if request == as_written {
        ask::bytes(&submitter, about, format, &bytes, &submit.waiting, terminal)
    } else {
        ask::request(&submitter, &request, &submit.waiting, terminal)
    }
}

fn read_request(file: &Utf8Path) -> Result<(Vec<u8>, Format), Failure> {
    let limit = daemon::spool::REQUEST_SIZE_MAX + 1;
    let mut bytes = Vec::new();
    let failed = |error: std::io::Error| Failure::usage(format!("failed to read `{file}`: {error}"));
    if file == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
        let json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        return Ok((bytes, if json { Format::Json } else { Format::Toml }));
    }
    let format = Format::of_name(file.file_name().unwrap_or_default()).ok_or_else(|| {
        Failure::usage(format!("`{file}` is no request file")).hint("requests are named `*.toml` or `*.json`")
    })?;
    open(file).and_then(|opened| opened.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
    Ok((bytes, format))
}

/// Chooses the product: the one that is named, or the only one.
pub fn product<'a>(config: &'a Config, scope: &Scope) -> Result<&'a Product, Failure> {
    let products = &config.layout.products;
    let names = || products.keys().cloned().collect::<Vec<_>>().join(", ");
    match &scope.product {
        Some(name) => products.get(name).ok_or_else(|| {
            Failure::not_found(format!("there is no product `{name}`")).hint(format!("there is: {}", names()))
        }),
        None if products.len() == 1 => Ok(products.values().next().expect("it has one")),
        None => Err(Failure::usage("the site has several products")
            .hint(format!("add --product, one of: {}", names()))),
    }
}

/// Chooses the route: the one that is named, or the only one that fits.
pub fn route(product: &Product, from: Option<&str>, to: Option<&str>) -> Result<(String, String), Failure> {
    if let (Some(from), Some(to)) = (from, to) {
        // Whether there is such a route, and whether it may be taken, the daemon says.
        return Ok((from.to_owned(), to.to_owned()));
    }
    let fitting: Vec<_> = product
        .routes
        .iter()
        .filter(|route| from.is_none_or(|from| route.from == from) && to.is_none_or(|to| route.to == to))
        .collect();
    match fitting.as_slice() {
        [only] => Ok((only.from.clone(), only.to.clone())),
        _ => {
            let routes: Vec<_> =
                product.routes.iter().map(|route| format!("{} -> {}", route.from, route.to)).collect();
            Err(Failure::usage("the route is not clear").hint(format!(
                "say --from and --to; `{}` has: {}",
                product.name,
                routes.join(", ")
            )))
        }
    }
}

fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    camino::absolute_utf8(path).map_err(|error| Failure::usage(format!("failed to find `{path}`: {error}")))
}

/// The one place here that opens a file.
#[expect(clippy::disallowed_methods, reason = "reads the request file of the command line")]
fn open(file: &Utf8Path) -> std::io::Result<std::fs::File> {
    std::fs::File::open(file)
}

#[cfg(test)]
mod tests {
    use plan::Route;

    use super::*;

    fn product_with(routes: &[(&str, &str)]) -> Product {
        let routes = routes
            .iter()
            .map(|(from, to)| Route { from: (*from).into(), to: (*to).into(), ..Route::default() })
            .collect();
        Product { name: "umd".into(), routes, ..Product::default() }
    }

    #[test]
    fn a_route_may_be_left_out_where_only_one_fits() {
        let glite = product_with(&[("delta", "production")]);
        let only = ("delta".to_owned(), "production".to_owned());
        assert_eq!(route(&glite, None, None), Ok(only.clone()));
        assert_eq!(route(&glite, Some("delta"), None), Ok(only.clone()));
        assert_eq!(route(&glite, None, Some("production")), Ok(only));
        assert_eq!(route(&glite, Some("production"), None).unwrap_err().exit, 2);
        let egi = product_with(&[("untested", "testing"), ("testing", "production")]);
        let failure = route(&egi, None, None).unwrap_err();
        assert!(failure.hint.unwrap().contains("untested -> testing, testing -> production"));
        assert_eq!(route(&egi, Some("testing"), None).unwrap().1, "production");
        assert_eq!(route(&egi, Some("a"), Some("b")).unwrap().1, "b");
    }
}
