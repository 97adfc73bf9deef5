//! What a generation's manifest says in Sluice's words: the requests settled in it, and what they moved.
//!
//! The store carries this as an opaque value; only this file knows its shape.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nevra::{Arch, Sha256};
use plan::{Answer, Kind, Listed, Repository, Standing, Witness};
use serde::{Deserialize, Serialize};
use store::AccountText;
use workflow::Deed;

use crate::error::Error;
use crate::grounds::Grounds;

/// The number of the account's stored form.
pub const FORMAT: u32 = 1;

/// The account of one generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The number of this stored form, [`FORMAT`].
    pub format: u32,
    /// The requests settled here, in the order they were planned.
    pub requests: Vec<Settled>,
    /// What entered and left each repository, by repository name; repositories that did not change are absent.
    pub changes: BTreeMap<String, Moves>,
    /// Every package that was purged, here or before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purged: BTreeSet<Sha256>,
    /// Every repository of the generation, by name.
    pub repositories: BTreeMap<String, Shelved>,
    /// The time that was witnessed when it was made; absent where nobody looked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Witness>,
    /// The digest of the last line of the audit log when this was drafted; absent if there was no line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Sha256>,
    /// The packages of the pool that nothing linked to when a sweep looked last, as paths below the root, and until
    /// when they stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unlinked: BTreeMap<String, Timestamp>,
    /// The packages that were promoted from a repository and are still listed there, by its name, and until when they
    /// must be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overlapping: BTreeMap<String, BTreeMap<Sha256, Timestamp>>,
    /// By which keys what entered here is signed, as fingerprints of primary keys: packages that entered a stage which
    /// demands signatures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signed: BTreeMap<Sha256, BTreeSet<String>>,
    /// The views of each repository that is to have some, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub views: BTreeMap<String, Views>,
    /// The waivers, freezes, approvals and variants that stand after it.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub standing: Standing,
}

fn is_empty(standing: &Standing) -> bool {
    *standing == Standing::default()
}

fn first_edition() -> u32 {
    1
}

fn is_first_edition(edition: &u32) -> bool {
    *edition == first_edition()
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

/// One request that took effect, with the answer it gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The answer, as it is written beside the request; it names claim, id, owner, digest and gates.
    pub answer: Answer,
    /// The roles the asker had when it was decided, `product:role` or `role`.
    pub roles: Vec<String>,
    /// Why it was asked, in the requester's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it brought about in the procedure of a product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Box<Deed>>,
    /// What it was decided on; absent where an older program decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Box<Grounds>>,
}

/// What entered and left one repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    /// The packages listed here now and not in the generation before.
    pub entered: Vec<Listed>,
    /// The packages listed in the generation before and not here.
    pub left: Vec<Listed>,
}

/// Where a repository stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shelved {
    /// The product line.
    pub product: String,
    /// The operating system of the platform.
    pub os: String,
    /// The architecture of the platform.
    pub arch: Arch,
    /// The stage.
    pub stage: String,
    /// Binary, debug or source.
    pub kind: Kind,
    /// Its path below the web root.
    pub path: String,
    /// The form its metadata was written in, in the words of [`plan::Writing::recorded`]; absent where it is the
    /// usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// What its metalink offers, the newest first; empty where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
}

/// The views of one repository; each lies at [`plan::view_path`], in the form of the repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Views {
    /// The patterns of names of meta-packages by which they were worked out.
    pub meta_packages: Vec<String>,
    /// The edition of what a meta-package is by which they were worked out, [`metapackage::EDITION`]; the first recorded none.
    #[serde(default = "first_edition", skip_serializing_if = "is_first_edition")]
    pub edition: u32,
    /// How many node types have no view because there are too many.
    #[serde(default, skip_serializing_if = "is_none")]
    pub left_out: usize,
    /// Each view, by its node type; one whose meta-package has left stays, and lists nothing.
    pub node_types: BTreeMap<String, View>,
}

/// The view of one node type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The digest of the set of packages it lists, [`plan::digest_of_set`].
    pub set: Sha256,
    /// The retractions that concern what it listed, by id, whether or not they are told.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rolled_back: BTreeSet<String>,
    /// The retractions that its metadata tells of, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted: Option<String>,
    /// What its metalink offers, the newest first; empty where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
}

/// One `repomd.xml` of a repository, and where it is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The first generation that has it.
    pub since: u64,
    /// The last generation that has it.
    pub last: u64,
    /// The one between them that clients are sent to.
    pub generation: u64,
    /// The digest of the file.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// When it was made, in seconds since 1970.
    pub timestamp: i64,
}

impl Shelved {
    /// Describes `repository` at `path`.
    pub fn new(repository: &Repository, path: String) -> Self {
        let Repository { product, os, arch, stage, kind } = repository.clone();
        Self { product, os, arch, stage, kind, path, form: None, offers: Vec::new() }
    }

    /// Describes the view of a node type as if it were a repository; its packages are those of this one.
    pub fn view(&self, node_type: &str, view: &View) -> Self {
        Self { path: plan::view_path(&self.path, node_type), offers: view.offers.clone(), ..self.clone() }
    }

    /// Gives the repository back.
    pub fn repository(&self) -> Repository {
        Repository {
            product: self.product.clone(),
            os: self.os.clone(),
            arch: self.arch.clone(),
            stage: self.stage.clone(),
            kind: self.kind,
        }
    }
}

impl Account {
    /// Reads the account of generation `number` from its manifest.
    pub fn of(number: u64, text: &AccountText) -> Result<Self, Error> {
        let account: Self = text
            .read()
            .map_err(|source| Error::Account { generation: number, reason: source.to_string() })?;
        if account.format != FORMAT {
            let reason = format!("its format is `{}`, this program reads `{FORMAT}`", account.format);
            return Err(Error::Account { generation: number, reason });
        }
        Ok(account)
    }

    /// Lists everything that has a repomd.xml, with the name of the repository whose packages it lists: each repository,
    /// and each view after the one it is of.
    pub fn listings(&self) -> Vec<(&str, Shelved)> {
        let mut all = Vec::new();
        for (name, shelved) in &self.repositories {
            all.push((name.as_str(), shelved.clone()));
            all.extend(
                self.views_of(name).map(|(node_type, view)| (name.as_str(), shelved.view(node_type, view))),
            );
        }
        all
    }

    /// Lists the views of the repository of this name, by node type.
    pub fn views_of(&self, name: &str) -> impl Iterator<Item = (&str, &View)> {
        let views = self.views.get(name).into_iter().flat_map(|views| &views.node_types);
        views.map(|(node_type, view)| (node_type.as_str(), view))
    }

    /// Tells the instant, of those that may be meant, from which what a generation superseded is promised: when it
    /// was `created`, or what was witnessed then if the wall clock was behind.
    pub fn supersedes_at(&self, created: Timestamp) -> Timestamp {
        self.clock.as_ref().map_or(created, |witness| witness.time.max(created))
    }

    /// Gives the text the store carries.
    pub fn text(&self) -> AccountText {
        AccountText::of(self).expect("an account has text keys only, so it always serialises")
    }
}
