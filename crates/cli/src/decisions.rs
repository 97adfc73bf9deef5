//! `sluice approve`, `waive`, `variant`, `freeze` and `thaw`: what people decide and outlives the request.

pub mod arguments;

use daemon::submit::Submitter;
use plan::{Action, Request};

use crate::arguments::Asking;
use crate::ask;
use crate::failure::Failure;
use crate::requests::{product, route};
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::{Approve, Freeze, Thaw, Variant, Waive};

/// `sluice approve`.
pub fn approve(settings: &Settings, asked: Approve, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let product = product(&config, &asked.scope)?;
    let (from, to) = route(product, asked.from.as_deref(), asked.to.as_deref())?;
    let action = Action::Approve { product: product.name.clone(), from, to, take_back: asked.take_back };
    let asking = Asking { plan: Some(asked.approved), ..asked.asking };
    hand_in(settings, action, &asking, terminal)
}

/// `sluice waive`, and `sluice waive --drop`.
pub fn waive(settings: &Settings, asked: Waive, terminal: &Terminal) -> Result<u8, Failure> {
    if let Some(waiver) = asked.drop {
        return hand_in(settings, Action::EndWaiver { waiver }, &asked.asking, terminal);
    }
    let config = settings.config()?;
    let (Some(gate), Some(stage), Some(until)) = (asked.gate, asked.stage, asked.until) else {
        return Err(Failure::usage("a waiver names --gate, --stage and --until"));
    };
    let product = product(&config, &asked.scope)?.name.clone();
    let action = Action::Waive { product, stage, gate, packages: asked.packages, until };
    hand_in(settings, action, &asked.asking, terminal)
}

/// `sluice variant`, and `sluice variant --drop`.
pub fn variant(settings: &Settings, asked: Variant, terminal: &Terminal) -> Result<u8, Failure> {
    if let Some(variant) = asked.drop {
        return hand_in(settings, Action::EndVariant { variant }, &asked.asking, terminal);
    }
    let config = settings.config()?;
    let (Some(package), [_, _]) = (asked.package, asked.digests.as_slice()) else {
        return Err(Failure::usage("a variant names a package and the digests of two files"));
    };
    let product = product(&config, &asked.scope)?.name.clone();
    let action = Action::Variant { product, package, digests: asked.digests };
    hand_in(settings, action, &asked.asking, terminal)
}

/// `sluice freeze`.
pub fn freeze(settings: &Settings, asked: Freeze, terminal: &Terminal) -> Result<u8, Failure> {
    let config = settings.config()?;
    let product = product(&config, &asked.scope)?.name.clone();
    let action = Action::Freeze { product, stage: asked.stage, until: asked.until };
    hand_in(settings, action, &asked.asking, terminal)
}

/// `sluice thaw`.
pub fn thaw(settings: &Settings, asked: Thaw, terminal: &Terminal) -> Result<u8, Failure> {
    hand_in(settings, Action::Thaw { freeze: asked.freeze }, &asked.asking, terminal)
}

fn hand_in(settings: &Settings, action: Action, asking: &Asking, terminal: &Terminal) -> Result<u8, Failure> {
    let request = ask::dressed(Request::new(action), asking);
    ask::request(&Submitter::new(settings.config()?.spool), &request, &asking.waiting, terminal)
}
