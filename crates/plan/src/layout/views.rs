//! Views of a stage: for each node type, metadata that lists one meta-package and what it leads to within the stage.
//!
//! ```text
//! <path of the stage>/repodata/                      everything
//! <path of the stage>/node-types/glite-UI/repodata/  glite-UI and what it leads to
//!                                        /Packages   the very packages of the stage
//! ```

use std::collections::BTreeSet;

use super::{Kind, Layout, MetaPackages, Repository, is_component};

/// The folder of a stage that its views lie in.
pub const NODE_TYPES: &str = "node-types";

impl Layout {
    /// Gives the patterns of names of meta-packages of a repository that has views; `None` where there are none.
    ///
    /// Only binary repositories have views.
    pub fn views(&self, repository: &Repository) -> Option<Vec<String>> {
        let product = self.products.get(&repository.product)?;
        let stage = product.stage(&repository.stage)?;
        let has_views = repository.kind == Kind::Binary && product.views.contains(&stage.name);
        has_views.then(|| product.meta_packages())
    }
}

/// Writes where the view of a node type lies, for the repository at `path`.
pub fn view_path(path: &str, node_type: &str) -> String {
    format!("{path}/{NODE_TYPES}/{node_type}")
}

/// Finds the repository in whose view a file lies: its path, the node type, and the rest. The opposite of [`view_path`].
pub fn in_view(file: &str) -> Option<(&str, &str, &str)> {
    let marker = format!("/{NODE_TYPES}/");
    let (path, rest) = file.rsplit_once(&marker)?;
    let (node_type, rest) = rest.split_once('/')?;
    Some((path, node_type, rest))
}

/// Names the node types among packages: the names of those that are meta-packages.
pub fn node_types<'a>(
    packages: impl IntoIterator<Item = &'a closure::Package>,
    meta_packages: &MetaPackages,
) -> BTreeSet<&'a str> {
    let metas = packages.into_iter().filter(|package| meta_packages.has(package));
    metas.map(|package| package.nevra.name.as_str()).collect()
}

/// Says whether a node type can have a view: its name can be a folder, and is none that a repository keeps for itself.
pub fn has_folder(node_type: &str) -> bool {
    is_component(node_type) && !["repodata", "Packages", NODE_TYPES].contains(&node_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Closure;
    use crate::samples;

    #[test]
    fn a_binary_repository_of_a_stage_that_is_named_has_views() {
        let mut layout = samples::layout();
        let product = layout.products.get_mut("glite-3.2").unwrap();
        product.views = vec!["delta".into()];
        product.stages[0].closure =
            Some(Closure { meta_packages: vec!["glite-*".into()], ..Closure::default() });
        let named = |kind: &str| layout.views(&samples::repository(kind));
        assert_eq!(named("sl5/x86_64 delta"), Some(vec!["glite-*".to_owned()]));
        assert_eq!(named("sl5/i386 delta"), Some(vec!["glite-*".to_owned()]));
        assert_eq!(named("sl5/x86_64 delta debug"), None);
        assert_eq!(named("sl5/x86_64 delta source"), None);
        assert_eq!(named("sl5/x86_64 production"), None);
    }

    #[test]
    fn a_path_is_found_again() {
        let path = view_path("glite/sl5/x86_64/delta", "glite-UI");
        assert_eq!(path, "glite/sl5/x86_64/delta/node-types/glite-UI");
        let file = format!("{path}/repodata/repomd.xml");
        assert_eq!(in_view(&file), Some(("glite/sl5/x86_64/delta", "glite-UI", "repodata/repomd.xml")));
        for other in ["a/repodata/repomd.xml", "a/node-types/b", "node-types/a/b", "a/node-types"] {
            assert_eq!(in_view(other), None, "{other}");
        }
    }

    #[test]
    fn node_types_are_meta_packages_and_what_patterns_name() {
        let package = |nevra: &str, requires: &[&str]| closure::Package {
            requires: requires.iter().map(|one| one.parse().unwrap()).collect(),
            ..closure::Package::new(nevra.parse().unwrap())
        };
        let packages = [
            package("glite-UI-1-1.noarch", &["voms = 1-1"]),
            package("glite-UI-2-1.noarch", &["voms = 2-1"]),
            package("glite-WN-1-1.noarch", &["voms"]),
            package("voms-1-1.x86_64", &["glibc"]),
        ];
        let names = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
            let metas = MetaPackages::of_edition(metapackage::EDITION, &patterns).unwrap();
            node_types(&packages, &metas).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["glite-UI"]);
        assert_eq!(names(&["*-WN", "nothing", "["]), ["glite-UI", "glite-WN"]);
    }

    #[test]
    fn a_name_that_is_no_folder_has_no_view() {
        for (name, has) in [
            ("glite-UI", true),
            ("a+b~c", true),
            ("repodata", false),
            ("Packages", false),
            ("node-types", false),
            ("a/b", false),
            ("..", false),
        ] {
            assert_eq!(has_folder(name), has, "{name}");
        }
    }
}
