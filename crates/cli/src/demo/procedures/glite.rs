//! Procedure `glite`: two bundles, three sites, a patch that fails and is taken back, and an update with a part of what was tried.

use anyhow::{Context, Result};

use super::{Cast, Narrator};
use crate::demo::world::{component, meta};

/// When the packages were built.
const THEN: u32 = 1_272_672_000;
const NOW: u32 = 1_275_350_400;

const BEFORE: &str = "\
    blah-1.16.0-1, cream-1.13.0-1, dpm-1.8.0-1, emi-CE-1.0.0-1, emi-SE-1.0.0-1, lfc-1.8.0-1";

/// Patches by number, what they bring, and what they are.
const PATCHES: [(&str, &str, &str); 4] = [
    ("4201", "dpm", "DPM 1.8.2 copies faster"),
    ("4202", "lfc emi-SE", "LFC 1.8.2 speaks IPv6"),
    ("4203", "cream", "CREAM 1.13.1 forgets fewer jobs"),
    ("4204", "blah emi-CE", "BLAH 1.16.1 knows another batch system"),
];

pub(super) fn play(cast: Cast<'_>, narrator: &mut Narrator<'_>) -> Result<()> {
    narrator.chapter(
        "\nA release, as people make it",
        "The release team (MU) prepares patches, operations (OU) decide, and three early adopters at other \
         institutes try everything for a week before anybody else gets it. All of them drop requests; the daemon \
         keeps who may do what next. The clock of this story skips the days.",
    );
    cast.imports(
        "verifier",
        "certified",
        "emi-old",
        vec![
            component("dpm", "1.8.0", THEN, "/usr/bin/dpm"),
            component("lfc", "1.8.0", THEN, "/usr/bin/lfc"),
            component("cream", "1.13.0", THEN, "/usr/bin/cream"),
            component("blah", "1.16.0", THEN, "/usr/bin/blah"),
            meta("emi-SE", "1.0.0", THEN, &["dpm = 1.8.0-1", "lfc = 1.8.0-1"]),
            meta("emi-CE", "1.0.0", THEN, &["cream = 1.13.0-1", "blah = 1.16.0-1"]),
        ],
    )?;
    for (team, node_types) in
        [("ea-IT-CNAF", "emi-SE"), ("ea-UK-RAL", "emi-CE"), ("ea-CZ-FZU", "emi-SE\", \"emi-CE")]
    {
        let entry =
            format!("team = \"{team}\"\ncontact = \"grid@example.org\"\nnode_types = [\"{node_types}\"]");
        cast.does("ou", "team-add", &entry)?;
    }
    what_everybody_has(cast)?;
    cast.imports(
        "verifier",
        "certified",
        "emi-new",
        vec![
            component("dpm", "1.8.2", NOW, "/usr/bin/dpm"),
            component("lfc", "1.8.2", NOW, "/usr/bin/lfc"),
            component("cream", "1.13.1", NOW, "/usr/bin/cream"),
            component("blah", "1.16.1", NOW, "/usr/bin/blah"),
            meta("emi-SE", "1.0.1", NOW, &["dpm = 1.8.2-1", "lfc = 1.8.2-1"]),
            meta("emi-CE", "1.0.1", NOW, &["cream = 1.13.1-1", "blah = 1.16.1-1"]),
        ],
    )?;
    two_bundles(cast, narrator);
    three_sites(cast, narrator);
    a_roll_back(cast, narrator);
    the_way_back(cast, narrator);
    a_partial_release(cast, narrator);
    an_update(cast, narrator);
    Ok(())
}

/// Update 56, as the next one will come about.
fn what_everybody_has(cast: Cast<'_>) -> Result<()> {
    let packages = ["dpm", "lfc", "cream", "blah", "emi-SE", "emi-CE"];
    let keys = format!("patch = \"4100\"\ntitle = \"The first release\"\npackages = {packages:?}");
    cast.does("mu", "patch-add", &keys)?;
    set(cast, "mu", &["4100"], "verified")?;
    set(cast, "ou", &["4100"], "ready-for-rollout")?;
    cast.does("mu", "bundle-create", "bundle = \"first\"\npatches = [\"4100\"]")?;
    cast.does("mu", "bundle-deploy", "bundle = \"first\"")?;
    cast.site.pass(2);
    assign(cast, "first", &["ea-CZ-FZU"], "")?;
    begins(cast, "ea-CZ-FZU", 1, "success")?;
    cast.site.pass(7 * 24);
    ends(cast, "ea-CZ-FZU", 1)?;
    set(cast, "ou", &["4100"], "ready-for-production")?;
    cast.does("mu", "release-prepare", "update = 56")?;
    cast.does("mu", "release-ready", "update = 56")?;
    publish(cast, 56)
}

/// OU approves of the plan by its hash, and MU publishes.
fn publish(cast: Cast<'_>, update: u32) -> Result<()> {
    let plan = cast.state()?.updates.get(&update).context("there is no such update")?.plan.hex();
    cast.does("ou", "release-approve", &format!("update = {update}\nplan = \"{plan}\""))?;
    cast.does("mu", "release-publish", &format!("update = {update}"))?;
    Ok(())
}

fn set(cast: Cast<'_>, who: &str, patches: &[&str], status: &str) -> Result<()> {
    cast.does(who, "patch-status", &format!("patches = {patches:?}\nstatus = \"{status}\""))?;
    Ok(())
}

/// Where each patch stands.
fn patches(cast: Cast<'_>) -> Result<String> {
    let state = cast.state()?;
    let all = state.patches.iter().filter(|(id, _)| PATCHES.iter().any(|(one, ..)| id.as_str() == *one));
    Ok(all.map(|(id, patch)| format!("{id} {}", patch.status)).collect::<Vec<_>>().join(", "))
}

fn assign(cast: Cast<'_>, bundle: &str, teams: &[&str], more: &str) -> Result<()> {
    cast.does("ou", "task-assign", &format!("bundle = \"{bundle}\"\nteams = {teams:?}\n{more}"))?;
    Ok(())
}

/// A team takes a task on, and says that it runs what it is about.
fn begins(cast: Cast<'_>, team: &str, task: u32, outcome: &str) -> Result<()> {
    cast.does(team, "task-answer", &format!("task = {task}\nanswer = \"accept\""))?;
    cast.does(team, "task-start", &format!("task = {task}\noutcome = \"{outcome}\""))?;
    Ok(())
}

fn ends(cast: Cast<'_>, team: &str, task: u32) -> Result<String> {
    cast.says(team, "task-done", &format!("task = {task}\noutcome = \"success\""))
}

fn two_bundles(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "Four patches, two bundles, and the early adopters have them",
        "MU verifies, OU gives the green flag, MU bundles what belongs together and deploys it: packages enter \
         delta and patches become `rolling-out` in the same instant. Production notices nothing.",
        format!(
            "4201 rolling-out, 4202 rolling-out, 4203 rolling-out, 4204 rolling-out; with delta a host gets \
             blah-1.16.1-1, cream-1.13.1-1, emi-CE-1.0.1-1; production lists {BEFORE}"
        ),
        |_| {
            for (id, packages, title) in PATCHES {
                let packages: Vec<&str> = packages.split(' ').collect();
                let keys = format!("patch = \"{id}\"\ntitle = \"{title}\"\npackages = {packages:?}");
                cast.does("mu", "patch-add", &keys)?;
            }
            let all = PATCHES.map(|(id, ..)| id);
            set(cast, "mu", &all, "verified")?;
            set(cast, "ou", &all, "ready-for-rollout")?;
            for (bundle, patches) in [("se", &all[..2]), ("ce", &all[2..])] {
                cast.does("mu", "bundle-create", &format!("bundle = \"{bundle}\"\npatches = {patches:?}"))?;
                cast.does("mu", "bundle-deploy", &format!("bundle = \"{bundle}\""))?;
            }
            let gets = cast.installs(&["production", "delta"], "emi-CE")?;
            Ok(format!("{}; with delta a host gets {gets}; production lists {}", patches(cast)?, cast.lists("production")?))
        },
    );
}

fn three_sites(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "Three sites are asked to try it",
        "Each has a working day to answer, then a week to run it under load. Who wants to be done earlier is told \
         when the quarantine ends. At CNAF and FZU everything runs; at RAL CREAM loses jobs.",
        "CNAF on the third day: refused: in-quarantine; after seven days done, FZU done; task 4 of RAL: fail",
        |narrator| {
            cast.site.pass(2);
            assign(cast, "se", &["ea-CZ-FZU", "ea-IT-CNAF"], "")?;
            assign(cast, "ce", &["ea-UK-RAL"], "")?;
            cast.shows_who_waits(narrator)?;
            for (team, task, outcome) in [("ea-CZ-FZU", 2, "success"), ("ea-IT-CNAF", 3, "success"), ("ea-UK-RAL", 4, "fail")] {
                begins(cast, team, task, outcome)?;
            }
            cast.site.pass(3 * 24);
            let early = ends(cast, "ea-IT-CNAF", 3)?;
            cast.site.pass(4 * 24);
            let (cnaf, fzu) = (ends(cast, "ea-IT-CNAF", 3)?, ends(cast, "ea-CZ-FZU", 2)?);
            let state = cast.state()?;
            let ral = state.tasks.get(&4).and_then(|task| task.outcome).context("RAL said nothing")?;
            Ok(format!(
                "CNAF on the third day: {early}; after seven days {cnaf}, FZU {fzu}; task 4 of RAL: {}",
                ral.to_string().to_lowercase()
            ))
        },
    );
}

fn a_roll_back(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "CREAM is rejected, and the node type is built anew",
        "OU rejects the patch. MU rolls the bundle back: the rejected RPM leaves delta, and emi-CE is re-created, with a \
         higher release, so that it pins the version before. Nobody writes a spec file.",
        "4201 rolling-out, 4202 rolling-out, 4203 rejected, 4204 rolling-out; with delta a host gets \
         blah-1.16.1-1, cream-1.13.0-1, emi-CE-1.0.1-1.1",
        |narrator| {
            set(cast, "ou", &["4203"], "rejected")?;
            let keys = "bundle = \"ce\"\nreason = \"CREAM 1.13.1 loses jobs at RAL\"";
            let answer = cast.does("mu", "bundle-rollback", keys)?;
            narrator.show("the answer", &answer.sentence);
            let gets = cast.installs(&["production", "delta"], "emi-CE")?;
            Ok(format!("{}; with delta a host gets {gets}", patches(cast)?))
        },
    );
}

fn the_way_back(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "RAL goes back, and what is left is tried as it is now",
        "A roll-back is a task, too: three days. The reports on the bundle as it was do not count for what was built anew, so \
         FZU tries the rest.",
        "RAL's task closed, its way back done; FZU done",
        |_| {
            assign(cast, "ce", &["ea-UK-RAL"], "rollback = true")?;
            begins(cast, "ea-UK-RAL", 5, "success")?;
            cast.site.pass(3 * 24);
            let back = ends(cast, "ea-UK-RAL", 5)?;
            assign(cast, "ce", &["ea-CZ-FZU"], "")?;
            begins(cast, "ea-CZ-FZU", 6, "success")?;
            cast.site.pass(7 * 24);
            let rest = ends(cast, "ea-CZ-FZU", 6)?;
            let state = cast.state()?;
            let closed = state.tasks.get(&4).context("there is no task 4")?.progress;
            Ok(format!("RAL's task {closed}, its way back {back}; FZU {rest}"))
        },
    );
}

fn a_partial_release(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "LFC is to stay with the early adopters: a partial release",
        "OU lets DPM and BLAH go on. LFC is good, too, and has to wait for another reason. Moving DPM alone would leave \
         emi-SE with a pin that nothing in production satisfies; Sluice says so, and makes it right where it is wanted.",
        "refused: leaves-patches-behind; in part: done; approved of another plan: refused: other-plan; production \
         lists BEFORE",
        |_| {
            set(cast, "ou", &["4201", "4204"], "ready-for-production")?;
            let whole = cast.says("mu", "release-prepare", "update = 57")?;
            let part = cast.says("mu", "release-prepare", "update = 57\npartial = true")?;
            cast.does("mu", "release-ready", "update = 57")?;
            let other = format!("update = 57\nplan = \"{}\"", "00".repeat(32));
            let other = cast.says("ou", "release-approve", &other)?;
            let listed = cast.lists("production")?.replace(BEFORE, "BEFORE");
            Ok(format!("{whole}; in part: {part}; approved of another plan: {other}; production lists {listed}"))
        },
    );
}

fn an_update(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "Update 57 is on line",
        "OU approves of the plan by its hash; MU publishes. Packages, node types, statuses and the name of the \
         update change in one instant, and everybody upgrades.",
        "a storage element gets dpm-1.8.2-1, emi-SE-1.0.1-1.1, lfc-1.8.0-1; a computing element blah-1.16.1-1, \
         cream-1.13.0-1, emi-CE-1.0.1-1.1; 4201 released, 4202 rolling-out, 4203 rejected, 4204 released; \
         /@emi-1-update-57/ lists the same",
        |narrator| {
            publish(cast, 57)?;
            cast.shows_who_waits(narrator)?;
            let (se, ce) = (cast.installs(&["production"], "emi-SE")?, cast.installs(&["production"], "emi-CE")?);
            let named = format!("{}/@emi-1-update-57/{}/{}/production", cast.site.base, cast.product, super::PLATFORM);
            let same = cast.client.repository(&named)?.list() == cast.lists("production")?;
            let same = if same { "/@emi-1-update-57/ lists the same" } else { "/@emi-1-update-57/ lists something else" };
            Ok(format!("a storage element gets {se}; a computing element {ce}; {}; {same}", patches(cast)?))
        },
    );
}
