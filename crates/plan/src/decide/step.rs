//! Steps of procedures: what the pure procedure says becomes a plan, with the packages that move in the same instant.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use nevra::Sha256;
use workflow::{Actor, Asked, Command, Decided, Deed, Item, Moves, State, Times, Workflow};

use super::gates::Gates;
use super::pins::pins_of;
use super::remake::known;
use super::selection::{Place, select};
use super::{Decision, places, promote, rollback};
use crate::layout::{Kind, MetaPackages, Procedure, Product, Repository};
use crate::plan::{GateSeen, Plan, Verdict};
use crate::recipe::Rebuilt;
use crate::refusal::{Code, Refusal};
use crate::request::{Partial, Request};
use crate::world::{Asker, Listed, World};

/// What a step says of a plan that moves packages.
pub(super) struct Under<'a> {
    /// Exactly which packages are meant.
    pub items: &'a BTreeSet<Item>,
    /// The roles of whom the procedure gives the step.
    pub roles: &'a [String],
    /// What makes the plan the step's.
    pub shape: &'a dyn Fn(Plan) -> Plan,
}

impl Under<'_> {
    /// Leaves out what bears the name of a package that is meant, and is another.
    pub(super) fn keep(&self, packages: &mut BTreeMap<Repository, Vec<Listed>>) {
        let meant: BTreeSet<(&str, &Sha256)> =
            self.items.iter().map(|item| (item.platform.as_str(), &item.pkgid)).collect();
        for (repository, listed) in packages.iter_mut() {
            let platform = repository.platform().to_string();
            listed.retain(|one| meant.contains(&(platform.as_str(), &one.pkgid)));
        }
        packages.retain(|_, listed| !listed.is_empty());
    }
}

/// A step, with everything that it is decided on.
struct Taken<'a> {
    world: &'a World,
    asker: &'a Asker,
    request: &'a Request,
    product: &'a Product,
    procedure: &'a Procedure,
    command: &'a Command,
    looked: Looked,
}

/// Decides a step of the procedure of a product.
pub(super) fn step(
    world: &World,
    asker: &Asker,
    request: &Request,
    (product, command): (&str, &Command),
) -> Result<Decision, Refusal> {
    let step = Taken::of(world, asker, request, (product, command))?;
    let product = step.product;
    let asked_for = request.plan.as_ref().and_then(|text| text.parse().ok());
    let (plan, decided) = match command {
        Command::ReleasePrepare { update, patches, priority, partial } => {
            // Whoever may not prepare it is told so first.
            step.ask(Some(Sha256::from([0; 32])), |asked| workflow::decide(asked, command))?;
            let published =
                step.ask(None, |asked| workflow::publishing(asked, *update, patches, *priority, *partial))?;
            let Decision::Effect(plan) = step.plan(published, "release-publish", true)? else {
                return Err(Refusal::new(Code::Internal, "publishing would do nothing"));
            };
            let hash = Some(plan.hash());
            let decided = step.ask(hash, |asked| workflow::decide(asked, command))?;
            return Ok(match step.plan(decided, request.action.name(), request.dry_run)? {
                Decision::Effect(mut prepares) => {
                    let mut plan = plan;
                    super::go_along(world, &mut plan);
                    prepares.candidate = Some(Box::new(plan));
                    Decision::Effect(prepares)
                }
                other => other,
            });
        }
        Command::ReleasePublish { update } => {
            let state = world.workflow.products.get(&product.name);
            let approved = state.and_then(|state| state.updates.get(update)).map(|update| update.plan);
            (approved, step.ask(asked_for, |asked| workflow::decide(asked, command))?)
        }
        _ => (None, step.ask(asked_for, |asked| workflow::decide(asked, command))?),
    };
    let decision = step.plan(decided, request.action.name(), request.dry_run)?;
    match (plan, &decision) {
        (Some(approved), Decision::Effect(plan)) if plan.hash() != approved => {
            let sentence =
                format!("the plan is now `{}`, and operations approved of `{approved}`", plan.hash());
            Err(Refusal::new(Code::PlanChanged, sentence)
                .gates(plan.gates.clone())
                .hint("`release-prepare` prepares it anew, and operations look at it again"))
        }
        _ => Ok(decision),
    }
}

/// Plans what `release-publish` would do now; nothing if that is not what is asked.
pub(super) fn publishing(
    world: &World,
    asker: &Asker,
    request: &Request,
    (product, command): (&str, &Command),
) -> Result<Option<Plan>, Refusal> {
    let Command::ReleasePublish { .. } = command else { return Ok(None) };
    let step = Taken::of(world, asker, request, (product, command))?;
    let decided = step.ask(None, |asked| workflow::decide(asked, command))?;
    match step.plan(decided, request.action.name(), true)? {
        Decision::Effect(plan) => Ok(Some(plan)),
        _ => Ok(None),
    }
}

/// Tells which parts somebody may play for a product.
fn actor(world: &World, asker: &Asker, (product, procedure): (&Product, &Procedure)) -> Actor {
    let state = world.workflow.products.get(&product.name);
    procedure.actor(&product.name, asker, state.into_iter().flat_map(|state| &state.teams))
}

impl<'a> Taken<'a> {
    /// Looks at everything that a step is decided on.
    fn of(
        world: &'a World,
        asker: &'a Asker,
        request: &'a Request,
        (product, command): (&str, &'a Command),
    ) -> Result<Taken<'a>, Refusal> {
        let product = places::product(world, product)?;
        let Some(procedure) = &product.procedure else {
            let sentence = format!("`{}` has no procedure", product.name);
            return Err(Refusal::new(Code::Step(workflow::Code::NoProcedure), sentence)
                .hint("`[product.procedure]` in the configuration gives it one"));
        };
        if actor(world, asker, (product, procedure)).parts.is_empty() {
            // Nothing is read for who has no business here.
            let sentence = format!("`{}` plays no part in the procedure of `{}`", asker.name, product.name);
            return Err(Refusal::new(Code::Step(workflow::Code::WrongActor), sentence)
                .hint("`[product.procedure]` and `team-add` say who does"));
        }
        let looked = Looked::at(world, product, procedure, command)?;
        Ok(Taken { world, asker, request, product, procedure, command, looked })
    }
}

impl Taken<'_> {
    /// Makes a plan of what the step brings about.
    fn plan(&self, decided: Decided, action: &str, is_rehearsal: bool) -> Result<Decision, Refusal> {
        let Decided { facts, moves, notices, notes, sentence } = decided;
        if facts.is_empty() {
            let sentence = if sentence.is_empty() { "everything is so already".to_owned() } else { sentence };
            return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
        }
        let (product, world) = (self.product, self.world);
        let named: BTreeSet<String> = match &moves {
            Some(Moves::Forward { name, .. }) => name.iter().map(|name| self.generation_name(name)).collect(),
            _ => BTreeSet::new(),
        };
        if let Some(taken) = named.iter().find(|name| world.names.contains_key(*name)) {
            let sentence = format!("a generation bears the name `{taken}` already");
            return Err(Refusal::new(Code::NameTaken, sentence));
        }
        let shape = |mut plan: Plan| {
            if plan.action.is_empty() {
                plan.action = action.to_owned();
                plan.gates.push(self.roles());
            }
            if !plan.sentence.is_empty() {
                plan.notes.insert(0, std::mem::take(&mut plan.sentence));
            }
            plan.sentence.clone_from(&sentence);
            plan.notes.extend(notes.iter().cloned());
            plan.notes.extend(notices.iter().map(|one| format!("{} are told: {}", one.to, one.sentence)));
            plan.named.clone_from(&named);
            let anew = self.built_anew(&plan);
            plan.deed = Some(Deed {
                product: product.name.clone(),
                at: world.now,
                witnessed: world.witnessed,
                by: self.asker.name.clone(),
                facts: self.with_asked(None, |asked| workflow::rebuilt(asked, facts.clone(), &anew)),
            });
            plan
        };
        let under = |items| Under { items, roles: self.movers(), shape: &shape };
        match &moves {
            None => Ok(Decision::Effect(shape(Plan::default()))),
            Some(Moves::Forward { from, to, items, partial, .. }) => {
                let wish = promote::Wish {
                    product: &product.name,
                    from,
                    to,
                    packages: &nevras(items),
                    platforms: &platforms(items),
                    partial: partial.then_some(Partial::Target),
                    is_rehearsal,
                    approved: self.request.plan.as_deref().filter(|_| !is_rehearsal),
                    under: Some(&under(items)),
                };
                promote::promote(world, self.asker, &wish)
            }
            Some(Moves::Back { stage, items }) => {
                let (versions, without, releases) = match self.command {
                    Command::BundleRollback { versions, without, releases, .. }
                    | Command::TicketReject { versions, without, releases, .. } => {
                        (versions.as_slice(), without.as_slice(), releases.as_slice())
                    }
                    _ => Default::default(),
                };
                let wish = rollback::Wish {
                    product: &product.name,
                    from: stage,
                    packages: &nevras(items),
                    platforms: &platforms(items),
                    versions,
                    without,
                    releases,
                    under: Some(&under(items)),
                };
                rollback::rollback(world, self.asker, &wish)
            }
        }
    }

    /// Lists the roles of whom the procedure gives a step that moves packages.
    fn movers(&self) -> &[String] {
        let procedure = self.procedure;
        match self.command {
            Command::TicketDeploy { .. } => &procedure.verifiers,
            Command::TicketAccept { ticket } | Command::TicketReject { ticket, .. } => {
                let state = self.world.workflow.products.get(&self.product.name);
                let known = state.and_then(|state| state.tickets.get(ticket));
                let managers = known.and_then(|one| procedure.rules.managers.get(one.component.stack()));
                managers.unwrap_or(&procedure.operations)
            }
            _ => &procedure.release_team,
        }
    }

    /// What the gate `roles` saw: the procedure gives the step to whoever asks.
    fn roles(&self) -> GateSeen {
        let actor = self.actor();
        let parts: Vec<String> = actor.parts.iter().map(ToString::to_string).collect();
        let evidence = format!("`{}` acts for {}", self.asker.name, parts.join(" and "));
        GateSeen { gate: "roles".to_owned(), verdict: Verdict::Pass, evidence }
    }

    /// Tells which parts whoever asks may play.
    fn actor(&self) -> Actor {
        actor(self.world, self.asker, (self.product, self.procedure))
    }

    /// What a plan has built anew in the stage of the early adopters, in the place of what.
    fn built_anew(&self, plan: &Plan) -> Vec<(Item, Item)> {
        let mut anew = Vec::new();
        let beta = &self.procedure.rules.beta;
        for (repository, change) in plan.changes.iter().filter(|(repository, _)| repository.stage == *beta) {
            let platform = repository.platform().to_string();
            let item = |listed: &Listed| Item {
                platform: platform.clone(),
                nevra: listed.nevra.clone(),
                pkgid: listed.pkgid,
            };
            for left in &change.leave {
                // The same package may be built anew for another stage or platform as well.
                let here = |one: &&Rebuilt| one.recipe.of == left.pkgid && change.enter.contains(&one.made);
                let made = plan.rebuilt.iter().find(here).map(|one| &one.made);
                anew.extend(made.map(|made| (item(left), item(made))));
            }
        }
        anew
    }

    /// Names the generation of an update: names are the site's, so the product's stands in front where several have a procedure.
    fn generation_name(&self, update: &str) -> String {
        let mut others = self.world.layout.products.values().filter(|one| one.name != self.product.name);
        match others.any(|one| one.procedure.is_some()) {
            true => format!("{}-{update}", self.product.name.to_ascii_lowercase()),
            false => update.to_owned(),
        }
    }

    /// Asks the procedure.
    fn ask(
        &self,
        plan: Option<Sha256>,
        decide: impl FnOnce(&Asked<'_>) -> Result<Decided, workflow::Refusal>,
    ) -> Result<Decided, Refusal> {
        Ok(self.with_asked(plan, decide)?)
    }

    /// Hands out everything that the procedure looks at.
    fn with_asked<T>(&self, plan: Option<Sha256>, decide: impl FnOnce(&Asked<'_>) -> T) -> T {
        let Taken { world, product, procedure, .. } = *self;
        let workflow: &Workflow = &world.workflow;
        let nothing = State::default();
        let listings = Listings { world, product, known: RefCell::default() };
        let asked = Asked {
            workflow,
            product: &product.name,
            state: workflow.products.get(&product.name).unwrap_or(&nothing),
            rules: &procedure.rules,
            actor: &self.actor(),
            times: Times { wall: world.now, witnessed: world.witnessed },
            reason: self.request.reason.as_deref().unwrap_or_default(),
            items: &self.looked.items,
            pinning: &self.looked.pinning,
            lists: &|stage, item| listings.has(stage, item),
            waived: &|items| waived(world, product, &procedure.rules.production, items),
            plan,
        };
        decide(&asked)
    }
}

fn nevras(items: &BTreeSet<Item>) -> Vec<String> {
    let names: BTreeSet<String> = items.iter().map(|item| item.nevra.to_string()).collect();
    names.into_iter().collect()
}

fn platforms(items: &BTreeSet<Item>) -> Vec<String> {
    let platforms: BTreeSet<&String> = items.iter().map(|item| &item.platform).collect();
    platforms.into_iter().cloned().collect()
}

/// What a step looks at in the repositories.
struct Looked {
    items: BTreeSet<Item>,
    pinning: BTreeSet<String>,
}

impl Looked {
    /// Finds the packages that a request selects, and the node types that pin them.
    fn at(
        world: &World,
        product: &Product,
        procedure: &Procedure,
        command: &Command,
    ) -> Result<Looked, Refusal> {
        let (packages, asked) = match command {
            Command::PatchAdd { packages, platforms, .. }
            | Command::PatchChange { packages, platforms, .. }
            | Command::TicketAdd { packages, platforms, .. }
            | Command::TicketChange { packages, platforms, .. } => (packages, platforms),
            _ => return Ok(Looked { items: BTreeSet::new(), pinning: BTreeSet::new() }),
        };
        let platforms = places::platforms(product, asked)?;
        let stage = procedure.rules.from.as_str();
        let place = Place { world, product, stage, platforms: &platforms, target: None };
        let selection = select(&place, packages)?;
        let mut items = BTreeSet::new();
        for (repository, listed) in &selection.packages {
            let platform = repository.platform().to_string();
            items.extend(listed.iter().map(|one| Item {
                platform: platform.clone(),
                nevra: one.nevra.clone(),
                pkgid: one.pkgid,
            }));
        }
        let names: BTreeSet<&str> = items.iter().map(|item| item.nevra.name.as_str()).collect();
        let metas = MetaPackages::of(product);
        let mut gates = Gates::of(world, &product.name, stage);
        let stages = [stage, &procedure.rules.beta, &procedure.rules.production];
        let shown = stages.iter().flat_map(|stage| {
            platforms.iter().map(|platform| product.repository(platform, stage, Kind::Binary))
        });
        let shown = shown.filter(|repository| world.repositories.contains_key(repository));
        let indexes = gates.indexes(world, shown)?;
        let mut pinning = BTreeSet::new();
        for (repository, shelf) in &indexes {
            let listing = places::listing(world, repository)?;
            let all = known(listing, shelf);
            let pins = all.iter().filter(|(_, package)| metas.has(package)).filter(|(_, package)| {
                let is_named = |name: &str| names.contains(name);
                is_named(&package.nevra.name) || pins_of(package).iter().any(|pin| is_named(&pin.name))
            });
            pinning.extend(pins.map(|(_, package)| package.nevra.name.clone()));
        }
        Ok(Looked { items, pinning })
    }
}

/// Looks up packages in stages; what a stage lists is gone through once.
struct Listings<'a> {
    world: &'a World,
    product: &'a Product,
    known: RefCell<BTreeMap<(String, String), HashSet<Sha256>>>,
}

impl Listings<'_> {
    fn has(&self, stage: &str, item: &Item) -> bool {
        let mut known = self.known.borrow_mut();
        let listed = known.entry((stage.to_owned(), item.platform.clone())).or_insert_with(|| {
            let platform = item.platform.parse().ok();
            let repositories = platform
                .into_iter()
                .flat_map(|platform| Kind::ALL.map(|kind| self.product.repository(&platform, stage, kind)));
            let listed =
                repositories.filter_map(|repository| self.world.repositories.get(&repository)).flatten();
            listed.map(|one| one.pkgid).collect()
        });
        listed.contains(&item.pkgid)
    }
}

/// Tells who answers for it that packages enter production without their tests: for every one of them.
fn waived(world: &World, product: &Product, production: &str, items: &BTreeSet<Item>) -> Option<String> {
    let waivers = world.standing.waivers.values().filter(|waiver| {
        let is_meant =
            waiver.product == product.name && waiver.stage == production && waiver.gate == "rollout";
        is_meant && waiver.is_in_force(world)
    });
    let mut waivers = waivers.map(|waiver| waiver.covering());
    let covering = waivers.find(|covering| items.iter().all(|item| covering.covers(&item.nevra)))?;
    Some(covering.waiver.evidence())
}
