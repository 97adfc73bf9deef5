//! Changes what is on record, and every digest that depends on it, so that no chain shows it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

/// The records of a site, to be changed and put back.
pub struct Forgery {
    /// Each file of the audit log, with its lines and their digests as they were.
    months: Vec<(Utf8PathBuf, Vec<(Value, String)>)>,
    /// Each manifest that is kept, by number.
    manifests: BTreeMap<u64, (Utf8PathBuf, Value)>,
}

impl Forgery {
    pub fn of(root: &Utf8Path) -> Self {
        let names = |folder: &str| {
            let entries = root.join(folder).read_dir_utf8().unwrap();
            let mut paths: Vec<Utf8PathBuf> = entries.map(|entry| entry.unwrap().into_path()).collect();
            paths.sort();
            paths
        };
        let line = |line: &str| (serde_json::from_str(line).unwrap(), repo::sha256(line.as_bytes()).hex());
        let months = names("audit").into_iter().map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text.lines().map(line).collect())
        });
        let manifests = names("generations").into_iter().map(|path| {
            let number = path.file_name().unwrap().parse().unwrap();
            let path = path.join("manifest.json");
            let manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            (number, (path, manifest))
        });
        Self { months: months.collect(), manifests: manifests.collect() }
    }

    /// Changes what a manifest says of one request.
    pub fn settled(mut self, claim: &str, forge: &dyn Fn(&mut Value)) -> Self {
        let mut all = self
            .manifests
            .values_mut()
            .flat_map(|(_, manifest)| manifest["account"]["requests"].as_array_mut().unwrap().iter_mut());
        forge(all.find(|settled| settled["answer"]["claim"] == claim).unwrap());
        drop(all);
        self
    }

    /// Changes the account of one generation.
    pub fn generation(mut self, number: u64, forge: &dyn Fn(&mut Value)) -> Self {
        forge(&mut self.manifests.get_mut(&number).unwrap().1["account"]);
        self
    }

    /// Changes an answer that only the audit log has.
    pub fn answered(mut self, claim: &str, forge: &dyn Fn(&mut Value)) -> Self {
        let mut lines = self.months.iter_mut().flat_map(|(_, lines)| lines);
        let (line, _) = lines.find(|(line, _)| line["kind"] == "answer" && line["claim"] == claim).unwrap();
        forge(&mut line["answer"]);
        drop(lines);
        self
    }

    /// Works out every digest anew, and writes it all.
    pub fn put_back(mut self) {
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
                    write(path, &bytes);
                }
                let said = serde_json::to_string(line).unwrap();
                lines.insert(old.clone(), repo::sha256(said.as_bytes()).hex());
                text += &format!("{said}\n");
            }
            write(path, text.as_bytes());
        }
    }
}

/// Writes over a file that nobody may write, and leaves it as strict as it was.
fn write(path: &Utf8Path, bytes: &[u8]) {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
