//! Whether what is judged now is what was recorded.

use std::collections::BTreeMap;

use plan::{
    Action, Answer, Change, Code, Decision, GateSeen, Kind, Outcome, Plan, Refusal, Repository, Request,
    Stage, Verdict, Waiver, World,
};

use workflow::Command;

use super::policies::Policy;
use super::{Finding, reason};

/// The gates whose evidence is not kept: packages' headers, other repositories, and what others said.
const AS_RECORDED: [&str; 5] = ["signatures", "contexts", "closure", "meta-packages", "external"];

/// Answers that tell of a world in error, which is not recorded.
const ERRORS: [Code; 3] = [Code::TryLater, Code::NeedsPerson, Code::Internal];

/// Answers about an advisory that other stages may give which tell it.
const OF_OTHER_STAGES: [Code; 3] = [Code::RoleNotAllowed, Code::Frozen, Code::StandingFull];

/// Writes what became of a request, by its answer.
pub(super) fn recorded(answer: &Answer) -> String {
    match (answer.outcome, answer.generation) {
        (Outcome::Done, Some(number)) => format!("done @{number}"),
        (Outcome::Done, None) => "done".to_owned(),
        (Outcome::Refused, _) => format!("refused ({})", answer.code),
        (Outcome::NothingToDo, _) => format!("nothing to do ({})", answer.code),
        (Outcome::Planned, _) => "planned".to_owned(),
    }
}

/// Writes a refusal.
pub(super) fn refused(refusal: &Refusal) -> String {
    format!("refused ({}): {}", refusal.code, refusal.sentence)
}

/// Says whether an answer tells of something that no record shows.
pub(super) fn is_of_an_error(answer: &Answer) -> bool {
    Code::named(&answer.code).is_some_and(|code| ERRORS.contains(&code))
}

/// Compares a refusal that is found before anything is decided.
pub(super) fn with_refusal(answer: &Answer, refusal: &Refusal) -> Finding {
    match answer.outcome == Outcome::Refused && answer.code == refusal.code.as_str() {
        true => Finding::Same,
        false => Finding::differs(recorded(answer), refused(refusal)),
    }
}

/// Says whether records decide what is answered about an advisory. Which other stages tell it, so that their roles and freezes
/// count as well, hangs on what repositories said; the stage that is named, and what that lists, does not.
pub(super) fn is_decided_by_records(action: &Action, answer: &Answer, decision: &Decision) -> bool {
    let first_fails = |gates: &[GateSeen]| {
        gates.first().is_some_and(|gate| gate.gate == "roles" && gate.verdict == Verdict::Fail)
    };
    let code = match decision {
        Decision::Refused(refusal) => Some(refusal.code),
        _ => None,
    };
    let is_of_others = |code: Code| OF_OTHER_STAGES.contains(&code) || ERRORS.contains(&code);
    match (action, decision) {
        (Action::Advisory { .. }, Decision::Refused(refusal)) => match refusal.code {
            Code::RoleNotAllowed => first_fails(&refusal.gates),
            // The roles of other stages come before.
            Code::Frozen => answer.code != Code::RoleNotAllowed.as_str(),
            code => !is_of_others(code),
        },
        (Action::Advisory { .. }, _) => {
            let may_be_of_others = Code::named(&answer.code).is_some_and(is_of_others);
            answer.outcome == Outcome::Refused && (first_fails(&answer.gates) || !may_be_of_others)
        }
        (Action::EndAdvisory { .. }, _) => {
            let took_effect = matches!(answer.outcome, Outcome::Done | Outcome::Planned);
            code.is_some_and(|code| {
                code != Code::NoSuchAdvisory && (took_effect || answer.code == code.as_str())
            })
        }
        _ => true,
    }
}

/// Compares what is decided now, and says which evidence is taken as it was recorded.
pub(super) fn with_decision(
    policy: &Policy,
    world: &World,
    request: &Request,
    answer: &Answer,
    decision: &Decision,
) -> (Finding, Vec<&'static str>) {
    let taken = AS_RECORDED.into_iter().filter(|name| answer.gates.iter().any(|gate| gate.gate == *name));
    let taken: Vec<&str> = taken.collect();
    let differs = |judged: String| Finding::differs(recorded(answer), judged);
    let is_failed = |gate: &&GateSeen| gate.verdict == Verdict::Fail;
    let mut as_recorded = answer.gates.iter().filter(|gate| AS_RECORDED.contains(&gate.gate.as_str()));
    let failed_as_recorded = as_recorded.clone().any(|gate| is_failed(&gate));
    let waived_as_recorded = as_recorded.any(|gate| gate.verdict == Verdict::Waived);
    let finding = match (answer.outcome, decision) {
        (Outcome::Refused, _) if answer.code == Code::Gone.as_str() => match decision {
            Decision::Refused(refusal) if refusal.code == Code::Gone => Finding::Same,
            _ => Finding::NotJudged(reason::SWEPT),
        },
        (Outcome::Refused, Decision::Refused(refusal)) => {
            let mut failed = refusal.gates.iter().filter(is_failed);
            let is_beside =
                |one: &GateSeen| answer.gates.iter().filter(is_failed).any(|gate| gate.gate == one.gate);
            match answer.code == refusal.code.as_str() {
                true => Finding::Same,
                // The first gate that failed gave its code, and that one is not judged again.
                false if failed_as_recorded && failed.all(is_beside) => Finding::Same,
                false => differs(refused(refusal)),
            }
        }
        (Outcome::Refused, _) if failed_as_recorded => Finding::Same,
        // Whoever approved before somebody answered for what is not judged again had to look once more.
        (Outcome::Refused, Decision::Effect(_))
            if answer.code == Code::ApprovalsMissing.as_str() && waived_as_recorded =>
        {
            Finding::Same
        }
        (Outcome::Done | Outcome::Planned, Decision::Effect(plan)) => {
            let wrong = effect(policy, world, request, answer, plan);
            wrong.map_or(Finding::Same, differs)
        }
        (Outcome::NothingToDo, Decision::NothingToDo(code, _)) if answer.code == code.as_str() => {
            Finding::Same
        }
        (_, Decision::Refused(refusal)) => differs(refused(refusal)),
        (_, Decision::NothingToDo(code, sentence)) => differs(format!("nothing to do ({code}): {sentence}")),
        (_, Decision::Effect(plan)) if request.dry_run => differs(format!("planned: {}", plan.sentence)),
        (_, Decision::Effect(plan)) => differs(format!("done: {}", plan.sentence)),
        // Whatever was built anew is recorded with the request that it was built for.
        (_, Decision::Lacking(lacking)) if !lacking.rebuilt.is_empty() => {
            differs("something would have been built anew that is not on record".to_owned())
        }
        // What is left is when twins were built: the gates that ask for more are taken as they were recorded.
        (_, Decision::Lacking(_)) => Finding::NotJudged(reason::TWINS),
    };
    (finding, taken)
}

/// Finds in what an effect is another than the recorded one.
fn effect(policy: &Policy, world: &World, request: &Request, answer: &Answer, plan: &Plan) -> Option<String> {
    if request.dry_run != (answer.outcome == Outcome::Planned) {
        let words =
            if request.dry_run { "planned, for it is a dry run" } else { "done, for it is no dry run" };
        return Some(words.to_owned());
    }
    if plan.moved() != answer.moved {
        return Some(format!("other packages move: {}", plan.sentence));
    }
    let hash = plan.hash().to_string();
    let is_adoption = matches!(request.action, Action::Adopt { .. });
    if answer.plan_hash.as_ref().is_some_and(|recorded| *recorded != hash) && !is_adoption {
        return Some(format!("the plan is {hash}: {}", plan.sentence));
    }
    if let Some(broken) = plan::check(world, plan).first().filter(|_| !is_adoption) {
        return Some(format!("the plan would break {}: {}", broken.invariant, broken.words));
    }
    let judged = |gates: &[GateSeen]| {
        let own = gates.iter().filter(|gate| !AS_RECORDED.contains(&gate.gate.as_str()));
        own.map(|gate| (gate.gate.clone(), gate.verdict)).collect::<Vec<_>>()
    };
    let (now, then) = (judged(&plan.gates), judged(&answer.gates));
    if let Some((gate, verdict)) = now.iter().find(|one| !then.contains(one)) {
        return Some(format!("the gate `{gate}` says {}", verdict.as_str()));
    }
    if let Some((gate, _)) = then.iter().find(|one| !now.contains(one)) {
        return Some(format!("nobody asked the gate `{gate}`"));
    }
    match answer.outcome {
        Outcome::Done => unjudged(policy, world, (request, answer), &plan.changes),
        _ => None,
    }
}

/// Looks at the gates that are not judged again: those that the configuration wants must be there, none may have
/// failed, and what is waived must have a waiver.
fn unjudged(
    policy: &Policy,
    world: &World,
    (request, answer): (&Request, &Answer),
    changes: &BTreeMap<Repository, Change>,
) -> Option<String> {
    let place = match &request.action {
        Action::Import { product, to, .. } => Some((product, to, None)),
        Action::Promote { product, from, to, .. } => Some((product, to, Some(from))),
        Action::Adopt { product, stage, .. } => Some((product, stage, None)),
        Action::Withdraw { product, from: stage, .. }
        | Action::Rollback { product, from: stage, .. }
        | Action::Revert { product, stage, .. } => Some((product, stage, None)),
        Action::Step { product, command } => {
            let procedure = policy.config.layout.products.get(product)?.procedure.as_ref()?;
            let rules = &procedure.rules;
            match **command {
                Command::BundleDeploy { .. } => Some((product, &rules.beta, Some(&rules.from))),
                Command::ReleasePublish { .. } => Some((product, &rules.production, Some(&rules.beta))),
                Command::TicketDeploy { .. } => Some((product, &rules.beta, Some(&rules.from))),
                Command::TicketAccept { .. } => Some((product, &rules.production, Some(&rules.beta))),
                // What early adopters never got is nowhere.
                Command::TicketReject { .. } if changes.is_empty() => None,
                Command::BundleRollback { .. } | Command::TicketReject { .. } => {
                    Some((product, &rules.beta, None))
                }
                _ => None,
            }
        }
        // It is for the stages that change, whichever they are.
        Action::Undo { .. } => changes.keys().next().map(|one| (&one.product, &one.stage, None)),
        _ => None,
    };
    let (product, stage, from) = place?;
    let layout = policy.config.layout.products.get(product)?;
    let enters = matches!(
        request.action,
        Action::Import { .. }
            | Action::Promote { .. }
            | Action::Rollback { .. }
            | Action::Adopt { .. }
            | Action::Step { .. }
    );
    let is_signed = enters && policy.config.signed_by.contains_key(&(product.clone(), stage.clone()));
    // Judged is each stage that changes, or whose hosts draw from one that does.
    let is_judged = |judged: &Stage| {
        let beside = judged.closure.as_ref().map(|closure| &closure.beside);
        let touches = |changed: &String| {
            beside.is_some_and(|beside| *changed == judged.name || beside.contains(changed))
        };
        let mut binary = changes.keys().filter(|repository| repository.kind == Kind::Binary);
        // The stage that was asked for is told of even where nothing of it can be judged.
        beside.is_some() && judged.name == *stage || binary.any(|repository| touches(&repository.stage))
    };
    let is_closed = !matches!(request.action, Action::Adopt { .. }) && layout.stages.iter().any(is_judged);
    let mut routes = layout.routes.iter();
    let route = from.and_then(|from| routes.find(|route| route.from == *from && route.to == *stage));
    let is_external = route.is_some_and(|route| !route.external.is_empty());
    let wanted = [
        ("signatures", is_signed),
        ("closure", is_closed),
        ("meta-packages", is_closed),
        ("external", is_external),
    ];
    for (name, _) in wanted.into_iter().filter(|(_, is_wanted)| *is_wanted) {
        if !answer.gates.iter().any(|gate| gate.gate == name) {
            return Some(format!(
                "the gate `{name}` would have been asked, and its evidence is not recorded"
            ));
        }
    }
    let is_undone = |stage: &String| {
        matches!(request.action, Action::Undo { .. }) && changes.keys().any(|one| one.stage == *stage)
    };
    for gate in answer.gates.iter().filter(|gate| AS_RECORDED.contains(&gate.gate.as_str())) {
        let counts = |one: &&Waiver| {
            let is_judged = || {
                layout.stages.iter().any(|judged| judged.name == one.stage && is_judged(judged))
                    && gate.gate != "external"
            };
            one.gate == gate.gate
                && one.product == *product
                && (one.stage == *stage || is_judged() || is_undone(&one.stage))
                && one.is_in_force(world)
        };
        let is_waived = || {
            // All who are named must have answered, in these words.
            let said = world.standing.waivers.values().filter(counts).map(Waiver::evidence);
            let rest = said.fold(gate.evidence.clone(), |rest, said| rest.replace(&said, ""));
            rest != gate.evidence && !rest.contains("` answers for it until ")
        };
        match gate.verdict {
            Verdict::Fail => return Some(format!("refused: the gate `{}` failed", gate.gate)),
            Verdict::Waived if !is_waived() => {
                return Some(format!("nobody answered for what the gate `{}` found", gate.gate));
            }
            Verdict::Waived | Verdict::Pass => {}
        }
    }
    None
}
