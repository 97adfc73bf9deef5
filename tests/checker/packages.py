"""I6, I9 and I13: the three lists agree, every listed package is there and is what createrepo_c and rpm say."""

import dataclasses
import difflib
import sqlite3

from metadata import Unsound, read, xml
from oracles import LISTS, canonical


@dataclasses.dataclass
class Package:
    """One package as a repository lists it."""

    pkgid: str
    kind: str  # the type of the checksum
    nevra: tuple  # name, epoch, version, release, architecture
    size: int
    href: str
    elements: dict

    @property
    def words(self):
        name, epoch, version, release, arch = self.nevra
        return f"{name}-{'' if epoch == '0' else epoch + ':'}{version}-{release}.{arch}"

    @property
    def file_name(self):
        name, _, version, release, arch = self.nevra
        return f"{name}-{version}-{release}.{arch}.rpm"


@dataclasses.dataclass
class Listing:
    """One repository as one repomd.xml lists it."""

    repomd: object
    packages: list

    @property
    def pkgids(self):
        return [package.pkgid for package in self.packages]


def listing(repomd, fetch, wrong, opened=True):
    """Reads a repository; `wrong(invariant, words)` hears what is wrong in it. None if it cannot be read."""
    try:
        found = read(repomd, fetch, lambda words: wrong("I4", words), opened)
    except Unsound as error:
        wrong("I4", str(error))
        return None
    try:
        tops = {kind: xml(found.records[kind].open, f"{kind}.xml") for kind in LISTS}
        packages = [package_of(element) for element in tops["primary"]]
        lists_agree(packages, tops, wrong)
        databases_agree(found, packages, wrong)
    except (Unsound, AttributeError) as error:
        wrong("I6", f"the lists cannot be read: {error}")
        return None
    return Listing(found, packages)


def package_of(element):
    checksum, version = element.find("{*}checksum"), element.find("{*}version")
    nevra = (element.findtext("{*}name"), version.get("epoch"), version.get("ver"), version.get("rel"),
             element.findtext("{*}arch"))
    if checksum.get("pkgid") != "YES" or not all(isinstance(word, str) for word in nevra):
        raise Unsound("a package without a name of its own")
    size = element.find("{*}size").get("package", "")
    if not size.isdigit():
        raise Unsound(f"`{nevra[0]}` has no size")
    href = element.find("{*}location").get("href", "")
    elements = {"primary": element}
    return Package((checksum.text or "").strip(), checksum.get("type", ""), nevra, int(size), href, elements)


def lists_agree(packages, tops, wrong):
    by_pkgid = {package.pkgid: package for package in packages}
    if len(by_pkgid) != len(packages):
        wrong("I6", "primary lists a file twice")
    for kind in LISTS:
        stated = tops[kind].get("packages", "")
        count = len(tops[kind])
        if not stated.isdigit() or int(stated) != count:
            wrong("I6", f"{kind} says packages=`{stated}` and lists {count}")
    for kind in ("filelists", "other"):
        seen = set()
        for element in tops[kind]:
            pkgid, version = element.get("pkgid"), element.find("{*}version")
            package = by_pkgid.get(pkgid)
            if package is None:
                wrong("I6", f"{kind} lists {pkgid}, which primary does not")
                continue
            if pkgid in seen:
                wrong("I6", f"{kind} lists {package.words} twice")
            seen.add(pkgid)
            nevra = (element.get("name"), version.get("epoch"), version.get("ver"), version.get("rel"),
                     element.get("arch"))
            if nevra != package.nevra:
                wrong("I6", f"{kind} calls {package.words} {nevra}")
            package.elements[kind] = element
        for pkgid in by_pkgid.keys() - seen:
            wrong("I6", f"{kind} does not list {by_pkgid[pkgid].words}")


def databases_agree(repomd, packages, wrong):
    for kind in LISTS:
        record = repomd.records.get(f"{kind}_db")
        if record is None:
            continue
        try:
            database = sqlite3.connect(":memory:")
            database.deserialize(record.open)
            belongs = database.execute("SELECT checksum FROM db_info").fetchone()
            listed = [row[0] for row in database.execute("SELECT pkgId FROM packages")]
        except sqlite3.Error as error:
            wrong("I6", f"the database {kind}_db cannot be read: {error}")
            continue
        if belongs is None or belongs[0] != repomd.records[kind].checksum[1]:
            wrong("I6", f"the database {kind}_db belongs to other XML")
        if sorted(listed) != sorted(package.pkgid for package in packages):
            wrong("I6", f"the database {kind}_db lists other packages")


def one_file_per_name(packages, wrong):
    """I13 within one repository."""
    seen = {}
    for package in packages:
        first = seen.setdefault(package.nevra, package.pkgid)
        if first != package.pkgid:
            wrong("I13", f"it lists two files called {package.words}")


def by_oracle(package, said, path, wrong):
    """Compares one package with what rpm and createrepo_c say of its file."""
    if said["nevra"] is None:
        return wrong("I6", path, "rpm cannot read it")
    if tuple(said["nevra"]) != package.nevra:
        return wrong("I6", path, f"rpm calls it {said['nevra']}, primary {list(package.nevra)}")
    if said["digests"] is not None:
        wrong("I6", path, f"rpm: {said['digests']}")
    if said["primary"] is None:
        return wrong("I6", path, "createrepo_c leaves it out")
    for kind in LISTS:
        if kind not in package.elements or said[kind] is None:
            continue
        ours = canonical(package.elements[kind])
        if ours != said[kind]:
            lines = difflib.unified_diff(said[kind].split("\n"), ours.split("\n"), n=0)
            told = [line[:200] for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]
            wrong("I6", path, f"{kind} says other than createrepo_c (-): {' '.join(told[:4])}")
    return None
