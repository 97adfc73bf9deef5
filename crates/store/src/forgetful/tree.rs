//! A file system as a value: inodes, names that refer to them, and who may do what.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use camino::{Utf8Component, Utf8Path};
use rustix::io::Errno;

use crate::disk::{Kind, Modified, State};

/// Counts inodes; never used twice.
pub(super) type Number = usize;

/// The root directory of every tree.
pub(super) const ROOT: Number = 0;

/// How many symlinks are followed on one path, as on Linux.
const LINKS_FOLLOWED: usize = 40;

/// Says who acts: the owner class, the group class or the rest decides, as for a process without other groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// What an inode holds.
#[derive(Debug, Clone)]
pub(super) enum Body {
    File(Arc<Vec<u8>>),
    Directory(BTreeMap<Arc<str>, Number>),
    Link(Arc<str>),
    Fifo,
}

/// One inode.
#[derive(Debug, Clone)]
pub(super) struct Inode {
    pub(super) body: Body,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) modified: Modified,
    /// Hash of all the above, once somebody asked for it. Most inodes never change between two crashes.
    fingerprint: OnceLock<u64>,
}

impl Inode {
    pub(super) fn new(body: Body, mode: u32, who: Who, modified: Modified) -> Inode {
        Inode { body, mode, uid: who.uid, gid: who.gid, modified, fingerprint: OnceLock::new() }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.body {
            Body::File(_) => Kind::File,
            Body::Directory(_) => Kind::Directory,
            Body::Link(_) => Kind::Link,
            Body::Fifo => Kind::Other,
        }
    }

    /// Says whether `who` has all of the rights `wanted` (4 read, 2 write, 1 search).
    pub(super) fn allows(&self, who: Who, wanted: u32) -> bool {
        let granted = match who {
            Who { uid: 0, .. } => 7,
            Who { uid, .. } if uid == self.uid => self.mode >> 6,
            Who { gid, .. } if gid == self.gid => self.mode >> 3,
            Who { .. } => self.mode,
        };
        granted & wanted == wanted
    }

    fn fingerprint(&self) -> u64 {
        *self.fingerprint.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            (self.mode, self.uid, self.gid).hash(&mut hasher);
            match &self.body {
                Body::File(bytes) => (0u8, bytes, self.modified).hash(&mut hasher),
                Body::Directory(entries) => (1u8, entries).hash(&mut hasher),
                Body::Link(target) => (2u8, target).hash(&mut hasher),
                Body::Fifo => 3u8.hash(&mut hasher),
            }
            hasher.finish()
        })
    }
}

/// All inodes there ever were, each shared with every tree that holds it unchanged.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    inodes: Vec<Arc<Inode>>,
    links: Vec<u32>,
    /// Whether two names can change places in one instant.
    pub(super) exchanges: bool,
}

/// A path whose last component may or may not exist.
pub(super) struct Place<'a> {
    pub(super) directory: Number,
    pub(super) name: &'a str,
    pub(super) number: Option<Number>,
}

impl Tree {
    /// An empty root directory of `who`.
    pub(super) fn new(who: Who, modified: Modified) -> Tree {
        let root = Inode::new(Body::Directory(BTreeMap::new()), 0o755, who, modified);
        Tree { inodes: vec![Arc::new(root)], links: vec![1], exchanges: true }
    }

    /// Adds an inode without a name.
    pub(super) fn add(&mut self, inode: Inode) -> Number {
        self.inodes.push(Arc::new(inode));
        self.links.push(0);
        self.inodes.len() - 1
    }

    pub(super) fn inode(&self, number: Number) -> &Inode {
        &self.inodes[number]
    }

    /// The inode for changing; copied first if another tree holds it as well.
    pub(super) fn inode_mut(&mut self, number: Number) -> &mut Inode {
        let inode = Arc::make_mut(&mut self.inodes[number]);
        inode.fingerprint = OnceLock::new();
        inode
    }

    /// How many bytes all files that have a name hold together.
    pub(super) fn bytes(&self) -> usize {
        let named = self.inodes.iter().zip(&self.links).filter(|(_, links)| **links > 0);
        named.map(|(inode, _)| if let Body::File(bytes) = &inode.body { bytes.len() } else { 0 }).sum()
    }

    pub(super) fn entries(&self, number: Number) -> Result<&BTreeMap<Arc<str>, Number>, Errno> {
        match &self.inode(number).body {
            Body::Directory(entries) => Ok(entries),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// Lets `name` in `directory` mean `number`, or nothing.
    pub(super) fn set_entry(&mut self, directory: Number, name: &Arc<str>, number: Option<Number>) {
        let Body::Directory(entries) = &mut self.inode_mut(directory).body else { return };
        let before = match number {
            Some(number) => entries.insert(Arc::clone(name), number),
            None => entries.remove(name),
        };
        if let Some(before) = before {
            self.links[before] = self.links[before].saturating_sub(1);
        }
        if let Some(number) = number {
            self.links[number] += 1;
        }
    }

    pub(super) fn entry(&self, directory: Number, name: &str) -> Option<Number> {
        self.entries(directory).ok().and_then(|entries| entries.get(name).copied())
    }

    pub(super) fn state(&self, number: Number) -> State {
        let inode = self.inode(number);
        let size = match &inode.body {
            Body::File(bytes) => bytes.len(),
            Body::Link(target) => target.len(),
            Body::Directory(_) | Body::Fifo => 0,
        };
        State {
            kind: inode.kind(),
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            size: size as u64,
            links: u64::from(self.links[number]),
            inode: number as u64,
            modified: inode.modified,
        }
    }

    /// Finds what `path` names; a symlink in the last component is not followed.
    pub(super) fn find(&self, path: &Utf8Path, who: Who) -> Result<Number, Errno> {
        if path == "/" {
            return Ok(ROOT);
        }
        self.place(path, who)?.number.ok_or(Errno::NOENT)
    }

    /// Finds the directory that holds `path`, following symlinks on the way there.
    pub(super) fn place<'a>(&self, path: &'a Utf8Path, who: Who) -> Result<Place<'a>, Errno> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::EXIST) };
        if !path.is_absolute() {
            return Err(Errno::INVAL);
        }
        let directory = *self.walk(vec![ROOT], parent, who, &mut 0)?.last().ok_or(Errno::NOENT)?;
        let entries = self.entries(directory)?;
        if !self.inode(directory).allows(who, 1) {
            return Err(Errno::ACCESS);
        }
        Ok(Place { directory, name, number: entries.get(name).copied() })
    }

    /// The chain of directories from the root to `path`.
    fn walk(
        &self,
        mut chain: Vec<Number>,
        path: &Utf8Path,
        who: Who,
        followed: &mut usize,
    ) -> Result<Vec<Number>, Errno> {
        for component in path.components() {
            match component {
                Utf8Component::RootDir | Utf8Component::Prefix(_) => chain.truncate(1),
                Utf8Component::CurDir => {}
                Utf8Component::ParentDir if chain.len() > 1 => drop(chain.pop()),
                Utf8Component::ParentDir => {}
                Utf8Component::Normal(name) => {
                    let here = chain.last().copied().unwrap_or(ROOT);
                    let entries = self.entries(here)?;
                    if !self.inode(here).allows(who, 1) {
                        return Err(Errno::ACCESS);
                    }
                    let next = *entries.get(name).ok_or(Errno::NOENT)?;
                    match &self.inode(next).body {
                        Body::Link(target) => {
                            *followed += 1;
                            if *followed > LINKS_FOLLOWED {
                                return Err(Errno::LOOP);
                            }
                            chain = self.walk(chain, Utf8Path::new(target.as_ref()), who, followed)?;
                        }
                        Body::Directory(_) => chain.push(next),
                        Body::File(_) | Body::Fifo => return Err(Errno::NOTDIR),
                    }
                }
            }
        }
        Ok(chain)
    }

    /// Counts names anew from what can be reached, and says what this tree looks like in 64 bits.
    ///
    /// The times of directories do not count; neither does what no name leads to.
    pub(super) fn settle(&mut self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut links = vec![0; self.links.len()];
        links[ROOT] = 1;
        let mut waiting = vec![ROOT];
        while let Some(number) = waiting.pop() {
            let inode = &self.inodes[number];
            (number, inode.fingerprint()).hash(&mut hasher);
            let Body::Directory(entries) = &inode.body else { continue };
            for &below in entries.values() {
                links[below] += 1;
                if links[below] == 1 {
                    waiting.push(below);
                }
            }
        }
        self.links = links;
        hasher.finish()
    }

    /// The path of every inode that has one; of several names the first.
    pub(super) fn paths(&self) -> BTreeMap<Number, String> {
        let mut paths = BTreeMap::from([(ROOT, String::new())]);
        let mut waiting = vec![ROOT];
        while let Some(number) = waiting.pop() {
            let Ok(entries) = self.entries(number) else { continue };
            for (name, &below) in entries {
                if !paths.contains_key(&below) {
                    paths.insert(below, format!("{}/{name}", paths[&number]));
                    waiting.push(below);
                }
            }
        }
        paths
    }
}
