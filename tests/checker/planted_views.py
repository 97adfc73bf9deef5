"""Planted violations of views: I2, I6, I12, I22."""

import re

from forge import later_by
from planted import plant

SPLIT = "split-el9-x86_64-delta"
VIEW = f"{SPLIT}:node"


def without(version):
    """Takes one version of `twin` out of the lists."""
    def change(lists):
        for kind in lists:
            inside = r"(?:(?!</(?:\w+:)?package>).)*?"
            element = rf'<(?:\w+:)?package[ >]{inside}<(?:\w+:)?version[^>]* ver="{version}"{inside}</(?:\w+:)?package>'
            element = re.compile(element, re.DOTALL)
            lists[kind], count = element.subn("", lists[kind])
            assert count == 1, f"{kind} lists {count} of version {version}"
            left = len(re.findall(r"<(?:\w+:)?package[ >]", lists[kind]))
            lists[kind] = re.sub(r'packages="\d+"', f'packages="{left}"', lists[kind], count=1)
    return change


def relist(copy, change):
    """Lets the view list something else, as of a later second."""
    later = 10**9 + copy.at(f"public/@{copy.current}/generation").stat().st_mtime_ns
    copy.relist(VIEW, change, later_by(later // 10**9))
    path = f"public/@{copy.current}/{copy.path_of(VIEW)}/repodata/repomd.xml"
    copy.replace(path, copy.read(path), later)
    copy.seal(copy.current)


@plant("I6", also={"I10", "I9"})
def a_view_lacks_what_its_meta_package_pins(copy):
    relist(copy, without("6"))


@plant("I6", also={"I10", "I9"})
def a_view_lacks_its_meta_package(copy):
    relist(copy, without("1"))


@plant("I6", also={"I10", "I9"})
def a_view_lists_what_nothing_in_it_leads_to(copy):
    other = f"public/@{copy.current}/{copy.path_of(SPLIT)}"
    whole = copy.lists(other)

    def change(lists):
        for kind in lists:
            found = re.findall(r"<package[ >].*?</package>", whole[kind], re.DOTALL)
            found = [one for one in found if re.search(r'<version[^>]* ver="7"', one)]
            end = lists[kind].rindex("</")
            lists[kind] = lists[kind][:end] + found[0] + "\n" + lists[kind][end:]
            lists[kind] = re.sub(r'packages="\d+"', 'packages="3"', lists[kind], count=1)
    relist(copy, change)


@plant("I22", also={"I6"})
def a_view_that_nobody_recorded(copy):
    copy.change_manifest(copy.current, lambda manifest: manifest["account"]["views"][SPLIT]["node_types"].clear())


@plant("I2", also={"I6", "I9"})
def a_view_leads_to_packages_of_another_repository(copy):
    link = f"{copy.path_of(VIEW)}/Packages"
    copy.symlink("../" * len(link.split("/")) + "packages/glite-el9-x86_64-delta", f"public/@{copy.current}/{link}")


@plant("I12", also={"I9", "I10"})
def a_view_changes_and_what_it_lists_does_not(copy):
    relist(copy, lambda lists: None)
