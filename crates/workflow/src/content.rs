//! Which packages a patch or a ticket brings, and the hash by which its tests are bound to them.

use nevra::{Nevra, Sha256};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::names::Id;

/// One package of a patch, where it is meant to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The platform, such as `sl5/x86_64`.
    pub platform: String,
    /// What it is called.
    pub nevra: Nevra,
    /// The digest of the whole file.
    pub pkgid: Sha256,
}

/// Computes the hash of packages: it does not depend on their order, and one named twice counts once.
pub fn content<'a>(items: impl IntoIterator<Item = &'a Item>) -> Sha256 {
    let lines =
        items.into_iter().map(|item| format!("{} {} {}", item.platform, item.pkgid.hex(), item.nevra));
    hash("packages", lines.collect())
}

/// Computes the hash of patches, or of tickets, with what each brings.
pub fn content_of_all<'a>(all: impl IntoIterator<Item = (&'a Id, Sha256)>) -> Sha256 {
    hash("patches", all.into_iter().map(|(id, content)| format!("{id} {}", content.hex())).collect())
}

fn hash(what: &str, mut lines: Vec<String>) -> Sha256 {
    lines.sort();
    lines.dedup();
    let mut hasher = sha2::Sha256::new();
    hasher.update(format!("{what} 1\n"));
    for line in lines {
        hasher.update(format!("{}:{line}\n", line.len()));
    }
    Sha256::from(<[u8; 32]>::from(hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(platform: &str, nevra: &str, digit: char) -> Item {
        let pkgid = digit.to_string().repeat(64).parse().unwrap();
        Item { platform: platform.into(), nevra: nevra.parse().unwrap(), pkgid }
    }

    #[test]
    fn the_same_packages_have_the_same_hash_and_others_another() {
        let voms = item("sl5/x86_64", "voms-1-1.x86_64", 'a');
        let wms = item("sl5/x86_64", "wms-1-1.x86_64", 'b');
        assert_eq!(content([&voms, &wms]), content([&wms, &voms, &wms]));
        let others = [vec![], vec![&voms], vec![&wms]];
        let rebuilt = item("sl5/x86_64", "voms-1-1.x86_64", 'c');
        let elsewhere = item("sl6/x86_64", "voms-1-1.x86_64", 'a');
        let mut seen = std::collections::BTreeSet::from([content([&voms, &wms])]);
        for other in others.into_iter().chain([vec![&rebuilt], vec![&elsewhere]]) {
            assert!(seen.insert(content(other.iter().copied())), "{other:?}");
        }
        let [one, two]: [Id; 2] = ["1", "2"].map(|id| id.parse().unwrap());
        let hash = content([&voms]);
        assert_ne!(content_of_all([(&one, hash)]), content_of_all([(&two, hash)]));
        assert_ne!(content_of_all([(&one, hash)]), hash);
    }
}
