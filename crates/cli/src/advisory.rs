//! `sluice advisory`: what is to be known of packages that a stage lists, and that it counts no more.

pub mod arguments;

use daemon::submit::Submitter;
use plan::{Action, Advised, Request};

use crate::ask;
use crate::failure::Failure;
use crate::requests::product;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::Advisory;

/// Hands the request in.
pub fn run(settings: &Settings, asked: Advisory, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let product = product(&config, &asked.scope)?.name.clone();
    if asked.take_back {
        let action = Action::EndAdvisory { product, advisory: asked.advisory, retracted: asked.retracted };
        let request = ask::dressed(Request::new(action), &asked.asking);
        return ask::request(
            &Submitter::new(config.spool.clone()),
            &request,
            &asked.asking.waiting,
            terminal,
        );
    }
    let (Some(stage), Some(kind), Some(title)) = (asked.stage, asked.kind, asked.title) else {
        return Err(Failure::usage("an advisory names --in, --type and --title"));
    };
    let advised = Advised {
        id: asked.advisory,
        kind: kind.meant().to_owned(),
        severity: asked.severity.map(|severity| severity.meant().to_owned()),
        title,
        description: asked.description.unwrap_or_default(),
        references: asked.references,
        reboot: asked.reboot,
    };
    let (packages, platforms) = (asked.packages, asked.scope.platforms);
    let action = Action::Advisory { product, stage, advised, packages, platforms };
    let request = ask::dressed(Request::new(action), &asked.asking);
    ask::request(&Submitter::new(config.spool.clone()), &request, &asked.asking.waiting, terminal)
}
