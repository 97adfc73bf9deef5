"""A copy of one generation as clients see it: is it whole, of one piece, and without strays?"""

import configparser
import os
import re
import urllib.parse

import packages
import signatures
from chain import files_of, manifest_of
from findings import CannotLook, Findings
from tree import Tree
from words import Misread, instant

STAMP = re.compile(rb"([1-9][0-9]*) ([^ \n]+)\n\Z")
CHECKSUM_NAMED = re.compile(r"([0-9a-f]{32,128})-[^/]+\Z")
AT_THE_TOP = re.compile(r"RPM-GPG-KEY-.+|.*\.repo\Z")
OF_A_VIEW = re.compile(r"(?:.*/)?node-types/([^/]+)/\1(?:-metalink)?\.repo\Z")
PACKAGE = re.compile(r"Packages/([0-9a-f]{2})/([0-9a-f]{16})/[^/]+\.rpm\Z")


class Mirror:
    """One look at a copy."""

    def __init__(self, root, expect=None, oracles=None):
        self.tree = Tree(root, follow=True)
        self.expect = expect
        self.oracles = oracles
        self.findings = Findings()
        self.unread, self.signed = set(), set()
        self.broken = self.findings.broken
        self.current, self.stamped, self.listings, self.files, self._digests = None, None, {}, {}, None

    def look(self):
        self.stamp()
        for path, entry in self.tree.below(""):
            if entry.kind not in ("file", "directory"):
                self.broken("I2", path, "it is neither file nor directory, or a symlink to nothing")
            if path == "repodata/repomd.xml" or path.endswith("/repodata/repomd.xml"):
                self.repository(path.removesuffix("repodata/repomd.xml").rstrip("/"))
        if not self.listings and not self.unread:
            self.broken("I4", ".", "there is no repository")
        retained = self.expected()
        self.strays(retained)
        self.dot_repos()
        return self.findings.violations

    def stamp(self):
        match = STAMP.match(self.tree.read("generation") or b"")
        if not match:
            return self.broken("I1", "generation", "there is no stamp that names a generation")
        self.current = int(match.group(1))
        try:
            self.stamped = instant(match.group(2).decode("ascii", "replace"))
        except Misread as error:
            self.broken("I1", "generation", str(error))
        return None

    def repository(self, top):
        tree, path = self.tree, f"{top}/repodata/repomd.xml".lstrip("/")
        wrong = []
        fetch = lambda href: tree.read(f"{top}/{href}".lstrip("/"))
        found = packages.listing(tree.read(path), fetch, lambda *what: wrong.append(what), None)
        if found is not None:
            packages.one_file_per_name(found.packages, lambda *what: wrong.append(what))
        for invariant, words in wrong:
            self.broken(invariant, path, words)
        if found is None:
            self.unread.add(top)
            return
        self.listings[top] = found
        if self.stamped is not None and int(found.repomd.revision or 0) > self.stamped // 10**9 + 2:
            self.broken("I2", path, f"it is of a later generation than {self.current}, which the stamp names")
        self.closure(top, found)
        self.signature(top)

    def signature(self, top):
        """Where there is a signature, it is one of the repomd.xml by a key that lies beside it."""
        names = (signatures.REPOMD, signatures.SIGNATURE, signatures.CERTIFICATES)
        paths = [f"{top}/repodata/{name}".lstrip("/") for name in names]
        files = [self.tree.read(path) for path in paths]
        if files[1] is None and files[2] is None:
            return
        if None in files:
            return self.broken("I5", paths[1], "the metadata is signed, and a file of it is missing")
        self.signed |= set(paths[1:])
        if self.stamped is None:
            return None  # nobody knows at which instant it must have been good
        with signatures.Gpg() as gpg:
            words = signatures.wrong(*files, None, self.stamped // 10**9 + signatures.LATE, gpg)
        return self.broken("I5", paths[1], words) if words else None

    def closure(self, top, found):
        tree, asked = self.tree, []
        for package in found.packages:
            path = f"{top}/{package.href}".lstrip("/")
            entry = tree.get(path)
            if ".." in package.href.split("/") or entry is None or entry.kind != "file":
                self.broken("I6", path, f"{package.words} is listed and not there")
            elif entry.size != package.size:
                self.broken("I6", path, f"it has {entry.size} bytes, {package.words} is listed with {package.size}")
            elif tree.digest(path, {"sha": "sha1"}.get(package.kind, package.kind)) != package.pkgid:
                self.broken("I6", path, f"it is not the file {package.words} is listed with")
            else:
                asked.append(((tree.digest(path), package.kind), package, path))
        said = self.oracles.ask({key: os.path.join(tree.top, path) for key, _, path in asked})
        for key, package, path in asked:
            packages.by_oracle(package, said[key], path, self.broken)

    def expected(self):
        """Compares with the files.json of the generation the stamp names. Gives the links any manifest retains."""
        if self.expect is None or self.current is None:
            return None
        retained, files = set(), None
        for name in sorted(os.listdir(self.expect)):
            try:
                with open(os.path.join(self.expect, name, "manifest.json"), "rb") as file:
                    manifest = manifest_of(file.read())
                with open(os.path.join(self.expect, name, "files.json"), "rb") as file:
                    listed = files_of(file.read())
            except OSError:
                continue
            except Misread as error:
                raise CannotLook(f"`{self.expect}/{name}` cannot be read: {error}") from error
            retained |= {link.split("/", 2)[2] for link in manifest["retained"]}
            retained |= {
                f"{one['pkgid'][:2]}/{one['pkgid'][:16]}"
                for moves in manifest["account"]["changes"].values()
                for one in [*moves["entered"], *moves["left"]]
            }
            if name == str(self.current):
                files = listed["public"]
        if files is None:
            raise CannotLook(f"`{self.expect}` has no generation {self.current}, which the stamp names")
        for path, facts in files.items():
            entry = self.tree.get(path)
            if entry is None or entry.kind != "file":
                self.broken("I2", path, f"generation {self.current} has it, and the copy has not")
            elif entry.size != facts["size"] or self.tree.digest(path) != facts["sha256"]:
                self.broken("I2", path, f"it is not the file of generation {self.current}")
        self.files = files
        return retained

    def strays(self, retained):
        """Nothing lies here that one generation does not explain: what it lists, and what it retains."""
        known = {"generation", "inventory.json"}
        for top, found in self.listings.items():
            names = ["repodata/repomd.xml", "metalink.xml", *(record.href for record in found.repomd.records.values())]
            names += [package.href for package in found.packages]
            known |= {f"{top}/{name}".lstrip("/") for name in names}
        known |= self.signed
        for path, entry in self.tree.below(""):
            if entry.kind != "file" or path in known or "/" not in path and AT_THE_TOP.match(path):
                continue
            if OF_A_VIEW.match(path) and path.rsplit("/", 1)[0] in self.listings:
                continue
            if retained is not None and path in self.files:
                continue
            if any(path.startswith(f"{top}/".lstrip("/")) for top in self.unread):
                continue  # nobody knows what it lists
            below = next((top for top in sorted(self.listings, key=len, reverse=True)
                          if path.startswith(f"{top}/".lstrip("/"))), None)
            name = path[len(f"{below}/".lstrip("/")):] if below is not None else path
            if below is None or not self.explains(path, name, retained):
                self.broken("I7", path, "nothing in this generation lists or retains it")

    def explains(self, path, name, retained):
        """Superseded metadata and packages are known by names that begin their digests, adopted ones by the bytes."""
        digest, place = self.tree.digest(path), name.removeprefix("Packages/")
        package = PACKAGE.match(name)
        if package:
            short = (digest[:2], digest[:16])
            return package.groups() == short and (
                retained is None or place in retained or "/".join(short) in retained)
        if name.endswith(".rpm"):
            return digest in self.digests() and (retained is None or place in retained)
        metadata = name.startswith("repodata/") and CHECKSUM_NAMED.match(name.rsplit("/", 1)[-1])
        if not metadata or retained is not None:
            return False
        algorithm = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
        algorithm = algorithm.get(len(metadata.group(1)))
        return algorithm is not None and self.tree.digest(path, algorithm) == metadata.group(1)

    def digests(self):
        """The digests of all packages that lie at the place of their digest."""
        if self._digests is None:
            found = [path for path, entry in self.tree.below("") if entry.kind == "file" and PACKAGE.search(path)]
            self._digests = {self.tree.digest(path) for path in found}
        return self._digests

    def dot_repos(self):
        """Every repository is named by a `.repo` file, and every one that a `.repo` file names is there."""
        named = set()
        of_views = [path for path, _ in self.tree.below("") if OF_A_VIEW.match(path)]
        for path in [name for name in self.tree.names("") if name.endswith(".repo")] + of_views:
            parser = configparser.ConfigParser(interpolation=None, strict=True)
            try:
                parser.read_string(self.tree.read(path).decode("utf-8"))
            except (configparser.Error, UnicodeDecodeError) as error:
                self.broken("I2", path, f"it is no .repo file: {error}")
                continue
            for section in parser.sections():
                base = parser[section].get("baseurl", "")
                place = urllib.parse.unquote(urllib.parse.urlsplit(base.split()[0]).path).rstrip("/") if base else ""
                fitting = [top for top in [*self.listings, *self.unread] if fits(place, top)]
                if base and not fitting:
                    self.broken("I2", path, f"[{section}] leads to `{base}`, where no repository is")
                named.update(fitting)
        for top in self.listings.keys() - named:
            self.broken("I2", f"{top}/repodata/repomd.xml".lstrip("/"), "no .repo file leads to this repository")


def fits(place, top):
    pattern = re.escape(place).replace(re.escape("$basearch"), "[^/]+")
    return re.search(rf"(?:^|/){re.escape(top)}\Z", place) is not None or (
        "$basearch" in place and any(
            re.fullmatch(pattern.split("/", count)[-1], top) for count in range(pattern.count("/") + 1)))
