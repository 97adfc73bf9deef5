//! Has meta-packages built anew: by a worker, signed by whoever signs the metadata of their stage, and kept, so that the
//! same recipe gives the same file when a plan that was looked at is asked for.
//!
//! ```text
//!   pool --worker--> edited --signer--> signature --worker--> cache/rebuilt/<recipe>-<key>-<sha256> --> staging/import
//! ```
//!
//! The file in the cache is believed by the digest in its name. Where it is gone another one is made, with other bytes:
//! then whoever decided about the file before decides again.

use std::io::{Read as _, Write as _};

use camino::Utf8PathBuf;
use nevra::Sha256;
use plan::{Code, Recipe, Unbuilt};
use repo::Entry;
use store::Modified;

use crate::arrivals::{Arrived, Gate, Stopped};
use crate::engine::Engine;
use crate::error::Error;
use crate::reading::{Rework, Reworked, Wrong};
use crate::signing::Job;
use crate::waiting::Waiting;

/// The most files that are kept in the cache.
const KEPT_MAX: usize = 1000;

/// Who changes changelogs.
const WHO: &str = "Sluice";

/// What came of a recipe.
pub(crate) type Built = Result<(Arrived, Entry), Unbuilt>;

/// Who signs what was built.
enum Signature {
    /// Nobody: the metadata of the stage are not signed either.
    Unwanted,
    /// The signature.
    Made(Vec<u8>),
    /// The signer failed, and is left alone for a while.
    Later,
}

/// Has the package of a recipe built for a request, or finds the one that was built before; `None` while nobody signs it.
///
/// # Errors
///
/// A disk, or a worker, fails; nobody signs it.
pub(crate) fn built(engine: &mut Engine, recipe: &Recipe, waiting: &Waiting) -> Result<Option<Built>, Error> {
    if let Some(kept) = kept(engine, recipe)?
        && let Some(arrived) = brought_in(engine, recipe, waiting, &kept)?
    {
        return Ok(Some(Ok(arrived)));
    }
    let pooled = engine.store.paths().pool_file(&recipe.of);
    let rework = Rework::Rebuild {
        release: recipe.release.clone(),
        build_time: u32::try_from(waiting.claimed.claimed_at.as_second()).unwrap_or(u32::MAX),
        pins: recipe.pins.clone(),
        without: recipe.without.clone(),
        who: WHO.to_owned(),
        text: recipe.change.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"),
        may_have_files: recipe.may_have_files,
    };
    let made = match worked(engine, &pooled, &rework)? {
        Ok(made) => made,
        Err(unbuilt) => return Ok(Some(Err(unbuilt))),
    };
    let bytes = match signature(engine, recipe, &made)? {
        Signature::Later => return Ok(None),
        Signature::Unwanted => made.bytes,
        Signature::Made(signature) => {
            let claim = &waiting.claimed.name;
            let name = format!("{}-unsigned", recipe.digest().short());
            let unsigned = engine.store.bring_in(claim, &name, &mut made.bytes.as_slice(), now(engine))?;
            match worked(engine, &unsigned.path, &Rework::Sign(nevra::to_hex(&signature)))? {
                Ok(signed) => signed.bytes,
                Err(unbuilt) => return Ok(Some(Err(unbuilt))),
            }
        }
    };
    let kept = keep(engine, recipe, &bytes)?;
    brought_in(engine, recipe, waiting, &kept)?.map(|arrived| Some(Ok(arrived))).ok_or_else(|| {
        let cause = std::io::Error::other("it changed while it was read");
        Error::File { operation: "read", path: kept, cause }
    })
}

fn now(engine: &Engine) -> Modified {
    Modified { seconds: engine.clock.now().as_second(), nanoseconds: 0 }
}

/// Asks a worker for what is made of a package.
fn worked(
    engine: &Engine,
    path: &camino::Utf8Path,
    rework: &Rework,
) -> Result<Result<Reworked, Unbuilt>, Error> {
    let mut file = engine.disk.open(path)?;
    Ok(match engine.reader.rework(path, &mut *file, rework)? {
        Ok(made) => made,
        Err(unfit) => {
            // Nobody has looked at what ended its worker: of its header nothing is known.
            let code = if unfit.wrong == Wrong::Deadly { Code::ReaderDied } else { Code::NotRebuildable };
            Err(Unbuilt { code, words: format!("`{path}`: {}", unfit.words) })
        }
    })
}

/// Has the header signed by the key that signs the metadata of the stage, if one does.
fn signature(engine: &mut Engine, recipe: &Recipe, made: &Reworked) -> Result<Signature, Error> {
    let Some(announced) = engine.config.announced_in(&recipe.product, &recipe.stage)? else {
        return Ok(Signature::Unwanted);
    };
    if engine.signing.rests_at(engine.clock.now()).is_some() {
        return Ok(Signature::Later);
    }
    let now = engine.clock.now().max(engine.witnessing.witness.time);
    let path = format!("{}/{}", recipe.product, recipe.stage);
    let header = &made.bytes[made.header.clone()];
    let job = Job { path: &path, bytes: header, key: &announced.signs };
    let Engine { signing, config, .. } = &mut *engine;
    let armored = signing.sign_all(config, &[job], now)?.into_iter().next().unwrap_or_default();
    let signature = signatures::dearmored(&armored).map_err(|bad| {
        let fault = crate::signing::Fault::new(crate::signing::FaultCode::Rubbish, bad.words);
        Error::NotSigned { repository: path.clone(), fault }
    })?;
    Ok(Signature::Made(signature))
}

fn folder(engine: &Engine) -> Utf8PathBuf {
    engine.store.paths().cache().join("rebuilt")
}

/// With what the name of a file begins that is made by a recipe and signed by the key that signs now.
fn begin(engine: &Engine, recipe: &Recipe) -> Result<String, Error> {
    let announced = engine.config.announced_in(&recipe.product, &recipe.stage)?;
    let key = announced.map_or("unsigned".to_owned(), |announced| announced.signs.fingerprint.to_string());
    Ok(format!("{}-{key}-", recipe.digest()))
}

/// Finds what was made by a recipe before.
fn kept(engine: &Engine, recipe: &Recipe) -> Result<Option<Utf8PathBuf>, Error> {
    let folder = folder(engine);
    if engine.disk.state(&folder)?.is_none() {
        return Ok(None);
    }
    let begin = begin(engine, recipe)?;
    let names = engine.disk.list(&folder)?.names;
    Ok(names.into_iter().find(|name| name.starts_with(&begin)).map(|name| folder.join(name)))
}

/// Keeps what was made by a recipe, under its digest; where there is no room, the older half goes.
fn keep(engine: &Engine, recipe: &Recipe, bytes: &[u8]) -> Result<Utf8PathBuf, Error> {
    let folder = folder(engine);
    let disk = &engine.disk;
    if disk.state(&folder)?.is_none() {
        disk.make_directory(&folder, 0o755)?;
    }
    let begin = begin(engine, recipe)?;
    let mut known = Vec::new();
    for name in disk.list(&folder)?.names {
        let path = folder.join(&name);
        if name.starts_with(&begin) || name.starts_with('.') {
            disk.remove_file(&path)?;
        } else if let Some(state) = disk.state(&path)? {
            known.push((state.modified.seconds, path));
        }
    }
    if known.len() >= KEPT_MAX {
        known.sort();
        known.iter().take(KEPT_MAX / 2).try_for_each(|(_, path)| disk.remove_file(path))?;
    }
    let path = folder.join(format!("{begin}{}", repo::sha256(bytes)));
    let draft = folder.join(format!(".{begin}draft"));
    let mut file = disk.create(&draft, 0o644)?;
    file.write_all(bytes).map_err(|cause| Error::File { operation: "write", path: draft.clone(), cause })?;
    disk.rename(&draft, &path)?;
    Ok(path)
}

/// Brings a file of the cache in, as an import does; `None` if it is not what its name says.
fn brought_in(
    engine: &Engine,
    recipe: &Recipe,
    waiting: &Waiting,
    kept: &camino::Utf8Path,
) -> Result<Option<(Arrived, Entry)>, Error> {
    let claim = &waiting.claimed.name;
    let digest = kept.file_name().and_then(|name| name.rsplit_once('-')).map(|(_, digest)| digest);
    let Some(digest) = digest.and_then(|digest| digest.parse::<Sha256>().ok()) else { return Ok(None) };
    let mut file = engine.disk.open(kept)?;
    let bounded = &mut (&mut file).take(crate::reading::REWORKED_MAX + 1);
    let name = format!("{}-rebuilt", recipe.digest().short());
    let store::Arrived { sha256, size, path } = engine.store.bring_in(claim, &name, bounded, now(engine))?;
    if sha256 != digest {
        return Ok(None);
    }
    let gate = Gate {
        disk: &*engine.disk,
        store: &engine.store,
        spool: &engine.spool,
        reader: &*engine.reader,
        now: engine.clock.now(),
    };
    let fresh = store::PoolArrival { digest: sha256, size, from: path.clone() };
    let (modified, pool) = match engine.disk.state(&engine.store.paths().pool_file(&sha256))? {
        Some(pooled) => (pooled.modified, None),
        None => (now(engine), Some(fresh)),
    };
    match gate.read(&path, sha256, size, modified.seconds, &name, pool) {
        Ok(arrived) => Ok(Some(arrived)),
        Err(Stopped::Failed(error)) => Err(error),
        Err(Stopped::Refused(refusal)) => {
            let cause = std::io::Error::other(refusal.sentence);
            Err(Error::File { operation: "read", path, cause })
        }
    }
}
