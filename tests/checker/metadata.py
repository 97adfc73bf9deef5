"""I4: whatever a repomd.xml names is there, inside the repository, with the right sizes and checksums."""

import bz2
import dataclasses
import gzip
import hashlib
import lzma
import re
import subprocess
import xml.etree.ElementTree as ElementTree
import zlib

from findings import CannotLook

REPO = "{http://linux.duke.edu/metadata/repo}"
NEEDED = ("primary", "filelists", "other")
OPEN_MAX = 1 << 30
# The word in the form of a repository whose lists state no checksum of what they unfold to.
NO_OPEN_CHECKSUMS = "no-open-checksums"
PACKED = (".gz", ".bz2", ".xz", ".zst")


class Unsound(Exception):
    """Metadata that is not what it must be."""


@dataclasses.dataclass
class Record:
    """One `<data>` of a repomd.xml, with the file it names unpacked."""

    kind: str
    href: str
    checksum: tuple
    timestamp: int | None
    open: bytes = b""
    states_opened: bool = True


@dataclasses.dataclass
class Repomd:
    """A repomd.xml that was read."""

    revision: str
    records: dict


def hasher(name):
    return hashlib.new({"sha": "sha1"}.get(name, name))


def digest(name, data):
    try:
        made = hasher(name)
    except ValueError as error:
        raise Unsound(f"nobody knows the checksum type `{name}`") from error
    made.update(data)
    return made.hexdigest()


def unpack(href, data):
    """Unpacks a metadata file by its beginning; members and frames that follow each other are one file."""
    try:
        if data.startswith(b"\x1f\x8b"):
            opened = gzip.decompress(data)
        elif data.startswith(b"BZh"):
            opened = bz2.decompress(data)
        elif data.startswith(b"\xfd7zXZ\x00"):
            opened = lzma.decompress(data)
        elif data.startswith(b"\x28\xb5\x2f\xfd"):
            opened = zstd(data)
        else:
            return data
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise Unsound(f"`{href}` cannot be unpacked: {error}") from error
    if len(opened) > OPEN_MAX:
        raise Unsound(f"`{href}` unfolds to {len(opened)} bytes")
    return opened


def zstd(data):
    try:
        ran = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise CannotLook("the program `zstd` is missing") from error
    if ran.returncode != 0:
        raise ValueError(ran.stderr.decode(errors="replace").strip())
    return ran.stdout


def xml(data, what):
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Unsound(f"{what} declares entities")
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise Unsound(f"{what} is not XML: {error}") from error


def whole_number(element, what):
    text = (element.text or "").strip() if element is not None else ""
    if not re.match(r"[0-9]+\Z", text):
        raise Unsound(f"{what} is not a number")
    return int(text)


def states_opened(shelved):
    """Whether the form a repository is on record with has checksums of what its lists unfold to."""
    return NO_OPEN_CHECKSUMS not in (shelved.get("form") or "").split(" ")


def read(repomd, fetch, wrong, opened=True):
    """Reads a repomd.xml and everything it names.

    `fetch` gives the bytes of an href or None. Each thing that is wrong goes to `wrong`; what is so wrong that
    nothing can be said about the packages raises `Unsound`. `opened` says whether the lists state the checksums of what
    they unfold to; where nobody knows, it is None, and all of them do or none does.
    """
    top = xml(repomd, "repomd.xml")
    if top.tag != f"{REPO}repomd":
        raise Unsound("repomd.xml is something else")
    revision = (top.findtext(f"{REPO}revision") or "").strip()
    if not revision.isdigit():
        wrong(f"its revision is `{revision}`")
    records = {}
    for data in top.findall(f"{REPO}data"):
        kind = data.get("type", "")
        if kind in records:
            wrong(f"there are two records of type `{kind}`")
        try:
            records[kind] = record(kind, data, fetch, wrong)
        except Unsound as error:
            wrong(str(error))
            records[kind] = None
    for kind in NEEDED:
        if kind not in records:
            wrong(f"there is no record of type `{kind}`")
    states = {kind: records[kind].states_opened for kind in NEEDED if records.get(kind) is not None}
    for kind, stated in states.items():
        if not stated and (any(states.values()) if opened is None else opened):
            wrong(f"`{records[kind].href}` has no open checksum")
        elif stated and opened is False:
            wrong(f"`{records[kind].href}` has an open checksum, and its form is on record without them")
    if any(records.get(kind) is None for kind in NEEDED):
        raise Unsound("its packages cannot be read")
    return Repomd(revision, records)


def record(kind, data, fetch, wrong):
    location, stated = data.find(f"{REPO}location"), data.find(f"{REPO}checksum")
    href = location.get("href", "") if location is not None else ""
    if any(name.endswith("base") for name in (location.keys() if location is not None else ())):
        wrong(f"`{kind}` has a base of its own")
    leaves = href.startswith("/") or ":" in href.split("/")[0] or ".." in href.split("/")
    if not href or leaves:
        raise Unsound(f"the href `{href}` of `{kind}` leads out of the repository")
    if stated is None:
        raise Unsound(f"`{href}` has no checksum")
    checksum = (stated.get("type", ""), (stated.text or "").strip())
    if not checksum[1] or checksum[1] not in href.rsplit("/", 1)[-1]:
        wrong(f"the name `{href}` does not contain its checksum")
    packed = fetch(href)
    if packed is None:
        raise Unsound(f"`{href}` is named and not there")
    if digest(checksum[0], packed) != checksum[1]:
        wrong(f"`{href}` has not the checksum that is stated")
    size = data.find(f"{REPO}size")
    if (size is not None or kind in NEEDED) and whole_number(size, f"the size of `{href}`") != len(packed):
        wrong(f"`{href}` has {len(packed)} bytes, not the size that is stated")
    opened = unpack(href, packed)
    open_size, open_stated = data.find(f"{REPO}open-size"), data.find(f"{REPO}open-checksum")
    must = kind in NEEDED or kind.endswith("_db")
    if open_size is not None or must:
        if whole_number(open_size, f"the open size of `{href}`") != len(opened):
            wrong(f"`{href}` unfolds to {len(opened)} bytes, not the open size that is stated")
    if open_stated is None:
        if must and kind not in NEEDED:
            wrong(f"`{href}` has no open checksum")
    elif digest(open_stated.get("type", ""), opened) != (open_stated.text or "").strip():
        wrong(f"`{href}` has not the open checksum that is stated")
    stamp = data.find(f"{REPO}timestamp")
    timestamp = whole_number(stamp, f"the timestamp of `{href}`") if stamp is not None else None
    return Record(kind, href, checksum, timestamp, opened, open_stated is not None)
