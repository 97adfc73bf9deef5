//! `sluice context`: what hosts draw from beside ours, and whether one can judge by it.

pub mod arguments;
mod update;

use std::fmt::Write;

use daemon::clock::{Clock as _, SystemClock};
use daemon::config::{Config, ContextSource};
use daemon::contexts::{Kept, Seen};
use jiff::Timestamp;
use plan::Unfit;
use serde::Serialize;
use store::PosixDisk;

use crate::failure::Failure;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::{Paint, Terminal};
use arguments::{ContextVerb, Contexts};

/// One context for one platform.
#[derive(Debug, Serialize)]
struct One {
    context: String,
    platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The digest of its repomd.xml.
    digest: Option<String>,
    packages: Option<usize>,
    /// When the URL was looked at last with success.
    looked: Option<Timestamp>,
    age_seconds: Option<i64>,
    max_age_seconds: Option<i64>,
    /// Why nothing can be judged by it, if so.
    code: Option<String>,
    words: Option<String>,
}

/// Lists them, or fetches them.
pub fn run(settings: &Settings, asked: &Contexts, terminal: &Terminal) -> Result<u8, Failure> {
    if let Some(ContextVerb::Update(asked)) = &asked.verb {
        return update::run(settings, asked, terminal);
    }
    let (config, store) = settings.store()?;
    let kept = Kept { disk: &PosixDisk, cache: store.paths().cache() };
    let all = listed(&config, &kept, SystemClock.now());
    terminal.either(&all, |paint| words(&all, paint));
    Ok(0)
}

fn listed(config: &Config, kept: &Kept<'_>, now: Timestamp) -> Vec<One> {
    let used = config.contexts_used().into_iter();
    let one = used.map(|(context, platform)| {
        let (folder, url) = match context.source.at(platform) {
            ContextSource::Folder(folder) => (Some(folder), None),
            ContextSource::Url(url) => (None, Some(url)),
        };
        let look = kept.look(context, platform).filter(|look| Some(&look.url) == url.as_ref());
        let looked = look.map(|look| look.looked);
        let (seen, unfit) = match kept.seen(context, platform, now) {
            Ok(Seen { digest, packages, .. }) => (Some((digest, packages)), None),
            Err(Unfit { code, words }) => (None, Some((code, words))),
        };
        let (digest, packages) = seen.unzip();
        let (code, words) = unfit.unzip();
        One {
            context: context.name.clone(),
            platform: platform.to_string(),
            folder,
            url,
            digest: digest.map(|digest| digest.to_string()),
            packages,
            looked,
            age_seconds: looked.map(|looked| now.duration_since(looked).as_secs()),
            max_age_seconds: context.max_age.map(|age| age.as_secs()),
            code: code.map(|code| code.as_str().to_owned()),
            words,
        }
    });
    one.collect()
}

fn words(all: &[One], paint: Paint) -> String {
    let mut text = String::new();
    if all.is_empty() {
        text.push_str("no stage names a context in its `closure`\n");
    }
    for one in all {
        let stands = match (&one.code, one.packages) {
            (Some(code), _) => paint.red(code),
            (None, packages) => moment::count(packages.unwrap_or_default(), "package"),
        };
        let _ = writeln!(text, "{}  {}  {stands}", paint.bold(&one.context), one.platform);
        let place = one.folder.as_ref().or(one.url.as_ref()).map_or("", String::as_str);
        let digest =
            one.digest.as_ref().map(|digest| format!("  repomd.xml {}", &digest[..digest.len().min(16)]));
        let _ = writeln!(text, "  {place}{}", digest.unwrap_or_default());
        if let (Some(looked), Some(age)) = (one.looked, one.age_seconds) {
            let _ = writeln!(text, "  looked at {}, {} hours ago", moment::text(looked), age / 3600);
        }
        if let Some(words) = &one.words {
            let _ = writeln!(text, "  {words}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_told_with_what_is_wrong_with_them() {
        let fit = One {
            context: "sl6".to_owned(),
            platform: "sl6/x86_64".to_owned(),
            folder: Some("/srv/mirror/sl6".to_owned()),
            url: None,
            digest: Some("3fa9c1d2e4b5a6973fa9c1d2e4b5a697".to_owned()),
            packages: Some(6823),
            looked: None,
            age_seconds: None,
            max_age_seconds: None,
            code: None,
            words: None,
        };
        let stale = One {
            context: "epel".to_owned(),
            platform: "sl6/x86_64".to_owned(),
            folder: None,
            url: Some("http://h/epel".to_owned()),
            digest: None,
            packages: None,
            looked: Some("2026-01-02T03:04:05Z".parse().unwrap()),
            age_seconds: Some(7300),
            max_age_seconds: Some(3600),
            code: Some("context-stale".to_owned()),
            words: Some("the context `epel` for `sl6/x86_64`: too old".to_owned()),
        };
        let expected = "\
sl6  sl6/x86_64  6823 packages
  /srv/mirror/sl6  repomd.xml 3fa9c1d2e4b5a697
epel  sl6/x86_64  context-stale
  http://h/epel
  looked at 2026-01-02 03:04:05Z, 2 hours ago
  the context `epel` for `sl6/x86_64`: too old
";
        assert_eq!(words(&[fit, stale], Paint::PLAIN), expected);
        assert_eq!(words(&[], Paint::PLAIN), "no stage names a context in its `closure`\n");
    }
}
