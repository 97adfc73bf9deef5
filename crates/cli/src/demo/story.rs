//! The story: two updates, a request dropped as a file, a pinned site, a mistake, and the way back.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use daemon::config::Config;
use daemon::verify::{Rest, Verifier};
use plan::{Action, Answer, Reference, Request};
use store::PosixDisk;

use super::client::{Client, View};
use super::narrator::Narrator;
use super::site::Site;
use super::world::{self, DELTA, FIRST_UI, PRODUCT, PRODUCTION, SECOND_UI};
use crate::chronicle::Chronicle;

/// Everything that is listed after the first update.
const FIRST: &str = "glite-UI-3.2.6-1, glite-WN-3.2.4-1, glite-wms-ui-3.2.1-1, lcg-infosites-2.6.2-1, \
                     voms-clients-1.9.9-1";

/// What the second update brings.
const SECOND: &str = "glite-UI-3.2.7-1, glite-WN-3.2.5-1, glite-wms-ui-3.2.2-1, voms-clients-1.9.10-1";

/// The request that is dropped as a file.
const REQUEST: &str = "\
format = 1
action = \"promote\"
product = \"glite-3.2\"
from = \"delta\"
to = \"production\"
packages = [\"voms-clients\", \"glite-*\"]
reason = \"update 57: VOMS security fix\"

[end]
";

/// The same with a slip of the pen.
const MISTAKE: &str = "\
format = 1
action = \"promote\"
product = \"glite-3.2\"
from = \"delta\"
to = \"production\"
packages = [\"voms-client\"]

[end]
";

/// Plays all of it; steps that do not hold are told by the narrator, an error is the machine's.
pub fn play(site: &Site, client: &Client, narrator: &mut Narrator<'_>) -> Result<()> {
    Story { site, client, narrator, production: format!("{}/{PRODUCTION}", site.base), first: 0, second: 0 }
        .play()
}

struct Story<'a, 'b> {
    site: &'a Site,
    client: &'a Client,
    narrator: &'a mut Narrator<'b>,
    /// The address of production.
    production: String,
    /// The generation in which the first update is in production.
    first: u64,
    /// The same for the second.
    second: u64,
}

impl Story<'_, '_> {
    fn play(mut self) -> Result<()> {
        self.an_empty_site();
        self.the_first_update()?;
        self.a_name();
        let before = self.client.repository(&self.production)?;
        self.the_second_update_in_delta(&before)?;
        self.a_dropped_request(&before);
        self.pins();
        self.a_mistake();
        let during = self.client.repository(&self.production)?;
        self.the_way_back();
        self.what_stays(&during);
        self.the_record();
        Ok(())
    }

    fn an_empty_site(&mut self) {
        let (site, client) = (self.site, self.client);
        self.narrator.step(
            "A new site is whole from its first moment",
            "The daemon has started in an empty folder and published generation 1: each stage has its repository, \
             with metadata that every yum client accepts, and nothing in it.",
            "generation 1; delta lists nothing, production lists nothing",
            |_| {
                let (delta, production) = (list(client, site, DELTA)?, list(client, site, PRODUCTION)?);
                Ok(format!("generation {}; delta lists {delta}, production lists {production}", current(site)?))
            },
        );
    }

    fn the_first_update(&mut self) -> Result<()> {
        let (site, client) = (self.site, self.client);
        let uploaded = site.upload("56", world::first_update())?;
        self.narrator.step(
            "Update 56 arrives in delta",
            "Five RPMs were just built: three components and two meta-packages that pin them. `sluice import` puts \
             them into the control directory with a request and waits for the answer.",
            format!("done; delta lists {FIRST}; production lists nothing"),
            |_| {
                let answer = site.ask(&because("update 56", import(uploaded)))?;
                let (delta, production) = (list(client, site, DELTA)?, list(client, site, PRODUCTION)?);
                Ok(format!("{}; delta lists {delta}; production lists {production}", outcome(&answer)))
            },
        );
        let mut answered = None;
        self.narrator.step(
            "It goes to production, and a site installs from there",
            "`sluice promote '*'` moves all of it in one instant. A host then does what dnf does: reads the .repo \
             file, follows repomd.xml to the metadata to the packages, and checks every digest on the way.",
            format!("done; installing glite-UI brings {FIRST_UI}"),
            |_| {
                let answer = answered.insert(site.ask(&because("update 56", promote(&["*"])))?);
                let view = client.repository(&baseurl(client, site)?)?;
                Ok(format!("{}; installing glite-UI brings {}", outcome(answer), client.install(&view, "glite-UI")?))
            },
        );
        self.first = generation_of(answered)?;
        Ok(())
    }

    fn a_name(&mut self) {
        let (site, client, first) = (self.site, self.client, self.first);
        self.narrator.step(
            "The release gets a name",
            &format!(
                "`sluice keep {first} --as update-56` promises to keep generation {first} whole for whoever \
                      wants exactly that."
            ),
            format!("done; /@update-56/ lists {FIRST}"),
            |_| {
                let generation = Some(Reference::Number(first));
                let answer = site.ask(&Request::new(Action::Keep {
                    generation,
                    as_: Some("update-56".into()),
                    drop: None,
                }))?;
                Ok(format!(
                    "{}; /@update-56/ lists {}",
                    outcome(&answer),
                    list(client, site, &format!("@update-56/{PRODUCTION}"))?
                ))
            },
        );
    }

    fn the_second_update_in_delta(&mut self, before: &View) -> Result<()> {
        let (site, client, production) = (self.site, self.client, self.production.clone());
        let uploaded = site.upload("57", world::second_update())?;
        self.narrator.step(
            "Update 57 arrives in delta, and production does not notice",
            "The early adopters see it. For everybody else not even repomd.xml changes: who asks whether it did \
             gets `304 Not Modified`.",
            format!("done; delta lists {SECOND}; production answers 304"),
            |_| {
                let answer = site.ask(&because("update 57", import(uploaded)))?;
                let asked = client.fetch(&format!("{production}/repodata/repomd.xml"), Some(&before.etag))?;
                let delta = list(client, site, DELTA)?;
                Ok(format!("{}; delta lists {delta}; production answers {}", outcome(&answer), asked.status))
            },
        );
        Ok(())
    }

    fn a_dropped_request(&mut self, before: &View) {
        let (site, client, production) = (self.site, self.client, self.production.clone());
        let was = before.packages.iter().find(|package| package.nevra.name == "voms-clients");
        let was = was.map(|package| package.nevra.evr.to_string()).unwrap_or_default();
        let mut answered = None;
        self.narrator.step(
            "A request is dropped as a file",
            "No command is needed: a text file, written into tmp/ and renamed into incoming/. The daemon answers \
             with a file beside it.",
            format!("voms-clients 1.9.9-1 before; done; then installing glite-UI brings {SECOND_UI}"),
            |narrator| {
                narrator.show(&format!("{}/incoming/update-57.toml", site.config.spool), REQUEST);
                let (answer, place) = site.drop_file("update-57.toml", REQUEST)?;
                narrator.show(place.as_str(), &answer.sentence);
                let answer = answered.insert(answer);
                let view = client.repository(&production)?;
                let installed = client.install(&view, "glite-UI")?;
                Ok(format!("voms-clients {was} before; {}; then installing glite-UI brings {installed}", outcome(answer)))
            },
        );
        self.second = answered.and_then(|answer| answer.generation).unwrap_or_default();
    }

    fn pins(&mut self) {
        let (site, client, first, second) = (self.site, self.client, self.first, self.second);
        self.narrator.step(
            "A site can pin itself to a generation",
            &format!(
                "/@{first}/ is production as it was, /@{second}/ as it became. Neither will ever change."
            ),
            format!("/@{first}/ brings {FIRST_UI}; /@{second}/ brings {SECOND_UI}"),
            |_| {
                let brings = |number: u64| -> Result<String> {
                    let view = client.repository(&format!("{}/@{number}/{PRODUCTION}", site.base))?;
                    client.install(&view, "glite-UI")
                };
                Ok(format!("/@{first}/ brings {}; /@{second}/ brings {}", brings(first)?, brings(second)?))
            },
        );
    }

    fn a_mistake(&mut self) {
        let (site, client, second) = (self.site, self.client, self.second);
        self.narrator.step(
            "A mistake is refused in plain words, and changes nothing",
            "Somebody asks for `voms-client`. There is no such package.",
            format!(
                "refused: no-such-package, exit 5; still generation {second}, everything listed as before"
            ),
            |narrator| {
                let listed = list(client, site, PRODUCTION)?;
                let (answer, place) = site.drop_file("slip.toml", MISTAKE)?;
                narrator.show(place.as_str(), &answer.sentence);
                let same = if list(client, site, PRODUCTION)? == listed { "as before" } else { "otherwise" };
                Ok(format!(
                    "{}: {}, exit {}; still generation {}, everything listed {same}",
                    outcome(&answer),
                    answer.code,
                    answer.exit,
                    current(site)?
                ))
            },
        );
    }

    fn the_way_back(&mut self) {
        let (site, client, first, production) = (self.site, self.client, self.first, self.production.clone());
        self.narrator.step(
            "Update 57 turns out to be bad: back to 56",
            &format!(
                "`sluice revert {first} --stage production` publishes a new generation in which production \
                      lists again what it listed in {first}. The answer says what hosts must run."
            ),
            format!("done, hosts run `dnf distro-sync`; a new host gets {FIRST_UI}"),
            |_| {
                let action = Action::Revert {
                    product: PRODUCT.into(),
                    stage: "production".into(),
                    generation: Reference::Number(first),
                    platforms: Vec::new(),
                };
                let answer = site.ask(&because("update 57 breaks proxies", action))?;
                let view = client.repository(&production)?;
                let run = answer.hosts_run.clone().unwrap_or_default();
                Ok(format!(
                    "{}, hosts run `{run}`; a new host gets {}",
                    outcome(&answer),
                    client.install(&view, "glite-UI")?
                ))
            },
        );
    }

    fn what_stays(&mut self, during: &View) {
        let (site, client) = (self.site, self.client);
        self.narrator.step(
            "A host that was in the middle of upgrading loses nothing",
            "It read the metadata of production before the revert. What left is not listed any more, and still \
             answers at its old address for the whole grace: metadata and packages, byte for byte.",
            format!("production lists {FIRST}; all of {SECOND} still answer"),
            |_| {
                let listed = list(client, site, PRODUCTION)?;
                client.all_of(during)?;
                let gone: Vec<_> = during.list().split(", ").filter(|name| !listed.contains(name)).map(str::to_owned).collect();
                Ok(format!("production lists {listed}; all of {} still answer", gone.join(", ")))
            },
        );
    }

    fn the_record(&mut self) {
        let (site, client) = (self.site, self.client);
        self.narrator.step(
            "Everything is on record, and the tree is sound",
            "`sluice history` tells each generation with its requests; `sluice verify` reads the whole tree again \
             and looks for anything that must never be false.",
            "config, import, promote, keep, import, promote, revert; 0 violations",
            |narrator| {
                client.repository(&format!("{}/{PRODUCTION}", site.base))?;
                let chronicle = Chronicle::of(site.store()).map_err(|failure| anyhow::anyhow!(failure.sentence))?;
                let mut actions = Vec::new();
                let mut lines = String::new();
                for number in chronicle.newest_first().collect::<BTreeSet<_>>() {
                    let chapter = chronicle.chapter(number).map_err(|failure| anyhow::anyhow!(failure.sentence))?;
                    for settled in chapter.account.requests {
                        let reason = settled.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
                        lines.push_str(&format!("@{number} {} by {}{reason}\n", settled.answer.action, settled.answer.owner));
                        actions.push(settled.answer.action);
                    }
                }
                narrator.show("sluice history", &lines);
                let broken = violations(site, narrator);
                Ok(format!("{}; {broken} violations", actions.join(", ")))
            },
        );
    }
}

/// Looks for anything that must never be false, shows it, and counts.
fn violations(site: &Site, narrator: &Narrator<'_>) -> usize {
    let Config { root, spool, .. } = &site.config;
    let broken = Verifier::default().verify(&PosixDisk, root, Some(spool), Rest::AnyInstant, site.now());
    for violation in &broken {
        narrator.show(&format!("{} {}", violation.invariant, violation.place), &violation.words);
    }
    broken.len()
}

/// The last step: after everything, the tree is sound.
pub fn is_sound(site: &Site, narrator: &mut Narrator<'_>) -> Result<()> {
    narrator.step(
        "Weeks later, the tree is sound",
        "`sluice verify` follows the record from the first request: what is remembered of patches, bundles, tickets and tasks is what \
         they brought about, and packages lie where their patches do.",
        "0 violations",
        |narrator| Ok(format!("{} violations", violations(site, narrator))),
    );
    Ok(())
}

fn import(files: Vec<String>) -> Action {
    Action::Import { product: PRODUCT.into(), to: "delta".into(), files, folder: None, platforms: Vec::new() }
}

fn promote(packages: &[&str]) -> Action {
    Action::Promote {
        product: PRODUCT.into(),
        from: "delta".into(),
        to: "production".into(),
        packages: packages.iter().map(|package| (*package).to_owned()).collect(),
        platforms: Vec::new(),
        partial: None,
    }
}

fn because(reason: &str, action: Action) -> Request {
    Request { reason: Some(reason.to_owned()), ..Request::new(action) }
}

/// `done`, or what else became of a request, with the reason.
fn outcome(answer: &Answer) -> String {
    match answer.outcome {
        plan::Outcome::Done => "done".to_owned(),
        plan::Outcome::Refused => "refused".to_owned(),
        plan::Outcome::NothingToDo => format!("nothing to do ({})", answer.sentence),
        plan::Outcome::Planned => format!("only planned ({})", answer.sentence),
    }
}

fn generation_of(answer: Option<Answer>) -> Result<u64> {
    let answer = answer.context("the request was not answered")?;
    answer.generation.with_context(|| format!("no generation came of it: {}", answer.sentence))
}

fn current(site: &Site) -> Result<u64> {
    Ok(site.store().current()?.context("nothing is published")?.number)
}

fn list(client: &Client, site: &Site, path: &str) -> Result<String> {
    let view = client.repository(&format!("{}/{path}", site.base))?;
    Ok(view.list())
}

/// Reads the address of production out of the .repo file that the site serves.
fn baseurl(client: &Client, site: &Site) -> Result<String> {
    let file = client.fetch(&format!("{}/{PRODUCT}-production.repo", site.base), None)?;
    let text = String::from_utf8(file.bytes).context("the .repo file is no text")?;
    let url = text.lines().find_map(|line| line.strip_prefix("baseurl=")).context("it has no baseurl")?;
    // dnf puts the host's architecture there.
    Ok(url.replace("$basearch", "x86_64").trim_end_matches('/').to_owned())
}
