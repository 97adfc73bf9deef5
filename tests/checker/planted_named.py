"""Planted violations of what stands beside packages: I6."""

import re
import xml.etree.ElementTree as ElementTree

from forge import REPO, later_by, sha256
from planted import plant

RETURNED = "returned-el9-x86_64-delta"
MODULE = """---
document: modulemd
version: 2
data:
  name: m
  stream: "1"
  version: 1
  context: c
  arch: x86_64
  artifacts:
    rpms:
    - holder-0:9-1.noarch
    - twin-0:9-1.noarch
"""


def later(copy):
    """Dates the repository a second later, as what changes is."""
    seconds = 1 + copy.at(f"public/@{copy.current}/generation").stat().st_mtime_ns // 10**9
    path = f"public/@{copy.current}/{copy.path_of(RETURNED)}/repodata/repomd.xml"
    copy.replace(path, later_by(seconds)(copy.read(path).decode()).encode(), seconds * 10**9)
    copy.seal(copy.current)


def rename(copy, old, new):
    def change(lists):
        head, played, rest = lists["updateinfo"].partition("<id>PLAYED-1</id>")
        text = re.sub(old, new, rest)
        assert played and text != rest, "nothing was changed"
        lists["updateinfo"] = head + played + text
    copy.relist(RETURNED, change)
    later(copy)


@plant("I6", also={"I9", "I10", "I12"})
def an_advisory_names_what_was_rejected(copy):
    rename(copy, r'name="holder"[^>]*>', 'name="twin" epoch="0" version="9" release="1" arch="noarch">')


@plant("I6", also={"I9", "I10", "I12"})
def an_advisory_names_more_than_is_there(copy):
    more = '<package name="twin" epoch="0" version="9" release="1" arch="noarch"/>'
    rename(copy, r'(<package name="holder")', rf"{more}\1")


@plant("I6", also={"I9", "I10", "I12"})
def a_module_names_what_was_rejected(copy):
    top = f"public/@{copy.current}/{copy.path_of(RETURNED)}"
    name = f"repodata/{sha256(MODULE.encode())}-modules.yaml"
    stamp = copy.at(f"{top}/repodata/repomd.xml").stat().st_mtime_ns
    copy.make(f"{top}/{name}", MODULE.encode(), 0o444, stamp)
    tree = ElementTree.fromstring(copy.read(f"{top}/repodata/repomd.xml"))
    data = ElementTree.SubElement(tree, f"{REPO}data", type="modules")
    ElementTree.SubElement(data, f"{REPO}checksum", type="sha256").text = sha256(MODULE.encode())
    ElementTree.SubElement(data, f"{REPO}location", href=name)
    ElementTree.SubElement(data, f"{REPO}timestamp").text = str(stamp // 10**9)
    ElementTree.SubElement(data, f"{REPO}size").text = str(len(MODULE.encode()))
    copy.replace(f"{top}/repodata/repomd.xml", ElementTree.tostring(tree, encoding="unicode").encode())
    later(copy)
