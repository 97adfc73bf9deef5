"""One directory tree, walked once: what lies where, of which kind, and with which bytes."""

import dataclasses
import hashlib
import os
import stat

from findings import CannotLook


@dataclasses.dataclass(frozen=True)
class Entry:
    """One name in the tree."""

    kind: str  # "file", "directory", "link" or "other"
    mode: int
    size: int
    mtime_ns: int
    inode: tuple
    names: int
    target: str | None = None

    @property
    def writable(self):
        return self.mode & 0o222 != 0


def kind_of(mode):
    for name, test in (("file", stat.S_ISREG), ("directory", stat.S_ISDIR), ("link", stat.S_ISLNK)):
        if test(mode):
            return name
    return "other"


class Tree:
    """What lies below one directory; symlinks are not followed, unless one wants to see what a web server shows."""

    def __init__(self, top, follow=False):
        self.top = os.fspath(top)
        self.follows = follow
        self.entries = {}
        self.children = {"": []}
        self._digests = {}
        if not os.path.isdir(self.top):
            raise CannotLook(f"`{self.top}` is not a directory")
        self._walk("")

    def _walk(self, below):
        if below.count("/") > 100:
            raise CannotLook(f"`{self.top}` has no end")
        try:
            with os.scandir(os.path.join(self.top, below)) as listing:
                names = sorted(entry.name for entry in listing)
        except FileNotFoundError:
            # a live tree: it went away after its name was read; the top is there, or somebody would have said so
            self.entries.pop(below, None)
            return
        except OSError as error:
            raise CannotLook(f"failed to list `{os.path.join(self.top, below)}`: {error.strerror}") from error
        self.children[below] = names
        for name in names:
            path = f"{below}/{name}" if below else name
            full = os.path.join(self.top, path)
            try:
                state = os.stat(full) if self.follows and os.path.exists(full) else os.lstat(full)
                kind = kind_of(state.st_mode)
                target = os.readlink(full) if kind == "link" else None
            except FileNotFoundError:
                continue  # a live tree: it went away between two calls
            inode = (state.st_dev, state.st_ino)
            mode = stat.S_IMODE(state.st_mode)
            self.entries[path] = Entry(kind, mode, state.st_size, state.st_mtime_ns, inode, state.st_nlink, target)
            if kind == "directory":
                self._walk(path)

    def get(self, path):
        return self.entries.get(path)

    def is_kind(self, path, kind):
        entry = self.entries.get(path)
        return entry is not None and entry.kind == kind

    def names(self, path):
        """The names in a directory, sorted; none if there is no such directory."""
        return self.children.get(path, [])

    def below(self, path):
        """Every path below a directory, in order, with its entry."""
        for name in self.names(path):
            child = f"{path}/{name}" if path else name
            entry = self.entries.get(child)
            if entry is None:
                continue
            yield child, entry
            if entry.kind == "directory":
                yield from self.below(child)

    def read(self, path):
        """The bytes of a regular file; None if there is none."""
        entry = self.entries.get(path)
        if entry is None or entry.kind != "file":
            return None
        try:
            with open(os.path.join(self.top, path), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CannotLook(f"failed to read `{os.path.join(self.top, path)}`: {error.strerror}") from error

    def digest(self, path, algorithm="sha256"):
        """The digest of a regular file in hex, each file hashed once; None if there is none."""
        entry = self.entries.get(path)
        if entry is None or entry.kind != "file":
            return None
        key = (entry.inode, algorithm)
        if key not in self._digests:
            hasher = hashlib.new(algorithm)
            try:
                with open(os.path.join(self.top, path), "rb") as file:
                    while piece := file.read(1 << 20):
                        hasher.update(piece)
            except OSError as error:
                raise CannotLook(f"failed to read `{os.path.join(self.top, path)}`: {error.strerror}") from error
            self._digests[key] = hasher.hexdigest()
        return self._digests[key]

    def follow(self, path):
        """The path without symlinks on its way, or None if it leads out of the tree or to nothing."""
        done, todo = [], path.split("/")
        for _ in range(200):
            if not todo:
                return "/".join(done)
            word = todo.pop(0)
            if word in ("", "."):
                continue
            if word == "..":
                if not done:
                    return None
                done.pop()
                continue
            entry = self.entries.get("/".join([*done, word]))
            if entry is None:
                return None
            if entry.kind != "link":
                done.append(word)
            elif entry.target.startswith("/"):
                return None
            else:
                todo = entry.target.split("/") + todo
        return None
