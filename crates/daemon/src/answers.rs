//! Answers: what became of a request, in one plain sentence and in words a program can rely on.

use plan::{Answer, Asker, Code, Outcome, Plan, Refusal, Request};

use crate::spool::Claimed;

/// Starts an answer with what is known of every request.
fn blank(
    claimed: &Claimed,
    asker: &Asker,
    request: Option<&Request>,
    outcome: Outcome,
    code: Code,
) -> Answer {
    Answer {
        format: Answer::FORMAT,
        claim: claimed.name.clone(),
        id: request.and_then(|request| request.id.clone()).unwrap_or_else(|| claimed.name.clone()),
        owner: asker.name.clone(),
        request_digest: claimed.digest,
        action: request.map_or("unknown", |request| request.action.name()).to_owned(),
        outcome,
        code: code.as_str().to_owned(),
        exit: code.exit(),
        sentence: String::new(),
        reasons: Vec::new(),
        hint: None,
        generation: None,
        moved: Vec::new(),
        gates: Vec::new(),
        hosts_run: None,
        node_types: Vec::new(),
        hosts: Vec::new(),
        plan_hash: None,
        plan: None,
    }
}

/// Answers a request that is refused.
pub(crate) fn refused(
    claimed: &Claimed,
    asker: &Asker,
    request: Option<&Request>,
    refusal: Refusal,
) -> Answer {
    let blank = blank(claimed, asker, request, Outcome::Refused, refusal.code);
    let Refusal { sentence, reasons, hint, gates, .. } = refusal;
    Answer { sentence, reasons, hint, gates, ..blank }
}

/// Answers a request that asks for what is already so.
pub(crate) fn nothing_to_do(
    claimed: &Claimed,
    asker: &Asker,
    request: &Request,
    code: Code,
    sentence: String,
) -> Answer {
    Answer { sentence, ..blank(claimed, asker, Some(request), Outcome::NothingToDo, code) }
}

/// Answers a dry run with the plan.
pub(crate) fn planned(claimed: &Claimed, asker: &Asker, request: &Request, plan: &Plan) -> Answer {
    let sentence = format!("this is the plan, nothing was changed: {}", plan.sentence);
    let blank = blank(claimed, asker, Some(request), Outcome::Planned, Code::Planned);
    with_plan(Answer { sentence, plan: Some(plan.print()), ..blank }, plan)
}

/// Answers a request that takes effect in generation `number`.
pub(crate) fn done(claimed: &Claimed, asker: &Asker, request: &Request, plan: &Plan, number: u64) -> Answer {
    let sentence = format!("generation {number} is published: {}", plan.sentence);
    let blank = blank(claimed, asker, Some(request), Outcome::Done, Code::Done);
    let reasons = plan.notes.clone();
    with_plan(Answer { sentence, reasons, generation: Some(number), ..blank }, plan)
}

fn with_plan(answer: Answer, plan: &Plan) -> Answer {
    Answer {
        moved: plan.moved(),
        gates: plan.gates.clone(),
        hosts_run: plan.hosts_run(),
        node_types: plan.node_types.clone(),
        hosts: plan.hosts(),
        plan_hash: Some(plan.hash().to_string()),
        ..answer
    }
}

/// Gives the first answer to an id again, to a request with the same content.
pub(crate) fn again(claimed: &Claimed, first: &Answer) -> Answer {
    Answer { claim: claimed.name.clone(), ..first.clone() }
}
