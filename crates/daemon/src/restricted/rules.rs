//! The rules as nginx, Apache and rsync read them.

use std::fmt::Write;

use camino::Utf8Path;

use super::{Restricted, Restrictions};

/// What a module with exclusions refuses before it looks: rsync compares what it excludes with the path as the client
/// writes it from the last `/./` on, so a detour over one would lead around them, and so would a list of files.
const PLAIN_ONLY: &str = r#"    refuse options = files-from
    pre-xfer exec = case "$RSYNC_REQUEST" in *[!A-Za-z0-9\ ._+~@/-]*|*/./*|*/../*|*/.|*/..|./*|../*|*\ ./*|*\ ../*|*/./\ *) echo "plain paths only"; exit 1;; esac
"#;

impl Restrictions {
    /// Writes what a `server` of nginx includes, before its other locations.
    pub fn nginx(&self, root: &Utf8Path) -> String {
        let mut text = self.heading("nginx");
        for stage in &self.stages {
            let allowed: String =
                stage.networks.iter().map(|network| format!("    allow {network};\n")).collect();
            let expression = stage.expression();
            let _ = write!(
                text,
                "\n# {}\nlocation ~ \"^/+{expression}\" {{\n{allowed}    deny all;\n}}\n\
                 location ~ \"^/+(?:@[^/]+|current)/+{expression}\" {{\n    root {root}/public;\n{allowed}    deny all;\n}}\n",
                stage.words(),
            );
        }
        text
    }

    /// Writes what a virtual host of Apache includes.
    pub fn apache(&self) -> String {
        let mut text = self.heading("apache");
        for stage in &self.stages {
            let required = match &stage.networks[..] {
                [] => "    Require all denied\n".to_owned(),
                networks => networks.iter().map(|network| format!("    Require ip {network}\n")).collect(),
            };
            let expression = stage.expression();
            let _ = write!(
                text,
                "\n# {}\n<LocationMatch \"^/+(?:(?:@[^/]+|current)/+)?{expression}\">\n{required}</LocationMatch>\n",
                stage.words(),
            );
        }
        text
    }

    /// Writes what the module `sluice` of rsyncd.conf merges as its last lines: what it leaves out, and a module for those
    /// who may read each stage.
    pub fn rsyncd(&self, root: &Utf8Path) -> String {
        let mut text = self.heading("rsyncd");
        if let Some(patterns) = patterns(self.stages.iter()) {
            let _ = write!(text, "    exclude = {patterns}\n{PLAIN_ONLY}");
        }
        for stage in self.stages.iter().filter(|stage| !stage.networks.is_empty()) {
            let networks: Vec<String> = stage.networks.iter().map(ToString::to_string).collect();
            let _ = write!(
                text,
                "\n[sluice-{}-{}]\n    comment = with the {}\n    path = {root}/public\n    use chroot = yes\n    read only = yes\n    \
                 list = no\n    dont compress = *\n    timeout = 600\n    max connections = 40\n    hosts allow = {}\n",
                stage.product,
                stage.stage,
                stage.words(),
                networks.join(" "),
            );
            if let Some(patterns) = patterns(self.stages.iter().filter(|other| *other != stage)) {
                let _ = write!(text, "    exclude = {patterns}\n{PLAIN_ONLY}");
            }
        }
        text
    }

    fn heading(&self, server: &str) -> String {
        let mut text =
            format!("# Made by `sluice config web {server}`: make it anew whenever sluice.toml changes.\n");
        if self.stages.is_empty() {
            text.push_str("# No stage is restricted.\n");
        }
        text
    }
}

impl Restricted {
    fn words(&self) -> String {
        format!("stage {} of {}", self.stage, self.product)
    }

    /// Matches what lies at and below everything of the stage, after the slashes that lead to it. Servers have undone
    /// encodings and `..` before they look; slashes that were doubled may be left.
    fn expression(&self) -> String {
        let packages = self.packages.iter().map(|name| format!("packages/{name}"));
        let places: Vec<String> = self
            .paths
            .iter()
            .cloned()
            .chain(packages)
            .chain(self.dot_repos.iter().cloned())
            .map(escaped)
            .collect();
        format!("(?:{})(?:/|$)", places.join("|"))
    }
}

/// Names consist of letters, digits and `._+~-`; of these, two mean something in an expression.
fn escaped(place: String) -> String {
    place.replace('.', "\\.").replace('+', "\\+").replace('/', "/+")
}

/// What rsync leaves out, from the top of `public/` on.
fn patterns<'a>(stages: impl Iterator<Item = &'a Restricted>) -> Option<String> {
    let mut patterns = Vec::new();
    for stage in stages {
        for place in stage.paths.iter().chain(&stage.dot_repos) {
            patterns.extend([format!("/current/{place}"), format!("/@*/{place}")]);
        }
        patterns.extend(stage.packages.iter().map(|name| format!("/packages/{name}")));
    }
    (!patterns.is_empty()).then(|| patterns.join(" "))
}
