//! The conditions that the table of the model names. The standard library and nothing else.
//!
//! What does not exist fulfils every condition but the one that says it must.

mod world;

pub use world::*;

/// G7: mirrors have so long to show a bundle (set up so for the walks).
const MIRRORS: i64 = 2;
/// No quarantine is longer, and none is lengthened by more (a choice of ours).
const DAYS_MAX: u32 = 366;

pub fn patches_are_known(w: &World, r: &Request) -> bool {
    r.patches.iter().all(|id| w.patches.contains_key(id))
}

pub fn patch_is_new(w: &World, r: &Request) -> bool {
    !r.patches.iter().any(|id| w.patches.contains_key(id) || w.is_archived("patch", id))
}

pub fn names_patches(_: &World, r: &Request) -> bool {
    !r.patches.is_empty()
}

pub fn names_teams(_: &World, r: &Request) -> bool {
    !r.teams.is_empty()
}

pub fn brings_packages(_: &World, r: &Request) -> bool {
    !r.packages.is_empty()
}

pub fn packages_are_free(w: &World, r: &Request) -> bool {
    let mut others = w.patches.iter().filter(|(id, one)| !r.patches.contains(*id) && !is_final(one.status));
    others.all(|(_, one)| one.packages.is_disjoint(&r.packages))
}

pub fn are_not_tested_yet(w: &World, r: &Request) -> bool {
    let early = ["registered", "verified", "ready-for-rollout"];
    w.all_patches(r, |one| one.packages == r.packages || early.contains(&one.status))
}

pub fn bundle_is_known(w: &World, r: &Request) -> bool {
    w.bundles.contains_key(&r.bundle)
}

pub fn bundle_is_new(w: &World, r: &Request) -> bool {
    !bundle_is_known(w, r) && !w.is_archived("bundle", &r.bundle)
}

pub fn bundle_goes_on(w: &World, r: &Request) -> bool {
    w.bundle_is(r, |bundle| bundle.held.is_none())
}

pub fn travel_with_no_other(w: &World, r: &Request) -> bool {
    w.all_patches(r, |one| one.bundle.as_ref().is_none_or(|bundle| *bundle == r.bundle))
}

pub fn newcomers_are_verified(w: &World, r: &Request) -> bool {
    let verified = |one: &Patch| ["verified", "ready-for-rollout"].contains(&one.status);
    w.all_patches(r, |one| one.bundle.as_ref() == Some(&r.bundle) || verified(one))
}

pub fn are_not_handed_out(w: &World, r: &Request) -> bool {
    w.all_patches(r, |one| one.bundle.as_ref() != Some(&r.bundle) || one.place == "before")
}

pub fn one_is_flagged(w: &World, r: &Request) -> bool {
    w.waiting(&r.bundle).next().is_none()
        || w.waiting(&r.bundle).any(|(_, one)| one.status == "ready-for-rollout")
}

pub fn waiting_are_whole(w: &World, r: &Request) -> bool {
    w.waiting(&r.bundle).all(|(_, one)| {
        one.status != "registered" && one.packages.iter().all(|package| w.lists("certified", package))
    })
}

pub fn something_is_rejected(w: &World, r: &Request) -> bool {
    w.patches_of(&r.bundle).any(|(_, one)| one.place == "delta" && one.status == "rejected")
}

pub fn has_a_reason(_: &World, r: &Request) -> bool {
    !r.reason.trim().is_empty()
}

pub fn bundle_was_deployed(w: &World, r: &Request) -> bool {
    w.bundle_is(r, |bundle| bundle.deployed.is_some())
}

pub fn delta_is_complete(w: &World, r: &Request) -> bool {
    let urgent = !w.bundle_is(r, |bundle| !bundle.urgent);
    let statuses = if urgent { &["rolling-out", "ready-for-production"][..] } else { &["rolling-out"] };
    w.is_complete(&r.bundle, statuses)
}

pub fn mirrors_show_it(w: &World, r: &Request) -> bool {
    w.bundle_is(r, |bundle| bundle.deployed.is_none_or(|at| at + MIRRORS <= w.proven()))
}

pub fn something_is_with_sites(w: &World, r: &Request) -> bool {
    let urgent = !w.bundle_is(r, |bundle| !bundle.urgent);
    w.patches_of(&r.bundle).any(|(_, one)| one.place == "delta" || urgent && one.place == "production")
}

pub fn something_was_taken_out(w: &World, r: &Request) -> bool {
    w.patches_of(&r.bundle).any(|(_, one)| one.place == "out")
}

pub fn quarantine_is_bearable(_: &World, r: &Request) -> bool {
    r.days.is_none_or(|days| days <= DAYS_MAX)
}

pub fn extension_is_bearable(_: &World, r: &Request) -> bool {
    r.days.is_some_and(|days| (1..=DAYS_MAX).contains(&days))
}

pub fn teams_are_known(w: &World, r: &Request) -> bool {
    r.teams.iter().all(|team| w.teams.contains_key(team))
}

pub fn teams_run_it(w: &World, r: &Request) -> bool {
    let known = r.teams.iter().filter(|team| w.teams.contains_key(*team));
    bundle_is_new(w, r) || known.into_iter().all(|team| w.share(r, team).is_some())
}

pub fn nobody_has_it_already(w: &World, r: &Request) -> bool {
    let has = |team: &String| {
        let Some((_, patches)) = w.share(r, team) else { return false };
        let (contents, back) = (w.contents(&patches), r.word == "task-assign-back");
        w.tasks.values().any(|task| {
            (task.back, &task.team, &task.bundle, &task.contents) == (back, team, &r.bundle, &contents)
                && !["closed", "declined"].contains(&task.progress)
        })
    };
    !r.teams.iter().any(has)
}

pub fn task_is_known(w: &World, r: &Request) -> bool {
    w.tasks.contains_key(&r.task)
}

pub fn task_is_unanswered(w: &World, r: &Request) -> bool {
    w.task_is(r, |task| task.progress == "assigned")
}

pub fn task_is_open(w: &World, r: &Request) -> bool {
    w.task_is(r, is_open)
}

pub fn task_is_in_progress(w: &World, r: &Request) -> bool {
    w.task_is(r, |task| task.progress == "in-progress")
}

pub fn report_is_about_it(_: &World, r: &Request) -> bool {
    r.made_for != Some(false)
}

pub fn quarantine_is_over(w: &World, r: &Request) -> bool {
    let over =
        |task: &Task| task.begun.is_none_or(|begun| w.witnessed.min(w.wall) >= begun + task.quarantine);
    r.outcome == "fail" || w.task_is(r, over)
}

pub fn site_has_shown_it(w: &World, r: &Request) -> bool {
    let shown = |task: &Task| task.back || task.shown.last() == Some(&true);
    !w.wants_evidence || r.outcome == "fail" || w.task_is(r, shown)
}

pub fn downtime_ends(_: &World, r: &Request) -> bool {
    r.from < r.until
}

pub fn team_has_no_open_task(w: &World, r: &Request) -> bool {
    !w.tasks.values().any(|task| r.teams.contains(&task.team) && is_open(task))
}

pub fn update_is_known(w: &World, r: &Request) -> bool {
    w.updates.contains_key(&r.update)
}

pub fn update_is_not_published(w: &World, r: &Request) -> bool {
    w.update_is(r, |update| update.readiness != "published")
        && !w.is_archived("update", &r.update.to_string())
}

pub fn update_is_published(w: &World, r: &Request) -> bool {
    w.update_is(r, |update| update.readiness == "published")
}

pub fn update_is_approved(w: &World, r: &Request) -> bool {
    w.update_is(r, |update| ["approved", "published"].contains(&update.readiness))
}

pub fn notes_are_ready(w: &World, r: &Request) -> bool {
    w.update_is(r, |update| update.readiness != "prepared")
}

pub fn has_a_plan(_: &World, r: &Request) -> bool {
    r.plan.is_some()
}

pub fn plan_is_the_prepared(w: &World, r: &Request) -> bool {
    w.update_is(r, |update| r.plan == Some(update.plan))
}

pub fn all_are_ready_for_production(w: &World, r: &Request) -> bool {
    let chosen = w.chosen(r);
    let ready = |one: &Patch| {
        one.status == "ready-for-production" && one.update.is_none_or(|update| update == r.update)
    };
    !chosen.is_empty() && chosen.iter().filter_map(|id| w.patches.get(id)).all(ready)
}

pub fn none_failed(w: &World, r: &Request) -> bool {
    !w.chosen(r).iter().any(|id| w.untested(id) == Some("task-failed"))
}

pub fn all_are_tested(w: &World, r: &Request) -> bool {
    !w.chosen(r).iter().any(|id| w.untested(id) == Some("tasks-open"))
}

pub fn their_bundles_go_on(w: &World, r: &Request) -> bool {
    w.bundles_of(&w.chosen(r)).iter().all(|bundle| w.bundles[bundle].held.is_none())
}

pub fn their_bundles_are_complete(w: &World, r: &Request) -> bool {
    let statuses = ["rolling-out", "ready-for-production"];
    w.bundles_of(&w.chosen(r)).iter().all(|bundle| w.is_complete(bundle, &statuses))
}

pub fn none_stays_behind(w: &World, r: &Request) -> bool {
    let may = r.word == "release-publish" && !w.update_is(r, |update| !update.partial);
    may || w.behind(&w.chosen(r)) == 0
}
