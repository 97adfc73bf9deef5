//! An independent model of procedure `egi`, as a table written from the lines of the domain.
//!
//! As the model of the other procedure it imports nothing of the project, only the standard library: what is wrong in the state
//! machine cannot be wrong here for the same reason. A request is taken if every condition of its row holds; else each that does not
//! hold is a possible reason. Where everything is so already nothing happens, and where the row says `whoever` nobody is refused then.

mod effects;

pub use effects::*;

/// Whose step it is.
pub enum Who {
    Of(&'static [&'static str]),
    /// The staged roll-out manager of the ticket, or of the task's ticket.
    Manager,
    /// These, or the manager.
    AlsoManager(&'static [&'static str]),
    /// Before the roll-out it is for the verifiers to reject, afterwards for the manager.
    Rejecter,
    /// The team of the task; otherwise `not-your-task`.
    Team,
    /// Everybody who plays any part.
    Somebody,
}

pub type Check = fn(&World, &Request) -> bool;

/// One step of the procedure.
pub struct Row {
    pub line: &'static str,
    pub word: &'static str,
    pub who: Who,
    pub needs: &'static [(Check, &'static str)],
    pub is_so: Check,
    /// Whether nobody is refused what is so already.
    pub whoever: bool,
    /// Who is told; all of Cc are as well, but of what is asked of one team alone.
    pub tells: &'static [&'static str],
    pub effect: fn(&mut World, &Request),
}

const TICKET: (Check, &str) = (ticket_is_known, "no-such-ticket");
const TASK: (Check, &str) = (task_is_known, "no-such-task");
const OPEN: (Check, &str) = (task_is_open, "wrong-state");
const SOMEBODY: &[&str] = &["manager", "cc"];

/// The steps. Ours: to open and change tickets, to verify in two steps, to reject before the roll-out, releases.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("open", "ticket-add", Who::Of(&["mu", "verifier"]),
        &[(ticket_is_new, "id-taken"), (product_is_new, "id-taken"), (brings_packages, "nothing-named"),
          (packages_are_free, "package-in-another-patch")],
        never, &["verifier"], open),
    row("change", "ticket-change", Who::Of(&["mu", "verifier"]),
        &[TICKET, (brings_packages, "nothing-named"), (packages_are_free, "package-in-another-patch"),
          (is_not_tested_yet, "wrong-state")],
        same_packages, &[], change),
    Row { whoever: true, ..row("verify", "ticket-verify", Who::Of(&["verifier"]),
        &[TICKET, (is_unverified, "wrong-state")], is_in_verification, &["mu", "cc"], verify) },
    row("E1", "ticket-deploy", Who::Of(&["verifier"]),
        &[TICKET, (is_in_verification, "wrong-state"), (untested_has_all, "incomplete")],
        never, SOMEBODY, deploy),
    row("E3", "ticket-links", Who::AlsoManager(&["mu", "verifier"]),
        &[TICKET, (gives_a_link, "nothing-named")], same_link, SOMEBODY, link),
    row("E7 comment", "ticket-comment", Who::Somebody, &[TICKET], never, SOMEBODY, comment),
    row("E4", "ticket-assign", Who::Manager,
        &[TICKET, (names_teams, "nothing-named"), (is_to_be_tried, "wrong-state"), (is_where_it_is_tried, "incomplete"),
          (mirrors_show_it, "mirrors-behind"), (days_are_bearable, "bad-text"), (teams_are_known, "no-such-team"),
          (teams_have_the_stack, "team-does-not-run"), (nobody_has_it_already, "already-assigned")],
        never, &["teams"], assign),
    row("E7", "ticket-relate", Who::Somebody,
        &[TICKET, (subject_names_it, "wrong-subject")], same_relation, &["manager", "verifier", "cc"], relate),
    row("E10", "ticket-summary", Who::Manager,
        &[TICKET, (is_with_sites_or_later, "wrong-state"), (somebody_is_done, "tasks-open"), (file_names_it, "wrong-file")],
        same_summary, &["mu", "verifier", "cc"], sum_up),
    row("E11 accept", "ticket-accept", Who::Manager,
        &[TICKET, (is_with_sites, "wrong-state"), (testing_has_all, "incomplete"), (nobody_failed, "task-failed"),
          (is_tested, "tasks-open")],
        never, &["mu", "cc"], accept),
    Row { whoever: true, ..row("E11 reject", "ticket-reject", Who::Rejecter,
        &[TICKET, (is_under_way, "wrong-state"), (has_a_reason, "bad-text")], is_rejected, &["mu", "cc"], reject) },
    row("E12", "ticket-release", Who::Of(&["mu"]),
        &[(names_tickets, "nothing-named"), (tickets_are_known, "no-such-ticket"), (are_accepted_or_so, "wrong-state")],
        are_released_so, &["managers"], release),
    row("E5 accept", "task-accept", Who::Team,
        &[TASK, (task_is_unanswered, "already-answered")], never, SOMEBODY, take_on),
    row("E5 decline", "task-decline", Who::Team,
        &[TASK, (task_is_unanswered, "already-answered")], never, SOMEBODY, decline),
    row("E7 start", "task-start", Who::Team, &[TASK, OPEN], says_nothing_new, SOMEBODY, start),
    row("E8 done", "task-done", Who::Team,
        &[TASK, (task_is_in_progress, "wrong-state"), (quarantine_is_over, "in-quarantine")],
        never, SOMEBODY, finish),
    row("E8 extend", "task-extend", Who::Manager,
        &[TASK, OPEN, (extension_is_bearable, "bad-text")], never, &["team"], extend),
    row("E6", "task-beta", Who::Team, &[TASK, OPEN], is_tagged, SOMEBODY, tag),
    row("close", "task-close", Who::Manager, &[TASK, OPEN, (has_a_reason, "bad-text")], never, &["team"], close),
    row("E5 remind", "remind", Who::Of(&["clock"]), &[], nobody_is_late, &[], remind),
    // What belongs to the other procedure is nobody's here.
    row("bundles", "bundle-deploy", Who::Of(&["mu"]), &[(never, "no-procedure")], never, &[], nothing),
];

const fn row(
    line: &'static str,
    word: &'static str,
    who: Who,
    needs: &'static [(Check, &'static str)],
    is_so: Check,
    tells: &'static [&'static str],
    effect: fn(&mut World, &Request),
) -> Row {
    Row { line, word, who, needs, is_so, whoever: false, tells, effect }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is taken, and these are told.
    Happens(Words),
    Nothing,
    Refused(Words),
}

fn row_of(word: &str) -> &'static Row {
    ROWS.iter().find(|row| row.word == word).expect("the table has every word")
}

/// Who may take a step; everybody if it is for nobody in particular.
pub fn allowed(w: &World, r: &Request) -> Option<Vec<String>> {
    let manager = || w.manager(r).unwrap_or_default();
    let named = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    match row_of(r.word).who {
        Who::Of(all) => Some(named(all)),
        Who::Manager => Some(vec![manager()]),
        Who::AlsoManager(all) => Some([named(all), vec![manager()]].concat()),
        Who::Rejecter if w.is(r, |one| ["unverified", "in-verification"].contains(&one.standing)) => {
            Some(named(&["verifier"]))
        }
        Who::Rejecter => Some(vec![manager()]),
        Who::Team => Some(w.tasks.get(&r.task).map(|task| task.team.clone()).into_iter().collect()),
        Who::Somebody => None,
    }
}

pub fn judge(w: &World, r: &Request) -> Verdict {
    let row = row_of(r.word);
    if row.whoever && (row.is_so)(w, r) {
        return Verdict::Nothing;
    }
    let unmet = row.needs.iter().filter(|(holds, _)| !holds(w, r));
    let mut reasons: Words = unmet.map(|(_, code)| (*code).to_owned()).collect();
    match allowed(w, r) {
        Some(parts) if !parts.contains(&r.who) => {
            let code = if matches!(row.who, Who::Team) { "not-your-task" } else { "wrong-actor" };
            reasons.insert(code.to_owned());
        }
        None if r.who == "nobody" => drop(reasons.insert("wrong-actor".to_owned())),
        _ => {}
    }
    if !reasons.is_empty() {
        return Verdict::Refused(reasons);
    }
    if (row.is_so)(w, r) {
        return Verdict::Nothing;
    }
    let mut told = Words::new();
    for one in row.tells {
        match *one {
            "manager" => told.extend(w.manager(r)),
            // What is released already is passed over.
            "managers" => {
                let all = r.tickets.iter().filter_map(|id| w.tickets.get(id));
                told.extend(all.filter(|one| !is_released_so(one, r)).map(manager_of));
            }
            "cc" => told.extend(w.ticket(r).map(|one| w.reached(one)).unwrap_or_default()),
            "team" => told.extend(w.tasks.get(&r.task).map(|task| task.team.clone())),
            "teams" => told.extend(r.teams.iter().cloned()),
            part => drop(told.insert(part.to_owned())),
        }
    }
    Verdict::Happens(told)
}

pub fn apply(w: &mut World, r: &Request) {
    (row_of(r.word).effect)(w, r);
}

pub fn codes() -> Words {
    let needs = ROWS.iter().flat_map(|row| row.needs).map(|(_, code)| *code);
    needs.chain(["wrong-actor", "not-your-task"]).map(str::to_owned).collect()
}
