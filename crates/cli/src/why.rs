//! `sluice why`: which stages list a package, and the request that put it there.

mod matters;

use std::collections::BTreeSet;
use std::fmt::Write;

use daemon::account::Account;
use jiff::Timestamp;
use nevra::Nevra;
use plan::Listed;
use serde::Serialize;

use crate::chronicle::{Chapter, Chronicle};
use crate::failure::Failure;
use crate::moment;
use crate::pattern::Pattern;
use crate::procedure::seen;
use crate::settings::{Settings, nothing_published};
use crate::terminal::{Paint, Terminal};

/// A package in a repository, from when it entered until it left.
#[derive(Debug, Serialize)]
pub struct Stay {
    /// The package.
    pub nevra: Nevra,
    /// The digest of its file.
    pub sha256: String,
    /// The name of the repository.
    pub repository: String,
    /// How it came there.
    pub entered: Option<Cause>,
    /// How it left; not there while it is listed.
    pub left: Option<Cause>,
    /// Until when it is listed here although it was promoted.
    pub overlaps_until: Option<Timestamp>,
}

/// A request and the generation it took effect in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// The generation.
    pub generation: u64,
    published: Timestamp,
    /// What was asked for.
    pub action: String,
    owner: String,
    id: String,
    claim: String,
    reason: Option<String>,
}

/// Prints where the package is and how it came there; where it was, if it is nowhere any more. Beside packages of a name, what
/// bears it in a procedure.
pub fn run(settings: &Settings, what: &[String], terminal: &Terminal) -> Result<u8, Failure> {
    let (config, store) = settings.store()?;
    let current = store.current()?.ok_or_else(nothing_published)?;
    let meant = matters::meant(what);
    let mut stands = Vec::new();
    for seen in seen::all(settings, &config, &store, &current)? {
        let all = match (&meant, what) {
            (Some(matter), _) => vec![matter.clone()],
            (None, [name]) => matters::bearing(&seen, name),
            _ => Vec::new(),
        };
        for matter in all {
            stands.extend(matters::stands(&seen, &store, &matter)?);
        }
    }
    let name = what.join(" ");
    if meant.is_some() || what.len() > 1 {
        if stands.is_empty() {
            return Err(Failure::not_found(format!("no procedure has `{}`", name.escape_debug())).hint(
                "give `patch/ID`, `bundle/ID`, `task/NUMBER` or `update/NUMBER`, or the name of a package",
            ));
        }
        terminal.either(&stands, |paint| matters::words(&stands, paint));
        return Ok(0);
    }
    // An id of a patch need not be the name of a package.
    let stays = match Pattern::parse(&name) {
        Ok(pattern) => stays(&Chronicle::of(store)?, &pattern)?,
        Err(failure) if stands.is_empty() => return Err(failure),
        Err(_) => Vec::new(),
    };
    if stays.is_empty() && stands.is_empty() {
        return Err(Failure::not_found(format!("no stage lists `{name}`, and none ever did"))
            .hint("give a name, a glob over names in quotes, name-version-release, or a whole NEVRA"));
    }
    if stands.is_empty() {
        terminal.either(&stays, |paint| words(&stays, paint));
    } else {
        let all = serde_json::json!({ "packages": &stays, "procedures": &stands });
        terminal.either(&all, |paint| words(&stays, paint) + &matters::words(&stands, paint));
    }
    Ok(0)
}

/// Finds the stays that last; if there are none, those that have ended, the last one first.
pub fn stays(chronicle: &Chronicle, pattern: &Pattern) -> Result<Vec<Stay>, Failure> {
    let mut stays = Vec::new();
    for (repository, listed) in chronicle.packages(chronicle.current)? {
        for package in listed.into_iter().filter(|package| pattern.fits(&package.nevra)) {
            stays.push(Open { repository: repository.clone(), package, entered: None, left: None });
        }
    }
    let listed_now = !stays.is_empty();
    for number in chronicle.newest_first() {
        if listed_now && stays.iter().all(|stay| stay.entered.is_some()) {
            break;
        }
        look_into(&chronicle.chapter(number)?, number, pattern, listed_now, &mut stays);
    }
    let account = chronicle.chapter(chronicle.current)?.account;
    Ok(stays.into_iter().map(|stay| stay.closed(&account)).collect())
}

/// A stay whose beginning is still looked for.
struct Open {
    repository: String,
    package: Listed,
    entered: Option<Cause>,
    left: Option<Cause>,
}

impl Open {
    fn closed(self, current: &Account) -> Stay {
        let overlapping = current.overlapping.get(&self.repository);
        Stay {
            overlaps_until: overlapping.and_then(|all| all.get(&self.package.pkgid)).copied(),
            nevra: self.package.nevra.clone(),
            sha256: self.package.pkgid.hex(),
            repository: self.repository,
            entered: self.entered,
            left: self.left,
        }
    }
}

/// Looks for beginnings of stays in one generation; for ended stays too if nothing is listed now.
fn look_into(chapter: &Chapter, number: u64, pattern: &Pattern, listed_now: bool, stays: &mut Vec<Open>) {
    for (repository, moves) in &chapter.account.changes {
        if !listed_now {
            for package in moves.left.iter().filter(|package| pattern.fits(&package.nevra)) {
                let left = Some(cause(chapter, number, repository, &package.nevra, Side::Left));
                stays.push(Open {
                    repository: repository.clone(),
                    package: package.clone(),
                    entered: None,
                    left,
                });
            }
        }
        let entered: BTreeSet<_> = moves.entered.iter().map(|package| package.pkgid).collect();
        for stay in stays.iter_mut().filter(|stay| stay.entered.is_none() && stay.repository == *repository) {
            // A package that left in this very generation did not enter in it.
            let left_here = stay.left.as_ref().is_some_and(|left| left.generation == number);
            if !left_here && entered.contains(&stay.package.pkgid) {
                stay.entered = Some(cause(chapter, number, repository, &stay.package.nevra, Side::Entered));
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Entered,
    Left,
}

/// The request of a generation whose answer names the package; the first one if none does.
fn cause(chapter: &Chapter, number: u64, repository: &str, nevra: &Nevra, side: Side) -> Cause {
    let Account { requests, .. } = &chapter.account;
    let text = nevra.to_string();
    let named = requests.iter().rev().find(|settled| {
        settled.answer.moved.iter().filter(|moved| moved.repository == repository).any(|moved| {
            if side == Side::Entered { moved.entered.contains(&text) } else { moved.left.contains(&text) }
        })
    });
    let settled = named.or(requests.first());
    let of = |part: fn(&plan::Answer) -> &String| {
        settled.map(|settled| part(&settled.answer).clone()).unwrap_or_default()
    };
    Cause {
        generation: number,
        published: chapter.manifest.created,
        action: of(|answer| &answer.action),
        owner: of(|answer| &answer.owner),
        id: of(|answer| &answer.id),
        claim: of(|answer| &answer.claim),
        reason: settled.and_then(|settled| settled.reason.clone()),
    }
}

fn words(stays: &[Stay], paint: Paint) -> String {
    let mut text = String::new();
    for stay in stays {
        let _ = writeln!(text, "{}  {}", paint.bold(&stay.nevra.to_string()), paint.dim(&stay.sha256[..16]));
        match &stay.left {
            None => {
                let _ = writeln!(text, "  listed in {}", stay.repository);
                if let Some(until) = stay.overlaps_until {
                    let _ = writeln!(text, "  promoted, and still listed here until {}", moment::text(until));
                }
            }
            Some(left) => {
                let _ = writeln!(text, "  no longer listed in {}", stay.repository);
                let _ = writeln!(text, "  left by {}", told(left));
            }
        }
        if let Some(entered) = &stay.entered {
            let _ = writeln!(text, "  entered by {}", told(entered));
        }
    }
    text
}

fn told(cause: &Cause) -> String {
    let mut text = format!(
        "{} of {}, generation {} of {}, request {}",
        cause.action,
        cause.owner,
        cause.generation,
        moment::text(cause.published),
        cause.claim
    );
    if let Some(reason) = &cause.reason {
        let _ = write!(text, "\n    because: {reason}");
    }
    text
}
