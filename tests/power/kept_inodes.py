"""Runs a command on ext4 without a journal, which then writes inodes in order with the names that lead to them.

    kept_inodes.py FOLDER DISK -- COMMAND...

Without a journal fsync(2) of a directory writes its names, and of the inodes behind them nothing: the name of a new
symlink leads nowhere after a power cut, and nobody can open a symlink to sync it; `README.md` has the few lines that
show it. An inode number that was given away again may even stand on the disk as what it was before. A journal keeps
both from happening. In its place, before each fsync of the command, this process writes out the inodes that have
names, and flushes. Names and bytes it leaves alone: they are kept if they were synced. The kernel asks before each
fsync (seccomp, `SECCOMP_RET_USER_NOTIF`).
"""

import ctypes
import fcntl
import mmap
import os
import select
import socket
import stat
import struct
import sys

from recorded_disk import LIBC, failed

# The numbers of seccomp(2) and fsync(2).
SECCOMP, FSYNC = {"x86_64": (317, 74), "aarch64": (277, 82)}[os.uname().machine]
SET_MODE_FILTER, NEW_LISTENER = 1, 1 << 3
ALLOW, ASK = 0x7FFF0000, 0x7FC00000
RECEIVE, SEND = 0xC0502100, 0xC0182101
GO_ON = 1
# A question: its number, who asks, flags, then the system call: number, architecture, instruction, six arguments.
QUESTION = struct.Struct("<QIIiIQ6Q")
ANSWER = struct.Struct("<QqiI")
WRITE_OUT = 1 | 2 | 4
# A shorter target stands in the inode itself; a longer one in the block that its first extent names.
TARGET_INSIDE, EXTENTS = 60, 0xF30A


class Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def ask_before_fsync():
    """Lets the kernel ask before each fsync of this process; gives the descriptor where it does."""
    instructions = b"".join(struct.pack("<HBBI", *one) for one in (
        (0x20, 0, 0, 0),  # the number of the system call
        (0x15, 0, 1, FSYNC),
        (0x06, 0, 0, ASK),
        (0x06, 0, 0, ALLOW),
    ))
    program = Filter(len(instructions) // 8, instructions)
    listener = LIBC.syscall(SECCOMP, SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(program))
    if listener < 0:
        raise failed("set a filter for system calls")
    return listener


class Inodes:
    """Where the inodes of a mounted ext4 stand on its device, and the file behind that."""

    def __init__(self, folder, disk):
        self.number = os.stat(folder).st_dev
        # Its metadata stands in the page cache of the device, as everybody sees it who opens that.
        self.device = os.open(f"/dev/loop{os.minor(self.number)}", os.O_RDONLY | os.O_CLOEXEC)
        self.disk = os.open(disk, os.O_RDONLY | os.O_CLOEXEC)
        head = os.pread(self.device, 1024, 1024)
        (blocks,) = struct.unpack_from("<I", head, 4)
        (first, exponent), (apart,) = struct.unpack_from("<II", head, 20), struct.unpack_from("<I", head, 32)
        (self.in_group,), (self.size,) = struct.unpack_from("<I", head, 40), struct.unpack_from("<H", head, 88)
        self.block = 1024 << exponent
        described = struct.unpack_from("<H", head, 254)[0] or 32
        groups = os.pread(self.device, described * -(-blocks // apart), (first + 1) * self.block)
        self.tables = [struct.unpack_from("<I", groups, at + 8)[0] * self.block
                       for at in range(0, len(groups), described)]
        self.seen = mmap.mmap(self.device, blocks * self.block, prot=mmap.PROT_READ)

    def is_put_off(self, at):
        """Whether the inode that stands there has lost its last name, and its number was not given away since.

        The name may still be on the disk, as that of a symlink that was replaced. Only a directory is written all the
        same: e2fsck would find in it what its blocks were used for afterwards.
        """
        mode, names = struct.unpack_from("<H24xH", self.seen, at)
        return names == 0 and not stat.S_ISDIR(mode)

    def write_out(self):
        """Writes every inode that is newer in memory, and waits until they stay."""
        for table in self.tables:
            begun, end = table, table + self.in_group * self.size
            for at in range(table, end + 1, self.size):
                if at == end or self.is_put_off(at):
                    if at > begun:
                        self.write_out_bytes(begun, at - begun)
                    begun = at + self.size
        os.fsync(self.disk)

    def write_out_target(self, inode):
        """Writes the target of a symlink, if it is so long that it does not stand in the inode."""
        group, at = divmod(inode - 1, self.in_group)
        stands = os.pread(self.device, self.size, self.tables[group] + at * self.size)
        (length,), (extents,) = struct.unpack_from("<I", stands, 4), struct.unpack_from("<H", stands, 40)
        if length >= TARGET_INSIDE and extents == EXTENTS:
            high, low = struct.unpack_from("<HI", stands, 40 + 12 + 6)
            self.write_out_bytes(((high << 32) | low) * self.block, self.block)

    def write_out_bytes(self, offset, length):
        """Writes what is newer in memory than on the device."""
        if LIBC.sync_file_range(self.device, ctypes.c_int64(offset), ctypes.c_int64(length), WRITE_OUT) != 0:
            raise failed("write out inodes")

    def before_sync(self, path):
        """What happens before this file or directory is synced."""
        state = os.stat(path)
        if state.st_dev != self.number:
            return
        if stat.S_ISDIR(state.st_mode):
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        self.write_out_target(entry.inode())
        self.write_out()


def answer_all(listener, inodes, child):
    """Answers until the command has ended; gives its status."""
    ended = os.pidfd_open(child)
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    waiting.register(ended, select.POLLIN)
    while True:
        ready = dict(waiting.poll())
        if ready.get(listener, 0) & select.POLLIN:
            question = bytearray(QUESTION.size)
            try:
                fcntl.ioctl(listener, RECEIVE, question)
            except FileNotFoundError:  # whoever asked was killed
                continue
            number, asking, *_ = QUESTION.unpack(question)
            try:
                inodes.before_sync(f"/proc/{asking}/fd/{QUESTION.unpack(question)[6]}")
                fcntl.ioctl(listener, SEND, bytearray(ANSWER.pack(number, 0, 0, GO_ON)))
            except FileNotFoundError:
                continue
        elif ended in ready:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        elif listener in ready:
            waiting.unregister(listener)


def main():
    """Starts the command."""
    folder, disk, command = sys.argv[1], sys.argv[2], sys.argv[4:]
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            LIBC.prctl(1, 9)
            socket.send_fds(theirs, [b"l"], [ask_before_fsync()])
            os.execvp(command[0], command)
        except BaseException as error:  # noqa: BLE001: nothing of the parent may run in this process
            sys.stderr.write(f"kept inodes: {error!r}\n")
            os._exit(127)
    theirs.close()
    _, (listener, *_), *_ = socket.recv_fds(ours, 1, 1)
    status = answer_all(listener, Inodes(folder, disk), child)
    # Killed is told as a shell tells it.
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
