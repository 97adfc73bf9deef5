//! The operations of [`Disk`] on a tree, with what a file system refuses.

use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use rustix::io::Errno;

use super::open_file::OpenFile;
use super::tree::{Body, Inode, Number, Who};
use super::{ForgetfulDisk, Shared, permitted, unpoisoned};
use crate::Error;
use crate::disk::{Disk, Kind, Modified, Names, Reading, State, Writing};

impl Disk for ForgetfulDisk {
    fn create(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error> {
        let number = self.make_file("create", path, mode)?;
        Ok(Box::new(self.file(number, path, Some(0))))
    }

    fn append(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error> {
        let number = match self.regular(path, 2)? {
            Some(number) => number,
            None => self.make_file("open", path, mode)?,
        };
        Ok(Box::new(self.file(number, path, None)))
    }

    fn open(&self, path: &Utf8Path) -> Result<Box<dyn Reading>, Error> {
        let number = self.regular(path, 4)?.ok_or_else(|| Error::disk("open", path, Errno::NOENT))?;
        Ok(Box::new(self.file(number, path, Some(0))))
    }

    fn state(&self, path: &Utf8Path) -> Result<Option<State>, Error> {
        self.read("look at", path, |shared| match shared.volume.live.find(path, self.who) {
            Ok(number) => Ok(Some(shared.volume.live.state(number))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        })
    }

    fn list(&self, dir: &Utf8Path) -> Result<Names, Error> {
        self.read("list", dir, |shared| {
            let live = &shared.volume.live;
            let number = live.find(dir, self.who)?;
            let entries = live.entries(number)?;
            permitted(live.inode(number).allows(self.who, 4))?;
            Ok(Names { names: entries.keys().map(|name| name.to_string()).collect(), odd: Vec::new() })
        })
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Error> {
        self.change("link", to, |shared| {
            let number = shared.volume.live.find(from, self.who)?;
            let place = shared.volume.live.place(to, self.who)?;
            if place.number.is_some() {
                return Err(Errno::EXIST);
            }
            if shared.volume.live.inode(number).kind() == Kind::Directory {
                return Err(Errno::PERM);
            }
            shared.writable(place.directory, self.who)?;
            shared.volume.set_entry(place.directory, place.name, Some(number));
            Ok(())
        })
    }

    fn symlink(&self, target: &str, at: &Utf8Path) -> Result<(), Error> {
        let target: Arc<str> = target.into();
        self.change("symlink", at, |shared| {
            shared.make(at, self.who, |now, who| Inode::new(Body::Link(target), 0o777, who, now)).map(drop)
        })
    }

    fn read_link(&self, at: &Utf8Path) -> Result<String, Error> {
        self.read("read link", at, |shared| {
            match &shared.volume.live.inode(shared.volume.live.find(at, self.who)?).body {
                Body::Link(target) => Ok(target.to_string()),
                _ => Err(Errno::INVAL),
            }
        })
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Error> {
        self.change("rename", from, |shared| shared.rename(from, to, self.who))
    }

    fn exchange(&self, one: &Utf8Path, other: &Utf8Path) -> Result<(), Error> {
        if !self.shared().volume.live.exchanges {
            return Err(Error::disk("exchange", one, std::io::ErrorKind::Unsupported));
        }
        self.change("exchange", one, |shared| shared.exchange(one, other, self.who))
    }

    fn make_directory(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        self.change("make directory", path, |shared| {
            let body = Body::Directory(Default::default());
            // As with mkdir and chmod: the mode is a second change, durable when the directory itself is synced.
            let number = shared.make(path, self.who, |now, who| Inode::new(body, 0o700, who, now))?;
            shared.set_mode(number, mode);
            Ok(())
        })
    }

    fn remove_file(&self, path: &Utf8Path) -> Result<(), Error> {
        self.change("remove file", path, |shared| {
            let place = shared.volume.live.place(path, self.who)?;
            let number = place.number.ok_or(Errno::NOENT)?;
            shared.removable(place.directory, number, self.who)?;
            if shared.volume.live.inode(number).kind() == Kind::Directory {
                return Err(Errno::ISDIR);
            }
            shared.volume.set_entry(place.directory, place.name, None);
            Ok(())
        })
    }

    fn remove_directory(&self, path: &Utf8Path) -> Result<(), Error> {
        self.change("remove directory", path, |shared| {
            let place = shared.volume.live.place(path, self.who)?;
            let number = place.number.ok_or(Errno::NOENT)?;
            shared.removable(place.directory, number, self.who)?;
            if !shared.volume.live.entries(number)?.is_empty() {
                return Err(Errno::NOTEMPTY);
            }
            shared.volume.set_entry(place.directory, place.name, None);
            Ok(())
        })
    }

    fn set_mode(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        self.change("set mode", path, |shared| {
            let number = shared.volume.live.find(path, self.who)?;
            shared.owned(number, self.who)?;
            if shared.volume.live.inode(number).kind() == Kind::Link {
                return Err(Errno::LOOP);
            }
            // The real disk sets the mode of what it opened.
            permitted(shared.volume.live.inode(number).allows(self.who, 4))?;
            shared.set_mode(number, mode);
            Ok(())
        })
    }

    fn sync_directory(&self, path: &Utf8Path) -> Result<(), Error> {
        let spoil = |shared: &mut Shared| {
            if let Ok(number) = shared.volume.live.find(path, self.who) {
                shared.volume.sync_failed(number);
            }
        };
        let sync = |shared: &mut Shared| {
            let live = &shared.volume.live;
            let number = live.find(path, self.who)?;
            live.entries(number)?;
            permitted(live.inode(number).allows(self.who, 4))?;
            shared.volume.sync_directory(number);
            Ok(())
        };
        self.change_or("sync directory", path, spoil, sync)
    }

    fn sync_file_system(&self, dir: &Utf8Path) -> Result<(), Error> {
        self.change("sync the file system of", dir, |shared| {
            let number = shared.volume.live.find(dir, self.who)?;
            shared.volume.live.entries(number)?;
            shared.volume.sync_all();
            Ok(())
        })
    }

    fn lock(&self, dir: &Utf8Path) -> Result<Option<Box<dyn Send + Sync>>, Error> {
        let number = self.read("lock", dir, |shared| {
            let number = shared.volume.live.find(dir, self.who)?;
            shared.volume.live.entries(number)?;
            permitted(shared.volume.live.inode(number).allows(self.who, 4))?;
            Ok(number)
        })?;
        if !self.shared().locks.insert(number) {
            return Ok(None);
        }
        Ok(Some(Box::new(Held { shared: Arc::clone(&self.shared), number })))
    }
}

impl ForgetfulDisk {
    /// Opens what is a regular file, with the rights `wanted`.
    fn regular(&self, path: &Utf8Path, wanted: u32) -> Result<Option<Number>, Error> {
        let (number, kind) =
            self.read("open", path, |shared| match shared.volume.live.find(path, self.who) {
                Ok(number) => Ok((Some(number), shared.volume.live.inode(number).kind())),
                Err(Errno::NOENT) => Ok((None, Kind::File)),
                Err(errno) => Err(errno),
            })?;
        let what = match kind {
            Kind::File => None,
            Kind::Directory => Some("a directory"),
            Kind::Link => Some("a symlink"),
            Kind::Other => Some("a FIFO, a socket or a device"),
        };
        if let Some(what) = what {
            return Err(Error::NotRegular { path: path.to_owned(), what });
        }
        if let Some(number) = number {
            self.read("open", path, |shared| {
                permitted(shared.volume.live.inode(number).allows(self.who, wanted))
            })?;
        }
        Ok(number)
    }

    fn file(&self, number: Number, path: &Utf8Path, at: Option<usize>) -> OpenFile {
        let disk = ForgetfulDisk { shared: Arc::clone(&self.shared), who: self.who };
        OpenFile { disk, number, path: path.to_owned(), at }
    }

    fn make_file(&self, operation: &'static str, path: &Utf8Path, mode: u32) -> Result<Number, Error> {
        self.change(operation, path, |shared| {
            shared.make(path, self.who, |now, who| Inode::new(Body::File(Arc::default()), mode, who, now))
        })
    }
}

impl Shared {
    /// Makes a new name for a new inode.
    pub(super) fn make(
        &mut self,
        path: &Utf8Path,
        who: Who,
        inode: impl FnOnce(Modified, Who) -> Inode,
    ) -> Result<Number, Errno> {
        let place = self.volume.live.place(path, who)?;
        if place.number.is_some() {
            return Err(Errno::EXIST);
        }
        self.writable(place.directory, who)?;
        let parent = self.volume.live.inode(place.directory);
        let gid = if parent.mode & 0o2000 != 0 { parent.gid } else { who.gid };
        let number = self.volume.add(inode(self.now, Who { uid: who.uid, gid }));
        self.volume.set_entry(place.directory, place.name, Some(number));
        Ok(number)
    }

    /// Whether `who` may change the names in `directory`.
    fn writable(&self, directory: Number, who: Who) -> Result<(), Errno> {
        permitted(self.volume.live.inode(directory).allows(who, 3))
    }

    /// Whether `who` may take a name away from `number` in `directory`.
    fn removable(&self, directory: Number, number: Number, who: Who) -> Result<(), Errno> {
        self.writable(directory, who)?;
        let (parent, inode) = (self.volume.live.inode(directory), self.volume.live.inode(number));
        let mine = who.uid == 0 || who.uid == parent.uid || who.uid == inode.uid;
        if parent.mode & 0o1000 != 0 && !mine { Err(Errno::PERM) } else { Ok(()) }
    }

    fn set_mode(&mut self, number: Number, mode: u32) {
        if self.volume.live.inode(number).mode != mode & 0o7777 {
            self.volume.live.inode_mut(number).mode = mode & 0o7777;
            self.volume.attributes_changed(number);
        }
    }

    fn owned(&self, number: Number, who: Who) -> Result<(), Errno> {
        if who.uid == 0 || who.uid == self.volume.live.inode(number).uid { Ok(()) } else { Err(Errno::PERM) }
    }

    fn rename(&mut self, from: &Utf8Path, to: &Utf8Path, who: Who) -> Result<(), Errno> {
        let live = &self.volume.live;
        let (old, new) = (live.place(from, who)?, live.place(to, who)?);
        let moved = old.number.ok_or(Errno::NOENT)?;
        self.removable(old.directory, moved, who)?;
        self.writable(new.directory, who)?;
        if new.number == Some(moved) {
            return Ok(());
        }
        let is_directory = live.inode(moved).kind() == Kind::Directory;
        if is_directory && old.directory != new.directory {
            let unwritable = live.inode(moved).mode & 0o200 == 0;
            permitted(!unwritable && live.inode(moved).allows(who, 2))?;
        }
        if is_directory && to.starts_with(from) {
            return Err(Errno::INVAL);
        }
        if let Some(over) = new.number {
            self.removable(new.directory, over, who)?;
            match (is_directory, live.inode(over).kind()) {
                (true, Kind::Directory) if live.entries(over)?.is_empty() => {}
                (true, Kind::Directory) => return Err(Errno::NOTEMPTY),
                (true, _) => return Err(Errno::NOTDIR),
                (false, Kind::Directory) => return Err(Errno::ISDIR),
                (false, _) => {}
            }
        }
        self.volume.rename((old.directory, old.name), (new.directory, new.name), moved);
        Ok(())
    }
}

impl Shared {
    fn exchange(&mut self, one: &Utf8Path, other: &Utf8Path, who: Who) -> Result<(), Errno> {
        let live = &self.volume.live;
        let (here, there) = (live.place(one, who)?, live.place(other, who)?);
        let (first, second) = (here.number.ok_or(Errno::NOENT)?, there.number.ok_or(Errno::NOENT)?);
        for (directory, number) in [(here.directory, first), (there.directory, second)] {
            self.removable(directory, number, who)?;
            if live.inode(number).kind() == Kind::Directory && here.directory != there.directory {
                permitted(live.inode(number).mode & 0o200 != 0 && live.inode(number).allows(who, 2))?;
            }
        }
        if first == second {
            return Ok(());
        }
        if one.starts_with(other) || other.starts_with(one) {
            return Err(Errno::INVAL);
        }
        self.volume.exchange((here.directory, here.name, first), (there.directory, there.name, second));
        Ok(())
    }
}

struct Held {
    shared: Arc<Mutex<Shared>>,
    number: Number,
}

impl Drop for Held {
    fn drop(&mut self) {
        unpoisoned(&self.shared).locks.remove(&self.number);
    }
}
