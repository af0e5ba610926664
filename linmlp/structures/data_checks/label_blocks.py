"""Labels counted per group, and structures without a label that their group has."""

from linmlp.structures.data_checks.contract import DataSet, Finding
from linmlp.structures.label_set import KINDS

USUAL = 0.5
"""A label that more than this part of a group has is expected of all of it: what most frames of one calculation have,
the others have lost."""


def check_label_blocks(data: DataSet) -> list[Finding]:
    """Return label counts, groups that lack a kind of label entirely, and structures that lack what their group has."""
    counts = ", ".join(f"{kind} {count}" for kind, count in data.labels.counts.items())
    everything = range(len(data.structures))
    found = [data.finding("info", "labels", everything, f"{len(everything)} structures: {counts}", "", "")]
    for kind in KINDS:
        for group, members in sorted(data.members(lambda labels: labels.config_type).items()):
            lacking = [i for i in members if getattr(data.labels[i], kind) is None]
            if not lacking or not data.labels.counts[kind]:
                continue
            if len(lacking) == len(members):
                seen, advice = f"no structure of {group!r} has {kind}", "intended? It will be fitted without"
                found.append(data.finding("info", "labels", lacking, seen, "labels of all kinds", advice))
            elif len(lacking) < (1.0 - USUAL) * len(members):
                seen = f"{len(lacking)} of {len(members)} structures of {group!r} have no {kind}"
                advice = f"read the {kind} from the calculation again, or check the key they stand under"
                found.append(data.finding("warning", "labels", lacking, seen, f"{kind} as in the group", advice))
    return found
