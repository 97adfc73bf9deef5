//! `sluice audit`: who asked what, when, and what became of it; whether the record of that is as it was written, and
//! whether it would be decided so again.

pub mod arguments;
mod rejudge;

use daemon::account::Account;
use daemon::audit::{Record, RecordKind, Records};
use daemon::clock::{Clock, SystemClock};
use jiff::Timestamp;
use plan::{Answer, Moved, Outcome};
use serde::Serialize;
use serde_json::json;
use store::{PosixDisk, Store};

use crate::audit::arguments::Audit;
use crate::failure::Failure;
use crate::moment;
use crate::pattern::Pattern;
use crate::settings::Settings;
use crate::terminal::{Paint, Terminal};

/// One thing that is on record.
#[derive(Debug, Serialize)]
struct Entry {
    at: Timestamp,
    owner: String,
    action: String,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    sentence: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved: Vec<Moved>,
}

/// Prints what is on record and fits, newest last; or checks the record.
pub fn run(settings: &Settings, asked: &Audit, terminal: &Terminal) -> Result<u8, Failure> {
    let (_, store) = settings.store()?;
    if asked.verify {
        return verify(&store, terminal);
    }
    if asked.rejudge {
        return rejudge::run(&store, asked, terminal);
    }
    let pattern = asked.package.as_deref().map(Pattern::parse).transpose()?;
    let mut entries = Vec::new();
    let mut records = Records::read(&PosixDisk, &store.paths().audit())?;
    for record in &mut records {
        let record = record?;
        if asked.is_of_the_time(record.at) {
            let fits = |entry: &Entry| entry.fits(asked, pattern.as_ref());
            entries.extend(entries_of(&store, record).into_iter().filter(fits));
        }
    }
    if !records.flaws().is_empty() {
        terminal.talk("the audit log was changed: see `sluice audit --verify`");
    }
    terminal.either(&entries, |paint| entries.iter().map(|entry| entry.line(paint)).collect());
    Ok(0)
}

/// What one record tells: of a generation, every request that took effect in it.
fn entries_of(store: &Store, record: Record) -> Vec<Entry> {
    let at = record.at;
    if let Some(answer) = record.answer {
        return vec![Entry::of(at, answer)];
    }
    if let Some(number) = record.generation {
        let manifest = store.recorded(number).ok().filter(|found| Some(found.digest) == record.manifest);
        let account = manifest.and_then(|found| Account::of(number, &found.manifest.account).ok());
        return match account {
            Some(account) => account.requests.into_iter().map(|one| Entry::of(at, one.answer)).collect(),
            // A restored site knows of generations that it has not.
            None => {
                let entry = |claim: String| Entry {
                    generation: Some(number),
                    claim: Some(claim),
                    ..Entry::of_the_log(at, "done", "its generation is not there any more".to_owned())
                };
                record.settled.into_iter().map(entry).collect()
            }
        };
    }
    let (outcome, sentence) = match record.kind {
        RecordKind::Began => {
            ("began", "the chain of the audit log begins; older lines stand before it".to_owned())
        }
        RecordKind::Healed if record.lost.is_empty() => (
            "healed",
            "a crash had torn the end of the audit log; the torn line counts for nothing".to_owned(),
        ),
        RecordKind::Healed => {
            let lost: Vec<_> = record.lost.iter().map(u64::to_string).collect();
            let which = lost.join(", ");
            (
                "lost",
                format!("the audit log had lost lines that the manifests of the generations {which} name"),
            )
        }
        RecordKind::Damaged => {
            let package = record.package.map(|package| package.to_string()).unwrap_or_default();
            ("damaged", format!("the package {package} rotted in the pool: {}", record.words.join("; ")))
        }
        RecordKind::Mended => {
            let package = record.package.map(|package| package.to_string()).unwrap_or_default();
            ("mended", format!("the package {package} is sound again"))
        }
        RecordKind::Configured => (
            "configured",
            "what follows was answered by a configuration that no generation names; it is kept here"
                .to_owned(),
        ),
        RecordKind::Answer | RecordKind::Generation | RecordKind::Other => {
            ("other", "a newer version of sluice wrote this record".to_owned())
        }
    };
    vec![Entry::of_the_log(at, outcome, sentence)]
}

impl Entry {
    fn of(at: Timestamp, answer: Answer) -> Entry {
        let outcome = match answer.outcome {
            Outcome::Done => "done",
            Outcome::NothingToDo => "nothing-to-do",
            Outcome::Refused => "refused",
            Outcome::Planned => "planned",
        };
        Entry {
            at,
            owner: answer.owner,
            action: answer.action,
            outcome: outcome.to_owned(),
            code: Some(answer.code),
            generation: answer.generation,
            claim: Some(answer.claim),
            id: Some(answer.id),
            sentence: answer.sentence,
            reasons: answer.reasons,
            moved: answer.moved,
        }
    }

    /// Something that nobody asked for.
    fn of_the_log(at: Timestamp, outcome: &str, sentence: String) -> Entry {
        Entry {
            at,
            owner: "log".to_owned(),
            action: "audit".to_owned(),
            outcome: outcome.to_owned(),
            code: None,
            generation: None,
            claim: None,
            id: None,
            sentence,
            reasons: Vec::new(),
            moved: Vec::new(),
        }
    }

    fn fits(&self, asked: &Audit, pattern: Option<&Pattern>) -> bool {
        let is_owner = |owner: &String| {
            self.owner == *owner || self.owner.split_once(':').is_some_and(|(_, name)| name == owner)
        };
        let is_about = |pattern: &Pattern| {
            let moved = self.moved.iter().flat_map(|moved| moved.entered.iter().chain(&moved.left));
            let mut nevras = moved.filter_map(|nevra| nevra.parse().ok());
            // What was refused moved nothing; its words name the package.
            let words = || std::iter::once(&self.sentence).chain(&self.reasons);
            let named = |text: &String| text.split([' ', ',', ':', ';', '`']).any(|word| pattern.names(word));
            nevras.any(|nevra| pattern.fits(&nevra)) || words().any(named)
        };
        asked.owner.as_ref().is_none_or(is_owner)
            && asked.action.as_ref().is_none_or(|action| self.action == *action)
            && (!asked.refused || self.outcome == "refused")
            && pattern.is_none_or(is_about)
    }

    fn line(&self, paint: Paint) -> String {
        let outcome = match (&*self.outcome, self.generation) {
            ("refused", _) => paint.red(&format!("refused ({})", self.code.as_deref().unwrap_or_default())),
            ("done", Some(number)) => paint.green(&format!("done @{number}")),
            (outcome, _) => outcome.to_owned(),
        };
        let (owner, action) = (one_line(&self.owner), one_line(&self.action));
        format!("{}  {owner}  {action}  {outcome}  {}\n", moment::text(self.at), one_line(&self.sentence))
    }
}

/// Makes words of strangers fit for one line of a terminal.
fn one_line(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control(), " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Checks every line against the one before it and against the manifests.
fn verify(store: &Store, terminal: &Terminal) -> Result<u8, Failure> {
    let dir = store.paths().audit();
    let mut records = Records::read(&PosixDisk, &dir)?;
    let (mut count, mut healed) = (0, 0);
    for record in &mut records {
        count += 1;
        healed += usize::from(record?.kind == RecordKind::Healed);
    }
    let torn = records.torn().cloned();
    let found = daemon::verify::audit(&PosixDisk, store.paths().root(), SystemClock.now());
    let code = if found.is_empty() { 0 } else { 6 };
    let told = json!({ "records": count, "healed": healed, "torn": torn, "exit": code, "violations": found });
    terminal.either(&told, |paint| {
        let mut text = String::new();
        for violation in &found {
            text.push_str(&format!(
                "{} {}: {}\n",
                paint.red(violation.invariant),
                violation.place,
                violation.words
            ));
        }
        if let Some(torn) = &torn {
            let words = "a crash tore it; the next start of the daemon says that it counts for nothing";
            text.push_str(&format!("{}: line {}: {words}\n", torn.path, torn.line));
        }
        if healed > 0 {
            let times = moment::count(healed, "time");
            text.push_str(&format!("{times} the end of the log was healed; `sluice audit` shows when\n"));
        }
        match found.len() {
            0 => {
                text + &format!(
                    "{} {dir}: {} in one chain\n",
                    paint.green("ok"),
                    moment::count(count, "record")
                )
            }
            1 => format!("{text}1 violation in {dir}\n"),
            broken => format!("{text}{broken} violations in {dir}\n"),
        }
    });
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            owner: "user:alice".into(),
            action: "promote".into(),
            code: Some("older".into()),
            ..Entry::of_the_log(
                "2026-11-21T23:04:35Z".parse().unwrap(),
                "refused",
                "no step back:\n`voms-1-1.noarch`".into(),
            )
        }
    }

    fn fits(asked: &[&str]) -> bool {
        use clap::Parser;
        let line = ["sluice", "audit"].iter().chain(asked);
        let crate::arguments::Verb::Audit(audit) =
            crate::arguments::Arguments::try_parse_from(line).unwrap().verb
        else {
            panic!("audit was asked for")
        };
        let pattern = audit.package.as_deref().map(|text| Pattern::parse(text).unwrap());
        entry().fits(&audit, pattern.as_ref())
    }

    #[test]
    fn a_record_is_one_line() {
        assert_eq!(
            entry().line(Paint::PLAIN),
            "2026-11-21 23:04:35Z  user:alice  promote  refused (older)  no step back: `voms-1-1.noarch`\n"
        );
    }

    #[test]
    fn records_are_chosen_by_owner_action_package_and_outcome() {
        for asked in [
            &["--owner", "alice"][..],
            &["--owner", "user:alice"],
            &["--action", "promote", "--refused"],
            &["--package", "voms"],
            &["--package", "vom*"],
            &["--package", "voms-1-1.noarch"],
        ] {
            assert!(fits(asked), "{asked:?}");
        }
        for asked in
            [&["--owner", "bob"][..], &["--action", "import"], &["--package", "lcg"], &["--package", "v"]]
        {
            assert!(!fits(asked), "{asked:?}");
        }
    }
}
