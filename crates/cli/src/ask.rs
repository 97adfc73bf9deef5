//! Hands a request in and waits for its answer.

use std::ffi::OsString;
use std::io::IsTerminal as _;

use daemon::submit::{Seen, Sent, Submitter};
use plan::{Action, Answer, Format, Outcome, Request};
use serde_json::json;

use crate::answer_text;
use crate::arguments::{Asking, Waiting};
use crate::bar::Bar;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Dresses a request with what the command line says about it.
pub fn dressed(request: Request, asking: &Asking) -> Request {
    let request = Request {
        id: asking.id.clone(),
        reason: asking.reason.clone(),
        expires: asking.expires,
        plan: asking.plan.clone(),
        ..request
    };
    if asking.dry_run { rehearsed(request) } else { request }
}

/// Makes a dry run of a request.
///
/// It goes without the id: an id is settled once, and that is for the real thing.
pub fn rehearsed(request: Request) -> Request {
    Request { dry_run: true, id: None, ..request }
}

/// The text of a request that was made here, checked: what the daemon would refuse anyway is refused at once.
///
/// `SLUICE_AS` says in whose name it is asked, for who works in the account of the door; the daemon refuses it from
/// anybody else.
fn text_of(request: &Request) -> Result<String, Failure> {
    let text = in_the_name_of(request.clone(), std::env::var_os("SLUICE_AS")).to_toml();
    plan::parse(text.as_bytes(), Format::Toml)?;
    Ok(text)
}

/// A request in the name that the environment says. Of a `keep` the key `as` names the generation, and nobody asks for it.
fn in_the_name_of(request: Request, name: Option<OsString>) -> Request {
    let name = name.filter(|name| !name.is_empty()).map(|name| name.to_string_lossy().into_owned());
    match request.action {
        Action::Keep { .. } => request,
        _ => Request { as_: request.as_.clone().or(name), ..request },
    }
}

/// Sends a request that was made here.
pub fn request(
    submitter: &Submitter,
    request: &Request,
    waiting: &Waiting,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let text = text_of(request)?;
    bytes(submitter, request.action.name(), Format::Toml, text.as_bytes(), waiting, terminal)
}

/// Sends the bytes of a request and waits as long as is wished.
pub fn bytes(
    submitter: &Submitter,
    about: &str,
    format: Format,
    bytes: &[u8],
    waiting: &Waiting,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let sent = submitter.send(about, format, bytes).map_err(Failure::of_submitting)?;
    if waiting.no_wait {
        terminal.either(
            &json!({ "outcome": "sent", "stem": sent.stem, "request": sent.name, "exit": 0 }),
            |_| format!("handed in as {}\n", sent.name),
        );
        return Ok(0);
    }
    terminal.aside(&format!("handed in as {}, waiting for the answer", sent.name));
    match sent.wait(waiting.timeout, &mut |seen| tell(seen, terminal))? {
        Some(answer) => Ok(answer_text::print(&answer, terminal)),
        None => Err(unanswered(&sent, waiting)),
    }
}

/// Says what is seen while an answer is awaited.
pub fn tell(seen: Seen, terminal: &Terminal) {
    match seen {
        Seen::Unclaimed => terminal.talk("nobody takes the request up yet: is `sluice daemon` running?"),
        Seen::Claimed => terminal.aside("the daemon has taken it up"),
        Seen::Progress(progress) => terminal.aside(&progress.to_string()),
    }
}

/// The failure of a request whose answer did not come in time.
pub fn unanswered(sent: &Sent, waiting: &Waiting) -> Failure {
    let failure = Failure::internal(format!("there is no answer yet after {:?}", waiting.timeout));
    let place = format!("`{}-*.answer.json` in `done/` or `failed/`", sent.stem);
    let hint = format!("the request still stands; its answer will be {place}");
    Failure { exit: 75, ..failure.hint(hint) }
}

/// Sends a request, on a terminal after its plan was shown and agreed to, and shows how far the daemon has come.
pub fn agreed(
    submitter: &Submitter,
    mut request: Request,
    yes: bool,
    waiting: &Waiting,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let asks = !request.dry_run && !yes && !waiting.no_wait && terminal.is_watched();
    if asks && std::io::stdin().is_terminal() {
        match approved(submitter, &request, waiting, terminal)? {
            Approval::Given { plan } => request.plan = plan,
            Approval::Answered { exit } => return Ok(exit),
        }
    }
    if waiting.no_wait {
        return self::request(submitter, &request, waiting, terminal);
    }
    let answer = answered(submitter, &request, waiting, terminal)?;
    Ok(answer_text::print(&answer, terminal))
}

/// What a person said to the plan, or what the daemon said already.
enum Approval {
    Given { plan: Option<String> },
    Answered { exit: u8 },
}

/// Shows the plan and asks whether it is to be carried out.
fn approved(
    submitter: &Submitter,
    request: &Request,
    waiting: &Waiting,
    terminal: &Terminal,
) -> Result<Approval, Failure> {
    terminal.aside("working out the plan: nothing is changed");
    let answer = answered(submitter, &rehearsed(request.clone()), waiting, terminal)?;
    let exit = answer_text::print(&answer, terminal);
    if answer.outcome != Outcome::Planned {
        return Ok(Approval::Answered { exit });
    }
    terminal.talk("Carry this out? [y/N]");
    let mut said = String::new();
    let read = std::io::stdin().read_line(&mut said);
    read.map_err(|error| Failure::internal(format!("failed to read the answer: {error}")))?;
    if !matches!(said.trim(), "y" | "Y" | "yes") {
        terminal.talk("nothing was changed");
        return Ok(Approval::Answered { exit: 0 });
    }
    Ok(Approval::Given { plan: answer.plan_hash })
}

/// Sends a request and waits for its answer, showing how far the daemon has come.
pub fn answered(
    submitter: &Submitter,
    request: &Request,
    waiting: &Waiting,
    terminal: &Terminal,
) -> Result<Answer, Failure> {
    let text = text_of(request)?;
    let sent = submitter.send(request.action.name(), Format::Toml, text.as_bytes());
    let sent = sent.map_err(Failure::of_submitting)?;
    terminal.aside(&format!("handed in as {}, waiting for the answer", sent.name));
    let bar = Bar::new(terminal);
    let answer = sent.wait(waiting.timeout, &mut |seen| match seen {
        Seen::Progress(progress) => bar.show(&format!("{progress}"), progress.bytes, progress.bytes_all),
        seen => tell(seen, terminal),
    })?;
    bar.end();
    answer.ok_or_else(|| unanswered(&sent, waiting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_asked_in_the_name_that_the_environment_says() {
        let named = |action: Action, name: Option<&str>| {
            in_the_name_of(Request::new(action), name.map(OsString::from)).as_
        };
        let sweep = || Action::Sweep {};
        assert_eq!(named(sweep(), Some("ea-IT-CNAF")).as_deref(), Some("ea-IT-CNAF"));
        assert_eq!((named(sweep(), Some("")), named(sweep(), None)), (None, None));
        let keep = Action::Keep { generation: None, as_: None, drop: Some("update-56".to_owned()) };
        assert_eq!(named(keep, Some("ea-IT-CNAF")), None);
    }
}
