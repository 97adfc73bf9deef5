//! `sluice impact`: which stages and node types a package touches, and what a roll-back of it would do.

pub mod arguments;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use daemon::observe::Site;
use daemon::submit::Submitter;
use nevra::Nevra;
use plan::{Action, Answer, Kind, Outcome, Pinning, Request, pinning};
use serde::Serialize;

use crate::ask;
use crate::failure::Failure;
use crate::pattern::Pattern;
use crate::settings::{Settings, nothing_published};
use crate::terminal::{Paint, Terminal};
use arguments::Impact;

/// A package where one repository lists it.
#[derive(Debug, Serialize)]
struct Touched {
    repository: String,
    package: Nevra,
    /// The meta-packages that pin it, the nearest first.
    node_types: Vec<Pinning>,
}

/// What a roll-back in one stage would do.
#[derive(Debug, Serialize)]
struct Rollback {
    product: String,
    stage: String,
    /// The daemon's answer to a dry run.
    answer: Answer,
}

#[derive(Debug, Serialize)]
struct Found {
    touched: Vec<Touched>,
    rollbacks: Vec<Rollback>,
}

/// Prints what a package touches.
pub fn run(settings: &Settings, impact: Impact, terminal: &Terminal) -> Result<u8, Failure> {
    let pattern = Pattern::parse(&impact.package)?;
    let (config, store) = settings.store()?;
    let current = store.current()?.ok_or_else(nothing_published)?;
    let site = Site::at(store, current.number)?;
    let mut found = Found { touched: Vec::new(), rollbacks: Vec::new() };
    let mut stages: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (repository, packages) in site.relations()? {
        let Some(product) = config.layout.products.get(&repository.product) else { continue };
        if repository.kind != Kind::Binary {
            continue;
        }
        for package in packages.iter().filter(|package| pattern.fits(&package.nevra)) {
            let node_types = pinning(product, &packages, &package.nevra);
            if !node_types.is_empty() {
                let stage = (repository.product.clone(), repository.stage.clone());
                stages.entry(stage).or_default().insert(package.nevra.to_string());
            }
            let package = package.nevra.clone();
            found.touched.push(Touched { repository: repository.name(), package, node_types });
        }
    }
    if found.touched.is_empty() {
        return Err(Failure::not_found(format!("no stage lists `{}`", impact.package))
            .hint("`sluice why` tells of packages that were listed once"));
    }
    if !impact.published_only {
        let submitter = Submitter::new(config.spool);
        for ((product, stage), packages) in stages {
            let action = Action::Rollback {
                product: product.clone(),
                from: stage.clone(),
                packages: packages.into_iter().collect(),
                platforms: Vec::new(),
                versions: Vec::new(),
                without: Vec::new(),
                releases: Vec::new(),
            };
            let reason = Some("only to see what it would do".to_owned());
            let request = ask::rehearsed(Request { reason, ..Request::new(action) });
            let answer = ask::answered(&submitter, &request, &impact.waiting, terminal)?;
            found.rollbacks.push(Rollback { product, stage, answer });
        }
    }
    terminal.either(&found, |paint| words(&found, paint));
    Ok(0)
}

fn words(found: &Found, paint: Paint) -> String {
    let mut text = String::new();
    for Touched { repository, package, node_types } in &found.touched {
        let _ = writeln!(text, "{} in {repository}", paint.bold(&package.to_string()));
        if node_types.is_empty() {
            text.push_str("  no meta-package pins it\n");
        }
        for Pinning { node_type, pin, by_way_of } in node_types {
            let _ = match by_way_of {
                Some(other) => writeln!(text, "  {node_type} pins {pin}, by way of {}", other.name),
                None => writeln!(text, "  {node_type} pins {pin}"),
            };
        }
    }
    for Rollback { product, stage, answer } in &found.rollbacks {
        let _ = writeln!(text, "\n{}", paint.bold(&format!("a roll-back in {stage} of {product}")));
        if answer.outcome != Outcome::Planned {
            let _ = writeln!(text, "  is refused: {} ({})", answer.sentence, answer.code);
            for reason in &answer.reasons {
                let _ = writeln!(text, "    {reason}");
            }
            continue;
        }
        for one in &answer.node_types {
            let _ = writeln!(text, "  {} becomes {} in {}", one.before, one.after, one.repository);
        }
        for one in &answer.hosts {
            let who = one
                .node_type
                .as_deref()
                .map_or("all other hosts".to_owned(), |name| format!("hosts with {name}"));
            let _ = writeln!(text, "  {who} of {} run: {}", one.stage, one.dnf);
        }
    }
    text
}
