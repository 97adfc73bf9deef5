//! Decisions that two files may bear one name, in different repositories.

use jiff::Timestamp;
use nevra::{Nevra, Sha256};
use serde::{Deserialize, Serialize};

use super::{APPROVAL_COUNTS, Standing, id_of, one_line};
use crate::world::World;

/// Says that two files of one name may be listed, never in one repository.
///
/// It counts once one person of each of the product's `variant_roles` has said so in the same words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// A word of twelve hexadecimal digits, a function of product, package, digests and reason.
    pub id: String,
    /// The product that the second of the files enters.
    pub product: String,
    /// The name both files bear.
    pub package: Nevra,
    /// The digests of the two files, the smaller one first; it is for no third.
    pub digests: [Sha256; 2],
    /// Why.
    pub reason: String,
    /// Who has said so, in that order, each person once.
    pub agreed: Vec<Agreement>,
    /// For which role each of those counts who decided it, in the order of the configuration then; nobody as long as
    /// it is not decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_by: Vec<Seat>,
}

/// Is one person's say in a [`Variant`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Who says so.
    pub by: String,
    /// The roles among the product's `variant_roles` that they held.
    pub roles: Vec<String>,
    /// When they said so.
    pub at: Timestamp,
}

/// Is a role, and who counts for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// The role.
    pub role: String,
    /// Who.
    pub by: String,
}

impl Variant {
    /// Gives it its id, and its digests their order.
    pub fn identified(mut self) -> Variant {
        self.digests.sort_unstable();
        let [package, one, other] =
            [self.package.to_string(), self.digests[0].to_string(), self.digests[1].to_string()];
        self.id = id_of(&["variant", &self.product, &package, &one, &other, &self.reason]);
        self
    }

    /// Says whether enough people have said so.
    pub fn is_decided(&self) -> bool {
        !self.decided_by.is_empty()
    }

    /// Says whether it is about two files of a name, in whatever order.
    pub fn is_about(&self, package: &Nevra, one: &Sha256, other: &Sha256) -> bool {
        let digests = [self.digests.each_ref(), [&self.digests[1], &self.digests[0]]];
        self.package == *package && digests.contains(&[one, other])
    }

    /// Writes who decided it, or who has said so yet.
    pub fn evidence(&self) -> String {
        let Variant { id, reason, .. } = self;
        let seat = |seat: &Seat| format!("`{}` as `{}`", seat.by, seat.role);
        let who: Vec<String> = match self.is_decided() {
            true => self.decided_by.iter().map(seat).collect(),
            false => self.agreed.iter().map(|agreement| format!("`{}` alone", agreement.by)).collect(),
        };
        let decided = if self.is_decided() { "decided" } else { "not decided yet, wanted" };
        format!("{decided} by {}, variant {id}: {}", who.join(" and "), one_line(reason))
    }

    /// Takes out whoever said so too long ago; what is decided is decided.
    pub(super) fn expire(&mut self, world: &World) {
        if !self.is_decided() {
            self.agreed.retain(|agreement| agreement.is_in_force(world));
        }
    }
}

impl Agreement {
    /// Says whether it still counts towards a decision.
    pub fn is_in_force(&self, world: &World) -> bool {
        self.at + APPROVAL_COUNTS > world.now.max(world.witnessed)
    }
}

impl Standing {
    /// Finds the decision that two files may bear one name, of whatever product.
    pub fn variant(&self, package: &Nevra, one: &Sha256, other: &Sha256) -> Option<&Variant> {
        let mut variants = self.variants.values();
        variants.find(|variant| variant.is_decided() && variant.is_about(package, one, other))
    }
}
