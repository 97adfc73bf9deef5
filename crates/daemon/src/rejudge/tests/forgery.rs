//! Changes what is on record, and every digest that depends on it, so that no chain shows it.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use store::Disk as _;

use super::town::Town;

/// The records of a site, to be changed and put back.
pub(super) struct Forgery {
    /// Each file of the audit log, with its lines and their digests as they were.
    months: Vec<(Utf8PathBuf, Vec<(Value, String)>)>,
    /// Each manifest that is kept, by number.
    manifests: BTreeMap<u64, (Utf8PathBuf, Value)>,
}

fn read(town: &Town, path: &Utf8Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    town.disk.open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn write(town: &Town, path: &Utf8Path, bytes: &[u8]) {
    // What is sealed is no more than inconvenient to its owner.
    town.disk.set_mode(path.parent().unwrap(), 0o755).unwrap();
    town.disk.remove_file(path).unwrap();
    town.disk.create(path, 0o444).unwrap().write_all(bytes).unwrap();
}

impl Forgery {
    pub(super) fn of(town: &Town) -> Self {
        let paths = town.store();
        let paths = paths.paths();
        let line = |line: &str| (serde_json::from_str(line).unwrap(), repo::sha256(line.as_bytes()).hex());
        let months = town.disk.list(&paths.audit()).unwrap().names.into_iter().map(|name| {
            let path = paths.audit().join(name);
            let text = String::from_utf8(read(town, &path)).unwrap();
            (path, text.lines().map(line).collect())
        });
        let manifests = town.store().numbers().unwrap().into_iter().map(|number| {
            let path = paths.private_half(number).join("manifest.json");
            let manifest = serde_json::from_slice(&read(town, &path)).unwrap();
            (number, (path, manifest))
        });
        Self { months: months.collect(), manifests: manifests.collect() }
    }

    /// What a manifest says of the nth request of an action.
    pub(super) fn settled(&mut self, action: &str, nth: usize) -> &mut Value {
        let all = self
            .manifests
            .values_mut()
            .flat_map(|(_, manifest)| manifest["account"]["requests"].as_array_mut().unwrap().iter_mut());
        let mut of_action = all.filter(|settled| settled["answer"]["action"] == action);
        of_action.nth(nth).unwrap()
    }

    pub(super) fn claim(settled: &Value) -> Option<String> {
        settled["answer"]["claim"].as_str().map(str::to_owned)
    }

    /// The account of the generation that settled the first request of an action.
    pub(super) fn account_of(&mut self, action: &str) -> &mut Value {
        let is_it = |manifest: &Value| {
            let requests = manifest["account"]["requests"].as_array().unwrap();
            requests.iter().any(|settled| settled["answer"]["action"] == action)
        };
        let mut manifests = self.manifests.values_mut().map(|(_, manifest)| manifest);
        &mut manifests.find(|manifest| is_it(manifest)).unwrap()["account"]
    }

    /// The first answer with a code that only the audit log has.
    pub(super) fn answered(&mut self, code: &str) -> &mut Value {
        let mut lines = self.months.iter_mut().flat_map(|(_, lines)| lines).map(|(line, _)| line);
        &mut lines.find(|line| line["answer"]["code"] == code).unwrap()["answer"]
    }

    /// Makes the records what a program wrote that did not record what requests were decided on.
    pub(super) fn forget_grounds(&mut self) {
        let lines = self.months.iter_mut().flat_map(|(_, lines)| lines).map(|(line, _)| line);
        let settled = self
            .manifests
            .values_mut()
            .flat_map(|(_, manifest)| manifest["account"]["requests"].as_array_mut().unwrap().iter_mut());
        for value in lines.chain(settled) {
            value.as_object_mut().unwrap().remove("grounds");
        }
    }

    /// Works out every digest anew, and writes it all.
    pub(super) fn put_back(mut self, town: &Town) {
        // What the digests of lines and manifests are now, by what they were.
        let mut lines = BTreeMap::<String, String>::new();
        let mut manifests = BTreeMap::<String, String>::new();
        let renew = |value: &mut Value, known: &BTreeMap<String, String>| {
            if let Some(fresh) = value.as_str().and_then(|old| known.get(old)) {
                *value = json!(fresh);
            }
        };
        for (path, month) in &mut self.months {
            let mut text = String::new();
            for (line, old) in month {
                for key in ["previous", "batch"] {
                    line.get_mut(key).into_iter().for_each(|value| renew(value, &lines));
                }
                let number = line["generation"].as_u64().filter(|_| line["kind"] == "generation");
                if let Some((path, manifest)) = number.and_then(|number| self.manifests.get_mut(&number)) {
                    let of_parent = manifest.get_mut("parent").and_then(|parent| parent.get_mut("digest"));
                    of_parent.into_iter().for_each(|value| renew(value, &manifests));
                    manifest["account"].get_mut("audit").into_iter().for_each(|value| renew(value, &lines));
                    let bytes = serde_json::to_vec(manifest).unwrap();
                    let fresh = repo::sha256(&bytes).hex();
                    manifests.insert(line["manifest"].as_str().unwrap().to_owned(), fresh.clone());
                    line["manifest"] = json!(fresh);
                    write(town, path, &bytes);
                }
                let said = serde_json::to_string(line).unwrap();
                lines.insert(old.clone(), repo::sha256(said.as_bytes()).hex());
                text += &format!("{said}\n");
            }
            write(town, path, text.as_bytes());
        }
    }
}
