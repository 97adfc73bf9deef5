"""What a disk may hold when the power goes, rebuilt from the log of a `RecordedDisk`.

A flush promises that everything written before it stays. Of what was written after the last flush a disk with a
volatile cache has kept anything: nothing, a beginning, or any part, in any order, in blocks of 4096 bytes.
"""

import os
import random
import subprocess

from recorded_disk import ENTRY, FLUSHED, TOLD

BLOCK = 4096
BEGIN, END = "begin", "end"


class Log:
    """The log of one run: periods, each ended by a flush."""

    def __init__(self, path):
        # For each period: the blocks written in it, as (offset, bytes), and the names that appeared in it, each
        # with the number of blocks written before.
        self.periods = [([], [])]
        # The periods between the marks: where the run began, and where it was over.
        self.first, self.last = 0, None
        with open(path, "rb") as file:
            data = memoryview(file.read())
        at = 0
        while at < len(data):
            kind, offset, length = ENTRY.unpack_from(data, at)
            at += ENTRY.size
            body = data[at : at + length]
            at += length
            if kind == FLUSHED:
                self.periods.append(([], []))
            elif kind == TOLD:
                self.tell(bytes(body).decode())
            else:
                self.periods[-1][0].extend(blocks(offset, body))

        if self.last is None:
            self.last = len(self.periods) - 1

    def tell(self, name):
        """Takes down a name that appeared, or a mark."""
        if name == BEGIN:
            self.first = len(self.periods) - 1
        elif name == END:
            self.last = len(self.periods) - 1
        elif name.endswith(".json") and not name.startswith("."):
            self.periods[-1][1].append((len(self.periods[-1][0]), name))

    def leave_out_before_told(self):
        """Leaves out what came before the run told anybody anything."""
        telling = [period for period in range(self.first, self.last) if self.periods[period][1]]
        self.first = telling[0] + 1 if telling else self.last

    def told_until(self, period, written):
        """The names that had appeared when that many blocks of that period had been written."""
        names = [name for _, told in self.periods[:period] for _, name in told]
        return names + [name for at, name in self.periods[period][1] if at <= written]


def blocks(offset, body):
    """Cuts one write into what a disk writes in one piece."""
    at = 0
    while at < len(body):
        size = min(len(body) - at, BLOCK - (offset + at) % BLOCK)
        yield offset + at, body[at : at + size]
        at += size


class CrashState:
    """One instant, and which of the blocks written since the last flush the disk had kept."""

    def __init__(self, period, kept, told):
        self.period, self.kept, self.told = period, kept, told

    def key(self):
        """Two states of one key leave the same disk and the same promises."""
        return (self.period, self.kept, tuple(self.told))

    def __str__(self):
        return f"after flush {self.period}, with {len(self.kept)} later blocks, {len(self.told)} names told"


def choose(log, count, seed):
    """Chooses that many different states: instants just before a flush, after an answer, and at random."""
    rng = random.Random(seed)
    first, last = log.first, log.last
    states = {}

    def add(period, kept, written):
        state = CrashState(period, tuple(kept), log.told_until(period, written))
        states.setdefault(state.key(), state)

    # Where somebody has just been told something, and nothing after the last flush is kept: the hardest of all.
    telling = [period for period in range(first, last + 1) if log.periods[period][1]]
    rng.shuffle(telling)
    for period in telling[: count // 4]:
        add(period, (), len(log.periods[period][0]))
    for _ in range(count * 200):
        if len(states) >= count:
            break
        period = rng.randint(first, last)
        written = len(log.periods[period][0])
        ways = rng.randrange(8)
        if ways < 3:
            add(period, (), written)
        elif ways < 5:
            until = rng.randint(0, written)
            add(period, range(until), until)
        else:
            until = rng.randint(0, written)
            share = rng.random()
            add(period, [block for block in range(until) if rng.random() < share], until)
    chosen = list(states.values())
    rng.shuffle(chosen)
    # In the order of time, so that one pass over the log builds them all.
    return sorted(chosen[:count], key=lambda state: state.period)


class Images:
    """Builds the images of states that are asked for in the order of time."""

    def __init__(self, base, log, folder):
        self.log, self.next = log, 0
        self.rolling = os.path.join(folder, "rolling.img")
        self.image = os.path.join(folder, "state.img")
        copy(base, self.rolling)

    def build(self, state):
        """Makes the image of a state; the one before is gone."""
        handle = os.open(self.rolling, os.O_WRONLY)
        while self.next < state.period:
            for offset, body in self.log.periods[self.next][0]:
                os.pwrite(handle, body, offset)
            self.next += 1
        os.close(handle)
        copy(self.rolling, self.image)
        handle = os.open(self.image, os.O_WRONLY)
        written = self.log.periods[state.period][0]
        for block in state.kept:
            offset, body = written[block]
            os.pwrite(handle, body, offset)
        os.close(handle)
        return self.image


def copy(one, other):
    """Copies a sparse file."""
    subprocess.run(["cp", "--sparse=always", one, other], check=True)
