//! `sluice keys`: the keys of the configuration, how long they count, and what they signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use daemon::clock::{Clock as _, SystemClock};
use daemon::config::{Config, Key, certificates};
use jiff::Timestamp;
use nevra::Sha256;
use serde::Serialize;

use crate::chronicle::Chronicle;
use crate::failure::Failure;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::{Paint, Terminal};

/// Everything that is told.
#[derive(Debug, Serialize)]
struct Told {
    keys: Vec<OneKey>,
    stages: Vec<OneStage>,
}

/// One key of the configuration.
#[derive(Debug, Serialize)]
struct OneKey {
    name: String,
    fingerprint: String,
    file: String,
    /// Whom the certificate names.
    owners: Vec<String>,
    /// The keys in it that are there to sign: the primary key first.
    parts: Vec<Part>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// When it stops counting, as far as is known.
    ends: Option<Timestamp>,
    /// What is wrong with it, or soon will be.
    concern: Option<String>,
    /// How many packages it signed that are listed now, by `product/stage`.
    signed: BTreeMap<String, usize>,
}

/// One key of a certificate.
#[derive(Debug, Serialize)]
struct Part {
    fingerprint: String,
    algorithm: String,
    bits: usize,
    created: Timestamp,
    expires: Option<Timestamp>,
    /// Why nothing that it signs counts now, if so.
    wrong: Option<String>,
}

/// One stage that demands signatures.
#[derive(Debug, Serialize)]
struct OneStage {
    stage: String,
    keys: Vec<String>,
    /// How many packages it lists.
    listed: usize,
    /// How many of them entered before it demanded signatures: no record says who signed them.
    unproven: usize,
}

/// Prints every key and every stage that demands one.
pub fn run(settings: &Settings, terminal: &Terminal) -> Result<u8, Failure> {
    let (mut config, store) = settings.store()?;
    certificates::read(&mut config)?;
    let listed = listed(&Chronicle::of(store)?)?;
    let told = told(&config, &listed, SystemClock.now());
    terminal.either(&told, |paint| words(&told, paint));
    Ok(0)
}

/// What each stage lists now, by `product/stage`, with the keys that signed each package as far as is recorded.
type Listing = BTreeMap<(String, String), BTreeMap<Sha256, BTreeSet<String>>>;

fn listed(chronicle: &Chronicle) -> Result<Listing, Failure> {
    let mut signed: BTreeMap<Sha256, BTreeSet<String>> = BTreeMap::new();
    for number in chronicle.newest_first() {
        for (package, by) in chronicle.chapter(number)?.account.signed {
            signed.entry(package).or_default().extend(by);
        }
    }
    let account = chronicle.chapter(chronicle.current)?.account;
    let mut listing = Listing::new();
    for (name, packages) in chronicle.packages(chronicle.current)? {
        let Some(shelved) = account.repositories.get(&name) else { continue };
        let stage = listing.entry((shelved.product.clone(), shelved.stage.clone())).or_default();
        for listed in packages {
            stage.insert(listed.pkgid, signed.get(&listed.pkgid).cloned().unwrap_or_default());
        }
    }
    Ok(listing)
}

fn told(config: &Config, listing: &Listing, now: Timestamp) -> Told {
    let keys = config.keys.values().map(|key| OneKey::of(key, listing, now)).collect();
    let stages = config.signed_by.iter().map(|((product, stage), keys)| {
        let packages = listing.get(&(product.clone(), stage.clone()));
        OneStage {
            stage: format!("{product}/{stage}"),
            keys: keys.clone(),
            listed: packages.map_or(0, BTreeMap::len),
            unproven: packages.map_or(0, |all| all.values().filter(|by| by.is_empty()).count()),
        }
    });
    Told { keys, stages: stages.collect() }
}

impl OneKey {
    fn of(key: &Key, listing: &Listing, now: Timestamp) -> OneKey {
        let certificate = key.certificate.as_ref();
        let fingerprint = key.fingerprint.to_string();
        let parts = certificate.map(|certificate| certificate.keys(now)).unwrap_or_default();
        let parts = parts.into_iter().map(|part| Part {
            fingerprint: part.fingerprint.to_string(),
            algorithm: part.algorithm,
            bits: part.bits,
            created: part.created,
            expires: part.expires,
            wrong: part.standing.err().map(|bad| bad.words),
        });
        let counts = listing.iter().map(|((product, stage), packages)| {
            let count = packages.values().filter(|by| by.contains(&fingerprint)).count();
            (format!("{product}/{stage}"), count)
        });
        OneKey {
            name: key.name.clone(),
            file: key.file.to_string(),
            owners: certificate.map(|certificate| certificate.names()).unwrap_or_default(),
            parts: parts.collect(),
            from: key.from,
            until: key.until,
            ends: key.ends(now),
            concern: certificates::concern(key, now),
            signed: counts.filter(|(_, count)| *count > 0).collect(),
            fingerprint,
        }
    }
}

fn words(told: &Told, paint: Paint) -> String {
    let mut text = String::new();
    if told.keys.is_empty() {
        text.push_str("the configuration names no key\n");
    }
    for key in &told.keys {
        let ends = match key.ends {
            Some(ends) => format!("until {}", moment::text(ends)),
            None => "without an end".to_owned(),
        };
        let _ = writeln!(text, "{}  {}  {ends}", paint.bold(&key.name), key.fingerprint);
        for owner in &key.owners {
            let _ = writeln!(text, "  {owner}");
        }
        for part in &key.parts {
            let wrong = part.wrong.as_ref().map(|why| paint.red(&format!("  {why}"))).unwrap_or_default();
            let which = if part.fingerprint == key.fingerprint { "primary key" } else { "subkey" };
            let _ = writeln!(
                text,
                "  {which} {} {}, made {}{wrong}",
                part.algorithm,
                part.bits,
                moment::text(part.created)
            );
        }
        for (stage, count) in &key.signed {
            let _ = writeln!(text, "  signed {count} of what {stage} lists");
        }
        if let Some(concern) = &key.concern {
            let _ = writeln!(text, "  {}", paint.red(concern));
        }
    }
    for stage in &told.stages {
        let _ = writeln!(text, "{} takes what is signed by {}", stage.stage, stage.keys.join(", "));
        if stage.unproven > 0 {
            let _ = writeln!(
                text,
                "  {} of {} that it lists entered before it demanded that",
                stage.unproven, stage.listed
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_stages_are_told_in_words() {
        let made = "2026-01-02T03:04:05Z".parse().unwrap();
        let part = Part {
            fingerprint: "AB".to_owned(),
            algorithm: "RSA".to_owned(),
            bits: 4096,
            created: made,
            expires: None,
            wrong: Some("it is revoked".to_owned()),
        };
        let key = OneKey {
            name: "glite-2026".to_owned(),
            fingerprint: "AB".to_owned(),
            file: "/etc/key".to_owned(),
            owners: vec!["Packages <p@example.org>".to_owned()],
            parts: vec![part],
            from: None,
            until: None,
            ends: None,
            concern: Some("nothing that it signs counts".to_owned()),
            signed: BTreeMap::from([("glite-3.2/production".to_owned(), 3)]),
        };
        let stage = OneStage {
            stage: "glite-3.2/production".to_owned(),
            keys: vec!["glite-2026".to_owned()],
            listed: 5,
            unproven: 2,
        };
        let expected = "\
glite-2026  AB  without an end
  Packages <p@example.org>
  primary key RSA 4096, made 2026-01-02 03:04:05Z  it is revoked
  signed 3 of what glite-3.2/production lists
  nothing that it signs counts
glite-3.2/production takes what is signed by glite-2026
  2 of 5 that it lists entered before it demanded that
";
        assert_eq!(words(&Told { keys: vec![key], stages: vec![stage] }, Paint::PLAIN), expected);
    }
}
