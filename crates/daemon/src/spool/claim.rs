//! The claim: a request leaves `incoming/`, gets its name, and its bytes are read once.
//!
//! Everything is done for all new requests before the next thing is done for any, so that a hundred of them
//! cost the same few syncs of directories as one: rename, sync; copy, sync; sidecar, sync; copy over, sync.

use super::claim_name::{claim_name, to_microseconds};
use super::examination::{Examination, directory, examine};
use super::files::{Unsynced, is, read_some, write_new};
use super::queue::Queue;
use super::sidecar::{Found, Sidecar};
use super::{Claimed, Owner, REQUEST_SIZE_MAX, Spool, extension, format_of};
use crate::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use plan::{Code, Format, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use store::planted::{self, Bug};
use store::{Kind, Modified, State};

/// The most claims that are in hand, so that a flood of requests takes bounded memory (64 KiB each).
pub const CLAIMS_MAX: usize = 1000;

/// The most claims of one call, so that whoever comes next does not wait for long: a second on a disk that is busy.
pub const CLAIMS_AT_ONCE: usize = 100;

/// The most files of one call that are looked at, claimed or not.
const LOOKS_AT_ONCE: usize = 1000;

/// As many an owner may have in hand even when others have filled all places.
const RESERVED: usize = 10;

/// How long an incomplete request may rest before it counts as cut short.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Is a claim whose file lies in `processing/`, and perhaps not more.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) claim: String,
    pub(super) at: Timestamp,
    pub(super) format: Format,
    pub(super) original: Option<String>,
}

impl Begun {
    pub(super) fn file(&self, processing: &Utf8Path) -> Utf8PathBuf {
        processing.join(format!("{}.{}", self.claim, extension(self.format)))
    }

    fn copy(&self, processing: &Utf8Path) -> Utf8PathBuf {
        processing.join(format!(".{}.copy", self.claim))
    }
}

impl Spool {
    /// Claims every request in `incoming/` that is whole, or that has not changed for a minute.
    ///
    /// Hands out in the order of the claims: the owners take turns, each with the oldest of his. Takes at most
    /// [`CLAIMS_AT_ONCE`] new ones, and only while less than [`CLAIMS_MAX`] are handed out and not settled, but for a few
    /// of owners who have none; the others keep their places in `incoming/`, so call it again. What an earlier call
    /// began and could not finish comes first. `token` gives the
    /// six digits of a claim name. One bad file never fails its neighbours: it is claimed with a problem, or
    /// logged and tried again by the next call. Everything handed out survives a power cut.
    pub fn claim_all(&self, now: Timestamp, token: &mut dyn FnMut() -> u32) -> Result<Vec<Claimed>, Error> {
        self.give_back_unproven()?;
        let mut begun = self.unfinished(false)?;
        let incoming = self.incoming();
        let mut queue = self.take_queue(now)?;
        let mut directories: Vec<Claimed> = Vec::new();
        let taken = self.take_turns(&mut queue, &mut begun, &mut directories, (now, token));
        self.put_queue(queue);
        let renamed = taken?;
        if renamed && !planted::is(Bug::SpoolMoveNotSynced) {
            self.disk.sync_directory(&self.processing())?;
            self.disk.sync_directory(&incoming)?;
        }
        for begun in &begun {
            self.memory().unproven_renames.remove(&begun.file(&self.processing()));
        }
        let mut claimed = self.finish(begun, false)?;
        let owned = directories.iter().map(|claimed| (claimed.name.clone(), claimed.owner.uid));
        self.memory().handed_out.extend(owned);
        claimed.extend(directories);
        Ok(claimed)
    }

    /// Claims what has its turn now; says whether any file was renamed.
    fn take_turns(
        &self,
        queue: &mut Queue,
        begun: &mut Vec<Begun>,
        directories: &mut Vec<Claimed>,
        (now, token): (Timestamp, &mut dyn FnMut() -> u32),
    ) -> Result<bool, Error> {
        let incoming = self.incoming();
        let mut held = BTreeMap::<u32, usize>::new();
        for uid in self.memory().handed_out.values() {
            *held.entry(*uid).or_default() += 1;
        }
        let mut in_hand = held.values().sum::<usize>() + begun.len();
        let (mut renamed, mut claimed, mut looks) = (false, 0, 0);
        loop {
            let held_by = |uid: &u32| held.get(uid).copied().unwrap_or_default();
            let is_admitted =
                |uid: &u32| in_hand < CLAIMS_MAX || in_hand < 2 * CLAIMS_MAX && held_by(uid) < RESERVED;
            let round: Vec<u32> = queue.round().into_iter().filter(is_admitted).collect();
            if round.is_empty() {
                return Ok(renamed);
            }
            for uid in round {
                if claimed >= CLAIMS_AT_ONCE || looks >= LOOKS_AT_ONCE {
                    return Ok(renamed);
                }
                if in_hand >= CLAIMS_MAX && held.get(&uid).copied().unwrap_or_default() >= RESERVED {
                    continue;
                }
                let Some(name) = queue.take(uid) else { continue };
                looks += 1;
                let Some(state) = self.disk.state(&incoming.join(&*name))? else {
                    queue.forget(&name);
                    continue;
                };
                let before = begun.len() + directories.len();
                if state.kind == Kind::Directory {
                    match self.refuse_directory(&name, state, now)? {
                        Some(refused) => directories.push(refused),
                        None => queue.is_refused(&name, state),
                    }
                } else if self.is_due(&name, state, now)? {
                    queue.forget(&name);
                    let one = self.rename_into_processing(&name, now, token)?;
                    renamed |= one.is_some();
                    begun.extend(one);
                }
                let taken = begun.len() + directories.len() - before;
                claimed += taken;
                in_hand += taken;
                *held.entry(uid).or_default() += taken;
            }
        }
    }

    /// Gives requests back to `incoming/` that were claimed by a renaming whose sync failed.
    ///
    /// A second sync proves nothing: the kernel may have forgotten what it could not write. If the old name came
    /// back after the request was answered, it would be carried out twice. So the renaming is undone and, by
    /// this scan or a later one, made anew: then the names have changed since the error and must be written.
    /// Where somebody has used the name again meanwhile, the request waits until that one is claimed.
    fn give_back_unproven(&self) -> Result<(), Error> {
        let unproven = self.memory().unproven_renames.clone();
        for (file, name) in unproven {
            let original = self.incoming().join(name);
            if self.disk.state(&original)?.is_some() {
                continue;
            }
            match self.disk.rename(&file, &original) {
                Ok(()) => tracing::warn!("`{original}` is claimed anew: the disk failed at the first time"),
                Err(error) if is(&error, ErrorKind::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
            self.memory().unproven_renames.remove(&file);
        }
        Ok(())
    }

    /// Decides whether a file may be claimed now: only whether it is whole is looked at.
    fn is_due(&self, name: &str, state: State, now: Timestamp) -> Result<bool, Error> {
        let is_old = || {
            let age = now.duration_since(timestamp(state.modified));
            // A time far in the future says as little about a writer at work as one in the past.
            age.abs() >= PATIENCE
        };
        let Some((_, format)) = format_of(name) else {
            return Ok(false);
        };
        if state.kind != Kind::File || state.size > REQUEST_SIZE_MAX || is_old() {
            return Ok(true);
        }
        let path = self.incoming().join(name);
        let mut file = match self.disk.open(&path) {
            Ok(file) => file,
            Err(error) if is(&error, ErrorKind::NotFound) => return Ok(false),
            // Unreadable, or no longer a file: the claim finds out and says so.
            Err(_) => return Ok(true),
        };
        match read_some(&mut *file, &path, REQUEST_SIZE_MAX) {
            Ok(bytes) => Ok(plan::is_complete(&bytes, format)),
            Err(error) => {
                tracing::warn!(file = name, "a request waits: {error}");
                Ok(false)
            }
        }
    }

    /// Gives a request its claim name; the rename is durable when both directories were synced.
    fn rename_into_processing(
        &self,
        name: &str,
        now: Timestamp,
        token: &mut dyn FnMut() -> u32,
    ) -> Result<Option<Begun>, Error> {
        let Some((stem, format)) = format_of(name) else {
            return Ok(None);
        };
        let begun = loop {
            let at = self.next_time(now);
            let claim = claim_name(stem, at, token());
            let begun = Begun { claim, at, format, original: Some(name.to_owned()) };
            if !self.is_taken(&begun)? {
                break begun;
            }
        };
        match self.disk.rename(&self.incoming().join(name), &begun.file(&self.processing())) {
            Ok(()) => {
                self.memory().unproven_renames.insert(begun.file(&self.processing()), name.to_owned());
                Ok(Some(begun))
            }
            Err(error) if is(&error, ErrorKind::NotFound) => Ok(None),
            Err(error) => {
                tracing::warn!(file = name, "a request cannot be claimed: {error}");
                Ok(None)
            }
        }
    }

    /// Draws the time of the next claim: now, or just after the newest claim known.
    fn next_time(&self, now: Timestamp) -> Timestamp {
        let mut memory = self.memory();
        let now = to_microseconds(now);
        let after = |newest: Timestamp| newest.checked_add(SignedDuration::from_micros(1)).unwrap_or(newest);
        let at = memory.newest.map_or(now, |newest| now.max(after(newest)));
        memory.newest = Some(at);
        at
    }

    fn is_taken(&self, begun: &Begun) -> Result<bool, Error> {
        for folder in ["processing", "done", "failed"] {
            let dir = self.dir.join(folder);
            let answer = dir.join(format!("{}.answer.json", begun.claim));
            if self.disk.state(&begun.file(&dir))?.is_some() || self.disk.state(&answer)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses a directory named like a request, once: it stays where it is, and its claim name is made of
    /// its name and inode, so that the answer is found by the next scan.
    fn refuse_directory(&self, name: &str, state: State, now: Timestamp) -> Result<Option<Claimed>, Error> {
        let Some((stem, format)) = format_of(name) else {
            return Ok(None);
        };
        let mark = repo::sha256(format!("{name}\n{}", state.inode).as_bytes()).hex();
        let claim = format!("{}-directory-{}", super::claim_name::clean(stem), &mark[..16]);
        if self.memory().handed_out.contains_key(&claim) || self.find_answer(&claim)?.is_some() {
            return Ok(None);
        }
        Ok(Some(Claimed {
            name: claim,
            owner: Owner { uid: state.uid, gid: state.gid },
            claimed_at: now,
            digest: repo::sha256(b""),
            bytes: Vec::new(),
            format,
            problem: Some(directory()),
        }))
    }

    /// Completes claims: whatever was done for them before, afterwards sidecar and copy are durable.
    ///
    /// Those for which the disk fails are logged and stay for the next call; the error is given only if it
    /// hit all of them, or if `all` are wanted. Where a sync fails nothing is handed out, and sidecar and copy
    /// are written anew by the next call, for a second sync of the old ones would prove nothing.
    pub(super) fn finish(&self, begun: Vec<Begun>, all: bool) -> Result<Vec<Claimed>, Error> {
        let processing = self.processing();
        let mut failed = None;
        let mut read = Vec::new();
        let mut copies = Unsynced::on(&*self.disk);
        for begun in begun {
            match self.read_once(&begun, &mut copies) {
                Ok(Some(one)) => read.push((begun, one)),
                Ok(None) => {}
                Err(error) if all => return Err(error),
                Err(error) => {
                    tracing::warn!(request = begun.claim, "a claim waits: {error}");
                    failed = Some(error);
                }
            }
        }
        copies.sync()?;
        if let (true, Some(error)) = (read.is_empty(), failed) {
            return Err(error);
        }
        let unknown = read.iter().filter(|(_, one)| one.copied || !one.known).map(|(begun, _)| &begun.claim);
        let unknown: BTreeSet<String> = unknown.cloned().collect();
        self.memory().unproven_records.extend(unknown.iter().cloned());
        let copied = read.iter().any(|(_, one)| one.copied);
        if copied {
            self.disk.sync_directory(&processing)?;
        }
        let mut sidecars = Unsynced::on(&*self.disk);
        let mut written = Vec::new();
        for (begun, one) in read.iter().filter(|(_, one)| !one.known) {
            let original = begun.original.clone().or_else(|| one.original.clone());
            let sidecar = Sidecar::of(&one.claimed, original, one.copied);
            sidecar.write(&*self.disk, &processing, &mut sidecars)?;
            written.push(sidecar);
        }
        sidecars.sync()?;
        for sidecar in &written {
            sidecar.name(&*self.disk, &processing)?;
        }
        if !written.is_empty() {
            self.disk.sync_directory(&processing)?;
        }
        for (begun, _) in read.iter().filter(|(_, one)| one.copied) {
            self.disk.rename(&begun.copy(&processing), &begun.file(&processing))?;
        }
        if copied {
            self.disk.sync_directory(&processing)?;
        }
        let mut claimed: Vec<Claimed> = read.into_iter().map(|(_, one)| one.claimed).collect();
        claimed.sort_by(|a, b| (a.claimed_at, &a.name).cmp(&(b.claimed_at, &b.name)));
        let mut memory = self.memory();
        memory.unproven_records.retain(|claim| !unknown.contains(claim));
        memory.handed_out.extend(claimed.iter().map(|claimed| (claimed.name.clone(), claimed.owner.uid)));
        Ok(claimed)
    }

    /// Finds the bytes that count for a claim, and makes sure that the daemon has a copy of its own.
    fn read_once(&self, begun: &Begun, copies: &mut Unsynced<'_>) -> Result<Option<Read>, Error> {
        let processing = self.processing();
        let file = begun.file(&processing);
        let make = |owner: Owner, bytes: Vec<u8>, problem: Option<Refusal>| Claimed {
            name: begun.claim.clone(),
            owner,
            claimed_at: begun.at,
            digest: repo::sha256(&bytes),
            bytes,
            format: begun.format,
            problem,
        };
        match Sidecar::read(&*self.disk, &processing, &begun.claim)? {
            Found::Whole(sidecar) => return self.restore(begun, *sidecar, &make, copies).map(Some),
            Found::Nothing => {}
            Found::Damaged => {
                let Some(Examination { owner, .. }) = examine(&*self.disk, &file, begun.format)? else {
                    return Ok(None);
                };
                let claimed = make(owner, Vec::new(), Some(lost("the record of its claim is damaged")));
                return Ok(Some(Read { claimed, copied: false, known: false, original: None }));
            }
        }
        let Some(Examination { owner, bytes, problem }) = examine(&*self.disk, &file, begun.format)? else {
            return Ok(None);
        };
        let copied = bytes.is_some();
        if let Some(bytes) = &bytes {
            copies.push(write_new(&*self.disk, &begun.copy(&processing), bytes, 0o440)?)?;
        }
        let claimed = make(owner, bytes.unwrap_or_default(), problem);
        Ok(Some(Read { claimed, copied, known: false, original: None }))
    }

    /// Takes up a claim whose sidecar is there: the bytes with its digest count, wherever they are.
    fn restore(
        &self,
        begun: &Begun,
        sidecar: Sidecar,
        make: &dyn Fn(Owner, Vec<u8>, Option<Refusal>) -> Claimed,
        copies: &mut Unsynced<'_>,
    ) -> Result<Read, Error> {
        let owner = sidecar.owner();
        let anew = self.memory().unproven_records.contains(&begun.claim);
        let original = sidecar.original;
        let known = |claimed, copied| Ok(Read { claimed, copied, known: !anew, original });
        let Some(digest) = sidecar.digest else {
            return known(make(owner, Vec::new(), sidecar.problem), false);
        };
        let processing = self.processing();
        let (file, copy) = (begun.file(&processing), begun.copy(&processing));
        for (path, is_copy) in [(&copy, true), (&file, false)] {
            let bytes = super::files::read_small(&*self.disk, path, REQUEST_SIZE_MAX)?;
            let Some(bytes) = bytes.filter(|bytes| repo::sha256(bytes) == digest) else {
                continue;
            };
            // Bytes that are still the requester's own file are copied once more.
            let own = self.disk.state(path)?.is_some_and(|state| state.mode == 0o440 && state.links == 1);
            let copy_now = anew || !is_copy && !own;
            if copy_now {
                copies.push(write_new(&*self.disk, &copy, &bytes, 0o440)?)?;
            }
            return known(make(owner, bytes, sidecar.problem), is_copy || copy_now);
        }
        known(make(owner, Vec::new(), Some(lost("its bytes are no longer those that were claimed"))), false)
    }
}

/// Is a claim whose bytes were found.
#[derive(Debug)]
struct Read {
    claimed: Claimed,
    /// Whether a copy lies ready to be renamed over the file.
    copied: bool,
    /// Whether the sidecar is there already, and durable.
    known: bool,
    /// The name in `incoming/` that an earlier sidecar tells.
    original: Option<String>,
}

fn lost(why: &str) -> Refusal {
    Refusal::new(Code::TryLater, format!("the request was damaged while it was being claimed: {why}"))
        .hint("nothing was changed; submit it again")
}

fn timestamp(modified: Modified) -> Timestamp {
    let nanoseconds = i32::try_from(modified.nanoseconds).unwrap_or(0);
    Timestamp::new(modified.seconds, nanoseconds).unwrap_or(Timestamp::MIN)
}
