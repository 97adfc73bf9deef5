//! A client that behaves like dnf, believes nothing it has not checked, and keeps the worst hours.

mod resuming;
mod verifying;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use nevra::Sha256;
use repo::Repomd;

use self::verifying::shown;
use super::origin::{Listed, Origin};
use super::tally::{Fault, Read, Session};
use super::wire::Wire;

/// How many sessions of one reader wait for flips at a time.
const WAITING_MAX: usize = 48;

/// How many packages a session fetches.
const PACKAGES: usize = 3;

/// One client.
pub struct Reader {
    pub origin: Arc<Origin>,
    wire: Wire,
    rng: Rng,
    /// What it would send conditions about, by repository.
    cached: HashMap<String, Known>,
    waiting: Vec<(u64, Waiting)>,
    reads: Cell<u64>,
}

/// A `repomd.xml` that was verified.
#[derive(Clone)]
pub struct Known {
    repository: String,
    etag: String,
    last_modified: String,
    bytes: Arc<Vec<u8>>,
    digest: Sha256,
    repomd: Arc<Repomd>,
    generations: String,
}

/// The metadata of a repository, every file of it verified.
pub struct View {
    known: Known,
    packages: Arc<Vec<Listed>>,
}

/// What goes on after some flips.
enum Waiting {
    /// A person who read the list of packages.
    Prompt(View),
    /// A client between `repomd.xml` and what it names.
    Midway(Known),
    /// A download that was cut: its URL, what came, its tag, and what it is to become.
    Cut { url: String, begun: Vec<u8>, etag: String, size: u64, digest: nevra::Digest, since: String },
    /// The same of a `repomd.xml`, which may have changed.
    CutRepomd(Known),
    /// A client that read one of two stages, and had the other cached.
    Other(OneOfBoth),
}

/// One of the two stages of a route, when it was begun to be read, and which one is the other.
pub struct OneOfBoth {
    first: View,
    other: String,
    began: Instant,
}

/// Which generations were in force when a request was sent and when all of its answer had come.
type Span = Option<(u64, u64)>;

impl Reader {
    pub fn new(origin: Arc<Origin>, seed: u64) -> Self {
        let rng = Rng::with_seed(seed);
        Self {
            origin,
            wire: Wire::new(),
            rng,
            cached: HashMap::new(),
            waiting: Vec::new(),
            reads: Cell::new(0),
        }
    }

    /// Reads until there will be no more flips, and then brings to an end what waits.
    pub fn run(mut self) {
        let origin = Arc::clone(&self.origin);
        let started = Instant::now();
        while !origin.flips.have_ended() {
            self.one_session();
            let due = self.reads.get() as f64 / origin.reads_per_second;
            origin.flips.rest_until(started + Duration::from_secs_f64(due));
        }
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            self.go_on(waiting);
        }
    }

    fn read(&self, read: Read) {
        self.reads.set(self.reads.get() + 1);
        self.origin.tally.read(read);
    }

    fn one_session(&mut self) {
        let count = self.origin.flips.count();
        if let Some(due) = self.waiting.iter().position(|(due, _)| *due <= count) {
            let (_, waiting) = self.waiting.swap_remove(due);
            return self.go_on(waiting);
        }
        let route = self.rng.usize(..self.origin.routes.len());
        let repository = self.origin.routes[route][self.rng.usize(..2)].clone();
        let is_free = self.waiting.len() < WAITING_MAX;
        match self.rng.usize(..20) {
            5..=7 => {
                let ended = self.revalidate(&repository);
                self.ended(Session::Revalidate, ended);
            }
            8..=11 if is_free => {
                match self.view(&repository) {
                    Ok(view) => self.wait(Waiting::Prompt(view)),
                    Err(fault) => self.ended(Session::Prompt, Err(fault)),
                };
            }
            12..=13 if is_free => {
                match self.repomd(&repository, "", None) {
                    Ok(known) => self.wait(Waiting::Midway(known)),
                    Err(fault) => self.ended(Session::Midway, Err(fault)),
                };
            }
            14..=16 if is_free => {
                match self.cut(&repository) {
                    Ok(waiting) => self.wait(waiting),
                    Err(fault) => self.ended(Session::Resume, Err(fault)),
                };
            }
            0..=4 | 8..=16 => {
                let ended = self.refresh(&repository);
                self.ended(Session::Refresh, ended);
            }
            17 if self.origin.ledger.is_some() => {
                let ended = self.pinned();
                self.ended(Session::Pinned, ended);
            }
            _ => match self.one_of_both() {
                // Where both stages are promised to hold each other, generations pass between them.
                Ok(one) if is_free && self.origin.overlap.is_some() && self.rng.bool() => {
                    let due = self.origin.flips.count() + self.rng.u64(2..=3);
                    self.waiting.push((due, Waiting::Other(one)));
                }
                Ok(one) => {
                    let ended = self.both(one);
                    self.ended(Session::Both, ended);
                }
                Err(fault) => self.ended(Session::Both, Err(fault)),
            },
        }
    }

    fn ended(&self, session: Session, ended: Result<(), Fault>) {
        self.origin.tally.ended(session, ended);
    }

    /// Mostly a flip or two pass, sometimes many.
    fn wait(&mut self, waiting: Waiting) {
        let flips = match self.rng.usize(..8) {
            0 => self.rng.u64(1..=self.origin.patience),
            _ => self.rng.u64(1..=4),
        };
        self.waiting.push((self.origin.flips.count() + flips, waiting));
    }

    fn go_on(&mut self, waiting: Waiting) {
        match waiting {
            Waiting::Prompt(view) => {
                let ended =
                    self.some_packages(&view, "").and_then(|()| self.metadata(&view.known, "").map(drop));
                self.ended(Session::Prompt, ended);
            }
            Waiting::Midway(known) => {
                let ended = self.metadata(&known, "").and_then(|view| self.some_packages(&view, ""));
                self.ended(Session::Midway, ended);
            }
            Waiting::Cut { url, begun, etag, size, digest, since } => {
                let ended = self.resume(&url, begun, &etag, size, &digest).map_err(|mut fault| {
                    fault.generations = format!("begun {since}, gone on {}", fault.generations);
                    fault
                });
                self.ended(Session::Resume, ended);
            }
            Waiting::CutRepomd(known) => {
                let ended = self.resume_repomd(&known);
                self.ended(Session::Resume, ended);
            }
            Waiting::Other(one) => {
                let ended = self.both(one);
                self.ended(Session::Both, ended);
            }
        }
    }

    fn refresh(&mut self, repository: &str) -> Result<(), Fault> {
        let view = self.view(repository)?;
        self.some_packages(&view, "")
    }

    fn view(&mut self, repository: &str) -> Result<View, Fault> {
        let known = self.repomd(repository, "", None)?;
        self.metadata(&known, "")
    }

    /// Asks whether what is cached is still so, by tag or by date.
    fn revalidate(&mut self, repository: &str) -> Result<(), Fault> {
        let Some(known) = self.cached.get(repository).cloned() else {
            return self.repomd(repository, "", None).map(drop);
        };
        let by_tag = self.rng.bool();
        let condition = match by_tag {
            true => ("if-none-match", known.etag.as_str()),
            false => ("if-modified-since", known.last_modified.as_str()),
        };
        let fresh = self.repomd(repository, "", Some((condition, &known)))?;
        if fresh.digest == known.digest { Ok(()) } else { self.metadata(&fresh, "").map(drop) }
    }

    /// Fetches one of the stages of the first route.
    fn one_of_both(&mut self) -> Result<OneOfBoth, Fault> {
        let [source, target] = self.origin.routes[0].clone();
        let [one, other] = if self.rng.bool() { [source, target] } else { [target, source] };
        let began = Instant::now();
        Ok(OneOfBoth { first: self.view(&one)?, other, began })
    }

    /// Fetches the other stage; nothing that moves may be in neither.
    fn both(&mut self, one: OneOfBoth) -> Result<(), Fault> {
        let OneOfBoth { first, other, began } = one;
        let known = self.repomd(&other, "", None)?;
        let took = began.elapsed();
        let second = self.metadata(&known, "")?;
        let missing = self.in_neither(&first, &second);
        match self.origin.overlap {
            Some(overlap) if took < overlap && !missing.is_empty() => {
                let span = format!("first {}, then {}", first.known.generations, second.known.generations);
                return Err(Fault::new(
                    format!("{missing:?} are in neither stage"),
                    &format!("{} and {other}", first.known.repository),
                    span,
                ));
            }
            Some(overlap) if took >= overlap => self.origin.tally.note(|counts| counts.too_slow += 1),
            _ if !missing.is_empty() => self.origin.tally.note(|counts| counts.in_neither += 1),
            _ => {}
        }
        self.some_packages(&first, "")
    }

    fn in_neither(&self, first: &View, second: &View) -> Vec<&str> {
        let listed: BTreeSet<&str> =
            first.packages.iter().chain(second.packages.iter()).map(|package| &*package.name).collect();
        let wanderers = self.origin.wanderers.iter().map(String::as_str);
        wanderers.filter(|name| !listed.contains(name)).collect()
    }

    /// Reads the stamp and then everything of that generation, or of an earlier one, by its number.
    fn pinned(&mut self) -> Result<(), Fault> {
        let url = format!("{}/generation", self.origin.base_url);
        let (answer, span) = self.ask(&url, &[])?;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        let number: u64 = said.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        if answer.status != 200 || span.is_none_or(|(first, last)| number < first || number > last) {
            return Err(
                Fault::new(format!("the stamp says `{}`", said.trim()), &url, shown(span)).answered(&answer)
            );
        }
        self.read(Read::Stamp);
        let back = if self.rng.bool() { 0 } else { self.rng.u64(..self.origin.patience) };
        let [source, target] = self.origin.routes[0].clone();
        let first = self.origin.ledger.as_ref().map_or(number, |ledger| ledger.first);
        let number = number.saturating_sub(back).max(first);
        // Numbers may have gaps.
        let is_there =
            |number: &u64| self.origin.ledger.as_ref().is_some_and(|ledger| ledger.is_there(*number));
        let number = (number..).find(is_there).unwrap_or(number);
        let pin = format!("/@{number}");
        let mut views = Vec::new();
        for repository in [&source, &target] {
            let known = self.repomd(repository, &pin, None)?;
            views.push(self.metadata(&known, &pin)?);
        }
        let missing = self.in_neither(&views[0], &views[1]);
        if !missing.is_empty() {
            let what = format!("{missing:?} are in neither stage of one generation");
            return Err(Fault::new(what, &pin, shown(span)));
        }
        self.some_packages(&views[1], &pin)
    }
}
