"""Volumes per atom and nearest-neighbor distances that the data cover."""

import numpy as np
from ase.neighborlist import neighbor_list

from linmlp.structures.data_checks.contract import DataSet, Finding

SLACK = 0.01
"""Relative distance beyond the range of training that is still counted as inside."""

SEARCHED = 5.0
"""Radius (Å) within which a nearest neighbor is looked for; beyond it an atom is alone."""


def check_coverage(data: DataSet) -> list[Finding]:
    """Return the ranges of the training set per elements, and test structures outside them."""
    found = []
    for elements, members in sorted(data.members(lambda labels: tuple(sorted(set(labels.numbers.tolist())))).items()):
        names = "-".join(sorted(set(data.structures[members[0]].get_chemical_symbols()))) if elements else ""
        for what, values in (
            ("volume per atom (Å³)", {i: _volume(data, i) for i in members}),
            ("nearest-neighbor distance (Å)", {i: _nearest(data, i) for i in members}),
        ):
            known = [value for i, value in values.items() if i < data.n_train and np.isfinite(value)]
            if not known:
                continue
            low, high = min(known), max(known)
            seen = f"{names}: {what} from {low:.4g} to {high:.4g} in training, median {np.median(known):.4g}"
            found.append(data.finding("info", "coverage", members, seen, "", ""))
            outside = [
                i
                for i, value in values.items()
                if i >= data.n_train and np.isfinite(value) and not low * (1 - SLACK) <= value <= high * (1 + SLACK)
            ]
            if outside:
                seen = f"{names}: {what} of {len(outside)} test structures outside training, {low:.4g} to {high:.4g}"
                advice = "errors on them are of extrapolation; add such structures to training, or report them apart"
                found.append(data.finding("warning", "coverage", outside, seen, "inside the range", advice))
    return found


def _volume(data: DataSet, index: int) -> float:
    """Return the volume per atom, Å³; NaN where the structure is not periodic."""
    labels = data.labels[index]
    periodic = bool(data.structures[index].pbc.all())
    return labels.volume / labels.n_atoms if periodic and labels.volume is not None else float("nan")


def _nearest(data: DataSet, index: int) -> float:
    """Return the smallest distance, Å; NaN where there is no neighbor."""
    distances = neighbor_list("d", data.structures[index], SEARCHED)
    return float(distances.min()) if len(distances) else float("nan")
