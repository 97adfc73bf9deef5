//! What facts make of a ticket.

use jiff::Timestamp;

use crate::names::Id;
use crate::patch::{Place, Step};
use crate::state::State;
use crate::ticket::fact::Turn;
use crate::ticket::{Links, Standing, Ticket};

impl State {
    pub(super) fn ticket_evolves(
        &mut self,
        id: &Id,
        turn: &Turn,
        step: &impl Fn(String) -> Step,
        now: Timestamp,
    ) {
        if let Turn::Opened { component, items, node_types, urgent } = turn {
            let opened = Ticket {
                component: component.clone(),
                standing: Standing::Unverified,
                items: items.clone(),
                node_types: node_types.clone(),
                is_urgent: *urgent,
                links: Links::default(),
                cc: Default::default(),
                related: Default::default(),
                summary: None,
                release: None,
                place: Place::Before,
                deployed: None,
                since: now,
                history: vec![step("opened".into())],
            };
            self.tickets.insert(id.clone(), opened);
        } else if let Some(ticket) = self.tickets.get_mut(id) {
            ticket.evolve(turn, step, now);
        }
    }
}

impl Ticket {
    fn evolve(&mut self, turn: &Turn, step: &impl Fn(String) -> Step, now: Timestamp) {
        let words = match turn {
            Turn::Opened { .. } => return,
            Turn::Changed { items, node_types } => {
                self.items.clone_from(items);
                self.node_types.clone_from(node_types);
                self.standing = Standing::Unverified;
                self.since = now;
                "has other packages".to_owned()
            }
            Turn::Set(standing) => {
                self.standing = *standing;
                self.since = now;
                standing.to_string()
            }
            Turn::Moved(place) => {
                self.place = *place;
                if *place == Place::Beta {
                    self.deployed = Some(now);
                }
                return;
            }
            Turn::Rebuilt { was, item } => {
                self.items.remove(was);
                self.items.insert(item.clone());
                format!("{} is built anew as {}", was.nevra, item.nevra)
            }
            Turn::Linked(links) => {
                self.links.clone_from(links);
                "has other links".to_owned()
            }
            Turn::Copied(teams) => {
                self.cc.extend(teams.iter().cloned());
                return;
            }
            Turn::Related { ticket, entry } => {
                self.related.insert(ticket.clone(), entry.clone());
                format!("led to {ticket}")
            }
            Turn::Summarised(summary) => {
                let words = format!("summary {} under {}", summary.file, summary.document);
                self.summary = Some(summary.clone());
                words
            }
            Turn::Released(release) => {
                self.release = Some(release.clone());
                format!("is of release {release}")
            }
        };
        self.history.push(step(words));
    }
}
