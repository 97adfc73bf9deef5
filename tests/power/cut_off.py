"""Cuts a running site off by FS_IOC_SHUTDOWN: the file system itself forgets what it has not written."""

import os
import select
import subprocess

import crash_states
from file_systems import Mounted, shut_down
from recorded_disk import EVENT, LIBC, failed

# A name that appears, goes or is moved away.
CHANGES = 0x40 | 0x80 | 0x100 | 0x200


def run_and_shut_down(bed, wave, changes, bug=None):
    """Asks the site for one wave, and cuts it off after so many changes of its directories.

    Gives the image that is left, the answers that had been seen, and whether the cut came before the daemon ended.
    """
    image = f"{bed.work}/state.img"
    crash_states.copy(bed.base, image)
    with Mounted(bed.system, image, bed.folder):
        for stem, text in wave(bed.site, bed.packages):
            bed.site.drop(stem, text)
        events = watch(bed.site)
        daemon = subprocess.Popen(bed.site.as_daemon("daemon", "--once"), env=bed.site.environment(bug),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while changes > 0 and daemon.poll() is None:
                changes -= heard(events)
            told = bed.site.answers()
            shut_down(bed.folder)
        finally:
            os.close(events)
            daemon.kill()
            daemon.wait()
    return image, told, changes <= 0


def watch(site):
    """An inotify descriptor that hears of every change of the directories that a commit passes."""
    events = LIBC.inotify_init1(os.O_CLOEXEC)
    if events < 0:
        raise failed("make an inotify descriptor")
    places = [f"{site.spool}/{name}" for name in ("incoming", "processing", "done", "failed")]
    places += [f"{site.root}/{name}" for name in ("staging", "generations", "public", "pool", "audit")]
    for place in places:
        if LIBC.inotify_add_watch(events, place.encode(), CHANGES) < 0:
            raise failed(f"watch `{place}`")
    return events


def heard(events):
    """Counts what happened since the last look; waits a moment for it, because the daemon may have ended."""
    ready, _, _ = select.select([events], [], [], 0.2)
    if not ready:
        return 0
    body = os.read(events, 1 << 16)
    at = count = 0
    while at < len(body):
        at += EVENT.size + EVENT.unpack_from(body, at)[3]
        count += 1
    return count
