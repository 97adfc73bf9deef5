//! What a decision depends on that is dear to read, and is asked for only where it is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use closure::{Contents, Shelf};
use nevra::{Nevra, Sha256};

use crate::layout::{Platform, Repository};
use crate::plan::Plan;
use crate::recipe::Recipe;
use crate::refusal::Code;

/// Names what the world must hold before it can be decided; the engine fills all of it in and asks again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// The packages for [`crate::World::signatures`].
    pub signatures: BTreeSet<Sha256>,
    /// The packages for [`crate::World::relations`].
    pub relations: BTreeSet<Sha256>,
    /// The packages for [`crate::World::built`].
    pub built: BTreeSet<Sha256>,
    /// The repositories for [`crate::World::shelves`].
    pub shelves: BTreeSet<Repository>,
    /// The contexts for [`crate::World::contexts`], by name and platform.
    pub contexts: BTreeSet<(String, Platform)>,
    /// The packages for [`crate::World::headers`], and the paths of each that are asked about.
    pub headers: BTreeMap<HeaderOf, BTreeSet<String>>,
    /// The recipes for [`crate::World::rebuilt`].
    pub rebuilt: BTreeSet<Recipe>,
    /// The external gates for [`crate::World::external`], and the plan that they are to judge.
    pub external: Option<Box<(BTreeSet<String>, Plan)>>,
}

impl Lacking {
    /// Says whether nothing lacks.
    pub fn is_empty(&self) -> bool {
        let Self { signatures, relations, built, shelves, contexts, headers, rebuilt, external } = self;
        signatures.is_empty()
            && relations.is_empty()
            && built.is_empty()
            && shelves.is_empty()
            && contexts.is_empty()
            && headers.is_empty()
            && rebuilt.is_empty()
            && external.is_none()
    }

    /// Adds what another one names.
    pub(crate) fn add(&mut self, other: Self) {
        self.signatures.extend(other.signatures);
        self.relations.extend(other.relations);
        self.built.extend(other.built);
        self.shelves.extend(other.shelves);
        self.contexts.extend(other.contexts);
        for (package, paths) in other.headers {
            self.headers.entry(package).or_default().extend(paths);
        }
        self.rebuilt.extend(other.rebuilt);
        self.external = self.external.take().or(other.external);
    }
}

/// One of our repositories.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// What it lists.
    pub shelf: Arc<Shelf>,
    /// Of which packages that is, by [`crate::digest_of_set`].
    pub set: Sha256,
}

/// A repository that is not ours and that hosts draw from beside a stage.
#[derive(Clone, Debug)]
pub struct Context {
    /// What it lists.
    pub shelf: Arc<Shelf>,
    /// The digest of its repomd.xml.
    pub digest: Sha256,
    /// Where its metadata says that the file of each package of the shelf lies, in the same order.
    pub places: Arc<[Place]>,
}

/// Where the file of a package lies, below the folder or URL of its repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path, as metadata names it.
    pub href: Box<str>,
    /// Its size in bytes.
    pub size: u64,
}

/// Names a package whose header tells what its files are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderOf {
    /// One that lies in the pool, or arrives.
    Ours(Sha256),
    /// One that a context lists.
    Beside {
        /// The context.
        context: String,
        /// For which platform.
        platform: Platform,
        /// The package.
        nevra: Nevra,
        /// Where it lies.
        place: Place,
    },
}

/// What the header of a package says of paths, `None` of those it does not list; or why that cannot be told.
pub type Header = Result<BTreeMap<String, Option<Contents>>, String>;

/// Says why a context cannot be judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// One of [`Code::ContextMissing`], [`Code::ContextCorrupt`], [`Code::ContextTooLarge`], [`Code::ContextStale`].
    pub code: Code,
    /// Which file, and why.
    pub words: String,
}

/// What a gate outside of Sluice says of one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum External {
    /// It lets it pass, with its evidence.
    Pass(String),
    /// It does not, and why.
    Fail(String),
    /// It has not said yet.
    Missing(String),
    /// What it says cannot be had, or not be believed, and why.
    Unusable(String),
}
