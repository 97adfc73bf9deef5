#!/usr/bin/python3
"""Reads repositories with librepo, one session for each line of input.

    view NAME URL     fetches all metadata into a folder of its own
    fetch NAME        fetches some packages, by the metadata of that view
    done NAME         forgets the view

Every line is answered by one line, `ok <number of files>` or `failed <why>`. librepo itself verifies every file.
"""

import gzip
import os
import random
import shutil
import sys
import xml.etree.ElementTree as tree

import librepo

COMMON = "{http://linux.duke.edu/metadata/common}"
PACKAGES = 4
choose = random.Random(5)


def view(folder, url):
    """Fetches and verifies the metadata; returns how many files came and where what is listed lies."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    handle = librepo.Handle()
    handle.urls = [url]
    handle.repotype = librepo.LR_YUMREPO
    handle.destdir = folder
    handle.checksum = True
    handle.allowedmirrorfailures = 1
    handle.maxmirrortries = 1
    result = librepo.Result()
    handle.perform(result)
    paths = result.getinfo(librepo.LRR_YUM_REPO)
    listed = []
    for package in tree.parse(gzip.open(paths["primary"])).getroot().iter(COMMON + "package"):
        checksum = package.find(COMMON + "checksum")
        href = package.find(COMMON + "location").get("href")
        size = int(package.find(COMMON + "size").get("package"))
        listed.append((href, checksum.text, size))
    return 1 + len(paths), handle, listed


def fetch(folder, handle, listed):
    """Fetches some packages and verifies them; returns how many."""
    chosen = choose.sample(listed, min(PACKAGES, len(listed)))
    targets = [
        librepo.PackageTarget(
            href,
            handle=handle,
            dest=os.path.join(folder, os.path.basename(href)),
            checksum_type=librepo.LR_CHECKSUM_SHA256,
            checksum=checksum,
            expectedsize=size,
        )
        for href, checksum, size in chosen
    ]
    librepo.download_packages(targets, failfast=False)
    wrong = [f"{target.relative_url}: {target.err}" for target in targets if target.err]
    if wrong:
        raise RuntimeError("; ".join(wrong))
    return len(targets)


def main():
    """Answers one line after the other."""
    base = sys.argv[1]
    views = {}
    for line in sys.stdin:
        verb, name, *rest = line.split()
        folder = os.path.join(base, name)
        try:
            count = 0
            if verb == "view":
                count, handle, listed = view(folder, rest[0])
                views[name] = (handle, listed)
            elif verb == "fetch":
                count = fetch(folder, *views[name])
            else:
                views.pop(name, None)
                shutil.rmtree(folder, ignore_errors=True)
            said = f"ok {count}"
        except Exception as error:  # whatever librepo raises is the answer
            said = "failed " + " ".join(str(error).split())
        print(said, flush=True)


main()
