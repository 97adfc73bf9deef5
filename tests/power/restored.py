"""Going on from a backup: `init --resume` says that a site is published, and nobody has synced what was copied back."""

import os
import shutil

import crash_states
import scenarios
from file_systems import Mounted, run

# The mark that stands for the program having ended with 0.
RESUMED = "resumed.json"


def prepare(bed):
    """An image whose root is gone, beside a backup from before its last generation."""
    image, backup = f"{bed.work}/lost.img", f"{bed.work}/backup"
    crash_states.copy(bed.base, image)
    shutil.rmtree(backup, ignore_errors=True)
    with Mounted(bed.system, image, bed.folder):
        run(["cp", "-a", bed.site.root, backup])
        for wave in scenarios.ALL["import"](bed.site, bed.packages):
            bed.ask(wave, None)
        os.rename(bed.site.root, f"{bed.folder}/lost")
    return image


def script(bug=None):
    """A run in which the backup is copied back and the site goes on."""

    def go_on(bed):
        run(["cp", "-a", f"{bed.work}/backup", bed.site.root])
        bed.site.must(bed.site.as_daemon("init", "--resume"), bug)
        bed.mark(RESUMED)
        bed.go_on()

    return go_on


def look(bed, told):
    """What is wrong after a power cut; before the program has said that it is done, it may be asked again."""
    nobody = bed.place("nobody-was-told")
    wrong = []
    if RESUMED in told:
        wrong = [f"resumed: {line}" for line in bed.check(nobody)]
    else:
        ran = bed.site.run(bed.site.as_daemon("init", "--resume"))
        said = ran.stdout + ran.stderr
        if "panicked" in said or ran.returncode < 0:
            return [f"the next attempt ended with {ran.returncode}: {said}"]
        if ran.returncode != 0:
            # What was copied is damaged: it is said, nothing is published, and the copy must be made again.
            return []
    if not wrong:
        ran = bed.site.work()
        if ran.returncode != 0:
            return [f"the daemon ended with {ran.returncode}: {ran.stdout}{ran.stderr}"]
        wrong = [f"at rest: {line}" for line in bed.check(nobody, "--at-rest")]
    return wrong
