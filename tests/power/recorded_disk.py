"""A disk that writes down everything it is told: one file served over /dev/fuse, for a loop device to stand on.

The kernel turns what a file system sends to the loop device into WRITE and FSYNC requests of this file. Each is put
into a log in the order in which it came, with its bytes. From the log `crash_states` rebuilds what a disk with a
volatile cache may hold when the power goes: all that came before a flush, and any part of what came after it.

What people can see at an instant stands in the same log: before each entry the queue of an inotify descriptor is
emptied. The kernel puts an event there within the call that makes an answer visible, so the log says for each answer
between which two writes it was told.
"""

import ctypes
import os
import signal
import stat
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)

FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE = 2, 3, 4, 14, 15, 16, 17, 18
FSYNC, FLUSH, INIT, INTERRUPT, DESTROY, BATCH_FORGET = 20, 25, 26, 36, 38, 42

ASYNC_READ, BIG_WRITES, MAX_PAGES = 1 << 0, 1 << 5, 1 << 22
PAGES = 256
WRITE_MAX = PAGES * 4096
UNKNOWN_OPERATION = 38
NEW_MOUNTS, DETACH = 0x20000, 2

# One entry of the log: what it is, where it goes, how many bytes follow.
ENTRY = struct.Struct("<cQI")
WRITTEN, FLUSHED, TOLD = b"W", b"F", b"T"
# One event of inotify: watch, mask, cookie, length of the name that follows.
EVENT = struct.Struct("iIII")

HEADER = struct.Struct("<IIQQIIIHH")
REPLY = struct.Struct("<IiQ")


def failed(what):
    """The exception for a call of libc that gave -1."""
    number = ctypes.get_errno()
    return OSError(number, f"failed to {what}: {os.strerror(number)}")


def mount(source, target, kind, flags=0, options=""):
    """mount(2)."""
    if LIBC.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()) != 0:
        raise failed(f"mount `{target}`")


def unmount(target, flags=0):
    """umount2(2)."""
    if LIBC.umount2(target.encode(), flags) != 0:
        raise failed(f"unmount `{target}`")


class RecordedDisk:
    """Serves `image` at `path` (both files), and appends to `log` until it is unmounted."""

    def __init__(self, image, path, log):
        self.image, self.path, self.log = image, path, log
        self.events = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.events < 0:
            raise failed("make an inotify descriptor")
        with open(path, "wb"):
            pass
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        mount("recorded", path, "fuse", 0, f"fd={device},rootmode=100600,user_id=0,group_id=0")
        self.server = os.fork()
        if self.server == 0:
            status = 1
            try:
                # It ends when the disk is unmounted, or with whoever started it.
                LIBC.prctl(1, signal.SIGKILL)
                # Without what is mounted on the disk: were this the last process that sees it, it would unmount it
                # as it dies, and wait for its own answers.
                if LIBC.unshare(NEW_MOUNTS) != 0:
                    raise failed("make a mount namespace")
                unmount(path, DETACH)
                Serving(image, log, device, self.events).run()
                status = 0
            except BaseException as error:  # noqa: BLE001: nothing of the parent may run in this process
                sys.stderr.write(f"recorded disk: {error!r}\n")
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(device)

    def watch(self, folder):
        """Takes down every name that appears in this folder from now on."""
        moved_to, created = 0x80, 0x100
        if LIBC.inotify_add_watch(self.events, folder.encode(), moved_to | created) < 0:
            raise failed(f"watch `{folder}`")

    def close(self):
        """Unmounts it; the log is whole afterwards."""
        os.close(self.events)
        unmount(self.path)
        _, status = os.waitpid(self.server, 0)
        if status != 0:
            raise RuntimeError(f"the recorded disk ended with {status}")


class Serving:
    """The side of /dev/fuse; one request at a time, so that the log has an order."""

    def __init__(self, image, log, device, events):
        self.file = os.open(image, os.O_RDWR)
        self.size = os.fstat(self.file).st_size
        self.log = open(log, "wb", buffering=1 << 20)
        self.device, self.events = device, events

    def run(self):
        """Answers until the file is unmounted."""
        while True:
            try:
                request = os.read(self.device, WRITE_MAX + 4096)
            except OSError as error:
                if error.errno in (2, 4):  # interrupted before it was read
                    continue
                if error.errno == 19:  # unmounted
                    break
                raise
            _, operation, unique, *_ = HEADER.unpack_from(request)
            if operation in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            body = self.answer(operation, memoryview(request)[HEADER.size :])
            error = 0 if body is not None else -UNKNOWN_OPERATION
            body = body or b""
            try:
                os.write(self.device, REPLY.pack(REPLY.size + len(body), error, unique) + body)
            except FileNotFoundError:
                # Whoever asked was interrupted and waits no more.
                pass
        self.told()
        self.log.close()

    def answer(self, operation, body):
        """Gives what the kernel asked for; nothing at all for what is not known here."""
        if operation == INIT:
            major, minor, ahead, flags = struct.unpack_from("<IIII", body)
            flags &= ASYNC_READ | BIG_WRITES | MAX_PAGES
            return struct.pack("<IIIIHHIIHH32x", major, minor, ahead, flags, 16, 12, WRITE_MAX, 1, PAGES, 0)
        if operation in (GETATTR, SETATTR):
            return struct.pack("<QIIQQQQQQ10I", 3600, 0, 0, 1, self.size, self.size // 512, 0, 0, 0, 0, 0, 0,
                               stat.S_IFREG | 0o600, 1, 0, 0, 0, 4096, 0)
        if operation == OPEN:
            return struct.pack("<QII", 0, 0, 0)
        if operation == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return os.pread(self.file, size, offset)
        if operation == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            data = body[40 : 40 + size]
            self.note(WRITTEN, offset, data)
            os.pwrite(self.file, data, offset)
            return struct.pack("<II", size, 0)
        if operation == FSYNC:
            self.note(FLUSHED, 0, b"")
            return b""
        if operation in (FLUSH, RELEASE, DESTROY):
            return b""
        if operation == STATFS:
            return struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0)
        return None

    def note(self, kind, offset, data):
        """Appends one entry, after what could be seen before it."""
        self.told()
        self.log.write(ENTRY.pack(kind, offset, len(data)))
        self.log.write(data)

    def told(self):
        """Appends the names that have appeared since the last entry."""
        try:
            events = os.read(self.events, 1 << 16)
        except BlockingIOError:
            return
        at = 0
        while at < len(events):
            _, _, _, length = EVENT.unpack_from(events, at)
            at += EVENT.size
            name = events[at : at + length].rstrip(b"\0")
            at += length
            self.log.write(ENTRY.pack(TOLD, 0, len(name)))
            self.log.write(name)
