//! Whether a bundle is what everybody takes it for (G7, G11): sets that must be equal, and what differs.

use crate::bundle::Bundle;
use crate::content::Item;
use crate::names::Id;
use crate::patch::{Place, Status};
use crate::state::State;

/// Lists what differs between the patches of a bundle, those with early adopters, and the packages there.
///
/// `wanted` is the status that all patches of the bundle have which are with early adopters; `lists` says whether the stage of
/// the early adopters lists a package. Empty if nothing differs.
pub fn differences(
    state: &State,
    id: &Id,
    bundle: &Bundle,
    wanted: &[Status],
    lists: &dyn Fn(&Item) -> bool,
) -> Vec<String> {
    let mut differ = Vec::new();
    for (patch_id, patch) in state.patches_of(bundle) {
        match patch.place {
            Place::Before if !patch.status.is_final() => {
                differ.push(format!(
                    "patch `{patch_id}` is in bundle `{id}`, and early adopters have not got it"
                ));
            }
            Place::Beta if patch.status == Status::Rejected => {
                differ.push(format!(
                    "patch `{patch_id}` is rejected, and early adopters still find it in bundle `{id}`"
                ));
            }
            Place::Beta if !wanted.contains(&patch.status) => {
                differ.push(format!(
                    "patch `{patch_id}` is {}, and early adopters find it in bundle `{id}`",
                    patch.status
                ));
            }
            _ => {}
        }
        if patch.place == Place::Beta {
            let missing = patch.items.iter().filter(|item| !lists(item));
            differ.extend(missing.map(|item| {
                format!(
                    "`{}` of patch `{patch_id}` is not where early adopters on `{}` find it",
                    item.nevra, item.platform
                )
            }));
        }
    }
    differ
}
