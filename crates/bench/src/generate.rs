//! A directory of invented RPMs.
#![expect(clippy::disallowed_methods, reason = "writes the packages it invents")]

use std::fs::{self, File};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;

use crate::invention::invented;

/// Writes so many packages below `directory`, each in a folder of its first letter, as Fedora has them.
///
/// One package a thread is in memory at a time.
pub fn generate(directory: &Utf8Path, packages: usize, seed: u64) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("failed to make `{directory}`"))?;
    let is_empty = fs::read_dir(directory).map(|mut names| names.next().is_none());
    ensure!(is_empty.with_context(|| format!("failed to list `{directory}`"))?, "`{directory}` is not empty");
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && number < packages
                {
                    if let Err(error) = write(directory, &invented(seed, number, 0)) {
                        next.store(packages, Ordering::Relaxed);
                        *failed.lock().expect("nobody panics with it in hand") = Some(error);
                    }
                }
            });
        }
    });
    failed.into_inner().expect("nobody panicked with it in hand").map_or(Ok(()), Err)
}

/// Where a package lies below the directory.
pub fn place(recipe: &Recipe) -> Utf8PathBuf {
    let letter = recipe.name.get(..1).unwrap_or("_");
    Utf8PathBuf::from(letter).join(recipe.file_name())
}

/// Writes one package; its file is as old as its build.
pub fn write(directory: &Utf8Path, recipe: &Recipe) -> anyhow::Result<()> {
    let path = directory.join(place(recipe));
    let written = || {
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        let mut file = File::create_new(&path)?;
        file.write_all(&recipe.build())?;
        file.set_modified(UNIX_EPOCH + Duration::from_secs(recipe.build_time.into()))
    };
    written().with_context(|| format!("failed to write `{path}`"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use super::*;

    fn files(directory: &Utf8Path) -> BTreeMap<Utf8PathBuf, (Vec<u8>, std::time::SystemTime)> {
        let mut files = BTreeMap::new();
        for letter in directory.read_dir_utf8().unwrap() {
            for file in letter.unwrap().path().read_dir_utf8().unwrap() {
                let path = file.unwrap().into_path();
                let modified = fs::metadata(&path).unwrap().modified().unwrap();
                let place = path.strip_prefix(directory).unwrap().to_owned();
                files.insert(place, (fs::read(&path).unwrap(), modified));
            }
        }
        files
    }

    #[test]
    fn one_seed_makes_one_directory_and_rpm_and_createrepo_c_read_it() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let [one, again, other] = ["one", "again", "other"].map(|name| root.join(name));
        for (directory, seed) in [(&one, 1), (&again, 1), (&other, 2)] {
            generate(directory, 20, seed).unwrap();
        }
        let made = files(&one);
        assert_eq!(made.len(), 20);
        assert!(made == files(&again), "the same seed made something else");
        assert!(made != files(&other), "the seed does not matter");
        let error = generate(&one, 20, 1).unwrap_err().to_string();
        assert!(error.ends_with("is not empty"), "{error}");

        let checked =
            Command::new("rpm").arg("-K").args(made.keys().map(|place| one.join(place))).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
        let listed = Command::new("createrepo_c").args(["--no-database", "-v"]).arg(&one).output().unwrap();
        let words = String::from_utf8_lossy(&listed.stderr);
        assert!(listed.status.success() && !words.contains("arning"), "{words}");
        let index = fs::read(one.join("repodata/repomd.xml")).unwrap();
        let index = repo::Repomd::parse(&index).unwrap();
        let primary = fs::read(one.join(&index.record("primary").unwrap().href)).unwrap();
        let packages = repo::parse_primary(&repo::unpack(&primary, 1 << 24).unwrap()).unwrap();
        let hrefs: Vec<_> = packages.iter().map(|package| Utf8PathBuf::from(&package.href)).collect();
        assert!(hrefs.iter().all(|href| made.contains_key(href)) && hrefs.len() == 20, "{hrefs:?}");
    }
}
