"""Planted violations of what is listed: I4, I6, I7, I8, I13."""

import re

from forge import swap
from planted import plant

DELTA = "glite-el9-x86_64-delta"


@plant("I4")
def an_href_leads_out(copy):
    copy.change_repomd(DELTA, swap(r'href="repodata/', 'href="../delta/repodata/'))


@plant("I4")
def an_open_size_is_wrong(copy):
    copy.change_repomd(DELTA, swap(r"<open-size>\d+", "<open-size>77"))


@plant("I4")
def a_size_is_wrong(copy):
    copy.change_repomd(DELTA, swap(r"<size>\d+", "<size>77"))


@plant("I4")
def an_open_checksum_is_wrong(copy):
    copy.change_repomd(DELTA, swap(r'(<open-checksum[^>]*>)[0-9a-f]{8}', r"\g<1>00000000"))


@plant("I4")
def an_open_checksum_is_missing(copy):
    copy.change_repomd(DELTA, swap(r"<open-checksum[^>]*>[^<]*</open-checksum>", ""))


def change_form(copy, repository, change):
    """Lets the account of the generation in force tell another form of a repository."""
    def change_all(manifest):
        shelved = manifest["account"]["repositories"][repository]
        before = (shelved.get("form") or "").split()
        shelved["form"] = " ".join(change(before))
        assert before != shelved["form"].split(), "nothing was changed"
    copy.change_manifest(copy.current, change_all)


@plant("I4", also={"I10", "I12"})
def open_checksums_are_missing_where_the_form_has_them(copy):
    change_form(copy, "waiting-el9-x86_64-delta", lambda words: [word for word in words if word != "no-open-checksums"])


@plant("I4", also={"I10", "I12"})
def open_checksums_are_there_where_the_form_has_none(copy):
    change_form(copy, DELTA, lambda words: [*words, "no-open-checksums"])


@plant("I4")
def a_checksum_is_wrong(copy):
    copy.change_repomd(DELTA, swap(r'(<checksum type="sha256">)[0-9a-f]{64}', r"\g<1>" + "0" * 64))


@plant("I4")
def a_named_file_is_not_there(copy):
    copy.change_repomd(DELTA, swap(r'href="repodata/[0-9a-f]{8}', 'href="repodata/00000000'))


@plant("I4")
def a_name_without_its_checksum(copy):
    path = f"public/@{copy.current}/glite/el9/x86_64/delta/repodata"
    href = re.search(r'href="repodata/([^"]*-primary[^"]*)"', copy.read(f"{path}/repomd.xml").decode()).group(1)
    copy.rename(f"{path}/{href}", f"{path}/primary.xml.gz")
    copy.change_repomd(DELTA, swap(re.escape(href), "primary.xml.gz"))


@plant("I4")
def a_list_is_not_named(copy):
    copy.change_repomd(DELTA, swap(r'<data type="other">.*?</data>', ""))


def twin(copy):
    return copy.find(f"public/packages/{DELTA}/*/*/twin-1-1.noarch.rpm")


@plant("I6")
def a_package_has_other_bytes(copy):
    data = bytearray(copy.read(twin(copy)))
    data[-1] ^= 1
    copy.edit(twin(copy), bytes(data))


@plant("I6")
def a_package_is_cut_short(copy):
    copy.edit(twin(copy), copy.read(twin(copy))[:-9])


@plant("I6")
def a_listed_package_is_not_there(copy):
    copy.remove(twin(copy))


@plant("I6")
def a_package_is_listed_with_another_size(copy):
    copy.relist(DELTA, lambda lists: lists.update(primary=swap(r'<size package="\d+"', '<size package="1"')(
        lists["primary"])))


@plant("I6")
def a_package_is_listed_with_another_header(copy):
    copy.relist(DELTA, lambda lists: lists.update(primary=swap(r'<rpm:header-range start="\d+"',
                                                              '<rpm:header-range start="1"')(lists["primary"])))


@plant("I6", also={"I9"})
def a_package_is_listed_with_another_release(copy):
    def change(lists):
        for kind in ("primary", "filelists", "other"):
            lists[kind] = re.sub(r'(name="twin".*?rel=|<name>twin</name>.*?rel=)"1"', r'\1"2"', lists[kind], flags=re.S)
    copy.relist(DELTA, change)


@plant("I6")
def a_requirement_is_not_listed(copy):
    copy.relist(DELTA, lambda lists: lists.update(primary=swap(r"<rpm:entry [^>]*/>", "")(lists["primary"])))


@plant("I6")
def a_description_is_another(copy):
    copy.relist(DELTA, lambda lists: lists.update(primary=swap(r"<summary>twin", "<summary>twain")(lists["primary"])))


@plant("I6")
def the_count_of_packages_is_wrong(copy):
    copy.relist(DELTA, lambda lists: lists.update(other=swap(r'packages="\d+"', 'packages="77"')(lists["other"])))


@plant("I6")
def filelists_lack_a_package(copy):
    def change(lists):
        text = swap(r"<package [^>]*>.*?</package>\s*", "")(lists["filelists"])
        count = len(re.findall("<package ", text))
        lists["filelists"] = swap(r'packages="\d+"', f'packages="{count}"')(text)
    copy.relist(DELTA, change)


@plant("I7")
def a_package_nobody_lists(copy):
    copy.link(copy.find("pool/*/*.rpm"), f"public/packages/{DELTA}/00/0000000000000000/mine-1-1.noarch.rpm")


@plant("I7")
def a_package_of_a_repository_nobody_knows(copy):
    copy.link(copy.find("pool/*/*.rpm"), "public/packages/ghost/mine-1-1.noarch.rpm")


@plant("I7")
def a_package_that_no_links_file_names(copy):
    number = copy.current + 1
    copy.make(f"staging/{number}/links.json", b'{"format":1,"number":%d,"links":[],"repositories":[]}' % number)
    copy.link(twin(copy), f"public/packages/{DELTA}-debug/00/0000000000000000/twin-1-1.noarch.rpm")


@plant("I7", at_rest=True)
def a_file_that_is_no_package(copy):
    copy.make(f"public/packages/{DELTA}/index.html", b"hello")


def left_now(copy):
    """The link of a package that left in the current generation; older ones that are kept list it."""
    manifest = copy.manifest()
    return max(manifest["retained"], key=lambda link: (manifest["retained"][link], link))


def old_href(copy):
    """A link that only a promise holds: what an adopted repository called a package."""
    return next(link for link in copy.manifest()["retained"] if link.count("/") == 2)


@plant("I8")
def a_promised_package_is_not_there(copy):
    copy.remove(f"public/{old_href(copy)}")


@plant("I8", also={"I6"})
def a_promised_package_has_other_bytes(copy):
    path = f"public/{left_now(copy)}"
    copy.replace(path, copy.read(twin(copy)))


@plant("I8", also={"I6"})
def a_package_that_left_is_not_promised(copy):
    link = left_now(copy)
    copy.change_manifest(copy.current, lambda manifest: manifest["retained"].pop(link))
    copy.remove(f"public/{link}")


@plant("I8")
def a_package_that_left_is_promised_too_short(copy):
    manifest = copy.manifest()
    link = left_now(copy)
    assert manifest["retained"][link] > manifest["created"]
    copy.change_manifest(copy.current, lambda manifest: manifest["retained"].update({link: manifest["created"]}))


@plant("I8")
def an_earlier_promise_is_forgotten(copy):
    link = old_href(copy)
    copy.change_manifest(copy.current - 1, lambda manifest: manifest["retained"].update({link: "2998-01-01T00:00:00Z"}))
    copy.change_manifest(copy.current, lambda manifest: manifest["retained"].pop(link))
    copy.remove(f"public/{link}")


@plant("I8")
def promised_metadata_is_not_there(copy):
    number = copy.current - 1
    top = copy.at(f"public/@{copy.current}")

    def change(files):
        for path, facts in files["public"].items():
            if "until" in facts and "-primary" in path and (top / path).exists():
                facts["until"] = "2998-01-01T00:00:00Z"
                found.append(path)
                return
    found = []
    copy.change_files(number, change)
    path = f"public/@{copy.current}/{found[0]}"
    copy.remove(path)
    copy.seal(copy.current)


@plant("I8", at_rest=True)
def a_name_that_was_given_is_not_there(copy):
    copy.remove("public/@update-1")


@plant("I13")
def two_files_of_one_name_in_a_repository(copy):
    copy.second_twin(DELTA)


@plant("I13")
def two_files_of_one_name_in_a_product(copy):
    copy.second_twin("grid-el9-x86_64-delta")


@plant("I13")
def two_files_of_one_name_in_siblings(copy):
    copy.second_twin("grid-el9-x86_64-delta-debug")


def decided(digests, people):
    """What stands where people decided that two files may be called as the twin."""
    seats = [{"role": role, "by": by} for role, by in zip(("release-team", "operations"), people)]
    variant = {"id": "0123456789ab", "product": "grid", "package": "twin-1-1.noarch", "digests": digests, "reason": "r",
               "agreed": [{"by": by, "roles": [], "at": "2026-01-01T00:00:00Z"} for by in people], "decided_by": seats}
    return {"variants": {variant["id"]: variant}}


@plant("I13")
def a_decision_about_two_other_files(copy):
    copy.second_twin("grid-el9-x86_64-delta")
    standing = decided(["00" * 32, "11" * 32], ["user:rita", "user:olga"])
    copy.change_manifest(copy.current, lambda one: one["account"]["standing"].update(standing))


@plant("I18")
def a_decision_of_one_person(copy):
    standing = decided(["00" * 32, "11" * 32], ["user:rita", "user:rita"])
    copy.change_manifest(copy.current, lambda one: one["account"]["standing"].update(standing))
