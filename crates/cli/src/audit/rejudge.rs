//! `sluice audit --rejudge`: every settled request is judged again, from records alone.

use daemon::rejudge::{Difference, Judgement, rejudge};
use serde_json::json;
use store::{PosixDisk, Store};

use super::{Entry, one_line};
use crate::audit::arguments::Audit;
use crate::failure::Failure;
use crate::moment;
use crate::pattern::Pattern;
use crate::terminal::{Paint, Terminal};

/// Judges again what fits, and tells what would be answered otherwise.
pub fn run(store: &Store, asked: &Audit, terminal: &Terminal) -> Result<u8, Failure> {
    let pattern = asked.package.as_deref().map(Pattern::parse).transpose()?;
    let judgement = rejudge(&PosixDisk, store, &|at, answer| {
        asked.is_of_the_time(at) && Entry::of(at, answer.clone()).fits(asked, pattern.as_ref())
    })?;
    let code = if judgement.differing.is_empty() { 0 } else { 6 };
    let told = json!({ "exit": code, "judgement": judgement });
    if judgement.broken_lines > 0 {
        terminal.talk("the audit log was changed: see `sluice audit --verify`");
    }
    terminal.either(&told, |paint| words(&judgement, paint));
    Ok(code)
}

/// Writes what came of it for a person.
fn words(judgement: &Judgement, paint: Paint) -> String {
    let mut text = String::new();
    for Difference { at, claim, generation, owner, action, recorded, judged } in &judgement.differing {
        let which = match (claim, generation) {
            (Some(claim), _) => claim.clone(),
            (None, number) => format!("generation {}", number.unwrap_or_default()),
        };
        let who: String = owner.iter().chain(action).map(|word| format!("{}  ", one_line(word))).collect();
        text.push_str(&format!(
            "{}  {who}{}  recorded: {}; judged: {}\n",
            moment::text(*at),
            one_line(&which),
            one_line(recorded),
            paint.red(&one_line(judged))
        ));
    }
    let Judgement { judged, same, differing, not_judged, taken_as_recorded, .. } = judgement;
    for (reason, count) in not_judged {
        text.push_str(&format!("{} not judged: {reason}\n", moment::count(*count, "request")));
    }
    if !taken_as_recorded.is_empty() {
        let taken: Vec<String> =
            taken_as_recorded.iter().map(|(what, count)| format!("{what} ({count})")).collect();
        text.push_str(&format!("evidence taken as recorded: {}\n", taken.join(", ")));
    }
    let judged = moment::count(*judged, "request");
    let unjudged: usize = not_judged.values().sum();
    let verdict = match differing.len() {
        0 => format!("{} {judged} judged again, all as recorded", paint.green("ok")),
        count => format!(
            "{judged} judged again, {same} as recorded, {}",
            paint.red(&moment::count(count, "difference"))
        ),
    };
    text + &verdict + &if unjudged > 0 { format!(", {unjudged} not judged\n") } else { "\n".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(claim: Option<&str>) -> Difference {
        Difference {
            at: "2026-11-21T23:04:35Z".parse().unwrap(),
            claim: claim.map(str::to_owned),
            generation: Some(7),
            owner: claim.map(|_| "user:alice".to_owned()),
            action: claim.map(|_| "promote".to_owned()),
            recorded: "done @7".to_owned(),
            judged: "refused (frozen): `production` of `glite`\nmay not change now".to_owned(),
        }
    }

    #[test]
    fn what_differs_is_one_line_each_and_the_rest_is_counted() {
        let judgement = Judgement {
            judged: 3,
            same: 2,
            differing: vec![difference(Some("update-7")), difference(None)],
            not_judged: [("it is old".to_owned(), 1)].into(),
            taken_as_recorded: [("closure".to_owned(), 2), ("groups".to_owned(), 1)].into(),
            broken_lines: 0,
        };
        assert_eq!(
            words(&judgement, Paint::PLAIN),
            "2026-11-21 23:04:35Z  user:alice  promote  update-7  recorded: done @7; \
             judged: refused (frozen): `production` of `glite` may not change now\n\
             2026-11-21 23:04:35Z  generation 7  recorded: done @7; \
             judged: refused (frozen): `production` of `glite` may not change now\n\
             1 request not judged: it is old\n\
             evidence taken as recorded: closure (2), groups (1)\n\
             3 requests judged again, 2 as recorded, 2 differences, 1 not judged\n"
        );
        assert_eq!(
            words(&Judgement { judged: 1, same: 1, ..Judgement::default() }, Paint::PLAIN),
            "ok 1 request judged again, all as recorded\n"
        );
    }
}
