//! An independent model of procedure `glite`, as a table written from the lines of the domain.
//!
//! It imports nothing of the project, only the standard library, and has its own types of plain texts and numbers: what is
//! wrong in the state machine cannot be wrong here for the same reason. A row says whose step it is, what must hold, and what
//! becomes of it. A request is taken if every condition of its row holds; else each that does not hold is a possible reason,
//! and any of them may be told: in which order they are looked at does not matter. Where everything is so already, nothing
//! happens, whoever asks if the row says `whoever`.
//!
//! Where the domain is silent the rows follow what was chosen, and that is said beside them.

mod effects;

pub use effects::*;
use std::collections::BTreeSet;

/// Whose step it is.
pub enum Who {
    /// One of these parts; otherwise `wrong-actor`.
    Of(&'static [&'static str]),
    /// The team of the task; otherwise `not-your-task`.
    Team,
    /// Everybody who plays any part.
    Somebody,
}

/// A condition, and what whoever asks is told if it does not hold.
pub type Need = (fn(&World, &Request) -> bool, &'static str);

/// One step of the procedure.
pub struct Row {
    pub line: &'static str,
    pub word: &'static str,
    pub who: Who,
    pub needs: &'static [Need],
    pub is_so: fn(&World, &Request) -> bool,
    pub tells: &'static [&'static str],
    pub effect: fn(&mut World, &Request),
}

/// One way of a patch from status to status, by `patch-status`.
pub struct Way {
    pub line: &'static str,
    pub from: &'static [&'static str],
    pub to: &'static str,
    pub who: &'static str,
    pub tested: bool,
    pub unprepared: bool,
    pub tells: &'static [&'static str],
}

const MU: Who = Who::Of(&["mu"]);
const OU: Who = Who::Of(&["ou"]);
const TASK: Need = (task_is_known, "no-such-task");
const OPEN: Need = (task_is_open, "wrong-state");
const PATCHES: Need = (patches_are_known, "no-such-patch");
const BUNDLE: Need = (bundle_is_known, "no-such-bundle");
const GOES_ON: Need = (bundle_goes_on, "bundle-held");
const UPDATE: Need = (update_is_known, "no-such-update");
const UNPUBLISHED: Need = (update_is_not_published, "update-taken");
const REASON: Need = (has_a_reason, "bad-text");
const BEARABLE: Need = (quarantine_is_bearable, "bad-text");
const REPORT: Need = (report_is_about_it, "other-revision");
const TEAMS: Need = (teams_are_known, "no-such-team");
const READY: Need = (all_are_ready_for_production, "wrong-state");
const NO_FAILURE: Need = (none_failed, "task-failed");
const TESTED: Need = (all_are_tested, "tasks-open");
const THEY_GO_ON: Need = (their_bundles_go_on, "bundle-held");
const THEY_ARE_COMPLETE: Need = (their_bundles_are_complete, "incomplete");
const NONE_BEHIND: Need = (none_stays_behind, "leaves-patches-behind");
const PLAN: Need = (has_a_plan, "other-plan");

/// The ways of a patch. To go back is a choice of ours, as long as no update was prepared of it.
#[rustfmt::skip]
pub const WAYS: &[Way] = &[
    way("G1", &["registered"], "verified", "mu", &["ou"]),
    way("G2", &["verified"], "ready-for-rollout", "ou", &[]),
    way("G2 back", &["ready-for-rollout"], "verified", "ou", &[]),
    Way { tested: true, ..way("G10", &["rolling-out"], "ready-for-production", "ou", &[]) },
    Way { unprepared: true, ..way("G10 back", &["ready-for-production"], "rolling-out", "ou", &[]) },
    way("R1", &["registered", "verified", "ready-for-rollout", "rolling-out", "ready-for-production"], "rejected",
        "ou", &["mu"]),
];

/// The steps. Ours: the register of teams, to register and change patches, to hold a bundle, to comment and to close.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("register of teams", "team-add", OU, &[], same_team, &[], enter_team),
    row("team leaves", "team-remove", OU, &[TEAMS, (team_has_no_open_task, "wrong-state")], never, &[], drop_team),
    row("patch", "patch-add", Who::Of(&["mu", "verifier"]),
        &[(patch_is_new, "id-taken"), (brings_packages, "nothing-named"), (packages_are_free, "package-in-another-patch")],
        never, &[], register),
    // What was certified with other packages is certified no more; what is tested stays as it is.
    row("patch changes", "patch-change", MU,
        &[PATCHES, (brings_packages, "nothing-named"), (packages_are_free, "package-in-another-patch"),
          (are_not_tested_yet, "wrong-state")],
        same_packages, &[], change_packages),
    row("patch comment", "patch-comment", Who::Somebody, &[PATCHES], never, &[], comment_patch),
    row("G3", "bundle-create", MU,
        &[(bundle_is_new, "id-taken"), (names_patches, "nothing-named"), PATCHES,
          (travel_with_no_other, "in-another-bundle"), (newcomers_are_verified, "wrong-state")],
        never, &[], create_bundle),
    row("G3 add", "bundle-add", MU,
        &[BUNDLE, PATCHES, (travel_with_no_other, "in-another-bundle"), (newcomers_are_verified, "wrong-state")],
        none_joins, &[], join_bundle),
    row("G3 remove", "bundle-remove", MU,
        &[BUNDLE, PATCHES, (are_not_handed_out, "wrong-state")], none_leaves, &[], leave_bundle),
    row("G4 G5 G6", "bundle-deploy", MU,
        &[BUNDLE, GOES_ON, (one_is_flagged, "no-green-flag"), (waiting_are_whole, "incomplete")],
        nothing_waits, &["ou"], deploy),
    row("hold", "bundle-hold", Who::Of(&["mu", "ou"]), &[BUNDLE, REASON], held_for_that, &[], hold),
    row("go on", "bundle-continue", Who::Of(&["mu", "ou"]), &[BUNDLE], bundle_goes_on, &[], let_go_on),
    row("R2 R3 R4 R5", "bundle-rollback", MU,
        &[BUNDLE, (something_is_rejected, "wrong-state")], never, &["ou"], roll_back),
    row("G7", "task-assign", OU,
        &[BUNDLE, (names_teams, "nothing-named"), GOES_ON, (bundle_was_deployed, "wrong-state"),
          (delta_is_complete, "incomplete"), (mirrors_show_it, "mirrors-behind"),
          (something_is_with_sites, "wrong-state"), BEARABLE, TEAMS, (teams_run_it, "team-does-not-run"),
          (nobody_has_it_already, "already-assigned")],
        never, &["teams"], assign),
    // Going back does not wait for anything, not even for a bundle that is held.
    row("R6", "task-assign-back", OU,
        &[BUNDLE, (names_teams, "nothing-named"), (something_was_taken_out, "wrong-state"), BEARABLE, TEAMS,
          (teams_run_it, "team-does-not-run"), (nobody_has_it_already, "already-assigned")],
        never, &["teams"], assign),
    row("E5 accept", "task-accept", Who::Team,
        &[TASK, (task_is_unanswered, "already-answered")], never, &["ou"], accept),
    row("E5 decline", "task-decline", Who::Team,
        &[TASK, (task_is_unanswered, "already-answered")], never, &["ou"], decline),
    // Who starts without an answer has given it.
    row("G8 start", "task-start", Who::Team, &[TASK, REPORT, OPEN], says_nothing_new, &["ou"], start),
    // Who fails need not run for a week what fails.
    row("G8 R7 done", "task-done", Who::Team,
        &[TASK, REPORT, (task_is_in_progress, "wrong-state"), (quarantine_is_over, "in-quarantine"),
          (site_has_shown_it, "no-evidence")],
        never, &["ou"], finish),
    row("task comment", "task-comment", Who::Somebody, &[TASK], never, &[], comment_task),
    row("E8", "task-extend", OU, &[TASK, OPEN, (extension_is_bearable, "bad-text")], never, &["team"], extend),
    row("E6", "task-downtime", Who::Team,
        &[TASK, OPEN, (downtime_ends, "bad-text")], same_downtime, &["ou"], announce_downtime),
    row("G9 close", "task-close", OU, &[TASK, OPEN, REASON], never, &["team"], close),
    row("G11 G12", "release-prepare", MU,
        &[UNPUBLISHED, PATCHES, READY, NO_FAILURE, TESTED, THEY_GO_ON, THEY_ARE_COMPLETE, NONE_BEHIND, PLAN],
        same_update, &["ou"], prepare),
    row("G12 P1", "release-partial", MU,
        &[UNPUBLISHED, PATCHES, READY, NO_FAILURE, TESTED, THEY_GO_ON, THEY_ARE_COMPLETE, PLAN],
        same_update, &["ou"], prepare),
    row("G16", "release-ready", MU, &[UPDATE, UNPUBLISHED], already_ready, &["ou"], ready),
    row("G17", "release-approve", OU,
        &[UPDATE, UNPUBLISHED, (plan_is_the_prepared, "other-plan"), (notes_are_ready, "not-ready")],
        already_approved, &["mu"], approve),
    row("G13 G18", "release-publish", MU,
        &[UPDATE, UNPUBLISHED, (update_is_approved, "not-approved"), READY, NO_FAILURE, TESTED, THEY_GO_ON,
          THEY_ARE_COMPLETE, NONE_BEHIND],
        never, &[], publish),
    row("release-drop", "release-drop", MU, &[UPDATE, UNPUBLISHED], never, &["ou"], drop_update),
    row("G14", "release-reports", OU,
        &[UPDATE, (update_is_published, "wrong-state")], nothing_is_hidden, &[], show_reports),
    row("E5 G9 remind", "remind", Who::Of(&["clock"]), &[], nobody_is_late, &["ou"], remind),
    row("archive", "archive", Who::Of(&["clock"]), &[], nothing_rests, &[], lay_aside),
];

const fn way(
    line: &'static str,
    from: &'static [&'static str],
    to: &'static str,
    who: &'static str,
    tells: &'static [&'static str],
) -> Way {
    Way { line, from, to, who, tested: false, unprepared: false, tells }
}

const fn row(
    line: &'static str,
    word: &'static str,
    who: Who,
    needs: &'static [Need],
    is_so: fn(&World, &Request) -> bool,
    tells: &'static [&'static str],
    effect: fn(&mut World, &Request),
) -> Row {
    Row { line, word, who, needs, is_so, tells, effect }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is taken: by these rows, and these are told.
    Happens(BTreeSet<&'static str>, BTreeSet<String>),
    /// Everything is so already.
    Nothing,
    /// It is refused, for one of these reasons.
    Refused(BTreeSet<&'static str>),
}

pub fn judge(w: &World, r: &Request) -> Verdict {
    let mut reasons = BTreeSet::new();
    let (mut lines, mut told) = (BTreeSet::new(), BTreeSet::new());
    if r.word == "patch-status" {
        if !names_patches(w, r) {
            reasons.insert("nothing-named");
        }
        if !patches_are_known(w, r) {
            reasons.insert("no-such-patch");
        }
        // What is there already is passed over, whoever asks.
        let moved = w.patches.iter().filter(|(id, one)| r.patches.contains(*id) && one.status != r.status);
        for (id, patch) in moved {
            match WAYS.iter().find(|way| way.to == r.status && way.from.contains(&patch.status)) {
                None => drop(reasons.insert("wrong-state")),
                Some(way) => {
                    lines.insert(way.line);
                    told.extend(way.tells.iter().map(|one| (*one).to_owned()));
                    if way.who != r.who {
                        reasons.insert("wrong-actor");
                    }
                    if way.tested {
                        reasons.extend(w.untested(id));
                    }
                    if way.unprepared && patch.update.is_some() {
                        reasons.insert("wrong-state");
                    }
                }
            }
        }
    } else if let Some(row) = ROWS.iter().find(|row| row.word == r.word) {
        reasons.extend(row.needs.iter().filter(|(holds, _)| !holds(w, r)).map(|(_, code)| *code));
        match row.who {
            Who::Of(parts) if !parts.contains(&&*r.who) => drop(reasons.insert("wrong-actor")),
            Who::Somebody if r.who == "nobody" => drop(reasons.insert("wrong-actor")),
            Who::Team if !w.task_is(r, |task| task.team == r.who) => drop(reasons.insert("not-your-task")),
            _ => {}
        }
        if reasons.is_empty() && !(row.is_so)(w, r) {
            lines.insert(row.line);
            for one in row.tells {
                match *one {
                    "team" => told.extend(w.tasks.get(&r.task).map(|task| task.team.clone())),
                    "teams" => told.extend(r.teams.iter().cloned()),
                    part => drop(told.insert(part.to_owned())),
                }
            }
        }
    }
    match (reasons.is_empty(), lines.is_empty()) {
        (false, _) => Verdict::Refused(reasons),
        (true, true) => Verdict::Nothing,
        (true, false) => Verdict::Happens(lines, told),
    }
}

pub fn apply(w: &mut World, r: &Request) {
    match ROWS.iter().find(|row| row.word == r.word) {
        Some(row) => (row.effect)(w, r),
        None => set_status(w, r),
    }
}

/// Every word that somebody may say.
pub fn vocabulary() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.word).chain(["patch-status"]).collect()
}

/// Every row by its line.
pub fn lines() -> Vec<&'static str> {
    WAYS.iter().map(|way| way.line).chain(ROWS.iter().map(|row| row.line)).collect()
}

/// Every reason that the table knows.
pub fn codes() -> BTreeSet<&'static str> {
    let needs = ROWS.iter().flat_map(|row| row.needs).map(|(_, code)| *code);
    needs.chain(["wrong-actor", "not-your-task"]).collect()
}
