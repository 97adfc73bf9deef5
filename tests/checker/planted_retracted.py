"""Planted violations of what is told of roll-backs: I6."""

from planted import plant


def change_standing(copy, change):
    """Changes what stands after the current generation."""
    copy.change_manifest(copy.current, lambda manifest: change(manifest["account"]["standing"]["retracted"]))


@plant("I6")
def an_advisory_retracts_what_nobody_rejected(copy):
    change_standing(copy, lambda standing: standing.clear())


@plant("I6")
def an_advisory_names_less_than_was_rejected(copy):
    def change(standing):
        for retraction in standing.values():
            for rejected in retraction["repositories"].values():
                rejected["packages"].append("other-1-1.noarch")
    change_standing(copy, change)
