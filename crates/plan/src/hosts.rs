//! What hosts have to run after a change, in the words of their tools.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::Kind;
use crate::plan::Plan;
use crate::recipe::{HostsRun, NodeType};

/// What a host with zypper runs to go back: it takes no names, whatever is newer than what is offered goes back.
pub const ZYPPER_GOES_BACK: &str = "zypper refresh && zypper dist-upgrade --allow-downgrade";

impl Plan {
    /// Says which hosts have to run what: those of each node type that was built anew, and all others of each stage.
    ///
    /// Nothing for hosts that need not do anything. A host that went back must be looked at by its installed versions: the
    /// exit codes of dnf and zypper are 0 also where they did nothing.
    pub fn hosts(&self) -> Vec<HostsRun> {
        // Where a roll-back is undone, what was built anew leaves, and what it was made of has the lower release.
        let goes_back = self.action == "rollback" || self.action == "undo" && !self.node_types.is_empty();
        if !goes_back && self.rebuilt.is_empty() {
            return Vec::new();
        }
        // What is only raised where it was goes on with everything it has.
        let is_told = |one: &&NodeType| !one.pins.is_empty();
        let mut by_type: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
        let mut all: BTreeSet<&String> = BTreeSet::new();
        for repository in self.changes.keys() {
            let name = repository.name();
            for one in self.node_types.iter().filter(is_told).filter(|one| one.repository == name) {
                let key = (repository.stage.clone(), one.before.name.clone());
                let names = by_type.entry(key).or_default();
                names.insert(&one.before.name);
                names.extend(one.pins.iter().filter(|pin| pin.after.is_some()).map(|pin| pin.name.as_str()));
            }
            if goes_back && repository.kind == Kind::Binary {
                all.insert(&repository.stage);
            }
        }
        let of_type = by_type.into_iter().map(|((stage, node_type), names)| {
            run(stage, Some(node_type), goes_back, &names.into_iter().collect::<Vec<_>>())
        });
        let of_all = all.into_iter().map(|stage| run(stage.clone(), None, goes_back, &[]));
        of_type.chain(of_all).collect()
    }
}

fn run(stage: String, node_type: Option<String>, goes_back: bool, names: &[&str]) -> HostsRun {
    let names: String = names.iter().map(|name| format!(" {name}")).collect();
    let (dnf, yum, zypper) = match goes_back {
        true => (
            format!("dnf --refresh distro-sync{names}"),
            format!("yum clean expire-cache && yum distro-sync{names}"),
            ZYPPER_GOES_BACK.to_owned(),
        ),
        false => (
            format!("dnf --refresh upgrade{names}"),
            format!("yum clean expire-cache && yum update{names}"),
            format!("zypper refresh && zypper update{names}"),
        ),
    };
    HostsRun { node_type, stage, goes_back, dnf, yum, zypper }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Change;
    use crate::recipe::PinChange;
    use crate::samples::{listed, repository};

    #[test]
    fn hosts_of_a_node_type_name_what_goes_back_and_all_others_take_what_is_offered() {
        let at = repository("sl5/x86_64 delta");
        assert_eq!(at.kind, Kind::Binary);
        let node_type = NodeType {
            repository: at.name(),
            before: "ui-2-1.noarch".parse().unwrap(),
            after: "ui-2-1.1.noarch".parse().unwrap(),
            is_direct: true,
            pins: vec![PinChange {
                name: "voms".into(),
                before: "= 2-1".into(),
                after: Some("1-1".parse().unwrap()),
            }],
        };
        let leave = vec![listed("voms-2-1.x86_64"), listed("ui-2-1.noarch")];
        let change = Change::of(&leave, vec![listed("ui-2-1.1.noarch")], leave.clone()).unwrap();
        let action = "rollback".to_owned();
        let changes = [(at, change)].into();
        let plan = Plan { action, changes, node_types: vec![node_type], ..Plan::default() };
        let commands: Vec<_> = plan.hosts().into_iter().map(|one| (one.node_type, one.dnf)).collect();
        let all = "dnf --refresh distro-sync".to_owned();
        assert_eq!(commands, [(Some("ui".to_owned()), format!("{all} ui voms")), (None, all)]);
        let first = &plan.hosts()[0];
        assert_eq!(first.yum, "yum clean expire-cache && yum distro-sync ui voms");
        assert_eq!(first.zypper, ZYPPER_GOES_BACK);
        for action in ["promote", "undo"] {
            let plain = Plan { action: action.into(), ..Plan::default() };
            assert_eq!(plain.hosts(), vec![], "{action}");
        }
    }
}
