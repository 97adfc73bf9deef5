//! Whatever happened before: every step that is said to be waited for is taken, and who always does what is waited for comes to
//! an end.

use super::*;
use crate::Matter;
use crate::waiting::{Waiting, waiting};

fn waits(site: &Site) -> Vec<Waiting> {
    waiting(&site.state(), &site.rules, site.times)
}

/// Puts the packages of every ticket where it is: what lies elsewhere is not looked at.
fn in_place(site: &mut Site) {
    for ticket in site.state().tickets.values() {
        let stage = match ticket.place {
            Place::Before => "untested",
            Place::Beta => "testing",
            Place::Production => "production",
            Place::TakenOut => continue,
        };
        site.stages.entry(stage.into()).or_default().extend(ticket.items.iter().cloned());
    }
}

fn takes(site: &mut Site, one: &Waiting, for_good: bool, seed: u64) {
    let Some(next) = &one.step else { return };
    let (who, reason) = (named(&one.who), next.reason.as_deref().unwrap_or_default());
    let decided = match for_good {
        true => site.tries(&who, next.command.clone(), next.plan, reason),
        false => site.decision(&who, &next.command, next.plan, reason),
    };
    let decided = decided.unwrap_or_else(|refusal| panic!("seed {seed}: {one:?} is refused: {refusal:?}"));
    assert!(!decided.facts.is_empty(), "seed {seed}: {one:?} does nothing");
}

#[test]
fn what_is_waited_for_can_be_done_and_leads_to_the_end() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..600 {
        let mut random = Rng::with_seed(seed);
        let (mut site, mut world) = both();
        let mut seen = Seen::default();
        for _ in 0..50 {
            if random.u8(..6) == 0 {
                let hours = random.i64(1..100);
                site.pass(hours);
                world.wall += hours;
                world.witnessed += hours;
            } else {
                let request = sensible(&mut random, &world);
                assert_eq!(
                    asks(&mut site, &mut world, &request, &mut seen),
                    None,
                    "seed {seed}: {request:?}"
                );
            }
            let mut placed = site.clone();
            in_place(&mut placed);
            for one in waits(&site) {
                takes(&mut placed, &one, false, seed);
                let name = one.step.as_ref().map_or("none".to_owned(), |next| format!("{:?}", next.command));
                *kinds.entry(name.split([' ', '{']).next().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        for round in 0.. {
            assert!(round < 300, "seed {seed}: no end: {:?}", waits(&site));
            in_place(&mut site);
            let all = waits(&site);
            if let Some(one) = all.iter().find(|one| one.step.is_some()) {
                takes(&mut site, one, true, seed);
            } else if all.iter().any(|one| one.until.is_some_and(|until| until > site.times.proven())) {
                site.pass(24);
            } else {
                // What nobody can tell: who else could try it, which release contains it, what a summary says.
                let open = ["look for other teams", "which release contains", "to sum up"];
                let is_told = |one: &Waiting| open.iter().any(|words| one.for_what.contains(words));
                assert!(all.iter().all(is_told), "seed {seed}: {all:?}");
                break;
            }
        }
        let all = waits(&site);
        for (id, ticket) in &site.state().tickets {
            let waits = all.iter().any(|one| one.about.contains(&Matter::Ticket(id.clone())));
            let is_over = matches!(ticket.standing, Standing::Released | Standing::Rejected);
            assert!(waits || is_over, "seed {seed}: nobody waits for {id}: {ticket:?}");
        }
    }
    for kind in [
        "TicketVerify",
        "TicketDeploy",
        "TicketAssign",
        "TicketAccept",
        "TicketReject",
        "TaskAnswer",
        "TaskStart",
        "TaskDone",
        "none",
    ] {
        assert!(kinds.get(kind).is_some_and(|times| *times > 50), "{kind}: {kinds:?}");
    }
}
