"""Runs in which the program is killed as it asks for a sync, started again, and only then loses its power.

A killed program leaves in the page cache what no disk has: a recovery that believes what it sees, and tells people,
lies when the power goes after all.
"""

import os
import re

import crash_states

SYNC = re.compile(r"fsync\(\d+<([^>]*)>")


def syncs(bed, wave):
    """The paths that the daemon syncs while it does a wave, in order."""
    trace = f"{bed.work}/trace"
    script = asked(wave)
    found = []

    def traced(bed):
        script(bed)
        before = ["strace", "-f", "-y", "-qq", "-e", "trace=fsync", "-o", trace]
        bed.site.must(bed.site.as_daemon("daemon", "--once", before=before))

    with open(trace, "wb"):
        os.chmod(trace, 0o666)
    bed.record(bed.base, traced)
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            found += SYNC.findall(line)
    return found


def asked(wave):
    """Drops the requests of a wave, and no more."""

    def script(bed):
        for stem, text in wave(bed.site, bed.packages):
            bed.site.drop(stem, text)

    return script


def killed_at(wave, ordinal, bug=None):
    """A run whose daemon is killed before that sync, and then started again; the power goes after that.

    A bug is planted in the second daemon only: with it the first would ask for other syncs.
    """
    drop = asked(wave)

    def script(bed):
        drop(bed)
        inject = ["-e", "trace=fsync", "-e", f"inject=fsync:signal=KILL:when={ordinal}"]
        before = ["strace", "-f", "-qq", "-o", "/dev/null", *inject]
        bed.site.run(bed.site.as_daemon("daemon", "--once", before=before))
        bed.mark(crash_states.BEGIN)
        bed.must_work(bug)

    return script
