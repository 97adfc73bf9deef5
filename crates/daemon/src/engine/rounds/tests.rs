//! The engine as it runs, on a disk in memory with a clock of its own: who is late is reminded once, and what is over is laid aside.

use plan::Answer;
use store::Disk;
use workflow::{Progress, Reminder, State};

use crate::rejudge::rejudge;
use crate::rejudge::tests::town::Town;
use crate::remembered::{archived, read};
use crate::verify::{Rest, Verifier};

const CONFIG: &str = r#"
format = 1
[site]
name = "T"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
sweep_every = "30 days"
[roles]
release-team = ["uid:1000"]
operations = ["uid:71001"]
admin = ["uid:1000"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "certified"
import_roles = ["release-team"]
[[product.route]]
from = "certified"
to = "delta"
roles = ["release-team"]
[product.procedure]
kind = "glite"
from = "certified"
beta = "delta"
production = "production"
quarantine = "7 days"
archive_after = "30 days"
"#;

const MU: u32 = 1000;
const OU: u32 = 71001;
const TEAM: u32 = 71003;
const DAY: i64 = 86_400;
const TEN_YEARS: i64 = 3652 * DAY;

fn does(town: &mut Town, uid: u32, action: &str, keys: &str) -> Answer {
    let answer = town.ask(uid, &format!("action = \"{action}\"\nproduct = \"glite\"\n{keys}"));
    assert_eq!(answer.code, "done", "{action}: {answer:?}");
    answer
}

fn refused(town: &mut Town, uid: u32, action: &str, keys: &str) -> String {
    town.ask(uid, &format!("action = \"{action}\"\nproduct = \"glite\"\n{keys}")).code
}

fn remembered(town: &Town) -> State {
    let store = town.store();
    let current = store.current().unwrap().unwrap();
    read(&store, &current).unwrap().products["glite"].clone()
}

/// A bundle with one patch, handed to one team.
fn handed_out(town: &mut Town, name: &str) {
    let file = town.upload(name, "1");
    does(town, MU, "import", &format!("to = \"certified\"\nfiles = [\"{file}\"]"));
    does(town, MU, "patch-add", &format!("patch = \"{name}\"\ntitle = \"t\"\npackages = [\"{name}\"]"));
    does(town, MU, "patch-status", &format!("patches = [\"{name}\"]\nstatus = \"verified\""));
    does(town, OU, "patch-status", &format!("patches = [\"{name}\"]\nstatus = \"ready-for-rollout\""));
    does(town, MU, "bundle-create", &format!("bundle = \"{name}\"\npatches = [\"{name}\"]"));
    does(town, MU, "bundle-deploy", &format!("bundle = \"{name}\""));
    does(town, OU, "task-assign", &format!("bundle = \"{name}\"\nteams = [\"ea-IT-CNAF\"]"));
}

fn pass(town: &mut Town, seconds: i64) {
    town.clock.advance(seconds);
    town.settle();
}

fn town() -> Town {
    let mut town = Town::new(CONFIG);
    let entry = format!("team = \"ea-IT-CNAF\"\ncontact = \"a@example.org\"\nmembers = [\"uid:{TEAM}\"]");
    does(&mut town, OU, "team-add", &entry);
    town
}

/// What is verified of the whole tree, and judged of the whole record.
fn is_sound(town: &Town) {
    let disk: &dyn Disk = &*town.disk;
    let found = Verifier::default().verify(disk, "/srv/sluice".into(), None, Rest::Quiet, town.at(0));
    assert_eq!(found, []);
    let judgement = rejudge(disk, &town.store(), &|_, _| true).unwrap();
    assert!(judgement.differing.is_empty() && judgement.judged > 10, "{judgement:?}");
}

#[test]
fn who_is_late_is_reminded_once_whatever_the_clock_on_the_wall_says() {
    let mut town = town();
    handed_out(&mut town, "voms");
    let before = town.account();
    for ahead in [TEN_YEARS, -2 * TEN_YEARS, TEN_YEARS] {
        town.clock.jump(ahead);
        town.settle();
        assert!(remembered(&town).tasks[&1].reminded.is_empty(), "{ahead}");
    }
    assert_eq!(town.account().requests, before.requests, "no generation was published");
    // The time that passes is witnessed, and it is a working day's end.
    pass(&mut town, 5 * DAY);
    let task = &remembered(&town).tasks[&1];
    assert_eq!(task.reminded, [Reminder::AnswerOverdue].into());
    let number = town.store().current().unwrap().unwrap().number;
    pass(&mut town, DAY);
    town.restart();
    town.settle();
    assert_eq!(town.store().current().unwrap().unwrap().number, number, "nobody is told twice");
    does(&mut town, TEAM, "task-start", "task = 1\noutcome = \"success\"");
    town.clock.jump(TEN_YEARS);
    assert_eq!(refused(&mut town, TEAM, "task-done", "task = 1\noutcome = \"success\""), "in-quarantine");
    town.clock.jump(-TEN_YEARS);
    town.settle();
    pass(&mut town, 8 * DAY);
    assert_eq!(remembered(&town).tasks[&1].reminded.len(), 2);
    does(&mut town, OU, "task-extend", "task = 1\ndays = 3");
    assert_eq!(remembered(&town).tasks[&1].reminded, [Reminder::AnswerOverdue].into());
    pass(&mut town, 3 * DAY);
    assert_eq!(remembered(&town).tasks[&1].reminded.len(), 2, "the longer quarantine is over as well");
    does(&mut town, TEAM, "task-done", "task = 1\noutcome = \"success\"");
    assert_eq!(remembered(&town).tasks[&1].progress, Progress::Done);
    is_sound(&town);
}

#[test]
fn what_is_over_for_long_enough_lies_in_the_archive_and_is_linked_from_then_on() {
    let mut town = town();
    for (at, name) in ["voms", "wms"].into_iter().enumerate() {
        handed_out(&mut town, name);
        does(&mut town, OU, "patch-status", &format!("patches = [\"{name}\"]\nstatus = \"rejected\""));
        does(&mut town, MU, "bundle-rollback", &format!("bundle = \"{name}\"\nreason = \"it fails\""));
        town.clock.jump(TEN_YEARS);
        town.settle();
        town.clock.jump(-TEN_YEARS);
        town.settle();
        assert_eq!(remembered(&town).bundles.len(), 1, "a clock that jumps lays nothing aside");
        pass(&mut town, 31 * DAY);
        let state = remembered(&town);
        assert!(state.patches.is_empty() && state.bundles.is_empty() && state.tasks.is_empty(), "{state:?}");
        assert_eq!(state.archived.last_task, u32::try_from(at).unwrap() + 1);
        let store = town.store();
        let current = store.current().unwrap().unwrap();
        let files: Vec<&String> =
            current.files.private.keys().filter(|path| path.starts_with("archive/")).collect();
        assert_eq!(files, ["archive/000001.json"], "what is small shares a file");
        let filed = archived(&store, &current).unwrap();
        assert_eq!(filed.len(), at + 1);
        assert!(filed[at].bundles.keys().any(|id| id.as_str() == name) && filed[at].tasks.len() == 1);
    }
    // What others do meanwhile writes none of it again.
    let inode = |town: &Town| {
        let number = town.store().current().unwrap().unwrap().number;
        let path = format!("/srv/sluice/generations/{number}/archive/000001.json");
        town.disk.state(path.as_str().into()).unwrap().unwrap().inode
    };
    let known = inode(&town);
    handed_out(&mut town, "gfal");
    assert_eq!(inode(&town), known);
    // No id and no number comes twice, and whoever asks is told where it is.
    assert_eq!(remembered(&town).tasks.keys().collect::<Vec<_>>(), [&3]);
    assert_eq!(
        refused(&mut town, MU, "bundle-create", "bundle = \"voms\"\npatches = [\"gfal\"]"),
        "id-taken"
    );
    let answer =
        town.ask(MU, "action = \"patch-comment\"\nproduct = \"glite\"\npatch = \"voms\"\ncomment = \"x\"");
    assert_eq!(
        (&*answer.code, &*answer.sentence),
        ("no-such-patch", "patch `voms` is over, and lies in the archive")
    );
    is_sound(&town);
    town.restart();
    handed_out(&mut town, "lcg");
    is_sound(&town);
}
