//! The `[product.procedure]` table: by which procedure patches go through the stages of a product, and who takes which step.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};
use plan::Procedure;
use toml::de::DeValue;
use workflow::{Calendar, Rules};

use super::calendar::time_zone;
use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::section::{Section, Text, texts_of};
use super::site::duration;
use super::step::{DraftRoute, DraftStage, good_roles};

/// The words of `kind`.
const KINDS: [(&str, workflow::Procedure); 2] =
    [("glite", workflow::Procedure::Glite), ("egi", workflow::Procedure::Egi)];

/// What the stages of procedure `egi` are called where nobody says otherwise.
const EGI_STAGES: [&str; 3] = ["untested", "testing", "production"];

/// The days as `working_days` writes them.
const DAYS: [(&str, Weekday); 7] = [
    ("Monday", Weekday::Monday),
    ("Tuesday", Weekday::Tuesday),
    ("Wednesday", Weekday::Wednesday),
    ("Thursday", Weekday::Thursday),
    ("Friday", Weekday::Friday),
    ("Saturday", Weekday::Saturday),
    ("Sunday", Weekday::Sunday),
];

/// The most working days that a team may have to answer.
const ANSWER_DAYS_MAX: i64 = 60;

/// Reads the table; the stages and routes of the product must be there.
pub(super) fn read(
    mut section: Section<'_>,
    (stages, routes): (&[DraftStage], &[DraftRoute]),
    faults: &mut Faults<'_>,
) -> Option<Procedure> {
    let at = section.at;
    let kind = section.needed("kind", "\"glite\"", faults).and_then(|text| kind(&text, faults));
    let is_egi = kind == Some(workflow::Procedure::Egi);
    let mut place = |key, example, usual: &str, faults: &mut Faults<'_>| {
        let text = match is_egi && !section.has(key) {
            true => Text { value: usual.to_owned(), at },
            false => section.needed(key, example, faults)?,
        };
        is_stage(&text, stages, faults).then_some(text)
    };
    let [from, beta, production] = EGI_STAGES;
    let from = place("from", "\"certified\"", from, faults);
    let beta = place("beta", "\"delta\"", beta, faults);
    let production = place("production", "\"production\"", production, faults);
    let mut roles = |key: &'static str, usual: &str, faults: &mut Faults<'_>| {
        let texts = section.texts(key, faults);
        let texts = texts.unwrap_or_else(|| vec![Text { value: usual.to_owned(), at }]);
        good_roles(texts, faults).into_iter().map(|text| text.value).collect::<Vec<_>>()
    };
    let release_team = roles("release_team", "release-team", faults);
    let operations = roles("operations", "operations", faults);
    let verifiers = roles("verifiers", "verifiers", faults);
    let mut time = |key: &'static str, usual: i64, faults: &mut Faults<'_>| {
        let text = section.text(key, faults);
        let read = text.and_then(|text| duration(&text, key, faults));
        read.unwrap_or(SignedDuration::from_hours(24 * usual))
    };
    let quarantine = time("quarantine", if is_egi { 5 } else { 7 }, faults);
    let quarantine_urgent = time("quarantine_urgent", 1, faults);
    let quarantine_rollback = time("quarantine_rollback", 3, faults);
    let mirrors_delay = time("mirrors_delay", 0, faults);
    let archive_after = time("archive_after", 30, faults);
    let answer_days = answer_days(&mut section, faults);
    let calendar = calendar(&mut section, faults);
    let managers = if is_egi { managers(&mut section, faults) } else { BTreeMap::new() };
    section.end(faults);
    let (from, beta, production) = (from?, beta?, production?);
    for pair in [(&from, &beta), (&beta, &production)] {
        if !routes.iter().any(|route| route.from.value == pair.0.value && route.to.value == pair.1.value) {
            let reason = format!("no route leads from {:?} to {:?}", pair.0.value, pair.1.value);
            let hint = "the procedure takes packages along it: add a [[product.route]]".to_owned();
            faults.add(pair.1.at, reason, Some(hint));
        }
    }
    let rules = Rules {
        procedure: kind?,
        from: from.value,
        beta: beta.value,
        production: production.value,
        quarantine,
        quarantine_urgent,
        quarantine_rollback,
        mirrors_delay,
        archive_after,
        answer_days,
        calendar: calendar?,
        // No request carries what a site shows yet.
        wants_evidence: false,
        managers,
    };
    Some(Procedure { rules, release_team, operations, verifiers })
}

fn kind(text: &Text, faults: &mut Faults<'_>) -> Option<workflow::Procedure> {
    let found = KINDS.iter().find(|(word, _)| *word == text.value).map(|(_, kind)| *kind);
    if found.is_none() {
        let words = KINDS.map(|(word, _)| word);
        let reason = format!("there is no procedure {:?}", text.value);
        faults.add(text.at, reason, Some(did_you_mean(&text.value, "procedures", &words)));
    }
    found
}

/// Reads which roles the staged roll-out manager of each stack has.
fn managers(section: &mut Section<'_>, faults: &mut Faults<'_>) -> BTreeMap<String, Vec<String>> {
    let Some(table) = section.section("managers", faults) else { return BTreeMap::new() };
    let mut managers = BTreeMap::new();
    for (stack, value) in table.rest() {
        let roles = good_roles(texts_of(value, &stack.value, faults), faults);
        if matches!(value.get_ref(), DeValue::Array(roles) if roles.is_empty()) {
            let reason = format!("the stack {:?} has no manager", stack.value);
            let hint = "name a role, or leave the stack out: operations manage it then".to_owned();
            faults.add(stack.at, reason, Some(hint));
        }
        managers.insert(stack.value, roles.into_iter().map(|text| text.value).collect());
    }
    managers
}

fn is_stage(text: &Text, stages: &[DraftStage], faults: &mut Faults<'_>) -> bool {
    let known: Vec<&str> = stages.iter().map(|stage| stage.name.value.as_str()).collect();
    let is_known = known.contains(&text.value.as_str());
    if !is_known {
        let reason = format!("the procedure names the stage {:?}, which does not exist", text.value);
        faults.coded(Code::UnknownStage, text.at, reason, Some(did_you_mean(&text.value, "stages", &known)));
    }
    is_known
}

fn answer_days(section: &mut Section<'_>, faults: &mut Faults<'_>) -> u32 {
    let Some((days, at)) = section.integer("answer_days", faults) else { return 1 };
    if (0..=ANSWER_DAYS_MAX).contains(&days) {
        return u32::try_from(days).unwrap_or(1);
    }
    let reason = format!("a team cannot have {days} working days to answer");
    faults.add(at, reason, Some(format!("write a number up to {ANSWER_DAYS_MAX}")));
    1
}

fn calendar(section: &mut Section<'_>, faults: &mut Faults<'_>) -> Option<Calendar> {
    let at = section.at;
    let zone = section.text("time_zone", faults);
    let days = section.texts("working_days", faults);
    let holidays = section.texts("holidays", faults).unwrap_or_default();
    let zone = time_zone(zone.as_ref(), faults)?;
    let named = days.unwrap_or_else(|| {
        DAYS[..5].iter().map(|(name, _)| Text { value: (*name).to_owned(), at }).collect()
    });
    let mut working = Vec::new();
    for text in named {
        let names = DAYS.map(|(name, _)| name);
        match DAYS.iter().find(|(name, _)| *name == text.value) {
            Some((_, day)) => working.push(*day),
            None => {
                let reason = format!("{:?} is no day of the week", text.value);
                faults.add(text.at, reason, Some(did_you_mean(&text.value, "days", &names)));
            }
        }
    }
    let mut free = BTreeSet::new();
    for text in holidays {
        match text.value.parse::<Date>() {
            Ok(day) => drop(free.insert(day)),
            Err(_) => {
                let reason = format!("{:?} is no day", text.value);
                faults.add(text.at, reason, Some("write for example \"2026-12-25\"".to_owned()));
            }
        }
    }
    match Calendar::new(&zone, &working, free) {
        Ok(calendar) => Some(calendar),
        Err(error) => {
            faults.add(at, error.to_string(), Some("name at least one in `working_days`".to_owned()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const SITE: &str = "format = 1\n[site]\nname = \"T\"\nroot = \"/r\"\nspool = \"/s\"\nbase_url = \"http://h\"\n\
                        [[product]]\nname = \"p\"\npreset = \"egi\"\nplatforms = [\"el9/x86_64\"]\n[product.procedure]\n";
    const STAGES: &str =
        "kind = \"glite\"\nfrom = \"untested\"\nbeta = \"testing\"\nproduction = \"production\"\n";

    fn parse(more: &str) -> Result<Procedure, String> {
        let config = Config::parse(format!("{SITE}{more}").as_bytes(), "sluice.toml");
        let config = config.map_err(|errors| errors.to_string())?;
        Ok(config.layout.products["p"].procedure.clone().expect("the product has one"))
    }

    #[test]
    fn what_is_not_said_is_as_the_procedure_was_followed() {
        let procedure = parse(STAGES).unwrap();
        assert_eq!(procedure.release_team, ["release-team"]);
        assert_eq!(procedure.rules.quarantine, SignedDuration::from_hours(7 * 24));
        assert_eq!(procedure.rules.quarantine_rollback, SignedDuration::from_hours(3 * 24));
        assert_eq!((procedure.rules.answer_days, procedure.rules.calendar.zone()), (1, "UTC"));
        let other = "operations = [\"ou\"]\nquarantine = \"5 days\"\nworking_days = [\"Sunday\"]\nholidays = [\"2026-12-25\"]\n";
        let procedure = parse(&format!("{STAGES}{other}")).unwrap();
        assert_eq!(procedure.operations, ["ou"]);
        assert_eq!(procedure.rules.quarantine, SignedDuration::from_hours(5 * 24));
        assert!(!procedure.rules.calendar.is_working_day("2026-03-02".parse().unwrap()));
    }

    #[test]
    fn the_procedure_egi_knows_its_stages_and_the_managers_of_stacks() {
        let procedure = parse("kind = \"egi\"\n").unwrap();
        let Rules { procedure: kind, from, beta, production, .. } = &procedure.rules;
        assert_eq!(*kind, workflow::Procedure::Egi);
        assert_eq!([from, beta, production], ["untested", "testing", "production"]);
        assert_eq!(procedure.rules.quarantine, SignedDuration::from_hours(5 * 24));
        assert_eq!((procedure.rules.answer_days, procedure.rules.managers.len()), (1, 0));
        let more = "kind = \"egi\"\nquarantine = \"7 days\"\n[product.procedure.managers]\nEMI = [\"emi\"]\nARC = [\"arc\"]\n";
        let procedure = parse(more).unwrap();
        assert_eq!(procedure.rules.quarantine, SignedDuration::from_hours(7 * 24));
        let managers =
            [("ARC".to_owned(), vec!["arc".to_owned()]), ("EMI".to_owned(), vec!["emi".to_owned()])];
        assert_eq!(procedure.rules.managers, BTreeMap::from(managers));
        let said = parse("kind = \"egi\"\n[product.procedure.managers]\nEMI = []\n").unwrap_err();
        assert!(said.contains("the stack \"EMI\" has no manager"), "{said}");
        let said = parse("kind = \"egi\"\n[product.procedure.managers]\nARC = \"arc\"\n").unwrap_err();
        assert!(said.contains("`ARC` must be a list of texts") && !said.contains("no manager"), "{said}");
        // The other procedure has none.
        let said = parse(&format!("{STAGES}[product.procedure.managers]\nEMI = [\"emi\"]\n")).unwrap_err();
        assert!(said.contains("unknown key `managers`"), "{said}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, words) in [
            (STAGES.replace("glite", "gridware"), "there is no procedure \"gridware\""),
            (STAGES.replace("\"testing\"", "\"delta\""), "the procedure names the stage \"delta\""),
            (
                STAGES.replace("\"untested\"", "\"production\""),
                "no route leads from \"production\" to \"testing\"",
            ),
            (STAGES.replace("kind", "kinds"), "kind"),
            (format!("{STAGES}quarantine = \"long\"\n"), "is not a length of time"),
            (format!("{STAGES}answer_days = 1000\n"), "1000 working days"),
            (format!("{STAGES}working_days = []\n"), "without a working day"),
            (format!("{STAGES}working_days = [\"Mon\"]\n"), "no day of the week"),
            (format!("{STAGES}holidays = [\"2026-02-30\"]\n"), "is no day"),
            (format!("{STAGES}time_zone = \"Mars/Olympus\"\n"), "no time zone"),
        ] {
            let said = parse(&text).unwrap_err();
            assert!(said.contains(words) && said.contains("sluice.toml:1"), "{text}: {said}");
        }
    }
}
