//! What the configuration says about products, as values: which repositories there are, where they lie
//! below the web root, which routes lead from stage to stage.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use nevra::Arch;
use serde::{Deserialize, Serialize, Serializer};

mod clients;
mod faults;
mod freeze_time;
mod meta_packages;
mod procedure;
mod views;

pub use clients::{Clients, NO_OPEN_CHECKSUMS, Profile, Writing};
pub use freeze_time::{FreezeSpan, FreezeTime, NotAWeekTime, WeekTime};
pub use meta_packages::MetaPackages;
pub use procedure::Procedure;
pub use views::{NODE_TYPES, has_folder, in_view, node_types, view_path};

/// Holds every product of the site, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The products; the key equals [`Product::name`].
    pub products: BTreeMap<String, Product>,
    /// Who somebody is that asks by several names: names as in [`crate::Asker::name`], and the person they belong to.
    pub people: BTreeMap<String, String>,
    /// When stages are frozen by the calendar.
    pub freezes: Vec<FreezeTime>,
}

/// Describes a product line that is released as a whole, such as `glite-3.2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// The name, one path component.
    pub name: String,
    /// The platforms it is released for, in the order of the configuration.
    pub platforms: Vec<Platform>,
    /// The stages of its pipeline, in the order of the configuration.
    pub stages: Vec<Stage>,
    /// The ways from one stage to the next.
    pub routes: Vec<Route>,
    /// The roles that may freeze the product or a stage of it, and end that.
    pub freeze_roles: Vec<String>,
    /// How the release of a meta-package rises that is built anew.
    pub raising: Raising,
    /// What a meta-package is called of which only a part is released.
    pub partial_release: PartialRelease,
    /// The roles of which one person each must say so before two files of one name are listed in different repositories;
    /// fewer than two, and nobody can decide that.
    pub variant_roles: Vec<String>,
    /// The stages that have a view for each node type, by name; see [`Layout::views`].
    pub views: Vec<String>,
    /// The procedure by which patches go through its stages, if it has one.
    pub procedure: Option<Procedure>,
}

/// Says how the release of a meta-package rises that is built anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Raising {
    /// A number behind it: `1.el9`, `1.el9.1`, `1.el9.2`.
    #[default]
    Last,
    /// The number it begins with: `1.el9`, `2.el9`.
    First,
}

/// Says what a meta-package is called of which only a part is released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartialRelease {
    /// Its release rises, in both stages.
    #[default]
    Raised,
    /// As before: the two files are variants, which people decide about.
    Variant,
}

/// Names an operating system and an architecture, printed and parsed as `sl5/x86_64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// The operating system, such as `sl5`.
    pub os: String,
    /// The architecture of the hosts, such as `x86_64`.
    pub arch: Arch,
}

/// Describes one step of a product's pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The name, such as `delta`.
    pub name: String,
    /// The template of the path below the web root; knows `{product}`, `{os}`, `{arch}` and `{stage}`.
    pub path: String,
    /// How many versions of a package the stage lists.
    pub versions: Versions,
    /// The roles that may import into the stage and adopt into it.
    pub import_roles: Vec<String>,
    /// The roles that may withdraw from the stage; those of `import_roles` if there are none of their own.
    pub withdraw_roles: Option<Vec<String>>,
    /// The roles that may revert the stage; those of `import_roles` if there are none of their own.
    pub revert_roles: Option<Vec<String>>,
    /// The roles that may answer for what the gates of the stage would refuse.
    pub waiver_roles: Vec<String>,
    /// For which clients its metadata is written.
    pub clients: Clients,
    /// What must stay installable; nothing is judged if it is absent.
    pub closure: Option<Closure>,
    /// Whether an advisory comes only once all is there that it names, rather than cut to what is there.
    pub holds_advisories: bool,
}

impl Stage {
    /// Names the roles that may take something back in the stage: withdraw, roll back, end or change what is said.
    pub fn takers_back(&self) -> &[String] {
        self.withdraw_roles.as_ref().unwrap_or(&self.import_roles)
    }
}

/// Says by what it is judged whether everything a stage lists can be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closure {
    /// What hosts draw from beside the stage: names of contexts, or of other stages of the product.
    pub beside: Vec<String>,
    /// Patterns of names of meta-packages, beside those that show what they are.
    pub meta_packages: Vec<String>,
    /// Names of packages of which hosts keep several versions.
    pub install_only: Vec<String>,
}

/// Says how many versions of one name and architecture a stage lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// Nothing leaves because something newer arrives.
    #[default]
    All,
    /// When a package arrives, the older ones of its name and architecture beyond this many leave.
    Newest(u32),
}

/// Describes a way that packages may be promoted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The stage the packages leave.
    pub from: String,
    /// The stage they enter.
    pub to: String,
    /// The roles that may promote along this route.
    pub roles: Vec<String>,
    /// How long a promoted package stays listed in the stage it leaves; zero is a plain move.
    pub overlap: SignedDuration,
    /// How long a package must have been in the stage it leaves.
    pub soak: SignedDuration,
    /// Who must approve of every plan along this route, beside whoever asks for it.
    pub approvals: Vec<Approvals>,
    /// The gates outside of Sluice that every plan along this route must pass, by name.
    pub external: Vec<String>,
}

/// Says how many people with a role must approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvals {
    /// The role.
    pub role: String,
    /// How many people, at least one.
    pub count: u32,
}

/// Tells a repository from its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The packages hosts install.
    Binary,
    /// `*-debuginfo` and `*-debugsource`, at `<path>/debug`.
    Debug,
    /// Source packages, at `<path>/source`.
    Source,
}

impl Kind {
    /// Every kind, in the order of [`Ord`].
    pub const ALL: [Kind; 3] = [Kind::Binary, Kind::Debug, Kind::Source];

    /// Says in which sibling a package belongs.
    pub fn of(nevra: &nevra::Nevra) -> Kind {
        if nevra.arch.is_source() {
            Kind::Source
        } else if nevra.name.ends_with("-debuginfo")
            || nevra.name.ends_with("-debugsource")
            || nevra.name.contains("-debuginfo-")
        {
            Kind::Debug
        } else {
            Kind::Binary
        }
    }

    /// Writes the word that requests use.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Binary => "binary",
            Kind::Debug => "debug",
            Kind::Source => "source",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Kind::Binary => "",
            Kind::Debug => "-debug",
            Kind::Source => "-source",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Kind::Binary => "",
            Kind::Debug => "/debug",
            Kind::Source => "/source",
        }
    }
}

/// Names one yum repository.
///
/// Serialized as its [`Repository::name`]; [`Layout::named`] finds it again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// The product.
    pub product: String,
    /// The operating system.
    pub os: String,
    /// The architecture of the hosts.
    pub arch: Arch,
    /// The stage.
    pub stage: String,
    /// Which of the siblings it is.
    pub kind: Kind,
}

impl Repository {
    /// Writes the name, `product-os-arch-stage` with `-debug` or `-source` for the siblings.
    ///
    /// It is one path component and never changes while the repository exists. It cannot be taken apart
    /// again: parts may contain `-`.
    pub fn name(&self) -> String {
        format!("{}-{}-{}-{}{}", self.product, self.os, self.arch, self.stage, self.kind.suffix())
    }

    /// Says for which hosts the repository is.
    pub fn platform(&self) -> Platform {
        Platform { os: self.os.clone(), arch: self.arch.clone() }
    }

    /// Names the repository of the same product, platform and kind in another stage.
    pub fn in_stage(&self, stage: &str) -> Repository {
        Repository { stage: stage.to_owned(), ..self.clone() }
    }

    /// Says whether both differ in nothing but the stage.
    pub fn is_same_but_stage(&self, other: &Repository) -> bool {
        self.product == other.product
            && self.os == other.os
            && self.arch == other.arch
            && self.kind == other.kind
            && self.stage != other.stage
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Serialize for Repository {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)
    }
}

/// Says that a text is not a platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform, which is written `os/arch`, such as `sl5/x86_64`")]
pub struct NotAPlatform(pub String);

impl FromStr for Platform {
    type Err = NotAPlatform;

    fn from_str(text: &str) -> Result<Platform, NotAPlatform> {
        let refused = || NotAPlatform(text.to_owned());
        let (os, arch) = text.split_once('/').ok_or_else(refused)?;
        if !is_component(os) || !is_component(arch) {
            return Err(refused());
        }
        Ok(Platform { os: os.to_owned(), arch: Arch::new(arch) })
    }
}

impl Route {
    /// The roles of those who must approve.
    pub(crate) fn approvers(&self) -> impl Iterator<Item = String> {
        self.approvals.iter().map(|wanted| wanted.role.clone())
    }
}

impl Product {
    /// Finds a stage by its name.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// Finds the route between two stages.
    pub fn route(&self, from: &str, to: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.from == from && route.to == to)
    }

    /// Names the stages from which routes lead to a stage, over others or not.
    pub fn stages_before<'a>(&'a self, stage: &'a str) -> BTreeSet<&'a str> {
        let mut before = BTreeSet::new();
        let mut next = vec![stage];
        while let Some(to) = next.pop() {
            let from = self.routes.iter().filter(|route| route.to == to).map(|route| route.from.as_str());
            next.extend(from.filter(|from| *from != stage && before.insert(*from)));
        }
        before
    }

    /// Names the repository of a platform, stage and kind, whether or not they are known.
    pub fn repository(&self, platform: &Platform, stage: &str, kind: Kind) -> Repository {
        Repository {
            product: self.name.clone(),
            os: platform.os.clone(),
            arch: platform.arch.clone(),
            stage: stage.to_owned(),
            kind,
        }
    }

    /// Lists the product's repositories, sorted.
    pub fn repositories(&self) -> Vec<Repository> {
        let mut all = BTreeSet::new();
        for platform in &self.platforms {
            for stage in &self.stages {
                all.extend(Kind::ALL.map(|kind| self.repository(platform, &stage.name, kind)));
            }
        }
        all.into_iter().collect()
    }
}

impl Layout {
    /// Lists every repository of the site, siblings included, sorted.
    pub fn repositories(&self) -> Vec<Repository> {
        self.products.values().flat_map(Product::repositories).collect()
    }

    /// Says who asks by a name: the person it belongs to, or else the name itself.
    pub fn person<'a>(&'a self, name: &'a str) -> &'a str {
        self.people.get(name).map_or(name, String::as_str)
    }

    /// Finds the repository whose name this is.
    pub fn named(&self, name: &str) -> Option<Repository> {
        self.repositories().into_iter().find(|repository| repository.name() == name)
    }

    /// Says whether the configuration knows the repository.
    pub fn has(&self, repository: &Repository) -> bool {
        self.products.get(&repository.product).is_some_and(|product| {
            product.stage(&repository.stage).is_some() && product.platforms.contains(&repository.platform())
        })
    }

    /// Writes the path of a repository below the web root, without slashes at its ends; `None` for a
    /// repository the configuration does not know.
    pub fn path(&self, repository: &Repository) -> Option<String> {
        if !self.has(repository) {
            return None;
        }
        let stage = self.products.get(&repository.product)?.stage(&repository.stage)?;
        let path = fill(&stage.path, repository);
        Some(format!("{}{}", path.trim_matches('/'), repository.kind.folder()))
    }

    /// Tells how the metadata of a repository is written; as ever for one the configuration does not know.
    pub fn writing(&self, repository: &Repository) -> Writing {
        let product = self.products.get(&repository.product);
        let stage = product.and_then(|product| product.stage(&repository.stage));
        stage.map(|stage| stage.clients.writing(repository)).unwrap_or_default()
    }

    /// Lists what is wrong with the layout, one sentence each; empty if nothing is.
    ///
    /// Looks for names that are not one plain path component, paths that lie in one another or in what the
    /// web root needs itself, two repositories that would get one name, stages and routes named twice,
    /// and routes to nowhere.
    pub fn check(&self) -> Vec<String> {
        faults::faults(self)
    }
}

fn fill(template: &str, repository: &Repository) -> String {
    template
        .replace("{product}", &repository.product)
        .replace("{os}", &repository.os)
        .replace("{arch}", repository.arch.as_str())
        .replace("{stage}", &repository.stage)
}

/// Says whether a text can be one component of a path and of a URL as it stands: letters, digits, `.`, `_`,
/// `+`, `~` and `-`, at most 100 of them, with a letter or digit first.
pub fn is_component(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+~-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_repository_is_named_after_its_parts_and_lies_where_the_template_says() {
        let layout = samples::layout();
        let product = &layout.products["glite-3.2"];
        let platform: Platform = "sl5/x86_64".parse().unwrap();
        let cases = [
            (Kind::Binary, "glite-3.2-sl5-x86_64-delta", "glite-3.2/sl5/x86_64/delta"),
            (Kind::Debug, "glite-3.2-sl5-x86_64-delta-debug", "glite-3.2/sl5/x86_64/delta/debug"),
            (Kind::Source, "glite-3.2-sl5-x86_64-delta-source", "glite-3.2/sl5/x86_64/delta/source"),
        ];
        for (kind, name, path) in cases {
            let repository = product.repository(&platform, "delta", kind);
            assert_eq!(repository.name(), name);
            assert_eq!(layout.path(&repository).as_deref(), Some(path));
            assert_eq!(layout.named(name), Some(repository));
        }
    }

    #[test]
    fn a_repository_nobody_configured_has_no_path() {
        let layout = samples::layout();
        let known = layout.repositories().remove(0);
        assert_eq!(layout.path(&known.in_stage("nowhere")), None);
        assert_eq!(layout.path(&Repository { os: "sl9".into(), ..known }), None);
    }

    #[test]
    fn platforms_are_written_with_one_slash() {
        assert_eq!("sl5/x86_64".parse::<Platform>().unwrap().to_string(), "sl5/x86_64");
        for bad in ["sl5", "", "/", "sl5/", "/x86_64", "a/b/c", "../x", "sl5/x\n"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn packages_belong_in_the_sibling_of_their_kind() {
        let cases = [
            ("voms-1-1.x86_64", Kind::Binary),
            ("voms-1-1.src", Kind::Source),
            ("voms-1-1.nosrc", Kind::Source),
            ("voms-debuginfo-1-1.x86_64", Kind::Debug),
            ("voms-debugsource-1-1.x86_64", Kind::Debug),
            ("glibc-debuginfo-common-1-1.x86_64", Kind::Debug),
            ("debuginfo-tools-1-1.noarch", Kind::Binary),
        ];
        for (text, kind) in cases {
            assert_eq!(Kind::of(&text.parse().unwrap()), kind, "{text}");
        }
    }
}
