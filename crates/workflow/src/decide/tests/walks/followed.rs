//! Whatever happened before: every step that is said to be waited for is taken, and who always does what is waited for comes to
//! an end.

use super::*;
use crate::waiting::{Waiting, waiting};

fn waits(site: &Site) -> Vec<Waiting> {
    waiting(&site.state(), &site.rules, site.times)
}

/// Does what is waited for; what is wrong if it is refused, except that a package lies elsewhere: that is not looked at.
fn follow(site: &mut Site, one: &Waiting, for_good: bool) -> Result<(), String> {
    let Some(next) = &one.step else { return Ok(()) };
    let plan = match next.command {
        Command::ReleasePrepare { .. } => Some(Sha256::from([7; 32])),
        _ => next.plan,
    };
    let reason = next.reason.as_deref().unwrap_or_default();
    let who = named(&one.who);
    let decided = match for_good {
        true => site.tries(&who, next.command.clone(), plan, reason),
        false => site.decision(&who, &next.command, plan, reason),
    };
    match decided {
        Ok(decided) if decided.facts.is_empty() => Err(format!("{one:?} does nothing")),
        Ok(_) => Ok(()),
        Err(refusal) if refusal.reasons.iter().any(|reason| reason.contains("` is not ")) && !for_good => {
            Ok(())
        }
        Err(refusal) => Err(format!("{one:?} is refused: {refusal:?}")),
    }
}

#[test]
fn what_is_waited_for_can_be_done_and_leads_to_the_end() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..600 {
        let mut random = Rng::with_seed(seed);
        let mut pair = Pair::new(false);
        let mut seen = Seen::default();
        for _ in 0..60 {
            let step = match random.u8(..8) {
                0 => Step::Pass(random.i64(1..100)),
                1 => Step::Ask(invented::near_miss(&mut random, &pair.world).into()),
                _ => invented::guided(&mut random, &pair.world),
            };
            // What packages do by themselves, and who answers for what, is not looked at.
            if matches!(step, Step::Ask(_) | Step::Pass(_)) {
                assert_eq!(pair.goes(&step, &mut seen), None, "seed {seed}");
            }
            for one in waits(&pair.site) {
                follow(&mut pair.site, &one, false).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
                let name = one.step.as_ref().map_or("none".to_owned(), |next| format!("{:?}", next.command));
                *kinds.entry(name.split([' ', '{']).next().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        let mut site = pair.site;
        for round in 0.. {
            assert!(round < 300, "seed {seed}: no end: {:?}", waits(&site));
            for patch in site.state().patches.values() {
                let stage = if patch.place == Place::Beta { "delta" } else { "certified" };
                site.stages.entry(stage.into()).or_default().extend(patch.items.iter().cloned());
            }
            let all = waits(&site);
            if let Some(one) = all.iter().find(|one| one.step.is_some()) {
                follow(&mut site, one, true).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
            } else if all.iter().any(|one| one.until.is_some_and(|until| until > site.times.proven())) {
                site.pass(24);
            } else {
                assert!(
                    all.iter().all(|one| one.for_what.contains("look for other teams")),
                    "seed {seed}: {all:?}"
                );
                break;
            }
        }
        let state = site.state();
        for (id, patch) in &state.patches {
            let waits = waits(&site);
            let is_about = |matter| waits.iter().any(|one| one.about.contains(&matter));
            let together = patch.bundle.clone().map(crate::Matter::Bundle);
            let waits = is_about(crate::Matter::Patch(id.clone())) || together.is_some_and(is_about);
            assert!(waits || patch.status.is_final(), "seed {seed}: nobody waits for {id}: {patch:?}");
        }
    }
    for kind in [
        "PatchStatus",
        "BundleCreate",
        "BundleDeploy",
        "BundleContinue",
        "BundleRollback",
        "TaskAssign",
        "TaskAnswer",
        "TaskStart",
        "TaskDone",
        "ReleasePrepare",
        "ReleaseReady",
        "ReleaseApprove",
        "ReleasePublish",
        "ReleaseReports",
        "none",
    ] {
        assert!(kinds.get(kind).is_some_and(|times| *times > 50), "{kind}: {kinds:?}");
    }
}
