//! Stages that not everybody may read: untested, embargoed.
//!
//! The configuration names the networks; from it come the rules of every server that exports the tree. A rule covers all
//! of a stage: its repositories below `/`, below `/@42/` and below `/@name/`, its packages in `packages/`, and its `.repo`
//! files. A package that a public stage lists too has an address there, and answers there.
//!
//! ```text
//! sluice serve          asks Restrictions::may_read for every address, and lists nothing that it would not send
//! nginx, Apache, rsync  read what `sluice config web nginx` (apache, rsyncd) writes
//! ```

mod rules;

use std::net::IpAddr;

use plan::{Kind, Repository};

use crate::config::{Config, Network};
use crate::dot_repo::BY_METALINK;

/// Every restricted stage of a site.
#[derive(Debug, Clone, Default)]
pub struct Restrictions {
    /// In the order of products and their stages.
    pub stages: Vec<Restricted>,
}

/// One restricted stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restricted {
    /// The product.
    pub product: String,
    /// The stage.
    pub stage: String,
    /// Who may read it; nobody if there are none.
    pub networks: Vec<Network>,
    /// Where its repositories lie below the web root; the siblings lie in them.
    pub paths: Vec<String>,
    /// Its directories in `packages/`.
    pub packages: Vec<String>,
    /// Its `.repo` files.
    pub dot_repos: Vec<String>,
}

impl Restrictions {
    /// Finds the restricted stages of a configuration.
    pub fn of(config: &Config) -> Self {
        let mut stages = Vec::new();
        for product in config.layout.products.values() {
            for stage in &product.stages {
                let key = (product.name.clone(), stage.name.clone());
                let Some(networks) = config.restricted.get(&key) else { continue };
                let (mut paths, mut packages) = (Vec::new(), Vec::new());
                let mut dot_repos = vec![format!("{}-{}.repo", product.name, stage.name)];
                for platform in &product.platforms {
                    let repository = |kind| product.repository(platform, &stage.name, kind);
                    paths.extend(config.layout.path(&repository(Kind::Binary)));
                    packages.extend(Kind::ALL.map(|kind| Repository::name(&repository(kind))));
                    let (name, os, arch) = (&product.name, &platform.os, &platform.arch);
                    dot_repos.push(format!("{name}-{os}-{arch}-{}.repo", stage.name));
                    let of_system = format!("{name}-{os}-{}.repo", stage.name);
                    if !dot_repos.contains(&of_system) {
                        dot_repos.push(of_system);
                    }
                }
                if stage.clients.metalink {
                    let by_metalink =
                        dot_repos.iter().map(|name| name.trim_end_matches(".repo").to_owned() + BY_METALINK);
                    dot_repos.extend(by_metalink.collect::<Vec<_>>());
                }
                let (product, stage) = key;
                stages.push(Restricted {
                    product,
                    stage,
                    networks: networks.clone(),
                    paths,
                    packages,
                    dot_repos,
                });
            }
        }
        Self { stages }
    }

    /// Says whether not everybody may read what lies at a path of a generation.
    pub fn covers(&self, path: &str) -> bool {
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        self.stages.iter().any(|stage| stage.covers(&segments))
    }

    /// Says whether whoever asks from `peer` may read what lies at a path of a generation, or in `packages/`.
    pub fn may_read(&self, segments: &[String], peer: IpAddr) -> bool {
        let mut covering = self.stages.iter().filter(|stage| stage.covers(segments));
        covering.all(|stage| stage.networks.iter().any(|network| network.contains(peer)))
    }
}

impl Restricted {
    fn covers(&self, segments: &[String]) -> bool {
        let below = |path: &str| {
            path.split('/').enumerate().all(|(n, part)| segments.get(n).is_some_and(|s| s == part))
        };
        self.paths.iter().any(|path| below(path))
            || self.packages.iter().any(|name| below(&format!("packages/{name}")))
            || self.dot_repos.iter().any(|file| below(file))
    }
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
        base_url = "http://localhost"
        [roles]
        release-team = ["uid:1"]
        [[product]]
        name = "umd-3"
        preset = "egi"
        platforms = ["sl6/x86_64"]
        [[product.stage]]
        name = "untested"
        restricted = ["192.0.2.0/24"]
        metalink = true
    "#;

    #[test]
    fn a_restricted_stage_is_covered_and_its_neighbours_are_not() {
        let config = Config::parse(SITE.as_bytes(), "sluice.toml").unwrap();
        let restrictions = Restrictions::of(&config);
        let may = |path: &str, peer: &str| {
            let segments: Vec<String> =
                path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect();
            restrictions.may_read(&segments, peer.parse().unwrap())
        };
        for path in [
            "umd-3/sl6/x86_64/untested",
            "umd-3/sl6/x86_64/untested/repodata/repomd.xml",
            "umd-3/sl6/x86_64/untested/source/Packages/3f/x.rpm",
            "umd-3/sl6/x86_64/untested/node-types/emi-ui/emi-ui.repo",
            "packages/umd-3-sl6-x86_64-untested/3f/3fa9c1d2e4b5a697/x.rpm",
            "packages/umd-3-sl6-x86_64-untested-debug",
            "umd-3-untested.repo",
            "umd-3-sl6-untested.repo",
            "umd-3-sl6-x86_64-untested.repo",
            "umd-3-sl6-x86_64-untested-metalink.repo",
        ] {
            assert!(may(path, "192.0.2.9") && !may(path, "192.0.3.9"), "{path}");
        }
        for path in
            ["", "umd-3/sl6/x86_64", "umd-3/sl6/x86_64/untested2", "umd-3/sl6/x86_64/testing", "packages"]
        {
            assert!(may(path, "192.0.3.9"), "{path}");
        }
    }
}
