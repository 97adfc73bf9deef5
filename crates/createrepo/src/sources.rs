//! Where what is listed of each package comes from: its file, or repodata that lists it already.

use camino::{Utf8Path, Utf8PathBuf};
use store::{Disk, Kind};

use crate::Order;
use crate::earlier::{At, Known};
use crate::walk::resolved;

/// A package that is to be listed.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    /// Where its file lies, relative to the directory of packages.
    pub href: &'a Utf8Path,
    /// Where metadata says that it lies.
    pub place: String,
    pub source: Source,
}

/// Where what is listed comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The file has to be read.
    Read,
    /// It is known, and its place, too.
    Known(At),
    /// It is known, and lies elsewhere now.
    Moved(At),
}

/// Decides it for each package, in the order of `hrefs`; files are looked at, and none is opened.
pub(crate) fn items<'a>(
    disk: &dyn Disk,
    order: &Order,
    hrefs: &'a [Utf8PathBuf],
    known: &Known,
) -> Vec<Item<'a>> {
    let item = |href: &'a Utf8PathBuf| {
        let place = placed(href, order.placing.prefix.as_deref());
        let source = match found(disk, order, href, &place, known) {
            None => Source::Read,
            Some(at) => {
                let identity = known.identity(at);
                let is_there =
                    identity.href == place && identity.base.is_none() && order.placing.base.is_none();
                if is_there { Source::Known(at) } else { Source::Moved(at) }
            }
        };
        Item { href, place, source }
    };
    hrefs.iter().map(item).collect()
}

/// Finds a package among those that are known, if its file still has the size and time of then.
fn found(disk: &dyn Disk, order: &Order, href: &Utf8Path, place: &str, known: &Known) -> Option<At> {
    if known.is_empty() {
        return None;
    }
    let state = if known.skips_stat() {
        None
    } else {
        // What cannot be looked at is read, and that will say why not.
        let path = order.input.join(href);
        match disk.state(&path).ok().flatten()? {
            state if state.kind == Kind::Link => {
                Some(resolved(disk, &path).ok().and_then(|path| disk.state(&path).ok().flatten())?)
            }
            state => Some(state),
        }
    };
    known.of(place, order.package_digest, state)
}

/// Puts a prefix before a place, with one slash between.
fn placed(href: &Utf8Path, prefix: Option<&str>) -> String {
    match prefix {
        None | Some("") => href.to_string(),
        Some(prefix) => format!("{}/{href}", prefix.trim_end_matches('/')),
    }
}
