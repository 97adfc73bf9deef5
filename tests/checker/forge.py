"""Changes one thing in a copy of a site and puts everything else right again, as a bug of the program would."""

import contextlib
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import xml.etree.ElementTree as ElementTree

REPO = "{http://linux.duke.edu/metadata/repo}"
ElementTree.register_namespace("", REPO[1:-1])
ElementTree.register_namespace("rpm", "http://linux.duke.edu/metadata/rpm")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Copy:
    """A copy of a site; paths are relative to its root, or begin with `spool/`."""

    def __init__(self, base, folder):
        self.folder = pathlib.Path(folder)
        subprocess.run(["cp", "-a", "--reflink=auto", "-T", str(base), str(folder)], check=True)
        self.root, self.spool = self.folder / "root", self.folder / "spool"
        self.current = int(os.readlink(self.root / "public/current")[1:])

    def at(self, path):
        return self.folder / path if path.startswith("spool/") else self.root / path

    @contextlib.contextmanager
    def open(self, path):
        """Makes the directory of a path writable for a moment."""
        parent = self.at(path).parent
        before = parent.stat()
        os.chmod(parent, 0o755)
        yield self.at(path)
        os.chmod(parent, stat.S_IMODE(before.st_mode))
        os.utime(parent, ns=(before.st_atime_ns, before.st_mtime_ns))

    def read(self, path):
        return self.at(path).read_bytes()

    def find(self, pattern):
        """The first path that fits, sorted."""
        found = sorted(self.root.glob(pattern)) if not pattern.startswith("spool/") else sorted(
            self.folder.glob(pattern))
        assert found, f"nothing fits {pattern}"
        base = self.folder if pattern.startswith("spool/") else self.root
        return str(found[0].relative_to(base))

    def edit(self, path, data):
        """Writes into a file, under all its names; mode and time stay."""
        at = self.at(path)
        before = at.stat()
        os.chmod(at, 0o644)
        at.write_bytes(data)
        os.chmod(at, stat.S_IMODE(before.st_mode))
        os.utime(at, ns=(before.st_atime_ns, before.st_mtime_ns))

    def replace(self, path, data, mtime_ns=None):
        """Puts another file under this name only; mode and time stay."""
        before = self.at(path).stat()
        self.remove(path)
        self.make(path, data, stat.S_IMODE(before.st_mode), mtime_ns or before.st_mtime_ns)

    def make(self, path, data, mode=0o444, mtime_ns=None):
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        with self.open(path) as at:
            at.write_bytes(data)
            os.chmod(at, mode)
            if mtime_ns:
                os.utime(at, ns=(mtime_ns, mtime_ns))

    def remove(self, path):
        with self.open(path) as at:
            if at.is_dir() and not at.is_symlink():
                for one in [at, *at.rglob("*")]:
                    if one.is_dir() and not one.is_symlink():
                        os.chmod(one, 0o755)
                shutil.rmtree(at)
            else:
                at.unlink()

    def link(self, path, to):
        """One more name for a file."""
        self.at(to).parent.mkdir(parents=True, exist_ok=True)
        with self.open(to) as at:
            os.link(self.at(path), at, follow_symlinks=False)

    def symlink(self, text, path):
        with self.open(path) as at:
            if at.is_symlink():
                at.unlink()
            os.symlink(text, at)

    def rename(self, path, to):
        self.at(to).parent.mkdir(parents=True, exist_ok=True)
        with self.open(path) as old, self.open(to) as new:
            mode = stat.S_IMODE(old.lstat().st_mode)
            if old.is_dir():
                os.chmod(old, 0o755)
            os.rename(old, new)
            if new.is_dir():
                os.chmod(new, mode)

    def manifest_path(self, number):
        kept = f"generations/{number}/manifest.json"
        return kept if self.at(kept).exists() else f"history/{number}.json"

    def manifest(self, number=None):
        return json.loads(self.read(self.manifest_path(number or self.current)))

    def change_manifest(self, number, change):
        """Changes a manifest, and the digests that lead to it."""
        path = self.manifest_path(number)
        manifest = json.loads(self.read(path))
        change(manifest)
        self.edit(path, text_of(manifest))
        self.chain()

    def change_answer(self, number, change, claim=None):
        """Changes the answer of a request in a manifest, and its copy in the control directory."""
        def all_of(manifest):
            for settled in manifest["account"]["requests"]:
                if claim is None or settled["answer"]["claim"] == claim:
                    change(settled["answer"])
                    place = f"spool/done/{settled['answer']['claim']}.answer.json"
                    if self.at(place).exists():
                        self.edit(place, text_of(settled["answer"]))
                    return
        self.change_manifest(number, all_of)

    def seal(self, number):
        """Makes files.json tell what lies in the public half."""
        path, top = f"generations/{number}/files.json", self.root / f"public/@{number}"
        files = json.loads(self.read(path))
        known = files["public"]
        files["public"] = {}
        for at in sorted(top.rglob("*")):
            if at.is_symlink() or not at.is_file():
                continue
            name, state = str(at.relative_to(top)), at.stat()
            seconds, nanoseconds = divmod(state.st_mtime_ns, 10**9)
            facts = {"size": state.st_size, "sha256": sha256(at.read_bytes()),
                     "modified": {"seconds": seconds, "nanoseconds": nanoseconds}}
            if "until" in known.get(name, {}):
                facts["until"] = known[name]["until"]
            files["public"][name] = facts
        self.sealed_files(number, files)

    def sealed_files(self, number, files):
        data = text_of(files)
        self.edit(f"generations/{number}/files.json", data)
        self.change_manifest(number, lambda manifest: manifest.update(files=sha256(data)))

    def change_files(self, number, change):
        files = json.loads(self.read(f"generations/{number}/files.json"))
        change(files)
        self.sealed_files(number, files)

    def log(self):
        return self.find("audit/*.jsonl")

    def change_log(self, change):
        """Changes the lines of the audit log, as objects, and the chain that leads to them."""
        lines = [json.loads(line) for line in self.read(self.log()).splitlines()]
        lines = change(lines) or lines
        self.edit(self.log(), b"".join(line_of(line) + b"\n" for line in lines))
        self.chain()

    def chain(self):
        """Makes every digest right that leads from manifest to manifest and from line to line."""
        lines, became, before = [], {}, None
        old = self.read(self.log()).splitlines()
        waiting = sorted(int(path.name.split(".")[0]) for where in ("generations/*", "history/*.json")
                         for path in self.root.glob(where))
        parent = None
        for text in old:
            line = json.loads(text)
            while line["kind"] == "generation" and waiting and waiting[0] <= line["generation"]:
                parent = self.link_manifest(waiting[0], parent, became, before)
                if waiting.pop(0) == line["generation"]:
                    line["manifest"] = parent
            for key in ("previous", "batch"):
                if key in line:
                    line[key] = became.get(line[key], line[key])
            if "previous" in line and before is not None:
                line["previous"] = before
            made = line_of(line)
            became[sha256(text)] = before = sha256(made)
            lines.append(made)
        self.edit(self.log(), b"".join(line + b"\n" for line in lines))
        for number in waiting:
            parent = self.link_manifest(number, parent, became, before)

    def link_manifest(self, number, parent, became, before):
        path = self.manifest_path(number)
        manifest = json.loads(self.read(path))
        if manifest["parent"] and parent:
            manifest["parent"]["digest"] = parent
        if "audit" in manifest["account"]:
            head = manifest["account"]["audit"]
            manifest["account"]["audit"] = became.get(head, before or head)
        data = text_of(manifest)
        self.edit(path, data)
        return sha256(data)

    def path_of(self, repository, number=None):
        """Where a repository lies, or its view: `repository:node type`."""
        name, _, node_type = repository.partition(":")
        path = self.manifest(number)["account"]["repositories"][name]["path"]
        return f"{path}/node-types/{node_type}" if node_type else path

    def lists(self, top):
        """The lists that the repomd.xml at `top` names, by type."""
        lists = {}
        for data in ElementTree.fromstring(self.read(f"{top}/repodata/repomd.xml")).findall(f"{REPO}data"):
            href = data.find(f"{REPO}location").get("href")
            lists[data.get("type")] = gzip.decompress(self.read(f"{top}/{href}")).decode()
        return lists

    def relist(self, repository, change, repomd=None):
        """Changes the three lists of a repository of the current generation, and its repomd.xml with them."""
        top = f"public/@{self.current}/{self.path_of(repository)}"
        path = f"{top}/repodata/repomd.xml"
        tree = ElementTree.fromstring(self.read(path))
        lists = self.lists(top)
        change(lists)
        for data in tree.findall(f"{REPO}data"):
            self.repack(top, data, lists[data.get("type")].encode())
        text = ElementTree.tostring(tree, encoding="unicode")
        self.replace(path, (repomd(text) if repomd else text).encode())
        self.seal(self.current)

    def repack(self, top, data, opened):
        location = data.find(f"{REPO}location")
        old = location.get("href")
        if gzip.decompress(self.read(f"{top}/{old}")) == opened:
            return
        packed = gzip.compress(opened, mtime=0)
        location.set("href", f"repodata/{sha256(packed)}-{old.rsplit('-', 1)[1]}")
        for name, value in (("checksum", sha256(packed)), ("open-checksum", sha256(opened)), ("size", len(packed)),
                            ("open-size", len(opened))):
            data.find(f"{REPO}{name}").text = str(value)
        self.make(f"{top}/{location.get('href')}", packed, 0o444, self.at(f"{top}/{old}").stat().st_mtime_ns)
        self.remove(f"{top}/{old}")

    def change_repomd(self, repository, change, number=None):
        """Changes the text of a repomd.xml, in one generation."""
        number = number or self.current
        path = f"public/@{number}/{self.path_of(repository, number)}/repodata/repomd.xml"
        old = self.read(path).decode()
        new = change(old)
        assert old != new, "nothing was changed"
        self.replace(path, new.encode())
        self.seal(number)

    def second_twin(self, repository):
        """Lists another file called as the package `twin`, as a promotion of a variant nobody decided on would."""
        from played import twin

        self.list_package(repository, twin(self.folder, "1", "second").read_bytes(), "1")

    def list_package(self, repository, made, version):
        """Lists one more package `twin`, as if it had been brought by a request on record."""
        digest = sha256(made)
        file_name = f"twin-{version}-1"
        place = f"{digest[:2]}/{digest[:16]}/{file_name}.noarch.rpm"
        self.make(f"pool/{digest[:2]}/{digest}.rpm", made)
        self.link(f"pool/{digest[:2]}/{digest}.rpm", f"public/packages/{repository}/{place}")
        where = self.folder / "described"
        (where / "Packages" / place).parent.mkdir(parents=True)
        (where / "Packages" / place).write_bytes(made)
        subprocess.run(["createrepo_c", "--quiet", "--no-database", "--simple-md-filenames", str(where)], check=True)

        def change(lists):
            for kind in lists:
                text = gzip.decompress((where / f"repodata/{kind}.xml.gz").read_bytes()).decode()
                element = re.search(r"<package[ >].*</package>", text, re.DOTALL).group(0)
                top = re.search(r"<(metadata|filelists|otherdata)[^>]*/>", lists[kind])
                if top:
                    lists[kind] = lists[kind].replace(top.group(0), f"{top.group(0)[:-2]}></{top.group(1)}>")
                end = lists[kind].rindex("</")
                lists[kind] = lists[kind][:end] + element + "\n" + lists[kind][end:]
                count = len(re.findall(r"<package[ >]", lists[kind]))
                lists[kind] = re.sub(r'packages="\d+"', f'packages="{count}"', lists[kind], count=1)
        later = 10**9 + self.at(f"public/@{self.current}/generation").stat().st_mtime_ns
        self.relist(repository, change, later_by(later // 10**9))
        path = self.manifest()["account"]["repositories"][repository]["path"]
        path = f"public/@{self.current}/{path}/repodata/repomd.xml"
        self.replace(path, self.read(path), later)
        self.seal(self.current)
        package = {"nevra": f"{file_name}.noarch", "pkgid": digest, "size": len(made),
                   "source_rpm": f"{file_name}.src.rpm"}

        def moved(manifest):
            account = manifest["account"]
            account["changes"].setdefault(repository, {"entered": [], "left": []})["entered"].append(package)
            answer = next(one["answer"] for one in account["requests"] if one["answer"]["action"] == "import")
            answer["moved"].append({"repository": repository, "entered": [package["nevra"]], "left": []})
            self.edit(f"spool/done/{answer['claim']}.answer.json", text_of(answer))
        self.change_manifest(self.current, moved)

    def answer(self, code=None, action=None, outcome="done", folder="done"):
        """The path of an answer, and what it says."""
        for at in sorted((self.spool / folder).glob("*.answer.json")):
            said = json.loads(at.read_bytes())
            if said["outcome"] == outcome and action in (None, said["action"]) and code in (None, said["code"]):
                return f"spool/{folder}/{at.name}", said
        raise AssertionError(f"no answer {outcome} {action} {code}")

    def request_of(self, path):
        """The request beside an answer."""
        return re.sub(r"\.answer\.json$", ".toml", path)


def text_of(value):
    return (json.dumps(value, indent=2) + "\n").encode()


def line_of(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def later_by(seconds):
    """A repomd.xml dated anew."""
    def change(text):
        text = re.sub(r"<timestamp>\d+", f"<timestamp>{seconds}", text)
        return re.sub(r"<revision>\d+", f"<revision>{seconds}", text)
    return change


def swap(old, new):
    """A change of text that must change something."""
    def change(text):
        made = re.sub(old, new, text, count=1, flags=re.DOTALL)
        assert made != text, f"nothing fits {old}"
        return made
    return change
