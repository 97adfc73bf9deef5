//! What a repository says beside its packages: as the plan sees it, and where the plan makes something else of it.

use plan::Part;
use repo::Repomd;

use super::{Beside, Earlier, UPDATEINFO, updates};
use crate::adoption::Adopted;

/// Which parts are other ones than those that the records lead to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) updates: bool,
}

impl Beside {
    /// Shows it to the plan; the records tell what there is beside what was read.
    pub(crate) fn said(&self, repomd: &Repomd) -> plan::Beside {
        let updates = repomd.records.iter().filter(|record| updates::is_updateinfo(record));
        let are_two = updates.clone().filter(|record| record.kind == UPDATEINFO).count() > 1;
        let updates = match (&self.updates, updates.count()) {
            (_, 0) => Part::Nothing,
            _ if are_two => Part::Unread("for there are two".to_owned()),
            (Some(open), _) => Part::Read(open.clone()),
            (None, _) => Part::Unread("for it is too large, or of a form that is not read".to_owned()),
        };
        plan::Beside { updates }
    }
}

impl Adopted {
    /// Shows the plan what a repository says that said `known` and adopts this one.
    pub(crate) fn said(&self, known: plan::Beside) -> plan::Beside {
        let mut repomd = self.repomd.clone();
        repomd.records = self.carried.iter().map(|(record, _)| record.clone()).collect();
        let plan::Beside { updates } = self.beside.said(&repomd);
        plan::Beside { updates: if updates == Part::Nothing { known.updates } else { updates } }
    }
}

impl Earlier {
    /// Goes on from what the plan makes of it.
    pub(crate) fn follow(&mut self, said: &plan::Beside) {
        let repomd = self.repomd.clone().unwrap_or_else(|| Repomd::new(""));
        let now = self.beside.said(&repomd);
        self.carried.updates = said.updates != now.updates;
        if self.carried.updates {
            self.beside.updates = match &said.updates {
                Part::Read(open) => Some(open.clone()),
                Part::Nothing | Part::Unread(_) => None,
            };
        }
    }
}
