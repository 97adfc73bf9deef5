//! Whether enough people approve of exactly this plan.

use std::collections::{BTreeMap, BTreeSet};

use super::Gates;
use crate::layout::{Approvals, Route};
use crate::plan::{GateSeen, Plan, Verdict};
use crate::refusal::{Code, Refusal};
use crate::standing::Approval;
use crate::world::{Asker, World};

impl Gates<'_> {
    /// Looks whether as many people as a route wants approve of a plan, each counted once and for one role, and none
    /// of them the one who asks.
    ///
    /// A rehearsal passes without: it is how people come to see what they are to approve of.
    pub(in crate::decide) fn approvals(
        &mut self,
        world: &World,
        asker: &Asker,
        (product, route): (&String, &Route),
        plan: &Plan,
        is_rehearsal: bool,
    ) {
        if route.approvals.is_empty() {
            return;
        }
        let hash = plan.hash();
        let counts = |approval: &&Approval| {
            approval.plan == hash
                && (&approval.product, &approval.from, &approval.to) == (product, &route.from, &route.to)
                && world.layout.person(&approval.by) != world.layout.person(&asker.name)
                && approval.is_in_force(world)
        };
        let mut approvals: Vec<&Approval> = world.standing.approvals.iter().filter(counts).collect();
        // Whoever approved when every gate let the plan pass did not approve of what is waived since.
        let unknown: Vec<&Approval> =
            approvals.extract_if(.., |approval| !self.used.is_subset(&approval.waivers)).collect();
        // Whoever approved by two names is one person still.
        let mut people = BTreeSet::new();
        approvals.retain(|approval| people.insert(world.layout.person(&approval.by)));
        let taken = taken(world, product, &route.approvals, &approvals);
        let said = |(role, people): (&String, &Vec<&str>)| format!("{} as `{role}`", people.join(", "));
        let said: Vec<String> = taken.iter().map(said).collect();
        let missing: Vec<String> = (route.approvals.iter())
            .filter_map(|wanted| {
                let have = taken.get(&wanted.role).map_or(0, Vec::len);
                let missing = usize::try_from(wanted.count).unwrap_or(usize::MAX).saturating_sub(have);
                (missing > 0)
                    .then(|| format!("{missing} of {} with the role `{}`", wanted.count, wanted.role))
            })
            .collect();
        if missing.is_empty() {
            return self.pass("approvals", format!("approved by {}", said.join(", ")));
        }
        let sentence = format!("people still have to approve of the plan: {}", missing.join(", "));
        if is_rehearsal {
            let evidence = format!("{sentence}; `sluice approve {hash}` does");
            self.seen.push(GateSeen { gate: "approvals".to_owned(), verdict: Verdict::Fail, evidence });
            return;
        }
        let is_asker = |one: &Approval| world.layout.person(&one.by) == world.layout.person(&asker.name);
        let has_asked = world.standing.approvals.iter().any(|one| one.plan == hash && is_asker(one));
        let mut reasons = said;
        for approval in unknown {
            let by = &approval.by;
            let since =
                self.used.difference(&approval.waivers).map(String::as_str).collect::<Vec<_>>().join(", ");
            reasons
                .push(format!("`{by}` approved before the waiver {since} was given, and has to look again"));
        }
        if has_asked {
            reasons
                .push(format!("`{}` approved as well, and nobody approves of what they ask for", asker.name));
        }
        let refusal = Refusal::new(Code::ApprovalsMissing, sentence).reasons(reasons);
        self.fail("approvals", refusal.hint(format!("`sluice approve {hash}`, then ask again")));
    }
}

/// Finds who counts for which role, so that as many places as can be are taken.
///
/// A role counts that somebody held when they approved and holds still.
fn taken<'a>(
    world: &World,
    product: &str,
    wanted: &[Approvals],
    approvals: &[&'a Approval],
) -> BTreeMap<String, Vec<&'a str>> {
    let roles_of = |approval: &&Approval| -> Vec<String> {
        let holds = |role: &&String| {
            world.approvers.get(&approval.by).is_some_and(|asker| asker.has(role, Some(product)))
        };
        approval.roles.iter().filter(holds).cloned().collect()
    };
    let roles: Vec<Vec<String>> = approvals.iter().map(roles_of).collect();
    let places: Vec<&str> = (wanted.iter())
        .flat_map(|wanted| (0..wanted.count.min(PLACES_MAX)).map(|_| wanted.role.as_str()))
        .collect();
    let mut taken: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (place, person) in places.iter().zip(seated(&roles, &places)) {
        if let Some(person) = person {
            taken.entry((*place).to_owned()).or_default().push(&approvals[person].by);
        }
    }
    taken
}

/// Seats people, each with the roles they hold, so that as many places as can be are taken, each by one person with the
/// role; says for each place who has it.
pub(in crate::decide) fn seated(roles: &[Vec<String>], places: &[&str]) -> Vec<Option<usize>> {
    let mut holder: Vec<Option<usize>> = vec![None; places.len()];
    for person in 0..roles.len() {
        seat(person, roles, places, &mut holder, &mut BTreeSet::new());
    }
    holder
}

/// More places than this are never to be filled.
const PLACES_MAX: u32 = 20;

/// Gives somebody a place, others moving over for it where they can.
fn seat(
    person: usize,
    roles: &[Vec<String>],
    places: &[&str],
    holder: &mut [Option<usize>],
    tried: &mut BTreeSet<usize>,
) -> bool {
    for (place, role) in places.iter().enumerate() {
        if !roles[person].iter().any(|held| held == role) || !tried.insert(place) {
            continue;
        }
        let is_free = match holder[place] {
            None => true,
            Some(other) => seat(other, roles, places, holder, tried),
        };
        if is_free {
            holder[place] = Some(person);
            return true;
        }
    }
    false
}
