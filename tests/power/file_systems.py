"""The file systems that are cut off: how each is made, mounted, cut off while it runs, and looked over."""

import fcntl
import os
import shutil
import struct
import subprocess
import sys

from recorded_disk import unmount

# What FS_IOC_SHUTDOWN does with the journal. NOLOGFLUSH loses what is not on the disk yet, as a power cut does.
SHUTDOWN = 0x8004587D
LOG_FLUSH, NO_LOG_FLUSH = 1, 2

MEBIBYTE = 1 << 20
KEPT_INODES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kept_inodes.py")
# e2fsck clones blocks into inodes that it has not seen yet if a group may say that the end of its table is unused.
NO_JOURNAL = ["-O", "^has_journal,^metadata_csum,^uninit_bg", "-b", "4096", "-I", "4096", "-N", "2048",
              "-E", "lazy_itable_init=0"]


class FileSystem:
    """One kind of file system with its options."""

    def __init__(self, name, kind, size, make, options, look, can_shut_down, repair=None):
        self.name, self.kind, self.size = name, kind, size
        self.make, self.options, self.look = make, options, look
        self.can_shut_down, self.repair = can_shut_down, repair

    def tools(self):
        """The programs it needs."""
        return [self.make[0], self.look[0]]

    def create(self, image):
        """Makes an empty one in a sparse file."""
        with open(image, "wb") as file:
            file.truncate(self.size)
        run([*self.make, image])

    def around(self, folder, disk):
        """What starts a program on it."""
        return [sys.executable, KEPT_INODES, folder, disk, "--"] if self.repair else []

    def recover(self, image):
        """Does what somebody has to do after a power cut, where mounting it does not do that."""
        if self.repair:
            ran = subprocess.run([*self.repair, image], capture_output=True, text=True, check=False)
            # Bits 1 and 2 say that something was mended.
            if ran.returncode & ~3:
                raise RuntimeError(f"{' '.join(self.repair)} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")

    def mount(self, image, folder):
        """Mounts an image through a loop device that goes away with the mount."""
        if self.kind == "btrfs":
            # It remembers devices by their number; another state of the same one must not be taken for it.
            subprocess.run(["btrfs", "device", "scan", "--forget"], capture_output=True, check=False)
        run(["mount", "-t", self.kind, "-o", f"loop,{self.options}", image, folder])
        if self.repair:
            self.empty_what_was_found(folder)

    @staticmethod
    def empty_what_was_found(folder):
        """Removes what has lost its name, as whoever looks after the machine does when nothing of it is missed."""
        found = f"{folder}/lost+found"
        for name in os.listdir(found):
            path = f"{found}/{name}"
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)

    def check(self, image):
        """Gives what its own checker says is wrong with an image that is not mounted, or nothing."""
        ran = subprocess.run([*self.look, image], capture_output=True, text=True, check=False)
        return None if ran.returncode == 0 else f"{' '.join(self.look)}: {ran.stdout}{ran.stderr}"


# Commits that nobody asked for are put off, so that only what is synced is kept: nothing else shows a missing sync.
ALL = [
    FileSystem("ext4-ordered", "ext4", 96 * MEBIBYTE, ["mkfs.ext4", "-q", "-F"],
               "data=ordered,commit=900", ["e2fsck", "-fn"], True),
    FileSystem("ext4-writeback", "ext4", 96 * MEBIBYTE, ["mkfs.ext4", "-q", "-F"],
               "data=writeback,commit=900", ["e2fsck", "-fn"], True),
    FileSystem("xfs", "xfs", 300 * MEBIBYTE, ["mkfs.xfs", "-q", "-f"], "attr2", ["xfs_repair", "-n"], True),
    FileSystem("btrfs", "btrfs", 256 * MEBIBYTE, ["mkfs.btrfs", "-q", "-f"],
               "commit=300", ["btrfs", "check", "--readonly"], False),
    # Nothing commits anything here: names stay if their directory was synced, and for no other reason. Each inode has a
    # block of its own, so that none is written along with another.
    FileSystem("ext4-no-journal", "ext4", 96 * MEBIBYTE, ["mkfs.ext4", "-q", "-F", *NO_JOURNAL],
               "defaults", ["e2fsck", "-fn"], False, ["e2fsck", "-fy"]),
]


def named(name):
    """The file system of that name."""
    return next(system for system in ALL if system.name == name)


def run(command, **more):
    """Runs a program that must succeed."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def shut_down(folder):
    """Cuts a mounted file system off from its disk, as a power cut would."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(handle)


class Mounted:
    """An image while it is mounted."""

    def __init__(self, system, image, folder):
        self.folder = folder
        system.mount(image, folder)

    def __enter__(self):
        return self.folder

    def __exit__(self, *_):
        unmount(self.folder)
