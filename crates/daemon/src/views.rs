//! Which views a repository has, and what each lists: worked out from its listing alone, so that publishing and `verify`
//! agree.

use std::collections::BTreeSet;
use std::ops::Bound;

use closure::Shelf;
use nevra::Dependency;
use plan::{Layout, MetaPackages, NODE_TYPES, Repository};
use repo::Entry;
use store::Generation;
use store::planted::{self, Bug};
use tracing::warn;

use crate::account::{Account, Views};
use crate::relations::{dependency, package_of};

/// How many views a repository has at most: each costs half a dozen files in every generation, and a site has some dozens of
/// node types. Whoever names a pattern that takes everything gets no more than this.
pub(crate) const VIEWS_MAX: usize = 200;

/// The edition of what a meta-package is that views are worked out by.
pub(crate) fn edition() -> u32 {
    if planted::is(Bug::ViewsOfTheFirstEdition) { 1 } else { metapackage::EDITION }
}

/// Says whether a published repository has other views than the configuration wants, by other patterns, or by an earlier
/// edition of what a meta-package is.
pub(crate) fn differ(layout: &Layout, current: (&Generation, &Account), repository: &Repository) -> bool {
    let recorded = current.1.views.get(&repository.name());
    let recorded = recorded.map(|views| (views.edition, &views.meta_packages));
    wanted(layout, Some(current), repository).as_ref().map(|patterns| (edition(), patterns)) != recorded
}

/// Gives the patterns of names of meta-packages of a repository that is to have views; `None` where there are to be none, or
/// where what was adopted still answers for old hrefs from the folder that views lie in: they come when its time is over.
pub(crate) fn wanted(
    layout: &Layout,
    current: Option<(&Generation, &Account)>,
    repository: &Repository,
) -> Option<Vec<String>> {
    let patterns = layout.views(repository)?;
    let name = repository.name();
    let is_taken = current.is_some_and(|(generation, account)| {
        let shelved = account.repositories.get(&name).filter(|_| !account.views.contains_key(&name));
        shelved.is_some_and(|shelved| is_taken(generation, &shelved.path))
    });
    (!is_taken).then_some(patterns)
}

/// Says whether something lies in the folder for views of the repository at `path` that no view promised.
fn is_taken(generation: &Generation, path: &str) -> bool {
    let below = format!("{path}/{NODE_TYPES}/");
    let files = generation.files.public.range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded));
    let mut files = files.map(|(file, _)| file.as_str()).take_while(|file| file.starts_with(&below));
    files.any(|file| !plan::in_view(file).is_some_and(|view| is_promised(generation, view)))
}

/// Says whether a file below a folder for views is what a view promised that is gone; there its packages still have a link.
pub(crate) fn is_promised(generation: &Generation, (path, node_type, rest): (&str, &str, &str)) -> bool {
    let link = format!("{}/Packages", plan::view_path(path, node_type));
    rest.starts_with("repodata/") && generation.files.packages_links.contains_key(link.as_str())
}

/// What a repository lists, as far as views follow from it.
pub(crate) struct Viewed {
    shelf: Shelf,
    recommended: Vec<Vec<Dependency>>,
    /// The node types that can have a view.
    pub(crate) node_types: BTreeSet<String>,
}

impl Viewed {
    /// Reads a repository that lists `entries`, by patterns of names of meta-packages and an edition of what one is.
    ///
    /// A node type whose name cannot be a folder has no view; the log says so.
    pub(crate) fn of(
        repository: &str,
        entries: &[Entry],
        (patterns, edition): (&[String], u32),
    ) -> Result<Viewed, String> {
        let metas = MetaPackages::of_edition(edition, patterns)
            .ok_or_else(|| format!("this program knows no edition {edition} of what a meta-package is"))?;
        let packages = repo::packages_of(entries).map_err(|error| error.to_string())?;
        let recommended =
            packages.iter().map(|package| package.recommends.iter().map(dependency).collect()).collect();
        let shelf = Shelf::new(repository, packages.iter().map(package_of).collect());
        let all = plan::node_types(shelf.packages(), &metas);
        let (with, without): (BTreeSet<&str>, BTreeSet<&str>) =
            all.into_iter().partition(|name| plan::has_folder(name));
        for node_type in without {
            warn!(repository, node_type, "a meta-package has no view: its name cannot be a folder");
        }
        let node_types = with.into_iter().map(str::to_owned).collect();
        Ok(Viewed { shelf, recommended, node_types })
    }

    /// Tells what the view of a node type lists, as places among the entries; nothing if it is none.
    pub(crate) fn view(&self, node_type: &str) -> BTreeSet<usize> {
        match self.node_types.contains(node_type) {
            true => closure::view(&self.shelf, &self.recommended, node_type),
            false => BTreeSet::new(),
        }
    }
}

/// Which views a repository is to have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// By node type; those that left go on with a view that lists nothing.
    pub(crate) views: BTreeSet<String>,
    /// The node types for which there is none left.
    pub(crate) left_out: BTreeSet<String>,
}

/// Chooses, of as many views as there may be: those that hosts may draw from already first, then new ones by their names; and as far
/// as there are any left, those of node types that are no longer listed.
pub(crate) fn chosen(node_types: &BTreeSet<String>, before: Option<&Views>) -> Chosen {
    let has_one = |name: &&String| before.is_some_and(|views| views.node_types.contains_key(*name));
    let (old, new): (Vec<&String>, Vec<&String>) = node_types.iter().partition(has_one);
    let left = before.into_iter().flat_map(|views| views.node_types.keys());
    let left: Vec<&String> = left.filter(|name| !node_types.contains(*name)).collect();
    let views: BTreeSet<String> = old.into_iter().chain(new).chain(left).take(VIEWS_MAX).cloned().collect();
    let left_out = node_types.difference(&views).cloned().collect();
    Chosen { views, left_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::View;

    fn names(prefix: &str, count: usize) -> BTreeSet<String> {
        (0..count).map(|number| format!("{prefix}{number:03}")).collect()
    }

    fn before(names: &BTreeSet<String>) -> Views {
        let view = View {
            rolled_back: BTreeSet::new(),
            retracted: None,
            set: plan::digest_of_set([]),
            offers: vec![],
        };
        Views {
            node_types: names.iter().map(|name| (name.clone(), view.clone())).collect(),
            ..Views::default()
        }
    }

    #[test]
    fn all_node_types_have_a_view_and_those_that_left_keep_theirs() {
        let listed = names("ui", 3);
        let chosen = chosen(&listed, Some(&before(&names("old", 2))));
        assert_eq!(chosen.views, &listed | &names("old", 2));
        assert!(chosen.left_out.is_empty());
    }

    #[test]
    fn of_too_many_the_new_ones_have_none_and_what_left_makes_room_first() {
        let (known, fresh) = (names("known", VIEWS_MAX - 10), names("a", 20));
        let chosen = chosen(&(&known | &fresh), Some(&before(&(&known | &names("0", 5)))));
        assert_eq!(chosen.views, &known | &names("a", 10));
        assert_eq!(chosen.left_out, &fresh - &names("a", 10));
    }
}
