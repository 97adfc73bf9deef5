"""Repodata of a plain directory: `sluice createrepo` promises the old set or the new one, whole."""

import gzip
import hashlib
import os
import shutil
import xml.etree.ElementTree as tree

REPO = "{http://linux.duke.edu/metadata/repo}"
COMMON = "{http://linux.duke.edu/metadata/common}"
# The mark that stands for the program having ended with 0.
INDEXED = "indexed.json"
# What somebody else put beside the index, as repoview does; it stays where it is.
NOTE, WORDS = "repodata/repoview/index.html", b"<h1>plain</h1>\n"


def prepare(bed):
    """A directory with two packages and their repodata."""
    folder = f"{bed.folder}/plain"
    os.mkdir(folder)
    for name in ("alpha", "beta"):
        shutil.copy(f"{bed.packages}/{name}.rpm", folder)
    bed.site.must([bed.site.program, "createrepo", folder])
    os.mkdir(os.path.dirname(f"{folder}/{NOTE}"))
    bed.site.write(f"{folder}/{NOTE}", WORDS)


def script(bug=None):
    """A run in which a package is added and the repodata made anew."""

    def run(bed):
        with open(f"{bed.packages}/gamma.rpm", "rb") as file:
            bed.site.write(f"{bed.folder}/plain/gamma.rpm", file.read())
        bed.site.must([bed.site.program, "createrepo", f"{bed.folder}/plain"], bug)
        bed.mark(INDEXED)
        bed.go_on()

    return run


def look(bed, told):
    """What is wrong with the directory after a power cut, and after the next run."""
    folder = f"{bed.folder}/plain"
    old, new = ["alpha", "beta"], ["alpha", "beta", "gamma"]
    listed, wrong = read(folder)
    if not wrong and listed not in (old, new):
        wrong = [f"I4 {folder}: it lists {listed}"]
    if not wrong and INDEXED in told and listed != new:
        wrong = [f"I16 {folder}: the program had ended with 0, and the old repodata is back"]
    if wrong:
        return wrong
    ran = bed.site.run([bed.site.program, "createrepo", folder])
    if ran.returncode != 0:
        return [f"the next run ended with {ran.returncode}: {ran.stderr}"]
    listed, wrong = read(folder)
    left = sorted(set(os.listdir(folder)) - {"alpha.rpm", "beta.rpm", "gamma.rpm", "repodata"})
    if left:
        wrong.append(f"I22 {folder}: {left} lies about after the next run")
    return wrong or ([] if listed == new or "gamma.rpm" not in os.listdir(folder) else [f"I4 {folder}: {listed}"])


def read(folder):
    """The names that the repodata lists, and what is wrong with it."""
    names, wrong = [], []
    try:
        index = tree.parse(f"{folder}/repodata/repomd.xml").getroot()
        for record in index.iter(f"{REPO}data"):
            path = os.path.join(folder, record.find(f"{REPO}location").get("href"))
            with open(path, "rb") as file:
                body = file.read()
            checksum = record.find(f"{REPO}checksum")
            if hashlib.new(checksum.get("type"), body).hexdigest() != checksum.text:
                wrong.append(f"I4 {path}: its checksum is not what repomd.xml says")
            elif record.get("type") == "primary":
                primary = tree.fromstring(gzip.decompress(body))
                names = sorted(name.text for name in primary.iter(f"{COMMON}name"))
        if not names:
            wrong.append(f"I4 {folder}: it lists nothing")
        with open(f"{folder}/{NOTE}", "rb") as file:
            if file.read() != WORDS:
                wrong.append(f"I4 {folder}/{NOTE}: it is not what somebody put there")
    except (OSError, tree.ParseError, AttributeError) as error:
        wrong.append(f"I4 {folder}: {error}")
    return names, wrong
