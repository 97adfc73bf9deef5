//! The keys of a request file, one struct for each action, so that a key of another action is refused.

use std::fmt;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, de};

use super::{Action, Advised, Partial, Reference, Request};
use crate::layout::Kind;

/// Keys that every action knows, besides `end`, which only ends TOML.
pub(super) const COMMON: [&str; 9] =
    ["format", "action", "id", "reason", "expires", "dry_run", "plan", "as", "site"];

/// Keys of each action besides the common ones.
pub(super) const OWN: [(&str, &[&str]); 23] = [
    ("import", &["product", "to", "files", "folder", "platforms"]),
    ("adopt", &["product", "stage", "platform", "kind", "folder"]),
    ("promote", &["product", "from", "to", "packages", "platforms", "partial"]),
    ("rollback", &["product", "from", "packages", "platforms", "versions", "without", "releases"]),
    ("withdraw", &["product", "from", "packages", "platforms"]),
    ("revert", &["product", "stage", "generation", "platforms"]),
    ("undo", &["request"]),
    ("keep", &["generation", "drop"]),
    ("sweep", &[]),
    ("overlap", &[]),
    ("waive", &["product", "stage", "gate", "packages", "until"]),
    ("end-waiver", &["waiver"]),
    ("freeze", &["product", "stage", "until"]),
    ("thaw", &["freeze"]),
    ("approve", &["product", "from", "to", "take_back"]),
    ("variant", &["product", "package", "digests"]),
    ("end-variant", &["variant"]),
    (
        "advisory",
        &[
            "product",
            "stage",
            "advisory",
            "type",
            "severity",
            "title",
            "description",
            "references",
            "reboot",
            "packages",
            "platforms",
        ],
    ),
    ("end-advisory", &["product", "advisory", "retracted"]),
    ("accept-clock", &[]),
    ("purge", &["packages"]),
    ("resume", &[]),
    ("config", &[]),
];

/// What is looked at before the action is known.
#[derive(Deserialize)]
pub(super) struct Head {
    pub format: Option<i64>,
    pub action: Option<String>,
}

/// The table that ends a TOML request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {}

/// A request file as it was read, of one action.
pub(super) trait Wire: for<'de> Deserialize<'de> {
    /// Takes it for a request; says also whether the table `end` stands in it.
    fn into_request(self) -> (Request, bool);
}

pub(super) struct Common {
    pub(super) id: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) expires: Option<When>,
    pub(super) dry_run: bool,
    pub(super) plan: Option<String>,
    pub(super) as_: Option<String>,
    pub(super) site: Option<String>,
    pub(super) end: Option<End>,
}

impl Common {
    pub(super) fn request(self, action: Action) -> (Request, bool) {
        let Common { id, reason, expires, dry_run, plan, as_, site, end } = self;
        let expires = expires.map(|when| when.0);
        (Request { id, reason, expires, dry_run, as_, site, plan, action }, end.is_some())
    }
}

macro_rules! wire {
    ($name:ident { $($must:ident: $must_type:ty),* } { $($may:ident: $may_type:ty),* }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            #[serde(rename = "format")]
            _format: i64,
            #[serde(rename = "action")]
            _action: String,
            id: Option<String>,
            reason: Option<String>,
            expires: Option<When>,
            #[serde(default)]
            dry_run: bool,
            plan: Option<String>,
            #[serde(rename = "as")]
            as_: Option<String>,
            site: Option<String>,
            end: Option<End>,
            $($must: $must_type,)*
            $(#[serde(default)] $may: $may_type,)*
        }

        impl $name {
            fn split(self) -> (Common, ($($must_type,)* $($may_type,)*)) {
                let Self { id, reason, expires, dry_run, plan, as_, site, end, $($must,)* $($may,)* .. } = self;
                (Common { id, reason, expires, dry_run, plan, as_, site, end }, ($($must,)* $($may,)*))
            }
        }
    };
}

pub(super) use wire;

wire!(Import { product: String, to: String } { files: Vec<String>, folder: Option<String>, platforms: Vec<String> });
wire!(Adopt { product: String, stage: String, platform: String, folder: String } { kind: Option<Kind> });
wire!(Promote { product: String, from: String, to: String, packages: Vec<String> } { platforms: Vec<String>, partial: Option<Partial> });
wire!(Rollback { product: String, from: String, packages: Vec<String> } { platforms: Vec<String>, versions: Vec<String>, without: Vec<String>, releases: Vec<String> });
wire!(Withdraw { product: String, from: String, packages: Vec<String> } { platforms: Vec<String> });
wire!(Revert { product: String, stage: String, generation: Pointer } { platforms: Vec<String> });
wire!(Undo { request: String } {});
wire!(Keep {} { generation: Option<Pointer>, drop: Option<String> });
wire!(Sweep {} {});
wire!(Overlap {} {});
wire!(Waive { product: String, stage: String, gate: String, packages: Vec<String>, until: When } {});
wire!(EndWaiver { waiver: String } {});
wire!(Freeze { product: String } { stage: Option<String>, until: Option<When> });
wire!(Thaw { freeze: String } {});
wire!(Approve { product: String, from: String, to: String } { take_back: bool });
wire!(Variant { product: String, package: String, digests: Vec<String> } {});
wire!(EndVariant { variant: String } {});
wire!(
    Advisory { product: String, stage: String, advisory: String, r#type: String, title: String, packages: Vec<String> } {
        severity: Option<String>, description: String, references: Vec<String>, reboot: bool, platforms: Vec<String>
    }
);
wire!(EndAdvisory { product: String, advisory: String } { retracted: bool });
wire!(AcceptClock {} {});
wire!(Purge { packages: Vec<String> } {});
wire!(Resume {} {});
wire!(Config {} {});

impl Wire for Import {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, to, files, folder, platforms)) = self.split();
        common.request(Action::Import { product, to, files, folder, platforms })
    }
}

impl Wire for Adopt {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, stage, platform, folder, kind)) = self.split();
        let kind = kind.unwrap_or(Kind::Binary);
        common.request(Action::Adopt { product, stage, platform, kind, folder })
    }
}

impl Wire for Promote {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, from, to, packages, platforms, partial)) = self.split();
        common.request(Action::Promote { product, from, to, packages, platforms, partial })
    }
}

impl Wire for Rollback {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, from, packages, platforms, versions, without, releases)) = self.split();
        common.request(Action::Rollback { product, from, packages, platforms, versions, without, releases })
    }
}

impl Wire for Withdraw {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, from, packages, platforms)) = self.split();
        common.request(Action::Withdraw { product, from, packages, platforms })
    }
}

impl Wire for Revert {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, stage, generation, platforms)) = self.split();
        common.request(Action::Revert { product, stage, generation: generation.0, platforms })
    }
}

impl Wire for Undo {
    fn into_request(self) -> (Request, bool) {
        let (common, (request,)) = self.split();
        common.request(Action::Undo { request })
    }
}

impl Wire for Keep {
    fn into_request(self) -> (Request, bool) {
        let (mut common, (generation, drop)) = self.split();
        let as_ = common.as_.take();
        common.request(Action::Keep { generation: generation.map(|pointer| pointer.0), as_, drop })
    }
}

impl Wire for Sweep {
    fn into_request(self) -> (Request, bool) {
        self.split().0.request(Action::Sweep {})
    }
}

impl Wire for Overlap {
    fn into_request(self) -> (Request, bool) {
        self.split().0.request(Action::Overlap {})
    }
}

impl Wire for Waive {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, stage, gate, packages, until)) = self.split();
        common.request(Action::Waive { product, stage, gate, packages, until: until.0 })
    }
}

impl Wire for EndWaiver {
    fn into_request(self) -> (Request, bool) {
        let (common, (waiver,)) = self.split();
        common.request(Action::EndWaiver { waiver })
    }
}

impl Wire for Freeze {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, stage, until)) = self.split();
        common.request(Action::Freeze { product, stage, until: until.map(|when| when.0) })
    }
}

impl Wire for Thaw {
    fn into_request(self) -> (Request, bool) {
        let (common, (freeze,)) = self.split();
        common.request(Action::Thaw { freeze })
    }
}

impl Wire for Approve {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, from, to, take_back)) = self.split();
        common.request(Action::Approve { product, from, to, take_back })
    }
}

impl Wire for Variant {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, package, digests)) = self.split();
        common.request(Action::Variant { product, package, digests })
    }
}

impl Wire for EndVariant {
    fn into_request(self) -> (Request, bool) {
        let (common, (variant,)) = self.split();
        common.request(Action::EndVariant { variant })
    }
}

impl Wire for Advisory {
    fn into_request(self) -> (Request, bool) {
        let (common, said) = self.split();
        let (product, stage, id, kind, title, packages, severity, description, references, reboot, platforms) =
            said;
        let advised = Advised { id, kind, severity, title, description, references, reboot };
        common.request(Action::Advisory { product, stage, advised, packages, platforms })
    }
}

impl Wire for EndAdvisory {
    fn into_request(self) -> (Request, bool) {
        let (common, (product, advisory, retracted)) = self.split();
        common.request(Action::EndAdvisory { product, advisory, retracted })
    }
}

impl Wire for AcceptClock {
    fn into_request(self) -> (Request, bool) {
        self.split().0.request(Action::AcceptClock {})
    }
}

impl Wire for Purge {
    fn into_request(self) -> (Request, bool) {
        let (common, (packages,)) = self.split();
        common.request(Action::Purge { packages })
    }
}

impl Wire for Resume {
    fn into_request(self) -> (Request, bool) {
        self.split().0.request(Action::Resume {})
    }
}

impl Wire for Config {
    fn into_request(self) -> (Request, bool) {
        self.split().0.request(Action::Config {})
    }
}

/// A point in time: RFC 3339 in a text, or TOML's own date and time with an offset.
pub(super) struct When(pub(super) Timestamp);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }
}

struct WhenVisitor;

impl<'de> de::Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as `2026-01-31T12:00:00Z`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
        text.parse().map(When).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<When, A::Error> {
        let written = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))?;
        self.visit_str(&written.to_string())
    }
}

/// A generation: a number, or a text with a number or a name.
struct Pointer(Reference);

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pointer, D::Error> {
        deserializer.deserialize_any(PointerVisitor)
    }
}

struct PointerVisitor;

impl de::Visitor<'_> for PointerVisitor {
    type Value = Pointer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number or the name of a generation")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Pointer, E> {
        Ok(Pointer(Reference::Number(number)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Pointer, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Pointer, E> {
        let Ok(reference) = text.parse();
        Ok(Pointer(reference))
    }
}
