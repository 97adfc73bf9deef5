//! `.repo` files: what a host puts into `/etc/yum.repos.d` to draw from a stage.
//!
//! | file | for | written |
//! |---|---|---|
//! | `<product>-<os>-<arch>-<stage>.repo` | hosts of one platform | always |
//! | `<product>-<os>-<stage>.repo` | hosts of one operating system, any architecture | where `$basearch` can stand for the architecture |
//! | `<product>-<stage>.repo` | every host of the product | where the product has one operating system only |
//! | `<any of these>-metalink.repo` | the same hosts, by metalink | where the stage has metalinks |
//!
//! A file never enables a repository of another platform: dnf would mix them. `$basearch` is used only if it
//! equals the architecture in the path on every platform of that system; `$releasever` never, because it is
//! `5.11` or `7Server` on hosts whose repository is called `sl5` or `el7`. The files for several platforms
//! contain what the others do under the same section names where there is one platform only, so a host that
//! has both sees one repository. Where a stage demands signed packages, hosts do too, by the keys that lie beside the files. Debug and source siblings are there and not enabled. dnf skips a section whose
//! name has a `+`: it stands there as `:`. Views have files of their own, beside their metadata: `dot_repo/views.rs`.

#[cfg(test)]
mod tests;
pub(crate) mod views;

use crate::config::{Config, Key};
use crate::publish::METALINK;
use jiff::Timestamp;
use nevra::Arch;
use plan::{Kind, Product, Repository, Stage};
use signatures::Code;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How long dnf believes its copy of the metadata, in seconds.
///
/// dnf's default of two days makes a package that moves between stages vanish from hosts which refresh one
/// stage and not the other. Asking again costs one small conditional request.
const METADATA_EXPIRE_SECONDS: u32 = 60;

/// How the names of files end that lead to a metalink.
pub(crate) const BY_METALINK: &str = "-metalink.repo";

/// How the names of files begin that hold certificates.
pub(crate) const KEY: &str = "RPM-GPG-KEY-";

/// Names the file with the certificate of a key, below the web root.
pub(crate) fn key_file(key: &str) -> String {
    format!("{KEY}{key}")
}

/// The architectures whose name is also their `$basearch`.
const BASE_ARCHES: [&str; 12] = [
    "x86_64",
    "i386",
    "aarch64",
    "ppc64le",
    "ppc64",
    "s390x",
    "ppc",
    "s390",
    "ia64",
    "alpha",
    "riscv64",
    "loongarch64",
];

/// How a host finds the metadata.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Below one URL.
    Plain,
    /// Where a metalink says.
    Metalink,
}

/// The ways in which hosts can draw from a stage.
fn ways(stage: &Stage) -> impl Iterator<Item = Way> + use<> {
    let ways = [Way::Plain, Way::Metalink];
    ways.into_iter().take(if stage.clients.metalink { 2 } else { 1 })
}

/// Writes every `.repo` file of the site as of `now`, by name, sorted.
pub fn files(config: &Config, now: Timestamp) -> BTreeMap<String, Vec<u8>> {
    let mut exact = BTreeMap::new();
    // Two products may want one general name ("a-b" on "c", "a" on "b-c"): then neither gets it.
    let mut general: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
    let mut offer = |name: String, text: String| {
        let bytes = Some(text.into_bytes());
        general.entry(name).and_modify(|known| *known = None).or_insert(bytes);
    };
    for product in config.layout.products.values() {
        for stage in &product.stages {
            for platform in &product.platforms {
                let id = format!("{}-{}-{}-{}", product.name, platform.os, platform.arch, stage.name);
                for way in ways(stage) {
                    let text = file((config, now), product, stage, &platform.os, Some(&platform.arch), way);
                    match text {
                        Some(text) if way == Way::Plain => {
                            exact.insert(format!("{id}.repo"), text.into_bytes());
                        }
                        Some(text) => offer(format!("{id}{BY_METALINK}"), text),
                        None => {}
                    }
                }
            }
            let mut systems: Vec<&str> =
                product.platforms.iter().map(|platform| platform.os.as_str()).collect();
            systems.sort_unstable();
            systems.dedup();
            for (os, way) in systems.iter().flat_map(|os| ways(stage).map(move |way| (os, way))) {
                let text = match arches(product, os)[..] {
                    [arch] => file((config, now), product, stage, os, Some(arch), way),
                    _ => file((config, now), product, stage, os, None, way),
                };
                let end = if way == Way::Metalink { BY_METALINK } else { ".repo" };
                if let Some(text) = text {
                    if systems.len() == 1 {
                        offer(format!("{}-{}{end}", product.name, stage.name), text.clone());
                    }
                    offer(format!("{}-{os}-{}{end}", product.name, stage.name), text);
                }
            }
        }
    }
    for (name, bytes) in general {
        if let (Some(bytes), false) = (bytes, exact.contains_key(&name)) {
            exact.insert(name, bytes);
        }
    }
    exact
}

/// Writes one file for `arch`, or for every architecture of `os` if `$basearch` can stand for them.
fn file(
    (config, now): (&Config, Timestamp),
    product: &Product,
    stage: &Stage,
    os: &str,
    arch: Option<&Arch>,
    way: Way,
) -> Option<String> {
    let mut text = format!(
        "# {}: {} {} for {os}{}, written by Sluice.\n",
        config.site,
        product.name,
        stage.name,
        arch.map(|arch| format!("/{arch}")).unwrap_or_default(),
    );
    for kind in Kind::ALL {
        let path = match arch {
            Some(arch) => path(config, product, stage, os, arch, kind)?,
            None => path_with_basearch(config, product, stage, os, kind)?,
        };
        let middle = arch.map(|arch| format!("{arch}-")).unwrap_or_default();
        let id = section_name(&format!("{}-{os}-{middle}{}", product.name, stage.name));
        let (suffix, words, enabled) = match kind {
            Kind::Binary => ("", "", 1),
            Kind::Debug => ("-debug", ", debug information", 0),
            Kind::Source => ("-source", ", sources", 0),
        };
        let shown = arch.map_or("$basearch", Arch::as_str);
        let _ = write!(
            text,
            "\n[{id}{suffix}]\n\
             name={} {} ({os}/{shown}){words}\n\
             {}\n\
             enabled={enabled}\n\
             {}\
             metadata_expire={METADATA_EXPIRE_SECONDS}\n",
            product.name,
            stage.name,
            match way {
                Way::Plain => format!("baseurl={}/{path}/", config.base_url),
                Way::Metalink => format!("metalink={}/{path}/{METALINK}", config.base_url),
            },
            checks((config, now), product, stage),
        );
    }
    Some(text)
}

/// Says what hosts check of packages and of metadata, and by which keys.
fn checks((config, now): (&Config, Timestamp), product: &Product, stage: &Stage) -> String {
    let stage = (product.name.clone(), stage.name.clone());
    let [packages, metadata] = [&config.signed_by, &config.metadata_signed_by].map(|by| by.get(&stage));
    let mut text = match packages {
        Some(_) => "gpgcheck=1\n".to_owned(),
        None => "# This stage demands no signed packages; whoever signs them elsewhere may set gpgcheck=1 and gpgkey= here.\n\
                 gpgcheck=0\n"
            .to_owned(),
    };
    if metadata.is_some() {
        text += "repo_gpgcheck=1\n";
    }
    let mut urls: Vec<String> = Vec::new();
    let metadata = metadata.map(|names| named(config, names, now, |key| !has_ended(key, now)));
    let packages = packages.map(|names| named(config, names, now, |_| true));
    for name in metadata.into_iter().chain(packages).flatten() {
        let url = format!("{}/{}", config.base_url, key_file(name));
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    if !urls.is_empty() {
        text += &format!("gpgkey={}\n", urls.join(" "));
    }
    text
}

/// Picks the keys of a list that hosts are told of: those that `still` are for something, or all if none is; never one
/// that was revoked, for rpm does not look at that. A host without any key installs nothing.
fn named<'a>(
    config: &'a Config,
    names: &'a [String],
    now: Timestamp,
    still: impl Fn(&Key) -> bool,
) -> Vec<&'a String> {
    let key = |name: &String| config.keys.get(name);
    let good: Vec<&String> =
        names.iter().filter(|name| key(name).is_none_or(|key| !is_revoked(key, now))).collect();
    let picked: Vec<&String> = good.iter().copied().filter(|name| key(name).is_none_or(&still)).collect();
    if picked.is_empty() { good } else { picked }
}

/// Whether nothing that a key signed counts any more, or ever may: no metadata of today is signed by it.
fn has_ended(key: &Key, now: Timestamp) -> bool {
    let standing = key.certificate.as_ref().map_or(Ok(()), |certificate| certificate.standing(now));
    key.until.is_some_and(|until| until <= now) || standing.is_err_and(|bad| bad.code != Code::KeyNotYetValid)
}

/// Whether a key of packages was revoked. One that merely ended signed packages that are still listed, and a new host
/// needs it to install them: it is named for as long as `signed_by` names it.
fn is_revoked(key: &Key, now: Timestamp) -> bool {
    let standing = key.certificate.as_ref().map_or(Ok(()), |certificate| certificate.standing(now));
    standing.is_err_and(|bad| matches!(bad.code, Code::KeyRevoked | Code::SubkeyRevoked))
}

/// Makes a name that dnf, yum and zypper take for a repository: they know `:` and no `+`, our names the reverse.
fn section_name(repository: &str) -> String {
    repository.replace('+', ":")
}

fn arches<'a>(product: &'a Product, os: &str) -> Vec<&'a Arch> {
    product.platforms.iter().filter(|platform| platform.os == os).map(|platform| &platform.arch).collect()
}

fn path(
    config: &Config,
    product: &Product,
    stage: &Stage,
    os: &str,
    arch: &Arch,
    kind: Kind,
) -> Option<String> {
    config.layout.path(&Repository {
        product: product.name.clone(),
        os: os.to_owned(),
        arch: arch.clone(),
        stage: stage.name.clone(),
        kind,
    })
}

/// Writes the path with `$basearch` for the architecture, if that is right on every platform of `os`.
fn path_with_basearch(
    config: &Config,
    product: &Product,
    stage: &Stage,
    os: &str,
    kind: Kind,
) -> Option<String> {
    let sibling = match kind {
        Kind::Binary => "",
        Kind::Debug => "/debug",
        Kind::Source => "/source",
    };
    let template = stage.path.replace("{arch}", "$basearch");
    let template =
        template.replace("{product}", &product.name).replace("{os}", os).replace("{stage}", &stage.name);
    let template = format!("{template}{sibling}");
    // What dnf will make of it must be what the layout says.
    let right = |arch: &&Arch| {
        let expanded = template.replace("$basearch", arch.as_str());
        BASE_ARCHES.contains(&arch.as_str()) && path(config, product, stage, os, arch, kind) == Some(expanded)
    };
    arches(product, os).iter().all(right).then_some(template)
}
