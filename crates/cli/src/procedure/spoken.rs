//! A step of a procedure as one types it, and what is typed as a step.

use nevra::Sha256;
use workflow::{Answer, Command, Next};

use super::arguments::{
    Back, BundleVerb, Numbered, Of, PatchVerb, ReleaseVerb, Reported, TaskVerb, TeamVerb, TicketVerb,
    Ticketed,
};
use crate::arguments::Asking;

/// What is asked for: a step of the procedure of a product, or to look.
#[derive(Debug)]
pub enum Asked {
    /// A step.
    Step(Box<Command>, Option<String>, Asking),
    /// To look at patches, bundles, tickets, tasks, updates or teams.
    Look(Kind, Option<String>, Option<String>),
}

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Patches.
    Patch,
    /// Bundles.
    Bundle,
    /// Tickets.
    Ticket,
    /// Tasks.
    Task,
    /// Updates.
    Update,
    /// Teams.
    Team,
}

fn step(command: Command, of: Of) -> Asked {
    Asked::Step(Box::new(command), of.product, of.asking)
}

fn look(kind: Kind, which: Option<impl ToString>, product: Option<String>) -> Asked {
    Asked::Look(kind, which.map(|one| one.to_string()), product)
}

impl From<PatchVerb> for Asked {
    fn from(verb: PatchVerb) -> Asked {
        match verb {
            PatchVerb::Add { patch, packages, title, node_types, bugs, scope, asking } => {
                let (node_types, bugs) = (node_types.into_iter().collect(), bugs.into_iter().collect());
                let platforms = scope.platforms;
                let command = Command::PatchAdd { patch, title, packages, platforms, node_types, bugs };
                Asked::Step(Box::new(command), scope.product, asking)
            }
            PatchVerb::Change { patch, packages, scope, asking } => {
                let command = Command::PatchChange { patch, packages, platforms: scope.platforms };
                Asked::Step(Box::new(command), scope.product, asking)
            }
            PatchVerb::Status { status, patches, of } => {
                step(Command::PatchStatus { patches: patches.into_iter().collect(), status }, of)
            }
            PatchVerb::Comment { patch, comment, of } => step(Command::PatchComment { patch, comment }, of),
            PatchVerb::Show(show) => look(Kind::Patch, show.which, show.product),
        }
    }
}

impl From<BundleVerb> for Asked {
    fn from(verb: BundleVerb) -> Asked {
        match verb {
            BundleVerb::Create { bundle, patches, urgent, of } => {
                step(Command::BundleCreate { bundle, patches: patches.into_iter().collect(), urgent }, of)
            }
            BundleVerb::Add { bundle, patches, of } => {
                step(Command::BundleAdd { bundle, patches: patches.into_iter().collect() }, of)
            }
            BundleVerb::Remove { bundle, patches, of } => {
                step(Command::BundleRemove { bundle, patches: patches.into_iter().collect() }, of)
            }
            BundleVerb::Deploy { bundle, of } => step(Command::BundleDeploy { bundle }, of),
            BundleVerb::Hold { bundle, of } => step(Command::BundleHold { bundle }, of),
            BundleVerb::Continue { bundle, of } => step(Command::BundleContinue { bundle }, of),
            BundleVerb::Rollback { bundle, back: Back { versions, without, releases }, of } => {
                step(Command::BundleRollback { bundle, versions, without, releases }, of)
            }
            BundleVerb::Show(show) => look(Kind::Bundle, show.which, show.product),
        }
    }
}

impl From<TaskVerb> for Asked {
    fn from(verb: TaskVerb) -> Asked {
        match verb {
            TaskVerb::Assign { bundle, teams, rollback, node_types, days, of } => {
                let (teams, node_types) = (teams.into_iter().collect(), node_types.into_iter().collect());
                step(Command::TaskAssign { bundle, teams, rollback, node_types, days }, of)
            }
            TaskVerb::Answer { task, answer, of } => step(Command::TaskAnswer { task, answer }, of),
            TaskVerb::Ack { task, of } => step(Command::TaskAnswer { task, answer: Answer::Accept }, of),
            TaskVerb::Start(Reported { task, outcome, tickets, content, of }) => step(
                Command::TaskStart { task, outcome, tickets: tickets.into_iter().collect(), content },
                of,
            ),
            TaskVerb::Comment { task, comment, of } => step(Command::TaskComment { task, comment }, of),
            TaskVerb::Done(Reported { task, outcome, tickets, content, of }) => {
                step(Command::TaskDone { task, outcome, tickets: tickets.into_iter().collect(), content }, of)
            }
            TaskVerb::Extend { task, days, of } => step(Command::TaskExtend { task, days }, of),
            TaskVerb::Downtime { task, from, until, of } => {
                step(Command::TaskDowntime { task, from, until }, of)
            }
            TaskVerb::Beta { task, of } => step(Command::TaskBeta { task }, of),
            TaskVerb::Close { task, of } => step(Command::TaskClose { task }, of),
            TaskVerb::Show(show) => look(Kind::Task, show.which, show.product),
        }
    }
}

impl From<ReleaseVerb> for Asked {
    fn from(verb: ReleaseVerb) -> Asked {
        match verb {
            ReleaseVerb::Prepare { update, patches, priority, partial, of } => {
                let patches = patches.into_iter().collect();
                step(Command::ReleasePrepare { update, patches, priority, partial }, of)
            }
            ReleaseVerb::Ready(Numbered { update, of }) => step(Command::ReleaseReady { update }, of),
            ReleaseVerb::Approve(Numbered { update, of }) => step(Command::ReleaseApprove { update }, of),
            ReleaseVerb::Publish(Numbered { update, of }) => step(Command::ReleasePublish { update }, of),
            ReleaseVerb::Drop(Numbered { update, of }) => step(Command::ReleaseDrop { update }, of),
            ReleaseVerb::Reports(Numbered { update, of }) => step(Command::ReleaseReports { update }, of),
            ReleaseVerb::Show(show) => look(Kind::Update, show.which, show.product),
        }
    }
}

impl From<TicketVerb> for Asked {
    fn from(verb: TicketVerb) -> Asked {
        match verb {
            TicketVerb::Add {
                ticket,
                component,
                version,
                packages,
                stack,
                major,
                os,
                arch,
                node_types,
                urgent,
                scope,
                asking,
            } => {
                let command = Command::TicketAdd {
                    ticket,
                    component,
                    version,
                    packages,
                    stack,
                    major,
                    os,
                    arch,
                    platforms: scope.platforms,
                    node_types: node_types.into_iter().collect(),
                    urgent,
                };
                Asked::Step(Box::new(command), scope.product, asking)
            }
            TicketVerb::Change { ticket, packages, scope, asking } => {
                let command = Command::TicketChange { ticket, packages, platforms: scope.platforms };
                Asked::Step(Box::new(command), scope.product, asking)
            }
            TicketVerb::Verify(Ticketed { ticket, of }) => step(Command::TicketVerify { ticket }, of),
            TicketVerb::Deploy(Ticketed { ticket, of }) => step(Command::TicketDeploy { ticket }, of),
            TicketVerb::Links { ticket, release_notes, installation, bugs_fixed, documentation, of } => step(
                Command::TicketLinks { ticket, release_notes, installation, bugs_fixed, documentation },
                of,
            ),
            TicketVerb::Comment { ticket, comment, of } => {
                step(Command::TicketComment { ticket, comment }, of)
            }
            TicketVerb::Assign { ticket, teams, days, of } => {
                step(Command::TicketAssign { ticket, teams: teams.into_iter().collect(), days }, of)
            }
            TicketVerb::Relate { ticket, related, subject, criticality, workaround, of } => {
                step(Command::TicketRelate { ticket, related, subject, criticality, workaround }, of)
            }
            TicketVerb::Summary { ticket, document, file, of } => {
                step(Command::TicketSummary { ticket, document, file }, of)
            }
            TicketVerb::Accept(Ticketed { ticket, of }) => step(Command::TicketAccept { ticket }, of),
            TicketVerb::Reject { ticket, back: Back { versions, without, releases }, of } => {
                step(Command::TicketReject { ticket, versions, without, releases }, of)
            }
            TicketVerb::Release { release, tickets, of } => {
                step(Command::TicketRelease { tickets: tickets.into_iter().collect(), release }, of)
            }
            TicketVerb::Show(show) => look(Kind::Ticket, show.which, show.product),
        }
    }
}

impl From<TeamVerb> for Asked {
    fn from(verb: TeamVerb) -> Asked {
        match verb {
            TeamVerb::Add { team, contact, members, stacks, platforms, node_types, of } => {
                let [members, stacks, platforms, node_types] =
                    [members, stacks, platforms, node_types].map(|all| all.into_iter().collect());
                step(Command::TeamAdd { team, contact, members, stacks, platforms, node_types }, of)
            }
            TeamVerb::Remove { team, of } => step(Command::TeamRemove { team }, of),
            TeamVerb::List { product } => look(Kind::Team, None::<String>, product),
        }
    }
}

/// Writes the words behind `sluice` that ask for a step which is waited for; none for a step that waits for nobody.
pub fn words(next: &Next) -> Option<Vec<String>> {
    let mut words = Words(Vec::new());
    match &next.command {
        Command::PatchStatus { patches, status } => {
            words.verb("patch status").word(status).all(patches);
        }
        Command::BundleCreate { bundle, patches, urgent } => {
            words.verb("bundle create").word(bundle).all(patches).flag("--urgent", *urgent);
        }
        Command::BundleDeploy { bundle } => drop(words.verb("bundle deploy").word(bundle)),
        Command::BundleContinue { bundle } => drop(words.verb("bundle continue").word(bundle)),
        Command::BundleRollback { bundle, versions, without, releases } => {
            words.verb("bundle rollback").word(bundle);
            words.each("--back-to", versions).each("--without", without).each("--release", releases);
        }
        Command::TicketVerify { ticket } => drop(words.verb("ticket verify").word(ticket)),
        Command::TicketDeploy { ticket } => drop(words.verb("ticket deploy").word(ticket)),
        Command::TicketAssign { ticket, teams, days } => {
            words.verb("ticket assign").word(ticket).all(teams).each("--days", days);
        }
        Command::TicketAccept { ticket } => drop(words.verb("ticket accept").word(ticket)),
        Command::TicketReject { ticket, versions, without, releases } => {
            words.verb("ticket reject").word(ticket);
            words.each("--back-to", versions).each("--without", without).each("--release", releases);
        }
        Command::TaskAssign { bundle, teams, rollback, node_types, days } => {
            words.verb("task assign").word(bundle).all(teams).flag("--rollback", *rollback);
            words.each("--node-type", node_types).each("--days", days);
        }
        Command::TaskAnswer { task, answer } => drop(words.verb("task answer").word(task).word(answer)),
        Command::TaskStart { task, outcome, tickets, content } => {
            words.verb("task start").report(*task, outcome, tickets, content.as_ref());
        }
        Command::TaskDone { task, outcome, tickets, content } => {
            words.verb("task done").report(*task, outcome, tickets, content.as_ref());
        }
        Command::ReleasePrepare { update, patches, priority, partial } => {
            let priority = priority.to_string().to_lowercase();
            let priority = Some(priority).filter(|word| word != "normal");
            words.verb("release prepare").word(update).all(patches);
            words.each("--priority", &priority).flag("--partial", *partial);
        }
        Command::ReleaseReady { update } => drop(words.verb("release ready").word(update)),
        Command::ReleaseApprove { update } => drop(words.verb("release approve").word(update)),
        Command::ReleasePublish { update } => drop(words.verb("release publish").word(update)),
        Command::ReleaseDrop { update } => drop(words.verb("release drop").word(update)),
        Command::ReleaseReports { update } => drop(words.verb("release reports").word(update)),
        _ => return None,
    }
    words.each("--plan", &next.plan.map(|plan| plan.hex())).each("--reason", &next.reason);
    Some(words.0)
}

/// Words of a command line, one after the other.
struct Words(Vec<String>);

impl Words {
    fn verb(&mut self, words: &str) -> &mut Words {
        self.0.extend(words.split(' ').map(str::to_owned));
        self
    }

    fn word(&mut self, word: &impl ToString) -> &mut Words {
        self.0.push(word.to_string());
        self
    }

    fn all<'a, T: ToString + 'a>(&mut self, words: impl IntoIterator<Item = &'a T>) -> &mut Words {
        self.0.extend(words.into_iter().map(T::to_string));
        self
    }

    fn flag(&mut self, flag: &str, is_set: bool) -> &mut Words {
        self.0.extend(is_set.then(|| flag.to_owned()));
        self
    }

    fn each<'a, T: ToString + 'a>(
        &mut self,
        option: &str,
        values: impl IntoIterator<Item = &'a T>,
    ) -> &mut Words {
        self.0.extend(values.into_iter().flat_map(|value| [option.to_owned(), value.to_string()]));
        self
    }

    fn report<'a>(
        &mut self,
        task: u32,
        outcome: &impl ToString,
        tickets: impl IntoIterator<Item = &'a String>,
        content: Option<&Sha256>,
    ) {
        self.word(&task).0.push(outcome.to_string().to_lowercase());
        self.each("--ticket", tickets).each("--content", &content.map(Sha256::hex));
    }
}

/// Writes words as a shell reads them.
pub fn shell(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,".contains(c);
        match !word.is_empty() && word.chars().all(is_plain) {
            true => word.clone(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
