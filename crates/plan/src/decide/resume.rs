//! Going on after a restore: the same packages, dated later than anything a client may have seen.

use super::Decision;
use super::gates::Gates;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::world::{Asker, World};

pub(super) fn resume(world: &World, asker: &Asker) -> Result<Decision, Refusal> {
    let mut gates = Gates::default();
    gates.authority(asker, asker.is_clock(), "go on after a restore", "`sluice init --resume` does it");
    let gates = gates.finish()?;
    let sentence = format!(
        "the site goes on from generation {}, restored from a backup; every repository is dated anew",
        world.generation
    );
    Ok(Decision::Effect(Plan {
        action: "resume".to_owned(),
        sentence,
        renews: true,
        gates,
        ..Plan::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Code, Request, decide, samples};

    #[test]
    fn only_the_program_itself_goes_on_after_a_restore() {
        let world = samples::world();
        let request = Request::new(Action::Resume {});
        let Decision::Effect(plan) = decide(&world, &request, &Asker::clock(), &[]) else {
            panic!("no plan")
        };
        assert!(plan.renews && plan.changes.is_empty() && plan.drop_links.is_empty());
        assert!(crate::check(&world, &plan).is_empty());
        let somebody = Asker { name: "user:alice".into(), roles: [(None, "admin".to_owned())].into() };
        let Decision::Refused(refusal) = decide(&world, &request, &somebody, &[]) else {
            panic!("no refusal")
        };
        assert_eq!(refusal.code, Code::RoleNotAllowed);
    }
}
