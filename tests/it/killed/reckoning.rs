//! What must add up afterwards: each request settled once, and the effects what the answers say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::Utf8Path;
use repo::{Contents, Repomd};
use serde_json::Value;
use testkit::Site;

use super::{Asked, answered, names};

/// Each request lies with its one answer in one place, and is on record once.
pub(super) fn settled_once(site: &Site, dropped: &[Asked]) {
    let spool = site.spool();
    for folder in ["incoming", "processing"] {
        assert_eq!(names(&spool.join(folder)), BTreeSet::new(), "left in {folder}/");
    }
    let recorded = recorded(&site.root());
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut effects: BTreeMap<String, usize> = BTreeMap::new();
    for asked in dropped {
        let answers = site.answers(&asked.stem);
        assert_eq!(answers.len(), 1, "{} has {} answers", asked.stem, answers.len());
        let (folder, answer) = &answers[0];
        let claim = answer["claim"].as_str().unwrap();
        let other = if folder == "done" { "failed" } else { "done" };
        assert_eq!(fs::read_to_string(spool.join(folder).join(format!("{claim}.toml"))).unwrap(), asked.text);
        assert!(
            !names(&spool.join(other)).iter().any(|name| name.starts_with(claim)),
            "{claim} lies in both"
        );
        let times = recorded.get(claim).copied().unwrap_or_default();
        // The same id with the same content gets the first answer again; it took effect only once.
        let id = answer["id"].as_str().unwrap();
        let is_effect = answer["outcome"] == "done" && (id == claim || times.manifests > 0);
        *effects.entry(id.to_owned()).or_insert(0) += usize::from(is_effect);
        let wanted =
            if is_effect { Times { manifests: 1, audit: 0 } } else { Times { manifests: 0, audit: 1 } };
        assert_eq!(times, wanted, "{claim}: {answer:#}");
        let code = answer["code"].as_str().unwrap().to_owned();
        *outcomes.entry(code).or_insert(0) += 1;
    }
    let twice: Vec<_> = effects.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "ids that took effect more than once: {twice:?}");
    println!("{} requests settled: {outcomes:?}", dropped.len());
    assert!(outcomes.get("done").is_some_and(|count| *count > dropped.len() / 4), "hardly anything was done");
}

/// How often the answer to a claim is on record: in manifests of generations, and alone in the audit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    manifests: usize,
    audit: usize,
}

fn recorded(root: &Utf8Path) -> BTreeMap<String, Times> {
    let mut found: BTreeMap<String, Times> = BTreeMap::new();
    for number in names(&root.join("generations")) {
        let bytes = fs::read(root.join("generations").join(number).join("manifest.json")).unwrap();
        for claim in claims(&serde_json::from_slice(&bytes).unwrap()) {
            found.entry(claim).or_default().manifests += 1;
        }
    }
    for file in names(&root.join("audit")) {
        for line in fs::read_to_string(root.join("audit").join(file)).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            // The record of a generation names the requests it settled again.
            if record.get("answer").is_some_and(Value::is_object) {
                for claim in claims(&record) {
                    found.entry(claim).or_default().audit += 1;
                }
            }
        }
    }
    found
}

/// Every claim named by an answer anywhere in a document.
fn claims(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) if map.contains_key("claim") && map.contains_key("outcome") => {
            vec![map["claim"].as_str().unwrap().to_owned()]
        }
        Value::Object(map) => map.values().flat_map(claims).collect(),
        Value::Array(list) => list.iter().flat_map(claims).collect(),
        _ => Vec::new(),
    }
}

/// What the answers say moved, one after the other, leads to what the repositories list now.
pub(super) fn effects_add_up(site: &Site) {
    let recorded = recorded(&site.root());
    let mut moves = Vec::new();
    for folder in ["done", "failed"] {
        for claim in answered(&site.spool().join(folder)) {
            let file = site.spool().join(folder).join(format!("{claim}.answer.json"));
            let answer: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            // An id that was settled before is answered again and moved nothing again.
            if recorded.get(&claim).is_some_and(|times| times.manifests > 0) {
                // Claim names end in the time of the claim, which is the order in which requests are decided.
                let time = claim.rsplit('-').nth(1).unwrap().to_owned();
                moves.push((answer["generation"].as_u64().unwrap(), time, answer));
            }
        }
    }
    moves.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, _, answer) in &moves {
        for moved in answer["moved"].as_array().unwrap() {
            let set = listed.entry(moved["repository"].as_str().unwrap().to_owned()).or_default();
            for left in moved["left"].as_array().unwrap() {
                assert!(set.remove(left.as_str().unwrap()), "{left} left without being there: {answer:#}");
            }
            for entered in moved["entered"].as_array().unwrap() {
                assert!(
                    set.insert(entered.as_str().unwrap().to_owned()),
                    "{entered} entered twice: {answer:#}"
                );
            }
        }
    }
    listed.retain(|_, set| !set.is_empty());
    let mut published: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for stage in ["delta", "production"] {
        for arch in ["x86_64", "aarch64"] {
            let path = site.root().join("public/current/glite").join("el9").join(arch).join(stage);
            published.insert(format!("glite-el9-{arch}-{stage}"), contents(&path));
        }
    }
    published.retain(|_, set| !set.is_empty());
    println!(
        "{} effects, {} packages listed in the end",
        moves.len(),
        published.values().map(BTreeSet::len).sum::<usize>()
    );
    assert_eq!(published, listed);
}

fn contents(repository: &Utf8Path) -> BTreeSet<String> {
    let repomd = Repomd::parse(&fs::read(repository.join("repodata/repomd.xml")).unwrap()).unwrap();
    let one = |kind: &str| {
        let packed = fs::read(repository.join(&repomd.record(kind).unwrap().href)).unwrap();
        repo::gunzip(&packed, 1 << 30).unwrap()
    };
    let contents = Contents::read(one("primary"), one("filelists"), one("other")).unwrap();
    contents.entries.iter().map(|entry| entry.nevra.to_string()).collect()
}
