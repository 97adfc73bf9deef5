//! The directory of a mirror: one whole generation at a time, and the earlier ones for whoever still reads them.
//!
//! ```text
//! DIR/current -> @42          the only mutable name; a web server serves DIR/current
//! DIR/@42/...                 a whole generation; what earlier ones had under names that hold digests, too
//! DIR/.sluice-mirror/         the lock, what is being fetched, what each generation consists of
//! ```
#![expect(clippy::disallowed_methods, reason = "lays out the directory of a mirror")]

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Digest;
use repo::Hasher;
use store::{Disk, PosixDisk};

use super::wanted::{Wanted, Whole, is_named_by_digest, lie};
use crate::directories::make_directories;
use crate::failure::{Failure, failed};

/// A directory that this process alone writes to.
pub struct Place {
    top: Utf8PathBuf,
    own: Utf8PathBuf,
    /// What each generation that is here consists of.
    records: BTreeMap<u64, Whole>,
    /// Where a file lies already.
    known: HashMap<(Digest, i64), Utf8PathBuf>,
    _lock: Box<dyn Send + Sync>,
}

impl Place {
    /// Takes the directory, and clears away what was cut short.
    pub fn open(dir: &Utf8Path) -> Result<Self, Failure> {
        let top = camino::absolute_utf8(dir)
            .map_err(|error| Failure::usage(format!("failed to find `{dir}`: {error}")))?;
        let own = top.join(".sluice-mirror");
        for folder in ["parts", "records"] {
            make_directories(&own.join(folder))?;
        }
        let locked =
            Failure { exit: 4, ..Failure::internal(format!("another `sluice mirror` works on `{top}`")) };
        let lock = PosixDisk.lock(&own)?.ok_or(locked)?;
        for folder in ["staging", "trash"] {
            clear(&own.join(folder))?;
            make_directories(&own.join(folder))?;
        }
        let mut place = Self { top, own, records: BTreeMap::new(), known: HashMap::new(), _lock: lock };
        place.read_records()?;
        Ok(place)
    }

    fn read_records(&mut self) -> Result<(), Failure> {
        for name in PosixDisk.list(&self.own.join("records"))?.names {
            let path = self.own.join("records").join(&name);
            let number = name.strip_suffix(".json").and_then(store::number_of);
            let bytes = fs::read(&path).map_err(failed("read", &path))?;
            let record = number.zip(read_record(&bytes));
            match record.filter(|(number, _)| self.generation(*number).is_dir()) {
                Some((number, whole)) => self.learn(number, whole),
                // Written before its generation, or cut short: nothing is lost.
                None => fs::remove_file(&path).map_err(failed("remove", &path))?,
            }
        }
        Ok(())
    }

    fn learn(&mut self, number: u64, whole: Whole) {
        let top = self.generation(number);
        for wanted in whole.values() {
            self.known.insert((wanted.digest.clone(), wanted.modified), top.join(&wanted.path));
        }
        self.records.insert(number, whole);
    }

    fn generation(&self, number: u64) -> Utf8PathBuf {
        self.top.join(format!("@{number}"))
    }

    /// Where files lie while they come, by the digits of their digests.
    pub fn parts(&self) -> Utf8PathBuf {
        self.own.join("parts")
    }

    /// Which generation is served here.
    pub fn current(&self) -> Result<Option<u64>, Failure> {
        let link = self.top.join("current");
        if PosixDisk.state(&link)?.is_none() {
            return Ok(None);
        }
        let target = PosixDisk.read_link(&link)?;
        let number = target.strip_prefix('@').and_then(store::number_of);
        let number = number.filter(|number| self.generation(*number).is_dir());
        number.map(Some).ok_or_else(|| {
            let words = format!("`{link}` leads to `{target}`, which is no generation of this mirror");
            Failure {
                exit: 78,
                ..Failure::internal(words).hint("move the link away; the next run makes it anew")
            }
        })
    }

    /// The inventory of the generation that is served here.
    pub fn inventory(&self) -> Option<Vec<u8>> {
        fs::read(self.top.join("current").join(daemon::inventory::NAME)).ok()
    }

    /// Finds a file that is here already, untouched since it was verified.
    pub fn known(&self, wanted: &Wanted) -> Option<&Utf8Path> {
        let path = self.known.get(&(wanted.digest.clone(), wanted.modified))?;
        let found = fs::symlink_metadata(path).ok()?;
        let same = found.is_file()
            && found.len() == wanted.size
            && found.mtime() == wanted.modified
            && found.mode() & 0o222 == 0;
        same.then_some(path)
    }

    /// Verifies what came for `wanted`; whether it is what was promised. What is not is removed.
    pub fn verified(&self, wanted: &Wanted) -> Result<bool, Failure> {
        let part = self.parts().join(&wanted.digest.hex);
        let mut file = File::open(&part).map_err(failed("open", &part))?;
        let mut hasher = Hasher::new(wanted.digest.algorithm);
        let size = io::copy(&mut file, &mut hasher).map_err(failed("read", &part))?;
        let is_right = size == wanted.size && hasher.finish() == wanted.digest;
        if !is_right {
            fs::remove_file(&part).map_err(failed("remove", &part))?;
        }
        Ok(is_right)
    }

    /// Reads a file that was verified, or lies here already.
    pub fn read(&self, wanted: &Wanted) -> Result<Vec<u8>, Failure> {
        let part = self.parts().join(&wanted.digest.hex);
        let path = self.known(wanted).unwrap_or(&part);
        fs::read(path).map_err(failed("read", path))
    }

    /// Refuses to begin what the disk has no room for.
    pub fn has_room(&self, bytes: u64) -> Result<(), Failure> {
        let found = rustix::fs::statvfs(self.top.as_std_path());
        let found =
            found.map_err(|error| Failure::internal(format!("failed to look at `{}`: {error}", self.top)))?;
        let free = found.f_bavail.saturating_mul(found.f_frsize);
        if bytes < free {
            return Ok(());
        }
        let words = format!("{bytes} bytes are to come, and `{}` has room for {free}", self.top);
        Err(Failure { exit: 75, ..Failure::internal(words) })
    }

    /// Lays out generation `number` and lets `current` name it, in one instant; then drops what is older than the `keep`
    /// generations before it.
    pub fn publish(
        &mut self,
        number: u64,
        whole: Whole,
        inventory: &[u8],
        keep: usize,
    ) -> Result<(), Failure> {
        let staging = self.own.join(format!("staging/@{number}"));
        make_directories(&staging)?;
        for wanted in whole.values() {
            let to = staging.join(&wanted.path);
            self.lay(wanted, &to)?;
        }
        let file = staging.join(daemon::inventory::NAME);
        fs::write(&file, inventory).map_err(failed("write", &file))?;
        let stamped = whole.get("generation").map_or(0, |stamp| stamp.modified);
        seal(&file, stamped)?;
        self.carry(&whole, &staging, keep)?;
        let record = self.own.join(format!("records/{number}.json"));
        fs::write(&record, write_record(&whole)).map_err(failed("write", &record))?;
        self.sync()?;
        let place = self.generation(number);
        if PosixDisk.state(&place)?.is_some() {
            // It was laid out by a run that ended before anybody was sent there.
            self.trash(&place, number)?;
        }
        PosixDisk.rename(&staging, &place)?;
        PosixDisk.sync_directory(&self.top)?;
        let link = self.own.join("current.new");
        if PosixDisk.state(&link)?.is_some() {
            PosixDisk.remove_file(&link)?;
        }
        PosixDisk.symlink(&format!("@{number}"), &link)?;
        PosixDisk.rename(&link, &self.top.join("current"))?;
        PosixDisk.sync_directory(&self.top)?;
        self.learn(number, whole);
        self.sweep(number, keep)
    }

    /// Links a file into its place, from where it lies already or from where it came.
    fn lay(&self, wanted: &Wanted, to: &Utf8Path) -> Result<(), Failure> {
        if let Some(parent) = to.parent() {
            make_directories(parent)?;
        }
        if let Some(known) = self.known(wanted) {
            return fs::hard_link(known, to).map_err(failed("link", to));
        }
        let part = self.parts().join(&wanted.digest.hex);
        let found = fs::symlink_metadata(&part).map_err(failed("look at", &part))?;
        // One file under two names with two times: the second gets bytes of its own.
        if found.nlink() > 1 && found.mtime() != wanted.modified {
            fs::copy(&part, to).map_err(failed("copy", to))?;
            return seal(to, wanted.modified);
        }
        seal(&part, wanted.modified)?;
        fs::hard_link(&part, to).map_err(failed("link", to))
    }

    /// Keeps for readers what earlier generations had under names that hold digests.
    fn carry(&self, whole: &Whole, staging: &Utf8Path, keep: usize) -> Result<(), Failure> {
        for (number, earlier) in self.records.iter().rev().take(keep) {
            for wanted in earlier.values() {
                let path = &wanted.path;
                let to = staging.join(path);
                if !is_named_by_digest(path) || whole.contains_key(path) || to.exists() {
                    continue;
                }
                let from = self.generation(*number).join(path);
                if let Some(parent) = to.parent() {
                    make_directories(parent)?;
                }
                fs::hard_link(&from, &to).map_err(failed("link", &to))?;
            }
        }
        Ok(())
    }

    /// Makes everything durable that was laid out.
    fn sync(&self) -> Result<(), Failure> {
        let top = File::open(&self.top).map_err(failed("open", &self.top))?;
        rustix::fs::syncfs(&top)
            .map_err(|error| Failure::internal(format!("failed to sync `{}`: {error}", self.top)))
    }

    fn sweep(&mut self, current: u64, keep: usize) -> Result<(), Failure> {
        let earlier = self.records.range(..current).rev().map(|(number, _)| *number);
        let old: Vec<u64> = earlier.skip(keep).collect();
        for number in old {
            self.trash(&self.generation(number), number)?;
            self.records.remove(&number);
            let record = self.own.join(format!("records/{number}.json"));
            fs::remove_file(&record).map_err(failed("remove", &record))?;
        }
        self.known.clear();
        for (number, whole) in std::mem::take(&mut self.records) {
            self.learn(number, whole);
        }
        for folder in ["parts", "trash", "staging"] {
            clear(&self.own.join(folder))?;
            make_directories(&self.own.join(folder))?;
        }
        Ok(())
    }

    fn trash(&self, place: &Utf8Path, number: u64) -> Result<(), Failure> {
        let trash = self.own.join(format!("trash/@{number}"));
        clear(&trash)?;
        PosixDisk.rename(place, &trash)?;
        Ok(())
    }
}

/// Makes a file what web servers show: the time it has at the source, and read-only.
fn seal(path: &Utf8Path, modified: i64) -> Result<(), Failure> {
    let since = Duration::from_secs(modified.unsigned_abs());
    let time = match modified < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(since),
        false => SystemTime::UNIX_EPOCH.checked_add(since),
    };
    let time = time.ok_or_else(|| lie(path.as_str(), "its time cannot be written"))?;
    let file = File::open(path).map_err(failed("open", path))?;
    file.set_modified(time).map_err(failed("set the time of", path))?;
    file.set_permissions(Permissions::from_mode(0o444)).map_err(failed("set the mode of", path))
}

fn clear(directory: &Utf8Path) -> Result<(), Failure> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", directory)(error)),
        _ => Ok(()),
    }
}

/// One line a file: algorithm, digits, size, time, path.
fn write_record(whole: &Whole) -> String {
    let line = |wanted: &Wanted| {
        let Wanted { path, digest, size, modified } = wanted;
        serde_json::json!([digest.algorithm.to_string(), digest.hex, size, modified, path])
    };
    serde_json::Value::Array(whole.values().map(line).collect()).to_string()
}

fn read_record(bytes: &[u8]) -> Option<Whole> {
    let lines: Vec<(String, String, u64, i64, String)> = serde_json::from_slice(bytes).ok()?;
    let mut whole = Whole::new();
    for (algorithm, hex, size, modified, path) in lines {
        let digest = Digest::new(algorithm.parse().ok()?, &hex).ok()?;
        whole.insert(path.clone(), Wanted { path, digest, size, modified });
    }
    Some(whole)
}
