//! What speaks against taking a patch on now (G2), and how focused a bundle is (G3).

use std::collections::{BTreeMap, BTreeSet};

use crate::names::Id;
use crate::patch::{Patch, Place};
use crate::state::State;

/// Lists what a patch shares with others that are with early adopters already, one sentence each.
pub fn conflicts(state: &State, id: &Id, patch: &Patch) -> Vec<String> {
    let others = state.patches.iter().filter(|(other, one)| {
        *other != id && one.place == Place::Beta && (one.bundle.is_none() || one.bundle != patch.bundle)
    });
    let mut found = Vec::new();
    for (other, one) in others {
        let bundle = one.bundle.as_ref().map(Id::as_str).unwrap_or("none");
        let mut say = |what: &str, shared: Vec<&str>| {
            if !shared.is_empty() {
                found.push(format!(
                    "patch `{id}` and patch `{other}` of bundle `{bundle}`, which is with early adopters, share {what}: {}",
                    shared.join(", ")
                ));
            }
        };
        say("packages", patch.names().intersection(&one.names()).copied().collect());
        say("node types", patch.node_types.intersection(&one.node_types).map(String::as_str).collect());
    }
    found
}

/// Says how many node types the patches of a bundle touch, and what would have to be built anew if one stayed behind.
pub fn focus<'a>(patches: impl IntoIterator<Item = (&'a Id, &'a Patch)>) -> Vec<String> {
    let mut touched: BTreeMap<&str, BTreeSet<&Id>> = BTreeMap::new();
    let patches: Vec<_> = patches.into_iter().collect();
    for (id, patch) in &patches {
        for node_type in &patch.node_types {
            touched.entry(node_type).or_default().insert(id);
        }
    }
    if touched.is_empty() {
        return vec![];
    }
    let names: Vec<&str> = touched.keys().copied().collect();
    let mut advice = vec![format!("the bundle touches {} node types: {}", names.len(), names.join(", "))];
    if patches.len() > 1 {
        for (id, patch) in &patches {
            let shared = patch
                .node_types
                .iter()
                .filter(|one| touched.get(one.as_str()).is_some_and(|all| all.len() > 1));
            let shared: Vec<&str> = shared.map(String::as_str).collect();
            if !shared.is_empty() {
                advice.push(format!(
                    "if patch `{id}` stayed behind, {} would have to be built anew",
                    shared.join(", ")
                ));
            }
        }
    }
    advice
}
