//! What a repository says beside its packages: as the plan sees it, and where the plan makes something else of it.

use std::sync::Arc;

use plan::Part;
use repo::{Record, Repomd};

use super::{Beside, Earlier, MODULES, UPDATEINFO, is_group, updates};
use crate::adoption::Adopted;

/// Which parts are other ones than those that the records lead to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) updates: bool,
    pub(crate) groups: bool,
    pub(crate) modules: bool,
}

impl Beside {
    /// Shows it to the plan; the records tell what there is beside what was read.
    pub(crate) fn said(&self, repomd: &Repomd) -> plan::Beside {
        let part = |open: &Option<Arc<[u8]>>, kind: &str, is_of: fn(&Record) -> bool| {
            let of = repomd.records.iter().filter(|record| is_of(record));
            let are_two = of.clone().filter(|record| record.kind == kind).count() > 1;
            match (open, of.count()) {
                (_, 0) => Part::Nothing,
                _ if are_two => Part::Unread("for there are two".to_owned()),
                (Some(open), _) => Part::Read(open.clone()),
                (None, _) => Part::Unread("for it is too large, or of a form that is not read".to_owned()),
            }
        };
        plan::Beside {
            updates: part(&self.updates, UPDATEINFO, updates::is_updateinfo),
            groups: part(&self.groups, "group", |record: &Record| is_group(&record.kind)),
            modules: part(&self.modules, MODULES, is_modules),
        }
    }
}

impl Beside {
    /// Takes what an adopted repository leads to, of each of these files of which it has a record.
    pub(crate) fn give_way_to<'a>(&mut self, new: &Self, records: impl Iterator<Item = &'a Record> + Clone) {
        let is_group: fn(&Record) -> bool = |record| is_group(&record.kind);
        for (kept, new, is_of) in [
            (&mut self.groups, &new.groups, is_group),
            (&mut self.updates, &new.updates, updates::is_updateinfo),
            (&mut self.modules, &new.modules, is_modules),
        ] {
            if records.clone().any(is_of) {
                kept.clone_from(new);
            }
        }
    }
}

impl Adopted {
    /// Shows the plan what it says beside its packages.
    pub(crate) fn said(&self) -> plan::Beside {
        let mut repomd = self.repomd.clone();
        repomd.records = self.carried.iter().map(|(record, _)| record.clone()).collect();
        self.beside.said(&repomd)
    }
}

impl Earlier {
    /// Goes on from what the plan makes of it.
    pub(crate) fn follow(&mut self, said: &plan::Beside) {
        let repomd = self.repomd.clone().unwrap_or_else(|| Repomd::new(""));
        let now = self.beside.said(&repomd);
        let beside = &mut self.beside;
        self.carried = Carried {
            updates: follow(&mut beside.updates, &now.updates, &said.updates),
            groups: follow(&mut beside.groups, &now.groups, &said.groups),
            modules: follow(&mut beside.modules, &now.modules, &said.modules),
        };
    }
}

/// Takes what is said in the place of what is there, if that is another thing, and says whether it is.
fn follow(open: &mut Option<Arc<[u8]>>, now: &Part, said: &Part) -> bool {
    *open = match said {
        _ if now == said => return false,
        // Of what is not read nothing is made: it goes on byte for byte.
        Part::Unread(_) => return false,
        Part::Read(open) => Some(Arc::clone(open)),
        Part::Nothing => None,
    };
    true
}

/// Whether a record is about module streams: `modules`, or the same in another form.
pub(super) fn is_modules(record: &Record) -> bool {
    record.kind == MODULES || record.kind.starts_with("modules_")
}

/// Whether two records are about the same, be it in two forms: one of advisories with another, and so on.
pub(crate) fn are_about_the_same(one: &Record, other: &Record) -> bool {
    let is_both = |is_of: fn(&Record) -> bool| is_of(one) && is_of(other);
    one.kind == other.kind
        || is_both(updates::is_updateinfo)
        || is_both(is_modules)
        || is_both(|record| is_group(&record.kind))
}
