//! Which views a repository has, and what each lists: worked out from its listing alone, so that publishing and `verify`
//! agree.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Dependency;
use plan::{Layout, Repository};
use repo::Entry;
use tracing::warn;

use crate::account::Account;
use crate::relations::{dependency, package_of};

/// Says whether a published repository has other views than the configuration wants, or by other patterns.
pub(crate) fn differ(layout: &Layout, account: &Account, repository: &Repository) -> bool {
    let recorded = account.views.get(&repository.name()).map(|views| &views.meta_packages);
    layout.views(repository).as_ref() != recorded
}

/// Works out the views of a repository that lists `entries`: by node type, the places of its packages among them.
///
/// A node type whose name cannot be a folder has no view; the log says so.
pub(crate) fn views_of(
    repository: &str,
    entries: &[Entry],
    meta_packages: &[String],
) -> Result<BTreeMap<String, BTreeSet<usize>>, String> {
    let packages = repo::packages_of(entries).map_err(|error| error.to_string())?;
    let recommended: Vec<Vec<Dependency>> =
        packages.iter().map(|package| package.recommends.iter().map(dependency).collect()).collect();
    let shelf = closure::Shelf::new(repository, packages.iter().map(package_of).collect());
    let mut views = BTreeMap::new();
    for node_type in plan::node_types(shelf.packages(), meta_packages) {
        if plan::has_folder(node_type) {
            views.insert(node_type.to_owned(), closure::view(&shelf, &recommended, node_type));
        } else {
            warn!(repository, node_type, "a meta-package has no view: its name cannot be a folder");
        }
    }
    Ok(views)
}
