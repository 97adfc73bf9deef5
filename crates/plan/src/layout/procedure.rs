//! By which procedure patches go through the stages of a product.

use std::collections::BTreeSet;

use workflow::{Actor, Part, Rules, Team, TeamName};

use crate::world::Asker;

/// Says how the procedure of a product is set up, and who plays which part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Procedure {
    /// How it is set up.
    pub rules: Rules,
    /// The roles of the release team.
    pub release_team: Vec<String>,
    /// The roles of operations.
    pub operations: Vec<String>,
    /// The roles of the verifiers.
    pub verifiers: Vec<String>,
}

impl Procedure {
    /// Tells which parts somebody may play. A team is played by who asks under its name or is one of its members.
    pub fn actor<'a>(
        &self,
        product: &str,
        asker: &Asker,
        teams: impl IntoIterator<Item = (&'a TeamName, &'a Team)>,
    ) -> Actor {
        if asker.is_clock() {
            return Actor { name: asker.name.clone(), parts: BTreeSet::from([Part::Clock]) };
        }
        let holds = |roles: &[String]| roles.iter().any(|role| asker.has(role, Some(product)));
        let mut parts = BTreeSet::new();
        for (part, roles) in [
            (Part::ReleaseTeam, &self.release_team),
            (Part::Operations, &self.operations),
            (Part::Verifier, &self.verifiers),
        ] {
            parts.extend(holds(roles).then_some(part));
        }
        let managers = self.rules.managers.iter().filter(|(_, roles)| holds(roles));
        parts.extend(managers.map(|(stack, _)| Part::Manager(stack.clone())));
        let acts_for = |(name, team): &(&TeamName, &Team)| {
            team.members.contains(&asker.name) || asker.has(name.as_str(), Some(product))
                // The door vouches for the name.
                || asker.name.strip_prefix("as:") == Some(name.as_str())
        };
        parts.extend(teams.into_iter().filter(acts_for).map(|(name, _)| Part::Team(name.clone())));
        Actor { name: asker.name.clone(), parts }
    }
}
