//! `.repo` files of views: one beside the metadata of each, so that it comes and goes with it, and whoever may read the
//! one may read the other.
//!
//! | file | for |
//! |---|---|
//! | `<path of the stage>/node-types/<node type>/<node type>.repo` | hosts of the node type, of one platform |
//! | `<path of the stage>/node-types/<node type>/<node type>-metalink.repo` | the same hosts, by metalink, where the stage has metalinks |

use std::collections::BTreeMap;

use jiff::Timestamp;
use plan::Repository;

use super::{BY_METALINK, METADATA_EXPIRE_SECONDS, Way, checks, ways};
use crate::config::Config;
use crate::publish::METALINK;

/// Says whether a file below the web root is named like a `.repo` file of a view.
pub(crate) fn is_of_view(file: &str) -> bool {
    plan::in_view(file).is_some_and(|(_, node_type, rest)| {
        rest == format!("{node_type}.repo") || rest == format!("{node_type}{BY_METALINK}")
    })
}

/// Writes the `.repo` files of the view of a node type, for the repository at `path`: by path below the web root.
pub(crate) fn of_view(
    (config, now): (&Config, Timestamp),
    (repository, path): (&Repository, &str),
    node_type: &str,
) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let product = config.layout.products.get(&repository.product);
    let Some((product, stage)) =
        product.and_then(|product| Some((product, product.stage(&repository.stage)?)))
    else {
        return files;
    };
    let view = plan::view_path(path, node_type);
    let (os, arch) = (&repository.os, &repository.arch);
    for way in ways(stage) {
        let (end, leads) = match way {
            Way::Plain => (".repo", format!("baseurl={}/{view}/", config.base_url)),
            Way::Metalink => (BY_METALINK, format!("metalink={}/{view}/{METALINK}", config.base_url)),
        };
        let text = format!(
            "# {}: {node_type} of {} {} for {os}/{arch}, written by Sluice.\n\n\
             [{}]\n\
             name={} {} ({os}/{arch}), {node_type}\n\
             {leads}\n\
             enabled=1\n\
             {}\
             metadata_expire={METADATA_EXPIRE_SECONDS}\n",
            config.site,
            product.name,
            stage.name,
            section_name(&format!("{}-{}-{node_type}", repository.name(), plan::NODE_TYPES)),
            product.name,
            stage.name,
            checks((config, now), product, stage),
        );
        files.insert(format!("{view}/{node_type}{end}"), text.into_bytes());
    }
    files
}

/// Makes a name that clients take for a repository: letters, digits, `-`, `_`, `.` and `:`.
fn section_name(text: &str) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    text.chars().map(|c| if known(c) { c } else { ':' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
        format = 1
        [site]
        name = "Test"
        root = "/srv/sluice"
        spool = "/var/spool/sluice"
        base_url = "http://repo.example.org"
        [[product]]
        name = "umd-3"
        preset = "glite"
        platforms = ["sl6/x86_64"]
        views = ["delta"]
        [[product.stage]]
        name = "delta"
        metalink = true
    "#;

    #[test]
    fn a_view_has_a_file_of_its_own_for_each_way() {
        let config = Config::parse(SITE.as_bytes(), "sluice.toml").unwrap();
        let repository = config.layout.named("umd-3-sl6-x86_64-delta").unwrap();
        let path = config.layout.path(&repository).unwrap();
        let files = of_view((&config, Timestamp::UNIX_EPOCH), (&repository, &path), "emi+ui~x");
        let view = "umd-3/sl6/x86_64/delta/node-types/emi+ui~x";
        let names: Vec<&String> = files.keys().collect();
        assert_eq!(names, [&format!("{view}/emi+ui~x-metalink.repo"), &format!("{view}/emi+ui~x.repo")]);
        assert!(names.into_iter().all(|name| is_of_view(name)));
        let text = String::from_utf8(files[&format!("{view}/emi+ui~x.repo")].clone()).unwrap();
        assert!(text.contains("[umd-3-sl6-x86_64-delta-node-types-emi:ui:x]\n"), "{text}");
        assert!(text.contains(&format!("baseurl=http://repo.example.org/{view}/\n")), "{text}");
        assert!(text.contains("gpgcheck=0\n") && text.contains("enabled=1\n"), "{text}");
        let text = String::from_utf8(files[&format!("{view}/emi+ui~x-metalink.repo")].clone()).unwrap();
        assert!(text.contains(&format!("metalink=http://repo.example.org/{view}/metalink.xml\n")), "{text}");
    }

    #[test]
    fn other_files_are_none_of_a_view() {
        for file in
            ["umd-3-delta.repo", "p/delta/node-types/a/b.repo", "p/delta/node-types/a/repodata/a.repo"]
        {
            assert!(!is_of_view(file), "{file}");
        }
    }
}
