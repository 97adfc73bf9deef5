//! The register of early adopters.

use crate::decide::{Asked, Decided};
use crate::fact::Fact;
use crate::names::TeamName;
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::team::Team;

pub(super) fn add(asked: &Asked<'_>, team: &TeamName, entry: &Team) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Operations], "to register early adopters")?;
    let sentence = match asked.state.teams.get(team) {
        Some(known) if known == entry => return Ok(Decided::default()),
        Some(_) => format!("`{team}` has another entry in the register"),
        None => format!("`{team}` stands in the register of early adopters"),
    };
    let facts = vec![Fact::TeamEntered { team: team.clone(), entry: entry.clone() }];
    Ok(Decided { facts, sentence, ..Decided::default() })
}

pub(super) fn remove(asked: &Asked<'_>, team: &TeamName) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Operations], "to take early adopters out of the register")?;
    if !asked.state.teams.contains_key(team) {
        return Err(Refusal::new(Code::NoSuchTeam, format!("there is no team `{team}`")));
    }
    let open: Vec<String> = asked
        .state
        .tasks
        .iter()
        .filter(|(_, task)| task.team == *team && task.progress.is_open())
        .map(|(number, _)| number.to_string())
        .collect();
    if !open.is_empty() {
        let sentence = format!("`{team}` has open tasks: {}", open.join(", "));
        return Err(Refusal::new(Code::WrongState, sentence).hint("close them first"));
    }
    let facts = vec![Fact::TeamLeft { team: team.clone() }];
    let sentence = format!("`{team}` stands in the register no more");
    Ok(Decided { facts, sentence, ..Decided::default() })
}
