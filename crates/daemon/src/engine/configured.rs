//! What is published follows the configuration: repositories, their form, and what hosts are told of them.

use std::sync::Arc;

use jiff::Timestamp;
use plan::{Action, Standing};
use store::Generation;

use super::Engine;
use crate::account::Account;
use crate::config::Config;
use crate::error::Error;
use crate::publish::hosts;
use crate::views;
use crate::waiting::Waiting;
use crate::writing::Wanted;

/// What hosts are told was right when it was looked at last: by which generation and configuration, and until when.
#[derive(Debug, Default)]
pub(super) struct Looked(Option<Right>);

#[derive(Debug)]
struct Right {
    generation: u64,
    config: Arc<Config>,
    from: Timestamp,
    until: Option<Timestamp>,
}

impl Engine {
    /// Asks, as the clock, for what the configuration has and the published site has not, or has in another form: a
    /// repository, a view, a `.repo` file, a key.
    pub(super) fn ask_for_what_is_new(
        &mut self,
        current: Option<(&Generation, &Account)>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.waiting.iter().any(Waiting::is_of_the_clock) || self.clock_refused {
            return Ok(());
        }
        let mut is_new = current.is_none();
        let nothing = Standing::default();
        let standing = current.map_or(&nothing, |(_, account)| &account.standing);
        for repository in self.config.layout.repositories() {
            let published = current.and_then(|(_, account)| account.repositories.get(&repository.name()));
            let form = Wanted::of(&self.config, standing, &repository)?.recorded();
            is_new |= published.is_none_or(|published| published.form != form);
            is_new |= current.is_some_and(|current| views::differ(&self.config.layout, current, &repository));
        }
        if let Some(current) = current.filter(|_| !is_new) {
            is_new = self.tells_hosts_otherwise(current, now);
        }
        if is_new {
            self.waiting.insert(0, Waiting::of_the_clock("config", Action::Config {}, now));
        }
        Ok(())
    }

    /// Whether hosts are told something else than the configuration says now; looked up once for each generation and
    /// configuration, and again when a key may have ended.
    fn tells_hosts_otherwise(&mut self, current: (&Generation, &Account), now: Timestamp) -> bool {
        // A clock that was set back brings no key back.
        let now = now.max(self.witnessing.witness.time);
        let is_right = self.configured.0.as_ref().is_some_and(|right| {
            right.generation == current.0.number
                && Arc::ptr_eq(&right.config, &self.config)
                && right.from <= now
                && right.until.is_none_or(|until| now < until)
        });
        if is_right {
            return false;
        }
        if !hosts::outdated(&self.config, current, now).is_empty() {
            return true;
        }
        let until = hosts::changes_after(&self.config, now);
        let (generation, config) = (current.0.number, Arc::clone(&self.config));
        self.configured = Looked(Some(Right { generation, config, from: now, until }));
        false
    }
}
