"""What createrepo_c and rpm say about package files, each distinct file asked once."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

from findings import CannotLook
from metadata import unpack

QUERY = "%{NAME}\\t%|EPOCH?{%{EPOCH}}:{0}|\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%|SOURCERPM?{bin}:{src}|\\n"
LISTS = ("primary", "filelists", "other")


class Oracles:
    """Asks both programs; `cache` is a directory that keeps answers for later runs."""

    def __init__(self, cache=None):
        self.cache = cache
        self._said = {}
        self.vouched = {}
        if cache:
            os.makedirs(cache, exist_ok=True)

    def ask(self, wanted):
        """Answers for a dict of (sha256, checksum type) -> path of the file.

        Each answer has `nevra` (None if rpm cannot read the file), `digests` (why rpm finds them wrong, or None)
        and the three elements as createrepo_c writes them, None where it leaves the package out.
        """
        missing = {}
        for key, path in wanted.items():
            if key not in self._said:
                kept = self._kept(key)
                if kept is not None:
                    self._said[key] = kept
                else:
                    missing[key] = path
        if missing:
            self._run(missing)
        return {key: self._said[key] for key in wanted}

    def _place(self, key):
        return os.path.join(self.cache, f"{key[0]}-{key[1]}.json") if self.cache else None

    def _kept(self, key):
        place = self._place(key)
        if place is None or not os.path.exists(place):
            return None
        try:
            with open(place, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def _run(self, missing):
        with tempfile.TemporaryDirectory(prefix="checker-") as folder:
            for kind in sorted({kind for _, kind in missing}):
                chosen = {digest: path for (digest, chosen), path in missing.items() if chosen == kind}
                place = os.path.join(folder, kind)
                os.mkdir(place)
                for digest, path in chosen.items():
                    os.symlink(os.path.abspath(path), os.path.join(place, f"{digest}.rpm"))
                names = [f"{digest}.rpm" for digest in chosen]
                nevras, wrong = rpm_query(place, names), rpm_digests(place, names)
                elements = createrepo(place, kind)
                for digest in chosen:
                    self._said[digest, kind] = said = {
                        "nevra": nevras.get(digest), "digests": wrong.get(digest),
                        **{which: elements[which].get(digest) for which in LISTS},
                    }
                    if place_kept := self._place((digest, kind)):
                        draft = f"{place_kept}.{os.getpid()}"
                        with open(draft, "w", encoding="utf-8") as file:
                            json.dump(said, file)
                        os.replace(draft, place_kept)


def run(command, **more):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    try:
        return subprocess.run(command, capture_output=True, check=False, env=environment, **more)
    except FileNotFoundError as error:
        raise CannotLook(f"the program `{command[0]}` is missing") from error


def rpm_command(*words):
    # Nobody's database: the keys and packages of this host are no part of the question.
    empty = os.path.join(tempfile.gettempdir(), "no-rpm-database-here")
    return [shutil.which("rpm") or "rpm", "--define", f"_dbpath {empty}", *words]


def rpm_query(folder, names):
    """What rpm calls each file: name, epoch, version, release, architecture."""
    found = {}
    for name in split(folder, names, lambda some: rpm_command(
        "-qp", "--nosignature", "--nodigest", "--qf", QUERY, *some), lambda ran, some: ran.returncode == 0
            and ran.stdout.count(b"\n") == len(some)):
        some, ran = name
        lines = ran.stdout.decode("utf-8", "surrogateescape").split("\n")
        for file, line in zip(some, lines):
            words = line.split("\t")
            if len(words) == 6:
                arch = "src" if words[5] == "src" else words[4]
                found[file.removesuffix(".rpm")] = [*words[:4], arch]
    return found


def rpm_digests(folder, names):
    """Why rpm says that a file's digests are wrong; files that are well are absent."""
    wrong = {}
    command = lambda some: rpm_command("-K", "--nosignature", *some)
    for some, ran in split(folder, names, command, lambda ran, some: ran.returncode == 0):
        if ran.returncode != 0:
            words = ran.stdout + ran.stderr
            wrong[some[0].removesuffix(".rpm")] = words.decode(errors="replace").strip()
    return wrong


def split(folder, names, command, well):
    """Runs a command over many files at once, and over each alone if that did not go well."""
    if not names:
        return []
    together = run(command(names), cwd=folder)
    if len(names) == 1 or well(together, names):
        return [(names, together)]
    return [([name], run(command([name]), cwd=folder)) for name in names]


def createrepo(folder, kind):
    """The elements createrepo_c writes for each file of a folder, as text without the location."""
    with tempfile.TemporaryDirectory(prefix="checker-") as made:
        checksum = "sha" if kind == "sha" else kind
        ran = run(["createrepo_c", "--quiet", "--no-database", "--simple-md-filenames", "--checksum", checksum,
                   "--outputdir", made, folder])
        if ran.returncode != 0:
            raise CannotLook(f"createrepo_c failed: {ran.stderr.decode(errors='replace').strip()}")
        by_pkgid, found = {}, {}
        for which in LISTS:
            with open(os.path.join(made, "repodata", f"{which}.xml.gz"), "rb") as file:
                top = ElementTree.fromstring(unpack(which, file.read()))
            found[which] = {}
            for element in top:
                if which == "primary":
                    href = element.find("{*}location").get("href")
                    by_pkgid[element.findtext("{*}checksum")] = os.path.basename(href).removesuffix(".rpm")
                    name = os.path.basename(href).removesuffix(".rpm")
                else:
                    name = by_pkgid[element.get("pkgid")]
                found[which][name] = canonical(element)
        return found


def canonical(element):
    """An element as comparable text: everything but where the file lies and when it was modified."""
    hasher_text = []

    def tell(one):
        tag = one.tag.rsplit("}", 1)[-1]
        if tag == "location":
            return
        attributes = {key.rsplit("}", 1)[-1]: value for key, value in one.attrib.items()}
        if tag == "time":
            attributes.pop("file", None)
        text = one.text or ""
        if len(one):
            text = text.strip()
        hasher_text.append(f"<{tag} {json.dumps(sorted(attributes.items()))} {json.dumps(text)}")
        for child in one:
            tell(child)
        hasher_text.append(">")

    tell(element)
    return "\n".join(hasher_text)


def short(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
