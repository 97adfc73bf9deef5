//! Believing the wall clock: somebody says that it is right, after it jumped or the machine was off for long.

use jiff::SignedDuration;

use super::Decision;
use super::gates::Gates;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::witness::LAG_MIN;
use crate::world::{Asker, World};

pub(super) fn accept_clock(world: &World, asker: &Asker) -> Result<Decision, Refusal> {
    let mut gates = Gates::default();
    let is_allowed = asker.has("admin", None);
    gates.authority(asker, is_allowed, "accept the clock", "it takes the role `admin` for the whole site");
    let gates = gates.finish()?;
    let gap = world.now.duration_since(world.witnessed);
    if gap.abs() < LAG_MIN {
        let sentence = "the time the wall clock says is witnessed".to_owned();
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    // Rounded, so that the same request says the same thing a moment later.
    let hours = |gap: SignedDuration| format!("{}h {}m", gap.as_hours(), gap.as_mins() % 60);
    let what = match gap.is_positive() {
        true => format!("{} that nobody witnessed count as passed", hours(gap)),
        false => format!("the witnessed time goes back by {}", hours(-gap)),
    };
    Ok(Decision::Effect(Plan {
        action: "accept-clock".to_owned(),
        sentence: format!("the wall clock is right: {what}"),
        accepts_clock: true,
        gates,
        ..Plan::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{alice, effect, nothing, refused};
    use crate::{Action, Request, samples};

    fn world(hours: i64) -> World {
        let mut world = samples::world();
        world.witnessed = world.now - SignedDuration::from_hours(hours);
        world
    }

    #[test]
    fn an_admin_makes_the_wall_clock_count() {
        let accept = Request::new(Action::AcceptClock {});
        let mut world = world(50);
        let plan = effect(&world, &accept, &alice(), &[]);
        assert_eq!(plan.sentence, "the wall clock is right: 50h 0m that nobody witnessed count as passed");
        assert!(plan.changes.is_empty() && plan.drop_links.is_empty());
        world.apply(&plan);
        assert_eq!(world.proven(), world.now);
        nothing(&world, &accept, &alice(), &[], Code::NothingToDo);
    }

    #[test]
    fn what_was_accepted_wrongly_is_taken_back_the_same_way() {
        let plan = effect(&world(-2), &Request::new(Action::AcceptClock {}), &alice(), &[]);
        assert_eq!(plan.sentence, "the wall clock is right: the witnessed time goes back by 2h 0m");
    }

    #[test]
    fn neither_the_clock_itself_nor_a_release_team_may() {
        let accept = Request::new(Action::AcceptClock {});
        let bob = Asker { name: "user:bob".into(), roles: vec![(None, "release".into())] };
        refused(&world(50), &accept, &Asker::clock(), &[], Code::RoleNotAllowed);
        refused(&world(50), &accept, &bob, &[], Code::RoleNotAllowed);
    }
}
