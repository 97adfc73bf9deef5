//! Writing a request as TOML, for the command line.

use std::fmt::Write as _;

use super::{Action, Advised, FORMAT, Partial, Reference, Request, steps};

impl Request {
    /// Writes the request as TOML, `[end]` included; [`super::parse`] reads the same request from it.
    pub fn to_toml(&self) -> String {
        let mut file = Keys(format!("format = {FORMAT}\n"));
        file.text("action", self.action.name());
        file.maybe("id", &self.id);
        match &self.action {
            Action::Import { product, to, files, folder, platforms } => {
                file.text("product", product);
                file.text("to", to);
                file.list("files", files);
                file.maybe("folder", folder);
                file.list("platforms", platforms);
            }
            Action::Adopt { product, stage, platform, kind, folder } => {
                file.text("product", product);
                file.text("stage", stage);
                file.text("platform", platform);
                file.text("kind", kind.as_str());
                file.text("folder", folder);
            }
            Action::Promote { product, from, to, packages, platforms, partial } => {
                file.text("product", product);
                file.text("from", from);
                file.text("to", to);
                file.list("packages", packages);
                file.list("platforms", platforms);
                match partial {
                    Some(Partial::Target) => file.text("partial", "target"),
                    Some(Partial::Both) => file.text("partial", "both"),
                    None => {}
                }
            }
            Action::Rollback { product, from, packages, platforms, versions, without, releases } => {
                file.text("product", product);
                file.text("from", from);
                file.list("packages", packages);
                file.list("platforms", platforms);
                file.list("versions", versions);
                file.list("without", without);
                file.list("releases", releases);
            }
            Action::Withdraw { product, from, packages, platforms } => {
                file.text("product", product);
                file.text("from", from);
                file.list("packages", packages);
                file.list("platforms", platforms);
            }
            Action::Revert { product, stage, generation, platforms } => {
                file.text("product", product);
                file.text("stage", stage);
                file.generation(generation);
                file.list("platforms", platforms);
            }
            Action::Undo { request } => file.text("request", request),
            Action::Keep { generation, as_, drop } => {
                generation.iter().for_each(|generation| file.generation(generation));
                file.maybe("as", as_);
                file.maybe("drop", drop);
            }
            Action::Waive { product, stage, gate, packages, until } => {
                file.text("product", product);
                file.text("stage", stage);
                file.text("gate", gate);
                file.list("packages", packages);
                file.text("until", &until.to_string());
            }
            Action::EndWaiver { waiver } => file.text("waiver", waiver),
            Action::Freeze { product, stage, until } => {
                file.text("product", product);
                file.maybe("stage", stage);
                file.maybe("until", &until.map(|when| when.to_string()));
            }
            Action::Thaw { freeze } => file.text("freeze", freeze),
            Action::Approve { product, from, to, take_back } => {
                file.text("product", product);
                file.text("from", from);
                file.text("to", to);
                if *take_back {
                    file.0.push_str("take_back = true\n");
                }
            }
            Action::Variant { product, package, digests } => {
                file.text("product", product);
                file.text("package", package);
                file.list("digests", digests);
            }
            Action::EndVariant { variant } => file.text("variant", variant),
            Action::Advisory { product, stage, advised, packages, platforms } => {
                file.text("product", product);
                file.text("stage", stage);
                file.advised(advised);
                file.list("packages", packages);
                file.list("platforms", platforms);
            }
            Action::EndAdvisory { product, advisory, retracted } => {
                file.text("product", product);
                file.text("advisory", advisory);
                if *retracted {
                    file.0.push_str("retracted = true\n");
                }
            }
            Action::Sweep {}
            | Action::Overlap {}
            | Action::AcceptClock {}
            | Action::Resume {}
            | Action::Config {} => {}
            Action::Purge { packages } => file.list("packages", packages),
            Action::Step { product, command } => {
                file.text("product", product);
                steps::write(command, &mut file);
            }
        }
        file.maybe("reason", &self.reason);
        file.maybe("expires", &self.expires.map(|when| when.to_string()));
        if self.dry_run {
            file.0.push_str("dry_run = true\n");
        }
        file.maybe("plan", &self.plan);
        if !matches!(self.action, Action::Keep { .. }) {
            file.maybe("as", &self.as_);
        }
        file.maybe("site", &self.site);
        file.0.push_str("\n[end]\n");
        file.0
    }
}

pub(super) struct Keys(String);

impl Keys {
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.0.push_str(key);
        self.0.push_str(" = ");
        quote(&mut self.0, value);
        self.0.push('\n');
    }

    fn maybe(&mut self, key: &str, value: &Option<String>) {
        value.iter().for_each(|value| self.text(key, value));
    }

    fn advised(&mut self, advised: &Advised) {
        let Advised { id, kind, severity, title, description, references, reboot } = advised;
        self.text("advisory", id);
        self.text("type", kind);
        self.maybe("severity", severity);
        self.text("title", title);
        if !description.is_empty() {
            self.text("description", description);
        }
        self.list("references", references);
        if *reboot {
            self.0.push_str("reboot = true\n");
        }
    }

    fn generation(&mut self, generation: &Reference) {
        match generation {
            Reference::Number(number) if i64::try_from(*number).is_ok() => {
                self.0.push_str(&format!("generation = {number}\n"));
            }
            other => self.text("generation", &other.to_string()),
        }
    }

    /// Writes a number or a truth.
    pub(super) fn bare(&mut self, key: &str, value: &str) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    pub(super) fn list(&mut self, key: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.0.push_str(key);
        self.0.push_str(" = [");
        for value in values {
            self.0.push_str("\n    ");
            quote(&mut self.0, value);
            self.0.push(',');
        }
        self.0.push_str("\n]\n");
    }
}

/// Writes a TOML basic string.
fn quote(to: &mut String, value: &str) {
    to.push('"');
    for c in value.chars() {
        match c {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\t' => to.push_str("\\t"),
            c if c.is_control() => write!(to, "\\u{:04X}", u32::from(c)).expect("a String takes all"),
            c => to.push(c),
        }
    }
    to.push('"');
}
