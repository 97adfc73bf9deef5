//! Module streams go with their packages; what is said of a module beside them goes where a stream of it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use nevra::Nevra;
use repo::{Module, Modules};

use super::naming::{Naming, Place, Target};
use super::{Part, Seen, Source};

/// What comes into a repository: streams, and what is said of their modules.
#[derive(Default)]
pub(super) struct Arriving {
    streams: Vec<Module>,
    others: Vec<Module>,
}

impl Naming for Module {
    const WORD: &'static str = "module";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> impl Iterator<Item = &Nevra> {
        self.packages()
    }

    fn is_fixed(&self) -> bool {
        !self.is_stream()
    }

    fn without(&self, stays: impl Fn(&Nevra) -> bool) -> Option<Self> {
        self.cut(stays)
    }

    fn together(&self, arriving: &Self) -> Self {
        self.merged(arriving)
    }
}

/// Finds what comes with what enters a repository.
pub(super) fn arriving(target: Target<'_>, sources: &[Source<'_>], seen: &mut Seen) -> Arriving {
    let mut arriving = Arriving::default();
    for source in sources.iter().filter(|_| !target.family.entered.is_empty()) {
        let read = match read(&source.beside.modules) {
            Ok(read) => read,
            Err(why) => {
                if let Some(repository) = source.repository {
                    let words =
                        format!("no module goes along from `{repository}`: its modules are not read, {why}");
                    seen.note(words);
                }
                continue;
            }
        };
        // A part of a stream is one for hosts, too: nothing waits.
        target.arriving(source, &read.documents, &mut arriving.streams, seen, |_, _| false);
        let modules: BTreeSet<&str> = arriving.streams.iter().map(|one| one.module.as_str()).collect();
        for other in
            read.documents.iter().filter(|one| !one.is_stream() && modules.contains(one.module.as_str()))
        {
            put(&mut arriving.others, other);
        }
    }
    arriving
}

/// Works out what a repository says of modules.
pub(super) fn follow(place: &Place<'_>, own: &Part, arriving: Arriving, seen: &mut Seen) -> Part {
    if place.family.left.is_empty() && arriving.streams.is_empty() {
        return own.clone();
    }
    let before = match read(own) {
        Ok(before) => before,
        Err(why) => {
            let repository = place.repository;
            seen.note(format!("the modules of `{repository}` stay as they are: they are not read, {why}"));
            return own.clone();
        }
    };
    let had: BTreeSet<String> = modules(&before.documents);
    let mut documents = place.follow(&before.documents, arriving.streams, seen);
    let has = modules(&documents);
    // What is said of a module goes with its last stream, and stays where there never was one.
    documents.retain(|one| one.is_stream() || has.contains(&one.module) || !had.contains(&one.module));
    for other in &arriving.others {
        put(&mut documents, other);
    }
    match (documents == before.documents, documents.is_empty()) {
        (true, _) => own.clone(),
        (false, true) => Part::Nothing,
        (false, false) => Part::Read(Arc::from(Modules { documents }.write())),
    }
}

/// The modules of which there are streams.
fn modules(documents: &[Module]) -> BTreeSet<String> {
    documents.iter().filter(|one| one.is_stream()).map(|one| one.module.clone()).collect()
}

/// Puts a document that is no stream to others, in the place of one of the same kind and id that is not newer.
fn put(documents: &mut Vec<Module>, new: &Module) {
    let same = |one: &&mut Module| one.kind == new.kind && one.id == new.id;
    match documents.iter_mut().find(same) {
        Some(known) if known.modified <= new.modified => *known = new.clone(),
        Some(_) => {}
        None => documents.push(new.clone()),
    }
}

/// Reads a file; what is not there says nothing.
fn read(part: &Part) -> Result<Modules, String> {
    match part {
        Part::Nothing => Ok(Modules::default()),
        Part::Unread(why) => Err(why.clone()),
        Part::Read(open) => Modules::parse(open).map_err(|error| error.to_string()),
    }
}
