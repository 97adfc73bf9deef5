//! What advisories say after each request of a history, read without any of our code but what unpacks: they name what is listed, and
//! nothing is lost that stays or is promoted.

use super::*;

/// The lines of advisories: an id, and the NEVRA of a package.
type Lines = BTreeSet<(String, String)>;

/// What was said and listed before the request.
#[derive(Default)]
pub struct Advised {
    /// Whether the request promotes.
    pub promotes: bool,
    /// What each stage said, with what waited in front of it.
    said: BTreeMap<String, Lines>,
    listed: BTreeMap<String, BTreeSet<String>>,
    /// How many lines were seen in all, and how many of them waited.
    pub seen: [usize; 2],
}

/// Says something of packages.
pub fn request(number: usize, stage: &str, packages: &[String]) -> String {
    format!(
        "action = \"advisory\"\nproduct = \"glite\"\nstage = \"{stage}\"\nadvisory = \"GRID-{number}\"\ntype = \"bugfix\"\n\
         title = \"t\"\npackages = {packages:?}"
    )
}

/// Reads the lines out of elements `update`.
fn lines(text: &str) -> Lines {
    let between = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    let mut found = Lines::new();
    for update in text.split("<update ").skip(1) {
        let id = between(update, "<id>", "</id>");
        for package in update.split("<package ").skip(1) {
            let [name, version, release, arch] = ["name", "version", "release", "arch"]
                .map(|key| between(package, &format!("{key}=\""), "\""));
            assert!(
                found.insert((id.clone(), format!("{name}-{version}-{release}.{arch}"))),
                "twice: {update}"
            );
        }
    }
    found
}

impl History {
    pub fn look_at_what_is_said(&mut self, store: &Store, current: &Generation) {
        let Some(mut advised) = self.advised.take() else { return };
        let account: serde_json::Value = current.manifest.account.read().unwrap();
        let names = |stage: &str| -> BTreeSet<String> {
            let listed = self.listed.get(stage).into_iter().flatten();
            listed.map(|id| format!("{}-1-1.x86_64", packages()[id].name)).collect()
        };
        let mut now = BTreeMap::new();
        for stage in STAGES {
            let top = format!("glite/el9/x86_64/{stage}");
            let repomd = store.read_public(current, &format!("{top}/repodata/repomd.xml")).unwrap();
            let record = Repomd::parse(&repomd).unwrap().record("updateinfo").cloned();
            let told = record.map_or_else(Lines::new, |record| {
                let packed = store.read_public(current, &format!("{top}/{}", record.href)).unwrap();
                let told = lines(&String::from_utf8(repo::unpack(&packed, 1 << 20).unwrap()).unwrap());
                assert!(!told.is_empty(), "no file where nothing is said");
                told
            });
            let listed = names(stage);
            for (id, nevra) in &told {
                assert!(listed.contains(nevra), "{id} names {nevra}, which {stage} does not list");
            }
            let mut waiting = Lines::new();
            let held = &account["standing"]["held"][format!("glite-el9-x86_64-{stage}")];
            for (id, held) in held.as_object().into_iter().flatten() {
                let all = lines(held["text"].as_str().unwrap());
                assert!(
                    all.iter().any(|(_, nevra)| listed.contains(nevra)),
                    "{id} is about nothing in {stage}"
                );
                let waits = held["waits_for"].as_array().unwrap();
                assert!(!waits.is_empty());
                for nevra in waits.iter().map(|nevra| nevra.as_str().unwrap()) {
                    assert!(
                        names("delta").contains(nevra) && !listed.contains(nevra),
                        "{id} waits for {nevra}"
                    );
                    assert!(all.contains(&(id.clone(), nevra.to_owned())));
                }
                waiting.extend(all);
            }
            let known: Lines = told.union(&waiting).cloned().collect();
            for line in advised.said.get(stage).into_iter().flatten() {
                assert!(known.contains(line) || !listed.contains(&line.1), "{stage} lost {line:?}");
            }
            advised.seen = [advised.seen[0] + known.len(), advised.seen[1] + waiting.len()];
            now.insert(stage.to_owned(), known);
        }
        if advised.promotes {
            let entered: BTreeSet<String> = names("production")
                .difference(advised.listed.get("production").unwrap_or(&BTreeSet::new()))
                .cloned()
                .collect();
            for line in
                advised.said.get("delta").into_iter().flatten().filter(|line| entered.contains(&line.1))
            {
                assert!(now["production"].contains(line), "{line:?} did not go along");
            }
        }
        advised.said = now;
        advised.listed = STAGES.map(|stage| (stage.to_owned(), names(stage))).into();
        self.advised = Some(advised);
    }
}
