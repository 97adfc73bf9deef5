//! A store in a temporary folder, and drafts for it: for tests only.
#![expect(clippy::disallowed_methods, reason = "here tests do to a root what a stranger might do")]

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::{
    AccountText, Arrived, Disk, Draft, Generation, Kind, Lock, Modified, PackageLink, PoolArrival, PosixDisk,
    Source, Store,
};

/// A store of its own, gone when it is dropped.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) lock: Lock,
}

/// The time at which second `number` of all tests begins.
pub(crate) fn second(number: u64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::try_from(number).unwrap()).unwrap()
}

/// New bytes, modified in the second of generation `number`.
pub(crate) fn bytes(text: &str, number: u64) -> Source {
    let modified = Modified::of_seconds(second(number).as_second());
    Source::Bytes { bytes: text.into(), modified, until: None }
}

impl Workshop {
    /// A store without any generation.
    pub(crate) fn empty() -> Workshop {
        // In memory where there is such a place: nothing here is about what a power cut leaves.
        let memory = std::path::Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().join("root")).unwrap();
        let store = Store::new(Arc::new(PosixDisk), root);
        store.create_directories().unwrap();
        let lock = store.lock().unwrap();
        Workshop { folder, store, lock }
    }

    /// A store with generations 1 to `count`, all finished: each lists one package more than the one before.
    pub(crate) fn with(count: u64) -> Workshop {
        let shop = Workshop::empty();
        for _ in 0..count {
            shop.publish();
        }
        shop
    }

    /// Commits and finishes the usual next generation.
    pub(crate) fn publish(&self) -> Generation {
        let generation = self.store.commit(&self.lock, self.draft()).unwrap();
        self.store.finish(&self.lock, generation.number).unwrap();
        self.store.remove_import("claim").unwrap();
        generation
    }

    /// The usual next generation: a new package, a new list of them, all else carried.
    pub(crate) fn draft(&self) -> Draft {
        let number = self.store.next_number().unwrap();
        let package = self.arrive(&format!("package {number}"));
        let path = link_path(&package, number);
        let mut draft = Draft {
            links: vec![PackageLink { digest: package.sha256, path }],
            pool: vec![PoolArrival { digest: package.sha256, size: package.size, from: package.path }],
            ..self.plain()
        };
        draft.public.insert("x/repodata/list".into(), bytes(&format!("{number} packages"), number));
        draft
    }

    /// The next generation without anything new: what the last one has is carried, or the first is made.
    pub(crate) fn plain(&self) -> Draft {
        let number = self.store.next_number().unwrap();
        let current = self.store.current().unwrap();
        let carry =
            |files: Vec<&String>| files.into_iter().map(|path| (path.into(), Source::Carry)).collect();
        let (mut public, mut private): (BTreeMap<_, _>, BTreeMap<_, _>) = Default::default();
        if let Some(current) = &current {
            public = carry(current.files.public.keys().collect());
            private = carry(current.files.private.keys().collect());
        } else {
            public.insert("index.html".into(), bytes("<p>welcome", number));
            public.insert("x/repodata/list".into(), bytes("0 packages", number));
            private.insert("workflow.json".into(), bytes("{}", number));
        }
        Draft {
            number,
            created: second(number),
            public,
            private,
            packages_links: BTreeMap::from([("x/Packages".into(), "x-production".to_owned())]),
            private_links: BTreeMap::new(),
            pool: Vec::new(),
            links: Vec::new(),
            retained: BTreeMap::new(),
            drop_links: Default::default(),
            drop_generations: Default::default(),
            names: current.map(|current| current.manifest.names).unwrap_or_default(),
            policy: b"format = 1\n".to_vec(),
            account: AccountText::of(&serde_json::json!({ "settled": [number] })).unwrap(),
        }
    }

    /// Brings in a package.
    pub(crate) fn arrive(&self, text: &str) -> Arrived {
        let modified = Modified::of_seconds(1_600_000_000);
        self.store.bring_in("claim", text, &mut text.as_bytes(), modified).unwrap()
    }

    /// The absolute place of a path below the root.
    pub(crate) fn at(&self, path: &str) -> Utf8PathBuf {
        self.store.paths().root().join(path)
    }

    /// Everything below the root, in words: kind, mode, inode, contents.
    pub(crate) fn picture(&self) -> BTreeMap<String, String> {
        let mut picture = BTreeMap::new();
        self.draw(self.store.paths().root(), &mut picture);
        picture
    }

    fn draw(&self, dir: &Utf8Path, picture: &mut BTreeMap<String, String>) {
        for name in PosixDisk.list(dir).unwrap().names {
            let path = dir.join(name);
            let state = PosixDisk.state(&path).unwrap().unwrap();
            let what = match state.kind {
                Kind::File => self.store.digest_of(&path).unwrap().hex(),
                Kind::Link => PosixDisk.read_link(&path).unwrap(),
                _ => String::new(),
            };
            let words = format!("{:?} {:04o} {} {what}", state.kind, state.mode, state.inode);
            picture.insert(path.strip_prefix(self.store.paths().root()).unwrap().to_string(), words);
            if state.kind == Kind::Directory {
                self.draw(&path, picture);
            }
        }
    }

    /// Whether anything stands there.
    pub(crate) fn has(&self, path: &str) -> bool {
        PosixDisk.state(&self.at(path)).unwrap().is_some()
    }

    /// The names in a directory.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        PosixDisk.list(&self.at(path)).unwrap().names
    }

    /// Reads through all symlinks, as a web server would.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    /// Replaces a file as a stranger would: nothing about it is what was sealed.
    pub(crate) fn scribble(&self, path: &str, text: &str) {
        let place = self.at(path);
        let dir = place.parent().unwrap();
        PosixDisk.set_mode(dir, 0o755).unwrap();
        PosixDisk.remove_file(&place).unwrap();
        self.write(path, text);
    }

    /// Writes into a file, which may be new, as a stranger would.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let place = self.at(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, text).unwrap();
    }

    /// Gives everything to another user, whoever that is.
    pub(crate) fn give_to(&self, uid: u32) {
        std::os::unix::fs::chown(self.folder.path(), Some(uid), Some(uid)).unwrap();
        self.give(self.store.paths().root(), uid);
    }

    fn give(&self, path: &Utf8Path, uid: u32) {
        std::os::unix::fs::lchown(path, Some(uid), Some(uid)).unwrap();
        if std::fs::symlink_metadata(path).unwrap().is_dir() {
            for name in PosixDisk.list(path).unwrap().names {
                self.give(&path.join(name), uid);
            }
        }
    }

    /// The number of names a file has.
    pub(crate) fn links(&self, path: &str) -> u64 {
        std::fs::symlink_metadata(self.at(path)).unwrap().nlink()
    }
}

/// Where the package of generation `number` is linked.
pub(crate) fn link_path(package: &Arrived, number: u64) -> String {
    let digest = package.sha256;
    format!("packages/x-production/{}/{}/p-{number}.rpm", digest.shard(), digest.short())
}
