//! Module streams: which packages of a context a host does not see, because they belong to a stream that it has not enabled, or
//! because a default stream brings another package of that name.
//!
//! A host that nobody touched has the default streams. Of each the newest set of modules counts whose requirements on other
//! modules the default streams meet; a module without one is taken along where it is required. That is what dnf's solver finds
//! where defaults do not contradict each other. The platform is taken for what every module requires.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use closure::Package;
use nevra::Nevra;
use saphyr_parser::{Event, Parser};

/// How deep documents are nested: modulemd needs seven levels.
const DEPTH_MAX: usize = 32;

/// How many streams there may be: Fedora had some thousands.
const STREAMS_MAX: usize = 20_000;

/// How often it is asked again which streams have all they require: the deepest chain is of two or three modules.
const ROUNDS_MAX: usize = 50;

/// What hosts see of the packages that belong to modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Modules {
    /// The packages of streams that are active: these are seen.
    pub(super) active: BTreeSet<Nevra>,
    /// The packages of all other streams: these are not.
    pub(super) hidden: BTreeSet<Nevra>,
    /// The names of which hosts see nothing but what is active.
    pub(super) names: BTreeSet<String>,
}

/// Modules, and which streams of each: any where none is named, and where they stand with a minus, any other.
type Requirements = BTreeMap<String, BTreeSet<String>>;

/// One document of a stream.
#[derive(Clone, Debug, Default)]
struct Stream {
    module: String,
    stream: String,
    version: u64,
    /// For each alternative the modules it requires, and which streams of each.
    requires: Vec<Requirements>,
    artifacts: Vec<String>,
    /// The names that no longer belong to the module, whatever its artifacts are.
    demodularized: BTreeSet<String>,
}

/// What a default says, and when it was said.
type Default = (u64, Option<String>);

impl Modules {
    /// Says whether hosts see a package of the same repository.
    pub(super) fn show(&self, package: &Package) -> bool {
        let nevra = &package.nevra;
        let provides = || package.provides.iter().map(|provided| &provided.name);
        let is_named =
            || self.names.contains(&nevra.name) || provides().any(|name| self.names.contains(name));
        self.active.contains(nevra) || !self.hidden.contains(nevra) && !is_named()
    }

    /// Reads modules.yaml; `Err` says what is wrong with it.
    pub(super) fn read(yaml: &str) -> Result<Self, String> {
        let (streams, defaults) = documents(yaml)?;
        let active = active(&streams, &defaults)?;
        let mut modules = Self::default();
        for (at, stream) in streams.iter().enumerate() {
            let is_active = active.contains(&at);
            for artifact in &stream.artifacts {
                // What is no full name is of no package.
                let Ok(nevra) = artifact.parse::<Nevra>() else { continue };
                if is_active && !nevra.arch.is_source() && !stream.demodularized.contains(&nevra.name) {
                    modules.names.insert(nevra.name.clone());
                }
                let of = if is_active { &mut modules.active } else { &mut modules.hidden };
                of.insert(nevra);
            }
        }
        modules.hidden.retain(|nevra| !modules.active.contains(nevra));
        Ok(modules)
    }
}

/// How many streams of a set there are, by module, and by module and stream.
#[derive(Default)]
struct Counts<'a> {
    modules: HashMap<&'a str, usize>,
    streams: HashMap<(&'a str, &'a str), usize>,
}

impl<'a> Counts<'a> {
    fn of(streams: impl Iterator<Item = &'a Stream>) -> Self {
        let mut counts = Self::default();
        for one in streams {
            *counts.modules.entry(&one.module).or_default() += 1;
            *counts.streams.entry((&one.module, &one.stream)).or_default() += 1;
        }
        counts
    }

    /// Says whether one of the streams is there: any where none is named, any but those with a minus.
    fn has(&self, module: &str, of: &BTreeSet<String>) -> bool {
        let count = |stream: &str| self.streams.get(&(module, stream)).copied().unwrap_or(0);
        match of.iter().any(|one| !one.starts_with('-')) {
            true => of.iter().any(|one| count(one) > 0),
            false => {
                let refused: usize = of.iter().filter_map(|one| one.strip_prefix('-')).map(count).sum();
                self.modules.get(module).copied().unwrap_or(0) > refused
            }
        }
    }
}

/// Takes away what requires something that is not there, until nothing more goes; `is_met` is told how many there are.
fn settled<'a>(
    streams: &'a [Stream],
    mut set: BTreeSet<usize>,
    is_met: impl Fn(&Counts<'a>, &'a Requirements) -> bool,
) -> Result<BTreeSet<usize>, String> {
    for _ in 0..ROUNDS_MAX {
        let counts = Counts::of(set.iter().map(|at| &streams[*at]));
        let stays = |at: &usize| {
            let requires = &streams[*at].requires;
            requires.is_empty() || requires.iter().any(|one| is_met(&counts, one))
        };
        let next: BTreeSet<usize> = set.iter().copied().filter(stays).collect();
        if next.len() == set.len() {
            return Ok(set);
        }
        set = next;
    }
    Err(format!("modules require each other more than {ROUNDS_MAX} deep"))
}

/// Finds the streams that a host has by itself.
fn active(streams: &[Stream], defaults: &BTreeMap<String, Default>) -> Result<BTreeSet<usize>, String> {
    let default = |module: &str| defaults.get(module).and_then(|(_, of)| of.as_deref());
    let all = (0..streams.len()).collect();
    let possible = settled(streams, all, |now, one| one.iter().all(|(module, of)| now.has(module, of)))?;
    let counts = Counts::of(possible.iter().map(|at| &streams[*at]));
    let is_default = |at: &usize| default(&streams[*at].module) == Some(streams[*at].stream.as_str());
    let by_default = possible.iter().copied().filter(is_default).collect();
    let mut active = settled(streams, by_default, |now, one| {
        // Where the default stream cannot be had, another one may come.
        one.iter().all(|(module, of)| match now.modules.contains_key(module.as_str()) {
            true => now.has(module, of),
            false => counts.has(module, of),
        })
    })?;
    let has: HashSet<&str> = active.iter().map(|at| streams[*at].module.as_str()).collect();
    // A module without default comes with what requires it.
    let mut of_module: HashMap<&str, Vec<usize>> = HashMap::new();
    for at in &possible {
        of_module.entry(&streams[*at].module).or_default().push(*at);
    }
    let mut open: Vec<usize> = active.iter().copied().collect();
    while let Some(at) = open.pop() {
        let is_met = |one: &&Requirements| one.iter().all(|(module, of)| counts.has(module, of));
        for (module, of) in streams[at].requires.iter().find(is_met).into_iter().flatten() {
            if has.contains(module.as_str()) {
                continue;
            }
            let fits = |at: &usize| Counts::of([&streams[*at]].into_iter()).has(module, of);
            // Each is looked for once.
            let candidates = of_module.remove(module.as_str()).unwrap_or_default();
            let newest = candidates.iter().copied().filter(fits).max_by_key(|at| streams[*at].version);
            let Some(newest) = newest.filter(|newest| !active.contains(newest)) else { continue };
            open.push(newest);
            let comes = |at: &usize| {
                let (one, newest) = (&streams[*at], &streams[newest]);
                one.stream == newest.stream && one.requires == newest.requires
            };
            active.extend(candidates.into_iter().filter(comes));
        }
    }
    // Of one stream those count that require the same as its newest one.
    let mut newest: HashMap<(&str, &str), usize> = HashMap::new();
    for at in &active {
        let best = newest.entry((&streams[*at].module, &streams[*at].stream)).or_insert(*at);
        if streams[*at].version > streams[*best].version {
            *best = *at;
        }
    }
    let of_newest = |at: &usize| {
        let one = &streams[*at];
        streams[newest[&(one.module.as_str(), one.stream.as_str())]].requires == one.requires
    };
    Ok(active.iter().copied().filter(of_newest).collect())
}

/// Where the reading of one document stands.
enum Level {
    Mapping(Option<String>),
    Sequence(usize),
}

/// Reads the documents one after the other, without keeping more of them than is asked for.
fn documents(yaml: &str) -> Result<(Vec<Stream>, BTreeMap<String, Default>), String> {
    let mut streams = Vec::new();
    let mut defaults: BTreeMap<String, Default> = BTreeMap::new();
    let mut levels: Vec<Level> = Vec::new();
    let mut document = Document::default();
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let wrong = |what: &str| format!("{what} in line {}", span.start.line());
        match event {
            Event::DocumentStart(_) => document = Document::default(),
            Event::DocumentEnd => match std::mem::take(&mut document).finished() {
                Some(Finished::Stream(stream)) => streams.push(stream),
                Some(Finished::Default(module, said)) => note(&mut defaults, module, said),
                None => {}
            },
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if levels.len() >= DEPTH_MAX {
                    return Err(wrong("it is nested too deep"));
                }
                if let Some(Level::Mapping(None)) = levels.last() {
                    return Err(wrong("a key is no text"));
                }
                if let Some(Level::Sequence(at)) = levels.last_mut() {
                    *at += 1;
                }
                document.begin(&levels);
                levels.push(match event {
                    Event::MappingStart(..) => Level::Mapping(None),
                    _ => Level::Sequence(0),
                });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                levels.pop();
                if let Some(Level::Mapping(key)) = levels.last_mut() {
                    *key = None;
                }
            }
            Event::Scalar(text, ..) => {
                if let Some(Level::Mapping(key @ None)) = levels.last_mut() {
                    *key = Some(text.into_owned());
                    continue;
                }
                document.take(&levels, text.into_owned()).map_err(wrong)?;
                if let Some(Level::Mapping(key)) = levels.last_mut() {
                    *key = None;
                }
            }
            // No tool writes one, and what it would say again was not kept.
            Event::Alias(_) => return Err(wrong("an alias stands")),
            Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
        }
        if streams.len() > STREAMS_MAX {
            return Err(format!("it lists more than {STREAMS_MAX} streams"));
        }
    }
    Ok((streams, defaults))
}

/// Takes a default; the one modified last counts, and of two that contradict each other none.
fn note(defaults: &mut BTreeMap<String, Default>, module: String, said: Default) {
    match defaults.get_mut(&module) {
        Some(known) if said.0 < known.0 => {}
        Some(known) if said.0 == known.0 && said.1 != known.1 => known.1 = None,
        _ => drop(defaults.insert(module, said)),
    }
}

fn place(levels: &[Level]) -> Vec<&str> {
    levels.iter().map(Level::name).collect()
}

impl Level {
    fn name(&self) -> &str {
        match self {
            Level::Mapping(key) => key.as_deref().unwrap_or_default(),
            Level::Sequence(_) => "[]",
        }
    }
}

/// What was read of a document.
#[derive(Default)]
struct Document {
    kind: String,
    /// Of a default the module, and when it was modified.
    module: Option<String>,
    modified: u64,
    has_stream: bool,
    stream: Stream,
}

enum Finished {
    Stream(Stream),
    Default(String, Default),
}

impl Document {
    /// Notes a list or mapping at its place: of a module that is required, any stream may do.
    fn begin(&mut self, levels: &[Level]) {
        if let ["data", "dependencies", "[]", "requires", module] = place(levels).as_slice() {
            self.alternative(levels).entry((*module).to_owned()).or_default();
        }
    }

    /// Takes a text at its place.
    fn take(&mut self, levels: &[Level], text: String) -> Result<(), &'static str> {
        let path = place(levels);
        let number = || text.parse::<u64>().map_err(|_| "a version is no number");
        match path.as_slice() {
            ["document"] => self.kind = text,
            ["data", "name"] => self.stream.module = text,
            ["data", "module"] => self.module = Some(text),
            ["data", "modified"] => self.modified = number()?,
            ["data", "stream"] => (self.stream.stream, self.has_stream) = (text, true),
            ["data", "version"] => self.stream.version = number()?,
            ["data", "artifacts", "rpms", "[]"] => self.stream.artifacts.push(text),
            ["data", "demodularized", "rpms", "[]"] => drop(self.stream.demodularized.insert(text)),
            ["data", "dependencies", "[]", "requires", module, "[]"] => {
                let module = (*module).to_owned();
                self.alternative(levels).entry(module).or_default().insert(text);
            }
            _ => {}
        }
        Ok(())
    }

    /// The alternative of the requirements in which the reading stands.
    fn alternative(&mut self, levels: &[Level]) -> &mut Requirements {
        let at = levels.iter().find_map(|level| match level {
            Level::Sequence(at) => Some(*at),
            Level::Mapping(_) => None,
        });
        let needed = at.unwrap_or(1).max(1);
        while self.stream.requires.len() < needed {
            self.stream.requires.push(BTreeMap::new());
        }
        &mut self.stream.requires[needed - 1]
    }

    fn finished(mut self) -> Option<Finished> {
        for required in &mut self.stream.requires {
            required.remove("platform");
        }
        match (self.kind.as_str(), self.module) {
            ("modulemd", _) if !self.stream.module.is_empty() && self.has_stream => {
                Some(Finished::Stream(self.stream))
            }
            ("modulemd-defaults", Some(module)) => {
                let stream = self.has_stream.then_some(self.stream.stream);
                Some(Finished::Default(module, (self.modified, stream)))
            }
            _ => None,
        }
    }
}
