//! `sluice context update`: a snapshot of each context that lies behind a URL, and what is read of all of them.

use daemon::clock::{Clock as _, SystemClock};
use daemon::config::{Config, Context, ContextSource};
use daemon::contexts::{Kept, Look, METADATA, MODULES, SIZE_MAX, Seen, Taken, wanted};
use plan::Platform;
use repo::Repomd;
use serde::Serialize;
use store::PosixDisk;

use super::arguments::Update;
use crate::failure::Failure;
use crate::mirror::{Http, Pace};
use crate::moment;
use crate::settings::Settings;
use crate::terminal::{Paint, Terminal};

/// The largest repomd.xml that is fetched, in bytes.
const REPOMD_SIZE_MAX: u64 = 4 << 20;

/// Slower than this, in bytes a second, a server counts as hanging.
const RATE_MIN: u64 = 32 << 10;

/// What came of one context for one platform.
#[derive(Debug, Serialize)]
struct One {
    context: String,
    platform: String,
    from: String,
    /// The digest of the repomd.xml that was found.
    digest: Option<String>,
    packages: Option<usize>,
    /// Whether something was fetched.
    changed: bool,
    #[serde(flatten)]
    failure: Option<Failure>,
}

/// Everything that came, and whether all of it did.
#[derive(Debug, Serialize)]
struct Told {
    contexts: Vec<One>,
    removed: usize,
    exit: u8,
}

/// Fetches them, one after the other; what fails for one leaves its last snapshot and does not keep the others from coming.
pub fn run(settings: &Settings, asked: &Update, terminal: &Terminal) -> Result<u8, Failure> {
    let (config, store) = settings.store()?;
    let kept = Kept { disk: &PosixDisk, cache: store.paths().cache() };
    belongs_to_us(&kept)?;
    let wanted = named(&config, &asked.names)?;
    let Some(_lock) = kept.lock()? else {
        let failure = Failure::internal("another `sluice context update` is at work");
        return Err(Failure { exit: 4, ..failure });
    };
    let pace = Pace { rate: None, timeout: asked.timeout };
    let contexts: Vec<One> =
        wanted.into_iter().map(|(context, platform)| one(&kept, context, platform, pace)).collect();
    let removed = if asked.names.is_empty() { kept.sweep(&config)? } else { 0 };
    let first = contexts.iter().find_map(|one| one.failure.as_ref());
    if let Some(failure) = first {
        terminal.tell_service_manager(&failure.sentence);
    }
    let exit = first.map_or(0, |failure| failure.exit);
    let told = Told { contexts, removed, exit };
    terminal.either(&told, |paint| words(&told, paint));
    Ok(exit)
}

/// What anybody else writes below `cache/` the daemon could neither replace nor remove.
fn belongs_to_us(kept: &Kept<'_>) -> Result<(), Failure> {
    let state = kept.disk.state(&kept.cache).map_err(daemon::error::Error::from)?;
    if state.is_some_and(|state| state.uid == rustix::process::geteuid().as_raw()) {
        return Ok(());
    }
    let failure = Failure::usage(format!("`{}` belongs to somebody else", kept.cache));
    Err(failure.hint("run it as the daemon's user: `runuser -u sluice -- sluice context update`"))
}

/// Finds the contexts that are asked for with their platforms.
fn named<'a>(config: &'a Config, names: &[String]) -> Result<Vec<(&'a Context, &'a Platform)>, Failure> {
    let used = config.contexts_used();
    for name in names {
        if !config.contexts.contains_key(name) {
            let known: Vec<&str> = config.contexts.keys().map(String::as_str).collect();
            let failure = Failure::not_found(format!("there is no context `{name}`"));
            return Err(failure.hint(format!("contexts: {}", known.join(", "))));
        }
        if !used.iter().any(|(context, _)| context.name == *name) {
            let failure = Failure::not_found(format!("no stage names the context `{name}`"));
            return Err(failure.hint("it is fetched for the platforms of the products whose stages name it"));
        }
    }
    let is_asked = |context: &Context| names.is_empty() || names.contains(&context.name);
    Ok(used.into_iter().filter(|(context, _)| is_asked(context)).collect())
}

fn one(kept: &Kept<'_>, context: &Context, platform: &Platform, pace: Pace) -> One {
    let source = context.source.at(platform);
    let mut one = One {
        context: context.name.clone(),
        platform: platform.to_string(),
        from: source.as_str().to_owned(),
        digest: None,
        packages: None,
        changed: false,
        failure: None,
    };
    let done = match &source {
        ContextSource::Folder(_) => Ok(false),
        ContextSource::Url(url) => fetched(kept, context, platform, url, pace),
    };
    // What is read now need not be read when a request waits for it.
    let done = done.and_then(|changed| match kept.indexed(context, platform, SystemClock.now()) {
        Ok(seen) => Ok((changed, seen)),
        Err(unfit) => Err(unlike(format!("{} ({})", unfit.words, unfit.code.as_str()))),
    });
    match done {
        Ok((changed, Seen { digest, packages, .. })) => {
            (one.changed, one.digest, one.packages) = (changed, Some(digest.to_string()), Some(packages));
        }
        Err(failure) => one.failure = Some(failure),
    }
    one
}

/// Looks at a URL, and fetches what is there unless it is here already; says whether it was fetched.
fn fetched(
    kept: &Kept<'_>,
    context: &Context,
    platform: &Platform,
    url: &str,
    pace: Pace,
) -> Result<bool, Failure> {
    let hinted = |failure: Failure| match kept.look(context, platform) {
        Some(_) => failure.hint("what was fetched before stays"),
        None => {
            failure.hint("nothing was fetched before: until it comes, nothing enters the stages that name it")
        }
    };
    let http = Http::new(url, pace).at_least(RATE_MIN);
    let looked = SystemClock.now();
    let bytes = http.small("repodata/repomd.xml", REPOMD_SIZE_MAX).map_err(hinted)?;
    let repomd = Repomd::parse(&bytes);
    let repomd = repomd.map_err(|error| hinted(unlike(format!("`{url}/repodata/repomd.xml`: {error}"))))?;
    let digest = repo::sha256(&bytes);
    let is_new = !kept.holds(digest);
    if is_new {
        let mut files = vec![("repomd.xml", bytes)];
        let mut records = Vec::new();
        for (kind, record) in METADATA.into_iter().zip(wanted(&repomd)) {
            let missing = || hinted(unlike(format!("`{url}/repodata/repomd.xml` names no `{kind}`")));
            records.push((kind, record.ok_or_else(missing)?));
        }
        records.extend(repomd.record(MODULES).map(|record| (MODULES, record)));
        for (kind, record) in records {
            let size = record.size.unwrap_or(SIZE_MAX);
            if size > SIZE_MAX {
                let words = format!("`{url}/{}` is to have {size} bytes, more than {SIZE_MAX}", record.href);
                return Err(hinted(unlike(words)));
            }
            // Whoever reads up to a limit cannot tell that the end was there.
            files.push((kind, http.small(&record.href, size + 1).map_err(hinted)?));
        }
        if let Taken::Unfit(unfit) = kept.take(digest, &files)? {
            let words = format!("what came from `{url}` is not what its repomd.xml says: {}", unfit.words);
            return Err(hinted(unlike(words)));
        }
    }
    kept.record(context, platform, &Look { url: url.to_owned(), digest, looked })?;
    Ok(is_new)
}

fn unlike(words: String) -> Failure {
    Failure { exit: 6, ..Failure::internal(words) }
}

fn words(told: &Told, paint: Paint) -> String {
    let mut text = String::new();
    for one in &told.contexts {
        let name = format!("{}  {}", paint.bold(&one.context), one.platform);
        text.push_str(&match &one.failure {
            Some(failure) => {
                let hint = failure.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                format!("{name}  {}{hint}\n", paint.red(&failure.sentence))
            }
            None => {
                let came = if one.changed { "fetched" } else { "unchanged" };
                let packages = moment::count(one.packages.unwrap_or_default(), "package");
                format!("{name}  {came}, {packages}\n")
            }
        });
    }
    if told.removed > 0 {
        text.push_str(&format!("{} removed that no stage leads to\n", moment::count(told.removed, "file")));
    }
    text
}
