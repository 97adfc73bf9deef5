"""Planted violations of overlaps: I11."""

from forge import sha256, text_of
from planted import plant

DELTA = "glite-el9-x86_64-delta"
PRODUCTION = "glite-el9-x86_64-production"
GRID = "grid-el9-x86_64-delta"


def overlaps(copy):
    """The account, of which the overlaps are changed."""
    recorded = copy.manifest()["account"]["overlapping"][GRID]
    assert recorded, "nothing overlaps in the played site"
    return recorded


@plant("I11")
def an_overlap_that_nobody_recorded(copy):
    overlaps(copy)
    copy.change_manifest(copy.current, lambda one: one["account"].pop("overlapping"))


@plant("I11")
def an_overlap_that_is_too_short(copy):
    def change(manifest):
        for digest in overlaps(copy):
            manifest["account"]["overlapping"][GRID][digest] = manifest["created"]
    copy.change_manifest(copy.current, change)


@plant("I11")
def a_package_that_is_to_be_listed_and_is_not(copy):
    def change(manifest):
        left = manifest["account"]["changes"][DELTA]["left"]
        manifest["account"]["overlapping"][DELTA] = {left[0]["pkgid"]: "2100-01-01T00:00:00Z"}
    copy.change_manifest(copy.current, change)


@plant("I11")
def a_package_that_moved_at_once_along_a_route_with_an_overlap(copy):
    digest = copy.manifest()["policy"]
    policy = copy.read(f"policy/{digest}.toml").decode()
    old = 'name = "glite"\npreset = "glite"\nplatforms = ["el9/x86_64"]\n'
    assert old in policy
    route = '[[product.route]]\nfrom = "delta"\nto = "production"\noverlap = "1 hour"\n'
    changed = policy.replace(old, old + route, 1).encode()
    copy.make(f"policy/{sha256(changed)}.toml", changed)
    copy.change_manifest(copy.current, lambda one: one.update(policy=sha256(changed)))


@plant("I11")
def an_overlap_that_ended_before_its_time(copy):
    # The one that began here is said to have begun a generation before.
    def earlier(manifest):
        package = next(digest for digest in overlaps(copy))
        manifest["account"]["overlapping"] = {GRID: {package: "2100-01-01T00:00:00Z"}}
    copy.change_manifest(copy.current - 1, earlier)


@plant("I11", also={"I7", "I12", "I6", "I18"})
def a_promotion_into_nothing(copy):
    def change(manifest):
        account = manifest["account"]
        promoted = {one["nevra"] for one in account["changes"][PRODUCTION].pop("entered")}
        account["changes"][PRODUCTION]["entered"] = []
        for settled in account["requests"]:
            if settled["answer"]["action"] in ("import", "adopt", "withdraw", "revert"):
                settled["answer"]["action"] = "promote"
            for moved in settled["answer"].get("moved", []):
                if moved["repository"] == PRODUCTION:
                    moved["entered"] = [nevra for nevra in moved["entered"] if nevra not in promoted]
            place = f"spool/done/{settled['answer']['claim']}.answer.json"
            if copy.at(place).exists():
                copy.edit(place, text_of(settled["answer"]))
    copy.change_manifest(copy.current, change)
