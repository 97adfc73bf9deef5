//! Where an old href answers: among the package links, or as a file of the public half.

use plan::{Kind, Repository};

/// The place of an old href.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A package link, as a path below the exported root: `<path>/Packages` leads there.
    Link(String),
    /// A file of the public half.
    File(String),
}

impl Place {
    /// Finds the place of `href` in `repository`, which lies at `path`.
    pub(crate) fn of(repository: &Repository, path: &str, href: &str) -> Place {
        if let Some(rest) = href.strip_prefix("Packages/") {
            return Place::Link(format!("packages/{}/{rest}", repository.name()));
        }
        for (folder, kind) in [("debug", Kind::Debug), ("source", Kind::Source)] {
            let rest = href.strip_prefix(folder).and_then(|rest| rest.strip_prefix("/Packages/"));
            if let (Some(rest), Kind::Binary) = (rest, repository.kind) {
                let sibling = Repository { kind, ..repository.clone() };
                return Place::Link(format!("packages/{}/{rest}", sibling.name()));
            }
        }
        Place::File(format!("{path}/{href}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_packages_becomes_a_link() {
        let repository = Repository {
            product: "p".into(),
            os: "el9".into(),
            arch: nevra::Arch::new("x86_64"),
            stage: "s".into(),
            kind: Kind::Binary,
        };
        let link = |path: &str| Place::Link(path.to_owned());
        for (href, expected) in [
            ("Packages/v/a.rpm", link("packages/p-el9-x86_64-s/v/a.rpm")),
            ("Packages.rpm", Place::File("old/el9/Packages.rpm".into())),
            ("getPackage/a.rpm", Place::File("old/el9/getPackage/a.rpm".into())),
            ("source/a.src.rpm", Place::File("old/el9/source/a.src.rpm".into())),
            ("source/Packages/a.src.rpm", link("packages/p-el9-x86_64-s-source/a.src.rpm")),
        ] {
            assert_eq!(Place::of(&repository, "old/el9", href), expected);
        }
    }
}
