//! Releases as people make them: the demo plays a procedure from registration to an update, in days that pass at once.

mod egi;
mod glite;

use anyhow::{Context, Result, ensure};
use plan::{Answer, Outcome};
use workflow::{State, Times, waiting};

use super::client::{Client, View};
use super::narrator::Narrator;
use super::site::Site;
use super::world::{self, PLATFORM};
use crate::demo::arguments::Played;

/// The products of the procedures, as the configuration of the demo's site has them.
pub const CONFIGURATION: &str = "\
[[product]]
name = \"emi-1\"
platforms = [\"sl5/x86_64\"]
[[product.stage]]
name = \"certified\"
import_roles = [\"verifiers\"]
[[product.stage]]
name = \"delta\"
import_roles = [\"release-team\"]
[[product.stage]]
name = \"production\"
import_roles = [\"release-team\"]
[[product.route]]
from = \"certified\"
to = \"delta\"
roles = [\"release-team\"]
[[product.route]]
from = \"delta\"
to = \"production\"
roles = [\"release-team\"]
[product.procedure]
kind = \"glite\"
from = \"certified\"
beta = \"delta\"
production = \"production\"
quarantine = \"7d\"
quarantine_rollback = \"3d\"
[[product]]
name = \"umd-1\"
platforms = [\"sl5/x86_64\"]
[[product.stage]]
name = \"untested\"
import_roles = [\"verifiers\"]
[[product.stage]]
name = \"testing\"
import_roles = [\"release-team\"]
withdraw_roles = [\"emi-managers\"]
[[product.stage]]
name = \"production\"
import_roles = [\"release-team\"]
[[product.route]]
from = \"untested\"
to = \"testing\"
roles = [\"verifiers\"]
[[product.route]]
from = \"testing\"
to = \"production\"
roles = [\"emi-managers\"]
[product.procedure]
kind = \"egi\"
[product.procedure.managers]
EMI = [\"emi-managers\"]
";

/// Plays a release by one of the procedures.
pub fn play(played: Played, site: &Site, client: &Client, narrator: &mut Narrator<'_>) -> Result<()> {
    match played {
        Played::Glite => glite::play(Cast { site, client, product: "emi-1" }, narrator),
        Played::Egi => egi::play(Cast { site, client, product: "umd-1" }, narrator),
    }
}

/// Everybody who acts, and what they act on.
#[derive(Clone, Copy)]
struct Cast<'a> {
    site: &'a Site,
    client: &'a Client,
    product: &'a str,
}

impl Cast<'_> {
    fn ask(self, who: &str, action: &str, keys: &str) -> Result<Answer> {
        self.site.ask_as(who, action, &format!("product = \"{}\"\n{keys}", self.product))
    }

    /// Asks for something that is done.
    fn does(self, who: &str, action: &str, keys: &str) -> Result<Answer> {
        let answer = self.ask(who, action, keys)?;
        ensure!(answer.outcome == Outcome::Done, "{action} by {who}: {}: {}", answer.code, answer.sentence);
        Ok(answer)
    }

    /// Asks, and says `done` or the code of what it was refused for.
    fn says(self, who: &str, action: &str, keys: &str) -> Result<String> {
        let answer = self.ask(who, action, keys)?;
        Ok(match answer.outcome {
            Outcome::Done => "done".to_owned(),
            _ => format!("refused: {}", answer.code),
        })
    }

    /// Brings packages into a stage.
    fn imports(self, who: &str, stage: &str, folder: &str, packages: Vec<repo::Recipe>) -> Result<()> {
        let files = self.site.upload(folder, world::built(packages))?;
        self.does(who, "import", &format!("to = \"{stage}\"\nfiles = {files:?}"))?;
        Ok(())
    }

    fn stage(self, stage: &str) -> Result<View> {
        self.client.repository(&format!("{}/{}/{PLATFORM}/{stage}", self.site.base, self.product))
    }

    /// What a stage lists.
    fn lists(self, stage: &str) -> Result<String> {
        Ok(self.stage(stage)?.list())
    }

    /// What a host that draws from these stages gets with a node type.
    fn installs(self, stages: &[&str], name: &str) -> Result<String> {
        let views = stages.iter().map(|stage| self.stage(stage)).collect::<Result<Vec<_>>>()?;
        self.client.install_from(&views.iter().collect::<Vec<_>>(), name)
    }

    /// What is remembered of the procedure.
    fn state(self) -> Result<State> {
        let store = self.site.store();
        let current = store.current()?.context("nothing is published")?;
        let remembered = daemon::remembered::read(&store, &current)?;
        Ok(remembered.products.get(self.product).cloned().unwrap_or_default())
    }

    /// Shows who waits for whom, as `sluice status` does.
    fn shows_who_waits(self, narrator: &Narrator<'_>) -> Result<()> {
        let procedure = self.site.config.layout.products.get(self.product);
        let rules = &procedure.and_then(|one| one.procedure.as_ref()).context("it has no procedure")?.rules;
        let times = Times { wall: self.site.now(), witnessed: self.site.now() };
        let waits = waiting(&self.state()?, rules, times);
        let lines: Vec<String> = waits.iter().map(|one| format!("{}: {}", one.who, one.for_what)).collect();
        narrator.show("sluice status: who is waited for", &lines.join("\n"));
        Ok(())
    }
}
