"""Says what rpm itself reads in packages: paths on standard input, one JSON object a line on standard output."""

import json
import os
import sys

import rpm

COMPARISON = rpm.RPMSENSE_LESS | rpm.RPMSENSE_GREATER | rpm.RPMSENSE_EQUAL


def text(value):
    """UTF-8, or Latin-1 without its control characters where it is none, as metadata has it."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return bytes(byte for byte in raw if not 0x80 <= byte < 0xC0).decode("latin-1")


def rows(header, kind):
    names, flags, versions = (header[f"{kind}{part}"] for part in ("NAME", "FLAGS", "VERSION"))
    return [[text(n), f & COMPARISON, text(v)] for n, f, v in zip(names, flags, versions)]


def reading(path):
    transaction = rpm.TransactionSet()
    transaction.setVSFlags(rpm._RPMVSF_NOSIGNATURES | rpm._RPMVSF_NODIGESTS)
    handle = os.open(path, os.O_RDONLY)
    try:
        header = transaction.hdrFromFdno(handle)
    finally:
        os.close(handle)
    arch = "src" if header.isSource() else text(header["ARCH"])
    name, version, release = (header[tag] for tag in ("NAME", "VERSION", "RELEASE"))
    parts = [name, header["EPOCH"] or 0, version, release, arch]
    return {"nevra": parts, "provides": rows(header, "PROVIDE"), "requires": rows(header, "REQUIRE")}


rpm.setLogFile(open(os.devnull, "w"))
for line in sys.stdin:
    try:
        said = reading(line.rstrip("\n"))
    except Exception as error:
        said = {"refused": f"{type(error).__name__}: {error}"}
    # A name that is no UTF-8 must not be taken for one that is.
    print(json.dumps(said).replace("\\udc", "\\ufd"), flush=True)
