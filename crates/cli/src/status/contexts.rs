//! How the repositories of others stand that stages are judged by, for monitoring.

use daemon::config::{Config, Context};
use daemon::contexts::{Kept, Seen};
use jiff::Timestamp;
use plan::Platform;

use super::check::State;
use crate::moment;

/// Judges the contexts that stages name: the worst state among them, and what is wrong with each in words; `None` where
/// no stage names one.
pub fn judge(config: &Config, kept: &Kept<'_>, now: Timestamp) -> Option<(State, String)> {
    let used = config.contexts_used();
    if used.is_empty() {
        return None;
    }
    let told: Vec<(State, String)> =
        used.iter().filter_map(|(context, platform)| concern(context, platform, kept, now)).collect();
    let worst = told.iter().map(|(state, _)| *state).max_by_key(|state| state.weight());
    let words = told.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join("; ");
    Some(match worst {
        Some(state) => (state, words),
        None => (State::Ok, format!("{} can be judged by", moment::count(used.len(), "context"))),
    })
}

/// Says what is wrong with one: a gate that cannot judge by it refuses, so that is critical; soon is a warning.
fn concern(
    context: &Context,
    platform: &Platform,
    kept: &Kept<'_>,
    now: Timestamp,
) -> Option<(State, String)> {
    match kept.seen(context, platform, now) {
        Err(unfit) => Some((State::Critical, unfit.words)),
        Ok(Seen { looked, .. }) => {
            let (looked, max) = (looked?, context.max_age?);
            let left = max - now.duration_since(looked).abs();
            // The last quarter: whoever looks again each night has several nights to mend what hinders it.
            (left.as_secs() < max.as_secs() / 4).then(|| {
                let hours = left.as_hours();
                let words = format!(
                    "the context `{}` for `{platform}` was looked at last at {}, and is too old in {hours} hours",
                    context.name,
                    moment::text(looked)
                );
                (State::Warning, words)
            })
        }
    }
}
